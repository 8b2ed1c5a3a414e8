"""Open SDG repositories: a folder `data/` of one CSV per indicator, with metadata beside it."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import yaml

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.observations import COLUMNS, KEY, check, empty
from vlr_analysis.periods import parse_period

TAKEN, PLACEHOLDER, NOT_STATISTICAL, EMPTY, PROBLEM = "taken", "placeholder", "not statistical", "empty", "problem"
NO_FILE = "not a file"

# What a cell without a number means. Anything else that is no number is a problem.
MISSING = {"", ".", "..", "...", "-", "–", ":", "na", "n/a", "n/d", "nd", "null", "nan", "none", "not available"}
SUPPRESSED = {"*", "**", "c", "s", "x", "suppressed", "confidential", "<5", "<10", "<3"}
SERIES_COLUMNS = {"series", "measure"}
UNIT_COLUMNS = {"units", "unit", "unit of measure", "unit_measure"}
STATUS_COLUMNS = {"observation status", "obs status", "obs_status", "observationstatus"}
STATUS = {"a": "value", "e": "estimated", "i": "estimated", "p": "provisional", "b": "break", "m": "missing",
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
    """Observations of one area, and a report for every entry of the folder."""

    table: pd.DataFrame
    files: tuple[FileReport, ...]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Every problem of every file."""
        return tuple(problem for report in self.files for problem in report.problems)


@dataclass
class _Sheet:
    """One CSV file on its way in: rows with their line numbers, and what was repaired."""

    name: str
    columns: list[str]
    rows: list[tuple[int, list[str]]]
    repairs: Counter = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    spans: dict[str, list[str]] = field(default_factory=dict)

    def repaired(self) -> str:
        told = [f"{what} ({count})" if count > 1 else what for what, count in sorted(self.repairs.items())]
        for kind, labels in sorted(self.spans.items()):
            told.append(labels[0] + (f", and {len(labels) - 1} more as {kind}" if len(labels) > 1 else ""))
        return "; ".join(told)


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
    whole = check(pd.concat(tables, ignore_index=True)) if tables else empty()
    return OpenSdgImport(whole, tuple(reports))


def _natural(name: str) -> list:
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.findall(r"\d+|\D+", name)]


def _read_file(path: Path, folder: Path, area: str, source: str, year_start: str):
    """Return the report of one entry, and its observations where it was taken."""
    name = path.name
    if path.is_dir():
        return FileReport(name, NO_FILE, detail="a folder where a file is expected; nothing was read from it"), None
    if path.suffix.lower() != ".csv":
        return FileReport(name, NO_FILE, detail="not a CSV file"), None
    sheet = _sheet(path)
    if sheet is None:
        return FileReport(name, EMPTY, detail="no row below the header"), None
    about = _metadata(folder, path.stem.removeprefix("indicator_"))
    if _says_not_statistical(sheet):
        return FileReport(name, NOT_STATISTICAL, detail="a sentence stands where the figures would"), None
    reason = _placeholder(sheet)
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


# --- reading the file ---------------------------------------------------------------------------------


