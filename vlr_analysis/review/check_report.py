"""What a check found: errors, doubts, repairs; as text for a terminal, as JSON for programs, as a page for people."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from vlr_analysis.errors import Problem
from vlr_analysis.sources.cells import Repair
from vlr_analysis.sources.repairs import doubtful, plainly

FORMAT, VERSION = "vlr-check", 1
FORMATS = ("text", "json", "html")
LISTED = 20  # repairs that the text lists; json and html list all
TOLD = 200  # errors and warnings that it lists: nobody reads more in a terminal
NOTHING_YET, RIGHT, WRONG = "nothing yet", "right", "errors"

_CELL = re.compile(r"(?P<file>.+?\.\w{2,7}), (?P<sheet>[^!]+)!(?P<cell>[A-Z]{1,3}[0-9]+)")
_ROW_OF_SHEET = re.compile(r"(?P<file>.+?\.\w{2,7}), (?P<sheet>[^!]+)!row (?P<row>[0-9]+)")
_ROW = re.compile(r"(?P<file>.+?), rows? (?P<row>[0-9]+)(?:, column (?P<column>.+))?")


@dataclass(frozen=True)
class Report:
    """What a check found.

    Attributes
    ----------
    subject : str
        File or city, as it was asked for.
    figures, series : int
        Observations that were read, and how many series they are.
    first, last : str
        Earliest and latest period; empty without figures.
    errors : sequence of Problem
        To be mended before a run.
    warnings : sequence of Problem
        Doubts; a run goes on.
    repairs : sequence of Repair
        What was mended while reading; nothing has to be done.
    """

    subject: str
    figures: int = 0
    series: int = 0
    first: str = ""
    last: str = ""
    errors: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    repairs: Sequence[Repair] = ()

    @property
    def result(self) -> str:
        """One of errors, nothing yet, right."""
        if self.errors:
            return WRONG
        return RIGHT if self.figures else NOTHING_YET

    @property
    def exit_code(self) -> int:
        """0 where a run may follow or nothing is there yet, 1 where something must be mended."""
        return 1 if self.errors else 0

    @property
    def doubtful(self) -> Sequence[Repair]:
        """Repairs that somebody should look at: the cell could be read in another way, or a part was guessed."""
        return [repair for repair in self.repairs if doubtful(repair)]

    @property
    def plain(self) -> Sequence[Repair]:
        """All other repairs."""
        return [repair for repair in self.repairs if not doubtful(repair)]

    def head(self) -> str:
        """Return the result in one line."""
        counts = [_count(self.errors, "error"), _count(self.warnings, "warning"), _count(self.repairs, "repair")]
        told = ", ".join(count for count in counts if count)
        if self.result == NOTHING_YET:
            return f"{self.subject}: nothing yet; no figure has been filled in" + (f" ({told})" if told else "")
        span = f", {self.first} to {self.last}" if self.first else ""
        held = f"{self.figures} figures of {self.series} series{span}"
        return f"{self.subject}: {told + '; ' if told else 'no problem found; '}{held}"

    def render(self, form: str) -> str:
        """Return the report as text, json or html."""
        return {"text": self.text, "json": self.json, "html": self.html}[form]()

    def text(self) -> str:
        """Return the report for a terminal."""
        lines = [self.head()]
        if self.errors:
            lines += ["", "Errors, to be mended before a run:", *_lines(self.errors, TOLD)]
        if self.warnings:
            lines += ["", "Warnings, to be looked at; a run goes on:", *_lines(self.warnings, TOLD)]
        if self.doubtful:
            lines += ["", "Repairs to be looked at; the file is not changed:", *_lines(self.doubtful, LISTED)]
        if self.plain:
            lines += ["", "Plain repairs, by kind; nothing has to be done (--format html or json lists every cell):"]
            lines += [f"- {line}" for line in plainly(self.plain)]
        return "\n".join(lines)

    def json(self) -> str:
        """Return the report for programs; see docs/start-with-excel.md for its keys."""
        content = {
            "format": FORMAT, "version": VERSION, "subject": self.subject, "result": self.result,
            "figures": self.figures, "series": self.series, "first": self.first, "last": self.last,
            "errors": [_entry(problem) for problem in self.errors],
            "warnings": [_entry(problem) for problem in self.warnings],
            "repairs": [_entry(repair) for repair in self.repairs],
        }  # fmt: skip
        return json.dumps(content, ensure_ascii=False, indent=1)

    def html(self) -> str:
        """Return the report as a page that stands alone."""
        from vlr_analysis.review.pages import render

        return render("check.html.j2", report=self._of_one_file(), language="en")

    def _of_one_file(self) -> Report:
        """Return the report with the file named once, at the head, where all of it is about one file."""
        items = (self.errors, self.warnings, self.repairs)
        files = {place(item.where)["file"] for some in items for item in some}
        if len(files) != 1:
            return self
        (file,) = files
        short = (
            tuple(replace(item, where=item.where.removeprefix(f"{file}, ")) for item in some) for some in items
        )  # fmt: skip
        errors, warnings, repairs = short
        subject = self.subject if self.subject == file else f"{self.subject} ({file})"
        return replace(self, subject=subject, errors=errors, warnings=warnings, repairs=repairs)


def _lines(items: Sequence, most: int) -> list[str]:
    more = len(items) - most
    told = [f"- {item}" for item in items[:most]]
    return [*told, f"- and {more} more; --format html or json lists all"] if more > 0 else told


def _count(items: Sequence, word: str) -> str:
    return f"{len(items)} {word}{'' if len(items) == 1 else 's'}" if items else ""


def place(where: str) -> dict[str, Any]:
    """Return the parts of a place that a message names.

    Parameters
    ----------
    where : str
        ``x.xlsx, Figures!C4``, ``x.csv, row 4, column value``, ``params/x.yaml, key country``.

    Returns
    -------
    dict
        file, sheet, cell, row, column; empty, and row null, where the message names none.
    """
    parts: dict[str, Any] = {"file": where.split(", ")[0], "sheet": "", "cell": "", "row": None, "column": ""}
    for form in (_CELL, _ROW_OF_SHEET, _ROW):
        found = form.match(where)
        if found:
            parts |= {name: text for name, text in found.groupdict().items() if text}
            break
    if parts["cell"]:
        parts["column"] = parts["cell"].rstrip("0123456789")
        parts["row"] = parts["cell"].removeprefix(parts["column"])
    parts["row"] = int(parts["row"]) if parts["row"] else None
    return parts


def _entry(item: Problem | Repair) -> dict[str, Any]:
    told = {"found": item.found, "expected": item.expected, "fix": item.fix} if isinstance(item, Problem) else {
        "found": item.found, "taken": item.taken, "why": item.why,
    }  # fmt: skip
    return {"where": item.where, **place(item.where), **told}


def in_order(items: Sequence, sheets: Sequence[str] = ()) -> Iterator:
    """Return problems or repairs in the order in which a reader meets their cells: sheet, row, column.

    Parameters
    ----------
    items : sequence of Problem or Repair
    sheets : sequence of str
        Order of the sheets; others follow.
    """
    ranks = {sheet.casefold(): rank for rank, sheet in enumerate(sheets)}

    def key(item: Problem | Repair) -> tuple:
        at = place(item.where)
        rank = ranks.get(at["sheet"].casefold(), len(ranks)) if at["sheet"] else -1
        return (at["file"], rank, at["sheet"], at["row"] or 0, len(at["column"]), at["column"])

    return iter(sorted(items, key=key))
