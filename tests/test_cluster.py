"""A run on a Dask cluster: a scheduler and workers on loopback, as processes that a test may kill."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from pathlib import Path

import nbformat
import pytest

from vlr_analysis.errors import InputError
from vlr_analysis.review import cluster, inputs, kernels, parcel, plan, run
from vlr_analysis.review.plan import Task

distributed = pytest.importorskip("distributed", reason="no extra [cluster]")
psutil = pytest.importorskip("psutil")  # comes with distributed
ROOT = Path(__file__).resolve().parents[1]
kills = pytest.mark.skipif(os.name != "posix", reason="no SIGKILL on this system")

# Lets a notebook of these tests find the worker that runs it, whatever process its kernel was started from.
PRELOAD = "import os\nos.environ['TEST_WORKER'] = str(os.getpid())\n"
KILL_WORKER = "import os, signal, time\nos.kill(int(os.environ['TEST_WORKER']), signal.SIGKILL)\ntime.sleep(600)"


class Processes:
    """A scheduler and its workers."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.file = folder / "scheduler.json"
        (folder / "preload.py").write_text(PRELOAD, encoding="utf-8")
        self.log = (folder / "log.txt").open("w", encoding="utf-8")
        # Left alone (a test run that is killed), both end by themselves.
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", 0, "--scheduler-file", self.file, "--idle-timeout", 600
        )
        self.workers = []
        wait_until(self.file.exists)

    @property
    def address(self) -> str:
        return json.loads(self.file.read_text(encoding="utf-8"))["address"]

    def add(self, number: int = 1, *options: str, path: Path | None = None):
        """Start workers of one thread each; `path` comes first where they look for packages."""
        places = [str(path)] if path else []
        places += [place for place in [os.environ.get("PYTHONPATH")] if place]
        with self.client() as client:
            expected = len(client.nthreads()) + number
            process = self._start(
                "worker", self.address, "--nworkers", number, "--nthreads", 1, "--death-timeout", 60,
                "--local-directory", self.folder / "local", "--preload", self.folder / "preload.py", *options,
                PYTHONPATH=os.pathsep.join(places),
            )  # fmt: skip
            self.workers.append(process)
            wait_until(lambda: len(client.nthreads()) >= expected)

    def client(self):
        return distributed.Client(self.address, set_as_default=False)

    def stop(self):
        """Kill all; templates of kernels, and with them the kernels, end when their worker does."""
        started = [*self.workers, self.scheduler]
        running = [psutil.Process(process.pid) for process in started if process.poll() is None]
        for process in [*running, *(child for nanny in running for child in nanny.children())]:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        for process in started:
            process.wait()
        self.log.close()

    def _start(self, what, *arguments, **environment):
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *map(str, arguments), "--no-dashboard"],
            stdout=self.log, stderr=self.log, cwd=self.folder, env={**os.environ, **environment},
        )  # fmt: skip


def wait_until(done, seconds=60):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


@pytest.fixture
def processes(tmp_path):
    (tmp_path / "dask").mkdir()
    started = Processes(tmp_path / "dask")
    yield started
    started.stop()


@pytest.fixture
def task(project):
    """Make a task of a notebook with the cells given, after the cell of its parameters."""

    def make(stem: str, *cells: str) -> Task:
        first = nbformat.v4.new_code_cell("city, internal = '', False", metadata={"tags": ["parameters"]})
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        cells = [first, *map(nbformat.v4.new_code_cell, cells)]
        notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        path = project / "notebooks" / f"{stem}.ipynb"
        nbformat.write(notebook, path)
        return Task("porto-exemplo", "Pôrto", path, project, {"city": "porto-exemplo", "internal": False})

    return make


def note(path: Path) -> str:
    """Return a cell that leaves a line in a file outside the project each time it runs."""
    return f"with open({str(path)!r}, 'a') as file:\n    print(city, file=file)"


def wait_for(path: Path) -> str:
    return f"import os, time\nwhile not os.path.exists({str(path)!r}):\n    time.sleep(0.05)"


def stems(outcomes):
    return sorted(outcome.task.notebook.stem for outcome in outcomes)


# --- what travels --------------------------------------------------------------------------------------


def test_a_parcel_is_the_files_of_the_task_and_no_folder_of_this_machine(task, tmp_path):
    one = task("11_one", "city")
    packed = parcel.pack(one, inputs.Hashes(one.root))
    assert {"notebooks/11_one.ipynb", "params/porto-exemplo.yaml", "data/porto-exemplo.csv"} <= set(packed.files)
    assert "data/voices/porto-exemplo.csv" in packed.files
    assert "notebooks/02_trends.ipynb" not in packed.files
    assert str(tmp_path) not in repr(packed)
    parcel.keep(parcel.read(packed, one.root, packed.hashes), tmp_path / "store")
    there = parcel.unpack(packed, tmp_path / "store", tmp_path / "there")
    for name in packed.files:
        assert (there.root / name).read_bytes() == (one.root / name).read_bytes()
    assert parcel.pack(there, inputs.Hashes(there.root)) == packed


