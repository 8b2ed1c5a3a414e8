"""What a notebook depends on, and the cache that rests on it: nothing stale, nothing run twice, the change named."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from vlr_analysis.params import city_ids
from vlr_analysis.review import cache, inputs, plan, session
from vlr_analysis.sources import kit

ROOT = Path(__file__).resolve().parents[1]
VLR = [sys.executable, "-m", "vlr_analysis.cli"]


def tasks_of(root, cities=None, notebooks=(), internal=False):
    chosen = [inputs.Hashes(root).parameters(city) for city in cities or city_ids(root)]
    return plan.plan(chosen, plan.chosen_notebooks(root, notebooks), root, internal=internal)


@pytest.fixture
def task(project):
    return tasks_of(project, notebooks=["02"])[0]


# --- what a notebook depends on -------------------------------------------------------------------------

WATCH = """
import json, os, sys
from pathlib import Path
root, opened = Path(sys.argv[1]), set()
def see(event, arguments):
    if event == "open" and isinstance(arguments[0], (str, bytes, os.PathLike)):
        path = Path(os.path.abspath(os.fsdecode(arguments[0])))
        if path.is_file() and path.is_relative_to(root):
            opened.add(path.relative_to(root).as_posix())
sys.addaudithook(see)
import matplotlib
matplotlib.use("agg")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
os.chdir(root)
given = "\\n".join(f"{name} = {value!r}" for name, value in json.loads(sys.argv[3]).items())
for cell in json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))["cells"]:
    source = "".join(cell["source"])
    if cell["cell_type"] == "code":
        extra = "\\n" + given if "parameters" in cell["metadata"].get("tags", []) else ""
        shell.run_cell(source + extra, silent=True).raise_error()
