"""benchmark.py: against the SDG Index 2018, and the edges of ranges, ranks and pooling."""

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import benchmark, findings, pooling, statements_places


def test_composite_sdsn2018_goals(oracle):
    """composite_sdsn2018.json (Sachs et al. 2018, CC BY 4.0): goal scores of 97 countries."""
    data = oracle("composite_sdsn2018.json")
    compared = 0
    for country in data["countries"]:
        scores = np.array([np.concatenate(list(country["normalised"].values()))], dtype=float)
        goals = np.concatenate([[int(goal)] * len(values) for goal, values in country["normalised"].items()])
        by_goal, _ = benchmark.composite(scores, goals)
        want = np.array([country["goal_scores"][goal - 1] for goal in data["goals_included"]], float)
        given = ~np.isnan(by_goal[0])  # the index fills some goals of countries without any indicator
        assert by_goal[0][given] == pytest.approx(want[given], rel=1e-9)
        compared += given.sum()
    assert compared > 500


def test_composite_sdsn2018_index(oracle):
    """composite_sdsn2018.json: the index is the mean of the goals that a country has."""
    for country in oracle("composite_sdsn2018.json")["countries"]:
        goals = np.array([country["goal_scores"]], dtype=float)
        _, index = benchmark.composite(goals, np.arange(17))
        if np.isnan(goals).mean() <= 0.2 and country["index"] is not None:
            assert index[0] == pytest.approx(country["index"], rel=1e-9)


def test_composite_sdsn2018_bounds(oracle):
    """composite_sdsn2018.json: indicators between their bounds, clipped."""
    compared = 0
    for one in oracle("composite_sdsn2018.json")["indicators"]:
        got = benchmark.normalise(np.array(one["raw"], float), one["worst_bound_score0"], one["best_bound_score100"])
        assert got == pytest.approx(np.array(one["normalised"], float), rel=1e-9, abs=1e-6)
        compared += len(got)
    assert compared > 1500


def test_bounds_take_the_worse_end_and_the_target():
    x = np.column_stack([np.arange(101.0), np.arange(101.0)])
    worst, best = benchmark.bounds(x, np.array([1, -1]), np.array([np.nan, 10.0]))
    assert worst == pytest.approx([2.5, 97.5])
    assert best == pytest.approx([97.5, 10.0])


def test_a_target_that_all_have_passed_does_not_turn_the_score():
    poverty = np.array([[9.0], [3], [4], [5], [6], [7], [8]])
    worst, best = benchmark.bounds(poverty, np.array([-1.0]), np.array([10.0]))
    score = benchmark.normalise(poverty, worst, best)[:, 0]
    assert (score.argmin(), score.argmax()) == (0, 1)
    low, _, high = benchmark.rank_interval(poverty, np.array([-1.0]), np.array([1]), target=np.array([10.0]), draws=50)
    assert (low[0], high[0]) == (7, 7)


def test_areas_alike_share_their_ranks_in_any_order():
    x = np.array([[5.0, 5.0], [5.0, 5.0], [9.0, 9.0], [1.0, 1.0], [5.0, 5.0]])
    low, middle, high = benchmark.rank_interval(x, np.ones(2), np.array([1, 2]), draws=50)
    assert (low.tolist(), high.tolist()) == ([2, 2, 1, 5, 2], [4, 4, 1, 5, 4])
    assert middle.tolist() == [3, 3, 1, 5, 3]
    low, high = benchmark.position_interval(x[:, 0], np.zeros(5), 1.0)
    assert (low.tolist(), high.tolist()) == ([2, 2, 1, 5, 2], [4, 4, 1, 5, 4])


def test_position_interval_by_hand():
    # Differences of 3 and 1 with an error of 1 each: p = .0027 and .3173; Holm over two.
    low, high = benchmark.position_interval(np.array([0.0, 3.0, -1.0]), np.sqrt([0.5, 0.5, 0.5]), 1.0)
    assert (low.tolist(), high.tolist()) == ([2, 1, 2], [3, 1, 3])
    low, high = benchmark.position_interval(np.array([0.0, 3.0, -1.0]), np.sqrt([0.5, 0.5, 0.5]), -1.0)
    assert (low.tolist(), high.tolist()) == ([1, 3, 1], [2, 3, 2])
    # p = .0214 and .0455 stand by Holm over two (.0428, .0455); .0357 and .0455 do not (.0714 first).
    se = np.array([0.8, 0.6, 0.6])
    low, high = benchmark.position_interval(np.array([0.0, 2.3, -2.0]), se, 1.0)
    assert (low[0], high[0]) == (2, 2)
    low, high = benchmark.position_interval(np.array([0.0, 2.1, -2.0]), se, 1.0)
    assert (low[0], high[0]) == (1, 3)


