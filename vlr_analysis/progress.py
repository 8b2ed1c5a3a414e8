"""Progress towards the horizon: three readings, whether they agree, and a projection with its interval."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from vlr_analysis import regression
from vlr_analysis.periods import year_of
from vlr_analysis.series import SeriesSet
from vlr_analysis.trends import DEFINITION_KEY, KEY, LEAST, direction_sign, trend_statistics, yearly

INTERVAL_LEAST = 8  # fewer points carry a line, not an interval

# What the three readings share, so that they can be compared.
ON_TRACK, SOME, STALLED, REVERSE = "on track", "some progress", "stagnating", "moving away"
MET, NO_VERDICT, DISAGREE, NOT_SETTLED = "target met", "no verdict", "readings disagree", "not settled"
# What the sensitivity of progress tries, and how a reason names it.
CHOICES = {
    "base_before": "from the year before the base",
    "base_after": "from the year after the base",
    "without_last": "without the last year",
    "without_2020": "without 2020",
}


def growth_rate(base: np.ndarray, last: np.ndarray, years: np.ndarray) -> np.ndarray:
    """Compound annual growth rate, (last / base)^(1 / years) - 1; NaN unless both ends are above zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = (last / base) ** (1 / years) - 1
    return np.where((base > 0) & (last > 0) & (years > 0), rate, np.nan)


def un_reading(base, last, years, target, to_go, sign) -> tuple[np.ndarray, np.ndarray]:
    """Reading of the UN progress chart.

    Parameters
    ----------
    base, last : array, shape (m,)
        Values at the base year and at the latest.
    years, to_go : array, shape (m,)
        Years between the two, and from the latest to the horizon.
    target : array, shape (m,)
        NaN where there is none.
    sign : array, shape (m,)
        +1 where more is better, -1 where less is.

    Returns
    -------
    ratio, level : arrays, shape (m,)
        With a target, the share of the way from base to target that the growth rate would cover by the
        horizon: on track from 0.95, some progress from 0.10, else stagnating. Without one, the
        growth rate in the desired direction, per year: on track from 2 %, some progress from 0.5 %.

    Notes
    -----
    UN DESA, SDG Progress Chart, technical note. Growth rates need values above zero.
    """
    rate = growth_rate(base, last, years)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = (last * (1 + rate) ** to_go - base) / (target - base)
    has = np.isfinite(target)
    ratio = np.where(has, np.where(target > 0, share, np.nan), sign * rate)
    return ratio, _graded(ratio, np.where(has, 0.95, 0.02), np.where(has, 0.10, 0.005), np.where(has, 0.0, -0.005))


def eurostat_reading(base, last, years, target, to_go, sign) -> tuple[np.ndarray, np.ndarray]:
    """Return the reading of Eurostat's monitoring report; arguments and returns as in `un_reading`.

    With a target, actual over required growth rate (base to horizon): on track from 95 %, some
    progress from 60 %, stagnating from 0, moving away below. Without one, the growth rate in the
    desired direction: on track above 1 %, some progress above 0.1 %, stagnating above -0.1 %. Its
    fourth and fifth class (insufficient, moderate) are told apart by the ratio itself.
    """
    rate = growth_rate(base, last, years)
    required = growth_rate(base, target, years + to_go)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = rate / required
    has = np.isfinite(target)
    ratio = np.where(has, share, sign * rate)
    return ratio, _graded(ratio, np.where(has, 0.95, 0.01), np.where(has, 0.60, 0.001), np.where(has, 0.0, -0.001))


def linear_reading(slope, low, high, base, years, target, to_go, sign) -> tuple[np.ndarray, np.ndarray]:
    """Reading of the linear pace.

    With a target, the Theil-Sen slope over the slope from base to target by the horizon, cut as in
    Eurostat's reading. Without one, the slope in the desired direction, judged by its interval: on
    track where all of it is above zero, moving away where all of it is below, else stagnating.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = slope / ((target - base) / (years + to_go))
    has = np.isfinite(target)
    ratio = np.where(has, share, sign * slope)
    near, far = np.where(sign > 0, low, -high), np.where(sign > 0, high, -low)
    without = np.select([np.isnan(near), near > 0, far < 0], ["", ON_TRACK, REVERSE], STALLED)
    return ratio, np.where(has, _graded(ratio, 0.95, 0.60, 0.0), without)


def _graded(ratio, on_track, some, stalled) -> np.ndarray:
    bounds = [np.isnan(ratio), ratio >= on_track, ratio >= some, ratio >= stalled]
    return np.select(bounds, ["", ON_TRACK, SOME, STALLED], REVERSE)


def further_readings(base, last, years, target, to_go, sign) -> dict[str, np.ndarray]:
    """Return readings that people will ask for, each an array of shape (m,).

    Returns
    -------
    dict
        `sdsn_ratio`: linear annual rate over the rate required from base to target (SDG Index arrows);
        `istat_percent`: growth rate in the desired direction, percent a year (ISTAT cuts at 1 and 5);
        `escap_index`: 10 * way covered / way to go in all, 0 at the base, 10 at the target (ESCAP).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        pace, needed = (last - base) / years, (target - base) / (years + to_go)
        escap = 10 * sign * (last - base) / np.abs(target - base)
    return {
        "sdsn_ratio": pace / np.where(needed == 0, np.nan, needed),
        "istat_percent": 100 * sign * growth_rate(base, last, years),
        "escap_index": np.where(np.isfinite(escap), escap, np.nan),
    }


