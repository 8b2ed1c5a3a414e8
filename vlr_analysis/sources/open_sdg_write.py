"""Open SDG repositories on the way out: one CSV per indicator, its metadata, and the rules that its builder applies."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import yaml

from vlr_analysis import catalogue
from vlr_analysis.cell_text import inert_table
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.observations import WITHOUT_VALUE
from vlr_analysis.sources.kit_csv import decode

# SDMX CL_OBS_STATUS, as Open SDG's column "Observation status" takes it.
STATUS_CODES = {
    "value": "A", "estimated": "E", "provisional": "P", "break": "B", "missing": "O", "suppressed": "Q",
    "not_applicable": "M",
}  # fmt: skip
LISTING = "files.csv"
KEY = ["indicator", "series", "unit"]
HERE, NO_YEAR = "in this door", "no whole calendar year: in the annex, the SDMX file and the package"

# Headings that Open SDG, or a reader of its files, takes for something else than a breakdown.
_TAKEN = {
    "year", "years", "time", "period", "time period", "value", "obs value", "series", "measure", "units", "unit",
    "unit of measure", "unit measure", "unit multiplier", "observation status", "obs status", "observationstatus",
    "geocode", "progress", "group",
}  # fmt: skip
# Words that pandas, which builds Open SDG sites, reads as an empty cell: the total.
_READ_AS_EMPTY = {
    "#n/a", "#na", "-1.#ind", "-1.#qnan", "-nan", "1.#ind", "1.#qnan", "<na>", "n/a", "na", "nan", "none", "null",
}  # fmt: skip
_YEAR = re.compile(r"\d{4}")


def open_sdg_files(
    table: pd.DataFrame, definitions: pd.DataFrame, sources: pd.DataFrame, about: Mapping[str, str]
) -> dict[str, bytes]:
    """Write observations as an Open SDG repository.

    Parameters
    ----------
    table : DataFrame
        Observations. A suppressed or missing value is an empty cell with its status beside it, never a number.
    definitions : DataFrame
        By (indicator, series, unit): label, sdg_target, definition, geography, note where known.
    sources : DataFrame
        The sources table.
    about : mapping
        `place`, `contact`, `note`: what the metadata of every indicator say.

    Returns
    -------
    dict
        Bytes by name: `data/indicator_<code>.csv` with ``Year`` first and ``Value`` last, empty cells for the total;
        `meta/<code>.yml`; `files.csv`, which says for every indicator what is here and what is not.

    Notes
    -----
    Open SDG's year is a whole number. Months, quarters, fiscal years and pooled years would be mislabelled as one and
    are left out of this door; `files.csv` counts them. Intervals of values have no place in it either.
    """
    files, listing = {}, []
    stems = file_stems(table["indicator"].unique())
    known = table[KEY].drop_duplicates().merge(definitions, on=KEY, how="left").astype(object)
    known = known.where(known.notna(), "")
    for code, rows in table.groupby("indicator", sort=False):
        whole = rows[rows["period"].str.fullmatch(_YEAR)]
        listing.append((stems[code], code, len(whole), len(rows) - len(whole), HERE if len(whole) else NO_YEAR))
        if len(whole):
            files[f"data/indicator_{stems[code]}.csv"] = _csv(_sheet(whole))
            text = yaml.safe_dump(_metadata(code, whole, known, sources, about), allow_unicode=True, width=120)
            files[f"meta/{stems[code]}.yml"] = text.encode("utf-8")
    columns = ["file", "indicator", "observations_here", "observations_elsewhere", "note"]
    files[LISTING] = _csv(pd.DataFrame(listing, columns=columns))
    return files


def file_stems(codes) -> dict[str, str]:
    """Return each code's part of a file name: ``1.2.1`` is ``1-2-1``; codes that fall together are told apart."""
    stems: dict[str, str] = {}
    for code in sorted(map(str, codes)):
        stem = plain = "-".join(filter(None, map(slug, re.split(r"[^\w]+", code))))[:100].strip("-") or "indicator"
        count = 2
        while stem in stems.values():
            stem, count = f"{plain}-{count}", count + 1
        stems[code] = stem
    return stems