def _sheet(path: Path) -> _Sheet | None:
    content, repairs = path.read_bytes(), Counter()
    if content.startswith(b"\xef\xbb\xbf"):
        repairs["byte-order mark"] += 1
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        repairs["read as Windows-1252"] += 1
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    header = text.split("\n", 1)[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    filled = [n for n, line in enumerate(lines, 1) if any(cell.strip() for cell in line)]
    if not filled:
        return None
    columns = [column.strip() for column in lines[filled[0] - 1]]
    rows = [(n, [cell.strip() for cell in lines[n - 1]]) for n in filled[1:]]
    if not rows:
        return None
    sheet = _Sheet(path.name, columns, rows, repairs)
    _square(sheet)
    return sheet


def _square(sheet: _Sheet) -> None:
    """Drop columns without name and content, and give every row as many cells as the header has."""
    width = len(sheet.columns)
    for number, cells in sheet.rows:
        if any(cells[width:]):
            sheet.problems.append(
                Problem(f"{sheet.name}, row {number}", f"{len(cells)} cells", f"{width}, as in the header",
                        "put a number that holds a comma in quotation marks")
            )  # fmt: skip
    sheet.rows = [(number, (cells + [""] * width)[:width]) for number, cells in sheet.rows]
    bare = [i for i, column in enumerate(sheet.columns) if not column and not any(cells[i] for _, cells in sheet.rows)]
    if bare:
        sheet.repairs["empty column without a name left out"] += len(bare)
        keep = [i for i in range(width) if i not in bare]
        sheet.columns = [sheet.columns[i] for i in keep]
        sheet.rows = [(number, [cells[i] for i in keep]) for number, cells in sheet.rows]


def _metadata(folder: Path, code: str) -> dict:
    """Read `meta/<code>.md` or `.yml` and `indicator-config/<code>.yml`; what cannot be read is left out."""
    found: dict = {}
    for place in (f"meta/{code}.md", f"meta/{code}.yml", f"indicator-config/{code}.yml"):
        path = folder / place
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        front = re.match(r"---\s*\n(.*?)\n---", text, re.S)
        try:
            content = yaml.safe_load(front[1] if front else text)
        except yaml.YAMLError:
            continue
        if isinstance(content, dict):
            found |= {key: value for key, value in content.items() if value not in (None, "")}
    return found


# --- what the file is ---------------------------------------------------------------------------------


def _says_not_statistical(sheet: _Sheet) -> bool:
    return any("non-statistical" in cell.lower() for _, cells in sheet.rows for cell in cells)


def _placeholder(sheet: _Sheet) -> str:
    """Say which of the known fillers a file is, if any."""
    names = {column.casefold() for column in sheet.columns}
    if {"grade", "planet", "fruit"} <= names:
        return "the sample of grades, planets and fruit"
    if {"group a", "group b"} <= names:
        return "the sample with columns Group A and Group B"
    values = [cells[-1] for _, cells in sheet.rows]
    if "group" in names:
        place = [column.casefold() for column in sheet.columns].index("group")
        groups = {cells[place] for _, cells in sheet.rows}
        if groups <= {"", "A", "B"} and all(re.fullmatch(r"\d", value) for value in values):
            return "the sample with groups A and B"
    if len(sheet.columns) == 2 and len(sheet.rows) == 1 and values == ["0"]:
        return f"the single row {sheet.rows[0][1][0]},0"
    return ""


# --- turning it into observations -----------------------------------------------------------------------


def _observations(
    sheet: _Sheet, stem: str, about: dict, area: str, source: str, year_start: str
) -> pd.DataFrame | None:
    plain = [column.casefold() for column in sheet.columns]
    place = _places(sheet, plain)
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
            status = STATUS.get(cells[place["status"]].casefold()[:1], status) if status == "value" else status
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
    table = pd.DataFrame(rows)
    return _once(sheet, table)[list(COLUMNS)] if not sheet.problems else None


def _places(sheet: _Sheet, plain: list[str]) -> dict[str, int]:
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


def _periods(sheet: _Sheet, place: int, year_start: str) -> dict[str, str]:
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
            found[label] = _iso(sheet, label, place)
    return {label: period for label, period in found.items() if period}


def _years(span: re.Match) -> int:
    first, last = int(span[1]), int(span[3])
    return (last if last > 99 else first // 100 * 100 + last) - first + 1


def _iso(sheet: _Sheet, label: str, place: int) -> str:
    try:
        parse_period(label)
    except (ValueError, OverflowError):
        number = next(number for number, cells in sheet.rows if cells[place] == label)
        where = f"{sheet.name}, row {number}, column {sheet.columns[place] or place + 1}"
        sheet.problems.append(
            Problem(where, repr(label), "a year or an ISO 8601 period", "write the year, such as 2019")
        )
        return ""
    return label


def _value(sheet: _Sheet, number: int, text: str) -> tuple[float, str]:
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


def _category(sheet: _Sheet, text: str) -> str:
    if ";" in text or "=" in text:
        sheet.repairs[f"; or = taken out of {text!r}"] += 1
    return text.replace(";", ",").replace("=", ":")


def _once(sheet: _Sheet, table: pd.DataFrame) -> pd.DataFrame:
    """Give every key one row: copies and blanks beside a value go; rows at odds go, with a problem."""
    again = table.duplicated(list(KEY), keep=False)
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
