"""Wide tables: a row for each series, a column for each year, under one or two header rows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem, listed
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.cells import SUPERSCRIPT, decimal_mark, is_blank, read_label, read_number, read_text, shown
from vlr_analysis.sources.labels import read_periods
from vlr_analysis.sources.long import constant, holds_codes, named
from vlr_analysis.sources.names import Told, category_of, dimension_of, group_of, is_total, role_of
from vlr_analysis.sources.reading import (
    UNIT_NOT_STATED,
    Figure,
    Gathering,
    Reading,
    breakdown_of,
    filter_error,
    matches_area,
    split_unit,
)
from vlr_analysis.sources.sheets import Sheet, open_sheets

HEADER_WITHIN = 60  # rows from the top in which a header is looked for
YEARS = range(1900, 2101)

_REMARK = re.compile(
    r"\W*(source|notes?|footnote|fuente|notas?|fonte|quelle|anmerkung|remarque|legend|p\s?=|\(?\d\)|\[\d|\*"
    r"|[¹²³†‡])", re.I
)  # fmt: skip
_LABEL_MARK = re.compile(r"(.*[^\s*])\s*(?:\*+|[†‡" + SUPERSCRIPT + r"]+|\[\d{1,2}\]|\(\d{1,2}\))")
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


def read_wide(
    path: Path | str, *, area: str, source: str, place: str = "", indicator: str = "", series: str = "",
    unit: str = "", sheet: str = "", decimal: str = "", year_start: str = "07-01",
) -> Reading:  # fmt: skip
    """Read a table with years as columns, CSV or Excel.

    Parameters
    ----------
    path : Path or str
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    place : str
        The area as the file writes it, where its area column holds several.
    indicator, series, unit : str
        Of figures that have no column for it.
    sheet : str
        Which worksheet; left out: every one with a row of years.
    decimal, year_start : str
        See `Told`.

    Returns
    -------
    Reading
        Title rows, footnotes, totals over different series, and columns of sums or changes are left out, and that is
        noted.

    Raises
    ------
    InputError
        No row of years; the same year twice with nothing that tells the two apart; the area not found.
    """
    told = Told(place, indicator, series, unit, decimal, year_start)
    opened = open_sheets(path)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    wanted = [table for table in opened.sheets if not sheet or table.name == sheet]
    placed = [(table, find_years(table, year_start)) for table in wanted]
    found = [(table, row) for table, row in placed if row is not None]
    if not found:
        raise InputError(opened.file, [_no_years(opened.file, wanted, sheet, opened.sheets)])
    for table, row in placed:
        if row is None:
            gathering.mended(table.title, "no row of years", "nothing", ["sheet left out"])
        else:
            take_table(gathering, table, layout_of(gathering, table, row, told), told)
    return gathering.reading()


def _no_years(name: str, wanted: list[Sheet], sheet: str, every: list[Sheet]) -> Problem:
    if not wanted:
        found = "the sheets " + listed(table.name for table in every if table.name)
        return Problem(name, found, f"a sheet {sheet}", "name one of them")
    first = ", ".join(shown(content) for content in wanted[0].rows[0][:8] if not is_blank(content))
    fix = "put the years into one row above the figures, or read it as a long table"
    return Problem(wanted[0].title, f"the first row {first}", "a row with at least two years", fix)


# --- the header ----------------------------------------------------------------------------------------


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


def _title(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told) -> str:
    """Return what stands above the table as the name of its series, where no column names them."""
    if "series" in layout.roles or "code" in layout.roles or told.series:
        return ""
    for row in range(layout.top):
        texts = {read_label(content)[0] for content in sheet.rows[row] if not is_blank(content)}
        if len(texts) == 1 and not _REMARK.match(text := texts.pop()):
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


# --- rows ----------------------------------------------------------------------------------------------


@dataclass
class _Row:
    place: int
    stub: dict[int, str]


def take_table(
    gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, *, flags: bool = False, coded: bool = False
) -> None:
    """Take every figure of a wide sheet; `flags` and `coded` as in `long.take_rows`.

    Raises
    ------
    InputError
        The area column does not hold the area.
    """
    rows = _rows(gathering, sheet, layout, told)
    values = [column for column in layout.columns if column.part == "value"]
    decimal = told.decimal or decimal_mark(
        (sheet.at(row.place, column.place) for row in rows for column in layout.columns), sheet.decimal
    )  # fmt: skip
    names: dict[tuple, tuple[str, str, str]] = {}
    suffix = ""
    if coded:
        layout.dimensions, suffix = constant(layout.dimensions, (row.stub for row in rows))
    for row in rows:
        code = row.stub.get(layout.roles.get("code", -1), "")
        words = row.stub.get(layout.roles.get("series", -1), "") or layout.title
        unit = row.stub.get(layout.roles.get("unit", -1), "")
        pairs = [(name, category_of(name, row.stub[place])) for place, name in layout.dimensions.items()]
        for column in values:
            number = gathering.number(sheet, row.place, column.place, decimal, flags=flags)
            if number is None:
                continue
            key = (code, words, unit or column.unit)
            if key not in names:
                made = named(gathering, sheet.where(row.place), *key, told)
                names[key] = made[0], f"{made[1]}, {suffix}" if suffix else made[1], made[2]
            made = names[key]
            measured = "%" if made[2] == UNIT_NOT_STATED and number.percent else made[2]
            status = column.status if column.status and number.status == "value" else number.status
            blank = number.status == "missing" and not number.why
            low, high = _interval(gathering, sheet, layout, row.place, column, number.value, decimal)
            breakdown = breakdown_of([*pairs, column.group])
            value = number.value if status not in WITHOUT_VALUE else float("nan")
            gathering.add(Figure(
                made[0], made[1], measured, column.period, breakdown, value, status, blank, sheet,
                (row.place, column.place), low, high,
            ))  # fmt: skip


def _interval(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: int, column: Column, value: float, decimal: str
) -> tuple[float, float]:
    of = (column.period, column.group)
    ends = {other.part: other for other in layout.columns if (other.period, other.group) == of}
    if not {"low", "high"} <= set(ends) or value != value:
        return float("nan"), float("nan")
    numbers = [gathering.number(sheet, row, ends[part].place, decimal) for part in ("low", "high")]
    low, high = (float("nan") if number is None else number.value for number in numbers)
    if low <= value <= high:
        return low, high
    if low == low and high == high:
        fix = "check the interval: are its ends swapped?"
        where = sheet.where(row, ends["low"].place)
        gathering.problems.append(Problem(where, f"{low:g} to {high:g} around {value:g}", "low <= value <= high", fix))
    return float("nan"), float("nan")


def _rows(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told) -> list[_Row]:
    """Return the rows that hold figures of the area, with the texts beside them; remarks and totals are left out."""
    figures = [column.place for column in layout.columns]
    named_by = layout.roles.get("series")
    places = {*layout.roles.values(), *layout.dimensions}
    with_figures = [r for r in range(layout.first, len(sheet.rows))
                    if any(not is_blank(sheet.at(r, c)) for c in figures)]  # fmt: skip
    last = max(with_figures, default=-1)
    rows, section, above = [], "", {}
    merged = {number for top, _, bottom, _ in sheet.merged for number in range(top, min(bottom, top + 2000) + 1)}
    for r in range(layout.first, len(sheet.rows)):
        cells = sheet.spread(r) if sheet.lines[r] in merged else sheet.rows[r]
        if all(is_blank(sheet.at(r, c)) for c in figures):
            text = next((read_label(content)[0] for content in cells if not is_blank(content)), "")
            if (
                r < last
                and text
                and not _REMARK.match(text)
                and sum(not is_blank(c) for c in set(map(str, cells))) <= 2
            ):
                section = text
                gathering.mended(
                    sheet.where(r), text, f"the heading of the rows below: {text}", ["row without figures"]
                )
            elif text:
                gathering.mended(sheet.where(r), text, "nothing", ["remark left out"])
            continue
        stub = {}
        for c in sorted(places):
            text = read_label(cells[c])[0] if c < len(cells) else ""
            if not is_blank(cells[c] if c < len(cells) else None):
                text = _without_mark(gathering, sheet, r, c, text)
            elif c in layout.roles.values() and above.get(c):
                text = above[c]
                gathering.mended(sheet.where(r, c), "nothing", text, ["taken from the row above"])
            stub[c] = text
        above = dict(stub)
        if named_by is not None:
            if is_total(stub[named_by]) and len(with_figures) > 1:
                gathering.mended(sheet.where(r), stub[named_by], "nothing", ["total over different series left out"])
                continue
            if section:
                stub[named_by] = f"{section}: {stub[named_by]}"
        rows.append(_Row(r, stub))
    return _of_area(gathering, sheet, layout, told, rows)


def _without_mark(gathering: Gathering, sheet: Sheet, row: int, column: int, text: str) -> str:
    found = _LABEL_MARK.fullmatch(text)
    if found is None:
        gathering.label(sheet, row, column)
        return text
    gathering.mended(sheet.where(row, column), text, found[1], ["mark of a footnote left out"])
    return found[1]


def _of_area(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, rows: list[_Row]) -> list[_Row]:
    place = layout.roles.get("area")
    if place is None:
        return rows
    seen = {row.stub[place] for row in rows}
    if len(seen) == 1 and not told.place:
        return rows
    taken = [row for row in rows if matches_area(row.stub[place], gathering.area, told.place)]
    if not taken and rows:
        raise filter_error(sheet.title, "of areas", seen, gathering.area)
    return taken
