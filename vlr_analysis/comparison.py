"""City and nation: whether two series say the same, where they may be compared."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd

from vlr_analysis import smell
from vlr_analysis.comparability import comparability as comparability
from vlr_analysis.comparability import zero_of
from vlr_analysis.language import coded
from vlr_analysis.observations import COLUMNS
from vlr_analysis.progress import progress_table
from vlr_analysis.trends import AWAY, DEFINITION_KEY, LEAST, TOWARDS, UNKNOWN, trend_statistics, trend_table, yearly

AGREE, DISAGREE, ONLY_LOCAL, ONLY_NATIONAL, NOT_COMPARED, CANNOT_TELL = (
    "agree", "disagree", coded("only local"), coded("only national"), coded("not compared"), coded("cannot tell"),
)  # fmt: skip
VERDICTS = (AGREE, DISAGREE, ONLY_LOCAL, ONLY_NATIONAL, NOT_COMPARED, CANNOT_TELL)  # as matrix and chart order them
TOLERANCE = 0.10  # values that differ by more, relative to the other's, are told as different

_SLOPE = ("difference_slope", "difference_slope_low", "difference_slope_high", "difference_p", "difference_p_ar1")
STEADY_LEAST = 8  # common years below which a steady distance is not told from a slow change
ALPHA = 0.05  # of both tests of the trend of a difference


# Suspicions that a number was entered wrongly.
_SLIPPED = r"^factor of|^percent against|^total in a rate|^placeholder"
COMPARED = [
    "area", "other_area", *DEFINITION_KEY, *(f"other_{name}" for name in DEFINITION_KEY), "comparability",
    "comparability_reason", "smell", "common", "year", "value", "other_value", "difference", "ratio",
    "relative_difference", "span", *_SLOPE, "trend", "other_trend", "movement", "other_movement", "progress",
    "other_progress", "verdict", "disagree_on", "likely_reason",
]  # fmt: skip


def compare(t: np.ndarray, own: np.ndarray, other: np.ndarray, zero: float = 0.0) -> dict[str, float]:
    """Compare two series at the same points in time.

    Parameters
    ----------
    t : array, shape (n,)
        Years, ascending.
    own, other : array, shape (n,)
        Values in the same unit, without NaN.
    zero : float
        Where the unit has its zero: -1 for a change from a base as a proportion, so that places are compared by what
        they have and not by how far they moved; NaN where zero is a convention (°C, a score): nothing is relative.

    Returns
    -------
    dict
        At the last year: `difference` (own - other), `ratio` (NaN unless both are above zero), `relative_difference`
        (difference over the size of the other; NaN where the other is zero, either is below zero, or zero is a
        convention). `span` (years from the first to the last). Over all years (n >= 5, else NaN): `difference_slope`
        with `difference_slope_low` and `difference_slope_high` (Theil-Sen, unit per year), `difference_p` (Kendall),
        `difference_p_ar1` (the same, allowing for correlated years).

    Notes
    -----
    A difference that is steady and large points at definitions; one that grows points at the places.
    """
    empty = dict.fromkeys(_SLOPE, np.nan)
    if not len(t):
        return dict.fromkeys(("difference", "ratio", "relative_difference", "span"), np.nan) | empty
    apart = own - other
    mine, theirs = own[-1] - zero, other[-1] - zero  # NaN where zero is a convention: no comparison below holds
    ratio = mine / theirs if mine > 0 and theirs > 0 else np.nan
    relative = apart[-1] / theirs if mine >= 0 and theirs > 0 else np.nan
    now = {"difference": apart[-1], "ratio": ratio, "relative_difference": relative, "span": float(t[-1] - t[0])}
    if len(t) < LEAST:
        return now | empty
    if np.ptp(apart) == 0:
        return now | dict(zip(_SLOPE, (0.0, 0.0, 0.0, 1.0, 1.0), strict=True))
    found = trend_statistics(t[None], apart[None])
    slope = (found.slope, found.low, found.high, found.p, found.p_ar1)
    return now | dict(zip(_SLOPE, (float(value[0]) for value in slope), strict=True))


def comparison_table(
    own: pd.DataFrame,
    other: pd.DataFrame,
    definitions: pd.DataFrame,
    pairs: pd.DataFrame | None = None,
    *,
    baseline_year: int = 2015,
    horizon: int = 2030,
    tolerance: float = TOLERANCE,
    smells: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Set the headline series of a city beside those of its nation, or of another place.

    Parameters
    ----------
    own, other : DataFrame
        Observations of one area each.
    definitions : DataFrame
        Direction, target and scale, by the city's own (indicator, series, unit).
    pairs : DataFrame, optional
        What a person has said: `indicator`, `series`, `unit` of the city, `other_indicator`, `other_series`,
        `other_unit`, `declared` (same, near, context, blocked), `why`. Series that are in both tables under the
        same key and not in here are paired as *same*.
    baseline_year, horizon : int
        For the progress rule, which is applied to both.
    tolerance : float
        Relative difference of the latest common values beyond which they are told as different.
    smells : DataFrame, optional
        From `smell.smell_table`, of both places: a pair with a headline series that may have slipped is blocked.

    Returns
    -------
    DataFrame, one row per pair, and per series that stands alone
        `area`, `other_area`, `indicator`, `series`, `unit`, `other_indicator`, `other_series`, `other_unit`;
        `comparability`, `comparability_reason`, `smell` (see `smell.pair_smell`); `common` (years in both), `year`,
        `value`, `other_value`; for same and near the columns of `compare`; `trend`, `other_trend` (verdicts of
        `trend_table`), `movement`, `other_movement` (towards or away from the goal, where a trend is seen), for a pair
        all four over the common years only, for what stands alone over its own; `progress`, `other_progress` (each
        over its own years); `verdict`: agree, disagree, cannot tell, only local, only national, not compared (context,
        blocked, or no value of a common year); `disagree_on` (level, direction, both joined by ``; ``);
        `likely_reason` (of a disagreement: what the figures point to first).

    Notes
    -----
    The smell test comes first: a pair that smells is blocked until a person has looked. Disagreement on the level
    is a relative difference beyond the tolerance whose intervals, where both sources give them, do not overlap; on the
    direction, over the years that both have, one moves towards the goal and the other away. *Agree* is a level within
    the tolerance and no such directions. *Cannot tell* is a level beyond it with intervals that overlap, or a unit
    without a zero of its own (°C, a score, values below zero) whose intervals overlap or are not given. None of them
    says which side is right.
    """
    options = {"baseline_year": baseline_year, "horizon": horizon, "tolerance": tolerance, "smells": smells}
    return comparison_tables(own, {"": other}, definitions, pairs, **options)[""]


