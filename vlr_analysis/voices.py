"""Voices beside figures: where what residents say and what the figures say agree, disagree, or cannot be compared."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

import numpy as np
import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.disclosure_voices import protected
from vlr_analysis.disparities import HIDES, MAY_HIDE
from vlr_analysis.evidence import counted, evidence_table, graded, rules, said_table, table_of, where
from vlr_analysis.exhibits import plain_number as number
from vlr_analysis.language import coded
from vlr_analysis.periods import plain as spoken
from vlr_analysis.periods import year_of
from vlr_analysis.trends import AWAY, DEFINITION_KEY, SEEN, TOWARDS, UNKNOWN

__all__ = ["evidence_table", "protected", "rules", "said_table", "triangulation", "uncovered"]

AGREES, DISAGREES, SILENT = "agrees", "disagrees", "silent"
# What keeps the two from being set beside each other.
NO_FIGURES, WHICH, HIDDEN, SPLIT, LEVEL, OTHER_YEARS, NO_TREND, NO_DIRECTION = (
    coded("no figures"), coded("several series"), coded("counts not shown"), coded("voices split"),
    coded("no movement said"), coded("other years"), coded("no trend"),
    coded("no direction"),
)  # fmt: skip
MOVES = {"improves": TOWARDS, "worsens": AWAY}
VERBS = {"improves": coded("{who} say that it improves"), "worsens": coded("{who} say that it worsens"),
         "unchanged": coded("{who} say that it is unchanged"),
         "concern": coded("{who} voice concern"), "satisfied": coded("{who} are satisfied")}  # fmt: skip
APART = 5  # figures that ended so many years before people spoke are not of the same time

TOLD_COLUMNS = [
    "area", "evidence", "title", "kind", "period", "theme", "target", "place", "where", "participants", "spoke", "says",
    "count", "voices", "indicator", "series", "unit", "label", "breakdown", "movement", "trend_verdict",
    "slope_per_year", "n", "first", "last", "total_movement", "average_hides", "verdict", "silence", "reason", "grade",
    "grade_reason", "source",
]  # fmt: skip
UNCOVERED_COLUMNS = ["theme", "target", "target_label", "missing", "where", "people", "pieces", "titles", "says",
                     "series_of_target"]  # fmt: skip


def triangulation(
    register: pd.DataFrame,
    trend: pd.DataFrame,
    definitions: pd.DataFrame,
    disparities: pd.DataFrame | None = None,
    as_of: int | None = None,
) -> pd.DataFrame:
    """Set what people say beside what the figures say.

    Parameters
    ----------
    register : DataFrame
        From `sources.voices.read_voices`, or protected.
    trend : DataFrame
        From `trends.trend_table`, of one area, with its breakdowns.
    definitions : DataFrame
        Labels.
    disparities : DataFrame, optional
        From `disparities.disparity_trend_table`; where it says that the average hides the place, the reason says so.
    as_of : int, optional
        Year from which the age of evidence is counted; left out: no age.

    Returns
    -------
    DataFrame, one row per (evidence, theme, place), in the order of the register
        `area`; `evidence`, `title`, `kind`, `period`, `theme`, `target`, `place`, `where`, `participants`; `spoke`
        (people who said anything on the theme), `says` (the statement of more than half of them, else empty), `count`
        (people behind it), `voices` (every statement with its count); `indicator`, `series`, `unit`, `label`;
        `breakdown` (whose figures were used: the place's own, else the total), their `movement`, `trend_verdict`,
        `slope_per_year`, `n`, `first`, `last`; `total_movement`; `average_hides` (the place's own figures agree with
        its people, the total moves the other way); `verdict` (agrees, disagrees, silent), `silence` (what keeps the
        two apart; empty unless silent), `reason`; `grade`, `grade_reason` of the voices, by the people of that place
        alone; `source` of the voices.

    Raises
    ------
    ValueError
        `trend` holds more than one area.

    Notes
    -----
    Nothing is averaged: voices stay counts, and a verdict is a word. Silent where a theme has no series, or several;
    where no statement has more than half of those who spoke, or hidden counts leave that open; where people voice
    concern or satisfaction, which are about how things stand and not how they move; where the figures end five years
    or more before people spoke, or begin later; where no trend is seen, which is not the same as no change; where
    nobody has stated the desired direction.
    """
    areas = trend["area"].unique()
    if len(areas) > 1:
        raise ValueError(f"voices speak of one area, and the trends are of {', '.join(areas)}")
    area = areas[0] if len(areas) else ""
    known, labels = _by_key(trend), definitions.set_index(DEFINITION_KEY)["label"].to_dict()
    hidden = _hidden_by_average(disparities)
    rows = []
    for _, group in register.groupby(["evidence", "theme", "place"], sort=False):
        told = _told(group, known, hidden)
        label = labels.get(tuple(told[name] for name in DEFINITION_KEY), "")
        about = graded(group, as_of)
        rows.append(told | {"area": area, "label": label} | {name: about[name] for name in ("grade", "grade_reason")})
    return table_of(rows, TOLD_COLUMNS, "participants spoke count slope_per_year n", "average_hides")


def _by_key(trend: pd.DataFrame) -> dict[tuple[str, str, str, str], dict[str, Any]]:
    """Return the rows of a trend table by indicator, series, unit and breakdown; of several the longest."""
    rows = trend.sort_values(["n", "duration"], ascending=[False, True], kind="stable")
    found: dict[tuple, dict] = {}
    for row in rows.to_dict("records"):
        found.setdefault(tuple(row[name] for name in (*DEFINITION_KEY, "breakdown")), row)
    return found


def _hidden_by_average(disparities: pd.DataFrame | None) -> set[tuple[str, str, str, str]]:
    if disparities is None:
        return set()
    rows = disparities[disparities["verdict"].isin([HIDES, MAY_HIDE])]
    places = rows["dimension"] + "=" + rows["least_group"]
    return set(zip(rows["indicator"], rows["series"], rows["unit"], places, strict=True))


def _told(group: pd.DataFrame, known: dict, hidden: set) -> dict[str, Any]:
    first = group.iloc[0]
    names = ["evidence", "title", "kind", "period", "theme", "target", "place", "participants", *DEFINITION_KEY,
             "source"]  # fmt: skip
    row = first[names].to_dict() | {"where": where(first["place"])} | _voice(group)
    row |= {"breakdown": "", "movement": "", "trend_verdict": "", "first": "", "last": "", "total_movement": "",
            "average_hides": False, "silence": ""}  # fmt: skip
    key, silence, reason = _series_of(first, known)
    if key is None:
        return row | {"verdict": SILENT, "silence": silence, "reason": f"{_spoken_by(row)}; {reason}"}
    whole, part = known.get((*key, "")), known.get((*key, row["place"])) if row["place"] else None
    used = whole if part is None else part
    row |= dict(zip(DEFINITION_KEY, key, strict=True))
    row |= {name: used[name] for name in ("breakdown", "movement", "slope_per_year", "n", "first", "last")}
    row |= {"trend_verdict": used["verdict"], "total_movement": whole["movement"] if whole else ""}
    verdict, silence, reason = _judged(row)
    opposite = {TOWARDS: AWAY, AWAY: TOWARDS}.get(row["movement"])
    hides = verdict == AGREES and part is not None and opposite is not None and row["total_movement"] == opposite
    parts = [_spoken_by(row), reason]
    if row["kind"] == "complaint log" and row["says"]:
        parts.append(coded("a log of complaints holds complaints alone"))
    if verdict != SILENT and year_of(row["period"]) <= year_of(row["last"]) - APART:
        parts.append(coded("people spoke in {period}", period=year_of(row["period"])))
    if row["place"] and part is None:
        parts.append(coded("there are no figures of {where}: the total stands for it", where=row["where"]))
    if hides:
        parts.append(coded("those of the whole area move {opposite}: the average hides this place", opposite=opposite))
        parts.append(coded("the gap between the groups says so too") if (*key, row["place"]) in hidden else "")
    if verdict == DISAGREES and not row["place"] and (alike := _groups_that_agree(row, key, known)):
        parts.append(coded("those of {alike} move as people say", alike=alike))
    text = "; ".join(part for part in parts if part)
    return row | {"average_hides": hides, "verdict": verdict, "silence": silence, "reason": text}


def _voice(group: pd.DataFrame) -> dict[str, Any]:
    """Say which statement more than half of those who spoke made; hidden counts leave only an upper bound of them."""
    group = group.sort_values("count", ascending=False, kind="stable")
    counts = group["count"]
    spoke = counts.sum() if counts.notna().all() else np.nan
    bound = spoke if np.isfinite(spoke) else group["participants"].iloc[0]
    told = [f"{says}: {text.partition(' of ')[0]}" for says, text in zip(group["says"], counted(group), strict=True)]
    leads = bound > 0 and counts.iloc[0] > bound / 2
    says, count = (group["says"].iloc[0], counts.iloc[0]) if leads else ("", np.nan)
    return {"spoke": spoke, "says": says, "count": count, "voices": "; ".join(told)}


def _spoken_by(row: Mapping[str, Any]) -> str:
    if not row["says"]:
        return row["voices"]
    count, spoke, people = (number(row[name]) for name in ("count", "spoke", "participants"))
    if not np.isfinite(row["spoke"]):
        who = coded("{count} of {people} who took part", count=count, people=people)
    elif row["spoke"] == row["participants"]:
        who = coded("{count} of {people}", count=count, people=people)
    else:
        who = coded("all {spoke} who spoke on it ({people} took part)", spoke=spoke, people=people)
        if count != spoke:
            who = coded(
                "{count} of {spoke} who spoke on it ({people} took part)", count=count, spoke=spoke, people=people
            )
    return VERBS[row["says"]].format(who=who)


def _series_of(first: pd.Series, known: dict) -> tuple[tuple[str, str, str] | None, str, str]:
    """Find the series that a theme speaks of, in the whole or in its place; else say why there is none."""
    code, wanted = first["indicator"], tuple(first[DEFINITION_KEY])
    keys = dict.fromkeys(key[:3] for key in known if key[0] == code and key[3] in ("", first["place"]))
    if not code:
        return None, NO_FIGURES, coded("no figure is named for it")
    if first["series"]:
        near = get_close_matches(first["series"], [key[1] for key in keys], n=1, cutoff=0.5)
        if wanted in keys or not near:
            return (wanted, "", "") if wanted in keys else (None, NO_FIGURES, coded("the city has no figures of it"))
        return (
            None,
            NO_FIGURES,
            coded("the city has no series of that name and unit; near it is {near}", near=f"{near[0]!r}"),
        )
    if len(keys) == 1:
        return next(iter(keys)), "", ""
    if not keys:
        return None, NO_FIGURES, coded("the city has no figures of indicator {code}", code=code)
    return (
        None,
        WHICH,
        coded("{keys} series stand under indicator {code} and none of them is named", keys=len(keys), code=code),
    )


def _judged(row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return verdict, silence and what the figures say."""
    span = (
        coded("{first} to {last}", first=spoken(row["first"]), last=spoken(row["last"]))
        if row["first"]
        else coded("no values")
    )
    figures = coded("the figures of {breakdown}", breakdown=where(row["breakdown"]))
    moves = (
        coded(
            "{figures} move {movement} ({span}, {trend_verdict})",
            figures=figures,
            movement=row["movement"],
            span=span,
            trend_verdict=row["trend_verdict"],
        )
        if row["movement"]
        else ""
    )
    if not row["says"] and (not np.isfinite(row["spoke"]) or row["spoke"] == 0):
        return SILENT, HIDDEN, coded("which statement more than half made cannot be told")
    if not row["says"]:
        return SILENT, SPLIT, coded("no statement is made by more than half of those who spoke")
    if row["trend_verdict"] == UNKNOWN:
        return SILENT, NO_TREND, coded("{figures} are too few for a trend ({span})", figures=figures, span=span)
    year = year_of(row["period"])
    if year >= year_of(row["last"]) + APART or year < year_of(row["first"]):
        return (
            SILENT,
            OTHER_YEARS,
            coded("people spoke in {year}, {figures} are of {span}", year=year, figures=figures, span=span),
        )
    if row["says"] in ("concern", "satisfied"):
        told = moves or coded(
            "{figures} show {trend_verdict} ({span})", figures=figures, trend_verdict=row["trend_verdict"], span=span
        )
        return SILENT, LEVEL, coded("that is about how things stand, not how they move; {told}", told=told)
    if not row["movement"]:
        if row["trend_verdict"] in SEEN:
            return (
                SILENT,
                NO_DIRECTION,
                coded("{figures} change ({span}), and the desired direction is not stated", figures=figures, span=span),
            )
        return (
            SILENT,
            NO_TREND,
            coded(
                "{figures} show no clear trend ({span}), which is not the same as no change", figures=figures, span=span
            ),
        )
    return (AGREES if MOVES.get(row["says"]) == row["movement"] else DISAGREES), "", moves


def _groups_that_agree(row: Mapping[str, Any], key: tuple[str, str, str], known: dict, at_most: int = 3) -> str:
    said = MOVES.get(row["says"])
    found = [where(k[3]) for k, at in known.items() if k[:3] == key and k[3] and said and at["movement"] == said]
    shown = ", ".join(sorted(found)[:at_most])
    return coded("{shown} and {n} more", shown=shown, n=len(found) - at_most) if len(found) > at_most else shown


def uncovered(told: pd.DataFrame, definitions: pd.DataFrame | None = None) -> pd.DataFrame:
    """List what people speak of and no figure covers, for the request of data.

    Parameters
    ----------
    told : DataFrame
        From `triangulation`.
    definitions : DataFrame, optional
        `sdg_target` of the city's own series: how many stand under the same target.

    Returns
    -------
    DataFrame, one row per theme and what is missing, most people first
        `theme`, `target`, `target_label`; `missing` (any figures; figures of this place), `where`; `people` (who spoke
        on it, in the largest single piece of evidence: pieces are never added up, as the same person may have
        spoken in several; NaN where not shown), `pieces` (of evidence), `titles`, `says` (what was said, joined),
        `series_of_target` (NaN without `definitions`).
    """
    place = (told["place"] != "") & (told["breakdown"] == "") & (told["silence"] != NO_FIGURES)
    place &= told["silence"] != WHICH
    rows = told[(told["silence"] == NO_FIGURES) | place]
    rows = rows.assign(missing=np.where(place[rows.index], coded("figures of this place"), coded("any figures")))
    rows["spot"] = rows["where"].where(rows["missing"] != "any figures", "")
    targets = None if definitions is None or "sdg_target" not in definitions else definitions["sdg_target"]
    found = []
    for (theme, target, missing, _), group in rows.groupby(["theme", "target", "missing", "spot"], sort=False):
        said = dict.fromkeys(part.partition(":")[0] for text in group["voices"] for part in text.split("; "))
        found.append({
            "theme": theme, "target": target, "target_label": catalogue.label(target), "missing": missing,
            "where": "; ".join(group["where"].unique()), "people": group["spoke"].fillna(group["count"]).max(),
            "pieces": group["evidence"].nunique(), "titles": "; ".join(group["title"].unique()),
            "says": "; ".join(said), "series_of_target": np.nan if targets is None else (targets == target).sum(),
        })  # fmt: skip
    table = table_of(found, UNCOVERED_COLUMNS, "people pieces series_of_target")
    return table.sort_values("people", ascending=False, kind="stable", na_position="last").reset_index(drop=True)
