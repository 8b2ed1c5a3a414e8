"""Voices: what a register may say, how much it can carry, what is hidden, and whether the figures agree."""

import re
import sys
import zipfile
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from vlr_analysis import disparities, figures_voices, grades, voices
from vlr_analysis.cities import load_city
from vlr_analysis.errors import InputError
from vlr_analysis.sources.voices import COLUMNS, empty, read_voices
from vlr_analysis.trends import trend_table

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
sys.path.insert(0, str(ROOT / "tools"))

import made_up_city  # noqa: E402

ROW = {
    "evidence": "poll-1", "kind": "poll", "title": "Poll on buses", "organiser": "City hall", "period": "2023-05",
    "place": "", "participants": "40", "population": "", "chosen": "open call", "groups": "riders",
    "consent": "anonymous", "theme": "buses", "target": "11.2", "indicator": "1.1.1", "series": "measure", "unit": "%",
    "says": "worsens", "count": "27", "quotation": "", "source": "made-up", "note": "",
}  # fmt: skip


def rows(*changes, **common):
    return [ROW | common | change for change in (changes or [{}])]


def csv_file(tmp_path, *changes, name="v.csv", **common):
    path = tmp_path / name
    table = pd.DataFrame(rows(*changes, **common), columns=list(COLUMNS))
    path.write_text(table.to_csv(index=False, lineterminator="\n"), encoding="utf-8")
    return path


def workbook(tmp_path, *changes, name="v.xlsx", title="voices", **common):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    sheet.append(list(COLUMNS))
    for row in rows(*changes, **common):
        sheet.append([row[column] for column in COLUMNS])
    book.save(tmp_path / name)
    return tmp_path / name


@pytest.fixture
def register(tmp_path):
    """Read a register made of one row, changed in some columns, or of several."""
    return lambda *changes, **common: read_voices(csv_file(tmp_path, *changes, **common))


def problems(path, **options):
    with pytest.raises(InputError) as caught:
        read_voices(path, **options)
    return caught.value.problems


# --- reading --------------------------------------------------------------------------------------


def test_a_register_is_read_as_written(register):
    table = register({}, {"says": "improves", "count": ""}, {"says": "unchanged", "count": "<5"})
    assert list(table.columns) == list(empty().columns)
    assert table.dtypes.equals(empty().dtypes)
    assert table["count"].tolist()[0] == 27
    assert table["count"].isna().tolist() == [False, True, True]
    assert table["count_status"].tolist() == ["value", "missing", "suppressed"]
    assert table["participants"].tolist() == [40, 40, 40]
    assert table.attrs["repaired"] == ()


@pytest.mark.parametrize(
    ("column", "text", "found", "words"),
    [
        ("kind", "survey", "'survey'", "did you mean 'poll'?"),
        ("kind", "sondage", "'sondage'", "did you mean 'poll'?"),
        ("says", "empire", "'empire'", "did you mean 'worsens'?"),
        ("kind", "Workshopp", "'workshopp'", "did you mean 'workshop'?"),
        ("chosen", "self-selected", "'self-selected'", "did you mean 'open call'?"),
        ("chosen", "lottery", "'lottery'", "one of random sample, quota, invited, open call, register"),
        ("consent", "yes", "'yes'", "did you mean 'given'?"),
        ("says", "better", "'better'", "did you mean 'improves'?"),
        ("period", "14.05.2023", "'14.05.2023'", "an ISO 8601 period"),
        ("period", "2023-13", "'2023-13'", "write 2024, 2024-Q2"),
        ("period", "2023-02-30", "'2023-02-30'", "an ISO 8601 period"),
        ("place", "Centro", "'Centro'", "such as district=Centro"),
        ("place", "a=1;a=2", "'a=1;a=2'", "a breakdown as in the figures"),
        ("target", "11.99", "'11.99'", "an SDG target that exists"),
        ("target", "11,2", "'11,2'", "did you mean '11.2'?"),
        ("target", "11.2.1", "'11.2.1'", "write '11.2' here, and the indicator in its own column"),
        ("target", "", "nothing", "an SDG target"),
        ("evidence", "", "nothing", "merged cells"),
        ("participants", "", "nothing", "how many took part"),
        ("participants", "about 40", "'about 40'", "a whole number of people"),
        ("participants", "26", "27 of 26 participants", "no more people than took part"),
        ("participants", "0", "27 of 0 participants", "no more people than took part"),
        ("population", "39", "40 participants of a population of 39", "how many could have taken part"),
        ("count", "41", "41 of 40 participants", "no more people than took part"),
        ("count", "-3", "'-3'", "zero or more"),
        ("count", "2.5", "'2.5'", "not a share or a mean"),
        ("count", "68%", "'68%'", "write how many people it were"),
        ("participants", "9" * 400, "'99999999999999999999...'", "at most 10 digits"),
        ("participants", "111 222 333 444", "'111 222 333 444'", "at most 10 digits"),
        ("count", "1.234", "'1.234'", "write 1234 if that is meant"),
        ("count", "1,234", "'1,234'", "thousands or for decimals"),
        ("unit", "", "a series without indicator or unit", "copy indicator, series and unit"),
    ],
)  # fmt: skip
def test_each_slip_gives_one_message_with_its_place_and_its_fix(tmp_path, column, text, found, words):
    told = problems(csv_file(tmp_path, {}, {"theme": "trams", column: text}))
    told = [problem for problem in told if "row 3" in problem.where and "row 2" not in problem.where]
    assert len(told) == 1, told
    column = {"participants": "count" if found.endswith("participants") else column, "unit": "series"}.get(
        column, "participants" if column == "population" else column
    )
    assert told[0].where == f"v.csv, row 3, column {column}"
    assert told[0].found == found
    assert words in str(told[0])


