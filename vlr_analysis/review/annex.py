"""The statistical annex: one workbook with all figures, all findings, and what a reader needs to check them."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import pandas as pd

from vlr_analysis.cities import City
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.findings import Finding
from vlr_analysis.language import N_, coded, gettext, pgettext, retold, told
from vlr_analysis.lookup import Lookup
from vlr_analysis.observations import COLUMNS, NUMBERS, WITHOUT_VALUE, check
from vlr_analysis.periods import parse_period
from vlr_analysis.review import provenance, recompute
from vlr_analysis.review.box import Box, when_of
from vlr_analysis.review.origins import came_from
from vlr_analysis.review.page_findings import kind_names
from vlr_analysis.review.workbook import Sheet, head_of, sheet_of, workbook
from vlr_analysis.sources.sheet_book import check_parts, unheard

# Headings of the sheet Figures, in the order of its columns; those with a name in the one table are read back.
FIGURES = {
    "area": N_("Area"), "indicator": N_("Indicator"), "label": N_("Label"), "series": N_("Series"),
    "unit": N_("Unit"), "period": N_("Period"), "time": N_("Time (decimal year)"), "breakdown": N_("Group"),
    "value": N_("Value"), "low": N_("95 % low"), "high": N_("95 % high"), "status": N_("Status"),
    "source": N_("Source"), "origin": N_("Came from"),
}  # fmt: skip
STATUS_WORDS = {
    "value": coded("value"), "estimated": coded("estimated"), "provisional": coded("provisional"),
    "break": coded("break in series"), "missing": coded("missing"), "suppressed": coded("suppressed"),
    "not_applicable": coded("not applicable"),
}  # fmt: skip
BOX_NUMBERS = (
    N_("Place in the box"), N_("Finding"), N_("Number"), N_("Value"), N_("As printed"), N_("With unit"), N_("Period"),
    N_("Grade"), N_("Key"),
)  # fmt: skip
BOX_SHEET = N_("Box numbers")
BOX_PLACES = (N_("key figure {number}"), N_("interval of key figure {number}"))
# Sheets are read back by their place and columns by theirs: their names are in the language of the review.
FIGURES_AT, BOX_AT = 3, -1

METHODS = (
    (N_("Trend"), N_(
        "Theil-Sen: the median of the slopes between all pairs of yearly values, with Sen's 95 % interval."
     ), "doi:10.1080/01621459.1968.10480934"),
    (N_("Is there a trend?"), N_(
        "Kendall's test against time, exact where nothing is tied; a second one that allows for correlated "
        "years. Both must say so, and no other choice may contradict."
     ), "doi:10.1093/biomet/30.1-2.81"),
    (N_("Many series at once"),
     N_("Benjamini-Hochberg over all headline series of the city."),
     "doi:10.1111/j.2517-6161.1995.tb02031.x"),
    (N_("Shock and recovery"), N_(
        "Two readings. Level: against the year before the shock. Path: against a straight line through the "
        "years before it, errors of neighbouring years correlated (Prais-Winsten), with a prediction "
        "interval and placebo years. Segmented regression for months and quarters."
     ), "doi:10.1093/ije/dyw098"),
    (N_("Groups"),
     N_("Difference and ratio between groups, and measures over all of them. Intervals by seeded draws."),
     "doi:10.1017/CBO9780511802843"),
    (N_("City and nation"), N_(
        "Each pair has a grade of comparability first: same, near, context or blocked. Only same and near "
        "are compared in numbers. A machine may lower the grade, only a person raises it."
     ), ""),
    (N_("City and cities"),
     N_("Like for like only, as a range of peers; ranks carry intervals."),
     "doi:10.1111/j.1467-985X.2005.00350.x"),
    (N_("Grades of evidence"), N_(
        "A to D: the lowest of class of the source, age, number of years, geography, definition, breaks. "
        "The reason that limits is printed."
     ), ""),
    (N_("Hidden cells"), N_(
        "Small numbers, and cells that would give them away by subtraction, are hidden before anything is "
        "computed. A hidden cell says so; it is not zero."
     ), ""),
    (N_("Nothing is imputed"),
     N_("Zero, missing, suppressed and not applicable are four different things."),
     ""),
)  # fmt: skip


def annex(
    city: City,
    findings: Sequence[Finding],
    box: Box,
    grades: pd.DataFrame,
    *,
    tables: Mapping[str, pd.DataFrame] | None = None,
    methods: Sequence[Sequence[str]] = (),
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
        Of the project's own, below `METHODS`.
    """
    own = city.observations.reset_index(drop=True)
    table = pd.concat([own, city.around], ignore_index=True)
    came = came_from(provenance.places(city, table))
    lookup = Lookup(table)
    behind = [lookup.rows(found.evidence).tolist() for found in findings]
    others = table.take(sorted({i for rows in behind for i in rows if i >= len(own)}))
    mine, theirs = gettext(recompute.OWN), gettext(recompute.OTHERS)
    places = {i: f"{mine}!{i + 2}" for i in range(len(own))}
    places |= {i: f"{theirs}!{number}" for number, i in enumerate(others.index, 2)}
    columns = [table[name].tolist() for name in recompute.Row._fields[1:]]
    shown = {i: recompute.Row(place, *(column[i] for column in columns)) for i, place in places.items()}
    held = [[shown[i] for i in rows] for rows in behind]
    labels = city.definitions.set_index(["indicator", "series", "unit"])["label"].to_dict()
    heads = tuple(FIGURES.values())
    sheets = [
        _sheet(N_("About"), (N_("What"), N_("Text")), _about(city)),
        _sheet(N_("Findings"), FINDINGS, _findings(findings, held)),
        _sheet(CHECK, recompute.HEADER, recompute.check_rows(findings, held)),
        _sheet(recompute.OWN, heads, _figures(own, labels, came)),
    ]
    if len(others):
        sheets.append(_sheet(recompute.OTHERS, heads, _figures(others, labels, [came[i] for i in others.index])))
    sheets.append(Sheet(pgettext("sheet", "Series"), [gettext(head) for head in SERIES], _series(city, grades)))
    last = [
        _sheet(N_("Sources"), SOURCES, _sources(city, others)),
        _sheet(N_("Methods"), (N_("Method"), N_("What is done"), N_("Reference")), _methods(methods)),
        _sheet(BOX_SHEET, BOX_NUMBERS, box_rows(box)),
    ]
    taken = {sheet.name.casefold() for sheet in (*sheets, *last)}
    for name, data in (tables or {}).items():
        sheets.append(sheet_of(told("Result {name}", name=name) if name.casefold() in taken else name, data))
    title = told("{city}: statistical annex of the local review", city=city.name)
    return workbook([*sheets, *last], title=title, author=city.name)


