"""A city's review as one PDF: first page, chapters and certificate, printed by a browser of this machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePath

from markupsafe import Markup

from vlr_analysis.cities import City
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.language import gettext
from vlr_analysis.review.pages import render
from vlr_analysis.review.session import PDF as FILE

VARIABLE = "CHROME"
LIMIT = 300  # seconds for one city
NO_BROWSER = (
    "no Chromium, Chrome or Edge was found on this machine. "
    f"Fix: install one, or name it in the environment variable {VARIABLE}"
)
_COMMANDS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge",
    "microsoft-edge-stable", "msedge",
)  # fmt: skip
_MACOS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_WINDOWS = (
    "Microsoft/Edge/Application/msedge.exe", "Google/Chrome/Application/chrome.exe",
    "Chromium/Application/chrome.exe",
)  # fmt: skip
_WINDOWS_FOLDERS = ("ProgramFiles", "ProgramFiles(x86)", "LocalAppData")
# Nothing but printing: no look at updates, no name looked up, no profile of the person who runs it.
_ALONE = (
    "--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-sync", "--disable-background-networking", "--disable-component-update", "--disable-default-apps",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--no-pdf-header-footer", "--generate-pdf-document-outline",
)  # fmt: skip

_MAIN = re.compile(r'<main id="main"[^>]*>(.*)</main>', re.S)
_ID = re.compile(r'\b(id|aria-labelledby)="([^"]+)"')
_LINK = re.compile(r'<a\b[^>]*\bhref="([^"]*)"[^>]*>')
_CLOSED = re.compile(r'<details class="(more|rows)">')
_LEFT_OUT = re.compile(r'<details class="(?:code|data)">.*?</details>|<form\b.*?</form>|<nav\b.*?</nav>', re.S)
_NODE = re.compile(rb"\(node(\d{8})\)")
_DATE = re.compile(rb"/(CreationDate|ModDate) ?\(D:[^)]*\)")


class NotPrinted(Exception):
    """The browser has made no PDF; the message says what it told."""


def browser(environment: Mapping[str, str] = os.environ, system: str = sys.platform) -> str:
    """Return the path of a browser that can print: the one that `CHROME` names, else one in a usual place.

    Parameters
    ----------
    environment : mapping
    system : str
        As `sys.platform`.

    Returns
    -------
    str
        Empty where there is none.

    Raises
    ------
    InputError
        `CHROME` names something that is no file.
    """
    named = environment.get(VARIABLE, "")
    if named:
        found = shutil.which(named)
        if found is None:
            where = f"environment variable {VARIABLE}"
            fix = "give the path of chrome, chromium or msedge, or unset it"
            raise InputError(where, [Problem(where, named, "a program", fix)])
        return found
    on_path = (shutil.which(name, path=environment.get("PATH", "")) for name in _COMMANDS)
    return next((found for found in (*on_path, *_places(environment, system)) if found and Path(found).is_file()), "")


def _places(environment: Mapping[str, str], system: str) -> list[str]:
    if system == "darwin":
        return list(_MACOS)
    if system == "win32":
        folders = [environment[name] for name in _WINDOWS_FOLDERS if environment.get(name)]
        return [str(PurePath(folder, place)) for place in _WINDOWS for folder in folders]
    return []


def write(folder: Path, city: City, chapters: Sequence[str], program: str) -> None:
    """Print a city's pages as `review.pdf` beside them.

    Parameters
    ----------
    folder : Path
        Report of the city: its pages are written already.
    city : City
    chapters : sequence of str
        Names of the notebooks, in reading order.
    program : str
        Path of a browser, from `browser`.

    Raises
    ------
    NotPrinted
        The browser failed or took longer than `LIMIT`; nothing is left behind.

    Notes
    -----
    All pages are one document to the browser, so that numbers of pages run on and links between chapters work. Two
    runs of one browser give the same bytes: see `settled`.
    """
    html = document(folder, city, chapters)
    with tempfile.TemporaryDirectory(prefix=".print-", dir=folder.parent) as name:
        place = Path(name)
        source, made = place / "review.html", place / FILE
        source.write_text(html, encoding="utf-8", newline="")
        _print(source, made, place / "profile", program)
        (folder / FILE).write_bytes(settled(made.read_bytes()))


def document(folder: Path, city: City, chapters: Sequence[str]) -> str:
    """Return first page, chapters and certificate as one page for printing.

    Ids are made unique by the name of their page; links between the pages lead inside the document, others to files
    of the report lose their target, since it would name a folder of this machine.
    """
    stems = ["index", *chapters, "certificate"]
    parts = [_part((folder / f"{stem}.html").read_text(encoding="utf-8"), stem, stems) for stem in stems]
    notes = [gettext("INTERNAL, not for publication")] if city.internal else []
    notes += [gettext("made up")] if city.made_up else []
    running = " · ".join([city.name, *notes])
    return render(
        "print.html.j2", language=city.language, city=city, parts=parts, running=Markup(_css_text(running))
    )  # fmt: skip


def _part(html: str, stem: str, stems: Sequence[str]) -> tuple[str, Markup]:
    body = _MAIN.search(html)[1]
    body = _LEFT_OUT.sub("", body)
    body = _CLOSED.sub(r'<details class="\1" open>', body)
    body = _ID.sub(rf'\1="{stem}--\2"', body)
    return f"{stem}--top", Markup(_LINK.sub(lambda found: _link(found, stem, stems), body))


def _link(found: re.Match, stem: str, stems: Sequence[str]) -> str:
    target = found[1]
    if target.startswith(("https://", "http://")):
        return found[0]
    name, _, at = target.partition("#")
    page = name.removesuffix(".html") or stem
    if page not in stems or (name and not name.endswith(".html")):
        return "<a>"
    return f'<a href="#{page}--{at or "top"}">'


def _css_text(text: str) -> str:
    """Return a text as a string of CSS; everything but letters and digits is written by its number."""
    return '"' + "".join(letter if letter.isalnum() else f"\\{ord(letter):x} " for letter in text) + '"'


def _print(source: Path, made: Path, profile: Path, program: str) -> None:
    # The system's administrator has no sandbox on Linux: without this word the browser stops at once.
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [program, *_ALONE, *root, f"--user-data-dir={profile}", f"--print-to-pdf={made}", source.as_uri()]
    try:
        done = subprocess.run(command, capture_output=True, timeout=LIMIT, check=False, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        raise NotPrinted(f"{Path(program).name} took longer than {LIMIT} s") from None
    except OSError as error:
        raise NotPrinted(f"{Path(program).name} cannot be started: {error.strerror}") from None
    if not made.is_file() or not made.read_bytes().startswith(b"%PDF"):
        told = done.stderr.decode("utf-8", "replace").strip().splitlines()
        last = told[-1][:200] if told else "it said nothing"
        raise NotPrinted(f"{Path(program).name} made no PDF (code {done.returncode}): {last}")


def settled(content: bytes) -> bytes:
    """Return a PDF without what differs from run to run, every other byte in its place.

    Parameters
    ----------
    content : bytes
        As Chromium writes it.

    Returns
    -------
    bytes
        Dates are set to 2000-01-01; the names of structure elements, which begin at whatever number the browser has
        reached, are counted from one in the same order.
    """
    names = {name: place for place, name in enumerate(sorted(set(_NODE.findall(content))), start=1)}
    content = _NODE.sub(lambda found: b"(node%08d)" % names[found[1]], content)
    return _DATE.sub(_set_back, content)


def _set_back(found: re.Match) -> bytes:
    head, _, rest = found[0].partition(b"D:")
    return head + b"D:20000101000000"[: 2 + len(rest) - 1] + rest[14:]
