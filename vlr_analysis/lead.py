"""The number that a finding is known by, found where its statement prints it."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from vlr_analysis import language
from vlr_analysis.exhibits import number, plain_unit, since_base
from vlr_analysis.findings import KEY, Finding
from vlr_analysis.language import gettext, told

AT_MOST = 3

# What a finding is known by: the first of these that its statement tells; else the first number that it tells.
LEADS = ("slope_per_year", "gap_level", "gap_path", "difference", "value", "last_value")
_STATISTICS = re.compile(
    r"n|n_.*|p|q|q_.*|tau|rho|.*_p|.*_(low|high)|smallest_p|placebo.*|peers|areas|groups|years|rank.*"
)


@lru_cache(maxsize=16)
def _patterns(decimal: str, group: str, span: str) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return how a number and an interval are written with these marks; `span` says "{low} to {high}"."""
    digits = rf"(?:\d{{1,3}}(?:{re.escape(group)}\d{{3}})+|\d+)(?:{re.escape(decimal)}\d+)?"
    token = rf"(?<![\w.,+−/-])(?P<sign>[+−]?)(?:US\$|[£€$])?(?P<digits>{digits})(?![\w]|[.,-]\d|/\d)"
    ends = re.escape(span).replace(r"\{low\}", f"(?P<low>−?{digits})").replace(r"\{high\}", f"(?P<high>−?{digits})")
    return re.compile(token), re.compile(rf"{ends}(?![\w]|[.,-]\d)")


def _written() -> tuple[re.Pattern[str], re.Pattern[str]]:
    return _patterns(*language.marks(language.current()), gettext("{low} to {high}"))


@dataclass(frozen=True)
class KeyFigure:
    """The number that a finding is known by, as its statement prints it.

    Attributes
    ----------
    finding : Finding
    name : str
        Its name in the finding's numbers.
    value : float
        As the finding holds it.
    printed : str
        The number alone, as it stands in the statement.
    phrase : str
        With its unit.
    interval : str
        The 95 % interval as the statement prints it, or an empty text.
    """

    finding: Finding
    name: str
    value: float
    printed: str
    phrase: str
    interval: str


def key_figure(finding: Finding) -> KeyFigure | None:
    """Return the number that a finding is known by; None where its statement tells none."""
    rest = [name for name in finding.numbers if name not in LEADS and not _STATISTICS.fullmatch(name)]
    for name in (*LEADS, *rest):
        value = finding.numbers.get(name)
        if isinstance(value, float) and math.isfinite(value):
            token = printed(finding.statement, value, finding.unit)
            if token:
                phrase = _with_unit(finding.statement, token, finding.unit)
                return KeyFigure(finding, name, value, token.text, phrase, _interval(finding, name))
    return None


@dataclass(frozen=True)
class Token:
    """A number as a statement prints it: where it stands, how it is written, what it says."""

    start: int
    text: str
    value: float
    signed: bool


def tokens(statement: str) -> list[Token]:
    """Return the numbers of a statement; those inside a word, a date or a span such as 16-24 are no numbers."""
    found = []
    decimal, group = language.marks(language.current())
    for match in _written()[0].finditer(statement):
        value = float(match["digits"].replace(group, "").replace(decimal, ".")) * (-1 if match["sign"] == "−" else 1)
        found.append(Token(match.start(), match[0], value, bool(match["sign"])))
    return found


def printed(statement: str, value: float, unit: str = "") -> Token | None:
    """Find a number as a statement prints it.

    Parameters
    ----------
    statement : str
    value : float
        As a finding holds it: to six significant digits, a change from a base as a proportion.
    unit : str

    Returns
    -------
    Token or None
        The first one that is `value` rounded to three significant digits (whole from a thousand on), as it is or in
        percent; else to the places that it is written with, as an estimate beside its interval is. An unsigned one may
        stand for a negative value ("below by 3"). A share may be rounded to two.
    """
    for factor in (100, 1) if since_base(unit) else (1, 100):
        fits = [token for token in tokens(statement) if _rounds_to(value * factor, token)]
        fits = fits or [token for token in tokens(statement) if _written_to(value * factor, token)]
        if fits:
            return fits[0]
    text = number(100 * abs(value), 2)
    return next((token for token in tokens(statement) if token.text == text), None)


