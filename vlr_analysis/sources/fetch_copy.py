"""A copy of a pinned repository at hand: every file is checked, and only then are they taken."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.sources.pins import Pin, Repository

Progress = Callable[[str, int, int], None]


def take_copy(repository: Repository, pins: Sequence[Pin], copy: Path, work: Path, progress: Progress) -> None:
    """Check every pinned file of a copy, and only then take them.

    Parameters
    ----------
    repository : Repository
    pins : sequence of Pin
        Files that are wanted.
    copy : Path
        A checkout, an unpacked zip, or the folder of the files alone.
    work : Path
        Folder that receives them; emptied before.
    progress : callable
        Told the stage, how many files are done, and how many there are.

    Raises
    ------
    InputError
        Every file that is missing or not as pinned; one problem where the copy holds none of them.
    """
    subject = f"fetch {repository.name} --from {copy}"
    root = _root(repository, pins, copy)
    if pins and root is None:
        found = "no folder" if not copy.is_dir() else f"none of the {len(pins)} files, such as {pins[0].path}"
        fix = f"give the folder of a checkout or of an unpacked zip of {repository.zip}"
        raise InputError(subject, [Problem(str(copy), found, f"the files of {repository.repository}", fix)])
    contents, problems = {}, []
    for done, pin in enumerate(pins, 1):
        found = _content(root, pin)
        if isinstance(found, Problem):
            problems.append(found)
        else:
            contents[pin.path] = found
        progress("checking", done, len(pins))
    raise_if_any(subject, problems)
    shutil.rmtree(work, ignore_errors=True)
    try:
        for path, content in contents.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_bytes(content)
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _root(repository: Repository, pins: Sequence[Pin], copy: Path) -> Path | None:
    """Return where in a copy the files stand: at its root or below the folder of an unpacked zip."""
    if not copy.is_dir():
        return None
    tops = [copy, *sorted(path for path in copy.iterdir() if path.is_dir() and not path.is_symlink())]
    places = [place for top in tops for place in dict.fromkeys((top, top / repository.folder))]
    held = [sum((place / pin.path).is_file() for pin in pins) for place in places]
    most = max(held, default=0)
    return places[held.index(most)] if most else None


def _content(root: Path, pin: Pin) -> bytes | Problem:
    path = root / pin.path
    where, expected = str(path), pin.told
    if not path.is_file():
        return Problem(where, "no file", expected, "take a whole copy at the pinned commit")
    if not path.resolve().is_relative_to(root.resolve()):
        return Problem(where, "a link that leads out of the folder", expected, "take a copy without links")
    size = path.stat().st_size
    content = path.read_bytes() if size <= 2 * pin.bytes else b""  # a text in which every line end was changed
    if hashlib.sha256(content).hexdigest() == pin.sha256:
        return content
    if hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest() == pin.sha256:
        fix = "take the zip, or check it out with git config core.autocrlf false"
        return Problem(where, "the same text with the line ends of Windows", expected, fix)
    return Problem(where, f"{size} bytes of another content", expected, "take the copy at the pinned commit, unchanged")
