"""Languages: catalogues are whole, sentences and charts pass through them, numbers come once."""

import inspect
import itertools
import re
import sys
from collections import Counter
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po
from matplotlib.text import Text

from vlr_analysis import (
    catalogue,
    cities,
    comparison,
    covid,
    drawing,
    exhibits,
    figures,
    figures_groups,
    figures_places,
    figures_readiness,
    figures_voices,
    language,
    pooling,
    progress,
    readiness,
    results,
    trends,
    voices,
)
from vlr_analysis.errors import InputError
from vlr_analysis.exhibits import gap, interval, number, plain_unit, unsigned, with_unit
from vlr_analysis.periods import spoken
from vlr_analysis.results import Results
from vlr_analysis.review import agree, annex, bundle, deliver
from vlr_analysis.review.workbook import head_of

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import messages as tool  # noqa: E402

MADE_UP = "porto-exemplo"
TOLD = [tag for tag in language.available() if tag != language.SOURCE]


@pytest.fixture(scope="session")
def template():
    return tool.collected()


@pytest.fixture(scope="session")
def pseudo(tmp_path_factory, template):
    """Esperanto in which every word is a sign: what still is English has not passed through the catalogue."""
    folder = tmp_path_factory.mktemp("locale")
    made = Catalog(locale="eo")
    for message in template:
        if message.id:
            texts = message.id if isinstance(message.id, tuple) else (message.id,)
            signs = tuple(re.sub(r"(\{[^}]*\}|%\(\w+\)[sd])|[A-Za-z]+", lambda m: m[1] or "ʘ", text) for text in texts)
            made.add(message.id, signs if len(signs) > 1 else signs[0], context=message.context)
    path = folder / "eo" / "LC_MESSAGES" / "vlr.po"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, made)
    return folder


@pytest.fixture(scope="session")
def review():
    return Results(cities.load_city(MADE_UP, ROOT))


@pytest.fixture(scope="session")
def reviews(review):
    """Return the review of the made-up city and of one that has all that real figures bring."""
    return {MADE_UP: review, "bristol": Results(cities.load_city("bristol", ROOT))}


def computed(review, city):
    """Return the review of a city with tables that are computed already, and sentences that are not told yet."""
    again = Results(city)
    for name in ("smells", "smells_beside", "grades", "trend", "progress", "covid", "disparity", "disparity_change",
                 "compared", "standings", "triangulation", "requests"):  # fmt: skip
        again.__dict__[name] = getattr(review, name)
    return again


def told(review, tag):
    """Findings in a language, from tables that are computed once."""
    with language.using(tag):
        return computed(review, review.city).findings


def numbers(text, tag):
    """Every number of a text, read back by the marks of its language."""
    decimal, group = language.marks(tag)
    digits = re.findall(rf"(?<![A-Za-z\d.,])\d+(?:{re.escape(group)}\d{{3}})*(?:{re.escape(decimal)}\d+)?", text)
    return Counter(found.replace(group, "").replace(decimal, ".") for found in digits)


def same_numbers(english, other, tag):
    for one, two in zip(english, other, strict=True):
        assert (one.id, one.subject, one.verdict, one.numbers) == (two.id, two.subject, two.verdict, two.numbers)
        units = []
        for words in (language.SOURCE, tag):
            with language.using(words):
                units.append(plain_unit(one.unit) or "%")
        for name in ("statement", "caveat", "grade_reason"):
            # The number of a unit (per 1,000) belongs to the unit.
            a, b = (getattr(found, name).replace(unit, "") for found, unit in zip((one, two), units, strict=True))
            assert numbers(a, "en") == numbers(b, tag), f"{a}\n{b}"


def test_the_template_is_what_the_code_says(template):
    assert tool.TEMPLATE.read_text(encoding="utf-8") == tool.written(template), "Fix: make messages"


@pytest.mark.parametrize("tag", TOLD)
def test_a_catalogue_has_the_messages_of_the_template(tag, template):
    assert language.catalogue_path(tag).read_text(encoding="utf-8") == tool.written(tool.updated(tag, template))


