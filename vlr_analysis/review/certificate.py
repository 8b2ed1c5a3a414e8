"""The certificate of a city's review: what went in, what made it, and what came out, each with its hash."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import platform
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import nbformat
from pydantic import BaseModel, ConfigDict, Field

from vlr_analysis.cities import City
from vlr_analysis.exhibits import MIME
from vlr_analysis.language import N_, told
from vlr_analysis.params import DATA
from vlr_analysis.review import comments, origins, provenance
from vlr_analysis.review.inputs import ENVIRONMENT, LOCK, PACKAGE, REGISTERS, comments_of, key_of
from vlr_analysis.review.package import as_register, csv_bytes, package_files
from vlr_analysis.review.plan import NOTEBOOKS
from vlr_analysis.review.staged import NOT_COVERED
from vlr_analysis.sources import kit
from vlr_analysis.sources.reading import origins_path

FILE, PAGE = "certificate.json", "certificate.html"
FORMAT, VERSION = "vlr-certificate", 1
FINDINGS, TABLES = "findings.jsonl", "tables"
MARKED = "nbval-check-output"

# Written with six digits, a number may flip in its last one between machines; a result that should be
# zero is left with a rest that no machine shares.
DIGITS, NOTHING = 6, 1e-12

# Where a figure stands in a file is no result; the hashes of data files are among the inputs. Why something is hidden
# only those can say who know it: a city that runs another's review has no such figures.
PLACES = {"provenance.csv": ("file", "row", *origins.COLUMNS)}
NO_RESULT = ("files.csv", "_kept_back.csv")

LEVELS = {
    "L0": N_("not reproduced yet"),
    "L1": N_("run again from the same inputs, parameters and code"),
    "L2": N_("run again, and every result is equal within the declared rounding, every sentence of a finding the same"),
    "L3": N_("run again, and the canonical results are the same byte for byte"),
    "L4": N_("reproduced by another party on another platform, who signed for it"),
}

_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")
THE_FILE = N_("the file")
_WITHHELD = N_("nothing: the file may hold figures that this review does not show")

Sha = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(_Part):
    """A file that the review was made from; `sha256` is of what `hash_of` says, and empty where it is withheld."""

    hash_of: str
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]


class Notebook(_Part):
    """Hashes of a notebook before its run: of the source of its code cells, and of the file."""

    code: Sha
    file: Sha


class Package(_Part):
    """The package that ran: its version, each of its files, and one hash over them."""

    version: str
    sha256: Sha
    files: dict[str, Sha]


class Rounding(_Part):
    """When two numbers are equal: they differ by at most `last_digit` units of the last significant digit."""

    significant_digits: int
    last_digit: int
    absolute: float


class Results(_Part):
    """Hashes of the canonical results: tables, findings, outputs of marked cells by notebook; one over all."""

    tables: dict[str, Sha]
    findings: Sha
    marked: dict[str, Sha]
    sha256: Sha


class Delivered(_Part):
    """One file of the report."""

    bytes: Annotated[int, Field(ge=0)]
    sha256: Sha


class Certificate(_Part):
    """Everything that `certificate.json` holds.

    Attributes
    ----------
    format, version
        Of the certificate itself.
    city : dict
        `id`, `name`, `country`.
    publisher : str
        Who gives the review out: a level L4 needs someone else.
    made_up, internal : bool
    level : str
        What a report can say of itself: not reproduced.
    inputs : dict
        Files of the project by their path below it.
    shown : dict
        Hashes of the figures and registers as this review shows them: what its results rest on.
    parameters : dict
        The checked parameters, defaults included.
    notebooks, package, environment, lock, platform
        What made it. The environment holds versions, the lock a hash, or nothing where there is none.
    rounding : Rounding
    results : Results
    files : dict
        Every delivered file by its path below the report, but the certificate.
    not_covered : list of str
        Files and folders (with a slash) that people may fill or add.
    """

    format: Literal["vlr-certificate"] = FORMAT
    version: Literal[1] = VERSION
    city: dict[str, str]
    publisher: str
    made_up: bool
    internal: bool
    level: Literal["L0"] = "L0"
    inputs: dict[str, Input]
    shown: dict[str, Sha]
    parameters: dict[str, Any]
    notebooks: dict[str, Notebook]
    package: Package
    environment: dict[str, str]
    lock: str
    platform: dict[str, str]
    rounding: Rounding
    results: Results
    files: dict[str, Delivered] = {}
    not_covered: tuple[str, ...] = NOT_COVERED


# --- making it ---------------------------------------------------------------------------------


def make(folder: Path, city: City, inputs: Mapping[str, str]) -> Certificate:
    """Put a certificate together, without the list of delivered files.

    Parameters
    ----------
    folder : Path
        Report of the city: its `tables/`, `findings.jsonl` and executed notebooks are written already.
    city : City
    inputs : mapping
        From `inputs.of_city`.

    Returns
    -------
    Certificate
        The same for the same inputs: it holds no clock, no name of a user or machine, no path outside the project.

    Notes
    -----
    The hash of a data file of which something is hidden would give the hidden numbers away to whoever tries values
    until it fits; such a file is hashed as far as this review shows it.
    """
    code = {name: value for name, value in inputs.items() if name.startswith(f"{PACKAGE}/")}
    environment = {
        name.partition("/")[2]: value for name, value in inputs.items() if name.startswith(f"{ENVIRONMENT}/")
    }
    files = {name: value for name, value in inputs.items() if not name.startswith((f"{PACKAGE}/", f"{ENVIRONMENT}/"))}
    ran = sorted(path.name for path in folder.glob("*.ipynb") if f"{NOTEBOOKS}/{path.name}" in files)
    return Certificate(
        city={"id": city.id, "name": city.name, "country": city.country},
        publisher=city.name,
        made_up=city.made_up,
        internal=city.internal,
        inputs={name: _input(city, name, value) for name, value in sorted(files.items()) if name != LOCK},
        shown=shown_of(city),
        parameters=city.parameters.model_dump(mode="json"),
        notebooks={
            name: Notebook(code=code_of(city.root / NOTEBOOKS / name), file=files[f"{NOTEBOOKS}/{name}"])
            for name in ran
        },
        package=Package(version=environment.get("vlr-analysis", ""), sha256=key_of(code), files=dict(code)),
        environment=dict(sorted(environment.items())),
        lock=files.get(LOCK, ""),
        platform=this_platform(),
        rounding=Rounding(significant_digits=DIGITS, last_digit=1, absolute=NOTHING),
        results=results_of(folder),
    )


def seal(folder: Path, made: Certificate) -> Certificate:
    """Write `certificate.json` with the hash of every file of the report: the last thing that is written there."""
    files = {
        name: Delivered(bytes=path.stat().st_size, sha256=sha256(path.read_bytes()))
        for name, path in covered(folder).items()
    }
    sealed = made.model_copy(update={"files": files})
    (folder / FILE).write_bytes(as_bytes(sealed.model_dump(mode="json")))
    return sealed


def as_bytes(content: Mapping[str, Any]) -> bytes:
    """Return JSON in its canonical form: keys sorted, UTF-8, LF, floats with as many digits as they need."""
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode("utf-8")


def covered(folder: Path) -> dict[str, Path]:
    """Return the files of a report that its certificate covers, by their path below it, sorted."""
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: found[name] for name in sorted(found) if name != FILE and not name.startswith(NOT_COVERED)}


def sha256(content: bytes) -> str:
    """Return the SHA-256 of bytes as hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def this_platform() -> dict[str, str]:
    """Return what tells platforms apart; no name of the machine."""
    return {
        "system": platform.system(),
        "machine": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }


