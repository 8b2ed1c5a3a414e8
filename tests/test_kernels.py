"""Warm kernels: nothing passes from one run to the next, and nothing differs from an ordinary kernel."""

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import entry_points
from pathlib import Path

import nbclient
import nbformat
import papermill
import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import KernelManager
from nbclient.exceptions import DeadKernelError

from vlr_analysis.review import kernel_start, kernel_template, kernels
from vlr_analysis.review.kernel_start import NoWarmKernel

ROOT = Path(__file__).resolve().parents[1]
LINUX = sys.platform.startswith("linux")
linux = pytest.mark.skipif(not LINUX, reason="warm kernels need Linux")
MEGABYTES = 80  # of unshared memory for each further kernel

# What a kernel can see of its own state. Modules of the kit come first, as in every notebook.
REPORT = """
import atexit, gc, json, os, random, signal, sys, warnings
import matplotlib, numpy, pandas
from vlr_analysis import *  # all modules of the public face, as a warm kernel has them
def report():
    return {
        "atexit": atexit._ncallbacks(),
        "cwd": os.getcwd(),
        "environment": dict(os.environ),
        "errors": numpy.geterr(),
        "figures": {name: str(value) for name, value in sorted(matplotlib.rcParams.items())},
        "files": sorted(os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")
                        if os.path.isfile(f"/proc/self/fd/{fd}")),
        "filters": sorted(map(str, warnings.filters)),
        "function": trends.trend_table.__module__,
        "marker": [hasattr(trends, "marker"), hasattr(sys, "marker"), "marker" in globals()],
        "options": pandas.describe_option(_print_desc=False),
        "path": sys.path,
        "recursion": sys.getrecursionlimit(),
        "session": [os.getpid() == os.getsid(0) == os.getpgrp()],
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)],
        "umask": [os.umask(18), os.umask(18)][1],
    }
print(json.dumps(report()))
"""
SPOIL = """
atexit.register(print, "spoilt")
os.environ["MARKER"] = "spoilt"
os.chdir("/")
sys.path.insert(0, "/spoilt")
sys.marker = trends.marker = marker = "spoilt"
trends.trend_table = lambda *_: "spoilt"
numpy.seterr(all="ignore")
matplotlib.rcParams["lines.linewidth"] = 77.0
pandas.set_option("display.max_rows", 7777)
warnings.filterwarnings("ignore", message="spoilt")
signal.signal(signal.SIGUSR1, signal.SIG_IGN)
sys.setrecursionlimit(7777)
kept = open("spoilt", "w") if False else open("/etc/hostname")
random.seed(1); numpy.random.seed(1)
print(json.dumps(report()))
"""
NOTEBOOK = """
import os
from pathlib import Path
print("kernel_template" in Path(f"/proc/{os.getppid()}/cmdline").read_text())
"""


class Kernel:
    """A kernel and its client, to run code in."""

    def __init__(self, cwd=ROOT, **options):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(cwd), **options)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=60)

    @property
    def pid(self):
        return self.manager.provisioner.pid

    @property
    def warm(self):
        return isinstance(self.manager.provisioner.process, kernel_start.Forked)

    def run(self, code):
        """Run code; return what it printed, or raise what it raised."""
        said = []

        def hear(message):
            if message["msg_type"] == "stream":
                said.append(message["content"]["text"])
            elif message["msg_type"] == "error":
                raise RuntimeError(message["content"]["ename"] + ": " + message["content"]["evalue"])

        self.client.execute_interactive(code, timeout=300, output_hook=hear)
        return "".join(said)

    def end(self, now=True):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=now)


@contextlib.contextmanager
def kernel(cwd=ROOT, **options):
    one = Kernel(cwd, **options)
    try:
        yield one
    finally:
        one.end()


