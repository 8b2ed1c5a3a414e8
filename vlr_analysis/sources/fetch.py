"""Fetching a pinned repository: from its address or from a copy at hand, every file checked, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.sources.fetch_copy import take_copy
from vlr_analysis.sources.fetch_download import download
from vlr_analysis.sources.kit import write_whole
from vlr_analysis.sources.pins import HOST, Pin, Repository

ABOUT = "FETCHED.txt"

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Fetched:
    """What was fetched.

    Attributes
    ----------
    repository : Repository
    folder : Path
        Where it stands now.
    new, replaced, unchanged : int
        Pinned files that were not there, that differed, that were there already.
    others : int
        Files of the folder that are not pinned; they were left alone.
    """

    repository: Repository
    folder: Path
    new: int
    replaced: int
    unchanged: int
    others: int

    def lines(self) -> list[str]:
        """Say what was fetched, on which terms, and which command reads it."""
        one, folder = self.repository, self.folder.as_posix()
        counts = {"new": self.new, "replaced": self.replaced, "unchanged": self.unchanged}
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count)
        lines = [f"{one.name}: {len(one.files)} files in {folder} ({told}), each as pinned at {one.commit[:8]}"]
        if self.others:
            lines.append(f"besides, {folder} holds {self.others} that are not pinned; they were left alone")
        lines.append(f"{one.publisher}: {one.title}. Licence: {one.licence}")
        lines += [f"cite as: {one.citation}"] if one.citation else []
        lines.append(f"next: vlr import {one.next.format(folder=folder)} -o {_quoted(folder + '.csv')}")
        return lines


def fetch(
    repository: Repository,
    folder: Path | str,
    *,
    copy: Path | str | None = None,
    host: str = HOST,
    replace: bool = False,
    progress: Progress = lambda stage, done, of: None,
) -> Fetched:
    """Bring the pinned files of a repository into a folder.

    Parameters
    ----------
    repository : Repository
    folder : Path or str
        Receives the files, and `FETCHED.txt`, which says what they are. Files that are there as pinned are not fetched
        again.
    copy : Path or str, optional
        Folder of a copy at hand, a checkout or an unpacked zip; nothing is downloaded then.
    host : str
        Address of a mirror that is laid out as the pinned host is: ``host/owner/name/commit/path``.
    replace : bool
        Write over files that differ.
    progress : callable
        Told the stage, how many files are done, and how many there are.

    Returns
    -------
    Fetched

    Raises
    ------
    InputError
        Files that are missing or not as pinned, each of them named; no answer; files in `folder` that differ.
        `folder` is as it was then. What was downloaded and checked stays beside it and need not be fetched again.
    """
    folder = Path(folder)
    missing, differing = _standing(repository, folder, replace)
    wanted = [*missing, *differing]
    try:
        with _work_beside(folder) as work:
            if copy is not None:
                take_copy(repository, wanted, Path(copy), work, progress)
            else:
                download(repository, wanted, work, host, progress)
            _deliver(wanted, work, folder)
    except Timeout:
        found = "another fetch that is writing there"
        raise InputError("fetch", [Problem(str(folder), found, "one at a time", "wait for it")]) from None
    except OSError as error:
        found = error.strerror or str(error)
        fix = "choose a folder that can be written: -o FOLDER"
        raise InputError(
            "fetch", [Problem(str(error.filename or folder), found, "a folder for the files", fix)]
        ) from None
    write_whole(folder / ABOUT, _about(repository).encode("utf-8"))
    pinned = {pin.path for pin in repository.files} | {ABOUT}
    others = sum(path.is_file() and path.relative_to(folder).as_posix() not in pinned for path in folder.rglob("*"))
    same = len(repository.files) - len(wanted)
    return Fetched(repository, folder, len(missing), len(differing), same, others)


# --- what stands there, and putting files there ----------------------------------------------------------


def _standing(repository: Repository, folder: Path, replace: bool) -> tuple[list[Pin], list[Pin]]:
    """Return the pins that are missing in a folder and those that differ; a folder that cannot take them is refused."""
    if folder.exists() and not folder.is_dir():
        raise InputError("fetch", [Problem(str(folder), "a file", "a folder", "choose another one: -o FOLDER")])
    missing, differing, problems = [], [], []
    for pin in repository.files:
        path = folder / pin.path
        if path.is_dir() or any(parent.is_file() for parent in _between(path, folder)):
            problems.append(Problem(str(path), "a folder or a file in its way", "a file", "choose another -o FOLDER"))
        elif not path.exists():
            missing.append(pin)
        elif not _as_pinned(path, pin):
            differing.append(pin)
            if not replace:
                fix = "add --replace to write over it, or choose another -o FOLDER"
                problems.append(Problem(str(path), "a file that differs", f"none, or {pin.told}", fix))
    raise_if_any(f"fetch {repository.name}: {folder} was left as it is", problems)
    return missing, differing


@contextmanager
def _work_beside(folder: Path) -> Iterator[Path]:
    """Yield the working folder for one fetch at a time; where nothing was fetched, nothing stays."""
    made = [parent for parent in folder.parents if not parent.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    whole = folder.resolve()  # -o . has no name of its own
    work = whole.with_name(f".{whole.name}.part")
    with FileLock(f"{work}.lock", timeout=0):
        try:
            yield work
        finally:
            if not any(path.is_file() for path in work.rglob("*")):
                shutil.rmtree(work, ignore_errors=True)
            with suppress(OSError):  # Windows takes it away itself
                Path(f"{work}.lock").unlink()
            with suppress(OSError):
                for parent in made:
                    parent.rmdir()


def _between(path: Path, folder: Path) -> list[Path]:
    return [parent for parent in path.parents if folder in parent.parents]


def _as_pinned(path: Path, pin: Pin) -> bool:
    if path.stat().st_size != pin.bytes:
        return False
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == pin.sha256


def _deliver(pins: Sequence[Pin], work: Path, folder: Path) -> None:
    """Move checked files into place: all at once where there is no folder yet, else one by one, each whole."""
    if not pins:
        return
    pinned = {work / pin.path for pin in pins}
    for path in list(work.rglob("*")):  # halves of a fetch that was killed, files of an older version
        if path.is_file() and path not in pinned:
            path.unlink()
    if not folder.exists():
        work.rename(folder)
        return
    for pin in pins:
        (folder / pin.path).parent.mkdir(parents=True, exist_ok=True)
        (work / pin.path).replace(folder / pin.path)
    shutil.rmtree(work)


def _about(repository: Repository) -> str:
    one = repository
    cite = f"Cite as: {one.citation}\n" if one.citation else ""
    return (
        f"{one.title}\n{one.publisher}\nLicence: {one.licence}\n{cite}"
        f"Repository: https://github.com/{one.repository}\nCommit: {one.commit}\nFolder: {one.folder or '/'}\n"
        f"{len(one.files)} files, {one.bytes} bytes, each with the SHA-256 that `vlr fetch {one.name}` has pinned\n"
    )


def _quoted(path: str) -> str:
    return f'"{path}"' if " " in path else path