def test_all_problems_are_told_at_once(tmp_path):
    path = csv_file(tmp_path, {"kind": "pol", "count": "x"}, {"evidence": "b", "target": "99.9", "period": "then"})
    assert [problem.where for problem in problems(path)] == [
        "v.csv, row 2, column kind", "v.csv, row 3, column period", "v.csv, row 3, column target",
        "v.csv, row 2, column count",
    ]  # fmt: skip
    with pytest.raises(InputError, match=r"v\.csv: 4 problems"):
        read_voices(path)


@pytest.mark.parametrize(
    ("text", "number"), [("40", 40), ("40.0", 40), ("40,00", 40), ("1 240", 1240), ("1\u00a0240", 1240), ("٤٠", 40)]
)
def test_numbers_that_can_mean_one_thing_only_are_read(register, text, number):
    table = register(participants=text)
    assert table["participants"].tolist() == [number]
    assert bool(table.attrs["repaired"]) == (not text.isdecimal())


def test_answers_to_one_question_add_up_to_the_participants_at_most(tmp_path):
    answers = {"says": "improves", "count": "14"}
    (told,) = problems(csv_file(tmp_path, {}, answers))
    assert told.where == "v.csv, rows 2, 3, column count"
    assert told.found == "27 + 14 = 41 people on 'buses' in 'poll-1'"
    assert "at most the 40 who took part" in told.expected
    read_voices(csv_file(tmp_path, {}, answers | {"count": "13"}))
    read_voices(csv_file(tmp_path, {}, answers | {"theme": "trams"}))


@pytest.mark.parametrize(
    ("change", "column", "found"),
    [
        ({"participants": "41"}, "participants", "40 and 41 for poll-1"),
        ({"organiser": "Somebody"}, "organiser", "'City hall' and 'Somebody' for poll-1"),
        ({"period": "2023-06"}, "period", "'2023-05' and '2023-06' for poll-1"),
        ({"chosen": "quota"}, "chosen", "'open call' and 'quota' for poll-1"),
        ({"population": "90"}, "population", "nothing and 90 for poll-1"),
        ({"target": "11.3"}, "target", "'11.2' and '11.3' for poll-1 / buses"),
    ],
)
def test_rows_of_one_piece_of_evidence_say_the_same_of_it(tmp_path, change, column, found):
    (told,) = problems(csv_file(tmp_path, {}, {"says": "improves", "count": "3"} | change))
    assert told.where == f"v.csv, rows 2, 3, column {column}"
    assert told.found == found
    assert "of their own" in told.fix


def test_places_have_their_own_participants_and_hold_no_more_than_the_whole(tmp_path):
    parts = [{"place": f"district={name}", "participants": "20", "count": "9"} for name in "ab"]
    assert len(read_voices(csv_file(tmp_path, {}, *parts))) == 3
    parts[0]["participants"] = "21"
    (told,) = problems(csv_file(tmp_path, {}, *parts))
    assert (told.found, told.where) == ("41 by district", "v.csv, rows 3, 4, column participants")
    parts[0] |= {"participants": "20", "count": "19"}
    assert [t.found for t in problems(csv_file(tmp_path, {}, *parts))] == ["28 by district"]


def test_the_same_statement_twice_is_refused(tmp_path):
    (told,) = problems(csv_file(tmp_path, {"count": "3"}, {"count": "4"}))
    assert told.found == "poll-1 / buses / worsens 2 times"


def test_words_of_people_need_their_consent(tmp_path):
    (told,) = problems(csv_file(tmp_path, consent="none", quotation="Always late."))
    assert told.where == "v.csv, row 2, column quotation"
    assert "words of a person, consent none" in str(told)
    assert read_voices(csv_file(tmp_path, consent="given", quotation="Always late."))["quotation"].tolist() != [""]


def test_a_source_that_nobody_knows_is_named(tmp_path):
    (told,) = problems(csv_file(tmp_path, source="made-upp"), sources={"made-up", "ons-els"})
    assert "did you mean 'made-up'?" in told.fix


