"""What changed between two reviews: one figure, one label, one parameter, other code; each names its reason."""

import csv
import io
import json
import re
import shutil
from dataclasses import replace
from html import unescape
from pathlib import Path
from types import SimpleNamespace

import pytest
from test_certificate import CITY, edit, made_up_report, reseal
from test_comments import row_of, sheet
from test_reproduce import elsewhere, one_figure
from typer.testing import CliRunner

from vlr_analysis.cli import app
from vlr_analysis.errors import InputError
from vlr_analysis.review import certificate, comments, comments_read, comments_sheet, diff, diff_page
from vlr_analysis.review.comments_sheet import read_findings

POVERTY = (CITY, "1.2.1", "population below the national poverty line", "%", "2024", "")


@pytest.fixture(scope="module")
def sides():
    return diff._side(made_up_report()), diff._side(elsewhere(one_figure)[1])


@pytest.fixture(scope="module")
def found(sides):
    return diff.compare(*sides)


def behind(report):
    """Return which findings rest on the headline figure of poverty, from the rows of the report itself."""
    rows = csv.DictReader(io.StringIO((report / "tables" / "provenance.csv").read_text(encoding="utf-8")))
    return {row["finding"] for row in rows if tuple(row[name] for name in diff.ROW_KEY) == POVERTY}


def held_by(side, **update):
    return replace(side, held=side.held.model_copy(update=update))


def test_a_report_and_itself_differ_in_nothing():
    (one,) = diff.diff(made_up_report(), made_up_report())
    assert (one.findings, one.reasons, one.revisions, one.warnings, one.comments) == ((), (), (), (), ())
    assert one.unchanged == len(read_findings(made_up_report()))


def test_one_changed_value_flags_exactly_the_findings_that_rest_on_it(found):
    changed = {one.old["id"] for one in found.of("changed")}
    before, after = read_findings(made_up_report()), read_findings(elsewhere(one_figure)[1])
    ids = {one["id"] for one in after}
    assert changed
    assert changed == {one["id"] for one in before if one["id"] not in ids}
    assert changed <= behind(made_up_report())
    assert found.unchanged + len(changed) + len(found.of("removed")) == len(before)


def test_the_reason_is_the_figure_with_both_values_and_nothing_else(found):
    (revision,) = found.revisions
    assert (revision.kind, revision.key) == ("revised", POVERTY)
    assert float(revision.new["value"]) == pytest.approx(float(revision.old["value"]) + 1)
    for change in found.of("changed"):
        assert {reason.kind for reason in change.reasons} == {"data"}
        assert [(reason.old, reason.new) for reason in change.reasons] == [
            tuple(f"{side['value']} (provisional)" for side in (revision.old, revision.new))
        ]


def test_exactly_the_comments_on_changed_findings_are_flagged(tmp_path):
    told = read_findings(made_up_report())
    given = comments_read.read([sheet(tmp_path / "in.csv", [row_of(one, f"on {one['id']}") for one in told])], [], told)
    old = tmp_path / "old" / CITY
    shutil.copytree(made_up_report(), old)
    (old / comments.DELIVERED).write_bytes(comments.as_csv([replace(one, state="open") for one in given]))
    reseal(old)
    (one,) = diff.diff(old, elsewhere(one_figure)[1])
    assert one.warnings == ()
    assert {item.comment.finding for item in one.comments} == {change.old["id"] for change in one.findings}


def test_a_finding_is_named_alike_wherever_its_code_has_changed(tmp_path):
    """By both codes, in the terminal, on the page, in the log of comments and the sheet to answer in."""
    told, newer = read_findings(made_up_report()), read_findings(elsewhere(one_figure)[1])
    given = comments_read.read([sheet(tmp_path / "in.csv", [row_of(one, f"on {one['id']}") for one in told])], [], told)
    given = [replace(one, state="open") for one in given]
    changes = diff.compare(diff._side(made_up_report()), diff._side(elsewhere(one_figure)[1]))
    changes = replace(changes, comments=tuple(comments.stand(given, newer)))
    (first, *_) = changes.of("changed")
    name = f"now {first.new['id']}, before {first.old['id']}"
    lines = list(diff_page.lines(changes))
    assert any(line.startswith(f"  changed {name} (") for line in lines)
    assert any(line.endswith(f" on {name}: finding changed") for line in lines)
    html = (tmp_path / "out" / "what-changed.html", diff_page.write([changes], tmp_path / "out"))[0]
    assert html.read_text(encoding="utf-8").count(f"<code>{name}</code>") == 2
    assert any(f" on {name}: finding changed" in line for line in comments.log_lines(changes.comments))
    rows = comments_sheet.to_answer(changes.comments)
    assert name in {row["Finding"] for row in rows}
    same = next(one for one in changes.comments if one.standing == "current")
    assert same.name == same.now == same.comment.finding
    again = comments_read.read(
        [sheet(tmp_path / "more.csv", [row_of(first.new, "More") | {"Finding": name}])], given, newer
    )
    assert [one.finding for one in again] == [first.new["id"]]


