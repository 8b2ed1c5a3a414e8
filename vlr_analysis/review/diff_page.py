"""What changed between two reviews, told: lines for a terminal, a page, a CSV file."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from pathlib import Path

from vlr_analysis.cell_text import inert
from vlr_analysis.language import SOURCE, coded, current, gettext, number, retold, using
from vlr_analysis.review import pages
from vlr_analysis.review.diff import REVISIONS, Change, Changes
from vlr_analysis.review.diff_reasons import CLASSES, Reason
from vlr_analysis.review.workbook import head_of
from vlr_analysis.sources.kit import write_whole

PAGE, TABLE = "what-changed.html", "what-changed.csv"
COLUMNS = (
    "what", "kind", "finding", "finding_before", "subject", "notebook", "field", "before", "now", "class", "reason",
    "reason_before", "reason_now",
)  # fmt: skip
UNTOLD = coded("cannot be told from what both reports carry")
FEW = 6  # reasons or figures that a terminal shows of one thing


def kinds() -> dict[str, str]:
    """Return the words for what became of a finding."""
    return {"added": gettext("Added"), "removed": gettext("Removed"), "changed": gettext("Changed")}


def classes() -> dict[str, str]:
    """Return the words for each class of reason."""
    words = (
        gettext("data"), gettext("definition"), gettext("method"), gettext("parameters"), gettext("boundary"),
        gettext("environment"),
    )  # fmt: skip
    return dict(zip(CLASSES, words, strict=True))


def revisions() -> dict[str, str]:
    """Return the words for how a figure differs."""
    words = (gettext("revised"), gettext("withdrawn"), gettext("new"), gettext("new period"))
    return dict(zip(REVISIONS, words, strict=True))


def lines(changes: Changes) -> Iterator[str]:
    """Tell what changed, for a terminal."""
    counted = Counter(one.kind for one in changes.findings)
    told = ", ".join(f"{counted[kind]} {kind}" for kind in kinds())
    yield f"{changes.name[1]}: findings: {told}, {changes.unchanged} as before."
    yield from (f"  Warning: {warning}" for warning in changes.warnings)
    for name in CLASSES:
        mine = [one for one in changes.reasons if one.kind == name]
        yield from _some([f"  {name}: {told_of(one)}" for one in mine])
    if not changes.reasons:
        yield "  Nothing differs in what went in and what made it."
    for one in changes.findings:
        yield f"  {one.kind} {one.name} ({one.finding['notebook']}): {why(one)}"
        if one.old:
            yield f"    then: {one.old['statement']}"
        if one.new:
            yield f"    now:  {one.new['statement']}"
    for item in changes.comments:
        yield f"  look again at comment {item.comment.comment} on {item.name}: finding {item.standing}"


def why(change: Change) -> str:
    """Return the classes of reasons of a change in words."""
    held = [name for name in CLASSES if any(one.kind == name for one in change.reasons)]
    return ", ".join(classes()[name] for name in held) or retold(UNTOLD)


def told_of(reason: Reason) -> str:
    """Return one reason in words: what differs, then and now."""
    return f"{reason.what}: {reason.old or gettext('nothing')} → {reason.new or gettext('nothing')}"


def differing(before: str, now: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return both sentences in pieces, each with whether it stands in this one only."""
    words = [re.findall(r"\S+|\s+", text) for text in (before, now)]
    then, after = [], []
    for what, i, j, k, m in SequenceMatcher(a=words[0], b=words[1], autojunk=False).get_opcodes():
        then.append(("".join(words[0][i:j]), what != "equal"))
        after.append(("".join(words[1][k:m]), what != "equal"))
    return [piece for piece in then if piece[0]], [piece for piece in after if piece[0]]


def _shown(reason: Reason) -> tuple[str, str, str]:
    """Return a reason as a page shows it: what differs, then and now."""
    form = number if reason.kind == "data" else retold
    return retold(reason.what), form(reason.old), form(reason.new)


def _some(told: Sequence[str]) -> Iterator[str]:
    yield from told[:FEW]
    if len(told) > FEW:
        yield f"    and {len(told) - FEW} more; all of them are in {TABLE}"


def write(changes: Sequence[Changes], out: Path) -> list[Path]:
    """Write `what-changed.html` and `what-changed.csv` into a folder; return both.

    The page is in the language of the newer reports, in English where they have several. The table is for machines.
    """
    out.mkdir(parents=True, exist_ok=True)
    tags = {one.language for one in changes}
    with using(tags.pop() if len(tags) == 1 else SOURCE):
        html = pages.render(
            "diff.html.j2", language=current(), reviews=changes, kinds=kinds(), classes=classes(), why=why,
            field=head_of, untold=retold(UNTOLD), revisions=revisions(), shown=_shown, as_read=number,
            differing=differing,
        )  # fmt: skip
    write_whole(out / PAGE, html.encode("utf-8"))
    write_whole(out / TABLE, as_csv(changes))
    return [out / PAGE, out / TABLE]


def as_csv(changes: Sequence[Changes]) -> bytes:
    """Return every difference as a row: of findings one a field and reason, of figures and comments one each."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    for one in changes:
        for row in _table(one):
            writer.writerow({name: inert(str(value)) for name, value in row.items()})
    return buffer.getvalue().encode("utf-8-sig")


def _table(changes: Changes) -> Iterator[dict[str, str]]:
    for reason in changes.reasons:
        yield {"what": "input", **_reason(reason)}
    for one in changes.findings:
        about = {
            "what": "finding", "kind": one.kind, "finding": one.new["id"] if one.new else "",
            "finding_before": one.old["id"] if one.old else "", "subject": one.finding["subject"],
            "notebook": one.finding["notebook"],
        }  # fmt: skip
        sides = [side["statement"] if side else "" for side in (one.old, one.new)]
        for name, before, now in one.fields or [("statement", *sides)]:
            yield {**about, "field": name, "before": before, "now": now}
        for reason in one.reasons:
            yield {**about, **_reason(reason)}
        if not one.reasons:
            yield {**about, "reason": UNTOLD}
    for item in changes.comments:
        yield {"what": "comment", "kind": item.standing, "finding": item.now, "finding_before": item.comment.finding,
               "subject": item.comment.subject, "field": item.comment.comment, "before": item.comment.statement,
               "now": item.statement}  # fmt: skip


def _reason(reason: Reason) -> dict[str, str]:
    return {"class": reason.kind, "reason": reason.what, "reason_before": reason.old, "reason_now": reason.new}
