"""sources/kit.py: what is written is read back; what is wrong is named, all of it, without a traceback."""

import csv
import datetime
import decimal
from contextlib import suppress

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlr_analysis.errors import InputError
from vlr_analysis.observations import COLUMNS, KEY, NUMBERS, check
from vlr_analysis.sources import kit_csv
from vlr_analysis.sources.figure_rows import Told
from vlr_analysis.sources.figure_table import read_rows
from vlr_analysis.sources.kit import (
    REQUIRED,
    completed,
    read_indicators,
    read_sources,
    read_table,
    row_numbers,
    write_table,
)
from vlr_analysis.sources.store import import_store

HEADER = "area,indicator,series,unit,period,breakdown,value,low,high,status,source\n"
ROW = "town,1.1.1,measure,%,2019,,{value},,,,test\n"

letters = st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters=";=")
words = st.text(letters, min_size=1, max_size=8)
rows = st.lists(
    st.tuples(words.filter(str.strip), st.integers(1990, 2030), st.floats(-1e12, 1e12, allow_nan=False) | st.none()),
    min_size=1, max_size=12, unique_by=lambda row: (row[0].strip(), row[1]),
)  # fmt: skip


def message(path) -> str:
    with pytest.raises(InputError) as caught:
        read_table(path)
    return str(caught.value)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows, st.sampled_from([".csv", ".parquet"]))
def test_what_is_written_is_read_back(tmp_path, given_rows, suffix):
    frame = pd.DataFrame(
        [
            {"area": "town", "indicator": "007.1", "series": name.strip(), "unit": "%", "period": str(year),
             "breakdown": "",
             "value": np.nan if value is None else value, "low": np.nan, "high": np.nan,
             "status": "missing" if value is None else "value", "source": "nan"}
            for name, year, value in given_rows
        ],
        columns=list(COLUMNS),
    )  # fmt: skip
    path = tmp_path / f"town{suffix}"
    write_table(frame, path)
    pd.testing.assert_frame_equal(read_table(path), check(frame))
    first = path.read_bytes()
    write_table(read_table(path), path)
    assert path.read_bytes() == first or suffix == ".parquet"


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: (HEADER + text).encode("utf-8", "replace")))
def test_any_bytes_give_a_table_or_one_message(tmp_path, content):
    path = tmp_path / "odd.csv"
    path.write_bytes(content)
    try:
        assert list(read_table(path).columns) == list(COLUMNS)
    except InputError as error:
        assert "Fix:" in str(error)


def test_missing_file_suggests_a_near_name(tmp_path):
    (tmp_path / "bristol.csv").write_text(HEADER)
    assert "did you mean 'bristol.csv'?" in message(tmp_path / "bristl.csv")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "an empty file"),
        (HEADER.encode(), "no row below the header"),
        (HEADER.encode("utf-16"), "UTF-16"),
        (HEADER.replace("period", "perod").encode() + b"x", "did you mean 'period'?"),
        (HEADER.replace("low", "value").encode() + b"x", "column 'value': found 2 times"),
        ((HEADER + "town,1.1.1,measure\n").encode(), "row 2: found 3 cells; expected 11 cells"),
        ((HEADER + 'town,"1.1.1\n').encode(), "closed quotation marks"),
    ],
)
def test_each_kind_of_bad_file_is_named(tmp_path, content, told):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    text = message(path)
    assert told in text
    assert "bad.csv" in text
    assert "Fix:" in text


