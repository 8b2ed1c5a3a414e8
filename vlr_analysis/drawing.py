"""How every chart of the kit is drawn: style, panels, axes, and a figure turned into an exhibit."""

from __future__ import annotations

import base64
import io
import math
import re
import textwrap
from collections.abc import Sequence
from html import escape
from weakref import WeakSet

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import TICKDOWN, TICKLEFT
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator, NullLocator, ScalarFormatter
from matplotlib.transforms import ScaledTranslation

from vlr_analysis import margins
from vlr_analysis.exhibits import Exhibit, number, plain_unit
from vlr_analysis.language import current, retold, right_to_left
from vlr_analysis.series import SERIES_KEY, as_series

# Line style and grey level carry the meaning; colour only repeats it.
OWN, NATION, MODEL, SHOCK = "#0b4f8a", "#3d3d3d", "#b34700", "#8a8a8a"
GROUPS = ("#0b4f8a", "#b34700", "#2e7d32", "#7b1fa2", "#5d4037", "#00838f", "#ad1457", "#616161")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (1, 1)), (0, (3, 3)))

STYLE = {
    "svg.fonttype": "none",  # text stays text: sharp, and shaped by the browser also from right to left
    "svg.hashsalt": "vlr",  # the same figures give the same bytes
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9.5,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.edgecolor": "#57606a",
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#e4e8ec",
    "lines.linewidth": 1.6,
    "legend.frameon": False,
}
SERIES = list(SERIES_KEY)
TICK, TICK_PAD, TICK_LABEL = 2.5, 3.5, 8.0  # points, in panels of years
_YEARS: WeakSet[Axes] = WeakSet()  # panels with a year axis
styled = rc_context(STYLE)


def grid(count: int, columns: int = 3, height: float = 2.35) -> tuple[Figure, list[Axes]]:
    """Return a figure of `count` panels in rows of `columns`; unused places stay empty."""
    columns = min(columns, max(2, count))  # one panel alone takes half of the width, if a grid was asked for
    rows = math.ceil(max(count, 1) / columns)
    figure = Figure(figsize=(10.2, height * rows), dpi=margins.DPI)
    FigureCanvasSVG(figure)
    axes = [figure.add_subplot(rows, columns, place + 1) for place in range(count)]
    for panel in axes:
        panel.set_title("", y=1.0)  # a place of its own: else every title is measured to find one
    return figure, axes


def as_exhibit(figure: Figure, name: str, caption: str, alt: str, data: pd.DataFrame) -> Exhibit:
    """Turn a drawn figure into an exhibit: SVG with text as text, embedded as an image with its alt text."""
    buffer = io.BytesIO()
    if right_to_left(current()):
        _isolate(figure)
    _write_numbers(figure)
    margins.arrange(figure)
    for axes in figure.axes:
        if axes in _YEARS:
            _light_ticks(axes)
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    # Text is drawn in whichever of these the reader's machine has.
    svg = buffer.getvalue().replace(b"'DejaVu Sans'", b"'DejaVu Sans','Segoe UI',Arial,sans-serif")
    source = base64.b64encode(svg).decode("ascii")
    html = (
        f'<figure id="{escape(name)}"><img alt="{escape(alt, quote=True)}" src="data:image/svg+xml;base64,{source}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )
    return Exhibit("figure", name, caption, alt, html, data)


_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufefc]")


def _isolate(figure: Figure) -> None:
    """Let every word of a chart that holds letters from right to left run that way as a whole.

    Matplotlib joins such letters when it measures and browsers when they draw; without a mark, though, a text with
    numbers in it would run from left to right.
    """
    for text in figure.findobj(Text):
        words = text.get_text()
        if _RIGHT_TO_LEFT.search(words):
            text.set_text("\n".join(f"\u2067{line}\u2069" for line in words.split("\n")))


