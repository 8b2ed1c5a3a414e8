"""sources/open_sdg.py: two real repositories, file by file, and whatever else may lie in such a folder."""

import csv
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlr_analysis.errors import InputError
from vlr_analysis.sources import open_sdg
from vlr_analysis.sources.open_sdg import read_open_sdg

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT.parent / "shared" / "sources" / "open-sdg"


@pytest.fixture(scope="module", params=["los-angeles", "united-states"])
def real(request):
    if not SOURCES.is_dir():
        pytest.skip("no ../shared/sources beside the project")
    return SOURCES / request.param, read_open_sdg(SOURCES / request.param, area=request.param)


def repository(tmp_path: Path, **files: str | bytes) -> Path:
    data = tmp_path / "data"
    data.mkdir(exist_ok=True)
    for name, content in files.items():
        path = data / f"indicator_{name.replace('_', '-')}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return tmp_path


def one(tmp_path, content, **options):
    found = read_open_sdg(repository(tmp_path, **{"1_1_1": content}), area="town", **options)
    return found.files[0], found.table


def is_filler(path: Path) -> str:
    """Tell a placeholder by eye's rule, without the kit: its header and its first rows."""
    rows = [row for row in csv.reader(path.read_text(encoding="utf-8-sig").splitlines()) if any(row)]
    if rows[0] == ["Year", "Group", "Value"] and rows[1][1:] == ["A", "1"]:
        return "group"
    if rows[0][:4] == ["Year", "Grade", "Planet", "Fruit"] or rows[0][:3] == ["Year", "Group A", "Group B"]:
        return "sample"
    return "zero" if rows[1:] == [["2015", "0"]] else ""


def test_every_entry_has_one_line_and_every_filler_is_recognised(real):
    folder, found = real
    entries = {path.name: path for path in (folder / "data").iterdir()}
    assert sorted(report.file for report in found.files) == sorted(entries)
    for report in found.files:
        path = entries[report.file]
        assert report.line().startswith(f"{report.file}: ")
        assert "\n" not in report.line()
        if path.is_dir():
            assert report.outcome == "not a file"
        elif is_filler(path):
            assert report.outcome == "placeholder", report.file
        elif "non-statistical" in path.read_text(encoding="utf-8-sig"):
            assert report.outcome == "not statistical"
        else:
            assert report.outcome == "taken", report.line()


def test_counts_as_counted_by_hand(real):
    folder, found = real
    want = {
        "los-angeles": "1 not a file, 1 not statistical, 115 placeholder, 132 taken",
        "united-states": "128 placeholder, 110 taken",
    }
    assert open_sdg.summary(found.files) == want[folder.name]


def test_no_number_is_lost(real):
    """Every numeric cell of every file that was taken is in the table, but for rows that a line names."""
    folder, found = real
    for report in found.files:
        if report.outcome != "taken":
            continue
        code = report.file.removeprefix("indicator_").removesuffix(".csv").replace("-", ".")
        got = found.table.loc[(found.table["indicator"] == code) & found.table["value"].notna(), "value"].tolist()
        text = (
            (folder / "data" / report.file).read_bytes().decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
        )
        rows = list(csv.reader(text.split("\n")))
        place = rows[0].index("Value") if "Value" in rows[0] else len(rows[0]) - 1
        raw = [
            float(row[place].replace(",", ""))
            for row in rows[1:]
            if len(row) > place and row[place].strip() not in ("", ".")
        ]
        named = 2 * len(report.problems) + (len(raw) - len(got) if "repeated row" in report.detail else 0)
        assert len(raw) - len(got) == named, report.line()
        assert set(got) <= set(raw)


def test_the_shipped_figures_are_found_again(real):
    folder, found = real
    shipped = pd.read_csv(ROOT / "data" / f"{folder.name}.csv", dtype={"period": str})
    shipped = shipped[shipped["source"].isin(["la-sdg", "usa-sdg"]) & shipped["value"].notna()]
    have = {(r.indicator, round(r.value, 6)) for r in found.table.itertuples()}
    missing = [r for r in shipped.itertuples() if (r.indicator, round(r.value, 6)) not in have]
    assert len(missing) <= 0.02 * len(shipped), missing[:3]


def test_rows_at_odds_are_named_with_rows_values_and_fix(real):
    folder, found = real
    if folder.name == "los-angeles":
        line = next(report for report in found.files if report.file == "indicator_4-1-2.csv").line()
        assert "rows 43 and 49, column Value: found the values 32.1, 32.6" in line
        assert "Fix:" in line


