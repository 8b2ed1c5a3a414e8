"""The charts. Every chart comes with its caption, its alt text and its data, and cannot be shown without them."""

from __future__ import annotations

import base64
import io
import math
import re
import textwrap
from collections.abc import Iterator, Mapping
from html import escape

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vlr_analysis.exhibits import Exhibit, interval, number, plain_unit, slug, with_unit
from vlr_analysis.periods import decimal_year, parse_period, spoken
from vlr_analysis.series import SERIES_KEY, as_series

# Line style and grey level carry the meaning; colour only repeats it.
OWN, NATION, PEERS, MODEL, SHOCK = "#0b4f8a", "#3d3d3d", "#a8b0b8", "#b34700", "#8a8a8a"
GROUPS = ("#0b4f8a", "#b34700", "#2e7d32", "#7b1fa2", "#5d4037", "#00838f", "#ad1457", "#616161")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 3)))

STYLE = {
    "svg.fonttype": "none",  # text stays text: sharp, and shaped by the browser also from right to left
    "svg.hashsalt": "vlr",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": "#57606a",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e4e8ec",
    "lines.linewidth": 1.6,
    "legend.frameon": False,
}
SERIES = list(SERIES_KEY)
_styled = rc_context(STYLE)


def _grid(count: int, columns: int = 3, height: float = 2.35) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels in rows of `columns`; unused places stay empty."""
    columns = min(columns, max(2, count))  # one panel alone takes half of the width, if a grid was asked for
    rows = math.ceil(max(count, 1) / columns)
    figure = Figure(figsize=(10.2, height * rows), layout="constrained")
    FigureCanvasSVG(figure)
    axes = [figure.add_subplot(rows, columns, place + 1) for place in range(count)]
    return figure, axes


def _exhibit(figure: Figure, name: str, caption: str, alt: str, data: pd.DataFrame) -> Exhibit:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # Text is drawn in whichever of these the reader's machine has.
    svg = buffer.getvalue().replace(b"'DejaVu Sans'", b"'DejaVu Sans','Segoe UI',Arial,sans-serif")
    source = base64.b64encode(svg).decode("ascii")
    html = (
        f'<figure id="{escape(name)}"><img alt="{escape(alt, quote=True)}" src="data:image/svg+xml;base64,{source}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
    return Exhibit("figure", name, caption, alt, html, data)


def _title(axes: Axes, label: str, unit: str, width: int = 36) -> None:
    axes.set_title(textwrap.fill(label, width))
    axes.set_ylabel(textwrap.shorten(plain_unit(unit), 34, placeholder="…"), fontsize=8, color="#57606a")


def _years(axes: Axes) -> None:
    axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:.0f}")
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(lambda value, _: number(value, 4))
    axes.tick_params(labelsize=8, length=2.5)


def _points(table: pd.DataFrame) -> pd.DataFrame:
    series = as_series(table)
    return series.points.join(series.keys[SERIES], on="row")


def _label_of(definitions: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    return {(row.indicator, row.series, row.unit): row.label for row in definitions.itertuples()}


def _lookup(row: pd.Series) -> tuple[str, str, str]:
    return row["indicator"], row["series"], row["unit"]


def _is(table: pd.DataFrame, key: tuple[str, str, str]) -> pd.Series:
    """Mask of the rows of one (indicator, series, unit)."""
    return (table[["indicator", "series", "unit"]] == list(key)).all(axis=1)


def _by_series(rows: pd.DataFrame) -> Iterator[tuple[pd.Series, pd.DataFrame]]:
    for _, group in rows.groupby(SERIES, sort=False):
        yield group.iloc[0], group


# --- trends ----------------------------------------------------------------------------------------


@_styled
def verdicts_by_goal(trend: pd.DataFrame, definitions: pd.DataFrame, goal_labels: Mapping[int, str]) -> Exhibit:
    """How many headline series of each goal move towards it, away from it, or cannot be told."""
    rows = trend[trend["breakdown"] == ""].merge(definitions, on=["indicator", "series", "unit"], how="left")
    kinds = ["towards the goal", "away from the goal", "trend, direction not stated", "no clear trend", "cannot tell"]
    told = np.where(rows["movement"] != "", rows["movement"], rows["verdict"])
    rows["seen"] = np.where(pd.Series(told).isin(kinds), told, kinds[2])
    counts = rows.groupby(["goal", "seen"]).size().unstack(fill_value=0).reindex(columns=kinds, fill_value=0)
    names = [f"{goal}  {goal_labels.get(goal, '')}" if goal else "no goal" for goal in counts.index]
    figure, (axes,) = _grid(1, columns=1, height=0.32 * len(counts) + 1.3)
    left = np.zeros(len(counts))
    for kind, colour, hatch in zip(
        kinds, ("#0b4f8a", "#b34700", "#8fb3cf", "#d0d7de", "#f4f7fa"), ("", "//", "", "", ".."), strict=True
    ):
        edge = "#a8b0b8" if hatch == ".." else "white"
        axes.barh(names, counts[kind], left=left, color=colour, hatch=hatch, edgecolor=edge, linewidth=0.8, label=kind)
        left += counts[kind].to_numpy()
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e4e8ec")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("headline series")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    total = counts.sum()
    alt = "Bars, one for each goal. In all: " + "; ".join(f"{kind}: {total[kind]}" for kind in kinds) + "."
    caption = (
        "Headline series of each goal by what their trend says. A trend counts where Kendall's test sees it after "
        "correction for testing all headline series of the city."
    )
    return _exhibit(figure, "verdicts_by_goal", caption, alt, counts.reset_index())


@_styled
def trends(table: pd.DataFrame, trend: pd.DataFrame, definitions: pd.DataFrame, goal: int, goal_label: str) -> Exhibit:
    """Headline series of one goal: values, and the Theil-Sen line where there are enough."""
    mine = definitions[definitions["goal"] == goal]
    key = ["indicator", "series", "unit"]
    order = {tuple(row): place for place, row in enumerate(mine[key].to_numpy())}
    points = _points(table[table["breakdown"] == ""].merge(mine[key], on=key))
    known = trend[trend["breakdown"] == ""].set_index(SERIES)
    parts = sorted(_by_series(points), key=lambda part: order[_lookup(part[0])])
    labels = _label_of(mine)
    figure, panels = _grid(len(parts))
    told = []
    for axes, (first, group) in zip(panels, parts, strict=True):
        row = known.loc[tuple(first[SERIES])]
        dense = len(group) > 40
        axes.plot(group["t"], group["value"], color=OWN, marker=None if dense else "o", markersize=3.2, linewidth=1.1)
        if np.isfinite(row["slope_per_year"]) and np.isfinite(row["intercept"]):
            ends = np.array([group["t"].min(), group["t"].max()])
            axes.plot(ends, row["intercept"] + row["slope_per_year"] * ends, color=MODEL, linestyle="--", linewidth=1.4)
        _title(axes, labels[_lookup(first)], first["unit"])
        axes.text(
            0.02,
            1.0,
            row["movement"] or row["verdict"],
            transform=axes.transAxes,
            va="bottom",
            fontsize=7.5,
            color="#57606a",
        )
        axes.set_title(axes.get_title(loc="left"), loc="left", pad=13)
        _years(axes)
        ends = group.iloc[[0, -1]]
        reached = [f"{with_unit(end.value, first['unit'])} in {spoken(end.period)}" for end in ends.itertuples()]
        told.append(f"{labels[_lookup(first)]}: {', '.join(reached)}, {row['movement'] or row['verdict']}")
    data = points[[*key, "period", "value", "low", "high"]]
    caption = (
        f"Goal {goal}, {goal_label}: the headline series as published, and the Theil-Sen line (dashed) where there are "
        "five yearly values."
    )
    return _exhibit(figure, f"trends_goal_{goal:02d}", caption, "Line charts. " + "; ".join(told) + ".", data)


@_styled
def projections(
    paths: pd.DataFrame, table: pd.DataFrame, progress: pd.DataFrame, definitions: pd.DataFrame, limit: int = 9
) -> Exhibit:
    """Series with a known direction carried to the horizon, with interval, and with the target where there is one."""
    key = ["indicator", "series", "unit"]
    chosen = progress[progress["projection_low"].notna() & (progress["direction"] != "")]
    chosen = chosen.merge(definitions[[*key, "priority", "goal"]], on=key)
    chosen = chosen.sort_values(["priority", "goal"], ascending=[False, True], kind="stable").head(limit)
    points, labels = _points(table[table["breakdown"] == ""]), _label_of(definitions)
    figure, panels = _grid(len(chosen))
    told, parts = [], []
    for axes, (_, row) in zip(panels, chosen.iterrows(), strict=True):
        path = paths.loc[(paths[SERIES] == row[SERIES]).all(axis=1)]
        seen = points.loc[(points[SERIES] == row[SERIES]).all(axis=1)]
        axes.fill_between(path["t"], path["low"], path["high"], color=MODEL, alpha=0.15, linewidth=0)
        axes.plot(path["t"], path["fit"], color=MODEL, linestyle="--", linewidth=1.3)
        axes.plot(
            seen["t"], seen["value"], color=OWN, marker="o" if len(seen) < 41 else None, markersize=3.2, linewidth=1
        )
        if np.isfinite(row["target"]):
            axes.axhline(row["target"], color=NATION, linestyle=":", linewidth=1.2)
        _title(axes, labels[_lookup(row)], row["unit"])
        _years(axes)
        told.append(f"{labels[_lookup(row)]}: {with_unit(row['projection'], row['unit'])} "
                    f"(95 % interval {interval(row['projection_low'], row['projection_high'])})")  # fmt: skip
        parts.append(path.assign(label=labels[_lookup(row)]))
    data = pd.concat(parts, ignore_index=True) if parts else paths
    caption = (
        "Where the years so far point: a line with correlated errors carried to the horizon (dashed), with the 95 % "
        "interval for one later value; dotted, the target where one is set."
    )
    return _exhibit(
        figure, "projections", caption, "Line charts with bands, values at the horizon: " + "; ".join(told) + ".", data
    )


# --- shock and recovery -------------------------------------------------------------------------------


@_styled
def recovery_paths(
    paths: pd.DataFrame,
    covid: pd.DataFrame,
    key: tuple[str, str, str],
    label: str,
    areas: Mapping[str, str],
    shock: str,
    *,
    note: str = "",
    since: float = 2010.0,
) -> Exhibit:
    """One measure in several areas: observed, level before, counterfactual with interval; a panel for each area.

    Parameters
    ----------
    paths, covid : DataFrame
        From `covid.paths` and `covid.covid_table`.
    key : tuple
        Indicator, series and unit; totals only.
    label : str
        What was measured, in readers' words.
    areas : mapping
        Area -> words above its panel, in the order of the panels.
    shock : str
        ISO 8601 period.
    note : str
        What to add to the caption, such as how comparable an area is.
    since : float
        First year to draw.
    """
    paths, covid = (table[_is(table, key) & (table["breakdown"] == "")] for table in (paths, covid))
    name, title, labels = f"path_{slug(label)}", label, areas
    begin = decimal_year(parse_period(shock).start)
    parts = [(area, paths[(paths["area"] == area) & (paths["t"] >= since)]) for area in labels]
    parts = [(area, part) for area, part in parts if len(part)]
    figure, panels = _grid(len(parts), height=2.7)
    told = []
    for axes, (area, part) in zip(panels, parts, strict=True):
        axes.fill_between(part["t"], part["low"], part["high"], color=MODEL, alpha=0.15, linewidth=0)
        axes.plot(
            part["t"],
            part["counterfactual"],
            color=MODEL,
            linestyle="--",
            linewidth=1.2,
            label="path before, carried on" if part["counterfactual"].notna().any() else None,
        )
        axes.plot(
            part["t"],
            part["level"].where(part["t"] >= begin - 1),
            color=NATION,
            linestyle=":",
            linewidth=1.3,
            label="level before",
        )
        dense = len(part) > 40
        axes.plot(
            part["t"],
            part["value"],
            color=OWN,
            marker=None if dense else "o",
            markersize=3.2,
            linewidth=1.2,
            label="observed",
        )
        axes.axvline(begin, color=SHOCK, linewidth=0.9)
        _title(axes, labels[area], part["unit"].iloc[0])
        _years(axes)
        _possible(axes, part)
        row = covid[covid["area"] == area].iloc[0]
        told.append(_told(labels[area], row))
    _same_height(panels)
    if panels:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    data = pd.concat([part for _, part in parts], ignore_index=True).drop(columns=["duration"])
    caption = (
        f"{title}: observed, the level of the year before the shock (dotted) and the path of the years before carried "
        f"on, with the 95 % interval for one value (dashed, band). The upright line marks {shock}. {note}"
    ).strip()
    return _exhibit(figure, name, caption, "Line charts. " + " ".join(told), data)


def _possible(axes: Axes, part: pd.DataFrame) -> None:
    """Keep a band that runs far beyond every value from flattening the values."""
    low, high = part["value"].min(), part["value"].max()
    room = max(high - low, abs(high) * 0.02, 1e-9)
    bottom, top = axes.get_ylim()
    axes.set_ylim(max(bottom, low - 0.8 * room), min(top, high + 0.8 * room))


def _same_height(panels: list[Axes]) -> None:
    """Give all panels of one measure the same axis, so that areas can be compared by eye."""
    if panels:
        limits = [axes.get_ylim() for axes in panels]
        for axes in panels:
            axes.set_ylim(min(low for low, _ in limits), max(high for _, high in limits))


def _told(name: str, row: pd.Series) -> str:
    """Say in words what a panel shows."""
    if not row["kind"]:
        return f"{name}: {row['level_reason']}."
    return (
        f"{name}: {with_unit(row['level'], row['unit'])} before, {with_unit(row['shock_value'], row['unit'])} in "
        f"{spoken(row['shock_period'])}, {with_unit(row['last_value'], row['unit'])} in {spoken(row['last_period'])}. "
        f"Level: {row['level_verdict']}; path: {row['path_verdict']}."
    )


@_styled
def overview(covid: pd.DataFrame, definitions: pd.DataFrame) -> Exhibit:
    """How many headline series ended as recovered, not yet, ahead, no clear shock or cannot tell, by reading."""
    verdicts = ["recovered", "not yet", "ahead", "no clear shock", "cannot tell"]
    rows = covid[covid["breakdown"] == ""]
    counts = pd.DataFrame(
        {words: rows[column].value_counts().reindex(verdicts, fill_value=0)
         for words, column in (("against the level before", "level_verdict"), ("against the path", "path_verdict"))}
    ).T  # fmt: skip
    figure, (axes,) = _grid(1, columns=1, height=1.9)
    left = np.zeros(2)
    for verdict, colour, hatch in zip(
        verdicts, ("#0b4f8a", "#b34700", "#2e7d32", "#d0d7de", "#f4f7fa"), ("", "//", "\\\\", "", ".."), strict=True
    ):
        axes.barh(counts.index, counts[verdict], left=left, color=colour, hatch=hatch, linewidth=0.8, label=verdict,
                  edgecolor="white" if hatch != ".." else "#a8b0b8")  # fmt: skip
        for place, count in enumerate(counts[verdict]):
            if count:
                light = verdict in ("no clear shock", "cannot tell")
                axes.text(left[place] + count / 2, place, str(count), ha="center", va="center", fontsize=8.5,
                          color="#1b1f24" if light else "white", fontweight="bold")  # fmt: skip
        left += counts[verdict].to_numpy()
    axes.invert_yaxis()
    axes.grid(visible=False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("headline series")
    figure.legend(loc="outside lower center", ncols=5, fontsize=8)
    alt = " ".join(
        f"{words[0].upper()}{words[1:]}: " + ", ".join(f"{v} {counts.loc[words, v]}" for v in verdicts) + "."
        for words in counts.index
    )
    caption = "Headline series by verdict. The two readings answer different questions and are never mixed."
    return _exhibit(figure, "overview", caption, alt, counts.reset_index(names="reading"))


@_styled
def by_group(
    paths: pd.DataFrame,
    area: str,
    key: tuple[str, str, str],
    label: str,
    dimension: str,
    shock: str,
    since: float = 2015.0,
) -> Exhibit:
    """One measure of one area by the groups of one dimension: a line for each group, the total in black."""
    group_rows = paths["breakdown"].str.fullmatch(f"{re.escape(dimension)}=[^;=]+") | (paths["breakdown"] == "")
    paths = paths[(paths["area"] == area) & _is(paths, key) & group_rows]
    name, title = f"groups_{slug(label)}_{slug(dimension)}", label
    begin = decimal_year(parse_period(shock).start)
    figure, (axes,) = _grid(1, columns=1, height=3.4)
    shown, told = paths[paths["t"] >= min(since, begin - 1)], []
    groups = [group for group in shown["breakdown"].unique() if group]
    for place, group in enumerate(groups):
        part = shown[shown["breakdown"] == group]
        words = "; ".join(pair.split("=", 1)[1] for pair in group.split(";"))
        axes.plot(
            part["t"], part["value"], color=GROUPS[place % 8], linestyle=DASHES[place % 8], linewidth=1.3, label=words
        )
        end = part.iloc[-1]
        told.append(
            f"{words}: lowest {number(part['value'].min())}, last {number(end['value'])} ({spoken(end['period'])})"
        )
    total = shown[shown["breakdown"] == ""]
    axes.plot(total["t"], total["value"], color="black", linewidth=2, label="total")
    axes.axvline(begin, color=SHOCK, linewidth=0.9)
    _title(axes, title, shown["unit"].iloc[0], 80)
    _years(axes)
    figure.legend(loc="outside right center", fontsize=8)
    caption = f"{title}, by group; black, the total. The upright line marks {shock}."
    return _exhibit(
        figure,
        name,
        caption,
        f"Line chart of {len(groups)} groups. " + "; ".join(told) + ".",
        shown.drop(columns="duration"),
    )


@_styled
def gaps(rows: pd.DataFrame, name: str, title: str, unit: str) -> Exhibit:
    """Gaps with their intervals, one line a row: `label`, `gap`, `low`, `high`; the city first."""
    figure, (axes,) = _grid(1, columns=1, height=0.3 * len(rows) + 1.1)
    place = np.arange(len(rows))
    whole = rows[["low", "high"]].notna().all(axis=1).to_numpy()
    at = rows[whole]
    axes.hlines(place[whole], at["low"], at["high"], color=PEERS, linewidth=2.2)
    colours = [OWN if own else NATION for own in rows["own"]]
    axes.scatter(rows["gap"], place, c=colours, s=26, zorder=3)
    axes.axvline(0, color=SHOCK, linewidth=0.9)
    axes.set_yticks(place, rows["label"])
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e4e8ec")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"gap, {unit}")
    axes.tick_params(labelsize=8)
    axes.set_title(title)
    told = "; ".join(f"{row.label} {number(row.gap)} ({interval(row.low, row.high)})" for row in rows.itertuples())
    caption = f"{title}: observed less expected, with the 95 % interval where there is one."
    return _exhibit(figure, name, caption, f"Dots with intervals. {told}.", rows)
