"""Trends of short annual series: Theil-Sen slopes, Kendall's test, and a second test that allows for AR(1)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd
from scipy import special, stats

from vlr_analysis.language import coded
from vlr_analysis.regression import ar1_phi
from vlr_analysis.series import SERIES_KEY, SeriesSet, as_series, with_ends

LEAST = 5  # fewer points are described, never tested
ROBUST, NOT_ROBUST, NONE, UNKNOWN = (
    coded("robust trend"),
    coded("trend not robust"),
    coded("no clear trend"),
    coded("cannot tell"),
)
SEEN = (ROBUST, NOT_ROBUST, "trend")
TOWARDS, AWAY = coded("towards the goal"), coded("away from the goal")
# What the sensitivity of a trend tries, and how a reason names it.
CHOICES = {
    "without_first": coded("without the first year"),
    "without_last": coded("without the last year"),
    "without_2020": coded("without 2020"),
    "hamed_rao": coded("by the test of Hamed and Rao"),
}
KEY = list(SERIES_KEY)
_STATISTICS = ("slope_per_year", "slope_low", "slope_high", "intercept", "tau", "p", "p_ar1", "phi")
DEFINITION_KEY = ["indicator", "series", "unit"]
_FULL_YEAR = {"A": 1, "Q": 4, "M": 12, "W": 52, "D": 365}  # values of a complete year, by frequency

# Pairs of points held in memory at a time; larger tables are worked through in pieces that fit a processor's cache.
_PAIRS_AT_A_TIME = 200_000


@dataclass(frozen=True)
class TrendStatistics:
    """Trend of each of m series; every field has shape (m,).

    Attributes
    ----------
    slope, low, high : array
        Theil-Sen slope and Sen's 95 % interval, in units of the value per year.
    intercept : array
        Of the Sen line, at year 0: median(y) - slope * median(t).
    s, tau : array
        Kendall's score and tau-b.
    p : array
        Kendall's test: exact without ties, asymptotic with.
    phi : array
        Bias-corrected lag-1 correlation about the Sen line, 0 to 0.9.
    p_ar1 : array
        The same score tested with its variance inflated for that correlation.
    """

    slope: np.ndarray
    low: np.ndarray
    high: np.ndarray
    intercept: np.ndarray
    s: np.ndarray
    tau: np.ndarray
    p: np.ndarray
    phi: np.ndarray
    p_ar1: np.ndarray


@lru_cache(maxsize=256)
def _exact_tail(n: int) -> np.ndarray:
    """P(inversions <= k) of a random permutation of n, for k = 0 .. n(n-1)/2."""
    density = np.ones(1)
    for size in range(2, n + 1):
        density = np.convolve(density, np.full(size, 1 / size))
    return np.cumsum(density)


def _tie_terms(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sums over groups of equal values u, by row: u(u-1)(2u+5) and u(u-1)."""
    ordered = np.sort(values, axis=1)
    tied = np.flatnonzero((ordered[:, 1:] == ordered[:, :-1]).any(axis=1))
    big, pair = np.zeros(len(values)), np.zeros(len(values))
    if len(tied):
        some = values[tied]
        size = (some[:, :, None] == some[:, None, :]).sum(axis=2)  # each value's group; its u members say the same
        big[tied] = (size * (size - 1) * (2 * size + 5) / size).sum(axis=1)
        pair[tied] = (size - 1).sum(axis=1)
    return big, pair


