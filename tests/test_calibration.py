"""The error rates of every default: a small run keeps its bars, and the committed study covers what it must."""

import sys
from functools import partial

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import calibration

STUDY = ROOT / "docs" / "methods" / "calibration.csv"
SMALL = {
    "trend, phi 0": partial(calibration.trend_cell, 15, 0.0, 3000),
    "trend, phi .5": partial(calibration.trend_cell, 10, 0.5, 3000),
    "trend, five years": partial(calibration.trend_cell, 5, 0.3, 3000),
    "coverage, phi 0": partial(calibration.annual_cell, 10, 0.0, 2000),
    "coverage, phi .6": partial(calibration.annual_cell, 15, 0.6, 2000),
    "shock, random walk": partial(calibration.annual_cell, 10, calibration.WALK, 2000),
    "months, phi .8": partial(calibration.monthly_cell, 96, 0.8, 300),
    "recovery, yearly": partial(calibration.recovery_cell, "A", 10, 0.3, 2000),
    "recovery, monthly": partial(calibration.recovery_cell, "M", 96, 0.3, 150),
    "links": partial(calibration.links_cell, 7, 5, 100),
    "inequality": partial(calibration.inequality_cell, 5, 0.5, 60),
    "pooling": partial(calibration.pooled_cell, 5, 0.3, 300),
}


@pytest.mark.parametrize("name", SMALL)
def test_a_small_run_keeps_its_bars(name):
    table = pd.DataFrame(list(SMALL[name]()), columns=calibration.COLUMNS)
    assert table[["at_least", "at_most"]].notna().any(axis=None), "this cell would pass whatever it measured"
    late = calibration.misses(table, tolerance=3.0)
    assert late.empty, late.to_string()


def test_a_worse_rate_would_miss_its_bar():
    made = calibration.row("trend", "A", 10, 0.5, "robust trend, false positives", 0.12, 3000, at_most=0.07)
    low = calibration.row("recovery", "A", 10, 0.5, "path", 0.85, 3000, at_least=0.95)
    table = pd.DataFrame([made, low], columns=calibration.COLUMNS)
    assert len(calibration.misses(table, tolerance=3.0)) == 2


@pytest.fixture(scope="module")
def study():
    return calibration.committed()


def test_the_committed_study_keeps_its_bars(study):
    assert len(study) > 900
    late = calibration.misses(study)
    assert late.empty, late.to_string()


def test_the_committed_study_covers_every_default(study):
    processes = {f"phi {phi:g}" for phi in calibration.PHIS} | {calibration.WALK}
    wanted = [("trend", "A", calibration.ANNUAL), ("shock", "A", calibration.ANNUAL[1:])]
    wanted += [("counterfactual", "A", calibration.ANNUAL), ("shock", "M", calibration.MONTHLY)]
    for name, freq, lengths in wanted:
        rows = study[(study["study"] == name) & (study["freq"] == freq)]
        for n in lengths:
            assert processes <= set(rows.loc[rows["n"] == n, "process"]), (name, freq, n)
    for size in (1, 2, 3):
        assert study["quantity"].str.fullmatch(f"clear shock, power at {size} SD").sum() >= 30
    assert {"links", "recovery", "inequality", "pooled"} <= set(study["study"])


def test_power_grows_with_the_shock(study):
    """A table that was mixed up would hardly keep this order."""
    rows = study[(study["study"] == "shock") & study["quantity"].str.startswith("clear shock, power")]
    wide = rows.pivot_table(index=["freq", "n", "process"], columns="quantity", values="rate")
    assert (np.diff(wide.to_numpy(), axis=1) > -0.03).all()


def test_the_page_shows_the_committed_study(study):
    text = (STUDY.parent / "calibration.md").read_text(encoding="utf-8")
    assert text.endswith(calibration.MARK + "\n\n" + calibration.markdown(study))
    for name in ("trend-false-positives", "line-coverage", "shock-yearly", "shock-monthly", "recovery-right"):
        assert f"({name}.svg)" in text
        assert (STUDY.parent / f"{name}.svg").stat().st_size > 5000


def test_the_appendix_quotes_the_committed_study(study):
    text = (STUDY.parent / "README.md").read_text(encoding="utf-8")
    speed = pd.read_csv(STUDY.parent / "benchmark.csv")
    assert calibration.appendix(text, study, speed) == text
    worse = study.assign(rate=study["rate"] * 0.9)
    assert calibration.appendix(text, worse, speed) != text


def test_any_cell_can_be_repeated_alone():
    first = pd.DataFrame(calibration.trend_cell(8, 0.3, 200))
    list(calibration.trend_cell(10, 0.3, 50))
    assert first.equals(pd.DataFrame(calibration.trend_cell(8, 0.3, 200)))
