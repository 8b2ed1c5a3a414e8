"""What a spreadsheet program shows of a cell: formats that hide, scale or write beside numbers, and raised letters."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vlr_analysis.sources.cells import NotShown, Unreadable
from vlr_analysis.sources.flags import FLAGS, HIDDEN_FLAGS
from vlr_analysis.sources.heading_words import kind_of

_LITERAL = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')
_TOKEN = re.compile(
    r'"(?P<quoted>[^"]*)"|\\(?P<escaped>.)|(?P<space>_.)|\*.|\[(?P<square>[^\]]*)\]'
    r"|(?P<digits>General|Standard|E[+-]|[0#?@.,]+)|(?P<other>.)", re.I | re.S
)  # fmt: skip
_SECTIONS = re.compile(r'(?:"[^"]*"|\\.|\[[^\]]*\]|[^;"\\\[]|["\\\[])*', re.S)
_CONDITION = re.compile(r"(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)")
_COMPARE: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "=": operator.eq, "<>": operator.ne,
}  # fmt: skip
# Powers of a thousand that a format writes beside numbers.
_SIZES = {word: power for power, words in enumerate((
    "k th ths thou thousand thousands tsd tausend mil miles millier milliers milhar milhares",
    "m mn mio mill million millions millones millionen milhoes milhões",
    "md mrd bn bio billion billions milliard milliards milliarden",
), 1) for word in words.split()}  # fmt: skip
_RATE = re.compile(r"\b(per|por|par|pour|pro|je)\b|/", re.I)
_MARKS = frozenset(("p", "e", "r", "prov", "prel", "est", "rev", "c", "f"))
_BEFORE_YEARS = re.compile(r"\W*(fy|f\.y\.|cy|fiscal year|financial year|census|year|mid)\W*", re.I)
# What a sheet says where figures may stand in thousands already.
SCALED = re.compile(
    r"(?<!\w)(thousands?|millions?|billions?|tausend|tsd|milliers?|milhar(?:es)?|miles(?=\s+de\b)|\(?en miles\)?"
    r"|millones|milh[õo]es|millionen|mio|milliarden|mrd|['’]?0?00s|(?:in|en|em|x|×)\s*1[.,' ]?000)(?!\w)"
    r"|\((?:miles|mil|k)\)", re.I
)  # fmt: skip


@dataclass(frozen=True)
class _Section:
    """One part of a format: for which numbers it is, what it writes around them, and its places of digits."""

    code: str
    condition: tuple[str, float] | None
    before: str
    after: str
    digits: str


@dataclass(frozen=True)
class Form:
    """A format of numbers, as `form_of` names it, with its sections; none where it shows numbers as they are."""

    name: str
    sections: tuple[_Section, ...] = ()


def form_of(text: str) -> str:
    """Return what a format of numbers shows: ``percent``, ``percent sign``, ``year``, ``month``, or nothing of these.

    The program multiplies by 100 for a bare %; one in quotes or behind a backslash is only written after the number.
    """
    bare = _LITERAL.sub("", text.split(";")[0]).casefold()
    if "%" in bare:
        return "percent"
    if re.search(r'"[^"]*%[^"]*"|\\%', text):
        return "percent sign"
    letters = set(re.findall("[ymdhs]", bare)) if "general" not in bare and "0" not in bare else set()
    return {frozenset("y"): "year", frozenset("ym"): "month"}.get(frozenset(letters), "")


_form_of = lru_cache(maxsize=1024)(form_of)


@lru_cache(maxsize=1024)
def parsed(text: str) -> Form:
    """Return the form of a format of numbers."""
    codes = list(_split(text))[:3]
    sections = tuple(_section(code) for code in codes)
    plain = not any(section.condition or _tells(section) for section in sections[:2]) and (
        len(sections) < 3 or not _tells(sections[2]) or _is_white(sections[2])
    )
    return Form(form_of(text), () if plain or text.casefold() in ("", "general") else sections)


def _is_white(section: _Section) -> bool:
    """Whether a section shows a dash or nothing, as programs show zeros."""
    return not section.digits and not re.search(r"[^\W_]|\*", section.before + section.after)


def _split(text: str) -> Iterator[str]:
    at = 0
    while at <= len(text):
        found = _SECTIONS.match(text, at)
        yield found[0]
        at = found.end() + 1


def _tells(section: _Section) -> bool:
    words = section.before + section.after
    return not section.digits or bool(_commas(section)) or bool(re.search(r"[^\W\d_]|[<>≤≥]", words))


def _commas(section: _Section) -> int:
    """Return by how many thousands the program divides what it shows: commas behind the last place before decimals."""
    found = re.search(r"[0#?](,+)(?=\.|$)", section.digits)
    return len(found[1]) if found else 0


def _section(code: str) -> _Section:
    condition, parts, digits = None, ["", ""], ""
    for token in _TOKEN.finditer(code):
        square = token["square"]
        if token["digits"]:
            digits += token["digits"] if token["digits"][0] in "0#?@.," else "0" * (token["digits"][0] not in "Ee")
        elif square is not None:
            if found := _CONDITION.fullmatch(square.strip()):
                condition = found[1], float(found[2])
            elif square.startswith("$"):
                parts[bool(digits)] += square[1:].split("-")[0]
        else:
            written = token["quoted"] or token["escaped"] or token["other"] or " " * bool(token["space"])
            parts[bool(digits)] += written
    if not re.search(r"[0#?@]", digits):
        parts, digits = ["".join(parts) + digits, ""], ""
    return _Section(code, condition, *parts, digits)


def _of(value: float, sections: tuple[_Section, ...]) -> _Section | None:
    """Return the section by which a number is shown; None where the format has none for it."""
    if not any(section.condition for section in sections):
        if len(sections) == 1:
            return sections[0]
        return sections[1 if value < 0 else 2 if value == 0 and len(sections) == 3 else 0]
    for place, section in enumerate(sections):
        if section.condition:
            if _COMPARE[section.condition[0]](value, section.condition[1]):
                return section
        elif place == len(sections) - 1 or value < 0:
            return section
    return None


def as_shown(value: float, form: Form) -> tuple[Any, str, int]:
    """Return the content that a number stands for as the program shows it.

    Parameters
    ----------
    value : float
        As the file holds it.
    form : Form
        The format of its cell.

    Returns
    -------
    content : float, str or NotShown
        The number, where the program shows it, however rounded; the text that it shows in its place, such as ``*``, or
        with a mark or a word of time beside it, ``7.9 p`` or ``2030 (target)``; `NotShown` where it shows nothing, or
        writes a size that the number does not have.
    name : str
        As `form_of`.
    times : int
        By how many thousands what is shown is divided.
    """
    if not form.sections or isinstance(value, bool) or value != value:
        return value, form.name, 0
    section = _of(value, form.sections)
    if section is None:
        return NotShown(), "", 0
    name = _form_of(section.code)
    if not section.digits:
        text = " ".join(f"{section.before} {section.after}".split())
        if value == 0 and _is_white(section):
            return value, name, 0
        return (text or NotShown()), "", 0
    commas, size, more, before_years = _said(section)
    if size and size != commas:
        said = f"{value:.10g} shown as {_written(value / 1000**commas, section)}"
        fix = "write the number in full, and show it without letters (format 0)"
        return NotShown(Unreadable(said, "the number that is shown", fix)), "", 0
    if more or (before_years and value in range(1900, 2101)):
        return _written(round(value * 100, 10) if name == "percent" else value, section), "", 0
    return value, name, commas


@lru_cache(maxsize=1024)
def _said(section: _Section) -> tuple[int, int, bool, bool]:
    """Return by how many thousands a section divides, how many it writes, whether it says more, whether of years."""
    words = re.findall(r"[^\W\d_]+", f"{section.before} {section.after}")
    size = next((_SIZES[word.casefold()] for word in words if word.casefold() in _SIZES), 0)
    size = 0 if _RATE.search(section.after) else size
    return _commas(section), size, _says_more(section), bool(_BEFORE_YEARS.fullmatch(section.before.strip()))


def _written(value: float, section: _Section) -> str:
    number = f"{value:.12g}"
    return " ".join(f"{section.before}{number}{section.after}".split())


def _says_more(section: _Section) -> bool:
    """Whether what is written beside a number says what it is: a bound, a mark of its status, a word of time."""
    before, after = section.before.strip(), section.after.replace("%", "").strip()
    if re.search(r"[<>≤≥]", before) or kind_of(after) or kind_of(before):
        return True
    mark = after.strip("()[]. ").casefold()
    in_brackets = after[:1] in ("(", "[") and 0 < len(mark) <= 4 and mark.isalpha()
    return in_brackets or mark in _MARKS or (mark in FLAGS | HIDDEN_FLAGS and len(mark) > 1)


def shows_thousands(value: float, times: int) -> NotShown:
    """Return the content of a number that is shown divided, in a sheet that speaks of thousands: both may be meant."""
    said = f"{value:.10g} shown as {value / 1000**times:.6g} in a sheet that speaks of thousands"
    fix = "show the number in full (format 0) and take the word out, or write it in thousands"
    return NotShown(Unreadable(said, "a number that is in thousands once", fix))


# --- raised letters ------------------------------------------------------------------------------------

_RAISED = str.maketrans("0123456789abcdefghijklmnoprstuvwxyz", "⁰¹²³⁴⁵⁶⁷⁸⁹ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻ")


def flattened(content: Any) -> Any:
    """Return the text of a cell of several runs, in which what is raised stays apart from what stands before it.

    Digits and letters of footnotes become those of Unicode, m² and 7.9¹; letters behind a number stand in brackets,
    2020 (p); raised letters inside a word are written plainly, 1er. What is lowered is a mark behind a number, and
    plain elsewhere, CO2. What is struck out is left out of words; a number with it is `NotShown`.
    """
    if not isinstance(content, list):
        return content
    text = whole = ""
    for run in content:
        letters = (run if isinstance(run, str) else run.text) or ""
        font = None if isinstance(run, str) else run.font
        whole += letters
        if font is not None and font.strike:
            continue
        set_off = font is not None and (
            font.vertAlign == "superscript" or (font.vertAlign == "subscript" and _NUMBER.fullmatch(text))
        )
        text += _mark(letters, text.strip()) if set_off and text.strip() else letters
    struck = any(not isinstance(run, str) and run.font is not None and run.font.strike for run in content)
    if struck and _NUMBER.fullmatch(whole):
        found = f"{whole!r}, partly struck out"
        return NotShown(Unreadable(found, "one number", "delete what is struck out, or type the number again"))
    return text.replace("x005F_", "")


_NUMBER = re.compile(r"[-–−\d\s.,'%/]+")


def _mark(run: str, before: str) -> str:
    bare = re.sub(r"[\s,;()\[\].]", "", run)
    if re.fullmatch(r"\d{1,6}", bare, re.A):
        return bare.translate(_RAISED)
    if not re.fullmatch(r"[a-z]{1,4}", bare, re.I | re.A):
        return run
    if _NUMBER.fullmatch(before):
        return bare.translate(_RAISED) if bare in "abd" else f" ({bare})"
    if len(bare) == 1 and re.search(r"[^\W\d_]{3}\W*$", before):
        return bare.casefold().translate(_RAISED)
    return run
