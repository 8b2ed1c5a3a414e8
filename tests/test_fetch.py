"""`vlr fetch`: from a server on this machine and from copies at hand; every file as pinned, or nothing."""

import hashlib
import os
import shlex
import shutil
import socket
import subprocess
import sys
import threading
import tomllib
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pandas as pd
import pytest
from conftest import ROOT
from typer.testing import CliRunner

from vlr_analysis.cli import app
from vlr_analysis.errors import InputError
from vlr_analysis.sources import fetch as module
from vlr_analysis.sources import fetch_download, pins
from vlr_analysis.sources.fetch import ABOUT, fetch

sys.path.insert(0, str(ROOT / "tools"))

import pin

SHARED = ROOT.parent / "shared" / "sources"
COPIES = {"los-angeles": "open-sdg/los-angeles", "united-states": "open-sdg/united-states", "fred": "fred",
          "economic-tracker": "economic-tracker"}  # fmt: skip
FILES = {"LICENSE": b"free", "data/one.csv": b"Year,Value\n2019,1\n", "data/two words.csv": b"Year,Value\n2020,2\n",
         "data/three.csv": b"Year,Value\n2021,3\n", "meta/déf.md": b"---\n---\n"}  # fmt: skip
COMMIT = "0123456789abcdef"


def pinned(files=None, **more):
    made = tuple(pins.Pin(path, hashlib.sha256(content).hexdigest(), len(content))
                 for path, content in (files or FILES).items())  # fmt: skip
    told = {"name": "made-up", "publisher": "P", "title": "T", "repository": "town/figures", "commit": COMMIT,
            "folder": "", "licence": "MIT", "citation": "", "next": 'open-sdg "{folder}" --area town',
            "files": made}  # fmt: skip
    return pins.Repository(**told | more)


@pytest.fixture
def server(monkeypatch):
    """Serve made-up files; `answers` holds (status, content, told length) for each path, `asked` what was asked for."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path = unquote(self.path)
            told.asked.append(path)
            answers = told.answers.get(path, [(404, b"", None)])
            status, content, length = answers.pop(0) if len(answers) > 1 else answers[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) if length is None else length))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(fetch_download.time, "sleep", lambda _: None)
    told = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.address = f"http://127.0.0.1:{told.server_port}"
    told.asked = []
    told.answers = {f"/town/figures/{COMMIT}/{path}": [(200, content, None)] for path, content in FILES.items()}
    thread = threading.Thread(target=told.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield told
    told.shutdown()
    told.server_close()
    thread.join()


@pytest.fixture
def nowhere():
    """Return an address at which nobody listens."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ABOUT}  # fmt: skip


def refusal(*arguments, **options):
    with pytest.raises(InputError) as error:
        fetch(*arguments, **options)
    return error.value


# --- from an address ---------------------------------------------------------------------------------


def test_every_file_comes_as_pinned_and_a_second_time_nothing_is_asked_for(server, tmp_path):
    seen = []
    done = fetch(pinned(), tmp_path / "a" / "b", host=server.address, progress=lambda *told: seen.append(told))
    assert content(tmp_path / "a" / "b") == FILES
    assert (done.new, done.replaced, done.unchanged) == (5, 0, 0)
    assert seen[-1] == ("downloading", 5, 5)
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"], "a working folder or a lock stayed"
    about = (tmp_path / "a" / "b" / ABOUT).read_text(encoding="utf-8")
    assert COMMIT in about and "MIT" in about and "town/figures" in about
    server.asked.clear()
    again = fetch(pinned(), tmp_path / "a" / "b", host=server.address)
    assert (again.new, again.unchanged, server.asked) == (0, 5, [])


