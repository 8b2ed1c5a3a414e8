"""Sentences on trends, recovery and groups: fixed words, numbers from the results; each becomes a finding."""

from __future__ import annotations

import numpy as np
import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.disparities import COUNTED, HIDES, MAY_HIDE
from vlr_analysis.exhibits import gap, gap_interval, number
from vlr_analysis.findings import KEY, Finding, make, selector, value_of, with_grades
from vlr_analysis.periods import spoken

WIDER = 0.1  # change of a gap, relative to it, that is worth a sentence though it may be chance
RECENT = 5  # a series that ended so many years before the newest one carries a caveat


# --- trends ----------------------------------------------------------------------------------------


def trend_findings(trend: pd.DataFrame, definitions: pd.DataFrame, grades: pd.DataFrame) -> list[Finding]:
    """Return a finding for each headline series with a trend and a stated direction, priorities first.

    Parameters
    ----------
    trend : DataFrame
        From `trends.trend_table`, of one area.
    definitions : DataFrame
        Labels, directions and priorities.
    grades : DataFrame
        From `grades.series_grades`.
    """
    rows = with_grades(trend[(trend["breakdown"] == "") & (trend["movement"] != "")], definitions, grades)
    rows["away"] = rows["movement"] == "away from the goal"
    rows["robust"] = rows["verdict"] == "robust trend"
    rows = rows.sort_values(
        ["priority", "robust", "away", "goal"], ascending=[False, False, False, True], kind="stable"
    )
    newest = rows["last"].str[:4].astype(int).max() if len(rows) else 0
    return [_trend_finding(row, newest) for _, row in rows.iterrows()]


def _trend_finding(row: pd.Series, newest: int) -> Finding:
    moves = "moving" if row["robust"] else "perhaps moving"
    doubt = "" if row["robust"] else f" Not robust: {row['reason']}."
    statement = (
        f"{row['label']}: {moves} {row['movement']}, {gap(row['slope_per_year'], row['unit'])} a year "
        f"(95 % interval {gap_interval(row['slope_low'], row['slope_high'], row['unit'])}; Theil-Sen slope over "
        f"{row['n']} yearly values, {spoken(row['first'])} to {spoken(row['last'])}).{doubt}"
    )
    caveats = [row["note"]]
    if newest - int(row["last"][:4]) >= RECENT:
        caveats.append(f"the latest value is of {spoken(row['last'])}")
    if int(row["last"][:4]) >= 2020 > int(row["first"][:4]):
        caveats.append("2020 and later years are included")
    names = ["slope_per_year", "slope_low", "slope_high", "n", "first", "last"]
    numbers = {name: row[name] for name in names}
    caps = [] if row["robust"] else [("B", "the trend is not robust")]
    at = [selector(row, row["first"], row["last"])]
    verdict = f"{row['verdict']}, {row['movement']}"
    return make("trend", row, verdict, statement, numbers, caveats=caveats, caps=caps, evidence=at)


def target_findings(progress: pd.DataFrame, definitions: pd.DataFrame, grades: pd.DataFrame) -> list[Finding]:
    """Return a finding for each headline series with a target: where it stands, where its path points.

    Parameters
    ----------
    progress : DataFrame
        From `progress.progress_table`, of one area.
    definitions, grades : DataFrame
    """
    rows = with_grades(progress[progress["target"].notna() & (progress["n"] > 0)], definitions, grades)
    return [_target_finding(row) for _, row in rows.sort_values("priority", ascending=False, kind="stable").iterrows()]


