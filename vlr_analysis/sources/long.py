"""Long tables: one row for each figure, or one row for each year with a column for each series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from math import nan
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.exhibits import slug
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.sources.cells import Number, decimal_mark, is_blank, read_label, read_text, shown
from vlr_analysis.sources.group_columns import OWN, Groups, Row, settle
from vlr_analysis.sources.labels import WHOLE_YEARS, part_of_year
from vlr_analysis.sources.long_columns import (
    drop_unobserved,
    groups_of_columns,
    leave_out_descriptions,
    observed_rows,
    plain_rows,
    settle_places,
    years_by_heading,
)
from vlr_analysis.sources.long_header import MONTHS, Layout, find_header, joined, layout_of
from vlr_analysis.sources.long_values import Heading, Percents, multiplier, said_twice, status_beside, without_name
from vlr_analysis.sources.names import Told, category_of, unit_of
from vlr_analysis.sources.places import refuse_places, refuse_sheets, rows_of_area
from vlr_analysis.sources.reading import (
    UNIT_NOT_STATED,
    Figure,
    Gathering,
    Reading,
    breakdown_of,
    code_of,
    local_code,
    split_unit,
)
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown


def read_long(
    path: Path | str, *, area: str, source: str, place: str = "", indicator: str = "", series: str = "",
    unit: str = "", columns: Mapping[str, str] | None = None, ignore: Iterable[str] = (), sheet: str = "",
    decimal: str = "", year_start: str = "07-01",
) -> Reading:  # fmt: skip
    """Read a long table, CSV or Excel.

    Parameters
    ----------
    path : Path or str
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    place : str
        The area as the file writes it, where that is not the name of which `area` is the slug (`places.is_area`).
    indicator, series, unit : str
        Of figures that have no column for it.
    columns : mapping, optional
        Name of the column by role (period, value, code, series, unit, area, status, low, high) where the usual names
        in English, Spanish, French, Portuguese and German do not tell it.
    ignore : iterable of str
        Columns to leave out.
    sheet : str
        Which worksheet; left out: every one that has such a header.
    decimal, year_start : str
        See `Told`.

    Returns
    -------
    Reading
        Any other column of texts is a breakdown. Columns of figures without a column of values are one series each.

    Raises
    ------
    InputError
        No header with a year or period, no column of figures, or columns that could be one or the other: named.
    """
    told = Told(place, indicator, series, unit, decimal, year_start)
    opened = open_shown(path, sheet)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    tables = [table for table in opened.sheets if not sheet or table.name == sheet]
    placed = [(table, find_header(table, columns or {})) for table in tables]
    placed = [(table, header) for table, header in placed if header is not None]
    if not placed:
        raise InputError(opened.file, [_no_header(opened.file, tables, sheet, opened.sheets)])
    refuse_sheets(placed, area, place or sheet)
    for table, header in placed:
        take_rows(gathering, table, layout_of(table, header, columns or {}, ignore), told)
    return gathering.reading()


def _no_header(name: str, tables: list[Sheet], sheet: str, every: list[Sheet]) -> Problem:
    if not tables:
        found = "the sheets " + ", ".join(table.name for table in every if table.name)
        return Problem(name, found, f"a sheet {sheet}", "name one of them")
    first = ", ".join(shown(content) for content in tables[0].rows[0][:8] if not is_blank(content))
    fix = "name the column of years Year, or say which it is: --column period=NAME"
    return Problem(tables[0].title, f"the first row {first}", "a header with a column of years or periods", fix)


# --- rows ----------------------------------------------------------------------------------------------


def take_rows(
    gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, *, flags: bool = False, coded: bool = False
) -> None:
    """Take every figure below a header.

    `flags`: every letter after a number is one. `coded`: the source writes codes; what does not vary is the series'.

    Raises
    ------
    InputError
        The area column does not hold the area.
    """
    roles = layout.roles
    sheet = joined(gathering, sheet, layout)
    if layout.measures and not coded:
        raise_if_any(sheet.file, drop_unobserved(gathering, sheet, layout))
    values = list(layout.measures) or [roles["value"]]
    if layout.header >= 0 and layout.measures and not coded:
        fix = "write a row for each place, its name below Area; or take one: --column value=NAME, --ignore the others"
        names = [read_text(name)[0] for name in layout.measures.values()]
        refuse_places(sheet, layout.header, names, gathering.area, "columns of figures named", fix)
    rows = _figures_only(gathering, sheet, layout, list(range(layout.header + 1, len(sheet.rows))))
    by_kind: dict[int, str] = {}
    if not coded:
        rows = plain_rows(gathering, sheet, layout, rows)
        settle_places(gathering, sheet, layout, rows, told.place)
    if "area" in roles:
        texts = {row: read_text(sheet.at(row, roles["area"]))[0] for row in rows}
        texts = {row: text for row, text in texts.items()
                 if text or not all(is_blank(sheet.at(row, column)) for column in values)}  # fmt: skip
        heading = read_text(sheet.at(layout.header, roles["area"]))[0]
        rows = rows_of_area(gathering, sheet, roles["area"], texts, told.place, heading)
    if not coded:
        rows, by_kind = observed_rows(gathering, sheet, layout, rows)
        leave_out_descriptions(gathering, sheet, layout, rows)
    if not told.series:
        names_of = ("series",) if told.indicator else ("code", "series")
        bare = without_name(gathering, sheet, layout, rows, values, names_of)
        rows = [row for row in rows if row not in bare]
    numbers = [*values, *(roles[role] for role in ("low", "high") if role in roles)]
    numbers += [column for ends in layout.ends.values() for column in ends.values()]
    decimal = told.decimal or decimal_mark(
        (sheet.at(row, column) for row in rows for column in numbers), sheet.decimal
    )  # fmt: skip
    periods = gathering.periods(sheet, ((row, roles["period"]) for row in rows), told.year_start)
    suffix = ""
    if coded:
        texts = ({column: read_text(sheet.at(row, column))[0] for column in layout.dimensions} for row in rows)
        layout.dimensions, suffix = constant(layout.dimensions, texts)
    part_at, parts = _parts_of_years(sheet, layout, rows)
    at: dict[int, str] = {}
    for row in rows:
        label = periods[row, roles["period"]]
        part = "" if part_at is None or len(label.period) != 4 else parts.get(read_text(sheet.at(row, part_at))[0], "")
        if label.period:
            at[row] = label.period + part
    if layout.header >= 0:
        years_by_heading(gathering, sheet, layout, at)
    words = _Words(gathering, sheet, layout, told, suffix)
    if layout.measures and not coded:
        words.title, words.columns = groups_of_columns(gathering, sheet, layout, told)
    groups = words.settle(at, coded)
    heading = Heading() if layout.measures else Heading.of(read_text(sheet.at(layout.header, roles["value"]))[0])
    if heading.times != 1:
        where = sheet.where(layout.header, roles["value"])
        gathering.mended(where, heading.text, f"times {heading.times:g}, or the unit", ["as the heading says"])
    if heading.note:
        where = sheet.where(layout.header, roles["value"])
        gathering.mended(where, heading.text, f"{heading.note}, where no unit is said", ["words of the heading"])
    percents = Percents(gathering, sheet)
    for row in at if not coded else ():
        for column in values:
            percents.note(row, column, words.of(row, column))
    for row, period in at.items():
        if row not in groups.places:
            continue
        for column in values:
            number = gathering.number(sheet, row, column, decimal, flags=flags)
            if number is None:
                continue
            status, blank = status_beside(gathering, sheet, layout, row, column, number)
            by_year = periods[row, roles["period"]].status or by_kind.get(row, "")
            if status is None:
                continue
            code, series, unit = words.of(row, column)
            if not coded and percents.contradicts(row, column, (code, series, unit), number):
                continue
            unit = "%" if unit == UNIT_NOT_STATED and number.percent else unit
            value, low, high = nan, nan, nan
            if status not in WITHOUT_VALUE:
                times = multiplier(gathering, sheet, row, roles.get("multiplier"))
                told_above = heading.applied(gathering, sheet.where(row, column), unit)
                times = said_twice(gathering, sheet.where(row, column), unit, times) if times is not None else None
                if times is None or told_above is None:
                    continue
                times, unit = times * told_above[0], told_above[1]
                low, high = _interval(gathering, sheet, layout.ends.get(column, roles), row, decimal, number)
                value, low, high = number.value * times, low * times, high * times
            elif unit == UNIT_NOT_STATED:
                unit = heading.unit or unit
            status = by_year if by_year and status == "value" else status
            gathering.add(Figure(
                code, series, unit, period, words.breakdown(row, column, groups), value, status, blank, sheet,
                (row, column), low, high,
            ))  # fmt: skip


def _parts_of_years(sheet: Sheet, layout: Layout, rows: list[int]) -> tuple[int | None, dict[str, str]]:
    """Return the column of months, quarters or half-years beside the year, and what each of its texts adds to it.

    Such a column is no breakdown: it is taken out of the layout. Of several, the one with most parts is the period.
    """
    found: dict[int, dict[str, str]] = {}
    for column, name in layout.dimensions.items():
        texts = {read_text(sheet.at(row, column))[0] for row in rows}
        parts = {text: _part(text, name) for text in texts if text and slug(text) not in WHOLE_YEARS}
        if parts and all(parts.values()):
            found[column] = parts
    layout.dimensions = {column: name for column, name in layout.dimensions.items() if column not in found}
    finest = max(found, key=lambda column: (len(found[column]), -column), default=None)
    return finest, found.get(finest, {})


def _part(text: str, name: str) -> str:
    if name in MONTHS and text.isdecimal() and 0 < int(text) < 13:
        return f"-{int(text):02d}"
    return part_of_year(text, name)


def _figures_only(gathering: Gathering, sheet: Sheet, layout: Layout, rows: list[int]) -> list[int]:
    """Leave out rows that hold a remark alone: a text in one cell, no period and no figure."""
    kept, period = [], layout.roles["period"]
    for row in rows:
        filled = [column for column, content in enumerate(sheet.rows[row]) if not is_blank(content)]
        if len(filled) == 1 and isinstance(sheet.at(row, filled[0]), str) and (filled != [period] or len(
            read_text(sheet.at(row, period))[0]) > 24):  # fmt: skip
            gathering.mended(sheet.where(row, filled[0]), sheet.at(row, filled[0]), "nothing", ["remark left out"])
        else:
            kept.append(row)
    return kept


def _interval(
    gathering: Gathering, sheet: Sheet, at: Mapping[str, int], row: int, decimal: str, number: Number
) -> tuple[float, float]:
    nothing = float("nan"), float("nan")
    if "low" not in at or "high" not in at or number.value != number.value:
        return nothing
    ends = [gathering.number(sheet, row, at[role], decimal) for role in ("low", "high")]
    if None in ends:
        return nothing
    low, high = (end.value for end in ends)
    if low <= number.value <= high:
        return low, high
    if low == low or high == high:
        where = sheet.where(row, at["low"])
        fix = "check the interval: are its ends swapped, or is one missing?"
        gathering.problems.append(Problem(where, f"{low:g} to {high:g} around {number.value:g}", "low <= value <= high",
                                          fix))  # fmt: skip
    return nothing


class _Words:
    """Code, series, unit and breakdown of each row, worked out once for each combination of cells."""

    def __init__(self, gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, suffix: str = ""):
        self.gathering, self.sheet, self.layout, self.told, self.suffix = gathering, sheet, layout, told, suffix
        self.known: dict[Any, Any] = {}
        self.title = ""
        self.columns: dict[int, tuple[str, str]] = {}
        self.rows: dict[int, Row] = {}

    def text(self, row: int, role: str) -> str:
        column = self.layout.roles.get(role)
        return "" if column is None else self.gathering.label(self.sheet, row, column)

    def of(self, row: int, column: int) -> tuple[str, str, str]:
        key = (column, *self.rows[row].series)
        if key not in self.known:
            where = self.sheet.where(row, column)
            words = key[2] or self._header(column)
            code, series, unit = named(self.gathering, where, key[1], words, key[3], self.told)
            self.known[key] = code, f"{series}, {self.suffix}" if self.suffix else series, unit
        return self.known[key]

    def _header(self, column: int) -> str:
        return self.title if column in self.columns else read_label(self.layout.measures.get(column, ""))[0]

    def settle(self, periods: Mapping[int, str], codes: bool) -> Groups:
        """Say what the columns of groups mean, for the rows that have a period."""
        self.rows = {
            row: Row(row, (self.text(row, "code"), self.text(row, "series"), self.text(row, "unit")), period,
                     {column: self.gathering.label(self.sheet, row, column) for column in self.layout.dimensions})
            for row, period in periods.items()
        }  # fmt: skip
        first, rows = self.layout.header + 1, list(self.rows.values())
        return settle(self.gathering, self.sheet, self.layout.dimensions, rows, heads=first, codes=codes)

    def breakdown(self, row: int, column: int, groups: Groups) -> str:
        texts = self.rows[row].texts
        key = ("breakdown", self.columns.get(column), *texts.values())
        if key not in self.known:
            pairs = [self.columns[column]] if column in self.columns else []
            for name, text in groups.pairs(texts.__getitem__):
                # The kit's own column holds pairs already.
                own = name == OWN and "=" in text
                found = [pair.split("=", 1) for pair in text.split(";") if "=" in pair] if own else [(name, text)]
                pairs += [(name, category_of(name, text)) for name, text in found] if own else found
            self.known[key] = breakdown_of(pairs, self.sheet.where(row))
        return self.known[key]


_CODE_FIRST = re.compile(r"(\d{1,2}\.[0-9a-z]{1,2}\.[0-9]{1,2})[.:]?\s+[-–:]?\s*(\D.*)", re.I)


def constant(dimensions: Mapping[int, str], texts: Iterable[Mapping[int, str]]) -> tuple[dict[int, str], str]:
    """Return the dimensions that tell groups apart, and words for those with one group throughout.

    A source in codes repeats what its whole series is of, such as age 15-74: that is part of the series' name.
    """
    seen: dict[int, set[str]] = {column: set() for column in dimensions}
    for row in texts:
        for column in dimensions:
            seen[column].add(category_of(dimensions[column], row[column]))
    alone = {column: next(iter(found)) for column, found in seen.items() if len(found) == 1}
    words = ", ".join(f"{dimensions[column]} {text}" for column, text in alone.items() if text)
    return {column: name for column, name in dimensions.items() if column not in alone}, words


def named(gathering: Gathering, where: str, code: str, words: str, unit: str, told: Told) -> tuple[str, str, str]:
    """Return code, series and unit of a figure from what its file says and what the caller says.

    Words that are a code are taken as one; a series without a code gets a local one, which is noted.
    """
    if not code and code_of(words):
        code, words = words, ""
    if not code and (first := _CODE_FIRST.fullmatch(words)):
        code, words = first[1], first[2]
    words, in_words = split_unit(words or told.series) if not unit else (words or told.series, "")
    unit = unit_of(unit or in_words or told.unit) or UNIT_NOT_STATED
    code = code_of(code) or code or told.indicator
    words = told.series or words or (f"indicator {code}" if code else "")
    if not code:
        words = words or "figures without a name"
        code = local_code(gathering.area, words)
        gathering.mended(where, words, code, ["no code of an indicator: a local one was made"])
    return tuple(_harmless(gathering, where, text, other) for text, other in (
        (code, "no-code"), (words, "figures without a name"), (unit, UNIT_NOT_STATED)))  # fmt: skip


def _harmless(gathering: Gathering, where: str, text: str, other: str) -> str:
    """Return a name without what a spreadsheet would run: headers, file names and words in brackets come here too."""
    safe, why = read_label(text)
    gathering.mended(where, text, safe or other, why)
    return safe or other
