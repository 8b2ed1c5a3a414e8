"""Is a report what its certificate says? Every file, and the results once more from what the report holds."""

from __future__ import annotations

import html
import io
import json
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from markupsafe import escape
from pydantic import ValidationError

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.findings import from_table
from vlr_analysis.language import SOURCE, using
from vlr_analysis.lead import printed, tokens
from vlr_analysis.review import certificate
from vlr_analysis.review.bundle import MANIFEST, read_zip
from vlr_analysis.review.certificate import FILE, FINDINGS, TABLES, Certificate
from vlr_analysis.review.differences import Difference, same_findings, table_differences
from vlr_analysis.review.page_cells import table_name

LARGEST = 32 * 2**20  # bytes of a certificate; those of large cities have some hundred thousand
EXPECTED = f"a report of the kit, with its {FILE}"
_UNBROKEN = re.compile(r"<span class=\"unbroken(?: money)?\">([^<]*)</span>")  # how a page keeps a number in one line


@dataclass(frozen=True)
class Verified:
    """What came of it, for one city.

    Attributes
    ----------
    folder : Path
    held : Certificate
        As it was read.
    sha256 : str
        Of `certificate.json`: the name under which others sign.
    differences : tuple of Difference
        None where the report is what its certificate says.
    """

    folder: Path
    held: Certificate
    sha256: str
    differences: tuple[Difference, ...]


def verify(report: Path) -> list[Difference]:
    """Return everything by which a report differs from its certificates; nothing where it is what they say.

    Parameters
    ----------
    report : Path
        Folder of a city's report, folder with several, or a zip of either.

    Raises
    ------
    InputError
        No report; a certificate that is none, or of another version; a link or a path that leads out of the folder.
    """
    with opened(report) as folders:
        return [difference for folder in folders for difference in verified(folder).differences]


@contextmanager
def opened(report: Path) -> Iterator[list[Path]]:
    """Give the folders of the cities of a report; a zip is unpacked to a temporary place, after its names are checked.

    Raises
    ------
    InputError
        As `verify`.
    """
    if report.is_file() and report.suffix == ".zip":
        with tempfile.TemporaryDirectory(prefix="vlr-verify-") as place:
            for name, content in read_zip(report.read_bytes(), report.name).items():
                target = Path(place) / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            yield _folders(Path(place), report.name)
        return
    yield _folders(report, str(report))


def _folders(place: Path, name: str) -> list[Path]:
    if not place.is_dir():
        raise InputError(name, [Problem(name, "no such folder or zip", EXPECTED, "check the path")])
    found = [place] if (place / FILE).is_file() else sorted(path.parent for path in place.glob(f"*/{FILE}"))
    if not found and (place / MANIFEST).is_file():
        fix = (
            "give the city's report, folder or zip; the hand-over in it is used; `vlr receive` checks a hand-over alone"
        )
        raise InputError(name, [Problem(name, f"a hand-over, which has no {FILE}", EXPECTED, fix)])
    if not found:
        fix = f"give the folder that holds {FILE}, or the one above; an older report has none: run it again"
        raise InputError(name, [Problem(name, f"no {FILE} there or one folder below", EXPECTED, fix)])
    return found


