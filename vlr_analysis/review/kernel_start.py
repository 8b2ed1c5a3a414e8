"""Finding or starting the template of warm kernels, and asking it for one."""

from __future__ import annotations

import hashlib
import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from filelock import FileLock

PACKAGE = "vlr_analysis"
TEMPLATE = Path(__file__).with_name("kernel_template.py")
LONGEST_SOCKET = 90  # bytes in the name of a Unix socket: the systems allow 104 to 108, and a number is added
APART = "--apart"  # instead of a kernel's arguments: the function that follows is called (`apart`)
PATIENCE = 60.0  # seconds for a template to start and fork
IDLE = "VLR_KERNELS_IDLE"  # seconds that a template without owner waits for the next kernel

# Read by Python or a library while it starts, hence fixed in the template: another value needs another template.
AT_START = (
    "ARROW_", "GLIBC_", "HOME", "JE_ARROW_", "LANG", "LC_", "LD_", "MALLOC_", "MATPLOTLIB", "MKL_", "MPLCONFIG",
    "NPY_", "NUMEXPR_", "NUMPY_", "OMP_", "OPENBLAS_", "PANDAS_", "PANDERA_", "PATH", "PYDANTIC_", "PYTHON", "SCIPY_",
    "TMPDIR", "TZ", "VIRTUAL_ENV", "XDG_",
)  # fmt: skip
# No thread may cross a fork, and kernels agree only over one hash seed.
FIXED = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "MKL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
# Arrow's own allocator keeps tens of megabytes for each kernel.
DEFAULTS = {"PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}


class NoWarmKernel(Exception):
    """The template gave no kernel; the message says why."""


def start_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a kernel's environment that is fixed at start, as the template gets it.

    Raises
    ------
    NoWarmKernel
        The environment asks for what a template cannot have: linear algebra in several threads.
    """
    for name in FIXED:
        if name.endswith("_THREADS") and env.get(name, "1") != "1":
            raise NoWarmKernel(f"{name} asks for several threads")
    chosen = {name: value for name, value in env.items() if name.startswith(AT_START)}
    return {**DEFAULTS, **chosen, **FIXED}


def find_package(env: Mapping[str, str], cwd: str) -> Path:
    """Return the folder of the `vlr_analysis` that a kernel started there would import.

    Raises
    ------
    NoWarmKernel
        There is none.
    """
    site = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    path = [*env.get("PYTHONPATH", "").split(os.pathsep), cwd, *site]
    spec = PathFinder.find_spec(PACKAGE, [folder for folder in path if folder])
    others = (finder for finder in sys.meta_path if finder is not PathFinder)
    while spec is None or spec.origin is None:
        try:
            spec = next(others).find_spec(PACKAGE, None)
        except StopIteration:
            raise NoWarmKernel(f"no package {PACKAGE} is installed") from None
    return Path(spec.origin).resolve().parent


def _shadows(env: Mapping[str, str], cwd: str) -> list[str]:
    """List what an import or matplotlib could find by way of the working folder, before what is installed."""
    search = env.get("PYTHONPATH", "").split(os.pathsep) if env.get("PYTHONPATH") else []
    if not all(Path(folder).is_absolute() for folder in search):
        return ["PYTHONPATH"]
    with os.scandir(cwd) as entries:
        names = [
            entry
            for entry in entries
            if entry.name.endswith((".py", ".so"))
            or entry.name in ("matplotlibrc", ".matplotlib")
            or (entry.name.isidentifier() and Path(entry, "__init__.py").exists())
        ]
        return sorted(f"{entry.name} {entry.stat().st_mtime_ns} {entry.stat().st_size}" for entry in names)


def _inherited() -> list[str]:
    """List what a process hands down besides its environment: limits, masks, groups and name spaces."""
    import resource

    limits = [f"{name} {resource.getrlimit(getattr(resource, name))}" for name in dir(resource) if "RLIMIT_" in name]
    status = Path("/proc/self/status").read_text().splitlines()
    masks = [line for line in status if line.startswith(("Umask", "Cpus_allowed:", "Uid", "Gid", "Groups"))]
    spaces = [str(path.readlink()) for path in sorted(Path("/proc/self/ns").iterdir())]
    return [*limits, *masks, *spaces, Path("/proc/self/cgroup").read_text(), str(os.nice(0))]


def key(env: Mapping[str, str], cwd: str, package: Path) -> str:
    """Return the key of the template that a kernel needs: the same key, the same state of a new interpreter.

    Covers the interpreter, the installed versions, every file of `vlr_analysis`, the environment that is read at
    start, what the working folder could put before installed modules, the user, and what processes inherit.
    """
    site = [Path(path) for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    versions = [f"{item.name} {item.stat().st_mtime_ns}" for path in site for item in path.glob("*.dist-info")]
    files = [
        f"{item.relative_to(package)} {item.stat().st_mtime_ns} {item.stat().st_size}"
        for item in package.rglob("*")
        if "__pycache__" not in item.parts and item.is_file()
    ]
    shadows = _shadows(env, cwd)
    parts = [
        sys.executable, sys.prefix, sys.version, str(os.getuid()), str(package), sorted(versions), sorted(files),
        sorted(env.items()), [cwd, *shadows] if shadows else [], _inherited(),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def private_folder(name: str = "") -> Path:
    """Make or find a folder that only this user can enter, with room for the name of a socket.

    Parameters
    ----------
    name : str, optional
        Name of a lasting folder; a fresh one is made without it.

    Raises
    ------
    NoWarmKernel
        No folder for temporary files has a name short enough, or the lasting folder is not ours alone.
    """
    for base in dict.fromkeys((tempfile.gettempdir(), "/tmp")):
        if os.access(base, os.W_OK) and len(os.fsencode(f"{base}/{name or 'vlr-12345678'}/0123456789abcdef/s")) < (
            LONGEST_SOCKET
        ):
            break
    else:
        raise NoWarmKernel("the folder for temporary files has too long a name for a socket")
    if not name:
        return Path(tempfile.mkdtemp(prefix="vlr-", dir=base))
    folder = Path(base, name)
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != 0o700:
        raise NoWarmKernel(f"the folder {name} for temporary files is not private to this user")
    return folder


def start_template(path: Path, env: Mapping[str, str], cwd: str, package: Path, owned: bool) -> subprocess.Popen:
    """Start a template that listens at a path from this moment on; requests wait until it has imported.

    Parameters
    ----------
    path : Path
        Name of the socket, in a private folder.
    env : mapping
        From `start_environment`.
    cwd : str
        Working folder of the kernels.
    package : Path
        From `find_package`.
    owned : bool
        Whether it ends together with this process (when its standard input closes), and not by idleness.
    """
    path.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as listener, path.with_suffix(".log").open("wb") as log:
        listener.bind(str(path))
        listener.listen(128)
        fd = listener.fileno()
        options = [f"--listener={fd}", f"--path={path}", f"--package={package}", f"--idle={os.environ.get(IDLE, 180)}"]
        return subprocess.Popen(
            [sys.executable, str(TEMPLATE), *options, *(["--owned"] if owned else [])],
            stdin=subprocess.PIPE if owned else subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(env),
            cwd=cwd if _shadows(env, cwd) else "/",
            pass_fds=[fd],
            start_new_session=True,
        )


def shared_template(env: Mapping[str, str], cwd: str) -> socket.socket:
    """Connect to this user's template for such kernels; start it where there is none."""
    started = start_environment(env)
    package = find_package(env, cwd)
    folder = private_folder(f"vlr-{os.getuid()}") / key(started, cwd, package)
    folder.mkdir(mode=0o700, exist_ok=True)
    path = folder / "s"
    with FileLock(folder / "lock"):
        try:
            return connect(path)
        except OSError:
            start_template(path, started, cwd, package, owned=False).wait()  # it goes on in a fork of its own
            return connect(path)


def last_words(path: Path) -> str:
    """Return the last line that the template of a socket has written: why it ended."""
    try:
        lines = path.with_suffix(".log").read_text(errors="replace").strip().splitlines()
    except OSError:
        lines = []
    return lines[-1] if lines else "it left no word"


def connect(path: Path) -> socket.socket:
    """Connect to the socket of a template."""
    client = socket.socket(socket.AF_UNIX)
    try:
        client.connect(str(path))
    except OSError:
        client.close()
        raise
    return client


class Forked:
    """A kernel forked from a template, with the methods of `subprocess.Popen` that a provisioner uses.

    Parameters
    ----------
    client : socket
        Connection to the template; while it is open the kernel may live.
    request : mapping
        `argv`, `env`, `cwd` and `folder` of the kernel.
    streams : sequence of int
        Descriptors of its standard input, output and error.

    Raises
    ------
    NoWarmKernel
        The template refused, or ended, or the kernel did not get ready.
    """

    stdin = stdout = stderr = None

    def __init__(self, client: socket.socket, request: Mapping[str, Any], streams: Sequence[int]) -> None:
        self.returncode: int | None = None
        self._client, self._heard = client, b""
        path = client.getpeername()
        try:
            line = json.dumps(request).encode() + b"\n"
            client.settimeout(PATIENCE)
            client.sendall(line[socket.send_fds(client, [line], streams) :])
            answer = self._next()
            if "pid" not in answer:
                raise NoWarmKernel(answer.get("refused", "the template said nothing"))
            self.pid = int(answer["pid"])
            answer = self._next()
            if "ready" not in answer:
                raise NoWarmKernel(f"the new kernel ended with status {answer.get('exit')}")
            client.setblocking(False)
        except OSError as error:
            client.close()
            raise NoWarmKernel(f"the template has ended, or hangs: {last_words(Path(path))}") from error
        except NoWarmKernel:
            client.close()
            raise

    def _next(self) -> dict[str, Any]:
        """Return the next message, or wait for it as long as the socket does."""
        while b"\n" not in self._heard:
            more = self._client.recv(4096)
            if not more:
                raise ConnectionResetError("connection closed")
            self._heard += more
        line, _, self._heard = self._heard.partition(b"\n")
        return json.loads(line)

    def poll(self) -> int | None:
        """Return the exit status (minus the number of the signal that ended it), or None while it runs."""
        if self.returncode is None:
            try:
                self.returncode = self._next().get("exit", -signal.SIGKILL)
            except BlockingIOError:
                pass
            except OSError:  # the template has gone, and takes its kernels with it
                self.returncode = -signal.SIGKILL
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end; `subprocess.TimeoutExpired` if it takes longer than `timeout` seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            left = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._client], [], [], left)[0]:
                raise subprocess.TimeoutExpired("kernel", timeout or 0.0)
        return self.returncode or 0

    def send_signal(self, signum: int) -> None:
        """Send a signal unless the kernel has ended; its number is not given to others before `close`."""
        if self.poll() is None:
            os.kill(self.pid, signum)

    def kill(self) -> None:
        """Send SIGKILL."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def close(self) -> None:
        """Say goodbye: the template ends what is left of the kernel; the caller cleans its folder."""
        self.poll()
        try:
            self._client.setblocking(True)
            self._client.sendall(b"b")
        except OSError:
            pass
        self._client.close()
