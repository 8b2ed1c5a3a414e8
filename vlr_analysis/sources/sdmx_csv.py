"""SDMX-CSV 2.0: observations with standard codes, and the words they stand for beside them; written and read back."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from pysdmx.errors import Invalid
from pysdmx.io.csv.sdmx10.reader import read as read_first
from pysdmx.io.csv.sdmx20.reader import read as read_datasets
from pysdmx.io.csv.sdmx20.writer import write as write_datasets
from pysdmx.io.pd import PandasDataset

from vlr_analysis.cell_text import inert_table, original, original_table
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.observations import COLUMNS, KEY, check, empty
from vlr_analysis.periods import parse_period
from vlr_analysis.sources import sdmx_structure as structure
from vlr_analysis.sources.kit import decode
from vlr_analysis.sources.names import Told
from vlr_analysis.sources.reading import Gathering, Reading
from vlr_analysis.sources.sdmx_tables import take_sdmx
from vlr_analysis.sources.sheet_grid import Opened, Sheet
from vlr_analysis.sources.sheet_text import decoded
from vlr_analysis.sources.sheets import open_shown

DATA, STRUCTURE = "observations.csv", "structure.json"

# SDMX CL_OBS_STATUS and CL_CONF_STATUS.
OBS_STATUS = {
    "value": "A", "estimated": "E", "provisional": "P", "break": "B", "missing": "O", "suppressed": "Q",
    "not_applicable": "M",
}  # fmt: skip
CONFIDENTIAL, FREE = "C", "F"
TOTAL = "_T"
MOST_COLUMNS, MOST_FLOWS = 200, 50  # of a file of another house

# Where the one table's columns are found again: the words, not the codes made from them.
READ_FROM = {
    "area": "REF_AREA", "indicator": "INDICATOR_CODE", "series": "SERIES_NAME", "unit": "UNIT_NAME",
    "period": "TIME_PERIOD", "breakdown": "BREAKDOWN", "value": "OBS_VALUE", "low": "LOWER_BOUND",
    "high": "UPPER_BOUND", "status": "OBS_STATUS", "source": "SOURCE",
}  # fmt: skip


def sdmx_files(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    sources: pd.DataFrame,
    areas: Mapping[str, str],
    *,
    name: str,
    comment: str = "",
) -> dict[str, bytes]:
    """Write observations as SDMX-CSV 2.0, with the structure that explains them.

    Parameters
    ----------
    table : DataFrame
        Observations.
    definitions : DataFrame
        By (indicator, series, unit): label, definition, and `grade`, `comparability` where known.
    sources : DataFrame
        The sources table.
    areas : mapping
        Name of each area by its id.
    name : str
        Title of the data set.
    comment : str
        A remark that goes beside every observation.

    Returns
    -------
    dict
        Bytes by name: `observations.csv`; `structure.json` (SDMX-JSON 2.0: code lists, concepts, data structure).

    Notes
    -----
    Dimensions: FREQ, REF_AREA, INDICATOR, SERIES, UNIT_MEASURE, one per breakdown (``_T`` is the total), TIME_PERIOD.
    A hidden value is an empty OBS_VALUE with OBS_STATUS Q and CONF_STATUS C. Periods are those of the one table: all
    of its forms are SDMX time formats.
    """
    rows, codes, dimensions = _coded(table, definitions, sources, areas, comment)
    made = structure.data_structure(codes, dimensions, name)
    text = (
        write_datasets([PandasDataset(structure=made.to_schema(), data=inert_table(rows))])
        if len(rows)
        else _header(made)
    )
    return {
        DATA: text.replace("\r\n", "\n").encode("utf-8"),
        STRUCTURE: structure.as_json(made, name).encode("utf-8"),
    }


def _header(made) -> str:
    return ",".join(["STRUCTURE", "STRUCTURE_ID", "ACTION", *(part.id for part in made.components)]) + "\n"


def _coded(table, definitions, sources, areas, comment) -> tuple[pd.DataFrame, dict[str, dict[str, str]], dict]:
    """Return the rows with codes, for each coded column {code: words}, and the dimension of each breakdown column."""
    keys = ["indicator", "series", "unit"]
    known = table[keys].merge(definitions.drop_duplicates(keys), on=keys, how="left")
    known.index = table.index
    rows, codes = pd.DataFrame(index=table.index), {}

    def put(column: str, texts: pd.Series, made: dict[str, str], words: Mapping[str, str] | None = None) -> None:
        rows[column] = texts.map(made)
        codes[column] = {code: (words or {}).get(text, text) for text, code in made.items()}

    put("FREQ", table["period"].map(frequency), {code: code for code in structure.FREQUENCIES}, structure.FREQUENCIES)
    put("REF_AREA", table["area"], {area: area for area in sorted(table["area"].unique())}, areas)
    put("INDICATOR", table["indicator"], structure.codes_of(table["indicator"]))
    put("SERIES", table["series"], structure.codes_of(table["series"]))
    put("UNIT_MEASURE", table["unit"], structure.codes_of(table["unit"], structure.UNITS))
    dimensions = {}
    for name, (column, texts) in _breakdowns(table["breakdown"]).items():
        dimensions[column] = name
        put(column, texts, structure.codes_of(texts, {"": TOTAL, **structure.KNOWN.get(column, {})}), {"": "Total"})
    rows["TIME_PERIOD"], rows["OBS_VALUE"] = table["period"], table["value"]
    rows["OBS_STATUS"] = table["status"].map(OBS_STATUS)
    rows["CONF_STATUS"] = (table["status"] == "suppressed").map({True: CONFIDENTIAL, False: FREE})
    rows["LOWER_BOUND"], rows["UPPER_BOUND"] = table["low"], table["high"]
    for name in ("indicator", "series", "unit", "breakdown"):
        rows[READ_FROM[name]] = table[name]
    for name in ("definition", "comparability", "grade"):
        rows[structure.NAMED[name]] = known[name].fillna("").astype(str) if name in known else ""
    rows["SOURCE"], rows["SOURCE_DETAIL"] = table["source"], table["source"].map(_details(table, sources))
    rows["COMMENT"] = comment
    return rows, codes, dimensions


def _breakdowns(breakdown: pd.Series) -> dict[str, tuple[str, pd.Series]]:
    """Return for each dimension its column's name and the category of every row, empty for the total."""
    pairs = breakdown.map(
        {
            text: dict(pair.split("=", 1) for pair in text.split(";")) if text else {} for text in breakdown.unique()
        }
    )  # fmt: skip
    names = sorted({name for found in pairs for name in found})
    return {
        name: (column, pairs.map(lambda found, name=name: found.get(name, "")))
        for name, column in structure.concepts_of(names).items()
    }


