"""Figures that can be read and still look wrong: each doubt with the cell it is about, and what would clear it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date
from difflib import get_close_matches

import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.errors import Problem
from vlr_analysis.exhibits import number
from vlr_analysis.observations import KEY
from vlr_analysis.periods import parse_period, spoken
from vlr_analysis.slips import SIZE_FREE, measure
from vlr_analysis.smell import smell_table
from vlr_analysis.sources.figure_rows import Figure

SERIES = ["indicator", "series", "unit"]
_FIT = "figures that fit together"
_PLACES = re.compile(
    r"district|distrito|ward|zone|zona|borough|neighbou?rhood|barrio|bairro|parish|quartier|commune|bezirk|mahalle",
    re.I,
)


def doubts(table: pd.DataFrame, figures: Sequence[Figure], today: date) -> list[Problem]:
    """List what looks wrong in figures that can be read.

    Parameters
    ----------
    table : DataFrame
        Observations of one area.
    figures : sequence of Figure
        The same observations in the same order, each with its cells.
    today : date
        Figures of periods that begin later are doubted.

    Returns
    -------
    list of Problem
        Questions to whoever knows the figures; a run goes on with them.
    """
    if not len(table):
        return []
    return [
        *_slips(table, figures),
        *_of_the_future(figures, today),
        *_spelt_apart(table, figures),
        *_unusual_units(table, figures),
        *_without_total(table, figures),
        *_beside_their_total(table, figures),
    ]


def _slips(table: pd.DataFrame, figures: Sequence[Figure]) -> Iterator[Problem]:
    """Yield what the smell test of the review finds: jumps, mixed units, groups that do not fit their total."""
    definitions = table[SERIES].drop_duplicates().reset_index(drop=True)
    scales = [catalogue.unit_scale(unit) for unit in definitions["unit"]]
    for name in ("kind", "lower", "upper"):
        definitions[name] = [getattr(scale, name) for scale in scales]
    at = {figure.key: figure for figure in figures}
    for row in smell_table(table, definitions).to_dict("records"):
        figure = at[tuple(row["first"] if name == "period" else row[name] for name in KEY)]
        fix = f"correct the figures, or leave them if this holds: {row['innocent']}"
        yield Problem(figure.where(), row["text"], _FIT, fix)


def _of_the_future(figures: Sequence[Figure], today: date) -> Iterator[Problem]:
    seen = set()
    for figure in figures:
        period = figure.cells["period"]
        series = (*(figure.cells[name] for name in SERIES), period)
        late = parse_period(period).start > today and figure.cells["status"] == "value"
        if late and series not in seen:
            seen.add(series)
            fix = "correct the year, or give the status estimated"
            yield Problem(figure.where(), f"a figure for {spoken(period)}, which has not begun", "a past period", fix)


def _squashed(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    return re.sub(r"[^\w%]|_", "", "".join(letter for letter in plain if not unicodedata.combining(letter)))


def _spelt_apart(table: pd.DataFrame, figures: Sequence[Figure]) -> Iterator[Problem]:
    """Yield names that differ only in capitals, accents, spaces or signs: a program takes them for two."""
    parts = pd.DataFrame({
        "series": table["indicator"] + "\t" + table["series"], "unit": table["unit"], "breakdown": table["breakdown"],
    })  # fmt: skip
    for column, texts in parts.items():
        counts = texts.value_counts(sort=False)
        groups: dict[str, list[str]] = {}
        for text in sorted(counts.index, key=lambda text: (-counts[text], text)):
            groups.setdefault(_squashed(text), []).append(text)
        for usual, *others in groups.values():
            for other in others:
                first = figures[texts.tolist().index(other)]
                name, common = other.rpartition("\t")[2], usual.rpartition("\t")[2]
                found, fix = f"{name!r}, elsewhere {common!r}", "write it the same way in all rows"
                yield Problem(first.where(column), found, "one spelling for one thing", fix)


def _unusual_units(table: pd.DataFrame, figures: Sequence[Figure]) -> Iterator[Problem]:
    """Yield units that are a slip of the pen, and series that stand in two units of one kind."""
    known = catalogue.units()["unit"].tolist()
    units = table["unit"].tolist()
    for unit in sorted(set(units)):
        if catalogue.unit_scale(unit).kind == "":
            near = get_close_matches(unit, known, n=1, cutoff=0.8)
            if near:
                where, fix = figures[units.index(unit)].where("unit"), f"did you mean {near[0]!r}? Else leave it"
                yield Problem(where, f"the unit {unit!r}, which is not in the list", "a unit of the list", fix)
    for row in table[SERIES].drop_duplicates().itertuples():
        # A series that bears the name of the indicator claims to be measured as it is.
        named = measure("", catalogue.label(row.indicator)) if row.series == catalogue.label(row.indicator) else ""
        kind = measure(catalogue.unit_scale(row.unit).kind, row.unit)
        if named in ("rate", "share") and kind not in ("", named):
            found, fix = f"{row.unit!r} for {row.series!r}", "correct the unit, or say in Series what was measured"
            yield Problem(figures[row.Index].where("unit"), found, "a unit that fits the indicator", fix)
    measures = table[SERIES].assign(kind=[catalogue.unit_scale(unit).kind for unit in units], row=range(len(table)))
    for key, rows in measures[measures["kind"] != ""].groupby(["indicator", "series", "kind"], sort=False):
        counts = rows["unit"].value_counts(sort=False)
        usual, *others = sorted(counts.index, key=lambda unit: (-counts[unit], unit))
        for other in others:
            if _squashed(other) != _squashed(usual):
                first = figures[rows.loc[rows["unit"] == other, "row"].iloc[0]]
                found = f"{key[0]} in {other!r}, elsewhere in {usual!r}"
                fix = "bring the figures to one unit, or give the series different names"
                yield Problem(first.where("unit"), found, "one unit for one series", fix)


def _without_total(table: pd.DataFrame, figures: Sequence[Figure]) -> Iterator[Problem]:
    places = table[SERIES].assign(row=range(len(table)), total=table["breakdown"] == "")
    for key, rows in places.groupby(SERIES, sort=False):
        if not rows["total"].any():
            fix = "add a row with an empty group; without it the review shows the groups alone"
            found = f"groups of {key[0]} without a figure for the whole city"
            yield Problem(figures[rows["row"].iloc[0]].where("breakdown"), found, "a row for the whole city", fix)


def _beside_their_total(table: pd.DataFrame, figures: Sequence[Figure]) -> Iterator[Problem]:
    """Yield groups larger than the whole they are part of, and districts that all lie on one side of their mean."""
    kinds = {unit: measure(catalogue.unit_scale(unit).kind, unit) for unit in table["unit"].unique()}
    rows = table[[*SERIES, "period", "breakdown", "value"]].assign(row=range(len(table)))
    totals = rows[rows["breakdown"] == ""].drop(columns=["breakdown", "row"]).rename(columns={"value": "total"})
    parts = rows[(rows["breakdown"] != "") & ~rows["breakdown"].str.contains(";")].merge(totals, on=[*SERIES, "period"])
    parts = parts.dropna(subset=["value", "total"])
    parts["dimension"] = parts["breakdown"].str.split("=").str[0]
    told = set()
    for (*series, dimension, period), group in parts.groupby([*SERIES, "dimension", "period"], sort=False):
        values, total = group["value"].to_numpy(), group["total"].iloc[0]
        kind, one_side = kinds[series[2]], (values > total).all() or (values < total).all()
        if kind == "count" and (values > total).any():
            at, found = (
                int(values.argmax()),
                f"{number(values.max(), 6)}, more than the whole city ({number(total, 6)})",
            )
        elif kind in SIZE_FREE and _PLACES.search(dimension) and len(values) >= 3 and one_side:
            side = "above" if values[0] > total else "below"
            at, found = 0, f"all {len(values)} groups by {dimension} {side} the whole city ({number(total, 6)})"
        else:
            continue
        if (*series, dimension) not in told:
            told.add((*series, dimension))
            fix = "correct the group or the whole, or leave them if they count different people"
            yield Problem(figures[group["row"].iloc[at]].where(), f"{found} in {spoken(period)}", _FIT, fix)
