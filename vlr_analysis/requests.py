"""What to ask others for: the gaps of a review as a list of requests, and the letter that carries them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pandas as pd

from vlr_analysis import catalogue
from vlr_analysis.exhibits import plain_unit
from vlr_analysis.grades import MOST_AGE
from vlr_analysis.language import coded, retold, told, told_of
from vlr_analysis.periods import plain as spoken
from vlr_analysis.periods import year_of
from vlr_analysis.readiness import KEY, NONE, measures
from vlr_analysis.trends import LEAST

ANSWER, NO_FIGURE, VOICE, BREAKDOWN, LATER, EARLIER, INTERVAL = KINDS = (
    coded("an answer"), "a figure", coded("a figure that residents miss"), "a breakdown", coded("later years"),
    coded("earlier years"),
    coded("an interval"),
)  # fmt: skip
OFFICE, DEPARTMENT = coded("national statistical office"), coded("city department")
COLUMNS = [
    "number", "priority", "to", "kind", "target", "indicator", "series", "unit", "label", "asked", "years",
    "definition", "unlocks",
]  # fmt: skip
BEFORE = 8  # yearly values before the shock that a path needs
_NEEDED = {
    ANSWER: coded("to use the figure"),
    NO_FIGURE: coded("to say anything on this target"),
    VOICE: coded("to set beside what residents say"),
    BREAKDOWN: coded("to show whom the average hides"),
    LATER: coded("to say where the city stands now"),
    INTERVAL: coded("to tell a change from chance"),
}


def data_request(
    table: pd.DataFrame,
    definitions: pd.DataFrame,
    sources: pd.DataFrame,
    *,
    targets: pd.DataFrame,
    breakdowns: pd.DataFrame,
    ages: pd.DataFrame,
    smells: pd.DataFrame,
    around: pd.DataFrame,
    nation: Iterable[str],
    areas: Mapping[str, str],
    years: tuple[int, int],
    shock: str = "2020",
    raised: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """List what is worth asking for, priorities first.

    Parameters
    ----------
    table, around : DataFrame
        Observations of the city, and of the areas beside it.
    definitions, sources : DataFrame
        How each series is to be read; the whole sources table (`source`, `publisher`, `source_class`).
    targets, breakdowns, ages, smells : DataFrame
        From `readiness.coverage_by_target`, `breakdowns.breakdown_table`, `readiness.age_table` and
        `smell.smell_table` (of the city and of the areas beside it).
    nation : iterable of str
        Areas that stand for the nation.
    areas : mapping
        Name of each area by its id.
    years : (int, int)
        Baseline year, and newest year of the review.
    shock : str
        Period of the shock: a path needs years before it.
    raised : DataFrame, optional
        From `voices.uncovered`: themes of residents that no figure covers.

    Returns
    -------
    DataFrame, one row per request
        number, priority; `to` (national statistical office, city department, or the publisher's name); `kind` (one of
        `KINDS`); target, indicator, series, unit, label; `asked`, `years`, `definition` (the catalogue's; the series
        where it has none), `unlocks` (what it is needed for).

    Notes
    -----
    A target without figures is asked for only where the city calls it a priority, or where the nation publishes it and
    could give it for the city. Breakdowns are asked for where the indicator's own wording wants them, or the series
    is a priority.
    """
    nation = list(nation)
    national = around[around["area"].isin(nation)]
    held = measures(table, definitions)
    ages = ages.drop(columns=["label", "target", "priority"], errors="ignore")  # they come with `held`
    who = _addressees(table, around, definitions, sources, nation)
    asked = smells[smells["area"].isin([_area(table), *nation]) | _is_among(smells, held)]
    found = [*_answers(asked, held, definitions, who, areas), *_figures(targets, national, definitions, years)]
    found += [*_breakdowns(breakdowns, held, national, who, table, years)]
    found += [*_later(ages, held, national, who, table, years), *_earlier(ages, held, definitions, who, table, shock)]
    found += [*_intervals(ages, held, sources, who, table, years), *_raised(raised, years)]
    rows = pd.DataFrame(found, columns=COLUMNS)
    rows["order"] = rows["kind"].map({kind: order for order, kind in enumerate(KINDS)})
    rows["code"] = [
        catalogue.sort_key(code or target) for code, target in zip(rows["indicator"], rows["target"], strict=True)
    ]
    rows = rows.sort_values(["priority", "order", "code"], ascending=[False, True, True], kind="stable")
    rows["number"] = range(1, len(rows) + 1)
    return rows[COLUMNS].astype({"priority": bool}).reset_index(drop=True)


def _is_among(rows: pd.DataFrame, held: pd.DataFrame) -> pd.Series:
    known = set(map(tuple, held[KEY].to_numpy()))
    return pd.Series([tuple(key) in known for key in rows[KEY].to_numpy()], rows.index, dtype=bool)


def _addressees(table, around, definitions, sources, nation: list[str]) -> dict[tuple, str]:
    """Say who answers for each (area, indicator, series, unit): a department, the nation's office, the publisher."""
    known = sources.reindex(columns=["source", "publisher", "source_class"]).astype(object).fillna("")
    known = known.set_index("source")
    national = set(around.loc[around["area"].isin(nation), "source"])
    departments = definitions.reindex(columns=[*KEY, "department"]).astype(object).fillna("")
    departments = departments.set_index(KEY)["department"].to_dict()
    own = set(table["area"])
    everything = pd.concat([table, around])[["area", *KEY, "source"]].drop_duplicates(["area", *KEY], keep="last")
    found = {}
    for row in everything.itertuples():
        key = (row.indicator, row.series, row.unit)
        publisher = known["publisher"].get(row.source, "") or row.source
        office = row.source in national and known["source_class"].get(row.source, "") in ("official", "survey")
        told = OFFICE if office else publisher
        if row.area in own and departments.get(key):
            told = f"{DEPARTMENT}: {departments[key]}"
        found[(row.area, *key)] = told
    return found


