"""What was mended on the way in: told by reason, and logged cell by cell beside the table."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from vlr_analysis.cell_text import inert_row
from vlr_analysis.sources.cells import Repair
from vlr_analysis.sources.kit import write_whole

REPAIR_COLUMNS = ("file", "sheet", "cell", "found", "became", "reason")
FEW = 3  # cells of a reason that are shown

_PLACE = re.compile(
    r", (?:row (?P<row>\d+)(?:, column (?P<column>[A-Z]+))?|sheet (?P<sheet>.+)"
    r"|(?P<of>.+)!(?P<cell>row \d+|[A-Z]+\d+))",
    re.S,
)


# What is plain to whoever knows the sheet: nothing else could be meant. Whatever is not here is doubtful.
_PLAIN = re.compile(
    r"decimal comma|stray spaces taken out|capitals made small|kinds in alphabetical order|separator seen in the rows"
    r"|byte-order mark taken out|read as UTF-16|percent sign taken out|written in ISO 8601|invisible marks taken out"
    r"|digits of another script|dash read as (?:minus|hyphen)|mark for a missing value(?:, with a flag)?(?!;)"
    r"|mark for a suppressed value|mark for a value that cannot exist|a bound is no number"
    r"|word before the year left out|mark \S+ beside the (?:number|year)(?:: (?:provisional|estimated|break))?"
    r"|macros are left aside; none was run|before or after the figures of a series|a column not asked for"
    r"|a word of another language|one word for each unit|thousands mark taken out"
)
_POINT_OR_COMMA = re.compile(r"'\D*\d{1,3}[.,]\d{3}\D*'")  # 1.234 may also have three decimals


def doubtful(repair: Repair) -> bool:
    """Whether somebody should look at a repair: another reading of the cell was possible, or a part was guessed.

    A decimal comma or a space too many is plain. A point at the thousands, a number that was multiplied, a made code,
    a year that begins in July are doubtful, and so is every repair that is not known to be plain.
    """
    if "thousands mark taken out" in repair.why and _POINT_OR_COMMA.fullmatch(repair.found):
        return True
    return bool(_PLAIN.sub("", repair.why).strip(" ,"))


def plainly(repairs: Sequence[Repair]) -> list[str]:
    """Return a line for each kind of repair: how often, and the first few cells; the most frequent kind first."""
    kinds: dict[str, list[Repair]] = {}
    for repair in repairs:
        kinds.setdefault(repair.why, []).append(repair)
    return [
        f"{why}, {len(cells)} time{'s' * (len(cells) > 1)}: "
        + "; ".join(f"{one.where} ({one.found} read as {one.taken})" for one in cells[:FEW])
        + (f"; and {len(cells) - FEW} more" if len(cells) > FEW else "")
        for why, cells in sorted(kinds.items(), key=lambda item: (-len(item[1]), item[0]))
    ]


def told(repairs: Sequence[Repair], *, every: bool = False) -> list[str]:
    """Return the lines that tell repairs by reason: how many, and the first few cells of each.

    Parameters
    ----------
    repairs : sequence of Repair
    every : bool
        Name every cell.

    Returns
    -------
    list of str
        Doubtful reasons first (see `doubtful`), then those with most cells; none where nothing was mended.
    """
    reasons: dict[str, list[Repair]] = {}
    for repair in repairs:
        reasons.setdefault(repair.why, []).append(repair)
    lines = []
    for why, cells in sorted(
        reasons.items(), key=lambda item: (not any(map(doubtful, item[1])), -len(item[1]), item[0])
    ):
        lines.append(f"mended, {len(cells)} time{'s' * (len(cells) > 1)}: {why}")
        shown = len(cells) if every else FEW
        lines += [f"  {one.where}: {one.found} read as {one.taken}" for one in cells[:shown]]
        if len(cells) > shown:
            lines.append(f"  and {len(cells) - shown} more")
    return lines


def repairs_path(table: Path | str) -> Path:
    """Return where the repairs of a table stand: ``data/leeds.repairs.csv`` beside ``data/leeds.csv``."""
    return Path(table).with_suffix(".repairs.csv")


def write_repairs(repairs: Iterable[Repair], path: Path | str, *, file: str) -> None:
    """Write every repair, as CSV in UTF-8 with the columns `REPAIR_COLUMNS`; the file appears whole or not at all.

    Parameters
    ----------
    repairs : iterable of Repair
        In the order in which they were made; none gives a file with a header alone, so that no older log misleads.
    path : Path or str
    file : str
        Name of the file that was read, with which most places begin.

    Notes
    -----
    `cell` is an address such as C12, also for a CSV file; ``row 12`` for a row; empty where a whole file or sheet is
    meant. A text that a spreadsheet program would run as a formula begins with an apostrophe.
    """
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow(REPAIR_COLUMNS)
    for one in repairs:
        out.writerow(inert_row((*_placed(one.where, file), one.found, one.taken, one.why)))
    write_whole(Path(path), text.getvalue().encode("utf-8"))


def _placed(where: str, file: str) -> tuple[str, str, str]:
    """Return file, sheet and cell of a place as `Sheet.where` and `Sheet.title` write it."""
    begin = len(file) if where.startswith(file) else 0
    if where == file:
        return file, "", ""
    for at in [match.start() for match in re.finditer(", ", where) if match.start() >= begin]:
        found = _PLACE.fullmatch(where, at)
        if found:
            row = f"{found['column']}{found['row']}" if found["column"] else f"row {found['row']}"
            return where[:at], found["sheet"] or found["of"] or "", (found["row"] and row) or found["cell"] or ""
    return where, "", ""
