"""The check: every mistake once, at its cell, in words that help; harmless slips mended, and each of them logged."""

import json
import re
import subprocess
import sys
from datetime import date, datetime

import openpyxl
import pytest

from vlr_analysis.cities import load_cities
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.results import Results
from vlr_analysis.review.check import check
from vlr_analysis.review.check_report import LISTED, TOLD, Report, place
from vlr_analysis.review.new_city import new_city
from vlr_analysis.sources import kit, template_sheet
from vlr_analysis.sources.cells import Repair
from vlr_analysis.sources.figure_texts import IN_OUR_WORDS
from vlr_analysis.sources.template import empty_workbook
from vlr_analysis.sources.wide import read_wide

TODAY = date(2026, 1, 1)
HEADER = "area,indicator,series,unit,period,breakdown,value,low,high,status,source"
BANNED = re.compile(r"\b(caused?|causes|proves?|proven|significant(ly)?|because|best|worst)\b", re.I)
PROGRAMMER = re.compile(
    r"[Pp]ython|Traceback|[Ee]xception|pandas|numpy|openpyxl|pydantic|dtype|DataFrame|\bNone\b|\bNaN\b|\bnan\b|"
    r"Error\b|\bTrue\b|\bFalse\b|\bTimestamp\b|datetime|\bstr\b|\bint\b|\bfloat\b|object at|<class|site-packages|\.py\b"
)


def good_workbook():
    """Return a workbook without a mistake: 24 series, an own code, targets, sources, statements."""
    book = empty_workbook("town", "Town")
    for row in range(3, 27):
        figures = [20 + row + 0.1 * year for year in range(8)]
        book["Figures"].append(["8.5.2", f"measure {chr(62 + row)}", "%", None, None, "office", *figures])
    book["Sources"].append(["office", "Statistics office", "Yearbook", "official", "2025-06", "CC BY 4.0"])
    book["Sources"].append(["police", "Police", "Register", "administrative", "2025-06", "CC BY 4.0"])
    for number in (1, 2, 3):
        book["Indicators"].append([f"cu.{number}", None, None, f"Homes {number}", "6.4", "increase", "own"])
        book["Figures"].append([f"cu.{number}", None, "%", None, None, "police", 50 + number, 51 + number])
    for letter in "RST":
        book["Targets"].append(["8.5.2", f"measure {letter}", None, 5, 2030, "plan", "yes"])
    for says, count in (("improves", 180), ("worsens", 90)):
        start = ["survey", "poll", "Street survey", "City", "2024-05", None, 400, None, "random sample", None]
        book["Voices"].append([*start, "anonymous", "buses", "11.2", None, None, None, says, count, None, "office"])
    return book


# A mistake in each of 25 cells: what stands there, and a word that the message must say.
PLANTED = {
    ("Figures", "I1"): ("2O12", "year"),
    ("Figures", "L1"): (2011, "second time"),
    ("Figures", "A3"): ("8.5.9", "8.5.2"),
    ("Figures", "A4"): (datetime(2005, 2, 1), "as text"),
    ("Figures", "C5"): (None, "unit"),
    ("Figures", "D6"): ("women", "sex=female"),
    ("Figures", "E7"): ("provisoinal", "'provisional'"),
    ("Figures", "F8"): ("offlce", "did you mean 'office'?"),
    ("Figures", "F9"): (None, "short name"),
    ("Figures", "H10"): ("about 12", "a number"),
    ("Figures", "H11"): ("1,234", "1.234"),
    ("Figures", "H12"): (datetime(2024, 5, 12), "date"),
    ("Figures", "H13"): (True, "true and false"),
    ("Figures", "H14"): ("=A1*2", "formula"),
    ("Figures", "H15"): ("#DIV/0!", "formula"),
    ("Figures", "B17"): ("measure N", "after row 16"),
    ("Figures", "H18"): ("1e999", "finite"),
    ("Indicators", "E3"): ("6.44", "'6.4'"),
    ("Indicators", "F4"): ("up", "increase"),
    ("Indicators", "D5"): (None, "short name"),
    ("Targets", "E3"): (None, "2030"),
    ("Targets", "B4"): ("mesure S", "'measure S'"),
    ("Sources", "A4"): ("Police dept", "'police-dept'"),
    ("Voices", "B3"): ("pol", "'poll'"),
    ("Voices", "R4"): (900, "400"),
}  # fmt: skip
# Where the message stands, if not in the cell itself; and what follows from a mistake, to be planted with it.
AT = {("Figures", "B17"): "A17"}
WITH = {("Sources", "A4"): {("Figures", f"F{row}"): "office" for row in (27, 28, 29)}, ("Voices", "B3"): {}}


