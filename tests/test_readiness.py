"""readiness, breakdowns, checklist, requests and their charts: what is there, what is missing, what to ask for."""

import re

import numpy as np
import pandas as pd
import pytest

from vlr_analysis import (
    breakdowns,
    catalogue,
    checklist,
    errors,
    figures_readiness,
    grades,
    readiness,
    requests,
    smell,
)
from vlr_analysis.observations import COLUMNS, check

KEY = ["indicator", "series", "unit"]
BANNED = re.compile(r"\b(caused?|causes|proves?|proven|significant(ly)?|because|best|worst)\b", re.I)


def table_of(*rows, area="town", source="survey-a"):
    """Make observations from (indicator, series, unit, breakdown, {period: value})."""
    made = [
        (area, indicator, series, unit, str(period), breakdown, value, np.nan, np.nan,
         "value" if value == value else "missing", source)
        for indicator, series, unit, breakdown, values in rows
        for period, value in values.items()
    ]  # fmt: skip
    return check(pd.DataFrame(made, columns=list(COLUMNS)))


def known_of(table, **columns):
    """Make definitions; each keyword maps an indicator to its value in that column."""
    rows = table[KEY].drop_duplicates().reset_index(drop=True)
    rows["label"], rows["direction"], rows["definition"] = rows["series"], "", ""
    rows["goal"] = [catalogue.goal_of(code) or 0 for code in rows["indicator"]]
    for name in ("kind", "lower", "upper"):
        rows[name] = [getattr(catalogue.unit_scale(unit), name) for unit in rows["unit"]]
    for name, default in (("priority", False), ("target", np.nan)):
        rows[name] = default
    for name in ("sdg_target", "target_source", "group_of", "geography", "department", "measure"):
        rows[name] = ""
    for name, values in columns.items():
        rows[name] = [values.get(code, old) for code, old in zip(rows["indicator"], rows[name], strict=True)]
    return rows


def run(*values, first=2012):
    return {first + place: value for place, value in enumerate(values)}


LONG = run(*np.linspace(40.3, 44.1, 11).round(1))


# --- coverage ------------------------------------------------------------------------------------------


@pytest.fixture
def town():
    table = table_of(
        ("1.5.1", "people hit by disasters", "per 100,000", "", LONG),
        ("13.1.1", "people hit by disasters", "per 100,000", "", LONG),
        ("8.5.2", "unemployment rate", "%", "", LONG),
        ("8.5.2", "unemployment rate", "%", "sex=female", LONG),
        ("8.5.2", "card payments", "index", "", LONG),
        ("x.1", "trust in neighbours", "%", "", LONG),
        ("x.2", "benches", "count", "", LONG),
        ("4.1.1", "pupils who read well", "%", "", run(np.nan, np.nan)),
    )
    known = known_of(table, sdg_target={"x.1": "16.7"}, goal={"x.1": 16})
    known.loc[known["series"] == "card payments", "definition"] = "other"
    return table, known


def test_the_framework_is_counted_whole_and_each_indicator_once(town):
    goals = readiness.coverage_by_goal(*town).set_index("goal")
    assert (goals["targets"].sum(), goals["global_indicators"].sum()) == (169, 231)
    assert list(goals.loc[[1, 13], "global_with"]) == [1, 0], "13.1.1 is 1.5.1 again; it counts where it first stands"
    assert list(goals.loc[[1, 13], "targets_global"]) == [1, 1], "but both targets have a figure"


def test_own_indicators_stand_beside_and_are_not_forced_into_goals(town):
    goals = readiness.coverage_by_goal(*town).set_index("goal")
    row = goals.loc[8]
    assert (row["global_with"], row["own_indicators"], row["n_series"]) == (1, 1, 2), (
        "card payments measure another thing"
    )
    assert (goals.loc[16, "targets_own"], goals.loc[16, "targets_global"]) == (1, 0)
    assert (goals.loc[0, "goal_label"], goals.loc[0, "own_indicators"]) == ("no goal stated", 1)
    assert goals.loc[4, "n_series"] == 0, "a row without a value is no figure"
    total = goals[["targets_global", "targets_own", "targets_none"]].sum(axis=1)
    assert (total == goals["targets"]).all()


