"""Straight lines through short series with correlated errors, and their prediction intervals; many series at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special


@dataclass(frozen=True)
class Fit:
    """A GLS fit with AR(1) errors to each of m series.

    Attributes
    ----------
    coefficients : array, shape (m, p)
    covariance : array, shape (m, p, p)
    sigma2 : array, shape (m,)
        Variance of one observation about the line (stationary, not of the innovations).
    phi : array, shape (m,)
        Correlation of errors one usual step apart.
    df : int
        Degrees of freedom for intervals.
    """

    coefficients: np.ndarray
    covariance: np.ndarray
    sigma2: np.ndarray
    phi: np.ndarray
    df: int

    def predict(self, design: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard error of a new observation, both (m, k), for a design of shape (m, k, p) or (k, p).

        The error of the new observation is taken as independent of the last residual: carrying it
        over narrows the interval and under-covers where phi is estimated from few points.
        """
        design = np.broadcast_to(design, (len(self.phi), *design.shape[-2:]))
        mean = np.einsum("mkp,mp->mk", design, self.coefficients)
        spread = np.einsum("mkp,mpq,mkq->mk", design, self.covariance, design)
        return mean, np.sqrt(spread + self.sigma2[:, None])


def ar1_phi(residuals: np.ndarray, parameters: int, ceiling: float) -> np.ndarray:
    """Lag-1 correlation of residuals, shape (m, n), corrected for its bias towards minus 1/n.

    phi_bc = clip((n phi + p) / (n - p - 2), 0, ceiling) for p fitted parameters; a series without
    any residual, or with n <= p + 2 points, gives 0.
    """
    n = residuals.shape[1]
    if n <= parameters + 2:
        return np.zeros(len(residuals))
    total = (residuals**2).sum(axis=1)
    lagged = (residuals[:, 1:] * residuals[:, :-1]).sum(axis=1)
    raw = np.divide(lagged, total, out=np.zeros_like(total), where=total > 0)
    return np.clip((n * raw + parameters) / (n - parameters - 2), 0.0, ceiling)


