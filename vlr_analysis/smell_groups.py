"""Suspicions across series of one area: a total against its groups, and the same figures under two names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import factorial
from textwrap import shorten

import numpy as np
import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.exhibits import plain_number as number
from vlr_analysis.language import coded
from vlr_analysis.periods import plain as spoken
from vlr_analysis.slips import (
    DUPLICATE,
    FLAT,
    OUTSIDE,
    OVERLAP,
    PARTS,
    SIZE_FREE,
    SWAPPED,
    TOTAL_IN_RATE,
    Hit,
    digits,
    resolution,
    swapped,
)

# Groups of people each have a population of their own; parts of a whole (mode, source, cause) share one.
_OF_PEOPLE = re.compile(r"sex|gender|age|race|ethnic|birth|disab|educat|income|citizen|migra|urban|location", re.I)
_SEX = re.compile(r"(^|[-_])(sex|gender)$", re.I)
_OF_PLACES = re.compile(r"district|ward|borough|place|region|parish|neighbou?rhood|zone|barrio", re.I)
FAR = 0.2  # share of a total by which it lies outside groups that may leave people out before that is told
USUALLY = 0.6  # share of periods in which groups have to add up before a period in which they do not is suspicious


def breakdown_hits(values: pd.DataFrame, what: str) -> Iterator[tuple[str, Hit]]:
    """Yield what looks wrong between totals and their groups.

    Parameters
    ----------
    values : DataFrame, shape (n, b)
        One series: index the periods in order of time, a column for each breakdown (the total is the empty text), NaN
        where there is no value.
    what : str
        What is measured; see `slips.measure`.

    Yields
    ------
    breakdown : str
        Of the series that the suspicion falls on: the total, or the first of two groups.
    Hit
        Its positions count periods.

    Notes
    -----
    For shares, rates and means a total of both sexes lies between them; one of other groups, or of places, is told
    where it lies outside all of them by a fifth of itself or more: they may leave people out. For counts the groups add
    up to the total, or stay below it where they are not complete; only groups that exceed it, that usually add up and
    once do not, or that add up only without one of them are told. A dimension that is not complete is no suspicion.
    """
    for parent, dimension, groups in families(list(values.columns)):
        table = values[[parent, *groups]].dropna(subset=[parent])
        table = table[table[groups].notna().sum(axis=1) >= 2]
        if not len(table):
            continue
        at = values.index.get_indexer(table.index)
        total, parts = table[parent].to_numpy(), table[groups].to_numpy()
        names = [_category(group, dimension) for group in groups]
        if what in SIZE_FREE:
            found = [*_rates(total, parts, names, dimension, at, values.index)]
        else:
            found = [*_sums(total, parts, names, at, values.index, what)]
        for hit in found:
            yield parent, hit
        if len(groups) == 2 and not table[groups].isna().to_numpy().any():
            for place in swapped(parts[:, 0], parts[:, 1]):
                text = f"{names[0]} {number(parts[place, 0], 6)} and {names[1]} {number(parts[place, 1], 6)}: {{}}"
                text = text.format(coded("both would run on smoothly if the two were exchanged"))
                yield (
                    groups[0],
                    Hit(SWAPPED, at[place], at[place], parts[place, 0], text, coded("the source confirms both")),
                )


def families(breakdowns: list[str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (parent, dimension, groups): breakdowns that differ from one that is there by one more dimension."""
    found: dict[tuple[str, str], list[str]] = {}
    for breakdown in breakdowns:
        pairs = breakdown.split(";") if breakdown else []
        for pair in pairs:
            parent = ";".join(other for other in pairs if other != pair)
            if parent in breakdowns:
                found.setdefault((parent, pair.split("=", 1)[0]), []).append(breakdown)
    for (parent, dimension), groups in found.items():
        if len(groups) >= 2:
            yield parent, dimension, groups


