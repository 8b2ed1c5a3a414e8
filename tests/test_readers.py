"""Readers of formats: the same figures in each of them give the same table, each figure with the cell it stood in."""

import io
import math
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont

from vlr_analysis.errors import InputError
from vlr_analysis.observations import KEY
from vlr_analysis.sources import formats
from vlr_analysis.sources.formats import guess, read
from vlr_analysis.sources.reading import ORIGIN_COLUMNS, origins_path, read_origins, write_origins
from vlr_analysis.sources.sheets import open_sheets

HERE = Path(__file__).parent / "fixtures" / "readers"
SHARED = Path(__file__).resolve().parents[2] / "shared" / "sources"
GIVEN = {"area": "exampleville", "source": "test"}
NAMES = {"indicator": "8.5.2", "series": "Unemployment rate", "unit": "%"}

# The figures of all fixtures: women below the total; in 2020 provisional, in 2021 not known or not told.
TOTAL = {"2019": (5.2, "value"), "2020": (7.9, "provisional"), "2021": (None, "missing"), "2022": (6.1, "value")}
WOMEN = {"2019": (4.8, "value"), "2020": (8.2, "provisional"), "2021": (None, "suppressed"), "2022": (0.0, "value")}


def said(table: pd.DataFrame) -> dict:
    """Return {breakdown: {period: (value, status)}}."""
    found: dict = {}
    for row in table.itertuples():
        value = None if math.isnan(row.value) else row.value
        found.setdefault(row.breakdown, {})[row.period] = (value, row.status)
    return found


def one_series(table: pd.DataFrame) -> tuple:
    assert len(table[["area", "indicator", "series", "unit", "source"]].drop_duplicates()) == 1
    return tuple(table.loc[0, ["area", "indicator", "series", "unit", "source"]])


def same_cell(reading, row: int) -> object:
    """Return what stands in the file where the origin of a figure points."""
    origin = reading.origins.iloc[row]
    for sheet in open_sheets(HERE / origin["file"] if (HERE / origin["file"]).exists() else origin["file"]).sheets:
        for r in range(len(sheet.rows)):
            for c in range(len(sheet.rows[r])):
                if sheet.name == origin["sheet"] and sheet.cell(r, c) == origin["cell"]:
                    return sheet.rows[r][c]
    raise AssertionError(f"no cell {origin['cell']}")


# --- one set of figures in every format ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name", "options"),
    [
        ("long.csv", "long", {}),
        ("wide.csv", "wide", {}),
        ("eurostat.tsv", "eurostat", {"place": "XX11", **NAMES}),
        ("eurostat.csv", "eurostat", {"place": "XX11", **NAMES}),
        ("sdmx1.csv", "sdmx-csv", {"place": "XX11", "series": "Unemployment rate"}),
        ("sdmx2.csv", "sdmx-csv", {"place": "XX11", "series": "Unemployment rate"}),
    ],
)
def test_the_same_figures_give_the_same_table(file, name, options):
    path = HERE / file
    assert guess(path) == name
    reading = read(name, path, **GIVEN, **options)
    assert reading.problems == []
    assert one_series(reading.table) == ("exampleville", "8.5.2", "Unemployment rate", "%", "test")
    assert said(reading.table) == {"": TOTAL, "sex=female": WOMEN}
    assert list(reading.origins) == list(ORIGIN_COLUMNS)
    assert reading.origins[list(KEY)].equals(reading.table[list(KEY)])
    for row, observation in enumerate(reading.table.itertuples()):
        if observation.status == "value":
            assert float(str(same_cell(reading, row)).strip()) == observation.value


@pytest.mark.parametrize(
    ("file", "name", "options"),
    [
        ("world_bank.csv", "world-bank", {"indicator": "8.5.2"}),
        ("databank.csv", "world-bank", {"indicator": "8.5.2", "place": "EXV"}),
        ("fred.csv", "fred", NAMES),
    ],
)
def test_formats_without_groups_and_flags_give_the_same_totals(file, name, options):
    path = HERE / file
    assert guess(path) == name
    reading = read(name, path, **GIVEN, **options)
    assert reading.problems == []
    assert one_series(reading.table) == ("exampleville", "8.5.2", "Unemployment rate", "%", "test")
    assert said(reading.table) == {"": TOTAL | {"2020": (7.9, "value")}}


def test_unsd_gives_the_same_figures_of_its_years():
    reading = read("guess", HERE / "unsd.csv", **GIVEN)
    assert one_series(reading.table) == ("exampleville", "8.5.2", "Unemployment rate", "%", "test")
    without = lambda figures: {year: told for year, told in figures.items() if year != "2020"}  # noqa: E731
    assert said(reading.table) == {"": without(TOTAL), "sex=female": without(WOMEN)}


def test_a_letter_after_a_figure_of_eurostat_is_a_flag():
    reading = read("eurostat", HERE / "eurostat.tsv", **GIVEN, place="XX12")
    assert said(reading.table)[""]["2020"] == (9.8, "break")


def test_the_economic_tracker_gives_weeks_and_months():
    weeks = read("guess", HERE / "tracker" / "Employment - City - Weekly.csv", **GIVEN, column="emp", **NAMES)
    assert said(weeks.table) == {
        "": {"2020-01-11/P1W": (0.0021, "value"), "2020-01-18/P1W": (0, "value"), "2020-01-25/P1W": (0.0025, "value")},
        "income=quartile 1": {"2020-01-11/P1W": (-0.5, "value"), "2020-01-18/P1W": (None, "missing"),
                              "2020-01-25/P1W": (-0.7, "value")},
    }  # fmt: skip
    months = read("guess", HERE / "tracker" / "Affinity - City - Monthly.csv", **GIVEN, place="2", column="spend_all")
    assert said(months.table)[""] == {"2020-01": (9.9, "value")}
    provisional = read("guess", HERE / "tracker" / "Affinity - City - Monthly.csv", **GIVEN, column="spend_all")
    assert said(provisional.table)[""]["2020-02"] == (7.9, "provisional")


# --- forms that offices send ---------------------------------------------------------------------------