@pytest.fixture
def short():
    """Make a folder with a short name, for sockets."""
    folder = Path(tempfile.mkdtemp(prefix="v", dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def surroundings(short):
    """Give a shell's environment in which kernels are warm, with templates of its own."""
    chosen = {kernels.CHOSEN: kernels.NAME, kernel_start.IDLE: "600", "TMPDIR": str(short), "PYTHONHASHSEED": "0"}
    yield {**os.environ, **chosen, kernels.CHOICE: ""}
    for pid in templates(short):
        os.kill(pid, signal.SIGTERM)
    wait_for(lambda: not templates(short))


def templates(folder):
    """Templates that listen in a folder; their kernels, which have the same command, are left out."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if f"--path={folder}" in path.read_text():
                found.append(int(path.parent.name))
    return [pid for pid in found if parent_of(pid) not in found]


def parent_of(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def wait_for(condition, patience=30):
    """Wait until a condition holds; fail if it never does."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "what was waited for did not come"
        time.sleep(0.02)


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def template_of(one):
    return parent_of(one.pid)


def ordinary_report(cwd):
    """What an ordinary kernel of the same surroundings says of itself."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(kernels.CHOICE, "ordinary")
        with kernel(cwd) as one:
            assert not one.warm
            return json.loads(one.run(REPORT))


def write_notebook(path, *cells):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(textwrap.dedent(cell)) for cell in cells])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, path)
    return path


# ------------------------------------------------------------------ isolation


@linux
def test_nothing_that_one_run_sets_is_seen_by_the_next(warm):
    with kernel() as first:
        before = json.loads(first.run(REPORT))
        spoilt = json.loads(first.run(SPOIL))
        with kernel() as beside:
            assert without_names(json.loads(beside.run(REPORT))) == without_names(before)
    constant = {"session", "umask"}
    unspoilt = {name for name in before if before[name] == spoilt[name]}
    assert unspoilt == constant, "the test must spoil everything that it looks at"
    with kernel() as after:
        assert without_names(json.loads(after.run(REPORT))) == without_names(before)


def without_names(report):
    """Take out of a report what names the one kernel: addresses of objects, and the folder of its sockets."""
    return json.loads(json.dumps(report).replace("0x7", "")) | {"environment": sorted(report["environment"])}


@linux
@pytest.mark.parametrize("place", ["project", "elsewhere"])
def test_a_warm_kernel_is_in_the_state_of_an_ordinary_one(place, warm, tmp_path):
    cwd = ROOT if place == "project" else tmp_path
    with kernel(cwd) as one:
        assert one.warm
        ours = json.loads(one.run(REPORT))
    theirs = ordinary_report(cwd)
    theirs["environment"].pop(kernels.CHOICE)
    # The history is a file that warm kernels lack.
    theirs["files"] = [name for name in theirs["files"] if not name.endswith("history.sqlite")]
    # Texts are objects of Python: one option of pandas.
    assert ours["options"].count(f"[currently: {kernel_template.TEXTS}]") == 1
    ours["options"] = ours["options"].replace(f"[currently: {kernel_template.TEXTS}]", "[currently: auto]")
    assert {name: ours[name] for name in ours if ours[name] != theirs[name]} == {}


@linux
def test_random_states_are_fresh_and_hashes_agree(warm):
    code = """if True:
        import random, uuid, numpy, scipy.stats
        print(random.random(), numpy.random.random(), scipy.stats.norm.rvs(), numpy.random.default_rng().random(),
              uuid.uuid4().int, hash("a"))
    """
    with kernel() as first, kernel() as second:
        one, two = (each.run(code).split() for each in (first, second))
    assert [a == b for a, b in zip(one, two, strict=True)] == [False] * 5 + [True]


@linux
def test_descriptors_stay_behind(warm, tmp_path):
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        with kernel() as first, kernel() as one:
            template = template_of(one)
            of = {pid: descriptors(pid) for pid in (one.pid, template, first.pid, os.getpid())}
    standard = {"0", "1", "2"}
    mine = {name for number, name in of[one.pid].items() if number not in standard}
    for other in template, first.pid, os.getpid():
        shared = mine & {name for number, name in of[other].items() if number not in standard}
        assert {name for name in shared if not name.startswith("anon_inode")} == set()
    assert str(tmp_path / "open") not in of[one.pid].values()
    assert of[one.pid]["0"] == "/dev/null"


def descriptors(pid):
    out = {}
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            out[path.name] = str(path.readlink())
    return out


@linux
def test_the_template_has_one_thread_and_is_private(warm):
    with kernel() as one:
        template = template_of(one)
        assert len(list(Path(f"/proc/{template}/task").iterdir())) == 1
        command = Path(f"/proc/{template}/cmdline").read_text().split("\0")
        path = Path(next(word for word in command if word.startswith("--path=")).removeprefix("--path="))
        assert path.is_socket()
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert one.manager.transport == "ipc"
        assert Path(one.manager.ip).parent.stat().st_mode & 0o777 == 0o700


@linux
@pytest.mark.parametrize(
    "obstacle, says",
    [
        ("import threading, time; threading.Thread(target=time.sleep, args=(9,), daemon=True).start()", "2 threads"),
        ("import zmq; zmq.Context.instance()", "ZeroMQ context"),
        ("pass", "safe"),
    ],
)
def test_no_fork_across_threads_or_a_zeromq_context(obstacle, says):
    code = f"""
import runpy
unfit = runpy.run_path({str(kernel_start.TEMPLATE)!r})["unfit"]
{obstacle}
print(unfit() or "safe")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert says in done.stdout


# ------------------------------------------------------------------ equal results


@linux
def test_a_figure_of_pyplot_appears_and_is_the_same(warm, tmp_path, monkeypatch):
    path = write_notebook(
        tmp_path / "figure.ipynb",
        """
        import matplotlib.pyplot as plt
        plt.plot([1, 3, 2], label="a")
        plt.legend()
        plt.show()
        """,
        """
        import pandas as pd
        pd.DataFrame({f"column {i}": range(3) for i in range(40)})
        """,
    )

    def outputs():
        notebook = nbformat.read(path, as_version=4)
        nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": ROOT}}).execute()
        return [[output["data"] for output in cell["outputs"]] for cell in notebook.cells]

    ours = outputs()
    monkeypatch.setenv(kernels.CHOICE, "ordinary")
    assert "image/png" in ours[0][0]
    assert ours == outputs()


@linux
@pytest.mark.slow
@pytest.mark.parametrize("name", ["02_trends", "06_city_benchmark"])
def test_real_notebooks_give_the_same_outputs(warm, name, tmp_path, monkeypatch):
    def outputs(way):
        out = tmp_path / f"{way}.ipynb"
        papermill.execute_notebook(
            ROOT / "notebooks" / f"{name}.ipynb",
            out,
            parameters={"city": "porto-exemplo"},
            kernel_name="python3",
            cwd=ROOT,
            progress_bar=False,
        )
        return [cell.get("outputs") for cell in nbformat.read(out, as_version=4).cells]

    ours = outputs("warm")
    monkeypatch.setenv(kernels.CHOICE, "ordinary")
    assert sum(map(bool, ours)) > 3
    assert ours == outputs("ordinary")


@linux
def test_the_ordinary_run_sees_a_module_that_a_notebook_forgot_to_import(warm, monkeypatch):
    # A warm kernel has loaded the submodule already: that is why the tests run every notebook the ordinary way too.
    code = "import statsmodels; print(statsmodels.stats.proportion.__name__)"
    with kernel() as one:
        assert one.warm
    monkeypatch.setenv(kernels.CHOICE, "ordinary")
    with kernel() as one, pytest.raises(RuntimeError, match="AttributeError"):
        one.run(code)


# ------------------------------------------------------------------ tools, unchanged


@linux
def test_twelve_kernels_start_at_once(warm):
    def one(number):
        with kernel() as started:
            return started.warm, started.run(f"print({number})")

    with ThreadPoolExecutor(12) as pool:
        assert list(pool.map(one, range(12))) == [(True, f"{number}\n") for number in range(12)]


@linux
@pytest.mark.parametrize("tool", ["papermill", "nbclient", "nbval"])
def test_tools_get_warm_kernels_unchanged(tool, surroundings, short, tmp_path):
    path = write_notebook(tmp_path / "small.ipynb", NOTEBOOK)
    out = tmp_path / "out.ipynb"
    command = {
        "papermill": ["-m", "papermill", path, out],
        "nbclient": ["-c", "from nbclient.cli import main; main()", path, "--inplace"],
        "nbval": ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--nbval", "--rootdir", tmp_path, path],
    }[tool]
    if tool == "nbval":
        pytest.importorskip("nbval")
        notebook = nbformat.read(path, as_version=4)
        notebook.cells[0].execution_count = 1
        notebook.cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text="True\n")]
        nbformat.write(notebook, path)
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, env=surroundings, capture_output=True)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    if tool != "nbval":
        assert nbformat.read(out if tool == "papermill" else path, as_version=4).cells[0].outputs[0]["text"] == "True\n"
    # The template waits for the next kernel for a while, with nothing else left in the folder.
    assert [path.name for path in short.iterdir()] == [f"vlr-{os.getuid()}"]
    assert len(templates(short)) == 1


