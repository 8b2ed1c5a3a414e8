"""`vlr run` and its pages: complete, atomic, offline, honest about what failed; and every command on bad input."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from vlr_analysis.cities import load_city
from vlr_analysis.exhibits import FLOAT_FORMAT
from vlr_analysis.review.deliver import SUMMARY

ROOT = Path(__file__).resolve().parents[1]
VLR = [sys.executable, "-m", "vlr_analysis.cli"]
# Words that no generated sentence contains (the test of the package's own texts is in test_words.py).
BANNED = re.compile(r"\b(caused?|proves?|proven|significant(ly)?|because|best|worst)\b", re.I)


def vlr(*arguments, cwd, **options):
    return subprocess.run(
        [*VLR, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8", **options
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """One run over a real city and the made-up one, from the shipped project into a folder of its own."""
    out = tmp_path_factory.mktemp("run") / "pages é"
    done = vlr("run", "porto-exemplo", "pittsburgh", "--out", out, cwd=ROOT / "docs")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(out / "index.html")
    return out


class Page(HTMLParser):
    """What a reader's browser and screen reader would meet."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.images, self.loads, self.text, self.headings = [], [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        held = dict(attributes)
        self.ids += [held["id"]] if "id" in held else []
        self.links += [held["href"]] if tag == "a" and "href" in held else []
        self.images += [held] if tag == "img" else []
        self.loads += [held.get("src", held.get("href", ""))] if tag in ("img", "script", "link", "iframe") else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []

    def handle_data(self, data):
        self.text.append(data)


def pages(report):
    return {path: Page(path.read_text(encoding="utf-8")) for path in report.rglob("*.html")}


def test_everything_a_run_leaves_is_there(report):
    for city in ("porto-exemplo", "pittsburgh"):
        names = {path.name for path in (report / city).iterdir()}
        assert names >= {"index.html", "02_trends.html", "02_trends.ipynb", "03_covid_recovery.html", "findings.jsonl",
                         "08_findings.html", "evidence.html", "handover", "tables", SUMMARY}  # fmt: skip
        assert len(list((report / city / "tables").glob("*.csv"))) >= 30
    assert (report / "cities_overview" / "cities_overview.html").is_file()
    assert (report / "methods.html").is_file()
    assert not list(report.parent.glob(".*")), "nothing temporary is left"


def test_pages_ask_the_network_for_nothing(report):
    for path, page in pages(report).items():
        assert all(source.startswith("data:") for source in page.loads if source), path
        assert "default-src 'none'" in path.read_text(encoding="utf-8")


def test_every_link_inside_a_report_leads_somewhere(report):
    for path, page in pages(report).items():
        for link in page.links:
            if link.startswith(("http://", "https://")):
                continue
            name, _, anchor = link.partition("#")
            target = (path.parent / name).resolve() if name else path
            assert target.exists(), (path, link)
            if anchor:
                assert anchor in Page(target.read_text(encoding="utf-8")).ids, (path, link)


def test_pages_are_readable_without_seeing(report):
    for path, page in pages(report).items():
        assert all(image.get("alt", "").strip() for image in page.images), path
        assert page.headings.count(1) == 1, path
        assert all(b - a <= 1 for a, b in zip(page.headings, page.headings[1:], strict=False)), path
        assert len(page.ids) == len(set(page.ids)), path
        assert '<html lang="en" dir="ltr">' in path.read_text(encoding="utf-8")


def test_the_made_up_city_says_so_on_every_page(report):
    for path in (report / "porto-exemplo").glob("*.html"):
        assert "is made up" in path.read_text(encoding="utf-8")
    assert "made up" not in (report / "pittsburgh" / "index.html").read_text(encoding="utf-8")


def test_two_cities_of_one_run_differ(report):
    one, other = (
        (report / city / "tables" / "03_covid_recovery_verdicts.csv").read_text(encoding="utf-8")
        for city in ("porto-exemplo", "pittsburgh")
    )
    assert one != other


