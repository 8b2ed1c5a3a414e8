"""Pages that readers open offline: chapters with the code hidden, a city's first page, the index of all cities."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from html import escape
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from vlr_analysis.cell_text import visible
from vlr_analysis.exhibits import table
from vlr_analysis.findings import Finding
from vlr_analysis.language import country, current, gettext, ngettext, pgettext, retold, right_to_left
from vlr_analysis.method_files import docstring, read_methods
from vlr_analysis.own_methods import reference, settings_in_words
from vlr_analysis.review import comments, page_cells, page_findings

if TYPE_CHECKING:
    from vlr_analysis.cities import City
    from vlr_analysis.review.deliver import Chapter

TEMPLATES = Path(__file__).parent / "templates"
METHODS = "docs/methods/README.md"
LIMITS = "Limits"  # section of the methods page
# The section on methods that the project has added; it comes last.
OWN_SECTION = "17."
OWN_WORDS = (
    "Added by this project in `methods/`: no part of the kit, and their error rates are not among those above. A "
    "finding of theirs is at most as good as its series and as the values used, B without an interval, and never "
    "better than stated here."
)


@lru_cache(maxsize=1)
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
    environment.globals |= {
        "version": version("vlr-analysis"),
        "script": Markup(script),
        "script_hash": f"sha256-{digest}",
        "groups": page_findings.GROUPS,
        "group_names": page_findings.group_names,
        "grade_names": page_findings.grade_names,
        "kind_names": page_findings.kind_names,
    }
    environment.filters |= {
        "code": page_cells.code, "verdict": page_findings.verdict_words, "group": page_findings.group_of,
        "retold": retold, "kept": page_cells.kept, "country": country,
    }  # fmt: skip
    return environment


def render(template: str, *, language: str, **values: Any) -> str:
    """Return a page made of one of the templates.

    Parameters
    ----------
    template : str
        Its file name.
    language : str
        Code of the page's language; it says which way the page runs.
    **values
        What the template shows.
    """
    html = _environment().get_template(template).render(language=language, direction=direction(language), **values)
    return visible(html)  # signs that would turn the reading round are shown


def script_hash() -> str:
    """Return the hash of the script that every page has, as its policy names it."""
    return _environment().globals["script_hash"]


def direction(language: str) -> str:
    """Return `rtl` for a language that runs from right to left, else `ltr`."""
    return "rtl" if right_to_left(language) else "ltr"


# Where the methods page explains each kind of finding: the first heading of that section.
METHOD_OF = {
    "evidence": "Evidence", "trend": "Trend", "recovery": "Shock", "disparity": "Disparities",
    "nation": "City and nation", "benchmark": "City and cities", "voices": "Voices", "pooled": "City and cities",
    "method": "Methods of this project",
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
    methods_at = _method_anchors(city.root)
    held = page_findings.cards(told, city.definitions)
    common = {"city": city, "summary": summary, "language": city.language, "chapters": chapters}
    common["comments"] = comments.beside(city.root, city.id, [finding for _, finding in told.values()])
    for part in chapters:
        html = _chapter("chapter.html.j2", part, folder, **common, known=held)
        _write(folder / f"{part.stem}.html", html)
    behind = dict(iter(rows.groupby("finding")))
    items = {
        part.stem: [
            page_findings.evidence(card, behind.get(card.finding.id), methods_at.get(METHOD_OF[card.finding.kind], ""))
            for card in held.values()
            if card.chapter == part.stem
        ]
        for part in chapters
    }
    html = render("evidence.html.j2", **common, items=items, limits=methods_at.get(LIMITS, ""))
    _write(folder / "evidence.html", html)
    columns = "publisher title file retrieved licence"
    sources = table(city.sources, "sources", gettext("Where the figures of this city come from."), columns).html
    html = render(
        "city.html.j2",
        **common,
        lead=[held[finding.id] for finding in lead],
        cards=list(held.values()),
        goals=page_findings.by_goal(list(held.values())),
        options=page_findings.goals_of(held.values()),
        sources=Markup(page_cells.scrolling(sources)),
    )
    _write(folder / "index.html", html)


def _write(path: Path, html: str) -> None:
    path.write_text(html, encoding="utf-8", newline="")


def write_certificate(
    city: City, chapters: Sequence[Chapter], summary: dict[str, Any], made: Mapping[str, Any], folder: Path
) -> None:
    """Write the page of a certificate, from `certificate.page`."""
    common = {"city": city, "summary": summary, "language": city.language, "chapters": chapters}
    _write(folder / "certificate.html", render("certificate.html.j2", **common, certificate=made))


def write_overview(part: Chapter, folder: Path, root: Path) -> None:
    """Write the page over all cities of a run; its findings lead to their method."""
    anchors = _method_anchors(root)
    methods_at = {kind: anchors.get(section, "") for kind, section in METHOD_OF.items()}
    html = _chapter("overview.html.j2", part, folder, language=current(), methods_at=methods_at)
    _write(folder / f"{part.stem}.html", html)


def _chapter(template: str, part: Chapter, folder: Path, **common: Any) -> str:
    source = folder / f"{part.stem}.ipynb"
    cells = page_cells.cells(nbformat.read(source, as_version=4), part.stem) if source.exists() else []
    return render(template, **common, part=part, cells=cells, contents=page_cells.contents(cells))


def _methods_text(root: Path) -> tuple[str, Path]:
    path = root / METHODS
    return (path.read_text(encoding="utf-8") + _own_methods(root) if path.is_file() else "", path.parent)


def _own_methods(root: Path) -> str:
    """Return the section on the methods that the project has added; empty where it has none."""
    parts = []
    for method in read_methods(root):
        lines = [f"### {method.title} (`{method.where}`)", docstring(method, root),
                 f"Result: {method.label}{f', in {method.unit}' if method.unit else ''}. "
                 f"Verdicts: {', '.join(method.verdicts)}. Grade of its findings: {method.grade_at_most} at most.",
                 f"Settings: {settings_in_words(method)}." if method.settings else "",
                 f"Reference: {reference(method)}", "\n".join(f"- {limit}" for limit in method.limits)]  # fmt: skip
        parts.append("\n\n".join(escape(line, quote=False) for line in lines if line))
    if not parts:
        return ""
    head = f"\n\n## {OWN_SECTION} Methods of this project\n\n"
    return head + OWN_WORDS + "\n\n" + "\n\n".join(parts) + "\n"


def _method_anchors(root: Path) -> dict[str, str]:
    """Map the beginning of each section of the methods page to its anchor."""
    headings = re.findall(r"^## (\d+\. (.*))$", _methods_text(root)[0], flags=re.M)
    plain = [(re.sub(r"`", "", whole), words) for whole, words in headings]
    return {
        name: next((page_cells.anchor(whole) for whole, words in plain if words.startswith(name)), "")
        for name in (*METHOD_OF.values(), LIMITS)
    }


def methods(root: Path) -> str:
    """Return the methods appendix as a page of its own, charts embedded; its text is English, as the page says."""
    text, folder = _methods_text(root)
    html = page_cells.markdown(text)
    html = re.sub(r'src="([^":]+\.svg)"', lambda found: f'src="{_embedded(folder / found[1])}"', html)
    # Links to files beside the appendix lead nowhere in a report.
    html = re.sub(r'<a href="(?!#|https?:)[^"]*">(.*?)</a>', r"\1", html)
    return render("methods.html.j2", language=current(), html=Markup(html), contents=page_cells.headings(html))


def _embedded(path: Path) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(path.read_bytes()).decode("ascii")


def index_of_cities(summaries: Sequence[dict[str, Any]], overview: dict[str, Any] | None = None) -> str:
    """Return the page that leads to every city, and to the overview where there is one."""
    return render("index.html.j2", cities=summaries, overview=overview, language=current())
