"""The other side of a hand-over: check a bundle without trusting it, and take its figures into a kit of one's own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import yaml
from pydantic import ValidationError

from vlr_analysis.cities import load_cities
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.params import DATA, PARAMS, Parameters, read_parameters
from vlr_analysis.review.agree import door_problems
from vlr_analysis.review.bundle import MANIFEST, check_manifest, read_bundle
from vlr_analysis.review.package import PARAMETERS, REGISTERS, csv_bytes
from vlr_analysis.sources import kit

PACKAGE = "feed/package"
NEEDED = ("observations.csv", "sources.csv", "areas.csv", "indicators.csv", PARAMETERS)
LARGEST_PARAMETERS = 200_000  # bytes; the files that people write have one or two thousand

_READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "sources": kit.read_sources, "areas": kit.read_areas, "indicators": kit.read_indicators,
}  # fmt: skip


@dataclass(frozen=True)
class Report:
    """What became of a bundle.

    Attributes
    ----------
    city, name : str
        Id and name of the city.
    observations : int
        Figures of the city in the bundle.
    checked : tuple of str
        What was checked, a line each.
    written, kept : tuple of str
        Files of the kit that were written; that were there and stay (of other areas: with the kit's own figures).
    """

    city: str
    name: str
    observations: int
    checked: tuple[str, ...]
    written: tuple[str, ...]
    kept: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return the report, a line each."""
        return [
            f"{self.name}: {self.observations} observations",
            *(f"checked: {line}" for line in self.checked),
            *(f"written: {line}" for line in self.written),
            *(f"kept: {line}" for line in self.kept),
        ]


def receive(bundle: Path | str, root: Path, *, replace: bool = False) -> Report:
    """Check a hand-over and import it.

    Parameters
    ----------
    bundle : Path or str
        `handover.zip`, or the folder of a hand-over.
    root : Path
        Folder of a kit; `data/` and `params/` are made where they are not there.
    replace : bool
        Write over figures and rows of the kit that differ; without it a difference is a problem.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        With every problem: a zip that may not be unpacked, files that differ from the manifest, are missing or not
        listed, tables that do not pass the kit's checks, doors that do not say the same, rows of the kit that differ.
        Nothing is written then.

    Notes
    -----
    `data/<area>.csv` of nation and peers are taken only where the kit has none: its own figures of other areas stay.
    """
    bundle, root = Path(bundle), Path(root)
    if not root.is_dir():
        raise InputError(str(root), [Problem(str(root), "no such folder", "the folder of a kit", "make it first")])
    files = read_bundle(bundle)
    about, problems = check_manifest(files, bundle.name)
    problems += [
        Problem(f"{PACKAGE}/{name}", "no such file", "a part of every hand-over", "ask for a whole bundle")
        for name in NEEDED
        if about and f"{PACKAGE}/{name}" not in files
    ]
    raise_if_any(bundle.name, problems)
    with tempfile.TemporaryDirectory(prefix="vlr-receive-") as place:
        taken = _unpacked(files, Path(place) / "bundle", bundle.name)
        tables = _read_package(taken / PACKAGE)
        parameters = _parameters(files[f"{PACKAGE}/{PARAMETERS}"], tables["observations"])
        problems = door_problems(files, taken, tables["observations"], parameters.language)
        raise_if_any(bundle.name, problems)
        plan = _plan(files, taken, tables, parameters, root, replace)
        _try_out(plan, tables, parameters, root, Path(place) / "kit")
        _commit(root, {path: content for path, content in plan.items() if content is not None})
    return Report(
        parameters.id,
        parameters.name,
        len(tables["observations"]),
        (
            f"{MANIFEST}: {len(about['files'])} files, sizes and hashes as they were sent",
            "tables: columns, periods, statuses, keys",
            "doors: annex, Open SDG, SDMX and package hold the same values; numbers of the box are in the annex",
        ),
        tuple(path for path, content in plan.items() if content is not None),
        tuple(path for path, content in plan.items() if content is None),
    )


def _unpacked(files: Mapping[str, bytes], folder: Path, name: str) -> Path:
    """Write the files of a bundle, whose names have been checked, into a temporary folder."""
    for path, content in files.items():
        try:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        except OSError as error:
            problem = Problem(f"{name}, entry {path!r}", f"a name that no file can have ({error.strerror})",
                              "plain names", "ask the sender for a new bundle")  # fmt: skip
            raise InputError(name, [problem]) from None
    return folder


# --- reading the package -------------------------------------------------------------------------


def _read_package(folder: Path) -> dict[str, pd.DataFrame]:
    """Read all tables of the package; one error holds the problems of all of them."""
    tables, problems = {}, []
    readers: dict[str, Callable[[Path], pd.DataFrame]] = {"observations": kit.read_table, **_READERS}
    if (folder / "comparators.csv").is_file():
        readers["comparators"] = kit.read_table
    for name, read in readers.items():
        try:
            tables[name] = read(folder / f"{name}.csv")
        except InputError as error:
            problems += error.problems
    for name in ("observations", "comparators"):
        if name in tables and "sources" in tables:
            ids = {one for text in tables[name]["source"].unique() for one in text.split(";")}
            problems += [
                Problem(f"{name}.csv, source {one!r}", "no row in sources.csv", "a row for every source", "ask for it")
                for one in sorted(ids - set(tables["sources"]["source"]))
            ]
    raise_if_any(PACKAGE, problems)
    return tables


def _parameters(content: bytes, table: pd.DataFrame) -> Parameters:
    """Read the parameters of a bundle: small, plain, and without a path."""
    name, fix = f"{PACKAGE}/{PARAMETERS}", "ask for the file as `vlr handover` writes it"
    try:
        text = kit.decode(content[:LARGEST_PARAMETERS], name)
        if len(content) > LARGEST_PARAMETERS or any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text)):
            raise InputError(name, [Problem(name, "a very large file, or aliases", "a short plain file", fix)])
        found = Parameters.model_validate(yaml.safe_load(text)["city"])
    except ValidationError as error:
        told = [(".".join(map(str, item["loc"])), str(item["input"])[:80], item["msg"]) for item in error.errors()]
        problems = [Problem(f"{name}, key {key}", repr(found), expected, fix) for key, found, expected in told]
        raise InputError(name, problems) from None
    except (yaml.YAMLError, KeyError, TypeError, ValueError, RecursionError) as error:
        problem = Problem(name, str(error).splitlines()[0], "parameters of a city", fix)
        raise InputError(name, [problem]) from None
    problems = [
        Problem(f"{name}, key {key}", repr(getattr(found, key)), "no path in a bundle", fix)
        for key in ("data", "voices", "previous_release")
        if getattr(found, key) is not None
    ]
    other = sorted(set(table["area"]) - {found.id})
    if other:
        problems.append(Problem("observations.csv, column area", ", ".join(other), found.id, "ask for a mended bundle"))
    raise_if_any(name, problems)
    return found


