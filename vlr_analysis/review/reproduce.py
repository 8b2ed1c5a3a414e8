"""Running a published review again, here: which level it reaches, and everything that differs."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vlr_analysis.cities import City, load_cities
from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.language import SOURCE, using
from vlr_analysis.method_files import METHODS
from vlr_analysis.params import DATA, PARAMS, read_parameters
from vlr_analysis.review import certificate, deliver, inputs, plan
from vlr_analysis.review.bundle import MANIFEST
from vlr_analysis.review.certificate import FINDINGS, LEVELS, PLACES, TABLES, Certificate
from vlr_analysis.review.differences import OF_RESULTS, Difference, changed_methods, same_findings, table_differences
from vlr_analysis.review.handover import HANDOVER
from vlr_analysis.review.package import REGISTERS
from vlr_analysis.review.plan import NOTEBOOKS, Task
from vlr_analysis.review.receive import PACKAGE, receive
from vlr_analysis.review.run import Outcome
from vlr_analysis.review.verify import Verified, opened, verified

# Parameters that name files of the publisher: a hand-over leaves them out, and what they hold is compared itself.
PATHS = ("data", "voices", "previous_release")
# Tables of a hand-over that say which figures the review shows, and the register or data file they stand for.
FIGURES = ("observations", "comparators", *REGISTERS, "voices")
BESIDE = ("vlr_counts.csv",)  # of the kit itself: it tells of no city

Run = Callable[[list[Task], Path], Iterable[Outcome]]


@dataclass(frozen=True)
class Reproduction:
    """What came of running a city's review again.

    Attributes
    ----------
    city : str
        Its name.
    published : Verified
        The report that was run again; its own differences come first.
    here : Certificate
        Of the run here.
    level : str
        L0 to L3.
    equal : bool
        Whether every result is equal within the declared rounding, whatever was put in.
    differences : tuple of Difference
        Inputs, code, results; then what lowers no level: rounding, environment.
    """

    city: str
    published: Verified
    here: Certificate
    level: str
    equal: bool
    differences: tuple[Difference, ...]

    def lines(self, at_most: int | None = None) -> list[str]:
        """Say what was reached, and what differs, a line each."""
        told = [f"{self.city}: {self.level}, {LEVELS[self.level]}."]
        if self.level == "L0":
            same = "every result is equal all the same" if self.equal else "results differ"
            told[0] = f"{self.city}: L0, not reproduced: {_why(self)}; {same}."
        elif self.level == "L1":
            told[0] = f"{self.city}: L1, {LEVELS['L1']}; results differ."
        shown = self.differences[:at_most]
        told += [f"  {one}" for one in shown]
        if len(shown) < len(self.differences):
            told.append(f"  and {len(self.differences) - len(shown)} more")
        return told


def _why(found: Reproduction) -> str:
    if found.published.differences:
        return "the report is not what its certificate says"
    kinds = [one.kind for one in found.differences]
    return " and ".join(text for kind, text in (("input", "other inputs"), ("code", "other code")) if kind in kinds)


def reproduce(report: Path, root: Path, run: Run, *, theirs: bool = False) -> list[Reproduction]:
    """Run a published review again and compare.

    Parameters
    ----------
    report : Path
        Folder of a city's report, folder with several, or a zip of either.
    root : Path
        Folder of this project: its notebooks run, with its parameters and data.
    run : callable
        Runs tasks into a folder and gives their outcomes, as `run.run_all` does.
    theirs : bool
        Take parameters and figures from the hand-over of the report, also for a city that this project has. A city
        that it does not have is always run so.

    Returns
    -------
    list of Reproduction, one a city

    Raises
    ------
    InputError
        No report; a city that this project does not have, in a report without a hand-over.

    Notes
    -----
    L1 asks for the same figures as the review shows them, the same parameters, the same code cells and package. The
    environment (Python, libraries, system) is told, and is no part of it: another machine could reach no level else.
    Nothing is written to the project.
    """
    with opened(report) as folders:
        return [_one(folder, root, run, theirs) for folder in folders]


def _one(folder: Path, root: Path, run: Run, theirs: bool) -> Reproduction:
    published = verified(folder)
    with tempfile.TemporaryDirectory(prefix="vlr-reproduce-", ignore_cleanup_errors=True) as place:
        project, out = _project(published, root, Path(place) / "project", theirs), Path(place) / "reports"
        name, language = published.held.city["id"], published.held.parameters.get("language", SOURCE)
        # It may have been asked for in a language that is not the city's own: then it is so here.
        asked = language if language != read_parameters(name, project).language else ""
        city = load_cities([name], project, internal=published.held.internal, language=asked)[0]
        notebooks = [project / NOTEBOOKS / name for name in published.held.notebooks]
        tasks = plan.plan([city.parameters], [path for path in notebooks if path.is_file()], project,
                          internal=city.internal, language=asked)  # fmt: skip
        here = write_report(city, tasks, run, out)
        return _compared(published, here, out / city.id)


def write_report(city: City, tasks: list[Task], run: Run, out: Path) -> Certificate:
    """Run the notebooks of a city and write its report in its language below `out`, certificate included.

    Raises
    ------
    InputError
        A notebook failed: there is no whole report to compare.
    """
    outcomes = list(run(tasks, out))
    failed = [Problem(item.task.name, item.error, "a notebook that runs", "mend it, or ask the publisher")
              for item in outcomes if item.failed]  # fmt: skip
    raise_if_any(f"{city.name}, run again", failed)
    with using(city.language):
        return deliver.write_city(city, outcomes, out / city.id, inputs.of_city(tasks, inputs.Hashes(city.root)))


def _project(published: Verified, root: Path, place: Path, theirs: bool) -> Path:
    """Return the project to run in: this one, or one that is made of the report's hand-over and these notebooks."""
    if not theirs and (root / PARAMS / f"{published.held.city['id']}.yaml").is_file():
        return root
    bundle, city = published.folder / HANDOVER, published.held.city
    fix = f"ask for a report with its {HANDOVER}/, or for {PARAMS}/{city['id']}.yaml and the data"
    missing = Problem(f"city {city['id']!r}", f"neither {PARAMS}/{city['id']}.yaml here nor {HANDOVER}/ in the report",
                      "one of the two", fix)  # fmt: skip
    raise_if_any(city["name"], [] if (bundle / MANIFEST).is_file() else [missing])
    (place / DATA).mkdir(parents=True)
    receive(bundle, place)
    for name in (NOTEBOOKS, METHODS, "docs/methods"):
        if (root / name).is_dir():
            shutil.copytree(
                root / name, place / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__")
            )
    for name in (*(f"{DATA}/{one}" for one in BESIDE), inputs.LOCK):
        if (root / name).is_file():
            shutil.copy(root / name, place / name)
    return place


