"""The smell test: figures that look like slips, what would explain each, and what would make it innocent."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

import numpy as np
import pandas as pd

from vlr_analysis import smell_groups
from vlr_analysis.exhibits import plain_number as number
from vlr_analysis.language import coded
from vlr_analysis.series import SeriesSet, as_series
from vlr_analysis.slips import (
    CONFIRMED,
    DUPLICATE,
    IN_UNIT,
    LEAST,
    MOST,
    NEAR,
    PERCENT,
    SIZE_FREE,
    SUSPICIONS,
    TOTAL_IN_RATE,
    Hit,
    digits,
    measure,
    series_hits,
    slip,
    swapped,
)

DEFINITION_KEY = ["indicator", "series", "unit"]
COLUMNS = ["area", *DEFINITION_KEY, "breakdown", "first", "last", "value", "suspicion", "text", "innocent"]
ALIKE = 0.5  # largest distance between the other areas, in powers of ten, that lets one of them stand out
TOTAL = 2.7  # powers of ten beyond which a rate against another is a total

__all__ = ["COLUMNS", "SUSPICIONS", "pair_smell", "power_of_ten", "series_smells", "smell_table", "swapped"]


def smell_table(table: pd.DataFrame, definitions: pd.DataFrame, others: pd.DataFrame | None = None) -> pd.DataFrame:
    """List the figures that look like slips.

    Parameters
    ----------
    table : DataFrame
        Observations of one area or several, whose figures are looked at.
    definitions : DataFrame
        `kind`, `lower`, `upper` by (indicator, series, unit), where known.
    others : DataFrame, optional
        Observations of further areas, only to compare with.

    Returns
    -------
    DataFrame, one row per suspicion
        area, indicator, series, unit, breakdown; `first`, `last` (periods); `value`; `suspicion` (one of
        `SUSPICIONS`); `text` (what was seen, with its numbers); `innocent` (what would clear it).

    Notes
    -----
    A suspicion is a question to the source and never a correction. The rules are drawn tight: an honest series is
    listed in fewer than one of fifty cases (`tests/test_smell.py` measures it), and a slip in a series that moves
    much may go unseen. Looked at are: single series; the range of the unit; totals against groups; the same figures
    under two names; the same series in other areas.
    """
    found = list(_inside(table, definitions))
    areas = table["area"].unique()
    everything = table if others is None else pd.concat([table, others[~others["area"].isin(areas)]])
    found += [row for row in _between(everything, definitions, areas) if row["area"] in areas]
    rows = pd.DataFrame(found, columns=COLUMNS)
    rows["rank"] = rows["suspicion"].map({word: rank for rank, word in enumerate(SUSPICIONS)})
    key = ["area", *DEFINITION_KEY, "breakdown", "first"]
    rows = rows.sort_values([*key, "rank"], kind="stable").drop_duplicates([*key, "last"])
    return rows.drop(columns="rank").reset_index(drop=True)


def _inside(table: pd.DataFrame, definitions: pd.DataFrame) -> Iterator[dict]:
    """Look at every area on its own."""
    series = _Split(as_series(table), definitions)
    for row, key in enumerate(series.keys):
        if not key.n:
            continue
        at = series.at(row)
        hits = series_hits(
            series.value[at],
            series.t[at],
            kind=key.kind,
            unit=key.unit,
            series=key.series,
            bounds=(key.lower, key.upper),
            yearly=key.duration == "P1Y",
        )
        for hit in hits:
            yield _row(key, key.breakdown, hit, series.period[at])
    for rows in series.grouped(["area", *DEFINITION_KEY, "duration"]):
        if len(rows) > 1:
            first = series.keys[rows[0]]
            values = series.wide(rows).set_axis([series.keys[row].breakdown for row in rows], axis=1)
            hits = [*smell_groups.breakdown_hits(values, measure(first.kind, first.unit, first.series))]
            for breakdown, hit in [*hits, *smell_groups.carried_hits(values)]:
                yield _row(first, breakdown, hit, values.index)
    for rows in series.grouped(["area", "duration"], totals=True):
        values, heads = series.wide(rows), [series.keys[row] for row in rows]
        named = [(head.indicator, head.series, head.unit) for head in heads]
        for place, hit in smell_groups.duplicate_hits(values, named):
            yield _row(heads[place], "", hit, values.index)


class _Split:
    """Series with what is known of their units, and their points as arrays: many small looks at them cost little.

    Attributes
    ----------
    keys : list of named tuples, the columns of `SeriesSet.keys` and `kind`, `lower`, `upper`
    value, t, period : arrays, one entry a point, series after series, each in order of time
    """

    def __init__(self, series: SeriesSet, definitions: pd.DataFrame):
        names = ["kind", "lower", "upper"]
        known = definitions.reindex(columns=[*DEFINITION_KEY, *names]).drop_duplicates(DEFINITION_KEY)
        known = known.astype({"kind": object})
        self._keys = series.keys.merge(known, on=DEFINITION_KEY, how="left").fillna({"kind": ""})
        self.keys = list(self._keys.itertuples(index=False))
        self.value, self.t = series.points["value"].to_numpy(), series.points["t"].to_numpy()
        self.period = series.points["period"].to_numpy(object)
        self._code, self._periods = pd.factorize(self.period)
        self._stop = np.cumsum(self._keys["n"].to_numpy())

    def at(self, row: int) -> slice:
        """Return where the points of a series stand."""
        return slice(self._stop[row] - self.keys[row].n, self._stop[row])

    def grouped(self, names: list[str], *, totals: bool = False) -> list[np.ndarray]:
        """Return the series with values that share some columns, group after group as they first appear."""
        keys = self._keys[(self._keys["n"] > 0) & (~totals | (self._keys["breakdown"] == ""))]
        number = keys.groupby(names, sort=False).ngroup().to_numpy()
        order, ends = np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))
        return [keys.index.to_numpy()[part] for part in np.split(order, ends[:-1])] if len(keys) else []

    def wide(self, rows: np.ndarray) -> pd.DataFrame:
        """Return series as a table: a row for each period in order of time, a column for each series."""
        points = np.concatenate([np.arange(len(self.t))[self.at(row)] for row in rows])
        column = np.repeat(np.arange(len(rows)), [self.keys[row].n for row in rows])
        order = np.argsort(self.t[points], kind="stable")
        points, column = points[order], column[order]
        at, codes = pd.factorize(self._code[points])
        values = np.full((len(codes), len(rows)), np.nan)
        values[at, column] = self.value[points]
        return pd.DataFrame(values, index=self._periods[codes])


def _row(key, breakdown: str, hit: Hit, periods) -> dict:
    at = {name: getattr(key, name) for name in ["area", *DEFINITION_KEY]}
    seen = {"first": periods[hit.first], "last": periods[hit.last], "value": float(hit.value)}
    return at | {"breakdown": breakdown, **seen, "suspicion": hit.suspicion, "text": hit.text, "innocent": hit.innocent}


# --- areas side by side --------------------------------------------------------------------------------


def _between(table: pd.DataFrame, definitions: pd.DataFrame, first: np.ndarray) -> Iterator[dict]:
    """Compare the same series of several areas: whose figures are of another order, whose are another's."""
    series, first = _Split(as_series(table), definitions), set(first)
    for rows in series.grouped([*DEFINITION_KEY, "breakdown", "duration"]):
        if len(rows) < 2:
            continue
        rows = sorted(rows.tolist(), key=lambda row: series.keys[row].area not in first)
        heads, values = [series.keys[row] for row in rows], series.wide(np.array(rows))
        areas, (_, name, unit, breakdown) = [head.area for head in heads], heads[0][1:5]
        what = measure(heads[0].kind, unit, name)
        hits = list(_orders(values.to_numpy(), areas, what)) if what in SIZE_FREE and not breakdown else []
        for place, hit in [*hits, *_copies(values.to_numpy().T, areas)]:
            yield _row(heads[place], breakdown, hit, values.index)


