"""The benchmark compares like with like: both sides give the same numbers, and the committed ratios keep their bars."""

import sys

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import bench
import bench_import


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


def test_the_committed_benchmark_of_the_import_is_of_this_reader_and_no_slower_than_the_loop():
    """Each ratio at least 1; both sides give the same table; the counts are those that the reader gives now."""
    told = pd.read_csv(bench_import.OUT).set_index("repository")
    assert list(told.columns) == ["files", "observations", "ratio", "ratio_of_medians", "repeats"]
    assert (told[["ratio", "ratio_of_medians"]] >= 1).all(axis=None)
    assert (told["repeats"] >= 5).all()
    if not bench_import.SOURCES.is_dir():
        pytest.skip("no ../shared/sources/open-sdg beside the project: the counts cannot be compared")
    assert set(told.index) == {folder.name for folder in bench_import.SOURCES.iterdir()}
    for name, row in told.iterrows():
        now = bench_import.measured(bench_import.SOURCES / name, repeats=1)
        assert (row["files"], row["observations"]) == (now["files"], now["observations"])


def test_the_benchmark_of_the_import_fails_where_the_tables_differ(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "indicator_1-1-1.csv").write_text("Year,Sex,Value\n2019,,1\n2020,,2\n", encoding="utf-8")
    assert bench_import.measured(tmp_path, repeats=1)["observations"] == 2
    whole = bench_import.pandas_loop
    monkeypatch.setattr(bench_import, "pandas_loop", lambda folder: whole(folder).head(1))
    with pytest.raises(AssertionError):
        bench_import.measured(tmp_path, repeats=1)