def _target_finding(row: pd.Series) -> Finding:
    ahead = ""
    if np.isfinite(row["projection"]):
        reach = gap_interval(row["projection_low"], row["projection_high"], row["unit"])
        limits = f" (95 % interval for one value {reach})" if np.isfinite(row["projection_low"]) else ""
        ahead = f" The path so far, carried on, ends at {value_of(row['projection'], row)}{limits}."
    source = f" ({row['target_source']})" if row["target_source"] else ""
    statement = (
        f"{row['label']}: {value_of(row['last_value'], row)} in {spoken(row['last_period'])}, target "
        f"{value_of(row['target'], row)} by {row['due']:.0f}{source}: {row['verdict']}.{ahead}"
    )
    names = ["last_value", "target", "due", "projection", "projection_low", "projection_high", "probability", "n"]
    numbers = {name: row[name] for name in names}
    chance = max(row["probability"], 0.01)
    words = f"{'below ' if row['probability'] < 0.01 else ''}{chance:.2f}"
    told = f"the chance of meeting it on that path is {words}" if row["probability"] >= 0 else ""
    caveats = [row["reason"], told, "a path is not a forecast"]
    at = [selector(row, row["base_period"] or row["last_period"], row["last_period"])]
    own = pd.concat([row, pd.Series({"breakdown": ""})]) if "breakdown" not in row else row
    return make("trend", own, f"target: {row['verdict']}", statement, numbers, caveats=caveats, evidence=at,
                about="target")  # fmt: skip


# --- recovery --------------------------------------------------------------------------------------


def recovery_findings(
    covid: pd.DataFrame, definitions: pd.DataFrame, names: dict[str, str], grades: pd.DataFrame
) -> list[Finding]:
    """Return a finding for each headline series whose shock shows in either reading; priorities always.

    Parameters
    ----------
    covid : DataFrame
        From `covid.covid_table`; the city, and the areas that stand beside it.
    definitions : DataFrame
    names : dict
        Area -> name; the first is the city, whose findings these are. The others are quoted in the caveat.
    grades : DataFrame
        From `grades.series_grades`.
    """
    city = next(iter(names))
    rows = covid[(covid["area"] == city) & (covid["breakdown"] == "") & (covid["direction"] != "")]
    rows = with_grades(rows, definitions, grades)
    told = ["recovered", "not yet", "ahead"]
    shows = rows["level_verdict"].isin(told) | rows["path_verdict"].isin(told)
    rows = rows[(shows | rows["priority"]) & (rows["kind"] != "")]
    rows["behind"] = rows["level_verdict"] == "not yet"
    rows = rows.sort_values(["priority", "behind", "goal"], ascending=[False, False, True], kind="stable")
    beside = covid[(covid["area"] != city) & (covid["breakdown"] == "") & (covid["kind"] != "")]
    same = [*KEY, "duration"]
    beside = beside.merge(rows[same].drop_duplicates(), on=same)
    others = {(row["area"], *(row[name] for name in same)): row for row in beside.to_dict("records")}
    keys = (tuple(row[name] for name in same) for row in rows[same].to_dict("records"))
    told = [_beside([others[area, *key] for area in names if (area, *key) in others], names) for key in keys]
    return [_recovery_finding(row, words) for (_, row), words in zip(rows.iterrows(), told, strict=True)]


def _recovery_finding(row: pd.Series, beside: str) -> Finding:
    before = f" ({spoken(row['level_period'])})" if row["level_period"] != "the base" else ""
    words = "at the base" if row["kind"] == "since base" else "the year before"
    step = f", after a largest step of {gap(row['jump'], row['unit'])} in {row['jump_period']}"
    statement = (
        f"{row['label']}: {value_of(row['level'], row)} {words}{before}; the shock of 2020 coincides with "
        f"{value_of(row['shock_value'], row)} in {spoken(row['shock_period'])}. "
        f"Back at the level before: {_said(row, 'level')}. Back on the path: {_said(row, 'path')}."
    )
    doubts = [f"{name}: {row[f'{name}_reason']}" for name in ("level", "path") if row[f"{name}_reason"]]
    reach = row["gap_level_high"] - row["gap_level"]
    usual = f"its usual movement reaches {gap(reach, row['unit']).lstrip('+')}" if np.isfinite(reach) else ""
    names = [
        "n_before", "n_after", "level", "jump", "shock_value", "shock_change", "last_value", "gap_level",
        "gap_level_low", "gap_level_high", "usual_movement", "depth", "loss", "loss_low", "loss_high", "rebound",
        "gap_path", "gap_path_low", "gap_path_high", "placebo_rank", "placebos",
    ]  # fmt: skip
    numbers = {name: row[name] for name in names}
    verdict = f"level: {row['level_verdict']}; path: {row['path_verdict']}"
    n = f"{row['n_before']} values before and {row['n_after']} after the shock{step if row['freq'] != 'A' else ''}"
    at = [selector(row, "", "")]
    return make("recovery", row, verdict, statement, numbers, caveats=[*doubts, usual, n, beside], evidence=at)