def _category(breakdown: str, dimension: str) -> str:
    return next(p.split("=", 1)[1] for p in breakdown.split(";") if p.split("=", 1)[0] == dimension)


def _exactly(total: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Mask of the periods in which the groups add up to the total, rounding allowed for."""
    step = resolution(np.column_stack([total, parts]))
    count = np.isfinite(parts).sum(axis=1)
    return np.abs(np.nansum(parts, axis=1) - total) <= step * (count + 1) / 2 * 1.001


def _rates(total, parts, names, dimension, at, periods) -> Iterator[Hit]:
    of_people = _OF_PEOPLE.search(dimension)
    if not (of_people or _OF_PLACES.search(dimension)):
        return
    step = resolution(np.column_stack([total, parts]))
    high, low = np.nanmax(parts, axis=1), np.nanmin(parts, axis=1)
    sums = _exactly(total, parts) & (total > high + step) & ~np.isin(total, (1.0, 100.0))
    both = _SEX.search(dimension) and len(names) == 2
    outside = _outside(total, low, high, step, FAR if not both else 0.0)
    if of_people and sums.sum() >= 2 and sums.mean() >= 0.75:
        text = coded(
            "the groups by {dimension} add up to the total in {sums} of {total} periods ({names} make "
            "{total_2}), as counts do and rates do not",
            dimension=dimension,
            sums=sums.sum(),
            total=len(total),
            names=_listed(names, parts[sums][0]),
            total_2=number(total[sums][0], 6),
        )
        clear = coded("each group is told as a share of the whole, not of itself")
        yield Hit(TOTAL_IN_RATE, at[0], at[-1], float(total[-1]), text, clear)
        return
    if not both:
        # Parts of a whole add up to it, or nearly; a group without a figure may be the one that the total lies next to.
        share = parts.sum(axis=1) / np.where(total == 0, np.nan, total)
        parted = ((share > 0.95) & (share < 1.02)) | np.isin(total, (1.0, 100.0))
        outside &= np.isfinite(parts).all(axis=1) & ~parted
    if not outside.any():
        return
    first = np.flatnonzero(outside)[np.argmax(np.maximum(total - high, low - total)[outside])]
    values = {"total": number(total[first], 6), "periods": spoken(periods[at[first]]),
              "names": _listed(names, parts[first]), "out": _in_all(outside)}  # fmt: skip
    if both:
        text = coded("total {total} in {periods}, {names}: the total of both lies between them{out}", **values)
        clear = coded("total and groups cover different people, ages or surveys")
    else:
        text = coded("total {total} in {periods}, {names}: where these groups are everybody, the total lies between "
                     "them{out}", **values)  # fmt: skip
        clear = coded("the groups leave people out, or total and groups come from different surveys")
    ends = np.flatnonzero(outside)[[0, -1]]
    yield Hit(OUTSIDE, at[ends[0]], at[ends[1]], float(total[first]), text, clear)


def _outside(total: np.ndarray, low: np.ndarray, high: np.ndarray, step: float, far: float) -> np.ndarray:
    """Mask of the totals that lie outside their groups by more than rounding, and than a share of themselves."""
    reach = np.maximum(step * 1.001 + 0.002 * np.abs(total), far * np.abs(total))
    return (total > high + reach) | (total < low - reach)


def _listed(names: list[str], values: np.ndarray) -> str:
    known = [(name, value) for name, value in zip(names, values, strict=True) if np.isfinite(value)]
    shown = ", ".join(f"{name} {number(value, 6)}" for name, value in known[:4])
    return coded("{shown} and {n} more", shown=shown, n=len(known) - 4) if len(known) > 4 else shown


def _in_all(mask: np.ndarray) -> str:
    return "; " + coded("so in {mask} of {mask_2} periods", mask=mask.sum(), mask_2=len(mask)) if len(mask) > 1 else ""


def _sums(total, parts, names, at, periods, what: str) -> Iterator[Hit]:
    exact, whole = _exactly(total, parts), np.isfinite(parts).all(axis=1)
    step = resolution(np.column_stack([total, parts]))
    usual = exact[whole].sum() >= 3 and exact[whole].mean() >= USUALLY and np.median(total) >= 30 * step
    if not usual and what not in ("count", "money", "physical", ""):
        return
    sums = np.nansum(parts, axis=1)
    over = sums - total > step * (parts.shape[1] + 1) / 2 + 0.005 * np.abs(total)
    if usual:
        off = whole & ~exact & (np.abs(sums - total) > np.maximum(0.02 * np.abs(total), 5 * step))
        for place in np.flatnonzero(off):
            text = coded(
                "the groups make {sums}, the total is {total}; in {exact} of {whole} periods they add up exactly",
                sums=number(sums[place], 6),
                total=number(total[place], 6),
                exact=exact[whole].sum(),
                whole=whole.sum(),
            )
            yield Hit(
                PARTS, at[place], at[place], total[place], text, coded("a group was split or left out in that period")
            )
    elif over.any() and what == "count":
        yield _overlap(total, parts, names, over, at, periods)
        return
    yield from _left_out(total, parts, names, at, periods)


def _overlap(total, parts, names, over, at, periods) -> Hit:
    place = int(np.flatnonzero(over)[np.argmax((np.nansum(parts, axis=1) / total)[over])])
    text = coded(
        "{names} make {parts} in {periods}, the total is {total}{over}",
        names=_listed(names, parts[place]),
        parts=number(np.nansum(parts[place]), 6),
        periods=spoken(periods[at[place]]),
        total=number(total[place], 6),
        over=_in_all(over),
    )
    clear = coded("people may be in several groups: then the groups are no parts of the total")
    for left in range(parts.shape[1]):
        rest = np.delete(parts, left, axis=1)
        hits = over & np.isfinite(parts[:, left]) & _exactly(total, rest)
        if hits.sum() >= 2 and parts.shape[1] > 2:
            text += "; " + coded(
                "without {names} they add up exactly in {hits} periods", names=names[left], hits=hits.sum()
            )
            clear = coded("{names} is told across the other groups", names=names[left])
            break
    below = np.nanmin(parts, axis=1) < total
    if (below & (np.nanmax(parts, axis=1) > total)).all() and (total != np.rint(total)).any():
        text += "; " + coded("the total lies between its groups, as a rate's does")
        clear = coded("the series is a rate and its name or unit is wrong")
    first, last = np.flatnonzero(over)[[0, -1]]
    return Hit(OVERLAP, at[first], at[last], float(total[place]), text, clear)


def _left_out(total, parts, names, at, periods) -> Iterator[Hit]:
    """Find periods in which a group has no figure and the total is exactly the sum of the others."""
    exact, known = _exactly(total, parts), np.isfinite(parts)
    for group, name in enumerate(names):
        away = ~known[:, group] & exact & (known.sum(axis=1) >= 2)
        seen = parts[known[:, group], group]
        if not away.any() or len(seen) < 2 or digits(total[away][0]) < 4:
            continue
        if np.median(seen) < 0.02 * np.median(total):
            continue
        first, last = np.flatnonzero(away)[[0, -1]]
        text = coded(
            "total {total} in {periods} is the sum of the groups that have a figure; {name}, about {seen} "
            "in other periods, is left out",
            total=number(total[first], 6),
            periods=spoken(periods[at[first]]),
            name=name,
            seen=number(float(np.median(seen)), 5),
        )
        yield Hit(PARTS, at[first], at[last], float(total[first]), text, coded("that group was empty then"))


def carried_hits(values: pd.DataFrame) -> Iterator[tuple[str, Hit]]:
    """Yield pairs of periods in which two or more groups repeat their values exactly though they usually move.

    Parameters
    ----------
    values : DataFrame, shape (n, b)
        As for `breakdown_hits`.
    """
    often = {}  # how often chance would repeat a value exactly, given how far the group moves in its own last digit
    for name in values:
        moves = values[name].dropna().diff().abs()
        moves = moves[moves > 0]
        if len(moves) >= 2:
            often[name] = min(1.0, resolution(values[name].to_numpy()) / (2 * float(moves.median())))
    expected = sum(often.values())
    same = (values.diff() == 0) & (values != 0)
    for place in range(1, len(values)):
        names = [name for name in often if name and same[name].iloc[place] and digits(values[name].iloc[place]) >= 3]
        if len(names) >= 2 and len(values) * expected ** len(names) / factorial(len(names)) < 0.002:
            listed = ", ".join(f"{_plain(name)} {number(values[name].iloc[place], 7)}" for name in names[:4])
            text = coded("{listed}: the same in both periods; values carried on?", listed=listed)
            first = float(values[names[0]].iloc[place])
            yield names[0], Hit(FLAT, place - 1, place, first, text, coded("nothing changed between the two"))


def _plain(breakdown: str) -> str:
    return ", ".join(pair.split("=", 1)[1] for pair in breakdown.split(";")) if breakdown else "total"


def duplicate_hits(values: pd.DataFrame, keys: list[tuple[str, str, str]]) -> Iterator[tuple[int, Hit]]:
    """Yield series that repeat another one's figures.

    Parameters
    ----------
    values : DataFrame, shape (n, s)
        Index the periods in order of time, a column for each series, NaN where there is no value.
    keys : list of (indicator, series, unit), length s

    Yields
    ------
    int
        Position of the later of the two series.
    Hit

    Notes
    -----
    The same measure under two codes of one indicator (1.5.1 and 13.1.1) is meant to be so. Values that are few or have
    few digits coincide by chance.
    """
    official = catalogue.unique_ids()
    y = values.to_numpy()
    told: set[tuple] = set()
    pairs = ((i, i + 1 + j) for i in range(len(keys)) for j in np.flatnonzero(_often(y[:, i], y[:, i + 1 :])))
    for i, j in pairs:
        same, both = y[:, i] == y[:, j], np.isfinite(y[:, i]) & np.isfinite(y[:, j])
        first, second = keys[i], keys[j]
        if second[:2] in told or len(np.unique(y[same, i])) < 3:
            continue
        one = official.get(first[0], first[0]) == official.get(second[0], second[0])
        whole = same.sum() == both.sum()
        step = resolution(y[:, i])
        written = sum(len(str(int(abs(value) / step + 0.5))) for value in y[same, i])
        if (whole and one) or written < (6 if whole else 15):
            continue
        if not whole and (same.sum() < 5 or same.sum() < USUALLY * both.sum()):
            continue
        told.add(second[:2])
        yield j, _duplicate(values.index, y[:, i], y[:, j], first, second)


def _often(one: np.ndarray, others: np.ndarray) -> np.ndarray:
    return (one[:, None] == others).sum(axis=0) >= 3


def _duplicate(periods, theirs: np.ndarray, mine: np.ndarray, other: tuple, key: tuple) -> Hit:
    both, same = np.isfinite(theirs) & np.isfinite(mine), theirs == mine
    named = other[2] if other[:2] == key[:2] else other[1]
    text = coded(
        "the same figures as {other} ({named}) in {same} of {both} periods",
        other=other[0],
        named=shorten(named, 80),
        same=same.sum(),
        both=both.sum(),
    )
    at, clear = np.flatnonzero(same), coded("one measure is meant to stand under both")
    if (both & ~same).any():
        at, clear = np.flatnonzero(both & ~same), coded("the two are meant to differ there")
        text += coded(
            ", apart in {periods}: {mine} here, {theirs} there",
            periods=spoken(periods[at[0]]),
            mine=number(mine[at[0]], 6),
            theirs=number(theirs[at[0]], 6),
        )
    return Hit(DUPLICATE, int(at[0]), int(at[-1]), float(mine[at[0]]), text, clear)