def test_only_wanted_files_are_read_and_each_content_once(task):
    one = task("11_one", "city")
    shutil.copy(one.notebook, one.root / "data" / "copy.csv")
    packed = parcel.pack(one, inputs.Hashes(one.root))
    known = packed.files["data/areas.csv"]
    assert set(parcel.read(packed, one.root, packed.hashes - {known})) == packed.hashes - {known}
    assert parcel.read(packed, one.root, set()) == {}


def test_a_file_that_changed_after_the_plan_is_refused(task):
    one = task("11_one", "city")
    packed = parcel.pack(one, inputs.Hashes(one.root))
    (one.root / "data" / "areas.csv").write_text("other", encoding="utf-8")
    with pytest.raises(InputError, match=r"data/areas\.csv: found a change during the run"):
        parcel.read(packed, one.root, packed.hashes)


def test_a_project_made_of_a_parcel_can_be_spoilt_without_harm(task, tmp_path):
    one = task("11_one", "city")
    packed = parcel.pack(one, inputs.Hashes(one.root))
    parcel.keep(parcel.read(packed, one.root, packed.hashes), tmp_path / "store")
    first = parcel.unpack(packed, tmp_path / "store", tmp_path / "first")
    (first.root / "data" / "areas.csv").write_text("spoilt", encoding="utf-8")
    second = parcel.unpack(packed, tmp_path / "store", tmp_path / "second")
    assert (second.root / "data" / "areas.csv").read_bytes() == (one.root / "data" / "areas.csv").read_bytes()


# --- before anything runs ------------------------------------------------------------------------------


def refused(tasks, tmp_path, address) -> str:
    with pytest.raises(InputError) as told:
        list(cluster.run_all(tasks, tmp_path / "staged", address))
    assert not (tmp_path / "staged").exists()
    assert str(tmp_path) not in str(told.value)
    return str(told.value)


class Web(BaseHTTPRequestHandler):
    def log_message(self, *_):
        """Keep quiet."""


def test_nobody_listens(task, tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    told = refused([task("11_one")], tmp_path, f"tcp://127.0.0.1:{port}")
    assert f"--dask tcp://127.0.0.1:{port}: found nobody who answers" in told
    assert "Fix: start `dask scheduler`" in told


def test_somebody_else_listens(task, tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Web)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert "found nobody who answers" in refused([task("11_one")], tmp_path, f"127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("address", ["pigeon://127.0.0.1:1", "tcp://127.0.0.1:port", "no-such-file.json"])
def test_what_is_no_address(task, tmp_path, address):
    told = refused([task("11_one")], tmp_path, address)
    assert f"--dask {address}" in told
    assert "such as tcp://10.0.0.5:8786" in told


def test_without_the_extra_the_message_names_it(task, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster.importlib.util, "find_spec", lambda name: None)
    assert 'pip install "vlr-analysis[cluster]"' in refused([task("11_one")], tmp_path, "tcp://127.0.0.1:1")


def test_the_module_loads_without_the_extra():
    code = "import sys; sys.modules['distributed'] = None; import vlr_analysis.review.cluster"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.slow
def test_a_scheduler_without_workers(task, tmp_path, processes):
    told = refused([task("11_one")], tmp_path, processes.address)
    assert "found no worker; expected at least one worker. Fix: start workers: `dask worker" in told


def other_version(folder: Path) -> Path:
    info = folder / "pandas-0.1.dist-info"
    info.mkdir(parents=True)
    real = metadata.distribution("pandas")
    text = real.read_text("METADATA").replace(f"\nVersion: {real.version}\n", "\nVersion: 0.1\n")
    (info / "METADATA").write_text(text, encoding="utf-8")
    return folder


def other_kit(folder: Path) -> Path:
    shutil.copytree(ROOT / "vlr_analysis", folder / "vlr_analysis", ignore=shutil.ignore_patterns("__pycache__"))
    with (folder / "vlr_analysis" / "trends.py").open("a", encoding="utf-8") as file:
        file.write("\n# another release\n")
    return folder


def no_kit(folder: Path) -> Path:
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['vlr_analysis'] = None\n", encoding="utf-8")
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "told"),
    [
        (other_version, f"found pandas 0.1; expected as here: pandas {metadata.version('pandas')}. Fix: install"),
        (other_kit, "found kit with the hash"),
        (no_kit, "found no kit that this one can talk to"),
    ],
)
def test_a_worker_that_is_not_like_this_machine_is_refused(task, tmp_path, processes, make, told):
    processes.add(1)
    processes.add(1, path=make(tmp_path / "other"))
    said = refused([task("11_one")], tmp_path, str(processes.file))
    assert told in said
    assert said.count("worker tcp://127.0.0.1:") == 1


