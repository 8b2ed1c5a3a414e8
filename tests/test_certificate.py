"""The certificate of a review: what it holds, that it comes out alike twice, and that no change escapes `verify`."""

import functools
import json
import os
import re
import shutil
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlr_analysis.cities import load_city
from vlr_analysis.errors import InputError
from vlr_analysis.review import certificate, inputs, plan, run, verify
from vlr_analysis.review.differences import near, table_differences
from vlr_analysis.review.reproduce import write_report

ROOT = Path(__file__).resolve().parents[1]
CITY = "porto-exemplo"
TABLE = "tables/02_trends_trends.csv"


def checkout(root, *, change=lambda root: None):
    """Copy what the made-up city needs into another folder, two notebooks only, and change something there."""
    data = [f"data/{one}.csv" for one in (CITY, "republica-exemplo", "areas", "sources", "indicators")]
    notebooks = ["notebooks/02_trends.ipynb", "notebooks/08_findings.ipynb"]
    for name in (f"params/{CITY}.yaml", f"data/voices/{CITY}.csv", "docs/methods/README.md", *data, *notebooks):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    change(root)
    return root


def review(root, out, runner=None):
    """Run the two notebooks in a checkout and write the report with its certificate."""
    city = load_city(CITY, root)
    tasks = plan.plan([city.parameters], plan.chosen_notebooks(root, []), root, internal=False)
    write_report(city, tasks, runner or (lambda tasks, place: run.run_all(tasks, place, 2)), out)
    return out / city.id


@functools.cache
def made_up_report():
    """Return the report of the made-up city; notebooks run once, whatever asks for it."""
    place = Path(tempfile.mkdtemp(prefix="vlr-test-"))
    return review(checkout(place / "first checkout"), place / "reports")


@pytest.fixture
def report(tmp_path):
    return Path(shutil.copytree(made_up_report(), tmp_path / CITY))


def edit(path, old, new):
    """Replace one text in a file, and say how the file differs."""
    content = path.read_bytes()
    assert old.encode() in content
    path.write_bytes(content.replace(old.encode(), new.encode(), 1))


def held(report):
    return json.loads((report / "certificate.json").read_text(encoding="utf-8"))


def reseal(report, **update):
    """Forge: hash the changed files anew, as someone would who knows the form of a certificate."""
    made = certificate.Certificate.model_validate(held(report)).model_copy(update=update)
    return certificate.seal(report, made)


# --- what it holds -----------------------------------------------------------------------------


def test_a_fresh_report_is_what_its_certificate_says(report):
    assert verify.verify(report) == []
    assert verify.verify(report.parent) == []


def test_every_delivered_file_is_listed_with_its_hash(report):
    there = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    assert set(held(report)["files"]) == there - {"certificate.json", "handover/linkage-log.csv"}
    assert {"index.html", TABLE, "handover/box.docx", "02_trends.ipynb"} <= there


def test_no_clock_no_user_no_machine_no_path(report):
    text = (report / "certificate.json").read_text(encoding="utf-8")
    assert not re.search(r"(?<![\w.])/(home|root|work|tmp|Users)/|[A-Z]:\\\\|\d{2}:\d{2}:\d{2}", text)
    for name in (os.environ.get("USER"), os.environ.get("HOSTNAME"), tempfile.gettempdir()):
        assert not name or len(name) < 4 or name not in text


def test_hash_of_a_file_with_hidden_figures_would_give_them_away(report):
    """Whoever knows the rest of a file could try values until its hash fits: so it is not given."""
    found = held(report)["inputs"]
    own, nation = f"data/{CITY}.csv", "data/republica-exemplo.csv"
    assert found[nation] == {"hash_of": "the file", "sha256": inputs.hash_file(ROOT / nation)}
    assert "suppressed" in set(load_city(CITY, ROOT).observations["status"])
    for name in (own, f"data/voices/{CITY}.csv"):
        assert found[name]["hash_of"] != "the file"
        assert inputs.hash_file(ROOT / name) not in json.dumps(held(report))


