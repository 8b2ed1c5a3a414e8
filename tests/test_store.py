"""sources/store.py: a large table becomes one checked file per area, whole or not at all, in little memory."""

import csv
import errno
import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import ROOT

from vlr_analysis.errors import InputError
from vlr_analysis.observations import check
from vlr_analysis.sources import kit, store, store_split

sys.path.insert(0, str(ROOT / "tools"))

import bench_store

AREAS = [f"town-{number:02d}" for number in range(12)]


@pytest.fixture
def table() -> pd.DataFrame:
    """Twelve areas with groups, intervals and missing figures, their rows in no order; texts that need quoting."""
    rng = np.random.default_rng(1)
    years = [bench_store.made(rng, AREAS, 18, year).to_pandas() for year in (2019, 2020, 2021)]
    rows = pd.concat(years).sample(frac=1, random_state=1).reset_index(drop=True)
    return rows.assign(series=rows["series"] + ', "all"\nof them')


@pytest.fixture
def small_pieces(monkeypatch):
    """Make every block, batch and bucket so small that a test's table takes many."""
    monkeypatch.setattr(store_split, "BLOCK", 4_000)
    monkeypatch.setattr(store_split, "ROWS", 50)
    monkeypatch.setattr(store_split, "CAREFUL_ROWS", 30)
    monkeypatch.setattr(store_split, "BUCKET", 10_000)


def write(table: pd.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False)
    return path


def stored(folder: Path) -> dict[str, pd.DataFrame]:
    return {path.stem: kit.read_table(path) for path in sorted(folder.glob("*.parquet"))}


def assert_holds(folder: Path, table: pd.DataFrame, areas: list[str]) -> None:
    """The store holds these areas, each as the table checked as a whole says, and nothing else."""
    found = stored(folder)
    assert list(found) == areas
    for area in areas:
        pd.testing.assert_frame_equal(found[area], check(table[table["area"] == area]))
    assert sorted(path.name for path in folder.iterdir()) == [f"{area}.parquet" for area in areas]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_every_area_is_what_the_whole_table_says(tmp_path, table, small_pieces, suffix):
    report = store.import_store(write(table, tmp_path / f"big{suffix}"), tmp_path / "data")
    assert report.whole
    assert {(area.area, area.rows, area.outcome) for area in report.areas} == {(a, 54, "written") for a in AREAS}
    assert list(report.lines())[-1].startswith(f"big{suffix}: 648 rows, 12 areas: 12 written")
    assert_holds(tmp_path / "data", table, AREAS)


def test_nulls_in_texts_are_empty(tmp_path, table, small_pieces):
    rows = table.assign(breakdown=table["breakdown"].replace("", None), status=table["status"].replace("value", None))
    assert store.import_store(write(rows, tmp_path / "big.parquet"), tmp_path / "data").whole
    assert_holds(tmp_path / "data", table, AREAS)


def test_a_folder_of_files_is_one_table(tmp_path, table, small_pieces):
    (tmp_path / "parts").mkdir()
    write(table[:300], tmp_path / "parts" / "a.csv")
    write(table[300:], tmp_path / "parts" / "b.parquet")
    (tmp_path / "parts" / "_SUCCESS").write_text("")
    assert store.import_store(tmp_path / "parts", tmp_path / "data").whole
    assert_holds(tmp_path / "data", table, AREAS)


def test_rows_are_named_with_their_file_where_there_are_several(tmp_path, table):
    (tmp_path / "parts").mkdir()
    write(table, tmp_path / "parts" / "a.csv")
    write(table[10:11], tmp_path / "parts" / "b.csv")
    report = store.import_store(tmp_path / "parts", tmp_path / "data")
    text = "\n".join(map(str, report.problems))
    assert "parts, rows 12 of a.csv, 2 of b.csv: found the same key 2 times" in text


def test_the_order_of_the_source_changes_no_byte(tmp_path, table):
    for number, rows in enumerate((table, table[::-1])):
        store.import_store(write(rows, tmp_path / "big.csv"), tmp_path / str(number))
    for path in (tmp_path / "0").iterdir():
        assert path.read_bytes() == (tmp_path / "1" / path.name).read_bytes()


# --- what is wrong ------------------------------------------------------------------------------------


