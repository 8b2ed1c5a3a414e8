"""Make requirements.lock and environment.yml from pyproject.toml, the one list of dependencies.

python tools/dependencies.py            make both (needs the network, for uv and the versions)
python tools/dependencies.py --check    say what has drifted; exit 1 if anything has
"""

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCKS = {"requirements.lock": ("test",), "requirements-lab.lock": ("test", "lab")}
PYTHON = "3.11"


def declared(extras: tuple[str, ...]) -> list[Requirement]:
    """Return what pyproject.toml asks for, with the build tool that the editable install needs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    for extra in extras:
        names += project["project"]["optional-dependencies"][extra]
    return sorted((Requirement(name) for name in names), key=lambda req: canonicalize_name(req.name))


def stamp(extras: tuple[str, ...]) -> str:
    """Return the line that ties a lock to the list it was made from."""
    listed = json.dumps([str(req) for req in declared(extras)])
    return f"# made by `make lock` from pyproject.toml; list {hashlib.sha256(listed.encode()).hexdigest()[:16]}"


def locked(lock: str) -> dict[str, set[str]]:
    """Return the versions that a lock pins, by canonical name (several where Python versions differ)."""
    pins: dict[str, set[str]] = {}
    for name, version in re.findall(r"^([A-Za-z0-9._-]+)==([^ ;\\\n]+)", lock, flags=re.M):
        pins.setdefault(canonicalize_name(name), set()).add(version)
    return pins


def environment(lock: str) -> str:
    """Return environment.yml: Python and pip from conda-forge, our list from the lock's own pins."""
    asked: dict[str, set[str]] = {}
    for req in declared(("test", "lab")):
        asked.setdefault(canonicalize_name(req.name), set()).update(req.extras)
    pins = []
    for name, extras in asked.items():
        also = f"[{','.join(sorted(extras))}]" if extras else ""
        for line in re.findall(rf"^({re.escape(name)}==[^\\\n]+)", lock, flags=re.M):
            pin = Requirement(line)
            if pin.marker is None or pin.marker.evaluate({"python_full_version": f"{PYTHON}.0"}):
                pins.append(f"      - {pin.name}{also}{pin.specifier}")
    return "\n".join(
        [
            "# made by `make lock` from pyproject.toml and requirements-lab.lock; do not edit",
            "name: vlr-analysis",
            "channels:",
            "  - conda-forge",
            "dependencies:",
            f"  - python={PYTHON}",
            "  - pip",
            "  - pip:",
            *pins,
            "      - --editable .",
            "",
        ]
    )


def make_lock(extras: tuple[str, ...]) -> str:
    """Resolve the newest allowed versions with uv; no index address is written."""
    source = ROOT / "build" / "requirements.in"
    source.parent.mkdir(exist_ok=True)
    source.write_text("\n".join(str(req) for req in declared(extras)) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "uv", "pip", "compile", str(source), "--universal", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate", "--quiet"]
    done = subprocess.run([*command, "--python-version", PYTHON], capture_output=True, text=True, check=True)
    return f"{stamp(extras)}\n{done.stdout}"


def drift() -> list[str]:
    """Return what is out of step, one sentence each."""
    found = []
    for name, extras in LOCKS.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        if text.splitlines()[0] != stamp(extras):
            found.append(f"{name} was made from another list than pyproject.toml holds now; run `make lock`")
        pins = locked(text)
        for req in declared(extras):
            versions = pins.get(canonicalize_name(req.name), set())
            if not versions or not all(req.specifier.contains(version) for version in versions):
                found.append(f"{name} pins {sorted(versions) or 'no version'} of {req.name}; pyproject.toml asks {req}")
        if re.search(r"https?://|index-url|find-links", text):
            found.append(f"{name} holds an address")
    lab = (ROOT / "requirements-lab.lock").read_text(encoding="utf-8")
    if (ROOT / "environment.yml").read_text(encoding="utf-8") != environment(lab):
        found.append("environment.yml is not what pyproject.toml and requirements-lab.lock make; run `make lock`")
    return found


def main() -> int:
    if "--check" in sys.argv:
        found = drift()
        print("\n".join(found) or "requirements.lock, requirements-lab.lock and environment.yml are in step")
        return 1 if found else 0
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "uv"], check=True)
    for name, extras in LOCKS.items():
        (ROOT / name).write_text(make_lock(extras), encoding="utf-8")
    lab = (ROOT / "requirements-lab.lock").read_text(encoding="utf-8")
    (ROOT / "environment.yml").write_text(environment(lab), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
