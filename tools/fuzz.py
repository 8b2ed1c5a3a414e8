"""Mutated inputs for every reader: each ends as a table or as a typed error, in time and in memory.

`make fuzz` runs 50,000 mutations of each reader; `python tools/fuzz.py --count 500 --reader wide` runs fewer. Each
input of up to 1 MB may take 2 seconds of processor time and 200 MB above what the process had before; what breaks a
rule is kept in the folder given by --keep, and named.
"""

from __future__ import annotations

import argparse
import io
import random
import shutil
import sys
import tempfile
import time
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from openpyxl import Workbook

from vlr_analysis.errors import InputError
from vlr_analysis.observations import COLUMNS
from vlr_analysis.sources.formats import FORMATS

try:
    import resource
except ImportError:  # Windows has no such counter; time is measured there, memory is not
    resource = None

FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "readers"
COUNT, SECONDS, MEGABYTES, LARGEST = 50_000, 2.0, 200, 1_000_000
GIVEN = {"area": "exampleville", "source": "fuzz"}
FILES = {
    "economic-tracker": ["tracker/Employment - City - Weekly.csv", "tracker/Affinity - City - Monthly.csv"],
    "eurostat": ["eurostat.tsv", "eurostat.csv"],
    "fred": ["fred.csv"],
    "long": ["long.csv"],
    "open-sdg": ["long.csv"],
    "sdmx-csv": ["sdmx1.csv", "sdmx2.csv"],
    "unsd": ["unsd.csv"],
    "wide": ["wide.csv"],
    "world-bank": ["world_bank.csv", "databank.csv"],
}
OPTIONS = {"eurostat": {"place": "XX11"}, "sdmx-csv": {"place": "XX11"}}  # the fixtures hold two places
# Pieces that break readers: numbers, marks, labels, signs of markup, formulas, bytes of other encodings.
PIECES = [text.encode("utf-8") for text in (
    "", ",", ";", "\t", '"', "\n", "\r\n", "\0", "2019", "2019/20", "FY2020", "2011-12", "9999", "1e999", "-", "–", ":",
    "..", "<5", "*", "NaN", "inf", "1,234", "1.234", "1 234,5", "12 %", "=1+1", "=cmd|' /C calc'!A0", "<script>",
    "\u202e", "\ufeff", "Total", "Year", "Value", "Area", "é", "性别", "٣", "a=b;c", "A1:XFD1048576", "&", "</c>",
    "<f>1</f>", 'r="Z9"', "9" * 400, "x" * 5000, "," * 3000, "\n" * 3000,
)] + [b"\xff\xfe", b"\x81", b"\xe9", b"\x00\x00", b"PK\x03\x04"]  # fmt: skip


def seeds(folder: Path) -> dict[str, list[Path]]:
    """Return good inputs of each reader: the fixtures, and workbooks of the two that read them."""
    found = {name: [FIXTURES / file for file in files] for name, files in FILES.items()}
    for name in ("long", "wide", "unsd"):
        book = Workbook()
        for line in (FIXTURES / FILES[name][0]).read_text(encoding="utf-8").splitlines():
            book.active.append([_cell(text) for text in line.split(",")])
        book.active.merge_cells("A1:B1") if name == "wide" else None
        path = folder / f"{name}.xlsx"
        book.save(path)
        found[name].append(path)
    return found


