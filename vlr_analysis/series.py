"""The one table split into its series, as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlr_analysis.periods import decimal_year, parse_period

SERIES_KEY = ("area", "indicator", "series", "unit", "breakdown", "duration")


@dataclass(frozen=True)
class SeriesBlock:
    """Series of one length, as arrays; row i of every array belongs to row `rows[i]` of the keys."""

    rows: np.ndarray  # (m,) positions in SeriesSet.keys
    t: np.ndarray  # (m, n) midpoints, decimal years, ascending
    y: np.ndarray  # (m, n) values, no NaN
    start: np.ndarray  # (m, n) first day, decimal years
    end: np.ndarray  # (m, n) day after the last, decimal years


@dataclass(frozen=True)
class SeriesSet:
    """All series of a table.

    Attributes
    ----------
    keys : DataFrame, one row per series
        `SERIES_KEY` and: `freq` (SDMX code A, Q, M, W, D by the usual distance between points),
        `n` (values), `n_missing` (rows without a value), `first`, `last` (periods as written),
        `overlapping` (pooled periods share years), `has_interval` (the source gives one for every
        value), `has_break` (a row has status ``break``), `source` (ids joined by ``;``).
    points : DataFrame, one row per value
        `row` (position in keys), `period`, `t`, `start`, `end` (decimal years), `value`, `low`,
        `high`, `status`; sorted by row and time. Rows without a value are not here.
    """

    keys: pd.DataFrame
    points: pd.DataFrame

    def blocks(self) -> Iterator[SeriesBlock]:
        """Yield the series grouped by their number of values, so that each group is one array."""
        lengths = self.keys["n"].to_numpy()
        offsets = np.concatenate([[0], np.cumsum(lengths)[:-1]]) if len(lengths) else np.array([], int)
        columns = [self.points[name].to_numpy() for name in ("t", "value", "start", "end")]
        for n in np.unique(lengths[lengths > 0]):
            rows = np.flatnonzero(lengths == n)
            at = offsets[rows][:, None] + np.arange(n)
            yield SeriesBlock(rows, *(column[at] for column in columns))

    def without(self, dropped: np.ndarray) -> SeriesSet:
        """Return the same series less the points that the mask, shape (number of points,), marks."""
        points = self.points[~dropped].reset_index(drop=True)
        return SeriesSet(with_ends(self.keys, points), points)

    def edges(self) -> dict[str, np.ndarray]:
        """Return the points that a sensitivity leaves out, as masks: each series' first year, its last, and 2020."""
        year, row = np.floor(self.points["t"].to_numpy()), self.points["row"].to_numpy()
        new = np.flatnonzero(np.diff(row, prepend=-1))
        length = np.diff(np.append(new, len(row)))
        return {
            "without_first": year == np.repeat(year[new], length),
            "without_last": year == np.repeat(year[new + length - 1], length),
            "without_2020": year == 2020,
        }


def frequency(spacing_years: float) -> str:
    """Return the SDMX frequency code for a usual distance between points, in years."""
    for code, least in (("A", 0.75), ("Q", 0.2), ("M", 0.06), ("W", 0.015)):
        if spacing_years >= least:
            return code
    return "D"


_OWN_SPACING = {"Y": 1.0, "M": 1 / 12, "W": 1 / 52, "D": 1 / 365}


