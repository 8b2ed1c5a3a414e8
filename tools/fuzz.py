"""Damaged files for every door: each ends as a checked table or as a typed error, in time and in memory.

`make fuzz` gives every target of `fuzz_targets` 50,000 inputs and writes a row for each to `docs/methods/fuzz.csv`;
`python tools/fuzz.py --count 500 --target wide` gives fewer. A campaign that was stopped goes on where it was. Inputs
are read in a process of their own: 2 seconds of processor time and 200 MB above what the process held, for up to 1 MB;
far beyond that the system ends the process. What breaks a rule is kept under --keep by target and number.
`--again wide 1234` reads one input again and says what came of it; `--smaller FILE --target wide` takes out of it what
is not needed.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import gc
import io
import mmap
import os
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from fuzz_targets import ROOT, TARGETS, Seed, Target

from vlr_analysis.errors import InputError

try:
    import resource
except ImportError:  # Windows has neither such limits nor fork: inputs are read in this process, time is measured
    resource = None

COUNT, SECONDS, MEGABYTES = 50_000, 2.0, 200
HARD_SECONDS, HARD_BYTES = 10, 4 << 30  # at which the system ends the process; libraries reserve far more than they use
BLOCK = 5000  # inputs of one process: a fresh one keeps little of what went before
RESULT = ROOT / "docs" / "methods" / "fuzz.csv"
ORDER = ("kit-registers", "params", "kit-parquet", "fred", "economic-tracker", "world-bank", "eurostat", "guess",
         "unsd", "kit-csv", "wide", "sdmx-csv", "long", "handover", "open-sdg", "voices", "workbook")  # fmt: skip
_FORKS = hasattr(os, "fork") and resource is not None
_FOLDER = {"allowed": ""}
_SEEN: list[str] = []
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass
class Row:
    """What came of the inputs of one target; `slowest` and `largest` are the bounds under which all stayed."""

    target: str
    inputs: int = 0
    tables: int = 0
    refused: int = 0
    violations: int = 0
    slowest: str = ""
    largest: str = ""
    seed: int = 2030


# --- one input ---------------------------------------------------------------------------------------------


def attempt(target: Target, seed: Seed, content: bytes, folder: Path) -> tuple[str, float, float]:
    """Read one input in this process.

    Returns
    -------
    outcome : str
        ``table``, ``refused``, or what went wrong.
    seconds, megabytes : float
        Processor time, and the most memory above what was held before; 0 where the system does not tell.
    """
    path = target.place(folder, seed, content)
    before = sorted(folder.rglob("*")) if target.name != "handover" else []
    heard = io.StringIO()
    _SEEN.clear()
    held = _held()
    started = time.process_time()
    with warnings.catch_warnings(record=True) as warned, contextlib.redirect_stdout(heard), contextlib.redirect_stderr(
            heard):  # fmt: skip
        warnings.simplefilter("always")
        _FOLDER["allowed"] = str(folder)
        try:
            found = target.read(path)
            outcome = "table"
        except InputError as error:
            outcome = "refused" if "Fix:" in str(error) else "an error without help"
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            outcome = f"{type(error).__name__}: {str(error)[:100]} ({Path(last.filename).name}, line {last.lineno})"
        finally:
            _FOLDER["allowed"] = ""
    seconds, grown = time.process_time() - started, _most() - held
    if outcome == "table":
        outcome = target.faults(found, path) or outcome
    if outcome in ("table", "refused"):
        outcome = _beside(warned, heard.getvalue(), seconds, grown) or outcome
        if before and sorted(folder.rglob("*")) != before:
            outcome = "a file written or removed beside the input"
    return outcome, seconds, max(grown, 0.0)


def _beside(warned: list, heard: str, seconds: float, grown: float) -> str:
    if warned:
        return f"a warning: {str(warned[0].message)[:100]}"
    if heard:
        return f"printed: {heard[:100]!r}"
    if _SEEN:
        return _SEEN[0]
    if seconds > SECONDS:
        return f"{seconds:.1f} seconds"
    return f"{grown:.0f} MB" if grown > MEGABYTES else ""


def _audit(event: str, args: tuple) -> None:
    """Note what a reader may not do: write outside its folder, start a program, open a connection."""
    allowed = _FOLDER["allowed"]
    if not allowed:
        return
    if event == "open":
        path, _mode, flags = args
        if isinstance(path, str) and isinstance(flags, int) and flags & _WRITES and not path.startswith(allowed):
            _SEEN.append(f"wrote {path}")
    elif event in ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink"):
        path = os.fsdecode(args[0]) if isinstance(args[0], str | bytes | os.PathLike) else ""
        if path and Path(path).is_absolute() and not path.startswith(allowed):
            _SEEN.append(f"{event} {path}")
    elif event in ("os.system", "subprocess.Popen", "os.exec", "os.posix_spawn", "socket.connect", "os.startfile"):
        _SEEN.append(event)


def _held() -> float:
    """Return the megabytes held now, and begin to count the most anew where the system can."""
    try:
        with Path("/proc/self/clear_refs").open("w", encoding="ascii") as file:
            file.write("5")
        with Path("/proc/self/statm").open(encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except (OSError, AttributeError, ValueError):
        return _most()


def _most() -> float:
    """Return the most megabytes held since `_held`, or since the process began."""
    try:
        with Path("/proc/self/status").open(encoding="ascii") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024 / 1e6
    except (OSError, StopIteration):
        if resource is None:
            return 0.0
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6


# --- many inputs ------------------------------------------------------------------------------------------

_STATE = struct.Struct("qqqqdd")  # next input, tables, refused, violations, slowest, largest


def run_target(target: Target, row: Row, count: int, keep: Path, tell: Callable[[Row], None] = lambda row: None) -> Row:
    """Read the inputs of a target from where `row` ends up to `count`; tell how far it is now and then."""
    target.seeds()
    state = mmap.mmap(-1, _STATE.size)
    slowest, largest = _number(row.slowest), _number(row.largest)
    state[:] = _STATE.pack(row.inputs, row.tables, row.refused, row.violations, slowest, largest)
    while (number := _STATE.unpack(state[:])[0]) < count:
        end = min(number + BLOCK, count)
        if _FORKS:
            _in_a_child(target, row, end, state, keep, tell, count)
        else:
            _block(target, row.seed, end, state, keep)
        _take(row, state)
        tell(row)
    _take(row, state)
    return row


def _take(row: Row, state: mmap.mmap) -> None:
    row.inputs, row.tables, row.refused, row.violations, slowest, largest = _STATE.unpack(state[:])
    row.slowest = next((f"under {bound:g} s" for bound in (0.25, 0.5, 1, SECONDS) if slowest <= bound), "over 2 s")
    row.largest = next((f"under {bound} MB" for bound in (50, 100, MEGABYTES) if largest <= bound), "over 200 MB")


def _number(text: str) -> float:
    return float(text.split()[1]) if text else 0.0


def _block(target: Target, seed: int, end: int, state: mmap.mmap, keep: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        folder, old = Path(place).resolve(), tempfile.tempdir
        (folder / "tmp").mkdir()
        try:
            while (now := _STATE.unpack(state[:]))[0] < end:
                number, tables, refused, violations, slowest, largest = now
                tempfile.tempdir = None
                seen, content = target.input(number, seed)
                tempfile.tempdir = str(folder / "tmp")
                if _FORKS:
                    signal.setitimer(signal.ITIMER_PROF, HARD_SECONDS)
                outcome, seconds, grown = attempt(target, seen, content, folder)
                if outcome.endswith((" seconds", " MB")):  # a busy machine, or the first use of a library: once more
                    outcome, seconds, grown = attempt(target, seen, content, folder)
                if _FORKS:
                    signal.setitimer(signal.ITIMER_PROF, 0)
                if outcome not in ("table", "refused"):
                    _keep(keep, target, number, seen, content, outcome)
                tables, refused = tables + (outcome == "table"), refused + (outcome == "refused")
                violations += outcome not in ("table", "refused")
                state[:] = _STATE.pack(
                    number + 1, tables, refused, violations, max(slowest, seconds), max(largest, grown)
                )
        finally:
            tempfile.tempdir = old


def _in_a_child(target: Target, row: Row, end: int, state: mmap.mmap, keep: Path, tell, count: int) -> None:
    """Read inputs in a forked process; where the system ends it, its input breaks the rules and the next is read."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            signal.signal(signal.SIGPROF, signal.SIG_DFL)
            with Path("/proc/self/statm").open(encoding="ascii") as file:
                address_space = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
            resource.setrlimit(resource.RLIMIT_AS, (address_space + HARD_BYTES, address_space + HARD_BYTES))
        except OSError:
            pass  # no /proc: memory is measured, not limited
        try:
            gc.freeze()
            sys.addaudithook(_audit)
            _block(target, row.seed, end, state, keep)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.05)
        if time.monotonic() - _LAST[0] > 5:
            _LAST[0] = time.monotonic()
            _take(row, state)
            tell(row)
    if status:
        now = list(_STATE.unpack(state[:]))
        how = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "an error of the campaign itself"
        seen, content = target.input(now[0], row.seed)
        _keep(keep, target, now[0], seen, content, f"ended by the system ({how})")
        now[0], now[3] = now[0] + 1, now[3] + 1
        now[4] = max(now[4], float(HARD_SECONDS)) if how == "SIGPROF" else now[4]
        state[:] = _STATE.pack(*now)