def _sheet(name: str, heads: Sequence[str], rows: list[list]) -> Sheet:
    return Sheet(gettext(name), [gettext(head) for head in heads], rows)


def _methods(methods: Sequence[Sequence[str]]) -> list[list[str]]:
    ours = [[gettext(name), gettext(text), reference] for name, text, reference in METHODS]
    return [*ours, *map(list, methods)]


CHECK = N_("Check a number")


def _about(city: City) -> list[list[str]]:
    own = city.observations
    known = own["period"].str[:4]
    hidden = int((own["status"] == "suppressed").sum())
    span = told("{first} to {last}", first=known.min(), last=known.max()) if len(own) else gettext("none")
    terms = gettext("not stated; the figures keep the terms of their sources (sheet Sources)")
    rows = [
        (gettext("City"), city.name),
        (gettext("Country"), city.country),
        (gettext("What this is"),
         gettext("Statistical annex of a voluntary local review, for the national review (VNR).")),
        (gettext("Figures"), told("{n} observations of {years}; {hidden} of them suppressed", n=len(own), years=span,
                                  hidden=hidden)),
        (gettext("Contact"), city.contact or gettext("not stated")),
        (gettext("Terms"), city.licence or terms),
        (gettext("How to read"),
         gettext("Findings first. Each has an id, a grade from A (strongest) to D, and what limits it.")),
        (gettext("How to check a number"),
         told("Sheet '{sheet}': find the id. It names the rows, and recomputes what a spreadsheet can. Six digits must "
              "agree.", sheet=gettext(CHECK))),
        (gettext("Values that are words"),
         gettext("suppressed: hidden to protect people. missing: not known. not applicable: cannot exist. None of them "
                 "is zero.")),
        (gettext("Where a figure came from"),
         told("Sheet {sheet}, column '{column}': the file, sheet and cell in which somebody wrote it; else the file "
              "and row of this kit that hold it.", sheet=gettext(recompute.OWN), column=gettext(FIGURES["origin"]))),
        (gettext("Intervals"),
         gettext("95 % intervals of the source where it gives them; the kit's own where a finding says so.")),
        (gettext("The same numbers elsewhere"),
         gettext("box.docx and box.md for the national report; feed/ for a database.")),
    ]  # fmt: skip
    if city.made_up:
        rows.insert(0, (gettext("Made up"), gettext("This city does not exist; its figures serve to teach.")))
    return [list(row) for row in rows]


