"""A workbook as an officer has it goes from file to review: nothing retyped, each figure with its cell."""

import csv
import io
import re
import shutil
import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from openpyxl.styles import Font

from vlr_analysis.cities import load_cities
from vlr_analysis.observations import KEY
from vlr_analysis.review import inputs
from vlr_analysis.review.check import check
from vlr_analysis.review.new_city import new_city
from vlr_analysis.review.origins import came_from, doubts, origins_of, with_origins
from vlr_analysis.review.provenance import places
from vlr_analysis.sources import kit
from vlr_analysis.sources.formats import read
from vlr_analysis.sources.reading import read_origins, write_origins

ROOT = Path(__file__).resolve().parents[1]
NBSP = "\u00a0"
BOOK = "Tabla 4 – condiciones de vida (versión final).xlsx"
YEARS = range(2012, 2023)
GROUPS = ("Total", "Mujeres", "Hombres")

# Rows of the first sheet: code, label as it is written, and for each year the three cells as they are typed.
JOBLESS = ("8.5.2", " Tasa de desempleo (%)¹ ", [
    ("5,1", "6,0 ", "4,4"), ("5,0", "5,9", "4,3"), ("4,8", f"{NBSP}5,8", "4,0"), ("4,9", "5,7", "4,3"),
    ("5,2", "6,1", "4,5"), ("5,4", "6,3", "4,7"), ("5,3", "n/d", "4,6"), (5.2, 6.1, 4.5), ("8,7", "10,1", "7,6"),
    ("7,1", "8,0", "6,4"), ("6,4 (p)", "7,3 (p)", "5,7 (p)"),
])  # fmt: skip
MOTHERS = ("3.1.1", "Muertes maternas (número)²", [
    ("7", "7", ".."), ("6", "6", ".."), ("<5", "<5", ".."), ("*", "*", ".."), ("8", "8", ".."), ("6", "6", ".."),
    ("–", "–", ".."), ("9", "9", ".."), ("11", "11", ".."), ("<5", "<5", ".."), ("6", "6", ".."),
])  # fmt: skip
POOR = ("1.2.1", "Personas en situación de pobreza (personas)", [
    ("61.234", "32.117", "29.117"), ("60.911", "31.900", "29.011"), ("58.400", "30.600", "27.800"),
    (f"57{NBSP}120", f"29{NBSP}980", f"27{NBSP}140"), ("56.005", "29.400", "26.605"), ("55.250", "29.000", "26.250"),
    ("54.870", "28.810", "26.060"), (54100, 28400, 25700), ("69.300", "36.700", "32.600"),
    ("63.450", "33.500", "29.950"), ("60.020", "31.600", "28.420"),
])  # fmt: skip
SPENDING = [("Sanitation", ["1.234,5", "1.301,0", "1.298,75", "1.402,1"]), ("Parks", ["310,2", "*", "n/d", "355,9"])]


