"""Wide tables as offices send them: each is read as it is meant, or refused with the cell and what to do."""

from datetime import datetime

import pytest
from openpyxl import Workbook

from vlr_analysis.errors import InputError
from vlr_analysis.sources.formats import read
from vlr_analysis.sources.heading_words import hints_at_scale, kind_of, scale_in
from vlr_analysis.sources.sheet_shown import form_of

GIVEN = {"area": "exampleville", "source": "test"}
RATE = "8.5.2 Rate,%"


def from_text(folder, text, name="wide", **options):
    (folder / "t.csv").write_text(text, encoding="utf-8")
    return read(name, folder / "t.csv", **GIVEN, **options)


def from_book(folder, rows, name="wide", merged=(), forms=None):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    for cell, form in (forms or {}).items():
        book.active[cell].number_format = form
    book.save(folder / "t.xlsx")
    return read(name, folder / "t.xlsx", **GIVEN)


def figures(reading):
    """Return (series, unit, period, breakdown, value, status) of each figure; the last two as one where it is plain."""
    return {
        (row.series, row.unit, row.period, row.breakdown): row.value if row.status == "value" else row.status
        for row in reading.table.itertuples()
    }


def groups(reading):
    assert not reading.problems
    return {(row.breakdown, row.value) for row in reading.table.itertuples() if row.period == "2019"}


# --- groups that are written once ------------------------------------------------------------------------


@pytest.mark.parametrize(("rows", "wanted"), [
    # Empty means the group above: else 25-64 would stand twice.
    (["U,%,Women,15-24,1,1", ",,,25-64,2,2", ",,Men,15-24,3,3", ",,,25-64,4,4"],
     {("age=15-24;sex=female", 1), ("age=25-64;sex=female", 2), ("age=15-24;sex=male", 3), ("age=25-64;sex=male", 4)}),
    (["U,%,Total,Total,1,1", "U,%,Women,Total,2,2", "U,%,,15-24,3,3"],
     {("", 1), ("sex=female", 2), ("age=15-24;sex=female", 3)}),
    (["U,%,Women,15-24,1,1", ",,,25-64,2,2"], {("age=15-24;sex=female", 1), ("age=25-64;sex=female", 2)}),
    # Empty means the total: a block of rows begins so, or the group above would stand twice.
    (["U,%,,,1,1", "U,%,Women,,2,2", "U,%,,15-24,3,3"], {("", 1), ("sex=female", 2), ("age=15-24", 3)}),
    (["U,%,Women,,1,1", "U,%,Men,,2,2", "U,%,,,3,3"], {("sex=female", 1), ("sex=male", 2), ("", 3)}),
    # Another series does not take the group of the one above.
    (["U,%,Women,,1,1", "U,%,Men,,2,2", "V,%,,,3,3"], {("sex=female", 1), ("sex=male", 2), ("", 3)}),
])  # fmt: skip
def test_an_empty_cell_of_groups_is_the_group_above_or_the_total(tmp_path, rows, wanted):
    reading = from_text(tmp_path, "\n".join(["Indicator,Unit,Sex,Age,2019,2020", *rows, ""]))
    assert groups(reading) == wanted


def test_an_empty_cell_that_may_be_either_is_told_at_its_cell(tmp_path):
    text = "Indicator,Unit,Sex,Age,2019,2020\nU,%,Women,15-24,1,1\nU,%,,25-64,2,2\n"
    reading = from_text(tmp_path, text)
    assert set(reading.table["breakdown"]) == {"age=15-24;sex=female"}
    assert "cell C3: found nothing below Sex; expected a group, or Total" in str(reading.problems[0])


def test_joined_cells_of_groups_hold_for_all_their_rows(tmp_path):
    rows = [["Indicator", "Unit", "Sex", "Age", 2019, 2020], ["U", "%", "Women", "15-24", 1, 1],
            [None, None, None, "25-64", 2, 2], ["U", "%", None, "15-24", 3, 3]]  # fmt: skip
    reading = from_book(tmp_path, rows, merged=["A2:A3", "B2:B3", "C2:C3"])
    assert groups(reading) == {("age=15-24;sex=female", 1), ("age=25-64;sex=female", 2), ("age=15-24", 3)}


# --- several tables on one sheet -------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "Indicator,Unit,2015,2016\nA,%,1,2\n,,,\nTable 2,,,\nIndicator,Unit,2019,2020\nB,%,3,4\n",
    "Indicator,Unit,2015,2016\nA,%,1,2\nMeasure,Unit,2019,2020\nB,%,3,4\n",
    "Indicator,Unit,2015,2016,Notes\nA,%,1,2,\n\nIndicator,Unit,2019,2020,Notes\nB,%,3,4,\n",
    "Indicator,Unit,2015,2016\nA,%,1,2\nSubject,Unit,2019,2020\nB,%,3,4\n",
    "Topic,Unit,2015,2016\nA,%,1,2\n,,,\nTopic,Unit,2019,2020\nB,%,3,4\n",
    "Indicator,2015,2016,,Indicator,2019,2020\nA (%),1,2,,B (%),3,4\n",
    "Indicator,Unit,2015,2016,Indicator,Unit,2019,2020\nA,%,1,2,B,%,3,4\n",
    "Topic,Unit,2015,2016,,Topic,Unit,2019,2020\nA,%,1,2,,B,%,3,4\n",
])  # fmt: skip
def test_each_table_of_a_sheet_has_its_own_years(tmp_path, text):
    reading = from_text(tmp_path, text)
    assert reading.problems == []
    assert figures(reading) == {("A", "%", "2015", ""): 1, ("A", "%", "2016", ""): 2, ("B", "%", "2019", ""): 3,
                                ("B", "%", "2020", ""): 4}  # fmt: skip
    row = next(row for row, line in enumerate(text.splitlines(), 1) if "B" in line)
    column = text.splitlines()[row - 1].split(",").index("3")
    at = reading.origins.loc[reading.origins["period"] == "2019", "cell"].item()
    assert at == f"{'ABCDEFGH'[column]}{row}"
    assert sum("several tables on a sheet" in repair.why for repair in reading.repairs) == 2


