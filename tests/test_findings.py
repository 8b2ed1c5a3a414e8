"""findings.py, statements*.py, results.py: ids from content, grades, evidence rows, the first page."""

import dataclasses
import io
import re

import pandas as pd
import pytest

from vlr_analysis import (
    comparison,
    exhibits,
    findings,
    grades,
    lead,
    results,
    statements,
    statements_evidence,
    statements_places,
    trends,
)
from vlr_analysis.cities import load_city
from vlr_analysis.findings import Finding, from_table, leading, make, selector


@pytest.fixture(scope="module")
def made_up():
    return results.Results(load_city("porto-exemplo"))


@pytest.fixture(scope="module")
def bristol():
    return results.Results(load_city("bristol"))


ROW = pd.Series({"area": "town", "indicator": "1.2.1", "series": "m", "unit": "%", "breakdown": "", "source": "s"})


def test_id_follows_the_content_and_subject_does_not():
    one, other = (make("trend", ROW, "robust trend", "Words.", {"slope": value}) for value in (1.0, 1.1))
    again = make("trend", ROW, "robust trend", "Other words.", {"slope": 1.0})
    assert one.id == again.id != other.id
    assert one.subject == other.subject
    assert one.id.startswith("t-")
    assert make("nation", ROW, "agree", "W.", {}, about="a").subject != make("nation", ROW, "agree", "W.", {}).subject


def test_numbers_are_rounded_once_and_missing_ones_left_out():
    found = make("trend", ROW, "v", "W.", {"a": 1 / 3, "b": float("nan"), "c": "", "d": 4.4e-16, "e": 7})
    assert found.numbers == {"a": 0.333333, "d": 0.0, "e": 7}


def test_grade_is_the_lowest_of_the_series_and_the_statement():
    row = pd.concat([ROW, pd.Series({"grade": "B", "grade_reason": "old"})])
    assert make("trend", row, "v", "W.", {}).grade == "B"
    lowered = make("trend", row, "v", "W.", {}, caps=[("C", "self-selected")])
    assert (lowered.grade, lowered.grade_reason) == ("C", "self-selected")


def test_findings_survive_the_trip_through_csv(made_up):
    text = findings.as_table(made_up.findings).to_csv(index=False)
    back = from_table(pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False))
    assert [dataclasses.asdict(item) for item in back] == [dataclasses.asdict(item) for item in made_up.findings]


DIGITS = r"[−+]?[£$€]?(\d[\d,]*(?:\.\d+)?)"
BESIDE = re.compile(rf"{DIGITS}[^\d()]*(?: in [\d/ to-]+)? \(95 % interval (?:for one value )?{DIGITS} to {DIGITS}")


@pytest.mark.parametrize(("name", "least"), [("made_up", 10), ("bristol", 10)])
def test_an_estimate_and_its_interval_have_the_same_number_of_places(name, least, request):
    """The one rule for numbers that stand side by side: +0.100 a year (0.031 to 0.150)."""
    seen = 0
    for item in request.getfixturevalue(name).findings:
        bare = item.statement.replace(exhibits.plain_unit(item.unit), "") if item.unit else item.statement
        found = BESIDE.findall(bare)
        assert len(found) == bare.count("(95 % interval") - bare.count("(95 % interval;"), item.statement
        for numbers in found:
            seen += 1
            assert len({len(number.partition(".")[2]) for number in numbers}) == 1, item.statement
    assert seen >= least


@pytest.mark.parametrize(
    ("numbers", "written"),
    [
        ((0.1, 0.0312, 0.15), ("+0.100 percentage points", "0.031 to 0.150")),
        ((6.0, 5.0, 7.0), ("+6 percentage points", "5 to 7")),
        ((-0.0312, -12.0, 0.5), ("−0.031 percentage points", "−12.000 to 0.500")),
        ((5.0, 4.9992, 5.0009), ("+5.000 percentage points", "4.999 to 5.001")),
        ((1234.4, -3.26, 2600.1), ("+1,234 percentage points", "−3 to 2,600")),
        ((0.0, -0.25, 0.5), ("0.00 percentage points", "−0.25 to 0.50")),
        ((-0.0001, -25.0, 30.0), ("−0.0001 percentage points", "−25.0000 to 30.0000")),
        ((2.54, float("nan"), float("nan")), ("+2.54 percentage points", "no interval")),
    ],
)
def test_an_estimate_is_rounded_as_its_interval_is(numbers, written):
    assert exhibits.alike(*numbers, "%", exhibits.gap) == written


