"""The smaller sheets of a city's workbook, row by row: codes of its own, targets, sources, notes."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from difflib import get_close_matches
from typing import Any

import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.errors import Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.observations import is_slug
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.cells import Number, Unreadable, is_blank, read_number, shown
from vlr_analysis.sources.figure_rows import Page, Told, any_filled, filled_rows, find_header, read_header
from vlr_analysis.sources.figure_texts import IN_OUR_WORDS, read_cell, read_code, tidy_text, word_of
from vlr_analysis.sources.kit import SOURCE_CLASSES
from vlr_analysis.sources.template_form import INDICATORS, NOTES, SERIES, SOURCES, TARGETS, Form


@dataclass(frozen=True)
class Row:
    """One row of a smaller sheet: its cells by column, and where they are."""

    page: Page
    number: int
    columns: Mapping[str, int]
    cells: Sequence[Any]

    def at(self, column: str) -> Any:
        """Return what stands in a column; None where nothing does."""
        place = self.columns.get(column)
        return self.cells[place] if place is not None and place < len(self.cells) else None

    def where(self, column: str) -> str:
        """Name the cell of a column."""
        return self.page.where(self.number, self.columns.get(column))

    def tell(self, column: str, wrong: Unreadable, told: Told) -> None:
        """Note what is wrong in the cell of a column."""
        told.problems.append(wrong.at(self.where(column)))

    def text(self, column: str, told: Told) -> str:
        """Return the words of a cell; what was mended is told."""
        read, why = read_cell("unit", self.at(column), (), ()) if column == "unit" else read_cell(
            "note", self.at(column), (), None
        )  # fmt: skip
        if isinstance(read, Unreadable):
            self.tell(column, read, told)
            return ""
        told.mended(self.where(column), self.at(column), repr(read), why)
        return read

    def word(self, column: str, allowed: Sequence[str], told: Told) -> str:
        """Return a word of a list, also where it stands in another language, which is noted; another one is told."""
        text = self.text(column, told)
        plain = text.casefold()
        if plain in ("", *allowed):
            return plain
        if meant := word_of(text, allowed):
            told.mended(self.where(column), self.at(column), repr(meant), [IN_OUR_WORDS])
            return meant
        near = get_close_matches(plain, allowed, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else "choose a word of the list, or empty the cell"
        self.tell(column, Unreadable(shown(text), f"{', '.join(allowed)} or nothing", fix), told)
        return ""

    def code(self, own: Mapping[str, str], told: Told) -> str:
        """Return the code of the indicator; empty where it is none, which is told."""
        read, why = read_code(self.at("indicator"), own)
        if isinstance(read, Unreadable):
            self.tell("indicator", read, told)
            return ""
        told.mended(self.where("indicator"), self.at("indicator"), repr(read), why)
        return read


def rows_of(page: Page | None, form: Form, told: Told) -> list[Row]:
    """Return the filled rows of a sheet below its header, without the example."""
    kept = filled_rows(page) if page is not None else []
    at = find_header(kept, form.heads)
    if at is None:
        if kept:
            fix = f"write {', '.join(column.head for column in form.columns)} in the first row"
            told.problems.append(Problem(page.where(kept[0][0]), "no headings", "a row of headings", fix))
        return []
    needed = [column.name for column in form.columns if column.needed]
    number, header = kept[at]
    columns, others = read_header(page, number, header, form.heads, needed, told)
    below = kept[at + 1 :]
    for place, cell in others.items():
        if not is_blank(cell) or any_filled(below, place):
            near = get_close_matches(str(cell or "").casefold(), list(form.heads), n=1, cutoff=0.6)
            fix = f"did you mean {near[0].capitalize()!r}?" if near else "remove the column, or move its text to a note"
            found = "a column without a heading" if is_blank(cell) else shown(cell)
            told.problems.append(Problem(page.where(number, place), found, "a heading of this sheet", fix))
    return [Row(page, number, columns, cells) for number, cells in below]


def own_codes(rows: Sequence[Row]) -> dict[str, str]:
    """Return the codes of the sheet Indicators, each with its label; those that the catalogue has are none of them."""
    own = {}
    for row in rows:
        text = tidy_text(row.at("indicator"))[0] if isinstance(row.at("indicator"), str | int) else ""
        if text and not catalogue.is_global(text.split()[0]):
            own[text] = own.get(text) or tidy_text(row.at("label"))[0]
    return own


def _indicator_rows(rows: Sequence[Row], own: Mapping[str, str], told: Told) -> list[dict]:
    read, seen = [], {}
    for row in rows:
        code = row.code(own, told)
        if not code:
            continue
        entry = {"indicator": code, **{f"where_{name}": row.where(name) for name in SERIES}}
        entry |= {name: row.text(name, told) for name in ("series", "unit", "label", "geography", "group_of", "note")}
        entry["direction"] = row.word("direction", ("increase", "decrease"), told)
        entry["definition"] = row.word("definition", ("same", "adapted", "other", "own"), told)
        entry["sdg_target"] = _target(row, told)
        if code in own and re.search(r"\s", code):
            row.tell(
                "indicator", Unreadable(shown(code), "a code without spaces", f"write {code.replace(' ', '-')!r}"), told
            )
        elif code in own and not entry["label"]:
            row.tell("label", Unreadable("nothing", "a short name for a code of your own", "write one"), told)
        elif code in own and is_blank(row.at("sdg_target")):
            found, fix = f"no SDG target for {code}", "choose the target that it stands for; without one it has no goal"
            told.warnings.append(Problem(row.where("sdg_target"), found, "a target for a code of your own", fix))
        _once(row, entry, seen, told)
        read.append(entry)
    return read


def _target(row: Row, told: Told) -> str:
    content = row.at("sdg_target")
    known = catalogue.targets()["target"].tolist()
    if is_blank(content):
        return ""
    text = row.text("sdg_target", told)
    first = text.split()[0].rstrip(":,") if text else ""
    if isinstance(content, str) and first in known:
        return first
    if not isinstance(content, str) and first in known and f"{first}0" not in known:
        return first
    near = get_close_matches(first, known, n=1, cutoff=0.5)
    fix = f"did you mean {near[0]!r}?" if near else "choose one of the list"
    if not isinstance(content, str):
        fix = "format the cell as text and type the target again: 3.1 and 3.10 are the same to a program"
    row.tell("sdg_target", Unreadable(shown(content), "one of the 169 SDG targets, such as 11.2", fix), told)
    return ""


def _once(row: Row, entry: Mapping[str, Any], seen: dict[tuple, int], told: Told) -> None:
    key = tuple(entry[name] for name in SERIES)
    first = seen.setdefault(key, row.number)
    if first != row.number:
        found = f"the same series again, after row {first}"
        row.tell("indicator", Unreadable(found, "each series once", "join the two rows"), told)


def _target_rows(rows: Sequence[Row], own: Mapping[str, str], told: Told) -> list[dict]:
    read, seen = [], {}
    for row in rows:
        code = row.code(own, told)
        if not code:
            continue
        entry = {"indicator": code, **{f"where_{name}": row.where(name) for name in SERIES}}
        names = ("series", "unit", "target_source", "department", "measure")
        entry |= {name: row.text(name, told) for name in names}
        entry["priority"] = row.word("priority", ("yes", "no"), told) == "yes"
        number = read_number(row.at("target"), decimal="")
        year = read_number(row.at("target_year"))
        for column, one in (("target", number), ("target_year", year)):
            if one.unreadable is not None:
                row.tell(column, one.unreadable, told)
            else:
                told.mended(row.where(column), row.at(column), f"{one.value:.15g}", one.why)
        kept = _target_and_year(row, number, year, told)
        entry["target"], entry["target_year"] = (number.value, year.value) if kept else (math.nan, math.nan)
        _once(row, entry, seen, told)
        read.append(entry)
    return read


def _target_and_year(row: Row, number: Number, year: Number, told: Told) -> bool:
    """Tell where a target lacks its year, a year its target, or the year is no year; False then."""
    if number.unreadable is not None or year.unreadable is not None:
        return False
    if pd.isna(number.value) != pd.isna(year.value):
        column = "target" if pd.isna(number.value) else "target_year"
        found = "a year without a target" if column == "target" else "a target without a year"
        fix = "add the value" if column == "target" else "add the year, such as 2030"
        row.tell(column, Unreadable(found, "target value and target year together", fix), told)
        return False
    if pd.notna(year.value) and not (year.value == int(year.value) and 2000 <= year.value <= 2100):
        wrong = Unreadable(f"{year.value:.15g}", "a year from 2000 to 2100", "write the year, such as 2030")
        row.tell("target_year", wrong, told)
        return False
    return True


def _source_rows(rows: Sequence[Row], own: Mapping[str, str], told: Told) -> list[dict]:
    read, seen = [], {}
    for row in rows:
        entry = {name: row.text(name, told) for name in ("source", "publisher", "title", "licence", "url", "note")}
        for name, asked in (("source", "a short name"), ("publisher", "who publishes it"), ("title", "its title"),
                            ("licence", "the terms of use")):  # fmt: skip
            if not entry[name]:
                fix = "fill the cell" if name != "licence" else "write the terms, or not stated"
                row.tell(name, Unreadable("nothing", asked, fix), told)
        if entry["source"] and not is_slug(entry["source"]):
            fix = f"write {slug(entry['source']) or 'env-office'!r} here and on the other sheets"
            row.tell("source", Unreadable(shown(entry["source"]), "a short name without spaces or capitals", fix), told)
        first = seen.setdefault(entry["source"], row.number)
        if entry["source"] and first != row.number:
            found = f"{entry['source']} again, after row {first}"
            row.tell("source", Unreadable(found, "each source once", "give one of them another short name"), told)
        entry["source_class"] = row.word("source_class", SOURCE_CLASSES, told)
        entry["retrieved"] = _day(row, told)
        read.append(entry)
    return read


def _day(row: Row, told: Told) -> str:
    content = row.at("retrieved")
    if isinstance(content, date | datetime):
        return content.strftime("%Y-%m-%d")
    text = row.text("retrieved", told)
    try:
        parse_period(text or "2000")
    except ValueError:
        wrong = Unreadable(shown(content), "a date such as 2025-06-30", "write year, month and day, or leave it empty")
        row.tell("retrieved", wrong, told)
    return text


def _note_rows(rows: Sequence[Row], own: Mapping[str, str], told: Told) -> list[dict]:
    read = []
    for row in rows:
        code = "" if is_blank(row.at("indicator")) else row.code(own, told)
        entry = {"indicator": code, "note": row.text("note", told), "by": row.text("by", told)}
        if not entry["note"]:
            row.tell("note", Unreadable("nothing", "a note", "write it, or empty the row"), told)
        read.append(entry)
    return read


READERS: dict[str, Callable[[Sequence[Row], Mapping[str, str], Told], list[dict]]] = {
    INDICATORS: _indicator_rows, TARGETS: _target_rows, SOURCES: _source_rows, NOTES: _note_rows,
}  # fmt: skip
