"""The header of a wide table: which row holds the years, and what each column holds."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import is_blank, read_label, read_text
from vlr_analysis.sources.heading_words import (
    REMARK,
    UNOBSERVED,
    hints_at_scale,
    is_spanish,
    kind_of,
    scale_in,
    speaks_of_scale,
)
from vlr_analysis.sources.long_header import holds_codes
from vlr_analysis.sources.names import Told, dimension_of, group_of, is_total, role_of
from vlr_analysis.sources.places import is_area
from vlr_analysis.sources.reading import Gathering, code_of, split_unit
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.statuses import hides, status_of
from vlr_analysis.sources.wide_blocks import GROUPS, NUMBERED, check_years, is_number, is_word, periods_in, refuse_time
from vlr_analysis.sources.wide_columns import settle_columns
from vlr_analysis.sources.wide_headings import (
    PARTS,
    Column,
    Layout,
    filled_right,
    part_role,
    say,
    texts_above,
    texts_below,
)
from vlr_analysis.sources.wide_titles import check_titles
from vlr_analysis.sources.year_marks import unobserved

_REMARK_WORDS = re.compile(
    r"\W*(?:(?:notes?|footnotes?|notas?|anmerkung(?:en)?|remarques?|observaci[oó]n(?:es)?)\b)?\W*"
    r"(?:\(?\d{1,2}\)?\W+)?", re.I
)  # fmt: skip
_COUNTERS = frozenset(
    ("no", "nr", "num", "number", "n", "id", "row", "rank", "goal", "target", "sdg", "ods", "odd", "code", "serial")
)


# Columns of numbers and words that say something of the whole series.
_OF_SERIES = frozenset(("base-year", "baseline-year", "latest-year", "last-year", "target-year", "decimals", "polarity",
                        "ano-base", "ano-de-referencia", "decimales", "annee-de-base", "annee-de-reference",
                        "basisjahr", "frequency",
                        "frecuencia", "periodicidad", "periodicidade", "ultimo-ano", "decimal-places"))  # fmt: skip


def layout_of(gathering: Gathering, sheet: Sheet, row: int, told: Told) -> Layout:
    """Say what each column of a wide sheet holds, from its row of years and the rows around it.

    Raises
    ------
    InputError
        The row holds no years, or one year twice with nothing that tells the two apart.
    """
    contents = sheet.spread(row)
    check_years(sheet, row, contents, told.year_start)
    lower = texts_below(sheet, row, contents, told)
    if lower:
        contents = filled_right(contents, lower, told)
    labels = periods_in(contents, told.year_start)
    upper = texts_above(sheet, row, labels, gathering)
    heads = set(upper)
    if row and sheet.lines[row - 1] == sheet.lines[row] - 1 and _names_columns(
        contents, sheet.spread(row - 1), min(labels)
    ):  # fmt: skip
        heads.add(row - 1)
    columns = []
    for place, label in labels.items():
        if place < len(sheet.rows[row]) and not is_blank(sheet.at(row, place)):
            gathering.mended(sheet.where(row, place), sheet.at(row, place), label.period, label.why)
        columns.append(Column(place, label.period, label.status, unit=label.unit))
    for at, texts in [*upper.items(), *([(row + 1, lower)] if lower else [])]:
        say(gathering, sheet, at, texts, columns, told.place)
    first = row + 1 + bool(lower)
    layout = Layout(first, columns, top=min(heads, default=row), header=row)
    layout.titles = [above for above in range(row) if above not in heads]
    header = [*heads, row, *([row + 1] if lower else [])]
    layout.width = max(len(sheet.rows[at]) for at in header)
    layout.spanish = any(is_spanish(read_text(content)[0]) for at in header for content in sheet.rows[at])
    _stub(
        gathering, sheet, layout, row, contents, lower, [sheet.spread(at) for at in sorted(heads, reverse=True)], told
    )
    settle_columns(gathering, sheet, layout, told.place)
    check_titles(sheet, layout, gathering.area, told.place)
    take_scale(gathering, sheet, layout)
    layout.title = _title(gathering, sheet, layout, told)
    layout.columns = [column for column in layout.columns if column.part != "ignore"]
    _refuse_twice(sheet, row, layout.columns)
    return layout


def _names_columns(contents: list[Any], above: list[Any], years: int) -> bool:
    """Whether the row above the years names the columns left of them, which the row of years itself leaves empty."""
    return all(map(is_blank, contents[:years])) and any(role_of(read_text(text)[0]) for text in above[:years])


def _stub(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: int, contents: list[Any], lower: dict, above: list[Any],
    told: Told,
) -> None:  # fmt: skip
    """Say what the columns that are no years hold."""
    years = {column.place for column in layout.columns}
    low = sheet.spread(row + 1) if lower else []
    unnamed = []
    for column in range(sheet.width):
        if column in years:
            continue
        name = next((text for cells in (contents, low, *above) if column < len(cells)
                     and (text := read_text(cells[column])[0])), "")  # fmt: skip
        filled = [
            sheet.at(r, column) for r in range(layout.first, len(sheet.rows)) if not is_blank(sheet.at(r, column))
        ]
        role = part_role(name)
        if not filled:
            continue
        if role == "area" and (split_unit(name)[1] or all(map(is_number, filled))):
            role = ""  # Area (km2)
        if role in ("confidential", "publish"):
            if hides(role, (read_text(content)[0] for content in filled)):
                fix = "delete the figures of its rows, and the column"
                found = f"figures that {name!r} holds back"
                raise InputError(sheet.file, [Problem(sheet.where(row, column), found, "figures to be published", fix)])
            continue
        if role in PARTS:
            if role == "status" and not any(status_of(read_text(content)[0]) for content in filled):
                gathering.mended(sheet.where(row, column), name, "nothing", ["words that are no flags of figures"])
            else:
                _beside(sheet, layout, row, column, name, role)
            continue
        if (kind := kind_of(name) or unobserved(name)) in UNOBSERVED:
            why = f"a {kind} is no figure observed: column left out"
            gathering.mended(sheet.where(row, column), name, "nothing", [why])
            continue
        refuse_time(sheet, row, column, name, filled)
        if role == "period":  # "Year" as the corner above the names of series
            role = "series" if "series" not in layout.roles else ""
        if role == "series" and "code" not in layout.roles and holds_codes(sheet, layout.first, column):
            role = "code"
        if role and role not in layout.roles:
            layout.roles[role] = column
        elif role in ("unit", "area", "code") and min(years) < column < max(years):
            fix = f"leave one column {name}, before the years, or write a table for each"
            raise InputError(sheet.file, [Problem(sheet.where(row, column), f"a second column {name}", "one", fix)])
        elif not name and column - 1 in years and all(
            isinstance(text, str) and status_of(text) and len(text) < 4 for text in filled
        ):  # fmt: skip
            _beside(sheet, layout, row, column, "of flags", "status")
        elif min(years) < column < max(years) and all(isinstance(text, str) and is_word(text) for text in filled):
            fix = "leave an empty column before a second table, or head a column of remarks Notes"
            found = f"names or remarks below {name!r} between the years"
            raise InputError(sheet.file, [Problem(sheet.where(row, column), found, "figures of years", fix)])
        elif dimension_of(name) in ("sex", "age", "district") and column > min(years):
            layout.dimensions[column] = dimension_of(name)
        elif column > min(years) or (name and is_total(name)):
            gathering.mended(sheet.where(row, column), name or "no name", "nothing", ["column without a year left out"])
        elif slug(name) in _OF_SERIES:
            gathering.mended(sheet.where(row, column), name, "nothing", ["it describes the series: column left out"])
        elif name and _is_counter(sheet, row, column, name, filled):
            gathering.mended(sheet.where(row, column), name, "nothing", ["column of running numbers left out"])
        elif name:
            layout.dimensions[column] = dimension_of(name)
        else:
            unnamed.append(column)
    for column in unnamed:
        _unnamed(gathering, sheet, layout, column, told)


def _beside(sheet: Sheet, layout: Layout, row: int, place: int, name: str, role: str) -> None:
    """Give a column of flags or of an end of an interval to the year at its left, where each year may have one."""
    if role in ("value", "ignore"):
        return
    left = [column for column in layout.columns if column.place < place]
    mine = max(left, key=lambda column: column.place, default=None)
    alone = not any(column.place > place for column in layout.columns) and len(
        {(column.period, column.groups) for column in left if column.part == "value"}) > 1  # fmt: skip
    if mine is not None and alone and not any(column.part == role for column in left):
        mine = None  # one column of flags after many years: of which of them is it?
    if mine is None:
        fix = f"write a column {name} at the right of each year, or delete it"
        raise InputError(sheet.file, [Problem(sheet.where(row, place), f"a column {name} of no year", "one of a year "
                                              "at its left", fix)])  # fmt: skip
    layout.columns.append(replace(mine, place=place, part="ignore" if mine.part == "ignore" else role))
    layout.columns.sort(key=lambda column: column.place)


def _is_counter(sheet: Sheet, row: int, place: int, name: str, filled: list[Any]) -> bool:
    """Whether a column left of the years holds running numbers; figures there are refused, as they are no groups.

    Raises
    ------
    InputError
        Figures that are neither of a year nor numbers of districts, ages and the like.
    """
    if not all(map(is_number, filled)):
        return False
    words = set(dimension_of(name).split("-"))
    if words & NUMBERED:
        return False
    if words <= _COUNTERS or not dimension_of(name).strip("-") or re.fullmatch(r"\W*(n[º°o]\.?|#|№)\W*", name, re.I):
        return True
    fix = "name the year of the figures, delete the column, or write its groups in words"
    problem = Problem(sheet.where(row, place), f"figures below {name!r}", "a year, or names of groups", fix)
    raise InputError(sheet.file, [problem])


def _unnamed(gathering: Gathering, sheet: Sheet, layout: Layout, place: int, told: Told) -> None:
    """Say what a column without a name holds: areas, ages, sexes, other groups with their total, or series."""
    figures = [column.place for column in layout.columns]
    texts = [text for r in range(layout.first, len(sheet.rows)) if (text := read_label(sheet.at(r, place))[0])
             and not REMARK.match(text) and any(not is_blank(sheet.at(r, c)) for c in figures)]  # fmt: skip
    kinds = {group_of(text)[0] for text in texts if not is_total(text)}
    heading = _heading(sheet, layout)
    named = told.series or told.indicator or heading
    alone = not {"unit", "code"} & layout.roles.keys()
    of_title = heading and split_unit(heading[1])[1] and alone and not any(
        split_unit(text)[1] or code_of(text) for text in texts)  # fmt: skip
    if "area" not in layout.roles and any(is_area(text, gathering.area, told.place) for text in texts):
        layout.roles["area"] = place
    elif len(kinds) == 1 and kinds <= {"age", "sex"}:
        layout.dimensions[place] = kinds.pop()
    elif "series" not in layout.roles and not of_title and not (named and any(map(is_total, texts))):
        layout.roles["series"] = place
    else:
        layout.dimensions[place] = "group"


def _heading(sheet: Sheet, layout: Layout) -> tuple[int, str] | None:
    """Return the first line above the table that may be its title, with its row."""
    for row in layout.titles:
        texts = {read_label(content)[0] for content in sheet.rows[row] if not is_blank(content)}
        if len(texts) == 1 and not REMARK.match(text := texts.pop()):
            scale = scale_in(text, spanish=layout.spanish)
            if scale is None or scale.rest:
                return row, scale.rest if scale else text
    return None


def _title(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told) -> str:
    """Return what stands above the table as the name of its series, where no column names them.

    Raises
    ------
    InputError
        Groups of a series that nothing names.
    """
    if "series" in layout.roles or "code" in layout.roles or told.series:
        return ""
    if heading := _heading(sheet, layout):
        row, text = heading
        gathering.mended(sheet.where(row), text, "the name of the series", ["no column names the series"])
        return text
    if told.indicator or not layout.dimensions:
        return ""
    if len(layout.dimensions) == 1 and not set(layout.dimensions.values()) & GROUPS:
        layout.roles["series"] = layout.dimensions.popitem()[0]
        return ""
    if set(layout.dimensions.values()) & GROUPS:
        fix = "write the name into a line above the table or a column Indicator; in an import, --series NAME"
        found = f"groups ({', '.join(layout.dimensions.values())}) of a series without a name"
        raise InputError(sheet.file, [Problem(sheet.where(layout.top), found, "the name of what was measured", fix)])
    return ""


def take_scale(gathering: Gathering, sheet: Sheet, layout: Layout) -> None:
    """Note what the lines above and below the table say that its figures are to be multiplied by.

    Raises
    ------
    InputError
        A title speaks of thousands and does not say plainly that figures are in thousands; two lines differ.
    """
    found: dict[float, tuple[int, str]] = {}
    problems = []
    places = {column.place for column in layout.columns}
    scoped: list[tuple[int, str, float]] = []
    for row in [*layout.titles, *range(layout.first, len(sheet.rows))]:
        if row >= layout.first and any(not is_blank(sheet.at(row, place)) for place in places):
            continue
        text = " ".join(dict.fromkeys(read_text(content)[0] for content in sheet.rows[row] if not is_blank(content)))
        if row >= layout.first and not REMARK.match(text):
            continue
        bare = text if row < layout.first else _REMARK_WORDS.sub("", text, count=1)
        scale = scale_in(bare, spanish=layout.spanish)
        if scale and scale.rest and row >= layout.first:
            scoped.append((row, scale.rest, scale.times))
        elif scale:
            first, counted = found.get(scale.times, (row, ""))
            found[scale.times] = first, counted or scale.unit
        elif hints_at_scale(text) if row < layout.first else speaks_of_scale(text):
            fix = "write (figures in thousands) if they are, else take the word out"
            problems.append(Problem(sheet.where(row), repr(text[:60]), "plain words of what figures are in", fix))
    names = layout.roles.get("series")
    known = (
        []
        if names is None
        else [slug(read_text(sheet.at(row, names))[0]) for row in range(layout.first, len(sheet.rows))]
    )
    for row, words, times in scoped:
        if not any(slug(words) in name for name in known if not REMARK.match(name)):
            fix = "name the series as its rows do, or write (figures in thousands) where all are"
            problems.append(Problem(sheet.where(row), repr(words[:60]), "the name of a row, or of none", fix))
        layout.scoped.append((slug(words), times))
        gathering.mended(sheet.where(row), words, f"times {times:,.0f}", ["counts of these rows are multiplied"])
    if len(found) > 1:
        fix = "write one line that says what the figures are in"
        where = " and ".join(sheet.where(row) for row, _ in sorted(found.values()))
        said = ", ".join(f"times {times:,.0f}" for times in found)
        problems.append(Problem(where, said, "one multiplier", fix))
    if problems:
        raise InputError(sheet.file, problems)
    for times, (row, counted) in found.items():
        layout.times, layout.counted = times, counted
        text = " ".join(read_text(content)[0] for content in sheet.rows[row] if not is_blank(content))
        gathering.mended(sheet.where(row), text, f"times {times:,.0f}", ["counts of the table are multiplied"])


def _refuse_twice(sheet: Sheet, row: int, columns: list[Column]) -> None:
    seen: dict[tuple, Column] = {}
    problems = []
    for column in columns:
        key = (column.period, column.part, column.unit, column.groups)
        if key in seen:
            found = f"{column.period} in two columns that nothing tells apart"
            fix = "name the groups or units in the row above or below the years"
            problems.append(Problem(sheet.where(row, column.place), found, "each year once for each group", fix))
        seen[key] = column
    if problems:
        raise InputError(sheet.file, problems)
