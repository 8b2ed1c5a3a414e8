"""data/: everything that ships is valid, sourced, described, and the made-up city is what its script makes."""

import hashlib
import json
import sys
from pathlib import Path

import pandas as pd
import pytest
from frictionless import Package

from vlr_analysis import catalogue
from vlr_analysis.cities import load_city
from vlr_analysis.covid import covid_table
from vlr_analysis.sources import kit
from vlr_analysis.trends import trend_table

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
AREAS = kit.read_areas(DATA / "areas.csv")["area"].tolist()
sys.path.insert(0, str(ROOT / "tools"))

import datapackage  # noqa: E402
import made_up_city  # noqa: E402


@pytest.fixture(scope="module")
def tables():
    return {area: kit.read_table(DATA / f"{area}.csv") for area in AREAS}


def test_twenty_two_areas_and_the_made_up_ones_are_there(tables):
    assert len(AREAS) == 24
    assert all((table["area"] == area).all() for area, table in tables.items())
    files = {path.stem for path in DATA.glob("*.csv")} - {"areas", "sources", "indicators", "vlr_counts"}
    assert files == set(AREAS)


def test_every_source_and_every_series_is_described(tables):
    used = pd.concat(tables.values())
    assert set(used["source"]) == set(kit.read_sources(DATA / "sources.csv")["source"])
    key = ["indicator", "series", "unit"]
    described = kit.read_indicators(DATA / "indicators.csv")
    assert set(map(tuple, used[key].to_numpy())) == set(map(tuple, described[key].to_numpy()))
    assert set(described["sdg_target"]) - {""} <= set(catalogue.targets()["target"])


def test_an_empty_direction_says_why():
    described = kit.read_indicators(DATA / "indicators.csv")
    silent = described[(described["direction"] == "") & (described["note"] == "")]
    assert silent["indicator"].tolist() == []


def test_the_shipped_facts_are_those_of_the_figures(tables):
    """Against ../shared/figures: every value, but for the corrections that the notes name."""
    figures = ROOT.parent / "shared" / "figures"
    if not figures.is_dir():
        pytest.skip("no ../shared/figures beside the project")
    for path in figures.glob("*.csv"):
        if path.stem == "indicators":
            continue
        raw = pd.read_csv(path, dtype={"period": str}, keep_default_na=False, na_values={"value": [""], "low": [""]})
        got = tables[path.stem]
        assert len(raw) == len(got)
        assert raw["value"].sum() == pytest.approx(got["value"].sum())
        assert sorted(raw["indicator"] + raw["period"] + raw["breakdown"]) == sorted(
            got["indicator"] + got["period"] + got["breakdown"]
        )


def test_datapackage_is_current_and_valid():
    written = (DATA / "datapackage.json").read_text(encoding="utf-8")
    assert json.loads(written) == datapackage.package(DATA), "run `make data`"
    report = Package(str(DATA / "datapackage.json")).validate()
    assert report.valid, report.flatten(["path", "note"])[:5]


def test_hashes_are_those_of_the_files():
    for resource in json.loads((DATA / "datapackage.json").read_text(encoding="utf-8"))["resources"]:
        content = (DATA / resource["path"]).read_bytes()
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


# --- the made-up city -----------------------------------------------------------------------------


def test_the_script_makes_the_same_files_again(tmp_path):
    made_up_city.main(tmp_path)
    for name in ("porto-exemplo.csv", "republica-exemplo.csv", "truth/porto-exemplo.csv"):
        assert (tmp_path / name).read_bytes() == (DATA / name).read_bytes(), f"{name}: run `make data`"


def test_it_holds_what_is_hard(tables):
    city = tables["porto-exemplo"]
    assert {"suppressed", "missing", "break", "provisional"} <= set(city["status"])
    assert city["breakdown"].str.contains("حي").any()
    assert city["breakdown"].str.contains("São").any()
    assert set(city["period"].str.len()) >= {4, 7, 14}
    assert load_city("porto-exemplo", ROOT).made_up


@pytest.fixture(scope="module")
def truth_and_found():
    city = load_city("porto-exemplo", ROOT)
    truth = pd.read_csv(DATA / "truth" / "porto-exemplo.csv", dtype=str, keep_default_na=False)
    key = ["indicator", "series", "unit", "breakdown"]
    trend = trend_table(city.observations, city.definitions).set_index(key)
    shock = covid_table(city.observations, city.definitions).set_index(key)
    return [(row, trend.loc[tuple(row[key])], shock.loc[tuple(row[key])]) for _, row in truth.iterrows()]


@pytest.mark.parametrize("column", ["trend_verdict", "movement", "level_verdict", "path_verdict"])
def test_planted_truths_are_found(truth_and_found, column):
    names = {"trend_verdict": ("verdict", 1), "movement": ("movement", 1)}
    name, place = names.get(column, (column, 2))
    checked, wrong = 0, []
    for row in truth_and_found:
        wanted = row[0][column]
        if wanted:
            checked += 1
            if row[place][name] not in wanted.split("|"):
                wrong.append((row[0]["indicator"], row[0]["breakdown"], wanted, row[place][name]))
    assert checked >= 8
    assert not wrong


def test_planted_slopes_are_met(truth_and_found):
    compared = 0
    for truth, row, _ in truth_and_found:
        if truth["slope_per_year"] and truth["planted"] in ("trend", "average hides"):
            assert row["slope_per_year"] == pytest.approx(float(truth["slope_per_year"]), abs=0.06), truth["indicator"]
            compared += 1
    assert compared >= 12


def test_planted_shock_has_its_month_and_size(truth_and_found):
    for truth, _, shock in truth_and_found:
        if truth["indicator"] == "8.5.2":
            assert shock["trough_period"] == "2020-04"
            assert shock["depth"] == pytest.approx(-float(truth["shock"]), abs=0.8)


# --- what the issue of the real cities asks ----------------------------------------------------------


def test_los_angeles_unemployment_beside_new_york_and_pittsburgh():
    city = load_city("los-angeles", ROOT)
    table = pd.concat([city.observations, city.around])
    found = covid_table(table, city.definitions)
    rows = found[found["series"] == "unemployment rate, county, not seasonally adjusted"].set_index("area")
    assert set(rows.index) == {"los-angeles", "new-york", "pittsburgh"}
    assert rows["shock_clear"].all()
    assert set(rows["shock_period"]) <= {"2020-04", "2020-05"}
    assert (rows["gap_shock"] > 10).all()
    assert rows[["gap_path_low", "gap_path_high", "loss_low", "loss_high"]].notna().all().all()
    assert rows.loc["pittsburgh", "level_verdict"] == "recovered"
    # 1.1 points above the level: less than two years of its usual movement would give, more than one.
    assert rows.loc["los-angeles", "level_reason"] == "behind the level, within the reach of its usual movement"
    assert rows.loc["los-angeles", "gap_level"] == pytest.approx(1.117, abs=0.001)


def test_bristol_claimants_and_preventable_mortality_beside_england():
    city = load_city("bristol", ROOT)
    found = covid_table(pd.concat([city.observations, city.around]), city.definitions).set_index(["area", "indicator"])
    claimants = found.loc[("bristol", "uk.claimant-count")]
    assert (claimants["level"], claimants["shock_value"]) == (2.3, 5.1)
    assert claimants["level_verdict"] == "cannot tell"
    assert claimants["gap_level"] == pytest.approx(1.3)
    for area in ("bristol", "england"):
        mortality = found.loc[(area, "uk.under-75-preventable-mortality-persons")]
        assert mortality["path_verdict"] == "cannot tell"
        assert "6 yearly values before the shock" in mortality["path_reason"]
