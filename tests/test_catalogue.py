"""The catalogue: complete, consistent, in our own words."""

import math
import re
from dataclasses import FrozenInstanceError
from difflib import SequenceMatcher
from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from vlr_analysis import catalogue

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
META = SHARED / "sources" / "open-sdg"

# Oracle: annex of A/RES/71/313 after the review of 2020 and refinements to 2024; targets, and codes, per goal.
TARGETS = [7, 8, 13, 10, 9, 8, 5, 12, 8, 10, 10, 11, 5, 10, 12, 12, 19]
INDICATORS = [13, 14, 28, 12, 14, 11, 6, 16, 12, 14, 15, 13, 8, 10, 14, 24, 24]
# Oracle: the thirteen repeated indicators as the Statistics Division lists them.
REPEATS = """1.5.1/11.5.1/13.1.1 1.5.2/11.5.2 1.5.3/11.b.1/13.1.2 1.5.4/11.b.2/13.1.3 4.7.1/12.8.1/13.3.1 7.b.1/12.a.1
8.4.1/12.2.1 8.4.2/12.2.2 10.3.1/16.b.1 10.6.1/16.8.1 13.2.1/13.b.1 15.7.1/15.c.1 15.a.1/15.b.1"""
DIMENSIONS = """
    age disability education employment income indigenous key-population location migration occupation origin
    population-group pregnancy sex cause donor ecosystem enterprise-size flow form funding government-level heritage
    institution mechanism mode nutrition place recipient sector service skill source speed study subject technology
    tenure treatment"""
KINDS = {"share", "rate", "count", "money", "ratio", "physical", "years", "score", "index", "change", ""}
CODES = catalogue.indicators()["code"].tolist()


# --- tables ------------------------------------------------------------------------------------


def test_counts_are_those_of_the_agenda_and_the_framework():
    assert catalogue.goals()["goal"].tolist() == list(range(1, 18))
    assert catalogue.targets().groupby("goal").size().tolist() == TARGETS
    assert catalogue.indicators().groupby("goal").size().tolist() == INDICATORS
    assert (sum(TARGETS), sum(INDICATORS)) == (169, 248)
    assert catalogue.indicators()["unique_id"].nunique() == 231


def test_the_repeated_indicators_are_the_thirteen_of_the_official_list():
    table = catalogue.indicators()
    groups = table.groupby("unique_id", sort=False)["code"].agg("/".join)
    assert sorted(groups[groups.str.contains("/")]) == sorted(REPEATS.split())
    assert (groups.index == groups.str.split("/").str[0]).all()


def test_codes_agree_with_their_target_and_goal_and_stand_in_natural_order():
    table, targets = catalogue.indicators(), catalogue.targets()
    assert table["code"].is_unique
    assert targets["target"].is_unique
    assert (table["code"].str.rsplit(".", n=1).str[0] == table["target"]).all()
    assert (table["code"].map(catalogue.goal_of) == table["goal"]).all()
    assert (targets["target"].map(catalogue.goal_of) == targets["goal"]).all()
    assert set(targets["target"]) - set(table["target"]) == {"11.c"}
    assert set(table["target"]) <= set(targets["target"])
    for codes in (table["code"].tolist(), targets["target"].tolist()):
        assert codes == sorted(codes, key=catalogue.sort_key)


def test_targets_and_indicators_are_numbered_without_a_gap():
    for codes in (catalogue.targets()["target"], catalogue.indicators()["code"]):
        last = pd.DataFrame({"above": codes.str.rsplit(".", n=1).str[0], "part": codes.str.rsplit(".", n=1).str[1]})
        for above, parts in last.groupby("above")["part"]:
            numbers = [int(part) for part in parts if part.isdigit()]
            letters = [part for part in parts if part.isalpha()]
            assert numbers == list(range(1, len(numbers) + 1)), above
            assert letters == list("abcd"[: len(letters)]), above


@pytest.mark.parametrize("name", ["goals", "targets", "indicators"])
def test_labels_are_there_short_tidy_and_tell_things_apart(name):
    table = getattr(catalogue, name)()
    labels = table["label"]
    assert labels.str.len().between(5, 80).all()
    assert not labels.str.contains(r"\.$|  |^\s|\s$|^[a-z]").any()
    # A label belongs to one indicator, and an indicator has one label; 13.b.1 asks 13.2.1 of fewer countries.
    same = table[table.get("code", labels) != "13.b.1"].groupby("label")[table.get("unique_id", labels).name]
    assert (same.nunique() == 1).all()
    assert name == "indicators" or labels.is_unique