def planted(path, mistakes):
    book = good_workbook()
    for mistake in mistakes:
        for (sheet, cell), value in {mistake: PLANTED[mistake][0], **WITH.get(mistake, {})}.items():
            book[sheet][cell].value = value
    if ("Voices", "B3") in mistakes:
        book["Voices"]["A3"].value = "other"
    book.save(path)
    return check(str(path), None, TODAY)


def cells_of(problems):
    return [problem.where.partition(", ")[2] for problem in problems]


def expected_cells(mistakes):
    return [f"{sheet}!{AT.get((sheet, cell), cell)}" for sheet, cell in mistakes]


def test_twenty_five_mistakes_give_twenty_five_messages_each_at_its_cell(tmp_path):
    report = planted(tmp_path / "town.xlsx", PLANTED)
    assert len(PLANTED) == 25
    assert sorted(cells_of(report.errors)) == sorted(expected_cells(PLANTED))
    assert report.exit_code == 1
    by_cell = dict(zip(cells_of(report.errors), report.errors, strict=True))
    for mistake, (_, word) in PLANTED.items():
        problem = by_cell[expected_cells([mistake])[0]]
        assert word in f"{problem.found} {problem.expected} {problem.fix}", problem


@pytest.mark.parametrize("mistake", list(PLANTED), ids=lambda at: "!".join(at))
def test_each_mistake_alone_gives_one_message(tmp_path, mistake):
    report = planted(tmp_path / "town.xlsx", [mistake])
    assert cells_of(report.errors) == expected_cells([mistake])


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """Have the 25 mistakes told by the real command, in its three formats."""
    folder = tmp_path_factory.mktemp("told")
    planted(folder / "town.xlsx", PLANTED)
    command = [sys.executable, "-m", "vlr_analysis.cli", "check", "town.xlsx", "--format"]
    done = {
        form: subprocess.run([*command, form], cwd=folder, capture_output=True, check=False, encoding="utf-8")
        for form in ("text", "json", "html")
    }
    assert {form: (one.returncode, one.stderr) for form, one in done.items()} == dict.fromkeys(done, (1, ""))
    return {form: one.stdout for form, one in done.items()}


def test_the_command_tells_the_twenty_five_as_text(told):
    lines = [line for line in told["text"].splitlines() if line.startswith("- ")]
    form = re.compile(r"- town\.xlsx, (\w+![A-Z]+\d+): found (.+); expected (.+)\. Fix: (.+)")
    found = [form.fullmatch(line) for line in lines]
    assert all(found), [line for line, match in zip(lines, found, strict=True) if not match]
    assert sorted(match[1] for match in found) == sorted(expected_cells(PLANTED))
    assert told["text"].startswith("town.xlsx: 25 errors; ")


def test_the_command_tells_the_twenty_five_as_json(told):
    errors = json.loads(told["json"])["errors"]
    assert sorted(f"{one['sheet']}!{one['cell']}" for one in errors) == sorted(expected_cells(PLANTED))
    assert all(one[part].strip() for one in errors for part in ("found", "expected", "fix"))
    assert all(one["file"] == "town.xlsx" for one in errors)


def test_the_command_tells_the_twenty_five_as_a_page(told):
    page = told["html"].partition('id="warnings"')[0]
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>((?:<td.*?</td>){3})</tr>', page, re.S)
    assert sorted(where for where, _ in rows) == sorted(expected_cells(PLANTED))
    for _, cells in rows:
        texts = [re.sub("<[^>]+>", "", cell).strip() for cell in re.findall(r"<td.*?</td>", cells, re.S)]
        assert all(texts), texts
    assert "Check of town.xlsx" in page


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_no_word_of_a_programmer_reaches_the_officer(told, form):
    words = re.sub(r"<style.*?</style>|<p>None\.</p>|<[^>]+>", " ", told[form], flags=re.S)
    assert not PROGRAMMER.search(words), PROGRAMMER.search(words)
    assert not BANNED.search(words)


def test_a_page_over_several_files_names_each_of_them():
    report = Report("town", errors=[Problem("params/town.yaml, key name", "3", "a text", "write it"),
                                    Problem("town.xlsx, Figures!H3", "x", "a number", "write it")])  # fmt: skip
    assert "params/town.yaml, key name" in report.html() and "town.xlsx, Figures!H3" in report.html()
    assert "town (town.xlsx)" in Report("town", errors=report.errors[1:]).html()


