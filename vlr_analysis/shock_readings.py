"""The two readings of a shock, against the level before and against the path, for one group of series."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from vlr_analysis import counterfactual, recovery, regression
from vlr_analysis.counterfactual import POINTS_A_YEAR
from vlr_analysis.language import coded
from vlr_analysis.shock_groups import WINDOW, Dates, Group

RECOVERED, NOT_YET, AHEAD, NO_SHOCK, UNKNOWN = (
    "recovered",
    coded("not yet"),
    "ahead",
    coded("no clear shock"),
    coded("cannot tell"),
)
LINE_ONLY = coded("line only")
# Short of the level by at most this share of the usual movement, or of the line by this share of its standard
# error, still counts as back. Beyond the line's interval of this level is ahead or not yet. The calibration study
# says what other values would cost.
LEVEL_BACK, PATH_BACK, PATH_BEYOND = 0.75, 0.5, 0.99
MADE_UP = 0.95  # a series that has made up this share of its fall is back, however quiet it usually is
SEASONS_FOR_VERDICT = 6  # full years of months, quarters or weeks before the shock
WINDOWS = (5, 8, 10)

# What the sensitivity of each reading tries, and how a reason names it.
LEVEL_CHOICES = {
    "two_years": coded("against the mean of the two years before"),
    "earlier_year": coded("against the year before the last"),
}
PATH_CHOICES = {
    "window_5": coded("over a baseline of 5 years"),
    "window_8": coded("over a baseline of 8 years"),
    "window_10": coded("over a baseline of 10 years"),
    "without_first": coded("without the first year of the baseline"),
    "without_last": coded("without the last year before"),
    "ordinary": coded("by ordinary least squares"),
}


def _graded(default: np.ndarray, choices: dict[str, np.ndarray], words: dict[str, str]) -> tuple[np.ndarray, ...]:
    """Return the verdicts graded down where a choice contradicts them, and the choices that do, in words.

    Only *recovered*, *ahead* and *not yet* contradict one another: a choice with fewer values that sees no
    clear shock, or cannot tell, has less power and nothing against. Between *ahead* and *recovered* the weaker,
    recovered, is told; all else becomes *cannot tell*.
    """
    verdict, flips = default.astype(object), np.full(len(default), "", dtype=object)
    claims = (RECOVERED, AHEAD, NOT_YET)
    for i in np.flatnonzero(np.isin(default, claims)):
        others = {name: told[i] for name, told in choices.items() if told[i] in claims and told[i] != default[i]}
        if others:
            flips[i] = "; ".join(f"{words[name]}: {told}" for name, told in others.items())
            verdict[i] = UNKNOWN if NOT_YET in (default[i], *others.values()) else RECOVERED
    return verdict, flips


# --- against the level before -----------------------------------------------------------------------


@dataclass(frozen=True)
class Yardstick:
    """Level before a shock and the movement that is usual, for m series; every array has shape (m,)."""

    level: np.ndarray
    period: np.ndarray  # the level's period, in words
    drift: np.ndarray  # mean change from year to year
    usual: np.ndarray  # standard deviation of the changes about it
    changes: int  # how many changes both rest on

    @property
    def quantile(self) -> float:
        """Of t, for 95 %."""
        return special.stdtrit(self.changes - 1, 0.975) if self.changes > 1 else np.nan


def level_before(group: Group, labels: np.ndarray) -> Yardstick:
    """Return the level of the last year before the shock, or of the base, and the usual movement up to then."""
    m, before = len(group.y), np.flatnonzero(group.before)
    if group.kind == "since base":
        based = group.y[:, before].mean(axis=1) if len(before) else np.zeros(m)
        level = np.zeros(m) if group.model[1] == -1 else based
        moves = np.diff(group.y[:, -13:], axis=1)
        usual = np.sqrt((moves**2).sum(axis=1) / max(1, moves.shape[1] - 1))
        return Yardstick(level, np.full(m, coded("the base")), np.zeros(m), usual, moves.shape[1])
    year = POINTS_A_YEAR[group.freq]
    blocks = min(len(before) // year, WINDOW)
    y = group.y[:, before[-blocks * year :]].reshape(m, blocks, year).mean(axis=2)
    moves = np.diff(y, axis=1)
    first, last = labels[:, before[-year]], labels[:, before[-1]]
    period = last if year == 1 else np.array([f"{a}/{b}" for a, b in zip(first, last, strict=True)], dtype=object)
    drift, usual = moves.mean(axis=1), moves.std(axis=1, ddof=1) if moves.shape[1] > 1 else np.full(m, np.nan)
    return Yardstick(y[:, -1], period, drift, usual, moves.shape[1])


def level_reading(group: Group, dates: Dates, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns of the reading against the level before; see `covid.covid_table`."""
    after, year = np.flatnonzero(group.after), POINTS_A_YEAR[group.freq]
    yard = level_before(group, labels)
    gaps = group.y[:, after] - _expected(group, yard.level, after, (0,))
    signed = group.sign[:, None] * gaps
    rows, first_year = np.arange(len(gaps)), signed[:, :year]
    first = np.where(group.sign == 0, np.abs(gaps[:, :year]).argmax(axis=1), first_year.argmin(axis=1))
    verdict, gap, reach, within = _level_verdict(group, yard, gaps)
    choices = {}
    for name, years in (("two_years", (0, 1)), ("earlier_year", (1,))):
        if group.kind != "since base" and group.before.sum() >= (max(years) + 1) * year:
            others = group.y[:, after] - _expected(group, yard.level, after, years)
            choices[name] = _level_verdict(group, yard, others)[0]
    graded, flips = _graded(verdict, choices, LEVEL_CHOICES)
    conditions, reasons = _level_doubts(group, dates, verdict, graded)
    doubt = np.select(conditions, reasons, "")
    graded = np.where(doubt != "", UNKNOWN, graded)
    note = np.where((graded == RECOVERED) & within, coded("within its usual yearly movement of the level"), "")
    done = recovery.measures(np.where(group.sign[:, None] == 0, -np.abs(gaps), signed), 1.0)
    back = np.where(graded == RECOVERED, [labels[i][after[j]] if j >= 0 else "" for i, j in enumerate(done.back)], "")
    steps = np.diff(group.y, axis=1)[:, np.maximum(after[:year] - 1, 0)]
    largest = np.abs(steps).argmax(axis=1)
    return {
        "jump": steps[rows, largest], "jump_period": labels[rows, after[largest]],
        "level": yard.level, "level_period": yard.period, "usual_movement": yard.usual,
        "shock_change": gaps[rows, first], "shock_period": labels[rows, after[first]],
        "shock_value": group.y[rows, after[first]], "last_period": labels[:, -1], "last_value": group.y[:, -1],
        "gap_level": gap, "gap_level_low": gap - reach, "gap_level_high": gap + reach,
        "level_default": verdict, "level_verdict": graded, "level_back": back,
        "level_reason": np.where(doubt != "", doubt, note), "level_flips": flips,
    } | {f"level_{name}": told for name, told in choices.items()}  # fmt: skip