def test_no_banned_word_no_path_no_clock_in_what_is_published(report):
    for path in report.rglob("*"):
        if not path.is_file() or path.suffix in (".png", ".xlsx", ".docx", ".zip") or path.name == ".lock":
            continue
        text = path.read_text(encoding="utf-8")
        assert f"{ROOT.parent}/" not in text, path
        assert str(Path.home()) + "/" not in text, path
        assert "start_time" not in text, path
        shown = " ".join(Page(text).text) if path.suffix == ".html" else text if path.suffix == ".jsonl" else ""
        shown = re.sub(r"base64,[A-Za-z0-9+/=]+", "", shown)
        assert not BANNED.search(shown), path


def test_findings_carry_their_numbers_and_are_shown(report):
    lines = (report / "porto-exemplo" / "findings.jsonl").read_text(encoding="utf-8").splitlines()
    findings = [json.loads(line) for line in lines]
    assert len(findings) > 8
    page = (report / "porto-exemplo" / "index.html").read_text(encoding="utf-8")
    assert len({finding["id"] for finding in findings}) == len(findings)
    for finding in findings:
        assert finding["id"] in page
        assert finding["numbers"]
        assert finding["grade"] in "ABCD"
        assert finding["statement"].endswith((".", "?"))
        if finding["verdict"].startswith("target: "):
            assert ", target " in finding["statement"]
        elif finding["kind"] == "trend":
            assert "95 % interval" in finding["statement"]
            assert "yearly values" in finding["statement"]


def test_the_page_of_findings_tells_what_the_chapters_tell(report):
    """Findings of 08 are computed again there: same ids, same sentences as in the chapters."""
    for city in ("porto-exemplo", "pittsburgh"):
        told = [
            json.loads(line) for line in (report / city / "findings.jsonl").read_text(encoding="utf-8").splitlines()
        ]
        assert told
        assert not [item["id"] for item in told if item["notebook"] == "08_findings"]
        table = pd.read_csv(report / city / "tables" / "08_findings_all.csv", dtype=str)
        assert set(table["id"]) == {item["id"] for item in told}
        assert dict(zip(table["id"], table["statement"], strict=True)) == {i["id"]: i["statement"] for i in told}


def test_two_clicks_from_a_finding_to_its_data_and_its_method(report):
    page = report / "porto-exemplo" / "index.html"
    first = Page(page.read_text(encoding="utf-8"))
    evidence = Page((report / "porto-exemplo" / "evidence.html").read_text(encoding="utf-8"))
    targets = {link.partition("#")[2] for link in first.links if link.startswith("evidence.html#")}
    assert len(targets) > 20
    assert targets <= set(evidence.ids)
    methods = Page((report / "methods.html").read_text(encoding="utf-8"))
    anchors = {link.partition("#")[2] for link in evidence.links if link.startswith("../methods.html#")}
    assert len(anchors) >= 5
    assert anchors <= set(methods.ids)
    assert "tables/provenance.csv" in evidence.links


def test_the_first_page_holds_at_most_twelve(report):
    text = (report / "porto-exemplo" / "index.html").read_text(encoding="utf-8")
    lead = text.split('id="first"')[1].split("</ol>")[0]
    assert 6 <= lead.count('<li class="finding"') <= 12


def test_the_internal_build_says_so_and_is_never_mixed_with_the_public_one(project):
    assert vlr("run", "--internal", "--notebook", "04", cwd=project).returncode == 0
    folder = project / "reports-internal" / "porto-exemplo"
    for path in folder.glob("*.html"):
        assert "INTERNAL" in path.read_text(encoding="utf-8")
    assert not (folder / "handover").exists()
    assert "INTERNAL" in (project / "reports-internal" / "index.html").read_text(encoding="utf-8")
    done = vlr("run", "--notebook", "04", "--out", "reports-internal", cwd=project)
    assert done.returncode == 1
    assert "an internal report; expected public reports only" in done.stderr


