"""The texts above and below the years of a wide table: groups, units, places, parts of a year, what is no figure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import is_blank, read_label, read_number
from vlr_analysis.sources.heading_words import UNOBSERVED, aside_of, counts, is_interval, kind_of, scale_in
from vlr_analysis.sources.names import Told, group_of, is_total, role_of, sexes_of
from vlr_analysis.sources.places import is_area, is_elsewhere
from vlr_analysis.sources.reading import Gathering, split_unit
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.wide_blocks import is_number, periods_in
from vlr_analysis.sources.year_parts import WHOLE_YEARS, month_of, months_from_to, part_of_year

MOST_ABOVE = 3  # rows of headings over the years
PARTS = frozenset({"value", "low", "high", "status", "ignore"})
_QUARTER = re.compile(r"[QqTt]\.? ?([1-4])")
_HALF = re.compile(
    r"[HS] ?[12]|[12] ?[HS]|I{1,2} (?:sem\w*|half)|[12](?:st|nd|er|º|e)? (?:half|semestre|halbjahr)", re.I
)
_ROMAN = {"I": 1, "II": 2, "III": 3, "IV": 4}
_OURS = frozenset(("city", "the-city", "this-city", "our-city", "ciudad", "ville", "stadt", "cidade", "municipality",
                   "municipio", "commune", "gemeinde", "local-authority"))  # fmt: skip
_WIDER = frozenset(("region", "national", "nation", "country", "state", "province", "county", "pais", "nacional",
                    "provincia", "pays", "departement", "land", "bund", "estado", "national-average"))  # fmt: skip


@dataclass
class Column:
    """One column of figures: its period, which part of a figure it holds, its unit and its groups.

    `own_unit`: the unit of the column counts before that of the row, as below Number beside Rate.
    """

    place: int
    period: str
    status: str = ""
    part: str = "value"
    unit: str = ""
    groups: tuple[tuple[str, str], ...] = ()
    times: float = 1.0
    own_unit: bool = False


@dataclass
class Layout:
    """Where things stand in a wide sheet; rows are positions in `Sheet.rows`, columns from 0."""

    first: int
    columns: list[Column]
    roles: dict[str, int] = field(default_factory=dict)
    dimensions: dict[int, str] = field(default_factory=dict)
    title: str = ""
    top: int = 0
    titles: list[int] = field(default_factory=list)
    header: int = 0
    left_out: set[int] = field(default_factory=set)
    width: int = 0
    spanish: bool = False
    times: float = 1.0
    counted: str = ""
    scoped: list[tuple[str, float]] = field(default_factory=list)


def part_role(text: str) -> str:
    """Return the role of a heading; of the end of an interval also where the level stands first: 95% CI lower."""
    return role_of(text) or role_of(re.sub(r"\b9\d([.,]\d)?\s*%\s*", "", text))


# --- which rows are headings -----------------------------------------------------------------------------


def texts_below(sheet: Sheet, row: int, contents: list[Any], told: Told) -> dict[int, str]:
    """Return the texts of a second header row below the years, by column; nothing where figures stand there."""
    if row + 1 >= len(sheet.rows) - 1:
        return {}
    years = periods_in(contents, told.year_start)
    below = {column: content for column, content in enumerate(sheet.spread(row + 1))
             if column >= min(years) and not is_blank(content)}  # fmt: skip
    texts = {column: read_label(content)[0] for column, content in below.items() if isinstance(content, str)}
    words = {column: text for column, text in texts.items() if read_number(text, decimal=".").unreadable}
    return words if len(words) >= 2 and len(words) >= 0.7 * len(below) else {}


def filled_right(contents: list[Any], lower: dict[int, str], told: Told) -> list[Any]:
    """Repeat a year over the empty cells to its right that have a text of the second header row."""
    filled = contents + [None] * (max(lower) + 1 - len(contents))
    for column in sorted(lower):
        if column and is_blank(filled[column]) and periods_in([filled[column - 1], "2000"], told.year_start).get(0):
            filled[column] = filled[column - 1]
    return filled


def texts_above(sheet: Sheet, row: int, labels: Mapping[int, Any], gathering: Gathering) -> dict[int, dict[int, str]]:
    """Return the texts of the rows of headings above the years, by row and column, the nearest row first."""
    found = {}
    for above in range(row - 1, max(row - 1 - MOST_ABOVE, -1), -1):
        if sheet.lines[above] != sheet.lines[above + 1] - 1:
            break
        contents = sheet.spread(above)
        if any(is_number(contents[place]) for place in labels if place < len(contents)):
            break
        texts = _upper(sheet, above, labels, contents)
        if not texts:
            continue
        said = set(texts.values()) - {""}
        plain = all(_is_known(text) or is_area(text, gathering.area) for text in said)
        if above == row - 1 or plain or (len(said) > 1 and texts[min(labels)]):
            found[above] = texts
    return found


def _is_known(text: str) -> bool:
    return bool(
        kind_of(text) or aside_of(text) or group_of(text)[0] != "group" or scale_in(text) or is_elsewhere(text)
        or slug(text) in _OURS | _WIDER or split_unit(f"x ({text})")[1] or role_of(text)
    )  # fmt: skip


def _upper(sheet: Sheet, row: int, labels: Mapping[int, Any], above: list[Any]) -> dict[int, str]:
    """Return the texts of a row over the years, by column, where they tell columns apart or say what they are of."""
    texts = {place: read_label(above[place])[0] if place < len(above) else "" for place in labels}
    stub = [read_label(content)[0] for content in above[: min(labels)]]
    said = set(texts.values()) - {""}
    if not said:
        return {}
    number = sheet.lines[row]
    if not any(top <= number <= bottom and right >= min(labels) for top, _, bottom, right in sheet.merged):
        last = ""
        for place in sorted(texts):
            last = texts[place] = texts[place] or last
    if len(said) > 1:
        return texts
    text = next(iter(said))
    if text in stub:
        return {}
    if split_unit(f"x ({text})")[1] or scale_in(text):
        return dict.fromkeys(labels, text)
    return texts if kind_of(text) or group_of(text)[0] != "group" else {}


# --- what they say ---------------------------------------------------------------------------------------


def say(
    gathering: Gathering, sheet: Sheet, at: int, texts: Mapping[int, str], columns: list[Column], place: str
) -> None:
    """Take what a row of headings says of the columns: a part of the figure, a unit, groups, a part of the year.

    Figures of another area, and such as are below a target, a change, a rank or an error, are none of the series.

    Raises
    ------
    InputError
        Headings are places and none of them is the area; a letter of a sex that nothing settles; parts of a year
        below what is no calendar year.
    """
    said = {text for text in texts.values() if text}
    left_out, ours = _of_other_areas(gathering, sheet, at, texts, said, place)
    letters = {} if len(said) < 2 else sexes_of({text for text in said if not is_total(text)})
    single = {text for text in said if len(text) == 1 and text.upper() in "HMFVW"}
    if len(single) > 1 and letters is None:
        where = sheet.where(at, min(column for column, text in texts.items() if text in single))
        fix = "write women and men in words"
        raise InputError(
            sheet.file, [Problem(where, f"the headings {', '.join(sorted(single))}", "one of the sexes", fix)]
        )
    letters = letters if letters and len(single) > 1 else {}
    parts = _parts_of_years(said)
    several = any(counts(text) for text in said) and len(said) > 1
    for column in columns:
        text = texts.get(column.place, "")
        where = sheet.where(at, column.place)
        if not text or text in ours or column.part == "ignore":
            continue
        if text in left_out:
            column.part = "ignore"
            gathering.mended(where, text, "nothing", ["column of another area left out"])
        elif text in letters:
            column.groups += (("sex", letters[text]),)
        elif text in parts:
            _say_part(sheet, where, column, text, parts[text])
        elif several and counts(text):
            column.unit, column.own_unit = "count", True
        elif why := _say(column, text):
            taken = "nothing" if column.part == "ignore" else f"times {column.times:,.0f}"
            gathering.mended(where, text, taken, [why])


def _of_other_areas(
    gathering: Gathering, sheet: Sheet, at: int, texts: Mapping[int, str], said: set[str], place: str
) -> tuple[set[str], set[str]]:
    """Return the headings that are other areas, where headings are areas, and those that are the area itself."""
    others = {text for text in said if group_of(text)[0] == "group" and not is_total(text) and not kind_of(text)
              and part_role(text) not in PARTS and not aside_of(text) and not split_unit(f"x ({text})")[1]}  # fmt: skip
    ours = {text for text in said if is_area(text, gathering.area, place)}
    if ours:
        return others - ours, ours
    wider = {text for text in others if is_elsewhere(text) or slug(text) in _WIDER}
    ours = {text for text in others if slug(text) in _OURS}
    if wider and ours:
        return others - ours, ours
    if any(map(is_elsewhere, wider)):
        column = min(column for column, text in texts.items() if text in wider)
        fix = "leave the columns of other places out, or head those of the area with its name"
        found = f"headings that are places: {', '.join(sorted(others))}"
        raise InputError(sheet.file, [Problem(sheet.where(at, column), found, f"figures of {gathering.area}", fix)])
    return set(), set()


def _parts_of_years(said: set[str]) -> dict[str, str]:
    """Return what each text adds to its year, where texts are parts of a year; a whole year adds nothing."""
    made = {}
    for text in said:
        if _HALF.fullmatch(text):
            made[text] = part_of_year(re.sub(r"^([12]) ?([HhSs])$", r"H\1", text), "half")
        elif month_of(text) or _QUARTER.fullmatch(text):
            made[text] = f"-{month_of(text):02d}" if month_of(text) else f"-Q{_QUARTER.fullmatch(text)[1]}"
        elif months := months_from_to(text):
            made[text] = months
    romans = {text for text in said if text.upper() in _ROMAN}
    if len(romans) > 1:
        made |= {text: f"-Q{_ROMAN[text.upper()]}" if romans & {"IV", "iv"} else "" for text in romans}
    if made:
        made |= {
            text: "whole" for text in said if slug(text) in WHOLE_YEARS | {"full-year", "whole-year", "ano-completo"}
        }
    return made


def _say_part(sheet: Sheet, where: str, column: Column, text: str, part: str) -> None:
    if part == "whole":
        return
    if len(column.period) != 4 or not part:
        fix = "write the period itself above the figures, such as 2019-Q3, or 2019-07-01/P6M for half a year"
        found = f"{text!r} at the year {column.period}"
        raise InputError(sheet.file, [Problem(where, found, "a part of a calendar year", fix)])
    column.period += part


def _say(column: Column, text: str) -> str:
    """Take what one text says of a column; return what is to be logged."""
    if is_total(text) or is_interval(text):
        return ""
    role, kind, scale = part_role(text), kind_of(text), scale_in(text)
    if (aside := aside_of(text)) or kind in UNOBSERVED:
        column.part = "ignore"
        return f"a {aside or kind} is no figure observed: column left out"
    if role in PARTS:
        column.part = role
    elif kind:
        column.status = "" if kind == "value" else kind
    elif scale and not scale.rest:
        column.times, column.unit = scale.times, scale.unit
        return "figures below are multiplied"
    elif split_unit(f"x ({text})")[1] and group_of(text)[0] == "group":
        column.unit = text
    else:
        name, group = group_of(text)
        other = dict(column.groups).get(name)
        if other:
            column.groups = tuple(pair for pair in column.groups if pair[0] != name)
            group = f"{group}: {other}"
        column.groups += ((name, group),)
    return ""
