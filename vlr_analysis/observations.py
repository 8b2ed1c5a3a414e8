"""The one table: its columns and its check."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

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

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PAIRS = re.compile(r"[^=;]+=[^=;]+(;[^=;]+=[^=;]+)*")
_ORDER = ("area", "indicator", "series", "unit", "breakdown", "period")
_LISTED = 20  # rows of one repeated key that a message lists


# --- the rules ---------------------------------------------------------------------------------


def is_slug(text: str) -> bool:
    """Whether a text may be the id of an area: lower-case letters and digits, joined by single hyphens."""
    return bool(_SLUG.fullmatch(text))


@lru_cache(maxsize=65536)
def _place_in_time(text: str) -> float:
    """Midpoint of a period in decimal years; NaN for what is no period."""
    try:
        return parse_period(text).midpoint
    except ValueError:
        return np.nan


def _breakdown_is_sorted(text: str) -> bool:
    names = [pair.split("=", 1)[0] for pair in text.split(";")] if text else []
    return names == sorted(set(names))


# Column, test of one text, what is expected, how to mend it. Tables repeat few texts many times: each is tested once.
_TEXT_RULES: tuple[tuple[str, Callable[[str], bool], str, str], ...] = (
    ("area", is_slug, "a slug such as los-angeles", "use lower-case letters, digits and hyphens"),
    ("indicator", bool, "an indicator code", "write the code, e.g. 3.2.1 or la.10.1"),
    ("series", bool, "the measure in words", "say what was measured"),
    ("unit", bool, "a unit", "write the unit of the value, e.g. %"),
    (
        "period",
        lambda text: not np.isnan(_place_in_time(text)),
        "an ISO 8601 period",
        "write 2019, 2019-Q3, 2019-07, 2019-W31, 2019-07-03 or 2019-04-01/P1Y",
    ),
    ("status", STATUSES.__contains__, f"one of {', '.join(STATUSES)}", "choose the one that applies"),
    ("source", bool, "an id of the sources table", "name where the value comes from"),
    (
        "breakdown",
        lambda text: not text or bool(_PAIRS.fullmatch(text)),
        "dimension=category pairs joined by ;",
        "write e.g. age=15-24;sex=female, or leave it empty for the total",
    ),
    (
        "breakdown",
        _breakdown_is_sorted,
        "dimensions in alphabetical order, each once",
        "sort the pairs by their dimension",
    ),
)


def _number_rules(numbers: dict[str, np.ndarray], without: np.ndarray) -> Iterator[tuple[np.ndarray, str, str, str]]:
    """Yield (bad rows, column, expected, fix) for rules on numbers; `without`: the status says that there is none."""
    for name, column in numbers.items():
        yield np.isinf(column), name, "a finite number", "correct the value"
    value, low, high = numbers.values()
    empty = np.isnan(value)
    yield (
        empty & ~without,
        "value",
        f"a number, or a status that says why there is none ({', '.join(WITHOUT_VALUE)})",
        "write the number, or set status; a missing value is never zero",
    )
    yield (
        ~empty & without,
        "value",
        "no number where the status says that there is none",
        "empty the value, or correct the status",
    )
    outside = (low > value) | (high < value) | (low > high)
    yield outside, "low", "low <= value <= high", "check the interval: are low and high swapped?"
    yield (
        np.isnan(low) != np.isnan(high),
        "low",
        "both ends of the interval or neither",
        "add the missing end, or leave both empty",
    )


# --- the check ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Fault:
    """One rule that rows of a table break.

    Attributes
    ----------
    kind : (str, str)
        Where (``column value``, ``rows``) and what was expected there.
    rows : ndarray of int
        Positions of the rows at fault; of rows that repeat one key, the first.
    tell : callable
        Makes the message about one of the rows.
    """

    kind: tuple[str, str]
    rows: np.ndarray
    tell: Callable[[int], Problem]


def check(table: pd.DataFrame, *, name: str = "table", rows: Sequence | None = None) -> pd.DataFrame:
    """Check a table once on the way in; everything after trusts it.

    Parameters
    ----------
    table : DataFrame, shape (n, 11)
        The columns of `COLUMNS`, in any order. An empty `status` is read as ``value``.
        Texts may be None or NaN (read as empty); numbers must be numeric already.
    name : str
        What to call the table in messages, usually its file.
    rows : sequence, length n, optional
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
    checked, faults = examine(table, name=name, rows=rows)
    raise_if_any(name, [fault.tell(row) for fault in faults for row in fault.rows.tolist()])
    return checked


