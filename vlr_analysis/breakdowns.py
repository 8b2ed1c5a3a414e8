"""For whom: the breakdowns that the framework asks of each measure, which are there, missing, or cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.language import coded
from vlr_analysis.readiness import KEY, measures

# Names that sources give to the catalogue's dimensions.
_SAME = {
    "gender": "sex", "age-group": "age", "age-range": "age", "education-attainment": "education",
    "race": "population-group", "ethnicity": "population-group", "race-ethnicity": "population-group",
    "district": "location", "ward": "location", "neighbourhood": "location",
    "employment-status": "employment", "disability-status": "disability",
}  # fmt: skip
_PEOPLE = {
    "age", "disability", "education", "employment", "income", "indigenous", "key-population", "location", "migration",
    "occupation", "origin", "population-group", "pregnancy", "sex",
}  # fmt: skip
# What a series is about, by its words: dimension it cannot be broken down by, pattern, why.
_ABOUT = [
    (
        "sex",
        r"\b(wom[ae]n|m[ae]n|female|male|girls?|boys?|mothers|maternal|gender)\b",
        coded("is of one sex, or compares both"),
    ),
    (
        "age",
        r"\b(child(ren)?|pupils?|school|youth|young|infants?|under[- ]\d+|over \d+|aged? \d+|to mothers|primary)\b",
        coded("is of one age group"),
    ),
    ("employment", r"\b(un)?employ(ed|ment)\b|\bwork(ers|ing)\b|\bclaimant", coded("is about being in or out of work")),
    ("mode", r"\b(air|bus|rail|metro)\b", coded("is of one mode of transport")),
]
_OF_THINGS = re.compile(
    r"\b(parkland|land|area|emissions?|energy|electricity|gas|water|waste|recycl\w+|air|particles|pm2\.5|concentration|"
    r"stations?|vehicles?|traffic|passengers|boardings|gdp|value added|budget|spending|dwellings?|housing|heat)\b",
    re.IGNORECASE,
)

_COUNTS_PEOPLE = re.compile(r"people|persons|population|adults|households|victims", re.IGNORECASE)


def breakdown_table(table: pd.DataFrame, definitions: pd.DataFrame) -> pd.DataFrame:
    """Say of every measure which breakdowns are asked for, which are there, which are missing, and which cannot be.

    Parameters
    ----------
    table : DataFrame
        Observations of one area.
    definitions : DataFrame
        See `measures`; `group_of` (the indicator that this one is a group of) where known.

    Returns
    -------
    DataFrame, one row per (indicator, series, unit) with figures
        area, indicator, series, unit; `asked_by` (the indicator's own wording; for an own indicator the target, where
        all its indicators that ask for a breakdown ask for this one); `expected`, `present`, `missing`,
        `not_applicable` (dimensions, joined by ``; ``), `why` (they cannot be given), `further` (there, not asked).

    Notes
    -----
    What is out of scope is never counted as missing, nor as present: a series of one sex has none by sex, a measure of
    air or land has none of people, and what the data mark as not applicable is none either.
    """
    area = table["area"].iloc[0] if len(table) else ""
    rows = [{"area": area} | _one(*one) for one in _with_groups(table, measures(table, definitions), definitions)]
    columns = ["asked_by", "expected", "present", "missing", "not_applicable", "why", "further"]
    return pd.DataFrame(rows, columns=["area", *KEY, *columns])


def _with_groups(table: pd.DataFrame, held: pd.DataFrame, definitions: pd.DataFrame) -> Iterator[tuple]:
    """Yield each measure, the dimensions that it has as measures of their own, and its rows."""
    known = definitions.reindex(columns=["indicator", "label", "group_of"]).astype(object).fillna("")
    groups = dict(iter(known[known["group_of"] != ""].groupby("group_of")))
    parts = dict(iter(table.groupby(KEY)))
    for row in held.itertuples():
        words = " ".join(groups[row.indicator]["label"].str.replace(row.label, "")) if row.indicator in groups else ""
        dimensions = {dimension for dimension, pattern, _ in _ABOUT if words and re.search(pattern, words, re.I)}
        yield row, dimensions, parts[(row.indicator, row.series, row.unit)]


def _one(row, grouped: set[str], rows: pd.DataFrame) -> dict:
    expected, asked_by = _expected(row)
    never = rows["status"] == "not_applicable"
    present = _dimensions(rows.loc[rows["value"].notna(), "breakdown"]) | grouped
    reasons = dict.fromkeys(_dimensions(rows.loc[never, "breakdown"]) - present, coded("the data mark it so"))
    words = f"{row.series} {row.label}"
    for name, pattern, why in _ABOUT:
        if name in expected - present and re.search(pattern, words, re.IGNORECASE):
            reasons.setdefault(name, coded("the series {why}", why=why))
    if _OF_THINGS.search(words) and not _COUNTS_PEOPLE.search(row.unit):
        reasons |= dict.fromkeys(expected & _PEOPLE - present, coded("about places, things or money"))
    out = {name for name in reasons if name in expected}
    return {name: getattr(row, name) for name in KEY} | {
        "asked_by": asked_by,
        "expected": _joined(expected),
        "present": _joined(expected & present),
        "missing": _joined(expected - present - out),
        "not_applicable": _joined(out),
        "why": _reasons({name: reasons[name] for name in sorted(out)}),
        "further": _joined(present - expected),
    }


def _reasons(reasons: dict[str, str]) -> str:
    told: dict[str, list[str]] = {}
    for name, why in reasons.items():
        told.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in told.items())


def _expected(row) -> tuple[set[str], str]:
    if row.unique_id:
        return set(catalogue.breakdowns_of(row.indicator)), coded("indicator {indicator}", indicator=row.indicator)
    shared = set(catalogue.breakdowns_of_target(row.target))
    return shared, coded("target {target}", target=row.target) if shared else ""


def _dimensions(breakdowns: pd.Series) -> set[str]:
    names = {pair.split("=", 1)[0].casefold() for text in breakdowns.unique() for pair in text.split(";") if pair}
    return {_SAME.get(name, name) for name in names}


def _joined(names: Iterable[str]) -> str:
    return "; ".join(sorted(names))
