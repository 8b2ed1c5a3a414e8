"""Methods that a project adds: found without a change of the kit, checked, shown, graded, and told when they fail."""

import json
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from openpyxl import load_workbook

from vlr_analysis import own_methods, statements
from vlr_analysis.cities import load_city
from vlr_analysis.cli import app
from vlr_analysis.errors import InputError
from vlr_analysis.findings import KINDS, TURNS, evidence_rows
from vlr_analysis.language import CODED, using
from vlr_analysis.method_files import VERDICTS, MethodError, read_methods
from vlr_analysis.results import Results
from vlr_analysis.review import diff, inputs, pages, plan
from vlr_analysis.review.new_method import new_method

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "docs" / "how-to" / "example-method"
VLR = [sys.executable, "-m", "vlr_analysis.cli"]
METHOD = "methods/years_to_target"


def with_example(root):
    shutil.copytree(EXAMPLE, root, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    return root


@pytest.fixture
def extended(project):
    return with_example(project)


def edit(path, *pairs):
    text = path.read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, encoding="utf-8")


def told(error):
    """Return the parts of each problem: where, found, expected, fix."""
    return {problem.where: (problem.found, problem.expected, problem.fix) for problem in error.problems}


def functions_of(path):
    """Return the functions of a test file, in their order."""
    held = runpy.run_path(str(path))
    return [function for name, function in held.items() if name.startswith("test_")]


# --- beginning one --------------------------------------------------------------------------------


def test_a_new_method_fails_its_test_and_its_check_until_it_is_filled(project):
    made = new_method("Pace, doubled", project)
    assert made.files == ("methods/pace_doubled.yaml", "methods/pace_doubled.py", "tests/test_method_pace_doubled.py")
    assert all((project / name).is_file() for name in made.files)
    with pytest.raises(InputError) as wrong:
        read_methods(project)
    keys = {where.partition("key ")[2] for where in told(wrong.value)}
    assert keys == {"title", "label", "reference", "limits", "verdicts"}
    assert all(fix for *_, fix in told(wrong.value).values())

    edit(project / made.files[0], ('title: ""', "title: Pace, doubled"), ('label: ""', "label: Twice the pace"),
         ('reference: ""', "reference: Nobody 2020"), ("limits: []", "limits: [None.]"),
         ("verdicts: []", "verdicts: [some progress]"))  # fmt: skip
    truth, refusal = functions_of(project / made.files[2])
    with pytest.raises(AssertionError, match="fill PLANTED and EXPECTED"):
        truth()
    with pytest.raises(MethodError, match=r"methods/pace_doubled.py, line \d+: NotImplementedError: fill"):
        refusal()

    function = project / made.files[1]
    text = function.read_text(encoding="utf-8")
    begin, end = text.index("        raise NotImplementedError"), text.index("    return pd.DataFrame")
    filled = """        if len(year) < 3:
            rows.append((*key, np.nan, "cannot tell", "few"))
        else:
            rows.append((*key, 2 * np.polyfit(year, value, 1)[0], "some progress", ""))
"""
    function.write_text(text[:begin] + filled + text[end:], encoding="utf-8")
    edit(project / made.files[2], ("PLANTED = {}", "PLANTED = {2020: 1.0, 2021: 2.5, 2022: 4.0}"),
         ("EXPECTED = {}", 'EXPECTED = {"result": 3.0, "verdict": "some progress"}'))  # fmt: skip
    truth, refusal = functions_of(project / made.files[2])
    truth()
    refusal()
    edit(project / made.files[2], ('"result": 3.0', '"result": 3.1'))
    with pytest.raises(AssertionError, match="result"):
        functions_of(project / made.files[2])[0]()


def test_a_method_that_is_there_is_not_written_over_and_odd_names_are_refused(extended):
    before = (extended / f"{METHOD}.py").read_bytes()
    with pytest.raises(InputError, match="a file that is there already"):
        new_method("years to target", extended)
    assert (extended / f"{METHOD}.py").read_bytes() == before
    for name in ("", "7", "class", "%%"):
        with pytest.raises(InputError, match="choose another name"):
            new_method(name, extended)
    assert "new-method" in {command.name for command in app.registered_commands}


