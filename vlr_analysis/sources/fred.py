"""FRED, the database of the Federal Reserve Bank of St. Louis: a column of days and one or more columns of figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from math import gcd
from pathlib import Path

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import is_blank, read_number, read_text
from vlr_analysis.sources.long import named
from vlr_analysis.sources.names import Told
from vlr_analysis.sources.reading import Figure, Gathering, Reading
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown

DAYS = {"date", "observation_date"}
LOOKED_AT = 20  # rows below a header that tell whether it is one of FRED
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.A)


def read_fred(
    path: Path | str, *, area: str, source: str, column: str = "", indicator: str = "", series: str = "", unit: str = ""
) -> Reading:
    """Read a series as FRED gives it.

    Parameters
    ----------
    path : Path or str
        CSV or Excel with ``DATE``, ``date`` or ``observation_date`` first.
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    column : str
        Which column of figures; left out: the first. Others are left out, and that is noted.
    indicator, series, unit : str
        Code, measure and unit: the file names neither. Left out: the id of the series, ``not stated``.

    Returns
    -------
    Reading
        Days become the periods that begin with them, as `as_periods` says. ``.`` is missing.

    Raises
    ------
    InputError
        No such header; a day that cannot be read; no column of that name.
    """
    opened = open_shown(path)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    sheet, header = _placed(opened.sheets, opened.file)
    names = [read_text(content)[0] for content in sheet.rows[header]]
    others = [name for name in names[1:] if name]
    if not others or (column and column not in others):
        found = f"the columns {', '.join(names)}"
        problem = Problem(sheet.where(header), found, f"a column {column or 'of figures'}", "correct the name")
        raise InputError(opened.file, [problem])
    taken = names.index(column or others[0], 1)
    for name in others:
        if name != names[taken]:
            gathering.mended(sheet.where(header, names.index(name, 1)), name, "nothing", ["a column not asked for"])
    rows = [row for row in range(header + 1, len(sheet.rows)) if not is_blank(sheet.at(row, 0))]
    labels = gathering.periods(sheet, ((row, 0) for row in rows), "01-01")
    days = {row: labels[row, 0].period for row in rows if labels[row, 0].period}
    periods = dict(zip(days, as_periods(list(days.values())), strict=True))
    if begins := sorted({period[5:] for period in periods.values() if period.endswith("/P1Y")}):
        why = [f"a day a year: years that begin on {begins[0][:5]}"]
        gathering.mended(sheet.where(header, 0), names[0], "periods of a year", why)
    words = names[taken] if names[taken].casefold() not in ("value", "values") else Path(path).stem
    made = named(gathering, sheet.where(header, taken), "", series or words, unit, Told(indicator=indicator))
    for row, period in periods.items():
        number = gathering.number(sheet, row, taken, ".")
        if number is not None:
            blank = number.status == "missing" and not number.why
            gathering.add(Figure(*made, period, "", number.value, number.status, blank, sheet, (row, taken)))
    return gathering.reading()


def is_fred(sheet: Sheet) -> bool:
    """Whether a sheet has a header of FRED with days of ISO 8601 below it, and with figures alone beside them."""
    header = find_header(sheet)
    if header is None or header + 1 >= len(sheet.rows):
        return False
    first = range(header + 1, min(len(sheet.rows), header + 1 + LOOKED_AT))
    return _DAY.fullmatch(read_text(sheet.at(header + 1, 0))[0]) is not None and all(
        read_number(content, decimal=".").unreadable is None for row in first for content in sheet.rows[row][1:]
    )


def find_header(sheet: Sheet) -> int | None:
    """Return the position of the row whose first cell names the day, or None; the workbook has rows above it."""
    for row in range(min(len(sheet.rows), 15)):
        if read_text(sheet.at(row, 0))[0].casefold() in DAYS:
            return row
    return None


def _placed(sheets: Sequence[Sheet], name: str) -> tuple[Sheet, int]:
    for sheet in sheets:
        header = find_header(sheet)
        if header is not None:
            return sheet, header
    fix = "choose the format that it is: long or wide"
    raise InputError(name, [Problem(name, "no header DATE or observation_date", "a series of FRED", fix)])


def as_periods(days: list[str]) -> list[str]:
    """Return days as the periods that begin with them, where each is the first of a month and none stands twice.

    The distance between the days says how long a period is: twelve months or a multiple are years (2019 from January,
    2018-10-01/P1Y from October), six months half-years, three months quarters, one or two months months. Where no such
    period fits, they stay days.
    """
    try:
        dates = [date.fromisoformat(day) for day in days]
    except ValueError:
        return days
    if len(dates) < 2 or any(day.day != 1 for day in dates):
        return days
    months = sorted({day.year * 12 + day.month - 1 for day in dates})
    gaps = {after - before for before, after in pairwise(months)}
    if len(months) < len(dates):
        return days
    step = gcd(*gaps)
    if step % 12 == 0:
        january = months[0] % 12 == 0
        return [f"{day.year:04d}" if january else f"{day.isoformat()}/P1Y" for day in dates]
    if step == 3 and months[0] % 3 == 0:
        return [f"{day.year:04d}-Q{(day.month + 2) // 3}" for day in dates]
    if step in (3, 4, 6):
        return [f"{day.isoformat()}/P{step}M" for day in dates]
    return [f"{day.year:04d}-{day.month:02d}" for day in dates] if step < 3 else days
