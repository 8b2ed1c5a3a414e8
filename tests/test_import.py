"""`vlr import FORMAT SOURCE`: every format has its command, and a table, its origins and its repairs come out."""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from vlr_analysis import cli_import
from vlr_analysis.sources import formats, kit, reading

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
    assert "mended: wide.csv, row 5, column G: '*' read as suppressed" in done.stdout


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
