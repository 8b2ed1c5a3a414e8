"""progress.py: three readings, when they can be given, and the projection."""

import numpy as np
import pytest

from vlr_analysis import progress

SCORES = {3: ["on track"], 2: ["some progress"], 1: ["stagnating", "moving away"]}
CLASSES = {
    "target met": "on track", "significant progress": "on track", "moderate progress": "some progress",
    "insufficient progress": "stagnating", "no progress": "stagnating", "movement away": "moving away",
    "moderate movement away": "moving away", "significant movement away": "moving away",
}  # fmt: skip


def test_sdg_progress_expected_r(oracle):
    """sdg_progress_expected_R.json: ratios and classes of UN, Eurostat, SDSN, ESCAP and ISTAT, every case."""
    cases = oracle("sdg_progress_expected_R.json")["cases"]
    assert len(cases) == 11
    for case in cases:
        has = isinstance(case["target"], int | float)
        sign = np.array([1 if case["direction"] == "up" else -1])
        base, last = (np.array([float(case[k])]) for k in ("base", "value"))
        years, to_go = (np.array([float(n)]) for n in (case["year"] - case["base_year"], 2030 - case["year"]))
        target = np.array([float(case["target"]) if has else np.nan])
        arguments = (base, last, years, target, to_go, sign)
        assert progress.growth_rate(base, last, years)[0] == pytest.approx(case["cagr_actual"], rel=1e-9)
        un, eurostat = progress.un_reading(*arguments), progress.eurostat_reading(*arguments)
        further = progress.further_readings(*arguments)
        assert further["istat_percent"][0] == pytest.approx(100 * sign[0] * case["cagr_actual"], rel=1e-9, abs=1e-12)
        if not has:
            assert un[1][0] in SCORES[case["un_no_target_score"]], case["id"]
            assert eurostat[1][0] == CLASSES[case["eurostat_no_target_5class"]], case["id"]
            continue
        assert un[0][0] == pytest.approx(case["un_ratio"], rel=1e-9, abs=1e-12)
        assert un[1][0] in SCORES[case["un_score"]], case["id"]
        assert eurostat[0][0] == pytest.approx(case["eurostat_ratio"], rel=1e-9, abs=1e-12)
        assert eurostat[1][0] == CLASSES[case["eurostat_class"]], case["id"]
        assert further["sdsn_ratio"][0] == pytest.approx(case["sdsn_ratio"], rel=1e-9, abs=1e-12)
        assert further["escap_index"][0] == pytest.approx(case["escap_csi"], rel=1e-9, abs=1e-12)
        slope = np.array([case["linear_rate"]])
        linear, _ = progress.linear_reading(slope, slope, slope, base, years, target, to_go, sign)
        assert linear[0] == pytest.approx(case["linear_rate"] / case["linear_required"], rel=1e-9, abs=1e-12)


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


def test_a_verdict_that_the_base_year_decides_is_not_settled(observations, definitions):
    values = {2008 + k: 40 * 1.03**k for k in range(16)} | {2014: 90.0}
    table = observations({("1.1.1", ""): values})
    row = progress.progress_table(table, definitions(table, "increase")).iloc[0]
    assert (row["default"], row["base_after"], row["base_before"]) == ("on track", "on track", "readings disagree")
    assert (row["verdict"], row["flips"]) == ("not settled", "from the year before the base readings disagree")
