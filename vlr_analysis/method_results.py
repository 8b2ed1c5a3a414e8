"""The table that a method of the project returns: what may stand in it, and its full form."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from vlr_analysis.errors import Problem
from vlr_analysis.findings import KEY
from vlr_analysis.method_files import Method
from vlr_analysis.trends import UNKNOWN

SERIES = [*KEY, "breakdown"]
NUMBERS, TEXTS, PERIODS = ("result", "low", "high"), ("verdict", "reason", "caveat"), ("first", "last")
MAY_LACK = ("breakdown", "low", "high", "reason", "caveat", "first", "last")


def problems_of(method: Method, returned: Any, rows: pd.DataFrame) -> Iterator[Problem]:
    """Name everything that is wrong with what the function of a method returns.

    Parameters
    ----------
    method : Method
    returned : any
    rows : DataFrame
        What the function was given.
    """
    where = f"{method.where}, what {method.name} returns"
    if not isinstance(returned, pd.DataFrame):
        yield Problem(where, type(returned).__name__, "a pandas DataFrame, one row a series", "return the table")
        return
    if not len(returned):
        return
    must = [*KEY, "result", "verdict"]
    allowed = [*must, *MAY_LACK, *method.columns]
    for name in [name for name in must if name not in returned]:
        yield Problem(f"{where}, column {name}", "nothing", f"a column {name}", "add it")
    for name in [name for name in returned if name not in (*allowed, "area")]:
        near = get_close_matches(str(name), allowed, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else f"name it under columns: in {method.name}.yaml, or leave it out"
        fix = "leave it out: the kit grades findings by their data" if name == "grade" else fix
        yield Problem(f"{where}, column {name}", "an unknown column", f"one of {', '.join(allowed)}", fix)
    if any(name not in returned for name in must):
        return
    table = returned.reset_index(drop=True)
    yield from _odd_cells(method, table, where)
    keys = _as_text(table, SERIES)
    held = set(rows[SERIES].itertuples(index=False, name=None))
    for at in np.flatnonzero([key not in held for key in keys.itertuples(index=False, name=None)])[:5]:
        found = ", ".join(map(str, keys.iloc[at]))
        yield Problem(f"{where}, row {at + 1}", f"the series {found}", "a series that it was given", "keep the keys")
    for at in np.flatnonzero(keys.duplicated())[:5]:
        yield Problem(f"{where}, row {at + 1}", "a series that has a row already", "one row a series", "keep one")
    for name in PERIODS:
        told = _as_text(table, [name])[name]
        for at in np.flatnonzero(~told.isin([*rows["period"], ""]))[:5]:
            found, fix = repr(told.iloc[at]), "take it from the column period"
            yield Problem(f"{where}, row {at + 1}, column {name}", found, "a period that it was given", fix)


def _odd_cells(method: Method, table: pd.DataFrame, where: str) -> Iterator[Problem]:
    for name in [name for name in NUMBERS if name in table]:
        numbers = pd.to_numeric(table[name], errors="coerce")
        for at in np.flatnonzero((numbers.isna() & table[name].notna()) | np.isinf(numbers.astype(float)))[:5]:
            found, fix = repr(table[name].iloc[at]), "give NaN, and the reason in the column reason"
            yield Problem(f"{where}, row {at + 1}, column {name}", found, "a finite number, or NaN", fix)
    if {"low", "high"} <= set(table):
        ends = table[["low", "result", "high"]].apply(pd.to_numeric, errors="coerce")
        wrong = (ends["low"] > ends["result"]) | (ends["result"] > ends["high"])
        for at in np.flatnonzero(wrong | (ends["low"].isna() != ends["high"].isna()))[:5]:
            found = " to ".join(f"{ends[end].iloc[at]:g}" for end in ("low", "high"))
            expected = f"both ends or none, with the result {ends['result'].iloc[at]:g} between them"
            yield Problem(f"{where}, row {at + 1}, columns low and high", found, expected, "correct the interval")
    words = (*method.verdicts, UNKNOWN, "")
    verdicts = _as_text(table, ["verdict"])["verdict"]
    for at in np.flatnonzero(~verdicts.isin(words))[:5]:
        found, near = verdicts.iloc[at], get_close_matches(verdicts.iloc[at], words, n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"name the word under verdicts: in {method.name}.yaml"
        yield Problem(f"{where}, row {at + 1}, column verdict", repr(found), f"one of {', '.join(words[:-1])}", fix)


def checked(method: Method, returned: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a method in its full form; the periods that it leaves out are the ends of the series."""
    columns = [*SERIES, *PERIODS, *NUMBERS, *TEXTS, *method.columns]
    made = returned.reset_index(drop=True).reindex(columns=columns)
    made[list(NUMBERS)] = made[list(NUMBERS)].astype(float)
    texts = [*SERIES, *PERIODS, *TEXTS]
    made[texts] = _as_text(made, texts)
    ends = rows.groupby(SERIES)["period"].agg(["first", "last"])
    for name in PERIODS:
        whole = made[SERIES].merge(ends.reset_index(), on=SERIES, how="left")[name]
        made[name] = made[name].where(made[name] != "", whole.fillna(""))
    made.insert(0, "area", rows["area"].iloc[0] if len(rows) else "")
    return made


def _as_text(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return columns as text, empty where nothing is said or the column is not there."""
    cells = table.reindex(columns=columns).astype(object)
    return cells.where(cells.notna(), "").astype(str)
