"""Running a published review again: from another checkout, with other figures, other code, another city's hand-over."""

import functools
import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from test_certificate import CITY, ROOT, TABLE, checkout, edit, made_up_report, reseal, review

from vlr_analysis.cities import load_city
from vlr_analysis.errors import InputError
from vlr_analysis.review import certificate, plan, reproduce, run, signing, verify

FIGURE = f"{CITY},1.2.1,population below the national poverty line,%,2024,,"


def one_figure(root):
    """Change the newest headline figure of poverty."""
    path = root / "data" / f"{CITY}.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith(FIGURE))
    value = lines[at].split(",")[6]
    lines[at] = lines[at].replace(f",{value},", f",{float(value) + 1:.2f},", 1)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="")


@functools.cache
def elsewhere(change=None):
    """Return another checkout of the project and what its notebooks gave; they run once, whatever asks."""
    place = Path(tempfile.mkdtemp(prefix="vlr-test-")) / "ailleurs é"
    root = checkout(place / "second", **({"change": change} if change else {}))
    return root, review(root, place / "reports")


def ran(folder):
    """Give a runner that takes the executed notebooks of a report that is there already."""

    def copy(tasks, place):
        for task in tasks:
            target = run.staged(task, place)
            target.parent.mkdir(parents=True, exist_ok=True)
            yield run.Outcome(task, Path(shutil.copy(folder / task.notebook.name, target)))

    return copy


def again(root, folder, report=None):
    return reproduce.reproduce(report or made_up_report(), root, ran(folder))[0]


def test_two_checkouts_give_the_same_bytes():
    _, second = elsewhere()
    first = made_up_report()
    names = sorted(path.relative_to(first).as_posix() for path in first.rglob("*") if path.is_file())
    assert names == sorted(path.relative_to(second).as_posix() for path in second.rglob("*") if path.is_file())
    assert len(names) > 40
    assert [name for name in names if (first / name).read_bytes() != (second / name).read_bytes()] == []


def test_a_report_of_another_checkout_is_reproduced(monkeypatch):
    root, second = elsewhere()
    monkeypatch.chdir(second)
    found = again(root, second)
    assert (found.level, found.equal, found.differences) == ("L3", True, ())
    assert found.lines() == [f"Pôrto Exemplo: L3, {certificate.LEVELS['L3']}."]


def test_a_report_is_reproduced_in_its_language(tmp_path):
    first = made_up_report()
    root = checkout(tmp_path / "third")
    city, seen = load_city(CITY, root, language="fr"), []
    tasks = plan.plan([city.parameters], plan.chosen_notebooks(root, []), root, internal=False, language="fr")
    reproduce.write_report(city, tasks, ran(first), tmp_path / "reports")
    report = tmp_path / "reports" / CITY
    for name, told, english in (
        ("index.html", "Bonne santé et bien-être", "Good health"),
        ("evidence.html", "Variation par an", "Change per year"),
        ("certificate.html", "exécuté à nouveau", "run again"),
    ):
        page = (report / name).read_text(encoding="utf-8")
        assert '<html lang="fr"' in page
        assert told in page
        assert english not in page

    def runner(tasks, place):
        seen.extend(tasks)
        return ran(first)(tasks, place)

    found = reproduce.reproduce(report, root, runner)[0]
    assert (found.level, found.differences) == ("L3", ())
    assert [task.parameters["language"] for task in seen] == ["fr", "fr"]


def test_one_changed_figure_says_exactly_what_differs():
    root, second = elsewhere(one_figure)
    found = again(root, second)
    assert (found.level, found.equal) == ("L0", False)
    given = [item for item in found.differences if item.kind == "input"]
    assert [item.file for item in given] == [f"data/{CITY}.csv"]
    assert "1.2.1" in given[0].where
    assert "2024" in given[0].where
    assert given[0].where.endswith("column value")
    assert float(given[0].here) - float(given[0].there) == pytest.approx(1)
    assert not [item for item in found.differences if item.kind in ("code", "environment", "file")]
    cells = [item for item in found.differences if item.kind in ("cell", "rounding") and item.file == TABLE]
    assert "cell" in {item.kind for item in cells}
    assert all("1.2.1" in item.where for item in cells if "slope" in item.where)
    before, after = (
        pd.read_csv(folder / TABLE, dtype=str, keep_default_na=False) for folder in (made_up_report(), second)
    )
    assert len(cells) == (before != after).sum(axis=None)
    assert {item.file for item in found.differences if item.kind == "sentence"} == {"findings.jsonl"}
    assert found.lines()[0].startswith("Pôrto Exemplo: L0, not reproduced: other inputs; results differ")


