"""CSV files of the kit's own form as text: in bulk where a file is clean, row by row where something is to be told."""

from __future__ import annotations

import csv
import io
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from vlr_analysis.cell_text import original
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.observations import NUMBERS


def read_csv(path: Path, known: Iterable[str], required: Iterable[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Read a CSV file as text, cells stripped; return the rows that hold something, and their row numbers in the file.

    Parameters
    ----------
    path : Path
        UTF-8, with or without a byte-order mark; commas, or semicolons with decimal commas.
    known, required : iterable of str
        Columns that the file may have, and those that it must have.

    Returns
    -------
    frame : DataFrame
        Text; a column of `NUMBERS` is float64 already where each of its cells is a number or empty.
    lines : ndarray of int
        Row 1 is the header.

    Raises
    ------
    InputError
        With every problem: not UTF-8, columns unknown, missing or twice, rows of the wrong length, quotation marks
        that are not closed.
    """
    content = path.read_bytes()
    return _in_bulk(content, known, required) or _row_by_row(content, known, required, path.name)


def decode(content: bytes, name: str) -> str:
    """Return the text of a UTF-8 file, with or without a byte-order mark.

    Raises
    ------
    InputError
        The bytes are not UTF-8; the message names the row and the byte.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        at = error.start
    row = content[:at].count(b"\n") + 1
    raise InputError(name, [not_utf8(name, row, content[at], content[:2], b"\0" in content)])


def not_utf8(name: str, row: int, byte: int, begin: bytes, zeros: bool) -> Problem:
    """Make the message about a file that is no UTF-8: where, and what it may be instead."""
    found = "UTF-16" if begin in (b"\xff\xfe", b"\xfe\xff") or zeros else f"the byte 0x{byte:02x}"
    fix = 'save it again as "CSV UTF-8 (comma delimited)"'
    return Problem(f"{name}, row {row}", found, "text in UTF-8", fix)


# --- in bulk -----------------------------------------------------------------------------------


def _in_bulk(content: bytes, known: Iterable[str], required: Iterable[str]) -> tuple[pd.DataFrame, np.ndarray] | None:
    """Read a clean file at once; None where anything is odd, so that the careful reader can say what it is."""
    head = clean_header(content[: content.find(b"\n") + 1])
    if head is None or column_problems(head[0], known, required, "") or not Quotes(head[1]).right(content, last=True):
        return None
    try:
        with open_stream(pa.BufferReader(content), *head, block=len(content) + 1) as stream:
            table = stream.read_all()
    except pa.ArrowInvalid:
        return None
    if not len(table) or any(
        pc.max(pc.binary_length(column)).as_py() > csv.field_size_limit() for column in table.columns
    ):
        return None
    table, lines = stripped(table, first=2)
    marks = Marks(head[1], "")
    marks.look(table, lines)
    if marks.problem:
        return None
    table = with_point(table, head[1])
    frame = {}
    for name in table.column_names:
        numbers = as_numbers(table[name]) if name in NUMBERS else None
        frame[name] = table[name].to_pandas().astype(str) if numbers is None else numbers.to_pandas()
    return pd.DataFrame(frame), lines


def clean_header(line: bytes) -> tuple[list[str], str] | None:
    """Return the columns and the separator of a plain first line; None where it takes care to read it."""
    try:
        text = line.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
        separator = separator_of(text)
        (cells,) = csv.reader([text], delimiter=separator, strict=True)
    except (ValueError, csv.Error):
        return None
    return None if "\r" in text else ([cell.strip() for cell in cells], separator)


def separator_of(header: str) -> str:
    """Return the sign between the cells: the more frequent in the header, comma if in doubt."""
    return ";" if header.count(";") > header.count(",") else ","


class Quotes:
    """Whether quotation marks stand only where they may: around whole cells, doubled inside them.

    The quick reader passes over stray marks that the careful one names. Feed a file in pieces, in order.
    """

    def __init__(self, separator: str):
        self._beside = np.frombuffer(f'{separator}\n\r"'.encode(), dtype=np.uint8)
        self._begun = self._inside = False
        self._carried = b"\n"  # a byte that is judged, and the one whose neighbour is not known yet

    def right(self, piece: bytes, *, last: bool) -> bool:
        """Look at the next piece; a piece with a zero byte is not right either."""
        if not self._begun:
            piece, self._begun = piece.removeprefix(BOM_UTF8), True
        content = self._carried + piece + (b"\n" if last else b"")
        data = np.frombuffer(content, dtype=np.uint8)
        at = np.flatnonzero(data[1:-1] == ord('"')) + 1
        opens = np.arange(len(at)) % 2 == int(self._inside)
        beside = np.where(opens, data[at - 1], data[at + 1])
        self._inside ^= bool(len(at) % 2)
        self._carried = content[-2:]
        return bool(np.isin(beside, self._beside).all()) and b"\0" not in piece and not (last and self._inside)


def open_stream(
    file: pa.NativeFile, columns: list[str], separator: str, block: int = 1 << 23
) -> pyarrow.csv.CSVStreamingReader:
    """Open a stream of record batches of text below the header; pyarrow.ArrowInvalid where a row has other cells."""
    return pyarrow.csv.open_csv(
        file,
        pyarrow.csv.ReadOptions(use_threads=False, block_size=min(block, 2**31 - 1), column_names=columns, skip_rows=1),
        pyarrow.csv.ParseOptions(delimiter=separator, newlines_in_values=True, ignore_empty_lines=False),
        pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(columns, pa.string()), strings_can_be_null=False),
    )


def stripped(table: pa.Table, first: int) -> tuple[pa.Table, np.ndarray]:
    """Strip every cell and leave out wholly empty rows; return the rest and its row numbers, counted from `first`."""
    table = pa.table([_plain(pc.utf8_trim_whitespace(column)) for column in table.columns], table.column_names)
    filled = np.zeros(len(table), dtype=bool)
    for column in table.columns:
        if filled.all():
            break
        filled |= pc.not_equal(column, "").to_numpy()
    lines = np.flatnonzero(filled) + first
    return (table if filled.all() else table.filter(pa.array(filled))), lines


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Take off the apostrophe that keeps a text from being a formula."""
    if not pc.any(pc.starts_with(column, "'")).as_py():
        return column
    return pa.chunked_array([[original(text) for text in column.to_pylist()]], pa.string())


def with_point(table: pa.Table, separator: str) -> pa.Table:
    """Turn the decimal commas of a file with semicolons into points; see `Marks`."""
    for place, name in enumerate(table.column_names):
        if separator == ";" and name in NUMBERS:
            table = table.set_column(place, name, pc.replace_substring(table[name], ",", "."))
    return table


class Marks:
    """Whether every comma of a file with semicolons stands before decimals, and no point at thousands.

    Feed it the cells in pieces, before `with_point`. `cells.decimal_mark` judges a whole file in the same way: a file
    that has both marks is read there, or refused, but never taken with another number than there.

    Parameters
    ----------
    separator, name : str
        What stands between the cells; name of the file.
    """

    def __init__(self, separator: str, name: str):
        self._separator, self._name = separator, name
        self._comma = self._point = False  # one of them stands before decimals beyond doubt
        self._odd: dict[str, tuple[str, str]] = {}  # by mark: the first cell in which it could stand at thousands

    def look(self, table: pa.Table, lines: np.ndarray) -> None:
        """Look at the next cells; `lines` are the numbers of their rows."""
        for name in NUMBERS if self._separator == ";" else ():
            if name not in table.column_names:
                continue
            column = table[name]
            for mark, other, grouped in ((",", ".", _COMMAS), (".", ",", _POINTS)):
                has = pc.match_substring(column, mark)
                if not pc.any(has).as_py():
                    continue
                thousands = pc.match_substring_regex(column, grouped)
                plain = pc.any(pc.and_not(has, thousands)).as_py()
                self._comma, self._point = (
                    self._comma or (plain and mark == ","),
                    self._point or (plain and mark == "."),
                )
                odd = pc.and_not(thousands, pc.match_substring(column, other)).to_numpy()
                if mark not in self._odd and (odd & has.to_numpy()).any():
                    at = int(np.flatnonzero(odd & has.to_numpy())[0])
                    self._odd[mark] = f"{self._name}, row {lines[at]}, column {name}", repr(column[at].as_py())

    @property
    def problem(self) -> Problem | None:
        """The first cell that `with_point` would read as another number than `cells.decimal_mark`, as a message."""
        wrong = self._odd.get("." if self._comma or not self._point else "")
        wrong = wrong or (self._odd.get(",") if self._point else None)
        if wrong is None:
            return None
        fix = "write thousands without a mark, and one mark before decimals in the whole file"
        return Problem(*wrong, "a number that can be read in one way", fix)


_COMMAS = r"^-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$"  # as `cells` reads thousands
_POINTS = r"^-?[1-9]\d{0,2}(\.\d{3})+(,\d+)?$"


def as_numbers(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return cells as float64, empty ones as NaN; None where one is no plain number, for the check to name."""
    empty = pc.equal(column, "")
    try:
        numbers = pc.if_else(empty, "0", column).cast(pa.float64())
    except pa.ArrowInvalid:
        return None
    if not pc.all(pc.is_finite(numbers)).as_py():
        return None
    return pc.if_else(empty, float("nan"), numbers)


TOLD = 1000  # rows of another length that are told; a file with more of them is wrong as a whole

# --- row by row --------------------------------------------------------------------------------


def _row_by_row(
    content: bytes, known: Iterable[str], required: Iterable[str], name: str
) -> tuple[pd.DataFrame, np.ndarray]:
    """Read any file; every problem is named."""
    text = decode(content, name)
    separator = separator_of(text.split("\n", 1)[0])
    rows = list(careful_rows(io.StringIO(text, newline=""), separator, name))
    columns = [column.strip() for column in rows[0]] if rows else []
    while columns and columns[-1] == "" and all(not any(row[len(columns) - 1 :]) for row in rows[1:]):
        columns.pop()  # an Excel export often ends its lines with empty cells
    problems = column_problems(columns, known, required, name)
    kept, lines = [], []
    for number, row in enumerate(rows[1:], start=2):
        cells = fitted(row, len(columns))
        if not any(cells):
            continue
        if len(cells) != len(columns):
            problems.append(wrong_length(f"{name}, row {number}", len(cells), len(columns)))
            if len(problems) >= TOLD:
                rest = f"{len(rows) - number:,} rows that were not looked at"
                problems.append(Problem(name, rest, "rows as long as the header", "mend those above first"))
                break
            continue
        kept.append(cells)
        lines.append(number)
    marks = Marks(separator, name)
    if not problems and kept and separator == ";":
        marks.look(
            pa.table([pa.array(cells, pa.string()) for cells in zip(*kept, strict=True)], columns), np.array(lines)
        )
    raise_if_any(name, [*problems, *([marks.problem] if marks.problem else [])])
    frame = pd.DataFrame(kept, columns=columns, dtype=str)
    if separator == ";":
        for column in NUMBERS:
            if column in frame:
                frame[column] = frame[column].str.replace(",", ".", regex=False)
    return frame, np.array(lines, dtype=int)


def careful_rows(file: Iterable[str], separator: str, name: str) -> Iterator[list[str]]:
    """Yield the cells of each row; InputError where quotation marks are not closed."""
    try:
        yield from csv.reader(file, delimiter=separator, strict=True)
    except csv.Error as error:
        problem = Problem(name, str(error), "rows with closed quotation marks", "mend the quotation marks")
        raise InputError(name, [problem]) from None


def fitted(row: list[str], width: int) -> list[str]:
    """Strip the cells of a row, and leave out empty ones past its width."""
    cells = [original(cell.strip()) for cell in row]
    while len(cells) > width and cells[-1] == "":
        cells.pop()
    return cells


def wrong_length(where: str, found: int, expected: int) -> Problem:
    """Make the message about a row that has more or fewer cells than the header."""
    fix = "put text that holds a comma in quotation marks, or add the missing cells"
    return Problem(where, f"{found} cells", f"{expected} cells, as in the header", fix)


def column_problems(columns: list[str], known: Iterable[str], required: Iterable[str], name: str) -> list[Problem]:
    """Name every column that is unknown, missing or there twice."""
    known, required = list(known), list(required)
    expected = f"the columns {', '.join(known)}"
    problems = []
    if not columns:
        return [Problem(f"{name}, row 1", "no header", expected, "write the names of the columns in the first row")]
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            problems.append(
                Problem(f"{name}, column {column!r}", f"{columns.count(column)} times", "once", "remove one")
            )
        if column not in known:
            near = get_close_matches(column.lower(), known, n=1, cutoff=0.6)
            fix = f"did you mean {near[0]!r}?" if near else "remove the column, or make it a breakdown"
            problems.append(Problem(f"{name}, column {column!r}", "an unknown column", expected, fix))
    missing = [column for column in required if column not in columns]
    problems += [Problem(f"{name}, column {column!r}", "nothing", "this column", "add it") for column in missing]
    return problems
