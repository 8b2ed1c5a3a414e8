"""The report as an RO-Crate: what the specification asks of it, and the same bytes twice."""

import json
import shutil
import sys
from pathlib import Path

import pytest
from test_certificate import CITY, edit, held, made_up_report, reseal

from vlr_analysis.errors import InputError
from vlr_analysis.review import crate

ROCRATE = pytest.importorskip("rocrate.rocrate", reason="the extra `crate` is not installed")


@pytest.fixture
def report(tmp_path):
    return Path(shutil.copytree(made_up_report(), tmp_path / CITY))


@pytest.fixture
def graph(report, tmp_path):
    """Return the entities of a crate by their id."""
    (folder,) = crate.write(report, tmp_path / "crate")
    found = json.loads((folder / "ro-crate-metadata.json").read_text(encoding="utf-8"))
    assert found["@context"] == "https://w3id.org/ro/crate/1.1/context"
    assert len({item["@id"] for item in found["@graph"]}) == len(found["@graph"])
    return {item["@id"]: item for item in found["@graph"]}


def ids(value):
    return [item["@id"] for item in (value if isinstance(value, list) else [value])]


def test_the_descriptor_and_the_root_have_what_the_specification_requires(graph):
    descriptor, root = graph["ro-crate-metadata.json"], graph["./"]
    assert (descriptor["@type"], descriptor["about"]) == ("CreativeWork", {"@id": "./"})
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset"
    assert root["name"] == "Pôrto Exemplo: voluntary local review"
    assert root["description"].startswith("This city does not exist")
    assert root["datePublished"] == "2024-12-31"
    assert "end of the newest figures (2024)" in root["description"]
    assert ids(root["license"]) == ["https://spdx.org/licenses/CC0-1.0"]
    assert graph[ids(graph[ids(root["publisher"])[0]]["contactPoint"])[0]]["name"].startswith("statistics office")


def test_every_reference_leads_somewhere_and_every_file_is_a_part(graph, report, tmp_path):
    for item in graph.values():
        for value in item.values():
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict) and not one["@id"].startswith("https://w3id.org/ro/crate/"):
                    assert one["@id"] in graph, item["@id"]
    parts = set(ids(graph["./"]["hasPart"]))
    written = {
        path.relative_to(tmp_path / "crate").as_posix() for path in (tmp_path / "crate").rglob("*") if path.is_file()
    }
    assert written == parts | {"ro-crate-metadata.json"}
    assert parts == set(held(report)["files"]) | {"certificate.json"}
    for name in parts:
        assert graph[name]["@type"] == "File"
        assert graph[name]["contentSize"] == str((report / name).stat().st_size)
        assert "encodingFormat" in graph[name], name


def test_each_notebook_is_a_process_with_inputs_instruments_and_results(graph):
    actions = [graph[name] for name in ids(graph["./"]["mentions"])]
    assert {item["@type"] for item in actions} == {"CreateAction"}
    run = graph["#run-02-trends"]
    assert ids(run["instrument"]) == ["#notebook-02-trends", "#vlr-analysis"]
    assert "#input-data-republica-exemplo-csv" in ids(run["object"])
    assert "handover/feed/package/observations.csv" in ids(run["object"])
    assert {"02_trends.ipynb", "02_trends.html", "tables/02_trends_trends.csv"} <= set(ids(run["result"]))
    results = [name for item in actions for name in ids(item["result"])]
    assert len(results) == len(set(results))


def test_another_program_reads_it(graph, tmp_path):
    read = ROCRATE.ROCrate(tmp_path / "crate")
    assert read.root_dataset["name"] == graph["./"]["name"]
    assert len(read.get_entities()) == len(graph)


def test_the_same_report_gives_the_same_bytes(report, tmp_path):
    for name in ("one", "two", "two"):  # the second one also over an older crate
        crate.write(report, tmp_path / name)
    files = [path for path in (tmp_path / "one").rglob("*") if path.is_file()]
    assert [
        path
        for path in files
        if path.read_bytes() != (tmp_path / "two" / path.relative_to(tmp_path / "one")).read_bytes()
    ] == []


def test_the_date_of_publication_may_be_given(report, tmp_path):
    crate.write(report, tmp_path / "crate", published="2026-03-31")
    root = json.loads((tmp_path / "crate" / "ro-crate-metadata.json").read_text(encoding="utf-8"))["@graph"][0]
    assert root["datePublished"] == "2026-03-31"
    assert "not known" not in root["description"]
    with pytest.raises(InputError, match="year-month-day"):
        crate.write(report, tmp_path / "crate", published="March 2026")


def test_what_is_changed_internal_or_in_the_way_is_refused(report, tmp_path):
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="something that is no crate"):
        crate.write(report, tmp_path / "mine")
    reseal(report, internal=True)
    with pytest.raises(InputError, match="an internal report"):
        crate.write(report, tmp_path / "crate")
    reseal(report, internal=False)
    edit(report / "index.html", "Pôrto", "Porto")
    with pytest.raises(InputError, match=r"index\.html"):
        crate.write(report, tmp_path / "crate")
    assert not (tmp_path / "crate").exists()


def test_without_the_extra_the_message_names_it(report, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "rocrate", None)
    with pytest.raises(InputError, match=r'pip install "vlr-analysis\[crate\]"'):
        crate.write(report, tmp_path / "crate")