def _write_numbers(figure: Figure) -> None:
    """Let every axis of numbers that no chart has given a form of its own show them as readers write them."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            if isinstance(axis.get_major_formatter(), ScalarFormatter):
                axis.set_major_formatter(lambda value, _: number(value, 4))


def whole_years(axis: Axis, at_most: int = 6) -> None:
    """Give an axis of time whole years, without a mark of thousands."""
    axis.set_major_locator(MaxNLocator(nbins=at_most, integer=True))
    axis.set_major_formatter(lambda value, _: f"{value:.0f}")


def stacked_bars(axes: Axes, counts: pd.DataFrame, colours: Sequence[str], hatches: Sequence[str]) -> None:
    """Draw one bar for each row of counts, a piece for each column, rows from the top; pale pieces get an edge."""
    left = np.zeros(len(counts))
    for kind, colour, hatch in zip(counts.columns, colours, hatches, strict=True):
        edge = "#a8b0b8" if hatch == ".." else "white"
        axes.barh(
            counts.index,
            counts[kind],
            left=left,
            color=colour,
            hatch=hatch,
            edgecolor=edge,
            linewidth=0.8,
            label=retold(kind),
        )
        left += counts[kind].to_numpy()
    axes.invert_yaxis()
    axes.grid(axis="x", color="#e4e8ec")
    axes.grid(visible=False, axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def name_panel(axes: Axes, label: str, unit: str, width: int = 36, pad: float = 6.0) -> None:
    """Write what a panel shows above it, `pad` points away, and the unit beside it."""
    axes.set_title(textwrap.fill(label, width), pad=pad, y=1.0)
    axes.set_ylabel(textwrap.shorten(plain_unit(unit), 34, placeholder="…"), fontsize=8, color="#57606a")


def year_axis(axes: Axes) -> None:
    """Give a panel whole years, few numbers, and numbers as readers write them."""
    whole_years(axes.xaxis)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5))
    axes.yaxis.set_major_formatter(lambda value, _: number(value, 4))
    axes.tick_params(labelsize=TICK_LABEL, length=TICK, pad=TICK_PAD)
    _YEARS.add(axes)


def _light_ticks(axes: Axes) -> None:
    """Draw grid, ticks and numbers of a finished panel with few artists: Matplotlib makes five for every tick."""
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    away = TICK + TICK_PAD
    looks = (
        (axes.xaxis, axes.get_xaxis_transform(), TICKDOWN, {"ha": "center", "va": "top"}, (0, -away)),
        (axes.yaxis, axes.get_yaxis_transform(), TICKLEFT, {"ha": "right", "va": "center_baseline"}, (-away, 0)),
    )
    for axis, transform, mark, stand, (right, up) in looks:
        numbers = margins.numbers(axis)
        places = np.array([place for place, _ in numbers])
        edge = np.zeros(len(places))
        x, y = (places, edge) if axis is axes.xaxis else (edge, places)
        axes.plot(x, y, linestyle="none", marker=mark, markersize=TICK, color="black", markeredgewidth=0.8,
                  transform=transform, clip_on=False)  # fmt: skip
        moved = transform + ScaledTranslation(right / margins.DPI, up / margins.DPI, axes.figure.dpi_scale_trans)
        for at, below, (_, text) in zip(x, y, numbers, strict=True):
            axes.text(at, below, text, fontsize=TICK_LABEL, transform=moved, **stand)
        if axis is axes.yaxis:
            grid_lines = [[(0, place), (1, place)] for place in places]
            axes.add_collection(LineCollection(grid_lines, colors=STYLE["grid.color"], linewidths=0.8, zorder=0.5,
                                               transform=transform), autolim=False)  # fmt: skip
        axis.set_major_locator(NullLocator())


def points_of(table: pd.DataFrame) -> pd.DataFrame:
    """Return every value of a table with the key of its series and its place in time."""
    series = as_series(table)
    return series.points.join(series.keys[SERIES], on="row")


def broken(t: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the points of a line that is interrupted where periods are left out.

    Parameters
    ----------
    t, value : array, shape (n,)
        Places in time, ascending, and values, none missing.

    Returns
    -------
    t, value : array
        With a NaN between points that lie more than one and a half usual spacings apart: a value that is missing or
        suppressed is not drawn as one that lies between its neighbours.
    """
    steps = np.diff(t)
    after = np.flatnonzero(steps > 1.5 * np.median(steps)) + 1 if len(steps) > 1 else []
    return np.insert(np.asarray(t, float), after, np.nan), np.insert(np.asarray(value, float), after, np.nan)


def label_of(definitions: pd.DataFrame) -> dict[tuple[str, str, str], str]:
    """Return the label of each (indicator, series, unit)."""
    return {(row.indicator, row.series, row.unit): row.label for row in definitions.itertuples()}


def lookup(row: pd.Series) -> tuple[str, str, str]:
    """Return (indicator, series, unit) of a row."""
    return row["indicator"], row["series"], row["unit"]


def is_series(table: pd.DataFrame, key: tuple[str, str, str]) -> pd.Series:
    """Mask of the rows of one (indicator, series, unit)."""
    indicator, series, unit = key
    return (table["indicator"] == indicator) & (table["series"] == series) & (table["unit"] == unit)
