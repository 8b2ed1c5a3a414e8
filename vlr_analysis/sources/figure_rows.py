"""Rows of figures on their way in, as people fill them: one a figure or one a series, mended where it is harmless."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.errors import Problem
from vlr_analysis.observations import COLUMNS, KEY, NUMBERS, examine
from vlr_analysis.sources.cells import Repair, Unreadable, decimal_mark, is_blank, read_number, read_text, shown
from vlr_analysis.sources.figure_texts import read_cell, stray_spaces
from vlr_analysis.sources.joins import joined_down
from vlr_analysis.sources.labels import read_periods
from vlr_analysis.sources.sheet_grid import Sheet, letters

EXAMPLE = "EXAMPLE"  # a row whose first filled cell begins with this word is never counted
HEADER_WITHIN = 10  # filled rows in which the header is looked for


@dataclass(frozen=True)
class Page:
    """The cells of a sheet, or of a CSV file.

    Attributes
    ----------
    name, sheet : str
        File and sheet; no sheet for a CSV file.
    rows : sequence of (row number, cells)
    percents : collection of (row number, place from 0)
        Cells that the program shows as percentages.
    joined : collection of (row number, place from 0)
        Cells that are joined with one above them: its text is repeated here. A number is not.
    decimal : str
        The mark before decimals that the form of the file prescribes; empty: none.
    """

    name: str
    sheet: str
    rows: Sequence[tuple[int, Sequence[Any]]] = field(repr=False)
    percents: Collection[tuple[int, int]] = field(default=frozenset(), repr=False)
    joined: Collection[tuple[int, int]] = field(default=frozenset(), repr=False)
    decimal: str = ""

    @classmethod
    def of(cls, sheet: Sheet) -> Page:
        """Return the cells of an opened sheet."""
        percents = frozenset((sheet.lines[row], place) for row, place in sheet.percent)
        joined = joined_down(sheet)
        rows = [list(cells) for cells in sheet.rows] if joined else sheet.rows
        for (row, place), first in joined.items():
            rows[row] += [None] * (place + 1 - len(rows[row]))
            rows[row][place] = sheet.at(first, place)
        lines = frozenset((sheet.lines[row], place) for row, place in joined)
        return cls(sheet.file, sheet.name, list(zip(sheet.lines, rows, strict=True)), percents, lines)

    def where(self, row: int, place: int | None = None, head: str = "") -> str:
        """Name a cell as its program does: ``x.xlsx, Figures!C4``, or ``x.csv, row 4, column value``."""
        if self.sheet:
            return f"{self.name}, {self.sheet}!" + (f"row {row}" if place is None else f"{letters(place)}{row}")
        return f"{self.name}, row {row}" + (f", column {head}" if head else "")


@dataclass
class Told:
    """What there is to say of a file: what is wrong, what is doubtful, what was mended."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)

    def mended(self, where: str, found: Any, taken: str, why: Sequence[str]) -> None:
        """Note what was mended in one cell, if anything was."""
        if why:
            self.repairs.append(Repair(where, shown(found), taken, ", ".join(why)))


@dataclass(frozen=True)
class Figure:
    """One observation as it was read, and where its parts stand."""

    cells: dict[str, Any]
    page: Page
    row: int
    places: Mapping[str, int]

    @property
    def key(self) -> tuple[str, ...]:
        """What no other observation of the place has."""
        return tuple(self.cells[name] for name in KEY)

    @property
    def cell(self) -> str:
        """Address of the value, such as C12."""
        return f"{letters(self.places['value'])}{self.row}"

    def where(self, column: str = "value") -> str:
        """Name the cell that holds one of the columns."""
        return self.page.where(self.row, self.places.get(column), column)


# --- header ----------------------------------------------------------------------------------------


def filled_rows(page: Page) -> list[tuple[int, Sequence[Any]]]:
    """Return the rows that hold something and are no example."""
    kept = []
    for number, cells in page.rows:
        first = next((cell for cell in cells if not is_blank(cell)), None)
        if first is not None and not str(first).strip().startswith(EXAMPLE):
            kept.append((number, cells))
    return kept