@pytest.mark.parametrize("tag", [tag for tag in TOLD if tag in tool.COMPLETE])
def test_a_complete_language_lacks_nothing(tag):
    assert tool.faults(tool.read(language.catalogue_path(tag), tag)) == []


@pytest.mark.parametrize("tag", [tag for tag in TOLD if tag not in tool.COMPLETE])
def test_what_a_pilot_says_has_the_same_gaps(tag):
    faults = tool.faults(tool.read(language.catalogue_path(tag), tag))
    assert [fault for fault in faults if not fault.startswith("not translated")] == []


def words_said(tag):
    """Return {message: words of its translation outside gaps and code} of every message of a language."""
    said = {}
    for message in tool.read(language.catalogue_path(tag), tag):
        text = message.string if isinstance(message.string, str) else " ".join(message.string)
        if message.id:
            said[message.id, message.context] = re.findall(r"[^\W\d_]{3,}", re.sub(r"\{.*?\}|`.*?`|<.*?>", " ", text))
    return said


def test_no_language_says_a_sentence_in_another_one():
    """A translation that was pasted into the wrong catalogue is whole, has its gaps, and is wrong."""
    all_said = {tag: words_said(tag) for tag in TOLD}
    for one, other in itertools.combinations(TOLD, 2):
        alike = {key for key, words in all_said[one].items() if len(words) > 2 and words == all_said[other].get(key)}
        assert alike == set(), f"{one} and {other}"
    latin = [
        (key, words)
        for key, words in all_said["ar"].items()
        if len(words) > 2 and not any("\u0600" <= letter <= "\u06ff" for word in words for letter in word)
    ]
    assert latin == []


def test_faults_of_a_translation_are_named():
    made = Catalog(locale="es")
    made.add("{label} in {year}", "{label} en {anio}")
    made.add("no value", "")
    made.add("a value", "un valor", flags=["fuzzy"])
    made.add(("{n} goal", "{n} goals"), ("{n} objetivo",))
    made.add("**Note** it", "Nota")
    told = [fault.split(":")[0] for fault in tool.faults(made)]
    assert told == ["gaps ['anio', 'label'], not ['label', 'year']", "not translated", "doubtful (fuzzy)",
                    "1 plural forms, not 3", "other markup"]  # fmt: skip


def test_an_unknown_language_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"'tlh'; expected one of en"), language.using("tlh"):
        pass
    assert language.current() == "en"


@pytest.mark.parametrize("city", [MADE_UP, "bristol"])
def test_every_sentence_passes_through_the_catalogue(city, pseudo, reviews, monkeypatch):
    review = reviews[city]
    monkeypatch.setattr(language, "LOCALE", pseudo)
    data = {word for text in _data_words(review) for word in re.findall(r"[A-Za-z]{2,}", text)}
    leaks = Counter()
    for found in told(review, "eo"):
        for text in (found.statement, found.caveat, found.grade_reason):
            leaks.update(word for word in re.findall(r"[A-Za-z]{2,}", text) if word not in data)
    assert leaks == Counter()


def _data_words(review):
    """Names and labels that a city gives: told as they are in every language."""
    city = review.city
    yield from city.definitions["label"]
    yield from city.definitions["unit"]
    yield from city.definitions["target_source"].dropna().astype(str)
    yield from city.areas.values()
    yield from city.observations["breakdown"].unique()
    yield from city.voices["title"]


def test_numbers_come_once_in_an_invented_language(pseudo, review, monkeypatch):
    english = told(review, "en")
    monkeypatch.setattr(language, "LOCALE", pseudo)
    same_numbers(english, told(review, "eo"), "eo")


@pytest.mark.parametrize("city", [MADE_UP, "bristol"])
@pytest.mark.parametrize("tag", TOLD)
def test_numbers_come_once(tag, city, reviews):
    review = reviews[city]
    same_numbers(told(review, "en"), told(review, tag), tag)


