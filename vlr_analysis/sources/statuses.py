"""What a column of statuses says of a figure: a code of SDMX, a word, or that nothing was observed."""

from __future__ import annotations

import re
from collections.abc import Iterable

from vlr_analysis.exhibits import slug
from vlr_analysis.sources.heading_words import UNOBSERVED, kind_of

# Codes of SDMX (CL_OBS_STATUS), letters of Eurostat and the OECD, and their words.
STATUS = {"a": "value", "e": "estimated", "i": "estimated", "f": "estimated", "p": "provisional", "b": "break",
          "m": "not_applicable", "o": "missing", "l": "missing", "c": "suppressed", "q": "suppressed", "u": "value",
          "d": "value", "r": "value", "n": "value", "s": "estimated", "g": "value", "z": "not_applicable",
          "v": "value", "value": "value", "actual": "value", "final": "value", "normal": "value",
          "normal-value": "value", "observed": "value", "official": "value", "revised": "value",
          "estimated": "estimated", "estimate": "estimated", "estimated-value": "estimated", "imputed": "estimated",
          "modelled": "estimated", "modeled": "estimated",
          "provisional": "provisional", "provisional-value": "provisional", "preliminary": "provisional",
          "break": "break", "break-in-series": "break", "time-series-break": "break",
          "missing": "missing", "missing-value": "missing", "not-available": "missing",
          "not-applicable": "not_applicable", "suppressed": "suppressed"}  # fmt: skip
NOT_OBSERVED = "not observed"
_HIDDEN = re.compile(
    r"\b(suppress\w*|confiden[ct]i[ae]l\w*|secret[oa]?s?|disclos\w*|ocult[oa]s?|vertraulich|geheim|withh[eo]ld|"
    r"held back|redact\w*|unpublished|embargo\w*|masked|hidden|restricted|suprimid[oa]s?|sigilos[oa]|reservad[oa]s?|"
    r"(do not|don't|not|never|no|não|nao|nicht|ne pas) (for |for public |to be |yet )?"
    r"(publish\w*|publication|releas\w*|public\b|shar(e|ed|ing)\b|publicar|divulgar|publicable|publier|"
    r"veröffentlich\w*))\b"
    r"|سري|محجوب"
)
_NEVER = re.compile(r"\b(un|not|non|no)-?\s?(suppress|confiden|secret|disclos|embargo|restrict|redact|withh)")
_AHEAD = re.compile(
    r"\b(forecast\w*|project(ed|ions?)|targets?|planned|plan|scenario|goal|budget\w*|prognose\w*|zielwert|objetivos?|metas?|"
    r"proyec\w+|proje[ct]\w*|pr[eé]vision\w*|previs[aã]o|previst[oa]s?|pronostico|objectif)\b"
)


def status_of(text: str) -> str:
    """Return the status that a text of a status column gives a figure.

    Returns
    -------
    str
        One of `observations.STATUSES`; `NOT_OBSERVED` for a target, a forecast or a projection, which are no
        observations; empty where the text is not known. A letter counts as a code; of ``C: Confidential`` the code
        counts. Any word of secrecy hides the figure.
    """
    whole = " ".join(text.casefold().split())
    for part in (whole, whole.split(":")[0].strip()):
        if slug(part) in STATUS:
            return STATUS[slug(part)]
    if _AHEAD.search(whole):
        return NOT_OBSERVED
    return "suppressed" if _HIDDEN.search(whole) and not _NEVER.search(whole) else ""


_FREE = frozenset({"", "f", "free", "free-for-publication", "public", "open", "no", "none", "non-confidential",
                   "not-confidential", "false", "0", "non", "nao", "nein", "unrestricted", "not-suppressed",
                   "no-confidencial", "non-confidentiel", "publico", "publica", "frei"})  # fmt: skip
_YES = frozenset({"y", "yes", "true", "1", "s", "si", "oui", "o", "sim", "ja", "j", "x", "ok", "publish", "published",
                  "public", "open", "free", "publicar", "publier", "wahr", "verdadero", "vrai"})  # fmt: skip
