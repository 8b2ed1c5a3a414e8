"""What a notebook shows: a figure, a table or a list of findings, always together with its caption and its data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import pandas as pd

# A notebook that was run carries its results in its outputs under this type; the review reads them from there.
MIME = "application/vnd.vlr.exhibit+json"

# Declared rounding of everything that is written: six significant digits.
FLOAT_FORMAT = "%.6g"


@dataclass(frozen=True)
class Exhibit:
    """One thing to show.

    Attributes
    ----------
    kind : 'figure', 'table' or 'findings'
    name : str
        Short name, unique in its notebook; the data file is named after it.
    caption : str
        What is shown, in one or two sentences that were true before the data were seen.
    alt : str
        What a reader who cannot see it should know; computed from the data. Empty for a table.
    html : str
        The element itself.
    data : DataFrame
        What is plotted or listed, one row per point, mark or finding.
    """

    kind: Literal["figure", "table", "findings"]
    name: str
    caption: str
    alt: str
    html: str
    data: pd.DataFrame

    def csv(self) -> str:
        """Return the data as CSV text, floats to six significant digits."""
        return self.data.to_csv(index=False, float_format=FLOAT_FORMAT, lineterminator="\n")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        carried = {"kind": self.kind, "name": self.name, "caption": self.caption, "alt": self.alt, "csv": self.csv()}
        return {"text/html": self.html, "text/plain": f"{self.kind} {self.name}: {self.caption}", MIME: carried}


def number(value: float | None, digits: int = 3) -> str:
    """Return a number as readers see it: `digits` significant digits, commas at thousands, a true minus sign.

    Whole thousands keep all their digits. NaN and None give an en dash.
    """
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    if float(text.replace(",", "")) == 0:
        return "0"
    return text.replace("-", "−")


def signed(value: float | None, digits: int = 3) -> str:
    """Return `number` with a plus sign where the value is above zero."""
    text = number(value, digits)
    return f"+{text}" if value is not None and math.isfinite(value) and value > 0 and text != "0" else text


def interval(low: float, high: float, digits: int = 3) -> str:
    """Return a 95 % interval in words, or "no interval" where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    return f"{number(low, digits)} to {number(high, digits)}"


def with_unit(value: float, unit: str, digits: int = 3) -> str:
    """Return a value with its unit: percentages close to the number, money before it, the rest after it."""
    text = number(value, digits)
    if text == "–":
        return text
    if unit in ("£", "€", "US$", "$"):
        return f"{unit}{text}" if not text.startswith("−") else f"−{unit}{text[1:]}"
    return f"{text} {unit}" if unit else text


def table(
    data: pd.DataFrame, name: str, caption: str, headers: dict[str, str], *, row_header: str | None = None
) -> Exhibit:
    """Return a table of the columns in `headers`, in that order, for readers; all of `data` goes with it.

    Parameters
    ----------
    data : DataFrame
        Text columns are shown as they are, floats by `number`, NaN as an en dash.
    name, caption : str
        As in `Exhibit`.
    headers : dict
        Column of `data` -> words at its head.
    row_header : str, optional
        Column that names the row; the first one if left out.
    """
    row_header = row_header or next(iter(headers))
    head = "".join(f'<th scope="col"{_align(data[column])}>{escape(words)}</th>' for column, words in headers.items())
    body = "".join(
        "<tr>" + "".join(_cell(data[column], i, column == row_header) for column in headers) + "</tr>"
        for i in range(len(data))
    )
    inner = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>" if len(data) else ""
    empty = "" if len(data) else "<p>No row fits this table.</p>"
    whole = f"<table><caption>{escape(caption)}</caption>{inner}</table>{empty}"
    html = f'<div class="table" id="{escape(name)}">{whole}</div>'
    return Exhibit("table", name, caption, "", html, data)


def _align(column: pd.Series) -> str:
    return ' class="num"' if pd.api.types.is_numeric_dtype(column) and column.dtype != bool else ""


def _cell(column: pd.Series, i: int, is_header: bool) -> str:
    value = column.iloc[i]
    if isinstance(value, bool) or column.dtype == bool:
        text = "yes" if value else "no"
    elif pd.api.types.is_float_dtype(column):
        text = number(value)
    elif isinstance(value, float) and math.isnan(value):
        text = "–"
    else:
        text = str(value).replace("-", "−") if pd.api.types.is_integer_dtype(column) else str(value)
    # <bdi> keeps a right-to-left name from turning the row around.
    text = f"<bdi>{escape(text)}</bdi>" if any(ord(letter) > 0x0590 for letter in text) else escape(text)
    tag, scope = ("th", ' scope="row"') if is_header else ("td", "")
    return f"<{tag}{scope}{_align(column)}>{text}</{tag}>"
