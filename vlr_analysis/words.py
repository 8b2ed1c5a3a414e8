"""Words that figures bring along and pages tell in another language: dimensions and groups, names of scores."""

from __future__ import annotations

from vlr_analysis.language import coded, retold

# Dimensions and groups as sources name them most often. Names of places and of own classes stay as they are.
KNOWN = (
    coded("sex"), coded("age"), coded("disability"), coded("income"), coded("ethnicity"), coded("district"),
    coded("education"), coded("employment"), coded("location"), coded("mode"), coded("migration"), coded("total"),
    coded("female"), coded("male"), coded("women"), coded("men"), coded("girls"), coded("boys"),
    coded("urban"), coded("rural"), coded("children"), coded("elderly"), coded("employed"), coded("unemployed"),
    coded("persons with a disability"), coded("persons with no disability"), coded("with any disability"),
    coded("quartile {n}"), coded("quintile {n}"), coded("decile {n}"), coded("low quintile"),
    coded("middle low quintile"), coded("middle quintile"),
    coded("middle high quintile"), coded("high quintile"), coded("under {age}"),
    coded("{young} to {old} years"), coded("under {age} years"), coded("{age} years and over"),
    coded("bus"), coded("rail"),
    coded("all goals together"), coded("Goal {goal}"), coded("no goal stated"),
    coded("district {place_name}"), coded("January {year}"),
)  # fmt: skip


def group(breakdown: str) -> str:
    """Return a breakdown (``sex=female;age=0-4``) with dimension and group in the language in use."""
    return ";".join("=".join(retold(part) for part in pair.split("=")) for pair in breakdown.split(";"))
