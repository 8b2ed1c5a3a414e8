"""Wide tables: a row for each series, a column for each year, under one or two header rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from vlr_analysis.errors import InputError, Problem, listed
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.sources.cells import SUPERSCRIPT, decimal_mark, is_blank, read_label, shown
from vlr_analysis.sources.group_columns import Row, settle
from vlr_analysis.sources.long import constant, named
from vlr_analysis.sources.long_values import multiplier
from vlr_analysis.sources.names import Told, is_subtotal, is_total
from vlr_analysis.sources.places import refuse_places, refuse_sheets, rows_of_area
from vlr_analysis.sources.reading import (
    UNIT_NOT_STATED,
    Figure,
    Gathering,
    Reading,
    breakdown_of,
)
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown
from vlr_analysis.sources.wide_header import REMARK, Column, Layout, find_years, layout_of

_LABEL_MARK = re.compile(r"(.*[^\s*])\s*(?:\*+|[†‡" + SUPERSCRIPT + r"]+|\[\d{1,2}\]|\(\d{1,2}\))")


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
    placed = [(table, find_years(table, year_start)) for table in wanted]
    found = [(table, row) for table, row in placed if row is not None]
    if not found:
        raise InputError(opened.file, [_no_years(opened.file, wanted, sheet, opened.sheets)])
    refuse_sheets(found, area, place or sheet)
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
    parts: dict[tuple, dict[str, Column]] = {}
    for column in layout.columns:
        parts.setdefault((column.period, column.group), {})[column.part] = column
    names: dict[tuple, tuple[str, str, str]] = {}
    suffix = ""
    if coded:
        layout.dimensions, suffix = constant(layout.dimensions, (row.stub for row in rows))
    if "code" not in layout.roles and "series" in layout.roles and not coded:
        fix = "head their column Area and name the indicator: --series WORDS, --indicator CODE"
        labels = dict.fromkeys(row.stub[layout.roles["series"]] for row in rows)
        refuse_places(sheet, max(layout.first - 1, 0), labels, gathering.area, "rows named", fix)
    names_at = [layout.roles[role] for role in ("code", "series", "unit") if role in layout.roles]
    found = [Row(row.place, tuple(row.stub[c] for c in names_at), "", row.stub) for row in rows]
    settled = settle(gathering, sheet, layout.dimensions, found, heads=layout.first, codes=coded)
    for row in rows:
        times = multiplier(gathering, sheet, row.place, layout.roles.get("multiplier"))
        if row.place not in settled.places or times is None:
            continue
        code = row.stub.get(layout.roles.get("code", -1), "")
        words = row.stub.get(layout.roles.get("series", -1), "") or layout.title
        unit = row.stub.get(layout.roles.get("unit", -1), "")
        pairs = settled.pairs(row.stub.__getitem__)
        groups: dict[tuple[str, str], str] = {}
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
            ends = parts[column.period, column.group]
            low, high = _interval(gathering, sheet, row.place, ends, number.value, decimal)
            if column.group not in groups:
                groups[column.group] = breakdown_of([*pairs, column.group], sheet.where(row.place, column.place))
            breakdown = groups[column.group]
            value = number.value * times if status not in WITHOUT_VALUE else float("nan")
            gathering.add(Figure(
                made[0], made[1], measured, column.period, breakdown, value, status, blank, sheet,
                (row.place, column.place), low * times, high * times,
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
            if r < last and text and not REMARK.match(text) and sum(not is_blank(c) for c in set(map(str, cells))) <= 2:
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
        totals = [stub[layout.roles[role]] for role in ("series", "code") if role in layout.roles]
        total = next((text for text in totals if is_total(text) or is_subtotal(text)), "")
        if total and len(with_figures) > 1:
            gathering.mended(sheet.where(r), total, "nothing", ["total over different series left out"])
            continue
        if named_by is not None and section:
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
    taken = set(rows_of_area(gathering, sheet, place, {row.place: row.stub[place] for row in rows}, told.place))
    return [row for row in rows if row.place in taken]