# --- the whole table -------------------------------------------------------------------------------


def progress_table(
    table: pd.DataFrame, definitions: pd.DataFrame, *, baseline_year: int = 2015, horizon: int = 2030
) -> pd.DataFrame:
    """Progress of every headline series towards the horizon.

    Parameters
    ----------
    table : DataFrame
        Observations.
    definitions : DataFrame
        Direction, target, scale and `target_year` (NaN or absent: the horizon) of each (indicator, series, unit).
    baseline_year, horizon : int
        The base is the baseline year where present, else the first year after it.

    Returns
    -------
    DataFrame, one row per headline series
        The key; `direction`, `target`, `due` (year of the target, else the horizon); `base_period`,
        `base_value`, `last_period`, `last_value`, `n`;
        `un_ratio`, `un`, `eurostat_ratio`, `eurostat`, `linear_ratio`, `linear` (each reading and its
        level, empty where it cannot be given); `agree` (yes, no, or empty with fewer than two
        readings); `verdict` (what the readings that are given agree on, "readings disagree", "target
        met", "not settled" where another choice says otherwise, or "no verdict" with a `reason`);
        `default` (the verdict before it is graded), the verdict from one year earlier or later as base and
        without the last year or 2020 (`base_before`, ...), `flips` (which of them contradict, in words);
        `projection`, `projection_low`, `projection_high` in the year
        `due` (unit of the value; interval with 8 points or more), `probability` of reaching the
        target; `sdsn_ratio`, `istat_percent`, `escap_index`; `reason`.

    Notes
    -----
    No verdict where the direction is unknown: only the change is told. A target of zero has no growth
    rate, so that only the linear pace reads it. A target whose year has passed is met or missed, never on track.
    """
    series = yearly(table[table["breakdown"] == ""])
    keys = _judged(series, definitions, baseline_year, horizon)
    without = series.edges()
    others = {
        "base_before": _judged(series, definitions, baseline_year - 1, horizon),
        "base_after": _judged(series, definitions, baseline_year + 1, horizon),
        "without_last": _judged(series.without(without["without_last"]), definitions, baseline_year, horizon),
        "without_2020": _judged(series.without(without["without_2020"]), definitions, baseline_year, horizon),
    }
    keys = keys.rename(columns={"verdict": "default"}).assign(**{name: o["verdict"] for name, o in others.items()})
    keys["flips"] = _flips(keys)
    graded = keys["flips"] != ""
    keys["verdict"] = np.where(graded, NOT_SETTLED, keys["default"])
    keys["reason"] = np.where(graded, keys["default"] + "; but " + keys["flips"], keys["reason"])
    keys = keys.join(_projections(series, keys))
    order = [
        *KEY, "n", "direction", "target", "target_source", "due", "base_period", "base_value",
        "last_period", "last_value",
        "un_ratio", "un", "eurostat_ratio", "eurostat", "linear_ratio", "linear", "agree", "verdict", "projection",
        "projection_low", "projection_high", "probability", "sdsn_ratio", "istat_percent", "escap_index", "reason",
        "default", *CHOICES, "flips",
    ]  # fmt: skip
    return keys[order]


def progress_sensitivity(ahead: pd.DataFrame) -> pd.DataFrame:
    """Say which progress verdicts hang on a single choice.

    Parameters
    ----------
    ahead : DataFrame
        From `progress_table`.

    Returns
    -------
    DataFrame, one row per headline series with a verdict
        The key; the three readings (the choice of method); `default`; the verdict under each other choice;
        `flips`; `verdict` as graded.
    """
    rows = ahead[ahead["default"] != NO_VERDICT]
    return rows[[*KEY, "un", "eurostat", "linear", "default", *CHOICES, "flips", "verdict"]].reset_index(drop=True)


