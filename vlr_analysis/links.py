"""What moved together: rank correlation of changes across places, never across years."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
from scipy import stats

from vlr_analysis.trends import benjamini_hochberg, benjamini_yekutieli

LEAST_UNITS = 6
EXACT_UP_TO = 7  # 5,040 orders; more places are permuted at random, seeded
DRAWS = 9999
COLUMNS = ["measure", "second_measure", "units", "rho", "p", "q", "q_any_dependence", "verdict"]
TOGETHER, OPPOSITE, NO_LINK = "moved together", "moved in opposite ways", "no clear link"


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
    for first, second in itertools.combinations(sorted(wide.columns), 2):
        both = wide[[first, second]].dropna()
        n = len(both)
        if n < LEAST_UNITS or (both.nunique() == 1).any():
            continue
        if n not in orders:
            orders[n] = _orders(n, seed)
        rho, p = _spearman(both[first].to_numpy(), both[second].to_numpy(), orders[n])
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
