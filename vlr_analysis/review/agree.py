"""Whether the doors of a hand-over say the same: annex, box, Open SDG, SDMX against the package."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from vlr_analysis.cell_text import original_table
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.findings import from_table
from vlr_analysis.language import SOURCE, using
from vlr_analysis.lead import printed
from vlr_analysis.observations import KEY
from vlr_analysis.review.annex import BOX_AT, BOX_NUMBERS, BOX_SHEET, read_figures, read_sheet
from vlr_analysis.review.bundle import read_zip
from vlr_analysis.review.document import plain
from vlr_analysis.sources.open_sdg import read_open_sdg
from vlr_analysis.sources.open_sdg_write import cell, check_open_sdg, file_stems
from vlr_analysis.sources.sdmx_csv import read_sdmx_csv

AT_MOST = 20  # problems that are told of one door
NUMBERS = ("value", "low", "high")
FIX = "ask the sender which one holds"


def door_problems(
    files: Mapping[str, bytes], folder: Path, table: pd.DataFrame, language: str = SOURCE
) -> list[Problem]:
    """Compare every door with the package.

    Parameters
    ----------
    files : mapping
        The bundle in memory.
    folder : Path
        The bundle on disk.
    table : DataFrame
        Observations of the package.
    language : str
        Tag of the language in which annex and box are.

    Returns
    -------
    list of Problem
        Each value, status or row that one door has otherwise than the package (of each door the first `AT_MOST`).
    """
    problems = []
    doors = (
        ("annex.xlsx, sheet Figures", lambda: _annex(files, table)),
        ("feed/sdmx", lambda: _sdmx(folder, table)),
        ("feed/open-sdg", lambda: _open_sdg(folder, table)),
        ("box", lambda: _box(files)),
    )
    for name, check in doors:
        try:
            with using(language):
                found = list(check())
        except InputError as error:
            found = list(error.problems)
        problems += found[:AT_MOST]
        if len(found) > AT_MOST:
            problems.append(Problem(name, f"{len(found) - AT_MOST} more differences", "none", FIX))
    return problems


def differences(name: str, found: pd.DataFrame, table: pd.DataFrame, tolerance: float = 0.0) -> Iterator[Problem]:
    """Yield what a door says otherwise than the package, row by row."""
    both = table.merge(found, on=list(KEY), how="outer", suffixes=("", " door"), indicator="in")
    for row in both[both["in"] != "both"].to_dict("records"):
        gone = row["in"] == "left_only"
        told = "no such row" if gone else "a row that the package does not have"
        yield Problem(f"{name}, {_key(row)}", told, "the rows of the package", FIX)
    both = both[both["in"] == "both"]
    wrong = {column: ~_alike(both[column], both[f"{column} door"], tolerance) for column in NUMBERS}
    wrong |= {column: both[column] != both[f"{column} door"] for column in ("status", "source")}
    for column, bad in wrong.items():
        for row in both[bad].to_dict("records"):
            yield Problem(f"{name}, {_key(row)}, {column}", repr(row[f"{column} door"]), repr(row[column]), FIX)


def _key(row: Mapping) -> str:
    return " / ".join(str(row[column]) for column in KEY if row[column])


def _alike(a: pd.Series, b: pd.Series, tolerance: float) -> pd.Series:
    a, b = a.to_numpy(dtype=float), b.to_numpy(dtype=float)
    return pd.Series(np.isclose(a, b, rtol=tolerance, atol=0, equal_nan=True), dtype=bool).to_numpy()


def _annex(files: Mapping[str, bytes], table: pd.DataFrame) -> Iterator[Problem]:
    content = _workbook(files)
    # A spreadsheet keeps fifteen digits.
    yield from differences("annex.xlsx, sheet Figures", read_figures(content), table, tolerance=1e-14)


def _workbook(files: Mapping[str, bytes]) -> bytes:
    if "annex.xlsx" not in files:
        raise InputError("annex.xlsx", [Problem("annex.xlsx", "no such file", "the annex", "ask for a whole bundle")])
    read_zip(files["annex.xlsx"], "annex.xlsx")  # an Office file is a zip; it gets the same checks
    return files["annex.xlsx"]


def _sdmx(folder: Path, table: pd.DataFrame) -> Iterator[Problem]:
    yield from differences("feed/sdmx", read_sdmx_csv(folder / "feed" / "sdmx" / "observations.csv"), table)


def _open_sdg(folder: Path, table: pd.DataFrame) -> Iterator[Problem]:
    """Compare the whole years of each indicator: series, unit, groups, value."""
    place = folder / "feed" / "open-sdg"
    whole = table[table["period"].str.fullmatch(r"\d{4}")]
    if not (place / "data").is_dir():
        if len(whole):
            yield Problem("feed/open-sdg", "no folder data/", f"{len(whole)} observations of whole years", FIX)
        return
    yield from check_open_sdg(place)
    read = read_open_sdg(place, area=table["area"].iloc[0], own=True)
    yield from read.problems
    stems = file_stems(table["indicator"].unique())
    wanted = Counter(
        (stems[row.indicator], cell(row.series), cell(row.unit), *_rest(row, cell)) for row in whole.itertuples()
    )
    found = Counter(
        (row.indicator.replace(".", "-"), row.series, row.unit, *_rest(row, str)) for row in read.table.itertuples()
    )
    for count, told, expected in ((wanted - found, "nothing", "this row"), (found - wanted, "this row", "nothing")):
        for row in count:
            yield Problem(f"feed/open-sdg, {' / '.join(part for part in map(str, row) if part)}", told, expected, FIX)


def _rest(row, written) -> tuple[str, ...]:
    """Return period, value and the categories of a row."""
    groups = sorted(written(pair.split("=", 1)[1]) for pair in row.breakdown.split(";") if pair)
    return row.period, "no value" if row.value != row.value else repr(float(row.value)), *groups


def _box(files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Check that every key figure of the box is in the annex, in the findings, and as they have it."""
    rows = read_sheet(_workbook(files), BOX_AT)
    if len(rows[0]) != len(BOX_NUMBERS) or None in rows[0]:
        yield Problem(f"annex.xlsx, sheet {BOX_SHEET}, row 1", repr(rows[0]), ", ".join(BOX_NUMBERS), FIX)
        return
    text = plain(files.get("box.md", b"").decode("utf-8", errors="replace"))
    held = {found.id: found for found in _findings(files)}
    for row in rows[1:]:
        told = dict(zip(BOX_NUMBERS, row, strict=True))
        where = f"box, {told['Place in the box']}"
        wanted = told["With unit"] or told["As printed"]
        if str(wanted) not in text:
            yield Problem(where, "a box without it", repr(wanted), FIX)
        if not told["Key"]:
            continue  # an interval beside a key figure
        found = held.get(told["Finding"])
        value = found.numbers.get(told["Key"]) if found else None
        if value is None or value != told["Value"]:
            yield Problem(where, f"{told['Value']!r} of finding {told['Finding']}", repr(value), FIX)
        elif not (token := printed(found.statement, value, found.unit)) or token.text != told["As printed"]:
            yield Problem(where, repr(told["As printed"]), f"the number as finding {found.id} prints it", FIX)


def _findings(files: Mapping[str, bytes]) -> list:
    try:
        content = io.BytesIO(files["feed/package/findings.csv"])
        return from_table(original_table(pd.read_csv(content, dtype=str, keep_default_na=False)))
    except (KeyError, ValueError, TypeError, json.JSONDecodeError) as error:
        problem = Problem("feed/package/findings.csv", f"no table of findings ({error})", "the findings", FIX)
        raise InputError("findings.csv", [problem]) from None
