"""Long tables: one row for each figure, or one row for each year with a column for each series."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.sources.cells import Number, decimal_mark, is_blank, read_label, read_text, shown
from vlr_analysis.sources.labels import WHOLE_YEARS, part_of_year
from vlr_analysis.sources.long_header import Layout, find_header, layout_of
from vlr_analysis.sources.names import Told, category_of, unit_of
from vlr_analysis.sources.reading import (
    UNIT_NOT_STATED,
    Figure,
    Gathering,
    Reading,
    breakdown_of,
    code_of,
    filter_error,
    local_code,
    matches_area,
    split_unit,
)
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown

STATUS = {"a": "value", "e": "estimated", "i": "estimated", "f": "estimated", "p": "provisional", "b": "break",
          "m": "not_applicable", "o": "missing", "l": "missing", "c": "suppressed", "q": "suppressed", "u": "value",
          "d": "value", "r": "value", "n": "value", "s": "estimated", "g": "value", "z": "not_applicable",
          "v": "value", "value": "value", "estimated": "estimated", "provisional": "provisional", "break": "break",
          "missing": "missing", "suppressed": "suppressed", "not_applicable": "not_applicable",
          "normal value": "value", "estimated value": "estimated", "provisional value": "provisional"}  # fmt: skip


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
        The area as the file writes it, where its area column holds several.
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
    rows = _of_area(gathering, sheet, layout, told, list(range(layout.header + 1, len(sheet.rows))))
    rows = _figures_only(gathering, sheet, layout, rows)
    values = list(layout.measures) or [roles["value"]]
    numbers = [*values, *(roles[role] for role in ("low", "high") if role in roles)]
    decimal = told.decimal or decimal_mark(
        (sheet.at(row, column) for row in rows for column in numbers), sheet.decimal
    )  # fmt: skip
    periods = gathering.periods(sheet, ((row, roles["period"]) for row in rows), told.year_start)
    suffix = ""
    if coded:
        texts = ({column: read_text(sheet.at(row, column))[0] for column in layout.dimensions} for row in rows)
        layout.dimensions, suffix = constant(layout.dimensions, texts)
    part_at, parts = _parts_of_years(sheet, layout, rows)
    words = _Words(gathering, sheet, layout, told, suffix)
    for row in rows:
        label = periods[row, roles["period"]]
        if not label.period:
            continue
        part = "" if part_at is None or len(label.period) != 4 else parts.get(read_text(sheet.at(row, part_at))[0], "")
        period = label.period + part
        for column in values:
            number = gathering.number(sheet, row, column, decimal, flags=flags)
            if number is None:
                continue
            status, blank = _status(gathering, sheet, layout, row, number, label.status)
            if status is None:
                continue
            low, high = _interval(gathering, sheet, layout, row, decimal, number)
            code, series, unit = words.of(row, column)
            unit = "%" if unit == UNIT_NOT_STATED and number.percent else unit
            times = _multiplier(gathering, sheet, layout, row)
            value = number.value * times if status not in WITHOUT_VALUE else float("nan")
            gathering.add(Figure(
                code, series, unit, period, words.breakdown(row), value, status, blank, sheet, (row, column),
                low * times, high * times,
            ))  # fmt: skip


def _parts_of_years(sheet: Sheet, layout: Layout, rows: list[int]) -> tuple[int | None, dict[str, str]]:
    """Return the column of months, quarters or half-years beside the year, and what each of its texts adds to it.

    Such a column is no breakdown: it is taken out of the layout. Of several, the one with most parts is the period.
    """
    found: dict[int, dict[str, str]] = {}
    for column, name in layout.dimensions.items():
        texts = {read_text(sheet.at(row, column))[0] for row in rows}
        parts = {text: part_of_year(text, name) for text in texts if text and slug(text) not in WHOLE_YEARS}
        if parts and all(parts.values()):
            found[column] = parts
    layout.dimensions = {column: name for column, name in layout.dimensions.items() if column not in found}
    finest = max(found, key=lambda column: (len(found[column]), -column), default=None)
    return finest, found.get(finest, {})


def _of_area(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, rows: list[int]) -> list[int]:
    column = layout.roles.get("area")
    if column is None:
        return rows
    texts = {row: read_text(sheet.at(row, column))[0] for row in rows}
    seen = {text for text in texts.values() if text}
    wanted = {text for text in seen if matches_area(text, gathering.area, told.place)}
    if len(seen) == 1 and not told.place:
        return rows
    if not wanted and seen:
        raise filter_error(sheet.title, read_text(sheet.at(layout.header, column))[0], seen, gathering.area)
    return [row for row, text in texts.items() if text in wanted or not text]


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


def _status(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: int, number: Number, by_year: str
) -> tuple[str | None, bool]:  # fmt: skip
    """Return the status of a figure, and whether its cell says nothing at all; None where the two are at odds."""
    status, blank = number.status, number.status == "missing" and not number.why
    if by_year and status == "value":
        status = by_year
    for role in ("confidential", "status"):
        text = read_text(sheet.at(row, layout.roles[role]))[0] if role in layout.roles else ""
        if not text or (role == "confidential" and text.casefold()[:1] not in ("c", "n", "s", "d")):
            continue
        if role == "confidential":
            coded = "suppressed"
        else:
            coded = STATUS.get(text.casefold()) or STATUS.get(text.split(":")[0].strip().casefold(), "")
        where = sheet.where(row, layout.roles[role])
        if not coded:
            gathering.mended(where, text, status, ["a flag that is not known"])
        elif number.value != number.value and coded in WITHOUT_VALUE:
            return coded, False
        elif number.value == number.value and coded in WITHOUT_VALUE:
            fix = "empty the value, or correct the status"
            gathering.problems.append(Problem(where, f"{shown(text)} beside a number", "no number there", fix))
            return None, False
        elif number.value == number.value and coded != "value":
            status = coded
    return status, blank


def _multiplier(gathering: Gathering, sheet: Sheet, layout: Layout, row: int) -> float:
    """Return what the figures of a row are to be multiplied by: UNIT_MULT 3 stands for thousands."""
    text = read_text(sheet.at(row, layout.roles["multiplier"]))[0] if "multiplier" in layout.roles else ""
    if not re.fullmatch(r"-?\d{1,2}", text) or int(text) == 0:
        return 1.0
    gathering.mended(sheet.where(row), "UNIT_MULT " + text, f"times 10^{text}", ["multiplied as the source says"])
    return 10.0 ** int(text)


def _interval(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: int, decimal: str, number: Number
) -> tuple[float, float]:
    nothing = float("nan"), float("nan")
    if "low" not in layout.roles or "high" not in layout.roles or number.value != number.value:
        return nothing
    ends = [gathering.number(sheet, row, layout.roles[role], decimal) for role in ("low", "high")]
    if None in ends:
        return nothing
    low, high = (end.value for end in ends)
    if low <= number.value <= high:
        return low, high
    if low == low or high == high:
        where = sheet.where(row, layout.roles["low"])
        fix = "check the interval: are its ends swapped, or is one missing?"
        gathering.problems.append(Problem(where, f"{low:g} to {high:g} around {number.value:g}", "low <= value <= high",
                                          fix))  # fmt: skip
    return nothing


class _Words:
    """Code, series, unit and breakdown of each row, worked out once for each combination of cells."""

    def __init__(self, gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, suffix: str = ""):
        self.gathering, self.sheet, self.layout, self.told, self.suffix = gathering, sheet, layout, told, suffix
        self.known: dict[Any, Any] = {}

    def text(self, row: int, role: str) -> str:
        column = self.layout.roles.get(role)
        return "" if column is None else self.gathering.label(self.sheet, row, column)

    def of(self, row: int, column: int) -> tuple[str, str, str]:
        key = (column, self.text(row, "code"), self.text(row, "series"), self.text(row, "unit"))
        if key not in self.known:
            where = self.sheet.where(row, column)
            words = key[2] or self._header(column)
            code, series, unit = named(self.gathering, where, key[1], words, key[3], self.told)
            self.known[key] = code, f"{series}, {self.suffix}" if self.suffix else series, unit
        return self.known[key]

    def _header(self, column: int) -> str:
        return read_label(self.layout.measures.get(column, ""))[0]

    def breakdown(self, row: int) -> str:
        texts = tuple(self.gathering.label(self.sheet, row, column) for column in self.layout.dimensions)
        key = ("breakdown", texts)
        if key not in self.known:
            pairs = []
            for name, text in zip(self.layout.dimensions.values(), texts, strict=True):
                # The kit's own column holds pairs already.
                own = name == "breakdown" and "=" in text
                pairs += [pair.split("=", 1) for pair in text.split(";") if "=" in pair] if own else [(name, text)]
            self.known[key] = breakdown_of((name, category_of(name, text)) for name, text in pairs)
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