def test_forms_of_numbers_and_spans(pseudo, monkeypatch):
    monkeypatch.setattr(language, "LOCALE", pseudo)
    assert (number(1234.5), interval(1, 2.5), spoken("2016-01-01/P3Y/2020")) == (
        "1,234",
        "1 to 2.5",
        "2016-01-01/P3Y/2020",
    )
    with language.using("eo"):
        assert number(-12345.6, 7) == "−12\u202f345,6"
        assert interval(1, 2.5) == "1 ʘ 2,5"
        assert with_unit(3.25, "%") == "3,25 %"
        assert spoken("2016/2020") == "2016 ʘ 2020"
    assert language.number("PM2.5 of 3.4, indicator 11.6.2", "fr") == "PM2.5 of 3,4, indicator 11.6.2"


def test_results_stay_english_and_are_retold_where_they_are_shown(pseudo, monkeypatch):
    monkeypatch.setattr(language, "LOCALE", pseudo)
    with language.using("eo"):
        assert trends.few_values(3) == "3 yearly values, at least 5 are needed"
        assert language.retold("3 yearly values, at least 5 are needed") == "3 ʘ ʘ, ʘ ʘ 5 ʘ ʘ"
        assert language.retold("no value; Casa da Praia") == "ʘ ʘ; Casa da Praia"
    assert language.retold("no value") == "no value"


# --- charts ----------------------------------------------------------------------------------------

NAME = "§"  # stands for every name that a city gives: what letters are left are the kit's


def charts(review):
    """Yield every chart of the kit, of the made-up city, with the names that the city gives taken out."""
    city, own = review.city, review.city.observations
    known = city.definitions.assign(label=NAME)
    goals = catalogue.goals().set_index("goal")["label"].to_dict()
    dates = {"shock": city.covid.shock, "recovery_from": city.covid.recovery_from}
    ages = readiness.age_table(own, city.reference_year)
    yield figures_readiness.coverage(readiness.coverage_by_goal(own, known, city.goals))
    yield figures_readiness.umf_grid(readiness.coverage_by_umf(own, known, city.goals))
    yield figures_readiness.grades(readiness.grades_by_goal(review.grades, known, city.goals))
    labels = dict.fromkeys(drawing.label_of(known), NAME)
    yield figures_readiness.spans(ages, own, labels, city.reference_year)
    yield figures_readiness.letter(review.letter.replace(city.name, NAME), NAME)
    yield figures.verdicts_by_goal(review.trend, known, goals)
    yield from (figures.trends(own, review.trend, known, goal, goals.get(goal, "")) for goal in (0, 3))
    paths = progress.projection_paths(own, known, horizon=city.horizon)
    yield figures.projections(paths, own, review.progress, known)
    lines = covid.paths(own, known, **dates)
    here = review.covid[review.covid["area"] == city.id]
    yield figures.overview(here, known)
    for key, _ in city.chosen(here)[:2]:
        yield figures.recovery_paths(lines, here, key, NAME, {city.id: NAME}, dates["shock"], note=city.pair_note(key))
    lines = covid.paths(review.groups, known, **dates)
    for key, _, dimension in list(city.groups_of(review.groups))[:1]:
        yield figures.by_group(lines, city.id, key, NAME, dimension, dates["shock"])
    latest = review.disparity[review.disparity["difference"].notna()]
    for dimension in sorted(latest["dimension"].unique()):
        yield figures_groups.groups_now(review.groups, latest, known, dimension)
    yield figures_groups.groups_over_time(review.groups, review.disparity_change, known)
    for area, table in review.compared.items():
        counts = comparison.matrix(table, table["indicator"].map(dict.fromkeys(table["indicator"], 3)))
        yield figures_places.agreement(counts, goals, NAME)
        yield figures_places.apart(table, known, NAME, NAME)
        nation = city.around[city.around["area"] == area]
        yield figures_places.side_by_side(own, nation, table, known, NAME, NAME)
    reach = dict.fromkeys(("peers_quarter", "peers_middle", "peers_three_quarters"), 0.5) | {"peers_low": 0.25}
    standing = review.trend[drawing.SERIES[1:4]].drop_duplicates().assign(**reach, year=2019, peers_high=2.5, value=1.5)
    standing["standing"] = "perhaps better than the middle half"
    yield from (figures_places.standings(standing, known, NAME, directed) for directed in (True, False))
    effects = pd.DataFrame({"area": ["a", "b"], "effect": [0.25, -0.5], "low": [0.0, -0.75], "high": [0.5, -0.25]})
    pooled = pd.Series({"mean": -0.125, "low": -0.5, "high": 0.25, "predicted_low": -1.25, "predicted_high": 1.0})
    for effect in pooling.EFFECTS:
        words = results.words_of_group(8, NAME)
        title = f"{NAME}, {effect}, {words}"
        yield figures_places.forest(effects, pooled, {"a": NAME, "b": NAME}, title, "%")
    said = voices.said_table(city.voices)
    yield from figures_voices.said(said.assign(theme=NAME, title=NAME))


