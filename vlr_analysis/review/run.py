"""Running notebooks through papermill, several at a time, each in a kernel of its own."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import papermill
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.review.plan import Task

KERNEL = "python3"
LONGEST_SOCKET = 90  # bytes in the name of a Unix socket: the systems allow 104 to 108, and a number is added

# Two runs must agree: no random hash seed, and one thread for each kernel's linear algebra.
ENVIRONMENT = {"PYTHONHASHSEED": "0", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


@dataclass(frozen=True)
class Outcome:
    """What became of a task: the executed notebook, and the error where it failed."""

    task: Task
    path: Path
    error: str = ""
    cell: int | None = None

    @property
    def failed(self) -> bool:
        """Whether the notebook stopped before its end."""
        return bool(self.error)


def check_kernel() -> None:
    """Raise `InputError` unless Jupyter finds the kernel of this Python."""
    try:
        KernelSpecManager().get_kernel_spec(KERNEL)
        problems = []
    except NoSuchKernel:
        fix = "run `python -m pip install ipykernel` in the environment that holds the kit"
        problems = [Problem("Jupyter", f"no kernel named {KERNEL}", f"the kernel {KERNEL}", fix)]
    raise_if_any("Jupyter", problems)


def run_all(tasks: Sequence[Task], staging: Path, jobs: int) -> Iterator[Outcome]:
    """Run every task and yield its outcome as soon as it is known; a failure never stops the others.

    Parameters
    ----------
    tasks : sequence of Task
    staging : Path
        Folder that receives `<task's folder>/<notebook>.ipynb`.
    jobs : int
        How many kernels at a time.
    """
    os.environ.update(ENVIRONMENT)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = [pool.submit(run_one, task, staging) for task in tasks]
        try:
            for future in as_completed(futures):
                yield future.result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def run_one(task: Task, staging: Path) -> Outcome:
    """Run one notebook and clean what the run left in it."""
    output = staging / task.folder / task.notebook.name
    output.parent.mkdir(parents=True, exist_ok=True)
    error, cell = "", None
    try:
        with _connection() as config:
            papermill.execute_notebook(
                task.notebook,
                output,
                parameters=dict(task.parameters),
                kernel_name=KERNEL,
                cwd=task.root,
                progress_bar=False,
                log_output=False,
                request_save_on_cell_execute=False,
                # Errors reach the reader through the outcome; the kernel's own log would only clutter the console.
                extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
                shutdown_kernel="immediate",
                config=config,
            )
    except PapermillExecutionError as failure:
        error, cell = f"{failure.ename}: {failure.evalue}".strip(), failure.cell_index
    except Exception as failure:  # a kernel that dies must not take the other cities with it
        error = f"{type(failure).__name__}: {failure}"
    if output.exists():
        _clean(output, task.root)
    return Outcome(task, output, _without_paths(error, task.root), cell)


@contextmanager
def _connection() -> Iterator[Config]:
    """Give a kernel sockets in a folder of its own: kernels that start together race for free TCP ports."""
    with tempfile.TemporaryDirectory(prefix="vlr-", ignore_cleanup_errors=True) as folder:
        where = str(Path(folder) / "k")
        usable = os.name == "posix" and len(where.encode()) < LONGEST_SOCKET
        yield Config({"KernelManager": {"transport": "ipc", "ip": where}} if usable else {})


def _without_paths(text: str, root: Path) -> str:
    """Take the folders of this machine out of a text."""
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