def test_what_excel_does_to_a_csv_file_is_repaired_and_told(tmp_path):
    lines = pd.DataFrame(rows({}, {"says": "improves", "count": "8,0", "kind": "POLL"}), columns=list(COLUMNS))
    text = lines.to_csv(index=False, sep=";", lineterminator="\r\n").replace("worsens", " Worsens ")
    text = text.replace("\r\n", ";;\r\n") + ";" * (len(COLUMNS) + 1) + "\r\n\r\n"
    path = tmp_path / "v.csv"
    path.write_bytes(b"\xef\xbb\xbf" + text.encode("utf-8"))
    table = read_voices(path)
    assert table["says"].tolist() == ["worsens", "improves"]
    assert table["count"].tolist() == [27, 8]
    assert set(table.attrs["repaired"]) == {
        "byte-order mark", "count without decimals or spaces", "empty row passed over (2)",
        "kind spelt as the kit does", "says spelt as the kit does", "semicolons between cells",
    }  # fmt: skip


def test_a_place_is_put_in_the_order_and_letters_of_the_figures(register):
    table = register(place="sex=female; age = 15-24")
    assert table["place"].tolist() == ["age=15-24;sex=female"]
    decomposed = "district=C\u0327ars\u0327\u0131"
    table = register(place=decomposed)
    assert table["place"].tolist() == ["district=Çarşı"]
    assert "letters composed (Unicode NFC)" in table.attrs["repaired"]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (",".join(COLUMNS).replace("chosen", "choosen"), "did you mean 'chosen'?"),
        (",".join(COLUMNS).replace("chosen,", ""), "no column chosen"),
        (",".join(COLUMNS) + ",theme", "'theme' again"),
        (",".join(COLUMNS) + ",wibble", "the column 'wibble'"),
    ],
)
def test_a_wrong_header_is_told_before_any_cell(tmp_path, header, words):
    path = tmp_path / "v.csv"
    path.write_text(header + "\n" + ",".join(ROW.values()) + "\n", encoding="utf-8")
    told = problems(path)
    assert any(words in str(problem) for problem in told)
    assert all("row 2" not in problem.where for problem in told)


def test_no_file_an_empty_one_and_one_that_is_only_a_header(tmp_path):
    (told,) = problems(tmp_path / "none.csv")
    assert told.found == "no such file"
    (tmp_path / "v.csv").write_bytes(b"")
    assert problems(tmp_path / "v.csv")[0].found == "an empty file"
    (tmp_path / "v.csv").write_text(",".join(COLUMNS) + "\n", encoding="utf-8")
    pd.testing.assert_frame_equal(read_voices(tmp_path / "v.csv"), empty(), check_index_type=False)
    assert problems(tmp_path / "v.ods")[0].expected == ".csv or .xlsx"


def test_a_workbook_gives_what_the_csv_file_gives(tmp_path):
    changes = [{}, {"says": "improves", "count": 8, "participants": 40.0}]
    book, text = read_voices(workbook(tmp_path, *changes)), read_voices(csv_file(tmp_path, *changes))
    pd.testing.assert_frame_equal(book, text)


@pytest.mark.parametrize(
    ("column", "content", "where", "words"),
    [
        ("count", "=20+7", "v.xlsx, voices!R2", "found a formula"),
        ("count", "#N/A", "v.xlsx, voices!R2", "the error #N/A"),
        ("count", 2.5, "v.xlsx, voices!R2", "a whole number of people"),
        ("target", 16.1, "v.xlsx, voices!M2", "16.1 and 16.10 are the same"),
        ("target", pd.Timestamp(2024, 2, 11), "v.xlsx, voices!M2", "a program has made a date of what was typed"),
        ("kind", "pol", "v.xlsx, voices!B2", "did you mean 'poll'?"),
    ],
)
def test_a_workbooks_cell_is_named(tmp_path, column, content, where, words):
    told = problems(workbook(tmp_path, **{column: content}))
    assert [problem.where for problem in told] == [where]
    assert words in str(told[0])


def test_numbers_and_dates_of_a_workbook_that_can_mean_one_thing_only(tmp_path):
    table = read_voices(workbook(tmp_path, period=pd.Timestamp(2024, 5, 14), target=11.2, count=27))
    assert table[["period", "target", "count"]].iloc[0].tolist() == ["2024-05-14", "11.2", 27]
    assert read_voices(workbook(tmp_path, period=2024))["period"].tolist() == ["2024"]


def test_a_workbook_that_gives_its_size_wrong_is_read_whole(tmp_path):
    path, small = workbook(tmp_path, {}, {"says": "improves", "count": "3"}), tmp_path / "small.xlsx"
    with zipfile.ZipFile(path) as whole, zipfile.ZipFile(small, "w") as out:
        for name in whole.namelist():
            text = whole.read(name)
            out.writestr(name, re.sub(rb'<dimension ref="[^"]+"', b'<dimension ref="A1"', text))
    assert len(read_voices(small)) == 2


