"""Measure the error rates of every default on simulated series whose truth is known. Run by `make calibration`.

Writes docs/methods/calibration.csv, the charts beside it and the tables of docs/methods/calibration.md. Every
cell of the study has a seed of its own, so that any of them can be repeated alone and in any order.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from vlr_analysis import counterfactual, links, regression, trends
from vlr_analysis.counterfactual import POINTS_A_YEAR
from vlr_analysis.shock_groups import Dates, Group, phases
from vlr_analysis.shock_readings import level_reading, path_reading

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "docs" / "methods"
SEED = 2030
ANNUAL, MONTHLY = (5, 8, 10, 15, 25), (60, 96, 168)
PHIS = (0.0, 0.3, 0.6, 0.8)
WALK = "random walk"
IDENTITY = ("identity", float("nan"), float("nan"))
SHOCK, DATES = 2020.0, Dates.of("2020-01", "2022-01")
COLUMNS = ["study", "freq", "n", "process", "quantity", "rate", "draws", "at_least", "at_most"]


def noise(rng: np.random.Generator, m: int, n: int, process: float | str) -> np.ndarray:
    """M series of n points with variance one: AR(1) with the phi given, or a random walk of unit steps."""
    steps = rng.standard_normal((m, n))
    if process == WALK:
        return steps.cumsum(axis=1)
    scale = np.sqrt(1 - process**2)
    for i in range(1, n):
        steps[:, i] = process * steps[:, i - 1] + scale * steps[:, i]
    return steps


def generator(*cell: object) -> np.random.Generator:
    """Return the generator of one cell of the study."""
    return np.random.default_rng([SEED, zlib.crc32(repr(cell).encode())])


def row(study, freq, n, process, quantity, rate, draws, at_least=np.nan, at_most=np.nan) -> dict:
    """One measured rate, and the bar it has to keep (NaN: none)."""
    told = process if isinstance(process, str) else f"phi {process:g}"
    return dict(zip(COLUMNS, (study, freq, n, told, quantity, float(rate), draws, at_least, at_most), strict=True))


# --- trends ----------------------------------------------------------------------------------------


def trend_cell(n: int, process: float | str, draws: int) -> Iterator[dict]:
    """False positives of the tests on series without a trend, and coverage of Sen's interval with one."""
    rng = generator("trend", n, process)
    y = noise(rng, draws, n, process)
    t = np.broadcast_to(np.arange(float(n)), y.shape)
    found = trends.trend_statistics(t, y)
    robust = (found.p <= 0.05) & (found.p_ar1 <= 0.05)
    bar = 0.07 if process in (0.0, 0.3, 0.5) else np.nan
    yield row("trend", "A", n, process, "Kendall alone, false positives", (found.p <= 0.05).mean(), draws)
    yield row("trend", "A", n, process, "robust trend, false positives", robust.mean(), draws, at_most=bar)
    p = trends.hamed_rao_p(t, y)
    yield row("trend", "A", n, process, "Hamed-Rao, false positives", (p <= 0.05).mean(), draws)
    covered = ((found.low <= 0) & (found.high >= 0)).mean()
    yield row("trend", "A", n, process, "Sen's interval, coverage", covered, draws)
    for slope in (0.1, 0.3, 0.5):
        found = trends.trend_statistics(t, y + slope * t)
        robust = (found.p <= 0.05) & (found.p_ar1 <= 0.05)
        yield row("trend", "A", n, process, f"robust trend, power at {slope} SD a year", robust.mean(), draws)


# --- shocks ----------------------------------------------------------------------------------------


def group_of(y: np.ndarray, before: int, freq: str, sign: float = 1.0) -> Group:
    """Return series whose first `before` points lie before 2020, as one group."""
    m, n = y.shape
    year = POINTS_A_YEAR[freq]
    edges = SHOCK + (np.arange(n + 1) - before) / year
    t = np.broadcast_to((edges[:-1] + edges[1:]) / 2, y.shape)
    kind = "annual" if freq == "A" else "seasonal"
    phase = phases(edges[:-1], edges[1:], SHOCK)
    return Group(
        np.arange(m), kind, freq, IDENTITY, np.full(m, sign), t, y, edges[:-1], phase, np.zeros(m, bool), False
    )


