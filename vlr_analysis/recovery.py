"""Recovery measures on gaps: depth, loss, rebound, and when a series was back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recovery:
    """Measures of m series over the k points after a shock; every field has shape (m,).

    Attributes
    ----------
    trough : array of int
        Column of the deepest gap.
    depth : array
        Deepest gap, in the unit; negative where the series fell behind.
    loss : array
        Sum of the negative gaps times the spacing, unit x years.
    rebound : array
        Share of the depth made up at the last point; NaN where the gap never was negative.
    back : array of int
        First column after the trough with a gap of zero or more; -1 where none is: censored at the
        last point, neither zero nor missing.
    """

    trough: np.ndarray
    depth: np.ndarray
    loss: np.ndarray
    rebound: np.ndarray
    back: np.ndarray


def measures(gaps: np.ndarray, spacing: float) -> Recovery:
    """Measure signed gaps g = d (y - counterfactual), shape (m, k), d = +1 where more is better, else -1.

    Parameters
    ----------
    gaps : array, shape (m, k)
        One column a point after the shock, in order; no NaN.
    spacing : float
        Years between points.
    """
    rows = np.arange(len(gaps))
    trough = gaps.argmin(axis=1)
    depth = gaps[rows, trough]
    last = gaps[:, -1]
    rebound = np.divide(last - depth, -depth, out=np.full(len(gaps), np.nan), where=depth < 0)
    later = (np.arange(gaps.shape[1]) > trough[:, None]) & (gaps >= 0)
    back = np.where(later.any(axis=1), later.argmax(axis=1), -1)
    return Recovery(trough, depth, np.minimum(gaps, 0).sum(axis=1) * spacing, rebound, back)
