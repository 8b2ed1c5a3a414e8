"""The hand-over from the local review to the national one: annex, box and feed, three doors with the same numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from vlr_analysis.cities import City
from vlr_analysis.comparison import comparison_table
from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.findings import KEY, Finding
from vlr_analysis.grades import series_grades
from vlr_analysis.language import N_, gettext, told
from vlr_analysis.observations import TEXT
from vlr_analysis.review import box as boxes
from vlr_analysis.review.annex import annex, series_known
from vlr_analysis.review.bundle import BUNDLE, LOG, MANIFEST, manifest, zipped
from vlr_analysis.review.document import docx, from_markdown, markdown
from vlr_analysis.review.package import csv_bytes, package_files
from vlr_analysis.review.staged import HANDOVER, staging
from vlr_analysis.sources.open_sdg_write import LISTING, open_sdg_files
from vlr_analysis.sources.sdmx_csv import sdmx_files

DOORS = (
    ("annex", "annex.xlsx"), ("box", "box.docx"), ("feed, Open SDG", "feed/open-sdg"), ("feed, SDMX", "feed/sdmx"),
    ("feed, data package", "feed/package"),
)  # fmt: skip
_UNPRINTABLE = re.compile(r"[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LOG_COLUMNS = ["door", "file", "sent_to", "date", "reply", "reply_date"]


def write_handover(
    city: City,
    findings: Sequence[Finding],
    folder: Path,
    *,
    grades: pd.DataFrame | None = None,
    tables: Mapping[str, pd.DataFrame] | None = None,
    methods: Sequence[Sequence[str]] = (),
    data_request: str = "",
    previous: Path | None = None,
) -> dict[str, Any]:
    """Write the hand-over of a city.

    Parameters
    ----------
    city : City
        The public build: one that shows small numbers is refused.
    findings : sequence of Finding
        All of them, in reading order; the first ones that have a number make the box.
    folder : Path
        Where `handover/` goes, the report of the city. An older hand-over there is replaced whole; its linkage log
        is kept as the city has filled it.
    grades : DataFrame, optional
        From `grades.series_grades`, of the city's figures; left out, it is computed without the smell test.
    tables : mapping, optional
        Result tables that become sheets of the annex, by name. One of them may be `comparison.comparison_table` with
        the nation; otherwise it is computed for the box and the feed: no line of the nation is drawn, and no grade of
        comparability given, that it does not allow.
    methods : sequence of (name, text, reference), optional
        Of the project's own, below the list of the annex.
    data_request : str
        Letter to the national office, in Markdown.
    previous : Path, optional
        Older hand-over whose linkage log is kept; left out, the one that is replaced.

    Returns
    -------
    dict
        `folder`, `bundle` (paths), `files` (how many), `words` (of the box), `numbers` (of the box, as printed),
        `not_in_open_sdg` (observations that this door cannot hold).

    Raises
    ------
    InputError
        The city shows small numbers, or has no figure; a text holds a control character, which Office files and XML
        cannot; a figure names a source that the sources table does not have;
        `folder/handover` was not made by the kit; a file of the old one is open elsewhere.
    """
    raise_if_any(f"hand-over of {city.name}", [*_city_problems(city), *_folder_problems(folder / HANDOVER)])
    tables = dict(tables or {})
    if grades is None:
        grades = series_grades(city.observations, city.definitions, city.all_sources, city.reference_year)
    pairs = _pairs(city, tables)
    box = boxes.make_box(city, findings, pairs)
    files = box_files(city, box)
    files["annex.xlsx"] = annex(city, findings, box, grades, tables=tables, methods=methods)
    files |= _feed(city, findings, _with_comparability(series_known(city, grades), pairs))
    if data_request:
        blocks = from_markdown(data_request)
        files["data-request.md"] = (data_request.rstrip() + "\n").encode("utf-8")
        title = told("{city}: request for data", city=city.name)
        files["data-request.docx"] = docx(blocks, title=title, author=city.name, language=city.language)
    files["README.txt"] = _readme(city, bool(data_request)).encode("utf-8")
    place = {"id": city.id, "name": city.name, "country": city.country, "made_up": city.made_up}
    about = {"city": place, "kit": version("vlr-analysis")}
    files[MANIFEST] = manifest(files, about)
    _move_in(folder / HANDOVER, files, (previous or folder / HANDOVER) / LOG)
    return {
        "folder": folder / HANDOVER,
        "bundle": folder / HANDOVER / BUNDLE,
        "files": len(files),
        "words": box.words,
        "numbers": [figure.printed for figure in box.figures],
        "not_in_open_sdg": int((~city.observations["period"].str.fullmatch(r"\d{4}")).sum()),
    }


def _city_problems(city: City) -> list[Problem]:
    problems = []
    if city.internal:
        problems.append(
            Problem(city.name, "the internal build, which shows small numbers", "the public build",
                    "make the hand-over without --internal")
        )  # fmt: skip
    if not len(city.observations):
        found, fix = "no figures of the goals that are chosen", "choose other goals, or add figures"
        problems.append(Problem(city.name, found, "at least one observation", fix))
    for name in TEXT:
        for text in city.observations[name].unique():
            if _UNPRINTABLE.search(text):
                where, fix = f"figures of {city.name}, column {name}", "take it out of the data file"
                problems.append(Problem(where, f"a control character in {text!r}", "letters that can be read", fix))
    table = pd.concat([city.observations, city.around], ignore_index=True)
    named = {name for ids in {*table["source"], *city.voices["source"]} for name in ids.split(";")}
    for name in sorted(named - set(city.all_sources["source"])):
        fix = "add its publisher, title and licence there"
        problems.append(Problem(f"source {name!r}", "no row in data/sources.csv", "a row for every source", fix))
    return problems


def _folder_problems(target: Path) -> list[Problem]:
    if target.is_symlink() or (target.exists() and not (target / MANIFEST).is_file()):
        fix = "move it away, or choose another --out"
        return [Problem(str(target), "something that the kit did not make", "a hand-over, or nothing", fix)]
    return []


def _pairs(city: City, tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame | None:
    """Return how each series compares with the nation's: the table that was passed in, else computed here."""
    for table in tables.values():
        if {*KEY, *(f"other_{name}" for name in KEY), "other_area", "comparability"} <= set(table.columns):
            return table
    if not city.nation:
        return None
    nation = city.around[city.around["area"] == city.nation[0]]
    span = {"baseline_year": city.baseline_year, "horizon": city.horizon}
    return comparison_table(city.observations, nation, city.definitions, city.pairs, **span)


