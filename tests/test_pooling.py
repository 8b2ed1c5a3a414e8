"""pooling.py: which effects are pooled, with which errors, and what is told of them."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vlr_analysis import catalogue, figures_places, pooling, statements_places

NAMES = {f"c{n}": f"City {n}" for n in range(6)}


def shocked(areas, gap=2.0, *, duration="P1Y", freq="A", kind="annual", n=10, width=1.0, unit="%", series="rate"):
    """Rows as of covid.covid_table: one headline series in each area."""
    gaps = np.broadcast_to(gap, len(areas))
    rows = {"area": list(areas), "indicator": "1.1.1", "series": series, "unit": unit, "breakdown": "", "freq": freq,
            "duration": duration, "kind": kind, "n_before": n, "path_verdict": "not yet"}  # fmt: skip
    for name in pooling.EFFECTS.values():
        rows |= {name: gaps, f"{name}_low": gaps - width, f"{name}_high": gaps + width}
    return pd.DataFrame(rows)


def pool(*parts):
    table = pd.concat(parts, ignore_index=True)
    definitions = table[["indicator", "series", "unit"]].drop_duplicates().assign(label="A rate")
    return pooling.pooled_table(table, definitions, list(NAMES))


def test_a_city_with_a_monthly_and_a_yearly_series_counts_once():
    three = list(NAMES)[:3]
    month = {"duration": "P1M", "freq": "M", "kind": "seasonal", "n": 120}
    effects, means = pool(shocked(three, 1.0), shocked(three, 3.0, **month))
    assert means["cities"].tolist() == [3, 3]
    assert means["mean"].to_numpy() == pytest.approx(3)  # of as many cities the finer
    assert not effects.duplicated(["area", "effect_of"]).any()


def test_the_frequency_that_more_cities_give_is_pooled_and_none_is_mixed():
    month = {"duration": "P1M", "freq": "M", "kind": "seasonal", "n": 120}
    _, means = pool(shocked(list(NAMES)[:4], 1.0), shocked(list(NAMES)[2:5], 3.0, **month))
    assert (means["cities"].tolist(), means["mean"].tolist()) == ([4, 4], pytest.approx([1, 1]))


def test_errors_come_from_the_quantile_that_made_the_interval():
    three = list(NAMES)[:3]
    effects, _ = pool(shocked(three, n=7))
    assert effects["se"].to_numpy() == pytest.approx(1 / 2.776445, rel=1e-5)  # t(4)
    seasonal, _ = pool(shocked(three, n=7, kind="seasonal", freq="M", duration="P1M"))
    assert seasonal["se"].to_numpy() == pytest.approx(1 / 1.959964, rel=1e-5)
    few, _ = pool(shocked(three, n=3))
    assert few["se"].to_numpy() == pytest.approx(1 / 12.7062, rel=1e-5)  # t(1) at least


def test_totals_are_not_pooled():
    _, means = pool(
        shocked(NAMES, unit="£ million"), shocked(NAMES, unit="people"), shocked(NAMES, unit="£", series="weekly pay")
    )
    assert means["unit"].unique().tolist() == ["£"]
    assert len(pool(shocked(NAMES, unit="tonnes"))[1]) == 0


@pytest.mark.parametrize(
    ("unit", "series"),
    [
        ("people", "CalFresh enrolment"), ("£ million", "Air pollution regulating"), ("tonnes of CO2", "emissions"),
        ("gallons per day", "water used"), ("GWh", "electricity"), ("million boardings", "transport"), ("deaths", ""),
        ("€ billion per year", "budget"), ("m³", "average daily water use"), ("km²", "parkland"),
    ],
)  # fmt: skip
def test_what_grows_with_the_place_is_a_total(unit, series):
    assert catalogue.is_total(unit, series)


@pytest.mark.parametrize(
    ("unit", "series"),
    [
        ("%", "people in work"), ("deaths per 100,000", "mortality"), ("µg/m³", "PM2.5"), ("£", "weekly pay"),
        ("Tonnes of CO2 equivalent", "emissions (tco2e) per capita"), ("US$", "GDP per capita"), ("minutes", "waiting"),
        ("gallons per day", "average daily water use per person"), ("kWh per meter point", "gas"), ("ratio", ""),
        ("cases per million", "infections"), ("kWh", "median of homes"), ("km/h", "speed of buses"), ("mm", "rain"),
        ("£ per hour", "pay"), ("years", "life expectancy"), ("as published", "Prescribed LARC rate"),
    ],
)  # fmt: skip
def test_rates_levels_and_concentrations_are_no_totals(unit, series):
    assert not catalogue.is_total(unit, series)


def test_p_is_that_of_the_interval_and_q_is_over_all_pools():
    rng = np.random.default_rng(3)
    _, means = pool(*(shocked(NAMES, rng.normal(0, 1, 6), series=f"rate {n}") for n in range(20)))
    assert ((means["p"] <= 0.05) == ((means["low"] > 0) | (means["high"] < 0))).all()
    assert means["q"].to_numpy() == pytest.approx(stats.false_discovery_control(means["p"]))


def test_chance_among_many_pools_is_not_told():
    rng = np.random.default_rng(5)
    noise = [shocked(NAMES, rng.normal(0, 1, 6), width=2.0, series=f"rate {n}") for n in range(40)]
    _, means = pool(*noise)
    assert (means["p"] <= 0.05).sum() >= 1  # some intervals leave out zero
    assert statements_places.pooled_findings(means, "6 cities", NAMES) == []
    _, means = pool(*noise, shocked(NAMES, rng.normal(9, 0.5, 6), series="real"))
    found = statements_places.pooled_findings(means, "6 cities", NAMES)
    assert {finding.series for finding in found} == {"real"}
    assert "one further city" not in found[0].statement
    assert found[0].statement.endswith(").")
    assert found[0].numbers["q"] <= 0.05


def test_without_effects_both_tables_are_empty():
    effects, means = pool(shocked(NAMES, np.nan))
    assert (len(effects), len(means)) == (0, 0)
    assert {"q", "p", "duration"} <= set(means.columns)


def test_the_forest_names_what_its_line_for_one_further_city_leaves_out(monkeypatch):
    effects, means = pool(shocked(NAMES, [1.0, 2.0, 3.0, 2.0, 2.5, 1.5]))
    mine = effects[effects["effect_of"] == "gap to the path"]
    monkeypatch.setattr(figures_places, "as_exhibit", lambda figure, *_: figure.axes[0].get_legend_handles_labels()[1])
    labels = figures_places.forest(mine, means.iloc[1], NAMES, "A rate", "%")
    assert "interval for the effect in one further city, without its own error" in labels