def test_percent_formats_and_marks_stay_with_their_cells_in_a_second_table(tmp_path):
    rows = [["Indicator", "Unit", 2015, 2016], ["A", "%", "1,5", "2"], [], ["Indicator", "Unit", 2019, 2020],
            ["B", "%", 0.5, 0.25], ["C", "people", "1.500", "2"]]  # fmt: skip
    reading = from_book(tmp_path, rows, forms={"C5": "0%", "D5": "0.0%"})
    assert figures(reading)["B", "%", "2019", ""] == 50 and figures(reading)["B", "%", "2020", ""] == 25
    assert figures(reading)["C", "people", "2019", ""] == 1500  # the comma of the first table says what a point is


@pytest.mark.parametrize(("rows", "words"), [
    (",,2019,2020\n", "row 3: found a row that may be of years or of figures.*Fix: name the first column"),
    ("\nSubject,Kind,2019,2020\n", "row 4: found a row that may be of years or of figures.*Fix: head the first"),
])  # fmt: skip
def test_a_row_that_may_be_of_years_is_refused(tmp_path, rows, words):
    with pytest.raises(InputError, match=words):
        from_text(tmp_path, f"Indicator,Unit,2015,2016\nA,%,1,2\n{rows}B,%,3,4\n")


def test_names_between_years_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"column D: found names or remarks below 'Subject' between the years"):
        from_text(tmp_path, "Indicator,2015,2016,Subject,2019,2020\nA (%),1,2,B (%),3,4\n")


@pytest.mark.parametrize("text", [
    "Indicator,'18,'19,'20\nJobs,1985,2010,2050\nHouses,1200,1300,1400\n",
    "Sex,Jobs,Houses\nMen,1985,2010\nWomen,1900,2000\n",
    ",Jobs,Houses\nMen,1985,2010\nWomen,1900,2000\n",
    "District,Men,Women\nNorth,1985,2010\nSouth,1900,2000\n",
])  # fmt: skip
def test_counts_below_a_header_are_no_years(tmp_path, text):
    with pytest.raises(InputError, match=r"expected a row with at least two years. Fix: put the years, in four digits"):
        from_text(tmp_path, text)


def test_counts_that_look_like_years_are_figures_of_their_table(tmp_path):
    reading = from_text(
        tmp_path, "Indicator,Unit,2018,2019,2020\nJobs,count,1985,2010,2050\nCity,count,1990,1991,1992\n"
    )
    assert figures(reading)["Jobs", "count", "2019", ""] == 2010
    assert figures(reading)["City", "count", "2019", ""] == 1991


# --- dates and percentages of workbooks ------------------------------------------------------------------

FIRST = datetime(2019, 1, 1)


@pytest.mark.parametrize(("content", "form", "period"), [
    (2019, "yyyy", "2019"), (FIRST, "yyyy", "2019"), (datetime(2019, 12, 31), "yyyy", "2019"),
    (FIRST, "mmm-yy", "2019-01"), (FIRST, "mmm yyyy", "2019-01"), (FIRST, "[$-409]mmmm\\ yyyy;@", "2019-01"),
    (FIRST, "dd/mm/yyyy", "2019-01-01"), (2019, "General", "2019"),
])  # fmt: skip
@pytest.mark.parametrize("name", ["wide", "long"])
def test_a_date_is_what_the_program_shows(tmp_path, content, form, period, name):
    if name == "wide":
        rows, cell = [["Indicator", "Unit", content, 2024], ["U", "%", 5, 6]], "C1"
    else:
        rows, cell = [["Year", "Indicator", "Unit", "Value"], [content, "U", "%", 5]], "A2"
    reading = from_book(tmp_path, rows, name, forms={cell: form})
    assert figures(reading)["U", "%", period, ""] == 5


def test_a_year_that_became_a_day_is_refused_at_its_cell(tmp_path):
    with pytest.raises(InputError, match=r"Sheet!D1: found the day 1905-07-12; .* it holds 2020"):
        from_book(tmp_path, [["Indicator", "Unit", 2019, 2020], ["U", "%", 5, 6]], forms={"D1": "dd/mm/yyyy"})
    rows = [["Year", "Indicator", "Unit", "Value"], [2019, "U", "%", 5], [2020, "U", "%", 6]]
    reading = from_book(tmp_path, rows, "long", forms={"A2": "dd/mm/yyyy"})
    assert list(figures(reading).values()) == [6]
    assert "Sheet!A2: found the date 1905-07-11" in str(reading.problems[0]) and "holds 2019" in str(reading.problems)


def test_a_figure_that_is_a_date_is_no_number_however_it_is_shown(tmp_path):
    rows = [["Indicator", "Unit", 2019, 2020], ["U", "%", FIRST, 6]]
    reading = from_book(tmp_path, rows, forms={"C2": "yyyy"})
    assert list(figures(reading).values()) == [6] and "Sheet!C2" in str(reading.problems[0])


@pytest.mark.parametrize(("form", "said"), [
    ("0.0%", "percent"), ('0.0"%"', "percent sign"), ("0.0\\%", "percent sign"), ('0" % of all"', "percent sign"),
    ("[Red]0%;-0%", "percent"), ("yyyy", "year"), ("mmm-yy", "month"), ("General", ""), ("0.0", ""), ("d/m/yy", ""),
    ('yyyy"年"m"月"', "month"), ("[h]:mm", ""),
])  # fmt: skip
def test_what_a_format_of_numbers_shows(form, said):
    assert form_of(form) == said