def _flips(keys: pd.DataFrame) -> np.ndarray:
    claims = (ON_TRACK, SOME, STALLED, REVERSE)
    told = np.full(len(keys), "", dtype=object)
    for name, words in CHOICES.items():
        other = keys["default"].isin(claims) & keys[name].isin((*claims, DISAGREE)) & (keys[name] != keys["default"])
        told = told + np.where(other, "; " + words + " " + keys[name].astype(str), "")
    return np.array([text.removeprefix("; ") for text in told], dtype=object)


def _judged(series: SeriesSet, definitions: pd.DataFrame, baseline_year: int, horizon: int) -> pd.DataFrame:
    """Return the keys with definitions, ends, the three readings and the verdict on which they agree."""
    keys = series.keys[[*KEY, "n"]].copy()
    names = ["direction", "target", "target_source", "target_year", "scale", "lower", "upper"]
    known = definitions.reindex(columns=[*DEFINITION_KEY, *names])
    keys[names] = keys[DEFINITION_KEY].merge(known, on=DEFINITION_KEY, how="left").to_numpy()[:, len(DEFINITION_KEY) :]
    keys[["direction", "target_source"]] = keys[["direction", "target_source"]].fillna("")
    keys["scale"] = keys["scale"].fillna("identity")
    keys[["target", "lower", "upper"]] = keys[["target", "lower", "upper"]].astype(float)
    keys["due"] = keys.pop("target_year").astype(float).fillna(horizon)
    keys["sign"] = direction_sign(keys, definitions)
    keys = keys.join(_ends(series.points, baseline_year))
    keys[["slope", "slope_low", "slope_high"]] = np.nan
    for block in series.blocks():
        if block.y.shape[1] >= LEAST:
            found = trend_statistics(block.t, block.y)
            lines = np.stack([found.slope, found.low, found.high], axis=1)
            keys.loc[block.rows, ["slope", "slope_low", "slope_high"]] = lines
    return _read(keys)


def _ends(points: pd.DataFrame, baseline_year: int) -> pd.DataFrame:
    """Base and latest value of each series; no base where every value is older than the baseline year."""
    year = points["period"].map({text: year_of(text) for text in points["period"].unique()})
    bases = points[year >= baseline_year].groupby("row").first()
    lasts = points.groupby("row").last()
    ends = {"base_period": bases["period"], "base_value": bases["value"], "base_t": bases["t"],
            "last_period": lasts["period"], "last_value": lasts["value"], "last_t": lasts["t"]}  # fmt: skip
    frame = pd.DataFrame(ends)
    frame[["base_period", "last_period"]] = frame[["base_period", "last_period"]].fillna("")
    return frame


def _read(keys: pd.DataFrame) -> pd.DataFrame:
    base, last, target, sign = (keys[name].to_numpy(float) for name in ("base_value", "last_value", "target", "sign"))
    years = (keys["last_t"] - keys["base_t"]).to_numpy()
    to_go = (keys["due"] + 0.5 - keys["last_t"]).to_numpy()
    # NaN: no value at all, which the other conditions refuse with their own reason.
    passed = to_go <= 0
    readable = (sign != 0) & (years > 0) & (keys["n"] >= LEAST) & (base != target) & ~passed
    ends = (base, last, years, target, to_go, sign)
    line = (keys["slope"].to_numpy(), keys["slope_low"].to_numpy(), keys["slope_high"].to_numpy())
    readings = {
        "un": un_reading(*ends),
        "eurostat": eurostat_reading(*ends),
        "linear": linear_reading(*line, base, years, target, to_go, sign),
    }
    for name, (ratio, level) in readings.items():
        keys[f"{name}_ratio"] = np.where(readable, ratio, np.nan)
        keys[name] = np.where(readable & np.isfinite(ratio), level, "")
    for name, values in further_readings(*ends).items():
        keys[name] = np.where(readable, values, np.nan)
    given = keys[list(readings)].replace("", np.nan)
    count, different = given.notna().sum(axis=1), given.nunique(axis=1)
    keys["agree"] = np.select([count < 2, different == 1], ["", "yes"], "no")
    met = (readable | passed) & (sign != 0) & np.isfinite(target) & (sign * (last - target) >= 0)
    common = given.bfill(axis=1).iloc[:, 0].fillna(NO_VERDICT)
    keys["verdict"] = np.select([met, ~readable, different > 1], [MET, NO_VERDICT, DISAGREE], common)
    keys["reason"] = _reasons(keys, base, last, years, target, passed & ~met)
    return keys


