"""What changed between two reviews: findings added, removed and changed, figures revised, comments to look at again."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.language import SOURCE, coded
from vlr_analysis.observations import KEY as ROW_KEY
from vlr_analysis.review import comments
from vlr_analysis.review.certificate import Certificate
from vlr_analysis.review.comments_sheet import read_findings
from vlr_analysis.review.diff_reasons import Reason, behind, both_ways, reasons_of
from vlr_analysis.review.differences import same_values
from vlr_analysis.review.handover import HANDOVER
from vlr_analysis.review.receive import PACKAGE
from vlr_analysis.review.verify import opened, verified

FIELDS = ("statement", "verdict", "grade", "grade_reason", "caveat")
VALUES = ("value", "low", "high", "status")
# How a figure differs, in the order in which they are told.
REVISIONS = (coded("revised"), coded("withdrawn"), coded("new"), coded("new period"))


@dataclass(frozen=True)
class Revision:
    """One figure that differs between two reviews.

    Attributes
    ----------
    kind : str
        One of `REVISIONS`: *revised* where both have it; *new period* where it is later than all of its series.
    figure : mapping
        area, indicator, series, unit, period, breakdown.
    old, new : mapping
        value, low, high, status, as text; empty where the figure is absent.
    """

    kind: str
    figure: Mapping[str, str]
    old: Mapping[str, str]
    new: Mapping[str, str]

    @property
    def key(self) -> tuple[str, ...]:
        """What tells the figure apart."""
        return tuple(self.figure[name] for name in ROW_KEY)


@dataclass(frozen=True)
class Change:
    """One finding that differs.

    Attributes
    ----------
    kind : str
        added, removed, changed.
    old, new : mapping or None
        Records of `findings.jsonl`.
    fields : tuple of (str, str, str)
        What differs: its name, then, now.
    reasons : tuple of Reason
        Everything that differs and touches it; empty where that cannot be told.
    """

    kind: str
    old: Mapping[str, Any] | None
    new: Mapping[str, Any] | None
    fields: tuple[tuple[str, str, str], ...]
    reasons: tuple[Reason, ...]

    @property
    def finding(self) -> Mapping[str, Any]:
        """The newer of the two."""
        return self.new or self.old or {}

    @property
    def name(self) -> str:
        """Code of the finding; see `comments.named`."""
        return comments.named(*(side["id"] if side else "" for side in (self.new, self.old)))


@dataclass(frozen=True)
class Side:
    """One of the two reviews, as it lies there."""

    folder: Path
    held: Certificate
    differences: int
    findings: list[dict[str, Any]]
    figures: dict[tuple[str, ...], dict[str, str]]
    behind: dict[str, frozenset[tuple[str, ...]]]
    definitions: dict[tuple[str, ...], dict[str, str]]
    areas: dict[tuple[str, ...], dict[str, str]]


@dataclass(frozen=True)
class Changes:
    """Everything that differs between two reviews of a city.

    Attributes
    ----------
    name : tuple of str
        Names of the city in the older and newer review.
    warnings : tuple of str
        Where a report is not what its certificate says, or carries less than is needed.
    reasons : tuple of Reason
        Everything that differs in what went in and what made it.
    findings : tuple of Change
    unchanged : int
    revisions : tuple of Revision
    comments : tuple of comments.Standing
        Comments of the older report whose finding has changed or is gone.
    language : str
        Tag of the newer report's.
    """

    name: tuple[str, str]
    warnings: tuple[str, ...]
    reasons: tuple[Reason, ...]
    findings: tuple[Change, ...]
    unchanged: int
    revisions: tuple[Revision, ...]
    comments: tuple[comments.Standing, ...] = field(default=())
    language: str = SOURCE

    def of(self, kind: str) -> list[Change]:
        """Return the findings that were added, removed or changed."""
        return [one for one in self.findings if one.kind == kind]


def diff(old: Path, new: Path) -> list[Changes]:
    """Compare two reports.

    Parameters
    ----------
    old, new : Path
        Folder of a city's report, folder with several, or a zip of either. Cities are paired by their id; where each
        side holds one city, the two are compared whatever their ids.

    Returns
    -------
    list of Changes, one a pair

    Raises
    ------
    InputError
        No report, a certificate that is none, no city that both hold.
    """
    with opened(old) as before, opened(new) as after:
        sides = [{one.held.city["id"]: one for one in map(_side, folders)} for folders in (before, after)]
        if len(sides[0]) == len(sides[1]) == 1:
            pairs = [(next(iter(sides[0].values())), next(iter(sides[1].values())))]
        else:
            pairs = [(sides[0][name], sides[1][name]) for name in sorted(sides[0]) if name in sides[1]]
        if not pairs:
            found = f"{', '.join(sorted(sides[0]))} and {', '.join(sorted(sides[1]))}"
            problem = Problem(f"{old} and {new}", found, "a city that both hold", "name two reports of one city")
            raise InputError("vlr diff", [problem])
        found = [compare(*pair) for pair in pairs]
        alone = tuple(_alone(sides[0], sides[1], pairs))
        return [replace(found[0], warnings=(*alone, *found[0].warnings)), *found[1:]]


def _alone(older: Mapping[str, Side], newer: Mapping[str, Side], pairs: Sequence[tuple[Side, Side]]) -> Iterable[str]:
    """Name the cities that only one side holds."""
    paired = {side.folder for pair in pairs for side in pair}
    left = [[one.held.city["name"] for one in side.values() if one.folder not in paired] for side in (older, newer)]
    if left[0]:
        yield coded("Only the older reports hold {cities}; nothing is compared.", cities=", ".join(sorted(left[0])))
    if left[1]:
        yield coded("Only the newer reports hold {cities}; nothing is compared.", cities=", ".join(sorted(left[1])))


def _side(folder: Path) -> Side:
    checked = verified(folder)
    rows = _rows(folder / "tables" / "provenance.csv")
    package = folder / HANDOVER / PACKAGE
    figures = {tuple(row[name] for name in ROW_KEY): {name: row.get(name, "") for name in VALUES} for row in rows}
    for name in ("observations", "comparators"):
        for row in _rows(package / f"{name}.csv"):
            figures[tuple(row[key] for key in ROW_KEY)] = {key: row.get(key, "") for key in VALUES}
    return Side(
        folder, checked.held, len(checked.differences), read_findings(folder), figures, behind(rows),
        {tuple(row[key] for key in ("indicator", "series", "unit")): row for row in _rows(package / "indicators.csv")},
        {(row["area"],): row for row in _rows(package / "areas.csv")},
    )  # fmt: skip


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"), newline="")))


def compare(old: Side, new: Side) -> Changes:
    """Say what differs between two reviews, and of each finding why, as far as both carry it."""
    revisions = revised(old.figures, new.figures)
    reasons = reasons_of(old, new, revisions)
    told, unchanged = [], 0
    before, after = _by_subject(old.findings), _by_subject(new.findings)
    language = old.held.parameters.get("language") == new.held.parameters.get("language")
    for key in [*before, *(key for key in after if key not in before)]:
        one, other = before.get(key), after.get(key)
        kind = "added" if one is None else "removed" if other is None else "changed"
        fields = _fields(one, other, language) if one is not None and other is not None else ()
        if kind == "changed" and not fields:
            unchanged += 1
            continue
        rows = frozenset().union(
            *(side.behind.get(record["id"], frozenset()) for side, record in ((old, one), (new, other)) if record)
        )
        touching = tuple(reason for reason in reasons if reason.touches(one or other or {}, rows))
        told.append(Change(kind, one, other, tuple(fields), touching))
    held = comments.read_register(old.folder / comments.DELIVERED)
    stale = tuple(one for one in comments.stand(held, new.findings) if one.stale)
    names = (old.held.city["name"], new.held.city["name"])
    warnings = (*_warnings("older", old), *_warnings("newer", new), *_other_city(old, new))
    tag = str(new.held.parameters.get("language", SOURCE))
    return Changes(names, warnings, reasons, tuple(told), unchanged, tuple(revisions), stale, tag)


def _warnings(which: str, side: Side) -> Iterable[str]:
    if side.differences:
        yield (
            coded(
                "The older report is not what its certificate says: {n} differences. `vlr verify` names them; what "
                "follows rests on it as it lies there.", n=side.differences,
            )
            if which == "older"
            else coded(
                "The newer report is not what its certificate says: {n} differences. `vlr verify` names them; what "
                "follows rests on it as it lies there.", n=side.differences,
            )
        )  # fmt: skip
    if not (side.folder / HANDOVER / PACKAGE).is_dir():
        yield (
            coded(
                "The older report has no handover/: only figures behind findings are compared, and definitions not at "
                "all."
            )
            if which == "older"
            else coded(
                "The newer report has no handover/: only figures behind findings are compared, and definitions not at "
                "all."
            )
        )


def _other_city(old: Side, new: Side) -> Iterable[str]:
    if old.held.city["id"] != new.held.city["id"]:
        names = [side.held.city["name"] for side in (old, new)]
        yield coded("These are reviews of two cities: {old_name} and {new_name}.", old_name=names[0], new_name=names[1])


def _by_subject(records: Sequence[Mapping[str, Any]]) -> dict[tuple[str, int], Mapping[str, Any]]:
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    counts: dict[str, int] = {}
    for one in records:
        counts[one["subject"]] = counts.get(one["subject"], 0) + 1
        found[one["subject"], counts[one["subject"]]] = one
    return found


def _fields(old: Mapping[str, Any], new: Mapping[str, Any], language: bool) -> list[tuple[str, str, str]]:
    """Say what of a finding differs; numbers within the declared rounding do not, nor do words of two languages."""
    numbers = [
        (name, _told(old["numbers"].get(name)), _told(new["numbers"].get(name)))
        for name in [*old["numbers"], *(name for name in new["numbers"] if name not in old["numbers"])]
        if not both_ways(same_values, old["numbers"].get(name), new["numbers"].get(name))
    ]
    compared = FIELDS if language else ("verdict", "grade")
    words = [(name, str(old[name]), str(new[name])) for name in compared if old[name] != new[name]]
    if [name for name, *_ in words] == ["statement"] and not numbers and old["id"] != new["id"]:
        return []  # a last digit, within the declared rounding
    return [*words, *numbers]


def _told(value: Any) -> str:
    return "" if value is None else f"{value}"


def revised(
    old: Mapping[tuple[str, ...], Mapping[str, str]], new: Mapping[tuple[str, ...], Mapping[str, str]]
) -> list[Revision]:
    """Return every figure that differs: revised ones first, then withdrawn and new ones, each by its key."""
    newest: dict[tuple[str, ...], str] = {}
    for key in old:
        series = (*key[:4], key[5])
        newest[series] = max(newest.get(series, ""), key[4])
    found = []
    for key in {*old, *new}:
        one, other = old.get(key, {}), new.get(key, {})
        if one == other:
            continue
        last = newest.get((*key[:4], key[5]))
        kind = "revised" if one and other else "withdrawn" if one else "new" if last is None or key[4] < last else (
            "new period"
        )  # fmt: skip
        found.append(Revision(kind, dict(zip(ROW_KEY, key, strict=True)), one, other))
    return sorted(found, key=lambda item: (REVISIONS.index(item.kind), item.key))