def read(y: np.ndarray, before: int, freq: str) -> dict[str, np.ndarray]:
    """Both readings of series in which more is better."""
    group = group_of(y, before, freq)
    labels = np.broadcast_to(np.array([f"{v:.3f}" for v in group.t[0]], dtype=object), y.shape)
    return level_reading(group, DATES, labels) | path_reading(group, DATES, labels, SEED)


def annual_cell(n: int, process: float | str, draws: int) -> Iterator[dict]:
    """Coverage of the counterfactual one to three years ahead, clear shocks where there is none, and power."""
    y = noise(generator("annual", n, process), draws, n + 3, process)
    t = np.broadcast_to(np.arange(n + 3) + 0.5, y.shape)
    low, high = {0.0: (0.93, 0.97), 0.6: (0.88, np.nan)}.get(process, (np.nan, np.nan))
    window = slice(max(0, n - 10), n)
    for name, (_, lower, upper, *_) in {
        "line": regression.line_interval(t[:, window], y[:, window], t[:, n:]),
        "random walk interval": regression.random_walk_interval(t[:, window], y[:, window], t[:, n:]),
    }.items():
        covered = (y[:, n:] >= lower) & (y[:, n:] <= upper)
        bars = (low, high) if name == "line" and n >= counterfactual.INTERVAL_LEAST else (np.nan, np.nan)
        yield row("counterfactual", "A", n, process, f"{name}, coverage", covered.mean(), draws, *bars)
        for year in range(3):
            told = f"{name}, coverage {year + 1} ahead"
            yield row("counterfactual", "A", n, process, told, covered[:, year].mean(), draws)
    if n < counterfactual.INTERVAL_LEAST:
        return
    bar = 0.05
    for size in (0, 1, 2, 3):
        got = read(y - size * (np.arange(n + 3) >= n), n, "A")
        quantity = "clear shock, false positives" if size == 0 else f"clear shock, power at {size} SD"
        rate = got["shock_clear"].mean()
        yield row("shock", "A", n, process, quantity, rate, draws, at_most=bar if size == 0 else np.nan)


def monthly_cell(n: int, process: float | str, draws: int) -> Iterator[dict]:
    """False positives and power of a step in months, two years of them after the shock."""
    y = noise(generator("monthly", n, process), draws, n, process)
    y += np.cos(2 * np.pi * (np.arange(n) + 0.5) / 12)
    before, year = n - 24, 12
    bar = 0.08 if process != WALK else np.nan
    for size in (0, 1, 2, 3):
        got = read(y - size * (np.arange(n) >= before), before, "M")
        ends = "false positives" if size == 0 else f"power at {size} SD"
        most = bar if size == 0 else np.nan
        yield row("shock", "M", n, process, f"step test, {ends}", (got["step_p"] < 0.05).mean(), draws, at_most=most)
        yield row("shock", "M", n, process, f"clear shock, {ends}", got["shock_clear"].mean(), draws, at_most=most)
        if size == 0:
            inside = ((got["gap_path_low"] <= 0) & (got["gap_path_high"] >= 0)).mean()
            yield row("counterfactual", "M", n, process, f"line, coverage {24 // year} ahead", inside, draws)


