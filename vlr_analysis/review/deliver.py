"""From executed notebooks to a report: tables, findings, pages and indices, moved into place whole."""

from __future__ import annotations

import io
import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd

from vlr_analysis.cities import City
from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.exhibits import MIME
from vlr_analysis.review import pages
from vlr_analysis.review.run import Outcome

# A folder that holds this file was made by the kit and may be replaced by it.
SUMMARY = "review.json"


@dataclass(frozen=True)
class Chapter:
    """One notebook of a review, after its run."""

    stem: str
    title: str
    error: str
    cell: int | None
    exhibits: tuple[dict[str, Any], ...] = field(repr=False)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """Findings of the chapter, in the order in which it states them."""
        texts = [item["csv"] for item in self.exhibits if item["kind"] == "findings"]
        frames = [pd.read_csv(io.StringIO(text), dtype={"id": str, "indicator": str}) for text in texts if text.strip()]
        return [record for frame in frames for record in json.loads(frame.to_json(orient="records"))]


@contextmanager
def staging(out: Path) -> Iterator[Path]:
    """Give a temporary folder beside `out`; it is gone afterwards whatever happens."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check_out(out: Path, cities: Sequence[City]) -> None:
    """Refuse to write over anything that the kit did not make.

    Raises
    ------
    InputError
        `out` is a file, or a city's folder in it holds something else than a report.
    """
    problems = []
    if out.exists() and not out.is_dir():
        problems.append(Problem(f"--out {out}", "a file", "a folder", "choose another name"))
    for city in cities:
        folder = out / city.id
        if folder.exists() and not (folder / SUMMARY).is_file():
            fix = "move that folder away, or choose another --out"
            problems.append(Problem(str(folder), "a folder that the kit did not make", "a report, or nothing", fix))
    raise_if_any(f"--out {out}", problems)


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
    return Chapter(outcome.path.stem, title, outcome.error, outcome.cell, tuple(carried))


def write_city(city: City, outcomes: Sequence[Outcome], folder: Path) -> dict[str, Any]:
    """Write everything of one city below `folder`, where its executed notebooks already lie.

    Returns
    -------
    dict
        The summary that goes into `review.json` and onto the index of all cities.
    """
    chapters = [chapter(outcome) for outcome in sorted(outcomes, key=lambda item: item.task.notebook.name)]
    tables = folder / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    for part in chapters:
        for item in part.exhibits:
            if item["kind"] != "findings":
                (tables / pages.table_name(part.stem, item["name"])).write_text(
                    item["csv"], encoding="utf-8", newline=""
                )
    findings = [{"notebook": part.stem, **finding} for part in chapters for finding in part.findings]
    lines = [json.dumps(finding, ensure_ascii=False) + "\n" for finding in findings]
    (folder / "findings.jsonl").write_text("".join(lines), encoding="utf-8", newline="")
    summary = {
        "id": city.id,
        "name": city.name,
        "country": city.country,
        "made_up": city.made_up,
        "series": int(city.observations[["indicator", "series", "unit"]].drop_duplicates().shape[0]),
        "first": str(city.observations["period"].str[:4].min()),
        "last": str(city.observations["period"].str[:4].max()),
        "findings": len(findings),
        "chapters": [{"notebook": part.stem, "title": part.title, "failed": bool(part.error)} for part in chapters],
        "lead": [finding["statement"] for finding in findings[:3]],
    }
    (folder / SUMMARY).write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    pages.write_city(city, chapters, findings, summary, folder)
    return summary


def deliver(staged: Path, out: Path, cities: Sequence[City]) -> None:
    """Move the cities' folders from `staged` to `out` and write the index of all cities found there."""
    out.mkdir(parents=True, exist_ok=True)
    for city in cities:
        target, old = out / city.id, staged / f".old-{city.id}"
        if target.exists():
            target.replace(old)
        (staged / city.id).replace(target)
    summaries = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(out.glob(f"*/{SUMMARY}"), key=lambda p: p.parent.name)
    ]
    text = pages.index_of_cities(summaries)
    part = out / ".index.html"
    part.write_text(text, encoding="utf-8", newline="")
    part.replace(out / "index.html")
