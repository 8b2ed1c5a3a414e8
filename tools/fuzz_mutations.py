"""Damage done to good files: to their bytes, to their cells, to the parts of a workbook and of a zip.

Every function takes a `random.Random`, so that one seed makes one input again.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import zipfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from random import Random

LARGEST = 1_000_000  # bytes of an input
LONG_ROWS = 4000  # how often a row is repeated at most where a file is made large

# Pieces that break readers: numbers, marks, labels, signs of markup, formulas, path tricks, bytes of other encodings.
HOSTILE = (
    "", ",", ";", "\t", '"', "'", "\n", "\r\n", "\0", "2019", "2019/20", "FY2020", "2011-12", "9999", "0000", "-1",
    "1e999", "1e-400", "-0", "0x10", "-", "–", ":", "..", "<5", "*", "NaN", "inf", "-inf", "nan", "1,234", "1.234",
    "1 234,5", "1'234", "12 %", "%", "(3)", "5 (p)", "5*", "n/d", "c", "=1+1", "=cmd|' /C calc'!A0", "@SUM(1)", "+x",
    "<script>", "\u202e", "\ufeff", "\u200b", "\ud7ff", "Total", "Year", "Value", "Area", "Unit", "Indicator", "é",
    "性别", "٣", "²", "½", "a=b;c", "a=b;a=c", "A1:XFD1048576", "../../x", "C:\\x", "&", "&amp;", "2019-02-30",
    "31.12.2019", "2019-W54", "2019-01-01/P1Y", "2019-01-01/P999999Y", "1900", "2100", "1e5", "True", "None", "null",
    "9" * 400, "x" * 5000, "," * 3000, "\n" * 3000, "2019-13", "10:30", "{}", "[", "- a", "*a", "&a", "!!python/none",
)  # fmt: skip
PIECES = [text.encode("utf-8") for text in HOSTILE] + [b"\xff\xfe", b"\x81", b"\xe9", b"\x00\x00", b"PK\x03\x04"]
XML_PIECES = [text.encode("utf-8") for text in (
    'r="Z9"', 'r="XFD1048576"', 'r="A0"', 'r="1A"', 'r=""', 't="s"', 't="b"', 't="d"', 't="e"', 't="inlineStr"',
    't="str"', 't="zz"', 's="99999"', 's="-1"', "<f>1+1</f>", "<v>999999</v>", "<v>-1</v>", "<v>1e999</v>",
    "<v>NaN</v>", "<v>#REF!</v>", "<v/>", "<v> 5 </v>", "<v>2019-01-01</v>", "<is><t>x</t></is>", "<is/>", "</c>",
    "</row>", "<row>", '<row r="0"/>', '<row r="9999999"/>', '<row r="1"><c r="A1"><v>1</v></c></row>',
    '<mergeCell ref="A1:XFD1048576"/>', '<mergeCell ref="A1"/>', '<mergeCell ref="B2:A1"/>', '<mergeCell ref="x"/>',
    '<dimension ref="A1:XFD1048576"/>', '<col min="1" max="999999" hidden="1"/>', "<!DOCTYPE x>", "<!--", "]]>",
    "<![CDATA[x]]>", "&lt;", "&x;", "&#0;", 'hidden="1"', 'hidden="x"', 'spans="x"', 'xml:space="x"', "<si/>",
    '<sheet name="" sheetId="x"/>', 'state="veryHidden"', 'Target="../../x.xml"', 'TargetMode="External"',
    'date1904="1"', 'numFmtId="9"', 'numFmtId="99999"', 'formatCode="[h]:mm"', 'count="9999999"',
)]  # fmt: skip


# --- bytes -----------------------------------------------------------------------------------------------


def of_bytes(content: bytes, chance: Random, pieces: list[bytes] = PIECES) -> bytes:
    """Change a text without minding what it says."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(made) + 1)
        kind = chance.randrange(8)
        if kind == 0:
            made[at:at] = chance.choice(pieces)
        elif kind == 1:
            made[at : at + chance.randrange(1, 12)] = chance.choice(pieces)
        elif kind == 2:
            del made[at : at + chance.randrange(1, 60)]
        elif kind == 3 and at < len(made):
            made[at] = chance.randrange(256)
        elif kind == 4:  # a whole field
            start, end = _field(made, at)
            made[start:end] = chance.choice(pieces)
        elif kind == 5:  # a piece of it in another place
            piece = made[at : at + chance.randrange(1, 80)]
            del made[at : at + len(piece)]
            to = chance.randrange(len(made) + 1)
            made[to:to] = piece
        elif kind == 6 and at < len(made):
            made[at] ^= 1 << chance.randrange(8)
        elif len(made) < 20_000:
            made += made[at : at + chance.randrange(1, 500)] * chance.choice((1, 1, 2, 10))
    return bytes(made[:LARGEST])


