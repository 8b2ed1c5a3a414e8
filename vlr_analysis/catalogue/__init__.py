"""Goals, targets, indicators, desired directions, expected breakdowns, the UMF grid, and the units.

The tables lie beside this file as CSV; the README there says where the facts come from, which version
of the framework they follow, and what is left empty. They are read once; every function that returns a
table returns a copy, so that a caller may change it. Codes are text: ``"1.10"`` is not ``"1.1"``.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

import pandas as pd

# A goal, target or indicator code by its form; letters after the goal are means of implementation.
_CODE = re.compile(r"(1[0-7]|[1-9])(\.([1-9][0-9]?|[a-z])){0,2}")
_DIGIT_GROUPS = re.compile(r"(?<=[0-9])[ ,](?=[0-9]{3}(?![0-9]))")
# A total: an amount that grows with the size of the place. Per day or per year it still does; per person it does not.
_PER_TIME = re.compile(r"\b(per|a) (second|minute|hour|day|night|week|month|quarter|year|annum)\b|/(day|year|yr)\b")
_PER = re.compile(r"\bper\b|/|\b(mean|median|average)\b(?! (daily|weekly|monthly|annual|yearly))")
_LARGE = re.compile(r"\b(millions?|billions?|trillions?|bn|mn)\b")
_AMOUNT = re.compile(
    r"([kmgt]wh|[gt]j|kt|mt|tonnes?|tons?|kg|kilograms?|lit(re|er)s?|gallons?|m3|ha|hectares?|acres?|km2?|kilomet(re|er)s?|"
    r"miles?|m2|thousands?)\b"
)


@dataclass(frozen=True)
class UnitScale:
    """Which values of a unit are possible, and on which scale a straight line stays possible.

    Attributes
    ----------
    kind : str
        share, rate, count, money, ratio, physical, years, score, index, change; empty if unknown.
    lower, upper : float
        Possible range; NaN where there is no bound.
    scale : str
        identity, log (of the distance to `lower`) or logit (between `lower` and `upper`).
    """

    kind: str
    lower: float
    upper: float
    scale: str


UNKNOWN_UNIT = UnitScale("", math.nan, math.nan, "identity")


# --- tables ------------------------------------------------------------------------------------


def goals() -> pd.DataFrame:
    """Return the goals.

    Returns
    -------
    DataFrame, shape (17, 2)
        goal (int), label.
    """
    return _typed("goals").copy()


def targets() -> pd.DataFrame:
    """Return the targets.

    Returns
    -------
    DataFrame, shape (169, 3)
        target (text, ``"1.a"``), goal (int), label.
    """
    return _typed("targets").copy()


def indicators() -> pd.DataFrame:
    """Return the indicators, one row per code: some stand under two or three targets.

    Returns
    -------
    DataFrame, shape (248, 7)
        code, target, goal (int), unique_id (first code of a repeated indicator; 231 different ones),
        label, direction (``increase``, ``decrease``, or empty where it is open to dispute), breakdowns
        (dimensions that the official wording asks for, joined by ``;``; empty where it asks for none).

    Notes
    -----
    Count different indicators by `unique_id`, never by `code`.
    """
    return _typed("indicators").copy()


@lru_cache(maxsize=1)
def unique_ids() -> Mapping[str, str]:
    """Return the first code of the same indicator, by the code of each; read only."""
    table = _read("indicators")
    return MappingProxyType(dict(zip(table["code"], table["unique_id"], strict=True)))


def umf() -> pd.DataFrame:
    """Return the grid of the Global Urban Monitoring Framework.

    Returns
    -------
    DataFrame, shape (20, 3)
        domain, objective, official_indicators (empty in every row: the official list was not at hand).
    """
    return _read("umf").copy()


def umf_crosswalk() -> pd.DataFrame:
    """Return the cells of the Global Urban Monitoring Framework that each target is read under: the kit's own proposal.

    Returns
    -------
    DataFrame, one row per target and cell
        target, domain, objective (spelled as in `umf`), note (what in the target points there). Every one of the
        169 targets has one cell or two.

    Notes
    -----
    The framework's official list of indicators was not at hand; nobody but the kit has agreed to this table. A page
    that shows it says so. A city may argue for another cell: the note says what the choice rests on.
    """
    return _read("umf_crosswalk").copy()


def units() -> pd.DataFrame:
    """Return the known units.

    Returns
    -------
    DataFrame
        unit, kind, lower, upper (float, NaN for no bound), scale, note. Columns as in `UnitScale`.
    """
    table = _read("units").copy()
    table[["lower", "upper"]] = table[["lower", "upper"]].replace("", "nan").astype(float)
    return table


@lru_cache(maxsize=1)
def target_codes() -> frozenset[str]:
    """Return the codes of all targets."""
    return frozenset(_read("targets")["target"])


def breakdowns_of(code: str) -> tuple[str, ...]:
    """Return the dimensions that the official wording of an indicator asks for; none for any other code."""
    return _breakdowns()[0].get(code, ())


def breakdowns_of_target(target: str) -> tuple[str, ...]:
    """Return the dimensions that every indicator of a target asks for which asks for any, sorted."""
    asked = _breakdowns()[1].get(target)
    return tuple(sorted(set.intersection(*asked))) if asked else ()


# --- codes -------------------------------------------------------------------------------------


def goal_of(code: str) -> int | None:
    """Return the goal that a code stands under.

    Parameters
    ----------
    code : str
        Goal, target or indicator: ``"3"``, ``"3.4"``, ``"3.2.1"``, ``"11.a.1"``.

    Returns
    -------
    int or None
        Read from the form of the code, so that a city's own addition under a goal (``"3.9.4"``)
        has one too; None for any other text (``"uk.claimant-count"``, ``"18.1.1"``).
    """
    found = _CODE.fullmatch(code)
    return int(found[1]) if found else None


def is_global(code: str) -> bool:
    """Return whether `code` is one of the 248 indicator codes of the global framework (not a goal or target)."""
    return code in _by_code()


def sort_key(code: str) -> tuple:
    """Return a key that sorts codes as people read them.

    Numbers count as numbers and come before letters: 1.2.1, 1.10.1, 1.a.1, 2.1.1, 10.1.1; a goal comes before
    its targets, a target before its indicators. Local codes follow, among themselves in the same way.
    """
    if goal_of(code) is not None:
        return (0, *((0, int(part), "") if part.isdigit() else (1, 0, part) for part in code.split(".")))
    # Runs of more than 15 digits are no numbers to anybody; they are compared as text.
    pieces = (piece for piece in re.split(r"([0-9]{1,15})", code) if piece)
    key = tuple((0, int(piece), "") if piece[0] in "0123456789" else (1, 0, piece) for piece in pieces)
    return (1, key, code)  # the code itself decides between la.1 and la.01


def direction(code: str) -> str:
    """Return the desired direction of a global indicator.

    Parameters
    ----------
    code : str

    Returns
    -------
    str
        ``increase`` or ``decrease`` where that is beyond dispute, else empty, as for any other code.

    Notes
    -----
    It speaks for the indicator as the framework defines it. A series that stands under its code but measures
    something else (a count instead of a rate, people without cover instead of with it) needs its own direction.
    """
    return _by_code().get(code, ("", ""))[1]


def label(code: str) -> str:
    """Return the short label of a goal (``"3"``), target (``"3.4"``) or indicator; empty for any other code."""
    return _by_code().get(code, ("", ""))[0] or _labels().get(code, "")


def suggest(code: str, n: int = 3) -> list[str]:
    """Return global indicator codes that may have been meant.

    Parameters
    ----------
    code : str
        What was written: ``"8-5-2"``, ``"08.05.02"``, ``"8.5"``, ``"8.52"``.
    n : int
        How many at most; 0 or less gives none.

    Returns
    -------
    list of str, length 0 to n
        For a goal or target the first of its indicators. Else the code that differs only in its writing, if
        there is one, then the most alike (`difflib`), those of its target, then goal, first. Empty where none is.
    """
    if n < 1:
        return []
    plain = re.sub(r"[^0-9a-z]+", ".", code.casefold()).strip(".")
    plain = ".".join(part.lstrip("0") or part for part in plain.split("."))
    codes = list(_by_code())
    begin = [known for known in codes if plain and known.startswith(f"{plain}.")]
    if begin:
        return begin[:n]
    return list(dict.fromkeys([*(known for known in codes if known == plain), *_alike(plain, codes, n)]))[:n]


def _alike(plain: str, codes: list[str], n: int) -> list[str]:
    """Look under the same target first, then the same goal: a wrong last digit is the commonest slip."""
    if not plain[:1].isdigit():
        return []
    target, goal = plain.rpartition(".")[0], plain.partition(".")[0]
    near = ([code for code in codes if code.startswith(f"{start}.")] for start in (target, goal))
    return [code for known in (*near, codes) for code in get_close_matches(plain, known, n=n)]


# --- units -------------------------------------------------------------------------------------


def unit_scale(unit: str) -> UnitScale:
    """Return range and scale of a unit.

    Parameters
    ----------
    unit : str
        Compared without regard to case, to spaces at the ends or repeated, to how thousands are grouped
        (100,000, 100 000, 100000) and to typographic variants of a sign (m² and m2, the two signs for micro).

    Returns
    -------
    UnitScale
        For a unit that is not listed: kind empty, no bounds, identity.

    Notes
    -----
    log and logit cannot hold a value on a bound: a series with a 0 % or a count of 0 has to stay on the identity
    scale, and whoever fits a line checks that. ``%`` is a share here; a growth rate should be called ``% change``.
    """
    return _scales().get(_plain(unit), UNKNOWN_UNIT)


def is_total(unit: str, series: str = "") -> bool:
    """Return whether a series is a total, which grows with the size of the place: no ground to compare cities on.

    Parameters
    ----------
    unit : str
        As in `unit_scale`.
    series : str
        Name of the series: "emissions per capita" in tonnes is no total.

    Returns
    -------
    bool
        True for a count (`UnitScale.kind`), for millions and billions of anything, and for an amount of mass, energy,
        volume, area or length; False where unit or series says per (person, home, m²; not per day or year), for a
        concentration, and for an amount that the name calls a mean, median or average (not an average day).

    Notes
    -----
    Plain money (£) is read as a level: pay, rent, income per head are published so. A budget in plain £ is not
    recognised; give it in £ million, or say total cost per person. Durations, sound and temperature are levels.
    """
    kind, plain, name = unit_scale(unit).kind, *(_PER_TIME.sub("", _plain(text)) for text in (unit, series))
    if kind not in ("count", "money", "physical", "") or _PER.search(plain) or _PER.search(name):
        return False
    return kind == "count" or bool(_LARGE.search(plain) or _AMOUNT.match(plain))


def _plain(unit: str) -> str:
    text = " ".join(unicodedata.normalize("NFKC", unit).casefold().split())
    return _DIGIT_GROUPS.sub("", text)


# --- reading, once -----------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _read(name: str) -> pd.DataFrame:
    with files(__package__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


@lru_cache(maxsize=8)
def _typed(name: str) -> pd.DataFrame:
    return _read(name).astype({"goal": int})


@lru_cache(maxsize=1)
def _breakdowns() -> tuple[dict[str, tuple[str, ...]], dict[str, list[set[str]]]]:
    by_code, by_target = {}, {}
    for row in _read("indicators").itertuples():
        if row.breakdowns:
            by_code[row.code] = tuple(row.breakdowns.split(";"))
            by_target.setdefault(row.target, []).append(set(by_code[row.code]))
    return by_code, by_target


@lru_cache(maxsize=1)
def _by_code() -> dict[str, tuple[str, str]]:
    table = _read("indicators")
    return dict(zip(table["code"], zip(table["label"], table["direction"], strict=True), strict=True))


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    both = (_read("goals").set_index("goal")["label"], _read("targets").set_index("target")["label"])
    return {code: text for part in both for code, text in part.items()}


@lru_cache(maxsize=1)
def _scales() -> dict[str, UnitScale]:
    return {_plain(row.unit): UnitScale(row.kind, row.lower, row.upper, row.scale) for row in units().itertuples()}