def test_a_percent_sign_that_is_only_written_multiplies_nothing(tmp_path):
    rows = [["Indicator", "Unit", 2019, 2020, 2021], ["U", None, 5.2, 7.9, 0.061]]
    reading = from_book(tmp_path, rows, forms={"C2": '0.0"%"', "D2": "0.0\\%", "E2": "0.0%"})
    assert figures(reading) == {("U", "%", "2019", ""): 5.2, ("U", "%", "2020", ""): 7.9, ("U", "%", "2021", ""): 6.1}


@pytest.mark.parametrize(("unit", "content", "form", "words"), [
    ("%", 0.079, "General", r"Sheet!D2: found 0.079 in a row of numbers shown as percentages.*one form in a row"),
    ("ratio", 0.079, "0.0%", r"Sheet!D2: found a percentage of the unit 'ratio'"),
    ("people", "5%", "General", r"Sheet!D2: found a percentage of the unit 'people'.*write % as the unit"),
])  # fmt: skip
def test_a_percentage_that_its_row_or_its_unit_contradicts_is_refused(tmp_path, unit, content, form, words):
    rows = [["Indicator", "Unit", 2019, 2020], ["U", unit, 0.052, content]]
    reading = from_book(tmp_path, rows, forms={"C2": "0.0%" if unit == "%" else "General", "D2": form})
    assert reading.table["period"].tolist() == ["2019"]
    with pytest.raises(InputError, match=words):
        raise InputError("t", reading.problems)


# --- what was not observed -------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [
    f"Indicator,Unit,Actual,Actual,Target\n,,2019,2020,2030\n{RATE},5,6,3\n",
    f"Indicator,Unit,Actual,,Target\n,,2019,2020,2030\n{RATE},5,6,3\n",
    f",,Actual,Actual,Projection\nIndicator,Unit,2019,2020,2030\n{RATE},5,6,3\n",
    f",,,,Meta\nIndicator,Unit,2019,2020,2030\n{RATE},5,6,3\n",
    f"Indicator,Unit,2030 target,2019,2020\n{RATE},3,5,6\n",
    f"Indicator,Unit,2019,2020,Target 2030\n{RATE},5,6,3\n",
    f"Indicator,Unit,2019,2020,2019-2020 change\n{RATE},5,6,1\n",
    f"Indicator,Unit,2019,2020,% change,Δ\n{RATE},5,6,1,1\n",
    f"No,Indicator,Unit,Baseline 2015,2019,2020\n1,{RATE},3,5,6\n",
    f"Indicator,Unit,Type,2019,2020\n{RATE},Actual,5,6\n{RATE},Target,4,4\n",
    f"Indicator,Unit,2019,,2020,\n,,Value,Forecast,Value,Forecast\n{RATE},5,4,6,4\n",
])  # fmt: skip
def test_targets_plans_changes_and_baselines_are_no_figures(tmp_path, text):
    reading = from_text(tmp_path, text)
    assert reading.problems == []
    assert figures(reading) == {("Rate", "%", "2019", ""): 5, ("Rate", "%", "2020", ""): 6}
    assert "is no figure observed" in "\n".join(map(str, reading.repairs))


@pytest.mark.parametrize("span", ["2015-2019", "2015–2019", "2015/2019", "2015-19"])
def test_a_span_of_two_years_beside_these_years_is_refused(tmp_path, span):
    with pytest.raises(InputError, match=r"column E: found .* beside 2015 and 2019; .*head a difference Change"):
        from_text(tmp_path, f"Indicator,Unit,2015,2019,{span}\n{RATE},5,6,1\n")
    pooled = from_text(tmp_path, f"Indicator,Unit,2013-2015,2014-2016,2015-2017\n{RATE},5,6,1\n")
    assert len(pooled.table) == 3


def test_figures_left_of_the_years_are_no_groups(tmp_path):
    with pytest.raises(InputError, match=r"column C: found figures below 'Population'; expected a year, or names"):
        from_text(tmp_path, f"Indicator,Unit,Population,2019,2020\n{RATE},300,5,6\n")
    reading = from_text(tmp_path, f"Indicator,Unit,Ward,2019,2020\n{RATE},1,5,6\n{RATE},2,7,8\n")
    assert groups(reading) == {("ward=1", 5), ("ward=2", 7)}


@pytest.mark.parametrize(("over", "wanted"), [
    (",,Men,Men,Women", {"sex=male", "sex=female"}), (",,Women,,", {"sex=female"}), (",,Years,,", {""}),
    (",,Exampleville,,Othertown", {""}),
])  # fmt: skip
def test_headings_over_years_that_stand_once_each(tmp_path, over, wanted):
    reading = from_text(tmp_path, f"{over}\nIndicator,Unit,2019,2020,2021\n{RATE},5,6,7\n")
    assert set(reading.table["breakdown"]) == wanted
    assert len(reading.table) == (2 if "Othertown" in over else 3)


def test_a_joined_title_does_not_stop_a_heading_from_reaching_the_years_below_it(tmp_path):
    rows = [["Rates, 2019 to 2021"], [None, "Men", None, "Women"], ["Indicator", 2019, 2020, 2019, 2021],
            ["8.5.2 Rate (%)", 5, 6, 7, 8]]  # fmt: skip
    reading = from_book(tmp_path, rows, merged=["A1:E1"])
    taken = {(row.period, row.breakdown, row.value) for row in reading.table.itertuples()}
    assert taken == {("2019", "sex=male", 5), ("2020", "sex=male", 6), ("2019", "sex=female", 7),
                     ("2021", "sex=female", 8)}  # fmt: skip


@pytest.mark.parametrize(("text", "kind"), [
    ("2030 target", "target"), ("Prognose", "target"), ("% change", "change"), ("Línea de base", "baseline"),
    ("Target group: women", ""), ("Men", ""), ("2019", ""), ("Estimate", "estimated"), ("Actual", "value"),
])  # fmt: skip
def test_what_a_heading_makes_of_its_figures(text, kind):
    assert kind_of(text) == kind


