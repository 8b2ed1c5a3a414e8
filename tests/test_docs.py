"""The site: it builds without a warning, every link leads somewhere, and what its pages type works."""

import pkgutil
import re
import shlex
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pytest
import typer

import vlr_analysis
from vlr_analysis.cli import app
from vlr_analysis.review import pdf

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
HOW_TO = DOCS / "how-to"
TESTS = re.compile(r"`tests/(test_\w+\.py)::(test_\w+)`")


class Page(HTMLParser):
    """Links, anchors, and what a browser would fetch."""

    def __init__(self, text: str):
        super().__init__()
        self.links, self.ids, self.loads = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids |= {found[key] for key in ("id", "name") if found.get(key)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        fetched = found.get("rel", "") not in ("next", "prev", "index", "search", "author", "canonical")
        self.loads += [found["href"]] if tag == "link" and fetched and found.get("href") else []
        self.loads += [found["src"]] if found.get("src") else []


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Build the site as `make docs` does."""
    folder = tmp_path_factory.mktemp("site")
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    typed = re.search(r"^docs:.*\n\t\$\(BIN\)/python (-m sphinx .*) docs build/docs$", makefile, re.M)[1]
    command = [sys.executable, *typed.split(), "-d", str(folder / "trees"), str(DOCS), str(folder / "html")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert "-W" in command and "-n" in command
    assert done.returncode == 0, done.stderr[-3000:]
    return {
        path.resolve(): Page(path.read_text(encoding="utf-8")) for path in sorted((folder / "html").rglob("*.html"))
    }


def outside(link: str) -> bool:
    return link.startswith(("http://", "https://", "//", "mailto:"))


@pytest.mark.slow
def test_every_link_and_anchor_of_the_site_leads_somewhere(site):
    dead = []
    for path, page in site.items():
        for link in (*page.links, *page.loads):
            if outside(link) or link.startswith("data:"):
                continue
            name, _, anchor = unquote(link).partition("#")
            target = (path.parent / name.partition("?")[0]).resolve() if name else path
            if not target.exists() or (anchor and target in site and anchor not in site[target].ids):
                dead.append(f"{path.name}: {link}")
    assert len(site) > 50
    assert dead == []


@pytest.mark.slow
def test_the_site_asks_the_network_for_nothing(site):
    root = next(path.parent for path in site if path.name == "search.html")
    assert [(path.name, load) for path, page in site.items() for load in page.loads if outside(load)] == []
    for style in root.rglob("*.css"):
        assert not re.search(r"url\(\s*[\"']?(https?:)?//|@import", style.read_text(encoding="utf-8")), style.name
    assert (root / "searchindex.js").read_text(encoding="utf-8").startswith("Search.setIndex(")


@pytest.mark.slow
def test_the_search_of_the_site_finds_a_page_from_a_folder_without_a_network(site):
    """Opened as a file, in a browser that is offline: what stands in one chapter of the methods is found there."""
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here (extra test)")
    if not pdf.browser():
        pytest.skip("no Chromium, Chrome or Edge on this machine")
    root = next(path.parent for path in site if path.name == "search.html")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=pdf.browser(), args=["--no-sandbox"])
        page = browser.new_context(offline=True).new_page()
        asked = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto((root / "index.html").as_uri())
        page.locator("input[name=q]").first.fill("Winsten")
        page.locator("input[name=q]").first.press("Enter")
        found = page.locator("#search-results a").first
        found.wait_for()
        found.click()
        page.wait_for_url("**/methods/README.html*")
        browser.close()
    assert {url.partition(":")[0] for url in asked} <= {"file", "data", "blob"}


def all_commands(group, above="vlr"):
    """Yield each command with what is typed, also those of the groups below."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, f"{above} {name}")
        else:
            yield f"{above} {name}", command


@pytest.mark.slow
def test_the_reference_holds_every_command_with_each_of_its_options(site):
    """Each option stands in the section of its command, with its help."""
    html = next(path for path in site if path.name == "commands.html").read_text(encoding="utf-8")
    sections = dict(re.findall(r'<section id="(vlr-[\w-]+)">([\s\S]*?)</section>', html))
    commands = list(all_commands(typer.main.get_command(app)))
    assert len(commands) > 15
    assert {name.replace(" ", "-") for name, _ in commands} == set(sections)
    seen = 0
    for name, command in commands:
        told = re.findall(r"<dt>([\s\S]*?)</dt>\s*<dd>([\s\S]*?)</dd>", sections[name.replace(" ", "-")])
        shown = {words(term): words(text) for term, text in told}
        for one in command.params:
            if getattr(one, "hidden", False):
                continue
            option = one.param_type_name == "option"
            term = ", ".join(one.opts) if option else one.metavar or one.name.upper()
            assert term in shown, (name, term)
            assert shown[term].startswith(" ".join((one.help or "").split())), (name, term)
            seen += option
    assert seen > 50


def words(html: str) -> str:
    """Return the text of a piece of a page."""
    return " ".join(unescape(re.sub(r"<[^>]+>", "", html)).split())


def test_the_reference_holds_the_whole_public_face():
    text = (DOCS / "reference" / "functions.md").read_text(encoding="utf-8")
    shown = set(re.findall(r"automodule:: vlr_analysis\.(\w+)", text))
    of_cities = re.search(r"vlr_analysis\.cities\n   :members: (.*)", text)[1].split(", ")
    modules = {module.name for module in pkgutil.iter_modules(vlr_analysis.__path__)}
    assert sorted(of_cities) == sorted(set(vlr_analysis.__all__) - modules)
    assert set(vlr_analysis.__all__) & modules <= shown


# --- a page for each job -----------------------------------------------------------------------


def jobs():
    """Yield each row of the table: job, page, tests."""
    for line in (HOW_TO / "jobs.md").read_text(encoding="utf-8").splitlines():
        found = re.match(r"\| (.+?) \| \[.+?\]\((.+?)\) \| (.+) \|$", line)
        if found:
            yield found[1], HOW_TO / found[2], TESTS.findall(found[3])


def test_each_of_the_24_jobs_has_a_page_and_tests_that_exist():
    rows = list(jobs())
    assert len(rows) == len({path for _, path, _ in rows}) == 24
    for job, path, tests in rows:
        assert path.is_file(), job
        assert tests, f"{job}: no test is named"
        for file, name in tests:
            code = (ROOT / "tests" / file).read_text(encoding="utf-8")
            assert re.search(rf"^def {name}\(", code, re.M), f"{job}: {file} has no {name}"
        assert set(TESTS.findall(path.read_text(encoding="utf-8"))) == set(tests), path.name


def typed_in(path: Path) -> list[list[str]]:
    text = path.read_text(encoding="utf-8")
    return [shlex.split(line) for line in re.findall(r"^(?:    |\$ )(vlr .*)$", text, re.M)]


def test_pages_type_commands_and_options_that_there_are():
    groups = typer.main.get_command(app)
    pages = [*HOW_TO.glob("*.md"), *(DOCS / "tutorial").glob("*.md")]
    wrong = []
    for path in pages:
        for line in typed_in(path):
            command = groups.commands.get(line[1])
            if hasattr(command, "commands"):
                command = command.commands.get(line[2])
            known = {option for one in command.params for option in one.opts} if command else set()
            if command is None or {word for word in line if word.startswith("-")} - known:
                wrong.append((path.name, " ".join(line)))
    assert wrong == []
    assert sum(len(typed_in(path)) for path in pages) > 25


def test_what_is_typed_stands_in_a_box():
    """A command at the left edge is a sentence to Markdown, and joins the next line of the page."""
    outside = []
    for path in [ROOT / "README.md", *DOCS.rglob("*.md")]:
        text = re.sub(r"^```[\s\S]*?^```", "", path.read_text(encoding="utf-8"), flags=re.M)
        outside += [(path.name, line) for line in re.findall(r"^(?:vlr|make|py) .*", text, re.M)]
    assert outside == []


# --- the tutorial, typed as it stands -------------------------------------------------------------


def steps():
    """Yield what the tutorial types with what it shows, and the tables that it has people fill in, in order."""
    for path in [DOCS / "tutorial" / "index.md", *sorted((DOCS / "tutorial").glob("[1-9]-*.md"))]:
        text = path.read_text(encoding="utf-8")
        for found in re.finditer(r"```console\n\$ (.*)\n([\s\S]*?)```|\*\*(Figures|Sources)\*\*|((?:^\|.*\n)+)|"
                                 r"Write `([\d.]+)` into the cell\n?\s*`(\w+)!(\w+)`", text, re.M):  # fmt: skip
            yield path.name, found.groups()


def rows_of(table: str) -> list[dict[str, str]]:
    head, _, *rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]
    return [dict(zip(head, row, strict=True)) for row in rows]


