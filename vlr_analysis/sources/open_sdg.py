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
from vlr_analysis.sources.open_sdg_sheet import (
    Sheet,
    placeholder,
    read_metadata,
    read_sheet,
    says_not_statistical,
)
from vlr_analysis.sources.sheet_grid import MAX_FIGURES, letters

TAKEN, PLACEHOLDER, NOT_STATISTICAL, EMPTY, PROBLEM = "taken", "placeholder", "not statistical", "empty", "problem"
NO_FILE = "not a file"

# What a cell without a number means. Anything else that is no number is a problem.
MISSING = {"", ".", "..", "...", "-", "–", ":", "na", "n/a", "n/d", "nd", "null", "nan", "none", "not available"}
SUPPRESSED = {"*", "**", "c", "s", "x", "suppressed", "confidential", "<5", "<10", "<3"}
SERIES_COLUMNS = {"series", "measure"}
UNIT_COLUMNS = {"units", "unit", "unit of measure", "unit_measure"}
STATUS_COLUMNS = {"observation status", "obs status", "obs_status", "observationstatus"}
STATUS = {"a": "value", "e": "estimated", "i": "estimated", "p": "provisional", "b": "break", "m": "not_applicable",
          "o": "missing", "l": "missing", "c": "suppressed", "q": "suppressed"}  # fmt: skip
