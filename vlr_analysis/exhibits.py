"""What a notebook shows: a figure, a table or a list of findings, always together with its caption and its data."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any, Literal

import pandas as pd

from vlr_analysis import language
from vlr_analysis.cell_text import inert_table, visible
from vlr_analysis.language import coded, gettext, retold, told
from vlr_analysis.periods import spoken
from vlr_analysis.words import group

# A notebook that was run carries its results in its outputs under this type; the review reads them from there.
MIME = "application/vnd.vlr.exhibit+json"

PROBABILITIES = {"p", "q", "q_ar1", "probability", "smallest_p", "beta_p", "sigma_p"}

# Columns that hold periods: shown as readers say them, written as ISO 8601.
PERIODS = {
    "base_period", "first", "jump_period", "last", "last_period", "level_back", "level_period", "path_back",
    "path_period", "period", "shock_period", "trough_period",
}  # fmt: skip

# Heads of intervals that are not simply the 95 % interval of the column before.
INTERVALS = {"predicted_low:predicted_high": "One further city", "rank_low:rank_high": "Place, 95 % interval"}

# Columns of names and of what people have written: shown in every language as they are.
NAMES = {
    "area", "cities", "count", "counted", "country", "department", "evidence", "file", "id", "indicator",
    "label", "licence", "limits", "nation", "organiser", "other_series", "other_unit", "pillar", "place",
    "publisher", "quotation", "reference", "scope", "series", "series_of_target", "settings", "source", "statement",
    "target_code", "theme", "title", "titles",
}  # fmt: skip

NOTHING = 1e-12  # below it a number is told as zero
MONEY = ("£", "€", "US$", "$")  # stand before the number

# Declared rounding of everything that is written: six significant digits.
FLOAT_FORMAT = "%.6g"


# Words at the head of each result column, the same in every table; `low` and `high` are ends of a 95 % interval.
HEADERS = {
    "label": "Series", "place": "Area", "unit": "Unit", "breakdown": "Group", "first": "From", "last": "To",
    "n": "Years", "slope_per_year": "Change per year", "q": "q", "q_ar1": "q, correlated years",
    "verdict": "Verdict", "movement": "Movement", "reason": "Reason", "note": "Values used", "base_period": "Base",
    "base_value": "Value then", "last_period": "Latest", "last_value": "Latest value", "target": "Target",
    "un": "UN chart", "eurostat": "Eurostat", "linear": "Linear pace", "probability": "Chance of target",
    "default": "Default choices", "without_first": "Without first year", "without_last": "Without last year",
    "without_2020": "Without 2020", "hamed_rao": "Hamed-Rao", "flips": "What says otherwise",
    "n_before": "Values before",
    "n_after": "Values after", "level_verdict": "Level", "level_reason": "Reason, level",
    "level_back": "Level back in", "path_verdict": "Path", "path_reason": "Reason, path",
    "path_back": "Path back in", "reading": "Reading", "base_before": "Base a year earlier",
    "base_after": "Base a year later", "two_years": "Level of two years",
    "earlier_year": "Level of the year before that", "window_5": "Baseline 5 years", "window_8": "8 years",
    "window_10": "10 years", "ordinary": "Ordinary least squares",
    "level_period": "Level of", "level": "Level before", "shock_period": "Shock in",
    "shock_value": "Value at shock", "shock_change": "Change at shock", "jump_period": "Largest step in",
    "jump": "Step", "gap_level": "Gap to level", "usual_movement": "Usual movement", "trough_period": "Deepest in",
    "path_period": "Judged in", "depth": "Depth", "loss": "Loss", "rebound": "Rebound", "gap_path": "Gap to path",
    "gap_shock": "Gap at shock", "shock_clear": "Clear", "placebo_rank": "Rank", "placebos": "Placebos",
    "smallest_p": "Smallest p possible", "measure": "Measure", "second_measure": "and measure", "units": "Units",
    "rho": "Spearman", "p": "p", "publisher": "Publisher", "title": "Title", "file": "File",
    "retrieved": "Retrieved", "licence": "Terms",
    "dimension": "By", "period": "Period", "groups": "Groups", "with_value": "With a value",
    "suppressed": "Suppressed", "interval": "Interval", "lowest_group": "Lowest", "highest_group": "Highest",
    "difference": "Difference", "ratio": "Ratio", "par": "To the better group", "paf": "the same, %",
    "bgv": "Variance", "theil": "Theil (x 1000)", "mld": "Mean log deviation (x 1000)", "idis": "Disparity index, %",
    "sii": "Slope index", "rii": "Relative index", "years": "Years", "least_group": "Least advantaged",
    "total_slope": "Total, per year", "least_slope": "That group, per year", "gap_slope": "Gap, per year",
    "beta": "Beta", "beta_p": "p, beta", "sigma_first": "Spread, first", "sigma_last": "Spread, last",
    "sigma_p": "p, spread", "converging": "Closer", "cells": "Cells", "kind": "Kind", "series": "Measure",
    "nation": "Beside", "common": "Common years", "comparability": "Comparability",
    "comparability_reason": "What lowers it", "smell": "Smell test", "year": "Year", "value": "Value",
    "other_value": "Value beside", "difference_slope": "Difference, per year", "other_movement": "Movement beside",
    "disagree_on": "On", "likely_reason": "Likely reason", "progress": "Progress", "other_progress": "Progress beside",
    "other_series": "Series beside", "other_unit": "Unit beside", "indicator": "Indicator", "asked": "Ask",
    "question": "Question", "why": "Why", "shared": "Shared series", "peers": "Peers", "peers_low": "Lowest",
    "peers_quarter": "Lower quarter", "peers_middle": "Middle", "peers_three_quarters": "Upper quarter",
    "peers_high": "Highest", "standing": "Standing", "areas": "Cities", "goal": "Goal", "indicators": "Series",
    "score": "Score", "grade": "Grade", "grade_reason": "What limits it", "statement": "Finding", "id": "Id",
    "department": "Department", "pillar": "Pillar", "target_code": "Target", "findings": "Findings",
    "count": "Count", "counted": "Of what", "scope": "Scope", "published": "Published", "certainty": "Certainty",
    "effect_of": "Effect", "mean": "Mean", "tau2": "Variance between", "i2": "I²", "cities": "Cities",
    "area": "Area id", "row": "Row", "origin": "Came from", "status": "Status", "source": "Source",
    "country": "Country",
    "measure_informed": "Informs", "towards": "Towards", "away": "Away",
    "latest_year": "Latest", "state": "State", "number": "Number", "made_up": "Made up", "A": "A", "B": "B", "C": "C",
    "D": "D",
    "organiser": "Who did it", "where": "Where", "participants": "Took part", "population": "Could have",
    "response_percent": "Took part, %", "chosen": "How chosen", "self_selected": "Self-selected", "consent": "Consent",
    "themes": "Themes", "theme": "Theme", "says": "What was said", "told": "How many",
    "share_percent": "% of those who took part", "quotation": "In their words", "voices": "All voices",
    "average_hides": "Average hides", "silence": "Silent for", "missing": "What is missing",
    "target_label": "Target, in words", "people": "People", "pieces": "Pieces", "titles": "Evidence",
    "series_of_target": "Series under the target", "aspect": "Aspect", "applies_to": "Applies to", "at_most": "At most",
    "rule": "Rule", "total_movement": "The whole area moves",
    "goal_label": "In words", "targets": "Targets", "targets_global": "Global indicator", "targets_own": "Own only",
    "targets_none": "No figures", "global_indicators": "Global indicators", "global_with": "With figures",
    "own_indicators": "Own indicators", "n_series": "Series", "domain": "Domain", "objective": "Objective",
    "targets_with": "Targets with figures", "measured": "What is measured", "held": "What is there",
    "priority": "Priority", "asked_by": "Asked by", "expected": "Asked for", "present": "There",
    "not_applicable": "Not applicable", "further": "Also there", "n_values": "Values", "age": "Age, years",
    "gaps": "Years without", "breaks": "Breaks", "without_value": "Empty", "has_interval": "Interval",
    "evidence": "Evidence", "what": "Number of", "source_class": "Source", "suspicion": "Suspicion",
    "text": "What was seen", "innocent": "Innocent if",
    "point": "Point", "lacking": "What to do", "to": "Addressed to", "definition": "Definition", "unlocks": "Needed",
    "reference": "Reference", "limits": "Limits", "settings": "Settings", "result": "Result",
}  # fmt: skip


@dataclass(frozen=True)
class Exhibit:
    """One thing to show.

    Attributes
    ----------
    kind : 'figure', 'table' or 'findings'
    name : str
        Short name, unique in its notebook; the data file is named after it.
    caption : str
        What is shown, in one or two sentences that were true before the data were seen.
    alt : str
        What a reader who cannot see it should know; computed from the data. Empty for a table.
    html : str
        The element itself.
    data : DataFrame
        What is plotted or listed, one row per point, mark or finding.
    """

    kind: Literal["figure", "table", "findings"]
    name: str
    caption: str
    alt: str
    html: str
    data: pd.DataFrame

    def csv(self) -> str:
        """Return the data as CSV text, floats to six significant digits; findings as the review reads them again."""
        data = self.data.infer_objects()
        data = data if self.kind == "findings" else inert_table(data)
        return data.to_csv(index=False, float_format=FLOAT_FORMAT, lineterminator="\n")

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        carried = {"kind": self.kind, "name": self.name, "caption": self.caption, "alt": self.alt, "csv": self.csv()}
        return {"text/html": self.html, "text/plain": f"{self.kind} {self.name}: {self.caption}", MIME: carried}


def show(*shown: Exhibit, nothing: str = "") -> None:
    """Show exhibits below a notebook's cell, one after the other; where there is none, say `nothing`."""
    from IPython.display import HTML, display

    for exhibit in shown:
        display(exhibit)
    if nothing and not shown:
        display(HTML(f"<p>{escape(retold(nothing))}</p>"))


