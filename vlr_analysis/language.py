"""The language in which sentences are told: gettext catalogues, numbers and lists in the form of each language.

English is the source and needs no catalogue. Another language is a folder `locale/<tag>/LC_MESSAGES/vlr.po` beside this
module; its plural forms, number signs and direction of writing come from the CLDR (through Babel).

Three ways to say something:

- `told("{label}: {verdict}.", label=..., verdict=...)` says it now, in the language in use;
- `coded("no value")` writes it in English, for results that are compared, hashed and kept; `retold` says it in the
  language in use when it is shown;
- `N_("Finding")` only marks a constant for the catalogues; `gettext` says it when it is shown.
"""

from __future__ import annotations

import gettext as _gettext
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from string import Formatter

from vlr_analysis.errors import InputError, Problem

SOURCE = "en"
DOMAIN = "vlr"
CODED = "result"  # msgctxt of what results hold in English and pages tell in another language
LOCALE = Path(__file__).parent / "locale"

_LANGUAGE: ContextVar[str | None] = ContextVar("language", default=None)
_process = SOURCE  # what `use` has set: the cells of a kernel and the threads of a run have contexts of their own


def catalogue_path(language: str) -> Path:
    """Return where the catalogue of a language lies."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def available() -> tuple[str, ...]:
    """Return the tags of the languages that can be told: English, then those with a catalogue, by name."""
    return (SOURCE, *sorted(path.parts[-3] for path in LOCALE.glob(f"*/LC_MESSAGES/{DOMAIN}.po")))


def checked(language: str) -> str:
    """Return the tag of a language that can be told: itself, or what it is a variety of (`es` for `es-MX`).

    Raises
    ------
    InputError
        There is no catalogue of it.
    """
    known = available()
    for tag in (language, language.partition("-")[0]):
        if tag in known:
            return tag
    raise InputError("language", [Problem(
        "language", repr(language), f"one of {', '.join(known)}",
        f"choose one of them, or add a catalogue: copy {DOMAIN}.pot to locale/{language}/LC_MESSAGES/{DOMAIN}.po",
    )])  # fmt: skip


def current() -> str:
    """Return the tag of the language in use."""
    return _LANGUAGE.get() or _process


@contextmanager
def using(language: str) -> Iterator[str]:
    """Use a language inside a `with`; the one before comes back after it. Unknown languages are an `InputError`."""
    mark = _LANGUAGE.set(checked(language))
    try:
        yield current()
    finally:
        _LANGUAGE.reset(mark)


def use(language: str) -> None:
    """Use a language for the rest of the process: a kernel tells one city. Unknown languages are an `InputError`."""
    global _process
    _process = checked(language)


# --- messages ------------------------------------------------------------------------------------


@lru_cache(maxsize=16)
def _translations(path: Path, tag: str) -> _gettext.NullTranslations:
    """Compile a catalogue in memory: it is small, and no second file can be older than the first."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale=_tag(tag), domain=DOMAIN)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return _gettext.GNUTranslations(compiled)


def _tag(language: str) -> str:
    return language.replace("-", "_")


def translations(language: str | None = None) -> _gettext.NullTranslations:
    """Return the translations of a language (of the one in use if left out), also for templates of pages."""
    tag = current() if language is None else checked(language)
    return _NONE if tag == SOURCE else _translations(catalogue_path(tag), tag)


_NONE = _gettext.NullTranslations()


def gettext(message: str) -> str:
    """Return a message in the language in use; in English where it has no translation."""
    return translations().gettext(message) if message else ""


def ngettext(one: str, many: str, n: int) -> str:
    """Return the form of a message that goes with a count."""
    return translations().ngettext(one, many, int(n))


def pgettext(context: str, message: str) -> str:
    """Return a message that needs a context to be told apart from its like."""
    return translations().pgettext(context, message) if message else ""


def N_(message: str) -> str:
    """Mark a message for the catalogues and return it as it is."""
    return message


noop = N_


def told(message: str, **values: object) -> str:
    """Say a whole sentence in the language in use; `{name}` in it are filled with `values`."""
    return directed(gettext(message).format(**values))


def told_of(one: str, many: str, n: int, **values: object) -> str:
    """Say a sentence about a count, which stands in it as `{n}`."""
    return directed(ngettext(one, many, n).format(**{"n": number(f"{n:,.0f}"), **values}))


# --- what results hold -----------------------------------------------------------------------------


def coded(message: str, **values: object) -> str:
    """Write a verdict or a reason in English, as results keep it; `retold` says it in another language."""
    return message.format(**values) if values else message


def retold(text: str) -> str:
    """Say in the language in use what `coded` has written; parts joined by ``; `` each on its own.

    What no message fits stays as it is: names, labels and what people have written.
    """
    tag = current()
    if tag == SOURCE or not isinstance(text, str) or not text:
        return text
    said = _retold(text, tag, catalogue_path(tag))
    return directed(said) if said != text else text


