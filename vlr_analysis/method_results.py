"""The table that a method of the project returns: what may stand in it, and its full form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from difflib import get_close_matches
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from vlr_analysis.errors import Problem
from vlr_analysis.exhibits import FLOAT_FORMAT, PROBABILITIES
from vlr_analysis.findings import KEY
from vlr_analysis.language import coded
from vlr_analysis.method_files import Method
from vlr_analysis.trends import UNKNOWN

SERIES = [*KEY, "breakdown"]
NUMBERS, TEXTS, PERIODS = ("result", "low", "high"), ("verdict", "reason", "caveat"), ("first", "last")
MAY_LACK = ("breakdown", "low", "high", "reason", "caveat", "first", "last")
NO_WIDTH = coded("an interval without width is none")
AT_MOST = 5  # problems of one sort in one column that a message names


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
    if isinstance(returned.columns, pd.MultiIndex):
        yield Problem(where, "columns of several levels", "one name a column", "name the columns anew")
        return
    if not len(returned):
        return
    must = [*KEY, "result", "verdict"]
    allowed = [*must, *MAY_LACK, *method.columns]
    names = list(returned.columns)
    for name in [name for name in must if name not in names]:
        yield Problem(f"{where}, column {name}", "nothing", f"a column {name}", "add it")
    for name in [name for name in names if name not in (*allowed, "area")]:
        near = get_close_matches(str(name), allowed, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else f"name it under columns: in {method.name}.yaml, or leave it out"
        fix = "leave it out: the kit grades findings by their data" if name == "grade" else fix
        yield Problem(f"{where}, column {name}", "an unknown column", f"one of {', '.join(allowed)}", fix)
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    for name in twice:
        fix = "keep one of them, or rename the other"
        yield Problem(f"{where}, column {name}", f"{names.count(name)} columns of this name", "one", fix)
    if twice or any(name not in names for name in must):
        return
    table = returned.reset_index(drop=True).astype(object)
    odd = list(_odd_cells(method, table, where))
    yield from odd or [
        *_odd_intervals(table, where),
        *_odd_rows(table, rows, where),
        *_odd_verdicts(method, table, where),
    ]


def _odd_cells(method: Method, table: pd.DataFrame, where: str) -> Iterator[Problem]:
    """Find cells of another type than their column holds; what else may be wrong is looked at when there are none."""
    numbers = {*NUMBERS, *(name for name in method.columns if name in PROBABILITIES or name == "year")}
    texts = {*SERIES, *PERIODS, *TEXTS}
    for name in [name for name in table if name != "area"]:
        if name in numbers:
            fits, expected = _finite, "a finite number, or NaN"
            fix = "give NaN, and the reason in the column reason"
        elif name in texts:
            fits, expected, fix = _writable, "text", "give text; leave the cell empty where there is none"
        else:
            fits, expected = _plain, "a finite number, text, true or false, or nothing"
            fix = "turn it into a number or into text, such as a date into 2024-05-01"
        for at, value in [(at, value) for at, value in enumerate(table[name]) if not (_none(value) or fits(value))][
            :AT_MOST
        ]:
            yield Problem(f"{where}, row {at + 1}, column {name}", _shown(value), expected, fix)


def _none(value: Any) -> bool:
    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _finite(value: Any) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False


def _writable(value: Any) -> bool:
    return isinstance(value, str) and value.encode(errors="replace") == value.encode(errors="surrogatepass")


def _plain(value: Any) -> bool:
    return isinstance(value, bool | np.bool_) or _finite(value) or _writable(value)


def _shown(value: Any) -> str:
    """Say what a cell holds, also where it cannot be written out."""
    try:
        text = ascii(value) if isinstance(value, str) else str(value)
    except Exception:
        text = "something that cannot be written"
    text = " ".join(text.split())
    return f"{text if len(text) <= 60 else f'{text[:59]}…'} ({type(value).__name__})"


def _odd_intervals(table: pd.DataFrame, where: str) -> Iterator[Problem]:
    ends = table.reindex(columns=["low", "result", "high"]).map(lambda value: np.nan if _none(value) else float(value))
    wrong = (ends["low"] > ends["result"]) | (ends["result"] > ends["high"]) | (ends["low"] > ends["high"])
    wrong |= ends["low"].isna() != ends["high"].isna()
    wrong |= ends["result"].isna() & ends["low"].notna()
    for at in np.flatnonzero(wrong)[:AT_MOST]:
        low, result, high = ends.iloc[at]
        expected = f"both ends or none, with the result {result:g} between them"
        expected = "no interval where there is no result" if np.isnan(result) else expected
        yield Problem(f"{where}, row {at + 1}, columns low and high", f"{low:g} to {high:g}", expected,
                      "correct the interval")  # fmt: skip


def _odd_rows(table: pd.DataFrame, rows: pd.DataFrame, where: str) -> Iterator[Problem]:
    keys = list(_as_text(table, SERIES).itertuples(index=False, name=None))
    held = {key: list(one["period"]) for key, one in rows.groupby(SERIES, sort=False)}
    for at in [at for at, key in enumerate(keys) if key not in held][:AT_MOST]:
        found = ", ".join(keys[at])
        yield Problem(f"{where}, row {at + 1}", f"the series {found}", "a series that it was given", "keep the keys")
    for at in [at for at, key in enumerate(keys) if key in keys[:at]][:AT_MOST]:
        yield Problem(f"{where}, row {at + 1}", "a series that has a row already", "one row a series", "keep one")
    told = _as_text(table, list(PERIODS))
    ends = {name: told[name].tolist() for name in PERIODS}
    series = [(at, held[key]) for at, key in enumerate(keys) if key in held]
    for name in PERIODS:
        for at in [at for at, known in series if ends[name][at] not in ("", *known)][:AT_MOST]:
            yield Problem(f"{where}, row {at + 1}, column {name}", repr(ends[name][at]),
                          "a period of this series that it was given", "take it from the column period")  # fmt: skip
    for at, known in series:
        first, last = ends["first"][at] or known[0], ends["last"][at] or known[-1]
        if first in known and last in known and known.index(first) > known.index(last):
            yield Problem(f"{where}, row {at + 1}, columns first and last", f"{first} to {last}",
                          "a first period that is not after the last", "exchange the two")  # fmt: skip


def _odd_verdicts(method: Method, table: pd.DataFrame, where: str) -> Iterator[Problem]:
    words = (*method.verdicts, UNKNOWN, "")
    verdicts = _as_text(table, ["verdict"])["verdict"]
    for at in np.flatnonzero(~verdicts.isin(words))[:AT_MOST]:
        found, near = verdicts.iloc[at], get_close_matches(verdicts.iloc[at], words, n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"name the word under verdicts: in {method.name}.yaml"
        yield Problem(f"{where}, row {at + 1}, column verdict", repr(found), f"one of {', '.join(words[:-1])}", fix)


def checked(method: Method, returned: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the table of a method in its full form.

    The periods that it leaves out are the ends of the series. An interval whose ends are written alike is none: it is
    left out, and the reason says so.
    """
    columns = [*SERIES, *PERIODS, *NUMBERS, *TEXTS, *method.columns]
    made = returned.reset_index(drop=True).reindex(columns=columns).astype(object)
    made = made.mask(made.map(_none), np.nan)
    texts = [*SERIES, *PERIODS, *TEXTS]
    made[texts] = _as_text(made, texts)
    for name in NUMBERS:
        made[name] = made[name].astype(float)
    for name in method.columns:
        made[name] = made[name].infer_objects()
    ends = rows.groupby(SERIES)["period"].agg(["first", "last"])
    for name in PERIODS:
        whole = made[SERIES].merge(ends.reset_index(), on=SERIES, how="left")[name]
        made[name] = made[name].where(made[name] != "", whole.fillna(""))
    written = [made[name].map(lambda end: FLOAT_FORMAT % end) for name in ("low", "high")]
    alike = (written[0] == written[1]) & made["low"].notna()
    made.loc[alike, ["low", "high"]] = np.nan
    made.loc[alike, "reason"] = [f"{text}; {NO_WIDTH}" if text else NO_WIDTH for text in made.loc[alike, "reason"]]
    made.insert(0, "area", rows["area"].iloc[0] if len(rows) else "")
    return made


def _as_text(table: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return columns as text, empty where nothing is said or the column is not there."""
    cells = table.reindex(columns=columns).astype(object)
    return cells.where(cells.notna(), "").astype(str)
