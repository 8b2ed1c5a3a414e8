"""Goals, targets, indicators, desired directions, expected breakdowns, the UMF grid, and the units.

The tables lie beside this file as CSV; their README says where the facts come from. Functions
that return a table return a copy.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.resources import files

import pandas as pd


@dataclass(frozen=True)
class UnitScale:
    """What values of a unit are possible, and on which scale a straight line stays possible.

    Attributes
    ----------
    kind : str
        share, rate, count, money, physical, ratio, index, score, years, change; empty if unknown.
    lower, upper : float
        Possible range; NaN where there is no bound.
    scale : str
        identity, log or logit.
    """

    kind: str
    lower: float
    upper: float
    scale: str


@lru_cache(maxsize=8)
def _read(name: str) -> pd.DataFrame:
    with files(__package__).joinpath(f"{name}.csv").open(encoding="utf-8") as file:
        return pd.read_csv(file, dtype=str, keep_default_na=False)


def goals() -> pd.DataFrame:
    """Return the 17 goals: goal (int), label."""
    return _read("goals").astype({"goal": int})


def targets() -> pd.DataFrame:
    """Return the 169 targets: target, goal (int), label."""
    return _read("targets").astype({"goal": int})


def indicators() -> pd.DataFrame:
    """Return the 248 indicator codes (231 different indicators).

    Returns
    -------
    DataFrame
        code, target, goal (int), unique_id (first code of a repeated indicator), label, direction
        (increase, decrease or empty), breakdowns (expected dimensions joined by ``;``).
    """
    return _read("indicators").astype({"goal": int})


def umf() -> pd.DataFrame:
    """Return the grid of the Global Urban Monitoring Framework: domain, objective, official_indicators (empty)."""
    return _read("umf").copy()


def units() -> pd.DataFrame:
    """Return the known units: unit, kind, lower, upper (floats, NaN for none), scale, note."""
    table = _read("units").copy()
    table[["lower", "upper"]] = table[["lower", "upper"]].replace("", "nan").astype(float)
    return table


def goal_of(code: str) -> int | None:
    """Return the goal of a global indicator, target or goal code; None for a local code."""
    found = re.fullmatch(r"(\d{1,2})(\.[0-9a-z]{1,2}){0,2}", code)
    goal = int(found[1]) if found else 0
    return goal if 1 <= goal <= 17 else None


def is_global(code: str) -> bool:
    """Return whether `code` is an indicator of the global framework."""
    return code in _by_code()


def label(code: str) -> str:
    """Return the short label of a goal, target or indicator; empty for any other code."""
    return _by_code().get(code, ("", ""))[0] or _labels().get(code, "")


def direction(code: str) -> str:
    """Return increase or decrease where that is beyond dispute for a global indicator, else an empty text."""
    return _by_code().get(code, ("", ""))[1]


def sort_key(code: str) -> tuple:
    """Return a key that sorts codes as people read them: 1.2.1, 1.a.1, 2.1.1, 10.1.1, then local codes."""
    if goal_of(code) is None:
        return (99, code)
    return (0, *((0, int(part), "") if part.isdigit() else (1, 0, part) for part in code.split(".")))


def suggest(code: str, n: int = 3) -> list[str]:
    """Return up to `n` global indicator codes that look like `code`."""
    return get_close_matches(code, list(_by_code()), n=n, cutoff=0.5)


def unit_scale(unit: str) -> UnitScale:
    """Return range and scale of a unit, found without regard to case or repeated spaces.

    A unit that is not listed has no bounds and the identity scale.
    """
    return _scales().get(_plain(unit), UnitScale("", math.nan, math.nan, "identity"))


def _plain(unit: str) -> str:
    return " ".join(unit.casefold().split())


@lru_cache(maxsize=1)
def _by_code() -> dict[str, tuple[str, str]]:
    table = _read("indicators")
    return dict(zip(table["code"], zip(table["label"], table["direction"], strict=True), strict=True))


@lru_cache(maxsize=1)
def _labels() -> dict[str, str]:
    both = (_read("goals").set_index("goal")["label"], _read("targets").set_index("target")["label"])
    return {str(code): text for part in both for code, text in part.items()}


@lru_cache(maxsize=1)
def _scales() -> dict[str, UnitScale]:
    return {_plain(row.unit): UnitScale(row.kind, row.lower, row.upper, row.scale) for row in units().itertuples()}