def _input(city: City, name: str, value: str) -> Input:
    if city.internal or not name.startswith(f"{DATA}/") or name in {f"{DATA}/{one}.csv" for one in REGISTERS}:
        return Input(hash_of=THE_FILE, sha256=value)
    if name == comments_of(city.id):
        return Input(**dict(zip(("hash_of", "sha256"), comments.certified(city.root / name), strict=True)))
    for area in city.areas:
        if provenance.data_file(city, area) == name:
            rows = city.observations if area == city.id else city.around[city.around["area"] == area]
            rows = rows.reset_index(drop=True)
            if kit.read_table(city.root / name).equals(rows):
                return Input(hash_of=THE_FILE, sha256=value)
            return Input(hash_of=N_("the figures that are shown"), sha256=sha256(csv_bytes(rows)))
        if origins_path(provenance.data_file(city, area)).as_posix() == name:
            whole = _input(city, provenance.data_file(city, area), value).hash_of == THE_FILE
            return Input(hash_of=THE_FILE, sha256=value) if whole else Input(hash_of=_WITHHELD, sha256="")
    if name == (city.parameters.voices or f"{DATA}/voices/{city.id}.csv"):
        if len(city.hidden_voices):
            return Input(
                hash_of=N_("what is shown of the register"), sha256=sha256(csv_bytes(as_register(city.voices)))
            )
        return Input(hash_of=THE_FILE, sha256=value)
    return Input(hash_of=_WITHHELD, sha256="")


def shown_of(city: City) -> dict[str, str]:
    """Hash the figures and registers as the review shows them, in the form in which a hand-over carries them."""
    files = package_files(city, [])
    found = {
        name.removesuffix(".csv"): sha256(content)
        for name, content in files.items()
        if name.endswith(".csv") and name != "findings.csv"
    }
    if city.populations is not None:
        found["populations"] = sha256(csv_bytes(city.populations))
    return found