def examine(
    table: pd.DataFrame, *, name: str = "table", rows: Sequence | None = None
) -> tuple[pd.DataFrame, list[Fault]]:
    """Check a table as `check` does, but hand back what is wrong: of a large table not every message is wanted.

    Returns
    -------
    checked : DataFrame
        As `check` returns it; to be used only where there is no fault.
    faults : list of Fault

    Raises
    ------
    InputError
        Columns are missing, unknown or there twice.
    """
    raise_if_any(name, _column_problems(table, name))
    rows = range(2, len(table) + 2) if rows is None else rows
    table = table[list(COLUMNS)].reset_index(drop=True)
    for column in TEXT:
        table[column] = _as_text(table[column])
    table["status"] = table["status"].replace("", "value")
    faults = []
    for column in NUMBERS:
        try:
            table[column] = table[column].astype("float64")
        except (TypeError, ValueError):
            numbers = pd.to_numeric(table[column], errors="coerce")
            bad = (numbers.isna() & table[column].notna()).to_numpy()
            faults.append(_fault(bad, column, "a number", "write digits with a decimal point", table, name, rows))
    if faults:
        return table, faults

    codes, texts = {}, {}
    for column in TEXT:
        codes[column], texts[column] = _coded(table[column])
    for column, test, expected, fix in _TEXT_RULES:
        good = np.array([test(text) for text in texts[column]], dtype=bool)
        if not good.all():
            faults.append(_fault(~good[codes[column]], column, expected, fix, table, name, rows))
    numbers = {column: table[column].to_numpy() for column in NUMBERS}
    without = np.isin(texts["status"], WITHOUT_VALUE)[codes["status"]]
    for bad, column, expected, fix in _number_rules(numbers, without):
        if bad.any():
            faults.append(_fault(bad, column, expected, fix, table, name, rows))
    place = _joined([codes[column] for column in _ORDER], [len(texts[column]) for column in _ORDER])
    faults += _repeated(place, table, name, rows)
    if not faults and (np.diff(place) < 0).any():
        table = table.take(np.argsort(place, kind="stable")).reset_index(drop=True)
    return table, faults


def _as_text(column: pd.Series) -> pd.Series:
    if isinstance(column.dtype, pd.StringDtype):
        return column.fillna("").astype(str)
    return column.astype(object).where(column.notna(), "").astype(str)


def _coded(column: pd.Series) -> tuple[np.ndarray, list[str]]:
    """Return each text once, in order (periods in order of time), and for each row the position of its text there."""
    codes, distinct = pd.factorize(column)
    texts = distinct.tolist()
    key = (lambda text: (_place_in_time(text), text)) if column.name == "period" else None
    order = sorted(range(len(texts)), key=lambda i: key(texts[i]) if key else texts[i])
    ranks = np.empty(len(texts), dtype=np.int64)
    ranks[order] = np.arange(len(texts))
    return ranks[codes], [texts[i] for i in order]


def _joined(codes: Iterable[np.ndarray], sizes: Iterable[int]) -> np.ndarray:
    """Join the codes of several columns to one whole number a row, that sorts as they do from the first to the last."""
    joined, count = np.int64(0), 1
    for code, size in zip(codes, sizes, strict=True):
        if count * size >= 2**62:
            distinct, joined = np.unique(joined, return_inverse=True)
            count = len(distinct)
        joined, count = joined * size + code, count * size
    return joined


def _fault(bad: np.ndarray, column: str, expected: str, fix: str, table: pd.DataFrame, name: str, rows) -> Fault:
    cells = table[column]

    def tell(row: int) -> Problem:
        cell = cells.iat[row]
        cell = cell.item() if isinstance(cell, np.generic) else cell
        found = "nothing" if pd.isna(cell) or cell == "" else repr(cell)
        return Problem(f"{name}, row {rows[row]}, column {column}", found, expected, fix)

    return Fault((f"column {column}", expected), np.flatnonzero(bad), tell)


def _repeated(place: np.ndarray, table: pd.DataFrame, name: str, rows: Sequence) -> list[Fault]:
    again = np.flatnonzero(pd.Series(place).duplicated(keep=False))
    if not len(again):
        return []
    expected = "each (area, indicator, series, unit, period, breakdown) once"
    keys, _ = pd.factorize(place[again])  # numbered as they first appear
    alike = np.split(again[np.argsort(keys, kind="stable")], np.cumsum(np.bincount(keys))[:-1])
    groups = {int(group[0]): group for group in alike}

    def tell(row: int) -> Problem:
        group = groups[row]
        numbers = ", ".join(str(rows[other]) for other in group[:_LISTED].tolist())
        more = f" and {len(group) - _LISTED} more" if len(group) > _LISTED else ""
        key = " / ".join(part for part in table.loc[row, list(KEY)] if part)
        fix = "remove the repeated rows, or tell them apart by series or breakdown"
        return Problem(f"{name}, rows {numbers}{more}", f"the same key {len(group)} times: {key}", expected, fix)

    return [Fault(("rows", expected), np.array(list(groups)), tell)]


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


def empty() -> pd.DataFrame:
    """Return a table of no observations with the right columns and types."""
    return pd.DataFrame({name: pd.Series(dtype=float if name in NUMBERS else object) for name in COLUMNS})


def headline(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that stand for the total (no breakdown)."""
    return table[table["breakdown"] == ""]
