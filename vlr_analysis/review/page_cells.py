"""The cells of a notebook that has run, as the templates show them: text, figures with their data, tables, findings."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape, unescape
from typing import Any

import pandas as pd
from markupsafe import Markup
from nbconvert.filters import Highlight2HTML, markdown2html
from nbformat import NotebookNode

from vlr_analysis.exhibits import MIME, NAMES, plain_unit
from vlr_analysis.findings import from_table
from vlr_analysis.language import number, retold
from vlr_analysis.review.prose import translated
from vlr_analysis.review.workbook import head_of

MOST_POINTS = 150  # rows of a figure's data on the page; all of them are in the CSV file beside it
_IMAGE = re.compile(r'<img\b[^>]*\bsrc="(data:image/[^"]+)"')
_TABLE = re.compile(r'<div class="table"(?= id=)')
_CELL = re.compile(r'<(td|th scope="row")>((?:<bdi>)?[^<]*)')
_UNBROKEN = re.compile(r"\d{4}(?:[-/–]\d{1,4}){0,2}|[a-z]-[0-9a-f]{8}")  # a period, the id of a finding
_SENTENCE = 80  # letters from which the head of a row is read as a sentence
_KEPT = re.compile(r"[+−](?:US\$|[£€$])[\d.,]*\d|[+−-]?\d[\d.,]*[ \u00a0\u202f][%٪]|\d{4}-\d{2}(?:\d{2}|-\d{2})?")
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[-+]?\d+)?")


@lru_cache(maxsize=512)
def code(text: str) -> Markup:
    """Colour code; the notebooks of all cities hold the same."""
    return Markup(Highlight2HTML()(text).replace("<pre>", '<pre tabindex="0">'))


def anchor(heading: str) -> str:
    """Return the id of a heading; letters of any script are kept."""
    return re.sub(r"[\W_]+", "-", unescape(heading).lower()).strip("-")


@lru_cache(maxsize=512)
def markdown(text: str) -> Markup:
    """Turn Markdown into HTML; headings carry plain ids."""
    html = markdown2html(text)
    # nbconvert's own anchors carry a pilcrow that a screen reader speaks; ours are plain ids.
    html = re.sub(r'<a class="anchor-link".*?</a>', "", html)
    html = re.sub(
        r"<h([1-6])[^>]*>(.*?)</h\1>",
        lambda found: f'<h{found[1]} id="{anchor(re.sub("<[^>]+>", "", found[2]))}">{found[2]}</h{found[1]}>',
        html,
        flags=re.S,
    )
    return Markup(re.sub(r"<pre>", '<pre tabindex="0">', scrolling(html)))


def scrolling(html: str) -> str:
    """Give each table a box of its own, which scrolls by keyboard where the page is narrower than the table."""
    box = '<div class="table" tabindex="0" role="group"'
    if _TABLE.search(html):
        return _CELL.sub(_look, _TABLE.sub(box, html))
    return _CELL.sub(_look, re.sub(r"(<table.*?</table>)", rf"{box}>\1</div>", html, flags=re.S))


def _look(found: re.Match) -> str:
    """Say how a cell is set: a period or an id in one line, the head of a row by its length."""
    tag, text = found[1], found[2]
    look = ""
    if _UNBROKEN.fullmatch(text):
        look = "unbroken"
    elif tag != "td" and len(unescape(text)) > _SENTENCE:
        look = "sentence"
    elif tag != "td" and len(text) < 9:
        look = "short"
    elif tag == "td" and len(text) > 24:
        look = "long"
    return f'<{tag} class="{look}">{text}' if look else found[0]


def kept(text: str) -> Markup:
    """Keep a number with its percent sign, and a date, in one line; the words stay as they are."""

    def whole(found: re.Match) -> str:
        look = "unbroken money" if set("£€$") & set(found[0]) else "unbroken"
        return f'<span class="{look}">{found[0]}</span>'

    return Markup(_KEPT.sub(whole, str(escape(text))))


def cells(notebook: NotebookNode, stem: str) -> list[dict[str, Any]]:
    """Return the cells of a notebook, in order.

    Parameters
    ----------
    notebook : NotebookNode
        After its run.
    stem : str
        Its name, from which its data files are named.

    Returns
    -------
    list of dict
        `kind` is markdown (`html`) or code (`source`, `outputs`, and `checked` where tests compare the outputs).
    """
    found = []
    for cell in notebook.cells:
        if "help" in cell.metadata.get("tags", []):
            continue  # of how to run the notebook: not for who reads the page
        if cell.cell_type == "markdown":
            found.append({"kind": "markdown", "html": markdown(translated(cell.source))})
        elif cell.cell_type == "code":
            outputs = [_output(output, stem) for output in cell.outputs]
            checked = "nbval-check-output" in cell.metadata.get("tags", [])
            found.append({"kind": "code", "source": cell.source, "outputs": outputs, "checked": checked})
    return found


def contents(found: Sequence[dict[str, Any]]) -> list[tuple[str, Markup]]:
    """Return anchor and text of every heading of the second level in cells."""
    return headings("".join(cell["html"] for cell in found if cell["kind"] == "markdown"))


def headings(html: str) -> list[tuple[str, Markup]]:
    """Return anchor and text of every heading of the second level."""
    held = re.findall(r'<h2 id="([^"]*)">(.*?)</h2>', html, flags=re.S)
    return [(at, Markup(text)) for at, text in held]


def table_name(notebook: str, name: str) -> str:
    """Return the file that holds the data of an exhibit."""
    return f"{notebook}_{name}.csv"


def _output(output: NotebookNode, stem: str) -> dict[str, Any]:
    """Turn one output of a cell into what the template shows."""
    data = output.get("data", {})
    if MIME in data:
        return _exhibit(data[MIME], data["text/html"], stem)
    if output["output_type"] == "error":
        return {"kind": "error", "text": f"{output['ename']}: {output['evalue']}".strip()}
    if "text/html" in data:
        return {"kind": "html", "html": Markup(scrolling(data["text/html"]))}
    return {"kind": "text", "text": output.get("text") or data.get("text/plain", "")}


def _exhibit(item: dict[str, Any], html: str, stem: str) -> dict[str, Any]:
    if item["kind"] == "findings":
        rows = pd.read_csv(io.StringIO(item["csv"]), dtype=str, keep_default_na=False) if item["csv"].strip() else None
        told = from_table(rows) if rows is not None else []
        return {"kind": "findings", "findings": told, "html": Markup(html), "name": item["name"]}
    held = item["csv"].count("\n") - 1
    file = f"tables/{table_name(stem, item['name'])}" if held > 0 else ""
    image = _IMAGE.search(html) if item["kind"] == "figure" else None
    if image is None:
        return {"kind": "exhibit", "html": Markup(scrolling(html)), "csv": file}
    head, rows = points(item["csv"])
    shown = rows[:MOST_POINTS]
    return {
        "kind": "figure", "name": item["name"], "caption": item["caption"], "alt": item["alt"], "source": image[1],
        "csv": file, "head": head, "rows": Markup("".join(map(_row, shown))), "shown": len(shown), "held": len(rows),
    }  # fmt: skip


def points(text: str) -> tuple[list[str], list[list[str]]]:
    """Return the heads and the rows of a figure's data, columns without any value left out."""
    table = list(csv.reader(io.StringIO(text)))
    if not table:
        return [], []
    kept = [place for place, _ in enumerate(table[0]) if any(row[place] for row in table[1:] if place < len(row))]
    rows = (row for row in table[1:] if len(row) == len(table[0]))
    told = [[_told(table[0][place], row[place]) for place in kept] for row in rows]
    return [head_of(table[0][place]) for place in kept], told


def _told(name: str, cell: str) -> str:
    """Return a cell as readers see it: words of the kit in the language in use, names and numbers as they are."""
    if name == "unit":
        return plain_unit(cell) if cell else ""
    return cell if name in NAMES or _NUMBER.fullmatch(cell) else retold(cell)


def _row(row: Sequence[str]) -> str:
    return "<tr>" + "".join(
        f'<td class="num">{escape(number(cell.replace("-", "−")))}</td>' if _NUMBER.fullmatch(cell) else
        f"<td>{escape(cell)}</td>" for cell in row
    ) + "</tr>"  # fmt: skip
