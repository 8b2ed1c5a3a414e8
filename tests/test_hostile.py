"""Files made to harm: nothing in them runs, unpacks without measure, or is named by more than its own name."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from openpyxl.worksheet.formula import ArrayFormula

from vlr_analysis.cell_text import inert, inert_table, original, original_table, visible
from vlr_analysis.cities import load_cities
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import table as shown_table
from vlr_analysis.observations import COLUMNS, KEY, check
from vlr_analysis.review.annex import read_sheet
from vlr_analysis.review.check import check as look
from vlr_analysis.review.check_report import Report
from vlr_analysis.review.new_city import new_city
from vlr_analysis.review.package import csv_bytes
from vlr_analysis.review.receive import receive
from vlr_analysis.review.workbook import Sheet
from vlr_analysis.review.workbook import workbook as made_workbook
from vlr_analysis.sources import kit, sdmx_csv, voices
from vlr_analysis.sources.cells import Repair
from vlr_analysis.sources.formats import read
from vlr_analysis.sources.open_sdg_write import open_sdg_files
from vlr_analysis.sources.reading import read_origins, write_origins
from vlr_analysis.sources.repairs import write_repairs
from vlr_analysis.sources.sheets import open_sheets
from vlr_analysis.sources.template import empty_workbook

ROOT = Path(__file__).resolve().parents[1]

GIVEN = {"area": "exampleville", "source": "test"}
HOSTILE = ["<script>alert(1)</script>", "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "\u202elatot", "-SUM(A1)", "a;b=c"]


def workbook(path: Path, **parts: bytes) -> Path:
    """Write a small good workbook, with parts put in or replaced: name in the archive by keyword, / as __."""
    book = Workbook()
    book.active.append(["Indicator", 2019, 2020])
    book.active.append(["Poverty", 5, 6])
    plain = io.BytesIO()
    book.save(plain)
    parts = {name.replace("__", "/"): content for name, content in parts.items()}
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            new.writestr(entry.filename, parts.pop(entry.filename, None) or old.read(entry))
        for name, content in parts.items():
            new.writestr(name, content)
    return path


def sheet_xml(rows: str, more: str = "") -> bytes:
    start = '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    return f"{start}<sheetData>{rows}</sheetData>{more}</worksheet>".encode()


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_sheets(path)
    message = str(caught.value)
    assert "Fix:" in message and str(path.parent) not in message
    return message


SHEET = "xl/worksheets/sheet1.xml"


def test_a_part_that_unpacks_to_too_much_is_refused(tmp_path):
    bomb = sheet_xml("<row r='1'><c r='A1' t='inlineStr'><is><t>" + "0" * 30_000_000 + "</t></is></c></row>")
    path = workbook(tmp_path / "a.xlsx", **{SHEET: bomb})
    assert path.stat().st_size < 200_000
    assert "unpacks to 30," in refusal(path)


def test_more_cells_than_bytes_are_refused(tmp_path):
    """Cells of a few letters pack so well that they would take minutes to read."""
    row = "".join(f"<c><v>{c % 10}</v></c>" for c in range(300))
    rows = "".join(f"<row>{row}</row>" for _ in range(360))
    path = workbook(tmp_path / "a.xlsx", **{SHEET: sheet_xml(rows)})
    assert "more than 100,000 cells" in refusal(path)


@pytest.mark.parametrize(
    "part",
    [
        b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]>" + sheet_xml("<row><c t='str'><v>&b;</v></c></row>"),
        b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + sheet_xml("<row><c t='str'><v>&a;</v></c></row>"),
        b"<?xml version='1.0' encoding='cp037'?>" + sheet_xml(""),
        sheet_xml("").decode().encode("utf-16"),
    ],
)
def test_entities_and_odd_encodings_are_refused(tmp_path, part):
    assert "declares entities" in refusal(workbook(tmp_path / "a.xlsx", **{SHEET: part}))


def test_entities_in_any_part_are_refused(tmp_path):
    part = b" " * (1 << 20) + b"<!DOCTYPE x [<!ENTITY a 'a'>]><sst/>"
    assert "declares entities" in refusal(workbook(tmp_path / "a.xlsx", **{"xl/sharedStrings.xml": part}))


def test_dimensions_without_cells_cost_nothing(tmp_path):
    rows = "<row r='1'><c r='A1'><v>1</v></c></row><row r='1048576'><c r='XFD1048576'><v>2</v></c></row>"
    merged = "<mergeCells><mergeCell ref='A1:XFD1048576'/></mergeCells>"
    path = workbook(tmp_path / "a.xlsx", **{SHEET: sheet_xml(rows, merged)})
    sheet = open_sheets(path).sheets[0]
    assert sheet.lines == [1, 1048576]
    assert len(sheet.rows[0]) == 1
    assert len(sheet.spread(0)) == 16384


def test_a_million_columns_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Year," + "," * 999_998 + "\n", encoding="utf-8")
    assert "1,000,000 cells; expected at most 16,384" in refusal(path)


@pytest.mark.parametrize(("more", "words"), [("," * 3000, "columns; expected at most 200"), ("", "data flows")])
def test_sdmx_that_would_keep_its_reader_busy_is_refused(tmp_path, more, words):
    """A header of 3,000 columns took pysdmx three minutes."""
    rows = "".join(f"XX:F{n}(1.0),A,XX,2019,1\n" for n in range(60))
    path = tmp_path / "a.csv"
    path.write_text(f"DATAFLOW,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE{more}\n{rows}", encoding="utf-8")
    with pytest.raises(InputError, match=words):
        read("sdmx-csv", path, **GIVEN)


def test_a_header_without_years_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("Country Name,Country Code,Indicator Name,Indicator Code,x\nA,B,C,D,1\n", encoding="utf-8")
    with pytest.raises(InputError, match="at least two years in the header"):
        read("world-bank", path, **GIVEN)


def test_macros_are_left_aside(tmp_path):
    path = workbook(tmp_path / "a.xlsm", **{"xl/vbaProject.bin": b"Sub Auto_Open()"})
    reading = read("guess", path, **GIVEN)
    assert len(reading.table) == 2
    assert "none was run" in "\n".join(map(str, reading.repairs))


def test_a_formula_gives_the_result_in_the_file_and_is_never_worked_out(tmp_path):
    rows = "<row r='1'><c r='A1' t='str'><v>Indicator</v></c><c r='B1'><v>2019</v></c><c r='C1'><v>2020</v></c></row>"
    rows += (
        "<row r='2'><c r='A2' t='str'><v>Poverty</v></c><c r='B2'><f>1+1</f><v>7</v></c><c r='C2'><f>1+1</f></c></row>"
    )
    reading = read("guess", workbook(tmp_path / "a.xlsx", **{SHEET: sheet_xml(rows)}), **GIVEN)
    assert reading.table["value"].tolist() == [7]
    assert "C2: found a formula without a result" in str(reading.problems[0])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + b"0" * 100, "an old or locked workbook"),
        ("a.xlsx", b"Year,Value\n2019,1\n", "no workbook inside"),
        ("a.xlsx", b"PK\x03\x04" + b"0" * 100, "no readable workbook"),
        ("a.csv", b"PK\x03\x04" + b"0" * 100, "a packed file with the ending of a text"),
        ("a.csv", b"\x00\x01\x02\x03" * 100, "no text"),
        ("a.csv", b"Year,Value\n2019,\x81\n", "row 2: found the byte 0x81"),
        ("a.csv", b'Year,Value\n2019,"1\n', "quotation marks"),
        ("a.csv", b"", "an empty file"),
        ("a.csv", b"\n , \n", "no filled cell"),
        ("a.xls", b"x", "the ending '.xls'"),
    ],
)
def test_what_is_no_table_is_refused_with_help(tmp_path, name, content, words):
    path = tmp_path / name
    path.write_bytes(content)
    assert words in refusal(path)


def test_names_of_parts_lead_nowhere(tmp_path):
    path = workbook(tmp_path / "a.xlsx", **{"../../evil.xml": b"<x/>", "/etc/evil": b"x"})
    before = sorted(tmp_path.rglob("*"))
    assert len(read("guess", path, **GIVEN).table) == 2
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("form", ["wide", "long", "sheet"])
def test_hostile_labels_reach_no_export_as_formulas(tmp_path, form):
    """What is written for a spreadsheet program starts no cell with =, @, or a sign before letters."""
    if form == "sheet":
        path = tmp_path / "a.xlsx"
        book = Workbook()
        book.active.title = "=1+1"
        book.active.append(["Indicator", "Group", 2019, 2020])
        for number, text in enumerate(HOSTILE):
            book.active.append([text, text, number, 1])
            for cell in book.active[number + 2][:2]:
                cell.data_type = "s"
        book.save(path)
    else:
        path = tmp_path / "a.csv"
        rows = [f'"{text}","{text}",2019,{number}' for number, text in enumerate(HOSTILE)]
        header = "Indicator,Group,Year,Value"
        if form == "wide":
            header, rows = "Indicator,Group,2019,2020", [f'"{t}","{t}",1,{n}' for n, t in enumerate(HOSTILE)]
        path.write_text("\n".join([header, *rows]), encoding="utf-8")
    reading = read("guess", path, **GIVEN)
    assert len(reading.table) >= len(HOSTILE)
    write_origins(reading.origins, tmp_path / "o.csv")
    words = reading.table[["indicator", "series", "unit", "breakdown"]].to_numpy().ravel().tolist()
    words += (tmp_path / "o.csv").read_text(encoding="utf-8").replace("\n", ",").split(",")
    assert not [word for word in words if word[:1] in ("=", "@") or word[:2] in ("-S", "+S")]
    assert "\u202e" not in "".join(words)


# --- text that no spreadsheet runs -----------------------------------------------------------------------

# As a reviewer would look for them: not the rule of the module, but the first sign of a cell.
FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r]")
PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]")
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069\x00-\x08\x0b-\x1f\x7f-\x9f]")
RUNS = [
    "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+1+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1", "\n=1", " =1", "'=1",
    "''=1", '=HYPERLINK("http://x.example";"y")', "\u202e=1", "\u2066x\u2069", "a\u202eb", "\uff1d1+1", "-", "--1", "+",
    "-5", "+1e5", "-5 to 0", "<script>alert(1)</script>", "'", "", "DDE(x)", "#N/A", "x\x00y", "x\x07", "\ufeff=1",
    "=", "@", "'-5", "_x003D_1", "a\r\nb", "نسبة", "é" * 3,
]  # fmt: skip
texts = st.one_of(
    st.sampled_from(RUNS),
    st.text("=+-@'\t\r\n \u202e\u2067;,|\"<>()&A1\uff1dé\x00", max_size=8),
    st.tuples(st.sampled_from(RUNS), st.text(st.characters(codec="utf-8"), max_size=6)).map("".join),
)
slowly = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def assert_inert(content):
    """No cell of a CSV file starts a formula or turns the reading round."""
    for row in csv.reader(io.StringIO(content.decode("utf-8") if isinstance(content, bytes) else content, newline="")):
        for cell in row:
            assert not FORMULA.match(cell) or PLAIN.fullmatch(cell), cell
            assert not TURNS.search(cell), cell


def assert_no_formula(content, ours=()):
    """No cell of a workbook is a formula but our own; what begins like one is marked as text."""
    book = openpyxl.load_workbook(io.BytesIO(content))
    for page in book:
        for row in page.iter_rows():
            for cell in row:
                if cell.data_type == "f":
                    formula = cell.value.text if isinstance(cell.value, ArrayFormula) else cell.value
                    assert page.title in ours and re.fullmatch(r"=(IF|COUNT|MEDIAN|'?Figures).*", formula), formula
                elif isinstance(cell.value, str):
                    assert not TURNS.search(cell.value), cell.value
                    if FORMULA.match(cell.value) and not PLAIN.fullmatch(cell.value):
                        assert cell.quotePrefix, cell.value
    return book


class Elements(HTMLParser):
    """The elements and the texts of a page."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.on, self.text, self.scripts = [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.on += [name for name, value in attributes if name.startswith("on") or "javascript:" in str(value)]

    def handle_data(self, data):
        if self.tags and self.tags[-1] == "script":
            self.scripts.append(data.strip())
        self.text += data


