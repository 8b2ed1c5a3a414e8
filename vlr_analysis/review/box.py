"""The box for a national review: at most 250 words, one chart, three numbers, a caveat and a source."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from vlr_analysis.cities import City
from vlr_analysis.disparities import HIDES, MAY_HIDE, SHOWS
from vlr_analysis.drawing import NATION, OWN, styled, year_axis
from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import plain_unit
from vlr_analysis.findings import KEY, Finding
from vlr_analysis.language import N_, gettext, retold, told
from vlr_analysis.lead import AT_MOST, KeyFigure, lead_figures
from vlr_analysis.periods import parse_period, spoken
from vlr_analysis.review.document import Block, count_words
from vlr_analysis.review.workbook import head_of
from vlr_analysis.words import group

MOST_WORDS = 250
MOST_CAVEAT = 25  # words; a longer one is in the annex only

MEASURES = {
    "slope_per_year": N_("change per year"), "gap_level": N_("latest gap to the level before the shock"),
    "gap_path": N_("gap to the path before the shock"), "difference": N_("difference"), "value": N_("value"),
    "last_value": N_("latest value"), "count": N_("number of people"),
}  # fmt: skip
HIDDEN = {
    HIDES: N_("the average hides it"), MAY_HIDE: N_("the average may hide it"),
    SHOWS: N_("no sign that the average hides it"),
}  # fmt: skip
BACK = {"level": N_("back at that level: {verdict}"), "path": N_("back on its path: {verdict}")}
TITLES = {
    0: N_("{city}: no number yet"), 1: N_("{city}: one number from the local review"),
    2: N_("{city}: two numbers from the local review"), 3: N_("{city}: three numbers from the local review"),
}  # fmt: skip
TOO_FEW = {
    1: N_("One finding of grade A to C could be stated with a number, not three."),
    2: N_("Two findings of grade A to C could be stated with a number, not three."),
}  # fmt: skip


@dataclass(frozen=True)
class Box:
    """A box that is ready: its blocks, its numbers, its chart (empty where nothing can be drawn)."""

    blocks: tuple[Block, ...]
    figures: tuple[KeyFigure, ...]
    picture: bytes
    drawn: pd.DataFrame

    @property
    def words(self) -> int:
        """Words of the whole box, its chart's alternative text among them."""
        return count_words(self.blocks)


# --- the words -----------------------------------------------------------------------------------


def make_box(city: City, findings: Sequence[Finding], pairs: pd.DataFrame | None = None) -> Box:
    """Make the box of a city.

    Parameters
    ----------
    city : City
    findings : sequence of Finding
        In reading order.
    pairs : DataFrame, optional
        From `comparison.comparison_table`: the nation's line is drawn only where a pair is the same or near.

    Returns
    -------
    Box
        At most 250 words: what is too much is left out whole, caveats of single findings first. With fewer than three
        findings it says so; with none it has neither number nor chart.

    Raises
    ------
    InputError
        Even the shortest form is too long: names or units of hundreds of words.
    """
    known = city.definitions
    labels = dict(zip(known[KEY].itertuples(index=False, name=None), known["label"], strict=True))
    goals = dict(zip(known[KEY].itertuples(index=False, name=None), known["goal"], strict=True))
    figures = lead_figures(findings, goals)
    drawn, on = pd.DataFrame(), None
    # One line shows a movement; it does not show a difference between groups.
    for figure in sorted(figures, key=lambda figure: figure.finding.kind not in ("trend", "recovery", "nation")):
        rows = chart_rows(city, figure.finding, pairs)
        if len(rows[rows["area"] == figure.finding.area]) > 1:
            drawn, on = rows, figure
            break
    picture = draw(drawn, on.finding.area) if on else b""
    for blocks in _ever_shorter(city, figures, labels, drawn, on):
        if count_words(blocks) <= MOST_WORDS:
            return Box(tuple(blocks), tuple(figures), picture, drawn)
    problem = Problem(f"box of {city.name}", "names or units of hundreds of words", f"at most {MOST_WORDS} words",
                      "shorten the city's name, or the units of its leading findings")  # fmt: skip
    raise InputError("box", [problem])


def _ever_shorter(city, figures, labels, drawn, on) -> Iterator[list[Block]]:
    """Yield the box's blocks, from the fullest to the barest; each step drops a whole sentence or a whole name."""
    caveats = _caveats(figures, labels)
    for kept in range(len(caveats), -1, -1):
        yield _blocks(city, figures, labels, drawn, on, caveats[:kept])
    yield _blocks(city, figures, labels, drawn, on, [], reasons=False)
    bare = {
        **labels,
        **{_series(figure.finding): told("Indicator {code}", code=figure.finding.indicator) for figure in figures},
    }
    yield _blocks(city, figures, labels, drawn, on, [], named=False, reasons=False)
    yield _blocks(city, figures, bare, drawn, on, [], named=False, reasons=False)
    numbers = [replace(figure, phrase=figure.printed) for figure in figures]
    yield _blocks(city, numbers, bare, drawn, on, [], named=False, units=False, reasons=False)