def trend_statistics(t: np.ndarray, y: np.ndarray, alpha: float = 0.05) -> TrendStatistics:
    """Trend of m series of n points each.

    Parameters
    ----------
    t : array, shape (m, n)
        Decimal years, ascending within a row; uneven gaps are taken as they are.
    y : array, shape (m, n)
        Values without NaN; missing years are left out before, never filled.
    alpha : float
        One minus the coverage of Sen's interval.

    Returns
    -------
    TrendStatistics

    Notes
    -----
    Slopes and their interval: Sen 1968, doi:10.1080/01621459.1968.10480934. Test: Kendall 1938,
    doi:10.1093/biomet/30.1-2.81; exact null distribution where nothing is tied. Second test: the
    variance of the score times 1 + 2 sum (1 - k/n) phi^k. Equal to `scipy.stats.theilslopes`
    and `scipy.stats.kendalltau`, and much faster on many series. Not for seasonal data.
    """
    m, n = y.shape
    size = max(1, _PAIRS_AT_A_TIME // (n * (n - 1) // 2))
    pieces = [_statistics(t[i : i + size], y[i : i + size], alpha) for i in range(0, m, size)]
    return TrendStatistics(*(np.concatenate(parts) for parts in zip(*pieces, strict=True)))


def _statistics(t: np.ndarray, y: np.ndarray, alpha: float) -> tuple[np.ndarray, ...]:
    n = y.shape[1]
    i, j = np.triu_indices(n, 1)
    rise = y[:, j] - y[:, i]
    s = np.sign(rise).sum(axis=1)
    slopes = rise / (t[:, j] - t[:, i])
    slopes.sort(axis=1)
    middle = slopes.shape[1] // 2
    slope = (slopes[:, middle - 1 + slopes.shape[1] % 2] + slopes[:, middle]) / 2
    intercept = np.median(y, axis=1) - slope * np.median(t, axis=1)
    big, pair = _tie_terms(y)
    pairs = n * (n - 1)
    variance = (pairs * (2 * n + 5) - big) / 18
    low, high = _sen_interval(slopes, variance, alpha)
    phi = ar1_phi(_noiseless(y - slope[:, None] * t - intercept[:, None], y), 2, 0.9)
    with np.errstate(divide="ignore", invalid="ignore"):
        tau = s / np.sqrt(pairs / 2 * (pairs - pair) / 2)
        z = s / np.sqrt(variance)
        z_ar1 = np.maximum(np.abs(s) - 1, 0) / np.sqrt(variance * _inflation(phi, n))
    p = np.where(pair > 0, 2 * special.ndtr(-np.abs(z)), _exact_p(s, n))
    return slope, low, high, intercept, s, tau, p, phi, 2 * special.ndtr(-z_ar1)


def _inflation(phi: np.ndarray, n: int) -> np.ndarray:
    """1 + 2 sum over k of (1 - k/n) phi^k, by Horner's rule."""
    total = np.zeros_like(phi)
    for k in range(n - 1, 0, -1):
        total = (total + (1 - k / n)) * phi
    return 1 + 2 * total


def _noiseless(residuals: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Set residuals that are only rounding noise to zero: they carry no correlation."""
    return np.where(np.abs(residuals) < 1e-11 * np.abs(y).max(axis=1, keepdims=True), 0.0, residuals)


def _exact_p(s: np.ndarray, n: int) -> np.ndarray:
    discordant = np.rint((n * (n - 1) / 2 - np.abs(s)) / 2).astype(int)
    return np.minimum(1.0, 2 * _exact_tail(n)[discordant])


def _sen_interval(slopes: np.ndarray, variance: np.ndarray, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    count = slopes.shape[1]
    reach = special.ndtri(1 - alpha / 2) * np.sqrt(variance)
    upper = np.minimum(np.rint((count + reach) / 2).astype(int), count - 1)
    lower = np.maximum(np.rint((count - reach) / 2).astype(int) - 1, 0)
    rows = np.arange(len(slopes))
    return slopes[rows, lower], slopes[rows, upper]


def hamed_rao_p(t: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Kendall's score tested with the variance of Hamed and Rao, shape (m,); a labelled sensitivity, never the default.

    Uses every lag whose rank correlation (of values with the Sen line taken out) is outside its
    95 % band. NaN where the corrected variance turns negative. Rejects 8.5 % of trendless series of
    15 points where 5 % is promised. Hamed and Rao 1998, doi:10.1016/S0022-1694(97)00125-X.
    """
    n = y.shape[1]
    base = trend_statistics(t, y)
    ranks = stats.rankdata(y - base.slope[:, None] * t, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    total = (ranks**2).sum(axis=1)
    lags = np.arange(1, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.stack([(ranks[:, k:] * ranks[:, :-k]).sum(axis=1) / total for k in lags], axis=1)
        keep = np.abs(rho) > special.ndtri(0.975) / np.sqrt(n)
        weights = (n - lags) * (n - lags - 1) * (n - lags - 2)
        inflation = 1 + 2 / (n * (n - 1) * (n - 2)) * (np.where(keep, rho, 0) * weights).sum(axis=1)
        variance = (n * (n - 1) * (2 * n + 5) - _tie_terms(y)[0]) / 18 * inflation
        z = np.maximum(np.abs(base.s) - 1, 0) / np.sqrt(np.where(variance > 0, variance, np.nan))
    return 2 * special.ndtr(-z)


def benjamini_hochberg(p: np.ndarray) -> np.ndarray:
    """Return adjusted p-values of one family, same shape; NaN stays NaN and does not count.

    Controls the share of false discoveries. Benjamini and Hochberg 1995,
    doi:10.1111/j.2517-6161.1995.tb02031.x.
    """
    return _adjusted(p, "bh")


def benjamini_yekutieli(p: np.ndarray) -> np.ndarray:
    """Return adjusted p-values that hold under any dependence; a stricter sensitivity. doi:10.1214/aos/1013699998."""
    return _adjusted(p, "by")


def _adjusted(p: np.ndarray, method: str) -> np.ndarray:
    p = np.asarray(p, dtype=float)
    out, seen = np.full(p.shape, np.nan), ~np.isnan(p)
    if seen.any():
        out[seen] = stats.false_discovery_control(p[seen], method=method)
    return out


# --- the whole table -------------------------------------------------------------------------------


def yearly(table: pd.DataFrame) -> SeriesSet:
    """Split a table into series fit for a trend: one value a year, none overlapping, nothing from before a break.

    Quarters, months, weeks and days become means of complete calendar years. Of pooled years that
    overlap every second or third is kept, counted back from the latest. Where a row has the status
    ``break``, the series begins there. The keys gain a column `note` that says what was done.
    """
    whole = as_series(table)
    keys, points = whole.keys, whole.points
    row, notes = points["row"].to_numpy(), np.full(len(keys), "", dtype=object)
    begin = np.zeros(len(keys), dtype=int)  # first point that counts
    breaks = np.flatnonzero((points["status"] == "break").to_numpy())
    np.maximum.at(begin, row[breaks], breaks)
    for broken in np.unique(row[breaks]):
        notes[broken] = coded("from the break of {iloc} on", iloc=points["period"].iloc[begin[broken]])
    kept = np.arange(len(row)) >= begin[row]
    full = keys["freq"].map(_FULL_YEAR).to_numpy(float)
    shorter = (full > 1) & (keys["n"] > 0).to_numpy()
    pooled = keys["overlapping"].to_numpy() & (full == 1)
    _add_note(notes, shorter, coded("means of complete calendar years"))
    _add_note(notes, pooled, coded("every pooled period that shares no year with a later one kept"))
    hidden = keys["n_hidden"].to_numpy() * (keys["n"] > 0).to_numpy()
    for count in np.unique(hidden[hidden > 0]):
        _add_note(notes, hidden == count, coded("suppressed values that are not counted: {count}", count=count))
    for one in np.flatnonzero(pooled):
        _thin(points, np.flatnonzero(kept & (row == one)), kept)
    parts = [points[kept & ~shorter[row]]]
    if shorter.any():
        parts.append(_year_means(points[kept & shorter[row]], full))
        parts = [pd.concat(parts).sort_values("row", kind="stable")]
    points = parts[0].reset_index(drop=True)
    return SeriesSet(with_ends(keys.assign(note=pd.Series(notes, keys.index, dtype=str)), points), points)


def _add_note(notes: np.ndarray, rows: np.ndarray, text: str) -> None:
    notes[rows] = [f"{note}; {text}" if note else text for note in notes[rows]]


def _thin(points: pd.DataFrame, places: np.ndarray, kept: np.ndarray) -> None:
    """Of pooled years that overlap keep those, counted back from the latest, that share no year with a later one."""
    start, end = points["start"].to_numpy(), points["end"].to_numpy()
    begin = np.inf
    for place in places[::-1]:
        kept[place] = end[place] <= begin + 1e-6
        begin = start[place] if kept[place] else begin


def _year_means(points: pd.DataFrame, full: np.ndarray) -> pd.DataFrame:
    """Return the means of complete calendar years of series with shorter periods."""
    year = np.floor(points["t"]).astype(int).rename("year")
    means = points.groupby(["row", year])["value"].agg(["mean", "size"]).reset_index()
    means = means[means["size"] >= full[means["row"]]]
    years = means["year"].to_numpy()
    frame = {"row": means["row"], "period": years.astype(str), "t": years + 0.5, "start": years + 0.0}
    rest = {"end": years + 1.0, "value": means["mean"], "low": np.nan, "high": np.nan, "status": "value"}
    return pd.DataFrame(frame | rest)


def trend_table(
    table: pd.DataFrame,
    definitions: pd.DataFrame | None = None,
    *,
    alpha: float = 0.05,
    family: pd.Series | None = None,
) -> pd.DataFrame:
    """Trend of every series of a table.

    Parameters
    ----------
    table : DataFrame
        Observations, any areas and breakdowns.
    definitions : DataFrame, optional
        Desired direction of each (indicator, series, unit); without it, no movement is judged.
    alpha : float
        Level of the tests, and one minus the coverage of the intervals.
    family : Series of bool, optional
        Which rows of the result form, within each area, the family that is corrected for multiple
        tests; left out: every headline series of the area. Other rows form a second family.

    Returns
    -------
    DataFrame, one row per series
        The key of the series; `n`, `first`, `last`, `note` (points used, as `yearly` says);
        `slope_per_year`, `slope_low`, `slope_high` (unit per year), `intercept`; `tau`, `p`,
        `p_ar1`, `phi`; `q`, `q_ar1` (Benjamini-Hochberg within the family); `verdict`, `movement`
        (towards or away from the goal, where a trend is seen and the direction is known), `reason`;
        `default` (the verdict before it is graded); `without_first`, `without_last`, `without_2020`
        (verdicts with those years left out), `hamed_rao` (whether that test rejects: trend, no clear
        trend, cannot tell); `flips` (which of these four say otherwise, joined by ``; ``).

    Notes
    -----
    "robust trend": both tests reject after correction, and no choice flips it. "trend not robust":
    Kendall's test rejects, but the one that allows for AR(1) does not, or a choice flips the verdict.
    "cannot tell": fewer than 5 points. A choice that leaves too few points to test flips nothing.
    Not for reading the years after a shock: a rise from 2020 on may be recovery.
    """
    series = yearly(table)
    keys = series.keys.copy()
    found, flat = _measured(series, alpha)
    keys[list(_STATISTICS)] = found
    families = _families(keys, family)
    keys["q"], keys["q_ar1"] = (_corrected(families, keys[name].to_numpy()) for name in ("p", "p_ar1"))
    keys["default"] = _verdicts(keys["n"], keys["q"], keys["q_ar1"], alpha)
    keys["reason"] = _reasons(keys, flat)
    for name, dropped in series.edges().items():
        other = series.without(dropped)
        p, p_ar1 = (_corrected(families, p) for p in _measured(other, alpha)[0][:, [5, 6]].T)
        keys[name] = _verdicts(other.keys["n"], p, p_ar1, alpha)
    p = _corrected(families, _hamed_rao_p(series))
    keys["hamed_rao"] = np.select([np.isnan(p), p <= alpha], [UNKNOWN, "trend"], NONE)
    keys["flips"] = _flips(keys)
    graded = (keys["default"] == ROBUST) & (keys["flips"] != "")
    keys["verdict"] = np.where(graded, NOT_ROBUST, keys["default"])
    hangs = [coded("does not hold {flips}", flips=flips.replace("; ", " or ")) for flips in keys["flips"].astype(str)]
    keys["reason"] = np.where(graded, hangs, keys["reason"])
    keys["movement"] = _movement(keys, definitions)
    order = [*KEY, "freq", "n", "first", "last", *_STATISTICS, "q", "q_ar1", "verdict", "movement", "reason", "note",
             "default", *CHOICES, "flips", "has_interval", "source"]  # fmt: skip
    return keys[order]


def _measured(series: SeriesSet, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the statistics of every series, shape (m, 8), NaN where it is too short; and which never change."""
    found, flat = np.full((len(series.keys), len(_STATISTICS)), np.nan), np.zeros(len(series.keys), dtype=bool)
    for block in series.blocks():
        if block.y.shape[1] < LEAST:
            continue
        line = trend_statistics(block.t, block.y, alpha)
        same = np.ptp(block.y, axis=1) == 0
        flat[block.rows] = same
        values = [line.slope, line.low, line.high, line.intercept, line.tau, line.p, line.p_ar1, line.phi]
        values = np.stack(values, axis=1)
        values[same, 0], values[same, 4:] = 0.0, [0.0, 1.0, 1.0, 0.0]
        found[block.rows] = values
    return found, flat


def _families(keys: pd.DataFrame, family: pd.Series | None) -> list[np.ndarray]:
    """Return the places of the series that are corrected together."""
    member = (keys["breakdown"] == "") if family is None else family
    return list(keys.groupby([keys["area"], member]).indices.values())


def _corrected(families: list[np.ndarray], p: np.ndarray) -> np.ndarray:
    out = np.full(len(p), np.nan)
    for places in families:
        out[places] = benjamini_hochberg(p[places])
    return out


def _hamed_rao_p(series: SeriesSet) -> np.ndarray:
    p = np.full(len(series.keys), np.nan)
    for block in series.blocks():
        if block.y.shape[1] >= LEAST:
            p[block.rows] = np.where(np.ptp(block.y, axis=1) == 0, 1.0, hamed_rao_p(block.t, block.y))
    return p


def _flips(keys: pd.DataFrame) -> np.ndarray:
    """Name the choices under which a trend is seen where the default sees none, or the other way round."""
    known, seen = keys["default"] != UNKNOWN, keys["default"].isin(SEEN)
    told = np.full(len(keys), "", dtype=object)
    for name, words in CHOICES.items():
        other = known & (keys[name] != UNKNOWN) & (keys[name].isin(SEEN) != seen)
        told = told + np.where(other, "; " + words, "")
    return np.array([text.removeprefix("; ") for text in told], dtype=object)


def _verdicts(n: pd.Series, q: np.ndarray, q_ar1: np.ndarray, alpha: float) -> np.ndarray:
    first, second = np.asarray(q) <= alpha, np.asarray(q_ar1) <= alpha
    return np.select([n < LEAST, first & second, first], [UNKNOWN, ROBUST, NOT_ROBUST], NONE)


def few_values(n: int) -> str:
    """Say that n yearly values are too few for a trend."""
    if n == 1:
        return coded("1 yearly value, at least {least} are needed", least=LEAST)
    return coded("{n} yearly values, at least {least} are needed", n=n, least=LEAST)


def _reasons(keys: pd.DataFrame, flat: np.ndarray) -> np.ndarray:
    few = [few_values(n) for n in keys["n"]]
    texts = [
        few,
        coded("every value is the same"),
        coded("the test that allows for correlated years does not confirm it"),
    ]
    return np.select([keys["n"] < LEAST, flat, keys["default"] == NOT_ROBUST], texts, "")


def _movement(keys: pd.DataFrame, definitions: pd.DataFrame | None) -> np.ndarray:
    if definitions is None:
        return np.full(len(keys), "")
    sign = np.sign(keys["slope_per_year"].to_numpy()) * direction_sign(keys, definitions)
    seen = keys["verdict"].isin(SEEN)
    return np.select([seen & (sign > 0), seen & (sign < 0)], [TOWARDS, AWAY], "")


def direction_sign(keys: pd.DataFrame, definitions: pd.DataFrame) -> np.ndarray:
    """Return, for each series of `keys`, +1 where more is better, -1 where less is, 0 where nobody has said."""
    known = keys[DEFINITION_KEY].merge(definitions, on=DEFINITION_KEY, how="left")["direction"].fillna("")
    return np.select([known == "increase", known == "decrease"], [1, -1], 0)


def trend_sensitivity(trend: pd.DataFrame) -> pd.DataFrame:
    """Say which trend verdicts hang on a single choice.

    Parameters
    ----------
    trend : DataFrame
        From `trend_table`.

    Returns
    -------
    DataFrame, one row per headline series with at least five points
        The key; `default`; the verdict under each choice (columns as in `trend_table`); `flips`; `verdict`
        as graded: a robust trend that one choice flips is told as not robust.
    """
    rows = trend[(trend["breakdown"] == "") & (trend["default"] != UNKNOWN)]
    return rows[[*KEY, "default", *CHOICES, "flips", "verdict"]].reset_index(drop=True)