def test_a_new_period_a_withdrawn_and_a_hidden_figure_are_told_apart(sides):
    figures = dict(sides[0].figures)
    later, removed, hidden = (*POVERTY[:4], "2025", ""), (*POVERTY[:4], "2010", ""), (*POVERTY[:4], "2011", "")
    figures[later] = {"value": "10", "low": "", "high": "", "status": "value"}
    del figures[removed]
    figures[hidden] = {"value": "", "low": "", "high": "", "status": "suppressed"}
    told = [(one.kind, one.key) for one in diff.revised(sides[0].figures, figures)]
    assert told == [("revised", hidden), ("withdrawn", removed), ("new period", later)]


def test_a_definition_a_boundary_a_parameter_and_a_method_touch_whom_they_concern(sides):
    old, new = sides
    label = {key: dict(row) for key, row in old.definitions.items()}
    label[POVERTY[1:4]]["direction"] = "increase"
    areas = {key: dict(row) for key, row in old.areas.items()} or {(CITY,): {"area": CITY, "name": "x"}}
    areas[CITY,]["name"] = "Greater Porto"
    parameters = json.loads(json.dumps(old.held.parameters))
    parameters["baseline_year"] = 2016
    notebooks = dict(old.held.notebooks)
    notebooks["02_trends.ipynb"] = certificate.Notebook(code="0" * 64, file="0" * 64)
    changed = held_by(replace(new, definitions=label, areas=areas), parameters=parameters, notebooks=notebooks)
    told = diff.compare(old, changed)
    assert [reason.kind for reason in told.reasons] == ["data", "definition", "method", "parameters", "boundary"]
    assert "direction of 1.2.1" in told.reasons[1].what
    assert told.reasons[3].what == "key baseline_year"
    for change in told.of("changed"):
        kinds = [reason.kind for reason in change.reasons]
        assert ("method" in kinds) == (change.finding["notebook"] == "02_trends")
        assert {"data", "definition", "parameters", "boundary"} <= set(kinds)


def test_a_parameter_of_one_indicator_is_known_by_its_code(sides):
    parameters = json.loads(json.dumps(sides[0].held.parameters))
    parameters["indicators"].reverse()
    assert diff.compare(sides[0], held_by(sides[0], parameters=parameters)).reasons == ()
    entry = next(one for one in parameters["indicators"] if one["indicator"] == "1.2.1")
    entry["target"] = 12
    (reason,) = diff.compare(sides[0], held_by(sides[0], parameters=parameters)).reasons
    assert (reason.kind, reason.indicator[0], reason.new) == ("parameters", "1.2.1", "12")
    told = diff.compare(sides[0], held_by(sides[1], parameters=parameters))
    assert all(
        "parameters" in {r.kind for r in one.reasons} for one in told.findings if one.finding["indicator"] == "1.2.1"
    )


def test_code_that_makes_pages_is_no_method(sides):
    files = dict(sides[0].held.package.files)
    files["vlr_analysis/review/pages.py"] = "0" * 64
    package = sides[0].held.package.model_copy(update={"files": files})
    assert diff.compare(sides[0], held_by(sides[0], package=package)).reasons == ()
    package = package.model_copy(update={"files": files | {"vlr_analysis/trends.py": "0" * 64}})
    (reason,) = diff.compare(sides[0], held_by(sides[0], package=package)).reasons
    assert (reason.kind, "trends.py" in reason.what) == ("method", True)


