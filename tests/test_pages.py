"""Pages as files: groups and counts of verdicts, figures with their data, policy of scripts, the printed review."""

import base64
import hashlib
import json
import os
import re
import stat
import sys
from html import unescape
from pathlib import Path

import pandas as pd
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from vlr_analysis.errors import InputError
from vlr_analysis.exhibits import MIME
from vlr_analysis.findings import make
from vlr_analysis.review import page_cells, page_findings, pages, pdf
from vlr_analysis.review.session import Ended, Wanted, review
from vlr_analysis.review.workbook import head_of

# --- verdicts and counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "group"),
    [
        ("robust trend, towards the goal", "better"),
        ("trend not robust, towards the goal", "perhaps-better"),
        ("trend not robust, away from the goal", "perhaps-worse"),
        ("target: target met", "better"),
        ("target: some progress", "perhaps-better"),
        ("target: moving away", "worse"),
        ("target: readings disagree", "unsure"),
        ("level: recovered; path: cannot tell", "better"),
        ("level: recovered; path: not yet", "neither"),
        ("level: not yet; path: not yet", "worse"),
        ("level: cannot tell; path: cannot tell", "unsure"),
        ("level: no clear shock; path: cannot tell", "neither"),
        ("average hides", "worse"),
        ("average may hide", "perhaps-worse"),
        ("no sign that it hides", "neither"),
        ("disagree on level", "neither"),
        ("perhaps worse than the middle half", "perhaps-worse"),
        ("better than the middle half", "better"),
        ("above the middle half", "neither"),
        ("agrees, average hides", "worse"),
    ],
)
def test_each_verdict_has_one_group(verdict, group):
    assert page_findings.group_of(verdict) == group


def told(verdicts):
    """Findings of one chapter: (indicator, verdict) of each."""
    row = {"area": "town", "series": "s", "unit": "%", "grade": "B"}
    made = [
        make("trend", pd.Series(row | {"indicator": indicator}), verdict, f"Sentence {place}.", {"n": place})
        for place, (indicator, verdict) in enumerate(verdicts)
    ]
    return {one.id: ("02_trends", one) for one in made}


@pytest.mark.parametrize("goal", [None, 0])
def test_goals_are_counted_and_never_averaged(goal):
    found = told([("a", "robust trend, towards the goal"), ("a", "level: not yet; path: not yet"), ("b", "agree"),
                  ("c", "agree")])  # fmt: skip
    known = pd.DataFrame({"indicator": ["a", "b", "c"], "series": "s", "unit": "%", "goal": [11, 3, goal]})
    cards = page_findings.cards(found, known)
    rows = page_findings.by_goal(list(cards.values()))
    assert [(row["goal"], row["all"]) for row in rows] == [("3", 1), ("11", 2)]
    assert {group: count for group, count in rows[1]["counts"].items() if count} == {"better": 1, "worse": 1}
    assert [card.goal for card in cards.values()] == ["11", "11", "3", ""]


# --- cells -----------------------------------------------------------------------------------------------


def executed(kind, html, csv, name="one"):
    item = {"kind": kind, "name": name, "caption": "What is shown.", "alt": "Three points, rising.", "csv": csv}
    output = new_output("display_data", data={"text/html": html, MIME: item})
    return new_notebook(cells=[new_markdown_cell("# Title\n\n## Où? عنوان"), new_code_cell("1", outputs=[output])])


def test_a_figure_brings_its_data_as_a_table_cut_at_a_limit():
    rows = page_cells.MOST_POINTS + 5
    csv = "label,value,low\n" + "".join(f'"a, <b>",{-place / 10},\n' for place in range(1, rows + 1))
    html = '<figure id="one"><img alt="x" src="data:image/svg+xml;base64,AAAA"><figcaption>c</figcaption></figure>'
    figure = page_cells.cells(executed("figure", html, csv), "02_trends")[1]["outputs"][0]
    assert (figure["shown"], figure["held"]) == (page_cells.MOST_POINTS, rows)
    assert figure["head"] == ["Series", "Value"], "a column without any value is left out"
    assert figure["rows"].startswith('<tr><td>a, &lt;b&gt;</td><td class="num">−0.1</td></tr>')
    assert figure["csv"] == "tables/02_trends_one.csv"


def test_tables_scroll_in_a_box_that_the_keyboard_reaches():
    boxed = page_cells.scrolling('<div class="table" id="x"><table></table></div>')
    assert boxed.count('tabindex="0"') == 1
    plain = page_cells.scrolling('<p>a</p><table border="1"><tr></tr></table>')
    assert plain == '<p>a</p><div class="table" tabindex="0" role="group"><table border="1"><tr></tr></table></div>'


