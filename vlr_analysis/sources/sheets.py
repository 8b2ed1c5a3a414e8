"""Opening a text file or a workbook as sheets: cells with addresses, nothing run, nothing unpacked without measure."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import Repair
from vlr_analysis.sources.sheet_book import HIDDEN_SHEET, open_workbook
from vlr_analysis.sources.sheet_grid import Opened
from vlr_analysis.sources.sheet_text import SAVE, open_text

TEXT_FILES = (".csv", ".tsv", ".txt", ".tab")
WORKBOOKS = (".xlsx", ".xlsm")
MAX_BYTES = 300_000_000  # of the file itself


def open_sheets(path: Path | str) -> Opened:
    """Open a text file (CSV, TSV) or a workbook (.xlsx, .xlsm).

    Parameters
    ----------
    path : Path or str

    Returns
    -------
    Opened
        At least one sheet with at least one filled row.

    Raises
    ------
    InputError
        No such file, an ending that is not read, content that does not fit the ending, more than the limits of the
        modules that read them, a password, or nothing inside.

    Notes
    -----
    Formulas are never worked out: the result that the file holds is taken. Macros are left aside. The parts of a
    workbook are read in memory, with a limit on what they unpack to, and are refused where they declare entities.
    """
    path = Path(path)
    content = _content(path)
    kind = path.suffix.casefold()
    packed = content[:4] == b"PK\x03\x04"
    if kind in WORKBOOKS:
        if not packed:
            found = "an old or locked workbook" if content[:4] == b"\xd0\xcf\x11\xe0" else "no workbook inside"
            fix = "open it in a spreadsheet program and save it again as .xlsx, without a password"
            raise InputError(path.name, [Problem(path.name, found, "an .xlsx workbook", fix)])
        opened = open_workbook(content, path.name)
    else:
        if packed:
            fix = "give the file its right ending, .xlsx for a workbook"
            raise InputError(path.name, [Problem(path.name, "a packed file with the ending of a text", "text", fix)])
        opened = open_text(content, path.name)
    if not opened.sheets:
        raise InputError(
            path.name, [Problem(path.name, "no filled cell", "figures", "fill the file, or save it again")]
        )
    return opened


def open_shown(path: Path | str, sheet: str = "") -> Opened:
    """Open a file as `open_sheets` does, without the sheets that its program hides.

    A hidden sheet is a draft or an older state as often as it is the figures, and nobody who looks at the workbook
    sees it: it is left out, which is noted, unless it is named. Hidden rows and columns of a sheet are read, which is
    noted too: a filter hides rows that are figures like all others.

    Parameters
    ----------
    path : Path or str
    sheet : str
        The sheet that was asked for; empty where none was.

    Returns
    -------
    Opened
        With `sheet`: every sheet that may be read, and what was mended in that one alone.

    Raises
    ------
    InputError
        As `open_sheets`; only hidden sheets hold something.
    """
    opened = open_sheets(path)
    hidden = [one for one in opened.sheets if one.hidden.startswith(HIDDEN_SHEET) and one.name != sheet]
    of_others = {one.title for one in opened.sheets if sheet and one.name != sheet} | {one.title for one in hidden}
    repairs = [repair for repair in opened.repairs if repair.where not in of_others]
    sheets = [one for one in opened.sheets if one not in hidden]
    if not sheets:
        named = ", ".join(one.name for one in hidden)
        found, fix = f"only hidden sheets hold something: {named}", "show the sheet, or name it: --sheet NAME"
        raise InputError(opened.file, [Problem(opened.file, found, "a sheet that is shown", fix)])
    if not sheet:
        why = "a hidden sheet is left out; to have it read, show it or name it: --sheet NAME"
        repairs += [Repair(one.title, HIDDEN_SHEET, "nothing", why) for one in hidden]
    return Opened(opened.file, sheets, repairs)


def _content(path: Path) -> bytes:
    kind = path.suffix.casefold()
    problem = None
    if path.is_dir():
        problem = Problem(path.name, "a folder", "a file", "name the file inside it")
    elif not path.is_file():
        others = sorted(other.name for other in path.parent.glob("*")) if path.parent.is_dir() else []
        near = get_close_matches(path.name, others, n=1, cutoff=0.6)
        fix = f"did you mean {near[0]!r}?" if near else "check the name and the folder"
        problem = Problem(path.name, "no such file", "a CSV file or an Excel workbook", fix)
    elif kind not in (*TEXT_FILES, *WORKBOOKS):
        problem = Problem(path.name, f"the ending {kind!r}", ", ".join((*TEXT_FILES, *WORKBOOKS)), SAVE)
    elif path.stat().st_size == 0:
        problem = Problem(path.name, "an empty file", "figures", "fill the file, or save it again")
    elif path.stat().st_size > MAX_BYTES:
        found = f"{path.stat().st_size:,} bytes"
        problem = Problem(path.name, found, f"at most {MAX_BYTES:,}", "split the file")
    if problem:
        raise InputError(path.name, [problem])
    return path.read_bytes()