# --- what is to be written -----------------------------------------------------------------------


def _plan(files, taken: Path, tables, parameters: Parameters, root: Path, replace: bool) -> dict[str, bytes | None]:
    """Return the content of each file of the kit that the bundle touches; None where the kit's own stays."""
    plan: dict[str, bytes | None] = {}
    problems: list[Problem] = []
    fix = "look at the two; `--replace` takes the bundle's"
    for area, rows in _by_area(tables):
        path = _data_file(root, area)
        same = _same_table(root / path, rows)
        if same is False and area == parameters.id and not replace:
            problems.append(Problem(path, "other figures of this city", "the bundle's, or no file", fix))
        keep = same is not None and (same or area != parameters.id)
        plan[path] = None if keep else _table_bytes(rows, path)
    for name, key in REGISTERS.items():
        path = f"{DATA}/{name}.csv"
        merged, found = _merged(root / path, tables[name], key, _READERS[name], replace, fix)
        plan[path] = None if merged is None else csv_bytes(merged)
        problems += found
    path = f"{PARAMS}/{parameters.id}.yaml"
    same = _same_parameters(root, parameters)
    if same is False and not replace:
        problems.append(Problem(path, "other parameters of this city", "the bundle's, or no file", fix))
    plan[path] = None if same else files[f"{PACKAGE}/{PARAMETERS}"]
    voices = files.get(f"{PACKAGE}/voices.csv")
    if voices is not None:
        path = f"{DATA}/voices/{parameters.id}.csv"
        there = (root / path).read_bytes() if (root / path).is_file() else None
        if there not in (None, voices) and not replace:
            problems.append(Problem(path, "another register of evidence", "the bundle's, or no file", fix))
        plan[path] = None if there == voices else voices
    raise_if_any(str(root), problems)
    return plan