def _details(table: pd.DataFrame, sources: pd.DataFrame) -> dict[str, str]:
    known = {row.source: f"{row.publisher}: {row.title} ({row.licence})" for row in sources.itertuples()}
    return {ids: "; ".join(known.get(name, name) for name in ids.split(";")) for ids in table["source"].unique()}


def frequency(period: str) -> str:
    """Return the SDMX code of how long a period is: A, Q, M, W, D; _O for pooled years and other lengths."""
    return {"P1Y": "A", "P12M": "A", "P3M": "Q", "P1M": "M", "P1W": "W", "P1D": "D"}.get(
        parse_period(period).duration, "_O"
    )


# --- reading -----------------------------------------------------------------------------------


def read_sdmx_csv(path: Path | str) -> pd.DataFrame:
    """Read the SDMX-CSV of a hand-over back to the one table.

    Parameters
    ----------
    path : Path or str
        `observations.csv` of the kit's own SDMX feed: codes, with the words beside them.

    Returns
    -------
    DataFrame
        As `observations.check` returns it.

    Raises
    ------
    InputError
        No such file, not UTF-8, not SDMX-CSV 2.0, a column of the feed missing, a status that has no counterpart,
        values and confidentiality at odds, and everything that `observations.check` finds.

    Notes
    -----
    pysdmx checks the form. It guesses the types of cells, and a code such as 8.10 would become 8.1: the cells are
    therefore taken from the file as text.
    """
    path = Path(path)
    if not path.is_file():
        raise InputError(path.name, [Problem(str(path), "no such file", "an SDMX-CSV file", "check the path")])
    text = decode(path.read_bytes(), path.name)
    raise_if_any(path.name, _form_problems(text, path.name))
    cells = original_table(_cells(text, path.name))
    missing = [column for column in (*READ_FROM.values(), "CONF_STATUS") if column not in cells]
    raise_if_any(
        path.name,
        [Problem(f"{path.name}, header", f"no column {name}", "the columns of the feed", "write it again with the kit")
         for name in missing],
    )  # fmt: skip
    if not len(cells):
        return empty()
    raise_if_any(path.name, _status_problems(cells, path.name))
    table = pd.DataFrame({name: cells[column] for name, column in READ_FROM.items()})
    table["status"] = table["status"].map({code: word for word, code in OBS_STATUS.items()})
    for name in ("value", "low", "high"):
        table[name] = table[name].where(~table[name].isin(["", "NaN"]), None)
    return check(table[list(COLUMNS)], name=path.name)


