"""What columns and groups are called, in the languages and codes of the sources; what a caller says of a source."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vlr_analysis.exhibits import slug

# Usual names of columns in English, Spanish, French, Portuguese and German, as `slug` writes them.
_NAMES = {
    "period": """year years period time time-period timeperiod date observation-date calendar-year fiscal-year
        financial-year reference-period ano anos periodo fecha annee annees periode exercice jahr
        jahre zeit zeitraum berichtsjahr""",
    "value": """value values obs-value observation-value figure valor valores dato valeur valeurs wert werte""",
    "code": """code indicator-code indicatorcode sdg-indicator sdg-code codigo codigo-del-indicador
        codigo-do-indicador code-indicateur code-de-l-indicateur indikatorcode kennziffer""",
    "series": """indicator indicator-name series series-name seriesdescription series-description measure variable
        metric kpi kpi-name indicator-title measure-name nombre nombre-indicador nom-indicateur
        indicador nombre-del-indicador nome-do-indicador medida serie indicateur nom-de-l-indicateur
        mesure indikator merkmal kennzahl""",
    "unit": """unit units unit-of-measure unit-measure uom unit-of-measurement units-of-measure
        units-of-measurement measure-unit measurement-unit unit-measurement u-m um unidad unidades
        unidad-de-medida unidad-medida unidad-de-medicion unidades-de-medida de-medida
        unidad-de-la-medida unites-de-mesure unidade unidade-de-medida unite unites unite-de-mesure
        einheit einheiten maeinheit masseinheit""",
    "area": """city-name municipality-name place-name town town-name name-of-city nombre-de-la-ciudad
        nombre-del-municipio nom-de-la-commune nom-commune nome-do-municipio gemeindename area
        area-name geography geography-name geo ref-area geoareaname city municipality place
        territory local-authority country country-name ciudad municipio territorio pais cidade
        concelho ville commune territoire pays stadt gemeinde gebiet ort land""",
    "status": "status obs-status observation-status flag flags obs-flag estado statut bandera marke kennzeichen",
    "confidential": """conf-status confidentiality confidentiality-status confidential is-confidential confidential-y-n
        confidencial confidencialidad confidencialidade confidentiel confidentialite vertraulich
        vertraulichkeit geheim geheimhaltung suppressed is-suppressed suppression suppress secret
        secrecy secreto hidden hide embargo embargoed withheld redacted suprimido suprimida
        secreto-estadistico secret-statistique segredo-estatistico""",
    "publish": """publish publish-y-n publishable is-publishable for-publication to-publish to-be-published
        can-publish can-be-published ok-to-publish may-be-published publish-yes-no publicar
        publicable publicavel publier publiable a-publier para-publicar veroffentlichen
        zu-veroffentlichen published""",
    "low": """low lower lower-bound lowerbound lower-ci lower-95-ci ci-low ci-lower lci lower-limit
        lower-confidence-limit lower-confidence-interval limite-inferior borne-inferieure
        limite-inferieure untergrenze""",
    "high": """high upper upper-bound upperbound upper-ci upper-95-ci ci-high ci-upper uci upper-limit
        upper-confidence-limit upper-confidence-interval limite-superior borne-superieure
        limite-superieure obergrenze""",
    "multiplier": "unit-mult unit-multiplier multiplier scale-factor power-code powercode",
    "ignore": """note notes footnote footnotes comment comments remark remarks source sources nota notas
        observaciones observacoes fuente fuentes fonte fontes remarque remarques bemerkung
        bemerkungen anmerkung anmerkungen quelle quellen progress geocode geo-code area-code
        geoareacode country-code codigo-municipio goal target objetivo meta objectif ziel
        zielvorgabe last-update last-updated""",
}  # fmt: skip
ROLES = {name: role for role, names in _NAMES.items() for name in names.split()}

# The same in Arabic, which `slug` leaves nothing of.
_ARABIC = {
    "period": "السنة|سنة|العام|عام|الفترة|التاريخ", "value": "القيمة|قيمة", "code": "رمز المؤشر|الرمز|رمز",
    "series": "المؤشر|مؤشر|اسم المؤشر", "unit": "الوحدة|وحدة|وحدة القياس", "area": "المدينة|البلدية|المنطقة|الدولة",
    "status": "الحالة|حالة", "ignore": "ملاحظات|ملاحظة|المصدر|مصدر|المصادر",
}  # fmt: skip
ROLES |= {name: role for role, names in _ARABIC.items() for name in names.split("|")}
_ARABIC_DIMENSIONS = {"الجنس": "sex", "النوع": "sex", "النوع الاجتماعي": "sex", "العمر": "age", "الفئة العمرية": "age",
                      "الحي": "district", "الأحياء": "district"}  # fmt: skip
_ARABIC_SEXES = {"ذكور": "male", "ذكر": "male", "الذكور": "male", "رجال": "male", "الرجال": "male", "إناث": "female",
                 "أنثى": "female", "الإناث": "female", "اناث": "female", "نساء": "female",
                 "النساء": "female"}  # fmt: skip

_DIMENSIONS = {"gender": "sex", "sexo": "sex", "sexe": "sex", "geschlecht": "sex", "genero": "sex", "edad": "age",
               "idade": "age", "alter": "age", "age-group": "age", "grupo-de-edad": "age", "altersgruppe": "age",
               "distrito": "district", "bezirk": "district", "stadtteil": "district", "barrio": "district"}  # fmt: skip
_TOTALS = frozenset({"total", "totals", "all", "both", "both-sexes", "bothsex", "allage", "allarea", "all-ages", "t",
                     "tot", "gesamt", "insgesamt", "ensemble", "todos", "todas", "ambos-sexos", "ambos", "conjunto",
                     "les-deux-sexes", "grand-total", "city-total", "summe", "suma",
                     "ambos-os-sexos", "ambos-generos", "ambos-os-generos", "los-dos-sexos", "os-dois-sexos", "beide",
                     "beide-geschlechter", "both-genders", "both-sexes-total", "total-both-sexes", "all-persons",
                     "all-people", "all-genders", "all-sexes", "all-age-groups", "all-wards",
                     "all-districts", "all-neighbourhoods", "all-areas", "all-groups", "total-general", "total-geral",
                     "total-ville", "total-ciudad", "total-cidade", "total-municipal", "total-municipio",
                     "total-do-concelho", "total-do-municipio", "total-del-municipio", "total-commune",
                     "total-de-la-ville", "total-city", "tous", "toutes", "tous-sexes", "tous-ages", "tous-les-ages",
                     "todas-las-edades", "todos-los-distritos", "todas-as-idades", "alle", "alle-altersgruppen",
                     "hombres-y-mujeres", "mujeres-y-hombres", "homens-e-mulheres", "mulheres-e-homens",
                     "hommes-et-femmes", "femmes-et-hommes", "manner-und-frauen", "frauen-und-manner",
                     "men-and-women", "women-and-men", "male-and-female", "female-and-male", "males-and-females",
                     "overall", "overall-total", "citywide", "city-wide", "whole-city", "gesamtstadt",
                     "stadt-insgesamt", "zusammen", "m-f", "male-female", "total-overall"})  # fmt: skip
_ARABIC_TOTALS = frozenset({"المجموع", "مجموع", "الإجمالي", "الاجمالي", "إجمالي", "اجمالي", "المجموع الكلي", "الكل",
                            "كلا الجنسين", "الجنسان", "الجنسين", "كلا"})  # fmt: skip
# Sums over some of the groups: neither a group nor everybody.
_SUBTOTALS = frozenset({"subtotal", "subtotals", "sub-total", "sub-totals", "sous-total", "sous-totaux",
                        "zwischensumme", "teilsumme", "subtotales", "subtotais", "partial-total"})  # fmt: skip
_SEXES = {"f": "female", "female": "female", "females": "female", "women": "female", "woman": "female",
          "girls": "female", "mujer": "female", "mujeres": "female", "femme": "female", "femmes": "female",
          "mulher": "female", "mulheres": "female", "frauen": "female", "weiblich": "female", "feminino": "female",
          "femenino": "female", "m": "male", "male": "male", "males": "male", "men": "male", "man": "male",
          "varon": "male", "varones": "male", "boys": "male", "hombre": "male", "hombres": "male", "homme": "male",
          "hommes": "male", "homem": "male", "homens": "male", "manner": "male", "mannlich": "male",
          "masculino": "male"}  # fmt: skip
# What the figures are to be multiplied by, as headings and columns of multipliers write it.
_SCALES = {"units": 1, "unit": 1, "ones": 1, "unidades": 1, "unites": 1, "einheiten": 1,
           "hundreds": 100, "hundred": 100,
           **dict.fromkeys(("thousands", "thousand", "000", "000s", "1000", "1000s", "1-000", "1-000s",
                            "milhares", "milliers", "tausend", "tsd", "x1000", "x-1000", "x1-000", "x-1-000"), 1000),
           **dict.fromkeys(("millions", "million", "000000", "1000000", "1-000-000", "000-000", "millones", "milhoes",
                            "millionen", "mio"), 10**6),
           **dict.fromkeys(("billions", "billion", "milliards", "milliarden", "mrd", "mil-millones"),
                           10**9)}  # fmt: skip
_TOTAL_AGES = frozenset({"allage", "total", "_t", "all ages", "y_ge0"})
UNITS = {
    "percent": "%",
    "pc": "%",
    "pt": "%",
    "per cent": "%",
    "percentage": "%",
    "pourcent": "%",
    "prozent": "%",
    "por ciento": "%",
    "por cento": "%",
    "pour cent": "%",
    "personas": "people",
    "pessoas": "people",
    "personnes": "people",
    "personen": "people",
    "número": "count",
    "numero": "count",
    "nombre": "count",
    "anzahl": "count",
    "٪": "%",
    "نسبة مئوية": "%",
    "نسمة": "people",
    "عدد": "count",
}


@dataclass(frozen=True)
class Told:
    """What the caller says of a source, where its file does not.

    Attributes
    ----------
    place : str
        The area as the source writes it.
    indicator, series, unit : str
        Of figures that have no column for it.
    decimal : str
        ``.`` or ``,``: the mark before decimals, where the cells leave it open.
    year_start : str
        Month and day on which a year written 2019/20 begins.
    """

    place: str = ""
    indicator: str = ""
    series: str = ""
    unit: str = ""
    decimal: str = ""
    year_start: str = "07-01"


def role_of(header: str) -> str:
    """Return what a column of this name holds: a key of the names above, or an empty text.

    What stands in brackets does not count: Indicator (unit) names the indicator.
    """
    name = slug(header)
    if not name:
        return ROLES.get(re.split(r"[(\[]", header)[0].strip(), "")
    found = ROLES.get(name, "") or ROLES.get(slug(re.split(r"[(\[]", header)[0]), "")
    return found or _end_of(name)


_OF_INTERVALS = frozenset({"95", "90", "99", "ci", "ic", "ki", "confidence", "interval", "limit", "bound", "end", "pct",
                           "percent", "the", "of", "de", "limite", "confianza", "confiance", "confianca", "intervalo",
                           "intervalle", "konfidenzintervall"})  # fmt: skip
_ENDS = {"lower": "low", "low": "low", "inferior": "low", "inferieure": "low", "inf": "low", "min": "low", "lcl": "low",
         "untere": "low", "upper": "high", "high": "high", "superior": "high", "superieure": "high", "sup": "high",
         "max": "high", "ucl": "high", "obere": "high"}  # fmt: skip


def _end_of(name: str) -> str:
    """Return low or high for ``95% CI Lower``, ``Límite inferior (IC 95%)``: an end, and words of intervals alone."""
    words = set(name.split("-"))
    ends = {_ENDS[word] for word in words if word in _ENDS}
    rest = words - set(_ENDS)
    return ends.pop() if len(ends) == 1 and rest and rest <= _OF_INTERVALS and rest & _MARKS else ""


_MARKS = frozenset({"95", "90", "99", "ci", "ic", "ki", "confidence", "konfidenzintervall", "confianza", "confiance",
                    "confianca"})  # fmt: skip


def dimension_of(header: str) -> str:
    """Return the name of a breakdown for a column of this name."""
    if header.strip() in _ARABIC_DIMENSIONS:
        return _ARABIC_DIMENSIONS[header.strip()]
    name = slug(header)
    return _DIMENSIONS.get(name, name) or "group"


# Columns that say of what kind a whole series is, not of whom a figure is; and remarks, which are never groups.
_ABOUT = {
    "series": """theme themes topic topics pillar pillars dimension domain axis strand strategic-axis strategic-priority
        priority-area department directorate division service-area policy-area programme program category tema
        temas eje ejes eje-estrategico pilar pilares dimension-ods ambito departamento direccion secretaria
        area-tematica dependencia programa categoria thematique axe axes axe-strategique pilier piliers
        departement direction service-responsable categorie eixo eixos eixo-estrategico dimensao dominio
        secretaria-municipal thema themen saule handlungsfeld handlungsfelder abteilung amt dezernat
        fachbereich bereich kategorie sdg sdgs ods odd sdg-goal sdg-target sdg-number goal-name target-name
        objetivo-ods meta-ods ods-meta odd-cible sdg-ziel national-priority""",
    "remark": """note notes comment comments remark remarks footnote footnotes source-note source-notes source-name
        source-of-data data-source data-sources source-detail data-provider provider data-owner owner
        responsible responsible-department responsible-body responsible-person responsible-officer lead
        contact contact-person contact-email custodian custodian-agency custodian-agencies producer publisher
        compiled-by collected-by link links url website methodology method definition definitions
        description-of-source metadata last-updated date-of-update updated published date-published
        release-date publication-date responsable responsables area-responsable dependencia-responsable
        proveedor proveedor-de-datos fuente-de-datos fuente-de-informacion notas-de-la-fuente comentario
        comentarios observacion observaciones enlace contacto metodologia definicion fecha-de-actualizacion
        fournisseur fournisseur-de-donnees source-des-donnees producteur commentaire commentaires observation
        observations lien methodologie responsavel fornecedor fornecedor-de-dados fonte-de-dados comentario-s
        observacao ligacao contato verantwortlich zustandig zustandigkeit zustandige-stelle datenquelle
        datenlieferant datenhalter kommentar kommentare hinweis hinweise ansprechpartner definitionen methodik
        stand""",
}
_OF_COLUMN = {name: kind for kind, names in _ABOUT.items() for name in names.split()}


def describes(heading: str) -> bool:
    """Whether a column of this name may say of what kind a series is, such as Theme, Eje, Axe, Department.

    It is no breakdown where it says one thing of each series; where it tells the figures of one series apart, it is.
    """
    return _OF_COLUMN.get(slug(heading)) == "series"


def remarks_on(heading: str) -> bool:
    """Whether a column of this name holds remarks, sources or persons in charge, which are never groups."""
    return _OF_COLUMN.get(slug(heading)) == "remark"


def is_total(text: str) -> bool:
    """Whether a group is everybody: ``Total``, ``_T``, ``BOTHSEX``, an empty cell."""
    return not text.strip() or text == "_Z" or slug(text) in _TOTALS or text.strip() in _ARABIC_TOTALS


def is_subtotal(text: str) -> bool:
    """Whether a group is a sum over some of the groups, such as ``Subtotal``."""
    return slug(text) in _SUBTOTALS


def scale_of(text: str) -> float | None:
    """Return what a word says that figures are to be multiplied by: ``Thousands``, ``'000``; None where it is no such.

    ``in thousands`` is read as ``thousands``; ``thousands of persons`` is a unit and gives None. So does ``miles``:
    it is a distance in English and thousands in Spanish.
    """
    return _SCALES.get(re.sub(r"^(in|en|em)-", "", slug(text)))


def power_of(text: str) -> float | None:
    """Return the multiplier in a cell of a column of multipliers: ``3``, ``3.0``, ``3: Thousands``, ``Thousands``.

    A number is a power of ten, as UNIT_MULT of SDMX writes it. None where the cell cannot be read.
    """
    found = re.fullmatch(r"([+-]?\d{1,2})(?:\.0+)?", text.split(":")[0].strip())
    if found:
        return 10.0 ** int(found[1])
    return 1000.0 if slug(text) in ("miles", "mil") else scale_of(text)


def category_of(dimension: str, text: str) -> str:
    """Return a group as the kit writes it, empty for the total; sexes and ages in the codes of the sources are words.

    Y15-24 is 15-24, Y_GE65 is 65+, Y_LT15 is under 15.
    """
    if is_total(text) or (dimension == "age" and text.casefold() in _TOTAL_AGES):
        return ""
    if dimension == "sex" and slug(text) in ("persons", "people", "personas", "personnes", "pessoas", "personen"):
        return ""
    if dimension == "sex":
        return _SEXES.get(slug(text), "") or _ARABIC_SEXES.get(text.strip(), text)
    if dimension == "age":
        found = re.fullmatch(r"Y?(\d{1,3})[-T_]Y?(\d{1,3})|Y_?(GE|LT)_?(\d{1,3})|(\d{1,3})\s?\+", text)
        if found and found[1]:
            return f"{found[1]}-{found[2]}"
        if found:
            return f"under {found[4]}" if found[3] == "LT" else f"{found[4] or found[5]}+"
    return text


def sexes_of(texts: Iterable[str], heading: str = "", *, codes: bool = False) -> dict[str, str] | None:
    """Return what the single letters of a column of sexes stand for, read together.

    Parameters
    ----------
    texts : iterable of str
        Everything that the column holds.
    heading : str
        Its heading: V beside M are varones and mujeres below Sexo or Género, and not told elsewhere (in Dutch they are
        women and men).
    codes : bool
        The letters are codes of SDMX: M is men.

    Returns
    -------
    dict or None
        ``female`` or ``male`` by text. H, F and W say it of themselves. M is men beside F or W, and women beside H or
        V; a word for one of the sexes settles it in the same way. None where M or V stands and nothing settles it.
    """
    seen = {text: slug(text) for text in texts}
    plain = set(seen.values())
    women = {"f", "w"} & plain or {name for name in plain if len(name) > 1 and _SEXES.get(name) == "female"}
    men = {"h"} & plain or {name for name in plain if len(name) > 1 and _SEXES.get(name) == "male"}
    letters = {"f": "female", "w": "female", "h": "male"}
    if "v" in plain:
        if women == set() and slug(heading) not in ("sexo", "genero"):
            return None
        letters["v"], men = "male", men | {"v"}
    if "m" in plain and not codes:
        if bool(women) == bool(men):
            return None
        letters["m"] = "male" if women else "female"
    elif codes:
        letters["m"] = "male"
    return {text: letters[name] for text, name in seen.items() if name in letters}


def group_of(text: str) -> tuple[str, str]:
    """Return dimension and group of a column's label that names no dimension: Women is sex=female, 15-24 an age."""
    if slug(text) in _SEXES and len(text) > 1:
        return "sex", _SEXES[slug(text)]
    if category_of("age", text) != text or re.fullmatch(r"\d{1,3}\s?[-–]\s?\d{1,3}", text):
        return "age", category_of("age", re.sub(r"\s|–", lambda found: "-" if found[0] == "–" else "", text))
    return "group", text


def unit_of(text: str) -> str:
    """Return a unit as the kit writes it: PERCENT and PC are %."""
    return UNITS.get(text.casefold(), text)