def _expected(group: Group, level: np.ndarray, after: np.ndarray, years: tuple[int, ...]) -> np.ndarray:
    """Level that each later point is compared with: its own season in the given years before, 0 being the last."""
    if group.kind == "since base":
        return np.broadcast_to(level[:, None], (len(level), len(after)))
    year, before = POINTS_A_YEAR[group.freq], np.flatnonzero(group.before)
    if year == 1:
        return group.y[:, before[[-1 - back for back in years]]].mean(axis=1)[:, None] + np.zeros((1, len(after)))
    season = np.rint(group.t[0] * year - 0.5).astype(int) % year
    parts = []
    for back in years:
        this = before[len(before) - (back + 1) * year : len(before) - back * year]
        match = [this[np.flatnonzero(season[this] == s)[0]] if s in season[this] else this[-1] for s in season[after]]
        parts.append(group.y[:, match])
    return np.mean(parts, axis=0)


def _level_verdict(group: Group, yard: Yardstick, gaps: np.ndarray) -> tuple[np.ndarray, ...]:
    """Verdict, latest gap, the reach of usual movement, and whether a recovered series is just short of the level."""
    year, d, based = POINTS_A_YEAR[group.freq], group.sign, group.kind == "since base"
    clear, struck = _clear_level(gaps, yard, group)
    gap = gaps[:, -(1 if group.kind == "annual" else min(year, gaps.shape[1])) :].mean(axis=1)
    reach = yard.quantile * yard.usual * (1.0 if based else np.sqrt(2))
    adverse, signed = clear & (d * struck < 0), d * gap
    back = signed >= -np.fmax(LEVEL_BACK * yard.usual, (1 - MADE_UP) * np.abs(struck))
    conditions = [d == 0, signed > reach, ~adverse, back, signed < -reach]
    verdict = np.select(conditions, [UNKNOWN, AHEAD, NO_SHOCK, RECOVERED, NOT_YET], UNKNOWN)
    return verdict, gap, reach, back & (signed < 0)


