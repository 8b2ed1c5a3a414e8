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
        by_row = points.groupby("row")
        keys = self.keys.assign(n=by_row.size().reindex(self.keys.index, fill_value=0))
        for name in ("first", "last"):
            keys[name] = by_row["period"].agg(name).reindex(keys.index).fillna("")
        return SeriesSet(keys, points)

    def edges(self) -> dict[str, np.ndarray]:
        """Return the points that a sensitivity leaves out, as masks: each series' first year, its last, and 2020."""
        year = np.floor(self.points["t"])
        by_row = year.groupby(self.points["row"])
        return {
            "without_first": (year == by_row.transform("min")).to_numpy(),
            "without_last": (year == by_row.transform("max")).to_numpy(),
            "without_2020": (year == 2020).to_numpy(),
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
    unique = table["period"].unique()
    read = {text: parse_period(text) for text in unique}
    parts = pd.DataFrame(
        {
            "duration": [read[text].duration for text in unique],
            "t": [read[text].midpoint for text in unique],
            "start": [decimal_year(read[text].start) for text in unique],
            "end": [decimal_year(read[text].end) for text in unique],
        },
        index=unique,
    )
    rows = table.join(parts, on="period").sort_values([*SERIES_KEY, "t"], kind="stable").reset_index(drop=True)
    group = rows.groupby(list(SERIES_KEY), sort=True, observed=True)
    rows["row"] = group.ngroup()
    keys = group.agg(
        n=("value", "count"), n_missing=("value", lambda column: int(column.isna().sum()))
    ).reset_index()  # fmt: skip
    keys[list(SERIES_KEY)] = keys[list(SERIES_KEY)].astype(str)  # also where there is no row at all
    points = rows[rows["value"].notna()].reset_index(drop=True)
    gaps = points.groupby("row")["t"].diff()
    spacing = gaps.groupby(points["row"]).median().reindex(keys.index)
    own = keys["duration"].str[1:-1].astype(float) * keys["duration"].str[-1].map(_OWN_SPACING).astype(float)
    keys["freq"] = [frequency(gap) for gap in spacing.fillna(own)]
    by_row = points.groupby("row")
    keys["first"] = by_row["period"].first().reindex(keys.index).fillna("")
    keys["last"] = by_row["period"].last().reindex(keys.index).fillna("")
    overlap = points["start"] < by_row["end"].shift() - 1e-9
    keys["overlapping"] = overlap.groupby(points["row"]).any().reindex(keys.index).fillna(False).astype(bool)
    keys["has_interval"] = (
        points["low"].notna().groupby(points["row"]).all().reindex(keys.index).fillna(False).astype(bool)
    )
    keys["has_break"] = (rows["status"] == "break").groupby(rows["row"]).any().reindex(keys.index).astype(bool)
    sources = rows.drop_duplicates(["row", "source"]).groupby("row")["source"]
    keys["source"] = sources.agg(lambda ids: ";".join(sorted(ids))).reindex(keys.index)
    columns = ["row", "period", "t", "start", "end", "value", "low", "high", "status"]
    return SeriesSet(keys, points[columns])
