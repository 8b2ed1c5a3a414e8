"""Pin a public repository for `vlr fetch`: write path, SHA-256 and size of every file of a copy at hand.

    python tools/pin.py los-angeles ../shared/sources/open-sdg/los-angeles

The line of the repository itself (publisher, commit, licence) is written by people in pinned/repositories.csv.
"""

from __future__ import annotations

import csv
import hashlib
import io
import sys
from pathlib import Path

from vlr_analysis.sources import pins
from vlr_analysis.sources.kit import write_whole

FOLDER = Path(__file__).resolve().parents[1] / "vlr_analysis" / "sources" / "pinned"


def registry(copy: Path) -> str:
    """Return the registry of a copy as CSV, sorted by path."""
    paths = {path.relative_to(copy).as_posix(): path for path in copy.rglob("*") if path.is_file()}
    text = io.StringIO(newline="")
    out = csv.writer(text, lineterminator="\n")
    out.writerow(pins.REGISTRY_COLUMNS)
    for name in sorted(paths):
        content = paths[name].read_bytes()
        out.writerow([name, hashlib.sha256(content).hexdigest(), len(content)])
    return text.getvalue()


def main(name: str, copy: str) -> int:
    """Write the registry of a copy; 1 where a name in it could not stand on every system."""
    made = registry(Path(copy))
    pins.read_registry(made, f"{name}.csv")  # a name that is unsafe is told here
    write_whole(FOLDER / f"{name}.csv", made.encode("utf-8"))
    print(f"{made.count(chr(10)) - 1} files pinned in {name}.csv")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
