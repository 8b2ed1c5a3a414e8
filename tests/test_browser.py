"""The pages in a real browser: nothing asks the network, everything works by keyboard, on paper and at three widths."""

import io
import itertools
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread
from typer.testing import CliRunner

from vlr_analysis.cli import app
from vlr_analysis.review import comments, pdf

playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here (extra test)")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe-core here (extra test)")

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = pdf.browser()
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium, Chrome or Edge on this machine"),
]
WIDTHS = (390, 820, 1440)
A4 = 680  # width in CSS pixels of what @page leaves of an A4 sheet: 210 mm less two margins of 15 mm
KINDS = {
    "index": "index.html",
    "city": "porto-exemplo/index.html",
    "real city": "bristol/index.html",
    "chapter with charts": "bristol/02_trends.html",
    "chapter with tables": "bristol/01_data_readiness.html",
    "findings": "porto-exemplo/08_findings.html",
    "evidence": "porto-exemplo/evidence.html",
    "certificate": "porto-exemplo/certificate.html",
    "methods": "methods.html",
    "overview": "cities_overview/cities_overview.html",
    "check": "check.html",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """One run of the made-up city and a real one, some chapters each, with the page of a check beside it."""
    from vlr_analysis.review.check import check
    from vlr_analysis.review.session import Wanted, review
    from vlr_analysis.review.telling import Console

    out = tmp_path_factory.mktemp("browser") / "reports é"
    chosen = ["01", "02", "08", "cities_overview"]
    with Console() as console:
        ended = review(ROOT, Wanted(["porto-exemplo", "bristol"], chosen, out), console)
    assert ended.whole, ended.lines()
    from datetime import date

    (out / "check.html").write_text(check("porto-exemplo", ROOT, date(2025, 1, 1)).render("html"), encoding="utf-8")
    return out


@pytest.fixture(scope="module")
def chromium():
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Watched:
    """A page whose requests, errors and messages are kept."""

    def __init__(self, browser, **options):
        self.context = browser.new_context(offline=True, **options)
        self.page = self.context.new_page()
        self.asked, self.told = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda message: self.told.append(message.text))
        self.page.on("pageerror", lambda error: self.told.append(str(error)))

    def open(self, path, anchor=""):
        self.page.goto(path.as_uri() + anchor)
        return self.page


@pytest.fixture
def watched(chromium):
    opened = []

    def make(**options):
        opened.append(Watched(chromium, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.context.close()


@pytest.fixture
def page(watched):
    return watched(viewport={"width": 1440, "height": 900})


# --- what every page keeps to -----------------------------------------------------------------------------


def test_every_page_is_quiet_whole_and_below_three_megabytes(report, page):
    """Network off: no message in the console, nothing asked for but the page itself, every link leads somewhere."""
    ids, links = {}, []
    for path in sorted(report.rglob("*.html")):
        assert path.stat().st_size < 3_000_000, path
        page.open(path)
        at = path.resolve().as_uri()
        ids[at] = set(page.page.eval_on_selector_all("[id]", "all => all.map(one => one.id)"))
        links += [(path, url) for url in page.page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")]
        broken = "all => all.filter(one => !one.complete || !one.naturalWidth).length"
        assert page.page.eval_on_selector_all("img", broken) == 0, path
    assert page.told == []
    assert {url for url in page.asked if not url.startswith("data:")} == set(ids)
    assert len(ids) >= 14
    for path, url in links:
        if url.startswith(("https://", "http://")):
            continue  # addresses of literature on the page of methods
        place, _, anchor = url.partition("#")
        if place in ids:
            assert not anchor or anchor in ids[place], (path, url)
        else:
            from urllib.parse import unquote, urlparse

            assert Path(unquote(urlparse(place).path)).is_file(), (path, url)


def test_a_script_that_is_not_ours_does_not_run(report, page, tmp_path):
    text = (report / "index.html").read_text(encoding="utf-8")
    more = "<script>document.title = 'taken'</script><img src='x' onerror=\"document.title = 'taken'\"></body>"
    (tmp_path / "index.html").write_text(text.replace("</body>", more), encoding="utf-8")
    assert page.open(tmp_path / "index.html").title() == "Voluntary local reviews"
    assert any("Content Security Policy" in told for told in page.told)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("real city", "findings")])
def test_no_serious_problem_for_those_who_cannot_see_or_point(report, watched, kind):
    for scheme in ("light", "dark"):
        page = watched(viewport={"width": 1440, "height": 900}, color_scheme=scheme, bypass_csp=True)
        opened = page.open(report / KINDS[kind])
        opened.eval_on_selector_all("details", "all => all.forEach(one => { one.open = !one.matches('.menu') })")
        found = axe.Axe().run(opened).response["violations"]
        told = [
            (item["id"], item["impact"], item["nodes"][0]["target"], item["nodes"][0]["failureSummary"])
            for item in found
            if item["impact"] in ("serious", "critical")
        ]
        assert told == [], scheme


@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_screen(report, watched, width):
    page = watched(viewport={"width": width, "height": 900})
    for kind, name in KINDS.items():
        opened = page.open(report / name)
        opened.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true })")
        assert opened.evaluate("document.documentElement.scrollWidth") <= width, kind
        whole = "all => all.every(box => box.scrollWidth <= box.clientWidth)"
        assert opened.eval_on_selector_all(".city .tally", whole), (
            f"{kind}: goals by verdict are seen without scrolling"
        )


