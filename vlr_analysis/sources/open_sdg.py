"""Open SDG repositories: a folder `data/` of one CSV per indicator, with metadata beside it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.observations import COLUMNS, KEY, WITHOUT_VALUE, check, empty
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.cells import Repair
from vlr_analysis.sources.names import dimension_of
from vlr_analysis.sources.open_sdg_columns import (
    category,
    groups_of,
    refuse_percent,
    refuse_shares,
    secrecy_or_status,
    settle,
)
from vlr_analysis.sources.open_sdg_sheet import (
    SPAN,
    Sheet,
    placeholder,
    read_metadata,
    read_sheet,
    says_not_statistical,
)
from vlr_analysis.sources.open_sdg_values import multiplier, read_value, with_status
from vlr_analysis.sources.sheet_grid import letters

TAKEN, PLACEHOLDER, NOT_STATISTICAL, EMPTY, PROBLEM = "taken", "placeholder", "not statistical", "empty", "problem"
NO_FILE = "not a file"

SERIES_COLUMNS = {"series", "measure"}
UNIT_COLUMNS = {"units", "unit", "unit of measure", "unit_measure"}
STATUS_COLUMNS = {"observation status", "obs status", "obs_status", "observationstatus"}
MULTIPLIER_COLUMNS = {"unit multiplier", "unit_mult", "unit mult", "unit_multiplier", "multiplier"}
UNIT_NOT_STATED = "not stated"
TOLD = 5  # rows at odds that a message names
SERIES, UNIT, PERIOD, BREAKDOWN, VALUE, STATUS = (
    COLUMNS.index(name) for name in ("series", "unit", "period", "breakdown", "value", "status")
)
MARKED = frozenset(WITHOUT_VALUE) - {"missing"}  # what a mark says; an empty cell beside a figure says nothing


@dataclass(frozen=True)
class FileReport:
    """What became of one entry of the folder.

    Attributes
    ----------
    file : str
    outcome : str
        taken, placeholder, not statistical, empty, not a file, or problem.
    rows, series : int
        Observations and series that were taken.
    first, last : str
        Periods.
    detail : str
        Why, or what was repaired.
    problems : tuple of Problem
    """

    file: str
    outcome: str
    rows: int = 0
    series: int = 0
    first: str = ""
    last: str = ""
    detail: str = ""
    problems: tuple[Problem, ...] = ()

    def line(self) -> str:
        """Return the one line that the import prints for this file."""
        if self.outcome == TAKEN:
            counts = f"{self.rows} row{'s' * (self.rows != 1)}, {self.series} series, {self.first} to {self.last}"
            parts = [self.detail] if self.detail else []
            parts += [f"left out: {problem}" for problem in self.problems]
            return "; ".join([f"{self.file}: taken ({counts})", *parts])
        if self.outcome == PROBLEM:
            return f"{self.file}: problem: " + " | ".join(str(problem) for problem in self.problems)
        return f"{self.file}: {self.outcome}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True)
class OpenSdgImport:
    """Observations of one area, a report for every entry of the folder, the cell of every observation, every repair.

    `origins` has the key columns, then `file`, `sheet` (empty) and `cell`; a row for each row of `table`, in its order.
    A file that was left out whole is a repair of its own.
    """

    table: pd.DataFrame
    files: tuple[FileReport, ...]
    origins: pd.DataFrame
    repairs: tuple[Repair, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every file."""
        return tuple(problem for report in self.files for problem in report.problems)


