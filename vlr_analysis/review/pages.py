"""Pages that readers open offline: chapters with the code hidden, a city's first page, the index of all cities."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert.filters import Highlight2HTML, markdown2html
from nbformat import NotebookNode

from vlr_analysis.exhibits import MIME, table

if TYPE_CHECKING:
    from vlr_analysis.cities import City
    from vlr_analysis.review.deliver import Chapter

TEMPLATES = Path(__file__).parent / "templates"


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
    environment.filters["code"] = lambda text: Markup(Highlight2HTML()(text).replace("<pre>", '<pre tabindex="0">'))
    return environment


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


# --- one chapter -------------------------------------------------------------------------------


def _anchor(heading: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")


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
        csv = "" if item["kind"] == "findings" else f"tables/{table_name(stem, item['name'])}"
        return {"kind": "exhibit", "html": Markup(data["text/html"]), "csv": csv}
    if output["output_type"] == "error":
        return {"kind": "error", "text": f"{output['ename']}: {output['evalue']}".strip()}
    if "text/html" in data:
        return {"kind": "html", "html": Markup(data["text/html"])}
    return {"kind": "text", "text": output.get("text") or data.get("text/plain", "")}


def _cells(notebook: NotebookNode, stem: str) -> list[dict[str, Any]]:
    cells = []
    for cell in notebook.cells:
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


def write_city(
    city: City, chapters: Sequence[Chapter], findings: list[dict[str, Any]], summary: dict[str, Any], folder: Path
) -> None:
    """Write `index.html` and one page for each chapter into the folder of a city."""
    common = {"city": city, "summary": summary, "language": city.language, "chapters": chapters}
    for part in chapters:
        source = folder / f"{part.stem}.ipynb"
        cells = _cells(nbformat.read(source, as_version=4), part.stem) if source.exists() else []
        html = _render("chapter.html.j2", **common, part=part, cells=cells, contents=_contents(cells))
        (folder / f"{part.stem}.html").write_text(html, encoding="utf-8", newline="")
    columns = "publisher title file retrieved licence"
    sources = Markup(table(city.sources, "sources", "Where the figures of this city come from.", columns).html)
    html = _render("city.html.j2", **common, findings=findings, sources=sources)
    (folder / "index.html").write_text(html, encoding="utf-8", newline="")


def index_of_cities(summaries: Sequence[dict[str, Any]]) -> str:
    """Return the page that leads to every city."""
    return _render("index.html.j2", cities=summaries, language="en")