def test_which_sheet_is_meant(tmp_path):
    path = workbook(tmp_path, title="Sheet1")
    assert len(read_voices(path)) == 1
    book = openpyxl.load_workbook(path)
    book.create_sheet("notes")
    book.save(path)
    (told,) = problems(path)
    assert told.found == "the sheets Sheet1, notes"
    book["Sheet1"].title = "Voices"
    book.save(path)
    assert len(read_voices(path)) == 1


def test_what_is_no_workbook_is_told_without_a_traceback(tmp_path):
    path = workbook(tmp_path)
    content = path.read_bytes()
    for broken in (b"PK nothing", content[: len(content) // 2], b"\xd0\xcf\x11\xe0" + b"\0" * 600):
        path.write_bytes(broken)
        (told,) = problems(path)
        assert told.found == "no readable workbook"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda t: (",".join(COLUMNS) + "\n" + t).encode("utf-8", "replace"))
)
def test_any_bytes_give_a_register_or_one_message(tmp_path, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    try:
        assert list(read_voices(path).columns) == list(empty().columns)
    except InputError as error:
        assert "Fix:" in str(error)


cells = st.one_of(
    st.sampled_from(["", "0", "5", "<5", "1,234", "poll", "none", "=1", "a=b", "99"]), st.text(max_size=6)
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(COLUMNS), cells, max_size=4), min_size=1, max_size=4))
def test_odd_cells_give_a_register_or_messages_that_say_where(tmp_path, changes):
    try:
        table = read_voices(csv_file(tmp_path, *changes))
        assert (table["count"].isna() == (table["count_status"] != "value")).all()
    except InputError as error:
        assert all(problem.where.startswith("v.csv") and problem.fix for problem in error.problems)


# --- grades ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("people", [40, 400, 4000, 1_000_000])
@pytest.mark.parametrize("kind", ["poll", "workshop", "complaint log", "citizen data", "interviews"])
def test_whoever_chooses_himself_is_never_above_c(register, people, kind):
    table = register(participants=str(people), population=str(people), kind=kind)
    row = voices.evidence_table(table, 2023).iloc[0]
    assert row["self_selected"]
    assert grades.LETTERS.index(row["grade"]) >= grades.LETTERS.index("C")
    assert "self-selected" in row["grade_reason"]


DRAWN = {"chosen": "random sample", "participants": "1240", "population": "2000"}


@pytest.mark.parametrize(
    ("change", "grade", "reason"),
    [
        (DRAWN, "A", ""),
        (DRAWN | {"participants": "999", "population": "1900"}, "B", "999 participants"),
        (DRAWN | {"population": ""}, "B", "how many were drawn is not stated"),
        (DRAWN | {"population": "4000"}, "B", "31 % of those drawn took part"),
        (DRAWN | {"population": "9000"}, "C", "14 % of those drawn took part"),
        (DRAWN | {"participants": "99", "population": "150"}, "C", "99 participants"),
        (DRAWN | {"participants": "29", "population": "40"}, "D", "29 participants"),
        (DRAWN | {"period": "2020"}, "B", "people spoke in 2020"),
        (DRAWN | {"period": "2017"}, "C", "people spoke in 2017"),
        (DRAWN | {"period": "2012"}, "D", "people spoke in 2012"),
        (DRAWN | {"consent": "none"}, "D", "no consent"),
        (DRAWN | {"chosen": "quota"}, "B", "a survey without intervals; chosen by quota, not at random"),
        (DRAWN | {"chosen": "invited"}, "C", "invited, not drawn at random"),
        ({"kind": "complaint log", "chosen": "register", "participants": "412"}, "B", "only those who came forward"),
        ({"kind": "workshop", "chosen": "random sample", "participants": "1240"}, "C", "qualitative evidence"),
        ({"kind": "interviews", "chosen": "invited", "participants": "4", "count": "2"}, "D", "4 participants"),
        ({"participants": "<5", "count": "<5"}, "D", "the number of participants is not shown"),
    ],
)  # fmt: skip
def test_the_lowest_property_decides_and_is_named(register, change, grade, reason):
    row = voices.evidence_table(register(**{"count": "9"} | change), 2023).iloc[0]
    assert row["grade"] == grade
    assert reason in row["grade_reason"]
    assert bool(reason) == bool(row["grade_reason"])


def test_the_rules_that_are_shown_are_those_that_are_used(register):
    rules = voices.rules().set_index(["aspect", "applies_to"])["at_most"]
    for kind in ("poll", "workshop", "complaint log", "citizen data", "interviews"):
        for chosen in ("random sample", "quota", "invited", "open call", "register"):
            table = register(**DRAWN | {"kind": kind, "chosen": chosen})
            most = max(rules[("kind", kind)], rules[("how chosen", chosen)])
            assert voices.evidence_table(table, 2023)["grade"].iloc[0] == most


