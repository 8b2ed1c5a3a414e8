"""The kit's exceptions, and how a message is put together: all problems at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


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
        return f"{self.where}: found {self.found}; expected {self.expected}. Fix: {self.fix}"


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


def raise_if_any(subject: str, problems: Iterable[Problem]) -> None:
    """Raise one `InputError` with all `problems`, or return when there are none."""
    problems = tuple(problems)
    if problems:
        raise InputError(subject, problems)