@linux
def test_a_template_without_owner_ends_when_idle_and_serves_many(surroundings, short, monkeypatch):
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv(kernel_start.IDLE, "1")
    monkeypatch.setattr(kernels, "_owner", None)
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    monkeypatch.setattr(kernels.KernelProvisionerFactory.instance(), "default_provisioner_name", kernels.NAME)
    with kernel(short) as first, kernel(short) as second:
        assert first.warm and second.warm
        assert template_of(first) == template_of(second)
        (pid,) = templates(short)
        assert pid == template_of(first)
        folder = short / f"vlr-{os.getuid()}"
        assert folder.stat().st_mode & 0o777 == 0o700
    wait_for(lambda: not alive(pid))
    assert [path for path in short.rglob("*") if path.is_socket()] == []


@linux
@pytest.mark.parametrize("again", range(8))  # what it waits for ends in either order
def test_restart_and_polite_end(warm, again):
    one = Kernel()
    first = one.pid
    one.run("x = 1")
    one.manager.restart_kernel(now=True)
    one.client.wait_for_ready(timeout=60)
    assert one.pid != first
    with pytest.raises(RuntimeError, match="NameError"):
        one.run("x")
    folder, process = Path(one.manager.ip).parent, one.manager.provisioner.process
    assert folder.is_dir()
    one.end(now=False)
    assert process.returncode == 0
    assert not folder.exists()


