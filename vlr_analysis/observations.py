"""The one table: its columns and its check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
import pandera.pandas as pa

from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.periods import parse_period

COLUMNS = (
    "area", "indicator", "series", "unit", "period", "breakdown", "value", "low", "high", "status", "source",
)  # fmt: skip
KEY = ("area", "indicator", "series", "unit", "period", "breakdown")
TEXT = tuple(name for name in COLUMNS if name not in ("value", "low", "high"))
NUMBERS = ("value", "low", "high")

STATUSES = ("value", "estimated", "provisional", "break", "missing", "suppressed", "not_applicable")
WITHOUT_VALUE = ("missing", "suppressed", "not_applicable")

_SLUG = r"[a-z0-9]+(-[a-z0-9]+)*"
_PAIR = r"[^=;]+=[^=;]+"


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


def check(table: pd.DataFrame, *, name: str = "table", rows: Sequence[int] | None = None) -> pd.DataFrame:
    """Check a table once on the way in; everything after trusts it.

    Parameters
    ----------
    table : DataFrame, shape (n, 11)
        The columns of `COLUMNS`, in any order. An empty `status` is read as ``value``.
        Texts may be None or NaN (read as empty); numbers must be numeric already.
    name : str
        What to call the table in messages, usually its file.
    rows : sequence of int, length n, optional
        Row number of each record in that file; left out: 2, 3, ... below a header in row 1.

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
    rows = range(2, len(table) + 2) if rows is None else rows
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
            problems += _at(table, bad, column, "a number", "write digits with a decimal point", name, rows)
            table[column] = numbers.astype("float64")
    raise_if_any(name, problems)

    try:
        SCHEMA.validate(table, lazy=True)
    except pa.errors.SchemaErrors as errors:
        problems += _from_pandera(errors, table, name, rows)
    for bad, column, expected, fix in _row_rules(table):
        problems += _at(table, bad, column, expected, fix, name, rows)
    problems += _duplicates(table, name, rows)
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


def _at(table, bad, column, expected, fix, name, rows) -> list[Problem]:
    return [
        Problem(
            f"{name}, row {rows[row]}, column {column}",
            "nothing" if pd.isna(table.at[row, column]) else repr(table.at[row, column]),
            expected,
            fix,
        )
        for row in table.index[bad.fillna(False).astype(bool)]
    ]


def _from_pandera(errors, table: pd.DataFrame, name: str, rows: Sequence[int]) -> list[Problem]:
    problems = []
    for case in errors.failure_cases.itertuples():
        expected, _, fix = str(case.check).partition(" | ")
        row = "" if pd.isna(case.index) else f", row {rows[int(case.index)]}"
        found = repr(case.failure_case) if case.failure_case != "" else "nothing"
        problems.append(Problem(f"{name}{row}, column {case.column}", found, expected, fix or "correct it"))
    return problems


def _duplicates(table: pd.DataFrame, name: str, rows: Sequence[int]) -> list[Problem]:
    again = table.duplicated(list(KEY), keep=False)
    problems = []
    for key, found in table[again].groupby(list(KEY), sort=False).groups.items():
        numbers = ", ".join(str(rows[row]) for row in found)
        problems.append(
            Problem(
                f"{name}, rows {numbers}",
                f"the same key {len(found)} times: {' / '.join(part for part in key if part)}",
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