def test_charts_begin_with_their_labels_from_right_to_left_too(report, watched):
    opened = watched(viewport={"width": 390, "height": 900}).open(report / KINDS["chapter with charts"])
    opened.evaluate("document.documentElement.dir = 'rtl'")
    seen = "box => [box.scrollWidth > box.clientWidth, box.scrollLeft, getComputedStyle(box).direction]"
    assert opened.eval_on_selector(".plate", seen) == [True, 0, "ltr"]


def shaded(opened, box):
    """Whether the left and the right edge of a box are darker than the page, by the middle pixel of all rows there."""
    at = box.bounding_box()
    clip = {"x": at["x"], "y": max(at["y"], 0), "width": at["width"], "height": min(at["height"], 300)}
    pixels = imread(io.BytesIO(opened.screenshot(clip=clip)))[..., :3].mean(axis=2)
    return tuple(bool(np.median(pixels[:, column]) < 0.9) for column in (1, -2))


@pytest.mark.parametrize("width", [1200, 820, 390])
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_a_table_that_goes_on_shades_the_edge_where_it_does(report, watched, width, direction):
    page = watched(viewport={"width": width, "height": 900})
    opened = page.open(report / KINDS["chapter with tables"])
    opened.evaluate(f"document.documentElement.dir = '{direction}'")
    boxes = [box for box in opened.locator(".table").all() if box.is_visible()]
    seen = {"cut": 0, "whole": 0}
    for box in boxes:
        room, needed = box.evaluate("one => [one.clientWidth, one.scrollWidth]")
        if 0 < needed - room < 60:
            continue  # covers of both ends overlap
        box.evaluate("one => one.scrollIntoView({block: 'start'})")
        there = (False, True) if direction == "ltr" else (True, False)
        if needed == room:
            seen["whole"] += 1
            assert shaded(opened, box) == (False, False)
            continue
        seen["cut"] += 1
        assert box.get_attribute("tabindex") == "0"
        assert shaded(opened, box) == there
        box.focus()
        opened.keyboard.press("ArrowRight" if direction == "ltr" else "ArrowLeft")
        opened.wait_for_function("one => one.scrollLeft !== 0", arg=box.element_handle())
        box.evaluate("(one, sign) => { one.scrollLeft = sign * one.scrollWidth }", 1 if direction == "ltr" else -1)
        assert shaded(opened, box) == there[::-1]
        if seen["cut"] == 3:
            break
    assert seen["cut"]
    opened.emulate_media(media="print")
    style = "one => [getComputedStyle(one).overflowX, getComputedStyle(one).backgroundImage]"
    assert boxes[0].evaluate(style) == ["visible", "none"]


def test_headings_follow_in_order_and_each_page_says_its_language(report, page):
    for kind, name in KINDS.items():
        opened = page.open(report / name)
        levels = opened.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(one => Number(one.tagName[1]))")
        assert levels[0] == 1 and levels.count(1) == 1, kind
        assert all(b - a <= 1 for a, b in itertools.pairwise(levels)), kind
        assert opened.evaluate("[document.documentElement.lang, document.documentElement.dir]") == ["en", "ltr"], kind


