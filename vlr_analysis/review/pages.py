"""Pages that readers open offline: chapters with the code hidden, a city's first page, the index of all cities."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.filters import Highlight2HTML, markdown2html
from nbformat import NotebookNode

from vlr_analysis.exhibits import HEADERS, MIME, number, table
from vlr_analysis.findings import Finding
from vlr_analysis.periods import spoken

if TYPE_CHECKING:
    from vlr_analysis.cities import City
    from vlr_analysis.review.deliver import Chapter

TEMPLATES = Path(__file__).parent / "templates"
METHODS = "docs/methods/README.md"
MOST_ROWS = 24  # of a finding on the evidence page; all of them are in tables/provenance.csv


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["version"] = version("vlr-analysis")
    environment.filters["code"] = _code
    return environment


@lru_cache(maxsize=512)
def _code(text: str) -> Markup:
    """Colour code; the notebooks of all cities hold the same."""
    return Markup(Highlight2HTML()(text).replace("<pre>", '<pre tabindex="0">'))


def render(template: str, **values: Any) -> str:
    """Return a page made of one of the templates."""
    return _environment().get_template(template).render(**values)


# --- one chapter -------------------------------------------------------------------------------


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


@lru_cache(maxsize=512)
def _markdown(text: str) -> Markup:
    html = markdown2html(text)
    # nbconvert's own anchors carry a pilcrow that a screen reader speaks; ours are plain ids.
    html = re.sub(r'<a class="anchor-link".*?</a>', "", html)
    html = re.sub(
        r"<h([1-6])[^>]*>(.*?)</h\1>",
        lambda found: f'<h{found[1]} id="{_anchor(re.sub("<[^>]+>", "", found[2]))}">{found[2]}</h{found[1]}>',
        html,
        flags=re.S,
    )
    return Markup(html)


def table_name(notebook: str, name: str) -> str:
    """Return the file that holds the data of an exhibit."""
    return f"{notebook}_{name}.csv"


def _output(output: NotebookNode, stem: str) -> dict[str, Any]:
    """Turn one output of a cell into what the template shows."""
    data = output.get("data", {})
    if MIME in data:
        item = data[MIME]
        rows = item["csv"].count("\n") - 1
        csv = f"tables/{table_name(stem, item['name'])}" if rows > 0 and item["kind"] != "findings" else ""
        return {"kind": "exhibit", "html": Markup(data["text/html"]), "csv": csv}
    if output["output_type"] == "error":
        return {"kind": "error", "text": f"{output['ename']}: {output['evalue']}".strip()}
    if "text/html" in data:
        return {"kind": "html", "html": Markup(data["text/html"])}
    return {"kind": "text", "text": output.get("text") or data.get("text/plain", "")}


def _cells(notebook: NotebookNode, stem: str) -> list[dict[str, Any]]:
    cells = []
    for cell in notebook.cells:
        if "help" in cell.metadata.get("tags", []):
            continue  # for whoever opens the notebook itself
        if cell.cell_type == "markdown":
            cells.append({"kind": "markdown", "html": _markdown(cell.source)})
        elif cell.cell_type == "code":
            outputs = [_output(output, stem) for output in cell.outputs]
            checked = "nbval-check-output" in cell.metadata.get("tags", [])
            cells.append({"kind": "code", "source": cell.source, "outputs": outputs, "checked": checked})
    return cells


def _contents(cells: Sequence[dict[str, Any]]) -> list[tuple[str, str]]:
    found = []
    for cell in cells:
        if cell["kind"] == "markdown":
            found += re.findall(r'<h2 id="([^"]*)">(.*?)</h2>', cell["html"], flags=re.S)
    return [(anchor, Markup(text)) for anchor, text in found]


# Where the methods page explains each kind of finding: the first heading of that section.
METHOD_OF = {
    "evidence": "Evidence", "trend": "Trend", "recovery": "Shock", "disparity": "Disparities",
    "nation": "City and nation", "benchmark": "City and cities", "voices": "Voices", "pooled": "City and cities",
}  # fmt: skip


def write_city(
    city: City,
    chapters: Sequence[Chapter],
    told: Mapping[str, tuple[str, Finding]],
    lead: Sequence[Finding],
    rows: pd.DataFrame,
    summary: dict[str, Any],
    folder: Path,
) -> None:
    """Write a city's pages: `index.html`, `evidence.html` and one for each chapter.

    Parameters
    ----------
    city : City
    chapters : sequence of Chapter
    told : mapping
        Id -> chapter that tells the finding first, and the finding.
    lead : sequence of Finding
        What to read first; empty where that chapter was not run.
    rows : DataFrame
        From `provenance.provenance`.
    summary : dict
    folder : Path
    """
    common = {"city": city, "summary": summary, "language": city.language, "chapters": chapters}
    for part in chapters:
        html = _chapter("chapter.html.j2", part, folder, **common)
        (folder / f"{part.stem}.html").write_text(html, encoding="utf-8", newline="")
    behind = dict(iter(rows.groupby("finding")))
    methods_at = _method_anchors(city.root)
    items = [_evidence(finding, stem, behind.get(finding.id), methods_at) for stem, finding in told.values()]
    html = render("evidence.html.j2", **common, items=items)
    (folder / "evidence.html").write_text(html, encoding="utf-8", newline="")
    columns = "publisher title file retrieved licence"
    sources = Markup(table(city.sources, "sources", "Where the figures of this city come from.", columns).html)
    by_chapter = {part.stem: [finding for stem, finding in told.values() if stem == part.stem] for part in chapters}
    html = render("city.html.j2", **common, lead=lead, by_chapter=by_chapter, sources=sources)
    (folder / "index.html").write_text(html, encoding="utf-8", newline="")


def write_certificate(
    city: City, chapters: Sequence[Chapter], summary: dict[str, Any], made: Mapping[str, Any], folder: Path
) -> None:
    """Write the page of a certificate, from `certificate.page`."""
    common = {"city": city, "summary": summary, "language": city.language, "chapters": chapters}
    html = render("certificate.html.j2", **common, certificate=made)
    (folder / "certificate.html").write_text(html, encoding="utf-8", newline="")


def write_overview(part: Chapter, folder: Path) -> None:
    """Write the page over all cities of a run."""
    html = _chapter("overview.html.j2", part, folder, language="en")
    (folder / f"{part.stem}.html").write_text(html, encoding="utf-8", newline="")


def _chapter(template: str, part: Chapter, folder: Path, **common: Any) -> str:
    source = folder / f"{part.stem}.ipynb"
    cells = _cells(nbformat.read(source, as_version=4), part.stem) if source.exists() else []
    return render(template, **common, part=part, cells=cells, contents=_contents(cells))


def _evidence(finding: Finding, stem: str, rows: pd.DataFrame | None, methods_at: Mapping[str, str]) -> dict[str, Any]:
    """Put together what the evidence page shows of one finding: numbers, the newest rows, the method."""
    shown = ""
    if rows is not None and len(rows):
        newest = rows.iloc[-MOST_ROWS:].iloc[::-1]
        newest = newest.assign(breakdown=newest["breakdown"].where(newest["breakdown"] != "", "total"))
        columns = "period area breakdown value low:high status file row source"
        caption = f"Rows of the data files, newest first: {len(newest)} of {len(rows)}."
        shown = Markup(table(newest, f"rows-{finding.id}", caption, columns).html)
    numbers = [
        (HEADERS.get(name, name.replace("_", " ")), _shown(name, value)) for name, value in finding.numbers.items()
    ]
    registers = [at for at in finding.evidence if "register" in at]
    method = methods_at.get(METHOD_OF[finding.kind], "")
    return {
        "finding": finding,
        "chapter": stem,
        "numbers": numbers,
        "rows": shown,
        "registers": registers,
        "method": method,
    }


def _shown(name: str, value: Any) -> str:
    counted = isinstance(value, int | float) and not isinstance(value, bool)
    return number(value, 4) if counted and name != "year" else spoken(str(value))


def _methods_text(root: Path) -> tuple[str, Path]:
    path = root / METHODS
    return (path.read_text(encoding="utf-8") if path.is_file() else "", path.parent)


def _method_anchors(root: Path) -> dict[str, str]:
    """Map the beginning of each section of the methods page to its anchor."""
    headings = re.findall(r"^## (\d+\. (.*))$", _methods_text(root)[0], flags=re.M)
    plain = [(re.sub(r"`", "", whole), words) for whole, words in headings]
    return {name: next((_anchor(whole) for whole, words in plain if words.startswith(name)), "") for name in
            METHOD_OF.values()}  # fmt: skip


def methods(root: Path) -> str:
    """Return the methods appendix as a page of its own, charts embedded."""
    text, folder = _methods_text(root)
    html = re.sub(r'src="([^":]+\.svg)"', lambda found: f'src="{_embedded(folder / found[1])}"', _markdown(text))
    # Links to files beside the appendix lead nowhere in a report.
    html = re.sub(r'<a href="(?!#|https?:)[^"]*">(.*?)</a>', r"\1", html)
    return render("methods.html.j2", language="en", html=Markup(html))


def _embedded(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def index_of_cities(summaries: Sequence[dict[str, Any]], overview: dict[str, Any] | None = None) -> str:
    """Return the page that leads to every city, and to the overview where there is one."""
    return render("index.html.j2", cities=summaries, overview=overview, language="en")
