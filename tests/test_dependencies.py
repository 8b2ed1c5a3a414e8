"""One list of dependencies: the locks and environment.yml are made from pyproject.toml and hold no address."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools"))

import dependencies  # noqa: E402

MADE = ["requirements.lock", "requirements-lab.lock", "environment.yml"]


def test_nothing_has_drifted_from_pyproject():
    assert dependencies.drift() == [], "run `make lock`"


def test_the_drift_test_sees_a_dependency_that_is_not_locked(tmp_path, monkeypatch):
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"numpy>=2.0"' in text
    for name in MADE:
        (tmp_path / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        text.replace('"numpy>=2.0"', '"numpy>=2.0", "left-pad>=1"'), encoding="utf-8"
    )
    monkeypatch.setattr(dependencies, "ROOT", tmp_path)
    assert any("left-pad" in line for line in dependencies.drift())


@pytest.mark.parametrize("name", MADE)
def test_made_files_hold_no_address(name):
    assert not re.search(r"https?://|--index-url|--find-links", (ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", MADE[:2])
def test_every_locked_package_has_a_hash(name):
    entries = re.split(r"\n(?=[a-z0-9])", (ROOT / name).read_text(encoding="utf-8"))
    packages = [entry for entry in entries if re.match(r"[a-z0-9][^\n]*==", entry)]
    assert len(packages) > 50
    assert all("--hash=sha256:" in entry for entry in packages)


def test_every_dependency_is_imported_somewhere():
    """A dependency that nothing uses goes; those that work without an import are named here."""
    silent = {"ipykernel", "frictionless", "nbval", "ruff", "hypothesis", "packaging", "pytest"}
    modules = {"pyyaml": "yaml", "jupyter-client": "jupyter_client", "python-docx": "docx", "python-slugify": "slugify"}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "vlr_analysis").rglob("*.py"))
    names = [Requirement(text).name for text in project["dependencies"]]
    unused = [n for n in names if n not in silent and not re.search(rf"(import|from) {modules.get(n, n)}\b", code)]
    # Engines that others load by name: papermill runs nbclient, pandas reads Parquet through pyarrow.
    assert set(unused) <= {"nbclient", "pyarrow"}


def test_environment_names_a_package_once_and_keeps_its_extras():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"][-1]["pip"]
    names = [Requirement(line).name for line in listed if not line.startswith("-")]
    assert len(names) == len(set(names)) > 30
    for asked in dependencies.declared(("test", "lab")):
        pins = [Requirement(line) for line in listed if not line.startswith("-")]
        (pin,) = [pin for pin in pins if pin.name == asked.name.lower()]
        assert pin.extras >= asked.extras, asked


def test_binder_finds_what_repo2docker_looks_for():
    """The rules of repo2docker, by name; it is not installed here."""
    # 1. A folder binder/ or .binder/ would hide every file of the root.
    assert not any((ROOT / name).exists() for name in ("binder", ".binder", "Dockerfile"))
    # 2. environment.yml in the root, with one pip section, last; no prefix, and its Python named.
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    assert set(environment) == {"name", "channels", "dependencies"}
    *conda, pip = environment["dependencies"]
    assert all(isinstance(item, str) for item in conda) and list(pip) == ["pip"]
    assert {"python=3.11", "pip"} <= set(conda)
    # 3. A local package makes it copy the repository before it installs; nothing else may be local.
    local = [line for line in pip["pip"] if "==" not in line]
    assert local == ["--editable ."]
    # 4. postBuild is run as a program: executable for git, LF line ends, a first line that names its shell.
    script = (ROOT / "postBuild").read_bytes()
    assert script.startswith(b"#!/usr/bin/env bash\n") and b"\r" not in script and b"\nset -euo pipefail\n" in script
    if (ROOT / ".git").exists():
        staged = subprocess.run(
            ["git", "ls-files", "--stage", "postBuild"], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert staged.stdout.startswith("100755 ")
    # 5. What it types are commands of the kit, on the made-up city.
    typed = [line.split() for line in script.decode().splitlines() if line.startswith("vlr")]
    assert [words[1] for words in typed] == ["check", "run"] and {words[2] for words in typed} == {"porto-exemplo"}
