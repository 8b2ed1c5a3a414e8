"""A register of evidence on its way in: the cells of a CSV file or of a worksheet as texts, each with its place."""

from __future__ import annotations

import csv
import io
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import pandas as pd

from vlr_analysis.cell_text import original
from vlr_analysis.errors import InputError, Problem, listed, raise_if_any
from vlr_analysis.sources.cells import shown
from vlr_analysis.sources.kit import decode
from vlr_analysis.sources.sheet_book import check_parts, unheard
from vlr_analysis.sources.sheet_grid import letters

SHEET = "voices"
MAX_CELLS = 500_000  # of a worksheet, counted with the empty ones before filled ones
EXAMPLE = "EXAMPLE"  # a row that begins with this word is never counted


@dataclass(frozen=True)
class Unreadable:
    """What stands in a cell and cannot be used: what was found, what is expected, and the fix."""

    found: str
    expected: str
    fix: str


@dataclass
class Grid:
    """The rows below a header, and what was told of them.

    Attributes
    ----------
    name, sheet : str
        File and worksheet; no sheet for a CSV file.
    places : dict
        Column name -> place in a row, from 0.
    rows : list of (row number in the file, cells)
    problems : list of Problem
    repaired : Counter
        What was repaired, how often.
    faulty : set of (row from 0, column)
        Cells of which a problem was told: later rules pass them over.
    """

    name: str
    sheet: str = ""
    places: dict[str, int] = field(default_factory=dict)
    rows: list[tuple[int, list]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    repaired: Counter = field(default_factory=Counter)
    faulty: set[tuple[int, str]] = field(default_factory=set)

    def where(self, rows: int | list[int], column: str = "") -> str:
        """Name cells as their program does: ``x.xlsx, voices!C4``, or ``x.csv, row 4, column kind``."""
        numbers = [self.rows[i][0] for i in (rows if isinstance(rows, list) else [rows])]
        if self.sheet and column in self.places:
            cells = (f"{letters(self.places[column])}{number}" for number in numbers)
            return f"{self.name}, {self.sheet}!{', '.join(cells)}"
        place = f"{self.name}, {self.sheet + '!' if self.sheet else ''}row{'s' if len(numbers) > 1 else ''} "
        return place + ", ".join(map(str, numbers)) + (f", column {column}" if column else "")

    def tell(self, row: int, column: str, wrong: Unreadable) -> None:
        """Note what is wrong in one cell."""
        self.problems.append(Problem(self.where(row, column), wrong.found, wrong.expected, wrong.fix))
        self.faulty.add((row, column))

    def texts(self, columns: Sequence[str], codes: dict[str, Collection[str]]) -> pd.DataFrame:
        """Return the cells as texts; columns that the file lacks are empty.

        Parameters
        ----------
        columns : sequence of str
        codes : dict
            Column -> codes that it may hold, to notice where a number has lost the zero at its end.
        """
        table = {column: [""] * len(self.rows) for column in columns}
        for i, (_, row) in enumerate(self.rows):
            for column, place in self.places.items():
                cell = row[place] if place < len(row) else None
                content = _as_text(cell, column, codes.get(column, ()))
                if isinstance(content, Unreadable):
                    self.tell(i, column, content)
                    continue
                self.repaired["letters composed (Unicode NFC)"] += isinstance(cell, str) and content != cell.strip()
                table[column][i] = content
        return pd.DataFrame(table, columns=list(columns), dtype=object)


def read_grid(path: Path, columns: Sequence[str], required: Sequence[str]) -> Grid:
    """Read the cells of a register.

    Parameters
    ----------
    path : Path
        ``.csv`` in UTF-8, or ``.xlsx``.
    columns, required : sequence of str
        Names that the header may, and must, hold.

    Returns
    -------
    Grid
        Without places where the file holds nothing but empty cells.

    Raises
    ------
    InputError
        The file cannot be read, or its header is wrong: nothing below it could be trusted.
    """
    kind = path.suffix.casefold()
    if kind not in (".csv", ".xlsx"):
        fix = "save it as .xlsx or as CSV UTF-8"
        raise InputError(path.name, [Problem(path.name, f"the ending {path.suffix!r}", ".csv or .xlsx", fix)])
    content = _content(path)
    sheet, rows, repaired = _worksheet(content, path.name) if kind == ".xlsx" else _lines(content, path.name)
    filled = [(number, row) for number, row in enumerate(rows, 1) if any(_is_filled(cell) for cell in row)]
    filled = [(number, row) for number, row in filled if not str(row[0]).startswith(EXAMPLE)]
    repaired["empty row passed over"] += len(rows) - len(filled)
    grid = Grid(path.name, sheet, rows=filled[1:], repaired=repaired)
    if filled:
        _read_header(grid, *filled[0], columns, required)
    return grid


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError:
        near = get_close_matches(path.name, [other.name for other in path.parent.glob("*")], n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else "check the name and the folder"
        raise InputError(path.name, [Problem(path.name, "no such file", "a register of evidence", fix)]) from None
    if not content:
        fix = "write a header and one row for each statement"
        raise InputError(path.name, [Problem(path.name, "an empty file", "a register of evidence", fix)])
    return content


def _lines(content: bytes, name: str) -> tuple[str, list[list], Counter]:
    text = decode(content, name)
    head = text.lstrip().split("\n", 1)[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        rows = [[original(cell) for cell in line] for line in lines]
    except csv.Error as error:
        problem = Problem(name, str(error), "rows with closed quotation marks", "mend the quotation marks")
        raise InputError(name, [problem]) from None
    marks = {"byte-order mark": content.startswith(b"\xef\xbb\xbf"), "semicolons between cells": separator == ";"}
    return "", rows, Counter({what: 1 for what, seen in marks.items() if seen})


def _worksheet(content: bytes, name: str) -> tuple[str, list[list], Counter]:
    """Read the sheet of the register: values alone. What openpyxl raises on a damaged file has no common class."""
    from openpyxl import load_workbook

    try:
        check_parts(content, name)
        with unheard():
            book = load_workbook(io.BytesIO(content), read_only=True)
            named = [sheet for sheet in book.worksheets if sheet.title.strip().casefold() == SHEET]
            titles = [sheet.title for sheet in book.worksheets]
            sheet = (named or book.worksheets)[0] if len(named or titles) == 1 else None
            rows = [] if sheet is None else _cells_of(sheet, name)
    except InputError:
        raise
    except Exception:
        fix = "open it in a spreadsheet program and save it again as .xlsx, without a password"
        raise InputError(name, [Problem(name, "no readable workbook", "an .xlsx file", fix)]) from None
    if sheet is None:
        fix = f"call the sheet of the register {SHEET}"
        found = f"the sheets {listed(titles)}" if titles else "no sheet"
        raise InputError(name, [Problem(name, found, f"one sheet, or one that is called {SHEET}", fix)])
    return sheet.title, rows, Counter()


def _cells_of(sheet, name: str) -> list[list]:
    sheet.reset_dimensions()  # some programs write dimensions that are wrong
    rows, cells = [], 0
    for row in sheet.iter_rows():  # padded: one cell far out makes a million empty ones
        cells += max(len(row), 1)
        if cells > MAX_CELLS:
            fix = "copy the rows of the register into a new workbook and save that"
            raise InputError(name, [Problem(f"{name}, {sheet.title}", f"more than {MAX_CELLS:,} cells", "fewer", fix)])
        rows.append([_value(cell) for cell in row])
    return rows


def _value(cell) -> Any:
    if cell.data_type == "f":
        expected = "the value itself: a formula holds what some program last made of it"
        return Unreadable("a formula", expected, "paste the value in place of the formula")
    if cell.data_type == "e":
        return Unreadable(f"the error {cell.value}", "a value", "correct the cell, or empty it")
    return cell.value


def _is_filled(cell) -> bool:
    return bool(cell.strip()) if isinstance(cell, str) else cell is not None


def _read_header(grid: Grid, number: int, header: list, columns: Sequence[str], required: Sequence[str]) -> None:
    names = [cell.found if isinstance(cell, Unreadable) else str(cell or "").strip().casefold() for cell in header]
    problems = []
    for place, column in enumerate(names):
        at = f"{grid.name}, {grid.sheet + '!' if grid.sheet else 'row '}"
        at += f"{letters(place)}{number}" if grid.sheet else f"{number}, cell {place + 1}"
        if column in grid.places:
            problems.append(Problem(at, f"{column!r} again", "each column once", "remove one of the two"))
        elif column in columns:
            grid.places[column] = place
        elif column or any(len(row) > place and _is_filled(row[place]) for _, row in grid.rows):
            near = get_close_matches(column, columns, n=1, cutoff=0.6)
            fix = f"did you mean {near[0]!r}?" if near else "remove the column, or move its text to note"
            found = f"the column {shown(column)}" if column else "a column without a name"
            problems.append(Problem(at, found, f"the columns {', '.join(columns)}", fix))
    missing = [column for column in required if column not in grid.places]
    if missing:
        at = f"{grid.name}, {grid.sheet + '!' if grid.sheet else ''}row {number}"
        problems.append(Problem(at, f"no column {', '.join(missing)}", "a header with them", "add them"))
    raise_if_any(grid.name, problems)
    for i, (_, row) in enumerate(grid.rows):
        if any(_is_filled(cell) for cell in row[len(names) :]):
            fix = "put text that holds the separator in quotation marks, or empty the cells beyond the header"
            grid.problems.append(Problem(grid.where(i), f"{len(row)} cells", f"{len(names)}, as in the header", fix))


def _as_text(value: Any, column: str, codes: Collection[str]) -> str | Unreadable:
    """Return what a cell says. A spreadsheet program may have turned a code into a number or into a date."""
    if value is None or isinstance(value, Unreadable):
        return value or ""
    if isinstance(value, datetime):
        if column == "period" and value.time() == datetime.min.time():
            return value.date().isoformat()
        fix = "format the cell as text and type it again"
        return Unreadable(f"the date {value:%Y-%m-%d}", "text: a program has made a date of what was typed", fix)
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if not isinstance(value, str) and f"{value}0" in codes:
        fix = "format the cell as text and type the code again"
        return Unreadable(f"the number {value}", f"text: as numbers, {value} and {value}0 are the same", fix)
    return unicodedata.normalize("NFC", str(value)).strip()