def find_header(rows: Sequence[tuple[int, Sequence[Any]]], heads: Mapping[str, str]) -> int | None:
    """Return which of the rows is the header: the first with two known heads; None where there is none."""
    for i, (_, cells) in enumerate(rows[:HEADER_WITHIN]):
        if sum(_plain(cell) in heads for cell in cells if isinstance(cell, str)) >= 2:
            return i
    return None


def _plain(cell: Any) -> str:
    return read_text(cell)[0].rstrip(" *:").casefold()


def read_header(
    page: Page, number: int, cells: Sequence[Any], heads: Mapping[str, str], needed: Sequence[str], told: Told
) -> tuple[dict[str, int], dict[int, Any]]:
    """Find the columns in a header row.

    Returns
    -------
    places : dict
        Column -> place of its cells. A misspelt head is told, and its column read all the same: one message for one
        mistake.
    others : dict
        Place -> content of the heads that are none of the columns.
    """
    places: dict[str, int] = {}
    others: dict[int, Any] = {}
    beyond = max((len(row) for _, row in page.rows), default=0) - len(cells)
    for place, cell in enumerate([*cells, *[None] * beyond]):
        column = heads.get(_plain(cell)) if isinstance(cell, str) else None
        if column is None:
            others[place] = cell
        elif column in places:
            fix = "remove one of the two columns"
            told.problems.append(Problem(page.where(number, place), f"{shown(cell)} again", "each heading once", fix))
        else:
            places[column] = place
    for column in [name for name in needed if name not in places]:
        names = [head for head, name in heads.items() if name == column]
        near = [
            place for place, cell in others.items()
            if isinstance(cell, str) and get_close_matches(_plain(cell), names, n=1, cutoff=0.7)
        ]  # fmt: skip
        title = names[-1].capitalize()
        if near:
            where, found = page.where(number, near[0], shown(others[near[0]])), shown(others.pop(near[0]))
            told.problems.append(Problem(where, found, "a heading of the sheet", f"did you mean {title!r}?"))
            places[column] = near[0]
        else:
            fix = f"add a column with the heading {title}"
            told.problems.append(Problem(page.where(number), f"no column {title}", "all headings", fix))
    return places, others


