"""What `vlr comments` does: sheets out, sheets in, the log."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.language import SOURCE, using
from vlr_analysis.params import read_parameters
from vlr_analysis.review import comments, comments_read, comments_sheet, inputs
from vlr_analysis.review.certificate import FINDINGS
from vlr_analysis.review.comments_sheet import ANSWERING, COMMENTING
from vlr_analysis.review.staged import SUMMARY


def sheet(report: Path, out: Path, reports: Path = Path("reports")) -> list[str]:
    """Write the sheet for experts of a city's report; return what to say.

    `reports` is looked into for a city whose name is given in place of its report.

    Raises
    ------
    InputError
        No report of one city, or another ending than .xlsx or .csv.
    """
    beside = reports / report.name
    if not report.exists() and report.name and (beside / FINDINGS).is_file():
        fix = f"did you mean {beside.as_posix()}? That is the report of the city"
        raise InputError(str(report), [Problem(str(report), "no such folder", "a report of one city", fix)])
    findings = comments_sheet.read_findings(report)
    about = _about(report)
    titles = {one["notebook"]: one["title"] for one in about.get("chapters", [])}
    rows = comments_sheet.to_comment(findings, titles)
    with using(str(about.get("language") or SOURCE)):
        comments_sheet.write(rows, COMMENTING, out, str(about.get("name", report.name)))
    return [f"{len(rows)} findings in {out}"]


def merge(files: Sequence[Path], city: str, root: Path, reports: Path, *, hold: bool = False) -> list[str]:
    """Take sheets and forms into the register of a city; return what to say.

    Raises
    ------
    InputError
        No such city, or problems in files; nothing is written then.
    """
    read_parameters(city, root)
    return comments_read.merge(files, city, root, _findings(reports / city), hold=hold).lines()


def log(city: str, root: Path, reports: Path, out: Path | None) -> list[str]:
    """Write the response log of a city, or return it as lines.

    Raises
    ------
    InputError
        No such city, a damaged register, no report to compare with.
    """
    chosen = read_parameters(city, root)
    name = chosen.name
    held = comments.latest(comments.read_register(root / inputs.comments_of(city)))
    if not held:
        return [f"No comment on {name} yet."]
    findings = _findings(reports / city)
    if not findings:
        where = f"{reports.name}/{city}"
        problem = Problem(where, "no report", "the report that the comments stand beside", f"run `vlr run {city}`")
        raise InputError(where, [problem])
    standing = comments.stand(held, findings)
    if out is None:
        return list(comments.log_lines(standing))
    with using(str(_about(reports / city).get("language") or chosen.language)):
        comments_sheet.write(comments_sheet.to_answer(standing), ANSWERING, out, name)
    return [f"{len(standing)} comments in {out}"]


def _findings(report: Path) -> list[dict[str, Any]]:
    return comments_sheet.read_findings(report) if (report / FINDINGS).is_file() else []


def _about(report: Path) -> dict[str, Any]:
    try:
        return json.loads((report / SUMMARY).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
