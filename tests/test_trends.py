"""trends.py: against scipy on any series, against R on the oracle's, and by its error rates."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from vlr_analysis import trends
from vlr_analysis.observations import empty
from vlr_analysis.regression import ar1_phi


def series_of(data):
    return np.array([data["years"]], float), np.array([data["values"]], float)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(-9, 9)), min_size=5, max_size=25, unique_by=lambda p: p[0]))
def test_equal_to_scipy_with_ties_and_gaps(points):
    t, y = np.array(sorted(points), float).T
    got = trends.trend_statistics(t[None], y[None])
    line = stats.theilslopes(y, t)
    assert [got.slope[0], got.intercept[0]] == pytest.approx([line.slope, line.intercept], abs=1e-12)
    if np.ptp(y) == 0:
        assert np.isnan(got.tau[0])
        return
    assert [got.low[0], got.high[0]] == pytest.approx([line.low_slope, line.high_slope], abs=1e-12)
    method = "exact" if len(set(y)) == len(y) else "asymptotic"
    test = stats.kendalltau(t, y, method=method)
    assert [got.tau[0], got.p[0]] == pytest.approx([test.statistic, test.pvalue], abs=1e-12)


def test_annual_expected_r_kendall_and_sen(oracle):
    """annual_expected_R.json: R's cor.test(method = "kendall"), trend::sens.slope on real years."""
    inputs = {item["id"]: item for item in oracle("annual_series.json")}
    compared = 0
    for want in oracle("annual_expected_R.json")["results"]:
        got = trends.trend_statistics(*series_of(inputs[want["id"]]))
        assert got.slope[0] == pytest.approx(want["sen_slope_years"], rel=1e-9, abs=1e-9)
        if isinstance(want["mk_test_trend"].get("S"), int | float):
            assert got.s[0] == want["mk_test_trend"]["S"]
        p = want["kendall_cor"].get("p")
        if isinstance(p, float) and want["kendall_cor"]["exact"]:
            assert got.p[0] == pytest.approx(p, rel=1e-9)
            compared += 1
        elif isinstance(p, float):
            # R's cor.test without exact = TRUE: the asymptotic p, ties in the variance.
            assert got.p[0] == pytest.approx(p, rel=1e-9)
            compared += 1
    assert compared >= 17


@pytest.mark.parametrize("name", ["BH", "BY"])
def test_fdr_expected_r(oracle, name):
    """fdr_expected_R.json: p.adjust, first vector from Benjamini and Hochberg 1995, section 4.1."""
    adjust = {"BH": trends.benjamini_hochberg, "BY": trends.benjamini_yekutieli}[name]
    for case in oracle("fdr_expected_R.json")["cases"]:
        assert adjust(np.array(case["p"])) == pytest.approx(case[name], abs=1e-9)


def test_adjusted_p_leaves_out_what_was_not_tested():
    got = trends.benjamini_hochberg(np.array([0.01, np.nan, 0.04]))
    assert got[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(got[1])


@pytest.mark.parametrize(("phi", "most"), [(0.0, 0.045), (0.5, 0.085)])
def test_robust_trends_are_rarely_seen_where_there_is_none(phi, most):
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(4000, 15))
    y = noise.copy()
    y[:, 0] /= np.sqrt(1 - phi**2)
    for i in range(1, 15):
        y[:, i] = phi * y[:, i - 1] + noise[:, i]
    t = np.broadcast_to(np.arange(15.0), y.shape)
    got = trends.trend_statistics(t, y)
    rate = ((got.p < 0.05) & (got.p_ar1 < 0.05)).mean()
    assert 0.005 < rate < most


def test_pieces_give_the_same_as_the_whole(monkeypatch):
    rng = np.random.default_rng(1)
    t, y = np.broadcast_to(np.arange(9.0), (50, 9)), rng.normal(size=(50, 9))
    whole = trends.trend_statistics(t, y)
    monkeypatch.setattr(trends, "_PAIRS_AT_A_TIME", 100)
    parts = trends.trend_statistics(t, y)
    assert np.array_equal(whole.p_ar1, parts.p_ar1)
    assert np.array_equal(whole.low, parts.low)


def verdict(table, definitions=None):
    return trends.trend_table(table, definitions).iloc[0]


def test_four_values_are_refused_with_the_number(observations):
    row = verdict(observations({("1.1.1", ""): {2019: 1, 2020: 2, 2021: 3, 2022: 4}}))
    assert row["verdict"] == "cannot tell"
    assert "4 yearly values" in row["reason"]
    assert np.isnan(row["slope_per_year"])


def test_a_steady_rise_is_robust_and_read_by_direction(observations, definitions):
    table = observations(
        {("1.1.1", ""): {year: 10 + 0.5 * (year - 2005) + 0.1 * (-1) ** year for year in range(2005, 2024)}}
    )
    down, up = definitions(table), definitions(table, "increase")
    assert verdict(table, down)["verdict"] == "robust trend"
    assert verdict(table, down)["movement"] == "away from the goal"
    assert verdict(table, up)["movement"] == "towards the goal"
    assert verdict(table, definitions(table, ""))["movement"] == ""


def test_equal_values_are_no_trend_and_zeros_are_values(observations):
    row = verdict(observations({("1.1.1", ""): dict.fromkeys(range(2010, 2020), 0.0)}))
    assert (row["verdict"], row["reason"], row["slope_per_year"]) == ("no clear trend", "every value is the same", 0)


