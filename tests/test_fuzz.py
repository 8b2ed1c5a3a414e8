"""Damaged files at every door: a seeded slice of `make fuzz`, and what the campaign itself can tell."""

import csv
import re
import sys
import warnings
from pathlib import Path

import pytest
from openpyxl import Workbook

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.review.annex import read_sheet
from vlr_analysis.sources import figure_rows, figure_table, kit
from vlr_analysis.sources.figure_texts import read_cell
from vlr_analysis.sources.formats import FORMATS, read
from vlr_analysis.sources.open_sdg_write import check_open_sdg
from vlr_analysis.sources.sheet_grid import MAX_FIGURES
from vlr_analysis.sources.voices import read_voices

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import fuzz
import fuzz_targets
from fuzz_mutations import packed, parts_of

SLICE = 40
GIVEN = {"area": "exampleville", "source": "fuzz"}


@pytest.mark.parametrize("name", sorted(fuzz_targets.TARGETS))
def test_damaged_files_end_as_a_table_or_a_typed_error(name, tmp_path):
    row = fuzz.run_target(fuzz_targets.TARGETS[name], fuzz.Row(name, seed=20), SLICE, tmp_path / "kept")
    found = tmp_path / "kept" / "found.txt"
    assert not row.violations, found.read_text(encoding="utf-8")
    assert row.inputs == row.tables + row.refused == SLICE


@pytest.mark.parametrize("name", sorted(fuzz_targets.TARGETS))
def test_the_good_files_are_read(name, tmp_path):
    """Damage to files that are refused anyway would say little."""
    target = fuzz_targets.TARGETS[name]
    outcomes = [fuzz.attempt(target, seed, seed.content, tmp_path.resolve())[0] for seed in target.seeds()]
    assert "table" in outcomes and set(outcomes) <= {"table", "refused"}, outcomes
    assert outcomes.count("table") >= 0.5 * len(outcomes)


def test_every_format_is_a_target():
    assert set(FORMATS) <= set(fuzz_targets.TARGETS) == set(fuzz.ORDER)


def test_an_input_is_the_same_again():
    target = fuzz_targets.TARGETS["wide"]
    assert [target.input(n, 1) for n in range(20)] == [target.input(n, 1) for n in range(20)]
    assert [target.input(n, 1) for n in range(20)] != [target.input(n, 2) for n in range(20)]


# --- what the campaign can tell --------------------------------------------------------------------------


def _target(read, faults=lambda found, path: ""):
    return fuzz_targets.Target("broken", lambda: (fuzz_targets.Seed(b"a,b\n1,2\n", ".csv"),), read, faults)


def _raises(path):
    raise KeyError("x")


def _warns(path):
    warnings.warn("old", DeprecationWarning, stacklevel=1)


def _burns(path):
    while True:
        pass


def _ends(path):
    fuzz.os._exit(3)


def _without_help(path):
    raise InputError("x", [])


@pytest.mark.parametrize(("read", "words"), [
    (_raises, "KeyError"), (_warns, "a warning"), (lambda path: print("x"), "printed"), (_ends, "ended by the system"),
    (lambda path: path.with_name("other").write_text("x"), "beside the input"), (_without_help, "without help"),
    (lambda path: Path(path.parent.parent / "outside").write_text("x"), "wrote "),
])  # fmt: skip
def test_what_breaks_a_rule_is_told_and_kept(tmp_path, read, words):
    row = fuzz.run_target(_target(read), fuzz.Row("broken"), 1, tmp_path / "kept")
    assert (row.inputs, row.violations) == (1, 1)
    assert words in (tmp_path / "kept" / "found.txt").read_text(encoding="utf-8")
    assert (tmp_path / "kept" / "broken-0.csv").is_file()


