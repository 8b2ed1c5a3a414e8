"""Hide small numbers of people in a register of evidence, and whatever would give them away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.optimize import linprog

from vlr_analysis.language import coded

HIDDEN = "suppressed"
LOG = ("evidence", "theme", "place", "says", "what", "reason")
PEOPLE = "participants"

# A number of people in one piece of evidence: (theme, place, says), or (participants, place, "").
Cell = tuple[str, str, str]


def nothing_hidden() -> pd.DataFrame:
    """Return a log without rows, with the columns of the log of `protected`."""
    return pd.DataFrame(columns=list(LOG), dtype=object)


def protected(register: pd.DataFrame, threshold: int = 5) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Hide numbers below a threshold, and those from which they would follow.

    Parameters
    ----------
    register : DataFrame
        From `sources.voices.read_voices`.
    threshold : int
        Smallest number that is shown. A zero is shown: nobody said it.

    Returns
    -------
    register : DataFrame, same rows
        Hidden `participants` and `count` are NaN, their status is ``suppressed``; rows with a hidden count lose
        `quotation` and `note`, a `population` below the threshold is left out.
    log : DataFrame, one row per hidden number
        `evidence`, `theme` (empty for participants), `place`, `says`, `what` (participants, count), `reason`. It holds
        no hidden number and may be shown.

    Notes
    -----
    Two kinds of sums could give a number away: what was said on a theme adds up to the participants, and the places of
    one dimension add up to the whole. A sum is tight where fewer people than the threshold are left over. In a tight
    sum at least two numbers are hidden, and those hidden hold at least `threshold` people together; the smallest that
    may be shown are hidden first. Looser sums protect by themselves: those who said nothing are not known. At last the
    range of every hidden number is reckoned (linear programmes over all sums at once) for a reader who knows the log
    and these rules; where the range leaves no choice, more is hidden. Numbers in free texts (titles, groups) are not
    looked for.
    """
    out, log = register.copy(), []
    for evidence, rows in register.groupby("evidence", sort=False):
        values = _cells(rows)
        reasons = {
            cell: coded("fewer than {threshold} people", threshold=threshold)
            for cell, n in values.items()
            if 0 < n < threshold
        }
        reasons |= {
            cell: coded("hidden already in the register as it came") for cell, n in values.items() if np.isnan(n)
        }
        if not reasons:
            continue
        _hide_with_them(values, list(_sums(rows, values)), reasons, threshold)
        log += [_logged(evidence, cell, reason) for cell, reason in reasons.items()]
        for i, row in rows.iterrows():
            if (PEOPLE, row["place"], "") in reasons:
                out.loc[i, [PEOPLE, f"{PEOPLE}_status"]] = [np.nan, HIDDEN]
            if (row["theme"], row["place"], row["says"]) in reasons:
                out.loc[i, ["count", "count_status", "quotation", "note"]] = [np.nan, HIDDEN, "", ""]
    out.loc[out["population"] < threshold, "population"] = np.nan
    return out, pd.DataFrame(log, columns=list(LOG), dtype=object)


def _cells(rows: pd.DataFrame) -> dict[Cell, float]:
    """Return the numbers of one piece of evidence; NaN where hidden by the source. What nobody counted is left out."""
    cells: dict[Cell, float] = {}
    for row in rows.to_dict("records"):
        for cell, name in (((PEOPLE, row["place"], ""), PEOPLE), ((row["theme"], row["place"], row["says"]), "count")):
            if row[f"{name}_status"] != "missing":
                cells[cell] = row[name]
    return cells


def _sums(rows: pd.DataFrame, cells: dict[Cell, float]) -> Iterator[tuple[Cell, list[Cell]]]:
    """Yield (whole, parts) of everything that adds up: statements on a theme, and places of one dimension."""
    for (theme, place), group in rows.groupby(["theme", "place"], sort=False):
        yield (PEOPLE, place, ""), [cell for says in group["says"] if (cell := (theme, place, says)) in cells]
    by_dimension: dict[tuple, list[Cell]] = {}
    for cell in cells:
        pairs = [pair for pair in cell[1].split(";") if pair]
        for pair in pairs:
            rest = ";".join(other for other in pairs if other != pair)
            by_dimension.setdefault(((cell[0], rest, cell[2]), pair.partition("=")[0]), []).append(cell)
    for (whole, _), parts in by_dimension.items():
        yield whole, parts


