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
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["verdict"], row["disagree_on"], row["likely_reason"]) == ("cannot tell", "", "")
    assert row["relative_difference"] == pytest.approx(-1 / 6)


def test_one_common_year_with_wide_intervals_is_no_agreement(observations, definitions):
    own, other = (observations({("1.1.1", ""): {2020: v}}, area=a) for v, a in ((10.0, "town"), (16.0, "land")))
    own[["low", "high"]], other[["low", "high"]] = (2.0, 18.0), (12.0, 20.0)
    table = comparison.comparison_table(own, other, definitions(own))
    assert list(table["verdict"]) == ["cannot tell"]
    assert comparison.matrix(table, pd.Series([1])).loc[0, ["agree", "disagree", "cannot tell"]].tolist() == [0, 0, 1]
    asked = comparison.questions(table, table["series"], "Town", "Land").iloc[0]
    assert asked["question"] == "Is the difference between Town and Land real?"
    assert "intervals overlap" in asked["why"]


@pytest.mark.parametrize(
    ("unit", "series", "grade"),
    [
        *((unit, "measure", "context") for unit in ("deaths", "births", "trips", "jobs", "crimes", "children")),
        *((unit, "measure", "context") for unit in ("hectares", "kWh", "US$", "road deaths", "trips per year")),
        ("£ million", "Air pollution regulating, pounds", "context"), ("tonnes of CO2", "emissions", "context"),
        ("tonnes of CO2", "emissions per capita", "same"), ("US$", "GDP per capita", "same"),
        ("£", "Gross median weekly pay, pounds", "same"), ("£ per hour", "measure", "same"),
        ("µg/m³", "measure", "same"), ("kWh per meter point", "measure", "same"), ("minutes", "measure", "same"),
        ("litres per person per day", "measure", "same"), ("deaths per 100,000", "measure", "same"),
        ("Annual average daily flow", "measure", "same"), ("years", "measure", "same"), ("% of children", "m", "same"),
    ],
)  # fmt: skip
def test_totals_give_context_and_levels_are_compared(unit, series, grade):
    about = side(unit=unit, series=series)
    got, reason = comparison.comparability(about, about)
    assert got == grade, reason
    assert bool("places differ in size" in reason) == (grade == "context")


def test_a_total_beside_a_figure_per_head_is_context():
    got, reason = comparison.comparability(
        side(unit="tonnes", series="waste"), side(unit="tonnes", series="waste per person"), "near"
    )
    assert got == "context"
    assert "totals" in reason


def line(years, start, slope, seed):
    rng = np.random.default_rng(seed)
    return {y: start + slope * (y - min(years)) + rng.normal(0, 0.2) for y in years}


def test_directions_are_those_of_the_common_years(observations, definitions):
    """The city falls from 2010 on, the nation rose until 2010: no year tells that they go apart."""
    flat = {y: 50.0 + 0.01 * (-1) ** y for y in range(2010, 2013)}
    own = observations({("1.1.1", ""): line(range(2010, 2025), 50, -1, 1)})
    other = observations({("1.1.1", ""): line(range(1990, 2010), 30, 1, 2) | flat}, area="land")
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert row["common"] == 3
    assert (row["trend"], row["movement"], row["other_trend"], row["other_movement"]) == ("cannot tell", "") * 2
    assert "direction" not in row["disagree_on"]
    # With enough common years the same rule sees the nation stand still, and both move where both do.
    longer = {y: 50.0 + 0.01 * (-1) ** y for y in range(2010, 2021)}
    other = observations({("1.1.1", ""): line(range(1990, 2010), 30, 1, 2) | longer}, area="land")
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["movement"], row["other_trend"], row["other_movement"]) == ("towards the goal", "no clear trend", "")
    other = observations({("1.1.1", ""): line(range(1990, 2025), 30, 1, 2)}, area="land")
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["movement"], row["other_movement"]) == ("towards the goal", "away from the goal")
    assert "direction" in row["disagree_on"]


def test_what_stands_alone_moves_over_its_own_years(observations, definitions):
    own = observations({("1.1.1", ""): line(range(2010, 2025), 50, -1, 1)})
    other = observations({("1.2.1", ""): line(range(2010, 2025), 50, -1, 1)}, area="land")
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["verdict"], row["movement"], row["other_trend"]) == ("only local", "towards the goal", "")


def test_a_series_in_two_pairs_moves_over_the_years_of_each(observations, definitions):
    own = observations({("1.1.1", ""): line(range(2010, 2025), 50, -1, 1)})
    years = {"1.1.1": range(2010, 2025), "1.2.1": range(2022, 2025)}
    other = observations({(code, ""): line(years[code], 50, -1, 3) for code in years}, area="land")
    said = {"indicator": "1.1.1", "series": "measure", "unit": "%", "other_series": "measure", "other_unit": "%",
            "declared": "near", "why": ""}  # fmt: skip
    pairs = pd.DataFrame([said | {"other_indicator": code} for code in years])
    table = comparison.comparison_table(own, other, definitions(own), pairs).set_index("other_indicator")
    assert table["movement"].to_dict() == {"1.1.1": "towards the goal", "1.2.1": ""}
    assert table["trend"].to_dict()["1.2.1"] == "cannot tell"