@pytest.mark.parametrize(
    ("years", "periods"),
    [
        (["2015/16"], ["2015-07-01/P1Y"]),
        (["2009–2010"], ["2009-01-01/P2Y"]),
        (["2012-2013", "2013-2014"], ["2012-07-01/P1Y", "2013-07-01/P1Y"]),
        (["2010-2017"], ["2010-01-01/P8Y"]),
        (["2021-2022*"], ["2021-01-01/P2Y"]),
        (["2019.0"], ["2019"]),
        (["2019-Q1"], ["2019-Q1"]),
        (["2019-07"], ["2019-07"]),
    ],
)
def test_years_as_they_are_met(tmp_path, years, periods):
    report, table = one(tmp_path, "Year,Value\n" + "".join(f"{year},{i}.5\n" for i, year in enumerate(years)))
    assert report.outcome == "taken"
    assert sorted(table["period"]) == periods


def test_year_start_is_the_users(tmp_path):
    assert one(tmp_path, "Year,Value\n2015/16,1.5\n", year_start="04-01")[1]["period"].tolist() == ["2015-04-01/P1Y"]


def test_missing_suppressed_and_zero_are_three_things(tmp_path):
    _, table = one(tmp_path, 'Year,Value\n2015,0\n2016,.\n2017,*\n2018,"1,234"\n2019,\n')
    assert table.set_index("period")["status"].to_dict() == {
        "2015": "value", "2016": "missing", "2017": "suppressed", "2018": "value", "2019": "missing",
    }  # fmt: skip
    assert table["value"].tolist()[0] == 0
    assert table["value"].tolist()[3] == 1234


def test_columns_become_breakdowns_series_and_units(tmp_path):
    text = "Year ,Race/ Ethnicity,Units,Series,Value\n2015,,Total,Deaths,3\n2015,A=B;C,Percent,Deaths,4\n"
    report, table = one(tmp_path, "﻿" + text)
    assert set(table["breakdown"]) == {"", "race-ethnicity=A:B,C"}
    assert set(table["unit"]) == {"Total", "Percent"}
    assert set(table["series"]) == {"Deaths"}
    assert "byte-order mark" in report.detail


def test_a_word_for_a_number_names_file_row_and_fix(tmp_path):
    report, table = one(tmp_path, "Year,Value\n2015,3\n2016,about 4\n")
    assert report.outcome == "problem"
    assert "indicator_1-1-1.csv, row 3, column Value: found 'about 4'" in report.line()
    assert not len(table)


def test_a_folder_without_data_is_refused(tmp_path):
    with pytest.raises(InputError, match="a folder without data/"):
        read_open_sdg(tmp_path, area="town")


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=400))
def test_any_bytes_get_one_line_and_no_traceback(tmp_path, content):
    report, table = one(tmp_path, content)
    assert report.line()
    assert (len(table) > 0) == (report.outcome == "taken")


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1990, 2030), st.sampled_from(["", "a", "b"]), st.sampled_from(["1", "2.5", ".", "*"])),
        min_size=2, max_size=25,
    )
)  # fmt: skip
def test_rows_in_are_rows_out_or_named(tmp_path, rows):
    report, table = one(tmp_path, "Year,Sex,Value\n" + "".join(f"{y},{s},{v}\n" for y, s, v in rows))
    keys = {(y, s) for y, s, _ in rows}
    at_odds = len(report.problems)
    assert len(table) + at_odds == len(keys) or report.outcome == "problem"
    if len(keys) < len(rows):
        assert "left out" in report.line() or report.outcome == "problem"


def test_a_blank_value_takes_its_reason_from_the_status_beside_it(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "indicator_1-2-1.csv").write_text(
        "Year,Observation status,Value\n2018,A,3.5\n2019,Q,\n2020,M,\n2021,O,\n2022,,\n2023,E,3.1\n", encoding="utf-8"
    )
    table = open_sdg.read_open_sdg(tmp_path, area="town", source="s").table.set_index("period")
    assert table["status"].to_dict() == {
        "2018": "value", "2019": "suppressed", "2020": "not_applicable", "2021": "missing", "2022": "missing",
        "2023": "estimated",
    }  # fmt: skip


# --- wrong figures that look like right ones ------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('Year,Value\n2019,"0,123"\n', "row 2, column Value: found '0,123'"),
        ("Year,Value\n2019,5_2\n", "row 2, column Value: found '5_2'"),
        (
            "Year,Observation status,Value\n2019,A,3\n2030,Target,4\n",
            "row 3, column Observation status: found 'Target'",
        ),
        ("Year,Obs status,Value\n2019,forecast,3\n", "figures that were observed"),
        ("Year,Obs status,Value\n2019,M,3\n", "'M' beside a number; expected no number there"),
        ("Year,Value\n2019,3\n2019,c\n", "the values 3, suppressed for one key"),
        ("Year,Value,Unit multiplier\n2019,3,many\n", "column Unit multiplier: found 'many'"),
        ("Year,Value,Value\n2019,3,4\n", "the columns Value and Value"),
        ("Year,Sex,sex,Value\n2019,a,b,4\n", "the columns Sex and sex"),
    ],
)
def test_a_figure_that_is_not_plain_is_told_with_its_file_and_row(tmp_path, content, words):
    report, table = one(tmp_path, content)
    assert "indicator_1-1-1.csv" in str(report.problems[0]) and words in str(report.problems[0])
    assert not len(table) or "c" in content.split(",")[-1]


