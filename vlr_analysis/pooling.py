"""Effects pooled over cities by random effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import special

from vlr_analysis.catalogue import is_total
from vlr_analysis.language import coded
from vlr_analysis.trends import DEFINITION_KEY, benjamini_hochberg

LEAST_STUDIES = 3
FINEST_FIRST = "DWMQA"  # SDMX codes of frequency
EFFECTS = {coded("gap at the shock"): "gap_shock", coded("gap to the path"): "gap_path"}


@dataclass(frozen=True)
class Pooled:
    """A random-effects mean over cities: `mean` with 95 % interval, `tau2` (variance between cities), `i2`, `cities`.

    `low` to `high` is for the mean of all such cities, `predicted_low` to `predicted_high` for the effect in one
    further city: what it would show is spread further by its own error. `p` is that of a mean of zero, t(k - 1).
    """

    mean: float
    low: float
    high: float
    tau2: float
    i2: float
    cities: int
    predicted_low: float
    predicted_high: float
    p: float


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
    reach = special.stdtrit(k - 1, (1 + level) / 2) * error
    wide = special.stdtrit(k - 2, (1 + level) / 2) * np.sqrt(tau2 + error**2)
    i2 = float(max(np.nan_to_num(found.i2, neginf=0.0), 0))
    return Pooled(mean, mean - reach, mean + reach, tau2, i2, k, mean - wide, mean + wide,
                  float(2 * special.stdtr(k - 1, -abs(mean) / error)))  # fmt: skip


def pooled_table(
    covid: pd.DataFrame, definitions: pd.DataFrame, areas: Sequence[str], *, level: float = 0.95
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pool shock and gap to the path of each headline series over cities.

    Parameters
    ----------
    covid : DataFrame
        From `covid.covid_table`.
    definitions : DataFrame
        Labels.
    areas : sequence of str
        Cities to pool, like with like.
    level : float
        Coverage of the intervals.

    Returns
    -------
    effects : DataFrame, one row per city, series and effect
        `area`, `indicator`, `series`, `unit`, `label`, `duration`, `effect_of` (gap at the shock, gap to the path),
        `effect`, `low`, `high` (95 %, in the unit of the series), `se`.
    pooled : DataFrame, one row per series and effect that at least three cities give with an interval
        The key, `label`, `duration`, `effect_of`, the fields of `Pooled`, `q` (Benjamini-Hochberg over all rows), and
        `told`: of how many cities alone the path verdict is more than *cannot tell*. None is left out for it: choosing
        by the outcome would bend the mean.

    Notes
    -----
    Totals (`catalogue.is_total`) are left out: a mean of gaps in tonnes is that of the largest city.
    A city counts once: where a series comes by month and by year, the one that more cities give with an interval is
    pooled, and of equals the finer; the two are never mixed.
    A standard error is the width of the interval over twice the quantile that made it: t(n - 3) for yearly series (n
    values before the shock, at least one degree of freedom), the normal one for seasonal ones and those since a base,
    which have many values. Limit: on a log or logit scale an interval is not symmetric about its effect; half its
    width is then a rough standard error, and the two sides of the pooled interval are alike where they should not be.
    """
    effects = _one_a_city(_effects(covid[covid["area"].isin(areas) & (covid["breakdown"] == "")]))
    effects = effects.merge(definitions[[*DEFINITION_KEY, "label"]], on=DEFINITION_KEY, how="left")
    found, names = [], [*DEFINITION_KEY, "label", "duration", "effect_of"]
    for key, part in effects.groupby(names, sort=True):
        together = pooled(part["effect"].to_numpy(), part["se"].to_numpy(), level)
        if together is not None:
            found.append(dict(zip(names, key, strict=True)) | asdict(together) | {"told": int(part["told"].sum())})
    means = pd.DataFrame(found, columns=[*names, *Pooled.__dataclass_fields__, "told"])
    return effects, means.assign(q=benjamini_hochberg(means["p"].to_numpy(float)))


def _effects(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per city, series, duration and effect with an interval; totals are left out."""
    rows = rows[[not is_total(unit, name) for unit, name in zip(rows["unit"], rows["series"], strict=True)]]
    free = np.maximum(rows["n_before"].to_numpy(float) - 3, 1)
    quantile = np.where(rows["kind"] == "annual", special.stdtrit(free, 0.975), special.ndtri(0.975))
    parts = [
        rows[["area", *DEFINITION_KEY, "duration", "freq"]].assign(
            effect_of=words,
            effect=rows[name],
            low=rows[f"{name}_low"],
            high=rows[f"{name}_high"],
            se=(rows[f"{name}_high"] - rows[f"{name}_low"]) / (2 * quantile),
            told=(rows["path_verdict"] != coded("cannot tell")).astype(int),
        )
        for words, name in EFFECTS.items()
    ]
    return pd.concat(parts, ignore_index=True).dropna(subset=["effect", "low", "high"])


def _one_a_city(effects: pd.DataFrame) -> pd.DataFrame:
    """Keep of each series the duration that most cities give, of equals the finer."""
    if not len(effects):
        return effects.drop(columns="freq")
    cities = effects.groupby([*DEFINITION_KEY, "duration"])["area"].nunique().rename("given").reset_index()
    fine = effects.assign(fine=effects["freq"].map(FINEST_FIRST.find)).groupby([*DEFINITION_KEY, "duration"])["fine"]
    cities = cities.merge(fine.max().reset_index()).sort_values(
        ["given", "fine", "duration"], ascending=[False, True, True]
    )
    return effects.merge(cities.drop_duplicates(DEFINITION_KEY)[[*DEFINITION_KEY, "duration"]]).drop(columns="freq")
