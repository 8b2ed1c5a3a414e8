"""The README's commands, typed as they stand into a fresh clone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = [
    re.sub(r"^    ", "", block, flags=re.M).strip().splitlines()
    for block in re.findall(r"(?:^    .+\n)+", README, re.M)
]


# A newcomer's shell knows nothing of the make that runs these tests.
LEFT_OUT = {"PYTHONPATH", "VIRTUAL_ENV", "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES"}


def block(first: str) -> list[str]:
    found = [lines for lines in BLOCKS if lines[0].startswith(first)]
    assert len(found) == 1, f"one block of the README begins with {first!r}"
    return [re.sub(r"\s+#.*", "", line) for line in found[0]]


@pytest.fixture
def clone(tmp_path):
    if not (ROOT / ".git").exists():
        pytest.skip("not a git clone")
    folder = tmp_path / "a fresh clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    # What is tested is the tree as it stands, also before it is committed.
    changed = subprocess.run(
        ["git", "ls-files", "-m", "-o", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in changed.stdout.splitlines():
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    return folder


def typed(command: str, folder: Path) -> subprocess.CompletedProcess:
    environment = {key: value for key, value in os.environ.items() if key not in LEFT_OUT}
    return subprocess.run(command, cwd=folder, shell=True, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.slow
def test_make_report_in_a_fresh_clone(clone):
    command = block("make report")[0]
    done = typed(f"{command} PYTHON={sys.executable}", clone)
    assert done.returncode == 0, done.stderr[-3000:]
    index = Path(done.stdout.strip().splitlines()[-1])
    assert index == clone / "reports" / "index.html"
    page = index.read_text(encoding="utf-8")
    assert all(name in page for name in ("Bristol", "Los Angeles", "New York", "Pittsburgh", "Pôrto Exemplo"))
    assert "stopped before its end" not in page


@pytest.mark.slow
def test_the_commands_without_make(clone):
    commands = block("py -m venv")
    assert commands[-1].endswith("vlr run")
    for command in commands:
        command = command.replace("py ", f"{sys.executable} ", 1) if command.startswith("py ") else command
        command = command.replace(".venv\\Scripts\\", ".venv/bin/")
        done = typed(f"{command} pittsburgh" if command.endswith("vlr run") else command, clone)
        assert done.returncode == 0, (command, done.stderr[-3000:])
    assert (clone / "reports" / "pittsburgh" / "index.html").exists()
    for command in block("papermill"):
        done = typed(f".venv/bin/{command.replace('out.ipynb', 'reports/out.ipynb')}", clone)
        assert done.returncode == 0, (command, done.stderr[-3000:])


def test_make_test_is_what_ci_runs_and_every_target_has_help():
    assert (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()[-1] == block("make report")[1] == "make test"
    done = typed("make help", ROOT)
    assert all(
        f"make {name}" in done.stdout
        for name in ("env", "report", "test", "lint", "notebooks", "data", "lock", "clean")
    )


def test_files_and_folders_that_the_texts_name_exist():
    for name in ("README.md", "docs/map.md", "CONTRIBUTING.md"):
        text = (ROOT / name).read_text(encoding="utf-8")
        for path in re.findall(r"`((?:docs|params|data|tools|tests|notebooks|vlr_analysis)/[\w./*-]*)`", text):
            if "<" not in path and "*" not in path:
                assert (ROOT / path).exists(), (name, path)