def _by_area(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, pd.DataFrame]]:
    for name in ("observations", "comparators"):
        if name in tables:
            for area, rows in tables[name].groupby("area", sort=True):
                yield area, rows.reset_index(drop=True)


def _data_file(root: Path, area: str) -> str:
    """Return the data file of an area: the one that the kit reads, else a new CSV file."""
    parquet = f"{DATA}/{area}.parquet"
    csv = f"{DATA}/{area}.csv"
    return parquet if (root / parquet).is_file() and not (root / csv).is_file() else csv


def _same_table(path: Path, rows: pd.DataFrame) -> bool | None:
    """Return whether a data file holds these rows; None where there is no file."""
    if not path.is_file():
        return None
    try:
        return kit.read_table(path).equals(rows)
    except InputError:
        return False


def _table_bytes(rows: pd.DataFrame, path: str) -> bytes:
    return rows.to_parquet(index=False) if path.endswith(".parquet") else csv_bytes(rows)


def _merged(path: Path, new: pd.DataFrame, key: list[str], read, replace: bool, fix: str):
    """Return the register with the bundle's rows added, or None where it has them all; and what differs."""
    if not path.is_file():
        return new, []
    old = read(path)
    both = old.reset_index().merge(new, on=key, suffixes=("", " new"))
    columns = [name for name in new.columns if name not in key]
    differs = pd.DataFrame({name: both[name] != both[f"{name} new"] for name in columns})
    bad = both[differs.any(axis=1)]
    problems = []
    if not replace:
        for i, row in bad.iterrows():
            names = [name for name in columns if differs.at[i, name]]
            where = f"{path.parent.name}/{path.name}, {' / '.join(row[key])}, column {', '.join(names)}"
            found, expected = (", ".join(repr(row[f"{name}{end}"]) for name in names) for end in ("", " new"))
            problems.append(Problem(where, found, f"{expected}, as in the bundle", fix))
    added = new.merge(old[key], on=key, how="left", indicator="in")
    added = added[added["in"] == "left_only"].drop(columns="in")
    if not len(added) and not len(bad):
        return None, problems
    merged = old.copy()
    merged.loc[bad["index"], columns] = bad[[f"{name} new" for name in columns]].to_numpy()
    return pd.concat([merged, added], ignore_index=True), problems


def _same_parameters(root: Path, parameters: Parameters) -> bool | None:
    path = root / PARAMS / f"{parameters.id}.yaml"
    if not path.is_file():
        return None
    try:
        there = read_parameters(parameters.id, root)
    except InputError:
        return False
    paths = {"data": None, "voices": None}
    return there.model_copy(update=paths) == parameters.model_copy(update=paths)


# --- writing -------------------------------------------------------------------------------------


def _try_out(plan, tables, parameters: Parameters, root: Path, place: Path) -> None:
    """Put the kit together as it will be, in a temporary place, and read the city from it.

    Raises
    ------
    InputError
        The city cannot be read there, or its figures are not those of the bundle.
    """
    for path, content in plan.items():
        target = place / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((root / path).read_bytes() if content is None else content)
    city = load_cities([parameters.id], place)[0]
    found = kit.read_table(place / _data_file(place, parameters.id))
    if not found.equals(tables["observations"]) or city.id != parameters.id:
        path = _data_file(place, parameters.id)
        raise InputError(path, [Problem(path, "other figures than the bundle's", "the same", "report this as a fault")])


def _commit(root: Path, contents: Mapping[str, bytes]) -> None:
    """Write all files or none: new ones beside the old, then each moved over its old one; undone if one cannot be."""
    parts: dict[Path, Path] = {}
    before: dict[Path, bytes | None] = {}
    try:
        for path, content in contents.items():
            target = root / path
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_name(f".{target.name}.received")
            part.write_bytes(content)
            parts[target] = part
        for target, part in parts.items():
            before[target] = target.read_bytes() if target.exists() else None
            os.replace(part, target)  # noqa: PTH105  the test stops it half-way
    except OSError as error:
        for target, content in before.items():
            if content is None:
                target.unlink(missing_ok=True)
            else:
                target.write_bytes(content)
        problem = Problem(str(root), f"a file that cannot be written ({error.strerror or error})", "a kit to write to",
                          "close its files, check the rights and the space, and try again")  # fmt: skip
        raise InputError(str(root), [problem]) from None
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)