def comparison_tables(
    own: pd.DataFrame,
    others: Mapping[str, pd.DataFrame],
    definitions: pd.DataFrame,
    pairs: pd.DataFrame | None = None,
    *,
    baseline_year: int = 2015,
    horizon: int = 2030,
    tolerance: float = TOLERANCE,
    smells: pd.DataFrame | None = None,
) -> dict[str, pd.DataFrame]:
    """Return `comparison_table` of a city and each of several areas; what concerns the city alone is done once."""
    mine = _side(own, baseline_year, horizon, definitions, pairs)
    sides = {area: _side(other, baseline_year, horizon, definitions, pairs) for area, other in others.items()}
    return {area: _compared(mine, theirs, pairs, tolerance, smells) for area, theirs in sides.items()}


def _compared(mine: dict, theirs: dict, pairs, tolerance: float, smells: pd.DataFrame | None) -> pd.DataFrame:
    matched = _matched(mine["heads"], theirs["heads"], pairs)
    common = [_common(mine, theirs, pair) for pair in matched]
    own_trends, other_trends = (
        _trends(side, [(pair[place], years) for pair, years in zip(matched, common, strict=True)])
        for place, side in enumerate((mine, theirs))
    )
    moves = own_trends.join(other_trends.add_prefix("other_")).to_dict("records")
    for side in (mine, theirs):
        side["slips"] = _slips(smells, side["area"])
    rows = [
        _row(mine, theirs, pair, years or [], tolerance, move)
        for pair, years, move in zip(matched, common, moves, strict=True)
    ]
    return pd.DataFrame(rows, columns=COMPARED)


def _slips(smells: pd.DataFrame | None, area: str) -> dict[tuple, str]:
    """Return what looks like a slip in the headline series of an area: by factor, unit or filler, not by shape."""
    if smells is None or not len(smells):
        return {}
    rows = smells[(smells["area"] == area) & (smells["breakdown"] == "") & smells["suspicion"].str.contains(_SLIPPED)]
    return {key: "; ".join(part["text"]) for key, part in rows.groupby(DEFINITION_KEY)}


