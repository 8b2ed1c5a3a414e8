"""The Frictionless data package of a hand-over: the kit's own tables, described so that any tool can check them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import yaml

from vlr_analysis.cell_text import inert_table
from vlr_analysis.cities import City, labels_of
from vlr_analysis.exhibits import slug
from vlr_analysis.findings import Finding, as_table
from vlr_analysis.observations import COLUMNS, KEY, NUMBERS, STATUSES
from vlr_analysis.params import DATA
from vlr_analysis.sources import kit, voices

DESCRIPTOR, PARAMETERS = "datapackage.json", "parameters.yaml"
ABOUT = {
    "area": "slug of a city or nation", "indicator": "SDG indicator code, or a local code with a prefix",
    "series": "which measure of the indicator", "unit": "unit of the value",
    "period": "ISO 8601 year, quarter, month, week, day or interval",
    "breakdown": "dimension=category pairs joined by a semicolon; empty for the total",
    "value": "empty exactly where status says so", "low": "lower end of the source's own 95 % interval",
    "high": "upper end of the source's own 95 % interval", "status": "observation status",
    "source": "id in sources.csv",
}  # fmt: skip
REGISTERS = {"sources": ["source"], "areas": ["area"], "indicators": ["indicator", "series", "unit"]}


def package_files(city: City, findings: Sequence[Finding]) -> dict[str, bytes]:
    """Return the package of a city as bytes by name.

    Parameters
    ----------
    city : City
    findings : sequence of Finding

    Returns
    -------
    dict
        `observations.csv` (the city), `comparators.csv` (nation and peers, where there are any), the rows of the
        registers that they name (`sources.csv`, `areas.csv`, `indicators.csv`), `findings.csv`, `voices.csv` where
        there is a register of evidence, `parameters.yaml`, `datapackage.json`.
    """
    tables = {"observations": city.observations}
    if len(city.around):
        tables["comparators"] = city.around
    tables |= registers(city)
    tables["findings"] = as_table(findings)
    if len(city.voices):
        tables["voices"] = as_register(city.voices)
    files = {f"{name}.csv": csv_bytes(table) for name, table in tables.items()}
    files[PARAMETERS] = parameters_yaml(city)
    resources = [_resource(name, files[f"{name}.csv"], tables[name]) for name in tables]
    resources.append(_file("parameters", PARAMETERS, files[PARAMETERS], "application/yaml"))
    files[DESCRIPTOR] = (json.dumps(_descriptor(city, resources, tables["sources"]), ensure_ascii=False, indent=1)
                         + "\n").encode("utf-8")  # fmt: skip
    return files


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV: UTF-8, commas, as many digits as a number needs, nothing where there is none."""
    return inert_table(table).to_csv(index=False, lineterminator="\n").encode("utf-8")


def as_register(register: pd.DataFrame) -> pd.DataFrame:
    """Return a register of evidence as its file holds it: whole numbers as text, ``*`` where one is hidden."""
    out = register[list(voices.COLUMNS)].astype(object)
    for name in voices.NUMBERS:
        out[name] = [f"{value:.0f}" if value == value else "" for value in register[name]]
        if f"{name}_status" in register:
            out[name] = out[name].where(register[f"{name}_status"] != "suppressed", "*")
    return out


def registers(city: City) -> dict[str, pd.DataFrame]:
    """Return the rows of sources, areas and indicators that the city's and its comparators' figures name."""
    table = pd.concat([city.observations, city.around], ignore_index=True)
    named = {name for ids in {*table["source"], *city.voices["source"]} for name in ids.split(";")}
    sources = city.all_sources[city.all_sources["source"].isin(named)]
    areas = pd.DataFrame({"area": list(city.areas), "name": list(city.areas.values())})
    areas = areas.merge(_read(city, "areas")[["area", "country"]], on="area", how="left")
    areas.loc[areas["area"] == city.id, "country"] = city.country
    keys = table[REGISTERS["indicators"]].drop_duplicates()
    listed = labels_of(city).merge(keys, on=REGISTERS["indicators"])
    return {"sources": sources, "areas": areas.fillna({"country": city.country}), "indicators": listed}


def _read(city: City, name: str) -> pd.DataFrame:
    path = city.root / DATA / f"{name}.csv"
    columns = {"areas": kit.AREA_COLUMNS, "indicators": kit.INDICATOR_COLUMNS}[name]
    read = {"areas": kit.read_areas, "indicators": kit.read_indicators}[name]
    return read(path) if path.is_file() else pd.DataFrame(columns=list(columns), dtype=str)


def parameters_yaml(city: City) -> bytes:
    """Return the city's parameters as YAML, without the paths of files on the sender's machine."""
    kept = city.parameters.model_dump(mode="json", exclude_unset=True, exclude={"data", "voices", "previous_release"})
    return yaml.safe_dump({"city": kept}, allow_unicode=True, sort_keys=False, width=120).encode("utf-8")


# --- the descriptor ------------------------------------------------------------------------------


def _file(name: str, path: str, content: bytes, mediatype: str) -> dict:
    digest = hashlib.sha256(content).hexdigest()
    format_ = Path(path).suffix.removeprefix(".")
    return {"name": name, "path": path, "type": "file", "scheme": "file", "format": format_, "mediatype": mediatype,
            "encoding": "utf-8", "bytes": len(content), "hash": f"sha256:{digest}"}  # fmt: skip


def _resource(name: str, content: bytes, table: pd.DataFrame) -> dict:
    observed = tuple(table.columns) == COLUMNS
    fields = [_field(column, table[column], observed) for column in table.columns]
    schema: dict = {"fields": fields, "missingValues": [""]}
    if observed:
        schema["primaryKey"] = list(KEY)
        schema["foreignKeys"] = [
            {"fields": ["source"], "reference": {"resource": "sources", "fields": ["source"]}},
            {"fields": ["area"], "reference": {"resource": "areas", "fields": ["area"]}},
        ]
    elif name in REGISTERS:
        schema["primaryKey"] = REGISTERS[name]
    elif name == "findings":
        schema["primaryKey"] = ["id"]
    return _file(name, f"{name}.csv", content, "text/csv") | {"type": "table", "schema": schema}


def _field(name: str, column: pd.Series, observed: bool) -> dict:
    if not observed:
        return {"name": name, "type": "string"}
    field: dict = {"name": name, "type": "number" if name in NUMBERS else "string", "description": ABOUT[name]}
    if name not in (*NUMBERS, "breakdown"):
        field["constraints"] = {"required": True}
    if name == "status":
        field["constraints"]["enum"] = list(STATUSES)
    return field


def _descriptor(city: City, resources: list[dict], sources: pd.DataFrame) -> dict:
    contributor = {"title": city.name, "role": "publisher"}
    if "@" in city.contact and " " not in city.contact:
        contributor["email"] = city.contact
    named = [
        {"title": f"{row.publisher}: {row.title} ({row.licence})"} | ({"path": row.url} if row.url else {})
        for row in sources.itertuples()
    ]
    note = "This city does not exist; its figures serve to teach. " if city.made_up else ""
    terms = list(dict.fromkeys([*([city.licence] if city.licence else []), *sources["licence"]]))
    found = {
        "name": f"{city.id}-local-review",
        "title": f"{city.name}: figures and findings of the local review",
        "description": f"{note}Indicators for the national review (VNR). Contact: {city.contact or 'not stated'}.",
        "licenses": [{"name": slug(text) or "stated-in-title", "title": text} for text in terms],
        "contributors": [contributor],
        "sources": named,
        "resources": resources,
    }
    return {key: value for key, value in found.items() if value}
