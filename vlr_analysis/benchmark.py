"""City and cities: ranges like for like, a composite with fixed bounds, rank intervals, effects pooled over cities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from vlr_analysis.trends import DEFINITION_KEY, direction_sign, yearly

LEAST_AREAS = 5  # fewer areas with the same series give no range and no rank
LEAST_STUDIES = 3
MOST_MISSING = 0.20
PERCENTILE = 2.5
DRAWS = 2000


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
        the other end. They are to be fixed once for all areas and years that are compared.

    Notes
    -----
    Sachs et al. 2018, SDG Index and Dashboards Report, and Lafortune et al. 2018 (its detailed methodology).
    """
    low, high = np.nanpercentile(x, [PERCENTILE, 100 - PERCENTILE], axis=0)
    worst, best = np.where(sign > 0, low, high), np.where(sign > 0, high, low)
    return worst, best if target is None else np.where(np.isnan(target), best, target)


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
    goal_scores = np.stack([_mean(scores[:, goals == goal]) for goal in np.unique(goals)], axis=1)
    missing = np.isnan(scores).mean(axis=1)
    return goal_scores, np.where(missing > MOST_MISSING, np.nan, _mean(goal_scores))


def _mean(values: np.ndarray) -> np.ndarray:
    count = (~np.isnan(values)).sum(axis=1)
    return np.where(count > 0, np.nansum(values, axis=1) / np.maximum(count, 1), np.nan)


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
        Ranks, 1 the highest index; NaN where an area has no index.

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
    ranks = np.full((draws, len(x)), np.nan)
    for draw in range(draws):
        cut = rng.uniform(0, 2 * PERCENTILE)
        low, high = np.nanpercentile(x, [cut, 100 - cut], axis=0)
        worst, best = np.where(sign > 0, low, high), np.where(sign > 0, high, low)
        best = best if target is None else np.where(np.isnan(target), best, target)
        by_goal, _ = composite(normalise(x + spread * rng.standard_normal(x.shape), worst, best), goals)
        weight = np.where(np.isnan(by_goal), 0, rng.dirichlet(np.ones(by_goal.shape[1])))
        with np.errstate(invalid="ignore"):
            index = np.nansum(by_goal * weight, axis=1) / weight.sum(axis=1)
        ranks[draw, there] = (-index[there]).argsort().argsort() + 1
    found = np.full((3, len(x)), np.nan)
    found[:, there] = np.quantile(ranks[:, there], [(1 - level) / 2, 0.5, (1 + level) / 2], axis=0, method="nearest")
    return found[0], found[1], found[2]


