"""Evidence from residents: who took part, how they were chosen, what they said, and how much that can carry."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from vlr_analysis import grades
from vlr_analysis.exhibits import plain_interval as interval
from vlr_analysis.exhibits import plain_number as number
from vlr_analysis.language import coded
from vlr_analysis.periods import year_of

LEAST_SHARE = 30  # of fewer people no percentage is given

CLASSES = {"poll": "survey", "workshop": "qualitative", "interviews": "qualitative", "complaint log": "administrative",
           "citizen data": "citizen"}  # fmt: skip
CHOSEN = {
    "random sample": ("A", coded("drawn at random")),
    "quota": ("B", coded("chosen by quota, not at random")),
    "register": ("B", coded("only those who came forward are in a register")),
    "invited": ("C", coded("invited, not drawn at random")),
    "open call": ("C", coded("self-selected: open to all who wished")),
}
# People that a letter asks for; a 95 % interval of a share is +-3 points at 1000, +-10 at 100, +-18 at 30.
LEAST_PEOPLE = {"poll": {"A": 1000, "B": 100, "C": 30}, "other": {"A": 30, "C": 5}}
LEAST_ANSWERS = {"A": 50, "B": 20}  # % of those drawn at random who took part; fewer: C

EVIDENCE_COLUMNS = [
    "evidence", "title", "kind", "organiser", "period", "where", "participants", "population", "response_percent",
    "chosen", "self_selected", "groups", "consent", "themes", "interval", "age", "grade", "grade_reason", "source",
]  # fmt: skip
SAID_COLUMNS = [
    "evidence", "title", "kind", "period", "chosen", "groups", "theme", "target", "place", "where", "says", "count",
    "count_status", "participants", "told", "share_percent", "share_low", "share_high", "interval", "quotation",
]  # fmt: skip


def where(place: str) -> str:
    """Return a place as readers say it: ``district Centro``, ``the whole area``."""
    return place.replace("=", " ").replace(";", ", ") or coded("the whole area")


def table_of(rows: list[Mapping[str, Any]], columns: list[str], numbers: str, flags: str = "") -> pd.DataFrame:
    """Return rows as a table whose types do not hang on what is in it."""
    table = pd.DataFrame(rows, columns=columns)
    types = dict.fromkeys(columns, object) | dict.fromkeys(numbers.split(), float) | dict.fromkeys(flags.split(), bool)
    return table.astype(types)


# --- how much evidence can carry ------------------------------------------------------------------


def rules() -> pd.DataFrame:
    """Return the grade that each property of evidence allows at most; a piece of evidence has the lowest of them.

    Returns
    -------
    DataFrame
        `aspect`, `applies_to`, `at_most` (A to D), `rule`.

    Notes
    -----
    Nothing but a random sample can be A: who comes by himself differs from who stays away, and no number of people
    mends that. A random sample is A from 1000 people on, if half of those drawn took part; how it was weighted is
    not known here. What a poll of 40 says of 1000 people is +-15 points even where they were drawn at random.
    """
    rows = [
        ("kind", kind, _class_cap(kind, "random sample")[0], coded("{name} evidence", name=name))
        for kind, name in CLASSES.items()
    ]
    rows[0] = (*rows[0][:3], coded("survey evidence; B where not drawn at random"))
    rows += [(coded("how chosen"), chosen, *cap) for chosen, cap in CHOSEN.items()]
    for kind, limits in LEAST_PEOPLE.items():
        rows += [("people", kind, letter, coded("{limit} or more", limit=limit)) for letter, limit in limits.items()]
        rows.append(("people", kind, "D", coded("fewer than {C}", C=limits["C"])))
    rows += [
        (coded("took part"), "random sample", letter, coded("{limit} % or more", limit=limit))
        for letter, limit in LEAST_ANSWERS.items()
    ]
    rows += [(coded("took part"), "random sample", "B", coded("how many were drawn is not stated"))]
    rows += [(coded("took part"), "random sample", "C", coded("less than {B} %", B=LEAST_ANSWERS["B"]))]
    rows += [
        ("age", "all", letter, coded("{limit} years or less", limit=limit)) for letter, limit in grades.MOST_AGE.items()
    ]
    rows += [
        ("age", "all", "D", coded("more than {C} years", C=grades.MOST_AGE["C"])),
        ("consent", "none", "D", coded("no consent")),
    ]
    return pd.DataFrame(rows, columns=["aspect", "applies_to", "at_most", "rule"])


def evidence_table(register: pd.DataFrame, as_of: int | None = None) -> pd.DataFrame:
    """Say how much each piece of evidence can carry.

    Parameters
    ----------
    register : DataFrame
        From `sources.voices.read_voices`, or protected.
    as_of : int, optional
        Year from which age is counted: the newest year of the review, never the clock's. Left out: no age.

    Returns
    -------
    DataFrame, one row per piece of evidence
        `evidence`, `title`, `kind`, `organiser`, `period`, `where` (places, in words), `participants` (NaN where not
        shown), `population`, `response_percent` (of those who could have taken part), `chosen`, `self_selected`,
        `groups`, `consent`, `themes` (joined by ``; ``), `interval` (whether its shares can carry one, and why not),
        `age` (years), `grade`, `grade_reason` (see `rules`), `source`.
    """
    parts = register.groupby("evidence", sort=False)
    rows = [graded(rows, as_of) for _, rows in parts]
    return table_of(rows, EVIDENCE_COLUMNS, "participants population response_percent age", "self_selected")


def graded(rows: pd.DataFrame, as_of: int | None) -> dict[str, Any]:
    """Return what is known of one piece of evidence, or of one place of it, as a row of `evidence_table`."""
    first = rows.iloc[0]
    people, could = (_in_all(rows, name) for name in ("participants", "population"))
    age = np.nan if as_of is None else max(as_of - year_of(first["period"]), 0)
    names = ("evidence", "title", "kind", "organiser", "period", "chosen", "groups", "consent", "source")
    row = {name: first[name] for name in names}
    row |= {
        "where": "; ".join(where(place) for place in rows["place"].unique()),
        "participants": people, "population": could, "response_percent": 100 * people / could if could else np.nan,
        "self_selected": first["chosen"] == "open call", "themes": "; ".join(rows["theme"].unique()), "age": age,
        "interval": _interval_word(first["chosen"], people),
    }  # fmt: skip
    letter, reason = grades.lowest(_caps(row))
    return row | {"grade": letter, "grade_reason": reason}


def _in_all(rows: pd.DataFrame, column: str) -> float:
    """People in a piece of evidence: as stated for the whole area, else the sum over the places of one dimension."""
    people = dict(zip(rows["place"], rows[column], strict=True))
    if "" in people or len(people) == 1:
        return people.get("", rows[column].iloc[0])
    sums: dict[str, float] = {}
    for place, count in people.items():
        dimension = re.sub(r"=[^;]*", "", place)
        sums[dimension] = sums.get(dimension, 0.0) + count  # NaN where a place is hidden: the sum would be too small
    return max((total for total in sums.values() if not np.isnan(total)), default=np.nan)


def _class_cap(kind: str, chosen: str) -> tuple[str, str]:
    if kind == "poll" and chosen == "random sample":
        return "A", coded("a survey with intervals")
    name = CLASSES[kind]
    return grades.class_cap(name), coded("a survey without intervals") if name == "survey" else coded(
        "{name} evidence", name=name
    )


def _letter(value: float, least: Mapping[str, float]) -> str:
    return next((letter for letter, limit in least.items() if value >= limit), "D")


def _caps(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List what each property of a piece of evidence allows, with its reason."""
    people, answers = row["participants"], row["response_percent"]
    caps = [_class_cap(row["kind"], row["chosen"]), CHOSEN[row["chosen"]]]
    if np.isfinite(people):
        least = LEAST_PEOPLE.get(row["kind"], LEAST_PEOPLE["other"])
        caps.append((_letter(people, least), coded("{people} participants", people=number(people))))
    else:
        caps.append(("D", coded("the number of participants is not shown")))
    if row["chosen"] == "random sample":
        told = coded("{answers} % of those drawn took part", answers=number(answers, 2)) if np.isfinite(answers) else ""
        letter = _letter(answers, LEAST_ANSWERS | {"C": 0})
        caps.append((letter, told) if told else ("B", coded("how many were drawn is not stated")))
    if row["consent"] == "none":
        caps.append(("D", coded("no consent")))
    if np.isfinite(row["age"]):
        letter = _letter(-row["age"], {letter: -limit for letter, limit in grades.MOST_AGE.items()})
        caps.append((letter, coded("people spoke in {period}", period=year_of(row["period"]))))
    return caps