def messy_workbook(path):
    """Write the workbook; return where each figure of the first sheet stands, by (code, year, group)."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Tabla 4 "
    page["A1"], page["A2"] = (
        "GAD MUNICIPAL DEL CANTÓN CUENCA",
        "Tabla 4. Condiciones de vida de la población, 2012–2022",
    )
    page["A1"].font = Font(bold=True, size=14)
    page.merge_cells("A1:K1")
    page["A4"], page["B4"] = "Código", "Indicador (unidad)"
    page.merge_cells("A4:A5")
    page.merge_cells("B4:B5")
    places = {}
    for number, year in enumerate(YEARS):
        column = 3 + 3 * number
        page.cell(4, column, f"{year} (p)" if year == 2022 else year)
        page.merge_cells(start_row=4, end_row=4, start_column=column, end_column=column + 2)
        for shift, group in enumerate(GROUPS):
            page.cell(5, column + shift, group + (" " if group == "Mujeres" else ""))
    row = 6
    for heading, rows in (("A. Empleo y salud", [JOBLESS, MOTHERS]), ("B. Ingresos", [POOR])):
        page.cell(row, 2, heading).font = Font(bold=True)
        row += 1
        for code, label, cells in rows:
            page.cell(row, 1, code)
            page.cell(row, 2, label)
            for number, typed in enumerate(cells):
                for shift, content in enumerate(typed):
                    cell = page.cell(row, 3 + 3 * number + shift, content)
                    places[code, YEARS[number], GROUPS[shift]] = cell.coordinate
            row += 1
    page.cell(row, 2, "Subtotal")
    page.cell(row, 3, "61.246,1")
    for text in ("¹ Población de 15 años y más.", "² <5 y *: cifra reservada.", "(p) Provisional.", "Fuente: INEC."):
        row += 1
        page.cell(row + 1, 1, text)
    second = book.create_sheet("Gasto (miles de USD)")
    second["A1"] = "Gasto municipal por ejercicio"
    second.append([])
    second.append(["Serie", "Unidad", "2018/19", "2019/20", "2020/21", "2021/22"])
    for name, cells in SPENDING:
        second.append([f"{name} ", "US$", *cells])
    hidden = book.create_sheet("aux")
    hidden.append(["lookup", "x"])
    hidden.append(["Azuay", "01"])
    hidden.sheet_state = "hidden"
    book.save(path)
    return places


def vlr(*arguments, cwd):
    command = [sys.executable, "-m", "vlr_analysis.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8")


def said(done, code=0):
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def kit_of_ours(tmp_path_factory):
    """Copy what a city finds in the kit: registers, notebooks, methods."""
    root = tmp_path_factory.mktemp("intake") / "mi ciudad ñ"
    (root / "data").mkdir(parents=True)
    (root / "params").mkdir()
    for name in ("areas", "sources", "indicators", "vlr_counts"):
        shutil.copy(ROOT / "data" / f"{name}.csv", root / "data")
    for name in ("notebooks", "docs/methods"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return root


@pytest.fixture(scope="module")
def imported(kit_of_ours):
    """Bring the workbook in; return the project, where each figure stands, and what was said."""
    root = kit_of_ours
    said(vlr("new", "cuenca", "--name", "Cuenca", "--country", "ECU", cwd=root))
    places = messy_workbook(root / BOOK)
    given = ["--area", "cuenca", "--source-id", "inec", "-o", "data/cuenca.csv"]
    told = said(vlr("import", "guess", BOOK, *given, cwd=root))
    return root, places, told


@pytest.fixture(scope="module")
def reviewed(imported):
    """Take the other steps of docs/start-with-excel.md: name the file and its source, check, run."""
    root, places, _ = imported
    parameters = root / "params" / "cuenca.yaml"
    text = parameters.read_text(encoding="utf-8")
    parameters.write_text(text.replace("data: data/cuenca.xlsx", "data: data/cuenca.csv", 1), encoding="utf-8")
    with (root / "data" / "sources.csv").open("a", encoding="utf-8", newline="") as file:
        file.write('inec,INEC,"Encuesta de empleo, pobreza y gasto",official,,,,2025-06,CC BY 4.0,,,\n')
    checked = said(vlr("check", "cuenca", cwd=root))
    said(vlr("run", "cuenca", "--notebook", "02_trends", "--notebook", "08_findings", cwd=root))
    return root, places, checked


def keys_of(places):
    """Return the key in the one table of each place of the first sheet."""
    series = {
        "8.5.2": ("A. Empleo y salud: Tasa de desempleo", "%"),
        "3.1.1": ("A. Empleo y salud: Muertes maternas", "count"),
        "1.2.1": ("B. Ingresos: Personas en situación de pobreza", "people"),
    }
    groups = {"Total": "", "Mujeres": "sex=female", "Hombres": "sex=male"}
    return {
        ("cuenca", code, *series[code], str(year), groups[group]): cell for (code, year, group), cell in places.items()
    }


def test_every_figure_is_there_with_its_cell(imported):
    root, places, _ = imported
    table = kit.read_table(root / "data" / "cuenca.csv")
    first = table[~table["indicator"].str.startswith("cuenca.")]
    assert set(map(tuple, first[list(KEY)].to_numpy().tolist())) == set(keys_of(places))
    origins = read_origins(root / "data" / "cuenca.origins.csv")
    cells = {tuple(row[:6]): (row[6], row[7], row[8]) for row in origins.to_numpy().tolist()}
    assert len(cells) == len(table)
    for key, cell in keys_of(places).items():
        assert cells[key] == (BOOK, "Tabla 4", cell)
    assert len(table) - len(first) == 8


def test_values_are_those_that_an_officer_reads(imported):
    root, places, _ = imported
    table = kit.read_table(root / "data" / "cuenca.csv").set_index(list(KEY))
    at = {place: table.loc[key] for place, key in zip(places, keys_of(places), strict=True)}
    assert at["8.5.2", 2012, "Total"]["value"] == 5.1
    assert at["8.5.2", 2014, "Mujeres"]["value"] == 5.8  # a no-break space stood before it
    assert at["1.2.1", 2012, "Total"]["value"] == 61234
    assert at["1.2.1", 2015, "Total"]["value"] == 57120
    assert at["8.5.2", 2022, "Hombres"][["value", "status"]].tolist() == [5.7, "provisional"]
    words = {("3.1.1", 2014): "suppressed", ("3.1.1", 2015): "suppressed", ("3.1.1", 2018): "missing"}
    for (code, year), word in words.items():
        assert at[code, year, "Total"]["status"] == word
    assert at["8.5.2", 2018, "Mujeres"]["status"] == "missing"
    assert not (table["value"] == 0).any()
    years = set(table.index.get_level_values("period"))
    assert {"2018-07-01/P1Y", "2021-07-01/P1Y"} <= years
    spent = table.xs("cuenca.sanitation", level="indicator")
    assert spent["value"].tolist() == [1234.5, 1301, 1298.75, 1402.1]


def test_the_format_may_be_named_as_well(imported):
    root, _, _ = imported
    given = ["--area", "cuenca", "--source-id", "inec", "-o", "named/cuenca.csv"]
    said(vlr("import", "wide", BOOK, *given, cwd=root))
    for name in ("cuenca.csv", "cuenca.origins.csv", "cuenca.repairs.csv"):
        assert (root / "named" / name).read_bytes() == (root / "data" / name).read_bytes()


def test_subtotals_notes_and_the_hidden_sheet_are_no_figures(imported):
    root, _, _ = imported
    table = kit.read_table(root / "data" / "cuenca.csv")
    text = " ".join(map(str, table.to_numpy().ravel()))
    for word in ("Subtotal", "Fuente", "Azuay", "Provisional", "¹", "61246"):
        assert word not in text


def test_each_repair_is_in_the_log_and_the_screen_is_not_flooded(imported):
    root, places, told = imported
    reasons = [int(count) for count in re.findall(r"^mended, (\d+) times?:", told, flags=re.M)]
    assert len(re.findall(r"^  .*: .* read as ", told, flags=re.M)) == sum(min(count, 3) for count in reasons)
    assert re.search(r"cell by cell \(\d+\): data.cuenca\.repairs\.csv", told)
    with (root / "data" / "cuenca.repairs.csv").open(encoding="utf-8", newline="") as file:
        log = {row["cell"]: row for row in csv.DictReader(file)}
    for place, why in {("8.5.2", 2012, "Total"): "decimal comma", ("3.1.1", 2014, "Total"): "a bound is no number",
                       ("1.2.1", 2012, "Hombres"): "thousands mark", ("8.5.2", 2022, "Total"): "provisional",
                       ("3.1.1", 2018, "Total"): "missing"}.items():  # fmt: skip
        assert why in log[places[place]]["reason"], place


def test_the_check_finds_nothing_to_mend(reviewed):
    _, _, checked = reviewed
    assert "Errors" not in checked
    assert "107 figures of 5 series" in checked


def rows_of(root):
    text = (root / "reports" / "cuenca" / "tables" / "provenance.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_provenance_names_the_cell_of_every_row(reviewed):
    root, places, _ = reviewed
    rows = rows_of(root)
    wanted = keys_of(places)
    first = [row for row in rows if not row["indicator"].startswith("cuenca.")]
    assert len(first) > 20
    for row in first:
        assert (row["origin_file"], row["origin_sheet"]) == (BOOK, "Tabla 4")
        assert row["origin_cell"] == wanted[tuple(row[name] for name in KEY)]


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.cells, self.tags = [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, _):
        self.tags.append(tag)

    def handle_data(self, data):
        self.cells.append(data.strip())


def test_the_evidence_page_shows_where_each_figure_came_from(reviewed):
    root, places, _ = reviewed
    page = Page(root / "reports" / "cuenca" / "evidence.html")
    assert "Came from" in page.cells
    assert f"{BOOK}, Tabla 4!{places['8.5.2', 2022, 'Total']}" in page.cells
    assert f"{BOOK}, Tabla 4!{places['1.2.1', 2019, 'Total']}" in page.cells


def test_the_annex_names_the_cell_of_every_figure(reviewed):
    root, places, _ = reviewed
    book = openpyxl.load_workbook(root / "reports" / "cuenca" / "handover" / "annex.xlsx")
    head, *rows = book["Figures"].iter_rows(values_only=True)
    rows = [dict(zip(head, row, strict=True)) for row in rows]
    came = {(row["Indicator"], row["Period"], row["Group"] or ""): row for row in rows}
    for key, cell in keys_of(places).items():
        row = came[key[1], key[4], key[5]]
        assert row["Came from"] == f"{BOOK}, Tabla 4!{cell}"
        if row["Status"] in ("suppressed", "missing"):
            assert row["Value"] == row["Status"]
    assert [row["Status"] for row in rows].count("suppressed") > 5


# --- origins ---------------------------------------------------------------------------------------------


@pytest.fixture
def town(tmp_path):
    """Make a data file of three years and a hidden number, with its origins; return its path and its table."""
    path = tmp_path / "town.csv"
    source = tmp_path / "long.csv"
    source.write_text("Indicator,Unit,Year,Value\n8.5.2,%,2019,5\n8.5.2,%,2020,7\n8.5.2,%,2021,*\n", encoding="utf-8")
    found = read("long", source, area="town", source="office", series="jobless")
    kit.write_table(found.table, path)
    write_origins(found.origins.assign(value=found.table["value"].to_numpy()), path.with_suffix(".origins.csv"))
    return path, kit.read_table(path)


def came(path, table):
    shown = with_origins(table.assign(file="data/town.csv", row=range(2, 2 + len(table))), origins_of(path))
    return came_from(shown)


def test_an_origin_is_told_in_words_also_of_a_hidden_figure(town):
    path, table = town
    assert came(path, table) == ["long.csv, D2", "long.csv, D3", "long.csv, D4"]
    assert doubts(path, table) == []
    hidden = table.assign(value=float("nan"), status="suppressed")
    assert came(path, hidden) == ["long.csv, D2", "long.csv, D3", "long.csv, D4"]


def test_a_figure_that_was_changed_since_names_its_row_and_is_doubted(town):
    path, table = town
    changed = table.assign(value=[5, 70, float("nan")])
    assert came(path, changed) == ["long.csv, D2", "data/town.csv, row 3", "long.csv, D4"]
    (problem,) = doubts(path, changed)
    assert problem.where == "town.origins.csv"
    assert "1 figure (8.5.2 / 2020) changed since they were imported" in problem.found
    assert "import the figures again" in problem.fix


def test_figures_without_origin_and_origins_without_figure_are_doubted(town):
    path, table = town
    other = table.iloc[1:].copy()
    other.loc[1, "period"] = "2018"
    assert [problem.found[:16] for problem in doubts(path, other)] == ["no origin for 1 ", "origins of 2 fig"]
    assert came(path, other)[0] == "data/town.csv, row 2"


@pytest.mark.parametrize("text", ["", "area,file\nx,y\n", "\ufffd" * 50, '"', "area,indicator,series,unit\n1"])
def test_a_broken_file_of_origins_is_a_warning_and_nothing_else(town, text):
    path, table = town
    path.with_suffix(".origins.csv").write_bytes(text.encode("utf-16" if text[:1] == "\ufffd" else "utf-8"))
    assert len(doubts(path, table)) == 1
    assert came(path, table) == [f"data/town.csv, row {row}" for row in (2, 3, 4)]
    report = check(str(path), None, date(2026, 1, 1))
    assert report.exit_code == 0
    assert [problem.fix for problem in report.warnings] == ["import the figures again"]


def test_a_file_that_was_never_imported_needs_no_origins(town):
    path, table = town
    path.with_suffix(".origins.csv").unlink()
    assert doubts(path, table) == []
    assert came(path, table) == [f"data/town.csv, row {row}" for row in (2, 3, 4)]


def test_the_workbook_of_a_city_and_of_its_neighbour_are_named_cell_by_cell(project):
    for name in ("town", "village"):
        new_city(name, project, country="GBR")
        path = project / "data" / f"{name}.xlsx"
        if name == "village":
            path = path.rename(project / "data" / "kept elsewhere.xlsx")
        book = openpyxl.load_workbook(path)
        book["Sources"].append(["office", "Office", "Yearbook", "official", "2025-06", "CC BY 4.0"])
        book["Figures"].append(["8.5.2", "jobless", "%", None, None, "office", *range(5, 15)])
        book.save(path)
    text = (project / "params" / "village.yaml").read_text(encoding="utf-8")
    text = text.replace("data/village.xlsx", '"data/kept elsewhere.xlsx"')
    (project / "params" / "village.yaml").write_text(text, encoding="utf-8")
    town = (project / "params" / "town.yaml").read_text(encoding="utf-8").replace("peers: []", "peers: [village]")
    (project / "params" / "town.yaml").write_text(town, encoding="utf-8")
    for internal in (False, True):
        city = load_cities(["town"], project, internal=internal)[0]
        rows = places(city, pd.concat([city.observations, city.around], ignore_index=True))
        assert came_from(rows)[:2] == ["town.xlsx, Figures!G3", "town.xlsx, Figures!H3"]
        assert came_from(rows)[-1] == "kept elsewhere.xlsx, Figures!P3"
        assert set(rows["file"]) == {"data/town.xlsx", "data/kept elsewhere.xlsx"}


def test_origins_are_among_what_a_result_depends_on(project):
    beside = project / "data" / "porto-exemplo.origins.csv"
    before = set(inputs.files_of("porto-exemplo", inputs.Hashes(project)))
    assert "data/porto-exemplo.origins.csv" in before
    beside.write_text("x", encoding="utf-8")
    found = inputs.Hashes(project).of_files(before)
    assert found["data/porto-exemplo.origins.csv"] == inputs.hash_file(beside)