@slowly
@given(texts | st.just("\ud800"))
def test_a_text_is_inert_and_comes_back(text):
    made = inert(text)
    assert not FORMULA.match(made) or PLAIN.fullmatch(made)
    assert not TURNS.search(made)
    assert original(made) == visible(text)
    assert inert(original(made)) == made


@slowly
@given(st.lists(texts, min_size=1, max_size=6), texts)
def test_every_csv_of_results_is_inert(written, head):
    table = pd.DataFrame({"label": written, f"x{head}": written, "value": 1.5, "mixed": [-1, *written[1:]]})
    assert_inert(csv_bytes(table))
    assert_inert(shown_table(table.rename(columns={f"x{head}": "title"}), "t", "c", "label title value").csv())
    assert original_table(inert_table(table))["label"].tolist() == [visible(text) for text in written]
    assert inert_table(table)["value"].tolist() == table["value"].tolist()


@slowly
@given(st.lists(texts, min_size=1, max_size=5), texts)
def test_every_workbook_holds_text_and_no_formula(written, name):
    sheet = Sheet(name, ["Text", name or "Head"], [[text, "x"] for text in written])
    book = assert_no_formula(made_workbook([sheet], title=name, author=name))
    held = [cell.value for cell in book.worksheets[0]["A"]][1:]
    assert [escaped(value or "") for value in held] == [escaped(visible(text)) for text in written]


