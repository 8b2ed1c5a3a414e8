"""Slips inside one series: values that look wrong beside their neighbours, and what would make each innocent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from vlr_analysis.exhibits import plain_number as number
from vlr_analysis.language import coded

FACTOR_10, FACTOR_100, FACTOR_1000 = coded("factor of 10"), coded("factor of 100"), coded("factor of 1000")
PERCENT, TOTAL_IN_RATE, ZEROS, PLACEHOLDER, SWAPPED, RANGE, PARTS, OUTSIDE, OVERLAP, FLAT, DUPLICATE, APART = (
    coded("percent against proportion"), coded("total in a rate"), coded("repeated zeros"), "placeholder", "swapped",
    coded("outside the possible range"), coded("parts do not add up"),
    coded("total outside its groups"), coded("groups overlap"), "flat",
    coded("duplicate of another series"), coded("stands apart"),
)  # fmt: skip
# Where two suspicions fall on the same values of a series, the first of this list is told.
SUSPICIONS = (
    PLACEHOLDER, PERCENT, FACTOR_1000, FACTOR_100, FACTOR_10, TOTAL_IN_RATE, RANGE, SWAPPED, OVERLAP, PARTS, OUTSIDE,
    DUPLICATE, FLAT, ZEROS, APART,
)  # fmt: skip

# A ratio this close to a power of ten is suspicious; measured on logarithms to base ten.
NEAR = 0.04
SMOOTH = 0.2  # largest step, on the same scale, that a series put right may still have
MOST = 3  # powers of ten that a slip may have: 10, 100, 1000
PLACEHOLDERS = (-1.0, -9.0, -99.0, -999.0, 9.0, 99.0, 999.0, 9999.0, 99999.0)
LEAST = 4
SHOCK = (2020.0, 2022.0)  # a fall to a tenth in these years was often real: places were closed

CONFIRMED = coded("the source confirms the value, or names what happened")
IN_UNIT = coded("all values are in the unit that is stated")


@dataclass(frozen=True)
class Hit:
    """A suspicion in a series: positions of first and last value, one value, what was seen, what would clear it."""

    suspicion: str
    first: int
    last: int
    value: float
    text: str
    innocent: str


# --- digits ------------------------------------------------------------------------------------------


def _digits(value: float) -> str:
    return np.format_float_positional(abs(value), trim="-", precision=8)


def decimals(value: float) -> int:
    """Return how many places a value has behind the point."""
    return len(_digits(value).partition(".")[2])


def digits(value: float) -> int:
    """Return how many digits of a value carry information: 3 for 0.125, 4 for 466,600."""
    return len(_digits(value).replace(".", "").strip("0"))


def resolution(values: np.ndarray) -> float:
    """Return the smallest step in which values (any shape, NaN passed over) are written: 0.1, 1, 100."""
    known = np.asarray(values, float)
    known = np.abs(known[np.isfinite(known) & (known != 0)])
    for places in range(9):
        scaled = known * 10.0**places
        if (np.abs(scaled - np.rint(scaled)) <= 1e-9 * np.maximum(scaled, 1)).all():
            break
    zeros = 0
    while places == 0 and len(known) and (known % 10.0 ** (zeros + 1) == 0).all():
        zeros += 1
    return 10.0 ** (zeros - places)


def grain(y: np.ndarray) -> float:
    """Return the smallest step that values (n,) take: one case in rates of few people, else the step of writing."""
    written = resolution(y)
    apart = np.diff(np.unique(np.append(y, 0.0)))
    step = float(apart.min()) if len(apart) else written
    cases = np.abs(y) / step if step > written else np.zeros(0)
    # Rounding moves the ratio of two rates of few people by about the step of writing.
    whole = np.abs(cases - np.rint(cases)) <= 0.02 + (cases + 1) * written / step
    return step if len(cases) and whole.all() else written


# --- what a unit measures ------------------------------------------------------------------------------

# Words of units that the catalogue does not know, in the order in which they are looked for.
_WORDS = {
    "change": r"\b(change|growth)\b",
    "rate": r"\bper (\d[\d,. ]*\d|capita|person|head|million)|\brate\b|\bratio\b",
    "share": r"%|\bper ?cent|\bpercentage|\bproportion|\bshare\b",
    "average": r"\b(mean|median|average)\b",
    "money": r"[$£€]|\bdollars?\b|\busd\b|\brevenue|\bbudget|\bearnings\b|\bpayroll\b",
    "physical": r"\b(tons?|tonnes?|pounds|acres|km2?|gwh|gpd)\b|\bkm\^2",
    "count": r"\b(total|number|count|people|persons|deaths|births|cases|crimes|victims|enrol?lment|injuries)\b",
}
_WORDS = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _WORDS.items()}
_PER_NUMBER = re.compile(r"\bper (\d[\d, ]*\d)")
_PER_HEAD = re.compile(r"\bper (capita|person|head)\b", re.IGNORECASE)
SIZE_FREE = ("share", "rate", "ratio", "score", "years", "average")


@lru_cache(maxsize=4096)
def _says(text: str) -> str:
    return next((kind for kind, words in _WORDS.items() if words.search(text)), "")


def measure(kind: str, unit: str, series: str = "") -> str:
    """Return what is measured: the catalogue's kind of the unit, else what the words of unit, then series, say.

    Parameters
    ----------
    kind : str
        From the definitions; empty where the catalogue does not know the unit.
    unit, series : str

    Returns
    -------
    str
        share, rate, count, average, change and the catalogue's other kinds; empty where neither says.
    """
    return kind or _says(unit) or _says(series)


@lru_cache(maxsize=4096)
def capacity(unit: str, series: str = "") -> float:
    """Return the number that no rate of this unit passes, or inf: 1000 for "per 1,000" and for a share in per cent.

    The name of the series counts where the unit is silent; a physical unit of a measure per head has its own bound.
    """
    named = [unit] if _says(unit) else [unit, series]
    for text in named:
        found = _PER_NUMBER.search(text)
        if found:
            return float(re.sub(r"[ ,]", "", found[1]))
        if _WORDS["share"].search(text):
            return 1000.0
    if _PER_HEAD.search(f"{unit} {series}") and _says(unit) not in ("money", "change"):
        return np.inf if _WORDS["money"].search(f"{unit} {series}") else 1e5
    return np.inf


# --- one series ------------------------------------------------------------------------------------------


def slipped(y: np.ndarray, *, counted: bool = False) -> np.ndarray:
    """Return by how many powers of ten each value (n,) seems to be off: 0 for most, 1 for ten times too large.

    Values are off where the steps into and out of them are close to a power of ten and where, put right, the series
    runs on without any large step. Runs of several years count, and so does the end of a series of five values or
    more. At most half of the values may be off. Zeros, series of changing sign and small counts give 0.
    """
    off = np.zeros(len(y), dtype=int)
    at = np.flatnonzero(y)
    if len(at) < LEAST or np.ptp(np.sign(y[at])):
        return off
    size = np.log10(np.abs(y[at]))
    steps = np.diff(size)
    powers = np.rint(steps)
    jumps = (np.abs(steps - powers) <= 0.12) & (np.abs(powers) >= 1) & (np.abs(powers) <= MOST)
    if not jumps.any():
        return off
    level = np.concatenate([[0], np.cumsum(np.where(jumps, powers, 0))]).astype(int)
    kinds, counts = np.unique(level, return_counts=True)
    level -= kinds[np.argmax(counts)]
    if (level != 0).sum() > len(at) / 2 or np.abs(level).max() > MOST:
        return off
    if len(at) == LEAST and (level[0] or level[-1]):
        return off
    rough = np.abs(np.diff(size - level))
    usual = float(np.median(rough[~jumps])) if (~jumps).any() else 0.0
    if rough.max() > SMOOTH or rough[jumps].max() > NEAR + 2 * usual:
        return off
    off[at] = np.where(_few(y, level, at, counted), 0, level)
    return off


def bracketed(y: np.ndarray, *, counted: bool = False) -> np.ndarray:
    """Return by how many powers of ten single values (n,) are off that would, put right, lie between their neighbours.

    For series too short or too restless for `slipped`: 74 between 8.9 and 6.2. The neighbours lie within `SMOOTH` of
    each other, the value put right within half of that of the span between them, and without it no step of the series
    is larger than a factor of two. First and last value, zeros, series of changing sign and small counts give 0.
    """
    off = np.zeros(len(y), dtype=int)
    if len(y) < 3 or not y.all() or np.ptp(np.sign(y)):
        return off
    size = np.log10(np.abs(y))
    low, high = np.minimum(size[:-2], size[2:]), np.maximum(size[:-2], size[2:])
    powers = np.rint(size[1:-1] - (low + high) / 2)
    away = np.maximum(low - size[1:-1] + powers, size[1:-1] - powers - high)
    hits = (np.abs(powers) >= 1) & (np.abs(powers) <= MOST) & (high - low <= SMOOTH) & (away <= SMOOTH / 2)
    for at in 1 + np.flatnonzero(hits):
        if np.abs(np.diff(np.delete(size, at))).max() <= np.log10(2):
            off[at] = powers[at - 1]
    return np.where(_few(y, off, slice(None), counted), 0, off)


def _few(y: np.ndarray, level: np.ndarray, at: np.ndarray | slice, counted: bool) -> np.ndarray:
    """Mask of the values whose distance from what they would be, put right, is that of small counts."""
    fit = np.abs(y[at]) / 10.0**level
    small = np.abs(np.abs(y[at]) - fit) <= 6 * np.sqrt(np.maximum(np.abs(y[at]), fit))
    return small & (counted or (np.all(y == np.rint(y)) and np.abs(y).max() < 1000))


def _factors(y: np.ndarray, t: np.ndarray, what: str) -> list[Hit]:
    off, found = slipped(y, counted=what == "count"), []
    off = off if off.any() else bracketed(y, counted=what == "count")
    for first, last in _runs(off != 0):
        power, normal = off[first], y[off == 0]
        # A series that begins just before the fall has most of its values after it.
        fell = first if power == -1 else last + 1 if power == 1 and first == 0 else -1
        if 0 <= fell < len(t) and SHOCK[0] <= t[fell] < SHOCK[1]:
            continue
        word = PERCENT if abs(power) == 2 and what == "share" else coded("factor of {power}", power=10 ** abs(power))
        text = coded(
            "{y} where the other values run from {normal} to {normal_2}: {power}",
            y=_seen(y[first : last + 1]),
            normal=number(normal.min(), 5),
            normal_2=number(normal.max(), 5),
            power=slip(power),
        )
        found.append(Hit(word, first, last, y[first], text, IN_UNIT if word == PERCENT else CONFIRMED))
    return found


def slip(power: float) -> str:
    """Ask whether that many powers of ten slipped, in either direction."""
    if abs(power) == 2:
        return coded("a factor of 100 slipped, per cent against proportion?")
    return coded("a factor of {power} slipped?", power=10 ** abs(int(power)))


def _runs(mask: np.ndarray) -> list[tuple[int, int]]:
    if not mask.any():
        return []
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(int)))
    return [(int(a), int(b) - 1) for a, b in edges.reshape(-1, 2)]


def _seen(values: np.ndarray) -> str:
    shown = ", ".join(number(value, 6) for value in values[:4])
    return coded("{shown} and {n} more", shown=shown, n=len(values) - 4) if len(values) > 4 else shown


def _proportions(y: np.ndarray) -> list[Hit]:
    """Find a value among percentages that is written far more finely than all others and lies below 1."""
    small, found = np.flatnonzero((y != 0) & (np.abs(y) < 1)), []
    places = np.array([decimals(value) for value in y]) if len(small) else small
    for at in small:
        others = np.delete(y, at)
        if len(others) >= 3 and np.median(np.abs(others)) >= 2 and places[at] >= np.delete(places, at).max() + 2:
            seen, times = number(y[at], 6), number(100 * y[at], 4)
            text = coded(
                "{seen} among {others}; times 100 it would be {times}", seen=seen, others=_seen(others), times=times
            )
            found.append(Hit(PERCENT, at, at, y[at], text, IN_UNIT))
    return found


def _all_proportions(y: np.ndarray, unit: str, bounds: tuple[float, float]) -> list[Hit]:
    """Find a series of percentages that all lie below 1 and are written as finely as proportions are.

    Small percentages have one place behind the point, or two: three of them say that 5.2 % stands there as 0.052. Two
    are enough where the usual value would be 30 % or more.
    """
    known = np.abs(y[y != 0])
    if len(known) < 2 or known.max() >= 1 or not (unit.startswith("%") or bounds[1] == 100):
        return []
    places = max(decimals(value) for value in known)
    if places < 3 and not (places == 2 and np.median(known) >= 0.3):
        return []
    text = coded("all {n} values lie below 1 % and are written as proportions are: {seen}; times 100 they would run "
                 "from {low} to {high}", n=len(y), seen=_seen(y), low=number(100 * y.min(), 4),
                 high=number(100 * y.max(), 4))  # fmt: skip
    return [Hit(PERCENT, 0, len(y) - 1, float(y[-1]), text, coded("the shares are that small"))]


def _zeros(y: np.ndarray) -> list[Hit]:
    """Find zeros among values that keep well away from zero; those before the first value are passed over."""
    zero = y == 0
    begun = np.maximum.accumulate(~zero) & zero
    if begun.sum() < 3 or zero.all():
        return []
    values = np.abs(y[~zero])
    near = values.min() < max(0.3 * np.median(values), 2.9 * grain(y))
    if near or np.median(values) < (10 if np.all(y == np.rint(y)) else 5) * grain(y):
        return []
    at = np.flatnonzero(begun)
    least = number(values.min(), 5)
    text = coded("{zeros} of {n} values are zero, the others at least {least}: missing values?", zeros=len(at),
                 n=len(y), least=least)  # fmt: skip
    return [
        Hit(
            ZEROS,
            int(at[0]),
            int(at[-1]),
            0.0,
            text,
            coded("nothing happened then, or small values are rounded to zero"),
        )
    ]


def _placeholders(y: np.ndarray) -> list[Hit]:
    if len(y) == 3 and np.array_equal(y, [1.0, 2.0, 3.0]):
        return [Hit(PLACEHOLDER, 0, 2, y[0], coded("1, 2, 3: sample values?"), CONFIRMED)]
    if len(y) < LEAST or np.ptp(y) == 0:
        return []
    filler, found = (y[:, None] == PLACEHOLDERS).any(axis=1), []
    for at in np.flatnonzero(filler & ((y < 0) | (y >= 99))):
        others = y[~filler]
        if len(others) < 3:
            continue
        reach = max(np.ptp(others), 0.25 * np.abs(others).max())
        if y[at] > others.max() + reach or (y[at] < 0 <= others.min() and others.max() > 1):
            low, high = number(others.min(), 5), number(others.max(), 5)
            text = coded("{seen} among values from {low} to {high}", seen=number(y[at]), low=low, high=high)
            found.append(Hit(PLACEHOLDER, int(at), int(at), y[at], text, CONFIRMED))
    return found


def _flat(y: np.ndarray) -> list[Hit]:
    if len(y) < LEAST or y[0] == 0:
        return []
    if np.ptp(y) == 0:
        if y[0] in PLACEHOLDERS and abs(y[0]) != 9:
            text = coded(
                "all {y} values are {y_2}, which databases use where a value is missing", y=len(y), y_2=number(y[0])
            )
            return [
                Hit(
                    PLACEHOLDER, 0, len(y) - 1, y[0], text, coded("nothing changed, or the number stands for an answer")
                )
            ]
        if digits(y[0]) < 2 or (digits(y[0]) == 2 and len(y) < 6):
            return []  # few digits say little, and a full share of 100 stays full
        text = coded("all {y} values are {y_2}: a value carried on?", y=len(y), y_2=number(y[0], 6))
        return [Hit(FLAT, 0, len(y) - 1, y[0], text, coded("nothing changed"))]
    moves = np.abs(np.diff(y))
    if moves.all():
        return []
    usual = np.median(moves[moves > 0]) / grain(y)
    # How often chance would repeat a value exactly, if the series moved there as it usually does.
    runs = [
        (first, last + 1)
        for first, last in _runs(moves == 0)
        if len(y) * (2 * usual) ** -float(last - first + 1) < 0.002 and digits(y[first]) >= 3
    ]
    if not runs:
        return []
    first, last = max(runs, key=lambda run: run[1] - run[0])
    often = (
        coded(" It stands there {value} times in all.", value=(y == y[first]).sum())
        if (y == y[first]).sum() > last - first + 1
        else ""
    )
    text = coded(
        "{y} in {last} values running: a value carried on?{often}",
        y=number(y[first], 6),
        last=last - first + 1,
        often=often,
    )
    return [Hit(FLAT, first, last, y[first], text, coded("nothing changed, or it is the floor of an estimate"))]


def _apart(y: np.ndarray, t: np.ndarray, what: str) -> list[Hit]:
    """Find one value of a yearly series, or two in a row, far from neighbours that are alike."""
    if len(y) < 8 or (y <= 0).any() or what in ("change", "money", ""):
        return []
    size, n = np.log(y), len(y)
    least = max(np.log(1.25), 10 * np.median(np.abs(np.diff(size))), 0.02)
    for length in (1, 2):
        first = np.arange(1, n - length)
        last = first + length - 1
        sides = size[first - 1], size[last + 1]
        runs = np.stack([size[first], size[last]]) - (sides[0] + sides[1]) / 2
        away = np.abs(runs).min(axis=0)
        together = (np.abs(size[last] - size[first]) <= 0.2 * away) & (np.sign(runs[0]) == np.sign(runs[1]))
        hits = together & (np.abs(sides[1] - sides[0]) <= 0.1) & (away >= least)
        hits &= (t[first] >= SHOCK[1]) | (t[last] < SHOCK[0])
        if not hits.any():
            continue
        step = np.abs(y[first] - y[first - 1])
        hits &= step >= 5 * grain(y)
        if what == "count":
            hits &= step > 6 * np.sqrt(y[first - 1])
        for one, end in zip(first[hits].tolist(), last[hits].tolist(), strict=True):
            text = coded(
                "{y} between {y_2} and {y_3}",
                y=_seen(y[one : end + 1]),
                y_2=number(y[one - 1], 6),
                y_3=number(y[end + 1], 6),
            )
            return [
                Hit(
                    APART,
                    one,
                    end,
                    y[one],
                    text,
                    coded("{CONFIRMED}, such as another definition then", CONFIRMED=CONFIRMED),
                )
            ]
    return []


def _impossible(y: np.ndarray, bounds: tuple[float, float], most: float) -> list[Hit]:
    found = []
    if np.isfinite(most) and np.median(np.abs(y)) > most:
        text = coded(
            "{y}; no rate of this kind passes {most}: a total, or another unit?",
            y=number(np.median(y), 6),
            most=number(most, 6),
        )
        clear = coded("the figures are right, and the unit or the name is wrong")
        return [Hit(TOTAL_IN_RATE, 0, len(y) - 1, float(np.median(y)), text, clear)]
    for word, mask, bound in (
        (coded("{values}, below {bound}"), y < bounds[0], bounds[0]),
        (coded("{values}, above {bound}"), y > bounds[1], bounds[1]),
    ):
        for first, last in _runs(mask):
            text = word.format(values=_seen(y[first : last + 1]), bound=number(bound))
            clear = coded("the unit is a ratio that may pass its bound, or a net figure")
            found.append(Hit(RANGE, first, last, y[first], text, clear))
    return found


def series_hits(
    y: np.ndarray,
    t: np.ndarray | None = None,
    *,
    kind: str = "",
    unit: str = "",
    series: str = "",
    bounds: tuple[float, float] = (np.nan, np.nan),
    yearly: bool = True,
) -> list[Hit]:
    """Name what looks like a slip in one series.

    Parameters
    ----------
    y : array, shape (n,)
        Values in order of time, without NaN.
    t : array, shape (n,), optional
        Decimal years; left out, no value counts as one of the shock's years.
    kind, unit, series : str
        What is measured; see `measure`.
    bounds : (float, float)
        Possible range; NaN for no bound.
    yearly : bool
        Whether the values are yearly: only then a single value can be said to stand apart.

    Returns
    -------
    list of Hit
        Empty where nothing is suspicious. A suspicion is a question to the source, not a correction.
    """
    if not len(y):
        return []
    t = np.zeros(len(y)) if t is None else t
    what = measure(kind, unit, series)
    most = capacity(unit, series) if what in ("share", "rate", "change", "physical", "") else np.inf
    found = [*_placeholders(y), *_factors(y, t, what), *_zeros(y), *_flat(y)]
    found += _impossible(y, bounds, most)
    found += _proportions(y) if what in ("share", "change") else []
    found += _all_proportions(y, unit, bounds) if what == "share" else []
    return found + (_apart(y, t, what) if yearly else [])


def swapped(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the places at which two series (n,) would both run on smoothly if their values were exchanged.

    Exchanging must take away nine tenths of the distance to the means of the neighbours, and the two series must lie
    apart there by more than five times what their values are usually away from such means.
    """
    if len(first) < LEAST:
        return np.array([], dtype=int)
    means = [(y[:-2] + y[2:]) / 2 for y in (first, second)]
    away = np.abs(first[1:-1] - means[0]) + np.abs(second[1:-1] - means[1])
    turned = np.abs(second[1:-1] - means[0]) + np.abs(first[1:-1] - means[1])
    apart = np.abs(means[0] - means[1])
    return 1 + np.flatnonzero((turned < 0.1 * away) & (apart > 5 * np.median(np.minimum(away, turned))))