def test_a_repeated_indicator_says_the_same_each_time():
    table = catalogue.indicators()
    assert (table.groupby("unique_id")[["direction", "breakdowns"]].nunique() == 1).all().all()
    labels = table[table["code"] != "13.b.1"].groupby("unique_id")["label"].nunique()
    assert (labels == 1).all()


def _official_names() -> dict[str, str]:
    """Indicator names and target texts in the metadata files, by code and by target."""
    names = {}
    for path in [*META.glob("united-states/meta/*"), *META.glob("los-angeles/meta/*")]:
        text = path.read_text(encoding="utf-8-sig", errors="replace").removeprefix("---\n").split("\n---")[0]
        try:
            fields = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        if not isinstance(fields, dict):
            continue
        code = re.sub("[-_]", ".", path.stem)
        for key, field in ((code, "indicator_name"), (code.rpartition(".")[0], "target")):
            name = str(fields.get(field) or "")
            if " " in name:
                names[f"{key} {path.parts[-3]}"] = " ".join(name.split())
    return names


def _words(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", " ", text.casefold()).strip()


def test_labels_are_not_the_official_names():
    if not META.is_dir():
        pytest.skip("no ../shared/sources/open-sdg beside the project: official names cannot be compared")
    official = _official_names()
    assert len(official) > 300
    names = {_words(name) for name in official.values()}
    labels = {_words(label) for name in ("targets", "indicators") for label in getattr(catalogue, name)()["label"]}
    close = {
        (label, name)
        for label in labels
        for name in names
        if abs(len(label) - len(name)) < 0.3 * len(name) and SequenceMatcher(None, label, name).ratio() > 0.85
    }
    assert close == set()


def test_codes_that_two_open_sdg_sites_list_are_known():
    if not META.is_dir():
        pytest.skip("no ../shared/sources/open-sdg beside the project")
    stems = {re.sub("[-_]", ".", path.stem) for path in META.glob("united-states/meta/*")}
    assert {stem for stem in stems if not catalogue.is_global(stem)} == set()
    assert len(stems) > 200


def test_directions_and_breakdowns_use_the_fixed_words():
    table = catalogue.indicators()
    assert set(table["direction"]) == {"increase", "decrease", ""}
    used = set()
    for text in table["breakdowns"]:
        parts = text.split(";") if text else []
        assert parts == sorted(set(parts))
        used.update(parts)
    assert used == set(DIMENSIONS.split())
    readme = (Path(catalogue.__file__).parent / "README.md").read_text(encoding="utf-8")
    section = readme.partition("Fixed words:")[2].partition("\n## ")[0]
    assert {word for word in DIMENSIONS.split() if not re.search(rf"\b{word}\b", section)} == set()


@pytest.mark.parametrize(
    ("codes", "direction"),
    [
        # Deaths, disease, poverty, violence, pollution; access to services; parity, growth, aid, laws, detection.
        ("1.2.1 2.1.1 3.1.1 3.2.1 3.4.1 3.6.1 8.5.2 8.6.1 11.6.2 13.2.2 16.1.1 16.5.1", "decrease"),
        ("1.3.1 3.1.2 3.8.1 4.1.1 6.1.1 6.2.1 7.1.1 7.2.1 11.2.1 11.6.1 16.9.1 17.8.1", "increase"),
        ("4.5.1 5.4.1 5.5.1 5.5.2 8.1.1 8.5.1 11.3.1 12.4.2 14.3.1 15.1.1 16.2.2 17.2.1 1.5.3 5.1.1", ""),
    ],
)
def test_directions_that_matter(codes, direction):
    assert {code: catalogue.direction(code) for code in codes.split()} == dict.fromkeys(codes.split(), direction)


def test_breakdowns_follow_the_official_wording():
    table = catalogue.indicators().set_index("code")["breakdowns"]
    assert table["1.1.1"] == "age;employment;location;sex"
    assert table["8.5.2"] == "age;disability;sex"
    assert table["8.5.1"] == "age;disability;occupation;sex"
    assert table["8.8.1"] == "migration;sex"
    assert table["11.7.2"] == "age;disability;place;sex"
    assert table["3.1.1"] == table["1.4.1"] == ""


def test_the_grid_is_five_by_four_and_its_indicator_slot_is_empty():
    grid = catalogue.umf()
    assert len(grid) == 20
    assert not grid.duplicated(["domain", "objective"]).any()
    assert grid["domain"].unique().tolist() == [
        "society", "economy", "environment", "culture", "governance and implementation",
    ]  # fmt: skip
    assert grid["objective"].unique().tolist() == ["safe and peaceful", "inclusive", "resilient", "sustainable"]
    assert (grid["official_indicators"] == "").all()


@pytest.mark.parametrize("name", ["goals", "targets", "indicators", "umf", "units"])
def test_tables_are_copies(name):
    table = getattr(catalogue, name)()
    before = table.copy()
    table.iloc[:, -1] = "x"
    table.loc[0, table.columns[1]] = "x" if table.columns[1] != "goal" else 99
    pd.testing.assert_frame_equal(getattr(catalogue, name)(), before)


# --- codes -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "goal"),
    [
        ("3.2.1", 3), ("11.a.1", 11), ("17.19.2", 17), ("3.4", 3), ("17", 17), ("3.9.4", 3), ("10.x.1", 10),
        ("18.1.1", None), ("0.1", None), ("03.2.1", None), ("uk.x", None), ("la.10.1", None), ("3.2.1.1", None),
        ("3.", None), ("3.2.1 ", None), ("3.2.1\n", None), ("٣.2.1", None), ("", None),
    ],
)  # fmt: skip
def test_goal_of(code, goal):
    assert catalogue.goal_of(code) == goal