@pytest.mark.parametrize(
    ("cell", "look"),
    [
        ("<td>2011-2013", "unbroken"),
        ("<td>2002-04-01", "unbroken"),
        ("<td>t-641ff58a", "unbroken"),
        ('<th scope="row">2.2', "short"),
        ('<th scope="row">' + "Longer than the name of a series. " * 3, "sentence"),
        ("<td>a reason that takes some room", "long"),
        ("<td>official", ""),
        ('<th scope="row">Adult obesity prevalence', ""),
    ],
)
def test_cells_are_set_by_what_they_hold(cell, look):
    shown = page_cells.scrolling(f'<div class="table" id="x"><table>{cell}</table></div>')
    set_so = cell.replace(">", f' class="{look}">') if look else cell
    assert shown.endswith(f"<table>{set_so}</table></div>")


@pytest.mark.parametrize("kept", ["5.7 %", "−0.3 %", "5,7\u00a0%", "2025-04-01", "2001-2003", "+£2.52"])
def test_a_number_stays_with_its_sign_in_one_line_and_no_word_changes(kept):
    text = f"a < b: {kept} of 12 cities"
    shown = page_cells.kept(text)
    look = "unbroken money" if "£" in kept else "unbroken"
    assert f'<span class="{look}">{kept}</span>' in shown
    assert unescape(re.sub("<[^>]+>", "", shown)) == text


def test_numbers_of_a_finding_stand_with_the_ends_of_their_interval():
    names = ["depth", "gap_high", "gap_low", "gap", "slope_high", "slope_low", "slope_per_year", "year"]
    row = pd.Series({"area": "town", "series": "s", "unit": "%", "grade": "B", "indicator": "a"})
    made = make("trend", row, "agree", "Sentence.", dict.fromkeys(names, 2021.0))
    card = page_findings.cards(
        {made.id: ("02_trends", made)}, pd.DataFrame(columns=["indicator", "series", "unit", "goal"])
    )
    told = page_findings.evidence(card[made.id], None, "")["numbers"]
    order = ["depth", "gap", "gap_low", "gap_high", "slope_per_year", "slope_low", "slope_high", "year"]
    assert [name for name, _ in told] == [head_of(name) for name in order]
    assert dict(told)[head_of("year")] == "2021"


def test_headings_of_any_script_have_an_anchor():
    cells = page_cells.cells(executed("table", "<p>x</p>", ""), "02_trends")
    assert [at for at, _ in page_cells.contents(cells)] == ["où-عنوان"]


# --- the page --------------------------------------------------------------------------------------------


def test_only_the_script_of_the_kit_is_allowed():
    html = pages.index_of_cities([])
    script = re.search(r"(?s)<script>(.*?)</script>", html)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', html)[1]
    assert f"script-src 'sha256-{digest}'" in policy.replace("&#39;", "'")
    assert policy.startswith("default-src 'none'")


@pytest.mark.parametrize(
    ("language", "way"), [("en", "ltr"), ("ar", "rtl"), ("pt-BR", "ltr"), ("he", "rtl"), ("??", "ltr")]
)
def test_a_page_runs_the_way_of_its_language(language, way):
    assert pages.direction(language) == way


def test_the_style_sheet_names_no_side():
    """Left and right would stay where they are on a page that runs from right to left."""
    css = (pages.TEMPLATES / "style.css").read_text(encoding="utf-8")
    assert (
        re.findall(r"(?:margin|padding|border)-(?:left|right)|text-align: (?:left|right)|[{;] *(?:left|right):", css)
        == []
    )


def test_reports_of_an_older_kit_stand_in_the_index():
    old = {"id": "town", "name": "Town", "country": "XXX", "made_up": False, "internal": False, "series": 3,
           "first": "2001", "last": "2020", "findings": 1, "grades": {"A": 1}, "chapters": []}  # fmt: skip
    assert "Town" in pages.index_of_cities([old])


# --- the printed review ----------------------------------------------------------------------------------


PRINTS = """#!{python}
import sys, time
from pathlib import Path
from urllib.parse import unquote, urlparse

options = dict(one.partition("=")[::2] for one in sys.argv[1:])
{first}
page = Path(unquote(urlparse(sys.argv[-1]).path)).read_bytes()
date = time.strftime("/CreationDate (D:%Y%m%d%H%M%S+00'00')").encode()
Path(options["--print-to-pdf"]).write_bytes(b"%PDF-1.4 " + date + page)
"""


