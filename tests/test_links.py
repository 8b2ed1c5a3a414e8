"""links.py: rank correlation across places, with exact and seeded permutation p-values."""

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import links


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
