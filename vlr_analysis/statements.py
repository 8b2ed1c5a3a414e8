"""Sentences on trends, recovery and groups: fixed words, numbers from the results; each becomes a finding."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.disparities import COUNTED, HIDES, MAY_HIDE
from vlr_analysis.exhibits import alike, gap, number, places_in, unsigned
from vlr_analysis.findings import KEY, Finding, make, selector, value_of, with_grades
from vlr_analysis.language import coded, retold
from vlr_analysis.language import number as decimals
from vlr_analysis.language import told as say
from vlr_analysis.periods import parse_period, spoken
from vlr_analysis.words import group

WIDER = 0.1  # change of a gap, relative to it, that is worth a sentence though it may be chance
SHOCK_YEAR = 2020
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
    slope, reach = alike(row["slope_per_year"], row["slope_low"], row["slope_high"], row["unit"], gap)
    values = {
        "label": row["label"], "movement": retold(row["movement"]), "n": row["n"], "first": spoken(row["first"]),
        "last": spoken(row["last"]), "slope": slope, "interval": reach,
    }  # fmt: skip
    if row["robust"]:
        statement = say(
            "{label}: moving {movement}, {slope} a year (95 % interval {interval}; Theil-Sen slope over {n} yearly "
            "values, {first} to {last}).", **values,
        )  # fmt: skip
    else:
        statement = say(
            "{label}: perhaps moving {movement}, {slope} a year (95 % interval {interval}; Theil-Sen slope over {n} "
            "yearly values, {first} to {last}). Not robust: {reason}.", reason=retold(row["reason"]), **values,
        )  # fmt: skip
    caveats = [retold(row["note"])]
    if newest - int(row["last"][:4]) >= RECENT:
        caveats.append(say("the latest value is of {period}", period=spoken(row["last"])))
    if int(row["last"][:4]) >= 2020 > int(row["first"][:4]):
        caveats.append(say("2020 and later years are included"))
    names = ["slope_per_year", "slope_low", "slope_high", "n", "first", "last"]
    numbers = {name: row[name] for name in names}
    caps = [] if row["robust"] else [("B", coded("the trend is not robust"))]
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
    statement = _stands(row)
    if np.isfinite(row["projection"]):
        end, reach = alike(row["projection"], row["projection_low"], row["projection_high"], row["unit"])
        if np.isfinite(row["projection_low"]):
            statement += " " + say("The path so far, carried on, ends at {end} "
                                   "(95 % interval for one value {interval}).",
                                   end=end, interval=reach)  # fmt: skip
        else:
            statement += " " + say("The path so far, carried on, ends at {end}.", end=end)
    names = ["last_value", "target", "due", "projection", "projection_low", "projection_high", "probability", "n"]
    numbers = {name: row[name] for name in names}
    chance = max(row["probability"], 0.01)
    chance, told = decimals(f"{chance:.2f}"), ""
    if row["probability"] >= 0:
        told = say("the chance of meeting it on that path is {chance}", chance=chance)
    if row["probability"] < 0.01:
        told = say("the chance of meeting it on that path is below {chance}", chance=chance)
    caveats = [retold(row["reason"]), told, say("a path is not a forecast")]
    at = [selector(row, row["base_period"] or row["last_period"], row["last_period"])]
    own = pd.concat([row, pd.Series({"breakdown": ""})]) if "breakdown" not in row else row
    verdict = coded("target: {verdict}", verdict=row["verdict"])
    return make("trend", own, verdict, statement, numbers, caveats=caveats, evidence=at,
                about="target")  # fmt: skip


def _stands(row: pd.Series) -> str:
    """Say where a series stands beside its target."""
    values = {
        "label": row["label"], "value": value_of(row["last_value"], row), "period": spoken(row["last_period"]),
        "target": value_of(row["target"], row), "due": f"{row['due']:.0f}", "verdict": retold(row["verdict"]),
    }  # fmt: skip
    if row["target_source"]:
        return say("{label}: {value} in {period}, target {target} by {due} ({source}): {verdict}.",
                   source=retold(row["target_source"]), **values)  # fmt: skip
    return say("{label}: {value} in {period}, target {target} by {due}: {verdict}.", **values)


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


def _opening(row: pd.Series, values: dict[str, str]) -> str:
    """Say what stood before the shock and at it, and where the years next to it have no value."""
    late = int(row["shock_period"][:4]) > SHOCK_YEAR
    # A year from April or July may end well before the shock and still be the last one without it.
    _, _, last = row["level_period"].partition("/")  # a span of months ends with its last
    ends = row["level_period"] if not last or last.startswith("P") else last
    early = parse_period(ends).end < date(SHOCK_YEAR - 1, 2, 1)
    if late and early:
        return say("{label}: {level} in {before}, the last value before the shock of 2020; {shock} in {period}, the "
                   "first value after it.", **values)  # fmt: skip
    if late:
        return say("{label}: {level} the year before ({before}); the first value after the shock of 2020 is {shock}, "
                   "in {period}.", **values)  # fmt: skip
    if early:
        return say("{label}: {level} in {before}, the last value before; the shock of 2020 coincides with {shock} in "
                   "{period}.", **values)  # fmt: skip
    return say(
        "{label}: {level} the year before ({before}); the shock of 2020 coincides with {shock} in {period}.", **values
    )


def _recovery_finding(row: pd.Series, beside: str) -> Finding:
    values = {
        "label": row["label"], "level": value_of(row["level"], row), "shock": value_of(row["shock_value"], row),
        "period": spoken(row["shock_period"]), "before": spoken(row["level_period"]),
    }  # fmt: skip
    if row["kind"] == "since base" and row["level_period"] == "the base":
        opening = say("{label}: {level} at the base; the shock of 2020 coincides with {shock} in {period}.", **values)
    elif row["kind"] == "since base":
        opening = say(
            "{label}: {level} at the base ({before}); the shock of 2020 coincides with {shock} in {period}.", **values
        )
    else:
        opening = _opening(row, values)
    level = say("Back at the level before: {level}.", level=_level_said(row))
    path = say("Back on the path: {path}.", path=_path_said(row))
    statement = f"{opening} {level} {path}"
    doubts = []
    if row["level_reason"]:
        doubts.append(say("level: {reason}", reason=retold(row["level_reason"])))
    if row["path_reason"]:
        doubts.append(say("path: {reason}", reason=retold(row["path_reason"])))
    reach = row["gap_level_high"] - row["gap_level"]
    usual = ""
    if np.isfinite(reach):
        usual = say("its usual movement reaches {reach}", reach=unsigned(reach, row["unit"]))
    names = [
        "n_before", "n_after", "level", "jump", "shock_value", "shock_change", "last_value", "gap_level",
        "gap_level_low", "gap_level_high", "usual_movement", "depth", "loss", "loss_low", "loss_high", "rebound",
        "gap_path", "gap_path_low", "gap_path_high", "placebo_rank", "placebos",
    ]  # fmt: skip
    numbers = {name: row[name] for name in names}
    verdict = coded("level: {level}; path: {path}", level=row["level_verdict"], path=row["path_verdict"])
    counts = {"before": row["n_before"], "after": row["n_after"]}
    if row["freq"] == "A":
        n = say("{before} values before and {after} after the shock", **counts)
    else:
        n = say("{before} values before and {after} after the shock, after a largest step of {step} in {period}",
                step=gap(row["jump"], row["unit"]), period=row["jump_period"], **counts)  # fmt: skip
    at = [selector(row, "", "")]
    return make("recovery", row, verdict, statement, numbers, caveats=[*doubts, usual, n, beside], evidence=at)


def _level_said(row: pd.Series) -> str:
    verdict = retold(row["level_verdict"])
    if not np.isfinite(row["gap_level"]):
        return verdict
    values = {"verdict": verdict, "gap": gap(row["gap_level"], row["unit"]), "period": spoken(row["level_back"])}
    if row["freq"] == "A" and row["level_back"]:
        return say("{verdict}, back in {period}; latest gap {gap}", **values)
    if row["freq"] == "A":
        return say("{verdict}; latest gap {gap}", **values)
    if row["level_back"]:
        return say("{verdict}, back in {period}; gap of the last year {gap}", **values)
    return say("{verdict}; gap of the last year {gap}", **values)


def _path_said(row: pd.Series) -> str:
    verdict = retold(row["path_verdict"])
    if not (np.isfinite(row["gap_path"]) and np.isfinite(row["gap_path_low"])):
        return verdict
    size, reach = alike(row["gap_path"], row["gap_path_low"], row["gap_path_high"], row["unit"], gap)
    values = {"verdict": verdict, "gap": size, "period": spoken(row["path_period"]), "interval": reach}
    if "/" in row["path_period"] and row["freq"] != "A":
        return say("{verdict}; mean gap {gap} in {period} (95 % interval {interval})", **values)
    return say("{verdict}; gap {gap} in {period} (95 % interval {interval})", **values)


def _beside(others: list[dict], names: dict[str, str]) -> str:
    """Tell of the first of the areas that have the same series."""
    if not others:
        return ""
    at = others[0]
    return say(
        "beside it: {name} {level}, {shock} ({period}), level {level_verdict}, path {path_verdict}",
        name=names[at["area"]], level=value_of(at["level"], at), shock=value_of(at["shock_value"], at),
        period=spoken(at["shock_period"]), level_verdict=retold(at["level_verdict"]),
        path_verdict=retold(at["path_verdict"]),
    )  # fmt: skip


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
    values = {
        "label": row["label"], "dimension": retold(row["dimension"]), "period": spoken(row["period"]),
        "who": _who(row), "n": row["with_value"], "ratio": _times(row["ratio"], row["unit"]),
    }  # fmt: skip
    if values["ratio"]:
        statement = say("{label}, by {dimension}: in {period} {who} (ratio {ratio}), among {n} groups.", **values)
    else:
        statement = say("{label}, by {dimension}: in {period} {who}, among {n} groups.", **values)
    if row["hides"]:
        values = {
            "first": spoken(row["first"]), "last": spoken(row["last"]), "group": group(row["least_group"]),
            "reason": retold(row["hides_reason"]),
        }  # fmt: skip
        slopes = {name: row[f"{name}_slope"] for name in ("total", "least", "gap")}
        at = places_in(row["unit"], *slopes.values())
        values |= {name: gap(slope, row["unit"], places=at) for name, slope in slopes.items()}
        if row["verdict"] == HIDES:
            more = say("The average hides this: from {first} to {last} the city as a whole moved by {total} a year, "
                       "{group} by {least}, the gap by {gap} ({reason}).", **values)  # fmt: skip
        else:
            more = say("The average may hide this: from {first} to {last} the city as a whole moved by {total} a year, "
                       "{group} by {least}, the gap by {gap} ({reason}).", **values)  # fmt: skip
        statement = f"{statement} {more}"
    names = ["difference", "difference_low", "difference_high", "ratio", "groups", "with_value", "suppressed", "period",
             "total_slope", "least_slope", "gap_slope", "years", "first", "last"]  # fmt: skip
    limits_told = [part for part in row["reason"].split("; ") if "lower bound" in part]
    caveats = list(map(retold, limits_told))
    caveats += [say("the source gives no interval by group")] if row["interval"] == "no interval" else []
    caps = [("B", coded("no interval for the groups"))] if row["interval"] == "no interval" else []
    caps += [("B", coded("some groups have no value"))] if row["with_value"] < row["groups"] else []
    caps += [("B", coded("the change is not beyond chance"))] if row["hides"] == 1 else []
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
    first, second = group(first), group(second)
    if size < 0:  # only of ordered groups: the least advantaged stands higher
        first, second, size, low, high = second, first, -size, -high, -low
    apart = say("a difference of {size}", size=unsigned(size, row["unit"]))
    if row["interval"] != "no interval":
        written, reach = alike(size, low, high, row["unit"], unsigned)
        apart = say("a difference of {size} (95 % interval {interval})", size=written, interval=reach)
    if size == 0:
        return say("{first} and {second} stand alike, a difference of 0", first=first, second=second)
    if np.isfinite(low) and low <= 0:
        return say("{second} is higher than {first}, {apart}, which chance alone may bring", first=first, second=second,
                   apart=apart)  # fmt: skip
    worse, better = {"increase": (first, second), "decrease": (second, first)}.get(row["direction"], (None, None))
    if worse:
        return say("{worse} fares worse than {better}, {apart}", worse=worse, better=better, apart=apart)
    return say("{second} is highest, {first} lowest, {apart}", first=first, second=second, apart=apart)


def _times(ratio: float, unit: str) -> str:
    """Return the ratio, but not of changes from a base, scores or degrees, whose zero is a convention."""
    kind = catalogue.unit_scale(unit).kind
    return number(ratio) if np.isfinite(ratio) and kind not in ("change", "score", "index") else ""
