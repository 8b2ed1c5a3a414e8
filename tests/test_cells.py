"""One cell on its way in: numbers, marks, names and labels of time, as offices write them."""

import datetime
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlr_analysis.observations import STATUSES, WITHOUT_VALUE
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.cells import Formula, decimal_mark, is_blank, read_label, read_number, shown
from vlr_analysis.sources.labels import part_of_year, read_periods


@pytest.mark.parametrize(
    ("text", "value", "why"),
    [
        ("12.3", 12.3, ""),
        (" 12.3 ", 12.3, ""),
        ("12,3", 12.3, "decimal comma"),
        ("0,123", 0.123, "decimal comma"),
        ("1.234,5", 1234.5, "thousands mark"),
        ("1,234,567", 1234567, "thousands mark"),
        ("1 234,5", 1234.5, "thousands mark"),
        ("1\u00a0234", 1234, "thousands mark"),
        ("1\u202f234\u202f567", 1234567, "thousands mark"),
        ("1'234.5", 1234.5, "thousands mark"),
        ("12 %", 12, "percent sign"),
        ("12,5%", 12.5, "percent sign"),
        ("–5.2", -5.2, "dash read as minus"),
        ("\u22125.2", -5.2, "dash read as minus"),
        ("12.3*", 12.3, "mark * beside the number"),
        ("12²", 12, "mark ² beside the number"),
        ("12.3 [1]", 12.3, "mark [1] beside the number"),
        ("١٢٫٥", 12.5, "digits of another script"),
        ("٥٫٢٪", 5.2, "percent sign"),
        ("6٪", 6, "percent sign"),
        ("$5", 5, "sign of a currency taken out: $"),
        ("€1,234", 1234, "sign of a currency taken out: €"),
        ("-€ 1,234.50", -1234.5, "sign of a currency taken out: €"),
        ("US$1.5", 1.5, "sign of a currency taken out: $"),
        ("1.234,50 €", 1234.5, "sign of a currency taken out: €"),
        ("£7.9", 7.9, "sign of a currency taken out: £"),
        ("1.5e3", 1500, ""),
        ("0", 0, ""),
        (0, 0, ""),
        (5.0, 5, ""),
    ],
)
def test_a_number_is_read_and_what_was_mended_is_said(text, value, why):
    number = read_number(text)
    assert number.value == value
    assert number.status == "value"
    assert why in ", ".join(number.why)
    assert bool(why) == bool(number.why)


@pytest.mark.parametrize(
    ("mark", "status"),
    [
        *[(mark, "missing") for mark in ("", " ", "\u00a0", None, "..", "...", "…", ":", "-", "–", "n/a", "N/A", "n/d",
                                         "s/d", "#N/A", ".", "k. A.", ": u", float("nan"))],
        *[(mark, "suppressed") for mark in ("*", "c", "x", "s", "[c]", "<5", "< 5", "≥95%", ": c")],
        *[(mark, "not_applicable") for mark in ("[z]", "not applicable")],
    ],
)  # fmt: skip
def test_a_mark_is_a_status_and_never_zero(mark, status):
    number = read_number(mark, flags=True)
    assert number.status == status
    assert math.isnan(number.value)
    assert number.unreadable is None


