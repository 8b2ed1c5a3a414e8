"""The figure of a row of a long table: what its status, its multiplier and the heading above it make of the number."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vlr_analysis.errors import Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.sources.cells import Number, is_blank, read_text, shown
from vlr_analysis.sources.heading_words import takes_no_scale
from vlr_analysis.sources.long_header import Layout
from vlr_analysis.sources.names import UNITS, power_of, role_of, scale_of, unit_of
from vlr_analysis.sources.reading import UNIT_NOT_STATED, Gathering, split_unit
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.statuses import NOT_OBSERVED, is_hidden, is_yes, status_of


def status_beside(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: int, column: int, number: Number
) -> tuple[str | None, bool]:  # fmt: skip
    """Return the status of a figure (None: it is not taken, which is told), and whether its cell says nothing at all.

    A hidden figure leaves its status alone. A target or a forecast is no observation.
    """
    status, blank = number.status, number.status == "missing" and not number.why
    there = number.value == number.value
    for role in ("confidential", "publish", "status"):
        text = read_text(sheet.at(row, layout.roles[role]))[0] if role in layout.roles else ""
        if role == "publish" and role in layout.roles:
            if is_yes(text) or (not text and not layout.says_yes):
                continue
        elif not text or (role == "confidential" and not is_hidden(text, layout.yes_or_no)):
            continue
        coded = status_of(text) if role == "status" else "suppressed"
        where = sheet.where(row, layout.roles[role])
        if not coded:
            gathering.mended(where, text, status, ["a flag that is not known"])
        elif coded == NOT_OBSERVED:
            if there:
                fix = "leave the row out; a target belongs into the parameters of the city"
                problem = Problem(where, f"{shown(text)} beside a number", "figures that were observed", fix)
                gathering.problems.append(problem)
                return None, False
        elif not there and coded in WITHOUT_VALUE:
            return coded, False
        elif there and coded == "suppressed":
            gathering.mended(sheet.where(row, column), "a number", coded, ["a hidden figure left out"])
            return coded, False
        elif there and coded in WITHOUT_VALUE:
            fix = "empty the value, or correct the status"
            gathering.problems.append(Problem(where, f"{shown(text)} beside a number", "no number there", fix))
            return None, False
        elif there and coded != "value":
            status = coded
    return status, blank


def multiplier(gathering: Gathering, sheet: Sheet, row: int, column: int | None) -> float | None:
    """Return what the figures of a row are to be multiplied by: UNIT_MULT 3 stands for thousands.

    Returns
    -------
    float or None
        1 where there is no such column or its cell is empty; None where the cell cannot be read, which is told.
    """
    text = "" if column is None else read_text(sheet.at(row, column))[0]
    times = power_of(text) if text else 1.0
    if times is None:
        fix = "write 3 or Thousands for thousands"
        gathering.problems.append(Problem(sheet.where(row, column), shown(text), "a power of ten, or its word", fix))
    elif times != 1:
        gathering.mended(sheet.where(row, column), text, f"times {times:g}", ["multiplied as the source says"])
    return times


_NO_COUNT = re.compile(r"°|/|‰|[µμ]g|\bgini\b|\btaux\b|\btasa\b|\btaxa\b|\banteil|\bquote\b|\bjahre?n?\b|\ba[nñ]os?\b|"
                       r"\b(an|année)s?\b|\byrs?\b|\byears?\b|سنة|سنوات", re.I)  # fmt: skip
_CODED = {"ths": 1e3, "mio": 1e6, "mrd": 1e9}


def is_no_count(unit: str) -> bool:
    """Whether a unit is of figures that are never told in thousands: rates, years, degrees, indices."""
    return takes_no_scale(unit) or _NO_COUNT.search(unit) is not None


def in_unit(unit: str) -> float | None:
    """Return the multiplier that a unit says itself: ``thousand people``, THS_PER, ``miles de casos``; else None."""
    if re.search(r"\b(per|por|par|pour|pro|je)\b", unit.casefold()):
        return None
    if slug(unit).startswith("miles-de-"):
        return 1e3
    words = re.findall(r"[^\W\d_]+", unit)
    coded = [_CODED[word.casefold()] for word in words if word.casefold() in _CODED]
    return next(iter(coded), None) or next(
        (times for word in words if (times := scale_of(word)) not in (None, 1)), None
    )


def said_twice(gathering: Gathering, where: str, unit: str, times: float) -> float | None:
    """Return what a figure is to be multiplied by where its unit says thousands as well; None where the two differ."""
    own = in_unit(unit) if times != 1 else None
    if own is None:
        return times
    if own == times:
        gathering.mended(where, f"times {times:g}", "the unit", ["the unit says it already: not multiplied"])
        return 1.0
    fix = "correct the multiplier or the unit"
    gathering.problems.append(Problem(where, f"times {times:g} of the unit {shown(unit)}", "one multiplier", fix))
    return None


@dataclass(frozen=True)
class Heading:
    """What the heading of a column of values says besides its name.

    Attributes
    ----------
    text : str
        As it stands there, for messages.
    times : float
        ``Value (thousands)``: 1000.
    unit : str
        ``Value (%)``: %; with a multiplier in it where nothing else says the unit: ``thousands of persons``.
    note : str
        Other words in brackets: they are the unit where nothing else is.
    """

    text: str = ""
    times: float = 1.0
    unit: str = ""
    note: str = ""

    @classmethod
    def of(cls, text: str) -> Heading:
        """Read a heading."""
        in_brackets = re.fullmatch(r"[^(\[]*[(\[]([^)\]]*)[)\]]\s*", text)
        first, *rest = re.split(r"[\s,:–-]+", text, maxsplit=1)
        if in_brackets:
            words = in_brackets[1].strip()
        else:
            words = rest[0] if rest and role_of(first) == "value" else "" if role_of(text) else text
        words = re.sub(r"^(in|en|em)\s+", "", words)
        spanish = slug(first) in ("valor", "valores", "dato", "datos", "cifra") or slug(words).startswith("miles-de-")
        size = re.sub(r"^miles\b", "thousands", words, flags=re.I) if spanish else words
        if (times := scale_of(size)) is not None:
            return cls(text, times)
        # "per thousand" is a rate.
        rate = re.search(r"\b(per|por|par|pour|pro|je)\b", size.casefold())
        sizes = [] if rate else [scale_of(word) for word in re.findall(r"[^\W\d_]+|'?0{3}s?\b", size)]
        if times := next((times for times in sizes if times not in (None, 1)), None):
            return cls(text, times, words)
        known = words.casefold() in UNITS or words in UNITS.values()
        if known or (in_brackets and split_unit(f"x ({words})")[1]):
            return cls(text, 1.0, unit_of(words))
        return cls(text, note=words if in_brackets else "")

    def applied(self, gathering: Gathering, where: str, unit: str) -> tuple[float, str] | None:
        """Return multiplier and unit of a figure, given the unit said elsewhere; None where the two are at odds."""
        stated = unit != UNIT_NOT_STATED
        if not stated and (self.unit or self.note):
            return 1.0, self.unit or self.note
        percent = stated and "%" in unit
        other = stated and "%" in self.unit and not percent
        no_count = stated and self.times != 1 and in_unit(unit) is None and is_no_count(unit)
        if other or no_count or (percent and self.times != 1):
            fix = "correct the heading or the unit"
            gathering.problems.append(Problem(where, f"{unit!r} below the heading {self.text!r}", "one unit", fix))
            return None
        return (1.0 if stated and in_unit(unit) is not None else self.times), unit


class Percents:
    """Which series of a table hold percentages with their sign; a share such as 0.16 beside 15% is told."""

    def __init__(self, gathering: Gathering, sheet: Sheet):
        self.gathering, self.sheet = gathering, sheet
        self.seen: set[tuple[str, ...]] = set()

    def note(self, row: int, column: int, key: tuple[str, ...]) -> None:
        """Note a cell that may hold a percentage."""
        content = self.sheet.at(row, column)
        if (row, column) in self.sheet.percent or (isinstance(content, str) and content.rstrip()[-1:] in ("%", "٪")):
            self.seen.add(key)

    def contradicts(self, row: int, column: int, key: tuple[str, ...], number: Number) -> bool:
        """Whether a figure contradicts its unit, the last of `key`, or the others of its series; then it is told."""
        where, unit = self.sheet.where(row, column), key[-1]
        if number.percent and unit != UNIT_NOT_STATED and not _SHARE.search(unit):
            fix = "write % as the unit, or take the percent sign off the figures"
            problem = Problem(where, f"a percentage of the unit {shown(unit)}", "one or the other", fix)
        elif key in self.seen and not number.percent and 0 < abs(number.value) <= 1:
            fix = "write all figures of the series with the percent sign, or all without"
            found = f"{number.value:g} in a series of numbers with a percent sign"
            problem = Problem(where, found, "one form in a series", fix)
        else:
            return False
        self.gathering.problems.append(problem)
        return True


_SHARE = re.compile(
    r"%|٪|per\s?cent|prozent|pour\s?cent|por\s?c|pct|points?|puntos|pontos|share|rate|proportion|ratio", re.I
)


def without_name(
    gathering: Gathering, sheet: Sheet, layout: Layout, rows: list[int], columns: Iterable[int], roles: Iterable[str]
) -> set[int]:  # fmt: skip
    """Return the rows with a figure and without a name of its series where others have one, after telling them."""
    named = [layout.roles[role] for role in roles if role in layout.roles]
    columns = list(columns)
    bare = [row for row in rows if all(is_blank(sheet.at(row, column)) for column in named)
            and not all(is_blank(sheet.at(row, column)) for column in columns)]  # fmt: skip
    if not named or not bare or len(bare) == len(rows):
        return set()
    found = f"nothing, in {len(bare)} row{'s' * (len(bare) > 1)} with figures"
    fix = "write the indicator into each row"
    gathering.problems.append(Problem(sheet.where(bare[0], named[0]), found, "the name of the indicator", fix))
    return set(bare)