def _reasons(keys: pd.DataFrame, base, last, years, target, missed) -> np.ndarray:
    no_growth = (base <= 0) | (last <= 0) | (target <= 0)
    conditions = [
        keys["n"] < LEAST,
        keys["base_period"] == "",
        ~(years > 0),
        keys["sign"] == 0,
        missed,
        base == target,
        no_growth,
    ]
    texts = [
        keys["n"].map(lambda n: f"{n} yearly value{'' if n == 1 else 's'}, at least {LEAST} are needed"),
        "no value since the baseline year",
        "a single value since the baseline year",
        "the desired direction is not stated",
        [_passed(row) for row in keys[["due", "target"]].itertuples()],
        "the target equals the base value",
        "a value or the target is not above zero, so that only the linear pace can be read",
    ]
    return np.select(conditions, texts, "")


def _passed(row) -> str:
    return f"target due in {row.due:.0f}, not met" if np.isfinite(row.target) else f"{row.due:.0f} has passed"


def _projections(series, keys: pd.DataFrame) -> pd.DataFrame:
    out = pd.DataFrame(
        np.nan, index=keys.index, columns=["projection", "projection_low", "projection_high", "probability"]
    )
    for rows, t, y, model in _on_scales(series, keys):
        t_new = keys.loc[rows, ["due"]].to_numpy() + 0.5
        mean, low, high, se = regression.line_interval(t, y, t_new)
        back = [regression.from_scale(value[:, 0], *model) for value in (mean, low, high)]
        out.loc[rows, "projection"] = back[0]
        if y.shape[1] < INTERVAL_LEAST:
            continue
        out.loc[rows, "projection_low"], out.loc[rows, "projection_high"] = back[1], back[2]
        target, sign = keys.loc[rows, "target"].to_numpy(), keys.loc[rows, "sign"].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = sign * (mean[:, 0] - regression.to_scale(target, *model)) / se[:, 0]
        chance = stats.t.cdf(distance, y.shape[1] - 3)
        out.loc[rows, "probability"] = np.where(np.isfinite(target) & (sign != 0), chance, np.nan)
    return out


def _on_scales(series, keys: pd.DataFrame):
    """Yield (rows, t, y on the model's scale, (scale, lower, upper)) for series that a line can be put through."""
    scales = keys[["scale", "lower", "upper"]]
    for block in series.blocks():
        if block.y.shape[1] < LEAST:
            continue
        here = scales.loc[block.rows].reset_index(drop=True)
        for (scale, lower, upper), group in here.groupby(["scale", "lower", "upper"], dropna=False):
            places = group.index.to_numpy()
            fits = regression.fits_scale(block.y[places], scale, lower, upper)
            for chosen, model in ((places[fits], (scale, lower, upper)), (places[~fits], ("identity", np.nan, np.nan))):
                if len(chosen):
                    yield block.rows[chosen], block.t[chosen], regression.to_scale(block.y[chosen], *model), model


def projection_paths(table: pd.DataFrame, definitions: pd.DataFrame, *, horizon: int = 2030) -> pd.DataFrame:
    """Line and interval of every headline series with 8 yearly values or more, from its first year to the horizon.

    Returns
    -------
    DataFrame
        The key, `t` (decimal years, mid-year), `fit`, `low`, `high` (unit of the value); the same fit as
        the projection of `progress_table`.
    """
    series = yearly(table[table["breakdown"] == ""])
    keys = series.keys[KEY].copy()
    known = keys[DEFINITION_KEY].merge(definitions, on=DEFINITION_KEY, how="left")
    keys["scale"] = known["scale"].fillna("identity").to_numpy()
    keys[["lower", "upper"]] = known[["lower", "upper"]].to_numpy(float)
    parts = []
    for rows, t, y, model in _on_scales(series, keys):
        if y.shape[1] < INTERVAL_LEAST:
            continue
        t_new = np.linspace(t[:, 0], np.full(len(t), horizon + 0.5), 40, axis=1)
        fit, low, high = (regression.from_scale(v, *model) for v in regression.line_interval(t, y, t_new)[:3])
        for place, row in enumerate(rows):
            path = {"t": t_new[place], "fit": fit[place], "low": low[place], "high": high[place]}
            parts.append(pd.DataFrame(path).assign(**keys.loc[row, KEY].to_dict()))
    columns = [*KEY, "t", "fit", "low", "high"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
