"""Columns and rows of a long table that are neither figures nor groups: kinds of figures, remarks, headings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence

from vlr_analysis.errors import InputError, Problem, listed
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import is_blank, read_label, read_text, shown
from vlr_analysis.sources.heading_words import UNOBSERVED, kind_of
from vlr_analysis.sources.long_header import Layout, ends_in, of_school
from vlr_analysis.sources.names import Told, describes, group_of, is_total, remarks_on, role_of
from vlr_analysis.sources.places import is_area, is_elsewhere
from vlr_analysis.sources.reading import Gathering
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.statuses import NOT_OBSERVED, kinds_in


def plain_rows(gathering: Gathering, sheet: Sheet, layout: Layout, rows: list[int]) -> list[int]:
    """Return the rows that stand under the header alone.

    A header that is repeated is left out, which is noted. Rows below another header are not taken, and neither is a
    row of a text file with more filled cells than there are headings, as `812,345` makes; both are told.
    """
    width = len(sheet.rows[layout.header]) if layout.header >= 0 and not sheet.name else 0
    heads = [read_text(content)[0] for content in sheet.rows[layout.header]] if layout.header >= 0 else []
    kept = []
    for row in rows:
        cells, period = sheet.rows[row], layout.roles["period"]
        if period < len(cells) and _is_head(cells[period]) and len({_role(text) for text in cells} - {""}) > 1:
            texts = [read_text(content)[0] for content in cells]
            if texts[: len(heads)] == heads[: len(texts)]:
                gathering.mended(sheet.where(row), ", ".join(texts), "nothing", ["the header again: left out"])
                continue
            fix = "write the second table into a file of its own, or give it the same columns"
            found = f"another header: {', '.join(filter(None, texts))}"
            gathering.problems.append(Problem(sheet.where(row), found, "one header; the rows below are not taken", fix))
            break
        if 0 < width < len(cells) and any(not is_blank(content) for content in cells[width:]):
            fix = "write the figure without a mark at the thousands, or put it in quotation marks"
            found = f"{len(cells)} cells: {', '.join(read_text(content)[0] for content in cells)}"
            gathering.problems.append(Problem(sheet.where(row), found, f"{width} cells, as in the header", fix))
            continue
        kept.append(row)
    return kept


def _is_head(content: object) -> bool:
    return isinstance(content, str) and not content[:1].isdigit() and _role(content) == "period"


def _role(content: object) -> str:
    return role_of(read_text(content)[0]) if isinstance(content, str) and len(content) < 40 else ""


# --- what was observed -----------------------------------------------------------------------------------


def observed_rows(
    gathering: Gathering, sheet: Sheet, layout: Layout, rows: list[int]
) -> tuple[list[int], dict[int, str]]:
    """Return the rows with figures that were observed, and the statuses that columns such as Type give to rows.

    Targets, forecasts, plans and the like are left out, which is noted; so are such columns themselves, where they hold
    nothing else. Rows whose series is called a target are left out as well.
    """
    left_out: set[int] = set()
    statuses: dict[int, str] = {}
    for column, name in list(layout.dimensions.items()):
        texts = {row: read_text(sheet.at(row, column))[0] for row in rows}
        kinds = kinds_in(read_text(sheet.at(layout.header, column))[0] or name, set(texts.values()) - {""})
        if not kinds:
            continue
        for row, text in texts.items():
            kind = kinds.get(text, "")
            if kind == NOT_OBSERVED:
                why = "a target or a forecast is no figure observed: row left out"
                gathering.mended(sheet.where(row, column), text, "nothing", [why])
                left_out.add(row)
            elif kind not in ("", "value"):
                statuses[row] = kind
        rest = {text for row, text in texts.items() if row not in left_out and text}
        if all(text in kinds for text in rest):
            del layout.dimensions[column]
            found = read_text(sheet.at(layout.header, column))[0]
            gathering.mended(sheet.where(layout.header, column), found, "nothing", ["no column of groups: left out"])
    if "series" in layout.roles:
        column = layout.roles["series"]
        for row in rows:
            if row not in left_out and ahead(text := read_text(sheet.at(row, column))[0]):
                why = "a target or a forecast is no figure observed: row left out"
                gathering.mended(sheet.where(row, column), text, "nothing", [why])
                left_out.add(row)
    if rows and len(left_out) == len(rows):
        fix = "add the figures that were observed; a target belongs into the parameters of the city"
        problem = Problem(sheet.where(rows[0]), "targets and forecasts alone", "figures that were observed", fix)
        gathering.problems.append(problem)
    return [row for row in rows if row not in left_out], statuses


_NAMED_AHEAD = re.compile(r"(?<!\bof )(?<!\bto )(?<!\bon )(?<!\bthe )(?<!\bagainst )(?<!\bmeeting )(?<!\bmet )"
                          r"\b(target|forecast|projection|projected)s?$", re.I)  # fmt: skip


def ahead(name: str) -> bool:
    """Whether the name of a series says that it is a target, a plan, a forecast: ``Recycling (target)``, ``Target``.

    Goal 8 and Target 8.5 are names of the goals themselves; a budget is a series like others.
    """
    parts = [part.strip() for part in re.split(r"\s[-–—]\s|[:(\[]|,\s", name) if part.strip(" )]")]
    last = [parts[0], parts[-1].rstrip(")] ")] if parts else []
    if any(kind_of(part) == "target" and not _of_goals(part) and "budget" not in slug(part) for part in last):
        return True
    return bool(_NAMED_AHEAD.search(name.strip())) and len(parts) == 1


def _of_goals(text: str) -> bool:
    return bool(re.search(r"\b\d{1,2}(\.\w{1,2})*\b", re.sub(r"\b(19|20)\d\d\b", "", text)))


def drop_unobserved(gathering: Gathering, sheet: Sheet, layout: Layout) -> list[Problem]:
    """Take columns of targets, plans and changes out of the series, which is noted; told where none is left."""
    kinds = {column: kind_of(read_text(name)[0]) for column, name in layout.measures.items()}
    out = {column: kind for column, kind in kinds.items()
           if ahead(read_text(layout.measures[column])[0]) or kind in ("change", "baseline")
           or (kind in UNOBSERVED and len(kinds) > 1)}  # fmt: skip
    if len(layout.measures) == 1 and set(out.values()) <= {"change"}:
        return []
    for column, kind in out.items():
        why = f"a {kind or 'target'} is no figure observed: column left out"
        gathering.mended(sheet.where(layout.header, column), layout.measures[column], "nothing", [why])
        if len(out) < len(kinds):
            del layout.measures[column]
    if len(out) < len(kinds):
        return []
    found = f"columns of figures that are targets or changes: {', '.join(map(str, layout.measures.values()))}"
    fix = "add the column of figures observed; a target belongs into the parameters of the city"
    return [Problem(sheet.where(layout.header), found, "figures that were observed", fix)]


# --- whose idea it was ----------------------------------------------------------------------------------


def leave_out_descriptions(gathering: Gathering, sheet: Sheet, layout: Layout, rows: Sequence[int]) -> None:
    """Take columns that describe the series, such as Theme or Department, out of the groups, which is noted.

    One that tells the figures of a series apart stays; remarks, sources and persons in charge never do.
    """
    of_series = [layout.roles[role] for role in ("code", "series", "unit") if role in layout.roles]
    for column in list(layout.dimensions):
        heading = read_text(sheet.at(layout.header, column))[0]
        if not (remarks_on(heading) or describes(heading)):
            continue
        seen: Mapping[tuple, set[str]] = defaultdict(set)
        for row in rows:
            key = tuple(read_text(sheet.at(row, other))[0] for other in of_series)
            seen[key].add(read_text(sheet.at(row, column))[0])
        if remarks_on(heading) or all(len(found) == 1 for found in seen.values()):
            del layout.dimensions[column]
            why = "it describes the series and is no group: column left out"
            gathering.mended(sheet.where(layout.header, column), shown(heading).strip("'"), "nothing", [why])


# --- places ---------------------------------------------------------------------------------------------

# Columns that hold places, or parts of one: what they are is told by what stands in them.
_PLACES = frozenset({"location", "localidad", "localite", "localidade", "ubicacion", "standort", "region",
                     "region-name", "county", "province", "provincia", "state", "nation", "level", "geographic-level",
                     "geography-level", "geography-type", "area-type", "nivel", "nivel-geografico", "niveau",
                     "ebene"})  # fmt: skip
_CITY_LEVELS = frozenset({"city", "municipal", "municipality", "local", "town", "local-authority", "ciudad",
                          "municipio", "ville", "commune", "cidade", "concelho", "stadt", "gemeinde"})  # fmt: skip
_SETTLEMENTS = frozenset({"urban", "rural", "urbano", "urbana", "rurale", "urbain", "urbaine", "landlich", "stadtisch",
                          "urban-area", "rural-area", "peri-urban", "zona-urbana", "zona-rural"})  # fmt: skip


def settle_places(gathering: Gathering, sheet: Sheet, layout: Layout, rows: list[int], place: str) -> None:
    """Say which columns of places hold the area, and which its parts; urban and rural are groups.

    Raises
    ------
    InputError
        A column such as Region that holds one other place alone; one such as Level in which none is the city's.
    """
    area = gathering.area
    if "area" in layout.roles:
        column = layout.roles["area"]
        texts = {slug(read_text(sheet.at(row, column))[0]) for row in rows} - {""}
        if texts & _SETTLEMENTS and all(text in _SETTLEMENTS or is_total(text) for text in texts):
            del layout.roles["area"]
            layout.dimensions[column] = "location"
    for column in [column for column, name in layout.dimensions.items() if name in _PLACES]:
        texts = {read_text(sheet.at(row, column))[0] for row in rows} - {""}
        heading = read_text(sheet.at(layout.header, column))[0]
        where = sheet.where(layout.header, column)
        levels = {text for text in texts if slug(text) in _CITY_LEVELS}
        above = {text for text in texts if is_elsewhere(text) or slug(text) in ("regional", "provincial", "state")}
        if levels and len(texts - levels) == len(above):
            del layout.dimensions[column]
            kept = [row for row in rows if read_text(sheet.at(row, column))[0] not in above]
            why = ["not of the city: rows left out"]
            gathering.mended(where, listed(sorted(above)), f"nothing, in {len(rows) - len(kept)} rows", why)
            rows[:] = kept
        elif "area" not in layout.roles and not heading.casefold().startswith("region") and any(
            is_area(text, area, place) for text in texts
        ):  # fmt: skip
            del layout.dimensions[column]
            layout.roles["area"] = column
        elif above or (len(texts) == 1 and not is_total(*texts) and slug(*texts) not in _SETTLEMENTS | {area}):
            fix = "head the column Area if it says whose figures they are, and name it: --place NAME; "
            fix += f"else --ignore {heading!r}"
            found = f"{listed(sorted(above or texts))} below {heading}"
            raise InputError(sheet.file, [Problem(where, found, f"figures of {area}, or of its parts", fix)])


# --- what headings say ----------------------------------------------------------------------------------


def groups_of_columns(
    gathering: Gathering, sheet: Sheet, layout: Layout, told: Told
) -> tuple[str, dict[int, tuple[str, str]]]:  # fmt: skip
    """Return the name of the one series that columns such as Men, Women, Total are groups of, and each one's group.

    Returns
    -------
    tuple
        The line above the table, or what the caller says; dimension and group by column, nothing where the columns are
        series of their own.

    Raises
    ------
    InputError
        Sexes or ages of a series that nothing names.
    """
    names = {column: read_text(name)[0] for column, name in layout.measures.items()}
    groups = {column: ("", "") if is_total(name) else group_of(name) for column, name in names.items()}
    plain = [pair for pair in groups.values() if pair[1]]
    kinds = {kind for kind, _ in plain}
    total = len(plain) < len(groups)
    if len(groups) < 2 or not plain or not (kinds <= {"sex", "age"} or (told.series and total and len(groups) > 2)):
        return "", {}
    title = told.series or next(filter(None, (_title(sheet, row) for row in reversed(range(layout.header)))), "")
    if not title and not told.indicator:
        fix = "write its name into a line above the table; in an import, --series NAME"
        found = f"groups ({listed(names.values())}) of a series without a name"
        raise InputError(sheet.file, [Problem(sheet.where(layout.header), found, "what was measured", fix)])
    why = ["the columns are its groups"]
    gathering.mended(sheet.where(layout.header), listed(names.values()), title or told.indicator, why)
    return title, groups


def _title(sheet: Sheet, row: int) -> str:
    texts = {read_label(content)[0] for content in sheet.rows[row] if not is_blank(content)}
    return texts.pop() if len(texts) == 1 else ""


def years_by_heading(gathering: Gathering, sheet: Sheet, layout: Layout, at: dict[int, str]) -> None:
    """Mend years by what their heading says: 2019 below Year ending March began in April 2018.

    A school year that is written 2019 is not taken, and told.
    """
    column = layout.roles["period"]
    heading = read_text(sheet.at(layout.header, column))[0]
    plain = [row for row, period in at.items() if len(period) == 4]
    month = ends_in(heading)
    if plain and 0 < month < 12:
        for row in plain:
            at[row] = f"{int(at[row]) - 1}-{month + 1:02d}-01/P1Y"
        gathering.mended(sheet.where(plain[0], column), heading, at[plain[0]], ["years end as their heading says"])
    elif plain and of_school(heading):
        fix = "write 2019/20 for the year that began in 2019"
        found = f"{at[plain[0]]} below {heading}"
        gathering.problems.append(Problem(sheet.where(plain[0], column), found, "a year such as 2019/20", fix))
        for row in plain:
            del at[row]
