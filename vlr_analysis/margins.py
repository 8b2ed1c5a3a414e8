"""Room around the panels of a chart: margins from the sizes of its words, in one pass, without drawing it first."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

DPI = 72  # points are pixels
LINE = 1.25  # height of a line of text, in sizes of its letters
APART = 6.0  # points between a panel with its words and the next, or the edge
LABEL_PAD = 4.0  # points between the numbers of an axis and its own label


@lru_cache(maxsize=1)
def _renderer() -> RendererAgg:
    return RendererAgg(1, 1, DPI)


@lru_cache(maxsize=8192)
def _text_size(text: str, size: float, weight: str | int = "normal") -> tuple[float, float]:
    """Return width and height of a text, in points."""
    font, lines = FontProperties(size=size, weight=weight), text.split("\n")
    width = max(_renderer().get_text_width_height_descent(line, font, False)[0] for line in lines)
    return float(width), len(lines) * LINE * size if text else 0.0


def arrange(figure: Figure) -> None:
    """Give every panel of a figure its place: panels of one size, room for all words, legends below.

    Parameters
    ----------
    figure : Figure
        Of `DPI` dots an inch. Its panels stand in one grid; its own legends below all of them.

    Notes
    -----
    Matplotlib's layouts draw a chart twice or three times to measure it. Words of titles are wrapped before and may
    be as wide as they are.
    """
    panels, (width, height) = figure.axes, figure.get_size_inches() * DPI
    if not panels:
        return
    spans = [panel.get_subplotspec() for panel in panels]
    rows, columns = spans[0].get_gridspec().get_geometry()
    around = np.zeros((max(rows, columns), 4))  # left, right of each column; above, below each row
    for panel, span in zip(panels, spans, strict=True):
        row, column = span.rowspan.start, span.colspan.start
        needs = _around(panel, 0.5 * width / columns)
        around[column, :2] = np.maximum(around[column, :2], needs[:2])
        around[row, 2:] = np.maximum(around[row, 2:], needs[2:])
    under = sum((legend.get_window_extent(_renderer()).height for legend in figure.legends), 0.0)
    wide = max((width - around[:columns, :2].sum() - APART * (columns + 1)) / columns, 40.0)
    high = max((height - under - around[:rows, 2:].sum() - APART * (rows + 1)) / rows, 20.0)
    for panel, span in zip(panels, spans, strict=True):
        row, column = span.rowspan.start, span.colspan.start
        x = around[:column, :2].sum() + around[column, 0] + APART * (column + 1) + wide * column
        y = height - around[:row, 2:].sum() - around[row, 2] - (APART + high) * (row + 1)
        panel.set_position((x / width, y / height, wide / width, high / height))
        panel.yaxis.set_label_coords(-(_beside(panel.yaxis) + LABEL_PAD) / wide, 0.5)
        panel.xaxis.set_label_coords(0.5, -(_beside(panel.xaxis) + LABEL_PAD) / high)


def _around(panel: Axes, wide: float) -> tuple[float, float, float, float]:
    """Return the room that a panel about so wide needs at its left, its right, above and below, in points."""
    left, right, numbers = _beside(panel.yaxis), 0.0, _beside(panel.xaxis)
    above, below = (numbers, 0.0) if panel.xaxis.get_ticks_position() == "top" else (0.0, numbers)
    for axis in (panel.xaxis, panel.yaxis):
        label = axis.label.get_text()
        room = LABEL_PAD + _text_size(label, axis.label.get_fontsize())[1] if label else 0.0
        left, below = (left, below + room) if axis is panel.xaxis else (left + room, below)
    for place, (width, _) in _numbers(panel.xaxis):
        left, right = max(left, width / 2 - place * wide), max(right, width / 2 - (1 - place) * wide)
    for text in panel.texts:  # those that begin inside and run on beyond the edge
        if text.get_ha() == "left" and text.get_transform() == panel.transData:
            place = _share(panel.xaxis, text.get_position()[0])
            right = max(right, _text_size(text.get_text(), text.get_fontsize())[0] - (1 - place) * wide)
    title = panel.get_title(loc="left")
    if title:
        size = FontProperties(size=rcParams["axes.titlesize"]).get_size_in_points()
        above += _text_size(title, size, "bold")[1] + panel.titleOffsetTrans.get_matrix()[1, 2]
    legend = panel.get_legend()
    if legend:
        box, anchor = legend.get_window_extent(_renderer()), legend.get_bbox_to_anchor()
        away = legend.borderaxespad * legend.get_texts()[0].get_fontsize()
        if anchor.x0 >= panel.bbox.x1 - 1:
            right = max(right, away + box.width)
        elif anchor.y0 <= panel.bbox.y0 + 1:
            below = max(below, away + box.height)
    return left, right, above, below


def _beside(axis: Axis) -> float:
    """Return the room that the numbers or names at an axis take beside it, in points."""
    side, tick = int(axis.axis_name == "x"), axis.get_major_ticks(1)[0]
    padding = tick.get_pad() + tick.get_tick_padding()
    return padding + max((size[side] for _, size in _numbers(axis)), default=0.0)


def numbers(axis: Axis) -> list[tuple[float, str]]:
    """Return place, in the units of the axis, and text of every number or name that stands at an axis."""
    places = axis.get_majorticklocs()
    texts = axis.get_major_formatter().format_ticks(places)
    return [(at, text) for at, text in zip(places, texts, strict=True) if -0.001 <= _share(axis, at) <= 1.001]


def _numbers(axis: Axis) -> list[tuple[float, tuple[float, float]]]:
    """Return place (0 to 1) and size (points) of every number or name that stands at an axis."""
    size = axis.get_major_ticks(1)[0].label1.get_fontsize()
    return [(_share(axis, at), _text_size(text, size)) for at, text in numbers(axis)]


def _share(axis: Axis, place: float) -> float:
    """Return where on an axis a place lies: 0 at the left or lower end, 1 at the other."""
    low, high = axis.get_view_interval()
    return (place - low) / (high - low)
