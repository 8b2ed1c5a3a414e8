"""Lines, segmented regressions and counts against R, on the series of ../shared/oracles."""

import numpy as np
import pandas as pd
import pytest
from conftest import ORACLES

from vlr_analysis import counterfactual, regression, trends

IDENTITY = ("identity", float("nan"), float("nan"))
COVID = ("pub_n24_covid_dip", "pub_n24_covid_scar", "pub_n13_covid_short")


@pytest.fixture
def annual(oracle):
    """Series of annual_series.json with what R says of them, by id."""
    inputs = {item["id"]: item for item in oracle("annual_series.json")}
    return {want["id"]: (inputs[want["id"]], want) for want in oracle("annual_expected_R.json")["results"]}


def ordinary(design, y):
    """Ordinary least squares by the kit's own fit: no correlation allowed, n - p degrees of freedom."""
    n, p = design.shape
    return regression.gls_ar1(design[None], y[None], np.ones((1, n - 1)), ceiling=0.0, df=n - p)


def test_annual_ols_and_its_prediction_of_2030(annual):
    """annual_expected_R.json, ols and ols_pred2030: lm(values ~ years), predict(interval = "prediction")."""
    compared = 0
    for series, want in annual.values():
        if (
            "ols_pred2030" not in want
            or not isinstance(want["ols_pred2030"].get("pi_lo"), float)
            or len(series["values"]) < 4
        ):
            continue
        t, y = np.array([series["years"]], float), np.array([series["values"]], float)
        path = counterfactual.fit_path(t, y, np.array([[2030.0]]), "A", IDENTITY, correlated=False)
        assert path.fit.coefficients[0, 1] == pytest.approx(want["ols"]["slope"], rel=1e-9, abs=1e-9)
        assert np.sqrt(path.fit.covariance[0, 1, 1]) == pytest.approx(want["ols"]["se"], rel=1e-9, abs=1e-12)
        got = (path.mean[0, 0], *(bound[0, 0] for bound in path.interval()))
        assert got == pytest.approx([want["ols_pred2030"][k] for k in ("fit", "pi_lo", "pi_hi")], rel=1e-9, abs=1e-9)
        compared += 1
    assert compared >= 15


@pytest.mark.parametrize("name", COVID)
def test_annual_counterfactual_and_placebos(annual, name):
    """annual_expected_R.json, counterfactual_pre2020_ols and placebo_one_step: predict on the years before."""
    series, want = annual[name]
    t, y = np.array([series["years"]], float), np.array([series["values"]], float)
    before = t[0] < 2020
    path = counterfactual.fit_path(t[:, before], y[:, before], t[:, ~before], "A", IDENTITY, correlated=False)
    low, high = path.interval()
    expected = want["counterfactual_pre2020_ols"]
    for got, key in ((path.mean, "fit"), (low, "pi_lo"), (high, "pi_hi"), (y[:, ~before] - path.mean, "gap")):
        assert got[0] == pytest.approx(expected[key], rel=1e-9, abs=1e-9)
    for placebo in want["placebo_one_step"]:
        place = series["years"].index(placebo["year"])
        path = counterfactual.fit_path(t[:, :place], y[:, :place], t[:, [place]], "A", IDENTITY, correlated=False)
        got = [path.mean[0, 0], *(bound[0, 0] for bound in path.interval())]
        assert got == pytest.approx([placebo[k] for k in ("fit", "lo", "hi")], rel=1e-9)


@pytest.mark.parametrize("name", COVID)
def test_annual_level_and_slope(annual, name):
    """annual_expected_R.json, its_level_slope: lm with a step and a change of slope at 2020."""
    series, want = annual[name]
    years, y = np.array(series["years"], float), np.array(series["values"], float)
    after = (years >= 2020).astype(float)
    design = np.column_stack([np.ones_like(years), years - years[0], after, after * (years - 2020)])
    fit = ordinary(design, y)
    assert fit.coefficients[0] == pytest.approx(want["its_level_slope"]["coef"], rel=1e-8, abs=1e-8)
    assert np.sqrt(np.diagonal(fit.covariance[0])) == pytest.approx(want["its_level_slope"]["se"], rel=1e-8)


def test_annual_hamed_rao(annual):
    """annual_expected_R.json, modifiedmk_mmkh (all lags): p, NaN where R's variance is below zero."""
    compared = 0
    for series, want in annual.values():
        told = want.get("modifiedmk_mmkh")
        if not told or not want["regular"] or len(set(series["values"])) < len(series["values"]):
            continue
        t, y = np.array([series["years"]], float), np.array([series["values"]], float)
        p = trends.hamed_rao_p(t, y)[0]
        if isinstance(told["new P-value"], float):
            assert p == pytest.approx(told["new P-value"], rel=1e-9), series["id"]
        else:
            assert np.isnan(p), series["id"]
        compared += 1
    assert compared >= 8


