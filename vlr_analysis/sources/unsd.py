"""UNSD's database of the SDG indicators: CSV or Excel with SeriesCode, GeoAreaCode, TimePeriod, groups in brackets."""

from __future__ import annotations

import re
from pathlib import Path

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import read_text
from vlr_analysis.sources.long import take_rows
from vlr_analysis.sources.long_header import Layout
from vlr_analysis.sources.names import Told
from vlr_analysis.sources.reading import Gathering, Reading
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown

HEADER_WITHIN = 10
ROLES = {"indicator": "code", "seriesdescription": "series", "geoareaname": "area", "geoareacode": "area code",
         "timeperiod": "period", "value": "value", "upperbound": "high", "lowerbound": "low", "units": "unit",
         "nature": "status"}  # fmt: skip
# Dimensions that say how a figure was reported, not of whom it is.
NOT_GROUPS = {"nature", "units", "reporting-type", "observation-status"}


def read_unsd(
    path: Path | str, *, area: str, source: str, place: str = "", indicator: str = "", series: str = "", unit: str = ""
) -> Reading:
    """Read an extract of UNSD's SDG database.

    Parameters
    ----------
    path : Path or str
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    place : str
        Name or M49 code of the area as the file writes it; left out: the name whose slug is `area`.
    indicator, series, unit : str
        Take the place of the file's own.

    Returns
    -------
    Reading
        Columns in brackets are breakdowns (BOTHSEX, ALLAGE, _T ... are the total); one that does not vary is part of
        the series. `Nature` E and M are estimates.

    Raises
    ------
    InputError
        No such header; the area not found.
    """
    opened = open_shown(path)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    placed = [(sheet, find_header(sheet)) for sheet in opened.sheets]
    placed = [(sheet, header) for sheet, header in placed if header is not None]
    if not placed:
        fix = "choose the format that it is: wide or long"
        found = "no header with SeriesCode, GeoAreaCode, TimePeriod and Value"
        raise InputError(opened.file, [Problem(opened.file, found, "an extract of UNSD's SDG database", fix)])
    for sheet, header in placed:
        sheet.decimal = "." if sheet.separator in ("\t", ",") else sheet.decimal  # a program wrote it: also 545.678
        layout = Layout(header)
        for column, content in enumerate(sheet.rows[header]):
            name = read_text(content)[0]
            plain = re.sub(r"[\[\]\s_]", "", name).casefold()
            if plain in ROLES:
                layout.roles.setdefault(ROLES[plain], column)
            elif name.startswith("[") and slug(name) not in NOT_GROUPS:
                layout.dimensions[column] = slug(name)
            elif plain == "seriescode" and "series" not in layout.roles:
                layout.roles["series"] = column
        _by_description(sheet, layout)
        if place.isdigit() and "area code" in layout.roles:
            layout.roles["area"] = layout.roles["area code"]
        layout.roles.pop("area code", None)
        if indicator:
            layout.roles.pop("code", None)
        _natures(sheet, layout)
        take_rows(gathering, sheet, layout, Told(place, indicator, series, unit), coded=True)
    return gathering.reading()


def _by_description(sheet: Sheet, layout: Layout) -> None:
    for column, content in enumerate(sheet.rows[layout.header]):
        if read_text(content)[0].casefold() == "seriesdescription":
            layout.roles["series"] = column


def _natures(sheet: Sheet, layout: Layout) -> None:
    """Write the codes of Nature as statuses: C, CA, G are values, E and M estimates, N does not apply."""
    column = layout.roles.get("status")
    if column is None:
        return
    words = {"c": "value", "ca": "value", "g": "value", "e": "estimated", "m": "estimated", "f": "estimated",
             "n": "not_applicable", "na": "value", "": ""}  # fmt: skip
    for row in range(layout.header + 1, len(sheet.rows)):
        text = read_text(sheet.at(row, column))[0].casefold()
        if column < len(sheet.rows[row]) and text in words:
            sheet.rows[row][column] = words[text]


def find_header(sheet: Sheet) -> int | None:
    """Return the position of the row with the names of UNSD's columns, or None."""
    for row in range(min(len(sheet.rows), HEADER_WITHIN)):
        names = {re.sub(r"[\[\]\s_]", "", read_text(content)[0]).casefold() for content in sheet.rows[row]}
        if {"seriescode", "geoareacode", "timeperiod", "value"} <= names:
            return row
    return None
