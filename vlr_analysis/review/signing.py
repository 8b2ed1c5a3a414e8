"""Signing that a review was reproduced, and checking such signatures, with the `ssh-keygen` that systems ship."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from vlr_analysis.errors import InputError, Problem
from vlr_analysis.exhibits import slug
from vlr_analysis.review.certificate import LEVELS, Sha, as_bytes, this_platform
from vlr_analysis.review.reproduce import Reproduction
from vlr_analysis.review.staged import SIGNATURES
from vlr_analysis.review.verify import Verified

NAMESPACE = "vlr-reproduction"
LARGEST = 64 * 1024  # bytes of a record or a signature
WAIT = 60  # seconds for a check; a signature may wait for a passphrase as long as it takes


class Record(BaseModel):
    """What a signer says: which certificate was reproduced, how far, where, by whom."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["vlr-reproduction"] = NAMESPACE
    version: Literal[1] = 1
    certificate: Sha
    city: str
    level: Literal["L1", "L2", "L3"]
    party: str
    platform: dict[str, str]
    statement: str


@dataclass(frozen=True)
class Signature:
    """A signature that holds, and what it comes to.

    Attributes
    ----------
    record : Record
    signer : str
        As the file of allowed signers names the key.
    level : str
        L4 where another party has signed for another platform, and at least L2 was reached; else the record's.
    why : str
        What an L4 lacks; empty for L4.
    """

    record: Record
    signer: str
    level: str
    why: str

    def __str__(self) -> str:
        told = f"{self.level}, {LEVELS[self.level]}: signed by {self.signer} for {self.record.party}"
        return f"{told}, on {' '.join(self.record.platform.values())}" + (f" (no L4: {self.why})" if self.why else "")


# --- signing -----------------------------------------------------------------------------------


def sign(found: Reproduction, key: Path, party: str, folder: Path) -> Path:
    """Write a record of a reproduction and its signature.

    Parameters
    ----------
    found : Reproduction
        Of level L1 or better.
    key : Path
        Private key of OpenSSH; it asks for its passphrase itself.
    party : str
        Name of who has reproduced the review, as the publisher knows it.
    folder : Path
        Where `<party>-<city>.json` and its `.sig` go; beside the report in `signatures/` they are found again.

    Returns
    -------
    Path
        The record.

    Raises
    ------
    InputError
        L0, no name, no such key, no `ssh-keygen`, or a key that it does not take.
    """
    city = found.published.held.city["id"]
    if found.level == "L0":
        fix = "mend what differs, and reproduce it again"
        raise InputError("--sign", [Problem(f"review of {found.city}", "L0, not reproduced", "L1 or better", fix)])
    if not slug(party):
        raise InputError("--party", [Problem("--party", repr(party), "the name of who signs", "give it in letters")])
    record = Record(
        certificate=found.published.sha256,
        city=city,
        level=found.level,
        party=party,
        platform=this_platform(),
        statement=f"The review of {found.city} was run again: {LEVELS[found.level]}.",
    )
    content = as_bytes(record.model_dump(mode="json"))
    done = _keygen("sign", "-f", str(key), content=content, wait=None)
    if done.returncode:
        problem = Problem(
            f"--sign {key.name}", _said(done), "a private key of OpenSSH", "make one: ssh-keygen -t ed25519"
        )
        raise InputError("--sign", [problem])
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{slug(party)}-{city}.json"
    path.write_bytes(content)
    path.with_name(f"{path.name}.sig").write_bytes(done.stdout)
    return path


# --- checking ----------------------------------------------------------------------------------


