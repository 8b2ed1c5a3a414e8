"""From a finding to the rows of the files that it rests on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pandas as pd

from vlr_analysis.cities import City
from vlr_analysis.cities import data_file as file_of_area
from vlr_analysis.findings import KEY, Finding
from vlr_analysis.lookup import Lookup
from vlr_analysis.observations import KEY as ROW_KEY
from vlr_analysis.review import origins

COLUMNS = [
    "finding", "file", "row", *origins.COLUMNS, *ROW_KEY, "value", "low", "high", "status", "source", "publisher",
    "title", "source_class", "licence", "retrieved", "department",
]  # fmt: skip


def provenance(city: City, findings: Sequence[Finding]) -> pd.DataFrame:
    """List the rows behind every finding.

    Parameters
    ----------
    city : City
    findings : sequence of Finding

    Returns
    -------
    DataFrame, one row per finding and observation
        `finding` (id); `file` (below the project) and `row` (1 is the header) of the data file; `origin_file`,
        `origin_sheet`, `origin_cell`: where the figure stood before, empty where that is not known; the observation as
        the city's build shows it (hidden numbers stay hidden); `source` with its publisher, title, class, licence and
        date; `department` that answers for it.
    """
    table = pd.concat([city.observations, city.around], ignore_index=True)
    lookup = Lookup(table)
    behind = [lookup.rows(finding.evidence) for finding in findings]
    rows = table.take(np.concatenate([np.array([], dtype=int), *behind])).reset_index(drop=True)
    rows["finding"] = np.repeat(np.array([finding.id for finding in findings], dtype=object), list(map(len, behind)))
    rows = places(city, rows)
    rows = rows.merge(
        city.all_sources[["source", "publisher", "title", "source_class", "licence", "retrieved"]], how="left"
    )
    rows = rows.merge(city.definitions[[*KEY, "department"]], on=KEY, how="left").fillna({"department": ""})
    return rows[COLUMNS]


def places(city: City, rows: pd.DataFrame) -> pd.DataFrame:
    """Return observations with the place of each: `file` and `row`, and `origins.COLUMNS`.

    Parameters
    ----------
    city : City
    rows : DataFrame
        Observations of the city or around it.
    """
    files = {area: data_file(city, area) for area in rows["area"].unique()}
    rows = rows.assign(file=rows["area"].map(files))
    rows["row"] = _row_numbers(city, rows)
    known = [origins.origins_of(city.root / name) for name in dict.fromkeys(files.values())]
    return origins.with_origins(rows, pd.concat(known, ignore_index=True)) if known else rows.assign(
        **dict.fromkeys(origins.COLUMNS, "")
    )  # fmt: skip


def data_file(city: City, area: str) -> str:
    """Return the data file of an area, below the project, with forward slashes; of a neighbour, by its parameters."""
    return file_of_area(city.root, area, (city.data or "") if area == city.id else None)


def files_of(city: City, rows: pd.DataFrame) -> pd.DataFrame:
    """Return the SHA-256 of every data file that the rows name.

    Of a file of which something is hidden, the hash is of what is shown (`hash_of` says so): whoever knows the rest of
    a file could find a hidden number by trying until the hash fits.
    """
    found = []
    for name in sorted(rows["file"].unique()):
        area = rows.loc[rows["file"] == name, "area"].iloc[0]
        shown = city.observations if area == city.id else city.around[city.around["area"] == area]
        secret = not city.internal and (shown["status"] == "suppressed").any()
        content = shown.to_csv(index=False, lineterminator="\n").encode() if secret else (city.root / name).read_bytes()
        told = "the figures that are shown" if secret else "the file"
        found.append({"file": name, "hash_of": told, "sha256": hashlib.sha256(content).hexdigest()})
    return pd.DataFrame(found, columns=["file", "hash_of", "sha256"])


def _row_numbers(city: City, rows: pd.DataFrame) -> pd.Series:
    numbers = {}
    for area in rows["area"].unique():
        numbers.update(city.row_numbers(data_file(city, area)))
    keys = zip(*(rows[name].tolist() for name in ROW_KEY), strict=True)
    return pd.Series([numbers.get(key, 0) for key in keys], rows.index, dtype=int)
