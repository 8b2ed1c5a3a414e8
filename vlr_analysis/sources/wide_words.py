"""What the words around a table say of its figures: targets, changes, what was observed, thousands."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vlr_analysis.exhibits import slug

# Words by what they make of the figures below them, as `slug` writes them.
_KINDS = {
    "target": """target targets goal goals objective objectives aim aims plan plans planned planning budget budgeted
        forecast forecasts forecasted projection projections projected expected scenario ambition meta metas objetivo
        objetivos prevision previsiones proyeccion proyecciones proyectado previsto prevista cible cibles objectif
        objectifs previsions prevu prevue ziel ziele zielwert zielwerte zielvorgabe soll sollwert prognose prognosen
        geplant projecao projecoes projetado previsao previsoes""",
    "change": """change changes difference differences diff delta variation variations growth increase decrease
        variacion variaciones crecimiento cambio diferencia evolution ecart croissance veranderung veranderungen
        differenz wachstum zunahme variacao diferenca crescimento""",
    "baseline": "baseline baselines linea-base ausgangswert basiswert",
    "estimated": "estimate estimates estimated estimacion estimado estimation estime schatzung geschatzt estimativa",
    "provisional": "provisional preliminary provisoire provisorisch vorlaufig preliminar provisorio",
    "value": """actual actuals observed historical historic achieved realised realized outturn reported observado
        observada historico historicos observe historique constate realise istwert beobachtet""",
}  # fmt: skip
_BY_WORD = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_FILLER_WORDS = """of for the to in since from value values figure figures year years annual over previous between
    and vs versus city percentage percent points point pp de del la el en para des du le les au von bis zu im der die
    das seit a al base linea yr data"""
_FILLERS = frozenset(_FILLER_WORDS.split())
UNOBSERVED = ("target", "change", "baseline")


def kind_of(text: str) -> str:
    """Return what a heading makes of the figures below it, where it says nothing else.

    Returns
    -------
    str
        ``target`` (also a plan or a forecast), ``change`` and ``baseline`` are no figures observed; ``estimated`` and
        ``provisional`` are statuses; ``value`` is a figure observed; empty for every other text, such as
        ``Target group``.
    """
    if re.search(r"[Δ∆]|\+/-|±", text):
        return "change"
    words = [word for word in slug(text).split("-") if word and not word.isdigit()]
    kinds = {_BY_WORD[word] for word in words if word in _BY_WORD}
    if slug(text) in ("linea-base", "linea-de-base", "linha-de-base"):
        return "baseline"
    if not kinds or any(word not in _BY_WORD and word not in _FILLERS for word in words):
        return ""
    return next(kind for kind in _KINDS if kind in kinds)


# --- thousands -----------------------------------------------------------------------------------------

_FACTORS = (
    (1e3, r"thousands?|['’]000s?|000s|tausend|tsd\.?|milliers|milhares|miles(?=\s+de\b)"),
    (1e6, r"millions?|millones|milh[õo]es|millionen|mio\.?|mill\.(?=\s|$)"),
    (1e9, r"billions?|milliards?|milliarden|mrd\.?"),
)
_ANY = "|".join(words for _, words in _FACTORS)
_WORD = rf"(?<!\w)(?P<word>{_ANY}|(?<=en )miles)(?!\w)"
_BEFORE = (
    r"(?:all\s+|the\s+)?(?:figures?|values?|numbers?|data|amounts?|units?|unidad(?:es)?|unit[ée]s?|einheit|cifras|datos"
    r"|valores|valeurs|chiffres|angaben|zahlen|werte|expressed|given|expresad[oa]s|dados)?\s*[:=]?\s*"
    r"(?:are\s+|given\s+|expressed\s+)?(?:in\s+|en\s+|em\s+)?"
)
_AFTER = r"(?:(?:\s+(?:of|de)\s+|\s*d['’]\s*)(?P<of>[^\W\d_][\w ]{0,30}?)|\s+(?P<what>[^\W\d_]\w{0,20}))?"
_WHOLE = re.compile(rf"\W*{_BEFORE}{_WORD}{_AFTER}\W*", re.I)
_AT_END = re.compile(rf"(?P<rest>.*\S)\s*[(\[,;:–—]\s*{_BEFORE}{_WORD}{_AFTER}\s*[)\]]?\W*", re.I)
_IN_WORDS = re.compile(rf"(?P<rest>.*\S)\s+(?:in|en|em)\s+{_WORD}{_AFTER}\W*", re.I)
_HINT = re.compile(
    r"(?<!\w)(thousands|millions|billions|milliers|milhares|millones|milh[õo]es|millionen|milliarden|['’]000s?|000s)(?!\w)",
    re.I,
)
_RATE = re.compile(r"\b(per|por|par|pro|je|each|every)\b[\s\d.,]*(hundred\s+)?\w*$", re.I)
_SHARED = re.compile(r"%|per\s?cent|prozent|pour\s?cent|por\s?c|\bper\b|\bpor\b|\bpar\b|\bpro\b|\bje\b|ratio|rate|"
                     r"index|proportion|years|score", re.I)  # fmt: skip


@dataclass(frozen=True)
class Scale:
    """What figures are to be multiplied by, as a line beside the table says.

    Attributes
    ----------
    times : float
    rest : str
        The text without the words of it, such as ``Population`` of ``Population (thousands)``.
    unit : str
        Of what there are thousands, where it says so: ``persons``.
    """

    times: float
    rest: str
    unit: str


def scale_in(text: str) -> Scale | None:
    """Return what a line says that figures are to be multiplied by, where it is plain; else None.

    ``in thousands``, ``Unit: thousands of persons``, ``Population (figures in thousands)`` are plain; a rate per
    thousand is no such thing.
    """
    for form in (_WHOLE, _AT_END, _IN_WORDS):
        found = form.fullmatch(text.strip())
        if found is None or _RATE.search(text.strip()[: found.start("word")]):
            continue
        rest = found.groupdict().get("rest") or ""
        times = next(times for times, words in _FACTORS if re.fullmatch(words.replace(r"(?=\s+de\b)", "").replace(
            r"(?=\s|$)", ""), found["word"], re.I))  # fmt: skip
        return Scale(times, rest, (found["of"] or found["what"] or "").strip())
    return None


def hints_at_scale(text: str) -> bool:
    """Whether a line speaks of thousands or millions, be it plain or not what the figures are multiplied by."""
    return any(not _RATE.search(text[: found.start() + len(found[0])]) for found in _HINT.finditer(text))


def takes_no_scale(unit: str) -> bool:
    """Whether a unit is of figures that are never told in thousands: shares, rates, indices."""
    return _SHARED.search(unit) is not None
