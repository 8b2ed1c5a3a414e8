"""Every clause of the communique of February 2021 that an analysis can answer: one test each, on shipped cities."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml

from vlr_analysis import catalogue, comparison, figures_places, findings, voices
from vlr_analysis.cities import load_city, vlr_counts
from vlr_analysis.covid import covid_table
from vlr_analysis.disparities import disparity_trend_table
from vlr_analysis.exhibits import MIME
from vlr_analysis.observations import check
from vlr_analysis.results import Results
from vlr_analysis.review.provenance import provenance
from vlr_analysis.review.receive import receive
from vlr_analysis.sources import kit

ROOT = Path(__file__).resolve().parents[1]
VLR = [sys.executable, "-m", "vlr_analysis.cli"]


def vlr(*arguments, cwd):
    return subprocess.run(
        [*VLR, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, encoding="utf-8"
    )


@pytest.fixture(scope="module")
def made_up():
    return Results(load_city("porto-exemplo", ROOT))


@pytest.fixture(scope="module")
def los_angeles():
    return Results(load_city("los-angeles", ROOT))


def test_1_1_counts_of_the_movement_are_told_with_their_scope_and_never_as_one():
    done = vlr("counts", cwd=ROOT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    counts = vlr_counts(ROOT)
    assert len(set(counts["count"])) >= 3
    for row in counts.itertuples():
        assert any(str(row.count) in line and row.scope in line and row.publisher in line for line in lines)
    assert "There is no one number" in lines[-1]


def test_1_2_every_finding_leads_to_rows_of_files(made_up):
    city = made_up.city
    rows = provenance(city, made_up.findings)
    own = rows[(rows["area"] == city.id) & rows["value"].notna()]
    with (ROOT / "data" / "porto-exemplo.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    assert len(own) > 500
    for row in own.sample(60, random_state=1).itertuples():
        held = dict(zip(lines[0], lines[row.row - 1], strict=True))
        assert (held["period"], held["series"], held["breakdown"]) == (row.period, row.series, row.breakdown)
        assert float(held["value"]) == row.value
    on_series = {finding.id for finding in made_up.findings if finding.indicator}
    assert set(rows["finding"]) == on_series
    assert rows["publisher"].notna().all()
    assert "Transport" in set(rows["department"])


def test_1_2_a_priority_without_data_is_shown_as_a_gap(made_up):
    priorities = made_up.priorities.set_index("target_code")
    assert priorities.loc["13.1", "state"] == "gap: no figures"
    assert priorities.loc["11.2", "n_series"] > 0
    assert any("13.1" in text for text in made_up.requests["target"])


@pytest.fixture(scope="module")
def five_goals(tmp_path_factory):
    """Los Angeles with five goals only, all chapters run, in a project of its own with a folder for pages."""
    root = tmp_path_factory.mktemp("five") / "goals"
    for name in ("notebooks", "data", "docs"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "decisions"))
    (root / "params").mkdir()
    content = yaml.safe_load((ROOT / "params" / "los-angeles.yaml").read_text(encoding="utf-8"))
    content["city"]["goals"] = [4, 8, 10, 13, 16]
    (root / "params" / "los-angeles.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    done = vlr("run", "los-angeles", cwd=root)
    assert done.returncode == 0, done.stderr
    return root / "reports" / "los-angeles"


def test_1_3_five_goals_make_a_review_without_an_empty_chapter(five_goals):
    notebooks = sorted(five_goals.glob("0*.ipynb"))
    assert len(notebooks) == 8
    for path in notebooks:
        shown = [
            output
            for cell in nbformat.read(path, as_version=4).cells
            for output in cell.get("outputs", [])
            if output["output_type"] in ("display_data", "execute_result")
        ]
        filled = [output for output in shown if output["data"].get(MIME, {}).get("csv", "").count("\n") > 1]
        said = [output for output in shown if "<p>" in output["data"].get("text/html", "")]
        assert filled or said, path.stem
        drawn = [output for output in shown if "<img" in output["data"].get("text/html", "")]
        assert all(output in filled for output in drawn), f"{path.stem}: an empty chart"
    records = [json.loads(line) for line in (five_goals / "findings.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {catalogue.goal_of(item["indicator"]) for item in records if item["indicator"]} <= {4, 8, 10, 13, 16}
    assert len(records) > 5


def test_1_3_pillars_of_the_citys_own_strategy_map_many_to_many(made_up):
    pillars = made_up.pillars
    shared = pillars.groupby("target_code")["pillar"].nunique()
    assert shared.max() > 1
    assert pillars.groupby("pillar")["target_code"].nunique().max() > 1


def test_1_4_what_the_city_adds_is_listed(los_angeles):
    table = los_angeles.compared["united-states"]
    assert (table["verdict"] == "only local").sum() >= 5
    city = load_city("porto-exemplo", ROOT)
    assert set(city.observations["breakdown"]) - set(city.around["breakdown"])


def test_1_5_the_bundle_fills_an_empty_kit_with_equal_tables(made_up, tmp_path):
    from vlr_analysis.review.deliver import write_handover

    done = write_handover(made_up, tmp_path / "report")
    empty = tmp_path / "ministry"
    empty.mkdir()
    receive(done["bundle"], empty)
    sent = made_up.city.observations
    got = kit.read_table(empty / "data" / "porto-exemplo.csv")
    pd.testing.assert_frame_equal(got, check(sent))
    # 2.1: another city runs what it has received, and comes to the same findings.
    again = Results(load_city("porto-exemplo", empty))
    assert [item.id for item in again.findings] == [item.id for item in made_up.findings]
    assert [item.statement for item in again.findings] == [item.statement for item in made_up.findings]
    # 1.6: at most 250 words, three numbers, each of them in the annex.
    assert done["words"] <= 250
    assert len(done["numbers"]) == 3


def test_1_7_no_small_number_and_nothing_that_gives_it_away_is_published(made_up):
    """Rebuild by subtraction what the public table hides; the whole attack is in test_disclosure.py."""
    city, secret = made_up.city, load_city("porto-exemplo", ROOT, internal=True)
    key = ["indicator", "series", "unit", "period", "breakdown"]
    both = city.observations.merge(secret.observations, on=key, suffixes=("", "_secret"))
    hidden = both[both["value"].isna() & both["value_secret"].notna()]
    counts = both[(both["indicator"] == "pe.8")]
    assert len(hidden) > 20
    assert ((counts["value"] >= 5) | (counts["value"] == 0) | counts["value"].isna()).all()
    for (_, dimension), rows in _margins(counts):
        lost = rows["value"].isna().sum()
        assert lost != 1, f"{dimension}: one hidden cell follows from its total"


def _margins(counts):
    """Yield every sum that an attacker would try: groups of a dimension below the total or below another group."""
    for period, rows in counts.groupby("period"):
        by = rows.set_index("breakdown")
        districts = [name for name in by.index if name.startswith("district=") and ";" not in name]
        yield (period, "district"), by.loc[["", *districts]]
        yield (period, "sex"), by.loc[["", "sex=female", "sex=male"]]
        for name in districts:
            yield (period, name), by.loc[[name, f"{name};sex=female", f"{name};sex=male"]]
        for sex in ("sex=female", "sex=male"):
            yield (period, sex), by.loc[[sex, *(f"{name};{sex}" for name in districts)]]


def test_1_7_departments_see_what_they_have_to_answer_for(made_up):
    duties = made_up.duties
    assert {"Transport", "Social affairs"} <= set(duties["department"])
    assert "average hides" in set(duties.loc[duties["department"] == "Transport", "verdict"])


def test_1_8_the_average_that_hides_a_district_is_found(made_up):
    change = disparity_trend_table(made_up.groups, made_up.city.definitions)
    row = change[(change["indicator"] == "11.2.1") & (change["dimension"] == "district")].iloc[0]
    assert row["verdict"] == "average hides"
    assert row["least_group"] == "Çarşı"
    assert row["total_slope"] > 0 > row["least_slope"]


def test_1_9_a_self_selected_poll_of_forty_is_never_above_c(made_up):
    told = voices.evidence_table(made_up.city.voices, made_up.city.reference_year).set_index("evidence")
    poll = told.loc["poll-2024"]
    assert (poll["participants"], poll["self_selected"]) == (40, True)
    assert poll["grade"] in ("C", "D")
    said = [item for item in made_up.findings if item.kind == "voices" and "Open poll" in item.statement]
    assert said
    assert all(item.grade in ("C", "D") for item in said)
    assert said[0].verdict == "disagrees"


def shocked(change, years=20, noise=0.4, seed=3):
    rng = np.random.default_rng(seed)
    values = {year: 50 + 0.5 * (year - 2005) + rng.normal(0, noise) for year in range(2005, 2005 + years)}
    values = {year: value * (1 + change * (year >= 2020)) for year, value in values.items()}
    rows = [{"area": "town", "indicator": "4.1.2", "series": "m", "unit": "%", "period": str(year), "breakdown": "",
             "value": value, "low": np.nan, "high": np.nan, "status": "value", "source": "s"}
            for year, value in values.items()]  # fmt: skip
    known = {"indicator": "4.1.2", "series": "m", "unit": "%", "direction": "increase", "scale": "identity"}
    known = pd.DataFrame([known | {"lower": np.nan, "upper": np.nan}])
    return covid_table(check(pd.DataFrame(rows)), known).iloc[0]


def test_1_10_no_effect_is_claimed_without_one_and_a_planted_one_is_found():
    quiet, hit = shocked(0.0), shocked(-0.2)
    assert quiet["path_verdict"] in ("no clear shock", "cannot tell")
    assert not quiet["shock_clear"]
    planted = -0.2 * (50 + 0.5 * 15)
    assert hit["gap_shock_low"] <= planted <= hit["gap_shock_high"]
    assert hit["path_verdict"] == "not yet"
    assert hit["placebos"] >= 5
    assert hit["placebo_rank"] == 1
    assert quiet["placebo_rank"] > 1


def test_2_2_a_planted_disagreement_of_30_percent_has_a_reason_slot(made_up):
    table = made_up.compared["republica-exemplo"]
    row = table[table["indicator"] == "12.5.1"].iloc[0]
    assert row["verdict"] == comparison.DISAGREE
    assert row["relative_difference"] == pytest.approx(0.30, abs=0.03)
    assert row["likely_reason"]
    asked = comparison.questions(table, table["series"], "Pôrto Exemplo", "República Exemplo")
    assert any("differ on level by 3" in text for text in asked["question"])
    assert (asked["why"] != "").all()


def test_2_3_series_that_are_context_only_never_share_an_axis(los_angeles):
    city, table = los_angeles.city, los_angeles.compared["united-states"]
    context = table[table["comparability"] == "context"]
    assert "unemployment rate, county, not seasonally adjusted" in set(context["series"])
    drawn = figures_places.apart(table, city.definitions, city.name, "United States").data
    assert not set(drawn["comparability"]) - {"same", "near"}
    assert not drawn.merge(context[["indicator", "series", "unit"]]).shape[0]
    nation = city.around[city.around["area"] == "united-states"]
    beside = figures_places.side_by_side(city.observations, nation, table, city.definitions, "LA", "US")
    panels = beside.html.count("<img")
    assert panels == 1
    assert set(beside.data["area"]) == {"los-angeles", "united-states"}


def test_2_3_every_number_has_a_class_of_source_and_the_grid_has_twenty_cells(made_up):
    from vlr_analysis import readiness

    assert len(readiness.coverage_by_umf(made_up.city.observations, made_up.city.definitions)) == 20
    for area in ("bristol", "los-angeles", "porto-exemplo"):
        graded = Results(load_city(area, ROOT)).grades
        assert set(graded["source_class"]) <= set(kit.SOURCE_CLASSES)


def test_2_4_what_changed_is_known_by_its_id(made_up):
    """One value changed: the findings that rest on it change their id and keep their subject; the rest keep both."""
    from vlr_analysis import statements_places

    city = made_up.city
    nation = city.around[city.around["area"] == "republica-exemplo"]

    def told(own):
        table = comparison.comparison_table(own, nation, city.definitions, city.pairs)
        found = statements_places.comparison_findings(table, city.definitions, city.areas, made_up.grades)
        return {item.subject: item for item in found}

    before, table = told(city.observations), city.observations.copy()
    at = (table["indicator"] == "12.5.1") & (table["period"] == "2024")
    assert at.sum() == 1
    table.loc[at, "value"] += 1
    after = told(table)
    assert set(before) == set(after)
    changed = [item.indicator for subject, item in before.items() if item.id != after[subject].id]
    assert changed == ["12.5.1"]
    assert findings.evidence_rows(after[next(iter(after))], table).shape[0] > 0