def test_every_file_that_fails_is_named_at_once_and_only_those_are_asked_for_again(server, tmp_path):
    base = f"/town/figures/{COMMIT}/"
    good = dict(server.answers)
    server.answers[base + "data/one.csv"] = [(200, b"Year,Value\n2019,9\n", None)]
    server.answers[base + "data/two words.csv"] = [(200, b"Year", 18)]
    server.answers[base + "data/three.csv"] = [(404, b"", None)]
    server.answers[base + "meta/déf.md"] = [(200, b"-" * 1000, None)]
    problems = refusal(pinned(), tmp_path / "out", host=server.address).problems
    found = {unquote(problem.where).removeprefix(server.address + base): problem.found for problem in problems}
    assert found == {
        "data/one.csv": "another content than pinned", "data/two words.csv": "a download that broke off",
        "data/three.csv": "HTTP 404 Not Found", "meta/déf.md": "more than 8 bytes",
    }  # fmt: skip
    assert all("--from" in problem.fix for problem in problems)
    assert not (tmp_path / "out").exists()
    server.answers, server.asked = good, []
    assert fetch(pinned(), tmp_path / "out", host=server.address).new == 5
    assert sorted(server.asked) == sorted(base + path for path in FILES if path != "LICENSE")
    assert content(tmp_path / "out") == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_busy_host_is_asked_again(server, tmp_path):
    for name in ("LICENSE", "data/one.csv"):  # also the first file, which goes alone
        place = f"/town/figures/{COMMIT}/{name}"
        server.answers[place] = [(503, b"", None), (200, FILES[name], None)]
    assert fetch(pinned(), tmp_path / "out", host=server.address).new == 5
    assert len(server.asked) == 7


def test_a_network_that_goes_away_is_one_message_and_what_came_is_kept(server, tmp_path, monkeypatch):
    whole = fetch_download.pooch.HTTPDownloader.__call__

    def breaks(self, url, *rest, **options):
        if "/data/" in url:
            raise fetch_download.requests.ConnectionError("Connection refused")
        return whole(self, url, *rest, **options)

    with monkeypatch.context() as gone:
        gone.setattr(fetch_download.pooch.HTTPDownloader, "__call__", breaks)
        gone.setattr(fetch_download, "AT_A_TIME", 1)
        (problem,) = refusal(pinned(), tmp_path / "out", host=server.address).problems
    assert problem.found == "no answer: the connection is refused"
    assert "4 of 5 files" in problem.expected and "1 file is checked and kept" in problem.expected
    server.asked.clear()
    assert fetch(pinned(), tmp_path / "out", host=server.address).new == 5
    assert len(server.asked) == 4


def test_no_two_downloads_make_the_same_folder(server, tmp_path, monkeypatch):
    """Pooch fails where another download has made a folder a moment before; here they are all there by then."""

    def late(path, *_, **__):
        raise FileExistsError(17, "File exists", path)

    monkeypatch.setattr(fetch_download.pooch.core.os, "makedirs", late)
    assert fetch(pinned(), tmp_path / "out", host=server.address).new == 5


def test_a_repository_that_is_gone_is_one_problem(server, tmp_path):
    error = refusal(pinned(commit="f" * 40), tmp_path / "out", host=server.address)
    assert len(error.problems) == 1
    assert "HTTP 404 Not Found for each of the 5 files" in str(error)
    assert not list(tmp_path.iterdir())


def test_no_network_is_one_message_and_nothing_is_left(nowhere, tmp_path, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(
        fetch_download.time, "sleep", lambda _: pytest.fail("nobody waits for a network that is not there")
    )
    error = refusal(pinned(), tmp_path / "new" / "out", host=nowhere)
    (problem,) = error.problems
    assert problem.found == "no answer: the connection is refused"
    assert "--from" in problem.fix and "HTTPS_PROXY" in problem.fix and f"{COMMIT}.zip" in problem.fix
    assert not list(tmp_path.iterdir())


def test_the_command_ends_with_code_1_and_no_traceback_where_there_is_no_network(nowhere, tmp_path):
    command = [sys.executable, "-m", "vlr_analysis.cli", "fetch", "fred", "--mirror", nowhere]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, encoding="utf-8",
                          env={**os.environ, "NO_PROXY": "127.0.0.1"})  # fmt: skip
    assert done.returncode == 1
    assert "the connection is refused" in done.stderr and "--from" in done.stderr
    assert "Traceback" not in done.stderr and not done.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["file:///etc", "ftp://127.0.0.1", "//x", "mirror"])
