"""Labels of time on their way in: years, fiscal years, pooled years, quarters, months, as offices write them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from math import isfinite
from typing import Any

from vlr_analysis.periods import parse_period
from vlr_analysis.sources.cells import Formula, NotShown, Unreadable, read_text, shown
from vlr_analysis.sources.digits import in_our_digits
from vlr_analysis.sources.year_marks import unobserved, without_words
from vlr_analysis.sources.year_parts import PARTS, month_of, months_from_to, part_of_year, plain
from vlr_analysis.sources.year_parts import WHOLE_YEARS as WHOLE_YEARS
from vlr_analysis.sources.year_parts import is_part_of_year as is_part_of_year

_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


class ShownDate(datetime):
    """A date of a spreadsheet that the program shows as a year or a month alone.

    Attributes
    ----------
    period : str
        What is shown, in ISO 8601: ``2019`` or ``2019-01``.
    """

    period: str

    @classmethod
    def of(cls, day: datetime, period: str) -> ShownDate:
        """Return the date with what is shown of it."""
        made = cls(day.year, day.month, day.day, day.hour, day.minute, day.second, day.microsecond)
        made.period = period
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ShownDate) and self.period == other.period and datetime.__eq__(self, other)

    def __hash__(self) -> int:
        return hash((datetime.__hash__(self), self.period))


@dataclass(frozen=True)
class Label:
    """What one label says of time.

    Attributes
    ----------
    period : str
        ISO 8601, empty where the label is no period.
    status : str
        provisional, estimated or break where a mark beside the year says so, else empty.
    why : tuple of str
    unreadable : Unreadable or None
    unit : str
        What ``2019 (%)`` says of the figures below it.
    """

    period: str
    status: str = ""
    why: tuple[str, ...] = ()
    unreadable: Unreadable | None = None
    unit: str = ""


_YEAR = re.compile(r"(1[5-9]\d\d|2[01]\d\d)(?:\.0+)?")
_SPAN = re.compile(r"(1[5-9]\d\d|2[01]\d\d)\s*([-/]|to|a)\s*(\d{4}|\d{2})")
_NAMED = re.compile(r"(?:FY|F\.Y\.|fiscal year|financial year)\s*'?(.+)", re.I)
_EXPECTED = "a year or an ISO 8601 period"
_WRITE = "write the year, such as 2019, or 2019-04-01/P1Y for a year that begins in April"


def read_periods(contents: Sequence[Any], *, year_start: str = "07-01") -> dict[Any, Label]:
    """Read the labels of one column or header row together: some can be told only by their neighbours.

    Parameters
    ----------
    contents : sequence
        Labels; repeated ones are read once.
    year_start : str
        Month and day on which a year written 2019/20 begins.

    Returns
    -------
    dict
        A `Label` for each distinct label. 2019/20 is one year; 2019-20 too; 2017-2019 is three pooled years;
        2012-2013 is one year where 2013-2014 stands beside it, else two pooled years. FY2020 is the year that ends
        in 2020. 2011-12 alone may be a month or a year and is refused. T1 to T4 are quarters where T4 is among them;
        T1 to T3 alone may be quarters or thirds of a year and are refused.
    """
    distinct = list(dict.fromkeys(contents))
    plain = {content: Label(content) for content in distinct if isinstance(content, str) and _is_day(content)}
    texts = {
        content: _period_text(content) for content in distinct if isinstance(content, str) and content not in plain
    }
    plain |= _of_t(texts) | _of_short_years(texts)
    spans = [found for text, _, _ in texts.values() if (found := _SPAN.fullmatch(text))]
    return {
        content: plain.get(content) or _label(content, texts.get(content), spans, year_start) for content in distinct
    }


_T = re.compile(r"(\d{4})[- ]?T([1-4])|T([1-4])[ /-]?(\d{4})|([1-4])[ .]?T[ /-]?(\d{4})")


def _of_t(texts: dict[str, tuple[str, str, list[str]]]) -> dict[str, Label]:
    """Read the labels with a T: quarters in Spanish, French and Portuguese, thirds of a year in SDMX."""
    found = {content: match for content, (text, _, _) in texts.items() if (match := _T.fullmatch(text))}
    parts = {content: (m[1] or m[4] or m[6], int(m[2] or m[3] or m[5])) for content, m in found.items()}
    quarters = any(part == 4 for _, part in parts.values())
    labels = {}
    for content, (year, part) in parts.items():
        _, status, why = texts[content]
        if quarters:
            labels[content] = Label(f"{year}-Q{part}", status, (*why, "T1 to T4 read as quarters"))
        else:
            fix = f"write {year}-Q{part} for a quarter, or {year}-{4 * part - 3:02d}-01/P4M for a third of a year"
            expected = "a label that is plainly a quarter or a third of a year"
            labels[content] = Label("", unreadable=Unreadable(shown(content), expected, fix))
    return labels


_SHORT_YEAR = re.compile(r"([^\W\d_]{3,12}\.?) ?['’/-] ?'?(\d{2})")


def _of_short_years(texts: dict[str, tuple[str, str, list[str]]]) -> dict[str, Label]:
    """Read months with two digits of their year, Jan-19, where the digits cannot be days of the months."""
    found = {content: match for content, (text, _, _) in texts.items() if (match := _SHORT_YEAR.fullmatch(text))}
    months = {content: number for content, match in found.items() if (number := month_of(match[1]))}
    numbers = {found[content][2] for content in months}
    if len(numbers) > len(set(months.values())) and not any(number == "00" or number > "31" for number in numbers):
        return {}
    labels = {}
    for content, month in months.items():
        _, status, why = texts[content]
        period = f"{_century(found[content][2])}-{month:02d}"
        labels[content] = Label(period, status, (*why, "two digits of a year"))
    return labels


def _is_day(text: str) -> bool:
    """Whether a text is a day of ISO 8601 and nothing else: series by day have them by the ten thousand."""
    if len(text) != 10 or not _DAY.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _period_text(content: str) -> tuple[str, str, list[str]]:
    """Return a label without marks, the status that a mark gives, and what was mended."""
    text, why = read_text(content)
    why = list(why)
    if (ours := in_our_digits(text)) != text:
        text, why = ours, [*why, "digits of another script"]
    dashed = re.sub(r"[–—−‒]", "-", text)
    if dashed != text:
        why.append("dash read as hyphen")
    beside = without_words(dashed)
    return beside.text, beside.status, [*why, *beside.why]


def _years(span: re.Match) -> int:
    first, last = int(span[1]), int(span[3])
    if len(span[3]) == 2:
        last += first // 100 * 100 + 100 * (first % 100 == 99 and last == 0)  # 1998-02 is a month, 1999-00 a span
    return last - first + 1


def _label(content: Any, text: tuple[str, str, list[str]] | None, spans: list[re.Match], year_start: str) -> Label:
    if isinstance(content, bool) or content is None or isinstance(content, (Formula, NotShown, time)):
        return _no_period(content)
    if isinstance(content, ShownDate):
        return Label(content.period, why=("a date shown as a year or a month",))
    if isinstance(content, (date, datetime)):
        if year := year_as_day(content):
            fix = f"format the cell as a number: it holds {year}, which the program takes for a day"
            return Label("", unreadable=Unreadable(shown(content), "a year or a date", fix))
        return Label(f"{content.year:04d}-{content.month:02d}-{content.day:02d}")
    if isinstance(content, (int, float)):
        whole = content == content and isfinite(content) and content == int(content)
        return Label(str(int(content))) if whole and 1500 <= content < 2200 else _no_period(content)
    bare, status, why = text if text is not None else _period_text(str(content))
    if _YEAR.fullmatch(bare):
        return Label(bare[:4], status, tuple(why), unit=_unit(content))
    named = _NAMED.fullmatch(bare)
    if named:
        return _fiscal(content, named[1].strip(), status, why, year_start)
    span = _SPAN.fullmatch(bare)
    if span and _years(span) > 1:
        return _of_span(content, span, spans, status, why, year_start)
    period, more = _other_form(bare)
    return Label(period, status, (*why, *more)) if period else _no_period(content)


def _unit(content: Any) -> str:
    """Return the unit in brackets behind a year."""
    if not isinstance(content, str) or "(" not in content:
        return ""
    return without_words(in_our_digits(read_text(content)[0])).unit


def year_as_day(content: date | datetime) -> int:
    """Return the year that a cell holds as a number and a spreadsheet shows as a day, as 2019 is 1905-07-11; else 0.

    A day is a count from 1900: the numbers of years are days of 1905.
    """
    if isinstance(content, ShownDate):
        return 0
    day = content.date() if isinstance(content, datetime) else content
    number = (day - date(1899, 12, 30)).days
    return number if 1900 <= number <= 2100 else 0


def _no_period(content: Any) -> Label:
    if isinstance(content, str) and (kind := unobserved(read_text(content)[0])):
        fix = "write the year alone if its figures were observed; else leave them out, and a target to the parameters"
        return Label("", unreadable=Unreadable(f"{shown(content)}: a {kind}", "a year that was observed", fix))
    return Label("", unreadable=Unreadable(shown(content), _EXPECTED, _WRITE))


def _fiscal(content: Any, rest: str, status: str, why: list[str], year_start: str) -> Label:
    if re.fullmatch(r"\d{2}", rest):
        rest = f"20{rest}"
    if _YEAR.fullmatch(rest):
        first = int(rest[:4]) - (year_start != "01-01")
    elif (span := _SPAN.fullmatch(rest)) and _years(span) == 2:
        first = int(span[1])
    else:
        return _no_period(content)
    period = f"{first}-{year_start}/P1Y"
    return Label(period, status, (*why, f"year that begins on {year_start}"))


def _of_span(
    content: Any, span: re.Match, spans: list[re.Match], status: str, why: list[str], year_start: str
) -> Label:
    first, count = int(span[1]), _years(span)
    pairs = [other for other in spans if len(other[3]) == 2]
    as_months = all(1 <= int(other[3]) <= 12 for other in pairs)
    if as_months and count > 2 and len({_years(other) for other in pairs}) == 1 < len({other[1] for other in pairs}):
        fix = f"write {first}-01-01/P{count}Y for {count} pooled years, or {first}-{span[3]}-01/P1M for a month"
        return Label("", unreadable=Unreadable(shown(content), "a label that is plainly of years or of a month", fix))
    if span[2] == "/" and as_months and len({other[1] for other in pairs}) < len({(o[1], o[3]) for o in pairs}):
        return Label(f"{span[1]}-{span[3]}", status, tuple(why))  # 2010/11 and 2010/12: months
    short = span[2] == "-" and len(span[3]) == 2 and 1 <= int(span[3]) <= 12
    if short:  # 2011-12 may be December 2011
        alike = [other for other in spans if other[2] == "-" and len(other[3]) == 2]
        months = [other for other in alike if 1 <= int(other[3]) <= 12]
        if len(months) == len(alike) and any(_years(other) != 2 for other in alike):
            return Label(f"{span[1]}-{span[3]}", status, tuple(why))
        if len(alike) == 1:
            fix = f"write {first}/{span[3]} for the year, or {first}-{span[3]}-01/P1M for the month"
            return Label("", unreadable=Unreadable(shown(content), "a label that is plainly a year or a month", fix))
    begins = {int(other[1]) for other in spans if _years(other) == 2}
    chained = span[2] == "/" or len(span[3]) == 2 or first + 1 in begins or first - 1 in begins
    if count == 2 and chained:
        return Label(f"{first}-{year_start}/P1Y", status, (*why, f"year that begins on {year_start}"))
    if count > 99:
        return _no_period(content)
    return Label(f"{first}-01-01/P{count}Y", status, (*why, f"{count} pooled years"))


_FORMS = (
    (re.compile(r"(\d{4})[- ]?A1?"), lambda m: m[1]),
    (re.compile(r"(\d{4})[- ]?Q([1-4])"), lambda m: f"{m[1]}-Q{m[2]}"),
    (re.compile(r"Q([1-4])[ /-]?(\d{4})"), lambda m: f"{m[2]}-Q{m[1]}"),
    (re.compile(r"Q([1-4])(?: ?['/-]| )(\d{2})"), lambda m: f"{_century(m[2])}-Q{m[1]}"),
    (re.compile(r"[SH]([12])[ /-]?(\d{4})"), lambda m: f"{m[2]}-{'01' if m[1] == '1' else '07'}-01/P6M"),
    (re.compile(r"(0?[1-9]|1[0-2])[./](\d{4})"), lambda m: f"{m[2]}-{int(m[1]):02d}"),
    (re.compile(r"(?P<part>.{2,20}?)[ ,/-]+(?:(?:de|del|do) )?(?P<year>\d{4})"), lambda m: _part_of(m)),
    (re.compile(r"(?P<year>\d{4})[ /,-]+(?P<part>\d?\D.{1,19})"), lambda m: _part_of(m)),
    (re.compile(r"(\d{4})[- ]?M(\d{1,2})"), lambda m: f"{m[1]}-{int(m[2]):02d}"),
    (re.compile(r"(\d{4})/(0[1-9]|1[0-2])"), lambda m: f"{m[1]}-{m[2]}"),
    (re.compile(r"(\d{4})/(\d{2})/(\d{2})"), lambda m: f"{m[1]}-{m[2]}-{m[3]}"),
    (re.compile(r"(\d{4})[- ]?W(\d{1,2})"), lambda m: f"{m[1]}-W{int(m[2]):02d}"),
    (re.compile(r"(\d{4})[- ]?[SH]([12])"), lambda m: f"{m[1]}-{'01' if m[2] == '1' else '07'}-01/P6M"),
    (re.compile(r"(\d{4}-\d{2}-\d{2})[T ]00:00(?::00)?(/P.+)?"), lambda m: m[1] + (m[2] or "")),
    (re.compile(r"(\d{4}) \[YR\1\]"), lambda m: m[1]),
    (re.compile(r"(\d{1,2})[./](\d{1,2})[./](\d{4})"), lambda m: _day(m)),
    (re.compile(r"([^\W\d_]{3,12}\.?)[ /-](?:(?:de|del|do) )?(\d{4})"), lambda m: _month(m[1], m[2])),
    (re.compile(r"(\d{4})[ -]([^\W\d_]{3,12}\.?)"), lambda m: _month(m[2], m[1])),
)  # fmt: skip


def _day(found: re.Match) -> str:
    """Return the day; empty where day and month could change places."""
    a, b = int(found[1]), int(found[2])
    if a > 12 >= b or a == b:
        return f"{found[3]}-{b:02d}-{a:02d}"
    return f"{found[3]}-{a:02d}-{b:02d}" if b > 12 >= a else ""


def _century(two: str) -> str:
    return f"{'19' if two >= '50' else '20'}{two}"


def _part_of(found: re.Match) -> str:
    """Return a quarter or a half-year that is written in words beside its year, or several months; empty for others."""
    part, year = found["part"], found["year"]
    name = next((word for word in PARTS if re.search(rf"\b{word}\b", plain(part))), "")
    adds = (part_of_year(part, name) if name else "") or months_from_to(part)
    return year if adds == "-01-01/P12M" else year + adds if adds else ""


def _month(name: str, year: str) -> str:
    return f"{year}-{number:02d}" if (number := month_of(name)) else ""


def _other_form(text: str) -> tuple[str, tuple[str, ...]]:
    candidates = [(text, ())] if not re.fullmatch(r"\d{4}", text) else []
    for form, make in _FORMS:
        found = form.fullmatch(text)
        if found:
            candidates.append((make(found), ("written in ISO 8601",)))
    for period, why in candidates:
        try:
            parse_period(period)
        except (ValueError, OverflowError):
            continue
        return period, why
    return "", ()
