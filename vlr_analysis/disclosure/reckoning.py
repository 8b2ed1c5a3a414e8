"""How far a reader can narrow hidden cells down, and what to hide with them."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from vlr_analysis.disclosure.sums import EPS, Sheet

# Factor by which a stand-in for "no bound" passes all that is known, and the share of it that is still read as none.
_REACH, _FAR = 10, 0.9
_MANY = 40  # unknown cells that hang together, beyond which totals that turn out not to be needed stay hidden
# Without presolve a programme of a few cells takes half the time.
_SOLVER = {"method": "highs", "options": {"presolve": False}}
_SCATTERED = 3  # pairs of programmes that look at many cells at once, before each is looked at


class Puzzle:
    """The cells of a sheet as a reader sees them: some known, the rest bound by equations.

    Attributes
    ----------
    row : array, row in the table, -1 for cells that are only reckoned with
    people : array, people per unit of the value
    """

    def __init__(self, sheet: Sheet, threshold: int):
        self.threshold, self.equations = threshold, sheet.equations
        self.is_count, self.whole = sheet.is_count, sheet.whole
        names = ("value", "row", "known", "movable", "guard", "people", "kind")
        columns = (np.array([getattr(cell, name) for cell in sheet.cells]) for name in names)
        self.value, self.row, self.known, self.movable, self.guard, self.people, kind = columns
        self.kind = kind.astype(object)
        n = len(self.row)
        self.low, self.high = np.full(n, sheet.floor), np.where(self.row >= 0, sheet.top, np.inf)
        with np.errstate(divide="ignore"):
            need = np.minimum(threshold / self.people, sheet.top / 2)
            self._unit = np.where(np.isnan(self.people), 1.0, 1 / self.people)  # one person, in the unit of the value
        self.need = np.where(np.isnan(need), 0.0, need)
        self._safe, self._lost = np.zeros((2, 2, n), dtype=bool)  # as to the figures, as to the log
        none = np.array([], dtype=int)
        self._cell = np.concatenate([none, *(equation.cells for equation in self.equations)])
        self._at = np.repeat(np.arange(len(self.equations)), [len(equation.cells) for equation in self.equations])
        self.of: list[list[int]] = [[] for _ in range(n)]  # equations of each cell
        for at, cell in zip(self._at.tolist(), self._cell.tolist(), strict=True):
            self.of[cell].append(at)
        part, total = np.zeros((2, n), dtype=bool)
        part[np.concatenate([none, *(equation.cells[1:] for equation in self.equations)])] = True
        total[[equation.cells[0] for equation in self.equations]] = True
        self.level = np.where(total, np.where(part, 1, 2), 0)  # a part only, a total within others, a grand total

    # --- what a reader can reckon

    def components(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return unknown cells that hang together, with their equations; only where one is to be guarded."""
        n, m = len(self.row), len(self.equations)
        free = ~self.known[self._cell]
        ends = (self._cell[free], n + self._at[free])
        graph = coo_matrix((np.ones(len(ends[0])), ends), shape=(n + m, n + m))
        labels = connected_components(graph, directed=False)[1]
        order, wanted = np.argsort(labels, kind="stable"), np.unique(labels[:n][self.guard])
        starts, stops = (np.searchsorted(labels[order], wanted, side) for side in ("left", "right"))
        groups = [np.sort(order[start:stop]) for start, stop in zip(starts, stops, strict=True)]
        return [(group[group < n], group[group >= n] - n) for group in groups]

    def all_ranges(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the exact range (n,), (n,) of every guarded cell; known cells have their value twice."""
        low, high = np.where(self.known, self.value, self.low), np.where(self.known, self.value, self.high)
        for cells, equations in self.components():
            need = np.where(self.guard[cells], np.inf, np.nan)
            guarded = cells[self.guard[cells]]
            found = self._narrow(cells, equations, need, *self._bounds(cells, False))
            low[guarded], high[guarded] = (end[self.guard[cells]] for end in found)
        return low, high

    def _narrow(self, cells, equations, need, low, high) -> tuple[np.ndarray, np.ndarray]:
        """Return ranges of cells that hang together, within bounds; exact where narrower than `need`.

        Cells whose need is NaN are not looked at, the first that falls short of a finite need ends the search; what was
        not looked at has no range, NaN.
        """
        matrix, right = self._system(cells, equations)
        if len(equations) > 1:
            bounds, start, right = _bounded(matrix, right, low, high, self.value[cells])
            found = _ranges(_Solutions(matrix, right, bounds, start), need, int(self.whole))
            low, high = (
                np.where(np.isinf(end) & (np.abs(to) > _FAR * np.abs(stand)), end, to)
                for end, to, stand in zip((low, high), found, bounds.T, strict=True)
            )
        elif len(equations):
            low, high = _alone(matrix[0], right[0], low, high)
        if self.whole:
            small = EPS * (1 + np.where(np.isfinite(high), np.abs(high), 0))
            low, high = np.ceil(low - small) + 0.0, np.floor(high + small)  # + 0.0: no minus zero
        high = np.maximum(low, high)
        return np.where(np.isnan(need), np.nan, low), np.where(np.isnan(need), np.nan, high)

    def _system(self, cells: np.ndarray, equations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        at = np.full(len(self.row), -1)
        at[cells] = np.arange(len(cells))
        matrix, right = np.zeros((len(equations), len(cells))), np.zeros(len(equations))
        for line, number in enumerate(equations):
            equation = self.equations[number]
            known = self.known[equation.cells]
            matrix[line, at[equation.cells[~known]]] = equation.factors[~known]
            right[line] = equation.right - equation.factors[known] @ self.value[equation.cells[known]]
        return matrix, right

    # --- what must be hidden with it

    def shield(self) -> tuple[dict[int, str], list[int]]:
        """Hide partners until guarded cells are safe; return partners with words, and cells that still are not."""
        partners, passed, again = {}, set(), True
        while again:
            again, changed = False, set()
            for cells, equations in self.components():
                mark = cells.tobytes()
                if mark in passed:
                    continue
                again = True
                if not changed.isdisjoint(equations.tolist()):
                    continue  # a partner of others joined this one
                partner, words = self._remedy(cells, equations)
                if partner is None:
                    passed.add(mark)
                else:
                    self._cover(partner, True)
                    partners[partner] = words
                    changed.update(self.of[partner])
        for cell in [cell for cell in partners if self.level[cell] or self.value[cell] == 0]:
            if self._can_be_shown(cell):
                del partners[cell]
        return partners, self._still_weak()

    def _remedy(self, cells: np.ndarray, equations: np.ndarray) -> tuple[int | None, str]:
        """Return what to hide next, and in which sum; None where all is safe, or nothing more can be done."""
        for told in (False, True) if self.threshold > 2 else (False,):
            while (cell := self._weak(cells, equations, told)) is not None:
                partner, words = self._partner(cell, cells, equations, told)
                if partner is not None:
                    return partner, words
                self._lost[int(told), cell] = True
        return None, ""

    def _weak(self, cells: np.ndarray, equations: np.ndarray, told: bool) -> int | None:
        """Return a guarded cell that can be narrowed down too far, also by what the log tells.

        Cells found safe are not looked at again: the more is hidden, the wider is every range.
        """
        watch = self.guard[cells] & ~self._lost[int(told), cells] & ~self._safe[int(told), cells]
        if told:
            watch &= self.kind[cells] == "primary"
        if not watch.any():
            return None
        need = np.where(watch, self._unit[cells] if told else self.need[cells], np.nan)
        low, high = self._narrow(cells, equations, need, *self._bounds(cells, told))
        short = high - low < need - EPS  # False where not looked at
        self._safe[int(told), cells[watch & ~short & ~np.isnan(low)]] = True
        return int(cells[short][0]) if short.any() else None

    def _bounds(self, cells: np.ndarray, told: bool) -> tuple[np.ndarray, np.ndarray]:
        """Return the bounds of cells, also for whoever sees in the log which are small and which are not.

        The log must leave two numbers. Small parts of a small total may have no choice, as in 1 + 1 = 2.
        """
        low, high = self.low[cells], self.high[cells]
        if not told:
            return low, high
        value, unit, threshold = self.value[cells], self._unit[cells], self.threshold * self._unit[cells]
        small = (self.kind[cells] == "primary") & self.guard[cells]
        large = (self.kind[cells] == "complementary") & (value >= threshold)
        low = np.where(small, np.minimum(unit, value), np.where(large, threshold, low))
        return low, np.where(small, np.maximum(threshold - unit, value), high)

    def _still_weak(self) -> list[int]:
        """Return the cells that were given up and that no later partner made safe."""
        self._safe[0], self._lost[0] = ~self._lost[0], False
        found = []
        for cells, equations in self.components():
            while (cell := self._weak(cells, equations, False)) is not None:
                found.append(cell)
                self._lost[0, cell] = True
        return found

    def _cover(self, cell: int, hidden: bool) -> None:
        self.known[cell], self.movable[cell], self.guard[cell] = not hidden, not hidden, hidden
        self.kind[cell] = "complementary" if hidden else ""

    def _can_be_shown(self, cell: int) -> bool:
        """Show a hidden cell again, and hide it again where something hangs on it."""
        safe, near = self._safe.copy(), set(self.of[cell])
        self._cover(cell, False)
        for cells, equations in self.components():
            if not near.isdisjoint(equations.tolist()):
                self._safe[:, cells] = False
                tells = (False, True) if self.threshold > 2 else (False,)
                if len(cells) > _MANY or any(self._weak(cells, equations, told) is not None for told in tells):
                    self._cover(cell, True)
                    self._safe = safe
                    return False
        return True

    def _partner(self, cell: int, cells, equations, told: bool) -> tuple[int | None, str]:
        """Choose what to hide with a cell: what would set it free, else the rest of its sums."""
        matrix, right = self._system(cells, equations)
        at = int(np.flatnonzero(cells == cell)[0])
        prices = _prices(matrix, right, *self._bounds(cells, told), self.value[cells], at)
        gains, words = {}, {}
        for number, price in zip(equations.tolist(), prices.T, strict=True):
            equation = self.equations[number]
            for other, factor in zip(equation.cells.tolist(), equation.factors.tolist(), strict=True):
                if self.movable[other]:
                    gains[other] = gains.get(other, 0.0) + price * factor
                    words.setdefault(other, equation.words)
        near = set() if told else {other for number in self.of[cell] for other in self.equations[number].cells.tolist()}
        ranks = {other: self._rank(other, gain, cell) for other, gain in gains.items()}
        choices = [other for other, rank in ranks.items() if not rank[0] or other in near]
        choice = min(choices, key=ranks.get, default=None)
        return choice, words.get(choice, "")

    def _rank(self, cell: int, gain: np.ndarray, weak: int) -> tuple:
        """Order of choice: what helps, the smallest part that is enough, else a zero, a total, the grand total."""
        helps = bool(((gain > EPS) | ((gain < -EPS) & (self.value[cell] > 0))).any())
        size = abs(self.value[cell]) * self.people[cell]
        small = size < self.need[weak] * self.people[weak]
        alone = sum(bool(self.known[self.equations[other].cells].all()) for other in self.of[cell])
        return (not helps, self.level[cell], size == 0, small, alone, size, cell)


def _alone(factors, right, low, high) -> tuple[np.ndarray, np.ndarray]:
    """Range of each cell of one equation, the others anywhere within their bounds."""
    least, most = np.minimum(factors * low, factors * high), np.maximum(factors * low, factors * high)
    lows, highs = low.astype(float), high.astype(float)
    for at, factor in enumerate(factors):
        rest = np.arange(len(factors)) != at
        ends = (right - most[rest].sum()) / factor, (right - least[rest].sum()) / factor
        lows[at], highs[at] = max(low[at], min(ends)), min(high[at], max(ends))
    return lows, np.maximum(lows, highs)


def _ranges(solutions: _Solutions, need: np.ndarray, spare: int) -> tuple[np.ndarray, np.ndarray]:
    """Range of each cell of several equations, by linear programmes that stop where it is wide enough.

    `spare` is what rounding of the ends may take away again.
    """
    looked = np.zeros(len(need), dtype=bool)
    single = solutions.single() & np.isfinite(need)
    if single.any():  # one unknown in a sum: no need to look further
        looked[np.argmax(single)] = True
        start = np.where(looked, solutions.start, np.nan)
        return start, start
    solutions.scatter(need + spare)
    for at in np.flatnonzero(~np.isnan(need)):
        for sign in (-1.0, 1.0):
            if solutions.width[at] < need[at] + spare:
                solutions.add(sign * (np.arange(len(need)) == at))
        looked[at] = True
        if solutions.width[at] < need[at] - EPS and np.isfinite(need[at]):
            break
    return np.where(looked, solutions.lows, np.nan), np.where(looked, solutions.highs, np.nan)


class _Solutions:
    """What the solutions of some equations within bounds span, as far as they were looked for."""

    def __init__(self, matrix, right, bounds, start):
        self._matrix, self._given = matrix, {"A_eq": matrix, "b_eq": right, "bounds": bounds, **_SOLVER}
        self.start = start
        self.lows, self.highs = start.copy(), start.copy()

    @property
    def width(self) -> np.ndarray:
        return self.highs - self.lows

    def single(self) -> np.ndarray:
        """Return which cells (k,) are the only unknown one of an equation."""
        there = self._matrix != 0
        return there[there.sum(axis=1) == 1].any(axis=0)

    def add(self, aim: np.ndarray) -> None:
        """Look for the solution that is lowest in the direction of an aim."""
        done = linprog(aim, **self._given)
        if done.status == 0:
            self.lows, self.highs = np.minimum(self.lows, done.x), np.maximum(self.highs, done.x)

    def scatter(self, need: np.ndarray) -> None:
        """Look in a few directions at once for cells whose range is still short of a finite need."""
        signs = np.random.default_rng(0).choice((-1.0, 1.0), size=(_SCATTERED, len(need)))
        for aim in (*signs, *-signs):
            short = np.isfinite(need) & (self.width < need)
            if short.sum() > _SCATTERED:
                self.add(aim * short)


def _prices(matrix, right, low, high, start, at) -> np.ndarray:
    """Return (2, equations): how the lowest and the highest value of one cell move with each right side."""
    if len(matrix) == 1:
        return np.array([[1.0], [-1.0]])
    bounds, start, right = _bounded(matrix, right, low, high, start)
    aims = np.zeros((2, len(low)))
    aims[:, at] = 1.0, -1.0
    done = [linprog(aim, A_eq=matrix, b_eq=right, bounds=bounds, **_SOLVER) for aim in aims]
    return np.array([found.eqlin.marginals if found.status == 0 else np.zeros(len(right)) for found in done])


def _bounded(matrix, right, low, high, start) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return finite bounds, a solution, and right sides, moved as little as possible where rounding leaves none."""
    reach = 1e3 + _REACH * (np.abs(right).sum() + np.nansum(np.abs(start)))
    bounds = np.column_stack([np.maximum(low, -reach), np.minimum(high, reach)])
    if not np.isnan(start).any():
        return bounds, start, right
    lines, n = matrix.shape
    slack = np.hstack([matrix, np.eye(lines), -np.eye(lines)])
    price = np.concatenate([np.zeros(n), np.ones(2 * lines)])
    limits = np.vstack([bounds, np.tile([0.0, np.inf], (2 * lines, 1))])
    done = linprog(price, A_eq=slack, b_eq=right, bounds=limits, **_SOLVER)
    return bounds, done.x[:n], matrix @ done.x[:n]
