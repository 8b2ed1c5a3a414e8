"""The store: large tables of many areas become one checked Parquet file per area, each whole or not at all."""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from filelock import FileLock, Timeout

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.observations import COLUMNS, examine, is_slug
from vlr_analysis.sources.store_split import Split, Told, split

WRITTEN, REPLACED, UNCHANGED, HELD = "written", "replaced", "unchanged", "held back"
REGISTERS = ("areas", "indicators", "sources")  # names of the kit's own tables
LONGEST = 100  # letters of an id; file systems take some 250 bytes, and a path must fit around it
_OF_WINDOWS = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")  # names of devices, no files
_WORK = ".import"


@dataclass(frozen=True)
class AreaReport:
    """What became of one area.

    Attributes
    ----------
    area : str
    rows : int
        Observations of the area in the source.
    outcome : str
        written, replaced, unchanged, or held back.
    problems : int
        Faults of its figures; zero unless held back.
    """

    area: str
    rows: int
    outcome: str
    problems: int = 0


@dataclass(frozen=True)
class ImportReport:
    """What became of a large table.

    Attributes
    ----------
    source : str
        Name of the file or folder that was read.
    areas : tuple of AreaReport
        In order of their ids.
    problems : tuple of Problem
        The first of each kind.
    untold : tuple of (str, str, int)
        Column, what was expected there, and how many more problems of this kind there are.
    """

    source: str
    areas: tuple[AreaReport, ...]
    problems: tuple[Problem, ...]
    untold: tuple[tuple[str, str, int], ...]

    @property
    def whole(self) -> bool:
        """Whether every area of the source is in the store now."""
        return not self.problems

    def lines(self) -> Iterator[str]:
        """Yield what to print: the problems, the areas that were held back, and the sum."""
        for problem in self.problems:
            yield f"- {problem}"
        for column, expected, count in self.untold:
            yield f"- {self.source}, {column}: {count} more; expected {expected}"
        for report in self.areas:
            if report.outcome == HELD:
                count = f"{report.problems} problem{'s' * (report.problems != 1)}"
                yield f"{report.area or 'no area'}: held back, {count} in {report.rows} rows"
        counts = Counter(report.outcome for report in self.areas)
        several = ", ".join(f"{counts[outcome]} {outcome}" for outcome in (WRITTEN, REPLACED, UNCHANGED, HELD))
        yield f"{self.source}: {sum(report.rows for report in self.areas)} rows, {len(self.areas)} areas: {several}"


def import_store(
    source: Path,
    folder: Path,
    *,
    replace: bool = False,
    most: int = 5,
    progress: Callable[[str, int, int], None] | None = None,
) -> ImportReport:
    """Take a large table of many areas apart into one checked Parquet file per area.

    Parameters
    ----------
    source : Path
        A CSV or Parquet file in the kit's own columns, or a folder of such files. Rows of an area may lie anywhere.
    folder : Path
        The store, usually `data/`; it is made where it does not exist.
    replace : bool
        Write over figures of an area that are there already and differ.
    most : int
        How many problems of each kind are told in full; all are counted.
    progress : callable, optional
        Called with ("read", bytes read, bytes in all), then with ("check", areas done, areas in all).

    Returns
    -------
    ImportReport
        Areas with problems are named and held back; all others are in the store.

    Raises
    ------
    InputError
        The source as a whole cannot be read, another import writes to the folder, or there is no room on the disk.
        Areas that were delivered before stay, each of them whole; importing again passes over them.

    Notes
    -----
    Rows are dealt out to at most a hundred files in `.import/` below the folder (about the size of the source,
    compressed), then checked area by area: memory is that of the largest area, not of the source. What a killed
    import leaves there is removed by the next.
    """
    progress = progress or (lambda stage, done, of: None)
    told = Told(most)
    try:
        with _working_folder(folder) as work:
            parts = split(source, work, told, progress)
            task = _Task(source.name, parts.files, folder, work, told, replace)
            reports = _deliver(parts, task, progress)
    except OSError as error:
        found = (error.strerror or str(error)).lower()
        fix = "make room or correct the rights, then import again: areas that are there already are passed over"
        problem = Problem(f"{source.name} to {folder.name}/", found, "a source to read, and room to write", fix)
        raise InputError(source.name, [problem]) from None
    problems = tuple(problem for examples in told.examples.values() for problem in examples)
    rest = ((*kind, count - len(told.examples[kind])) for kind, count in told.counts.items())
    return ImportReport(source.name, tuple(reports), problems, tuple(item for item in rest if item[-1]))


