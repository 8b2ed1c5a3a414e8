"""Measure `vlr run` beside loops of papermill and nbconvert, in one run, on our own notebooks. Run by `make bench`.

The loops execute and render the chapters. `vlr run` does this and more: tables, findings, evidence, the hand-over and a
page over all cities; its start, its checks of the figures and all of its writing count. Ratios are written to
docs/methods/benchmark-runs.csv; times in seconds would only tell of the machine. Needs Linux with bash and xargs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pandas as pd
import yaml
from shares import shares

from vlr_analysis.exhibits import MIME
from vlr_analysis.review import plan
from vlr_analysis.review.run import ENVIRONMENT

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "docs" / "methods" / "benchmark-runs.csv"
BIN = Path(sys.executable).parent
COLUMNS = ["what", "quantity", "value", "bar", "kept"]
LOOP, SIDE_BY_SIDE = "times faster than a loop", "times faster than xargs -P2"
AGAIN, MEMORY = "unchanged second run, share of the first", "unshared memory of a kernel, MB, largest"

EXAMPLE = "bristol"  # its file in params/ is the form of the others'
CITIES = (
    "bristol", "leeds", "belfast", "birmingham", "canterbury", "cardiff", "city-of-edinburgh", "glasgow-city",
    "liverpool", "manchester", "newcastle-upon-tyne", "nottingham",
)  # fmt: skip
NATION = {"belfast": "northern-ireland", "cardiff": "wales", "city-of-edinburgh": "scotland",
          "glasgow-city": "scotland"}  # fmt: skip

# One notebook of one city: what people do by hand.
BY_HAND = (
    'mkdir -p "$3/$1" && papermill "notebooks/$2.ipynb" "$3/$1/$2.ipynb" -p city "$1"'
    ' && jupyter nbconvert --to html "$3/$1/$2.ipynb"'
)
FORKED, ORDINARY = "kernel_template.py", "ipykernel_launcher"  # in the command lines of kernels
APART = "(vlr-apart)"  # the name of a fork that writes a report


# --- what is run ---------------------------------------------------------------------------------


def project(root: Path) -> None:
    """Make a copy of the project whose cities are British, each with its nation and the others as peers."""
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copytree(ROOT / "data", root / "data")
    shutil.copytree(ROOT / "docs" / "methods", root / "docs" / "methods")
    shutil.copy(ROOT / "requirements.lock", root)
    (root / "params").mkdir()
    example = yaml.safe_load((ROOT / "params" / f"{EXAMPLE}.yaml").read_text(encoding="utf-8"))["city"]
    names = pd.read_csv(ROOT / "data" / "areas.csv").set_index("area")["name"]
    around = sorted({EXAMPLE, *example["peers"]})
    for city in CITIES:
        chosen = dict(example, id=city, name=str(names[city]), peers=[other for other in around if other != city])
        chosen["nation"] = [NATION.get(city, "england"), "united-kingdom"]
        chosen["boundary"] = f"{names[city]}, the area of its local authority"
        held = set(pd.read_csv(root / "data" / f"{city}.csv", usecols=["indicator"])["indicator"])
        chosen["indicators"] = [item for item in example["indicators"] if item["indicator"] in held]
        text = yaml.safe_dump({"city": chosen}, allow_unicode=True, sort_keys=False)
        (root / "params" / f"{city}.yaml").write_text(text, encoding="utf-8")


def by_hand(root: Path, cities: Sequence[str], chapters: Sequence[str], out: Path, *, parallel: int = 1) -> float:
    """Run and render every chapter of every city by papermill and nbconvert; return the seconds."""
    pairs = [(city, chapter) for city in cities for chapter in chapters]
    if parallel == 1:
        turns = " ".join(f"{city}:{chapter}" for city, chapter in pairs)
        script = f'step() {{ {BY_HAND}; }}; for turn in {turns}; do step "${{turn%:*}}" "${{turn#*:}}" "$0"; done'
        return timed(["bash", "-ec", script, str(out)], root)
    lines = "".join(f"{city} {chapter}\n" for city, chapter in pairs)
    one = f'step() {{ {BY_HAND}; }}; step "$1" "$2" "$0"'
    return timed(["xargs", f"-P{parallel}", "-n2", "bash", "-ec", one, str(out)], root, lines)


def ours(root: Path, cities: Sequence[str], chapters: Sequence[str] | None, out: Path, *, fresh: bool = True) -> float:
    """Run `vlr run`, all notebooks or those chapters; return the seconds."""
    chosen = [part for chapter in chapters or () for part in ("--notebook", chapter)]
    return timed([str(BIN / "vlr"), "run", *cities, *chosen, "--out", str(out), *(["--fresh"] if fresh else [])], root)


def timed(command: Sequence[str], root: Path, given: str = "") -> float:
    """Run a command in the project; return the seconds, or stop with what it said."""
    begin = time.perf_counter()
    done = subprocess.run(command, cwd=root, input=given, capture_output=True, text=True, env=environment())
    seconds = time.perf_counter() - begin
    if done.returncode:
        sys.exit(f"{Path(command[0]).name} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return seconds


def environment() -> dict[str, str]:
    """Return what every side runs under: this Python's programs first, the same limits of threads."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER_", "VLR_"))}
    return {**kept, **ENVIRONMENT, "PATH": f"{BIN}{os.pathsep}{os.environ.get('PATH', os.defpath)}"}