def said(text: str) -> None:
    """Show a sentence below a notebook's cell that belongs to no table, figure or finding."""
    from IPython.display import HTML, display

    display(HTML(f"<p>{escape(text)}</p>"))


def number(value: float | None, digits: int = 3, places: int | None = None) -> str:
    """Return a number as readers see it: `plain_number` with the marks of the language in use."""
    return language.number(plain_number(value, digits, places))


def plain_number(value: float | None, digits: int = 3, places: int | None = None) -> str:
    """Return a number in English form, as results keep it, with commas at thousands and a true minus sign.

    It has `digits` significant digits; whole thousands keep all theirs. With `places` it has that many behind the
    point, zeros too. NaN and None give an en dash. What lies within 1e-12 of zero is what rounding left, and reads 0,
    as it counts as equal to zero when a review is reproduced.
    """
    if value is None or not math.isfinite(value):
        return "–"
    if places is not None:
        text = f"{value:,.{places}f}"
        return text.lstrip("-") if not float(text.replace(",", "")) else text.replace("-", "−")
    if abs(value) < NOTHING:
        return "0"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    if float(text.replace(",", "")) == 0:
        return "0"
    return text.replace("-", "−")


def places(estimate: float, *ends: float) -> int:
    """Return how many places behind the point an estimate and the ends of its interval get.

    The largest of them has three significant digits and the estimate two at least. There are more, three at most,
    where the estimate would else have none or two of them look alike, and none that is a zero in all of them.
    """
    known = [value for value in (estimate, *ends) if math.isfinite(value)]
    top = max(map(abs, known), default=0.0)
    if not top:
        return 0
    least = max(0, 2 - math.floor(math.log10(top)))
    wanted = least if not estimate else max(least, min(least + 3, 1 - math.floor(math.log10(abs(estimate)))))
    kinds = len({f"{value:.6g}" for value in known})
    apart = (at for at in range(wanted, least + 4) if len({f"{value:.{at}f}" for value in known}) >= kinds)
    found = next(apart, wanted)
    while found and all(f"{value:.{found}f}".endswith("0") for value in known):
        found -= 1
    return found