def spoiled(table: pd.DataFrame) -> pd.DataFrame:
    """Break one rule in each of four areas; the other eight stay good."""
    rows = table.astype({"value": object})
    firsts = {area: rows.index[rows["area"] == area] for area in AREAS[:4]}
    rows.loc[firsts[AREAS[0]][0], "value"] = "n/a"
    rows.loc[firsts[AREAS[1]], "period"] = "19"
    rows.loc[firsts[AREAS[2]][0], "source"] = ""
    return pd.concat([rows, rows.loc[firsts[AREAS[3]][:1]]], ignore_index=True)


@pytest.mark.parametrize("careful", [False, True])
def test_areas_with_problems_are_held_back_and_the_others_delivered(tmp_path, table, small_pieces, careful):
    path = write(spoiled(table), tmp_path / "big.csv")
    if careful:  # a stray quotation mark in the unit of the last row
        text = path.read_text(encoding="utf-8")
        place = text.rindex(",register")
        path.write_text(text[:place] + ',5" tube\n', encoding="utf-8")
    report = store.import_store(path, tmp_path / "data")
    assert not report.whole
    assert [area.area for area in report.areas if area.outcome == "held back"] == AREAS[:4]
    assert_holds(tmp_path / "data", table, AREAS[4:])
    text = "\n".join(report.lines())
    assert f"{AREAS[1]}: held back, " in text
    # The message is that of the reader of whole files, which stops at numbers that are none.
    with pytest.raises(InputError) as caught:
        kit.read_table(path)
    assert [problem for problem in report.problems if problem.found == "'n/a'"] == list(caught.value.problems)


def test_problems_are_those_of_the_reader_of_whole_files(tmp_path, table, small_pieces):
    rows = spoiled(table)
    rows["value"] = rows["value"].replace("n/a", 1.0)
    path = write(rows, tmp_path / "big.csv")
    report = store.import_store(path, tmp_path / "data", most=1000)
    with pytest.raises(InputError) as caught:
        kit.read_table(path)
    assert sorted(map(str, report.problems)) == sorted(map(str, caught.value.problems))
    assert report.untold == ()


def test_of_each_kind_the_first_are_told_and_the_rest_counted(tmp_path, table):
    path = write(table.assign(period="19", source=""), tmp_path / "big.csv")
    report = store.import_store(path, tmp_path / "data", most=3)
    of_periods = [problem for problem in report.problems if "column period" in problem.where]
    assert len(of_periods) == 3
    assert ("column period", "an ISO 8601 period", 648 - 3) in report.untold
    assert "645 more" in "\n".join(report.lines())
    assert stored(tmp_path / "data") == {}


def test_numbers_as_text_in_parquet_are_read_or_named(tmp_path, table, small_pieces):
    rows = table.assign(value=table["value"].map(lambda value: "" if pd.isna(value) else repr(value)))
    assert store.import_store(write(rows, tmp_path / "big.parquet"), tmp_path / "one").whole
    assert_holds(tmp_path / "one", table, AREAS)
    rows.loc[7, "value"] = "n/a"
    report = store.import_store(write(rows, tmp_path / "big.parquet"), tmp_path / "two")
    assert [problem.where for problem in report.problems] == ["big.parquet, row 9, column value"]
    assert_holds(tmp_path / "two", table, [area for area in AREAS if area != rows.loc[7, "area"]])