def typed_value(text: str):
    return float(text) if re.fullmatch(r"\d+(\.\d+)?", text) else text or None


def fill(book, sheet: str, table: str) -> None:
    columns = {str(cell.value): cell.column for cell in book[sheet][1]}
    for row in rows_of(table):
        at = book[sheet].max_row + 1
        for name, text in row.items():
            value = text if name == "Indicator" else typed_value(text)
            book[sheet].cell(at, columns[name], value)


@pytest.mark.slow
def test_the_tutorial_prints_what_its_pages_show(project):
    workbook = project / "data" / "villa-clara.xlsx"
    sheet, ran = "", 0
    for page, (command, shown, named, table, value, at_sheet, cell) in steps():
        if command:
            words = shlex.split(command)
            done = subprocess.run(
                [sys.executable, "-m", "vlr_analysis.cli", *words[1:]],
                cwd=project, capture_output=True, text=True, encoding="utf-8", check=False,
            )  # fmt: skip
            pattern = re.escape(shown.strip()).replace(r"\.\.\.", "[\\s\\S]*")
            assert re.fullmatch(pattern, done.stdout.strip()), (page, command, done.stdout, done.stderr[-2000:])
            ran += 1
            continue
        sheet = named or sheet
        if table or value:
            book = openpyxl.load_workbook(workbook)
            if table:
                fill(book, sheet, table)
            else:
                book[at_sheet][cell] = float(value)
            book.save(workbook)
    assert ran == 8
    quoted = re.search(r"^> (.*)$", (DOCS / "tutorial" / "5-read.md").read_text(encoding="utf-8"), re.M)[1]
    assert quoted in (project / "reports" / "villa-clara" / "findings.jsonl").read_text(encoding="utf-8")
