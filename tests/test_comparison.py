"""comparison.py and smell.py: what may be compared, what is stopped, and what two series say."""

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import comparison, smell

YEARS = range(2010, 2022)


def side(**changes):
    known = {"indicator": "1.1.1", "series": "measure", "unit": "%", "last": 2021.0, "has_break": False, "common": 10}
    return pd.Series(known | changes)


@pytest.mark.parametrize(
    ("own", "other", "declared", "grade", "words"),
    [
        ({}, {}, "same", "same", ""),
        ({}, {}, "context", "context", ""),
        ({}, {"unit": "people"}, "same", "blocked", "a count against a rate"),
        ({}, {"unit": "per 1000"}, "same", "blocked", "units differ"),
        ({"unit": "people"}, {"unit": "people"}, "same", "context", "places differ in size"),
        ({"series": "rate, seasonally adjusted"}, {"series": "rate, not seasonally adjusted"}, "near", "context",
         "seasonal adjustment differs"),
        ({}, {"series": "other words"}, "same", "near", "named differently"),
        ({}, {"indicator": "1.2.1"}, "same", "context", "indicators differ"),
        ({}, {"last": 2018.0}, "same", "near", "latest values of 2021 and 2018"),
        ({"common": 0}, {"common": 0}, "near", "blocked", "no year in common"),
        ({"has_break": True}, {}, "same", "near", "a break"),
        ({"has_break": True}, {}, "context", "context", ""),
    ],
)  # fmt: skip
def test_a_machine_lowers_a_grade_and_never_raises_it(own, other, declared, grade, words):
    got, reason = comparison.comparability(side(**own), side(**other), declared)
    assert got == grade
    assert words in reason
    assert bool(reason) == bool(words)


def test_an_unknown_grade_is_refused():
    with pytest.raises(ValueError, match="same, near, context, blocked"):
        comparison.comparability(side(), side(), "good")


@pytest.fixture
def flat(observations):
    """Two places with one value each, the same in every year."""

    def make(own, other):
        sides = {"town": own, "land": other}
        return [observations({("1.1.1", ""): dict.fromkeys(YEARS, v)}, area=area) for area, v in sides.items()]

    return make


def one(own, other, known, **options):
    return comparison.comparison_table(own, other, known, **options).set_index("indicator")


def test_agree_disagree_and_alone(observations, definitions):
    rng = np.random.default_rng(1)
    rise = {y: 40 + 1.0 * (y - 2010) + rng.normal(0, 0.2) for y in YEARS}
    fall = {y: 60 - 1.0 * (y - 2010) + rng.normal(0, 0.2) for y in YEARS}
    own = observations({("1.1.1", ""): rise, ("1.2.1", ""): rise, ("1.3.1", ""): rise, ("1.4.1", ""): rise})
    more = {y: 1.3 * v for y, v in rise.items()}
    other = observations(
        {("1.1.1", ""): rise, ("1.2.1", ""): more, ("1.3.1", ""): fall, ("1.5.1", ""): rise}, area="land"
    )
    got = one(own, other, definitions(own, "increase"))
    assert (got.loc["1.1.1", "verdict"], got.loc["1.1.1", "comparability"]) == ("agree", "same")
    assert (got.loc["1.2.1", "verdict"], got.loc["1.2.1", "disagree_on"]) == ("disagree", "level")
    assert got.loc["1.2.1", "ratio"] == pytest.approx(1 / 1.3)
    assert "direction" in got.loc["1.3.1", "disagree_on"]
    assert got.loc["1.3.1", "difference_slope"] == pytest.approx(2, abs=0.1)
    assert got.loc["1.4.1", "verdict"] == "only local"
    other_side = comparison.comparison_table(own, other, definitions(own, "increase"))
    assert list(other_side.loc[other_side["other_indicator"] == "1.5.1", "verdict"]) == ["only national"]


