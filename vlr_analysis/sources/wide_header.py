"""The header of a wide table: which row holds the years, and what each column holds."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.cells import is_blank, read_label, read_number, read_text
from vlr_analysis.sources.labels import month_of, read_periods
from vlr_analysis.sources.long_header import holds_codes
from vlr_analysis.sources.names import Told, dimension_of, group_of, is_total, role_of
from vlr_analysis.sources.reading import (
    Gathering,
    split_unit,
)
from vlr_analysis.sources.sheet_grid import Sheet

HEADER_WITHIN = 60  # rows from the top in which a header is looked for
YEARS = range(1900, 2101)

REMARK = re.compile(
    r"\W*(source|notes?|footnote|fuente|notas?|fonte|quelle|anmerkung|remarque|legend|p\s?=|\(?\d\)|\[\d|\*"
    r"|[¹²³†‡])", re.I
)  # fmt: skip
_OF_A_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_QUARTER = re.compile(r"[QqTt]\.? ?([1-4])")
_PARTS = {"value", "low", "high", "status", "ignore"}


@dataclass
class Column:
    """One column of figures: its period, which part of a figure it holds, its unit and its group."""

    place: int
    period: str
    status: str = ""
    part: str = "value"
    unit: str = ""
    group: tuple[str, str] = ("", "")


@dataclass
class Layout:
    """Where things stand in a wide sheet; rows are positions in `Sheet.rows`, columns from 0."""

    first: int
    columns: list[Column]
    roles: dict[str, int] = field(default_factory=dict)
    dimensions: dict[int, str] = field(default_factory=dict)
    title: str = ""
    top: int = 0


def _periods_in(contents: list[Any], year_start: str) -> dict[int, Any]:
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
    """Return the position of the row of years, or None: the first with two labels of time, most of its right side."""
    for row in range(min(len(sheet.rows) - 1, HEADER_WITHIN)):
        contents = sheet.rows[row]
        found = _periods_in(contents, year_start)
        if len(found) < 2:
            continue
        right = [content for content in contents[min(found) :] if not is_blank(content)]
        if len(found) >= 0.5 * len(right) and len({label.period for label in found.values()}) > 1:
            return row
    return None


def layout_of(gathering: Gathering, sheet: Sheet, row: int, told: Told) -> Layout:
    """Say what each column of a wide sheet holds, from its row of years and the rows around it.

    Raises
    ------
    InputError
        The row holds no years, or one year twice with nothing that tells the two apart.
    """
    contents = sheet.spread(row)
    if not _periods_in(contents, told.year_start):
        fix = "put the years into the header, or choose another format"
        raise InputError(sheet.file, [Problem(sheet.where(row), "no year", "at least two years in the header", fix)])
    lower = _lower(sheet, row, contents, told)
    if lower:
        contents = _filled_right(contents, lower, told)
    labels = _periods_in(contents, told.year_start)
    upper = _upper(sheet, row, labels)
    columns = []
    for place, label in labels.items():
        column = Column(place, label.period, label.status)
        if place < len(sheet.rows[row]) and not is_blank(sheet.at(row, place)):
            gathering.mended(sheet.where(row, place), sheet.at(row, place), label.period, label.why)
        for text in (upper.get(place, ""), lower.get(place, "")):
            _say(column, text)
        columns.append(column)
    first = row + 1 + bool(lower)
    layout = Layout(first, columns, top=row - bool(upper), title="")
    _stub(gathering, sheet, layout, row, contents, lower, upper)
    layout.title = _title(gathering, sheet, layout, told)
    _refuse_twice(sheet, row, columns)
    return layout


def _lower(sheet: Sheet, row: int, contents: list[Any], told: Told) -> dict[int, str]:
    """Return the texts of a second header row below the years, by column; nothing where figures stand there."""
    if row + 1 >= len(sheet.rows) - 1:
        return {}
    years = _periods_in(contents, told.year_start)
    below = {column: content for column, content in enumerate(sheet.spread(row + 1))
             if column >= min(years) and not is_blank(content)}  # fmt: skip
    texts = {column: read_label(content)[0] for column, content in below.items() if isinstance(content, str)}
    words = {column: text for column, text in texts.items() if read_number(text, decimal=".").unreadable}
    return words if len(words) >= 2 and len(words) >= 0.7 * len(below) else {}


def _filled_right(contents: list[Any], lower: dict[int, str], told: Told) -> list[Any]:
    """Repeat a year over the empty cells to its right that have a text of the second header row."""
    filled = contents + [None] * (max(lower) + 1 - len(contents))
    for column in sorted(lower):
        if column and is_blank(filled[column]) and _periods_in([filled[column - 1], "2000"], told.year_start).get(0):
            filled[column] = filled[column - 1]
    return filled


def _upper(sheet: Sheet, row: int, labels: dict[int, Any]) -> dict[int, str]:
    """Return the texts that stand over the years, by column, where they tell columns apart or name a unit."""
    if not row or sheet.lines[row - 1] != sheet.lines[row] - 1:
        return {}
    cells = sheet.spread(row - 1)
    texts = {place: read_label(cells[place])[0] if place < len(cells) else "" for place in labels}
    stub = [read_label(content)[0] for content in cells[: min(labels)]]
    periods = [label.period for label in labels.values()]
    if len(set(periods)) < len(periods) and not sheet.merged:
        last = ""
        for place in sorted(texts):
            last = texts[place] = texts[place] or last
    said = set(texts.values()) - {""}
    if len(said) > 1 and len(set(periods)) < len(periods):
        return texts
    if len(said) == 1 and not (said & set(stub)):
        text = next(iter(said))
        if split_unit(f"x ({text})")[1]:
            return dict.fromkeys(labels, text)
    return {}


def _say(column: Column, text: str) -> None:
    """Take what a header text says of a column: a part of the figure, a unit, or a group."""
    if not text or is_total(text):
        return
    role = role_of(text)
    if role in _PARTS:
        column.part = role
    elif len(column.period) == 4 and (month := month_of(text)):
        column.period = f"{column.period}-{month:02d}"
    elif len(column.period) == 4 and (quarter := _QUARTER.fullmatch(text.strip())):
        column.period = f"{column.period}-Q{quarter[1]}"
    elif split_unit(f"x ({text})")[1] and group_of(text)[0] == "group":
        column.unit = text
    else:
        column.group = group_of(text)


def _stub(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: int, contents: list[Any], lower: dict, upper: dict
) -> None:
    """Say what the columns that are no years hold."""
    years = {column.place for column in layout.columns}
    low, high = sheet.spread(row + 1) if lower else [], sheet.spread(row - 1) if upper else []
    unnamed = []
    for column in range(sheet.width):
        if column in years:
            continue
        name = next((text for cells in (contents, low, high) if column < len(cells)
                     and (text := read_text(cells[column])[0])), "")  # fmt: skip
        filled = [
            sheet.at(r, column) for r in range(layout.first, len(sheet.rows)) if not is_blank(sheet.at(r, column))
        ]
        role = role_of(name)
        if not filled or role in _PARTS:
            continue
        _refuse_time(sheet, row, column, name, filled)
        if role == "period":  # "Year" as the corner above the names of series
            role = "series" if "series" not in layout.roles else ""
        if role == "series" and "code" not in layout.roles and holds_codes(sheet, layout.first, column):
            role = "code"
        if role and role not in layout.roles:
            layout.roles[role] = column
        elif column > min(years) or (name and is_total(name)):
            gathering.mended(sheet.where(row, column), name or "no name", "nothing", ["column without a year left out"])
        elif name:
            layout.dimensions[column] = dimension_of(name)
        else:
            unnamed.append(column)
    for column in unnamed:
        if "series" not in layout.roles:
            layout.roles["series"] = column
        else:
            layout.dimensions[column] = "group"


def _refuse_time(sheet: Sheet, row: int, column: int, name: str, filled: list[Any]) -> None:
    """Refuse a column that would give groups and is of time: figures below an unreadable period, or months."""
    problem = None
    if _OF_A_YEAR.search(name) and not any(read_number(content, decimal="").unreadable for content in filled):
        fix = "write the year, such as 2019, or 2019-01 for a month, or delete the column"
        problem = Problem(sheet.where(row, column), f"figures below {name!r}", "a year or an ISO 8601 period", fix)
    elif len(filled) > 1 and all(isinstance(content, str) and month_of(content) for content in filled):
        fix = "write a row for each month, with its period, such as 2019-01"
        found = "months down the rows and years across the columns"
        problem = Problem(sheet.where(row, column), found, "one period for each figure", fix)
    if problem:
        raise InputError(sheet.file, [problem])


def _title(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told) -> str:
    """Return what stands above the table as the name of its series, where no column names them."""
    if "series" in layout.roles or "code" in layout.roles or told.series:
        return ""
    for row in range(layout.top):
        texts = {read_label(content)[0] for content in sheet.rows[row] if not is_blank(content)}
        if len(texts) == 1 and not REMARK.match(text := texts.pop()):
            gathering.mended(sheet.where(row), text, "the name of the series", ["no column names the series"])
            return text
    if len(layout.dimensions) == 1 and not told.series:
        layout.roles["series"] = layout.dimensions.popitem()[0]
    return ""


def _refuse_twice(sheet: Sheet, row: int, columns: list[Column]) -> None:
    seen: dict[tuple, Column] = {}
    problems = []
    for column in columns:
        key = (column.period, column.part, column.unit, column.group)
        if key in seen:
            found = f"{column.period} in two columns that nothing tells apart"
            fix = "name the groups or units in the row above or below the years"
            problems.append(Problem(sheet.where(row, column.place), found, "each year once for each group", fix))
        seen[key] = column
    if problems:
        raise InputError(sheet.file, problems)