print("OPENED " + json.dumps(sorted(opened)))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("notebook", "parameters", "cities"),
    [
        ("08_findings", {"city": "bristol"}, ["bristol"]),
        ("07_voices", {"city": "porto-exemplo"}, ["porto-exemplo"]),
        ("cities_overview", {"cities": ["bristol", "pittsburgh"]}, ["bristol", "pittsburgh"]),
    ],
)
def test_a_notebook_opens_no_file_that_its_inputs_do_not_name(notebook, parameters, cities):
    """Whatever a notebook reads of the project must be in its key, else a change of it would go unseen."""
    path = ROOT / "notebooks" / f"{notebook}.ipynb"
    code = [sys.executable, "-c", WATCH, str(ROOT), str(path), json.dumps({**parameters})]
    done = subprocess.run(code, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    opened = set(json.loads(done.stdout.rsplit("OPENED ", 1)[1]))
    opened = {name for name in opened if not name.startswith((".venv/", "."))}
    known = next(task for task in tasks_of(ROOT, cities, [notebook]) if task.notebook == path)
    named = inputs.of_task(known, inputs.Hashes(ROOT))
    assert opened & set(named), "the test sees what is opened"
    assert f"data/{cities[0]}.csv" in opened
    assert {name for name in opened if name not in named and "__pycache__" not in name} == set()


def test_inputs_name_the_citys_own_files_its_neighbours_and_the_registers(project, task):
    named = inputs.of_task(task, inputs.Hashes(project))
    files = {name for name in named if not name.startswith(("vlr_analysis/", "environment/"))}
    assert files == {
        "notebooks/02_trends.ipynb", "params/porto-exemplo.yaml", "data/porto-exemplo.csv",
        "data/republica-exemplo.csv", "data/areas.csv", "data/indicators.csv", "data/sources.csv",
        "data/vlr_counts.csv", "data/voices/porto-exemplo.csv",
    }  # fmt: skip
    assert "vlr_analysis/covid.py" in named
    assert "vlr_analysis/catalogue/README.md" in named
    assert "environment/pandas" in named
    assert "environment/distributed" not in named, "extras are no part of it"
    assert list(named) == sorted(named)


def test_a_source_that_only_others_name_runs_no_notebook_again(project, task):
    """A new row counts where a table of the city names it; the certificate hashes the whole table all the same."""

    def kept() -> tuple[str, str]:
        hashes = inputs.Hashes(project)
        whole = inputs.of_task(task, hashes)
        reduced = inputs.of_notebook(task, whole, hashes)
        assert {name for name in whole if whole[name] != reduced[name]} <= {inputs.SOURCES}
        return whole[inputs.SOURCES], reduced[inputs.SOURCES]

    path = project / inputs.SOURCES
    columns = path.read_text(encoding="utf-8").split("\n")[0].split(",")
    before = kept()
    for source in ("another-city-office", "new-office"):
        filled = {"source": source, "publisher": "Office", "title": "Yearbook", "licence": "CC0"}
        with path.open("a", encoding="utf-8") as file:
            file.write(",".join(filled.get(name, "") for name in columns) + "\n")
    unnamed = kept()
    assert unnamed[0] != before[0] and unnamed[1] == before[1]
    figures = project / "data" / "porto-exemplo.csv"
    text = figures.read_text(encoding="utf-8")
    own = next(row["source"] for row in csv.DictReader(io.StringIO(text)))
    figures.write_text(text.replace(f",{own}\n", ",new-office\n", 1), encoding="utf-8")
    named = kept()
    assert named[0] == unnamed[0] and named[1] != unnamed[1]
    path.write_text(
        path.read_text(encoding="utf-8").replace("new-office,Office", "new-office,Bureau"), encoding="utf-8"
    )
    assert kept()[1] != named[1]
    kit.write_table(kit.read_table(figures), figures.with_suffix(".parquet"))
    figures.unlink()
    packed = kept()
    assert packed[0] != packed[1]
    path.write_text("source\n", encoding="utf-8")
    assert len(set(kept())) == 1, "a table that cannot be read counts whole"


def test_other_cities_are_no_part_of_it():
    bristol = next(task for task in tasks_of(ROOT, ["bristol"]) if task.folder == "bristol")
    named = inputs.of_task(bristol, inputs.Hashes(ROOT))
    assert "data/england.csv" in named
    assert "data/leeds.csv" in named
    assert not {"data/los-angeles.csv", "data/porto-exemplo.csv", "params/los-angeles.yaml"} & set(named)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("notebooks/02_trends.ipynb", "notebooks/02_trends.ipynb changed"),
        ("params/porto-exemplo.yaml", "params/porto-exemplo.yaml changed"),
        ("data/porto-exemplo.csv", "data/porto-exemplo.csv changed"),
        ("data/republica-exemplo.csv", "data/republica-exemplo.csv changed"),
        ("data/voices/porto-exemplo.csv", "data/voices/porto-exemplo.csv changed"),
        ("requirements.lock", "requirements.lock is new"),
        ("params/republica-exemplo.yaml", "params/republica-exemplo.yaml is new"),
    ],
)
def test_each_change_changes_the_key_and_is_named(project, task, name, told):
    if name == "params/republica-exemplo.yaml":
        text = "city:\n  id: republica-exemplo\n  name: R\n  country: PRT\n"
    else:
        text = "\n"
    before = inputs.of_task(task, inputs.Hashes(project))
    with (project / name).open("a", encoding="utf-8") as file:
        file.write(text)
    now = inputs.of_task(task, inputs.Hashes(project))
    assert inputs.key_of(before) != inputs.key_of(now)
    assert inputs.changes(before, now) == [told]


def test_a_change_of_package_or_environment_is_one_entry():
    before = {"vlr_analysis/a.py": "1", "environment/pandas": "2.2.0", "data/x.csv": "1"}
    now = {f"vlr_analysis/{name}.py": "2" for name in "abcde"} | {"environment/pandas": "2.3.1"}
    assert inputs.changes(before, now) == [
        "data/x.csv is gone",
        "the package changed (a.py, b.py, c.py and 2 more)",
        "the environment changed (pandas 2.2.0 to 2.3.1)",
    ]


def test_keys_do_not_run_into_each_other():
    assert inputs.key_of({"a": "1"}, "b") != inputs.key_of({"a": "1", "b": ""})
    assert inputs.key_of({"a": "1"}) != inputs.key_of({"a": "1"}, "")
    assert inputs.key_of({"a": "1", "b": "2"}) == inputs.key_of({"b": "2", "a": "1"})


# --- the cache --------------------------------------------------------------------------------------------


def test_what_was_kept_is_found_for_the_same_inputs_only(tmp_path, project, task):
    kept, now = cache.Cache(tmp_path), {"data/x.csv": "1"}
    assert kept.look(task, now) == cache.Found()
    kept.keep(task, now, "executed é")
    assert kept.look(task, now).text == "executed é"
    missed = kept.look(task, {"data/x.csv": "2"})
    assert (missed.hit, missed.reason) == (False, "data/x.csv changed")
    internal = tasks_of(project, notebooks=["02"], internal=True)[0]
    assert kept.look(internal, now) == cache.Found(), "the internal build is another result"


