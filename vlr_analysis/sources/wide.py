"""Wide tables: a row for each series, a column for each year, under one or two header rows."""

from __future__ import annotations

import re
from pathlib import Path

from vlr_analysis.errors import InputError, Problem, listed
from vlr_analysis.exhibits import slug
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.sources.cells import Number, decimal_mark, is_blank, read_number, read_text, shown
from vlr_analysis.sources.group_columns import Row as Grouped
from vlr_analysis.sources.group_columns import settle
from vlr_analysis.sources.heading_words import scale_in, takes_no_scale, unobserved
from vlr_analysis.sources.long import constant, named
from vlr_analysis.sources.long_values import multiplier
from vlr_analysis.sources.names import Told, unit_of
from vlr_analysis.sources.places import refuse_places, refuse_sheets
from vlr_analysis.sources.reading import (
    UNIT_NOT_STATED,
    Figure,
    Gathering,
    Reading,
    breakdown_of,
    split_unit,
)
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown
from vlr_analysis.sources.statuses import NOT_OBSERVED, status_of
from vlr_analysis.sources.wide_blocks import tables_of
from vlr_analysis.sources.wide_header import layout_of
from vlr_analysis.sources.wide_headings import Column, Layout
from vlr_analysis.sources.wide_rows import rows_of
from vlr_analysis.sources.wide_sections import Row

_PERCENT = re.compile(r"%|per\s?cent|prozent|pour\s?cent|por\s?cent|porcent|\bpct\b|\bpp\b|points|puntos|pontos", re.I)


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
        The area as the file writes it, where that is not the name of which `area` is the slug (`places.is_area`).
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
    opened = open_shown(path, sheet)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    wanted = [table for table in opened.sheets if not sheet or table.name == sheet]
    ahead = [table for table in wanted if not sheet and unobserved(table.name)]
    if ahead and len(ahead) < len(wanted):
        for table in ahead:
            why = f"a sheet of {unobserved(table.name)}s is left out; to have it read, name it: --sheet NAME"
            gathering.mended(table.title, table.name, "nothing", [why])
        wanted = [table for table in wanted if table not in ahead]
    placed = [(table, tables_of(table, year_start)) for table in wanted]
    if not any(tables for _, tables in placed):
        raise InputError(opened.file, [_no_years(opened.file, wanted, sheet, opened.sheets)])
    refuse_sheets([(table, tables[0][1]) for table, tables in placed if tables], area, place or sheet)
    for table, tables in placed:
        if not tables:
            gathering.mended(table.title, "no row of years", "nothing", ["sheet left out"])
        for part, row in tables:
            if len(tables) > 1:
                begins = next(place for place, content in enumerate(part.rows[row]) if not is_blank(content))
                why = "several tables on a sheet"
                gathering.mended(part.where(row, begins), "a row of years", "the header of a table", [why])
            take_table(gathering, part, layout_of(gathering, part, row, told), told)
    return gathering.reading()


def _no_years(name: str, wanted: list[Sheet], sheet: str, every: list[Sheet]) -> Problem:
    if not wanted:
        found = "the sheets " + listed(table.name for table in every if table.name)
        return Problem(name, found, f"a sheet {sheet}", "name one of them")
    first = ", ".join(shown(content) for content in wanted[0].rows[0][:8] if not is_blank(content))
    fix = "put the years, in four digits, into one row above the figures, or read it as a long table"
    return Problem(wanted[0].title, f"the first row {first}", "a row with at least two years", fix)


# --- rows ----------------------------------------------------------------------------------------------


