"""The texts of a row of figures: code, unit, group, status; mended where it is harmless, else refused."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from difflib import get_close_matches
from typing import Any

from vlr_analysis import catalogue
from vlr_analysis.cell_text import original
from vlr_analysis.observations import STATUSES
from vlr_analysis.sources.cells import Formula, NotShown, Unreadable, is_blank, read_text, shown
from vlr_analysis.sources.names import category_of, dimension_of

# Words of lists in Spanish, French and Arabic, as people write them; compared without capitals and accents.
_MEANT = {
    "yes": "sí oui نعم", "no": "no non لا",
    "official": "oficial officiel officielle رسمي رسمية",
    "administrative": "administrativo administrativa administratif administrative إداري إدارية",
    "survey": "encuesta enquête sondage مسح استطلاع", "modelled": "modelado modelada modélisé modélisée",
    "private": "privado privada privé privée خاص خاصة", "citizen": "ciudadano ciudadana citoyen citoyenne",
    "qualitative": "cualitativo cualitativa qualitatif qualitative نوعي نوعية",
    "value": "valor definitivo valeur définitif final نهائي نهائية",
    "estimated": "estimado estimada estimación estimé estimée estimation تقديري تقديرية مقدر",
    "provisional": "provisional preliminar provisoire préliminaire مؤقت أولي أولية",
    "missing": "faltante manquant manquante مفقود", "suppressed": "suprimido confidencial confidentiel سري محجوب",
    "break": "ruptura rupture انقطاع", "not_applicable": "no_aplica sans_objet لا_ينطبق",
    "increase": "aumentar aumento subir augmenter hausse زيادة",
    "decrease": "disminuir reducir bajar diminuer réduire baisse خفض انخفاض",
    "same": "igual misma mismo même identique", "adapted": "adaptado adaptada adapté adaptée",
    "own": "propio propia propre", "other": "otro otra autre",
}  # fmt: skip
IN_OUR_WORDS = "a word of another language"
_PERCENT = {"percent", "per cent", "percentage", "porcentaje", "por ciento", "por_ciento", "pourcentage", "pourcent",
            "pour cent", "por cento", "percentagem", "prozent", "بالمئة", "في المئة", "نسبة مئوية", "٪"}  # fmt: skip
_PEOPLE = {"person", "persons", "persona", "personas", "personne", "personnes", "pessoa", "pessoas", "شخص", "أشخاص"}

Read = tuple[str | Unreadable, Sequence[str]]  # the text, or why it cannot be read; and what was mended


def word_of(text: str, allowed: Collection[str]) -> str:
    """Return the word of a list that a word in Spanish, French or Arabic stands for; empty where none does."""
    plain = _bare(text)
    return next((word for word in allowed if plain in map(_bare, _MEANT.get(word, "").split())), "")


def _bare(text: str) -> str:
    """Return a text without capitals, accents and marks of letters, words joined."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "_".join("".join(letter for letter in apart if not unicodedata.combining(letter)).split())


def unit_of_words(text: str) -> str:
    """Return ``people`` for persons, personas, personnes, أشخاص, and ``%`` for per cent; any other unit as it is."""
    plain = " ".join(text.casefold().split())
    return "people" if plain in _PEOPLE else "%" if plain in _PERCENT else text


def tidy_text(content: Any) -> tuple[str, Sequence[str]]:
    """Return the words of a cell, and what was mended, stray spaces too."""
    text, why = read_text(content)
    return original(text), why or stray_spaces(content)


def stray_spaces(content: Any) -> Sequence[str]:
    """Say that spaces were taken out of a cell, where there were some at its ends or two in a row."""
    stray = isinstance(content, str) and not is_blank(content) and " ".join(content.split()) != content
    return ("stray spaces taken out",) if stray else ()


