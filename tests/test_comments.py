"""Comments as data: sheets out and in, the register, beside the findings of today, and the form."""

import csv
import io
import json
import shutil
from contextlib import nullcontext
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from openpyxl import load_workbook
from test_certificate import CITY, ROOT, checkout, held, made_up_report
from test_reproduce import elsewhere, one_figure, ran
from typer.testing import CliRunner

from vlr_analysis.cities import load_city
from vlr_analysis.cli import app
from vlr_analysis.errors import InputError
from vlr_analysis.review import (
    comments,
    comments_desk,
    comments_sheet,
    deliver,
    inputs,
    kernels,
    plan,
    session,
    verify,
    work,
)
from vlr_analysis.review.comments_sheet import COMMENTING

HOSTILE = (
    "<script>alert(1)</script>",
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "@SUM(A1)",
    "safe\u202egnp.exe",
    "x" * 4000,
)


def findings(report=None):
    return comments_sheet.read_findings(report or made_up_report())


def row_of(finding, text, **more):
    cells = {"Finding": finding["id"], "Statement": finding["statement"], "Grade": finding["grade"]}
    return cells | {"Chapter": "Trends", "Key": comments_sheet.key_of(finding), "Comment": text} | more


def sheet(path, rows, *, encoding="utf-8-sig", delimiter=","):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(COMMENTING)
    writer.writerows([row.get(name, "") for name in COMMENTING] for row in rows)
    path.write_bytes(out.getvalue().encode(encoding, errors="replace"))  # as Excel does
    return path


@pytest.fixture
def root(tmp_path):
    """Return a project of the made-up city with its report in place; no notebook runs."""
    made = checkout(tmp_path / "project")
    shutil.copytree(made_up_report(), made / "reports" / CITY)
    return made


def merge(root, *files, hold=False):
    return comments_desk.merge(files, CITY, root, root / "reports", hold=hold)


def register(root):
    return comments.read_register(root / inputs.comments_of(CITY))


def rendered(root, out, notebooks=None):
    """Render the pages of a project from notebooks that have run already."""
    city = load_city(CITY, root)
    tasks = plan.plan([city.parameters], plan.chosen_notebooks(root, []), root, internal=False)
    outcomes = list(ran(notebooks or made_up_report())(tasks, out))
    hashes = inputs.Hashes(root)
    needs = inputs.of_city(tasks, hashes) | hashes.of_files([inputs.comments_of(CITY)])
    deliver.write_city(city, outcomes, out / CITY, needs)
    return out / CITY


