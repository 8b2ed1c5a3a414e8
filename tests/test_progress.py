"""progress.py: three readings, when they can be given, and the projection."""

import numpy as np
import pytest

from vlr_analysis import progress


def test_sdg_progress_expected_r(oracle):
    """sdg_progress_expected_R.json: UN, Eurostat, linear and SDSN ratios of worked cases."""
    compared = 0
    for case in oracle("sdg_progress_expected_R.json")["cases"]:
        if case.get("target") in (None, "NA") or not isinstance(case["target"], int | float) or case.get("limit"):
            continue
        if min(case["base"], case["value"], case["target"]) <= 0:
            continue
        sign = np.array([1 if case["direction"] == "up" else -1])
        ends = [np.array([float(case[k])]) for k in ("base", "value")]
        years = np.array([float(case["year"] - case["base_year"])])
        to_go, target = np.array([float(case["target_year"] - case["year"])]), np.array([float(case["target"])])
        arguments = (*ends, years, target, to_go, sign)
        for name, reading in (("un_ratio", progress.un_reading), ("eurostat_ratio", progress.eurostat_reading)):
            if isinstance(case.get(name), float):
                assert reading(*arguments)[0][0] == pytest.approx(case[name], rel=1e-9), (case["id"], name)
                compared += 1
        if isinstance(case.get("sdsn_ratio"), float) and "sdsn" not in case.get("note", ""):
            assert progress.further_readings(*arguments)["sdsn_ratio"][0] == pytest.approx(
                case["linear_rate"] / case["linear_required"], rel=1e-9
            )
    assert compared >= 6


def one(table, known, **options):
    return progress.progress_table(table, known, **options).iloc[0]


def test_zero_target_gets_the_linear_pace_alone(observations, definitions):
    """Base 10, 5 after 7 years, target 0: the linear ratio is 1.07 whatever a surrogate would say."""
    table = observations({("1.1.1", ""): {2015 + k: 10 - 5 * k / 7 for k in range(8)}})
    row = one(table, definitions(table, target=0.0))
    assert row["linear_ratio"] == pytest.approx(15 / 14)
    assert (row["un"], row["eurostat"]) == ("", "")
    assert "above zero" in row["reason"]


@pytest.mark.parametrize(("target", "verdict"), [(40.0, "target met"), (10.0, "no verdict"), (90.0, "moving away")])
def test_target_met_equal_to_base_and_far(observations, definitions, target, verdict):
    rising = {2015 + k: 10.0 + 5 * k for k in range(8)}
    table = observations({("1.1.1", ""): rising})
    known = definitions(table, "increase", target=target)
    if verdict == "moving away":
        table = observations({("1.1.1", ""): {year: 55 - value for year, value in rising.items()}})
    assert one(table, known)["verdict"] == verdict


def test_unknown_direction_tells_only_the_change(observations, definitions):
    table = observations({("1.1.1", ""): {2015 + k: 10.0 + k for k in range(8)}})
    row = one(table, definitions(table, ""))
    assert row["verdict"] == "no verdict"
    assert row["reason"] == "the desired direction is not stated"
    assert (row["un"], row["linear"]) == ("", "")
    assert (row["base_value"], row["last_value"]) == (10, 17)


def test_base_is_the_first_year_after_where_the_baseline_is_missing(observations, definitions):
    table = observations({("1.1.1", ""): {2012: 1, 2013: 2, 2017: 3, 2018: 4, 2019: 5, 2020: 6}})
    assert one(table, definitions(table))["base_period"] == "2017"


def test_readings_that_disagree_get_no_common_word(observations, definitions):
    values = {2015: 10.0, 2016: 20.0, 2017: 20.5, 2018: 20.2, 2019: 20.6, 2020: 20.1, 2021: 9.0}
    table = observations({("1.1.1", ""): values})
    row = one(table, definitions(table, "increase"))
    assert row["agree"] == "no"
    assert row["verdict"] == "readings disagree"


def test_a_share_is_projected_below_a_hundred_with_an_interval(observations, definitions):
    table = observations({("1.1.1", ""): {2008 + k: 90 + 0.9 * k + 0.1 * (-1) ** k for k in range(11)}})
    row = one(table, definitions(table, "increase", "logit", lower=0.0, upper=100.0, target=99.9))
    assert row["projection_low"] < row["projection"] < row["projection_high"] < 100
    assert 0 <= row["probability"] <= 1


def test_five_points_give_a_projection_without_interval(observations, definitions):
    table = observations({("1.1.1", ""): {2015 + k: 10.0 + k + 0.2 * (k % 2) for k in range(6)}})
    row = one(table, definitions(table))
    assert np.isfinite(row["projection"])
    assert np.isnan(row["projection_low"])


def test_paths_end_where_the_table_says(observations, definitions):
    table = observations({("1.1.1", ""): {2005 + k: 10.0 + k + 0.3 * (k % 3) for k in range(15)}})
    known = definitions(table)
    end = progress.projection_paths(table, known).iloc[-1]
    assert [end["fit"], end["low"]] == pytest.approx(list(one(table, known)[["projection", "projection_low"]]))
