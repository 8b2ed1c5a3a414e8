"""Which format a source is in: one registry of readers, a guess where it is plain, the candidates where it is not."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.observations import KEY, check
from vlr_analysis.sources import eurostat, fred, sdmx_tables, unsd, world_bank
from vlr_analysis.sources.cells import Repair, read_label, read_text
from vlr_analysis.sources.economic_tracker import is_tracker, read_economic_tracker
from vlr_analysis.sources.labels import read_periods
from vlr_analysis.sources.long import read_long
from vlr_analysis.sources.long_header import find_header
from vlr_analysis.sources.names import role_of
from vlr_analysis.sources.open_sdg import read_open_sdg
from vlr_analysis.sources.reading import UNIT_NOT_STATED, Reading
from vlr_analysis.sources.sdmx_csv import read_sdmx
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_shown
from vlr_analysis.sources.wide import read_wide
from vlr_analysis.sources.wide_blocks import find_years

GUESS = "guess"
HEADING_WITHIN = 40  # rows from the top in which the heading of an unknown table is looked for
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_TAKEN_OUT = "what a spreadsheet runs or hides taken out"


def read_repository(path: Path | str, *, area: str, source: str, year_start: str = "07-01") -> Reading:
    """Read an Open SDG repository as `open_sdg.read_open_sdg` does, in the form that all readers share.

    Raises
    ------
    InputError
        The folder is not there, or holds no `data/`.
    """
    found = read_open_sdg(path, area=area, source=source, year_start=year_start)
    repairs = [Repair(report.file, "its cells", report.outcome, report.detail)
               for report in found.files if report.detail]  # fmt: skip
    # A hand-over that comes back keeps its words; what comes from others loses marks that hide, and signs of formulas.
    table, origins = found.table, found.origins
    for name, clean in (("series", _label), ("unit", _label), ("breakdown", _breakdown)):
        changed = {text: safe for text in table[name].unique() if (safe := clean(text)) != text}
        if changed:
            table, origins = (part.assign(**{name: part[name].replace(changed)}) for part in (table, origins))
            repairs += [Repair(Path(path).name, repr(text[:40]), repr(safe[:40]), _TAKEN_OUT)
                        for text, safe in sorted(changed.items())]  # fmt: skip
    if table is not found.table:
        table = check(table, name=Path(path).name)
        order = origins.set_index(list(KEY)).index
        origins = origins.iloc[order.get_indexer(table.set_index(list(KEY)).index)].reset_index(drop=True)
    return Reading(table, origins, repairs, list(found.problems))


def _label(text: str) -> str:
    return read_label(text)[0] or UNIT_NOT_STATED


def _breakdown(text: str) -> str:
    pairs = [pair.split("=", 1) for pair in text.split(";") if pair]
    return ";".join(f"{name}={category}" for name, shown in pairs if (category := read_text(shown)[0]))


@dataclass(frozen=True)
class Format:
    """One format: its reader, and what a file of it looks like, in words."""

    name: str
    reader: Callable[..., Reading]
    looks: str

    @property
    def options(self) -> frozenset[str]:
        """Names of what its reader may be told besides area and source."""
        return frozenset(inspect.signature(self.reader).parameters) - {"path", "area", "source"}


FORMATS = {format.name: format for format in (
    Format("economic-tracker", read_economic_tracker, "year, month, day_endofweek, then a column for each measure"),
    Format("eurostat", eurostat.read_eurostat, "freq,unit,geo\\TIME_PERIOD in the first cell, or its SDMX-CSV"),
    Format("fred", fred.read_fred, "DATE or observation_date, then figures"),
    Format("long", read_long, "a row for each figure, with a column of years"),
    Format("open-sdg", read_repository, "a folder with data/indicator_1-1-1.csv and so on"),
    Format("sdmx-csv", read_sdmx, "DATAFLOW or STRUCTURE first, with TIME_PERIOD and OBS_VALUE"),
    Format("unsd", unsd.read_unsd, "SeriesCode, GeoAreaCode, TimePeriod, Value"),
    Format("wide", read_wide, "a row for each series, a column for each year"),
    Format("world-bank", world_bank.read_world_bank, "Country Name, Country Code, Indicator Name, years"),
)}  # fmt: skip


def read(name: str, path: Path | str, *, area: str, source: str, **options: Any) -> Reading:
    """Read a source in a format.

    Parameters
    ----------
    name : str
        A key of `FORMATS`, or ``guess``.
    path : Path or str
    area, source : str
        Slug of the place that the figures are of; id in the sources table.
    **options
        What the reader of the format may be told; an empty one counts as not given.

    Returns
    -------
    Reading

    Raises
    ------
    InputError
        No such format, an option that the format has no use for, and what the reader raises.
    """
    name = guess(path, options.get("sheet", "")) if name == GUESS else name
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, n=1, cutoff=0.5)
        fix = f"did you mean {near[0]!r}?" if near else "name one of them"
        raise InputError(name, [Problem("format", repr(name), ", ".join([*FORMATS, GUESS]), fix)])
    given = {option: told for option, told in options.items() if told}
    known = f"for {name}: {', '.join(sorted(FORMATS[name].options))}"
    raise_if_any(Path(path).name, [
        Problem(f"option {option}", repr(told), known, "leave it out")
        for option, told in given.items() if option not in FORMATS[name].options
    ])  # fmt: skip
    return FORMATS[name].reader(path, area=area, source=source, **given)


def guess(path: Path | str, sheet: str = "") -> str:
    """Return the format of a source where it is plain; of a workbook, by the sheet that is named, or by those shown.

    Raises
    ------
    InputError
        It could be several formats, or none: the candidates are named, with what they look like.
    """
    path = Path(path)
    if path.is_dir() and (path / "data").is_dir():
        return "open-sdg"
    opened = open_shown(path, sheet)
    looked_at = [one for one in opened.sheets if one.name == sheet] or opened.sheets
    found = sorted({name for one in looked_at for name in candidates(one)})
    if len(found) == 1:
        return found[0]
    listed = "; ".join(f"{name} ({FORMATS[name].looks})" for name in found or FORMATS)
    if found:
        said, where, fix = f"what could be {' or '.join(found)}", path.name, "say which one it is"
    else:
        said, (where, fix) = "none of the formats", _looked_at(looked_at[0])
    raise InputError(path.name, [Problem(where, said, f"one format: {listed}", fix)])


def _looked_at(sheet: Sheet) -> tuple[str, str]:
    """Return where the heading of a sheet of no known format seems to be, and what it lacks."""
    filled = [[text for content in row if (text := read_text(content)[0])] for row in sheet.rows[:HEADING_WITHIN]]
    row = next((place for place, texts in enumerate(filled) if len(texts) > 1), 0)
    named = ", ".join(repr(text[:24]) for text in filled[row][:6]) + (" ..." if len(filled[row]) > 6 else "")
    labels = read_periods(filled[row])
    near = next((text for text in filled[row] if _YEAR.search(text) and not labels[text].period), "")
    fix = f"the heading seems to be {named}: head one column Year for long, or two or more with years alone for wide"
    fix += f"; {near[:24]!r} is not read as a year" if near else ""
    return sheet.where(row), f"{fix}; or say which one it is"


def candidates(sheet: Sheet) -> list[str]:
    """Return the formats that a sheet could be: one that names itself by its header, else wide, long or both."""
    plain = {
        "eurostat": eurostat.CORNER.fullmatch(read_text(sheet.at(0, 0))[0]) is not None or _of_eurostat(sheet),
        "unsd": unsd.find_header(sheet) is not None,
        "world-bank": world_bank.find_header(sheet) is not None,
        "economic-tracker": is_tracker(sheet),
        "sdmx-csv": sdmx_tables.is_sdmx(sheet) and not _of_eurostat(sheet),
        "fred": fred.is_fred(sheet) and sheet.width <= 3,
    }
    found = [name for name, is_it in plain.items() if is_it]
    if found:
        return found
    years, header = find_years(sheet), find_header(sheet, {})
    if header is not None and "value" in {role_of(read_text(content)[0]) for content in sheet.rows[header]}:
        years = None  # figures of a long table may look like years
    if years is not None and header is not None and years == header:
        header = None  # "Year" in the corner above the names of series
    return ["wide"] * (years is not None) + ["long"] * (header is not None and header != years)


def _of_eurostat(sheet: Sheet) -> bool:
    return sdmx_tables.is_sdmx(sheet) and "last update" in {
        read_text(content)[0].casefold() for content in sheet.rows[0]
    }  # fmt: skip
