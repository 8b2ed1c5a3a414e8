"""What a worker of a Dask cluster does for a run: say what it is, take files in, run a notebook, stop."""

from __future__ import annotations

import atexit
import logging
import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from vlr_analysis.review import inputs, kernels, parcel, run

if TYPE_CHECKING:
    from distributed import Worker

_books: dict[str, run.Kernels] = {}  # the kernels of each run that this worker has a part in
_warm = ExitStack()  # warm kernels, from the first notebook to the end of the worker
_lock = threading.Lock()


@dataclass(frozen=True)
class Delivery:
    """What comes back from a worker: the executed notebook, empty where none was written, and how it ended."""

    notebook: bytes
    error: str
    cell: int | None
    fault: bool


def introduce() -> dict[str, str]:
    """Return what must be the same here and there: Python without its patch, packages, system, the kit's files.

    Raises
    ------
    InputError
        Jupyter finds no kernel there.
    """
    run.check_kernel()
    import distributed

    found = {name.partition("/")[2]: version for name, version in inputs.of_environment().items()}
    found["python"] = ".".join(found["python"].split(".")[:2])
    found["distributed"] = distributed.__version__
    found["kit with the hash"] = inputs.key_of(inputs.of_package())[:12]
    return found


def receive(contents: Mapping[str, bytes], dask_worker: Worker) -> None:
    """Put files, by their SHA-256, into the store of a worker; Dask fills in the second argument by its name."""
    parcel.keep(contents, _store(dask_worker))


def _store(worker: Worker) -> Path:
    return Path(worker.local_directory).resolve() / "vlr-files"


def execute(packed: parcel.Parcel, limit: float, run_id: str) -> Delivery:
    """Run the notebook of a parcel in a small project of its own, which is gone afterwards.

    Parameters
    ----------
    packed : Parcel
        Its files are in the store of this worker.
    limit : float
        Seconds that the notebook may take.
    run_id : str
        Whom `halt` stops.
    """
    from distributed import get_worker

    os.environ.update(run.ENVIRONMENT)
    logging.getLogger("papermill").setLevel(logging.ERROR)
    store = _store(get_worker())
    with tempfile.TemporaryDirectory(prefix="vlr-", dir=store.parent, ignore_cleanup_errors=True) as folder:
        output = Path(folder) / "executed.ipynb"
        task = parcel.unpack(packed, store, Path(folder) / "project")
        outcome = run.run_one(task, output, limit=limit, book=_book(run_id))
        notebook = output.read_bytes() if output.exists() else b""
    return Delivery(notebook, outcome.error, outcome.cell, outcome.fault)


def halt(run_id: str) -> None:
    """Kill the kernels of a run, in a thread: this is called where the worker's own event loop runs."""
    threading.Thread(target=_book(run_id).stop).start()


def _book(run_id: str) -> run.Kernels:
    with _lock:
        if not _books:
            _warm.enter_context(kernels.warm())
            atexit.register(_warm.close)
        return _books.setdefault(run_id, run.Kernels())
