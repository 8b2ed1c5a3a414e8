"""disparities.py: whom averages hide, on planted tables, with suppressed, missing and unweighted groups."""

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import disparities
from vlr_analysis.observations import empty

YEARS = range(2010, 2024)


def by_district(**slopes):
    """A share that rises by the slope of each district, and the total as their mean."""
    rng = np.random.default_rng(12)
    rows = {
        ("1.1.1", f"district={name}"): {y: 60 + 5 * place + slope * (y - 2010) + rng.normal(0, 0.3) for y in YEARS}
        for place, (name, slope) in enumerate(slopes.items())
    }
    rows[("1.1.1", "")] = {y: float(np.mean([path[y] for path in rows.values()])) for y in YEARS}
    return rows


def people(table, **counts):
    rows = [(f"district={name}", value) for name, value in counts.items()]
    return pd.DataFrame(rows, columns=["breakdown", "value"]).assign(area="town", period="2009")


def test_average_hides_a_district_that_falls_behind(observations, definitions):
    table = observations(by_district(north=-0.6, south=1.0, east=1.2))
    row = disparities.disparity_trend_table(table, definitions(table, "increase")).iloc[0]
    assert row["verdict"] == "average hides"
    assert row["reason"] == "the average improves, the gap widens"
    assert (row["least_group"], row["years"], row["first"], row["last"]) == ("north", 14, "2010", "2023")
    assert row["least_slope"] == pytest.approx(-0.6, abs=0.1)
    assert not row["converging"]


def test_nothing_hidden_where_all_rise_alike(observations, definitions):
    table = observations(by_district(north=1.0, south=1.0, east=1.0))
    assert (
        disparities.disparity_trend_table(table, definitions(table, "increase")).iloc[0]["verdict"] != "average hides"
    )
    worse = disparities.disparity_trend_table(table, definitions(table, "decrease")).iloc[0]
    assert worse["verdict"] == "no sign that it hides", "an average that worsens hides nothing good"
    assert worse["least_group"] == "east"


def test_an_average_that_only_seems_to_improve_may_hide():
    """The gap widens beyond doubt; the total's slope is up, but Kendall's test does not see it."""
    t = np.arange(10.0)
    low, high = 50 - 1.0 * t, 60 + 1.0 * t
    total = np.array([55, 54, 56, 55.5, 54.5, 56.5, 55, 54.8, 56.2, 55.3])
    got = disparities.average_hides(t, total, np.column_stack([low, high]), 1.0)
    assert got["total_slope"] > 0
    assert (got["verdict"], got["gap_slope"], got["least_slope"]) == ("average may hide", 2, -1)
    assert disparities.average_hides(t, total + t, np.column_stack([low, high]), 1.0)["verdict"] == "average hides"


def test_false_alarms_are_rare(observations, definitions):
    """Equal slopes with noise: `average hides` needs two tests at 5 % each."""
    rng, told = np.random.default_rng(3), []
    t = np.arange(12.0)
    for _ in range(300):
        y = 50 + 0.5 * t[:, None] + rng.normal(0, 2, (12, 5))
        told.append(disparities.average_hides(t, y.mean(axis=1), y, 1.0)["verdict"])
    assert np.mean([verdict == "average hides" for verdict in told]) < 0.06


def test_measures_of_each_year_with_populations(observations, definitions):
    table = observations(by_district(north=0.0, south=0.0, east=0.0))
    counted = people(table, north=100, south=200, east=700)
    got = disparities.disparity_table(table, definitions(table, "increase"), counted)
    assert len(got) == len(YEARS)
    last = got.iloc[-1]
    assert (last["lowest_group"], last["highest_group"], last["mean_from"]) == ("north", "east", "population-weighted")
    assert last["mean"] == pytest.approx(0.1 * 60 + 0.2 * 65 + 0.7 * 70, abs=0.5)
    assert last["difference"] == pytest.approx(10, abs=1)
    assert last["theil"] > 0
    assert (last["interval"], last["reason"]) == ("no interval", "")


def test_without_populations_the_published_total_is_the_mean(observations, definitions):
    table = observations(by_district(north=0.0, south=0.0, east=0.0))
    last = disparities.disparity_table(table, definitions(table, "increase")).iloc[-1]
    assert last["mean_from"] == "published total"
    assert last["par"] == pytest.approx(5, abs=1)
    assert np.isnan(last["theil"])
    assert "population shares are not known" in last["reason"]
    unknown = people(table, north=100, south=float("nan"), east=700)
    assert "not known" in disparities.disparity_table(table, definitions(table), unknown).iloc[-1]["reason"]


def test_suppressed_groups_are_neither_zero_nor_forgotten(observations, definitions):
    table = observations(by_district(north=0.0, south=0.0, east=0.0, west=0.0))
    hidden = (table["breakdown"] == "district=north") & (table["period"] == "2023")
    table.loc[hidden, ["value", "status"]] = [np.nan, "suppressed"]
    known = definitions(table, "increase")
    last = disparities.disparity_table(table, known, people(table, north=1, south=1, east=1, west=1)).iloc[-1]
    assert (last["groups"], last["with_value"], last["suppressed"], last["lowest_group"]) == (4, 3, 1, "south")
    assert last["reason"].startswith(
        "1 of 4 groups have no value, 1 of them suppressed: the difference is a lower bound"
    )
    assert np.isnan(last["theil"]), "a quarter of the groups is missing"
    assert last["mean_from"] == "published total", "a mean of the groups that are left is not that of all"


