"""The statistical annex: one workbook with all figures, all findings, and what a reader needs to check them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import pandas as pd

from vlr_analysis.cities import City
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.findings import Finding
from vlr_analysis.lookup import Lookup
from vlr_analysis.observations import COLUMNS, NUMBERS, WITHOUT_VALUE, check
from vlr_analysis.periods import parse_period
from vlr_analysis.review import provenance, recompute
from vlr_analysis.review.box import Box, when_of
from vlr_analysis.review.origins import came_from
from vlr_analysis.review.workbook import Sheet, sheet_of, workbook
from vlr_analysis.sources.sheet_book import check_parts, unheard

# Headings of the sheet Figures, in the order of its columns; those with a name in the one table are read back.
FIGURES = {
    "area": "Area", "indicator": "Indicator", "label": "Label", "series": "Series", "unit": "Unit", "period": "Period",
    "time": "Time (decimal year)", "breakdown": "Group", "value": "Value", "low": "95 % low", "high": "95 % high",
    "status": "Status", "source": "Source", "origin": "Came from",
}  # fmt: skip
STATUS_WORDS = {
    "value": "value", "estimated": "estimated", "provisional": "provisional", "break": "break in series",
    "missing": "missing", "suppressed": "suppressed", "not_applicable": "not applicable",
}  # fmt: skip
BOX_NUMBERS = ("Place in the box", "Finding", "Number", "Value", "As printed", "With unit", "Period", "Grade", "Key")
BOX_SHEET, KEY_FIGURE = "Box numbers", "key figure"

METHODS = (
    ("Trend", "Theil-Sen: the median of the slopes between all pairs of yearly values, with Sen's 95 % interval.",
     "doi:10.1080/01621459.1968.10480934"),
    ("Is there a trend?", "Kendall's test against time, exact where nothing is tied; a second one that allows for "
     "correlated years. Both must say so, and no other choice may contradict.", "doi:10.1093/biomet/30.1-2.81"),
    ("Many series at once", "Benjamini-Hochberg over all headline series of the city.",
     "doi:10.1111/j.2517-6161.1995.tb02031.x"),
    ("Shock and recovery", "Two readings. Level: against the year before the shock. Path: against a straight line "
     "through the years before it, errors of neighbouring years correlated (Prais-Winsten), with a prediction interval "
     "and placebo years. Segmented regression for months and quarters.", "doi:10.1093/ije/dyw098"),
    ("Groups", "Difference and ratio between groups, and measures over all of them. Intervals by seeded draws.",
     "doi:10.1017/CBO9780511802843"),
    ("City and nation", "Each pair has a grade of comparability first: same, near, context or blocked. Only same and "
     "near are compared in numbers. A machine may lower the grade, only a person raises it.", ""),
    ("City and cities", "Like for like only, as a range of peers; ranks carry intervals.",
     "doi:10.1111/j.1467-985X.2005.00350.x"),
    ("Grades of evidence", "A to D: the lowest of class of the source, age, number of years, geography, definition, "
     "breaks. The reason that limits is printed.", ""),
    ("Hidden cells", "Small numbers, and cells that would give them away by subtraction, are hidden before anything is "
     "computed. A hidden cell says so; it is not zero.", ""),
    ("Nothing is imputed", "Zero, missing, suppressed and not applicable are four different things.", ""),
)  # fmt: skip


def annex(
    city: City,
    findings: Sequence[Finding],
    box: Box,
    grades: pd.DataFrame,
    *,
    tables: Mapping[str, pd.DataFrame] | None = None,
    methods: Sequence[Sequence[str]] | None = None,
) -> bytes:
    """Return the annex as xlsx.

    Parameters
    ----------
    city : City
    findings : sequence of Finding
        In reading order.
    box : Box
        Its numbers are listed here.
    grades : DataFrame
        From `grades.series_grades`, of the city's figures.
    tables : mapping, optional
        Further result tables by the name of their sheet, such as the comparison with the nation.
    methods : sequence of (name, text, reference), optional
        In place of `METHODS`.
    """
    own = city.observations.reset_index(drop=True)
    table = pd.concat([own, city.around], ignore_index=True)
    came = came_from(provenance.places(city, table))
    lookup = Lookup(table)
    behind = [lookup.rows(found.evidence).tolist() for found in findings]
    others = table.take(sorted({i for rows in behind for i in rows if i >= len(own)}))
    places = {i: f"{recompute.OWN}!{i + 2}" for i in range(len(own))}
    places |= {i: f"{recompute.OTHERS}!{number}" for number, i in enumerate(others.index, 2)}
    columns = [table[name].tolist() for name in recompute.Row._fields[1:]]
    shown = {i: recompute.Row(place, *(column[i] for column in columns)) for i, place in places.items()}
    held = [[shown[i] for i in rows] for rows in behind]
    labels = city.definitions.set_index(["indicator", "series", "unit"])["label"].to_dict()
    sheets = [
        Sheet("About", ("What", "Text"), _about(city)),
        Sheet("Findings", FINDINGS, _findings(findings, held)),
        Sheet("Check a number", recompute.HEADER, recompute.check_rows(findings, held)),
        Sheet(recompute.OWN, tuple(FIGURES.values()), _figures(own, labels, came)),
    ]
    if len(others):
        sheets.append(
            Sheet(recompute.OTHERS, tuple(FIGURES.values()), _figures(others, labels, [came[i] for i in others.index]))
        )
    sheets.append(Sheet("Series", SERIES, _series(city, grades)))
    taken = {sheet.name.casefold() for sheet in sheets} | {"sources", "methods", BOX_SHEET.casefold()}
    for name, data in (tables or {}).items():
        sheets.append(sheet_of(f"Result {name}" if name.casefold() in taken else name, data))
    sheets.append(Sheet("Sources", SOURCES, _sources(city, others)))
    sheets.append(Sheet("Methods", ("Method", "What is done", "Reference"), [list(row) for row in methods or METHODS]))
    sheets.append(Sheet(BOX_SHEET, BOX_NUMBERS, box_rows(box)))
    return workbook(sheets, title=f"{city.name}: statistical annex of the local review", author=city.name)


def _about(city: City) -> list[list[str]]:
    own = city.observations
    years = f"{own['period'].str[:4].min()} to {own['period'].str[:4].max()}" if len(own) else "none"
    hidden = int((own["status"] == "suppressed").sum())
    rows = [
        ["City", city.name],
        ["Country", city.country],
        ["What this is", "Statistical annex of a voluntary local review, for the national review (VNR)."],
        ["Figures", f"{len(own)} observations of {years}; {hidden} of them suppressed"],
        ["Contact", city.contact or "not stated"],
        ["Terms", city.licence or "not stated; the figures keep the terms of their sources (sheet Sources)"],
        ["How to read", "Findings first. Each has an id, a grade from A (strongest) to D, and what limits it."],
        ["How to check a number", "Sheet 'Check a number': find the id. It names the rows, and recomputes what a "
         "spreadsheet can. Six digits must agree."],
        ["Values that are words", "suppressed: hidden to protect people. missing: not known. not applicable: cannot "
         "exist. None of them is zero."],
        ["Where a figure came from", "Sheet Figures, column 'Came from': the file, sheet and cell in which somebody "
         "wrote it; else the file and row of this kit that hold it."],
        ["Intervals", "95 % intervals of the source where it gives them; the kit's own where a finding says so."],
        ["The same numbers elsewhere", "box.docx and box.md for the national report; feed/ for a database."],
    ]  # fmt: skip
    return [*([["Made up", "This city does not exist; its figures serve to teach."]] if city.made_up else []), *rows]


FINDINGS = (
    "Finding", "Kind", "Statement", "Verdict", "Grade", "What limits the grade", "Caveat", "Priority", "Area",
    "Indicator", "Series", "Unit", "Group", "Rows", "Source",
)  # fmt: skip


def _findings(findings: Sequence[Finding], held: Sequence[Sequence[recompute.Row]]) -> list[list]:
    rows = []
    for found, evidence in zip(findings, held, strict=True):
        where = recompute.ranges([row.place for row in evidence], "A", recompute.LAST)
        rows.append([
            found.id, found.kind, found.statement, found.verdict, found.grade, found.grade_reason, found.caveat,
            found.priority, found.area, found.indicator, found.series, found.unit, found.breakdown,
            where, found.source,
        ])  # fmt: skip
    return rows


def _figures(table: pd.DataFrame, labels: Mapping[tuple, str], came: Sequence[str]) -> list[list]:
    midpoints = {text: parse_period(text).midpoint for text in table["period"].unique()}
    shown = table.assign(
        label=[labels.get(key, "") for key in zip(table["indicator"], table["series"], table["unit"], strict=True)],
        time=table["period"].map(midpoints),
        status=table["status"].map(STATUS_WORDS),
        origin=came[: len(table)],
    )
    shown["value"] = table["value"].astype(object).where(~table["status"].isin(WITHOUT_VALUE), shown["status"])
    return shown[list(FIGURES)].astype(object).to_numpy().tolist()


SERIES = (
    "Label", "Goal", "Target of the 2030 Agenda", "Indicator", "Series", "Unit", "Desired direction",
    "Relation to the global indicator", "Area of the figures", "City's target", "Target year", "Who set the target",
    "Grade", "What limits the grade", "Values", "From", "To", "Comparability with the nation", "Note",
)  # fmt: skip


def _series(city: City, grades: pd.DataFrame) -> list[list]:
    known = series_known(city, grades).astype(object)
    columns = [
        "label", "goal", "sdg_target", "indicator", "series", "unit", "direction", "definition", "geography", "target",
        "target_year", "target_source", "grade", "grade_reason", "n", "first", "last", "comparability", "note",
    ]  # fmt: skip
    return known.reindex(columns=columns).where(known.reindex(columns=columns).notna(), "").to_numpy().tolist()


def series_known(city: City, grades: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each of the city's series, with the grade of its total (or of its weakest group)."""
    key = ["indicator", "series", "unit"]
    own = city.observations[key].drop_duplicates()
    order = {letter: rank for rank, letter in enumerate("DCBA")}
    ranked = grades.assign(total=grades["breakdown"] == "", rank=grades["grade"].map(order))
    ranked = ranked.sort_values(["total", "rank"], ascending=[False, True], kind="stable").drop_duplicates(key)
    rows = city.definitions.merge(own, on=key).merge(
        ranked[[*key, "grade", "grade_reason", "n", "first", "last"]], on=key, how="left"
    )
    pairs = city.pairs.drop_duplicates(key).rename(columns={"declared": "comparability"})
    return rows.merge(pairs[[*key, "comparability"]], on=key, how="left")