def test_a_paired_series_takes_the_direction_of_the_city(observations, definitions):
    """The nation's own row in the register has no direction; what a person paired gives it one."""
    own = observations({("1.1.1", ""): line(range(2010, 2025), 50, -1, 1)})
    other = observations({("1.1.1", ""): line(range(2010, 2025), 50, -1, 2)}, area="land").assign(series="other words")
    known = pd.concat([definitions(own), definitions(other, "")], ignore_index=True)
    said = {name: own[name].iloc[0] for name in ("indicator", "series", "unit")}
    said |= {f"other_{name}": other[name].iloc[0] for name in ("indicator", "series", "unit")}
    pairs = pd.DataFrame([said | {"declared": "near", "why": "same survey"}])
    row = one(own, other, known, pairs=pairs).loc["1.1.1"]
    assert (row["movement"], row["other_movement"]) == ("towards the goal",) * 2


@pytest.mark.parametrize("unit", ["°C", "dB", "Score out of 10", "index", "pH", "percentage points", "change"])
def test_nothing_is_relative_where_zero_is_a_convention(observations, definitions, unit):
    own, other = (observations({("1.1.1", ""): dict.fromkeys(YEARS, v)}, area=a, unit=unit) for v, a in
                  ((3.0, "town"), (2.0, "land")))  # fmt: skip
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert np.isnan([row["relative_difference"], row["ratio"]]).all()
    assert (row["difference"], row["verdict"]) == (1, "cannot tell")
    for table in (own, other):
        table["low"], table["high"] = table["value"] - 0.2, table["value"] + 0.2
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["verdict"], row["disagree_on"]) == ("disagree", "level")
    asked = comparison.questions(pd.DataFrame([row]), pd.Series({"1.1.1": "x"}), "Town", "Land")
    assert asked["question"].tolist() == ["Why do Town and Land differ on level?"]


@pytest.mark.parametrize(("own", "other"), [(-1.0, -2.0), (1.0, -2.0), (-1.0, 2.0)])
def test_values_below_zero_give_no_relative_number(flat, definitions, own, other):
    own, other = flat(own, other)
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert np.isnan([row["relative_difference"], row["ratio"]]).all()
    assert row["verdict"] == "cannot tell"


def test_a_change_from_a_base_as_a_proportion_is_compared_by_what_is_there():
    found = comparison.compare(np.array([2020.0]), np.array([-0.1]), np.array([-0.2]), zero=-1.0)
    assert found["relative_difference"] == pytest.approx(0.1 / 0.8)


def test_two_zeros_agree(flat, definitions):
    own, other = flat(0.0, 0.0)
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert (row["difference"], row["verdict"]) == (0, "agree")


def reasons(n, phi, times=300):
    """Return the reasons given for a steady distance of 3 whose years are correlated."""
    rng, t, told = np.random.default_rng(7), np.arange(float(n)), []
    for _ in range(times):
        noise = rng.normal(size=n + 20)
        for at in range(1, n + 20):
            noise[at] += phi * noise[at - 1]
        row = comparison.compare(t, 13 + noise[20:], np.full(n, 10.0))
        row |= {"comparability": "same", "comparability_reason": "", "common": n}
        told.append(comparison.likely_reason(row))
    return pd.Series(told)


def test_distances_that_wander_are_rarely_said_to_grow_or_shrink():
    assert reasons(15, 0.6).str.contains("grows|shrinks").mean() < 0.13


def test_few_years_are_not_said_to_be_steady():
    assert not reasons(6, 0.0).str.contains("steady distance").any()


def test_the_same_distance_every_year_is_steady(flat, definitions):
    own, other = flat(13.0, 10.0)
    row = one(own, other, definitions(own)).loc["1.1.1"]
    assert row["likely_reason"].startswith("a steady distance")
    assert (row["difference_slope"], row["difference_p"]) == (0, 1)


def test_a_question_gives_the_size_of_the_level_only(observations, definitions):
    own = observations({("1.1.1", ""): line(range(2010, 2025), 50, -1, 1)})
    for start, words in ((23, r"differ on direction\?"), (60, r"differ on level by 5\d % and direction\?")):
        other = observations({("1.1.1", ""): line(range(2010, 2025), start, 1, 2)}, area="land")
        table = comparison.comparison_table(own, other, definitions(own))
        assert comparison.questions(table, table["series"], "T", "L")["question"].str.contains(words).all()


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


def test_a_pair_with_a_suspected_slip_is_blocked_and_the_slip_is_told(observations, definitions):
    own = observations({("1.1.1", ""): {year: 10.0 + year % 3 for year in range(2010, 2024)}})
    other = observations({("1.1.1", ""): {year: 10.5 + year % 2 for year in range(2010, 2024)}}, area="land")
    odd = {
        "area": "town",
        "indicator": "1.1.1",
        "series": "measure",
        "unit": "%",
        "breakdown": "",
        "text": "x is ten times y",
    }
    known = definitions(own)
    clean = comparison.comparison_table(own, other, known).iloc[0]
    shaped = comparison.comparison_table(own, other, known, smells=pd.DataFrame([odd | {"suspicion": "flat"}])).iloc[0]
    slipped = comparison.comparison_table(own, other, known, smells=pd.DataFrame([odd | {"suspicion": "factor of 10"}]))
    assert clean["comparability"] == shaped["comparability"] == "same"
    assert slipped.iloc[0]["comparability"] == "blocked"
    assert slipped.iloc[0]["smell"] == "x is ten times y"
    assert slipped.iloc[0]["verdict"] == comparison.NOT_COMPARED


def test_results_of_no_nation_still_have_their_columns():
    assert list(comparison.together([]).columns) == comparison.COMPARED