def read_open_sdg(
    folder: Path | str, *, area: str, source: str = "open-sdg", year_start: str = "07-01", own: bool = False
) -> OpenSdgImport:  # fmt: skip
    """Read an Open SDG repository.

    Parameters
    ----------
    folder : Path or str
        Holds `data/`; `meta/` and `indicator-config/` are used where they are there.
    area : str
        Slug of the place that the figures are of.
    source : str
        Id in the sources table.
    year_start : str
        Month and day on which a year written 2015/16 begins; also used for chained labels
        2012-2013, 2013-2014. A single label over several years is read as pooled calendar years.
    own : bool
        The kit wrote the files itself: the words of groups are taken as they stand.

    Returns
    -------
    OpenSdgImport
        A file with a problem gives no row and one line; every other file is taken. A blank cell is a missing
        value, a suppression mark a suppressed one; a zero is a zero.

    Raises
    ------
    InputError
        The folder is not there, or holds no `data/`.
    """
    folder = Path(folder)
    data = folder / "data"
    if not data.is_dir():
        found = "no folder" if not folder.is_dir() else "a folder without data/"
        fix = "give the folder that holds data/, meta/ and indicator-config/"
        raise InputError(str(folder), [Problem(str(folder), found, "an Open SDG repository", fix)])
    reports: list[FileReport] = []
    rows: list[tuple] = []
    repairs: list[Repair] = []
    for path in sorted(data.iterdir(), key=lambda path: _natural(path.name)):
        report, taken, mended = _read_file(path, folder, area, source, year_start, own)
        reports.append(report)
        rows += taken
        repairs += mended
    whole = pd.DataFrame(rows, columns=[*COLUMNS, "file", "sheet", "cell"]) if rows else _nothing()
    table = check(whole[list(COLUMNS)])
    stood = whole.set_index(list(KEY))[["file", "sheet", "cell"]]
    origins = stood.loc[pd.MultiIndex.from_frame(table[list(KEY)])].reset_index() if len(table) else whole
    return OpenSdgImport(table, tuple(reports), origins[[*KEY, "file", "sheet", "cell"]], tuple(repairs))


def _nothing() -> pd.DataFrame:
    return empty().assign(file="", sheet="", cell="")


def _natural(name: str) -> list:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", name)]


def _read_file(
    path: Path, folder: Path, area: str, source: str, year_start: str, own: bool
) -> tuple[FileReport, list[tuple], list[Repair]]:
    """Return the report of one entry, its observations where it was taken, and what was mended."""
    name = path.name

    def left_out(outcome: str, why: str) -> tuple[FileReport, list[tuple], list[Repair]]:
        repair = Repair(f"data/{name}", f"the whole entry, {outcome}", "nothing", why)
        return FileReport(name, outcome, detail=why), [], [repair]

    if path.is_dir():
        return left_out(NO_FILE, "a folder where a file is expected; nothing was read from it")
    if path.suffix.lower() != ".csv":
        return left_out(NO_FILE, "not a CSV file")
    sheet = read_sheet(path)
    if sheet is None:
        return left_out(EMPTY, "no row below the header")
    if says_not_statistical(sheet):
        return left_out(NOT_STATISTICAL, "a sentence stands where the figures would")
    reason = placeholder(sheet)
    if reason:
        return left_out(PLACEHOLDER, reason)
    about = read_metadata(folder, path.stem.removeprefix("indicator_"))
    if about.get("data_non_statistical") is True:
        sheet.remarks.append("its metadata call it non-statistical")
    rows = _observations(sheet, path.stem, about, area, source, year_start, own)
    if not rows:
        return FileReport(name, PROBLEM, problems=tuple(sheet.problems)), [], []
    values = [row[VALUE] for row in rows if row[VALUE] == row[VALUE]]
    if len(values) > 4 and len(set(values)) == 1:
        sheet.remarks.append(f"every value is {values[0]:g}")
    series = len({(row[SERIES], row[UNIT], row[BREAKDOWN]) for row in rows})
    ordered = sorted({row[PERIOD] for row in rows}, key=lambda text: (parse_period(text).midpoint, text))
    return FileReport(
        name, TAKEN, len(rows), series, ordered[0], ordered[-1], sheet.repaired(), tuple(sheet.problems)
    ), rows, sheet.log  # fmt: skip


# --- turning it into observations -----------------------------------------------------------------------