def test_what_counts_grades_has_none_and_is_no_finding(made_up, bristol):
    for review in (made_up, bristol):
        told = statements_evidence.rests_on(review.city.observations, review.city.definitions, review.grades)
        assert told.startswith("This review rests on ") and "The evidence is of grade A in " in told
        assert not [item for item in review.findings if "This review rests on" in item.statement]
        assert all(item.indicator for item in review.findings if item.kind == "evidence")
        counted = map(int, re.findall(r"(?:A|B|C|D) in (\d+)", told))
        assert sum(counted) == (review.grades["breakdown"] == "").sum()
    nothing = made_up.city.observations.iloc[:0]
    assert "no figures yet" in statements_evidence.rests_on(nothing, made_up.city.definitions, made_up.grades)


def test_slopes_that_are_compared_in_a_sentence_are_rounded_alike(made_up, bristol):
    told = [
        item.statement
        for review in (made_up, bristol)
        for item in review.findings
        if " as a whole moved by" in item.statement
    ]
    assert told
    for statement in told:
        slopes = re.search(r"moved by (\S+) .*? by (\S+) [^,]*, the gap by (\S+)", statement).groups()
        assert len({len(slope.partition(".")[2]) for slope in slopes}) == 1, statement


@pytest.mark.parametrize("name", ["made_up", "bristol"])
def test_every_finding_is_whole(name, request):
    found = request.getfixturevalue(name).findings
    assert len(found) > 20
    assert len({item.id for item in found}) == len(found)
    for item in found:
        assert item.kind in findings.KINDS
        assert item.grade in grades.LETTERS
        assert item.grade == "A" or item.grade_reason, item
        assert item.statement.endswith((".", "?"))
        assert item.statement[0].isupper() or not item.statement[0].isascii()
        assert "nan" not in item.statement + item.caveat
        assert item.numbers


def test_every_finding_on_a_series_leads_to_its_rows(bristol):
    city = bristol.city
    table = pd.concat([city.observations, city.around], ignore_index=True)
    for item in bristol.findings:
        rows = findings.evidence_rows(item, table)
        assert len(rows) or not item.indicator, item.id
        if item.kind == "nation":
            assert {item.area} < set(rows["area"])
            year = str(item.numbers["year"])
            values = rows.loc[rows["period"].str.startswith(year[:4]), "value"].tolist()
            assert any(abs(value - item.numbers["value"]) < 1e-4 for value in values) or "-" in "".join(rows["period"])


def test_all_groups_of_a_dimension_are_evidence(made_up):
    item = next(item for item in made_up.findings if item.verdict == "average hides")
    rows = findings.evidence_rows(item, made_up.groups)
    assert {"", "district=Çarşı", "district=Centro"} <= set(rows["breakdown"])


def test_one_value_changed_changes_exactly_the_findings_that_rest_on_it(made_up):
    """Clause 2.4: what depends on a value is found by the change of its id."""
    city = made_up.city
    graded = made_up.grades

    def told(table):
        found = statements.trend_findings(trends.trend_table(table, city.definitions), city.definitions, graded)
        return {item.subject: item for item in found}

    before, table = told(city.observations), city.observations.copy()
    at = (table["indicator"] == "11.6.2") & (table["period"] == "2012") & (table["breakdown"] == "")
    table.loc[at, "value"] += 1.0
    after = told(table)
    changed = {before[subject].indicator for subject in before if before[subject].id != after[subject].id}
    assert at.sum() == 1
    assert changed == {"11.6.2"}


# --- the first page ---------------------------------------------------------------------------------------


def finding(number, kind="trend", grade="A", indicator=None, priority=False, verdict="v"):
    return Finding(
        f"{kind[0]}-{number}", "s", kind, "town", indicator or f"i{number}", "m", "%", "", verdict, "W.", "", {"n": 1},
        grade, "", priority, (), "s",
    )  # fmt: skip


