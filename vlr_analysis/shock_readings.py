"""The two readings of a shock, against the level before and against the path, for one group of series."""

from __future__ import annotations

import numpy as np
from scipy import stats

from vlr_analysis import counterfactual, recovery
from vlr_analysis.counterfactual import POINTS_A_YEAR
from vlr_analysis.shock_groups import WINDOW, Dates, Group

RECOVERED, NOT_YET, AHEAD, NO_SHOCK, UNKNOWN = "recovered", "not yet", "ahead", "no clear shock", "cannot tell"
WINDOWS = (5, 8, 10)


# --- against the level before -----------------------------------------------------------------------


def level_reading(group: Group, dates: Dates, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of the reading against the level before; see `covid.covid_table`."""
    after = np.flatnonzero(group.after)
    level, level_period, usual, df = level_before(group, labels)
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
    clear, struck = _clear_level(gaps, usual, quantile, group)
    done = recovery.measures(np.where(group.sign[:, None] == 0, -np.abs(gaps), signed), 1.0)
    verdict, reason = _level_verdict(group, dates, struck, gap, usual, reach, clear)
    back = np.where(verdict == RECOVERED, [labels[i][after[j]] if j >= 0 else "" for i, j in enumerate(done.back)], "")
    steps = np.diff(group.y, axis=1)[:, np.maximum(after[: max(1, year)] - 1, 0)]
    largest = np.abs(steps).argmax(axis=1)
    return {
        "jump": steps[rows, largest], "jump_period": labels[rows, after[largest]],
        "level": level, "level_period": level_period, "usual_movement": usual, "shock_change": change,
        "shock_period": labels[rows, after[first]], "shock_value": group.y[rows, after[first]],
        "last_period": labels[:, -1], "last_value": group.y[:, -1], "gap_level": gap, "gap_level_low": gap - reach,
        "gap_level_high": gap + reach, "level_verdict": verdict, "level_back": back, "level_reason": reason,
    }  # fmt: skip


def _clear_level(gaps, usual, quantile, group) -> tuple[np.ndarray, np.ndarray]:
    """Whether the first or the second year after leaves what usual movement would give it, and the gap that does.

    Usual movement is that of yearly means, so that yearly means are what it is compared with; it
    grows with the square root of the years. A series told from a base is compared at its first year's extreme.
    """
    year = POINTS_A_YEAR[group.freq]
    if group.kind == "since base":
        extreme = np.take_along_axis(gaps[:, :year], np.abs(gaps[:, :year]).argmax(axis=1)[:, None], axis=1)[:, 0]
        return np.abs(extreme) > quantile * usual, extreme
    years = min(2, -(-gaps.shape[1] // year))
    means = np.stack([gaps[:, i * year : (i + 1) * year].mean(axis=1) for i in range(years)], axis=1)
    ratio = np.abs(means) / np.sqrt(np.arange(1, years + 1))
    struck = np.take_along_axis(means, ratio.argmax(axis=1)[:, None], axis=1)[:, 0]
    return ratio.max(axis=1) > quantile * usual, struck


def level_before(group: Group, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
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


def _seasonal_level(group: Group, level: np.ndarray, after: np.ndarray) -> np.ndarray:
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


def fit_path(group: Group, t: np.ndarray, y: np.ndarray, t_new: np.ndarray) -> counterfactual.Path:
    """Return the counterfactual by the model that fits the group: counts with zeros, or a line on its scale."""
    if group.counts:
        return counterfactual.count_path(t, y, t_new, group.freq)
    return counterfactual.fit_path(t, y, t_new, group.freq, group.model)


def path_reading(group: Group, dates: Dates, labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return the columns of the reading against the path; see `covid.covid_table`."""
    after = np.flatnonzero(group.after & (group.t[0] <= dates.horizon + 1e-9))
    if group.kind == "since base":
        return _against_base(group, labels)
    if not len(after):
        return {"path_verdict": UNKNOWN, "path_reason": "no value within three years after the shock"}
    t, y = group.window(WINDOW)
    path = fit_path(group, t, y, group.t[:, after])
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


def _against_base(group: Group, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Depth, area and recovery of a series that is told as a change from a base: the base is all there is."""
    after = np.flatnonzero(group.after)
    level = level_before(group, labels)[0]
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
    step_p = _step_p(group, used, later, dates.shock)
    return outside[rows, at] & (step_p < 0.05), at, step_p


def _step_p(group: Group, used: np.ndarray, later: np.ndarray, shock: float) -> np.ndarray:
    """P-value of the step at the shock, by the model that fits the group."""
    t, y = group.t[:, used], group.y[:, used]
    if group.counts:
        return np.array([counterfactual.count_shock(b, a, later, group.freq)[3] for a, b in zip(t, y, strict=True)])
    return counterfactual.step_test(t, y, later, shock, group.freq, group.model)


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
        other = fit_path(group, t, y, group.t[:, after])
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


def _placebos(group: Group, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rank of the gap at the shock among those one year ahead at earlier years (1 = largest), and their number."""
    m, none = len(group.y), np.full(len(group.y), np.nan)
    if group.freq != "A" or group.before.sum() < counterfactual.LINE_LEAST + 1:
        return none, none
    used = np.append(np.flatnonzero(group.before), after[0])
    _, gaps = counterfactual.placebo_gaps(group.t[:, used], group.y[:, used], WINDOW, group.model)
    size = np.abs(gaps)
    rank = 1 + (size[:, :-1] >= size[:, -1:]).sum(axis=1)
    return rank.astype(float), np.full(m, size.shape[1] - 1.0)