def test_a_review_of_two_goals_has_two(town):
    assert list(readiness.coverage_by_goal(*town, goals=(8, 13))["goal"]) == [8, 13, 0]
    assert set(readiness.coverage_by_target(*town, goals=(8, 13))["goal"]) == {8, 13}


def test_a_priority_without_figures_is_shown_as_a_gap_also_outside_the_goals(town):
    targets = readiness.coverage_by_target(*town, goals=(8,), priority_targets=("11.2", "8.5"))
    assert list(targets["target"][:2]) == ["8.5", "11.2"]
    gap = targets.set_index("target").loc["11.2"]
    assert (gap["priority"], gap["held"], gap["n_series"], gap["first"]) == (True, "no figures", 0, "")
    held = targets.set_index("target").loc["8.5"]
    assert (held["held"], held["n_series"], held["first"], held["last"]) == ("a global indicator", 2, "2012", "2022")
    with pytest.raises(errors.InputError, match=r"'11\.22'; expected a code of a target"):
        readiness.coverage_by_target(*town, priority_targets=("11.22", "8.5"))


def test_the_crosswalk_gives_every_target_one_cell_or_two():
    crosswalk, cells = catalogue.umf_crosswalk(), catalogue.umf()
    assert set(crosswalk["target"]) == set(catalogue.targets()["target"])
    assert crosswalk.groupby("target").size().max() <= 2
    assert not crosswalk.duplicated(["target", "domain", "objective"]).any()
    spelled = set(map(tuple, cells[["domain", "objective"]].to_numpy()))
    assert set(map(tuple, crosswalk[["domain", "objective"]].to_numpy())) == spelled, "no cell without a target"
    assert (crosswalk["note"].str.len() > 3).all()
    where = crosswalk.groupby("target")[["domain", "objective"]].agg(tuple)
    assert where.loc["16.1", "objective"] == ("safe and peaceful",)
    assert where.loc["13.1", "domain"] == ("environment",)
    assert "own proposal" in catalogue.umf_crosswalk.__doc__


def test_the_grid_counts_series_in_their_cells(town):
    cells = readiness.coverage_by_umf(*town).set_index(["domain", "objective"])
    assert len(cells) == 20
    cell = cells.loc[("economy", "inclusive")]
    assert (cell["targets_with"], cell["codes"], cell["n_series"]) == (1, 1, 2)
    assert cell["measured"] == "card payments; unemployment rate"
    assert cells.loc[("culture", "inclusive"), "n_series"] == 0
    few = readiness.coverage_by_umf(*town, goals=(13,))
    assert few["targets"].sum() == 5


# --- for whom ------------------------------------------------------------------------------------------


def breakdown_row(*rows, **columns):
    table = table_of(*rows)
    return breakdowns.breakdown_table(table, known_of(table, **columns)).iloc[0]


def test_expected_present_missing():
    row = breakdown_row(
        ("8.5.2", "unemployment rate", "%", "", LONG),
        ("8.5.2", "unemployment rate", "%", "gender=female", LONG),
        ("8.5.2", "unemployment rate", "%", "quarter=north", LONG),
    )
    assert (row["asked_by"], row["expected"]) == ("indicator 8.5.2", "age; disability; sex")
    assert (row["present"], row["missing"], row["further"]) == ("sex", "age; disability", "quarter")


