"""What travels to another machine: a notebook, its parameters, and the files it needs, each known by its hash."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.params import DATA, PARAMS
from vlr_analysis.review import inputs
from vlr_analysis.review.plan import Task
from vlr_analysis.sources.kit import write_whole


@dataclass(frozen=True)
class Parcel:
    """A task without any folder of the machine that planned it.

    Attributes
    ----------
    folder, title, parameters
        As in `Task`.
    notebook : str
        Path below the project.
    files : mapping
        Path below the project -> SHA-256, of every file that the notebook needs, itself among them.
    """

    folder: str
    title: str
    notebook: str
    parameters: Mapping[str, Any]
    files: Mapping[str, str]

    @property
    def hashes(self) -> set[str]:
        """Hashes of the files, each once."""
        return set(self.files.values())


def pack(task: Task, hashes: inputs.Hashes) -> Parcel:
    """Return what a task needs in order to run elsewhere; the package itself must be there already.

    Raises
    ------
    InputError
        The parameters of a city of the task are wrong.
    """
    needed = inputs.of_task(task, hashes).items()
    files = {name: sha for name, sha in needed if not name.startswith((f"{inputs.PACKAGE}/", f"{inputs.ENVIRONMENT}/"))}
    notebook = task.notebook.relative_to(task.root).as_posix()
    return Parcel(task.folder, task.title, notebook, dict(task.parameters), files)


def read(parcel: Parcel, root: Path, wanted: Collection[str]) -> dict[str, bytes]:
    """Read those files of a parcel whose hash is wanted.

    Returns
    -------
    dict
        SHA-256 -> content.

    Raises
    ------
    InputError
        A file is no longer what was packed: the result would be of other figures than the plan says.
    """
    found, problems = {}, []
    for name, sha in sorted(parcel.files.items(), key=lambda item: item[1]):
        if sha not in wanted or sha in found:
            continue
        path = root / name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() == sha:
            found[sha] = content
        else:
            problems.append(Problem(name, "a change during the run", "the file as it was at the start", "run again"))
    raise_if_any(parcel.notebook, problems)
    return found


def keep(contents: Mapping[str, bytes], store: Path) -> None:
    """Put files into a store, named by their hash; tasks that do so at the same time do not disturb each other."""
    for sha, content in contents.items():
        if not (store / sha).exists():
            write_whole(store / sha, content)


def unpack(parcel: Parcel, store: Path, root: Path) -> Task:
    """Make a small project of a parcel below `root`, out of a store that holds its files.

    Files are copied, not linked: a notebook that writes into its project changes nothing for the next.

    Raises
    ------
    FileNotFoundError
        The store lacks a file.
    """
    for name in (PARAMS, DATA):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name, sha in parcel.files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(store / sha, root / name)
    return Task(parcel.folder, parcel.title, root / parcel.notebook, root, parcel.parameters)