def _interval_word(chosen: str, people: float) -> str:
    if chosen != "random sample":
        return coded("no interval: not a random sample")
    return (
        coded("95 % interval (Wilson)")
        if people >= LEAST_SHARE
        else coded("no interval: fewer than {LEAST_SHARE} people", LEAST_SHARE=LEAST_SHARE)
    )


# --- who said what --------------------------------------------------------------------------------


def said_table(register: pd.DataFrame) -> pd.DataFrame:
    """List what people said, each statement with who said it and how many.

    Parameters
    ----------
    register : DataFrame

    Returns
    -------
    DataFrame, one row per statement, in the order of the register
        Its piece of evidence and theme; `says`, `count`, `count_status`, `participants`, `told` (``27 of 40``, or
        what is not shown), `share_percent` (of the participants, from 30 of them on), `share_low`, `share_high` (95 %,
        random samples alone), `interval` (in words, or why there is none), `quotation` (never without consent).

    Notes
    -----
    Wilson's interval for a share (doi:10.1080/01621459.1927.10502953), as for a simple random sample: weights and
    clusters, which the register does not hold, make the true one wider. `statsmodels`' `proportion_confint`.
    """
    rows = register.assign(where=register["place"].map(where))
    count, people = rows["count"], rows["participants"]
    enough = count.notna() & (people >= LEAST_SHARE)
    share = 100 * (count / people).where(enough)
    drawn = (enough & (rows["chosen"] == "random sample")).to_numpy()
    ends = np.full((2, len(rows)), np.nan)
    if drawn.any():
        ends[:, drawn] = 100 * np.array(proportion_confint(count[drawn], people[drawn], method="wilson"))
    words = [
        f"{interval(low, high)} %"
        if np.isfinite(low)
        else _interval_word(chosen, n)
        if np.isfinite(n)
        else coded("no share")
        for low, high, chosen, n in zip(*ends, rows["chosen"], people.where(count.notna()), strict=True)
    ]
    rows = rows.assign(told=counted(rows), share_percent=share, share_low=ends[0], share_high=ends[1], interval=words)
    rows["quotation"] = rows["quotation"].where(rows["consent"] != "none", "")
    numbers = "count participants share_percent share_low share_high"
    return table_of(rows[SAID_COLUMNS].to_dict("records"), SAID_COLUMNS, numbers)


def counted(rows: pd.DataFrame) -> list[str]:
    """Return how many said so, and of how many, as readers see it: ``27 of 40``, ``hidden of 40``."""
    words = {"suppressed": "hidden", "missing": coded("not counted")}
    counts, people = (
        [number(value) if np.isfinite(value) else words[status] for value, status in
         zip(rows[name], rows[f"{name}_status"], strict=True)]
        for name in ("count", "participants")
    )  # fmt: skip
    return [coded("{count} of {n}", count=count, n=n) for count, n in zip(counts, people, strict=True)]
