"""The smell test: figures that look like slips, what would explain each, and what would make it innocent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from vlr_analysis import smell_groups
from vlr_analysis.exhibits import number
from vlr_analysis.series import as_series
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
    series = as_series(table)
    names = ["kind", "lower", "upper"]
    known = definitions.reindex(columns=[*DEFINITION_KEY, *names]).drop_duplicates(DEFINITION_KEY)
    known = known.astype({"kind": object})
    keys = series.keys.merge(known, on=DEFINITION_KEY, how="left").fillna({"kind": ""})
    points = dict(iter(series.points.groupby("row")))
    for row in keys[keys["n"] > 0].itertuples():
        part = points[row.Index]
        hits = series_hits(
            part["value"].to_numpy(),
            part["t"].to_numpy(),
            kind=row.kind,
            unit=row.unit,
            series=row.series,
            bounds=(row.lower, row.upper),
            yearly=row.duration == "P1Y",
        )
        for hit in hits:
            yield _row(row, row.breakdown, hit, part["period"].to_numpy())
    every = series.points.join(keys[["area", *DEFINITION_KEY, "breakdown", "duration"]], on="row")
    for _, part in every.groupby(["area", *DEFINITION_KEY, "duration"], sort=False):
        if part["breakdown"].nunique() > 1:
            first, values = keys.loc[part["row"].iloc[0]], _wide(part, "breakdown")
            hits = [*smell_groups.breakdown_hits(values, measure(first["kind"], first["unit"], first["series"]))]
            for breakdown, hit in [*hits, *smell_groups.carried_hits(values)]:
                yield _row(first, breakdown, hit, values.index)
    for _, part in every[every["breakdown"] == ""].groupby(["area", "duration"], sort=False):
        values = _wide(part, "row")
        heads = [keys.loc[row] for row in values]
        for place, hit in smell_groups.duplicate_hits(values, [tuple(head[DEFINITION_KEY]) for head in heads]):
            yield _row(heads[place], "", hit, values.index)


def _wide(points: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return points as a table: a row for each period in order of time, a column for each breakdown or series."""
    points = points.sort_values("t", kind="stable")
    at, periods = pd.factorize(points["period"])
    which, names = pd.factorize(points[column], sort=True)
    values = np.full((len(periods), len(names)), np.nan)
    values[at, which] = points["value"]
    return pd.DataFrame(values, index=periods, columns=names)


def _row(key, breakdown: str, hit: Hit, periods) -> dict:
    at = {name: getattr(key, name) for name in ["area", *DEFINITION_KEY]}
    seen = {"first": periods[hit.first], "last": periods[hit.last], "value": float(hit.value)}
    return at | {"breakdown": breakdown, **seen, "suspicion": hit.suspicion, "text": hit.text, "innocent": hit.innocent}


# --- areas side by side --------------------------------------------------------------------------------


def _between(table: pd.DataFrame, definitions: pd.DataFrame, first: np.ndarray) -> Iterator[dict]:
    """Compare the same series of several areas: whose figures are of another order, whose are another's."""
    series = as_series(table)
    kinds = definitions.reindex(columns=[*DEFINITION_KEY, "kind"]).drop_duplicates(DEFINITION_KEY).astype(object)
    keys = series.keys.merge(kinds, on=DEFINITION_KEY, how="left").fillna({"kind": ""})
    every = series.points.join(keys[["area", "breakdown", "duration"]], on="row")
    group = keys.groupby([*DEFINITION_KEY, "breakdown", "duration"], sort=False)
    for (_, name, unit, breakdown, _), part in group:
        part = part[part["n"] > 0]
        if len(part) < 2:
            continue
        part = part.loc[sorted(part.index, key=lambda row: part.at[row, "area"] not in first)]
        values = _wide(every[every["row"].isin(part.index)], "row")[list(part.index)]
        what = measure(part["kind"].iloc[0], unit, name)
        hits = list(_orders(values, part["area"], what)) if what in SIZE_FREE and not breakdown else []
        for row, hit in [*hits, *_copies(values, part["area"])]:
            yield _row(part.loc[row], breakdown, hit, values.index)


def _orders(values: pd.DataFrame, areas: pd.Series, what: str) -> Iterator[tuple[int, Hit]]:
    positive = values.where(values > 0)
    size, told = np.log10(positive).median(), set()
    for row in size.dropna().index:
        rest = size.drop(row).dropna()
        if not len(rest) or np.ptp(rest) > ALIKE:
            continue
        if len(rest) == 1 and rest.index[0] in told:
            continue  # of two areas nobody knows which is wrong: one row asks for both
        away = float(size[row] - rest.median())
        power = int(np.rint(away))
        near = 1 <= abs(power) <= MOST and abs(away - power) <= (NEAR if len(rest) < 3 else 2 * NEAR)
        if not near and away < TOTAL:
            continue
        told.add(row)
        known = np.flatnonzero(positive[row].notna())
        one = areas[rest.index[0]] if len(rest) == 1 else f"{len(rest)} other areas"
        text = f"usually {number(10 ** size[row], 4)}, and {number(10 ** rest.median(), 4)} in {one}"
        if near:
            word = PERCENT if abs(power) == 2 and what == "share" else f"factor of {10 ** abs(power)}"
            text, clear = f"{text}: {slip(power)}", IN_UNIT if word == PERCENT else "both sources confirm their values"
        else:
            word, clear = TOTAL_IN_RATE, "both measure the same, and the places differ that much"
            text += ": a total where a rate should stand?"
        yield row, Hit(word, int(known[0]), int(known[-1]), float(10 ** size[row]), text, clear)


def _copies(values: pd.DataFrame, areas: pd.Series) -> Iterator[tuple[int, Hit]]:
    """Find an area whose figures are those of an area before it."""
    rows, y = list(values), values.to_numpy().T
    for place in range(1, len(rows)):
        for other in range(place):
            both = np.isfinite(y[place]) & np.isfinite(y[other])
            mine = y[place][both]
            if both.sum() < LEAST or not np.array_equal(mine, y[other][both]):
                continue
            if len(np.unique(mine)) >= 3 and sum(digits(value) for value in mine) >= 10:
                at = np.flatnonzero(both)
                text = f"the same figures as {areas[rows[other]]} in all {len(at)} common periods"
                clear = "one is published for both, the smaller area having no figures of its own"
                yield rows[place], Hit(DUPLICATE, int(at[0]), int(at[-1]), float(mine[0]), text, clear)
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
    return [f"{hit.suspicion}: {hit.text} Innocent if {hit.innocent}" for hit in series_hits(y)]


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
        cleared = "both are in the unit that is stated" if power in (100, 0.01) else CONFIRMED
        asked = slip(np.rint(np.log10(power)))
        return f"the other series is about {usual:.3g} times this one: {asked} Innocent if {cleared}"
    if abs(np.log10(abs(usual))) > 3:
        return f"the other series is {usual:.3g} times this one: a total where a rate should stand?"
    places = swapped(own, other)
    if len(places):
        pairs = ", ".join(f"{own[place]:g} and {other[place]:g}" for place in places)
        return f"{pairs} seem to have changed places: columns swapped? Innocent if the source confirms them"
    return ""