@pytest.mark.parametrize("name", ["=1+1", "\u202e=1", "a\x07\ud800"])
def test_the_workbook_to_fill_holds_no_formula(name):
    buffer = io.BytesIO()
    empty_workbook("town", name).save(buffer)
    assert_no_formula(buffer.getvalue())


def escaped(text):
    """Return a text as openpyxl reads it again: it takes _x003D_ for what a spreadsheet program writes for a sign."""
    return openpyxl.utils.escape.unescape(text)


def observed(written):
    """Return observations whose words are the given texts, as far as the one table may hold them."""
    words = [" ".join(visible(text).split()) or "x" for text in written]
    rows = [
        {"area": "town", "indicator": f"x.{i}", "series": word, "unit": word, "period": str(year), "value": year / 7,
         "breakdown": "" if year == 2019 else f"group={re.sub('[=;]', ':', word)}", "low": float("nan"),
         "high": float("nan"), "status": "value", "source": "office"}
        for i, word in enumerate(words) for year in (2019, 2020)
    ]  # fmt: skip
    return check(pd.DataFrame(rows, columns=list(COLUMNS)))


@slowly
@given(st.lists(texts, min_size=1, max_size=4))
def test_files_of_figures_are_inert_and_come_back_as_they_went(tmp_path, written):
    table = observed(written)
    path = tmp_path / "town.csv"
    kit.write_table(table, path)
    assert_inert(path.read_bytes())
    pd.testing.assert_frame_equal(kit.read_table(path), table)
    origins = table[list(KEY)].assign(file=table["series"], sheet=table["unit"], cell="A1")
    write_origins(origins, tmp_path / "town.origins.csv")
    assert_inert((tmp_path / "town.origins.csv").read_bytes())
    back = read_origins(tmp_path / "town.origins.csv")
    assert sorted(back.to_numpy().tolist()) == sorted(origins.to_numpy().tolist())
    log = tmp_path / "town.repairs.csv"
    write_repairs([Repair(text, text, text, text) for text in written], log, file="town.csv")
    assert_inert(log.read_bytes())


