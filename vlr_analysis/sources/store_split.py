"""Large tables taken apart: rows of many areas, in any order, to few files on disk in which an area lies together."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.observations import COLUMNS, NUMBERS
from vlr_analysis.sources import kit_csv, kit_parquet
from vlr_analysis.sources.kit import REQUIRED

BLOCK = 1 << 23  # bytes of CSV read at a time
ROWS = 1 << 16  # rows of Parquet read at a time
CAREFUL_ROWS = 1 << 14
BUCKET = 1 << 26  # bytes of text that one bucket should hold
MOST_BUCKETS = 100  # files open at once: the least that systems allow is some 250
PARQUET_ROW = 150  # bytes that a row may come to

_SPILL = pa.schema(
    [(name, pa.float64() if name in NUMBERS else pa.large_string()) for name in COLUMNS]
    + [("file", pa.int32()), ("row", pa.int64())]
)
_COMPRESSED = pa.ipc.IpcWriteOptions(compression="lz4")


@dataclass
class Told:
    """What is wrong, counted by kind; of each kind the first few are kept as messages.

    Attributes
    ----------
    most : int
        How many messages of a kind are kept.
    examples : dict
        Kind (where, what was expected) -> list of Problem.
    counts : Counter
        Kind -> how often it was met.
    """

    most: int
    examples: dict[tuple[str, str], list[Problem]] = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)

    def add(self, kind: tuple[str, str], cases: Sequence, tell: Callable[..., Problem]) -> int:
        """Count cases of a kind, and keep the first messages; return how many cases there are."""
        kept = self.examples.setdefault(kind, [])
        kept += [tell(case) for case in cases[: max(0, self.most - len(kept))]]
        self.counts[kind] += len(cases)
        return len(cases)


@dataclass
class Split:
    """Rows of many areas, taken apart.

    Attributes
    ----------
    files : list of str
        Names of the files that were read; `file` in the buckets is a place in it.
    buckets : list of Path
        Each row is in one of them, all rows of an area in the same, in the order of the files.
    rows : Counter
        Area -> rows in the buckets.
    odd : Counter
        Area -> cells and rows that could not be read and are in no bucket.
    """

    files: list[str]
    buckets: list[Path]
    rows: Counter = field(default_factory=Counter)
    odd: Counter = field(default_factory=Counter)


def split(source: Path, spill: Path, told: Told, progress: Callable[[str, int, int], None]) -> Split:
    """Take a large table apart, without holding more of it than a block at a time.

    Parameters
    ----------
    source : Path
        A CSV or Parquet file in the kit's own columns, or a folder of such files.
    spill : Path
        Folder for the buckets.
    told : Told
        Gets what cannot be read: numbers that are none, rows of the wrong length.
    progress : callable
        Called with "read", bytes read and bytes in all.

    Raises
    ------
    InputError
        No such file, no header that fits (of all files at once), not UTF-8, open quotation marks, no Parquet.
    """
    paths = sources_of(source)
    raise_if_any(source.name, [problem for path in paths for problem in _header_problems(path)])
    sizes = [path.stat().st_size for path in paths]
    text = sum(size if path.suffix == ".csv" else _parquet_bytes(path) for path, size in zip(paths, sizes, strict=True))
    count = min(max(1, -(-text // BUCKET)), MOST_BUCKETS)
    out = Split([path.name for path in paths], [spill / f"{number:03d}.arrows" for number in range(count)])
    with ExitStack() as stack:
        writers = [
            stack.enter_context(
                pa.ipc.new_stream(stack.enter_context(pa.OSFile(str(path), "wb")), _SPILL, options=_COMPRESSED)
            )
            for path in out.buckets
        ]
        for number, path in enumerate(paths):
            read = _csv_batches if path.suffix == ".csv" else _parquet_batches
            for table, rows, share in read(path, out, told):
                _deal(_numbered(table, rows, path, number, out, told), writers, out.rows)
                progress("read", int(sum(sizes[:number]) + share * sizes[number]), sum(sizes))
    nothing = Problem(source.name, "no row below the header", "one row per observation", "add the figures")
    raise_if_any(source.name, [] if out.rows or out.odd else [nothing])
    return out


def sources_of(source: Path) -> list[Path]:
    """Return the CSV and Parquet files to read: the one, or those of a folder in order of their names."""
    found = [source] if source.is_file() else []
    if source.is_dir():
        found = [path for path in sorted(source.iterdir()) if path.name[0] not in "._"]
    read = [path for path in found if path.suffix in (".csv", ".parquet")]
    told = f"ending {source.suffix!r}" if source.is_file() else "none" if source.is_dir() else "no such file"
    fix = "save the table as CSV UTF-8 or Parquet" if source.is_file() else "check the name and the folder"
    problem = Problem(source.name, told, "a CSV or Parquet file, or a folder of them", fix)
    raise_if_any(source.name, [] if read else [problem])
    return read


def _parquet_bytes(path: Path) -> int:
    with path.open("rb") as file, pq.ParquetFile(file) as parquet:
        return parquet.metadata.num_rows * PARQUET_ROW


def _header_problems(path: Path) -> list[Problem]:
    if path.suffix == ".csv":
        return kit_csv.column_problems(_csv_header(path)[0], COLUMNS, REQUIRED, path.name)
    try:
        with path.open("rb") as file, pq.ParquetFile(file) as parquet:
            schema = parquet.schema_arrow
    except (OSError, pa.ArrowException) as error:
        return [kit_parquet.not_parquet(path.name, error)]
    columns = kit_parquet.column_names(schema)
    return kit_csv.column_problems(columns, COLUMNS, REQUIRED, path.name) + kit_parquet.type_problems(schema, path.name)


# --- CSV ---------------------------------------------------------------------------------------


def _csv_header(path: Path) -> tuple[list[str], str, bool]:
    """Return columns, separator, and whether the first line is so plain that the file may be read in bulk."""
    with path.open("rb") as file:
        head = kit_csv.clean_header(file.readline())
    if head is not None and all(head[0]):
        return *head, True
    with _text(path) as file:
        separator = kit_csv.separator_of(file.readline())
    with _text(path) as file:
        columns = [cell.strip() for cell in next(kit_csv.careful_rows(file, separator, path.name), [])]
    while columns and columns[-1] == "":
        columns.pop()  # an Excel export often ends its lines with empty cells
    return columns, separator, False


def _csv_batches(path: Path, out: Split, told: Told) -> Iterator[tuple[pa.Table, np.ndarray, float]]:
    """Yield text and row numbers in bulk, and from the first oddity on row by row."""
    columns, separator, plain = _csv_header(path)
    size, row = path.stat().st_size, 2
    marks = kit_csv.Marks(separator, path.name)
    if plain:
        with path.open("rb") as file:
            watched = _Watched(file, separator)
            try:
                with kit_csv.open_stream(pa.PythonFile(watched, "r"), columns, separator, BLOCK) as stream:
                    for batch in stream:
                        table, lines = kit_csv.stripped(pa.Table.from_batches([batch]), first=row)
                        row += len(batch)
                        _refuse_two_marks(marks, table, lines, path.name)
                        yield kit_csv.with_point(table, separator), lines, watched.seen / size
                return
            except pa.ArrowInvalid:
                pass
    with _text(path) as file:
        rows = enumerate(kit_csv.careful_rows(file, separator, path.name), start=1)
        rows = (numbered for numbered in rows if numbered[0] >= row)
        while part := list(islice(rows, CAREFUL_ROWS)):
            kept, lines = _of_right_length(part, columns, path.name, out, told)
            if kept:
                table = pa.table([pa.array(cells, pa.string()) for cells in zip(*kept, strict=True)], columns)
                _refuse_two_marks(marks, table, np.array(lines), path.name)
                yield kit_csv.with_point(table, separator), np.array(lines), file.buffer.tell() / size


def _refuse_two_marks(marks: kit_csv.Marks, table: pa.Table, lines: np.ndarray, name: str) -> None:
    marks.look(table, lines)
    raise_if_any(name, [marks.problem] if marks.problem else [])


class _Watched(io.RawIOBase):
    """A file that stops the reader in bulk where quotation marks stand as it does not expect them."""

    def __init__(self, file: io.BufferedReader, separator: str):
        self._file, self._quotes, self.seen = file, kit_csv.Quotes(separator), 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.seen += len(piece)
        if not self._quotes.right(piece, last=len(piece) < size):
            raise pa.ArrowInvalid("quotation marks")
        return piece


def _of_right_length(
    part: list[tuple[int, list[str]]], columns: list[str], name: str, out: Split, told: Told
) -> tuple[list[list[str]], list[int]]:
    kept, lines = [], []
    place = columns.index("area")
    for number, row in part:
        cells = kit_csv.fitted(row, len(columns))
        if len(cells) == len(columns) and any(cells):
            kept.append(cells)
            lines.append(number)
        elif any(cells):
            problem = kit_csv.wrong_length(f"{name}, row {number}", len(cells), len(columns))
            told.add(("cells of a row", problem.expected), [problem], lambda problem: problem)
            out.odd[cells[place] if place < len(cells) else ""] += 1
    return kept, lines


@contextmanager
def _text(path: Path) -> Iterator[io.TextIOWrapper]:
    """Open a file as UTF-8; where it is none, say in which row."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except UnicodeDecodeError:
        with path.open("rb") as file:
            begin = file.read(2)
            file.seek(0)
            for row, line in enumerate(file, start=1):
                try:
                    line.decode()
                except UnicodeDecodeError as error:
                    problem = kit_csv.not_utf8(path.name, row, line[error.start], begin, b"\0" in line)
                    raise InputError(path.name, [problem]) from None
        raise