@pytest.mark.skipif(not fuzz._FORKS, reason="the system has no limits for a process")
def test_an_endless_reader_is_ended_and_the_campaign_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(fuzz, "HARD_SECONDS", 0.3)
    row = fuzz.run_target(_target(_burns), fuzz.Row("broken"), 2, tmp_path / "kept")
    assert (row.inputs, row.violations) == (2, 2)
    assert "SIGPROF" in (tmp_path / "kept" / "found.txt").read_text(encoding="utf-8")


def test_a_campaign_goes_on_where_it_was(tmp_path):
    whole, parts = tmp_path / "whole.csv", tmp_path / "parts.csv"
    for count, out in ((30, whole), (10, parts), (30, parts)):
        list(fuzz.campaign(["kit-registers"], count, 5, out, tmp_path / "kept"))
    one, two = fuzz.read_rows(whole)["kit-registers"], fuzz.read_rows(parts)["kit-registers"]
    assert (one.inputs, one.tables, one.refused) == (two.inputs, two.tables, two.refused) and one.inputs == 30


# --- what it found ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", ["unit", "indicator", "source"])
def test_a_table_of_ours_without_a_column_is_refused(tmp_path, missing):
    columns = [name for name in ("area", "indicator", "series", "unit", "period", "value", "source") if name != missing]
    path = tmp_path / "a.csv"
    path.write_text(",".join(columns) + "\n" + ",".join(["x"] * (len(columns) - 2)) + ",2019,5\n", encoding="utf-8")
    with pytest.raises(InputError, match=missing):
        kit.read_table(path)


def test_a_parquet_file_with_bytes_that_are_no_text_is_refused(tmp_path):
    path = tmp_path / "a.parquet"
    good = fuzz_targets.TARGETS["kit-parquet"].seeds()[0].content
    refused = 0
    for old in (b"made-up", b"%", b"area"):
        path.write_bytes(good.replace(old, b"\xf5" * len(old)))
        try:
            kit.read_table(path)
        except InputError:
            refused += 1
    assert refused == 3


def test_a_register_of_voices_is_measured_before_it_is_read(tmp_path):
    """One cell in the last row makes a million empty ones; a part that unpacks to far too much is not unpacked."""
    (book,) = {seed.content for seed in fuzz_targets.TARGETS["voices"].seeds() if seed.suffix == ".xlsx"}
    parts = parts_of(book)
    (sheet,) = (name for name in parts if "worksheets/sheet" in name)
    path = tmp_path / "voices.xlsx"
    far = b'<row r="1048576"><c r="A1048576"><v>1</v></c></row></sheetData>'
    for part, words in ((parts[sheet].replace(b"</sheetData>", far), "cells"),
                        (parts[sheet] + b" " * 5_000_000, "unpacks to")):  # fmt: skip
        path.write_bytes(packed({**parts, sheet: part}))
        with pytest.raises(InputError, match=words):
            read_voices(path)