_NO = frozenset({"n", "no", "non", "nao", "nein", "false", "0", "falso", "faux", "falsch", "not-yet", "never"})
_ARABIC = {"نعم": "yes", "لا": "no"}


def says_yes_or_no(texts: Iterable[str]) -> bool:
    """Whether a column of confidentiality holds Y and N: in the code list of SDMX, N is not for publication."""
    return bool({slug(text) for text in texts} & {"y", "j"})


def is_hidden(text: str, yes_or_no: bool = False) -> bool:
    """Whether a cell of a column of confidentiality (CONF_STATUS) hides its figure: all but F and words of freedom.

    `yes_or_no`: N is no (`says_yes_or_no`).
    """
    if yes_or_no and slug(text) == "n":
        return False
    name = slug(_ARABIC.get(text.strip(), text)) or ("" if not text.strip() else "unknown")
    first = slug(text.split(":")[0])
    return name not in _FREE and not (first and first in _FREE)


def is_answer(text: str) -> bool:
    """Whether a text is a yes or a no, as columns headed Publish or Confidential hold them."""
    name = slug(_ARABIC.get(text.strip(), text))
    return name in _YES or name in _NO or status_of(text) == "suppressed"


def is_yes(text: str) -> bool:
    """Whether a cell of a column headed Publish says that the figure may be published; any other text does not."""
    return slug(_ARABIC.get(text.strip(), text)) in _YES


def hides(role: str, texts: Iterable[str]) -> bool:
    """Whether a column of confidentiality, or one headed Publish, hides any figure of a row."""
    texts = list(texts)
    answers = says_yes_or_no(texts)
    return any(is_hidden(text, answers) for text in texts) if role == "confidential" else not all(map(is_yes, texts))


# Headings of columns that may say whether a figure was observed.
_HEADS = {
    "kind": """type types data-type type-of-data type-of-value value-type figure-type kind nature scenario scenarios
        variant version actual-forecast actual-target status-of-data data-status tipo tipo-de-dato
        tipo-de-valor tipo-de-dado escenario cenario type-de-donnee type-de-valeur nature-de-la-valeur
        art datenart szenario werttyp result-type estimate-type""",
    "scenario": "scenario scenarios escenario cenario szenario variant",
}
_KIND_HEADS = frozenset(word for words in _HEADS.values() for word in words.split())
_SCENARIOS = frozenset(_HEADS["scenario"].split())


def kinds_in(heading: str, texts: Iterable[str]) -> dict[str, str]:
    """Return what the texts of a column such as Type, Scenario or Actual/Forecast say of figures.

    Parameters
    ----------
    heading : str
    texts : iterable of str
        What the column holds, without empty texts.

    Returns
    -------
    dict
        By text: `NOT_OBSERVED`, ``value``, ``estimated`` or ``provisional``; without those texts that say nothing of
        it. Empty where the heading, and the column as a whole, is of something else.
    """
    texts = set(texts)
    name = slug(heading)
    sides = [side.strip() for side in re.split(r"/|\bor\b|\bo\b|\bou\b|\boder\b", heading) if side.strip()]
    kinds = {text: _kind(text) for text in texts}
    if len(sides) > 1 and all(map(_kind, sides)):
        by_letter = {side[0].casefold(): _kind(side) for side in sides}
        kinds = {text: kind or by_letter.get(text.casefold(), "") for text, kind in kinds.items()}
    elif name not in _KIND_HEADS and not (kinds and all(kinds.values()) and NOT_OBSERVED in kinds.values()):
        return {}
    found = {text: kind for text, kind in kinds.items() if kind}
    if name in _SCENARIOS and NOT_OBSERVED in found.values():
        # Beside what is projected, High and Low are projections too.
        found |= {text: NOT_OBSERVED for text in texts if text not in found}
    return found


def _kind(text: str) -> str:
    kind = kind_of(text)
    if kind in UNOBSERVED or (kind == "" and slug(text) in ("projected", "planned", "extrapolated")):
        return NOT_OBSERVED
    return kind
