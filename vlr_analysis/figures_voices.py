"""The chart of what people said: one bar for each theme in a piece of evidence, counts written into it."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from vlr_analysis.drawing import as_exhibit, grid, styled
from vlr_analysis.exhibits import Exhibit, number
from vlr_analysis.language import N_, gettext, retold, told, told_of

# Colour, hatch and the number written into it: no statement hangs on colour alone.
LOOKS = {
    "improves": ("#0b4f8a", "", "white"), "satisfied": ("#8fb3cf", "..", "black"),
    "unchanged": ("#d0d7de", "", "black"),
    "concern": ("#f0b98d", "\\\\", "black"), "worsens": ("#b34700", "//", "white"),
}  # fmt: skip
REST = N_("said nothing on it, or not shown")
AT_MOST, FEW = 24, 30


@styled
def said(statements: pd.DataFrame, at_most: int = AT_MOST) -> list[Exhibit]:
    """Draw what people said.

    Parameters
    ----------
    statements : DataFrame
        From `voices.said_table`.
    at_most : int
        Bars drawn; the whole area comes before its places.

    Returns
    -------
    list of Exhibit
        One figure, or none where no number of participants is shown.
    """
    rows = statements[statements["participants"] > 0]
    bars = [group for _, group in rows.groupby(["theme", "evidence", "place"], sort=False)]
    if not bars:
        return []
    first = {theme: place for place, theme in enumerate(rows["theme"].unique())}
    bars.sort(key=lambda group: (first[group["theme"].iloc[0]], group["place"].iloc[0] != ""))
    drawn = bars[:at_most]
    figure, (axes,) = grid(1, columns=1, height=0.42 * len(drawn) + 1.2)
    for place, group in enumerate(drawn):
        _bar(axes, place, group)
    axes.set_yticks(range(len(drawn)), [_named(group) for group in drawn], fontsize=7.5)
    axes.set_ylim(len(drawn) - 0.4, -0.6)
    axes.set_xlim(0, 100)
    axes.set_xlabel(gettext("% of those who took part"))
    axes.grid(visible=False, axis="y")
    shown = [word for word in LOOKS if (pd.concat(drawn)["says"] == word).any()]
    handles = [Patch(facecolor=LOOKS[w][0], hatch=LOOKS[w][1], edgecolor="white", label=retold(w)) for w in shown]
    handles.append(Patch(facecolor="white", edgecolor="#8a8a8a", label=gettext(REST)))
    figure.legend(handles=handles, loc="lower center", ncols=len(handles), fontsize=8)
    caption = told(
        "What people said on each theme, as a share of those who took part; numbers of people are written into the "
        "bars, thin bars stand for fewer than {few} people. Only a random sample speaks for more than itself.",
        few=FEW,
    )
    if len(bars) > len(drawn):
        caption += " " + told_of("{n} more are in the table.", "{n} more are in the table.", len(bars) - len(drawn))
    alt = told("Bars. {bars}.", bars="; ".join(_told(group) for group in drawn))
    columns = ["theme", "evidence", "title", "place", "chosen", "participants", "says", "count", "count_status"]
    return [as_exhibit(figure, "said", caption, alt, pd.concat(drawn, ignore_index=True)[columns])]


def _bar(axes: Axes, place: int, group: pd.DataFrame) -> None:
    people = group["participants"].iloc[0]
    height = 0.66 if people >= FEW else 0.36
    axes.barh(place, 100, height=height, color="white", edgecolor="#8a8a8a", linewidth=0.7)
    left = 0.0
    for says, (colour, hatch, ink) in LOOKS.items():
        count = group.loc[group["says"] == says, "count"].sum()
        if not count > 0:
            continue
        width = 100 * count / people
        axes.barh(place, width, left=left, height=height, color=colour, hatch=hatch, edgecolor="white", linewidth=0.6)
        if width > 3:
            box = {"facecolor": colour, "edgecolor": "none", "pad": 0.8} if hatch else None
            middle = left + width / 2
            axes.text(middle, place, number(count), ha="center", va="center", fontsize=7, color=ink, bbox=box)
        left += width


def _named(group: pd.DataFrame) -> str:
    row = group.iloc[0]
    title = textwrap.shorten(row["title"], 44, placeholder="…")
    where = f", {retold(row['where'])}" if row["place"] else ""
    return f"{row['theme']}{where}\n{title} ({retold(row['chosen'])}, {number(row['participants'])})"


def _told(group: pd.DataFrame) -> str:
    row = group.iloc[0]
    counts = [
        f"{retold(says)} {number(count) if np.isfinite(count) else gettext('not shown')}"
        for says, count in zip(group["says"], group["count"], strict=True)
    ]
    about = f"{row['theme']}, {retold(row['where'])}, {row['title']} ({retold(row['chosen'])})"
    return told(
        "{about}: {counts} of {people}", about=about, counts=", ".join(counts), people=number(row["participants"])
    )
