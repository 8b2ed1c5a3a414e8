"""Where each figure stood before it came into the one table: file, sheet and cell of what a person had typed."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.language import told as say
from vlr_analysis.observations import KEY
from vlr_analysis.sources import template_sheet
from vlr_analysis.sources.reading import ORIGIN_COLUMNS, origins_path, read_origins

COLUMNS = ("origin_file", "origin_sheet", "origin_cell")
NAMED = 5  # figures that a warning names one by one

_SAME = 1e-9  # a file keeps every digit; a spreadsheet program that saves it again may not
_AGAIN = "import the figures again"


def origins_of(path: Path) -> pd.DataFrame:
    """Return where the figures of a data file stood.

    Parameters
    ----------
    path : Path
        A workbook of `vlr new`, whose figures stand in its own cells; or a CSV or Parquet file, beside which
        `vlr import` has written the origins.

    Returns
    -------
    DataFrame
        `KEY`, `COLUMNS`, and `value` (text, as it was when the origins were written) where that is known; no rows
        where nothing is known, or where the file of origins cannot be read: `doubts` says so.
    """
    if template_sheet.is_workbook(path):
        return _named(template_sheet.read_origins(path))
    try:
        return _named(read_origins(origins_path(path)))
    except InputError:
        return _named(pd.DataFrame(columns=list(ORIGIN_COLUMNS), dtype=object))


def _named(origins: pd.DataFrame) -> pd.DataFrame:
    once = origins.drop_duplicates(list(KEY))
    return once.rename(columns=dict(zip(("file", "sheet", "cell"), COLUMNS, strict=True)))


def with_origins(rows: pd.DataFrame, origins: pd.DataFrame) -> pd.DataFrame:
    """Return rows of the one table with `COLUMNS` beside them, empty where no origin is known.

    An origin whose figure was changed since is left out, since it points to another number. Of a hidden figure the
    cell is told; what stands there is not.
    """
    found = rows.merge(origins.rename(columns={"value": "then"}), on=list(KEY), how="left")
    found.index = rows.index
    found[list(COLUMNS)] = found[list(COLUMNS)].fillna("")
    if "then" in found:
        known = found["value"].notna() & found["then"].notna()
        found.loc[known & _differs(found["value"], found["then"]), list(COLUMNS)] = ""
    return found.drop(columns="then", errors="ignore")


def _differs(values: pd.Series, then: pd.Series) -> pd.Series:
    before = pd.to_numeric(then, errors="coerce")
    both_none = values.isna() & before.isna()
    return ~(both_none | ((values - before).abs() <= _SAME * before.abs()))


def came_from(rows: pd.DataFrame) -> list[str]:
    """Return each row's origin in words: ``Tabla 4.xlsx, Hoja 1!C12``, or the file and row that hold it now.

    Parameters
    ----------
    rows : DataFrame
        With `file`, `row` and `COLUMNS`.
    """
    told = []
    for file, row, *origin in rows[["file", "row", *COLUMNS]].itertuples(index=False, name=None):
        name, sheet, cell = origin
        if not name:
            told.append(say("{file}, row {row}", file=file, row=row) if row else file)
        else:
            told.append(f"{name}, {sheet}!{cell}" if sheet else ", ".join(part for part in (name, cell) if part))
    return told


# --- what the check says ---------------------------------------------------------------------------


def doubts(path: Path, table: pd.DataFrame) -> list[Problem]:
    """List what is doubtful in the origins that stand beside a data file; nothing where there is no such file.

    Parameters
    ----------
    path : Path
        The data file.
    table : DataFrame
        Its observations, nothing hidden.

    Returns
    -------
    list of Problem
        At most one for each kind: it cannot be read, figures without an origin, origins without a figure, figures
        that were changed since. A run goes on without the origins that are in doubt.
    """
    beside = origins_path(path)
    if template_sheet.is_workbook(path) or not beside.is_file():
        return []
    try:
        origins = read_origins(beside)
    except InputError as error:
        return [Problem(one.where, one.found, one.expected, _AGAIN) for one in error.problems[:1]]
    name = beside.name
    both = table[[*KEY, "value"]].merge(
        origins.drop_duplicates(list(KEY)), on=list(KEY), how="outer", suffixes=("", "_then"), indicator="in"
    )  # fmt: skip
    told = []
    twice = int(origins.duplicated(list(KEY)).sum())
    without, gone = both[both["in"] == "left_only"], both[both["in"] == "right_only"]
    if twice:
        told.append(Problem(name, f"{twice} figures that have two origins", "one origin for each figure", _AGAIN))
    if len(without):
        fix = f"{_AGAIN}, or leave it: the review then names the row of {path.name}"
        told.append(Problem(name, f"no origin for {_count(without)}", "an origin for each figure", fix))
    if len(gone):
        fix = f"{_AGAIN}, or take these rows out"
        told.append(Problem(name, f"origins of {_count(gone)} that {path.name} does not hold", "figures", fix))
    if "value_then" in both:
        held = both[both["in"] == "both"]
        changed = held[_differs(held["value"], held["value_then"])]
        if len(changed):
            fix = f"correct the figure in its own file and {_AGAIN}; until then the review names the row instead"
            expected = "the figure that stands in the cell"
            told.append(Problem(name, f"{_count(changed)} changed since they were imported", expected, fix))
    return told


def _count(rows: pd.DataFrame) -> str:
    """Return how many figures there are, with the first of them by name."""
    named = [
        " / ".join(part for part in (row.indicator, row.breakdown, row.period) if part)
        for row in rows.head(NAMED).itertuples()
    ]
    more = f" and {len(rows) - NAMED} more" if len(rows) > NAMED else ""
    return f"{len(rows)} figure{'' if len(rows) == 1 else 's'} ({', '.join(named)}{more})"
