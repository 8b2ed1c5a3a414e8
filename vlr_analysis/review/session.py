"""One run, from the plan to the delivered reports: what must run, what is kept, what failed, what takes its place."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from vlr_analysis.cities import load_cities, load_city
from vlr_analysis.errors import InputError, raise_if_any
from vlr_analysis.review import cache, deliver, inputs, kernels, plan, run, staged
from vlr_analysis.review.plan import OVERVIEW, Task
from vlr_analysis.review.run import Outcome
from vlr_analysis.sources import shared
from vlr_analysis.sources.kit import write_whole

DELIVERED = ".cache/delivered"


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
    """

    cities: Sequence[str]
    notebooks: Sequence[str]
    out: Path
    jobs: int | None = None
    limit: float = run.LIMIT
    fresh: bool = False
    internal: bool = False
    cluster: str = ""


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
    """

    notebooks: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        """Whether everything was done."""
        return not self.failed and not self.waiting

    def lines(self) -> list[str]:
        """Say what failed and why, what was left, and what to do."""
        told = [f"Failed: {name}\n  {why}" for name, why in sorted(self.failed)]
        if self.failed:
            told.append(f"{len(self.failed)} of {self.notebooks} notebooks failed; the rest is delivered.")
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
    tasks = plan.plan(chosen, notebooks, root, internal=wanted.internal)
    deliver.check_out(wanted.out, [city.id for city in chosen], internal=wanted.internal)
    reports = [_Report(folder, tasks, wanted.out, hashes) for folder in dict.fromkeys(task.folder for task in tasks)]
    changed = [report for report in reports if wanted.fresh or not report.unchanged()]
    run.check_kernel()
    ended = Ended(len(tasks))
    with staged.alone(wanted.out), staged.staging(wanted.out) as folder, _sharing(folder):
        load_cities(sorted({city for report in changed for city in report.cities}), root, internal=wanted.internal)
        teller.begins(len(chosen), len(tasks))
        for report in reports:
            if report not in changed:
                teller.report(report.name, "unchanged", notebooks=len(report.tasks))
        _work(changed, folder, wanted, root, teller, ended)
        if changed or not (wanted.out / "index.html").is_file():
            deliver.write_index(wanted.out, root)
    return ended


def _work(reports: list[_Report], folder: Path, wanted: Wanted, root: Path, teller: Teller, ended: Ended) -> None:
    """Run what the cache does not hold, and deliver each report when its last notebook is there."""
    kept = cache.Cache(root / cache.FOLDER)
    whose = {task.name: report for report in reports for task in report.tasks}
    to_run: list[Task] = []
    reasons: dict[str, str] = {}
    for report in reports:
        for task in report.tasks:
            found = cache.Found() if wanted.fresh else kept.look(task, report.needs[task.name])
            if found.hit:
                path = run.staged(task, folder)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(found.text, encoding="utf-8", newline="")
                report.outcomes.append(Outcome(task, path))
                teller.notebook(task, "kept")
            else:
                to_run.append(task)
                reasons[task.name] = f"re-run: {found.reason}" if found.reason else ""
        # A change that concerns all chapters is told once.
        told = {reasons[task.name] for task in report.tasks if task.name in reasons}
        if len(told) == 1 and len(report.tasks) > 1 and all(told):
            teller.report(report.name, *told)
            reasons |= {task.name: "" for task in report.tasks}
    try:
        for report in reports:
            report.deliver_if_whole(folder, root, teller, ended)
        with closing(_outcomes(to_run, folder, wanted)) as outcomes:
            for outcome in outcomes:
                report = whose[outcome.task.name]
                report.outcomes.append(outcome)
                if outcome.failed:
                    where = f", code cell {outcome.cell}" if outcome.cell is not None else ""
                    ended.failed.append((f"{outcome.task.name}{where}", outcome.error))
                else:
                    _keep(kept, outcome, report)
                teller.notebook(outcome.task, "FAILED" if outcome.failed else "done", reasons[outcome.task.name])
                report.deliver_if_whole(folder, root, teller, ended)
    except KeyboardInterrupt:
        ended.waiting = [report.name for report in reports if not report.settled]


def _outcomes(tasks: list[Task], folder: Path, wanted: Wanted) -> Iterator[Outcome]:
    if not tasks:
        return
    if wanted.cluster:
        from vlr_analysis.review import cluster  # the extra `cluster` may be absent

        yield from cluster.run_all(tasks, folder, wanted.cluster, limit=wanted.limit)
        return
    with kernels.warm():
        jobs = wanted.jobs or run.jobs()
        yield from run.run_all(tasks, folder, min(jobs, len(tasks)), limit=wanted.limit)


@contextmanager
def _sharing(staging: Path) -> Iterator[None]:
    """Let the chapters of this run, and the pages made from them, share their tables."""
    folder = staging / ".shared"
    folder.mkdir()
    os.environ[shared.FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[shared.FOLDER]


def _keep(kept: cache.Cache, outcome: Outcome, report: _Report) -> None:
    try:
        kept.keep(outcome.task, report.needs[outcome.task.name], outcome.path.read_text(encoding="utf-8"))
    except OSError:
        return  # a full disk: the notebook is run again next time


def _parameters(cities: Sequence[str], hashes: inputs.Hashes) -> list:
    found, problems = [], []
    for city in cities:
        try:
            found.append(hashes.parameters(city))
        except InputError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    raise_if_any("cities", problems)
    return found


class _Report:
    """One folder of the reports: its notebooks, what they need, and how far they are."""

    def __init__(self, folder: str, tasks: Sequence[Task], out: Path, hashes: inputs.Hashes):
        self.folder = folder
        self.tasks = [task for task in tasks if task.folder == folder]
        self.name = self.tasks[0].title
        self.cities = {city for task in self.tasks for city in task.cities}
        self.needs = {task.name: inputs.of_task(task, hashes) for task in self.tasks}
        self.outcomes: list[Outcome] = []
        self.settled = False
        self._target = out / folder
        self._record = hashes.root / DELIVERED / inputs.key_of({}, str(out.resolve()))[:16] / f"{folder}.json"
        more = [json.dumps(dict(task.parameters), sort_keys=True) for task in self.tasks]
        self._inputs = {name: value for need in self.needs.values() for name, value in sorted(need.items())}
        self._key = inputs.key_of(self._inputs, *more)

    def unchanged(self) -> bool:
        """Whether the report in place came from the same inputs, and is as it was delivered."""
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
            return record["key"] == self._key and record["files"] == _files(self._target)
        except (OSError, ValueError, KeyError, TypeError):
            return False

    def deliver_if_whole(self, staging: Path, root: Path, teller: Teller, ended: Ended) -> None:
        """Write the pages once the last notebook is there, and put them in place; a failure is this report's alone."""
        if self.settled or len(self.outcomes) < len(self.tasks):
            return
        self.settled = True
        if any(outcome.fault for outcome in self.outcomes) and (self._target / deliver.SUMMARY).is_file():
            teller.report(self.name, "the report of the last run stays")
            return
        try:
            self._record.unlink(missing_ok=True)
            self._write(staging, root)
            staged.put(staging / self.folder, self._target)
            if not any(outcome.failed for outcome in self.outcomes):
                record = {"key": self._key, "files": _files(self._target)}
                write_whole(self._record, json.dumps(record, indent=1).encode())
        except InputError as error:
            ended.failed.append((f"report {self.name}", str(error)))
        except OSError as error:
            ended.failed.append((f"report {self.name}", run.in_words(error)))

    def _write(self, staging: Path, root: Path) -> None:
        if self.folder == OVERVIEW:
            deliver.write_overview(self.outcomes[0], staging / OVERVIEW)
            return
        city = load_city(self.folder, root, internal=bool(self.tasks[0].parameters["internal"]))
        deliver.write_city(city, self.outcomes, staging / self.folder, self._inputs, previous=self._target)


def _files(folder: Path) -> dict[str, str]:
    """Return the hash of every file of a folder, by its path below it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): inputs.hash_file(path) for path in paths}