# --- Parquet -----------------------------------------------------------------------------------


def _parquet_batches(path: Path, out: Split, told: Told) -> Iterator[tuple[pa.Table, np.ndarray, float]]:
    row = 2
    try:
        with path.open("rb") as file, pq.ParquetFile(file) as parquet:
            names = kit_parquet.column_names(parquet.schema_arrow)
            for batch in parquet.iter_batches(ROWS, columns=names, use_threads=False):
                yield (
                    kit_parquet.plain(pa.Table.from_batches([batch])),
                    row + np.arange(len(batch)),
                    row / (parquet.metadata.num_rows + 2),
                )
                row += len(batch)
    except pa.ArrowException as error:
        raise InputError(path.name, [kit_parquet.not_parquet(path.name, error)]) from None


# --- dealing out -------------------------------------------------------------------------------


def _numbered(table: pa.Table, rows: np.ndarray, path: Path, number: int, out: Split, told: Told) -> pa.Table:
    """Return a batch in the form of the buckets; rows with a number that is none are told and left out."""
    bad = np.zeros(len(table), dtype=bool)
    columns = []
    for name in COLUMNS:
        if name in NUMBERS:
            values, wrong = _numbers(table[name]) if name in table.column_names else (np.full(len(table), np.nan), None)
            if wrong is not None:
                where = partial(_not_a_number, table[name], rows, f"{path.name}, row", name)
                told.add((f"column {name}", "a number"), np.flatnonzero(wrong), where)
                bad |= wrong
            columns.append(pa.array(values))
        elif name in table.column_names:
            columns.append(table[name].cast(pa.large_string()))
        else:
            columns.append(pa.array([""] * len(table), pa.large_string()))
    columns += [pa.array(np.full(len(table), number, dtype=np.int32)), pa.array(rows.astype(np.int64))]
    batch = pa.Table.from_arrays(columns, schema=_SPILL)
    if bad.any():
        out.odd.update(batch["area"].filter(pa.array(bad)).to_pylist())
        batch = batch.filter(pa.array(~bad))
    return batch