def _row(to: str, kind: str, asked: str, years: str, **more) -> dict:
    empty = dict.fromkeys(("target", *KEY, "label"), "") | {"priority": False, "number": 0}
    row = empty | {"unlocks": _NEEDED.get(kind, "")} | more | {"to": to, "kind": kind, "asked": asked, "years": years}
    return row | {"definition": row.get("definition") or _definition(row)}


def _definition(row: dict) -> str:
    label = catalogue.label(row["indicator"])
    if label:
        return f"{row['indicator']} {label}"
    return row["series"] or f"{row['target']} {catalogue.label(row['target'])}"


def _of(row, **more) -> dict:
    names = ["target", *KEY, "label", "priority"]
    return {name: getattr(row, name) for name in names} | more


def _span(years: tuple[int, int]) -> str:
    return coded("{first} to {last}", first=years[0], last=years[1])


def _answers(smells, held, definitions, who, areas) -> Iterator[dict]:
    """Ask about figures that look odd: one question a series, with the areas that it is seen in."""
    known = held[[*KEY, "target", "priority"]]
    labels = definitions[[*KEY, "label"]].drop_duplicates(KEY)
    rows = smells.merge(labels, on=KEY, how="left").merge(known, on=KEY, how="left")
    rows = rows.astype({"priority": object}).fillna({"label": "", "target": "", "priority": False})
    rows["to"] = [who.get(tuple(key), OFFICE) for key in rows[["area", *KEY]].to_numpy()]
    rank = {area: place for place, area in enumerate(areas)}
    rows = rows.sort_values("area", key=lambda column: column.map(rank), kind="stable")
    for _, part in rows.groupby(["to", *KEY, "suspicion"], sort=False):
        row = part.iloc[0]
        others = [areas.get(area, area) for area in part["area"].unique()[1:]]
        group = ", ".join(pair.split("=", 1)[1] for pair in row["breakdown"].split(";")) if row["breakdown"] else ""
        where = ", ".join(filter(None, [areas.get(row["area"], row["area"]), group]))
        ends = dict.fromkeys([spoken(row["first"]), spoken(row["last"])])
        text = row["text"]
        if others:
            text = coded("{text} The like in {areas}.", text=text, areas=", ".join(others))
        asked = f"{where}: " + coded(
            "{text_label} ({suspicion_label})", text_label=text, suspicion_label=row["suspicion"]
        )
        yield _row(row["to"], ANSWER, asked, " to ".join(ends), **_of(row))


