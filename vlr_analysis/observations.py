"""The one table: its columns, its periods, its check, and its series as arrays."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import numpy as np
import pandas as pd
import pandera.pandas as pa

from vlr_analysis.errors import InputError, Problem, raise_if_any

COLUMNS = (
    "area", "indicator", "series", "unit", "period", "breakdown", "value", "low", "high", "status", "source",
)  # fmt: skip
KEY = ("area", "indicator", "series", "unit", "period", "breakdown")
TEXT = tuple(name for name in COLUMNS if name not in ("value", "low", "high"))
NUMBERS = ("value", "low", "high")

STATUSES = ("value", "estimated", "provisional", "break", "missing", "suppressed", "not_applicable")
WITHOUT_VALUE = ("missing", "suppressed", "not_applicable")

SERIES_KEY = ("area", "indicator", "series", "unit", "breakdown", "duration")

_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
_PAIR = r"[^=;]+=[^=;]+"


# --- periods -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Period:
    """A stretch of time: first day, the day after the last, and its ISO 8601 duration."""

    start: date
    end: date
    duration: str

    @property
    def midpoint(self) -> float:
        """Position in time, in decimal years."""
        return (decimal_year(self.start) + decimal_year(self.end)) / 2


def decimal_year(day: date) -> float:
    """Return `day` as decimal years in which every month is a twelfth, so that months and years are evenly spaced."""
    return day.year + (day.month - 1) / 12 + (day.day - 1) / (12 * monthrange(day.year, day.month)[1])


def _add_months(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


_FORMS = (
    ("year", re.compile(r"(\d{4})")),
    ("quarter", re.compile(r"(\d{4})-Q([1-4])")),
    ("month", re.compile(r"(\d{4})-(\d{2})")),
    ("week", re.compile(r"(\d{4})-W(\d{2})")),
    ("day", re.compile(r"(\d{4}-\d{2}-\d{2})")),
    ("interval", re.compile(r"(\d{4}-\d{2}-\d{2})/P([1-9]\d?)([YMWD])")),
)


@lru_cache(maxsize=65536)
def parse_period(text: str) -> Period:
    """Read an ISO 8601 period.

    Parameters
    ----------
    text : str
        ``2019``, ``2019-Q3``, ``2019-07``, ``2019-W31``, ``2019-07-03``, or a start and a
        duration: ``2019-04-01/P1Y`` (a fiscal year), ``2016-01-01/P3Y`` (pooled years).

    Returns
    -------
    Period

    Raises
    ------
    ValueError
        `text` has none of these forms, or names a day, week or month that does not exist.
    """
    for form, pattern in _FORMS:
        found = pattern.fullmatch(text)
        if not found:
            continue
        a, *rest = found.groups()
        if form == "year":
            return Period(date(int(a), 1, 1), date(int(a) + 1, 1, 1), "P1Y")
        if form == "quarter":
            start = date(int(a), 3 * int(rest[0]) - 2, 1)
            return Period(start, _add_months(start, 3), "P3M")
        if form == "month":
            start = date(int(a), int(rest[0]), 1)
            return Period(start, _add_months(start, 1), "P1M")
        if form == "week":
            start = date.fromisocalendar(int(a), int(rest[0]), 1)
            return Period(start, start + timedelta(weeks=1), "P1W")
        start = date.fromisoformat(a)
        if form == "day":
            return Period(start, start + timedelta(days=1), "P1D")
        count, unit = int(rest[0]), rest[1]
        if unit in "YM":
            end = _add_months(start, count * (12 if unit == "Y" else 1))
        else:
            end = start + timedelta(days=count * (7 if unit == "W" else 1))
        return Period(start, end, f"P{count}{unit}")
    raise ValueError(f"{text!r} is not an ISO 8601 period")


def year_of(text: str) -> int:
    """Return the calendar year in which the midpoint of a period lies."""
    return int(np.floor(parse_period(text).midpoint))


# --- the check ---------------------------------------------------------------------------------


def _period_is_valid(text: str) -> bool:
    try:
        parse_period(text)
    except ValueError:
        return False
    return True


def _breakdown_is_sorted(text: str) -> bool:
    if not text:
        return True
    names = [pair.split("=", 1)[0] for pair in text.split(";")]
    return names == sorted(set(names))


def _each(test):
    """Apply `test` to each distinct text once: tables repeat few texts many times."""
    return lambda column: column.map({text: test(text) for text in column.unique()}).astype(bool)


# Each check's error text is "what was expected | how to fix it".
_TEXT_CHECKS = {
    "area": pa.Check(
        _each(lambda text: bool(re.fullmatch(_SLUG, text))),
        error="a slug such as los-angeles | use lower-case letters, digits and hyphens",
    ),
    "indicator": pa.Check.str_length(min_value=1, error="an indicator code | write the code, e.g. 3.2.1 or la.10.1"),
    "series": pa.Check.str_length(min_value=1, error="the measure in words | say what was measured"),
    "unit": pa.Check.str_length(min_value=1, error="a unit | write the unit of the value, e.g. %"),
    "period": pa.Check(
        _each(_period_is_valid),
        error="an ISO 8601 period | write 2019, 2019-Q3, 2019-07, 2019-W31, 2019-07-03 or 2019-04-01/P1Y",
    ),
    "status": pa.Check.isin(STATUSES, error=f"one of {', '.join(STATUSES)} | choose the one that applies"),
    "source": pa.Check.str_length(min_value=1, error="an id of the sources table | name where the value comes from"),
}
_BREAKDOWN_CHECKS = [
    pa.Check(
        _each(lambda text: not text or bool(re.fullmatch(f"{_PAIR}(;{_PAIR})*", text))),
        error="dimension=category pairs joined by ; | write e.g. age=15-24;sex=female, or leave it empty for the total",
    ),
    pa.Check(
        _each(_breakdown_is_sorted),
        error="dimensions in alphabetical order, each once | sort the pairs by their dimension",
    ),
]
_FINITE = pa.Check(lambda column: ~np.isinf(column), error="a finite number | correct the value")

SCHEMA = pa.DataFrameSchema(
    {
        **{name: pa.Column(str, _TEXT_CHECKS[name]) for name in TEXT if name != "breakdown"},
        "breakdown": pa.Column(str, _BREAKDOWN_CHECKS),
        **{name: pa.Column(float, _FINITE, nullable=True) for name in NUMBERS},
    },
    strict=True,
)


def _blank(table: pd.DataFrame, column: str) -> pd.Series:
    return table[column].isna() if column in NUMBERS else table[column] == ""


def _row_rules(table: pd.DataFrame) -> Iterator[tuple[pd.Series, str, str, str]]:
    """Yield (bad rows, column, expected, fix) for rules that need more than one column."""
    empty = table["status"].isin(WITHOUT_VALUE)
    yield (
        table["value"].isna() & ~empty,
        "value",
        f"a number, or a status that says why there is none ({', '.join(WITHOUT_VALUE)})",
        "write the number, or set status; a missing value is never zero",
    )
    yield (
        table["value"].notna() & empty,
        "value",
        "no number where the status says that there is none",
        "empty the value, or correct the status",
    )
    outside = (table["low"] > table["value"]) | (table["high"] < table["value"]) | (table["low"] > table["high"])
    yield (outside, "low", "low <= value <= high", "check the interval: are low and high swapped?")
    yield (
        table["low"].isna() != table["high"].isna(),
        "low",
        "both ends of the interval or neither",
        "add the missing end, or leave both empty",
    )


def check(table: pd.DataFrame, *, name: str = "table", first_row: int = 2) -> pd.DataFrame:
    """Check a table once on the way in; everything after trusts it.

    Parameters
    ----------
    table : DataFrame, shape (n, 11)
        The columns of `COLUMNS`, in any order. An empty `status` is read as ``value``.
        Texts may be None or NaN (read as empty); numbers must be numeric already.
    name : str
        What to call the table in messages, usually its file.
    first_row : int
        Row number of the first record in that file (2 where row 1 holds the header).

    Returns
    -------
    DataFrame, shape (n, 11)
        A new frame with exactly `COLUMNS`, sorted by key in order of time, index 0..n-1.

    Raises
    ------
    InputError
        Lists every offence with file, row and column: a missing or unknown column, a wrong
        type, a period or breakdown that cannot be read, a value that disagrees with its
        status, an interval that leaves its value out, a duplicate key.

    Notes
    -----
    Nothing is repaired here but the empty status; readers repair, and log what they repair.
    """
    problems = _column_problems(table, name)
    raise_if_any(name, problems)
    table = table[list(COLUMNS)].reset_index(drop=True)
    for column in TEXT:
        table[column] = table[column].astype(object).where(table[column].notna(), "").astype(str)
    table["status"] = table["status"].replace("", "value")
    for column in NUMBERS:
        try:
            table[column] = table[column].astype("float64")
        except (TypeError, ValueError):
            numbers = pd.to_numeric(table[column], errors="coerce")
            bad = numbers.isna() & table[column].notna()
            problems += _at(table, bad, column, "a number", "write digits with a decimal point", name, first_row)
            table[column] = numbers.astype("float64")
    raise_if_any(name, problems)

    try:
        SCHEMA.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        problems += _from_pandera(errors, table, name, first_row)
    for bad, column, expected, fix in _row_rules(table):
        problems += _at(table, bad, column, expected, fix, name, first_row)
    problems += _duplicates(table, name, first_row)
    raise_if_any(name, problems)

    midpoint = table["period"].map({text: parse_period(text).midpoint for text in table["period"].unique()})
    order = [column for column in KEY if column != "period"]
    table = table.assign(_midpoint=midpoint).sort_values([*order, "_midpoint", "period"], kind="stable")
    return table.drop(columns="_midpoint").reset_index(drop=True)


def _column_problems(table: pd.DataFrame, name: str) -> list[Problem]:
    missing = [column for column in COLUMNS if column not in table.columns]
    unknown = [str(column) for column in table.columns if column not in COLUMNS]
    twice = sorted({str(column) for column in table.columns[table.columns.duplicated()]})
    problems = []
    if missing:
        problems.append(
            Problem(
                f"{name}, header", f"no column {', '.join(missing)}", f"the columns {', '.join(COLUMNS)}", "add them"
            )
        )
    if unknown:
        problems.append(
            Problem(
                f"{name}, header",
                f"the column {', '.join(map(repr, unknown))}",
                f"only the columns {', '.join(COLUMNS)}",
                "rename it to the column it stands for, or remove it",
            )
        )
    if twice:
        problems.append(Problem(f"{name}, header", f"{', '.join(twice)} twice", "each column once", "remove one"))
    return problems


def _at(table, bad, column, expected, fix, name, first_row) -> list[Problem]:
    return [
        Problem(
            f"{name}, row {row + first_row}, column {column}",
            "nothing" if pd.isna(table.at[row, column]) else repr(table.at[row, column]),
            expected,
            fix,
        )
        for row in table.index[bad.fillna(False).astype(bool)]
    ]


def _from_pandera(errors, table: pd.DataFrame, name: str, first_row: int) -> list[Problem]:
    problems = []
    for case in errors.failure_cases.itertuples():
        expected, _, fix = str(case.check).partition(" | ")
        row = "" if pd.isna(case.index) else f", row {int(case.index) + first_row}"
        found = repr(case.failure_case) if case.failure_case != "" else "nothing"
        problems.append(Problem(f"{name}{row}, column {case.column}", found, expected, fix or "correct it"))
    return problems


def _duplicates(table: pd.DataFrame, name: str, first_row: int) -> list[Problem]:
    again = table.duplicated(list(KEY), keep=False)
    problems = []
    for key, rows in table[again].groupby(list(KEY), sort=False).groups.items():
        numbers = ", ".join(str(row + first_row) for row in rows)
        problems.append(
            Problem(
                f"{name}, rows {numbers}",
                f"the same key {len(rows)} times: {' / '.join(part for part in key if part)}",
                "each (area, indicator, series, unit, period, breakdown) once",
                "remove the repeated rows, or tell them apart by series or breakdown",
            )
        )
    return problems


def empty() -> pd.DataFrame:
    """Return a table of no observations with the right columns and types."""
    return pd.DataFrame({name: pd.Series(dtype=float if name in NUMBERS else object) for name in COLUMNS})


def headline(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that stand for the total (no breakdown)."""
    return table[table["breakdown"] == ""]


