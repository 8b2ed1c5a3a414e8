"""Which figures of a file are of the area that is asked for: its rows, its sheets, and headings that are places."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

from babel import Locale

from vlr_analysis.errors import InputError, Problem, listed
from vlr_analysis.exhibits import slug
from vlr_analysis.sources.names import dimension_of, group_of
from vlr_analysis.sources.reading import Gathering, filter_error
from vlr_analysis.sources.sheet_grid import Sheet

_OF_A_CITY = re.compile(
    r"^(the-)?(city-of|municipality-of|town-of|ciudad-de|municipio-de|ayuntamiento-de|canton|canton-de|distrito-metropolitano-de|"
    r"ville-de|commune-de|cidade-de|municipio-do|concelho-de|camara-municipal-de|stadt|landeshauptstadt|hansestadt|gemeinde)-"
    r"|-(city-of|city-council|landeshauptstadt|hansestadt)$"
)
_CODE_BEHIND = re.compile(r"(.*\S)\s*[(\[][A-Z]{0,3}\d{4,}[)\]]\s*")  # Leeds (E08000035)


def is_area(text: str, area: str, place: str = "") -> bool:
    """Whether a name means the area: every reader asks here.

    Parameters
    ----------
    text : str
        What stands in the file.
    area : str
        Slug of the area.
    place : str
        The area as the file writes it, where the caller says so (``--place``): nothing else counts then.

    Returns
    -------
    bool
        True for the name of which `area` is the slug, so that accents, capitals, "City of" before or behind it and a
        code in brackets make no difference.
    """
    if place:
        return text.casefold() == place.casefold()
    found = _CODE_BEHIND.fullmatch(text)
    name = slug(found[1] if found else text)
    # Ciudad de México is not Mexico.
    return name == area or (_bare(name) == _bare(area) and area not in _countries())


def _bare(name: str) -> str:
    return _OF_A_CITY.sub("", name)


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    names = (Locale(tag).territories for tag in ("en", "es", "fr", "pt", "de"))
    return frozenset(slug(name) for found in names for code, name in found.items() if code.isalpha())


# Names of places above a city that the CLDR does not list as countries, as `slug` writes them.
_ABOVE = frozenset({"england", "scotland", "wales", "northern-ireland", "great-britain", "uk", "usa", "us", "eu",
                    "europe", "world", "national", "nacional", "national-average", "england-average",
                    "country-average", "nation", "country", "pais", "pays"})  # fmt: skip


def is_elsewhere(text: str) -> bool:
    """Whether a name is that of a country, or a word for one: never a part of a city."""
    return slug(text) in _countries() or slug(text) in _ABOVE


def rows_of_area(
    gathering: Gathering, sheet: Sheet, column: int, texts: Mapping[int, str], place: str, heading: str = "of areas"
) -> list[int]:
    """Return the rows of the area.

    Parameters
    ----------
    gathering : Gathering
    sheet : Sheet
    column : int
        The column of areas.
    texts : mapping
        What it says in each row that holds a figure, by position in `Sheet.rows`.
    place, heading : str
        The area as the file writes it, where the caller says so; the heading of the column, for messages.

    Returns
    -------
    list of int
        A row without an area is not taken, and that is told: an empty cell may go on with the area above it, or stand
        for all areas together. A column without any area says nothing, and every row is taken.

    Raises
    ------
    InputError
        None of the names is the area's. One other name is no exception: the caller says with `place` that it is right.
    """
    seen = {text for text in texts.values() if text}
    if not seen:
        return list(texts)
    wanted = {text for text in seen if is_area(text, gathering.area, place)}
    exact = {text for text in wanted if place or slug(text) == gathering.area}
    for other in sorted(wanted - exact) if exact else ():
        row = next(row for row, text in texts.items() if text == other)
        found, fix = f"{other} beside {min(exact)}", f"write one name, or say which is meant: --place {other!r}"
        gathering.problems.append(Problem(sheet.where(row, column), found, "one name of the area", fix))
    wanted = exact or wanted
    if not wanted:
        raise filter_error(sheet.title, heading, seen, gathering.area)
    empty = [row for row, text in texts.items() if not text]
    if empty:
        found = f"nothing, in {len(empty)} row{'s' * (len(empty) > 1)} with figures"
        fix = "write the area into each row"
        gathering.problems.append(Problem(sheet.where(empty[0], column), found, "the name of an area", fix))
    return [row for row, text in texts.items() if text in wanted]


def refuse_places(sheet: Sheet, row: int, names: Iterable[str], area: str, what: str, fix: str) -> None:
    """Refuse names of series that are places: the area itself among them, or a country.

    Raises
    ------
    InputError
        With the names found.
    """
    names = list(names)
    if any(slug(name) == area for name in names) or any(map(is_elsewhere, names)):
        found = f"{what} {listed(names)}"
        raise InputError(sheet.file, [Problem(sheet.where(row), found, "names of series, not of places", fix)])


def refuse_sheets(taken: Sequence[tuple[Sheet, int]], area: str, place: str = "") -> None:
    """Refuse sheets whose names say of which place or of which group their figures are, where no column says it.

    Parameters
    ----------
    taken : sequence of (Sheet, int)
        The sheets that are to be read, each with the position of its header.
    area, place : str
        Slug of the area; its name in the file, where the caller says so.

    Raises
    ------
    InputError
        Several sheets, one of them named for the area or a country; a sheet named for a group, such as Women, without a
        column of sexes or ages.
    """
    names = [sheet.name for sheet, _ in taken if sheet.name]
    problems = []
    ours = [name for name in names if is_area(name, area, place)]
    others = [name for name in names if name not in ours]
    if others and (ours or (not place and any(slug(name) in _countries() for name in others))):
        fix = f"name the one that is read: --sheet {ours[0]!r}" if ours else "name the one that is read: --sheet NAME"
        expected = f"figures of {area} alone"
        problems.append(Problem(taken[0][0].file, f"sheets named for places: {listed(names)}", expected, fix))
    for sheet, header in taken:
        bare = " ".join(word for word in re.split(r"[\s_,;:|/()]+", sheet.name) if slug(word) != area)
        kind, _ = group_of(bare)
        heads = {dimension_of(cell) for cells in sheet.rows[header : header + 2] for cell in cells
                 if isinstance(cell, str)}  # fmt: skip
        if kind in heads or not (kind == "sex" or (kind == "age" and len(bare) >= len("15-24"))):
            continue
        fix = f"add a column {kind.capitalize()} with {bare!r} in each row, or rename the sheet"
        problems.append(Problem(sheet.title, f"a sheet named for the group {bare!r}", "a column of groups", fix))
    if problems:
        raise InputError(taken[0][0].file, problems)
