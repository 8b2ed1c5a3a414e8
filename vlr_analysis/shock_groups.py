"""Series with points before and after a shock, sorted into groups that one array can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlr_analysis import counterfactual, regression
from vlr_analysis.counterfactual import POINTS_A_YEAR
from vlr_analysis.periods import decimal_year, parse_period
from vlr_analysis.series import SeriesSet
from vlr_analysis.trends import DEFINITION_KEY, direction_sign

WINDOW = 10  # years before the shock that the line is fitted to, fewer where there are fewer

# An observation belongs to the time before the shock if at most this much of it lies after the date,
# to the time after if at least that much does; in between it is shown and used for neither.
BEFORE_AT_MOST, AFTER_AT_LEAST = 0.10, 0.75


@dataclass(frozen=True)
class Dates:
    """The dates of a shock, in decimal years; they come from the city's parameters, never from the data."""

    shock: float
    recovery_from: float
    horizon: float

    @classmethod
    def of(cls, shock: str, recovery_from: str, horizon_years: float = 3.0) -> Dates:
        """Read the parameters: the path is judged for `horizon_years` after the shock at most."""
        begin = decimal_year(parse_period(shock).start)
        return cls(begin, decimal_year(parse_period(recovery_from).start), begin + horizon_years)


@dataclass(frozen=True)
class Group:
    """Series that share frequency, number of points, phases and scale, so that one array holds them."""

    rows: np.ndarray  # (m,) rows of the keys
    kind: str
    freq: str
    model: tuple[str, float, float]
    sign: np.ndarray  # (m,)
    t: np.ndarray  # (m, n)
    y: np.ndarray  # (m, n)
    start: np.ndarray  # (n,) of the first series
    phase: np.ndarray  # (n,) 'before', 'straddles', 'after'
    broken: np.ndarray  # (m,) a break in the series at or after the shock
    counts: bool  # counts with zeros among them, below the year: neither a log nor a line fits

    @property
    def before(self) -> np.ndarray:
        """Mask of the points before the shock, shape (n,)."""
        return self.phase == "before"

    @property
    def after(self) -> np.ndarray:
        """Mask of the points after the shock, shape (n,)."""
        return self.phase == "after"

    def window(self, years: int) -> tuple[np.ndarray, np.ndarray]:
        """Points before the shock, at most `years` of them for yearly series or that many years for others."""
        n = years * POINTS_A_YEAR[self.freq]
        return self.t[:, self.before][:, -n:], self.y[:, self.before][:, -n:]


def phases(start: np.ndarray, end: np.ndarray, shock: float) -> np.ndarray:
    """Return 'before', 'straddles' or 'after' for periods given by their ends in decimal years."""
    share = np.clip((end - shock) / (end - start), 0, 1)
    return np.select([share <= BEFORE_AT_MOST + 1e-9, share >= AFTER_AT_LEAST - 1e-9], ["before", "after"], "straddles")


def shock_keys(series: SeriesSet, definitions: pd.DataFrame, dates: Dates) -> pd.DataFrame:
    """Return the keys with direction, sign, scale, points before and after, and `kind` (empty where none fits)."""
    keys = series.keys.copy()
    known = keys[DEFINITION_KEY].merge(definitions, on=DEFINITION_KEY, how="left")
    keys["direction"] = known["direction"].fillna("").to_numpy()
    keys["scale"] = known["scale"].fillna("identity").to_numpy()
    keys["counted"] = (known["kind"] == "count").to_numpy() if "kind" in known else False
    keys[["lower", "upper"]] = known[["lower", "upper"]].to_numpy(float)
    keys["sign"] = direction_sign(keys, definitions).astype(float)
    points = series.points
    phase = pd.Series(phases(points["start"].to_numpy(), points["end"].to_numpy(), dates.shock), points.index)
    for name in ("before", "after"):
        keys[f"n_{name}"] = (phase == name).groupby(points["row"]).sum().reindex(keys.index, fill_value=0).astype(int)
    first = points.groupby("row")["start"].first().reindex(keys.index)
    based = keys["unit"].str.contains("change (?:relative to|since)", case=False)
    short = (first > dates.shock - 0.26) & (keys["n_before"] > 0) & (keys["freq"] != "A")
    pairs = zip(keys["n_before"], keys["freq"], strict=True)
    seasonal = (keys["freq"] != "A") & np.array([counterfactual.enough(n, freq) for n, freq in pairs], dtype=bool)
    annual = (keys["freq"] == "A") & (keys["n_before"] >= counterfactual.LINE_LEAST)
    keys["kind"] = np.select([based | short, seasonal, annual], ["since base", "seasonal", "annual"], "")
    keys.loc[keys["n_after"] == 0, "kind"] = ""
    return keys


def shock_groups(series: SeriesSet, keys: pd.DataFrame, dates: Dates) -> Iterator[Group]:
    """Yield the series that have a kind, grouped by length, phases, frequency and scale."""
    broken_rows, sign = _broken(series, dates), keys["sign"].to_numpy()
    names = ["kind", "freq", "counted", "scale", "lower", "upper"]
    model_of = keys.groupby(names, dropna=False, sort=False).ngroup().to_numpy()
    models = dict(zip(model_of, keys[names].itertuples(index=False, name=None), strict=True))
    for block in series.blocks():
        phase = phases(block.start, block.end, dates.shock)
        parts = {}
        for place, (number, word) in enumerate(zip(model_of[block.rows], phase, strict=True)):
            parts.setdefault((number, word.tobytes()), []).append(place)
        for (number, _), part in parts.items():
            kind, freq, counted, scale, lower, upper = models[number]
            if not kind:
                continue
            at = np.array(part)
            usable = regression.fits_scale(block.y[at], scale, lower, upper) & (kind != "since base")
            zeros = ~usable & (counted and kind == "seasonal") & (block.y[at] >= 0).all(axis=1)
            choices = (
                (at[usable], (scale, lower, upper), False),
                (at[zeros], ("log", 0.0, upper), True),
                (at[~usable & ~zeros], ("identity", lower, upper), False),
            )
            for chosen, model, counts in choices:
                if len(chosen):
                    rows = block.rows[chosen]
                    yield Group(
                        rows, kind, freq, model, sign[rows], block.t[chosen], block.y[chosen],
                        block.start[chosen[0]], phase[chosen[0]], np.isin(rows, broken_rows), counts,
                    )  # fmt: skip


def _broken(series: SeriesSet, dates: Dates) -> np.ndarray:
    """Rows whose values before and after the shock, or within ten years before it, are not of one definition."""
    points = series.points
    recent = points["start"] > dates.shock - WINDOW
    first = points[recent].groupby("row").head(1).index
    return points.loc[recent & (points["status"] == "break") & ~points.index.isin(first), "row"].unique()
