"""Measure the import of whole Open SDG repositories beside a plain pandas loop with the same checks.

Open SDG's own sdg-build is on no package index (`pip index versions sdg-build` finds none; the package called sdg there
makes synthetic data), so that a loop stands for it: it reads the same files and metadata, a file and a row at a time,
with the same YAML parser in C, checks what ours checks, and must give the same table. Ratios go to
docs/methods/benchmark-import.csv; times in seconds would only tell of the machine. Run by `make bench`.
"""

from __future__ import annotations

import gc
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import yaml

from vlr_analysis.observations import COLUMNS, KEY, WITHOUT_VALUE, check
from vlr_analysis.periods import parse_period
from vlr_analysis.sources.names import category_of, dimension_of
from vlr_analysis.sources.open_sdg import STATUS_COLUMNS, UNIT_COLUMNS, read_open_sdg
from vlr_analysis.sources.open_sdg_values import MISSING, SUPPRESSED
from vlr_analysis.sources.statuses import status_of

OUT = Path(__file__).resolve().parents[1] / "docs" / "methods" / "benchmark-import.csv"
SOURCES = Path(__file__).resolve().parents[2] / "shared" / "sources" / "open-sdg"
REPEATS = 7
ROLES = {"year": {"year", "years", "time", "period", "time_period"}, "value": {"value", "obs_value"},
         "series": {"series", "measure"}, "unit": UNIT_COLUMNS, "status": STATUS_COLUMNS}  # fmt: skip
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def ours(folder: Path) -> pd.DataFrame:
    """Read a repository with the kit's reader: the table; origins, repairs and reports are made too."""
    return read_open_sdg(folder, area="city", source="open-sdg").table


def pandas_loop(folder: Path) -> pd.DataFrame:
    """Read a repository as a careful analyst does: a file at a time, a row at a time, every cell looked at."""
    tables = []
    for path in sorted((folder / "data").iterdir()):
        if path.suffix.lower() != ".csv" or path.is_dir():
            continue
        cells = _frame(path)
        if cells is None or not len(cells) or _filler(cells):
            continue
        table = _file(cells, path.stem.removeprefix("indicator_"), folder)
        if table is not None:
            tables.append(table)
    return check(pd.concat(tables, ignore_index=True)[list(COLUMNS)])


def _frame(path: Path) -> pd.DataFrame | None:
    options = {"dtype": str, "keep_default_na": False, "index_col": False}
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            cells = pd.read_csv(path, encoding=encoding, on_bad_lines="error", **options)
        except UnicodeDecodeError:
            continue
        except pd.errors.EmptyDataError:
            return None
        cells.columns = ["" if str(name).startswith("Unnamed: ") else str(name).strip() for name in cells.columns]
        cells = cells.map(str.strip)
        cells = cells[(cells != "").any(axis=1)]
        return cells.loc[
            :, [bool(name) or bool((cells.iloc[:, i] != "").any()) for i, name in enumerate(cells.columns)]
        ]
    return None


def _filler(cells: pd.DataFrame) -> bool:
    """Whether a file holds a sample, a single zero, or a sentence instead of figures."""
    names = {name.casefold(): name for name in cells.columns}
    last = cells.iloc[:, -1]
    if cells.apply(lambda column: column.str.contains("non-statistical", case=False)).any(axis=None):
        return True
    if {"grade", "planet", "fruit"} <= set(names) or {"group a", "group b"} <= set(names):
        return True
    if "group" in names and set(cells[names["group"]]) <= {"", "A", "B"} and last.str.fullmatch(r"\d").all():
        return True
    return cells.shape == (1, 2) and last.iloc[0] == "0"


def _file(cells: pd.DataFrame, code: str, folder: Path) -> pd.DataFrame | None:
    place = {}
    for role, words in ROLES.items():
        fits = [i for i, name in enumerate(cells.columns) if name.casefold() in words]
        if fits:
            place[role] = fits[0]
    if "value" not in place and cells.columns[-1] == "":
        place["value"] = len(cells.columns) - 1
    if not {"year", "value"} <= set(place):
        return None
    about = _about(folder, code)
    title, unit = _title(about, code), " ".join(str(about.get("computation_units") or "").split()) or "not stated"
    periods = _periods(cells.iloc[:, place["year"]])
    dimensions = [(i, name if (name := dimension_of(column)) in ("sex", "age", "district") else
                   re.sub(r"[^0-9a-z]+", "-", column.casefold()).strip("-") or "dimension")
                  for i, column in enumerate(cells.columns) if i not in place.values()]  # fmt: skip
    rows, good = [], True
    for row in cells.itertuples(index=False, name=None):
        value, status = _value(row[place["value"]])
        if "status" in place and row[place["status"]]:
            told = status_of(row[place["status"]]) or status
            status = told if status == "value" or (status == "missing" and told in WITHOUT_VALUE) else status
            value = float("nan") if status == "suppressed" else value
        period = periods[row[place["year"]]]
        good = good and period is not None and status != "wrong"
        groups = ((name, category_of(name, row[i])) for i, name in dimensions)
        pairs = sorted((name, text.replace(";", ",").replace("=", ":")) for name, text in groups if text)
        rows.append({
            "area": "city", "indicator": code.replace("-", ".").lower(),
            "series": (row[place["series"]] if "series" in place else "") or title,
            "unit": (row[place["unit"]] if "unit" in place else "") or unit,
            "period": period, "breakdown": ";".join(f"{name}={text}" for name, text in dict(pairs).items()),
            "value": value, "low": float("nan"), "high": float("nan"), "status": status, "source": "open-sdg",
        })  # fmt: skip
    return _once(pd.DataFrame(rows)) if good else None


