"""The cells of one measure, and which of them add up to which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from vlr_analysis.periods import parse_period

# Parts make up their total where they miss it by no more than this number, or this share of it.
TOLERANCE = (0.5, 0.005)
EPS = 1e-6


def same(old: float, new: float) -> bool:
    """Return whether two numbers are one number, written by two machines."""
    return bool(np.isclose(old, new, rtol=1e-9, atol=1e-9))


@dataclass
class Cell:
    """A number that is published, hidden, known from before, or only reckoned with (no row, not known)."""

    key: tuple[str, str, str] | None = None  # area, period, breakdown
    value: float = np.nan
    row: int = -1
    known: bool = False  # to a reader
    movable: bool = False  # may be hidden as a partner
    guard: bool = False  # must not be narrowed down
    people: float = np.nan  # per unit of the value
    kind: str = ""

    @property
    def unread(self) -> bool:
        """Whether no table holds it."""
        return self.row < 0 and not self.known


class Sum(NamedTuple):
    """Cells that may make up another."""

    total: int
    parts: list[int]
    structure: tuple  # kind of sum, what runs over the parts, what the totals are told apart by
    words: str
    complete: bool = True


class Equation(NamedTuple):
    """Factors times cells, the total first, are `right`."""

    cells: np.ndarray
    factors: np.ndarray
    right: float
    words: str


class Form(NamedTuple):
    """How parts make up a total: as a sum, without some, too short of it, as a mean, or not at all."""

    name: str
    without: frozenset = frozenset()


SUM, SHORT, MEAN, NONE = Form("sum"), Form("short"), Form("mean"), Form("none")


class Sheet:
    """All cells of one measure with the equations between them.

    Attributes
    ----------
    cells : list of Cell
    equations : list of Equation, in which a cell is named by its place in `cells`
    top, floor : float, what no value can pass
    is_count, whole : bool, counts; counts of which every known one is a whole number
    """

    def __init__(self, desk, rows: np.ndarray):
        self.base, self.top = desk.base[rows[0]], desk.upper[rows[0]]
        self.is_count = bool(desk.additive[rows[0]])
        self.cells: list[Cell] = []
        self.place: dict[tuple[str, str, str], int] = {}
        self._read(desk, rows)
        shown = np.array([cell.value for cell in self.cells])
        self.floor = -np.inf if (shown < 0).any() else 0.0
        self.whole = self.is_count and not (shown[~np.isnan(shown)] % 1 > 0).any()
        sums = self._groups() + (self._periods() if self.is_count else []) + self._areas(desk.parents)
        self._fill(sums)
        self.equations = self._judge(sums)

    def _read(self, desk, rows: np.ndarray) -> None:
        before = desk.before(rows[0])
        for row in rows.tolist():
            value, hidden = desk.value[row], bool(desk.hidden[row])
            if not hidden and np.isnan(value):
                continue  # missing: nobody knows it
            key = (desk.area[row], desk.period[row], desk.breakdown[row])
            old = before.get(key, np.nan)
            public = hidden and not np.isnan(old) and (bool(np.isnan(value)) or same(old, value))
            value, movable = old if public else value, not hidden and bool(np.isnan(old))
            kind = desk.kind[row] if hidden else ""
            self._add(
                Cell(key, value, row, not hidden or public, movable, hidden and not public, desk.weight[row], kind)
            )
        for key, old in before.items():
            if key not in self.place:
                self._add(
                    Cell(key, old, known=True, people=1.0 if self.is_count else desk.residents_of(*key) / self.base)
                )

    def _add(self, cell: Cell) -> int:
        if self.is_count:
            cell.people = 1.0
        if cell.key:
            self.place[cell.key] = len(self.cells)
        self.cells.append(cell)
        return len(self.cells) - 1

    # --- what may add up

    def _groups(self) -> list[Sum]:
        """Return groups and their totals by each dimension; counts get the margins that nobody published."""
        families = defaultdict(list)
        queue = list(self.place)
        for area, period, breakdown in queue:
            pairs = breakdown.split(";") if breakdown else []
            for pair in pairs:
                total = (area, period, ";".join(other for other in pairs if other != pair))
                if total not in self.place and total[2] and self.is_count:
                    self._add(Cell(total))
                    queue.append(total)
                families[total, pair.split("=")[0]].append(self.place[area, period, breakdown])
        found = []
        for (total, dimension), parts in families.items():
            if total in self.place:
                across = tuple(pair.split("=")[0] for pair in total[2].split(";") if pair)
                words = f"the groups by {dimension} and their total"
                found.append(Sum(self.place[total], parts, ("groups", dimension, across), words))
        return found

    def _periods(self) -> list[Sum]:
        """Return periods and the shortest stretches that make them up, whether these are published or not."""
        lines = defaultdict(list)
        for (area, period, breakdown), cell in self.place.items():
            lines[area, breakdown].append((parse_period(period), cell))
        found = []
        for line in lines.values():
            edges = sorted({edge for period, _ in line for edge in (period.start, period.end)})
            at = {edge: place for place, edge in enumerate(edges)}
            pieces: dict[int, int] = {}
            longer = []
            for period, cell in line:
                stretch = range(at[period.start], at[period.end])
                if len(stretch) == 1 and stretch[0] not in pieces:
                    pieces[stretch[0]] = cell
                else:
                    longer.append((period, cell, stretch))
            for period, cell, stretch in longer:
                pieces.update({place: self._add(Cell()) for place in stretch if place not in pieces})
                parts = [pieces[place] for place in stretch]
                found.append(
                    Sum(cell, parts, ("periods", period.duration, len(parts)), "a longer period and its parts")
                )
        return found

    def _areas(self, parents: Mapping[str, Sequence[str]]) -> list[Sum]:
        found = []
        for (area, period, breakdown), total in self.place.items():
            keys = [(part, period, breakdown) for part in parents.get(area, ())]
            parts = [self.place[key] for key in keys if key in self.place]
            if parts:
                words = f"the parts of {area} and their total"
                found.append(Sum(total, parts, ("areas", area, ()), words, len(parts) == len(keys)))
        return found

    def _fill(self, sums: list[Sum]) -> None:
        """Give margins that nobody published the value of their parts, and totals the people of their parts."""
        for item in sorted((s for s in sums if s.structure[0] == "groups"), key=lambda s: -len(s.structure[2])):
            total, parts = self.cells[item.total], [self.cells[part] for part in item.parts]
            if total.unread and np.isnan(total.value):
                total.value = sum(part.value for part in parts)
            if np.isnan(total.people):
                total.people = sum(part.people for part in parts)

    # --- what does add up

    def _judge(self, sums: list[Sum]) -> list[Equation]:
        """Judge every sum on its values, or on sums alike where one is not known, and write it as an equation."""
        if not self.is_count:
            sums = [item for item in sums if not np.isnan(self._of(item.parts, "people")).any()]
        seen, forms = defaultdict(Counter), {}
        for at, item in enumerate(sums):
            if not np.isnan(self._of([item.total, *item.parts], "value")).any():
                forms[at] = self._forms(item)
                seen[item.structure].update(forms[at])
        found = [
            self._equation(item, form)
            for at, item in enumerate(sums)
            for form in forms.get(at) or self._assumed(item, seen[item.structure])
            if form != NONE
        ]
        while True:  # a total that nobody publishes tells nothing where it is needed once
            uses = Counter(cell for equation in found for cell in equation.cells)
            kept = [e for e in found if not self.cells[e.cells[0]].unread or uses[e.cells[0]] > 1]
            if len(kept) == len(found):
                return found
            found = kept

    def _of(self, cells: Sequence[int], what: str) -> np.ndarray:
        return np.array([getattr(self.cells[cell], what) for cell in cells], dtype=float)

    def _label(self, item: Sum, part: int) -> str:
        """Return the category or area that tells a part from the others of its sum."""
        area, _, breakdown = self.cells[part].key or ("", "", "")
        pairs = (pair for pair in breakdown.split(";") if pair.split("=")[0] == item.structure[1])
        return next(pairs, area) if item.structure[0] == "groups" else area

    def _over(self, item: Sum, parts: Sequence[int]) -> tuple[float, float]:
        """Return by how much known parts pass their total, and what of it rounding explains."""
        total, values, people = self.cells[item.total].value, self._of(parts, "value"), self._of(parts, "people")
        weight = 1.0 if self.is_count else people.sum()
        least = TOLERANCE[0] if np.isinf(self.top) else TOLERANCE[1] * self.top
        return np.nansum(values * people) - total * weight, weight * max(least, TOLERANCE[1] * abs(total)) + EPS

    def _forms(self, item: Sum) -> list[Form]:
        """Return how parts of known value make up their total."""
        over, near = self._over(item, item.parts)
        if abs(over) <= near:
            return [SUM]
        if not self.is_count:
            return [NONE]
        if over < 0:
            return [SHORT]
        values = self._of(item.parts, "value")
        if item.structure[0] == "periods":
            return [MEAN if abs(values.mean() - self.cells[item.total].value) <= near else NONE]
        labels = [self._label(item, part) for part in item.parts]
        for size in (1, 2):
            outs = combinations(range(len(labels)), size) if len(labels) - size in range(2, 40) else ()
            left = {out: abs(over - values[list(out)].sum()) for out in outs}
            least = min(left.values(), default=np.inf)
            if least <= near:  # a subset of groups that overlap adds up
                chosen = [out for out, miss in left.items() if miss <= least + EPS]
                return [Form("sum", frozenset(labels[at] for at in out)) for out in chosen]
        return [NONE]

    def _assumed(self, item: Sum, seen: Counter) -> list[Form]:
        """Return how parts, some unknown, are taken to make up their total: as others like them do, else as a sum."""
        form = SUM if not seen or SUM in seen else seen.most_common(1)[0][0]
        if form == SUM and not item.complete:
            form = SHORT
        kept = [part for part in item.parts if self._label(item, part) not in form.without]
        over, near = self._over(item, kept)  # NaN where the total is not known
        return [NONE] if not kept or (form != MEAN and over > near) else [form]

    def _equation(self, item: Sum, form: Form) -> Equation:
        kept = [part for part in item.parts if not form.without or self._label(item, part) not in form.without]
        factors = self._of(kept, "people") / (len(kept) if form == MEAN else 1)
        cells = [item.total, *kept]
        factors = np.array([-1.0 if self.is_count else -factors.sum(), *factors])
        right = float(factors @ self._of(cells, "value"))
        if form == SHORT:  # the rest that no group stands for
            cells, factors, right = [*cells, self._add(Cell(value=-right))], np.append(factors, 1.0), 0.0
        return Equation(np.array(cells), factors, 0.0 if np.isnan(right) else right, item.words)
