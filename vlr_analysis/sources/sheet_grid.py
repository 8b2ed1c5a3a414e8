"""A grid of filled cells with addresses: what a text file or a worksheet is once it has been opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import Repair

MAX_CELLS = 6_000_000
MAX_COLUMNS = 16_384  # as many as a spreadsheet program can show
MAX_ROWS = 1_048_576
MAX_FIGURES = 50_000  # of one place, from one source: read within 2 seconds and 200 MB


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
    percent_sign : set of (int, int)
        Places of numbers that the program shows as they are, with a percent sign behind them.
    merged : list of (int, int, int, int)
        First row, first column, last row, last column of joined cells: row numbers of the file, columns from 0.
    hidden : str
        What the program does not show: hidden rows and columns, or a hidden sheet.
    decimal : str
        Which mark the kind of file suggests before decimals, where the cells do not show it; empty: none.
    separator : str
        What stands between the cells of a text file.
    shift : int
        How many columns stand here for the first column of the file, less one (Eurostat joins several by commas).
    """

    file: str
    name: str = ""
    lines: list[int] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    percent: set[tuple[int, int]] = field(default_factory=set)
    percent_sign: set[tuple[int, int]] = field(default_factory=set)
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    hidden: str = ""
    decimal: str = ""
    separator: str = ""
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


@lru_cache(maxsize=MAX_COLUMNS)
def letters(column: int) -> str:
    """Return the letters by which a spreadsheet calls a column, A for 0."""
    name, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def measure(name: str, row: int, width: int, cells: int, most: int = MAX_CELLS) -> None:
    """Refuse a row or a grid of more cells than a reader can hold in time and memory."""
    problem = None
    if width > MAX_COLUMNS:
        problem = Problem(f"{name}, row {row}", f"{width:,} cells", f"at most {MAX_COLUMNS:,}", "split the table")
    elif row > MAX_ROWS or cells > most:
        found = f"more than {most:,} cells" if cells > most else f"more than {MAX_ROWS:,} rows"
        problem = Problem(name, found, "fewer", "split the file, or keep the figures of one area")
    if problem:
        raise InputError(name, [problem])
