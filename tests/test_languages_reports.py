"""Reports in another language: folders that hold one, pages around the chapters, the hand-over, sheets, differences."""

import json
import shutil

import pytest

from vlr_analysis.cities import load_city
from vlr_analysis.errors import InputError
from vlr_analysis.review import deliver, plan
from vlr_analysis.review.session import Wanted
from vlr_analysis.review.session import review as run_review
from vlr_analysis.review.staged import SUMMARY, check_out

MADE_UP = "porto-exemplo"


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