def as_series(table: pd.DataFrame) -> SeriesSet:
    """Split a checked table into its series.

    A series is one (area, indicator, series, unit, breakdown) with periods of one duration:
    yearly and monthly values of the same measure are two series.

    Parameters
    ----------
    table : DataFrame
        Observations as `check` returns them.

    Returns
    -------
    SeriesSet
        Keys in natural sorted order. A series whose every row lacks a value is kept with n = 0.
    """
    # Codes sort and compare as their texts do, and much faster.
    in_time, duration, t, start, end = _in_time(table["period"])
    texts = {name: duration if name == "duration" else table[name].reset_index(drop=True) for name in SERIES_KEY}
    codes = np.array([pd.factorize(text, sort=True)[0] for text in texts.values()]).reshape(len(texts), -1)
    order = np.lexsort((t[in_time], *codes[::-1]))
    codes, in_time = codes[:, order], in_time[order]
    head = np.ones(len(order), dtype=bool)
    head[1:] = (codes[:, 1:] != codes[:, :-1]).any(axis=0)
    row, m = np.cumsum(head) - 1, int(head.sum())
    keys = pd.DataFrame({name: text.take(order[head]).astype(str).to_numpy(object) for name, text in texts.items()})
    keys = keys.astype(str)
    status = table["status"].take(order).reset_index(drop=True)
    known = table["value"].notna().to_numpy()[order]
    points = table[["period", "value", "low", "high", "status"]].take(order[known]).reset_index(drop=True)
    at, mine = in_time[known], row[known]
    points = points.assign(row=mine, t=t[at], start=start[at], end=end[at])
    n = np.bincount(mine, minlength=m)
    keys["n"], keys["n_missing"] = n, np.bincount(row, minlength=m) - n
    keys["n_hidden"] = np.bincount(row[(status == "suppressed").to_numpy()], minlength=m)
    same = mine[1:] == mine[:-1]
    gaps = pd.Series(np.diff(t[at])[same]).groupby(mine[1:][same]).median().reindex(keys.index)
    own = keys["duration"].map({text: _own_spacing(text) for text in keys["duration"].unique()}).astype(float)
    keys["freq"] = pd.Series([frequency(gap) for gap in gaps.fillna(own)], dtype=str)
    keys = with_ends(keys, points)
    keys["overlapping"] = _any(mine[1:][same & (start[at][1:] < end[at][:-1] - 1e-9)], m)
    keys["has_interval"] = (n > 0) & ~_any(mine[points["low"].isna().to_numpy()], m)
    keys["has_break"] = _any(row[(status == "break").to_numpy()], m)
    keys["source"] = _joined(row, table["source"].take(order), m)
    return SeriesSet(keys, points[["row", "period", "t", "start", "end", "value", "low", "high", "status"]])


def _in_time(periods: pd.Series) -> tuple[np.ndarray, pd.Series, np.ndarray, np.ndarray, np.ndarray]:
    """Return the place of each period among the different ones, its duration, and t, start and end of these."""
    places, unique = pd.factorize(periods)
    read = [parse_period(text) for text in unique]
    start, end = (np.array([decimal_year(getattr(period, edge)) for period in read]) for edge in ("start", "end"))
    duration = pd.Series([period.duration for period in read], dtype=str).take(places).reset_index(drop=True)
    return places, duration, (start + end) / 2, start, end


def _own_spacing(duration: str) -> float:
    return float(duration[1:-1]) * _OWN_SPACING[duration[-1]]


def with_ends(keys: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Return keys with `n`, `first` and `last` of these points; the periods of a series without any are empty."""
    n = np.bincount(points["row"], minlength=len(keys))
    stop, some = np.cumsum(n), n > 0
    found = {"n": n}
    for name, place in (("first", stop - n), ("last", stop - 1)):
        texts = np.full(len(keys), "", dtype=object)
        texts[some] = points["period"].take(place[some])
        found[name] = pd.Series(texts, keys.index, dtype=str)
    return keys.assign(**found)


def _any(rows: np.ndarray, m: int) -> np.ndarray:
    found = np.zeros(m, dtype=bool)
    found[rows] = True
    return found


def _joined(row: np.ndarray, sources: pd.Series, m: int) -> pd.Series:
    """Return the ids of the sources of each series, sorted and joined by ``;``."""
    code, ids = pd.factorize(sources, sort=True)
    pairs = np.unique(row * max(len(ids), 1) + code)
    found = [[] for _ in range(m)]
    for pair in pairs.tolist():
        found[pair // len(ids)].append(ids[pair % len(ids)])
    return pd.Series([";".join(names) for names in found], dtype=str)