def _side(table: pd.DataFrame, baseline_year: int, horizon: int, definitions: pd.DataFrame, pairs) -> dict:
    """Yearly values, direction and progress of the headline series of one area, by (indicator, series, unit)."""
    headline = table[table["breakdown"] == ""]
    known = definitions
    if pairs is not None and len(pairs):
        renamed = pairs.merge(definitions, on=DEFINITION_KEY)
        renamed[DEFINITION_KEY] = renamed[[f"other_{name}" for name in DEFINITION_KEY]].to_numpy()
        # What a person paired comes first: the nation's own row often has no direction, and would win.
        known = pd.concat([renamed[definitions.columns], definitions]).drop_duplicates(DEFINITION_KEY)
    series = yearly(headline)
    order = series.keys.sort_values(["n", "duration"], ascending=[False, True], kind="stable")
    rows = order.drop_duplicates(DEFINITION_KEY).sort_index().index.to_numpy()
    progress = progress_table(headline, known, baseline_year=baseline_year, horizon=horizon)["verdict"]
    told = series.keys.take(rows)
    keys = list(told[DEFINITION_KEY].itertuples(index=False, name=None))
    heads = {
        key: {**dict(zip(DEFINITION_KEY, key, strict=True)), "has_break": broken, "progress": verdict}
        for key, broken, verdict in zip(keys, told["has_break"], progress.take(rows), strict=True)
    }
    years, stop = np.floor(series.points["t"].to_numpy()).astype(int), np.cumsum(series.keys["n"].to_numpy())
    ends = zip(keys, stop[rows] - told["n"].to_numpy(), stop[rows], strict=True)
    values = {key: _Values(years[a:b], np.arange(a, b)) for key, a, b in ends if b > a}
    area = str(table["area"].iloc[0]) if len(table) else ""
    numbers = {name: series.points[name].to_numpy() for name in ("value", "low", "high")}
    return {"area": area, "heads": heads, "values": values, "known": known, "points": series.points} | numbers


class _Values(NamedTuple):
    """The years of a series, and where its values stand among the points of its side."""

    years: np.ndarray
    at: np.ndarray

    def of(self, years: list[int]) -> np.ndarray:
        """Return where the values of some of its years stand."""
        return self.at[np.searchsorted(self.years, years)]


def _matched(mine: dict, theirs: dict, pairs: pd.DataFrame | None) -> list[tuple]:
    """List (own key or None, other key or None, declared grade, why), what a person paired first."""
    found, used, taken = [], set(), set()
    for pair in () if pairs is None else pairs.itertuples():
        own = (pair.indicator, pair.series, pair.unit)
        other = (pair.other_indicator, pair.other_series, pair.other_unit)
        if own in mine and other in theirs:
            found.append((own, other, pair.declared, pair.why))
            used.add(own)
            taken.add(other)
    for own in mine:
        if own not in used:
            same = own in theirs and own not in taken
            found.append((own, own if same else None, "same", ""))
            if same:
                taken.add(own)
    return found + [(None, other, "same", "") for other in theirs if other not in taken]


def _common(mine: dict, theirs: dict, pair: tuple) -> list[int] | None:
    """Return the years in which both sides of a pair have a value, ascending; None for what stands alone."""
    if pair[0] is None or pair[1] is None:
        return None
    a, b = mine["values"].get(pair[0]), theirs["values"].get(pair[1])
    return [] if a is None or b is None else np.intersect1d(a.years, b.years).tolist()


def _trends(side: dict, wanted: list[tuple]) -> pd.DataFrame:
    """Return `trend` and `movement` of each (key or None, common years or None for all), by place in the list.

    All series of a side are tested together, so that the correction for many tests knows of all of them.
    """
    points, places, at, units, directions = side["points"], [], [], [], []
    known = side["known"].drop_duplicates(DEFINITION_KEY).set_index(DEFINITION_KEY)["direction"].to_dict()
    for place, (key, years) in enumerate(wanted):
        values = None if key is None else side["values"].get(key)
        if values is None or years == []:
            continue
        # A series may stand in two pairs with different years: each place is a series of its own here.
        at.append(values.at if years is None else values.of(years))
        places += [str(place)] * len(at[-1])
        units += [key[2]] * len(at[-1])
        directions.append((str(place), "", key[2], known.get(key, "")))
    empty = pd.DataFrame({"trend": UNKNOWN, "movement": ""}, index=range(len(wanted)))
    if at:
        name = {"area": side["area"], "indicator": places, "series": "", "unit": units, "breakdown": "", "source": ""}
        table = points.take(np.concatenate(at)).assign(**name)[list(COLUMNS)].reset_index(drop=True)
        found = trend_table(table, pd.DataFrame(directions, columns=[*DEFINITION_KEY, "direction"]))
        empty.loc[found["indicator"].astype(int)] = found[["verdict", "movement"]].to_numpy()
    absent = [key is None for key, _ in wanted]
    empty.loc[absent, "trend"] = ""
    return empty


