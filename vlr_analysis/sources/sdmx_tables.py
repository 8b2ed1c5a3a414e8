"""SDMX-CSV of other houses: which column is a dimension, which the value, which says how the value was made."""

from __future__ import annotations

import re

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import read_text
from vlr_analysis.sources.long import take_rows
from vlr_analysis.sources.long_header import Layout
from vlr_analysis.sources.names import Told, dimension_of
from vlr_analysis.sources.reading import Gathering
from vlr_analysis.sources.sheet_grid import Sheet

ROLES = {"ref_area": "area", "geo": "area", "country": "area", "location": "area", "time_period": "period",
         "obs_value": "value", "obs_status": "status", "obs_flag": "status", "conf_status": "confidential",
         "unit_measure": "unit", "unit": "unit", "indicator": "code", "series": "series", "unit_mult": "multiplier",
         "lower_bound": "low", "upper_bound": "high"}  # fmt: skip
ABOUT = {"dataflow", "structure", "structure_id", "structure_name", "action", "last update", "freq",
         "reporting_type"}  # fmt: skip


def is_sdmx(sheet: Sheet) -> bool:
    """Whether the first row is a header of SDMX-CSV 1.0 or 2.0."""
    names = [_id(content) for content in sheet.rows[0]]
    return names[0] in ("dataflow", "structure") and {"time_period", "obs_value"} <= set(names)


def take_sdmx(gathering: Gathering, sheet: Sheet, told: Told, words: str = "", *, flags: bool = False) -> None:
    """Take every observation of a sheet in SDMX-CSV.

    Parameters
    ----------
    gathering : Gathering
    sheet : Sheet
    told : Told
    words : str
        Name of the series where no dimension names it; left out: the id of the data flow.
    flags : bool
        Letters after a number are flags (Eurostat).

    Raises
    ------
    InputError
        No header of SDMX-CSV; the area not found.

    Notes
    -----
    Columns before OBS_VALUE are dimensions, those after it attributes, as the format lays down. Labels beside codes
    (``A: Annual``) are taken for areas, series and units; of other dimensions the code.
    """
    if not is_sdmx(sheet):
        fix = "choose the format that it is: wide or long"
        found = "no header DATAFLOW or STRUCTURE with TIME_PERIOD and OBS_VALUE"
        raise InputError(sheet.file, [Problem(sheet.where(0), found, "SDMX-CSV 1.0 or 2.0", fix)])
    names = [_id(content) for content in sheet.rows[0]]
    layout = Layout(0)
    value = names.index("obs_value")
    for column, name in enumerate(names):
        role = ROLES.get(name, "")
        if role and role not in layout.roles:
            layout.roles[role] = column
        elif name not in ABOUT and column < value:
            layout.dimensions[column] = dimension_of(name)
    sheet = _bare(gathering, sheet, layout, names, told.place)
    if told.indicator:
        layout.roles.pop("code", None)
    if "code" not in layout.roles and "series" not in layout.roles:
        layout.measures = {value: words or _flow(sheet)}
    take_rows(gathering, sheet, layout, told, flags=flags, coded=True)


def _id(content) -> str:
    return read_text(content)[0].split(":")[0].strip().casefold()


def _flow(sheet: Sheet) -> str:
    """Return the id of the data flow: ``ESTAT:UNE_RT_A(1.0)`` is UNE_RT_A."""
    structure = next((cells for cells in sheet.rows[1:] if cells), [""])
    flow = structure[0] if _id(sheet.at(0, 0)) == "dataflow" else [*structure, "", ""][1]
    found = re.search(r"(?:.*:)?([\w-]+)", str(flow).split("(")[0])
    return found[1] if found else "sdmx"


def _bare(gathering: Gathering, sheet: Sheet, layout: Layout, names: list[str], place: str) -> Sheet:
    """Return a sheet without rows that delete, and with the words or the code where a cell holds both."""
    labelled = any(":" in str(content) for content in sheet.rows[0])
    action = names.index("action") if "action" in names else None
    worded = {layout.roles[role] for role in ("area", "series", "unit") if role in layout.roles}
    coded = set(layout.dimensions) | {
        layout.roles[role] for role in ("code", "status", "confidential", "multiplier") if role in layout.roles
    }
    made = Sheet(sheet.file, sheet.name, decimal=".")
    for row, cells in enumerate(sheet.rows):
        if row and action is not None and str(sheet.at(row, action)).strip().casefold()[:1] == "d":
            gathering.mended(sheet.where(row, action), str(sheet.at(row, action)), "nothing", ["a row that deletes"])
            continue
        cells = list(cells)
        for column in (worded | coded) if labelled and row else ():
            if column < len(cells) and ": " in str(cells[column]):
                code, label = str(cells[column]).split(": ", 1)
                told = column == layout.roles.get("area") and code.casefold() == place.casefold()
                cells[column] = label if column in worded and not told else code
        made.lines.append(sheet.lines[row])
        made.rows.append(cells)
    return made