def test_one_group_only_is_refused(observations, definitions):
    table = observations({("1.1.1", "disability=with"): dict.fromkeys(YEARS, 5.0)})
    row = disparities.disparity_table(table, definitions(table)).iloc[-1]
    assert np.isnan(row["difference"])
    assert "one group only" in row["reason"]
    over_time = disparities.disparity_trend_table(table, definitions(table)).iloc[0]
    assert (over_time["verdict"], over_time["reason"].split(";")[0]) == ("cannot tell", "one group only")


def test_counts_are_refused(observations, definitions):
    table = observations(by_district(north=1.0, south=0.0))
    row = disparities.disparity_table(table, definitions(table, kind="count")).iloc[-1]
    assert np.isnan(row["difference"])
    assert "compared by rates" in row["reason"]


def test_quintiles_are_in_order_and_signed(observations, definitions):
    rows = {("1.1.1", f"income=quintile {k}"): dict.fromkeys(YEARS, 50 + 3.0 * k) for k in range(1, 6)}
    table = observations(rows)
    groups = [f"quintile {k}" for k in range(1, 6)]
    counted = pd.DataFrame({"breakdown": [f"income={name}" for name in groups], "period": "2010", "value": 100.0})
    known, counted = definitions(table, "increase"), counted.assign(area="town")
    last = disparities.disparity_table(table, known, counted).iloc[-1]
    assert last["ordered"]
    assert (last["difference"], last["sii"]) == (pytest.approx(12), pytest.approx(15))
    stated = disparities.disparity_table(table, known, counted, orders={"income": groups[::-1]}).iloc[-1]
    assert stated["difference"] == pytest.approx(-12)


def test_intervals_come_from_those_of_the_source(observations, definitions):
    table = observations(by_district(north=0.0, south=0.0, east=0.0))
    table["low"], table["high"] = table["value"] - 2, table["value"] + 2
    got = disparities.disparity_table(table, definitions(table, "increase")).iloc[-1]
    assert got["interval"] == "bootstrap"
    assert got["difference_low"] < got["difference"] < got["difference_high"]
    again = disparities.disparity_table(table, definitions(table, "increase")).iloc[-1]
    assert got["difference_low"] == again["difference_low"]


def test_a_late_group_does_not_cost_the_others_their_history(observations, definitions):
    rows = by_district(north=-0.6, south=1.0, east=1.2)
    rows[("1.1.1", "district=new")] = {2022: 50.0, 2023: 51.0}
    table = observations(rows)
    row = disparities.disparity_trend_table(table, definitions(table, "increase")).iloc[0]
    assert (row["years"], row["verdict"]) == (14, "average hides")
    assert "without new (too few years)" in row["reason"]


def test_empty_tables(definitions):
    assert len(disparities.disparity_table(empty(), definitions(empty()))) == 0
    assert len(disparities.disparity_trend_table(empty(), definitions(empty()))) == 0


def noisy(phi, k, rng, n=15):
    shocks, out = rng.normal(size=(n, k)), np.empty((n, k))
    out[0] = shocks[0]
    for i in range(1, n):
        out[i] = phi * out[i - 1] + np.sqrt(1 - phi**2) * shocks[i]
    return out


@pytest.mark.parametrize("phi", [0.0, 0.5, 0.8])
def test_groups_that_rise_alike_are_rarely_told_as_hidden(phi):
    """Six parallel groups, a rise of 0.3 standard deviations a year: at most 2 in 100 are told falsely."""
    rng, told, t = np.random.default_rng(5), 0, np.arange(15) + 2005.5
    for _ in range(200):
        y = 50 + 0.3 * np.arange(15)[:, None] + 2 * np.arange(6) + noisy(phi, 6, rng)
        told += disparities.average_hides(t, y.mean(axis=1), y, 1)["verdict"] == disparities.HIDES
    assert told <= 4


def test_growth_at_one_rate_hides_nobody():
    """Every group grows by 3 % a year: the gap widens in units and not relative to the total."""
    rng, told, t = np.random.default_rng(6), 0, np.arange(15) + 2005.5
    for _ in range(100):
        y = (20 + 4 * np.arange(6)) * 1.03 ** np.arange(15)[:, None] * np.exp(rng.normal(0, 0.02, (15, 6)))
        told += disparities.average_hides(t, y.mean(axis=1), y, 1)["verdict"] == disparities.HIDES
    assert told <= 4


def test_ordered_groups_name_the_two_ends_that_the_difference_is_of(observations, definitions):
    rows = {("1.1.1", f"income=quintile {q}"): {2020: value} for q, value in enumerate((30, 20, 50, 25, 10), 1)}
    table = observations(rows)
    row = disparities.latest_of(disparities.disparity_table(table, definitions(table))).iloc[0]
    assert (row["least_advantaged"], row["most_advantaged"]) == ("quintile 1", "quintile 5")
    assert row["difference"] == -20