def test_a_target_of_a_series_whose_own_row_is_wrong_is_not_told_as_well(tmp_path):
    book = good_workbook()
    book["Targets"]["B3"] = "measure A"
    book["Figures"]["C3"] = None
    book.save(tmp_path / "town.xlsx")
    assert cells_of(check(str(tmp_path / "town.xlsx"), None, TODAY).errors) == ["Figures!C3"]


def test_without_mistakes_the_check_is_green(tmp_path):
    report = planted(tmp_path / "town.xlsx", [])
    assert (report.result, report.exit_code) == ("right", 0)
    assert (report.errors, report.warnings, report.repairs) == ((), (), ())
    assert (report.figures, report.series, report.first, report.last) == (198, 27, "2010", "2017")


def test_messages_come_in_the_order_of_the_cells(tmp_path):
    report = planted(tmp_path / "town.xlsx", PLANTED)
    cells = cells_of(report.errors)
    assert cells[:5] == ["Figures!I1", "Figures!L1", "Figures!A3", "Figures!A4", "Figures!C5"]
    assert cells[-1] == "Sources!A4"


@pytest.mark.parametrize(
    ("sheet", "cell", "value", "at", "word"),
    [
        ("Figures", "A1", "Indicatr", "A1", "'Indicator'"),
        ("Figures", "AB1", "Comment", "AB1", "year"),
        ("Figures", "AB4", 12, "AB1", "without a year"),
        ("Indicators", "A6", "cu.1", "A6", "after row 3"),
        ("Indicators", "A6", "our code", "A6", "'our-code'"),
        ("Targets", "E3", 20300, "E3", "2100"),
        ("Targets", "D3", "five", "D3", "a number"),
        ("Targets", "D3", None, "D3", "value"),
        ("Targets", "G3", "maybe", "G3", "yes"),
        ("Sources", "A4", "office", "A4", "after row 3"),
        ("Sources", "F4", None, "F4", "not stated"),
        ("Sources", "D4", "offical", "D4", "'official'"),
        ("Sources", "E4", "spring", "E4", "date"),
        ("Notes", "A3", "8.5.2", "B3", "a note"),
        ("Guide", "B2", "My Town", "B2", "small letters"),
    ],
)
def test_other_mistakes_are_told_at_their_cell_too(tmp_path, sheet, cell, value, at, word):
    book = good_workbook()
    if (sheet, cell) == ("Sources", "A4"):
        for row in (27, 28, 29):
            book["Figures"][f"F{row}"] = "office"
    if sheet == "Indicators":
        book[sheet]["D6"], book[sheet]["E6"] = "Label", "6.4"
    book[sheet][cell] = value
    book.save(tmp_path / "town.xlsx")
    report = check(str(tmp_path / "town.xlsx"), None, TODAY)
    assert cells_of(report.errors) == [f"{sheet}!{at}"]
    assert word in str(report.errors[0])


# --- CSV -----------------------------------------------------------------------------------------------

ROWS = [f"town,8.5.2,jobless,%,{year},,{6 + year % 7 / 10},,,,office" for year in range(2010, 2020)]
CSV_PLANTED = {
    3: ("town,,jobless,%,2011,,6,,,,office", "column indicator"),
    4: ("town,8.5.2,jobless,%,20l2,,6,,,,office", "column period"),
    5: ("town,8.5.2,jobless,%,2013,women,6,,,,office", "column breakdown"),
    6: ("town,8.5.2,jobless,%,2014,,about 6,,,,office", "column value"),
    7: ("town,8.5.2,jobless,%,2015,,6,7,8,,office", "column low"),
    8: ("town,8.5.2,jobless,%,2016,,6,,,guess,office", "column status"),
    9: ("Town!,8.5.2,jobless,%,2017,,6,,,,office", "column area"),
    10: ("town,8.5.2,jobless,%,2010,,6,,,,office", "column indicator"),
    11: ("town,8.5.2,jobless,,2019,,6,,,,office", "column unit"),
}


def csv_file(path, rows, header=HEADER, begin=""):
    path.write_text(begin + "\n".join([header, *rows]) + "\n", encoding="utf-8")
    return check(str(path), None, TODAY)


def test_mistakes_in_a_csv_file_are_told_by_row_and_column(tmp_path):
    rows = list(ROWS)
    for line, (row, _) in CSV_PLANTED.items():
        rows[line - 2] = row
    report = csv_file(tmp_path / "town.csv", rows)
    assert cells_of(report.errors) == [f"row {line}, {column}" for line, (_, column) in CSV_PLANTED.items()]


