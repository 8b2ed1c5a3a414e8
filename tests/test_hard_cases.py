"""Series that break statistics: each is judged by every analysis, and each has a stated outcome, never a crash."""

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import covid, progress, trends

YEARS = list(range(2008, 2024))


def judged(table, known, **options):
    """Trend, progress and both recovery readings of the one series of a table."""
    return (
        trends.trend_table(table, known).iloc[0],
        progress.progress_table(table, known, **options).iloc[0],
        covid.covid_table(table, known).iloc[0],
    )


def test_uneven_years_are_positions_in_time(observations, definitions):
    years = [2000, 2001, 2005, 2006, 2010, 2013, 2014, 2016, 2018, 2020, 2021, 2023]
    table = observations({("1.1.1", ""): {y: 100 - 2.0 * (y - 2000) for y in years}})
    trend, ahead, shock = judged(table, definitions(table, target=20.0))
    assert trend["slope_per_year"] == pytest.approx(-2)
    assert ahead["projection"] == pytest.approx(40, abs=1e-6)
    assert ahead["linear_ratio"] == pytest.approx(-2 / ((20 - 68) / 14))  # the base is the first year after 2015
    assert shock["path_counterfactual"] == pytest.approx(100 - 2 * 21), "2023 lies beyond three years"


def test_ties_take_the_asymptotic_test_and_stay_finite(observations, definitions):
    values = [5, 5, 6, 6, 6, 7, 7, 8, 8, 8, 9, 9, 9, 10, 10, 10]
    table = observations({("1.1.1", ""): dict(zip(YEARS, map(float, values), strict=True))})
    trend, _, _ = judged(table, definitions(table))
    assert trend["default"] == "robust trend"
    assert 0 < trend["p"] < 1e-5


def test_all_values_equal_are_no_trend_no_shock_and_no_division(observations, definitions):
    table = observations({("1.1.1", ""): dict.fromkeys(YEARS, 7.0)})
    trend, ahead, shock = judged(table, definitions(table, target=5.0))
    assert (trend["verdict"], trend["slope_per_year"]) == ("no clear trend", 0)
    assert ahead["verdict"] == "stagnating"
    assert (shock["level_verdict"], shock["path_verdict"]) == ("no clear shock", "no clear shock")
    assert shock["gap_path"] == pytest.approx(0, abs=1e-12)


def test_zeros_are_values(observations, definitions):
    values = [3, 0, 2, 0, 1, 0, 0, 2, 0, 1, 0, 0, 9, 0, 1, 0]
    table = observations({("1.1.1", ""): dict(zip(YEARS, map(float, values), strict=True))})
    trend, ahead, shock = judged(table, definitions(table, target=0.0))
    assert trend["n"] == len(YEARS)
    assert (ahead["un"], ahead["eurostat"]) == ("", ""), "no growth rate from or to zero"
    assert shock["n_before"] == 12
    assert np.isfinite(shock["gap_path"])


def test_negative_values_and_a_change_of_sign(observations, definitions):
    table = observations({("1.1.1", ""): {y: -4.0 + 0.5 * (y - 2008) + 0.1 * (y % 2) for y in YEARS}})
    trend, ahead, _ = judged(table, definitions(table, "increase", target=7.0))
    assert trend["movement"] == "towards the goal"
    assert (ahead["un"], ahead["eurostat"]) == ("", "")
    assert ahead["linear"] == "on track"


@pytest.mark.parametrize("direction", ["increase", "decrease"])
def test_target_already_met(observations, definitions, direction):
    sign = 1 if direction == "increase" else -1
    table = observations({("1.1.1", ""): {y: 50 + sign * 2.0 * (y - 2008) for y in YEARS}})
    _, ahead, _ = judged(table, definitions(table, direction, target=50.0 + sign * 10))
    assert ahead["verdict"] == "target met"


def test_target_equal_to_the_baseline_gives_no_ratio(observations, definitions):
    table = observations({("1.1.1", ""): {y: 50 - 1.0 * abs(y - 2015) for y in YEARS}})
    _, ahead, _ = judged(table, definitions(table, "increase", target=50.0))
    assert (ahead["verdict"], ahead["reason"]) == ("no verdict", "the target equals the base value")
    assert np.isnan(ahead["linear_ratio"])


def test_zero_target_is_read_by_the_linear_pace_alone(observations, definitions):
    table = observations({("1.1.1", ""): {y: 30 - 1.0 * (y - 2008) for y in YEARS}})
    _, ahead, _ = judged(table, definitions(table, target=0.0))
    assert ahead["linear_ratio"] == pytest.approx(15 / 23)
    assert "only the linear pace" in ahead["reason"] or ahead["verdict"] == "not settled"


@pytest.mark.parametrize(("start", "slope"), [(97.0, 0.19), (2.9, -0.17)])
def test_shares_near_their_bounds_stay_inside_them(observations, definitions, start, slope):
    table = observations({("1.1.1", ""): {y: start + slope * (y - 2008) + 0.01 * (y % 3) for y in YEARS}})
    known = definitions(table, "increase", "logit", lower=0.0, upper=100.0)
    _, ahead, shock = judged(table, known)
    assert 0 < ahead["projection_low"] < ahead["projection_high"] < 100
    assert 0 < shock["path_counterfactual"] < 100
    assert shock["path_verdict"] in ("no clear shock", "cannot tell")