def _said(row: pd.Series, reading: str) -> str:
    told = row[f"{reading}_verdict"]
    if reading == "level" and np.isfinite(row["gap_level"]):
        since = f", back in {spoken(row['level_back'])}" if row["level_back"] else ""
        latest = "latest gap" if row["freq"] == "A" else "gap of the last year"
        return f"{told}{since}; {latest} {gap(row['gap_level'], row['unit'])}"
    if reading == "path" and np.isfinite(row["gap_path"]) and np.isfinite(row["gap_path_low"]):
        mean = "mean " if "/" in row["path_period"] and row["freq"] != "A" else ""
        return (
            f"{told}; {mean}gap {gap(row['gap_path'], row['unit'])} in {spoken(row['path_period'])} "
            f"(95 % interval {gap_interval(row['gap_path_low'], row['gap_path_high'], row['unit'])})"
        )
    return told


def _beside(others: list[dict], names: dict[str, str]) -> str:
    """Tell of the first of the areas that have the same series."""
    if not others:
        return ""
    at = others[0]
    return (
        f"beside it: {names[at['area']]} {value_of(at['level'], at)}, {value_of(at['shock_value'], at)} "
        f"({spoken(at['shock_period'])}), level {at['level_verdict']}, path {at['path_verdict']}"
    )


# --- disparities -----------------------------------------------------------------------------------


def disparity_findings(
    latest: pd.DataFrame, change: pd.DataFrame, definitions: pd.DataFrame, grades: pd.DataFrame
) -> list[Finding]:
    """Return a finding for each dimension of each series that groups can be compared by; hidden gaps first.

    Parameters
    ----------
    latest : DataFrame
        From `disparities.disparity_table`, one period a dimension (`disparities.latest_of`).
    change : DataFrame
        From `disparities.disparity_trend_table`.
    definitions, grades : DataFrame
    """
    rows = latest[
        (latest["with_value"] >= 2)
        & latest["difference"].notna()
        & ~latest["reason"].astype(str).str.startswith(COUNTED)
    ].assign(breakdown="")
    names = ["dimension", "verdict", "first", "last", "least_group", "total_slope", "least_slope", "gap_slope", "years"]
    told = change[["area", *KEY, *names, "reason"]].rename(columns={"reason": "hides_reason"})
    rows = rows.merge(told, on=["area", *KEY, "dimension"], how="left").fillna({"verdict": "cannot tell"})
    rows = with_grades(rows, definitions, grades).merge(definitions[[*KEY, "direction"]], on=KEY)
    # A slope that is not beyond chance is told only where it amounts to something.
    worse = np.where(rows["direction"] == "decrease", 1, -1) * rows["least_slope"] > 0
    wider = (rows["gap_slope"] * rows["years"]).abs() >= WIDER * rows["difference"].abs()
    told = (rows["verdict"] == HIDES) | ((rows["verdict"] == MAY_HIDE) & (worse | wider))
    rows["hides"] = rows["verdict"].map({HIDES: 2, MAY_HIDE: 1}).where(told).fillna(0)
    rows["size"] = (rows["ratio"].where(rows["ratio"] > 0) - 1).abs().fillna(0)
    rows = rows.sort_values(["hides", "priority", "size"], ascending=False, kind="stable")
    sources = definitions.reindex(columns=[*KEY, "group_of"]).rename(columns={"group_of": "total"})
    return [_disparity_finding(row, sources) for _, row in rows.iterrows()]


