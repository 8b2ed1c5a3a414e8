"""Text as cells hold it that a spreadsheet program opens: nothing in it runs, turns the reading round, or is unseen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pandas as pd

# Signs at which a spreadsheet program begins to read a formula; the wide ones in programs set to Japanese or Chinese.
SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"

_STARTS = re.compile(rf"'*(?:\s*[{re.escape(SIGNS)}]|[\t\r])")
_KEPT = re.compile(rf"'+(?:\s*[{re.escape(SIGNS)}]|[\t\r])")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
# Control characters but tab and line feed; embeddings, overrides and isolates of the direction of reading; line and
# paragraph separators; what UTF-8 cannot hold. Arabic and Hebrew need none of them: U+200E and U+200F stay.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """Return a text with its unseen characters shown: U+202E as ``[U+202E]``; a carriage return is a line feed."""
    if text.isprintable():
        return text
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNSEEN.sub(lambda found: f"[U+{ord(found[0]):04X}]", text)


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet program may take a text for a formula; a plain number and a lone dash are none."""
    return bool(_STARTS.match(text)) and text not in ("-", "+") and not _NUMBER.fullmatch(text)


def inert(text: str) -> str:
    """Return a text as a cell of a CSV file holds it.

    A text that a spreadsheet program may take for a formula gets an apostrophe in front, as people write it there to
    say that a cell is text. `original` takes it off again. Unseen characters are made `visible`.

    Returns
    -------
    str
        The text itself in all but hostile or unlucky cases: ``'=1+1`` for ``=1+1``, ``-5`` for ``-5``.
    """
    text = visible(text)
    return f"'{text}" if starts_formula(text) else text


def original(text: str) -> str:
    """Return the text that `inert` was given, but for characters that it has made visible."""
    return text[1:] if _KEPT.match(text) and starts_formula(text) else text


def inert_row(cells: Iterable[Any]) -> list[Any]:
    """Return the cells of a row with every text inert; what is no text stays as it is."""
    return [inert(cell) if isinstance(cell, str) else cell for cell in cells]


def inert_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with every text inert, column names too; numbers, dates and missing values stay as they are."""
    return _each_text(table, inert)


def original_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table that `inert_table` was given."""
    return _each_text(table, original)


def _each_text(table: pd.DataFrame, change) -> pd.DataFrame:
    """Change every text; of a column with none to be changed, the column itself is kept."""
    changed = {}
    for place, dtype in enumerate(table.dtypes):
        if not (pd.api.types.is_object_dtype(dtype) or isinstance(dtype, pd.StringDtype | pd.CategoricalDtype)):
            continue
        column = table.iloc[:, place]
        texts = {cell for cell in column.tolist() if isinstance(cell, str)}
        other = {text: made for text in texts if (made := change(text)) != text}
        if other:
            cells = [other.get(cell, cell) if isinstance(cell, str) else cell for cell in column.tolist()]
            changed[place] = pd.Series(cells, table.index, dtype=object)
    heads = [change(name) if isinstance(name, str) else name for name in table.columns]
    if not changed and heads == list(table.columns):
        return table
    columns = [changed.get(place, table.iloc[:, place]) for place in range(table.shape[1])]
    made = pd.concat(columns, axis=1) if columns else table.copy()
    made.columns = heads
    return made