@linux
def test_a_busy_kernel_is_interrupted_and_ends(warm):
    one = Kernel()
    one.client.execute("import time; time.sleep(600)")
    wait_for(lambda: one.client.get_iopub_msg(timeout=30)["msg_type"] == "execute_input")
    process = one.manager.provisioner.process
    one.end(now=False)
    assert process.returncode == 0, "interrupted, and not terminated"


# ------------------------------------------------------------------ faults


@linux
def test_a_killed_kernel_is_noticed_and_its_status_known(warm, tmp_path):
    path = write_notebook(tmp_path / "dies.ipynb", "import os; os.kill(os.getpid(), 9)", "1")
    with pytest.raises(DeadKernelError):
        papermill.execute_notebook(path, tmp_path / "out.ipynb", progress_bar=False)
    assert kernels.last_status() == -signal.SIGKILL
    with kernel():
        pass
    assert kernels.last_status() is None


@linux
def test_what_a_kernel_started_ends_with_it(warm):
    one = Kernel()
    child = int(one.run("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)"))
    assert alive(child)
    os.kill(one.pid, signal.SIGKILL)
    wait_for(lambda: not one.manager.is_alive())
    one.manager.cleanup_resources()
    wait_for(lambda: not alive(child))
    one.client.stop_channels()


@linux
@pytest.mark.parametrize("busy", [False, True])
def test_a_killed_owner_leaves_no_process_and_no_socket(busy, surroundings, short):
    code = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "tests")!r})
from test_kernels import *
with kernels.warm():
    one = Kernel()
    child = one.run("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)")
    if {busy}:
        one.client.execute("while True: pass")
    print(one.pid, template_of(one), child, flush=True)
    time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", code], env=surroundings, stdout=subprocess.PIPE, text=True) as owner:
        pids = [int(word) for word in owner.stdout.readline().split()]
        assert len(pids) == 3 and all(map(alive, pids))
        assert [path for path in short.rglob("*") if path.is_socket()]
        owner.kill()
    wait_for(lambda: not any(map(alive, pids)))
    wait_for(lambda: not list(short.iterdir()))


