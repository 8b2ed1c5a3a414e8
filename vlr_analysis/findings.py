"""Findings: typed statements, each with its numbers, verdict, caveat, grade and the rows that it rests on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from html import escape
from typing import Any

import pandas as pd

from vlr_analysis.exhibits import Exhibit, with_unit
from vlr_analysis.grades import KEY as GRADED
from vlr_analysis.grades import LETTERS, lowest
from vlr_analysis.language import coded, gettext, retold, told, told_of
from vlr_analysis.lookup import Lookup

AT_MOST = 12
NOTHING = 1e-12  # what is left of sums that should be zero
KEY = ["indicator", "series", "unit"]
# In which order the chapters take turns on the first page, and verdicts that come before others.
TURNS = ("disparity", "recovery", "trend", "nation", "voices", "benchmark", "pooled", "method", "evidence")
TELLING = ("target: ", "average hides", "robust trend", "disagree", "level: not yet", "path: not yet", "worse than")
KINDS = ("evidence", "trend", "recovery", "disparity", "nation", "benchmark", "voices", "pooled", "method")


@dataclass(frozen=True)
class Finding:
    """One statement.

    Attributes
    ----------
    id : str
        Made from the content: the same finding keeps its id, a changed one gets another.
    subject : str
        Made from what it speaks of: stays the same while the numbers change.
    kind : str
        One of `KINDS`.
    area, indicator, series, unit, breakdown : str
        What it speaks of.
    verdict : str
        The kit's word for it.
    statement, caveat : str
    numbers : dict
        Every number of the statement, once.
    grade, grade_reason : str
        A to D, and what limits it.
    priority : bool
        Whether the city's parameters put it first.
    evidence : tuple of dict
        Which rows of the one table it rests on: area, indicator, series, unit, breakdown (``sex=*`` for all groups of
        a dimension), first and last period. A row of the register of evidence is named by `register`.
    source : str
        Ids in the sources table, joined by ``;``.
    """

    id: str
    subject: str
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
    grade: str
    grade_reason: str
    priority: bool
    evidence: tuple[dict[str, str], ...]
    source: str


def with_grades(rows: pd.DataFrame, definitions: pd.DataFrame, grades: pd.DataFrame) -> pd.DataFrame:
    """Add label, goal, priority and the grade of the evidence to rows of results."""
    known = definitions[[*KEY, "label", "goal", "priority"]]
    taken = ["grade", "grade_reason", *(["source"] if "source" in grades and "source" not in rows else [])]
    told = rows.merge(known, on=KEY).merge(grades[[*GRADED, *taken]], on=GRADED, how="left")
    told[taken] = told[taken].astype(object)
    if told[taken].notna().all(axis=None):
        return told
    # A series without a published total is as good as the weakest of its groups.
    weakest = grades.sort_values("grade").drop_duplicates(["area", *KEY], keep="last")
    groups = told[["area", *KEY]].merge(weakest[["area", *KEY, *taken]], how="left")
    none_of = {"grade": LETTERS[-1], "grade_reason": coded("no figure to grade"), "source": ""}
    for name, none in ((name, none_of[name]) for name in taken):
        told[name] = told[name].where(told[name].notna(), groups[name].fillna(none).to_numpy())
    return told


def value_of(value: float, row: Mapping[str, Any]) -> str:
    """Return a value with the unit of a row."""
    return with_unit(value, row["unit"])


def make(
    kind: str,
    row: pd.Series,
    verdict: str,
    statement: str,
    numbers: dict[str, Any],
    *,
    caveats: Iterable[str] = (),
    caps: Iterable[tuple[str, str]] = (),
    evidence: Sequence[dict[str, str]] = (),
    about: str = "",
) -> Finding:
    """Put a finding together.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    row : Series
        `area`, `indicator`, `series`, `unit`; `breakdown`, `source`, `grade`, `grade_reason`, `priority` where known.
    verdict, statement : str
    numbers : dict
        NaN and empty texts are left out; floats are kept to six significant digits.
    caveats : iterable of str
        Joined to one sentence; empty ones are passed over.
    caps : iterable of (letter, reason)
        What lowers the grade of the evidence for this statement.
    evidence : sequence of dict
    about : str
        What else tells the subject apart, such as the dimension or the other area.
    """
    key = [row[name] for name in ("area", *KEY)] + [row.get("breakdown", "")]
    rounded = {name: _rounded(value) for name, value in numbers.items() if value == value and value != ""}
    content = json.dumps([kind, about, *key, verdict, rounded], ensure_ascii=False, sort_keys=True)
    grade, reason = lowest([(row.get("grade", "A"), row.get("grade_reason", "")), *caps])
    return Finding(
        f"{kind[0]}-{_mark(content)}", _mark(json.dumps([kind, about, *key], ensure_ascii=False)), kind, *key, verdict,
        statement, sentence(caveats), rounded, grade, retold(reason), bool(row.get("priority", False)), tuple(evidence),
        row.get("source", ""),
    )  # fmt: skip


def _rounded(value: Any) -> Any:
    value = value.item() if hasattr(value, "item") else value
    if not isinstance(value, float):
        return value
    return float(f"{value:.6g}") if abs(value) > NOTHING else 0.0


def _mark(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def sentence(parts: Iterable[str]) -> str:
    """Join parts to one sentence with a capital and a full stop; empty parts are passed over."""
    text = gettext("; ").join(part.rstrip(".") for part in parts if part)
    return f"{text[0].upper()}{text[1:]}." if text else ""


def selector(row: pd.Series, first: str, last: str, breakdown: str | None = None) -> dict[str, str]:
    """Name the rows of one series between two periods."""
    wanted = row.get("breakdown", "") if breakdown is None else breakdown
    return {name: row[name] for name in ("area", *KEY)} | {"breakdown": wanted, "first": first, "last": last}


def evidence_rows(finding: Finding, table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table that a finding rests on.

    Parameters
    ----------
    finding : Finding
    table : DataFrame
        Observations of every area that the finding may name.

    Returns
    -------
    DataFrame
        Rows of `table` with their index kept, sorted by key and time, each once.
    """
    return table.take(Lookup(table).rows(finding.evidence))


