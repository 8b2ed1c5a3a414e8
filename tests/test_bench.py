"""The benchmark compares like with like: both sides give the same numbers, and the committed ratios keep their bars."""

import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import bench


@pytest.mark.parametrize(
    ("table", "loop", "points"),
    [(bench.trend_table, bench.trend_loop, bench.POINTS),
     (bench.counterfactual_table, bench.counterfactual_loop, bench.BEFORE + 1)],
)  # fmt: skip
def test_the_table_says_what_the_loop_of_the_usual_packages_says(table, loop, points):
    """pymannkendall and scipy; statsmodels with Prais-Winsten by hand: equal to 1e-9."""
    t, y = bench.made(np.random.default_rng(1), 25, points)
    assert table(t, y) == pytest.approx(loop(t, y), rel=1e-9, abs=1e-9)


def test_the_committed_benchmark_keeps_its_bars():
    told = pd.read_csv(bench.OUT)
    fast = told[told["quantity"] == "times faster than a loop"].set_index("what")
    assert list(fast["bar"]) == [300, 50]
    assert (fast["value"] >= fast["bar"]).all()
    assert (fast["series"] == 10_000).all()
    rest = told[told["quantity"] != "times faster than a loop"]
    assert (rest["value"] <= rest["bar"]).all()
    assert told["kept"].all()