def test_another_environment_is_told(sides):
    environment = dict(sides[0].held.environment) | {"pandas": "1.0"}
    (reason,) = diff.compare(sides[0], held_by(sides[0], environment=environment)).reasons
    assert (reason.kind, reason.what, reason.new) == ("environment", "pandas", "1.0")


def test_where_it_cannot_be_told_it_says_so(sides):
    changed = [dict(one) for one in sides[0].findings]
    changed[0] |= {"verdict": "something else", "id": "t-ffffffff"}
    told = diff.compare(sides[0], replace(sides[0], findings=changed[:-1]))
    assert [(one.kind, one.reasons) for one in told.findings] == [("changed", ()), ("removed", ())]
    assert diff_page.why(told.findings[0]) == diff_page.UNTOLD


def test_numbers_within_the_rounding_are_no_change(sides):
    changed = [json.loads(json.dumps(one)) for one in sides[0].findings]
    name = next(name for name, value in changed[0]["numbers"].items() if isinstance(value, float))
    changed[0]["numbers"][name] *= 1 + 4e-7
    changed[0]["id"] = "t-ffffffff"
    assert diff.compare(sides[0], replace(sides[0], findings=changed)).findings == ()


def test_a_report_that_is_not_what_it_says_is_warned_of(tmp_path):
    report = Path(shutil.copytree(made_up_report(), tmp_path / CITY))
    edit(report / "findings.jsonl", "Poverty", "Wealth")
    (one,) = diff.diff(report, made_up_report())
    assert "The older report is not what its certificate says" in one.warnings[0]


def test_the_command_prints_and_writes_a_page_and_a_table(tmp_path):
    new = elsewhere(one_figure)[1]
    done = CliRunner().invoke(app, ["diff", str(made_up_report()), str(new), "-o", str(tmp_path / "out")])
    assert done.exit_code == 0, done.output
    (one,) = diff.diff(made_up_report(), new)
    assert f"{len(one.of('changed'))} changed" in done.output
    marked = unescape((tmp_path / "out" / diff_page.PAGE).read_text(encoding="utf-8"))
    html = re.sub("</?(ins|del)>", "", marked)
    assert marked != html
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out" / diff_page.TABLE).read_text(encoding="utf-8-sig"))))
    for change in one.of("changed"):
        assert change.old["statement"] in html
        assert change.new["statement"] in html
        assert [row for row in rows if row["finding"] == change.new["id"] and row["class"] == "data"]
    assert "http" not in html.split("</head>")[1]


def test_hostile_words_are_words_on_the_page(sides, tmp_path):
    changed = [dict(one) for one in sides[0].findings]
    changed[0] |= {"statement": "<script>alert(1)</script>", "verdict": "=1+1"}
    diff_page.write([diff.compare(sides[0], replace(sides[0], findings=changed))], tmp_path)
    assert "<script>alert" not in (tmp_path / diff_page.PAGE).read_text(encoding="utf-8")
    assert ",=1+1" not in (tmp_path / diff_page.TABLE).read_text(encoding="utf-8-sig")


def test_nothing_to_compare_is_told(tmp_path):
    with pytest.raises(InputError):
        diff.diff(tmp_path, made_up_report())


def test_the_words_that_differ_are_marked_in_both_sentences():
    """Only what one sentence says and the other does not; together the pieces are the sentence."""
    before, now = "In 2025 it stands at 3.6 %, England at 4 %.", "In 2025 it stands at 3.9 %, England at 4 %."
    then, after = diff_page.differing(before, now)
    assert [text for text, own in then if own] == ["3.6"] and [text for text, own in after if own] == ["3.9"]
    assert "".join(text for text, _ in then) == before and "".join(text for text, _ in after) == now


def test_cities_that_one_side_lacks_are_named():
    def side(name):
        return SimpleNamespace(folder=Path(name), held=SimpleNamespace(city={"name": name.title()}))

    older, newer = {name: side(name) for name in ("loja", "cuenca", "quito")}, {"quito": side("quito")}
    told = list(diff._alone(older, newer, [(older["quito"], newer["quito"])]))
    assert told == ["Only the older reports hold Cuenca, Loja; nothing is compared."]
    assert list(diff._alone(newer, older, [(newer["quito"], older["quito"])])) == [told[0].replace("older", "newer")]
