"""A new city: its parameters, its workbook, and the way of what people fill in into the one table."""

import io
import math
import zipfile
from datetime import date

import openpyxl
import pandas as pd
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlr_analysis import catalogue
from vlr_analysis.cities import load_cities
from vlr_analysis.errors import InputError
from vlr_analysis.observations import COLUMNS, check
from vlr_analysis.params import Covid, Parameters, read_parameters
from vlr_analysis.review import check as checking
from vlr_analysis.review.new_city import new_city
from vlr_analysis.sources import kit, template_sheet
from vlr_analysis.sources.template import empty_workbook, lists
from vlr_analysis.sources.template_form import FORMS, ORDER

TODAY = date(2026, 1, 1)
FIRST_YEAR = 7  # column of 2010 on the sheet Figures


@pytest.fixture
def cuenca(project):
    """Make the files of a new city in a copy of the project."""
    new_city("cuenca", project, name="Cuenca", country="ECU")
    return project


def fill(root, **sheets):
    """Add rows to sheets of the workbook of the city; `Sources` gets the one that they name."""
    path = root / "data" / "cuenca.xlsx"
    book = openpyxl.load_workbook(path)
    book["Sources"].append(["env", "City environment office", "Yearbook", "administrative", "2025-06", "CC BY 4.0"])
    for sheet, rows in sheets.items():
        if sheet not in book.sheetnames:
            book.create_sheet(sheet)
        for row in rows:
            book[sheet].append(row)
    book.save(path)
    return path


# --- the two files -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "city"),
    [("São João", "sao-joao"), ("Łódź", "lodz"), ("Đà Nẵng", "da-nang"), ("  Straße 7 ", "strasse-7")],
)
def test_an_id_is_made_of_a_name_and_it_is_said(project, name, city):
    made = new_city(name, project)
    assert made.id == city
    assert f"The id of {name.strip()} is {city}" in "\n".join(made.lines())
    assert read_parameters(city, project).name == name.strip()


def test_an_id_that_is_one_already_needs_no_word(project):
    assert new_city("quito", project).remark == ""


@pytest.mark.parametrize("city", ["", "!!!", "all", "CON", "x" * 61])
def test_a_name_without_an_id_is_refused(project, city):
    with pytest.raises(InputError, match="--name"):
        new_city(city, project)
    assert len(list((project / "data").glob("*.xlsx"))) == 0


@pytest.mark.parametrize("country", ["EC", "ecua", "É12"])
def test_a_country_that_is_no_code_is_refused(project, country):
    with pytest.raises(InputError, match="ISO 3166-1"):
        new_city("cuenca", project, country=country)


@pytest.mark.parametrize("there", ["params/cuenca.yaml", "data/cuenca.xlsx"])
def test_what_is_there_stays_and_nothing_else_is_written(project, there):
    (project / there).write_text("mine", encoding="utf-8")
    before = sorted(path for path in project.rglob("*") if path.is_file())
    with pytest.raises(InputError, match=there):
        new_city("cuenca", project)
    assert (project / there).read_text(encoding="utf-8") == "mine"
    assert sorted(path for path in project.rglob("*") if path.is_file()) == before


def test_parameters_explain_every_key(cuenca):
    text = (cuenca / "params" / "cuenca.yaml").read_text(encoding="utf-8")
    lines = {line.replace("#", " ").split(":")[0].strip(): line for line in text.splitlines() if ":" in line}
    for key in [*Parameters.model_fields, *Covid.model_fields]:
        assert key in lines, key
        if key not in ("id", "name", "covid", "orders", "pillars", "indicators"):
            assert len(lines[key].partition("#")[2]) > 10, key


def test_commented_keys_are_right_when_their_remark_sign_is_taken_away(cuenca):
    path = cuenca / "params" / "cuenca.yaml"
    head, *lines = path.read_text(encoding="utf-8").split("\ncity:\n")[1].splitlines()
    opened = [line.replace("  # ", "  ", 1) if line.startswith("  # ") and ":" in line else line for line in lines]
    content = yaml.safe_load("\n".join(["city:", head, *opened]))["city"]
    content.pop("previous_release")
    parameters = read_parameters(content, cuenca)
    assert parameters.goals == (3, 8, 11)
    assert parameters.indicators[0].national.comparability == "near"
    assert parameters.made_up