def test_evidence_is_one_row_a_piece_with_its_places_added_up(register):
    parts = [{"place": f"district={name}", "participants": n, "count": "9"} for name, n in (("a", "30"), ("b", "25"))]
    table = register(*parts, {"evidence": "poll-2", "participants": "60", "population": "80"})
    got = voices.evidence_table(table).set_index("evidence")
    assert got["participants"].tolist() == [55, 60]
    assert got.loc["poll-1", "where"] == "district a; district b"
    assert got.loc["poll-2", "response_percent"] == 75
    assert got["age"].isna().all()
    whole = register({}, *[part | {"participants": "10"} for part in parts])
    assert voices.evidence_table(whole)["participants"].tolist() == [40]
    kept_back = register({"participants": "*", "count": "*"}, *[part | {"participants": "10"} for part in parts])
    assert voices.evidence_table(kept_back)["participants"].isna().all(), "what is hidden is not made up from its parts"


def test_an_empty_register_gives_empty_tables_with_the_right_columns():
    assert len(voices.evidence_table(empty(), 2023)) == len(voices.said_table(empty())) == 0
    assert voices.evidence_table(empty()).columns.tolist()[:2] == ["evidence", "title"]
    hidden, log = voices.protected(empty(), 5)
    assert list(hidden.columns) == list(empty().columns)
    assert not len(log)
    assert figures_voices.said(voices.said_table(empty())) == []


# --- who said what --------------------------------------------------------------------------------


# Newcombe 1998, Statistics in Medicine 17:857, table I, method 3 (Wilson): count, people, 95 % interval.
@pytest.mark.parametrize(("count", "people", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605)])
def test_a_random_sample_carries_wilsons_interval(register, count, people, low, high):
    row = voices.said_table(register(chosen="random sample", participants=str(people), count=str(count))).iloc[0]
    assert row["share_percent"] == pytest.approx(100 * count / people)
    assert (row["share_low"], row["share_high"]) == pytest.approx((100 * low, 100 * high), abs=0.006)
    assert row["interval"].endswith("%")


@pytest.mark.parametrize("chosen", ["quota", "invited", "open call", "register"])
def test_nothing_else_carries_an_interval(register, chosen):
    row = voices.said_table(register(chosen=chosen, participants="1000", count="600")).iloc[0]
    assert np.isnan(row["share_low"])
    assert np.isnan(row["share_high"])
    assert row["interval"] == "no interval: not a random sample"
    assert row["share_percent"] == 60


def test_few_people_are_counted_and_not_turned_into_percent(register):
    row = voices.said_table(register(chosen="random sample", participants="29", count="20")).iloc[0]
    assert np.isnan(row["share_percent"])
    assert row["told"] == "20 of 29"
    assert row["interval"] == "no interval: fewer than 30 people"


def test_a_zero_is_a_number_and_what_is_not_shown_is_none(register):
    table = register({"count": "0"}, {"says": "improves", "count": ""}, {"says": "unchanged", "count": "<5"})
    assert voices.said_table(table)["told"].tolist() == ["0 of 40", "not counted of 40", "hidden of 40"]


def test_no_words_are_quoted_without_consent(register):
    table = register(consent="given", quotation="Always late.").assign(consent="none")
    assert voices.said_table(table)["quotation"].tolist() == [""]


# --- beside the figures ---------------------------------------------------------------------------

YEARS = range(2010, 2024)


def series(slope, seed=3):
    noise = np.random.default_rng(seed).normal(0, 0.2, len(YEARS))
    return {year: 50 + slope * (year - 2010) + bump for year, bump in zip(YEARS, noise, strict=True)}


@pytest.fixture
def beside(observations, definitions):
    """Set a register beside a total that rises by 1 a year (more is better), and a district that falls."""

    def make(table, figures=None, direction="increase", **options):
        figures = figures or {("1.1.1", ""): series(1), ("1.1.1", "district=a"): series(-1, 4)}
        own = observations(figures)
        known = definitions(own, direction)
        return voices.triangulation(table, trend_table(own, known), known, **options)

    return make


@pytest.mark.parametrize(
    ("change", "verdict", "silence", "words"),
    [
        ({}, "disagrees", "", "all 27 who spoke on it (40 took part) say that it worsens; the figures of the whole "
         "area move towards the goal (2010 to 2023, robust trend); those of district a move as people say"),
        ({"says": "improves"}, "agrees", "", "say that it improves"),
        ({"says": "unchanged"}, "disagrees", "", "say that it is unchanged"),
        ({"says": "concern"}, "silent", "no movement said", "how things stand, not how they move"),
        ({"says": "satisfied"}, "silent", "no movement said", "are satisfied"),
        ({"count": ""}, "silent", "counts not shown", "worsens: not counted; which statement more than half made"),
        ({"count": "0"}, "silent", "counts not shown", "cannot be told"),
        ({"place": "district=a"}, "agrees", "", "those of the whole area move towards the goal: the average hides"),
        ({"place": "district=b"}, "disagrees", "", "no figures of district b: the total stands for it"),
        ({"indicator": "", "series": "", "unit": ""}, "silent", "no figures", "no figure is named for it"),
        ({"indicator": "2.1.1"}, "silent", "no figures", "the city has no figures of it"),
        ({"series": "the measure"}, "silent", "no figures", "near it is 'measure'"),
        ({"series": "", "unit": ""}, "disagrees", "", "move towards the goal"),
        ({"period": "2028"}, "silent", "other years", "people spoke in 2028"),
        ({"period": "2009"}, "silent", "other years", "are of 2010 to 2023"),
        ({"period": "2027"}, "disagrees", "", "move towards"),
        ({"period": "2012"}, "disagrees", "", "people spoke in 2012"),
        ({"kind": "complaint log", "chosen": "register"}, "disagrees", "", "a log of complaints holds complaints"),
    ],
)  # fmt: skip
def test_verdicts_and_reasons(register, beside, change, verdict, silence, words):
    row = beside(register(**change)).iloc[0]
    assert (row["verdict"], row["silence"]) == (verdict, silence)
    assert words in row["reason"]
    assert row["area"] == "town"