def _clear_level(gaps: np.ndarray, yard: Yardstick, group: Group) -> tuple[np.ndarray, np.ndarray]:
    """Whether the first or the second year after leaves what usual drift and movement give it, and the gap that does.

    The interval is that of a random walk with drift; usual movement is that of yearly means, so that
    yearly means are what it is compared with. A series told from a base is compared at its first year's extreme.
    """
    year = POINTS_A_YEAR[group.freq]
    if group.kind == "since base":
        extreme = np.take_along_axis(gaps[:, :year], np.abs(gaps[:, :year]).argmax(axis=1)[:, None], axis=1)[:, 0]
        return np.abs(extreme) > yard.quantile * yard.usual, extreme
    ahead = np.arange(1, min(2, -(-gaps.shape[1] // year)) + 1)
    means = np.stack([gaps[:, (k - 1) * year : k * year].mean(axis=1) for k in ahead], axis=1)
    ratio = np.abs(means - yard.drift[:, None] * ahead) / np.sqrt(ahead + ahead**2 / yard.changes)
    struck = np.take_along_axis(means, ratio.argmax(axis=1)[:, None], axis=1)[:, 0]
    return ratio.max(axis=1) > yard.quantile * yard.usual, struck


def _level_doubts(group, dates, verdict, graded) -> tuple[list[np.ndarray], list[str]]:
    ends_early = group.start[-1] < dates.recovery_from - 1e-9
    conditions = [
        group.sign == 0, group.broken, np.full(len(verdict), ends_early), (graded == UNKNOWN) & (verdict != UNKNOWN),
        verdict == UNKNOWN,
    ]  # fmt: skip
    reasons = [
        coded("the desired direction is not stated"),
        coded("the series has a break"),
        coded("the series ends before recovery can be judged"),
        coded("the verdict hangs on which year before is taken"),
        coded("behind the level, within the reach of its usual movement"),
    ]
    return conditions, reasons


# --- against the path -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """A counterfactual and what it says of each series."""

    path: counterfactual.Path
    last: counterfactual.Path  # of the last point, or the mean of the last year of months
    gap: np.ndarray  # (m,) that point or mean, less its counterfactual, in the unit
    clear: np.ndarray  # (m,) whether the shock is clear
    at: np.ndarray  # (m,) column, of the points after, at which it shows
    verdict: np.ndarray  # (m,)


def fit_path(
    group: Group, t: np.ndarray, y: np.ndarray, t_new: np.ndarray, *, correlated: bool = True
) -> counterfactual.Path:
    """Return the counterfactual by the model that fits the group: counts with zeros, or a line on its scale."""
    if group.counts:
        return counterfactual.count_path(t, y, t_new, group.freq)
    return counterfactual.fit_path(t, y, t_new, group.freq, group.model, correlated=correlated)


def path_reading(group: Group, dates: Dates, labels: np.ndarray, seed: int) -> dict[str, np.ndarray]:
    """Return the columns of the reading against the path; see `covid.covid_table`."""
    after = np.flatnonzero(group.after & (group.t[0] <= dates.horizon + 1e-9))
    if group.kind == "since base":
        return _against_base(group, labels)
    if not len(after):
        return {"path_verdict": UNKNOWN, "path_reason": coded("no value within three years after the shock")}
    window = np.flatnonzero(group.before)[-WINDOW * POINTS_A_YEAR[group.freq] :]
    step_p = _step_p(group, window, after, dates.shock)
    main = _judged(group, window, after, step_p)
    path, observed = main.path, group.y[:, after]
    gaps, spacing = observed - path.mean, 1 / POINTS_A_YEAR[group.freq]
    known = group.sign != 0
    done = recovery.measures(np.where(known, group.sign, 1.0)[:, None] * gaps, spacing)
    loss = counterfactual.simulated_loss(path, observed, group.sign, spacing, group.model, seed)
    choices = _choices(group, window, after, step_p, main)
    verdict, flips = _graded(main.verdict, choices, PATH_CHOICES)
    doubt = np.select(*_doubts(group, dates, window, after, main, verdict), "")
    verdict = np.where(doubt != "", UNKNOWN, verdict)
    rank, placebos = _placebos(group, after)
    rows = np.arange(len(gaps))
    back = [labels[i][after[j]] if j >= 0 else "" for i, j in enumerate(done.back)]
    clear, (lower, upper), (least, most) = main.clear, path.interval(), main.last.interval()
    if not counterfactual.enough(len(window), group.freq):
        none = np.full_like(gaps, np.nan)
        clear, lower, upper, loss = np.zeros(len(gaps), bool), none, none, (none[:, 0], none[:, 0])
        least = most = none[:, :1]
    low, high, value = observed - upper, observed - lower, main.gap + main.last.mean[:, 0]
    first, end = labels[:, after[-min(POINTS_A_YEAR[group.freq], len(after))]], labels[:, after[-1]]
    period = end if group.freq == "A" else np.array([f"{a}/{b}" for a, b in zip(first, end, strict=True)], object)
    return {
        "gap_shock": gaps[rows, main.at], "gap_shock_low": low[rows, main.at], "gap_shock_high": high[rows, main.at],
        "shock_clear": clear, "trough_period": np.where(known, labels[rows, after[done.trough]], ""),
        "depth": np.where(known, done.depth, np.nan), "loss": np.where(known, done.loss, np.nan),
        "loss_low": np.where(known, loss[0], np.nan), "loss_high": np.where(known, loss[1], np.nan),
        "rebound": np.where(known, done.rebound, np.nan), "path_period": period, "path_value": value,
        "path_counterfactual": main.last.mean[:, 0], "gap_path": main.gap, "gap_path_low": value - most[:, 0],
        "gap_path_high": value - least[:, 0],
        "path_default": main.verdict, "path_verdict": verdict, "path_reason": doubt, "path_flips": flips,
        "path_back": np.where(verdict == RECOVERED, back, ""), "step_p": step_p, "placebo_rank": rank,
        "placebos": placebos,
    } | {f"path_{name}": told for name, told in choices.items()}  # fmt: skip


def _against_base(group: Group, labels: np.ndarray) -> dict[str, np.ndarray]:
    """Depth, area and recovery of a series that is told as a change from a base: the base is all there is."""
    after = np.flatnonzero(group.after)
    gaps = group.y[:, after] - level_before(group, labels).level[:, None]
    done = recovery.measures(group.sign[:, None] * gaps, 1 / POINTS_A_YEAR[group.freq])
    rows, known = np.arange(len(gaps)), group.sign != 0
    return {
        "trough_period": np.where(known, labels[rows, after[done.trough]], ""),
        "depth": np.where(known, done.depth, np.nan),
        "loss": np.where(known, done.loss, np.nan),
        "rebound": np.where(known, done.rebound, np.nan),
        "path_verdict": UNKNOWN,
        "path_reason": coded("the series begins with the shock: there is no path before it"),
    }


def _judged(
    group: Group, window: np.ndarray, after: np.ndarray, step_p: np.ndarray, *, correlated: bool = True
) -> Judged:
    """Fit the points of `window` and judge the points `after`: how clear the shock was, and how it ended."""
    t, y, observed = group.t[:, window], group.y[:, window], group.y[:, after]
    path = fit_path(group, t, y, group.t[:, after], correlated=correlated)
    low, high = path.interval()
    outside, gaps = (observed < low) | (observed > high), observed - path.mean
    rows, d = np.arange(len(observed)), group.sign
    if group.freq == "A":
        at = np.zeros(len(observed), int)
        beyond = counterfactual.outside_random_walk(t, y, group.t[:, after[:1]], observed[:, :1], group.model)[:, 0]
    else:
        first = gaps[:, : POINTS_A_YEAR[group.freq]]
        at = np.where(d == 0, np.abs(first).argmax(axis=1), (d[:, None] * first).argmin(axis=1))
        beyond = step_p < 0.05
    clear, adverse = outside[rows, at] & beyond, d * gaps[rows, at] < 0
    last, value = _latest(path, observed, POINTS_A_YEAR[group.freq])
    standing = d * last.standing(value)[:, 0]
    far = special.stdtrit(path.fit.df, (1 + PATH_BEYOND) / 2)
    made_up = d * (value - last.mean)[:, 0] >= -(1 - MADE_UP) * np.abs(gaps[rows, at])
    conditions = [
        d == 0,
        ~clear,
        standing > far,
        (standing < -far) & ~made_up,
        ~adverse,
        (standing >= -PATH_BACK) | made_up,
    ]
    verdict = np.select(conditions, [UNKNOWN, NO_SHOCK, AHEAD, NOT_YET, NO_SHOCK, RECOVERED], UNKNOWN)
    return Judged(path, last, (value - last.mean)[:, 0], clear, at, verdict)


def _latest(path: counterfactual.Path, observed: np.ndarray, year: int) -> tuple[counterfactual.Path, np.ndarray]:
    """Return the counterfactual of the last year's mean, or of the last point, and what was observed, (m, 1).

    The mean is taken on the scale of the model: on the log scale it is geometric.
    """
    count = min(year, observed.shape[1])
    scaled = regression.to_scale(observed[:, -count:], *path.model).mean(axis=1, keepdims=True)
    return path.of_mean(count), regression.from_scale(scaled, *path.model)


def _step_p(group: Group, window: np.ndarray, after: np.ndarray, shock: float) -> np.ndarray:
    """P-value of the step at the shock, by the model that fits the group; NaN for yearly series."""
    if group.freq == "A":
        return np.full(len(group.y), np.nan)
    used = np.concatenate([window, after])
    t, y, later = group.t[:, used], group.y[:, used], np.isin(used, after)
    if group.counts:
        return np.array([counterfactual.count_shock(b, a, later, group.freq)[3] for a, b in zip(t, y, strict=True)])
    return counterfactual.step_test(t, y, later, shock, group.freq, group.model)


def _choices(group: Group, window: np.ndarray, after: np.ndarray, step_p: np.ndarray, main: Judged) -> dict:
    """Verdicts under other baselines and by ordinary least squares; *line only* where too few points are left."""
    year, before = POINTS_A_YEAR[group.freq], np.flatnonzero(group.before)
    tried = {f"window_{years}": before[-years * year :] for years in WINDOWS if len(before) >= years * year}
    tried |= {"without_first": window[year:], "without_last": window[:-year]}
    found = {}
    for name, points in tried.items():
        if len(points) == len(window):
            found[name] = main.verdict
        elif counterfactual.enough(len(points), group.freq):
            found[name] = _judged(group, points, after, step_p).verdict
        else:
            found[name] = np.full(len(main.verdict), LINE_ONLY)
    if not group.counts and counterfactual.enough(len(window), group.freq):
        found["ordinary"] = _judged(group, window, after, step_p, correlated=False).verdict
    return found


def _doubts(group, dates, window, after, main, graded) -> tuple[list[np.ndarray], list[str]]:
    """Conditions under which no path verdict is given, and the words for each, the most basic first."""
    m, seen, verdict = len(group.y), group.y[:, window], main.verdict
    (low, high), (least, most) = main.path.interval(), main.last.interval()
    half, reach, last = (high - low)[:, 0] / 2, (most - least)[:, 0] / 2, main.last.mean[:, 0]
    with np.errstate(invalid="ignore"):
        impossible = (last < group.model[1]) | (last > group.model[2])
        unseen = (last > seen.max(axis=1) + reach) | (last < seen.min(axis=1) - reach)
        loose = half > np.ptp(seen, axis=1) + 1e-9 * np.abs(seen).max(axis=1)  # more than rounding
        blind = reach > np.abs(group.y[:, after] - main.path.mean)[np.arange(m), main.at]
    unit = coded("yearly values") if group.freq == "A" else "values"
    short, told = not counterfactual.enough(len(window), group.freq), np.isin(verdict, [RECOVERED, AHEAD, NOT_YET])
    seasons = group.freq != "A" and len(window) < SEASONS_FOR_VERDICT * POINTS_A_YEAR[group.freq]
    ends_early = group.start[after[-1]] < dates.recovery_from - 1e-9
    conditions = [
        group.sign == 0, np.full(m, short), group.broken, np.full(m, ends_early), impossible,
        unseen & (verdict != NO_SHOCK), loose & (verdict == NO_SHOCK),
        blind & (verdict == RECOVERED), told & seasons,
        (graded == UNKNOWN) & (verdict != UNKNOWN), verdict == UNKNOWN,
    ]  # fmt: skip
    reasons = [
        coded("the desired direction is not stated"),
        coded(
            "{window} {unit} before the shock, at least {INTERVAL_LEAST} are needed for an interval",
            window=len(window),
            unit=unit,
            INTERVAL_LEAST=counterfactual.INTERVAL_LEAST,
        ),
        coded("the series has a break"),
        coded("the series ends before recovery can be judged"),
        coded("the line leaves the possible range"),
        coded("the line leaves the range seen before by more than its own interval"),
        coded("the line fits the years before too loosely: its interval is wider than their range"),
        coded("the interval at the end is wider than the shock was deep"),
        coded(
            "{window} values before the shock, {SEASONS_FOR_VERDICT} full years are needed for a verdict",
            window=len(window),
            SEASONS_FOR_VERDICT=SEASONS_FOR_VERDICT,
        ),
        coded("the verdict hangs on the baseline or the method"),
        coded("behind the line, inside its interval"),
    ]
    return conditions, reasons


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
