"""Progress towards the horizon: three readings, whether they agree, and a projection with its interval."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy import special

from vlr_analysis import regression
from vlr_analysis.language import coded
from vlr_analysis.periods import year_of
from vlr_analysis.series import SeriesSet
from vlr_analysis.trends import DEFINITION_KEY, KEY, LEAST, few_values, trend_statistics, yearly

INTERVAL_LEAST = 8  # fewer points carry a line, not an interval

# What the three readings share, so that they can be compared.
ON_TRACK, SOME, STALLED, REVERSE = coded("on track"), coded("some progress"), coded("stagnating"), coded("moving away")
MET, NO_VERDICT, DISAGREE, NOT_SETTLED = (
    coded("target met"),
    coded("no verdict"),
    coded("readings disagree"),
    coded("not settled"),
)
# What the sensitivity of progress tries, and how a reason names it.
CHOICES = {
    "base_before": coded("from the year before the base {verdict}"),
    "base_after": coded("from the year after the base {verdict}"),
    "without_last": coded("without the last year {verdict}"),
    "without_2020": coded("without 2020 {verdict}"),
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
    known = _known(series.keys, definitions, horizon)
    lines, edges = _lines(series), series.edges()
    main = _judged(known, series, lines, baseline_year)
    others = {
        "base_before": _judged(known, series, lines, baseline_year - 1),
        "base_after": _judged(known, series, lines, baseline_year + 1),
    }
    for name in ("without_last", "without_2020"):
        fewer = series.without(edges[name])
        others[name] = _judged(known.assign(n=fewer.keys["n"]), fewer, _lines(fewer), baseline_year)
    main["default"] = main.pop("verdict")
    keys = known.assign(**main, **{name: other["verdict"] for name, other in others.items()})
    keys["reason"] = _reasons(keys)
    keys["flips"] = _flips(keys)
    graded = keys["flips"] != ""
    keys["verdict"] = np.where(graded, NOT_SETTLED, keys["default"])
    keys["reason"] = np.where(
        graded,
        [
            coded("{default}; but {flips}", default=a, flips=b)
            for a, b in zip(keys["default"], keys["flips"], strict=True)
        ],
        keys["reason"],
    )
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
        said = np.array([f"; {words.format(verdict=verdict)}" for verdict in keys[name]], dtype=object)
        told = told + np.where(other, said, "")
    return np.array([text.removeprefix("; ") for text in told], dtype=object)


def _known(keys: pd.DataFrame, definitions: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """Return the keys with what the definitions say of each series, and when its target is due."""
    names = ["direction", "target", "target_source", "target_year", "scale", "lower", "upper"]
    said = definitions.reindex(columns=[*DEFINITION_KEY, *names])
    said = keys[DEFINITION_KEY].merge(said, on=DEFINITION_KEY, how="left").set_axis(keys.index)
    texts = {name: said[name].astype(object).fillna("").astype(str) for name in ("direction", "target_source")}
    numbers = {name: said[name].astype(float) for name in ("target", "lower", "upper")}
    due, scale = said["target_year"].astype(float).fillna(horizon), said["scale"].astype(object).fillna("identity")
    sign = np.select([texts["direction"] == "increase", texts["direction"] == "decrease"], [1, -1], 0)
    return keys[[*KEY, "n"]].assign(**texts, **numbers, scale=scale, due=due, sign=sign)


def _lines(series: SeriesSet) -> np.ndarray:
    """Return slope and its interval of every series, shape (m, 3); NaN where it is too short."""
    lines = np.full((len(series.keys), 3), np.nan)
    for block in series.blocks():
        if block.y.shape[1] >= LEAST:
            found = trend_statistics(block.t, block.y)
            lines[block.rows] = np.stack([found.slope, found.low, found.high], axis=1)
    return lines


def _ends(series: SeriesSet, baseline_year: int) -> dict[str, np.ndarray]:
    """Base and latest value of each series.

    No base where every value is older than the baseline year; no period at all, NaN, where there is no value.
    """
    points, m = series.points, len(series.keys)
    row, (places, periods) = points["row"].to_numpy(), pd.factorize(points["period"])
    year = np.array([year_of(text) for text in periods], dtype=int)[places]
    late = np.flatnonzero(year >= baseline_year)
    first, last = np.full((2, m), -1)
    first[row[late][::-1]] = late[::-1]
    last[row] = np.arange(len(row))
    found = {}
    for name, at in (("base", first), ("last", last)):
        there = at >= 0
        texts, values, t = np.where(last >= 0, "", None), np.full(m, np.nan), np.full(m, np.nan)
        texts[there] = points["period"].take(at[there])
        values[there], t[there] = points["value"].to_numpy()[at[there]], points["t"].to_numpy()[at[there]]
        found |= {f"{name}_period": pd.Series(texts, series.keys.index, dtype=str), f"{name}_value": values}
        found[f"{name}_t"] = t
    return found


def _judged(known: pd.DataFrame, series: SeriesSet, lines: np.ndarray, baseline_year: int) -> dict[str, np.ndarray]:
    """Return the ends of every series, the three readings and the verdict on which they agree, by column."""
    found = _ends(series, baseline_year)
    base, last, base_t, last_t = (found[name] for name in ("base_value", "last_value", "base_t", "last_t"))
    target, sign, due = (known[name].to_numpy(float) for name in ("target", "sign", "due"))
    years, to_go = last_t - base_t, due + 0.5 - last_t
    # NaN: no value at all, which the other conditions refuse with their own reason.
    passed = to_go <= 0
    readable = (sign != 0) & (years > 0) & (known["n"].to_numpy() >= LEAST) & (base != target) & ~passed
    ends = (base, last, years, target, to_go, sign)
    readings = {
        "un": un_reading(*ends),
        "eurostat": eurostat_reading(*ends),
        "linear": linear_reading(*lines.T, base, years, target, to_go, sign),
    }
    found |= {name: np.where(readable, values, np.nan) for name, values in further_readings(*ends).items()}
    for name, (ratio, level) in readings.items():
        found[f"{name}_ratio"] = np.where(readable, ratio, np.nan)
        found[name] = np.where(readable & np.isfinite(ratio), level, "")
    words = [set(told) - {""} for told in zip(*(found[name].tolist() for name in readings), strict=True)]
    count, different = sum(found[name] != "" for name in readings), np.array([len(told) for told in words], dtype=int)
    found["agree"] = np.select([count < 2, different == 1], ["", "yes"], "no")
    met = (readable | passed) & (sign != 0) & np.isfinite(target) & (sign * (last - target) >= 0)
    common = [min(told, default=NO_VERDICT) for told in words]
    found["verdict"] = np.select([met, ~readable, different > 1], [MET, NO_VERDICT, DISAGREE], common)
    return found | {"missed": passed & ~met}


def _reasons(keys: pd.DataFrame) -> np.ndarray:
    base, last, target = (keys[name].to_numpy() for name in ("base_value", "last_value", "target"))
    conditions = [
        keys["n"] < LEAST,
        keys["base_period"] == "",
        ~(keys["last_t"] > keys["base_t"]),
        keys["sign"] == 0,
        keys["missed"],
        base == target,
        (base <= 0) | (last <= 0) | (target <= 0),
    ]
    texts = [
        [few_values(n) for n in keys["n"]],
        coded("no value since the baseline year"),
        coded("a single value since the baseline year"),
        coded("the desired direction is not stated"),
        [_passed(row) for row in keys[["due", "target"]].itertuples()],
        coded("the target equals the base value"),
        coded("a value or the target is not above zero, so that only the linear pace can be read"),
    ]
    return np.select(conditions, texts, "")


def _passed(row) -> str:
    return (
        coded("target due in {due}, not met", due=f"{row.due:.0f}")
        if np.isfinite(row.target)
        else coded("{due} has passed", due=f"{row.due:.0f}")
    )


def _projections(series: SeriesSet, keys: pd.DataFrame) -> pd.DataFrame:
    out = np.full((len(keys), 4), np.nan)
    due, target, sign = (keys[name].to_numpy(float) for name in ("due", "target", "sign"))
    for rows, t, y, model in _on_scales(series, keys):
        mean, low, high, se = regression.line_interval(t, y, due[rows, None] + 0.5)
        back = [regression.from_scale(value[:, 0], *model) for value in (mean, low, high)]
        out[rows, 0] = back[0]
        if y.shape[1] < INTERVAL_LEAST:
            continue
        out[rows, 1], out[rows, 2] = back[1], back[2]
        with np.errstate(divide="ignore", invalid="ignore"):
            distance = sign[rows] * (mean[:, 0] - regression.to_scale(target[rows], *model)) / se[:, 0]
        chance = special.stdtr(y.shape[1] - 3, distance)
        out[rows, 3] = np.where(np.isfinite(target[rows]) & (sign[rows] != 0), chance, np.nan)
    return pd.DataFrame(out, keys.index, ["projection", "projection_low", "projection_high", "probability"])


def _on_scales(series: SeriesSet, keys: pd.DataFrame) -> Iterator[tuple]:
    """Yield (rows, t, y on the model's scale, (scale, lower, upper)) for series that a line can be put through."""
    names = ["scale", "lower", "upper"]
    model_of = keys.groupby(names, dropna=False, sort=True).ngroup().to_numpy()
    models = dict(zip(model_of, keys[names].itertuples(index=False, name=None), strict=True))
    for block in series.blocks():
        if block.y.shape[1] < LEAST:
            continue
        for number in np.unique(model_of[block.rows]):
            places, (scale, lower, upper) = np.flatnonzero(model_of[block.rows] == number), models[number]
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
    keys = _known(series.keys, definitions, horizon)
    every, lines = [], []
    for rows, t, y, model in _on_scales(series, keys):
        if y.shape[1] < INTERVAL_LEAST:
            continue
        t_new = np.linspace(t[:, 0], np.full(len(t), horizon + 0.5), 40, axis=1)
        line = (regression.from_scale(v, *model) for v in regression.line_interval(t, y, t_new)[:3])
        every.append(np.repeat(rows, 40))
        lines.append(np.stack([t_new, *line], axis=-1).reshape(-1, 4))
    columns = ["t", "fit", "low", "high"]
    if not every:
        return pd.DataFrame(columns=[*KEY, *columns])
    named = keys[KEY].take(np.concatenate(every)).reset_index(drop=True)
    return named.join(pd.DataFrame(np.concatenate(lines), columns=columns))
