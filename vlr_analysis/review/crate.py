"""A city's report as an RO-Crate: what was made from what, for archives and for other tools."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from vlr_analysis.errors import InputError, Problem, raise_if_any
from vlr_analysis.exhibits import slug
from vlr_analysis.params import DATA, PARAMS
from vlr_analysis.review.certificate import FILE, TABLES, Certificate
from vlr_analysis.review.handover import HANDOVER
from vlr_analysis.review.receive import PACKAGE
from vlr_analysis.review.staged import staging
from vlr_analysis.review.verify import Verified, opened, verified

METADATA = "ro-crate-metadata.json"
VERSION = "1.1"  # of the specification: the one that most tools read
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
SPDX = re.compile(r"[A-Za-z0-9.+-]*-?\d+(\.\d+)*[A-Za-z0-9.+-]*")
FORMATS = {
    ".ipynb": "application/x-ipynb+json", ".jsonl": "application/jsonl", ".json": "application/json",
    ".csv": "text/csv", ".yaml": "application/yaml", ".yml": "application/yaml", ".html": "text/html",
    ".md": "text/markdown", ".pdf": "application/pdf",
    ".txt": "text/plain", ".png": "image/png", ".zip": "application/zip",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}  # fmt: skip


def write(report: Path, out: Path, *, published: str = "") -> list[Path]:
    """Write each city of a report as an RO-Crate.

    Parameters
    ----------
    report : Path
        As `verify.verify` takes it; it must be what its certificates say.
    out : Path
        Folder of the crate; of several cities, the folder that gets one for each.
    published : str
        Date of publication, ISO 8601. The kit knows none; left out, the last day of the year of the newest figures
        stands for it, and the crate says so.

    Returns
    -------
    list of Path
        Folders of the crates. The same report gives the same bytes.

    Raises
    ------
    InputError
        `rocrate` is not installed, the report differs from its certificate or is internal, `out` holds something else.
    """
    _check_installed()
    with opened(report) as folders:
        checked = [verified(folder) for folder in folders]
        targets = [out / one.held.city["id"] if len(checked) > 1 else out for one in checked]
        raise_if_any("crate", [problem for one, target in zip(checked, targets, strict=True)
                               for problem in _problems(one, target, published)])  # fmt: skip
        for one, target in zip(checked, targets, strict=True):
            _write_one(one, target, published)
        return targets


def _check_installed() -> None:
    try:
        import rocrate  # noqa: F401
    except ImportError:
        fix = 'python -m pip install "vlr-analysis[crate]"'
        raise InputError("crate", [Problem("crate", "no package rocrate", "the extra `crate`", fix)]) from None


def _problems(one: Verified, target: Path, published: str) -> list[Problem]:
    found = []
    if one.differences:
        fix = "see `vlr verify`; run the review again"
        found.append(Problem(one.held.city["id"], str(one.differences[0]), "the report as it was certified", fix))
    if one.held.internal:
        found.append(Problem(one.held.city["id"], "an internal report", "a public one", "run it without --internal"))
    if target.exists() and not (target / METADATA).is_file():
        found.append(Problem(str(target), "something that is no crate", "a crate, or nothing", "choose another folder"))
    if published and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", published):
        found.append(Problem("--published", repr(published), "a date such as 2026-03-31", "write year-month-day"))
    return found


def _write_one(one: Verified, target: Path, published: str) -> None:
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version=VERSION)
    summary = json.loads((one.folder / "review.json").read_text(encoding="utf-8"))
    files = {name: _file(crate, one.folder, name) for name in (*one.held.files, FILE)}
    for path in sorted((one.folder / "signatures").glob("*")):
        name = path.relative_to(one.folder).as_posix()
        files[name] = _file(crate, one.folder, name)
    _describe(crate, one, summary["last"], published)
    crate.root_dataset["mentions"] = _actions(crate, one.held, files)
    with staging(target) as staged:
        crate.write(staged / "new")
        if target.exists():
            target.replace(staged / "old")
        (staged / "new").replace(target)


def _file(crate: Any, folder: Path, name: str) -> Any:
    properties = {"name": name, "contentSize": str((folder / name).stat().st_size)}
    known = FORMATS.get(Path(name).suffix)
    return crate.add_file(folder / name, name, properties=properties | ({"encodingFormat": known} if known else {}))


def _describe(crate: Any, one: Verified, last: str, published: str) -> None:
    """Fill in the root: what an archive asks of a data set."""
    held, root = one.held, crate.root_dataset
    contact, licence = held.parameters.get("contact", ""), held.parameters.get("licence", "")
    publisher = _entity(crate, "#publisher", "Organization", name=held.publisher)
    note = "This city does not exist; its figures serve to teach. " if held.made_up else ""
    dated = (
        ""
        if published
        else f"The date is the end of the newest figures ({last}); the day of publication is not known. "
    )
    root["name"] = f"{held.city['name']}: voluntary local review"
    root["description"] = (
        f"{note}Findings, tables, notebooks and hand-over of a review of the Sustainable Development Goals. {dated}"
        f"{FILE} holds the hash of every file and of what they were made from."
    )
    root["datePublished"] = published or f"{last}-12-31"
    root["license"] = _licence(crate, licence)
    root["author"] = root["publisher"] = publisher
    root["conformsTo"] = _entity(
        crate, PROFILE, "CreativeWork", name="Process Run Crate", version=PROFILE.rsplit("/")[-1]
    )
    root["identifier"] = f"sha256:{one.sha256}"
    root["citation"] = (
        f"{held.publisher} ({(published or last)[:4]}). {held.city['name']}: voluntary local review. "
        + (f"Results SHA-256 {held.results.sha256}.")
    )
    if contact:
        reach = {"email": contact} if re.fullmatch(r"[^@\s]+@[^@\s]+", contact) else {}
        publisher["contactPoint"] = _entity(crate, "#contact", "ContactPoint", name=contact, **reach)


def _licence(crate: Any, text: str) -> Any:
    if text.startswith("https://"):
        return _entity(crate, text, "CreativeWork", name=text)
    if SPDX.fullmatch(text):
        return _entity(crate, f"https://spdx.org/licenses/{text}", "CreativeWork", name=text)
    told = text or "Terms of the sources: see tables/provenance.csv, column licence"
    return _entity(crate, "#licence", "CreativeWork", name=told, description=told)


def _actions(crate: Any, held: Certificate, files: dict[str, Any]) -> list[Any]:
    """Say what each notebook has used and made, and what the kit has made of all of them."""
    kit = _entity(crate, "#vlr-analysis", "SoftwareApplication", name="VLR Analysis Kit", version=held.package.version,
                  softwareVersion=held.package.version, sha256=held.package.sha256)  # fmt: skip
    used = [
        _entity(crate, f"#input-{slug(name)}", "CreativeWork", name=name, description=f"SHA-256 of {one.hash_of}",
                **({"sha256": one.sha256} if one.sha256 else {}))
        for name, one in held.inputs.items()
        if name.startswith((f"{DATA}/", f"{PARAMS}/"))
    ]  # fmt: skip
    carried = f"{HANDOVER}/{PACKAGE}/"
    used += [files[name] for name in files if name.startswith(carried)]
    found, made_by_notebooks = [], []
    for name, notebook in held.notebooks.items():
        stem = Path(name).stem
        source = _entity(crate, f"#notebook-{slug(stem)}", ["SoftwareSourceCode", "SoftwareApplication"],
                         name=f"notebooks/{name}", sha256=notebook.file, programmingLanguage="Python")  # fmt: skip
        made = [files[one] for one in files
                if one in (name, f"{stem}.html") or one.startswith(f"{TABLES}/{stem}_")]  # fmt: skip
        made_by_notebooks += made
        title = f"Run of {name} with the parameters of {held.city['name']}"
        found.append(_action(crate, f"#run-{slug(stem)}", title, [source, kit], used, made))
    left = [one for name, one in files.items() if one not in made_by_notebooks and not name.startswith(carried)]
    notebooks = [files[name] for name in held.notebooks]
    return [*found, _action(crate, "#delivery", "Pages, findings, hand-over and certificate", [kit], notebooks, left)]


def _action(crate: Any, name: str, title: str, instrument: list, used: list, made: list) -> Any:
    return crate.add_action(instrument, identifier=name, object=used, result=made, properties={"name": title})


def _entity(crate: Any, at: str, kind: str | list[str], **properties: Any) -> Any:
    from rocrate.model.contextentity import ContextEntity

    return crate.add(ContextEntity(crate, at, properties={"@type": kind, **properties}))