def _row(mine: dict, theirs: dict, pair: tuple, years: list[int], tolerance: float, move: dict) -> dict:
    own, other, declared, why = pair
    row = {"area": mine["area"], "other_area": theirs["area"], "disagree_on": "", "smell": "", "comparability": "",
           "likely_reason": "", "comparability_reason": "", "progress": "", "other_progress": "",
           "common": len(years)} | move  # fmt: skip
    for side, key, prefix in ((mine, own, ""), (theirs, other, "other_")):
        if key is not None:
            row |= {f"{prefix}{name}": value for name, value in zip(DEFINITION_KEY, key, strict=True)}
            row[f"{prefix}progress"] = side["heads"][key]["progress"]
        else:
            row |= {f"{prefix}{name}": "" for name in DEFINITION_KEY}
    if own is None or other is None:
        return row | {"verdict": ONLY_NATIONAL if own is None else ONLY_LOCAL}
    about = [_about(side, key, len(years)) for side, key in ((mine, own), (theirs, other))]
    grade, reason = comparability(*about, declared)
    reasons = [why, reason]
    if years:
        places = mine["values"][own].of(years), theirs["values"][other].of(years)
        first, second = mine["value"][places[0]], theirs["value"][places[1]]
        row |= {"year": years[-1], "value": first[-1], "other_value": second[-1]}
        if grade in ("same", "near"):
            slips = [side["slips"].get(key, "") for side, key in ((mine, own), (theirs, other))]
            row["smell"] = smell.pair_smell(first, second)
            row["smell"] = "; ".join(dict.fromkeys(filter(None, [row["smell"], *slips])))
        if row["smell"]:
            grade, reasons = "blocked", [*reasons, coded("the smell test stops it")]
    row |= {"comparability": grade, "comparability_reason": "; ".join(filter(None, reasons))}
    if grade not in ("same", "near"):
        return row | {"verdict": NOT_COMPARED}
    row |= compare(np.array(years, float), first, second, zero_of(own[2]))
    latest = (
        {name: side[name][place[-1]] for name in ("value", "low", "high")}
        for side, place in zip((mine, theirs), places, strict=True)
    )
    level = _level(row, *latest, tolerance, zero_of(own[2]))
    on = ["level"] if level == DISAGREE else []
    on += ["direction"] if {row["movement"], row["other_movement"]} == {TOWARDS, AWAY} else []
    row |= {"verdict": DISAGREE if on else level, "disagree_on": "; ".join(on)}
    return row | {"likely_reason": likely_reason(row) if on else ""}


def likely_reason(row: dict) -> str:
    """Say what the figures point to first where a city and its nation disagree; a person has to confirm it.

    Parameters
    ----------
    row : dict
        `comparability`, `comparability_reason`, `common`, `span`, `difference`, `difference_slope` with its interval
        `difference_slope_low` and `difference_slope_high`, `difference_p`, `difference_p_ar1`.

    Returns
    -------
    str
        The named difference of a pair that is not the same; else whether the distance grows, shrinks or is steady: a
        steady one points at the make-up of the places or at definitions, a changing one at developments.

    Notes
    -----
    It grows or shrinks where Kendall's test and the one that allows for correlated years both reject: distances that
    wander pass the first too often. It is steady where at least 8 common years rule out that it changed by half of
    itself (the end of the slope's interval that is further from zero, times the span). Else neither can be told.
    """
    # How old the latest values are says nothing of a year that both have.
    named = [part for part in row["comparability_reason"].split("; ") if part and not part.startswith("latest values")]
    if row["comparability"] != "same" and named:
        return coded("the pair is {comparability}: {named}", comparability=row["comparability"], named="; ".join(named))
    if row["common"] < LEAST:
        if row["common"] == 1:
            return coded("not to be told from 1 common year")
        return coded("not to be told from {n} common years", n=row["common"])
    if row["difference_p"] <= ALPHA and row["difference_p_ar1"] <= ALPHA:
        grows = row["difference_slope"] * row["difference"] > 0
        if grows:
            return coded("the distance grows: the places develop differently")
        return coded("the distance shrinks: the places develop differently")
    change = max(abs(row["difference_slope_low"]), abs(row["difference_slope_high"])) * row["span"]
    if row["common"] >= STEADY_LEAST and change < abs(row["difference"]) / 2:
        return coded("a steady distance: the places differ in make-up, or the definitions do")
    return coded("neither growth nor steadiness can be told from {common} common years", common=row["common"])