def test_every_problem_is_listed_at_once_with_the_row_of_the_file(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(
        HEADER + ROW.format(value="12") + ",,,,,,,,,,\n" + ROW.format(value="n/a").replace("2019", "19")
        + ROW.format(value="1").replace("2019", "2020") + ROW.format(value="2").replace("2019", "2020")
    )  # fmt: skip
    text = message(path)
    assert "row 4, column value: found 'n/a'" in text


def test_duplicate_keys_name_both_rows(tmp_path):
    path = tmp_path / "bad.csv"
    path.write_text(HEADER + ROW.format(value="1") + ",,,,,,,,,,\n" + ROW.format(value="2"))
    assert "rows 2, 4" in message(path)


def test_semicolons_and_decimal_commas_of_a_european_excel(tmp_path):
    path = tmp_path / "town.csv"
    path.write_bytes(("\ufeff" + HEADER.replace(",", ";") + "town;1.1.1;measure;%;2019;;3,5;;;;test\r\n").encode())
    assert read_table(path)["value"].tolist() == [3.5]


def test_optional_columns_may_be_absent(tmp_path):
    path = tmp_path / "town.csv"
    path.write_text("area,indicator,series,unit,period,value,source\ntown,01.1,m,%,2019,0,s\n")
    row = read_table(path).iloc[0]
    assert (row["indicator"], row["value"], row["status"], row["breakdown"]) == ("01.1", 0, "value", "")


def test_a_broken_table_leaves_the_old_file_alone(tmp_path):
    path = tmp_path / "town.csv"
    path.write_text("old")
    with pytest.raises(InputError):
        write_table(pd.DataFrame({"area": ["x"]}), path)
    assert path.read_text() == "old"
    assert [other.name for other in tmp_path.iterdir()] == ["town.csv"]


def test_registers_name_what_is_empty_or_twice(tmp_path):
    path = tmp_path / "sources.csv"
    path.write_text("source,publisher,title,licence\na,P,T,L\na,P,,L\n")
    with pytest.raises(InputError) as caught:
        read_sources(path)
    assert "row 3, column title" in str(caught.value)
    assert "row 3: found a key that stands above" in str(caught.value)
    path.write_text("indicator,series,unit,label,direction\n1.1.1,m,%,L,up\n")
    with pytest.raises(InputError, match="increase, decrease or nothing"):
        read_indicators(path)


# --- the quick reader and the careful one ---------------------------------------------------------

cells = st.sampled_from(["", " ", "a", " a\u00a0", "\u00e9", "1", "-2.5", "1,5", "1_0", "inf", "nan", "1e999", "+3"])
odd_cells = st.text(st.sampled_from(list('a1 ,;"\n\r\t')), max_size=4)


@st.composite
def sheets(draw) -> bytes:
    """CSV files as programs and people write them: some clean, some not."""
    separator, newline = draw(st.sampled_from(",;")), draw(st.sampled_from(["\n", "\r\n"]))
    quoted = draw(st.sampled_from(["never", "always", "where needed"]))
    messy = draw(st.booleans())

    def written(cell: str) -> str:
        needed = any(sign in cell for sign in f'{separator}"\r\n')
        if quoted == "always" or (needed and not (messy and draw(st.booleans()))):
            cell = '"' + cell.replace('"', '""') + '"'
        return cell

    lines = [separator.join(written(name) for name in COLUMNS)]
    for _ in range(draw(st.integers(1, 4))):
        row = draw(st.lists(cells | odd_cells, min_size=11, max_size=11))
        line = separator.join(written(cell) for cell in row)
        if messy:
            extra = draw(st.sampled_from(["", "", separator, separator * 3, separator + "x", '"', " "]))
            line = draw(st.sampled_from([line + extra, "", separator * 10, line]))
        lines.append(line)
    text = newline.join(lines) + newline * draw(st.integers(0, 2))
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()


def carefully(content: bytes) -> tuple[pd.DataFrame, np.ndarray] | None:
    try:
        frame, lines = kit_csv._row_by_row(content, COLUMNS, REQUIRED, "x.csv")
    except InputError:
        return None
    return completed(frame), lines


@settings(max_examples=300, deadline=None)
@given(sheets())
def test_what_is_read_in_bulk_is_what_is_read_row_by_row(content):
    quick = kit_csv._in_bulk(content, COLUMNS, REQUIRED)
    if quick is None:
        return
    slow = carefully(content)
    assert slow is not None, "read in bulk what the careful reader refuses"
    frame, lines = quick
    assert lines.tolist() == slow[1].tolist()
    for name in COLUMNS:
        left, right = completed(frame)[name], slow[0][name]
        if name in NUMBERS and left.dtype == float:
            right = right.astype(float)
        pd.testing.assert_series_equal(left, right)


@pytest.mark.parametrize(
    "content",
    [
        "area,indicator,series,unit,period,value,source\ntown,1.1,m,%,2019,1,s\n",
        "area;indicator;series;unit;period;value;source\ntown;1.1;m;%;2019;1,5;s\r\n",
        '"area","indicator","series","unit","period","value","source"\n"town","1.1","m, ""x""",%,2019,1,"s"\n,,,,,,\n',
        "area,indicator,series,unit,period,value,source\n\ntown,1.1,m,%,2019,1,s\n\n",
        '\ufeff"area",indicator,series,unit,period,value,source\ntown,1.1,"two\nlines",%,2019,,s',
    ],
)
def test_clean_files_are_read_in_bulk(content):
    assert kit_csv._in_bulk(content.encode(), COLUMNS, REQUIRED) is not None


@pytest.mark.parametrize("row", ['town,1.1,"m"x,%,2019,1,s', 'town,1.1,5" tube,%,2019,1,s', 'town,1.1,""m",%,2019,1,s',
                                 "town,1.1,m,%,2019,1", 'town,1.1,"m,%,2019,1,s'])  # fmt: skip
def test_odd_files_are_left_to_the_careful_reader(row):
    content = f"area,indicator,series,unit,period,value,source\n{row}\n".encode()
    assert kit_csv._in_bulk(content, COLUMNS, REQUIRED) is None


@given(st.text(st.sampled_from('a,"\n'), max_size=30).map(str.encode), st.integers(0, 30), st.integers(0, 30))
def test_quotation_marks_are_judged_alike_in_pieces(content, one, two):
    first, second = sorted((one, two))
    pieces = [content[:first], content[first:second], content[second:]]
    quotes = kit_csv.Quotes(",")
    found = [quotes.right(piece, last=number == 2) for number, piece in enumerate(pieces)]
    assert all(found) == kit_csv.Quotes(",").right(content, last=True)


def test_a_long_cell_is_left_to_the_careful_reader(tmp_path):
    path = tmp_path / "long.csv"
    path.write_text(HEADER + ROW.format(value="1").replace("measure", "m" * 140_000))
    before = csv.field_size_limit(131_072)  # a library that other tests import lifts the limit for the process
    try:
        assert "field larger than field limit" in message(path)
    finally:
        csv.field_size_limit(before)


# --- Parquet as other programs write it ------------------------------------------------------------


def parquet(tmp_path, **columns):
    """Write a Parquet file of two rows with some columns of our own choice."""
    usual = {"area": ["town"] * 2, "indicator": ["1.1"] * 2, "series": ["m"] * 2, "unit": ["%"] * 2,
             "period": ["2019", "2020"], "value": [1.0, 2.0], "source": ["s"] * 2}  # fmt: skip
    path = tmp_path / "town.parquet"
    pq.write_table(pa.table(usual | columns), path)
    return path


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("period", pa.array([2019, 2020], pa.int16())),
        ("period", pa.array(["2019", "2020"]).dictionary_encode()),
        ("period", pa.array(["2019", "2020"], pa.large_string())),
        ("value", pa.array([1, 2], pa.int64())),
        ("value", pa.array([decimal.Decimal("1.00"), decimal.Decimal("2.00")])),
        ("value", pa.array([1, 2], pa.float32())),
        ("value", pa.array(["1", "2"])),
        ("value", pa.array(["1", "2"]).dictionary_encode()),
        ("breakdown", pa.nulls(2)),
        ("low", pa.nulls(2)),
        ("status", pa.array([None, "value"])),
        ("__index_level_0__", pa.array([7, 8])),
    ],
    ids=str,
)
def test_parquet_of_other_programs_gives_the_same_table(tmp_path, column, values):
    found = read_table(parquet(tmp_path, **{column: values}))
    pd.testing.assert_frame_equal(found, read_table(parquet(tmp_path)))