def test_more_figures_than_can_be_read_in_time_are_refused_with_help(tmp_path):
    path = tmp_path / "a.csv"
    years = ",".join(str(1901 + number) for number in range(199))
    rows = "".join(f"s{number}," + ",".join(["1"] * 199) + "\n" for number in range(MAX_FIGURES // 199 + 1))
    path.write_text(f"Indicator,{years}\n{rows}", encoding="utf-8")
    with pytest.raises(InputError, match="50,000 figures") as error:
        read("wide", path, **GIVEN)
    assert isinstance(error.value.problems[0], Problem) and "split the file" in str(error.value)


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@SUM(1)", "=@"])
@pytest.mark.parametrize(("name", "header"), [
    ("fred", "DATE,{}\n2019-01-01,1\n2020-01-01,2\n"),
    ("economic-tracker", "year,month,day_endofmonth,{}\n2020,1,31,1\n2020,2,29,2\n"),
    ("long", "Year,{}\n2019,1\n2020,2\n"),
    ("wide", "Indicator,2019,2020\nshare ({}),1,2\n"),
])  # fmt: skip
def test_a_name_out_of_a_header_is_no_formula_either(tmp_path, name, header, text):
    path = tmp_path / "a.csv"
    path.write_text(header.format(text), encoding="utf-8")
    table = read(name, path, **GIVEN).table
    assert len(table) == 2
    assert not fuzz_targets.label_faults(table[["indicator", "series", "unit", "breakdown"]])


def test_names_out_of_a_repository_are_no_formulas_and_hide_nothing(tmp_path):
    (tmp_path / "data").mkdir()
    rows = "2019,=1+1,a\u202eb,1\n2020,=1+1,a\u202eb,2\n2019,people,,3\n"
    (tmp_path / "data" / "indicator_1-1-1.csv").write_text(f"Year,Units,Sex,Value\n{rows}", encoding="utf-8")
    reading = read("open-sdg", tmp_path, **GIVEN)
    assert set(reading.table["unit"]) == {"1+1", "people"} and set(reading.table["breakdown"]) == {"sex=ab", ""}
    assert reading.origins["cell"].tolist() == ["D2", "D3", "D4"]
    assert reading.origins["unit"].tolist() == reading.table["unit"].tolist()
    assert any("spreadsheet" in repair.why for repair in reading.repairs)


@pytest.mark.parametrize("line", [
    "2019-02-30", "? [a, b]", "data: " + "x" * 5000, "nation: " + "x" * 5000, "goals: " + "[" * 3000 + "]" * 3000,
])  # fmt: skip
def test_parameters_that_no_yaml_or_file_can_hold_are_refused(tmp_path, line):
    target = fuzz_targets.TARGETS["params"]
    good = target.seeds()[2]
    outcome = fuzz.attempt(target, good, good.content + f"  {line}\n".encode(), tmp_path.resolve())[0]
    assert outcome == "refused"


def test_metadata_that_no_yaml_can_hold_is_left_out(tmp_path):
    target = fuzz_targets.TARGETS["open-sdg"]
    for line in ("source_active_1: 2019-02-30", "? [a, b]\n: x", "deep: " + "[" * 3000 + "]" * 3000):
        good = target.seeds()[3]
        assert fuzz.attempt(target, good, good.content + f"{line}\n".encode(), tmp_path.resolve())[0] == "table"


@pytest.mark.parametrize("name", ["wide", "voices"])
def test_what_a_library_prints_of_a_damaged_style_is_not_heard(tmp_path, name):
    target = fuzz_targets.TARGETS[name]
    (book,) = {seed for seed in target.seeds() if seed.suffix == ".xlsx"}
    parts = parts_of(book.content)
    styles = re.sub(rb"<cellStyleXfs.*?</cellStyleXfs>", b"<cellStyleXfs></cellStyleXfs>", parts["xl/styles.xml"])
    assert fuzz.attempt(target, book, packed({**parts, "xl/styles.xml": styles}), tmp_path.resolve())[0] == "refused"


def test_a_repository_with_more_rows_than_can_be_read_in_time_says_which_file(tmp_path):
    (tmp_path / "data").mkdir()
    rows = "2019,1\n" * (MAX_FIGURES + 1)
    (tmp_path / "data" / "indicator_1-1-1.csv").write_text(f"Year,Value\n{rows}", encoding="utf-8")
    reading = read("open-sdg", tmp_path, **GIVEN)
    assert not len(reading.table) and "50,001 rows" in str(reading.problems[0])


def test_a_repository_with_one_row_many_times_is_read_in_time(tmp_path):
    target = fuzz_targets.TARGETS["open-sdg"]
    seed, *_ = target.seeds()
    lines = seed.content.splitlines(keepends=True)
    repeated = seed.content + lines[-1] * 40_000
    assert fuzz.attempt(target, seed, repeated, tmp_path.resolve())[0] == "table"
    at_odds = seed.content + lines[1].replace(b"5.2", b"5.3") * 40_000
    assert fuzz.attempt(target, seed, at_odds, tmp_path.resolve())[0] == "table"
    (problem,) = read("open-sdg", tmp_path, **GIVEN).problems
    assert "and 39996 more" in problem.where and len(str(problem)) < 300


def test_rows_without_end_that_hold_no_figures_are_refused_with_help(tmp_path):
    (tmp_path / "x.csv").write_text("Indicator,2019,2020\n1.2.1,4.5,5\n" + "a\n" * 60_000, encoding="utf-8")
    with pytest.raises(InputError, match=r"60,002 rows of 2 letters on average.*delete the rows"):
        read("wide", tmp_path / "x.csv", **GIVEN)
    (tmp_path / "x.csv").write_text("Indicator,2019,2020\n1.2.1,4.5,5\n" + ",,\n" * 60_000, encoding="utf-8")
    assert len(read("wide", tmp_path / "x.csv", **GIVEN).table) == 2


def test_of_rows_without_end_that_have_another_length_a_thousand_are_told(tmp_path):
    path = tmp_path / "indicators.csv"
    path.write_text("indicator,series,unit\n" + "2,1\n" * 5000, encoding="utf-8")
    with pytest.raises(InputError) as told:
        kit.read_indicators(path)
    assert len(told.value.problems) < 1010 and "4,001 rows that were not looked at" in str(told.value)


def test_mending_a_table_of_ours_ends_at_the_first_problem_that_nobody_can_mend(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    header = "area,indicator,series,unit,period,value,source\n"
    path.write_text(header + header * 50, encoding="utf-8")
    read_cells = []
    monkeypatch.setattr(figure_rows, "read_cell", lambda *given: read_cells.append(given) or read_cell(*given))
    assert figure_table.mended(path) is None and len(read_cells) < 10


@pytest.fixture
def ordinary_csv_limit():
    """The longest field that Python's csv reads; a library that other tests import lifts it for the process."""
    before = csv.field_size_limit(131_072)
    yield
    csv.field_size_limit(before)


def test_what_stands_in_a_hand_over_and_is_no_text_or_no_name_is_told_or_not_heard(tmp_path, ordinary_csv_limit):
    """A feed in another encoding; an annex whose names belong to a sheet that it does not have."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "indicator_1-1-1.csv").write_bytes(b"Year,Value\n2019,1\xff\n")
    (tmp_path / "data" / "indicator_1-2-1.csv").write_text('Year,Value\n2019,"' + "1" * 200_000, encoding="utf-8")
    told = [str(problem) for problem in check_open_sdg(tmp_path)]
    assert "data/indicator_1-1-1.csv, row 2: found the byte 0xff" in told[0] and "no table" in told[1]
    made = Workbook()
    made.active.title = "Figures"
    made.active.append(["Area"])
    made.active.auto_filter.ref = "A1:A1"
    made.save(tmp_path / "annex.xlsx")
    parts = parts_of((tmp_path / "annex.xlsx").read_bytes())
    names = re.sub(rb'localSheetId="0"', b'localSheetId="7"', parts["xl/workbook.xml"])
    assert names != parts["xl/workbook.xml"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_sheet(packed({**parts, "xl/workbook.xml": names}), 0) == [["Area"]]


def test_our_own_feed_with_a_row_too_long_is_refused(tmp_path):
    target = fuzz_targets.TARGETS["sdmx-csv"]
    own = target.seeds()[-1]
    lines = own.content.split(b"\n")
    longer = [line + b",x" if line else line for line in lines[1:]]
    for damaged in (b"\n".join([*lines[:3], lines[3] + b",x", *lines[4:]]), b"\n".join([lines[0], *longer])):
        assert fuzz.attempt(target, own, damaged, tmp_path.resolve())[0] == "refused"


def test_the_committed_campaign_broke_no_rule():
    """A row for each door that the campaign has come to: each input ended as a table or as a refusal, within limits."""
    rows = fuzz.read_rows(fuzz.RESULT)
    assert rows and set(rows) <= set(fuzz_targets.TARGETS)
    for row in rows.values():
        assert row.inputs == row.tables + row.refused and not row.violations, row
        assert row.slowest.startswith("under") and row.largest.startswith("under") and row.tables > row.inputs / 100, (
            row
        )
