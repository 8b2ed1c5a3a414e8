"""The benchmark of runs runs, does the same work on all sides, and notices where it does not; nothing here is timed."""

import os
import shutil
import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "tools"))

import bench_runs
import shares

from vlr_analysis.exhibits import MIME

LINUX = sys.platform.startswith("linux") and all(map(shutil.which, ("bash", "xargs")))
needs_linux = pytest.mark.skipif(not LINUX, reason="needs Linux with bash and xargs")
QUICK = "import sys, pathlib, bench_runs; print(bench_runs.measure(pathlib.Path(sys.argv[1]), quick=True).to_csv())"
CHAPTERS = ("04_disparities", "06_city_benchmark", "07_voices")


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """Measure one city and three notebooks, in a process of its own; return the table and the folder."""
    folder = tmp_path_factory.mktemp("bench")
    command = [sys.executable, "-c", QUICK, str(folder)]
    done = subprocess.run(command, cwd=ROOT / "tools", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (folder / "told.csv").write_text(done.stdout)
    return pd.read_csv(folder / "told.csv", index_col=0), folder


@pytest.mark.slow
@needs_linux
def test_the_rows_of_the_benchmark_are_well_formed(quick):
    told, _ = quick
    assert list(told.columns) == bench_runs.COLUMNS
    assert told["kept"].all() and told["bar"].isna().all(), "a quick run has no bars"
    numbers = told.set_index("quantity")["value"]
    assert (numbers[[bench_runs.LOOP, bench_runs.SIDE_BY_SIDE, bench_runs.AGAIN]] > 0).all()
    assert 1 < numbers[bench_runs.MEMORY] < 2000
    parts = told[told["quantity"].str.startswith("share of the time")]
    assert len(parts) == 9
    assert parts["value"].sum() == pytest.approx(1, abs=1e-9)
    assert (parts["value"].iloc[:-1] > 0).all()


@pytest.mark.slow
@needs_linux
def test_every_side_has_made_every_page(quick):
    _, folder = quick
    for side in ("loop", "xargs", "ours", "parts"):
        for chapter in CHAPTERS:
            for ending in ("ipynb", "html"):
                assert (folder / side / "bristol" / f"{chapter}.{ending}").stat().st_size > 1000, (side, chapter)
    assert (folder / "ours" / "index.html").is_file()


@pytest.fixture
def sides(tmp_path):
    """Make two reports of one chapter that agree."""
    carried = {"data": {MIME: {"name": "table", "csv": "a\n1\n"}}, "output_type": "display_data", "metadata": {}}
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.from_dict(carried)])
    notebook = nbformat.v4.new_notebook(cells=[cell])
    for side in ("theirs", "own"):
        (tmp_path / side / "x" / "tables").mkdir(parents=True)
        nbformat.write(notebook, tmp_path / side / "x" / "02.ipynb")
        for name in ("02.html", "index.html", "evidence.html", "findings.jsonl"):
            (tmp_path / side / "x" / name).write_text("", encoding="utf-8")
        (tmp_path / side / "x" / "review.json").write_text('{"handover": false}', encoding="utf-8")
    return tmp_path / "theirs", tmp_path / "own"


def test_sides_that_made_the_same_are_compared(sides):
    assert bench_runs.require(*sides, ["x"], ["02"]) == 1


@pytest.mark.parametrize(("side", "name"), [(0, "02.html"), (1, "02.html"), (1, "index.html"), (1, "findings.jsonl")])
def test_a_page_that_was_not_made_stops_the_benchmark(sides, side, name):
    (sides[side] / "x" / name).unlink()
    with pytest.raises(SystemExit, match=name):
        bench_runs.require(*sides, ["x"], ["02"])


@pytest.mark.parametrize(
    ("output", "told"),
    [({"data": {MIME: {"name": "table", "csv": "a\n2\n"}}, "output_type": "display_data", "metadata": {}}, "different"),
     ({"output_type": "error", "ename": "E", "evalue": "", "traceback": []}, "failed")],
)  # fmt: skip
def test_a_notebook_that_failed_or_says_something_else_stops_the_benchmark(sides, output, told):
    path = sides[0] / "x" / "02.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].outputs = [nbformat.from_dict(output)]
    nbformat.write(notebook, path)
    with pytest.raises(SystemExit, match=told):
        bench_runs.require(*sides, ["x"], ["02"])


@needs_linux
def test_a_command_that_fails_stops_the_benchmark(tmp_path):
    with pytest.raises(SystemExit, match="bash ended with 7:\nhelp"):
        bench_runs.timed(["bash", "-c", "echo help; exit 7"], tmp_path)


@pytest.mark.parametrize(
    ("value", "bar", "at_most", "kept"),
    [
        (8.0, 8, False, True),
        (7.9, 8, False, False),
        (79, 80, True, True),
        (81, 80, True, False),
        (1, None, False, True),
    ],
)
def test_a_bar_is_kept_or_missed(value, bar, at_most, kept):
    assert bench_runs.row("w", "q", value, bar, at_most=at_most)[-1] is kept


@needs_linux
def test_memory_is_what_a_process_shares_with_nobody():
    held = "import sys; x = bytearray(int(sys.argv[1]) << 20); print(flush=True); sys.stdin.read()"
    seen = []
    for size in ("0", "50"):
        command = [sys.executable, "-c", held, size]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            seen.append(bench_runs.private_mb(process.pid))
            process.stdin.close()
    assert seen[1] - seen[0] == pytest.approx(50, abs=3)


@needs_linux
def test_kernels_are_found_below_the_run_and_nothing_else():
    """A process that looks like a kernel by its command line, one that doesn't, and a template without a fork."""
    sleep = "import sys; sys.stdin.read()"
    names = ("x -m ipykernel_launcher", "something", bench_runs.FORKED)
    made = [subprocess.Popen([sys.executable, "-c", sleep, name], stdin=subprocess.PIPE) for name in names]
    try:
        found = bench_runs.kernels_below(os.getpid())
        assert made[0].pid in found
        assert not {made[1].pid, made[2].pid} & set(found)
    finally:
        for process in made:
            process.stdin.close()
            process.wait()


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("0*.ipynb")), ids=lambda path: path.stem)
def test_timing_apart_leaves_the_code_of_a_notebook_as_it_is(path, tmp_path):
    before = nbformat.read(path, as_version=4)
    shutil.copy(path, tmp_path)
    shares.split(tmp_path / path.name)
    after = nbformat.read(tmp_path / path.name, as_version=4)
    nbformat.validate(after)
    head, timing, *rest, tell = after.cells
    assert (timing.source, tell.source) == (shares.TIMED, shares.TELL)
    lines = [[line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines() if line.strip()]
             for cells in (before.cells, [head, *rest])]  # fmt: skip
    assert sorted(lines[0]) == sorted(lines[1])
    code = "\n".join(cell.source for cell in rest if cell.cell_type == "code")
    assert "import " not in code
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in rest) == 1


def test_every_city_of_the_benchmark_has_parameters_that_the_kit_takes(tmp_path):
    from vlr_analysis.params import read_parameters

    bench_runs.project(tmp_path)
    assert len(set(bench_runs.CITIES)) == 12
    for city in bench_runs.CITIES:
        chosen = read_parameters(city, tmp_path)
        assert len(chosen.peers) == 12 and city not in chosen.peers
        assert len(chosen.nation) == 2