def test_a_wrong_heading_is_told_once_and_its_column_read_all_the_same(tmp_path):
    report = csv_file(tmp_path / "town.csv", ROWS, header=HEADER.replace("indicator", "indicatr"))
    assert [problem.fix for problem in report.errors] == ["did you mean 'Indicator'?"]
    assert report.figures == len(ROWS)


@pytest.mark.parametrize("gone", ["indicator", "unit", "source", "area"])
@pytest.mark.parametrize("wide", [True, False])
def test_a_column_that_is_not_there_is_told_at_the_header_and_nothing_breaks(tmp_path, gone, wide):
    heads = HEADER.split(",")
    rows = [dict(zip(heads, row.split(","), strict=True)) for row in ROWS]
    kept = [name for name in heads if name != gone and not (wide and name in ("period", "value", "low", "high"))]
    table = [[row[name] for name in kept] + ([row["value"]] if wide else []) for row in rows[: 1 if wide else None]]
    header = ",".join([*kept, *(["2019"] if wide else [])])
    report = csv_file(tmp_path / "town.csv", map(",".join, table), header=header)
    assert report.figures == 0
    assert [problem.found for problem in report.errors][:1] == [f"no column {gone.capitalize()}"]
    assert len(report.errors) == 1


def test_harmless_slips_are_mended_and_each_is_logged(tmp_path):
    slips = {
        2: ('"6,1"', "decimal comma"), 3: ("1 234", "thousands mark"), 4: ("–6.3", "dash"), 5: ("  6.4", ""),
        6: ("6.5 (p)", "provisional"), 7: ("..", "missing"),
    }  # fmt: skip
    rows = [f"town,8.5.2,jobless,%,{2008 + line},,{value},,,,office" for line, (value, _) in slips.items()]
    rows += ["town,8.5.2, jobless ,%,2016,,6.7,,,,office", "town,8.5.2,jobless,%,2017/18,,6.8,,,,office",
             "town,8.5.2,jobless,%,FY2019,,6.8,,,,office"]  # fmt: skip
    path = tmp_path / "town.csv"
    report = csv_file(path, rows, begin="\ufeff")
    assert report.errors == ()
    whys = " | ".join(f"{place(repair.where)['row']}: {repair.why}" for repair in report.repairs)
    expected = [
        "None: byte-order mark", "2: decimal comma", "3: thousands mark", "4: dash", "5: stray spaces", "6: mark p",
        "7: mark for a missing value", "8: stray spaces", "9: year that begins", "10: year that begins",
    ]  # fmt: skip
    for why in expected:
        assert why in whys
    table = kit.read_table(path)
    assert table["value"].tolist()[:5] == [6.1, 1234, -6.3, 6.4, 6.5]
    assert table["status"].tolist()[4:6] == ["provisional", "missing"]
    assert table["period"].tolist()[-2:] == ["2017-07-01/P1Y", "2018-07-01/P1Y"]
    assert set(table["series"]) == {"jobless"}


def test_a_clean_file_is_read_as_a_run_reads_it(project):
    path = project / "data" / "porto-exemplo.csv"
    report = check(str(path), project, TODAY)
    assert (report.figures, report.errors, report.repairs) == (len(kit.read_table(path)), (), ())


def test_a_register_of_voices_is_checked_as_one(project):
    path = project / "data" / "voices" / "porto-exemplo.csv"
    assert check(str(path), project, TODAY).errors == ()
    path.write_text(path.read_text(encoding="utf-8").replace(",poll,", ",pol,", 1), encoding="utf-8")
    assert check(str(path), project, TODAY).exit_code == 1


# --- warnings ------------------------------------------------------------------------------------------

