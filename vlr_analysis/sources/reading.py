"""What every reader gives back: the one table, where each figure stood, what was mended and what was left out."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import nan
from pathlib import Path
from typing import Any

import pandas as pd

from vlr_analysis.cell_text import inert_table, original_table
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.exhibits import slug
from vlr_analysis.observations import COLUMNS, KEY, WITHOUT_VALUE, check, empty
from vlr_analysis.sources.cells import Number, Repair, Unreadable, read_label, read_number
from vlr_analysis.sources.kit import decode, write_whole
from vlr_analysis.sources.labels import Label, read_periods
from vlr_analysis.sources.sheet_grid import MAX_FIGURES, Sheet

ORIGIN_COLUMNS = (*KEY, "file", "sheet", "cell")
UNIT_NOT_STATED = "not stated"
MESSAGES = 200  # problems that one reading tells one by one; a wrong file has them by the thousand


@dataclass(frozen=True)
class Reading:
    """What a reader makes of a source.

    Attributes
    ----------
    table : DataFrame
        As `observations.check` returns it.
    origins : DataFrame
        `ORIGIN_COLUMNS`: one row for each row of `table`, in its order. `sheet` is empty for a text file; `cell` is an
        address such as C12, also for a CSV file.
    repairs : list of Repair
    problems : list of Problem
        Cells that gave no observation; everything else was taken.
    """

    table: pd.DataFrame
    origins: pd.DataFrame
    repairs: list[Repair]
    problems: list[Problem]


@dataclass(slots=True)
class Figure:
    """One figure on its way in; `blank` says that its cell held nothing at all."""

    indicator: str
    series: str
    unit: str
    period: str
    breakdown: str
    value: float
    status: str
    blank: bool
    sheet: Sheet
    place: tuple[int, int]
    low: float = nan
    high: float = nan


@dataclass
class Gathering:
    """Figures, repairs and problems of one source while it is read."""

    name: str
    area: str
    source: str
    figures: list[Figure] = field(default_factory=list)
    repairs: list[Repair] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    _texts: dict[Any, str] = field(default_factory=dict)

    def tell(self, where: str, unreadable: Unreadable) -> None:
        """Note that a cell cannot be read."""
        self.problems.append(unreadable.at(where))

    def mended(self, where: str, found: Any, taken: Any, why: Iterable[str]) -> None:
        """Note what was mended in a cell; nothing where `why` is empty."""
        why = ", ".join(why)
        if why:
            found = found if isinstance(found, str) else str(found)
            taken = f"{taken:g}" if isinstance(taken, float) else str(taken)
            self.repairs.append(Repair(where, repr(found[:40]), taken, why))

    def label(self, sheet: Sheet, row: int, column: int) -> str:
        """Return the name in a cell, free of what a spreadsheet would run; the same name is mended once."""
        content = sheet.at(row, column)
        key = (type(content), content)
        if key not in self._texts:
            self._texts[key], why = read_label(content)
            self.mended(sheet.where(row, column), content, repr(self._texts[key]), why)
        return self._texts[key]

    def periods(self, sheet: Sheet, places: Iterable[tuple[int, int]], year_start: str) -> dict[tuple[int, int], Label]:
        """Read labels of time together; each distinct one is mended, or told, once."""
        places = list(places)
        self._measure(len(places))
        contents = {place: sheet.at(*place) for place in places}
        found = read_periods([content for content in contents.values() if _hashable(content)], year_start=year_start)
        told = set()
        for place, content in contents.items():
            label = found[content]
            if content in told:
                continue
            told.add(content)
            if label.unreadable:
                self.tell(sheet.where(*place), label.unreadable)
            else:
                self.mended(sheet.where(*place), content, label.period, label.why)
        return {place: found[content] for place, content in contents.items()}

    def number(
        self, sheet: Sheet, row: int, column: int, decimal: str, *, flags: bool = False, fine: bool = False
    ) -> Number | None:
        """Read a figure; None where it is unreadable, which is then told. Repairs are noted.

        `fine`: an exact zero or a mark needs no word; only what was changed is noted.
        """
        content = sheet.at(row, column)
        read = _read_text_number if type(content) is str else read_number
        number = read(content, decimal=decimal, percent_format=(row, column) in sheet.percent, flags=flags)
        if (row, column) in sheet.percent_sign:
            number = replace(number, percent=True)
        if number.unreadable:
            self.tell(sheet.where(row, column), number.unreadable)
            return None
        if number.why:
            taken = number.status if number.status in WITHOUT_VALUE else number.value
            self.mended(sheet.where(row, column), content, taken, number.why)
        return number

    def add(self, figure: Figure) -> None:
        """Take a figure.

        Raises
        ------
        InputError
            More than `MAX_FIGURES`.
        """
        self._measure(len(self.figures) + 1)
        self.figures.append(figure)

    def _measure(self, figures: int) -> None:
        if figures > MAX_FIGURES:
            fix = "split the file, or keep the series of the review"
            found = f"more than {MAX_FIGURES:,} figures of one place"
            raise InputError(self.name, [Problem(self.name, found, "fewer", fix)])

    def reading(self) -> Reading:
        """Return the table that the figures make.

        A key that stands twice with one value is taken once; with different values it is left out and told. Empty
        cells before the first and after the last filled one of a series are no observations.
        """
        kept = self._once(self._inside(self.figures))
        problems = _shortened(self.problems, self.name)
        if not kept:
            return Reading(empty(), pd.DataFrame(columns=list(ORIGIN_COLUMNS), dtype=object), self.repairs, problems)
        table = pd.DataFrame({
            "area": self.area, "indicator": [f.indicator for f in kept], "series": [f.series for f in kept],
            "unit": [f.unit for f in kept], "period": [f.period for f in kept],
            "breakdown": [f.breakdown for f in kept], "value": [f.value for f in kept], "low": [f.low for f in kept],
            "high": [f.high for f in kept], "status": [f.status for f in kept], "source": self.source,
        })  # fmt: skip
        checked = check(table[list(COLUMNS)], name=self.name)
        stands = {_key(f): f for f in kept}
        origins = checked[list(KEY)].copy()
        found = [stands[tuple(key)] for key in origins[list(KEY)[1:]].to_numpy().tolist()]
        origins["file"] = [read_label(f.sheet.file)[0] for f in found]
        origins["sheet"] = [f.sheet.name for f in found]
        origins["cell"] = [f.sheet.cell(*f.place) for f in found]
        return Reading(checked, origins, self.repairs, problems)

    def _inside(self, figures: list[Figure]) -> list[Figure]:
        series = defaultdict(list)
        for figure in figures:
            series[figure.indicator, figure.series, figure.unit, figure.breakdown].append(figure)
        left_out = set()
        for rows in series.values():
            if not any(row.blank for row in rows):
                continue
            filled = sorted(row.period for row in rows if not row.blank)
            out = [row for row in rows if row.blank and not (filled and filled[0] <= row.period <= filled[-1])]
            if out:
                left_out |= set(map(id, out))
                where = out[0].sheet.where(*out[0].place)
                self.mended(where, f"{len(out)} empty cells", "nothing", ["before or after the figures of a series"])
        return [figure for figure in figures if id(figure) not in left_out]

    def _once(self, figures: list[Figure]) -> list[Figure]:
        keys = defaultdict(list)
        for figure in figures:
            keys[_key(figure)].append(figure)
        kept = []
        for rows in keys.values():
            if len(rows) == 1:
                kept.append(rows[0])
                continue
            filled = [row for row in rows if row.value == row.value]
            # An empty cell or a mark for a missing value says nothing against a figure; a hidden one does.
            marked = [row for row in rows if row.value != row.value and row.status != "missing"]
            if len({row.value for row in filled}) > 1 or (filled and marked) or (
                not filled and len({row.status for row in rows}) > 1
            ):  # fmt: skip
                said = ", ".join(f"{row.value:.15g}" if row.value == row.value else row.status for row in rows[:5])
                at = " and ".join(row.sheet.cell(*row.place) for row in rows[:5])
                more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
                where = f"{rows[0].sheet.title}, cells {at}{more}"
                what = " / ".join(part for part in _key(rows[0]) if part)
                fix = "keep the one that is right, or tell the rows apart by a column"
                self.problems.append(Problem(where, f"{said} for {what}", "one figure", fix))
                continue
            first = (filled or rows)[0]
            kept.append(first)
            found = f"{len(rows)} times the same figure" if len(filled) == len(rows) else "a figure and empty cells"
            self.mended(first.sheet.where(*first.place), found, "one figure", ["repeated rows left out"])
        return kept


_read_text_number = lru_cache(maxsize=8192)(read_number)  # a sheet repeats its marks and short numbers


def _hashable(content: Any) -> bool:
    return content.__hash__ is not None


def _key(figure: Figure) -> tuple[str, ...]:
    return figure.indicator, figure.series, figure.unit, figure.period, figure.breakdown


def _shortened(problems: list[Problem], name: str) -> list[Problem]:
    if len(problems) <= MESSAGES:
        return problems
    more = len(problems) - MESSAGES
    fix = "mend those above first"
    return [*problems[:MESSAGES], Problem(name, f"{more} more problems", "none", fix)]


# --- small things that readers share ---------------------------------------------------------------------


def breakdown_of(pairs: Iterable[tuple[str, str]], where: str = "") -> str:
    """Return ``dimension=category`` pairs sorted by dimension; `=` and `;` inside a category are replaced.

    Raises
    ------
    InputError
        Two categories of one dimension, at `where`.
    """
    made: dict[str, str] = {}
    for name, text in ((slug(name) or "group", text) for name, text in pairs if text):
        text = text.replace(";", ",").replace("=", ":")
        if made.setdefault(name, text) != text:
            found, fix = (
                f"{made[name]} and {text}, both {name}",
                "keep one of the two, or head them with different names",
            )
            raise InputError(where, [Problem(where, found, "one group", fix)])
    return ";".join(f"{name}={made[name]}" for name in sorted(made))


_CODE = re.compile(r"(indicator[ _-]*)?((?:[a-z]{2,8}\.)?\d{1,2}[.\-_][0-9a-z]{1,2}[.\-_]?(?:[0-9a-z]{1,2})?)\.?", re.I)
_RANGE = re.compile(r"\d{1,2}[-_]\d{1,4}", re.A)


def code_of(text: str) -> str:
    """Return the code of an indicator in a text (``Indicator 3-2-1`` gives 3.2.1), or an empty text.

    15-24 is a range of ages, not target 15.24: two numbers joined by a hyphen are a code only behind "Indicator".
    """
    found = _CODE.fullmatch(text.strip())
    if not found or (not found[1] and _RANGE.fullmatch(found[2].rstrip(".-_"))):
        return ""
    return re.sub(r"[-_]", ".", found[2]).strip(".").lower()


def local_code(area: str, words: str) -> str:
    """Return a local code for a series that has none: the area and the words, ``leeds.unemployment-rate``."""
    return f"{area}.{slug(words)[:60].strip('-') or 'figures'}"


_UNIT = re.compile(r"(.+?)\s*[\(\[]([^()\[\]]{1,60})[\)\]]")
_UNIT_WORDS = re.compile(
    r"%|per\s?cent|percent|prozent|pour\s?cent|por\s?ciento|^(number|persons|people|count|index|rate|years|euro?|usd|gbp)"
    r"|^(personas?|pessoas?|personnes?|personen|habitantes?|habitants?|einwohner|n[uú]mero|nombre|anzahl|casos|cas)\b"
    r"|^(hogares|viviendas|habitaciones|m[eé]nages|logements|domic[ií]lios|haushalte|a[nñ]os|anos|ans|jahre)\b"
    r"|\bper\b|\bpro\b|\bpor\b|\bpar\b|\bje\b|=\s?100\b|\b10?[,. ]?000\b|\b100[,. ]?000\b|\bppp\b"
    r"|^['’]?000s?$|\b(thousand|million|billion)s?\b|€|\$|£|km|kwh|mwh|tonn|µg|m²|m3|m³|hectare|ratio", re.I
)  # fmt: skip


def split_unit(text: str) -> tuple[str, str]:
    """Return the words before a unit in brackets, and the unit; ``Poverty (%)`` gives Poverty and %."""
    found = _UNIT.fullmatch(text)
    if not found or not _UNIT_WORDS.search(found[2]) or re.fullmatch(r"[\d\s–/-]+", found[2]):
        return text, ""
    return found[1], found[2]


def filter_error(name: str, column: str, seen: Iterable[str], area: str) -> InputError:
    """Return the error for an area column in which the area is not found."""
    names = sorted(set(seen))
    one = len(names) == 1
    found = f"the area{'s' * (not one)} {', '.join(names[:12])}" + (
        f" and {len(names) - 12} more" if names[12:] else ""
    )
    fix = "if it is the place that is meant, say so" if one else "give the name as the source writes it"
    fix += f": --place {names[0]!r}" if one else ": --place NAME"
    return InputError(name, [Problem(f"{name}, column {column}", found, f"one for {area}", fix)])


# --- origins -------------------------------------------------------------------------------------------


def origins_path(table: Path | str) -> Path:
    """Return where the origins of a table stand: ``data/leeds.origins.csv`` beside ``data/leeds.csv``."""
    return Path(table).with_suffix(".origins.csv")


def write_origins(origins: pd.DataFrame, path: Path | str) -> None:
    """Write where each figure stood, as CSV in UTF-8; the file appears whole or not at all.

    A column `value` with the figures, where there is one, lets a later check see which of them were changed since.
    """
    columns = [*ORIGIN_COLUMNS, *(["value"] if "value" in origins else [])]
    ordered = origins[columns].sort_values(list(KEY), kind="stable")
    write_whole(Path(path), inert_table(ordered).to_csv(index=False, lineterminator="\n").encode("utf-8"))


def read_origins(path: Path | str) -> pd.DataFrame:
    """Read where each figure stood.

    Returns
    -------
    DataFrame
        `ORIGIN_COLUMNS`, all text; and `value` as text, where the file holds it.

    Raises
    ------
    InputError
        No such file, not UTF-8, other columns than these, rows of another length.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path.name, [Problem(path.name, "no such file", "origins of figures", "import them again")])
    rows = list(csv.reader(io.StringIO(decode(path.read_bytes(), path.name), newline="")))
    fix = "import the figures again"
    expected = f"the columns {', '.join(ORIGIN_COLUMNS)}"
    if not rows or tuple(rows[0]) not in (ORIGIN_COLUMNS, (*ORIGIN_COLUMNS, "value")):
        raise InputError(path.name, [Problem(f"{path.name}, row 1", "another header", expected, fix)])
    raise_if_any(path.name, [
        Problem(f"{path.name}, row {number}", f"{len(row)} cells", str(len(rows[0])), fix)
        for number, row in enumerate(rows[1:], 2) if len(row) != len(rows[0])
    ])  # fmt: skip
    return original_table(pd.DataFrame(rows[1:], columns=rows[0], dtype=object))
