"""Running notebooks through papermill, several at a time, each in a kernel of its own."""

from __future__ import annotations

import asyncio
import logging
import os
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from vlr_analysis.errors import Problem, in_words, raise_if_any
from vlr_analysis.review import kernels
from vlr_analysis.review.plan import LIMIT, Outcome, Task

KERNEL = "python3"
LONGEST_SOCKET = 90  # bytes in the name of a Unix socket: the systems allow 104 to 108, and a number is added

# Two runs must agree: no random hash seed, and one thread for each kernel's linear algebra.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# Where packages lie: tracebacks pass through them. The longest comes first, since one may hold another.
_LIBRARIES = (sysconfig.get_path(name) for name in ("purelib", "platlib", "stdlib"))
_INSTALLED = sorted({str(Path(__file__).resolve().parents[2]), *_LIBRARIES}, key=lambda name: (-len(name), name))


def check_kernel() -> None:
    """Raise `InputError` unless Jupyter finds the kernel of this Python."""
    try:
        KernelSpecManager().get_kernel_spec(KERNEL)
        problems = []
    except NoSuchKernel:
        fix = "run `python -m pip install ipykernel` in the environment that holds the kit"
        problems = [Problem("Jupyter", f"no kernel named {KERNEL}", f"the kernel {KERNEL}", fix)]
    raise_if_any("Jupyter", problems)


def jobs() -> int:
    """Return how many notebooks to run at a time: a core each, and with warm kernels one more to fill their pauses."""
    return (os.cpu_count() or 1) + int(os.environ.get(kernels.CHOSEN) == kernels.NAME)


def run_all(tasks: Sequence[Task], staging: Path, jobs: int, *, limit: float = LIMIT) -> Iterator[Outcome]:
    """Run every task and yield its outcome as soon as it is known; a failure never stops the others.

    Parameters
    ----------
    tasks : sequence of Task
    staging : Path
        Folder that receives `<task's folder>/<notebook>.ipynb`.
    jobs : int
        How many kernels at a time.
    limit : float
        Seconds that one notebook may take.

    Notes
    -----
    Close the generator to stop: kernels that still run are killed.
    """
    os.environ.update(ENVIRONMENT)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    # A kernel that dies leaves tasks of its client behind, of which asyncio tells at length.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    running = Kernels()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(run_one, task, staged(task, staging), limit=limit, book=running) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            running.stop()
            raise


def staged(task: Task, staging: Path) -> Path:
    """Return where the executed notebook of a task goes."""
    return staging / task.folder / task.notebook.name


def run_one(task: Task, output: Path, *, limit: float = LIMIT, book: Kernels | None = None) -> Outcome:
    """Run one notebook and clean what the run left in it.

    Parameters
    ----------
    task : Task
    output : Path
        The executed notebook.
    limit : float
        Seconds that it may take.
    book : Kernels, optional
        The kernels of a run, so that they can be stopped from outside.

    Returns
    -------
    Outcome
        Whatever happens: an exception of the notebook, the death of its kernel, a full disk.
    """
    book = book or Kernels()
    cells: list[int] = []  # indices of the code cells that have begun
    began, error, fault = time.monotonic(), "", True

    def begin(cell: Any, cell_index: int) -> None:
        book.raise_if_stopped()
        cells.append(cell_index)

    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        with _connection() as config:
            papermill.execute_notebook(
                task.notebook,
                output,
                parameters=dict(task.parameters),
                kernel_name=KERNEL,
                # Not `cwd`: Papermill would change the folder of this whole process, whose threads run side by side.
                resources={"metadata": {"path": str(task.root)}},
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                # Errors reach the reader through the outcome; the kernel's own log would only clutter the console.
                extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
                shutdown_kernel="immediate",
                config=config,
                kernel_manager_class=book.manager,
                on_cell_execute=begin,
                timeout_func=lambda _: max(1.0, limit - (time.monotonic() - began)),
            )
    except PapermillExecutionError as failure:
        error, fault = f"{failure.ename}: {failure.evalue}".strip(), False
    except CellTimeoutError:
        error = f"the notebook did not end within {limit:g} seconds; it may hang: mend it, or give a longer --limit"
    except DeadKernelError:
        error = _death(book.ended.get(threading.get_ident()))
    except OSError as failure:
        error = in_words(failure)
    except Exception as failure:  # a kernel that dies must not take the other cities with it
        error = f"{type(failure).__name__}: {failure}"
    try:
        if output.exists():
            _clean(output, task.root)
    except (OSError, ValueError) as failure:
        error = error or (in_words(failure) if isinstance(failure, OSError) else "the executed notebook is damaged")
        output.unlink(missing_ok=True)
    if not error:
        return Outcome(task, output)
    return Outcome(task, output, _without_paths(error, task.root), len(cells) or None, fault)


