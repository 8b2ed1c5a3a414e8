"""Sentences on the evidence itself and on what residents say; each becomes a finding."""

from __future__ import annotations

import pandas as pd

from vlr_analysis.findings import KEY, Finding, make, selector, with_grades
from vlr_analysis.grades import LETTERS
from vlr_analysis.periods import spoken
from vlr_analysis.voices import AGREES, DISAGREES

# Part of the reason of a grade -> the aspect that it speaks of.
LIMITS = {
    "latest value of": "the age of the latest value", "that share no year": "few years", "yearly value": "few years",
    "complete calendar year": "few years", "not what indicator": "another measure than the global indicator",
    "adapted from": "a definition adapted from the global one", "smell test": "a suspicion of the smell test",
}  # fmt: skip


def evidence_findings(
    table: pd.DataFrame, definitions: pd.DataFrame, grades: pd.DataFrame, smells: pd.DataFrame
) -> list[Finding]:
    """Return a finding on what the review rests on, and one for each suspicion about a headline series.

    Parameters
    ----------
    table : DataFrame
        Observations of the city.
    definitions : DataFrame
    grades : DataFrame
        From `grades.series_grades`.
    smells : DataFrame
        From `smell.smell_table`.
    """
    if not len(table):
        return []
    rows = with_grades(smells.merge(definitions[[*KEY, "direction"]], on=KEY), definitions, grades)
    rows = rows.sort_values(["priority", "goal"], ascending=[False, True], kind="stable")
    return [_rests_on(table, definitions, grades), *(_smell_finding(row) for _, row in rows.iterrows())]


def _rests_on(table: pd.DataFrame, definitions: pd.DataFrame, grades: pd.DataFrame) -> Finding:
    whole = grades[grades["breakdown"] == ""]
    counts = whole["grade"].value_counts().reindex(LETTERS, fill_value=0)
    goals = definitions.merge(table[KEY].drop_duplicates())["goal"]
    limits = whole.loc[whole["grade"].isin(["C", "D"]), "grade_reason"].str.split("; ").explode()
    usual = limits.map(_limit).value_counts()
    statement = (
        f"This review rests on {len(whole)} headline series under {_goals(goals[goals > 0].nunique())}. The evidence "
        f"is of grade A in {counts['A']}, B in {counts['B']}, C in {counts['C']} and D in {counts['D']}."
    )
    caveats = [f"what limits C and D most often: {usual.index[0]} ({usual.iloc[0]} series)"] if len(usual) else []
    row = pd.Series({"area": table["area"].iloc[0], "indicator": "", "series": "", "unit": ""})
    numbers = {"series": len(whole), "goals": int(goals[goals > 0].nunique()), **counts.astype(int).to_dict()}
    return make("evidence", row, "what the review rests on", statement, numbers, caveats=caveats)


def _goals(count: int) -> str:
    return f"{count} goal{'' if count == 1 else 's'}"


def _limit(reason: str) -> str:
    """Say which aspect a reason of a grade speaks of."""
    return next((words for part, words in LIMITS.items() if part in reason), reason)


def _smell_finding(row: pd.Series) -> Finding:
    group = f", {row['breakdown'].replace('=', ' ').replace(';', ', ')}" if row["breakdown"] else ""
    when = spoken(row["first"]) if row["first"] == row["last"] else f"{spoken(row['first'])} to {spoken(row['last'])}"
    end = "" if row["text"].endswith(("?", ".")) else "."
    statement = f"{row['label']}{group}, {when}: {row['text']}{end} A question to the source, not a correction."
    numbers = {"value": row["value"], "first": row["first"], "last": row["last"]}
    at = [selector(row, row["first"], row["last"])]
    return make("evidence", row, row["suspicion"], statement, numbers, caveats=[f"innocent if {row['innocent']}"],
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
    statement = (
        f"{row['label']}, {row['where']}: {row['title']} ({row['kind']}, {spoken(row['period'])}), {said}; {moves}: "
        f"they {'agree' if row['verdict'] == AGREES else 'disagree'}."
    )
    numbers = {name: row[name] for name in ("count", "spoke", "participants", "slope_per_year", "n", "first", "last")}
    at = [selector(row, row["first"], row["last"]), {"register": row["evidence"], "theme": row["theme"]}]
    verdict = f"{row['verdict']}{', average hides' if row['average_hides'] else ''}"
    return make("voices", row, verdict, statement, numbers, caveats=more, evidence=at,
                about=f"{row['evidence']} / {row['theme']} / {row['place']}")  # fmt: skip
