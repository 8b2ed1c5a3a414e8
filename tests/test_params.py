"""params.py and cities.py: one file per city, checked before anything runs."""

import re
from pathlib import Path

import pytest
import yaml

from vlr_analysis.cities import load_cities, load_city
from vlr_analysis.errors import InputError
from vlr_analysis.params import city_ids, read_parameters
from vlr_analysis.project import find_root

ROOT = Path(__file__).resolve().parents[1]


def problems(project, text=None, **changes) -> str:
    path = project / "params" / "porto-exemplo.yaml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    else:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        content["city"] |= changes
        path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_cities(["porto-exemplo"], project)
    return str(caught.value)


@pytest.mark.parametrize("name", city_ids(ROOT))
def test_shipped_cities_load_and_fit_on_a_page(name):
    city = load_city(name, ROOT)
    assert city.id == name
    assert len(city.definitions) >= 1
    assert len((ROOT / "params" / f"{name}.yaml").read_text(encoding="utf-8").splitlines()) <= 60
    assert set(city.observations["source"]) == set(city.sources["source"])


def test_a_name_and_the_mapping_of_the_file_give_the_same_city():
    mapping = yaml.safe_load((ROOT / "params" / "bristol.yaml").read_text(encoding="utf-8"))
    assert read_parameters(mapping["city"], ROOT) == read_parameters("bristol", ROOT) == read_parameters(mapping, ROOT)


def test_unknown_keys_at_every_level_say_did_you_mean(project):
    text = problems(
        project, horizn=2030, covid={"shok": "2020-03"}, indicators=[{"indicator": "1.2.1", "directon": "x"}]
    )
    assert "key horizn: found unknown key 'horizn'" in text
    assert "did you mean 'horizon'?" in text
    assert "did you mean 'shock'?" in text
    assert "did you mean 'direction'?" in text
    assert "3 problems" in text


def test_wrong_types_and_values_are_all_named(project):
    text = problems(project, country="Portugal", goals=[0, 3], baseline_year="long ago", covid={"shock": "spring"})
    for key in ("country", "goals", "baseline_year", "covid.shock"):
        assert f"key {key}" in text


def test_dates_that_contradict_and_areas_that_are_not_there(project):
    text = problems(
        project, horizon=2016, baseline_year=2020, nation="republica-exempl", covid={"recovery_from": "2019-01"}
    )
    assert "a year after baseline_year" in text
    assert "did you mean 'republica-exemplo'?" in text
    assert "a period after the shock" in text


def test_a_choice_that_fits_no_series(project):
    assert "did you mean '1.2.1'?" in problems(project, indicators=[{"indicator": "1.2.11"}])


def test_a_series_chosen_twice(project):
    assert "the same series as entry 1" in problems(
        project, indicators=[{"indicator": "1.2.1"}, {"indicator": "1.2.1"}]
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("city:\n  id: a\n  id: b\n", "stands twice"),
        ("city: [unclosed\n", "line 2"),
        ("id: porto-exemplo\n", "one top-level key `city`"),
        ("", "one top-level key `city`"),
    ],
)
def test_files_that_are_no_yaml_of_ours(project, text, told):
    assert told in problems(project, text)


@pytest.mark.parametrize(
    ("key", "line", "fix"),
    [
        ("horizon", "horizon: soon", "write a whole number"),
        ("data", "data: [a.csv, b.csv]", "write one text"),
        ("peers", "peers: leeds", "write a list"),
        ("covid", "covid: 2020", "write keys below it"),
    ],
)
def test_a_value_of_another_kind_is_told_in_words(project, key, line, fix):
    text = (project / "params" / "porto-exemplo.yaml").read_text(encoding="utf-8")
    kept = re.sub(rf"^  {key}:.*\n(   .*\n)*", "", text, flags=re.M)
    told = problems(project, kept.rstrip() + f"\n  {line}\n")
    assert f"Fix: {fix}" in told and "Input should" not in told and "valid" not in told


def test_a_wrong_encoding_names_the_byte(project):
    path = project / "params" / "porto-exemplo.yaml"
    path.write_bytes("city:\n  name: Pôrto\n".encode("cp1252"))
    with pytest.raises(InputError, match="not UTF-8"):
        load_city("porto-exemplo", project)


