"""Whom averages hide: inequality between the groups of every breakdown, now and over time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vlr_analysis import inequality
from vlr_analysis.groups import regrouped as regrouped
from vlr_analysis.inequality import MEASURES
from vlr_analysis.language import coded
from vlr_analysis.periods import parse_period, year_of
from vlr_analysis.trends import DEFINITION_KEY, LEAST, trend_statistics, yearly

KEY = ["area", "indicator", "series", "unit", "dimension"]
HIDES, MAY_HIDE, SHOWS, UNKNOWN = (
    coded("average hides"),
    coded("average may hide"),
    coded("no sign that it hides"),
    coded("cannot tell"),
)
ENDS = ("low", "high")
TOTALS = ("total", "all", "both sexes", "all ages")

STILL_LATEST = 2.0  # years
MOST_YEARS = 0.75  # a group with values in fewer of the years is left out of what is told over time

_NUMBERED = re.compile(r"(?:quartile|quintile|decile|tercile|tertile|quantile)\s*(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Groups:
    """The groups of one dimension of one series, over its periods.

    `y`, `se` and `people` have shape (n, k), n periods by k groups; NaN where a group has no value, no interval or no
    known population. `t` (n,) is the middle of each period, `total` (n,) the published total, `status` (n, k) says
    why a value is missing.
    """

    key: dict[str, str]
    periods: list[str]
    t: np.ndarray
    categories: list[str]
    ordered: bool
    y: np.ndarray
    se: np.ndarray
    people: np.ndarray
    total: np.ndarray
    status: np.ndarray

    @property
    def measure(self) -> tuple[str, ...]:
        """Indicator, series and unit."""
        return tuple(self.key[name] for name in DEFINITION_KEY)


def disparity_table(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    populations: pd.DataFrame | None = None,
    *,
    orders: Mapping[str, Sequence[str]] | None = None,
    seed: int = 2030,
) -> pd.DataFrame:
    """Inequality between the groups of every dimension that a table is broken down by.

    Parameters
    ----------
    table : DataFrame
        Observations; breakdowns of one dimension are used (``sex=female``), crossed ones are not.
    definitions : DataFrame
        Direction of each (indicator, series, unit), and the bounds of its unit.
    populations : DataFrame, optional
        People in each group: `area`, `breakdown`, `period`, `value`, such as the rows of one population series.
        For each year the latest count not after it is taken, or else the earliest. Without it, or where a
        group's count is missing, the measures that weight groups are not given.
    orders : mapping, optional
        Dimension -> its categories from least to most advantaged. Numbered quartiles, quintiles and
        deciles are in order by themselves, the first being the least advantaged.
    seed : int
        For the bootstrap.

    Returns
    -------
    DataFrame, one row per series, dimension and period with a value for at least one group
        `area`, `indicator`, `series`, `unit`, `dimension`, `period`; `groups`, `with_value`, `suppressed`; `ordered`;
        `lowest_group`, `highest_group`; `least_advantaged`, `most_advantaged` (of ordered groups, whose `difference`
        and `ratio` are of these two, else of highest and lowest); `mean` and `mean_from`
        (population-weighted, or published total);
        each measure of `inequality.MEASURES` with `_low` and `_high` (95 %, where the source gives intervals
        of the groups); `interval` (bootstrap, or no interval) and `reason` (what is not given, and why).

    Notes
    -----
    Suppressed and missing groups are never filled; extremes among the groups that are left are then a lower
    bound of the real difference. The unknown direction of a series leaves `par`, `paf` and `mean_gap_best` empty.
    Not for comparing dimensions with different numbers of groups: more groups lie further apart by chance. Counts
    are refused: groups differ in size.
    """
    rows, known = [], _readings(definitions)
    for groups in _dimensions(table, populations, orders or {}):
        sign, counts, bounds = known.get(groups.measure, _NOT_KNOWN)
        for place, period in enumerate(groups.periods):
            if not np.isnan(groups.y[place]).all():
                found = _refused(groups, place) if counts else _measured(groups, place, sign, bounds, seed)
                rows.append({**groups.key, "period": period} | found)
    limits = [f"{name}_{end}" for name in MEASURES for end in ENDS]
    columns = [*KEY, "period", "groups", "with_value", "suppressed", "ordered", "lowest_group", "highest_group",
               "least_advantaged", "most_advantaged", "mean",
               "mean_from", *MEASURES, *limits, "interval", "reason"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _readings(definitions: pd.DataFrame) -> dict[tuple, tuple[int, bool, tuple[float, float]]]:
    """Return the sign of the desired direction, whether a series counts something, and the bounds of its unit."""
    rows = definitions.drop_duplicates(DEFINITION_KEY)
    kinds = rows["kind"] if "kind" in rows else pd.Series("", rows.index)
    found = {}
    columns = (rows[DEFINITION_KEY].itertuples(index=False, name=None), rows["direction"], kinds, rows["lower"])
    for key, direction, kind, low, high in zip(*columns, rows["upper"], strict=True):
        sign = {"increase": 1, "decrease": -1}.get(direction, 0)
        bounds = (float(low) if np.isfinite(low) else -np.inf, float(high) if np.isfinite(high) else np.inf)
        found[key] = sign, kind == "count", bounds
    return found


_NOT_KNOWN = (0, False, (-np.inf, np.inf))


def _dimensions(table: pd.DataFrame, populations: pd.DataFrame | None, orders: Mapping) -> Iterator[Groups]:
    single = table["breakdown"].str.fullmatch(r"[^=;]+=[^=;]+")
    parts = table[single].copy()
    halves = [text.partition("=") for text in parts["breakdown"]]
    parts["dimension"] = pd.Series([half[0] for half in halves], parts.index, dtype=str)
    parts["category"] = pd.Series([half[2] for half in halves], parts.index, dtype=str)
    parts = parts[~parts["category"].str.lower().isin(TOTALS)]
    heads = table[table["breakdown"] == ""]
    names = ["area", *DEFINITION_KEY, "period"]
    totals = dict(zip(heads[names].itertuples(index=False, name=None), heads["value"], strict=True))
    number = parts.groupby(KEY, sort=True).ngroup().to_numpy()
    order, ends = np.argsort(number, kind="stable"), np.cumsum(np.bincount(number))
    columns = {name: parts[name].to_numpy() for name in ("period", "category", "value", "low", "high", "status")}
    keys = parts[KEY].take(order[ends - 1]).to_dict("records") if len(parts) else []
    for named, at in zip(keys, np.split(order, ends[:-1]), strict=bool(keys)):
        rows = {name: column[at] for name, column in columns.items()}
        categories, ordered = _order(sorted(set(rows["category"])), orders.get(named["dimension"]))
        middle = {text: parse_period(text).midpoint for text in sorted(set(rows["period"]))}
        periods = sorted(middle, key=middle.get)
        at = [periods.index(text) for text in rows["period"]], [categories.index(text) for text in rows["category"]]
        wide = {name: np.full((len(periods), len(categories)), np.nan) for name in ("value", "low", "high")}
        wide["status"] = np.full((len(periods), len(categories)), "", dtype=object)
        for name, array in wide.items():
            array[at] = rows[name]
        start = tuple(named[name] for name in names[:-1])
        yield Groups(
            named, periods, np.array([middle[text] for text in periods]), categories, ordered, wide["value"],
            (wide["high"] - wide["low"]) / (2 * 1.959964), _people(populations, named, categories, periods),
            np.array([totals.get((*start, text), np.nan) for text in periods], dtype=float), wide["status"],
        )  # fmt: skip


def _order(found: list[str], stated: Sequence[str] | None) -> tuple[list[str], bool]:
    """Put categories in their order of advantage, where there is one."""
    if stated:
        known = [name for name in stated if name in found]
        return known + [name for name in found if name not in known], len(known) == len(found)
    numbers = [_NUMBERED.search(name) for name in found]
    if len(found) > 1 and all(numbers):
        return [name for _, name in sorted((int(hit[1]), name) for hit, name in zip(numbers, found, strict=True))], True
    return found, False


def _people(populations: pd.DataFrame | None, key: dict, categories: list[str], periods: list[str]) -> np.ndarray:
    people = np.full((len(periods), len(categories)), np.nan)
    if populations is None or not len(populations):
        return people
    mine = populations[(populations["area"] == key["area"]) & (populations["value"] > 0)]
    for column, category in enumerate(categories):
        rows = mine[mine["breakdown"] == f"{key['dimension']}={category}"]
        if not len(rows):
            continue
        counts = pd.Series(rows["value"].to_numpy(float), [year_of(text) for text in rows["period"]])
        counts = counts.groupby(level=0).last().sort_index()
        at = counts.index.searchsorted([year_of(text) for text in periods], side="right") - 1
        people[:, column] = counts.to_numpy()[np.maximum(at, 0)]
    return people


COUNTED = coded("a count: groups of different size are compared by rates")


def _about(groups: Groups, place: int) -> dict:
    """Which groups there are, and which of them are the extremes."""
    y = groups.y[place]
    return {
        "groups": len(y), "with_value": int((~np.isnan(y)).sum()),
        "suppressed": int((groups.status[place] == "suppressed").sum()), "ordered": groups.ordered,
        "lowest_group": groups.categories[int(np.nanargmin(y))],
        "highest_group": groups.categories[int(np.nanargmax(y))],
        "least_advantaged": groups.categories[0] if groups.ordered else "",
        "most_advantaged": groups.categories[-1] if groups.ordered else "",
    }  # fmt: skip


def _refused(groups: Groups, place: int) -> dict:
    return _about(groups, place) | {"mean_from": "", "interval": coded("no interval"), "reason": COUNTED}


def _measured(groups: Groups, place: int, sign: int, bounds: tuple[float, float], seed: int) -> dict:
    y, people, se = groups.y[place], groups.people[place], groups.se[place]
    there, reasons, about = ~np.isnan(y), [], _about(groups, place)
    absent, hidden = about["groups"] - about["with_value"], about["suppressed"]
    weights_known = bool((people[there] > 0).all())
    mean, mean_from = float(inequality.weighted_mean(y, people)), "population-weighted"
    if not weights_known or absent:
        mean, mean_from = float(groups.total[place]), coded("published total")
    mean_from = mean_from if np.isfinite(mean) else ""
    weights = people if weights_known else np.full_like(people, np.nan)
    weights = np.where(there, weights, np.nan)

    def measure(values: np.ndarray) -> dict[str, np.ndarray]:
        means = inequality.weighted_mean(values, weights) if mean_from.startswith("pop") else np.full(len(values), mean)
        return inequality.all_measures(values, weights, means, sign, ordered=groups.ordered)

    found = {name: float(value[0]) for name, value in measure(y[None]).items()}
    signed = (*inequality.SLOPES, *inequality.SIMPLE) if groups.ordered else inequality.SLOPES
    limits = inequality.bootstrap_interval(y, se, measure, signed=signed, bounds=bounds, seed=seed)
    if absent:
        shape = coded("{absent} of {n} groups have no value: the difference is a lower bound")
        if hidden:
            shape = coded(
                "{absent} of {n} groups have no value, {hidden} of them suppressed: the difference is a lower bound"
            )
        reasons.append(shape.format(absent=absent, n=len(y), hidden=hidden))
    if there.sum() < 2:
        reasons.append(coded("one group only"))
    elif not weights_known:
        reasons.append(coded("population shares are not known: no weighted measure"))
    elif np.isnan(found["bgv"]):
        reasons.append(coded("measures over all groups need three of them and at most 15 % missing"))
    if not sign:
        reasons.append(coded("the desired direction is not stated: no comparison with a reference"))
    ends = {f"{name}_{end}": value for name, pair in limits.items() for end, value in zip(ENDS, pair, strict=True)}
    source = "bootstrap" if np.isfinite(se[there]).any() else coded("no interval")
    told = {"mean": mean, "mean_from": mean_from, "interval": source, "reason": "; ".join(reasons)}
    return about | told | found | ends


def latest_of(result: pd.DataFrame) -> pd.DataFrame:
    """Return one row per series and dimension of a `disparity_table`: what to read first.

    The latest period in which every group has a value, if it is at most `STILL_LATEST` years older than the latest
    with two groups; else that one.
    """
    rows = result[result["with_value"] >= 2]
    middle = rows["period"].map({text: parse_period(text).midpoint for text in rows["period"].unique()})
    rows = rows.assign(middle=middle.astype(float))
    newest = rows.groupby(KEY)["middle"].transform("max")
    rows["whole"] = (rows["with_value"] == rows["groups"]) & (newest - rows["middle"] <= STILL_LATEST)
    rows = rows.sort_values([*KEY, "whole", "middle"], kind="stable").drop_duplicates(KEY, keep="last")
    return rows.drop(columns=["middle", "whole"]).reset_index(drop=True)


# --- over time --------------------------------------------------------------------------------------


def average_hides(
    t: np.ndarray, total: np.ndarray, y: np.ndarray, sign: float, *, ordered: bool = False, alpha: float = 0.05
) -> dict[str, object]:
    """Whether an average improves while the least advantaged group, or the gap, worsens.

    Parameters
    ----------
    t : array, shape (n,)
        Years in which the total and every group have a value.
    total : array, shape (n,)
    y : array, shape (n, k)
        Groups; where ordered, the first is the least advantaged, else the one with the worst mean over the years.
    sign : number
        +1 where more is better, -1 where less is; 0 gives *cannot tell*.
    ordered : bool
    alpha : float
        Level of Kendall's test of each of the three slopes.

    Returns
    -------
    dict
        `verdict`: "average hides" (the total improves and the group or the gap worsens, seen by Kendall's test and
        by the one that allows for AR(1)), "average may hide" (the slopes say so, a test does not), "no sign that it
        hides", "cannot tell";
        `reason`; `least` (column of the least advantaged group); `total_slope`, `least_slope`, `gap_slope`
        (Theil-Sen, unit per year; above zero in the table's own direction, not the desired one).

    Notes
    -----
    The gap is the highest less the lowest group, or most less least advantaged. It widens only where it does so in
    units and relative to the total: the relative gap alone can widen while every group gains, the absolute one
    while all grow at one rate. The two ways share the level (half of alpha each). The group is fixed by all
    years, not the first alone, so that regression to the mean does not choose it.
    """
    found = {"least": -1, "total_slope": np.nan, "least_slope": np.nan, "gap_slope": np.nan}
    if sign == 0:
        return found | {"verdict": UNKNOWN, "reason": coded("the desired direction is not stated")}
    if y.shape[1] < 2:
        return found | {"verdict": UNKNOWN, "reason": coded("one group only")}
    if len(t) < LEAST:
        return found | {
            "verdict": UNKNOWN,
            "reason": coded(
                "years in which every group has a value: {t}, at least {LEAST} are needed", t=len(t), LEAST=LEAST
            ),
        }
    least = 0 if ordered else int((sign * y).mean(axis=0).argmin())
    gap = sign * (y[:, -1] - y[:, 0]) if ordered else np.ptp(y, axis=1)
    one_sign = (total > 0).all() or (total < 0).all()
    lines = np.stack([sign * total, sign * y[:, least], -gap, -gap / np.abs(total) if one_sign else -gap])
    trend = trend_statistics(np.broadcast_to(t, lines.shape), lines, alpha)
    flat = np.ptp(lines, axis=1) == 0
    better = np.where(flat, 0, trend.slope)
    kendall = np.where(flat | np.isnan(trend.p), 1.0, trend.p)
    p = np.fmax(kendall, np.where(flat | np.isnan(trend.p_ar1), 1.0, trend.p_ar1))
    # Ways to worsen: the group itself; the gap, in units (both tests) and relative to the total (Kendall's).
    worse = np.array([False, better[1] < 0, better[2] < 0 and better[3] < 0])
    seen = np.array([p[0] <= alpha, p[1] <= alpha / 2, p[2] <= alpha / 2 and kendall[3] <= alpha])
    ways = {1: coded("the least advantaged group worsens"), 2: coded("the gap widens")}
    told = [words for place, words in ways.items() if worse[place]]
    sure = [words for place, words in ways.items() if worse[place] and seen[place]]
    verdict, reason = SHOWS, ""
    if better[0] > 0 and seen[0] and sure:
        verdict, reason = HIDES, coded("the average improves, {ways}", ways=" and ".join(sure))
    elif better[0] > 0 and told:
        verdict = MAY_HIDE
        reason = coded("the average seems to improve, {ways}, not all of it beyond chance", ways=" and ".join(told))
    slopes = {"total_slope": sign * better[0], "least_slope": sign * better[1], "gap_slope": -better[2]}
    return found | slopes | {"least": least, "verdict": verdict, "reason": reason}


def disparity_trend_table(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    *,
    orders: Mapping[str, Sequence[str]] | None = None,
    alpha: float = 0.05,
) -> pd.DataFrame:
    """Change over time of the gap between groups, convergence, and whether the average hides.

    Parameters
    ----------
    table, definitions, orders
        As in `disparity_table`.
    alpha : float
        Level of the tests behind "average hides".

    Returns
    -------
    DataFrame, one row per series and dimension
        `area`, `indicator`, `series`, `unit`, `dimension`; `groups`, `years`, `first`, `last` (periods in which every
        group has a value); `least_group`; `total_slope`, `least_slope`, `gap_slope` (unit per year); `beta`,
        `beta_se`, `beta_p`, `sigma_first`, `sigma_last`, `sigma_slope`, `sigma_p`, `converging` (see
        `inequality.convergence`); `verdict` and `reason` of `average_hides`.

    Notes
    -----
    Months and quarters become means of complete years. Groups that lack a value in more than a quarter of the years
    are left out and named in `reason`, so that one late group does not cost the others their history. Where no
    total is published, the simple mean of the groups stands for it, and `reason` says so. Counts are refused.
    """
    rows, known = [], _readings(definitions)
    for groups in _dimensions(_one_value_a_year(table), None, orders or {}):
        sign, counts, _ = known.get(groups.measure, _NOT_KNOWN)
        there = ~np.isnan(groups.y)
        kept = there.mean(axis=0) >= MOST_YEARS
        whole = there[:, kept].all(axis=1) & kept.any()
        names, dropped = ([name for name, keep in zip(groups.categories, kept, strict=True) if keep == want]
                          for want in (True, False))  # fmt: skip
        periods = [period for period, keep in zip(groups.periods, whole, strict=True) if keep]
        t, y, total = groups.t[whole], groups.y[whole][:, kept], groups.total[whole]
        notes = [coded("without {dropped} (too few years)", dropped=", ".join(dropped))] if dropped else []
        if len(total) and np.isnan(total).any():
            total, notes = (
                y.mean(axis=1),
                [*notes, coded("no published total: the simple mean of the groups stands for it")],
            )
        told = average_hides(t, total, y, float(sign), ordered=groups.ordered and not dropped, alpha=alpha)
        spread = inequality.convergence(t, y.T)
        if counts:
            told, spread = average_hides(t, total, y, 0.0) | {"reason": COUNTED}, inequality.convergence(t, y[:, :0].T)
        sigma, least = spread.pop("sigma"), told.pop("least")
        told["reason"] = "; ".join(filter(None, [told["reason"], *notes]))
        ends = {"first": periods[0], "last": periods[-1]} if periods else {"first": "", "last": ""}
        ends |= {"sigma_first": sigma[0], "sigma_last": sigma[-1]} if len(sigma) else {}
        more = {"groups": len(names), "years": len(t), "least_group": names[least] if least >= 0 else ""}
        rows.append({**groups.key, **more, **ends, **told, **spread})
    columns = [*KEY, "groups", "years", "first", "last", "least_group", "total_slope", "least_slope", "gap_slope",
               "beta", "beta_se", "beta_p", "sigma_first", "sigma_last", "sigma_slope", "sigma_p", "converging",
               "verdict", "reason"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _one_value_a_year(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as trends read it: years, or means of complete calendar years, from the last break on."""
    series = yearly(table)
    rows = series.points.join(series.keys[["area", *DEFINITION_KEY, "breakdown", "duration"]], on="row")
    return rows.drop_duplicates(["area", *DEFINITION_KEY, "breakdown", "period"]).reset_index(drop=True)
