"""The Economic Tracker of Opportunity Insights: weeks or months of U.S. cities and the nation, a column a measure."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import is_blank, read_text
from vlr_analysis.sources.long import named
from vlr_analysis.sources.names import Told
from vlr_analysis.sources.reading import Figure, Gathering, Reading, filter_error
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_sheets, open_shown

PLACES = "GeoIDs - City.csv"
NOT_MEASURES = {"year", "month", "day", "day_endofweek", "day_endofmonth", "cityid", "freq", "provisional"}
_GROUP = re.compile(r"(.+?)_(?:inc)?(q[1-4]|low|middle|high|belowmed|abovemed)")
_INCOMES = {"low": "low", "middle": "middle", "high": "high", "belowmed": "below the median",
            "abovemed": "above the median"}  # fmt: skip


def read_economic_tracker(
    path: Path | str, *, area: str, source: str, place: str = "", column: str = "", indicator: str = "",
    series: str = "", unit: str = "",
) -> Reading:  # fmt: skip
    """Read a file of the Economic Tracker.

    Parameters
    ----------
    path : Path or str
        ``... - City - Weekly.csv`` and the like; of cities, with ``GeoIDs - City.csv`` beside it.
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    place : str
        Name or number of the city as GeoIDs writes it; left out: the name whose slug is `area`.
    column : str
        Which measure, such as ``emp``; its columns by income (``emp_incq1``) come with it. Left out: every measure,
        each a series of its own.
    indicator, series, unit : str
        Code, measure in words, unit; the file has none.

    Returns
    -------
    Reading
        A week is the seven days that end on its day, a month a month; ``.`` is missing, and where the file says
        ``provisional`` the figure is.

    Raises
    ------
    InputError
        No such header; the city not found; no measure of that name.
    """
    path = Path(path)
    opened = open_shown(path)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    sheet = opened.sheets[0]
    if not is_tracker(sheet):
        fix = "choose the format that it is: long or wide"
        raise InputError(opened.file, [Problem(sheet.where(0), "no header year, month, day_endofweek or day_endofmonth",
                                               "a file of the Economic Tracker", fix)])  # fmt: skip
    names = [read_text(content)[0] for content in sheet.rows[0]]
    at = {name: number for number, name in enumerate(names)}
    measures = _measures(names, column)
    if not measures:
        listed = ", ".join(name for name in names if name not in NOT_MEASURES)
        raise InputError(opened.file, [Problem(sheet.where(0), f"the measures {listed}", f"a measure {column}",
                                               "name one of them")])  # fmt: skip
    city = _city(path, area, place) if "cityid" in at else ""
    made = {name: named(gathering, sheet.where(0, number), "", series or base, unit, Told(indicator=indicator))
            for name, (number, base, _) in measures.items()}  # fmt: skip
    for row in range(1, len(sheet.rows)):
        if city and read_text(sheet.at(row, at["cityid"]))[0] != city:
            continue
        period = _period(sheet, row, at)
        if not period:
            where = sheet.where(row, at["year"])
            found = "-".join(read_text(sheet.at(row, number))[0] for number in range(3))
            gathering.problems.append(Problem(where, repr(found), "year, month and day", "take the file again"))
            continue
        provisional = "provisional" in at and read_text(sheet.at(row, at["provisional"]))[0] == "1"
        for name, (number, _, income) in measures.items():
            figure = gathering.number(sheet, row, number, ".")
            if figure is not None:
                status = "provisional" if provisional and figure.status == "value" else figure.status
                blank = figure.status == "missing"  # a dot stands for every week that a city has no figure for
                gathering.add(Figure(*made[name], period, income, figure.value, status, blank, sheet, (row, number)))
    return gathering.reading()


def is_tracker(sheet: Sheet) -> bool:
    """Whether the first row is a header of the Economic Tracker."""
    names = [read_text(content)[0] for content in sheet.rows[0]]
    return names[:2] == ["year", "month"] and names[2:3] in (["day_endofweek"], ["day_endofmonth"])


def _measures(names: list[str], column: str) -> dict[str, tuple[int, str, str]]:
    """Return place, measure and breakdown of each column that is wanted."""
    found = {}
    for number, name in enumerate(names):
        group = _GROUP.fullmatch(name)
        base, tag = (group[1], group[2]) if group and group[1] in names else (name, "")
        if not name or name in NOT_MEASURES or (column and base != column):
            continue
        income = f"quartile {tag[1]}" if tag[:1] == "q" else _INCOMES.get(tag, "")
        found[name] = number, base, f"income={income}" if income else ""
    return found


def _city(path: Path, area: str, place: str) -> str:
    """Return the number of the city; the file beside the figures knows the names."""
    if place.isdigit():
        return place
    listed = path.with_name(PLACES)
    if not listed.is_file():
        fix = f"put {PLACES} beside the file, or give the number of the city: --place 1"
        raise InputError(path.name, [Problem(path.name, f"no {PLACES} beside it", "the names of the cities", fix)])
    sheet = open_sheets(listed).sheets[0]
    cities = {}
    for row in range(1, len(sheet.rows)):
        number, name = (read_text(sheet.at(row, column))[0] for column in (0, 1))
        cities[name] = number
    wanted = [name for name in cities if (name.casefold() == place.casefold() if place else slug(name) == area)]
    if not wanted:
        raise filter_error(listed.name, "cityname", cities, area)
    return cities[wanted[0]]


def _period(sheet: Sheet, row: int, at: dict[str, int]) -> str:
    texts = [read_text(sheet.at(row, number))[0] for number in range(3)]
    if not all(text.isascii() and text.isdigit() and len(text) <= 4 for text in texts) or is_blank(sheet.at(row, 0)):
        return ""
    try:
        last = date(*map(int, texts))
        if "day_endofmonth" in at:
            return f"{last.year:04d}-{last.month:02d}"
        return f"{last - timedelta(days=6)}/P1W"
    except (ValueError, OverflowError):
        return ""
