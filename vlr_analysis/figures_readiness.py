"""The charts of the chapter on readiness, and its letter as an exhibit."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping
from html import escape

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from vlr_analysis.drawing import MODEL, NATION, OWN, as_exhibit, grid, styled, whole_years
from vlr_analysis.exhibits import Exhibit
from vlr_analysis.language import gettext, retold, told, told_of
from vlr_analysis.periods import spoken, year_of

NOTHING = "#f4f7fa"
GREYS = ("#0b4f8a", "#5b8db8", "#c9d9e6", NOTHING)
LETTER_COLOURS = {"A": "#0b4f8a", "B": "#5b8db8", "C": "#d9a679", "D": "#b34700"}
HATCHES = {"A": "", "B": "", "C": "//", "D": "xx"}


@styled
def coverage(goals: pd.DataFrame) -> Exhibit:
    """Draw how many targets of each goal have figures, from `readiness.coverage_by_goal`."""
    rows = goals[goals["targets"] > 0]
    kinds = {
        "targets_global": (gettext("a global indicator"), GREYS[0], ""),
        "targets_own": (gettext("own indicators only"), GREYS[2], "//"),
        "targets_none": (gettext("no figures"), NOTHING, ".."),
    }
    names = [f"{row.goal}  {retold(row.goal_label)}" for row in rows.itertuples()]
    figure, (axes,) = grid(1, columns=1, height=0.32 * max(len(rows), 3) + 1.3)
    left = np.zeros(len(rows))
    for column, (label, colour, hatch) in kinds.items():
        axes.barh(names, rows[column], left=left, color=colour, hatch=hatch, edgecolor="#8a939b", linewidth=0.6,
                  label=label)  # fmt: skip
        left += rows[column].to_numpy()
    for place, row in enumerate(rows.itertuples()):
        held = told("{part} of {whole}", part=row.targets - row.targets_none, whole=row.targets)
        axes.text(left[place], place, f" {held}", va="center", fontsize=8, color=NATION)
    _bars(axes, gettext("targets of the goal"), len(rows), int(rows["targets"].max()))
    figure.legend(loc="lower center", ncols=3, fontsize=8)
    total = rows[[*kinds, "targets"]].sum()
    said = [
        told("goal {goal}: {part} of {whole}", goal=row.goal, part=row.targets - row.targets_none, whole=row.targets)
        for row in rows.itertuples()
    ]
    alt = told(
        "Bars, one for each goal. Of {targets} targets, {known} have figures of a global indicator, {own} of own "
        "indicators only, {none} none. {goals}.",
        targets=total["targets"], known=total["targets_global"], own=total["targets_own"],
        none=total["targets_none"], goals="; ".join(said),
    )  # fmt: skip
    caption = gettext(
        "Targets of each goal by the figures that the city has. A series that stands under a global code but measures "
        "something else counts as an own indicator."
    )
    return as_exhibit(figure, "coverage_by_goal", caption, alt, goals)


def _bars(axes: Axes, label: str, rows: int, longest: int) -> None:
    axes.set(xlim=(0, 1.08 * max(longest, 1)), ylim=(max(rows, 3) - 0.5, -0.6))
    axes.grid(axis="x", color="#e4e8ec")
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


@styled
def grades(counted: pd.DataFrame) -> Exhibit:
    """Draw the grades of each goal's headline series, from `readiness.grades_by_goal`; each part carries its letter."""
    letters = list(LETTER_COLOURS)
    rows = counted[counted[letters].sum(axis=1) > 0]
    names = [
        f"{row.goal}  {retold(row.goal_label)}" if row.goal else retold(row.goal_label) for row in rows.itertuples()
    ]
    figure, (axes,) = grid(1, columns=1, height=0.32 * max(len(rows), 3) + 1.0)
    left = np.zeros(len(rows))
    for letter in letters:
        width = rows[letter].to_numpy()
        axes.barh(names, width, left=left, color=LETTER_COLOURS[letter], hatch=HATCHES[letter], edgecolor="white")
        for place in np.flatnonzero(width):
            text = f"{width[place]} {letter}"
            axes.text(left[place] + width[place] / 2, place, text, ha="center", va="center", fontsize=8, weight="bold",
                      color="black", bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.2})  # fmt: skip
        left += width
    _bars(axes, gettext("headline series"), len(rows), int(rows[letters].sum(axis=1).max()) if len(rows) else 0)
    total = rows[letters].sum()
    goals = "; ".join(
        f"{name}: " + ", ".join(f"{row[letter]} {letter}" for letter in letters if row[letter])
        for name, (_, row) in zip(names, rows.iterrows(), strict=True)
    )
    alt = told(
        "Bars, one for each goal. In all: {counts}. {goals}.",
        counts=", ".join(f"{total[letter]} {letter}" for letter in letters), goals=goals,
    )  # fmt: skip
    caption = gettext(
        "Grade of the evidence, A to D, of the headline series of each goal. The grades are counted and never averaged."
    )
    return as_exhibit(figure, "grades_by_goal", caption, alt, counted)


