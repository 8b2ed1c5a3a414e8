"""grades.py: the weakest side decides, and every reason is told."""

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import grades, trends
from vlr_analysis.observations import check

SOURCES = pd.DataFrame({"source": ["o", "s", "x", "q"], "source_class": ["official", "survey", "", "qualitative"]})


def graded(values, *, source="o", as_of=2024, indicator="pe.1", low=np.nan, status="value", smells=None, **known):
    rows = [
        {"area": "town", "indicator": indicator, "series": "m", "unit": "%", "period": str(year), "breakdown": "",
         "value": value, "low": value - low, "high": value + low, "source": source,
         "status": status if year == max(values) else "value"}
        for year, value in values.items()
    ]  # fmt: skip
    definitions = pd.DataFrame([{"indicator": indicator, "series": "m", "unit": "%", **known}])
    table = check(pd.DataFrame(rows))
    row = grades.series_grades(table, definitions, SOURCES, as_of, smells=smells).iloc[0]
    return row["grade"], row["grade_reason"]


LONG = dict.fromkeys(range(2010, 2025), 5.0) | {2012: 6.0}


@pytest.mark.parametrize(
    ("options", "grade", "reason"),
    [
        ({}, "A", ""),
        ({"source": "s"}, "B", "a survey without intervals"),
        ({"source": "s", "low": 1.0}, "A", ""),
        ({"source": "x"}, "C", "the class of the source is not stated"),
        ({"source": "q"}, "C", "qualitative source"),
        ({"as_of": 2026}, "A", ""),
        ({"as_of": 2027}, "B", "latest value of 2024, newest year is 2027"),
        ({"as_of": 2030}, "C", "latest value of 2024, newest year is 2030"),
        ({"as_of": 2032}, "D", "latest value of 2024, newest year is 2032"),
        ({"geography": "county"}, "B", "figures of the county"),
        ({"indicator": "8.5.2", "definition": "same"}, "A", ""),
        ({"indicator": "8.5.2", "definition": "adapted"}, "B", "adapted from indicator 8.5.2"),
        ({"indicator": "8.5.2", "definition": "other"}, "C", "not what indicator 8.5.2 measures"),
        ({"indicator": "8.5.2"}, "B", "definition not compared with the global one"),
        ({"status": "provisional"}, "B", "latest value provisional"),
        ({"source": "q", "as_of": 2030}, "C", "qualitative source; latest value of 2024, newest year is 2030"),
    ],
)
def test_each_side_limits_and_says_so(options, grade, reason):
    assert graded(LONG, **options) == (grade, reason)


@pytest.mark.parametrize(("years", "grade"), [(8, "A"), (7, "B"), (5, "B"), (4, "C"), (2, "C"), (1, "D")])
def test_few_years_limit(years, grade):
    values = {2025 - place: 1.0 + place for place in range(1, years + 1)}
    assert graded(values)[0] == grade
    assert grade == "A" or f"{years} yearly value" in graded(values)[1]


@pytest.mark.parametrize(("hidden", "grade"), [(1, "C"), (2, "C"), (3, "D")])
def test_values_that_are_suppressed_limit_the_grade(hidden, grade):
    """Five of a hundred deaths a year are hidden where they are fewest: what is left says too much."""
    rows = [
        {"area": "town", "indicator": "pe.1", "series": "m", "unit": "%", "period": str(2013 + year), "breakdown": "",
         "value": np.nan if 3 <= year < 3 + hidden else 12.0 - year, "low": np.nan, "high": np.nan, "source": "o",
         "status": "suppressed" if 3 <= year < 3 + hidden else "value"}
        for year in range(12)
    ]  # fmt: skip
    table, definitions = check(pd.DataFrame(rows)), pd.DataFrame([{"indicator": "pe.1", "series": "m", "unit": "%"}])
    row = grades.series_grades(table, definitions, SOURCES, 2024).iloc[0]
    assert (row["grade"], row["grade_reason"]) == (grade, "suppressed values, mostly small ones, are not counted")
    assert trends.trend_table(table).iloc[0]["note"] == f"suppressed values that are not counted: {hidden}"


def test_points_before_a_break_do_not_count(observations, definitions):
    table = observations({("pe.1", ""): dict.fromkeys(range(2005, 2025), 3.0)}, status={"2020": "break"})
    table["source"] = "o"
    row = grades.series_grades(table, definitions(table), SOURCES, 2024).iloc[0]
    assert (row["grade"], row["n"]) == ("B", 5)
    assert row["grade_reason"] == "5 yearly values since the break; a break in the series"


def test_a_suspicion_of_the_smell_test_is_c_at_most():
    smells = pd.DataFrame([{"area": "town", "indicator": "pe.1", "series": "m", "unit": "%", "breakdown": "",
                            "suspicion": "factor of 10"}])  # fmt: skip
    assert graded(LONG, smells=smells) == ("C", "smell test: factor of 10")


def test_a_series_without_any_value_is_d(observations, definitions):
    table = observations({("pe.1", ""): {2020: float("nan")}}, status={"2020": "missing"})
    row = grades.series_grades(table, definitions(table), SOURCES, 2024).iloc[0]
    assert (row["grade"], row["grade_reason"]) == ("D", "no value")


def test_lowest_keeps_every_reason_of_the_weakest_letter_once():
    assert grades.lowest([]) == ("A", "")
    assert grades.lowest([("B", "x"), ("C", "y"), ("C", "z"), ("C", "y")]) == ("C", "y; z")
    assert grades.lowest([("A", "never told")]) == ("A", "")