def test_a_mirror_is_an_address_of_the_web(host, tmp_path):
    assert "begins with https://" in str(refusal(pinned(), tmp_path / "out", host=host))


# --- from a copy at hand -----------------------------------------------------------------------------


@pytest.fixture
def copy(tmp_path):
    for path, text in FILES.items():
        (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "copy" / path).write_bytes(text)
    return tmp_path / "copy"


def test_a_checkout_an_unpacked_zip_and_the_folder_itself_are_taken(copy, tmp_path):
    below = pinned(
        {path.removeprefix("data/"): FILES[path] for path in FILES if path.startswith("data/")}, folder="data"
    )
    assert fetch(pinned(), tmp_path / "1", copy=copy).others == 0
    assert fetch(below, tmp_path / "2", copy=copy).new == 3
    assert fetch(below, tmp_path / "3", copy=copy / "data").new == 3
    (tmp_path / "zip").mkdir()
    shutil.move(copy, tmp_path / "zip" / f"figures-{COMMIT}")
    assert fetch(below, tmp_path / "4", copy=tmp_path / "zip").new == 3
    assert content(tmp_path / "1") == FILES
    assert content(tmp_path / "2") == content(tmp_path / "3") == content(tmp_path / "4")


def test_what_is_missing_or_differs_in_a_copy_is_named_at_once_and_nothing_is_written(copy, tmp_path):
    (copy / "data/one.csv").unlink()
    (copy / "data/two words.csv").write_bytes(b"Year,Value\n2020,3\n")
    (copy / "data/three.csv").write_bytes(FILES["data/three.csv"].replace(b"\n", b"\r\n"))
    (copy / "LICENSE").write_bytes(b"x" * 5000)
    error = refusal(pinned(), tmp_path / "out", copy=copy)
    found = [problem.found for problem in error.problems]
    assert found == ["5000 bytes of another content", "no file", "18 bytes of another content",
                     "the same text with the line ends of Windows"]  # fmt: skip
    assert "core.autocrlf" in error.problems[3].fix
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]


def test_another_folder_is_one_message(copy, tmp_path):
    (tmp_path / "other").mkdir()
    assert "none of the 5 files, such as LICENSE" in str(refusal(pinned(), tmp_path / "out", copy=tmp_path / "other"))
    assert "no folder" in str(refusal(pinned(), tmp_path / "out", copy=tmp_path / "none"))
    assert not (tmp_path / "out").exists()


def test_a_link_that_leads_out_of_a_copy_is_not_followed(copy, tmp_path):
    (tmp_path / "outside").write_bytes(FILES["data/one.csv"])
    (copy / "data/one.csv").unlink()
    try:
        (copy / "data/one.csv").symlink_to(tmp_path / "outside")
    except OSError:
        pytest.skip("this system gives no links")
    assert "leads out of the folder" in str(refusal(pinned(), tmp_path / "out", copy=copy))


# --- where it goes -----------------------------------------------------------------------------------


def test_files_that_differ_are_written_over_only_where_that_is_asked_for(copy, tmp_path):
    out = tmp_path / "out"
    (out / "data").mkdir(parents=True)
    (out / "LICENSE").write_bytes(b"mine")
    (out / "data/one.csv").write_bytes(b"mine too")
    (out / "data/three.csv").write_bytes(FILES["data/three.csv"])
    (out / "notes.txt").write_bytes(b"kept")
    error = refusal(pinned(), out, copy=copy)
    assert [problem.where for problem in error.problems] == [str(out / "LICENSE"), str(out / "data/one.csv")]
    assert all("--replace" in problem.fix for problem in error.problems)
    assert (out / "LICENSE").read_bytes() == b"mine" and not (out / "meta").exists()
    done = fetch(pinned(), out, copy=copy, replace=True)
    assert (done.new, done.replaced, done.unchanged, done.others) == (2, 2, 1, 1)
    assert content(out) == {**FILES, "notes.txt": b"kept"}
    assert any("holds 1 that are not pinned" in line for line in done.lines())