def _cells(text: str, name: str) -> pd.DataFrame:
    """Return the cells as text; pandas would take a column too many for an index."""
    fix = "write it again with the kit"
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        expected = "cells with closed quotation marks"
        raise InputError(name, [Problem(name, str(error), expected, fix)]) from None
    header = rows[0] if rows else []
    problems = [Problem(f"{name}, header", f"{column} again", "each column once", fix)
                for place, column in enumerate(header) if column in header[:place]]  # fmt: skip
    problems += [
        Problem(f"{name}, row {number}", f"{len(row)} cells", f"{len(header)}, as in the header", fix)
        for number, row in enumerate(rows[1:], 2) if len(row) != len(header)
    ]  # fmt: skip
    raise_if_any(name, problems)
    return pd.DataFrame(rows[1:], columns=header, dtype=str)


def _form_problems(text: str, name: str) -> list[Problem]:
    fix = "write it again with the kit"
    lines = text.split("\n", 2)
    if not lines[0].startswith("STRUCTURE,STRUCTURE_ID,"):
        return [Problem(f"{name}, row 1", repr(lines[0][:60]), "a header STRUCTURE, STRUCTURE_ID, ...", fix)]
    if len(lines) < 2 or not lines[1].strip():
        return []
    try:
        datasets = read_datasets(text)
    except (Invalid, ValueError) as error:
        return [Problem(name, str(error).splitlines()[0], "SDMX-CSV 2.0", fix)]
    if len(datasets) != 1:
        return [Problem(name, f"{len(datasets)} data sets", "one", "split the file")]
    return []


def _status_problems(cells: pd.DataFrame, name: str) -> list[Problem]:
    known = set(OBS_STATUS.values())
    problems = [
        Problem(f"{name}, row {i + 2}, column OBS_STATUS", repr(cells["OBS_STATUS"][i]), f"one of {sorted(known)}",
                "write the code of CL_OBS_STATUS")
        for i in cells.index[~cells["OBS_STATUS"].isin(known)]
    ]  # fmt: skip
    hidden = cells["OBS_STATUS"] == OBS_STATUS["suppressed"]
    odd = hidden != (cells["CONF_STATUS"] == CONFIDENTIAL)
    problems += [
        Problem(f"{name}, row {i + 2}, column CONF_STATUS", repr(cells["CONF_STATUS"][i]),
                f"{CONFIDENTIAL} exactly where OBS_STATUS is {OBS_STATUS['suppressed']}", "make the two agree")
        for i in cells.index[odd]
    ]  # fmt: skip
    return problems


