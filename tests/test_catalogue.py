"""The catalogue: complete, consistent, in our own words."""

import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlr_analysis import catalogue

ROOT = Path(__file__).resolve().parents[1]
META = ROOT.parent / "shared" / "sources" / "open-sdg" / "united-states" / "meta"

# Targets a goal has, from the 2030 Agenda.
TARGETS = [7, 8, 13, 10, 9, 8, 5, 12, 8, 10, 10, 11, 5, 10, 12, 12, 19]
# Indicators listed under each goal, from the global framework after the review of 2020.
INDICATORS = [13, 14, 28, 12, 14, 11, 6, 16, 12, 14, 15, 13, 8, 10, 14, 24, 24]


def test_counts_are_those_of_the_agenda_and_the_framework():
    assert len(catalogue.goals()) == 17
    assert catalogue.targets().groupby("goal").size().tolist() == TARGETS
    assert catalogue.indicators().groupby("goal").size().tolist() == INDICATORS
    assert (len(catalogue.indicators()), catalogue.indicators()["unique_id"].nunique()) == (248, 231)


def test_every_indicator_has_its_target_and_every_repeat_says_the_same():
    table = catalogue.indicators()
    assert set(table["target"]) <= set(catalogue.targets()["target"])
    assert set(table["unique_id"]) <= set(table["code"])
    assert (table.groupby("unique_id")[["label", "direction", "breakdowns"]].nunique() == 1).all().all()


@pytest.mark.parametrize("name", ["goals", "targets", "indicators"])
def test_labels_are_short_and_there(name):
    labels = getattr(catalogue, name)()["label"]
    assert labels.str.len().between(5, 80).all()
    assert not labels.str.endswith(".").any()


def test_labels_are_not_the_official_names():
    if not META.is_dir():
        pytest.skip("no ../shared/sources beside the project")
    official = set()
    for path in META.glob("*.md"):
        found = re.search(r"^indicator_name:\s*(.+)$", path.read_text(encoding="utf-8-sig", errors="replace"), re.M)
        if found:
            official.add(found[1].strip().strip("'\"").casefold())
    assert len(official) > 150
    # Names of one, two or three words that nobody could word otherwise.
    plain = {"unemployment rate", "maternal mortality ratio", "under-5 mortality rate", "neonatal mortality rate",
             "suicide mortality rate", "red list index"}  # fmt: skip
    same = set(catalogue.indicators()["label"].str.casefold()) & official
    assert {label for label in same if len(label.split()) > 5} == set(), same - plain


def test_directions_and_breakdowns_use_the_fixed_words():
    table = catalogue.indicators()
    assert set(table["direction"]) == {"increase", "decrease", ""}
    for text in table["breakdowns"]:
        parts = text.split(";") if text else []
        assert parts == sorted(set(parts))
        assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", part) for part in parts)


def test_the_grid_is_five_by_four_and_its_indicator_slot_is_empty():
    grid = catalogue.umf()
    assert grid["domain"].nunique() == 5
    assert grid["objective"].nunique() == 4
    assert not grid.duplicated(["domain", "objective"]).any()
    assert len(grid) == 20
    assert (grid["official_indicators"] == "").all()


@pytest.mark.parametrize(
    ("code", "goal"),
    [
        ("3.2.1", 3),
        ("11.a.1", 11),
        ("3.4", 3),
        ("17", 17),
        ("18.1.1", None),
        ("uk.x", None),
        ("la.10.1", None),
        ("", None),
    ],
)
def test_goal_of(code, goal):
    assert catalogue.goal_of(code) == goal


def test_codes_sort_as_people_read_them():
    codes = ["10.1.1", "uk.x", "1.a.1", "2.1.1", "1.2.1", "1.10.1"]
    assert sorted(codes, key=catalogue.sort_key) == ["1.2.1", "1.10.1", "1.a.1", "2.1.1", "10.1.1", "uk.x"]


@given(st.lists(st.text(max_size=8), max_size=6))
def test_any_codes_can_be_sorted(codes):
    assert len(sorted(codes, key=catalogue.sort_key)) == len(codes)


def test_direction_label_and_suggestions():
    assert catalogue.direction("8.5.2") == "decrease"
    assert catalogue.direction("5.4.1") == ""
    assert catalogue.direction("uk.claimant-count") == ""
    assert catalogue.label("3") == "Good health and well-being"
    assert catalogue.label("99.1.1") == ""
    assert "8.5.2" in catalogue.suggest("8.52")
    assert catalogue.is_global("8.5.2")
    assert not catalogue.is_global("8.5")


def test_units_found_whatever_their_case_and_unknown_ones_left_alone():
    share, odd = catalogue.unit_scale(" % "), catalogue.unit_scale("furlongs per fortnight")
    assert (share.scale, share.lower, share.upper) == ("logit", 0, 100)
    assert catalogue.unit_scale("Rate per 100,000  population").scale == "log"
    assert (odd.scale, odd.kind) == ("identity", "")
    assert odd.lower != odd.lower


def test_every_shipped_unit_is_in_the_catalogue():
    known = {" ".join(unit.casefold().split()) for unit in catalogue.units()["unit"]}
    areas = pd.read_csv(ROOT / "data" / "areas.csv")["area"]
    units = {unit for area in areas for unit in pd.read_csv(ROOT / "data" / f"{area}.csv")["unit"].unique()}
    assert {unit for unit in units if " ".join(unit.casefold().split()) not in known} == set()


def test_tables_are_copies():
    catalogue.umf()["domain"] = "x"
    assert catalogue.umf()["domain"].iloc[0] == "society"
