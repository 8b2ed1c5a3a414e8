"""Texts of pages in the language of a review."""

from __future__ import annotations


def gettext(message: str) -> str:
    """Return a text in the language of the review."""
    return message


def ngettext(one: str, many: str, n: int) -> str:
    """Return the form of a text that a number asks for, in the language of the review."""
    return one if n == 1 else many