def take_table(
    gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, *, flags: bool = False, coded: bool = False
) -> None:
    """Take every figure of a wide sheet; `flags` and `coded` as in `long.take_rows`.

    Raises
    ------
    InputError
        The area column does not hold the area.
    """
    rows = rows_of(gathering, sheet, layout, told)
    values = [column for column in layout.columns if column.part == "value"]
    decimal = told.decimal or decimal_mark(
        (sheet.at(row.place, column.place) for row in rows for column in layout.columns), sheet.decimal
    )  # fmt: skip
    parts: dict[tuple, dict[str, Column]] = {}
    for column in layout.columns:
        parts.setdefault((column.period, column.groups), {})[column.part] = column
    names: dict[tuple, tuple[str, str, str]] = {}
    suffix = ""
    if coded:
        layout.dimensions, suffix = constant(layout.dimensions, (row.stub for row in rows))
    if "code" not in layout.roles and "series" in layout.roles and not coded:
        fix = "head their column Area and name the indicator: --series WORDS, --indicator CODE"
        labels = dict.fromkeys(row.stub[layout.roles["series"]] for row in rows)
        refuse_places(sheet, max(layout.first - 1, 0), labels, gathering.area, "rows named", fix)
    names_at = [layout.roles[role] for role in ("code", "series", "unit") if role in layout.roles]
    found = [Grouped(row.place, tuple(row.stub[c] for c in names_at), "", row.stub) for row in rows]
    settled = settle(gathering, sheet, layout.dimensions, found, heads=layout.first, codes=coded)
    for row in rows:
        power = multiplier(gathering, sheet, row.place, layout.roles.get("multiplier"))
        if row.place not in settled.places or power is None:
            continue
        code = row.stub.get(layout.roles.get("code", -1), "")
        words = row.stub.get(layout.roles.get("series", -1), "") or layout.title
        unit = row.stub.get(layout.roles.get("unit", -1), "") or row.unit
        scale_said = scale_in(words, spanish=layout.spanish) if unit and not scale_in(unit) else None
        if scale_said and scale_said.rest and row.times is None:
            words, row.times = scale_said.rest, scale_said.times
            why = "the name of the row says what it is multiplied by"
            gathering.mended(sheet.where(row.place), scale_said.rest, f"times {row.times:,.0f}", [why])
        pairs = settled.pairs(row.stub.__getitem__)
        groups: dict[tuple, str] = {}
        mixed = bool(sheet.percent) and any((row.place, column.place) in sheet.percent for column in values)
        signed = _largest_percentage(sheet, row.place, values)
        for column in values:
            number = gathering.number(sheet, row.place, column.place, decimal, flags=flags)
            if number is None:
                continue
            over = column.unit if column.own_unit or not split_unit(words)[1] else ""
            key = (code, split_unit(words)[0], over) if column.own_unit else (code, words, unit or over)
            if key not in names:
                made = named(gathering, sheet.where(row.place), *key, told)
                names[key] = made[0], f"{made[1]}, {suffix}" if suffix else made[1], made[2]
            made = names[key]
            measured = "%" if made[2] == UNIT_NOT_STATED and number.percent else made[2]
            if measured == UNIT_NOT_STATED and layout.counted:
                measured = unit_of(layout.counted)
            scale = _times(gathering, sheet, row, column, layout, key[2] or measured)
            ends = parts[column.period, column.groups]
            status = _status(gathering, sheet, row.place, column.place, ends.get("status"), number)
            if scale is None or not status:
                continue
            if _contradicts(gathering, sheet, row.place, column.place, measured, number, mixed, signed):
                continue
            status = (column.status or row.status or status) if status == "value" else status
            blank = number.status == status == "missing" and not number.why
            factor = scale if power == 1 else power
            value = number.value if status not in WITHOUT_VALUE else float("nan")
            low, high = _interval(gathering, sheet, row.place, ends, value, decimal)
            if factor != 1:
                value, low, high = (round(part * factor, 10) for part in (value, low, high))
            if column.groups not in groups:
                groups[column.groups] = breakdown_of(
                    [*pairs, *row.groups, *column.groups], sheet.where(row.place, column.place)
                )
            breakdown = groups[column.groups]
            gathering.add(Figure(
                made[0], made[1], measured, column.period, breakdown, value, status, blank, sheet,
                (row.place, column.place), low, high,
            ))  # fmt: skip