def test_the_average_hides_a_place_whose_people_and_figures_agree(register, beside):
    row = beside(register({"place": "district=a"})).iloc[0]
    assert row["average_hides"]
    assert (row["breakdown"], row["movement"], row["total_movement"]) == (
        "district=a", "away from the goal", "towards the goal",
    )  # fmt: skip
    assert not beside(register({"place": "district=a", "says": "improves"})).iloc[0]["average_hides"]
    alike = {("1.1.1", ""): series(-1), ("1.1.1", "district=a"): series(-1, 4)}
    assert not beside(register({"place": "district=a"}), alike).iloc[0]["average_hides"]


def test_what_the_gap_between_groups_says_is_told(register, beside, observations, definitions):
    parts = {("1.1.1", f"district={name}"): series(slope, slope + 5) for name, slope in (("a", -1), ("b", 2), ("c", 3))}
    own = observations({("1.1.1", ""): series(1)} | parts)
    known = definitions(own, "increase")
    gaps = disparities.disparity_trend_table(own, known)
    told = voices.triangulation(register(place="district=a"), trend_table(own, known), known, gaps)
    assert told["reason"].iloc[0].endswith("the average hides this place; the gap between the groups says so too")


@pytest.mark.parametrize(
    ("counts", "says", "silence"),
    [
        ({"worsens": "21", "improves": "19"}, "worsens", ""),
        ({"worsens": "20", "improves": "20"}, "", "voices split"),
        ({"worsens": "18", "improves": "12", "unchanged": "10"}, "", "voices split"),
        ({"worsens": "21", "improves": "<5"}, "worsens", ""),  # more than half of all who took part, whatever is hidden
        ({"worsens": "20", "improves": "<5"}, "", "counts not shown"),
    ],
)
def test_a_statement_leads_with_more_than_half_of_those_who_spoke(register, beside, counts, says, silence):
    row = beside(register(*({"says": word, "count": n} for word, n in counts.items()))).iloc[0]
    assert (row["says"], row["silence"]) == (says, silence)
    assert row["verdict"] == ("disagrees" if says else "silent")


def test_no_trend_and_no_direction_are_silence_not_agreement(register, beside):
    flat = {("1.1.1", ""): series(0)}
    row = beside(register(says="unchanged"), flat).iloc[0]
    assert (row["verdict"], row["silence"]) == ("silent", "no trend")
    assert "not the same as no change" in row["reason"]
    row = beside(register(), direction="").iloc[0]
    assert (row["verdict"], row["silence"]) == ("silent", "no direction")
    short = {("1.1.1", ""): dict(list(series(1).items())[-3:])}
    assert beside(register(), short).iloc[0]["silence"] == "no trend"


def test_an_indicator_with_several_series_needs_a_name(register, beside, observations, definitions):
    own = pd.concat([observations({("1.1.1", ""): series(1)}), observations({("1.1.1", ""): series(1)}, unit="people")])
    known = definitions(own, "increase")
    told = voices.triangulation(register(series="", unit=""), trend_table(own, known), known)
    assert told["silence"].tolist() == ["several series"]
    assert "2 series stand under indicator 1.1.1" in told["reason"].iloc[0]


def test_the_grade_of_a_place_counts_the_people_of_that_place(register, beside):
    table = register({}, {"place": "district=a", "participants": "300", "population": "500", "count": "9"}, **DRAWN)
    assert beside(table, as_of=2023)["grade"].tolist() == ["A", "B"]


def test_figures_of_two_areas_are_refused(register, observations, definitions):
    own = pd.concat([observations({("1.1.1", ""): series(1)}, area=area) for area in ("town", "land")])
    known = definitions(own)
    with pytest.raises(ValueError, match="of one area, and the trends are of"):
        voices.triangulation(register(), trend_table(own, known), known)


