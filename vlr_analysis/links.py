"""What moved together: rank correlation of changes across places, never across years."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
from scipy import stats

from vlr_analysis.language import coded
from vlr_analysis.periods import decimal_year, parse_period
from vlr_analysis.series import SERIES_KEY
from vlr_analysis.shock_groups import phases
from vlr_analysis.trends import benjamini_hochberg, benjamini_yekutieli, trend_table

LEAST_UNITS = 6
EXACT_UP_TO = 7  # 5,040 orders; more places are permuted at random, seeded
DRAWS = 9999
COLUMNS = ["measure", "second_measure", "units", "rho", "p", "q", "q_any_dependence", "verdict"]
TOGETHER, OPPOSITE, NO_LINK = coded("moved together"), coded("moved in opposite ways"), coded("no clear link")


def shock_measures(covid: pd.DataFrame, definitions: pd.DataFrame) -> pd.DataFrame:
    """Change at the shock of every headline series with a stated direction, by area, above zero where better.

    Parameters
    ----------
    covid : DataFrame
        From `covid.covid_table`; rows of the areas to compare.
    definitions : DataFrame

    Returns
    -------
    DataFrame
        `unit_id` (area), `measure` (label), `value`; one row an area and measure.
    """
    rows = covid[(covid["breakdown"] == "") & (covid["kind"] != "") & (covid["direction"] != "")]
    rows = rows.merge(definitions[["indicator", "series", "unit", "label"]], on=["indicator", "series", "unit"])
    value = rows["shock_change"] * np.where(rows["direction"] == "increase", 1, -1)
    frame = pd.DataFrame({"unit_id": rows["area"], "measure": rows["label"], "value": value})
    return frame.dropna().drop_duplicates(["unit_id", "measure"])


def recovery_measures(
    covid: pd.DataFrame, table: pd.DataFrame, definitions: pd.DataFrame, *, shock: str = "2020-03"
) -> pd.DataFrame:
    """Depth, rebound and progress before the shock of every headline series of one area, the series being the units.

    Parameters
    ----------
    covid : DataFrame
        From `covid.covid_table`, of one area.
    table : DataFrame
        Observations of the same area; progress before is the Theil-Sen slope of those before the shock.
    definitions : DataFrame
    shock : str
        ISO 8601 period, as `covid` was made with.

    Returns
    -------
    DataFrame
        `unit_id` (the label of a series), `measure`, `value`, for series with a direction and a depth below zero:
        "depth of the fall" and "progress before" in usual yearly movements of the series, so that units of
        measurement fall out, and "rebound" (share of the depth that was made up).
    """
    periods = table["period"].unique()
    ends = [(decimal_year(read.start), decimal_year(read.end)) for read in map(parse_period, periods)]
    start, end = np.array(ends).reshape(-1, 2).T
    early = periods[phases(start, end, decimal_year(parse_period(shock).start)) == "before"]
    before = trend_table(table[table["period"].isin(early)], definitions)[[*SERIES_KEY, "slope_per_year"]]
    rows = covid[(covid["breakdown"] == "") & (covid["direction"] != "") & (covid["depth"] < 0)]
    rows = rows[rows["usual_movement"] > 0].merge(
        before[[*SERIES_KEY, "slope_per_year"]], on=list(SERIES_KEY), how="left"
    )
    rows = rows.merge(definitions[["indicator", "series", "unit", "label"]], on=["indicator", "series", "unit"])
    sign = np.where(rows["direction"] == "increase", 1, -1)
    found = {
        coded("depth of the fall"): -rows["depth"] / rows["usual_movement"],
        "rebound": rows["rebound"],
        coded("progress before"): sign * rows["slope_per_year"] / rows["usual_movement"],
    }
    parts = [pd.DataFrame({"unit_id": rows["label"], "measure": name, "value": v}) for name, v in found.items()]
    frame = pd.concat(parts, ignore_index=True).dropna()
    return frame.drop_duplicates(["unit_id", "measure"]).reset_index(drop=True)


def link_table(measures: pd.DataFrame, *, alpha: float = 0.05, seed: int = 2030) -> pd.DataFrame:
    """Spearman's rank correlation of every pair of measures across places.

    Parameters
    ----------
    measures : DataFrame
        `unit_id`, `measure`, `value`, as `shock_measures` makes them; a missing value leaves the
        place out of the pairs that need it.
    alpha : float
        Level of the verdict.
    seed : int
        For the permutations.

    Returns
    -------
    DataFrame, one row a pair that at least six places share, smallest p first
        `measure`, `second_measure`, `units` (places), `rho`, `p` (two-sided; exact up to 7 places, else 9,999 seeded
        permutations), `q` (Benjamini-Hochberg over all pairs), `q_any_dependence` (Benjamini-Yekutieli),
        `verdict` (moved together, moved in opposite ways, no clear link).

    Notes
    -----
    No correlation over time is offered: two unrelated series of 15 years that both dip in 2020
    correlate at p < 0.05 in a fifth to a third of cases even after detrending. Not for places that
    hold one another (a city and its nation). Spearman 1904, doi:10.2307/1412159.
    """
    wide = measures.pivot(index="unit_id", columns="measure", values="value").sort_index()
    orders: dict[int, np.ndarray] = {}
    rows = []
    columns = {name: wide[name].to_numpy(float) for name in sorted(wide.columns)}
    for first, second in itertools.combinations(columns, 2):
        there = ~(np.isnan(columns[first]) | np.isnan(columns[second]))
        x, y, n = columns[first][there], columns[second][there], int(there.sum())
        if n < LEAST_UNITS or np.ptp(x) == 0 or np.ptp(y) == 0:
            continue
        if n not in orders:
            orders[n] = _orders(n, seed)
        rho, p = _spearman(x, y, orders[n])
        rows.append({"measure": first, "second_measure": second, "units": n, "rho": rho, "p": p})
    table = pd.DataFrame(rows, columns=COLUMNS[:5])
    table["q"] = benjamini_hochberg(table["p"].to_numpy(float))
    table["q_any_dependence"] = benjamini_yekutieli(table["p"].to_numpy(float))
    seen = table["q"] <= alpha
    table["verdict"] = np.select([seen & (table["rho"] > 0), seen], [TOGETHER, OPPOSITE], NO_LINK)
    return table.sort_values(["p", "measure", "second_measure"], kind="stable").reset_index(drop=True)


def _orders(n: int, seed: int) -> np.ndarray:
    """All orders of n places where they are few, else the one that is seen and 9,999 random ones."""
    if n <= EXACT_UP_TO:
        return np.array(list(itertools.permutations(range(n))))
    rng = np.random.default_rng([seed, n])
    return np.vstack([np.arange(n), rng.permuted(np.tile(np.arange(n), (DRAWS, 1)), axis=1)])


def _spearman(x: np.ndarray, y: np.ndarray, orders: np.ndarray) -> tuple[float, float]:
    a, b = (stats.rankdata(values) - (len(values) + 1) / 2 for values in (x, y))
    size = math.sqrt((a @ a) * (b @ b))
    drawn = b[orders] @ a / size
    rho = float(a @ b / size)
    return rho, float((np.abs(drawn) >= abs(rho) - 1e-12).mean())