def test_intervals_that_overlap_are_no_disagreement(observations, definitions):
    own, other = (
        observations({("1.1.1", ""): dict.fromkeys(YEARS, v)}, area=a) for v, a in ((10.0, "town"), (12.0, "land"))
    )
    assert one(own, other, definitions(own)).loc["1.1.1", "disagree_on"] == "level"
    for table in (own, other):
        table["low"], table["high"] = table["value"] - 2, table["value"] + 2
    assert one(own, other, definitions(own)).loc["1.1.1", "verdict"] == "agree"


def test_what_smells_is_blocked_first(observations, definitions):
    rng = np.random.default_rng(2)
    share = {y: 40 + rng.normal() for y in YEARS}
    own = observations({("1.1.1", ""): share})
    other = observations({("1.1.1", ""): {y: v / 100 + 0.001 for y, v in share.items()}}, area="land")
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["comparability"], row["verdict"]) == ("blocked", "not compared")
    assert "per cent against proportion" in row["smell"]
    assert np.isnan(row["difference"])


def test_what_a_person_paired_comes_first(observations, definitions):
    own = observations({("x.1", ""): dict.fromkeys(YEARS, 10.0)})
    other = observations({("1.1.1", ""): dict.fromkeys(YEARS, 10.2)}, area="land")
    said = {"indicator": "x.1", "series": "measure", "unit": "%", "other_indicator": "1.1.1"}
    said |= {"other_series": "measure", "other_unit": "%", "declared": "near", "why": "own survey"}
    pairs = pd.DataFrame([said])
    row = one(own, other, definitions(own), pairs=pairs).loc["x.1"]
    assert row["comparability"] == "context", "another indicator: a machine lowers what a person said"
    assert row["comparability_reason"].startswith("own survey; indicators differ")
    assert len(comparison.comparison_table(own, other, definitions(own))) == 2


def test_zeros_in_the_other_series(observations, definitions):
    own, other = (
        observations({("1.1.1", ""): dict.fromkeys(YEARS, v)}, area=a) for v, a in ((1.0, "town"), (0.0, "land"))
    )
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["difference"], row["disagree_on"]) == (1, "level")
    assert np.isnan(row["ratio"])


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ([99.0] * 6, "placeholder"), ([3.4] * 6, "carried on"), ([50, 0, 52, 0, 0, 49], "missing values?"),
        ([20, 21, 205, 21, 22], "a factor of 10 slipped"), ([0.2, 20.5, 0.21, 0.2], "per cent against proportion"),
        ([5.0, 5.1, 5.3, 5.2], ""), ([20, 21, 105, 21, 22], ""),
        ([20, 21, 150, 21, 22], ""), ([0.0, 0.0, 0.0, 0.0], ""), ([1.0, 2.0, 20.0, 200.0], ""),
    ],
)  # fmt: skip
def test_smells_of_one_series(values, words):
    found = smell.series_smells(np.array(values, float))
    assert bool(found) == bool(words)
    assert words in "".join(found)


@pytest.mark.parametrize(
    ("ratio", "words"),
    [(1.2, ""), (5.0, ""), (10.4, "factor of 10"), (0.001, "factor of 1000"), (250.0, ""), (12_000.0, "a total")],
)
def test_smells_of_a_pair(ratio, words):
    own = np.array([3.0, 4.0, 0.0, 5.0])
    found = smell.pair_smell(own, own * ratio)
    assert bool(found) == bool(words)
    assert words in found


def test_values_that_changed_places_are_seen():
    own = np.array([9, 9.4, 10, 11, 30, 12, 13, 13.5, 14, 14.4, 15])
    other = np.array([28, 28.5, 28.8, 29.5, 11.5, 30.5, 31, 31.5, 32, 32.2, 32.6])
    assert list(smell.swapped(own, other)) == [4]
    assert "30 and 11.5 seem to have changed places" in smell.pair_smell(own, other)


def test_noise_and_crossing_series_are_not_called_swapped():
    rng = np.random.default_rng(5)
    told = 0
    for _ in range(500):
        told += len(smell.swapped(50 + rng.normal(size=12), 50 + rng.normal(size=12)))
    assert told <= 5
    t = np.arange(12.0)
    assert not len(smell.swapped(t, 11 - t))
    assert not len(smell.swapped(np.full(6, 3.0), np.full(6, 3.0)))
