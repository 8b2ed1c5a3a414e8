"""Sentences on the evidence itself and on what residents say; each becomes a finding."""

from __future__ import annotations

import pandas as pd

from vlr_analysis.findings import KEY, Finding, make, selector, sentence, with_grades
from vlr_analysis.grades import LETTERS
from vlr_analysis.language import coded, retold, told_of
from vlr_analysis.language import told as say
from vlr_analysis.periods import spoken
from vlr_analysis.voices import AGREES, DISAGREES

# Part of the reason of a grade -> the aspect that it speaks of.
LIMITS = {
    "latest value of": coded("the age of the latest value"),
    "that share no year": coded("few years"),
    "yearly value": coded("few years"),
    "complete calendar year": coded("few years"),
    "not what indicator": coded("another measure than the global indicator"),
    "adapted from": coded("a definition adapted from the global one"),
    "smell test": coded("a suspicion of the smell test"),
    "suppressed values": coded("suppressed values"),
}


def evidence_findings(definitions: pd.DataFrame, grades: pd.DataFrame, smells: pd.DataFrame) -> list[Finding]:
    """Return a finding for each suspicion about the figures.

    Parameters
    ----------
    definitions : DataFrame
    grades : DataFrame
        From `grades.series_grades`.
    smells : DataFrame
        From `smell.smell_table`, of the city.
    """
    rows = with_grades(smells.merge(definitions[[*KEY, "direction"]], on=KEY), definitions, grades)
    rows = rows.sort_values(["priority", "goal"], ascending=[False, True], kind="stable")
    return [_smell_finding(row) for _, row in rows.iterrows()]


def rests_on(table: pd.DataFrame, definitions: pd.DataFrame, grades: pd.DataFrame) -> str:
    """Say what the review rests on: how many series, of which grades, and what limits the weak ones most often.

    It counts grades and has none of its own, so that it is no finding.

    Parameters
    ----------
    table : DataFrame
        Observations of the city.
    definitions : DataFrame
    grades : DataFrame
        From `grades.series_grades`.
    """
    if not len(table):
        return say("This city has no figures yet: the letter at the end of this chapter asks for the first ones.")
    whole = grades[grades["breakdown"] == ""]
    counts = whole["grade"].value_counts().reindex(LETTERS, fill_value=0)
    goals = definitions.merge(table[KEY].drop_duplicates())["goal"]
    limits = whole.loc[whole["grade"].isin(["C", "D"]), "grade_reason"].str.split("; ").explode()
    usual = limits.map(_limit).value_counts()
    rests = told_of("This review rests on {series} headline series under {n} goal.",
                    "This review rests on {series} headline series under {n} goals.",
                    goals[goals > 0].nunique(), series=len(whole))  # fmt: skip
    grades_ = say("The evidence is of grade A in {A}, B in {B}, C in {C} and D in {D}.", **counts.to_dict())
    told = [rests, grades_]
    if len(usual):
        told.append(sentence([say("what limits C and D most often: {limit} ({n} series)", limit=retold(usual.index[0]),
                                  n=usual.iloc[0])]))  # fmt: skip
    return " ".join(told)


def _limit(reason: str) -> str:
    """Say which aspect a reason of a grade speaks of."""
    return next((words for part, words in LIMITS.items() if part in reason), reason)


def _smell_finding(row: pd.Series) -> Finding:
    first, last = spoken(row["first"]), spoken(row["last"])
    group = row["breakdown"].replace("=", " ").replace(";", ", ")
    values = {
        "label": row["label"], "group": group, "text": retold(row["text"]),
        "when": first if row["first"] == row["last"] else say("{first} to {last}", first=first, last=last),
    }  # fmt: skip
    values["text"] += "" if values["text"].endswith(("?", ".", "؟")) else "."
    if group:
        statement = say("{label}, {group}, {when}: {text} A question to the source, not a correction.", **values)
    else:
        statement = say("{label}, {when}: {text} A question to the source, not a correction.", **values)
    numbers = {"value": row["value"], "first": row["first"], "last": row["last"]}
    at = [selector(row, row["first"], row["last"])]
    return make("evidence", row, row["suspicion"], statement, numbers,
                caveats=[say("innocent if {innocent}", innocent=retold(row["innocent"]))],
                evidence=at, about=f"{row['suspicion']} / {row['first']}")  # fmt: skip


def voices_findings(told: pd.DataFrame, definitions: pd.DataFrame) -> list[Finding]:
    """Return a finding for each theme of each piece of evidence that agrees or disagrees with the figures.

    Parameters
    ----------
    told : DataFrame
        From `voices.triangulation`.
    definitions : DataFrame
        Priorities.

    Notes
    -----
    Where the average hides a place first, then other disagreement, then agreement over the whole area. Silence
    is no finding: the chapter lists it, and what residents raise without any figure becomes a request.
    """
    # One place of a survey that agrees with its own figures is in the chapter's table; it is no news.
    news = (told["verdict"] == DISAGREES) | told["average_hides"].astype(bool) | (told["place"] == "")
    rows = told[told["verdict"].isin([AGREES, DISAGREES]) & news]
    rows = rows.merge(definitions[[*KEY, "priority"]], on=KEY, how="left").fillna({"priority": False})
    rows["order"] = rows["average_hides"].astype(int) * 2 + rows["verdict"].eq(DISAGREES)
    rows = rows.sort_values("order", ascending=False, kind="stable")
    return [_voice_finding(row) for _, row in rows.iterrows()]


def _voice_finding(row: pd.Series) -> Finding:
    said, moves, *more = row["reason"].split("; ")
    values = {
        "label": row["label"], "where": retold(row["where"]), "title": row["title"], "kind": retold(row["kind"]),
        "period": spoken(row["period"]), "said": retold(said), "moves": retold(moves),
    }  # fmt: skip
    if row["verdict"] == AGREES:
        statement = say("{label}, {where}: {title} ({kind}, {period}), {said}; {moves}: they agree.", **values)
    else:
        statement = say("{label}, {where}: {title} ({kind}, {period}), {said}; {moves}: they disagree.", **values)
    numbers = {name: row[name] for name in ("count", "spoke", "participants", "slope_per_year", "n", "first", "last")}
    at = [selector(row, row["first"], row["last"]), {"register": row["evidence"], "theme": row["theme"]}]
    verdict = f"{row['verdict']}{', average hides' if row['average_hides'] else ''}"
    return make("voices", row, verdict, statement, numbers, caveats=map(retold, more), evidence=at,
                about=f"{row['evidence']} / {row['theme']} / {row['place']}")  # fmt: skip