@pytest.mark.parametrize("harm", ["cut", "flip", "empty", "swap", "list", "deep"])
def test_a_damaged_entry_is_noticed_and_never_used(tmp_path, task, harm):
    kept, now = cache.Cache(tmp_path), {"data/x.csv": "1"}
    kept.keep(task, now, "executed " * 50)
    entry = next(tmp_path.rglob("*.json"))
    text = entry.read_text(encoding="utf-8")
    harmed = {
        "cut": text[: len(text) // 2], "flip": text.replace("executed", "exacuted", 1), "empty": "",
        "swap": text.replace('"data/x.csv": "1"', '"data/x.csv": "2"'), "list": "[]", "deep": "[" * 200_000,
    }[harm]  # fmt: skip
    assert harmed != text
    entry.write_text(harmed, encoding="utf-8")
    assert kept.look(task, now) == cache.Found(reason="its kept copy is damaged")
    kept.keep(task, now, "again")
    assert kept.look(task, now).text == "again"


def test_old_entries_make_room(tmp_path, task):
    kept = cache.Cache(tmp_path)
    for number in range(cache.AT_MOST + 3):
        kept.keep(task, {"data/x.csv": str(number)}, "text")
    assert len(list(tmp_path.rglob("*.json"))) == cache.AT_MOST
    assert kept.look(task, {"data/x.csv": str(cache.AT_MOST + 2)}).hit
    assert not kept.look(task, {"data/x.csv": "0"}).hit


# --- a whole run --------------------------------------------------------------------------------------------


def vlr(root, *arguments):
    done = subprocess.run([*VLR, *arguments], cwd=root, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    return done.stderr


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_a_second_run_runs_what_changed_and_says_why(project):
    run = ("run", "--notebook", "02", "--notebook", "07")
    vlr(project, *run)
    first = content(project / "reports")
    told = vlr(project, *run)
    assert "Pôrto Exemplo: unchanged" in told
    assert "done" not in told
    assert content(project / "reports") == first
    # One chapter changed: the other is kept, and both are in the new report.
    notebook = project / "notebooks" / "07_voices.ipynb"
    notebook.write_text(notebook.read_text(encoding="utf-8").replace("# ", "# Revised: ", 1), encoding="utf-8")
    told = vlr(project, *run)
    assert "02_trends: kept" in told
    assert "07_voices: done (re-run: notebooks/07_voices.ipynb changed)" in told
    page = (project / "reports" / "porto-exemplo" / "07_voices.html").read_text(encoding="utf-8")
    assert "Revised:" in page
    # A page that somebody has changed is not left as it is, and nothing need run for that.
    page_of_02 = project / "reports" / "porto-exemplo" / "02_trends.html"
    page_of_02.write_text("tampered", encoding="utf-8")
    told = vlr(project, *run)
    assert told.count(": kept") == 2
    assert "tampered" not in page_of_02.read_text(encoding="utf-8")
    # A damaged entry is computed again; --fresh runs everything; a report that is gone comes from what is kept.
    for entry in (project / cache.FOLDER).rglob("02_trends/*.json"):
        entry.write_text("{", encoding="utf-8")
    shutil.rmtree(project / "reports")
    told = vlr(project, *run)
    assert "02_trends: done (re-run: its kept copy is damaged)" in told
    assert "07_voices: kept" in told
    assert (project / "reports" / "index.html").is_file()
    told = vlr(project, *run, "--fresh")
    assert len(re.findall(r": done\b", told)) == 2


@pytest.mark.slow
def test_kept_notebooks_give_the_same_report_as_run_ones(project):
    run = ("run", "--notebook", "02")
    vlr(project, *run)
    first = content(project / "reports")
    shutil.rmtree(project / "reports")
    assert "02_trends: kept" in vlr(project, *run)
    assert content(project / "reports") == first
    vlr(project, *run, "--fresh")
    assert content(project / "reports") == first


def test_records_name_no_path_of_the_machine(project):
    report = session.Report(tasks_of(project, notebooks=["02"]), project / "reports", inputs.Hashes(project))
    assert str(project) not in str(report.record.relative_to(project))