def test_missing_years_are_gaps_in_time_not_points(observations):
    years = [2005, 2006, 2010, 2011, 2012, 2020]
    table = observations({("1.1.1", ""): {year: 2.0 * year for year in years}})
    assert verdict(table)["slope_per_year"] == pytest.approx(2.0)


def test_months_become_means_of_complete_years(observations):
    months = {f"{2012 + k // 12}-{k % 12 + 1:02d}": 5 + (k % 12) for k in range(8 * 12 + 5)}
    row = verdict(observations({("1.1.1", ""): months}))
    assert (row["n"], row["last"], row["slope_per_year"]) == (8, "2019", 0)
    assert "complete calendar years" in row["note"]


def test_pooled_years_that_overlap_are_thinned_from_the_latest(observations):
    pooled = {f"{year}-01-01/P3Y": float(year) for year in range(2001, 2021)}
    row = verdict(observations({("1.1.1", ""): pooled}))
    assert (row["n"], row["last"], row["first"]) == (7, "2020-01-01/P3Y", "2002-01-01/P3Y")


def test_a_series_begins_at_its_last_break(observations):
    values = {year: (0.0 if year < 2015 else 50.0) + 0.01 * ((year * 7) % 5) for year in range(2005, 2024)}
    row = verdict(observations({("1.1.1", ""): values}, status={"2015": "break"}))
    assert (row["first"], row["n"]) == ("2015", 9)
    assert row["verdict"] == "no clear trend"


def test_sensitivity_sees_a_trend_that_hangs_on_2020(observations, definitions):
    values = {2014: 5.0, 2015: 5.3, 2016: 5.1, 2017: 5.4, 2018: 5.2, 2019: 5.5, 2020: 9.0}
    steady = {year: float(year - 2010) + 0.1 * (year % 3) for year in range(2003, 2020)}
    table = trends.trend_table(observations({("1.1.1", ""): values, ("1.2.1", ""): steady}))
    hangs, holds = (row for _, row in trends.trend_sensitivity(table).iterrows())
    assert (hangs["default"], hangs["without_2020"]) == ("trend not robust", "no clear trend")
    assert "without 2020" in hangs["flips"]
    assert (holds["flips"], holds["verdict"], holds["without_2020"]) == ("", "robust trend", "robust trend")


def test_a_robust_trend_that_one_choice_flips_is_graded_down(observations):
    rng = np.random.default_rng(7)
    graded = 0
    for _ in range(40):
        values = dict(zip(range(2008, 2020), np.arange(12) * 0.22 + rng.normal(size=12), strict=True))
        row = trends.trend_table(observations({("1.1.1", ""): values})).iloc[0]
        if row["default"] == "robust trend":
            assert row["verdict"] == ("trend not robust" if row["flips"] else "robust trend")
            if row["flips"]:
                graded += 1
                assert row["reason"].startswith("does not hold ")
    assert graded


def test_an_empty_table_gives_an_empty_result(definitions):
    assert len(trends.trend_table(empty(), definitions(empty()))) == 0
    assert len(trends.trend_sensitivity(trends.trend_table(empty()))) == 0


def test_families_are_corrected_apart(observations):
    rng = np.random.default_rng(3)
    total = {year: float(v) for year, v in zip(range(2005, 2015), np.arange(10) + rng.normal(0, 3, 10), strict=True)}
    groups = {
        ("1.1.1", f"sex={k}"): {year: float(v) for year, v in zip(range(2005, 2015), rng.normal(size=10), strict=True)}
        for k in "abcdef"
    }
    alone = trends.trend_table(observations({("1.1.1", ""): total}))
    among = trends.trend_table(observations({("1.1.1", ""): total, **groups}))
    assert among.loc[among["breakdown"] == "", "q"].iloc[0] == pytest.approx(alone["q"].iloc[0])
    assert isinstance(among, pd.DataFrame)


def test_sens_interval_covers_what_it_says():
    rng = np.random.default_rng(8)
    t = np.broadcast_to(np.arange(20.0), (3000, 20))
    got = trends.trend_statistics(t, 0.3 * t + rng.normal(size=t.shape))
    assert ((got.low <= 0.3) & (got.high >= 0.3)).mean() == pytest.approx(0.95, abs=0.015)


def test_phi_is_corrected_for_its_bias_from_five_points_on():
    residuals = np.array([[1.0, 0.5, -0.5, -1.0, 0.0]])
    raw = (1 * 0.5 - 0.5 * 0.5 + 0.5) / (1 + 0.25 + 0.25 + 1)
    assert ar1_phi(residuals, 2, 0.99)[0] == pytest.approx(min(5 * raw + 2, 0.99))
    assert ar1_phi(residuals, 1, 0.99)[0] == pytest.approx((5 * raw + 1) / 2 if (5 * raw + 1) / 2 < 0.99 else 0.99)
    assert ar1_phi(residuals[:, :4], 2, 0.99)[0] == 0, "four points leave nothing to estimate it from"


def test_variance_inflation_is_the_sum_that_the_appendix_gives():
    phi, n = np.array([0.0, 0.3, 0.9]), 12
    k = np.arange(1, n)
    assert trends._inflation(phi, n) == pytest.approx(1 + 2 * ((1 - k / n) * phi[:, None] ** k).sum(axis=1))
