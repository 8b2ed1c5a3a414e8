"""The kit's exceptions, and how a message is put together: all problems at once."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LONGEST = 700  # letters of one part of a message; a file may hold a heading of a million
DISK = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the quota of the disk is used up",
        errno.EFBIG: "a file grew past the limit of the disk"}  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with what the user gave.

    Attributes
    ----------
    where : str
        File and row, cell or key: ``data/bristol.csv, row 12, column value``.
    found : str
        What stands there now.
    expected : str
        What should stand there.
    fix : str
        What to do next, as an instruction.
    """

    where: str
    found: str
    expected: str
    fix: str

    def __str__(self) -> str:
        where, found, expected, fix = (_cut(part) for part in (self.where, self.found, self.expected, self.fix))
        return f"{where}: found {found}; expected {expected}. Fix: {fix}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def listed(names: Iterable[str], most: int = 8) -> str:
    """Return names in a row, as many as a reader takes in: ``Figures, Notes and 12 more``."""
    names = list(names)
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


class KitError(Exception):
    """Base of every error that the kit raises on purpose."""

    def _render_traceback_(self) -> list[str]:
        """Show the message alone in a notebook: the reader can mend the input, not the kit's code."""
        return [str(self)]


class InputError(KitError):
    """The user's input is wrong; carries every problem, not only the first.

    Parameters
    ----------
    subject : str
        What was being read or checked, in the user's words (a file, a city).
    problems : iterable of Problem
        At least one.

    Attributes
    ----------
    problems : tuple of Problem
    """

    def __init__(self, subject: str, problems: Iterable[Problem]):
        self.subject = subject
        self.problems = tuple(problems)
        count = len(self.problems)
        head = f"{subject}: {count} problem{'' if count == 1 else 's'}"
        super().__init__("\n".join([head, *(f"- {problem}" for problem in self.problems)]))

    def __reduce__(self):
        """Travel between processes whole: pickle would make it again from its message alone."""
        return type(self), (self.subject, self.problems)


def raise_if_any(subject: str, problems: Iterable[Problem]) -> None:
    """Raise one `InputError` with all `problems`, or return when there are none."""
    problems = tuple(problems)
    if problems:
        raise InputError(subject, problems)


def in_words(failure: OSError) -> str:
    """Say what the system refused, without a path of this machine."""
    said = DISK.get(failure.errno or 0) or failure.strerror or type(failure).__name__
    return f"{said}{f' ({Path(str(failure.filename)).name})' if failure.filename else ''}"