def _numbers(column: pa.ChunkedArray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the numbers of a column, and where it holds a text that is none (None: nowhere)."""
    if pa.types.is_floating(column.type):
        return column.to_numpy(), None
    quick = kit_csv.as_numbers(column)
    if quick is not None:
        return quick.to_numpy(), None
    values = np.array([_number(cell) for cell in column.to_pylist()], dtype=object)
    wrong = np.array([value is None for value in values], dtype=bool)
    return np.where(wrong, np.nan, values).astype(float), wrong if wrong.any() else None


def _number(text: str) -> float | None:
    try:
        return float(text or "nan")
    except ValueError:
        return None


def _not_a_number(column: pa.ChunkedArray, rows: np.ndarray, where: str, name: str, row: int) -> Problem:
    found = repr(column[int(row)].as_py())
    return Problem(f"{where} {rows[row]}, column {name}", found, "a number", "write digits with a decimal point")


def _deal(batch: pa.Table, writers: list[pa.ipc.RecordBatchStreamWriter], counted: Counter) -> None:
    """Give every row of a batch to the bucket of its area."""
    areas = batch["area"].combine_chunks().dictionary_encode()
    codes, names = areas.indices.to_numpy(), areas.dictionary.to_pylist()
    counted.update(dict(zip(names, np.bincount(codes, minlength=len(names)).tolist(), strict=True)))
    buckets = np.array([crc32(name.encode()) % len(writers) for name in names], dtype=np.int64)[codes]
    order = np.argsort(buckets, kind="stable")
    batch, ends = batch.combine_chunks().take(pa.array(order)), np.searchsorted(buckets[order], range(len(writers) + 1))
    for writer, begin, end in zip(writers, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        if end > begin:
            writer.write_table(batch.slice(begin, end - begin))
