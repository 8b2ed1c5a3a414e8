"""`vlr import FORMAT SOURCE`: every format has its command, and a table, its origins and its repairs come out."""

import re
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import pandas as pd
import pytest

from vlr_analysis import cli_import
from vlr_analysis.sources import formats, kit, pins, reading, repairs
from vlr_analysis.sources.cells import Repair

FIXTURES = Path(__file__).parent / "fixtures" / "readers"


def vlr(*arguments, cwd):
    command = [sys.executable, "-m", "vlr_analysis.cli", "import", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8")


def test_every_format_has_its_command():
    assert set(cli_import.FORMATS) | {"open-sdg"} == set(formats.FORMATS) | {formats.GUESS}


@pytest.mark.parametrize(
    ("form", "name", "options"),
    [
        ("guess", "wide.csv", []),
        ("long", "long.csv", []),
        ("guess", "eurostat.tsv", ["--place", "XX11"]),
        ("world-bank", "world_bank.csv", ["--place", "Exampleville"]),
        ("unsd", "unsd.csv", ["--place", "Exampleville"]),
        ("sdmx-csv", "sdmx2.csv", ["--place", "XX11"]),
        ("fred", "fred.csv", ["--indicator", "8.5.2", "--series", "unemployment", "--unit", "%"]),
    ],
)
def test_a_file_becomes_a_table_that_the_kit_reads_with_its_origins(tmp_path, form, name, options):
    done = vlr(form, FIXTURES / name, "--area", "town", "-o", "data/town.csv", *options, cwd=tmp_path)
    assert done.returncode in (0, 3), done.stderr
    assert "Traceback" not in done.stderr
    table = kit.read_table(tmp_path / "data" / "town.csv")
    origins = reading.read_origins(tmp_path / "data" / "town.origins.csv")
    assert len(table) == len(origins) > 0
    assert set(table["area"]) == {"town"}
    assert set(origins["file"]) == {name}
    assert f"{len(table)} observations" in done.stdout


def test_repairs_are_told_and_what_is_plain_is_not_asked_for(tmp_path):
    done = vlr("guess", FIXTURES / "wide.csv", "--area", "town", "-o", "town.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "read as wide" in done.stdout
    assert (
        "mended, 1 time: mark for a suppressed value\n  wide.csv, row 5, column G: '*' read as suppressed"
        in done.stdout
    )
    log = pd.read_csv(tmp_path / "town.repairs.csv", dtype=str, keep_default_na=False)
    assert list(log.columns) == list(repairs.REPAIR_COLUMNS)
    assert ["wide.csv", "", "G5", "'*'", "suppressed", "mark for a suppressed value"] in log.values.tolist()


def many(folder, count=40):
    rows = "".join(f"{1980 + n},8.5.2,Rate,%,{'*' if n % 2 else '5'}\n" for n in range(count))
    text = f"Year,Indicator,Measure,Unit,Value\n{rows}2020,8.5.2,Rate,%,..\n2021,8.5.2,Rate,%,4\n"
    (folder / "many.csv").write_text(text, encoding="utf-8")
    return ["long", "many.csv", "--area", "town", "-o", "town.csv"]


def test_repairs_are_told_by_reason_with_the_first_few_and_all_of_them_are_logged(tmp_path):
    done = vlr(*many(tmp_path), cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    begin = lines.index("mended, 20 times: mark for a suppressed value")
    assert lines[begin + 1] == "  many.csv, row 3, column E: '*' read as suppressed"
    assert lines[begin + 4] == "  and 17 more"
    assert lines[begin + 5] == "mended, 1 time: mark for a missing value", "the reason with most cells comes first"
    log = pd.read_csv(tmp_path / "town.repairs.csv", dtype=str)
    assert list(log["cell"]) == [*(f"E{row}" for row in range(3, 43, 2)), "E42"]
    assert "(21): town.repairs.csv" in done.stdout


def test_all_of_them_are_told_where_that_is_asked_for(tmp_path):
    done = vlr(*many(tmp_path), "--all", cwd=tmp_path)
    assert done.stdout.count("read as suppressed") == 20 and "more" not in done.stdout


def test_an_import_without_repairs_leaves_no_older_log(tmp_path):
    (tmp_path / "town.repairs.csv").write_text("of an older import", encoding="utf-8")
    (tmp_path / "good.csv").write_text("Year,Indicator,Measure,Unit,Value\n2019,8.5.2,Rate,%,5\n", encoding="utf-8")
    done = vlr("long", "good.csv", "--area", "town", "-o", "town.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "town.repairs.csv").read_text(encoding="utf-8") == "file,sheet,cell,found,became,reason\n"


@pytest.mark.parametrize(
    ("file", "rest", "sheet", "cell"),
    [
        ("a.csv", "", "", ""),
        ("a.csv", ", row 12", "", "row 12"),
        ("a.csv", ", row 12, column AB", "", "AB12"),
        ("a.xlsx", ", Sheet 1!C12", "Sheet 1", "C12"),
        ("a.xlsx", ", Sheet!row 3", "Sheet", "row 3"),
        ("a.xlsx", ", sheet Sheet 1", "Sheet 1", ""),
        ("one, two.csv", ", row 12, column A", "", "A12"),
        ("one, two.xlsx", ", rates, men!B2", "rates, men", "B2"),
    ],
)
def test_the_log_has_file_sheet_and_cell(tmp_path, file, rest, sheet, cell):
    repairs.write_repairs([Repair(file + rest, "'x'", "y", "z")], tmp_path / "log.csv", file=file)
    log = pd.read_csv(tmp_path / "log.csv", dtype=str, keep_default_na=False)
    assert tuple(log.loc[0, ["file", "sheet", "cell"]]) == (file, sheet, cell)


def test_a_place_in_another_file_is_found_and_one_in_other_words_is_kept_whole(tmp_path):
    made = [Repair("GeoIDs - City.csv, row 2", "x", "y", "z"), Repair("a.xlsx, some!where", "x", "y", "z")]
    repairs.write_repairs(made, tmp_path / "log.csv", file="a.xlsx")
    log = pd.read_csv(tmp_path / "log.csv", dtype=str, keep_default_na=False)
    assert log[["file", "sheet", "cell"]].values.tolist() == [
        ["GeoIDs - City.csv", "", "row 2"], ["a.xlsx, some!where", "", ""],
    ]  # fmt: skip


def test_a_log_holds_nothing_that_a_spreadsheet_would_run(tmp_path):
    repairs.write_repairs([Repair("a.csv", "=1+1", "-5.2", "@x"), Repair("=a.xlsx, =S!C1", "'=1'", "+1 x", "z")],
                          tmp_path / "log.csv", file="a.csv")  # fmt: skip
    log = pd.read_csv(tmp_path / "log.csv", dtype=str, keep_default_na=False).values.tolist()
    assert log == [["a.csv", "", "", "'=1+1", "-5.2", "'@x"], ["'=a.xlsx", "'=S", "C1", "''=1'", "'+1 x", "z"]]


def test_a_repository_leaves_origins_and_every_repair_with_its_cell(tmp_path):
    (tmp_path / "open" / "data").mkdir(parents=True)
    files = {
        "indicator_1-1-1.csv": "Year,Value\n2015,0\n",
        "indicator_8-5-2.csv": '\ufeffYear,Sex,,Value\n2015/16,,,\n2016/17,a;b,,*\n2019*,,,"1,200"\n'
        "2020,,,5%\n2020,,,\n",
    }
    for name, text in files.items():
        (tmp_path / "open" / "data" / name).write_text(text, encoding="utf-8")
    done = vlr("open-sdg", "open", "--area", "town", "-o", "town.csv", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    log = pd.read_csv(tmp_path / "town.repairs.csv", dtype=str, keep_default_na=False)
    assert set(log["sheet"]) == {""}
    assert log.groupby("file").size().to_dict() == {"data/indicator_1-1-1.csv": 1, "data/indicator_8-5-2.csv": 12}
    got = {(row.cell, row.found, row.became) for row in log.itertuples() if "8-5-2" in row.file}
    assert got == {
        ("", "a byte-order mark", "nothing"), ("C1", "an empty column", "nothing"),
        ("A2", "'2015/16'", "2015-07-01/P1Y"), ("A3", "'2016/17'", "2016-07-01/P1Y"), ("A4", "'2019*'", "2019"),
        ("D2", "''", "missing"), ("D3", "'*'", "suppressed"), ("B3", "'a;b'", "'a,b'"), ("D4", "'1,200'", "1200"),
        ("D5", "'5%'", "5"), ("D6", "''", "missing"), ("D6", "the key of row 5 again", "nothing"),
    }  # fmt: skip
    origins = pd.read_csv(tmp_path / "town.origins.csv", dtype=str)
    assert set(origins["cell"]) == {"D2", "D3", "D4", "D5"}
    assert len(pd.read_csv(tmp_path / "town.csv")) == 4


def test_a_file_that_could_be_two_formats_is_refused_with_both_names(tmp_path):
    (tmp_path / "file.csv").write_text("Year,Measure\nIndicator,2019,2020\nPoverty,1,2\n", encoding="utf-8")
    done = vlr("guess", "file.csv", "--area", "town", "-o", "town.csv", cwd=tmp_path)
    assert done.returncode == 1
    assert "could be long or wide" in done.stderr and "Fix: say which one it is" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]


def test_the_list_of_formats_fits_its_lines():
    told = vlr("--help", cwd=FIXTURES).stdout
    assert "..." not in told.split("Commands:")[1]
    for name in [*cli_import.FORMATS, "open-sdg", "table"]:
        assert f"\n  {name} " in told


def test_columns_can_be_named(tmp_path):
    (tmp_path / "odd.csv").write_text("Jahr,Tasa X,Code\n2019,4.5,8.5.2\n2020,7.5,8.5.2\n", encoding="utf-8")
    given = ["--column", "value=Tasa X", "--column", "indicator=Code", "--series", "m", "--unit", "%"]
    done = vlr("long", "odd.csv", "--area", "town", "-o", "town.csv", *given, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(pd.read_csv(tmp_path / "town.csv")["value"]) == [4.5, 7.5]


@pytest.mark.parametrize(
    ("form", "content", "told"),
    [
        ("guess", "a,b\nc,d\n", "one format"),
        ("wide", "", "empty"),
        ("fred", "a,b\nc,d\n", "Fix:"),
    ],
)
def test_what_cannot_be_read_is_refused_and_nothing_is_written(tmp_path, form, content, told):
    (tmp_path / "file.csv").write_text(content, encoding="utf-8")
    done = vlr(form, "file.csv", "--area", "town", "-o", "town.csv", cwd=tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["file.csv"]


# --- docs/formats.md says what is true -----------------------------------------------------------------

DOCS = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
SHARED = Path(__file__).parents[2] / "shared" / "sources"


def rows_below(header):
    lines = DOCS.split(f"| {header}", 1)[1].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in takewhile(str.strip, lines)]


def test_the_docs_name_every_format_and_fixtures_that_are_there():
    rows = rows_below("format | fixture")
    assert [row[0] for row in rows] and {row[0] for row in rows} == set(formats.FORMATS)
    named = {name for row in rows for name in re.findall(r"`([^`]+)`", row[1])}
    assert named == {path.name for path in FIXTURES.iterdir()}
    real = {row[2] for row in rows_below("fetched as")}
    assert real == {row[0] for row in rows if row[0] not in ("wide", "long") and row[2] != "none"}


def test_the_docs_tell_what_the_real_files_give():
    if not SHARED.is_dir():
        pytest.skip("no ../shared/sources beside the project")
    rows = rows_below("fetched as")
    pinned = {name: pins.read_pins(name) for name in pins.names()}
    listed = {(name, pin.path) for name in ("fred", "economic-tracker") for pin in pinned[name].files}
    assert {(row[0], row[1]) for row in rows if row[1] != "(whole)"} == listed - {
        ("economic-tracker", "GeoIDs - City.csv")
    }
    for name, file, form, column, figures in rows:
        path = SHARED / (f"open-sdg/{name}" if file == "(whole)" else f"{name}/{file}")
        assert formats.guess(path) == form
        place = "Los Angeles" if "City" in file else ""
        found = formats.read(form, path, area="los-angeles", source="test", column=column, place=place)
        assert (file, f"{len(found.table):,}") == (file, figures)


def test_the_docs_tell_the_ratio_of_the_benchmark_and_the_commits_that_are_short():
    told = pd.read_csv(Path(__file__).parents[1] / "docs/methods/benchmark-import.csv")
    assert "more than five times as fast" in DOCS and (told[["ratio", "ratio_of_medians"]] > 5).all(axis=None)
    assert sum(len(pins.read_pins(name).commit) == 8 for name in pins.names()) == 3
    assert "Three of the commits" in DOCS