def test_a_changed_parameter_is_named(tmp_path):
    _, second = elsewhere()
    root = checkout(
        tmp_path / "third", change=lambda root: edit(root / "params" / f"{CITY}.yaml", "target: 10", "target: 12")
    )
    found = again(root, second)
    given = [(item.file, item.where, item.there, item.here) for item in found.differences if item.kind == "input"]
    assert given == [(f"params/{CITY}.yaml", "key indicators 1.target", "10.0", "12.0")]
    assert found.level == "L0"


def test_other_code_is_named_and_equal_results_are_said_to_be_so(tmp_path):
    _, second = elsewhere()
    root = checkout(
        tmp_path / "third", change=lambda root: edit(root / "notebooks/02_trends.ipynb", "import", "import ")
    )
    found = again(root, second)
    assert [(item.kind, item.file) for item in found.differences] == [("code", "notebooks/02_trends.ipynb")]
    assert (found.level, found.equal) == ("L0", True)
    assert "every result is equal all the same" in found.lines()[0]


def test_another_layout_of_the_same_figures_is_the_same_input(tmp_path):
    """Excel quotes and orders otherwise: what counts is what the review shows."""

    def quoted(root):
        path = root / "data" / "republica-exemplo.csv"
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        table.to_csv(path, index=False, quoting=1, lineterminator="\r\n")

    _, second = elsewhere()
    root = checkout(tmp_path / "third", change=quoted)
    assert again(root, second).level == "L3"


def test_another_environment_is_told_and_lowers_nothing(tmp_path):
    root, second = elsewhere()
    report = Path(shutil.copytree(made_up_report(), tmp_path / CITY))
    there = verify.read(report)[0].environment
    reseal(report, environment=there | {"pandas": "1.0.0"}, lock="0" * 64)
    found = again(root, second, report)
    assert found.level == "L3"
    told = [(item.kind, item.file, item.there) for item in found.differences]
    assert told == [("environment", "pandas", "1.0.0"), ("environment", "requirements.lock", "SHA-256 000000000000…")]


def tables_with(report, old, new):
    """Let a machine round a cell otherwise: table, notebook and hashes are those of an honest report."""
    for name in (TABLE, "02_trends.ipynb"):
        path = report / name
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
    reseal(report, results=certificate.results_of(report))


@pytest.mark.parametrize(("units", "level", "kind"), [(1, "L2", "rounding"), (2, "L1", "cell")])
def test_a_rounding_edge_is_no_difference_but_is_printed(tmp_path, units, level, kind):
    root, second = elsewhere()
    report = Path(shutil.copytree(made_up_report(), tmp_path / CITY))
    table = pd.read_csv(report / TABLE, dtype=str, keep_default_na=False)
    old = next(one for one in table["intercept"] if len(one.lstrip("-").replace(".", "")) == 6 and "e" not in one)
    decimals = len(old.partition(".")[2])
    new = f"{float(old) + units * 10**-decimals:.{decimals}f}"
    assert len(new) == len(old)
    tables_with(report, old, new)
    found = again(root, second, report)
    assert found.published.differences == ()
    assert found.level == level
    told = {(item.kind, item.there, item.here) for item in found.differences if item.file == TABLE}
    assert told == {(kind, new, old)}


def test_a_report_that_is_not_what_it_says_is_not_reproduced(tmp_path):
    root, second = elsewhere()
    report = Path(shutil.copytree(made_up_report(), tmp_path / CITY))
    edit(report / "index.html", "Pôrto", "Porto")
    found = again(root, second, report)
    assert found.level == "L0"
    assert "not what its certificate says" in found.lines()[0]
    assert found.differences[0].file == "index.html"


def test_a_failed_notebook_is_told_in_words():
    root, _ = elsewhere()

    def failing(tasks, place):
        yield run.Outcome(tasks[0], place / "none", error="MemoryError: no memory")

    with pytest.raises(InputError, match="no memory"):
        reproduce.reproduce(made_up_report(), root, failing)


@pytest.mark.slow
def test_a_city_reproduces_another_citys_review_from_its_hand_over(tmp_path):
    """City B has none of A's figures: they come with the report, as it shows them."""
    root = checkout(tmp_path / "city b")
    for path in (*(root / "params").glob("*"), root / "data" / f"{CITY}.csv", root / "data" / "republica-exemplo.csv",
                 root / "data" / "voices" / f"{CITY}.csv"):  # fmt: skip
        path.unlink()
    before = sorted(root.rglob("*"))
    found = reproduce.reproduce(made_up_report(), root, lambda tasks, place: run.run_all(tasks, place, 2))[0]
    assert [str(item) for item in found.differences if item.kind != "environment"] == []
    assert found.level == "L3"
    assert sorted(root.rglob("*")) == before