UNIT_NOT_STATED = "not stated"


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
    """Observations of one area, a report for every entry of the folder, and the cell of every observation.

    `origins` has the key columns, then `file`, `sheet` (empty) and `cell`; a row for each row of `table`, in its order.
    """

    table: pd.DataFrame
    files: tuple[FileReport, ...]
    origins: pd.DataFrame

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every file."""
        return tuple(problem for report in self.files for problem in report.problems)


def read_open_sdg(
    folder: Path | str, *, area: str, source: str = "open-sdg", year_start: str = "07-01"
) -> OpenSdgImport:
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
    reports, tables = [], []
    for path in sorted(data.iterdir(), key=lambda path: _natural(path.name)):
        report, table = _read_file(path, folder, area, source, year_start)
        reports.append(report)
        tables += [table] if table is not None else []
    whole = pd.concat(tables, ignore_index=True) if tables else empty().assign(file="", sheet="", cell="")
    table = check(whole[list(COLUMNS)])
    stood = whole.set_index(list(KEY))[["file", "sheet", "cell"]]
    origins = stood.loc[pd.MultiIndex.from_frame(table[list(KEY)])].reset_index() if len(table) else whole
    return OpenSdgImport(table, tuple(reports), origins[[*KEY, "file", "sheet", "cell"]])


def _natural(name: str) -> list:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", name)]


def _read_file(path: Path, folder: Path, area: str, source: str, year_start: str):
    """Return the report of one entry, and its observations where it was taken."""
    name = path.name
    if path.is_dir():
        return FileReport(name, NO_FILE, detail="a folder where a file is expected; nothing was read from it"), None
    if path.suffix.lower() != ".csv":
        return FileReport(name, NO_FILE, detail="not a CSV file"), None
    sheet = read_sheet(path)
    if sheet is None:
        return FileReport(name, EMPTY, detail="no row below the header"), None
    about = read_metadata(folder, path.stem.removeprefix("indicator_"))
    if says_not_statistical(sheet):
        return FileReport(name, NOT_STATISTICAL, detail="a sentence stands where the figures would"), None
    reason = placeholder(sheet)
    if reason:
        return FileReport(name, PLACEHOLDER, detail=reason), None
    if about.get("data_non_statistical") is True:
        sheet.repairs["its metadata call it non-statistical"] += 1
    table = _observations(sheet, path.stem, about, area, source, year_start)
    if table is None or not len(table):
        return FileReport(name, PROBLEM, problems=tuple(sheet.problems)), None
    values = table["value"].dropna()
    if len(values) > 4 and values.nunique() == 1:
        sheet.repairs[f"every value is {values.iloc[0]:g}"] += 1
    series = len(table[["series", "unit", "breakdown"]].drop_duplicates())
    ordered = sorted(table["period"].unique(), key=lambda text: parse_period(text).midpoint)
    return FileReport(
        name, TAKEN, len(table), series, ordered[0], ordered[-1], sheet.repaired(), tuple(sheet.problems)
    ), table


# --- turning it into observations -----------------------------------------------------------------------


def _observations(sheet: Sheet, stem: str, about: dict, area: str, source: str, year_start: str) -> pd.DataFrame | None:
    plain = [column.casefold() for column in sheet.columns]
    place = _places(sheet, plain)
    if len(sheet.rows) > MAX_FIGURES:
        found = f"{len(sheet.rows):,} rows"
        sheet.problems.append(
            Problem(sheet.name, found, f"at most {MAX_FIGURES:,} figures of one indicator", "split it")
        )
    if sheet.problems:
        return None
    code = stem.removeprefix("indicator_").replace("-", ".").lower()
    title = " ".join(str(about.get("graph_title") or about.get("indicator_available") or "").split())
    if not title or title.startswith(("global_", "general.")):
        title = " ".join(str(about.get("indicator_name") or "").split())
    title = title if title and not title.startswith(("global_", "general.")) else f"indicator {code}"
    unit = " ".join(str(about.get("computation_units") or "").split()) or UNIT_NOT_STATED
    dimensions = [i for i in range(len(plain)) if i not in place.values()]
    periods = _periods(sheet, place["year"], year_start)
    rows = []
    for number, cells in sheet.rows:
        value, status = _value(sheet, number, cells[place["value"]])
        if "status" in place and cells[place["status"]]:
            told = STATUS.get(cells[place["status"]].casefold()[:1], status)
            # A blank value says nothing of why it is blank; the status beside it does.
            status = told if status == "value" or (status == "missing" and told in WITHOUT_VALUE) else status
        pairs = {_dimension(sheet.columns[i]): _category(sheet, cells[i]) for i in dimensions if cells[i]}
        series = (cells[place["series"]] if "series" in place else "") or title
        measured = (cells[place["unit"]] if "unit" in place else "") or unit
        breakdown = ";".join(f"{name}={pairs[name]}" for name in sorted(pairs))
        rows.append({
            "area": area, "indicator": code, "series": series, "unit": measured,
            "period": periods.get(cells[place["year"]], ""), "value": value, "low": float("nan"), "high": float("nan"),
            "breakdown": breakdown, "status": status, "source": source,
            "_row": number,
        })  # fmt: skip
    if sheet.problems:
        return None
    table = _once(sheet, pd.DataFrame(rows))
    column = letters(sheet.places[place["value"]])
    cells = [f"{column}{number}" for number in table["_row"]]
    return table[list(COLUMNS)].assign(file=f"data/{sheet.name}", sheet="", cell=cells)


def _places(sheet: Sheet, plain: list[str]) -> dict[str, int]:
    """Say which column holds the year, the value, the series, the unit and the status."""
    place = {}
    for name, words in (("year", {"year", "years", "time", "period", "time_period"}), ("value", {"value", "obs_value"}),
                        ("series", SERIES_COLUMNS), ("unit", UNIT_COLUMNS), ("status", STATUS_COLUMNS)):  # fmt: skip
        fits = [i for i, column in enumerate(plain) if column in words]
        if fits:
            place[name] = fits[0]
    if "value" not in place and sheet.columns[-1] == "":
        place["value"] = len(plain) - 1
        sheet.repairs["last column, without a name, read as the value"] += 1
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
    labels = list(dict.fromkeys(cells[place] for _, cells in sheet.rows))
    begins = {int(m[1]) for m in (_SPAN.fullmatch(label.rstrip("* ")) for label in labels) if m and _years(m) == 2}
    found: dict[str, str] = {}
    for label in labels:
        text = label.rstrip("* ")
        if text != label:
            sheet.repairs[f"mark after the year left out: {label}"] += 1
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
        else:
            found[label] = label
        found[label] = _iso(sheet, label, found[label], place)
    return {label: period for label, period in found.items() if period}


def _years(span: re.Match) -> int:
    first, last = int(span[1]), int(span[3])
    return (last if last > 99 else first // 100 * 100 + last) - first + 1


def _iso(sheet: Sheet, label: str, period: str, place: int) -> str:
    try:
        parse_period(period)
    except (ValueError, OverflowError):
        number = next(number for number, cells in sheet.rows if cells[place] == label)
        where = f"{sheet.name}, row {number}, column {sheet.columns[place] or place + 1}"
        sheet.problems.append(
            Problem(where, repr(label), "a year or an ISO 8601 period", "write the year, such as 2019")
        )
        return ""
    return period


def _value(sheet: Sheet, number: int, text: str) -> tuple[float, str]:
    """Return the number of a cell, or NaN with the reason why there is none."""
    plain = text.casefold()
    if plain in MISSING:
        sheet.repairs["blank or dot read as missing"] += 1
        return float("nan"), "missing"
    if plain in SUPPRESSED:
        sheet.repairs[f"{text} read as suppressed"] += 1
        return float("nan"), "suppressed"
    cleaned = text.replace("%", "").strip()
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", cleaned):
        sheet.repairs["commas at thousands taken out"] += 1
        cleaned = cleaned.replace(",", "")
    try:
        value = float(cleaned)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        where = f"{sheet.name}, row {number}, column Value"
        fix = "write digits with a decimal point, or leave the cell empty"
        sheet.problems.append(Problem(where, repr(text), "a number", fix))
        return float("nan"), "missing"
    return value, "value"


def _dimension(column: str) -> str:
    return re.sub(r"[^0-9a-z]+", "-", column.casefold()).strip("-") or "dimension"


def _category(sheet: Sheet, text: str) -> str:
    if ";" in text or "=" in text:
        sheet.repairs[f"; or = taken out of {text!r}"] += 1
    return text.replace(";", ",").replace("=", ":")


def _once(sheet: Sheet, table: pd.DataFrame) -> pd.DataFrame:
    """Give every key one row: copies and blanks beside a value go; rows at odds go, with a problem."""
    again = table.duplicated(list(KEY), keep=False)
    if not again.any():
        return table
    left_out: list[int] = []
    for _, rows in table[again].groupby(list(KEY), sort=False):
        filled = rows[rows["value"].notna()]
        if filled["value"].nunique() > 1:
            numbers, values = " and ".join(map(str, filled["_row"])), ", ".join(f"{v:g}" for v in filled["value"])
            fix = "keep the row that is right, or tell the rows apart by a column"
            found = f"the values {values} for one key"
            sheet.problems.append(Problem(f"{sheet.name}, rows {numbers}, column Value", found, "one value", fix))
            left_out += list(rows.index)
            continue
        kept = (filled if len(filled) else rows).index[0]
        blank = int(rows["value"].isna().sum()) - (0 if len(filled) else 1)
        sheet.repairs["blank row beside one with a value left out"] += blank if len(filled) else 0
        sheet.repairs["repeated row left out"] += len(rows) - 1 - (blank if len(filled) else 0)
        left_out += [index for index in rows.index if index != kept]
    sheet.repairs = Counter({what: count for what, count in sheet.repairs.items() if count})
    return table.drop(index=left_out)


def summary(reports: Iterable[FileReport]) -> str:
    """Return one line that counts the outcomes."""
    counts = Counter(report.outcome for report in reports)
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