@contextmanager
def _working_folder(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside the store, for one import at a time; nothing of it stays."""
    work, lock = folder / _WORK, FileLock(folder / f"{_WORK}.lock")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        problem = Problem(
            f"{folder.name}/", "another import into it", "one import at a time", "wait until it has ended"
        )
        raise InputError(folder.name, [problem]) from None
    try:
        shutil.rmtree(work, ignore_errors=True)  # of an import that was killed
        work.mkdir()
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        lock.release()
        with suppress(OSError):
            Path(lock.lock_file).unlink(missing_ok=True)


# --- area by area ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Task:
    source: str
    files: list[str]
    folder: Path
    work: Path
    told: Told
    replace: bool


def _deliver(parts: Split, task: _Task, progress: Callable[[str, int, int], None]) -> list[AreaReport]:
    problems, outcomes = Counter(parts.odd), {}
    areas = sorted(parts.rows.keys() | parts.odd.keys())
    for bucket in parts.buckets:
        with pa.OSFile(str(bucket), "rb") as file, pa.ipc.open_stream(file) as stream:
            table = stream.read_all()
        bucket.unlink()
        for area, figures in _good_areas(table, problems, task):
            outcome = _put(area, figures, task)
            if isinstance(outcome, Problem):
                problems[area] += task.told.add(("files", outcome.expected), [outcome], _itself)
            else:
                outcomes[area] = outcome
            progress("check", len(outcomes), len(areas))
    progress("check", len(areas), len(areas))
    return [AreaReport(area, parts.rows[area], outcomes.get(area, HELD), problems[area]) for area in areas]


def _good_areas(table: pa.Table, problems: Counter, task: _Task) -> Iterator[tuple[str, pa.Table]]:
    """Check a bucket, count the problems of each area, and yield the areas that have none with their figures."""
    areas = table["area"].combine_chunks().dictionary_encode()
    codes, names = areas.indices.to_numpy(), areas.dictionary.to_pylist()
    places = _Places(table["file"].to_numpy(), table["row"].to_numpy(), task.files)
    frame = table.select(COLUMNS).to_pandas()
    checked, faults = examine(frame, name=task.source, rows=places)
    for fault in faults:
        if fault.kind[0] != "column area":  # told once for each area, below
            task.told.add(fault.kind, fault.rows, fault.tell)
            counts = np.bincount(codes[fault.rows], minlength=len(names)).tolist()
            problems.update(dict(zip(names, counts, strict=True)))
    firsts = np.unique(codes, return_index=True)[1]
    for area, first, count in zip(names, firsts, np.bincount(codes).tolist(), strict=True):
        unusable = _unusable(area, f"{task.source}, row {places[first]}, column area", count)
        if unusable is not None:
            problems[area] += task.told.add(("column area", unusable.expected), [unusable], _itself)
    good = np.array([not problems[area] for area in names], dtype=bool)
    if not good.all():
        checked, _ = examine(frame[good[codes]], name=task.source)
    figures = pa.Table.from_pandas(checked, preserve_index=False)
    codes, names = pd.factorize(checked["area"])  # sorted by area
    ends = np.cumsum(np.bincount(codes)).tolist()
    for area, begin, end in zip(names, [0, *ends], ends, strict=False):
        yield area, figures.slice(begin, end - begin)


@dataclass(frozen=True)
class _Places:
    """Where each row stood: its number, and of several files which."""

    file: np.ndarray
    row: np.ndarray
    files: list[str]

    def __getitem__(self, place: int) -> str:
        of = f" of {self.files[self.file[place]]}" if len(self.files) > 1 else ""
        return f"{self.row[place]}{of}"


def _itself(problem: Problem) -> Problem:
    return problem


def _unusable(area: str, where: str, count: int) -> Problem | None:
    """Name an id that no file can be called by, on any system."""
    found = f"{area!r} in {count} row{'s' * (count != 1)}" if area else f"nothing in {count} row{'s' * (count != 1)}"
    if not is_slug(area) or len(area) > LONGEST:
        expected = f"a slug such as los-angeles, of at most {LONGEST} letters"
        return Problem(where, found, expected, "use lower-case letters, digits and hyphens")
    if area in REGISTERS or _OF_WINDOWS.fullmatch(area):
        expected = "a name that neither the kit nor Windows keeps for itself"
        return Problem(where, found, expected, f"choose another id, such as {area}-city")
    return None


def _put(area: str, figures: pa.Table, task: _Task) -> str | Problem:
    """Move the file of an area into the store; say what became of it, or why it could not."""
    part, target = task.work / f"{area}.parquet", task.folder / f"{area}.parquet"
    where = f"{task.folder.name}/{area}"
    if target.with_suffix(".csv").exists():
        fix = f"move {area}.csv away: a run would read it and never the new file"
        return Problem(f"{where}.csv", "figures of this area as CSV", "one file per area", fix)
    exists = target.exists()
    pq.write_table(figures, part)
    if exists and target.read_bytes() == part.read_bytes():
        part.unlink()
        return UNCHANGED
    if exists and not task.replace:
        part.unlink()
        fix = "ask for figures to be replaced, or take the area out of the table"
        return Problem(f"{where}.parquet", "other figures of this area", "none, or the same", fix)
    part.replace(target)
    return REPLACED if exists else WRITTEN
