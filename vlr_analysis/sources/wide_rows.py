"""The rows of a wide table: what stands beside their figures, with groups that are written once for several rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import product

from vlr_analysis.errors import Problem
from vlr_analysis.sources.cells import SUPERSCRIPT, is_blank, read_label, shown
from vlr_analysis.sources.heading_words import REMARK, UNOBSERVED, kind_of, unobserved
from vlr_analysis.sources.names import Told, group_of, is_subtotal, is_total
from vlr_analysis.sources.places import is_area, is_elsewhere, rows_of_area
from vlr_analysis.sources.reading import Gathering, split_unit
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.wide_blocks import is_number
from vlr_analysis.sources.wide_headings import Layout
from vlr_analysis.sources.wide_sections import Row, Section, take_sections

_LABEL_MARK = re.compile(r"(.*[^\s*])\s*(?:\*+|[†‡" + SUPERSCRIPT + r"]+|\[\d{1,2}\]|\(\d{1,2}\))")
_POWER = re.compile(r"(?:.*[\W\d_])?(?:(?:[kcdmhµμn]?m|ft|mi|in|yd|s)[²³]|10[²³⁰¹⁴-⁹]+)")  # m², µg/m³, 10⁶
MOST_BLANKS = 4  # columns of groups with empty cells, of which every reading is tried


def rows_of(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told) -> list[Row]:
    """Return the rows that hold figures of the area, with the texts beside them; remarks and totals are left out.

    Raises
    ------
    InputError
        The area column does not hold the area.
    """
    figures = [column.place for column in layout.columns]
    named_by = layout.roles.get("series")
    places = {*layout.roles.values(), *layout.dimensions}
    with_figures = [r for r in range(layout.first, len(sheet.rows))
                    if any(not is_blank(sheet.at(r, c)) for c in figures)]  # fmt: skip
    last = max(with_figures, default=-1)
    rows: list[Row] = []
    section, above = None, {}
    merged = {number for top, _, bottom, _ in sheet.merged for number in range(top, min(bottom, top + 2000) + 1)}
    numbered = _numbered(sheet, with_figures, places)
    for r in range(layout.first, len(sheet.rows)):
        cells = sheet.spread(r) if sheet.lines[r] in merged else sheet.rows[r]
        if all(is_blank(sheet.at(r, c)) for c in figures):
            text = next((read_label(content)[0] for content in cells if not is_blank(content)), "")
            if r < last and text and not REMARK.match(text) and sum(not is_blank(c) for c in set(map(str, cells))) <= 2:
                unit_at = layout.roles.get("unit")
                unit = "" if unit_at is None or unit_at >= len(cells) else read_label(cells[unit_at])[0]
                section = Section(r, text, unit if unit != text else "")
                gathering.mended(
                    sheet.where(r), text, f"the heading of the rows below: {text}", ["row without figures"]
                )
            elif text:
                gathering.mended(sheet.where(r), text, "nothing", ["remark left out"])
            continue
        if r in layout.left_out or _is_longer(gathering, sheet, layout, r):
            continue
        section = _still(gathering, sheet, layout, r, section, rows)
        row = Row(r, {}, section=section)
        texts = {c: read_label(cells[c])[0] if c < len(cells) else "" for c in places}
        goes_on = _goes_on(layout, texts, above)
        for c in sorted(places):
            text = texts[c]
            if not is_blank(cells[c] if c < len(cells) else None):
                text = _without_mark(gathering, sheet, r, c, text, numbered)
            elif c in goes_on and above.get(c):
                text = above[c]
                row.again.add(c)
                gathering.mended(sheet.where(r, c), "nothing", text, ["taken from the row above"])
            row.stub[c] = text
        above = dict(row.stub)
        row.name = row.stub.get(named_by, "")
        rows.append(row)
    rows = take_sections(gathering, sheet, layout, told, rows)
    rows = [row for row in rows if not _is_total(gathering, sheet, layout, row, len(with_figures))]
    observed = any(kind_of(row.name) == "value" for row in rows)
    rows = [row for row in rows if _is_observed(gathering, sheet, layout, row, rows, observed)]
    _write_totals(gathering, sheet, layout, told, rows)
    _write_groups_again(gathering, sheet, layout, rows)
    return _of_area(gathering, sheet, layout, told, rows)


_WITHIN = frozenset(("district", "ward", "wards", "zone", "sector", "neighbourhood", "neighborhood", "borough",
                     "quartier", "arrondissement", "barrio", "bairro", "freguesia", "stadtbezirk", "stadtteil",
                     "bezirk", "distrito",                      "parish", "parroquia", "comuna"))  # fmt: skip


def _write_totals(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, rows: list[Row]) -> None:
    """Write Total for the area itself, where it stands last of its wards or districts: that row is their total."""
    for place, name in layout.dimensions.items():
        if not set(name.split("-")) & _WITHIN:
            continue
        of_series: dict[tuple[str, ...], list[Row]] = {}
        for row in rows:
            key = (
                *(row.stub[c] for c in layout.roles.values()),
                *(row.stub[c] for c in layout.dimensions if c != place),
            )
            of_series.setdefault(key, []).append(row)
        for own in of_series.values():
            last = own[-1]
            others = {row.stub[place] for row in own[:-1] if not is_area(row.stub[place], gathering.area, told.place)}
            if len(others - {""}) > 1 and is_area(last.stub[place], gathering.area, told.place):
                why = f"the area itself, last of its {name}s"
                gathering.mended(sheet.where(last.place, place), last.stub[place], "Total", [why])
                last.stub[place] = "Total"


def _is_longer(gathering: Gathering, sheet: Sheet, layout: Layout, row: int) -> bool:
    """Whether a row of a text file has figures beyond its header, as 812,345 in two cells makes; then it is told."""
    if not sheet.separator or not layout.width:
        return False
    beyond = [c for c in range(layout.width, len(sheet.rows[row])) if is_number(sheet.at(row, c))]
    if not beyond:
        return False
    found = f"{shown(sheet.at(row, beyond[0]))} beyond the last column of the header"
    fix = "write numbers without commas inside them or in quotation marks, or head the column"
    expected = "at most as many cells as the header"
    gathering.problems.append(Problem(sheet.where(row, beyond[0]), found, expected, fix))
    return True


def _still(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: int, section: Section | None, rows: list[Row]
) -> Section | None:  # fmt: skip
    """Return the heading that a row is below: one ends at an empty row after its rows, but for groups and totals."""
    if section is None or sheet.lines[row] == sheet.lines[row - 1] + 1 or not rows or rows[-1].section is not section:
        return section
    named_by = layout.roles.get("series")
    text = "" if named_by is None else read_label(sheet.at(row, named_by))[0]
    if is_total(text) or group_of(text)[0] != "group":
        return section
    gathering.mended(sheet.where(row), section.text, "nothing", ["a heading ends at the empty row"])
    return None


def _goes_on(layout: Layout, texts: dict[int, str], above: dict[int, str]) -> set[int]:
    """Return the columns whose empty cell goes on with the row above: unit and code do for the same series alone."""
    roles = layout.roles
    code, name = roles.get("code", -1), roles.get("series", -1)
    same_code = not texts.get(code) or texts[code] == above.get(code)
    same_name = not texts.get(name) or texts[name] == above.get(name)
    found = set(roles.values())
    if not same_code:
        found -= {name}
    if not (same_code and same_name):
        found -= {roles.get("unit"), roles.get("multiplier")}
    if not same_name:
        found -= {code}
    return found


def _is_total(gathering: Gathering, sheet: Sheet, layout: Layout, row: Row, count: int) -> bool:
    """Whether a row is a total over different series; then that is noted."""
    names = [row.name] if "series" in layout.roles and not row.groups else []
    names += [row.stub[layout.roles["code"]]] if "code" in layout.roles else []
    total = next((text for text in names if text and (is_total(text) or is_subtotal(text))), "")
    if total and count > 1:
        gathering.mended(sheet.where(row.place), total, "nothing", ["total over different series left out"])
    return bool(total) and count > 1


_TAIL = re.compile(r"(?P<rest>.*\S)\s*(?:\s[-–—]\s|[:,(\[–—])\s*(?P<tail>[^()\[\]:,]+?)\s*[)\]]?")


def _is_observed(
    gathering: Gathering, sheet: Sheet, layout: Layout, row: Row, rows: list[Row], observed: bool
) -> bool:  # fmt: skip
    """Whether a row holds figures observed: targets, plans and changes are left out; `Actual` is no group.

    `observed`: rows are named Actual and the like, so that Budget beside them is a plan and no subject.
    """
    named_by = layout.roles.get("series")
    found = ""
    for place in layout.dimensions:
        kind = kind_of(row.stub[place])
        if kind in UNOBSERVED:
            found = f"a {kind} is no figure observed: row left out"
            break
        if kind == "value":
            gathering.mended(sheet.where(row.place, place), row.stub[place], "nothing", ["figures observed"])
            row.stub[place] = ""
    else:
        place, text = named_by, row.name
        kind = "" if named_by is None else kind_of(text) if observed else unobserved(text)
        if kind in UNOBSERVED:
            found = f"a {kind} is no figure observed: row left out"
        elif named_by is not None and (tail := _TAIL.fullmatch(text)):
            names = {split_unit(other.name)[0] for other in rows}
            kind = unobserved(tail["tail"])
            if kind == "target" or (kind and tail["rest"] in names):
                found = f"a {kind} is no figure observed: row left out"
            elif is_elsewhere(tail["tail"]) and tail["rest"] in names:
                found = "row of another area left out"
        if named_by is not None and re.match(r"targets? (for|of)\s", text, re.I):
            found = found or "a target is no figure observed: row left out"
    if found:
        gathering.mended(sheet.where(row.place, place), row.stub[place], "nothing", [found])
    return not found


def _numbered(sheet: Sheet, rows: Sequence[int], places: set[int]) -> set[tuple[int, str]]:
    """Return the names that numbers in brackets tell apart, by column: District (1), District (2) are no footnotes."""
    seen: dict[tuple[int, str], set[str]] = {}
    for row in rows:
        for place in places:
            text = read_label(sheet.at(row, place))[0]
            if text[-1:] in (")", "]") and (found := _LABEL_MARK.fullmatch(text)):
                seen.setdefault((place, found[1]), set()).add(text)
    return {key for key, texts in seen.items() if len(texts) > 1}


def _without_mark(
    gathering: Gathering, sheet: Sheet, row: int, column: int, text: str, numbered: set[tuple[int, str]]
) -> str:
    found = _LABEL_MARK.fullmatch(text)
    if found is None or (column, found[1]) in numbered or _POWER.fullmatch(text):
        gathering.label(sheet, row, column)
        return text
    kept = found[1]
    if text[len(kept) :][:1] in ("²", "³") and _POWER.fullmatch(text[: len(kept) + 1]):
        kept = text[: len(kept) + 1]  # the mark of a footnote behind m²
    gathering.mended(sheet.where(row, column), text, kept, ["mark of a footnote left out"])
    return kept


# --- groups that are written once ------------------------------------------------------------------------


def _write_groups_again(gathering: Gathering, sheet: Sheet, layout: Layout, rows: list[Row]) -> None:
    """Write a group into the empty cells below it, where it is plain that they go on with it.

    It is where else two rows of other figures would be of the same, and they are not with the group; where both
    could be, the table itself has to say which: by the word Total, by joined cells, by an empty cell where a block of
    rows begins, by leaving the name of the series out too. What stays empty is settled, or told, with all groups.
    """
    blank = [place for place in sorted(layout.dimensions) if _below(rows, place)]
    if not blank:
        return
    if len(blank) <= MOST_BLANKS:
        choices = list(product((False, True), repeat=len(blank)))
    else:
        choices = [(False,) * len(blank), (True,) * len(blank)]
    tried = []
    for choice in choices:
        filled = [place for place, again in zip(blank, choice, strict=True) if again]
        texts = _filled(rows, filled)
        tried.append((filled, texts, _agree(sheet, layout, rows, texts)))
    fitting = [option for option in tried if option[2]] or tried
    for place in blank:
        told = _told(sheet, rows, place)
        if told is not None and len(fitting) > 1:
            fitting = [option for option in fitting if (place in option[0]) == told] or fitting
    if len(fitting) > 1:
        return
    filled, texts, _ = fitting[0]
    for row, text in zip(rows, texts, strict=True):
        for place in filled:
            if text[place] and not row.stub[place]:
                where = sheet.where(row.place, place)
                gathering.mended(where, "nothing", text[place], ["group taken from the row above"])
        row.stub = text


def _agree(sheet: Sheet, layout: Layout, rows: list[Row], texts: list[dict[int, str]]) -> bool:
    """Whether no two rows say of the same something else."""
    seen: dict[tuple, list] = {}
    for row, text in zip(rows, texts, strict=True):
        figures = [sheet.at(row.place, column.place) for column in layout.columns]
        if seen.setdefault(tuple(sorted(text.items())), figures) != figures:
            return False
    return True


def _filled(rows: list[Row], places: Sequence[int]) -> list[dict[int, str]]:
    """Return the texts of each row with groups repeated while nothing changes in the columns left of them."""
    made: list[dict[int, str]] = []
    for row in rows:
        text = dict(row.stub)
        for place in places:
            if not text[place] and made and _same_left(made[-1], text, place):
                text[place] = made[-1][place]
        made.append(text)
    return made


def _same_left(above: dict[int, str], below: dict[int, str], place: int) -> bool:
    return all(above[other] == below[other] for other in below if other < place)


def _below(rows: list[Row], place: int) -> list[tuple[Row, str]]:
    """Return the rows with an empty cell that could be of the group above, with that group."""
    texts = _filled(rows, [place])
    return [(row, text[place]) for row, text in zip(rows, texts, strict=True) if text[place] and not row.stub[place]]


def _told(sheet: Sheet, rows: list[Row], place: int) -> bool | None:
    """Return whether the empty cells of a column are the group above; None where the table does not say."""
    if any(row.stub[place] and is_total(row.stub[place]) for row in rows):
        return True
    if any(left <= place <= right and bottom > top for top, left, bottom, right in sheet.merged):
        return False  # groups of several rows are joined cells here
    begins = any(not row.stub[place] and (not number or not _same_left(rows[number - 1].stub, row.stub, place))
                 for number, row in enumerate(rows))  # fmt: skip
    again = any(row.again for row, _ in _below(rows, place))
    return None if begins == again else again


def _of_area(gathering: Gathering, sheet: Sheet, layout: Layout, told: Told, rows: list[Row]) -> list[Row]:
    place = layout.roles.get("area")
    if place is None:
        return rows
    taken = set(rows_of_area(gathering, sheet, place, {row.place: row.stub[place] for row in rows}, told.place))
    return [row for row in rows if row.place in taken]