def test_is_global_holds_for_indicator_codes_only():
    assert all(map(catalogue.is_global, CODES))
    assert not any(map(catalogue.is_global, ["8.5", "8", "2.1.3", "3.9.4", "2.2.4", "17.6.2", "uk.x", "08.5.2", ""]))


def test_codes_sort_as_people_read_them():
    codes = ["1", "1.1", "1.1.1", "1.2.1", "1.10.1", "1.a.1", "2.1.1", "10.1.1", "la.2", "la.2.1", "la.10.1", "uk"]
    shuffled = ["uk", "10.1.1", "la.10.1", "1.a.1", "1.10.1", "1.1.1", "la.2.1", "1", "2.1.1", "1.2.1", "1.1", "la.2"]
    assert sorted(shuffled, key=catalogue.sort_key) == codes
    assert sorted(["b", "", "18.1.1", "x"], key=catalogue.sort_key) == ["", "18.1.1", "b", "x"]
    assert sorted(["la.1", "la.01"], key=catalogue.sort_key) == sorted(["la.01", "la.1"], key=catalogue.sort_key)


@given(st.permutations(CODES[:40] + CODES[-40:]))
def test_order_of_codes_does_not_depend_on_how_they_come(codes):
    assert sorted(codes, key=catalogue.sort_key) == CODES[:40] + CODES[-40:]


@given(st.lists(st.text(max_size=8) | st.from_regex(r"[0-9a-c.]{0,6}", fullmatch=True) | st.sampled_from(CODES)))
def test_any_codes_can_be_sorted_into_one_order(codes):
    ordered = sorted(set(codes), key=catalogue.sort_key)
    assert len({catalogue.sort_key(code) for code in ordered}) == len(ordered)
    known = [catalogue.goal_of(code) is not None for code in ordered]
    assert known == sorted(known, reverse=True)


def test_very_long_numbers_sort_too():
    assert len(sorted(["9" * 5000, "x" + "1" * 5000, "1.1.1"], key=catalogue.sort_key)) == 3


def test_direction_and_label_of_what_is_not_known_are_empty():
    for code in ("uk.claimant-count", "99.1.1", "8.5.2 ", "", "3.9.4"):
        assert (catalogue.direction(code), catalogue.label(code)) == ("", "")
    assert catalogue.direction("8.5") == catalogue.direction("8") == ""


def test_label_works_for_goals_targets_and_indicators():
    assert catalogue.label("3") == "Good health and well-being"
    assert catalogue.label("1.1") == "Nobody lives in extreme poverty"
    assert catalogue.label("16.10") != catalogue.label("16.1") != ""
    assert catalogue.label("11.5.1") == catalogue.label("1.5.1") == catalogue.label("13.1.1") != ""
    assert all(catalogue.label(code) for code in CODES)


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("8-5-2", "8.5.2"), ("08.05.02", "8.5.2"), ("11_A_1", "11.a.1"), (" 8.5.2", "8.5.2"), ("8,5,2", "8.5.2"),
        ("8.52", "8.5.2"), ("10.2.1", "10.2.1"), ("17.6.2", "17.6.1"), ("8.6.3", "8.6.1"),
        ("1.1.2", "1.1.1"), ("3.4.3", "3.4.2"), ("2.6.1", "2.c.1"), ("17.a.1", "17.9.1"),
    ],
)  # fmt: skip
def test_suggestions_begin_with_what_was_meant(code, first):
    found = catalogue.suggest(code)
    assert found[0] == first
    assert len(found) == len(set(found)) <= 3
    assert all(map(catalogue.is_global, found))