# --- names, units, groups of the first column ------------------------------------------------------------


@pytest.mark.parametrize(("name", "unit", "wanted"), [
    ("Green space", "m²", ("Green space", "m²")), ("PM2.5", "µg/m³", ("PM2.5", "µg/m³")),
    ("Green space", "m²¹", ("Green space", "m²")), ("Jobs¹", "people*", ("Jobs", "people")),
    ("Density (people per km²)", "", ("Density", "people per km²")), ("Waste", "10³ t", ("Waste", "10³ t")),
    ("Mortality (under 5)", "deaths", ("Mortality (under 5)", "deaths")),
    ("Mortality (under 5)", "", ("Mortality (under 5)", "not stated")),
    ("Rate (aged 15 to 64)", "", ("Rate (aged 15 to 64)", "not stated")),
    ("Births (per 1,000)", "", ("Births", "per 1,000")), ("Prices (2015 = 100)", "", ("Prices", "2015 = 100")),
    ("Deaths (1)", "count", ("Deaths", "count")),
])  # fmt: skip
def test_marks_and_brackets_of_names_and_units(tmp_path, name, unit, wanted):
    reading = from_text(tmp_path, f'Indicator,Unit,2019,2020\n"{name}",{unit},5,6\n')
    assert {(row.series, row.unit) for row in reading.table.itertuples()} == {wanted}


def test_numbers_in_brackets_that_tell_names_apart_are_part_of_them(tmp_path):
    text = f"Indicator,Unit,Group,2019,2020\n{RATE},District (1),1,1\n{RATE},District (2),2,2\n{RATE},Zone (1),3,3\n"
    assert groups(from_text(tmp_path, text)) == {
        ("group=District (1)", 1),
        ("group=District (2)", 2),
        ("group=Zone", 3),
    }


@pytest.mark.parametrize(("text", "wanted"), [
    ("Rate (%),,\n,2019,2020\n15-24,1,1\n25-34,2,2\nTotal,3,3\n", {("age=15-24", 1), ("age=25-34", 2), ("", 3)}),
    ("Rate (%),,\n,2019,2020\nTotal,1,1\nWomen,2,2\nMen,3,3\n", {("", 1), ("sex=female", 2), ("sex=male", 3)}),
    ("Rate (%),,\n,2019,2020\nTotal,1,1\nNorth,2,2\n", {("", 1), ("group=North", 2)}),
    ("Rate (%),,\n,2019,2020\nExampleville,1,1\nOthertown,2,2\n", {("", 1)}),
    ("Indicator,2019,2020,Sex\nRate (%),1,1,Women\nRate (%),2,2,Men\n", {("sex=female", 1), ("sex=male", 2)}),
])  # fmt: skip
def test_a_column_of_groups_or_places_is_no_column_of_series(tmp_path, text, wanted):
    reading = from_text(tmp_path, text)
    assert groups(reading) == wanted
    assert set(reading.table["series"]) == {"Rate"} and set(reading.table["unit"]) == {"%"}


def test_ages_alone_need_the_name_of_their_series(tmp_path):
    for corner in ("", "Age"):
        text = f"{corner},2019,2020\n15-24,1,1\n25-34,2,2\n"
        with pytest.raises(InputError, match=r"row 1: found groups \(age\) of a series without a name.*--series NAME"):
            from_text(tmp_path, text)
        assert groups(from_text(tmp_path, text, indicator="8.5.2")) == {("age=15-24", 1), ("age=25-34", 2)}


# --- thousands, flags, ends of intervals -----------------------------------------------------------------


@pytest.mark.parametrize("text", [
    "Population by year,,\n,,Thousands,\nIndicator,Unit,2019,2020\nA,people,812.5,815\nB,%,5,6\n",
    "Population (figures in thousands),,\nIndicator,Unit,2019,2020\nA,people,812.5,815\nB,%,5,6\n",
    "Unit: thousands of persons,,\nIndicator,Unit,2019,2020\nA,people,812.5,815\nB,%,5,6\n",
    "Indicator,Unit,2019,2020\nA,people,812.5,815\nB,%,5,6\nNote: figures in thousands,,\n",
])  # fmt: skip
def test_thousands_above_or_below_the_table_multiply_its_counts(tmp_path, text):
    reading = from_text(tmp_path, text)
    taken = figures(reading)
    assert taken["A", "people", "2019", ""] == 812500 and taken["A", "people", "2020", ""] == 815000
    if not reading.problems:
        assert taken["B", "%", "2019", ""] == 5
    else:  # the word stands over the very column
        assert "the unit '%' below a heading of thousands" in str(reading.problems[0])
    assert "times 1,000" in "\n".join(map(str, reading.repairs))


def test_thousands_that_a_title_or_a_unit_names_are_told_once(tmp_path):
    reading = from_text(tmp_path, "Population (thousands)\n,2019,2020\nWomen,1.5,2\nMen,1,2\n")
    assert figures(reading)["Population", "not stated", "2019", "sex=female"] == 1500
    reading = from_text(tmp_path, "Millions of euros,,\nIndicator,2019,2020\nGDP,1.5,2\nDebt (%),3,4\n")
    assert figures(reading)["GDP", "euros", "2019", ""] == 1.5e6 and figures(reading)["Debt", "%", "2019", ""] == 3
    reading = from_text(tmp_path, "In thousands,,\nIndicator,Unit,2019,2020\nA,thousands of people,812,815\n")
    assert figures(reading)["A", "thousands of people", "2019", ""] == 812


@pytest.mark.parametrize(("title", "words"), [
    ("Thousands moved to the city", r"row 1: found .*Fix: write \(figures in thousands\) if they are"),
    ("Population (thousands)\nIncome (millions)", "row 1 and t.csv, row 2: found times 1,000, times 1,000,000"),
])  # fmt: skip
def test_words_of_thousands_that_are_not_plain_are_refused(tmp_path, title, words):
    with pytest.raises(InputError, match=words):
        from_text(tmp_path, f"{title}\nIndicator,2019,2020\nA,1,2\n")