STEADY = [10.2, 10.4, 10.1, 10.6, 10.5, 10.9, 10.8, 11.2]
DOUBTFUL = {
    "a jump by a factor of ten": ([["8.5.2", "a", "%", None, None, "office", *STEADY[:4], 106, *STEADY[5:]]],
                                  "Figures!K3", "10"),
    "a proportion among percentages": ([["8.5.2", "a", "%", None, None, "office", *STEADY[:4], 0.1062, *STEADY[5:]]],
                                       "Figures!K3", "per cent"),
    "a share above all": ([["8.5.2", "a", "%", None, None, "office", 97, 96, 98, 130]], "Figures!J3", "100"),
    "a year that has not begun": ([["8.5.2", "a", "%", None, None, "office", *[None] * 18, 10.4]], "Figures!Y3",
                                  "2028"),
    "a series spelt in two ways": ([["8.5.2", "Jobless", "%", None, None, "office", *STEADY],
                                    ["8.5.2", "jobless ", "%", "sex=male", None, "office", *STEADY]], "", "spelling"),
    "a unit that is a slip of the pen": ([["8.5.2", "a", "% of populaton", None, None, "office", *STEADY]],
                                         "Figures!C3", "% of population"),
    "two units in one series": ([["8.5.2", "a", "%", None, None, "office", *STEADY],
                                 ["8.5.2", "a", "proportion", "sex=male", None, "office", .1, .11]], "", "one unit"),
    "a unit unlike the indicator's": ([["3.6.1", None, "%", None, None, "office", *STEADY]], "Figures!C3", "fits"),
    "a percentage in another unit": ([["8.5.2", "a", "people", None, None, "office", "12 %", 13]], "Figures!G3",
                                     "percentage"),
    "groups without the whole": ([["8.5.2", "a", "%", "sex=male", None, "office", *STEADY]], "Figures!D3",
                                 "whole city"),
    "a group larger than the whole": ([["8.5.2", "a", "people", None, None, "office", 900],
                                       ["8.5.2", "a", "people", "sex=male", None, "office", 950]], "Figures!G4", "950"),
    "districts all above their total": ([
        ["8.5.2", "a", "%", None, None, "office", *STEADY],
        *(["8.5.2", "a", "%", f"district={name}", None, "office", *(value + plus for value in STEADY)]
          for name, plus in (("A", 6), ("B", 7), ("C", 8)))], "Figures!G4", "all 3 groups"),
}  # fmt: skip


@pytest.mark.parametrize("doubt", list(DOUBTFUL))
def test_what_looks_wrong_is_a_warning_at_its_cell(tmp_path, doubt):
    rows, at, word = DOUBTFUL[doubt]
    book = empty_workbook("town", "Town")
    book["Sources"].append(["office", "Statistics office", "Yearbook", "official", "2025-06", "CC BY 4.0"])
    for row in rows:
        book["Figures"].append(row)
    book.save(tmp_path / "town.xlsx")
    report = check(str(tmp_path / "town.xlsx"), None, TODAY)
    assert report.errors == ()
    assert report.exit_code == 0
    assert any(word in str(problem) for problem in report.warnings), report.warnings
    if at:
        assert at in cells_of(report.warnings)


@pytest.mark.parametrize(("in_sources", "in_figures", "at"), [
    ("inec", "INEC", "Figures!F3"), ("INEC", "inec", "Sources!A3"), ("INEC", "INEC", "Sources!A3"),
])  # fmt: skip
def test_a_source_in_other_capitals_is_one_message(tmp_path, in_sources, in_figures, at):
    book = empty_workbook("town", "Town")
    book["Sources"].append([in_sources, "Institute", "Yearbook", "official", "2025-06", "CC BY 4.0"])
    for name in "ab":
        book["Figures"].append(["8.5.2", name, "%", None, None, in_figures, *STEADY])
    book.save(tmp_path / "town.xlsx")
    report = check(str(tmp_path / "town.xlsx"), None, TODAY)
    assert cells_of(report.errors) == [at]
    assert "'inec'" in report.errors[0].fix and "capitals" in str(report.errors[0])


def test_words_of_the_officers_language_are_read_and_logged(tmp_path):
    book = empty_workbook("town", "Town")
    kinds = [("a", "oficial", "official"), ("b", "Enquête", "survey"), ("c", "إدارية", "administrative")]
    for name, kind, _ in kinds:
        book["Sources"].append([name, "Institute", "Yearbook", kind, "2025-06", "CC BY 4.0"])
    units, statuses = ("personas", "persons", "people", "أشخاص"), ("Estimado", "provisoire", "نهائية", None)
    for name, unit, status in zip("klmn", units, statuses, strict=True):
        book["Figures"].append(["8.5.2", name, unit, None, status, "a", *STEADY])
    for name, unit, word in (
        ("k", "personas", "sí"),
        ("l", "people", "Oui"),
        ("m", "persons", "نعم"),
        ("n", None, "non"),
    ):
        book["Targets"].append(["8.5.2", name, unit, 5, 2030, "plan", word])
    book.save(tmp_path / "town.xlsx")
    filled = template_sheet.read_workbook(tmp_path / "town.xlsx")
    assert check(str(tmp_path / "town.xlsx"), None, TODAY).errors == ()
    assert filled.sources["source_class"].tolist() == [word for *_, word in kinds]
    assert set(filled.table["unit"]) == {"people"}
    said = filled.table.drop_duplicates("series").set_index("series")["status"].to_dict()
    assert said == {"k": "estimated", "l": "provisional", "m": "value", "n": "value"}
    assert filled.targets["priority"].tolist() == [True, True, True, False]
    logged = [repair for repair in filled.repairs if repair.why == IN_OUR_WORDS]
    assert len(logged) == 3 + 3 + 4


