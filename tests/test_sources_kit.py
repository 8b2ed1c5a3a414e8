"""sources/kit.py: what is written is read back; what is wrong is named, all of it, without a traceback."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlr_analysis.errors import InputError
from vlr_analysis.observations import COLUMNS, check
from vlr_analysis.sources.kit import read_indicators, read_sources, read_table, write_table

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
        ((HEADER + ROW.format(value=1)).replace("measure", "m\u00e9").encode("cp1252"), "row 2"),
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
