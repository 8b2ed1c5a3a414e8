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
from vlr_analysis.sources.sheet_shown import SCALED, Form, as_shown, flattened, parsed, shows_thousands

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
            book = load_workbook(io.BytesIO(content), read_only=True, data_only=True, rich_text=True)
            sheets = book.worksheets
            if len(sheets) > MAX_SHEETS:
                problem = Problem(name, f"{len(sheets)} sheets", f"at most {MAX_SHEETS}", "split the workbook")
                raise InputError(name, [problem])
            for texts in {id(sheet._shared_strings): sheet._shared_strings for sheet in sheets}.values():
                texts[:] = map(flattened, texts)
            read = [_worksheet(book, sheet, name, max(FEW_CELLS, len(content)), opened.repairs) for sheet in sheets]
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


def _worksheet(book, listed, name: str, most: int, repairs: list[Repair]) -> Sheet:
    sheet = Sheet(name, read_label(listed.title)[0] or "sheet")
    forms = _styles(book)
    cells, divided = 0, {}
    with listed._get_source() as source:
        parser = _parser(
            source, listed._shared_strings, data_only=True, epoch=book.epoch, rich_text=True,
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
                value, form = flattened(cell["value"]), forms.get(cell["style_id"], _PLAIN)
                place, name_of_form = (len(sheet.rows), cell["column"] - 1), form.name
                if isinstance(value, datetime):
                    value = _as_shown(value, form.name)
                elif isinstance(value, (int, float)) and form.sections:
                    value, name_of_form, times = as_shown(value, form)
                    if times:
                        divided[place] = times
                contents[place[1]] = value
                if name_of_form in ("percent", "percent sign") and isinstance(value, (int, float)):
                    (sheet.percent if name_of_form == "percent" else sheet.percent_sign).add(place)
            sheet.lines.append(number)
            sheet.rows.append(contents)
    if sorted(set(sheet.lines)) != sheet.lines:
        raise ValueError("rows out of order")
    _once_in_thousands(sheet, divided, repairs)
    sheet.merged = list(_merged(parser.merged_cells, sheet))
    sheet.hidden = _hidden(listed, parser)
    return sheet


_PLAIN = Form("")


def _once_in_thousands(sheet: Sheet, divided: dict[tuple[int, int], int], repairs: list[Repair]) -> None:
    """Take numbers that are shown divided as the file holds them, where nothing else on the sheet is in thousands."""
    if not divided:
        return
    spoken = any(isinstance(content, str) and SCALED.search(content) for row in sheet.rows for content in row)
    for (row, column), times in divided.items():
        if spoken:
            sheet.rows[row][column] = shows_thousands(sheet.rows[row][column], times)
    if not spoken:
        why = "the program shows them divided by thousands; the numbers that the cells hold are taken"
        found = f"{len(divided)} number{'s' * (len(divided) > 1)} with a format such as #,##0,"
        repairs.append(Repair(sheet.where(*min(divided)), found, "numbers in full", why))


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


def _styles(book) -> dict[int, Form]:
    """Return the formats of numbers by style; those that show numbers as they are are left out."""
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    found = {}
    for place, style in enumerate(book._cell_styles):
        number = style.numFmtId
        own = number - BUILTIN_FORMATS_MAX_SIZE
        if number in BUILTIN_FORMATS:
            text = BUILTIN_FORMATS[number]
        else:
            text = book._number_formats[own] if 0 <= own < len(book._number_formats) else ""
        form = parsed(text)
        if form.name or form.sections:
            found[place] = form
    return found


def _as_shown(value: datetime, form: str) -> datetime:
    if form not in ("year", "month"):
        return value
    year = year_as_day(value)  # 2019 in a cell that is formatted to show the year of a date
    if year:
        return ShownDate.of(value, str(year)) if form == "year" else value
    return ShownDate.of(value, f"{value.year:04d}" if form == "year" else f"{value.year:04d}-{value.month:02d}")


def _merged(cells, sheet: Sheet) -> Iterator[tuple[int, int, int, int]]:
    every = cells.mergeCell if cells is not None else []
    if len(every) > MAX_MERGED:
        fix = "split the cells that are joined, and write their text into each of them"
        found = f"{len(every):,} groups of joined cells"
        raise InputError(sheet.file, [Problem(sheet.title, found, f"at most {MAX_MERGED:,}", fix)])
    for joined in every:
        left, top, right, bottom = joined.bounds
        yield top, left - 1, bottom, right - 1


def _hidden(listed, parser) -> str:
    rows = [number for number, about in parser.row_dimensions.items() if about.get("hidden") in ("1", "true")]
    columns = [name for name, about in parser.column_dimensions.items() if about.get("hidden") in ("1", "true")]
    told = [HIDDEN_SHEET] if listed.sheet_state != "visible" else []
    told += [f"hidden rows {', '.join(rows[:10])}" + (" and more" if len(rows) > 10 else "")] if rows else []
    told += [f"hidden columns from {', '.join(columns[:10])}"] if columns else []
    return "; ".join(told)
