"""Reports in another language: folders that hold one, pages around the chapters, the hand-over, sheets, differences."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.pofile import read_po, write_po

from vlr_analysis import language
from vlr_analysis.cities import load_city
from vlr_analysis.errors import InputError
from vlr_analysis.review import (
    comments,
    comments_read,
    comments_sheet,
    deliver,
    diff,
    diff_page,
    inputs,
    parcel,
    plan,
)
from vlr_analysis.review.session import Wanted
from vlr_analysis.review.session import review as run_review
from vlr_analysis.review.staged import SUMMARY, check_out
from vlr_analysis.sources.sheets import open_sheets

MADE_UP = "porto-exemplo"


@pytest.fixture
def pseudo_pages(tmp_path_factory, monkeypatch):
    """Use a catalogue of signs in place of Spanish; return what finds the words that did not come from it."""
    with (language.LOCALE / "vlr.pot").open("rb") as file:
        catalogue = read_po(file, locale="es")
    for message in catalogue:
        ids = message.id if isinstance(message.id, tuple) else (message.id,)
        made = [re.sub(r"(\{[^}]*\}|%\(\w+\)[sd])|[A-Za-z]+", lambda found: found[1] or "ʘ", text) for text in ids]
        if message.id:
            message.string = (made[0], *[made[-1]] * (catalogue.num_plurals - 1)) if len(made) > 1 else made[0]
    path = tmp_path_factory.mktemp("locale") / "es" / "LC_MESSAGES" / "vlr.po"
    path.parent.mkdir(parents=True)
    with path.open("wb") as file:
        write_po(file, catalogue)
    monkeypatch.setattr(language, "LOCALE", path.parents[2])
    return lambda text: set(re.findall(r"(?<!&)\b[A-Za-z]{2,}", text))


def report_of(out, city, language):
    """Put a report that says of itself no more than its language."""
    (out / city).mkdir(parents=True)
    (out / city / SUMMARY).write_text(json.dumps({"language": language}), encoding="utf-8")


@pytest.mark.parametrize(("asked", "expected", "fix"), [("fr", "fr", "reports-fr"), ("", "en", "reports-en")])
def test_one_folder_holds_one_language(project, asked, expected, fix):
    other = project / "params" / "outra.yaml"
    shutil.copy(project / "params" / f"{MADE_UP}.yaml", other)
    other.write_text(other.read_text(encoding="utf-8").replace(f"id: {MADE_UP}", "id: outra"), encoding="utf-8")
    shutil.copy(project / "data" / f"{MADE_UP}.csv", project / "data" / "outra.csv")
    report_of(project / "reports", "outra", "es")
    with pytest.raises(InputError) as found:
        run_review(project, Wanted([MADE_UP], ["04"], project / "reports", language=asked), None)
    told = " ".join(str(found.value).split())
    assert "--out reports: found outra: a report in the language es" in told
    assert f"reports in the language {expected} only" in told
    assert f"stay with --language es, or choose another --out, such as {fix}" in told


def test_a_city_that_is_made_anew_may_change_its_language(project):
    report_of(project / "reports", MADE_UP, "es")
    check_out(project / "reports", [MADE_UP], languages={"": "fr"})
    with pytest.raises(InputError, match="a report in the language es"):
        check_out(project / "reports", [], languages={"": "fr"})


def test_the_overview_speaks_the_language_that_all_cities_have(project):
    own = [load_city(MADE_UP, project, language=tag).parameters for tag in ("es", "es", "fr")]
    paths = plan.chosen_notebooks(project, [plan.OVERVIEW])
    told = [plan.plan(chosen, paths, project, internal=False)[-1].parameters for chosen in (own[:2], own[1:])]
    assert [one.get("language", "") for one in told] == ["es", ""]


@pytest.mark.parametrize(("held", "shown"), [(["fr", "fr"], "fr"), (["fr", "es"], "en"), (["ar"], "ar")])
def test_the_index_is_in_the_language_of_its_reports(project, held, shown):
    full = {"name": "§", "country": "XXX", "made_up": True, "series": 1, "first": "1", "last": "2", "findings": 0,
            "chapters": [], "verdicts": {}, "grades": {}, "internal": False, "handover": False, "pdf": False,
            "lead": []}  # fmt: skip
    for number, tag in enumerate(held):
        report_of(project / "reports", f"city{number}", tag)
        summary = {**full, "id": f"city{number}", "language": tag}
        (project / "reports" / f"city{number}" / SUMMARY).write_text(json.dumps(summary), encoding="utf-8")
    deliver.write_index(project / "reports", project)
    for name in ("index.html", "methods.html"):
        assert f'<html lang="{shown}"' in (project / "reports" / name).read_text(encoding="utf-8")


# --- comments and differences ------------------------------------------------------------------------

FINDING = {
    "id": "t-0123abcd", "notebook": "02_trends", "subject": "01234567", "statement": "§", "verdict": "no clear trend",
    "numbers": {"n": 5.0}, "grade": "B", "grade_reason": "", "caveat": "", "kind": "trend", "area": "a",
    "indicator": "1.1.1", "series": "s", "unit": "%", "breakdown": "",
}  # fmt: skip


@pytest.mark.parametrize("tag", language.available())
@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_a_sheet_for_comments_comes_back_in_any_language(tag, ending, tmp_path):
    path, rows = tmp_path / f"sheet.{ending}", comments_sheet.to_comment([FINDING], {})
    filled = [{**rows[0], "Comment": "why?", "Who": "INE", "Kind": "question", "Date": "2026-03-31"}]
    with language.using(tag):
        comments_sheet.write(filled, comments_sheet.COMMENTING, path, "§")
        words = {*map(comments_sheet.head, comments_sheet.COMMENTING), comments.words()["question"]}
    sheets = open_sheets(path).sheets
    shown = {str(cell) for sheet in sheets for row in sheet.rows for cell in row if cell}
    assert words <= shown
    (one,) = comments_read.read([path], [], [FINDING])
    said = [one.finding, one.text, one.who, one.kind, one.date]
    assert said == [FINDING["id"], "why?", "INE", "question", "2026-03-31"]
    answers = comments_sheet.to_answer(comments.stand([replace(one, state="open")], [FINDING]))
    with language.using(tag):
        comments_sheet.write(answers, comments_sheet.ANSWERING, path, "§")
    shown = [str(cell) for sheet in open_sheets(path).sheets for row in sheet.rows for cell in row if cell]
    with language.using(tag):
        assert {comments.words()["open"], comments.words()["current"]} <= set(shown)


@pytest.mark.parametrize("tag", language.available())
def test_heads_and_words_of_a_sheet_are_unlike_in_every_language(tag):
    with language.using(tag):
        for columns in (comments_sheet.COMMENTING, comments_sheet.ANSWERING):
            assert len({comments_sheet.head(name).casefold() for name in columns}) == len(columns)
        assert len({word.casefold() for word in comments.words().values()}) == len(comments.words())
        said = ",".join(comments.words()[name] for name in (*comments.KINDS, *comments.STATES))
        assert said.count(",") == len(comments.KINDS) + len(comments.STATES) - 1  # a list of choices in a workbook


def test_a_sheet_of_an_unknown_language_is_read_by_its_places(tmp_path):
    path, rows = tmp_path / "sheet.csv", comments_sheet.to_comment([FINDING], {})
    comments_sheet.write([{**rows[0], "Comment": "why?"}], comments_sheet.COMMENTING, path, "§")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    heads = ",".join(f"ʘ{number}" for number in range(len(comments_sheet.COMMENTING)))
    path.write_text("\n".join([heads, *lines[1:]]), encoding="utf-8")
    assert [one.text for one in comments_read.read([path], [], [FINDING])] == ["why?"]


def side(tag, **changes):
    """Return one side of a comparison, with all that may differ."""
    code = changes.get("code", "1" * 64)
    held = SimpleNamespace(
        parameters={"language": tag, "horizon": changes.get("horizon", 2030)},
        city={"id": changes.get("id", "x"), "name": "§"}, shown={"voices": changes.get("voices", "1" * 64)},
        environment={}, inputs={},
        platform={"system": changes.get("system", "a")}, notebooks={"02": SimpleNamespace(code=code)},
        package=SimpleNamespace(version="1", sha256=code, files={"v/trends.py": code}),
    )  # fmt: skip
    value = {"value": changes.get("value", "1234.5"), "low": "", "high": "", "status": "value"}
    figures = {("a", "1.1.1", "s", "%", "2020", ""): value}
    register = {("1.1.1", "s", "%"): {"direction": changes.get("direction", "increase")}}
    return diff.Side(Path("none"), held, changes.get("wrong", 0), [FINDING], figures, {}, register, {})


def test_what_changed_is_told_in_the_language_of_the_newer_report(pseudo_pages, tmp_path):
    other = side("es", horizon=2031, id="y", voices="2" * 64, system="b", code="2" * 64, value="1235.5",
                 direction="decrease", wrong=3)  # fmt: skip
    found = diff.compare(side("es"), other)
    assert {one.kind for one in found.reasons} == {"data", "definition", "method", "parameters", "environment"}
    diff_page.write([found], tmp_path)
    page = (tmp_path / diff_page.PAGE).read_text(encoding="utf-8")
    assert '<html lang="es"' in page
    assert "1235,5" in page
    body = re.sub(r"(?s)<(style|script)\b.*?</\1>|<[^>]*>", " ", page[page.index("<main") :])
    data = {"es", "trends", "py", "SHA", "increase", "decrease", "horizon", "direction", "what", "changed", "csv"}
    assert pseudo_pages(body) - data == set()
    assert "revised" in (tmp_path / diff_page.TABLE).read_text(encoding="utf-8-sig")


def test_a_worker_of_a_cluster_is_told_the_language(project, tmp_path):
    paths = plan.chosen_notebooks(project, ["04"])
    task = plan.plan([load_city(MADE_UP, project).parameters], paths, project, internal=False, language="fr")[0]
    packed = parcel.pack(task, inputs.Hashes(project))
    parcel.keep(parcel.read(packed, project, packed.hashes), tmp_path / "store")
    assert parcel.unpack(packed, tmp_path / "store", tmp_path / "elsewhere").parameters["language"] == "fr"