def test_no_chart_is_left_out_below():
    here = inspect.getsource(charts)
    for module in (figures, figures_groups, figures_places, figures_readiness, figures_voices):
        stem = module.__name__.rpartition(".")[2]
        for name, made in vars(module).items():
            if (
                inspect.isfunction(made)
                and made.__module__ == module.__name__
                and "Exhibit" in str(made.__annotations__.get("return"))
            ):
                assert f"{stem}.{name}(" in here


def test_the_data_of_every_chart_is_headed_in_the_language(pseudo, review, monkeypatch):
    monkeypatch.setattr(language, "LOCALE", pseudo)
    names = {column for made in charts(review) for column in made.data.columns}
    names |= {name for found in review.findings for name in found.numbers}
    with language.using("eo"):
        heads = [head_of(str(name)) for name in names]
    assert words_of(heads) == set()


def drawn(review, tag, monkeypatch):
    """Return every chart in a language: caption, alternative text, and all texts that stand on it."""
    seen = []
    arrange = drawing.margins.arrange
    monkeypatch.setattr(drawing.margins, "arrange", lambda figure: (arrange(figure), seen.append(figure)))
    with language.using(tag):
        made = list(charts(review))
    monkeypatch.setattr(drawing.margins, "arrange", arrange)
    written = [text.get_text() for figure in seen for text in figure.findobj(Text)]
    return [text for one in made for text in (one.caption, one.alt)], written


def test_every_chart_passes_through_the_catalogue(pseudo, review, monkeypatch):
    monkeypatch.setattr(language, "LOCALE", pseudo)
    told_, written = drawn(review, "eo", monkeypatch)
    data = {word for text in _data_words(review) for word in re.findall(r"[A-Za-z]{2,}", text)}
    leaks = {(word, text) for text in told_ + written for word in re.findall(r"[A-Za-z]{2,}", text) if word not in data}
    assert leaks == set(), "\n".join(f"{a}: {b[:150]}" for a, b in sorted(leaks))
    assert [text for text in told_ + written if re.search(r"\d\.\d", text)] == []
    assert any("," in text for text in written)


# --- the hand-over ---------------------------------------------------------------------------------


def handed_over(review, tag, folder):
    """Write the hand-over in a language from tables that are computed; return the city in it, and the folder."""
    city = cities.load_city(MADE_UP, ROOT)
    city = type(city)(city.parameters.model_copy(update={"language": tag}), city.root)
    again = computed(review, city)
    deliver.write_handover(again, folder)
    return city, folder / "handover"


def words_of(texts, data=frozenset()):
    return {word for text in texts for word in re.findall(r"[A-Za-z]{2,}", str(text)) if word not in data}


# Names of files, and what stands in no language.
KEPT = {
    "annex", "xlsx", "box", "docx", "md", "png", "feed", "open", "sdg", "sdmx", "package", "data", "request", "json",
    "csv", "manifest", "linkage", "log", "files", "receive", "vlr", "doi", "not", "in", "SHA", "None",
}  # fmt: skip


