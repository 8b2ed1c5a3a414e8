"""The empty workbook of a city: a guide, sheets with drop-downs to fill, and the lists behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from vlr_analysis import catalogue
from vlr_analysis.cell_text import visible
from vlr_analysis.sources.figure_rows import EXAMPLE
from vlr_analysis.sources.kit import SOURCE_CLASSES
from vlr_analysis.sources.template_form import (
    CITY_ID,
    CODES,
    FIGURES,
    FORMS,
    GUIDE,
    ORDER,
    ROW_STATUSES,
    SOURCES,
    YEARS,
    Column,
    Form,
)
from vlr_analysis.sources.voices import WORDS

if TYPE_CHECKING:
    from openpyxl import Workbook
    from openpyxl.worksheet.worksheet import Worksheet

LAST_ROW = 1000  # down to which a sheet offers its lists
MARKS = ("..", "*", "<5", "not applicable")
_DARK, _LIGHT, _PALE = "FF0B4F8A", "FFDCE8F2", "FFF4F7FA"
_STEPS = (
    "Fill the sheets from left to right. You need Figures and Sources; the others may stay empty.",
    "The row that begins with EXAMPLE shows how. It is never counted; delete it or leave it.",
    "Dark headings: every row needs the cell. Light headings: the cell may stay empty.",
    "Click a cell to read what belongs there. Many cells offer a list.",
    "Paste values only (paste special, values). Of a formula, what it last gave is read.",
    "Save the workbook as .xlsx, and have it checked: vlr check CITY. Every mistake is named at once, at its cell.",
    "Make the review: vlr run CITY.",
)
_FIGURES_RULES = (
    ("12.5 or 12,5", "The same number. Decimal commas are read, and the check says so."),
    ("an empty cell", "No figure for that year. It is never read as zero."),
    ("0", "Counted, and there were none."),
    (".. or n/d", "Not available: was not measured, or not published."),
    ("* or <5", "Kept secret: too few people. The number stays hidden."),
    ("not applicable", "Does not apply: the question makes no sense there."),
    ("12.5 (p)", "Provisional; (e) estimated; (b) break in the series. For one figure alone."),
    ("a new column", "Write the period at its head: 2031, 2024-Q3, 2024-07, or 2019-04-01/P1Y for a year from April."),
    ("a new row", "One row for each group too: the same indicator, series and unit, and a name in Group."),
)
_STATUSES = (
    ("value", "Final. The same as an empty cell."),
    ("estimated", "Made by a model or a small sample."),
    ("provisional", "May still be revised."),
)


def lists() -> dict[str, list[str]]:
    """Return the words that the workbook offers, by the heading of each list on the sheet Codes."""
    indicators, targets = catalogue.indicators().drop_duplicates("code"), catalogue.targets()
    return {
        "Indicator": [f"{row.code} {row.label}" for row in indicators.itertuples()],
        "SDG target": [f"{row.target} {row.label}" for row in targets.itertuples()],
        "Unit": catalogue.units()["unit"].tolist(),
        "Status": list(ROW_STATUSES),
        "Direction": ["increase", "decrease"],
        "Definition": ["same", "adapted", "other", "own"],
        "Kind of source": list(SOURCE_CLASSES),
        "Priority": ["yes"],
        **{name.capitalize(): list(WORDS[name]) for name in ("kind", "chosen", "consent", "says")},
    }


def empty_workbook(city: str, name: str) -> Workbook:
    """Return the workbook that a city fills, without a figure in it.

    Parameters
    ----------
    city : str
        Id of the city; the sheet Guide holds it, so that the file may be renamed.
    name : str
        Name of the city as readers know it; always text, never a formula.

    Returns
    -------
    openpyxl.Workbook
        Sheets Guide, Figures, Indicators, Targets, Voices, Sources, Notes and Codes (the lists). Each sheet to fill
        has a frozen header, one example row that no reader counts, and drop-downs with messages that say what to do.
    """
    from openpyxl import Workbook

    book = Workbook()
    book.properties.title, book.properties.creator = visible(f"Figures of {name}"), "VLR Analysis Kit"
    _write_guide(book.active, city, name)
    offered = lists()
    for sheet in ORDER:
        _write_form(book.create_sheet(sheet), FORMS[sheet], offered)
    _write_lists(book.create_sheet(CODES), offered)
    return book


# --- the sheets to fill --------------------------------------------------------------------------


def _write_form(page: Worksheet, form: Form, offered: Mapping[str, Sequence[str]]) -> None:
    years = YEARS if form.sheet == FIGURES else ()
    heads = [column.head for column in form.columns]
    for place, head in enumerate([*heads, *years], 1):
        _head(page, place, head, dark=place > len(heads) or form.columns[place - 1].needed)
    example = [column.example for column in form.columns]
    example[0] = f"{EXAMPLE} {example[0] or ''}".rstrip()
    for place, value in enumerate([*example, *_example_figures(years)], 1):
        _put(page, 2, place, value, italic=True, color="FF57606A", fill=_PALE)
    for place, column in enumerate(form.columns, 1):
        page.column_dimensions[_letter(place)].width = column.width
        if not isinstance(column.example, int | float):
            # Text: a program must not turn what is typed into a date or a number; 1.2.1 is a code, 3.10 is not 3.1.
            page.column_dimensions[_letter(place)].number_format = "@"
        _offer(page, _letter(place), column, offered)
    if years:
        _offer_marks(page, len(heads) + 1, len(heads) + len(years))
    page.freeze_panes = "B2"
    _for_paper(page)


def _example_figures(years: range | tuple) -> list:
    shown = {2017: 16.2, 2018: 15.9, 2019: 15.1, 2020: "..", 2021: 14.4}
    return [shown.get(year) for year in years]


def _offer(page: Worksheet, letter: str, column: Column, offered: Mapping[str, Sequence[str]]) -> None:
    """Say what belongs into a column as soon as a cell is chosen, and offer its list."""
    from openpyxl.worksheet.datavalidation import DataValidation

    rule = DataValidation(
        allow_blank=True, showInputMessage=True, promptTitle=column.head[:32], prompt=column.help[:255]
    )
    if column.choices == "Source":
        rule.type, rule.formula1 = "list", f"{SOURCES}!$A$3:$A$200"
    elif column.choices:
        place = list(offered).index(column.choices) + 1
        rule.type = "list"
        rule.formula1 = f"{CODES}!${_letter(place)}$2:${_letter(place)}${len(offered[column.choices]) + 1}"
    elif column.name == "target_year":
        rule.type, rule.operator, rule.formula1, rule.formula2 = "whole", "between", "2000", "2100"
        rule.errorTitle, rule.error = "Which year?", "Write a year from 2000 to 2100, such as 2030."
        rule.showErrorMessage = True
    if column.choices:
        rule.showErrorMessage = True
        rule.errorStyle = "stop" if column.strict else "warning"
        rule.errorTitle = f"{column.head}: not in the list"[:32]
        rule.error = _refusal(column)[:255]
    rule.add(f"{letter}3:{letter}{LAST_ROW}")
    page.add_data_validation(rule)


def _refusal(column: Column) -> str:
    if column.strict:
        return "Choose one of the words that the small arrow offers, or leave the cell empty."
    if column.choices == "Indicator":
        return "Not a code of the list. A code of your own is welcome: give it a row on the sheet Indicators."
    if column.choices == "Source":
        return "Not on the sheet Sources yet. Give the source a row there, and use the same short name here."
    return "Not a unit of the list. Choose from the list where only the spelling differs; else keep your unit."


def _offer_marks(page: Worksheet, first: int, last: int) -> None:
    """Offer the marks for a figure that is missing; any number may be typed."""
    from openpyxl.worksheet.datavalidation import DataValidation

    rule = DataValidation(type="list", formula1=f'"{",".join(MARKS)}"', allow_blank=True)
    rule.showErrorMessage, rule.showInputMessage = False, True
    rule.promptTitle = "One figure"
    rule.prompt = "A number. Or a mark: .. not available; * or <5 kept secret; not applicable. Empty: no figure."
    rule.add(f"{_letter(first)}3:{_letter(last)}{LAST_ROW}")
    page.add_data_validation(rule)
    for place in range(first, last + 1):
        page.column_dimensions[_letter(place)].width = 9


# --- guide and lists ---------------------------------------------------------------------------


def _write_guide(page: Worksheet, city: str, name: str) -> None:
    page.title = GUIDE
    rows: list[tuple] = [(f"Figures of {name}", "title"), (CITY_ID, city), ("", "")]
    rows += [("How to fill this workbook", "heading"), *((f"{n}.", text) for n, text in enumerate(_STEPS, 1)), ("", "")]
    rows += [("A cell of the sheet Figures", "heading"), *_FIGURES_RULES, ("", "")]
    rows += [("A status", "heading"), *_STATUSES]
    for sheet in ORDER:
        form = FORMS[sheet]
        rows += [("", ""), (f"Sheet {sheet}: {form.about}", "heading")]
        rows += [(column.head, f"{'Needed. ' if column.needed else ''}{column.help}") for column in form.columns]
    for number, (left, right) in enumerate(rows, 1):
        if right in ("title", "heading"):
            _put(page, number, 1, left, bold=True, size=16 if right == "title" else 12)
        else:
            _put(page, number, 1, left)
            _put(page, number, 2, right, wrap=True, bold=left == CITY_ID)
    page.column_dimensions["A"].width, page.column_dimensions["B"].width = 24, 96
    _for_paper(page)


def _write_lists(page: Worksheet, offered: Mapping[str, Sequence[str]]) -> None:
    for place, (head, words) in enumerate(offered.items(), 1):
        _head(page, place, head, dark=False)
        for row, word in enumerate(words, 2):
            _put(page, row, place, word)
        page.column_dimensions[_letter(place)].width = min(max(map(len, [head, *words])) + 2, 60)
    page.freeze_panes = "A2"
    _for_paper(page)


# --- cells -------------------------------------------------------------------------------------


def _letter(place: int) -> str:
    from openpyxl.utils import get_column_letter

    return get_column_letter(place)


def _put(page: Worksheet, row: int, place: int, value, *, fill: str = "", wrap: bool = False, **font) -> None:
    """Write one cell; text is text, also where it begins like a formula."""
    from openpyxl.styles import Alignment, Font, PatternFill

    if value in (None, ""):
        return
    cell = page.cell(row, place, visible(value) if isinstance(value, str) else value)
    if isinstance(value, str) and cell.data_type != "s":
        cell.data_type, cell.quotePrefix = "s", True
    if font:
        cell.font = Font(**font)
    if fill:
        cell.fill = PatternFill("solid", start_color=fill)
    if wrap:
        cell.alignment = Alignment(wrap_text=True, vertical="top")


def _head(page: Worksheet, place: int, text: str | int, *, dark: bool) -> None:
    _put(page, 1, place, text, bold=True, color="FFFFFFFF" if dark else "FF1B1F24", fill=_DARK if dark else _LIGHT)


def _for_paper(page: Worksheet) -> None:
    from openpyxl.worksheet.properties import PageSetupProperties

    page.page_setup.orientation, page.page_setup.paperSize = "landscape", 9
    page.page_setup.fitToWidth, page.page_setup.fitToHeight = 1, 0
    page.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    if page.freeze_panes:
        page.print_title_rows = "1:1"