# --- comparing ---------------------------------------------------------------------------------


def _compared(published: Verified, here: Certificate, ours: Path) -> Reproduction:
    there, theirs = published.held, published.folder
    given = [*_input_differences(there, here, theirs, ours), *_code_differences(there, here)]
    results = list(_result_differences(theirs, ours))
    equal = not any(one.kind in OF_RESULTS for one in results)
    exact = equal and there.results.sha256 == here.results.sha256
    level = "L0" if given or published.differences else "L3" if exact else "L2" if equal else "L1"
    order = {"input": 0, "code": 1, "rounding": 3}
    found = [*published.differences, *sorted([*given, *results], key=lambda one: order.get(one.kind, 2))]
    return Reproduction(there.city["name"], published, here, level, equal, (*found, *_environment(there, here)))


def _input_differences(there: Certificate, here: Certificate, theirs: Path, ours: Path) -> Iterator[Difference]:
    """Name every figure, register row and parameter that differs; where no copy of it is at hand, the file."""
    for name in sorted({*there.shown, *here.shown}):
        if there.shown.get(name) == here.shown.get(name):
            continue
        files = [folder / HANDOVER / PACKAGE / f"{name}.csv" for folder in (theirs, ours)]
        texts = [path.read_text(encoding="utf-8") if path.is_file() else "" for path in files]
        named = list(table_differences(_file_of(name, there), *texts)) if name in FIGURES and all(texts) else []
        yield from (Difference("input", one.file, one.where, one.there, one.here) for one in named)
        if not named:
            told = ("" if name not in one.shown else f"SHA-256 {one.shown[name][:12]}…" for one in (there, here))
            yield Difference("input", _file_of(name, there), "the figures that the review shows", *told)
    path = f"{PARAMS}/{there.city['id']}.yaml"
    before, after = (_flat({k: v for k, v in one.parameters.items() if k not in PATHS}) for one in (there, here))
    for key in sorted({*before, *after}):
        if before.get(key) != after.get(key):
            yield Difference(
                "input", path, f"key {key}", *(json.dumps(one.get(key), ensure_ascii=False) for one in (before, after))
            )


