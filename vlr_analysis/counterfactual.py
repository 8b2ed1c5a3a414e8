"""Where a series was heading before a shock: lines fitted to the points before it, and how far to trust them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from vlr_analysis import regression
from vlr_analysis.regression import Fit

LINE_LEAST, INTERVAL_LEAST = 5, 8  # yearly points for a line, and for an interval with a verdict
SEASONS_LEAST = 3  # full years for a seasonal line
DRAWS = 500
POINTS_A_YEAR = {"A": 1, "Q": 4, "M": 12, "W": 52, "D": 365}


@dataclass(frozen=True)
class Path:
    """Counterfactual of m series at k points in time.

    Attributes
    ----------
    centre : array, shape (m, k)
        Expected values, on the scale of the model.
    noise : array, shape (m, k)
        Variance of one observation about its expected value, on that scale.
    gradient : array, shape (m, k, p)
        Change of the expected value with each coefficient.
    model : (scale, lower, upper)
        Scale on which the line is straight.
    fit, design : Fit, array of shape (m, k, p)
        For simulation.
    floor : float
        Least possible value, where the interval is to stop there.
    """

    centre: np.ndarray
    noise: np.ndarray
    gradient: np.ndarray
    model: tuple[str, float, float]
    fit: Fit
    design: np.ndarray
    floor: float = -np.inf

    @property
    def mean(self) -> np.ndarray:
        """Expected values in the unit of the series, shape (m, k); on a log or logit scale the median."""
        return regression.from_scale(self.centre, *self.model)

    @property
    def se(self) -> np.ndarray:
        """Standard error of the prediction of one new observation, on the scale of the model, shape (m, k)."""
        line = np.einsum("mkp,mpq,mkq->mk", self.gradient, self.fit.covariance, self.gradient)
        return np.sqrt(line + self.noise)

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """Bounds for one new observation in the unit of the series, each (m, k); t with the degrees of the fit."""
        reach = special.stdtrit(self.fit.df, (1 + level) / 2) * self.se
        low, high = (regression.from_scale(self.centre + side * reach, *self.model) for side in (-1, 1))
        return np.maximum(low, self.floor), high

    def standing(self, y: np.ndarray) -> np.ndarray:
        """Return how far observations (m, k) lie above the counterfactual, in standard errors."""
        return _ratio(regression.to_scale(y, *self.model) - self.centre, self.se)

    def of_mean(self, last: int) -> Path:
        """Return the counterfactual of the mean of the last points, one column; their noise is AR(1)."""
        lags = np.abs(np.subtract.outer(np.arange(last), np.arange(last)))
        alike = (self.fit.phi[:, None, None] ** lags).mean(axis=(1, 2))
        noise = self.noise[:, -last:].mean(axis=1, keepdims=True) * alike[:, None]
        centre = self.centre[:, -last:].mean(axis=1, keepdims=True)
        gradient, design = (part[:, -last:].mean(axis=1, keepdims=True) for part in (self.gradient, self.design))
        return replace(self, centre=centre, noise=noise, gradient=gradient, design=design)


def columns(t: np.ndarray, centre: np.ndarray, freq: str) -> np.ndarray:
    """Return the design of the counterfactual: level, slope and, below the year, two harmonics of the season.

    A quarter of a year sees only half of the second harmonic.
    """
    design = [np.ones_like(t), t - centre[:, None]]
    if freq != "A":
        design += [np.cos(2 * np.pi * t), np.sin(2 * np.pi * t), np.sin(4 * np.pi * t)]
    if freq in ("M", "W", "D"):
        design.append(np.cos(4 * np.pi * t))
    return np.stack(design, axis=-1)


def enough(n: int, freq: str) -> bool:
    """Whether n points before the shock carry an interval and a verdict."""
    return n >= (INTERVAL_LEAST if freq == "A" else SEASONS_LEAST * POINTS_A_YEAR[freq])


def fit_path(
    t: np.ndarray,
    y: np.ndarray,
    t_new: np.ndarray,
    freq: str,
    model: tuple[str, float, float],
    *,
    correlated: bool = True,
) -> Path:
    """Fit the points before a shock and carry the line to `t_new`.

    Parameters
    ----------
    t, y : array, shape (m, n)
        Before the shock only; decimal years, values in the unit of the series, no NaN.
    t_new : array, shape (m, k)
    freq : str
        SDMX code; below A, two harmonics of the year are part of the line.
    model : (scale, lower, upper)
        Scale on which the line is straight.
    correlated : bool
        False for ordinary least squares with t(n - p), a labelled sensitivity: its interval is too narrow
        where neighbouring points resemble one another.

    Notes
    -----
    One Prais-Winsten step with the bias-corrected phi, see `regression.gls_ar1`; intervals use
    t(n - p - 1), one degree spent on phi.
    """
    centre = t.mean(axis=1)
    before = columns(t, centre, freq)
    ceiling, df = (0.9 if freq == "A" else 0.97, None) if correlated else (0.0, t.shape[1] - before.shape[-1])
    fit = regression.gls_ar1(before, regression.to_scale(y, *model), regression.steps(t), ceiling=ceiling, df=df)
    design = columns(t_new, centre, freq)
    centre = np.einsum("mkp,mp->mk", design, fit.coefficients)
    return Path(centre, np.broadcast_to(fit.sigma2[:, None], centre.shape), design, model, fit, design)


def step_test(
    t: np.ndarray, y: np.ndarray, after: np.ndarray, shock: float, freq: str, model: tuple[str, float, float]
) -> np.ndarray:
    """P-value, shape (m,), of a step at the shock in a segmented regression.

    Level, slope, season, step and change of slope, errors AR(1) by Prais-Winsten with
    phi = (n phi + p) / (n - p - 2). For monthly, weekly or quarterly series; a yearly one is too short.
    `t`, `y` are (m, n), `after` (n,) marks the points after the shock. Design of Lopez Bernal,
    Cummins and Gasparrini 2017, doi:10.1093/ije/dyw098.
    """
    design = columns(t, t.mean(axis=1), freq)
    later = np.broadcast_to(after.astype(float), t.shape)
    design = np.concatenate([design, np.stack([later, later * (t - shock)], axis=-1)], axis=-1)
    fit = regression.gls_ar1(design, regression.to_scale(y, *model), regression.steps(t), ceiling=0.97)
    place = design.shape[-1] - 2
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = fit.coefficients[:, place] / np.sqrt(fit.covariance[:, place, place])
    return 2 * special.stdtr(fit.df, -np.abs(statistic))


def outside_random_walk(t: np.ndarray, y: np.ndarray, t_new: np.ndarray, y_new: np.ndarray, model) -> np.ndarray:
    """Whether new observations (m, k) lie outside the 95 % interval of a random walk with drift."""
    walk = regression.random_walk_interval(t, regression.to_scale(y, *model), t_new)
    low, high = (regression.from_scale(bound, *model) for bound in walk[1:])
    return (y_new < low) | (y_new > high)


def simulated_loss(
    path: Path, y: np.ndarray, sign: np.ndarray, spacing: float, model, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval, two arrays (m,), of the loss sum(min(sign * (y - counterfactual), 0)) * spacing.

    Draws coefficients from their covariance (seeded) and takes the noise of the observations as it
    happened.
    """
    rng = np.random.default_rng(seed)
    root = np.linalg.cholesky(path.fit.covariance + 1e-300 * np.eye(path.design.shape[-1]))
    noise = rng.standard_normal((DRAWS, path.design.shape[-1])) * np.sqrt(
        path.fit.df / rng.chisquare(path.fit.df, (DRAWS, 1))
    )
    low, high = np.empty(len(y)), np.empty(len(y))
    for row in range(len(y)):
        draws = path.fit.coefficients[row] + noise @ root[row].T
        line = regression.from_scale(draws @ path.design[row].T, *model)
        loss = np.minimum(sign[row] * (y[row] - line), 0).sum(axis=1) * spacing
        low[row], high[row] = np.quantile(loss, [0.025, 0.975])
    return low, high


