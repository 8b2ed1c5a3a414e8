"""inequality.py: measures between groups, against R (healthequal, lm), by hand, and at the edges."""

import numpy as np
import pytest

from vlr_analysis import inequality as iq

# Names in the oracle -> ours.
NAMES = {
    "d": "difference", "r": "ratio", "bgv": "bgv", "bgsd": "bgsd", "covar": "cov", "ti": "theil", "mld": "mld",
    "idisw": "idis", "idisu": "idis_unweighted", "mdmw": "mean_gap", "mdbw": "mean_gap_best", "par": "par",
    "paf": "paf", "aci": "aci", "rci": "rci", "gini_pop_weighted_R": "gini",
}  # fmt: skip


def measured(case):
    y, people = np.array(case["estimate"], float), np.array(case["population"], float)
    sign, mean = (1 if case["favourable"] else -1), iq.weighted_mean(y, people)
    return iq.all_measures(y, people, mean, sign, ordered=case.get("ordered", False)), mean


def test_disparity_expected_r(oracle):
    """disparity_expected_R.json: WHO healthequal 1.0.1 (its intervals of ti, mld, paf are mis-scaled)."""
    inputs = {case["id"]: case for case in oracle("disparity_inputs.json")}
    compared = 0
    for want in oracle("disparity_expected_R.json")["results"]:
        got, mean = measured(inputs[want["id"]])
        if "weighted_mean" in want:
            assert mean == pytest.approx(want["weighted_mean"], rel=1e-9)
        for theirs, ours in NAMES.items():
            value = want.get(theirs)
            value = value["estimate"] if isinstance(value, dict) else value
            if value is not None:
                assert got[ours] == pytest.approx(value, rel=1e-9, abs=1e-9), (want["id"], theirs)
                compared += 1
        if want["id"] == "pub_districts5_zero":
            assert np.isnan(got["ratio"]), "nothing can be divided by zero"
        if want["id"] == "pub_sex2_unemp":
            assert np.isnan(got["theil"]), "two groups"
    assert compared >= 80


def test_convergence_expected_r(oracle):
    """convergence_expected_R.json: lm of annualised log growth on initial log level; sd of logs by year."""
    for case in oracle("convergence_expected_R.json")["cases"]:
        got = iq.convergence(np.array(case["years"], float), np.array(case["matrix_rows"]))
        for name in ("beta", "beta_se", "beta_p", "sigma_slope", "sigma_p"):
            theirs = "sigma_slope_p" if name == "sigma_p" else name
            assert got[name] == pytest.approx(case[theirs], rel=1e-9), name
        assert got["sigma"] == pytest.approx(case["sigma_sdlog"], rel=1e-9)
        assert got["converging"]


def test_regression_to_the_mean_is_not_called_convergence():
    """Groups that only wobble about fixed levels: beta is below zero in most, sigma has no trend."""
    rng = np.random.default_rng(6)
    levels = np.linspace(40, 60, 10)[:, None]
    told = [iq.convergence(np.arange(8.0), levels + rng.normal(0, 8, (10, 8)).clip(-30, 30)) for _ in range(200)]
    assert np.mean([found["beta"] < 0 for found in told]) > 0.8
    assert np.mean([found["beta_p"] < 0.05 for found in told]) > 0.3
    assert np.mean([found["converging"] and found["sigma_p"] < 0.05 for found in told]) < 0.06


def test_measures_by_hand():
    y, people = np.array([10.0, 20.0, 30.0]), np.array([1.0, 1.0, 2.0])  # mean 22.5
    got = iq.all_measures(y, people, iq.weighted_mean(y, people), 1, ordered=True)
    assert (got["difference"], got["ratio"], got["par"]) == (20, 3, 7.5)
    assert got["bgv"] == pytest.approx(0.25 * 12.5**2 + 0.25 * 2.5**2 + 0.5 * 7.5**2)
    assert got["idis"] == pytest.approx(100 * (0.25 * 12.5 + 0.25 * 2.5 + 0.5 * 7.5) / 22.5)
    # Ranks .125, .375, .75 with shares .25, .25, .5: sum p (2R - 1) y.
    assert got["aci"] == pytest.approx(0.25 * -0.75 * 10 + 0.25 * -0.25 * 20 + 0.5 * 0.5 * 30)
    assert got["sii"] == pytest.approx(np.polyfit([0.125, 0.375, 0.75], y, 1, w=np.sqrt([0.25, 0.25, 0.5]))[0])


def test_adverse_indicators_have_a_par_below_zero_or_none():
    y, people = np.array([10.0, 20.0, 30.0]), np.ones(3)
    assert iq.all_measures(y, people, np.array(20.0), -1)["par"] == -10
    assert iq.all_measures(y, people, np.array(5.0), -1)["par"] == 0, "every group is worse than the published mean"
    assert np.isnan(iq.all_measures(y, people, np.array(20.0), 0)["par"])


@pytest.mark.parametrize(("missing", "given"), [(1, True), (2, False)])
def test_measures_over_all_groups_need_most_of_them(missing, given):
    y = np.arange(1.0, 9.0)
    y[:missing] = np.nan
    got = iq.overall_measures(y, np.ones(8))
    assert np.isfinite(got["theil"]) == given
    assert np.isfinite(iq.simple_measures(y)["difference"])


def test_zeros_negatives_and_missing_populations():
    mixed = iq.simple_measures(np.array([-2.0, 3.0]))
    assert (mixed["difference"], np.isnan(mixed["ratio"])) == (5, True)
    assert np.isnan(iq.overall_measures(np.array([-1.0, 2.0, 5.0]), np.ones(3))["theil"])
    assert np.isfinite(iq.overall_measures(np.array([0.0, 2.0, 5.0]), np.ones(3))["theil"])
    assert np.isnan(iq.overall_measures(np.array([1.0, 2.0, 5.0]), np.array([1.0, np.nan, 1.0]))["theil"])
    assert np.isnan(iq.overall_measures(np.zeros(4), np.ones(4))["theil"]), "no relative measure about a mean of zero"
    assert iq.overall_measures(np.zeros(4), np.ones(4))["bgv"] == 0


@pytest.mark.parametrize("truth", [np.linspace(50, 80, 8), np.linspace(60, 66, 8), np.full(8, 60.0)])
def test_bootstrap_intervals_cover_also_where_groups_are_alike(monkeypatch, truth):
    """Percentile intervals cover a Theil index of equal groups never; these must cover in at least 90 of 100."""
    monkeypatch.setattr(iq, "DRAWS", 300)
    rng, people = np.random.default_rng(9), np.ones(8)

    def measure(values):
        return iq.all_measures(values, people, iq.weighted_mean(values, people), 1)

    true = {name: float(value[0]) for name, value in measure(truth[None]).items()}
    covered = dict.fromkeys(true, 0)
    for draw in range(150):
        y = truth + rng.normal(0, 3, 8)
        for name, (low, high) in iq.bootstrap_interval(y, np.full(8, 3.0), measure, seed=draw).items():
            assert low <= float(measure(y[None])[name][0]) <= high or name in ("paf", "par")
            covered[name] += low - 1e-9 <= true[name] <= high + 1e-9
    assert min(covered.values()) >= 0.88 * 150, covered


def test_no_standard_errors_no_interval():
    got = iq.bootstrap_interval(np.array([1.0, 2.0]), np.full(2, np.nan), iq.simple_measures)
    assert np.isnan(got["difference"]).all()
