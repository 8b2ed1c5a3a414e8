"""Faults of the machine during a run: what is whole is delivered, what failed is named, nothing is ever half there."""

import json
import multiprocessing
import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from vlr_analysis.review import staged
from vlr_analysis.review.session import Wanted, review

ROOT = Path(__file__).resolve().parents[1]
CITIES = ("alpha", "beta", "gamma")
# Small notebooks that a fault can be planted in: a file of the city's name in faults/ is run.
BODY = """\
import pathlib
print(pathlib.Path("params", f"{city}.yaml").read_text(encoding="utf-8"))
fault = pathlib.Path("faults", f"{city}-NOTEBOOK")
exec(fault.read_text(encoding="utf-8") if fault.exists() else "")
"""


def write_city(root, city, release="one"):
    rows = [f"{city},8.5.2,Unemployment,%,{year},,{year - 2010},,,value,made" for year in range(2011, 2021)]
    head = "area,indicator,series,unit,period,breakdown,value,low,high,status,source"
    (root / "data" / f"{city}.csv").write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    (root / "params" / f"{city}.yaml").write_text(
        f"city:\n  id: {city}\n  name: {city.title()} release-{release}\n  country: PRT\n  made_up: true\n",
        encoding="utf-8",
    )


@pytest.fixture
def small(tmp_path):
    """A project of three cities and two small notebooks."""
    root = tmp_path / "small é"
    for name in ("params", "data", "notebooks", "faults", "docs/methods"):
        (root / name).mkdir(parents=True)
    for city in CITIES:
        write_city(root, city)
    columns = "source,publisher,title,source_class,file,sheet,cells,retrieved,licence,url,sha256,note"
    (root / "data" / "sources.csv").write_text(f"{columns}\nmade,Nobody,Made,official,,,,,CC0,,,\n", encoding="utf-8")
    (root / "docs" / "methods" / "README.md").write_text("# Methods\n", encoding="utf-8")
    for number, name in enumerate(("first", "second"), 1):
        cells = [
            new_markdown_cell(f"# {name.title()}"),
            new_code_cell('city = "alpha"\ninternal = False', metadata={"tags": ["parameters"]}),
            new_code_cell(BODY.replace("NOTEBOOK", name)),
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(
            new_notebook(cells=cells, metadata={"kernelspec": kernel}), root / "notebooks" / f"0{number}_{name}.ipynb"
        )
    return root


def start(root, *arguments, **options):
    command = [sys.executable, "-m", "vlr_analysis.cli", "run", *map(str, arguments)]
    return subprocess.Popen(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8", **options
    )


def vlr(root, *arguments, **options):
    process = start(root, *arguments, **options)
    out, err = process.communicate()
    return process.returncode, out, err


def plant(root, name, code):
    (root / "faults" / name).write_text(code, encoding="utf-8")


def releases(folder):
    """Every release that the pages and notebooks of a report tell of."""
    found = set()
    for path in folder.rglob("*"):
        if path.suffix in (".html", ".ipynb", ".json"):
            found |= set(re.findall(r"release-(\w+)", path.read_text(encoding="utf-8")))
    return found


def wait_until(true, seconds=120):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came to that"
        time.sleep(0.05)


def nothing_temporary(root):
    return [path.name for path in root.iterdir() if path.name.startswith(".reports-")] == []


# --- one notebook fails -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "arguments", "cause"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", [], "the kernel died: signal 9 killed it"),
        ("import os; os._exit(7)", [], "the kernel died"),
        ("raise ValueError('the third figure')", [], "ValueError: the third figure"),
        ("while True: pass", ["--limit", 4], "the notebook did not end within 4 seconds"),
        ("import time; time.sleep(1e6)", ["--limit", 4], "the notebook did not end within 4 seconds"),
    ],
    ids=["killed", "exit", "raises", "loops", "sleeps"],
)
def test_the_failed_notebook_is_named_with_cell_and_cause_and_the_others_delivered(small, code, arguments, cause):
    plant(small, "beta-second", code)
    status, _, told = vlr(small, *arguments)
    assert status == 3, told
    assert f"Failed: Beta release-one · 02_second, code cell 3\n  {cause}" in told
    assert told.count("Failed:") == 1
    assert not re.search("Traceback|Task was destroyed|[Ee]xception", told)
    for city in ("alpha", "gamma"):
        assert releases(small / "reports" / city) == {"one"}
    assert "stopped before its end" in (small / "reports" / "beta" / "02_second.html").read_text(encoding="utf-8")
    assert nothing_temporary(small)
    # The next run takes up where this one stopped.
    (small / "faults" / "beta-second").unlink()
    status, _, told = vlr(small)
    assert status == 0, told
    assert "Alpha release-one: unchanged" in told
    assert "Beta release-one · 01_first: kept" in told
    assert "Beta release-one · 02_second: done" in told
    assert "stopped before" not in (small / "reports" / "beta" / "02_second.html").read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_fault_of_the_machine_leaves_the_good_report_of_the_last_run(small):
    assert vlr(small)[0] == 0
    write_city(small, "beta", "two")
    plant(small, "beta-second", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    status, _, told = vlr(small)
    assert status == 3
    assert "the report of the last run stays" in told
    assert releases(small / "reports" / "beta") == {"one"}
    # A notebook that raises has a page that shows where.
    plant(small, "beta-second", "1 / 0")
    assert vlr(small)[0] == 3
    assert releases(small / "reports" / "beta") == {"two"}


# --- the disk ------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="limits of file size are set with setrlimit")
def test_a_disk_without_room_costs_only_the_reports_that_need_it(small):
    assert vlr(small)[0] == 0
    for city in CITIES:
        write_city(small, city, "two")
    plant(small, "beta-first", "print('x' * 3_000_000)")

    def little_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))

    status, _, told = vlr(small, preexec_fn=little_room)
    assert status == 3, told
    assert "Failed: Beta" in told
    assert "the limit of the disk" in told
    assert "Traceback" not in told
    assert [releases(small / "reports" / city) for city in CITIES] == [{"two"}, {"one"}, {"two"}]
    assert nothing_temporary(small)
    assert vlr(small)[0] == 0
    assert releases(small / "reports" / "beta") == {"two"}