def together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Return several results of `comparison_table` as one; with its columns also where there is none."""
    tables = [table for table in tables if len(table)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=COMPARED)


def matrix(compared: pd.DataFrame, goals: pd.Series) -> pd.DataFrame:
    """Count what city and nation say to each other, by goal.

    Parameters
    ----------
    compared : DataFrame
        From `comparison_table`.
    goals : Series
        Goal of each row of `compared`, 0 for none.

    Returns
    -------
    DataFrame, one row per goal
        `goal` and the number of series by verdict: agree, disagree, only local, only national, not compared, cannot
        tell.
    """
    counts = compared.groupby([goals.rename("goal"), "verdict"]).size().unstack(fill_value=0)
    return counts.reindex(columns=list(VERDICTS), fill_value=0).rename_axis(columns=None).reset_index()


def questions(compared: pd.DataFrame, labels: pd.Series, city: str, nation: str) -> pd.DataFrame:
    """Put into questions what one side can ask the other.

    Parameters
    ----------
    compared : DataFrame
        From `comparison_table`.
    labels : Series
        What each row measures, in readers' words.
    city, nation : str
        Names of the two places.

    Returns
    -------
    DataFrame, one row per question
        `asked` (whom), `label`, `question`, `why`; disagreements first, then differences that may be chance, then
        pairs that cannot be compared, then what only one side has.
    """
    office = coded("{nation}'s statistical office", nation=nation)
    asked = {DISAGREE: "both", CANNOT_TELL: "both", NOT_COMPARED: office, ONLY_NATIONAL: office, ONLY_LOCAL: office}
    rows = []
    for verdict in asked:
        for place, row in compared[compared["verdict"] == verdict].iterrows():
            question, why = _question(row, city, nation)
            rows.append({"asked": asked[verdict], "label": labels[place], "question": question, "why": why})
    return pd.DataFrame(rows, columns=["asked", "label", "question", "why"])


def _question(row: pd.Series, city: str, nation: str) -> tuple[str, str]:
    if row["verdict"] == DISAGREE:
        apart = row["relative_difference"]
        size = coded("level by {apart} %", apart=f"{100 * abs(apart):.0f}") if np.isfinite(apart) else "level"
        on = row["disagree_on"].replace("level", size).replace(";", " and")
        return coded("Why do {city} and {nation} differ on {on}?", city=city, nation=nation, on=on), row[
            "likely_reason"
        ]
    if row["verdict"] == CANNOT_TELL:
        why = coded("the figures give no difference that is sure: intervals overlap, or are not given for both")
        return coded("Is the difference between {city} and {nation} real?", city=city, nation=nation), why
    if row["verdict"] == NOT_COMPARED:
        return coded("Which figure of {nation} measures the same as {city}'s?", nation=nation, city=city), row[
            "comparability_reason"
        ]
    if row["verdict"] == ONLY_NATIONAL:
        return coded("Can the figure be broken down to {city}?", city=city), coded(
            "the nation reports it, the city has none"
        )
    return coded("Would {nation} report what {city} already measures?", nation=nation, city=city), coded(
        "the city reports it, the nation has none"
    )


def _about(side: dict, key: tuple[str, str, str], common: int) -> dict:
    values = side["values"].get(key)
    last = np.nan if values is None else float(values.years.max())
    return side["heads"][key] | {"last": last, "common": common}


def _level(row: dict, own: dict, other: dict, tolerance: float, zero: float) -> str:
    """Return what the latest values of a common year say: agree, disagree, cannot tell."""
    relative = row["relative_difference"]
    if row["difference"] == 0 or (np.isfinite(relative) and abs(relative) <= tolerance):
        return AGREE
    if np.isfinite([own["low"], own["high"], other["low"], other["high"]]).all():
        return DISAGREE if own["low"] > other["high"] or own["high"] < other["low"] else CANNOT_TELL
    # Without a size to hold against the tolerance and without intervals, any difference may be small.
    measured = np.isfinite(relative) or (np.isfinite(zero) and min(own["value"], other["value"]) >= zero)
    return DISAGREE if measured else CANNOT_TELL
