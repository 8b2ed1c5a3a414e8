"""A workbook for readers: sheets of plain cells, in which text from data can never become a formula."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from vlr_analysis.cell_text import starts_formula, visible
from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.exhibits import HEADERS, NAMES
from vlr_analysis.language import N_, current, gettext, retold, right_to_left, told
from vlr_analysis.review.bundle import timeless

MOST_ROWS, MOST_LETTERS = 1_048_575, 32_767  # what one sheet, one cell can hold
WIDEST = 60
LINE, HIGHEST = 15.0, 409.0  # points: a line of text, and what a row can be
WIDER = 1.2  # another program has another font: text may take so much more room than the width of a column says

# Words for numbers of findings and columns of results that no table of the pages shows.
MORE_HEADERS = {
    "difference_p": N_("p, difference"), "difference_p_ar1": N_("p, difference, correlated years"),
    "due": N_("Due in"), "goals": N_("Goals"), "low": N_("Lower end"), "high": N_("Upper end"),
    "projection": N_("Projection"), "rank": N_("Place"), "slope": N_("Change per year"),
    "spoke": N_("Spoke on it"), "relative_difference": N_("Relative difference"), "other_area": N_("Area id beside"),
    "other_indicator": N_("Indicator beside"), "other_trend": N_("Trend beside"), "span": N_("Span"),
    "trend": N_("Trend"), "codes": N_("Codes"), "count_status": N_("Status of the count"),
    "counterfactual": N_("Path carried on"), "duration": N_("Duration"), "effect": N_("Effect"),
    "fit": N_("Fitted line"), "freq": N_("Frequency"), "group": N_("Group"), "letter": N_("Letter"),
    "n_gaps": N_("Years without"), "phase": N_("Phase"), "t": N_("Time (decimal year)"), "total": N_("Total"),
}  # fmt: skip


@dataclass(frozen=True)
class Formula:
    """A formula that the kit writes, so that a reader can recompute a number; never made from text of the data."""

    text: str
    array: bool = False


@dataclass(frozen=True)
class Sheet:
    """One sheet: a header row and the rows below it."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[Any]] = field(repr=False)


def head_of(name: str) -> str:
    """Return the word for a column of results or a number of a finding, in the language in use."""
    known = HEADERS.get(name) or MORE_HEADERS.get(name)
    if known:
        return gettext(known)
    stem, _, end = name.rpartition("_")
    if end in ("low", "high") and stem:
        message = N_("{number}, lower end") if end == "low" else N_("{number}, upper end")
        return told(message, number=head_of(stem))
    said = retold(name.replace("_", " "))  # a verdict that is counted in a column of its own
    return said[:1].upper() + said[1:]


def sheet_of(name: str, table: pd.DataFrame) -> Sheet:
    """Return a result table as a sheet: words of the kit in the language in use, names and periods as they are."""
    shown = table.astype(object)
    for column in shown.columns:
        if column not in NAMES:
            shown[column] = [retold(value) if isinstance(value, str) else value for value in shown[column]]
    return Sheet(name, [head_of(str(column)) for column in table.columns], shown.to_numpy().tolist())


def workbook(sheets: Sequence[Sheet], *, title: str, author: str) -> bytes:
    """Return sheets as xlsx: header frozen and repeated on paper, widths set, landscape, one page wide.

    Parameters
    ----------
    sheets : sequence of Sheet
        Cells: text (always written as text, leading zeros kept), numbers, booleans (yes, no), `Formula`; NaN and None
        are left empty.
    title, author : str
        For the properties of the file, which bears no time of making.

    Raises
    ------
    InputError
        A text too long for a cell, more rows than a sheet can hold.
    """
    from openpyxl import Workbook
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.properties import PageSetupProperties

    raise_if_any("annex", [problem for sheet in sheets for problem in _problems(sheet)])
    made, names = Workbook(write_only=True), set()
    made.properties.title, made.properties.creator = visible(title), visible(author)
    made.calculation.fullCalcOnLoad = True
    for sheet in sheets:
        page = made.create_sheet(_sheet_name(sheet.name, names))
        page.freeze_panes, page.print_title_rows = "A2", "1:1"
        page.sheet_view.rightToLeft = right_to_left(current()) or None
        page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
        page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
        page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        widths = _widths(sheet)
        for number, width in enumerate(widths, 1):
            page.column_dimensions[get_column_letter(number)].width = width
        page.append([_head(page, text) for text in sheet.header])
        for number, row in enumerate(sheet.rows, 2):
            wrapped = [(text, widths[i]) for i, text in enumerate(row) if isinstance(text, str) and len(text) > WIDEST]
            page.row_dimensions[number].height = high = row_height(wrapped)
            cells = [_cell(page, value, number, i) for i, value in enumerate(row, 1)]
            page.append([_at_top(page, cell) for cell in cells] if high else cells)
    buffer = io.BytesIO()
    made.save(buffer)
    return timeless(buffer.getvalue())


