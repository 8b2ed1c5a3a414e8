"""The files of a hand-over as bytes: zips and a manifest that come out alike twice, and a reader that trusts no zip."""

from __future__ import annotations

import hashlib
import io
import json
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from vlr_analysis.errors import InputError, Problem, raise_if_any

MANIFEST, BUNDLE, LOG = "manifest.json", "handover.zip", "linkage-log.csv"
FORMAT = "vlr-handover"
# What lies beside the files of a hand-over and is no part of it.
BESIDE = {MANIFEST, BUNDLE, LOG}

# More than any city's hand-over needs; a zip that would unpack to more is refused before it is unpacked.
MOST_FILES, MOST_BYTES, MOST_RATIO, SMALL = 5000, 256 * 2**20, 300, 2**20

_STAMP = (1980, 1, 1, 0, 0, 0)
_DATES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:(?:created|modified)>)")


# --- writing -----------------------------------------------------------------------------------


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Return a zip of files by name, in the given order: no clock, no user, no system in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _STAMP)
            entry.create_system, entry.external_attr = 3, (stat.S_IFREG | 0o644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()


def timeless(document: bytes) -> bytes:
    """Return an Office document (a zip) without the times of its making."""
    with zipfile.ZipFile(io.BytesIO(document)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    core = "docProps/core.xml"
    parts[core] = _DATES.sub(rb"\g<1>2000-01-01T00:00:00Z\g<2>", parts[core])
    return zipped(parts)


def manifest(files: Mapping[str, bytes], about: Mapping[str, object]) -> bytes:
    """Return `manifest.json`: what the hand-over is, and every file with its size and SHA-256, sorted by name."""
    listed = [
        {"path": name, "bytes": len(files[name]), "sha256": hashlib.sha256(files[name]).hexdigest()}
        for name in sorted(files)
    ]
    content = {"format": FORMAT, "version": 1, **about, "files": listed}
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


# --- reading -----------------------------------------------------------------------------------


def read_bundle(path: Path) -> dict[str, bytes]:
    """Read a hand-over, a zip or a folder, into memory; nothing is written anywhere.

    Parameters
    ----------
    path : Path
        `handover.zip`, or the folder that holds `manifest.json`.

    Returns
    -------
    dict
        Content of each file by its name, with ``/`` between folders. A zip whose files all lie in one folder is
        read as that folder.

    Raises
    ------
    InputError
        No such file; not a zip; a name that leads out of the folder (``..``, an absolute path, a drive), a link,
        a device, an encrypted or damaged entry, a name twice; too many files, too many bytes, or an entry that unpacks
        to more than `MOST_RATIO` times its size.
    """
    if path.is_dir():
        return _of_folder(path)
    if not path.is_file():
        problem = Problem(str(path), "no such file", "handover.zip, or the folder of a hand-over", "check the path")
        raise InputError(path.name, [problem])
    content = path.read_bytes()
    files = read_zip(content, path.name)
    tops = {name.partition("/")[0] for name in files}
    if MANIFEST not in files and len(tops) == 1:
        files = {name.partition("/")[2]: content for name, content in files.items()}
    return files


def _of_folder(folder: Path) -> dict[str, bytes]:
    paths = sorted(path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir())
    links = [path for path in paths if path.is_symlink() or not path.is_file()]
    problems = [
        Problem(path.relative_to(folder).as_posix(), "a link or a device", "a plain file", "remove it")
        for path in links
    ]
    problems += _too_much(folder.name, len(paths), sum(path.stat().st_size for path in paths if path not in links))
    raise_if_any(str(folder.name), problems)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def read_zip(content: bytes, name: str) -> dict[str, bytes]:
    """Read every file of a zip into memory, after `read_bundle`'s checks."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
            problems = [problem for entry in entries for problem in _entry_problems(entry, name)]
            problems += _too_much(name, len(entries), sum(entry.file_size for entry in entries))
            problems += _twice([entry.filename for entry in entries], name)
            raise_if_any(name, problems)
            return {entry.filename: archive.read(entry) for entry in entries}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        problem = Problem(name, f"a damaged zip ({error})", "a zip as the kit writes it", "ask for the file again")
        raise InputError(name, [problem]) from None


def _entry_problems(entry: zipfile.ZipInfo, name: str) -> Iterator[Problem]:
    where, shown = f"{name}, entry {entry.filename!r}", entry.filename
    parts = shown.replace("\\", "/").split("/")
    outside = "\\" in shown or ":" in shown or shown.startswith("/") or {"..", ".", ""} & set(parts)
    if outside or any(ord(letter) < 32 for letter in entry.orig_filename):
        fix = "do not unpack this file by hand; ask the sender for a new one"
        yield Problem(where, "a name that may lead out of the folder", "a plain relative name", fix)
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        yield Problem(where, "a link or a device", "a plain file", "ask the sender for a new file")
    if entry.flag_bits & 1:
        yield Problem(where, "an encrypted file", "a file that anyone can open", "ask for it without a password")
    if entry.file_size > max(SMALL, MOST_RATIO * entry.compress_size):
        found = f"{entry.compress_size:,} bytes that unpack to {entry.file_size:,}"
        yield Problem(where, found, f"at most {MOST_RATIO} times as many", "ask the sender what it is")


def _too_much(name: str, count: int, size: int) -> list[Problem]:
    problems = []
    if count > MOST_FILES:
        problems.append(Problem(name, f"{count:,} files", f"at most {MOST_FILES:,}", "ask the sender what it is"))
    if size > MOST_BYTES:
        expected = f"at most {MOST_BYTES:,} bytes"
        problems.append(Problem(name, f"{size:,} bytes when unpacked", expected, "ask the sender what it is"))
    return problems


def _twice(names: list[str], name: str) -> list[Problem]:
    seen: dict[str, str] = {}
    problems = []
    for entry in names:
        first = seen.setdefault(entry.casefold(), entry)
        if first is not entry:
            problems.append(
                Problem(f"{name}, entry {entry!r}", f"the name of {first!r} again", "each name once", "ask again")
            )
    return problems


def check_manifest(files: Mapping[str, bytes], name: str) -> tuple[dict, list[Problem]]:
    """Compare files with their manifest.

    Returns
    -------
    dict
        The manifest; empty where there is none that can be read.
    list of Problem
        One for each file that differs, is missing, or is not listed.
    """
    if MANIFEST not in files:
        fix = "give handover.zip, or the folder that holds manifest.json"
        return {}, [Problem(name, f"no {MANIFEST}", "a hand-over as `vlr handover` writes it", fix)]
    try:
        content = json.loads(files[MANIFEST].decode("utf-8"))
        listed = {str(item["path"]): (int(item["bytes"]), str(item["sha256"])) for item in content["files"]}
        known = content["format"] == FORMAT and content["version"] == 1
    except (ValueError, KeyError, TypeError, RecursionError):
        return {}, [Problem(MANIFEST, "text that is no manifest", "JSON as `vlr handover` writes it", "ask again")]
    if not known:
        found = f"format {content['format']!r}, version {content['version']!r}"
        return {}, [Problem(MANIFEST, found, f"format {FORMAT!r}, version 1", "bring the kit up to date")]
    problems = []
    for path in sorted(set(listed) | (set(files) - BESIDE)):
        if path not in files:
            problems.append(Problem(path, "no such file", "the file that the manifest lists", "ask for it again"))
        elif path not in listed:
            fix = "remove it: it is no part of what was handed over"
            problems.append(Problem(path, "a file that the manifest does not list", "nothing", fix))
        elif hashlib.sha256(files[path]).hexdigest() != listed[path][1]:
            found = f"other content ({len(files[path]):,} bytes)"
            expected = f"the file that was handed over ({listed[path][0]:,} bytes, SHA-256 {listed[path][1][:12]}…)"
            problems.append(Problem(path, found, expected, "take the file of the bundle as it was sent"))
    return content, problems
