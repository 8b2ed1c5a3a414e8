"""The commands about what readers answer and what changed: thin, no logic of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def comments(
    what: Annotated[
        list[str],
        typer.Argument(help="A report; with --log a city; with --merge files and then a city.", metavar="WHAT..."),
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Sheet to write: .xlsx or .csv.")] = None,
    merge: Annotated[bool, typer.Option("--merge", help="Take sheets and forms into the city's comments.")] = False,
    log: Annotated[bool, typer.Option("--log", help="Tell the comments and answers of a city.")] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="With --merge: new comments are under review, on no page.")
    ] = False,
    reports: Annotated[Path, typer.Option(help="Folder of the reports.")] = Path("reports"),
) -> None:
    """Comments as data: a sheet for experts, their answers merged, a log of responses."""
    from vlr_analysis.project import find_root
    from vlr_analysis.review import comments_desk as desk

    if merge and log:
        raise typer.BadParameter("choose one of --merge and --log")
    if merge and len(what) < 2:
        raise typer.BadParameter("name the files, and then the city")
    if not merge and len(what) > 1:
        raise typer.BadParameter("name one report or city")
    if not merge and not log and out is None:
        raise typer.BadParameter("say which sheet to write: -o comments.xlsx")
    root = None if not (merge or log) else find_root()
    if merge:
        told = desk.merge([Path(name) for name in what[:-1]], what[-1], root, root / reports, hold=hold)
    elif log:
        told = desk.log(what[0], root, root / reports, out)
    else:
        told = desk.sheet(Path(what[0]), out, reports)
    for line in told:
        typer.echo(line)


def diff(
    old: Annotated[Path, typer.Argument(help="The older report: folder of a city or of several, or a zip.")],
    new: Annotated[Path, typer.Argument(help="The newer one.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the page and the table.")] = Path("what-changed"),
) -> None:
    """What changed between two reviews: findings added, removed, changed, and why."""
    from vlr_analysis.review import diff as compared
    from vlr_analysis.review import diff_page

    found = compared.diff(old, new)
    for one in found:
        for line in diff_page.lines(one):
            typer.echo(line)
    for path in diff_page.write(found, out):
        typer.echo(path)


def add_to(app: typer.Typer) -> None:
    """Put the commands of this module beside the others."""
    app.command(epilog="Example: vlr comments reports/bristol -o comments.xlsx")(comments)
    app.command(epilog="Example: vlr diff reports-2025/bristol reports/bristol -o what-changed")(diff)