_LAST = [0.0]


def _keep(keep: Path, target: Target, number: int, seed: Seed, content: bytes, outcome: str) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    (keep / f"{target.name}-{number}{'.' + seed.part if seed.part else ''}{seed.suffix}").write_bytes(content)
    with (keep / "found.txt").open("a", encoding="utf-8") as file:
        file.write(f"{target.name} {number}: {outcome}\n")


# --- an input made smaller ------------------------------------------------------------------------------------


def smaller(target: Target, seed: Seed, content: bytes, folder: Path) -> bytes:
    """Take lines, then bytes, out of an input as long as the same comes of it."""
    wanted = attempt(target, seed, content, folder)[0].split("(")[-1]
    step = max(len(content) // 2, 1)
    while step >= 1:
        at, shorter = 0, False
        while at < len(content):
            tried = content[:at] + content[at + step :]
            if tried and attempt(target, seed, tried, folder)[0].split("(")[-1] == wanted:
                content, shorter = tried, True
            else:
                at += step
        step = step // 2 if not shorter or step > 1 else 0
    return content


# --- campaign -------------------------------------------------------------------------------------------------


def read_rows(path: Path) -> dict[str, Row]:
    """Return the rows of a campaign by target; none where it has not begun."""
    if not path.is_file():
        return {}
    kinds = {each.name: int if each.type == "int" else str for each in fields(Row)}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [Row(**{name: kinds[name](text) for name, text in line.items()}) for line in csv.DictReader(file)]
    return {row.target: row for row in rows}


def write_rows(rows: dict[str, Row], path: Path) -> None:
    """Write the rows of a campaign, sorted by target; the file appears whole or not at all."""
    made = path.with_suffix(".part")
    with made.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [each.name for each in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(rows[name]) for name in sorted(rows))
    made.replace(path)


def campaign(names: list[str], count: int, seed: int, out: Path, keep: Path) -> Iterator[Row]:
    """Run the targets in turn and write the rows as they grow; yield each when it is done."""
    rows = {name: row for name, row in read_rows(out).items() if row.seed == seed}
    for name in names:
        row = rows.setdefault(name, Row(name, seed=seed))
        with tempfile.TemporaryDirectory(prefix="fuzz-") as place, contextlib.suppress(Exception):
            for good in TARGETS[name].seeds()[:2]:  # libraries are loaded before processes are forked
                attempt(TARGETS[name], good, good.content, Path(place).resolve())
        yield run_target(TARGETS[name], row, count, keep, lambda _: write_rows(rows, out))
        write_rows(rows, out)


def main() -> int:
    """Run a campaign; 0 where every outcome was a table or a typed error."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=COUNT, help="inputs for each target")
    parser.add_argument("--target", choices=sorted(TARGETS), action="append", help="only these")
    parser.add_argument("--seed", type=int, default=2030)
    parser.add_argument("--out", type=Path, default=RESULT, help="rows of the campaign; it goes on from them")
    parser.add_argument("--keep", type=Path, default=Path("fuzz-found"), help="where inputs that break a rule go")
    parser.add_argument("--again", nargs=2, metavar=("TARGET", "NUMBER"), help="read one input of a campaign again")
    parser.add_argument("--smaller", type=Path, help="make a kept input of --target smaller")
    told = parser.parse_args()
    if told.again or told.smaller:
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place).resolve()
            target = TARGETS[told.again[0] if told.again else told.target[0]]
            if told.again:
                print(*attempt(target, *target.input(int(told.again[1]), told.seed), folder))
            else:
                parts = told.smaller.name.split(".")
                seed = Seed(b"", told.smaller.suffix, parts[1] if len(parts) > 2 else "")
                sys.stdout.buffer.write(smaller(target, seed, told.smaller.read_bytes(), folder))
        return 0
    broken = 0
    for row in campaign(told.target or list(ORDER), told.count, told.seed, told.out, told.keep):
        came = f"{row.tables} tables, {row.refused} refused, {row.violations} against the rules"
        print(f"{row.target}: {row.inputs} inputs, {came}, {row.slowest}, {row.largest}", flush=True)
        broken += row.violations
    return min(broken, 1)


if __name__ == "__main__":
    sys.exit(main())
