"""The folder of a project, and where its parameters and figures lie; imports nothing that is slow."""

from __future__ import annotations

from pathlib import Path

from vlr_analysis.errors import InputError, Problem

PARAMS = "params"
DATA = "data"


def find_root(start: Path | None = None) -> Path:
    """Return the project folder: the nearest one, from `start` upwards, that holds `params/` and `data/`.

    Raises
    ------
    InputError
        There is none; the message says where to go.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / PARAMS).is_dir() and (folder / DATA).is_dir():
            return folder
    raise InputError(
        "project folder",
        [
            Problem(
                str(start),
                "no params/ and data/ here or above",
                "a folder of the kit",
                "change to the folder that holds params/ and data/",
            )
        ],
    )