def test_a_number_for_a_name_is_explained():
    with pytest.raises(InputError, match="in quotation marks"):
        load_city(7, ROOT)


def test_root_is_found_from_below_and_missed_with_a_reason(project, tmp_path):
    assert find_root(project / "notebooks") == project
    with pytest.raises(InputError, match="change to the folder"):
        find_root(tmp_path.parent)


def test_direction_comes_from_city_then_table_then_catalogue():
    city = load_city("los-angeles", ROOT)
    known = city.definitions.set_index(["indicator", "series"])
    assert known.loc[("8.5.2", "private employment level"), "direction"] == "increase"
    assert known.loc[("8.5.2", "unemployment rate, annual"), "direction"] == "decrease"
    assert known.loc[("1.3.1", "CalFresh enrolment"), "direction"] == ""


def test_parameters_win_and_targets_are_kept(project):
    path = project / "params" / "porto-exemplo.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["city"]["indicators"] = [{"indicator": "1.2.1", "direction": "increase", "target": 12, "target_year": 2030,
                                      "priority": True}]  # fmt: skip
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    row = load_city("porto-exemplo", project).definitions.set_index("indicator").loc["1.2.1"]
    assert (row["direction"], row["direction_source"], row["target"]) == ("increase", "city parameters", 12)
    assert row["target_year"] == 2030
    assert row["priority"]


def test_goals_chosen_leave_the_others_out(project):
    mapping = yaml.safe_load((project / "params" / "porto-exemplo.yaml").read_text(encoding="utf-8"))["city"]
    city = load_city(mapping | {"goals": [8]}, project)
    assert set(city.definitions["goal"]) == {8}


def test_the_nation_under_the_citys_own_series():
    city = load_city("los-angeles", ROOT)
    table = city.as_own("united-states")
    assert (table["series"] == "unemployment rate, county, not seasonally adjusted").any()
    assert not (table["series"] == "road traffic deaths, city").any(), "a blocked pair is not compared"


def test_a_city_is_frozen():
    with pytest.raises(Exception, match="frozen"):
        load_city("bristol", ROOT).parameters.horizon = 2050


def test_a_counterpart_that_the_nation_does_not_have_is_refused_with_those_it_has(project):
    path = project / "params" / "porto-exemplo.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    pair = {"series": "poverty", "unit": "percent", "comparability": "same"}
    content["city"]["indicators"][0]["national"] = pair
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_cities(["porto-exemplo"], project)
    assert "found 1.2.1 / poverty / percent; expected a series of the nation" in str(error.value)
    assert "choose series 'population below the national poverty line' with unit '%'" in str(error.value)


def test_a_target_without_a_year_and_an_unknown_target_are_refused(project):
    path = project / "params" / "porto-exemplo.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    del content["city"]["indicators"][0]["target_year"]
    content["city"]["priority_targets"] = ["11.22"]
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    with pytest.raises(InputError) as error:
        load_city("porto-exemplo", project)
    assert "found a target without a year" in str(error.value)
    assert "add target_year, such as 2030" in str(error.value)
    assert "did you mean '11.2'?" in str(error.value)


def test_codes_that_yaml_reads_as_numbers_are_refused(project):
    path = project / "params" / "porto-exemplo.yaml"
    text = path.read_text(encoding="utf-8").replace('["1.2", "11.2", "11.6", "13.1"]', "[3.10]")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="quotation marks"):
        load_city("porto-exemplo", project)


def test_a_source_that_nobody_describes_and_a_population_that_is_not_there(project):
    data, params = project / "data" / "porto-exemplo.csv", project / "params" / "porto-exemplo.yaml"
    data.write_text(data.read_text(encoding="utf-8").replace(",made-up\n", ",unknown\n", 1), encoding="utf-8")
    params.write_text(
        params.read_text(encoding="utf-8").replace("population: pe.7", "population: pe.77"), encoding="utf-8"
    )
    with pytest.raises(InputError) as error:
        load_cities(["porto-exemplo"], project)
    assert "'unknown'; expected an id in data/sources.csv" in str(error.value)
    assert "key population: found 'pe.77'" in str(error.value)