def heading(dimension: str) -> str:
    """Return the column heading of a breakdown dimension: words, never a heading that has a meaning of its own."""
    words = " ".join(re.sub(r"[-_,]+", " ", dimension).split())
    return f"By {words.lower()}" if words.casefold() in _TAKEN else words[:1].upper() + words[1:] or "Breakdown"


def cell(text: str) -> str:
    """Return a text as a cell: a word that would be read as an empty cell is put in context."""
    plain = " ".join(str(text).split())
    return f"category {plain}" if plain.casefold() in _READ_AS_EMPTY else plain


def _sheet(rows: pd.DataFrame) -> pd.DataFrame:
    pairs = [dict(pair.split("=", 1) for pair in text.split(";")) if text else {} for text in rows["breakdown"]]
    dimensions = sorted({name for found in pairs for name in found})
    sheet = {"Year": rows["period"].to_list(), "Units": rows["unit"].map(cell).to_list()}
    sheet["Series"] = rows["series"].map(cell).to_list()
    for name in dimensions:
        title, count = heading(name), 2
        while title in sheet:
            title, count = f"{heading(name)} {count}", count + 1
        sheet[title] = [cell(found.get(name, "")) for found in pairs]
    sheet["Observation status"] = rows["status"].map(STATUS_CODES).to_list()
    if rows["area"].nunique() > 1:
        sheet["GeoCode"] = rows["area"].to_list()
    sheet["Value"] = ["" if value != value else repr(float(value)) for value in rows["value"]]
    return pd.DataFrame(sheet)


def _csv(frame: pd.DataFrame) -> bytes:
    return inert_table(frame).to_csv(index=False, lineterminator="\n").encode("utf-8")


def _metadata(code: str, rows: pd.DataFrame, known: pd.DataFrame, sources: pd.DataFrame, about) -> dict:
    keys = rows[KEY].drop_duplicates()
    known = keys.merge(known, on=KEY)
    labels = [str(label) for label in known.get("label", known["series"]) if label]
    name = labels[0] if len(labels) == 1 else (catalogue.label(code) or " / ".join(labels[:3]) or code)
    target = next((text for text in known.get("sdg_target", pd.Series(dtype=str)) if text), "")
    goal = catalogue.goal_of(code) or catalogue.goal_of(str(target)) if target or catalogue.goal_of(code) else None
    found = {
        "indicator": code,
        "indicator_number": code,
        "indicator_name": name,
        "graph_title": name,
        "target_id": str(target),
        "sdg_goal": str(goal or ""),
        "computation_units": " / ".join(dict.fromkeys(keys["unit"])),
        "national_geographical_coverage": _coverage(known, about),
        "national_earliest_available_data": str(rows["period"].min()),
        "reporting_status": "complete",
        "data_non_statistical": False,
        "graph_type": "line",
        "comments_limitations": _limitations(known, about),
        "admin_contact_details": about.get("contact", ""),
    }
    named = [name for ids in rows["source"].unique() for name in ids.split(";")]
    named = sources[sources["source"].isin(named)]
    for number, source in enumerate(named.head(6).itertuples(), 1):
        found[f"source_active_{number}"] = True
        found[f"source_organisation_{number}"] = source.publisher
        found[f"source_url_{number}"] = source.url
        found[f"source_url_text_{number}"] = source.title
    return {key: value for key, value in found.items() if value not in ("", None)}


def _coverage(known: pd.DataFrame, about: Mapping[str, str]) -> str:
    other = sorted({str(text) for text in known.get("geography", pd.Series(dtype=str)) if text})
    return about.get("place", "") + (f" (some series: {', '.join(other)})" if other else "")


_RELATION = {
    "same": "as the global indicator", "adapted": "adapted from the global indicator",
    "other": "not what the global indicator measures", "own": "the city's own indicator",
}  # fmt: skip


def _limitations(known: pd.DataFrame, about: Mapping[str, str]) -> str:
    told = []
    for row in known.to_dict("records"):
        parts = [_RELATION.get(row.get("definition", ""), ""), row.get("note", "")]
        parts += [f"evidence graded {row['grade']}" + (f" ({row['grade_reason']})" if row.get("grade_reason") else "")
                  if row.get("grade") else ""]  # fmt: skip
        text = "; ".join(str(part) for part in parts if part)
        told += [f"{row['series']}: {text}."] if text else []
    return " ".join([*told, about.get("note", "")]).strip()