def test_a_parquet_file_may_have_nulls_in_numbers_and_texts(tmp_path):
    path = parquet(tmp_path, value=pa.array([None, 2.0]), status=pa.array(["missing", None]))
    found = read_table(path)
    assert found["value"].isna().tolist() == [True, False]
    assert found["status"].tolist() == ["missing", "value"]


@pytest.mark.parametrize(
    ("column", "values", "told"),
    [
        ("period", pa.array([datetime.datetime(2019, 1, 1)] * 2), "values of type timestamp[us]; expected text"),
        ("period", pa.array([datetime.date(2019, 1, 1)] * 2), "values of type date32"),
        ("indicator", pa.array([3.1, 3.2]), "not the number 3.1"),
        ("value", pa.array([True, False]), "values of type bool; expected numbers"),
        ("series", pa.array([["a"], ["b"]]), "list<"),
        ("perod", pa.array(["2019", "2020"]), "did you mean 'period'?"),
        ("value", pa.array(["1", "n/a"]), "row 3, column value: found 'n/a'; expected a number"),
        ("source", pa.array([None, "s"]), "row 2, column source: found nothing"),
    ],
    ids=str,
)
def test_parquet_that_cannot_be_read_rightly_gives_a_plain_message(tmp_path, column, values, told):
    assert told in message(parquet(tmp_path, **{column: values}))


