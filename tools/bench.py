"""Measure the speed of the whole-table statistics beside loops of the usual packages, in one run. Run by `make bench`.

Prints ratios and writes them to docs/methods/benchmark.csv; times in seconds would only tell of the machine.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pymannkendall
import statsmodels.api as sm
from calibration import write_pages
from rich.progress import track
from scipy import stats

from vlr_analysis import counterfactual, trends

OUT = Path(__file__).resolve().parents[1] / "docs" / "methods" / "benchmark.csv"
SERIES, POINTS, MANY = 10_000, 15, 100_000
BEFORE = 10
IDENTITY = ("identity", float("nan"), float("nan"))
REPEATS = 3  # the fastest of ours counts: a busy machine slows a short run more than a long one


def made(rng: np.random.Generator, m: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return years and random walks, (m, n) each."""
    return np.broadcast_to(np.arange(n) + 2009.5, (m, n)).copy(), rng.standard_normal((m, n)).cumsum(axis=1)


def seconds(call: Callable[[], object], repeats: int = 1) -> tuple[float, object]:
    """Return the shortest time of a call, and what it returned."""
    times, found = [], None
    for _ in range(repeats):
        begin = time.perf_counter()
        found = call()
        times.append(time.perf_counter() - begin)
    return min(times), found


def trend_loop(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One series at a time: Mann-Kendall, exact Kendall, Theil-Sen with interval; (m, 6)."""
    rows = []
    for a, b in track(zip(t, y, strict=True), "trends, one at a time", total=len(y)):
        test = pymannkendall.original_test(b)
        kendall = stats.kendalltau(a, b, method="exact")
        line = stats.theilslopes(b, a)
        rows.append((line.slope, line.low_slope, line.high_slope, kendall.statistic, kendall.pvalue, test.s))
    return np.array(rows)


def one_fit(t: np.ndarray, y: np.ndarray, ahead: float) -> tuple[float, float]:
    """Predict one point with statsmodels: ordinary fit, phi corrected for bias, Prais-Winsten, prediction error."""
    n, design = len(t), sm.add_constant(t - t.mean())
    residuals = sm.OLS(y, design).fit().resid
    phi = np.clip((n * (residuals[1:] @ residuals[:-1]) / (residuals @ residuals) + 2) / (n - 4), 0, 0.9)
    white = np.vstack([design[:1], (design[1:] - phi * design[:-1]) / np.sqrt(1 - phi**2)])
    turned = np.concatenate([y[:1], (y[1:] - phi * y[:-1]) / np.sqrt(1 - phi**2)])
    found = sm.OLS(turned, white).fit().get_prediction(np.array([[1.0, ahead - t.mean()]]))
    return float(found.predicted_mean[0]), float(found.se_obs[0])


def counterfactual_loop(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """One series at a time: counterfactual with interval, and placebo gaps in standard errors; (m, 3 + placebos)."""
    rows = []
    for a, b in track(zip(t, y, strict=True), "counterfactuals, one at a time", total=len(y)):
        mean, se = one_fit(a[:BEFORE], b[:BEFORE], a[BEFORE])
        reach = stats.t.ppf(0.975, BEFORE - 3) * se
        gaps = []
        for place in range(counterfactual.LINE_LEAST, BEFORE + 1):
            expected, error = one_fit(a[max(0, place - 10) : place], b[max(0, place - 10) : place], a[place])
            gaps.append((b[place] - expected) / error)
        rows.append((mean, mean - reach, mean + reach, *gaps))
    return np.array(rows)


def counterfactual_table(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the same of all series at once."""
    path = counterfactual.fit_path(t[:, :BEFORE], y[:, :BEFORE], t[:, [BEFORE]], "A", IDENTITY)
    _, gaps = counterfactual.placebo_gaps(t, y, 10, IDENTITY)
    return np.column_stack([path.mean, *path.interval(), gaps])


def trend_table(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Return the columns of `trend_loop` for all series at once."""
    found = trends.trend_statistics(t, y)
    return np.column_stack([found.slope, found.low, found.high, found.tau, found.p, found.s])


def main(series: int = SERIES) -> int:
    """Measure, print, write; 1 if a ratio or an equality misses its bar."""
    rng = np.random.default_rng(2030)
    rows = []
    for name, table, loop, points, bar in (
        ("trend statistics", trend_table, trend_loop, POINTS, 300),
        ("annual counterfactual with interval and placebos", counterfactual_table, counterfactual_loop, BEFORE + 1, 50),
    ):
        t, y = made(rng, series, points)
        table(t[:100], y[:100])
        ours, got = seconds(lambda table=table, t=t, y=y: table(t, y), REPEATS)
        theirs, want = seconds(lambda loop=loop, t=t, y=y: loop(t, y))
        apart = float(np.max(np.abs(got - want) / np.maximum(1, np.abs(want))))
        rows.append((name, series, points, "times faster than a loop", theirs / ours, bar, theirs / ours >= bar))
        rows.append((name, series, points, "largest difference", apart, 1e-9, apart <= 1e-9))
    t, y = made(rng, MANY, POINTS)
    tracemalloc.start()
    kept = trends.trend_statistics(t, y)
    bytes_each = tracemalloc.get_traced_memory()[1] / MANY / POINTS
    tracemalloc.stop()
    rows.append(
        ("trend statistics", len(kept.p), POINTS, "extra bytes a series and point", bytes_each, 64, bytes_each < 64)
    )
    told = pd.DataFrame(rows, columns=["what", "series", "points", "quantity", "value", "bar", "kept"])
    OUT.parent.mkdir(exist_ok=True)
    told.to_csv(OUT, index=False, float_format="%.3g", lineterminator="\n")
    write_pages()
    sys.stdout.write(told.to_string(index=False, float_format="%.3g") + "\n")
    return int(not told["kept"].all())


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SERIES))
