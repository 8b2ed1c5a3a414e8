"""Lines above a wide table that say of which place its figures are, or that they were not observed."""

from __future__ import annotations

import re

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import is_blank, read_label, read_text, shown
from vlr_analysis.sources.heading_words import REMARK, kind_of, unobserved
from vlr_analysis.sources.places import is_area, is_elsewhere
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.wide_headings import Layout

_PARTS = re.compile(r"\s*[:,;|()\[\]–—]\s*|\s-\s|\s(?:in|en|for|para|pour|für)\s(?:the\s)?", re.I)
_PUBLISHER = re.compile(
    r"office|ministry|institut|department|bureau|agency|statistics|council|minist[eè]r|oficina|amt\b"
    r"|source|survey", re.I
)  # fmt: skip
_AHEAD = re.compile(
    r"\b(projections?|forecasts?|proyecci[oó]n(es)?|pron[oó]sticos?|prognosen?|vorausberechnung(en)?|pr[eé]visions?"
    r"|previsiones|proje[cç][aã]o|proje[cç][oõ]es)\b", re.I
)  # fmt: skip


def check_titles(sheet: Sheet, layout: Layout, area: str, place: str) -> None:
    """Refuse a table whose title is another place, or says that its figures are targets or projections.

    A title that names the area too, and a table with a column of areas, are of it.

    Raises
    ------
    InputError
    """
    lines = {}
    for row in layout.titles:
        texts = {read_label(content)[0] for content in sheet.rows[row] if not is_blank(content)}
        if len(texts) == 1 and not REMARK.match(text := texts.pop()):
            lines[row] = text
    parts = {row: [part for part in _PARTS.split(text) if part] for row, text in lines.items()}
    ours = "area" in layout.roles or any(is_area(part, area, place) for found in parts.values() for part in found)
    ours = ours or bool(place) or any(is_area(part, area) for part in _PARTS.split(sheet.name))
    header = [read_text(content)[0] for row in range(layout.top, layout.first) for content in sheet.rows[row]]
    marked = any(kind_of(re.sub(r"\d{4}", "", text)) for text in header)
    problems = []
    for row, text in lines.items():
        if not marked and (unobserved(text) or _AHEAD.search(text)):
            fix = "delete the table, or take the word out of the line if its figures were observed"
            problems.append(Problem(sheet.where(row), f"the title {shown(text)}", "figures that were observed", fix))
        elif (
            not ours and not _PUBLISHER.search(text) and (others := [part for part in parts[row] if is_elsewhere(part)])
        ):
            fix = "name the area in the line, or say that the place is meant: --place NAME"
            found = f"a title that names {others[0]}"
            problems.append(Problem(sheet.where(row), found, f"figures of {area}", fix))
    if problems:
        raise InputError(sheet.file, problems)