@pytest.mark.parametrize(
    "content",
    ["nil", "abc", "1,2,3", "(5)", "5 (12)", "5 km", "12b", "12.3.4", "1e999", "=1+1", "=cmd|' /C calc'!A0",
     "#REF!", "#DIV/0!", True, datetime.datetime(2020, 2, 1), Formula("SUM(A1)"), "9" * 500, 10**400],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_help(content):
    number = read_number(content)
    assert math.isnan(number.value)
    assert number.unreadable is not None
    problem = number.unreadable.at("figures.csv, row 2")
    assert problem.found and problem.expected and problem.fix
    assert len(str(problem)) < 250


def test_a_text_with_two_readings_is_decided_by_the_sheet_or_refused():
    assert read_number("1,234", decimal=".").value == 1234
    assert read_number("1,234", decimal=",").value == 1.234
    assert read_number("1.234", decimal=",").value == 1234
    open_question = read_number("1,234", decimal="")
    assert "1234 or 1.234" in open_question.unreadable.expected
    assert decimal_mark(["1.234", "12,5"]) == ","
    assert decimal_mark(["1,234", "12.5"]) == "."
    assert decimal_mark(["1.234.567"]) == ","
    assert decimal_mark(["12,5", "12.5"], ".") == ""
    assert decimal_mark(["1,234"], ".") == "."
    assert decimal_mark(["€1.234", "12,50 €"]) == ","
    assert read_number("€1,234", decimal="").unreadable is not None
    assert decimal_mark([1.5, None, "abc, def."], ",") == ","


def test_flags_of_eurostat_are_statuses_only_where_they_are_flags():
    assert read_number("7.9 p", flags=True).status == "provisional"
    assert read_number("7.9 b", flags=True).status == "break"
    assert read_number("7.9 be", flags=True).status == "break"
    assert read_number("7.9 b").unreadable is not None  # could be billions
    assert read_number("7.9 (p)").status == "provisional"
    assert read_number("7.9p").status == "provisional"
    for content, flags in (("7.9 c", True), ("7.9 bc", True), ("2 (c)", False), ("3 [c]", False), ("3 (Q)", False)):
        number = read_number(content, flags=flags)  # a number that should not be there is not taken
        assert (number.status, number.value != number.value, bool(number.why)) == ("suppressed", True, True)
    assert read_number("7.9 z", flags=True).unreadable is not None


@pytest.mark.parametrize(("cell", "fix"), [
    ("1.2 (k)", "write the number out"), ("5 (M)", "write the number out"), ("5 (mn)", "write the number out"),
    ("5k", "write the number out"), ("4 (s)", "secret"), ("5 (x)", "secret"), ("5 [z]", "secret"),
    ("5 (h)", "take off 'h'"), ("5 (low)", "take off 'low'"), ("€1.2m", "write the number out"),
    ("(12.5)", "write -12.5 for a negative number"), ("9.5‰", "‰ as the unit"),
])  # fmt: skip
def test_a_letter_or_brackets_that_may_mean_several_things_are_refused(cell, fix):
    number = read_number(cell)
    assert number.unreadable is not None and fix in number.unreadable.fix and number.value != number.value


def test_a_letter_of_sdmx_in_brackets_is_its_status():
    found = [read_number(f"5 ({letter})") for letter in "pPeEiIfFbBaAgGvVnNuUdDrR"]
    assert [number.value for number in found] == [5.0] * len(found)
    wanted = ["provisional"] * 2 + ["estimated"] * 6 + ["break"] * 2 + ["value"] * 14
    assert [number.status for number in found] == wanted


def test_a_number_that_the_program_shows_as_a_percentage_is_taken_as_shown():
    number = read_number(0.123, percent_format=True)
    assert (number.value, number.percent) == (12.3, True)


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("=1+1", "1+1"),
        ("=cmd|' /C calc'!A0", "cmd|' /C calc'!A0"),
        ("@SUM(A1)", "SUM(A1)"),
        ("-SUM(A1)", "SUM(A1)"),
        ("+1+cmd|' /C calc'!A0", "1+cmd|' /C calc'!A0"),
        ("-5 to 0 degrees", "-5 to 0 degrees"),
        ("+65", "+65"),
        ("safe\u202etxt", "safetxt"),
        ("two\n lines\t here", "two lines here"),
        ("Sa\u0303o Paulo", "São Paulo"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_a_name_holds_nothing_that_a_spreadsheet_runs_or_that_hides(text, taken):
    assert read_label(text)[0] == taken


@pytest.mark.parametrize(
    ("label", "period", "status"),
    [
        ("2019", "2019", ""),
        (2019, "2019", ""),
        (2019.0, "2019", ""),
        ("2019/20", "2019-07-01/P1Y", ""),
        ("2019-20", "2019-07-01/P1Y", ""),
        ("2019–20", "2019-07-01/P1Y", ""),
        ("1999-00", "1999-07-01/P1Y", ""),
        ("FY2020", "2019-07-01/P1Y", ""),
        ("FY 2019/20", "2019-07-01/P1Y", ""),
        ("2019 (p)", "2019", "provisional"),
        ("2019e", "2019", "estimated"),
        ("2019*", "2019", ""),
        ("2019 [YR2019]", "2019", ""),
        ("Año 2019", "2019", ""),
        ("2017-2019", "2017-01-01/P3Y", ""),
        ("2017-19", "2017-01-01/P3Y", ""),
        ("2019-2020", "2019-01-01/P2Y", ""),
        ("2019Q3", "2019-Q3", ""),
        ("Q3 2019", "2019-Q3", ""),
        ("2019M7", "2019-07", ""),
        ("2019-07", "2019-07", ""),
        ("July 2019", "2019-07", ""),
        ("31/07/2019", "2019-07-31", ""),
        ("2019-S2", "2019-07-01/P6M", ""),
        (datetime.datetime(2019, 7, 3), "2019-07-03", ""),
    ],
)
def test_a_label_of_time_is_a_period(label, period, status):
    read = read_periods([label])[label]
    assert (read.period, read.status) == (period, status)


@pytest.mark.parametrize(
    "label", ["Total", "20191", "3000", "19", "2019x", "", None, True, 2019.5, "07/08/2019", "2011-12", "2011-13a"]
)
def test_what_is_no_plain_period_is_refused_with_help(label):
    read = read_periods([label])[label]
    assert read.period == ""
    assert "write" in read.unreadable.fix


def test_labels_that_only_neighbours_can_tell():
    assert read_periods(["2011-12", "2012-13"])["2011-12"].period == "2011-07-01/P1Y"
    assert read_periods(["2011-12", "2011-11"])["2011-12"].period == "2011-12"
    assert read_periods(["2019-2020", "2020-2021"])["2019-2020"].period == "2019-07-01/P1Y"
    assert read_periods(["2019/20"], year_start="04-01")["2019/20"].period == "2019-04-01/P1Y"


ALMOST_NUMBERS = st.from_regex(r"[-–]?\d{0,3}[ .,'\u00a0]?\d{0,3}[.,]?\d{0,3} ?[%*a-z]?", fullmatch=True)


@given(st.one_of(st.text(max_size=30), ALMOST_NUMBERS), st.sampled_from([".", ",", ""]), st.booleans())
def test_any_text_is_a_number_a_status_or_a_refusal(text, decimal, flags):
    number = read_number(text, decimal=decimal, flags=flags)
    assert number.status in STATUSES
    assert math.isnan(number.value) == (number.status in WITHOUT_VALUE)
    if number.unreadable is None and is_blank(text):
        assert number.status == "missing"
    if number.value == 0:
        assert any(letter.isdecimal() for letter in text)  # no mark is a zero
    label, _ = read_label(text)
    assert read_label(label)[0] == label
    assert len(shown(text)) < 400


@given(st.one_of(st.text(max_size=20), st.from_regex(r"(FY)?\d{2,4} ?[-/–QM] ?\d{1,4}( \([a-z]\))?", fullmatch=True)))
def test_any_label_is_a_period_or_a_refusal(text):
    read = read_periods([text])[text]
    assert bool(read.period) == (read.unreadable is None)
    if read.period:
        parse_period(read.period)


@pytest.mark.parametrize(("labels", "periods"), [
    (("2019T1", "2019T2", "2019T4"), ["2019-Q1", "2019-Q2", "2019-Q4"]),
    (("2019-T1", "T4 2019", "1T2020"), ["2019-Q1", "2019-Q4", "2020-Q1"]),
    (("2019T1", "2019T2", "2019T3"), ["", "", ""]),
])  # fmt: skip
def test_labels_with_a_t_are_quarters_where_there_is_a_fourth_and_else_refused(labels, periods):
    found = read_periods(labels)
    assert [found[label].period for label in labels] == periods
    for label in found.values():
        fix = label.unreadable.fix if label.unreadable else ""
        assert label.why if label.period else ("-Q" in fix and "/P4M" in fix)


@pytest.mark.parametrize(("text", "name", "part"), [
    ("Q1", "quarter", "-Q1"), ("Q4", "season", "-Q4"), ("T3", "trimestre", "-Q3"), ("2", "trimestre", "-Q2"),
    ("IV", "trimestre", "-Q4"), ("1er trimestre", "trimestre", "-Q1"), ("2nd quarter", "quarter", "-Q2"),
    ("S2", "semestre", "-07-01/P6M"), ("1", "half-year", "-01-01/P6M"), ("March", "mes", "-03"),
    ("H2", "period", "-07-01/P6M"),
    ("Jan-Jun", "period", "-01-01/P6M"), ("julio a septiembre", "", "-07-01/P3M"), ("Jun-Jan", "", ""), ("H3", "", ""),
    ("3", "semestre", ""), ("5", "quarter", ""), ("T1", "zone", ""), ("1", "zone", ""), ("North", "quarter", ""),
])  # fmt: skip
def test_a_part_of_a_year_is_read_beside_its_year(text, name, part):
    assert part_of_year(text, name) == part


@pytest.mark.parametrize(("label", "period"), [
    ("2019 (c)", ""), ("2019 [k]", ""), ("2019 (M)", ""), ("2019 (x)", ""), ("2019 (p)", "2019"), ("2019 (1)", "2019"),
])  # fmt: skip
def test_a_year_marked_as_confidential_or_in_thousands_is_no_year(label, period):
    assert read_periods([label])[label].period == period


@pytest.mark.parametrize(("label", "period", "status"), [
    ("2020 (provisional)", "2020", "provisional"), ("2020 (vorläufig)", "2020", "provisional"),
    ("2020 (estimate)", "2020", "estimated"), ("2020 (estimación)", "2020", "estimated"),
    ("2020 provisional", "2020", "provisional"), ("2020P", "2020", "provisional"), ("2020E", "2020", "estimated"),
    ("2019 actual", "2019", ""), ("2019 (actual)", "2019", ""), ("2019 (final)", "2019", ""),
    ("Provisional 2020", "2020", "provisional"), ("2019/20 (provisional)", "2019-07-01/P1Y", "provisional"),
    ("2019Q3 (p)", "2019-Q3", "provisional"), ("Census 2011", "2011", ""), ("Censo 2011 (p)", "2011", "provisional"),
    ("Mid-2019", "2019", ""), ("Value (2020)", "2020", ""), ("Año: 2019", "2019", ""), ("Jahr2019", "2019", ""),
    ("2019 (%)", "2019", ""), ("2019 (1)", "2019", ""), ("2019 (a)", "2019", ""), ("2019¹", "2019", ""),
    ("٢٠١٩", "2019", ""), ("٢٠١٩/٢٠", "2019-07-01/P1Y", ""), ("Q1 19", "2019-Q1", ""), ("Q4'98", "1998-Q4", ""),
    ("Jan-19", "2019-01", ""), ("ene-19", "2019-01", ""), ("Jan '19", "2019-01", ""), ("01/2019", "2019-01", ""),
    ("1er trimestre 2019", "2019-Q1", ""), ("3.º trimestre de 2019", "2019-Q3", ""), ("2. Quartal 2019", "2019-Q2", ""),
    ("Jul 2019 (p)", "2019-07", "provisional"), ("Q1 2019 (e)", "2019-Q1", "estimated"),
    ("Quarter 3, 2019", "2019-Q3", ""), ("2019 1st quarter", "2019-Q1", ""),
    ("H1 2019", "2019-01-01/P6M", ""), ("Jan-Jun 2019", "2019-01-01/P6M", ""),
    ("Enero-Marzo 2019", "2019-01-01/P3M", ""), ("2019 July to December", "2019-07-01/P6M", ""),
])  # fmt: skip
def test_what_stands_beside_a_year_is_its_status_or_left_out(label, period, status):
    read = read_periods([label])[label]
    assert (read.period, read.status) == (period, status)
    assert read.why and read.unit == ("%" if "%" in label else "")


@pytest.mark.parametrize(("label", "words"), [
    ("2025 (proj)", "a target"), ("2025 (tgt)", "a target"), ("2030 (plan)", "a target"), ("2030 (meta)", "a target"),
    ("2025 (f)", "a target"), ("2025f", "a target"), ("2025F", "a target"), ("2025 (forecast)", "a target"),
    ("2030 target", "a target"), ("Target 2030", "a target"), ("2030 (Ziel)", "a target"), ("2030 (cible)", "a target"),
    ("2019 (cv)", "'2019 (cv)'"), ("2019 (n.a)", "'2019 (n.a)'"), ("2019 (low)", "'2019 (low)'"),
    ("2019 F", "'2019 F'"),
    ("England 2020", "'England 2020'"), ("England 2020 (p)", "'England 2020 (p)'"),
    ("Women 2020", "'Women 2020'"), ("2019 Women", "'2019 Women'"),
    ("Average 2018-2020", "'Average"), ("13/2019", "'13/2019'"), ("Jun-Jan 2019", "'Jun-Jan 2019'"),
])  # fmt: skip
def test_what_stands_beside_a_year_and_is_of_no_figure_observed_or_not_known_is_refused(label, words):
    read = read_periods([label])[label]
    assert not read.period and words in read.unreadable.found and "write" in read.unreadable.fix


@pytest.mark.parametrize(("labels", "periods"), [
    (("2010/11", "2010/12", "2011/01"), ["2010-11", "2010-12", "2011-01"]),
    (("2010/11", "2011/12"), ["2010-07-01/P1Y", "2011-07-01/P1Y"]),
    (("2008-10", "2009-11", "2010-12"), ["", "", ""]), (("2008/10", "2009/11"), ["", ""]),
    (("2017-19", "2018-20"), ["2017-01-01/P3Y", "2018-01-01/P3Y"]),
    (("Jan-19", "Feb-19", "Jan-20"), ["2019-01", "2019-02", "2020-01"]), (("Jan-01", "Jan-02", "Jan-03"), ["", "", ""]),
    (("Jan-98", "Jan-99"), ["1998-01", "1999-01"]),
])  # fmt: skip
def test_short_labels_are_read_by_their_neighbours_or_refused(labels, periods):
    found = read_periods(labels)
    assert [found[label].period for label in labels] == periods