@lru_cache(maxsize=16384)
def _retold(text: str, tag: str, path: Path) -> str:
    known, exact, shapes = _coded_messages(path, tag)
    if text in exact:
        return known.pgettext(CODED, text)
    for shape, message in shapes:
        found = shape.fullmatch(text)
        if found:
            values = {name: _value(name, value, tag, path) for name, value in found.groupdict().items()}
            return known.pgettext(CODED, message).format(**values)
    for joint in ("; ", ": ", ", ", " or ", " and "):
        parts = text.split(joint)
        said = [_retold(part, tag, path) for part in parts] if len(parts) > 1 else parts
        if joint in (" or ", " and "):
            if all(a != b for a, b in zip(said, parts, strict=True)):
                return f" {known.pgettext(CODED, joint.strip())} ".join(said)
        elif said != parts:
            return known.pgettext(CODED, joint).join(said)
    return text


# Values of messages that are names or codes, in which a point is no decimal mark.
_NAMES = re.compile(r".*(code|label|name|indicator|series|unit|title|city|area|group|target|year|near).*")


def _value(name: str, value: str, tag: str, path: Path) -> str:
    said = _retold(value, tag, path)
    return said if said != value or _NAMES.fullmatch(name) else number(value, tag)


@lru_cache(maxsize=16)
def _coded_messages(path: Path, tag: str) -> tuple[_gettext.NullTranslations, frozenset[str], list]:
    """Return translations, the messages of results without a gap to fill, and those with one as patterns.

    The pattern with most words of its own comes first.
    """
    from babel.messages.pofile import read_po

    with path.open("rb") as file:
        catalogue = read_po(file, locale=_tag(tag), domain=DOMAIN)
    messages = [str(message.id) for message in catalogue if message.context == CODED and message.id]
    exact = frozenset(message for message in messages if "{" not in message)
    shapes = sorted((message for message in messages if "{" in message), key=lambda text: (-_own(text), text))
    return _translations(path, tag), exact, [(_shape(message), message) for message in shapes]


def placeholders(message: str) -> list[str]:
    """Return the names in braces of a message, sorted."""
    return sorted(name for _, name, _, _ in Formatter().parse(message) if name is not None)


# Gaps that hold a number or a period: what fills them begins with a digit, a sign or a currency.
_FILLS = dict.fromkeys(("first", "last", "low", "high", "n", "least"), r"[−+]?(?:US)?[£€$]?\d\S*?")
_FILLS |= dict.fromkeys(("count", "people", "own", "other", "sources"), r"\d[^;]*?")
_FILLS |= dict.fromkeys(("often", "out", "over", "raised"), r"(?:[;, ].*?)?")  # what may be added, or not
# Only what the smell test suspects: else every text with something in brackets would have this shape.
_FILLS["suspicion_label"] = (
    r"factor of \d+|percent against proportion|total in a rate|repeated zeros|placeholder|swapped|flat|stands apart"
    r"|outside the possible range|parts do not add up|total outside its groups|groups overlap"
    r"|duplicate of another series"
)


def _own(message: str) -> int:
    return sum(len(text) for text, *_ in Formatter().parse(message))


def _shape(message: str) -> re.Pattern[str]:
    seen: set[str] = set()
    pattern = ""
    for text, name, _, _ in Formatter().parse(message):
        pattern += re.escape(text)
        if name is not None:
            pattern += f"(?P={name})" if name in seen else f"(?P<{name}>{_FILLS.get(name, '.+?')})"
            seen.add(name)
    return re.compile(pattern, re.DOTALL)


# Words of results that stand alone where they are made: a verdict, a kind, a state, a dimension.
WORDS = (
    coded("recovered"), coded("not yet"), coded("ahead"), coded("no clear shock"), coded("cannot tell"), coded("trend"),
    coded("agree"), coded("disagree"), coded("agrees"), coded("disagrees"), coded("silent"), coded("level"),
    coded("direction"), coded("same"), coded("near"), coded("context"), coded("blocked"), coded("adjusted"),
    coded("adapted"), coded("other"), coded("own"), coded("global"), coded("bootstrap"), coded("placeholder"),
    coded("swapped"), coded("flat"), coded("filled"), coded("empty"), coded("a figure"), coded("a breakdown"),
    coded("official"), coded("administrative"), coded("survey"), coded("modelled"), coded("private"), coded("citizen"),
    coded("qualitative"), coded("workshop"), coded("poll"), coded("citizen data"), coded("complaint log"),
    coded("random sample"), coded("quota"), coded("register"), coded("invited"), coded("open call"),
    coded("improves"), coded("worsens"), coded("unchanged"), coded("concern"), coded("satisfied"), coded("hidden"),
    coded("provisional"), coded("estimated"), coded("suppressed"), coded("missing"), coded("break"), coded("value"),
    coded("sex"), coded("age"), coded("race"), coded("kind"), coded("people"), coded("consent"), coded("all"),
    coded("interviews"), coded("technology"),
    coded("ethnicity"), coded("income"), coded("disability"), coded("education"), coded("location"), coded("place"),
    coded("place type"), coded("employment"), coded("mode"), coded("yes"), coded("no"), coded("increase"),
    coded("decrease"), coded("or"), coded("and"), coded("the year before"), coded("the base"),
    coded("none"), coded("figures"), coded("gap: no figures"),
    coded("hidden of {n}"), coded("against the level before"), coded("against the path"),
    coded("; "), coded(": "), coded(", "),  # what joins reasons
)  # fmt: skip


