"""City and cities: ranges like for like, a composite with fixed bounds, rank intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import special, stats

from vlr_analysis.catalogue import is_total
from vlr_analysis.language import coded
from vlr_analysis.trends import DEFINITION_KEY, direction_sign, yearly

LEAST_AREAS = 5  # fewer areas with the same series give no range and no rank
MOST_MISSING = 0.20
PERCENTILE = 2.5
DRAWS = 2000
_HELD = 1_000_000  # values of the draws that are held in memory at a time
WIDTH = 2 * 1.959964  # of a 95 % interval, in standard errors


def bounds(x: np.ndarray, sign: np.ndarray, target: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return the values that score 0 and 100.

    Parameters
    ----------
    x : array, shape (areas, indicators)
        NaN where an area has no value.
    sign : array, shape (indicators,)
        +1 where more is better, -1 where less is.
    target : array, shape (indicators,), optional
        NaN where there is none.

    Returns
    -------
    worst, best : arrays, shape (indicators,)
        Worst: the 2.5th percentile of the values, counted from the worse end. Best: the target, or the percentile at
        the other end; that percentile also where even `worst` has reached the target, which then tells areas not apart.
        They are to be fixed once for all areas and years that are compared.

    Notes
    -----
    Sachs et al. 2018, SDG Index and Dashboards Report, and Lafortune et al. 2018 (its detailed methodology).
    """
    worst, best = _limits(x, sign, target, np.array([PERCENTILE]))
    return worst[0], best[0]