SOURCES = (
    "Id", "Publisher", "Title", "Terms", "Retrieved", "SHA-256 of the file", "Class", "File", "Sheet", "Cells",
    "Address", "Note",
)  # fmt: skip


def _sources(city: City, others: pd.DataFrame) -> list[list]:
    ids = {name for ids in [*city.observations["source"], *others["source"]] for name in ids.split(";")}
    columns = ["source", "publisher", "title", "licence", "retrieved", "sha256", "source_class", "file", "sheet",
               "cells", "url", "note"]  # fmt: skip
    return city.all_sources.loc[city.all_sources["source"].isin(ids), columns].to_numpy().tolist()


def box_rows(box: Box) -> list[list]:
    """Return the rows of the sheet Box numbers: the three key figures, then the intervals printed beside them."""
    rows, limits = [], []
    for place, figure in enumerate(box.figures, 1):
        found = figure.finding
        when = when_of(found)
        rows.append([f"{KEY_FIGURE} {place}", found.id, recompute.words(figure.name), figure.value, figure.printed,
                     figure.phrase, when, found.grade, figure.name])  # fmt: skip
        if figure.interval:
            limits.append([f"interval of {KEY_FIGURE} {place}", found.id, "95 % interval", "", figure.interval, "",
                           when, found.grade, ""])  # fmt: skip
    return rows + limits