def test_the_example_of_the_how_to_passes_its_own_test(extended):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(command, cwd=extended, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout
    assert "8 passed" in done.stdout


# --- the YAML file --------------------------------------------------------------------------------


def test_every_problem_of_every_file_is_told_at_once_with_a_fix(extended):
    path = extended / f"{METHOD}.yaml"
    edit(path, ("label: Years to go", "lable: Years to go"), ("on track,", "on trak,"),
         ("yearly: true", "yearly: maybe"), ("doi: 10.1080", "doi: doi 10.1080"),
         ("values: 8 ", "horizon: 8 "))  # fmt: skip
    shutil.copy(extended / f"{METHOD}.py", extended / "methods" / "yearstotarget.py")
    (extended / "methods" / "alone.yaml").write_text("methud: {}\n", encoding="utf-8")
    with pytest.raises(InputError) as wrong:
        read_methods(extended)
    found = told(wrong.value)
    at = f"{METHOD}.yaml, key"
    assert found[f"{at} lable"][2] == "did you mean 'label'?"
    assert found[f"{at} label"][:2] == ("nothing", "what the column of its result is headed")
    assert found[f"{at} needs.yearly"][0] == "'maybe'"
    assert found[f"{at} doi"][0].startswith("'doi 10.1080")
    assert "one top-level key `method`" in found["methods/alone.yaml"][1]
    assert "did you mean years_to_target.py?" in found["methods/yearstotarget.py"][2]
    edit(path, ("lable", "label"), ("doi 10", "10"), ("maybe", "true"))
    with pytest.raises(InputError) as wrong:
        read_methods(extended)
    found = told(wrong.value)
    assert found[f"{at} verdicts 2"][2] == "did you mean 'on track'?"
    assert f"{at} settings.horizon" in found
    edit(path, ("name: years_to_target", "name: years_to_targets"))
    with pytest.raises(InputError, match="make the two equal"):
        read_methods(extended)


def test_the_words_that_a_method_may_give_are_known_to_every_page():
    from babel.messages.pofile import read_po

    from vlr_analysis.language import LOCALE

    with (LOCALE / "vlr.pot").open("rb") as file:
        known = {str(message.id) for message in read_po(file) if message.context == CODED}
    assert set(VERDICTS) <= known
    assert "method" in KINDS and "method" in TURNS


# --- what the function returns --------------------------------------------------------------------


def returning(root, code):
    (root / f"{METHOD}.py").write_text(f"import numpy as np\nimport pandas as pd\n\n\n{code}", encoding="utf-8")


GOOD = "dict(indicator=['planted.1'], series=['planted'], unit=['%'], result=[1.0], verdict=['on track']"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        ("[1]", "found list; expected a pandas DataFrame"),
        (f"pd.DataFrame({GOOD}, grade=['A']))", "column grade: found an unknown column"),
        (f"pd.DataFrame({GOOD}, lo=[1]))", "did you mean 'low'?"),
        (f"pd.DataFrame({GOOD.replace('on track', 'onn track')}))", "did you mean 'on track'?"),
        (f"pd.DataFrame({GOOD.replace('planted.1', 'planted.2')}))", "found the series planted.2, planted, %, ;"),
        (f"pd.DataFrame({GOOD.replace('1.0', 'np.inf')}))", "expected a finite number, or NaN"),
        (f"pd.DataFrame({GOOD}, low=[2.0], high=[3.0]))", "the result 1 between them"),
        (f"pd.DataFrame({GOOD}, first=['1999']))", "expected a period of this series that it was given"),
        ("pd.DataFrame(dict(indicator=['planted.1'], result=['x']))", "column verdict: found nothing"),
        (f"pd.concat([pd.DataFrame({GOOD}))] * 2)", "a series that has a row already"),
        (f"pd.DataFrame({GOOD}, first=['2021'], last=['2020']))", "columns first and last: found 2021 to 2020"),
        (f"pd.DataFrame({GOOD.replace('1.0', 'True')}))", "row 1, column result: found True (bool); expected a finite"),
        (f"pd.DataFrame({GOOD.replace('1.0', '1 + 0j')}))", "column result: found (1+0j) (complex)"),
        (f"pd.DataFrame({GOOD.replace('1.0', '10**400')}))", "(int); expected a finite number, or NaN"),
        (f"pd.DataFrame({GOOD.replace('1.0', 'str(1.0)')}))", "found '1.0' (str); expected a finite number"),
        (
            f"pd.DataFrame({GOOD.replace('1.0', 'np.nan')}, low=[1.0], high=[2.0]))",
            "no interval where there is no result",
        ),
        (f"pd.DataFrame({GOOD}, low=[pd.NA], high=[3.0]))", "both ends or none"),
        (
            f"pd.DataFrame({GOOD}, target=[pd.Timestamp('2024-05-01')]))",
            "column target: found 2024-05-01 00:00:00 (Times",
        ),
        (
            f"pd.DataFrame({GOOD}, target=[[1, 2]]))",
            "column target: found [1, 2] (list); expected a finite number, text",
        ),
        (f"pd.DataFrame({GOOD}, target=[10**5000]))", "column target: found something that cannot be written (int)"),
        (f"pd.DataFrame({GOOD}, target=[np.inf]))", "column target: found inf (float)"),
        (
            f"pd.DataFrame({GOOD}, reason=pd.Series(['\\ud800'], dtype=object)))",
            "column reason: found '\\ud800' (str); expected text",
        ),
        (
            f"pd.concat([pd.DataFrame({GOOD})), pd.DataFrame(dict(result=[2.0]))], axis=1)",
            "column result: found 2 columns of this name",
        ),
        (f"pd.DataFrame({GOOD})).T.set_index([['a'] * 5, list('bcdef')]).T", "found columns of several levels"),
    ],
)
def test_a_table_that_is_none_is_refused_with_the_column_and_the_fix(extended, returned, said):
    returning(extended, f"def years_to_target(observations, settings):\n    return {returned}\n")
    with pytest.raises(MethodError) as wrong:
        own_methods.tried("years_to_target", {2020: 1.0, 2021: 2.0}, root=extended)
    assert said in str(wrong.value)
    assert str(wrong.value).startswith("method years_to_target, methods/years_to_target.py")
    assert "Fix: " in str(wrong.value)