def signatures(published: Verified, allowed: Path) -> tuple[list[Signature], list[Problem]]:
    """Check every record in `signatures/` of a report.

    Parameters
    ----------
    published : Verified
    allowed : Path
        Allowed signers, a line each as OpenSSH has it: ``name ssh-ed25519 AAAA...``. Who writes this file says whose
        key is whose.

    Returns
    -------
    list of Signature
        Those that hold.
    list of Problem
        One for each that does not: another certificate, a key that is not allowed, a changed record.
    """
    if not allowed.is_file():
        fix = "write one line for each signer: name, type of key, key"
        raise InputError("--signers", [Problem(f"--signers {allowed.name}", "no such file", "allowed signers", fix)])
    held, problems = [], []
    for path in sorted((published.folder / SIGNATURES).glob("*.json")):
        where = f"{SIGNATURES}/{path.name}"
        try:
            held.append(_checked(path, where, published, allowed))
        except InputError as error:
            problems += error.problems
    return held, problems


def _checked(path: Path, where: str, published: Verified, allowed: Path) -> Signature:
    fix = "ask the signer for both files again"
    signature = path.with_name(f"{path.name}.sig")
    if not signature.is_file() or max(path.stat().st_size, signature.stat().st_size) > LARGEST:
        raise InputError(where, [Problem(where, "no signature of usual size beside it", signature.name, fix)])
    content = path.read_bytes()
    signer = _signer(content, signature, allowed, where)
    try:
        record = Record.model_validate(json.loads(content.decode("utf-8")))
    except (ValidationError, ValueError, RecursionError):
        raise InputError(where, [Problem(where, "text that is no record", "one that the kit wrote", fix)]) from None
    if record.certificate != published.sha256:
        found, expected = f"certificate {record.certificate[:12]}…", f"{published.sha256[:12]}…, the one of this report"
        problem = Problem(where, found, expected, "it was signed for another version: ask to reproduce this one")
        raise InputError(where, [problem])
    why = _lacking(record, signer, published)
    return Signature(record, signer, record.level if why else "L4", why)


def _lacking(record: Record, signer: str, published: Verified) -> str:
    """Say what a record lacks of L4: at least L2, another party, another system or processor."""
    held = published.held
    own = {slug(held.publisher), held.city["id"]}
    if published.differences:
        return "the report is not what its certificate says"
    if record.level == "L1":
        return "results differ"
    if {slug(record.party), slug(signer)} & own:
        return "the publisher signed"
    if all(record.platform.get(name) == held.platform.get(name) for name in ("system", "machine")):
        return "the same system and kind of processor"
    return ""


def _signer(content: bytes, signature: Path, allowed: Path, where: str) -> str:
    """Return the name under which the key is allowed, after the signature was checked."""
    at = ("-f", str(allowed), "-s", str(signature))
    named = _keygen("find-principals", *at, content=b"", namespace=False)
    names = named.stdout.decode("utf-8", errors="replace").split("\n")
    for name in (name.strip() for name in names if name.strip() and not named.returncode):
        if _keygen("verify", *at, "-I", name, content=content).returncode == 0:
            return name
    found = "a key that --signers does not name" if named.returncode else "a signature that does not fit the record"
    raise InputError(where, [Problem(where, found, "a signature of an allowed signer", "ask the signer again")])


def _keygen(what: str, *arguments: str, content: bytes, namespace: bool = True, wait: float | None = WAIT):
    """Call `ssh-keygen -Y`; the record goes in on standard input."""
    program = shutil.which("ssh-keygen")
    if program is None:
        fix = "install OpenSSH 8.2 or newer (part of Windows 10, macOS and Linux), or sign on another machine"
        raise InputError("ssh-keygen", [Problem("ssh-keygen", "no such program", "OpenSSH", fix)])
    space = ["-n", NAMESPACE] if namespace else []
    with tempfile.TemporaryDirectory(prefix="vlr-sign-") as place:
        return subprocess.run([program, "-Y", what, *arguments, *space], input=content, capture_output=True,
                              check=False, timeout=wait, cwd=place)  # fmt: skip


def _said(done: subprocess.CompletedProcess) -> str:
    lines = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
    return lines[-1].strip()[:200] if lines else f"exit status {done.returncode}"
