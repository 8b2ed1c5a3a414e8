"""Short cuts change no result: what is skipped had nothing to hide, and margins reckoned from words hold them all."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from vlr_analysis import disclosure, drawing, margins
from vlr_analysis.observations import COLUMNS

UNITS = ("people", "%", "per 100,000", "widgets", "£")
SERIES = ("claims", "resident population", "rate of claims")


def table_of(rng: np.random.Generator, small: float) -> pd.DataFrame:
    """Return a table of one area, in which a share of the values is below ten."""
    rows = []
    for series in rng.choice(SERIES, rng.integers(1, 3), replace=False):
        unit = str(rng.choice(UNITS))
        for period in ("2019", "2020"):
            for breakdown in ("", "sex=female", "sex=male"):
                value = float(rng.integers(0, 9) if rng.random() < small else rng.integers(10, 1000))
                status = "suppressed" if rng.random() < small / 4 else "value"
                shown = np.nan if status == "suppressed" else value
                rows.append(("a", "x.1", str(series), unit, period, breakdown, shown, np.nan, np.nan, status, "s"))
    return pd.DataFrame(rows, columns=list(COLUMNS))


@pytest.mark.parametrize("small", [0.0, 0.02, 0.2])
def test_a_table_that_needs_no_desk_hides_nothing_at_one_either(small, monkeypatch):
    tables = [table_of(np.random.default_rng([seed, int(100 * small)]), small) for seed in range(60)]
    quick = [disclosure.protect(table) for table in tables]
    skipped = sum(disclosure.nothing_small(table, 5) for table in tables)
    monkeypatch.setattr(disclosure, "nothing_small", lambda table, threshold: False)
    for table, (shown, log) in zip(tables, quick, strict=True):
        whole, whole_log = disclosure.protect(table)
        pd.testing.assert_frame_equal(shown, whole)
        pd.testing.assert_frame_equal(log, whole_log, check_dtype=False)
    assert skipped > 20 if not small else skipped < 60  # both ways are walked


@drawing.styled
def chart(count: int):
    figure, panels = drawing.grid(count, columns=2, height=2.4)
    for number, axes in enumerate(panels):
        axes.plot([2001, 2020], [1.0, 10.0 ** (number + 1)], label="a group with quite a long name")
        drawing.name_panel(axes, "A measure whose name takes up two lines above its panel", "people per year")
        if number % 2:
            axes.set_yticks([1.0, 10.0], ["a name that is long\nand broken", "short"])
            axes.set_xlabel("a word below")
        else:
            drawing.year_axis(axes)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=2.8)
    figure.legend(loc="lower center", ncols=3)
    return figure, panels


@pytest.mark.parametrize("count", [1, 2, 5])
def test_margins_hold_all_words(count):
    figure, panels = chart(count)
    margins.arrange(figure)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer, (width, height) = canvas.get_renderer(), figure.bbox.size
    boxes = [axes.get_tightbbox(renderer, for_layout_only=True) for axes in panels]
    for box in boxes:
        assert box.x0 >= -1 and box.x1 <= width + 1 and box.y0 >= -1 and box.y1 <= height + 1
    for place, box in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart = box.x1 <= other.x0 + 1 or other.x1 <= box.x0 + 1 or box.y1 <= other.y0 + 1 or other.y1 <= box.y0 + 1
            assert apart, "the words of two panels overlap"
    legend = figure.legends[0].get_window_extent(renderer)
    assert all(box.y0 >= legend.y1 - 1 for box in boxes), "the legend stands on a panel"