def test_a_public_report_holds_no_hidden_number(report):
    """Every number of the internal table that the public one hides is looked for in all that is published of it."""
    secret = load_city("porto-exemplo", ROOT, internal=True).observations
    public = load_city("porto-exemplo", ROOT).observations
    key = ["indicator", "series", "unit", "period", "breakdown"]
    both = public.merge(secret, on=key, suffixes=("", "_secret"))
    hidden = both[both["value"].isna() & both["value_secret"].notna()]
    assert len(hidden) > 20
    looked = 0
    for path in [*(report / "porto-exemplo").rglob("*.csv"), report / "porto-exemplo" / "findings.jsonl"]:
        table = pd.read_csv(path, dtype=str) if path.suffix == ".csv" else None
        if table is None or not set(key) <= set(table.columns) or "value" not in table:
            continue
        looked += 1
        shown = hidden.merge(table[[*key, "value"]].fillna(""), on=key, suffixes=("", "_shown"))
        assert set(shown["value_shown"]) <= {""}, path
    assert looked >= 2


def test_tables_are_rounded_and_readable(report):
    for path in (report / "porto-exemplo" / "tables").glob("*.csv"):
        table = pd.read_csv(path)
        assert len(table.columns) > 1 or path.stem.endswith("_letter")
        numbers = table.select_dtypes("float").stack().dropna()
        assert all(float(FLOAT_FORMAT % value) == value for value in numbers.head(200))


def test_a_second_run_gives_the_same_bytes_and_keeps_other_cities(report, tmp_path):
    again = tmp_path / "again"
    assert vlr("run", "pittsburgh", "--out", again, "--notebook", "02", "--jobs", 1, cwd=ROOT).returncode == 0
    for name in ("tables/02_trends_trends.csv", "02_trends.html"):
        first, second = ((folder / "pittsburgh" / name).read_text(encoding="utf-8") for folder in (report, again))
        # The navigation names the chapters of each run; what the chapter says is the same.
        body = re.compile(r"(?s)<main.*</main>") if name.endswith(".html") else re.compile("(?s).*")
        assert body.search(first)[0] == body.search(second)[0]
    assert vlr("run", "pittsburgh", "--out", report, "--notebook", "03", cwd=ROOT).returncode == 0
    index = (report / "index.html").read_text(encoding="utf-8")
    assert "Pôrto Exemplo" in index
    assert "Pittsburgh" in index


def test_the_box_gives_the_numbers_that_the_last_chapter_shows(report):
    city = report / "porto-exemplo"
    shown = pd.read_csv(city / "tables" / "08_findings_box_numbers.csv", dtype=str)
    box = (city / "handover" / "box.md").read_text(encoding="utf-8")
    assert len(shown) == 3
    assert re.findall(r"^- \*\*(.+)\.\*\*", box, re.M) == list(shown["number"])


# --- what fails -----------------------------------------------------------------------------------------


def test_a_notebook_that_fails_is_named_and_the_rest_delivered(project):
    path = project / "notebooks" / "03_covid_recovery.ipynb"
    text = path.read_text(encoding="utf-8").replace("figures.overview(here, definitions)", "1 / 0")
    path.write_text(text, encoding="utf-8")
    done = vlr("run", cwd=project)
    assert done.returncode == 3
    assert "Pôrto Exemplo · 03_covid_recovery" in done.stderr
    assert "ZeroDivisionError" in done.stderr
    assert "Traceback" not in done.stderr
    page = (project / "reports" / "porto-exemplo" / "03_covid_recovery.html").read_text(encoding="utf-8")
    assert "stopped before its end" in page
    assert "What do the figures say" in page
    assert "1 / 0" in re.sub(r"<[^>]+>", "", page)
    assert (project / "reports" / "porto-exemplo" / "02_trends.html").exists()


def refused(project, *arguments):
    before = sorted(path for path in project.rglob("*"))
    done = vlr(*arguments, cwd=project)
    assert "Traceback" not in done.stdout + done.stderr
    assert sorted(path for path in project.rglob("*")) == before, "nothing is written"
    return done.returncode, done.stdout + done.stderr