def read(folder: Path) -> tuple[Certificate, str]:
    """Read and check the certificate of a report; return it with its SHA-256.

    Raises
    ------
    InputError
        It is too large, not JSON, of another format or version, or has keys that no certificate has.
    """
    path, name = folder / FILE, f"{folder.name}/{FILE}"
    fix = "take the report as it was published"
    if path.is_symlink() or path.stat().st_size > LARGEST:
        found = "a link" if path.is_symlink() else f"{path.stat().st_size:,} bytes"
        raise InputError(name, [Problem(name, found, f"a file of at most {LARGEST:,} bytes", fix)])
    content = path.read_bytes()
    try:
        loaded = json.loads(content.decode("utf-8"), object_pairs_hook=_each_key_once)
    except (ValueError, RecursionError) as error:
        found = f"text that is not JSON ({str(error)[:100]})"
        raise InputError(name, [Problem(name, found, f"{FILE} as the kit writes it", fix)]) from None
    known = isinstance(loaded, dict) and loaded.get("format") == certificate.FORMAT
    if not known or loaded.get("version") != certificate.VERSION:
        found = f"format {loaded.get('format')!r}, version {loaded.get('version')!r}" if known else "something else"
        expected = f"format {certificate.FORMAT!r}, version {certificate.VERSION}"
        raise InputError(name, [Problem(name, found[:200], expected, "bring the kit up to date" if known else fix)])
    try:
        held = Certificate.model_validate(loaded)
    except ValidationError as error:
        problems = [
            Problem(f"{name}, key {'.'.join(map(str, item['loc']))[:200]}", repr(item["input"])[:80], item["msg"], fix)
            for item in error.errors(include_url=False)[:20]
        ]
        raise InputError(name, problems) from None
    raise_if_any(name, _path_problems(held, name))
    return held, certificate.sha256(content)


def _each_key_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice")
    return found


def _path_problems(held: Certificate, name: str) -> Iterator[Problem]:
    fix = "do not trust this report; ask who gave it to you"
    for path in (*held.files, *held.not_covered):
        parts = path.removesuffix("/").split("/")
        if "\\" in path or ":" in path or {"", ".", ".."} & set(parts) or any(ord(letter) < 32 for letter in path):
            yield Problem(f"{name}, files", repr(path)[:120], "a plain path below the report", fix)
    if tuple(held.not_covered) != certificate.NOT_COVERED:
        expected = ", ".join(certificate.NOT_COVERED)
        yield Problem(f"{name}, not_covered", ", ".join(held.not_covered)[:120], expected, fix)


def verified(folder: Path) -> Verified:
    """Compare one city's report with its certificate.

    Raises
    ------
    InputError
        As `verify`.
    """
    held, digest = read(folder)
    found = list(_files(folder, held))
    with using(str(held.parameters.get("language", SOURCE))):  # numbers are read as it writes them
        found += _results(folder, held, {item.file for item in found})
    return Verified(folder, held, digest, tuple(dict.fromkeys(found)))


def _files(folder: Path, held: Certificate) -> Iterator[Difference]:
    """Compare names, sizes and hashes of all files; links are refused before anything is read."""
    names = set()
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            where = path.relative_to(folder).as_posix()
            if path.is_symlink() or not (path.is_file() or path.is_dir()):
                raise InputError(where, [Problem(where, "a link or a device", "a plain file", "remove it")])
            if name in files and where != FILE and not where.startswith(certificate.NOT_COVERED):
                names.add(where)
    for name in sorted({*names, *held.files}):
        if name not in names:
            yield Difference("file", name, "", _told(held.files[name].bytes, held.files[name].sha256))
            continue
        content = (folder / name).read_bytes()
        now = certificate.sha256(content)
        if name not in held.files:
            yield Difference("file", name, "", "", _told(len(content), now))
        elif now != held.files[name].sha256:
            yield Difference(
                "file", name, "", _told(held.files[name].bytes, held.files[name].sha256), _told(len(content), now)
            )


def _told(size: int, digest: str) -> str:
    return f"{size:,} bytes with SHA-256 {digest[:12]}…"


def _results(folder: Path, held: Certificate, changed: set[str]) -> Iterator[Difference]:
    """Make the results once more from what lies there, and compare the places that tell the same thing."""
    try:
        now = certificate.results_of(folder)
        exhibits = {path.name: certificate.carried(path) for path in sorted(folder.glob("*.ipynb"))}
        code = {name: certificate.code_of(folder / name) for name in exhibits}
        findings = [json.loads(line) for line in (folder / FINDINGS).read_text(encoding="utf-8").split("\n") if line]
        stated = _stated(exhibits)
        parts = [*_hashes(held, now, code), *_exhibits(folder, exhibits, changed)]
        return iter([*parts, *same_findings(stated, findings)[1], *_pages(folder, findings), *_box(folder, findings)])
    except Exception as error:
        if changed:
            return iter(())  # and is named already
        found = f"results that cannot be read ({type(error).__name__})"
        raise InputError(folder.name, [Problem(folder.name, found, EXPECTED, "ask for the report again")]) from None