def _with_comparability(known: pd.DataFrame, pairs: pd.DataFrame | None) -> pd.DataFrame:
    """Take the computed comparability of a pair over the declared one: a machine may have lowered it."""
    if pairs is None or not len(pairs):
        return known
    found = pairs[pairs["comparability"].astype(str) != ""].drop_duplicates(KEY)[[*KEY, "comparability"]]
    merged = known[KEY].merge(found, on=KEY, how="left")["comparability"]
    return known.assign(comparability=merged.fillna(known["comparability"]))


def box_files(city: City, box: boxes.Box) -> dict[str, bytes]:
    """Return the box as an editable document, as text, and its chart."""
    title = box.blocks[0].text
    files = {
        "box.md": markdown(box.blocks, "box.png").encode("utf-8"),
        "box.docx": docx(box.blocks, title=title, author=city.name, language=city.language, picture=box.picture),
    }
    return files | ({"box.png": box.picture} if box.picture else {})


def _feed(city: City, findings: Sequence[Finding], known: pd.DataFrame) -> dict[str, bytes]:
    note = "This city is made up." if city.made_up else ""
    about = {"place": city.name, "contact": city.contact, "note": note}
    title = f"{city.name}: indicators of the local review"
    doors = {
        "open-sdg": open_sdg_files(city.observations, known, city.all_sources, about),
        "sdmx": sdmx_files(city.observations, known, city.all_sources, city.areas, name=title, comment=note),
        "package": package_files(city, findings),
    }
    return {f"feed/{door}/{name}": content for door, files in doors.items() for name, content in files.items()}


# What each file of a hand-over is for.
FILES = {
    "annex.xlsx": N_("for people: all figures and findings, with methods, sources and a check of every number"),
    "box.docx, box.md": N_("for the national report: at most 250 words, three numbers, one chart (box.png); edit it"),
    "feed/open-sdg": N_("for an Open SDG site: whole calendar years; {listing} says what this form cannot hold"),
    "feed/sdmx": N_("for an SDMX database: SDMX-CSV 2.0 with its structure; all periods, statuses, intervals"),
    "feed/package": N_("for a data portal or another kit: Frictionless data package; `vlr receive` reads it"),
}


def _readme(city: City, with_request: bool) -> str:
    title = N_("Hand-over of {city} to the national review (a made-up city)")
    title = title if city.made_up else N_("Hand-over of {city} to the national review")
    lines = [told(title, city=city.name), ""]
    lines += [f"{name:<20}{told(text, listing=LISTING)}" for name, text in FILES.items()]
    if with_request:
        lines.append(f"{'data-request':<20}{gettext('what the city asks of the national office')}")
    lines += [
        "",
        gettext("The same numbers stand in all of them. A hidden value is empty and says so; it is never zero."),
        told(
            "Contact: {contact}. Terms: {terms}.", contact=city.contact or gettext("not stated"),
            terms=city.licence or gettext("those of the sources, see the annex"),
        ),
        gettext("CSV files are for machines: open the annex in a spreadsheet, not the feed."),
        told(
            "{manifest} lists every file with its SHA-256. {log} is the city's own note of what was sent; it stays "
            "here.", manifest=MANIFEST, log=LOG,
        ),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _move_in(target: Path, files: Mapping[str, bytes], log: Path) -> None:
    """Write everything beside the target and move it there whole; the city's linkage log comes along."""
    kept = log.read_bytes() if log.is_file() else csv_bytes(_empty_log())
    with staging(target) as staged:
        new, old = staged / "new", staged / "old"
        for name, content in {**files, LOG: kept, BUNDLE: zipped(dict(sorted(files.items())))}.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        try:
            if target.exists():
                target.replace(old)
            new.replace(target)
        except OSError as error:
            if old.exists() and not target.exists():
                old.replace(target)
            found, fix = f"a folder that cannot be replaced ({error.strerror})", "close the files of the old hand-over"
            problem = Problem(str(target), found, "one that nobody uses", fix)
            raise InputError(str(target), [problem]) from None


def _empty_log() -> pd.DataFrame:
    return pd.DataFrame(DOORS, columns=LOG_COLUMNS[:2]).reindex(columns=LOG_COLUMNS, fill_value="")