def test_what_no_figure_covers_most_people_first_and_never_added_up(register, beside):
    none = {"indicator": "", "series": "", "unit": "", "says": "concern"}
    table = register(
        {"theme": "dark streets", "target": "11.7", "count": "8"} | none,
        {"evidence": "poll-2", "theme": "noise", "target": "11.6", "count": "30"} | none,
        {"evidence": "poll-3", "theme": "noise", "target": "11.6", "count": "25"} | none,
        {"evidence": "poll-4", "place": "district=b"},
        {"evidence": "poll-5"},
    )
    got = voices.uncovered(beside(table))
    assert got["theme"].tolist() == ["noise", "buses", "dark streets"]
    assert got["people"].tolist() == [30, 27, 8]
    assert got["pieces"].tolist() == [2, 1, 1]
    assert got["missing"].tolist() == ["any figures", "figures of this place", "any figures"]
    assert got["where"].tolist() == ["the whole area", "district b", "the whole area"]
    assert got["target_label"].iloc[0]


# --- hiding small numbers -------------------------------------------------------------------------


def test_small_numbers_are_hidden_with_what_would_give_them_away(register):
    table = register(
        {"count": "27", "note": "n"}, {"says": "improves", "count": "3", "quotation": "q", "note": "n"},
        {"says": "unchanged", "count": "10", "quotation": "q"}, {"theme": "trams", "count": "8", "quotation": "q"},
    )  # fmt: skip
    got, log = voices.protected(table, 5)
    assert got["count"].isna().tolist() == [False, True, True, False]
    assert got["count_status"].tolist() == ["value", "suppressed", "suppressed", "value"]
    assert got["quotation"].tolist() == ["", "", "", "q"]
    assert got["note"].tolist() == ["n", "", "", ""]
    assert log[["theme", "says", "what"]].to_numpy().tolist() == [
        ["buses", "improves", "count"], ["buses", "unchanged", "count"],
    ]  # fmt: skip
    assert log["reason"].tolist() == ["fewer than 5 people", "together with others it would give a number below 5 away"]
    assert table["count"].notna().all(), "the register that came in is not changed"


def test_a_sum_that_leaves_enough_people_over_protects_by_itself(register):
    """27 + 3 of 40: ten people said nothing, and nobody knows how many did."""
    got, _ = voices.protected(register({}, {"says": "improves", "count": "3"}), 5)
    assert got["count"].isna().tolist() == [False, True]


def test_zero_stays_and_a_threshold_of_one_hides_nothing(register):
    table = register({"count": "0"}, {"says": "improves", "count": "1"}, participants="2")
    got, log = voices.protected(table, 1)
    pd.testing.assert_frame_equal(got, table)
    assert not len(log)
    got, _ = voices.protected(table, 5)
    assert got["count"].tolist()[0] == 0
    assert got["participants"].isna().all()
    assert got["participants_status"].tolist() == ["suppressed", "suppressed"]


def test_a_small_place_is_hidden_with_another_one(register):
    names = {"a": "3", "b": "12", "c": "25"}
    parts = [{"place": f"district={d}", "participants": n, "count": "0", "population": "4"} for d, n in names.items()]
    for part in parts[1:]:
        part["population"] = ""
    got, log = voices.protected(register({"count": "0"}, *parts), 5)
    assert got["participants"].isna().tolist() == [False, True, True, False]
    assert got["population"].isna().all()
    assert log["place"].tolist() == ["district=a", "district=b"]


def test_a_hidden_count_is_no_ground_for_a_verdict(register, beside):
    table, _ = voices.protected(register({"count": "4"}), 5)
    row = beside(table).iloc[0]
    assert (row["verdict"], row["silence"], row["voices"]) == ("silent", "counts not shown", "worsens: hidden")


def random_register(seed):
    """A survey by district whose parts add up exactly: whoever reads it may subtract."""
    rng = np.random.default_rng(seed)
    says, places = ["improves", "worsens", "unchanged"], [f"district={d}" for d in "abcd"[: rng.integers(2, 5)]]
    counts = {place: rng.poisson(rng.choice([1, 4, 9, 30], size=3)) for place in places}
    counts = {"": np.sum(list(counts.values()), axis=0)} | counts
    changes = [
        {"place": place, "participants": str(n.sum()), "says": word, "count": str(k), "population": ""}
        for place, n in counts.items() for word, k in zip(says, n, strict=True)
    ]  # fmt: skip
    return changes, counts, says


def reachable(register, log, counts, says):
    """Range of every hidden number, for a reader who knows all sums, the log, and that nobody kept silent."""
    cells = {(place, word): i for i, (place, word) in enumerate((p, w) for p in counts for w in [*says, "n"])}
    left, right = [], []

    def add(terms, total=0.0):
        line = np.zeros(len(cells))
        for cell, sign in terms.items():
            line[cells[cell]] = sign
        left.append(line)
        right.append(total)

    for place in counts:
        add({(place, word): 1.0 for word in says} | {(place, "n"): -1.0})
    for word in [*says, "n"]:
        add({(place, word): 1.0 if place else -1.0 for place in counts})
    bounds, hidden = [(0, None)] * len(cells), []
    for row in log.itertuples():
        cell = (row.place, row.says or "n")
        bounds[cells[cell]] = (1, 4) if row.reason.startswith("fewer") else (5, None)
        hidden.append(cell)
    for row in register.itertuples():
        for name, value in ((row.says, row.count), ("n", row.participants)):
            if not np.isnan(value):
                add({(row.place, name): 1.0}, value)
    for cell in hidden:
        goal = np.zeros(len(cells))
        goal[cells[cell]] = 1.0
        ends = [linprog(sign * goal, A_eq=np.array(left), b_eq=right, bounds=bounds) for sign in (1, -1)]
        assert ends[0].status == 0
        assert ends[1].status in (0, 3)  # 3: without an upper bound
        yield cell, ends[0].fun, -ends[1].fun if ends[1].status == 0 else np.inf


