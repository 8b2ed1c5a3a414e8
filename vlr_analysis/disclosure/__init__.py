"""Hide small numbers of people, and whatever would give them away, before anything is shown.

`desk` holds the table and what is hidden of it; `sums` finds which cells add up to which; `reckoning` works out how
far a reader can narrow a hidden cell down, and what to hide with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from vlr_analysis.catalogue import sort_key
from vlr_analysis.disclosure.desk import THINGS, Desk, nothing_small
from vlr_analysis.disclosure.sums import TOLERANCE
from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.language import coded
from vlr_analysis.observations import COLUMNS, KEY

__all__ = ["KINDS", "THINGS", "TOLERANCE", "attack", "hidden_table", "nothing_hidden", "protect"]

KINDS = ("primary", "denominator", "complementary", "source")

_SMALL = coded("fewer than {n}, but not zero")
_NUMERATOR = coded("a rate that stands for fewer than {n} people")
_FEW = coded("a rate on fewer people than the minimum")
_BEFORE = coded("hidden already in the figures as they came")


def nothing_hidden() -> pd.DataFrame:
    """Return a log without rows, with the columns of the log of `protect`."""
    return pd.DataFrame({name: pd.Series(dtype=object) for name in (*KEY, "kind", "reason")})


def protect(
    table: pd.DataFrame,
    *,
    threshold: int = 5,
    populations: pd.DataFrame | None = None,
    minimum_denominator: int | None = None,
    previous: pd.DataFrame | None = None,
    parents: Mapping[str, Sequence[str]] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide small counts of people, rates on few people, and what would give hidden numbers away.

    Parameters
    ----------
    table : DataFrame, shape (n, 11)
        Observations, as `observations.check` returns them. Not changed.
    threshold : int
        Counts about people above 0 and below this number are hidden. `THINGS` lists the units of counts that are not
        about people; a unit that nobody knows is, where all its values are whole numbers. Zero is a value and
        stays, unless it is needed to hide another number. Rates that stand for fewer people are hidden likewise,
        where the population is known.
    populations : DataFrame, optional
        People of a group: `area`, `breakdown`, `period` (its year counts), `value`. `indicator` and `series`, where
        present, name the population's own series in `table`; other columns are ignored. Series of the table
        that are called population are used as well.
    minimum_denominator : int, optional
        A rate on fewer people is hidden, also a rate of zero. Left out: four times `threshold`.
    previous : DataFrame, optional
        The previous public release, as observations. What is visible there is taken as known.
    parents : mapping of str to sequence of str, optional
        Area -> areas that make it up.

    Returns
    -------
    table : DataFrame, shape (n, 11)
        A copy in the same order; hidden cells have no value, low and high, and status ``suppressed``.
    log : DataFrame, one row per hidden cell
        The key's columns, `kind` (one of `KINDS`; *source*: hidden already) and `reason`, in the order of the table. It
        holds no value.

    Raises
    ------
    InputError
        A threshold or minimum below 1 or not whole; `populations` or `previous` lack a column.

    Notes
    -----
    Nobody may narrow a hidden cell down to a range narrower than `threshold` people (for a rate: people in its
    numerator, at most half the possible range), knowing all visible values and all sums, and that nothing is below
    zero; nor, knowing from the log which cells are small, to one number. Sums are: groups and their total, also crossed
    and where a margin is not published; a period and the shorter or pooled ones that make it up, or whose mean it is
    (counts only); an area and its parts; shares and rates weighted by populations. Parts count as a sum where
    they are within `TOLERANCE` of it before anything is hidden. Where one was hidden already they are
    taken to add up as they do in other periods, else fully.

    Not covered: rates of groups whose population is not at hand; rates over months and their year; sums across
    indicators or series; amounts of money or matter. A second run over the result changes nothing where parts add up;
    where they do not, it cannot see that any more and may hide more.

    Hundepool et al. 2012, Statistical Disclosure Control, chapter 4, doi:10.1002/9781118348239.
    """
    _refuse(threshold, minimum_denominator, populations, previous)
    if populations is None and nothing_small(table, threshold):
        return table.copy(), nothing_hidden()
    desk = Desk(table, threshold, populations, previous, parents)
    desk.hide(desk.suppressed, "source", _BEFORE)
    desk.hide(desk.people & (desk.value > 0) & (desk.value < threshold), "primary", _SMALL.format(n=threshold))
    behind = np.where(np.isnan(desk.base), np.nan, desk.value * desk.weight)  # people that a rate stands for
    desk.hide((behind > 0) & (behind < threshold), "primary", _NUMERATOR.format(n=threshold))
    least = 4 * threshold if minimum_denominator is None else minimum_denominator
    desk.hide(desk.weight * desk.base < least, "denominator", _FEW)
    out = table.copy()
    if not desk.hidden.any():
        return out, nothing_hidden()
    desk.close()
    out.loc[desk.hidden, ["value", "low", "high"]] = np.nan
    out.loc[desk.hidden, "status"] = "suppressed"
    log = table.loc[desk.hidden, list(KEY)].reset_index(drop=True)
    return out, log.assign(kind=desk.kind[desk.hidden], reason=desk.reason[desk.hidden])