# --- what a reader does -----------------------------------------------------------------------------------


def test_one_click_shows_all_code_and_one_the_code_of_a_step(report, page):
    opened = page.open(report / KINDS["chapter with charts"])
    shown = "all => all.filter(one => one.open).length"
    steps = opened.locator("details.code").count()
    assert opened.eval_on_selector_all("details.code", shown) == 0
    opened.get_by_text("Show the code of this step").first.click()
    assert opened.eval_on_selector_all("details.code", shown) == 1
    opened.get_by_role("button", name="Show all code").click()
    assert opened.eval_on_selector_all("details.code", shown) == steps > 5
    opened.get_by_role("button", name="Hide all code").click()
    assert opened.eval_on_selector_all("details.code", shown) == 0


def test_each_figure_has_words_and_its_data_one_click_away(report, page):
    opened = page.open(report / KINDS["chapter with charts"])
    figures = opened.locator("figure").all()
    assert len(figures) > 5
    for figure in figures:
        assert len(figure.locator("img").get_attribute("alt")) > 20
        assert figure.locator("figcaption").inner_text().endswith(".")
        assert not figure.locator("table").is_visible()
        figure.locator("summary").click()
        assert figure.locator("table").is_visible()
        assert figure.locator("tbody tr").count() > 1
        assert figure.get_by_role("link", name="These figures as CSV").is_visible()


def test_dark_and_light_are_chosen_once(report, watched):
    page = watched(color_scheme="light")
    opened = page.open(report / "index.html")
    paper = "getComputedStyle(document.documentElement).backgroundColor"
    light = opened.evaluate(paper)
    opened.get_by_role("button", name="Dark").click()
    dark = opened.evaluate(paper)
    assert dark != light
    page.open(report / "methods.html")
    assert opened.evaluate(paper) == dark
    opened.get_by_role("button", name="Light").click()
    assert opened.evaluate(paper) == light
    system = watched(color_scheme="dark").open(report / "index.html")
    assert system.evaluate(paper) == dark


