"""What offices write beside a year: letters and words of its status, of what it is of, of what was not observed."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import SUPERSCRIPT
from vlr_analysis.sources.digits import in_our_digits
from vlr_analysis.sources.flags import FLAGS, size_or_secret
from vlr_analysis.sources.heading_words import UNOBSERVED, kind_of

_BASE = re.compile(
    r"(?:(?:FY|F\.Y\.|fiscal year|financial year)\s*'?)?(?:1[5-9]\d\d|2[01]\d\d)(?:\.0+)?"
    r"(?:\s*(?:[-/]|to|a)\s*(?:\d{4}|\d{2})|[- ]?[QM]\d{1,2})?", re.I
)  # fmt: skip
_OF_A_YEAR = re.compile(r"[^\d()\[\]]{2,20}\d{4}|[QTSH][1-4][ /-]?\d{4}")
_BEHIND = re.compile(
    r"(?P<base>.*\d)(?:\s*[(\[]\s*(?P<inside>[^()\[\]]{1,24}?)\s*[)\]]|\s*(?P<sign>[*†‡#" + SUPERSCRIPT + r"]+)"
    r"|\s?(?P<glued>(?<=\d)[PERF]|[a-z]{1,4})|[\s:,-]+(?P<words>[^\W\d_][^\d()\[\]]{0,24}))"
)  # fmt: skip
_IN_BRACKETS = re.compile(r"(?P<words>[^\W\d_][^\d()\[\]]{0,24}?)\s*[(\[]\s*(?P<base>[^()\[\]]*\d)\s*[)\]]")
_BEFORE = re.compile(
    r"(?P<words>[^\W\d_][^\d()\[\]]{0,24}?)(?:\.?[\s:-]+(?:of\s+|de\s+)?|(?<=[^\W\d_]{2})(?=\d))(?P<base>\d.*)"
)
_SHORT = {"prelim": "provisional", "vorl": "provisional", "pr": "provisional", "gesch": "estimated",
          "estim": "estimated"}  # fmt: skip
_SETTLED = "final finals definitive definitivo definitif endgultig revised revisado revise revidiert act real obs ist"
_SHORT |= dict.fromkeys(_SETTLED.split(), "value")
_FORECASTS = "f fc fcst proj projn projet projec proy tgt targ prog prev obj bud plan pln meta soll"
_AHEAD = frozenset(_FORECASTS.split())
# Words before a year that say of what kind the figures are, and nothing else.
_OF_TIME = frozenset((
    "year", "ano", "anos", "annee", "jahr", "yr", "cy", "value", "values", "valor", "valores", "valeur", "valeurs",
    "wert", "werte", "census", "censo", "recensement", "zensus", "volkszahlung", "recenseamento", "mid", "mid-year",
    "end", "end-of", "ende", "fin", "fin-de", "mitte", "figure", "figures", "data", "datos", "dados",
))  # fmt: skip
_PERCENT = re.compile(r"(?:in\s+)?(?:%|per\s?cent|percentage|prozent|pour\s?cent|por\s?c(?:iento|ento))", re.I)


@dataclass(frozen=True)
class Beside:
    """A year without what stands beside it.

    Attributes
    ----------
    text : str
        The label without it; the whole label where nothing of it is known.
    status : str
        provisional, estimated, break or empty.
    why : tuple of str
    unit : str
        ``2019 (%)``: %.
    kind : str
        target, change or baseline where words of these stand there: no figure of the year was observed.
    """

    text: str
    status: str = ""
    why: tuple[str, ...] = ()
    unit: str = ""
    kind: str = ""


def without_words(text: str) -> Beside:
    """Return a label of time without the marks and the words beside its year, and what they say."""
    first = _without_one(text) if len(text) <= 60 else Beside(text)
    if first.text == text:
        return first
    rest = without_words(first.text)  # Census 2011 (p)
    return replace(
        rest, status=rest.status or first.status, unit=rest.unit or first.unit, why=(*first.why, *rest.why)
    )  # fmt: skip


def _without_one(text: str) -> Beside:
    behind = _BEHIND.fullmatch(text)
    base = behind["base"].strip() if behind else ""
    if _BASE.fullmatch(base) or (behind and behind["inside"] and _OF_A_YEAR.fullmatch(base)):
        if behind["sign"]:
            return _said(text, base, behind["sign"], "value")
        word = behind["inside"] or behind["glued"] or behind["words"]
        if behind["inside"] and _PERCENT.fullmatch(word):
            return Beside(base, "", (f"unit {word} beside the year",), unit="%")
        return _said(text, base, word, _meaning(word, in_brackets=behind["inside"] is not None))
    front = _IN_BRACKETS.fullmatch(text) or _BEFORE.fullmatch(text)
    if not front:
        return Beside(text)
    word = front["words"]
    if slug(word) in _OF_TIME:
        return Beside(front["base"].strip(), "", ("word before the year left out",))
    meaning = kind_of(word) if len(word) > 2 else ""
    meaning = meaning or _SHORT.get(slug(word), "") or (FLAGS.get(slug(word), "") if len(word) > 2 else "")
    return _said(text, front["base"].strip(), word, meaning) if _BASE.fullmatch(front["base"].strip()) else Beside(text)


def _meaning(word: str, *, in_brackets: bool) -> str:
    """Return a status, ``value``, a kind of what was not observed, or nothing for a word that is not known."""
    letters = slug(word)
    if letters in _AHEAD or (letters.startswith("fore") and "forecast".startswith(letters)):
        return "target"
    if in_brackets and (re.fullmatch(r"\d{1,2}", word) or re.fullmatch(r"[*†‡#" + SUPERSCRIPT + "]+", word)):
        return "value"
    if letters in FLAGS:
        return FLAGS[letters]
    if letters in _SHORT:
        return _SHORT[letters]
    if kind := kind_of(word):
        return kind
    footnote = in_brackets and len(word.strip(". ")) == 1 and word.strip(". ").isalpha() and not size_or_secret(word)
    return "value" if footnote else ""


def _said(text: str, base: str, word: str, meaning: str) -> Beside:
    if not meaning:
        return Beside(text)
    if meaning in UNOBSERVED:
        return Beside(text, kind=meaning)
    status = "" if meaning == "value" else meaning
    return Beside(base, status, (f"mark {word} beside the year" + (f": {status}" * bool(status)),))


def unobserved(text: str) -> str:
    """Return target, change or baseline for a year of which nothing was observed, such as 2025F; empty for others."""
    return without_words(in_our_digits(text)).kind
