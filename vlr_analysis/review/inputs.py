"""What the result of a notebook depends on, each with its hash: the ground of the cache and of the certificate."""

from __future__ import annotations

import hashlib
import platform
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, cached_property
from importlib import metadata
from pathlib import Path

import pandas as pd

from vlr_analysis.errors import InputError
from vlr_analysis.method_files import files_of_methods
from vlr_analysis.observations import is_slug
from vlr_analysis.params import DATA, PARAMS, Parameters, city_ids, read_parameters
from vlr_analysis.review.plan import Task
from vlr_analysis.sources.kit import read_sources
from vlr_analysis.sources.reading import origins_path
from vlr_analysis.sources.sheets import open_sheets

PACKAGE = "vlr_analysis"
ENVIRONMENT = "environment"
LOCK = "requirements.lock"
COMMENTS = f"{DATA}/comments"  # pages show them, no notebook reads them
# Chapters that ask for no findings of others: methods of the project do not reach them.
NO_METHODS = ("01_data_readiness", "02_trends", "03_covid_recovery", "04_disparities", "05_local_national",
              "06_city_benchmark", "07_voices")  # fmt: skip
SOURCES = f"{DATA}/sources.csv"
REGISTERS = ("areas", "indicators", "sources", "vlr_counts")


def _text_of(path: Path) -> str:
    """Return a text that holds every id of a source that a file of figures, voices or parameters names."""
    if path.suffix.casefold() == ".xlsx":
        cells = (cell for sheet in open_sheets(path).sheets for row in sheet.rows for cell in row)
        return "\n".join(cell for cell in cells if isinstance(cell, str))
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        return "\n".join(map(str, pq.read_table(path, columns=["source"])["source"].unique().to_pylist()))
    return path.read_text(encoding="utf-8", errors="replace")


class Hashes:
    """SHA-256 of the files of a project and of the installed package, each read once.

    Parameters
    ----------
    root : Path
        Folder of the project.
    """

    def __init__(self, root: Path):
        self.root = root
        self._known: dict[str, str] = {}
        self._words: dict[str, frozenset[str]] = {}
        self._sources: dict[tuple[str, ...], str] = {}
        self._parameters: dict[str, Parameters] = {}
        self._cities = frozenset(city_ids(root))

    def of_file(self, name: str) -> str:
        """Hash of a file, by its path below the project."""
        if name not in self._known:
            self._known[name] = hash_file(self.root / name)
        return self._known[name]

    def of_files(self, names: Iterable[str]) -> dict[str, str]:
        """Hashes of those of the files that exist; one that appears later is a change as well."""
        return {name: self.of_file(name) for name in sorted(set(names)) if (self.root / name).is_file()}

    def of_sources(self, names: Iterable[str]) -> str:
        """Hash of those rows of the sources table whose ids occur in one of the files; of the whole where in doubt.

        In doubt: the table or one of the files cannot be read. A word too many is no fault: a row that no figure names
        makes a notebook run again, never the other way round. The chapters of a city share their files and this hash.
        """
        files = tuple(sorted(set(names)))
        if files not in self._sources:
            self._sources[files] = self._hash_of_sources(files)
        return self._sources[files]

    def _hash_of_sources(self, files: Iterable[str]) -> str:
        table = self._sources_table
        if table is None:
            return self.of_file(SOURCES)
        words: set[str] = set()
        for name in files:
            if not (self.root / name).is_file():
                continue
            if name not in self._words:
                try:
                    self._words[name] = frozenset(re.findall(r"[\w-]+", _text_of(self.root / name).casefold()))
                except (InputError, OSError, ValueError, KeyError):  # of Arrow's errors too
                    return self.of_file(SOURCES)
            words |= self._words[name]
        odd = ~table["source"].map(is_slug)
        rows = table[odd | table["source"].isin(words)].sort_values("source", kind="stable")
        return hashlib.sha256(rows.to_csv(index=False, lineterminator="\n").encode()).hexdigest()

    @cached_property
    def _sources_table(self) -> pd.DataFrame | None:
        """The sources table; None where it cannot be read."""
        try:
            return read_sources(self.root / SOURCES)
        except InputError:
            return None

    def parameters(self, city: str) -> Parameters:
        """Return the checked parameters of a city.

        Raises
        ------
        InputError
            With every problem of the file.
        """
        if city not in self._parameters:
            self._parameters[city] = read_parameters(city, self.root)
        return self._parameters[city]

    def is_city(self, area: str) -> bool:
        """Whether an area has parameters of its own."""
        return area in self._cities


def of_task(task: Task, hashes: Hashes) -> dict[str, str]:
    """Return everything that the result of a task depends on.

    Returns
    -------
    dict
        Name -> SHA-256 of files: of the project by their path below it (`data/bristol.csv`), of the package
        (`vlr_analysis/covid.py`). Names that begin with `environment/` hold versions. Sorted by name.

    Raises
    ------
    InputError
        The parameters of a city of the task are wrong.
    """
    return of_city([task], hashes)