def _figures(targets, national, definitions, years) -> Iterator[dict]:
    there = measures(national, definitions)
    there = there[there["definition"] != "other"]  # it stands under the target's code and measures something else
    labels = there.groupby("target")["label"].agg(lambda names: "; ".join(dict.fromkeys(names)))
    official = catalogue.indicators()
    for row in targets[targets["held"] == NONE].itertuples():
        published = labels.get(row.target, "")
        if not (row.priority or published):
            continue
        names = official.loc[official["target"] == row.target, ["code", "label"]].to_numpy()
        definition = "; ".join(f"{code} {label}" for code, label in names[:2])
        asked = (
            coded("the figures for the city that the nation has: {published}", published=published)
            if published
            else coded("figures of any source")
        )
        to = OFFICE if published else DEPARTMENT
        more = {"target": row.target, "label": row.label, "priority": row.priority, "definition": definition}
        yield _row(to, NO_FIGURE, asked, _span(years), **more)


def _raised(raised: pd.DataFrame | None, years: tuple[int, int]) -> Iterator[dict]:
    for row in () if raised is None else raised.itertuples():
        people = (
            coded(", raised by {people} people", people=f"{row.people:.0f}")
            if row.people > 0
            else coded(", raised by residents")
        )
        asked = coded(
            "{missing} on {theme} ({where}){raised} in: {titles}",
            missing=row.missing,
            theme=row.theme,
            where=row.where,
            raised=people,
            titles=row.titles,
        )
        more = {"target": row.target, "label": row.theme, "definition": row.target_label, "unlocks": _NEEDED[VOICE]}
        yield _row(DEPARTMENT, VOICE, asked, _span(years), **more)


def _breakdowns(breakdowns, held, national, who, table, years) -> Iterator[dict]:
    area = _area(table)
    rows = breakdowns[breakdowns["missing"] != ""].merge(held[[*KEY, "target", "label", "priority"]], on=KEY)
    named = national[national["breakdown"] != ""].groupby("indicator")["breakdown"].agg(set).to_dict()
    for row in rows[rows["asked_by"].str.startswith("indicator") | rows["priority"]].itertuples():
        nation_has = {pair.split("=")[0] for text in named.get(row.indicator, ()) for pair in text.split(";")}
        both = [name for name in row.missing.split("; ") if name in nation_has]
        asked = coded("by {missing}", missing=_words(row.missing.split("; ")))
        asked += "; " + coded("the nation has it by {both}", both=_words(both)) if both else ""
        to = who.get((area, row.indicator, row.series, row.unit), OFFICE)
        yield _row(to, BREAKDOWN, asked, _span(years), **_of(row))


def _words(dimensions: list[str]) -> str:
    named = {"education": coded("level of education"), "location": coded("part of the city")}
    return ", ".join(named.get(name, name.replace("-", " ")) for name in dimensions)


def _area(table: pd.DataFrame) -> str:
    return table["area"].iloc[0] if len(table) else ""


