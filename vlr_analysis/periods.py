"""Periods in ISO 8601, and their place in time."""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from math import floor

from vlr_analysis.language import told


@dataclass(frozen=True)
class Period:
    """A stretch of time: first day, the day after the last, and its ISO 8601 duration."""

    start: date
    end: date
    duration: str

    @property
    def midpoint(self) -> float:
        """Position in time, in decimal years."""
        return (decimal_year(self.start) + decimal_year(self.end)) / 2


def decimal_year(day: date) -> float:
    """Return `day` as decimal years in which every month is a twelfth, so that months and years are evenly spaced."""
    return day.year + (day.month - 1) / 12 + (day.day - 1) / (12 * monthrange(day.year, day.month)[1])


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


_FORMS = (
    ("year", re.compile(r"(\d{4})")),
    ("quarter", re.compile(r"(\d{4})-Q([1-4])")),
    ("month", re.compile(r"(\d{4})-(\d{2})")),
    ("week", re.compile(r"(\d{4})-W(\d{2})")),
    ("day", re.compile(r"(\d{4}-\d{2}-\d{2})")),
    ("interval", re.compile(r"(\d{4}-\d{2}-\d{2})/P([1-9]\d?)([YMWD])")),
)


@lru_cache(maxsize=65536)
def parse_period(text: str) -> Period:
    """Read an ISO 8601 period.

    Parameters
    ----------
    text : str
        ``2019``, ``2019-Q3``, ``2019-07``, ``2019-W31``, ``2019-07-03``, or a start and a
        duration: ``2019-04-01/P1Y`` (a fiscal year), ``2016-01-01/P3Y`` (pooled years).

    Returns
    -------
    Period

    Raises
    ------
    ValueError
        `text` has none of these forms, or names a day, week or month that does not exist.
    """
    for form, pattern in _FORMS:
        found = pattern.fullmatch(text)
        if not found:
            continue
        a, *rest = found.groups()
        if form == "year":
            return Period(date(int(a), 1, 1), date(int(a) + 1, 1, 1), "P1Y")
        if form == "quarter":
            start = date(int(a), 3 * int(rest[0]) - 2, 1)
            return Period(start, _add_months(start, 3), "P3M")
        if form == "month":
            start = date(int(a), int(rest[0]), 1)
            return Period(start, _add_months(start, 1), "P1M")
        if form == "week":
            start = date.fromisocalendar(int(a), int(rest[0]), 1)
            return Period(start, start + timedelta(weeks=1), "P1W")
        start = date.fromisoformat(a)
        if form == "day":
            return Period(start, start + timedelta(days=1), "P1D")
        count, unit = int(rest[0]), rest[1]
        if unit in "YM":
            end = _add_months(start, count * (12 if unit == "Y" else 1))
        else:
            end = start + timedelta(days=count * (7 if unit == "W" else 1))
        return Period(start, end, f"P{count}{unit}")
    raise ValueError(f"{text!r} is not an ISO 8601 period")


def year_of(text: str) -> int:
    """Return the calendar year in which the midpoint of a period lies."""
    return floor(parse_period(text).midpoint)


def spoken(text: str) -> str:
    """Return a period as readers say it, in the language in use; see `plain`."""
    first, last = _ends(text)
    return told("{first} to {last}", first=spoken(first), last=spoken(last)) if last else plain(text)


def plain(text: str) -> str:
    """Return a period as results keep it: ``2019/20`` for a fiscal year, ``2016-2018`` for pooled years.

    Anything else, also what is no period, stays as it is written; two periods joined by ``/`` become ``to``.
    """
    first, last = _ends(text)
    if last:
        return f"{plain(first)} to {plain(last)}"
    try:
        period = parse_period(text)
    except ValueError:
        return text
    if not text.partition("/")[2]:
        return text
    final = period.end - timedelta(days=1)
    if period.duration == "P1Y":
        return f"{period.start.year}/{final.year % 100:02d}" if final.year != period.start.year else str(final.year)
    return f"{period.start.year}-{final.year}" if period.duration.endswith("Y") else text


def _ends(text: str) -> tuple[str, str]:
    """Split two periods joined by ``/``; a single period, and what is none, has no second one."""
    try:
        parse_period(text)
    except ValueError:
        first, _, last = text.partition("/")
        return (first, last) if last and last[0].isdigit() else (text, "")
    return text, ""