# --- the rules -----------------------------------------------------------------------------------


def check_open_sdg(folder: Path) -> list[Problem]:
    """Apply the rules of Open SDG's builder (sdg-build) to every file of a repository.

    Parameters
    ----------
    folder : Path
        Holds `data/` and `meta/`.

    Returns
    -------
    list of Problem
        File names; ``Year`` first, ``Value`` last, ``GeoCode`` last but one; whole years; numbers or nothing;
        no space at either end of a heading or a cell, no empty row, no heading twice, no row twice; a status that says
        why where there is no value; metadata beside the data.
    """
    problems = []
    for path in sorted((folder / "data").glob("*")):
        name = f"data/{path.name}"
        if not re.fullmatch(r"indicator_[a-z0-9]+(-[a-z0-9]+)*\.csv", path.name):
            fix = "name it after its indicator, with hyphens"
            problems.append(Problem(name, "this name", "indicator_1-2-1.csv", fix))
            continue
        try:
            rows = list(csv.reader(io.StringIO(decode(path.read_bytes(), name), newline="")))
        except InputError as error:
            problems += error.problems
            continue
        except csv.Error as error:
            problems.append(Problem(name, f"no table ({error})", "rows of cells", "write the file again"))
            continue
        problems += _heading_problems(name, rows[0] if rows else [])
        problems += _row_problems(name, rows)
        stem = path.stem.removeprefix("indicator_")
        if not (folder / "meta" / f"{stem}.yml").is_file():
            problems.append(Problem(f"meta/{stem}.yml", "no such file", "metadata beside the data", "write it"))
    return problems


def _heading_problems(name: str, heads: list[str]) -> list[Problem]:
    where, problems = f"{name}, row 1", []
    rules = [
        (heads[:1] == ["Year"], "the first column Year", "put it first, written so"),
        (heads[-1:] == ["Value"], "the last column Value", "put it last, written so"),
        ("GeoCode" not in heads or heads[-2:-1] == ["GeoCode"], "GeoCode last but one", "move the column"),
        (all(head and head == head.strip() for head in heads), "headings without space at their ends", "trim them"),
        (len({head.casefold() for head in heads}) == len(heads), "each heading once", "tell them apart"),
    ]
    for kept, expected, fix in rules:
        if not kept:
            problems.append(Problem(where, ", ".join(map(repr, heads)) or "nothing", expected, fix))
    return problems


def _row_problems(name: str, rows: list[list[str]]) -> list[Problem]:
    heads, problems, seen = (rows[0] if rows else []), [], {}
    status = heads.index("Observation status") if "Observation status" in heads else None
    empty = {STATUS_CODES[word] for word in WITHOUT_VALUE}
    for number, cells in enumerate(rows[1:], 2):
        where = f"{name}, row {number}"
        if len(cells) != len(heads) or not any(cells):
            problems.append(Problem(where, f"{len(cells)} cells", f"{len(heads)}, not all empty", "mend the row"))
            continue
        if not _YEAR.fullmatch(cells[0]):
            problems.append(Problem(f"{where}, column Year", repr(cells[0]), "a whole year", "write the year"))
        if cells[-1] and not re.fullmatch(r"-?\d+(\.\d+)?(e[-+]?\d+)?", cells[-1]):
            problems.append(
                Problem(f"{where}, column Value", repr(cells[-1]), "a number or nothing", "keep notes elsewhere")
            )
        if status is not None and (cells[status] in empty) != (cells[-1] == ""):
            found = f"status {cells[status]!r} beside the value {cells[-1]!r}"
            problems.append(Problem(where, found, "no value exactly where the status says so", "correct the status"))
        spaced = [head for head, text in zip(heads, cells, strict=True) if text != text.strip()]
        if spaced:
            problems.append(Problem(where, f"space at an end in {', '.join(spaced)}", "none", "trim the cell"))
        key = tuple(text for i, text in enumerate(cells[:-1]) if i != status)
        if key in seen:
            problems.append(Problem(where, f"the key of row {seen[key]}", "each key once", "remove one of the rows"))
        seen.setdefault(key, number)
    return problems
