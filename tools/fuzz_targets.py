"""The doors through which a file comes in: good files for each, how it is read, and what must hold of the outcome."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import fuzz_mutations as mutations
import numpy as np
import pandas as pd
from openpyxl import Workbook, load_workbook

from vlr_analysis.errors import InputError
from vlr_analysis.observations import COLUMNS, KEY, NUMBERS, STATUSES, TEXT, WITHOUT_VALUE
from vlr_analysis.sources import formats, kit, template_sheet
from vlr_analysis.sources.reading import ORIGIN_COLUMNS, Reading, read_origins
from vlr_analysis.sources.sheets import open_sheets
from vlr_analysis.sources.template import empty_workbook
from vlr_analysis.sources.voices import read_voices

ROOT = Path(__file__).resolve().parents[1]
FIXTURES = ROOT / "tests" / "fixtures" / "readers"
CITY, NATION = "porto-exemplo", "republica-exemplo"
GIVEN = {"area": "exampleville", "source": "fuzz"}
FILES = {
    "economic-tracker": ("tracker/Employment - City - Weekly.csv", "tracker/Affinity - City - Monthly.csv"),
    "eurostat": ("eurostat.tsv", "eurostat.csv"),
    "fred": ("fred.csv",),
    "long": ("long.csv",),
    "sdmx-csv": ("sdmx1.csv", "sdmx2.csv"),
    "unsd": ("unsd.csv",),
    "wide": ("wide.csv",),
    "world-bank": ("world_bank.csv", "databank.csv"),
}
OPTIONS = {"eurostat": {"place": "XX11"}, "sdmx-csv": {"place": "XX11"}}  # the fixtures hold two places


@dataclass(frozen=True)
class Seed:
    """One good file: its content, the ending of its name, and which part of a folder it is."""

    content: bytes
    suffix: str
    part: str = ""


@dataclass(frozen=True)
class Target:
    """One door.

    Attributes
    ----------
    name : str
    seeds : function
        Returns the good files.
    read : function
        Reads the file at a path as the door does; what it returns is checked by `faults`.
    faults : function
        Takes what was read and the path; returns what is wrong with it, empty where nothing is.
    mutate : function, optional
        Damage of its own kind, in place of `fuzz_mutations.mutate`.
    place : function, optional
        Puts the content into a folder and returns the path to read.
    """

    name: str
    seeds: Callable[[], tuple[Seed, ...]]
    read: Callable[[Path], Any]
    faults: Callable[[Any, Path], str]
    mutate: Callable[[bytes, Random], bytes] | None = None
    place: Callable[[Path, Seed, bytes], Path] = field(
        default=lambda folder, seed, content: _put(folder, seed, content)
    )

    def input(self, number: int, seed: int) -> tuple[Seed, bytes]:
        """Return an input of a campaign: the same for the same numbers."""
        good = self.seeds()
        chance = Random(f"{seed} {self.name} {number}")
        chosen = good[number % len(good)]
        return chosen, mutations.mutate(chosen.content, chosen.suffix, chance, self.mutate)


def _put(folder: Path, seed: Seed, content: bytes) -> Path:
    path = folder / f"input{seed.suffix}"
    path.write_bytes(content)
    return path


# --- what must hold ----------------------------------------------------------------------------------------


def table_faults(table: pd.DataFrame) -> str:
    """Return what is wrong with a table of observations; empty where nothing is."""
    if tuple(table.columns) != COLUMNS:
        return f"the columns {list(table.columns)}"
    if not len(table):
        return ""
    for name in NUMBERS:
        if table[name].dtype != np.float64 or np.isinf(table[name].to_numpy()).any():
            return f"{name} holds what is no finite number"
    for name in TEXT:
        if not all(isinstance(text, str) for text in table[name].tolist()):
            return f"{name} holds what is no text"
    status = table["status"].to_numpy()
    if not np.isin(status, STATUSES).all():
        return "a status that is not known"
    if (np.isin(status, WITHOUT_VALUE) != np.isnan(table["value"].to_numpy())).any():
        return "a mark with a number, or a number without one"
    keys = list(zip(*(table[name].tolist() for name in KEY), strict=True))
    return "a key twice" if len(set(keys)) < len(keys) else ""


def label_faults(texts: pd.DataFrame) -> str:
    """Return a name that a spreadsheet program would run, or that hides its order of letters."""
    for text in set(texts.to_numpy().ravel().tolist()):
        if text[:1] in ("=", "@") or "\u202e" in text or "\0" in text:
            return f"the label {text[:40]!r}"
    return ""


def reading_faults(reading: Reading, path: Path) -> str:
    """Return what is wrong with what a reader of another form gave; a zero must stand as a zero in its cell."""
    fault = table_faults(reading.table) or label_faults(reading.table[["indicator", "series", "unit", "breakdown"]])
    if fault:
        return fault
    if tuple(reading.origins.columns) != ORIGIN_COLUMNS or len(reading.origins) != len(reading.table):
        return "origins of another form than the table"
    if not all(map(str, reading.repairs)) or not all(map(str, reading.problems)):
        return "a repair or a problem without words"
    if path.is_dir() or not (reading.table["value"].to_numpy() == 0).any():
        return ""
    return _zero_of_a_mark(reading, path)


def _zero_of_a_mark(reading: Reading, path: Path) -> str:
    contents = {}
    for sheet in open_sheets(path).sheets:
        for row, line in enumerate(sheet.rows):
            for column, content in enumerate(line):
                if content is not None:
                    contents[sheet.name, sheet.cell(row, column)] = content
    zero = (reading.table["value"] == 0).to_numpy()
    for name, cell in reading.origins.loc[zero, ["sheet", "cell"]].to_numpy().tolist():
        content = contents.get((name, cell))
        digits = {int(letter) for letter in str(content) if letter.isdecimal()}
        if 0 not in digits:
            return f"a zero out of {str(content)[:40]!r}"
    return ""


def frame_faults(table: pd.DataFrame, _: Path) -> str:
    """Return what is wrong with a register: cells that are neither text nor a finite number."""
    for name in table.columns:
        if table[name].dtype == np.float64:
            if np.isinf(table[name].to_numpy()).any():
                return f"{name} holds what is no finite number"
        elif not all(isinstance(cell, str) for cell in table[name].tolist()):
            return f"{name} holds what is no text"
    return ""


def _filled_faults(filled: template_sheet.Filled, path: Path) -> str:
    return table_faults(filled.table) or label_faults(filled.table[["indicator", "series", "unit", "breakdown"]])


# --- formats -------------------------------------------------------------------------------------------------


def _cell(text: str) -> str | float:
    try:
        return float(text)
    except ValueError:
        return text


def as_workbook(rows: list[list[Any]], *, merged: bool = False, title: str = "Sheet") -> bytes:
    """Return rows as a small workbook, packed again so that reading it is cheap."""
    book = Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    if merged:
        book.active.merge_cells("A1:B1")
    return _saved(book)


def _saved(book: Workbook) -> bytes:
    made = io.BytesIO()
    book.save(made)
    return mutations.packed(mutations.parts_of(made.getvalue()))


@lru_cache
def _of_format(name: str) -> tuple[Seed, ...]:
    """Return the fixtures of a format as CSV, as TSV and as a workbook, four, one and one times in turn."""
    found = []
    for file in FILES[name]:
        content = (FIXTURES / file).read_bytes()
        mark = "\t" if file.endswith(".tsv") else ","
        rows = [list(row) for row in mutations._rows(content, mark)]
        tabs = content if mark == "\t" else "\n".join("\t".join(row) for row in rows).encode()
        cells = [[_cell(text) for text in row] for row in rows]
        plain = Seed(content, Path(file).suffix)
        found += [plain, plain, Seed(tabs, ".tsv"), plain, Seed(as_workbook(cells, merged=name == "wide"), ".xlsx")]
    if name == "sdmx-csv":  # which is text with commas; the two other kinds are wrong files
        own = Seed(_own_sdmx(), ".csv")
        found += [*(seed for seed in found if seed.suffix == ".csv"), own, own]
    return tuple(found)


def _place_tracker(folder: Path, seed: Seed, content: bytes) -> Path:
    names = folder / "GeoIDs - City.csv"
    if not names.exists():
        shutil.copyfile(FIXTURES / "tracker" / names.name, names)
    return _put(folder, seed, content)


def _reader(name: str) -> Callable[[Path], Reading]:
    def read(path: Path) -> Reading:
        return formats.FORMATS[name].reader(path, **GIVEN, **OPTIONS.get(name, {}))

    return read


@lru_cache
def _of_any_format() -> tuple[Seed, ...]:
    return tuple(seed for name in sorted(FILES) for seed in _of_format(name)[:1] + _of_format(name)[4:5])


# --- Open SDG ---------------------------------------------------------------------------------------------------

_META = """\
indicator_number: 1.1.1
indicator_name: Share of people in poverty
computation_units: Percentage
reporting_status: complete
national_geographical_coverage: Exampleville
source_organisation_1: City hall
"""


@lru_cache
def _of_open_sdg() -> tuple[Seed, ...]:
    data = b"Year,Units,Sex,GeoCode,Value\n2019,Percentage,,,5.2\n2020,Percentage,,,0\n2019,Percentage,Female,X1,4.8\n"
    plain = b"Year,Value\n2015/16,1.5\n2016/17,\n2017/18,2\n"
    return Seed(data, ".csv", "data"), Seed(plain, ".csv", "data"), Seed(data, ".csv", "data"), Seed(
        _META.encode(), ".yml", "meta"), Seed(b"---\n" + _META.encode() + b"---\nText", ".md", "meta")  # fmt: skip


def _place_open_sdg(folder: Path, seed: Seed, content: bytes) -> Path:
    for part in ("data", "meta"):
        (folder / part).mkdir(exist_ok=True)
    for old in (folder / "meta").iterdir():
        old.unlink()
    data, meta = _of_open_sdg()[0].content, _of_open_sdg()[3].content
    (folder / "data" / "indicator_1-1-1.csv").write_bytes(content if seed.part == "data" else data)
    suffix = seed.suffix if seed.part == "meta" else ".yml"
    (folder / "meta" / f"1-1-1{suffix}").write_bytes(content if seed.part == "meta" else meta)
    return folder


# --- the kit's own files --------------------------------------------------------------------------------------------


def _lines(name: str, count: int, starts: str = "") -> bytes:
    lines = (ROOT / "data" / name).read_bytes().split(b"\n")
    return b"\n".join([lines[0], *[line for line in lines[1:] if starts.encode() in line][:count]]) + b"\n"


@lru_cache
def _of_kit_csv() -> tuple[Seed, ...]:
    odd = b"".join((
        b"porto-exemplo,1.2.1,share,%,2019,sex=female,4.5,4,5,estimated,made-up\n",
        b"porto-exemplo,1.2.1,share,%,2020,,,,,suppressed,made-up\n",
    ))  # fmt: skip
    content = _lines(f"{CITY}.csv", 8) + odd
    semicolons = content.replace(b",", b";").replace(b".5", b",5")
    return Seed(content, ".csv"), Seed(content, ".csv"), Seed(semicolons, ".csv")


@lru_cache
def _of_kit_parquet() -> tuple[Seed, ...]:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(_of_kit_csv()[0].content)
        table = kit.read_table(path)
        found = []
        for frame, how in ((table, None), (table, "snappy"), (table.astype({"value": "float32"}), None),
                           (table.astype({"source": "category"}), None)):  # fmt: skip
            made = io.BytesIO()
            frame.to_parquet(made, index=False, compression=how)
            found.append(Seed(made.getvalue(), ".parquet"))
    return tuple(found)


REGISTERS: Mapping[str, Callable[[Path], pd.DataFrame]] = {
    "areas": kit.read_areas, "counts": kit.read_counts, "indicators": kit.read_indicators, "origins": read_origins,
    "sources": kit.read_sources,
}  # fmt: skip


@lru_cache
def _of_registers() -> tuple[Seed, ...]:
    origins = ",".join(ORIGIN_COLUMNS) + "\nx,1.1.1,a,%,2019,,f.csv,,C2\n"
    return tuple(Seed(content, ".csv", name) for name, content in (
        ("areas", _lines("areas.csv", 5)), ("counts", _lines("vlr_counts.csv", 4)),
        ("indicators", _lines("indicators.csv", 6)), ("origins", origins.encode()),
        ("sources", _lines("sources.csv", 4)),
    ))  # fmt: skip


def _place_register(folder: Path, seed: Seed, content: bytes) -> Path:
    path = folder / f"{seed.part}.csv"
    path.write_bytes(content)
    return path


@lru_cache
def _of_voices() -> tuple[Seed, ...]:
    content = _lines(f"voices/{CITY}.csv", 3)
    rows = [list(row) for row in mutations._rows(content, ",")]
    book = as_workbook(
        [rows[0], *[[_cell(text) if text else None for text in row] for row in rows[1:]]], title="voices"
    )
    plain = Seed(content, ".csv")
    return plain, plain, Seed(book, ".xlsx")


@lru_cache
def _of_workbook() -> tuple[Seed, ...]:
    """Return a filled workbook as `vlr new` makes it, without the lists behind it, which no reader takes."""
    made = io.BytesIO()
    empty_workbook("exampleville", "Exampleville").save(made)
    book = load_workbook(io.BytesIO(made.getvalue()))
    del book["Codes"]
    book["Guide"].delete_rows(4, 200)
    for page in book.worksheets:
        page.data_validations.dataValidation = []
    figures = book["Figures"]
    figures.delete_cols(len([cell for cell in figures[1] if isinstance(cell.value, str)]) + 4, 40)
    heads = [cell.value for cell in figures[1]]
    for number, mark in enumerate((0, "..", "<5", "7,5 (p)"), 3):
        given = {
            "Indicator": "8.5.2",
            "Series": "Unemployment",
            "Unit": "%",
            "Source": "city",
            "Group": f"sex=x{number}",
        }
        for place, head in enumerate(heads, 1):
            if isinstance(head, str):
                figures.cell(number, place, next((text for name, text in given.items() if head.startswith(name)), None))
            else:
                figures.cell(number, place, mark if place % 2 else 5.5)
    for page in book.worksheets:
        if page.title in ("Indicators", "Targets", "Voices", "Sources", "Notes"):
            for cell in page[2]:
                text = cell.value
                text = text.removeprefix("EXAMPLE").strip() if isinstance(text, str) else text
                page.cell(3, cell.column, text)
    whole = Seed(_saved(book), ".xlsx")
    for sheet in ("Indicators", "Targets", "Voices", "Notes"):
        del book[sheet]
    few = Seed(_saved(book), ".xlsx")
    return whole, few, few


def _read_filled(path: Path) -> template_sheet.Filled:
    template_sheet._read.cache_clear()  # the same path holds another input each time
    filled = template_sheet.read_workbook(path)
    with contextlib.suppress(InputError):
        read_voices(path)  # the sheet of voices in the same workbook
    return filled


# --- parameters -----------------------------------------------------------------------------------------------------


@lru_cache
def _of_params() -> tuple[Seed, ...]:
    from vlr_analysis.review.new_city import parameters_text

    full = (ROOT / "params" / f"{CITY}.yaml").read_bytes()
    return Seed(full, ".yaml"), Seed(parameters_text(CITY, "Pôrto Exemplo").encode(), ".yaml"), Seed(
        "\n".join(line for line in full.decode().split("\n")[:9]).encode() + b"\n", ".yaml")  # fmt: skip


def _place_params(folder: Path, seed: Seed, content: bytes) -> Path:
    data = folder / "data"
    if not data.is_dir():
        data.mkdir()
        for name in (CITY, NATION):
            (data / f"{name}.csv").write_bytes(_lines(f"{name}.csv", 2))
        (data / f"{CITY}.xlsx").write_bytes(_of_workbook()[0].content)
        for name in ("areas.csv", "sources.csv", "indicators.csv"):
            shutil.copyfile(ROOT / "data" / name, data / name)
        (folder / "params").mkdir()
    path = folder / "params" / f"{CITY}.yaml"
    path.write_bytes(content)
    return path


def _read_params(path: Path) -> Any:
    from vlr_analysis.params import read_parameters

    return read_parameters(CITY, path.parents[1])


# --- hand-over ------------------------------------------------------------------------------------------------------


@lru_cache
def _of_bundle() -> tuple[Seed, ...]:
    """Return the hand-over of a city of two series."""
    from vlr_analysis import load_city
    from vlr_analysis.review.handover import write_handover

    with TemporaryDirectory() as folder:
        root = Path(folder) / "kit"
        (root / "params").mkdir(parents=True)
        (root / "data").mkdir()
        (root / "params" / f"{CITY}.yaml").write_text(
            f"city:\n  id: {CITY}\n  name: Porto\n  country: XXX\n  made_up: true\n", encoding="utf-8"
        )
        (root / "data" / f"{CITY}.csv").write_bytes(_lines(f"{CITY}.csv", 6))
        for name in ("areas.csv", "sources.csv", "indicators.csv"):
            shutil.copyfile(ROOT / "data" / name, root / "data" / name)
        said = write_handover(load_city(CITY, root), [], Path(folder) / "sent")
        content = (said["folder"] / "handover.zip").read_bytes()
    return (Seed(content, ".zip"),)


@lru_cache
def _own_sdmx() -> bytes:
    parts = mutations.parts_of(_of_bundle()[0].content)
    (content,) = (part for name, part in parts.items() if "sdmx" in name.casefold() and name.endswith(".csv"))
    return content


MANIFEST = "manifest.json"


def _of_zip(content: bytes, chance: Random) -> bytes:
    """Damage a hand-over: its bytes, what it says of its entries, one of its files; of a few the manifest is mended."""
    kind = chance.random()
    if kind < 0.3:
        return mutations.of_bytes(content, chance)
    if kind < 0.36:  # few: most of what a zip says of an entry is read by nobody, and the whole is taken in
        return mutations.of_flags(content, chance)
    parts = dict(mutations.parts_of(content))
    chosen = chance.choice(list(parts))
    if kind < 0.65:
        mutations._rename(parts, chosen, chance)
    elif kind < 0.75:
        parts[MANIFEST] = mutations.of_bytes(parts[MANIFEST], chance)
    elif kind < 0.97:
        parts[chosen] = mutations.of_bytes(parts[chosen], chance)
    else:  # a sender who knows how to write a manifest
        inner = Path(chosen).suffix
        parts[chosen] = mutations.mutate(parts[chosen], inner, chance)
        if chosen != MANIFEST:
            _mend_manifest(parts)
    return mutations.packed(parts)[: mutations.LARGEST]


def _mend_manifest(parts: dict[str, bytes]) -> None:
    about = json.loads(parts[MANIFEST]) if parts[MANIFEST][:1] == b"{" else {}
    for entry in about.get("files", []):
        part = parts.get(entry.get("path", entry.get("name", "")))
        if part is not None:
            for key in entry:
                if key in ("sha256", "hash"):
                    entry[key] = hashlib.sha256(part).hexdigest()
                if key in ("bytes", "size"):
                    entry[key] = len(part)
    if about:
        parts[MANIFEST] = json.dumps(about, ensure_ascii=False, indent=2).encode()


def _place_bundle(folder: Path, seed: Seed, content: bytes) -> Path:
    shutil.rmtree(folder / "root", ignore_errors=True)
    (folder / "root").mkdir()
    return _put(folder, seed, content)


def _read_bundle(path: Path) -> Any:
    from vlr_analysis.review.receive import receive

    return receive(path, path.parent / "root")


def _nothing(_: Any, path: Path) -> str:
    return ""


def _received(report: Any, path: Path) -> str:
    (written,) = (path.parent / "root" / "data").glob(f"{CITY}.csv")
    return table_faults(kit.read_table(written))


TARGETS: dict[str, Target] = {target.name: target for target in (
    *(Target(name, lambda name=name: _of_format(name), _reader(name), reading_faults,
             **({"place": _place_tracker} if name == "economic-tracker" else {})) for name in FILES),
    Target("open-sdg", _of_open_sdg, _reader("open-sdg"), reading_faults, place=_place_open_sdg),
    Target("guess", _of_any_format, lambda path: formats.read("guess", path, **GIVEN), reading_faults,
           place=_place_tracker),
    Target("kit-csv", _of_kit_csv, kit.read_table, lambda table, _: table_faults(table)),
    Target("kit-parquet", _of_kit_parquet, kit.read_table, lambda table, _: table_faults(table)),
    Target("kit-registers", _of_registers, lambda path: REGISTERS[path.stem](path), frame_faults,
           place=_place_register),
    Target("voices", _of_voices, read_voices, frame_faults),
    Target("workbook", _of_workbook, _read_filled, _filled_faults),
    Target("params", _of_params, _read_params, _nothing, place=_place_params),
    Target("handover", _of_bundle, _read_bundle, _received, mutate=_of_zip, place=_place_bundle),
)}  # fmt: skip
