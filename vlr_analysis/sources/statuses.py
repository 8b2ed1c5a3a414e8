"""What a column of statuses says of a figure: a code of SDMX, a word, or that nothing was observed."""

from __future__ import annotations

import re

from vlr_analysis.exhibits import slug

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
_HIDDEN = re.compile(r"\b(suppress\w*|confidential\w*|secret[oa]?|disclos\w*|oculto|vertraulich|geheim)\b")
_NEVER = re.compile(r"\b(un|not|non|no)-?(suppress|confiden|secret|disclos)")
_AHEAD = re.compile(
    r"\b(forecast\w*|project(ed|ions?)|targets?|planned|scenario|goal|prognose\w*|zielwert|objetivos?|metas?|"
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
                   "not-confidential", "false", "0"})  # fmt: skip


def is_hidden(text: str) -> bool:
    """Whether a cell of a column of confidentiality (CONF_STATUS) hides its figure: all but F and words of freedom."""
    return slug(text) not in _FREE and slug(text.split(":")[0]) not in _FREE
