"""The figures of an Open SDG file: what a cell, the status beside it and a column of multipliers say together."""

from __future__ import annotations

import re

from vlr_analysis.errors import Problem
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.sources.names import power_of
from vlr_analysis.sources.open_sdg_sheet import Sheet
from vlr_analysis.sources.statuses import NOT_OBSERVED, is_hidden, is_yes, status_of

# What a cell without a number means. Anything else that is no number is a problem.
MISSING = {"", ".", "..", "...", "-", "–", ":", "na", "n/a", "n/d", "nd", "null", "nan", "none", "not available"}
SUPPRESSED = {"*", "**", "c", "s", "x", "suppressed", "confidential", "<5", "<10", "<3"}

_PLAIN = re.compile(r"-?\d{1,15}(\.\d{1,15})?", re.A)
_GROUPED = re.compile(r"-?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.A)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?", re.A | re.I)


def read_value(sheet: Sheet, number: int, column: int, text: str) -> tuple[float, str]:
    """Return the number of a cell, or NaN with the reason why there is none."""
    if _PLAIN.fullmatch(text):
        return float(text), "value"
    plain = text.casefold()
    if plain in MISSING:
        sheet.mend("blank or dot read as missing", repr(text), "missing", number, column)
        return float("nan"), "missing"
    if plain in SUPPRESSED:
        sheet.mend(f"{text} read as suppressed", repr(text), "suppressed", number, column)
        return float("nan"), "suppressed"
    cleaned = text.replace("%", "").strip()
    if cleaned != text:
        sheet.mend("percent sign taken out", repr(text), cleaned, number, column)
    if _GROUPED.fullmatch(cleaned):
        sheet.mend("commas at thousands taken out", repr(text), cleaned.replace(",", ""), number, column)
        cleaned = cleaned.replace(",", "")
    # float() would also take 5_2 for 52.
    value = float(cleaned) if _NUMBER.fullmatch(cleaned) else float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        where = f"{sheet.name}, row {number}, column Value"
        fix = "write digits with a decimal point, or leave the cell empty"
        sheet.problems.append(Problem(where, repr(text), "a number", fix))
        return float("nan"), "missing"
    return value, "value"


def with_status(
    sheet: Sheet, number: int, cells: list[str], place: dict[str, int], value: float, status: str
) -> tuple[float, str]:  # fmt: skip
    """Return value and status after what the columns of statuses say; a hidden figure leaves no number."""
    for name in ("confidential", "publish", "status"):
        text = cells[place[name]] if name in place else ""
        told = status_of(text) if name == "status" else "suppressed" if is_hidden(text, sheet.yes_or_no) else ""
        if name == "publish":
            # An empty cell of such a column says that nobody has agreed yet.
            told = "" if name not in place or is_yes(text) else "suppressed"
            text = text or told
        where = f"{sheet.name}, row {number}, column {sheet.columns[place[name]]}" if text else ""
        if not text or (told == NOT_OBSERVED and value != value):
            continue
        if value != value:
            # A blank value says nothing of why it is blank; the status beside it does.
            status = told if status == "missing" and told in WITHOUT_VALUE else status
        elif told == "suppressed":
            sheet.mend("a hidden figure left out", "a number", told, number, place["value"])
            value, status = float("nan"), told
        elif told == NOT_OBSERVED:
            fix = "delete the row; a target belongs into the parameters of the city"
            sheet.problems.append(Problem(where, f"{text!r} beside a number", "figures that were observed", fix))
        elif told in WITHOUT_VALUE:
            fix = "empty the value, or correct the status"
            sheet.problems.append(Problem(where, f"{text!r} beside a number", "no number there", fix))
        elif told and told != "value":
            status = told
        elif not told and name == "status":
            sheet.mend(f"status {text} not known", repr(text), status, number, place["status"])
    return value, status


def multiplier(sheet: Sheet, number: int, column: int, text: str) -> float:
    """Return what the figure of a row is to be multiplied by; a cell that cannot be read is told."""
    times = power_of(text) if text else 1.0
    if times is None:
        where = f"{sheet.name}, row {number}, column {sheet.columns[column]}"
        fix = "write 3 or Thousands for thousands"
        sheet.problems.append(Problem(where, repr(text), "a power of ten, or its word", fix))
    elif times != 1:
        sheet.mend("multiplied as the source says", repr(text), f"times {times:g}", number, column)
    return 1.0 if times is None else times