def attack(
    public: pd.DataFrame,
    *,
    original: pd.DataFrame | None = None,
    populations: pd.DataFrame | None = None,
    previous: pd.DataFrame | None = None,
    parents: Mapping[str, Sequence[str]] | None = None,
) -> pd.DataFrame:
    """Work out how far a reader can narrow down every suppressed cell of a table.

    Parameters
    ----------
    public : DataFrame, shape (n, 11)
        Observations of which some are suppressed.
    original : DataFrame, optional
        The same cells before anything was hidden: tells which parts add up. Left out, those with a hidden cell
        are taken to.
    populations, previous, parents
        As in `protect`.

    Returns
    -------
    DataFrame, one row per suppressed cell
        The key's columns, `low` and `high` (unit of the value; infinite where open), `people` (people per unit of the
        value: 1 for a count; NaN where not known, then nothing was reckoned).
    """
    _refuse(1, None, populations, previous)
    values = None
    if original is not None:
        values = public[list(KEY)].merge(original[[*KEY, "value"]], on=list(KEY), how="left")["value"].to_numpy(float)
    desk = Desk(public, 1, populations, previous, parents, values)
    desk.hide(desk.suppressed, "source", "")
    low, high, people = np.full((3, len(public)), np.nan)
    for rows in desk.blocks(desk.hidden):
        puzzle = desk.puzzle(rows)
        mine = puzzle.row >= 0
        at = puzzle.row[mine]
        low[at], high[at] = (end[mine] for end in puzzle.all_ranges())
        people[at] = puzzle.people[mine]
    found = public.loc[desk.hidden, list(KEY)].reset_index(drop=True)
    return found.assign(low=low[desk.hidden], high=high[desk.hidden], people=people[desk.hidden])


def hidden_table(log: pd.DataFrame) -> pd.DataFrame:
    """Return the log as people read it: codes in their natural order, then groups and time; reasons with a capital.

    Parameters
    ----------
    log : DataFrame
        As `protect` returns it.
    """
    columns = ["series", "unit", "area", "breakdown", "period"]
    order = [(sort_key(code), *rest) for code, *rest in log[["indicator", *columns]].itertuples(index=False)]
    shown = log.iloc[sorted(range(len(log)), key=order.__getitem__)].reset_index(drop=True)
    return shown.assign(reason=shown["reason"].str[:1].str.upper() + shown["reason"].str[1:])


def _refuse(threshold, minimum, populations, previous) -> None:
    problems = []
    for name, number in (("threshold", threshold), ("minimum_denominator", minimum)):
        whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
        if not (number is None and minimum is number) and not (whole and number >= 1):
            problems.append(Problem(name, repr(number), "a whole number of at least 1", "give one, such as 5"))
    tables = (("populations", populations, ("area", "breakdown", "period", "value")), ("previous", previous, COLUMNS))
    for name, given, needed in tables:
        missing = [] if given is None else [column for column in needed if column not in given.columns]
        if missing:
            found, expected = f"no column {', '.join(missing)}", f"the columns {', '.join(needed)}"
            problems.append(Problem(name, found, expected, "add them"))
    raise_if_any("disclosure", problems)