def _later(ages, held, national, who, table, years) -> Iterator[dict]:
    """Ask for later years of what is old, and say how far the nation's figures go."""
    newest = national[(national["breakdown"] == "") & national["value"].notna()].groupby(KEY)["period"].max()
    rows = ages[ages["age"] > MOST_AGE["A"]].merge(held[[*KEY, "target", "label", "priority"]], on=KEY)
    for row in rows.itertuples():
        key, last = (row.indicator, row.series, row.unit), year_of(row.last)
        there = newest.get(key, "")
        asked = coded("the years after {last}", last=spoken(row.last))
        asked += "; " + coded("the nation has {there}", there=spoken(there)) if there and year_of(there) > last else ""
        yield _row(
            who.get((_area(table), *key), OFFICE),
            LATER,
            asked,
            coded("{first} to {last}", first=last + 1, last=years[1]),
            **_of(row),
        )


def _earlier(ages, held, definitions, who, table, shock: str) -> Iterator[dict]:
    """Ask for earlier years of what is too short for a trend; of priorities also for a path before the shock."""
    kinds = definitions.reindex(columns=[*KEY, "kind"]).drop_duplicates(KEY)
    rows = ages.merge(held[[*KEY, "target", "label", "priority"]], on=KEY).merge(kinds, on=KEY, how="left")
    enough = year_of(shock) - BEFORE
    for row in rows[rows["kind"] != "change"].itertuples():  # a change from a base has no years before it
        first = year_of(row.first)
        length = year_of(row.last) - first + 1 - row.n_gaps
        if length >= LEAST and not (row.priority and first > enough):
            continue
        unlocks = (
            coded("to judge a trend")
            if length < LEAST
            else coded("to judge recovery against the path before the shock")
        )
        to = who.get((_area(table), row.indicator, row.series, row.unit), OFFICE)
        span = coded("{first} to {last}", first=min(first - LEAST, enough), last=first - 1)
        yield _row(
            to, EARLIER, coded("the years before {first}", first=spoken(row.first)), span, **_of(row, unlocks=unlocks)
        )


def _intervals(ages, held, sources, who, table, years) -> Iterator[dict]:
    area = _area(table)
    classes = sources.reindex(columns=["source", "source_class"]).astype(object).fillna("")
    classes = classes.set_index("source")["source_class"]
    named = table.drop_duplicates(KEY, keep="last").set_index(KEY)["source"].map(classes).fillna("").to_dict()
    rows = ages[~ages["has_interval"]].merge(held[[*KEY, "target", "label", "priority"]], on=KEY)
    for row in rows.itertuples():
        key = (row.indicator, row.series, row.unit)
        if named.get(key) == "survey":
            asked = coded("the 95 % interval, or the number of people asked")
            span = coded("{first} to {last}", first=year_of(row.first), last=year_of(row.last))
            yield _row(who.get((area, *key), OFFICE), INTERVAL, asked, span, **_of(row))


# --- the letter ------------------------------------------------------------------------------------------

_HEADS = {
    ANSWER: coded("Figures that we ask you to confirm"),
    NO_FIGURE: coded("Figures that we have none of"),
    VOICE: coded("Figures on what residents raise"),
    BREAKDOWN: coded("Breakdowns, so that the review shows whom the average hides"),
    LATER: coded("Later years"),
    EARLIER: coded("Earlier years"),
    INTERVAL: coded("Intervals"),
}
AT_MOST = 4  # requests of one kind in the body; the annex holds all


