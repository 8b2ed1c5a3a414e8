"""Where two results differ: tables cell by cell, findings by sentence, numbers within the declared rounding."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from vlr_analysis.method_files import METHODS
from vlr_analysis.observations import KEY
from vlr_analysis.review.certificate import DIGITS, NOTHING, Certificate

# Columns that say which row a row is, where a table has them; numbers in them are names.
ROW_KEY = (
    "finding", "subject", "kind", "place", *KEY, "other_area", "dimension", "measure", "second_measure", "duration",
    "goal", "target_code", "number", "domain", "objective", "pillar", "department", "first", "t",
)  # fmt: skip
SHOWN = 4  # of a row's key, as a reader needs it
LONGEST = 160  # letters of a value that is printed

# What kind of difference it is, and whether the results are the same all the same.
KINDS = {
    "input": "another input", "code": "other code", "environment": "another environment", "cell": "another value",
    "table": "another table", "sentence": "another sentence", "file": "another file",
    "rounding": "within the declared rounding",
}  # fmt: skip
OF_RESULTS = ("cell", "table", "sentence")


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it should be.

    Attributes
    ----------
    kind : str
        One of `KINDS`.
    file : str
        Below the report, or below the project for an input.
    where : str
        Row and column, finding and field; empty where the whole file is meant.
    there, here : str
        What the report or its certificate says, and what was found; empty for nothing.
    """

    kind: str
    file: str
    where: str = ""
    there: str = ""
    here: str = ""

    def __str__(self) -> str:
        at = f"{self.file}, {self.where}" if self.where else self.file
        return f"{at}: {KINDS[self.kind]}; report {_short(self.there)}, here {_short(self.here)}"


def _short(text: str) -> str:
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return text or "nothing"


def near(there: float, here: float) -> bool:
    """Say whether two numbers are equal: one unit of the sixth significant digit apart, or both a rest of zero."""
    apart, largest = abs(there - here), max(abs(there), abs(here))
    if not math.isfinite(apart):
        return False
    return apart <= NOTHING or apart <= 10 ** (math.floor(math.log10(largest)) - DIGITS + 1) * (1 + 1e-6)


# --- tables ------------------------------------------------------------------------------------


def table_differences(
    file: str, there: str, here: str, *, without: Sequence[str] = (), ids: Mapping[str, str] | None = None
) -> Iterator[Difference]:
    """Compare two CSV texts cell by cell.

    Parameters
    ----------
    file : str
    there, here : str
    without : sequence of str
        Columns that are passed over.
    ids : mapping, optional
        Ids of findings of `there` -> ids of the same findings of `here`.
    """
    if there == here:
        return
    try:
        before, after = _read(there, without), _read(here, without)
    except (ValueError, pd.errors.ParserError, pd.errors.EmptyDataError):
        yield Difference("table", file, "", "a table", "text that is no table")
        return
    for name in ("finding", "id"):
        if ids and name in before:
            before[name] = before[name].map(lambda one: ids.get(one, one))
    yield from (
        Difference("table", file, f"column {name}", "a column") for name in before.columns.difference(after.columns)
    )
    yield from (
        Difference("table", file, f"column {name}", "", "a column") for name in after.columns.difference(before.columns)
    )
    key = _key(before, after)
    before, after = _indexed(before, key), _indexed(after, key)
    yield from (
        Difference("table", file, f"row {_row(one)}", "a row") for one in before.index if one not in after.index
    )
    yield from (
        Difference("table", file, f"row {_row(one)}", "", "a row") for one in after.index if one not in before.index
    )
    both = before.index.intersection(after.index, sort=False)
    before, after = before.loc[both], after.loc[both]
    for name in [name for name in before.columns if name in after.columns]:
        old, new = before[name].to_numpy(), after[name].to_numpy()
        if list(both.names[:-1]) and name in both.names:
            continue
        fractions = any(_is_fraction(one) for one in (*old, *new))
        for i in np.flatnonzero(old != new):
            kind = "rounding" if (fractions and _same_text(old[i], new[i])) or _same_json(old[i], new[i]) else "cell"
            yield Difference(kind, file, f"row {_row(both[i])}, column {name}", old[i], new[i])


def _read(text: str, without: Sequence[str]) -> pd.DataFrame:
    table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, na_filter=False)
    return table.drop(columns=[name for name in without if name in table])


def _key(before: pd.DataFrame, after: pd.DataFrame) -> list[str]:
    found = [name for name in ROW_KEY if name in before and name in after]
    return found or [name for name in before.columns[:1] if name in after]


