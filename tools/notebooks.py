"""Refresh the help of the notebooks and the outputs of the cells that nbval compares; take all other outputs away.

Run by `make notebooks`.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from vlr_analysis.params import city_ids, read_parameters

ROOT = Path(__file__).resolve().parents[1]
HELP = "help"  # tag of the cell for whoever opens the notebook; pages leave it out


def help_text(stem: str, root: Path = ROOT) -> str:
    """Return the help of a notebook: how to choose a city, how to run all, and the cities there are."""
    over_all = stem == "cities_overview"
    choose = 'cities = ["bristol", "pittsburgh"]' if over_all else 'city = "pittsburgh"'
    rows = [(city, read_parameters(city, root)) for city in city_ids(root)]
    return "\n".join(
        [
            f"**To run this notebook**, write `{choose}` into the next cell, with names of the table, and",
            f"choose *Run > Run All Cells*. For every city, with pages: `vlr run --notebook {stem}` in a",
            "terminal. What a name stands for is in `params/`; `vlr new` starts a city. More help:",
            "`docs/how-to/jobs.md`; what is computed: `docs/methods/README.md`.",
            "",
            "| name | city | country | nation |",
            "|---|---|---|---|",
            *(
                f"| `{name}` | {city.name} | {city.country} | {', '.join(city.nation) or 'none'} |"
                for name, city in rows
            ),
        ]
    )


def with_help(notebook: nbformat.NotebookNode, stem: str) -> None:
    """Put the help below the title, in the place of the one that is there."""
    notebook.cells = [cell for cell in notebook.cells if HELP not in cell.metadata.get("tags", [])]
    notebook.cells.insert(1, nbformat.v4.new_markdown_cell(help_text(stem), metadata={"tags": [HELP]}))


def refresh(path: Path) -> None:
    """Run a notebook as it stands and keep the outputs of its marked cells."""
    notebook = nbformat.read(path, as_version=4)
    with_help(notebook, path.stem)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        shutdown_kernel="immediate",
        extra_arguments=["--IPKernelApp.log_level=CRITICAL"],
    )
    client.execute()
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        if "nbval-check-output" not in cell.metadata.get("tags", []):
            cell.outputs, cell.execution_count = [], None
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    nbformat.write(notebook, path)
    sys.stdout.write(f"{path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    for notebook_path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        refresh(notebook_path)