def _field(made: bytearray, at: int) -> tuple[int, int]:
    start = max(made.rfind(mark, 0, at) for mark in b",\t\n;")
    ends = [end for mark in b",\t\n;" if (end := made.find(mark, at)) >= 0]
    return start + 1, min(ends, default=len(made))


# --- cells -----------------------------------------------------------------------------------------------


def of_cells(content: bytes, chance: Random, mark: str = ",") -> bytes:
    """Change cells, rows and columns of a table, and write it as a table again."""
    rows = [list(row) for row in _rows(content, mark)]
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        _cell_change(rows, chance)
    made = io.StringIO()
    chosen = mark if chance.random() < 0.85 else chance.choice(",;\t|")
    try:
        end = chance.choice(("\n",) * 6 + ("\r\n", "\r"))
        csv.writer(made, delimiter=chosen, lineterminator=end).writerows(rows)
    except csv.Error:
        return content
    encoding = chance.choice(("utf-8",) * 12 + ("utf-8-sig", "utf-16", "utf-16-le", "cp1252"))
    return made.getvalue().encode(encoding, errors="replace")[:LARGEST]


@lru_cache(maxsize=64)
def _rows(content: bytes, mark: str) -> tuple[tuple[str, ...], ...]:
    text = content.decode("utf-8-sig", errors="replace").replace("\0", "")
    return tuple(map(tuple, csv.reader(io.StringIO(text, newline=""), delimiter=mark)))


def _cell_change(rows: list[list[str]], chance: Random) -> None:
    filled = [row for row in rows if row]
    if not filled:
        rows.append([chance.choice(HOSTILE)])
        return
    row, other = chance.choice(filled), chance.choice(filled)
    place, beside = chance.randrange(len(row)), chance.randrange(len(other))
    kind = chance.randrange(12)
    if kind <= 2:
        row[place] = chance.choice(HOSTILE)
    elif kind == 3:
        row[place], other[beside] = other[beside], row[place]
    elif kind == 4:
        del row[place]
    elif kind == 5:
        row.insert(place, chance.choice(HOSTILE))
    elif kind == 6:
        rows.remove(row)
    elif kind == 7:
        rows.insert(chance.randrange(len(rows) + 1), list(row))
    elif kind == 8:  # a column
        word = chance.choice(HOSTILE)
        for each in filled:
            if place < len(each):
                each[place] = word
    elif kind == 9:
        for each in filled:
            del each[place : place + 1]
    elif kind == 10:  # one cell in two words
        row[place] = row[place] + chance.choice((" ", "*", " (p)", "%", "\u00a0", ";")) + chance.choice(HOSTILE[:60])
    else:
        for each in filled:
            if place < len(each) and beside < len(each):
                each[place], each[beside] = each[beside], each[place]