def _file_of(name: str, there: Certificate) -> str:
    """Return the file of the project in which a difference of a hand-over's table is to be looked for."""
    own = {"observations": f"{DATA}/{there.city['id']}.csv", "voices": f"{DATA}/voices/{there.city['id']}.csv"}
    held = there.parameters
    own |= {"populations": held.get("data") or own["observations"], "comparators": f"{DATA}/, nation and peers"}
    own |= {
        key: held[parameter]
        for key, parameter in (("observations", "data"), ("voices", "voices"))
        if held.get(parameter)
    }
    return own.get(name, f"{DATA}/{name}.csv")


def _flat(content: object, at: str = "") -> dict[str, object]:
    """Return nested parameters as one level, keys joined by a point, entries of lists counted from 1."""
    if isinstance(content, Mapping):
        parts = [(f"{at}.{key}" if at else str(key), value) for key, value in content.items()]
    elif isinstance(content, list) and any(isinstance(one, Mapping) for one in content):
        parts = [(f"{at} {number}", value) for number, value in enumerate(content, 1)]
    else:
        return {at: content}
    return {key: value for name, part in parts for key, value in _flat(part, name).items()}


def _code_differences(there: Certificate, here: Certificate) -> Iterator[Difference]:
    for name in sorted({*there.notebooks, *here.notebooks}):
        codes = [one.notebooks[name].code if name in one.notebooks else "" for one in (there, here)]
        if codes[0] != codes[1]:
            yield Difference("code", f"{NOTEBOOKS}/{name}", "code cells", *(_hash(one) for one in codes))
    if there.package.sha256 != here.package.sha256:
        for name in sorted({*there.package.files, *here.package.files}):
            hashes = [one.package.files.get(name, "") for one in (there, here)]
            if hashes[0] != hashes[1]:
                yield Difference("code", name, "", *(_hash(one) for one in hashes))
    for name, *hashes in changed_methods(there, here):
        yield Difference("code", name, "", *(_hash(one) for one in hashes))


def _hash(digest: str) -> str:
    return f"SHA-256 {digest[:12]}…" if digest else ""


def _result_differences(theirs: Path, ours: Path) -> Iterator[Difference]:
    records = [
        [json.loads(line) for line in (folder / FINDINGS).read_text(encoding="utf-8").split("\n") if line]
        for folder in (theirs, ours)
    ]
    ids, found = same_findings(*records)
    yield from found
    names = {path.name for folder in (theirs, ours) for path in certificate.tables_of(folder)}
    for name in sorted(names):
        texts = [_text(folder / TABLES / name) for folder in (theirs, ours)]
        if None in texts:
            yield Difference("table", f"{TABLES}/{name}", "", *("" if text is None else "a table" for text in texts))
            continue
        yield from table_differences(f"{TABLES}/{name}", *texts, without=PLACES.get(name, ()), ids=ids)
    for name in sorted({path.name for folder in (theirs, ours) for path in folder.glob("*.ipynb")}):
        marked = [
            certificate.marked_of(folder / name) if (folder / name).is_file() else "" for folder in (theirs, ours)
        ]
        yield from _lines(name, *(text.splitlines() for text in marked), ids)


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _lines(name: str, there: Sequence[str], here: Sequence[str], ids: Mapping[str, str]) -> Iterator[Difference]:
    """Compare what marked cells have printed, line by line, as one table with a column for each cell of the longest."""
    if list(there) == list(here):
        return
    texts = []
    for lines in (there, here):
        rows = [line.split(" | ") for line in lines]
        width = max((len(row) for part in (there, here) for row in (line.split(" | ") for line in part)), default=1)
        frame = pd.DataFrame(
            [[*row, *[""] * (width - len(row))] for row in rows], columns=[f"cell {n + 1}" for n in range(width)]
        )
        frame.insert(0, "line", range(1, len(rows) + 1))
        texts.append(frame.replace(ids).to_csv(index=False))
    yield from table_differences(f"{name}, marked cells", *texts)


def _environment(there: Certificate, here: Certificate) -> Iterator[Difference]:
    for name in sorted({*there.environment, *here.environment}):
        versions = [one.environment.get(name, "") for one in (there, here)]
        if versions[0] != versions[1]:
            yield Difference("environment", name, "", *versions)
    if there.lock != here.lock:
        yield Difference("environment", inputs.LOCK, "", _hash(there.lock), _hash(here.lock))