@pytest.mark.parametrize(
    ("indicator", "series", "unit", "missing", "out", "why"),
    [
        ("11.7.1", "parkland as a share of city area", "%", "", "age; disability; sex", "places, things or money"),
        ("8.5.2", "unemployment rate of women", "%", "age; disability", "sex", "of one sex"),
        ("8.5.2", "unemployment rate, aged 16 to 24", "%", "disability; sex", "age", "of one age group"),
        ("1.3.1", "people in unemployment insurance", "people", "age; disability; income; pregnancy; sex", "employment",
         "in or out of work"),
        ("9.1.2", "air passengers", "passengers", "", "mode", "one mode of transport"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_neither_missing_nor_there(indicator, series, unit, missing, out, why):
    row = breakdown_row((indicator, series, unit, "", LONG))
    assert (row["present"], row["missing"], row["not_applicable"]) == ("", missing, out)
    assert why in row["why"]


def test_the_data_may_say_that_a_breakdown_is_not_applicable():
    table = table_of(("8.5.2", "rate", "%", "", LONG), ("8.5.2", "rate", "%", "disability=with", run(np.nan, np.nan)))
    table.loc[table["breakdown"] != "", "status"] = "not_applicable"
    row = breakdowns.breakdown_table(table, known_of(table)).iloc[0]
    assert (row["missing"], row["not_applicable"], row["why"]) == (
        "age; sex",
        "disability",
        "disability: the data mark it so",
    )


def test_groups_that_are_indicators_of_their_own_count_for_the_total():
    table = table_of(
        ("x.1", "deaths under 75", "per 100,000", "", LONG),
        ("x.2", "deaths under 75, women", "per 100,000", "", LONG),
    )
    rows = breakdowns.breakdown_table(table, known_of(table, group_of={"x.2": "x.1"})).set_index("indicator")
    assert rows.loc["x.1", "further"] == "sex", "and not by age: both are under 75"
    assert rows.loc["x.2", "further"] == ""


def test_an_own_indicator_is_asked_what_its_whole_target_is_asked():
    row = breakdown_row(("x.1", "claims", "%", "", LONG), sdg_target={"x.1": "8.5"})
    assert (row["asked_by"], row["expected"]) == ("target 8.5", "age; disability; sex"), "occupation only of 8.5.1"
    assert breakdown_row(("x.1", "claims", "%", "", LONG))["asked_by"] == ""


# --- how old, how long ---------------------------------------------------------------------------------


def test_age_gaps_breaks_and_rows_without_a_value():
    values = {2010: 1.2, 2011: 1.4, 2013: 1.1, 2017: 1.3, 2018: np.nan}
    table = table_of(("1.1.1", "m", "%", "", values), ("1.1.1", "m", "%", "sex=female", {2021: 2.0}))
    table.loc[table["period"] == "2013", "status"] = "break"
    row = readiness.age_table(table, 2022).iloc[0]
    assert len(readiness.age_table(table, 2022)) == 1, "only totals"
    assert (row["n_values"], row["first"], row["last"], row["age"]) == (4, "2010", "2017", 5)
    assert (row["gaps"], row["n_gaps"]) == ("2012, 2014-2016", 4)
    assert (row["breaks"], row["without_value"]) == ("2013", 1)


def test_months_and_fiscal_years_have_their_age_in_years():
    table = table_of(("1.1.1", "m", "%", "", {"2019-11": 1.0, "2020-02": 2.0, "2022-01": 3.0}))
    assert readiness.age_table(table, 2022)[["age", "gaps"]].to_numpy().tolist() == [[0, "2021"]]
    table = table_of(("1.1.1", "m", "%", "", {"2018-04-01/P1Y": 1.0, "2019-04-01/P1Y": 2.0}))
    assert readiness.age_table(table, 2022)["age"].tolist() == [3]


def graded_of(table, known):
    sources = pd.DataFrame({"source": ["survey-a"], "source_class": ["survey"]})
    return grades.series_grades(table, known, sources, 2022)


def test_grades_are_counted_by_goal(town):
    table, known = town
    counted = readiness.grades_by_goal(graded_of(table, known), known, (8, 11)).set_index("goal")
    assert list(counted.columns) == ["goal_label", "A", "B", "C", "D"]
    assert counted.loc[8, ["A", "B", "C", "D"]].tolist() == [0, 1, 1, 0], "another measure is at most C"
    assert counted.loc[11, ["A", "B", "C", "D"]].sum() == 0


# --- checklist -----------------------------------------------------------------------------------------


def points_of(town, **changes):
    table, known = town
    none = table.iloc[:0]
    sources = pd.DataFrame(
        {
            "source": ["survey-a"],
            "publisher": ["P"],
            "source_class": ["survey"],
            "licence": ["open"],
            "retrieved": ["2024"],
        }
    )
    given = {
        "graded": graded_of(table, known), "breakdowns": breakdowns.breakdown_table(table, known),
        "requested": pd.DataFrame(index=range(3)), "nation": none, "peers": none, "years": (2015, 2022),
    } | changes  # fmt: skip
    return checklist.checklist(table, known, given.pop("sources", sources), **given).set_index("number")


def test_twenty_points_and_their_states(town):
    points = points_of(town)
    assert list(points.index) == list(range(1, 21))
    assert set(points["state"]) == {"filled", "empty", "not applicable"}
    assert (points.loc[points["state"] == "empty", "lacking"] != "").all()
    assert (points.loc[points["state"] == "filled", "lacking"] == "").all()
    assert not points.map(lambda cell: bool(BANNED.search(str(cell)))).to_numpy().any()
    assert points.loc[[12, 17], "state"].tolist() == ["not applicable"] * 2, "no peers, no earlier review"
    assert points.loc[10, "held"] == "3 requests at the end of this chapter"


@pytest.mark.parametrize(
    ("number", "given", "words"),
    [
        (1, {"boundary": "the city proper"}, "the city proper"),
        (11, {"paired": 1}, "1 pair in the parameters"),
        (13, {"shock": "2020-03"}, "shock from 2020-03"),
        (14, {"voices": 4}, "4 rows in the register"),
        (15, {"threshold": 5}, "counts below 5"),
        (17, {"previous": "review of 2020"}, "review of 2020"),
        (19, {"contact": "office@town"}, "office@town"),
    ],
)
def test_a_point_is_filled_by_what_the_city_gives(town, number, given, words):
    assert points_of(town).loc[number, "state"] != "filled"
    row = points_of(town, **given).loc[number]
    assert (row["state"], row["lacking"]) == ("filled", "")
    assert words in row["held"]


def test_points_that_the_tables_fill(town):
    table, known = town
    assert points_of(town).loc[[4, 5, 9, 18], "state"].tolist() == ["empty"] * 4
    known = known.assign(definition="same", measure="plan", target=3.0, target_source="council")
    broken = table.assign(status=np.where(table["period"] == "2015", "break", table["status"]))
    assert points_of((broken, known)).loc[[4, 5, 9, 18], "state"].tolist() == ["filled"] * 4
    assert "who" in points_of((table, known.assign(target_source=""))).loc[5, "point"]
    assert points_of((table, known.assign(target_source=""))).loc[5, "state"] == "empty"
    sources = pd.DataFrame({"source": ["survey-a"], "publisher": ["P"], "source_class": [""], "licence": ["open"]})
    row = points_of(town, sources=sources).loc[3]
    assert (row["state"], row["lacking"]) == (
        "empty", "add to data/sources.csv: source class (1 source), retrieved (1 source)",
    )  # fmt: skip


# --- what to ask for -------------------------------------------------------------------------------------

SOURCES = pd.DataFrame(
    {
        "source": ["survey-a", "office", "register"],
        "publisher": ["Institute A", "Statistics Land", "Ministry"],
        "source_class": ["survey", "official", "administrative"],
    }
)


def asked_for(table, around, known, priority_targets=(), goals=(), sources=SOURCES, as_of=2022, smells=None):
    return requests.data_request(
        table,
        known,
        sources,
        targets=readiness.coverage_by_target(table, known, goals, priority_targets),
        breakdowns=breakdowns.breakdown_table(table, known),
        ages=readiness.age_table(table, as_of),
        smells=smell.smell_table(table, known, around) if smells is None else smells,
        around=around,
        nation=["land"],
        areas={"town": "Town", "land": "Land"},
        years=(2015, as_of),
    )


@pytest.fixture
def asking():
    """A town with an old survey, a short series and a slip; a nation that has more."""
    slip = LONG | {2016: 423.0}
    table = table_of(
        ("8.5.2", "unemployment rate", "%", "", run(*[6.1, 6.4, 5.9, 6.2, 6.0, 5.8], first=2012)),
        ("3.2.1", "deaths under 5", "deaths per 1,000 live births", "", slip),
        ("x.1", "trust", "%", "", run(50.1, 51.2, 50.4, first=2020)),
    )
    around = table_of(
        ("8.5.2", "unemployment rate", "%", "", run(*np.linspace(5.0, 6.3, 11).round(1))),
        ("8.5.2", "unemployment rate", "%", "disability=with", LONG),
        ("6.3.1", "wastewater treated", "%", "", LONG),
        ("9.1.2", "card payments", "index", "", LONG),
        area="land", source="office",
    )  # fmt: skip
    known = known_of(pd.concat([table, around]), priority={"8.5.2": True}, definition={"9.1.2": "other"},
                     department={"x.1": "Mayor's office"})  # fmt: skip
    return table, around, known


def test_requests_priorities_first_and_not_169_lines(asking):
    asked = asked_for(*asking, priority_targets=("11.2",))
    assert list(asked.columns) == requests.COLUMNS
    assert list(asked["number"]) == list(range(1, len(asked) + 1))
    first = asked["priority"].to_numpy()
    assert (first == np.sort(first)[::-1]).all()
    figures = asked[asked["kind"] == "a figure"].set_index("target")
    assert set(figures.index) == {"11.2", "6.3"}, "a priority, and what the nation has; not what measures another thing"
    assert figures.loc["11.2", ["priority", "to", "asked"]].tolist() == [
        True,
        "city department",
        "figures of any source",
    ]
    assert figures.loc["6.3", "to"] == "national statistical office"
    assert "wastewater treated" in figures.loc["6.3", "asked"]
    assert figures.loc["6.3", "definition"].startswith("6.3.1 ")
    assert len(asked) < 12


def test_each_request_says_to_whom_which_years_and_what_for(asking):
    asked = asked_for(*asking).set_index(["kind", "indicator"])
    row = asked.loc[("a breakdown", "8.5.2")]
    assert (row["to"], row["asked"]) == ("Institute A", "by age, disability, sex; the nation has it by disability")
    assert row["unlocks"] == "to show whom the average hides"
    row = asked.loc[("later years", "8.5.2")]
    assert (row["asked"], row["years"]) == ("the years after 2017; the nation has 2022", "2018 to 2022")
    row = asked.loc[("earlier years", "x.1")]
    assert (row["to"], row["years"], row["unlocks"]) == (
        "city department: Mayor's office", "2012 to 2019", "to judge a trend",
    )  # fmt: skip
    row = asked.loc[("an answer", "3.2.1")]
    assert "Town: 423" in row["asked"]
    assert "(factor of 10)" in row["asked"]
    assert row["years"] == "2016"
    assert row["definition"].startswith("3.2.1 Deaths before age 5")
    assert asked.loc[("an interval", "3.2.1"), "unlocks"] == "to tell a change from chance"


def test_intervals_are_asked_of_surveys_alone_and_paths_only_of_priorities(asking):
    table, around, known = asking
    asked = asked_for(table.assign(source="register"), around, known)
    assert "an interval" not in set(asked["kind"])
    paths = asked[asked["unlocks"].str.contains("path before the shock")]
    assert len(paths) == 0, "years from 2012 are enough"
    later = table[table["period"] >= "2013"]
    paths = asked_for(later, around, known)
    assert set(paths.loc[paths["unlocks"].str.contains("path"), "indicator"]) == {"8.5.2"}


def test_the_nation_is_asked_of_its_own_sources_and_of_its_own_slips(asking):
    table, around, known = asking
    asked = asked_for(table.assign(source="office"), around, known)
    assert set(asked.loc[asked["indicator"] == "8.5.2", "to"]) == {"national statistical office"}
    wrong = around.assign(value=np.where(around["period"] == "2015", around["value"] * 10, around["value"]))
    smells = smell.smell_table(wrong, known)
    answers = asked_for(table, wrong, known, smells=smells)
    answers = answers[answers["kind"] == "an answer"]
    assert set(answers["indicator"]) == {"8.5.2", "6.3.1", "9.1.2"}
    assert answers["asked"].str.startswith("Land").all()
    peers = smells.assign(area="peer")
    answers = asked_for(table, wrong, known, smells=peers)
    assert set(answers.loc[answers["kind"] == "an answer", "indicator"]) == {"8.5.2"}, (
        "of a peer only what the town has"
    )


def test_the_letter_is_short_polite_undated_and_whole(asking):
    table, around, known = asking
    asked = asked_for(table.assign(source="office"), around, known, priority_targets=("11.2",))
    text = requests.letter(asked, city="Town", nation="Land", contact="office@town", threshold=5)
    body, annex = text.split("\n---\n")
    assert len(body.split()) < 650
    assert body.startswith("**To:** the national statistical office, Land")
    for words in ("Town reports on", "office@town", "Dear colleagues", "With kind regards", "Counts below 5"):
        assert words in body
    assert not re.search(r"\d{1,2} (January|May|June)|\d{4}-\d{2}-\d{2}", text), "whoever sends it adds the date"
    assert not BANNED.search(text)
    assert annex.count("\n|") == len(asked) + 2, "a head, a rule and every request"
    assert "city department" not in body
    mine = asked[asked["to"] == "national statistical office"]
    assert f"We ask you for {len(mine)} things" in body


def test_no_more_than_four_of_a_kind_stand_in_the_body(asking):
    table, around, known = asking
    one = asked_for(table.assign(source="office"), around, known).iloc[[0]]
    many = pd.concat([one.assign(to=requests.OFFICE, kind="later years", number=n) for n in range(9)])
    text = requests.letter(many, city="Town", nation="Land")
    assert text.split("\n---\n")[0].count("\n- ") == 4
    assert "and 5 more, in the annex" in text


def test_a_letter_with_nothing_to_ask_says_so(asking):
    none = asked_for(*asking).iloc[:0]
    text = requests.letter(none, city="Town", nation="Land")
    assert "We ask nothing of you today." in text
    assert "**Annex: all requests**\n\nNone." in text


def test_tables_that_know_little_are_enough(observations, definitions):
    """Only label, goal, direction, target and range: nothing is known of class, kind, department or definition."""
    table = observations({("8.5.2", ""): run(20.1, 205.0, 20.4, 21.3, 20.2, 19.8)})
    known = definitions(table).drop(columns=["priority"])
    asked = asked_for(table, table.iloc[:0], known, sources=pd.DataFrame({"source": ["test"]}))
    assert {"an answer", "a breakdown", "later years"} <= set(asked["kind"])
    assert set(asked["to"]) == {"test"}, "no publisher is known"
    assert breakdowns.breakdown_table(table.iloc[:0], known).empty
    assert readiness.age_table(table.iloc[:0], 2022).empty
    assert readiness.coverage_by_goal(table.iloc[:0], known)["n_series"].sum() == 0


# --- charts --------------------------------------------------------------------------------------------


def test_charts_carry_their_numbers_in_the_alternative_text(town):
    table, known = town
    chart = figures_readiness.coverage(readiness.coverage_by_goal(table, known))
    assert "Of 169 targets, 3 have figures of a global indicator, 1 of own indicators only, 165 none" in chart.alt
    assert "goal 8: 1 of 12" in chart.alt
    grid = figures_readiness.umf_grid(readiness.coverage_by_umf(table, known))
    assert "economy, inclusive: 2 series, 1 of 20 targets" in grid.alt
    assert "own proposal" in grid.caption
    assert len(grid.data) == 20
    graded = figures_readiness.grades(readiness.grades_by_goal(graded_of(table, known), known))
    assert "8 Decent work and economic growth: 1 B, 1 C" in re.sub(r"\s+", " ", graded.alt)
    assert "never averaged" in graded.caption
    labels = {tuple(row[KEY]): row["label"] for _, row in known.iterrows()}
    spans = figures_readiness.spans(readiness.age_table(table, 2022), table, labels, 2022)
    assert "unemployment rate: 2012 to 2022" in spans.alt
    for exhibit in (chart, grid, graded, spans):
        assert exhibit.alt
        assert len(exhibit.data)
        assert not BANNED.search(exhibit.caption + exhibit.alt)


def test_the_letter_is_shown_without_its_annex_and_kept_whole(asking):
    table, around, known = asking
    asked = asked_for(table.assign(source="office"), around, known.assign(label=known["label"] + " <b>"))
    text = requests.letter(asked, city="Town & Co", nation="Land")
    shown = figures_readiness.letter(text, "Land")
    assert "Town &amp; Co" in shown.html
    assert "&lt;b&gt;" in shown.html
    assert "<strong>To:</strong>" in shown.html
    assert "Annex" not in shown.html
    assert "\n".join(shown.data["letter"]) == text.rstrip("\n")
