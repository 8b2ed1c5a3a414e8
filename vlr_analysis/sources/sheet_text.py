"""A text file as a grid: its encoding, what separates its cells, its rows."""

from __future__ import annotations

import csv
import io
import re

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.sources.cells import Repair, is_blank
from vlr_analysis.sources.sheet_grid import Opened, Sheet, measure

SEPARATORS = "\t;|,"

MANY_ROWS, FEW_LETTERS = 50_000, 12  # rows of figures, with what they are of, are longer than that on average
SAVE = "save it as .xlsx or as CSV UTF-8"


def decoded(content: bytes, name: str) -> tuple[str, str]:
    """Return the text of a file, and what was mended: UTF-8, UTF-16 with or without its mark, or Windows-1252.

    Raises
    ------
    InputError
        The bytes are text in none of these.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        encoding, why = "utf-16", "read as UTF-16"
    elif (order := _order_of_pairs(content[:4000])) is not None:
        encoding, why = order, "read as UTF-16"
    else:
        encoding, why = "utf-8-sig", "byte-order mark taken out" if content[:3] == b"\xef\xbb\xbf" else ""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        if encoding != "utf-8-sig":
            raise InputError(name, [Problem(name, "bytes that are no text", "text in UTF-8", SAVE)]) from None
        try:
            text, why = content.decode("cp1252"), "read as Windows-1252: check letters with accents"
        except UnicodeDecodeError as error:
            at = f"{name}, row {content[: error.start].count(10) + 1}"
            found = f"the byte 0x{content[error.start]:02x}"
            raise InputError(name, [Problem(at, found, "text in UTF-8", 'save it as "CSV UTF-8"')]) from None
    if "\0" in text:
        raise InputError(name, [Problem(name, "bytes that are no text", "text in UTF-8", SAVE)])
    return text, why


def _order_of_pairs(start: bytes) -> str | None:
    """Return how UTF-16 without its mark orders its bytes: of Latin letters, every other byte is nothing."""
    for order, first in (("utf-16-le", 1), ("utf-16-be", 0)):
        half = start[first::2]
        if half.count(0) > 0.6 * max(len(half), 1):
            return order
    return None


def open_text(content: bytes, name: str) -> Opened:
    """Return the rows of a text file as one sheet; none where nothing is filled."""
    text, why = decoded(content, name)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    opened = Opened(name, [])
    if why:
        opened.repairs.append(Repair(name, "the bytes of the file", "text", why))
    told = re.match(r"sep=(.)\n", text)
    separator = told[1] if told and told[1] in SEPARATORS else separator_of(text)
    if separator != ",":
        shown = "a tab" if separator == "\t" else separator
        opened.repairs.append(Repair(name, f"{shown} between cells", "columns", "separator seen in the rows"))
    sheet = Sheet(name, decimal={",": ".", "\t": "."}.get(separator, ""), separator=separator)
    cells = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True), 1):
            if not any(row) or (number == 1 and told):
                continue
            cells += len(row)
            measure(name, number, len(row), cells)
            if any(map(_is_plain, row)) or not all(map(is_blank, row)):
                sheet.lines.append(number)
                sheet.rows.append(row)
    except csv.Error as error:
        at = f"{name}, after row {sheet.lines[-1] if sheet.lines else 0}"
        fix = "close the quotation marks, or take them out"
        raise InputError(name, [Problem(at, str(error), "cells with closed quotation marks", fix)]) from None
    if len(sheet.rows) > MANY_ROWS and len(text) < FEW_LETTERS * len(sheet.rows):
        found = f"{len(sheet.rows):,} rows of {len(text) / len(sheet.rows):.0f} letters on average"
        fix = "delete the rows that are no part of the table"
        raise InputError(name, [Problem(name, found, "rows with a figure and what it is of", fix)])
    if sheet.decimal and _may_be_thousands(sheet):
        sheet.decimal = ""
    if sheet.rows:
        opened.sheets.append(sheet)
    return opened


_POINT = re.compile(r"\s*-?[1-9]\d{0,2}(\.\d{3})+\s*")
_COMMA = re.compile(r"\s*-?[1-9]\d{0,2}(,\d{3})+\s*")
_COUNTS = re.compile(  # what is counted has no decimals
    r"\W*(number|count|people|persons?|inhabitants?|residents?|population|households?|dwellings|jobs|births|deaths|cases"
    r"|n[úu]mero|personas?|habitantes?|poblaci[óo]n|hogares|viviendas|empleos|pessoas?|popula[çc][ãa]o|nombre"
    r"|personnes?|habitants?|m[ée]nages|logements|emplois|anzahl|personen|einwohner(innen)?|bev[öo]lkerung|haushalte"
    r"|wohnungen|stück)\W*", re.I
)  # fmt: skip

_SHARES = re.compile(  # a share is below a thousand
    r"\W*(%|per\s?cent|percentage|prozent|anteil|pour\s?cent|por\s?cien(to|taje)|porcentaje|percentagem)\W*|.*[(\[]%[)\]]\s*",
    re.I,
)


def _may_be_thousands(sheet: Sheet) -> bool:
    """Whether a mark before three digits may be of thousands, though the file separates its cells as English ones do.

    It may where counts have points, 545.678 people, where shares have commas, 5,123 %, and where both marks stand so;
    cells with other decimals decide.
    """
    points = commas = False
    heads = sheet.rows[0] if sheet.rows else []
    of_counts = {column for column, text in enumerate(heads) if _COUNTS.fullmatch(text)}
    of_shares = {column for column, text in enumerate(heads) if _SHARES.fullmatch(text)}
    for row in sheet.rows:
        pointed = {column for column, text in enumerate(row) if "." in text and _POINT.fullmatch(text)}
        with_commas = {column for column, text in enumerate(row) if "," in text and _COMMA.fullmatch(text)}
        points, commas = points or bool(pointed), commas or bool(with_commas)
        counted = pointed and (of_counts & pointed or any(map(_COUNTS.fullmatch, row)))
        shared = with_commas and (of_shares & with_commas or any(map(_SHARES.fullmatch, row)))
        if (points and commas) or counted or shared:
            return True
    return False


def _is_plain(cell: str) -> bool:
    """Whether a cell holds plain letters or digits: the quick answer of most cells."""
    return cell.isascii() and cell.isalnum()


def separator_of(text: str) -> str:
    """Return what stands between the cells of a text: the mark by which most rows have equally many, else a comma."""
    lines = [line for line in text[:50_000].split("\n")[:200] if line.strip()]
    marks = []
    for order, mark in enumerate(SEPARATORS):
        try:
            widths = [len(row) for row in csv.reader(lines, delimiter=mark) if row]
        except csv.Error:
            continue
        common = max(set(widths), key=lambda width: (widths.count(width), width)) if widths else 1
        if common > 1:
            share = widths.count(common) / len(widths)
            marks.append((share + 0.2 * (mark == "\t"), common, -order, mark))
    return max(marks)[-1] if marks else ","
