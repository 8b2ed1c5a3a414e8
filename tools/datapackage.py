"""Write data/datapackage.json: what lies in data/, with types, keys, sizes and hashes. Run by `make data`."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import pandas as pd

from vlr_analysis.observations import KEY, STATUSES
from vlr_analysis.sources.kit import read_sources, write_whole

ABOUT = {
    "area": "slug of a city or nation",
    "indicator": "SDG indicator code, or a local code with a prefix",
    "series": "which measure of the indicator",
    "unit": "unit of the value",
    "period": "ISO 8601 year, quarter, month, week, day or interval",
    "breakdown": "dimension=category pairs joined by a semicolon; empty for the total",
    "value": "empty exactly where status says so",
    "low": "lower end of the source's own 95 % interval",
    "high": "upper end of the source's own 95 % interval",
    "status": "observation status",
    "source": "id in sources.csv",
}
NUMBERS = ("value", "low", "high")


def observation_fields() -> list[dict]:
    """Return the fields of the one table."""
    fields = []
    for name, about in ABOUT.items():
        field = {"name": name, "type": "number" if name in NUMBERS else "string", "description": about}
        if name not in (*NUMBERS, "breakdown"):
            field["constraints"] = {"required": True}
        if name == "status":
            field["constraints"]["enum"] = list(STATUSES)
        fields.append(field)
    return fields


def resource(path: Path, folder: Path) -> dict:
    """Describe one CSV file."""
    content = path.read_bytes()
    columns = list(pd.read_csv(path, nrows=0).columns)
    fields = observation_fields() if columns == list(ABOUT) else [{"name": name, "type": "string"} for name in columns]
    schema = {"fields": fields, "missingValues": [""]}
    if columns == list(ABOUT):
        schema["primaryKey"] = list(KEY)
    name = path.relative_to(folder).with_suffix("").as_posix().replace("/", "-")
    return {
        "name": name,
        "path": path.relative_to(folder).as_posix(),
        "type": "table",
        "scheme": "file",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
        "schema": schema,
    }


def package(folder: Path) -> dict:
    """Describe everything in `folder`."""
    sources = read_sources(folder / "sources.csv")
    named = (sources["publisher"] + ": " + sources["title"] + " (" + sources["licence"] + ")").tolist()
    paths = [row["url"] for row in sources.to_dict("records")]
    return {
        "name": "vlr-analysis-kit-figures",
        "title": "Figures that ship with the VLR Analysis Kit",
        "description": "Indicators of cities with voluntary local reviews, of peers and nations, and of a made-up one.",
        "sources": [
            {"title": title} | ({"path": path} if path else {}) for title, path in zip(named, paths, strict=True)
        ],
        "resources": [resource(path, folder) for path in sorted(folder.rglob("*.csv"))],
    }


def main(folder: Path) -> None:
    """Write the descriptor into `folder`."""
    text = json.dumps(package(folder), ensure_ascii=False, indent=1) + "\n"
    write_whole(folder / "datapackage.json", text.encode("utf-8"))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "data")
