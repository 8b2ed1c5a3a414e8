"""Measure the import of a large table and the cost of one city in a large store. Run by `make bench`.

Prints ratios and memory and writes them to docs/methods/benchmark-store.csv; seconds would only tell of the machine.
"""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from vlr_analysis.observations import COLUMNS, NUMBERS, check

OUT = Path(__file__).resolve().parents[1] / "docs" / "methods" / "benchmark-store.csv"
AREAS, ROWS = 1_000, 10_000_000
FIRST, YEARS = 2000, 25
SEXES, AGES = ("sex=female", "sex=male"), ("age=0-14", "age=15-64", "age=65-")
GROUPS = ["", *SEXES, *(f"{age};{sex}" for age in AGES for sex in SEXES), "place=centre"]
STORES = (10, 100, 1_000)
CITY_ROWS = 1_000
PEERS = 5
REPEATS = 31
GIB = 2**30
ARGUMENT = "--part"  # a part of the benchmark, in a process of its own: memory is measured by the process


# --- made-up tables ------------------------------------------------------------------------------


def made(rng: np.random.Generator, areas: list[str], keys: int, year: int) -> pa.Table:
    """Return one year of every area, areas mixed: series with groups, intervals, missing figures."""
    area, key = (grid.ravel() for grid in np.meshgrid(np.arange(len(areas)), np.arange(keys)))
    series, group = np.divmod(key, len(GROUPS))
    missing = rng.random(len(key)) < 0.03
    value = np.round(rng.gamma(4, 10, len(key)), 4)
    half = np.round(rng.random(len(key)), 4)
    columns = {
        "area": pa.array(areas).take(pa.array(area)),
        "indicator": pa.array([f"{i % 17 + 1}.{i % 5 + 1}.{i % 3 + 1}" for i in range(keys)]).take(pa.array(series)),
        "series": pa.array([f"Measure {i}, all residents" for i in range(keys)]).take(pa.array(series)),
        "unit": pa.array(["%", "per 100,000"]).take(pa.array(series % 2)),
        "period": pa.array([str(year)] * len(key)),
        "breakdown": pa.array(GROUPS).take(pa.array(group)),
        "value": pa.array(value, mask=missing),
        "low": pa.array(value - half, mask=missing),
        "high": pa.array(value + half, mask=missing),
        "status": pa.array(["value", "estimated", "missing"]).take(pa.array(np.where(missing, 2, group % 2))),
        "source": pa.array(["register"] * len(key)),
    }
    return pa.table(columns).select(COLUMNS)


