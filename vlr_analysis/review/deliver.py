"""From executed notebooks to a report: tables, findings, pages and indices, moved into place whole."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from vlr_analysis import own_methods
from vlr_analysis.cell_text import inert_table
from vlr_analysis.cities import City, load_city
from vlr_analysis.exhibits import FLOAT_FORMAT, MIME
from vlr_analysis.findings import Finding, from_table
from vlr_analysis.grades import LETTERS
from vlr_analysis.language import SOURCE, current, gettext, using
from vlr_analysis.language import told as say
from vlr_analysis.results import Results
from vlr_analysis.review import certificate, comments_page, handover, page_cells, page_findings, pages, pdf, provenance
from vlr_analysis.review.certificate import Certificate
from vlr_analysis.review.plan import OVERVIEW, SUMMING_UP, Outcome, Task
from vlr_analysis.review.staged import SIGNATURES, SUMMARY
from vlr_analysis.sources.kit import write_whole


@dataclass(frozen=True)
class Chapter:
    """One notebook of a review, after its run."""

    stem: str
    title: str
    error: str
    cell: int | None
    exhibits: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def findings(self) -> list[Finding]:
        """Findings of the chapter, in the order in which it states them."""
        texts = [item["csv"] for item in self.exhibits if item["kind"] == "findings"]
        frames = [pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False) for text in texts if text.strip()]
        return [finding for frame in frames for finding in from_table(frame)]


def chapter(outcome: Outcome) -> Chapter:
    """Read what an executed notebook carries."""
    if not outcome.path.exists():
        return Chapter(outcome.task.notebook.stem, outcome.task.notebook.stem, outcome.error, outcome.cell, ())
    notebook = nbformat.read(outcome.path, as_version=4)
    carried = [
        output["data"][MIME]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if MIME in output.get("data", {})
    ]
    lines = (line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
    title = next((line.removeprefix("# ").strip() for line in lines if line.startswith("# ")), outcome.path.stem)
    return Chapter(outcome.path.stem, gettext(title), outcome.error, outcome.cell, tuple(carried))


def write(
    outcomes: Sequence[Outcome],
    folder: Path,
    inputs: Mapping[str, str],
    previous: Path,
    *,
    printed: bool = False,
    program: str = "",
    prepared: bool = False,
) -> str:
    """Write the report of a city, or of all cities, below `folder`, where its executed notebooks already lie.

    Parameters
    ----------
    outcomes : sequence of Outcome
        Of all notebooks of the report.
    folder, inputs
        As `write_city` takes them.
    previous : Path
        The report that is replaced, if there is one: what the city has filled in there is kept, and signatures that
        still fit.
    printed : bool
        Whether a PDF was asked for.
    program : str
        Path of a browser that prints; empty: there is none.
    prepared : bool
        Whether `prepare` has written the hand-over there.

    Returns
    -------
    str
        Why there is no PDF although one was asked for; else empty.
    """
    task = outcomes[0].task
    given, unprinted = task.parameters, ""
    if task.folder == OVERVIEW:
        with using(given.get("language") or SOURCE):
            write_overview(outcomes[0], folder)
        return ""
    city, more = _city_of(task), {"previous": previous, "prepared": prepared}
    with using(city.language):
        try:
            write_city(city, outcomes, folder, inputs, program=program if printed else "", **more)
        except pdf.NotPrinted as error:
            unprinted = str(error)
            write_city(city, outcomes, folder, inputs, **more)
    _keep_signatures(previous, folder)
    return unprinted or (pdf.NO_BROWSER if printed and not program else "")


def prepare(task: Task, folder: Path, previous: Path) -> None:
    """Write the hand-over of a city below `folder` while its notebooks run: it needs what they compute, not them.

    Parameters
    ----------
    task : Task
        Any of the city's.
    folder, previous
        As `write` takes them.
    """
    city = _city_of(task)
    with using(city.language):
        write_handover(Results(city), folder, previous=previous)


def _city_of(task: Task) -> City:
    given = task.parameters
    return load_city(task.folder, task.root, internal=bool(given["internal"]), language=given.get("language", ""))


def _keep_signatures(old: Path, new: Path) -> None:
    """Take signatures over to a report that they still fit: its certificate is the same to the byte."""
    signed = old / SIGNATURES
    if signed.is_dir() and (old / certificate.FILE).read_bytes() == (new / certificate.FILE).read_bytes():
        shutil.copytree(signed, new / SIGNATURES)


def write_city(
    city: City,
    outcomes: Sequence[Outcome],
    folder: Path,
    inputs: Mapping[str, str],
    previous: Path | None = None,
    program: str = "",
    prepared: bool = False,
) -> Certificate:
    """Write everything of one city below `folder`, where its executed notebooks already lie.

    Parameters
    ----------
    city : City
    outcomes : sequence of Outcome
        Of its notebooks.
    folder : Path
    inputs : mapping
        What the outcomes depend on, from `inputs.of_city`.
    previous : Path, optional
        The city's report that is replaced: what the city has filled in there is kept.
    program : str
        Path of a browser that prints the pages; empty: no PDF.
    prepared : bool
        Whether the hand-over lies there already. It is taken away where none is to be made.

    Returns
    -------
    Certificate
        Sealed as `certificate.json`, after everything else.

    Raises
    ------
    pdf.NotPrinted
        The browser has made no PDF. Everything may be written again without one.
    """
    chapters = [chapter(outcome) for outcome in sorted(outcomes, key=lambda item: item.task.notebook.name)]
    tables = folder / "tables"
    for part in chapters:
        _write_tables(part, tables)
    lead = [finding for part in chapters if part.stem == SUMMING_UP for finding in part.findings]
    told = {
        finding.id: (part.stem, finding) for part in chapters for finding in part.findings if part.stem != SUMMING_UP
    }
    told |= {finding.id: (SUMMING_UP, finding) for finding in lead if finding.id not in told}
    findings = [finding for _, finding in told.values()]
    records = [{"notebook": stem, **asdict(finding)} for stem, finding in told.values()]
    lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
    (folder / "findings.jsonl").write_text("".join(lines), encoding="utf-8", newline="")
    rows = provenance.provenance(city, findings)
    for name, table in (("provenance", rows), ("files", provenance.files_of(city, rows))):
        text = inert_table(table).to_csv(index=False, float_format=FLOAT_FORMAT, lineterminator="\n")
        (tables / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    summary = {
        "id": city.id,
        "name": city.name,
        "country": city.country,
        "made_up": city.made_up,
        "language": city.language,
        "series": int(city.observations[["indicator", "series", "unit"]].drop_duplicates().shape[0]),
        "first": str(city.observations["period"].str[:4].min()),
        "last": str(city.observations["period"].str[:4].max()),
        "findings": len(findings),
        "chapters": [{"notebook": part.stem, "title": part.title, "failed": bool(part.error)} for part in chapters],
        "verdicts": page_findings.counts(findings),
        "grades": {letter: sum(finding.grade == letter for finding in findings) for letter in LETTERS},
        "internal": city.internal,
        "handover": bool(lead) and not city.internal,
        "pdf": bool(program),
        "lead": [finding.statement for finding in (lead or findings)[:3]],
    }
    if summary["handover"] and not prepared:
        write_handover(Results(city), folder, previous=previous)
    elif prepared and not summary["handover"]:
        shutil.rmtree(folder / handover.HANDOVER)
    (folder / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    pages.write_city(city, chapters, told, lead, rows, summary, folder)
    comments_page.write(city, chapters, told, summary, folder)
    made = certificate.make(folder, city, inputs)
    pages.write_certificate(city, chapters, summary, certificate.page(made), folder)
    if program:
        pdf.write(folder, city, [part.stem for part in chapters], program)
    return certificate.seal(folder, made)


def write_handover(review: Results, folder: Path, previous: Path | None = None) -> dict[str, Any]:
    """Write `handover/` below a city's report, in the city's language.

    What is to be read first leads the box, the annex holds all findings.
    """
    with using(review.city.language):
        tables = {say("Beside {area}", area=review.city.areas[area]): table for area, table in review.compared.items()}
        return handover.write_handover(
            review.city, review.ordered, folder, grades=review.grades, tables=tables, data_request=review.letter,
            methods=own_methods.in_a_row(review.own),
            previous=previous / handover.HANDOVER if previous else None,
        )  # fmt: skip


def write_overview(outcome: Outcome, folder: Path) -> None:
    """Write the page over all cities of the run, with its tables."""
    part = chapter(outcome)
    _write_tables(part, folder / "tables")
    pages.write_overview(part, folder, outcome.task.root)
    (folder / SUMMARY).write_text(
        json.dumps({"title": part.title, "language": current()}, ensure_ascii=False) + "\n", encoding="utf-8"
    )


def _write_tables(part: Chapter, tables: Path) -> None:
    tables.mkdir(parents=True, exist_ok=True)
    for item in part.exhibits:
        if item["kind"] != "findings":
            path = tables / page_cells.table_name(part.stem, item["name"])
            path.write_text(item["csv"], encoding="utf-8", newline="")


def write_index(out: Path, root: Path) -> None:
    """Write the index of all cities found in `out`, and the methods beside it; each file appears whole.

    Both are in the language of the reports, and in English where these have several.
    """
    found = sorted(out.glob(f"*/{SUMMARY}"), key=lambda path: path.parent.name)
    read = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in found}
    overview = read.pop(OVERVIEW, None)
    told = {one.get("language", SOURCE) for one in read.values()}
    with using(told.pop() if len(told) == 1 else SOURCE):
        texts = {
            "index.html": pages.index_of_cities(list(read.values()), overview), "methods.html": pages.methods(root),
        }  # fmt: skip
    for name, text in texts.items():
        write_whole(out / name, text.encode())
