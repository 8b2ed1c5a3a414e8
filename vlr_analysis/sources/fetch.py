"""Fetching a pinned repository: from its address or from a copy at hand, every file checked, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests  # what pooch downloads with; its errors come through
from filelock import FileLock, Timeout

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.sources.kit import write_whole
from vlr_analysis.sources.pins import HOST, Pin, Repository

ABOUT = "FETCHED.txt"
AT_A_TIME = 8  # downloads; more would be rude to the host
TRIES = 3  # of one file, where the connection breaks or the host is busy
TIMEOUT = 20  # seconds without an answer
BUSY = {429, 500, 502, 503, 504}

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
                _take_copy(repository, wanted, Path(copy), work, progress)
            else:
                _download(repository, wanted, work, host, progress)
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
                problems.append(Problem(str(path), "a file that differs", f"none, or {_told(pin)}", fix))
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


def _told(pin: Pin) -> str:
    return f"{pin.bytes} bytes with SHA-256 {pin.sha256[:12]}..."


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


# --- a copy at hand --------------------------------------------------------------------------------------


def _take_copy(repository: Repository, pins: Sequence[Pin], copy: Path, work: Path, progress: Progress) -> None:
    """Check every pinned file of a copy, and only then take them."""
    subject = f"fetch {repository.name} --from {copy}"
    root = _root(repository, pins, copy)
    if pins and root is None:
        found = "no folder" if not copy.is_dir() else f"none of the {len(pins)} files, such as {pins[0].path}"
        fix = f"give the folder of a checkout or of an unpacked zip of {_zip(repository)}"
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
    where, expected = str(path), _told(pin)
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


def _zip(repository: Repository) -> str:
    return f"https://github.com/{repository.repository}/archive/{repository.commit}.zip"


# --- from its address -----------------------------------------------------------------------------------


class _TooLong(Exception):
    """More came than is pinned."""


class _Capped:
    """A file that takes no more bytes than are pinned: what a host sends is no measure."""

    def __init__(self, file, most: int):
        self._file, self._left = file, most

    def write(self, chunk: bytes) -> None:
        self._left -= len(chunk)
        if self._left < 0:
            raise _TooLong
        self._file.write(chunk)

    def flush(self) -> None:
        self._file.flush()


def _download(repository: Repository, pins: Sequence[Pin], work: Path, host: str, progress: Progress) -> None:
    """Download files into a working folder; those that are there as pinned are not downloaded again."""
    subject = f"fetch {repository.name}"
    if urlsplit(host).scheme not in ("http", "https") or not urlsplit(host).netloc:
        fix = "give the address of a mirror, or a folder with --from"
        raise InputError(subject, [Problem("--mirror", repr(host), "an address that begins with https://", fix)])
    pooch.get_logger().setLevel("WARNING")  # it would name every file; the bar tells
    store = pooch.create(
        path=work, base_url="", registry={pin.path: f"sha256:{pin.sha256}" for pin in pins},
        urls={pin.path: repository.address(pin, host) for pin in pins},
    )  # fmt: skip
    for parent in {(work / pin.path).parent for pin in pins}:
        parent.mkdir(parents=True, exist_ok=True)  # pooch makes it too, but not safely for several at a time
    failed: dict[Pin, str] = {}
    down = threading.Event()  # set by the first file that gets no answer: the others need not wait for one
    if pins and (why := _one(store, pins[0], down, patient=False)):
        failed[pins[0]] = why
    rest = [] if down.is_set() else pins[1:]
    pool = ThreadPoolExecutor(AT_A_TIME)
    try:
        waiting = {pool.submit(_one, store, pin, down): pin for pin in rest}
        for done, future in enumerate(as_completed(waiting), 2):
            if why := future.result():
                failed[waiting[future]] = why
            progress("downloading", done, len(pins))
    finally:
        pool.shutdown(cancel_futures=True)
    if failed:
        raise InputError(subject, _problems(repository, pins, failed, down.is_set(), work, host))


def _one(store: pooch.Pooch, pin: Pin, down: threading.Event, *, patient: bool = True) -> str:
    """Download one file; return why it could not be taken, empty where it was. Impatient: no answer is enough once."""

    def take(url: str, output: str, mediator: pooch.Pooch) -> None:
        with Path(output).open("wb") as file:
            pooch.HTTPDownloader(timeout=TIMEOUT, chunk_size=2**16)(url, _Capped(file, pin.bytes), mediator)

    for attempt in range(1, TRIES + 1):
        if down.is_set():
            return "no answer"
        try:
            store.fetch(pin.path, downloader=take)
            return ""
        except _TooLong:
            return f"more than {pin.bytes} bytes"
        except requests.HTTPError as error:
            why = f"HTTP {error.response.status_code} {error.response.reason}"
            if error.response.status_code not in BUSY:
                return why
        except requests.exceptions.ChunkedEncodingError:
            why = "a download that broke off"
        except requests.RequestException as error:
            why = _no_answer(error)
            if attempt == TRIES or not patient:
                down.set()
                return why
        except ValueError:  # pooch says so of a checksum
            return "another content than pinned"
        if attempt < TRIES:
            time.sleep(attempt)
    return why


def _no_answer(error: requests.RequestException) -> str:
    for kind, why in (
        (requests.exceptions.ProxyError, "no answer from the proxy"),
        (requests.exceptions.SSLError, "a certificate that is not trusted"),
        (requests.exceptions.Timeout, f"no answer within {TIMEOUT} seconds"),
    ):
        if isinstance(error, kind):
            return why
    text = str(error)
    if "NameResolution" in text or "getaddrinfo" in text:
        return "no answer: the name is not known (no network?)"
    return "no answer: the connection is refused" if "refused" in text else "no answer: no connection"


def _problems(
    repository: Repository, pins: Sequence[Pin], failed: dict[Pin, str], down: bool, work: Path, host: str
) -> list[Problem]:
    """Return one problem for each file, and one for all that got no answer."""
    by_hand = f"download {_zip(repository)} where there is a network, unpack it, and give its folder with --from"
    kept = sum((work / pin.path).is_file() for pin in pins)
    many = "1 file is" if kept == 1 else f"{kept} files are"
    again = f" ({many} checked and kept: the next try takes up there)" if kept else ""
    if down:
        why = next(why for why in failed.values() if why != "no answer")
        missing = len(pins) - kept
        fix = f"check the network; behind a proxy set HTTPS_PROXY, and REQUESTS_CA_BUNDLE where it signs; or {by_hand}"
        expected = f"{missing} of {len(pins)} files of {repository.repository} at {repository.commit[:8]}"
        return [Problem(host, why, expected + again, fix)]
    if len(failed) == len(pins) and len(set(failed.values())) == 1:
        found = f"{next(iter(failed.values()))} for each of the {len(pins)} files"
        at = repository.address(pins[0], host).removesuffix(pins[0].path)
        return [Problem(at, found, "the pinned files", f"the repository may have moved: {by_hand}")]
    return [Problem(repository.address(pin, host), why, _told(pin) + again, f"try again later, or {by_hand}")
            for pin, why in sorted(failed.items(), key=lambda item: item[0].path)]  # fmt: skip