@pytest.mark.parametrize("spread", [0.3, 3.0])
def test_position_intervals_cover(spread):
    rng, covered = np.random.default_rng(4), []
    for _ in range(400):
        truth = rng.normal(0, spread, 13)
        low, high = benchmark.position_interval(truth + rng.normal(0, 1, 13), np.ones(13), 1.0)
        rank = (-truth).argsort().argsort() + 1
        covered.append((low <= rank) & (rank <= high))
    assert np.mean(covered) >= 0.95
    assert np.mean(covered, axis=0).min() >= 0.92


def test_an_index_is_refused_above_a_fifth_missing():
    scores = np.full((2, 10), 50.0)
    scores[0, :2], scores[1, :3] = np.nan, np.nan
    _, index = benchmark.composite(scores, np.repeat([1, 2, 3, 4, 5], 2))
    assert (index[0], np.isnan(index[1])) == (50, True)


def test_equal_values_tell_no_areas_apart():
    assert np.isnan(benchmark.normalise(np.array([3.0, 3.0]), 3.0, 3.0)).all()


def test_rank_intervals_hold_clear_ranks_and_open_where_unclear():
    rng = np.random.default_rng(1)
    x = rng.normal(50, 1, (12, 6))
    x[0], x[1] = 90, 10
    low, middle, high = benchmark.rank_interval(x, np.ones(6), np.repeat([1, 2, 3], 2), draws=300)
    assert (low[0], high[0], low[1], high[1]) == (1, 1, 12, 12)
    assert (high - low)[2:].mean() > 3
    assert ((low <= middle) & (middle <= high)).all()
    again = benchmark.rank_interval(x, np.ones(6), np.repeat([1, 2, 3], 2), draws=300)
    assert np.array_equal(low, again[0])


def test_pooled_effects_by_hand_and_few_cities():
    same = pooling.pooled(np.array([2.0, 2.0, 2.0, 2.0]), np.full(4, 0.5))
    assert (same.mean, same.tau2, same.i2, same.cities) == (2, 0, 0, 4)
    # Cities that agree by chance leave the errors of their own: 0.5 / sqrt(4), t(3).
    assert same.high == pytest.approx(2 + 3.182446 * 0.25, rel=1e-5)
    assert pooling.pooled(np.array([1.0, 2.0, np.nan]), np.ones(3)) is None
    spread = pooling.pooled(np.array([0.0, 1.0, 2.0, 3.0]), np.full(4, 0.01))
    # Errors are nothing beside the spread: variance of the effects, t(3) interval of their mean.
    assert spread.tau2 == pytest.approx(5 / 3, rel=1e-3)
    assert spread.high == pytest.approx(1.5 + 3.182446 * np.sqrt(5 / 3 / 4), rel=1e-3)
    assert spread.predicted_high > spread.high


def test_pooled_interval_is_that_of_hartung_and_knapp():
    """By hand, w = 1 / (se^2 + tau2): q = sum w (y - mean)^2 / (k - 1), interval mean +- t sqrt(q / sum w)."""
    y, se = np.array([0.3, 0.9, 1.4, 2.6, 0.8]), np.array([0.2, 0.5, 0.9, 1.2, 0.1])
    got = pooling.pooled(y, se)
    weight = 1 / (se**2 + got.tau2)
    mean = (weight * y).sum() / weight.sum()
    error = np.sqrt((weight * (y - mean) ** 2).sum() / 4 / weight.sum())
    assert got.mean == pytest.approx(mean, rel=1e-6)
    assert got.high - got.mean == pytest.approx(2.776445 * error, rel=1e-5)


def test_pooled_intervals_cover_with_few_cities():
    rng, covered = np.random.default_rng(2), 0
    for _ in range(400):
        truth = 1 + rng.normal(0, 0.5, 6)
        got = pooling.pooled(truth + rng.normal(0, 0.4, 6), np.full(6, 0.4))
        covered += got.low <= 1 <= got.high
    assert 0.91 <= covered / 400 <= 0.985


@pytest.fixture
def cities(observations):
    def make(values, width=None, year=2022, unit="%"):
        parts = []
        for area, value in values.items():
            part = observations({("1.1.1", ""): {year: value}}, area=area, unit=unit)
            if width:
                part["low"], part["high"] = part["value"] - width, part["value"] + width
            parts.append(part)
        return pd.concat(parts, ignore_index=True)

    return make