@pytest.mark.parametrize(("text", "times"), [
    ("Population ('000s)", 1e3), ("Población (miles de personas)", 1e3), ("GDP in millions of euros", 1e6),
    ("Tausend", 1e3), ("Miles driven", 0), ("Deaths per thousand births", 0), ("Deaths (per million)", 0),
])  # fmt: skip
def test_what_a_line_says_of_thousands(text, times):
    scale = scale_in(text)
    assert (scale.times if scale else 0) == times
    assert not (hints_at_scale(text) and not times)


def test_flags_beside_their_years_are_taken(tmp_path):
    text = "Indicator,Unit,2019,Flag,2020,Flag\nA,%,5.2,p,7.9,\nB,%,5.2,,7.9,c\nC,%,,c,7.9,target\nD,%,1,b,2,?\n"
    reading = from_text(tmp_path, text)
    assert figures(reading) == {
        ("A", "%", "2019", ""): "provisional", ("A", "%", "2020", ""): 7.9, ("B", "%", "2019", ""): 5.2,
        ("B", "%", "2020", ""): "suppressed", ("C", "%", "2019", ""): "suppressed", ("D", "%", "2019", ""): "break",
        ("D", "%", "2020", ""): 2}  # fmt: skip
    assert reading.table.loc[reading.table["status"] == "suppressed", "value"].isna().all()
    assert "row 4, column F: found 'target' beside a number" in str(reading.problems[0]) and len(reading.problems) == 1
    log = "\n".join(map(str, reading.repairs))
    assert "a flag that is not known" in log and "a hidden figure left out" in log
    with pytest.raises(InputError, match=r"column E: found a column Flag of no year"):
        from_text(tmp_path, "Indicator,Unit,2019,2020,Flag\nA,%,5.2,7.9,p\n")


def test_ends_of_intervals_beside_their_years_are_taken(tmp_path):
    text = "Indicator,Unit,2019,Lower CI,Upper CI,2020,Lower CI,Upper CI\nA,%,5,4,6,7,6,8\n"
    reading = from_text(tmp_path, text, "guess")
    assert reading.table[["value", "low", "high"]].to_numpy().tolist() == [[5, 4, 6], [7, 6, 8]]


def test_words_of_progress_in_a_column_of_status_are_no_flags(tmp_path):
    reading = from_text(tmp_path, "Indicator,Unit,2019,2020,Target,Status\nA,%,5,6,9,on track\nB,%,1,2,9,behind\n")
    assert len(reading.table) == 4 and set(reading.table["status"]) == {"value"}
    assert "words that are no flags" in "\n".join(map(str, reading.repairs))


# --- headings over and under the years -------------------------------------------------------------------


def taken(reading):
    return {(row.series, row.unit, row.period, row.breakdown, row.value) for row in reading.table.itertuples()}


@pytest.mark.parametrize(("text", "wanted"), [
    # Three rows of headings: what stands furthest up counts too.
    (",,Actual,,Target\n,,%,%,%\nIndicator,Unit,2019,2020,2030\nU,%,5,6,3\n", {("2019", "", 5), ("2020", "", 6)}),
    (",Exampleville,,Othertown,\n,%,%,%,%\nIndicator,2019,2020,2019,2020\nU,5,6,3,4\n",
     {("2019", "", 5), ("2020", "", 6)}),
    (",Exampleville,,Othertown,\n,Rate,,,\nIndicator,2019,2020,2021,2022\nU (%),5,6,3,4\n",
     {("2019", "", 5), ("2020", "", 6)}),
    (",Women,,Men,\n,Rate,,,\nIndicator,2019,2020,2019,2020\nU (%),5,6,3,4\n",
     {("2019", "sex=female", 5), ("2020", "sex=female", 6), ("2019", "sex=male", 3), ("2020", "sex=male", 4)}),
    (",City,,England,\nIndicator,2019,2020,2019,2020\nU (%),5,6,3,4\n", {("2019", "", 5), ("2020", "", 6)}),
    (",2019,,2020,\n,Programado,Ejecutado,Programado,Ejecutado\nU (%),4,5,4,6\n", {("2019", "", 5), ("2020", "", 6)}),
    (",2019,,2020,\n,Prévu (PLF),Réalisé,Prévu (PLF),Réalisé\nU (%),4,5,4,6\n", {("2019", "", 5), ("2020", "", 6)}),
    # Errors, ranks and changes are no figures of the series.
    (",2019,,2020,\n,Value,Margin of error,Value,Margin of error\nU (%),5,1,6,1\n", {("2019", "", 5), ("2020", "", 6)}),
    (",2019,,2020,\n,Value,SE,Value,SE\nU (%),5,1,6,1\n", {("2019", "", 5), ("2020", "", 6)}),
    (",2019,,2020,\n,Value,Rank,Value,Rank\nU (%),5,1,6,1\n", {("2019", "", 5), ("2020", "", 6)}),
    (",Rate,,Growth rate,\nIndicator,2019,2020,2019,2020\nU (%),5,6,1,2\n", {("2019", "", 5), ("2020", "", 6)}),
    # Letters of the sexes.
    (",H,,M,\nIndicador,2019,2020,2019,2020\nU (%),5,6,3,4\n",
     {("2019", "sex=male", 5), ("2020", "sex=male", 6), ("2019", "sex=female", 3), ("2020", "sex=female", 4)}),
    (",2019,,2020,\nIndicador,H,M,H,M\nU (%),5,3,6,4\n",
     {("2019", "sex=male", 5), ("2020", "sex=male", 6), ("2019", "sex=female", 3), ("2020", "sex=female", 4)}),
    # Parts of a year.
    (",2019,,2020,\nIndicator,H1,H2,H1,H2\nU (%),5,3,6,4\n",
     {("2019-01-01/P6M", "", 5), ("2019-07-01/P6M", "", 3), ("2020-01-01/P6M", "", 6), ("2020-07-01/P6M", "", 4)}),
    (",2019,,2020,\nIndicator,Jan-Jun,Full year,Jan-Jun,Full year\nU (%),5,3,6,4\n",
     {("2019-01-01/P6M", "", 5), ("2019", "", 3), ("2020-01-01/P6M", "", 6), ("2020", "", 4)}),
    (",2019,,,,2020,\nIndicador,I,II,III,IV,I,II\nU (%),1,2,3,4,5,6\n",
     {*((f"2019-Q{n}", "", n) for n in (1, 2, 3, 4)), ("2020-Q1", "", 5), ("2020-Q2", "", 6)}),
])  # fmt: skip
def test_headings_say_what_the_figures_are_of(tmp_path, text, wanted):
    reading = from_text(tmp_path, text)
    assert reading.problems == []
    assert {(period, group, value) for _, _, period, group, value in taken(reading)} == wanted
    assert set(reading.table["series"]) == {"U"}


