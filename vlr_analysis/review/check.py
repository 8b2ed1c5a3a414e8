"""The check of a file or of a city: everything that is wrong, doubtful or mended, at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path

import pandas as pd

from vlr_analysis.cities import load_cities
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.observations import is_slug
from vlr_analysis.params import DATA, PARAMS, Parameters, read_parameters
from vlr_analysis.review import origins
from vlr_analysis.review.check_report import Report, in_order
from vlr_analysis.review.doubts import doubts
from vlr_analysis.review.new_city import NO_COUNTRY
from vlr_analysis.sources import kit, template_sheet, voices
from vlr_analysis.sources.figure_rows import Figure, Told
from vlr_analysis.sources.figure_table import read_rows
from vlr_analysis.sources.template_form import ORDER, SOURCES

SERIES = ["indicator", "series", "unit"]


def check(what: str, root: Path | None, today: date) -> Report:
    """Check a data file or a city.

    Parameters
    ----------
    what : str
        Path of a workbook, of a CSV or Parquet file in the kit's form, of a register of voices; or a city of `params/`.
    root : Path or None
        Folder of the project; a file may be checked without one.
    today : date
        Figures of periods that begin later are doubted.

    Returns
    -------
    Report

    Raises
    ------
    InputError
        There is nothing of that name; the file cannot be opened at all.
    """
    path = Path(what)
    if path.suffix in (".yaml", ".yml"):
        return check_city(path.stem, _project(root), today)
    if path.suffix:
        return check_file(path, root, today)
    return check_city(what, _project(root), today)


def _project(root: Path | None) -> Path:
    if root is None:
        fix = f"change to the folder that holds {PARAMS}/ and {DATA}/"
        raise InputError("vlr check", [Problem("vlr check", "no project here", "a folder of the kit", fix)])
    return root


# --- one file ----------------------------------------------------------------------------------------


def check_file(path: Path, root: Path | None, today: date) -> Report:
    """Check one file; see `check`."""
    known = _known_sources(root)
    if template_sheet.is_workbook(path):
        return _of_workbook(path, known, today)
    if path.suffix.casefold() == ".parquet":
        table = kit.read_table(path)
        return _report(path.name, table, (), Told(warnings=origins.doubts(path, table)), today)
    told = Told()
    if _is_register(path):
        told.problems += _voices(path, known or None)
        return Report(path.name, errors=tuple(in_order(told.problems)))
    table, figures = read_rows(path, told)
    told.warnings += origins.doubts(path, table)
    return _report(path.name, table, figures, told, today)


def _known_sources(root: Path | None) -> set[str]:
    path = root / DATA / "sources.csv" if root else None
    return set(kit.read_sources(path)["source"]) if path and path.is_file() else set()


def _is_register(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b"evidence" in file.readline(2000)


def _of_workbook(path: Path, known: Collection[str], today: date, area: str = "") -> Report:
    filled = template_sheet.read_workbook(path, area)
    told = Told(list(filled.problems), list(filled.warnings), list(filled.repairs))
    known = {*known, *filled.sources["source"]} - {""}
    told.problems += _unknown_sources(filled.figures, known, set(filled.sources["source"]))
    told.problems += _voices(path, known)
    return _report(path.name, filled.table, filled.figures, told, today)


def _unknown_sources(figures: Sequence[Figure], known: Collection[str], own: Collection[str]) -> list[Problem]:
    """Name each source without a row of its own once, at the first figure that names it; `own`: of the workbook."""
    problems = []
    for source in sorted({figure.cells["source"] for figure in figures} - set(known)):
        rows = [figure for figure in figures if figure.cells["source"] == source]
        first = min(rows, key=lambda figure: (figure.page.sheet, figure.row))
        count = len({(figure.page.sheet, figure.row) for figure in rows})
        found = repr(source) + (f" in {count} rows" if count > 1 else "")
        alike = sorted(other for other in known if other.casefold() == source.casefold())
        if alike and not is_slug(alike[0]) and alike[0] in own:
            continue  # told at the row of the source, which is to be renamed
        if alike:
            fix = f"write {alike[0]!r} in each of them: the two differ in capitals alone"
            expected = f"{alike[0]!r}, as the row of the source has it"
            problems.append(Problem(first.where("source"), found, expected, fix))
            continue
        near = get_close_matches(source, sorted(known), n=1, cutoff=0.7)
        fix = (f"did you mean {near[0]!r}? Else " if near else "") + f"add a row for it to the sheet {SOURCES}"
        problems.append(Problem(first.where("source"), found, "a source with a row of its own", fix))
    return problems


def _voices(path: Path, known: Collection[str] | None) -> list[Problem]:
    try:
        voices.read_voices(path, sources=known)
    except InputError as error:
        return list(error.problems)
    return []


def _report(subject: str, table: pd.DataFrame, figures: Sequence[Figure], told: Told, today: date) -> Report:
    warnings = [*told.warnings, *(doubts(table, figures, today) if len(figures) else ())]
    series = len(table[SERIES].drop_duplicates())
    periods = table["period"].str[:4]
    return Report(
        subject, len(table), series, periods.min() if len(table) else "", periods.max() if len(table) else "",
        *(tuple(in_order(items, ORDER)) for items in (told.problems, warnings, told.repairs)),
    )  # fmt: skip


# --- a city ------------------------------------------------------------------------------------------


def check_city(city: str, root: Path, today: date) -> Report:
    """Check a city: its parameters, its figures and voices, and what they say of each other."""
    try:
        parameters = read_parameters(city, root)
    except InputError as error:
        # The workbook beside wrong parameters is looked at all the same: everything at once.
        path = root / DATA / f"{city}{template_sheet.SUFFIX}"
        report = _of_workbook(path, _known_sources(root), today, city) if path.is_file() else Report(city)
        return replace(report, subject=city, errors=(*error.problems, *report.errors))
    report = replace(_of_figures(parameters, root, today), subject=city)
    warnings = [*_placeholders(parameters), *report.warnings]
    if report.errors or not report.figures:
        return replace(report, warnings=tuple(warnings))
    try:
        load_cities([city], root)
    except InputError as error:
        return replace(report, errors=error.problems, warnings=tuple(warnings))
    return replace(report, warnings=tuple(warnings))


def _of_figures(parameters: Parameters, root: Path, today: date) -> Report:
    """Check the data file of a city, and its register of voices where that is another file."""
    path = root / (parameters.data or f"{DATA}/{parameters.id}.csv")
    if not parameters.data and not path.is_file():
        path = path.with_suffix(".parquet")
    known = _known_sources(root)
    if template_sheet.is_workbook(path):
        report = _of_workbook(path, known, today, parameters.id)
    else:
        report = check_file(path, root, today)
    register = root / parameters.voices if parameters.voices else None
    if register is None or register == path:
        return report
    return replace(report, errors=(*report.errors, *_voices(register, known)))


def _placeholders(parameters: Parameters) -> list[Problem]:
    if parameters.country != NO_COUNTRY or parameters.made_up:
        return []
    where, fix = f"{PARAMS}/{parameters.id}.yaml, key country", "write the three letters of the country, such as ECU"
    return [Problem(where, f"{NO_COUNTRY}, which is no country", "the code of a country", fix)]