def recovery_cell(freq: str, n: int, process: float | str, draws: int) -> Iterator[dict]:
    """Recovery verdicts of planted shocks of three standard deviations, gone after two years or still there."""
    year, after = POINTS_A_YEAR[freq], 3 * POINTS_A_YEAR[freq]
    rng = generator("recovery", freq, n, process)
    right, wrong, total = {}, {}, 0
    for truth, back in (("recovered", (1.0, 0.4, 0.0)), ("not yet", (1.0, 1.0, 1.0))):
        y = noise(rng, draws, n + after, process)
        y[:, n:] -= 3 * np.repeat(back, year)
        got = read(y, n, freq)
        total += draws
        for reading in ("level", "path"):
            verdict = got[f"{reading}_verdict"]
            back_again = np.isin(verdict, ["recovered", "ahead"])
            behind = verdict == "not yet"
            hit, miss = (back_again, behind) if truth == "recovered" else (behind, back_again)
            told = f"{reading}, told where {truth} was planted"
            yield row("recovery", freq, n, process, told, (hit | miss).mean(), draws)
            right[reading] = right.get(reading, 0) + hit.sum()
            wrong[reading] = wrong.get(reading, 0) + miss.sum()
    for reading in ("level", "path"):
        told = right[reading] + wrong[reading]
        rate = right[reading] / told if told else np.nan
        yield row("recovery", freq, n, process, f"{reading}, verdicts that are right", rate, total, at_least=0.95)


# --- links -----------------------------------------------------------------------------------------


def links_cell(places: int, measures: int, families: int) -> Iterator[dict]:
    """Families of unrelated measures in which any link is told."""
    rng = generator("links", places, measures)
    any_link, pairs = 0, []
    for _ in range(families):
        wide = pd.DataFrame(rng.standard_normal((places, measures))).rename_axis("unit_id").reset_index()
        table = links.link_table(wide.melt("unit_id", var_name="measure"))
        any_link += (table["verdict"] != links.NO_LINK).any()
        pairs.append((table["p"] <= 0.05).mean())
    study = ("links", "", places, f"{measures} measures")
    yield row(*study, "families with a false link", any_link / families, families, at_most=0.07)
    yield row(*study, "pairs with p <= 0.05", np.mean(pairs), families)


# --- the whole study -------------------------------------------------------------------------------


def cells(scale: float = 1.0) -> list[Callable[[], Iterator[dict]]]:
    """Return every cell of the study; `scale` multiplies the number of simulated series."""
    many, some, few = (max(40, int(count * scale)) for count in (20_000, 1_500, 1_000))
    processes = (*PHIS, WALK)
    long = [n for n in ANNUAL if n >= counterfactual.INTERVAL_LEAST]
    return [
        *(partial(trend_cell, n, process, many) for n in ANNUAL for process in (0.0, 0.3, 0.5, 0.6, 0.8, WALK)),
        *(partial(annual_cell, n, process, many) for n in ANNUAL for process in processes),
        *(partial(monthly_cell, n, process, some) for n in MONTHLY for process in processes),
        *(partial(recovery_cell, "A", n, process, many // 2) for n in long for process in PHIS),
        *(partial(recovery_cell, "M", n, process, some) for n in MONTHLY for process in PHIS),
        *(partial(links_cell, places, 6, few) for places in (6, 7, 10, 18)),
    ]


def study(scale: float = 1.0, report: Callable[[int, int], None] = lambda done, of: None) -> pd.DataFrame:
    """Run every cell and return one row a rate."""
    todo, rows = cells(scale), []
    for place, cell in enumerate(todo):
        rows += list(cell())
        report(place + 1, len(todo))
    return pd.DataFrame(rows, columns=COLUMNS)


def misses(table: pd.DataFrame, tolerance: float = 0.0) -> pd.DataFrame:
    """Return the rates that miss their bar, by more than `tolerance` standard errors of the simulation."""
    slack = tolerance * np.sqrt(table["rate"] * (1 - table["rate"]) / table["draws"])
    low, high = table["rate"] + slack < table["at_least"], table["rate"] - slack > table["at_most"]
    return table[low | high]


if __name__ == "__main__":
    scale = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    import time

    begin = time.time()
    table = study(scale, lambda done, of: sys.stderr.write(f"\r{done}/{of} {time.time() - begin:.0f}s"))
    FOLDER.mkdir(exist_ok=True)
    table.round(4).to_csv("/tmp/calibration.csv", index=False)
    sys.stdout.write(misses(table).to_string())