def read_cell(column: str, content: Any, needed: Collection[str], own: Collection[str] | None) -> Read:
    """Read one text of a row of figures.

    Parameters
    ----------
    column : str
        One of the text columns of `observations.COLUMNS`, but not the period.
    content : object
    needed : collection of str
        Columns that may not be empty.
    own : collection of str or None
        Codes that the city has added; None: every code is welcome, and units stay as they are, since a run reads
        tables of other programs too.
    """
    if isinstance(content, Formula):
        fix = "open and save the file in a spreadsheet program, or paste the text in place of the formula"
        return Unreadable(shown(content), "the text itself", fix), ()
    if isinstance(content, NotShown):
        return Unreadable(shown(content), "the text itself", "show the cell as text and type it again"), ()
    if column == "indicator":
        return read_code(content, own)
    text, why = tidy_text(content)
    if text == "" and column in needed:
        asked, fix = _ASKED[column]
        return Unreadable("nothing", asked, f"{fix}; merged cells hold their text in the first row only"), ()
    if column == "breakdown":
        return _group(text, why, of_sexes=own is not None)
    if column == "status":
        return _status(text, why)
    if column == "unit" and own is not None and unit_of_words(text) != text:
        return unit_of_words(text), (*why, "one word for each unit")
    return text, why


_ASKED = {
    "unit": ("the unit of the figures", "write it, such as %"),
    "source": ("where the figures come from", "write the short name of the source"),
    "series": ("what was measured", "say it in a few words"),
    "area": ("the id of the place", "write it, such as cuenca"),
}


def read_code(content: Any, own: Collection[str] | None) -> Read:
    """Read the code of an indicator, with or without the label that a list offers behind it.

    Parameters
    ----------
    content : object
    own : collection of str or None
        Codes that the city has added; None: every code is welcome.

    Returns
    -------
    Read
    """
    if is_blank(content):
        fix = "choose the code in every row; merged cells hold their text in the first row only"
        return Unreadable("nothing", "an indicator code", fix), ()
    if not isinstance(content, str) and (own is None or str(content) not in own):
        fix = "format the cell as text and type the code again: a program made another thing of it"
        return Unreadable(shown(content), "an indicator code as text, such as 11.6.2", fix), ()
    text, why = tidy_text(content)
    first = text.split()[0].rstrip(":,")
    if own is None or text in own:
        return text, why
    if catalogue.is_global(first) or first in own:
        return first, why
    near = [*get_close_matches(first, list(own), n=1, cutoff=0.8), *catalogue.suggest(first, 1)]
    meant = f"did you mean {near[0]!r}? " if near else ""
    fix = f"{meant}A code of your own needs a row on the sheet Indicators"
    return Unreadable(shown(content), "a code of the list or of the sheet Indicators", fix), ()


def _group(text: str, why: Sequence[str], *, of_sexes: bool = False) -> Read:
    """Read a group; `of_sexes`: sexe=femmes is sex=female, so that every table has one word for them."""
    pairs = [[part.strip() for part in pair.split("=")] for pair in text.split(";") if pair.strip()]
    said = [[_kind(pair[0]), category_of(_kind(pair[0]), pair[1])] if of_sexes and len(pair) == 2 else pair
            for pair in pairs]  # fmt: skip
    pairs, why = said, (*why, IN_OUR_WORDS) if said != pairs else why
    names = [pair[0] for pair in pairs]
    if any(len(pair) != 2 or not all(pair) for pair in pairs) or len(set(names)) < len(names):
        sex = {"women": "female", "men": "male", "female": "female", "male": "male"}.get(text.casefold())
        example = f"sex={sex}" if sex else "district=Centro"
        fix = f"write the kind of group and its name, such as {example}, or leave it empty for the whole city"
        return Unreadable(shown(text), "a group as kind=name, each kind once", fix), ()
    tidy = ";".join(f"{name}={value}" for name, value in sorted(pairs))
    if tidy == text:
        return tidy, why
    ordered = names == sorted(names)
    return tidy, (*why, "stray spaces taken out" if ordered else "kinds in alphabetical order")


def _kind(name: str) -> str:
    """Return ``sex`` or ``age`` for a kind of group in another language; any other as it is."""
    known = dimension_of(name) if name else ""
    return known if known in ("sex", "age") else name


def _status(text: str, why: Sequence[str]) -> Read:
    plain = text.casefold().replace(" ", "_") or "value"
    if plain in STATUSES:
        return plain, (*why, "capitals made small") if text and plain != text else why
    if meant := word_of(text, STATUSES):
        return meant, (*why, IN_OUR_WORDS)
    near = get_close_matches(plain, STATUSES, n=1, cutoff=0.6)
    fix = f"did you mean {near[0]!r}?" if near else "choose a word of the list, or empty the cell"
    return Unreadable(shown(text), f"one of {', '.join(STATUSES)}", fix), ()