@pytest.mark.parametrize("seed", range(60))
def test_nobody_can_work_out_a_hidden_number(register, seed):
    changes, counts, says = random_register(seed)
    table = register(*changes)
    got, log = voices.protected(table, 5)
    true = {(row.place, row.says): row.count for row in table.itertuples()}
    true |= {(row.place, "n"): row.participants for row in table.itertuples()}
    small = got[got["count"].notna() & got["count"].between(1, 4)]
    assert not len(small)
    for cell, low, high in reachable(got, log, counts, says):
        assert high - low > 0.5, (cell, true[cell], low, high)


# --- the chart ------------------------------------------------------------------------------------


def test_the_chart_writes_the_counts_and_never_a_hidden_one(register):
    table, _ = voices.protected(
        register({}, {"says": "improves", "count": "3"}, {"says": "unchanged", "count": "10"}), 5
    )
    (shown,) = figures_voices.said(voices.said_table(table))
    assert "worsens 27, improves not shown, unchanged not shown of 40" in shown.alt
    assert shown.data["count"].isna().sum() == 2
    assert "Only a random sample speaks for more than itself" in shown.caption


def test_bars_beyond_the_limit_are_told(register):
    table = register(*({"theme": f"theme {i}"} for i in range(5)))
    (shown,) = figures_voices.said(voices.said_table(table), at_most=3)
    assert "2 more are in the table" in shown.caption
    assert len(shown.data) == 3


# --- the made-up city -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def made_up():
    city = load_city("porto-exemplo", ROOT)
    table = read_voices(DATA / "voices" / "porto-exemplo.csv", sources={"made-up"})
    trend = trend_table(city.observations, city.definitions)
    gaps = disparities.disparity_trend_table(city.observations, city.definitions)
    return table, voices.triangulation(table, trend, city.definitions, gaps, 2024), (trend, gaps, city.definitions)


def test_the_script_makes_the_register_again(tmp_path):
    made_up_city.main(tmp_path)
    for name in ("voices/porto-exemplo.csv", "truth/porto-exemplo-voices.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), f"{name}: run `make data`"


def test_planted_voices_are_found(made_up):
    truth = pd.read_csv(DATA / "truth" / "porto-exemplo-voices.csv", dtype=str, keep_default_na=False)
    key = ["evidence", "theme", "place"]
    both = truth.merge(made_up[1], on=key, suffixes=("_planted", ""), validate="1:1")
    assert len(both) == len(truth) == len(made_up[1])
    assert both["verdict"].tolist() == both["verdict_planted"].tolist()
    assert both["average_hides"].tolist() == (both["average_hides_planted"] == "yes").tolist()
    assert (both["grade"] >= both["grade_at_most"]).all()
    assert set(truth["verdict"]) == {"agrees", "disagrees", "silent"}


def test_the_poll_of_40_and_the_workshop_stand_against_the_average(made_up):
    told = made_up[1].drop_duplicates(["evidence", "theme"]).set_index(["evidence", "theme"])
    poll = told.loc[("poll-2024", "access to public transport")]
    assert (poll["participants"], poll["verdict"], poll["grade"]) == (40, "disagrees", "C")
    assert poll["reason"].endswith("those of district Çarşı move as people say")
    workshop = told.loc[("workshop-carsi-2024", "access to public transport")]
    assert (workshop["verdict"], workshop["average_hides"]) == ("agrees", True)


def test_the_public_register_of_the_made_up_city_hides_and_still_tells(made_up):
    table, told, (trend, gaps, known) = made_up
    assert table["place"].str.contains("حي").any()
    assert ((table["count"] > 0) & (table["count"] < 5)).sum() >= 2
    public, log = voices.protected(table, 5)
    assert not ((public["count"] > 0) & (public["count"] < 5)).any()
    assert len(log) >= 3
    assert not log["reason"].str.contains(r"\b3\b").any()
    shown = voices.triangulation(public, trend, known, gaps, 2024)
    assert shown["verdict"].tolist() == told["verdict"].tolist()
    missing = voices.uncovered(shown)
    assert missing["theme"].iloc[0] == "noise at night"
    assert "interviews-2023" not in set(
        public.loc[public["count"].notna() & (public["theme"] == "young people without work"), "evidence"]
    )
