"""Cells that are joined downwards: a program shows the text of the first in the place of them all."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection

from vlr_analysis.sources.cells import is_blank
from vlr_analysis.sources.sheet_grid import Sheet


def joined_down(sheet: Sheet, columns: Collection[int] | None = None, after: int = -1) -> dict[tuple[int, int], int]:
    """Return which cells are joined with one above them.

    Parameters
    ----------
    sheet : Sheet
    columns : collection of int, optional
        Only those; left out: all columns, but only joins that hold text (a figure stands once).
    after : int
        Only joins that begin below this position in `Sheet.rows`.

    Returns
    -------
    dict
        Position of the row that holds the content, by (row, column): positions in `Sheet.rows`, columns from 0. Only
        the first column of a join counts, and only rows that hold something.
    """
    found: dict[tuple[int, int], int] = {}
    position = {line: row for row, line in enumerate(sheet.lines)}
    done: dict[int, int] = {}
    for top, left, bottom, _ in sorted(sheet.merged):
        first = position.get(top)
        if bottom == top or first is None or first <= after or (columns is not None and left not in columns):
            continue
        content = sheet.at(first, left)
        if is_blank(content) or (columns is None and not isinstance(content, str)):
            continue
        last = bisect_right(sheet.lines, bottom) - 1
        # A broken file may join a cell twice; the first join counts, and no row is looked at again.
        for row in range(max(first, done.get(left, -1)) + 1, last + 1):
            found[row, left] = first
        done[left] = max(done.get(left, -1), last)
    return found