def _disparity_finding(row: pd.Series, sources: pd.DataFrame) -> Finding:
    statement = (
        f"{row['label']}, by {row['dimension']}: in {spoken(row['period'])} {_who(row)}"
        f"{_times(row['ratio'], row['unit'])}, among {row['with_value']} groups."
    )
    if row["hides"]:
        hides = "The average hides this" if row["verdict"] == HIDES else "The average may hide this"
        statement += (
            f" {hides}: from {spoken(row['first'])} to {spoken(row['last'])} the city as a whole moved by "
            f"{gap(row['total_slope'], row['unit'])} a year, {row['least_group']} by "
            f"{gap(row['least_slope'], row['unit'])}, the gap by {gap(row['gap_slope'], row['unit'])} "
            f"({row['hides_reason']})."
        )
    names = ["difference", "difference_low", "difference_high", "ratio", "groups", "with_value", "suppressed", "period",
             "total_slope", "least_slope", "gap_slope", "years", "first", "last"]  # fmt: skip
    limits_told = [part for part in row["reason"].split("; ") if "lower bound" in part]
    caveats = [*limits_told, "the source gives no interval by group" if row["interval"] == "no interval" else ""]
    caps = [("B", "no interval for the groups")] if row["interval"] == "no interval" else []
    caps += [("B", "some groups have no value")] if row["with_value"] < row["groups"] else []
    caps += [("B", "the change is not beyond chance")] if row["hides"] == 1 else []
    first, last = (row["first"], max(row["last"], row["period"])) if row["hides"] else (row["period"], row["period"])
    mine = sources[(sources["total"] == row["indicator"]) & (sources["unit"] == row["unit"])]
    own = [pd.Series({**part, "area": row["area"]}) for part in mine[KEY].to_dict("records")]
    at = [selector(part, first, last, f"{row['dimension']}=*") for part in (row, *own)]
    numbers = {name: row[name] for name in names if row["hides"] or not name.endswith(("slope", "first", "last"))}
    return make("disparity", row, row["verdict"], statement, numbers, caveats=caveats, caps=caps, evidence=at,
                about=row["dimension"])  # fmt: skip


def _who(row: pd.Series) -> str:
    """Say which of two groups fares worse and by how much; ordered groups are the two ends, others the extremes."""
    size, low, high = row["difference"], row["difference_low"], row["difference_high"]
    first, second = row["lowest_group"], row["highest_group"]
    if row["ordered"]:
        first, second = row["least_advantaged"], row["most_advantaged"]
    if size < 0:  # only of ordered groups: the least advantaged stands higher
        first, second, size, low, high = second, first, -size, -high, -low
    limits = f" (95 % interval {gap_interval(low, high, row['unit'])})" if row["interval"] != "no interval" else ""
    apart = f"a difference of {gap(size, row['unit']).lstrip('+')}{limits}"
    if size == 0:
        return f"{first} and {second} stand alike, a difference of 0"
    if np.isfinite(low) and low <= 0:
        return f"{second} is higher than {first}, {apart}, which chance alone may bring"
    worse, better = {"increase": (first, second), "decrease": (second, first)}.get(row["direction"], (None, None))
    return f"{worse} fares worse than {better}, {apart}" if worse else f"{second} is highest, {first} lowest, {apart}"


def _times(ratio: float, unit: str) -> str:
    """Say the ratio, but not of changes from a base, scores or degrees, whose zero is a convention."""
    kind = catalogue.unit_scale(unit).kind
    return f" (ratio {number(ratio)})" if np.isfinite(ratio) and kind not in ("change", "score", "index") else ""
