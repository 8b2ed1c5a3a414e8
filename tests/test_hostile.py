"""Files made to harm: nothing in them runs, unpacks without measure, or is named by more than its own name."""

import io
import sys
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from vlr_analysis.errors import InputError
from vlr_analysis.sources.formats import read
from vlr_analysis.sources.reading import write_origins
from vlr_analysis.sources.sheets import open_sheets

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

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
