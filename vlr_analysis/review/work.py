"""The work of a run: notebooks that must run, and reports that take their place as soon as they are whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from vlr_analysis.cities import load_cities, load_city
from vlr_analysis.errors import InputError, raise_if_any
from vlr_analysis.language import SOURCE, using
from vlr_analysis.method_files import read_methods
from vlr_analysis.review import cache, deliver, pdf, run, staged
from vlr_analysis.review.certificate import FILE
from vlr_analysis.review.plan import OVERVIEW, Task
from vlr_analysis.review.run import Outcome
from vlr_analysis.review.session import Ended, Report, Teller, Wanted
from vlr_analysis.sources import shared


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
        program = pdf.browser() if wanted.pdf else ""
        _run_and_deliver(changed, folder, wanted, root, program, teller, ended)
        deliver.write_index(wanted.out, root)


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
    reports: Sequence[Report], folder: Path, wanted: Wanted, root: Path, program: str, teller: Teller, ended: Ended
) -> None:
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
        told = {reasons.get(task.name, "") for task in report.tasks}
        if len(told) == 1 and len(report.tasks) > 1 and all(told):
            teller.report(report.name, *told)
            reasons |= {task.name: "" for task in report.tasks}
    try:
        for report in reports:
            _deliver_if_whole(report, folder, root, program, teller, ended)
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
                _deliver_if_whole(report, folder, root, program, teller, ended)
    except KeyboardInterrupt:
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


def _deliver_if_whole(report: Report, staging: Path, root: Path, program: str, teller: Teller, ended: Ended) -> None:
    """Write the pages once the last notebook is there, and put them in place; a failure is this report's alone."""
    if report.settled or len(report.outcomes) < len(report.tasks):
        return
    report.settled = True
    if any(outcome.fault for outcome in report.outcomes) and (report.target / deliver.SUMMARY).is_file():
        teller.report(report.name, "the report of the last run stays")
        return
    try:
        report.record.unlink(missing_ok=True)
        _write(report, staging, root, program, ended)
        staged.put(staging / report.folder, report.target)
        if not any(outcome.failed for outcome in report.outcomes):
            report.remember()
    except InputError as error:
        ended.failed.append((f"report {report.name}", str(error)))
    except OSError as error:
        ended.failed.append((f"report {report.name}", run.in_words(error)))


def _write(report: Report, staging: Path, root: Path, program: str, ended: Ended) -> None:
    if report.folder == OVERVIEW:
        with using(report.tasks[0].parameters.get("language") or SOURCE):
            deliver.write_overview(report.outcomes[0], staging / OVERVIEW)
        return
    given = report.tasks[0].parameters
    city = load_city(report.folder, root, internal=bool(given["internal"]), language=given.get("language", ""))
    printed = program if report.pdf else ""
    to = report.outcomes, staging / report.folder, report.inputs
    with using(city.language):
        try:
            deliver.write_city(city, *to, previous=report.target, program=printed)
        except pdf.NotPrinted as error:
            ended.unprinted.append((report.name, str(error)))
            deliver.write_city(city, *to, previous=report.target)
    if report.pdf and not program:
        ended.unprinted.append((report.name, pdf.NO_BROWSER))
    _keep_signatures(report.target, staging / report.folder)


def _keep_signatures(old: Path, new: Path) -> None:
    """Take signatures over to a report that they still fit: its certificate is the same to the byte."""
    signed = old / staged.SIGNATURES
    if signed.is_dir() and (old / FILE).read_bytes() == (new / FILE).read_bytes():
        shutil.copytree(signed, new / staged.SIGNATURES)
