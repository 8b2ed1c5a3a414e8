"""The kit's own form: observations as CSV or Parquet, one file per area, and the two tables that go with them."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pandas as pd

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.observations import COLUMNS, KEY, NUMBERS, check

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
    name = path.name
    _check_file(path)
    if path.suffix == ".parquet":
        try:
            raw = pd.read_parquet(path)
        except (OSError, ValueError) as error:
            problem = Problem(name, str(error).splitlines()[0], "a Parquet file", "write the file again")
            raise InputError(name, [problem]) from None
        lines = np.arange(2, len(raw) + 2)
    else:
        raw, lines = _read_csv(path, COLUMNS, REQUIRED)
        if not len(raw):
            problem = Problem(name, "no row below the header", "one row per observation", "add the figures")
            raise InputError(name, [problem])
    return _as_observations(raw, lines, name)


def row_numbers(path: Path | str) -> dict[tuple[str, ...], int]:
    """Return in which row of a file each observation stands, by its key; row 1 is the header."""
    path = Path(path)
    if path.suffix == ".parquet":
        raw = pd.read_parquet(path, columns=list(KEY))
        lines = np.arange(2, len(raw) + 2)
    else:
        raw, lines = _read_csv(path, COLUMNS, REQUIRED)
    raw = raw.reindex(columns=list(KEY), fill_value="").fillna("")
    return {tuple(key): int(line) for key, line in zip(raw.to_numpy().tolist(), lines, strict=True)}


def _as_observations(raw: pd.DataFrame, lines: np.ndarray, name: str) -> pd.DataFrame:
    problems = _column_problems(list(raw.columns), COLUMNS, REQUIRED, name)
    raise_if_any(name, problems)
    table = pd.DataFrame(index=raw.index)
    for column in COLUMNS:
        if column not in raw:
            table[column] = np.nan if column in NUMBERS else ""
        elif column in NUMBERS:
            table[column] = raw[column].where(raw[column] != "", np.nan)
        else:
            table[column] = raw[column].fillna("").astype(str)
    return check(table, name=name, rows=lines)


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


def decode(content: bytes, name: str) -> str:
    """Return the text of a UTF-8 file, with or without a byte-order mark.

    Raises
    ------
    InputError
        The bytes are not UTF-8; the message names the row and the byte.
    """
    try:
        text = content.decode("utf-8-sig")
        if "\0" not in text:
            return text
        at = content.index(b"\0")
    except UnicodeDecodeError as error:
        at = error.start
    row = content[:at].count(b"\n") + 1
    found = (
        "UTF-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in content else f"the byte 0x{content[at]:02x}"
    )
    fix = 'save it again as "CSV UTF-8 (comma delimited)"'
    raise InputError(name, [Problem(f"{name}, row {row}", found, "text in UTF-8", fix)])


def _read_csv(path: Path, known: Iterable[str], required: Iterable[str]) -> tuple[pd.DataFrame, np.ndarray]:
    """Read a CSV file as text; return the rows that hold something, and their row numbers in the file."""
    name = path.name
    text = decode(path.read_bytes(), name)
    header = text.split("\n", 1)[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except csv.Error as error:
        problem = Problem(name, str(error), "rows with closed quotation marks", "mend the quotation marks")
        raise InputError(name, [problem]) from None
    columns = [column.strip() for column in rows[0]] if rows else []
    while columns and columns[-1] == "" and all(not any(row[len(columns) - 1 :]) for row in rows[1:]):
        columns.pop()  # an Excel export often ends its lines with empty cells
    problems = _column_problems(columns, known, required, name)
    kept, lines = [], []
    for number, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if not any(cells):
            continue
        while len(cells) > len(columns) and cells[-1] == "":
            cells.pop()
        if len(cells) != len(columns):
            found = f"{len(cells)} cells"
            fix = "put text that holds a comma in quotation marks, or add the missing cells"
            problems.append(Problem(f"{name}, row {number}", found, f"{len(columns)} cells, as in the header", fix))
            continue
        kept.append(cells)
        lines.append(number)
    raise_if_any(name, problems)
    frame = pd.DataFrame(kept, columns=columns, dtype=str)
    if separator == ";":
        for column in NUMBERS:
            if column in frame:
                frame[column] = frame[column].str.replace(",", ".", regex=False)
    return frame, np.array(lines, dtype=int)


def _column_problems(columns: list[str], known: Iterable[str], required: Iterable[str], name: str) -> list[Problem]:
    known, required = list(known), list(required)
    expected = f"the columns {', '.join(known)}"
    problems = []
    if not columns:
        return [Problem(f"{name}, row 1", "no header", expected, "write the names of the columns in the first row")]
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            problems.append(
                Problem(f"{name}, column {column!r}", f"{columns.count(column)} times", "once", "remove one")
            )
        if column not in known:
            near = get_close_matches(column.lower(), known, n=1, cutoff=0.6)
            fix = f"did you mean {near[0]!r}?" if near else "remove the column, or make it a breakdown"
            problems.append(Problem(f"{name}, column {column!r}", "an unknown column", expected, fix))
    missing = [column for column in required if column not in columns]
    problems += [Problem(f"{name}, column {column!r}", "nothing", "this column", "add it") for column in missing]
    return problems


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
        write_whole(path, table.to_csv(index=False, lineterminator="\n").encode("utf-8"))


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
        (code of the total, where the source publishes each group as an indicator of its own); `note`.
    """
    path = Path(path)
    key = ["indicator", "series", "unit"]
    table, lines = _read_register(path, INDICATOR_COLUMNS, key, [*key, "label"])
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
    table, lines = _read_csv(path, columns, filled)
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