# --- runs ----------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_the_cluster_gives_the_same_bytes_as_this_machine(tmp_path, processes):
    processes.add(2)
    hashes = inputs.Hashes(ROOT)
    cities = [hashes.parameters(city) for city in ("pittsburgh", "porto-exemplo")]
    tasks = plan.plan(cities, plan.chosen_notebooks(ROOT, []), ROOT, internal=False)
    assert len(tasks) == 17
    with kernels.warm():
        here = list(run.run_all(tasks, tmp_path / "here", 2))
    there = list(cluster.run_all(tasks, tmp_path / "there", processes.address))
    assert stems(here) == stems(there)
    for outcome in there:
        assert not outcome.failed, outcome
        twin = tmp_path / "here" / outcome.path.relative_to(tmp_path / "there")
        assert outcome.path == run.staged(outcome.task, tmp_path / "there")
        assert outcome.path.read_bytes() == twin.read_bytes()
        assert str(tmp_path) not in outcome.path.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_notebook_that_raises_is_named_with_its_cell_and_leaves_nothing_behind(task, tmp_path, processes):
    processes.add(2)
    bad = task("11_bad", "city", "from pathlib import Path\nopen(Path.cwd() / 'nothing.csv')", "city")
    tasks = [bad, task("12_good", "city"), task("13_good", "city")]
    found = {o.task.notebook.stem: o for o in cluster.run_all(tasks, tmp_path / "staged", processes.address)}
    here = run.run_one(bad, tmp_path / "here.ipynb")
    there = found["11_bad"]
    assert (there.error, there.cell, there.fault) == (here.error, here.cell, here.fault)
    assert "FileNotFoundError" in there.error
    assert there.path.read_bytes() == (tmp_path / "here.ipynb").read_bytes()
    assert not found["12_good"].failed
    assert not found["13_good"].failed
    with processes.client() as client:
        assert client.run(lambda dask_worker: len(dask_worker.data)) == dict.fromkeys(client.nthreads(), 0)
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0
    assert not list((tmp_path / "dask" / "local").rglob("vlr-*/project"))


@pytest.mark.slow
def test_each_file_reaches_a_worker_once(task, tmp_path, processes, monkeypatch):
    processes.add(1)
    sent = []
    read = cluster.parcel.read

    def spy(*arguments):
        sent.append(read(*arguments))
        return sent[-1]

    monkeypatch.setattr(cluster.parcel, "read", spy)
    tasks = [task("11_one", "city"), task("12_two", "city + '!'")]
    assert len(list(cluster.run_all(tasks, tmp_path / "staged", processes.address))) == 2
    assert [len(files) for files in sent] == [len(parcel.pack(tasks[0], inputs.Hashes(tasks[0].root)).hashes), 1]


@pytest.mark.slow
def test_workers_go_on_while_the_caller_is_busy_with_an_outcome(task, tmp_path, processes):
    processes.add(1)
    tasks = [task("11_first", "city"), task("12_second", note(tmp_path / "second"))]
    outcomes = cluster.run_all(tasks, tmp_path / "staged", processes.address)
    next(outcomes)
    wait_until((tmp_path / "second").exists)
    assert stems(outcomes) == ["12_second"]


@pytest.mark.slow
def test_a_worker_that_cannot_take_files_costs_nothing(task, tmp_path, processes):
    processes.add(2)
    with processes.client() as client:
        spoilt = min(client.nthreads())
        client.run(
            lambda dask_worker: Path(dask_worker.local_directory, "vlr-files").write_text("in the way"),
            workers=[spoilt],
        )
    tasks = [task(f"1{n}_good", "city") for n in "1234"]
    outcomes = list(cluster.run_all(tasks, tmp_path / "staged", processes.address))
    assert stems(outcomes) == ["11_good", "12_good", "13_good", "14_good"]
    assert not [outcome for outcome in outcomes if outcome.failed]


@kills
@pytest.mark.slow
def test_a_killed_worker_costs_only_its_notebook_which_runs_again(task, tmp_path, processes):
    processes.add(2)
    ran, go = tmp_path / "ran.txt", tmp_path / "go"
    tasks = [task("11_long", note(ran), wait_for(go)), *(task(f"1{n}_short", note(tmp_path / f"{n}")) for n in "234")]
    outcomes = []
    for outcome in cluster.run_all(tasks, tmp_path / "staged", processes.address):
        outcomes.append(outcome)
        if len(outcomes) == 3:  # the short ones are done; the long one holds its worker
            wait_until(ran.exists)
            with processes.client() as client:
                busy = [address for address, keys in client.processing().items() if keys]
                pids = client.run(os.getpid, workers=busy)
            assert len(pids) == 1
            os.kill(next(iter(pids.values())), signal.SIGKILL)
            go.touch()
    assert stems(outcomes) == ["11_long", "12_short", "13_short", "14_short"]
    assert not [outcome for outcome in outcomes if outcome.failed]
    assert len(ran.read_text().splitlines()) == 2
    assert [len((tmp_path / n).read_text().splitlines()) for n in "234"] == [1, 1, 1]


