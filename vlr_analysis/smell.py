"""The smell test: figures that look like slips, what would explain each, and what would make it innocent."""

from __future__ import annotations

import numpy as np

# A ratio this close to a power of ten is suspicious; measured on logarithms to base ten.
NEAR = 0.04
POWERS = (10.0, 100.0, 1000.0)
PLACEHOLDERS = (-1.0, -9.0, -99.0, -999.0, 9.0, 99.0, 999.0, 9999.0, 99999.0)
LEAST = 4


def power_of_ten(ratio: np.ndarray) -> np.ndarray:
    """Return the power of ten that ratios (any shape) lie next to: 10, 100, 1000, or their inverse; else NaN."""
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.log10(np.abs(np.asarray(ratio, dtype=float)))
    nearest = np.rint(size)
    hit = (np.abs(size - nearest) <= NEAR) & (np.abs(nearest) >= 1) & (np.abs(nearest) <= len(POWERS))
    return np.where(hit, 10.0 ** np.where(hit, nearest, 0), np.nan)


def series_smells(y: np.ndarray) -> list[str]:
    """Name what looks like a slip in one series.

    Parameters
    ----------
    y : array, shape (n,)
        Values in order of time, without NaN.

    Returns
    -------
    list of str
        One text a suspicion: a value repeated throughout (a placeholder, where it is one that databases use), a run of
        zeros among other values, single values 10, 100 or 1000 times their neighbours. Empty where
        nothing is suspicious. A suspicion is a question to the source, not a correction.
    """
    found = []
    if len(y) >= LEAST and np.ptp(y) == 0 and y[0] != 0:
        kind = "a placeholder" if y[0] in PLACEHOLDERS else "a value carried on"
        found.append(f"all {len(y)} values are {y[0]:g}: {kind}? Innocent if nothing changed")
    zeros = y == 0
    if zeros.sum() >= 3 and not zeros.all() and np.abs(y[~zeros]).min() > 1:
        found.append(f"{zeros.sum()} of {len(y)} values are zero: missing values? Innocent if nothing happened then")
    if len(y) >= 3:
        middle, sides = y[1:-1], (y[:-2] + y[2:]) / 2
        alike = np.abs(y[:-2] - y[2:]) < 0.5 * np.abs(sides)
        with np.errstate(divide="ignore", invalid="ignore"):
            powers = np.where(alike, power_of_ten(middle / sides), np.nan)
        found += [
            f"{middle[place]:g} stands between {y[place]:g} and {y[place + 2]:g}: {_slip(powers[place])}"
            for place in np.flatnonzero(np.isfinite(powers))
        ]
    return found


def pair_smell(own: np.ndarray, other: np.ndarray) -> str:
    """Name what looks like a slip between two series of the same measure.

    Parameters
    ----------
    own, other : array, shape (n,)
        Values at the same periods, without NaN.

    Returns
    -------
    str
        The suspicion, or an empty text: the ratio stays next to 10, 100 or 1000, the other series is a thousand
        times larger or more (a total where a rate should stand), or single values seem to have changed places.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = other / own
    ratios = ratios[np.isfinite(ratios) & (ratios != 0)]
    if not len(ratios):
        return ""
    usual = float(np.median(ratios))
    power = float(power_of_ten(np.array(usual)))
    if np.isfinite(power):
        return f"the other series is about {usual:.3g} times this one: {_slip(power)}"
    if abs(np.log10(abs(usual))) > 3:
        return f"the other series is {usual:.3g} times this one: a total where a rate should stand?"
    places = swapped(own, other)
    if len(places):
        pairs = ", ".join(f"{own[place]:g} and {other[place]:g}" for place in places)
        return f"{pairs} seem to have changed places: columns swapped? Innocent if the source confirms them"
    return ""


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


def _slip(power: float) -> str:
    times = power if power > 1 else 1 / power
    if times == 100:
        return "per cent against proportion? Innocent if both are in the unit that is stated"
    return f"a factor of {times:g} slipped? Innocent if the source confirms it"
