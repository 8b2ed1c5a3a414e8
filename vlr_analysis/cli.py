"""The `vlr` commands: thin, no logic of their own."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

import typer

from vlr_analysis.cli_answers import add_to
from vlr_analysis.cli_fetch import EXAMPLE, fetch
from vlr_analysis.cli_import import PART_FAILED, imports
from vlr_analysis.errors import InputError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    help="Voluntary local reviews from a city's own figures.",
    epilog="Exit codes: 0 done, 1 the input is wrong, 2 usage, 3 part of the work failed (the rest is delivered).",
)
app.add_typer(imports, name="import")
app.command("fetch", epilog=EXAMPLE)(fetch)
add_to(app)


@app.callback()
def _top() -> None:
    """Keep subcommands named even where there is only one."""


@app.command(epilog="Example: vlr run bristol --notebook 03_covid_recovery")
def run(
    cities: Annotated[list[str] | None, typer.Argument(help="Files in params/; left out: all.", metavar="CITY")] = None,
    notebook: Annotated[list[str] | None, typer.Option(help="Notebook by name or number; repeat for several.")] = None,
    jobs: Annotated[int | None, typer.Option(min=1, help="Notebooks at a time; left out: by the cores.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of the reports; left out: reports, or reports-internal.")
    ] = None,
    internal: Annotated[
        bool, typer.Option("--internal", help="Show small numbers, which are hidden otherwise; not for publication.")
    ] = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Run every notebook, also where nothing has changed.")] = False,
    limit: Annotated[float, typer.Option(min=1, help="Seconds that one notebook may take.")] = 900,
    dask: Annotated[
        str, typer.Option(help="Run on a Dask cluster: address of its scheduler, such as tcp://10.0.0.5:8786.")
    ] = "",
    pdf: Annotated[
        bool, typer.Option("--pdf", help="Print each city's pages as review.pdf too, with a Chromium, Chrome or Edge.")
    ] = False,
    language: Annotated[
        str, typer.Option(help="Language of all pages, such as es; left out: each city's own. Writes to reports-es.")
    ] = "",
) -> None:
    """Run the notebooks for every city and write pages, tables, findings and the hand-over.

    A notebook runs again only if it, the package, the parameters, the data or the environment have changed.
    """
    from vlr_analysis.language import checked
    from vlr_analysis.project import find_root
    from vlr_analysis.review import kernels

    root = find_root()
    name = "-".join(filter(None, ["reports", "internal" if internal else "", checked(language) if language else ""]))
    out = root / (out or name)
    # Where something is sure to run, the template of the kernels gets ready beside the imports below.
    sure = not dask and (fresh or not (out / "index.html").is_file())
    with kernels.warm(ahead=root) if sure else nullcontext():
        from vlr_analysis.review.session import Wanted, review
        from vlr_analysis.review.telling import Console, stoppable

        asked = {"pdf": pdf, "language": language}
        wanted = Wanted(cities or [], notebook or [], out, jobs, limit, fresh, internal, dask, **asked)
        with Console() as console, stoppable():
            ended = review(root, wanted, console)
    for line in ended.lines():
        typer.echo(line, err=True)
    typer.echo(out / "index.html")
    if not ended.whole:
        raise typer.Exit(PART_FAILED)


@app.command(epilog="Example: vlr new cuenca --name Cuenca --country ECU")
def new(
    city: Annotated[str, typer.Argument(help="Id of the city, or its name.", metavar="CITY")],
    name: Annotated[str | None, typer.Option(help="Name as readers know it.")] = None,
    country: Annotated[str, typer.Option(help="ISO 3166-1 alpha-3 code, such as ECU.")] = "XXX",
) -> None:
    """Start a city: a parameter file that explains itself, and an Excel workbook to fill."""
    from vlr_analysis.project import find_root
    from vlr_analysis.review.new_city import new_city

    for line in new_city(city, find_root(), name=name, country=country).lines():
        typer.echo(line)


@app.command("new-method", epilog="Example: vlr new-method years_to_target")
def new_method(
    name: Annotated[str, typer.Argument(help="Name of the method: small letters, digits, underscores.")],
) -> None:
    """Start a method of your own: a file that says what it is, a function to fill, and a test that fails until then."""
    from vlr_analysis.project import find_root
    from vlr_analysis.review.new_method import new_method as make

    for line in make(name, find_root()).lines():
        typer.echo(line)


@app.command(epilog="Example: vlr check bristol   or   vlr check data/bristol.xlsx --format html > check.html")
def check(
    what: Annotated[str, typer.Argument(help="A city of params/, or a workbook or data file.", metavar="FILE|CITY")],
    form: Annotated[Literal["text", "json", "html"], typer.Option("--format", help="How to tell it.")] = "text",
) -> None:
    """Check a city or a file: every problem at once with its cell, then doubts, then what was repaired."""
    from datetime import date

    from vlr_analysis.project import find_root
    from vlr_analysis.review.check import check as look

    try:
        root = find_root()
    except InputError:
        root = None  # a file can be checked without a project
    report = look(what, root, date.today())
    typer.echo(report.render(form))
    raise typer.Exit(report.exit_code)


@app.command(epilog="Example: vlr handover bristol")
def handover(
    city: Annotated[str, typer.Argument(help="A city of params/.", metavar="CITY")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the reports, the hand-over goes below the city's; left out: reports.")
    ] = None,
    language: Annotated[
        str, typer.Option(help="Language of what people read in it; left out: the city's own. Writes to reports-es.")
    ] = "",
) -> None:
    """Write the hand-over to the national review: annex, box and feed, with the same numbers; runs no notebook."""
    from vlr_analysis.cities import load_cities
    from vlr_analysis.language import checked
    from vlr_analysis.project import find_root
    from vlr_analysis.results import Results
    from vlr_analysis.review import deliver

    root = find_root()
    review = Results(load_cities([city], root, language=language)[0])
    out = out or Path(f"reports-{checked(language)}" if language else "reports")
    done = deliver.write_handover(review, root / out / city)
    typer.echo(f"{done['files']} files, box of {done['words']} words with {', '.join(done['numbers']) or 'no number'}")
    typer.echo(done["bundle"])


@app.command(epilog="Example: vlr receive handover.zip")
def receive(
    bundle: Annotated[Path, typer.Argument(help="handover.zip, or the folder of a hand-over.")],
    replace: Annotated[bool, typer.Option("--replace", help="Write over figures of this kit that differ.")] = False,
) -> None:
    """Check a hand-over and import its figures: hashes, tables, and that its three doors say the same."""
    from vlr_analysis.project import find_root
    from vlr_analysis.review.receive import receive as take

    for line in take(bundle, find_root(), replace=replace).lines():
        typer.echo(line)


@app.command(epilog="Example: vlr verify reports/bristol")
def verify(
    report: Annotated[Path, typer.Argument(help="A city's report, a folder of reports, or a zip.", metavar="REPORT")],
    signers: Annotated[
        Path | None, typer.Option(help="Allowed signers, as OpenSSH has them: check signatures.")
    ] = None,
) -> None:
    """Check that a report is what its certificate says; name each file and cell that is not."""
    from vlr_analysis.review.signing import signatures
    from vlr_analysis.review.verify import opened, verified

    wrong = 0
    with opened(report) as folders:
        for folder in folders:
            found = verified(folder)
            held, problems = signatures(found, signers) if signers else ([], [])
            wrong += len(found.differences) + len(problems)
            name = found.held.city["name"]
            typer.echo(f"{name}: {f'{len(found.differences)} differences' if found.differences else 'as certified'}")
            for line in (*found.differences, *held, *problems):
                typer.echo(f"  {line}")
    raise typer.Exit(int(wrong > 0))


@app.command(epilog="Example: vlr reproduce reports/bristol")
def reproduce(
    report: Annotated[Path, typer.Argument(help="A city's report, a folder of reports, or a zip.", metavar="REPORT")],
    theirs: Annotated[
        bool, typer.Option("--theirs", help="Take the figures from the report's hand-over, not from this project.")
    ] = False,
    sign: Annotated[Path | None, typer.Option(help="Private key of OpenSSH: sign what was reproduced.")] = None,
    party: Annotated[str, typer.Option(help="Who signs, with --sign.")] = "",
    out: Annotated[Path, typer.Option(help="Folder of the signed record.")] = Path("signatures"),
) -> None:
    """Run a published review again, here, and say which level it reaches and every cell that differs."""
    from vlr_analysis.project import find_root
    from vlr_analysis.review import kernels, run, signing
    from vlr_analysis.review.reproduce import reproduce as again

    if sign and not party:
        raise typer.BadParameter("say who signs: --party NAME")
    with kernels.warm():
        found = again(report, find_root(), lambda tasks, folder: run.run_all(tasks, folder, run.jobs()), theirs=theirs)
    for one in found:
        for line in one.lines():
            typer.echo(line)
        if sign:
            typer.echo(signing.sign(one, sign, party, out))
    raise typer.Exit(int(any(one.level in ("L0", "L1") for one in found)))


@app.command(epilog="Example: vlr crate reports/bristol -o crates/bristol")
def crate(
    report: Annotated[Path, typer.Argument(help="A city's report, a folder of reports, or a zip.", metavar="REPORT")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the crate.")],
    published: Annotated[str, typer.Option(help="Date of publication, ISO 8601.")] = "",
) -> None:
    """Write a report as an RO-Crate, the form in which archives of research keep it (extra `crate`)."""
    from vlr_analysis.review.crate import write

    for folder in write(report, out, published=published):
        typer.echo(folder)


@app.command(epilog="Example: vlr counts")
def counts() -> None:
    """How many voluntary local reviews are there? Every published count with its scope; they do not agree."""
    from vlr_analysis.cities import vlr_counts

    for row in vlr_counts().itertuples():
        typer.echo(f"{row.published}: {row.count} {row.counted} ({row.scope}). {row.publisher}: {row.title}. {row.url}")
    typer.echo("There is no one number: documents and governments are counted, by different rules and dates.")


def main() -> None:
    """Run a command; problems with the input end in one message and exit code 1, never in a traceback."""
    # A Windows console may not know every letter of a city's name; the page does.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except InputError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