@kills
@pytest.mark.slow
def test_a_notebook_that_kills_its_worker_each_time_is_named_and_no_other(task, tmp_path, processes):
    """Three at a time in one worker: those beside the culprit lose it too, and run again."""
    processes.add(1, "--nthreads", "3")
    good = [task(f"1{n}_good", "import time\ntime.sleep(5)") for n in "23"]
    tasks = [task("11_killer", note(tmp_path / "ran.txt"), KILL_WORKER), *good]
    found = {o.task.notebook.stem: o for o in cluster.run_all(tasks, tmp_path / "staged", processes.address)}
    assert found["11_killer"].error == "its worker died 3 times: out of memory?"
    assert found["11_killer"].fault
    assert len((tmp_path / "ran.txt").read_text().splitlines()) == 3
    assert [stem for stem, o in found.items() if o.failed] == ["11_killer"]
    assert len(found) == 3


@kills
@pytest.mark.slow
def test_when_no_worker_is_left_the_rest_is_named(task, tmp_path, processes, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 2.0)
    processes.add(1, "--no-nanny")
    tasks = [task("11_good", "city"), task("12_killer", KILL_WORKER), task("13_late", "city")]
    found = {o.task.notebook.stem: o for o in cluster.run_all(tasks, tmp_path / "staged", processes.address)}
    assert not found["11_good"].failed
    assert "no worker was left" in found["12_killer"].error
    assert "no worker was left" in found["13_late"].error


@pytest.mark.slow
def test_when_the_scheduler_goes_away_what_is_done_is_there_and_the_rest_is_named(task, tmp_path, processes):
    processes.add(2)
    tasks = [task("11_good", "city"), *(task(f"1{n}_long", wait_for(tmp_path / "never")) for n in "234")]
    outcomes = []
    for outcome in cluster.run_all(tasks, tmp_path / "staged", processes.address):
        if not outcomes:
            processes.scheduler.kill()
        outcomes.append(outcome)
    assert (outcomes[0].task.notebook.stem, outcomes[0].error) == ("11_good", "")
    assert stems(outcomes) == ["11_good", "12_long", "13_long", "14_long"]
    assert all("the Dask scheduler went away" in outcome.error for outcome in outcomes[1:])


@pytest.mark.slow
def test_a_run_that_is_stopped_ends_its_kernels_and_leaves_the_cluster_empty(task, tmp_path, processes):
    processes.add(2)
    pid = tmp_path / "pid"
    long = task("12_long", f"import os\nopen({str(pid)!r}, 'w').write(str(os.getpid()))", wait_for(tmp_path / "never"))
    outcomes = cluster.run_all([task("11_good", "city"), long], tmp_path / "staged", processes.address)
    next(outcomes)
    wait_until(lambda: pid.exists() and pid.read_text())
    outcomes.close()
    with processes.client() as client:
        assert client.run_on_scheduler(lambda dask_scheduler: len(dask_scheduler.tasks)) == 0
        wait_until(lambda: not any(client.run(lambda dask_worker: dask_worker.state.executing_count).values()))
    wait_until(lambda: not alive(int(pid.read_text())))


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


@pytest.mark.slow
def test_a_worker_that_joins_later_is_looked_at_first(task, tmp_path, processes, caplog):
    processes.add(1)
    go = tmp_path / "go"
    where = "import os\nwith open({!r}, 'w') as file:\n    file.write(os.environ['TEST_WORKER'])"
    tasks = [task("11_first", "city"), task("12_long", wait_for(go))]
    tasks += [task(f"1{n}_late", where.format(str(tmp_path / n))) for n in "345"]
    outcomes = cluster.run_all(tasks, tmp_path / "staged", processes.address)
    found = [next(outcomes)]
    processes.add(1, path=other_version(tmp_path / "other"))
    threading.Timer(3, go.touch).start()  # some looks at the crew pass while the first worker is held
    found += list(outcomes)
    assert not [outcome for outcome in found if outcome.failed]
    assert len(found) == 5
    assert len({(tmp_path / n).read_text() for n in "345"}) == 1
    assert "No notebook goes to this worker" in caplog.text
    assert "pandas 0.1" in caplog.text