def test_the_hand_over_speaks_the_language_of_the_review(pseudo, review, tmp_path, monkeypatch):
    monkeypatch.setattr(language, "LOCALE", pseudo)
    city, folder = handed_over(review, "eo", tmp_path)
    data = KEPT | words_of([*_data_words(review), city.name, city.country, city.contact, city.licence])
    data |= words_of(city.all_sources["publisher"])
    assert words_of((folder / "README.txt").read_text(encoding="utf-8").split("\n"), data) == set()
    assert words_of((folder / "box.md").read_text(encoding="utf-8").split("\n"), data) == set()
    book = openpyxl.load_workbook(folder / "annex.xlsx")
    assert words_of([*book.sheetnames, *(cell.value for page in book for cell in page[1])], data) == set()
    codes = [getattr(found, name) for found in review.findings for name in ("id", "area", "indicator", "series",
                                                                                   "source")]  # fmt: skip
    data |= words_of([*codes, *(name for found in review.findings for name in found.numbers)])
    for at in (0, 1, -2, -1):
        cells = [cell.value for row in book.worksheets[at].iter_rows(min_row=2) for cell in row]
        assert words_of((cell for cell in cells if not str(cell).startswith("doi:")), data) == set()
    checked = book.worksheets[2].iter_rows(min_row=2)
    assert words_of((row[at].value for row in checked for at in (1, 3, 7)), data) == set()


@pytest.mark.parametrize("tag", TOLD)
def test_a_hand_over_in_any_language_is_taken_in(tag, review, tmp_path):
    _, folder = handed_over(review, tag, tmp_path)
    files = bundle.read_bundle(folder)
    assert agree.door_problems(files, folder, review.city.observations, tag) == []
    assert agree.door_problems(files, folder, review.city.observations, "en") != []
    words = {language.translations(tag).pgettext(language.CODED, word) for word in annex.STATUS_WORDS.values()}
    assert len(words) == len(annex.STATUS_WORDS)


@pytest.mark.parametrize(("text", "wanted"), [
    ("فجوة −0.4 في 2020", "فجوة \u200e−0.4 في 2020"),
    ("من 2019-03 إلى 2015–2020", "من \u200e2019-03 إلى \u200e2015–2020"),
    ("COVID-19 و2019/20 r-5876b713 1.2-3", "COVID-19 و2019/20 r-5876b713 1.2-3"), ("\u200e−0.4", "\u200e−0.4"),
    ("مياه Çarşı، 2017: قيمة", "مياه Çarşı\u200f، 2017: قيمة"), ("PM2.5، 2017", "PM2.5\u200f، 2017"),
    ("Leeds، Bristol: 15.1 %", "Leeds\u200f، Bristol\u200f: 15.1 %"), ("Porto (2019) كان", "Porto\u200f (2019) كان"),
    ("Leeds، −2.3 ثم", "Leeds\u200f، \u200e−2.3 ثم"), ("خطة Agenda 2030 لمدينة", "خطة Agenda 2030 لمدينة"),
    ("Air: a title، ثم", "Air: a title، ثم"), ("Leeds\u200f، 2017", "Leeds\u200f، 2017"),
])  # fmt: skip
def test_signs_and_periods_keep_their_order_from_right_to_left(text, wanted):
    with language.using("ar"):
        assert language.directed(text) == wanted
    assert language.directed(text) == text


def test_arabic_findings_hold_no_sign_or_period_without_a_mark_of_direction(review):
    bare = re.compile(r"(?<![\w.,\-–\u200e])(?:[+\-−]\d|\d+[-–]\d)")
    texts = [text for found in told(review, "ar") for text in (found.statement, found.caveat)]
    assert sum("\u200e" in text for text in texts) > 20 and not [text for text in texts if bare.search(text)]


@pytest.mark.parametrize("tag", ["en", "es", "ar"])
def test_how_large_a_difference_is_has_no_sign(tag):
    with language.using(tag):
        assert not [sign for sign in "+−-" for unit in ("%", "USD", "years") if sign in unsigned(-2.5, unit)]
        assert any(sign in gap(-2.5, "%") for sign in "−-")


def test_a_period_in_a_table_is_said_from_right_to_left_as_from_left_to_right():
    table = pd.DataFrame({"label": ["x", "y"], "shock_period": ["2019-04-01/P1Y", "2017-01-01/P3Y"]})
    with language.using("ar"):
        html = exhibits.table(table, "periods", "x", "label shock_period").html
    assert "2019/20" in html and "2017-2019" in html and "P1Y" not in html