@linux
def test_a_killed_template_takes_its_kernels_and_the_run_goes_on(warm):
    one = Kernel()
    os.kill(template_of(one), signal.SIGKILL)
    wait_for(lambda: not one.manager.is_alive())
    wait_for(lambda: not alive(one.pid))
    one.client.stop_channels()
    one.manager.cleanup_resources()
    with kernel() as next_one:
        assert next_one.warm
        assert next_one.run("print(1)") == "1\n"


# ------------------------------------------------------------------ keys


@linux
@pytest.mark.parametrize(
    "change",
    ["edit", "touch", "new file", "PYTHONHASHSEED", "LC_ALL", "module in the working folder", "matplotlibrc", "umask"],
)
def test_another_state_is_another_template(change, tmp_path, monkeypatch):
    package, cwd, env = tmp_path / "vlr_analysis", tmp_path / "cwd", {"HOME": "/"}
    package.mkdir()
    cwd.mkdir()
    (package / "trends.py").write_text("x = 1\n")
    before = kernel_start.key(env, str(cwd), package)
    assert kernel_start.key(env, str(cwd), package) == before
    (cwd / "data.csv").write_text("no module\n")
    assert kernel_start.key(env, str(cwd), package) == before
    if change == "edit":
        (package / "trends.py").write_text("x = 10\n")
    elif change == "touch":
        os.utime(package / "trends.py", ns=(1, 1))
    elif change == "new file":
        (package / "goals.csv").write_text("1\n")
    elif change == "module in the working folder":
        (cwd / "numpy.py").write_text("")
    elif change == "matplotlibrc":
        (cwd / "matplotlibrc").write_text("")
    elif change == "umask":
        old = os.umask(0o077)
        try:
            assert kernel_start.key(env, str(cwd), package) != before
        finally:
            os.umask(old)
        return
    else:
        env = kernel_start.start_environment({**env, change: "other"})
        before = kernel_start.key(kernel_start.start_environment({"HOME": "/"}), str(cwd), package)
    assert kernel_start.key(env, str(cwd), package) != before


@linux
def test_an_edited_package_never_meets_an_old_template(warm, tmp_path):
    copy = tmp_path / "vlr_analysis"
    shutil.copytree(ROOT / "vlr_analysis", copy, ignore=shutil.ignore_patterns("__pycache__"))
    code = "import vlr_analysis; print(vlr_analysis.__file__, getattr(vlr_analysis, 'edited', False))"
    with kernel(tmp_path) as one:
        assert one.warm
        assert one.run(code) == f"{copy / '__init__.py'} False\n"
    with (copy / "__init__.py").open("a") as file:
        file.write("\nedited = True\n")
    with kernel(tmp_path) as one:
        assert one.warm
        assert one.run(code) == f"{copy / '__init__.py'} True\n"


# ------------------------------------------------------------------ falling back


def _spec(*argv):
    return lambda *_: KernelSpec(argv=list(argv), language="python")


REASONS = {
    "asks for them": lambda patch: patch.setenv(kernels.CHOICE, "ordinary"),
    "only Linux": lambda patch: patch.setattr(sys, "platform", "darwin"),
    "pidfd": lambda patch: patch.delattr(os, "pidfd_open", raising=False),
    "not installed": lambda patch: patch.setattr(kernels, "entry_points", lambda **_: []),
    "another interpreter": lambda patch: patch.setattr(
        KernelSpecManager, "get_kernel_spec", _spec("/opt/else/bin/python3", "-m", "ipykernel_launcher", "-f", "{}")
    ),
    "a command of its own": lambda patch: patch.setattr(
        KernelSpecManager, "get_kernel_spec", _spec(sys.executable, "-O", "-m", "ipykernel_launcher", "-f", "{}")
    ),
}


