"""Tables that the chapters of one run share, so that each is computed once; outside a run nothing is shared."""

from __future__ import annotations

import hashlib
import os
import pickle
from collections.abc import Callable
from functools import cached_property, wraps
from pathlib import Path
from typing import Any

from filelock import FileLock

from vlr_analysis.sources.kit import write_whole

FOLDER = "VLR_SHARED"  # a folder that only this user can enter and that is gone with the run
POLL = 0.02  # seconds between two looks at a table that another chapter computes


def once_a_run(compute: Callable[[Any], Any]) -> cached_property:
    """Make a method a cached property whose value the chapters of a run share.

    The object gives `shared_by`: text that tells its data apart from any other's within a run. Where the environment
    names no folder in `VLR_SHARED`, it is an ordinary cached property.
    """

    @wraps(compute)
    def get(self: Any) -> Any:
        folder = os.environ.get(FOLDER)
        if not folder or not Path(folder).is_dir():
            return compute(self)
        return _kept(Path(folder), f"{type(self).__name__}.{compute.__name__} {self.shared_by}", lambda: compute(self))

    return cached_property(get)


def _kept(folder: Path, key: str, compute: Callable[[], Any]) -> Any:
    path = folder / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.pickle"
    # Whoever comes second waits: two chapters of a city that begin together want the same tables.
    with FileLock(path.with_suffix(".lock"), poll_interval=POLL):
        try:
            return pickle.loads(path.read_bytes())
        except (OSError, EOFError, pickle.UnpicklingError):
            value = compute()
        try:
            write_whole(path, pickle.dumps(value, protocol=5))
        except OSError:
            return value  # a full disk: the next chapter computes it again
    return value
