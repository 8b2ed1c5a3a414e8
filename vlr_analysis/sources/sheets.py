"""A text file or a workbook opened as sheets: cells with addresses, nothing run, nothing unpacked without measure."""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import Formula, Repair, is_blank, read_label

TEXT_FILES = (".csv", ".tsv", ".txt", ".tab")
WORKBOOKS = (".xlsx", ".xlsm")
MAX_BYTES = 300_000_000  # of the file itself
MAX_UNPACKED = 400_000_000  # of a workbook's parts together
MAX_RATIO = 50  # of a part that unpacks to more than `SMALL`: text that people write packs some twenty to one
SMALL = 2_000_000
MAX_CELLS = 6_000_000
FEW_CELLS = 100_000  # a workbook may hold more than these only if it has a packed byte for each cell
MAX_COLUMNS = 16_384  # as many as a spreadsheet program can show
MAX_ROWS = 1_048_576
MAX_MERGED = 10_000
MAX_SHEETS = 200
SEPARATORS = "\t;|,"

_SAVE = "save it as .xlsx or as CSV UTF-8"


@dataclass
class Sheet:
    """The filled rows of one worksheet or text file.

    Attributes
    ----------
    file, name : str
        Name of the file without its folder; of the worksheet, empty for a text file.
    lines : list of int
        Number of each row in the file; 1 is the first. Rows without content are left out.
    rows : list of list
        Contents: text, number, date, bool, `Formula` or None. Rows need not be equally long.
    percent : set of (int, int)
        Places (position in `rows`, column from 0) of numbers that the program shows as percentages.
    merged : list of (int, int, int, int)
        First row, first column, last row, last column of joined cells: row numbers of the file, columns from 0.
    hidden : str
        What the program does not show: hidden rows and columns, or a hidden sheet.
    decimal : str
        Which mark the kind of file suggests before decimals, where the cells do not show it; empty: none.
    shift : int
        How many columns stand here for the first column of the file, less one (Eurostat joins several by commas).
    """

    file: str
    name: str = ""
    lines: list[int] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    percent: set[tuple[int, int]] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: str = ""
    decimal: str = ""
    shift: int = 0

    def at(self, row: int, column: int) -> Any:
        """Return the content at a position in `rows` and a column; None beyond the end of the row."""
        cells = self.rows[row]
        return cells[column] if column < len(cells) else None

    def cell(self, row: int, column: int) -> str:
        """Return the address of a cell, such as C12, as a spreadsheet program shows it also for a CSV file."""
        return f"{self._letters(column)}{self.lines[row]}"

    def where(self, row: int, column: int | None = None) -> str:
        """Say where a row or a cell is: ``figures.xlsx, Sheet1!C12`` or ``figures.csv, row 12, column C``."""
        if self.name:
            return f"{self.file}, {self.name}!" + (
                f"row {self.lines[row]}" if column is None else self.cell(row, column)
            )
        return f"{self.file}, row {self.lines[row]}" + ("" if column is None else f", column {self._letters(column)}")

    def _letters(self, column: int) -> str:
        return letters(max(column - self.shift, 0))

    @property
    def title(self) -> str:
        """The file, with the name of the worksheet where there is one."""
        return f"{self.file}, sheet {self.name}" if self.name else self.file

    def spread(self, row: int) -> list[Any]:
        """Return a row with the content of joined cells repeated over all their columns and rows."""
        cells, number = list(self.rows[row]), self.lines[row]
        for top, left, bottom, right in self.merged:
            if not top <= number <= bottom:
                continue
            origin = row if top == number else (self.lines.index(top) if top in self.lines else None)
            content = None if origin is None else self.at(origin, left)
            right = min(right, MAX_COLUMNS - 1)
            cells += [None] * (min(right + 1, self.width) - len(cells))
            for column in range(left, min(right + 1, len(cells))):
                cells[column] = content
        return cells

    @property
    def width(self) -> int:
        """Number of columns of the longest row."""
        return max(map(len, self.rows), default=0)


@dataclass
class Opened:
    """Every sheet of a file that holds something, and what was mended to open it."""

    file: str
    sheets: list[Sheet]
    repairs: list[Repair] = field(default_factory=list)