def leading(found: Sequence[Finding], at_most: int = AT_MOST) -> list[Finding]:
    """Choose what to read first.

    Parameters
    ----------
    found : sequence of Finding
        Each chapter's in the order in which it tells them.
    at_most : int

    Returns
    -------
    list of Finding, at most `at_most`
        By turns one of each kind, so that no chapter fills the page: within a kind what a reader would want to know
        first (`TELLING`), then priorities, the better grade, the order given; one an indicator, two of a priority.
        Grade D is left out.
    """
    queues = {}
    for kind in TURNS:
        mine = [finding for finding in found if finding.kind == kind and finding.grade != "D"]
        queues[kind] = sorted(mine, key=lambda item: (not _tells(item), not item.priority, LETTERS.index(item.grade)))
    chosen, used = [], {}
    while len(chosen) < at_most and any(queues.values()):
        for kind, queue in queues.items():
            while queue and used.get(queue[0].indicator, 0) >= 1 + queue[0].priority:
                queue.pop(0)
            if queue and len(chosen) < at_most:
                chosen.append(queue.pop(0))
                if kind not in ("evidence", "pooled"):
                    used[chosen[-1].indicator] = used.get(chosen[-1].indicator, 0) + 1
    return sorted(chosen, key=lambda finding: (not finding.priority, TURNS.index(finding.kind)))


def _tells(finding: Finding) -> bool:
    return not finding.verdict.startswith("perhaps") and any(word in finding.verdict for word in TELLING)


def listed(
    found: Sequence[Finding], name: str = "findings", nothing: str = "", caption: str = coded("What the figures say.")
) -> Exhibit:
    """Show up to twelve findings, the others behind one click; all of them go with the exhibit.

    Parameters
    ----------
    found : sequence of Finding
        In the order in which they should be read.
    name : str
        Short name of the list.
    nothing : str
        What to say where there is none.
    caption : str
    """
    shown, more = _items(found[:AT_MOST]), found[AT_MOST:]
    further = told_of("{n} more", "{n} more", len(more))
    rest = f"<details><summary>{escape(further)}</summary>{_items(more)}</details>" if more else ""
    html = f"{shown}{rest}" if found else f"<p>{escape(retold(nothing))}</p>"
    return Exhibit("findings", name, retold(caption), "", html, as_table(found))


def _items(found: Sequence[Finding]) -> str:
    items = "".join(
        f'<li id="{item.id}"><span class="grade grade-{item.grade.lower()}" title="{escape(_why(item), quote=True)}">'
        f"{item.grade}</span> {escape(item.statement)}"
        + (f'<span class="caveat">{escape(item.caveat)}</span>' if item.caveat else "")
        + f'<span class="id"><span class="why">{escape(_why(item))}</span> {item.id}</span></li>'
        for item in found
    )
    return f'<ul class="findings">{items}</ul>'


def _why(finding: Finding) -> str:
    if finding.grade_reason:
        return told("Evidence of grade {grade}: {reason}.", grade=finding.grade, reason=finding.grade_reason)
    return told("Evidence of grade {grade}.", grade=finding.grade)


def as_table(found: Sequence[Finding]) -> pd.DataFrame:
    """Return findings as a table, one row each; numbers and evidence as JSON text."""
    data = pd.DataFrame([asdict(item) for item in found], columns=list(Finding.__dataclass_fields__))
    for name in ("numbers", "evidence"):
        data[name] = [json.dumps(getattr(item, name), ensure_ascii=False, sort_keys=True) for item in found]
    return data


def from_table(data: pd.DataFrame) -> list[Finding]:
    """Return the findings of a table that `as_table` has made, also after a trip through CSV text."""
    rows = data.fillna("").to_dict("records")
    return [
        Finding(
            **row
            | {"numbers": json.loads(row["numbers"]), "evidence": tuple(json.loads(row["evidence"]))}
            | {"priority": str(row["priority"]) == "True"}
        )
        for row in rows
    ]
