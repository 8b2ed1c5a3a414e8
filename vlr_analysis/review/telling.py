"""Telling on the console how long work goes on, and being told there to stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType

import rich.console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from vlr_analysis.review.plan import Task


class Console:
    """One line for each notebook and report on standard error, and a bar; use it as a context."""

    def __init__(self) -> None:
        columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        self._progress = Progress(*columns, console=rich.console.Console(stderr=True, highlight=False))
        self._bar = None

    def __enter__(self) -> Console:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._progress.stop()

    def begins(self, cities: int, notebooks: int) -> None:
        """Show the bar; nothing is shown before there is something to do."""
        several = f"{_count(cities, 'city', 'cities')}, {_count(notebooks, 'notebook', 'notebooks')}"
        self._progress.start()
        self._bar = self._progress.add_task(several, total=notebooks)

    def notebook(self, task: Task, state: str, why: str = "") -> None:
        """Tell what became of a notebook, and why it had to run."""
        self._line(f"  {task.name}: {state}{f' ({why})' if why else ''}")
        self._progress.advance(self._bar)

    def report(self, name: str, state: str, notebooks: int = 0) -> None:
        """Tell what became of a report, and how many notebooks that saves."""
        self._line(f"  {name}: {state}")
        self._progress.advance(self._bar, notebooks)

    def _line(self, text: str) -> None:
        self._progress.console.print(text, markup=False, soft_wrap=True)


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each stage of a long piece of work.

    Gives a function of the stage, how much of it is done, and how much there is: bytes, areas, whatever it counts.
    """
    columns = TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn()
    bars: dict[str, TaskID] = {}
    with Progress(*columns, console=rich.console.Console(stderr=True, highlight=False)) as shown:

        def tell(stage: str, done: int, of: int) -> None:
            if stage not in bars:
                bars[stage] = shown.add_task(stage, total=of)
            shown.update(bars[stage], completed=done, total=of)

        yield tell


@contextmanager
def stoppable() -> Iterator[None]:
    """Let the signal that ends a process (of a job scheduler, of a closed terminal) stop a run as Ctrl-C does."""

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