def _observations(
    sheet: Sheet, stem: str, about: dict, area: str, source: str, year_start: str, own: bool
) -> list[tuple]:  # fmt: skip
    """Return observations, with file, sheet and cell behind the columns; none where a cell cannot be read."""
    plain = [column.casefold() for column in sheet.columns]
    place = _places(sheet, plain)
    if sheet.problems:
        return []
    code = stem.removeprefix("indicator_").replace("-", ".").lower()
    title = " ".join(str(about.get("graph_title") or about.get("indicator_available") or "").split())
    if not title or title.startswith(("global_", "general.")):
        title = " ".join(str(about.get("indicator_name") or "").split())
    title = title if title and not title.startswith(("global_", "general.")) else f"indicator {code}"
    unit = " ".join(str(about.get("computation_units") or "").split()) or UNIT_NOT_STATED
    dimensions = sorted(
        (_dimension(column), i) for i, column in enumerate(sheet.columns) if i not in place.values()
    )  # fmt: skip
    statuses: dict[int, str] = {}
    words: dict[int, dict[str, str]] = {i: {} for _, i in dimensions}
    if not own:
        dimensions, statuses = settle(sheet, dimensions, area)
        words = {i: groups_of(sheet, i, name) for name, i in dimensions}
    if sheet.problems:
        return []
    if not sheet.rows:
        fix = "delete the file, or add figures observed"
        sheet.problems.append(Problem(sheet.name, "no figure that was observed", "figures of the city", fix))
        return []
    periods = _periods(sheet, place["year"], year_start)
    year_at, value_at = place["year"], place["value"]
    file, letter = sheet.path, letters(sheet.places[value_at])
    nan = float("nan")
    rows, numbers, percents = [], [], set()
    for number, cells in sheet.rows:
        value, status = read_value(sheet, number, value_at, cells[value_at])
        value, status = with_status(sheet, number, cells, place, value, status)
        if "multiplier" in place:
            value *= multiplier(sheet, number, place["multiplier"], cells[place["multiplier"]])
        status = statuses.get(number, status) if status == "value" else status
        shown = ((name, i, words[i].get(cells[i], cells[i])) for name, i in dimensions if cells[i])
        pairs = {name: category(sheet, number, i, text) for name, i, text in shown if text}
        series = (cells[place["series"]] if "series" in place else "") or title
        measured = (cells[place["unit"]] if "unit" in place else "") or unit
        if "%" in cells[value_at]:
            refuse_percent(sheet, number, cells[value_at], measured)
            percents.add((series, measured))
        breakdown = ";".join(f"{name}={text}" for name, text in pairs.items())
        rows.append((
            area, code, series, measured, periods.get(cells[year_at], ""), breakdown, value, nan, nan, status, source,
            file, "", f"{letter}{number}",
        ))  # fmt: skip
        numbers.append(number)
    if percents:
        refuse_shares(sheet, {n: cells[value_at] for n, cells in sheet.rows},
                      {n: row[VALUE] for n, row in zip(numbers, rows, strict=True)
                       if (row[SERIES], row[UNIT]) in percents})  # fmt: skip
    return [] if sheet.problems else _once(sheet, rows, numbers, value_at)


def _places(sheet: Sheet, plain: list[str]) -> dict[str, int]:
    """Say which column holds the year, the value, the series, the unit and the status."""
    place: dict[str, int] = {}
    others: dict[str, list[int]] = {}
    for name, words in (("year", {"year", "years", "time", "period", "time_period"}), ("value", {"value", "obs_value"}),
                        ("series", SERIES_COLUMNS), ("unit", UNIT_COLUMNS), ("status", STATUS_COLUMNS),
                        ("multiplier", MULTIPLIER_COLUMNS)):  # fmt: skip
        fits = [i for i, column in enumerate(plain) if column in words]
        if fits:
            place[name], others[name] = fits[0], fits[1:]
    for i, column in enumerate(sheet.columns):
        if i not in place.values() and (name := secrecy_or_status(sheet, i, column)):
            others.setdefault(name, []).append(i) if name in place else place.setdefault(name, i)
    if "value" not in place and sheet.columns[-1] == "":
        place["value"] = len(plain) - 1
        why = "last column, without a name, read as the value"
        sheet.mend(why, "a column without a name", "Value", sheet.header, place["value"])
    twice = [(sheet.columns[place[name]], sheet.columns[i]) for name in place for i in others.get(name, [])]
    named: dict[str, str] = {}
    for i, column in enumerate(sheet.columns):
        if i not in place.values() and not any(i in fits for fits in others.values()):
            before = named.setdefault(_dimension(column), column)
            twice += [(before, column)] if before is not column else []
    for before, column in twice:
        found, fix = f"the columns {before} and {column}", "keep the one that is right, or name them apart"
        sheet.problems.append(Problem(f"{sheet.name}, row {sheet.header}", found, "one of them", fix))
    for name in ("year", "value"):
        if name not in place:
            found = f"the columns {', '.join(sheet.columns)}"
            fix = f"name the column that holds the {name}"
            sheet.problems.append(Problem(f"{sheet.name}, row 1", found, f"a column {name.capitalize()}", fix))
    return place


_YEAR = re.compile(r"(\d{4})(?:\.0)?")
_SPAN = re.compile(r"(\d{4})\s*([-–—/])\s*(\d{2}|\d{4})")


