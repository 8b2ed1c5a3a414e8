"""A filled workbook of a city: figures, codes of its own, targets, sources and notes, each cell with its place."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.errors import InputError, Problem, listed, raise_if_any
from vlr_analysis.observations import is_slug
from vlr_analysis.sources.cells import Repair, shown
from vlr_analysis.sources.figure_rows import (
    Figure,
    Page,
    Reader,
    Told,
    as_table,
)
from vlr_analysis.sources.figure_texts import tidy_text
from vlr_analysis.sources.kit import INDICATOR_COLUMNS, SOURCES_COLUMNS
from vlr_analysis.sources.reading import ORIGIN_COLUMNS
from vlr_analysis.sources.sheets import open_sheets
from vlr_analysis.sources.template_form import (
    CITY_ID,
    FIGURES,
    FORMS,
    GUIDE,
    INDICATORS,
    NOTES,
    SERIES,
    SHEETS,
    SOURCES,
    TARGETS,
)
from vlr_analysis.sources.template_rows import READERS, own_codes, rows_of

SUFFIX = ".xlsx"
TARGET_COLUMNS = (*SERIES, "target", "target_year", "target_source", "priority", "department", "measure")
_WHERE = [f"where_{name}" for name in SERIES]
# Other heads that a sheet of figures may have: one figure a row, or an interval.
_MORE_HEADS = {"breakdown": "breakdown", "period": "period", "year": "period", "value": "value", "low": "low",
               "high": "high"}  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """What a workbook holds.

    Attributes
    ----------
    name : str
        Name of the file.
    city : str
        Id that the sheet Guide holds; empty where it holds none.
    table : DataFrame
        Observations, as `observations.check` returns them, without those of which something is wrong.
    figures : sequence of Figure
        The same observations, each with its cells.
    indicators : DataFrame
        As `kit.read_indicators` returns them, one row for each series that the workbook says something of.
    targets : DataFrame
        `TARGET_COLUMNS`, and the cells of the first three; series and unit empty where the row leaves them open.
    sources : DataFrame
        As `kit.read_sources` returns them.
    notes : DataFrame
        indicator, note, by.
    problems, warnings : sequence of Problem
    repairs : sequence of Repair
    """

    name: str
    city: str
    table: pd.DataFrame = field(repr=False)
    figures: Sequence[Figure] = field(repr=False)
    indicators: pd.DataFrame = field(repr=False)
    targets: pd.DataFrame = field(repr=False)
    sources: pd.DataFrame = field(repr=False)
    notes: pd.DataFrame = field(repr=False)
    problems: Sequence[Problem]
    warnings: Sequence[Problem]
    repairs: Sequence[Repair]


def is_workbook(path: Path | str | None) -> bool:
    """Whether a data file is a workbook by its ending."""
    return path is not None and Path(path).suffix.casefold() == SUFFIX


def read_workbook(path: Path | str, area: str = "") -> Filled:
    """Read a workbook as `template.empty_workbook` makes it, as far as people have filled it.

    Parameters
    ----------
    path : Path or str
    area : str
        Id of the city; left out, the sheet Guide says it, else the name of the file.

    Returns
    -------
    Filled
        With everything that is wrong, doubtful or mended. The example rows are passed over.

    Raises
    ------
    InputError
        It is no workbook that can be opened, or it has no sheet of figures.
    """
    path = Path(path)
    stamp = path.stat() if path.is_file() else None
    return _read(path, area, (stamp.st_mtime_ns, stamp.st_size) if stamp else None)


@lru_cache(maxsize=8)
def _read(path: Path, area: str, stamp: tuple[int, int] | None) -> Filled:
    opened = open_sheets(path)
    pages = {sheet.name.casefold(): Page.of(sheet) for sheet in opened.sheets}
    unread = [sheet for sheet in opened.sheets if not _is_ours(sheet.name)]
    told = Told(repairs=[one for one in opened.repairs if not one.where.startswith(tuple(s.title for s in unread))])
    figures_pages = [page for name, page in pages.items() if name.startswith(FIGURES.casefold())]
    if not figures_pages:
        found = f"the sheets {listed(page.sheet for page in pages.values())}"
        fix = f"call the sheet with the figures {FIGURES}; bring a workbook of another form in with vlr import"
        raise InputError(path.name, [Problem(path.name, found, f"a sheet {FIGURES}", fix)])
    for sheet in unread:
        fix = f"begin its name with {FIGURES} if it holds figures for the review; else leave it as it is"
        expected = f"{FIGURES}, or a name that begins so"
        told.warnings.append(Problem(sheet.title, "a sheet of another name, which is not read", expected, fix))
    city = _city(pages, told)
    rows = {sheet: rows_of(pages.get(sheet.casefold()), FORMS[sheet], told) for sheet in READERS}
    own = own_codes(rows[INDICATORS])
    form = FORMS[FIGURES]
    needed = [column.name for column in form.columns if column.needed]
    reader = Reader(area or city or path.stem, form.heads | _MORE_HEADS, needed, own)
    found = [figure for page in figures_pages for figure in reader.figures(page, told)]
    table, figures = as_table(found, path.name, told)
    tables = {sheet: pd.DataFrame(READERS[sheet](rows[sheet], own, told)) for sheet in READERS}
    notes = tables[NOTES].reindex(columns=["indicator", "note", "by"], fill_value="").astype(str)
    # A series whose own row is wrong is not missing; one mistake is told once.
    wrong_rows = any(problem.where.startswith(f"{path.name}, {FIGURES}") for problem in told.problems)
    mentioned = {str(cell).strip() for page in figures_pages if wrong_rows for _, row in page.rows for cell in row}
    targets = tables[TARGETS].reindex(columns=[*TARGET_COLUMNS, *_WHERE])
    _unmatched(targets, table, mentioned, told)
    indicators = tables[INDICATORS].reindex(columns=[*INDICATOR_COLUMNS, *_WHERE], fill_value="").astype(str)
    _unmatched(indicators, table, mentioned, told)
    sources = tables[SOURCES].reindex(columns=list(SOURCES_COLUMNS), fill_value="").astype(str)
    expanded = _expanded(indicators, notes, table)
    return Filled(
        path.name, city, table, figures, expanded, targets, sources, notes, tuple(told.problems), tuple(told.warnings),
        tuple(told.repairs),
    )  # fmt: skip


def _is_ours(name: str) -> bool:
    name = name.casefold()
    return name.startswith(FIGURES.casefold()) or name in {sheet.casefold() for sheet in SHEETS}


# --- what a run takes -------------------------------------------------------------------------------


def read_table(path: Path | str, area: str = "") -> pd.DataFrame:
    """Return the figures of a workbook as `kit.read_table` returns those of a CSV file.

    Raises
    ------
    InputError
        With everything that is wrong anywhere in the workbook; or there is no figure yet.
    """
    filled = read_workbook(path, area)
    raise_if_any(filled.name, filled.problems)
    if not len(filled.table):
        raise InputError(filled.name, [no_figures(filled.name)])
    return filled.table.copy()


def no_figures(name: str) -> Problem:
    """Make the message about a workbook that holds no figure yet."""
    fix = f"fill the sheet {FIGURES}, then: vlr check {Path(name).stem}"
    return Problem(f"{name}, {FIGURES}!row 3", "no figures yet", "at least one row with figures", fix)


def read_indicators(path: Path | str) -> pd.DataFrame:
    """Return what a workbook says of its series, as `kit.read_indicators` does; `read_table` tells what is wrong."""
    return read_workbook(path).indicators.copy()


def read_sources(path: Path | str) -> pd.DataFrame:
    """Return the sources of a workbook, as `kit.read_sources` does; `read_table` tells what is wrong."""
    return read_workbook(path).sources.copy()


def read_choices(path: Path | str) -> list[dict[str, Any]]:
    """Return targets, priorities and departments as entries of the key `indicators` in a city's parameters.

    Rows about series without figures are left out: there is nothing yet to hold against the target.
    """
    filled = read_workbook(path)
    choices = []
    for row in filled.targets[list(TARGET_COLUMNS)].to_dict("records"):
        if (filled.table["indicator"] == row["indicator"]).any():
            choice = {
                name: value for name, value in row.items() if not (value is None or value == "" or value != value)
            }
            if "target_year" in choice:
                choice["target_year"] = int(choice["target_year"])
            choices.append(choice)
    return choices


def read_origins(path: Path | str, area: str = "") -> pd.DataFrame:
    """Return in which cell each observation of `read_table` stands: `reading.ORIGIN_COLUMNS`, in its order."""
    figures = read_workbook(path, area).figures
    return pd.DataFrame(
        [(*figure.key, figure.page.name, figure.page.sheet, figure.cell) for figure in figures],
        columns=list(ORIGIN_COLUMNS),
        dtype=object,
    )


def row_numbers(path: Path | str) -> dict[tuple[str, ...], int]:
    """Return in which row of its sheet each observation stands, as `kit.row_numbers` does for a CSV file."""
    return {figure.key: figure.row for figure in read_workbook(path).figures}


# --- sheets together --------------------------------------------------------------------------------


def _city(pages: Mapping[str, Page], told: Told) -> str:
    page = pages.get(GUIDE.casefold())
    for number, cells in page.rows if page else ():
        if cells and tidy_text(cells[0])[0].casefold() == CITY_ID.casefold():
            city = tidy_text(cells[1] if len(cells) > 1 else None)[0]
            if city and not is_slug(city):
                fix = "write the name of the file in params/ without its ending"
                expected = "an id of small letters, digits and hyphens"
                told.problems.append(Problem(page.where(number, 1), shown(city), expected, fix))
                return ""
            return city
    return ""


def _unmatched(rows: pd.DataFrame, table: pd.DataFrame, mentioned: Collection[str], told: Told) -> None:
    """Tell of rows about a series that no figures have: a slip where the indicator has others, else a remark."""
    for row in rows.to_dict("records"):
        same = table[table["indicator"] == row["indicator"]]
        if not len(same):
            if "target" in row:
                fix = "add the figures on the sheet Figures; until then the row has no effect"
                warning = Problem(
                    row["where_indicator"], f"no figures of {row['indicator']}", "figures to hold against it", fix
                )
                told.warnings.append(warning)
            continue
        for column in ("series", "unit"):
            if row[column] and row[column] not in mentioned and not (same[column] == row[column]).any():
                near = get_close_matches(row[column], same[column].unique().tolist(), n=1, cutoff=0.3)
                fix = f"did you mean {near[0]!r}?" if near else "write it as on the sheet Figures, or empty the cell"
                found = f"{column} {row[column]!r}, which no figures of {row['indicator']} have"
                told.problems.append(Problem(row[f"where_{column}"], found, f"a {column} of the sheet Figures", fix))


def _expanded(indicators: pd.DataFrame, notes: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each series that the workbook says something of; the more exact row comes first."""
    keys = table[SERIES].drop_duplicates()
    said = notes[notes["indicator"] != ""].groupby("indicator", sort=False)["note"].agg(" ".join)
    rows = []
    for key in keys.to_dict("records"):
        fits = indicators["indicator"] == key["indicator"]
        for name in ("series", "unit"):
            fits &= indicators[name].isin(["", key[name]])
        told = indicators[fits]
        exact = told[["series", "unit"]].ne("").sum(axis=1).sort_values(ascending=False, kind="stable").index
        row = told.loc[exact[0]].to_dict() if len(exact) else dict.fromkeys(INDICATOR_COLUMNS, "")
        note = " ".join(part for part in (row["note"], said.get(key["indicator"], "")) if part)
        if len(exact) or note:
            # A row speaks for its series also by an empty direction; here an empty cell means: as in the catalogue.
            direction = row["direction"] or catalogue.direction(key["indicator"])
            rows.append({**row, **key, "note": note, "direction": direction})
    return pd.DataFrame(rows, columns=list(INDICATOR_COLUMNS), dtype=str).fillna("")
