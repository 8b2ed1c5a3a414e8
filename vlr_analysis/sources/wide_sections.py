"""Headings between the rows of a wide table, and groups that are rows below their series: what they say of rows."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from vlr_analysis.errors import Problem
from vlr_analysis.sources.cells import shown
from vlr_analysis.sources.heading_words import kind_of, scale_in, unobserved
from vlr_analysis.sources.names import Told, group_of, is_total, unit_of
from vlr_analysis.sources.places import is_area, is_elsewhere
from vlr_analysis.sources.reading import Gathering, split_unit
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.wide_headings import Layout

_OF_WHICH = re.compile(
    r"(?:of which|of whom|thereof|including|davon|darunter|dont|de l[oa]s cuales|de ell[oa]s|d[oa]s quais)\W+(?=\w)",
    re.I,
)


@dataclass(eq=False)
class Section:
    """A heading between the rows: its row, its text, and what stands in the column of units."""

    row: int
    text: str
    unit: str = ""


@dataclass
class Row:
    """A row of figures.

    Attributes
    ----------
    place : int
        Position in `Sheet.rows`.
    stub : dict
        The texts beside the figures, by column.
    again : set of int
        The columns taken from the row above.
    name : str
        The series as the row itself writes it.
    section : Section or None
        The heading above it.
    groups : tuple
        Groups that the row is of, where its name is one.
    times : float or None
        What its figures are multiplied by, where a heading between the rows or its name says it.
    status, unit : str
        What a heading between the rows says of the figures.
    """

    place: int
    stub: dict[int, str]
    again: set[int] = field(default_factory=set)
    name: str = ""
    section: Section | None = None
    groups: tuple[tuple[str, str], ...] = ()
    times: float | None = None
    status: str = ""
    unit: str = ""


def take_sections(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, rows: list[Row]) -> list[Row]:
    """Return the rows that are of the area and observed, with what the headings above them say.

    A heading is an area, a target, a multiplier, a unit, a status, or the name of what is below it: of the series,
    where the rows are its groups, and else the first part of their names. It is told where it may be a place.
    """
    rows = _of_the_area(gathering, sheet, layout, told, rows)
    below: dict[Section, list[Row]] = defaultdict(list)
    for row in rows:
        if row.section is not None:
            below[row.section].append(row)
    left_out: set[int] = set()
    for section, own in below.items():
        left_out |= _take_section(gathering, sheet, layout, told, section, own)
    rows = [row for row in rows if row.place not in left_out]
    _take_parents(gathering, sheet, layout, rows)
    return rows


def _take_section(
    gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, section: Section, rows: list[Row]
) -> set[int]:
    """Give the rows below one heading what it says; return those that are left out."""
    named_by, text = layout.roles.get("series"), section.text
    where = sheet.where(section.row)
    if kind := unobserved(text):
        why = f"a {kind} is no figure observed: rows below left out"
        gathering.mended(where, text, "nothing", [why])
        return {row.place for row in rows}
    scale, kind = scale_in(text, spanish=layout.spanish), kind_of(text)
    if scale:
        gathering.mended(where, text, f"times {scale.times:,.0f}", ["counts of the rows below are multiplied"])
        text = scale.rest
    unit = "" if scale else unit_of(text) if split_unit(f"x ({text})")[1] and group_of(text)[0] == "group" else ""
    for row in rows:
        row.times = scale.times if scale else None
        row.unit = unit or section.unit or (scale.unit if scale else "")
        row.status = "" if kind == "value" else kind
    if named_by is None or not text or unit or kind:
        return set()
    names = {row.name for row in rows}
    known = [name for name in names if not is_total(name)]
    if known and all(group_of(name)[0] in ("sex", "age") for name in known):
        for row in rows:
            row.stub[named_by] = text
            row.groups = () if is_total(row.name) else (group_of(row.name),)
            row.name = text
        gathering.mended(where, section.text, "the name of the series", ["groups are the rows below"])
        return set()
    ours = {name for name in names if is_area(name, gathering.area, told.place)}
    others = {name for name in names - ours if group_of(name)[0] == "group" and not is_total(name)}
    countries = {name for name in others if is_elsewhere(name)}
    if ours and others:
        for row in rows:
            if row.name in others:
                gathering.mended(
                    sheet.where(row.place, named_by), row.name, "nothing", ["row of another area left out"]
                )
            elif row.name in ours:
                row.stub[named_by] = row.name = text
        return {row.place for row in rows if row.name in others}
    if 0 < len(countries) < 3:
        fix = f"keep the rows of the area alone, below its name, or write the places into a column Area: {named(names)}"
        gathering.problems.append(
            Problem(where, f"rows named for places: {named(names)}", f"rows of {gathering.area}", fix)
        )
        return {row.place for row in rows}
    for row in rows:
        row.stub[named_by] = f"{text}: {row.stub[named_by]}"
    return set()


def named(names: set[str]) -> str:
    """Return some names for a message."""
    return ", ".join(sorted(names)[:4])


def _of_the_area(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, rows: list[Row]) -> list[Row]:
    """Return the rows below the heading of the area, where headings are places; others are left out, or told."""
    names: dict[Section, set[str]] = defaultdict(set)
    for row in rows:
        if row.section is not None:
            names[row.section].add(row.name)
    ours = {section for section in names if is_area(section.text, gathering.area, told.place)}
    if not ours and not any(is_elsewhere(section.text) for section in names):
        return rows
    known = set().union(*(names[section] for section in ours)) or {row.name for row in rows if row.section is None}
    others = set()
    for section, own in names.items():
        if section in ours:
            gathering.mended(sheet.where(section.row), section.text, "the area", ["a heading between the rows"])
        elif known and (is_elsewhere(section.text) or (ours and own <= known)):
            others.add(section)
            why = "rows of another area left out"
            gathering.mended(sheet.where(section.row), section.text, "nothing", [why])
        elif ours or is_elsewhere(section.text):
            others.add(section)
            found = f"{shown(section.text)} as a heading between the rows, where others are places"
            fix = "write the places into a column Area, or the subject before each row"
            gathering.problems.append(Problem(sheet.where(section.row), found, f"rows of {gathering.area} alone", fix))
    for row in rows:
        row.section = None if row.section in ours else row.section
    return [row for row in rows if row.section not in others]


def _take_parents(gathering: Gathering, sheet: Sheet, layout: Layout, rows: list[Row]) -> None:
    """Read rows named Women, of which men or 15-24 as groups of the series above them, where the unit is the same."""
    named_by = layout.roles.get("series")
    if named_by is None or set(layout.dimensions.values()) & {"sex", "age"}:
        return
    unit_at, code_at = layout.roles.get("unit"), layout.roles.get("code")
    parent: Row | None = None
    for row in rows:
        bare, unit = split_unit(_OF_WHICH.sub("", row.name))
        kind, group = group_of(bare.strip())
        total = is_total(row.name)
        if kind == "group" or total or row.groups or (parent is not None and parent.section is not row.section):
            parent = None if row.groups or total else row
            continue
        if parent is None or (code_at is not None and row.stub[code_at] not in ("", parent.stub[code_at])):
            continue
        of_parent = parent.stub.get(unit_at, "") or parent.unit or split_unit(parent.name)[1]
        own = row.stub.get(unit_at, "") or row.unit or unit
        if own and unit_of(own) != unit_of(of_parent):
            continue
        gathering.mended(
            sheet.where(row.place, named_by), row.name, f"{kind}={group} of {parent.stub[named_by]}",
            ["a group below its series"],
        )  # fmt: skip
        row.stub |= {place: parent.stub[place] for place in (named_by, unit_at, code_at) if place is not None}
        row.unit, row.times, row.groups, row.name = parent.unit, parent.times, ((kind, group),), parent.name