# --- of other houses -----------------------------------------------------------------------------


def read_sdmx(
    path: Path | str, *, area: str, source: str, place: str = "", indicator: str = "", series: str = "", unit: str = ""
) -> Reading:
    """Read SDMX-CSV 1.0 or 2.0 of any house.

    Parameters
    ----------
    path : Path or str
        Also the kit's own feed: its figures of `area` come back as they went out, with their own sources.
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    place : str
        Code or label of the area in REF_AREA (GEO, COUNTRY, LOCATION); left out: the name whose slug is `area`.
    indicator, series, unit : str
        Take the place of the file's own.

    Returns
    -------
    Reading
        OBS_STATUS and CONF_STATUS become statuses, UNIT_MULT is worked in. Dimensions other than frequency, area,
        indicator, series and unit are breakdowns; one that does not vary is part of the series.

    Raises
    ------
    InputError
        Not SDMX-CSV as pysdmx reads it; the area not found.
    """
    opened = open_shown(path)
    sheet = opened.sheets[0]
    text, _ = decoded(Path(path).read_bytes(), opened.file)
    raise_if_any(opened.file, _size_problems(sheet) or _any_form_problems(text, opened.file))
    if {"SERIES_NAME", "INDICATOR_CODE"} <= set(sheet.rows[0]):
        return _own(Path(path), sheet, area, opened)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    take_sdmx(gathering, sheet, Told(place, indicator, series, unit))
    return gathering.reading()


def _own(path: Path, sheet: Sheet, area: str, opened: Opened) -> Reading:
    table = read_sdmx_csv(path)
    table = table[table["area"] == area].reset_index(drop=True)
    names = [sheet.rows[0].index(READ_FROM[name]) for name in KEY]
    value = sheet.rows[0].index(READ_FROM["value"])
    cells = {tuple(original(sheet.at(row, column) or "") for column in names): sheet.cell(row, value)
             for row in range(1, len(sheet.rows))}  # fmt: skip
    origins = table[list(KEY)].assign(file=opened.file, sheet="", cell="")
    origins["cell"] = [cells.get(tuple(key), "") for key in table[list(KEY)].to_numpy().tolist()]
    return Reading(table, origins, opened.repairs, [])


def _size_problems(sheet: Sheet) -> list[Problem]:
    """Refuse what would keep pysdmx busy for minutes: it compares every column with every other."""
    flows = {tuple(cells[: 1 + (sheet.at(0, 0) != "DATAFLOW")]) for cells in sheet.rows[1:]}
    fix = "split the file, or take it from its publisher again"
    if sheet.width > MOST_COLUMNS:
        return [Problem(sheet.where(0), f"{sheet.width} columns", f"at most {MOST_COLUMNS}", fix)]
    if len(flows) > MOST_FLOWS:
        return [Problem(sheet.file, f"{len(flows)} data flows", f"at most {MOST_FLOWS}", fix)]
    return []


def _any_form_problems(text: str, name: str) -> list[Problem]:
    head = text.lstrip("\ufeff").split("\n", 1)[0]
    if ";" in head and "," not in head:
        return []  # a European export; pysdmx reads commas alone
    read = read_datasets if head.startswith("STRUCTURE") else read_first
    if not head.startswith(("STRUCTURE", "DATAFLOW")) or len(text.strip().split("\n", 1)) < 2:
        return []  # told by the header check
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(text)
    except Exception as error:  # pysdmx and pandas have no common class
        found = str(error).splitlines()[0][:200] if str(error) else "no SDMX-CSV"
        return [Problem(name, found, "SDMX-CSV 1.0 or 2.0", "take the file from its publisher again")]
    return []


__all__ = ["DATA", "KEY", "STRUCTURE", "frequency", "read_sdmx", "read_sdmx_csv", "sdmx_files"]
