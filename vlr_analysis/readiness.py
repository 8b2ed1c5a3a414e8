"""What a review can rest on: which goals, targets and cells have figures, for whom, how old and how long."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.errors import Problem, raise_if_any
from vlr_analysis.grades import LETTERS
from vlr_analysis.language import coded
from vlr_analysis.periods import year_of
from vlr_analysis.series import as_series

KEY = ["indicator", "series", "unit"]
GLOBAL, OWN_ONLY, NONE = coded("a global indicator"), coded("own indicators only"), coded("no figures")

# --- which targets a series speaks of ------------------------------------------------------------------


def measures(table: pd.DataFrame, definitions: pd.DataFrame) -> pd.DataFrame:
    """Return the measures that have a figure, each with the target it speaks of and how it counts.

    Parameters
    ----------
    table : DataFrame
        Observations of one area.
    definitions : DataFrame
        `label`, `goal`, `sdg_target`, `definition` and `priority` by (indicator, series, unit); the last four may be
        absent.

    Returns
    -------
    DataFrame, one row per (indicator, series, unit) with at least one value
        indicator, series, unit, label, goal, priority, definition; `target` (empty where none is known); `unique_id`
        (of the global indicator that it measures; empty for an own indicator, and for a series that stands under a
        global code but measures something else).
    """
    held = table.loc[table["value"].notna(), KEY].drop_duplicates()
    known = definitions.reindex(columns=[*KEY, "label", "goal", "priority", "sdg_target", "definition"]).astype(object)
    rows = held.merge(known.drop_duplicates(KEY), on=KEY, how="left")
    rows = rows.fillna({"label": "", "sdg_target": "", "definition": "", "priority": False, "goal": 0})
    rows["target"] = [_target(row.indicator, row.sdg_target) for row in rows.itertuples()]
    official, counts = catalogue.unique_ids(), ~rows["definition"].isin(["own", "other"])
    codes = [official.get(code, "") if count else "" for code, count in zip(rows["indicator"], counts, strict=True)]
    rows["unique_id"] = pd.Series(codes, rows.index, dtype=str)
    return rows.drop(columns="sdg_target").astype({"goal": int, "priority": bool})


def _target(indicator: str, stated: str) -> str:
    codes = catalogue.target_codes()
    above = indicator.rpartition(".")[0]
    return stated if stated in codes else above if above in codes else ""


def coverage_by_goal(table: pd.DataFrame, definitions: pd.DataFrame, goals: Iterable[int] = ()) -> pd.DataFrame:
    """Count what each goal has figures for, against the framework's number.

    Parameters
    ----------
    table, definitions : DataFrame
        See `measures`.
    goals : iterable of int
        Goals of the review; empty: all seventeen. A review of five goals is not a review with twelve gaps.

    Returns
    -------
    DataFrame, one row per goal
        goal, goal_label; `targets` (of the framework), `targets_global` (with figures of a global indicator),
        `targets_own` (with own indicators only), `targets_none`; `global_indicators` (different ones; repeats count
        where they first stand), `global_with` (figures); `own_indicators` (of the city, and series that stand under a
        global code but measure something else), `n_series`. Series without a goal are in the row of goal 0.
    """
    held, chosen = measures(table, definitions), _chosen(goals)
    official = catalogue.indicators()
    first = official[official["code"] == official["unique_id"]].groupby("goal").size()
    rows = []
    for goal in [*chosen, *([0] if (held["goal"] == 0).any() else [])]:
        mine, targets = held[held["goal"] == goal], set(_targets_of(goal)["target"])
        with_global = set(mine.loc[mine["unique_id"] != "", "target"])
        with_own = (set(mine["target"]) & targets) - with_global
        own = mine.loc[mine["unique_id"] == "", KEY]
        rows.append(
            {
                "goal": goal,
                "goal_label": catalogue.label(str(goal)) if goal else coded("no goal stated"),
                "targets": len(targets),
                "targets_global": len(with_global),
                "targets_own": len(with_own),
                "targets_none": len(targets) - len(with_global) - len(with_own),
                "global_indicators": int(first.get(goal, 0)),
                "global_with": len({code for code in mine["unique_id"] if code and _goal(code) == goal}),
                "own_indicators": len(own),
                "n_series": len(mine),
            }
        )
    return pd.DataFrame(rows)


def _chosen(goals: Iterable[int]) -> list[int]:
    return sorted(set(goals)) or list(catalogue.goals()["goal"])


def _goal(code: str) -> int:
    return catalogue.goal_of(code) or 0


def _targets_of(goal: int) -> pd.DataFrame:
    targets = catalogue.targets()
    return targets[targets["goal"] == goal]


def coverage_by_target(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    goals: Iterable[int] = (),
    priority_targets: Iterable[str] = (),
) -> pd.DataFrame:
    """Say of every target whether it has figures. A priority target is always there, also without any.

    Parameters
    ----------
    table, definitions, goals
        See `coverage_by_goal`.
    priority_targets : iterable of str
        Codes that the city names; kept also where their goal is not among `goals`.

    Returns
    -------
    DataFrame, one row per target, priorities first
        target, goal, label, `priority`, `held` (a global indicator, own indicators only, no figures), `indicators`
        (codes, joined by ``; ``), `measured` (labels of the series, joined by ``; ``), `n_series`, `first`,
        `last` (years as text; empty where there is none).

    Raises
    ------
    InputError
        A priority is no code of a target.
    """
    wanted, targets = tuple(dict.fromkeys(priority_targets)), catalogue.targets()
    _check_targets(wanted, catalogue.target_codes())
    rows = targets[targets["goal"].isin(_chosen(goals)) | targets["target"].isin(wanted)].reset_index(drop=True)
    held = measures(table, definitions).merge(_years(table), on=KEY)
    by_target = dict(iter(held.groupby("target")))
    parts = [by_target.get(target, held.iloc[:0]) for target in rows["target"]]
    rows["priority"] = rows["target"].isin(wanted)
    rows["held"] = [GLOBAL if (part["unique_id"] != "").any() else OWN_ONLY if len(part) else NONE for part in parts]
    rows["indicators"] = ["; ".join(dict.fromkeys(part["indicator"])) for part in parts]
    rows["measured"] = ["; ".join(dict.fromkeys(part["label"])) for part in parts]
    rows["n_series"] = [len(part) for part in parts]
    rows["first"] = [str(part["first_year"].min()) if len(part) else "" for part in parts]
    rows["last"] = [str(part["last_year"].max()) if len(part) else "" for part in parts]
    return rows.sort_values("priority", ascending=False, kind="stable").reset_index(drop=True)


def _check_targets(wanted: tuple[str, ...], known: frozenset[str]) -> None:
    problems = [
        Problem("priority_targets", repr(code), "a code of a target, such as '11.2'", "correct the code")
        for code in wanted
        if code not in known
    ]
    raise_if_any(coded("priority targets"), problems)


def _years(table: pd.DataFrame) -> pd.DataFrame:
    years = table.loc[table["value"].notna(), [*KEY, "period"]]
    years = years.assign(year=years["period"].map({text: year_of(text) for text in years["period"].unique()}))
    return years.groupby(KEY)["year"].agg(first_year="min", last_year="max").reset_index()


def coverage_by_umf(table: pd.DataFrame, definitions: pd.DataFrame, goals: Iterable[int] = ()) -> pd.DataFrame:
    """Count what each cell of the Global Urban Monitoring Framework has figures for.

    Parameters
    ----------
    table, definitions, goals
        See `coverage_by_goal`.

    Returns
    -------
    DataFrame, shape (20, 7)
        domain, objective; `targets` (of the goals of the review, that the crosswalk puts there), `targets_with`
        (figures), `codes` (indicators with figures), `n_series`, `measured` (labels, joined by ``; ``).

    Notes
    -----
    Which targets stand in a cell is the kit's own proposal (`catalogue.umf_crosswalk`), not the framework's list. A
    target may stand in two cells; the cells do not add up to the targets.
    """
    crosswalk = catalogue.umf_crosswalk().merge(catalogue.targets()[["target", "goal"]], on="target")
    crosswalk = crosswalk[crosswalk["goal"].isin(_chosen(goals))]
    held = measures(table, definitions)
    rows = []
    for cell in catalogue.umf().itertuples():
        there = crosswalk[(crosswalk["domain"] == cell.domain) & (crosswalk["objective"] == cell.objective)]
        mine = held[held["target"].isin(there["target"])]
        rows.append(
            {
                "domain": cell.domain,
                "objective": cell.objective,
                "targets": len(there),
                "targets_with": mine["target"].nunique(),
                "codes": mine["indicator"].nunique(),
                "n_series": len(mine),
                "measured": "; ".join(dict.fromkeys(mine["label"])),
            }
        )
    return pd.DataFrame(rows)


# --- how old, how long, with what gaps -------------------------------------------------------------------


def age_table(table: pd.DataFrame, as_of: int) -> pd.DataFrame:
    """Return the span of every headline series: years, gaps, breaks, and the age of the latest value.

    Parameters
    ----------
    table : DataFrame
        Observations.
    as_of : int
        Year from which ages are counted: the newest year of the review, never the clock's.

    Returns
    -------
    DataFrame, one row per (area, indicator, series, unit, duration of the periods)
        `freq` (A, Q, M, W, D), `n_values`, `first`, `last` (periods), `age` (years since the latest value; NaN where
        there is none), `gaps` (calendar years without a value between first and last, joined by ``, ``), `n_gaps`,
        `breaks` (periods with status break), `without_value` (rows that are missing, suppressed or not applicable),
        `has_interval`.

    Notes
    -----
    A survey of every second year has a gap in every other year: it is told, not judged.
    """
    headline = table[table["breakdown"] == ""]
    series = as_series(headline)
    rows = series.keys[series.keys["n"] > 0].copy()
    years, stop = np.floor(series.points["t"].to_numpy()).astype(int), np.cumsum(series.keys["n"].to_numpy())
    spans = [
        _gaps(np.unique(years[end - n : end]).tolist()) for n, end in zip(rows["n"], stop[rows.index], strict=True)
    ]
    rows["age"] = [as_of - year_of(last) for last in rows["last"]]
    rows["gaps"] = [_ranges(gaps) for gaps in spans]
    rows["n_gaps"] = [len(gaps) for gaps in spans]
    broken = headline[headline["status"] == "break"].groupby(KEY)["period"].agg(", ".join)
    rows["breaks"] = [broken.get(tuple(key), "") for key in rows[KEY].to_numpy()]
    rows = rows.rename(columns={"n_missing": "without_value", "n": "n_values"})
    columns = ["freq", "n_values", "first", "last", "age", "gaps", "n_gaps", "breaks", "without_value", "has_interval"]
    return rows[["area", *KEY, "duration", *columns]].reset_index(drop=True)


def _gaps(years: list[int]) -> list[int]:
    return sorted(set(range(years[0], years[-1] + 1)) - set(years))


def _ranges(years: list[int]) -> str:
    """Write years as people do: 2013, 2016-2018."""
    runs: list[list[int]] = []
    for year in years:
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def grades_by_goal(graded: pd.DataFrame, definitions: pd.DataFrame, goals: Iterable[int] = ()) -> pd.DataFrame:
    """Count the grades of each goal's headline series. There is no mean of grades.

    Parameters
    ----------
    graded : DataFrame
        From `grades.series_grades`, of one area.
    definitions : DataFrame
        `goal` by (indicator, series, unit).
    goals : iterable of int
        See `coverage_by_goal`.

    Returns
    -------
    DataFrame, one row per goal
        goal, goal_label, A, B, C, D.
    """
    rows = graded[graded["breakdown"] == ""].merge(definitions[[*KEY, "goal"]].drop_duplicates(KEY), on=KEY)
    counts = rows.groupby(["goal", "grade"]).size().unstack(fill_value=0)
    chosen = [*_chosen(goals), *([0] if (rows["goal"] == 0).any() else [])]
    counts = counts.reindex(index=chosen, columns=list(LETTERS), fill_value=0).fillna(0).astype(int)
    names = [catalogue.label(str(goal)) if goal else coded("no goal stated") for goal in chosen]
    counts = counts.rename_axis(columns=None).rename_axis("goal").reset_index()
    counts.insert(1, "goal_label", names)
    return counts