def test_a_broken_parquet_file_is_named(tmp_path):
    path = parquet(tmp_path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "expected a Parquet file" in message(path)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_each_observation_is_found_in_its_row(tmp_path, suffix):
    path = parquet(tmp_path, breakdown=pa.nulls(2))
    table = read_table(path)
    if suffix == ".csv":
        path = path.with_suffix(suffix)
        write_table(table, path)
    key = ("town", "1.1", "m", "%", "2020", "")
    assert row_numbers(path)[key] == 3
    assert set(row_numbers(path)) == set(table[list(KEY)].itertuples(index=False, name=None))


@pytest.mark.parametrize(
    ("text", "value", "status"),
    [(ROW.format(value="1 000"), 1000, "value"), (ROW.format(value="n/a"), None, "missing")],
)
def test_what_can_be_mended_without_doubt_is_read_as_the_check_lists_it(tmp_path, text, value, status):
    path = tmp_path / "town.csv"
    path.write_bytes((HEADER + text).replace("measure", "m\u00e9").encode("cp1252"))
    row = read_table(path).iloc[0]
    assert row["series"] == "m\u00e9"
    assert row["status"] == status
    assert row["value"] == value if value else pd.isna(row["value"])
    assert list(row_numbers(path).values()) == [2]


@pytest.mark.parametrize("cell", ["nan(1)", "0x1"])
def test_what_only_looks_like_a_number_is_named(tmp_path, cell):
    path = tmp_path / "town.csv"
    path.write_text(HEADER + ROW.format(value=cell))
    assert f"row 2, column value: found {cell!r}; expected a number" in message(path)


def test_numbers_in_messages_are_told_as_digits(tmp_path):
    path = tmp_path / "town.csv"
    path.write_text(HEADER + "town,1.1.1,measure,%,2019,,5,7,9,,test\n")
    assert "row 2, column low: found 7.0; expected low <= value <= high" in message(path)


def test_labels_stand_in_the_languages_of_the_pages(tmp_path):
    path = tmp_path / "indicators.csv"
    head = "indicator,series,unit,label,sdg_target,direction,definition,geography,group_of,note"
    path.write_text(f"{head},label_es,label_fr\n1.2.1,poor,%,Poverty,1.2,decrease,same,,,,Pobreza,\n", encoding="utf-8")
    table = read_indicators(path)
    assert table["label_es"].tolist() == ["Pobreza"]
    assert "label_fr" not in table
    path.write_text(f"{head},label_spanish\n1.2.1,poor,%,Poverty,1.2,decrease,same,,,,Pobreza\n", encoding="utf-8")
    with pytest.raises(InputError, match="label_spanish"):
        read_indicators(path)


# A number by every door: the strict reader with its repairs, the check, and the import of large tables. None says
# that no door may give a number.
MARKS = [
    (";", ["1.234", "5,2"], [1234, 5.2]),
    (";", ["1.234", "5.2"], [1.234, 5.2]),
    (";", ["1,234", "5,2"], [1.234, 5.2]),
    (";", ["1,234", "5.2"], [1234, 5.2]),
    (";", ["1,234"], [1.234]),
    (";", ["1.234"], None),
    (";", ["1.234", "1,234"], None),
    (";", ["1.234", "1.5", "2,5"], None),
    (";", ["12.345", "0,5"], [12345, 0.5]),
    (",", ["1.234"], [1.234]),
    (",", ["1.234", "5,2"], [1234, 5.2]),
    (",", ["1,234"], None),
    (",", ["$5"], [5]),
    (";", ["€1.234", "5,2"], [1234, 5.2]),
]


@pytest.mark.parametrize("unit", ["%", "people"])
@pytest.mark.parametrize(("separator", "numbers", "expected"), MARKS)
def test_no_two_doors_take_a_number_in_two_ways(tmp_path, separator, numbers, expected, unit):
    path = tmp_path / "town.csv"
    written = [f'"{number}"' if separator in number else number for number in numbers]
    rows = [REQUIRED, *(("town", "1.1.1", "m", unit, str(2001 + i), number, "s") for i, number in enumerate(written))]
    path.write_text("\n".join(separator.join(row) for row in rows), encoding="utf-8")
    told = Told()
    checked = read_rows(path, told)[0]["value"].tolist()
    stored = None
    with suppress(InputError):
        import_store(path, tmp_path / "out")
    if (tmp_path / "out" / "town.parquet").is_file():
        stored = read_table(tmp_path / "out" / "town.parquet")["value"].tolist()
    if expected is None:
        assert told.problems
        assert "row 2, column value" in message(path)
        assert stored is None
    else:
        assert checked == read_table(path)["value"].tolist() == expected
        assert stored in (None, expected)  # a table that is read in pieces has no second look