def _indexed(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Index a table by its key and a count, for rows that the key does not tell apart."""
    count = table.groupby(key).cumcount() if key else pd.Series(range(len(table)), index=table.index)
    return table.assign(**{"#": count + 1}).set_index([*key, "#"])


def _row(key: Any) -> str:
    *parts, count = key if isinstance(key, tuple) else (key,)
    told = [str(part) for part in parts if part != ""]
    shown = " / ".join(told) if len(told) <= SHOWN + 2 else " / ".join(told[: SHOWN + 2])
    return f"{shown} #{count}" if count > 1 or not shown else shown


def _is_fraction(text: str) -> bool:
    return ("." in text or "e" in text) and _number(text) is not None


def _number(text: str) -> float | None:
    """Return a number that is written as the kit writes floats; codes such as 1.10 are none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and f"{value:.{DIGITS}g}" == text else None


def _same_text(there: str, here: str) -> bool:
    numbers = (_number(there), _number(here))
    return None not in numbers and near(*numbers)


def _same_json(there: str, here: str) -> bool:
    """Compare two cells that hold JSON, such as the numbers of a finding."""
    if not (there[:1] in ("{", "[") and here[:1] in ("{", "[")):
        return False
    try:
        return same_values(json.loads(there), json.loads(here))
    except (ValueError, RecursionError):
        return False


def same_values(there: Any, here: Any) -> bool:
    """Compare values as they come from JSON; floats within the declared rounding, everything else exactly."""
    if isinstance(there, dict) and isinstance(here, dict):
        return there.keys() == here.keys() and all(same_values(there[name], here[name]) for name in there)
    if isinstance(there, list) and isinstance(here, list):
        return len(there) == len(here) and all(map(same_values, there, here))
    if isinstance(there, float) and isinstance(here, float):
        return near(there, here)
    return there == here


# --- findings ----------------------------------------------------------------------------------

FIELDS = ("statement", "caveat", "verdict", "grade", "grade_reason", "priority", "source", "notebook", "evidence")


def same_findings(there: Sequence[Mapping], here: Sequence[Mapping]) -> tuple[dict[str, str], list[Difference]]:
    """Compare findings: what they speak of pairs them, since an id changes with the numbers.

    Parameters
    ----------
    there, here : sequence of mapping
        Records as `findings.jsonl` holds them; a field that one side does not have is passed over.

    Returns
    -------
    dict
        Ids of `there` -> ids of the same findings of `here`.
    list of Difference
    """
    before, after = _by_subject(there), _by_subject(here)
    ids = {str(one["id"]): str(after[key]["id"]) for key, one in before.items() if key in after}
    found = []
    for key in [*before, *(key for key in after if key not in before)]:
        old, new = before.get(key), after.get(key)
        where = f"finding {(old or new)['id']}"
        if old is None or new is None:
            told = ["" if one is None else str(one["statement"]) for one in (old, new)]
            found.append(Difference("sentence", "findings.jsonl", where, *told))
            continue
        found += [
            Difference("sentence", "findings.jsonl", f"{where}, {name}", str(old[name]), str(new[name]))
            for name in FIELDS
            if name in old and name in new and old[name] != new[name]
        ]
        for name in sorted({*old["numbers"], *new["numbers"]}):
            one, other = old["numbers"].get(name), new["numbers"].get(name)
            if one != other:
                kind = "rounding" if same_values(one, other) else "cell"
                told = ["" if value is None else str(value) for value in (one, other)]
                found.append(Difference(kind, "findings.jsonl", f"{where}, number {name}", *told))
    return ids, found


def _by_subject(records: Sequence[Mapping]) -> dict[tuple[str, int], Mapping]:
    found: dict[tuple[str, int], Mapping] = {}
    counts: dict[str, int] = {}
    for one in records:
        subject = str(one["subject"])
        counts[subject] = counts.get(subject, 0) + 1
        found[subject, counts[subject]] = one
    return found


def changed_methods(there: Certificate, here: Certificate) -> list[tuple[str, str, str]]:
    """Return path and both hashes of each file in `methods/` that differs between two reviews, or that one lacks."""
    files = [
        {name: one.sha256 for name, one in side.inputs.items() if name.startswith(f"{METHODS}/")}
        for side in (there, here)
    ]
    names = sorted({*files[0], *files[1]})
    rows = [(name, files[0].get(name, ""), files[1].get(name, "")) for name in names]
    return [row for row in rows if row[1] != row[2]]