def test_files_of_which_this_review_shows_nothing_are_named_and_not_hashed(tmp_path):
    city = load_city(CITY, ROOT)
    listed = inputs.of_city([], inputs.Hashes(ROOT)) | {"data/voices/another-city.csv": "0" * 64}
    shutil.copytree(made_up_report(), tmp_path / CITY)
    found = certificate.make(tmp_path / CITY, city, listed).inputs["data/voices/another-city.csv"]
    assert found.sha256 == ""
    assert found.hash_of.startswith("nothing")


def test_why_something_is_hidden_is_covered_and_no_result(report):
    """A city that runs another's review from its hand-over does not have the hidden figures."""
    before = certificate.results_of(report)
    assert "files.csv" not in before.tables
    (report / "tables" / "04_disparities_kept_back.csv").write_text("reason\nprimary\n", encoding="utf-8")
    assert certificate.results_of(report) == before
    assert [item.file for item in verify.verify(report)] == ["tables/04_disparities_kept_back.csv"]


def test_its_page_shows_results_levels_and_room_for_names(report):
    from vlr_analysis.review.pages import render

    values = certificate.page(certificate.Certificate.model_validate(held(report)))
    html = render("certificate.html.j2", city=load_city(CITY, ROOT), chapters=[], language="en", certificate=values)
    assert held(report)["results"]["sha256"] in html
    assert all(f"<dt>{level}</dt>" in html for level in ("L0", "L1", "L2", "L3", "L4"))
    assert html.count("<tr><td>&nbsp;") == 4