def test_sexes_and_percentages_in_the_officers_language_are_those_of_every_table(tmp_path):
    book = empty_workbook("town", "Town")
    book["Sources"].append(["a", "Institute", "Yearbook", "official", "2025-06", "CC BY 4.0"])
    for group in (None, "sexe=femmes", "Sexo=hombres", "âge=15-24;sexe=Femme", "sexe=autre", "quartier=Nord"):
        book["Figures"].append(["8.5.2", "k", "pour cent", group, None, "a", *STEADY])
    book.save(tmp_path / "town.xlsx")
    filled = template_sheet.read_workbook(tmp_path / "town.xlsx")
    wanted = {"", "sex=female", "sex=male", "age=15-24;sex=female", "sex=autre", "quartier=Nord"}
    assert set(filled.table["breakdown"]) == wanted and set(filled.table["unit"]) == {"%"}
    assert len([repair for repair in filled.repairs if IN_OUR_WORDS in repair.why]) == 4


def test_a_sheet_of_another_name_is_told_and_not_read(tmp_path):
    book = good_workbook()
    for name, state in (("Brouillon", "hidden"), ("Chiffres 2", "visible"), ("Figures 2", "visible")):
        page = book.create_sheet(name)
        for row in list(book["Figures"].iter_rows(min_row=1, max_row=8, values_only=True)):
            page.append(row)
        page.sheet_state = state
    for row in book["Figures 2"].iter_rows(min_row=2):
        for cell in row:
            cell.value = None
    book.save(tmp_path / "town.xlsx")
    filled = template_sheet.read_workbook(tmp_path / "town.xlsx")
    told = [str(problem) for problem in filled.warnings if "not read" in str(problem)]
    assert (
        len(told) == 2
        and "Brouillon" in told[0]
        and "Chiffres 2" in told[1]
        and "begin its name with Figures" in told[0]
    )
    assert not [repair for repair in filled.repairs if "Brouillon" in repair.where]


# --- a city --------------------------------------------------------------------------------------------


def test_parameters_and_workbook_are_checked_at_once(project):
    new_city("town", project, country="GBR")
    book = good_workbook()
    book["Figures"]["H10"] = "about 12"
    book.save(project / "data" / "town.xlsx")
    path = project / "params" / "town.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("  country:", "  contry:"), encoding="utf-8")
    report = check("town", project, TODAY)
    told = [str(problem) for problem in report.errors]
    assert any("did you mean 'country'" in text for text in told)
    assert any("Figures!H10" in text for text in told)


def test_a_country_that_was_never_filled_in_is_a_warning(project):
    new_city("town", project)
    assert [problem.where for problem in check("town", project, TODAY).warnings] == ["params/town.yaml, key country"]


def test_a_city_with_a_csv_file_is_checked_with_all_its_tables(project):
    report = check("porto-exemplo", project, TODAY)
    assert (report.errors, report.exit_code) == ((), 0)
    assert report.figures > 1000
    path = project / "params" / "porto-exemplo.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("indicator: pe.4", "indicator: pe.44"), encoding="utf-8")
    assert "pe.44" in check("porto-exemplo", project, TODAY).text()


def test_a_name_that_nothing_has_is_one_message(project):
    assert "did you mean 'porto-exemplo'" in check("porto-exmplo", project, TODAY).text()
    with pytest.raises(InputError, match="no such file"):
        check(str(project / "data" / "none.xlsx"), project, TODAY)
    with pytest.raises(InputError, match="params/"):
        check("town", None, TODAY)


# --- the report ------------------------------------------------------------------------------------------


def hostile_report():
    text = '<script>alert("x")</script>'
    return Report(text, errors=[Problem(f"x.xlsx, Figures!A1{text}", text, "=1+1", "\u202eright to left")],
                  repairs=[Repair("x.xlsx, Figures!B2", text, "1", "why")])  # fmt: skip


def test_the_page_stands_alone_and_escapes_what_people_wrote(tmp_path):
    page = hostile_report().html()
    assert page.count("<script") == Report("x").html().count("<script")
    assert page.count("&lt;script&gt;") >= 4
    assert not re.search(r"""(src|href)=["']?(https?:|//)""", page)
    assert "To be mended before a run" in page
    assert "Ready for a run" in planted(tmp_path / "town.xlsx", []).html()
    assert "Nothing yet" in Report("x").html()