def test_at_most_twelve_by_turns_and_never_grade_d():
    many = [finding(n) for n in range(30)] + [finding(n, "voices") for n in range(40, 43)] + [finding(99, grade="D")]
    chosen = leading(many)
    assert len(chosen) == 12
    assert sum(item.kind == "voices" for item in chosen) == 3
    assert all(item.grade != "D" for item in chosen)
    assert leading([]) == []
    assert leading([finding(99, grade="D")]) == []


def test_what_tells_most_comes_before_the_better_grade():
    quiet, telling = finding(1, "disparity"), finding(2, "disparity", grade="B", verdict="average hides")
    assert leading([quiet, telling], at_most=1) == [telling]
    assert leading([finding(3, grade="C"), finding(4)], at_most=1)[0].id == "t-4"
    assert leading([finding(5), finding(6, priority=True)], at_most=1)[0].priority


def test_one_indicator_does_not_fill_the_page():
    same = [finding(n, kind, indicator="8.5.2") for n, kind in enumerate(("trend", "recovery", "nation"))]
    assert len(leading(same)) == 1
    assert len(leading([dataclasses.replace(item, priority=True) for item in same])) == 2


def test_the_planted_truths_are_on_the_first_page(made_up):
    first = made_up.leading
    assert len(first) <= 12
    assert any(item.verdict == "average hides" and item.indicator == "11.2.1" for item in first)
    assert any(item.kind == "voices" for item in first)
    nation = next(item for item in made_up.findings if item.kind == "nation" and item.indicator == "12.5.1")
    assert nation.verdict == "disagree on level"
    assert nation.numbers["relative_difference"] == pytest.approx(0.30, abs=0.03)
    assert "Likely reason: a steady distance" in nation.statement


def test_three_numbers_for_the_box(made_up):
    numbers = made_up.lead_numbers
    assert len(numbers) == 3
    for row in numbers.itertuples():
        assert row.number.split()[0] in row.statement
    assert lead.lead_figures([], {}) == []


# --- sentences ----------------------------------------------------------------------------------------------


def compared(**changes):
    row = {
        "area": "town", "other_area": "land", "indicator": "1.2.1", "series": "m", "unit": "%",
        "other_indicator": "1.2.1", "other_series": "m", "other_unit": "%", "comparability": "same",
        "comparability_reason": "", "common": 9,
        "year": 2023, "value": 13.0, "other_value": 10.0, "difference": 3.0, "ratio": 1.3, "relative_difference": 0.3,
        "difference_slope": 0.0, "difference_slope_low": -0.1, "difference_slope_high": 0.1, "difference_p": 0.9,
        "difference_p_ar1": 0.9, "span": 8.0, "trend": "no clear trend", "other_trend": "no clear trend",
        "movement": "", "other_movement": "", "verdict": "disagree", "disagree_on": "level", "likely_reason": "x",
    }  # fmt: skip
    return pd.DataFrame([row | changes])


KNOWN = pd.DataFrame(
    [{"indicator": "1.2.1", "series": "m", "unit": "%", "label": "Poverty", "goal": 1, "priority": False}]
)
GRADED = pd.DataFrame([{"area": "town", "indicator": "1.2.1", "series": "m", "unit": "%", "breakdown": "", "grade": "A",
                        "grade_reason": ""}])  # fmt: skip
NAMES = {"town": "Town", "land": "Land"}


def said(**changes):
    for side in ("", "other_"):
        if changes.get(f"{side}movement"):
            changes.setdefault(f"{side}trend", "robust trend")
    return statements_places.comparison_findings(compared(**changes), KNOWN, NAMES, GRADED)[0]


