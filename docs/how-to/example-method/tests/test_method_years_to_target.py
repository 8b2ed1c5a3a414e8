"""Planted truth for methods/years_to_target.py: series for which the answer is known without the method."""

from pathlib import Path

import pytest
from scipy import stats

from vlr_analysis import own_methods

ROOT = Path(__file__).resolve().parents[1]
DOWN = {"direction": "decrease", "target": 10, "target_year": 2030}


def tried(values, **more):
    return own_methods.tried("years_to_target", values, root=ROOT, **(DOWN | more))


def line(start, step, first=2013, last=2024):
    return {year: start + step * (year - first) for year in range(first, last + 1)}


@pytest.mark.parametrize(
    ("step", "years", "verdict"),
    [(-1.0, 9.0, "some progress"), (-1.5, 3.5 / 1.5, "on track")],
)
def test_a_straight_line_arrives_when_arithmetic_says(step, years, verdict):
    """From 30 in 2013, down by one a year: 19 in 2024, nine years to 10. By 1.5 a year: 13.5, and 3.5 to go."""
    row = tried(line(30, step))
    assert row["result"] == pytest.approx(years)
    assert (row["verdict"], row["first"], row["last"]) == (verdict, "2017", "2024")
    assert row["low"] != row["low"], "every slope is alike: the interval has no width, and the kit takes it for none"


def test_one_odd_year_moves_nothing():
    """Steps of -1, but 2020 stands 3 too high: 21 of the 28 slopes are -1, three above and four below."""
    row = tried({year: 23.0 - (year - 2017) + 3 * (year == 2020) for year in range(2017, 2025)})
    assert (row["pace"], row["result"]) == (-1.0, 6.0)
    assert row["reason"] == "an interval without width is none"


def test_pace_and_interval_are_those_of_another_program():
    values = dict(zip(range(2017, 2025), (24.1, 23.7, 23.2, 21.9, 22.4, 20.8, 20.1, 19.6), strict=True))
    slope, _, low, high = stats.theilslopes(list(values.values()), list(values), alpha=0.95)
    row = tried(values)
    assert row["pace"] == pytest.approx(slope)
    assert (row["low"], row["result"], row["high"]) == pytest.approx((9.6 / -low, 9.6 / -slope, 9.6 / -high))
    assert row["low"] < row["result"] < row["high"]


def test_more_is_better_where_the_direction_says_so():
    assert tried(line(50, 2), direction="increase", target=80)["result"] == pytest.approx(4.0)
    assert tried(line(50, 2), direction="decrease", target=20)["verdict"] == "moving away"


def test_a_target_that_is_met_is_met():
    row = tried(line(20, -1))
    assert (row["result"], row["verdict"]) == (0.0, "target met")


def test_a_pace_that_may_be_zero_gives_no_years():
    wobbling = dict(zip(range(2017, 2025), (20, 22, 19, 21, 20, 22, 19, 20), strict=True))
    row = tried(wobbling)
    assert (row["verdict"], row["reason"]) == ("cannot tell", "the pace may be zero")
    assert row["result"] != row["result"]


def test_it_refuses_what_two_values_cannot_carry():
    row = tried({2023: 20.0, 2024: 19.0})
    assert row["verdict"] == "cannot tell"
    assert row["reason"] == "2 yearly values; 5 are needed"