@pytest.fixture
def sicily(oracle):
    """Lopez Bernal 2017, and the columns of its models."""
    want = oracle("its_sicily_expected_R.json")
    data = pd.read_csv(ORACLES / "its_sicily_ace.csv")
    turn = 2 * np.pi * data["time"].to_numpy() / 12
    season = {"sin1": np.sin(turn), "cos1": np.cos(turn), "sin2": np.sin(2 * turn), "cos2": np.cos(2 * turn)}
    columns = {"(Intercept)": np.ones(len(data)), "smokban": data["smokban"].to_numpy(float),
               "time": data["time"].to_numpy(float), **season,
               "ts": data["smokban"].to_numpy() * (data["time"].to_numpy() - 36.0)}  # fmt: skip
    return want, data, columns


@pytest.mark.parametrize("model", ["model2_quasipoisson_step", "model3_quasipoisson_season", "model4_add_slope"])
def test_sicily_counts(sicily, model):
    """its_sicily_expected_R.json: glm(quasipoisson) with log(stdpop) as offset; published step 0.894."""
    want, data, columns = sicily
    design = np.column_stack([columns[term] for term in want[model]["terms"]])
    found = counterfactual.quasi_poisson(data["aces"].to_numpy(float), design, data["stdpop"].to_numpy())
    # R stops its iterations at 1e-8 of the deviance, ours at another point of the same descent.
    assert found.params == pytest.approx(want[model]["coef"], rel=1e-6)
    assert found.bse == pytest.approx(want[model]["se"], rel=1e-5)
    # R takes the weights of its last iteration but one for the dispersion.
    assert found.scale == pytest.approx(want[model]["dispersion"], rel=1e-5)


def test_sicily_rates(sicily):
    """its_sicily_expected_R.json, model 6 (lm) and model 7 (gls AR(1) REML: phi below zero, where ours stops at 0)."""
    want, data, columns = sicily
    y = (data["aces"] / data["stdpop"] * 1e5).to_numpy()
    told = want["model6_ols_rate"]
    design = np.column_stack([columns[term] for term in told["terms"]])
    fit = ordinary(design, y)
    assert fit.coefficients[0] == pytest.approx(told["coef"], rel=1e-9)
    assert np.sqrt(np.diagonal(fit.covariance[0])) == pytest.approx(told["se"], rel=1e-9)
    correlated = regression.gls_ar1(design[None], y[None], np.ones((1, len(y) - 1)))
    reml = want["model7_gls_ar1_reml"]
    assert reml["phi"] < 0
    assert correlated.phi[0] < 0.2, "the correction for bias moves it up by p / n"
    assert correlated.coefficients[0] == pytest.approx(reml["coef"], rel=0.35)


@pytest.fixture
def deaths(oracle):
    """Monthly deaths in England and Wales, with R's columns: trend and month effects."""
    want = oracle("its_ew_deaths_expected_R.json")
    data = pd.read_csv(ORACLES / "its_ew_deaths_causalpy.csv")
    months = np.stack([(data["month"] == m).to_numpy(float) for m in range(2, 13)], axis=1)
    design = np.column_stack([np.ones(len(data)), data["t"], months])
    return want, data, design, data["pre"].astype(str).str.lower().eq("true").to_numpy()


def test_deaths_expected_excess_and_its_interval(deaths):
    """its_ew_deaths_expected_R.json, lm_t_month: expected deaths, prediction intervals, excess with its error."""
    want, data, design, before = deaths
    told, y = want["lm_t_month"], data["deaths"].to_numpy(float)
    fit = ordinary(design[before], y[before])
    assert fit.coefficients[0] == pytest.approx(told["coef"], rel=1e-9)
    model = counterfactual.Path(
        design[~before][None] @ fit.coefficients[0], np.full((1, (~before).sum()), fit.sigma2[0]),
        design[~before][None], IDENTITY, fit, design[~before][None],
    )  # fmt: skip
    low, high = model.interval()
    assert model.mean[0] == pytest.approx(told["expected"], rel=1e-9)
    assert low[0] == pytest.approx(told["pi_lo"], rel=1e-9)
    assert high[0] == pytest.approx(told["pi_hi"], rel=1e-9)
    excess = (y[~before] - model.mean[0]).sum()
    assert excess == pytest.approx(told["excess_total"], rel=1e-9)
    months = (~before).sum()
    assert months * model.of_mean(months).se[0, 0] == pytest.approx(told["excess_total_se"], rel=1e-9)


def test_deaths_counts_and_correlation(deaths):
    """its_ew_deaths_expected_R.json: quasi-Poisson with days as offset; gls AR(1) by REML, phi 0.087, loosely."""
    want, data, design, before = deaths
    told, y = want["quasipoisson_t_month_daysoffset"], data["deaths"].to_numpy(float)
    days = pd.to_datetime(data["date"]).dt.days_in_month.to_numpy(float)
    found = counterfactual.quasi_poisson(y[before], design[before], days[before])
    assert found.params == pytest.approx(told["coef"], rel=1e-6, abs=1e-9)
    assert found.scale == pytest.approx(told["dispersion"], rel=1e-5)
    assert found.predict(design[~before], offset=np.log(days[~before])) == pytest.approx(told["expected"], rel=1e-6)
    reml = want["gls_ar1_reml_pre"]
    ours = regression.gls_ar1(design[before][None], y[before][None], np.ones((1, before.sum() - 1)))
    assert ours.coefficients[0] == pytest.approx(reml["coef"], rel=5e-3)
    assert ours.phi[0] == pytest.approx(reml["phi"], abs=0.1)