@pytest.mark.parametrize(("column", "mark"), [("Obs status", "C"), ("Obs status", "Secret"), ("Conf status", "C")])
def test_nothing_of_a_hidden_figure_is_taken(tmp_path, column, mark):
    found = read_open_sdg(repository(tmp_path, **{"1_1_1": f"Year,{column},Value\n2019,{mark},3\n2020,,4\n"}), area="t")
    assert found.table["status"].tolist() == ["suppressed", "value"]
    assert found.table["value"].isna().tolist() == [True, False]
    assert [(repair.where, repair.taken, repair.why) for repair in found.repairs] == [
        ("data/indicator_1-1-1.csv, row 2, column C", "suppressed", "a hidden figure left out")
    ]


def test_a_column_of_multipliers_multiplies(tmp_path):
    report, table = one(tmp_path, "Year,Value,Unit multiplier\n2019,4,Thousands\n2020,5.5,3\n2021,6,\n")
    assert table["value"].tolist() == [4000, 5500, 6]
    assert set(table["breakdown"]) == {""}
    assert "multiplied as the source says (2)" in report.line()


@pytest.mark.parametrize(
    ("content", "taken", "words"),
    [
        # groups, by the rules of the other readers
        ("Year,Sex,Value\n2019,Total,5\n2020,Both sexes,6\n2019,M,4\n2019,F,3\n",
         {("", 5), ("", 6), ("sex=male", 4), ("sex=female", 3)}, ""),
        ("Year,Sexo,Value\n2019,M,4\n2019,H,3\n", {("sex=female", 4), ("sex=male", 3)}, ""),
        ("Year,Gender,Value\n2019,M,4\n", set(), "write women and men in words"),
        # figures held back
        ("Year,Value,Obs status\n2019,5,Withheld\n2020,6,\n", {("", "suppressed"), ("", 6)}, ""),
        ("Year,Value,Confidential\n2019,5,yes\n2020,6,no\n", {("", "suppressed"), ("", 6)}, ""),
        ("Year,Value,Confidential\n2019,5,Y\n2020,6,N\n", {("", "suppressed"), ("", 6)}, ""),
        ("Year,Value,Conf status\n2019,5,N\n2020,6,F\n", {("", "suppressed"), ("", 6)}, ""),
        ("Year,Value,Publish?\n2019,5,no\n2020,6,yes\n", {("", "suppressed"), ("", 6)}, ""),
        ("Year,Value,Flag\n2019,5,p\n2020,6,\n", {("", 5), ("", 6)}, ""),
        # figures that were not observed, and of other places
        ("Year,Type,Value\n2019,Actual,5\n2030,Target,3\n", {("", 5)}, "targets and forecasts left out"),
        ("Year,Scenario,Value\n2030,Projected,5\n", set(), "no figure that was observed"),
        ("Year,Type,Value\n2019,Theft,5\n2019,Fraud,3\n", {("type=Theft", 5), ("type=Fraud", 3)}, ""),
        ("Year,City,Value\n2019,Town,5\n2019,Bradford,7\n", {("", 5)}, "rows of other areas left out"),
        ("Year,City,Value\n2019,Bradford,7\n", set(), "found the areas Bradford; expected one for town"),
        ("Year,Area,Value\n2019,Urban,7\n2019,Rural,6\n", {("area=Urban", 7), ("area=Rural", 6)}, ""),
        # percentages
        ("Year,Units,Value\n2019,Percent,15%\n2020,Percent,0.16\n", set(), "'0.16' in a series of numbers with"),
        ("Year,Units,Value\n2019,Per 1000,7%\n", set(), "'7%' of the unit Per 1000"),
        ("Year,Units,Value\n2019,Percent,15%\n2020,Percent,16%\n", {("", 15), ("", 16)}, ""),
    ],
)  # fmt: skip
def test_columns_mean_what_they_mean_to_the_other_readers(tmp_path, content, taken, words):
    report, table = one(tmp_path, content)
    found = {(row.breakdown, row.value if row.value == row.value else row.status) for row in table.itertuples()}
    assert found == taken
    assert words in report.line()


def test_the_words_of_the_kits_own_feed_are_taken_as_they_stand(tmp_path):
    assert one(tmp_path, "Year,kind,Value\n2019,Total,5\n", own=True)[1]["breakdown"].tolist() == ["kind=Total"]
