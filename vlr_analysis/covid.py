"""What a shock changed and what has recovered: two readings, against the level before and against the path."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from vlr_analysis import counterfactual
from vlr_analysis.language import coded
from vlr_analysis.series import SERIES_KEY, SeriesSet, as_series
from vlr_analysis.shock_groups import WINDOW, Dates, Group, phases, shock_groups, shock_keys
from vlr_analysis.shock_readings import (
    LEVEL_CHOICES,
    PATH_CHOICES,
    UNKNOWN,
    fit_path,
    level_before,
    level_reading,
    path_reading,
)
from vlr_analysis.trends import DEFINITION_KEY

KEY = list(SERIES_KEY)

_MEASURES = (
    "level", "usual_movement", "jump", "shock_change", "shock_value", "last_value", "gap_level", "gap_level_low",
    "gap_level_high", "gap_shock", "gap_shock_low", "gap_shock_high", "depth", "loss", "loss_low", "loss_high",
    "rebound", "gap_path", "gap_path_low", "gap_path_high", "path_value", "path_counterfactual", "step_p",
    "placebo_rank", "placebos",
)  # fmt: skip
_TEXTS = (
    "level_period", "jump_period", "shock_period", "trough_period", "last_period", "level_default", "level_verdict",
    "level_back", "level_reason", "level_flips", "path_period", "path_default", "path_verdict", "path_back",
    "path_reason", "path_flips",
)  # fmt: skip
_CHOICES = (*(f"level_{name}" for name in LEVEL_CHOICES), *(f"path_{name}" for name in PATH_CHOICES))


def covid_table(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    *,
    shock: str = "2020-03",
    recovery_from: str = "2022-01",
    horizon_years: float = 3.0,
    seed: int = 2030,
) -> pd.DataFrame:
    """Shock and recovery of every series of a table, totals and breakdowns alike.

    Parameters
    ----------
    table : DataFrame
        Observations, any areas.
    definitions : DataFrame
        Direction and scale of each (indicator, series, unit).
    shock, recovery_from : str
        ISO 8601 periods: when the shock began, and from when on recovery may be judged.
    horizon_years : float
        The path is judged at the last point at most this long after the shock.
    seed : int
        For the interval of the loss.

    Returns
    -------
    DataFrame, one row per series
        The key, `freq`, `kind` (annual, seasonal, since base, or empty), `direction`, `n_before`,
        `n_after`. Against the *level*: `level_period`, `level` (mean of the last year before),
        `usual_movement` (root mean square of year-to-year changes before), `jump` (largest step between
        neighbours in the first year), `shock_change` (first year after, or deepest month of the first
        year, less the level), `gap_level` with the range
        that usual movement would give it, `level_verdict`, `level_back` (when), `level_reason`.
        Against the *path*: `gap_shock` with interval (at the shock), `shock_clear`, `depth`,
        `trough_period`, `loss` with interval (unit x years), `rebound`, `gap_path` with interval at
        `path_period`, `path_verdict`, `path_back`, `path_reason`, `step_p` (seasonal), `placebo_rank` of
        `placebos` + 1 (annual; 1 = larger than every placebo). `level_default`, `path_default` (verdicts
        before they are graded), the verdicts under each choice (`level_two_years`, ..., `path_window_5`,
        ...), and `level_flips`, `path_flips` (the choices that contradict, in words).
        Gaps are observed minus expected, in the unit; depth and loss are signed so that below zero
        is worse.

    Notes
    -----
    Verdicts: recovered, not yet, ahead, no clear shock, cannot tell; a verdict that a choice of baseline
    or method contradicts is graded down to cannot tell. A shock is clear only outside
    the interval of the line (AR(1)) and, for yearly series, of a random walk with drift; for seasonal
    ones the step test must reject as well. The methods page says why, and how often each errs.
    Not for: dating a shock from the data, or telling what a shock did from what else happened then.
    """
    dates = Dates.of(shock, recovery_from, horizon_years)
    series = as_series(table)
    keys = shock_keys(series, definitions, dates)
    # One array a column: writing each group into a table would cost more than all of the fits.
    columns = {name: np.full(len(keys), np.nan) for name in _MEASURES}
    columns |= {name: np.full(len(keys), "", dtype=object) for name in (*_TEXTS, *_CHOICES)}
    columns["shock_clear"] = np.zeros(len(keys), dtype=bool)
    for group, labels in _labelled(series, keys, dates):
        found = level_reading(group, dates, labels) | path_reading(group, dates, labels, seed)
        for name, values in found.items():
            columns[name][group.rows] = values
    _refuse(keys, columns)
    texts = {name: pd.Series(columns[name], keys.index, dtype=str) for name in (*_TEXTS, *_CHOICES)}
    keys = keys.assign(**columns | texts)
    order = [
        *KEY, "freq", "kind", "direction", "n_before", "n_after", "level_period", "level", "usual_movement",
        "jump_period", "jump", "shock_period", "shock_value", "shock_change", "last_period", "last_value",
        "gap_level", "gap_level_low", "gap_level_high", "level_verdict", "level_back", "level_reason",
        "shock_clear", "gap_shock", "gap_shock_low", "gap_shock_high", "trough_period", "depth", "loss", "loss_low",
        "loss_high", "rebound", "path_period", "path_value", "path_counterfactual", "gap_path", "gap_path_low",
        "gap_path_high", "path_verdict", "path_back", "path_reason", "step_p", "placebo_rank",
        "placebos", "level_default", "level_flips", "path_default", "path_flips", *_CHOICES, "source",
    ]  # fmt: skip
    return keys[order]


def _labelled(series: SeriesSet, keys: pd.DataFrame, dates: Dates) -> Iterator[tuple[Group, np.ndarray]]:
    """Yield every group of series with the periods of its points, shape (m, n)."""
    periods, stop = series.points["period"].to_numpy(object), np.cumsum(series.keys["n"].to_numpy())
    for group in shock_groups(series, keys, dates):
        n = group.t.shape[1]
        yield group, periods[(stop[group.rows] - n)[:, None] + np.arange(n)]


def _refuse(keys: pd.DataFrame, columns: dict[str, np.ndarray]) -> None:
    """Give every series that no reading fits its reason."""
    kinds, counts = keys["kind"].to_numpy(object), keys[["n_before", "n_after"]].to_numpy()
    for row in np.flatnonzero(kinds == ""):
        n, after = counts[row]
        reason = _few(n, yearly=keys["freq"].iloc[row] == "A")
        reason = coded("no value after the shock") if after == 0 else reason
        for reading in ("level", "path"):
            columns[f"{reading}_verdict"][row], columns[f"{reading}_reason"][row] = UNKNOWN, reason


def _few(n: int, *, yearly: bool) -> str:
    least = counterfactual.LINE_LEAST if yearly else counterfactual.SEASONS_LEAST
    if yearly and n == 1:
        return coded("1 yearly value before the shock, at least {least} are needed", least=least)
    if yearly:
        return coded("{n} yearly values before the shock, at least {least} are needed", n=n, least=least)
    if n == 1:
        return coded("1 value before the shock, at least {least} full years are needed", least=least)
    return coded("{n} values before the shock, at least {least} full years are needed", n=n, least=least)


def covid_sensitivity(result: pd.DataFrame) -> pd.DataFrame:
    """Say which recovery verdicts hang on a single choice.

    Parameters
    ----------
    result : DataFrame
        From `covid_table`.

    Returns
    -------
    DataFrame, up to two rows per headline series, those whose verdict is refused for another reason left out
        The key; `reading` (level, path); `default`; the verdict under each choice, empty where it does not
        apply, "line only" where it leaves too few values; `flips` (the choices that contradict); `verdict` as
        graded. Here 2020 is the question, so that it is not left out; the last year before is.
    """
    rows = result[(result["breakdown"] == "") & (result["kind"] != "") & (result["direction"] != "")]
    parts = []
    for reading, choices in (("level", LEVEL_CHOICES), ("path", PATH_CHOICES)):
        verdict, default, flips = (rows[f"{reading}_{name}"] for name in ("verdict", "default", "flips"))
        told = rows[(default != "") & ((verdict == default) | (flips != ""))]
        mine = {name: told[f"{reading}_{name}"] for name in choices}
        same = {name: told[f"{reading}_{name}"] for name in ("default", "flips", "verdict")}
        parts.append(told[KEY].assign(reading=reading, **mine, **same))
    columns = [*KEY, "reading", "default", *LEVEL_CHOICES, *PATH_CHOICES, "flips", "verdict"]
    table = pd.concat(parts).reindex(columns=columns).fillna("")
    return table.sort_values([*KEY, "reading"], kind="stable").reset_index(drop=True)


# --- for charts, and beside a comparator ------------------------------------------------------------


def paths(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    *,
    shock: str = "2020-03",
    recovery_from: str = "2022-01",
    horizon_years: float = 3.0,
) -> pd.DataFrame:
    """Every point of every series with its counterfactual: what `covid_table` judges, in a form to plot.

    Returns
    -------
    DataFrame, one row per point
        The key, `period`, `t`, `value`, `phase`, `counterfactual`, `low`, `high` (NaN where no line is fitted: before
        the window, after the horizon, too few points), `level` (the level before).
    """
    dates = Dates.of(shock, recovery_from, horizon_years)
    series = as_series(table)
    keys = shock_keys(series, definitions, dates)
    points = series.points.join(keys[KEY], on="row")
    points["phase"] = phases(points["start"].to_numpy(), points["end"].to_numpy(), dates.shock)
    n, stop = series.keys["n"].to_numpy(), np.cumsum(series.keys["n"].to_numpy())
    drawn = np.full((len(points), 4), np.nan)
    for group, labels in _labelled(series, keys, dates):
        at = (stop - n)[group.rows, None] + np.arange(group.t.shape[1])
        drawn[at, 3] = level_before(group, labels).level[:, None]
        if group.kind == "since base":
            continue
        t, y = group.window(WINDOW)
        covered = (group.t[0] >= t[0, 0] - 1e-9) & (group.t[0] <= dates.horizon + 1e-9)
        path, at = fit_path(group, t, y, group.t[:, covered]), at[:, covered]
        drawn[at, 0] = path.mean
        if counterfactual.enough(t.shape[1], group.freq):
            drawn[at, 1], drawn[at, 2] = path.interval()
    points[["counterfactual", "low", "high", "level"]] = drawn
    return points[[*KEY, "period", "t", "value", "phase", "counterfactual", "low", "high", "level"]]


def differences(own: pd.DataFrame, other: pd.DataFrame, definitions: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return `own` less `other`, observation by observation; counts become `own` per 100 of `other`.

    Both tables hold one area. Where (indicator, series, unit, period, breakdown) is in both and both
    have a value, the row holds their difference in the unit; everything else is left out. Places differ in
    size: a count (`kind` in the definitions) is divided instead, which on the log scale is the other count as
    offset. Judged by `covid_table` it tells the *differential* change: the comparator met the same shock.
    """
    key = ["indicator", "series", "unit", "period", "breakdown"]
    both = own.drop(columns="area").merge(other[[*key, "area", "value"]], on=key, suffixes=("", "_other"))
    both = both[both["value"].notna() & both["value_other"].notna()]
    counted = _counted(both, definitions)
    both = both[~counted | (both["value_other"] > 0)]
    ratio = 100 * both["value"] / both["value_other"].where(both["value_other"] > 0)
    both["value"] = np.where(counted.loc[both.index], ratio, both["value"] - both["value_other"])
    return both.assign(low=np.nan, high=np.nan)[list(own.columns)]


def of_differences(definitions: pd.DataFrame) -> pd.DataFrame:
    """Return definitions for `differences`: same directions, no bounds, the log scale for ratios of counts alone."""
    counted = definitions["kind"].eq("count") if "kind" in definitions else pd.Series(False, definitions.index)
    scale = np.where(counted, "log", "identity")
    return definitions.assign(scale=scale, lower=np.where(counted, 0.0, np.nan), upper=np.nan, kind="")


def _counted(rows: pd.DataFrame, definitions: pd.DataFrame | None) -> pd.Series:
    if definitions is None or "kind" not in definitions:
        return pd.Series(False, rows.index)
    counts = definitions.loc[definitions["kind"] == "count", DEFINITION_KEY]
    known = set(counts.itertuples(index=False, name=None))
    keys = rows[DEFINITION_KEY].itertuples(index=False, name=None)
    return pd.Series([tuple(key) in known for key in keys], rows.index, dtype=bool)
