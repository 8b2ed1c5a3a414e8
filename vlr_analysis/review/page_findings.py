"""Findings as pages show and sort them: groups of verdicts, words of grades, counts by goal, what is behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from vlr_analysis import catalogue
from vlr_analysis.exhibits import number, table
from vlr_analysis.findings import KEY, Finding
from vlr_analysis.grades import LETTERS
from vlr_analysis.language import gettext, pgettext, retold
from vlr_analysis.periods import spoken
from vlr_analysis.review.origins import came_from
from vlr_analysis.review.page_cells import scrolling
from vlr_analysis.review.workbook import head_of

MOST_ROWS = 24  # of a finding on the evidence page; all of them are in tables/provenance.csv

# Groups of verdicts, in the order in which a bar shows them.
GROUPS = ("better", "perhaps-better", "neither", "unsure", "perhaps-worse", "worse")
_BETTER = ("towards the goal", "recovered", "ahead", "better than", "target met", "on track")
_PERHAPS_BETTER = ("some progress",)
_WORSE = ("away from the goal", "not yet", "worse than", "average hides", "may hide", "moving away")
_HEDGED = ("not robust", "perhaps", "may hide")
_UNSURE = ("cannot tell", "no verdict", "readings disagree", "not settled")


def group_of(verdict: str) -> str:
    """Return the group of a verdict, one of `GROUPS`.

    A verdict in two parts that point different ways is in neither; a part that cannot tell leaves the word to the
    other.
    """
    parts = [part for part in verdict.split("; ") if not part.endswith(_UNSURE)]
    if not parts:
        return "unsure"
    up = [any(word in part for word in (*_BETTER, *_PERHAPS_BETTER)) for part in parts]
    down = [any(word in part for word in _WORSE) for part in parts]
    if any(up) == any(down):
        return "neither"
    hedged = any(word in verdict for word in (*_HEDGED, *_PERHAPS_BETTER))
    return ("perhaps-" if hedged else "") + ("better" if any(up) else "worse")


def group_names() -> dict[str, str]:
    """Return the words of each group of verdicts."""
    return {
        "better": gettext("Favourable"),
        "perhaps-better": gettext("Perhaps favourable"),
        "neither": gettext("Neither or mixed"),
        "unsure": gettext("Cannot tell"),
        "perhaps-worse": gettext("Perhaps unfavourable"),
        "worse": gettext("Unfavourable"),
    }


def grade_names() -> dict[str, str]:
    """Return the words of each grade of evidence."""
    words = (gettext("strong"), gettext("good"), gettext("limited"), gettext("weak"))
    return dict(zip(LETTERS, words, strict=True))


def kind_names() -> dict[str, str]:
    """Return the words of each kind of finding, in reading order."""
    return {
        "evidence": gettext("Evidence"),
        "trend": gettext("Trend"),
        "recovery": gettext("Shock and recovery"),
        "disparity": gettext("Disparities"),
        "nation": gettext("City and nation"),
        "benchmark": gettext("Like cities"),
        "voices": gettext("Voices"),
        "pooled": gettext("All cities"),
        "method": gettext("Own method"),
    }


def verdict_words(verdict: str) -> str:
    """Return a verdict for readers: in the language in use, with a capital."""
    text = retold(verdict)
    return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class Card:
    """One finding with what a page shows and sorts by.

    Attributes
    ----------
    finding : Finding
    group : str
        Of its verdict.
    goal : str
        Number of the goal, or nothing.
    chapter : str
        Notebook that tells it first.
    """

    finding: Finding
    group: str
    goal: str
    chapter: str


def cards(told: Mapping[str, tuple[str, Finding]], definitions: pd.DataFrame) -> dict[str, Card]:
    """Return a card for each finding, by its id.

    Parameters
    ----------
    told : mapping
        Id -> chapter that tells the finding first, and the finding.
    definitions : DataFrame
        With the `goal` of each (indicator, series, unit).
    """
    goals = {tuple(row[:-1]): row[-1] for row in definitions[[*KEY, "goal"]].itertuples(index=False)}
    found = {}
    for stem, finding in told.values():
        goal = goals.get((finding.indicator, finding.series, finding.unit))
        text = "" if goal is None or pd.isna(goal) or not goal else f"{goal:.0f}"  # 0: no goal stated
        found[finding.id] = Card(finding, group_of(finding.verdict), text, stem)
    return found


def counts(found: Iterable[Finding]) -> dict[str, int]:
    """Count findings by the group of their verdict; what speaks of the evidence itself is left out."""
    held = Counter(group_of(finding.verdict) for finding in found if finding.kind != "evidence")
    return {group: held[group] for group in GROUPS}


def goals_of(found: Iterable[Card]) -> list[tuple[str, str]]:
    """Return number and label of every goal that a finding speaks of, in order."""
    labels = {f"{row.goal}": row.label for row in catalogue.goals().itertuples()}
    order = sorted({card.goal for card in found if card.goal}, key=lambda goal: (len(goal), goal))
    return [(goal, labels.get(goal, "")) for goal in order]


def by_goal(found: Sequence[Card]) -> list[dict[str, Any]]:
    """Count findings by goal and group of verdict, goals in order; what has no goal is left out."""
    rows = []
    for goal, label in goals_of(found):
        counted = counts(card.finding for card in found if card.goal == goal)
        if sum(counted.values()):
            rows.append({"goal": goal, "label": label, "counts": counted, "all": sum(counted.values())})
    return rows


def evidence(card: Card, rows: pd.DataFrame | None, method: str) -> dict[str, Any]:
    """Put together what the evidence page shows of one finding: numbers, the newest rows, the method."""
    finding = card.finding
    shown = ""
    if rows is not None and len(rows):
        newest = rows.iloc[-MOST_ROWS:].iloc[::-1]
        newest = newest.assign(breakdown=newest["breakdown"].where(newest["breakdown"] != "", gettext("total")))
        newest = newest.assign(origin=came_from(newest))
        columns = "period area breakdown value low:high status origin source"
        caption = gettext("Rows of the data files, newest first: %(shown)s of %(all)s.") % {
            "shown": len(newest), "all": len(rows)}  # fmt: skip
        shown = Markup(scrolling(table(newest, f"rows-{finding.id}", caption, columns).html))
    # Among numbers `series` counts them; elsewhere it names one, and is headed otherwise.
    numbers = [
        (pgettext("number of", "Series") if name == "series" else head_of(name), _shown(name, value))
        for name, value in _in_order(finding.numbers)
    ]
    registers = [at for at in finding.evidence if "register" in at]
    return {"card": card, "numbers": numbers, "rows": shown, "registers": registers, "method": method}


def _in_order(numbers: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Set the lower and the upper end of an interval behind the number that it belongs to, in this order."""
    heads = [name for name in numbers if not name.endswith(("_low", "_high"))]

    def place(name: str) -> tuple[str, int]:
        stem, _, end = name.rpartition("_")
        if name in heads:
            return name, 0
        head = next((head for head in (stem, *heads) if head in heads and head.startswith(stem)), stem)
        return head, 1 if end == "low" else 2

    return [(name, numbers[name]) for name in sorted(numbers, key=place)]


def _shown(name: str, value: Any) -> str:
    counted = isinstance(value, int | float) and not isinstance(value, bool)
    if counted and name == "year":
        return f"{value:.0f}"
    return number(value, 4) if counted else spoken(retold(str(value)))
