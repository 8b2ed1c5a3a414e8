"""Parts of a year as offices write them: names of months, quarters, half-years."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MONTH_NAMES = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
                "november", "december")  # fmt: skip
# Languages of which the names of months are read, as the CLDR writes them.
_LANGUAGES = ("ar", "de", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sw", "tr", "uk", "zh")


def month_of(text: str) -> int:
    """Return the month that a name or its short form stands for, in English or a language that is read; 0 for none.

    A short form that means different months in two languages stands for none.
    """
    name = plain(text)
    for number, english in enumerate(_MONTH_NAMES, 1):
        if len(name) >= 3 and english.startswith(name):
            return number
    return _months().get(name, 0) if len(name) >= 2 else 0


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    from babel.dates import get_month_names  # slow to import, and needed for few files

    found: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    found.setdefault(plain(name), set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1 and not name.isdecimal()}


def plain(name: str) -> str:
    """Return a name without capitals, marks of letters and points."""
    apart = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).strip(" .")


def months_from_to(text: str) -> str:
    """Return what the first and the last of several months add to a year: ``-01-01/P6M`` for Jan-Jun."""
    ends = re.fullmatch(r"([^\W\d_]{3,12}\.?)\s*(?:[-/–—]| to | a | bis | à | au )\s*([^\W\d_]{3,12}\.?)", text)
    first, last = (month_of(ends[1]), month_of(ends[2])) if ends else (0, 0)
    return f"-{first:02d}-01/P{last - first + 1}M" if 0 < first < last else ""


PARTS = {"quarter": 4, "quarters": 4, "qtr": 4, "trimestre": 4, "trim": 4, "quartal": 4, "half": 2, "half-year": 2,
          "semestre": 2, "halbjahr": 2}  # fmt: skip
_PART = re.compile(
    r"(?:(?:[QTSH]|quarter|trimestre|trim|quartal|half|semestre|halbjahr)\.? ?)?"
    r"([1-4]|I{1,3}|IV)\.?(?:st|nd|rd|th|er|re|e|ème|eme|º|°|ª)?"
    r"(?: ?(?:quarter|qtr|trimestre|trim\.?|quartal|half|semestre|halbjahr))?",
    re.I,
)
WHOLE_YEARS = frozenset({"year", "annual", "ano", "anual", "annee", "annuel", "jahr", "total"})


def is_part_of_year(name: str) -> bool:
    """Whether a column of this name (as `slug` writes it) holds quarters or half-years."""
    return name in PARTS


def part_of_year(text: str, name: str) -> str:
    """Return what a month, quarter or half-year adds to the year beside it; empty for a text that is none of them.

    Parameters
    ----------
    text : str
        ``March``, ``Q1``; in a column of quarters or half-years also ``T1``, ``1``, ``IV``, ``1er trimestre``.
    name : str
        Name of the column, as `slug` writes it.

    Returns
    -------
    str
        ``-03``, ``-Q1``, ``-07-01/P6M``.
    """
    if month := month_of(text):
        return f"-{month:02d}"
    if months := months_from_to(text):
        return months
    plainly = 4 if re.fullmatch(r"[Qq][1-4]", text) else 2 if re.fullmatch(r"[Hh][12]", text) else 0
    count = PARTS.get(name, plainly)
    found = _PART.fullmatch(text)
    number = {"I": 1, "II": 2, "III": 3, "IV": 4}.get(found[1].upper()) or int(found[1]) if found else 0
    if not 0 < number <= count:
        return ""
    return f"-Q{number}" if count == 4 else f"-{6 * number - 5:02d}-01/P6M"
