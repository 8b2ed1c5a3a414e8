"""exhibits.py: numbers, units, periods and tables as readers see them."""

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlr_analysis import exhibits
from vlr_analysis.drawing import broken
from vlr_analysis.periods import spoken


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12345.6, "12,346"), (2.30, "2.3"), (-0.0999999, "−0.1"), (1e-9, "0.000000001"), (-4.44e-16, "0"),
     (float("nan"), "–"), (100.0, "100"), (0.00004567, "0.0000457"), (-1500, "−1,500")],
)  # fmt: skip
def test_number(value, text):
    assert exhibits.number(value) == text


@given(st.floats(-1e15, 1e15, allow_nan=False))
def test_a_number_is_never_off_by_more_than_its_digits(value):
    read = float(exhibits.number(value).replace(",", "").replace("−", "-"))
    assert math.isclose(read, value, rel_tol=0.006, abs_tol=1e-300) or (read == 0 and abs(value) < exhibits.NOTHING)


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(5.1, "%", "5.1 %"), (3.2, "Score out of 10", "3.2 out of 10"), (7.5, "ratio", "7.5"), (450, "£", "£450"),
     (-450, "US$", "−US$450"), (-0.221, "change relative to January 2020, proportion", "−22.1 % against January 2020")],
)  # fmt: skip
def test_with_unit(value, unit, text):
    assert exhibits.with_unit(value, unit) == text


@pytest.mark.parametrize(
    ("period", "text"),
    [("2019", "2019"), ("2019-04-01/P1Y", "2019/20"), ("2016-01-01/P3Y", "2016-2018"), ("2020-05", "2020-05"),
     ("2019-03/2020-02", "2019-03 to 2020-02"), ("the base", "the base"), ("", ""), ("2019-01-01/P1Y", "2019")],
)  # fmt: skip
def test_spoken_periods(period, text):
    assert spoken(period) == text


def test_a_table_shows_intervals_small_p_and_names_from_right_to_left():
    data = pd.DataFrame(
        {"label": ["حي <b>"], "slope_low": [-1.0], "slope_high": [2.5], "q": [1e-9], "first": ["2016-01-01/P3Y"]}
    )
    shown = exhibits.table(data, "t", "A table.", "label first slope_low:slope_high q")
    wanted = ["<caption>A table.</caption>", "95 % interval", "−1 to 2.5", "&lt;0.001", "2016-2018", 'scope="row"']
    for text in [*wanted, "<bdi>حي &lt;b&gt;</bdi>", 'scope="col"']:
        assert text in shown.html
    assert "2016-01-01/P3Y" in shown.csv()


def test_an_empty_table_says_so():
    data = pd.DataFrame({"label": pd.Series(dtype=str)})
    assert "<p>None here.</p>" in exhibits.table(data, "t", "A table.", "label", nothing="None here.").html


def test_canonical_lines_are_sorted_and_rounded():
    data = pd.DataFrame({"a": ["y", "x"], "b": [1 / 3, float("nan")]})
    assert exhibits.canonical(data, "a b", digits=3) == "a | b\nx | \ny | 0.333"


def test_an_exhibit_carries_its_data_beside_what_is_shown():
    data = pd.DataFrame({"label": ["x"], "value": [1 / 3]})
    bundle = exhibits.table(data, "t", "A table.", "label")._repr_mimebundle_()
    assert bundle[exhibits.MIME]["csv"] == "label,value\nx,0.333333\n"
    assert "<table>" in bundle["text/html"]


def test_a_line_is_interrupted_where_periods_are_left_out():
    t, value = broken([2013.5, 2014.5, 2015.5, 2020.5, 2021.5], [5, 4, 3, 3, 2])
    assert (
        [math.isnan(place) for place in t]
        == [math.isnan(place) for place in value]
        == [False] * 3 + [True] + [False] * 2
    )
    every_second = [2011.5, 2013.5, 2015.5, 2017.5]
    assert list(broken(every_second, [1, 2, 3, 4])[0]) == every_second
    assert list(broken([2020.5], [1])[1]) == [1]