def _blocks(city, figures, labels, drawn, on, caveats, *, named=True, units=True, reasons=True) -> list[Block]:
    count = len(figures)
    blocks = [Block("title", told(TITLES[count], city=city.name))]
    if city.made_up:
        blocks.append(Block("text", gettext("This city is made up; its figures serve to teach.")))
    if not count:
        text = gettext("No finding of grade A to C could be stated with a number. The annex has all figures at hand.")
        return [*blocks, Block("text", text), Block("note", _source(city, [], named))]
    if count < AT_MOST:
        blocks.append(Block("text", gettext(TOO_FEW[count])))
    blocks += [Block("item", _words(city, figure, labels, reasons), f"{figure.phrase}.") for figure in figures]
    if on:
        blocks.append(Block("picture", _alt(drawn, on, city, labels)))
        blocks.append(Block("note", _caption(drawn, on, city, labels, units)))
    general = gettext(
        "Caveat: these are readings of the city's own figures. They tell how much moved, not why. "
        "Grade A is the strongest evidence, D the weakest."
    )
    blocks.append(Block("text", " ".join([general, *caveats])))
    blocks.append(Block("note", _source(city, [figure.finding for figure in figures], named)))
    return blocks


def _caveats(figures: Sequence[KeyFigure], labels: dict) -> list[str]:
    """Return the short caveats of the findings, each once, with the names of those that it is about."""
    about: dict[str, list[str]] = {}
    for figure in figures:
        if figure.finding.caveat and len(figure.finding.caveat.split()) <= MOST_CAVEAT:
            about.setdefault(figure.finding.caveat, []).append(_name(figure, labels))
    every = len(figures) > 1
    whole = gettext("All of them")
    return [
        told("{about}: {caveat}", about=whole if every and len(names) == len(figures) else "; ".join(names),
             caveat=caveat)
        for caveat, names in about.items()
    ]  # fmt: skip


def _name(figure: KeyFigure, labels: dict) -> str:
    found = figure.finding
    label = labels.get(_series(figure.finding), found.series)
    return label + (f", {group(found.breakdown).replace('=', ' ').replace(';', ', ')}" if found.breakdown else "")


def _words(city: City, figure: KeyFigure, labels: dict, reasons: bool) -> str:
    """Say what a key figure is, over which years, with its interval and grade."""
    found, name = figure.finding, _name(figure, labels)
    known = city.definitions[(city.definitions[KEY] == list(_series(found))).all(axis=1)]
    label, _, head = found.statement.partition(figure.printed)[0].rstrip(", ،").partition(": ")
    head = head if label.strip() in [*known["label"], name] else ""
    measure = gettext(MEASURES[figure.name]) if figure.name in MEASURES else head_of(figure.name).lower()
    groups = [item["breakdown"] for item in found.evidence if item.get("breakdown", "").endswith("=*")]
    others = [item["area"] for item in found.evidence if item.get("area", found.area) != found.area]
    verdict = retold(found.verdict)
    if found.kind == "trend" and head and not re.search(r"\d", head):
        said = head
    elif found.kind == "disparity" and groups:
        hides = gettext(HIDDEN[found.verdict]) if found.verdict in HIDDEN else verdict
        said = told("{measure} between groups, by {dimension}; {verdict}", measure=measure,
                    dimension=retold(groups[0][:-2]), verdict=hides)  # fmt: skip
    elif found.kind == "nation" and others:
        said = told("{measure} beside {area}; the two {verdict}", measure=measure,
                    area=city.areas.get(others[0], others[0]), verdict=verdict)  # fmt: skip
    elif found.kind == "recovery":
        said = "; ".join([measure, *(_back(part) for part in found.verdict.split("; "))])
    else:
        said = f"{measure}; {verdict}"
    limits = told("95 % interval {interval}", interval=figure.interval) if figure.interval else gettext("no interval")
    grade = told("grade {grade}", grade=found.grade)
    if reasons and found.grade_reason:
        grade = told("{about}: {caveat}", about=grade, caveat=found.grade_reason)
    details = "; ".join(part for part in (when_of(found), limits, grade) if part)
    return told("{name}: {said} ({details}).", name=name, said=said, details=details)


def _back(verdict: str) -> str:
    """Say one reading of a recovery: ``level: not yet`` in words."""
    reading, _, said = verdict.partition(": ")
    return told(BACK[reading], verdict=retold(said)) if reading in BACK else retold(verdict)


