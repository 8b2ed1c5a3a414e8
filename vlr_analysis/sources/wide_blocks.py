"""Which row of a sheet holds years, and where on it another table begins, with years of its own."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.cells import decimal_mark, is_blank, read_number, read_text
from vlr_analysis.sources.heading_words import REMARK, UNOBSERVED, kind_of
from vlr_analysis.sources.labels import read_periods, year_as_day
from vlr_analysis.sources.names import dimension_of, is_total, role_of
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.year_parts import WHOLE_YEARS, month_of, part_of_year

HEADER_WITHIN = 60  # rows from the top in which a header is looked for
YEARS = range(1900, 2101)
_OF_A_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_SPAN = re.compile(r"\W*((?:19|20)\d\d)\s*[-–—/]\s*((?:19|20)?\d\d)\W*")
# Columns of numbers that are groups all the same: codes and sizes of these.
NUMBERED = frozenset((
    "age", "district", "ward", "zone", "sector", "quarter", "neighbourhood", "neighborhood", "borough",
    "arrondissement", "decile", "quintile", "quartile", "grade", "class", "level", "group", "grupo", "gruppe", "groupe",
    "size",
))  # fmt: skip
GROUPS = NUMBERED | {"sex"}


def periods_in(contents: list[Any], year_start: str) -> dict[int, Any]:
    """Return the labels of time in a row, by column; only between 1900 and 2100."""
    usable = [c for c in contents if not is_blank(c) and not isinstance(c, bool) and c.__hash__ is not None]
    if len(usable) < 2:
        return {}
    labels = read_periods(usable, year_start=year_start)
    found = {}
    for column, content in enumerate(contents):
        label = labels.get(content) if not is_blank(content) and not isinstance(content, bool) else None
        if label is not None and label.period and parse_period(label.period).start.year in YEARS:
            found[column] = label
    return found


def find_years(sheet: Sheet, year_start: str = "07-01") -> int | None:
    """Return the position of the row of years, or None: the first with two labels of time, most of its right side.

    Words that stand between years, such as Flag, Lower CI or Target, do not count; a row of figures below a header of
    its own is none, though 1985 and 2010 look like years.
    """
    for row in range(min(len(sheet.rows) - 1, HEADER_WITHIN)):
        contents = sheet.rows[row]
        found = periods_in(contents, year_start)
        days = {c: content for c, content in enumerate(contents) if isinstance(content, date) and year_as_day(content)}
        places = {*found, *days}
        if len(places) < 2:
            continue
        right = [content for content in contents[min(places) :] if not is_blank(content) and not _is_aside(content)]
        several = len({label.period for label in found.values()}) + len(set(days.values())) > 1
        if len(places) >= 0.5 * len(right) and several and not _is_of_figures(sheet, row, sorted(places)):
            return row
    return None


def _is_aside(content: Any) -> bool:
    text = read_text(content)[0] if isinstance(content, str) else ""
    return bool(text) and (role_of(text) != "" or kind_of(text) in UNOBSERVED)


def names_a_column(text: str) -> bool:
    """Whether a text is what a column of names is called: Indicator, Unit, Sex."""
    return bool(role_of(text)) or dimension_of(text) in GROUPS


def _is_of_figures(sheet: Sheet, row: int, places: list[int]) -> bool:
    """Whether what looks like a row of years is one of figures: it names no column, and a whole header is above it."""
    stub = [text for content in sheet.rows[row][: places[0]] if (text := read_text(content)[0])]
    if not row or not stub or all(map(names_a_column, stub)):
        return False
    over = [read_text(sheet.at(row - 1, place))[0] for place in places]
    if not all(over) or len(set(over)) < len(over):
        return False
    if any(not is_blank(content) for content in sheet.rows[row - 1][: places[0]]):
        return True
    years = [int(text[:4]) for place in places if (text := read_text(sheet.at(row, place))[0])[:4].isdecimal()]
    steps = [later - earlier for earlier, later in pairwise(years)]
    return len(years) < len(places) or not all(0 < step <= 10 for step in steps)


def check_years(sheet: Sheet, row: int, contents: list[Any], year_start: str) -> None:
    """Refuse a header without years, years that became days, and a span that may be a change between two years.

    Raises
    ------
    InputError
    """
    labels = periods_in(contents, year_start)
    problems = []
    for place, content in enumerate(contents):
        if isinstance(content, date) and (year := year_as_day(content)):
            fix = f"format the cell as a number: it holds {year}, which the program takes for a day"
            problems.append(Problem(sheet.where(row, place), f"the day {content:%Y-%m-%d}", "a year", fix))
    if not labels and not problems:
        fix = "put the years into the header, or choose another format"
        problems.append(Problem(sheet.where(row), "no year", "at least two years in the header", fix))
    single = {label.period for label in labels.values()}
    spans = {place: span for place in labels if (span := _SPAN.fullmatch(read_text(contents[place])[0]))}
    for place, span in spans.items() if 2 * len(spans) < len(labels) else ():
        if {span[1], span[1][:2] + span[2][-2:]} <= single:
            fix = f"write {labels[place].period} for a period of these years; head a difference Change, or delete it"
            found = f"{span[0].strip()!r} beside {span[1]} and {span[1][:2]}{span[2][-2:]}"
            problems.append(Problem(sheet.where(row, place), found, "a period, not a change between years", fix))
    if problems:
        raise InputError(sheet.file, problems)


def refuse_time(sheet: Sheet, row: int, column: int, name: str, filled: list[Any]) -> None:
    """Refuse a column that would give groups and is of time: figures below an unreadable period, or months.

    Raises
    ------
    InputError
    """
    problem = None
    if _OF_A_YEAR.search(name) and not any(read_number(content, decimal="").unreadable for content in filled):
        fix = "write the year, such as 2019, or 2019-01 for a month, or delete the column"
        problem = Problem(sheet.where(row, column), f"figures below {name!r}", "a year or an ISO 8601 period", fix)
    elif len(filled) > 1 and all(isinstance(content, str) and month_of(content) for content in filled):
        fix = "write a row for each month, with its period, such as 2019-01"
        found = "months down the rows and years across the columns"
        problem = Problem(sheet.where(row, column), found, "one period for each figure", fix)
    elif _are_parts(filled, name):
        fix = "write a row for each part of the year, with its period, such as 2019-Q1"
        found = "parts of a year down the rows and years across the columns"
        problem = Problem(sheet.where(row, column), found, "one period for each figure", fix)
    if problem:
        raise InputError(sheet.file, [problem])


def _are_parts(filled: list[Any], name: str) -> bool:
    """Whether a column holds months, quarters or half-years, and totals of the year at most beside them."""
    texts = {text for content in filled if not REMARK.match(text := read_text(content)[0])}
    parts = {text for text in texts if part_of_year(text, slug(name)) or re.fullmatch(r"[Tt][1-4]", text)}
    wholes = {text for text in texts if is_total(text) or slug(text) in WHOLE_YEARS | {"full-year", "whole-year"}}
    return len(parts) > 1 and texts <= parts | wholes


# --- several tables on one sheet -------------------------------------------------------------------------


def tables_of(sheet: Sheet, year_start: str = "07-01") -> list[tuple[Sheet, int]]:
    """Return the tables of a sheet, below and beside each other, each with the position of its row of years.

    A table begins again where a row names its columns and holds years, and where, after the years, a column is named
    as the first one, or has names after an empty column, and years follow. Cells keep their addresses.

    Raises
    ------
    InputError
        A row below that may be of years, or of figures.
    """
    first = find_years(sheet, year_start)
    if first is None:
        return []
    headers = [first, *_further(sheet, first, year_start)]
    starts = [0, *(_start(sheet, header, year_start) for header in headers[1:]), len(sheet.rows)]
    made = []
    for number, header in enumerate(headers):
        top, bottom = starts[number], starts[number + 1]
        lefts = _lefts(sheet, header, bottom, year_start)
        for place, left in enumerate(lefts):
            right = lefts[place + 1] if place + 1 < len(lefts) else sheet.width
            whole = top == 0 and bottom == len(sheet.rows) and len(lefts) == 1
            made.append((sheet if whole else _part(sheet, top, bottom, left, right, header), header - top))
    return made


def _further(sheet: Sheet, first: int, year_start: str) -> list[int]:
    """Return the positions of the rows below the first header that name columns and hold years."""
    stub = _stub_of(sheet, first, year_start)
    if first and not any(stub):  # names stand in the row above
        stub = [read_text(content)[0] for content in sheet.rows[first - 1][: len(stub)]]
    named = any(_stub_of(sheet, first, year_start))
    found = []
    for row in range(first + 2, len(sheet.rows) - 1):
        if sum(map(_may_be_time, sheet.rows[row])) < 2:
            continue
        labels = periods_in(sheet.rows[row], year_start)
        right = [content for content in sheet.rows[row][min(labels, default=0) :] if not is_blank(content)]
        if len({label.period for label in labels.values()}) < 2 or len(labels) < 0.5 * len(right):
            continue
        texts = [text for content in sheet.rows[row][: min(labels)] if (text := read_text(content)[0])]
        if _is_header(sheet, row, labels, texts, stub, named):
            found.append(row)
    return found


def _may_be_time(content: Any) -> bool:
    """Whether a cell may be of time, the quick answer: tables have figures by the ten thousand."""
    if isinstance(content, str):
        return _OF_A_YEAR.search(content) is not None
    return isinstance(content, date) or (isinstance(content, (int, float)) and content in YEARS)


def _is_header(
    sheet: Sheet, row: int, labels: dict[int, Any], texts: list[str], stub: list[str], named: bool
) -> bool:  # fmt: skip
    """Whether a row of what may be years is a header, by what stands left of them; refused where nothing says so."""
    known = [text for text in texts if text in stub or role_of(text) in ("series", "code", "unit")]
    if texts and known and all(text in stub or names_a_column(text) for text in texts):
        return True
    steps = _steps(labels)
    if not steps or (known and steps == {1}):
        return bool(known and steps)
    if not texts:
        doubtful, plain = named, not named
    else:
        gap = sheet.lines[row - 1] != sheet.lines[row] - 1
        doubtful, plain = steps == {1} and (gap or len(labels) > 2), False
    if doubtful:
        fix = "head the first column Indicator if it is a header, or leave no empty row above it"
        if not texts:
            fix = "name the first column in the row of years, such as Indicator, or write what the figures are of"
        said = "a row that may be of years or of figures"
        raise InputError(sheet.file, [Problem(sheet.where(row), said, "a header, or figures with a name", fix)])
    return plain


def _stub_of(sheet: Sheet, row: int, year_start: str) -> list[str]:
    labels = periods_in(sheet.rows[row], year_start)
    return [read_text(content)[0] for content in sheet.rows[row][: min(labels, default=0)]]


def _steps(labels: dict[int, Any]) -> set[int]:
    """Return the one step by which years count up, at most ten; empty where they do not."""
    years = [int(labels[place].period[:4]) for place in sorted(labels)]
    steps = {later - earlier for earlier, later in pairwise(years)}
    return steps if len(steps) == 1 and 0 < min(steps) <= 10 else set()


def _start(sheet: Sheet, header: int, year_start: str) -> int:
    """Return the first row of a table further down: titles and a row of headings above its years are its own."""
    row = header
    places = list(periods_in(sheet.rows[header], year_start))
    while row > 1:
        cells = [content for content in sheet.rows[row - 1] if not is_blank(content)]
        over = [sheet.at(row - 1, place) for place in places if not is_blank(sheet.at(row - 1, place))]
        headings = row == header and all(isinstance(text, str) and is_word(text) for text in over)
        if len(cells) > 1 and not headings:
            break
        row -= 1
    return row


def is_number(content: Any) -> bool:
    """Whether a cell holds a figure."""
    number = read_number(content, decimal=".")
    return number.value == number.value


def is_word(text: str) -> bool:
    """Whether a text is no figure and no mark in the place of one."""
    number = read_number(text, decimal=".")
    return number.unreadable is not None


def _lefts(sheet: Sheet, header: int, bottom: int, year_start: str) -> list[int]:
    """Return the first columns of the tables that stand beside each other under one row of years."""
    contents = sheet.spread(header)
    labels = periods_in(contents, year_start)
    if not labels:
        return [0]
    names = {text for content in contents[: min(labels)] if (text := read_text(content)[0])}
    first = next((text for content in contents[: min(labels)] if (text := read_text(content)[0])), "")
    lefts = [0]
    for column in range(min(labels) + 1, max(labels)):
        text = read_text(contents[column])[0] if column < len(contents) else ""
        if column in labels or not any(place >= lefts[-1] and place < column for place in labels):
            continue
        below = [sheet.at(row, column) for row in range(header + 1, bottom) if not is_blank(sheet.at(row, column))]
        words = below and all(isinstance(content, str) and is_word(content) for content in below)
        gap = all(is_blank(sheet.at(row, column - 1)) for row in range(header, bottom))
        again = text and (text == first or role_of(text) in ("series", "code"))
        apart = words and gap and (not text or text in names or names_a_column(text)) and not _is_note(text)
        if again or apart:
            lefts.append(column)
    return lefts


def _is_note(text: str) -> bool:
    return role_of(text) in ("ignore", "status", "low", "high")


def _part(sheet: Sheet, top: int, bottom: int, left: int, right: int, header: int) -> Sheet:
    """Return some rows and columns of a sheet with their addresses; a line of one cell above counts for each table."""
    rows = []
    for row in range(top, bottom):
        cells = sheet.rows[row]
        alone = row < header and sum(not is_blank(content) for content in cells) == 1
        rows.append(cells if alone else [content if left <= place < right else None
                                         for place, content in enumerate(cells)])  # fmt: skip
    every = (sheet.at(row, column) for row in range(len(sheet.rows)) for column in range(1, sheet.width))
    inside = {"percent": sheet.percent, "percent_sign": sheet.percent_sign}
    return replace(
        sheet, lines=sheet.lines[top:bottom], rows=rows, decimal=decimal_mark(every, sheet.decimal),
        merged=[joined for joined in sheet.merged if joined[3] >= left and joined[1] < right],
        **{name: {(row - top, column) for row, column in places if top <= row < bottom}
           for name, places in inside.items()},
    )  # fmt: skip