# --- series as arrays --------------------------------------------------------------------------


@dataclass(frozen=True)
class SeriesBlock:
    """Series of one length, as arrays; row i of every array belongs to row `rows[i]` of the keys."""

    rows: np.ndarray  # (m,) positions in SeriesSet.keys
    t: np.ndarray  # (m, n) midpoints, decimal years, ascending
    y: np.ndarray  # (m, n) values, no NaN
    start: np.ndarray  # (m, n) first day, decimal years
    end: np.ndarray  # (m, n) day after the last, decimal years


@dataclass(frozen=True)
class SeriesSet:
    """All series of a table.

    Attributes
    ----------
    keys : DataFrame, one row per series
        `SERIES_KEY` and: `freq` (SDMX code A, Q, M, W, D by the usual distance between points),
        `n` (values), `n_missing` (rows without a value), `first`, `last` (periods as written),
        `overlapping` (pooled periods share years), `has_interval` (the source gives one for every
        value), `has_break` (a row has status ``break``), `source` (ids joined by ``;``).
    points : DataFrame, one row per value
        `row` (position in keys), `period`, `t`, `start`, `end` (decimal years), `value`, `low`,
        `high`, `status`; sorted by row and time. Rows without a value are not here.
    """

    keys: pd.DataFrame
    points: pd.DataFrame

    def blocks(self) -> Iterator[SeriesBlock]:
        """Yield the series grouped by their number of values, so that each group is one array."""
        lengths = self.keys["n"].to_numpy()
        offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(lengths) else np.array([], int)
        columns = [self.points[name].to_numpy() for name in ("t", "value", "start", "end")]
        for n in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == n)
            at = offsets[rows][:, None] + np.arange(n)
            yield SeriesBlock(rows, *(column[at] for column in columns))