def position_interval(
    y: np.ndarray, se: np.ndarray, sign: float, *, level: float = 0.95, draws: int = DRAWS, seed: int = 2030
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of the rank of each area on one series, from its standard errors (shape (areas,)); 1 is the best value.

    Areas without a standard error are taken as known: their neighbours' errors alone then move ranks.
    """
    rng = np.random.default_rng(seed)
    drawn = y + np.nan_to_num(se) * rng.standard_normal((draws, len(y)))
    ranks = (-sign * drawn).argsort(axis=1).argsort(axis=1) + 1
    low, high = np.quantile(ranks, [(1 - level) / 2, (1 + level) / 2], axis=0, method="nearest")
    return low, high


@dataclass(frozen=True)
class Pooled:
    """A random-effects mean over cities: `mean` with 95 % interval, `tau2` (variance between cities), `i2`, `cities`.

    `low` to `high` is for the mean of all such cities, `predicted_low` to `predicted_high` for one further city.
    """

    mean: float
    low: float
    high: float
    tau2: float
    i2: float
    cities: int
    predicted_low: float
    predicted_high: float


def pooled(effects: np.ndarray, se: np.ndarray, level: float = 0.95) -> Pooled | None:
    """Pool one effect over cities by random effects.

    Parameters
    ----------
    effects, se : array, shape (k,)
        Effect of each city in one unit, and its standard error (above zero); cities with a NaN are left out.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Pooled, or None with fewer than three cities

    Notes
    -----
    Paule-Mandel variance between cities and the Hartung-Knapp interval with t(k - 1), never narrower than the errors
    of the cities alone, through `statsmodels.stats.meta_analysis.combine_effects`: the usual normal interval is
    too narrow for few cities.
    Cities of one nation met one shock: their effects are not independent, and the interval does not know it.
    Hartung and Knapp 2001, doi:10.1002/sim.791; Paule and Mandel 1982, doi:10.6028/jres.087.022.
    """
    from statsmodels.stats.meta_analysis import combine_effects  # slow to import, and few pages need it

    known = np.isfinite(effects) & np.isfinite(se) & (se > 0)
    if known.sum() < LEAST_STUDIES:
        return None
    with np.errstate(divide="ignore", invalid="ignore"):  # equal effects have no heterogeneity to divide by
        found = combine_effects(effects[known], se[known] ** 2, method_re="iterated", use_t=True, alpha=1 - level)
    k, mean, tau2 = int(known.sum()), float(found.mean_effect_re), float(max(found.tau2, 0))
    error = float(np.sqrt(found.var_eff_w_re))
    reach = stats.t.ppf((1 + level) / 2, k - 1) * error
    wide = stats.t.ppf((1 + level) / 2, k - 2) * np.sqrt(tau2 + error**2)
    i2 = float(max(np.nan_to_num(found.i2, neginf=0.0), 0))
    return Pooled(mean, mean - reach, mean + reach, tau2, i2, k, mean - wide, mean + wide)


# --- the whole table -------------------------------------------------------------------------------


def benchmark_table(
    table: pd.DataFrame, definitions: pd.DataFrame, city: str, *, most_years_apart: int = 1, seed: int = 2030
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
    seed : int
        For the rank interval.

    Returns
    -------
    DataFrame, one row per headline series of the city that at least four peers share
        `indicator`, `series`, `unit`, `year`, `value`, `low`, `high`; over the peers, without the city: `peers`,
        `peers_low`, `peers_quarter`, `peers_middle`, `peers_three_quarters`, `peers_high`; `standing`
        (inside or outside the middle half of the peers, better or worse where the direction is known); with
        intervals of the source for all of them `rank_low`, `rank_high` (95 %) among `areas`; `reason`.

    Notes
    -----
    Peers are a range, not a league table: no rank is given without its interval. Series with a break or an unknown unit
    should be looked at first (`comparison.comparability`).
    """
    series = yearly(table[table["breakdown"] == ""])
    points = series.points.join(series.keys[["area", *DEFINITION_KEY, "duration"]], on="row")
    points["year"] = np.floor(points["t"]).astype(int)
    rows = []
    for key, part in points.groupby([*DEFINITION_KEY, "duration"], sort=True):
        own = part[part["area"] == city]
        if not len(own):
            continue
        last = own.loc[own["t"].idxmax()]
        near = part[(part["year"] - last["year"]).abs() <= most_years_apart]
        near = near.assign(off=(near["year"] - last["year"]).abs()).sort_values(["area", "off", "year"])
        peers = near[near["area"] != city].drop_duplicates("area")
        if len(peers) + 1 >= LEAST_AREAS:
            sign = float(direction_sign(pd.DataFrame([key[:3]], columns=DEFINITION_KEY), definitions)[0])
            rows.append(dict(zip(DEFINITION_KEY, key[:3], strict=True)) | _standing(last, peers, sign, seed))
    columns = [*DEFINITION_KEY, "year", "value", "low", "high", "peers", "areas", "peers_low", "peers_quarter",
               "peers_middle", "peers_three_quarters", "peers_high", "standing", "rank_low", "rank_high",
               "reason"]  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=columns)


def _standing(last: pd.Series, peers: pd.DataFrame, sign: float, seed: int) -> dict:
    values = peers["value"].to_numpy()
    least, quarter, middle, three, most = np.quantile(values, [0, 0.25, 0.5, 0.75, 1])
    where = "inside the middle half of the peers"
    if last["value"] < quarter or last["value"] > three:
        side = np.sign(last["value"] - middle) * sign
        where = {1: "better than the middle half", -1: "worse than the middle half"}.get(
            side, "above the middle half" if last["value"] > three else "below the middle half"
        )
    everyone = pd.concat([last.to_frame().T, peers])
    se = (everyone["high"].astype(float) - everyone["low"].astype(float)).to_numpy() / (2 * 1.959964)
    rank, reason = (np.nan, np.nan), ""
    if not sign:
        reason = "the desired direction is not stated: no rank"
    elif np.isfinite(se).all():
        low, high = position_interval(everyone["value"].to_numpy(float), se, sign, seed=seed)
        rank = (float(low[0]), float(high[0]))
    else:
        reason = "not every source gives an interval: no rank"
    return {
        "year": int(last["year"]), "value": last["value"], "low": last["low"], "high": last["high"],
        "peers": len(peers), "areas": len(peers) + 1, "peers_low": least, "peers_quarter": quarter,
        "peers_middle": middle, "peers_three_quarters": three, "peers_high": most, "standing": where,
        "rank_low": rank[0], "rank_high": rank[1], "reason": reason,
    }  # fmt: skip