def _periods(sheet: Sheet, place: int, year_start: str) -> dict[str, str]:
    """Map each label of the year column to an ISO 8601 period; a label that is none is a problem."""
    first_rows: dict[str, int] = {}
    for number, cells in sheet.rows:
        first_rows.setdefault(cells[place], number)
    labels = list(first_rows)
    begins = {int(m[1]) for m in (_SPAN.fullmatch(label.rstrip("* ")) for label in labels) if m and _years(m) == 2}
    found: dict[str, str] = {}
    for label in labels:
        text = label.rstrip("* ")
        if text != label:
            sheet.mend(f"mark after the year left out: {label}", repr(label), text, first_rows[label], place)
        span = _SPAN.fullmatch(text)
        if _YEAR.fullmatch(text):
            found[label] = _YEAR.fullmatch(text)[1]
        elif span and _years(span) > 1:
            first = int(span[1])
            chained = span[2] == "/" or first + 1 in begins or first - 1 in begins
            if _years(span) == 2 and chained:
                found[label] = f"{first}-{year_start}/P1Y"
            else:
                found[label] = f"{first}-01-01/P{_years(span)}Y"
            kind = "one year" if found[label].endswith("P1Y") else "pooled years"
            sheet.spans.setdefault(kind, []).append(f"{label} read as {found[label]}")
            sheet.mend(SPAN + kind, repr(label), found[label], first_rows[label], place)
        else:
            found[label] = label
        found[label] = _iso(sheet, label, found[label], place, first_rows[label])
    return {label: period for label, period in found.items() if period}


def _years(span: re.Match) -> int:
    first, last = int(span[1]), int(span[3])
    return (last if last > 99 else first // 100 * 100 + last) - first + 1


def _iso(sheet: Sheet, label: str, period: str, place: int, number: int) -> str:
    try:
        parse_period(period)
    except (ValueError, OverflowError):
        where = f"{sheet.name}, row {number}, column {sheet.columns[place] or place + 1}"
        sheet.problems.append(
            Problem(where, repr(label), "a year or an ISO 8601 period", "write the year, such as 2019")
        )
        return ""
    return period


def _dimension(column: str) -> str:
    if (known := dimension_of(column)) in ("sex", "age", "district"):
        return known
    return re.sub(r"[^0-9a-z]+", "-", column.casefold()).strip("-") or "dimension"


def _once(sheet: Sheet, rows: list[tuple], numbers: list[int], column: int) -> list[tuple]:
    """Give every key one row: copies and blanks beside a value go; rows at odds go, with a problem."""
    same: dict[tuple, list[int]] = {}
    for place, row in enumerate(rows):
        same.setdefault((row[SERIES], row[UNIT], row[PERIOD], row[BREAKDOWN]), []).append(place)
    if len(same) == len(rows):
        return rows
    left_out: set[int] = set()
    for places in same.values():
        filled = [place for place in places if rows[place][VALUE] == rows[place][VALUE]]
        said = [place for place in places if rows[place][VALUE] == rows[place][VALUE] or rows[place][STATUS] in MARKED]
        if len({_said(rows[place]) for place in said}) > 1:
            more = f" and {len(said) - TOLD} more" if len(said) > TOLD else ""
            at = " and ".join(str(numbers[place]) for place in said[:TOLD]) + more
            values = ", ".join(_said(rows[place]) for place in said[:TOLD])
            fix = "keep the row that is right, or tell the rows apart by a column"
            found = f"the values {values} for one key"
            sheet.problems.append(Problem(f"{sheet.name}, rows {at}, column Value", found, "one value", fix))
            left_out.update(places)
            continue
        kept = (filled or said or places)[0]
        for place in places:
            if place != kept:
                blank = bool(filled) and rows[place][VALUE] != rows[place][VALUE]
                why = "blank row beside one with a value left out" if blank else "repeated row left out"
                sheet.mend(why, f"the key of row {numbers[kept]} again", "nothing", numbers[place], column)
                left_out.add(place)
    return [row for place, row in enumerate(rows) if place not in left_out]


def _said(row: tuple) -> str:
    return f"{row[VALUE]:.15g}" if row[VALUE] == row[VALUE] else row[STATUS]


def summary(reports: Iterable[FileReport]) -> str:
    """Return one line that counts the outcomes."""
    counts = Counter(report.outcome for report in reports)
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