def test_the_same_city_gives_the_same_bytes_and_no_clock(project, tmp_path):
    contents = []
    for name in ("a", "b"):
        root = tmp_path / name
        (root / "params").mkdir(parents=True)
        (root / "data").mkdir()
        new_city("cuenca", root, name="Cuenca")
        contents.append((root / "data" / "cuenca.xlsx").read_bytes())
    assert contents[0] == contents[1]
    with zipfile.ZipFile(io.BytesIO(contents[0])) as parts:
        assert {entry.date_time for entry in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"2000-01-01T00:00:00Z" in parts.read("docProps/core.xml")


@pytest.mark.parametrize(
    "name", ["=cmd|' /C calc'!A0", "@SUM(1)", "<script>alert(1)</script>", 'Say "hi": # no', "京都"]
)
def test_a_hostile_name_stays_text(project, name):
    new_city("cuenca", project, name=name)
    assert read_parameters("cuenca", project).name == name
    book = openpyxl.load_workbook(project / "data" / "cuenca.xlsx")
    assert not [cell.coordinate for sheet in book for row in sheet for cell in row if cell.data_type == "f"]
    assert book["Guide"]["A1"].value == f"Figures of {name}"


# --- the workbook ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book():
    buffer = io.BytesIO()
    empty_workbook("cuenca", "Cuenca").save(buffer)
    return openpyxl.load_workbook(buffer)


def test_sheets_have_frozen_headers_and_an_example(book):
    assert book.sheetnames == ["Guide", *ORDER, "Codes"]
    for sheet in ORDER:
        page = book[sheet]
        assert page.freeze_panes == "B2"
        assert page["A2"].value.startswith("EXAMPLE")
        assert page.max_row == 2
        assert [cell.value for cell in page[1]][: len(FORMS[sheet].columns)] == [c.head for c in FORMS[sheet].columns]


def test_guide_names_every_column(book):
    text = "\n".join(str(cell.value) for row in book["Guide"] for cell in row)
    for form in FORMS.values():
        for column in form.columns:
            assert column.help in text


def test_drop_downs_offer_exactly_their_lists_and_say_what_to_do(book):
    offered = lists()
    for sheet in ORDER:
        rules = {str(rule.sqref): rule for rule in book[sheet].data_validations.dataValidation}
        for place, column in enumerate(FORMS[sheet].columns, 1):
            letter = openpyxl.utils.get_column_letter(place)
            rule = rules[f"{letter}3:{letter}1000"]
            assert 10 < len(rule.prompt) <= 255
            assert len(rule.promptTitle) <= 32
            if column.choices and column.choices != "Source":
                page, cells = rule.formula1.split("!")
                words = [row[0].value for row in book[page][cells.replace("$", "")]]
                assert words == offered[column.choices]
                assert rule.errorStyle == ("stop" if column.strict else "warning")
                assert 10 < len(rule.error) <= 255
    marks = rules_of_figures(book)
    assert not marks.showErrorMessage
    assert marks.formula1 == '"..,*,<5,not applicable"'


def rules_of_figures(book):
    rules = book["Figures"].data_validations.dataValidation
    return next(rule for rule in rules if str(rule.sqref).startswith("G3:"))


def test_codes_and_targets_are_text_so_that_no_program_makes_numbers_of_them(book):
    for sheet, letter in [("Figures", "A"), ("Targets", "A"), ("Indicators", "E"), ("Voices", "M")]:
        assert book[sheet].column_dimensions[letter].number_format == "@"
    assert book["Targets"].column_dimensions["D"].number_format == "General"


def test_an_empty_workbook_passes_with_nothing_yet(cuenca):
    for what in ("cuenca", str(cuenca / "data" / "cuenca.xlsx")):
        report = checking.check(what, cuenca, TODAY)
        assert (report.result, report.exit_code, report.figures) == ("nothing yet", 0, 0)
        assert (report.errors, report.warnings, report.repairs) == ((), (), ())
        assert "nothing yet" in report.text()


def test_a_run_without_figures_ends_with_one_message(cuenca):
    with pytest.raises(InputError) as caught:
        load_cities(["cuenca"], cuenca)
    assert [problem.found for problem in caught.value.problems] == ["no figures yet"]
    assert "Figures" in caught.value.problems[0].fix


# --- what is filled in ---------------------------------------------------------------------------------


def test_figures_become_observations(cuenca):
    path = fill(
        cuenca,
        Figures=[
            [
                "11.6.2 Fine particles in cities",
                "mean PM2.5",
                "µg/m³",
                None,
                None,
                "env",
                12.5,
                "12,5",
                "..",
                "<5",
                None,
                0,
            ],
            ["11.6.2", "mean PM2.5", "µg/m³", "sex= female", "estimated", "env", None, "not applicable", "7 (p)"],
        ],
    )
    table = kit.read_table(path)
    common = {"area": "cuenca", "indicator": "11.6.2", "series": "mean PM2.5", "unit": "µg/m³", "source": "env"}
    nan = math.nan
    rows = [
        ("2010", "", 12.5, "value"), ("2011", "", 12.5, "value"), ("2012", "", nan, "missing"),
        ("2013", "", nan, "suppressed"), ("2015", "", 0.0, "value"),
        ("2011", "sex=female", nan, "not_applicable"), ("2012", "sex=female", 7.0, "provisional"),
    ]  # fmt: skip
    expected = pd.DataFrame(
        [
            common | {"period": period, "breakdown": group, "value": value, "status": status, "low": nan, "high": nan}
            for period, group, value, status in rows
        ],
        columns=list(COLUMNS),
    )
    pd.testing.assert_frame_equal(table, check(expected))


def test_a_decimal_comma_is_the_same_number_with_a_line_in_the_log(cuenca):
    path = fill(cuenca, Figures=[["3.6.1", None, "%", None, None, "env", "12,5", "12.5", 12.5]])
    filled = template_sheet.read_workbook(path)
    assert filled.table["value"].tolist() == [12.5, 12.5, 12.5]
    assert [str(repair) for repair in filled.repairs] == [
        "cuenca.xlsx, Figures!G3: '12,5' read as 12.5 (decimal comma)"
    ]


def test_a_number_shown_as_a_percentage_is_read_as_it_is_shown(cuenca):
    path = fill(cuenca, Figures=[["1.2.1", None, "%", None, None, "env", 0.125]])
    book = openpyxl.load_workbook(path)
    book["Figures"]["G3"].number_format = "0.0%"
    book.save(path)
    assert kit.read_table(path)["value"].tolist() == [12.5]


def test_an_example_row_counts_only_when_its_word_is_gone(cuenca):
    path = fill(cuenca)
    book = openpyxl.load_workbook(path)
    book["Figures"]["A2"] = "11.6.2"
    book["Figures"]["F2"] = "env"
    book.save(path)
    assert kit.read_table(path)["value"].count() == 4


def test_an_empty_series_takes_the_name_of_the_indicator(cuenca):
    path = fill(
        cuenca,
        Figures=[["3.6.1", None, "%", None, None, "env", 1], ["cu.1", None, "%", None, None, "env", 1]],
        Indicators=[["cu.1", None, None, "Homes with a tank", "6.4"]],
    )
    assert kit.read_table(path)["series"].tolist() == [catalogue.label("3.6.1"), "Homes with a tank"]


def test_joined_cells_are_of_all_their_rows(cuenca):
    path = fill(
        cuenca,
        Figures=[
            ["8.5.2", "jobless", "%", "sex=female", None, "env", 5],
            ["4.4.1", "skills", "%", None, None, "env", 7],
        ],
    )
    book = openpyxl.load_workbook(path)
    book["Figures"].merge_cells("D3:D4")
    book["Figures"].merge_cells("F3:F4")
    book.save(path)
    filled = template_sheet.read_workbook(path)
    assert filled.table[["indicator", "breakdown", "value"]].to_numpy().tolist() == [
        ["4.4.1", "sex=female", 7], ["8.5.2", "sex=female", 5]]  # fmt: skip
    assert [str(repair) for repair in filled.repairs] == [
        "cuenca.xlsx, Figures!D4: nothing read as 'sex=female' (joined with the cell above)",
        "cuenca.xlsx, Figures!F4: nothing read as 'env' (joined with the cell above)",
    ]


def test_one_figure_a_row_and_a_second_sheet_are_read_too(cuenca):
    head = ["Indicator", "Series", "Unit", "Period", "Group", "Value", "Low", "High", "Status", "Source"]
    path = fill(
        cuenca,
        Figures=[["3.6.1", "deaths", "%", None, None, "env", 1]],
        **{"Figures monthly": [
            head, ["8.5.2", "jobless", "%", "2024-Q3", None, 6.5, 6, 7, None, "env"],
            ["8.5.2", "jobless", "%", "2019/20", "sex=male", 5, None, None, "provisional", "env"],
        ]},
    )  # fmt: skip
    table = kit.read_table(path)
    assert table[["period", "low", "status"]].fillna(-1).to_numpy().tolist() == [
        ["2010", -1, "value"], ["2024-Q3", 6, "value"], ["2019-07-01/P1Y", -1, "provisional"],
    ]  # fmt: skip


def test_a_workbook_gives_the_table_that_a_csv_file_of_the_same_figures_gives(cuenca):
    path = fill(cuenca, Figures=[["3.6.1", "deaths", "%", g, None, "env", 1, 2.25, ".."] for g in (None, "sex=male")])
    other = cuenca / "data" / "cuenca.csv"
    rows = [f"cuenca,3.6.1,deaths,%,{year},{g},{value},env" for g in ("", "sex=male")
            for year, value in ((2010, "1,"), (2011, "2.25,"), (2012, ",missing"))]  # fmt: skip
    other.write_text("area,indicator,series,unit,period,breakdown,value,status,source\n" + "\n".join(rows), "utf-8")
    pd.testing.assert_frame_equal(kit.read_table(path), kit.read_table(other))


def test_the_origin_of_each_figure_is_the_cell_that_holds_it(cuenca):
    path = fill(
        cuenca, Figures=[["3.6.1", f"s{n}", "%", None, None, "env", n, n + 0.5, None, n * 10] for n in range(1, 4)]
    )
    table, origins = kit.read_table(path), template_sheet.read_origins(path)
    book = openpyxl.load_workbook(path)
    assert [book[row.sheet][row.cell].value for row in origins.itertuples()] == table["value"].tolist()
    rows = kit.row_numbers(path)
    assert [rows[key] for key in origins.iloc[:, :6].itertuples(index=False, name=None)] == [
        int("".join(filter(str.isdigit, cell))) for cell in origins["cell"]
    ]


def test_what_the_other_sheets_say_reaches_the_city(cuenca):
    fill(
        cuenca,
        Figures=[
            ["11.6.2", "mean PM2.5", "µg/m³", None, None, "env", 14, 13, 12],
            ["cu.1", None, "%", None, None, "env", 14, 13, 12],
        ],
        Indicators=[["cu.1", None, None, "Homes with a tank", "6.4 Water used well", "increase", "own"]],
        Targets=[
            ["11.6.2", None, None, "10,5", 2030, "air plan", "yes", "Environment", "low emission zone"],
            ["3.6.1", None, None, 5, 2030],
        ],
        Voices=[["survey-2024", "poll", "Street survey", "City", "2024-05", None, 400, None, "random sample", None,
                 "anonymous", "buses", "11.2", None, None, None, "improves", 180, None, "env"]],
        Notes=[["11.6.2", "A station opened in 2018.", "Environment"], [None, "Census of 2022 used.", None]],
    )  # fmt: skip
    city = load_cities(["cuenca"], cuenca)[0]
    rows = city.definitions.set_index("indicator")
    assert rows.loc["cu.1", ["label", "direction", "goal"]].tolist() == ["Homes with a tank", "increase", 6]
    air = rows.loc["11.6.2"]
    assert (air["target"], air["target_year"], air["target_source"], air["department"]) == (
        10.5, 2030, "air plan", "Environment"
    )  # fmt: skip
    assert air["priority"]
    assert air["direction"] == "decrease"  # a note alone does not take the catalogue's direction away
    assert air["note"] == "A station opened in 2018."
    assert city.sources["publisher"].tolist() == ["City environment office"]
    assert city.voices[["evidence", "count"]].to_numpy().tolist() == [["survey-2024", 180.0]]


def test_the_parameters_win_over_the_workbook(cuenca):
    fill(
        cuenca,
        Figures=[["11.6.2", None, "µg/m³", None, None, "env", 14, 13]],
        Targets=[["11.6.2", None, None, 10, 2030]],
    )
    path = cuenca / "params" / "cuenca.yaml"
    more = "  indicators:\n    - {indicator: 11.6.2, target: 5, target_year: 2035}\n"
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    assert load_cities(["cuenca"], cuenca)[0].definitions["target"].tolist() == [5]


@pytest.mark.parametrize("year", ["2.030", 203, 1999, 2150])
def test_a_wrong_year_of_a_target_is_told_at_its_cell_whoever_asks(cuenca, year):
    fill(
        cuenca,
        Figures=[["11.6.2", None, "µg/m³", None, None, "env", 14, 13]],
        Targets=[["11.6.2", None, None, 10, year]],
    )
    with pytest.raises(InputError) as told:
        load_cities(["cuenca"], cuenca)
    assert "Targets!E" in str(told.value) and "year from 2000 to 2100" in str(told.value)


cells = st.one_of(
    st.none(), st.text(max_size=12), st.floats(), st.integers(), st.booleans(), st.datetimes(),
    st.sampled_from(["3.6.1", "=1+1", "%", "env", "2019", "..", "EXAMPLE", "period", "value", "#DIV/0!", "a=b;c=d"]),
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from(["Figures", *ORDER]), st.lists(cells, max_size=12)), max_size=8))
def test_any_cells_give_a_reading(tmp_path, rows):
    book = empty_workbook("town", "Town")
    for sheet, row in rows:
        try:
            book[sheet].append(row)
        except openpyxl.utils.exceptions.IllegalCharacterError:
            continue
    path = tmp_path / "town.xlsx"
    book.save(path)
    report = checking.check(str(path), None, TODAY)
    assert report.exit_code == (1 if report.errors else 0)
    assert report.json()