# --- forms of a language ---------------------------------------------------------------------------

_ENGLISH_NUMBER = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+\.\d+)(?!\w|[.,]\d)")


@lru_cache(maxsize=16)
def marks(language: str) -> tuple[str, str]:
    """Return the decimal mark and the mark of thousands of a language, with Latin digits (CLDR)."""
    if language == SOURCE:
        return ".", ","
    from babel.numbers import get_decimal_symbol, get_group_symbol

    tag = _tag(language)
    return get_decimal_symbol(tag, numbering_system="latn"), get_group_symbol(tag, numbering_system="latn")


def decimal_mark(language: str | None = None) -> str:
    """Return the decimal mark of a language; of the one in use if left out."""
    return marks(language or current())[0]


def number(text: str, language: str | None = None) -> str:
    """Return the numbers of a text, rounded and written in English (1,234.5), as a language writes them.

    The digits stay Latin in every language, so that numbers in text, tables and charts can be compared at sight.
    """
    tag = language or current()
    if tag == SOURCE:
        return text
    decimal, group = marks(tag)
    return _ENGLISH_NUMBER.sub(lambda found: found[0].translate({ord(","): group, ord("."): decimal}), text)


LEFT_TO_RIGHT, RIGHT_TO_LEFT = "\u200e", "\u200f"
_DIRECTED = re.compile(r"(?<![\w.,\-\u2013\u200e])(?=[+\-\u2212]\d|\d+[-\u2013]\d)")
# A Latin letter, or a mark of that direction, with no letter of the other up to what ends its part of the sentence.
_LATIN = "A-Za-z\u00aa\u00b5\u00ba\u00c0-\u024f\u1e00-\u1eff"
_AFTER_NAME = re.compile(
    rf"([{_LATIN}\u200e][^\u0590-\u08ff\u200f\n:(]*)"
    rf"(?=[\u060c\u061b]\s*\u200e?(?:[+\-\u2212]?[£€$]?\d|[{_LATIN}])|(?::\s+|\s+\()\u200e?[+\-\u2212]?[£€$]?\d)"
)


def directed(text: str) -> str:
    """Return a text whose signs, periods and parts stand in their order also from right to left.

    After an Arabic letter a sign, or what joins the parts of a period, would else go to the other side of its digits;
    a mark of direction before them keeps it there. After a Latin name a number would run on with it from left to right,
    with the comma between them; a mark behind the name ends its direction (rules W2, W4, W7 and N1 of the Unicode
    Bidirectional Algorithm, UAX 9).
    """
    if not right_to_left(current()):
        return text
    return _AFTER_NAME.sub(rf"\g<1>{RIGHT_TO_LEFT}", _DIRECTED.sub(LEFT_TO_RIGHT, text))


@lru_cache(maxsize=64)
def _country(code: str, language: str) -> str:
    from babel import Locale
    from babel.core import UnknownLocaleError, get_global

    two = get_global("territory_aliases").get(code, ())
    try:
        names = Locale.parse(_tag(language)).territories
    except (UnknownLocaleError, ValueError):
        return code
    return names.get(two[0], code) if len(two) == 1 and two[0] not in ("XA", "XB") else code


def country(code: str) -> str:
    """Return the name of a country, given by its ISO 3166-1 alpha-3 code, in the language in use; else the code."""
    return _country(code, current())


@lru_cache(maxsize=16)
def right_to_left(language: str) -> bool:
    """Return whether a language is written from right to left; one that the CLDR does not know is not."""
    if language.partition("-")[0] == SOURCE:
        return False
    from babel import Locale
    from babel.core import UnknownLocaleError

    try:
        return Locale.parse(_tag(language)).text_direction == "rtl"
    except (UnknownLocaleError, ValueError):
        return False


def joined(items: Iterable[str]) -> str:
    """Return a list in words: ``a, b and c`` in English, as the language in use joins it elsewhere."""
    items = list(items)
    if current() != SOURCE:
        from babel.lists import format_list

        return format_list(items, locale=_tag(current())) if items else ""
    return " and ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