def text_file(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


LONG = (HERE / "long.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("header", "women"),
    [
        ("Year,Indicator,Measure,Unit,Sex,Value,Status,Note", "Women"),
        ("año,código,indicador,unidad,sexo,valor,estado,notas", "Mujeres"),
        ("année,code,indicateur,unité,sexe,valeur,statut,remarque", "Femmes"),
        ("ano,código,indicador,unidade,sexo,valor,status,nota", "Mulheres"),
        ("Jahr,Kennziffer,Indikator,Einheit,Geschlecht,Wert,Kennzeichen,Bemerkung", "Frauen"),
    ],
)
def test_a_long_table_is_read_in_five_languages(tmp_path, header, women):
    text = header + LONG[LONG.index("\n") :].replace("Women", women)
    reading = read("guess", text_file(tmp_path, "a.csv", text), **GIVEN)
    assert said(reading.table) == {"": TOTAL, "sex=female": WOMEN}
    assert one_series(reading.table)[1:4] == ("8.5.2", "Unemployment rate", "%")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators_change_nothing_but_the_log(tmp_path, encoding, separator):
    text = LONG.replace("Unemployment rate", "Chômage").replace(",", separator)
    text = text.replace(";5.2;", ";5,2;") if separator == ";" else text
    reading = read("guess", text_file(tmp_path, "a.csv", text, encoding), **GIVEN)
    assert said(reading.table) == {"": TOTAL, "sex=female": WOMEN}
    assert one_series(reading.table)[2] == "Chômage"
    assert any(repair.taken == "text" for repair in reading.repairs)


def test_a_column_of_each_series_is_read_by_the_year(tmp_path):
    path = text_file(tmp_path, "a.csv", "Year,Poverty rate (%),Jobs (number)\n2019,5.2,10\n2020,..,12\n2021,7,13\n")
    reading = read("guess", path, **GIVEN)
    rows = reading.table[["indicator", "series", "unit", "period", "status"]].to_numpy().tolist()
    assert ["exampleville.jobs", "Jobs", "number", "2020", "value"] in rows
    assert ["exampleville.poverty-rate", "Poverty rate", "%", "2020", "missing"] in rows
    assert len(rows) == 6


def messy_workbook(path: Path) -> None:
    """Write what a statistics office sends: a title, two header rows, joined cells, footnotes, a total, a change."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Arbeitsmarkt"
    sheet["A1"] = "Labour market, Exampleville"
    sheet.merge_cells("A1:G1")
    for cell, text in {"A3": "Indicator", "B3": "Unit", "C3": 2019, "E3": "2020 (p)", "G3": "Change"}.items():
        sheet[cell] = text
    for area in ("A3:A4", "B3:B4", "C3:D3", "E3:F3"):
        sheet.merge_cells(area)
    for cell, text in zip("CDEF", ["Total", "Women"] * 2, strict=True):
        sheet[f"{cell}4"] = text
    sheet.append(["8.5.2 Unemployment rate", "%", "5,2", "4,8", "7,9", "..", "+2,7"])
    sheet.append(["Unemployed people¹", "number", "1.234", "*", "2.345", "–"])
    sheet.append(["Social", None])
    sheet.append(["Poverty rate", "%", 0.125, 12.5, "=A1", 11])
    sheet["C8"].number_format = "0.0%"
    sheet.append(["Total", None, 1, 2, 3, 4])
    sheet["A11"] = "1 Registered at the agency"
    sheet["A12"] = "Source: the agency"
    other = book.create_sheet("Notes")
    other["A1"] = "Nothing but words"
    book.save(path)


def test_a_messy_workbook_is_read_with_every_repair_named(tmp_path):
    path = tmp_path / "büro.xlsx"
    messy_workbook(path)
    assert guess(path) == "wide"
    reading = read("guess", path, **GIVEN)
    figures = {(row.indicator, row.unit, row.period, row.breakdown): (row.value, row.status)
               for row in reading.table.itertuples()}  # fmt: skip
    rate, people, poverty = ("8.5.2", "%"), ("exampleville.unemployed-people", "number"), (
        "exampleville.social-poverty-rate", "%")  # fmt: skip
    assert figures[(*rate, "2019", "")] == (5.2, "value")
    assert figures[(*rate, "2020", "")] == (7.9, "provisional")
    assert figures[(*rate, "2020", "sex=female")][1] == "missing"
    assert figures[(*people, "2019", "")] == (1234, "value")
    assert figures[(*people, "2019", "sex=female")][1] == "suppressed"
    assert figures[(*poverty, "2019", "")] == (12.5, "value")
    assert len(figures) == 11  # twelve cells; the formula has no result
    assert [str(problem) for problem in reading.problems] == [
        "büro.xlsx, Arbeitsmarkt!E8: found a formula without a result; expected the figure itself. "
        "Fix: open and save the file in a spreadsheet program, or paste values"
    ]
    origin = reading.origins[(reading.origins["indicator"] == "8.5.2") & (reading.origins["period"] == "2019")]
    assert sorted(zip(origin["file"], origin["sheet"], origin["cell"], strict=True)) == [
        ("büro.xlsx", "Arbeitsmarkt", "C5"), ("büro.xlsx", "Arbeitsmarkt", "D5")]  # fmt: skip
    log = "\n".join(map(str, reading.repairs))
    for words in (
        "Arbeitsmarkt!C5: '5,2' read as 5.2 (decimal comma)",
        "Arbeitsmarkt!E3: '2020 (p)' read as 2020 (mark p beside the year: provisional)",
        "Arbeitsmarkt!C6: '1.234' read as 1234 (thousands mark taken out)",
        "'Unemployed people¹' read as Unemployed people (mark of a footnote left out)",
        "C8: '0.125' read as 12.5 (shown as a percentage, multiplied by 100)",
        "'1 Registered at the agency' read as nothing (remark left out)",
        "'Total' read as nothing (total over different series left out)",
        "'Change' read as nothing (a change is no figure observed: column left out)",
        "sheet Notes: 'no row of years' read as nothing (sheet left out)",
    ):
        assert words in log


@pytest.mark.parametrize(
    ("text", "breakdowns", "unit"),
    [
        ("Poverty rate (%)\n\nDistrict,2019,2020\nNorth,5,6\nSouth,7,8\nTotal,6,7\n",
         {"district=North", "district=South", ""}, "%"),
        (",,2019,,2020,\nIndicator,Unit,Men,Women,Men,Women\nPoverty,%,5,6,7,8\n", {"sex=male", "sex=female"}, "%"),
        (",Men,,Women,\nIndicator,2019,2020,2019,2020\nPoverty (%),5,6,7,8\n", {"sex=male", "sex=female"}, "%"),
        (",\"per 1,000\",\nIndicator,2019,2020\nBirths,5,6\n", {""}, "per 1,000"),
        ("Indicator,2019,2020\nPoverty,5%,6%\n", {""}, "%"),
    ],
)  # fmt: skip
def test_headers_of_wide_tables(tmp_path, text, breakdowns, unit):
    reading = read("wide", text_file(tmp_path, "a.csv", text), **GIVEN)
    assert set(reading.table["breakdown"]) == breakdowns
    assert set(reading.table["unit"]) == {unit}
    assert set(reading.table["period"]) == {"2019", "2020"}
    assert reading.problems == []


def test_an_interval_beside_the_figures_is_taken(tmp_path):
    text = ",2019,,,2020,,\nIndicator,Value,Lower CI,Upper CI,Value,Lower CI,Upper CI\nPoverty,5,4,6,7,8,9\n"
    reading = read("wide", text_file(tmp_path, "a.csv", text), **GIVEN)
    assert reading.table[["value", "low", "high"]].iloc[0].tolist() == [5, 4, 6]
    assert reading.table["value"].iloc[1] == 7 and math.isnan(reading.table["low"].iloc[1])
    assert "8 to 9 around 7" in str(reading.problems[0])


def test_an_area_column_is_filtered_or_refused(tmp_path):
    for text in ("City,Indicator,2019,2020\nOthertown,Poverty,1,2\nExampleville,Poverty,3,4\n",
                 "City,Indicator,Year,Value\nOthertown,Poverty,2019,1\nExampleville,Poverty,2019,3\n"):  # fmt: skip
        path = text_file(tmp_path, "a.csv", text)
        assert read("guess", path, **GIVEN).table["value"].min() == 3
        assert read("guess", path, area="elsewhere", source="test", place="Othertown").table["value"].min() == 1
        with pytest.raises(InputError, match=r"the areas Exampleville, Othertown.*--place"):
            read("guess", path, area="elsewhere", source="test")


# --- refusals read as help -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Year,Value,Amount,Value\n2019,1,2,3\n",
         "expected one value. Fix: say which holds the value: --column value=NAME"),
        ("Year,Value,Population\n2019,1,200\n2020,2,300\n", "columns of figures beside the value: Population"),
        ("Year,Series,Rate,Count\n2019,a,1,2\n", "the columns of figures Rate, Count; expected one column of values"),
        ("Indicator,2019,2019\nPoverty,1,2\n2020,3,4\n", "wide or long"),
        ("a,b\nc,d\n", "none of the formats; expected one format: economic-tracker (year, month, day_endofweek"),
        ("x,2019,2020,2019,2020\nPoverty,1,2,3,4\n", "2019 in two columns that nothing tells apart"),
    ],
)  # fmt: skip
def test_what_is_not_plain_is_refused_with_the_candidates(tmp_path, text, words):
    path = text_file(tmp_path, "a.csv", text)
    with pytest.raises(InputError) as caught:
        read(guess(path), path, **GIVEN)
    message = str(caught.value)
    if words == "wide or long":
        assert "Fix:" in message
    else:
        assert words in message
    assert str(tmp_path) not in message


def test_a_table_that_could_be_two_formats_names_both(tmp_path):
    path = text_file(tmp_path, "a.csv", "Year,Measure\nIndicator,2019,2020\nPoverty,1,2\n")
    with pytest.raises(InputError, match=r"what could be long or wide; expected one format: long .*; wide"):
        guess(path)


def test_cells_that_cannot_be_read_are_told_and_the_rest_is_taken(tmp_path):
    rows = ["2019;Poverty;5,1", "2020;Poverty;1.234", "x;Poverty;3", "2021;Poverty;abc", "2022;Poverty;7.5",
            "2023;Poverty;1", "2023;Poverty;2"]  # fmt: skip
    path = text_file(tmp_path, "a.csv", "\n".join(["Year;Indicator;Value", *rows]))
    reading = read("long", path, **GIVEN)
    assert reading.table["period"].tolist() == ["2019", "2022"]
    told = "\n".join(map(str, reading.problems))
    assert "a.csv, row 3, column C: found '1.234'; expected one number, not 1.234 or 1234" in told
    assert "a.csv, row 4, column A: found 'x'; expected a year" in told
    assert "a.csv, row 5, column C: found 'abc'; expected a number" in told
    assert "a.csv, cells C7 and C8: found 1, 2 for" in told


def test_a_format_or_an_option_that_is_not_there_is_named():
    with pytest.raises(InputError, match=r"did you mean .world-bank."):
        read("worldbank", HERE / "world_bank.csv", **GIVEN)
    with pytest.raises(InputError, match=r"option sheet: .*for fred: column, indicator, series, unit"):
        read("fred", HERE / "fred.csv", **GIVEN, sheet="A")


def test_every_reader_refuses_what_is_another_format():
    for name, format in formats.FORMATS.items():
        if name in ("wide", "long", "open-sdg"):
            continue
        with pytest.raises(InputError) as caught:
            format.reader(HERE / "long.csv", **GIVEN)
        assert "Fix:" in str(caught.value)


# --- origins -------------------------------------------------------------------------------------------


def test_origins_are_written_and_read_back(tmp_path):
    reading = read("guess", HERE / "long.csv", **GIVEN)
    path = origins_path(tmp_path / "exampleville.csv")
    assert path.name == "exampleville.origins.csv"
    write_origins(reading.origins, path)
    back = read_origins(path)
    ordered = reading.origins.sort_values(list(KEY), kind="stable").reset_index(drop=True)
    assert back.to_numpy().tolist() == ordered.to_numpy().tolist()
    path.write_text("area,file\nx,y\n", encoding="utf-8")
    with pytest.raises(InputError, match="import the figures again"):
        read_origins(path)


def test_the_kits_own_feed_comes_back(tmp_path, observations):
    from vlr_analysis.sources.sdmx_csv import DATA, sdmx_files

    table = observations({("8.5.2", ""): {2019: 5.2}, ("8.5.2", "sex=female"): {2019: 4.8}})
    definitions = pd.DataFrame(columns=["indicator", "series", "unit", "label", "definition"])
    sources = pd.DataFrame(columns=["source", "publisher", "title", "licence"])
    files = sdmx_files(table, definitions, sources, {"town": "Town"}, name="test")
    path = tmp_path / "observations.csv"
    path.write_bytes(files[DATA])
    reading = read("guess", path, area="town", source="ignored")
    pd.testing.assert_frame_equal(reading.table, table)
    assert reading.origins["cell"].str.fullmatch(r"[A-Z]+[23]").all()


# --- the real thing, where it is at hand -----------------------------------------------------------------


def real(*parts: str) -> Path:
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip("no ../shared/sources beside the project")
    return path


def test_fred_gives_the_figures_that_ship():
    reading = read("guess", real("fred", "CALOSA7URN.csv"), area="los-angeles", source="test", unit="%")
    ships = pd.read_csv(HERE.parents[2] / "data" / "los-angeles.csv", dtype={"indicator": str})
    ships = ships[ships["source"].str.startswith("bls")].set_index("period")["value"]
    read_here = reading.table.set_index("period")["value"]
    assert len(ships) > 100
    assert (read_here[ships.index] == ships).all()


def test_monthly_means_of_the_tracker_are_the_figures_that_ship():
    path = real("economic-tracker", "Employment - City - Weekly.csv")
    reading = read("guess", path, area="los-angeles", source="test", column="emp")
    total = reading.table[reading.table["breakdown"] == ""]
    ends = pd.to_datetime(total["period"].str[:10]) + pd.Timedelta(days=6)
    means = total["value"].groupby(ends.dt.strftime("%Y-%m")).mean()
    ships = pd.read_csv(HERE.parents[2] / "data" / "los-angeles.csv", dtype={"indicator": str})
    ships = ships[(ships["source"] == "oi-employment") & ships["breakdown"].isna()].set_index("period")["value"]
    assert len(ships) > 40
    assert (means[ships.index] - ships).abs().max() < 1e-8


def test_every_file_of_a_real_repository_is_a_table_or_a_message():
    """The readers of plain tables, let loose on the files of a city, with all that people put into them."""
    taken = refused = 0
    for path in sorted(real("open-sdg", "los-angeles", "data").glob("*.csv"))[::4]:
        try:
            reading = read("guess", path, area="los-angeles", source="test")
            taken += len(reading.table) > 0
        except InputError as error:
            refused += 1
            assert "Fix:" in str(error)
    assert taken > 30
    assert refused < taken


def test_the_repository_reader_shares_the_form():
    reading = read("guess", real("open-sdg", "los-angeles"), area="los-angeles", source="test")
    assert len(reading.origins) == len(reading.table) > 1000
    assert reading.origins["file"].str.startswith("data/indicator_").all()


def test_a_workbook_is_never_written_to(tmp_path):
    path = tmp_path / "a.xlsx"
    messy_workbook(path)
    before = path.read_bytes()
    read("guess", path, **GIVEN)
    assert path.read_bytes() == before
    assert load_workbook(io.BytesIO(before)).sheetnames == ["Arbeitsmarkt", "Notes"]


@pytest.mark.parametrize(("format_name", "text"), [
    ("wide", "Indicador;Unidad;Ene 2019;feb. 2019;Marzo de 2019\n8.5.2;%;5,1;5,2;5,3\n"),
    ("wide", "Indicateur;Unité;janv. 2019;févr. 2019;mars 2019\n8.5.2;%;5,1;5,2;5,3\n"),
    ("long", "Código;Unidad;Año;Mes;Valor\n8.5.2;%;2019;Enero;5,1\n8.5.2;%;2019;Febrero;5,2\n8.5.2;%;2019;Marzo;5,3\n"),
    ("long", "Code;Unité;Date;Valeur\n8.5.2;%;janvier 2019;5,1\n8.5.2;%;2019 février;5,2\n8.5.2;%;mars 2019;5,3\n"),
])  # fmt: skip
def test_months_are_read_by_their_names_in_other_languages(tmp_path, format_name, text):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    table = read(format_name, tmp_path / "x.csv", **GIVEN).table
    months = {"2019-01": (5.1, "value"), "2019-02": (5.2, "value"), "2019-03": (5.3, "value")}
    assert said(table) == {"": months}


@pytest.mark.parametrize(("text", "periods"), [
    ("Year,Quarter,Code,Unit,Value\n2019,Q1,8.5.2,%,5\n2019,Q2,8.5.2,%,6\n2020,Q1,8.5.2,%,7\n",
     ["2019-Q1", "2019-Q2", "2020-Q1"]),
    ("Año,Trimestre,Código,Unidad,Valor\n2019,1,8.5.2,%,5\n2019,2,8.5.2,%,6\n2020,Total,8.5.2,%,7\n",
     ["2019-Q1", "2019-Q2", "2020"]),
    ("Année,Semestre,Code,Unité,Valeur\n2019,S1,8.5.2,%,5\n2019,S2,8.5.2,%,6\n2020,S1,8.5.2,%,7\n",
     ["2019-01-01/P6M", "2019-07-01/P6M", "2020-01-01/P6M"]),
    ("Year,Quarter,Month,Code,Unit,Value\n2019,Q1,January,8.5.2,%,5\n2019,Q1,March,8.5.2,%,6\n"
     "2019,Q2,April,8.5.2,%,7\n", ["2019-01", "2019-03", "2019-04"]),
])  # fmt: skip
def test_a_column_of_quarters_beside_the_year_is_part_of_the_period(tmp_path, text, periods):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    table = read("long", tmp_path / "x.csv", **GIVEN).table.sort_values("value")
    assert table["period"].tolist() == periods and set(table["breakdown"]) == {""}


@pytest.mark.parametrize(("days", "periods"), [
    (("2018-01-01", "2018-07-01", "2019-01-01"), ["2018-01-01/P6M", "2018-07-01/P6M", "2019-01-01/P6M"]),
    (("2018-10-01", "2019-10-01", "2020-10-01"), ["2018-10-01/P1Y", "2019-10-01/P1Y", "2020-10-01/P1Y"]),
    (("2018-10-01", "2019-01-01", "2019-04-01"), ["2018-Q4", "2019-Q1", "2019-Q2"]),
    (("2018-01-01", "2019-01-01", "2021-01-01"), ["2018", "2019", "2021"]),
    (("2018-01-01", "2018-02-01", "2018-04-01"), ["2018-01", "2018-02", "2018-04"]),
    (("2018-01-01", "2018-10-01"), ["2018-01-01", "2018-10-01"]),
])  # fmt: skip
def test_days_of_fred_are_as_long_as_they_are_apart(tmp_path, days, periods):
    (tmp_path / "x.csv").write_text("DATE,X\n" + "".join(f"{day},1\n" for day in days), encoding="utf-8")
    reading = read("fred", tmp_path / "x.csv", **GIVEN, unit="%")
    assert reading.table["period"].tolist() == periods
    assert any("years that begin on 10-01" in one.why for one in reading.repairs) == periods[0].endswith("P1Y")


@pytest.mark.parametrize(("text", "words"), [
    ("Mes;2019;2020\nEnero;5,1;5,2\nFebrero;5,3;5,4\nMarzo;5,5;5,6\n", "months down the rows .* write a row for each"),
    ("Indicador;Unidad;Xyz 2019;2020;2021\n8.5.2;%;5,1;5,2;5,3\n8.5.3;%;5,3;5,4;5,5\n", "figures below 'Xyz 2019'"),
])  # fmt: skip
def test_a_column_of_time_that_cannot_be_read_is_no_group(tmp_path, text, words):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read("wide", tmp_path / "x.csv", series="Unemployment", **GIVEN)


def test_months_below_years_and_quarters_below_years_are_periods(tmp_path):
    for names, periods in ((("Enero", "Febrero"), ("-01", "-02")), (("T1", "T2"), ("-Q1", "-Q2"))):
        head = f"Indicador;Unidad;2019;;2020;\n;;{';'.join(names * 2)}\n"
        (tmp_path / "x.csv").write_text(f"{head}8.5.2;%;5,1;5,2;5,3;5,4\n", encoding="utf-8")
        table = read("wide", tmp_path / "x.csv", **GIVEN).table
        wanted = [f"{year}{period}" for year in (2019, 2020) for period in periods]
        assert table["period"].tolist() == wanted and set(table["breakdown"]) == {""}
        assert table["value"].tolist() == [5.1, 5.2, 5.3, 5.4]


def test_a_total_in_the_column_of_codes_is_no_indicator(tmp_path):
    text = (
        "Código,Indicador,Unidad,2019,2020\n5.5.1,Concejales,people,10,11\n8.5.2,Parados,people,20,21\nTotal,,,30,32\n"
    )
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    reading = read("wide", tmp_path / "x.csv", **GIVEN)
    assert sorted(set(reading.table["indicator"])) == ["5.5.1", "8.5.2"] and len(reading.table) == 4
    assert any("total over different series left out" in repair.why for repair in reading.repairs)


# --- figures of another group, another place, another size ----------------------------------------------


def workbook(path: Path, rows: list, joins: tuple = (), name: str = "Sheet", **others: list) -> Path:
    book = Workbook()
    book.active.title = name
    for title, content in {name: rows, **others}.items():
        sheet = book[title] if title == name else book.create_sheet(title)
        for row in content:
            sheet.append(row)
    for area in joins:
        book.active.merge_cells(area)
    book.save(path)
    return path


def figures(reading) -> dict:
    """Return {(breakdown, period): value or status}."""
    return {(row.breakdown, row.period): row.status if math.isnan(row.value) else row.value
            for row in reading.table.itertuples()}  # fmt: skip


HEAD = ["Year", "Indicator", "Unit", "Sex", "Value"]
UNE = ["8.5.2 Unemployment", "%"]


def test_joined_cells_of_a_long_table_are_of_all_their_rows(tmp_path):
    rows = [HEAD, [2019, *UNE, "Women", 5.2], [2020, *UNE, None, 7.9], [2019, *UNE, "Men", 4], [2020, *UNE, None, 5]]
    reading = read("long", workbook(tmp_path / "a.xlsx", rows, ("D2:D3", "D4:D5")), **GIVEN)
    assert figures(reading) == {("sex=female", "2019"): 5.2, ("sex=female", "2020"): 7.9, ("sex=male", "2019"): 4,
                                ("sex=male", "2020"): 5}  # fmt: skip
    assert "Sheet!D3: 'nothing' read as Women (joined with the cell above)" in "\n".join(map(str, reading.repairs))
    rows = [["Area", "Year", "Indicator", "Value"], ["Exampleville", 2019, "Jobs", 1], [None, 2020, None, 2],
            ["Othertown", 2021, "Jobs", 8], [None, 2022, None, 9]]  # fmt: skip
    reading = read("long", workbook(tmp_path / "b.xlsx", rows, ("A2:A3", "A4:A5", "C2:C5")), **GIVEN)
    assert figures(reading) == {("", "2019"): 1, ("", "2020"): 2}
    assert set(reading.table["series"]) == {"Jobs"}


@pytest.mark.parametrize(
    ("rows", "taken", "told"),
    [
        # goes on with the group above: not taken
        ("2019,A,W,1\n2020,A,,2\n2019,A,M,3\n2020,A,,4\n", {"sex=W", "sex=M"}, "cells C3, C5: found nothing below Sex"),
        ("2019,A,W,1\n2020,A,,2\n", {"sex=W"}, "cell C3: found nothing below Sex"),
        ("2019,A,W,1\n2019,B,,2\n2019,A,M,3\n", {"sex=W", "sex=M"}, "cell C3"),
        # the column writes a total elsewhere
        ("2019,A,W,1\n2019,A,Total,2\n2020,A,W,1\n2020,A,,2\n", {"sex=W", ""}, "cell C5"),
        # everybody
        ("2018,A,,1\n2019,A,,1\n2019,A,W,2\n2020,A,,3\n2020,A,W,4\n", {"sex=W", ""}, ""),
        ("2019,A,W,1\n2019,A,M,2\n2019,B,,2\n2020,B,,2\n", {"sex=W", "sex=M", ""}, ""),
        ("2019,A,,1\n2020,A,,2\n", {""}, ""),
    ],
)
def test_an_empty_cell_is_everybody_only_where_that_is_plain(tmp_path, rows, taken, told):
    rows = rows.replace(",W", ",Women").replace(",M", ",Men")
    reading = read("long", text_file(tmp_path, "a.csv", "Year,Indicator,Sex,Value\n" + rows), **GIVEN)
    assert set(reading.table["breakdown"]) == {
        text.replace("W", "female").replace("M", "male") for text in taken
    }  # fmt: skip
    assert told in "\n".join(map(str, reading.problems)) and bool(told) == bool(reading.problems)
    noted = [str(repair) for repair in reading.repairs if "everybody" in str(repair)]
    assert bool(noted) == (not told and "sex=W" in taken)


def test_an_empty_cell_beside_crossed_groups_is_told(tmp_path):
    text = "Indicator,Sex,Age,2019,2020\nA,Women,15-24,1,2\nA,,25-64,3,4\nA,Men,15-24,5,6\nA,,25-64,3,4\n"
    reading = read("wide", text_file(tmp_path, "a.csv", text), **GIVEN)
    assert set(reading.table["breakdown"]) == {"age=15-24;sex=female", "age=15-24;sex=male"}
    assert "cells B3, B5: found nothing below Sex" in str(reading.problems[0])
    margins = "Indicator,Sex,Age,2019,2020\nA,,,1,2\nA,Women,,3,4\nA,Men,,5,6\nA,,15-24,3,4\nA,,25-64,7,8\n"
    reading = read("wide", text_file(tmp_path, "b.csv", margins), **GIVEN)
    assert reading.problems == []
    assert set(reading.table["breakdown"]) == {"", "sex=female", "sex=male", "age=15-24", "age=25-64"}


def test_a_row_without_its_indicator_is_told(tmp_path):
    path = text_file(tmp_path, "a.csv", "Indicator,Year,Unit,Value\n8.5.2 Rate,2019,%,1\n,2020,%,2\n")
    reading = read("long", path, **GIVEN)
    assert figures(reading) == {("", "2019"): 1}
    assert "row 3, column A: found nothing, in 1 row with figures; expected the name of the indicator" in str(
        reading.problems[0])  # fmt: skip


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("long", "Area,Year,Indicator,Value\n{},2019,Jobs,1\n{},2020,Jobs,2\n"),
        ("wide", "Area,Indicator,2019,2020\n{},Jobs,1,2\n{},Homes,1,2\n"),
        ("eurostat", "unit,geo\\TIME_PERIOD\t2019\t2020\nPC,{}\t1\t2\n"),
        ("sdmx-csv", "DATAFLOW,REF_AREA,TIME_PERIOD,OBS_VALUE\nX:Y(1.0),{},2019,1\nX:Y(1.0),{},2020,2\n"),
        ("unsd", "SeriesCode,GeoAreaCode,GeoAreaName,TimePeriod,Value\nX,1,{},2019,1\nX,1,{},2020,2\n"),
        ("world-bank", "Country Name,Country Code,Indicator Name,Indicator Code,2019,2020\n{},X,Jobs,Y,1,2\n"),
    ],
)
def test_the_one_place_of_a_file_must_be_the_area_or_be_named(tmp_path, form, text):
    names = ("Exampleville", "EXAMPLEVILLE", "Éxampleville", "City of Exampleville", "exampleville",
             "Exampleville (E08000035)", "Exampleville City Council", "Cantón Exampleville")  # fmt: skip
    for name in names:
        assert len(read(form, text_file(tmp_path, "a.csv", text.replace("{}", name)), **GIVEN).table) >= 2
    other = text_file(tmp_path, "b.csv", text.replace("{}", "Exampleville-City Region"))
    with pytest.raises(InputError, match=r"the area Exampleville-City Region; .* --place 'Exampleville-City Region'"):
        read(form, other, **GIVEN)
    assert len(read(form, other, **GIVEN, place="Exampleville-City Region").table) >= 2


def test_an_area_with_code_and_label_is_named_by_either(tmp_path):
    rows = "X:Y(1.0),XX1: Exampleville,2019,1\nX:Y(1.0),XX2: Othertown,2019,2\n"
    path = text_file(tmp_path, "a.csv", "DATAFLOW,REF_AREA: Area,TIME_PERIOD: Time,OBS_VALUE: Value\n" + rows)
    for place, value in (("", 1), ("XX2", 2), ("Othertown", 2)):
        assert read("sdmx-csv", path, **GIVEN, place=place).table["value"].tolist() == [value]


def test_a_row_without_an_area_is_of_no_area(tmp_path):
    text = "Area,Year,Indicator,Value\nExampleville,2019,Jobs,1\n,2020,Jobs,2\nOthertown,2021,Jobs,3\n,2022,Jobs,4\n"
    reading = read("long", text_file(tmp_path, "a.csv", text), **GIVEN)
    assert figures(reading) == {("", "2019"): 1}
    assert "row 3, column A: found nothing, in 2 rows with figures; expected the name of an area" in str(
        reading.problems[0])  # fmt: skip


@pytest.mark.parametrize(
    ("form", "text", "words"),
    [
        ("long", "Year,Exampleville,Othertown\n2019,1,2\n2020,3,4\n", "named Exampleville, Othertown"),
        ("long", "Year,France,Deutschland\n2019,1,2\n2020,3,4\n", "columns of figures named France, Deutschland"),
        ("wide", "Topic,2019,2020\nExampleville,1,2\nOthertown,3,4\n", "rows named Exampleville, Othertown"),
        ("long", "Year,Region,Indicator,Value\n2019,Exampleville,Jobs,1\n2019,Othertown,Jobs,2\n", "the area itself"),
        ("wide", "Indicator,District,2019,2020\nJobs,Exampleville,1,2\nJobs,North,1,2\n", "the area itself"),
    ],
)
def test_names_of_places_are_no_series_and_no_groups(tmp_path, form, text, words):
    with pytest.raises(InputError, match=words):
        read(form, text_file(tmp_path, "a.csv", text), **GIVEN)


def test_one_column_of_a_place_can_be_taken(tmp_path):
    path = text_file(tmp_path, "a.csv", "Year,Exampleville,Othertown\n2019,1,2\n2020,3,4\n")
    reading = read("long", path, **GIVEN, columns={"value": "Exampleville"}, ignore=["Othertown"], series="Jobs")
    assert figures(reading) == {("", "2019"): 1, ("", "2020"): 3}
    assert set(reading.table["series"]) == {"Jobs"}


def test_sheets_of_several_places_or_groups_are_not_joined(tmp_path):
    one, two = [["Indicator", 2019, 2020], ["Jobs", 1, 2]], [["Indicator", 2021, 2022], ["Jobs", 3, 4]]
    path = workbook(tmp_path / "a.xlsx", one, name="Exampleville", Othertown=two)
    with pytest.raises(InputError, match=r"sheets named for places: Exampleville, Othertown.*--sheet 'Exampleville'"):
        read("wide", path, **GIVEN)
    assert figures(read("wide", path, **GIVEN, sheet="Exampleville")) == {("", "2019"): 1, ("", "2020"): 2}
    path = workbook(tmp_path / "b.xlsx", one, name="Exampleville women", **{"Exampleville men": two})
    with pytest.raises(InputError, match=r"a sheet named for the group 'women'.*add a column Sex"):
        read("wide", path, **GIVEN)
    sexes = [["Indicator", "Sex", 2019, 2020], ["Jobs", "Women", 1, 2]]
    path = workbook(tmp_path / "c.xlsx", sexes, name="Women", Labour=[["Indicator", 2019, 2020], ["Homes", 5, 6]])
    assert len(read("wide", path, **GIVEN).table) == 4


@pytest.mark.parametrize(
    ("heading", "letters", "sexes"),
    [
        ("Sexo", "HM", {"male": 1, "female": 2}), ("Sex", "MF", {"male": 1, "female": 2}),
        ("Sexe", "FH", {"female": 1, "male": 2}), ("Geschlecht", "mw", {"male": 1, "female": 2}),
        ("Sexo", "VM", {"male": 1, "female": 2}), ("Sex", ["M", "Women"], {"male": 1, "female": 2}),
        ("Sexo", ["M", "Hombres"], {"female": 1, "male": 2}), ("Sex", "VM", None), ("Sex", ["M", "Total"], None),
        ("Sex", "HMF", None), ("Sex", "MT", None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("form", ["long", "wide"])
def test_letters_of_a_column_of_sexes_are_read_together(tmp_path, form, heading, letters, sexes):
    if form == "long":
        text = f"Year,Indicator,{heading},Value\n" + "".join(f"2019,Jobs,{x},{i}\n" for i, x in enumerate(letters, 1))
    else:
        text = f"Indicator,{heading},2019,2020\n" + "".join(f"Jobs,{x},{i},{i}\n" for i, x in enumerate(letters, 1))
    path = text_file(tmp_path, "a.csv", text)
    if sexes is None:
        with pytest.raises(InputError, match=r"found '[MV]'; expected one of the sexes. Fix: write women and men in w"):
            read(form, path, **GIVEN)
        return
    found = figures(read(form, path, **GIVEN))
    assert {key[0]: value for key, value in found.items()} == {f"sex={sex}": value for sex, value in sexes.items()}


@pytest.mark.parametrize(
    ("cell", "value"),
    [("3: Thousands", 5200), ("3.0", 5200), ("Thousands", 5200), ("0", 5.2), ("-2", 0.052), ("", 5.2), ("many", None)],
)
def test_a_multiplier_is_never_lost(tmp_path, cell, value):
    sdmx = f"DATAFLOW,REF_AREA,TIME_PERIOD,OBS_VALUE,UNIT_MULT\nX:Y(1.0),exampleville,2019,5.2,{cell}\n"
    long = f"Year,Indicator,Value,Unit multiplier\n2019,Jobs,5.2,{cell}\n"
    wide = f"Indicator,Unit multiplier,2019,2020\nJobs,{cell},5.2,\nHomes,6,1,1\n"
    for form, text in (("sdmx-csv", sdmx), ("long", long), ("wide", wide)):
        reading = read(form, text_file(tmp_path, "a.csv", text), **GIVEN)
        own = reading.table[~reading.table["series"].eq("Homes")]
        if value is None:
            assert own.empty and "found 'many'; expected a power of ten, or its word" in str(reading.problems[0])
        else:
            assert own["value"].tolist() == [pytest.approx(value)] and set(own["breakdown"]) == {""}


@pytest.mark.parametrize(
    ("heading", "unit", "value", "shown"),
    [
        ("Value (thousands)", None, 5200, "not stated"), ("Value (thousands)", "people", 5200, "people"),
        ("Value (thousands)", "thousand people", 5.2, "thousand people"), ("Valor (miles)", "personas", 5200, "people"),
        ("Value (thousands of people)", None, 5.2, "thousands of people"), ("Value ('000)", "people", 5200, "people"),
        ("Value (thousands of people)", "people", 5200, "people"), ("Value (%)", None, 5.2, "%"),
        ("Distance (miles)", None, 5.2, "miles"), ("Distance (miles)", "miles", 5.2, "miles"),
        ("Valor (miles de personas)", None, 5.2, "miles de personas"), ("Miles de casos", "casos", 5200, "casos"),
        ("Value (USD thousands)", "USD", 5200, "USD"), ("Value (USD thousands)", None, 5.2, "USD thousands"),
        ("Value (per thousand)", None, 5.2, "per thousand"), ("Value ('000 people)", "people", 5200, "people"),
        ("Valor (miles)", "miles de casos", 5.2, "miles de casos"),
        ("Value (k)", None, 5.2, "k"), ("Value (2015 prices)", "%", 5.2, "%"), ("Units sold", None, 5.2, "not stated"),
        ("Value in thousands", "people", 5200, "people"), ("Percent", None, 5.2, "%"), ("Value (%)", "%", 5.2, "%"),
        ("Value", "%", 5.2, "%"), ("Value (thousands)", "%", None, ""), ("Value (%)", "people", None, ""),
    ],
)  # fmt: skip
def test_what_a_heading_says_of_the_figures_is_heard(tmp_path, heading, unit, value, shown):
    text = (
        f"Year,Indicator,{heading}" + (",Unit\n" if unit else "\n") + "2019,Jobs,5.2" + (f",{unit}\n" if unit else "\n")
    )
    reading = read("long", text_file(tmp_path, "a.csv", text), **GIVEN)
    if value is None:
        assert reading.table.empty and f"below the heading '{heading}'; expected one unit" in str(reading.problems[0])
    else:
        assert reading.table[["value", "unit"]].to_numpy().tolist() == [[value, shown]]


def test_a_subtotal_is_not_the_total(tmp_path):
    rows = "2019,Jobs,{},1\n2019,Jobs,North,5\n2019,Jobs,Total,9\n".replace("{}", "Sub-total")
    reading = read("long", text_file(tmp_path, "a.csv", "Year,Indicator,District,Value\n" + rows), **GIVEN)
    assert figures(reading) == {("district=North", "2019"): 5, ("", "2019"): 9}
    assert "row 2, column C: 'Sub-total' read as nothing (a subtotal is neither" in str(reading.repairs[0])
    wide = "Indicator,District,2019,2020\nJobs,Subtotal,1,2\nJobs,North,3,4\n"
    assert set(read("wide", text_file(tmp_path, "b.csv", wide), **GIVEN).table["breakdown"]) == {"district=North"}


def test_two_columns_of_one_breakdown_must_agree(tmp_path):
    for form, text in (("long", "Year,Indicator,Sex,Gender,Value\n2019,Jobs,{},{},1\n2019,Jobs,men,Male,2\n"),
                       ("wide", "Indicator,Sex,Gender,2019,2020\nJobs,{},{},1,1\nJobs,men,Male,2,2\n")):  # fmt: skip
        same = text_file(tmp_path, "a.csv", text.replace("{}", "women"))
        assert set(read(form, same, **GIVEN).table["breakdown"]) == {"sex=female", "sex=male"}
        other = text_file(tmp_path, "b.csv", text.replace("{}", "women", 1).replace("{}", "men", 1))
        with pytest.raises(InputError, match="found 'women' and 'men', both sex; expected one group"):
            read(form, other, **GIVEN)
    across = ",,Men,,Women,\nIndicator,Sex,2019,2020,2019,2020\nJobs,women,1,2,3,4\nHomes,women,1,2,3,4\n"
    with pytest.raises(InputError, match="both sex"):
        read("wide", text_file(tmp_path, "c.csv", across), **GIVEN)


def test_a_range_of_ages_is_no_code(tmp_path):
    path = text_file(tmp_path, "a.csv", ",2019,2020\n15-24,1,2\n25-34,3,4\n")
    reading = read("wide", path, **GIVEN, indicator="8.5.2")
    assert set(reading.table["indicator"]) == {"8.5.2"}
    assert set(reading.table["breakdown"]) == {"age=15-24", "age=25-34"}
    reading = read("wide", text_file(tmp_path, "b.csv", ",2019,2020\n3-2-1,1,2\nIndicator 3-4,3,4\n"), **GIVEN)
    assert set(reading.table["indicator"]) == {"3.2.1", "3.4"}


@pytest.mark.parametrize(
    ("status", "taken", "words"),
    [
        ("forecast", None, "found 'forecast' beside a number; expected figures that were observed"),
        ("Target 2030", None, "figures that were observed"), ("Projected", None, "figures that were observed"),
        ("C", "suppressed", "a hidden figure left out"), ("Secret", "suppressed", "a hidden figure left out"),
        ("suppressed: small", "suppressed", "a hidden figure left out"), ("M", None, "'M' beside a number"),
        ("P: Provisional", "provisional", ""), ("low reliability", "value", "a flag that is not known"),
    ],
)  # fmt: skip
def test_a_status_beside_a_figure(tmp_path, status, taken, words):
    head = "Year,Indicator,Value,Lower,Upper,Status\n"
    path = text_file(tmp_path, "a.csv", f"{head}2019,Jobs,5,4,6,{status}\n2020,Jobs,7,6,8,\n")
    reading = read("long", path, **GIVEN)
    assert reading.table["status"].tolist() == ([] if taken is None else [taken]) + ["value"]
    assert words in "\n".join(map(str, [*reading.problems, *reading.repairs]))
    if taken == "suppressed":
        assert reading.table.loc[0, ["value", "low", "high"]].isna().all()


def test_a_figure_and_a_hidden_one_for_the_same_key_are_told(tmp_path):
    text = "Year,Indicator,Value\n2019,Jobs,3\n2019,Jobs,c\n2020,Jobs,4\n2020,Jobs,\n"
    reading = read("long", text_file(tmp_path, "a.csv", text), **GIVEN)
    assert figures(reading) == {("", "2020"): 4}
    assert "cells C2 and C3: found 3, suppressed for" in str(reading.problems[0])


# --- what a workbook hides -------------------------------------------------------------------------------


@pytest.fixture
def with_a_draft(tmp_path):
    book = Workbook()
    for name, value in (("Figures", 5), ("Draft", 99)):
        sheet = book.active if name == "Figures" else book.create_sheet(name)
        sheet.title = name
        for row in (["Indicator", "Unit", 2019, 2020], ["8.5.2 Unemployment", "%", value, value]):
            sheet.append(row)
    book["Draft"].sheet_state = "hidden"
    book["Figures"].column_dimensions["C"].hidden = True
    book.save(tmp_path / "x.xlsx")
    return tmp_path / "x.xlsx"


def test_a_hidden_sheet_is_left_out_and_named(with_a_draft):
    reading = read("guess", with_a_draft, **GIVEN)
    assert reading.table["value"].tolist() == [5, 5]
    told = [str(one) for one in reading.repairs if "hidden" in str(one)]
    assert any("sheet Draft: a hidden sheet" in line and "--sheet NAME" in line for line in told)
    assert any("sheet Figures: hidden columns from C" in line for line in told)


def test_a_hidden_sheet_is_read_where_it_is_named(with_a_draft):
    reading = read("guess", with_a_draft, sheet="Draft", **GIVEN)
    assert reading.table["value"].tolist() == [99, 99]
    (told,) = [str(one) for one in reading.repairs if "hidden" in str(one)]
    assert "sheet Draft" in told and "hidden cells are read" in told


def test_what_another_sheet_hides_is_not_told(with_a_draft):
    book = load_workbook(with_a_draft)
    book["Figures"].column_dimensions["C"].hidden = False
    book.save(with_a_draft)
    reading = read("wide", with_a_draft, sheet="Figures", **GIVEN)
    assert reading.table["value"].tolist() == [5, 5]
    assert not [one for one in reading.repairs if "hidden" in str(one)]


def test_figures_on_hidden_sheets_alone_are_refused(with_a_draft):
    book = load_workbook(with_a_draft)
    book["Figures"].delete_rows(1, 5)
    book.save(with_a_draft)
    with pytest.raises(InputError, match=r"only hidden sheets hold something: Draft.*--sheet NAME"):
        read("guess", with_a_draft, **GIVEN)


# --- long tables that say more than figures ---------------------------------------------------------------


def got(tmp_path, text: str, form: str = "long", **options) -> tuple[list, str]:
    """Return what a table gives, as (series, breakdown, period, value or status), and what was told and mended."""
    try:
        reading = read(form, text_file(tmp_path, "a.csv", text), **GIVEN, **options)
    except InputError as error:
        return [], str(error)
    rows = [(row.series, row.breakdown, row.period, row.status if math.isnan(row.value) else row.value)
            for row in reading.table.itertuples()]  # fmt: skip
    return rows, "\n".join(map(str, [*reading.problems, *reading.repairs]))


@pytest.mark.parametrize(
    ("head", "cell", "taken"),
    [
        *(("Status", word, "suppressed") for word in ("withheld", "redacted", "Unpublished", "do not publish",
                                                      "not for release", "embargoed", "no publicar")),
        ("Status", "not suppressed", 3), ("Status", "On track", 3),
        ("Confidential", "yes", "suppressed"), ("Confidential", "no", 3), ("Suppressed", "TRUE", "suppressed"),
        ("Suppressed", "FALSE", 3), ("Confidencial", "sí", "suppressed"), ("Vertraulich", "nein", 3),
        ("Conf status", "N", "suppressed"),
        ("Publish?", "no", "suppressed"), ("Publish?", "yes", 3), ("Publish?", "", "suppressed"),
        ("Publicar", "sí", 3), ("Publicar", "no", "suppressed"),
    ],
)  # fmt: skip
def test_nothing_of_a_hidden_figure_is_taken_from_a_long_table(tmp_path, head, cell, taken):
    yes = "yes" if head.startswith("Publi") else ""
    text = f"Year,Indicator,Unit,Value,{head}\n2019,Deaths,count,3,{cell}\n2020,Deaths,count,4,{yes}\n"
    rows, _ = got(tmp_path, text)
    assert rows == [("Deaths", "", "2019", taken), ("Deaths", "", "2020", 4)]


@pytest.mark.parametrize(
    ("text", "taken", "words"),
    [
        ("Year,Indicator,Type,Value\n2019,Jobs,Actual,5\n2030,Jobs,Target,3\n", [5], "row left out"),
        ("Year,Indicator,Scenario,Value\n2019,Jobs,Observed,5\n2030,Jobs,Projected,3\n2030,Jobs,High,4\n", [5], "High"),
        ("Year,Indicator,Actual/Forecast,Value\n2019,Jobs,A,5\n2025,Jobs,F,6\n", [5], "'F' read as nothing"),
        ("Year,Indicator,Value\n2019,Jobs,5\n2030,Target,3\n2030,Jobs (target),3\n2030,Jobs target,3\n", [5], "Target"),
        ("Year,Indicator,Value\n2019,Target 8.5,5\n2020,Share of target,6\n", [5, 6], ""),
        ("Year,Jobs,Change,Plan\n2019,5,1,4\n", [5], "'Plan' read as nothing"),
        ("Year,Plan\n2019,5\n", [], "figures that were observed"),
        ("Year,Growth\n2019,5\n", [5], ""),
        ("Year,Indicator,Type,Value\n2030,Jobs,Target,3\n", [], "targets and forecasts alone"),
        ("Year,Indicator,Type,Value\n2019,Jobs,Robbery,5\n2019,Jobs,Theft,6\n", [5, 6], ""),
        # rows longer than the header, and a second header
        ("Year,Indicator,Value\n2019,Jobs,812,345\n2020,Jobs,812\n", [812], "row 2: found 4 cells: 2019, Jobs, 812"),
        ("Year,Indicator,Value,\n2019,Jobs,812,as told\n", [812], ""),
        ("Year,Indicator,Value,Unit\n2019,Jobs,5,%\nYear,Indicator,Value,Unit\n2020,Jobs,6,%\n", [5, 6],
         "header again"),
        ("Year,Indicator,Value,Unit\n2019,Jobs,5,%\nYear,Indicator,Unit,Value\n2020,Jobs,4,5\n", [5],
         "another header"),
    ],
)  # fmt: skip
def test_figures_that_were_not_observed_are_not_taken_from_a_long_table(tmp_path, text, taken, words):
    rows, told = got(tmp_path, text)
    assert sorted(row[3] for row in rows) == taken
    assert words in told


_ROW = "Year,Indicator,Unit"


@pytest.mark.parametrize(
    ("text", "taken", "words"),
    [
        # places
        ("City name,Year,Indicator,Value\nBradford,2019,Jobs,5\n", [], "the area Bradford"),
        ("Location,Year,Indicator,Value\nBradford,2019,Jobs,5\n", [], "found Bradford below Location"),
        ("Region,Year,Indicator,Value\nBradford,2019,Jobs,5\n", [], "found Bradford below Region"),
        ("Location,Year,Indicator,Value\nExampleville,2019,Jobs,5\nBradford,2019,Jobs,6\n", [("", 5)], ""),
        ("Location,Year,Indicator,Value\nNorth,2019,Jobs,5\nSouth,2019,Jobs,6\n",
         [("location=North", 5), ("location=South", 6)], ""),
        ("Level,Year,Indicator,Value\nCity,2019,Jobs,5\nNational,2019,Jobs,6\n", [("", 5)], "not of the city"),
        ("Level,Year,Indicator,Value\nNational,2019,Jobs,6\n", [], "found National below Level"),
        ("Ward,Year,Indicator,Value\nNorth,2019,Jobs,5\nEngland,2019,Jobs,6\n", [], "'England' as a group"),
        ("Area,Year,Indicator,Value\nUrban,2019,Jobs,5\nRural,2019,Jobs,6\nTotal,2019,Jobs,11\n",
         [("", 11), ("location=Rural", 6), ("location=Urban", 5)], ""),
        ("Area,Year,Indicator,Value\nExampleville,2019,Jobs,5\nCity of Exampleville,2020,Jobs,6\n", [("", 5)],
         "found City of Exampleville beside Exampleville"),
        ("Year,City,England\n2019,5.1,4\n", [], "columns of figures named City, England"),
        ("Year,Area (km2)\n2019,551.7\n", [("", 551.7)], ""),
        # totals
        *((f"Year,Indicator,Sex,Value\n2019,Jobs,{word},5\n2019,Jobs,Women,4\n", [("", 5), ("sex=female", 4)], "")
          for word in ("Ambos os sexos", "Beide", "All persons", "Persons", "Hombres y mujeres", "Männer und Frauen",
                       "Tous", "المجموع")),
        *((f"Year,Indicator,Ward,Value\n2019,Jobs,{word},5\n2019,Jobs,North,4\n", [("", 5), ("ward=North", 4)], "")
          for word in ("Total geral", "Total ville", "Citywide", "All wards", "Exampleville total")),
        # thousands of what is no count; the unit says thousands already
        (f"{_ROW},Value (in thousands)\n2019,Age,years,81\n2019,Jobs,people,812\n", [("", 812000)], "'years' below"),
        (f"{_ROW},Value (in thousands)\n2019,Deaths,per 100000,81\n2019,Heat,°C,8\n2019,Gini,Gini,3\n", [], "°C"),
        (f"{_ROW},Value,Unit multiplier\n2019,Jobs,THS_PER,5.2,3\n", [("", 5.2)], "the unit says it already"),
        (f"{_ROW},Value,Unit multiplier\n2019,Jobs,thousand people,5.2,6\n", [], "one multiplier"),
        # percentages
        ("Year,Indicator,Value\n2019,Rate,15%\n2020,Rate,0.16\n", [("", 15)], "0.16 in a series of numbers with"),
        (f"{_ROW},Value\n2019,Rate,per 1000,15%\n", [], "a percentage of the unit 'per 1000'"),
        # columns that describe a series
        ("Year,Theme,Indicator,Value,Data provider\n2019,Social,Jobs,5,X\n2020,Social,Jobs,6,Y\n", [("", 5), ("", 6)],
         "it describes the series and is no group"),
        ("Año,Eje,Indicador,Valor,Responsable\n2019,Social,Jobs,5,X\n2020,Social,Jobs,6,\n", [("", 5), ("", 6)], ""),
        ("Year,Department,Indicator,Value\n2019,Parks,Staff,5\n2019,Roads,Staff,6\n",
         [("department=Parks", 5), ("department=Roads", 6)], ""),
    ],
)  # fmt: skip
def test_places_totals_and_sizes_of_a_long_table(tmp_path, text, taken, words):
    rows, told = got(tmp_path, text)
    assert sorted(row[1::2] for row in rows) == taken
    assert words in told


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        ("Year,Smoking,Drinking,Lower CI,Upper CI\n2019,5,5.5,4,6\n", None),
        ("Year,Smoking,Lower CI,Upper CI,Sample size\n2019,5,4,6,900\n", {"Smoking": (4, 6)}),
        ("Year,Smoking,Smoking lower CI,Smoking upper CI,Drinking\n2019,5,4,6,9\n", {"Smoking": (4, 6)}),
        ("Year,Smoking,95% CI Lower,95% CI Upper\n2019,5,4,6\n", {"Smoking": (4, 6)}),
        ("Año,Tasa,Límite inferior (IC 95%),Límite superior (IC 95%)\n2019,5,4,6\n", {"Tasa": (4, 6)}),
    ],
)
def test_an_interval_is_of_one_series(tmp_path, text, ends):
    path = text_file(tmp_path, "a.csv", text)
    if ends is None:
        with pytest.raises(InputError, match="one interval beside the columns Smoking, Drinking"):
            read("long", path, **GIVEN)
        return
    table = read("long", path, **GIVEN).table
    assert {row.series: (row.low, row.high) for row in table.itertuples() if row.low == row.low} == ends


@pytest.mark.parametrize(
    ("text", "form", "named"),
    [
        ("Indicator,Unit,2019,2020\nLife expectancy,years,80,81\n", "wide", ("Life expectancy", "years")),
        ("Indicator,Unit,Year,,\n,,2018,2019,2020\nJobs,count,5,6,7\n", "wide", ("Jobs", "count")),
        *(
            (f"Year,KPI,{unit},Value\n2019,Jobs,count,5\n", "long", ("Jobs", "count"))
            for unit in (
                "Unit of measurement",
                "Units of measure",
                "Measure unit",
                "U.M.",
                "Unidad de medición",
                "de medida",
            )
        ),
        ("Año,Nombre,Unidad,Valor\n2019,Paro,%,5\n", "long", ("Paro", "%")),
        ("Year,Goal,Target,Indicator,Description,Unit,Value\n2019,8,8.5,8.5.2,Jobs,%,5\n", "long", ("Jobs", "%")),
    ],
)
def test_the_header_of_a_table_is_found_and_its_columns_named(tmp_path, text, form, named):
    path = text_file(tmp_path, "a.csv", text)
    assert guess(path) == form
    reading = read("guess", path, **GIVEN)
    assert one_series(reading.table)[2:4] == named and set(reading.table["breakdown"]) == {""}


# --- what a program shows of a cell ----------------------------------------------------------------------


def raised(before: str, letters: str, **font) -> CellRichText:
    return CellRichText(before, TextBlock(InlineFont(**(font or {"vertAlign": "superscript"})), letters))


def shown_as(folder: Path, rows: list, forms: dict[str, str]):
    """Read a wide workbook; return its figures by year, units, problems and repairs."""
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for cell, form in forms.items():
        book.active[cell].number_format = form
    book.save(folder / "shown.xlsx")
    reading = read("wide", folder / "shown.xlsx", **GIVEN)
    found = {row.period: row.value if row.status == "value" else row.status for row in reading.table.itertuples()}
    return reading, found, " ".join(map(str, reading.problems)), " ".join(map(str, reading.repairs))


@pytest.mark.parametrize(("content", "figure", "unit"), [
    (raised("7.9", "1"), 7.9, "km²"), (raised("7.9", "p"), "provisional", "km²"),
    (raised("7.9", "c"), "suppressed", "km²"), (raised("7.9", "b"), 7.9, "km²"), (raised("7", "*"), 7, "km²"),
    (raised("7.9", "1", vertAlign="subscript"), 7.9, "km²"),
    (7.9, 7.9, "km²"),
])  # fmt: skip
def test_raised_letters_of_a_workbook_are_marks_and_no_digits(tmp_path, content, figure, unit):
    head = ["Indicator", "Unit", raised("2019", "2"), 2020]
    row = [raised("Green space", "1"), raised("km", "2"), content, 8]
    reading, found, problems, repairs = shown_as(tmp_path, [head, row], {})
    assert (found["2019"], found["2020"], problems) == (figure, 8, "")
    assert set(reading.table["series"]) == {"Green space"} and set(reading.table["unit"]) == {unit}
    assert "C1: '2019²'" in repairs and "A2: 'Green space¹'" in repairs


def test_what_is_struck_out_or_lowered_is_no_part_of_a_number_or_a_name(tmp_path):
    head = ["Indicator", "Unit", 2019, 2020]
    row = [raised("CO", "2", vertAlign="subscript"), "t", raised("12", "15", strike=True), 8]
    named = [raised("Green ", "parks", strike=True), "t", 5, raised("", "6", strike=True)]
    reading, _, problems, _ = shown_as(tmp_path, [head, row, named], {})
    assert set(reading.table["series"]) == {"CO2", "Green"}
    assert "C2: found '1215', partly struck out" in problems and "D3: found '6', partly struck out" in problems


@pytest.mark.parametrize(("content", "form", "figure", "words"), [
    (3, ";;;", "suppressed", "the program does not show it"),
    (3, '[<5]"*";0', "suppressed", "'*' read as suppressed"),
    (3, '[>=5]0;"c"', "suppressed", "'c' read as suppressed"),
    (7, '[<5]"*";0', 7, ""),
    (0.13, '[<0.05]"*";0%', 13, "multiplied by 100"),
    (0.03, '[<0.05]"*";0%', "suppressed", "'*' read as suppressed"),
    (0, '0;-0;"-"', 0, ""), (0, "0;-0;;@", 0, ""), (-3, "#,##0;[Red](#,##0)", -3, ""),
    (5, '"<"0', "suppressed", "a bound is no number"),
    (812345, "#,##0,", 812345, "shows them divided by thousands"),
    (812345, '#,##0.0,"k"', 812345, "shows them divided by thousands"),
    (13, '0"k"', None, "found 13 shown as 13k"), (13, '0.0" Mio. €"', None, "found 13 shown as 13 Mio. €"),
    (13, r"0\M", None, "found 13 shown as 13M"), (13, '0,"M"', None, "shown as 0.013M"),
    (7.9, '0.0" (p)"', "provisional", "mark p"), (7.9, '0.0"e"', "estimated", "mark e"),
    (7.9, '0.0" (target)"', None, "'7.9 (target)'"),
    (13, '0" km"', 13, ""), (13, '0.0" per thousand"', 13, ""), (13, '"US$"#,##0.00', 13, ""),
    (13, "#,##0 [$€-407]", 13, ""), (-13, '_-* #,##0_-;-* #,##0_-;_-* "-"??_-;_-@_-', -13, ""),
])  # fmt: skip
def test_a_figure_is_what_the_program_shows_or_is_told(tmp_path, content, form, figure, words):
    rows = [["Indicator", "Unit", 2019, 2020], ["Households", "%" if "%" in form else "count", content, 20]]
    _, found, problems, repairs = shown_as(tmp_path, rows, {"C2": form})
    assert (found.get("2019"), found["2020"]) == (figure, 20)
    assert words in (repairs if figure is not None else problems) and ("C2" in problems) == (figure is None)


def test_numbers_that_are_shown_divided_below_a_word_of_thousands_are_told(tmp_path):
    rows = [["Households (thousands)"], ["Indicator", "Unit", 2019, 2020], ["Households", "count", 812345, 20]]
    _, found, problems, _ = shown_as(tmp_path, rows, {"C3": "#,##0,"})
    assert found == {"2020": 20000} and "C3: found 812345 shown as 812.345" in problems


@pytest.mark.parametrize(("form", "periods"), [
    ('"FY"0', ["2018-07-01/P1Y", "2020"]), ('0" (target)"', ["2020", "2021"]), ('0"p"', ["2019", "2020"]),
])  # fmt: skip
def test_a_year_is_what_the_program_shows(tmp_path, form, periods):
    rows = [["Indicator", "Unit", 2019, 2020, 2021], ["Households", "count", 13, 20, 21]]
    _, found, _, _ = shown_as(tmp_path, rows, {"C1": form})
    assert sorted(found)[: len(periods)] == periods and (found.get("2019") == "provisional") == (form == '0"p"')


def test_more_joined_cells_than_are_looked_at_are_refused(tmp_path, monkeypatch):
    book = Workbook()
    for row in (["Indicator", 2019, 2020], ["Households", 13, 20]):
        book.active.append(row)
    for row in range(3, 6):
        book.active.merge_cells(f"A{row}:B{row}")
    book.save(tmp_path / "joined.xlsx")
    monkeypatch.setattr("vlr_analysis.sources.sheet_book.MAX_MERGED", 2)
    with pytest.raises(InputError, match="3 groups of joined cells; expected at most 2"):
        read("wide", tmp_path / "joined.xlsx", **GIVEN)


# --- which mark stands before decimals -------------------------------------------------------------------


@pytest.mark.parametrize(("text", "figure"), [
    ("Merkmal\tEinheit\t2019\t2020\nEinwohner\tPersonen\t545.678\t546.002\n", None),
    ("Indicador,Unidad,2019,2020\nPoblación,personas,545.678,546.002\n", None),
    ("Indicator,Unit,Place A,2019,2020\nHouseholds,number,,1.234,\n", None),
    ("Indicator\tUnit\t2019\t2020\nA\tindex\t1.234\t2.345\nB\tindex\t1,234\t12,345\n", None),
    ("Merkmal\tEinheit\t2019\t2020\nErwerbslose\t%\t5,123\t6,456\n", None),
    ('Indicator,2019,2020\nUnemployment rate (%),"5,123","6,456"\n', None),
    ('Year,Rate (%)\n2019,"5,123"\n2020,"6,456"\n', None),
    ('Indicator,Unit,2019,2020\nRate,%,"5,123","6,45"\n', 5.123),
    ("Indicator,Unit,2019,2020\nRate,%,5.123,5.2\nMean stay,days,5.678,4.111\n", 5.123),
    ("Indicator,Unit,2019,2020\nRate,%,5.123,6.456\nHouseholds,number,812,815\n", 5.123),
    ("Indicator,Unit,2019,2020\nRate,%,0.123,6.456\nPeople in need,people,1.234,1.111\n", 0.123),
    ('Indicator,Unit,2019,2020\nHouseholds,number,"812,345","815,000"\n', 812345),
    ("Indicator\tUnit\t2019\t2020\nHouseholds\tnumber\t812,345\t815,000\n", 812345),
])  # fmt: skip
def test_a_text_file_in_which_a_mark_may_be_of_thousands_is_told(tmp_path, text, figure):
    reading = read("guess", text_file(tmp_path, "t.tsv" if "\t" in text else "t.csv", text), **GIVEN)
    taken = set(reading.table["value"].dropna())
    if figure is None:
        assert not taken and "the sheet does not say which" in str(reading.problems[0])
    else:
        assert figure in taken and not reading.problems


def test_counts_of_a_long_text_file_with_points_before_three_digits_are_told(tmp_path):
    text = "Year,Indicator,Unit,Value\n2019,Residents,people,545.678\n2020,Residents,people,546.002\n"
    reading = read("long", text_file(tmp_path, "t.csv", text), **GIVEN)
    assert reading.table.empty and len(reading.problems) == 2
    assert read("long", tmp_path / "t.csv", decimal=".", **GIVEN).table["value"].tolist() == [545.678, 546.002]


@pytest.mark.parametrize(("years", "unit", "taken"), [
    ("2019 (%),2020 (%),2030 (tgt)", "%", {"2019": "value", "2020": "value"}),
    ("2019A,2020E,2021F", "not stated", {"2019": "value", "2020": "estimated"}),
    ("2019,2020 (provisional),2021 (proj)", "not stated", {"2019": "value", "2020": "provisional"}),
    ("Value (2019),Value (2020),Target 2030", "not stated", {"2019": "value", "2020": "value"}),
    ("Jan-19,Feb-19,Mar-19", "not stated", {"2019-01": "value", "2019-02": "value", "2019-03": "value"}),
])  # fmt: skip
def test_years_with_words_beside_them_head_their_columns(tmp_path, years, unit, taken):
    path = text_file(tmp_path, "t.csv", f"Indicator,{years}\nUnemployment rate,5.2,7.9,4\n")
    reading = read("guess", path, **GIVEN)
    assert dict(zip(reading.table["period"], reading.table["status"], strict=True)) == taken
    assert set(reading.table["unit"]) == {unit} and not reading.problems
    assert len(taken) == 3 or "column left out" in " ".join(map(str, reading.repairs))


@pytest.mark.parametrize(("cells", "told"), [
    ("15%,0.16", ["C2"]), ("0.16,15%", ["B2"]), ("15%,16", []), ("1.2%,0.9", []), ("0.5%,0.4", []), ("15%,0", []),
])  # fmt: skip
def test_a_share_of_one_beside_percentages_of_a_text_file_is_told(tmp_path, cells, told):
    reading = read("wide", text_file(tmp_path, "t.csv", f"Rate (%),2019,2020\n8.5.2 Rate,{cells}\n"), **GIVEN)
    where = [problem.where for problem in reading.problems]
    assert where == [f"t.csv, row {cell[1]}, column {cell[0]}" for cell in told]
    assert len(reading.table) == 2 - len(told)


@pytest.mark.parametrize(("text", "name"), [
    ("Date,Ward,Count\n2019-01-01,North,5\n2019-01-02,North,6\n", "long"),
    ("Date,Rate\n31/01/2019,5\n28/02/2019,6\n", "long"),
    ("DATE,RATE\n2019-01-01,5\n2019-02-01,.\n", "fred"),
    ("observation_date,A,B\n2019-01-01,5,6\n2019-02-01,,7\n", "fred"),
])  # fmt: skip
def test_days_beside_words_are_no_series_of_fred(tmp_path, text, name):
    path = text_file(tmp_path, "t.csv", text)
    assert guess(path) == name
    reading = read("guess", path, **GIVEN)
    assert len(reading.table) and not reading.problems


def test_a_file_of_no_format_says_which_heading_was_looked_at_and_what_it_lacks(tmp_path):
    path = text_file(tmp_path, "t.csv", "Wards of the town\n\nWard,Women 2019,Men 2019\nNorth,5,6\n")
    with pytest.raises(InputError) as caught:
        guess(path)
    message = str(caught.value)
    assert "t.csv, row 3: found none of the formats" in message
    assert "'Ward', 'Women 2019', 'Men 2019'" in message and "'Women 2019' is not read as a year" in message


def test_points_of_a_file_that_a_program_wrote_stand_before_decimals(tmp_path):
    head = "Indicator,SeriesCode,SeriesDescription,GeoAreaCode,GeoAreaName,TimePeriod,Value,[Units]\n"
    rows = [f"11.2.1,X,Population,999,Exampleville,{year},{value},NUMBER" for year, value in
            (("2019", "545.678"), ("2020", "546.002"))]  # fmt: skip
    reading = read("unsd", text_file(tmp_path, "t.csv", head + "\n".join(rows) + "\n"), **GIVEN)
    assert reading.table["value"].tolist() == [545.678, 546.002] and not reading.problems


@pytest.mark.parametrize(
    ("text", "taken", "words"),
    [
        # groups of a title's series
        ("Jobs (count)\nYear,Men,Women,Total\n2019,5,6,11\n",
         [("Jobs", "", "2019", 11), ("Jobs", "sex=female", "2019", 6), ("Jobs", "sex=male", "2019", 5)], "its groups"),
        ("Year,Men,Women,Total\n2019,5,6,11\n", [], "found groups (Men, Women, Total) of a series without a name"),
        # headings of periods
        ("Month,Jobs\n2019-01,5\n", [("Jobs", "", "2019-01", 5)], ""),
        ("Quarter,Jobs\n2019 Q1,5\n", [("Jobs", "", "2019-Q1", 5)], ""),
        ("Year,Month,Jobs\n2019,1,5\n2019,Total,9\n", [("Jobs", "", "2019", 9), ("Jobs", "", "2019-01", 5)], ""),
        ("School year,Jobs\n2019/20,5\n", [("Jobs", "", "2019-07-01/P1Y", 5)], ""),
        ("Curso,Jobs\n2019,5\n", [], "expected a year such as 2019/20"),
        ("Año,Curso,Jobs\n2019,Primero,5\n", [("Jobs", "curso=Primero", "2019", 5)], ""),
        ("Year ending March,Jobs\n2019,5\n", [("Jobs", "", "2018-04-01/P1Y", 5)], "years end as their heading says"),
        ("Year ending December,Jobs\n2019,5\n", [("Jobs", "", "2019", 5)], ""),
        # Arabic
        ("السنة,المؤشر,الوحدة,الجنس,القيمة\n2019,البطالة,٪,ذكور,5\n2019,البطالة,٪,إناث,6\n2019,البطالة,٪,المجموع,7\n",
         [("البطالة", "", "2019", 7), ("البطالة", "sex=female", "2019", 6), ("البطالة", "sex=male", "2019", 5)], ""),
    ],
)  # fmt: skip
def test_headings_of_time_and_groups_of_a_long_table(tmp_path, text, taken, words):
    path = text_file(tmp_path, "a.csv", text)
    assert guess(path) == "long"
    rows, told = got(tmp_path, text)
    assert sorted(rows) == taken
    assert words in told
