"""The table as arrays, and what is hidden of it so far."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pandas as pd

from vlr_analysis.catalogue import unit_scale
from vlr_analysis.disclosure.reckoning import Puzzle
from vlr_analysis.disclosure.sums import Sheet, same
from vlr_analysis.language import coded
from vlr_analysis.observations import KEY
from vlr_analysis.periods import year_of

# Counts of things that no person can be told from. Any other count, also of an unknown unit, is about people.
THINGS = frozenset({"trips", "passengers", "boardings", "stations", "annual average daily flow"})
# Words of an unknown unit that is no plain count: one of it is not one person.
_NO_COUNT = re.compile(
    r"%|\b(per|rate|ratio|index|score|share|proportion|percentage|mean|median|thousands?|millions?)\b", re.I
)
_POPULATION = re.compile(
    r"((mid-year|resident|total|usual) )*(population|residents|inhabitants)( estimates?)?(,.*)?", re.I
)
_PER = re.compile(r"\bper (million|[0-9][0-9 ,]*)", re.I)
_SAME_RATIO = 1.2  # count over rate that stays within this factor over time tells the population

_WITH = coded("together with {cells} it would give another hidden number away")
_PUBLIC = "; " + coded("already public in the previous release")
_EARLIER = "; " + coded("an earlier figure is public in the previous release")
_OPEN = "; " + coded("it can still be narrowed down, nothing is left to hide with it")


@lru_cache(maxsize=4096)
def role(unit: str) -> tuple[str, float, float]:
    """Return what a unit counts (people, things, perhaps people, nothing), the base of a rate, its upper end."""
    scale = unit_scale(unit)
    if scale.kind == "count":
        return ("things" if " ".join(unit.casefold().split()) in THINGS else "people"), np.nan, np.inf
    if scale.kind == "share":
        return "", scale.upper, scale.upper
    per = _PER.search(unit)
    if per and scale.kind in ("rate", ""):
        return "", 1e6 if per[1].lower() == "million" else float(re.sub("[ ,]", "", per[1])), np.inf
    if scale.kind == "" and unit.lstrip().startswith("%"):
        return "", 100.0, 100.0
    return ("" if scale.kind or _NO_COUNT.search(unit) else "perhaps"), np.nan, np.inf


def nothing_small(table: pd.DataFrame, threshold: int) -> bool:
    """Return whether a look at the table shows that there is nothing to hide, so that no desk is needed.

    So it is where nothing was hidden before, no count that may be about people is small, and no series counts the
    residents, which would say of how many people a rate is.
    """
    if (table["status"] == "suppressed").any() or any(map(_POPULATION.fullmatch, table["series"].unique())):
        return False
    unit, units = pd.factorize(table["unit"])
    counts = np.array([role(name)[0] in ("people", "perhaps") for name in units], dtype=bool)
    value = table["value"].to_numpy(float)
    return not (counts[unit] & (value > 0) & (value < threshold)).any()


class Desk:
    """A table of observations as arrays, one entry a row, and what is hidden of it so far.

    Attributes
    ----------
    value : array, the truth as far as it is known
    suppressed : array of bool, hidden by the source
    hidden, kind, reason : arrays, what is hidden so far and why
    people, additive : arrays of bool, counts about people; counts of anything
    base, upper : arrays, base of a rate (100 for %), NaN for what is none; upper end of a share
    weight : array, people per unit of the value: 1 for a count, population over base for a rate, or NaN
    """

    def __init__(self, table, threshold, populations, previous, parents, values=None):
        self.threshold, self.parents = threshold, parents or {}
        self.area, self.indicator, _, _, self.period, self.breakdown = (table[name].to_numpy(object) for name in KEY)
        self.value = table["value"].to_numpy(float) if values is None else values
        self.suppressed = (table["status"] == "suppressed").to_numpy()
        self.hidden, self.open = np.zeros((2, len(table)), dtype=bool)  # open: can still be narrowed down
        self.kind, self.reason = np.full((2, len(table)), "", dtype=object)
        measure = ["indicator", "series", "unit"]
        self.block = table.groupby(measure, sort=False).ngroup().to_numpy()
        self.measures = list(table[measure].drop_duplicates().itertuples(index=False, name=None))
        self._read_units(table["unit"])
        self._read_populations(table, populations)
        self._previous = self._by_measure(previous)

    def _read_units(self, units: pd.Series) -> None:
        roles = {unit: role(unit) for unit in units.unique()}
        counts, base, upper = (units.map({unit: found[at] for unit, found in roles.items()}) for at in range(3))
        self.base, self.upper = base.to_numpy(float), upper.to_numpy(float)
        with np.errstate(invalid="ignore"):
            unlike = np.isin(self.block, self.block[(self.value < 0) | (self.value % 1 > 0)])
        self.people = (counts == "people").to_numpy() | ((counts == "perhaps").to_numpy() & ~unlike)
        self.additive = self.people | (counts == "things").to_numpy()

    def _read_populations(self, table: pd.DataFrame, populations: pd.DataFrame | None) -> None:
        names = {text: bool(_POPULATION.fullmatch(text)) for text in table["series"].unique()}
        self.resident = self.people & table["series"].map(names).to_numpy(bool)
        if populations is not None and {"indicator", "series"} <= set(populations.columns):
            named = pd.MultiIndex.from_frame(populations[["indicator", "series"]].drop_duplicates())
            self.resident |= self.people & pd.MultiIndex.from_frame(table[["indicator", "series"]]).isin(named)
        columns = ["area", "breakdown", "period", "value"]
        known = [table.loc[self.resident, columns], *([] if populations is None else [populations[columns]])]
        self.residents = {
            (area, breakdown if isinstance(breakdown, str) else "", year_of(str(period))): value
            for part in known
            for area, breakdown, period, value in part[part["value"].notna()].itertuples(index=False)
        }
        self.weight = np.where(self.additive, 1.0, np.nan)
        for row in np.flatnonzero(~np.isnan(self.base)) if self.residents else ():
            self.weight[row] = self.residents_of(self.area[row], self.period[row], self.breakdown[row]) / self.base[row]

    def residents_of(self, area: str, period: str, breakdown: str) -> float:
        """Return the people of a group, NaN where not known."""
        return self.residents.get((area, breakdown, year_of(period)), np.nan)

    @staticmethod
    def _by_measure(previous: pd.DataFrame | None) -> dict[tuple, dict[tuple, float]]:
        shown = defaultdict(dict)
        if previous is not None:
            columns = ["indicator", "series", "unit", "area", "period", "breakdown", "value"]
            for row in previous.loc[previous["value"].notna(), columns].itertuples(index=False):
                shown[tuple(row[:3])][tuple(row[3:6])] = row.value
        return shown

    def before(self, row: int) -> dict[tuple[str, str, str], float]:
        """Return what the previous release shows of the measure of a row, by area, period and breakdown."""
        return self._previous.get(self.measures[self.block[row]], {})

    def hide(self, rows: np.ndarray, kind: str, reason: str) -> None:
        """Hide rows (mask or numbers) that are not hidden yet and hold a number, or none for secrecy."""
        mask = np.zeros(len(self.hidden), dtype=bool)
        mask[rows] = True
        new = mask & ~self.hidden & (~np.isnan(self.value) | self.suppressed)
        self.hidden[new], self.kind[new], self.reason[new] = True, kind, reason

    def blocks(self, mask: np.ndarray) -> Iterator[np.ndarray]:
        """Yield all rows of each measure that the mask touches, where its unit can be reckoned with."""
        order, ends = np.argsort(self.block, kind="stable"), np.cumsum(np.bincount(self.block))
        mask = mask & (self.additive | (~np.isnan(self.base) & bool(self.residents)))
        for block in np.unique(self.block[mask]):
            yield order[ends[block - 1] if block else 0 : ends[block]]

    def puzzle(self, rows: np.ndarray) -> Puzzle:
        """Return the cells of one measure with the sums between them."""
        return Puzzle(Sheet(self, rows), self.threshold)

    def close(self) -> None:
        """Hide what would give hidden cells away, until nothing more is needed."""
        pairs, done, before = self._pairs(), {}, -1
        while before != self.hidden.sum():
            before = self.hidden.sum()
            self._tie(pairs)
            for rows in self.blocks(self.hidden):
                if done.get(rows[0]) != self.hidden[rows].sum():
                    self._shield(rows)
                    done[rows[0]] = self.hidden[rows].sum()
        self.reason[self.open] += _OPEN
        for row in np.flatnonzero(self.hidden) if self._previous else ():
            old = self.before(row).get((self.area[row], self.period[row], self.breakdown[row]))
            if old is not None:
                self.reason[row] += _PUBLIC if np.isnan(self.value[row]) or same(old, self.value[row]) else _EARLIER

    def _shield(self, rows: np.ndarray) -> None:
        puzzle = self.puzzle(rows)
        partners, weak = puzzle.shield()
        for cell, words in partners.items():
            self.hide(puzzle.row[[cell]], "complementary", _WITH.format(cells=words))
        self.open[rows] = False
        self.open[puzzle.row[weak]] = True

    def _pairs(self) -> pd.DataFrame:
        """Pair counts with rates of the same indicator and cell; `told` where other periods tell the population."""
        cells = pd.DataFrame(
            {"area": self.area, "period": self.period, "breakdown": self.breakdown, "indicator": self.indicator,
             "block": self.block, "row": np.arange(len(self.area)), "shown": np.where(self.hidden, np.nan, self.value)}
        )  # fmt: skip
        group = ["area", "period", "breakdown"]
        counts, rates = cells[self.people & ~self.resident], cells[~np.isnan(self.base)]
        pairs = counts.merge(rates, on=[*group, "indicator"], suffixes=("", "_rate"))
        people = cells.loc[self.resident, [*group, "row"]].rename(columns={"row": "residents"})
        pairs = pairs.merge(people.drop_duplicates(group), on=group, how="left")
        ratio = pairs["shown"].where(pairs["shown"] > 0) / pairs["shown_rate"].where(pairs["shown_rate"] > 0)
        ratios = ratio.groupby([pairs[name] for name in ("area", "breakdown", "block", "block_rate")])
        elsewhere = ratios.transform("count") - ratio.notna() > 0
        told = elsewhere & (ratios.transform("max") <= _SAME_RATIO * ratios.transform("min"))
        return pairs.assign(told=told)

    def _tie(self, pairs: pd.DataFrame) -> None:
        """Of count, rate and population, two give the third."""
        count, rate, told = (pairs[name].to_numpy() for name in ("row", "row_rate", "told"))
        listed, residents = pairs["residents"].notna().to_numpy(), pairs["residents"].fillna(0).to_numpy(int)
        tied = told | np.where(listed, ~self.hidden[residents], ~np.isnan(self.weight[rate]))
        for hidden, partner, where, words in (
            (count, rate, tied, coded("the population")),
            (rate, count, tied, coded("the population")),
            (residents, rate, listed & ~self.hidden[count], coded("a count of the same indicator")),
        ):
            self.hide(partner[where & self.hidden[hidden]], "complementary", _WITH.format(cells=words))