FINDINGS = (
    N_("Finding"), N_("Kind"), N_("Statement"), N_("Verdict"), N_("Grade"), N_("What limits the grade"), N_("Caveat"),
    N_("Priority"), N_("Area"), N_("Indicator"), N_("Series"), N_("Unit"), N_("Group"), N_("Rows"), N_("Source"),
)  # fmt: skip


def _findings(findings: Sequence[Finding], held: Sequence[Sequence[recompute.Row]]) -> list[list]:
    rows, kinds = [], kind_names()
    for found, evidence in zip(findings, held, strict=True):
        where = recompute.ranges([row.place for row in evidence], "A", recompute.LAST)
        rows.append([
            found.id, kinds[found.kind], found.statement, retold(found.verdict), found.grade, found.grade_reason,
            found.caveat, found.priority, found.area, found.indicator, found.series, found.unit, found.breakdown,
            where, found.source,
        ])  # fmt: skip
    return rows


def _figures(table: pd.DataFrame, labels: Mapping[tuple, str], came: Sequence[str]) -> list[list]:
    midpoints = {text: parse_period(text).midpoint for text in table["period"].unique()}
    shown = table.assign(
        label=[labels.get(key, "") for key in zip(table["indicator"], table["series"], table["unit"], strict=True)],
        time=table["period"].map(midpoints),
        status=table["status"].map({status: retold(word) for status, word in STATUS_WORDS.items()}),
        origin=came[: len(table)],
    )
    shown["value"] = table["value"].astype(object).where(~table["status"].isin(WITHOUT_VALUE), shown["status"])
    return shown[list(FIGURES)].astype(object).to_numpy().tolist()


SERIES = (
    N_("Label"), N_("Goal"), N_("Target of the 2030 Agenda"), N_("Indicator"), N_("Series"), N_("Unit"),
    N_("Desired direction"), N_("Relation to the global indicator"), N_("Area of the figures"), N_("City's target"),
    N_("Target year"), N_("Who set the target"), N_("Grade"), N_("What limits the grade"), N_("Values"), N_("From"),
    N_("To"), N_("Comparability with the nation"), N_("Note"),
)  # fmt: skip


def _series(city: City, grades: pd.DataFrame) -> list[list]:
    known = series_known(city, grades).astype(object)
    columns = [
        "label", "goal", "sdg_target", "indicator", "series", "unit", "direction", "definition", "geography", "target",
        "target_year", "target_source", "grade", "grade_reason", "n", "first", "last", "comparability", "note",
    ]  # fmt: skip
    shown = known.reindex(columns=columns).where(known.reindex(columns=columns).notna(), "")
    for name in ("direction", "definition", "grade_reason", "comparability"):
        shown[name] = shown[name].map(retold)
    return shown.to_numpy().tolist()


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
    N_("Id"), N_("Publisher"), N_("Title"), N_("Terms"), N_("Retrieved"), N_("SHA-256 of the file"), N_("Class"),
    N_("File"), N_("Sheet"), N_("Cells"), N_("Address"), N_("Note"),
)  # fmt: skip


