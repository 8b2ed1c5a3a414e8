"""The twenty points that a data chapter should hold: filled, empty or not applicable, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from vlr_analysis.language import coded
from vlr_analysis.readiness import KEY, measures
from vlr_analysis.trends import LEAST

FILLED, EMPTY, NOT_APPLICABLE = "filled", "empty", coded("not applicable")
COLUMNS = ["number", "point", "state", "held", "lacking"]


def checklist(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    sources: pd.DataFrame,
    *,
    graded: pd.DataFrame,
    breakdowns: pd.DataFrame,
    requested: pd.DataFrame,
    nation: pd.DataFrame,
    peers: pd.DataFrame,
    years: tuple[int, int],
    paired: int = 0,
    shock: str = "",
    voices: int = 0,
    threshold: int = 0,
    boundary: str = "",
    contact: str = "",
    previous: str = "",
) -> pd.DataFrame:
    """Check what the data chapter of a review holds.

    Parameters
    ----------
    table, definitions, sources : DataFrame
        The city's observations; how each series is to be read; the sources that they name.
    graded, breakdowns, requested : DataFrame
        From `grades.series_grades`, `breakdowns.breakdown_table`, `requests.data_request`.
    nation, peers : DataFrame
        Observations of the nation and of the peers; empty where none is named.
    years : (int, int)
        Baseline year, and newest year of the review.
    paired : int
        Series that the parameters pair with one of the nation.
    shock : str
        Period in which the shock of 2020 began; empty where the parameters give none.
    voices : int
        Rows of the register of evidence from residents.
    threshold : int
        Smallest count that is shown; 0 for no rule.
    boundary, contact, previous : str
        The city proper, metropolitan or functional area; whom to write to; the review before this one. Empty: not said.

    Returns
    -------
    DataFrame, shape (20, 5)
        number, point, `state` (filled, empty, not applicable), `held` (what is there), `lacking` (what to do; empty
        where nothing is).
    """
    own = table[KEY].drop_duplicates().merge(definitions.drop_duplicates(KEY), on=KEY, how="left")
    first = _figures(table, own, sources, boundary, years)
    second = _methods(table, own, graded, breakdowns, requested)
    third = _others(own, measures(table, definitions), nation, peers, paired, shock, voices)
    fourth = _process(own, graded, threshold, previous, contact)
    rows = [(number, *row) for number, row in enumerate([*first, *second, *third, *fourth], 1)]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(point: str, good: bool, held: str, lacking: str, applies: bool = True) -> tuple[str, str, str, str]:
    state = NOT_APPLICABLE if not applies else FILLED if good else EMPTY
    return point, state, held, "" if state == FILLED else lacking


def _n(count: int, word: str) -> str:
    """Return a count with its noun, one or many; "series" is both."""
    return NOUNS[word][count != 1].format(n=count)


# What is counted, one and many.
NOUNS = {
    "value": (coded("{n} value"), coded("{n} values")), "series": (coded("{n} series"), coded("{n} series")),
    "source": (coded("{n} source"), coded("{n} sources")), "pair": (coded("{n} pair"), coded("{n} pairs")),
    "request": (coded("{n} request"), coded("{n} requests")), "row": (coded("{n} row"), coded("{n} rows")),
}  # fmt: skip


def _filled(rows: pd.DataFrame, column: str) -> pd.Series:
    return rows.reindex(columns=[column])[column].astype(object).fillna("").astype(str).str.strip() != ""


def _figures(table, own, sources, boundary: str, years: tuple[int, int]) -> Iterator[tuple]:
    other = int(_filled(own, "geography").sum())
    beyond = coded("{other} of {own} stand for another area", other=other, own=_n(len(own), "series")) if other else ""
    ask = coded("say whether figures are of the city proper, the metropolitan or the functional urban area")
    yield _row(coded("scope and boundary"), bool(boundary), boundary or beyond, ask)
    yield _row(
        coded("period and reference years"),
        len(table) > 0,
        coded("baseline {years}, newest year {years_2}", years=years[0], years_2=years[1]),
        coded("add figures"),
    )
    parts = {
        name: int((~_filled(sources, name)).sum()) for name in ("publisher", "source_class", "licence", "retrieved")
    }
    short = [f"{name.replace('_', ' ')} ({_n(count, 'source')})" for name, count in parts.items() if count]
    held = coded("{own} from {sources}", own=_n(len(own), "series"), sources=_n(len(sources), "source"))
    ask = coded("add to data/sources.csv: {short}", short=", ".join(short))
    yield _row(coded("indicators with source, class and terms"), len(sources) > 0 and not short, held, ask)
    said = int(_filled(own, "definition").sum())
    ask = coded("compare each series with the global definition, in data/indicators.csv")
    yield _row(
        coded("relation to the global definition"),
        said == len(own),
        coded("said of {said} of {own} series", said=said, own=len(own)),
        ask,
    )
    targets = own.reindex(columns=["target", "target_source"])
    set_ = targets["target"].notna()
    unsaid = set_ & (targets["target_source"].fillna("") == "")
    held = coded("{set} of {own} series have a target", set=int(set_.sum()), own=len(own)) if set_.any() else ""
    yield _row(
        coded("baseline, latest year, target and who set it"),
        bool(set_.any()) and not unsaid.any(),
        held,
        coded("set targets in the parameters, each with its year and its source"),
    )


def _methods(table, own, graded, breakdowns, requested) -> Iterator[tuple]:
    heads = graded[graded["breakdown"] == ""]
    long = int((heads["n"] >= LEAST).sum())
    yield _row(coded("trend, method named"), long > 0,
               coded("{long} of {heads} headline series have {LEAST} yearly points", long=long, heads=len(heads),
                     LEAST=LEAST),
               coded("no series has {LEAST} yearly points: ask for earlier years", LEAST=LEAST))  # fmt: skip
    asked, missing = breakdowns["expected"] != "", breakdowns["missing"] != ""
    held = coded(
        "asked of {asked} series; something is missing in {missing}", asked=int(asked.sum()), missing=int(missing.sum())
    )
    yield _row(coded("breakdowns present, expected, impossible and why"), True, held, "", bool(asked.any()))
    intervals = int(heads["has_interval"].sum())
    held = (
        coded(
            "intervals in {with_one} of {heads} headline series, the others are told as without",
            with_one=intervals,
            heads=len(heads),
        )
        if len(heads)
        else ""
    )
    yield _row(coded("uncertainty, or that none is available"), len(heads) > 0, held, coded("add figures"))
    breaks = int((table["status"] == "break").sum())
    yield _row(coded("breaks in series"), breaks > 0,
               coded("{breaks} marked as a break", breaks=_n(breaks, "value")) if breaks else "",
               coded("no value is marked as a break: ask the sources, and mark it in the column status"))  # fmt: skip
    yield _row(
        coded("list of missing data"),
        True,
        coded("{requested} at the end of this chapter", requested=_n(len(requested), "request")),
        "",
    )


def _others(own, held, nation, peers, paired: int, shock: str, voices: int) -> Iterator[tuple]:
    for point, beside, key in (
        (coded("local against national"), nation, "nation"),
        (coded("rule for peers"), peers, "peers"),
    ):
        shared = len(held[KEY].merge(beside[KEY].drop_duplicates(), on=KEY)) if len(beside) else 0
        pairs = paired if key == "nation" else 0
        told = [coded("{shared} series in common", shared=shared)] * (shared > 0) + [
            coded("{pairs} in the parameters", pairs=_n(pairs, "pair"))
        ] * (pairs > 0)
        ask = (
            coded("no {key} in the parameters", key=key)
            if not len(beside)
            else coded("no series in common: pair series in the parameters")
        )
        yield _row(point, bool(told), ", ".join(told), ask, len(beside) > 0 or key == "nation")
    told = coded("shock from {shock}, level and path read apart", shock=shock) if shock else ""
    yield _row(
        coded("treatment of COVID-19"), bool(shock), told, coded("give the period of the shock in the parameters")
    )
    told = coded("{voices} in the register of evidence", voices=_n(voices, "row")) if voices else ""
    ask = coded("fill a register of workshops, polls and complaints in data/voices")
    yield _row(coded("evidence from residents, and how chosen"), voices > 0, told, ask)


def _process(own, graded, threshold: int, previous: str, contact: str) -> Iterator[tuple]:
    hidden = coded("counts below {threshold} are hidden", threshold=threshold) if threshold > 1 else ""
    yield _row(coded("rule of confidentiality"), threshold > 1, hidden,
               "set disclosure_threshold above 1")  # fmt: skip
    letters = graded.loc[graded["breakdown"] == "", "grade"].value_counts().sort_index()
    told = ", ".join(f"{count} {letter}" for letter, count in letters.items())
    yield _row(
        coded("grade of quality"),
        bool(len(letters)),
        coded("headline series: {told}", told=told) if told else "",
        coded("add figures"),
    )
    yield _row(
        coded("changes since the last review"),
        bool(previous),
        previous,
        coded("no earlier review is named"),
        bool(previous),
    )
    linked = int(_filled(own, "measure").sum())
    told = (
        coded("{linked} of {own} with the measure that they inform", linked=linked, own=_n(len(own), "series"))
        if linked
        else ""
    )
    ask = coded("name the measure or decision of each priority in the parameters")
    yield _row(coded("link to decisions"), linked > 0, told, ask)
    yield _row(coded("contact and corrections"), bool(contact), contact, coded("name a contact in the parameters"))
    yield _row(
        coded("how to reproduce"), True, coded("parameters, figures and code of the run are kept with their hashes"), ""
    )
