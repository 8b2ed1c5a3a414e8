"""Executed notebooks of earlier runs, kept by what they depend on: what would come out the same is not run again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from vlr_analysis.review import inputs
from vlr_analysis.review.plan import Task
from vlr_analysis.sources.kit import write_whole

FOLDER = ".cache/notebooks"
AT_MOST = 4  # entries kept of one notebook and city: public and internal builds, and a change that is taken back


@dataclass(frozen=True)
class Found:
    """What the cache says of a task: the text of the executed notebook, or why it must run."""

    text: str = ""
    reason: str = ""

    @property
    def hit(self) -> bool:
        """Whether the notebook need not run."""
        return bool(self.text)


class Cache:
    """Executed notebooks below a folder, one file an entry.

    Parameters
    ----------
    folder : Path
        Made when something is kept.

    Notes
    -----
    An entry is one JSON file: what the notebook depends on, its text, and the hash of the two. It appears whole or not
    at all, and one whose hash doesn't fit counts as damaged.
    """

    def __init__(self, folder: Path):
        self.folder = folder

    def look(self, task: Task, now: Mapping[str, str]) -> Found:
        """Return the executed notebook of a task for these inputs, or the reason why it must run.

        Parameters
        ----------
        task : Task
        now : mapping
            From `inputs.of_task`.

        Returns
        -------
        Found
            The reason is empty where the task has never run.
        """
        path = self._path(task, now)
        if path.is_file():
            entry = _read(path)
            if entry and entry["inputs"] == dict(now):
                return Found(text=entry["notebook"])
            path.unlink(missing_ok=True)
            return Found(reason="its kept copy is damaged")
        for older in reversed(self._entries(task)):
            entry = _read(older)
            if entry and entry["parameters"] == _parameters(task):
                return Found(reason="; ".join(inputs.changes(entry["inputs"], now)))
        return Found()

    def keep(self, task: Task, now: Mapping[str, str], text: str) -> None:
        """Keep the executed notebook of a task; the oldest entries make room.

        Raises
        ------
        OSError
            It cannot be written; nothing half-written is left.
        """
        entry = {"inputs": dict(now), "parameters": _parameters(task), "notebook": text}
        entry["sha256"] = _hash(entry)
        write_whole(self._path(task, now), json.dumps(entry, ensure_ascii=False).encode())
        for old in self._entries(task)[:-AT_MOST]:
            old.unlink(missing_ok=True)

    def _path(self, task: Task, now: Mapping[str, str]) -> Path:
        return self._of(task) / f"{inputs.key_of(now, _parameters(task))[:32]}.json"

    def _of(self, task: Task) -> Path:
        return self.folder / task.folder / task.notebook.stem

    def _entries(self, task: Task) -> list[Path]:
        return sorted(self._of(task).glob("*.json"), key=lambda path: (path.stat().st_mtime_ns, path.name))


def _parameters(task: Task) -> str:
    return json.dumps(dict(task.parameters), sort_keys=True)


def _read(path: Path) -> dict | None:
    """Return an entry, or None where it is damaged."""
    try:
        entry = json.loads(path.read_bytes())
        whole = entry.pop("sha256") == _hash(entry)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return entry if whole else None


def _hash(entry: Mapping) -> str:
    return hashlib.sha256(json.dumps(entry, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
