"""Work apart: a function of the kit in a process that the template of warm kernels forks, or here without a template.

A report is written while the notebooks of others run. In this process it would share one core with the clients of all
kernels; a new process would spend as long on imports as on the report.
"""

from __future__ import annotations

import os
import pickle
import shutil
import traceback
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError
from vlr_analysis.review import kernel_start, kernels
from vlr_analysis.review.kernel_start import NoWarmKernel

GIVEN, ANSWER = "given.pickle", "answer.pickle"  # in a folder that only this user can enter


class Broken(Exception):
    """The function raised something that it should not; the message is its traceback."""


class Died(Exception):
    """The process did not live to give an answer; the message says how it ended."""


def call(function: str, root: Path, /, *given: Any, **named: Any) -> Any:
    """Call a function of the kit and return its value.

    Parameters
    ----------
    function : str
        ``module:name``.
    root : Path
        Folder of the project: the working folder of the process.
    *given, **named
        What the function takes; all of it can be pickled, and its value too.

    Raises
    ------
    InputError, OSError
        As the function raised it.
    Died
        The process ended without an answer.
    Broken
        The function raised anything else. Without a template that is raised itself.
    """
    try:
        folder = kernel_start.private_folder() if kernels.are_warm() else None
    except NoWarmKernel:
        folder = None
    if folder is None:
        return _function(function)(*given, **named)
    try:
        (folder / GIVEN).write_bytes(pickle.dumps((function, given, named)))
        status = _forked(function, root, folder)
        if not (folder / ANSWER).is_file():
            raise Died(f"its process ended with {f'signal {-status}' if status < 0 else f'exit status {status}'}")
        value, raised = pickle.loads((folder / ANSWER).read_bytes())
    except NoWarmKernel:
        return _function(function)(*given, **named)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if raised:
        raise raised
    return value


def _forked(function: str, root: Path, folder: Path) -> int:
    """Have a fork of the template answer what lies in a folder; return its exit status."""
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        streams = [nothing.fileno(), nothing.fileno(), 2]
        process = kernels.fork([kernel_start.APART, function], dict(os.environ), str(root.resolve()), folder, streams)
    try:
        return process.wait()
    finally:
        process.close()


def answer(folder: Path) -> None:
    """Do in the fork what lies in a folder, and put the value there, or what was raised."""
    function, given, named = pickle.loads((folder / GIVEN).read_bytes())
    try:
        told = _function(function)(*given, **named), None
    except (InputError, OSError) as error:
        told = None, error
    except Exception:
        told = None, Broken(traceback.format_exc())
    part = folder / f"{ANSWER}.part"
    with suppress(FileNotFoundError):  # the run has ended meanwhile, and took the folder along
        part.write_bytes(pickle.dumps(told))
        part.replace(folder / ANSWER)


def _function(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)