def letters(column: int) -> str:
    """Return the letters by which a spreadsheet calls a column, A for 0."""
    name, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def open_sheets(path: Path | str) -> Opened:
    """Open a text file (CSV, TSV) or a workbook (.xlsx, .xlsm).

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    Opened
        At least one sheet with at least one filled row.

    Raises
    ------
    InputError
        No such file, an ending that is not read, content that does not fit the ending, more than the limits of this
        module, a password, or nothing inside.

    Notes
    -----
    Formulas are never worked out: the result that the file holds is taken. Macros are left aside. The parts of a
    workbook are read in memory, with a limit on what they unpack to, and are refused where they declare entities.
    """
    path = Path(path)
    content = _content(path)
    kind = path.suffix.casefold()
    packed = content[:4] == b"PK\x03\x04"
    if kind in WORKBOOKS:
        if not packed:
            found = "an old or locked workbook" if content[:4] == b"\xd0\xcf\x11\xe0" else "no workbook inside"
            fix = "open it in a spreadsheet program and save it again as .xlsx, without a password"
            raise InputError(path.name, [Problem(path.name, found, "an .xlsx workbook", fix)])
        opened = _workbook(content, path.name)
    else:
        if packed:
            fix = "give the file its right ending, .xlsx for a workbook"
            raise InputError(path.name, [Problem(path.name, "a packed file with the ending of a text", "text", fix)])
        opened = _text_file(content, path.name)
    if not opened.sheets:
        raise InputError(
            path.name, [Problem(path.name, "no filled cell", "figures", "fill the file, or save it again")]
        )
    return opened


def _content(path: Path) -> bytes:
    kind = path.suffix.casefold()
    problem = None
    if path.is_dir():
        problem = Problem(path.name, "a folder", "a file", "name the file inside it")
    elif not path.is_file():
        others = sorted(other.name for other in path.parent.glob("*")) if path.parent.is_dir() else []
        near = get_close_matches(path.name, others, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else "check the name and the folder"
        problem = Problem(path.name, "no such file", "a CSV file or an Excel workbook", fix)
    elif kind not in (*TEXT_FILES, *WORKBOOKS):
        problem = Problem(path.name, f"the ending {kind!r}", ", ".join((*TEXT_FILES, *WORKBOOKS)), _SAVE)
    elif path.stat().st_size == 0:
        problem = Problem(path.name, "an empty file", "figures", "fill the file, or save it again")
    elif path.stat().st_size > MAX_BYTES:
        found = f"{path.stat().st_size:,} bytes"
        problem = Problem(path.name, found, f"at most {MAX_BYTES:,}", "split the file")
    if problem:
        raise InputError(path.name, [problem])
    return path.read_bytes()


# --- text ----------------------------------------------------------------------------------------------


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Return the text of a file, and what was mended: UTF-8, UTF-16 with or without its mark, or Windows-1252.

    Raises
    ------
    InputError
        The bytes are text in none of these.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding, why = "utf-16", "read as UTF-16"
    elif (order := _order_of_pairs(content[:4000])) is not None:
        encoding, why = order, "read as UTF-16"
    else:
        encoding, why = "utf-8-sig", "byte-order mark taken out" if content[:3] == b"\xef\xbb\xbf" else ""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8-sig":
            raise InputError(name, [Problem(name, "bytes that are no text", "text in UTF-8", _SAVE)]) from None
        try:
            text, why = content.decode("cp1252"), "read as Windows-1252: check letters with accents"
        except UnicodeDecodeError as error:
            at = f"{name}, row {content[: error.start].count(10) + 1}"
            found = f"the byte 0x{content[error.start]:02x}"
            raise InputError(name, [Problem(at, found, "text in UTF-8", 'save it as "CSV UTF-8"')]) from None
    if "\0" in text:
        raise InputError(name, [Problem(name, "bytes that are no text", "text in UTF-8", _SAVE)])
    return text, why


def _order_of_pairs(start: bytes) -> str | None:
    """Return how UTF-16 without its mark orders its bytes: of Latin letters, every other byte is nothing."""
    for order, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        half = start[first::2]
        if half.count(0) > 0.6 * max(len(half), 1):
            return order
    return None


def _text_file(content: bytes, name: str) -> Opened:
    text, why = decoded(content, name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    opened = Opened(name, [])
    if why:
        opened.repairs.append(Repair(name, "the bytes of the file", "text", why))
    told = re.match(r"sep=(.)\n", text)
    separator = told[1] if told and told[1] in SEPARATORS else separator_of(text)
    if separator != ",":
        shown = "a tab" if separator == "\t" else separator
        opened.repairs.append(Repair(name, f"{shown} between cells", "columns", "separator seen in the rows"))
    sheet = Sheet(name, decimal={",": ".", "\t": "."}.get(separator, ""))
    cells = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 1):
            if not any(row) or (number == 1 and told):
                continue
            cells += len(row)
            _measure(name, number, len(row), cells)
            if not all(map(is_blank, row)):
                sheet.lines.append(number)
                sheet.rows.append(row)
    except csv.Error as error:
        at = f"{name}, after row {sheet.lines[-1] if sheet.lines else 0}"
        fix = "close the quotation marks, or take them out"
        raise InputError(name, [Problem(at, str(error), "cells with closed quotation marks", fix)]) from None
    if sheet.rows:
        opened.sheets.append(sheet)
    return opened


def _measure(name: str, row: int, width: int, cells: int, most: int = MAX_CELLS) -> None:
    problem = None
    if width > MAX_COLUMNS:
        problem = Problem(f"{name}, row {row}", f"{width:,} cells", f"at most {MAX_COLUMNS:,}", "split the table")
    elif row > MAX_ROWS or cells > most:
        found = f"more than {most:,} cells" if cells > most else f"more than {MAX_ROWS:,} rows"
        problem = Problem(name, found, "fewer", "split the file, or keep the figures of one area")
    if problem:
        raise InputError(name, [problem])


def separator_of(text: str) -> str:
    """Return what stands between the cells of a text: the mark by which most rows have equally many, else a comma."""
    lines = [line for line in text[:50_000].split("\n")[:200] if line.strip()]
    marks = []
    for order, mark in enumerate(SEPARATORS):
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=mark) if row]
        except csv.Error:
            continue
        common = max(set(widths), key=lambda width: (widths.count(width), width)) if widths else 1
        if common > 1:
            share = widths.count(common) / len(widths)
            marks.append((share + 0.2 * (mark == "\t"), common, -order, mark))
    return max(marks)[-1] if marks else ","


