"""Sentences on a city beside its nation and among like cities; each becomes a finding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vlr_analysis.comparison import AGREE, DISAGREE, TOLERANCE
from vlr_analysis.exhibits import MONEY, alike, gap, number, unsigned
from vlr_analysis.findings import KEY, Finding, make, selector, value_of, with_grades
from vlr_analysis.language import coded, gettext, retold
from vlr_analysis.language import told as say
from vlr_analysis.trends import NONE, ROBUST, UNKNOWN

ALPHA = 0.05  # q up to which a pooled effect is told
UNSEEN = 0.001  # share of a value below which a difference is told as none


# --- city and nation -------------------------------------------------------------------------------


def comparison_findings(
    compared: pd.DataFrame, definitions: pd.DataFrame, names: dict[str, str], grades: pd.DataFrame
) -> list[Finding]:
    """Return a finding for each pair that may be compared: disagreement first, the largest first.

    A pair on which nothing can be told is no finding.

    Parameters
    ----------
    compared : DataFrame
        From `comparison.comparison_table`.
    definitions : DataFrame
    names : dict
        Area -> name.
    grades : DataFrame
        Of the city's series.
    """
    rows = compared[compared["verdict"].isin([AGREE, DISAGREE])].assign(breakdown="")
    rows = with_grades(rows, definitions, grades)
    rows["apart"] = rows["relative_difference"].abs().fillna(0)
    rows["first"] = rows["verdict"].eq(DISAGREE) + rows["disagree_on"].str.contains("direction") * 1
    rows = rows.sort_values(["priority", "first", "apart"], ascending=False, kind="stable")
    return [_comparison_finding(row, names) for _, row in rows.iterrows()]


def _comparison_finding(row: pd.Series, names: dict[str, str]) -> Finding:
    city, nation = names[row["area"]], names[row["other_area"]]
    stand = say(
        "{label}: in {year} {city} stands at {value}, {nation} at {other}: {apart}.", label=row["label"],
        year=f"{row['year']:.0f}", city=city, nation=nation, value=value_of(row["value"], row),
        other=value_of(row["other_value"], row), apart=_apart(row),
    )  # fmt: skip
    statement = f"{stand} {_directions(row, city, nation)}"
    if row["verdict"] == DISAGREE:
        statement += " " + say("Likely reason: {reason}.", reason=retold(row["likely_reason"]))
    elif UNSEEN <= abs(row["relative_difference"]) <= TOLERANCE:
        statement += " " + say("They agree: the levels lie within {tolerance} % of each other.",
                               tolerance=f"{100 * TOLERANCE:.0f}")  # fmt: skip
    names_ = ["year", "value", "other_value", "difference", "ratio", "relative_difference", "difference_slope",
              "difference_slope_low", "difference_slope_high", "difference_p", "common"]  # fmt: skip
    grade = row["comparability"]
    caveats = [say("comparability: {grade}", grade=retold(grade)), retold(row["comparability_reason"])]
    caps = [("B", coded("the pair is {grade}, not the same", grade=grade))] if row["comparability"] != "same" else []
    other = row[["other_area", *(f"other_{name}" for name in KEY)]].set_axis(["area", *KEY])
    at = [selector(side, "", "", "") for side in (row, other)]
    on = row["disagree_on"]
    verdict = coded("disagree on {aspect}", aspect=on) if on else row["verdict"]
    return make("nation", row, verdict, statement, {name: row[name] for name in names_}, caveats=caveats, caps=caps,
                evidence=at, about=row["other_area"])  # fmt: skip


def pair_labels(compared: pd.DataFrame, definitions: pd.DataFrame) -> pd.Series:
    """Return what each row of a comparison measures: the city's label, or the nation's where it stands alone."""
    labels = {tuple(row[:3]): row[3] for row in definitions[[*KEY, "label"]].itertuples(index=False)}
    own, other = (list(map(tuple, compared[[f"{side}{name}" for name in KEY]].to_numpy())) for side in ("", "other_"))
    return pd.Series([labels.get(a) or labels.get(b, b[1]) for a, b in zip(own, other, strict=True)], compared.index)


def _apart(row: pd.Series) -> str:
    relative = row["relative_difference"]
    if row["difference"] == 0 or (np.isfinite(relative) and abs(relative) < UNSEEN):
        return say("no difference")
    share = number(100 * abs(relative), 2) if np.isfinite(relative) else ""
    values = {"size": unsigned(row["difference"], row["unit"]), "share": share}
    above = row["difference"] > 0
    if not share:
        return say("{size} above", **values) if above else say("{size} below", **values)
    if row["unit"] == "%" or row["unit"].startswith("change relative to"):
        if above:
            return say("{size} above ({share} % above)", **values)
        return say("{size} below ({share} % below)", **values)
    return say("{share} % above", **values) if above else say("{share} % below", **values)


def _directions(row: pd.Series, city: str, nation: str) -> str:
    own, other = retold(row["movement"]), retold(row["other_movement"])
    sure = [row[name] == ROBUST for name in ("trend", "other_trend")]
    values = {"city": city, "nation": nation, "movement": own or other, "other": other}
    if own and own == other:
        return say("Both move {movement}.", **values) if all(sure) else say("Both perhaps move {movement}.", **values)
    if own and other:
        return _apart_in_direction(sure).format(**values)
    if own or other:
        moving, robust = (city, sure[0]) if own else (nation, sure[1])
        still = _still(nation, row["other_trend"]) if own else _still(city, row["trend"])
        values = {"moving": moving, "movement": own or other, "still": still}
        if robust:
            return say("{moving} moves {movement}; {still}.", **values)
        return say("{moving} perhaps moves {movement}; {still}.", **values)
    if row["trend"] != row["other_trend"]:
        text = say("{city}; {nation}.", city=_still(city, row["trend"]), nation=_still(nation, row["other_trend"]))
        return text[0].upper() + text[1:]
    told = {NONE: say("Neither shows a clear trend."), UNKNOWN: say("For neither can a trend be told.")}
    return told.get(row["trend"], say("Neither shows a trend with a stated direction."))


def _apart_in_direction(sure: list[bool]) -> str:
    """Return the sentence, with its gaps, on two that move apart: which of the moves are sure."""
    if all(sure):
        return gettext("{city} moves {movement}, {nation} {other}.")
    if sure[0]:
        return gettext("{city} moves {movement}, {nation} perhaps {other}.")
    if sure[1]:
        return gettext("{city} perhaps moves {movement}, {nation} {other}.")
    return gettext("{city} perhaps moves {movement}, {nation} perhaps {other}.")


def _still(name: str, trend: str) -> str:
    if trend == NONE:
        return say("{name} shows no clear trend", name=name)
    if trend == UNKNOWN:
        return say("for {name} a trend cannot be told", name=name)
    return say("{name} shows a trend without a stated direction", name=name)


# --- city and cities -------------------------------------------------------------------------------


def benchmark_findings(
    standings: pd.DataFrame, definitions: pd.DataFrame, city: str, grades: pd.DataFrame
) -> list[Finding]:
    """Return a finding for each shared series on which the city stands outside the middle half of like cities.

    Parameters
    ----------
    standings : DataFrame
        From `benchmark.benchmark_table`.
    definitions : DataFrame
    city : str
        Area of the city.
    grades : DataFrame
        Of the city's series.

    Notes
    -----
    Priorities are told wherever they stand. Worse standings come first: they ask for an answer. What is only perhaps so
    comes last.
    """
    rows = with_grades(standings.assign(area=city, breakdown=""), definitions, grades)
    outside = ~rows["standing"].astype(str).str.startswith("inside")
    rows = rows[outside | rows["priority"]]
    standing = rows["standing"].astype(str)
    rows["order"] = standing.str.startswith("worse").astype(int) - standing.str.startswith("perhaps")
    rows = rows.sort_values(["priority", "order", "goal"], ascending=[False, False, True], kind="stable")
    return [_benchmark_finding(row) for _, row in rows.iterrows()]


def _benchmark_finding(row: pd.Series) -> Finding:
    value, reach = alike(row["value"], row["low"], row["high"], row["unit"])
    values = {
        "label": row["label"], "value": value, "year": row["year"], "peers": row["peers"],
        "standing": retold(row["standing"]), "lower": _lower(row), "upper": value_of(row["peers_three_quarters"], row),
    }  # fmt: skip
    if np.isfinite(row["low"]):
        statement = say(
            "{label}: {value} (95 % interval {interval}) in {year}, {standing}; the middle half of {peers} like cities "
            "lies between {lower} and {upper}.", interval=reach, **values,
        )  # fmt: skip
    else:
        statement = say("{label}: {value} in {year}, {standing}; the middle half of {peers} like cities lies between "
                        "{lower} and {upper}.", **values)  # fmt: skip
    wide = np.isfinite(row["rank_low"]) and row["rank_high"] - row["rank_low"] > row["areas"] / 2
    first, last = f"{row['rank_low']:.0f}", f"{row['rank_high']:.0f}"
    if wide:
        statement += " " + say("The intervals are too wide to tell its place among {n}.", n=row["areas"])
    elif np.isfinite(row["rank_low"]) and first == last:
        statement += " " + say("Its place among {n} is {place} (95 % interval; 1 is nearest the goal).", n=row["areas"],
                               place=first)  # fmt: skip
    elif np.isfinite(row["rank_low"]):
        statement += " " + say("Its place among {n} lies between {first} and {last} (95 % interval; 1 is nearest the "
                               "goal).", n=row["areas"], first=first, last=last)  # fmt: skip
    names = ["year", "value", "low", "high", "peers", "areas", "peers_low", "peers_quarter", "peers_middle",
             "peers_three_quarters", "peers_high", "rank_low", "rank_high"]  # fmt: skip
    caps = [("B", coded("the interval of the place spans more than half of the cities"))] if wide else []
    at = [selector(row, str(row["year"]), str(row["year"]), "")]
    return make("benchmark", row, row["standing"], statement, {name: row[name] for name in names},
                caveats=[retold(row["reason"])], caps=caps, evidence=at)  # fmt: skip


def _lower(row: pd.Series) -> str:
    """The lower end of a range whose upper end carries the unit; money carries it at both."""
    value = row["peers_quarter"]
    return value_of(value, row) if row["unit"] in MONEY else number(value)


# --- pooled over cities ----------------------------------------------------------------------------


def pooled_findings(pooled: pd.DataFrame, cities: str, names: Mapping[str, str]) -> list[Finding]:
    """Return a finding for each effect pooled over cities that differs from zero, the clearest first.

    Parameters
    ----------
    pooled : DataFrame
        From `pooling.pooled_table`.
    cities : str
        What the cities have in common, such as the name of their nation.
    names : mapping
        Area -> name, of the cities pooled.

    Notes
    -----
    Told at q <= .05 (Benjamini-Hochberg over all effects pooled together): of many intervals some leave out zero by
    chance. The interval for one further city is not told: it is for the effect itself, without the error with which a
    city would see it.
    """
    clear = pooled[pooled["q"] <= ALPHA]
    order = (clear["mean"].abs() / (clear["high"] - clear["low"])).sort_values(ascending=False, kind="stable").index
    return [_pooled_finding(row, cities, names) for _, row in clear.loc[order].iterrows()]


def _pooled_finding(row: pd.Series, cities: str, names: Mapping[str, str]) -> Finding:
    mean, reach = alike(row["mean"], row["low"], row["high"], row["unit"], gap)
    statement = say(
        "{label}, {cities}: the {effect} is {mean} on average over {n} cities (95 % interval {interval}).",
        label=row["label"], cities=retold(cities), effect=retold(row["effect_of"]), mean=mean,
        n=row["cities"], interval=reach,
    )  # fmt: skip
    numbers = {name: row[name] for name in ("mean", "low", "high", "q", "tau2", "i2", "cities", "predicted_low",
                                            "predicted_high")}  # fmt: skip
    unsure = row["cities"] - row["told"]
    caveats = [
        say("the cities met one shock and are not independent, which the interval does not know"),
        say("for {n} of them alone the path cannot be told", n=f"{unsure:.0f}") if unsure else "",
    ]
    caps = [("B", coded("cities of one nation are not independent"))]
    caps += [("C", coded("for most of the cities alone the path cannot be told"))] if unsure > row["cities"] / 2 else []
    about = pd.Series({"area": "", **row[KEY].to_dict()})
    at = [selector(pd.Series({**about, "area": area}), "", "", "") for area in names]
    return make("pooled", about, row["effect_of"], statement, numbers, caveats=caveats, caps=caps, evidence=at,
                about=cities)  # fmt: skip