@slowly
@given(st.lists(texts, min_size=1, max_size=3))
def test_the_feeds_of_a_hand_over_are_inert(tmp_path, written):
    table = observed(written)
    known = table[["indicator", "series", "unit"]].drop_duplicates().assign(label=table["series"], sdg_target="1.2")
    sources = pd.DataFrame([dict.fromkeys(kit.SOURCES_COLUMNS, written[0]) | {"source": "office"}])
    for name, content in open_sdg_files(table, known, sources, {"place": written[0], "contact": written[0]}).items():
        if name.endswith(".csv"):
            assert_inert(content)
    areas = {"town": written[0]}
    files = sdmx_csv.sdmx_files(table, known.assign(definition="", geography="", note=""), sources, areas, name="Feed")
    assert_inert(files[sdmx_csv.DATA])
    (tmp_path / "observations.csv").write_bytes(files[sdmx_csv.DATA])
    pd.testing.assert_frame_equal(sdmx_csv.read_sdmx_csv(tmp_path / "observations.csv"), table)


@slowly
@given(texts)
def test_the_page_of_a_check_holds_no_element_of_the_file(text):
    report = Report(text, errors=[Problem(text, text, text, text)], repairs=[Repair(text, text, text, text)])
    page, plain = Elements(report.html()), Elements(Report("file.csv").html())
    assert page.scripts == plain.scripts and page.tags.count("script") == plain.tags.count("script") and not page.on
    assert not TURNS.search(report.html())
    json.loads(report.json())