def test_a_city_that_nobody_knows_and_no_hand_over(tmp_path):
    report = Path(shutil.copytree(made_up_report(), tmp_path / CITY))
    shutil.rmtree(report / "handover")
    reseal(report)
    root = checkout(tmp_path / "city b")
    (root / "params" / f"{CITY}.yaml").unlink()
    with pytest.raises(InputError, match=r"neither params/porto-exemplo\.yaml here nor handover/"):
        reproduce.reproduce(report, root, ran(report))


# --- signatures --------------------------------------------------------------------------------


@pytest.fixture
def signed(tmp_path):
    """Return a reproduction, the key of a party and the file that allows it."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("no ssh-keygen on this machine")
    root, second = elsewhere()
    report = Path(shutil.copytree(made_up_report(), tmp_path / CITY))
    key, allowed = tmp_path / "key", tmp_path / "allowed"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
    allowed.write_text(f"city-b {(tmp_path / 'key.pub').read_text()}", encoding="utf-8")
    return again(root, second, report), key, allowed


def test_signed_on_another_platform_is_level_4(signed, monkeypatch):
    found, key, allowed = signed
    folder = found.published.folder / "signatures"
    monkeypatch.setattr(
        signing, "this_platform", lambda: {"system": "Windows", "machine": "AMD64", "python": "CPython 3.12"}
    )
    path = signing.sign(found, key, "Statistics office of B", folder)
    assert path.name == f"statistics-office-of-b-{CITY}.json"
    (held,), problems = signing.signatures(found.published, allowed)
    assert (held.level, held.signer, problems) == ("L4", "city-b", [])
    assert verify.verify(found.published.folder) == []


def test_what_a_level_4_lacks_is_said(signed):
    found, key, allowed = signed
    folder = found.published.folder / "signatures"
    signing.sign(found, key, "Statistics office of B", folder)
    (held,), _ = signing.signatures(found.published, allowed)
    assert (held.level, held.why) == ("L3", "the same system and kind of processor")
    shutil.rmtree(folder)
    signing.sign(found, key, "pôrto exemplo", folder)
    (held,), _ = signing.signatures(found.published, allowed)
    assert (held.level, held.why) == ("L3", "the publisher signed")


def test_a_changed_record_a_strange_key_and_another_review_are_refused(signed, tmp_path):
    found, key, allowed = signed
    folder = found.published.folder / "signatures"
    path = signing.sign(replace(found, level="L2"), key, "City B", folder)
    edit(path, '"L2"', '"L3"')
    held, problems = signing.signatures(found.published, allowed)
    assert held == []
    assert "does not fit the record" in str(problems[0])
    edit(path, '"L3"', '"L2"')
    assert len(signing.signatures(found.published, allowed)[0]) == 1
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(tmp_path / "other")], check=True)
    (tmp_path / "strange").write_text(f"city-c {(tmp_path / 'other.pub').read_text()}", encoding="utf-8")
    assert "does not name" in str(signing.signatures(found.published, tmp_path / "strange")[1][0])
    another = replace(found.published, sha256="0" * 64)
    assert "another version" in str(signing.signatures(another, allowed)[1][0])


def test_nothing_is_signed_that_was_not_reproduced(signed):
    found, key, _ = signed
    with pytest.raises(InputError, match="L0, not reproduced"):
        signing.sign(replace(found, level="L0"), key, "City B", found.published.folder / "signatures")
    with pytest.raises(InputError, match="private key"):
        signing.sign(found, key.with_name("no key"), "City B", found.published.folder / "signatures")
    assert not (found.published.folder / "signatures").exists()


def test_a_machine_without_ssh_keygen_says_so(signed, monkeypatch):
    found, key, allowed = signed
    signing.sign(found, key, "City B", found.published.folder / "signatures")
    monkeypatch.setattr(signing.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="install OpenSSH"):
        signing.sign(found, key, "City B", found.published.folder / "signatures")
    with pytest.raises(InputError, match="no such file"):
        signing.signatures(found.published, allowed.with_name("none"))
    assert "install OpenSSH" in str(signing.signatures(found.published, allowed)[1][0])
    assert str(ROOT) not in str(signing.signatures(found.published, allowed)[1][0])