# --- whether it was done -------------------------------------------------------------------------


def exhibits(path: Path) -> list[tuple[str, str]]:
    """Return name and data of everything that an executed notebook shows; an error in it stops the benchmark."""
    outputs = [output for cell in nbformat.read(path, as_version=4).cells for output in cell.get("outputs", [])]
    if any(output["output_type"] == "error" for output in outputs):
        sys.exit(f"{path.parent.name}/{path.name} failed")
    carried = [output["data"][MIME] for output in outputs if MIME in output.get("data", {})]
    return [(item["name"], item["csv"]) for item in carried]


def require(theirs: Path, own: Path, cities: Sequence[str], chapters: Sequence[str]) -> int:
    """Stop unless both sides have every page and show the same in it; return how many pages were compared."""
    for city in cities:
        whole = [own / city / name for name in ("index.html", "evidence.html", "findings.jsonl", "tables")]
        pages = [folder / city / f"{chapter}.html" for folder in (theirs, own) for chapter in chapters]
        missing = [f"{path.parent.name}/{path.name}" for path in [*whole, *pages] if not path.exists()]
        if missing:
            sys.exit(f"not made: {', '.join(missing)}")
        summary = json.loads((own / city / "review.json").read_text(encoding="utf-8"))
        if summary["handover"] and not (own / city / "handover" / "handover.zip").is_file():
            sys.exit(f"no hand-over of {city}")
        for chapter in chapters:
            both = [exhibits(folder / city / f"{chapter}.ipynb") for folder in (theirs, own)]
            if not both[0] or both[0] != both[1]:
                sys.exit(f"{city}, {chapter}: the two sides show different things")
    return len(cities) * len(chapters)


# --- memory --------------------------------------------------------------------------------------


class Watch(threading.Thread):
    """Looks at the kernels below a process a few times a second; keeps the most that each holds alone.

    Parameters
    ----------
    pid : int
        The run.

    Attributes
    ----------
    most : dict
        MB of private memory (`Private_Clean` and `Private_Dirty` of the kernel) by process.
    """

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.pid, self.most, self._ended = pid, {}, threading.Event()

    def run(self) -> None:
        """Look until `end` is called."""
        while not self._ended.wait(0.2):
            for pid in kernels_below(self.pid):
                self.most[pid] = max(self.most.get(pid, 0.0), private_mb(pid))

    def end(self) -> dict[int, float]:
        """Stop looking; return what was seen."""
        self._ended.set()
        self.join()
        return self.most


