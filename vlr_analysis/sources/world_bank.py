"""World Bank CSV: an indicator of all countries (four rows above the header), or an extract of the DataBank."""

from __future__ import annotations

from pathlib import Path

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import read_text
from vlr_analysis.sources.names import Told
from vlr_analysis.sources.reading import Gathering, Reading
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown
from vlr_analysis.sources.wide import take_table
from vlr_analysis.sources.wide_header import layout_of

HEADER_WITHIN = 20
ROLES = {"country name": "area", "country code": "area code", "indicator name": "series", "indicator code": "code",
         "series name": "series", "series code": "code"}  # fmt: skip


def read_world_bank(
    path: Path | str, *, area: str, source: str, place: str = "", indicator: str = "", series: str = "", unit: str = ""
) -> Reading:
    """Read a CSV file of the World Bank.

    Parameters
    ----------
    path : Path or str
        ``API_....csv``, or an extract of the DataBank (``2019 [YR2019]`` as years).
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    place : str
        Name or code of the country as the file writes it; left out: the name whose slug is `area`.
    indicator, series, unit : str
        Code of the kit, measure and unit, instead of the bank's own code, name and the unit in its brackets.

    Returns
    -------
    Reading

    Raises
    ------
    InputError
        No header with country name and code; the country not found.
    """
    opened = open_shown(path)
    gathering = Gathering(opened.file, area, source, repairs=opened.repairs)
    sheet = opened.sheets[0]
    header = find_header(sheet)
    if header is None:
        fix = "choose the format that it is: wide or long"
        raise InputError(opened.file, [Problem(opened.file, "no header Country Name, Country Code", "a file of the "
                                               "World Bank", fix)])  # fmt: skip
    sheet.decimal = "." if sheet.separator in ("\t", ",") else sheet.decimal  # a program wrote it: also 545.678
    told = Told(place, indicator, series, unit)
    layout = layout_of(gathering, sheet, header, told)
    columns = {ROLES.get(read_text(content)[0].casefold(), ""): column
               for column, content in enumerate(sheet.rows[header])}  # fmt: skip
    if place and _is_code(sheet, header, columns, place):
        columns["area"] = columns["area code"]
    layout.roles = {role: column for role, column in columns.items() if role in ("area", "series", "code")}
    layout.dimensions = {}
    if indicator:
        layout.roles.pop("code", None)
    take_table(gathering, sheet, layout, told)
    return gathering.reading()


def find_header(sheet: Sheet) -> int | None:
    """Return the position of the row that names country and code, or None."""
    for row in range(min(len(sheet.rows), HEADER_WITHIN)):
        names = {read_text(content)[0].casefold() for content in sheet.rows[row]}
        if {"country name", "country code"} <= names and names & {"indicator code", "series code"}:
            return row
    return None


def _is_code(sheet: Sheet, header: int, columns: dict[str, int], place: str) -> bool:
    column = columns["area code"]
    return any(read_text(sheet.at(row, column))[0].casefold() == place.casefold()
               for row in range(header + 1, len(sheet.rows)))  # fmt: skip
