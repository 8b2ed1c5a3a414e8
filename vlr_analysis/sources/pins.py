"""Public repositories that `vlr fetch` knows: where each is, at which version, and what every file of it holds."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import resources
from pathlib import PurePosixPath
from urllib.parse import quote

from vlr_analysis.errors import InputError, Problem, raise_if_any

HOST = "https://raw.githubusercontent.com"
REPOSITORY_COLUMNS = ("name", "publisher", "title", "repository", "commit", "folder", "licence", "citation", "next")
REGISTRY_COLUMNS = ("path", "sha256", "bytes")

_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.I)
_FORBIDDEN = re.compile(r'[\\:*?"<>|\x00-\x1f\x7f]')
_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9a-f]{8,40}")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*")


@dataclass(frozen=True)
class Pin:
    """One file: its path below the folder, with ``/``, its SHA-256 in hexadecimal digits, its length in bytes."""

    path: str
    sha256: str
    bytes: int

    @property
    def told(self) -> str:
        """What a message says that the file should be."""
        return f"{self.bytes} bytes with SHA-256 {self.sha256[:12]}..."


@dataclass(frozen=True)
class Repository:
    """A public repository at one version.

    Attributes
    ----------
    name : str
        What `vlr fetch` calls it.
    publisher, title, licence, citation : str
        `citation` is empty where the publisher asks for none.
    repository, commit : str
        ``owner/name`` on GitHub, and the commit: 8 to 40 hexadecimal digits.
    folder : str
        Folder of the repository that the pinned files stand in; empty for its root.
    next : str
        What `vlr import` needs to read what was fetched, with `{folder}` to fill.
    files : tuple of Pin
    """

    name: str
    publisher: str
    title: str
    repository: str
    commit: str
    folder: str
    licence: str
    citation: str
    next: str
    files: tuple[Pin, ...]

    @property
    def bytes(self) -> int:
        """Length of all files together."""
        return sum(pin.bytes for pin in self.files)

    @property
    def zip(self) -> str:
        """Address of the whole repository at the commit, for those who carry it by hand."""
        return f"https://github.com/{self.repository}/archive/{self.commit}.zip"

    def address(self, pin: Pin, host: str = HOST) -> str:
        """Return where a file is downloaded from; `host` may be a mirror laid out in the same way."""
        parts = [self.repository, self.commit, self.folder, pin.path]
        return "/".join([host.rstrip("/"), *(quote(part) for part in parts if part)])


def names() -> list[str]:
    """Return the names of the pinned repositories, in the order of their list."""
    return [row["name"] for row in _rows("repositories.csv", REPOSITORY_COLUMNS)]


def read_pins(name: str) -> Repository:
    """Return a pinned repository.

    Raises
    ------
    InputError
        No such name; the nearest one is named.
    """
    rows = {row["name"]: row for row in _rows("repositories.csv", REPOSITORY_COLUMNS)}
    if name not in rows:
        near = get_close_matches(name, rows, n=1, cutoff=0.4)
        fix = f"did you mean {near[0]!r}?" if near else "take one of them; `vlr fetch` alone lists them"
        raise InputError("fetch", [Problem("NAME", repr(name), " or ".join(rows), fix)])
    row = rows[name]
    raise_if_any(f"pinned repository {name}", _faults(row))
    return Repository(**row, files=read_registry(_text(f"{name}.csv"), f"{name}.csv"))


def read_registry(text: str, name: str) -> tuple[Pin, ...]:
    """Read the list of files of a repository.

    Parameters
    ----------
    text : str
        CSV with the columns `REGISTRY_COLUMNS`.
    name : str
        What messages call it.

    Raises
    ------
    InputError
        A path that leads out of the folder or that some system cannot hold, two paths that are one on some system, a
        checksum or a length that is none.
    """
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    problems = []
    if not rows or tuple(rows[0]) != REGISTRY_COLUMNS:
        fix = "make it again with tools/pin.py"
        raise InputError(name, [Problem(f"{name}, row 1", "another header", ",".join(REGISTRY_COLUMNS), fix)])
    for number, row in enumerate(rows, 2):
        where = f"{name}, row {number}"
        wrong = why_unsafe(row["path"] or "")
        if wrong:
            fix = "leave it out or rename it"
            problems.append(Problem(f"{where}, column path", repr(row["path"]), f"a safe path: {wrong}", fix))
        if not _SHA256.fullmatch(row["sha256"] or ""):
            problems.append(
                Problem(f"{where}, column sha256", repr(row["sha256"]), "64 hexadecimal digits", "pin again")
            )
        if not re.fullmatch(r"\d{1,12}", row["bytes"] or ""):
            problems.append(Problem(f"{where}, column bytes", repr(row["bytes"]), "a length in bytes", "pin again"))
    plain = Counter((row["path"] or "").casefold() for row in rows)
    folders = {str(parent) for path in plain for parent in PurePosixPath(path).parents}
    for path, times in plain.items():
        if times > 1 or path in folders:
            found = f"{path!r} {times} times" if times > 1 else f"{path!r} as a file and as a folder"
            problems.append(
                Problem(name, found, "one file at each path, also where capitals do not count", "pin again")
            )
    raise_if_any(name, problems)
    return tuple(Pin(row["path"], row["sha256"], int(row["bytes"])) for row in rows)


def why_unsafe(path: str) -> str:
    """Say why a path cannot be taken as it stands on every system; empty where it can.

    Safe is a relative path with ``/`` between names, none of which leads upward, is a device of Windows, ends in a dot
    or a space, or holds a character that some system reserves.
    """
    if not path or path.startswith("/") or len(path) > 200:
        return "relative, of 1 to 200 characters"
    if _FORBIDDEN.search(path):
        return 'without \\ : * ? " < > | and control characters'
    for part in path.split("/"):
        if part in ("", ".", ".."):
            return "no part of it empty, . or .."
        if _DEVICES.fullmatch(part):
            return f"{part} is a device on Windows"
        if part[-1] in ". ":
            return "no name that ends in a dot or a space"
    return ""


def _faults(row: dict[str, str]) -> list[Problem]:
    rules = (("repository", _REPOSITORY.fullmatch(row["repository"]), "owner/name"),
             ("commit", _COMMIT.fullmatch(row["commit"]), "8 to 40 hexadecimal digits"),
             ("folder", not row["folder"] or not why_unsafe(row["folder"]), "a safe path"))  # fmt: skip
    where = "repositories.csv"
    return [Problem(f"{where}, column {name}", repr(row[name]), expected, "mend the list")
            for name, holds, expected in rules if not holds]  # fmt: skip


def _rows(name: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    rows = list(csv.DictReader(io.StringIO(_text(name), newline="")))
    assert all(tuple(row) == columns for row in rows), f"{name} has other columns than {columns}"
    return rows


def _text(name: str) -> str:
    return (resources.files("vlr_analysis.sources") / "pinned" / name).read_text(encoding="utf-8")
