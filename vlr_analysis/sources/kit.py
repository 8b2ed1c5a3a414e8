"""The kit's own form: observations as CSV or Parquet, one file per area, and the two tables that go with them."""

from __future__ import annotations

import os
import re
import tempfile
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from vlr_analysis.cell_text import inert_table
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.observations import COLUMNS, KEY, NUMBERS, check
from vlr_analysis.sources.kit_csv import column_problems, decode, read_csv
from vlr_analysis.sources.kit_parquet import read_parquet

REQUIRED = ("area", "indicator", "series", "unit", "period", "value", "source")
SOURCES_COLUMNS = (
    "source", "publisher", "title", "source_class", "file", "sheet", "cells", "retrieved", "licence", "url", "sha256",
    "note",
)  # fmt: skip
SOURCE_CLASSES = ("official", "administrative", "survey", "modelled", "private", "citizen", "qualitative")
INDICATOR_COLUMNS = (
    "indicator", "series", "unit", "label", "sdg_target", "direction", "definition", "geography", "group_of", "note",
)  # fmt: skip
AREA_COLUMNS = ("area", "name", "country")
COUNT_COLUMNS = (
    "published", "count", "at_least", "counted", "scope", "publisher", "title", "url", "certainty", "note",
)  # fmt: skip


def read_table(path: Path | str) -> pd.DataFrame:
    """Read observations in the kit's own form.

    Parameters
    ----------
    path : Path or str
        A ``.csv`` file (UTF-8, comma; a semicolon with decimal commas, as European Excel writes it,
        is understood too) or a ``.parquet`` file.

    Returns
    -------
    DataFrame
        As `observations.check` returns it. The columns breakdown, low, high and status may be
        absent from the file; a wholly empty row is passed over.

    Raises
    ------
    InputError
        With every problem: no such file, not UTF-8, columns unknown, missing or twice, rows of the
        wrong length, numbers that are none, repeated keys, periods that are no ISO 8601.
    """
    path = Path(path)
    if path.suffix == ".xlsx":
        from vlr_analysis.sources import template_sheet

        return template_sheet.read_table(path)
    _check_file(path)
    try:
        return _read_strictly(path)[0]
    except InputError:
        mended = _read_mended(path)
        if mended is None:
            raise
        return mended[0]


def _read_mended(path: Path):
    from vlr_analysis.sources import figure_table

    return figure_table.mended(path) if path.suffix == ".csv" else None


def _read_strictly(path: Path) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Return the checked table, and the cells and row numbers that it was made from."""
    name = path.name
    raw, lines = _read_raw(path)
    if not len(raw) and path.suffix == ".csv":
        raise InputError(name, [Problem(name, "no row below the header", "one row per observation", "add the figures")])
    raise_if_any(name, column_problems(list(raw.columns), COLUMNS, REQUIRED, name))
    return check(completed(raw), name=name, rows=lines), raw, lines


def row_numbers(path: Path | str) -> dict[tuple[str, ...], int]:
    """Return in which row of a file each observation stands, by its key; row 1 is the header."""
    path = Path(path)
    if path.suffix == ".xlsx":
        from vlr_analysis.sources import template_sheet

        return template_sheet.row_numbers(path)
    try:
        # Only a CSV file can be mended: of a Parquet file the key is enough.
        raw, lines = _read_raw(path, KEY) if path.suffix == ".parquet" else _read_strictly(path)[1:]
    except InputError:
        mended = _read_mended(path)
        if mended is None:
            raise
        return mended[1]
    keys = [raw[name].tolist() if name in raw else [""] * len(raw) for name in KEY]
    return dict(zip(zip(*keys, strict=True), lines.tolist(), strict=True))


def _read_raw(path: Path, columns: tuple[str, ...] | None = None) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the cells of a file and the number of each row; of Parquet, only the columns named."""
    if path.suffix == ".parquet":
        raw = read_parquet(path, columns)
        return raw, np.arange(2, len(raw) + 2)
    return read_csv(path, COLUMNS, REQUIRED)


def completed(raw: pd.DataFrame) -> pd.DataFrame:
    """Return a table with every column of `COLUMNS`: those that may be absent, empty; empty cells of numbers, NaN."""
    table = {}
    for column in COLUMNS:
        if column not in raw:
            table[column] = np.nan if column in NUMBERS else ""
        elif column in NUMBERS and not pd.api.types.is_float_dtype(raw[column]):
            table[column] = raw[column].where(raw[column] != "", np.nan)
        else:
            table[column] = raw[column]
    return pd.DataFrame(table, index=raw.index)


