"""Sentences on a city beside its nation and among like cities; each becomes a finding."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from vlr_analysis.comparison import AGREE, DISAGREE, TOLERANCE
from vlr_analysis.exhibits import MONEY, gap, interval, number
from vlr_analysis.findings import KEY, Finding, make, selector, value_of, with_grades
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
    statement = (
        f"{row['label']}: in {row['year']:.0f} {city} stands at {value_of(row['value'], row)}, {nation} at "
        f"{value_of(row['other_value'], row)}: {_apart(row)}. {_directions(row, city, nation)}"
    )
    if row["verdict"] == DISAGREE:
        statement += f" Likely reason: {row['likely_reason']}."
    elif UNSEEN <= abs(row["relative_difference"]) <= TOLERANCE:
        statement += f" They agree: the levels lie within {100 * TOLERANCE:.0f} % of each other."
    names_ = ["year", "value", "other_value", "difference", "ratio", "relative_difference", "difference_slope",
              "difference_slope_low", "difference_slope_high", "difference_p", "common"]  # fmt: skip
    caveats = [f"comparability: {row['comparability']}", row["comparability_reason"]]
    caps = [("B", f"the pair is {row['comparability']}, not the same")] if row["comparability"] != "same" else []
    other = row[["other_area", *(f"other_{name}" for name in KEY)]].set_axis(["area", *KEY])
    at = [selector(side, "", "", "") for side in (row, other)]
    verdict = f"{row['verdict']}{' on ' + row['disagree_on'] if row['disagree_on'] else ''}"
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
        return "no difference"
    side = "above" if row["difference"] > 0 else "below"
    if not np.isfinite(relative) or row["unit"] == "%" or row["unit"].startswith("change relative to"):
        return f"{gap(abs(row['difference']), row['unit']).lstrip('+')} {side}" + (
            f" ({number(100 * abs(relative), 2)} % {side})" if np.isfinite(relative) else ""
        )
    return f"{number(100 * abs(relative), 2)} % {side}"


def _directions(row: pd.Series, city: str, nation: str) -> str:
    own, other = row["movement"], row["other_movement"]
    sure = [row[name] == ROBUST for name in ("trend", "other_trend")]
    if own and own == other:
        return f"Both {'' if all(sure) else 'perhaps '}move {own}."
    if own and other:
        return f"{city} {_moves(sure[0])} {own}, {nation} {'' if sure[1] else 'perhaps '}{other}."
    if own or other:
        moving, still = (city, _still(nation, row["other_trend"])) if own else (nation, _still(city, row["trend"]))
        return f"{moving} {_moves(sure[0] if own else sure[1])} {own or other}; {still}."
    if row["trend"] != row["other_trend"]:
        text = f"{_still(city, row['trend'])}; {_still(nation, row['other_trend'])}."
        return text[0].upper() + text[1:]
    told = {NONE: "Neither shows a clear trend.", UNKNOWN: "For neither can a trend be told."}
    return told.get(row["trend"], "Neither shows a trend with a stated direction.")


def _moves(robust: bool) -> str:
    return "moves" if robust else "perhaps moves"


def _still(name: str, trend: str) -> str:
    told = {NONE: f"{name} shows no clear trend", UNKNOWN: f"for {name} a trend cannot be told"}
    return told.get(trend, f"{name} shows a trend without a stated direction")


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
    own = f" (95 % interval {interval(row['low'], row['high'])})" if np.isfinite(row["low"]) else ""
    statement = (
        f"{row['label']}: {value_of(row['value'], row)}{own} in {row['year']}, {row['standing']}; the middle half of "
        f"{row['peers']} like cities lies between {_lower(row)} and "
        f"{value_of(row['peers_three_quarters'], row)}."
    )
    wide = np.isfinite(row["rank_low"]) and row["rank_high"] - row["rank_low"] > row["areas"] / 2
    if wide:
        statement += f" The intervals are too wide to tell its place among {row['areas']}."
    elif np.isfinite(row["rank_low"]):
        first, last = f"{row['rank_low']:.0f}", f"{row['rank_high']:.0f}"
        place = f"is {first}" if first == last else f"lies between {first} and {last}"
        statement += f" Its place among {row['areas']} {place} (95 % interval; 1 is nearest the goal)."
    names = ["year", "value", "low", "high", "peers", "areas", "peers_low", "peers_quarter", "peers_middle",
             "peers_three_quarters", "peers_high", "rank_low", "rank_high"]  # fmt: skip
    caps = [("B", "the interval of the place spans more than half of the cities")] if wide else []
    at = [selector(row, str(row["year"]), str(row["year"]), "")]
    return make("benchmark", row, row["standing"], statement, {name: row[name] for name in names},
                caveats=[row["reason"]], caps=caps, evidence=at)  # fmt: skip


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
    statement = (
        f"{row['label']}, {cities}: the {row['effect_of']} is {gap(row['mean'], row['unit'])} on average over "
        f"{row['cities']} cities (95 % interval {interval(row['low'], row['high'])})."
    )
    numbers = {name: row[name] for name in ("mean", "low", "high", "q", "tau2", "i2", "cities", "predicted_low",
                                            "predicted_high")}  # fmt: skip
    unsure = row["cities"] - row["told"]
    caveats = [
        "the cities met one shock and are not independent, which the interval does not know",
        f"for {unsure:.0f} of them alone the path cannot be told" if unsure else "",
    ]
    caps = [("B", "cities of one nation are not independent")]
    caps += [("C", "for most of the cities alone the path cannot be told")] if unsure > row["cities"] / 2 else []
    about = pd.Series({"area": "", **row[KEY].to_dict()})
    at = [selector(pd.Series({**about, "area": area}), "", "", "") for area in names]
    return make("pooled", about, row["effect_of"], statement, numbers, caveats=caveats, caps=caps, evidence=at,
                about=cities)  # fmt: skip