def _orders(values: np.ndarray, areas: list[str], what: str) -> Iterator[tuple[int, Hit]]:
    """Find the areas whose values, shape (n, areas), are of another order than those of all others."""
    positive, told = np.where(values > 0, values, np.nan), set()
    some = np.flatnonzero((values > 0).any(axis=0)).tolist()
    size = dict(zip(some, np.nanmedian(np.log10(positive[:, some]), axis=0).tolist(), strict=True))
    for place in some:
        rest = {other: of for other, of in size.items() if other != place}
        if not rest or max(rest.values()) - min(rest.values()) > ALIKE:
            continue
        if len(rest) == 1 and next(iter(rest)) in told:
            continue  # of two areas nobody knows which is wrong: one row asks for both
        usual = median(rest.values())
        away = size[place] - usual
        power = round(away)
        near = 1 <= abs(power) <= MOST and abs(away - power) <= (NEAR if len(rest) < 3 else 2 * NEAR)
        if not near and away < TOTAL:
            continue
        told.add(place)
        known = np.flatnonzero(values[:, place] > 0)
        one = areas[next(iter(rest))] if len(rest) == 1 else coded("{rest} other areas", rest=len(rest))
        text = coded(
            "usually {size}, and {usual} in {one}",
            size=number(10 ** size[place], 4),
            usual=number(10**usual, 4),
            one=one,
        )
        if near:
            word = (
                PERCENT if abs(power) == 2 and what == "share" else coded("factor of {power}", power=10 ** abs(power))
            )
            text, clear = (
                f"{text}: {slip(power)}",
                IN_UNIT if word == PERCENT else coded("both sources confirm their values"),
            )
        else:
            word, clear = TOTAL_IN_RATE, coded("both measure the same, and the places differ that much")
            text += ": " + coded("a total where a rate should stand?")
        yield place, Hit(word, int(known[0]), int(known[-1]), float(10 ** size[place]), text, clear)