@pytest.fixture
def printer(tmp_path, monkeypatch):
    """Make a program that stands in for a browser: its PDF is the page that it is given, and the time of day."""
    if os.name == "nt":
        pytest.skip("stands in for a browser by its first line, which Windows does not read")

    def make(first=""):
        program = tmp_path / "browser"
        program.write_text(PRINTS.format(python=sys.executable, first=first), encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv(pdf.VARIABLE, str(program))

    return make


class Silent:
    """Keeps what a run tells."""

    def __init__(self):
        self.told = []

    def begins(self, cities, notebooks):
        pass

    def notebook(self, task, state, why=""):
        pass

    def report(self, name, state, notebooks=0):
        self.told.append((name, state))


def run(project, **wanted) -> tuple[Ended, list]:
    teller = Silent()
    return review(project, Wanted(["porto-exemplo"], ["07"], project / "reports", **wanted), teller), teller.told


@pytest.mark.slow
def test_a_pdf_is_made_when_asked_for_and_never_left_beside_newer_pages(project, printer):
    from vlr_analysis.review import verify

    printer()
    folder = project / "reports" / "porto-exemplo"
    assert run(project)[0].whole
    assert not (folder / pdf.FILE).exists()
    assert "review.pdf" not in (folder / "index.html").read_text(encoding="utf-8")
    ended, _ = run(project, pdf=True)
    assert ended.whole, ended.lines()
    first = (folder / pdf.FILE).read_bytes()
    assert b"(D:20000101000000+00'00')" in first, "no clock"
    assert b"07_voices--top" in first
    assert b"file:" not in first and str(project).encode() not in first
    assert 'href="review.pdf"' in (folder / "index.html").read_text(encoding="utf-8")
    assert "review.pdf" in json.loads((folder / "certificate.json").read_text(encoding="utf-8"))["files"]
    assert verify.verify(folder) == []
    # Nothing has changed: it stays, with or without the option.
    for wanted in ({"pdf": True}, {}):
        assert run(project, **wanted)[1] == [("Pôrto Exemplo", "unchanged")]
        assert (folder / pdf.FILE).read_bytes() == first
    # New pages without a PDF: the old one goes.
    params = project / "params" / "porto-exemplo.yaml"
    params.write_text(params.read_text(encoding="utf-8") + "\n# another byte\n", encoding="utf-8")
    assert run(project)[0].whole
    assert not (folder / pdf.FILE).exists()
    # A browser that fails costs the PDF alone, and the next run tries again.
    printer("sys.exit('out of paper')")
    ended, _ = run(project, pdf=True)
    assert not ended.whole
    assert ended.lines() == [
        "No PDF of Pôrto Exemplo: browser made no PDF (code 1): out of paper. The pages are delivered."
    ]
    assert verify.verify(folder) == []
    assert "review.pdf" not in (folder / "index.html").read_text(encoding="utf-8")
    assert not run(project, pdf=True)[0].whole


def test_links_of_the_printed_review_stay_inside_it():
    html = '<x><main id="main" tabindex="-1"><h2 id="a">A</h2><a href="#a">1</a> <a href="02.html#t-1">2</a> '
    html += '<a href="evidence.html#t-1">3</a> <a href="tables/x.csv">4</a> <a href="https://doi.org/1">5</a></main>'
    name, body = pdf._part(html, "index", ["index", "02"])
    assert name == "index--top"
    assert body == (
        '<h2 id="index--a">A</h2><a href="#index--a">1</a> <a href="#02--t-1">2</a> <a>3</a> <a>4</a> '
        '<a href="https://doi.org/1">5</a>'
    )


def test_the_name_above_each_sheet_cannot_end_its_rule():
    assert pdf._css_text('A"; } b') == '"A\\22 \\3b \\20 \\7d \\20 b"'


def test_what_differs_between_two_prints_is_settled_byte_for_byte():
    one, other = (b"/ID (node%08d) (node%08d) /Headers [(node%08d)]" % tuple(at) for at in ((9, 12, 9), (10, 13, 10)))
    assert pdf.settled(one) == pdf.settled(other) == b"/ID (node00000001) (node00000002) /Headers [(node00000001)]"
    content = b"<</CreationDate (D:20261128064806+00'00') /ModDate (D:20261128064806Z)>> (D:2026)"
    assert pdf.settled(content) == b"<</CreationDate (D:20000101000000+00'00') /ModDate (D:20000101000000Z)>> (D:2026)"


@pytest.mark.parametrize(
    ("system", "folder", "place"),
    [
        ("win32", "ProgramFiles(x86)", "Microsoft/Edge/Application/msedge.exe"),
        ("win32", "LocalAppData", "Google/Chrome/Application/chrome.exe"),
        ("linux", "PATH", "chromium"),
    ],
)
def test_a_browser_is_found_in_the_usual_places(tmp_path, system, folder, place):
    environment = {folder: str(tmp_path)}
    if folder != "PATH":
        environment["PATH"] = ""
    assert pdf.browser(environment, system) == ""
    found = tmp_path / place
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_text("")
    found.chmod(0o755)
    assert Path(pdf.browser(environment, system)) == found


def test_a_browser_that_is_named_must_be_there():
    with pytest.raises(InputError, match="environment variable CHROME"):
        pdf.browser({pdf.VARIABLE: "no-such-program"}, "linux")


def test_without_a_browser_the_message_says_what_to_do():
    ended = Ended(unprinted=[("Bristol", pdf.NO_BROWSER), ("Pittsburgh", pdf.NO_BROWSER)])
    assert not ended.whole
    assert ended.lines() == [
        "No PDF of Bristol, Pittsburgh: no Chromium, Chrome or Edge was found on this machine. Fix: install one, or "
        "name it in the environment variable CHROME. The pages are delivered."
    ]