def test_a_comparison_says_size_direction_and_a_reason():
    text = said(likely_reason=comparison.likely_reason(compared().iloc[0].to_dict())).statement
    assert text == (
        "Poverty: in 2023 Town stands at 13 %, Land at 10 %: 3 percentage points above (30 % above). Neither shows a "
        "clear trend. Likely reason: a steady distance: the places differ in make-up, or the "
        "definitions do."
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"movement": "towards the goal", "other_movement": "away from the goal"},
            "Town moves towards the goal, Land away",
        ),
        ({"movement": "towards the goal", "other_movement": "towards the goal"}, "Both move towards the goal."),
        ({"other_movement": "away from the goal"}, "Land moves away from the goal; Town shows no clear trend."),
        (
            {"movement": "towards the goal", "other_trend": "cannot tell"},
            "Town moves towards the goal; for Land a trend cannot be told.",
        ),
        ({"trend": "cannot tell", "other_trend": "cannot tell"}, "For neither can a trend be told."),
        ({"trend": "cannot tell"}, "For Town a trend cannot be told; Land shows no clear trend."),
        ({"trend": "robust trend", "other_trend": "robust trend"}, "Neither shows a trend with a stated direction."),
        ({"difference": 0.0, "relative_difference": 0.0, "verdict": "agree"}, "no difference"),
        ({"difference": 0.0, "relative_difference": float("nan"), "other_value": 13.0}, ": no difference."),
        (
            {"difference": 0.5, "relative_difference": 0.05, "verdict": "agree", "disagree_on": ""},
            "They agree: the levels lie within 10 % of each other.",
        ),
        ({"difference": -3.0, "relative_difference": float("nan"), "unit": "%"}, ": 3 percentage points below. "),
        ({"difference": -3.0, "relative_difference": -0.3}, "30 % below"),
    ],
)
def test_directions_in_words(changes, words):
    assert words in said(**changes).statement


def test_a_pair_that_is_only_near_is_graded_down_and_its_slot_names_it():
    row = compared(comparability="near", comparability_reason="definitions differ in age").iloc[0].to_dict()
    assert comparison.likely_reason(row) == "the pair is near: definitions differ in age"
    assert said(comparability="near").grade == "B"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"common": 3}, "not to be told from 3 common years"),
        (
            {"difference_p": 0.01, "difference_p_ar1": 0.04, "difference_slope": 0.4},
            "the distance grows: the places develop differently",
        ),
        (
            {"difference_p": 0.01, "difference_p_ar1": 0.04, "difference_slope": -0.4},
            "the distance shrinks: the places develop differently",
        ),
        (
            {"difference_p": 0.01, "difference_p_ar1": 0.2, "difference_slope": 0.4, "difference_slope_high": 0.6},
            "neither growth nor steadiness can be told from 9 common years",
        ),
        ({"common": 7}, "neither growth nor steadiness can be told from 7 common years"),
        ({"span": 16.0}, "neither growth nor steadiness can be told from 9 common years"),
    ],
)
def test_likely_reasons(changes, reason):
    assert comparison.likely_reason(compared(**changes).iloc[0].to_dict()) == reason


def test_a_pair_of_which_nothing_can_be_told_is_no_finding():
    row = compared(verdict="cannot tell", disagree_on="", likely_reason="")
    assert statements_places.comparison_findings(row, KNOWN, NAMES, GRADED) == []


def test_selector_without_periods_takes_the_whole_series(observations):
    table = observations({("1.2.1", ""): {2019: 1.0, 2020: 2.0}, ("1.2.1", "sex=female"): {2019: 3.0}})
    row = pd.Series({"area": "town", "indicator": "1.2.1", "series": "measure", "unit": "%", "breakdown": ""})
    whole = make("trend", row, "v", "W.", {}, evidence=[selector(row, "", "")])
    year = make("trend", row, "v", "W.", {}, evidence=[selector(row, "2020", "2020")])
    groups = make("trend", row, "v", "W.", {}, evidence=[selector(row, "2019", "2019", "sex=*")])
    assert findings.evidence_rows(whole, table)["value"].tolist() == [1.0, 2.0]
    assert findings.evidence_rows(year, table)["value"].tolist() == [2.0]
    assert findings.evidence_rows(groups, table)["value"].tolist() == [1.0, 3.0]


def test_an_old_latest_value_is_no_reason_for_a_difference_in_a_common_year():
    old = compared(comparability="near", comparability_reason="latest values of 2019 and 2023").iloc[0].to_dict()
    assert comparison.likely_reason(old) == "a steady distance: the places differ in make-up, or the definitions do"