def _death(code: int | None) -> str:
    """Say how a kernel ended, by its exit status."""
    if code is not None and code < 0:
        how = " killed it: the memory may have run out" if code == -9 else " ended it"
        return f"the kernel died: signal {-code}{how}"
    return "the kernel died" + (f" with exit status {code}" if code else "")


class Stopped(Exception):
    """The run was stopped from outside."""


class Kernels:
    """The kernels that run now: how they ended, and a way to end them all.

    Attributes
    ----------
    manager : type
        Class of kernel managers that enter themselves here.
    ended : dict
        Exit status of a kernel that has died, by the thread that runs its notebook.
    """

    def __init__(self) -> None:
        self.ended: dict[int, int] = {}
        self._managers: dict[int, AsyncKernelManager] = {}
        self._stopped = threading.Event()
        book = self

        class Manager(AsyncKernelManager):
            """A kernel manager that is in the book of its run."""

            def __init__(self, **options: Any) -> None:
                super().__init__(**options)
                book.enter(self)

            async def is_alive(self) -> bool:
                code = await self.provisioner.poll() if self.has_kernel else None
                if code is not None:
                    book.ended.setdefault(threading.get_ident(), code)
                return await super().is_alive()

        self.manager = Manager

    def enter(self, manager: AsyncKernelManager) -> None:
        """Note the kernel manager of this thread, and forget its last one."""
        self.ended.pop(threading.get_ident(), None)
        self._managers[threading.get_ident()] = manager

    def raise_if_stopped(self) -> None:
        """Raise `Stopped` once the run has been stopped: for notebooks whose kernel was not up at that time."""
        if self._stopped.is_set():
            raise Stopped("the run was stopped")

    def stop(self) -> None:
        """Kill every kernel; the notebooks that they run fail at once."""
        self._stopped.set()
        for manager in list(self._managers.values()):
            if manager.has_kernel:
                asyncio.run(manager.provisioner.kill())


@contextmanager
def _connection() -> Iterator[Config]:
    """Give a kernel sockets in a folder of its own: kernels that start together race for free TCP ports."""
    if os.environ.get(kernels.CHOSEN) == kernels.NAME:
        yield Config()  # the provisioner sees to that
        return
    with tempfile.TemporaryDirectory(prefix="vlr-", ignore_cleanup_errors=True) as folder:
        where = str(Path(folder) / "k")
        usable = os.name == "posix" and len(where.encode()) < LONGEST_SOCKET
        yield Config({"KernelManager": {"transport": "ipc", "ip": where}} if usable else {})


def _without_paths(text: str, root: Path) -> str:
    """Take the folders of this machine out of a text."""
    for folder in _INSTALLED:
        text = text.replace(f"{folder}{os.sep}", "")
    return text.replace(f"{root}{os.sep}", "").replace(str(root), ".").replace(str(Path.home()), "~")


def _clean(path: Path, root: Path) -> None:
    """Take clocks and paths of this machine out of an executed notebook; drop papermill's own error note."""
    notebook = nbformat.read(path, as_version=4)
    ran = notebook.metadata.pop("papermill", {})
    notebook.metadata["papermill"] = {"parameters": ran.get("parameters", {})}
    notebook.cells = [
        cell for cell in notebook.cells if "papermill-error-cell-tag" not in cell.metadata.get("tags", [])
    ]
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        for name in ("papermill", "execution"):
            cell.metadata.pop(name, None)
        for output in cell.get("outputs", []):
            _clean_output(output, root)
    nbformat.write(notebook, path)


def _clean_output(output: dict[str, Any], root: Path) -> None:
    if output["output_type"] == "error":
        output["evalue"] = _without_paths(output["evalue"], root)
        output["traceback"] = [_without_paths(line, root) for line in output["traceback"]]
    elif output["output_type"] == "stream":
        output["text"] = _without_paths(output["text"], root)