def places_in(unit: str, estimate: float, *ends: float) -> int:
    """Return `places` of values of a unit: of a change from a base, those that its percent get."""
    factor = 100 if since_base(unit) else 1
    return places(*(factor * value for value in (estimate, *ends)))


def slug(text: str) -> str:
    """Return a text as a short file name: small letters, digits, hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60]


def signed(value: float | None, digits: int = 3, places: int | None = None) -> str:
    """Return `number` with a plus sign where the value is above zero."""
    text = number(value, digits, places)
    above = value is not None and math.isfinite(value) and value > 0 and re.search("[1-9]", text)
    return f"+{text}" if above else text


def interval(low: float, high: float, digits: int = 3, places: int | None = None) -> str:
    """Return a 95 % interval in words, or "no interval" where there is none."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return gettext("no interval")
    return told("{low} to {high}", low=number(low, digits, places), high=number(high, digits, places))


def plain_interval(low: float, high: float, digits: int = 3) -> str:
    """Return `interval` in English form, as results keep it."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return "no interval"
    return f"{plain_number(low, digits)} to {plain_number(high, digits)}"


def with_unit(value: float, unit: str, digits: int = 3, places: int | None = None) -> str:
    """Return a value with its unit: money before the number, the rest after; a change from a base in percent."""
    text = number(value, digits, places)
    if text == "–":
        return text
    if since_base(unit):
        base = unit.removeprefix("change relative to ").removesuffix(", proportion")
        return told("{change} % against {base}", change=signed(100 * value, digits, places), base=retold(base))
    if unit in MONEY:
        return f"{unit}{text}" if not text.startswith("−") else f"−{unit}{text[1:]}"
    return f"{text} {plain_unit(unit)}".strip()


def gap(value: float, unit: str, digits: int = 3, places: int | None = None) -> str:
    """Return a difference with its sign and its unit: of shares, percentage points."""
    return _difference(value, unit, digits, places, signed)


def unsigned(value: float, unit: str, digits: int = 3, places: int | None = None) -> str:
    """Return how large a difference is, without a sign, in the form of `gap`."""
    return _difference(abs(value), unit, digits, places, number)


def _difference(value: float, unit: str, digits: int, places: int | None, write: Callable[..., str]) -> str:
    if since_base(unit):
        return told("{change} percentage points", change=write(100 * value, digits, places))
    text = write(value, digits, places)
    if unit in MONEY:
        return f"{text[0]}{unit}{text[1:]}" if text[0] in "+−" else f"{unit}{text}"
    if unit == "%":
        return told("{change} percentage points", change=text)
    return f"{text} {plain_unit(unit)}".rstrip()


def alike(
    estimate: float, low: float, high: float, unit: str, write: Callable[..., str] = with_unit
) -> tuple[str, str]:
    """Return an estimate by `write` (`with_unit`, `gap`, `unsigned`) and its 95 % interval, rounded alike.

    Both are in the numbers that `write` prints: of a change from a base, percent.
    """
    if not all(map(math.isfinite, (estimate, low, high))):
        return write(estimate, unit), interval(low, high)
    factor, at = 100 if since_base(unit) else 1, places_in(unit, estimate, low, high)
    return write(estimate, unit, places=at), interval(factor * low, factor * high, places=at)


def since_base(unit: str) -> bool:
    """Return whether a unit is a change from a base as a proportion, which readers see in percent."""
    return unit.startswith("change relative to ") and unit.endswith(", proportion")


def plain_unit(unit: str) -> str:
    """Return a unit as it stands inside a sentence: small first letter, nothing for a bare ratio."""
    if unit.casefold() in ("ratio", "index", "as published"):
        return ""
    if unit.casefold().startswith(("rate per ", "score out of ")):
        unit = unit.split(" ", 1)[1]
    return gettext(unit[0].lower() + unit[1:] if unit[1:2].islower() else unit)


def table(
    data: pd.DataFrame,
    name: str,
    caption: str,
    columns: str,
    *,
    nothing: str = coded("No series of this city fits this table."),
    heads: Mapping[str, str] | None = None,
) -> Exhibit:
    """Return a table for readers; all of `data` goes with it.

    Parameters
    ----------
    data : DataFrame
        Words of the kit are shown in the language in use, floats by `number`, NaN as an en dash; the data stay.
    name, caption : str
        As in `Exhibit`.
    columns : str
        Columns to show, in order, separated by spaces; the first names the row. `HEADERS` has their words.
        Two names joined by a colon are the ends of a 95 % interval and share a cell. A column of numbers without
        any is left out and named below the table.
    nothing : str
        What to say where the table has no row.
    heads : mapping, optional
        Words of columns that `HEADERS` does not have, or has otherwise; shown as they are.
    """
    heads = heads or {}
    caption, nothing = retold(caption), retold(nothing)
    shown, absent = _with_values(data, columns.split(), heads)
    head = "".join(f'<th scope="col"{_align(data, column)}>{escape(_header(column, heads))}</th>' for column in shown)
    columns_of_cells = [_cells(data, column, column == shown[0]) for column in shown]
    body = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*columns_of_cells, strict=True))
    inner = f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody>"
    missing = escape(told("Not given for any row: {columns}.", columns=", ".join(absent))) if absent else ""
    left_out = f'<p class="absent">{missing}</p>' if absent else ""
    full = f"<table><caption>{escape(caption)}</caption>{inner}</table>{left_out}"
    whole = full if len(data) else f"<p>{escape(nothing)}</p>"
    html = f'<div class="table" id="{escape(name)}">{whole}</div>'
    return Exhibit("table", name, caption, "", html, data)


def _with_values(data: pd.DataFrame, columns: list[str], heads: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """Split columns into those with a number somewhere, or with text, and the headers of the numbers never given."""
    kept, absent = [], []
    for place, column in enumerate(columns):
        held = [data[name] for name in column.split(":")]
        if place and len(data) and all(pd.api.types.is_float_dtype(part) and part.isna().all() for part in held):
            before = _header(columns[place - 1], heads)
            absent.append(told("95 % interval of {column}", column=before) if ":" in column else _header(column, heads))
        else:
            kept.append(column)
    return kept, absent


def _header(column: str, heads: Mapping[str, str]) -> str:
    if ":" in column:
        return gettext(INTERVALS[column]) if column in INTERVALS else gettext("95 % interval")
    return heads.get(column) or gettext(HEADERS[column])


def _align(data: pd.DataFrame, column: str) -> str:
    if ":" in column:
        return ' class="num"'
    held = data[column]
    return ' class="num"' if pd.api.types.is_numeric_dtype(held) and held.dtype != bool else ""


def _cells(data: pd.DataFrame, name: str, is_header: bool) -> list[str]:
    """Return the cells of one column, top to bottom."""
    if ":" in name:
        low, high = (data[end].astype(float).tolist() for end in name.split(":"))
        return [f'<td class="num">{_ends(a, b)}</td>' for a, b in zip(low, high, strict=True)]
    column = data[name]
    is_bool = column.dtype == bool
    is_float, is_integer = pd.api.types.is_float_dtype(column), pd.api.types.is_integer_dtype(column)
    align = _align(data, name)
    tag, scope = ("th", ' scope="row"') if is_header else ("td", "")
    cells = []
    for value in column.tolist():
        if is_bool or isinstance(value, bool):
            text = gettext("yes") if value else gettext("no")
        elif name in PROBABILITIES and math.isfinite(value):
            text = language.number("<0.001" if value < 0.001 else f"{value:.3f}")
        elif name == "year" and math.isfinite(value):
            text = f"{value:.0f}"
        elif is_float:
            text = number(value)
        elif isinstance(value, float) and math.isnan(value):
            text = "–"
        elif name == "unit":
            text = plain_unit(str(value)) or "–"
        elif name in PERIODS:
            text = spoken(retold(str(value)))
        elif is_integer:
            text = str(value).replace("-", "−")
        elif name == "breakdown":
            text = group(str(value))
        elif name == "place":
            text = group(str(value)).replace("=", " ").replace(";", ", ") if "=" in str(value) else visible(str(value))
        else:
            text = visible(str(value) if name in NAMES else retold(str(value)))
        # <bdi> keeps a right-to-left name from turning the row around.
        far = not text.isascii() and any(ord(letter) > 0x0590 for letter in text)
        text = f"<bdi>{escape(text)}</bdi>" if far else escape(text)
        look = align or (' class="long"' if tag == "td" and len(text) > 24 else "")
        cells.append(f"<{tag}{scope}{look}>{text}</{tag}>")
    return cells


def _ends(low: float, high: float) -> str:
    return interval(low, high) if math.isfinite(low) and math.isfinite(high) else "–"


def canonical(data: pd.DataFrame, columns: str, digits: int = 6) -> str:
    """Return a result table as plain lines that two machines write alike: sorted, floats to `digits` digits.

    `columns` are separated by spaces. One line a row, cells joined by `` | ``; NaN is written as nothing. This is
    what nbval compares.
    """
    lines = []
    for row in data[columns.split()].itertuples(index=False):
        cells = []
        for value in row:
            missing = value is None or (isinstance(value, float) and math.isnan(value))
            cells.append("" if missing else f"{value:.{digits}g}" if isinstance(value, float) else str(value))
        lines.append(" | ".join(cells))
    return "\n".join([" | ".join(columns.split()), *sorted(lines)])
