"""Grades of evidence: how much a figure can carry, A to D, with the reason that limits it."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.language import coded
from vlr_analysis.periods import year_of
from vlr_analysis.trends import DEFINITION_KEY, yearly

LETTERS = ("A", "B", "C", "D")  # from the strongest to the weakest
CLASSES = {
    "official": "A", "administrative": "A", "survey": "B", "modelled": "B", "private": "B", "citizen": "C",
    "qualitative": "C",
}  # fmt: skip
NO_CLASS = "C"
# The largest age in years, and the fewest yearly points, that still allow a letter; beyond C it is D.
MOST_AGE = {"A": 2, "B": 4, "C": 7}
LEAST_POINTS = {"A": 8, "B": 5, "C": 2}
MANY_HIDDEN = 0.2  # share of the values of a series that are suppressed
DEFINITIONS = {"same": "A", "own": "A", "adapted": "B", "other": "C"}
KEY = ["area", *DEFINITION_KEY, "breakdown"]


def lowest(caps: Iterable[tuple[str, str]]) -> tuple[str, str]:
    """Return the weakest of several letters and what limits it.

    Parameters
    ----------
    caps : iterable of (letter, reason)
        Reasons of an A are not told.

    Returns
    -------
    letter, reason : str
        A and an empty text where nothing limits; else all reasons of the weakest letter, joined by ``; ``.
    """
    caps = [("A", ""), *caps]
    letter = max((given for given, _ in caps), key=LETTERS.index)
    told = [] if letter == "A" else [reason for given, reason in caps if given == letter and reason]
    return letter, "; ".join(dict.fromkeys(told))


def class_cap(source_class: str) -> str:
    """Return the best letter that a class of sources allows; C where the class is not stated."""
    return CLASSES.get(source_class, NO_CLASS)


def series_grades(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    sources: pd.DataFrame,
    as_of: int,
    *,
    smells: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Grade the evidence of every series.

    Parameters
    ----------
    table : DataFrame
        Observations.
    definitions : DataFrame
        By (indicator, series, unit); `definition` (same, adapted, other, own: relation to the global indicator) and
        `geography` (what larger or other area the figures are of; empty: the area itself) where known.
    sources : DataFrame
        `source` and `source_class`.
    as_of : int
        Year from which the age of the latest value is counted: the newest year of the review, never the clock's.
    smells : DataFrame, optional
        From `smell.smell_table`: a series under suspicion is C at most until somebody has looked.

    Returns
    -------
    DataFrame, one row per (area, indicator, series, unit, breakdown)
        `grade`, `grade_reason`, `source_class`, `source` (ids joined by ``;``), `n` (yearly points since the last
        break), `first`, `last`, `age` (years), `has_break`, `has_interval`, `status` (of the latest value).

    Notes
    -----
    The grade is the lowest of: class of the source (a survey without intervals is B), age of the latest value, yearly
    points, geography, definition, breaks, and whether the latest value is final. A series with months and years is
    graded by the one with more yearly points.
    """
    series = yearly(table)
    keys = series.keys.sort_values(["n", "last"], ascending=False, kind="stable").drop_duplicates(KEY).sort_index()
    latest = series.points.groupby("row")["status"].last().reindex(keys.index).fillna("")
    classes = dict(zip(sources["source"], sources.get("source_class", pd.Series("", sources.index)), strict=True))
    known = definitions.reindex(columns=[*DEFINITION_KEY, "definition", "geography"]).astype(object)
    known = known.where(known.notna(), "")
    rows = keys.merge(known.drop_duplicates(DEFINITION_KEY), on=DEFINITION_KEY, how="left").fillna(
        {"definition": "", "geography": ""}
    )
    rows["status"] = latest.to_numpy()
    doubts = _doubts(smells)
    rows["doubt"] = [doubts.get(tuple(row), "") for row in rows[KEY].itertuples(index=False)]
    rows["source_class"] = [_weakest_class(ids.split(";"), classes) for ids in rows["source"]]
    rows["age"] = [as_of - year_of(last) if last else np.nan for last in rows["last"]]
    graded = [lowest(_caps(row, as_of)) for row in rows.itertuples()]
    rows["grade"] = pd.Series([letter for letter, _ in graded], rows.index, dtype=str)
    rows["grade_reason"] = pd.Series([reason for _, reason in graded], rows.index, dtype=str)
    more = ["grade", "grade_reason", "source_class", "source", "n", "first", "last", "age", "has_break", "has_interval",
            "status"]  # fmt: skip
    return rows[[*KEY, *more]].reset_index(drop=True)


def _doubts(smells: pd.DataFrame | None) -> dict[tuple, str]:
    if smells is None or not len(smells):
        return {}
    return smells.groupby(KEY)["suspicion"].agg(lambda words: ", ".join(dict.fromkeys(words))).to_dict()


def _weakest_class(ids: list[str], classes: dict[str, str]) -> str:
    found = [classes.get(name, "") for name in ids]
    return max(found, key=lambda name: LETTERS.index(class_cap(name)))


def _caps(row, as_of: int) -> list[tuple[str, str]]:
    """List what each aspect of a series allows, with its reason."""
    named = row.source_class or "not stated"
    letter = "A" if row.source_class == "survey" and row.has_interval else class_cap(row.source_class)
    words = {
        "survey": coded("a survey without intervals"),
        "not stated": coded("the class of the source is not stated"),
    }
    caps = [(letter, words.get(named, coded("{named} source", named=named)))]
    if not row.n:
        return [*caps, ("D", coded("no complete calendar year") if row.note else coded("no value"))]
    caps.append(
        (
            _by(row.age, MOST_AGE, np.less_equal),
            coded("latest value of {last}, newest year is {as_of}", last=year_of(row.last), as_of=as_of),
        )
    )
    caps.append((_by(row.n, LEAST_POINTS, np.greater_equal), _points(row)))
    if row.geography:
        caps.append(("B", coded("figures of the {geography}", geography=row.geography)))
    relation = row.definition or ("" if catalogue.is_global(row.indicator) else "own")
    told = {
        "adapted": coded("adapted from indicator {indicator}", indicator=row.indicator),
        "other": coded("not what indicator {indicator} measures", indicator=row.indicator),
    }
    caps.append(
        (DEFINITIONS.get(relation, "B"), told.get(relation, coded("definition not compared with the global one")))
    )
    if row.n_hidden:
        # What is suppressed is small: the values that are left lie too high, and the gaps are where they are lowest.
        many = row.n_hidden >= MANY_HIDDEN * (row.n_hidden + row.n)
        caps.append(("D" if many else "C", coded("suppressed values, mostly small ones, are not counted")))
    if row.has_break:
        caps.append(("B", coded("a break in the series")))
    if row.doubt:
        caps.append(("C", coded("smell test: {doubt}", doubt=row.doubt)))
    if row.status in ("provisional", "estimated"):
        caps.append(("B", coded("latest value {status}", status=row.status)))
    return caps


def _points(row) -> str:
    if row.overlapping and row.has_break:
        return coded("{n} pooled values that share no year since the break", n=row.n)
    if row.overlapping:
        return coded("{n} pooled values that share no year", n=row.n)
    if row.n == 1:
        return coded("1 yearly value since the break") if row.has_break else coded("1 yearly value")
    if row.has_break:
        return coded("{n} yearly values since the break", n=row.n)
    return coded("{n} yearly values", n=row.n)


def _by(value: float, limits: dict[str, int], allows) -> str:
    return next((letter for letter, limit in limits.items() if allows(value, limit)), "D")
