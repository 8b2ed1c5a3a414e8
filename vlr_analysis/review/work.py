"""The work of a run: notebooks that must run, and reports that take their place as soon as they are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

from vlr_analysis.cities import load_cities
from vlr_analysis.errors import InputError, in_words, raise_if_any
from vlr_analysis.method_files import read_methods
from vlr_analysis.review import apart, cache, kernels, run, staged
from vlr_analysis.review.plan import OVERVIEW, SUMMING_UP, Outcome, Task
from vlr_analysis.review.session import Ended, Report, Teller, Wanted
from vlr_analysis.sources import shared

# Named, not imported: what writes a report is slow to import, and is at work in another process where that can be.
_DELIVER = "vlr_analysis.review.deliver"
WRITE, PREPARE, INDEX = f"{_DELIVER}:write", f"{_DELIVER}:prepare", f"{_DELIVER}:write_index"
NOTEBOOKS_A_DESK = 6  # for a core that runs notebooks, a sixth of a core that writes the reports


def work(
    reports: Sequence[Report], changed: Sequence[Report], wanted: Wanted, root: Path, teller: Teller, ended: Ended
) -> None:
    """Check the cities, run what the cache does not hold, deliver each report when its last notebook is there.

    Parameters
    ----------
    reports, changed : sequence of Report
        All that were asked for, and those that are to be made.
    wanted : Wanted
    root : Path
        Folder of the project.
    teller : Teller
    ended : Ended
        Receives what failed, and what an interrupt has left.

    Raises
    ------
    InputError
        With every problem of the data of the changed reports, before anything is written.
    """
    run.check_kernel()
    with staged.staging(wanted.out) as folder, _sharing(folder):
        _check(sorted({city for report in changed for city in report.cities}), root, wanted)
        teller.begins(len({report.folder for report in reports} - {OVERVIEW}), ended.notebooks)
        to_do = set(changed)
        for report in reports:
            if report not in to_do:
                teller.report(report.name, "unchanged", notebooks=len(report.tasks))
        _run_and_deliver(changed, folder, wanted, root, teller, ended)
        apart.call(INDEX, root, wanted.out, root)


def _check(cities: list[str], root: Path, wanted: Wanted) -> None:
    """Check the tables of the cities, and the methods of the project: one error holds the problems of all of them."""
    subjects, problems = [], []
    checks = (
        lambda: load_cities(cities, root, internal=wanted.internal, language=wanted.language),
        lambda: read_methods(root),
    )
    for check in checks:
        try:
            check()
        except InputError as error:
            subjects.append(error.subject)
            problems += error.problems
    raise_if_any(" and ".join(subjects), problems)


def _run_and_deliver(
    reports: Sequence[Report], folder: Path, wanted: Wanted, root: Path, teller: Teller, ended: Ended
) -> None:
    kept, desk = cache.Cache(root / cache.FOLDER), _Desk(folder, wanted, root, teller, ended)
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
        told = {reasons.get(task.name, "") for task in report.tasks}
        if len(told) == 1 and len(report.tasks) > 1 and all(told):
            teller.report(report.name, *told)
            reasons |= {task.name: "" for task in report.tasks}
    try:
        for report in reports:
            desk.deliver_if_whole(report)
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
                desk.deliver_if_whole(report)
                for each in reports:  # from now on: what the template imports for it would delay the first kernels
                    desk.prepare(each)
        desk.close()
    except BaseException as error:
        desk.close(stop=True)
        if not isinstance(error, KeyboardInterrupt):
            raise
        ended.waiting = [report.name for report in reports if not report.settled]


def _outcomes(tasks: list[Task], folder: Path, wanted: Wanted) -> Iterator[Outcome]:
    if not tasks:
        return
    if wanted.cluster:
        from vlr_analysis.review import cluster  # the extra `cluster` may be absent

        yield from cluster.run_all(tasks, folder, wanted.cluster, limit=wanted.limit)
        return
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


def _keep(kept: cache.Cache, outcome: Outcome, report: Report) -> None:
    try:
        kept.keep(outcome.task, report.needs[outcome.task.name], outcome.path.read_text(encoding="utf-8"))
    except OSError:
        return  # a full disk: the notebook is run again next time


def _browser() -> str:
    from vlr_analysis.review import pdf  # slow to import: it prints what `deliver` writes

    return pdf.browser()


class _Desk:
    """Writes reports while the notebooks of others run, and puts each in place; a failure is this report's alone."""

    def __init__(self, folder: Path, wanted: Wanted, root: Path, teller: Teller, ended: Ended):
        self.folder, self.root, self.teller, self.ended = folder, root, teller, ended
        self.program = _browser() if wanted.pdf else ""
        # Here, in one thread; apart, as many as keep up with the notebooks.
        desks = 1 + (wanted.jobs or run.jobs()) // NOTEBOOKS_A_DESK if kernels.are_warm() else 1
        self._pool, self._ahead = ThreadPoolExecutor(desks), ThreadPoolExecutor(desks)
        self._begun: dict[str, Future] = {}
        self._prepared: dict[str, Future] = {}

    def prepare(self, report: Report) -> None:
        """Have the hand-over written while notebooks run: it needs the tables that they share, and not them.

        What is left for the time after a city's last notebook is half of the work. Only apart: here it would keep the
        clients of the kernels waiting.
        """
        stems = {task.notebook.stem for task in report.tasks}
        public = SUMMING_UP in stems and not report.tasks[0].parameters["internal"]
        wanted = kernels.are_warm() and report.folder not in self._prepared
        if public and wanted and len(report.outcomes) < len(report.tasks):
            given = report.tasks[0], self.folder / report.folder, report.target
            self._prepared[report.folder] = self._ahead.submit(apart.call, PREPARE, self.root, *given)

    def _is_prepared(self, report: Report) -> bool:
        """Whether the hand-over is there. Where it has not begun or has failed it is made with the pages, if at all."""
        prepared = self._prepared.get(report.folder)
        if prepared is None or prepared.cancel():
            return False
        if prepared.exception() is not None:
            shutil.rmtree(self.folder / report.folder / staged.HANDOVER, ignore_errors=True)
            return False
        return True

    def deliver_if_whole(self, report: Report) -> None:
        """Have the report written once its last notebook is there."""
        if report.folder in self._begun or len(report.outcomes) < len(report.tasks):
            return
        if any(outcome.fault for outcome in report.outcomes) and (report.target / staged.SUMMARY).is_file():
            self.teller.report(report.name, "the report of the last run stays")
            report.settled = True
            return
        self._begun[report.folder] = self._pool.submit(self._deliver, report)

    def close(self, *, stop: bool = False) -> None:
        """Wait until all is written that was begun; stop: begin nothing more."""
        self._pool.shutdown(cancel_futures=stop)
        self._ahead.shutdown(cancel_futures=True)
        for begun in self._begun.values():
            if not begun.cancelled():
                begun.result()

    def _deliver(self, report: Report) -> None:
        try:
            report.record.unlink(missing_ok=True)
            unprinted = apart.call(
                WRITE, self.root, report.outcomes, self.folder / report.folder, report.inputs, report.target,
                printed=report.pdf, program=self.program, prepared=self._is_prepared(report),
            )  # fmt: skip
            if unprinted:
                self.ended.unprinted.append((report.name, unprinted))
            staged.put(self.folder / report.folder, report.target)
            if not any(outcome.failed for outcome in report.outcomes):
                report.remember()
        except (InputError, apart.Died) as error:
            self.ended.failed.append((f"report {report.name}", str(error)))
        except OSError as error:
            self.ended.failed.append((f"report {report.name}", in_words(error)))
        report.settled = True
