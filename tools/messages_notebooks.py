"""What notebooks and catalogue say, for `messages.py`: prose, captions, names of goals, targets and units."""

import ast
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path

from vlr_analysis import language
from vlr_analysis.exhibits import plain_unit
from vlr_analysis.review import prose

# Where a call takes words for readers: positions and keywords.
CALLS: dict[str, tuple[tuple[int, ...], tuple[str, ...]]] = {
    "exhibits.table": ((2,), ("caption", "nothing")),
    "exhibits.show": ((), ("nothing",)),
    "findings.listed": ((2, 3), ("nothing", "caption")),
}
# (file, line, context, message, comment for translators)
Found = tuple[str, int, str | None, str, str]


def messages(root: Path) -> Iterator[Found]:
    """Find what notebooks and catalogue say, in the order of files and cells."""
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        name = path.relative_to(root).as_posix()
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            text = "".join(cell["source"])
            if "help" in cell["metadata"].get("tags", []):
                continue  # not on the pages
            if cell["cell_type"] == "markdown":
                for words in prose.messages(text):
                    yield name, 0, None, words, ""
            elif cell["cell_type"] == "code":
                for words in literals(text):
                    yield name, 0, language.CODED, words, "Caption, or what stands for an empty table"
    yield from _of_catalogue(root)


def literals(code: str) -> list[str]:
    """Return the words for readers in a cell of code; what is filled into them becomes a gap with a name."""
    tree = ast.parse(code)
    given = {
        node.targets[0].id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    found = [words for value in given.values() if isinstance(value, ast.JoinedStr) for words in _texts(value)
             if words.count(" ") > 4]  # fmt: skip
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CALLS:
            positions, keywords = CALLS[ast.unparse(node.func)]
            held = [node.args[place] for place in positions if place < len(node.args)]
            held += [keyword.value for keyword in node.keywords if keyword.arg in keywords]
            found += [words for value in held for words in _texts(value)]
    return list(dict.fromkeys(found))


def _texts(value: ast.expr) -> list[str]:
    """Return the texts that an expression may have: one, or one of two."""
    if isinstance(value, ast.Constant):
        return [value.value] if isinstance(value.value, str) and value.value else []
    if isinstance(value, ast.IfExp):
        return [*_texts(value.body), *_texts(value.orelse)]
    if isinstance(value, ast.JoinedStr):
        return ["".join(part.value if isinstance(part, ast.Constant) else f"{{{_gap(part)}}}" for part in value.values)]
    return []


def _gap(part: ast.FormattedValue) -> str:
    return re.sub(r"\W+", "_", ast.unparse(part.value)).strip("_")


def _of_catalogue(root: Path) -> Iterator[Found]:
    folder = root / "vlr_analysis" / "catalogue"
    columns = (
        ("goals", "label", "Short name of a goal"), ("targets", "label", "Short name of a target"),
        ("umf", "domain", "Domain of the Global Urban Monitoring Framework"),
        ("umf", "objective", "Objective of the Global Urban Monitoring Framework"),
    )  # fmt: skip
    for table, column, note in columns:
        for text in dict.fromkeys(_column(folder / f"{table}.csv", column)):
            yield f"vlr_analysis/catalogue/{table}.csv", 0, language.CODED, text, note
    with language.using(language.SOURCE):
        units = dict.fromkeys(plain_unit(unit) for unit in _column(folder / "units.csv", "unit"))
    for unit in units:
        if re.search(r"[a-z]{2}", unit):
            yield "vlr_analysis/catalogue/units.csv", 0, None, unit, "Unit, as it stands behind a number"


def _column(path: Path, name: str) -> list[str]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row[name] for row in csv.DictReader(file)]