def of_city(tasks: Iterable[Task], hashes: Hashes) -> dict[str, str]:
    """Return what the results of several tasks depend on, as `of_task` does of one."""
    names = {LOCK}
    for task in tasks:
        names.add(task.notebook.relative_to(hashes.root).as_posix())
        if task.notebook.stem not in NO_METHODS:
            names.update(files_of_methods(hashes.root))
        for city in task.cities:
            names.update(files_of(city, hashes))
    found = hashes.of_files(names) | of_package() | of_environment()
    return dict(sorted(found.items()))


def of_notebook(task: Task, needs: Mapping[str, str], hashes: Hashes) -> dict[str, str]:
    """Return what decides whether the kept notebook of a task still holds.

    Parameters
    ----------
    task : Task
    needs : mapping
        From `of_task`.
    hashes : Hashes

    Returns
    -------
    dict
        `needs`, but for the sources table the hash of the rows that the files of its cities name: a source of another
        city runs no notebook again. Pages and certificate, which hash the whole table, are made anew all the same.
    """
    if SOURCES not in needs:
        return dict(needs)
    files = {name for city in task.cities for name in files_of(city, hashes)} - {
        f"{DATA}/{one}.csv" for one in REGISTERS
    }
    return {**needs, SOURCES: hashes.of_sources(files)}


def files_of(city: str, hashes: Hashes) -> Iterator[str]:
    """List the files of the project that tell of a city: its own, its nation's and its peers', and the registers."""
    yield from (f"{DATA}/{name}.csv" for name in REGISTERS)
    chosen = hashes.parameters(city)
    yield from _own_files(chosen)
    for area in (*chosen.nation, *chosen.peers):
        # A neighbour is shown by its own rules, if it has some.
        yield from _own_files(hashes.parameters(area)) if hashes.is_city(area) else _data_files(area)


def comments_of(city: str) -> str:
    """Return the register of comments on a city's review, below the project: an input of its pages alone."""
    return f"{COMMENTS}/{city}.csv"


def _own_files(chosen: Parameters) -> Iterator[str]:
    yield f"{PARAMS}/{chosen.id}.yaml"
    yield from _with_origins(chosen.data) if chosen.data else _data_files(chosen.id)
    yield chosen.voices or f"{DATA}/voices/{chosen.id}.csv"
    if chosen.previous_release:
        yield chosen.previous_release


def _data_files(area: str) -> Iterator[str]:
    yield from _with_origins(f"{DATA}/{area}.csv")
    yield f"{DATA}/{area}.parquet"


def _with_origins(path: str) -> tuple[str, str]:
    """Name a data file, and the file that says where its figures stood: pages and annex show both."""
    return path, origins_path(path).as_posix()


@cache
def of_package() -> dict[str, str]:
    """Return the hash of every file of the installed package, by its path below the folder that holds the package."""
    folder = Path(__file__).resolve().parents[1]
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {f"{PACKAGE}/{path.relative_to(folder).as_posix()}": hash_file(path) for path in sorted(files)}


@cache
def of_environment() -> dict[str, str]:
    """Return the versions that a result may depend on: Python, and every distribution that the kit needs."""
    found = {"python": platform.python_version(), "implementation": platform.python_implementation()}
    found |= {"system": sys.platform, "machine": platform.machine()}
    found |= _distributions()
    return {f"{ENVIRONMENT}/{name}": version for name, version in sorted(found.items())}


def _distributions(start: str = "vlr-analysis") -> dict[str, str]:
    """Versions of the distributions that one needs, directly or not, extras left out."""
    found: dict[str, str] = {}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        try:
            held = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # a requirement of another system or Python
        if name in found:
            continue
        found[name] = held.version
        needs = (need for need in held.requires or [] if not re.search(r";.*\bextra\s*==", need))
        waiting += [_canonical(re.split(r"[\s\[<>=!~;(]", need, maxsplit=1)[0]) for need in needs]
    return found


def _canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def key_of(inputs: Mapping[str, str], *more: str) -> str:
    """Return one hash over inputs, and over what else tells results apart."""
    lines = [f"{name}\t{value}\n" for name, value in sorted(inputs.items())]
    return hashlib.sha256("".join([*lines, *(f"+{text}\n" for text in more)]).encode()).hexdigest()


def changes(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Say in words what differs between two sets of inputs; the package and the environment in one entry each.

    Returns
    -------
    list of str
        Such as `data/bristol.csv changed`, `data/voices/bristol.csv is new`, `the package changed (covid.py)`,
        `the environment changed (pandas 2.2.0 to 2.3.1)`.
    """
    names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
    told = []
    for name in names:
        if not name.startswith((f"{PACKAGE}/", f"{ENVIRONMENT}/")):
            state = "is new" if name not in before else "is gone" if name not in now else "changed"
            told.append(f"{name} {state}")
    code = [name.partition("/")[2] for name in names if name.startswith(f"{PACKAGE}/")]
    if code:
        told.append(f"the package changed ({_some(code)})")
    versions = [
        f"{name.partition('/')[2]} {before.get(name, 'none')} to {now.get(name, 'none')}"
        for name in names
        if name.startswith(f"{ENVIRONMENT}/")
    ]
    if versions:
        told.append(f"the environment changed ({_some(versions)})")
    return told


def _some(names: list[str], at_most: int = 3) -> str:
    more = len(names) - at_most
    return ", ".join(names[:at_most]) + (f" and {more} more" if more > 0 else "")