def placebo_gaps(t: np.ndarray, y: np.ndarray, window: int, model) -> tuple[np.ndarray, np.ndarray]:
    """Gaps one year ahead at every earlier year with at least five points before it, in standard errors.

    Returns
    -------
    places : array, shape (q,)
        Columns of `t` that were predicted.
    gaps : array, shape (m, q)
        (observed - predicted) / standard error, on the scale of the model.
    """
    z = regression.to_scale(y, *model)
    places = np.arange(LINE_LEAST, t.shape[1])
    gaps = np.empty((len(t), len(places)))
    for column, place in enumerate(places):
        begin = max(0, place - window)
        mean, _, _, se = regression.line_interval(t[:, begin:place], z[:, begin:place], t[:, [place]])
        gaps[:, column] = _ratio(z[:, place] - mean[:, 0], se[:, 0])
    return places, gaps


def _ratio(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def quasi_poisson(y: np.ndarray, design: np.ndarray, population: np.ndarray | None = None):
    """Fit counts (n,) on a design (n, p): log link, dispersion from Pearson's chi-square, population (n,) as offset.

    Returns the result of statsmodels' `GLM`. Wedderburn 1974, doi:10.1093/biomet/61.3.439.
    """
    # Slow to import, and few series need it; `statsmodels.api` would take half a second more.
    from statsmodels.genmod.families import Poisson
    from statsmodels.genmod.generalized_linear_model import GLM

    offset = None if population is None else np.log(population)
    return GLM(y, design, family=Poisson(), offset=offset).fit(scale="X2")


def count_shock(y: np.ndarray, t: np.ndarray, after: np.ndarray, freq: str, population: np.ndarray | None = None):
    """Rate ratio of a step in counts at the shock: quasi-Poisson with season and trend.

    Parameters
    ----------
    y, t : array, shape (n,)
        Counts, zero or more, and decimal years.
    after : array of bool, shape (n,)
    freq : str
    population : array, shape (n,), optional
        Denominator; enters as a log offset.

    Returns
    -------
    ratio, low, high, p, dispersion : float

    Notes
    -----
    Wedderburn 1974, doi:10.1093/biomet/61.3.439.
    """
    design = columns(t[None], t[None].mean(axis=1), freq)[0]
    found = quasi_poisson(y, np.column_stack([design, after.astype(float)]), population)
    low, high = found.conf_int()[-1]
    ratio = np.exp([found.params[-1], low, high])
    return float(ratio[0]), float(ratio[1]), float(ratio[2]), float(found.pvalues[-1]), float(found.scale)


def count_path(t: np.ndarray, y: np.ndarray, t_new: np.ndarray, freq: str, populations=None) -> Path:
    """Counterfactual of counts that may be zero: quasi-Poisson with season and trend, series by series.

    Parameters
    ----------
    t, y, t_new, freq
        As in `fit_path`.
    populations : pair of arrays, shapes (m, n) and (m, k), optional
        Denominators before the shock and at `t_new`; they enter as a log offset.

    Returns
    -------
    Path
        The interval is for one new count: variance dispersion x mean, and that of the line.

    Notes
    -----
    No correlation between neighbours is modelled; strictly positive counts take `fit_path` on the log scale.
    """
    centre = t.mean(axis=1)
    before, ahead = columns(t, centre, freq), columns(t_new, centre, freq)
    m, p = len(t), before.shape[-1]
    coefficients, covariance, scale = np.empty((m, p)), np.empty((m, p, p)), np.empty(m)
    for row in range(m):
        found = quasi_poisson(y[row], before[row], None if populations is None else populations[0][row])
        coefficients[row], covariance[row], scale[row] = found.params, found.cov_params(), found.scale
    fit = Fit(coefficients, covariance, scale, np.zeros(m), y.shape[1] - p)
    mean = np.exp(np.einsum("mkp,mp->mk", ahead, coefficients))
    if populations is not None:
        mean = mean * populations[1]
    model = ("identity", 0.0, np.inf)
    return Path(mean, scale[:, None] * mean, mean[..., None] * ahead, model, fit, ahead, floor=0.0)
