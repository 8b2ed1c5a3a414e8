"""What a shock changed and what has recovered: two readings, against the level before and against the path."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from vlr_analysis import counterfactual, recovery, regression
from vlr_analysis.counterfactual import POINTS_A_YEAR
from vlr_analysis.periods import decimal_year, parse_period
from vlr_analysis.series import SERIES_KEY, SeriesSet, as_series
from vlr_analysis.trends import DEFINITION_KEY, direction_sign

RECOVERED, NOT_YET, AHEAD, NO_SHOCK, UNKNOWN = "recovered", "not yet", "ahead", "no clear shock", "cannot tell"
WINDOWS = (5, 8, 10)
WINDOW = 10  # years before the shock that the line is fitted to, fewer where there are fewer
KEY = list(SERIES_KEY)

# An observation belongs to the time before the shock if at most this much of it lies after the date,
# to the time after if at least that much does; in between it is shown and used for neither.
BEFORE_AT_MOST, AFTER_AT_LEAST = 0.10, 0.75

_MEASURES = (
    "level", "usual_movement", "shock_change", "shock_value", "last_value", "gap_level", "gap_level_low",
    "gap_level_high", "gap_shock", "gap_shock_low", "gap_shock_high", "depth", "loss", "loss_low", "loss_high",
    "rebound", "gap_path", "gap_path_low", "gap_path_high", "path_value", "path_counterfactual", "step_p",
    "placebo_rank", "placebos",
)  # fmt: skip
_TEXTS = (
    "level_period", "shock_period", "trough_period", "last_period", "level_verdict", "level_back", "level_reason",
    "path_period", "path_verdict", "path_back", "path_reason", "window_verdicts",
)  # fmt: skip


@dataclass(frozen=True)
class Dates:
    """The dates of a shock, in decimal years; they come from the city's parameters, never from the data."""

    shock: float
    recovery_from: float
    horizon: float

    @classmethod
    def of(cls, shock: str, recovery_from: str, horizon_years: float = 3.0) -> Dates:
        """Read the parameters: the path is judged for `horizon_years` after the shock at most."""
        begin = decimal_year(parse_period(shock).start)
        return cls(begin, decimal_year(parse_period(recovery_from).start), begin + horizon_years)


@dataclass(frozen=True)
class _Group:
    """Series that share frequency, number of points, phases and scale, so that one array holds them."""

    rows: np.ndarray  # (m,) rows of the keys
    kind: str
    freq: str
    model: tuple[str, float, float]
    sign: np.ndarray  # (m,)
    t: np.ndarray  # (m, n)
    y: np.ndarray  # (m, n)
    start: np.ndarray  # (n,) of the first series
    phase: np.ndarray  # (n,) 'before', 'straddles', 'after'
    broken: np.ndarray  # (m,) a break in the series at or after the shock

    @property
    def before(self) -> np.ndarray:
        return self.phase == "before"

    @property
    def after(self) -> np.ndarray:
        return self.phase == "after"

    def window(self, years: int) -> tuple[np.ndarray, np.ndarray]:
        """Points before the shock, at most `years` of them for yearly series or that many years for others."""
        n = years * POINTS_A_YEAR[self.freq]
        return self.t[:, self.before][:, -n:], self.y[:, self.before][:, -n:]