def test_a_folder_that_cannot_take_the_files_is_refused(copy, tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert "found a file; expected a folder" in str(refusal(pinned(), tmp_path / "file", copy=copy))
    (tmp_path / "out" / "LICENSE").mkdir(parents=True)
    (tmp_path / "out" / "data").write_bytes(b"")
    assert len(refusal(pinned(), tmp_path / "out", copy=copy).problems) == 4  # LICENSE and three below data
    assert "a folder for the files" in str(refusal(pinned(), tmp_path / "file" / "below", copy=copy))


def test_the_folder_one_stands_in_will_do(copy, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    done = fetch(pinned(), ".", copy=copy)
    assert (done.new, done.others) == (5, 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "here"]


def test_halves_of_a_fetch_that_was_killed_are_not_delivered(server, tmp_path):
    work = tmp_path / ".out.part"
    (work / "data").mkdir(parents=True)
    (work / "data" / "tmpabcdef").write_bytes(b"half")
    (work / "data/one.csv").write_bytes(b"of an older version")
    fetch(pinned(), tmp_path / "out", host=server.address)
    assert content(tmp_path / "out") == FILES


def test_two_at_a_time_are_refused(copy, tmp_path):
    with module.FileLock(tmp_path / ".out.part.lock"):
        assert "another fetch that is writing there" in str(refusal(pinned(), tmp_path / "out", copy=copy))


# --- names ------------------------------------------------------------------------------------------

UNSAFE = ["", "/etc/passwd", "../up", "data/../../up", "data//x", "./x", "C:/x", "C:x", "data\\x", "\\\\host\\x", "nul",
          "data/CON.csv", "com1.txt", "aux/x", "x.", "x ", "a\nb", "a\0b", "a*b", "x:stream", "a" * 201]  # fmt: skip


@pytest.mark.parametrize("path", UNSAFE)
def test_a_path_that_plays_tricks_is_refused(path):
    assert pins.why_unsafe(path)


def test_usual_paths_are_safe():
    for path in ("data/UI Claims - City - Weekly.csv", "meta/déf.md", ".github/x", "console.csv", "a..b/c.tar.gz"):
        assert not pins.why_unsafe(path), path


def test_a_registry_tells_every_fault_at_once():
    good = "0" * 64
    text = f"path,sha256,bytes\n../x,{good},1\ndata/a.csv,{good},1\nData/A.csv,{good},1\nb,zz,1\nb/c,{good},-1\n"
    with pytest.raises(InputError) as error:
        pins.read_registry(text, "made-up.csv")
    told = str(error.value)
    for part in ("row 2, column path: found '../x'", "row 5, column sha256: found 'zz'", "row 6, column bytes",
                 "'data/a.csv' 2 times", "'b' as a file and as a folder"):  # fmt: skip
        assert part in told
    with pytest.raises(InputError, match="another header"):
        pins.read_registry("path,sha256\n", "made-up.csv")


def test_a_name_that_is_not_known_names_the_nearest():
    with pytest.raises(InputError, match="did you mean 'los-angeles'"):
        pins.read_pins("los-angelos")


def test_an_address_is_quoted_and_stays_below_its_commit():
    one = pinned({"a #?&é.csv": b""}, folder="data")
    assert one.address(one.files[0]) == f"{pins.HOST}/town/figures/{COMMIT}/data/a%20%23%3F%26%C3%A9.csv"


# --- what is pinned ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COPIES)
def test_what_is_pinned_is_what_lies_in_the_copies(name, tmp_path):
    """The registries are those of the copies, and the command that the end names reads what was fetched."""
    if not (SHARED / COPIES[name]).is_dir():
        pytest.skip("no ../shared/sources beside the project")
    repository = pins.read_pins(name)
    done = fetch(repository, tmp_path / "my copies" / name, copy=SHARED / COPIES[name])
    fetched, copied = content(done.folder), content(SHARED / COPIES[name])
    assert fetched == copied and done.new == len(copied)
    command = shlex.split(done.lines()[-1].removeprefix("next: vlr "))
    ran = CliRunner().invoke(app, command)
    assert ran.exit_code == (3 if name in PART else 0), ran.output
    assert len(pd.read_csv(tmp_path / "my copies" / f"{name}.csv")) > 100


@pytest.mark.parametrize("name", ["fred", "economic-tracker"])
def test_the_command_fetches_from_a_mirror_laid_out_as_the_public_host_is(name, server, tmp_path, monkeypatch):
    if not SHARED.is_dir():
        pytest.skip("no ../shared/sources beside the project")
    one = pins.read_pins(name)
    copied = content(SHARED / COPIES[name])
    server.answers = {
        f"/{one.repository}/{one.commit}/data/{path}": [(200, text, None)] for path, text in copied.items()
    }
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, ["fetch", name, "--mirror", f"{server.address}/"])
    assert ran.exit_code == 0, ran.output
    assert f'next: vlr import {name} "downloads/{name}/' in ran.output
    assert ("cite as: Chetty" in ran.output) == (name == "economic-tracker")
    assert content(tmp_path / "downloads" / name) == copied


PART = {"los-angeles"}  # a few of its files have problems, which are named


def test_the_tool_makes_a_list_that_the_kit_reads_and_refuses_names_that_are_unsafe(copy, tmp_path, monkeypatch):
    monkeypatch.setattr(pin, "FOLDER", tmp_path / "lists")
    assert pin.main("made-up", str(copy)) == 0
    text = (tmp_path / "lists" / "made-up.csv").read_text(encoding="utf-8")
    assert sorted(pins.read_registry(text, "made-up.csv"), key=lambda one: one.path) == sorted(
        pinned().files, key=lambda one: one.path
    )
    (copy / "ends in a dot.").write_bytes(b"")
    with pytest.raises(InputError, match="ends in a dot or a space"):
        pin.main("made-up", str(copy))
    assert (tmp_path / "lists" / "made-up.csv").read_text(encoding="utf-8") == text


def test_fred_is_pinned_as_the_sources_table_has_it():
    known = pd.read_csv(ROOT / "data" / "sources.csv", dtype=str, keep_default_na=False)
    here = {pin.path: pin.sha256 for pin in pins.read_pins("fred").files}
    rows = known[known["cells"].isin([path.removesuffix(".csv") for path in here]) & (known["sha256"] != "")]
    assert len(rows) >= 3
    for row in rows.itertuples():
        assert here[f"{row.cells}.csv"] == row.sha256


def test_the_list_names_each_with_its_licence_and_the_package_holds_it():
    told = CliRunner().invoke(app, ["fetch"]).output
    for name in pins.names():
        one = pins.read_pins(name)
        assert {name, *COPIES} == set(COPIES)
        for part in (name, one.publisher, one.licence, one.commit[:8], f"{len(one.files)} files", one.repository):
            assert part in told
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "pinned/*" in told["tool"]["setuptools"]["package-data"]["vlr_analysis.sources"]


def test_a_damaged_list_of_repositories_is_told(monkeypatch):
    row = {"name": "x", "publisher": "", "title": "", "repository": "../x", "commit": "main", "folder": "../up",
           "licence": "", "citation": "", "next": ""}  # fmt: skip
    monkeypatch.setattr(pins, "_rows", lambda *_: [row])
    with pytest.raises(InputError) as error:
        pins.read_pins("x")
    assert [problem.where.split()[-1] for problem in error.value.problems] == ["repository", "commit", "folder"]


def test_the_lines_at_the_end_are_commands_that_a_shell_reads(tmp_path):
    done = module.Fetched(pinned(), tmp_path / "a b", 5, 0, 0, 0)
    assert shlex.split(done.lines()[-1])[:4] == ["next:", "vlr", "import", "open-sdg"]
    assert shlex.split(done.lines()[-1])[-1].endswith("a b.csv")
