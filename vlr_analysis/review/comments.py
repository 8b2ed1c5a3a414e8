"""Comments of readers as data: a register that only grows, and how each comment stands to the findings of today."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from vlr_analysis.cell_text import inert, original, visible
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.findings import Finding
from vlr_analysis.language import N_, gettext, told
from vlr_analysis.review.inputs import comments_of
from vlr_analysis.sources.kit import write_whole

DELIVERED = "comments.csv"  # in a report: the comments that it shows
KINDS = ("question", "correction", "context", "proposal", "agreement")
STATES = ("open", "accepted", "answered", "declined", "under review", "withdrawn")
WITHHELD = ("under review", "withdrawn")  # kept in the register, on no page
STANDINGS = ("current", "changed", "gone")


@dataclass(frozen=True)
class Comment:
    """One row of the register.

    Attributes
    ----------
    comment : str
        Id, made from the finding, who said it, its kind and its text.
    finding, subject, content : str
        Id and subject of the finding, and the hash of what it said, when the comment was made.
    chapter, grade, statement : str
        Of the finding, then.
    who : str
        Name or office; may be empty.
    kind : str
        One of `KINDS`, or empty.
    date : str
        ISO 8601, or empty.
    text : str
    state : str
        One of `STATES`.
    response, responder : str
    """

    comment: str
    finding: str
    subject: str
    content: str
    chapter: str
    grade: str
    statement: str
    who: str
    kind: str
    date: str
    text: str
    state: str = "open"
    response: str = ""
    responder: str = ""


COLUMNS = tuple(one.name for one in fields(Comment))


def content_of(finding: Finding | Mapping[str, Any]) -> str:
    """Hash what a finding says, whatever its language: its id, verdict, numbers and grade."""
    held = asdict(finding) if isinstance(finding, Finding) else finding
    told = [held[name] for name in ("id", "verdict", "numbers", "grade")]
    return hashlib.sha256(json.dumps(told, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def id_of(finding: str, who: str, kind: str, text: str) -> str:
    """Return the id of a comment: the same words of the same person on the same finding are one comment."""
    told = json.dumps([finding, who, kind, text], ensure_ascii=False)
    return "c-" + hashlib.sha256(told.encode()).hexdigest()[:10]


def words() -> dict[str, str]:
    """Return the words of kinds, states and standings in the language in use; the register keeps the English ones."""
    told = (
        gettext("question"), gettext("correction"), gettext("context"), gettext("proposal"), gettext("agreement"),
        gettext("open"), gettext("accepted"), gettext("answered"), gettext("declined"), gettext("under review"),
        gettext("withdrawn"), gettext("current"), gettext("changed"), gettext("gone"),
    )  # fmt: skip
    return dict(zip((*KINDS, *STATES, *STANDINGS), told, strict=True))


# --- the register ------------------------------------------------------------------------------


def read_register(path: Path) -> list[Comment]:
    """Read a register: every entry, in the order in which they came; none where there is no file.

    Raises
    ------
    InputError
        With every problem of the file.
    """
    if not path.is_file():
        return []
    name = f"{path.parent.name}/{path.name}"
    fix = "take the file as the kit has written it, and change it by `vlr comments --merge`"
    try:
        rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(name, [Problem(name, str(error)[:100], "a CSV file in UTF-8", fix)]) from None
    head = tuple(rows[0]) if rows else ()
    if head != COLUMNS:
        problem = Problem(f"{name}, row 1", ", ".join(head)[:120] or "nothing", ", ".join(COLUMNS), fix)
        raise InputError(name, [problem])
    problems = [
        Problem(f"{name}, row {number}", f"{len(row)} cells", f"{len(COLUMNS)}", fix)
        for number, row in enumerate(rows[1:], 2)
        if len(row) != len(COLUMNS)
    ]
    raise_if_any(name, problems)
    found = [Comment(*map(original, row)) for row in rows[1:]]
    problems = [
        Problem(f"{name}, row {number}, column state", repr(one.state)[:80], f"one of {', '.join(STATES)}", fix)
        for number, one in enumerate(found, 2)
        if one.state not in STATES
    ]
    raise_if_any(name, problems)
    return found


def as_csv(entries: Iterable[Comment]) -> bytes:
    """Return entries as CSV: no text in it is run by a spreadsheet program."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([inert(getattr(one, name)) for name in COLUMNS] for one in entries)
    return out.getvalue().encode("utf-8")


def append(path: Path, entries: Sequence[Comment]) -> None:
    """Add entries below those that are there; the file is changed whole or not at all."""
    if entries:
        write_whole(path, as_csv([*read_register(path), *entries]))


def latest(entries: Iterable[Comment]) -> list[Comment]:
    """Return each comment once, with its newest state and response, in the order in which comments came first."""
    found: dict[str, Comment] = {}
    for one in entries:
        found[one.comment] = one
    return list(found.values())


def open_to_readers(entries: Iterable[Comment]) -> list[Comment]:
    """Return the comments that pages show: none that is under review or withdrawn."""
    return [one for one in latest(entries) if one.state not in WITHHELD]