@styled
def umf_grid(cells: pd.DataFrame) -> Exhibit:
    """Draw the grid of domains and objectives with its numbers, from `readiness.coverage_by_umf`."""
    domains, objectives = list(cells["domain"].unique()), list(cells["objective"].unique())
    figure, (axes,) = grid(1, columns=1, height=0.62 * len(domains) + 0.9)
    said = []
    for cell in cells.itertuples():
        x, y = objectives.index(cell.objective), domains.index(cell.domain)
        shade = GREYS[3] if not cell.n_series else GREYS[2]
        hatch = "" if cell.n_series else ".."
        axes.add_patch(Rectangle((x, y), 1, 1, facecolor=shade, hatch=hatch, edgecolor="white", linewidth=2))
        words = told_of("{n} series", "{n} series", cell.n_series) if cell.n_series else gettext("no figures")
        part = told("{part} of {whole} targets", part=cell.targets_with, whole=cell.targets)
        text = f"{words}\n{part}"
        box = {"facecolor": shade, "edgecolor": "none", "pad": 1.5}
        axes.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=8.5, bbox=box)
        said.append(f"{retold(cell.domain)}, {retold(cell.objective)}: {words}, {part}")
    axes.set(xlim=(0, len(objectives)), ylim=(len(domains), 0))
    axes.set_xticks(np.arange(len(objectives)) + 0.5, [retold(objective) for objective in objectives])
    axes.set_yticks(np.arange(len(domains)) + 0.5, [textwrap.fill(retold(domain), 18) for domain in domains])
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.grid(visible=False)
    for side in axes.spines.values():
        side.set_visible(False)
    caption = gettext(
        "Series and targets with figures in each cell of the Global Urban Monitoring Framework's grid. Which target "
        "stands in which cell is the kit's own proposal; the framework's official list was not at hand."
    )
    alt = told("A grid of five domains by four objectives. {cells}.", cells="; ".join(said))
    return as_exhibit(figure, "umf_grid", caption, alt, cells)


@styled
def spans(ages: pd.DataFrame, table: pd.DataFrame, labels: Mapping[tuple, str], as_of: int) -> Exhibit:
    """Draw the years of every headline series as a line of points; a gap shows as one.

    Parameters
    ----------
    ages : DataFrame
        From `readiness.age_table`, in the order of the rows.
    table : DataFrame
        The observations.
    labels : mapping
        (indicator, series, unit) -> words.
    as_of : int
        Newest year of the review.
    """
    key = ["indicator", "series", "unit"]
    held = table[(table["breakdown"] == "") & table["value"].notna()]
    held = held.assign(year=held["period"].map(year_of))
    years = held.groupby(key)["year"].agg(lambda column: sorted(set(column)))
    names = [labels[tuple(row)] for row in ages[key].to_numpy()]
    figure, (axes,) = grid(1, columns=1, height=0.19 * max(len(ages), 3) + 1.0)
    said = []
    seen = [years[tuple(row)] for row in ages[key].to_numpy()]
    places = range(len(seen))
    axes.hlines(places, [row[0] for row in seen], [row[-1] for row in seen], color="#c4ccd4", linewidth=1)
    points = [(year, place) for place, row in enumerate(seen) for year in row]
    x, y = np.array(points, dtype=float).reshape(-1, 2).T
    axes.plot(x, y, linestyle="none", marker="o", markersize=3.4, color=OWN)
    for place, row in enumerate(ages.itertuples()):
        for broken in filter(None, row.breaks.split(", ")):
            axes.plot(year_of(broken), place, marker="|", markersize=10, markeredgewidth=2, color=MODEL)
        ends = {"label": names[place], "first": spoken(row.first), "last": spoken(row.last)}
        said.append(
            told("{label}: {first} to {last}, without {gaps}", **ends, gaps=row.gaps)
            if row.gaps
            else told("{label}: {first} to {last}", **ends)
        )
    axes.axvline(as_of, color=NATION, linestyle=":", linewidth=1.1)
    axes.set_yticks(range(len(names)), [textwrap.shorten(name, 52, placeholder="…") for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(labelsize=8, length=2.5)
    whole_years(axes.xaxis, 10)
    caption = told(
        "Years with a value of every headline series. The dotted line is {year}, the newest year of the review; "
        "a bar across the line marks a break.",
        year=as_of,
    )
    alt = told("Points along years. {series}.", series="; ".join(said))
    return as_exhibit(figure, "spans", caption, alt, ages)


def letter(text: str, nation: str) -> Exhibit:
    """Show the letter of `requests.letter` without its annex; the whole letter goes with it, line by line."""
    body = text.split("\n---\n", 1)[0].strip()
    parts = []
    for block in body.split("\n\n"):
        lines = [re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(line)) for line in block.splitlines()]
        listed = [line.removeprefix("- ") for line in lines]
        items = "".join(f"<li>{line}</li>" for line in listed)
        parts.append(f"<ul>{items}</ul>" if block.startswith("- ") else f"<p>{'<br>'.join(lines)}</p>")
    if nation:
        caption = told(
            "Letter to the national statistical office, {nation}: a draft, to be read before it goes.", nation=nation
        )
    else:
        caption = gettext("Letter to the national statistical office: a draft, to be read before it goes.")
    html = f'<div class="table" id="letter"><p>{escape(caption)}</p><blockquote>{"".join(parts)}</blockquote></div>'
    return Exhibit("table", "letter", caption, "", html, pd.DataFrame({"letter": text.splitlines()}))
