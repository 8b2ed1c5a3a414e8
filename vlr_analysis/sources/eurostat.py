"""Eurostat: TSV (dimensions joined by commas, a column for each period, flags after the figures) and its SDMX-CSV."""

from __future__ import annotations

import re
from pathlib import Path

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import read_text
from vlr_analysis.sources.labels import read_periods
from vlr_analysis.sources.names import Told, dimension_of
from vlr_analysis.sources.reading import Gathering, Reading
from vlr_analysis.sources.sdmx_tables import take_sdmx
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown
from vlr_analysis.sources.wide import take_table
from vlr_analysis.sources.wide_headings import Column, Layout

CORNER = re.compile(r"([\w,]+)\\(time_period|time)", re.I)


def read_eurostat(
    path: Path | str, *, area: str, source: str, place: str = "", indicator: str = "", series: str = "", unit: str = ""
) -> Reading:
    r"""Read a TSV or SDMX-CSV file of Eurostat.

    Parameters
    ----------
    path : Path or str
        Unpacked: ``.tsv`` or ``.csv``.
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    place : str
        The code in the dimension geo, such as ``UKK11``; needed also where the file holds one place.
    indicator, series, unit : str
        Code of the kit, measure in words, and unit. Left out: the code of the data set, and the code of the unit.

    Returns
    -------
    Reading
        `:` is missing, `: c` suppressed; the flags p, e, b make a value provisional, estimated, a break. Dimensions
        other than freq, unit and geo are breakdowns; one that does not vary is part of the series.

    Raises
    ------
    InputError
        The first cell is not of the form ``freq,unit,geo\TIME_PERIOD``; the place not found.
    """
    opened = open_shown(path)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    sheet = opened.sheets[0]
    words = series or _data_set(Path(path))
    told = Told(place, indicator, series, unit)
    corner = CORNER.fullmatch(read_text(sheet.at(0, 0))[0])
    if corner is None:
        take_sdmx(gathering, sheet, told, words, flags=True)
        return gathering.reading()
    names = corner[1].split(",")
    split = _split(gathering, sheet, names)
    labels = read_periods([content for content in sheet.rows[0][1:] if read_text(content)[0]])
    columns, problems = [], []
    for place_in_row, content in enumerate(sheet.rows[0][1:], 1):
        label = labels.get(content)
        if label is not None and label.unreadable:
            problems.append(label.unreadable.at(sheet.where(0, place_in_row)))
        elif label is not None:
            columns.append(Column(place_in_row + split.shift, label.period, label.status))
    if problems or not columns:
        fix = "take the file from Eurostat again"
        raise InputError(sheet.file, problems or [Problem(sheet.where(0), "no period", "periods as columns", fix)])
    layout = Layout(1, columns, title=words)
    for column, name in enumerate(names):
        role = {"geo": "area", "unit": "unit"}.get(name.casefold(), "")
        if role:
            layout.roles[role] = column
        elif name.casefold() != "freq":
            layout.dimensions[column] = dimension_of(name)
    take_table(gathering, split, layout, Told(place, indicator or ("" if series else words), series, unit), flags=True,
               coded=True)  # fmt: skip
    return gathering.reading()


def _data_set(path: Path) -> str:
    """Return the code of the data set that the name of a file says: estat_une_rt_a.tsv is une_rt_a."""
    return re.sub(r"^estat_|_linear.*$|\.tsv$", "", path.stem.casefold()) or "eurostat"


def _split(gathering: Gathering, sheet: Sheet, names: list[str]) -> Sheet:
    """Give the dimensions a column each; a row with another number of them is told and left out."""
    split = Sheet(sheet.file, sheet.name, decimal=".", shift=len(names) - 1)
    for row, cells in enumerate(sheet.rows):
        parts = [part.strip() for part in str(cells[0] or "").split(",")]
        if row and len(parts) != len(names):
            fix = "take the file from Eurostat again"
            gathering.problems.append(
                Problem(sheet.where(row, 0), f"{len(parts)} dimensions", f"{len(names)}, as in the header", fix)
            )
            continue
        split.lines.append(sheet.lines[row])
        split.rows.append([*(parts if row else names), *cells[1:]])
    return split
