"""From a finding to the rows it rests on, and to formulas that give its numbers again in any spreadsheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from vlr_analysis.findings import Finding
from vlr_analysis.language import N_, gettext, told
from vlr_analysis.lead import printed
from vlr_analysis.periods import parse_period
from vlr_analysis.review.workbook import Formula, head_of

# Columns of the sheets of figures that formulas speak of.
TIME, VALUE, LAST = "G", "I", "N"
OWN, OTHERS = N_("Figures"), N_("Figures of others")  # of the sheets
HEADER = (
    N_("Finding"), N_("Number"), N_("Value"), N_("As printed"), N_("Rows"), N_("Recomputed"), N_("Agrees"), N_("How"),
)  # fmt: skip
_MADE = N_("from yearly values made of these rows: see Methods")

# Numbers that are values of the table, looked for among the finding's own rows, the latest first.
_VALUES = ("value", "other_value", "last_value", "shock_value", "level", "base_value")
_CLOSE = 1e-5  # findings keep six significant digits


class Row(NamedTuple):
    """A row of the sheets of figures: its place in the workbook, such as ``Figures!12``, and what is there."""

    place: str
    area: str
    breakdown: str
    period: str
    value: float


def check_rows(findings: Sequence[Finding], evidence: Sequence[Sequence[Row]]) -> list[list]:
    """Return the rows of the sheet that checks every number of every finding.

    Parameters
    ----------
    findings : sequence of Finding
    evidence : sequence of sequence of Row
        The rows that each finding rests on, sorted by key and time; a value that is not there is NaN.

    Returns
    -------
    list of list
        As `HEADER` heads them. A formula is written only where it gives the finding's number to six digits here.
    """
    rows = []
    for found, held in zip(findings, evidence, strict=True):
        shown = ranges([row.place for row in held], "A", LAST)
        for number, (name, value) in enumerate(found.numbers.items(), 2 + len(rows)):
            token = printed(found.statement, value, found.unit) if isinstance(value, float) else None
            formula, how = _formula(found, name, value, held)
            agrees = Formula(_agreement(number)) if formula else ""
            text = token.text if token else ""
            rows.append([found.id, head_of(name), value, text, shown, formula, agrees, gettext(how)])
    return rows


def _agreement(row: int) -> str:
    """Return the formula that says whether a recomputed number agrees."""
    yes, no = (gettext(word).replace('"', "'") for word in (N_("yes"), N_("no")))
    return f'=IF(ABS(F{row}-C{row})<=0.00001*ABS(C{row}),"{yes}","{no}")'


def ranges(places: Sequence[str], left: str, right: str) -> str:
    """Return places as ranges of cells: ``Figures!A12:M31``, several joined by a comma."""
    spots = sorted({(place.partition("!")[0], int(place.partition("!")[2])) for place in places})
    shown, start = [], 0
    for i in range(1, len(spots) + 1):
        if i == len(spots) or spots[i] != (spots[i - 1][0], spots[i - 1][1] + 1):
            sheet, first, last = spots[start][0], spots[start][1], spots[i - 1][1]
            shown.append(f"{_sheet(sheet)}{left}{first}:{right}{last}")
            start = i
    rest = told(", and {n} more", n=len(shown) - 20) if len(shown) > 20 else ""
    return ", ".join(shown[:20]) + rest


def _sheet(name: str) -> str:
    return f"{name}!" if name.isascii() and name.isalpha() else f"'{name}'!"


def _at(place: str, column: str = VALUE) -> str:
    sheet, _, row = place.partition("!")
    return f"{_sheet(sheet)}{column}{row}"


def _formula(found: Finding, name: str, value, held: Sequence[Row]) -> tuple[Formula | str, str]:
    """Return a formula that gives the number again, and what it does; empty texts where there is none."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not math.isfinite(value):
        return "", ""
    if name == "slope_per_year":
        return _slope(value, held)
    if name == "n":
        cells = _one_range(held, VALUE)
        fits = cells and len(_known(held)) == value
        return (Formula(f"=COUNT({cells})"), N_("values in these rows")) if fits else ("", "")
    if name in _VALUES:
        place = _of_value(found, value, held, name)
        return (Formula(f"={_at(place)}"), N_("the cell itself")) if place else ("", "")
    return _difference(found, name, value, held)


def _slope(value: float, held: Sequence[Row]) -> tuple[Formula | str, str]:
    """The median of the slopes between all pairs of points: an array formula."""
    t, y = _one_range(held, TIME), _one_range(held, VALUE)
    points = _known(held)
    if not t or len(points) < 2:
        return "", _MADE
    time = np.array([parse_period(row.period).midpoint for row in points])
    values = np.array([row.value for row in points])
    i, j = np.triu_indices(len(time), 1)
    if (time[i] == time[j]).any() or not _same(float(np.median((values[j] - values[i]) / (time[j] - time[i]))), value):
        return "", _MADE
    pairs = f"(TRANSPOSE({t})>{t})*ISNUMBER({y})*ISNUMBER(TRANSPOSE({y}))"
    text = f"=MEDIAN(IF({pairs},(TRANSPOSE({y})-{y})/(TRANSPOSE({t})-{t})))"
    return Formula(text, array=True), N_("median slope of all pairs of points (Theil-Sen)")


def _known(held: Sequence[Row]) -> list[Row]:
    return [row for row in held if not math.isnan(row.value)]


def _one_range(held: Sequence[Row], column: str) -> str:
    """Return the cells of one column as one range; empty where the rows do not stand together."""
    spots = sorted((row.place.partition("!")[0], int(row.place.partition("!")[2])) for row in held)
    together = all(a[0] == b[0] and b[1] == a[1] + 1 for a, b in pairwise(spots))
    if not spots or not together:
        return ""
    return f"{_sheet(spots[0][0])}{column}{spots[0][1]}:{column}{spots[-1][1]}"


def _of_value(found: Finding, value: float, held: Sequence[Row], name: str) -> str:
    fits = [
        row.place for row in held if (row.area == found.area) != (name == "other_value") and _same(row.value, value)
    ]
    return fits[-1] if fits else ""


def _difference(found: Finding, name: str, value: float, held: Sequence[Row]) -> tuple[Formula | str, str]:
    """Differences and ratios of two values of the table."""
    ends = {
        "gap_level": ("last_value", "level"), "shock_change": ("shock_value", "level"),
        "difference": ("value", "other_value"), "ratio": ("value", "other_value"),
    }.get(name)  # fmt: skip
    places: list[str] = []
    if found.kind == "disparity" and name in ("difference", "ratio"):
        groups = [row for row in _known(held) if row.breakdown and row.period == found.numbers.get("period")]
        if len(groups) > 1:
            places = [end(groups, key=lambda row: row.value).place for end in (max, min)]
    elif ends and all(isinstance(found.numbers.get(end), int | float) for end in ends):
        places = [_of_value(found, found.numbers[end], held, end) for end in ends]
    if len(places) != 2 or not all(places):
        return "", ""
    known = {row.place: row.value for row in held}
    first, second = (known[place] for place in places)
    if name == "ratio":
        fits = second != 0 and _same(first / second, value)
        return (Formula(f"={_at(places[0])}/{_at(places[1])}"), N_("one value over the other")) if fits else ("", "")
    if _same(first - second, value):
        return Formula(f"={_at(places[0])}-{_at(places[1])}"), N_("one value less the other")
    if _same(second - first, value):
        return Formula(f"={_at(places[1])}-{_at(places[0])}"), N_("one value less the other")
    return "", ""


def _same(made: float, value: float) -> bool:
    return math.isfinite(made) and abs(made - value) <= _CLOSE * abs(value)
