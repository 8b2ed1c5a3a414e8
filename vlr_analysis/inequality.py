"""Measures of inequality between groups, on arrays: absolute and relative, weighted and not, ordered and not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special, stats

LEAST_GROUPS = 3  # for measures over all groups at once
MOST_MISSING = 0.15  # share of groups without a value, beyond which those measures are not given
DRAWS = 2000
ZERO = 1e-6  # stands for a value of zero where a logarithm is taken

SIMPLE = ("difference", "ratio")
TO_BEST = ("par", "paf")
OVERALL = ("bgv", "bgsd", "cov", "theil", "mld", "idis", "idis_unweighted", "mean_gap", "mean_gap_best", "gini")
SLOPES = ("aci", "rci", "sii", "rii")
MEASURES = (*SIMPLE, *TO_BEST, *OVERALL, *SLOPES)


def weighted_mean(y: np.ndarray, population: np.ndarray) -> np.ndarray:
    """Mean over the last axis by population; groups without a value or a population are left out, NaN where all are."""
    weight = np.where(np.isnan(y), np.nan, population)
    with np.errstate(invalid="ignore"):
        return _sum(weight * y) / _sum(weight)


def simple_measures(y: np.ndarray, *, ordered: bool = False) -> dict[str, np.ndarray]:
    """Difference and ratio between the extreme groups.

    Parameters
    ----------
    y : array, shape (..., k)
        Values of k groups; NaN where a group has none. Ordered groups run from least to most advantaged.
    ordered : bool
        Most less least advantaged, instead of highest less lowest.

    Returns
    -------
    dict of arrays, shape (...)
        `difference` (unit of y) and `ratio`. NaN with fewer than two groups, or where an end of the order has no
        value; the ratio also where its divisor is zero or values have both signs.

    Notes
    -----
    They see two groups only; show them with a measure over all. WHO 2013, Handbook on health inequality monitoring.
    """
    few = (~np.isnan(y)).sum(axis=-1) < 2
    low, high = (y[..., 0], y[..., -1]) if ordered else (_filled(y, np.inf).min(-1), _filled(y, -np.inf).max(-1))
    low, high = np.where(few, np.nan, low), np.where(few, np.nan, high)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((low != 0) & (low * high >= 0), high / low, np.nan)
    return {"difference": high - low, "ratio": ratio}


def to_best_measures(
    y: np.ndarray, mean: np.ndarray, sign: np.ndarray | float, *, ordered: bool = False
) -> dict[str, np.ndarray]:
    """Population attributable risk and fraction: how far the mean would move if every group had the best value.

    Parameters
    ----------
    y : array, shape (..., k)
    mean : array, shape (...)
        Population-weighted mean, or the published total.
    sign : array or number
        +1 where more is better, -1 where less is; 0 gives NaN.
    ordered : bool
        The reference is the most advantaged group, instead of the one with the best value.

    Returns
    -------
    dict of arrays, shape (...)
        `par` = reference - mean (unit of y), 0 where the reference is no better than the mean; `paf` = 100 par / mean, percent.

    Notes
    -----
    Not a forecast: nothing says that the reference can be reached by all.
    """  # noqa: E501
    sign = np.broadcast_to(sign, np.shape(mean)).astype(float)
    best = np.where(sign > 0, _filled(y, -np.inf).max(-1), _filled(y, np.inf).min(-1))
    reference = y[..., -1] if ordered else np.where(np.isnan(y).all(-1), np.nan, best)
    par = np.where(sign == 0, np.nan, reference - mean)
    par = np.where(sign * par < 0, 0.0, par)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"par": par, "paf": np.where(mean != 0, 100 * par / mean, np.nan)}


def overall_measures(y: np.ndarray, population: np.ndarray, sign: np.ndarray | float = 0) -> dict[str, np.ndarray]:
    """Measures over all groups at once.

    Parameters
    ----------
    y : array, shape (..., k)
        NaN where a group has no value.
    population : array, shape (..., k) or (k,)
        People in each group; NaN or zero counts as missing.
    sign : array or number
        +1 where more is better, -1 where less is; only `mean_gap_best` needs it.

    Returns
    -------
    dict of arrays, shape (...)
        With p the share of a group, mu = sum p y and r = y / mu: `bgv` sum p (y - mu)^2 (squared unit), `bgsd` its
        root (unit), `cov` 100 bgsd / mu (percent), `theil` 1000 sum p r ln r, `mld` 1000 sum p (-ln r), `idis`
        100 sum p |y - mu| / mu and `idis_unweighted` (the mean over groups; percent), `mean_gap` sum p |y - mu| and
        `mean_gap_best` sum p |y - best| (unit), `gini` sum p p' |y - y'| / (2 mu). NaN with fewer than 3
        groups, more than 15 % of them missing, and, for the relative ones, a mean that is not above zero;
        `theil` and `mld` also with a value below zero. To these two a value of zero is 1e-6.

    Notes
    -----
    Relative measures grow as a mean shrinks: read them with an absolute one. Theil 1967; Shorrocks 1980,
    doi:10.2307/1913126; Harper and Lynch 2005, NCI methods report, doi:10.2139/ssrn.3070590 for the family.
    """
    population = np.broadcast_to(population, y.shape)
    with np.errstate(invalid="ignore"):
        there = ~np.isnan(y) & (population > 0)
    count, total = there.sum(axis=-1), y.shape[-1]
    given = (count >= LEAST_GROUPS) & (total - count <= MOST_MISSING * total + 1e-9)
    y = np.where(there & given[..., None], y, np.nan)
    p = np.where(there, population, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        p = p / _sum(p)[..., None]
        mu = np.where(given, _sum(p * y), np.nan)
        positive = np.where(mu > 0, mu, np.nan)
        above = np.where(y == 0, ZERO, y)
        r = above / np.where(mu > 0, _sum(p * above), np.nan)[..., None]
        r = np.where((_filled(y, 0.0) < 0).any(-1, keepdims=True), np.nan, r)
        apart = np.abs(y - mu[..., None])
        sign = np.broadcast_to(sign, mu.shape)
        best = np.where(sign > 0, _filled(y, -np.inf).max(-1), _filled(y, np.inf).min(-1))
        best = np.where(given & (sign != 0), best, np.nan)
        bgv = np.where(given, _sum(p * apart**2), np.nan)
        order = np.argsort(y, axis=-1)  # NaN last
        ranked, share = (np.nan_to_num(np.take_along_axis(part, order, axis=-1)) for part in (y, p))
        gini = (share * ranked * (2 * np.cumsum(share, axis=-1) - share - 1)).sum(axis=-1)
        found = {
            "bgv": bgv,
            "bgsd": np.sqrt(bgv),
            "cov": 100 * np.sqrt(bgv) / positive,
            "theil": 1000 * _sum(p * r * np.log(r)),
            "mld": 1000 * _sum(-p * np.log(r)),
            "idis": 100 * _sum(p * apart) / positive,
            "idis_unweighted": 100 * _sum(apart) / count / positive,
            "mean_gap": _sum(p * apart),
            "mean_gap_best": _sum(p * np.abs(y - best[..., None])),
            "gini": gini / positive,
        }
    return {name: np.where(given, value, np.nan) for name, value in found.items()}


def slope_measures(y: np.ndarray, population: np.ndarray) -> dict[str, np.ndarray]:
    """Measures over groups with a natural order, from least to most advantaged, such as income quintiles.

    Parameters
    ----------
    y : array, shape (..., k)
    population : array, shape (..., k) or (k,)

    Returns
    -------
    dict of arrays, shape (...)
        With R the midpoint of each group's range of cumulative population shares: `aci` sum p (2R - 1) y and `rci`
        aci / mu (concentration indices); `sii` the slope of the weighted least-squares line of y on R (bottom to top,
        unit of y) and `rii` the ratio of its ends, NaN where an end is not above zero. All NaN unless at least 3
        groups and every one has a value and a population.

    Notes
    -----
    Above zero: higher values among the advantaged. Not for groups without an order (districts, sex).
    Wagstaff, Paci and van Doorslaer 1991, doi:10.1016/0277-9536(91)90212-U.
    """
    population = np.broadcast_to(population, y.shape).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):
        given = (~np.isnan(y) & (population > 0)).all(axis=-1) & (y.shape[-1] >= LEAST_GROUPS)
        p = population / population.sum(axis=-1, keepdims=True)
        rank = np.cumsum(p, axis=-1) - p / 2
        mu, middle = (p * y).sum(axis=-1), (p * rank).sum(axis=-1)
        aci = (p * (2 * rank - 1) * y).sum(axis=-1)
        away = rank - middle[..., None]
        slope = (p * away * y).sum(axis=-1) / (p * away**2).sum(axis=-1)
        bottom, top = mu - slope * middle, mu + slope * (1 - middle)
        found = {
            "aci": aci,
            "rci": np.where(mu > 0, aci / mu, np.nan),
            "sii": slope,
            "rii": np.where((bottom > 0) & (top > 0), top / bottom, np.nan),
        }
    return {name: np.where(given, value, np.nan) for name, value in found.items()}


def all_measures(
    y: np.ndarray, population: np.ndarray, mean: np.ndarray, sign: np.ndarray | float = 0, *, ordered: bool = False
) -> dict[str, np.ndarray]:
    """Every measure of this module; slopes only for ordered groups. Arguments as in the functions it calls."""
    found = simple_measures(y, ordered=ordered) | to_best_measures(y, mean, sign, ordered=ordered)
    found |= overall_measures(y, population, sign)
    if ordered:
        found |= slope_measures(y, population)
    return found


def bootstrap_interval(
    y: np.ndarray,
    se: np.ndarray,
    measure: Callable[[np.ndarray], dict[str, np.ndarray]],
    *,
    signed: tuple[str, ...] = SLOPES,
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    seed: int = 2030,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Interval of measures by a seeded parametric bootstrap.

    Parameters
    ----------
    y, se : array, shape (k,)
        Values and standard errors of the groups; a group without a standard error is left as it is.
    measure : function
        Takes values of shape (draws, k) and returns measures of shape (draws,).
    signed : tuple of str
        Measures whose sign means something; for ordered groups also `difference` and `ratio`.
    level : float
        Coverage.
    bounds : (low, high)
        What the unit allows; draws beyond are set to the bound.
    seed : int

    Returns
    -------
    dict
        Lower and upper bound of each measure; NaN where no group has a standard error.

    Notes
    -----
    Signed measures (slopes, and extremes of ordered groups) take percentiles of the draws. The others cannot fall
    below equality, so that drawing around estimates that chance has already spread spreads them twice. They reach
    from equality itself, where a test of equal groups (Cochran's Q) does not reject, or else from the lower of the
    percentile and the basic bound (2 estimate - percentile, also on squares), to the higher of the two. That is
    wider than 95 % where groups are alike: docs/methods gives the coverage.
    Davison and Hinkley 1997, doi:10.1017/CBO9780511802843; Cochran 1954, doi:10.2307/3001666.
    """
    estimate = measure(y[None])
    known = np.isfinite(se) & np.isfinite(y) & (se > 0)
    if not known.any():
        return dict.fromkeys(estimate, (np.nan, np.nan))
    rng = np.random.default_rng(seed)
    draws = y + np.where(known, se, 0.0) * rng.standard_normal((DRAWS, len(y)))
    drawn = measure(np.clip(draws, *bounds))
    alike = _alike(y[known], se[known], level)
    found = {}
    for name, values in drawn.items():
        here = float(estimate[name][0])
        if np.isnan(here) or np.isnan(values).all():
            found[name] = (np.nan, np.nan)
            continue
        low, high = (float(v) for v in np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2]))
        if name not in signed:
            equal = 1.0 if name == "ratio" else 0.0
            side = -1.0 if here < equal else 1.0
            near, far = sorted(side * (bound - equal) for bound in (low, high))
            size = side * (here - equal)
            # Chance adds to squares: the basic bound is taken on both scales, and the lower one kept.
            squared = np.sqrt(max(0.0, 2 * size**2 - far**2))
            near, far = min(near, 2 * size - far, squared), max(far, 2 * size - near)
            near = 0.0 if alike else max(near, 0.0)
            low, high = sorted(equal + side * bound for bound in (near, far))
        found[name] = (low, high)
    return found