# --- a city of hostile words, from its file to every file of its review -------------------------------------

EVIL = [
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "\u202edlrow",
    "@SUM(1)",
    '"><img src=x onerror=alert(1)>',
]


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


@pytest.fixture(scope="module")
def evil_report(tmp_path_factory):
    """Run a city in whose every text somebody has tried something; return the project."""
    root = tmp_path_factory.mktemp("evil") / "p"
    for name in ("notebooks", "docs/methods"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (root / "params").mkdir()
    (root / "data").mkdir()
    for name in ("areas", "indicators", "vlr_counts"):
        shutil.copy(ROOT / "data" / f"{name}.csv", root / "data")
    rows = ["area,indicator,series,unit,period,breakdown,value,status,source"]
    for number, text in enumerate(EVIL):
        for group in ("", f"group={text.replace('=', ':').replace(';', ',')}", "group=b"):
            for year in range(2008, 2024):
                value = 30 + number + (year - 2008) * 0.9 + (year == 2020) * 6 + 3 * (group != "")
                rows.append(",".join(map(quoted, ["town", f"x.{number}", text, text, str(year), group, f"{value:.1f}",
                                                  "value", f"src{number}"])))  # fmt: skip
    (root / "data" / "town.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    sources = [",".join(kit.SOURCES_COLUMNS)]
    for number, text in enumerate(EVIL):
        words = [f"src{number}", text, text, "official", text, text, text, "2024", text, text, "", text]
        sources.append(",".join(map(quoted, words)))
    (root / "data" / "sources.csv").write_text("\n".join(sources) + "\n", encoding="utf-8")
    choice = {"indicator": "x.1", "label": EVIL[1], "target": 1, "target_year": 2030, "target_source": EVIL[0]}
    choice |= {"department": EVIL[5], "measure": EVIL[1], "priority": True}
    city = {"id": "town", "name": EVIL[0], "country": "GBR", "boundary": EVIL[1], "contact": EVIL[2]}
    city |= {"licence": EVIL[4], "indicators": [choice]}
    (root / "params" / "town.yaml").write_text(json.dumps({"city": city}), encoding="utf-8")
    command = [sys.executable, "-m", "vlr_analysis.cli", "run", "town"]
    for name in ("01_data_readiness", "02_trends", "08_findings"):
        command += ["--notebook", name]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


def test_no_table_of_a_review_starts_a_formula(evil_report):
    found = sorted((evil_report / "reports" / "town").rglob("*.csv"))
    assert len(found) > 20
    for path in found:
        assert_inert(path.read_bytes())
    told = (evil_report / "reports" / "town" / "tables" / "provenance.csv").read_text(encoding="utf-8")
    assert "'=cmd|" in told


def test_no_workbook_of_a_review_holds_a_formula_of_others(evil_report):
    found = sorted((evil_report / "reports" / "town").rglob("*.xlsx"))
    assert found
    for path in found:
        assert_no_formula(path.read_bytes(), ours=("Check a number",))


def test_no_page_of_a_review_holds_an_element_of_others(evil_report):
    ours = {script for page in (ROOT / "vlr_analysis" / "review" / "templates").glob("*.j2")
            for script in Elements(page.read_text(encoding="utf-8")).scripts}  # fmt: skip
    pages = sorted((evil_report / "reports").rglob("*.html"))
    assert len(pages) > 5
    for path in pages:
        page = Elements(path.read_text(encoding="utf-8"))
        assert not [script for script in page.scripts if "alert" in script], path.name
        assert not page.on, (path.name, page.on)
        assert page.tags.count("script") <= len(ours), path.name
        assert not TURNS.search(page.text), path.name
    evidence = (evil_report / "reports" / "town" / "evidence.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)" in evidence and "[U+202E]dlrow" in evidence


def test_another_kit_receives_the_hostile_words_as_they_were_shown(evil_report, tmp_path):
    for folder in ("params", "data"):
        (tmp_path / folder).mkdir()
    receive(evil_report / "reports" / "town" / "handover" / "handover.zip", tmp_path)
    sent = load_cities(["town"], evil_report)[0].observations
    taken = load_cities(["town"], tmp_path)[0].observations
    for name in ("series", "unit", "breakdown"):
        assert set(taken[name]) == {visible(text) for text in sent[name]}
    assert_inert((tmp_path / "data" / "town.csv").read_bytes())


# --- every door ------------------------------------------------------------------------------------------


def doors(project):
    """Return the ways by which a workbook comes in: name -> what opens the one that lies at `data/town.xlsx`."""
    path = project / "data" / "town.xlsx"
    return {
        "check a file": lambda: look(str(path), project, date(2026, 1, 1)),
        "check a city": lambda: look("town", project, date(2026, 1, 1)),
        "import": lambda: read("guess", path, **GIVEN),
        "run": lambda: load_cities(["town"], project),
        "voices": lambda: voices.read_voices(path),
    }


def put_parts(path, parts):
    """Put parts into a workbook, replacing those of their name; {} repeats nothing else."""
    with zipfile.ZipFile(path) as old:
        held = {entry.filename: old.read(entry) for entry in old.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, content in {**held, **parts}.items():
            new.writestr(name, content)


@pytest.fixture
def filled(project):
    """Make a city with a filled workbook, which says nothing of voices that `read_voices` minds."""
    new_city("town", project, country="GBR")
    path = project / "data" / "town.xlsx"
    book = openpyxl.load_workbook(path)
    book["Sources"].append(["office", "Office", "Yearbook", "official", "2025-06", "CC BY 4.0"])
    book["Figures"].append(["8.5.2", "jobless", "%", None, None, "office", *range(5, 15)])
    book.save(path)
    return project


BOMB = {SHEET: sheet_xml("<row r='1'><c r='A1' t='inlineStr'><is><t>" + "0" * 30_000_000 + "</t></is></c></row>")}
ENTITIES = {
    SHEET: b"<!DOCTYPE x [<!ENTITY a SYSTEM 'file:///etc/passwd'>]>" + sheet_xml("<row><c><v>&a;</v></c></row>")
}


@pytest.mark.parametrize("door", ["check a file", "check a city", "import", "run", "voices"])
@pytest.mark.parametrize(("parts", "words"), [(BOMB, "unpacks to 30,"), (ENTITIES, "declares entities")])
def test_a_workbook_made_to_harm_is_refused_at_every_door(filled, door, parts, words):
    put_parts(filled / "data" / "town.xlsx", parts)
    with pytest.raises(InputError, match=words) as caught:
        doors(filled)[door]()
    assert str(filled) not in str(caught.value)


@pytest.mark.parametrize("door", ["check a file", "check a city", "run", "voices"])
def test_names_of_parts_and_links_to_other_files_lead_nowhere_at_any_door(filled, door):
    link = b"<externalLink xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'/>"
    evil = {"../../evil.xml": b"<x/>", "/etc/evil": b"x", "xl/externalLinks/externalLink1.xml": link,
            "xl/vbaProject.bin": b"Sub Auto_Open()", "C:\\evil.xml": b"<x/>"}  # fmt: skip
    put_parts(filled / "data" / "town.xlsx", evil)
    before = sorted(filled.parent.rglob("*"))
    doors(filled)[door]()
    assert sorted(filled.parent.rglob("*")) == before


@pytest.mark.parametrize(
    "formula", ["=cmd|' /C calc'!A0", "=[other.xlsx]Sheet1!A1", '=WEBSERVICE("http://x.example")', "=1+1"]
)
def test_a_formula_in_a_figure_is_told_at_its_cell_and_never_worked_out(filled, formula):
    path = filled / "data" / "town.xlsx"
    book = openpyxl.load_workbook(path)
    book["Figures"]["H3"] = formula
    book["Figures"]["B3"] = formula
    book.save(path)
    report = look("town", filled, date(2026, 1, 1))
    assert [problem.where for problem in report.errors] == ["town.xlsx, Figures!B3"]
    book["Figures"]["B3"] = "jobless"
    book.save(path)
    report = look("town", filled, date(2026, 1, 1))
    assert [problem.where for problem in report.errors] == ["town.xlsx, Figures!H3"]
    with pytest.raises(InputError, match="Figures!H3"):
        load_cities(["town"], filled)


def test_a_workbook_with_macros_is_no_workbook_of_a_city(filled):
    shutil.copy(filled / "data" / "town.xlsx", filled / "data" / "town.xlsm")
    put_parts(filled / "data" / "town.xlsm", {"xl/vbaProject.bin": b"Sub Auto_Open()"})
    report = look(str(filled / "data" / "town.xlsm"), filled, date(2026, 1, 1))
    assert "none was run" in "\n".join(map(str, report.repairs))


@pytest.mark.parametrize(
    "name", ["../town", "..", "/etc/passwd", "town/../../x", "C:town", "a\x00b", "", ".", "~", "$HOME"]
)
def test_names_of_cities_lead_nowhere(filled, name):
    (filled / "town.yaml").write_text("city: {id: town, name: x, country: GBR}", encoding="utf-8")
    with pytest.raises(InputError, match="expected one file per city") as caught:
        load_cities([name], filled)
    assert "Fix:" in str(caught.value)
    before = sorted(filled.parent.rglob("*"))
    try:
        made = new_city(name, filled)
        assert re.fullmatch(r"[a-z0-9-]+", made.id)
        assert {path.parent for path in set(filled.parent.rglob("*")) - set(before)} == {
            filled / "data",
            filled / "params",
        }
    except InputError as error:
        assert "Fix:" in str(error)
        assert sorted(filled.parent.rglob("*")) == before


def test_an_annex_that_would_unpack_to_too_much_is_refused(filled):
    content = (filled / "data" / "town.xlsx").read_bytes()
    with pytest.raises(InputError, match=r"sheets; expected all of them"):
        read_sheet(content, 99)
    for parts, words in ((BOMB, "unpacks to 30,"), (ENTITIES, "declares entities")):
        put_parts(filled / "data" / "town.xlsx", parts)
        with pytest.raises(InputError, match=words):
            read_sheet((filled / "data" / "town.xlsx").read_bytes(), 3)