def _sources(city: City, others: pd.DataFrame) -> list[list]:
    ids = {name for ids in [*city.observations["source"], *others["source"]] for name in ids.split(";")}
    columns = ["source", "publisher", "title", "licence", "retrieved", "sha256", "source_class", "file", "sheet",
               "cells", "url", "note"]  # fmt: skip
    shown = city.all_sources.loc[city.all_sources["source"].isin(ids), columns]
    return shown.assign(source_class=shown["source_class"].map(retold)).to_numpy().tolist()


def box_rows(box: Box) -> list[list]:
    """Return the rows of the sheet Box numbers: the three key figures, then the intervals printed beside them."""
    rows, limits = [], []
    for place, figure in enumerate(box.figures, 1):
        found = figure.finding
        when = when_of(found)
        key, limit = (told(text, number=place) for text in BOX_PLACES)
        rows.append([key, found.id, head_of(figure.name), figure.value, figure.printed, figure.phrase, when,
                     found.grade, figure.name])  # fmt: skip
        if figure.interval:
            limits.append([limit, found.id, gettext("95 % interval"), "", figure.interval, "", when, found.grade, ""])
    return rows + limits


# --- reading -----------------------------------------------------------------------------------


def read_figures(content: bytes) -> pd.DataFrame:
    """Read the sheet Figures back to the one table; its words are those of the language in use.

    Raises
    ------
    InputError
        The file is no workbook, the sheet or a column is missing, and everything that `observations.check` finds.
    """
    rows = read_sheet(content, FIGURES_AT)
    if len([head for head in rows[0] if head]) != len(FIGURES):
        problem = Problem("annex.xlsx, sheet Figures", f"{len(rows[0])} columns", ", ".join(FIGURES.values()),
                          "take the annex as it was sent")  # fmt: skip
        raise InputError("annex.xlsx", [problem])
    table = pd.DataFrame(rows[1:], columns=list(FIGURES), dtype=object)[list(COLUMNS)]
    for name in COLUMNS:
        if name not in NUMBERS:
            table[name] = table[name].fillna("").astype(str)
    words = {retold(word): status for status, word in STATUS_WORDS.items()}
    # Cells hold numbers and words: compared as objects, one by one.
    word = table["status"].astype(object)
    table["status"] = table["status"].map(lambda said: words.get(said, said))
    empty = table["status"].isin(WITHOUT_VALUE) & (table["value"].astype(object) == word)
    table["value"] = table["value"].where(~empty, None)
    return check(table, name="annex.xlsx, sheet Figures")


def read_sheet(content: bytes, at: int) -> list[list]:
    """Return the cells of one sheet of the annex, by its place, row by row; formulas are not computed."""
    from openpyxl import load_workbook

    fix = "take the annex as it was sent"
    try:
        check_parts(content, "annex.xlsx")
        with unheard():
            made = load_workbook(io.BytesIO(content), read_only=True)
            names = made.sheetnames[at:][:1]
            cells = [list(row) for name in names for row in made[name].iter_rows(values_only=True)]
    except InputError:
        raise
    except Exception as error:  # a damaged workbook raises whatever its damage leads to
        raise InputError("annex.xlsx", [Problem("annex.xlsx", f"no workbook ({error})", "the annex", fix)]) from None
    if not cells:
        raise InputError("annex.xlsx", [Problem("annex.xlsx", f"{len(made.sheetnames)} sheets", "all of them", fix)])
    width = len(cells[0])
    return [(row + [None] * width)[:width] for row in cells]
