"""A workbook as grids: parts measured before they are unpacked, nothing worked out, no macro run."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from datetime import datetime
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import Formula, Repair, is_blank, read_label
from vlr_analysis.sources.labels import ShownDate, year_as_day
from vlr_analysis.sources.sheet_grid import MAX_CELLS, Opened, Sheet, measure

MAX_UNPACKED = 400_000_000  # of a workbook's parts together
MAX_RATIO = 50  # of a part that unpacks to more than `SMALL`: text that people write packs some twenty to one
SMALL = 2_000_000
FEW_CELLS = 100_000  # a workbook may hold more than these only if it has a packed byte for each cell
MAX_MERGED = 10_000
MAX_SHEETS = 200
HIDDEN_SHEET = "a hidden sheet"


@contextmanager
def unheard() -> Iterator[None]:
    """Keep quiet what openpyxl says of drop-downs, styles and names that it cannot keep: nothing is written back."""
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()):  # of damaged styles it prints a word
        warnings.simplefilter("ignore")
        yield


def open_workbook(content: bytes, name: str) -> Opened:
    """Read the sheets of a workbook. What openpyxl raises on a damaged file has no common class."""
    from openpyxl import load_workbook

    opened = Opened(name, [])
    try:
        macros = check_parts(content, name)
        with unheard():
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheets = book.worksheets
            if len(sheets) > MAX_SHEETS:
                problem = Problem(name, f"{len(sheets)} sheets", f"at most {MAX_SHEETS}", "split the workbook")
                raise InputError(name, [problem])
            read = [_worksheet(book, sheet, name, max(FEW_CELLS, len(content))) for sheet in sheets]
    except InputError:
        raise
    except Exception:
        fix = "open it in a spreadsheet program and save it again as .xlsx, without a password"
        raise InputError(name, [Problem(name, "no readable workbook", "an .xlsx file", fix)]) from None
    if macros:
        opened.repairs.append(Repair(name, "macros", "nothing", "macros are left aside; none was run"))
    for sheet in read:
        if sheet.hidden:
            opened.repairs.append(Repair(sheet.title, sheet.hidden, "figures like all others", "hidden cells are read"))
        if sheet.rows:
            opened.sheets.append(sheet)
    return opened


def check_parts(content: bytes, name: str) -> bool:
    """Refuse a workbook that unpacks to too much, or whose XML declares entities; say whether it holds macros.

    Whatever opens a workbook asks here first.
    """
    total, macros = 0, False
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        entries = parts.infolist()
        if len(entries) > 10_000:
            raise InputError(name, [Problem(name, f"{len(entries):,} parts", "a workbook", "save it again as .xlsx")])
        for entry in entries:
            total += entry.file_size
            packed_too_well = entry.file_size > SMALL and entry.file_size > MAX_RATIO * max(entry.compress_size, 1)
            if total > MAX_UNPACKED or packed_too_well:
                fix = "copy the filled cells into a new workbook and save that"
                found = f"a part that unpacks to {entry.file_size:,} bytes"
                raise InputError(name, [Problem(name, found, "a workbook of usual size", fix)])
            macros |= entry.filename.casefold().endswith("vbaproject.bin")
        for entry in entries:
            if entry.filename.casefold().endswith((".xml", ".rels")):
                with parts.open(entry) as part:
                    _refuse_entities(part, name)
    return macros


def _refuse_entities(part, name: str) -> None:
    before = b""
    first = True
    while block := part.read(1 << 20):
        seen = before + block
        odd = first and re.search(rb"""encoding\s*=\s*["'](?!utf-8|us-ascii|iso-8859-1)""", seen[:200], re.I)
        if odd or (first and seen[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")) or b"<!DOCTYPE" in seen:
            fix = "open it in a spreadsheet program and save it again as .xlsx"
            raise InputError(name, [Problem(name, "a part that declares entities", "plain cells", fix)])
        before, first = block[-16:], False


def _worksheet(book, listed, name: str, most: int) -> Sheet:
    sheet = Sheet(name, read_label(listed.title)[0] or "sheet")
    shown_as = _styles(book)
    cells = 0
    with listed._get_source() as source:
        parser = _parser(
            source, listed._shared_strings, data_only=True, epoch=book.epoch,
            date_formats=book._date_formats, timedelta_formats=book._timedelta_formats,
        )  # fmt: skip
        for number, row in parser.parse():
            cells += len(row)
            filled = [cell for cell in row if not is_blank(cell["value"])]
            width = max((cell["column"] for cell in filled), default=0)
            measure(sheet.title, number, width, cells, min(most, MAX_CELLS))
            if not filled:
                continue
            contents: list[Any] = [None] * width
            for cell in filled:
                value, form = cell["value"], shown_as.get(cell["style_id"], "")
                contents[cell["column"] - 1] = _as_shown(value, form) if isinstance(value, datetime) else value
                if form in ("percent", "percent sign") and isinstance(value, (int, float)):
                    places = sheet.percent if form == "percent" else sheet.percent_sign
                    places.add((len(sheet.rows), cell["column"] - 1))
            sheet.lines.append(number)
            sheet.rows.append(contents)
    if sorted(set(sheet.lines)) != sheet.lines:
        raise ValueError("rows out of order")
    sheet.merged = list(_merged(parser.merged_cells))
    sheet.hidden = _hidden(listed, parser)
    return sheet


def _parser(*args, **options):
    """Return openpyxl's parser of worksheets, made to tell a formula without a result from an empty cell.

    It reads rows, joined cells and columns only, with the standard library's fast parser: parts with entities have
    been refused already.
    """
    from xml.etree.ElementTree import iterparse

    from openpyxl.worksheet import _reader as reader

    class Parser(reader.WorkSheetParser):
        def parse(self):
            for _, element in iterparse(self.source):
                if element.tag == reader.ROW_TAG:
                    yield self.parse_row(element)
                elif element.tag == reader.COL_TAG:
                    self.parse_column_dimensions(element)
                elif element.tag == reader.MERGE_TAG:
                    self.merged_cells = reader.MergeCells.from_tree(element)
                else:
                    continue
                element.clear()

        def parse_cell(self, element):
            cell = super().parse_cell(element)
            if cell["value"] is None and (formula := element.find(reader.FORMULA_TAG)) is not None:
                cell["value"] = Formula((formula.text or "")[:200])
            return cell

    return Parser(*args, **options)


_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


def _styles(book) -> dict[int, str]:
    """Return what the formats of numbers show, by style: percent, percent sign, year or month; others are left out."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    found = {}
    for place, style in enumerate(book._cell_styles):
        number = style.numFmtId
        own = number - BUILTIN_FORMATS_MAX_SIZE
        if number in BUILTIN_FORMATS:
            text = BUILTIN_FORMATS[number]
        else:
            text = book._number_formats[own] if 0 <= own < len(book._number_formats) else ""
        if form := form_of(text):
            found[place] = form
    return found


def form_of(text: str) -> str:
    """Return what a format of numbers shows: ``percent``, ``percent sign``, ``year``, ``month``, or nothing of these.

    The program multiplies by 100 for a bare %; one in quotes or behind a backslash is only written after the number.
    """
    bare = _LITERAL.sub("", text.split(";")[0]).casefold()
    if "%" in bare:
        return "percent"
    if re.search(r'"[^"]*%[^"]*"|\\%', text):
        return "percent sign"
    letters = set(re.findall("[ymdhs]", bare)) if "general" not in bare and "0" not in bare else set()
    return {frozenset("y"): "year", frozenset("ym"): "month"}.get(frozenset(letters), "")


def _as_shown(value: datetime, form: str) -> datetime:
    if form not in ("year", "month"):
        return value
    year = year_as_day(value)  # 2019 in a cell that is formatted to show the year of a date
    if year:
        return ShownDate.of(value, str(year)) if form == "year" else value
    return ShownDate.of(value, f"{value.year:04d}" if form == "year" else f"{value.year:04d}-{value.month:02d}")


def _merged(cells) -> Iterator[tuple[int, int, int, int]]:
    for joined in (cells.mergeCell if cells is not None else [])[:MAX_MERGED]:
        left, top, right, bottom = joined.bounds
        yield top, left - 1, bottom, right - 1


def _hidden(listed, parser) -> str:
    rows = [number for number, about in parser.row_dimensions.items() if about.get("hidden") in ("1", "true")]
    columns = [name for name, about in parser.column_dimensions.items() if about.get("hidden") in ("1", "true")]
    told = [HIDDEN_SHEET] if listed.sheet_state != "visible" else []
    told += [f"hidden rows {', '.join(rows[:10])}" + (" and more" if len(rows) > 10 else "")] if rows else []
    told += [f"hidden columns from {', '.join(columns[:10])}"] if columns else []
    return "; ".join(told)