def row_height(wrapped: Iterable[tuple[str, float]]) -> float | None:
    """Return how high a row must be for texts that wrap, in points; None where one line will do.

    Not every program makes rows higher by itself: in some, long texts would lie over each other.

    Parameters
    ----------
    wrapped : iterable of (text, width of its column in characters)
    """
    lines = [
        sum(math.ceil(max(len(part), 1) * WIDER / width) for part in text.splitlines() or [""])
        for text, width in wrapped
    ]
    return min(LINE * max(lines), HIGHEST) if max(lines, default=1) > 1 else None


def _cell(page, value: Any, row: int, column: int):
    """Return what openpyxl writes: the bare number or text where no look goes with it and its type is clear."""
    if isinstance(value, Formula):
        from openpyxl.cell import WriteOnlyCell
        from openpyxl.utils import get_column_letter
        from openpyxl.worksheet.formula import ArrayFormula

        place = f"{get_column_letter(column)}{row}"
        return WriteOnlyCell(page, ArrayFormula(place, value.text) if value.array else value.text)
    if isinstance(value, bool | np.bool_):
        value = gettext("yes") if value else gettext("no")
    if value is None or value is pd.NA or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, int | float | np.integer | np.floating):
        return value.item() if isinstance(value, np.generic) else value
    text = visible(str(value))
    # openpyxl takes =1+1 for a formula and #N/A for an error.
    return _text(page, text) if len(text) > WIDEST or text.startswith("#") or starts_formula(text) else text


def _at_top(page, cell: Any):
    """Return a cell of a high row: what stands beside a long text begins on the same line."""
    from openpyxl.cell import Cell, WriteOnlyCell
    from openpyxl.styles import Alignment

    if cell is None:
        return None
    cell = cell if isinstance(cell, Cell) else WriteOnlyCell(page, cell)
    cell.alignment = Alignment(wrap_text=cell.alignment.wrap_text, vertical="top")
    return cell


def _head(page, text: str):
    from openpyxl.styles import Font

    cell = _text(page, visible(text))
    cell.font = Font(bold=True)
    return cell


def _text(page, text: str):
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Alignment

    cell = WriteOnlyCell(page, text)
    cell.data_type = "s"
    if starts_formula(text):
        cell.quotePrefix = True  # stays text also when somebody edits the cell
    if len(text) > WIDEST:
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    return cell


def _problems(sheet: Sheet) -> list[Problem]:
    problems = []
    if len(sheet.rows) > MOST_ROWS:
        found, expected = f"{len(sheet.rows):,} rows", f"at most {MOST_ROWS:,}, what a sheet can hold"
        problems.append(Problem(f"sheet {sheet.name}", found, expected, "choose fewer goals in the parameters"))
    for number, row in enumerate(sheet.rows, 2):
        for head, value in zip(sheet.header, row, strict=True):
            if isinstance(value, str) and len(value) > MOST_LETTERS:
                where = f"sheet {sheet.name}, row {number}, column {head}"
                found = f"a text of {len(value):,} letters"
                problems.append(Problem(where, found, f"at most {MOST_LETTERS:,}", "shorten the text"))
    return problems


def _sheet_name(name: str, taken: set[str]) -> str:
    plain = re.sub(r"[\[\]:*?/\\']", " ", visible(name)).strip()[:31] or gettext("Table")
    given, number = plain, 2
    while given.casefold() in taken:
        given, number = f"{plain[:27]} {number}", number + 1
    taken.add(given.casefold())
    return given


def _widths(sheet: Sheet) -> list[float]:
    sample = list(sheet.rows[:500])
    widths = []
    for i, head in enumerate(sheet.header):
        shown = [row[i] for row in sample if row[i] is not None and not isinstance(row[i], Formula)]
        longest = max((len(str(value)) for value in shown), default=0)
        widths.append(float(min(max(len(head), longest, 6) + 2, WIDEST)))
    return widths
