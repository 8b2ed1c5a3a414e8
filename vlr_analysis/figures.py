"""The charts. Every chart comes with its caption, its alt text and its data, and cannot be shown without them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from vlr_analysis.drawing import (
    DASHES,
    GROUPS,
    MODEL,
    NATION,
    OWN,
    SERIES,
    SHOCK,
    as_exhibit,
    broken,
    grid,
    is_series,
    label_of,
    lookup,
    name_panel,
    points_of,
    stacked_bars,
    styled,
    year_axis,
)
from vlr_analysis.exhibits import Exhibit, interval, number, slug, with_unit
from vlr_analysis.language import coded, gettext, retold, told, told_of
from vlr_analysis.periods import decimal_year, parse_period, spoken
from vlr_analysis.words import group as group_words

# --- trends ----------------------------------------------------------------------------------------


@styled
def verdicts_by_goal(trend: pd.DataFrame, definitions: pd.DataFrame, goal_labels: Mapping[int, str]) -> Exhibit:
    """How many headline series of each goal move towards it, away from it, or cannot be told."""
    rows = trend[trend["breakdown"] == ""].merge(definitions, on=["indicator", "series", "unit"], how="left")
    undirected = coded("trend, direction not stated")
    kinds = ["towards the goal", "away from the goal", undirected, "no clear trend", "cannot tell"]
    seen = np.where(rows["movement"] != "", rows["movement"], rows["verdict"])
    rows["seen"] = np.where(pd.Series(seen).isin(kinds), seen, kinds[2])
    counts = rows.groupby(["goal", "seen"]).size().unstack(fill_value=0).reindex(columns=kinds, fill_value=0)
    names = goal_names(counts.index, goal_labels)
    figure, (axes,) = grid(1, columns=1, height=0.32 * len(counts) + 1.3)
    colours = ("#0b4f8a", "#b34700", "#8fb3cf", "#d0d7de", "#f4f7fa")
    stacked_bars(axes, counts.set_axis(names), colours, ("", "//", "", "", ".."))
    axes.set_xlabel(gettext("headline series"))
    figure.legend(loc="lower center", ncols=3, fontsize=8)
    total = counts.sum()
    alt = told(
        "Bars, one for each goal. In all: {counts}.",
        counts="; ".join(f"{retold(kind)}: {total[kind]}" for kind in kinds),
    )
    caption = gettext(
        "Headline series of each goal by what their trend says. A trend counts where Kendall's test sees it after "
        "correction for testing all headline series of the city."
    )
    return as_exhibit(figure, "verdicts_by_goal", caption, alt, counts.reset_index())


@styled
def trends(table: pd.DataFrame, trend: pd.DataFrame, definitions: pd.DataFrame, goal: int, goal_label: str) -> Exhibit:
    """Headline series of one goal: values, and the Theil-Sen line where there are enough."""
    mine = definitions[definitions["goal"] == goal]
    key = ["indicator", "series", "unit"]
    order = {tuple(row): place for place, row in enumerate(mine[key].to_numpy())}
    points = points_of(table[table["breakdown"] == ""].merge(mine[key], on=key))
    known = {tuple(row[name] for name in SERIES): row for row in trend[trend["breakdown"] == ""].to_dict("records")}
    parts = sorted(points.groupby(SERIES, sort=False), key=lambda part: order[part[0][1:4]])
    labels = label_of(mine)
    figure, panels = grid(len(parts))
    said = []
    for axes, (name, group) in zip(panels, parts, strict=True):
        row, label, unit = known[name], labels[name[1:4]], name[3]
        t, value = group["t"].to_numpy(), group["value"].to_numpy()
        axes.plot(*broken(t, value), color=OWN, marker=None if len(t) > 40 else "o", markersize=3.2, linewidth=1.1)
        if np.isfinite(row["slope_per_year"]) and np.isfinite(row["intercept"]):
            ends = t[[0, -1]]
            axes.plot(ends, row["intercept"] + row["slope_per_year"] * ends, color=MODEL, linestyle="--", linewidth=1.4)
        name_panel(axes, label, unit, pad=13)
        axes.text(
            0.02,
            1.0,
            retold(row["movement"] or row["verdict"]),
            transform=axes.transAxes,
            va="bottom",
            fontsize=7.5,
            color="#57606a",
        )
        year_axis(axes)
        ends = zip(value[[0, -1]], group["period"].iloc[[0, -1]], strict=True)
        reached = [told("{value} in {period}", value=with_unit(end, unit), period=spoken(at)) for end, at in ends]
        said.append(f"{label}: {', '.join(reached)}, {retold(row['movement'] or row['verdict'])}")
    data = points[[*key, "period", "value", "low", "high"]]
    caption = (
        told(
            "Goal {goal}, {name}: the headline series as published, and the Theil-Sen line (dashed) where there are "
            "five yearly values.",
            goal=goal, name=retold(goal_label),
        )
        if goal
        else gettext(
            "Series without a goal: the headline series as published, and the Theil-Sen line (dashed) where there are "
            "five yearly values."
        )
    )  # fmt: skip
    alt = told("Line charts. {panels}.", panels="; ".join(said))
    return as_exhibit(figure, f"trends_goal_{goal:02d}", caption, alt, data)


def goal_names(goals: Iterable[int], labels: Mapping[int, str]) -> list[str]:
    """Return number and name of each goal, as they stand at the bars of a chart; 0 is no goal."""
    return [f"{goal}  {retold(labels.get(goal, ''))}" if goal else gettext("no goal") for goal in goals]


@styled
def projections(
    paths: pd.DataFrame, table: pd.DataFrame, progress: pd.DataFrame, definitions: pd.DataFrame, limit: int = 9
) -> Exhibit:
    """Series with a known direction carried to the horizon, with interval, and with the target where there is one."""
    key = ["indicator", "series", "unit"]
    chosen = progress[progress["projection_low"].notna() & (progress["direction"] != "")]
    chosen = chosen.merge(definitions[[*key, "priority", "goal"]], on=key)
    chosen = chosen.sort_values(["priority", "goal"], ascending=[False, True], kind="stable").head(limit)
    points, labels = points_of(table[table["breakdown"] == ""]), label_of(definitions)
    figure, panels = grid(len(chosen))
    said, parts = [], []
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
        name_panel(axes, labels[lookup(row)], row["unit"])
        year_axis(axes)
        said.append(told(
            "{label}: {value} (95 % interval {interval})", label=labels[lookup(row)],
            value=with_unit(row["projection"], row["unit"]),
            interval=interval(row["projection_low"], row["projection_high"]),
        ))  # fmt: skip
        parts.append(path.assign(label=labels[lookup(row)]))
    data = pd.concat(parts, ignore_index=True) if parts else paths
    caption = gettext(
        "Where the years so far point: a line with correlated errors carried to the horizon (dashed), with the 95 % "
        "interval for one later value; dotted, the target where one is set."
    )
    alt = told("Line charts with bands, values at the horizon: {panels}.", panels="; ".join(said))
    return as_exhibit(figure, "projections", caption, alt, data)


# --- shock and recovery -------------------------------------------------------------------------------


@styled
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
    paths, covid = (table[is_series(table, key) & (table["breakdown"] == "")] for table in (paths, covid))
    name, title, labels = f"path_{slug(label)}", label, areas
    begin = decimal_year(parse_period(shock).start)
    parts = [(area, paths[(paths["area"] == area) & (paths["t"] >= since)]) for area in labels]
    parts = [(area, part) for area, part in parts if len(part)]
    figure, panels = grid(len(parts), height=2.7)
    said = []
    for axes, (area, part) in zip(panels, parts, strict=True):
        axes.fill_between(part["t"], part["low"], part["high"], color=MODEL, alpha=0.15, linewidth=0)
        axes.plot(
            part["t"],
            part["counterfactual"],
            color=MODEL,
            linestyle="--",
            linewidth=1.2,
            label=gettext("path before, carried on") if part["counterfactual"].notna().any() else None,
        )
        axes.plot(
            part["t"],
            part["level"].where(part["t"] >= begin - 1),
            color=NATION,
            linestyle=":",
            linewidth=1.3,
            label=gettext("level before"),
        )
        dense = len(part) > 40
        axes.plot(
            part["t"],
            part["value"],
            color=OWN,
            marker=None if dense else "o",
            markersize=3.2,
            linewidth=1.2,
            label=gettext("observed"),
        )
        axes.axvline(begin, color=SHOCK, linewidth=0.9)
        name_panel(axes, labels[area], part["unit"].iloc[0])
        year_axis(axes)
        _possible(axes, part)
        row = covid[covid["area"] == area].iloc[0]
        said.append(_told(labels[area], row))
    _same_height(panels)
    if panels:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="lower center", ncols=3, fontsize=8)
    data = pd.concat([part for _, part in parts], ignore_index=True).drop(columns=["duration"])
    caption = told(
        "{label}: observed, the level of the year before the shock (dotted) and the path of the years before carried "
        "on, with the 95 % interval for one value (dashed, band). The upright line marks {shock}.",
        label=title, shock=shock,
    )  # fmt: skip
    alt = told("Line charts. {sentences}", sentences=" ".join(said))
    return as_exhibit(figure, name, f"{caption} {retold(note)}".strip(), alt, data)


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
        return f"{name}: {retold(row['level_reason'])}."
    unit = row["unit"]
    return told(
        "{area}: {level} before, {shock} in {shock_period}, {last} in {last_period}. Level: {level_verdict}; "
        "path: {path_verdict}.",
        area=name, level=with_unit(row["level"], unit), shock=with_unit(row["shock_value"], unit),
        shock_period=spoken(row["shock_period"]), last=with_unit(row["last_value"], unit),
        last_period=spoken(row["last_period"]), level_verdict=retold(row["level_verdict"]),
        path_verdict=retold(row["path_verdict"]),
    )  # fmt: skip


@styled
def overview(covid: pd.DataFrame, definitions: pd.DataFrame) -> Exhibit:
    """How many headline series ended as recovered, not yet, ahead, no clear shock or cannot tell, by reading."""
    verdicts = ["recovered", "not yet", "ahead", "no clear shock", "cannot tell"]
    rows = covid[covid["breakdown"] == ""]
    counts = pd.DataFrame(
        {words: rows[column].value_counts().reindex(verdicts, fill_value=0)
         for words, column in (("against the level before", "level_verdict"), ("against the path", "path_verdict"))}
    ).T  # fmt: skip
    names = [gettext("against the level before"), gettext("against the path")]
    figure, (axes,) = grid(1, columns=1, height=1.9)
    left = np.zeros(2)
    for verdict, colour, hatch in zip(
        verdicts, ("#0b4f8a", "#b34700", "#2e7d32", "#d0d7de", "#f4f7fa"), ("", "//", "\\\\", "", ".."), strict=True
    ):
        axes.barh(names, counts[verdict], left=left, color=colour, hatch=hatch, linewidth=0.8, label=retold(verdict),
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
    axes.set_xlabel(gettext("headline series"))
    figure.legend(loc="lower center", ncols=5, fontsize=8)
    level, path = (", ".join(f"{retold(v)} {row[v]}" for v in verdicts) for _, row in counts.iterrows())
    alt = told("Against the level before: {level}. Against the path: {path}.", level=level, path=path)
    caption = gettext("Headline series by verdict. The two readings answer different questions and are never mixed.")
    return as_exhibit(figure, "overview", caption, alt, counts.reset_index(names="reading"))


@styled
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
    paths = paths[(paths["area"] == area) & is_series(paths, key) & group_rows]
    name, title = f"groups_{slug(label)}_{slug(dimension)}", label
    begin = decimal_year(parse_period(shock).start)
    figure, (axes,) = grid(1, columns=1, height=3.4)
    shown, said = paths[paths["t"] >= min(since, begin - 1)], []
    groups = [group for group in shown["breakdown"].unique() if group]
    for place, group in enumerate(groups):
        part = shown[shown["breakdown"] == group]
        words = "; ".join(pair.split("=", 1)[1] for pair in group_words(group).split(";"))
        axes.plot(
            *broken(part["t"], part["value"]),
            color=GROUPS[place % 8],
            linestyle=DASHES[place % 8],
            linewidth=1.3,
            label=words,
        )
        end = part.iloc[-1]
        said.append(told(
            "{group}: lowest {lowest}, last {last} ({period})", group=words, lowest=number(part["value"].min()),
            last=number(end["value"]), period=spoken(end["period"]),
        ))  # fmt: skip
    total = shown[shown["breakdown"] == ""]
    axes.plot(*broken(total["t"], total["value"]), color="black", linewidth=2, label=retold("total"))
    axes.axvline(begin, color=SHOCK, linewidth=0.9)
    name_panel(axes, title, shown["unit"].iloc[0], 80)
    year_axis(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), borderaxespad=1.0, fontsize=8)
    caption = told("{label}, by group; black, the total. The upright line marks {shock}.", label=title, shock=shock)
    # In English the plural form stands for every count.
    alt = told_of(
        "Line chart of {n} groups. {groups}.",
        "Line chart of {n} groups. {groups}.",
        len(groups),
        groups="; ".join(said),
    )
    return as_exhibit(figure, name, caption, alt, shown.drop(columns="duration"))