def _once(table: pd.DataFrame) -> pd.DataFrame:
    """Take one row of each key: a value before a blank; no row where values are at odds."""
    if not table.duplicated(list(KEY)).any():
        return table
    odds = table.groupby(list(KEY))["value"].transform("nunique") > 1
    ordered = table[~odds].sort_values("value", key=lambda values: values.isna(), kind="stable")
    return ordered.drop_duplicates(list(KEY)).sort_index()


def _about(folder: Path, code: str) -> dict:
    found: dict = {}
    for place in (f"meta/{code}.md", f"meta/{code}.yml", f"indicator-config/{code}.yml"):
        if (folder / place).is_file():
            text = (folder / place).read_text(encoding="utf-8-sig", errors="replace")
            front = re.match(r"---\s*\n(.*?)\n---", text, re.S)
            try:
                content = yaml.load(front[1] if front else text, Loader=LOADER)
            except yaml.YAMLError:
                continue
            content = content if isinstance(content, dict) else {}
            found |= {key: value for key, value in content.items() if value not in (None, "")}
    return found


def _title(about: dict, code: str) -> str:
    for text in (about.get("graph_title") or about.get("indicator_available"), about.get("indicator_name")):
        words = " ".join(str(text or "").split())
        if words and not words.startswith(("global_", "general.")):
            return words
    return f"indicator {code.replace('-', '.').lower()}"


def _value(text: str) -> tuple[float, str]:
    if text.casefold() in MISSING:
        return float("nan"), "missing"
    if text.casefold() in SUPPRESSED:
        return float("nan"), "suppressed"
    plain = text.replace("%", "").strip()
    if re.fullmatch(r"-?\d{1,3}(,\d{3})+(\.\d+)?", plain):
        plain = plain.replace(",", "")
    try:
        value = float(plain)
    except ValueError:
        return float("nan"), "wrong"
    return (value, "value") if abs(value) < float("inf") else (float("nan"), "wrong")


def _periods(labels: pd.Series) -> dict[str, str | None]:
    spans = {text: re.fullmatch(r"(\d{4})\s*([-–—/])\s*(\d{2}|\d{4})", text.rstrip("* ")) for text in labels.unique()}
    years = {text: _years(span) for text, span in spans.items() if span}
    begins = {int(spans[text][1]) for text, count in years.items() if count == 2}
    found: dict[str, str | None] = {}
    for text, span in spans.items():
        plain = text.rstrip("* ")
        if span and years[text] > 1:
            first = int(span[1])
            chained = span[2] == "/" or {first - 1, first + 1} & begins
            plain = f"{first}-07-01/P1Y" if years[text] == 2 and chained else f"{first}-01-01/P{years[text]}Y"
        plain = re.sub(r"(\d{4})\.0", r"\1", plain)
        try:
            parse_period(plain)
            found[text] = plain
        except (ValueError, OverflowError):
            found[text] = None
    return found


def _years(span: re.Match) -> int:
    first, last = int(span[1]), int(span[3])
    return (last if last > 99 else first // 100 * 100 + last) - first + 1


def measured(folder: Path, repeats: int = REPEATS) -> dict:
    """Return one row: both read a repository in turns, and must give the same table."""
    got, want = ours(folder), pandas_loop(folder)
    pd.testing.assert_frame_equal(_ordered(got), _ordered(want))
    times: dict[Callable, list[float]] = {ours: [], pandas_loop: []}
    for turn in range(repeats):
        # Whoever comes first in a turn comes second in the next: neither finds the caches of the machine warmer.
        for one in (ours, pandas_loop)[:: 1 if turn % 2 else -1]:
            gc.collect()
            begin = time.perf_counter()
            one(folder)
            times[one].append(time.perf_counter() - begin)
    return {
        "repository": folder.name, "files": sum(1 for path in folder.rglob("*") if path.is_file()),
        "observations": len(got), "ratio": min(times[pandas_loop]) / min(times[ours]),
        "ratio_of_medians": statistics.median(times[pandas_loop]) / statistics.median(times[ours]), "repeats": repeats,
    }  # fmt: skip


def _ordered(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(list(KEY), kind="stable").reset_index(drop=True)


def main() -> int:
    """Measure every repository at hand, print, write; 1 where ours is slower than the loop."""
    folders = sorted(path for path in SOURCES.glob("*") if (path / "data").is_dir())
    if not folders:
        print("no repository at ../shared/sources/open-sdg: nothing measured")
        return 0
    told = pd.DataFrame([measured(folder) for folder in folders])
    told.to_csv(OUT, index=False, float_format="%.2f", lineterminator="\n")
    print(told.to_csv(index=False, float_format="%.2f"), end="")
    return int((told[["ratio", "ratio_of_medians"]] < 1).any(axis=None))


if __name__ == "__main__":
    sys.exit(main())