# --- canonical results -------------------------------------------------------------------------


def results_of(folder: Path) -> Results:
    """Hash the results of a report in their canonical form."""
    tables = {
        path.name: sha256(canonical_table(path.read_text(encoding="utf-8"), PLACES.get(path.name, ())))
        for path in tables_of(folder)
    }
    marked = {path.name: sha256(marked_of(path).encode("utf-8")) for path in sorted(folder.glob("*.ipynb"))}
    findings = sha256(canonical_findings((folder / FINDINGS).read_text(encoding="utf-8")))
    every = {"tables": tables, "findings": findings, "marked": marked}
    return Results(**every, sha256=sha256(as_bytes(every)))


def tables_of(folder: Path) -> list[Path]:
    """Return the tables of a report that are results, sorted by name."""
    return [path for path in sorted((folder / TABLES).glob("*.csv")) if not path.name.endswith(NO_RESULT)]


def canonical_table(text: str, without: Iterable[str] = ()) -> bytes:
    """Return a table in its canonical form: columns as they are, numbers to six significant digits, LF, UTF-8.

    A cell that is written with a point or an exponent and more digits is rounded; every other is kept as it stands,
    since codes such as ``1.10`` look like numbers. `without` names columns that are left out.
    """
    rows = list(csv.reader(io.StringIO(text)))
    kept = [place for place, name in enumerate(rows[0]) if name not in without] if rows else []
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for row in rows:
        writer.writerow([_rounded(row[place]) if place < len(row) else "" for place in kept])
    return out.getvalue().encode("utf-8")


def _rounded(cell: str) -> str:
    if cell in ("-0", "-0.0"):
        return "0"
    if not ("." in cell or "e" in cell) or not _NUMBER.fullmatch(cell):
        return cell
    digits = re.sub(r"e.*|[-.]", "", cell).lstrip("0")
    return f"{float(cell):.{DIGITS}g}" if len(digits) > DIGITS else cell


def canonical_findings(text: str) -> bytes:
    """Return the lines of `findings.jsonl` with their keys sorted and their numbers to six significant digits."""
    records = [
        json.loads(line, parse_float=lambda number: float(f"{float(number):.{DIGITS}g}")) for line in _lines(text)
    ]
    return "".join(json.dumps(one, ensure_ascii=False, sort_keys=True) + "\n" for one in records).encode("utf-8")


def _lines(text: str) -> list[str]:
    # Not `splitlines`: a sentence may hold other characters that it takes for the end of a line.
    return [line for line in text.split("\n") if line]


def marked_of(path: Path) -> str:
    """Return what the marked cells of a notebook that has run have printed."""
    notebook = nbformat.read(path, as_version=4)
    outputs = [
        output
        for cell in notebook.cells
        if MARKED in cell.metadata.get("tags", [])
        for output in cell.get("outputs", [])
    ]
    return "".join(output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs)


def carried(path: Path) -> list[dict[str, Any]]:
    """Return the exhibits that a notebook carries, in reading order."""
    notebook = nbformat.read(path, as_version=4)
    return [
        output["data"][MIME]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]


def code_of(path: Path) -> str:
    """Hash the code cells of a notebook, but for the one that a run puts in: the same before and after it."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    kept = [cell.source for cell in cells if "injected-parameters" not in cell.metadata.get("tags", [])]
    return sha256(as_bytes({"code": kept}))


# --- its page ----------------------------------------------------------------------------------


def page(made: Certificate) -> dict[str, Any]:
    """Return what the page of a certificate shows.

    It cannot show the hash of a file that holds it, so it shows those of what the review was made from and of its
    results; `certificate.json` lists the delivered files, this page among them.
    """
    counted = made.results
    return {
        "level": made.level,
        "levels": list(LEVELS.items()),
        "results": counted.sha256,
        "held": told(
            "{tables} tables, the findings, and what {notebooks} notebooks print",
            tables=len(counted.tables),
            notebooks=len(counted.marked),
        ),
        "inputs": [(name, one.hash_of, one.sha256) for name, one in made.inputs.items()],
        "shown": list(made.shown.items()),
        "notebooks": [(name, one.code) for name, one in made.notebooks.items()],
        "parameters": sha256(as_bytes(made.parameters)),
        "package": (made.package.version, made.package.sha256),
        "lock": made.lock,
        "environment": list(made.environment.items()),
        "platform": ", ".join(made.platform.values()),
        "digits": made.rounding.significant_digits,
        "absolute": f"{made.rounding.absolute:g}",
        "publisher": made.publisher,
        "not_covered": list(made.not_covered),
    }