@linux
@pytest.mark.parametrize("reason", REASONS)
def test_warm_says_in_one_line_why_it_is_not(reason, monkeypatch, caplog):
    monkeypatch.delenv(kernels.CHOICE, raising=False)
    monkeypatch.setenv(kernels.CHOSEN, kernels.NAME)
    assert kernels.possible() == ""
    REASONS[reason](monkeypatch)
    with caplog.at_level(logging.INFO, "vlr_analysis.kernels"), kernels.warm() as on:
        assert not on
        assert os.environ[kernels.CHOSEN] == kernels.ORDINARY
    assert [record.message for record in caplog.records] == [f"Ordinary kernels: {kernels.possible()}."]
    assert reason in caplog.text


def test_elsewhere_kernels_are_ordinary(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delenv(kernels.CHOSEN, raising=False)
    with kernels.warm() as on:
        assert not on
        assert kernels.CHOSEN not in os.environ


@linux
@pytest.mark.parametrize("cause", ["threads", "broken package", "no fork"])
def test_a_kernel_that_cannot_be_forked_starts_the_ordinary_way(cause, warm, tmp_path, monkeypatch, caplog):
    says = {"threads": "several threads", "broken package": "broken on purpose", "no fork": "none left"}[cause]
    if cause == "threads":
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    elif cause == "broken package":
        (tmp_path / "vlr_analysis").mkdir()
        (tmp_path / "vlr_analysis" / "__init__.py").write_text("raise ImportError('broken on purpose')\n")
    else:

        def refuse(*_):
            raise NoWarmKernel("none left")

        monkeypatch.setattr(kernels.WarmProvisioner, "_fork", refuse)
    with caplog.at_level(logging.INFO, "vlr_analysis.kernels"), kernel(tmp_path) as one:
        assert type(one.manager.provisioner.process) is subprocess.Popen
        assert one.run("print(1)") == "1\n"
        folder = Path(one.manager.ip).parent
    assert len(caplog.records) == 1 and says in caplog.text
    assert not folder.exists()


@linux
def test_a_folder_that_others_can_enter_is_not_used(short, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(short))
    kernel_start.private_folder("ours")
    (short / "ours").chmod(0o755)
    with pytest.raises(NoWarmKernel, match="not private"):
        kernel_start.private_folder("ours")
    (short / "link").symlink_to(short / "ours")
    with pytest.raises(NoWarmKernel, match="not private"):
        kernel_start.private_folder("link")


@linux
def test_warm_leaves_the_process_as_it_was(monkeypatch):
    monkeypatch.setenv(kernels.CHOSEN, "local-provisioner")
    monkeypatch.delenv(kernels.CHOICE, raising=False)
    factory = kernels.KernelProvisionerFactory.instance()
    before = factory.default_provisioner_name
    with kernels.warm() as on:
        assert on
        assert os.environ[kernels.CHOSEN] == factory.default_provisioner_name == kernels.NAME
        with kernel() as one:
            template = template_of(one)
            command = Path(f"/proc/{template}/cmdline").read_text().split("\0")
    assert os.environ[kernels.CHOSEN] == "local-provisioner"
    assert factory.default_provisioner_name == before
    assert not alive(template)
    path = next(word for word in command if word.startswith("--path="))
    assert not Path(path.removeprefix("--path=")).parent.exists()


def test_the_provisioner_is_registered():
    (entry,) = entry_points(group="jupyter_client.kernel_provisioners", name=kernels.NAME)
    assert entry.load() is kernels.WarmProvisioner


# ------------------------------------------------------------------ memory


@linux
@pytest.mark.slow
def test_a_further_kernel_needs_little_memory_of_its_own(warm):
    notebook = nbformat.read(ROOT / "notebooks" / "02_trends.ipynb", as_version=4)
    with kernel() as one:
        for cell in notebook.cells:
            if cell.cell_type == "code":
                one.run(cell.source)
        rows = Path(f"/proc/{one.pid}/smaps_rollup").read_text().splitlines()
    own = sum(int(row.split()[1]) for row in rows if row.startswith(("Private_Clean:", "Private_Dirty:")))
    assert own / 1024 < MEGABYTES