def _copies(y: np.ndarray, areas: list[str]) -> Iterator[tuple[int, Hit]]:
    """Find an area whose figures, a row of y, are those of an area before it."""
    known = np.isfinite(y)
    for place in range(1, len(y)):
        both = known[:place] & known[place]
        alike = (both.sum(axis=1) >= LEAST) & ~(both & (y[:place] != y[place])).any(axis=1)
        for other in np.flatnonzero(alike).tolist():
            mine = y[place][both[other]]
            if len(np.unique(mine)) >= 3 and sum(digits(value) for value in mine) >= 10:
                at = np.flatnonzero(both[other])
                text = coded("the same figures as {areas} in all {at} common periods", areas=areas[other], at=len(at))
                clear = coded("one is published for both, the smaller area having no figures of its own")
                yield place, Hit(DUPLICATE, int(at[0]), int(at[-1]), float(mine[0]), text, clear)
                break


# --- two arrays ----------------------------------------------------------------------------------------


def power_of_ten(ratio: np.ndarray) -> np.ndarray:
    """Return the power of ten that ratios (any shape) lie next to: 10, 100, 1000, or their inverse; else NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.log10(np.abs(np.asarray(ratio, dtype=float)))
    nearest = np.rint(size)
    hit = (np.abs(size - nearest) <= NEAR) & (np.abs(nearest) >= 1) & (np.abs(nearest) <= MOST)
    return np.where(hit, 10.0 ** np.where(hit, nearest, 0), np.nan)


def series_smells(y: np.ndarray) -> list[str]:
    """Return what looks like a slip in one series (n,), as texts that end with what would make each innocent.

    See `slips.series_hits`; the unit is not known here, so that no range is tested.
    """
    return [
        coded(
            "{suspicion}: {text} Innocent if {innocent}", suspicion=hit.suspicion, text=hit.text, innocent=hit.innocent
        )
        for hit in series_hits(y)
    ]


def pair_smell(own: np.ndarray, other: np.ndarray) -> str:
    """Name what looks like a slip between two series of the same measure.

    Parameters
    ----------
    own, other : array, shape (n,)
        Values at the same periods, without NaN.

    Returns
    -------
    str
        The suspicion, or an empty text: the ratio stays next to 10, 100 or 1000, the other series is a thousand
        times larger or more (a total where a rate should stand), or single values seem to have changed places.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = other / own
    ratios = ratios[np.isfinite(ratios) & (ratios != 0)]
    if not len(ratios):
        return ""
    usual = float(np.median(ratios))
    power = float(power_of_ten(np.array(usual)))
    if np.isfinite(power):
        cleared = coded("both are in the unit that is stated") if power in (100, 0.01) else CONFIRMED
        asked = slip(np.rint(np.log10(power)))
        return coded(
            "the other series is about {usual} times this one: {asked} Innocent if {cleared}",
            usual=f"{usual:.3g}",
            asked=asked,
            cleared=cleared,
        )
    if abs(np.log10(abs(usual))) > 3:
        return coded(
            "the other series is {usual} times this one: a total where a rate should stand?", usual=f"{usual:.3g}"
        )
    places = swapped(own, other)
    if len(places):
        pairs = ", ".join(
            coded("{own} and {other}", own=f"{own[place]:g}", other=f"{other[place]:g}") for place in places
        )
        return coded(
            "{pairs} seem to have changed places: columns swapped? Innocent if the source confirms them", pairs=pairs
        )
    return ""
