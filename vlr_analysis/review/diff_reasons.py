"""Why findings differ between two reviews: figures, definitions, method, parameters, boundary, environment."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vlr_analysis.language import coded
from vlr_analysis.observations import KEY as ROW_KEY
from vlr_analysis.review.differences import changed_methods
from vlr_analysis.review.plan import OWN_METHODS

if TYPE_CHECKING:
    from vlr_analysis.review.certificate import Certificate
    from vlr_analysis.review.diff import Revision, Side

CLASSES = ("data", "definition", "method", "parameters", "boundary", "environment")
NO_METHOD = ("review/", "cli", "language", "locale")  # parts of the package that make no result
BOUNDARY = ("boundary",)  # keys of the parameters that say what the area is
NO_REASON = ("data", "voices", "previous_release", "contact", "language")  # keys that change no result, or by a file


@dataclass(frozen=True)
class Reason:
    """One thing that differs in what went in or in what made the results.

    Attributes
    ----------
    kind : str
        One of `CLASSES`.
    what : str
        What differs, in words; `language.retold` says them in the language of a page.
    old, new : str
        Empty where one side lacks it.
    figure : tuple of str
        Key of the row, for data; empty otherwise.
    indicator, chapter, area : str
        Whom it touches; all findings where all are empty.
    """

    kind: str
    what: str
    old: str
    new: str
    figure: tuple[str, ...] = ()
    indicator: tuple[str, ...] = ()
    chapter: str = ""
    area: str = ""

    def touches(self, finding: Mapping[str, Any], rows: frozenset[tuple[str, ...]]) -> bool:
        """Whether it bears on a finding that rests on these rows."""
        if self.figure:
            return self.figure in rows
        if self.indicator:
            known = {tuple(finding[name] for name in ("indicator", "series", "unit"))[: len(self.indicator)]}
            return self.indicator in known or any(key[1 : 1 + len(self.indicator)] == self.indicator for key in rows)
        if self.chapter:
            return finding["notebook"] == self.chapter
        if self.area:
            return finding["area"] == self.area or any(key[0] == self.area for key in rows)
        return True


def behind(rows: Iterable[Mapping[str, str]]) -> dict[str, frozenset[tuple[str, ...]]]:
    """Return the keys of the figures behind each finding, from the rows of `provenance.csv`."""
    found: dict[str, set[tuple[str, ...]]] = {}
    for row in rows:
        found.setdefault(row["finding"], set()).add(tuple(row[name] for name in ROW_KEY))
    return {name: frozenset(keys) for name, keys in found.items()}


def both_ways(same: Callable[[Any, Any], bool], one: Any, other: Any) -> bool:
    """Compare two numbers of which one may have been written without a point."""
    numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in (one, other))
    return same(float(one), float(other)) if numbers else same(one, other)


def reasons_of(old: Side, new: Side, revisions: Sequence[Revision]) -> tuple[Reason, ...]:
    """Return everything that differs between two reviews, by class in the order of `CLASSES`."""
    there, here = old.held, new.held
    found = [
        *_data(revisions, there, here),
        *_tables("definition", old.definitions, new.definitions),
        *_method(there, here),
        *_parameters(there.parameters, here.parameters),
        *_tables("boundary", old.areas, new.areas),
        *_environment(there, here),
    ]
    return tuple(sorted(found, key=lambda one: CLASSES.index(one.kind)))


def _data(revisions: Sequence[Revision], there: Certificate, here: Certificate) -> Iterator[Reason]:
    for one in revisions:
        told = [
            " ".join(part for part in (held.get("value", ""), _status(held)) if part) for held in (one.old, one.new)
        ]
        if one.kind == "revised" and told[0] == told[1]:
            told = [f"{told[i]} ({held.get('low')}–{held.get('high')})" for i, held in enumerate((one.old, one.new))]
        figure = one.figure
        where = ", ".join(figure[name] for name in ("area", "series", "period", "breakdown") if figure[name])
        yield Reason("data", f"{one.kind}: {where}", *told, figure=one.key)
    if there.shown.get("voices") != here.shown.get("voices"):
        told = (_hash(side.shown.get("voices", "")) for side in (there, here))
        yield Reason("data", coded("the register of what residents say"), *told, chapter="07_voices")


def _status(held: Mapping[str, str]) -> str:
    return "" if held.get("status", "value") in ("value", "") else f"({held['status']})"


def _tables(
    kind: str, old: Mapping[tuple[str, ...], Mapping[str, str]], new: Mapping[tuple[str, ...], Mapping[str, str]]
) -> Iterator[Reason]:
    """Compare registers that both reviews carry; a register that one lacks says nothing."""
    if not (old and new):
        return
    for key in sorted({*old, *new}):
        one, other = old.get(key), new.get(key)
        where = {"area": key[0]} if kind == "boundary" else {"indicator": key}
        if one is None or other is None:
            told = (coded("there") if held else "" for held in (one, other))
            yield Reason(kind, ", ".join(part for part in key if part), *told, **where)
            continue
        for name in [*one, *(name for name in other if name not in one)]:
            if one.get(name, "") != other.get(name, ""):
                is_area = kind == "definition" and name == "geography"
                item = ", ".join(part for part in key[:2] if part)
                what = coded("column {column_name} of {item_code}", column_name=name, item_code=item)
                yield Reason("boundary" if is_area else kind, what, one.get(name) or "", other.get(name) or "", **where)


def _method(there: Certificate, here: Certificate) -> Iterator[Reason]:
    for name in sorted({*there.notebooks, *here.notebooks}):
        codes = [side.notebooks[name].code if name in side.notebooks else "" for side in (there, here)]
        if codes[0] != codes[1]:
            what = coded("notebook {file_name}", file_name=name)
            what += "" if all(codes) else ": " + coded("run in one of the two reviews only")
            yield Reason("method", what, *map(_hash, codes), chapter=name.removesuffix(".ipynb"))
    for name, *hashes in changed_methods(there, here):
        yield Reason("method", name, *map(_hash, hashes), chapter=OWN_METHODS)
    files = [
        name.partition("/")[2]
        for name in sorted({*there.package.files, *here.package.files})
        if there.package.files.get(name) != here.package.files.get(name)
        and not name.partition("/")[2].startswith(NO_METHOD)
    ]
    if files:
        names, more = ", ".join(files[:4]), len(files) - 4
        what = coded("the package: {file_names}", file_names=names)
        if more > 0:
            what = coded("the package: {file_names} and {n} more", file_names=names, n=more)
        told = (
            coded("version {code}, {hash_code}", code=side.package.version, hash_code=_hash(side.package.sha256))
            for side in (there, here)
        )
        yield Reason("method", what, *told)


def _parameters(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Reason]:
    before, after = _flat(old), _flat(new)
    for key in sorted({*before, *after}):
        if before.get(key) == after.get(key) or key[0][0] in NO_REASON:
            continue
        path, indicator = key
        kind = "boundary" if path[-1] in BOUNDARY else "parameters"
        kind = "definition" if indicator and path[-1] in ("label", "direction") else kind
        kind = "boundary" if indicator and path[-1] == "geography" else kind
        what = coded("key {key_name}", key_name=".".join(path))
        if indicator:
            item = ", ".join(part for part in indicator if part)
            what = coded("key {key_name} of {item_code}", key_name=".".join(path), item_code=item)
        told = (json.dumps(side[key], ensure_ascii=False) if key in side else "" for side in (before, after))
        yield Reason(kind, what, *told, indicator=indicator)


def _flat(
    content: Any, path: tuple[str, ...] = (), indicator: tuple[str, ...] = ()
) -> dict[tuple[tuple[str, ...], tuple[str, ...]], Any]:
    """Return parameters as one level; an entry for an indicator is known by its code, not by its place."""
    if isinstance(content, Mapping):
        own = tuple(str(content[name]) for name in ("indicator", "series", "unit") if content.get(name))
        own = own if content.get("indicator") else indicator
        parts = [((*path, str(name)), value, own) for name, value in content.items()]
    elif isinstance(content, list) and any(isinstance(one, Mapping) for one in content):
        named = [isinstance(one, Mapping) and one.get("indicator") for one in content]
        parts = [(path if named[i] else (*path, str(i + 1)), value, indicator) for i, value in enumerate(content)]
    else:
        return {(path, indicator): content}
    found: dict[tuple[tuple[str, ...], tuple[str, ...]], Any] = {}
    for at, value, own in parts:
        found |= _flat(value, at, own)
    return found


def _environment(there: Certificate, here: Certificate) -> Iterator[Reason]:
    for name in sorted({*there.environment, *here.environment}):
        if there.environment.get(name) != here.environment.get(name):
            yield Reason("environment", name, there.environment.get(name, ""), here.environment.get(name, ""))
    if there.platform != here.platform:
        told = (", ".join(side.platform.values()) for side in (there, here))
        yield Reason("environment", coded("platform"), *told)


def _hash(digest: str) -> str:
    return f"SHA-256 {digest[:12]}…" if digest else ""
