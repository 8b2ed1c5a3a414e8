"""The house: imports point down the list in DESIGN, and only some rooms touch the disk."""

import ast
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "vlr_analysis"

# From the top of the house to the ground; a module imports only from floors below its own.
ANALYSES = {
    "trends", "progress", "covid", "links", "disparities", "comparison", "comparability", "benchmark", "voices",
    "readiness",
    "counterfactual", "recovery", "shock_groups", "shock_readings", "inequality", "smell", "grades", "pooling",
    "requests", "slips", "smell_groups", "evidence", "breakdowns", "checklist",
}  # fmt: skip
FIGURES = {"figures", "figures_groups", "figures_places", "figures_readiness", "figures_voices"}
FLOORS = [
    {"cli"},
    {"cli_import", "cli_fetch", "cli_answers"},
    {"review"},
    {"vlr_analysis"},  # the public face that notebooks import
    {"results"},
    {"own_methods"},
    {"statements", "statements_places", "statements_evidence", "lead", "method_results"},
    {"findings"},
    FIGURES,
    {"drawing"},
    {"margins"},
    ANALYSES,
    {"cities"},
    {"params", "method_files"},
    {"sources"},
    {"catalogue", "exhibits", "regression", "series", "groups", "disclosure", "disclosure_voices", "lookup"},
    {"observations"},
    {"periods", "words", "cell_text", "yaml_files"},
    {"language", "project"},
    {"errors"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
COMMANDS = {"cli", "cli_import", "cli_fetch", "cli_answers"}
NEVER = FIGURES | COMMANDS | {"sources", "drawing", "margins", "review", "params", "cities"}


def room(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "vlr_analysis" if parts == ("__init__",) else parts[0]


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            assert node.level == 0, f"{path.name}:{node.lineno} uses a relative import; write the full name"
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            parts = name.split(".")
            if parts[0] == "vlr_analysis":
                found.add(parts[1] if len(parts) > 1 and parts[1] in FLOOR else "vlr_analysis")
    return found - {room(path)}


MODULES = sorted(PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path):
    here = room(path)
    assert here in FLOOR, f"{here} has no floor in the house; add it to FLOORS, DESIGN and docs/map.md"
    upward = {other for other in imported_rooms(path) if FLOOR[other] < FLOOR[here]}
    assert not upward, f"{path.relative_to(PACKAGE)} imports upward: {sorted(upward)}"
    if here in ANALYSES:
        assert not imported_rooms(path) & NEVER, f"{here} is an analysis; it takes tables, not files or plots"


def test_the_test_sees_an_arrow_the_wrong_way(tmp_path, monkeypatch):
    wrong = PACKAGE / "errors.py"
    text = wrong.read_text(encoding="utf-8") + "\nfrom vlr_analysis import observations\n"
    fake = tmp_path / "errors.py"
    fake.write_text(text, encoding="utf-8")
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path)
    with pytest.raises(AssertionError, match="upward"):
        test_imports_point_down(fake)