def _check_file(path: Path) -> None:
    problems = []
    if path.is_dir():
        problems.append(Problem(str(path), "a folder", "a CSV or Parquet file", "name the file inside it"))
    elif not path.exists():
        others = sorted(other.name for other in path.parent.glob("*")) if path.parent.is_dir() else []
        near = get_close_matches(path.name, others, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else "check the name and the folder"
        problems.append(Problem(str(path), "no such file", "a CSV or Parquet file", fix))
    elif path.suffix not in (".csv", ".parquet"):
        problems.append(
            Problem(path.name, f"ending {path.suffix!r}", ".csv or .parquet", "save the sheet as CSV UTF-8")
        )
    elif path.stat().st_size == 0:
        problems.append(Problem(path.name, "an empty file", "a header and one row per observation", "write it again"))
    raise_if_any(str(path.name), problems)


# --- writing -----------------------------------------------------------------------------------


def write_table(table: pd.DataFrame, path: Path | str) -> None:
    """Write observations so that `read_table` gives the same table back.

    Rows are sorted by key, floats written with as many digits as they need, missing numbers left
    empty. The file appears whole or not at all.

    Parameters
    ----------
    table : DataFrame
        Observations; checked before anything is written.
    path : Path or str
        ``.csv`` or ``.parquet``.
    """
    path = Path(path)
    table = check(table, name=path.name).sort_values(list(KEY), kind="stable").reset_index(drop=True)
    if path.suffix == ".parquet":
        write_whole(path, table.to_parquet(index=False))
    else:
        write_whole(path, inert_table(table).to_csv(index=False, lineterminator="\n").encode("utf-8"))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file through a temporary one beside it, so that nobody ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        umask = os.umask(0)
        os.umask(umask)
        Path(part).chmod(0o666 & ~umask)
        Path(part).replace(path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise


# --- the tables that go with the observations ----------------------------------------------------


def read_sources(path: Path | str) -> pd.DataFrame:
    """Read the sources table: one row per source id, with publisher, title and licence."""
    path = Path(path)
    table, lines = _read_register(path, SOURCES_COLUMNS, ["source"], ["source", "publisher", "title", "licence"])
    raise_if_any(path.name, _unknown_words(table, lines, path.name, {"source_class": SOURCE_CLASSES}))
    return table


def read_areas(path: Path | str) -> pd.DataFrame:
    """Read the table of areas: slug, name as readers know it, ISO 3166-1 alpha-3 code."""
    return _read_register(Path(path), AREA_COLUMNS, ["area"], list(AREA_COLUMNS))[0]


def read_indicators(path: Path | str) -> pd.DataFrame:
    """Read what is known of each series.

    Returns
    -------
    DataFrame
        `label`, `sdg_target`; `direction` (increase, decrease, empty where open to dispute); `definition` (same,
        adapted, other: relation to the global indicator under whose code it stands; own: no global code);
        `geography` (the other area that the figures are of, such as county; empty: the area itself); `group_of`
        (code of the total, where the source publishes each group as an indicator of its own); `note`. A column
        `label_es` has the label in that language (ISO 639 code); those that are empty are left out.
    """
    path = Path(path)
    key = ["indicator", "series", "unit"]
    _check_file(path)
    head = decode(path.read_bytes(), path.name).split("\n", 1)[0]
    in_languages = sorted(set(re.findall(r"(?<![\w-])label_[a-z]{2,3}(?![\w-])", head)))
    table, lines = _read_register(path, (*INDICATOR_COLUMNS, *in_languages), key, [*key, "label"])
    table = table.drop(columns=[name for name in in_languages if (table[name] == "").all()])
    words = {"direction": ("increase", "decrease"), "definition": ("same", "adapted", "other", "own")}
    raise_if_any(path.name, _unknown_words(table, lines, path.name, words))
    return table


def read_counts(path: Path | str) -> pd.DataFrame:
    """Read the published counts of voluntary local reviews; each row has its scope, and no two need agree.

    Returns
    -------
    DataFrame
        `published` (year), `count` (text, "at least" in front where it is a lower bound), `counted` (documents,
        governments), `scope`, `publisher`, `title`, `url`, `certainty`, `note`.
    """
    path = Path(path)
    filled = [name for name in COUNT_COLUMNS if name not in ("at_least", "note")]
    table, lines = _read_register(path, COUNT_COLUMNS, ["published", "count", "counted", "title"], filled)
    wrong = ~table["count"].str.fullmatch("[0-9]+")
    raise_if_any(path.name, [
        Problem(f"{path.name}, row {line}, column count", repr(found), "a whole number", "write digits only")
        for line, found in zip(lines[wrong], table.loc[wrong, "count"], strict=True)
    ])  # fmt: skip
    table["count"] = table["at_least"].map({"yes": "at least "}).fillna("") + table["count"]
    return table.drop(columns="at_least")


def _unknown_words(
    table: pd.DataFrame, lines: np.ndarray, name: str, words: dict[str, tuple[str, ...]]
) -> list[Problem]:
    problems = []
    for column, allowed in words.items():
        for line, found in zip(lines, table[column], strict=True):
            if found not in (*allowed, ""):
                near = get_close_matches(found, allowed, n=1, cutoff=0.6)
                fix = f"did you mean {near[0]!r}?" if near else "correct the word"
                where = f"{name}, row {line}, column {column}"
                problems.append(Problem(where, repr(found), f"{', '.join(allowed)} or nothing", fix))
    return problems


def _read_register(
    path: Path, columns: tuple[str, ...], key: list[str], filled: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    _check_file(path)
    table, lines = read_csv(path, columns, filled)
    table = table.reindex(columns=list(columns), fill_value="")
    problems = [
        Problem(f"{path.name}, row {line}, column {column}", "nothing", "text", "fill the cell")
        for column in filled
        for line in lines[(table[column] == "").to_numpy()]
    ]
    repeated = table.duplicated(key, keep="first").to_numpy()
    problems += [
        Problem(f"{path.name}, row {line}", "a key that stands above", f"each {' / '.join(key)} once", "join the rows")
        for line in lines[repeated]
    ]
    raise_if_any(path.name, problems)
    return table, lines


__all__ = [
    "AREA_COLUMNS", "INDICATOR_COLUMNS", "SOURCES_COLUMNS", "SOURCE_CLASSES", "decode", "read_areas", "read_counts",
    "read_indicators", "read_sources", "read_table", "row_numbers", "write_table", "write_whole",
]  # fmt: skip