# --- workbooks -----------------------------------------------------------------------------------------


def _workbook(content: bytes, name: str) -> Opened:
    """Read the sheets of a workbook. What openpyxl raises on a damaged file has no common class."""
    from openpyxl import load_workbook

    opened = Opened(name, [])
    try:
        macros = check_parts(content, name)
        with warnings.catch_warnings():  # drop-downs and styles that openpyxl cannot keep: nothing is written back
            warnings.simplefilter("ignore")
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
    shown_percent = _percent_styles(book)
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
            _measure(sheet.title, number, width, cells, min(most, MAX_CELLS))
            if not filled:
                continue
            contents: list[Any] = [None] * width
            for cell in filled:
                contents[cell["column"] - 1] = cell["value"]
                if cell["style_id"] in shown_percent and isinstance(cell["value"], (int, float)):
                    sheet.percent.add((len(sheet.rows), cell["column"] - 1))
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


def _percent_styles(book) -> set[int]:
    from openpyxl.styles.numbers import BUILTIN_FORMATS, BUILTIN_FORMATS_MAX_SIZE

    found = set()
    for place, style in enumerate(book._cell_styles):
        number = style.numFmtId
        own = number - BUILTIN_FORMATS_MAX_SIZE
        if number in BUILTIN_FORMATS:
            text = BUILTIN_FORMATS[number]
        else:
            text = book._number_formats[own] if 0 <= own < len(book._number_formats) else ""
        if "%" in text:
            found.add(place)
    return found


def _merged(cells) -> Iterator[tuple[int, int, int, int]]:
    for joined in (cells.mergeCell if cells is not None else [])[:MAX_MERGED]:
        left, top, right, bottom = joined.bounds
        yield top, left - 1, bottom, right - 1


def _hidden(listed, parser) -> str:
    rows = [number for number, about in parser.row_dimensions.items() if about.get("hidden") in ("1", "true")]
    columns = [name for name, about in parser.column_dimensions.items() if about.get("hidden") in ("1", "true")]
    told = ["a hidden sheet"] if listed.sheet_state != "visible" else []
    told += [f"hidden rows {', '.join(rows[:10])}" + (" and more" if len(rows) > 10 else "")] if rows else []
    told += [f"hidden columns from {', '.join(columns[:10])}"] if columns else []
    return "; ".join(told)