# --- figures ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """How the figures of one file are read.

    Attributes
    ----------
    area : str
        Id of the place that the figures are of, where no column says it.
    heads : mapping
        Column by what may stand at its head, in small letters.
    needed : sequence of str
        Columns that a row must have.
    own : mapping or None
        Label of each code that the city has added; None: every code is welcome.
    year_start : str
        Month and day on which a year written 2019/20 begins.
    """

    area: str
    heads: Mapping[str, str]
    needed: Sequence[str]
    own: Mapping[str, str] | None = None
    year_start: str = "07-01"

    def figures(self, page: Page, told: Told) -> list[Figure]:
        """Read the figures of a page: one a row where it has columns period and value, else one a column."""
        rows = filled_rows(page)
        at = find_header(rows, self.heads)
        if at is None:
            if rows:
                fix = f"write {', '.join(self._titles())} above the figures, each in its column"
                told.problems.append(Problem(page.where(rows[0][0]), "no headings", "a row of headings", fix))
            return []
        number, header = rows[at]
        long = {"period", "value"} <= {self.heads.get(_plain(cell)) for cell in header if isinstance(cell, str)}
        needed = [*self.needed, "period", "value"] if long else self.needed
        places, others = read_header(page, number, header, self.heads, needed, told)
        below = rows[at + 1 :]
        if long:
            self._stray_columns(page, number, others, below, told)
            return [figure for part in self._long(page, places, below, told) for figure in part]
        periods = self._periods(page, number, others, below, told)
        return [figure for part in self._wide(page, places, periods, below, told) for figure in part]

    def _titles(self) -> list[str]:
        names = {name: head.capitalize() for head, name in self.heads.items()}
        return [names[name] for name in self.needed]

    def _stray_columns(self, page: Page, number: int, others: Mapping[int, Any], below: Sequence, told: Told) -> None:
        for place, cell in others.items():
            if not is_blank(cell) or any_filled(below, place):
                near = get_close_matches(_plain(cell), list(self.heads), n=1, cutoff=0.7)
                fix = f"did you mean {near[0].capitalize()!r}?" if near else "remove the column, or give it a heading"
                found = "a column without a heading" if is_blank(cell) else shown(cell)
                told.problems.append(Problem(page.where(number, place, shown(cell)), found, "a known heading", fix))

    def _periods(
        self, page: Page, number: int, others: Mapping[int, Any], below: Sequence, told: Told
    ) -> dict[int, tuple[str, str]]:
        """Return period and status of each column of figures."""
        labels = read_periods([cell for cell in others.values() if not is_blank(cell)], year_start=self.year_start)
        periods: dict[int, tuple[str, str]] = {}
        seen: dict[str, int] = {}
        for place, cell in others.items():
            where = page.where(number, place)
            if is_blank(cell):
                if any_filled(below, place):
                    fix = "write the year at the head of the column, or empty the cells"
                    told.problems.append(Problem(where, "figures without a year", "a year or a period", fix))
                continue
            label = labels[cell]
            if label.unreadable is not None:
                near = get_close_matches(_plain(cell), list(self.heads), n=1, cutoff=0.7)
                wrong = label.unreadable
                fix = f"did you mean {near[0].capitalize()!r}?" if near else wrong.fix
                told.problems.append(Problem(where, wrong.found, wrong.expected, fix))
            elif label.period in seen:
                found = f"{label.period} a second time, after {letters(seen[label.period])}{number}"
                told.problems.append(Problem(where, found, "each period once", "join the two columns"))
            else:
                told.mended(where, cell, label.period, label.why)
                periods[place], seen[label.period] = (label.period, label.status), place
        return periods

    def _wide(
        self, page: Page, places: dict[str, int], periods: dict[int, tuple[str, str]], below: Sequence, told: Told
    ) -> Iterator[list[Figure]]:
        mark = decimal_mark((_at(cells, place) for _, cells in below for place in periods), form=page.decimal)
        for number, cells in below:
            given = [place for place in periods if not is_blank(_at(cells, place))]
            texts = self._texts(page, number, cells, places, told) if given else None
            if texts is None:
                continue
            found = []
            for place in given:
                period, status = periods[place]
                told_at = {**places, "value": place}
                value = self._number(page, number, place, "value", _at(cells, place), mark, texts["unit"], told)
                if value is not None:
                    status = value.status if value.status != "value" else status or texts["status"]
                    row = {**texts, "period": period, "value": value.value, "status": status}
                    found.append(Figure(row, page, number, told_at))
            yield found

    def _long(self, page: Page, places: dict[str, int], below: Sequence, told: Told) -> Iterator[list[Figure]]:
        numbers = [name for name in NUMBERS if name in places]
        mark = decimal_mark((_at(cells, places[name]) for _, cells in below for name in numbers), form=page.decimal)
        labels = read_periods([_at(cells, places["period"]) for _, cells in below], year_start=self.year_start)
        for number, cells in below:
            texts = self._texts(page, number, cells, places, told)
            content = _at(cells, places["period"])
            label, where = labels[content], page.where(number, places["period"], "period")
            if label.unreadable is not None:
                told.problems.append(label.unreadable.at(where))
            else:
                told.mended(where, content, label.period, label.why)
            unit = texts["unit"] if texts else ""
            read = {
                name: self._number(page, number, places[name], name, _at(cells, places[name]), mark, unit, told)
                for name in numbers
            }
            if texts is None or label.unreadable is not None or None in read.values():
                continue
            given = texts["status"] if texts["status"] != "value" else ""
            marked = read["value"].status if not is_blank(_at(cells, places["value"])) else ""
            status = marked if marked not in ("", "value") else given or label.status or "value"
            row = {**texts, "period": label.period, **{name: read[name].value for name in numbers}, "status": status}
            yield [Figure(row, page, number, places)]

    def _number(self, page, number: int, place: int, column: str, content: Any, mark: str, unit: str, told: Told):
        where = page.where(number, place, column)
        read = read_number(content, decimal=mark, percent_format=(number, place) in page.percents)
        if read.unreadable is not None:
            told.problems.append(read.unreadable.at(where))
            return None
        why = read.why or stray_spaces(content)
        told.mended(where, content, read.status if pd.isna(read.value) else f"{read.value:.15g}", why)
        if read.percent and unit and "%" not in unit:
            fix = "write the number in the unit of the row, or correct the unit"
            told.warnings.append(Problem(where, f"a percentage where the unit is {unit!r}", "one unit in a row", fix))
        return read

    # --- the texts of a row --------------------------------------------------------------------------

    def _texts(self, page: Page, number: int, cells: Sequence[Any], places: dict[str, int], told: Told):
        """Return the texts of a row; None where one of them is wrong, which is told."""
        texts = {"area": self.area, "series": "", "breakdown": "", "status": "value"}
        good = set(self.needed) <= set(places)  # a column that is not there is told once, at the header
        for column in ("area", "indicator", "series", "unit", "breakdown", "status", "source"):
            if column not in places:
                continue
            content = _at(cells, places[column])
            read, why = read_cell(column, content, self.needed, self.own)
            where = page.where(number, places[column], column)
            if isinstance(read, Unreadable):
                told.problems.append(read.at(where))
                good = False
                continue
            joined = (number, places[column]) in page.joined
            why = [*why, "joined with the cell above"] if joined else why
            told.mended(where, None if joined else content, repr(read), why)
            texts[column] = read
        if not good or not {"indicator", "unit", *self.needed} - {"period", "value"} <= texts.keys():
            return None  # told: by its cell, or as a column that is not there
        texts["series"] = texts["series"] or self._label(texts["indicator"])
        return texts

    def _label(self, code: str) -> str:
        return (self.own or {}).get(code) or catalogue.label(code) or code


def _at(cells: Sequence[Any], place: int) -> Any:
    return cells[place] if place < len(cells) else None


def any_filled(rows: Sequence[tuple[int, Sequence[Any]]], place: int) -> bool:
    """Whether one of the rows holds something in a column."""
    return any(not is_blank(_at(cells, place)) for _, cells in rows)


# --- together --------------------------------------------------------------------------------------


def as_table(figures: Sequence[Figure], name: str, told: Told) -> tuple[pd.DataFrame, list[Figure]]:
    """Put figures together to a table and check it; what is wrong is told at its cell.

    Returns
    -------
    table : DataFrame
        Observations, checked and sorted, without the figures of which something was told.
    figures : list of Figure
        Those of the table, in its order.
    """
    figures = _once(figures, told)
    raw = pd.DataFrame([figure.cells for figure in figures], columns=list(COLUMNS))
    raw = raw.astype(dict.fromkeys(NUMBERS, float))
    table, faults = examine(raw, name=name)
    wrong = set()
    for fault in faults:
        for row in fault.rows.tolist():
            if row not in wrong:
                problem = fault.tell(row)
                where = figures[row].where(fault.kind[0].removeprefix("column "))
                told.problems.append(Problem(where, problem.found, problem.expected, problem.fix))
                wrong.add(row)
    if wrong:
        figures = [figure for i, figure in enumerate(figures) if i not in wrong]
        table, _ = examine(raw.drop(index=list(wrong)), name=name)
    by_key = {figure.key: figure for figure in figures}
    return table, [by_key[key] for key in table[list(KEY)].itertuples(index=False, name=None)]


def _once(figures: Sequence[Figure], told: Told) -> list[Figure]:
    """Keep each key once; a row that repeats another is told once, however many figures it has."""
    first: dict[tuple, Figure] = {}
    repeated: dict[tuple, tuple[Figure, Figure]] = {}
    for figure in figures:
        other = first.setdefault(figure.key, figure)
        if other is not figure:
            repeated.setdefault((figure.page.sheet, figure.row), (figure, other))
    for figure, other in repeated.values():
        where = f"row {other.row}" if other.page is figure.page else f"{other.page.sheet}, row {other.row}"
        fix = "remove one of the rows, or tell them apart by series, unit or group"
        found = f"the same figures again, after {where}"
        told.problems.append(Problem(figure.where("indicator"), found, "each series and group once", fix))
    return list(first.values())
