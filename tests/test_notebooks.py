"""notebooks/: form, parameters, and that they still say what they said."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
import yaml

from vlr_analysis.exhibits import MIME
from vlr_analysis.params import city_ids
from vlr_analysis.review import page_cells

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import notebooks as tool  # noqa: E402

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
INTERNAL = "internal = False  # True shows small numbers: not for publication"
LANGUAGE = 'language = ""  # such as es; left empty, the language of the parameters'
QUIET = {"extra_arguments": ["--IPKernelApp.log_level=CRITICAL"], "progress_bar": False, "log_output": False}


def code_cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def marked(path):
    return [cell for cell in code_cells(path) if "nbval-check-output" in cell.metadata.get("tags", [])]


def test_there_are_notebooks():
    assert [path.stem for path in NOTEBOOKS] == [
        "01_data_readiness", "02_trends", "03_covid_recovery", "04_disparities", "05_local_national",
        "06_city_benchmark", "07_voices", "08_findings", "09_own_methods", "cities_overview",
    ]  # fmt: skip


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_form(path):
    nbformat.validate(nbformat.read(path, as_version=4))
    cells = code_cells(path)
    assert len(cells) <= 16
    for cell in cells:
        assert not cell.source.lstrip().startswith("def ") and "\ndef " not in cell.source, (
            "functions live in the package"
        )
        assert len(cell.source.splitlines()) <= 12, cell.source
        if "vlr_analysis" in cell.source:
            lines = [line for line in cell.source.splitlines() if "import" in line and "vlr_analysis" in line]
            assert all(line.startswith("from vlr_analysis import ") for line in lines), (
                "only the public face is imported"
            )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_cell_is_plain_lines_that_papermill_reads(path):
    cells = [cell for cell in code_cells(path) if "parameters" in cell.metadata.get("tags", [])]
    assert len(cells) == 1
    first, second, third = cells[0].source.splitlines()
    assert (second, third) == (INTERNAL, LANGUAGE)
    if path.stem == "cities_overview":
        assert first == 'cities = "all"  # or a list of files in params/'
        return
    assert first == 'city = "bristol"  # a file in params/, or the mapping that -f injects'
    read = papermill.inspect_notebook(path)
    assert (read["city"]["default"], read["language"]["default"]) == ('"bristol"', '""')


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_help_stands_below_the_title_names_every_city_and_is_on_no_page(path):
    notebook = nbformat.read(path, as_version=4)
    title, shown, parameters = notebook.cells[:3]
    assert title.source.startswith("# ") and "parameters" in parameters.metadata["tags"]
    assert shown.cell_type == "markdown" and shown.metadata["tags"] == [tool.HELP]
    assert shown.source == tool.help_text(path.stem), "run `make notebooks`"
    assert all(f"| `{city}` |" in shown.source for city in city_ids(ROOT))
    assert not [
        cell for cell in page_cells.cells(notebook, path.stem) if "To run this notebook" in cell.get("html", "")
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_only_marked_cells_keep_an_output_and_they_do(path):
    """A marked cell without output or count would compare nothing, and pass whatever it says."""
    cells = marked(path)
    assert len(cells) == 1
    assert cells[0].execution_count is not None
    text = "".join(output.get("text", "") for output in cells[0].outputs)
    # The project that ships has no methods of its own: of them there is only the head.
    assert text.count("\n") > (0 if path.stem == "09_own_methods" else 10)
    assert all(not cell.outputs for cell in code_cells(path) if cell is not cells[0] and cell.source != cells[0].source)


def test_nbval_compares_every_notebook():
    """Runs every notebook on an ordinary kernel, from the folder of the notebooks as JupyterLab would."""
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", *map(str, NOTEBOOKS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_nbval_sees_a_number_that_changed(tmp_path):
    path = ROOT / "notebooks" / "02_trends.ipynb"
    notebook = nbformat.read(path, as_version=4)
    cell = next(cell for cell in notebook.cells if "nbval-check-output" in cell.metadata.get("tags", []))
    cell.outputs[0]["text"] = (
        cell.outputs[0]["text"].replace("robust trend", "no clear trend", 1).replace("| 20 |", "| 21 |", 1)
    )
    keep = {"parameters", "nbval-check-output"}
    notebook.cells = [
        c
        for c in notebook.cells
        if c.cell_type == "code"
        and (
            keep & set(c.metadata.get("tags", []))
            or "load_city" in c.source
            or c.source.startswith(("trend =", "ahead ="))
        )
    ]
    changed = tmp_path / "changed.ipynb"
    nbformat.write(notebook, changed)
    (tmp_path / "params").symlink_to(ROOT / "params")
    (tmp_path / "data").symlink_to(ROOT / "data")
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", str(changed)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout[-2000:]
    assert "failed" in done.stdout


@pytest.mark.parametrize("how", ["-p", "-f"])
def test_plain_papermill_runs_a_city_by_name_and_by_file(tmp_path, how):
    """No wrapper of ours: `-p city pittsburgh` gives a name, `-f params/pittsburgh.yaml` a mapping."""
    source = ROOT / "notebooks" / "02_trends.ipynb"
    parameters = {"city": "pittsburgh"}
    if how == "-f":
        parameters = yaml.safe_load((ROOT / "params" / "pittsburgh.yaml").read_text(encoding="utf-8"))
    out = tmp_path / "out.ipynb"
    papermill.execute_notebook(source, out, parameters=parameters, cwd=ROOT, **QUIET)
    carried = [
        output["data"][MIME] for cell in code_cells(out) for output in cell.outputs if MIME in output.get("data", {})
    ]
    assert {item["kind"] for item in carried} == {"figure", "table", "findings"}
    assert all(item["alt"] for item in carried if item["kind"] == "figure")
    assert all(item["caption"] for item in carried)


def test_a_misspelt_city_in_a_notebook_says_did_you_mean(tmp_path):
    source = ROOT / "notebooks" / "02_trends.ipynb"
    with pytest.raises(papermill.PapermillExecutionError, match="did you mean 'bristol'"):
        papermill.execute_notebook(source, tmp_path / "o.ipynb", parameters={"city": "bristl"}, cwd=ROOT, **QUIET)
    assert os.path.exists(tmp_path / "o.ipynb")  # noqa: PTH110  papermill keeps what ran


@pytest.mark.parametrize("name", ["05_local_national", "06_city_benchmark"])
def test_a_city_without_nation_and_peers_gets_sentences_and_no_error(tmp_path, name):
    parameters = yaml.safe_load((ROOT / "params" / "porto-exemplo.yaml").read_text(encoding="utf-8"))
    del parameters["city"]["nation"]
    out = tmp_path / "out.ipynb"
    papermill.execute_notebook(ROOT / "notebooks" / f"{name}.ipynb", out, parameters=parameters, cwd=ROOT, **QUIET)
    shown = [output["data"] for cell in code_cells(out) for output in cell.outputs if "data" in output]
    assert sum("<p>" in data.get("text/html", "") for data in shown) >= 4
    assert not [data for data in shown if "<img" in data.get("text/html", "")]