@pytest.mark.parametrize(("text", "words"), [
    (",2019/20,,2020/21,\nIndicator,Q1,Q2,Q1,Q2\nU (%),5,3,6,4\n", r"column B: found 'Q1' at the year 2019-07-01/P1Y"),
    (",2019,,2020,\nIndicador,I,II,I,II\nU (%),1,2,5,6\n", r"column B: found 'I' at the year 2019.*2019-07-01/P6M"),
    (",Wales,,England,\nIndicator,2019,2020,2019,2020\nU (%),5,6,3,4\n",
     r"column B: found headings that are places: England, Wales"),
    (",M,,V,\nIndicator,2019,2020,2019,2020\nU (%),5,6,3,4\n",
     r"column B: found the headings M, V; expected one of the sexes"),
])  # fmt: skip
def test_headings_that_are_not_plain_are_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        from_text(tmp_path, text)


# --- headings between the rows, and rows that are groups -------------------------------------------------

HEAD = "Indicator,Unit,2019,2020\n"


def of_2019(reading):
    return {(series, unit, group): value for series, unit, period, group, value in taken(reading) if period == "2019"}


@pytest.mark.parametrize(("rows", "wanted"), [
    # Places.
    ("Exampleville,,,\nU,%,5,6\nOthertown,,,\nU,%,8,9\n", {("U", "%", ""): 5}),
    ("U,%,5,6\nEngland,,,\nU,%,8,9\n", {("U", "%", ""): 5}),
    ("U (%),,,\nExampleville,,5,6\nEngland,,8,9\nP (%),,,\nExampleville,,1,2\nOthertown,,3,4\n",
     {("U", "%", ""): 5, ("P", "%", ""): 1}),
    ("P,%,5,6\nP (England),%,8,9\n", {("P", "%", ""): 5}),
    # Units and codes of another series are not this one's.
    ("U,%,5,6\nPopulation,,812345,815000\n", {("U", "%", ""): 5, ("Population", "not stated", ""): 812345}),
    ("U,%,5,6\n,count,7,8\n", {("U", "%", ""): 5, ("U", "count", ""): 7}),
    # Targets, what was observed, statuses.
    ("Actual,,,\nU,%,5,6\nTargets,,,\nU,%,3,2\n", {("U", "%", ""): 5}),
    ("U,%,5,6\nU - target,%,3,2\nU (target),%,3,2\nTarget for U,%,3,2\nU (change),%,1,1\n", {("U", "%", ""): 5}),
    ("Growth,%,5,6\nBudget,EUR,7,8\n", {("Growth", "%", ""): 5, ("Budget", "EUR", ""): 7}),
    ("Actual,EUR,5,6\nBudget,EUR,7,8\n", {("Actual", "EUR", ""): 5}),
    # Thousands and units.
    ("Thousands,,,\nPopulation,people,812,815\nPercent,,,\nU,,5,6\n",
     {("Population", "people", ""): 812000, ("U", "%", ""): 5}),
    ("Households (in thousands),households,80,81\nJobs,count,5,6\n",
     {("Households", "households", ""): 80000, ("Jobs", "count", ""): 5}),
    ("Population,people,812,815\nJobs,count,300000,310000\nNote: population in thousands,,,\n",
     {("Population", "people", ""): 812000, ("Jobs", "count", ""): 300000}),
    # The series as a heading, or as the row above its groups.
    ("Population,people,,\nTotal,,12,13\nMen,,5,6\nWomen,,7,7\n",
     {("Population", "people", ""): 12, ("Population", "people", "sex=male"): 5,
      ("Population", "people", "sex=female"): 7}),
    ("Population,people,12,13\nof which women,people,7,7\nJobs,count,4,5\nof which women,count,2,3\n",
     {("Population", "people", ""): 12, ("Population", "people", "sex=female"): 7,
      ("Jobs", "count", ""): 4, ("Jobs", "count", "sex=female"): 2}),
    ("Rate (%),,12,13\n   Women (%),,7,7\nOther (%),,4,5\n   Women (%),,2,3\n",
     {("Rate", "%", ""): 12, ("Rate", "%", "sex=female"): 7, ("Other", "%", ""): 4, ("Other", "%", "sex=female"): 2}),
    ("Unemployed,people,12,13\nWomen,%,7,7\n", {("Unemployed", "people", ""): 12, ("Women", "%", ""): 7}),
    # A heading ends at an empty row, but for groups.
    ("Health,,,\nA,index,80,81\n\nU,%,5,6\n", {("Health: A", "index", ""): 80, ("U", "%", ""): 5}),
    ("Health,,,\n\nA,index,80,81\nB,index,5,6\n", {("Health: A", "index", ""): 80, ("Health: B", "index", ""): 5}),
])  # fmt: skip
def test_what_stands_around_a_row_says_what_it_is_of(tmp_path, rows, wanted):
    reading = from_text(tmp_path, HEAD + rows)
    assert reading.problems == []
    assert of_2019(reading) == wanted


