"""One run, from the plan to the delivered reports: what must run, what is kept, what failed, what takes its place."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vlr_analysis.errors import InputError, raise_if_any
from vlr_analysis.params import Parameters, is_city
from vlr_analysis.review import inputs, plan, staged
from vlr_analysis.review.plan import Task
from vlr_analysis.sources.kit import write_whole

if TYPE_CHECKING:
    from vlr_analysis.review.run import Outcome

DELIVERED = ".cache/delivered"
PDF = "review.pdf"  # of a city, where it was asked for


class Teller(Protocol):
    """Who is told how a run goes on."""

    def begins(self, cities: int, notebooks: int) -> None:
        """Tell what there is to do."""

    def notebook(self, task: Task, state: str, why: str = "") -> None:
        """Tell what became of a notebook: done, kept, FAILED; and why it had to run."""

    def report(self, name: str, state: str, notebooks: int = 0) -> None:
        """Tell what became of a report, and how many notebooks that saves."""


@dataclass(frozen=True)
class Wanted:
    """What a run was asked for.

    Attributes
    ----------
    cities, notebooks : sequence of str
        Ids and names; none: all.
    out : Path
        Folder of the reports.
    jobs : int or None
        Notebooks at a time; None: by the number of cores.
    limit : float
        Seconds that one notebook may take.
    fresh : bool
        Run everything, whatever is kept.
    internal : bool
        Show small numbers.
    cluster : str
        Address of a Dask scheduler; empty: run on this machine.
    pdf : bool
        Print each city's pages as well.
    language : str
        Tag of the language of all pages; empty: each city's own.
    """

    cities: Sequence[str]
    notebooks: Sequence[str]
    out: Path
    jobs: int | None = None
    limit: float = plan.LIMIT
    fresh: bool = False
    internal: bool = False
    cluster: str = ""
    pdf: bool = False
    language: str = ""


@dataclass
class Ended:
    """How a run ended.

    Attributes
    ----------
    notebooks : int
        How many were asked for.
    failed : list of (str, str)
        Name of a notebook or report with its place, and why it failed.
    waiting : list of str
        Names of reports that an interrupt has left as they were.
    unprinted : list of (str, str)
        Name of a report whose PDF was asked for and not made, and why; its pages are delivered.
    """

    notebooks: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    unprinted: list[tuple[str, str]] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything was done."""
        return not self.failed and not self.waiting and not self.unprinted

    def lines(self) -> list[str]:
        """Say what failed and why, what was left, and what to do."""
        told = [f"Failed: {name}\n  {why}" for name, why in sorted(self.failed)]
        if self.failed:
            told.append(f"{len(self.failed)} of {self.notebooks} notebooks failed; the rest is delivered.")
        whys = dict.fromkeys(why for _, why in self.unprinted)
        for why in whys:
            names = ", ".join(name for name, other in self.unprinted if other == why)
            told.append(f"No PDF of {names}: {why}. The pages are delivered.")
        if self.waiting:
            told.append(f"Stopped. As before the run: {', '.join(self.waiting)}. Run again to go on from here.")
        return told