def _limits(x: np.ndarray, sign: np.ndarray, target: np.ndarray | None, cuts: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the bounds at each of several cuts; shape (cuts, indicators)."""
    low, high = np.nanpercentile(x, [cuts, 100 - cuts], axis=0)
    worst, best = np.where(sign > 0, low, high), np.where(sign > 0, high, low)
    # A target behind the worst bound would turn the scale upside down.
    return worst, best if target is None else np.where(sign * (target - worst) > 0, target, best)


def normalise(x: np.ndarray, worst: np.ndarray, best: np.ndarray) -> np.ndarray:
    """Return scores of 0 (at `worst` or beyond) to 100 (at `best` or beyond), same shape as x; NaN stays NaN.

    An indicator whose bounds coincide tells areas not apart and scores NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        score = 100 * (x - worst) / np.where(best == worst, np.nan, best - worst)
    return np.clip(score, 0, 100)


def composite(scores: np.ndarray, goals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Aggregate scores to goals and to one index.

    Parameters
    ----------
    scores : array, shape (areas, indicators)
        From `normalise`.
    goals : array, shape (indicators,)
        Goal of each indicator.

    Returns
    -------
    goal_scores : array, shape (areas, number of goals)
        Mean of the indicators that an area has, goals ascending; NaN where it has none.
    index : array, shape (areas,)
        Mean of the goals an area has, each counting alike; NaN where more than 20 % of its indicators are missing.

    Notes
    -----
    An arithmetic mean lets a good goal make up for a bad one: show the goals beside it. Not a league table: use
    `rank_interval`.
    """
    goal_scores = _by_goal(scores, goals)
    missing = np.isnan(scores).mean(axis=1)
    return goal_scores, np.where(missing > MOST_MISSING, np.nan, _mean(goal_scores))


def _by_goal(scores: np.ndarray, goals: np.ndarray) -> np.ndarray:
    return np.stack([_mean(scores[..., goals == goal]) for goal in np.unique(goals)], axis=-1)


def _mean(values: np.ndarray) -> np.ndarray:
    count = (~np.isnan(values)).sum(axis=-1)
    return np.where(count > 0, np.nansum(values, axis=-1) / np.maximum(count, 1), np.nan)


def rank_interval(
    x: np.ndarray,
    sign: np.ndarray,
    goals: np.ndarray,
    *,
    se: np.ndarray | None = None,
    target: np.ndarray | None = None,
    level: float = 0.95,
    draws: int = DRAWS,
    seed: int = 2030,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Interval of the rank of each area's index over choices that nobody can settle.

    Parameters
    ----------
    x : array, shape (areas, indicators)
    sign, goals, target : arrays, shape (indicators,)
    se : array, shape (areas, indicators), optional
        Standard errors of the values; NaN where there is none.
    level : float
        Coverage of the draws.
    draws, seed : int

    Returns
    -------
    low, middle, high : arrays, shape (areas,)
        Ranks, 1 the highest index; NaN where an area has no index. Areas of equal index share the ranks they fill:
        `low` counts from the first of them, `high` from the last.

    Notes
    -----
    Each draw moves the worst bound between the 0th and 5th percentile (and the best one alike, where no target is set),
    weights the goals by a flat Dirichlet distribution, and the values by their standard errors. Ranks of
    areas that these choices cannot tell apart overlap. Saisana, Saltelli and Tarantola 2005,
    doi:10.1111/j.1467-985X.2005.00350.x.
    """
    rng = np.random.default_rng(seed)
    spread = np.zeros_like(x) if se is None else np.nan_to_num(se)
    there = np.isnan(x).mean(axis=1) <= MOST_MISSING
    ranks, goal_count = np.empty((3, draws, there.sum())), len(np.unique(goals))
    size = max(1, _HELD // max(x.size, 1))
    for begin in range(0, draws, size):
        some = [
            (rng.uniform(0, 2 * PERCENTILE), rng.standard_normal(x.shape), rng.dirichlet(np.ones(goal_count)))
            for _ in range(begin, min(begin + size, draws))
        ]
        cuts, noise, weights = (np.array(part) for part in zip(*some, strict=True))
        worst, best = (bound[:, None, :] for bound in _limits(x, sign, target, cuts))
        by_goal = _by_goal(normalise(x + spread * noise, worst, best), goals)
        weight = np.where(np.isnan(by_goal), 0, weights[:, None, :])
        with np.errstate(invalid="ignore"):
            index = np.nansum(by_goal * weight, axis=-1) / weight.sum(axis=-1)
        index = -np.round(index[:, there], 9)  # equal but for the last digit is equal
        for row, method in enumerate(("min", "average", "max")):
            ranks[row, begin : begin + len(some)] = stats.rankdata(index, method=method, axis=1)
    found = np.full((3, len(x)), np.nan)
    for row, part in enumerate(((1 - level) / 2, 0.5, (1 + level) / 2)):
        found[row, there] = np.quantile(ranks[row], part, axis=0, method="nearest")
    return found[0], found[1], found[2]


def position_interval(
    y: np.ndarray, se: np.ndarray, sign: float, *, level: float = 0.95
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the rank of each area on one series, from its standard errors.

    Parameters
    ----------
    y, se : arrays, shape (areas,)
        Values and their standard errors; an area without one (NaN, 0) is taken as known.
    sign : float
        +1 where more is better, -1 where less is.
    level : float
        Coverage of the interval of one area.

    Returns
    -------
    low, high : arrays of int, shape (areas,)
        1 is the best value. One more than the areas that are surely better, and the number of areas less those that
        are surely worse.

    Notes
    -----
    Each area is set against every other by a two-sided normal test of the difference, Holm-adjusted over its
    comparisons; errors of two areas are taken as independent. The interval holds for one area that is looked at, not
    for all at once. Ranks of values drawn around the estimates, the usual way, spread areas that are alike and cover
    too seldom. Mogstad, Romano, Shaikh and Wilhelm 2024, doi:10.1093/restud/rdad006; Holm 1979.
    """
    apart = sign * (y[None, :] - y[:, None])  # above zero where the area of the column is better
    variance = np.nan_to_num(se) ** 2
    error = np.sqrt(variance[None, :] + variance[:, None])
    with np.errstate(divide="ignore", invalid="ignore"):
        p = np.where(apart == 0, 1.0, 2 * special.ndtr(-np.abs(apart) / error))
    np.fill_diagonal(p, 2.0)  # sorts itself last and is never told
    sure = _holm(p) <= 1 - level
    return 1 + (sure & (apart > 0)).sum(axis=1), len(y) - (sure & (apart < 0)).sum(axis=1)


def _holm(p: np.ndarray) -> np.ndarray:
    """Adjust each row (area) over its comparisons; the last in order is the area itself."""
    order = p.argsort(axis=1)
    left = np.maximum(p.shape[1] - 1 - np.arange(p.shape[1]), 1)
    adjusted = np.maximum.accumulate(np.take_along_axis(p, order, axis=1) * left, axis=1)
    out = np.empty_like(p)
    np.put_along_axis(out, order, adjusted, axis=1)
    return out


# --- the whole table -------------------------------------------------------------------------------


def benchmark_table(
    table: pd.DataFrame, definitions: pd.DataFrame, city: str, *, most_years_apart: int = 1
) -> pd.DataFrame:
    """Show where a city stands among others on the series that they share, like for like.

    Parameters
    ----------
    table : DataFrame
        Observations of the city and its peers.
    definitions : DataFrame
        Direction of each (indicator, series, unit).
    city : str
        Area of the city.
    most_years_apart : int
        A peer's value counts if it is of the city's latest year, or at most so many years off.

    Returns
    -------
    DataFrame, one row per headline series of the city that at least four peers share
        `indicator`, `series`, `unit`, `year`, `value`, `low`, `high`; over the peers, without the city: `peers`,
        `peers_low`, `peers_quarter`, `peers_middle`, `peers_three_quarters`, `peers_high`; `standing`
        (inside or outside the middle half of the peers, better or worse where the direction is known; *perhaps* where
        the city's own interval reaches into the middle half); with intervals of the source for all of them
        `rank_low`, `rank_high` (95 %, `position_interval`) among `areas`; `reason`.

    Notes
    -----
    Totals (`catalogue.is_total`) are left out: they tell how large a place is, not how it fares.
    Peers are a range, not a league table: no rank is given without its interval. Series with a break or an unknown unit
    should be looked at first (`comparison.comparability`).
    """
    series = yearly(table[table["breakdown"] == ""])
    keys, points = series.keys, series.points
    measures = keys[DEFINITION_KEY].itertuples(index=False, name=None)
    sign = dict(zip(measures, direction_sign(keys, definitions), strict=True))
    value, low, high, t = (points[name].to_numpy() for name in ("value", "low", "high", "t"))
    year, row = np.floor(t).astype(int), points["row"].to_numpy()
    area = pd.factorize(keys["area"], sort=True)[0][row]
    mine = (keys["area"] == city).to_numpy()[row]
    group = keys.groupby([*DEFINITION_KEY, "duration"], sort=True)
    number, rows = group.ngroup().to_numpy()[row], []
    order, ends = np.argsort(number, kind="stable"), np.cumsum(np.bincount(number, minlength=group.ngroups))
    for (*key, _), places in zip(group.size().index, np.split(order, ends)[:-1], strict=True):
        own = places[mine[places]]
        if not len(own) or is_total(key[2], key[1]):
            continue
        last = own[np.argmax(t[own])]
        off = np.abs(year - year[last])
        others = places[~mine[places] & (off[places] <= most_years_apart)]
        others = others[np.lexsort((year[others], off[others], area[others]))]
        others = others[np.diff(area[others], prepend=-1) > 0]  # of each area the value nearest in time
        if len(others) + 1 >= LEAST_AREAS:
            at = np.append(last, others)
            told = _standing(value[at], low[at], high[at], float(sign[tuple(key)]))
            rows.append(dict(zip(DEFINITION_KEY, key, strict=True)) | {"year": int(year[last])} | told)
    columns = [*DEFINITION_KEY, "year", "value", "low", "high", "peers", "areas", "peers_low", "peers_quarter",
               "peers_middle", "peers_three_quarters", "peers_high", "standing", "rank_low", "rank_high",
               "reason"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def goal_scores(
    table: pd.DataFrame, definitions: pd.DataFrame, city: str, *, most_years_apart: int = 1, seed: int = 2030
) -> pd.DataFrame:
    """Score the city on each goal, 0 to 100, within the range of like cities.

    Parameters
    ----------
    table : DataFrame
        Observations of the city and its peers.
    definitions : DataFrame
        Direction, target and goal of each (indicator, series, unit).
    city : str
    most_years_apart : int
        As in `benchmark_table`.
    seed : int

    Returns
    -------
    DataFrame, one row per goal, and a last one with goal 0 for all goals together
        `goal`, `indicators` (shared series with a direction), `areas`, `score` (of the city), `peers_low`,
        `peers_quarter`, `peers_middle`, `peers_three_quarters`, `peers_high`; for all goals `rank_low`, `rank_high`
        (see `rank_interval`) and `reason` where no score is given. Empty where fewer than four peers share a series.

    Notes
    -----
    Totals (`catalogue.is_total`) do not count: they tell how large a place is.
    Only series that at least four fifths of the areas have count: all areas are scored on nearly the same ones. A
    mean over goals hides what it is made of: read the goals.
    """
    wide, errors, known = _shared_values(table, definitions, city, most_years_apart)
    columns = ["goal", "indicators", "areas", "score", "peers_low", "peers_quarter", "peers_middle",
               "peers_three_quarters", "peers_high", "rank_low", "rank_high", "reason"]  # fmt: skip
    if not len(known):
        return pd.DataFrame(columns=columns)
    x, sign = wide.to_numpy(), known["sign"].to_numpy()
    goals, target = known["goal"].to_numpy(), known["target"].to_numpy(float)
    by_goal, index = composite(normalise(x, *bounds(x, sign, target)), goals)
    low, _, high = rank_interval(x, sign, goals, se=errors.to_numpy(), target=target, seed=seed)
    here = list(wide.index).index(city)
    rows = []
    for goal, scores in [*zip(np.unique(goals), by_goal.T, strict=True), (0, index)]:
        peers = np.delete(scores, here)
        limits = (
            np.quantile(peers[~np.isnan(peers)], [0, 0.25, 0.5, 0.75, 1]) if (~np.isnan(peers)).any() else [np.nan] * 5
        )
        count = int((goals == goal).sum()) if goal else len(goals)
        rank = (low[here], high[here], "") if not goal else (np.nan, np.nan, "")
        rank = (
            rank if np.isfinite(scores[here]) else (np.nan, np.nan, coded("more than 20 % of the series are missing"))
        )
        rows.append((goal, count, int((~np.isnan(scores)).sum()), scores[here], *limits, *rank))
    return pd.DataFrame(rows, columns=columns)


def _shared_values(table: pd.DataFrame, definitions: pd.DataFrame, city: str, most_years_apart: int):
    """Return values and standard errors (areas by series) near the city's latest year, and the series with sign."""
    series = yearly(table[table["breakdown"] == ""])
    points = series.points.join(series.keys[["area", *DEFINITION_KEY]], on="row")
    points["year"] = np.floor(points["t"]).astype(int)
    last = points[points["area"] == city].groupby(DEFINITION_KEY)["year"].max().rename("at").reset_index()
    near = points.merge(last, on=DEFINITION_KEY)
    near = near.assign(off=(near["year"] - near["at"]).abs())
    near = near[near["off"] <= most_years_apart].sort_values(["off", "year"]).drop_duplicates(["area", *DEFINITION_KEY])
    near = near.assign(se=(near["high"] - near["low"]) / WIDTH)
    wide, errors = (
        near.pivot(index="area", columns=DEFINITION_KEY, values=name).sort_index(axis=1) for name in ("value", "se")
    )
    known = wide.columns.to_frame(index=False).merge(definitions, on=DEFINITION_KEY, how="left")
    known["sign"] = direction_sign(known, definitions)
    keep = (known["sign"] != 0) & (wide.notna().mean().to_numpy() >= 1 - MOST_MISSING) & (known["goal"] > 0)
    totals = [is_total(unit, name) for unit, name in zip(known["unit"], known["series"], strict=True)]
    keep &= ~np.array(totals, dtype=bool)
    keep &= len(wide) >= LEAST_AREAS
    return wide.loc[:, keep.to_numpy()], errors.loc[:, keep.to_numpy()], known[keep].reset_index(drop=True)


def _standing(value: np.ndarray, low: np.ndarray, high: np.ndarray, sign: float) -> dict:
    """Say where the first of some areas stands among the others."""
    least, quarter, middle, three, most = np.quantile(value[1:], [0, 0.25, 0.5, 0.75, 1])
    where = coded("inside the middle half of the peers")
    if value[0] < quarter or value[0] > three:
        side = np.sign(value[0] - middle) * sign
        where = {1: coded("better than the middle half"), -1: coded("worse than the middle half")}.get(
            side, coded("above the middle half") if value[0] > three else coded("below the middle half")
        )
        reaches = low[0] <= three if value[0] > three else high[0] >= quarter
        where = coded("perhaps {where}", where=where) if reaches else where
    se = (high - low) / WIDTH
    rank, reason = (np.nan, np.nan), ""
    if not sign:
        reason = coded("the desired direction is not stated: no rank")
    elif np.isfinite(se).all():
        first, last = position_interval(value, se, sign)
        rank = (float(first[0]), float(last[0]))
    else:
        reason = coded("not every source gives an interval: no rank")
    return {
        "value": value[0], "low": low[0], "high": high[0],
        "peers": len(value) - 1, "areas": len(value), "peers_low": least, "peers_quarter": quarter,
        "peers_middle": middle, "peers_three_quarters": three, "peers_high": most, "standing": where,
        "rank_low": rank[0], "rank_high": rank[1], "reason": reason,
    }  # fmt: skip
