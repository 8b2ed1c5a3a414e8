"""The `vlr import` commands: thin, no logic of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

PART_FAILED = 3

imports = typer.Typer(
    no_args_is_help=True,
    help="Read figures in other forms into data/. Not sure which form a file has: vlr import guess FILE.",
    epilog="Example: vlr import guess figures.csv --area my-city -o data/my-city.csv. Samples: docs/formats.md",
)


@imports.callback()
def _imports() -> None:
    """Keep the name of the format, also where there is only one."""


@imports.command(
    "open-sdg",
    short_help="a whole Open SDG repository",
    epilog="Example: vlr import open-sdg ../open-sdg-data --area my-city -o data/my-city.csv",
)
def import_open_sdg(
    source: Annotated[Path, typer.Argument(help="Folder of the repository, the one that holds data/.")],
    area: Annotated[str, typer.Option(help="Slug of the place: small letters, digits, hyphens.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="CSV or Parquet file to write.")],
    source_id: Annotated[str, typer.Option(help="Id of this source in data/sources.csv.")] = "open-sdg",
    year_start: Annotated[str, typer.Option(help="Month and day on which a year such as 2015/16 begins.")] = "07-01",
) -> None:
    """Import an Open SDG repository; one line for each of its files."""
    from vlr_analysis.errors import Problem, raise_if_any
    from vlr_analysis.sources import open_sdg

    found = open_sdg.read_open_sdg(source, area=area, source=source_id, year_start=year_start)
    for report in found.files:
        typer.echo(report.line())
    nothing = Problem(str(source), open_sdg.summary(found.files), "at least one file with figures", "check the folder")
    raise_if_any(str(source), [] if len(found.table) else [nothing, *found.problems])
    typer.echo(f"{len(found.files)} files: {open_sdg.summary(found.files)}; {len(found.table)} observations in {out}")
    _write(found, out, source.name)
    if found.problems:
        typer.echo(f"{_named(len(found.problems), 'problem')} above; what they are of is not in {out.name}.", err=True)
        raise typer.Exit(PART_FAILED)


def _named(count: int, what: str) -> str:
    return f"{count} {what} is named" if count == 1 else f"{count} {what}s are named"


def _write(found: Any, out: Path, file: str) -> None:
    """Write a table, where each figure stood, and what was mended; say where."""
    from vlr_analysis.sources import kit, reading, repairs

    kit.write_table(found.table, out)
    # The figure goes with its place: a later check sees which was changed since.
    origins = found.origins.assign(value=found.table["value"].to_numpy())
    reading.write_origins(origins, reading.origins_path(out))
    repairs.write_repairs(found.repairs, repairs.repairs_path(out), file=file)
    typer.echo(f"where each figure stood: {reading.origins_path(out)}")
    typer.echo(f"what was mended, cell by cell ({len(found.repairs)}): {repairs.repairs_path(out)}")


@imports.command(
    "table",
    short_help="a large table of many areas",
    epilog="Example: vlr import table municipalities.parquet --out data",
)
def import_table(
    source: Annotated[Path, typer.Argument(help="CSV or Parquet file in the kit's columns, or a folder of them.")],
    out: Annotated[Path, typer.Option(help="Folder that receives one Parquet file for each area.")] = Path("data"),
    replace: Annotated[bool, typer.Option("--replace", help="Write over areas that are there and differ.")] = False,
) -> None:
    """Import a large table of many areas: one checked Parquet file for each."""
    from vlr_analysis.review.telling import stages, stoppable
    from vlr_analysis.sources.store import import_store

    with stages() as progress, stoppable():
        report = import_store(source, out, replace=replace, progress=progress)
    for line in report.lines():
        typer.echo(line, err=not report.whole)
    if not report.whole:
        raise typer.Exit(PART_FAILED)


FORMATS = {
    "guess": (
        "any of those below, where it is plain which",
        "Look at the file and say which format it is; refused with the candidates where that is not plain.",
    ),
    "wide": (
        "a column for each year (CSV, Excel)",
        "Read a sheet with a row for each series and a column for each year (CSV, Excel).",
    ),
    "long": ("a row for each figure (CSV, Excel)", "Read a sheet with a row for each figure (CSV, Excel)."),
    "world-bank": ("World Bank indicators (CSV)", "Read a download of the World Bank's indicators (CSV)."),
    "unsd": (
        "SDG database of the United Nations (CSV)",
        "Read a download of the SDG database of the United Nations Statistics Division (CSV).",
    ),
    "eurostat": ("Eurostat (TSV, SDMX-CSV)", "Read a table of Eurostat (TSV, or its SDMX-CSV)."),
    "sdmx-csv": ("SDMX-CSV 1.0 and 2.0", "Read SDMX-CSV 1.0 or 2.0."),
    "fred": (
        "a series of FRED (CSV)",
        "Read a series of FRED, the database of the Federal Reserve Bank of St. Louis (CSV).",
    ),
    "economic-tracker": (
        "Economic Tracker of U.S. cities (CSV)",
        "Read a file of the Economic Tracker of Opportunity Insights (CSV).",
    ),
}


def _command(form: str) -> Callable[..., None]:
    """Return the command that reads a format."""

    def command(
        source: Annotated[Path, typer.Argument(help="The file.")],
        area: Annotated[str, typer.Option(help="Slug of the place: small letters, digits, hyphens.")],
        out: Annotated[Path, typer.Option("--out", "-o", help="CSV or Parquet file to write.")],
        source_id: Annotated[str, typer.Option(help="Id of this source in data/sources.csv.")] = "",
        place: Annotated[str, typer.Option(help="Name or code of the place in the file.")] = "",
        indicator: Annotated[str, typer.Option(help="Indicator code, where the file names none.")] = "",
        series: Annotated[str, typer.Option(help="The measure in words, where the file names none.")] = "",
        unit: Annotated[str, typer.Option(help="Unit, where the file names none.")] = "",
        sheet: Annotated[str, typer.Option(help="Sheet of a workbook.")] = "",
        decimal: Annotated[str, typer.Option(help="Decimal mark of the file, where it is not plain.")] = "",
        year_start: Annotated[str, typer.Option(help="Month and day on which a year such as 2015/16 begins.")] = "",
        ignore: Annotated[
            list[str] | None, typer.Option(metavar="NAME", help="Column to leave out; repeat for several.")
        ] = None,
        column: Annotated[
            list[str] | None,
            typer.Option(metavar="NAME", help="Column of the figures; for long ROLE=NAME, repeat for several."),
        ] = None,
        every: Annotated[
            bool, typer.Option("--all", help="Tell every cell that was mended, not the first few of each reason.")
        ] = False,
    ) -> None:
        from vlr_analysis.errors import Problem, raise_if_any
        from vlr_analysis.sources import formats, repairs

        name = formats.guess(source) if form == "guess" else form
        named = dict(one.split("=", 1) if "=" in one else (one, "") for one in column or [])
        columns = {"columns": named} if name == "long" else {"column": next(iter(named), "")}
        found = formats.read(
            name, source, area=area, source=source_id or name, place=place, indicator=indicator, series=series,
            unit=unit, sheet=sheet, decimal=decimal, year_start=year_start, ignore=ignore or [], **columns,
        )  # fmt: skip
        nothing = Problem(source.name, "no figure", "at least one", "name the format and its options")
        raise_if_any(source.name, [] if len(found.table) else [*found.problems, nothing][: len(found.problems) or 1])
        for line in repairs.told(found.repairs, every=every):
            typer.echo(line)
        typer.echo(f"{source.name}: read as {name}; {len(found.table)} observations in {out}")
        _write(found, out, source.name)
        if found.problems:
            for problem in found.problems:
                typer.echo(f"- {problem}", err=True)
            typer.echo(f"{_named(len(found.problems), 'cell')} above; not in {out.name}.", err=True)
            raise typer.Exit(PART_FAILED)

    return command


for _name, (_short, _does) in FORMATS.items():
    _example = f"Example: vlr import {_name} figures.csv --area my-city -o data/my-city.csv"
    _help = f"{_does} Where each figure stood and what was mended is written beside the table."
    imports.command(_name, short_help=_short, help=_help, epilog=_example)(_command(_name))