def gap_row(**changes):
    row = {"lowest_group": "a", "highest_group": "b", "ordered": False, "least_advantaged": "", "most_advantaged": "",
           "difference": 5.0, "difference_low": 2.0, "difference_high": 8.0, "interval": "bootstrap", "unit": "%",
           "direction": "decrease"}  # fmt: skip
    return pd.Series(row | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "b fares worse than a, a difference of 5 percentage points (95 % interval 2 to 8)"),
        ({"direction": ""}, "b is highest, a lowest, a difference of 5 percentage points"),
        ({"difference_low": -1.0}, "which chance alone may bring"),
        ({"difference": 0.0}, "a and b stand alike"),
        (
            {"ordered": True, "least_advantaged": "q1", "most_advantaged": "q5", "difference": -20.0,
             "difference_low": -21.5, "difference_high": -18.6},
            "q1 fares worse than q5, a difference of 20.0 percentage points (95 % interval 18.6 to 21.5)",
        ),
        (
            {"unit": "change relative to January 2020, proportion", "difference": 0.05, "difference_low": 0.02,
             "difference_high": 0.08},
            "a difference of 5 percentage points (95 % interval 2 to 8)",
        ),
    ],
)  # fmt: skip
def test_who_fares_worse_and_by_how_much(changes, words):
    assert words in statements._who(gap_row(**changes))


def test_a_change_from_a_base_in_percent_is_not_multiplied():
    assert exhibits.gap(3.4, "change relative to 2019, %") == "+3.4 change relative to 2019, %"
    assert exhibits.gap(0.034, "change relative to January 2020, proportion") == "+3.4 percentage points"


def test_groups_under_other_indicators_are_evidence_too(bristol):
    city = bristol.city
    item = next(item for item in bristol.findings if item.kind == "disparity" and "98.4" in item.statement)
    rows = findings.evidence_rows(item, city.observations)
    values = sorted(rows.loc[rows["breakdown"] != "", "value"])
    assert values[-1] - values[0] == pytest.approx(98.4, abs=0.05)


def test_a_trend_that_is_not_robust_is_told_as_perhaps():
    moved = {"movement": "towards the goal", "trend": "trend not robust"}
    assert "Town perhaps moves towards the goal; Land" in said(**moved, other_trend="no clear trend").statement
    both = moved | {"other_movement": "towards the goal"}
    assert "Both perhaps move towards the goal." in said(**both).statement


def test_every_finding_on_a_series_names_its_source(bristol, made_up):
    for review in (bristol, made_up):
        known = set(review.city.all_sources["source"])
        for item in review.findings:
            if item.indicator and item.kind != "voices":
                assert set(item.source.split(";")) <= known, item


def test_a_target_is_told_with_where_the_path_points(made_up):
    item = next(item for item in made_up.findings if item.verdict.startswith("target: ") and item.indicator == "1.2.1")
    assert "15.1 % in 2024, target 10 % by 2030 (city plan)" in item.statement
    assert item.numbers["target"] == 10
    assert item.numbers["projection_low"] < item.numbers["projection"] < item.numbers["projection_high"]
    assert "a path is not a forecast" in item.caveat.lower()


def test_who_set_a_target_is_told_in_the_language_in_use(monkeypatch):
    """A target of the parameters has no author: the words that say so are ours, and are translated."""
    monkeypatch.setattr(statements, "retold", lambda text: {"city parameters": "parámetros"}.get(text, text))
    row = pd.Series({"label": "x", "last_value": 1.0, "last_period": "2020", "target": 2.0, "due": 2030.0, "unit": "%",
                     "verdict": "on track", "target_source": "city parameters"})  # fmt: skip
    assert "(parámetros)" in statements._stands(row)
    assert "(plan 2022)" in statements._stands(pd.Series({**row, "target_source": "plan 2022"}))


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("2019", "2020", "the year before (2019); the shock of 2020 coincides with 2 % in 2020"),
        ("2018-04-01/P1Y", "2020-04-01/P1Y", "the year before"),
        ("2017-01-01/P3Y", "2020-01-01/P3Y", "the year before"),
        ("2019-03/2020-02", "2020-04", "the year before"),
        ("2018", "2020", "1 % in 2018, the last value before; the shock of 2020 coincides with 2 % in 2020"),
        ("2019", "2022", "the year before (2019); the first value after the shock of 2020 is 2 %, in 2022"),
        ("2018", "2022", "1 % in 2018, the last value before the shock of 2020; 2 % in 2022, the first value after it"),
    ],
)
def test_years_without_a_value_beside_the_shock_are_told(before, after, said):
    row = pd.Series({"level_period": before, "shock_period": after})
    values = {"label": "Paths", "level": "1 %", "shock": "2 %", "before": before, "period": after}
    assert said in statements._opening(row, values)
