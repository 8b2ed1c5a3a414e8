"""Columns beside the years of a wide table that are no groups: what describes a series, and what names it."""

from __future__ import annotations

from collections import defaultdict

from vlr_analysis.exhibits import slug
from vlr_analysis.sources.cells import is_blank, read_label
from vlr_analysis.sources.long_columns import settle_places
from vlr_analysis.sources.names import describes, group_of, remarks_on
from vlr_analysis.sources.reading import Gathering, split_unit
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.wide_headings import Layout

_TITLES = frozenset(("description", "name", "title", "descripcion", "nombre", "titulo", "intitule", "libelle", "nom",
                     "titre", "descricao", "designacao", "nome", "bezeichnung", "beschreibung", "titel", "label",
                     "denominacion", "designation", "kpi"))  # fmt: skip


def settle_columns(gathering: Gathering, sheet: Sheet, layout: Layout, place: str) -> None:
    """Take columns that name or describe the series out of the groups, which is noted.

    Theme or Department say of what kind a series is, where they say one thing of each; where they tell the figures of
    one series apart, they are groups. Remarks, sources and persons in charge never are. Columns of places are read
    as in a long table: `place` is the area as the file writes it.

    Raises
    ------
    InputError
        A column such as Location holds one other place alone, or levels none of which is the city's.
    """
    _name(gathering, sheet, layout)
    rows = _rows(sheet, layout)
    kept = list(rows)
    settle_places(gathering, sheet, layout, kept, place)
    layout.left_out = set(rows) - set(kept)
    for column, name in list(layout.dimensions.items()):
        if not remarks_on(name) and not (describes(name) and _says_one_thing(sheet, layout, column)):
            continue
        del layout.dimensions[column]
        why = "it describes the series and is no group: column left out"
        gathering.mended(sheet.where(layout.first - 1, column), name, "nothing", [why])


def _name(gathering: Gathering, sheet: Sheet, layout: Layout) -> None:
    """Say which column names the series, where one is headed Name or Description, or stands beside joined themes."""
    roles, where = layout.roles, sheet.where(layout.first - 1)
    if "series" not in roles:
        found = next((c for c, name in sorted(layout.dimensions.items()) if name in _TITLES), None)
        if found is not None:
            gathering.mended(
                where, layout.dimensions.pop(found), "the name of the series", ["the only column of names"]
            )
            roles["series"] = found
        return
    themes, names = roles["series"], roles["series"] + 1
    if layout.dimensions.get(names) != "group":
        return
    texts = [read_label(sheet.at(row, names))[0] for row in _rows(sheet, layout)]
    above = {read_label(sheet.at(row, themes))[0] for row in _rows(sheet, layout)} - {""}
    distinct = len(texts) > 1 and all(texts) and len(set(texts)) == len(texts) > len(above)
    if distinct and any(split_unit(text)[1] for text in texts) and all(group_of(text)[0] == "group" for text in texts):
        del layout.dimensions[names]
        roles["series"] = names
        gathering.mended(sheet.where(layout.first - 1, themes), "names at its right", "the names of the series",
                         ["it describes the series and is no group: column left out"])  # fmt: skip


def _rows(sheet: Sheet, layout: Layout) -> list[int]:
    return [row for row in range(layout.first, len(sheet.rows))
            if any(not is_blank(sheet.at(row, column.place)) for column in layout.columns)]  # fmt: skip


def _says_one_thing(sheet: Sheet, layout: Layout, column: int) -> bool:
    """Whether a column never tells two rows of one series apart."""
    named_by = [layout.roles[role] for role in ("code", "series") if role in layout.roles]
    said: dict[tuple[str, ...], set[str]] = defaultdict(set)
    key: tuple[str, ...] = ()
    for row in _rows(sheet, layout):
        texts = tuple(read_label(sheet.at(row, place))[0] for place in named_by)
        key = texts if any(texts) else key
        said[key].add(slug(read_label(sheet.at(row, column))[0]))
    return bool(named_by) and all(len(texts - {""}) < 2 for texts in said.values())