def test_json_keeps_its_keys(tmp_path):
    report = planted(tmp_path / "town.xlsx", [("Figures", "H10"), ("Figures", "C5")])
    content = json.loads(report.json())
    assert list(content) == ["format", "version", "subject", "result", "figures", "series", "first", "last", "errors",
                             "warnings", "repairs"]  # fmt: skip
    assert (content["format"], content["version"], content["result"]) == ("vlr-check", 1, "errors")
    assert content["errors"][0] == {
        "where": "town.xlsx, Figures!C5", "file": "town.xlsx", "sheet": "Figures", "cell": "C5", "row": 5,
        "column": "C", "found": "nothing", "expected": "the unit of the figures", "fix": content["errors"][0]["fix"],
    }  # fmt: skip
    repair = json.loads(hostile_report().json())["repairs"][0]
    assert list(repair) == ["where", "file", "sheet", "cell", "row", "column", "found", "taken", "why"]


@pytest.mark.parametrize(
    ("where", "parts"),
    [
        ("x.xlsx, Figures!AB12", ("x.xlsx", "Figures", "AB12", 12, "AB")),
        ("a, b.xlsx, My sheet, 2!C4", ("a, b.xlsx", "My sheet, 2", "C4", 4, "C")),
        ("x.xlsx, Figures!row 3", ("x.xlsx", "Figures", "", 3, "")),
        ("x.csv, row 4, column value", ("x.csv", "", "", 4, "value")),
        ("x.csv, rows 4, 5", ("x.csv", "", "", 4, "")),
        ("params/x.yaml, key country", ("params/x.yaml", "", "", None, "")),
    ],
)
def test_a_place_is_taken_apart(where, parts):
    assert tuple(place(where).values()) == parts


def test_doubtful_repairs_come_first_and_plain_ones_by_kind():
    plain = [Repair(f"x.xlsx, Figures!A{n}", "'1,5'", "1.5", "decimal comma") for n in range(LISTED + 3)]
    odd = [
        Repair("x.xlsx, Figures!B1", "'1.234'", "1234", "thousands mark taken out"),
        Repair("x.xlsx, Figures!B2", "0.12", "12", "shown as a percentage, multiplied by 100"),
        Repair("x.xlsx, Figures!B3", "'2 (c)'", "suppressed", "mark c beside a number: confidential"),
        Repair("x.xlsx, Figures!B4", "'?'", "5", "a reason that nobody has sorted"),
    ]
    more = [
        Repair("x.xlsx, Figures!C1", "'1.234,5'", "1234.5", "thousands mark taken out, decimal comma"),
        Repair("x.xlsx, Figures!C2", "'1 234'", "1234", "thousands mark taken out"),
    ]
    report = Report("x.xlsx", 1, 1, repairs=[*plain, *more, *odd])
    assert (list(report.doubtful), list(report.plain)) == (odd, [*plain, *more])
    first, _, second = report.text().partition("Plain repairs")
    assert "to be looked at" in first and all(one.where in first for one in odd)
    assert f"decimal comma, {LISTED + 3} times: x.xlsx, Figures!A0 ('1,5' read as 1.5)" in second
    assert second.count("read as") == 5 and f"and {LISTED} more" in second
    assert len(json.loads(report.json())["repairs"]) == LISTED + 9
    page = report.html()
    assert page.count("decimal comma") == LISTED + 4 and page.index("Figures!B4") < page.index("Figures!A0")
    many = Report("x.xlsx", 1, 1, repairs=[odd[1]] * (LISTED + 3)).text()
    assert many.count("multiplied") == LISTED and "3 more" in many


def test_the_text_lists_so_many_errors_as_a_person_reads(tmp_path):
    rows = [f"town,8.5.2,jobless,%,{year},,about {year},,,,office" for year in range(1600, 2000)]
    report = csv_file(tmp_path / "town.csv", rows)
    assert len(report.errors) == len(json.loads(report.json())["errors"]) == 400
    assert report.text().count("a number. Fix") == TOLD
    assert "and 200 more; --format html or json lists all" in report.text()


def test_no_message_is_longer_than_a_screen(tmp_path):
    book = good_workbook()
    for number in range(150):
        book.create_sheet(f"a sheet with a long name {number}").append(["x"])
    book["Figures"].title = "Sheet"
    book["Guide"]["B2"] = "y" * 30_000
    book.save(tmp_path / "town.xlsx")
    with pytest.raises(InputError, match=r"and .* more") as caught:
        check(str(tmp_path / "town.xlsx"), None, TODAY)
    head = "z" * 100_000
    report = csv_file(tmp_path / "town.csv", [f"{row},{head}" for row in ROWS], header=f"{HEADER},{head}")
    for problem in (*caught.value.problems, *report.errors):
        assert len(str(problem)) < 3000