def merged(held: Sequence[Comment], given: Iterable[Comment]) -> list[Comment]:
    """Return the entries that are new: comments not held yet, and held ones with another state or response.

    Parameters
    ----------
    held : sequence of Comment
        The register.
    given : iterable of Comment
        An empty state stands for what is held, or for *open*.
    """
    known = {one.comment: one for one in latest(held)}
    added = []
    for one in given:
        before = known.get(one.comment)
        if before is None:
            now = replace(one, state=one.state or "open")
        else:
            answered = one.response or before.response
            now = replace(
                before,
                state=one.state or before.state,
                response=answered,
                responder=one.responder or before.responder,
            )
        if now != before:
            added.append(now)
            known[now.comment] = now
    return added


def named(now: str, before: str) -> str:
    """Name a finding by its code: by both where it has another one than before, as each stands in a report."""
    if now and before and now != before:
        return told("now {now}, before {before}", now=now, before=before)
    return now or before


# --- beside the findings of today --------------------------------------------------------------


@dataclass(frozen=True)
class Standing:
    """A comment beside the findings of today.

    Attributes
    ----------
    comment : Comment
    standing : str
        One of `STANDINGS`: the finding says what it said, says something else now, or is gone.
    now : str
        Id of the finding of today; empty where it is gone.
    statement, grade : str
        What it says today.
    """

    comment: Comment
    standing: str
    now: str = ""
    statement: str = ""
    grade: str = ""

    @property
    def name(self) -> str:
        """Code of the finding; see `named`."""
        return named(self.now, self.comment.finding)

    @property
    def kind(self) -> str:
        """Kind of the comment, in the language of the review."""
        return words().get(self.comment.kind, self.comment.kind)

    @property
    def state(self) -> str:
        """State of the comment, in the language of the review."""
        return words()[self.comment.state]

    @property
    def stale(self) -> bool:
        """Whether what the comment speaks of has changed since, or is gone."""
        return self.standing != "current"


def stand(found: Iterable[Comment], findings: Iterable[Finding | Mapping[str, Any]]) -> list[Standing]:
    """Say of each comment whether its finding still says what it said."""
    today = [one if isinstance(one, Mapping) else asdict(one) for one in findings]
    by_id = {one["id"]: one for one in today}
    by_subject: dict[str, list[Mapping[str, Any]]] = {}
    for one in today:
        by_subject.setdefault(one["subject"], []).append(one)
    return [_stand(one, by_id, by_subject) for one in found]


def _stand(one: Comment, by_id: Mapping[str, Mapping], by_subject: Mapping[str, Sequence[Mapping]]) -> Standing:
    now = by_id.get(one.finding) or next(iter(by_subject.get(one.subject, ())), None)
    if now is None:
        return Standing(one, "gone")
    standing = "current" if content_of(now) == one.content else "changed"
    return Standing(one, standing, now["id"], now["statement"], now["grade"])


@dataclass(frozen=True)
class Beside:
    """What the pages of a review show of comments.

    Attributes
    ----------
    by_finding : mapping
        Id of a finding of today -> its comments.
    gone : tuple of Standing
        Comments whose finding is no longer told.
    count, stale : int
        Comments that are shown; those of which the finding has changed or is gone.
    """

    by_finding: Mapping[str, tuple[Standing, ...]]
    gone: tuple[Standing, ...]
    count: int
    stale: int


def beside(root: Path, city: str, findings: Iterable[Finding | Mapping[str, Any]]) -> Beside:
    """Put the shown comments of a city beside its findings.

    Raises
    ------
    InputError
        The register is damaged.
    """
    standing = stand(open_to_readers(read_register(root / comments_of(city))), findings)
    groups: dict[str, list[Standing]] = {}
    for one in standing:
        if one.now:
            groups.setdefault(one.now, []).append(one)
    return Beside(
        {name: tuple(mine) for name, mine in groups.items()},
        tuple(one for one in standing if not one.now),
        len(standing),
        sum(one.stale for one in standing),
    )


def deliver(root: Path, city: str, folder: Path) -> None:
    """Write the comments that a report shows into it; nothing where there is none."""
    shown = open_to_readers(read_register(root / comments_of(city)))
    if shown:
        (folder / DELIVERED).write_bytes(as_csv(shown))


def certified(path: Path) -> tuple[str, str]:
    """Say what the hash of a register is of, and return it: withheld comments leave no trace in it."""
    entries = read_register(path)
    shown = open_to_readers(entries)
    if any(one.state in WITHHELD for one in entries):
        return N_("the comments that are shown"), hashlib.sha256(as_csv(shown)).hexdigest()
    return "the file", hashlib.sha256(path.read_bytes()).hexdigest()


def tidy(text: str) -> str:
    """Return a text as the register keeps it: unseen characters shown, no space at its ends."""
    return visible(text).strip()


def log_lines(standing: Sequence[Standing]) -> Iterator[str]:
    """Tell the response log, a few lines a comment."""
    for one in standing:
        said = one.comment
        yield f"{said.comment} [{said.state}] on {one.name}: {_where(one)}"
        yield f"  {said.who or 'no name given'}{f', {said.date}' if said.date else ''}: {_one_line(said.text)}"
        if said.response:
            yield f"  answer{f' by {said.responder}' if said.responder else ''}: {_one_line(said.response)}"


def _where(one: Standing) -> str:
    if one.standing == "gone":
        return f"finding gone; it said: {_one_line(one.comment.statement)}"
    if one.standing == "changed":
        return f"finding changed; it said: {_one_line(one.comment.statement)} It says now: {_one_line(one.statement)}"
    return _one_line(one.statement)


def _one_line(text: str) -> str:
    return " ".join(text.split())
