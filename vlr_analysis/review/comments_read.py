"""Sheets and forms that come back: every cell read, every problem told, comments tied to their findings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from vlr_analysis.cell_text import original
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.language import available, using
from vlr_analysis.review import comments, inputs
from vlr_analysis.review.comments import KINDS, STATES, WITHHELD, Comment
from vlr_analysis.review.comments_sheet import ANSWERING, COMMENTING, LONGEST, head, key_of
from vlr_analysis.sources.sheet_grid import Sheet
from vlr_analysis.sources.sheets import open_sheets

_KEY = re.compile(r"[0-9a-f]{8}\.[0-9a-f]{16}")
_CODE = re.compile(r"[a-z]-[0-9a-f]{8}")
_WORDS = {"Kind": KINDS, "State": STATES}


@lru_cache(maxsize=1)
def _dictionaries() -> tuple[list[dict[str, str]], dict[str, dict[str, str]]]:
    """Return, of every language, heads of columns by their words; and kinds and states by their words in any."""
    heads, known = [], {name: {word: word for word in words} for name, words in _WORDS.items()}
    for tag in available():
        with using(tag):
            heads.append({_plain(head(name)): name for name in (*COMMENTING, *ANSWERING)})
            said = comments.words()
        for name, words in _WORDS.items():
            known[name] |= {said[word].casefold(): word for word in words if said[word].casefold() not in known[name]}
    return heads, known


def _places(sheet: Sheet) -> list[str | None]:
    """Return the name of each column: by its head in any language, else by its place in a sheet as it was given."""
    row = [_plain(cell) for cell in sheet.rows[0]]
    for heads in _dictionaries()[0]:
        found = [heads.get(cell) for cell in row]
        if "Finding" in found and "Comment" in found:
            return found
    width = len([cell for cell in row if cell])
    for columns in (COMMENTING, ANSWERING):
        keys = (sheet.at(number, len(columns) - 1) for number in range(1, len(sheet.rows)))
        if width == len(columns) and any(_KEY.fullmatch(_plain(key)) for key in keys):
            return [*columns, *[None] * (len(row) - width)]
    return [_dictionaries()[0][0].get(cell) for cell in row]


@dataclass
class Read:
    """What files have brought.

    Attributes
    ----------
    given : list of Comment
        An empty state stands for what is held already, or for *open*.
    problems : list of Problem
    """

    given: list[Comment] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def read(files: Sequence[Path], held: Sequence[Comment], findings: Sequence[Mapping[str, Any]]) -> list[Comment]:
    """Read sheets and forms.

    Parameters
    ----------
    files : sequence of Path
        ``.xlsx`` or CSV in any form that a spreadsheet program saves: commas, semicolons or tabs; UTF-8, UTF-16 or
        Windows-1252.
    held : sequence of Comment
        The register.
    findings : sequence of mapping
        Records of the newest report; may be empty, since a sheet carries what its findings said.

    Returns
    -------
    list of Comment

    Raises
    ------
    InputError
        With every problem of every file.
    """
    found = Read()
    today = {one["id"]: one for one in findings}
    for path in files:
        try:
            sheets = open_sheets(path).sheets
        except InputError as error:
            found.problems += error.problems
            continue
        pages = [sheet for sheet in sheets if len(sheet.rows[0]) > 1]  # the guide has one column
        with_heads = [sheet for sheet in pages if "Finding" in _places(sheet)]
        if not with_heads:
            fix = "give a sheet of `vlr comments`, with its first row as it was"
            first = ", ".join(map(str, (pages or sheets)[0].rows[0]))[:100] if sheets else "no sheet"
            found.problems.append(Problem(path.name, first, f"the columns {', '.join(COMMENTING)}", fix))
        for sheet in with_heads:
            _sheet(sheet, held, today, found)
    raise_if_any("comments", dict.fromkeys(found.problems))
    return found.given


def _plain(cell: Any) -> str:
    return " ".join(str(cell or "").casefold().split())


def _sheet(sheet: Sheet, held: Sequence[Comment], today: Mapping[str, Mapping], found: Read) -> None:
    places: dict[str, int] = {}
    for column, name in enumerate(_places(sheet)):
        if name in places:
            found.problems.append(Problem(sheet.where(0, column), f"{name} again", "each column once", "remove one"))
        elif name:
            places[name] = column
    missing = [name for name in ("Finding", "Comment") if name not in places]
    if missing:
        found.problems.append(Problem(sheet.where(0), f"no column {', '.join(missing)}", "it", "put it back"))
        return
    known = {one.comment: one for one in comments.latest(held)}
    for row in range(1, len(sheet.rows)):
        problems: list[Problem] = []
        cells = {name: _cell(sheet, row, column, name, problems) for name, column in places.items()}
        if not any(cells.get(name) for name in ("Comment", "State", "Response", "Answered by")) and not problems:
            continue
        told = {name: sheet.where(row, column) for name, column in places.items()}
        problems += _rules(cells, told)
        if cells.get("Comment ID"):
            one = _answer(cells, told, known, problems)
        else:
            one = _comment(cells, told, held, today, problems)
        found.problems += problems
        if one is not None and not problems:
            found.given.append(one)


def _cell(sheet: Sheet, row: int, column: int, name: str, problems: list[Problem]) -> str:
    """Return what a cell says; a formula says nothing that anybody has written."""
    value = sheet.at(row, column)
    if value is None:
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if not isinstance(value, str | int | float | bool):
        fix = "write the words themselves, with an apostrophe in front if they begin with ="
        problems.append(Problem(sheet.where(row, column), "a formula", "text", fix))
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value)
    if len(text) > LONGEST and name in ("Comment", "Response"):
        fix = "shorten it, and name the document that holds the rest"
        found = f"a text of {len(text):,} letters"
        problems.append(Problem(sheet.where(row, column), found, f"at most {LONGEST:,}", fix))
        return ""
    return comments.tidy(original(text))


def _rules(cells: dict[str, str], told: Mapping[str, str]) -> Iterator[Problem]:
    for name, words in _WORDS.items():
        known = _dictionaries()[1][name]
        text = cells.get(name, "").casefold()
        text = known.get(text, text)
        if text and text not in words:
            near = get_close_matches(text, known, n=1, cutoff=0.6)
            fix = f"did you mean {near[0]!r}?" if near else "choose from the list of the cell"
            yield Problem(told[name], repr(cells[name])[:80], f"one of {', '.join(words)}", fix)
        if name in cells:
            cells[name] = text
    day = cells.get("Date", "")
    if day:
        try:
            date.fromisoformat(day)
        except ValueError:
            fix = "write year, month and day: 3/4/2026 is two days, by who reads it"
            yield Problem(told["Date"], repr(day)[:80], "a day such as 2026-03-31", fix)
    if len(cells.get("Who", "")) > 200:
        yield Problem(told["Who"], f"{len(cells['Who'])} letters", "a name or an office", "shorten it")


def _answer(
    cells: Mapping[str, str], told: Mapping[str, str], known: Mapping[str, Comment], problems: list[Problem]
) -> Comment | None:
    """Return what an officer has answered to a comment that is held."""
    held = known.get(cells["Comment ID"])
    if held is None:
        found = repr(cells["Comment ID"])[:80]
        problems.append(Problem(told["Comment ID"], found, "the id of a comment of this city", "take it from the log"))
        return None
    if cells["Comment"] and cells["Comment"] != held.text:
        fix = "leave the words of others as they are; write your own into Response"
        problems.append(Problem(told["Comment"], repr(cells["Comment"])[:60], repr(held.text)[:60], fix))
    texts = {"state": "State", "response": "Response", "responder": "Answered by"}
    return Comment(**{name: getattr(held, name) for name in comments.COLUMNS if name not in texts},
                   **{name: cells.get(column, "") for name, column in texts.items()})  # fmt: skip


def _code(cell: str) -> str:
    """Return the code of a finding; of two, the one of today, which `comments.named` writes first."""
    codes = _CODE.findall(cell)
    return codes[0] if len(codes) == 2 else cell


def _comment(
    cells: Mapping[str, str], told: Mapping[str, str], held: Sequence[Comment], today: Mapping[str, Mapping],
    problems: list[Problem],
) -> Comment | None:  # fmt: skip
    """Return a new comment, tied to the finding as its writer saw it."""
    finding, key, text = _code(cells["Finding"]), cells.get("Key", ""), cells["Comment"]
    if not text:
        if not problems:
            fix = "write the comment, or take its Comment ID from the log"
            problems.append(Problem(told["Comment"], "nothing, with an answer beside it", "a comment", fix))
        return None
    now = today.get(finding)
    before = next((one for one in reversed(held) if one.finding == finding), None)
    if now and (not _KEY.fullmatch(key) or key == key_of(now)):
        about = (*key_of(now).split("."), now["notebook"], now["grade"], now["statement"])
    elif _KEY.fullmatch(key) and _CODE.fullmatch(finding) and cells.get("Statement"):
        about = (*key.split("."), cells.get("Chapter", ""), cells.get("Grade", ""), cells["Statement"])
    elif before:
        about = (before.subject, before.content, before.chapter, before.grade, before.statement)
    else:
        near = get_close_matches(finding, list(today), n=1, cutoff=0.8)
        fix = f"did you mean {near[0]!r}?" if near else "copy the code of the finding, and its Key, from the sheet"
        expected = "the code of a finding of this city"
        problems.append(Problem(told["Finding"], repr(finding)[:80] if finding else "nothing", expected, fix))
        return None
    who, kind = cells.get("Who", ""), cells.get("Kind", "")
    return Comment(comments.id_of(finding, who, kind, text), finding, *about, who, kind, cells.get("Date", ""), text,
                   cells.get("State", ""), cells.get("Response", ""), cells.get("Answered by", ""))  # fmt: skip


@dataclass(frozen=True)
class Merged:
    """What a merge has done."""

    path: str
    comments: int
    answers: int
    held: int
    withheld: int

    def lines(self) -> list[str]:
        """Say it."""
        told = [f"new comments: {self.comments}, answers: {self.answers}, known already: {self.held}."]
        told += [f"{self.withheld} comments of this city are on no page: under review, or withdrawn."] * (
            self.withheld > 0
        )
        return [*told, f"{self.path}: run `vlr run {Path(self.path).stem}` to show them; no notebook runs again."]


def merge(
    files: Sequence[Path], city: str, root: Path, findings: Sequence[Mapping[str, Any]], *, hold: bool = False
) -> Merged:
    """Take files into the register of a city.

    Parameters
    ----------
    files : sequence of Path
    city : str
    root : Path
        Folder of the project.
    findings : sequence of mapping
        Of the newest report; may be empty.
    hold : bool
        New comments are under review until somebody gives them another state.

    Raises
    ------
    InputError
        With every problem of every file; nothing is written then.
    """
    path = root / inputs.comments_of(city)
    held = comments.read_register(path)
    given = read(files, held, findings)
    if hold:
        given = [one if one.state else _held_back(one, held) for one in given]
    added = comments.merged(held, given)
    comments.append(path, added)
    known = {one.comment for one in held}
    new = {one.comment for one in added} - known
    answers = len(added) - len(new)
    total = comments.latest([*held, *added])
    withheld = sum(one.state in WITHHELD for one in total)
    return Merged(inputs.comments_of(city), len(new), answers, len(given) - len(added), withheld)


def _held_back(one: Comment, held: Sequence[Comment]) -> Comment:
    known = any(other.comment == one.comment for other in held)
    return one if known else Comment(**{name: getattr(one, name) for name in comments.COLUMNS if name != "state"},
                                     state="under review")  # fmt: skip
