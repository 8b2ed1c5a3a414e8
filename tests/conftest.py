"""What several tests share: folders, a small table, and a copy of the project that a test may break."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from vlr_analysis.observations import COLUMNS, check

ROOT = Path(__file__).resolve().parents[1]
ORACLES = ROOT.parent / "shared" / "oracles"


@pytest.fixture(scope="session")
def oracle():
    """Read a file of reference values, or skip where they are not beside the project."""

    def read(name: str):
        if not ORACLES.is_dir():
            pytest.skip("no ../shared/oracles beside the project")
        return json.loads((ORACLES / name).read_text(encoding="utf-8"))

    return read


@pytest.fixture
def observations():
    """Make a checked table of one or several series: {(indicator, breakdown): {period: value}}."""

    def make(series: dict, *, area: str = "town", unit: str = "%", status: dict | None = None) -> pd.DataFrame:
        rows = [
            {
                "area": area, "indicator": key[0], "series": "measure", "unit": unit, "period": str(period),
                "breakdown": key[1], "value": value, "low": float("nan"), "high": float("nan"),
                "status": (status or {}).get(str(period), "value"), "source": "test",
            }
            for key, values in series.items()
            for period, value in values.items()
        ]  # fmt: skip
        return check(pd.DataFrame(rows, columns=list(COLUMNS)))

    return make


@pytest.fixture
def definitions():
    """Make a definitions table for the series of a table, all with one direction and scale."""

    def make(table: pd.DataFrame, direction: str = "decrease", scale: str = "identity", **more) -> pd.DataFrame:
        rows = table[["indicator", "series", "unit"]].drop_duplicates().reset_index(drop=True)
        rows["label"], rows["goal"], rows["direction"], rows["target"] = rows["indicator"], 1, direction, float("nan")
        rows["target_source"], rows["scale"], rows["priority"] = "", scale, False
        rows["lower"], rows["upper"] = float("nan"), float("nan")
        return rows.assign(**more)

    return make


@pytest.fixture
def project(tmp_path):
    """Copy params, notebooks and the made-up city's data into a folder of its own."""
    root = tmp_path / "my project é"
    (root / "params").mkdir(parents=True)
    shutil.copy(ROOT / "params" / "porto-exemplo.yaml", root / "params")
    shutil.copytree(ROOT / "notebooks", root / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (root / "data").mkdir()
    for name in ("porto-exemplo", "republica-exemplo", "areas", "sources", "indicators", "vlr_counts"):
        shutil.copy(ROOT / "data" / f"{name}.csv", root / "data")
    (root / "data" / "voices").mkdir()
    shutil.copy(ROOT / "data" / "voices" / "porto-exemplo.csv", root / "data" / "voices")
    (root / "docs" / "methods").mkdir(parents=True)
    for path in (ROOT / "docs" / "methods").glob("*.*"):
        shutil.copy(path, root / "docs" / "methods")
    return root


@pytest.fixture(scope="module")
def warm():
    """Give the tests of a module that ask for it one template of warm kernels."""
    from vlr_analysis.review import kernels

    with pytest.MonkeyPatch.context() as patch:
        for name in kernels.CHOICE, kernels.CHOSEN:
            patch.delenv(name, raising=False)
        patch.setenv("PYTHONHASHSEED", "0")
        for name in "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS":
            patch.setenv(name, "1")
        with kernels.warm() as on:
            assert on, kernels.possible()
            yield
