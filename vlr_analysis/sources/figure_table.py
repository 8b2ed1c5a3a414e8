"""A CSV file of figures read with care: harmless slips are mended and logged, everything else is told at its cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.observations import COLUMNS
from vlr_analysis.sources.figure_rows import Figure, Page, Reader, Told, as_table
from vlr_analysis.sources.kit import REQUIRED
from vlr_analysis.sources.sheets import open_sheets

FORM = {",": ".", "\t": ".", ";": ","}  # the form of our files: the mark before decimals, by what separates the cells
READER = Reader(
    "", {column: column for column in COLUMNS}, [name for name in REQUIRED if name not in ("period", "value")]
)


def read_rows(path: Path | str, told: Told) -> tuple[pd.DataFrame, Sequence[Figure]]:
    """Read a file in the kit's own form, one figure a row.

    Parameters
    ----------
    path : Path or str
        ``.csv`` or another text file that `sheets.open_sheets` opens.
    told : Told
        Takes what is wrong, doubtful or mended.

    Returns
    -------
    table : DataFrame
        Observations, checked, without those of which something is wrong.
    figures : sequence of Figure
        The same observations in the same order, each with its cells.

    Raises
    ------
    InputError
        The file cannot be opened.
    """
    opened = open_sheets(path)
    told.repairs += opened.repairs
    pages = [replace(Page.of(sheet), decimal=FORM.get(sheet.separator, "")) for sheet in opened.sheets]
    found = [figure for page in pages for figure in READER.figures(page, told)]
    return as_table(found, opened.file, told)


class _Hopeless(Exception):
    """Something in the file cannot be mended."""


class _NoProblems(list):
    """Ends the reading at the first problem: a wrong file has them by the ten thousand."""

    def append(self, problem: Problem) -> None:
        raise _Hopeless(problem)


def mended(path: Path | str) -> tuple[pd.DataFrame, dict[tuple[str, ...], int]] | None:
    """Read a file in the kit's own form with the repairs that `vlr check` lists.

    Returns
    -------
    (DataFrame, dict) or None
        The observations, and the row of each by its key; None where something cannot be mended.
    """
    told = Told(problems=_NoProblems())
    try:
        table, figures = read_rows(path, told)
    except (InputError, _Hopeless):
        return None
    return None if told.problems or not len(table) else (table, {figure.key: figure.row for figure in figures})