def findings(report, city):
    text = (report / city / "findings.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def visible(opened):
    return opened.eval_on_selector_all(".findings.all > li:not([hidden])", "all => all.map(one => one.id)")


def test_the_filter_finds_what_the_findings_say(report, page):
    told = findings(report, "porto-exemplo")
    opened = page.open(report / KINDS["city"])
    assert set(visible(opened)) == {item["id"] for item in told}
    opened.locator("select[name=grade]").select_option("CD")
    assert set(visible(opened)) == {item["id"] for item in told if item["grade"] in "CD"} != set()
    kind = next(item["kind"] for item in told if item["grade"] in "CD")
    opened.locator("select[name=kind]").select_option(kind)
    both = {item["id"] for item in told if item["grade"] in "CD" and item["kind"] == kind}
    assert set(visible(opened)) == both
    assert opened.locator("form.filter output").inner_text() == f"{len(both)} of {len(told)} findings"
    opened.get_by_role("button", name="Show all").click()
    opened.wait_for_url(lambda url: "=" not in url)
    assert len(visible(opened)) == len(told)
    word = told[0]["statement"].split(":")[0].split()[-1]
    opened.get_by_label("Search").fill(word.upper())
    wanted = {item["id"] for item in told if word.lower() in json.dumps(item, ensure_ascii=False).lower()}
    assert told[0]["id"] in visible(opened)
    assert set(visible(opened)) <= wanted
    opened.get_by_label("Search").fill("nothing says this")
    assert visible(opened) == []


def test_an_address_carries_the_filter_and_a_count_leads_to_its_findings(report, page, watched):
    opened = page.open(report / KINDS["real city"])
    count = opened.locator("a[data-filter]").first
    number = int(count.inner_text())
    count.click()
    assert len(visible(opened)) == number
    held = visible(opened)
    assert "goal=" in opened.url and "verdict=" in opened.url
    other = watched().open(report / KINDS["real city"], "#" + opened.url.partition("#")[2])
    assert visible(other) == held
    assert other.evaluate("document.querySelector('#findings').getBoundingClientRect().top < innerHeight")


def test_without_scripts_every_finding_is_there(report, watched):
    opened = watched(java_script_enabled=False).open(report / KINDS["real city"])
    assert not opened.locator("form.filter").is_visible()
    listed = opened.locator(".findings.all > li")
    assert listed.count() == len(findings(report, "bristol"))
    assert listed.last.is_visible()
    assert opened.locator(".toc a").first.is_visible()


def test_two_clicks_from_the_first_page_to_data_method_and_limits(report, page):
    opened = page.open(report / KINDS["real city"])
    opened.locator("#first + .findings a").first.click()
    section = opened.locator("section.evidence:target")
    section.locator("summary").click()
    assert section.locator("table tbody tr").first.is_visible()
    for name in ("Method", "Limits"):
        section.get_by_role("link", name=name, exact=True).click()
        assert opened.locator("h2:target").is_visible()
        opened.go_back()


def test_every_finding_of_a_chapter_and_of_the_overview_leads_on(report, page):
    opened = page.open(report / KINDS["findings"])
    for item in opened.locator("li.finding").all():
        assert item.locator(f"a[href='evidence.html#{item.get_attribute('id')}']").count() == 1
    opened = page.open(report / KINDS["overview"])
    links = opened.locator("li.finding a").all()
    assert links
    assert all(link.get_attribute("href").startswith("../methods.html#") for link in links)


# --- comments ---------------------------------------------------------------------------------------------

SAID = 'Which census? "2021", or; the one before\nSecond line: été, \u0645\u0631\u062d\u0628\u0627 = 1'
FORMULA = "=1+1"


def test_what_is_written_in_the_form_is_kept_saved_and_taken_in(report, page, project, tmp_path, monkeypatch):
    """The whole way of a comment: written, found again after a reload, downloaded, merged into the city's register."""
    told = findings(report, "porto-exemplo")
    opened = page.open(report / "porto-exemplo" / "comments.html")
    state = opened.locator("#state")
    assert state.inner_text() == "No comment yet."
    opened.get_by_label("Your name or office").fill("Office of Zoë")
    boxes = [opened.locator(f"section.box[id='{one['id']}']") for one in told[:2]]
    boxes[0].get_by_label("Comment").fill(SAID)
    boxes[0].get_by_label("Kind").select_option("question")
    boxes[1].get_by_label("Comment").press_sequentially(FORMULA)
    assert state.inner_text() == "Comments on this page: 2"

    opened.reload()
    assert state.inner_text() == "Comments on this page: 2"
    assert opened.get_by_label("Your name or office").input_value() == "Office of Zoë"
    assert boxes[0].get_by_label("Comment").input_value() == SAID
    assert boxes[0].get_by_label("Kind").input_value() == "question"
    with opened.expect_download() as download:
        opened.get_by_role("button", name="Save comments as a file").click()
    assert download.value.suggested_filename == "comments-porto-exemplo.csv"
    download.value.save_as(tmp_path / "comments-porto-exemplo.csv")
    assert state.inner_text() == "Saved as comments-porto-exemplo.csv."

    monkeypatch.chdir(project)
    command = ["comments", "--merge", str(tmp_path / "comments-porto-exemplo.csv"), "porto-exemplo", "--reports"]
    done = CliRunner().invoke(app, [*command, str(report)])
    assert done.exit_code == 0, done.output
    held = comments.read_register(project / "data" / "comments" / "porto-exemplo.csv")
    assert [(one.finding, one.text, one.who, one.kind) for one in held] == [
        (told[0]["id"], SAID, "Office of Zoë", "question"), (told[1]["id"], FORMULA, "Office of Zoë", ""),
    ]  # fmt: skip
    assert [one.stale for one in comments.stand(held, told)] == [False, False]
    again = CliRunner().invoke(app, [*command, str(report)])
    assert again.output.startswith("new comments: 0, answers: 0, known already: 2")

    opened.on("dialog", lambda dialog: dialog.accept())
    opened.get_by_role("button", name="Clear all").click()
    assert state.inner_text() == "No comment yet."
    opened.reload()
    assert boxes[0].get_by_label("Comment").input_value() == ""
    assert page.told == []


# --- by keyboard ------------------------------------------------------------------------------------------

FOCUS = """() => {
  const at = document.activeElement, look = getComputedStyle(at);
  return { tag: at.tagName, text: at.textContent.trim().slice(0, 40), name: at.name || "", id: at.id,
           outline: look.outlineStyle !== "none" && parseFloat(look.outlineWidth) >= 2 };
}"""


def test_the_whole_page_is_reached_in_order_and_focus_is_seen(report, page):
    opened = page.open(report / KINDS["real city"])
    opened.keyboard.press("Tab")
    assert opened.evaluate(FOCUS)["text"] == "Skip to the content"
    assert opened.evaluate("document.activeElement.getBoundingClientRect().top >= 0")
    opened.keyboard.press("Enter")
    assert opened.evaluate("document.activeElement.id") == "main"
    opened.reload()
    at, tops = None, []
    for _ in range(16):
        opened.keyboard.press("Tab")
        at = opened.evaluate(FOCUS)
        assert at["outline"], at
        tops.append(opened.evaluate("document.activeElement.compareDocumentPosition(document.body)"))
    assert at["tag"] in ("A", "SUMMARY", "BUTTON", "INPUT", "SELECT", "DIV")
    positive = opened.eval_on_selector_all("[tabindex]", "all => all.filter(one => one.tabIndex > 0).length")
    assert positive == 0


def test_the_filter_works_by_keyboard(report, page):
    told = findings(report, "bristol")
    opened = page.open(report / KINDS["real city"])
    opened.get_by_label("Search").focus()
    opened.keyboard.type("smoking")
    some = len(visible(opened))
    assert 0 < some < len(told)
    for name in ("goal", "verdict", "grade"):
        opened.keyboard.press("Tab")
        assert opened.evaluate(FOCUS)["name"] == name
    opened.keyboard.press("ArrowDown")
    assert "grade=A" in opened.url
    opened.keyboard.press("Tab")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Enter")
    opened.wait_for_url(lambda url: "=" not in url)
    assert len(visible(opened)) == len(told)


# --- on paper ---------------------------------------------------------------------------------------------

CUT = """width => [...document.querySelectorAll("figure, img, table, pre, h1, h2, .finding, .numbers, svg")]
  .filter(one => one.checkVisibility())
  .map(one => [one.tagName + "#" + (one.id || one.closest("[id]").id), one.getBoundingClientRect()])
  .filter(([_, box]) => box.width && (box.right > width + 1 || box.left < -1))
  .map(([name, box]) => name + " " + Math.round(box.left) + " to " + Math.round(box.right))"""


def test_nothing_is_cut_off_on_paper(report, watched):
    page = watched(viewport={"width": A4, "height": 960}, color_scheme="dark")
    for kind, name in KINDS.items():
        opened = page.open(report / name)
        opened.emulate_media(media="print")
        opened.eval_on_selector_all("details.more, details.rows", "all => all.forEach(one => { one.open = true })")
        assert opened.evaluate(CUT, A4) == [], kind
        tall = "all => all.map(one => one.getBoundingClientRect().height).filter(height => height > 955)"
        assert opened.eval_on_selector_all("figure img", tall) == [], kind
        assert opened.evaluate("getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
        opened.emulate_media(media="screen")


def test_the_printed_pages_are_a4_with_all_their_text(report, page, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="no pypdf here (extra test)")
    opened = page.open(report / KINDS["real city"])
    opened.pdf(path=tmp_path / "city.pdf", prefer_css_page_size=True, tagged=True)
    read = pypdf.PdfReader(tmp_path / "city.pdf")
    assert {(round(sheet.mediabox.width), round(sheet.mediabox.height)) for sheet in read.pages} == {(595, 842)}
    text = " ".join(sheet.extract_text() for sheet in read.pages)
    text = " ".join(text.split())
    assert all(item["id"] in text for item in findings(report, "bristol"))


def test_a_browser_is_named_or_found(monkeypatch, tmp_path):
    named = tmp_path / "chrome"
    shutil.copy(CHROMIUM, named)
    monkeypatch.setenv("CHROME", str(named))
    assert pdf.browser() == str(named)