def test_suggestions_for_a_target_are_its_indicators_and_for_nothing_none():
    assert catalogue.suggest("16.10") == ["16.10.1", "16.10.2"]
    assert catalogue.suggest("1.5", n=9)[:4] == ["1.5.1", "1.5.2", "1.5.3", "1.5.4"]
    assert catalogue.suggest("uk.x") == catalogue.suggest("") == catalogue.suggest("...") == []
    assert catalogue.suggest("8.5.3", n=0) == catalogue.suggest("8.5.3", n=-1) == []
    assert len(catalogue.suggest("8.5.3", n=1)) == 1


@given(st.text(max_size=12), st.integers(-2, 6))
def test_suggestions_never_fail_and_never_exceed_what_was_asked(code, n):
    found = catalogue.suggest(code, n)
    assert len(found) <= max(n, 0)
    assert set(found) <= set(CODES)


# --- units -------------------------------------------------------------------------------------


def test_units_are_consistent():
    table = catalogue.units()
    assert table["unit"].is_unique
    assert set(table["kind"]) == KINDS
    assert set(table["scale"]) == {"identity", "log", "logit"}
    logit, log = table[table["scale"] == "logit"], table[table["scale"] == "log"]
    assert (logit["lower"] < logit["upper"]).all()
    assert (logit["kind"] == "share").all()
    assert (log["lower"] == 0).all()
    assert log["upper"].isna().all()
    assert (table.loc[table["kind"] == "share", "scale"] == "logit").all()
    # Spellings that count as one unit must say the same, or the last row would win unseen.
    for row in table.itertuples():
        found = catalogue.unit_scale(row.unit)
        assert (found.kind, found.scale) == (row.kind, row.scale), row.unit
        assert [found.lower, found.upper] == pytest.approx([row.lower, row.upper], nan_ok=True)


@pytest.mark.parametrize(
    ("unit", "kind", "lower", "upper", "scale"),
    [
        ("%", "share", 0, 100, "logit"),
        ("deaths per 100,000", "rate", 0, math.nan, "log"),
        ("µg/m³", "physical", 0, math.nan, "log"),
        ("people", "count", 0, math.nan, "log"),
        ("tonnes of CO2 equivalent per person", "physical", 0, math.nan, "log"),
        ("minutes", "physical", 0, math.nan, "log"),
        ("m² per person", "physical", 0, math.nan, "log"),
        ("score out of 10", "score", 0, 10, "identity"),
        ("ratio", "ratio", 0, math.nan, "log"),
        ("years", "years", math.nan, math.nan, "identity"),
        ("index", "index", math.nan, math.nan, "identity"),
        ("£", "money", 0, math.nan, "log"),
        ("change relative to January 2020, proportion", "change", -1, math.nan, "identity"),
        ("net additional dwellings per 1,000 stock", "rate", math.nan, math.nan, "identity"),
        ("furlongs per fortnight", "", math.nan, math.nan, "identity"),
        ("", "", math.nan, math.nan, "identity"),
    ],
)
def test_unit_scale(unit, kind, lower, upper, scale):
    found = catalogue.unit_scale(unit)
    assert (found.kind, found.scale) == (kind, scale)
    assert [found.lower, found.upper] == pytest.approx([lower, upper], nan_ok=True)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (" % ", "%"), ("Score  out of 10", "score out of 10"), ("DEATHS PER 100 000", "deaths per 100,000"),
        ("deaths per 100000", "deaths per 100,000"), ("m2 per person", "m² per person"), ("\u03bcg/m3", "\u00b5g/m³"),
        ("per\u00a01,000", "per 1,000"), ("Tonnes of CO₂ equivalent", "tonnes of co2 equivalent"),
    ],
)  # fmt: skip
def test_units_are_found_whatever_their_writing(one, other):
    assert catalogue.unit_scale(one) is catalogue.unit_scale(other)
    assert catalogue.unit_scale(one).kind


def test_a_unit_scale_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        catalogue.unit_scale("%").upper = 1


def _unlisted(folder: Path) -> set[str]:
    tables = (pd.read_csv(path, dtype=str, keep_default_na=False) for path in sorted(folder.glob("*.csv")))
    units = {unit for table in tables if "unit" in table for unit in table["unit"].unique() if unit}
    assert len(units) > 15
    return {unit for unit in units if catalogue.unit_scale(unit) is catalogue.UNKNOWN_UNIT}


@pytest.mark.parametrize("folder", [ROOT / "data", SHARED / "figures"], ids=["data", "figures"])
def test_every_unit_in_use_is_in_the_catalogue(folder):
    if not any(folder.glob("*.csv")):
        pytest.skip(f"no tables in {folder.name}/")
    assert _unlisted(folder) == set()