# --- interrupts and rivals ------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are sent")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_is_delivered_and_the_next_run_goes_on(small, number):
    assert vlr(small)[0] == 0
    for city in CITIES:
        write_city(small, city, "two")
    mark = small / "begun"
    code = f"import os, pathlib, time\npathlib.Path({str(mark)!r}).write_text(str(os.getpid()))\ntime.sleep(1e6)"
    plant(small, "gamma-second", code)
    # Whoever starts the tests in the background has them ignore SIGINT, and the run would as well.
    process = start(small, "--jobs", 2, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_until(lambda: mark.exists() and mark.read_text() and releases(small / "reports" / "beta") == {"two"})
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "Stopped. As before the run: Gamma release-two" in told
    assert "Traceback" not in told
    assert [releases(small / "reports" / city) for city in CITIES] == [{"two"}, {"two"}, {"one"}]
    assert nothing_temporary(small)
    wait_until(lambda: not alive(int(mark.read_text())))
    (small / "faults" / "gamma-second").unlink()
    status, _, told = vlr(small)
    assert status == 0
    assert "Alpha release-two: unchanged" in told
    assert releases(small / "reports" / "gamma") == {"two"}


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_a_second_run_into_the_same_folder_is_refused_and_the_first_goes_on(small):
    mark, go = small / "begun", small / "go"
    plant(
        small, "alpha-first",
        f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(.05)",
    )  # fmt: skip
    first = start(small)
    wait_until(mark.exists)
    status, _, told = vlr(small)
    assert status == 1
    assert "another run that writes there" in told
    assert "Fix: wait until it has ended" in told
    go.touch()
    assert first.communicate() and first.returncode == 0
    assert releases(small / "reports" / "alpha") == {"one"}


# --- killed at any moment ---------------------------------------------------------------------------------


class Silent:
    """Tells nobody."""

    def begins(self, cities, notebooks):
        pass

    def notebook(self, task, state, why=""):
        pass

    def report(self, name, state, notebooks=0):
        pass


def whole_run(root):
    os.chdir(root)
    ended = review(root, Wanted([], [], root / "reports", jobs=3), Silent())
    os._exit(0 if ended.whole else 3)


def test_notebooks_side_by_side_never_change_the_folder_of_the_process(small, monkeypatch):
    visited, change = set(), os.chdir
    monkeypatch.setattr(os, "chdir", lambda folder: visited.add(str(Path(folder).resolve())) or change(folder))
    before = Path.cwd()
    assert review(small, Wanted([], [], small / "reports", jobs=3), Silent()).whole
    assert visited <= {str(before.resolve())}
    assert Path.cwd() == before


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="processes are killed with SIGKILL")
def test_killed_at_fifty_moments_every_report_is_the_old_or_the_new_one(small):
    """The moments are drawn over the length of a run that was let go on, half of them in its second half."""
    draw = random.Random(2030)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["vlr_analysis.review.session"])

    def run(kill_after=None):
        process = context.Process(target=whole_run, args=(small,))
        began = time.monotonic()
        process.start()
        process.join(kill_after)
        process.kill()
        process.join()
        return process.exitcode, time.monotonic() - began

    assert run()[0] == 0
    for city in CITIES:
        write_city(small, city, "r0")
    status, length = run()
    assert status == 0
    seen = set()
    for number in range(1, 51):
        for city in CITIES:
            write_city(small, city, f"r{number}")
        run(draw.uniform(0.5 * (number % 2), 1.05) * length)
        for city in CITIES:
            found = releases(small / "reports" / city)
            assert len(found) == 1, (number, city, found)
            seen.add((number, found == {f"r{number}"}))
        summary = json.loads((small / "reports" / "alpha" / "review.json").read_text(encoding="utf-8"))
        assert {part["notebook"] for part in summary["chapters"]} == {"01_first", "02_second"}
    assert {new for _, new in seen} == {True, False}, "the moments fall on both sides"
    assert run()[0] == 0
    assert [releases(small / "reports" / city) for city in CITIES] == [{"r50"}] * 3
    assert nothing_temporary(small)