def _cell(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def mutations(good: Sequence[Path], chance: random.Random, count: int) -> Iterator[bytes]:
    """Yield `count` inputs, the seeds in turn, each with some changes; of a workbook the parts are changed."""
    contents = [(path.suffix, path.read_bytes()) for path in good]
    for number in range(count):
        suffix, content = contents[number % len(contents)]
        if suffix == ".xlsx" and chance.random() < 0.8:
            yield _mutated_parts(content, chance)
        else:
            yield _mutated(content, chance)


def _mutated(content: bytes, chance: random.Random) -> bytes:
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(7)
        if kind == 0:
            made[at:at] = chance.choice(PIECES)
        elif kind == 1:
            made[at : at + chance.randrange(1, 12)] = chance.choice(PIECES)
        elif kind == 2:
            del made[at : at + chance.randrange(1, 60)]
        elif kind == 3 and at < len(made):
            made[at] = chance.randrange(256)
        elif kind == 4:  # a whole field
            start, end = _field(made, at)
            made[start:end] = chance.choice(PIECES)
        elif kind == 5:  # lines in another place
            lines = bytes(made).split(b"\n")
            chance.shuffle(lines)
            made = bytearray(b"\n".join(lines))
        elif len(made) < 20_000:
            made += made[at : at + chance.randrange(1, 2000)] * chance.choice((1, 2, 20))
    return bytes(made[:LARGEST])


def _field(made: bytearray, at: int) -> tuple[int, int]:
    start = max(made.rfind(mark, 0, at) for mark in b",\t\n;")
    ends = [end for mark in b",\t\n;" if (end := made.find(mark, at)) >= 0]
    return start + 1, min(ends, default=len(made))


def _mutated_parts(content: bytes, chance: random.Random) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        entries = old.infolist()
        chosen = chance.choice([entry.filename for entry in entries if "sheet" in entry.filename.casefold()] * 3
                               + [entry.filename for entry in entries])  # fmt: skip
        for entry in entries:
            part = old.read(entry)
            new.writestr(entry.filename, _mutated(part, chance) if entry.filename == chosen else part)
    return made.getvalue()


def attempt(name: str, content: bytes, suffix: str, folder: Path) -> str:
    """Read one input; return ``table``, ``refused``, or what went wrong."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"input{suffix}"
    if name == "economic-tracker":
        shutil.copy(FIXTURES / "tracker" / "GeoIDs - City.csv", folder)
    if name == "open-sdg":
        path = folder / "data" / "indicator_1-1-1.csv"
        path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    before, started = _memory(), time.process_time()
    try:
        reading = FORMATS[name].reader(folder if name == "open-sdg" else path, **GIVEN, **OPTIONS.get(name, {}))
    except InputError:
        outcome = "refused"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:100]}"
    else:
        outcome = "table"
        if tuple(reading.table.columns) != COLUMNS or len(reading.origins) != len(reading.table):
            return "a table of another form"
    if time.process_time() - started > SECONDS:
        return f"{time.process_time() - started:.1f} seconds"
    grown = (_memory() - before) / 1e6
    return f"{grown:.0f} MB" if grown > MEGABYTES else outcome


def _memory() -> int:
    """Return the most memory that this process has held, in bytes: it only grows."""
    if resource is None:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def main() -> int:
    """Run the mutations; 0 where every outcome was a table or a typed error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT, help="inputs for each reader")
    parser.add_argument("--reader", choices=sorted(FORMATS), action="append", help="only these")
    parser.add_argument("--seed", type=int, default=2030)
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), help="where inputs that break a rule go")
    told = parser.parse_args()
    broken = 0
    with tempfile.TemporaryDirectory() as folder:
        good = seeds(Path(folder))
        for name in told.reader or sorted(FORMATS):
            outcomes: Counter[str] = Counter()
            for number, content in enumerate(mutations(good[name], random.Random(told.seed), told.count)):
                suffix = good[name][number % len(good[name])].suffix
                outcome = attempt(name, content, suffix, Path(folder) / "run")
                outcomes[outcome if outcome in ("table", "refused") else "broken"] += 1
                if outcome not in ("table", "refused"):
                    told.keep.mkdir(parents=True, exist_ok=True)
                    (told.keep / f"{name}-{number}{suffix}").write_bytes(content)
                    print(f"{name}, input {number}: {outcome}")
                    broken += 1
            print(
                f"{name}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())), flush=True
            )
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main())