def _hashes(held: Certificate, now: certificate.Results, code: Mapping[str, str]) -> Iterator[Difference]:
    told = held.results
    for name in sorted({*now.tables, *told.tables}):
        yield from _hash(f"{TABLES}/{name}", "canonical form", told.tables.get(name, ""), now.tables.get(name, ""))
    yield from _hash(FINDINGS, "canonical form", told.findings, now.findings)
    for name in sorted({*now.marked, *told.marked}):
        yield from _hash(name, "marked cells", told.marked.get(name, ""), now.marked.get(name, ""))
    for name in sorted({*code, *held.notebooks}):
        there = held.notebooks[name].code if name in held.notebooks else ""
        yield from _hash(name, "code cells", there, code.get(name, ""))
    whole = told.model_dump(include={"tables", "findings", "marked"})
    yield from _hash(FILE, "results.sha256", told.sha256, certificate.sha256(certificate.as_bytes(whole)))


def _hash(name: str, where: str, there: str, here: str) -> Iterator[Difference]:
    if there != here:
        yield Difference("table", name, where, *(f"SHA-256 {one[:12]}…" if one else "" for one in (there, here)))


def _exhibits(folder: Path, exhibits: Mapping[str, list[dict]], changed: set[str]) -> Iterator[Difference]:
    """Compare each table with the copy that its notebook carries; the one whose file was changed is named."""
    for name, items in exhibits.items():
        for item in items:
            path = f"{TABLES}/{table_name(Path(name).stem, item['name'])}"
            if item["kind"] == "findings" or not (folder / path).is_file():
                continue
            text = (folder / path).read_bytes().decode("utf-8", errors="replace")
            if name in changed and path not in changed:
                yield from table_differences(f"{name}, its copy of {path}", text, item["csv"])
            else:
                yield from table_differences(path, item["csv"], text)


def _stated(exhibits: Mapping[str, list[dict]]) -> list[dict]:
    """Return the findings that the notebooks carry, each once, as `findings.jsonl` holds them."""
    found: dict[str, dict] = {}
    for item in (item for items in exhibits.values() for item in items):
        if item["kind"] == "findings" and item["csv"].strip():
            for one in from_table(pd.read_csv(io.StringIO(item["csv"]), dtype=str, keep_default_na=False)):
                found.setdefault(one.id, json.loads(json.dumps(asdict(one))))
    return list(found.values())


def _pages(folder: Path, findings: Sequence[Mapping]) -> Iterator[Difference]:
    """Look for every sentence on the pages that tell it."""
    texts = {
        path.name: _UNBROKEN.sub(r"\1", path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.html"))
    }
    for one in findings:
        for name in ("index.html", "evidence.html", f"{one['notebook']}.html"):
            written = {str(escape(one["statement"])), html.escape(one["statement"])}
            if name in texts and not any(form in texts[name] for form in written):
                yield Difference(
                    "sentence", name, f"finding {one['id']}", one["statement"], "another sentence, or none"
                )


def _box(folder: Path, findings: Sequence[Mapping]) -> Iterator[Difference]:
    """Look for the numbers of the box among those of the findings; the sign is told in words there at times."""
    path = folder / "handover" / "box.md"
    known = [
        (float(value), one["unit"])
        for one in findings
        for value in one["numbers"].values()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    bold = re.findall(r"^- \*\*(.+?)\.?\*\*", path.read_text(encoding="utf-8"), flags=re.M) if path.is_file() else []
    for told in bold:
        first = next(iter(tokens(told)), None)
        if first and not any(printed(first.text.lstrip("+−"), abs(value), unit) for value, unit in known):
            yield Difference("sentence", "handover/box.md", "number in bold", "a number of a finding", told)
