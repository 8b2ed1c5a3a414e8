"""The sheet in which experts comment and officers answer: a workbook or a CSV file with the same columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from vlr_analysis.cell_text import inert, starts_formula, visible
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.language import N_, current, gettext, retold, right_to_left
from vlr_analysis.review.bundle import timeless
from vlr_analysis.review.certificate import FINDINGS
from vlr_analysis.review.comments import KINDS, STATES, Standing, content_of, words
from vlr_analysis.review.workbook import row_height

SHEET, GUIDE = N_("Comments"), N_("Guide")
# Heads are shown in the language of the review; `comments_read` takes them in any language, or by their place.
COMMENTING = (
    N_("Finding"), N_("Chapter"), N_("Statement"), N_("Grade"), N_("Verdict"), N_("Comment"), N_("Who"), N_("Kind"),
    N_("Date"), N_("Key"),
)  # fmt: skip
ANSWERING = (
    N_("Comment ID"), "Finding", "Standing", "Statement", N_("Statement now"), "Grade", "Comment", "Who", "Kind",
    "Date", N_("State"), N_("Response"), N_("Answered by"), "Key",
)  # fmt: skip
HEAD_WORDS = {"Standing": N_("Finding since")}  # where the key says too little by itself
TO_FILL = {
    COMMENTING: ("Comment", "Who", "Kind", "Date"),
    ANSWERING: ("State", "Response", "Answered by"),
}
GUIDE_WIDTH = 100  # characters
LEAST_HEIGHT = 60.0  # points of a row to write in: its height is set, and it does not grow with what is written
SPARE = 200  # empty rows below, for more than one comment on a finding
LONGEST = 4000  # letters of a comment or an answer
_WIDTHS = {
    "Finding": 13, "Chapter": 20, "Statement": 60, "Statement now": 60, "Grade": 7, "Verdict": 22, "Comment": 60,
    "Who": 20, "Kind": 13, "Date": 12, "Key": 27, "Comment ID": 15, "Standing": 11, "State": 14, "Response": 60,
    "Answered by": 20,
}  # fmt: skip


def head(name: str) -> str:
    """Return the head of a column in the language in use."""
    return gettext(HEAD_WORDS.get(name, name))


def read_findings(folder: Path) -> list[dict[str, Any]]:
    """Return the findings of a report as its `findings.jsonl` holds them.

    Raises
    ------
    InputError
        There is none, or it is damaged.
    """
    path, name = folder / FINDINGS, f"{folder.name}/{FINDINGS}"
    fix = "give the folder of a city's report, as `vlr run` leaves it"
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    except OSError:
        raise InputError(name, [Problem(name, "no such file", "a report of one city", fix)]) from None
    except ValueError:
        raise InputError(name, [Problem(name, "text that is not JSON", "findings, one a line", fix)]) from None


def to_comment(findings: Iterable[Mapping[str, Any]], titles: Mapping[str, str]) -> list[dict[str, str]]:
    """Return one row for each finding, with empty cells to fill.

    Parameters
    ----------
    findings : iterable of mapping
        Records of `findings.jsonl`.
    titles : mapping
        Notebook -> title of the chapter.
    """
    return [
        {
            "Finding": one["id"],
            "Chapter": titles.get(one["notebook"], one["notebook"]),
            "Statement": one["statement"],
            "Grade": one["grade"],
            "Verdict": one["verdict"],
            "Key": key_of(one),
        }
        for one in findings
    ]


def key_of(finding: Mapping[str, Any]) -> str:
    """Return what ties a comment to the finding as it stands: its subject and the hash of what it says."""
    return f"{finding['subject']}.{content_of(finding)}"


def to_answer(standing: Iterable[Standing]) -> list[dict[str, str]]:
    """Return the response log: one row for each comment, with its finding then and now."""
    return [
        {
            "Comment ID": one.comment.comment,
            "Finding": one.name,
            "Standing": one.standing,
            "Statement": one.comment.statement,
            "Statement now": one.statement,
            "Grade": one.comment.grade,
            "Comment": one.comment.text,
            "Who": one.comment.who,
            "Kind": one.comment.kind,
            "Date": one.comment.date,
            "State": one.comment.state,
            "Response": one.comment.response,
            "Answered by": one.comment.responder,
            "Key": f"{one.comment.subject}.{one.comment.content}",
        }
        for one in standing
    ]


def write(rows: Sequence[Mapping[str, str]], columns: Sequence[str], path: Path, title: str) -> None:
    """Write a sheet as .xlsx or .csv, by the ending of its name.

    Raises
    ------
    InputError
        Another ending.
    """
    kind = path.suffix.casefold()
    if kind not in (".xlsx", ".csv"):
        fix = "name it like comments.xlsx or comments.csv"
        raise InputError(path.name, [Problem(path.name, f"the ending {path.suffix!r}", ".xlsx or .csv", fix)])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(as_workbook(rows, columns, title) if kind == ".xlsx" else as_csv(rows, columns))


def as_csv(rows: Iterable[Mapping[str, str]], columns: Sequence[str]) -> bytes:
    """Return a sheet as CSV that spreadsheet programs open in the right letters and of which they run nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([head(name) for name in columns])
    writer.writerows([inert(_shown(row, name)) for name in columns] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def as_workbook(rows: Sequence[Mapping[str, str]], columns: Sequence[str], title: str) -> bytes:
    """Return a sheet as a workbook: a guide, drop-downs, cells of the kit locked without a password."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill, Protection
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation
    from openpyxl.worksheet.properties import PageSetupProperties

    book = Workbook()
    guide, page = book.active, book.create_sheet(gettext(SHEET))
    guide.title, guide.column_dimensions["A"].width = gettext(GUIDE), GUIDE_WIDTH
    guide.sheet_view.rightToLeft = page.sheet_view.rightToLeft = right_to_left(current()) or None
    for number, line in enumerate([title, *_guide(columns)], 1):
        cell = _text(guide, number, 1, line)
        cell.alignment = Alignment(wrap_text=True, vertical="top")
        cell.font = Font(bold=number == 1, size=14 if number == 1 else 11)
        guide.row_dimensions[number].height = 24 if number == 1 else row_height([(line, GUIDE_WIDTH)])
    fill, own = TO_FILL[tuple(columns)], PatternFill("solid", fgColor="FFF8DC")
    for column, name in enumerate(columns, 1):
        page.column_dimensions[get_column_letter(column)].width = _WIDTHS[name]
        _text(page, 1, column, head(name)).font = Font(bold=True)
    wrap = set(columns) - {"Key"}
    spare = SPARE if tuple(columns) == COMMENTING else 0
    for number, row in enumerate([*rows, *[{}] * spare], 2):
        for column, name in enumerate(columns, 1):
            cell = _text(page, number, column, _shown(row, name))
            cell.alignment = Alignment(wrap_text=name in wrap, vertical="top")
            cell.protection = Protection(locked=bool(row) and name not in fill)
            if name in fill:
                cell.fill, cell.number_format = own, "@"
        if row:  # an empty row grows by itself
            high = row_height((text, _WIDTHS[name]) for name, text in row.items() if name in wrap)
            page.row_dimensions[number].height = max(high or 0, LEAST_HEIGHT)
    last = max(len(rows) + spare + 1, 2)
    for name, choices in (("Kind", KINDS), ("State", STATES)):
        if name in fill:
            said = ",".join(words()[choice] for choice in choices)
            rule = DataValidation("list", formula1=f'"{said}"', allow_blank=True, showErrorMessage=True)
            letter = get_column_letter(list(columns).index(name) + 1)
            rule.add(f"{letter}2:{letter}{last}")
            page.add_data_validation(rule)
    page.freeze_panes, page.print_title_rows, page.auto_filter.ref = "B2", "1:1", f"A1:{page.dimensions.split(':')[1]}"
    for one in (guide, page):
        one.page_setup.orientation, one.page_setup.paperSize = "landscape", 9
        one.page_setup.fitToWidth, one.page_setup.fitToHeight = 1, 0
        one.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    page.protection.sheet = True  # against slips, not against people: there is no password
    for allowed in ("formatColumns", "formatRows", "autoFilter", "sort"):
        setattr(page.protection, allowed, False)
    book.properties.title, book.properties.creator = visible(title), "VLR Analysis Kit"
    buffer = io.BytesIO()
    book.save(buffer)
    return timeless(buffer.getvalue())


def _shown(row: Mapping[str, str], name: str) -> str:
    """Return a cell as people read it: words of the kit in the language in use."""
    value = row.get(name, "")
    if name in ("Kind", "State", "Standing"):
        return words().get(value, value)
    return retold(value) if name == "Verdict" else value


def _text(page: Any, row: int, column: int, text: str) -> Any:
    """Write a text that stays one, whatever it begins with."""
    cell = page.cell(row, column)
    if text:
        cell.value = visible(text)[:32_767]
        cell.data_type = "s"
        cell.quotePrefix = starts_formula(text)
    return cell


def _guide(columns: Sequence[str]) -> list[str]:
    if tuple(columns) == ANSWERING:
        return [
            gettext(
                "One row for each comment. Fill State, Response and Answered by; leave the other cells as they are."
            ),
            gettext("States:") + " " + ", ".join(words()[state] for state in STATES) + ".",
            gettext("A comment that is under review or withdrawn is on no page."),
            gettext("Give the file back with: vlr comments --merge FILE CITY"),
        ]
    kinds = ", ".join(words()[kind] for kind in KINDS)
    return [
        gettext(
            "One row for each finding. Write into the coloured cells of the sheet Comments; leave the others empty."
        ),
        gettext("A second comment on the same finding: copy its code into the column Finding of an empty row below."),
        gettext(
            "Who may stay empty; an office is enough. What you write here may be shown on the pages of the review."
        ),
        f"{gettext('Date: year, month and day, such as 2026-03-31. Kinds:')} {kinds}.",
        gettext(
            "Send the file back as it is, or as CSV. Do not send names or cases of people whom others could recognise."
        ),
    ]