def test_what_nobody_said_is_nothing_and_an_interval_without_width_is_none(extended):
    """Missing values of every kind are NaN; ends that are written alike give no better grade than no interval."""
    more = "low=[2.0], high=[2.0000001], target=[pd.NA], last_value=[None], pace=[10**300]"
    returning(extended, f"def years_to_target(o, s):\n    return pd.DataFrame({GOOD.replace('1.0', '2.0')}, {more}))\n")
    row = own_methods.tried("years_to_target", {2020: 1.0, 2021: 2.0}, root=extended)
    assert row[["low", "high", "target", "last_value"]].isna().all()
    assert (row["result"], row["pace"], row["reason"]) == (2.0, 10**300, "an interval without width is none")
    assert (row["first"], row["last"]) == ("2020", "2021")


@pytest.mark.parametrize("column", ["label", "goal", "priority", "grade", "place", "area", "result", "method", "order"])
def test_a_further_column_has_no_name_that_the_kit_uses(extended, column):
    edit(extended / f"{METHOD}.yaml", ("    target: Target", f"    {column}: Target"))
    with pytest.raises(InputError) as wrong:
        read_methods(extended)
    found, expected, fix = told(wrong.value)[f"{METHOD}.yaml, key columns.{column}"]
    assert found == repr(column) and "label, goal" in expected and f"years_to_target_{column}" in fix


ONE = "o[o['indicator'] == '1.2.1'].iloc[[0]][['indicator', 'series', 'unit']].assign(result=1.0, verdict='on track'"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (f"{ONE}, target=pd.Timestamp('2024-05-01'))", "row 1, column target: found 2024-05-01"),
        (f"{ONE}, target=[{{1}}])", "row 1, column target: found {1} (set)"),
        (f"{ONE}, low=10**400, high=10**400)", "row 1, column low: found 1000"),
        (f"{ONE}, first='1066')", "column first: found '1066'; expected a period of this series"),
        (f"pd.concat([{ONE}), {ONE})], axis=1)", "column result: found 2 columns of this name"),
    ],
)
def test_whatever_a_method_returns_only_its_own_section_fails(extended, returned, said):
    returning(extended, f"def years_to_target(o, s):\n    return {returned}\n")
    review = Results(load_city("porto-exemplo", extended))
    (own,) = review.own
    assert own.failed.startswith(f"porto-exemplo, method years_to_target, {METHOD}.py") and said in own.failed
    assert "Fix: " in own.failed and not own.findings
    assert {finding.kind for finding in review.findings} >= {"trend", "recovery", "disparity"}
    assert own_methods.joined(review.own).empty and len(list(own_methods.tables(review.city, review.own))) == 0


