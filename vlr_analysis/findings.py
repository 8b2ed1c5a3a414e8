"""Typed statements computed from results: what was found, with its numbers, its method and its caveat."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd

from vlr_analysis.exhibits import Exhibit, interval, plain_unit, signed, with_unit
from vlr_analysis.periods import spoken

AT_MOST = 12
KEY = ["indicator", "series", "unit"]
RECENT = 5  # a series that ended so many years before the newest one carries a caveat


@dataclass(frozen=True)
class Finding:
    """One statement.

    Attributes
    ----------
    id : str
        Made from the content: the same finding keeps its id, a changed one gets another.
    kind : str
        trend or recovery.
    area, indicator, series, unit, breakdown : str
        What it speaks of.
    verdict : str
        The kit's word for it.
    statement, caveat : str
    numbers : dict
        Every number of the statement, once.
    source : str
        Ids in the sources table.
    """

    id: str
    kind: str
    area: str
    indicator: str
    series: str
    unit: str
    breakdown: str
    verdict: str
    statement: str
    caveat: str
    numbers: dict[str, Any]
    source: str


def _finding(kind: str, row: pd.Series, verdict: str, statement: str, caveat: str, numbers: dict[str, Any]) -> Finding:
    key = [row["area"], row["indicator"], row["series"], row["unit"], row["breakdown"]]
    rounded = {name: float(f"{v:.6g}") if isinstance(v, float) else v for name, v in numbers.items() if v == v}
    content = json.dumps([kind, *key, verdict, rounded], ensure_ascii=False, sort_keys=True)
    mark = f"{kind[0]}-{hashlib.sha256(content.encode()).hexdigest()[:8]}"
    return Finding(mark, kind, *key, verdict, statement, caveat, rounded, row["source"])


def trend_findings(trend: pd.DataFrame, definitions: pd.DataFrame) -> list[Finding]:
    """Return a finding for each headline series with a trend and a stated direction, priorities first.

    Parameters
    ----------
    trend : DataFrame
        From `trends.trend_table`, of one area.
    definitions : DataFrame
        Labels, directions and priorities.
    """
    rows = trend[(trend["breakdown"] == "") & (trend["movement"] != "")]
    rows = rows.merge(definitions[[*KEY, "label", "goal", "priority"]], on=KEY)
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
        f"{row['label']}: {moves} {row['movement']}, {_gap(row['slope_per_year'], row['unit'])} a year "
        f"(95 % interval {interval(row['slope_low'], row['slope_high'])}; Theil-Sen slope over "
        f"{row['n']} yearly values, {spoken(row['first'])} to {spoken(row['last'])}).{doubt}"
    )
    caveats = [row["note"]] if row["note"] else []
    if newest - int(row["last"][:4]) >= RECENT:
        caveats.append(f"the latest value is of {spoken(row['last'])}")
    if int(row["last"][:4]) >= 2020 > int(row["first"][:4]):
        caveats.append("2020 and later years are included")
    names = ["slope_per_year", "slope_low", "slope_high", "n", "first", "last", "tau", "q", "q_ar1"]
    numbers = {name: row[name] for name in names}
    return _finding("trend", row, row["verdict"], statement, _sentence(caveats), numbers)


def recovery_findings(covid: pd.DataFrame, definitions: pd.DataFrame, names: dict[str, str]) -> list[Finding]:
    """Return a finding for each headline series whose shock shows in either reading; priorities always.

    Parameters
    ----------
    covid : DataFrame
        From `covid.covid_table`; the city, and the areas that stand beside it.
    definitions : DataFrame
    names : dict
        Area -> name; the first is the city, whose findings these are. The others are quoted in the caveat.
    """
    city = next(iter(names))
    rows = covid[(covid["area"] == city) & (covid["breakdown"] == "") & (covid["direction"] != "")]
    rows = rows.merge(definitions[[*KEY, "label", "goal", "priority"]], on=KEY)
    told = ["recovered", "not yet", "ahead"]
    shows = rows["level_verdict"].isin(told) | rows["path_verdict"].isin(told)
    rows = rows[(shows | rows["priority"]) & (rows["kind"] != "")]
    rows["behind"] = rows["level_verdict"] == "not yet"
    rows = rows.sort_values(["priority", "behind", "goal"], ascending=[False, False, True], kind="stable")
    beside = covid[(covid["area"] != city) & (covid["breakdown"] == "") & (covid["kind"] != "")]
    return [_recovery_finding(row, _beside(row, beside, names)) for _, row in rows.iterrows()]


def _recovery_finding(row: pd.Series, beside: str) -> Finding:
    before = f" ({spoken(row['level_period'])})" if row["level_period"] != "the base" else ""
    words = "At the base it stood at" if row["kind"] == "since base" else "The year before it stood at"
    step = f", after a largest step of {_gap(row['jump'], row['unit'])} in {row['jump_period']}"
    step = step if row["freq"] != "A" else ""
    statement = (
        f"{row['label']}: {words.lower()} {_value(row['level'], row)}{before}; the shock of 2020 coincides with "
        f"{_value(row['shock_value'], row)} in {spoken(row['shock_period'])}{step}. "
        f"Against the level before: {_said(row, 'level')}. Against the path: {_said(row, 'path')}."
    )
    names = [
        "n_before", "n_after", "level", "jump", "shock_value", "shock_change", "last_value", "gap_level",
        "gap_level_low", "gap_level_high", "usual_movement", "depth", "loss", "loss_low", "loss_high", "rebound",
        "gap_path", "gap_path_low", "gap_path_high", "placebo_rank", "placebos",
    ]  # fmt: skip
    numbers = {name: row[name] for name in names}
    verdict = f"level: {row['level_verdict']}; path: {row['path_verdict']}"
    n = f"{row['n_before']} values before and {row['n_after']} after the shock"
    return _finding("recovery", row, verdict, statement, _sentence([n, beside] if beside else [n]), numbers)


def _said(row: pd.Series, reading: str) -> str:
    verdict, reason = row[f"{reading}_verdict"], row[f"{reading}_reason"]
    told = f"{verdict}" + (f" ({reason})" if reason else "")
    if reading == "level" and np.isfinite(row["gap_level"]):
        since = f", back in {spoken(row['level_back'])}" if row["level_back"] else ""
        latest, reach = _gap(row["gap_level"], row["unit"]), row["gap_level_high"] - row["gap_level"]
        usual = _gap(reach, row["unit"]).lstrip("+") if np.isfinite(reach) else ""
        return f"{told}{since}; latest gap {latest}" + (f" (usual movement reaches {usual})" if usual else "")
    if reading == "path" and np.isfinite(row["gap_path"]) and np.isfinite(row["gap_path_low"]):
        return (
            f"{told}; {'mean ' if '/' in row['path_period'] and row['freq'] != 'A' else ''}gap "
            f"{_gap(row['gap_path'], row['unit'])} in {spoken(row['path_period'])} "
            f"(95 % interval {interval(row['gap_path_low'], row['gap_path_high'])})"
        )
    return told


def _beside(row: pd.Series, others: pd.DataFrame, names: dict[str, str]) -> str:
    same = others[(others[KEY] == row[KEY]).all(axis=1) & (others["duration"] == row["duration"])]
    told = [
        f"{names[area]} {_value(at['level'], at)}, {_value(at['shock_value'], at)} ({spoken(at['shock_period'])}), "
        f"level {at['level_verdict']}, path {at['path_verdict']}"
        for area in names
        for _, at in same[same["area"] == area].iterrows()
    ]
    return "beside it: " + "; ".join(told[:3]) if told else ""


def _value(value: float, row: pd.Series) -> str:
    return with_unit(value, row["unit"])


def _gap(value: float, unit: str) -> str:
    """Return a difference with its unit: of shares, percentage points."""
    if unit.startswith("change relative to"):
        return f"{signed(100 * value)} percentage points"
    return f"{signed(value)} {'percentage points' if unit == '%' else plain_unit(unit)}".rstrip()


def _sentence(parts: list[str]) -> str:
    text = "; ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def listed(findings: list[Finding], name: str = "findings", nothing: str = "") -> Exhibit:
    """Show up to twelve findings, and say how many more the tables hold.

    Parameters
    ----------
    findings : list of Finding
        In the order in which they should be read.
    name : str
        Short name of the list.
    nothing : str
        What to say where there is none.
    """
    shown = findings[:AT_MOST]
    items = "".join(
        f'<li id="{found.id}">{escape(found.statement)}'
        + (f'<span class="caveat">{escape(found.caveat)}</span>' if found.caveat else "")
        + f'<span class="id">{found.id}</span></li>'
        for found in shown
    )
    more = len(findings) - len(shown)
    rest = f"<p>{more} more are in the tables of this chapter.</p>" if more else ""
    html = f'<ul class="findings">{items}</ul>{rest}' if shown else f"<p>{escape(nothing)}</p>"
    columns = list(Finding.__dataclass_fields__)
    data = pd.DataFrame([asdict(found) for found in shown], columns=columns)
    data["numbers"] = [json.dumps(found.numbers, ensure_ascii=False, sort_keys=True) for found in shown]
    return Exhibit("findings", name, "What the figures say.", "", html, data)
