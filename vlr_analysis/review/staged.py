"""A temporary place beside the one where results go, and the moves between the two: nobody ever sees half of them."""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.language import checked

# A folder that holds this file was made by the kit and may be replaced by it.
SUMMARY = "review.json"
# What people add to a delivered report: the note of what was sent, and signatures of those who reproduced it.
SIGNATURES = "signatures"
HANDOVER = "handover"
NOT_COVERED = (f"{HANDOVER}/linkage-log.csv", f"{SIGNATURES}/")
LOCK = ".lock"
OLD = ".old-"
EXCHANGE = 2  # RENAME_EXCHANGE of Linux and RENAME_SWAP of macOS
HERE = -100  # AT_FDCWD of Linux


def check_out(
    out: Path, cities: Sequence[str], *, internal: bool = False, languages: Mapping[str, str] | None = None
) -> None:
    """Refuse to write over anything that the kit did not make, and to mix builds or languages.

    Parameters
    ----------
    out : Path
    cities : sequence of str
        Folders in it that are made anew.
    internal : bool
    languages : mapping, optional
        Folder -> tag of the language that it must be in, of those that stay; the key "" stands for all others.

    Raises
    ------
    InputError
        `out` is a file, a city's folder in it holds something else than a report, or `out` holds pages of the
        other build, or would hold pages in a language that nobody has asked for beside new ones.
    """
    problems = []
    if out.exists() and not out.is_dir():
        problems.append(Problem(f"--out {out}", "a file", "a folder", "choose another name"))
    for city in cities:
        folder = out / city
        if folder.exists() and not (folder / SUMMARY).is_file():
            fix = "move that folder away, or choose another --out"
            problems.append(Problem(str(folder), "a folder that the kit did not make", "a report, or nothing", fix))
    wanted = languages or {}
    for path in sorted(out.glob(f"*/{SUMMARY}")):
        there, folder = json.loads(path.read_text(encoding="utf-8")), path.parent.name
        held, asked = there.get("language", ""), wanted.get(folder, wanted.get("", ""))
        if folder not in cities and held and asked and checked(held) != checked(asked):
            expected = f"reports in the language {asked} only: one folder holds one language"
            fix = f"stay with --language {held}, or choose another --out, such as reports-{checked(asked)}"
            problems.append(Problem(f"--out {out.name}", f"{folder}: a report in the language {held}", expected, fix))
        if bool(there.get("internal", internal)) != internal:
            found = f"{path.parent.name}: {'a public' if internal else 'an internal'} report"
            expected = f"{'internal' if internal else 'public'} reports only"
            problems.append(Problem(f"--out {out}", found, expected, "choose another --out: the two are never mixed"))
    raise_if_any(f"--out {out}", problems)


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside `out`; it is gone afterwards whatever happens."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(out), dir=out.parent))
    try:
        yield folder
    finally:
        _put_back(folder, out)
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Hold a folder for one run; what a killed run has left beside it is cleared away first.

    A folder in which nothing but the lock was put is removed again.

    Raises
    ------
    InputError
        Another run is writing there. The system lets go of the folder when that run ends, also if it is killed.
    """
    out.mkdir(parents=True, exist_ok=True)
    lock = FileLock(out / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        where = f"--out {out.name}"
        fix = "wait until it has ended, or choose another --out"
        raise InputError(where, [Problem(where, "another run that writes there", "one run at a time", fix)]) from None
    try:
        for left in sorted(out.parent.glob(f"{_prefix(out)}*")):
            _put_back(left, out)
            shutil.rmtree(left, ignore_errors=True)
        yield
    finally:
        unused = [path.name for path in out.iterdir()] == [LOCK]
        lock.release()
        if unused:
            shutil.rmtree(out, ignore_errors=True)


def put(new: Path, target: Path) -> None:
    """Move a staged folder to its place in one step; what stood there goes to the staging folder.

    Parameters
    ----------
    new : Path
        Folder in a staging folder beside the parent of `target`.
    target : Path
        May exist or not.

    Raises
    ------
    OSError
        The old folder cannot be moved, such as on Windows while a file of it is open; it stays as it was.

    Notes
    -----
    Linux and macOS exchange two folders in one call. Elsewhere there are two moves, and the old folder is put back by
    the next run if a run is killed between them.
    """
    if not target.exists():
        new.replace(target)
    elif not _exchange(new, target):
        old = new.parent / f"{OLD}{target.name}"
        target.replace(old)
        new.replace(target)


def _prefix(out: Path) -> str:
    return f".{out.name}-"


def _put_back(folder: Path, out: Path) -> None:
    for old in folder.glob(f"{OLD}*"):
        target = out / old.name.removeprefix(OLD)
        if not target.exists():
            old.replace(target)


def _exchange(one: Path, other: Path) -> bool:
    """Exchange two folders in one step; False where the system cannot."""
    names = os.fsencode(one), os.fsencode(other)
    try:
        system = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            return system.renameat2(HERE, names[0], HERE, names[1], EXCHANGE) == 0
        return sys.platform == "darwin" and system.renamex_np(names[0], names[1], EXCHANGE) == 0
    except (AttributeError, TypeError, OSError):
        return False