def review(root: Path, wanted: Wanted, teller: Teller) -> Ended:
    """Run what must run, and put every report in its place as soon as it is whole.

    Parameters
    ----------
    root : Path
        Folder of the project.
    wanted : Wanted
    teller : Teller

    Returns
    -------
    Ended

    Raises
    ------
    InputError
        With every problem of parameters, data, notebooks and the folder of the reports, before anything is written.
    """
    notebooks = plan.chosen_notebooks(root, wanted.notebooks)
    hashes = inputs.Hashes(root)
    chosen = _parameters(plan.chosen_cities(root, wanted.cities), hashes)
    tasks = plan.plan(chosen, notebooks, root, internal=wanted.internal, language=wanted.language)
    of_folder: dict[str, list[Task]] = {}
    for task in tasks:
        of_folder.setdefault(task.folder, []).append(task)
    others = {path.parent.name for path in wanted.out.glob(f"*/{staged.SUMMARY}")} - set(of_folder)
    languages = {"": wanted.language} if wanted.language else _own_languages(sorted(others), hashes)
    staged.check_out(wanted.out, list(of_folder), internal=wanted.internal, languages=languages)
    reports = [Report(mine, wanted.out, hashes, pdf=wanted.pdf) for mine in of_folder.values()]
    standing = (wanted.out / "index.html").is_file() and not wanted.fresh
    changed = [report for report in reports if not (standing and report.unchanged())]
    ended = Ended(len(tasks))
    with staged.alone(wanted.out):
        if changed:
            from vlr_analysis.review import kernels  # slow to import, and not needed where nothing has changed

            # The template of the kernels gets ready beside all that comes before the first notebook.
            with nullcontext() if wanted.cluster or kernels.are_warm() else kernels.warm(ahead=root):
                from vlr_analysis.review.work import work  # slower: papermill, the analyses, the pages

                work(reports, changed, wanted, root, teller, ended)
        else:
            teller.begins(len(chosen), len(tasks))
            for report in reports:
                teller.report(report.name, "unchanged", notebooks=len(report.tasks))
    return ended


def _parameters(cities: Sequence[str], hashes: inputs.Hashes) -> list[Parameters]:
    """Read the parameters of all cities; where one is wrong, the data of the others is checked as well."""
    found, problems = [], []
    for city in cities:
        try:
            found.append(hashes.parameters(city))
        except InputError as error:
            problems += error.problems
    if problems:
        from vlr_analysis.cities import load_cities  # slow to import, as above

        try:
            load_cities([city.id for city in found], hashes.root)
        except InputError as error:
            problems += error.problems
    raise_if_any("cities", dict.fromkeys(problems))
    return found


def _own_languages(names: Sequence[str], hashes: inputs.Hashes) -> dict[str, str]:
    """Return the language that the parameters of each of these name, of those that are cities; no fault is told."""
    found = {}
    for name in names:
        with suppress(InputError):
            found |= {name: hashes.parameters(name).language} if is_city(name, hashes.root) else {}
    return found


class Report:
    """One folder of the reports: its notebooks, what they need, and how far they are."""

    def __init__(self, tasks: Sequence[Task], out: Path, hashes: inputs.Hashes, *, pdf: bool = False):
        self.tasks, self.folder = tasks, tasks[0].folder
        self.name = self.tasks[0].title
        self.cities = {city for task in self.tasks for city in task.cities}
        needs = {task.name: inputs.of_task(task, hashes) for task in self.tasks}
        self.needs = {task.name: inputs.of_notebook(task, needs[task.name], hashes) for task in self.tasks}
        self.outcomes: list[Outcome] = []
        self.settled = False  # delivered, or left as it was
        self.target = out / self.folder
        self.pdf = pdf and self.folder != plan.OVERVIEW
        self.record = hashes.root / DELIVERED / inputs.key_of({}, str(out.resolve()))[:16] / f"{self.folder}.json"
        more = [json.dumps(dict(task.parameters), sort_keys=True) for task in self.tasks]
        self.inputs = {name: value for need in needs.values() for name, value in sorted(need.items())}
        self.inputs |= hashes.of_files([inputs.comments_of(self.folder)])
        self._key = inputs.key_of(self.inputs, *more)

    def unchanged(self) -> bool:
        """Whether the report in place came from the same inputs, and is as it was delivered."""
        try:
            record = json.loads(self.record.read_text(encoding="utf-8"))
            # A PDF that stands there already is no reason to make the report again: it is of the same pages.
            printed = not self.pdf or PDF in record["files"]
            return printed and record["key"] == self._key and record["files"] == _files(self.target)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def remember(self) -> None:
        """Note what the report in place was made from."""
        record = {"key": self._key, "files": _files(self.target)}
        write_whole(self.record, json.dumps(record, indent=1).encode())


def _files(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a report by its path below it, but for those that people fill."""
    paths = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: inputs.hash_file(paths[name]) for name in sorted(paths) if not name.startswith(staged.NOT_COVERED)}