def write_large(path: Path, rows: int) -> None:
    """Write a table of about `rows` rows and `AREAS` areas, sorted by year: each area lies all over the file."""
    rng = np.random.default_rng(2030)
    areas = [f"town-{number:04d}" for number in range(AREAS)]
    writer = None
    for year in range(FIRST, FIRST + YEARS):
        table = made(rng, areas, rows // AREAS // YEARS, year)
        if writer is None:
            kind = pa.csv.CSVWriter if path.suffix == ".csv" else pq.ParquetWriter
            writer = kind(str(path), table.schema)
        writer.write_table(table)
    writer.close()


def write_store(root: Path, cities: int) -> None:
    """Write a project with so many cities of equal size, each beside a nation and five peers."""
    rng = np.random.default_rng(2030)
    for folder in ("params", "data"):
        (root / folder).mkdir(parents=True)
    names = [f"town-{number:04d}" for number in range(cities)]
    years = [made(rng, ["x"], CITY_ROWS // YEARS, year) for year in range(FIRST, FIRST + YEARS)]
    table = check(pa.concat_tables(years).to_pandas())
    for number, name in enumerate([*names, "nation"]):
        table.assign(area=name).to_parquet(root / "data" / f"{name}.parquet", index=False)
        peers = ", ".join(names[(number + step) % cities] for step in range(1, PEERS + 1))
        text = f"city:\n  id: {name}\n  name: {name}\n  country: GBR\n  nation: nation\n  peers: [{peers}]\n"
        if name != "nation":
            (root / "params" / f"{name}.yaml").write_text(text, encoding="utf-8")
    listed = pd.DataFrame({"area": [*names, "nation"], "name": [*names, "Nation"], "country": "GBR"})
    listed.to_csv(root / "data" / "areas.csv", index=False)
    key = table[["indicator", "series", "unit"]].drop_duplicates()
    key.assign(label=key["series"], direction="increase").to_csv(root / "data" / "indicators.csv", index=False)
    (root / "data" / "sources.csv").write_text("source,publisher,title,licence\nregister,P,T,L\n", encoding="utf-8")


# --- what is measured -----------------------------------------------------------------------------


def one_city(root: Path) -> None:
    """Do what a run does before it shows a city: find it, name the areas, load it with its nation and its peers."""
    from vlr_analysis.cities import area_names, load_cities
    from vlr_analysis.params import city_ids

    wanted = city_ids(root)[3]
    area_names(root)
    load_cities([wanted], root)


def cities(folder: Path) -> dict[str, float]:
    """Return the processor time of one city beside that in the smallest store: in turn, median of the ratios."""
    for count in STORES:
        write_store(folder / str(count), count)
        one_city(folder / str(count))
    rounds = [[_seconds(folder / str(count)) for count in STORES] for _ in range(REPEATS)]
    ratios = np.median([np.divide(taken, taken[0]) for taken in rounds], axis=0)
    return dict(zip(map(str, STORES), ratios.tolist(), strict=True))


def _seconds(root: Path) -> float:
    gc.collect()  # the rubbish of one store is not counted for the next
    begin = time.process_time()
    one_city(root)
    return time.process_time() - begin


def ours(source: Path) -> int:
    """Import as the kit does; return how many rows are in the store."""
    from vlr_analysis.sources.store import import_store

    report = import_store(source, source.parent / f"store-{source.suffix[1:]}")
    return sum(area.rows for area in report.areas) if report.whole else 0


def plain(source: Path) -> int:
    """Read the whole table with pandas and check it at once; return how many rows it has."""
    if source.suffix == ".parquet":
        return len(check(pd.read_parquet(source)))
    texts = {name: str for name in COLUMNS if name not in NUMBERS}
    return len(
        check(pd.read_csv(source, dtype=texts, keep_default_na=False, na_values={name: [""] for name in NUMBERS}))
    )


def part(name: str, path: Path, rows: int) -> dict[str, float]:
    """Do one part of the benchmark in this process; return what it found, with time and peak of memory."""
    import resource

    begin = time.process_time()
    done = {"write": lambda: write_large(path, rows), "ours": lambda: ours(path), "plain": lambda: plain(path),
            "cities": lambda: cities(path)}[name]()  # fmt: skip
    seconds = time.process_time() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return {"done": done, "seconds": seconds, "peak": peak}


def apart(name: str, path: Path, rows: int = 0) -> dict[str, float]:
    """Do one part in a process of its own."""
    command = [sys.executable, __file__, ARGUMENT, name, str(path), str(rows)]
    found = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout)
    sys.stderr.write(f"{name} {path.name}: {found['seconds']:.1f} s of processor, {found['peak'] / GIB:.2f} GiB\n")
    return found


def main(rows: int = ROWS) -> int:
    """Measure, print, write; 1 if a bar is missed."""
    told = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for suffix in (".csv", ".parquet"):
            path = folder / f"large{suffix}"
            apart("write", path, rows)
            mine, other = apart("ours", path), apart("plain", path)
            what, same = f"import of {rows} rows of {suffix[1:]}", mine["done"] == other["done"] == rows
            told.append((what, "peak of memory, GiB", mine["peak"] / GIB, 4, same and mine["peak"] / GIB < 4))
            ratio = mine["peak"] / other["peak"]
            told.append((what, "memory beside that of the whole table at once", ratio, 1, ratio < 1))
            ratio = mine["seconds"] / other["seconds"]
            told.append((what, "processor time beside that of the whole table at once", ratio, 2, ratio < 2))
        for count, ratio in apart("cities", folder)["done"].items():
            what = f"one city of {count}"
            told.append((what, f"processor time beside one city of {STORES[0]}", ratio, 1.2, ratio <= 1.2))
    table = pd.DataFrame(told, columns=["what", "quantity", "value", "bar", "kept"])
    OUT.parent.mkdir(exist_ok=True)
    table.to_csv(OUT, index=False, float_format="%.3g", lineterminator="\n")
    sys.stdout.write(table.to_string(index=False, float_format="%.3g") + "\n")
    return int(not table["kept"].all())


if __name__ == "__main__":
    if sys.argv[1:2] == [ARGUMENT]:
        sys.stdout.write(json.dumps(part(sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))))
        sys.exit(0)
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS))