def when_of(found: Finding) -> str:
    """Return the period of a finding as readers say it; an empty text where it names none."""
    numbers = found.numbers
    if numbers.get("period"):
        return spoken(str(numbers["period"]))
    if numbers.get("first") and numbers.get("last"):
        return _span(str(numbers["first"]), str(numbers["last"]))
    if "year" in numbers:
        return str(numbers["year"]).removesuffix(".0")
    spans = [(item.get("first", ""), item.get("last", "")) for item in found.evidence]
    first, last = spans[0] if spans else ("", "")
    return _span(first, last) if first and last else ""


def _span(first: str, last: str) -> str:
    return spoken(first) if first == last else told("{first} to {last}", first=spoken(first), last=spoken(last))


def _source(city: City, leads: Sequence[Finding], named: bool) -> str:
    ids = {name for found in leads for name in found.source.split(";")}
    sources = city.all_sources
    names = sources.loc[sources["source"].isin(ids), "publisher"].drop_duplicates().tolist()
    held = (
        told("Source: {names}.", names="; ".join(names))
        if names and named
        else gettext("Sources: listed in the annex.")
    )
    contact = [told("Contact: {contact}.", contact=city.contact)] if city.contact and named else []
    return " ".join([held, gettext("All figures, intervals and methods: annex.xlsx."), *contact])


# --- the chart -----------------------------------------------------------------------------------


def chart_rows(city: City, finding: Finding, pairs: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return what the box draws for a finding: the city's series, and the nation's where the two may share an axis.

    Returns
    -------
    DataFrame
        Observations with `time` (decimal years); of several frequencies the one with most values. Rows without a value
        are kept, so that a line breaks there.
    """
    tables = [_of(city.observations, finding.area, _series(finding), finding.breakdown)]
    if pairs is not None and len(pairs):
        mine = (pairs[["area", *KEY]] == [finding.area, *_series(finding)]).all(axis=1)
        for pair in pairs[mine & pairs["comparability"].isin(["same", "near"])].head(1).to_dict("records"):
            other = tuple(pair[f"other_{name}"] for name in KEY)
            tables.append(_of(city.around, pair["other_area"], other, finding.breakdown))
    rows = pd.concat(tables, ignore_index=True)
    periods = rows["period"].map(parse_period)
    rows = rows.assign(time=[period.midpoint for period in periods], length=[period.duration for period in periods])
    own = rows[rows["value"].notna() & (rows["area"] == finding.area)]
    counts = own.groupby("length", sort=False).size()
    rows = rows[rows["length"] == counts.idxmax()] if len(counts) else rows.iloc[:0]
    return rows.drop(columns="length").sort_values(["area", "time"], kind="stable").reset_index(drop=True)


def _series(finding: Finding) -> tuple[str, str, str]:
    return finding.indicator, finding.series, finding.unit


def _of(table: pd.DataFrame, area: str, series: tuple[str, str, str], breakdown: str) -> pd.DataFrame:
    return table[(table[["area", *KEY, "breakdown"]] == [area, *series, breakdown]).all(axis=1)]


@styled
def draw(rows: pd.DataFrame, area: str) -> bytes:
    """Draw `chart_rows` as PNG: the city solid with dots, the nation dashed; no words, which the caption has."""
    figure = Figure(figsize=(6.4, 3.0), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    for place, part in rows.groupby("area", sort=False):
        look = {"color": OWN, "marker": "o", "markersize": 3} if place == area else {"color": NATION, "linestyle": "--"}
        axes.plot(part["time"], part["value"], **look)
    year_axis(axes)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200, metadata={"Software": None})
    return buffer.getvalue()


def _lines(drawn: pd.DataFrame, on: KeyFigure, city: City) -> list[tuple[str, pd.DataFrame]]:
    order = sorted(drawn["area"].unique(), key=lambda area: area != on.finding.area)
    return [(city.areas.get(area, area), drawn[(drawn["area"] == area) & drawn["value"].notna()]) for area in order]


def _caption(drawn, on, city, labels, units: bool) -> str:
    names = [name for name, _ in _lines(drawn, on, city)]
    unit = plain_unit(on.finding.unit) if units else ""
    what = ", ".join(part for part in (_name(on, labels), unit) if part)
    if len(names) > 1:
        return told("Chart: {what}. Solid line: {one}; dashed line: {other}.", what=what, one=names[0], other=names[1])
    return told("Chart: {what}. Solid line: {one}.", what=what, one=names[0])


def _alt(drawn, on, city, labels) -> str:
    """Say which way each line goes; the numbers are in the table of figures."""
    lines = []
    for name, rows in _lines(drawn, on, city):
        if len(rows) > 1:
            step = rows["value"].iloc[-1] - rows["value"].iloc[0]
            way = N_("{name} ends where it began ({span})")
            way = N_("{name} ends higher than it began ({span})") if step > 0 else way
            way = N_("{name} ends lower than it began ({span})") if step < 0 else way
            lines.append(told(way, name=name, span=_span(rows["period"].iloc[0], rows["period"].iloc[-1])))
    return told("Line chart of {name}: {lines}.", name=_name(on, labels), lines="; ".join(lines))
