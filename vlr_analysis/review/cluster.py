"""Running notebooks on a Dask cluster: the same tasks and outcomes as on this machine, on workers elsewhere.

Every worker that is free gets the next notebook, so that we know which notebook a worker ran when it died. Workers and
this machine share no folder: files travel, each to a worker at most once.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import logging
import queue
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vlr_analysis.errors import InputError, Problem, in_words, raise_if_any
from vlr_analysis.review import inputs, parcel, run, worker
from vlr_analysis.review.plan import Task
from vlr_analysis.review.run import Outcome
from vlr_analysis.sources.kit import write_whole

if TYPE_CHECKING:
    from distributed import Client, Future

TRIES = 3  # workers that one notebook may lose before it is given up
CONNECT = 5.0  # seconds for the scheduler to answer, and again for its first worker
LOOK = 1.0  # seconds between two looks at who has come and who has gone
PATIENCE = 60.0  # seconds to wait for a worker when none is left
GATHER = 60.0  # seconds for a finished notebook to arrive

log = logging.getLogger(__name__)


def run_all(tasks: Sequence[Task], staging: Path, address: str, *, limit: float = run.LIMIT) -> Iterator[Outcome]:
    """Run every task on a Dask cluster and yield its outcome as soon as it is known, as `run.run_all` does here.

    Parameters
    ----------
    tasks : sequence of Task
        Of one project.
    staging : Path
        Folder on this machine that receives `<task's folder>/<notebook>.ipynb`.
    address : str
        Of the scheduler (`tcp://10.0.0.5:8786`, `tls://...`), or its scheduler file (`.json`).
    limit : float
        Seconds that one notebook may take.

    Raises
    ------
    InputError
        Before anything runs: `distributed` is not installed, nobody answers, there is no worker, or a worker has
        another kit, Python or package than this machine.

    Notes
    -----
    A notebook whose worker dies runs again elsewhere, up to `TRIES` times. Close the generator to stop: kernels that
    still run are killed.
    """
    if not tasks:
        return
    hashes = inputs.Hashes(tasks[0].root)
    jobs = [_Job(task, parcel.pack(task, hashes), run.staged(task, staging)) for task in tasks]
    with _connected(address) as client:
        crew = _Crew(client)
        crew.muster(address)
        yield from _ahead(_Shift(client, crew, jobs, limit))


class _Lost(Exception):
    """The cluster can do no more; the message says why and what to do."""


@dataclass(eq=False)
class _Hand:
    """A worker that may run notebooks: how many at a time, how many now, and which files it holds."""

    address: str
    threads: int
    busy: int = 0
    files: set[str] = field(default_factory=set)


@dataclass(eq=False)
class _Job:
    """A task on its way: what travels, where the result goes, what went wrong, who runs it."""

    task: Task
    packed: parcel.Parcel
    output: Path
    faults: list[str] = field(default_factory=list)
    hand: _Hand | None = None
    slots: int = 0
    future: Future | None = None

    def failed(self, why: str) -> Outcome:
        """Return the outcome where the notebook has never come back."""
        return Outcome(self.task, self.output, why, None, fault=True)


class _Crew:
    """The workers of a cluster; none gets a notebook before it has shown that it is like this machine."""

    def __init__(self, client: Client):
        self.client = client
        self.own = worker.introduce()
        self.hands: dict[str, _Hand] = {}
        self.refused: dict[str, Problem] = {}

    def muster(self, address: str) -> None:
        """Wait for the first worker and look at all; raise `InputError` if there is none or one is refused."""
        until = time.monotonic() + CONNECT
        self.look()
        while not self.hands and not self.refused and time.monotonic() < until:
            time.sleep(0.2)
            self.look()
        problems = [problem for _, problem in sorted(self.refused.items())]
        if not self.hands and not problems:
            fix = f"start workers: `dask worker {address} --nworkers 2 --nthreads 1`"
            problems = [Problem(f"--dask {address}", "no worker", "at least one worker", fix)]
        raise_if_any("Dask cluster", problems)

    def look(self) -> list[Problem]:
        """Forget who has gone, ask who has come, and return what is wrong with those who are refused now."""
        with _scheduler_answers():
            threads = self.client.nthreads()
        self.hands = {address: hand for address, hand in self.hands.items() if address in threads}
        self.refused = {address: problem for address, problem in self.refused.items() if address in threads}
        new = sorted(threads.keys() - self.hands.keys() - self.refused.keys())
        answers = _on_workers(self.client, new, worker.introduce) if new else {}
        known = len(self.refused)
        for address, answer in answers.items():
            if isinstance(answer, OSError):
                continue  # gone again, or too busy to answer: asked again at the next look
            if problem := self._difference(address, answer):
                self.refused[address] = problem
            else:
                self.hands[address] = _Hand(address, threads[address])
        return list(self.refused.values())[known:]

    def _difference(self, address: str, answer: dict[str, str] | Exception) -> Problem | None:
        where = f"worker {address}"
        fix = "install the same kit and lock on every worker and here (docs/scale.md), then start the workers again"
        if isinstance(answer, InputError):
            return replace(answer.problems[0], where=f"{where}, {answer.problems[0].where}")
        if isinstance(answer, Exception):
            return Problem(where, f"no kit that this one can talk to ({answer})", "the kit as it is here", fix)
        names = sorted(name for name in {*answer, *self.own} if answer.get(name) != self.own.get(name))
        found, expected = (
            ", ".join(f"{name} {entries[name]}" if name in entries else f"no {name}" for name in names)
            for entries in (answer, self.own)
        )
        return Problem(where, found, f"as here: {expected}", fix) if names else None


class _Shift:
    """Hands out jobs to the crew and takes in what comes back."""

    def __init__(self, client: Client, crew: _Crew, jobs: Sequence[_Job], limit: float):
        self.client, self.crew, self.limit = client, crew, limit
        self.waiting = deque(jobs)
        self.running: dict[Any, _Job] = {}  # by the key of their future
        self.done: queue.Queue[Future] = queue.Queue()
        self.manned = self.looked = time.monotonic()
        self.stopping = threading.Event()

    def outcomes(self) -> Iterator[Outcome]:
        """Yield the outcome of every job."""
        try:
            while (self.waiting or self.running) and not self.stopping.is_set():
                yield from self._hand_out()
                yield from self._take_in()
                if time.monotonic() - self.looked >= LOOK:
                    yield from self._look()
        except _Lost as lost:
            for job in [*self.running.values(), *self.waiting]:
                yield job.failed(str(lost))

    def stop(self) -> None:
        """Kill the kernels that still run; the client lets go of their results when it closes."""
        at = sorted({job.hand.address for job in self.running.values()})
        if at and self.client.status == "running":
            with suppress(_Lost):
                _on_workers(self.client, at, worker.halt, self.client.id)

    def _hand_out(self) -> Iterator[Outcome]:
        while self.waiting and (hand := self._free(self.waiting[0])):
            job = self.waiting[0]  # it stays there until it runs: whatever happens here, it is not forgotten
            try:
                problem = self._send_files(job, hand)
            except InputError as error:
                self.waiting.popleft()
                yield job.failed("; ".join(str(problem) for problem in error.problems))
                continue
            if problem:
                self.waiting.popleft()
                hand.threads = 0  # it gets nothing more; what it runs may end
                yield from self._again(job, f"its files did not reach a worker ({problem})")
                continue
            key = (job.task.notebook.stem, job.task.folder, len(job.faults), self.client.id)
            with _scheduler_answers():
                job.future = self.client.submit(
                    worker.execute, job.packed, self.limit, self.client.id, key=key, workers=[hand.address]
                )
            # What may have killed a worker gets one for itself: no other notebook can be taken for the culprit.
            job.hand, job.slots = hand, hand.threads if job.faults else 1
            hand.busy += job.slots
            self.running[key] = self.waiting.popleft()
            job.future.add_done_callback(self.done.put)

    def _send_files(self, job: _Job, hand: _Hand) -> str:
        """Send a worker what it lacks for a job; say why it did not arrive."""
        contents = parcel.read(job.packed, job.task.root, job.packed.hashes - hand.files)
        if contents:
            answer = _on_workers(self.client, [hand.address], worker.receive, contents)[hand.address]
            if isinstance(answer, Exception):
                return _in_words(answer)
            hand.files |= job.packed.hashes
        return ""

    def _free(self, job: _Job) -> _Hand | None:
        """Return a worker that can take the job: the one that lacks fewest of its files."""
        free = [
            hand
            for hand in self.crew.hands.values()
            if hand.busy < (min(hand.threads, 1) if job.faults else hand.threads)
        ]  # fmt: skip
        return min(free, key=lambda hand: (len(job.packed.hashes - hand.files), hand.address), default=None)

    def _take_in(self) -> Iterator[Outcome]:
        try:
            future = self.done.get(timeout=LOOK)
        except queue.Empty:
            return
        job = self.running.get(future.key)
        if job is None or job.future is not future:
            return  # let go of before
        self._raise_if_lost()
        try:
            came = future.result(timeout=GATHER)
        except Exception as failure:  # whatever the cluster says in the place of a result
            self._raise_if_lost()
            yield from self._again(job, _in_words(failure))
            return
        self._let_go(job)
        yield _delivered(job, came)

    def _look(self) -> Iterator[Outcome]:
        self._raise_if_lost()
        for problem in self.crew.look():
            log.warning("No notebook goes to this worker. %s", problem)
        self.looked = time.monotonic()
        hands = self.crew.hands
        for job in [job for job in self.running.values() if hands.get(job.hand.address) is not job.hand]:
            yield from self._again(job, _DIED)
        if any(hand.threads for hand in hands.values()):
            self.manned = self.looked
        elif self.looked - self.manned >= PATIENCE:
            refused = "".join(f"; {problem}" for problem in self.crew.refused.values())
            raise _Lost(f"no worker was left{refused}; start workers and run again: what is done is kept")

    def _again(self, job: _Job, why: str) -> Iterator[Outcome]:
        """Put a job back into the queue, or give it up."""
        self._let_go(job)
        job.faults.append(why)
        if len(job.faults) < TRIES:
            self.waiting.append(job)
            return
        same = set(job.faults) == {_DIED}
        yield job.failed(f"{_DIED} {TRIES} times: out of memory?" if same else "; ".join(dict.fromkeys(job.faults)))

    def _let_go(self, job: _Job) -> None:
        if job.future is not None:
            self.running.pop(job.future.key, None)
            job.future.cancel()
            job.hand.busy -= job.slots
            job.future = job.hand = None

    def _raise_if_lost(self) -> None:
        if self.client.status != "running":
            raise _Lost(_SCHEDULER_LOST)


def _ahead(shift: _Shift) -> Iterator[Outcome]:
    """Yield the outcomes of a shift that goes on in a thread: workers do not wait while the caller writes pages."""
    ready: queue.Queue[Outcome | BaseException | None] = queue.Queue()

    def work() -> None:
        try:
            for outcome in shift.outcomes():
                ready.put(outcome)
            ready.put(None)
        except BaseException as error:
            ready.put(error)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while (item := ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        shift.stopping.set()
        thread.join()
        shift.stop()


_DIED = "its worker died"
_SCHEDULER_LOST = "the Dask scheduler went away; start it and run again: what is done is kept"


@contextmanager
def _scheduler_answers() -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as failure:  # errors of workers come back as answers: these are the scheduler's
        raise _Lost(_SCHEDULER_LOST) from failure


def _on_workers(client: Client, addresses: list[str], function: Callable, *arguments: Any) -> dict[str, Any]:
    """Call a function on workers at once, also on busy ones; return its result or exception by address."""
    with _scheduler_answers():
        return client.run(function, *arguments, workers=addresses, on_error="return")


def _delivered(job: _Job, came: worker.Delivery) -> Outcome:
    """Write what came back to where the run on this machine would have put it."""
    try:
        if came.notebook:
            write_whole(job.output, came.notebook)
    except OSError as failure:
        return job.failed(in_words(failure))
    return Outcome(job.task, job.output, came.error, came.cell, came.fault)


def _in_words(failure: Exception) -> str:
    from distributed.scheduler import KilledWorker

    if isinstance(failure, KilledWorker | TimeoutError):
        return _DIED
    return in_words(failure) if isinstance(failure, OSError) else f"{type(failure).__name__}: {failure}"


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    """Connect to a scheduler, and leave it again whatever happens."""
    where = f"--dask {address}"
    if importlib.util.find_spec("distributed") is None:
        fix = '`python -m pip install "vlr-analysis[cluster]"`'
        raise InputError("Dask cluster", [Problem(where, "no package distributed", "the extra for clusters", fix)])
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    try:
        scheduler = _scheduler(address)
        asyncio.run(_try(scheduler))
        with warnings.catch_warnings():  # versions are compared, and told, in `_Crew`
            warnings.simplefilter("ignore", VersionMismatchWarning)
            client = Client(scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError, KeyError) as failure:
        found = "nobody who answers" if isinstance(failure, OSError) else f"no address ({failure})"
        fix = "start `dask scheduler`, and give the address that it prints"
        expected = "the address of a Dask scheduler, such as tcp://10.0.0.5:8786, or its scheduler file"
        raise InputError("Dask cluster", [Problem(where, found, expected, fix)]) from None
    # Who comes and goes is told in our words; the client's own would only clutter the console.
    for name in [name for name in logging.root.manager.loggerDict if name.split(".")[0] == "distributed"]:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        yield client
    except _Lost as lost:
        raise InputError(
            "Dask cluster", [Problem(where, str(lost), "a scheduler that stays", "start it again")]
        ) from None
    finally:
        client.close()


async def _try(address: str) -> None:
    """Raise `TimeoutError` where something listens that never answers: a client would wait for it without end."""
    from distributed import Security
    from distributed.comm import connect

    comm = await asyncio.wait_for(connect(address, **Security().get_connection_args("client")), CONNECT)
    comm.abort()


def _scheduler(address: str) -> str:
    """Return the address of a scheduler: as given, or out of its scheduler file."""
    if not address.endswith(".json"):
        return address
    return json.loads(Path(address).read_text(encoding="utf-8"))["address"]