# --- what verify says --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["index.html", TABLE, "findings.jsonl", "handover/box.docx", "handover/annex.xlsx", "02_trends.ipynb",
             "handover/feed/package/observations.csv", "review.json"]
)  # fmt: skip
def test_one_byte_changed_names_the_file(report, name):
    content = bytearray((report / name).read_bytes())
    content[len(content) // 2] ^= 1
    (report / name).write_bytes(bytes(content))
    assert name in {item.file for item in verify.verify(report) if item.kind == "file"}


def cell_of(report):
    """Return the row and the slope of one line of the table of trends."""
    table = pd.read_csv(report / TABLE, dtype=str, keep_default_na=False)
    row = table[(table["indicator"] == "1.2.1") & (table["breakdown"] == "")].iloc[0]
    return row["slope_per_year"]


def test_a_changed_cell_is_named_with_row_column_and_both_values(report):
    slope = cell_of(report)
    edit(report / TABLE, slope, "-0.9999")
    cells = [item for item in verify.verify(report) if item.kind == "cell"]
    assert [(item.file, item.there, item.here) for item in cells] == [(TABLE, slope, "-0.9999")]
    assert "1.2.1" in cells[0].where
    assert cells[0].where.endswith("column slope_per_year")


def test_a_cell_is_named_also_where_its_hash_was_made_anew(report):
    edit(report / TABLE, cell_of(report), "-0.9999")
    reseal(report)
    found = verify.verify(report)
    assert (TABLE, "canonical form") in {(item.file, item.where) for item in found}
    reseal(report, results=certificate.results_of(report))
    assert {item.file for item in verify.verify(report)} == {TABLE}


def test_a_number_changed_inside_a_notebook_names_the_notebook(report):
    path = report / "02_trends.ipynb"
    path.write_bytes(path.read_bytes().replace(cell_of(report).encode(), b"-0.9999"))
    cells = [item for item in verify.verify(report) if item.kind == "cell"]
    assert f"02_trends.ipynb, its copy of {TABLE}" in {item.file for item in cells}
    assert TABLE not in {item.file for item in cells}


@pytest.mark.parametrize("name", ["index.html", "evidence.html", "02_trends.html", "findings.jsonl"])
def test_a_sentence_is_told_alike_everywhere(report, name):
    lines = (report / "findings.jsonl").read_text(encoding="utf-8").splitlines()
    one = next(item for item in map(json.loads, lines) if item["kind"] == "trend" and "per" not in item["caveat"])
    edited = (report / name).read_text(encoding="utf-8").replace(one["statement"][:40], "Another sentence entirely")
    (report / name).write_text(edited, encoding="utf-8", newline="")
    reseal(report, results=certificate.results_of(report))
    found = verify.verify(report)
    assert found
    assert all(item.kind == "sentence" and one["id"] in item.where for item in found)
    assert name in {item.file for item in found}


@pytest.mark.parametrize(
    ("said", "value", "known"),
    [
        ("−0.61 people a year", -0.6125, True),
        ("£1,235", 1234.6, True),
        ("5.20 %", 5.2, True),
        ("0.7 people", -0.6125, False),
    ],
)
def test_a_number_of_the_box_is_a_finding_s_in_its_rounding(tmp_path, said, value, known):
    (tmp_path / "handover").mkdir()
    (tmp_path / "handover" / "box.md").write_text(f"- **{said}.** Road deaths.\n", encoding="utf-8")
    found = verify._box(tmp_path, [{"unit": "people", "numbers": {"slope_per_year": value, "n": 8}}])
    assert (list(found) == []) == known


def test_a_number_of_the_box_that_no_finding_has_is_named(report):
    first = re.search(r"^- \*\*(.\d+\.?\d*|\d+\.?\d*)", (report / "handover/box.md").read_text(encoding="utf-8"), re.M)
    edit(report / "handover/box.md", first[1], "987.6")
    reseal(report)
    assert [(item.file, "987.6" in item.here) for item in verify.verify(report)] == [("handover/box.md", True)]


def test_extra_and_missing_files_are_named(report):
    (report / "more.txt").write_text("x", encoding="utf-8")
    (report / "review.json").unlink()
    found = {item.file: item for item in verify.verify(report)}
    assert set(found) == {"more.txt", "review.json"}
    assert (found["more.txt"].there, found["review.json"].here) == ("", "")


def test_people_may_fill_the_linkage_log_and_add_signatures(report):
    (report / "handover" / "linkage-log.csv").write_text("door,file\nannex,sent\n", encoding="utf-8")
    (report / "signatures").mkdir()
    (report / "signatures" / "them.json").write_text("{}", encoding="utf-8")
    assert verify.verify(report) == []


def test_a_zip_is_verified_like_its_folder(report, tmp_path):
    with zipfile.ZipFile(tmp_path / "report.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(report.rglob("*")):
            archive.write(path, path.relative_to(report.parent))
    assert verify.verify(tmp_path / "report.zip") == []
    edit(report / TABLE, cell_of(report), "-0.9999")
    with zipfile.ZipFile(tmp_path / "report.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(report.rglob("*")):
            archive.write(path, path.relative_to(report.parent))
    assert TABLE in {item.file for item in verify.verify(tmp_path / "report.zip")}


# --- hostile input -----------------------------------------------------------------------------

CERTIFICATE = "certificate.json"
HOSTILE = {
    "not JSON": lambda text: text[: len(text) // 2],
    "not text": lambda _: b"\xff\xfe\x00",
    "deep": lambda _: "[" * 200_000,
    "a list": lambda _: "[]",
    "another format": lambda text: text.replace("vlr-certificate", "vlr-something"),
    "another version": lambda text: text.replace('"version": 1\n}', '"version": 2\n}'),
    "unknown key": lambda text: text.replace('"internal": ', '"more": 1, "internal": '),
    "a key twice": lambda text: text.replace('"internal": ', '"internal": true, "internal": '),
    "a path that leads out": lambda text: text.replace('"index.html": {', '"../index.html": {'),
    "an absolute path": lambda text: text.replace('"index.html": {', '"/index.html": {'),
    "a drive": lambda text: text.replace('"index.html": {', '"C:index.html": {'),
    "more than is left out": lambda text: text.replace('"signatures/"', '"signatures/", "tables/"'),
    "no hash": lambda text: re.sub(r'"findings": "[0-9a-f]{64}"', '"findings": "none"', text),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_certificate_is_refused_in_words(report, name):
    text = (report / CERTIFICATE).read_text(encoding="utf-8")
    changed = HOSTILE[name](text)
    assert changed != text
    (report / CERTIFICATE).write_bytes(changed if isinstance(changed, bytes) else changed.encode())
    with pytest.raises(InputError) as told:
        verify.verify(report)
    assert str(report) not in str(told.value)
    assert "Fix:" in str(told.value)


def test_a_certificate_too_large_is_not_read(report, monkeypatch):
    monkeypatch.setattr(verify, "LARGEST", 1000)
    with pytest.raises(InputError, match="bytes"):
        verify.verify(report)


def test_links_are_refused(report):
    try:
        (report / "tables" / "link.csv").symlink_to(ROOT / "README.md")
    except OSError:
        pytest.skip("this system lets nobody make links")
    with pytest.raises(InputError, match="a link or a device"):
        verify.verify(report)


def test_no_report_at_all(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(InputError, match="certificate"):
            verify.verify(path)
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    with pytest.raises(InputError, match="damaged zip"):
        verify.verify(tmp_path / "bad.zip")
    with zipfile.ZipFile(tmp_path / "out.zip", "w") as archive:
        archive.writestr("../certificate.json", "{}")
    with pytest.raises(InputError, match="lead out of the folder"):
        verify.verify(tmp_path / "out.zip")


def test_a_hand_over_alone_says_what_to_give_instead(report):
    for path in (report / "handover", report / "handover" / "handover.zip"):
        with pytest.raises(InputError, match="a hand-over, which has no"):
            verify.verify(path)


def test_results_that_nobody_can_read_are_refused_in_words(report):
    (report / "findings.jsonl").write_text("no JSON\n", encoding="utf-8")
    assert {item.file for item in verify.verify(report)} == {"findings.jsonl"}
    reseal(report)
    with pytest.raises(InputError, match="results that cannot be read"):
        verify.verify(report)


# --- canonical form and rounding ---------------------------------------------------------------


def test_canonical_form_rounds_numbers_and_keeps_codes():
    text = "indicator,value,p,n\r\n1.10,0.12345678,1.2345678e-40,1234567\r\n3.2.1,-0,5,\r\n"
    want = b"indicator,value,p,n\n1.10,0.123457,1.23457e-40,1234567\n3.2.1,0,5,\n"
    assert certificate.canonical_table(text) == want
    assert certificate.canonical_table(want.decode(), without=["n", "p"]) == (
        b"indicator,value\n1.10,0.123457\n3.2.1,0\n"
    )


@given(st.floats(-1e9, 1e9, allow_subnormal=False), st.floats(-1e-13, 1e-13))
def test_noise_of_a_machine_never_parts_two_numbers(value, noise):
    """Written with six digits, two numbers that differ by rounding errors are at most one unit apart."""
    there, here = (float(f"{number:.6g}") for number in (value, value * (1 + noise) + noise))
    assert near(there, here)


@pytest.mark.parametrize(
    ("there", "here", "same"),
    [(1.00000, 1.00001, True), (1.00000, 1.00002, False), (9.99999, 10.0, True), (99999.9, 100000.0, True),
     (0.0, 9e-13, True), (0.0, 1e-11, False), (-0.297222, 0.297222, False), (3e-40, 5e-40, True)],
)  # fmt: skip
def test_edges_of_the_rounding(there, here, same):
    assert near(there, here) is near(here, there) is same


def test_tables_are_compared_by_row_and_column():
    there = "indicator,period,value,n\n1.10,2019,0.5,10\n1.10,2020,1.23456,10\n1.1,2019,7,10\n"
    here = "indicator,period,value,n\n1.10,2020,1.23457,11\n1.10,2019,0.6,10\n1.1,2021,7,10\n"
    found = {(item.kind, item.where): (item.there, item.here) for item in table_differences("t.csv", there, here)}
    assert found == {
        ("cell", "row 1.10 / 2019, column value"): ("0.5", "0.6"),
        ("rounding", "row 1.10 / 2020, column value"): ("1.23456", "1.23457"),
        ("cell", "row 1.10 / 2020, column n"): ("10", "11"),
        ("table", "row 1.1 / 2019"): ("a row", ""),
        ("table", "row 1.1 / 2021"): ("", "a row"),
    }
