"""Charts of places: city beside nation, city among like cities, effects pooled over cities."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vlr_analysis.comparison import AGREE, CANNOT_TELL, DISAGREE, VERDICTS
from vlr_analysis.drawing import (
    MODEL,
    NATION,
    OWN,
    SHOCK,
    as_exhibit,
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
from vlr_analysis.exhibits import Exhibit, interval, number, plain_unit, slug, with_unit
from vlr_analysis.language import N_, gettext, retold, told, told_of
from vlr_analysis.periods import spoken

UNSURE = "#6e7781"
NARROW = 100  # per cent of the nation's value beyond which a mark stands at the edge, with its number


@styled
def agreement(matrix: pd.DataFrame, goal_labels: Mapping[int, str], nation: str) -> Exhibit:
    """What city and nation say to each other, by goal.

    Parameters
    ----------
    matrix : DataFrame
        From `comparison.matrix`.
    goal_labels : mapping
    nation : str
        Name.
    """
    verdicts = list(VERDICTS)
    names = [f"{goal}  {retold(goal_labels.get(goal, ''))}" if goal else gettext("no goal") for goal in matrix["goal"]]
    counts = matrix.set_axis(names)
    figure, (axes,) = grid(1, columns=1, height=0.32 * len(matrix) + 1.4)
    colours = ("#0b4f8a", "#b34700", "#8fb3cf", "#d0d7de", "#f4f7fa", "#6e7781")
    stacked_bars(axes, counts[verdicts], colours, ("", "//", "", "\\\\", "..", "xx"))
    axes.set_xlabel(gettext("series"))
    figure.legend(loc="lower center", ncols=6, fontsize=8)
    total = matrix[verdicts].sum()
    alt = told(
        "Bars, one for each goal, city beside {nation}. In all: {counts}.",
        nation=nation, counts=", ".join(f"{retold(v)} {total[v]}" for v in verdicts),
    )  # fmt: skip
    caption = told(
        "Headline series of the city and of {nation}, by goal. Disagree: the latest values of a common year differ by "
        "more than a tenth and their intervals, where given, do not overlap, or the two move in opposite directions. "
        "Cannot tell: the intervals overlap, or the unit has no zero to measure the difference by.",
        nation=nation,
    )
    return as_exhibit(figure, f"agreement_{slug(nation)}", caption, alt, matrix)


@styled
def apart(compared: pd.DataFrame, definitions: pd.DataFrame, city: str, nation: str, at_most: int = 30) -> Exhibit:
    """How far the city lies from the nation, for pairs that share an axis: same and near only.

    Parameters
    ----------
    compared : DataFrame
        From `comparison.comparison_table`.
    definitions : DataFrame
    city, nation : str
        Names.
    at_most : int
        Series, those with a disagreement first.
    """
    labels = label_of(definitions)
    rows = compared[compared["verdict"].isin([AGREE, DISAGREE, CANNOT_TELL]) & compared["relative_difference"].notna()]
    rows = rows.assign(
        percent=100 * rows["relative_difference"], label=[labels[lookup(row)] for _, row in rows.iterrows()]
    )
    rows = rows.assign(size=rows["percent"].abs()).sort_values("size", ascending=False, kind="stable").head(at_most)
    rows = rows.sort_values("percent", kind="stable")
    figure, (axes,) = grid(1, columns=1, height=0.24 * len(rows) + 1.2)
    place = np.arange(len(rows))
    shown = rows["percent"].clip(-NARROW, NARROW)
    for verdict, colour, marker in ((AGREE, OWN, "o"), (DISAGREE, MODEL, "D"), (CANNOT_TELL, UNSURE, "^")):
        mine = (rows["verdict"] == verdict).to_numpy()
        if not mine.any() and verdict == CANNOT_TELL:
            continue
        axes.hlines(place[mine], 0, shown[mine], color=colour, linewidth=1)
        axes.plot(
            shown[mine],
            place[mine],
            marker,
            color=colour,
            markersize=5.5,
            label=f"{retold(verdict)} ({marker_name(marker)})",
        )
    for at, percent in zip(place, rows["percent"], strict=True):
        if abs(percent) > NARROW:
            axes.text(np.sign(percent) * NARROW, at, f" {number(percent, 2)} %", fontsize=7.5, va="center")
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(place, rows["label"], fontsize=8)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.grid(axis="x", color="#e4e8ec")
    axes.set_xlabel(told("{city} less {nation}, % of {nation}", city=city, nation=nation))
    figure.legend(loc="lower center", ncols=3, fontsize=8)
    said = "; ".join(f"{row.label} {number(row.percent, 2)} %" for row in rows.itertuples())
    caption = told(
        "Latest common year, pairs of comparability same or near: how far {city} lies above (right) or below "
        "(left) {nation}. Above is not better: the desired direction differs by series.",
        city=city, nation=nation,
    )  # fmt: skip
    alt = told("Dot chart. {series}.", series=said)
    keep = [*compared.columns[:11], "year", "value", "other_value", "relative_difference", "verdict", "disagree_on"]
    return as_exhibit(figure, f"apart_{slug(nation)}", caption, alt, rows[list(dict.fromkeys(keep))])


def marker_name(marker: str) -> str:
    """Return how readers call a marker."""
    return {"o": gettext("round"), "D": gettext("diamond"), "^": gettext("triangle")}[marker]


@styled
def side_by_side(
    own: pd.DataFrame, other: pd.DataFrame, compared: pd.DataFrame, definitions: pd.DataFrame, city: str, nation: str
) -> Exhibit:
    """Pairs that give context only: two panels each, never one axis.

    Parameters
    ----------
    own, other : DataFrame
        Observations of city and nation.
    compared : DataFrame
        From `comparison.comparison_table`; its rows of comparability context are drawn.
    definitions : DataFrame
    city, nation : str
        Names.
    """
    labels, rows = label_of(definitions), compared[compared["comparability"] == "context"]
    figure, panels = grid(2 * len(rows), columns=2, height=2.2)
    said, parts = [], []
    for number_, (_, row) in enumerate(rows.iterrows()):
        keys = (lookup(row), tuple(row[f"other_{name}"] for name in ("indicator", "series", "unit")))
        for axes, table, key, name, colour in zip(
            panels[2 * number_ :], (own, other), keys, (city, nation), (OWN, NATION), strict=False
        ):
            part = points_of(table[is_series(table, key) & (table["breakdown"] == "")])
            axes.plot(
                part["t"],
                part["value"],
                color=colour,
                linewidth=1.2,
                marker="o" if len(part) < 41 else None,
                markersize=3,
            )
            name_panel(axes, f"{name}: {labels[key]}", key[2], 48)
            year_axis(axes)
            end = part.iloc[-1]
            said.append(told(
                "{area}, {label}: {value} in {period}", area=name, label=labels[key],
                value=with_unit(end["value"], key[2]), period=spoken(end["period"]),
            ))  # fmt: skip
            parts.append(part)
    keep = ["area", "indicator", "series", "unit", "period", "value"]
    data = pd.concat(parts)[keep] if parts else pd.DataFrame(columns=keep)
    caption = gettext(
        "Pairs that are context for each other: what differs is named in the table above. The scales differ, "
        "so heights must not be compared."
    )
    alt = told("Line charts. {panels}.", panels="; ".join(said))
    return as_exhibit(figure, f"context_{slug(nation)}", caption, alt, data)


@styled
def standings(
    standing: pd.DataFrame, definitions: pd.DataFrame, city: str, directed: bool, at_most: int = 45
) -> Exhibit:
    """Where the city stands within the range of like cities, one strip a series; no ranking of the others.

    Parameters
    ----------
    standing : DataFrame
        From `benchmark.benchmark_table`.
    definitions : DataFrame
        Labels, goals and directions.
    city : str
        Name.
    directed : bool
        Series with a stated direction (right is nearer the goal) or those without (right is higher).
    at_most : int
    """
    known = standing.merge(definitions[["indicator", "series", "unit", "label", "goal", "direction"]])
    rows = (
        known[(known["direction"] != "") == directed].sort_values("goal", kind="stable", ascending=False).head(at_most)
    )
    sign = np.where(rows["direction"] == "decrease", -1.0, 1.0)
    names = ["peers_low", "peers_quarter", "peers_middle", "peers_three_quarters", "peers_high", "value"]
    raw = rows[names].to_numpy(float) * sign[:, None]
    low, high = raw.min(axis=1), raw.max(axis=1)
    scaled = (raw - low[:, None]) / np.where(high > low, high - low, 1)[:, None]
    figure, (axes,) = grid(1, columns=1, height=0.25 * len(rows) + 1.3)
    place = np.arange(len(rows))
    axes.hlines(
        place,
        scaled[:, [0, 4]].min(axis=1),
        scaled[:, [0, 4]].max(axis=1),
        color=SHOCK,
        linewidth=1.2,
        label=gettext("range of the peers"),
    )
    axes.hlines(
        place, scaled[:, 1], scaled[:, 3], color="#8fb3cf", linewidth=7, label=gettext("middle half of the peers")
    )
    axes.plot(
        scaled[:, 2], place, "|", color=NATION, markersize=9, markeredgewidth=1.6, label=gettext("middle of the peers")
    )
    axes.plot(scaled[:, 5], place, "D", color=MODEL, markersize=6, label=city)
    axes.set_yticks(place, [f"{row.label}, {row.year}" for row in rows.itertuples()], fontsize=8)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    ends = [N_("furthest from the goal"), N_("nearest the goal")] if directed else [N_("lowest"), N_("highest")]
    axes.set_xticks([0, 1], [gettext(end) for end in ends], fontsize=8)
    axes.grid(visible=False)
    figure.legend(loc="lower center", ncols=4, fontsize=8)
    said = "; ".join(
        f"{row.label}: {with_unit(row.value, row.unit)}, {retold(row.standing)}" for row in rows.iloc[::-1].itertuples()
    )
    if directed:
        caption = told(
            "{city} within the range of like cities, each series on a scale of its own; right is nearer the goal.",
            city=city,
        )
    else:
        caption = told(
            "{city} within the range of like cities, each series on a scale of its own; the desired direction is not "
            "stated: right is higher.",
            city=city,
        )
    name = "standings" if directed else "standings_undirected"
    alt = told("Strips. {series}.", series=said)
    return as_exhibit(figure, name, caption, alt, rows.iloc[::-1].drop(columns=["direction"]))


@styled
def forest(effects: pd.DataFrame, pooled: pd.Series, names: Mapping[str, str], title: str, unit: str) -> Exhibit:
    """One effect in every city and its random-effects mean.

    Parameters
    ----------
    effects : DataFrame
        One row a city: `area`, `effect`, `low`, `high`.
    pooled : Series
        `mean`, `low`, `high`, `predicted_low`, `predicted_high`, `cities`.
    names : mapping
        Area -> name.
    title, unit : str
    """
    rows = effects.assign(place=[names.get(area, area) for area in effects["area"]])
    rows = rows.sort_values("place", ascending=False, kind="stable").reset_index(drop=True)
    figure, (axes,) = grid(1, columns=1, height=0.26 * len(rows) + 1.7)
    at = np.arange(len(rows)) + 1.6
    ends = np.abs(rows[["low", "high"]].to_numpy().T - rows["effect"].to_numpy())
    axes.errorbar(
        rows["effect"],
        at,
        xerr=ends,
        fmt="o",
        color=OWN,
        markersize=5,
        elinewidth=1.1,
        label=gettext("one city, 95 % interval"),
    )
    axes.plot(
        [pooled["predicted_low"], pooled["predicted_high"]],
        [0, 0],
        color=SHOCK,
        linewidth=1.2,
        label=gettext("interval for the effect in one further city, without its own error"),
    )
    axes.plot([pooled["low"], pooled["high"]], [0, 0], color=MODEL, linewidth=5, label=gettext("interval of the mean"))
    axes.plot([pooled["mean"]], [0], "D", color="black", markersize=6, label=gettext("mean of such cities"))
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks([0, *at], [gettext("all of them"), *rows["place"]], fontsize=8)
    axes.grid(axis="x", color="#e4e8ec")
    words = retold(title)
    name_panel(axes, words, "", 90)
    axes.set_xlabel(plain_unit(unit), fontsize=8)
    figure.legend(loc="lower center", ncols=2, fontsize=8)
    each = "; ".join(
        f"{row.place} {number(row.effect)} ({interval(row.low, row.high)})" for row in rows.iloc[::-1].itertuples()
    )
    alt = told_of(
        "Forest plot, {n} cities. Mean {mean} (95 % interval {interval}). {each}.",
        "Forest plot, {n} cities. Mean {mean} (95 % interval {interval}). {each}.",
        len(rows), mean=number(pooled["mean"]), interval=interval(pooled["low"], pooled["high"]), each=each,
    )  # fmt: skip
    caption = told(
        "{title}: each city with its own 95 % interval, in alphabetical order, and the random-effects mean. The "
        "cities met the same shock, so that they are not independent, which the interval does not know.",
        title=words,
    )
    return as_exhibit(figure, f"forest_{slug(title)}", caption, alt, rows.drop(columns="place"))
