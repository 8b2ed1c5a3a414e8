"""The prose of a notebook in the language of its page: each paragraph, heading and list item is one message.

The executed notebook keeps its English; only what a page shows of it is told in another language.
"""

from __future__ import annotations

import re

from vlr_analysis.language import SOURCE, current, gettext

# What stands before the words of a block and belongs to no language: marks of headings, items and quotations.
_MARK = re.compile(r"(#{1,6} +|(?:[-*+]|\d+\.) +|> ?)")
_FENCE = re.compile(r"(```|~~~)")


def blocks(text: str) -> list[tuple[str, str]]:
    """Split Markdown into blocks that can be told one by one.

    Parameters
    ----------
    text : str
        A cell of a notebook, or any Markdown.

    Returns
    -------
    list of (str, str)
        What stands before a block (empty lines, indentation, its mark), and its words on one line. Code and
        tables have no words: they stand whole in the first place.
    """
    found: list[tuple[str, str]] = []
    before, fenced, open_ = "", False, False
    for line in text.split("\n"):
        plain = line.strip()
        if _FENCE.match(plain):
            fenced = not fenced
            before, open_ = before + line + "\n", False
        elif fenced or not plain or plain.startswith(("|", "<", "![")) or line.startswith("    "):
            before, open_ = before + line + "\n", False
        elif open_ and not _MARK.match(plain):
            mark, words = found[-1]
            found[-1] = (mark, f"{words} {plain}")
        else:
            indent = line[: len(line) - len(line.lstrip())]
            mark = _MARK.match(plain)
            head = mark[0] if mark else ""
            found.append((before + indent + head, plain[len(head) :]))
            before, open_ = "", not head.startswith("#")
    if before.strip():
        found.append((before, ""))
    return found


def messages(text: str) -> list[str]:
    """Return the words of each block of Markdown, which are the messages of a catalogue."""
    return [words for _, words in blocks(text) if words]


def translated(text: str) -> str:
    """Return Markdown in the language in use; in English as it is, line for line."""
    if current() == SOURCE:
        return text
    return "".join(f"{before}{gettext(words)}\n" if words else before for before, words in blocks(text)).rstrip("\n")
