"""links.py: rank correlation across places, with exact and seeded permutation p-values."""

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import covid, links


def measures(**columns):
    frame = pd.DataFrame(columns, index=[f"city-{i}" for i in range(len(next(iter(columns.values()))))])
    return frame.rename_axis("unit_id").reset_index().melt("unit_id", var_name="measure", value_name="value")


def test_correlation_expected_r(oracle):
    """correlation_expected_R.json: cor.test(method = "spearman"), exact for few values."""
    for case in oracle("correlation_expected_R.json")["cases"]:
        row = links.link_table(measures(a=case["x"], b=case["y"])).iloc[0]
        assert row["rho"] == pytest.approx(case["spearman"]["est"], abs=1e-9)
        # Exact in R below 10 values; above, R approximates by an Edgeworth series.
        p, exact = case["spearman"]["p"], len(case["x"]) < 10 and len(set(case["x"])) == len(case["x"])
        draws = 4 * np.sqrt(p * (1 - p) / 9999)
        assert row["p"] == pytest.approx(p, abs=draws if exact else draws + 0.01)


def test_seven_places_are_exact():
    row = links.link_table(measures(a=range(7), b=range(7))).iloc[0]
    assert row["p"] == pytest.approx(2 / 5040)
    assert row["verdict"] == "moved together"


def test_five_places_are_refused():
    assert len(links.link_table(measures(a=range(5), b=range(5)))) == 0


def test_unrelated_measures_are_rarely_linked():
    rng = np.random.default_rng(4)
    table = links.link_table(measures(**{f"m{i}": rng.normal(size=12) for i in range(12)}))
    assert len(table) == 66
    assert (table["verdict"] != "no clear link").mean() < 0.05
    assert (table["p"] < 0.05).mean() == pytest.approx(0.05, abs=0.06)


def test_seed_decides_the_draws():
    rng = np.random.default_rng(5)
    data = measures(a=rng.normal(size=10), b=rng.normal(size=10))
    assert links.link_table(data, seed=1).equals(links.link_table(data, seed=1))
    assert not links.link_table(data, seed=1).equals(links.link_table(data, seed=2))


def test_series_that_fell_deeper_and_recovered_less_are_linked(observations, definitions):
    """Ten series with the same movement, deeper falls with smaller rebounds: the two rank in opposite ways."""
    rng = np.random.default_rng(6)
    rows = {}
    for k in range(10):
        depth, left = 5 * 1.6**k, 0.05 + 0.09 * k
        values = {y: 500 + rng.normal(0, 0.5) for y in range(2008, 2020)}
        rows[(f"1.{k}.1", "")] = values | {
            2020: 500 - depth,
            2021: 500 - depth * (1 + left) / 2,
            2022: 500 - depth * left,
        }
    table = observations(rows)
    known = definitions(table, "increase")
    measured = links.recovery_measures(covid.covid_table(table, known), table, known)
    assert set(measured["measure"]) == {"depth of the fall", "rebound", "progress before"}
    assert measured["unit_id"].nunique() == 10
    found = links.link_table(measured).set_index(["measure", "second_measure"])
    row = found.loc[("depth of the fall", "rebound")]
    assert row["rho"] < -0.8
    assert row["verdict"] == "moved in opposite ways"
    rising = definitions(table, "decrease")
    assert len(links.recovery_measures(covid.covid_table(table, rising), table, rising)) == 0, "nothing fell behind"
