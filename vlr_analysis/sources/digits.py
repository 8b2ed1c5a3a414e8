"""Digits of a cell: without what only looks like part of a number, and which mark stands before their decimals."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

INVISIBLE = dict.fromkeys(
    [0x200B, 0x200E, 0x200F, 0xFEFF, 0x00AD, 0x061C, *range(0x202A, 0x202F), *range(0x2060, 0x206A)]
)
CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)), " ")
_SPACES = "\u00a0\u2009\u202f\u2007"  # no-break, thin, narrow no-break, figure space
_MINUS = str.maketrans("–—−‒﹣－", "------")
GROUPED = re.compile(r"-?\d{1,3}([ '’])\d{3}(\1\d{3})*([.,]\d+)?")
_POINTED = re.compile(r"-?\d*\.\d+|-?\d+\.")
_COMMAED = re.compile(r"-?\d*,\d+")
COMMA_GROUPS = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
POINT_GROUPS = re.compile(r"-?[1-9]\d{0,2}(\.\d{3})+(,\d+)?")


def decimal_mark(contents: Iterable[Any], default: str = "", *, form: str = "") -> str:
    """Say which mark stands before the decimals of a sheet or column.

    Parameters
    ----------
    contents : iterable
        Cells; only texts are looked at.
    default : str
        What to say where the cells leave it open.
    form : str
        The mark that the form of the file prescribes: said where the cells leave it open and none of them has the
        other mark. In a file of the kit with commas between its cells, 1.234 has three decimals, and "1,234" is
        refused.

    Returns
    -------
    str
        ``.`` or ``,``; empty where the cells contradict each other: 1,234 is then refused, not guessed.
    """
    seen, marks = set(), set()
    for content in contents:
        if isinstance(content, str) and ("," in content or "." in content) and len(content) < 40:
            text = without_currency(bare_of(content)[0])[0]
            seen |= (found := _evidence(text))
            if not found and None not in readings(text.rstrip("%").strip()):
                marks |= {"," if "," in text else "."}
        if len(seen) == 2:
            return ""
    if seen:
        return seen.pop()
    return form if form and marks <= {form} else default


def _evidence(text: str) -> set[str]:
    """Which decimal mark a text shows beyond doubt."""
    text = text.rstrip("%").strip()
    if GROUPED.fullmatch(text):
        return {mark for mark in ".," if mark in text}
    comma, point = readings(text)
    if (comma is None) == (point is None):
        return set()
    return {","} if point is None else {"."}


def readings(text: str) -> tuple[float | None, float | None]:
    """Return the number with a comma before its decimals, and with a point; None where the text cannot be that."""
    comma = point = None
    if _COMMAED.fullmatch(text):
        comma = text.replace(",", ".")
    elif POINT_GROUPS.fullmatch(text):
        comma = text.replace(".", "").replace(",", ".")
    if _POINTED.fullmatch(text):
        point = text
    elif COMMA_GROUPS.fullmatch(text):
        point = text.replace(",", "")
    return (None if comma is None else float(comma)), (None if point is None else float(point))


def in_our_digits(text: str) -> str:
    """Return a text with the digits of other scripts as 0 to 9."""
    if text.isascii():
        return text
    return "".join(str(unicodedata.decimal(sign)) if unicodedata.category(sign) == "Nd" else sign for sign in text)


def bare_of(text: str) -> tuple[str, list[str]]:
    """Return a text without what only looks like part of a number, and what was mended."""
    if text.isascii():
        return text.strip(), []
    why = []
    cleaned = text.translate(CONTROLS).translate(INVISIBLE)
    if (ours := in_our_digits(cleaned)) != cleaned:
        cleaned = ours.translate(str.maketrans("٫٬", ".,"))
        why.append("digits of another script")
    cleaned = cleaned.replace("٪", "%")
    for space in _SPACES:
        cleaned = cleaned.replace(space, " ")
    if re.match(r"\s*[–—−‒﹣－]\s*[\d.,]", cleaned):
        cleaned = cleaned.translate(_MINUS)
        why.append("dash read as minus")
    return cleaned.strip(), why


_SIGNS = "$€£¥₹₽₺₩₪₴₦₫₱"
_MONEY = re.compile(
    rf"(?P<minus>-?) ?(?:US|R|C|A|NZ|HK|S)?(?P<sign>[{_SIGNS}]) ?(?P<number>-?[\d.,].*)"
    rf"|(?P<first>-?[\d.,].*?[\d.,]?) ?(?P<last>[{_SIGNS}])"
)


def without_currency(text: str) -> tuple[str, str]:
    """Return a text without the sign of a currency before or behind its number, and the sign; empty for none."""
    found = _MONEY.fullmatch(text)
    if found is None:
        return text, ""
    return (f"{found['minus']}{found['number']}", found["sign"]) if found["sign"] else (found["first"], found["last"])