def test_where_folders_cannot_be_exchanged_a_killed_run_is_put_right_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr(staged, "_exchange", lambda one, other: False)
    out = tmp_path / "reports"
    (out / "alpha").mkdir(parents=True)
    (out / "alpha" / "page").write_text("old")
    with staged.staging(out) as folder:
        (folder / "alpha").mkdir()
        (folder / "alpha" / "page").write_text("new")
        staged.put(folder / "alpha", out / "alpha")
        assert (out / "alpha" / "page").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["reports"]
    # Killed between the two moves: the old report lies in the staging folder, and nothing in its place.
    left = tmp_path / ".reports-killed"
    left.mkdir()
    (out / "alpha").replace(left / f"{staged.OLD}alpha")
    with staged.alone(out):
        assert (out / "alpha" / "page").read_text() == "new"
    assert not left.exists()


def test_a_report_that_cannot_be_moved_stays_as_it_was(tmp_path, monkeypatch):
    out = tmp_path / "reports"
    (out / "alpha").mkdir(parents=True)
    (out / "alpha" / "page").write_text("old")
    monkeypatch.setattr(staged, "_exchange", lambda one, other: False)
    calls = []
    move = Path.replace

    def refuse_the_second(self, target):
        calls.append(self)
        if len(calls) == 2:
            raise PermissionError(13, "in use")
        return move(self, target)

    with staged.staging(out) as folder:
        (folder / "alpha").mkdir()
        monkeypatch.setattr(Path, "replace", refuse_the_second)
        with pytest.raises(PermissionError):
            staged.put(folder / "alpha", out / "alpha")
        monkeypatch.setattr(Path, "replace", move)
    assert (out / "alpha" / "page").read_text() == "old"