def test_what_no_check_foresees_stays_with_the_method_too(extended, monkeypatch):
    city = load_city("porto-exemplo", extended)
    monkeypatch.setattr(own_methods, "findings_of", lambda *_: 1 / 0)
    (own,) = own_methods.run_methods(city, Results(city).grades)
    assert "nothing can be told (ZeroDivisionError: division by zero); expected" in own.failed and not own.findings
    monkeypatch.undo()
    returning(extended, "class Stop(BaseException):\n    pass\n\n\ndef years_to_target(o, s):\n    raise Stop\n")
    (own,) = own_methods.run_methods(city, Results(city).grades)
    assert own.failed == f"porto-exemplo, method years_to_target, {METHOD}.py, line 10: Stop"


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "def years_to_target(observations):\n    pass\n",
            r"line 5: found years_to_target\(observations\); expected def",
        ),
        ("def years_to_targt(observations, settings):\n    pass\n", "did you mean 'years_to_targt'"),
        ("def years_to_target(observations, settings)\n", "line 5: SyntaxError"),
        ("1 / 0\n", "line 5: ZeroDivisionError: division by zero"),
        ("raise SystemExit(2)\n", "line 5: SystemExit: 2"),
        ("def years_to_target(o, s):\n    o['x']\n", "line 6: KeyError: 'x'"),
        ("def years_to_target(o, s):\n    raise SystemExit(1)\n", "line 6: SystemExit: 1"),
    ],
)
def test_an_error_names_file_and_line(extended, code, said):
    returning(extended, code)
    with pytest.raises(MethodError, match=f"method years_to_target, methods/years_to_target.py.*{said}"):
        own_methods.tried("years_to_target", {2020: 1.0}, root=extended)


def test_a_method_cannot_change_the_figures_of_the_next_nor_what_its_own_findings_rest_on(extended):
    code = """def years_to_target(o, s):
    row = o[o['indicator'] == '1.2.1'].iloc[[0]][['indicator', 'series', 'unit']].assign(result=1.0, verdict='on track')
    o['value'], o['period'], o['year'] = 0.0, '1999', 1999.5
    s.clear()
    return row
"""
    returning(extended, code)
    text = (extended / f"{METHOD}.yaml").read_text(encoding="utf-8")
    (extended / "methods" / "zz_second.yaml").write_text(text.replace("years_to_target", "zz_second"), encoding="utf-8")
    (extended / "methods" / "zz_second.py").write_text(
        "def zz_second(o, s):\n    raise ValueError(float(o['value'].sum()), s['values'])\n", encoding="utf-8"
    )
    city = load_city("porto-exemplo", extended)
    before = city.observations.copy()
    first, second = own_methods.run_methods(city, Results(city).grades)
    pd.testing.assert_frame_equal(city.observations, before)
    total = own_methods.given(city.observations, city.definitions, second.method)["value"].sum()
    assert total > 0 and f"({float(total)!r}, 8)" in second.failed
    (found,) = first.findings
    assert (found.evidence[0]["first"], found.evidence[0]["last"]) == ("2005", "2024")


# --- what it gets, and the grade of what it says --------------------------------------------------


def test_what_a_method_gets(extended):
    city = load_city("porto-exemplo", extended)
    method = read_methods(extended)[0]
    rows = own_methods.given(city.observations, city.definitions, method)
    assert list(rows.columns) == list(own_methods.GIVEN)
    assert rows["value"].notna().all() and (rows["breakdown"] == "").all()
    assert not rows.assign(at=np.floor(rows["year"])).duplicated(["indicator", "series", "unit", "at"]).any()
    few = method.needs.model_copy(update={"indicators": ("1.2.1",), "groups": True, "yearly": False})
    rows = own_methods.given(city.observations, city.definitions, method.model_copy(update={"needs": few}))
    assert set(rows["indicator"]) == {"1.2.1"}
    assert len(rows) == (city.observations["indicator"] == "1.2.1").sum() - rows["value"].isna().sum()
    assert rows["target"].iloc[0] == 10 and rows["direction"].iloc[0] == "decrease"