def phases(start: np.ndarray, end: np.ndarray, shock: float) -> np.ndarray:
    """Return 'before', 'straddles' or 'after' for periods given by their ends in decimal years."""
    share = np.clip((end - shock) / (end - start), 0, 1)
    return np.select([share <= BEFORE_AT_MOST + 1e-9, share >= AFTER_AT_LEAST - 1e-9], ["before", "after"], "straddles")


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
        `usual_movement` (root mean square of year-to-year changes before), `shock_change` (first
        year after, or deepest month of the first year, less the level), `gap_level` with the range
        that usual movement would give it, `level_verdict`, `level_back` (when), `level_reason`.
        Against the *path*: `gap_shock` with interval (at the shock), `shock_clear`, `depth`,
        `trough_period`, `loss` with interval (unit x years), `rebound`, `gap_path` with interval at
        `path_period`, `path_verdict`, `path_back`, `path_reason`, `window_verdicts` (5 | 8 | 10 years),
        `step_p` (seasonal), `placebo_rank` of `placebos` + 1 (annual; 1 = larger than every placebo).
        Gaps are observed minus expected, in the unit; depth and loss are signed so that below zero
        is worse.

    Notes
    -----
    Verdicts: recovered, not yet, ahead, no clear shock, cannot tell. A shock is clear only outside
    the interval of the line (AR(1)) and, for yearly series, of a random walk with drift; for seasonal
    ones the step test must reject as well. The methods page says why, and how often each errs.
    Not for: dating a shock from the data, or telling what a shock did from what else happened then.
    """
    dates = Dates.of(shock, recovery_from, horizon_years)
    series = as_series(table)
    keys = _keys(series, definitions, dates)
    for name in _MEASURES:
        keys[name] = np.nan
    keys[list(_TEXTS)] = ""
    keys["shock_clear"] = False
    periods = series.points.groupby("row")["period"].agg(list)
    for group in _groups(series, keys, dates):
        labels = np.array([periods[row] for row in group.rows], dtype=object)
        found = _level_reading(group, dates, labels) | _path_reading(group, dates, labels, seed)
        for name, values in found.items():
            keys.loc[group.rows, name] = values
    _refuse(keys)
    order = [
        *KEY, "freq", "kind", "direction", "n_before", "n_after", "level_period", "level", "usual_movement",
        "shock_period", "shock_value", "shock_change", "last_period", "last_value", "gap_level", "gap_level_low",
        "gap_level_high", "level_verdict", "level_back", "level_reason", "shock_clear", "gap_shock", "gap_shock_low",
        "gap_shock_high", "trough_period", "depth", "loss", "loss_low", "loss_high", "rebound", "path_period",
        "path_value", "path_counterfactual", "gap_path", "gap_path_low", "gap_path_high", "path_verdict", "path_back",
        "path_reason", "window_verdicts", "step_p", "placebo_rank", "placebos", "source",
    ]  # fmt: skip
    return keys[order]


# --- sorting series into groups ------------------------------------------------------------------


def _keys(series: SeriesSet, definitions: pd.DataFrame, dates: Dates) -> pd.DataFrame:
    keys = series.keys.copy()
    known = keys[DEFINITION_KEY].merge(definitions, on=DEFINITION_KEY, how="left")
    keys["direction"] = known["direction"].fillna("").to_numpy()
    keys["scale"] = known["scale"].fillna("identity").to_numpy()
    keys[["lower", "upper"]] = known[["lower", "upper"]].to_numpy(float)
    keys["sign"] = direction_sign(keys, definitions).astype(float)
    points = series.points
    phase = pd.Series(phases(points["start"].to_numpy(), points["end"].to_numpy(), dates.shock), points.index)
    for name in ("before", "after"):
        keys[f"n_{name}"] = (phase == name).groupby(points["row"]).sum().reindex(keys.index, fill_value=0).astype(int)
    first = points.groupby("row")["start"].first().reindex(keys.index)
    based = keys["unit"].str.contains("change relative to", case=False) | keys["unit"].str.contains(
        "change since", case=False
    )
    short = (first > dates.shock - 0.26) & (keys["n_before"] > 0) & (keys["freq"] != "A")
    pairs = zip(keys["n_before"], keys["freq"], strict=True)
    seasonal = (keys["freq"] != "A") & np.array([counterfactual.enough(n, freq) for n, freq in pairs], dtype=bool)
    annual = (keys["freq"] == "A") & (keys["n_before"] >= counterfactual.LINE_LEAST)
    keys["kind"] = np.select([based | short, seasonal, annual], ["since base", "seasonal", "annual"], "")
    keys["based"] = based
    keys.loc[keys["n_after"] == 0, "kind"] = ""
    return keys


def _groups(series: SeriesSet, keys: pd.DataFrame, dates: Dates) -> Iterator[_Group]:
    broken_rows = _broken(series, dates)
    for block in series.blocks():
        phase = phases(block.start, block.end, dates.shock)
        frame = keys.loc[block.rows, ["kind", "freq", "scale", "lower", "upper"]].reset_index(drop=True)
        frame["phase"] = ["".join(word[0] for word in row) for row in phase]
        for (kind, freq, scale, lower, upper, _), part in frame.groupby(list(frame.columns), dropna=False, sort=True):
            if not kind:
                continue
            at = part.index.to_numpy()
            usable = regression.fits_scale(block.y[at], scale, lower, upper) & (kind != "since base")
            for chosen, model in ((at[usable], (scale, lower, upper)), (at[~usable], ("identity", lower, upper))):
                if len(chosen):
                    rows = block.rows[chosen]
                    yield _Group(
                        rows, kind, freq, model, keys["sign"].to_numpy()[rows], block.t[chosen], block.y[chosen],
                        block.start[chosen[0]], phase[chosen[0]], np.isin(rows, broken_rows),
                    )  # fmt: skip


def _broken(series: SeriesSet, dates: Dates) -> np.ndarray:
    """Rows whose values before and after the shock, or within ten years before it, are not of one definition."""
    points = series.points
    recent = points["start"] > dates.shock - WINDOW
    first = points[recent].groupby("row").head(1).index
    return points.loc[recent & (points["status"] == "break") & ~points.index.isin(first), "row"].unique()


# --- against the level before -----------------------------------------------------------------------


def _level_reading(group: _Group, dates: Dates, labels: np.ndarray) -> dict[str, np.ndarray]:
    after = np.flatnonzero(group.after)
    level, level_period, usual, df = _level_before(group, labels)
    gaps = group.y[:, after] - _seasonal_level(group, level, after)
    signed = group.sign[:, None] * gaps
    year = POINTS_A_YEAR[group.freq]
    first = np.zeros(len(gaps), int) if year == 1 else signed[:, : max(1, year)].argmin(axis=1)
    unsigned_first = np.zeros(len(gaps), int) if year == 1 else np.abs(gaps[:, : max(1, year)]).argmax(axis=1)
    first = np.where(group.sign == 0, unsigned_first, first)
    rows = np.arange(len(gaps))
    change = gaps[rows, first]
    recent = min(year, len(after)) if group.kind != "annual" else 1
    gap = gaps[:, -recent:].mean(axis=1)
    quantile = stats.t.ppf(0.975, df) if df else np.nan
    apart = np.sqrt(max(1.0, group.t[0, -1] - group.t[0, group.before][-1])) if group.before.any() else 1.0
    reach = quantile * usual * (apart if group.kind != "since base" else 1.0)
    # Usual movement is that of yearly means: the first year's mean is what it can be compared with.
    struck = gaps[:, :year].mean(axis=1) if group.kind == "seasonal" else change
    clear = np.abs(struck) > quantile * usual
    done = recovery.measures(np.where(group.sign[:, None] == 0, -np.abs(gaps), signed), 1.0)
    verdict, reason = _level_verdict(group, dates, change, gap, usual, reach, clear)
    back = np.where(verdict == RECOVERED, [labels[i][after[j]] if j >= 0 else "" for i, j in enumerate(done.back)], "")
    return {
        "level": level, "level_period": level_period, "usual_movement": usual, "shock_change": change,
        "shock_period": labels[rows, after[first]], "shock_value": group.y[rows, after[first]],
        "last_period": labels[:, -1], "last_value": group.y[:, -1], "gap_level": gap, "gap_level_low": gap - reach,
        "gap_level_high": gap + reach, "level_verdict": verdict, "level_back": back, "level_reason": reason,
    }  # fmt: skip


def _level_before(group: _Group, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Level before, its period, the usual year-to-year movement and how many changes it rests on."""
    m, before = len(group.y), np.flatnonzero(group.before)
    if group.kind == "since base":
        based = group.y[:, before].mean(axis=1) if len(before) else np.zeros(m)
        level = np.zeros(m) if group.model[1] == -1 else based
        moves = np.diff(group.y[:, -13:], axis=1)
        return level, np.full(m, "the base"), np.sqrt((moves**2).mean(axis=1)), moves.shape[1]
    year = POINTS_A_YEAR[group.freq]
    blocks = min(len(before) // year, WINDOW)
    y = group.y[:, before[-blocks * year :]].reshape(m, blocks, year).mean(axis=2)
    moves = np.diff(y, axis=1)
    first, last = labels[:, before[-year]], labels[:, before[-1]]
    period = last if year == 1 else np.array([f"{a}/{b}" for a, b in zip(first, last, strict=True)], dtype=object)
    return y[:, -1], period, np.sqrt((moves**2).mean(axis=1)), moves.shape[1]


def _seasonal_level(group: _Group, level: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Level that each later point is compared with: its own season in the last year before, or the level."""
    if group.kind != "seasonal":
        return np.broadcast_to(level[:, None], (len(level), len(after)))
    year = POINTS_A_YEAR[group.freq]
    last_year = np.flatnonzero(group.before)[-year:]
    season = np.rint(group.t[0] * year - 0.5).astype(int) % year
    match = [last_year[np.flatnonzero(season[last_year] == s)[0]] if s in season[last_year] else last_year[-1]
             for s in season[after]]  # fmt: skip
    return group.y[:, match]


def _level_verdict(group, dates, change, gap, usual, reach, clear) -> tuple[np.ndarray, np.ndarray]:
    d = group.sign
    ends_early = group.start[-1] < dates.recovery_from - 1e-9
    adverse = clear & (d * change < 0)
    ahead = d * gap > reach
    back = d * gap >= -usual
    conditions = [d == 0, group.broken, np.full(len(d), ends_early), adverse & ahead, adverse & back, adverse, ahead]
    verdicts = [UNKNOWN, UNKNOWN, UNKNOWN, AHEAD, RECOVERED, NOT_YET, AHEAD]
    reasons = [
        "the desired direction is not stated",
        "the series has a break",
        "the series ends before recovery can be judged",
        "", "", "", "",
    ]  # fmt: skip
    within = adverse & back & (d * gap < 0) & ~ahead
    reason = np.select(conditions, reasons, "")
    reason = np.where(within & (reason == ""), "within its usual year-to-year movement of the level", reason)
    return np.select(conditions, verdicts, NO_SHOCK), reason


# --- against the path -------------------------------------------------------------------------------


def _path_reading(group: _Group, dates: Dates, labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    after = np.flatnonzero(group.after & (group.t[0] <= dates.horizon + 1e-9))
    if group.kind == "since base":
        return _against_base(group, labels)
    if not len(after):
        return {"path_verdict": UNKNOWN, "path_reason": "no value within three years after the shock"}
    t, y = group.window(WINDOW)
    path = counterfactual.fit_path(t, y, group.t[:, after], group.freq, group.model)
    observed = group.y[:, after]
    gaps = observed - path.mean
    spacing = 1 / POINTS_A_YEAR[group.freq]
    sign = np.where(group.sign == 0, np.nan, group.sign)
    with np.errstate(invalid="ignore"):
        done = recovery.measures(np.where(np.isnan(sign)[:, None], gaps, sign[:, None] * gaps), spacing)
        loss = counterfactual.simulated_loss(path, observed, group.sign, spacing, group.model, seed)
    clear, at, step_p = _clear_shock(group, path, observed, after, dates)
    verdict, reason, by_window = _path_verdicts(group, dates, after, path, clear, done)
    rank, placebos = _placebos(group, after)
    rows, known = np.arange(len(gaps)), group.sign != 0
    back = [labels[i][after[j]] if j >= 0 else "" for i, j in enumerate(done.back)]
    if not counterfactual.enough(t.shape[1], group.freq):
        path.low[:], path.high[:], clear[:] = np.nan, np.nan, False
        loss = (np.full(len(gaps), np.nan),) * 2
    return {
        "gap_shock": gaps[rows, at], "gap_shock_low": (observed - path.high)[rows, at],
        "gap_shock_high": (observed - path.low)[rows, at], "shock_clear": clear,
        "trough_period": np.where(known, labels[rows, after[done.trough]], ""),
        "depth": np.where(known, done.depth, np.nan), "loss": np.where(known, done.loss, np.nan),
        "loss_low": np.where(known, loss[0], np.nan), "loss_high": np.where(known, loss[1], np.nan),
        "rebound": np.where(known, done.rebound, np.nan), "path_period": labels[:, after[-1]],
        "path_value": observed[:, -1], "path_counterfactual": path.mean[:, -1], "gap_path": gaps[:, -1],
        "gap_path_low": (observed - path.high)[:, -1], "gap_path_high": (observed - path.low)[:, -1],
        "path_verdict": verdict, "path_reason": reason, "window_verdicts": by_window,
        "path_back": np.where(verdict == RECOVERED, back, ""), "step_p": step_p, "placebo_rank": rank,
        "placebos": placebos,
    }  # fmt: skip


def _against_base(group: _Group, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Depth, area and recovery of a series that is told as a change from a base: the base is all there is."""
    after = np.flatnonzero(group.after)
    level = _level_before(group, labels)[0]
    gaps = group.y[:, after] - level[:, None]
    done = recovery.measures(group.sign[:, None] * gaps, 1 / POINTS_A_YEAR[group.freq])
    rows, known = np.arange(len(gaps)), group.sign != 0
    return {
        "trough_period": np.where(known, labels[rows, after[done.trough]], ""),
        "depth": np.where(known, done.depth, np.nan),
        "loss": np.where(known, done.loss, np.nan),
        "rebound": np.where(known, done.rebound, np.nan),
        "path_verdict": UNKNOWN,
        "path_reason": "the series begins with the shock: there is no path before it",
    }


def _clear_shock(group, path, observed, after, dates) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether the shock is clear, the column (of the points after) at which it shows, and the p-value of the step."""
    outside = (observed < path.low) | (observed > path.high)
    rows, none = np.arange(len(observed)), np.full(len(observed), np.nan)
    if group.freq == "A":
        t, y = group.window(WINDOW)
        walk = counterfactual.outside_random_walk(t, y, group.t[:, after[:1]], observed[:, :1], group.model)
        return outside[:, 0] & walk[:, 0], np.zeros(len(observed), int), none
    year = POINTS_A_YEAR[group.freq]
    gaps = (observed - path.mean)[:, :year]
    at = np.where(group.sign == 0, np.abs(gaps).argmax(axis=1), (group.sign[:, None] * gaps).argmin(axis=1))
    used = np.concatenate([np.flatnonzero(group.before)[-WINDOW * year :], after])
    later = np.isin(used, after)
    step_p = counterfactual.step_test(group.t[:, used], group.y[:, used], later, dates.shock, group.freq, group.model)
    return outside[rows, at] & (step_p < 0.05), at, step_p


def _path_verdicts(group, dates, after, path, clear, done) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Verdict with reason over the main window, and the verdicts over all windows as one text."""
    raw = _path_verdict(group, group.y[:, after], path, clear, done.rebound)
    verdicts = {}
    for years in WINDOWS:
        t, y = group.window(years)
        if t.shape[1] < counterfactual.LINE_LEAST or (
            group.freq != "A" and not counterfactual.enough(t.shape[1], group.freq)
        ):
            continue
        if len(t[0]) < years * POINTS_A_YEAR[group.freq]:
            continue
        other = counterfactual.fit_path(t, y, group.t[:, after], group.freq, group.model)
        gaps = recovery.measures(np.nan_to_num(group.sign[:, None] * (group.y[:, after] - other.mean)), 1.0)
        verdict = _path_verdict(group, group.y[:, after], other, clear, gaps.rebound)
        verdicts[years] = (
            verdict if counterfactual.enough(t.shape[1], group.freq) else np.full(len(verdict), "line only")
        )
    disagree = np.zeros(len(raw), bool)
    for verdict in verdicts.values():
        disagree |= (verdict != raw) & (verdict != "line only")
    told = np.array([" | ".join(f"{years}: {v[i]}" for years, v in verdicts.items()) for i in range(len(raw))], object)
    told = np.where(group.sign == 0, "", told)
    conditions, reasons = _doubts(group, dates, after, path, disagree, raw)
    doubtful = np.select(conditions, reasons, "")
    reason = np.where(doubtful != "", doubtful, _path_note(group, path, after, raw))
    return np.where(doubtful != "", UNKNOWN, raw), reason, told


def _path_verdict(group, observed, path, clear, rebound) -> np.ndarray:
    """Judge the last point of the horizon against one counterfactual."""
    d, last = group.sign, observed[:, -1]
    better = np.where(d > 0, last > path.high[:, -1], last < path.low[:, -1])
    worse = np.where(d > 0, last < path.low[:, -1], last > path.high[:, -1])
    behind = d * (last - path.mean[:, -1]) < 0
    half_way = ~(rebound < 0.5)
    return np.select([~clear, better, worse, ~behind | half_way], [NO_SHOCK, AHEAD, NOT_YET, RECOVERED], UNKNOWN)


def _doubts(group, dates, after, path, disagree, raw) -> tuple[list[np.ndarray], list[str]]:
    """Conditions under which no path verdict is given, and the words for each, the most basic first."""
    m, n = len(group.y), len(group.window(WINDOW)[0][0])
    last, seen = path.mean[:, -1], group.window(WINDOW)[1]
    half = (path.high - path.low)[:, -1] / 2
    with np.errstate(invalid="ignore"):
        impossible = (last < group.model[1]) | (last > group.model[2])
        unseen = (last > seen.max(axis=1) + half) | (last < seen.min(axis=1) - half)
        loose = (path.high - path.low)[:, 0] / 2 > np.ptp(seen, axis=1)
    unit = "yearly values" if group.freq == "A" else "values"
    short = not counterfactual.enough(n, group.freq)
    ends_early = group.start[after[-1]] < dates.recovery_from - 1e-9
    moved = raw != NO_SHOCK
    conditions = [
        group.sign == 0, np.full(m, short), group.broken, np.full(m, ends_early), impossible, unseen & moved,
        loose & (raw != AHEAD) & (raw != NOT_YET), disagree, raw == UNKNOWN,
    ]  # fmt: skip
    reasons = [
        "the desired direction is not stated",
        f"{n} {unit} before the shock, at least {counterfactual.INTERVAL_LEAST} are needed for an interval",
        "the series has a break",
        "the series ends before recovery can be judged",
        "the line leaves the possible range",
        "the line leaves the range seen before by more than its own interval",
        "the line fits the years before too loosely: its interval is wider than their range",
        "baseline windows of 5, 8 and 10 years disagree",
        "behind the line, and the interval is too wide to say more",
    ]
    return conditions, reasons


def _path_note(group, path, after, raw) -> np.ndarray:
    behind = group.sign * (group.y[:, after[-1]] - path.mean[:, -1]) < 0
    return np.where((raw == RECOVERED) & behind, "inside the interval of the line", "")


def _placebos(group: _Group, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank of the gap at the shock among those one year ahead at earlier years (1 = largest), and their number."""
    m, none = len(group.y), np.full(len(group.y), np.nan)
    if group.freq != "A" or group.before.sum() < counterfactual.LINE_LEAST + 1:
        return none, none
    used = np.append(np.flatnonzero(group.before), after[0])
    _, gaps = counterfactual.placebo_gaps(group.t[:, used], group.y[:, used], WINDOW, group.model)
    size = np.abs(gaps)
    rank = 1 + (size[:, :-1] >= size[:, -1:]).sum(axis=1)
    return rank.astype(float), np.full(m, size.shape[1] - 1.0)


def _refuse(keys: pd.DataFrame) -> None:
    """Give every series that no reading fits its reason."""
    few = "{} yearly values before the shock, at least " + str(counterfactual.LINE_LEAST) + " are needed"
    short = "{} values before the shock, at least " + str(counterfactual.SEASONS_LEAST) + " full years are needed"
    for row in keys.index[keys["kind"] == ""]:
        n = keys.at[row, "n_before"]
        reason = (few if keys.at[row, "freq"] == "A" else short).format(n)
        if keys.at[row, "n_after"] == 0:
            reason = "no value after the shock"
        keys.loc[row, ["level_verdict", "path_verdict"]] = UNKNOWN
        keys.loc[row, ["level_reason", "path_reason"]] = reason


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
    keys = _keys(series, definitions, dates)
    points = series.points.join(keys[KEY], on="row")
    points["phase"] = phases(points["start"].to_numpy(), points["end"].to_numpy(), dates.shock)
    points[["counterfactual", "low", "high", "level"]] = np.nan
    place = points.groupby("row").indices
    labels = series.points.groupby("row")["period"].agg(list)
    for group in _groups(series, keys, dates):
        level = _level_before(group, np.array([labels[row] for row in group.rows], dtype=object))[0]
        t, y = group.window(WINDOW)
        covered = (group.t[0] >= t[0, 0] - 1e-9) & (group.t[0] <= dates.horizon + 1e-9)
        path = None
        if group.kind != "since base":
            path = counterfactual.fit_path(t, y, group.t[:, covered], group.freq, group.model)
        for i, row in enumerate(group.rows):
            points.loc[place[row], "level"] = level[i]
            if path is None:
                continue
            at = place[row][covered]
            points.loc[at, "counterfactual"] = path.mean[i]
            if counterfactual.enough(t.shape[1], group.freq):
                points.loc[at, "low"], points.loc[at, "high"] = path.low[i], path.high[i]
    return points[[*KEY, "period", "t", "value", "phase", "counterfactual", "low", "high", "level"]]


def differences(own: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return `own` less `other`, observation by observation, as observations of the own area.

    Both tables hold one area. Where (indicator, series, unit, period, breakdown) is in both and both
    have a value, the row holds their difference in the unit; everything else is left out. Judged by
    `covid_table` it tells the *differential* change: the comparator met the same shock.
    """
    key = ["indicator", "series", "unit", "period", "breakdown"]
    both = own.merge(other[[*key, "value"]], on=key, suffixes=("", "_other"))
    both = both[both["value"].notna() & both["value_other"].notna()]
    both["value"] -= both["value_other"]
    return both.drop(columns="value_other").assign(low=np.nan, high=np.nan).reset_index(drop=True)
