"""The cells of one measure, and which of them add up to which."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import numpy as np

from vlr_analysis.language import coded
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
        self.members = desk.parents
        self.parent = {part: area for area, parts in self.members.items() for part in parts}
        self.categories: dict[tuple, set[str]] = defaultdict(set)  # of a dimension, in an area and its parts
        self._read(desk, rows)
        shown = np.array([cell.value for cell in self.cells])
        self.floor = -np.inf if (shown < 0).any() else 0.0
        self.whole = self.is_count and not (shown[~np.isnan(shown)] % 1 > 0).any()
        sums = self._groups() + (self._periods() if self.is_count else []) + self._areas()
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

    def _hole(self, key: tuple[str, str, str] | None) -> int:
        """Return the cell of a key, added where nobody publishes it."""
        return self.place[key] if key in self.place else self._add(Cell(key))

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
                    queue.append(total)
                    self._hole(total)
                dimension, across = pair.split("=")[0], tuple(other.split("=")[0] for other in pairs if other != pair)
                families[total, dimension].append(self.place[area, period, breakdown])
                self.categories[self.parent.get(area, area), dimension, across].add(pair)
        found = []
        for (total, dimension), parts in families.items():
            if total in self.place:
                across = tuple(pair.split("=")[0] for pair in total[2].split(";") if pair)
                words = coded("the groups by {dimension} and their total", dimension=dimension)
                found.append(Sum(self.place[total], parts, ("groups", dimension, across), words))
        return found

    def _periods(self) -> list[Sum]:
        """Return periods and the shortest stretches that make them up, whether these are published or not."""
        lines, names = defaultdict(list), {}
        for (area, period, breakdown), cell in self.place.items():
            read = parse_period(period)
            lines[area, breakdown].append((read, cell))
            names.setdefault((read.start, read.end), period)
        found = []
        for (area, breakdown), line in lines.items():
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
                for place in stretch:
                    if place not in pieces:
                        name = names.get((edges[place], edges[place + 1]))
                        pieces[place] = self._hole((area, name, breakdown) if name else None)
                parts = [pieces[place] for place in stretch]
                found.append(
                    Sum(cell, parts, ("periods", period.duration, len(parts)), "a longer period and its parts")
                )
        return found

    def _areas(self) -> list[Sum]:
        """Return areas and their parts, also where nobody publishes the area's own number."""
        found = []
        for area, members in self.members.items():
            for period, breakdown in sorted({key[1:] for key in self.place if key[0] in (area, *members)}):
                parts = [self.place[key] for part in members if (key := (part, period, breakdown)) in self.place]
                complete = len(parts) == len(members)
                if parts and ((complete and self.is_count) or (area, period, breakdown) in self.place):
                    total = self._hole((area, period, breakdown))
                    words = coded("the parts of {area} and their total", area=area)
                    found.append(Sum(total, parts, ("areas", area, ()), words, complete))
        return found

    def _fill(self, sums: list[Sum]) -> None:
        """Give cells that nobody published the value that is left for them, and totals the people of their parts."""
        for item in sums:
            total = self.cells[item.total]
            if np.isnan(total.people):
                total.people = sum(self.cells[part].people for part in item.parts)
        waiting, before = [item for item in sums if item.complete and self.is_count], -1
        while before != len(waiting):
            before, waiting = len(waiting), [item for item in waiting if not self._filled(item)]

    def _filled(self, item: Sum) -> bool:
        """Fill the one cell of a sum that nobody published; return whether no more than one was without a value."""
        empty = [cell for cell in (item.total, *item.parts) if np.isnan(self.cells[cell].value)]
        if len(empty) == 1 and self.cells[empty[0]].unread:
            left = np.nansum(self._of(item.parts, "value"))
            if empty[0] != item.total:
                left = self.cells[item.total].value - left
            self.cells[empty[0]].value = left if left >= 0 or np.isinf(self.floor) else np.nan
        return len(empty) < 2

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
        if form == SHORT:
            rest = self._rest(item)
            if len(rest) == 1 and np.isnan(self.cells[rest[0]].value):
                self.cells[rest[0]].value = -right
            cells, factors, right = [*cells, *rest], np.append(factors, np.ones(len(rest))), 0.0
        return Equation(np.array(cells), factors, 0.0 if np.isnan(right) else right, item.words)

    def _rest(self, item: Sum) -> list[int]:
        """Return cells for what is missing in a sum: groups or areas that others have, else one without a name."""
        area, period, breakdown = self.cells[item.total].key or ("", "", "")
        there = {self._label(item, part) for part in item.parts}
        keys = []
        if item.structure[0] == "areas":
            keys = [(part, period, breakdown) for part in self.members.get(area, ()) if part not in there]
        if item.structure[0] == "groups":
            pairs = [pair for pair in breakdown.split(";") if pair]
            for label in sorted(self.categories[self.parent.get(area, area), *item.structure[1:]] - there):
                whole = ";".join(sorted([*pairs, label], key=lambda pair: pair.split("=")[0]))
                keys.append((area, period, whole))
        return [self._hole(key) for key in keys] or [self._add(Cell())]
