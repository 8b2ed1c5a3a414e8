"""Parquet files of the kit's own form, also as other programs write them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.observations import NUMBERS, TEXT

_INDEX = re.compile(r"__index_level_\d+__")  # what pandas adds for the index of a frame


def read_parquet(path: Path, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a Parquet file: texts as text, numbers as float64.

    Parameters
    ----------
    path : Path
    columns : iterable of str, optional
        The only columns to read, those of them that the file has; left out: all.

    Returns
    -------
    DataFrame
        Nulls are empty texts and NaN. Whole numbers in a column of text become their digits (years, codes).

    Raises
    ------
    InputError
        The file is no Parquet, or a column holds what is neither text nor number there: dates, fractions, lists.
    """
    try:
        with path.open("rb") as file, pq.ParquetFile(file) as parquet:
            raise_if_any(path.name, type_problems(parquet.schema_arrow, path.name))
            names = column_names(parquet.schema_arrow)
            wanted = names if columns is None else [name for name in columns if name in names]
            table = plain(parquet.read(columns=wanted))
            table.validate(full=True)  # bytes that are no text would end in an error of pandas, or in a figure
            return table.to_pandas().reset_index(drop=True)
    except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(path.name, [not_parquet(path.name, error)]) from None


def not_parquet(name: str, error: Exception) -> Problem:
    """Make the message about a file that cannot be read as Parquet."""
    return Problem(name, str(error).splitlines()[0], "a Parquet file", "write the file again")


def column_names(schema: pa.Schema) -> list[str]:
    """Return the names of the columns, without the ones that pandas adds for an index."""
    return [name for name in schema.names if not _INDEX.fullmatch(name)]


def type_problems(schema: pa.Schema, name: str) -> list[Problem]:
    """Name every column whose type is neither text nor number where the one or the other should stand."""
    problems = []
    for column, kind in zip(schema.names, schema.types, strict=True):
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        where = f"{name}, column {column}"
        if column in TEXT and not (_is_text(kind) or pa.types.is_integer(kind) or pa.types.is_null(kind)):
            fix = f"write text, such as {'2019 or 2019-07' if column == 'period' else '3.10, not the number 3.1'}"
            problems.append(Problem(where, f"values of type {kind}", "text", fix))
        if column in NUMBERS and not (_is_text(kind) or _is_number(kind)):
            problems.append(Problem(where, f"values of type {kind}", "numbers", "write the column as float64"))
    return problems


def plain(table: pa.Table) -> pa.Table:
    """Turn every type that `type_problems` lets pass into text without nulls, or float64; a number as text stays text.

    Empty texts in a column of numbers become nulls.
    """
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
        if name in NUMBERS and (_is_number(kind)):
            columns[name] = column.cast(kind).cast(pa.float64(), safe=False)
        elif name in NUMBERS:
            text = column.cast(pa.string())
            columns[name] = pc.if_else(pc.equal(text, ""), None, text)
        elif name in TEXT:
            columns[name] = pc.fill_null(column.cast(kind).cast(pa.string()), "")
        else:
            columns[name] = column
    return pa.table(list(columns.values()), names=list(columns))


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)


def _is_number(kind: pa.DataType) -> bool:
    found = pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null
    return any(is_kind(kind) for is_kind in found)
