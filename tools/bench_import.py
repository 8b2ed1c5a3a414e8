"""Measure the import of a whole Open SDG repository beside a plain pandas loop with the same checks.

Open SDG's own sdg-build is on no package index, so the loop stands for it: it reads the same files and metadata and
checks what ours checks. Prints a ratio; times in seconds would only tell of the machine. Run by `make bench`.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pandas as pd
import yaml
from bench import seconds

from vlr_analysis.observations import KEY, check
from vlr_analysis.sources.open_sdg import MISSING, SUPPRESSED, read_open_sdg

REPOSITORY = Path(__file__).resolve().parents[2] / "shared" / "sources" / "open-sdg" / "los-angeles"
REPEATS = 3
SPECIAL = {"year", "value", "units", "unit", "series", "measure"}
PLACEHOLDERS = ({"grade", "planet", "fruit"}, {"group a", "group b"})


def pandas_loop(folder: Path) -> pd.DataFrame:
    """Read a repository as a careful analyst does: a file at a time, a row at a time, every cell looked at."""
    tables = []
    for path in sorted((folder / "data").glob("*.csv")):
        cells = _frame(path)
        names = {column.casefold(): column for column in cells.columns}
        text = cells.to_csv(index=False).casefold()
        if not len(cells) or not {"year", "value"} <= set(names) or "non-statistical" in text:
            continue
        if any(columns <= set(names) for columns in PLACEHOLDERS):
            continue
        if "group" in names and set(cells[names["group"]]) <= {"", "A", "B"}:
            continue
        about = _about(folder, path.stem.removeprefix("indicator_"))
        rows, good = [], True
        for number, row in cells.iterrows():
            value, status = _value(row[names["value"]])
            period = _period(row[names["year"]])
            good &= period is not None and (status != "value" or value == value)
            pairs = sorted(
                f"{re.sub(r'[^0-9a-z]+', '-', column).strip('-') or 'dimension'}={row[names[column]].replace(';', ',')}"
                for column in names if column not in SPECIAL and row[names[column]]
            )  # fmt: skip
            rows.append({
                "area": "city", "indicator": path.stem.removeprefix("indicator_").replace("-", "."),
                "series": row.get(names.get("series", ""), "") or about.get("graph_title") or "title",
                "unit": row.get(names.get("units", ""), "") or about.get("computation_units") or "not stated",
                "period": period, "breakdown": ";".join(pairs), "value": value, "low": float("nan"),
                "high": float("nan"), "status": status, "source": "open-sdg", "row": number + 2,
            })  # fmt: skip
        if good:
            table = pd.DataFrame(rows)
            filled = table.sort_values("value", na_position="last", kind="stable")
            tables.append(filled.drop_duplicates(list(KEY)).drop(columns="row"))
    whole = pd.concat(tables, ignore_index=True).drop_duplicates(list(KEY))
    return check(whole)


def _frame(path: Path) -> pd.DataFrame:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            cells = pd.read_csv(path, dtype=str, keep_default_na=False, encoding=encoding)
        except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError):
            continue
        return cells.map(str.strip)
    return pd.DataFrame()


def _about(folder: Path, code: str) -> dict:
    found: dict = {}
    for place in (f"meta/{code}.md", f"meta/{code}.yml", f"indicator-config/{code}.yml"):
        if (folder / place).is_file():
            text = (folder / place).read_text(encoding="utf-8-sig", errors="replace")
            front = re.match(r"---\s*\n(.*?)\n---", text, re.S)
            try:
                content = yaml.safe_load(front[1] if front else text)
            except yaml.YAMLError:
                continue
            found |= content if isinstance(content, dict) else {}
    return found


def _value(text: str) -> tuple[float, str]:
    if text.casefold() in MISSING:
        return float("nan"), "missing"
    if text.casefold() in SUPPRESSED:
        return float("nan"), "suppressed"
    try:
        return float(text.replace("%", "").replace(",", "")), "value"
    except ValueError:
        return float("nan"), "value"


def _period(text: str) -> str | None:
    if re.fullmatch(r"\d{4}", text):
        return text
    span = re.fullmatch(r"(\d{4})\s*[-–/]\s*(\d{2,4})\*?", text)
    return f"{span[1]}-07-01/P1Y" if span else None


def main() -> int:
    """Print the ratio; 1 where ours is slower or takes fewer observations than the loop."""
    if not REPOSITORY.is_dir():
        print(f"no repository at ../shared/sources/open-sdg/{REPOSITORY.name}: nothing measured")
        return 0
    ours, found = seconds(lambda: read_open_sdg(REPOSITORY, area="city", source="open-sdg").table, REPEATS)
    theirs, loop = seconds(lambda: pandas_loop(REPOSITORY), REPEATS)
    print("what,ours,loop,ratio")
    print(f"import of an Open SDG repository (observations),{len(found)},{len(loop)},{theirs / ours:.1f}")
    return int(theirs < ours or len(found) < 0.95 * len(loop))  # fast by leaving figures out would be no win


if __name__ == "__main__":
    sys.exit(main())