def kernels_below(pid: int) -> list[int]:
    """Return the processes below one that are kernels: ordinary ones, and forks of a template."""
    parents, commands = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            stat = (folder / "stat").read_text()
            parents[int(folder.name)] = int(stat.rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().decode(errors="replace")
            commands[int(folder.name)] = "" if APART in stat else command
        except OSError:
            continue  # it has just ended
    below = {pid}
    while more := {child for child, parent in parents.items() if parent in below} - below:
        below |= more
    return [
        child for child in below - {pid}
        if ORDINARY in commands[child] or (FORKED in commands[child] and FORKED in commands.get(parents[child], ""))
    ]  # fmt: skip


def private_mb(pid: int) -> float:
    """Return the MB that a process shares with no other; 0 where it has ended."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0.0
    return sum(map(int, re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB$", text, flags=re.M))) / 1024


def watched(root: Path, cities: Sequence[str], chapters: Sequence[str] | None, out: Path) -> list[float]:
    """Run ours once more and return the memory that each kernel held alone at the most, MB."""
    chosen = [part for chapter in chapters or () for part in ("--notebook", chapter)]
    command = [str(BIN / "vlr"), "run", *cities, *chosen, "--out", str(out), "--fresh"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, cwd=root, env=environment(), **quiet) as run:
        watch = Watch(run.pid)
        watch.start()
        code = run.wait()
        seen = watch.end()
    if code or not seen:
        sys.exit(f"no kernel was seen (the run ended with {code})")
    return list(seen.values())


# --- the benchmark -------------------------------------------------------------------------------


def row(what: str, quantity: str, value: float, bar: float | None = None, *, at_most: bool = False) -> tuple:
    """Return a row of the table; a quantity without a bar is always kept."""
    kept = bar is None or (value <= bar if at_most else value >= bar)
    return what, quantity, value, float("nan") if bar is None else bar, kept


def measure(folder: Path, *, quick: bool = False) -> pd.DataFrame:
    """Measure everything in a folder; quick: one city, three notebooks, no bars.

    Returns
    -------
    DataFrame
        what, quantity, value, bar (NaN where there is none), kept.
    """
    root = folder / "project"
    project(root)
    chapters = [path.stem for path in plan.chosen_notebooks(root, []) if path.stem != plan.OVERVIEW]
    if quick:
        chapters = [chapter for chapter in chapters if chapter[:2] in ("04", "06", "07")]
    told = chapters if quick else None  # ours: all notebooks, the page over all cities among them
    rows = [row("machine", "cores", len(os.sched_getaffinity(0)))]
    few, many = (CITIES[:1], CITIES[:1]) if quick else (CITIES[:2], CITIES)
    if not quick:  # files read once, modules compiled, for all sides
        ours(root, few, chapters[-1:], folder / "before")
        by_hand(root, few[:1], chapters[-1:], folder / "before-by-hand")

    # In turns, so that a machine that slows down or speeds up does so for all of them.
    what = name_of(few, chapters)
    mine = [ours(root, few, told, folder / "ours")]
    loop = by_hand(root, few, chapters, folder / "loop")
    mine += [] if quick else [ours(root, few, told, folder / "ours")]
    side = by_hand(root, few, chapters, folder / "xargs", parallel=2)
    mine += [] if quick else [ours(root, few, told, folder / "ours")]
    require(folder / "loop", folder / "ours", few, chapters)
    require(folder / "xargs", folder / "ours", few, chapters)
    rows.append(row(what, LOOP, loop / statistics.median(mine), None if quick else 8))
    rows.append(row(what, SIDE_BY_SIDE, side / statistics.median(mine), None if quick else 2.5))
    memory = watched(root, few, told, folder / "ours")
    rows.append(row(what, MEMORY, max(memory), None if quick else 80, at_most=True))
    rows.append(row(what, "the same, median", statistics.median(memory)))

    what = name_of(many, chapters)
    first = mine[0] if quick else ours(root, many, told, folder / "all")
    if not quick:
        loop = by_hand(root, many, chapters, folder / "all-loop")
        require(folder / "all-loop", folder / "all", many, chapters)
        first = statistics.mean([first, ours(root, many, told, folder / "all")])
        rows.append(row(what, LOOP, loop / first, 10))
    again = ours(root, many, told, folder / ("ours" if quick else "all"), fresh=False)
    rows.append(row(what, AGAIN, again / first, None if quick else 1 / 20, at_most=True))
    for part, share in shares(root, CITIES[0], chapters, folder / "parts").items():
        rows.append(row(name_of(CITIES[:1], chapters), f"share of the time, one by one: {part}", share))
    return pd.DataFrame(rows, columns=COLUMNS)


def name_of(cities: Sequence[str], chapters: Sequence[str]) -> str:
    """Return the words for a piece of work."""
    return f"{len(cities)} {'city' if len(cities) == 1 else 'cities'} x {len(chapters)} notebooks"


def main() -> int:
    """Measure, print, write; 1 if a bar is missed."""
    ask = argparse.ArgumentParser(description="Measure vlr run beside loops of papermill and nbconvert.")
    ask.add_argument("--quick", action="store_true", help="one city, three notebooks: only to see that it works")
    ask.add_argument("--out", type=Path, help="CSV file to write; left out: docs/methods, and nothing if quick")
    chosen = ask.parse_args()
    lacking = [name for name in ("bash", "xargs") if not shutil.which(name)]
    if lacking or not sys.platform.startswith("linux"):
        sys.exit("The benchmark of runs needs Linux with bash and xargs.")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        told = measure(Path(folder), quick=chosen.quick)
    out = chosen.out or (None if chosen.quick else OUT)
    if out:
        told.to_csv(out, index=False, float_format="%.3g", lineterminator="\n")
    sys.stdout.write(told.to_string(index=False, float_format="%.3g", na_rep="") + "\n")
    return int(not told["kept"].all())


if __name__ == "__main__":
    sys.exit(main())