class Tags(HTMLParser):
    """Collect tags with their attributes, and the text of each comment."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.texts.append(data)


# --- the sheet ---------------------------------------------------------------------------------


def test_the_sheet_has_a_row_for_each_finding_and_cells_to_fill(tmp_path):
    done = CliRunner().invoke(app, ["comments", str(made_up_report()), "-o", str(tmp_path / "sheet.xlsx")])
    assert done.exit_code == 0, done.output
    book = load_workbook(tmp_path / "sheet.xlsx")
    page = book["Comments"]
    rows = [[cell.value for cell in row] for row in page.iter_rows()]
    assert tuple(rows[0]) == COMMENTING
    told = findings()
    assert [(row[0], row[2], row[3]) for row in rows[1 : len(told) + 1]] == [
        (one["id"], one["statement"], one["grade"]) for one in told
    ]
    assert {cell for row in rows[1:] for cell in row[5:9]} == {None}
    assert page.protection.sheet
    assert not page["F2"].protection.locked
    assert page["C2"].protection.locked
    assert not page.cell(len(told) + 2, 1).protection.locked
    for number, row in enumerate(rows[1 : len(told) + 1], 2):  # texts lie over each other where rows stay low
        assert page.row_dimensions[number].height >= max(15 * -(-len(row[2]) // 60), 60)
    assert page.row_dimensions[len(told) + 2].height is None, "an empty row grows with what is written"
    assert [sheet.sheet_properties.pageSetUpPr.fitToPage for sheet in book] == [True, True]
    rule = page.data_validations.dataValidation[0]
    assert rule.formula1 == f'"{",".join(comments.KINDS)}"'
    assert str(rule.sqref).startswith("H2:H")


def test_texts_of_the_sheet_stay_texts(tmp_path):
    told = [findings()[0] | {"statement": text} for text in HOSTILE]
    for name in ("sheet.xlsx", "sheet.csv"):
        comments_sheet.write(comments_sheet.to_comment(told, {}), COMMENTING, tmp_path / name, "=T")
    page = load_workbook(tmp_path / "sheet.xlsx")["Comments"]
    cells = [page.cell(number, 3) for number in range(2, len(HOSTILE) + 2)]
    assert {cell.data_type for cell in cells} == {"s"}
    assert cells[1].quotePrefix
    rows = list(csv.reader(io.StringIO((tmp_path / "sheet.csv").read_text(encoding="utf-8-sig"))))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@", "+"))]
    with pytest.raises(InputError, match=r"\.xlsx or \.csv"):
        comments_sheet.write([], COMMENTING, tmp_path / "sheet.pdf", "")


# --- back in -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("encoding", "delimiter"),
    [("utf-8-sig", ","), ("utf-8", ";"), ("utf-16", "\t"), ("cp1252", ";"), ("utf-16-le", ";")],
)
def test_files_of_any_spreadsheet_program_come_back(root, tmp_path, encoding, delimiter):
    told = [row_of(one, f"Façade; n° {n}, «été»", Who="Zoë", Date="2026-03-31") for n, one in enumerate(findings()[:3])]
    merge(root, sheet(tmp_path / "back.csv", told, encoding=encoding, delimiter=delimiter))
    assert [(one.finding, one.text, one.who) for one in register(root)] == [
        (row["Finding"], row["Comment"], "Zoë") for row in told
    ]
    assert {one.content for one in register(root)} == {comments.content_of(one) for one in findings()[:3]}


def test_a_filled_workbook_comes_back_and_the_same_comment_only_once(root, tmp_path):
    path = tmp_path / "sheet.xlsx"
    comments_desk.sheet(root / "reports" / CITY, path)
    book = load_workbook(path)
    page = book["Comments"]
    page["F2"], page["G2"], page["H2"], page["I2"] = "Which census?", "Office of statistics", "question", "2026-03-31"
    last = len(findings()) + 2
    page.cell(last, 1).value, page.cell(last, 6).value = page["A2"].value, "A second thought"
    book.save(path)
    shutil.copy(path, tmp_path / "again.xlsx")
    assert "new comments: 2," in merge(root, path, tmp_path / "again.xlsx")[0]
    assert [one.text for one in register(root)] == ["Which census?", "A second thought"]
    assert [one.subject for one in register(root)] == [findings()[0]["subject"]] * 2
    before = (root / inputs.comments_of(CITY)).read_bytes()
    assert merge(root, path)[0].startswith("new comments: 0, answers: 0, known already: 2")
    assert (root / inputs.comments_of(CITY)).read_bytes() == before


def test_every_problem_of_every_file_is_told_with_its_cell_and_nothing_is_written(root, tmp_path):
    one = findings()[0]
    wrong = [
        row_of(one, "when?", Date="3/4/2026"),
        row_of(one, "kind?", Kind="qestion"),
        {"Finding": "t-00000000", "Comment": "of what?"},
        row_of(one, "x" * 1_000_00),
        row_of(one, "fine"),
    ]
    files = sheet(tmp_path / "a.csv", wrong), sheet(tmp_path / "b.csv", [row_of(one, "", Who="z"), *wrong[:1]])
    (tmp_path / "c.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        merge(root, *files, tmp_path / "c.csv", tmp_path / "d.csv")
    places = [problem.where for problem in caught.value.problems]
    assert places == ["a.csv, row 2, column I", "a.csv, row 3, column H", "a.csv, row 4, column A",
                      "a.csv, row 5, column F", "b.csv, row 3, column I", "c.csv", "d.csv"]  # fmt: skip
    assert "did you mean 'question'?" in str(caught.value)
    assert not (root / inputs.comments_of(CITY)).exists()


def test_a_text_of_a_megabyte_is_refused_in_words(root, tmp_path):
    with pytest.raises(InputError, match=r"field larger than|letters"):
        merge(root, sheet(tmp_path / "long.csv", [row_of(findings()[0], "x" * 1_000_000)]))


def test_a_comment_on_a_finding_of_an_older_report_is_tied_to_what_it_said(root, tmp_path):
    old = findings()[0] | {"id": "t-12345678", "numbers": {"slope": 1}, "statement": "It fell."}
    merge(root, sheet(tmp_path / "late.csv", [row_of(old, "late")]))
    assert [(one.finding, one.statement, one.content) for one in register(root)] == [
        ("t-12345678", "It fell.", comments.content_of(old))
    ]


# --- answers -----------------------------------------------------------------------------------


def test_answers_travel_in_the_log_and_the_register_only_grows(root, tmp_path):
    told = findings()[:2]
    merge(root, sheet(tmp_path / "in.csv", [row_of(one, f"n {one['id']}") for one in told]))
    first = (root / inputs.comments_of(CITY)).read_bytes()
    log = tmp_path / "log.xlsx"
    comments_desk.log(CITY, root, root / "reports", log)
    book = load_workbook(log)
    page = book["Comments"]
    heads = [cell.value for cell in page[1]]
    for name, text in (("State", "answered"), ("Response", "=See note"), ("Answered by", "Ana")):
        page.cell(2, heads.index(name) + 1).value = text
        page.cell(2, heads.index(name) + 1).data_type = "s"
    book.save(log)
    assert merge(root, log)[0].startswith("new comments: 0, answers: 1,")
    assert (root / inputs.comments_of(CITY)).read_bytes().startswith(first)
    assert [(one.state, one.response) for one in comments.latest(register(root))] == [
        ("answered", "=See note"), ("open", ""),
    ]  # fmt: skip
    lines = comments_desk.log(CITY, root, root / "reports", None)
    assert "  answer by Ana: =See note" in lines
    assert merge(root, log)[0].startswith("new comments: 0, answers: 0,")


def test_words_of_others_are_not_changed_in_the_log(root, tmp_path):
    merge(root, sheet(tmp_path / "in.csv", [row_of(findings()[0], "Mine")]))
    log = tmp_path / "log.csv"
    comments_desk.log(CITY, root, root / "reports", log)
    log.write_text(log.read_text(encoding="utf-8-sig").replace("Mine", "Yours"), encoding="utf-8")
    with pytest.raises(InputError, match="leave the words of others"):
        merge(root, log)


# --- on pages ----------------------------------------------------------------------------------


def test_hostile_words_are_words_on_every_page(root, tmp_path):
    merge(root, sheet(tmp_path / "in.csv", [row_of(findings()[0], text, Who=text[:50]) for text in HOSTILE]))
    report = rendered(root, tmp_path / "out")
    for name in ("index.html", "evidence.html", "comments.html"):
        html = (report / name).read_text(encoding="utf-8")
        assert "<script>alert" not in html
        assert "\u202e" not in html
    texts = "".join(Tags((report / "evidence.html").read_text(encoding="utf-8")).texts)
    assert all(text in texts for text in HOSTILE if "\u202e" not in text)
    assert "safe[U+202E]gnp.exe" in texts
    rows = list(csv.reader(io.StringIO((report / "comments.csv").read_text(encoding="utf-8"))))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "@"))]
    assert verify.verify(report) == []


def test_a_changed_finding_makes_its_comments_stale_and_no_other(root, tmp_path):
    there, newer = findings(), findings(elsewhere(one_figure)[1])
    merge(root, sheet(tmp_path / "in.csv", [row_of(one, f"on {one['id']}") for one in there]))
    now = {one["subject"]: one for one in newer}
    changed = {one["id"] for one in there if one["subject"] in now and now[one["subject"]]["id"] != one["id"]}
    graded = {one["id"] for one in there if one["id"] in {two["id"] for two in newer if two["grade"] != one["grade"]}}
    gone = {one["id"] for one in there if one["subject"] not in now}
    assert 0 < len(changed) < len(there)
    standing = comments.stand(comments.open_to_readers(register(root)), newer)
    assert {one.comment.finding for one in standing if one.standing == "changed"} == changed | graded
    assert {one.comment.finding for one in standing if one.standing == "gone"} == gone
    shutil.copytree(root / "data" / "comments", tmp_path / "held")
    second, folder = elsewhere(one_figure)
    place = tmp_path / "second"
    shutil.copytree(second, place, ignore=shutil.ignore_patterns("reports"))
    shutil.copytree(tmp_path / "held", place / "data" / "comments")
    html = (rendered(place, tmp_path / "out", folder) / "evidence.html").read_text(encoding="utf-8")
    assert html.count("finding changed since") == len(changed | graded)
    one = next(one for one in there if one["id"] in changed)
    assert one["statement"] in unescape(html)
    assert now[one["subject"]]["statement"] in unescape(html)


def test_withheld_comments_leave_no_trace_in_a_report(root, tmp_path):
    one = findings()[0]
    merge(root, sheet(tmp_path / "in.csv", [row_of(one, "public word")]))
    merge(root, sheet(tmp_path / "held.csv", [row_of(one, "secret word")]), hold=True)
    report = rendered(root, tmp_path / "out")
    assert not [path.name for path in report.rglob("*") if path.is_file() and b"secret word" in path.read_bytes()]
    told = held(report)["inputs"][inputs.comments_of(CITY)]
    assert told["hash_of"] == "the comments that are shown"
    assert told["sha256"] == held(report)["files"]["comments.csv"]["sha256"]


def test_comments_are_an_input_and_no_result(root, tmp_path):
    merge(root, sheet(tmp_path / "in.csv", [row_of(findings()[0], "A word")]))
    report = rendered(root, tmp_path / "out")
    name = inputs.comments_of(CITY)
    assert held(report)["inputs"][name] == {"hash_of": "the file", "sha256": inputs.hash_file(root / name)}
    assert held(report)["results"] == held(made_up_report())["results"]
    assert verify.verify(report) == []
    assert "1 comment beside the findings</a>" in (report / "index.html").read_text(encoding="utf-8")


def test_a_comment_makes_pages_anew_and_runs_no_notebook(root, tmp_path, monkeypatch):
    ran_now, told = [], []

    def run_all(tasks, folder, jobs, limit=0):
        ran_now.extend(task.notebook.stem for task in tasks)
        return ran(made_up_report())(tasks, folder)

    class Silent:
        begins = notebook = lambda self, *more, **named: None

        def report(self, name, state, notebooks=0):
            told.append(state)

    monkeypatch.setattr(work.run, "run_all", run_all)
    monkeypatch.setattr(kernels, "warm", lambda **named: nullcontext())
    wanted = session.Wanted([CITY], [], root / "reports")
    shutil.rmtree(root / "reports")
    shutil.rmtree(root / "docs")
    assert session.review(root, wanted, Silent()).whole
    assert ran_now == ["02_trends", "08_findings"]
    session.review(root, wanted, Silent())
    assert told[-1] == "unchanged"
    merge(root, sheet(tmp_path / "in.csv", [row_of(findings()[0], "Seen by all")]))
    ran_now.clear()
    told.clear()
    assert session.review(root, wanted, Silent()).whole
    assert ran_now == []
    assert "unchanged" not in told
    assert "Seen by all" in (root / "reports" / CITY / "evidence.html").read_text(encoding="utf-8")


# --- the form ----------------------------------------------------------------------------------


def test_the_form_has_a_labelled_box_for_each_finding():
    html = (made_up_report() / "comments.html").read_text(encoding="utf-8")
    page = Tags(html)
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    boxes = {attrs["id"]: attrs["data-key"] for tag, attrs in page.tags if attrs.get("class") == "box"}
    assert boxes == {one["id"]: comments_sheet.key_of(one) for one in findings()}
    labels = {attrs["for"] for tag, attrs in page.tags if tag == "label"}
    fields = {attrs["id"] for tag, attrs in page.tags if tag in ("textarea", "select", "input")}
    assert fields == labels
    assert len(fields) == 2 * len(boxes) + 1
    assert {attrs["aria-describedby"] for tag, attrs in page.tags if tag == "textarea"} <= ids
    assert not [attrs for _, attrs in page.tags if any(name.startswith("on") for name in attrs)]
    script = (ROOT / "vlr_analysis" / "review" / "templates" / "comments.js").read_text(encoding="utf-8")
    heads = json.loads(script.split("var HEADS = ")[1].split(";")[0])
    assert tuple(heads) == COMMENTING


def test_first_page_and_evidence_lead_to_the_form():
    for name in ("index.html", "evidence.html"):
        assert 'href="comments.html"' in (made_up_report() / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments", [["x"], ["--merge", "x"], ["x", "y", "-o", "z.csv"], ["--merge", "--log", "x", "y"]]
)
def test_wrong_use_is_told(arguments):
    assert CliRunner().invoke(app, ["comments", *arguments]).exit_code == 2


def test_a_merge_says_how_to_show_the_city_alone_and_a_name_leads_to_its_report(root, tmp_path):
    told = merge(root, sheet(tmp_path / "back.csv", [row_of(findings()[0], "A thought")]))
    assert f"run `vlr run {CITY}` to show" in told[-1]
    with pytest.raises(InputError, match=f"did you mean .*reports/{CITY}"):
        comments_desk.sheet(Path(CITY), tmp_path / "out.xlsx", root / "reports")
    with pytest.raises(InputError, match="give the folder of a city's report"):
        comments_desk.sheet(Path("nowhere"), tmp_path / "out.xlsx", root / "reports")


def test_log_of_a_city_without_comments(root):
    assert comments_desk.log(CITY, root, root / "reports", None) == ["No comment on Pôrto Exemplo yet."]


def test_a_damaged_register_is_told(root):
    path = root / inputs.comments_of(CITY)
    path.parent.mkdir(parents=True)
    path.write_text("a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="row 1"):
        comments.read_register(path)
    path.write_text(",".join(comments.COLUMNS) + "\n" + "a,b\n", encoding="utf-8")
    with pytest.raises(InputError, match="2 cells"):
        comments.read_register(path)