def test_a_city_without_the_indicators_that_a_method_needs_gets_a_sentence_and_no_error(extended):
    """The function is not called on nothing: most would fail, and for no reason of theirs."""
    returning(extended, "def years_to_target(o, s):\n    return o.loc[[o['value'].idxmax()]]\n")
    edit(extended / f"{METHOD}.yaml", ("indicators: []", 'indicators: ["9.9.9"]'))
    city = load_city("porto-exemplo", extended)
    (own,) = own_methods.run_methods(city, Results(city).grades)
    assert (len(own.table), own.findings, own.failed) == (0, (), "")
    (shown,) = own_methods.tables(city, [own])
    assert "No series of this city fits this table." in shown.html
    assert own_methods.joined([own]).empty and len(own_methods.notes([own])) == 1


def graded(root, returned, grade="A", at_most="A"):
    returning(
        root, f"def years_to_target(o, s):\n    one = o[o['indicator'] == '1.2.1'].iloc[[0]]\n    return {returned}\n"
    )
    edit(root / f"{METHOD}.yaml", ("grade_at_most: B", f"grade_at_most: {at_most}"))
    city = load_city("porto-exemplo", root)
    grades = Results(city).grades.assign(grade=grade, grade_reason="" if grade == "A" else "planted")
    (found,) = own_methods.run_methods(city, grades)[0].findings
    edit(root / f"{METHOD}.yaml", (f"grade_at_most: {at_most}", "grade_at_most: B"))
    return found.grade, found.grade_reason


def test_a_method_gives_itself_no_better_grade_than_its_data_allow(extended):
    row = "one[['indicator', 'series', 'unit']].assign(result=1.0, verdict='on track'{})"
    whole = row.format(", low=0.5, high=2.0")
    assert graded(extended, whole) == ("A", "")
    assert graded(extended, whole, at_most="B") == ("B", "a method of this project")
    assert graded(extended, whole, grade="C") == ("C", "planted")
    assert graded(extended, row.format("")) == ("B", "no interval")
    assert graded(extended, row.format(", low=0.5, high=2.0, first='2022'")) == ("C", "3 yearly values")
    assert graded(extended, row.format(", low=0.5, high=2.0, last='2018'")) == (
        "C", "latest value of 2018, newest year is 2024",
    )  # fmt: skip


def test_findings_keep_their_id_in_every_language_and_change_it_with_a_number(extended):
    city = load_city("porto-exemplo", extended)
    grades = Results(city).grades
    english = own_methods.run_methods(city, grades)[0].findings
    with using("es"):
        spanish = own_methods.run_methods(city, grades)[0].findings
    assert [one.id for one in english] == [one.id for one in spanish]
    assert len(english) == 2 and all(re.fullmatch("m-[0-9a-f]{8}", one.id) for one in english)
    assert english[0].statement == (
        "Poverty, national definition: some progress. Years to the target at the present pace: 11.3 years "
        "(95 % interval 8.9 to 14.8; 2017 to 2024)."
    )
    assert "cierto progreso" in spanish[0].statement and "11,3" in spanish[0].statement
    edit(extended / f"{METHOD}.yaml", ("values: 8", "values: 9"))
    other = own_methods.run_methods(city, grades)[0].findings
    assert [one.subject for one in other] == [one.subject for one in english]
    assert all(new.id != old.id for new, old in zip(other, english, strict=True))
    rows = evidence_rows(english[0], city.observations)
    assert rows["period"].tolist() == [str(year) for year in range(2017, 2025)]


# --- in a run -------------------------------------------------------------------------------------