def _alike(y: np.ndarray, se: np.ndarray, level: float) -> bool:
    """Whether a test that all groups have the same value does not reject (Cochran's Q)."""
    if len(y) < 2:
        return True
    weight = 1 / se**2
    q = (weight * (y - np.average(y, weights=weight)) ** 2).sum()
    return bool(special.chdtrc(len(y) - 1, q) > 1 - level)


def convergence(t: np.ndarray, y: np.ndarray) -> dict[str, float | np.ndarray]:
    """Whether groups grow alike: beta and sigma convergence, to be read together.

    Parameters
    ----------
    t : array, shape (n,)
        Years.
    y : array, shape (k, n)
        Values of k groups, all above zero, without NaN.

    Returns
    -------
    dict
        `beta`, `beta_se`, `beta_p`: slope of the annualised log growth on the initial log level (ordinary least
        squares; below zero: groups that began lower grew faster). `sigma` (n,): standard deviation
        of the logs in each year (k - 1). `sigma_slope`, `sigma_p`: its ordinary trend. `converging`: beta below
        zero *and* sigma falling. NaN with fewer than 3 groups or 3 years.

    Notes
    -----
    Beta alone is fooled by regression to the mean: noise in the first year makes low starters seem to
    catch up. Barro and Sala-i-Martin 1992, doi:10.1086/261816; Quah 1993, doi:10.2307/3440905.
    """
    empty = {"beta": np.nan, "beta_se": np.nan, "beta_p": np.nan, "sigma": np.full(len(t), np.nan)}
    if y.shape[0] < LEAST_GROUPS or y.shape[1] < 3 or not (y > 0).all():
        return empty | {"sigma_slope": np.nan, "sigma_p": np.nan, "converging": False}
    logs = np.log(y)
    sigma = logs.std(axis=0, ddof=1)
    growth = (logs[:, -1] - logs[:, 0]) / (t[-1] - t[0])
    if np.ptp(logs[:, 0]) == 0:
        beta = {"beta": np.nan, "beta_se": np.nan, "beta_p": np.nan}
    else:
        line = stats.linregress(logs[:, 0], growth)
        beta = {"beta": line.slope, "beta_se": line.stderr, "beta_p": line.pvalue}
    spread = stats.linregress(t, sigma)
    both = bool(beta["beta"] < 0 and spread.slope < 0)
    return beta | {"sigma": sigma, "sigma_slope": spread.slope, "sigma_p": spread.pvalue, "converging": both}


def _sum(values: np.ndarray) -> np.ndarray:
    """Sum over the last axis without NaN; NaN where nothing is left."""
    return np.where(np.isnan(values).all(axis=-1), np.nan, np.nansum(values, axis=-1))


def _filled(y: np.ndarray, value: float) -> np.ndarray:
    return np.where(np.isnan(y), value, y)