def frequency(spacing_years: float) -> str:
    """Return the SDMX frequency code for a usual distance between points, in years."""
    for code, least in (("A", 0.75), ("Q", 0.2), ("M", 0.06), ("W", 0.015)):
        if spacing_years >= least:
            return code
    return "D"


_OWN_SPACING = {"Y": 1.0, "M": 1 / 12, "W": 1 / 52, "D": 1 / 365}


def as_series(table: pd.DataFrame) -> SeriesSet:
    """Split a checked table into its series.

    A series is one (area, indicator, series, unit, breakdown) with periods of one duration:
    yearly and monthly values of the same measure are two series.

    Parameters
    ----------
    table : DataFrame
        Observations as `check` returns them.

    Returns
    -------
    SeriesSet
        Keys in natural sorted order. A series whose every row lacks a value is kept with n = 0.
    """
    unique = table["period"].unique()
    read = {text: parse_period(text) for text in unique}
    parts = pd.DataFrame(
        {
            "duration": [read[text].duration for text in unique],
            "t": [read[text].midpoint for text in unique],
            "start": [decimal_year(read[text].start) for text in unique],
            "end": [decimal_year(read[text].end) for text in unique],
        },
        index=unique,
    )
    rows = table.join(parts, on="period").sort_values([*SERIES_KEY, "t"], kind="stable").reset_index(drop=True)
    group = rows.groupby(list(SERIES_KEY), sort=True, observed=True)
    rows["row"] = group.ngroup()
    keys = group.agg(
        n=("value", "count"), n_missing=("value", lambda column: int(column.isna().sum()))
    ).reset_index()  # fmt: skip
    points = rows[rows["value"].notna()].reset_index(drop=True)
    gaps = points.groupby("row")["t"].diff()
    spacing = gaps.groupby(points["row"]).median().reindex(keys.index)
    own = keys["duration"].str[1:-1].astype(float) * keys["duration"].str[-1].map(_OWN_SPACING)
    keys["freq"] = [frequency(gap) for gap in spacing.fillna(own)]
    by_row = points.groupby("row")
    keys["first"] = by_row["period"].first().reindex(keys.index).fillna("")
    keys["last"] = by_row["period"].last().reindex(keys.index).fillna("")
    overlap = points["start"] < by_row["end"].shift() - 1e-9
    keys["overlapping"] = overlap.groupby(points["row"]).any().reindex(keys.index).fillna(False).astype(bool)
    keys["has_interval"] = (
        points["low"].notna().groupby(points["row"]).all().reindex(keys.index).fillna(False).astype(bool)
    )
    keys["has_break"] = (rows["status"] == "break").groupby(rows["row"]).any().reindex(keys.index).astype(bool)
    sources = rows.drop_duplicates(["row", "source"]).groupby("row")["source"]
    keys["source"] = sources.agg(lambda ids: ";".join(sorted(ids))).reindex(keys.index)
    columns = ["row", "period", "t", "start", "end", "value", "low", "high", "status"]
    return SeriesSet(keys, points[columns])


__all__ = [
    "COLUMNS", "KEY", "SCHEMA", "SERIES_KEY", "STATUSES", "WITHOUT_VALUE", "InputError", "Period", "SeriesBlock",
    "SeriesSet", "as_series", "check", "decimal_year", "empty", "frequency", "headline", "parse_period", "year_of",
]  # fmt: skip