def grown(content: bytes, chance: Random) -> bytes:
    """Repeat a row of a text up to a megabyte, each time with another figure, or fill it with the shortest cells."""
    lines = content.rstrip(b"\n").split(b"\n")
    at = chance.randrange(len(lines))
    if chance.random() < 0.2:
        short = chance.choice((b"1,", b",", b"1,2019\n", b"a\n", b"1\n2,", b"2019,"))
        return b"\n".join([*lines, short * (LARGEST // len(short))])[:LARGEST]
    line = lines[at]
    count = min(LARGEST // (len(line) + 3), LARGEST)
    if chance.random() < 0.5:
        more = [re.sub(rb"\d+", str(number).encode(), line, count=1) for number in range(count)]
    else:
        more = [line] * count
    return b"\n".join([*lines[: at + 1], *more, *lines[at + 1 :]])[:LARGEST]


# --- workbooks and other zips ----------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def parts_of(content: bytes) -> dict[str, bytes]:
    """Return the parts of a zip by name."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {entry.filename: archive.read(entry) for entry in archive.infolist()}


def packed(parts: Mapping[str, bytes], chance: Random | None = None) -> bytes:
    """Write parts as a zip, stored or packed."""
    made = io.BytesIO()
    how = zipfile.ZIP_STORED if chance is not None and chance.random() < 0.7 else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(made, "w", how, compresslevel=1) as new:
        for name, part in parts.items():
            new.writestr(zipfile.ZipInfo(name), part, how)
    return made.getvalue()


def of_workbook(content: bytes, chance: Random) -> bytes:
    """Change the parts of a workbook, their names, or the bytes of the zip."""
    kind = chance.random()
    if kind < 0.12:
        return of_bytes(content, chance)
    if kind < 0.2:
        return of_flags(content, chance)
    parts = dict(parts_of(content))
    names = list(parts)
    sheets = [name for name in names if "/sheet" in name.casefold() or "sharedstrings" in name.casefold()]
    chosen = chance.choice(sheets * 3 + names)
    if kind < 0.26:
        _rename(parts, chosen, chance)
    elif kind < 0.3:
        parts[chosen] = parts[chance.choice(names)]
    elif kind < 0.6:
        parts[chosen] = _of_xml(parts[chosen], chance)
    elif kind < 0.62:
        filler = chance.choice((b"<row/>", b"<c/>", b'<row><c t="s"><v>0</v></c></row>', b"<si><t>x</t></si>", b" "))
        parts[chosen] = parts[chosen].replace(b"</row>", b"</row>" + filler * chance.choice((10, 1000, 20_000)), 1)
    else:
        parts[chosen] = of_bytes(parts[chosen], chance, XML_PIECES if chance.random() < 0.7 else PIECES)
    return packed(parts, chance)[:LARGEST]


def of_flags(content: bytes, chance: Random) -> bytes:
    """Change what a zip says of an entry: how it is packed, locked, named, how large and of which kind it is."""
    made = bytearray(content)
    places = [found.start() for found in re.finditer(rb"PK\x01\x02", content)]
    for at in [chance.choice(places)] if places else []:
        offset, form = chance.choice(((8, "<H"), (10, "<H"), (16, "<I"), (20, "<I"), (24, "<I"), (28, "<H"), (30, "<H"),
                                      (38, "<I"), (42, "<I")))  # fmt: skip
        most = 0xFFFF if form == "<H" else 0xFFFFFFFF
        value = chance.choice((0, 1, 8, 9, 99, 0x41FF0000 & most, 0xA1FF0000 & most, most, chance.randrange(most)))
        if at + offset + struct.calcsize(form) <= len(made):
            struct.pack_into(form, made, at + offset, value)
    return bytes(made)


def _rename(parts: dict[str, bytes], chosen: str, chance: Random) -> None:
    part = parts.pop(chosen)
    if chance.random() < 0.7:
        tricks = (
            "../" + chosen,
            "/" + chosen,
            chosen.upper(),
            chosen + "/",
            "xl/vbaProject.bin",
            "C:/x.xml",
            "x" * 300,
        )
        parts[chance.choice(tricks)] = part


ATTRIBUTES = (b"", b"-1", b"0", b"1", b"99999", b"s", b"d", b"e", b"n", b"Z9", b"XFD1048576", b"A1:C99", b"x")
_TAG = re.compile(rb"<[^>]*>")


def _of_xml(part: bytes, chance: Random) -> bytes:
    """Change elements and attributes and leave the rest well formed, as far as that goes."""
    tags = list(_TAG.finditer(part))
    if not tags:
        return part
    tag = chance.choice(tags)
    start, end = tag.span()
    kind = chance.randrange(6)
    if kind == 0:
        return part[:start] + part[end:]
    if kind == 1:
        return part[:end] + tag[0] + part[end:]
    if kind == 2:
        return part[:end] + chance.choice(XML_PIECES) + part[end:]
    if kind == 3:  # the text that follows
        after = part.find(b"<", end)
        text = chance.choice(HOSTILE).encode().replace(b"&", b"&amp;").replace(b"<", b"&lt;")
        return part[:end] + text + part[after if after >= 0 else end :]
    values = list(re.finditer(rb'="[^"]*"', tag[0]))
    if not values:
        return part[:end] + chance.choice(XML_PIECES) + part[end:]
    value = chance.choice(values)
    text = chance.choice(
        (b"", b"-1", b"0", b"99999", b"s", b"d", b"e", b"n", b"Z9", b"XFD1048576", b"A1:C99", b"x", b"1")
    )
    return part[: start + value.start()] + b'="' + text + b'"' + part[start + value.end() :]


def mutate(content: bytes, suffix: str, chance: Random, how: Callable | None = None) -> bytes:
    """Change one good file in the way that suits its kind; rarely, make it a megabyte long."""
    if how is not None:
        return how(content, chance)
    if suffix == ".xlsx":
        return of_workbook(content, chance)
    if suffix not in (".csv", ".tsv"):
        return of_bytes(content, chance)
    kind = chance.random()
    if kind < 0.0005:
        return grown(content, chance)
    return of_cells(content, chance, "\t" if suffix == ".tsv" else ",") if kind < 0.55 else of_bytes(content, chance)
