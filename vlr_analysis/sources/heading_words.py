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
        geplant projecao projecoes projetado previsao previsoes programado programada programados programadas
        programmed planificado planificada tgt proj""",
    "change": """change changes difference differences diff delta variation variations growth increase decrease
        variacion variaciones crecimiento cambio diferencia evolution ecart croissance veranderung veranderungen
        differenz wachstum zunahme variacao diferenca crescimento""",
    "baseline": "baseline baselines linea-base ausgangswert basiswert",
    "estimated": "estimate estimates estimated estimacion estimado estimation estime schatzung geschatzt estimativa",
    "provisional": "provisional preliminary provisoire provisorisch vorlaufig preliminar provisorio",
    "value": """actual actuals observed historical historic achieved realised realized outturn reported observado
        observada historico historicos observe historique constate realise istwert beobachtet ejecutado ejecutada
        ejecutados ejecutadas executado executada realizado realizada alcanzado alcanzada""",
}  # fmt: skip
_BY_WORD = {word: kind for kind, words in _KINDS.items() for word in words.split()}
_FILLER_WORDS = """of for the to in since from value values figure figures year years annual over previous between
    and vs versus city percentage percent points point pp de del la el en para des du le les au von bis zu im der die
    das seit a al base linea yr data"""
_FILLERS = frozenset(_FILLER_WORDS.split())
# Lines below a table that are remarks.
REMARK = re.compile(
    r"\W*(source|notes?|footnote|fuente|notas?|fonte|quelle|anmerkung|remarque|legend|p\s?=|\(?\d\)|\[\d|\*"
    r"|[¹²³†‡])", re.I
)  # fmt: skip
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
    text = re.sub(r"\s*\([A-Z]{2,5}\)", "", text)  # Prévu (PLF)
    words = [word for word in slug(text).split("-") if word and not word.isdigit()]
    kinds = {_BY_WORD[word] for word in words if word in _BY_WORD}
    if slug(text) in ("linea-base", "linea-de-base", "linha-de-base"):
        return "baseline"
    if not kinds or any(word not in _BY_WORD and word not in _FILLERS for word in words):
        return ""
    if "target" in kinds and _OF_THE_SDGS.search(slug(text)):
        return ""
    return next(kind for kind in _KINDS if kind in kinds)


# Goal 8, Objetivo 8, Meta 8.5, target 8.b are of the 2030 Agenda, not of the city.
_OF_THE_SDGS = re.compile(
    r"\b(goals?|objetivos?|objectifs?|objectives?|ziele?|ods|odd)-(\d|1[0-7])\b"
    r"|\b(metas?|targets?|cibles?|zielvorgabe|unterziel)-(\d|1[0-7])-(\d\d?|[a-d])\b"
)
# What a series or a part of a table may be called, though above figures the word says that they are none observed.
_SUBJECTS = frozenset(("growth", "wachstum", "crecimiento", "croissance", "crescimento", "budget", "goals", "goal",
                       "objetivos", "objectifs", "objectives", "ziele", "evolution", "zunahme", "increase",
                       "decrease", "diff"))  # fmt: skip


def unobserved(name: str) -> str:
    """Return target, change or baseline where a row, a part of a table or a sheet is called so; else an empty text.

    Growth and Budget are subjects: there are series of that name.
    """
    kind = kind_of(name)
    return kind if kind in UNOBSERVED and slug(name) not in _SUBJECTS else ""


_ASIDE = {name: kind for kind, names in {
    "margin of error": """margin-of-error moe error se s-e std-error standard-error error-estandar margen-de-error
        erreur-type erreur-standard marge-d-erreur fehlermarge standardfehler erro-padrao margem-de-erro rse cv
        coefficient-of-variation standard-deviation std-dev p-value""",
    "rank": "rank ranking rang rangplatz puesto ranking-position posicao-no-ranking",
    "change": """growth-rate annual-growth annual-growth-rate rate-of-change rate-of-growth growth-in yoy y-o-y
        year-on-year tasa-de-crecimiento tasa-de-variacion taux-de-croissance taux-de-variation wachstumsrate
        veranderungsrate taxa-de-crescimento taxa-de-variacao""",
    "size of a sample": "sample-size sample muestra tamano-de-la-muestra stichprobe echantillon amostra",
    "part of a ratio": "numerator denominator numerador denominador numerateur denominateur zahler nenner",
}.items() for name in names.split()}  # fmt: skip
_COUNTS = frozenset(("n", "no", "nr", "number", "count", "counts", "cases", "numero", "nombre", "anzahl", "casos",
                     "cas", "absolute", "absolut", "num"))  # fmt: skip


def aside_of(text: str) -> str:
    """Return what figures below a heading are, where they are none of the series: an error, a rank, a change."""
    return _ASIDE.get(slug(re.sub(r"\([^)]*\)|%", "", text)), "")


def counts(text: str) -> bool:
    """Whether a heading says that the figures below it are numbers of cases, as Number beside Rate."""
    return slug(text) in _COUNTS


def is_interval(text: str) -> bool:
    """Whether a heading says that an interval of confidence stands below it, and no more."""
    bare = slug(re.sub(r"\b9\d([.,]\d)?\s*%", "", text))
    return bare in ("ci", "confidence-interval", "confidence-limits", "ic", "intervalo-de-confianza",
                    "intervalle-de-confiance", "konfidenzintervall", "ki")  # fmt: skip


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
_SHARED = re.compile(
    r"[%‰°/]|per\s?cent|prozent|pour\s?cent|por\s?c|por\s?mil|promille|\bper\b|\bpor\b|\bpar\b|\bpro\b|\bje\b|\bratios?\b|\brate"
    r"|index|[íi]ndice|indice|proportion|\byears?\b|\byrs?\b|jahre?n?\b|\ba[ñn]os?\b|\bann[ée]es?\b|\bans\b|\banos\b"
    r"|score|gini|\bquote|anteil|taux|\btasa|\btaxa"
    r"|coefficient|coeficiente|koeffizient|[²³]|\bk?m[23]\b|\bsq\.? ?km|\bha\b"
    r"|hect|hekt|\bpp\b|points?\b|puntos|pontos|\bdays?\b|\btage\b|\bd[ií]as\b|\bjours\b|celsius|µg|μg|\bdb\b", re.I
)  # fmt: skip


# Tonnes per year are counted in thousands as tonnes are.
_A_YEAR = re.compile(
    r"(/|\b(per|por|par|pro|je|a|al)\b)\s*(years?|yr|annum|a|jahr|a[ñn]o|an|month|day"
    r"|monat|mes|mois|tag|d[ií]a|jour)\b", re.I
)  # fmt: skip


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


_SPANISH = frozenset(("indicador", "unidad", "unidades", "unidad-de-medida", "unidade", "unidades-de-medida", "serie",
                      "sexo",
                      "edad", "idade", "distrito", "barrio", "bairro", "municipio", "ciudad", "cidade", "ano", "anos",
                      "fuente", "fonte", "hombres", "mujeres", "homens", "mulheres", "nombre", "concepto"))  # fmt: skip
_OF_SPANISH = re.compile(
    r"(?P<rest>.*?)(?:[\s(\[,;:–—]+|^)(?P<at>[(\[,;:–—]\s*(?:e[nm]\s+)?|e[nm]\s+|^)(?P<word>miles|mil)\b"
    r"(?:\s+de\s+(?P<of>[\w ]+))?\W*", re.I
)  # fmt: skip
_IN_DIGITS = re.compile(
    r"(?P<rest>.*?)[\s(\[,;:–—]*(?:\b(?:in|en|em)\s+|[x×]\s?)(?P<digits>1[.,\s'’]?000(?:[.,\s'’]?000)?)"
    r"(?:\s+(?P<of>[^\W\d_][\w ]{0,30}?))?\s*[)\]]?\W*", re.I
)  # fmt: skip
_IN_K = re.compile(r"(?P<rest>.*?)\W*(?:[Ff]igures|[Vv]alues|[Nn]umbers|[Aa]mounts|[Dd]ata)( are)? in k\W*")
_ARABIC = re.compile(r"(?P<rest>.*?)\W*(?P<word>بالآلاف|بالالاف|بالألف|بالملايين|بالمليون)\W*")
_GENERIC = re.compile(rf"\W*(?:{_BEFORE})\W*", re.I)


def is_spanish(text: str) -> bool:
    """Whether a heading is a usual one in Spanish or Portuguese, where miles and mil are thousands."""
    return slug(text) in _SPANISH


def scale_in(text: str, *, spanish: bool = False) -> Scale | None:
    """Return what a line says that figures are to be multiplied by, where it is plain; else None.

    ``in thousands``, ``Unit: thousands of persons``, ``Population (figures in thousands)``, ``Population (x1000)`` are
    plain; a rate per thousand is no such thing. `spanish`: the headings of the table are Spanish or Portuguese, and
    ``Población (miles)`` are thousands; in English they are a distance.
    """
    text = text.strip()
    for form in (_WHOLE, _AT_END, _IN_WORDS):
        found = form.fullmatch(text)
        if found is None or _RATE.search(text[: found.start("word")]):
            continue
        rest = found.groupdict().get("rest") or ""
        times = next(times for times, words in _FACTORS if re.fullmatch(words.replace(r"(?=\s+de\b)", "").replace(
            r"(?=\s|$)", ""), found["word"], re.I))  # fmt: skip
        return Scale(times, rest, (found["of"] or found["what"] or "").strip())
    if found := _IN_DIGITS.fullmatch(text):
        return Scale(float(re.sub(r"\D", "", found["digits"])), _bare(found["rest"]), (found["of"] or "").strip())
    if found := _IN_K.fullmatch(text):
        return Scale(1e3, found["rest"].strip(), "")
    if found := _ARABIC.fullmatch(text):
        return Scale(1e6 if "مل" in found["word"] else 1e3, found["rest"].strip(" ("), "")
    found = _OF_SPANISH.fullmatch(text) if spanish else None
    if found and not _RATE.search(text[: found.start("word")]):
        return Scale(1e3, _bare(found["rest"]), (found["of"] or "").strip())
    return None


_IN_PLAIN = re.compile(r"\b(?:in|en|em)\s+(?:thousands?|millions?|milliers|miles|milhares|tausend)\b", re.I)


def speaks_of_scale(text: str) -> bool:
    """Whether a remark says that something is in thousands or millions."""
    return _IN_PLAIN.search(text) is not None


def _bare(text: str) -> str:
    """Return the words before a multiplier; nothing where they only say that figures follow."""
    return "" if _GENERIC.fullmatch(text) else text.strip()


def hints_at_scale(text: str) -> bool:
    """Whether a line speaks of thousands or millions, be it plain or not what the figures are multiplied by."""
    return any(not _RATE.search(text[: found.start() + len(found[0])]) for found in _HINT.finditer(text))


def takes_no_scale(unit: str) -> bool:
    """Whether a unit is of figures that are never told in thousands: shares, rates, indices."""
    return _SHARED.search(_A_YEAR.sub("", unit)) is not None