def _hide_with_them(values: dict[Cell, float], sums: list, reasons: dict[Cell, str], threshold: int) -> None:
    """Add to `reasons` what has to be hidden too, until nobody can work out a hidden number."""
    # What the source has hidden is small: at most one less than the threshold.
    sizes = {cell: threshold - 1.0 if np.isnan(n) else n for cell, n in values.items()}
    sums = [(whole, parts) for whole, parts in sums if whole in values]
    tight = [(whole, parts) for whole, parts in sums if _left_over(sizes, whole, parts) < threshold]
    before = -1
    while len(reasons) > before:
        before = len(reasons)
        for whole, parts in tight:
            hidden = [cell for cell in (*parts, whole) if cell in reasons]
            big = any(sizes[cell] >= threshold for cell in hidden)
            while hidden and (len(hidden) < 2 or sum(sizes[cell] for cell in hidden) < threshold):
                if not (found := _next(sizes, [*parts, whole] if big else parts, reasons, threshold)):
                    break
                hidden.append(found)
        if len(reasons) == before:
            for cell in _worked_out(values, sums, tight, reasons, threshold):
                members = [[*parts, whole] for whole, parts in tight]
                near = [member for group in members if cell in group for member in group]
                far = [member for group in members for member in group]
                if _next(sizes, near, reasons, threshold) or _next(sizes, far, reasons, threshold):
                    break


def _left_over(sizes: dict[Cell, float], whole: Cell, parts: list[Cell]) -> float:
    return sizes[whole] - sum(sizes[cell] for cell in parts)


def _next(sizes: dict[Cell, float], cells: list[Cell], reasons: dict[Cell, str], threshold: int) -> Cell | None:
    """Hide the smallest number among `cells` that is large enough to be shown."""
    may = [cell for cell in cells if cell not in reasons and sizes[cell] >= threshold]
    if not may:
        return None
    found = min(may, key=lambda cell: (sizes[cell], cell))
    reasons[found] = coded("together with others it would give a number below {n} away", n=threshold)
    return found


def _worked_out(values: dict, sums: list, tight: list, reasons: dict, threshold: int) -> Iterator[Cell]:
    """Yield hidden numbers that all sums leave no choice for, to a reader who knows the log and these rules."""
    cells = [cell for cell in reasons if not np.isnan(values[cell])]
    place = {cell: i for i, cell in enumerate(cells)}
    equal, most = ([], []), ([], [])
    for whole, parts in sums:
        if any(np.isnan(values[cell]) for cell in (whole, *parts)):
            continue
        line = np.zeros(len(cells))
        line[[place[cell] for cell in parts if cell in place]] = 1.0
        seen = -sum(values[cell] for cell in parts if cell not in place)
        if whole in place:
            line[place[whole]] = -1.0
        else:
            seen += values[whole]
        if _left_over(values, whole, parts) == 0:  # the reader may guess that nobody is left over, and is right
            equal[0].append(line)
            equal[1].append(seen)
            continue
        most[0].append(line)
        most[1].append(seen)
        if (whole, parts) in tight:
            most[0].append(-line)
            most[1].append(threshold - 1 - seen)
    bounds = [(1, threshold - 1) if values[cell] < threshold else (threshold, None) for cell in cells]
    limits = {"A_eq": equal[0] or None, "b_eq": equal[1] or None, "A_ub": most[0] or None, "b_ub": most[1] or None}
    for cell in cells:
        goal = np.zeros(len(cells))
        goal[place[cell]] = 1.0
        ends = [linprog(sign * goal, **limits, bounds=bounds) for sign in (1, -1)]
        if all(end.success for end in ends) and -ends[1].fun - ends[0].fun < 0.5:
            yield cell


def _logged(evidence: str, cell: Cell, reason: str) -> tuple:
    name, place, says = cell
    is_people = name == PEOPLE and not says
    return evidence, "" if is_people else name, place, says, PEOPLE if is_people else "count", reason