@pytest.mark.parametrize(("head", "rows", "wanted"), [
    ("Code,Indicator,Unit", "8.5.2,U,%,5,6\n,Number of libraries,count,8,9\n",
     {("8.5.2", "U"), ("exampleville.number-of-libraries", "Number of libraries")}),
    ("SDG,Indicator,Unit", "Goal 8,8.5.2 U,%,5,6\nGoal 1,1.2.1 P,%,8,9\n", {("8.5.2", "U"), ("1.2.1", "P")}),
    ("Meta ODS,Indicador,Unidad", "Meta 8.5,8.5.2 U,%,5,6\nMeta 1.2,1.2.1 P,%,8,9\n", {("8.5.2", "U"), ("1.2.1", "P")}),
])  # fmt: skip
def test_codes_and_goals_leave_their_rows_alone(tmp_path, head, rows, wanted):
    reading = from_text(tmp_path, f"{head},2019,2020\n{rows}")
    assert reading.problems == [] and len(reading.table) == 4
    assert {(row.indicator, row.series) for row in reading.table.itertuples()} == wanted


@pytest.mark.parametrize(("rows", "words", "left"), [
    ("Population,people,812,345,815,000\nJobs,count,5,6\n", "row 2, column E: found '815' beyond the last column", 2),
    ("U,%,5,2,7,9\nJobs,count,5,6\n", "row 2, column E: found '7' beyond the last column of the header", 2),
    ("Exampleville,,,\nU,%,5,6\nHealth,,,\nDeaths,count,8,9\n",
     "row 4: found 'Health' as a heading between the rows", 2),
    ("U (%),,,\nOthertown,,5,6\nEngland,,8,9\nP,%,1,2\n", "row 2: found rows named for places: England, Othertown", 0),
])  # fmt: skip
def test_rows_that_are_not_plain_are_told(tmp_path, rows, words, left):
    reading = from_text(tmp_path, HEAD + rows)
    assert words in str(reading.problems[0]) and len(reading.table) == left


@pytest.mark.parametrize("title", [
    "Población (miles)", "Población (en miles)", "População (mil)", "Bevölkerung (in 1000)", "Bevölkerung in 1.000",
    "Population (x1000)", "عدد السكان (بالآلاف)", "Figures in k",
])  # fmt: skip
def test_thousands_in_every_usual_form(tmp_path, title):
    reading = from_text(tmp_path, f"{title}\nIndicador,Unidad,2019,2020\nA,personas,812,815\n")
    assert of_2019(reading) == {("A", "people", ""): 812000}


@pytest.mark.parametrize("unit", [
    "°C", "µg/m³", "‰", "km2", "inhabitants/km2", "Gini", "taux", "Anteil", "Jahre", "años", "yr", "ans", "ha", "days",
])  # fmt: skip
def test_what_is_no_count_is_in_no_thousands(tmp_path, unit):
    rows = f"A,{unit},81,82\nB,people,5,6\nC,tonnes per year,5,6\nD,registrations,5,6\n"
    reading = from_text(tmp_path, f"(figures in thousands)\n{HEAD}{rows}", "wide")
    assert of_2019(reading) == {("A", unit, ""): 81, ("B", "people", ""): 5000, ("C", "tonnes per year", ""): 5000,
                                ("D", "registrations", ""): 5000}  # fmt: skip


@pytest.mark.parametrize(("text", "words"), [
    ("Indicator,Unit,2019,2020\nA,people,5,6\nNote: jobs in thousands\n",
     r"row 3: found 'jobs'; expected the name of a row"),
    ("Cycle lanes (miles)\nIndicator,Unit,2019,2020\nA,length,5,6\n", ""),
])  # fmt: skip
def test_a_remark_on_thousands_names_the_rows_it_is_of(tmp_path, text, words):
    if words:
        with pytest.raises(InputError, match=words):
            from_text(tmp_path, text)
    else:
        assert of_2019(from_text(tmp_path, text)) == {("A", "length", ""): 5}


# --- columns beside the years, lines above them, sheets --------------------------------------------------


