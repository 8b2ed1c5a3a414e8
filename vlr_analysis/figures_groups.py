"""Charts of groups: who stands where now, and whether the average hides them."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from vlr_analysis.drawing import (
    DASHES,
    GROUPS,
    MODEL,
    OWN,
    as_exhibit,
    broken,
    grid,
    is_series,
    label_of,
    lookup,
    name_panel,
    points_of,
    styled,
    year_axis,
)
from vlr_analysis.exhibits import Exhibit, number, plain_unit, slug, with_unit
from vlr_analysis.language import SOURCE, coded, current, gettext, retold, told
from vlr_analysis.periods import spoken

OTHERS = tuple(colour for colour in GROUPS if colour != MODEL)  # the least advantaged group alone has that one
WIDE = 30  # letters of a group's name on a line
WITHOUT = {
    "suppressed": coded("suppressed"), "missing": coded("no value"), "not_applicable": coded("not applicable"),
}  # fmt: skip


@styled
def groups_now(table: pd.DataFrame, latest: pd.DataFrame, definitions: pd.DataFrame, dimension: str) -> Exhibit:
    """Where the groups of one dimension stand in the latest period; a panel for each series, the total as a line.

    Parameters
    ----------
    table : DataFrame
        Observations of one area, regrouped.
    latest : DataFrame
        From `disparities.latest_of`: which period to show.
    definitions : DataFrame
        Labels.
    dimension : str
    """
    labels, parts = label_of(definitions), []
    for _, row in latest[latest["dimension"] == dimension].iterrows():
        here = table[is_series(table, lookup(row)) & (table["period"] == row["period"])]
        groups = here[here["breakdown"].str.fullmatch(f"{dimension}=[^;=]+")].copy()
        groups["group"] = groups["breakdown"].str.split("=", n=1).str[1]
        total = here.loc[here["breakdown"] == "", "value"]
        groups["total"] = float(total.iloc[0]) if len(total) else np.nan
        parts.append((row, groups.sort_values("value", kind="stable", na_position="first")))
    most = max((len(groups) for _, groups in parts), default=1)
    figure, panels = grid(len(parts), columns=2, height=0.3 * most + 1.15)
    said = []
    for axes, (row, groups) in zip(panels, parts, strict=True):
        names = [textwrap.fill(retold(name), WIDE) for name in groups["group"]]
        places, value = np.arange(len(groups)), groups["value"].to_numpy()
        ends = np.abs(groups[["low", "high"]].to_numpy().T - value)
        axes.errorbar(value, places, xerr=np.nan_to_num(ends), fmt="o", color=OWN, elinewidth=1.2, markersize=5)
        for place, status in zip(places, groups["status"], strict=True):
            if status in WITHOUT:
                axes.text(
                    0.02, place, retold(WITHOUT[status]), transform=axes.get_yaxis_transform(), va="center", fontsize=8
                )
        if np.isfinite(groups["total"].iloc[0]):
            axes.axvline(groups["total"].iloc[0], color="black", linestyle="--", linewidth=1)
        axes.set_yticks(places, names, fontsize=8)
        axes.set_ylim(-0.6, len(groups) - 0.4)
        axes.grid(axis="x", color="#e4e8ec")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        name_panel(axes, f"{labels[lookup(row)]}, {spoken(row['period'])}", "", 46)
        axes.set_xlabel(textwrap.shorten(_unit(row["unit"]), 44, placeholder="…"), fontsize=8)
        held = ", ".join(
            f"{retold(group.group)} {retold(WITHOUT.get(group.status, '')) or with_unit(group.value, row['unit'])}"
            for group in groups.iloc[::-1].itertuples()
        )
        said.append(told(
            "{label} in {period}: {groups}", label=labels[lookup(row)], period=spoken(row["period"]), groups=held
        ))  # fmt: skip
    data = pd.concat([groups.drop(columns="breakdown") for _, groups in parts]) if parts else table.iloc[:0]
    caption = told(
        "Groups by {dimension}, latest period in which they can be compared; the dashed line is the total as "
        "published. Whiskers are the source's 95 % interval, where it gives one.",
        dimension=retold(dimension),
    )
    alt = told("Dot charts. {panels}.", panels="; ".join(said))
    return as_exhibit(figure, f"groups_{slug(dimension)}", caption, alt, data)


def _unit(unit: str) -> str:
    """Return a unit as it is given, or in another language as sentences say it."""
    return unit if current() == SOURCE else plain_unit(unit)


@styled
def groups_over_time(
    table: pd.DataFrame, change: pd.DataFrame, definitions: pd.DataFrame, at_most: int = 6, since: float = 2005.0
) -> Exhibit:
    """Lines of all groups of the series where the average hides or may hide, or else of the first ones.

    Parameters
    ----------
    table : DataFrame
        Observations of one area, regrouped.
    change : DataFrame
        From `disparities.disparity_trend_table`, in the order in which the panels should stand.
    definitions : DataFrame
    at_most : int
        Panels.
    since : float
        First year to draw.
    """
    rows, labels, points = change.head(at_most), label_of(definitions), points_of(table)
    figure, panels = grid(len(rows), columns=2, height=3.0)
    said, parts = [], []
    for axes, (_, row) in zip(panels, rows.iterrows(), strict=True):
        here = points[is_series(points, lookup(row)) & (points["t"] >= since)]
        single = here["breakdown"].str.fullmatch(f"{row['dimension']}=[^;=]+")
        here = here[single | (here["breakdown"] == "")].assign(dimension=row["dimension"])
        for place, (name, part) in enumerate(here[here["breakdown"] != ""].groupby("breakdown", sort=True)):
            group = name.split("=", 1)[1]
            least = group == row["least_group"]
            axes.plot(
                *broken(part["t"], part["value"]), color=MODEL if least else OTHERS[place % 7],
                linestyle=DASHES[place % 8], linewidth=2.4 if least else 1.0,
                label=textwrap.shorten(retold(group), 28, placeholder="…"),
            )  # fmt: skip
        total = here[here["breakdown"] == ""]
        if len(total):
            axes.plot(*broken(total["t"], total["value"]), color="black", linewidth=1.8, label=retold("total"))
        verdict = told(
            "{label}, by {dimension}: {verdict}", label=labels[lookup(row)], dimension=retold(row["dimension"]),
            verdict=retold(row["verdict"]),
        )  # fmt: skip
        name_panel(axes, verdict, row["unit"], 56)
        year_axis(axes)
        axes.legend(fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=2.8)
        said.append(told(
            "{label} by {dimension}: {verdict}, {total} a year in total, {least} for {group}",
            label=labels[lookup(row)], dimension=retold(row["dimension"]), verdict=retold(row["verdict"]),
            total=number(row["total_slope"]), least=number(row["least_slope"]), group=retold(row["least_group"]),
        ))  # fmt: skip
        parts.append(here)
    keep = ["indicator", "series", "unit", "dimension", "breakdown", "period", "value", "low", "high", "status"]
    data = pd.concat(parts)[keep] if parts else pd.DataFrame(columns=keep)
    caption = gettext(
        "Groups over time; black, the total where one is published; the thick line is the least advantaged group over "
        "all years. Slopes and verdicts are in the table below."
    )
    alt = told("Line charts. {panels}.", panels="; ".join(said))
    return as_exhibit(figure, "groups_over_time", caption, alt, data)