def _interval(
    gathering: Gathering, sheet: Sheet, row: int, ends: dict[str, Column], value: float, decimal: str
) -> tuple[float, float]:
    if not {"low", "high"} <= ends.keys() or value != value:
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


def _status(gathering: Gathering, sheet: Sheet, row: int, column: int, flags: Column | None, number: Number) -> str:
    """Return the status of a figure and of the flag beside it; empty where the two are at odds, which is told."""
    text = "" if flags is None else read_text(sheet.at(row, flags.place))[0]
    if not text:
        return number.status
    where, there = sheet.where(row, flags.place), number.value == number.value
    told = status_of(text)
    if not told:
        gathering.mended(where, text, number.status, ["a flag that is not known"])
        return number.status
    if there and told == "suppressed":
        gathering.mended(sheet.where(row, column), "a number", told, ["a hidden figure left out"])
        return told
    if there and (told == NOT_OBSERVED or told in WITHOUT_VALUE):
        fix = "leave the figure out, or correct the flag"
        gathering.problems.append(Problem(where, f"{shown(text)} beside a number", "a figure observed", fix))
        return ""
    if not there:
        return told if told in WITHOUT_VALUE else number.status
    return number.status if told == "value" else told


def _times(
    gathering: Gathering, sheet: Sheet, row: Row, column: Column, layout: Layout, unit: str
) -> float | None:  # fmt: skip
    """Return what a figure is to be multiplied by; None where a share stands below the word thousands.

    A unit that says thousands itself is left as it is, and shares are in no thousands. What a row, the heading above
    it or its column says counts before the lines above and below the table.
    """
    said = row.times or (column.times if column.times != 1 else None)
    of_table = next((times for words, times in layout.scoped if words in slug(row.name)), layout.times)
    if (said or of_table) == 1 or scale_in(unit):
        return 1.0
    if not takes_no_scale(unit):
        return said or of_table
    if said is None:
        return 1.0
    fix = "take the word out of the heading, or correct the unit"
    where = sheet.where(row.place, column.place)
    gathering.problems.append(Problem(where, f"the unit {shown(unit)} below a heading of thousands", "a count", fix))
    return None


def _largest_percentage(sheet: Sheet, row: int, values: list[Column]) -> float:
    """Return the largest number of a row that is written as a text with a percent sign; 0 for none."""
    texts = [content for column in values if isinstance(content := sheet.at(row, column.place), str) and "%" in content]
    read = [number for text in texts if (number := read_number(text)).percent]
    return max((abs(number.value) for number in read), default=0.0)


def _contradicts(
    gathering: Gathering, sheet: Sheet, row: int, column: int, unit: str, number: Number, mixed: bool, signed: float
) -> bool:  # fmt: skip
    """Whether what the program shows of a figure contradicts its unit or its row; then it is told.

    `mixed`: the row holds numbers that are shown as percentages; 0.079 beside them may be 7.9 or 0.079 %. `signed`:
    the largest figure of the row that is written with a percent sign; a tenth of it may be a share of 1.
    """
    content, problem = sheet.at(row, column), None
    if number.percent and unit != UNIT_NOT_STATED and not _PERCENT.search(unit):
        fix = "write % as the unit, or take the percent sign off the figures"
        problem = Problem(sheet.where(row, column), f"a percentage of the unit {shown(unit)}", "one or the other", fix)
    elif (
        not number.percent
        and (unit == UNIT_NOT_STATED or _PERCENT.search(unit))
        and 0 < abs(number.value) <= 1
        and ((mixed and isinstance(content, (int, float))) or 10 * abs(number.value) < signed)
    ):
        fix = "show the cell as a percentage too, or write all figures of the row as plain numbers"
        found = f"{number.value:g} in a row of numbers shown as percentages"
        problem = Problem(sheet.where(row, column), found, "one form in a row", fix)
    if problem:
        gathering.problems.append(problem)
    return problem is not None
