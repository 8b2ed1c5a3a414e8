"""The header of a long table: which row it is, and which column holds what."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import is_blank, read_number, read_text
from vlr_analysis.sources.joins import joined_down
from vlr_analysis.sources.labels import is_part_of_year, month_of, read_periods
from vlr_analysis.sources.names import dimension_of, role_of
from vlr_analysis.sources.places import is_elsewhere
from vlr_analysis.sources.reading import Gathering, code_of, split_unit
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.statuses import is_answer, is_yes, says_yes_or_no

HEADER_WITHIN = 40  # rows from the top in which a header is looked for
SAMPLE = 300


@dataclass
class Layout:
    """Which column holds what; columns from 0.

    Attributes
    ----------
    header : int
        Position of the header in `Sheet.rows`.
    roles : dict
        Column by role.
    dimensions : dict
        Breakdown by column.
    measures : dict
        Name of the series by column, where there are several columns of figures.
    ends : dict
        Columns of the ends of intervals (low, high) by column of figures.
    says_yes : bool
        A column headed Publish says yes of some figures; an empty cell of it then says no.
    yes_or_no : bool
        A column of confidentiality holds Y and N.
    """

    header: int
    roles: dict[str, int] = field(default_factory=dict)
    dimensions: dict[int, str] = field(default_factory=dict)
    measures: dict[int, str] = field(default_factory=dict)
    ends: dict[int, dict[str, int]] = field(default_factory=dict)
    says_yes: bool = False
    yes_or_no: bool = False


def find_header(sheet: Sheet, columns: Mapping[str, str]) -> int | None:
    """Return the position of the first row that names a column of periods, or None."""
    wanted = (columns.get("period") or "").casefold()
    for row in range(min(len(sheet.rows), HEADER_WITHIN)):
        cells = sheet.rows[row]
        texts = [read_text(content)[0] for content in cells if isinstance(content, str)]
        if len(texts) < 2 or (not wanted and (any(map(_is_figure, cells)) or _above_years(sheet, row))):
            continue
        if any(text.casefold() == wanted if wanted else role_of(text) == "period" for text in texts):
            return row
    return None if wanted else _header_of_parts(sheet)


def _header_of_parts(sheet: Sheet) -> int | None:
    """Return the position of a row that names a column of months, quarters, school years: labels of time below it."""
    for row in range(min(len(sheet.rows) - 1, HEADER_WITHIN)):
        cells = sheet.rows[row]
        if sum(isinstance(content, str) and not is_blank(content) for content in cells) < 2:
            continue
        if any(map(_is_figure, cells)):
            continue
        if any(isinstance(content, str) and is_time(sheet, row, column) for column, content in enumerate(cells)):
            return row
    return None


# Headings of a period where no column of years stands beside them.
MONTHS = frozenset({"month", "months", "mes", "mois", "monat"})
_SCHOOL = frozenset({"school-year", "academic-year", "curso", "curso-escolar", "curso-academico", "ano-academico",
                     "annee-scolaire", "annee-universitaire", "ano-letivo", "ano-lectivo", "schuljahr"})  # fmt: skip
_PERIODS = (
    MONTHS | _SCHOOL | {"quarter", "quarters", "trimestre", "quartal", "semestre", "half-year", "halbjahr", "week"}
)
_ENDING = re.compile(r"(?:12 months|year) (?:ending|ended|to) (?:\d{1,2} )?([a-z]+)(?: \d{1,2})?", re.I)


def is_time(sheet: Sheet, header: int, column: int) -> bool:
    """Whether a column headed Month, Quarter, School year, Year ending March holds labels of time."""
    name = read_text(sheet.at(header, column))[0]
    if slug(name) not in _PERIODS and not ends_in(name):
        return False
    below = [sheet.at(row, column) for row in range(header + 1, min(len(sheet.rows), header + 1 + SAMPLE))]
    below = [content for content in below if not is_blank(content)][:10]
    return bool(below) and all(label.period for label in read_periods(below).values())


def ends_in(heading: str) -> int:
    """Return the month in which a year ends by its heading, ``Year ending March``; 0 where it does not say so."""
    found = _ENDING.fullmatch(heading.strip())
    return (month_of(found[1]) or 0) if found else 0


def of_school(heading: str) -> bool:
    """Whether a heading is of school years, of which 2019 alone does not say when it began."""
    return slug(heading) in _SCHOOL


def _is_figure(content: object) -> bool:
    """Whether a cell holds a number: the unit "years" in a row of figures is no heading of a period."""
    if isinstance(content, str):
        return bool(content) and content[-1].isdigit() and read_number(content, decimal=".").value >= 0
    return isinstance(content, (int, float)) and not isinstance(content, bool)


def _above_years(sheet: Sheet, row: int) -> bool:
    """Whether the word Year stands above several columns of years."""
    cells = sheet.rows[row]
    below = sheet.rows[row + 1] if row + 1 < len(sheet.rows) else []
    for column, content in enumerate(cells):
        if not isinstance(content, str) or role_of(read_text(content)[0]) != "period":
            continue
        years = [place for place in range(column, len(below)) if _YEAR.fullmatch(read_text(below[place])[0])]
        free = [place for place in years[1:] if place >= len(cells) or is_blank(cells[place])]
        if len(years) > 1 and years[0] == column and len(free) == len(years) - 1:
            return True
    return False


_YEAR = re.compile(r"(19|20)\d\d(\.0+)?")


def layout_of(sheet: Sheet, header: int, columns: Mapping[str, str], ignore: Iterable[str] = ()) -> Layout:
    """Say which column holds what.

    Raises
    ------
    InputError
        A role has two columns, or a column of figures beside the values is neither.
    """
    names = [read_text(content)[0] for content in sheet.rows[header]]
    layout = Layout(header)
    left_out = {name.casefold() for name in ignore}
    given = {name.casefold(): role for role, name in columns.items()}
    unknown = sorted(set(given) - {name.casefold() for name in names})
    problems = [Problem(sheet.title, f"no column {name!r}", ", ".join(filter(None, names)), "correct the name")
                for name in unknown]  # fmt: skip
    others = []
    years = "period" in given.values() or any(role_of(name) == "period" for name in names)
    for column, name in enumerate(names):
        if name.casefold() in left_out or (not name and _is_empty(sheet, header, column)):
            continue
        role = given.get(name.casefold()) or ("" if name.casefold() in given else role_of(name))
        if role in given.values() and name.casefold() not in given:
            role = "ignore" if role in ("period", "value") else ""
        if role == "ignore":
            continue
        if not role and not years and is_time(sheet, header, column):
            role, years = "period", True
        if role == "area" and name.casefold() not in given and _is_measured(sheet, header, column, names):
            role = ""
        if role == "series" and slug(name) == "nombre" and _holds_figures(sheet, header, column):
            role = ""  # how many, in French
        if role == "confidential":
            below = range(header + 1, len(sheet.rows))
            layout.yes_or_no = says_yes_or_no(read_text(sheet.at(row, column))[0] for row in below)
        if role == "publish":
            answers = {read_text(sheet.at(row, column))[0] for row in range(header + 1, len(sheet.rows))} - {""}
            role = role if any(map(is_answer, answers)) else ""
            layout.says_yes = layout.says_yes or any(map(is_yes, answers))
        if role == "series" and "code" not in layout.roles and holds_codes(sheet, header + 1, column):
            role = "code"
        if not role:
            others.append(column)
        elif role in layout.roles:
            other = names[layout.roles[role]]
            fix = f"say which holds the {role}: --column {role}=NAME, or leave one out: --ignore NAME"
            problems.append(Problem(sheet.where(header), f"the columns {other} and {name}", f"one {role}", fix))
        else:
            layout.roles[role] = column
    if "series" not in layout.roles:
        title = next((column for column in others if slug(names[column]) in _TITLES
                      and not _holds_figures(sheet, header, column)), None)  # fmt: skip
        if title is not None and names[title].casefold() not in given:
            layout.roles["series"] = title
            others.remove(title)
    parts = {
        column for column in others if is_part_of_year(dimension_of(names[column])) or slug(names[column]) in MONTHS
    }
    figures = [column for column in others if column not in parts and _holds_figures(sheet, header, column)]
    layout.dimensions = {column: dimension_of(names[column]) for column in others if column not in figures}
    problems += _place_figures(sheet, layout, names, figures)
    if problems:
        raise InputError(sheet.file, problems)
    return layout


_TITLES = frozenset({"description", "name", "title", "descripcion", "nombre", "titulo", "intitule", "libelle", "nom",
                     "titre", "descricao", "nome", "bezeichnung", "beschreibung", "titel", "label"})  # fmt: skip


def _is_measured(sheet: Sheet, header: int, column: int, names: list[str]) -> bool:
    """Whether a column headed Area or City holds figures of series: an area in km2, or a city beside England."""
    others = [name for place, name in enumerate(names) if place != column]
    plain = bool(split_unit(names[column])[1]) or any(map(is_elsewhere, others))
    return plain and _holds_figures(sheet, header, column)


def _place_figures(sheet: Sheet, layout: Layout, names: list[str], figures: list[int]) -> list[Problem]:
    """Make columns of figures series of their own, where no column is called the value."""
    where, listed = sheet.where(layout.header), ", ".join(names[column] or "(no name)" for column in figures)
    if "value" in layout.roles:
        ages = [column for column in figures if dimension_of(names[column]) in ("age", "district", "group")]
        layout.dimensions |= {column: dimension_of(names[column]) for column in ages}
        rest = [column for column in figures if column not in ages]
        if rest:
            fix = "leave them out: --ignore NAME, or say that one is the value: --column value=NAME"
            return [Problem(where, f"columns of figures beside the value: {listed}", "one column of figures", fix)]
        return []
    if not figures:
        fix = "name the column of figures Value, or say which it is: --column value=NAME"
        return [Problem(where, f"the columns {', '.join(filter(None, names))}", "a column of figures", fix)]
    if "series" in layout.roles or "code" in layout.roles:
        if len(figures) > 1:
            fix = "say which: --column value=NAME"
            return [Problem(where, f"the columns of figures {listed}", "one column of values", fix)]
        layout.roles["value"] = figures[0]
        return []
    layout.measures = {column: names[column] for column in figures}
    return _place_ends(sheet, layout)


def _place_ends(sheet: Sheet, layout: Layout) -> list[Problem]:
    """Give the ends of intervals to the series that they are of, by name or by place; told where that is not plain."""
    names = {column: split_unit(name)[0].casefold() for column, name in layout.measures.items()}
    for column, name in list(layout.measures.items()):
        for other, short in names.items():
            rest = name.casefold().removeprefix(short).strip(" -–,:(")
            role = role_of(rest) if other != column and name.casefold().startswith(short) else ""
            if role in ("low", "high"):
                layout.ends.setdefault(other, {})[role] = column
    named = {column for ends in layout.ends.values() for column in ends.values()}
    layout.measures = {column: name for column, name in layout.measures.items() if column not in named}
    ends = {role: layout.roles[role] for role in ("low", "high") if role in layout.roles}
    if not ends or len(layout.measures) < 2:
        return []
    left = [column for column in layout.measures if column < min(ends.values())]
    for role in ends:
        del layout.roles[role]
    if len(left) == 1 and set(range(left[0] + 1, left[0] + 1 + len(ends))) == set(ends.values()):
        layout.ends[left[0]] = ends
        return []
    listed = ", ".join(layout.measures.values())
    fix = "head each with the name of its series, such as Smoking lower CI, or leave them out: --ignore NAME"
    where = sheet.where(layout.header, min(ends.values()))
    return [Problem(where, f"one interval beside the columns {listed}", "an interval of one series", fix)]


def joined(gathering: Gathering, sheet: Sheet, layout: Layout) -> Sheet:
    """Return a sheet in which the text of cells that are joined downwards stands in each of their rows.

    Figures are left alone: one that is joined over several rows stands in the first. What is repeated is noted.
    """
    figures = {*layout.measures, *(layout.roles[role] for role in ("value", "low", "high") if role in layout.roles)}
    columns = ({*layout.roles.values()} | {*layout.dimensions}) - figures
    found = joined_down(sheet, columns, layout.header)
    rows = list(sheet.rows)
    below: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, column in found:
        below[found[row, column], column].append(row)
        rows[row] = [*sheet.rows[row]] if rows[row] is sheet.rows[row] else rows[row]
        rows[row] += [None] * (column + 1 - len(rows[row]))
        rows[row][column] = sheet.at(found[row, column], column)
    for (first, column), others in below.items():
        where = sheet.where(others[0], column) + f" to {sheet.cell(others[-1], column)}" * (len(others) > 1)
        gathering.mended(where, "nothing", read_text(sheet.at(first, column))[0], ["joined with the cell above"])
    return replace(sheet, rows=rows) if found else sheet


def holds_codes(sheet: Sheet, first: int, column: int) -> bool:
    """Whether a column holds codes of indicators, such as 3.2.1, from a row on."""
    texts = [read_text(sheet.at(row, column))[0] for row in range(first, min(len(sheet.rows), first + SAMPLE))]
    texts = [text for text in texts if text]
    # Remarks may stand below the codes.
    return bool(texts) and sum(bool(code_of(text)) for text in texts) >= 0.5 * len(texts)


def _is_empty(sheet: Sheet, header: int, column: int) -> bool:
    return all(is_blank(sheet.at(row, column)) for row in range(header + 1, len(sheet.rows)))


def _holds_figures(sheet: Sheet, header: int, column: int) -> bool:
    numbers = filled = 0
    for row in range(header + 1, min(len(sheet.rows), header + 1 + SAMPLE)):
        content = sheet.at(row, column)
        if not is_blank(content):
            filled += 1
            number = read_number(content, decimal=sheet.decimal or ".")
            numbers += number.value == number.value
    return numbers > 0 and numbers >= 0.6 * filled
