"""Where the time of a run goes: one city, one notebook at a time; imports and charts are timed apart."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from vlr_analysis.review import apart, run, session

START, CHECKS, KERNEL, IMPORTS = "start of Python", "checks and plan", "start of kernels", "imports in notebooks"
FIGURES, CELLS, SAVE, DELIVERY = "figures", "other cells", "saving, cleaning, end of kernels", "delivery"
REST = "the rest"
SPENT = "seconds in figures:"

# Runs in the kernel: times every function of the modules that draw, the outermost one only.
TIMED = """
import functools as _tools, sys as _sys, time as _time, types as _types
_spent, _inside = [0.0], []
def _timed(call):
    @_tools.wraps(call)
    def timed(*given, **named):
        begin = _time.perf_counter()
        _inside.append(call)
        try:
            return call(*given, **named)
        finally:
            _inside.pop()
            _spent[0] += 0 if _inside else _time.perf_counter() - begin
    return timed
for _name, _module in list(_sys.modules.items()):
    if _name.startswith("vlr_analysis.figures"):
        for _key, _value in list(vars(_module).items()):
            if isinstance(_value, _types.FunctionType) and _value.__module__ == _name:
                setattr(_module, _key, _timed(_value))
"""
TELL = f"print({SPENT!r}, _spent[0])"


def shares(root: Path, city: str, chapters: Sequence[str], out: Path) -> dict[str, float]:
    """Run chapters of a city one after the other and say which part of the time went where.

    Parameters
    ----------
    root : Path
        A copy of the project: its notebooks are changed.
    city : str
    chapters : sequence of str
        Names of notebooks.
    out : Path
        Folder of the report.

    Returns
    -------
    dict
        Part -> share of the whole, from the start of Python to the index; the shares sum to 1.
    """
    for chapter in chapters:
        split(root / "notebooks" / f"{chapter}.ipynb")
    spent: dict[str, float] = defaultdict(float)
    begun: list[float] = []
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import vlr_analysis.review.session"], cwd=root, check=True)
    spent[START] = time.perf_counter() - begin

    def imports_or_cells(client: NotebookClient, cell: Any, *_: Any, **__: Any) -> str:
        return IMPORTS if "imports" in cell.metadata.get("tags", []) else CELLS

    with (
        timed(NotebookClient, "start_new_kernel", spent, KERNEL),
        timed(NotebookClient, "start_new_kernel_client", spent, KERNEL),
        timed(NotebookClient, "execute_cell", spent, imports_or_cells),
        timed(run, "run_one", spent, SAVE, begun),
        timed(apart, "call", spent, DELIVERY),
    ):
        begin = time.perf_counter()
        ended = session.review(root, session.Wanted([city], chapters, out, jobs=1, fresh=True), Silent())
        total = time.perf_counter() - begin
    if not ended.whole:
        sys.exit("\n".join(ended.lines()))
    spent[CHECKS] = begun[0] - begin
    spent[FIGURES] = sum(in_figures(out / city / f"{chapter}.ipynb") for chapter in chapters)
    spent[CELLS] -= spent[FIGURES]
    spent[SAVE] -= sum(spent[part] for part in (KERNEL, IMPORTS, FIGURES, CELLS))  # it was the whole of each notebook
    spent[REST] = total - sum(seconds for part, seconds in spent.items() if part != START)
    parts = (START, CHECKS, KERNEL, IMPORTS, FIGURES, CELLS, SAVE, DELIVERY, REST)
    return {part: spent[part] / (total + spent[START]) for part in parts}


def split(path: Path) -> None:
    """Put the imports of a notebook into a cell of their own at its head, and time its charts."""
    notebook = nbformat.read(path, as_version=4)
    imports = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            lines = cell.source.splitlines()
            for node in reversed(ast.parse(cell.source).body):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    imports.append("\n".join(lines[node.lineno - 1 : node.end_lineno]))
                    del lines[node.lineno - 1 : node.end_lineno]
            cell.source = "\n".join(lines)
    head = nbformat.v4.new_code_cell("\n".join(imports), metadata={"tags": ["imports"]})
    notebook.cells = [head, nbformat.v4.new_code_cell(TIMED), *notebook.cells, nbformat.v4.new_code_cell(TELL)]
    nbformat.write(notebook, path)


def in_figures(path: Path) -> float:
    """Return the seconds that an executed notebook of `split` says it has spent in its charts."""
    found = re.search(rf"{SPENT} ([\d.e-]+)", nbformat.read(path, as_version=4).cells[-1].outputs[0]["text"])
    return float(found[1])


@contextmanager
def timed(
    owner: Any, name: str, spent: dict[str, float], part: str | Callable[..., str], begun: list[float] | None = None
) -> Iterator[None]:
    """Add the seconds of every call of a function to a part; note when each began."""
    call = getattr(owner, name)

    def wrapped(*given: Any, **named: Any) -> Any:
        begin = time.perf_counter()
        if begun is not None:
            begun.append(begin)
        try:
            return call(*given, **named)
        finally:
            spent[part if isinstance(part, str) else part(*given, **named)] += time.perf_counter() - begin

    setattr(owner, name, wrapped)
    try:
        yield
    finally:
        setattr(owner, name, call)


class Silent:
    """Tells nobody how a run goes on."""

    def begins(self, cities: int, notebooks: int) -> None:
        """Say nothing."""

    def notebook(self, task: Any, state: str, why: str = "") -> None:
        """Say nothing."""

    def report(self, name: str, state: str, notebooks: int = 0) -> None:
        """Say nothing."""
