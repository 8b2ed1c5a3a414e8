"""One CSV file of an Open SDG repository on its way in: its cells, its metadata, and whether it holds figures."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from vlr_analysis.cell_text import original
from vlr_analysis.errors import Problem
from vlr_analysis.sources.cells import SHOWN, Repair
from vlr_analysis.sources.sheet_grid import MAX_FIGURES, letters

# The safe loader in C is some ten times as fast; wheels of PyYAML have it.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

SPAN = "a label over several years: "


@dataclass
class Sheet:
    """One CSV file on its way in: rows with their line numbers, and what was repaired.

    `log` has every repair with its cell; `remarks` what is said of a file of which nothing was changed.
    """

    name: str
    columns: list[str]
    rows: list[tuple[int, list[str]]]
    places: list[int]  # of each column in the file, from 0
    header: int = 1  # line of the header
    log: list[Repair] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    spans: dict[str, list[str]] = field(default_factory=dict)
    yes_or_no: bool = False  # a column of confidentiality holds Y and N

    def mend(self, why: str, found: str, taken: str, row: int | None = None, column: int | None = None) -> None:
        """Note what was mended: in the file, in a row of it, or in a cell (`row` from 1, `column` of `columns`)."""
        where = self.path if row is None else f"{self.path}, row {row}"
        where = where if column is None else f"{where}, column {letters(self.places[column])}"
        self.log.append(Repair(where, found if len(found) <= SHOWN + 2 else f"{found[:SHOWN]}...", taken, why))

    @property
    def path(self) -> str:
        """The file as origins name it, below the folder of the repository."""
        return f"data/{self.name}"

    def repaired(self) -> str:
        """Say what was repaired on the way in."""
        counts = Counter(repair.why for repair in self.log if not repair.why.startswith(SPAN)) + Counter(self.remarks)
        told = [f"{what} ({count})" if count > 1 else what for what, count in sorted(counts.items())]
        for kind, labels in sorted(self.spans.items()):
            told.append(labels[0] + (f", and {len(labels) - 1} more as {kind}" if len(labels) > 1 else ""))
        return "; ".join(told)


def read_sheet(path: Path) -> Sheet | None:
    """Read a file as text; None where no row holds anything below the header."""
    content, decoded = path.read_bytes(), []
    if content.startswith(b"\xef\xbb\xbf"):
        decoded.append(("byte-order mark", "a byte-order mark", "nothing"))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
        decoded.append(("read as Windows-1252", "bytes that are no UTF-8", "text"))
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
    header = text.split("\n", 1)[0]
    separator = ";" if header.count(";") > header.count(",") else ","
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    filled = [n for n, line in enumerate(lines, 1) if any(cell.strip() for cell in line)]
    if not filled:
        return None
    columns = [original(column.strip()) for column in lines[filled[0] - 1]]
    if len(filled) == 1:
        return None
    sheet = Sheet(path.name, columns, [], list(range(len(columns))), filled[0])
    if (count := len(filled) - 1) > MAX_FIGURES:
        expected = f"at most {MAX_FIGURES:,} figures of one indicator"
        sheet.problems.append(Problem(sheet.name, f"{count:,} rows", expected, "split it"))
        del filled[2:]  # enough to say what the file is
    sheet.rows = [(n, [original(cell.strip()) for cell in lines[n - 1]]) for n in filled[1:]]
    for repair in decoded:
        sheet.mend(*repair)
    _square(sheet)
    return sheet


def _square(sheet: Sheet) -> None:
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
        for i in bare:
            sheet.mend("empty column without a name left out", "an empty column", "nothing", sheet.header, i)
        keep = [i for i in range(width) if i not in bare]
        sheet.columns, sheet.places = [sheet.columns[i] for i in keep], [sheet.places[i] for i in keep]
        sheet.rows = [(number, [cells[i] for i in keep]) for number, cells in sheet.rows]


def read_metadata(folder: Path, code: str) -> dict:
    """Read `meta/<code>.md` or `.yml` and `indicator-config/<code>.yml`; what cannot be read is left out."""
    found: dict = {}
    for place in (f"meta/{code}.md", f"meta/{code}.yml", f"indicator-config/{code}.yml"):
        path = folder / place
        if not path.is_file():
            continue
        text = path.read_text(encoding="utf-8-sig", errors="replace")
        front = re.match(r"---\s*\n(.*?)\n---", text, re.S)
        try:
            content = yaml.load(front[1] if front else text, Loader=_LOADER)
        except (yaml.YAMLError, ValueError, TypeError, RecursionError):  # also of a date such as 2019-02-30
            continue
        if isinstance(content, dict):
            found |= {key: value for key, value in content.items() if value not in (None, "")}
    return found


# --- what the file is ---------------------------------------------------------------------------------


def says_not_statistical(sheet: Sheet) -> bool:
    """Return whether a sentence says that the indicator has no figures."""
    return any("non-statistical" in cell.lower() for _, cells in sheet.rows for cell in cells)


def placeholder(sheet: Sheet) -> str:
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