def test_bad_parameters_and_bad_data_are_told_together_before_anything_runs(project):
    params, data = project / "params" / "porto-exemplo.yaml", project / "data" / "porto-exemplo.csv"
    (project / "params" / "second.yaml").write_text(
        params.read_text(encoding="utf-8").replace("id: porto-exemplo", "id: second\n  horizn: 2030"), encoding="utf-8"
    )
    data.write_text(
        data.read_text(encoding="utf-8").replace("robust", "").replace(",2005,,", ",2005x,,", 1), encoding="utf-8"
    )
    code, told = refused(project, "run")
    assert code == 1
    assert "did you mean 'horizon'?" in told
    assert "'2005x'" in told
    assert "Fix:" in told


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["run", "porto-exempl"], 1, "did you mean 'porto-exemplo'?"),
        (["run", "--notebook", "02_trend"], 1, "did you mean '02_trends'?"),
        (["run", "--jobs", "0"], 2, "jobs"),
        (["run", "--out", "data/areas.csv"], 1, "found a file; expected a folder"),
        (["check", "data/nothing.csv"], 1, "no such file"),
        (["check", "porto-exempl"], 1, "did you mean"),
        (["import", "open-sdg", "data", "--area", "x", "-o", "x.csv"], 1, "without data/"),
        (["fly"], 2, "No such command"),
    ],
)
def test_each_mistake_has_its_code_and_its_words(project, arguments, code, told):
    assert refused(project, *arguments)[0] == code
    assert told in refused(project, *arguments)[1]


def test_a_folder_that_the_kit_did_not_make_is_left_alone(project):
    (project / "reports" / "porto-exemplo").mkdir(parents=True)
    (project / "reports" / "porto-exemplo" / "holiday.jpg").write_text("mine")
    code, told = refused(project, "run")
    assert code == 1
    assert "a folder that the kit did not make" in told


def test_outside_a_project_the_message_says_where_to_go(tmp_path):
    done = vlr("run", cwd=tmp_path)
    assert done.returncode == 1
    assert "change to the folder that holds params/ and data/" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["run", "--help"],
        ["check", "--help"],
        ["new", "--help"],
        ["verify", "--help"],
        ["reproduce", "--help"],
        ["crate", "--help"],
        ["import", "open-sdg", "--help"],
        ["import", "guess", "--help"],
        ["import", "table", "--help"],
        ["fetch", "--help"],
        ["handover", "--help"],
        ["receive", "--help"],
        ["counts", "--help"],
    ],
)
def test_every_command_has_help_with_an_example(arguments):
    done = vlr(*arguments, cwd=ROOT)
    assert done.returncode == 0
    assert "Example:" in done.stdout or arguments == ["--help"]


def test_a_windows_console_that_knows_few_letters_still_works(project):
    environment = {"PYTHONIOENCODING": "cp1252", "PYTHONUTF8": "0", "PATH": str(Path(sys.executable).parent)}
    done = vlr("check", "porto-exemplo", cwd=project, env=environment)
    assert done.returncode == 0, done.stderr


def test_import_writes_a_table_the_kit_reads(project):
    source = project / "open" / "data"
    source.mkdir(parents=True)
    (source / "indicator_8-5-2.csv").write_text(
        "Year,Sex,Value\n2019,,4.5\n2019,Female,4.4\n2020,,12\n", encoding="utf-8"
    )
    (source / "indicator_1-1-1.csv").write_text("Year,Value\n2015,0\n", encoding="utf-8")
    done = vlr("import", "open-sdg", "open", "--area", "town", "-o", "data/town.csv", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "indicator_8-5-2.csv: taken (3 rows, 2 series, 2019 to 2020)" in done.stdout
    assert "indicator_1-1-1.csv: placeholder" in done.stdout
    assert vlr("check", "data/town.csv", cwd=project).stdout.startswith("town.csv: no problem found; 3 figures")
