"""What a city shows: its own small numbers, its peers', groups under other indicators, rates, and what is public."""

import hashlib

import numpy as np
import pandas as pd
import pytest
import yaml

from vlr_analysis import disclosure
from vlr_analysis.cities import load_city
from vlr_analysis.observations import COLUMNS, check
from vlr_analysis.results import Results
from vlr_analysis.review.provenance import files_of, provenance
from vlr_analysis.sources import kit


def rows(area, indicator, values, breakdown="", unit="people", series="m"):
    return [
        {"area": area, "indicator": indicator, "series": series, "unit": unit, "period": str(period),
         "breakdown": breakdown, "value": float(value), "low": np.nan, "high": np.nan, "status": "value", "source": "s"}
        for period, value in values.items()
    ]  # fmt: skip


@pytest.fixture
def town(tmp_path):
    """Make a kit of small cities: {area: rows}; returns a function that loads one."""
    for name in ("params", "data"):
        (tmp_path / name).mkdir()
    (tmp_path / "data" / "sources.csv").write_text(
        "source,publisher,title,source_class,licence\ns,Office,Figures,official,CC0\n", encoding="utf-8"
    )

    def make(tables, indicators="", **parameters):
        if indicators:
            (tmp_path / "data" / "indicators.csv").write_text(indicators, encoding="utf-8")
        for area, held in tables.items():
            kit.write_table(pd.DataFrame(held)[list(COLUMNS)], tmp_path / "data" / f"{area}.csv")
            content = {"id": area, "name": area.title(), "country": "GBR"} | (parameters if area == "a" else {})
            (tmp_path / "params" / f"{area}.yaml").write_text(yaml.safe_dump({"city": content}), encoding="utf-8")
        return lambda area, **more: load_city({"id": area, "name": area, "country": "GBR"} | more, tmp_path)

    return make


def shown(table, breakdown):
    return table.loc[table["breakdown"] == breakdown, "value"].iloc[0]


YEAR = {2020: 3}


def test_a_peers_small_numbers_are_hidden_as_in_its_own_review(town):
    district = [
        *rows("a", "x.1", {2020: 40}),
        *rows("a", "x.1", YEAR, "district=x"),
        *rows("a", "x.1", {2020: 37}, "district=y"),
    ]
    load = town({"a": district, "b": rows("b", "x.1", {2020: 90})})
    assert np.isnan(shown(load("a").observations, "district=x"))
    around = load("b", peers=["a"]).around
    assert around.loc[around["breakdown"] != "", "value"].isna().all()
    assert shown(around, "") == 40


def test_groups_published_as_indicators_of_their_own_do_not_give_each_other_away(town):
    register = "indicator,series,unit,label,group_of\nx.1,m,people,All,\nx.2,m,people,Women,x.1\nx.3,m,people,Men,x.1\n"
    held = (
        rows("a", "x.1", {2020: 13}) + rows("a", "x.2", YEAR, "sex=female") + rows("a", "x.3", {2020: 10}, "sex=male")
    )
    city = town({"a": held}, register)("a")
    table = city.observations.set_index("indicator")
    assert np.isnan(table.loc["x.2", "value"])
    assert np.isnan(table.loc["x.3", "value"]), "13 - 10 would give the 3 away"
    assert len(city.hidden) == 2


def test_a_rate_that_stands_for_three_people_is_hidden():
    table = check(pd.DataFrame(rows("a", "x.1", {2020: 150.0}, unit="cases per 100,000")))
    people = pd.DataFrame([{"area": "a", "breakdown": "", "period": "2020", "value": 2000.0}])
    public, log = disclosure.protect(table, populations=people)
    assert public["status"].tolist() == ["suppressed"]
    assert log["reason"].tolist() == ["a rate that stands for fewer than 5 people"]


def test_the_hash_of_a_file_with_hidden_numbers_is_of_what_is_shown(town):
    held = rows("a", "x.1", {2019: 30, 2020: 3, 2021: 33})
    city = town({"a": held})("a")
    listed = provenance(city, Results(city).findings)
    told = files_of(city, listed.assign(file="data/a.csv", area="a").head(1) if len(listed) else _one_row())
    raw = hashlib.sha256((city.root / "data" / "a.csv").read_bytes()).hexdigest()
    assert told["hash_of"].tolist() == ["the figures that are shown"]
    assert raw not in told["sha256"].tolist()
    assert "bytes" not in told


def _one_row():
    return pd.DataFrame([{"file": "data/a.csv", "area": "a"}])


def test_what_is_public_is_not_hidden_and_the_rest_is_hidden_with_it_in_mind(town):
    held = rows("a", "x.1", {2020: 3}) + rows("a", "x.2", {2020: 4})
    load = town({"a": held})
    city = load("a", indicators=[{"indicator": "x.1", "published": True}])
    table = city.observations.set_index("indicator")["value"]
    assert table["x.1"] == 3
    assert np.isnan(table["x.2"])
    assert city.hidden["indicator"].tolist() == ["x.2"]


def test_a_series_with_groups_and_no_total_is_graded_by_its_weakest_group(town):
    years = {year: 40 + year % 3 for year in range(2010, 2024)}
    held = rows("a", "x.1", years, "sex=female", "%") + rows(
        "a", "x.1", {y: v + 5 for y, v in years.items()}, "sex=male", "%"
    )
    found = Results(town({"a": held})("a")).findings
    gaps = [item for item in found if item.kind == "disparity"]
    assert len(gaps) == 1
    assert gaps[0].grade in "BC"


def test_a_city_whose_goals_have_no_figures_is_told_so(town):
    city = town({"a": rows("a", "x.1", {2020: 30})})("a", goals=[13], priority_targets=["13.1"])
    review = Results(city)
    assert review.findings == []
    assert review.priorities["state"].tolist() == ["gap: no figures"]
