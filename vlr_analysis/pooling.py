"""Effects pooled over cities by random effects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
from scipy import stats

from vlr_analysis.trends import DEFINITION_KEY

LEAST_STUDIES = 3


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
        `area`, `indicator`, `series`, `unit`, `label`, `effect_of` (gap at the shock, gap to the path), `effect`,
        `low`, `high` (95 %, in the unit of the series).
    pooled : DataFrame, one row per series and effect that at least three cities give with an interval
        The key, `label`, `effect_of`, the fields of `Pooled`, and `told`: of how many cities alone the path verdict is
        more than *cannot tell*. None is left out for it: choosing by the outcome would bend the mean.
    """
    rows = covid[covid["area"].isin(areas) & (covid["breakdown"] == "")]
    kinds = {"gap at the shock": "gap_shock", "gap to the path": "gap_path"}
    parts = [
        rows[["area", *DEFINITION_KEY]].assign(
            effect_of=words,
            effect=rows[name],
            low=rows[f"{name}_low"],
            high=rows[f"{name}_high"],
            told=(rows["path_verdict"] != "cannot tell").astype(int),
        )
        for words, name in kinds.items()
    ]
    effects = pd.concat(parts, ignore_index=True).dropna(subset=["effect", "low", "high"])
    effects = effects.merge(definitions[[*DEFINITION_KEY, "label"]], on=DEFINITION_KEY, how="left")
    found = []
    for key, part in effects.groupby([*DEFINITION_KEY, "label", "effect_of"], sort=True):
        se = (part["high"] - part["low"]).to_numpy() / (2 * 1.959964)
        together = pooled(part["effect"].to_numpy(), se, level)
        if together is not None:
            names = [*DEFINITION_KEY, "label", "effect_of"]
            found.append(dict(zip(names, key, strict=True)) | asdict(together) | {"told": int(part["told"].sum())})
    fields = [*DEFINITION_KEY, "label", "effect_of", *Pooled.__dataclass_fields__, "told"]
    return effects, pd.DataFrame(found, columns=fields)
