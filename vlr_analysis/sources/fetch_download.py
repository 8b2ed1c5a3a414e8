"""Downloading the files of a pinned repository into a working folder, several at a time, each checked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from urllib.parse import urlsplit

import pooch
import requests  # what pooch downloads with; its errors come through

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.pins import Pin, Repository

AT_A_TIME = 8  # downloads; more would be rude to the host
TRIES = 3  # of one file, where the connection breaks or the host is busy
TIMEOUT = 20  # seconds without an answer
BUSY = {429, 500, 502, 503, 504}

Progress = Callable[[str, int, int], None]


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


def download(repository: Repository, pins: Sequence[Pin], work: Path, host: str, progress: Progress) -> None:
    """Download files into a working folder; those that are there as pinned are not downloaded again.

    Parameters
    ----------
    repository : Repository
    pins : sequence of Pin
        Files that are wanted.
    work : Path
        Receives each file once it is checked, and keeps it where others fail.
    host : str
        Address below which the files stand: ``host/owner/name/commit/path``.
    progress : callable
        Told the stage, how many files are done, and how many there are.

    Raises
    ------
    InputError
        Every file that could not be had; one problem where the host does not answer or has none of them.
    """
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
    by_hand = f"download {repository.zip} where there is a network, unpack it, and give its folder with --from"
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
    return [Problem(repository.address(pin, host), why, pin.told + again, f"try again later, or {by_hand}")
            for pin, why in sorted(failed.items(), key=lambda item: item[0].path)]  # fmt: skip
