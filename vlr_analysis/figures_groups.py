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
    grid,
    is_series,
    label_of,
    lookup,
    name_panel,
    points_of,
    styled,
    year_axis,
)
from vlr_analysis.exhibits import Exhibit, number, slug, with_unit
from vlr_analysis.periods import spoken

OTHERS = tuple(colour for colour in GROUPS if colour != MODEL)  # the least advantaged group alone has that one
WIDE = 30  # letters of a group's name on a line
WITHOUT = {"suppressed": "suppressed", "missing": "no value", "not_applicable": "not applicable"}


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
    told = []
    for axes, (row, groups) in zip(panels, parts, strict=True):
        names = [textwrap.fill(name, WIDE) for name in groups["group"]]
        places, value = np.arange(len(groups)), groups["value"].to_numpy()
        ends = np.abs(groups[["low", "high"]].to_numpy().T - value)
        axes.errorbar(value, places, xerr=np.nan_to_num(ends), fmt="o", color=OWN, elinewidth=1.2, markersize=5)
        for place, status in zip(places, groups["status"], strict=True):
            if status in WITHOUT:
                axes.text(0.02, place, WITHOUT[status], transform=axes.get_yaxis_transform(), va="center", fontsize=8)
        if np.isfinite(groups["total"].iloc[0]):
            axes.axvline(groups["total"].iloc[0], color="black", linestyle="--", linewidth=1)
        axes.set_yticks(places, names, fontsize=8)
        axes.set_ylim(-0.6, len(groups) - 0.4)
        axes.grid(axis="x", color="#e4e8ec")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5))
        axes.xaxis.set_major_formatter(lambda value, _: number(value, 4))
        name_panel(axes, f"{labels[lookup(row)]}, {spoken(row['period'])}", "", 46)
        axes.set_xlabel(textwrap.shorten(row["unit"], 44, placeholder="…"), fontsize=8)
        told.append(f"{labels[lookup(row)]} in {spoken(row['period'])}: " + ", ".join(
            f"{group.group} {WITHOUT.get(group.status) or with_unit(group.value, row['unit'])}"
            for group in groups.iloc[::-1].itertuples()
        ))  # fmt: skip
    data = pd.concat([groups.drop(columns="breakdown") for _, groups in parts]) if parts else table.iloc[:0]
    caption = (
        f"Groups by {dimension}, latest period in which they can be compared; the dashed line is the total as "
        "published. Whiskers are the source's 95 % interval, where it gives one."
    )
    return as_exhibit(figure, f"groups_{slug(dimension)}", caption, "Dot charts. " + "; ".join(told) + ".", data)


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
    told, parts = [], []
    for axes, (_, row) in zip(panels, rows.iterrows(), strict=True):
        here = points[is_series(points, lookup(row)) & (points["t"] >= since)]
        single = here["breakdown"].str.fullmatch(f"{row['dimension']}=[^;=]+")
        here = here[single | (here["breakdown"] == "")].assign(dimension=row["dimension"])
        for place, (name, part) in enumerate(here[here["breakdown"] != ""].groupby("breakdown", sort=True)):
            group = name.split("=", 1)[1]
            least = group == row["least_group"]
            axes.plot(
                part["t"], part["value"], color=MODEL if least else OTHERS[place % 7], linestyle=DASHES[place % 8],
                linewidth=2.4 if least else 1.0, label=textwrap.shorten(group, 28, placeholder="…"),
            )  # fmt: skip
        total = here[here["breakdown"] == ""]
        axes.plot(total["t"], total["value"], color="black", linewidth=1.8, label="total")
        name_panel(axes, f"{labels[lookup(row)]}, by {row['dimension']}: {row['verdict']}", row["unit"], 56)
        year_axis(axes)
        axes.legend(fontsize=7, ncols=2, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=2.8)
        slopes = f"{number(row['total_slope'])} a year in total, {number(row['least_slope'])} for {row['least_group']}"
        told.append(f"{labels[lookup(row)]} by {row['dimension']}: {row['verdict']}, {slopes}")
        parts.append(here)
    keep = ["indicator", "series", "unit", "dimension", "breakdown", "period", "value", "low", "high", "status"]
    data = pd.concat(parts)[keep] if parts else pd.DataFrame(columns=keep)
    caption = (
        "Groups over time; black, the total as published; the thick line is the least advantaged group over all years. "
        "Slopes and verdicts are in the table below."
    )
    return as_exhibit(figure, "groups_over_time", caption, "Line charts. " + "; ".join(told) + ".", data)