# --- the words ---------------------------------------------------------------------------------------------


def every_message(tmp_path, project):
    """Yield what the check says of all mistakes and doubts of this file."""
    yield from planted(tmp_path / "town.xlsx", PLANTED).errors
    rows = list(ROWS)
    for line, (row, _) in CSV_PLANTED.items():
        rows[line - 2] = row
    yield from csv_file(tmp_path / "town.csv", rows).errors
    for rows, _, _ in DOUBTFUL.values():
        book = empty_workbook("town", "Town")
        for row in rows:
            book["Figures"].append(row)
        book.save(tmp_path / "town.xlsx")
        report = check(str(tmp_path / "town.xlsx"), None, TODAY)
        yield from (*report.errors, *report.warnings)
    new_city("town", project)
    yield from check("town", project, TODAY).warnings
    (project / "params" / "town.yaml").write_text("city: {id: tow, name: 3, horizon: soon, goals: [99]}", "utf-8")
    yield from check("town", project, TODAY).errors


def test_every_message_reads_as_help(tmp_path, project):
    messages = list(every_message(tmp_path, project))
    assert len(messages) > 45
    for problem in messages:
        parts = (problem.where, problem.found, problem.expected, problem.fix)
        assert all(part.strip() for part in parts), problem
        assert str(tmp_path) not in str(problem), problem
        assert not BANNED.search(str(problem)), problem
        assert not PROGRAMMER.search(str(problem)), problem
        assert all(len(part) <= 200 for part in parts), problem
        assert all(len(sentence.split()) <= 40 for part in parts for sentence in re.split(r"[.?;:] ", part)), problem
        assert re.search(r", (\w+!|row|column|key)", problem.where), problem


# --- a messy file, all the way -------------------------------------------------------------------------------


def messy_workbook(path):
    """Write what a department sends: two header rows, joined cells, footnotes, marks, decimal commas."""
    book = openpyxl.Workbook()
    page = book.active
    page.title = "Tabla 4"
    page.append(["Desempleo y vivienda, 2012-2021"])
    page.append([])
    page.append(["Indicador", "Unidad", "Años"])
    page.append([None, None, *range(2012, 2021), "2021*"])
    for joined in ("A3:A4", "B3:B4", "C3:L3"):
        page.merge_cells(joined)
    page.append(["Tasa de desempleo", "%", "6,1", "6,3", "6,0", "5,8", "..", "5,7", "5,9", "5,6", "9,2", "7,1 (p)"])
    page.append(["Viviendas sin agua", "homes", *(f"1 {n}" for n in range(900, 800, -10))])
    page.append([])
    page.append(["Fuente: oficina de estadística"])
    page.append(["* Datos provisionales"])
    book.save(path)


def test_a_messy_workbook_goes_from_file_to_review(project, tmp_path):
    messy_workbook(tmp_path / "messy.xlsx")
    new_city("town", project, name="Town", country="ECU")
    reading = read_wide(tmp_path / "messy.xlsx", area="town", source="office")
    assert reading.problems == []
    path = project / "data" / "town.csv"
    kit.write_table(reading.table, path)
    with (project / "data" / "sources.csv").open("a", encoding="utf-8") as file:
        file.write("office,Statistics office,Tabla 4,official,,,,2025-06,CC BY 4.0,,,\n")
    parameters = project / "params" / "town.yaml"
    text = parameters.read_text(encoding="utf-8").replace("data: data/town.xlsx", "data: data/town.csv")
    wish = "\n  indicators:\n    - {indicator: town.viviendas-sin-agua, direction: decrease}\n"
    parameters.write_text(text.rstrip() + wish, encoding="utf-8")
    report = check("town", project, TODAY)
    assert report.errors == ()
    table = kit.read_table(path).set_index(["series", "period"])["value"]
    assert table[("Viviendas sin agua", "2012")] == 1900
    jobless = reading.table[reading.table["unit"] == "%"]
    assert jobless["value"].count() == 9
    assert jobless["status"].tolist().count("missing") == 1
    assert jobless["status"].iloc[-1] == "provisional"
    findings = Results(load_cities(["town"], project)[0]).findings
    assert any("Viviendas sin agua" in finding.statement for finding in findings)