def test_rows_of_the_wrong_length_hold_their_area_back(tmp_path, table, small_pieces):
    path = write(table, tmp_path / "big.csv")
    with path.open("a", encoding="utf-8") as file:
        file.write("town-00,1.1,m\n\n,,,,,,,,,,\n")
    report = store.import_store(path, tmp_path / "data")
    lines = len(rows_of(path)) - 2
    assert [str(problem) for problem in report.problems] == [
        f"big.csv, row {lines}: found 3 cells; expected 11 cells, as in the header. "
        "Fix: put text that holds a comma in quotation marks, or add the missing cells"
    ]
    assert_holds(tmp_path / "data", table, AREAS[1:])


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("area", ["../x", "CON", "con", "com1", "a b", "", "areas", "a" * 101, "/etc/x", "é", "a.b"])
def test_ids_that_no_file_can_have_are_refused(tmp_path, table, area):
    rows = table.assign(area=table["area"].replace(AREAS[0], area))
    report = store.import_store(write(rows, tmp_path / "big.csv"), tmp_path / "in" / "data")
    (problem,) = report.problems
    assert problem.where == f"big.csv, row {rows.index[rows['area'] == area][0] + 2}, column area"
    assert "54 rows" in problem.found
    assert_holds(tmp_path / "in" / "data", table, AREAS[1:])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["big.csv", "in"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("big.csv", b"area,indicator\n", "column 'series'"),
        ("big.csv", b"", "no header"),
        ("big.csv", b"area,indicator,series,unit,period,value,source\n", "no row below the header"),
        (
            "big.csv",
            b"area,indicator,series,unit,period,value,source\nx,1,\xff,%,2019,1,s\n",
            "row 2: found the byte 0xff",
        ),
        ("big.csv", "area,indicator,series,unit,period,value,source\n".encode("utf-16"), "UTF-16"),
        ("big.csv", b'area,indicator,series,unit,period,value,source\nx,1,"m', "closed quotation marks"),
        ("big.csv", b'area,indicator,series,unit,period,value,source\nx,1,"m"m,%,2019,1,s\n', "closed quotation marks"),
        ("big.parquet", b"PAR1", "a Parquet file"),
        ("big.xlsx", b"x", ".xlsx"),
        ("folder", None, "a folder of them"),
        ("none.csv", None, "no such file"),
    ],
)
def test_a_source_that_cannot_be_read_is_refused_as_a_whole(tmp_path, name, content, told):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    elif name == "folder":
        (tmp_path / name).mkdir()
    with pytest.raises(InputError) as caught:
        store.import_store(tmp_path / name, tmp_path / "data")
    assert told in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert not list((tmp_path / "data").iterdir())


# --- what is there already ------------------------------------------------------------------------------


def test_figures_that_are_there_are_replaced_only_on_demand(tmp_path, table):
    folder = tmp_path / "data"
    path = write(table, tmp_path / "big.csv")
    store.import_store(path, folder)
    assert {area.outcome for area in store.import_store(path, folder).areas} == {"unchanged"}
    changed = table.assign(status=table["status"].where(table["area"] != AREAS[0], "break"))
    changed["value"] = changed["value"].fillna(1.0).where(changed["status"] != "missing")
    write(changed, path)
    report = store.import_store(path, folder)
    assert [area.area for area in report.areas if area.outcome == "held back"] == AREAS[:1]
    assert report.problems[0].where == f"data/{AREAS[0]}.parquet"
    assert_holds(folder, table, AREAS)
    assert store.import_store(path, folder, replace=True).whole
    assert_holds(folder, changed, AREAS)


def test_a_csv_that_would_be_read_instead_is_never_passed_over(tmp_path, table):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / f"{AREAS[3]}.csv").write_text("mine")
    report = store.import_store(write(table, tmp_path / "big.csv"), tmp_path / "data", replace=True)
    assert [problem.where for problem in report.problems] == [f"data/{AREAS[3]}.csv"]
    assert list(stored(tmp_path / "data")) == [area for area in AREAS if area != AREAS[3]]
    assert (tmp_path / "data" / f"{AREAS[3]}.csv").read_text() == "mine"


def test_one_import_at_a_time(tmp_path, table):
    with store._working_folder(tmp_path / "data"), pytest.raises(InputError, match="one import at a time"):
        store.import_store(write(table, tmp_path / "big.csv"), tmp_path / "data")
    assert store.import_store(tmp_path / "big.csv", tmp_path / "data").whole


# --- faults -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("when", ["dealing out", "writing"])
def test_a_full_disk_leaves_nothing_half_written(tmp_path, table, monkeypatch, when):
    path, real = write(table, tmp_path / "big.csv"), pq.write_table
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(tmp_path / "x"))

    def write_some(figures, part):
        if figures["area"][0].as_py() == AREAS[5]:
            Path(part).write_bytes(b"half")
            raise full
        real(figures, part)

    def fail(*_):
        raise full

    if when == "writing":
        monkeypatch.setattr(pq, "write_table", write_some)
    else:
        monkeypatch.setattr(store_split, "_deal", fail)
    with pytest.raises(InputError) as caught:
        store.import_store(path, tmp_path / "data")
    assert "no space left" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)
    assert_holds(tmp_path / "data", table, AREAS[:5] if when == "writing" else [])
    monkeypatch.undo()
    assert store.import_store(path, tmp_path / "data").whole
    assert_holds(tmp_path / "data", table, AREAS)


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX systems")
@pytest.mark.parametrize("after", [1, 4, 9])
def test_a_killed_import_leaves_whole_files_and_the_next_takes_up(tmp_path, table, after):
    path, folder = write(table, tmp_path / "big.csv"), tmp_path / "data"
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from vlr_analysis.sources import store\n"
        "def progress(stage, done, of):\n"
        f"    if stage == 'check' and done == {after}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.import_store(Path(sys.argv[1]), Path(sys.argv[2]), progress=progress)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, str(path), str(folder)], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(stored(folder)) == after
    assert store.import_store(path, folder).whole
    assert_holds(folder, table, AREAS)


