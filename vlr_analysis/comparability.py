"""How far two series may be compared: same, near, context or blocked, with the reasons."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from vlr_analysis.catalogue import is_total, unit_scale
from vlr_analysis.language import coded

GRADES = ("same", "near", "context", "blocked")  # from the best to the worst
OLD_APART = 2  # years between latest values, beyond which a pair is near at best
_ADJUSTED = re.compile(r"\b(not )?seasonally adjusted\b", re.IGNORECASE)
_TOTAL = re.compile(
    r"\b(people|persons|children|households|dwellings|homes|jobs|deaths|births|victims|crimes|cases|trips|journeys|"
    r"visits|boardings|vehicles|tonnes?|hectares|[kmgt]wh|million|billion|thousand|number)\b",
    re.IGNORECASE,
)
_SINCE_BASE = re.compile(r"change relative to .*, proportion$")
_SHARE = re.compile(r"%|\bproportion\b|\bratio\b|\brates?\b", re.IGNORECASE)
_RATE = re.compile(rf"\bper\b|{_SHARE.pattern}", re.IGNORECASE)
_PER = re.compile(r"\bper\b(?! (second|hour|day|week|month|quarter|year)\b)", re.IGNORECASE)
# What plain money is paid for one person or thing: in £ without a word of these, it is taken as a total.
_TYPICAL = re.compile(r"\b(median|mean|average|pay|wages?|earnings|salary|prices?|rents?|household income)\b", re.I)
_AVERAGE_COUNTS = ("annual average daily flow",)  # a count at an average place: it does not grow with the area
# Units whose zero is a convention: a ratio of two values says nothing. Kinds of catalogue.unit_scale, and by name.
_NO_ZERO_KINDS = ("score", "index", "change")
_NO_ZERO = re.compile(r"°\s?[cf]\b|\bd ?b\b|\bdb\(a\)|\bph\b|\bindex\b|\bscore\b|\bpoints\b", re.IGNORECASE)


def comparability(own: Mapping, other: Mapping, declared: str = "same") -> tuple[str, str]:
    """Grade how far two series may be compared.

    Parameters
    ----------
    own, other : mapping
        `indicator`, `series`, `unit`, `last` (year of the latest value, a number), `has_break`, and `common` (years
        in which both have a value) in `own`.
    declared : str
        Grade that a person has given: same, near, context or blocked. A machine only lowers it.

    Returns
    -------
    grade, reason : str
        same, near, context (side by side, never on one axis) or blocked; the reasons that lowered it, joined by ``; ``.

    Notes
    -----
    Names cannot show every difference of definition: *same* means that nothing speaks against it. Totals (counts,
    and amounts of money or matter that neither unit nor name puts per head or per item) give context only.
    """
    found = [(declared, "")]
    if declared not in GRADES:
        raise ValueError(f"comparability is one of {', '.join(GRADES)}, not {declared!r}")
    if bool(_RATE.search(own["unit"])) != bool(_RATE.search(other["unit"])):
        found.append(
            ("blocked", coded("a count against a rate ({unit}; {unit_2})", unit=own["unit"], unit_2=other["unit"]))
        )
    elif own["unit"] != other["unit"]:
        found.append(("blocked", coded("units differ ({unit}; {unit_2})", unit=own["unit"], unit_2=other["unit"])))
    elif _is_total(own) or _is_total(other):
        found.append(("context", coded("totals ({unit}): places differ in size", unit=own["unit"])))
    adjusted = [_adjustment(side["series"]) for side in (own, other)]
    if adjusted[0] != adjusted[1]:
        found.append(
            (
                "context",
                coded(
                    "seasonal adjustment differs ({adjusted}; {adjusted_2})",
                    adjusted=adjusted[0],
                    adjusted_2=adjusted[1],
                ),
            )
        )
    elif own["indicator"] != other["indicator"]:
        found.append(
            (
                "context",
                coded(
                    "indicators differ ({indicator}; {indicator_2})",
                    indicator=own["indicator"],
                    indicator_2=other["indicator"],
                ),
            )
        )
    elif own["series"] != other["series"]:
        found.append(("near", coded("the series are named differently")))
    if own["common"] == 0:
        found.append(("blocked", coded("no year in common")))
    elif abs(own["last"] - other["last"]) > OLD_APART:
        found.append(
            (
                "near",
                coded("latest values of {last} and {last_2}", last=f"{own['last']:.0f}", last_2=f"{other['last']:.0f}"),
            )
        )
    if own["has_break"] or other["has_break"]:
        found.append(("near", coded("a break in the series")))
    grade = max(found, key=lambda pair: GRADES.index(pair[0]))[0]
    lowered = [reason for given, reason in found if reason and GRADES.index(given) > GRADES.index(declared)]
    return grade, "; ".join(lowered)


def _adjustment(series: str) -> str:
    hit = _ADJUSTED.search(series)
    return coded("not stated") if hit is None else coded("not adjusted") if hit[1] else "adjusted"


def _is_total(side: Mapping) -> bool:
    """Whether the values grow with the size of the place, by the kind of the unit and the words of unit and series."""
    unit, series = side["unit"], side["series"]
    if unit.casefold() in _AVERAGE_COUNTS or _PER.search(f"{unit}; {series}"):
        return False
    worded = _TOTAL.search(unit) and not _SHARE.search(unit)
    plain_money = unit_scale(unit).kind == "money" and not (_RATE.search(unit) or _TYPICAL.search(series))
    return bool(is_total(unit, series) or worded or plain_money)


def zero_of(unit: str) -> float:
    """Return where a unit has its zero: 0, -1 for a change from a base as a proportion, NaN for a mere convention."""
    if _SINCE_BASE.match(unit):
        return -1.0
    return np.nan if unit_scale(unit).kind in _NO_ZERO_KINDS or _NO_ZERO.search(unit) else 0.0
