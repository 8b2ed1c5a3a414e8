"""Columns of an Open SDG file that are no series and no value: groups, places, secrecy, kinds of figures."""

from __future__ import annotations

import re
from collections.abc import Mapping

from vlr_analysis.errors import Problem, listed
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.names import category_of, is_total, remarks_on, role_of, sexes_of
from vlr_analysis.sources.open_sdg_sheet import Sheet
from vlr_analysis.sources.places import is_area, is_elsewhere
from vlr_analysis.sources.statuses import NOT_OBSERVED, is_answer, kinds_in, says_yes_or_no, status_of

_SHARE = re.compile(
    r"%|per\s?cent|prozent|pour\s?cent|por\s?c|pct|points?|share|rate|proportion|ratio|not stated", re.I
)


def secrecy_or_status(sheet: Sheet, column: int, name: str) -> str:
    """Return confidential, publish or status for a column that holds such words; empty for every other one."""
    role = role_of(name)
    if role not in ("confidential", "publish", "status"):
        return ""
    texts = {cells[column] for _, cells in sheet.rows} - {""}
    sheet.yes_or_no |= role == "confidential" and says_yes_or_no(texts)
    if role == "publish" and not any(map(is_answer, texts)):
        return ""
    return role if role != "status" or (texts and all(map(status_of, texts))) else ""


def settle(
    sheet: Sheet, dimensions: list[tuple[str, int]], area: str
) -> tuple[list[tuple[str, int]], dict[int, str]]:  # fmt: skip
    """Return the columns of groups, and statuses by row; rows that are not observed or not of the area are taken out.

    What is taken out is noted. A column of places none of which is the area is a problem of the file.
    """
    kept: list[tuple[str, int]] = []
    statuses: dict[int, str] = {}
    for name, i in dimensions:
        heading = sheet.columns[i]
        texts = {cells[i] for _, cells in sheet.rows} - {""}
        if remarks_on(heading):
            sheet.mend(f"column {heading} of remarks left out", heading, "nothing", sheet.header, i)
        elif role_of(heading) == "area" and texts and _of_places(sheet, i, texts, area):
            continue
        elif kinds := kinds_in(heading, texts):
            for number, cells in sheet.rows:
                if (kind := kinds.get(cells[i], "value")) == NOT_OBSERVED:
                    sheet.mend("targets and forecasts left out", cells[i], "nothing", number, i)
                elif kind != "value":
                    statuses[number] = kind
            sheet.rows = [(n, cells) for n, cells in sheet.rows if kinds.get(cells[i]) != NOT_OBSERVED]
            if not all(cells[i] in kinds or not cells[i] for _, cells in sheet.rows):
                kept.append((name, i))
        else:
            kept.append((name, i))
    return kept, statuses


def _of_places(sheet: Sheet, column: int, texts: set[str], area: str) -> bool:
    """Whether a column holds places; then rows of other places are taken out, or told where none is the area's."""
    ours = {text for text in texts if is_area(text, area)}
    if ours:
        for number, cells in sheet.rows:
            if cells[column] and cells[column] not in ours:
                sheet.mend("rows of other areas left out", cells[column], "nothing", number, column)
        sheet.rows = [(n, cells) for n, cells in sheet.rows if not cells[column] or cells[column] in ours]
        return True
    others = {text for text in texts if not is_total(text)}
    if len(others) > 1 and not any(map(is_elsewhere, others)):
        return False
    if slug("".join(others)) in ("", "urban", "rural"):
        return False
    fix = f"write {area} where its own figures stand, and head a column of its parts District"
    where = f"{sheet.name}, column {sheet.columns[column]}"
    sheet.problems.append(Problem(where, f"the areas {listed(sorted(others))}", f"one for {area}", fix))
    return True


def groups_of(sheet: Sheet, column: int, name: str) -> dict[str, str]:
    """Return the groups that the texts of a column stand for, as `names.category_of` writes them; totals are empty.

    The letter of a sex that nothing settles is a problem of the file.
    """
    texts = {cells[column]: number for number, cells in reversed(sheet.rows)}
    found = {text: category_of(name, text) for text in texts if text}
    if name == "sex":
        letters = sexes_of(found, sheet.columns[column])
        if letters is None:
            text = next(text for text in texts if slug(text) in ("m", "v"))
            where = f"{sheet.name}, row {texts[text]}, column {sheet.columns[column]}"
            sheet.problems.append(Problem(where, repr(text), "one of the sexes", "write women and men in words"))
        found |= letters or {}
    return found


def category(sheet: Sheet, number: int, column: int, text: str) -> str:
    """Return the name of a group without the marks that the breakdown column sets apart groups with."""
    if ";" not in text and "=" not in text:
        return text
    taken = text.replace(";", ",").replace("=", ":")
    sheet.mend(f"; or = taken out of {text!r}", repr(text), repr(taken), number, column)
    return taken


# --- percentages ----------------------------------------------------------------------------------------


def refuse_percent(sheet: Sheet, number: int, text: str, unit: str) -> None:
    """Tell a percentage of a unit that is none, such as 7% per 1000."""
    if not _SHARE.search(unit):
        fix = "write % as the unit, or take the percent sign off the figure"
        found = f"{text!r} of the unit {unit}"
        sheet.problems.append(Problem(f"{sheet.name}, row {number}, column Value", found, "one or the other", fix))


def refuse_shares(sheet: Sheet, texts: Mapping[int, str], values: Mapping[int, float]) -> None:
    """Tell numbers up to 1 without a percent sign in a series that has numbers with one: 0.16 beside 15%."""
    for number, value in values.items():
        if "%" not in texts[number] and 0 < abs(value) <= 1:
            fix = "write all figures of the series with the percent sign, or all without"
            found = f"{texts[number]!r} in a series of numbers with a percent sign"
            sheet.problems.append(Problem(f"{sheet.name}, row {number}, column Value", found, "one form", fix))