@pytest.mark.parametrize(("text", "wanted"), [
    # Columns that describe the series are no groups; where they tell figures of one series apart they are.
    ("Theme,Indicator,Unit,Department,2019,2020\nSocial,P,%,Welfare,15,16\nWork,U,%,Jobs,5,6\n",
     {("P", "%", ""): 15, ("U", "%", ""): 5}),
    ("Eje,Indicador,Unidad,Responsable,2019,2020\nSocial,P,%,Ana,15,16\n,U,%,Luis,5,6\n",
     {("P", "%", ""): 15, ("U", "%", ""): 5}),
    ("Indicator,Unit,2019,2020,Data provider\nP,%,15,16,ONS\nU,%,5,6,DWP\n", {("P", "%", ""): 15, ("U", "%", ""): 5}),
    ("Department,Indicator,Unit,2019,2020\nA,Staff,people,15,16\nB,Staff,people,5,6\n",
     {("Staff", "people", "department=A"): 15, ("Staff", "people", "department=B"): 5}),
    ("Indicator,Unit,Base year,Latest year,Decimals,2019,2020\nP,%,2015,2020,1,15,16\n", {("P", "%", ""): 15}),
    # Columns that name the series.
    ("Goal,Target,Indicator,Description,Unit,2019,2020\n8,8.5,8.5.2,U,%,5,6\n1,1.2,1.2.1,P,%,15,16\n",
     {("P", "%", ""): 15, ("U", "%", ""): 5}),
    ("SDG goal,SDG indicator,Name,Unit,2019,2020\n8,8.5.2,U,%,5,6\n1,1.2.1,P,%,15,16\n",
     {("P", "%", ""): 15, ("U", "%", ""): 5}),
    ("Indicator,,2019,2020\nHealth,Life (years),80,81\n,Deaths (per 1000),3,4\nSchool,Literacy (%),95,96\n",
     {("Life", "years", ""): 80, ("Deaths", "per 1000", ""): 3, ("Literacy", "%", ""): 95}),
    # Groups below a title that names the series with its unit; remarks are none of them.
    ("U (%)\n,2019,2020\nNorth,5,6\nSouth,7,8\n", {("U", "%", "group=North"): 5, ("U", "%", "group=South"): 7}),
    ("U (%)\n,2019,2020\nMen,5,6\nWomen,7,8\n\n1 Provisional\n",
     {("U", "%", "sex=male"): 5, ("U", "%", "sex=female"): 7}),
    ("Labour market\n,2019,2020\nU (%),5,6\nP (%),7,8\n", {("U", "%", ""): 5, ("P", "%", ""): 7}),
    # The area last of its wards is their total.
    ("U (%)\nWard,2019,2020\nNorth,5,6\nSouth,7,8\nExampleville,6,7\n",
     {("U", "%", ""): 6, ("U", "%", "ward=North"): 5, ("U", "%", "ward=South"): 7}),
    # Numbers beside rates, flags without a heading, ends of intervals with their level.
    (",2019,,2020,\nIndicator,Number,Rate,Number,Rate\nU (%),510,5.1,620,6.2\n",
     {("U", "count", ""): 510, ("U", "%", ""): 5.1}),
    ("Indicator,2019,,2020,\nU (%),5,p,6,e\nP (%),7,,8,\n", {("U", "%", ""): 5, ("P", "%", ""): 7}),
    (",2019,,,2020,,\nIndicator,Value,95% CI lower,95% CI upper,Value,95% CI lower,95% CI upper\nU (%),5,4,6,7,6,8\n",
     {("U", "%", ""): 5}),
    ("Indicator,Unit,2019,2020,Area (km2)\nP,%,15,16,12.3\n", {("P", "%", ""): 15}),
    # Levels and places.
    ("Level,Indicator,Unit,2019,2020\nCity,U,%,5,6\nNational,U,%,8,9\n", {("U", "%", ""): 5}),
    ("Area,Indicator,Unit,2019,2020\nUrban,U,%,5,6\nRural,U,%,8,9\nTotal,U,%,6,7\n",
     {("U", "%", "location=Urban"): 5, ("U", "%", "location=Rural"): 8, ("U", "%", ""): 6}),
    ("Location,Indicator,Unit,2019,2020\nExampleville,U,%,5,6\nOthertown,U,%,8,9\n", {("U", "%", ""): 5}),
    # A unit is no heading.
    ("Indicator,Unit,2019,2020\nLife,years,80,81\n", {("Life", "years", ""): 80}),
])  # fmt: skip
def test_columns_beside_the_years(tmp_path, text, wanted):
    reading = from_text(tmp_path, text, "guess")
    assert reading.problems == []
    assert of_2019(reading) == wanted


@pytest.mark.parametrize(("text", "words"), [
    ("Targets\nIndicator,Unit,2025,2030\nU,%,5,6\n",
     r"row 1: found the title 'Targets'; expected figures that were obs"),
    ("Population projections 2025 to 2040\nIndicator,Unit,2025,2030\nA,people,5,6\n",
     "row 1: found the title 'Population p"),
    ("England\nIndicator,Unit,2019,2020\nU,%,5,6\n",
     "row 1: found a title that names England; expected figures of exa"),
    ("Unemployment in France\nIndicator,Unit,2019,2020\nU,%,5,6\n", "row 1: found a title that names France"),
    ("Location,Indicator,Unit,2019,2020\nOthertown,U,%,5,6\n", "column A: found Othertown below Location"),
    ("U (%)\nQuarter,2019,2020\nQ1,5,6\nQ2,7,8\n", "row 2, column A: found parts of a year down the rows"),
    ("Indicator,Quarter,2019,2020\nU (%),Q1,5,6\nU (%),Q2,7,8\nU (%),Annual,6,7\n", "column B: found parts of a year"),
    ("U (%)\nMonth,2019,2020\nJan,5,6\nFeb,7,8\nTotal,6,7\n", "column A: found parts of a year down the rows"),
    ("U (%)\n,2019,2020\nT1,5,6\nT2,7,8\nT3,7,8\nT4,7,8\n", "column A: found parts of a year down the rows"),
    ("Indicator,Unit,2019,2020,Confidential\nDeaths,count,3,2,yes\nU,%,5,6,no\n",
     "figures that 'Confidential' holds back"),
])  # fmt: skip
def test_what_is_not_of_the_area_or_was_not_observed_is_refused(tmp_path, text, words):
    with pytest.raises(InputError, match=words):
        from_text(tmp_path, text)


@pytest.mark.parametrize("title", [
    "Exampleville, England", "Population, Exampleville (France)", "Office for National Statistics, UK",
    "Progress towards SDG targets", "Trade with France",
])  # fmt: skip
def test_titles_that_are_plain_are_no_matter(tmp_path, title):
    assert len(from_text(tmp_path, f'"{title}"\n{HEAD}U,%,5,6\n').table) == 2


def test_a_sheet_of_targets_is_left_out(tmp_path):
    book = Workbook()
    for name, years in (("Data", (2019, 2020)), ("Targets", (2025, 2030))):
        sheet = book.create_sheet(name)
        sheet.append(["Indicator", "Unit", *years])
        sheet.append(["U", "%", 5, 6])
    del book["Sheet"]
    book.save(tmp_path / "t.xlsx")
    reading = read("wide", tmp_path / "t.xlsx", **GIVEN)
    assert set(reading.table["period"]) == {"2019", "2020"}
    assert "a sheet of targets is left out" in "\n".join(map(str, reading.repairs))
    assert len(read("wide", tmp_path / "t.xlsx", **GIVEN, sheet="Targets").table) == 2
