"""The form for comments, a page of a city's report."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from vlr_analysis.findings import Finding
from vlr_analysis.review import comments, pages
from vlr_analysis.review.comments_sheet import LONGEST, key_of

if TYPE_CHECKING:
    from vlr_analysis.cities import City
    from vlr_analysis.review.deliver import Chapter

PAGE = "comments.html"


def write(
    city: City,
    chapters: Sequence[Chapter],
    told: Mapping[str, tuple[str, Finding]],
    summary: Mapping[str, Any],
    folder: Path,
) -> None:
    """Write `comments.html`, and `comments.csv` where the city has comments to show.

    Parameters
    ----------
    city : City
    chapters : sequence of Chapter
    told : mapping
        Id -> chapter that tells the finding first, and the finding.
    summary : mapping
    folder : Path
        Of the report.
    """
    comments.deliver(city.root, city.id, folder)
    script = (pages.TEMPLATES / "comments.js").read_text(encoding="utf-8")
    html = pages.render(
        "comments.html.j2",
        language=city.language,
        city=city,
        summary=summary,
        chapters=chapters,
        groups_of={part.stem: [one for stem, one in told.values() if stem == part.stem] for part in chapters},
        keys={name: key_of(asdict(one)) for name, (_, one) in told.items()},
        comments=comments.beside(city.root, city.id, [one for _, one in told.values()]),
        kinds=comments.KINDS,
        words=comments.words(),
        longest=LONGEST,
        own_script=Markup(script),
        script_hash=Markup(f"{pages.script_hash()}' '{digest(script)}"),
    )
    (folder / PAGE).write_text(html, encoding="utf-8", newline="")


def digest(script: str) -> str:
    """Return the hash by which a page's policy lets a script of its own run."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode("ascii")