def _rounds_to(value: float, token: Token) -> bool:
    """Return whether a token is what `exhibits.number` makes of a value, give or take its own six digits."""
    if not math.isfinite(value) or value == 0 or token.value == 0:
        return value == token.value
    apart = abs(value - token.value) if token.signed else abs(abs(value) - abs(token.value))
    step = 1 if abs(value) >= 1000 else 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return apart <= 0.5 * step + 5e-6 * abs(value)


def _fits(value: float, token: Token) -> bool:
    """Return whether the end of an interval is a value, rounded by itself or alike with its estimate."""
    return _rounds_to(value, token) or _written_to(value, token, whole=True)


def _written_to(value: float, token: Token, *, whole: bool = False) -> bool:
    """Return whether a token is a value rounded to the places behind its point; `whole`: also one without any."""
    decimal = language.marks(language.current())[0]
    _, mark, behind = token.text.partition(decimal)
    apart = abs(value - token.value) if token.signed else abs(abs(value) - abs(token.value))
    return bool(mark or whole) and apart <= 0.5 * 10.0 ** -len(behind) + 5e-6 * abs(value)


def _with_unit(statement: str, token: Token, unit: str) -> str:
    """Return a number of a statement with the unit that stands beside it there."""
    rest = statement[token.start + len(token.text) :]
    yearly = f" {gettext('a year')}"
    for words in (told("{change} percentage points", change="").strip(), plain_unit(unit), unit, "%"):
        after = rest[len(words) + 1 :]
        if words and rest.startswith(f" {words}") and not after[:1].isalnum():
            return f"{token.text} {words}{yearly if after.startswith(yearly) else ''}"
    return f"{token.text}{yearly if rest.startswith(yearly) else ''}"


def _interval(finding: Finding, name: str) -> str:
    """Return the interval of a number where the statement prints it as a 95 % interval."""
    for names in ((f"{name}_low", f"{name}_high"), ("slope_low", "slope_high"), ("low", "high")):
        ends = [finding.numbers.get(end) for end in names]
        if not all(isinstance(end, float) for end in ends):
            continue
        for match in _written()[1].finditer(finding.statement):
            printed_ends = [tokens(match["low"]), tokens(match["high"])]
            for factor in (1, 100):
                pairs = list(zip(ends, printed_ends, strict=True))
                if all(len(t) == 1 and _fits(end * factor, t[0]) for end, t in pairs):
                    return match[0]
    return ""


def lead_figures(findings: Sequence[Finding], goals: dict[tuple, int]) -> list[KeyFigure]:
    """Choose up to three findings with a number: in the order given, other goals and kinds first, never grade D.

    Parameters
    ----------
    findings : sequence of Finding
        In reading order. What the review says of its own evidence is no finding for the box.
    goals : dict
        Goal of each (indicator, series, unit).
    """
    fit = [found for found in findings if found.grade != "D" and found.kind != "evidence"]
    open_ = [figure for figure in map(key_figure, fit) if figure]
    chosen: list[KeyFigure] = []
    while open_ and len(chosen) < AT_MOST:
        used = list(zip(*(_aspects(figure, goals) for figure in chosen), strict=True)) or [()] * 3
        repeats = [
            sum(aspect in seen for aspect, seen in zip(_aspects(figure, goals), used, strict=True)) for figure in open_
        ]
        chosen.append(open_.pop(repeats.index(min(repeats))))
    return chosen


def _aspects(figure: KeyFigure, goals: dict[tuple, int]) -> tuple:
    found = figure.finding
    key = tuple(getattr(found, name) for name in KEY)
    return found.indicator, goals.get(key, 0), found.kind