def whiten(values: np.ndarray, phi: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """Prais-Winsten transformation of (m, n) or (m, n, p) values whose points lie `gaps` steps apart, shape (m, n-1).

    Errors `g` steps apart correlate as phi**g, so that skipped years count as time that passed;
    at even spacing this is the usual transformation, scaled to unit variance.
    """
    r = phi[:, None] ** gaps
    scale = np.sqrt(1 - r**2)
    if values.ndim == 3:
        r, scale = r[..., None], scale[..., None]
    return np.concatenate([values[:, :1], (values[:, 1:] - r * values[:, :-1]) / scale], axis=1)


def gls_ar1(design: np.ndarray, y: np.ndarray, gaps: np.ndarray, *, ceiling: float = 0.9, df: int | None = None) -> Fit:
    """Fit y = X b by generalised least squares with AR(1) errors (one Prais-Winsten step, closed form).

    Parameters
    ----------
    design : array, shape (m, n, p)
    y : array, shape (m, n)
        Without NaN.
    gaps : array, shape (m, n-1)
        Distances between neighbouring points, in usual steps.
    ceiling : float
        Largest phi that is allowed.
    df : int, optional
        Degrees of freedom; n - p - 1 if left out, one being spent on phi.

    Notes
    -----
    phi comes from ordinary least squares residuals, corrected for bias; no iteration, so that two
    machines agree. Prais and Winsten 1954 (Cowles Commission Discussion Paper 383).
    """
    n, p = design.shape[1:]
    ordinary = _solve(design, y)
    residuals = y - np.einsum("mnp,mp->mn", design, ordinary)
    # Residuals that are only rounding noise carry no correlation.
    residuals[np.abs(residuals) < 1e-12 * np.abs(y).max(axis=1, initial=1e-300, keepdims=True)] = 0
    phi = ar1_phi(residuals, p, ceiling)
    x_white, y_white = whiten(design, phi, gaps), whiten(y, phi, gaps)
    coefficients = _solve(x_white, y_white)
    left = y_white - np.einsum("mnp,mp->mn", x_white, coefficients)
    sigma2 = (left**2).sum(axis=1) / (n - p)
    covariance = np.linalg.inv(np.swapaxes(x_white, 1, 2) @ x_white) * sigma2[:, None, None]
    return Fit(coefficients, covariance, sigma2, phi, n - p - 1 if df is None else df)


def _solve(design: np.ndarray, y: np.ndarray) -> np.ndarray:
    q, r = np.linalg.qr(design)
    return np.linalg.solve(r, np.einsum("mnp,mn->mp", q, y)[..., None])[..., 0]


# --- the straight line ----------------------------------------------------------------------------


def line_design(t: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the columns 1 and t - centre, shape (m, n, 2)."""
    return np.stack([np.ones_like(t), t - centre[:, None]], axis=-1)


def steps(t: np.ndarray) -> np.ndarray:
    """Return the gaps between points, shape (m, n-1), in units of each series' usual (median) gap."""
    gaps = np.diff(t, axis=1)
    return gaps / np.median(gaps, axis=1, keepdims=True)


def line_interval(t: np.ndarray, y: np.ndarray, t_new: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, ...]:
    """Straight line by GLS AR(1), carried to `t_new`.

    Parameters
    ----------
    t, y : array, shape (m, n)
        Decimal years and values, n >= 5, without NaN.
    t_new : array, shape (m, k)
    level : float
        Coverage of the interval for one new observation.

    Returns
    -------
    mean, low, high, se : arrays, shape (m, k)
        The interval uses t(n - 3).
    """
    centre = t.mean(axis=1)
    fit = gls_ar1(line_design(t, centre), y, steps(t))
    mean, se = fit.predict(line_design(t_new, centre))
    reach = special.stdtrit(fit.df, (1 + level) / 2) * se
    return mean, mean - reach, mean + reach, se


def random_walk_interval(
    t: np.ndarray, y: np.ndarray, t_new: np.ndarray, level: float = 0.95
) -> tuple[np.ndarray, ...]:
    """Random walk with drift from the last point: mean, low, high, each (m, k).

    The drift is the mean change; after h steps the variance is s2 * (h + h**2 / steps seen), with
    s2 from the n - 1 changes and t(n - 2).
    """
    gaps = steps(t)
    unit = np.median(np.diff(t, axis=1), axis=1, keepdims=True)
    seen = gaps.sum(axis=1, keepdims=True)
    drift = (y[:, -1:] - y[:, :1]) / seen
    left = (np.diff(y, axis=1) - drift * gaps) / np.sqrt(gaps)
    df = y.shape[1] - 2
    s2 = (left**2).sum(axis=1, keepdims=True) / df
    ahead = (t_new - t[:, -1:]) / unit
    mean = y[:, -1:] + drift * ahead
    reach = special.stdtrit(df, (1 + level) / 2) * np.sqrt(s2 * (ahead + ahead**2 / seen))
    return mean, mean - reach, mean + reach


# --- scales ---------------------------------------------------------------------------------------


def fits_scale(y: np.ndarray, scale: str, lower: float, upper: float) -> np.ndarray:
    """Return, for each series (m, n), whether every value lies strictly inside what the scale can hold."""
    if scale == "log":
        return (y > (lower if np.isfinite(lower) else 0.0)).all(axis=1)
    if scale == "logit":
        return ((y > lower) & (y < upper)).all(axis=1)
    return np.ones(len(y), dtype=bool)


def to_scale(y: np.ndarray, scale: str, lower: float, upper: float) -> np.ndarray:
    """Map values to the scale on which a straight line stays possible: identity, log or logit."""
    if scale == "log":
        return np.log(y - (lower if np.isfinite(lower) else 0.0))
    if scale == "logit":
        return np.log((y - lower) / (upper - y))
    return y


def from_scale(z: np.ndarray, scale: str, lower: float, upper: float) -> np.ndarray:
    """Undo `to_scale`. A mean on the log or logit scale comes back as the median on the scale of the unit."""
    if scale == "log":
        return np.exp(np.minimum(z, 700.0)) + (lower if np.isfinite(lower) else 0.0)
    if scale == "logit":
        return lower + (upper - lower) / (1 + np.exp(-np.clip(z, -700, 700)))
    return z
