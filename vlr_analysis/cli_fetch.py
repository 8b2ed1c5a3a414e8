"""The `vlr fetch` command: thin, no logic of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLE = "Example: vlr fetch los-angeles   or   vlr fetch los-angeles --from ../open-sdg-data-starter"


def fetch(
    name: Annotated[str, typer.Argument(help="Repository; left out: list them.", metavar="NAME")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the files; left out: downloads/NAME.")
    ] = None,
    copy: Annotated[
        Path | None, typer.Option("--from", help="Copy at hand, a checkout or an unpacked zip: no network is used.")
    ] = None,
    mirror: Annotated[str, typer.Option(help="Address of a mirror: MIRROR/owner/repository/commit/path.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that are there and differ.")] = False,
) -> None:
    """Fetch figures from a public repository at a pinned version, every file checked; alone: list what there is."""
    from vlr_analysis.review.telling import stages, stoppable
    from vlr_analysis.sources import pins
    from vlr_analysis.sources.fetch import fetch as bring

    if not name:
        for one in map(pins.read_pins, pins.names()):
            size = f"{len(one.files)} files, {one.bytes / 1e6:.1f} MB, commit {one.commit[:8]}, licence: {one.licence}"
            typer.echo(f"{one.name}\n  {one.publisher}: {one.title}\n  {size}\n  https://github.com/{one.repository}")
        return
    repository = pins.read_pins(name)
    with stages() as progress, stoppable():
        fetched = bring(
            repository, out or Path("downloads") / name, copy=copy, host=mirror or pins.HOST, replace=replace,
            progress=progress,
        )  # fmt: skip
    for line in fetched.lines():
        typer.echo(line)