def test_a_city_among_its_peers(cities, definitions):
    table = cities({"town": 9.0, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, width=0.5)
    row = benchmark.benchmark_table(table, definitions(table, "decrease"), "town").iloc[0]
    assert (row["peers"], row["areas"], row["peers_low"], row["peers_middle"], row["peers_high"]) == (4, 5, 1, 2.5, 4)
    assert row["standing"] == "worse than the middle half"
    assert (row["rank_low"], row["rank_high"]) == (5, 5)
    unknown = benchmark.benchmark_table(table, definitions(table, ""), "town").iloc[0]
    assert (unknown["standing"], np.isnan(unknown["rank_low"])) == ("above the middle half", True)


def test_few_peers_other_years_and_no_intervals(cities, definitions):
    few = cities({"town": 9.0, "a": 1.0, "b": 2.0})
    assert len(benchmark.benchmark_table(few, definitions(few), "town")) == 0
    old = pd.concat([cities({"town": 9.0}), cities({"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, year=2015)])
    assert len(benchmark.benchmark_table(old, definitions(old), "town")) == 0
    table = cities({"town": 2.0, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0})
    row = benchmark.benchmark_table(table, definitions(table), "town").iloc[0]
    assert row["reason"] == "not every source gives an interval: no rank"
    assert row["standing"] == "inside the middle half of the peers"


@pytest.mark.parametrize("unit", ["deaths", "£ million", "tonnes"])
def test_totals_are_neither_benchmarked_nor_scored(cities, definitions, unit):
    values = {"town": 32.0, "a": 900.0, "b": 2000.0, "c": 3100.0, "d": 5400.0}
    table = cities(values, unit=unit)
    assert len(benchmark.benchmark_table(table, definitions(table), "town")) == 0
    assert len(benchmark.goal_scores(table, definitions(table), "town")) == 0
    assert len(benchmark.goal_scores(table, definitions(table), "nowhere")) == 0
    rate = cities(values, unit="deaths per 100,000")
    assert len(benchmark.benchmark_table(rate, definitions(rate), "town")) == 1
    assert len(benchmark.goal_scores(rate, definitions(rate), "town")) == 2


def test_outside_by_less_than_the_interval_is_told_as_perhaps(cities, definitions):
    values = {"town": 4.4, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    standing = {}
    for width in (None, 0.5, 2.0):
        table = cities(values, width=width)
        standing[width] = benchmark.benchmark_table(table, definitions(table), "town").iloc[0]["standing"]
    assert standing == {
        None: "worse than the middle half",
        0.5: "worse than the middle half",
        2.0: "perhaps worse than the middle half",
    }
    table = cities(values | {"town": 1.0}, width=2.0)
    low = benchmark.benchmark_table(table, definitions(table), "town").iloc[0]
    assert low["standing"] == "perhaps better than the middle half"
    unknown = benchmark.benchmark_table(table, definitions(table, ""), "town").iloc[0]
    assert unknown["standing"] == "perhaps below the middle half"


def test_perhaps_worse_comes_after_what_is_sure(cities, definitions):
    table = cities({"town": 9.0, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, width=0.5)
    perhaps = cities({"town": 4.4, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, width=2.0).assign(indicator="1.2.1")
    better = cities({"town": 0.5, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}, width=0.1).assign(indicator="1.1.2")
    table = pd.concat([perhaps, better, table], ignore_index=True)
    known = definitions(table, priority=False)
    standings = benchmark.benchmark_table(table, known, "town").iloc[::-1]
    graded = table[table["area"] == "town"].assign(grade="A", grade_reason="")
    told = statements_places.benchmark_findings(standings, known, "town", graded)
    words = ["worse than the middle half", "better than the middle half", "perhaps worse than the middle half"]
    assert [item.verdict for item in told] == words
    assert "perhaps worse than the middle half; the middle half of 4 like cities" in told[2].statement
    assert [findings._tells(item) for item in told] == [True, False, False]


def test_errors_of_the_source_widen_the_interval_of_the_index(cities, definitions):
    values = {"town": 4.4, "a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    exact, rough = (cities(values, width=width) for width in (None, 2.0))
    of = [benchmark.goal_scores(table, definitions(table), "town").iloc[-1] for table in (exact, rough)]
    assert (of[0]["rank_low"], of[0]["rank_high"]) == (5, 5)
    assert of[1]["rank_low"] < 5