def test_shares_of_exactly_zero_or_a_hundred_leave_the_logit_scale(observations, definitions):
    values = [90, 93, 95, 97, 98, 99, 99.5, 100, 100, 100, 100, 100, 100, 100, 100, 100]
    table = observations({("1.1.1", ""): dict(zip(YEARS, map(float, values), strict=True))})
    known = definitions(table, "increase", "logit", lower=0.0, upper=100.0)
    _, ahead, shock = judged(table, known)
    assert np.isfinite(ahead["projection"])
    assert shock["path_verdict"] == "cannot tell"
    assert (
        "possible range" in shock["path_reason"] or "range seen before" in shock["path_reason"] or shock["path_reason"]
    )


def test_a_break_starts_the_series_again(observations, definitions):
    values = {y: (10.0 if y < 2014 else 60.0) + 0.05 * ((7 * y) % 5) for y in YEARS}
    table = observations({("1.1.1", ""): values}, status={"2014": "break"})
    trend, ahead, shock = judged(table, definitions(table))
    assert (trend["first"], trend["verdict"]) == ("2014", "no clear trend")
    assert ahead["base_period"] == "2015"
    assert shock["path_reason"] == shock["level_reason"] == "the series has a break"


def test_a_series_from_2020_on_as_a_change_from_a_base(observations, definitions):
    months = {f"{2020 + k // 12}-{k % 12 + 1:02d}": (0.0 if k < 2 else -0.4 * np.exp(-(k - 2) / 6)) for k in range(48)}
    table = observations({("8.5.2", ""): months}, unit="change relative to January 2020, proportion")
    _, _, shock = judged(table, definitions(table, "increase", lower=-1.0))
    assert (shock["kind"], shock["level"]) == ("since base", 0)
    assert shock["depth"] == pytest.approx(-0.4)
    assert shock["rebound"] > 0.99
    assert (shock["level_verdict"], shock["path_verdict"]) == ("recovered", "cannot tell")
    assert shock["loss"] == pytest.approx(-0.4 / (1 - np.exp(-1 / 6)) / 12, rel=0.01)


def test_a_verdict_that_hangs_on_one_year_is_graded_down(observations, definitions):
    """A slow rise that a jump in the last year puts on track by every reading."""
    values = {y: 50 + 0.1 * (y - 2008) for y in YEARS} | {2023: 65.0}
    table = observations({("1.1.1", ""): values})
    ahead = progress.progress_table(table, definitions(table, "increase"))
    row = ahead.iloc[0]
    assert (row["un"], row["eurostat"], row["linear"], row["default"]) == ("on track",) * 4
    assert (row["without_last"], row["verdict"]) == ("readings disagree", "not settled")
    assert row["reason"] == "on track; but without the last year readings disagree"
    told = progress.progress_sensitivity(ahead)
    assert list(told["flips"]) == ["without the last year readings disagree"]


def test_recovery_sensitivity_shows_every_choice(observations, definitions):
    rng = np.random.default_rng(4)
    path = {y: 50 + rng.normal() for y in range(2005, 2024)}
    for year in range(2020, 2024):
        path[year] += 15
    table = observations({("1.1.1", ""): path})
    result = covid.covid_table(table, definitions(table))
    told = covid.covid_sensitivity(result).set_index("reading")
    assert list(told.index) == ["level", "path"]
    assert (told.loc["path", "window_5"], told.loc["path", "ordinary"]) == ("line only", "not yet")
    assert told.loc["path", ["window_8", "window_10", "without_first", "without_last"]].eq("not yet").all()
    assert told.loc["level", ["two_years", "earlier_year"]].eq("not yet").all()
    assert told.loc["level", "window_8"] == ""
    assert (told["verdict"] == "not yet").all()


def test_a_recovery_verdict_that_the_year_before_decides_is_graded_down(observations, definitions):
    """2019 was an odd year: against it the city is behind, against the year before it is ahead."""
    path = {y: 50 + 0.2 * ((3 * y) % 5) for y in range(2005, 2020)} | {2019: 62.0, 2020: 20.0, 2021: 55.0, 2022: 55.5}
    table = observations({("1.1.1", ""): path})
    row = covid.covid_table(table, definitions(table, "increase")).iloc[0]
    told = covid.covid_sensitivity(covid.covid_table(table, definitions(table, "increase"))).set_index("reading")
    assert told.loc["level", "earlier_year"] != told.loc["level", "default"]
    assert row["level_verdict"] == "cannot tell"


def test_nothing_is_imputed(observations, definitions):
    """A missing year changes neither the count of values nor the values that are told."""
    values = {y: 20 + 0.3 * (y - 2008) + 0.1 * (y % 4) for y in YEARS}
    gap = {y: v for y, v in values.items() if y != 2014}
    whole, holed = (observations({("1.1.1", ""): v}) for v in (values, gap))
    first, second = (trends.trend_table(t, definitions(t)).iloc[0] for t in (whole, holed))
    assert (first["n"], second["n"]) == (16, 15)
    missing = pd.concat([holed, whole[whole["period"] == "2014"].assign(value=np.nan, status="missing")])
    third = trends.trend_table(missing, definitions(missing)).iloc[0]
    assert third["slope_per_year"] == second["slope_per_year"]
