"""One cell on its way in: what number, mark or label it holds, and what was mended to read it."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, datetime, time
from math import isfinite, nan
from typing import Any

from vlr_analysis.cell_text import original
from vlr_analysis.errors import Problem
from vlr_analysis.sources.digits import (
    COMMA_GROUPS,
    CONTROLS,
    GROUPED,
    INVISIBLE,
    POINT_GROUPS,
    bare_of,
    readings,
    without_currency,
)
from vlr_analysis.sources.digits import decimal_mark as decimal_mark
from vlr_analysis.sources.flags import FLAGS, HIDDEN_FLAGS, advice, flagged

SHOWN = 40  # characters of a cell that a message repeats
LONGEST = 400  # characters of a cell that may still be a number

# What a cell without a number says of why there is none. A dash is no zero: sources that write it for "nil" are
# told so in the log, and the officer writes 0 where a zero is meant.
MISSING = frozenset({
    "", ".", "..", "...", "…", "-", "–", "—", "−", ":", "na", "n/a", "n.a.", "n.a", "n/d", "nd", "n.d.", "n.d", "s/d",
    "s.d.", "k. a.", "k.a.", "null", "nan", "none", "#n/a", "<na>", "[x]", "[u]", "not available", "no data",
    "missing", "sin datos", "sem dados", "sans données", "non disponible", "no disponible", "keine angabe",
})  # fmt: skip
SUPPRESSED = frozenset({"*", "**", "***", "c", "s", "x", "[c]", "(c)", "suppressed", "confidential", "secret"})
NOT_APPLICABLE = frozenset({"[z]", "z", "not applicable", "no aplica", "sans objet", "não se aplica"})
ERRORS = frozenset({"#div/0!", "#ref!", "#value!", "#name?", "#num!", "#null!", "#spill!", "#calc!"})

SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ"


@dataclass(frozen=True)
class Repair:
    """One thing that was mended on the way in.

    Attributes
    ----------
    where : str
        File and cell, or file, row and column.
    found, taken : str
        What stands there; what it was read as.
    why : str
        What was mended, in words.
    """

    where: str
    found: str
    taken: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found} read as {self.taken} ({self.why})"


@dataclass(frozen=True)
class Unreadable:
    """Why a cell cannot be read: what stands there, what was expected, what to do."""

    found: str
    expected: str
    fix: str

    def at(self, where: str) -> Problem:
        """Return the message for a cell at `where`."""
        return Problem(where, self.found, self.expected, self.fix)


@dataclass(frozen=True)
class Number:
    """What one cell says of a figure.

    Attributes
    ----------
    value : float
        NaN exactly where the status is missing, suppressed or not_applicable, or the cell is unreadable.
    status : str
        One of `observations.STATUSES`.
    why : tuple of str
        What was mended, in words; empty for a plain number and for an empty cell.
    unreadable : Unreadable or None
    percent : bool
        A percent sign stood with the number.
    """

    value: float
    status: str
    why: tuple[str, ...] = ()
    unreadable: Unreadable | None = None
    percent: bool = False


@dataclass(frozen=True)
class Formula:
    """A formula whose result the file does not hold; nothing here ever works one out."""

    text: str


@dataclass(frozen=True)
class NotShown:
    """A number that the program does not show, or shows as another one: nothing of it is taken.

    Attributes
    ----------
    unreadable : Unreadable or None
        Why it cannot be read; None for a number that is hidden, which is a suppressed value.
    """

    unreadable: Unreadable | None = None

    def __str__(self) -> str:
        return self.unreadable.found if self.unreadable else "a number that is not shown"


# --- text ----------------------------------------------------------------------------------------------


def shown(content: Any) -> str:
    """Return a cell as a message repeats it: quoted, without control characters, at most `SHOWN` characters."""
    if content is None or content == "":
        return "nothing"
    if isinstance(content, Formula):
        return "a formula without a result"
    if isinstance(content, NotShown):
        return str(content)
    if isinstance(content, datetime):
        return f"the date {content.date().isoformat()}" if content.time() == time() else f"the time {content}"
    if isinstance(content, bool):
        return str(content).upper()  # as a spreadsheet program writes it
    if not isinstance(content, str):
        return repr(content)
    return repr(content if len(content) <= SHOWN else content[: SHOWN - 1] + "…")


def read_text(content: Any) -> tuple[str, tuple[str, ...]]:
    """Return the words of a cell, and what was mended.

    Composed letters (Unicode NFC), single spaces; invisible marks and marks that turn the direction of reading are
    taken out, since two labels that look alike must be alike.
    """
    if content is None or isinstance(content, (Formula, NotShown)):
        return "", ()
    if isinstance(content, float) and content.is_integer() and abs(content) < 1e15:
        content = int(content)
    if isinstance(content, datetime) and content.time() == time():
        content = content.date()
    raw = str(content)
    if raw.isascii() and raw.isprintable() and "  " not in raw:
        return raw.strip(), ()
    text = unicodedata.normalize("NFC", raw).translate(CONTROLS)
    visible = text.translate(INVISIBLE)
    why = ("invisible marks taken out",) if visible != text else ()
    return " ".join(visible.split()), why


def read_label(content: Any) -> tuple[str, tuple[str, ...]]:
    """Return a name (of a series, a group, a unit) as `read_text` does, without what a spreadsheet would run.

    A text that begins with =, @, + or - is a formula to a spreadsheet program that opens our CSV files. The sign is
    taken out, but where a number follows it, as in "-5 to 0 degrees".
    """
    text, why = read_text(content)
    text = original(text)
    if text[:1] in "=@+-" and text and not re.fullmatch(r"[+-] ?\d[^|!=&*^\"']*", text):
        return text.lstrip("=@+- "), (*why, "sign that starts a formula taken out")
    return text, why


def is_blank(content: Any) -> bool:
    """Whether a cell holds nothing that can be seen."""
    return content is None or (isinstance(content, str) and not read_text(content)[0])


# --- numbers -------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"-?\d+(\.\d+)?|-?\.\d+")
_SCIENCE = re.compile(r"-?(\d+\.?\d*|\.\d+)[eE][+-]?\d{1,3}")
_BOUND = re.compile(r"[<>≤≥]=?-?\d[\d.,]*%?")
_TAIL = re.compile(
    r"(.*?\d%?)\s*(?:[\(\[]\s*([A-Za-z]{1,4})\.?\s*[\)\]]|(\[\d{1,2}\]|[*†‡#" + SUPERSCRIPT + r"]+)|\s?([a-z]{1,4}))"
)
_FRACTIONS = "write digits with a decimal point or comma, or leave the cell empty"


def _advice(text: str) -> str:
    """Return what to do with a text that is no number."""
    if re.fullmatch(r"\([\d.,\s]+\)", text):
        return f"write -{text[1:-1]} for a negative number, or {text[1:-1]} without brackets"
    if re.fullmatch(r"-?[\d.,\s]+‰", text):
        return f"write {text.rstrip(' ‰')} alone, and ‰ as the unit"
    return _FRACTIONS


def read_number(content: Any, *, decimal: str = ".", percent_format: bool = False, flags: bool = False) -> Number:
    """Read one cell that should hold a figure.

    Parameters
    ----------
    content : object
        Text, number, date or None, as a file gives it.
    decimal : str
        ``.`` or ``,``: the mark before the decimals in this sheet (see `decimal_mark`); empty where it is unclear.
        It decides only where a text can be read in two ways, such as 1,234.
    percent_format : bool
        The spreadsheet shows the number as a percentage: 0.123 stands for 12.3.
    flags : bool
        Every letter after a number is a flag, as Eurostat writes them; else only those that `flags.flagged` knows
        in brackets, and a few without.

    Returns
    -------
    Number
        A mark or an empty cell has a status and no value; it is never zero. A number beside a mark of
        confidentiality, such as 2 (c), is suppressed; one beside a letter that may be a size or a secret is refused.
    """
    if content is None:
        return _EMPTY
    if isinstance(content, bool):
        return _refuse(content, "a number", "write the number; true and false are none")
    if isinstance(content, (int, float)):
        return _of_number(content, percent_format)
    if isinstance(content, (date, datetime, time)):
        return _refuse(content, "a number", "format the cell as text and type the number again: a program made a date")
    if isinstance(content, Formula):
        return _refuse(content, "the figure itself", "open and save the file in a spreadsheet program, or paste values")
    if isinstance(content, NotShown):
        if content.unreadable:
            return Number(nan, "missing", (), content.unreadable)
        return Number(nan, "suppressed", ("the program does not show it: hidden by its format",))
    if len(content) > LONGEST:
        return _refuse(content, "a number", "write the number alone, and the text in a column of notes")
    text, why = bare_of(content)
    if _PLAIN.fullmatch(text) and len(text) < 30 and not (decimal != "." and POINT_GROUPS.fullmatch(text)):
        return Number(float(text), "value", tuple(why))
    return _of_mark(text) or _of_text(content, text, why, decimal, flags)


_EMPTY = Number(nan, "missing")


def _refuse(content: Any, expected: str, fix: str) -> Number:
    return Number(nan, "missing", (), Unreadable(shown(content), expected, fix))


def _of_number(content: float, percent_format: bool) -> Number:
    try:
        value = float(content)
    except OverflowError:
        value = float("inf")
    if value != value:
        return _EMPTY
    if not isfinite(value):
        return _refuse(str(content)[:SHOWN], "a finite number", "correct the cell")
    if percent_format:
        return Number(round(value * 100, 10), "value", ("shown as a percentage, multiplied by 100",), percent=True)
    return Number(value, "value")


def _of_mark(text: str) -> Number | None:
    plain = " ".join(text.split()).casefold()
    if plain == "":
        return _EMPTY
    if plain in MISSING:
        nil = "; write 0 if the source means zero" if plain in ("-", "–", "—", "−") else ""
        return Number(nan, "missing", (f"mark for a missing value{nil}",))
    if plain in SUPPRESSED:
        return Number(nan, "suppressed", ("mark for a suppressed value",))
    if plain in NOT_APPLICABLE:
        return Number(nan, "not_applicable", ("mark for a value that cannot exist",))
    if _BOUND.fullmatch(plain.replace(" ", "")):
        return Number(nan, "suppressed", ("a bound is no number",))
    if plain in ERRORS:
        return _refuse(text, "a figure", "mend the formula, or empty the cell")
    if plain[0] == ":" and all(letter in FLAGS | HIDDEN_FLAGS for letter in plain[1:].strip()):
        hidden = [HIDDEN_FLAGS[letter] for letter in plain[1:].strip() if letter in HIDDEN_FLAGS]
        return Number(nan, hidden[0] if hidden else "missing", ("mark for a missing value, with a flag",))
    return None


def _of_text(content: str, text: str, why: list[str], decimal: str, flags: bool) -> Number:
    if text.startswith(("=", "+=", "@")):
        return _refuse(content, "a number", "write the result itself; formulas are not worked out")
    text, sign = without_currency(text)
    if sign:
        why = [*why, f"sign of a currency taken out: {sign}"]
    status, percent = "value", False
    tail = _TAIL.fullmatch(text) if len(text) < 60 and not _SCIENCE.fullmatch(text) else None
    if tail:
        mark = tail[2] or tail[3] or tail[4]
        status = flagged(mark, in_brackets=tail[2] is not None, every=flags)
        if status == "suppressed":
            return Number(nan, status, (*why, f"mark {mark} beside a number: confidential, the number is not taken"))
        if status == "not_applicable":
            return _refuse(content, "a number", "empty the number, or take off the mark")
        if not status:
            return _refuse(content, *advice(mark))
        text, why = tail[1].strip(), [*why, f"mark {mark} beside the number" + (f": {status}" * (status != "value"))]
    if text.endswith("%") or text.startswith("%"):
        text, percent, why = text.strip("%").strip(), True, [*why, "percent sign taken out"]
    if re.fullmatch(r"-\s+[\d.,].*", text):
        text = "-" + text[1:].strip()
    if text.startswith("+") and text[1:2].isdigit():
        text = text[1:]
    if GROUPED.fullmatch(text):
        why = [*why, "thousands mark taken out"] + ["decimal comma"] * ("," in text)
        text = re.sub(r"[ '’]", "", text).replace(",", ".")
        return Number(float(text), status, tuple(why), percent=percent)
    if _SCIENCE.fullmatch(text) or re.fullmatch(r"-?\d{1,400}", text):
        value = float(text)
        if not isfinite(value):
            return _refuse(content, "a finite number", "correct the cell")
        return Number(value, status, tuple(why), percent=percent)
    comma, point = readings(text) if len(text) < 400 else (None, None)
    if comma is None and point is None:
        return _refuse(content, "a number", _advice(text))
    if comma is not None and point is not None and comma != point and not decimal:
        either = f"{point:g} or {comma:g}: the sheet does not say which"
        fix = "write it without a mark at the thousands; in an import, --decimal , or --decimal . says which mark it is"
        return Number(nan, "missing", (), Unreadable(shown(content), "one number, not " + either, fix))
    by_comma = point is None or (comma is not None and decimal == ",")
    if not isfinite(comma if by_comma else point):
        return _refuse(content, "a finite number", "correct the cell")
    groups = POINT_GROUPS if by_comma else COMMA_GROUPS
    why = [*why] + ["thousands mark taken out"] * bool(groups.fullmatch(text))
    why += ["decimal comma"] * (by_comma and "," in text)
    return Number(comma if by_comma else point, status, tuple(why), percent=percent)
