"""Texts: no banned word in anything the kit can say, nothing about machines or people in the tree."""

import ast
import re
import subprocess
from pathlib import Path

import nbformat
import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[1]
BANNED = re.compile(r"\b(caused?|causes|proves?|proven|significant(ly)?|because|best|worst)\b", re.I)


def spoken_texts():
    """Yield every text constant of the package that is not a docstring, and every text cell of the notebooks."""
    for path in sorted((ROOT / "vlr_analysis").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {
            id(node.body[0].value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
                yield f"{path.name}:{node.lineno}", node.value
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for number, cell in enumerate(nbformat.read(path, as_version=4).cells):
            if cell.cell_type == "markdown":
                yield f"{path.name}, cell {number}", cell.source
    for path in sorted((ROOT / "vlr_analysis" / "review" / "templates").glob("*.j2")):
        yield path.name, path.read_text(encoding="utf-8")
    for name in ("indicators", "sources"):
        table = pd.read_csv(ROOT / "data" / f"{name}.csv", dtype=str, keep_default_na=False)
        yield f"{name}.csv", "\n".join(table[[c for c in ("label", "note") if c in table]].to_numpy().ravel())


def test_no_banned_word_can_be_said():
    texts = list(spoken_texts())
    assert len(texts) > 500
    assert [(where, BANNED.search(text)[0]) for where, text in texts if BANNED.search(text)] == []


@pytest.mark.parametrize(
    "pattern", [r"(?<![\w.])/(home|root|work|tmp)/[a-z]", r"--(extra-)?index-url https?:|--find-links"]
)
def test_tracked_files_hold_no_path_of_a_machine_and_no_index(pattern):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    done = subprocess.run(
        ["git", "grep", "-nIP", pattern, "--", ":!tests/test_words.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == ""