def letter(requests: pd.DataFrame, *, city: str, nation: str, contact: str = "", threshold: int = 0) -> str:
    """Write the letter to the national statistical office, in Markdown.

    Parameters
    ----------
    requests : DataFrame
        From `data_request`.
    city, nation : str
        Names.
    contact : str
        Who signs; empty: the team of the review.
    threshold : int
        Smallest count that the review shows; 0 to say nothing of it.

    Returns
    -------
    str
        About a page and a half: requests by kind, at most four of a kind, and an annex with all of them. It has no
        date: whoever sends it adds one. Where nothing is asked of the office, the letter says so in one sentence.
    """
    mine, others = requests[requests["to"] == OFFICE], requests[requests["to"] != OFFICE]
    signed = contact or told("the team of the voluntary local review of {city}", city=city)
    lines = [
        told("**To:** the national statistical office, {nation}", nation=nation),
        told("**From:** {signed}", signed=signed),
        told("**About:** figures for the voluntary local review of {city}", city=city),
        told("Dear colleagues,"),
        told(
            "{city} reports on the Sustainable Development Goals in a voluntary local review. The same figures can "
            "stand in the national review.", city=city,
        ) + " " + _opening(mine, others),
    ]  # fmt: skip
    for kind in KINDS:
        part = mine[mine["kind"] == kind]
        if len(part):
            lines += [
                f"**{retold(_HEADS[kind])}** ({len(part)})",
                "\n".join(_item(row) for row in part.head(AT_MOST).itertuples()),
            ]
            if len(part) > AT_MOST:
                lines.append(told("and {n} more, in the annex.", n=len(part) - AT_MOST))
    named = told("You are named as the source beside every figure.")
    if threshold > 1:
        named += " " + told("Counts below {threshold} are not shown on any public page.", threshold=threshold)
    lines += [
        told(
            "Any form will do: a sheet with indicator, year, group and value, or the address of a file. Where "
            "something does not exist or may not be given, please say so; we print that too, with your reason."
        ),
        named,
        f"{told('With kind regards')}\n\n{signed[0].upper()}{signed[1:]}",
        f"---\n\n**{told('Annex: all requests')}**",
        _annex(requests) if len(requests) else told("None."),
    ]
    return "\n\n".join(lines) + "\n"


def _opening(mine: pd.DataFrame, others: pd.DataFrame) -> str:
    if not len(mine) and len(others):
        return told("We ask nothing of you today; the annex shows what we ask of others.")
    if not len(mine):
        return told("We ask nothing of you today.")
    first = int(mine["priority"].sum())
    if first:
        ask = told_of("We ask you for {n} thing, {first} of them priorities.",
                      "We ask you for {n} things, {first} of them priorities.", len(mine), first=first)  # fmt: skip
    else:
        ask = told_of("We ask you for {n} thing.", "We ask you for {n} things.", len(mine))
    parts = [ask, told("Each says what it is needed for.")]
    if len(others):
        parts.append(told_of("{n} more goes to others and stands in the annex, so that you see the whole.",
                             "{n} more go to others and stand in the annex, so that you see the whole.",
                             len(others)))  # fmt: skip
    return " ".join(parts)


def _item(row) -> str:
    name = row.label or catalogue.label(row.target)
    code = row.indicator or row.target
    unit = f", {plain_unit(row.unit)}" if row.unit and plain_unit(row.unit) else ""
    asked = retold(row.asked)
    values = {
        "name": name, "code": f"{code}{unit}", "asked": asked if asked.endswith((".", "?", "؟")) else f"{asked}.",
        "years": retold(row.years), "unlocks": retold(row.unlocks),
    }  # fmt: skip
    if row.priority:
        return told("- Priority. {name} ({code}): {asked} Years: {years}. Needed {unlocks}.", **values)
    return told("- {name} ({code}): {asked} Years: {years}. Needed {unlocks}.", **values)


def _annex(requests: pd.DataFrame) -> str:
    shown = {
        "number": told("No."), "to": told("Addressed to"), "kind": told("Asked for"), "label": told("What"),
        "definition": told("Definition"), "asked": told("In words"), "years": told("Years"), "unlocks": told("Needed"),
    }  # fmt: skip
    head = f"| {' | '.join(shown.values())} |\n|{'---|' * len(shown)}"
    cells = requests[list(shown)].astype(str).map(lambda text: retold(text).replace("|", "/").replace("\n", " "))
    return "\n".join([head, *(f"| {' | '.join(row)} |" for row in cells.itertuples(index=False))])