def vlr(root, *words):
    return subprocess.run([*VLR, *words], cwd=root, capture_output=True, text=True, encoding="utf-8", check=False)


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A project with the example method, run once: its folder and what the run said."""
    root = tmp_path_factory.mktemp("own") / "project"
    for name in ("params", "data"):
        (root / name).mkdir(parents=True)
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copy(ROOT / "params" / "porto-exemplo.yaml", root / "params")
    for name in ("porto-exemplo", "republica-exemplo", "areas", "sources", "indicators"):
        shutil.copy(ROOT / "data" / f"{name}.csv", root / "data")
    shutil.copytree(ROOT / "docs" / "methods", root / "docs" / "methods")
    with_example(root)
    return root, vlr(root, "run", "porto-exemplo", "--notebook", "02", "--notebook", "08", "--notebook", "09")


@pytest.mark.slow
def test_a_run_finds_the_method_and_shows_it_from_the_sentence_to_the_reference(ran):
    root, done = ran
    report = root / "reports" / "porto-exemplo"
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in (report / "findings.jsonl").read_text(encoding="utf-8").splitlines()]
    mine = [record for record in records if record["kind"] == "method"]
    assert [record["notebook"] for record in mine] == ["09_own_methods"] * 2
    table = pd.read_csv(report / "tables" / "09_own_methods_years_to_target.csv")
    assert table["result"].tolist() == [record["numbers"]["result"] for record in mine]
    provenance = pd.read_csv(report / "tables" / "provenance.csv")
    chapter = (report / "09_own_methods.html").read_text(encoding="utf-8")
    evidence = (report / "evidence.html").read_text(encoding="utf-8")
    for record in mine:
        assert record["id"] in chapter and record["id"] in evidence
        assert (provenance["finding"] == record["id"]).sum() == 8
    methods = (root / "reports" / "methods.html").read_text(encoding="utf-8")
    assert 'id="17-methods-of-this-project"' in methods
    assert "methods.html#17-methods-of-this-project" in evidence
    assert "10.1080/01621459.1968.10480934" in methods and "How many years the rest of the way" in methods
    certificate = json.loads((report / "certificate.json").read_text(encoding="utf-8"))
    assert {f"{METHOD}.yaml", f"{METHOD}.py"} <= set(certificate["inputs"])
    assert f"{METHOD}.py" in (report / "certificate.html").read_text(encoding="utf-8")
    annex = load_workbook(report / "handover" / "annex.xlsx", read_only=True)
    assert "Years to the target at the present pace" in [row[0] for row in annex["Methods"].values]
    assert {record["id"] for record in mine} <= {row[0] for row in annex["Findings"].values}
    assert not list((root / "methods").glob("__pycache__")), "no bytecode that could be older than the file"


@pytest.mark.slow
def test_a_changed_method_is_seen_and_named_and_a_failing_one_takes_no_other_chapter_with_it(ran):
    root, _ = ran
    report = root / "reports" / "porto-exemplo"
    before = pd.read_csv(report / "tables" / "09_own_methods_years_to_target.csv")["result"]
    shutil.copytree(report, root / "first")
    edit(root / f"{METHOD}.py", ("years, soonest, latest = left", "left = 2 * left\n    years, soonest, latest = left"))
    done = vlr(root, "run", "porto-exemplo", "--notebook", "02", "--notebook", "09")
    assert done.returncode == 0, done.stderr
    assert f"re-run: {METHOD}.py changed" in done.stderr
    assert re.search(r"02_trends: kept", done.stderr), done.stderr
    after = pd.read_csv(report / "tables" / "09_own_methods_years_to_target.csv")["result"]
    assert after.to_numpy() == pytest.approx(2 * before.to_numpy(), rel=1e-5)

    shutil.copytree(report, root / "second")
    (changes,) = diff.diff(root / "first", root / "second")
    reasons = [one for one in changes.reasons if one.what.startswith("methods/")]
    assert [(one.kind, one.what, one.chapter) for one in reasons] == [("method", f"{METHOD}.py", "09_own_methods")]
    changed = changes.of("changed")
    assert [one.finding["kind"] for one in changed] == ["method"] * 2
    assert all(reasons[0] in one.reasons for one in changed)

    edit(root / f"{METHOD}.py", ("left = 2 * left", "left = [][0]"))
    done = vlr(root, "run", "porto-exemplo", "--notebook", "02", "--notebook", "09")
    assert done.returncode == 3
    number = next(n for n, line in enumerate((root / f"{METHOD}.py").read_text(encoding="utf-8").splitlines(), 1)
                  if "[][0]" in line)  # fmt: skip
    said = f"porto-exemplo, method years_to_target, {METHOD}.py, line {number}: IndexError"
    assert said in done.stderr and str(root) not in done.stderr
    assert "years_to_target" in (report / "09_own_methods.html").read_text(encoding="utf-8")
    told_now = (report / "findings.jsonl").read_text(encoding="utf-8")
    assert '"02_trends"' in told_now and '"kind": "method"' not in told_now

    edit(root / f"{METHOD}.yaml", ("title: Years", "titel: Years"))
    done = vlr(root, "run", "porto-exemplo", "--notebook", "09")
    assert done.returncode == 1
    assert "did you mean 'title'?" in done.stderr


# --- an indicator of one's own ------------------------------------------------------------------------


def test_an_indicator_is_added_by_a_row_and_its_figures_and_no_code(project):
    """The way of docs/how-to/add-indicator-or-method.md: a row that defines it, figures, and what the city says."""
    values = [30.0, 28.5, 27.0, 25.5, 24.0, 22.5, 21.0, 19.5, 18.0]
    with (project / "data" / "indicators.csv").open("a", encoding="utf-8") as file:
        file.write("pe.trees,streets without trees,%,Streets without trees,11.7,decrease,own,,,,,,\n")
    with (project / "data" / "porto-exemplo.csv").open("a", encoding="utf-8") as file:
        for year, value in zip(range(2016, 2025), values, strict=True):
            file.write(f"porto-exemplo,pe.trees,streets without trees,%,{year},,{value},,,value,made-up\n")
    choice = "    - {indicator: pe.trees, target: 10, target_year: 2030}\n"
    edit(project / "params" / "porto-exemplo.yaml", ("  indicators:\n", f"  indicators:\n{choice}"))
    review = Results(load_city("porto-exemplo", project))
    (known,) = review.city.definitions.query("indicator == 'pe.trees'").itertuples()
    assert (known.label, known.goal, known.direction, known.target) == ("Streets without trees", 11, "decrease", 10)
    assert known.direction_source == "indicators table"
    (trend,) = review.trend.query("indicator == 'pe.trees'").itertuples()
    assert (trend.n, trend.slope_per_year, trend.movement) == (9, -1.5, "towards the goal")
    found = statements.trend_findings(review.trend, review.city.definitions, review.grades)
    (told,) = [one.statement for one in found if one.indicator == "pe.trees"]
    assert "Streets without trees: perhaps moving towards the goal" in told


# --- where nothing was added ----------------------------------------------------------------------


def test_without_methods_there_is_no_chapter_and_no_section(project):
    assert plan.OWN_METHODS not in [path.stem for path in plan.chosen_notebooks(project, [])]
    with pytest.raises(InputError, match="vlr new-method NAME"):
        plan.chosen_notebooks(project, ["09"])
    assert "Methods of this project" not in pages.methods(project)
    with_example(project)
    assert plan.OWN_METHODS in [path.stem for path in plan.chosen_notebooks(project, [])]


def test_the_section_of_the_methods_page_comes_next_after_those_of_the_kit():
    numbers = re.findall(r"^## (\d+)\. ", (ROOT / "docs" / "methods" / "README.md").read_text(encoding="utf-8"), re.M)
    assert f"{int(numbers[-1]) + 1}." == pages.OWN_SECTION


def test_chapters_that_are_said_to_need_no_method_ask_for_no_findings_of_others():
    """What reaches `Results.findings` reaches the methods; their files must then be among the inputs."""
    reach = r"review\.(own|findings|leading|ordered|priorities|pillars|duties|lead_numbers)\b|results\.side_by_side"
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
        assert bool(re.search(reach, code)) == (path.stem not in inputs.NO_METHODS), path.stem


def test_the_shipped_project_has_none_and_the_files_of_the_example_are_in_the_form_that_is_taught():
    assert not (ROOT / "methods").exists()
    made = yaml.safe_load((EXAMPLE / f"{METHOD}.yaml").read_text(encoding="utf-8"))["method"]
    assert set(made) <= {"name", "title", "label", "unit", "reference", "doi", "limits", "verdicts", "needs", "columns",
                         "grade_at_most", "settings"}  # fmt: skip