def test_an_interrupt_leaves_no_working_files(tmp_path, table):
    def stop(stage, done, of):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.import_store(write(table, tmp_path / "big.csv"), tmp_path / "data", progress=stop)
    assert not list((tmp_path / "data").iterdir())


def test_progress_only_rises_and_ends_at_the_end(tmp_path, table, small_pieces):
    told = []
    store.import_store(
        write(spoiled(table), tmp_path / "big.csv"), tmp_path / "data", progress=lambda *x: told.append(x)
    )
    for stage in ("read", "check"):
        steps = [(done, of) for name, done, of in told if name == stage]
        assert len(steps) > 2
        assert all(one[0] <= other[0] for one, other in pairwise(steps))
        assert steps[-1][0] == steps[-1][1]


# --- scale --------------------------------------------------------------------------------------------


def in_a_process(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout


@pytest.mark.slow
def test_areas_outnumber_the_files_that_a_process_may_open(tmp_path):
    resource = pytest.importorskip("resource", reason="no limits of this kind on Windows")
    assert resource.RLIMIT_NOFILE
    rows = bench_store.made(np.random.default_rng(1), [f"a-{i}" for i in range(1000)], 10, 2019).to_pandas()
    write(rows, tmp_path / "big.csv")
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom vlr_analysis.sources import store, store_split\n"
        "store_split.BUCKET = 1000\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (160, 160))\n"
        "print(len(store.import_store(Path(sys.argv[1]), Path(sys.argv[2])).areas))\n"
    )
    assert in_a_process(code, tmp_path / "big.csv", tmp_path / "data").split() == ["1000"]
    assert len(list((tmp_path / "data").glob("*.parquet"))) == 1000


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_memory_is_not_that_of_the_whole_table(tmp_path, suffix):
    pytest.importorskip("resource", reason="memory of a process is read from POSIX systems")
    path = tmp_path / f"big{suffix}"
    bench_store.write_large(path, 3_000_000)
    ours, whole = bench_store.apart("ours", path), bench_store.apart("plain", path)
    assert ours["done"] == whole["done"] == 3_000_000
    # Beside the whole table in memory: half a table would not pass, whatever the allocator keeps.
    assert ours["peak"] < 0.6 * whole["peak"]


_opened: list[str] | None = None


def _listen(event: str, arguments: tuple) -> None:
    if event == "open" and _opened is not None:
        _opened.append(str(arguments[0]))


def test_a_run_of_one_city_opens_only_its_own_figures_its_nations_and_its_peers(tmp_path):
    global _opened
    bench_store.write_store(tmp_path, 200)
    sys.addaudithook(_listen)
    _opened = []
    try:
        bench_store.one_city(tmp_path)
        below = {Path(name).relative_to(tmp_path).as_posix() for name in _opened if name.startswith(str(tmp_path))}
    finally:
        _opened = None
    beside = [f"town-{number:04d}" for number in range(3, 3 + bench_store.PEERS + 1)]
    registers = {f"data/{name}.csv" for name in ("areas", "indicators", "sources")}
    wanted = {f"data/{area}.parquet" for area in [*beside, "nation"]} | {f"params/{area}.yaml" for area in beside}
    assert below == wanted | registers


def test_the_committed_benchmark_keeps_its_bars():
    told = pd.read_csv(bench_store.OUT)
    assert told["kept"].all()
    memory = told[told["quantity"] == "peak of memory, GiB"]
    assert list(memory["what"]) == ["import of 10000000 rows of csv", "import of 10000000 rows of parquet"]
    assert (memory["value"] < 4).all()
    cities = told[told["what"].str.startswith("one city of ")].set_index("what")["value"]
    assert list(cities.index) == ["one city of 10", "one city of 100", "one city of 1000"]
    assert cities["one city of 1000"] <= 1.2