# --- reading -----------------------------------------------------------------------------------


def read_figures(content: bytes) -> pd.DataFrame:
    """Read the sheet Figures back to the one table.

    Raises
    ------
    InputError
        The file is no workbook, the sheet or a column is missing, and everything that `observations.check` finds.
    """
    rows = read_sheet(content, recompute.OWN)
    header, words = rows[0], {word: status for status, word in STATUS_WORDS.items()}
    missing = [name for name in COLUMNS if FIGURES[name] not in header]
    if missing:
        problem = Problem("annex.xlsx, sheet Figures", f"no column {', '.join(missing)}", ", ".join(FIGURES.values()),
                          "take the annex as it was sent")  # fmt: skip
        raise InputError("annex.xlsx", [problem])
    table = pd.DataFrame(rows[1:], columns=header, dtype=object)[[FIGURES[name] for name in COLUMNS]]
    table.columns = list(COLUMNS)
    for name in COLUMNS:
        if name not in NUMBERS:
            table[name] = table[name].fillna("").astype(str)
    table["status"] = table["status"].map(lambda word: words.get(word, word))
    # Cells hold numbers and words: compared as objects, one by one.
    word = table["status"].map(STATUS_WORDS).astype(object)
    empty = table["status"].isin(WITHOUT_VALUE) & (table["value"].astype(object) == word)
    table["value"] = table["value"].where(~empty, None)
    return check(table, name="annex.xlsx, sheet Figures")


def read_sheet(content: bytes, name: str) -> list[list]:
    """Return the cells of one sheet of the annex, row by row; formulas are not computed."""
    from openpyxl import load_workbook

    fix = "take the annex as it was sent"
    try:
        check_parts(content, "annex.xlsx")
        with unheard():
            made = load_workbook(io.BytesIO(content), read_only=True)
            cells = [list(row) for row in made[name].iter_rows(values_only=True)] if name in made.sheetnames else []
    except InputError:
        raise
    except Exception as error:  # a damaged workbook raises whatever its damage leads to
        raise InputError("annex.xlsx", [Problem("annex.xlsx", f"no workbook ({error})", "the annex", fix)]) from None
    if not cells:
        raise InputError("annex.xlsx", [Problem("annex.xlsx", f"no sheet {name}", "the sheet", fix)])
    width = len(cells[0])
    return [(row + [None] * width)[:width] for row in cells]
