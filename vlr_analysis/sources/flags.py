"""Letters beside a number or a year: what they say of it, which of them hide it, and which nobody can be sure of."""

from __future__ import annotations

# As Eurostat, the OECD and national offices write them; a letter of CL_OBS_STATUS (SDMX) means what it means there.
FLAGS = {"p": "provisional", "prov": "provisional", "prel": "provisional", "e": "estimated", "est": "estimated",
         "i": "estimated", "s": "estimated", "f": "estimated", "b": "break", "d": "value", "r": "value", "rev": "value",
         "u": "value", "n": "value"}  # fmt: skip
HIDDEN_FLAGS = {"c": "suppressed", "z": "not_applicable", "m": "not_applicable"}
# In brackets a letter may also be a plain footnote, which changes nothing: A is a normal value, G an experimental, V
# an unvalidated one. S is an estimate to Eurostat, a strike to SDMX, and a secret to others: it is asked for.
_IN_BRACKETS = {letters: status for letters, status in FLAGS.items() if letters != "s"} | {
    "a": "value", "g": "value", "v": "value", "c": "suppressed", "conf": "suppressed", "q": "suppressed",
}  # fmt: skip
# Without brackets these letters are flags in any sheet; b, d, s ... could be billions, days or seconds.
_PLAIN = ("p", "e", "r", "prov", "prel", "est", "rev")
_RANK = ("suppressed", "break", "provisional", "estimated", "value")
_SECRETS = frozenset("sxzcq")
_SIZES = frozenset({
    "k", "m", "mn", "mio", "mil", "mill", "th", "ths", "thou", "tsd", "md", "mrd", "bn", "bio", "mm", "t", "mi", "bi",
})  # fmt: skip


def flagged(mark: str, *, in_brackets: bool, every: bool) -> str:
    """Return the status that a mark beside a number gives.

    Parameters
    ----------
    mark : str
        Letters, or a sign of a footnote, as they stand behind the number.
    in_brackets : bool
        The mark stands in brackets: ``2 (p)``, ``2 [p]``.
    every : bool
        Every letter after a number is a flag, as Eurostat writes them.

    Returns
    -------
    str
        A status; empty where the mark is none, or may mean several things: it may be part of a word or a unit, a
        size (``5 (M)``) or a letter that offices use in different ways (``5 (s)``, ``5 (x)``). Such a cell is
        refused with `advice`, since a footnote that is read as none changes nothing, but a size or a secret does.
        ``suppressed`` for a number marked as confidential: the number is not to be taken.
    """
    letters = mark.casefold()
    if not letters.isascii() or not letters.isalpha():
        return "value"  # a sign of a footnote
    if every and all(letter in FLAGS or letter == "c" for letter in letters):
        return min((FLAGS.get(letter, "suppressed") for letter in letters), key=_RANK.index)
    if every and letters in HIDDEN_FLAGS:
        return HIDDEN_FLAGS[letters]
    if in_brackets:
        return _IN_BRACKETS.get(letters, "")
    return FLAGS[letters] if letters in _PLAIN else ""


def size_or_secret(letters: str) -> bool:
    """Whether letters may say that figures are in thousands or millions, or that they are not for everybody."""
    return letters.casefold() in _SIZES or letters.casefold() in _SECRETS


def advice(mark: str) -> tuple[str, str]:
    """Return what was expected beside a number in place of a mark that `flagged` does not know, and what to do."""
    letters = mark.casefold()
    if letters in _SIZES:
        return "the number in full", "write the number out, such as 1200 for 1.2 thousand, without letters"
    if letters in _SECRETS:
        expected = "a number, or the mark of a number that is not published"
        return expected, "write * where it is secret, .. where there is none; else take off the mark"
    return "a number", f"take off {mark!r}, and write what it means in a note; (e) estimated, (p) provisional are read"
