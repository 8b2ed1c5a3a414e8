"""The template: a process that has imported the heavy packages and forks a kernel from itself at each request.

`kernel_start` runs this file as a script, never as a module: pandas and others read their surroundings while they are
imported, so the surroundings of a kernel come first and the imports after. Nothing but imports happens before the
fork: no data is read, no ZeroMQ context made, no thread started.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import os
import random
import select
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any

# What the notebooks reach by `import vlr_analysis` or load later by themselves, and what a kernel loads as it starts.
# Never pyplot or matplotlib_inline: imported here, they would take the backend of this process, and figures vanish
# without a word.
KERNEL = (
    "encodings.idna", "encodings.latin_1", "pdb", "mimetypes", "sqlite3", "IPython.core.completerlib",
    "IPython.core.debugger", "IPython.core.logger", "IPython.core.oinspect", "IPython.extensions.storemagic", "comm",
    "ipykernel.kernelapp", "ipykernel.debugger", "tornado.platform.asyncio", "zmq.utils.garbage",
)  # fmt: skip
MODULES = (
    "vlr_analysis", "statsmodels.genmod.generalized_linear_model", "statsmodels.stats.meta_analysis",
    "pyarrow.dataset", "pyarrow.pandas_compat", "pandas.core.methods.to_dict", "pandas.core.reshape.reshape",
    "pandas.io.formats.csvs", "pandas.io.formats.string", "pyarrow.acero", "encodings.utf_8_sig", "importlib.readers",
)  # fmt: skip
KERNEL_FILES: dict[str, SimpleNamespace] = {}  # stand in for the modules that a kernel has loaded when it starts
YOUNG = 50_000  # objects between two looks of the collector: a tenth of a chapter's time went into looking every 700
TEXTS = (
    "python"  # how pandas holds texts here: a fifth faster than in Arrow for tables of thousands of rows, same values
)
NEVER = ("matplotlib.pyplot", "matplotlib_inline")

APART = "--apart"  # as in `kernel_start`: a function instead of a kernel

PR_SET_PDEATHSIG, PR_SET_NAME = 1, 15
LONGEST_REQUEST = 10.0  # seconds that a client may take to say what it wants


class _End(Exception):
    """The template is asked to end."""


@dataclass
class Kernel:
    """A forked kernel, seen from the template: its process, its client, and the folder of its sockets."""

    pid: int
    pidfd: int
    client: socket.socket
    folder: str
    told: bool = False  # the client knows that the kernel has ended
    tidy: bool = False  # the client has said that it cleans the folder itself


@dataclass
class Request:
    """What a client wants: a kernel with these arguments, streams and surroundings."""

    client: socket.socket
    streams: list[int]
    argv: list[str]
    env: dict[str, str]
    cwd: str
    folder: str


def preload(package: str) -> None:
    """Import what kernels need, in the surroundings of a kernel.

    Parameters
    ----------
    package : str
        Folder of `vlr_analysis` that the client has looked at.

    Raises
    ------
    ImportError
        Another `vlr_analysis` was found, or a module that must be left to the kernel has been imported.
    """
    import builtins

    # pandas asks at import whether it is in a terminal, and how the console encodes, and sets its display by the
    # answers. The capitals are those of a kernel.
    builtins.get_ipython = lambda: SimpleNamespace(kernel=True)
    encoding = sys.stdout.encoding
    sys.stdout.reconfigure(encoding="UTF-8")
    try:
        for name in KERNEL:
            import_module(name)
        files = [(name, getattr(module, "__file__", None)) for name, module in sys.modules.items()]
        KERNEL_FILES.update({name: SimpleNamespace(__file__=file) for name, file in files})
        for name in MODULES:
            import_module(name)
        for name in (face := import_module("vlr_analysis")).__all__:
            getattr(face, name)  # loads the module
        rehearse()
    finally:
        del builtins.get_ipython
        sys.stdout.reconfigure(encoding=encoding)
    found = Path(sys.modules["vlr_analysis"].__file__).parent
    if not found.samefile(package):
        raise ImportError("another vlr_analysis comes first on the path")
    sys.modules["pandas"].set_option("mode.string_storage", TEXTS)
    wrong = [name for name in NEVER if name in sys.modules]
    if wrong:
        raise ImportError(f"the template imported {', '.join(wrong)}")


def rehearse() -> None:
    """Build what libraries put together at first use: fonts, formats. Made-up figures only, never data."""
    import io

    import pandas as pd
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    table = pd.read_csv(io.StringIO("name,value\na,1.5\nb,2.5\n"))
    table.groupby("name").agg(mean=("value", "mean")).reset_index().merge(table).to_csv()
    figure = Figure(layout="constrained")
    axes = figure.subplots()
    axes.plot([1, 2], [1, 2], label="a")
    axes.legend()
    for canvas, form in ((FigureCanvasSVG, "svg"), (FigureCanvasAgg, "png")):
        getattr(canvas(figure), f"print_{form}")(io.BytesIO())


def load(request: Request) -> str:
    """Import the module whose function is to be called apart, once for all forks; say why if that is not possible."""
    if request.argv[0] != APART:
        return ""
    name = request.argv[1].partition(":")[0]
    if name not in sys.modules:
        try:
            import_module(name)
        except ImportError as error:
            return f"no module for work apart: {error}"
        gc.freeze()
    return ""


def unfit() -> str:
    """Say why a fork would be unsafe now; empty where it is safe."""
    import zmq

    for _ in range(50):  # a thread that has just ended may still be listed
        threads = len(list(Path("/proc/self/task").iterdir()))
        if threads == 1 and threading.active_count() == 1:
            break
        time.sleep(0.01)
    else:
        return f"the template has {threads} threads"
    return "the template has a ZeroMQ context" if zmq.Context._instance is not None else ""


class Template:
    """Answers requests until its owner goes, or until nobody has needed it for a while.

    Parameters
    ----------
    listener : socket
        Bound and listening.
    path : str
        Its name in the file system.
    owned : bool
        Whether the end of standard input is the end of the template.
    idle : float
        Seconds without a kernel after which a template that nobody owns ends.
    """

    def __init__(self, listener: socket.socket, path: str, owned: bool, idle: float) -> None:
        self.listener, self.path, self.owned, self.idle = listener, path, owned, idle
        self.kernels: list[Kernel] = []
        self.pid = os.getpid()
        self.learned: dict[str, str] = {}  # what the imports have put into the environment
        self.retired = False

    def serve(self) -> Request | None:
        """Serve; return a request in the process forked for it, and None in the template at its end."""
        while True:
            ready = self._wait()
            for kernel in list(self.kernels):
                if kernel.pidfd in ready and not kernel.told:
                    self._tell(kernel)
                if kernel.client.fileno() in ready:
                    self._listen(kernel)
            if self.owned and 0 in ready:
                return None
            if self.listener.fileno() in ready:
                request = self._answer()
                if request:
                    return request
            elif not ready:
                if self.retired:
                    return None
                # From here nobody finds the template any more; one more round serves whoever was at the door.
                Path(self.path).unlink(missing_ok=True)
                self.retired = True

    def _wait(self) -> set[int]:
        """Wait for an event; nothing if the template has been idle for its time."""
        poll = select.poll()
        for fd in [self.listener.fileno(), *([0] if self.owned else [])]:
            poll.register(fd, select.POLLIN)
        for kernel in self.kernels:
            poll.register(kernel.client.fileno(), select.POLLIN)
            if not kernel.told:
                poll.register(kernel.pidfd, select.POLLIN)
        patience = None if self.owned or self.kernels else 0 if self.retired else self.idle * 1000
        return {fd for fd, _ in poll.poll(patience)}

    def _answer(self) -> Request | None:
        """Fork a kernel for the client at the door; return the request in the fork only."""
        client, _ = self.listener.accept()
        client.settimeout(LONGEST_REQUEST)
        try:
            request = receive(client)
        except (OSError, ValueError, TypeError):
            client.close()
            return None
        client.settimeout(None)
        try:
            reason = load(request) or unfit()
            pid = 0 if reason else os.fork()
        except OSError as error:
            reason = f"no fork: {error.strerror}"
        if not reason and pid == 0:
            return request
        for fd in request.streams:
            os.close(fd)
        if reason:
            say(client, refused=reason)
            client.close()
            return None
        self.kernels.append(Kernel(pid, os.pidfd_open(pid), client, request.folder))
        say(client, pid=pid)
        return None

    def _tell(self, kernel: Kernel) -> None:
        """Tell the client how its kernel ended; the dead process is kept, so that its number stays its own."""
        end = os.waitid(os.P_PID, kernel.pid, os.WEXITED | os.WNOWAIT)
        say(kernel.client, exit=end.si_status if end.si_code == os.CLD_EXITED else -end.si_status)
        kernel.told = True

    def _listen(self, kernel: Kernel) -> None:
        """Hear the client's goodbye, or notice that it has gone."""
        try:
            data = kernel.client.recv(1)
        except OSError:
            data = b""
        if data:
            kernel.tidy = True
        else:
            self.kernels.remove(kernel)
            self.finish(kernel)

    def finish(self, kernel: Kernel) -> None:
        """End a kernel with all that it has started, and clean up."""
        try:
            os.killpg(kernel.pid, signal.SIGKILL)
        except ProcessLookupError:  # so young that it has no group of its own yet
            os.kill(kernel.pid, signal.SIGKILL)
        os.waitpid(kernel.pid, 0)
        os.close(kernel.pidfd)
        kernel.client.close()
        if not kernel.tidy:
            shutil.rmtree(kernel.folder, ignore_errors=True)

    def end(self) -> None:
        """End every kernel, and leave no socket."""
        for kernel in self.kernels:
            self.finish(kernel)
        if not self.retired:
            Path(self.path).unlink(missing_ok=True)
        if self.owned:
            shutil.rmtree(Path(self.path).parent, ignore_errors=True)


def receive(client: socket.socket) -> Request:
    """Read a request: a line of JSON, with the three standard streams beside its first bytes."""
    data, streams, _, _ = socket.recv_fds(client, 65536, 3)
    while not data.endswith(b"\n"):
        more = client.recv(65536)
        if not more:
            raise ValueError("an unfinished request")
        data += more
    return Request(client, streams, **json.loads(data))


def say(client: socket.socket, **words: Any) -> None:
    """Send a line of JSON; a client that has gone needs none."""
    with suppress(OSError):
        client.sendall(json.dumps(words).encode() + b"\n")


def become(request: Request, template: Template) -> None:
    """Turn this fork of the template into a process of its own: its session, streams, environment and folder."""
    os.setsid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != template.pid:
        os._exit(1)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    for number, fd in enumerate(request.streams):
        os.dup2(fd, number)
    # Python's own objects let go of their descriptors before these are closed: later they may belong to others.
    for owner in [template.listener, *(kernel.client for kernel in template.kernels)]:
        owner.detach()
    keep = request.client.fileno()
    for fd in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        if fd > 2 and fd != keep:
            with suppress(OSError):  # the descriptor of the listing itself
                os.close(fd)
    os.environ.clear()
    os.environ.update(template.learned | request.env)
    os.chdir(request.cwd)
    Path(request.folder).mkdir(mode=0o700, exist_ok=True)
    sys.argv = request.argv
    refresh()


def call_apart(request: Request) -> None:
    """Call the function that was asked for, and end without a word of farewell: there is nothing to tear down."""
    from vlr_analysis.review.apart import answer

    ctypes.CDLL(None).prctl(PR_SET_NAME, b"vlr-apart")  # for whoever lists processes: it is no kernel
    say(request.client, ready=True)
    answer(Path(request.folder))
    sys.stderr.flush()
    os._exit(0)


def run_kernel(request: Request) -> None:
    """Run the kernel that was asked for until it ends."""
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    # Nobody scrolls back in these kernels; the history would be a database and a thread. The system ends the kernel
    # with its parent: 1 spares the thread that would look after it.
    app = IPKernelApp.instance(config=Config({"HistoryManager": {"enabled": False}}), parent_handle=1)
    with few_modules():
        app.initialize(request.argv[1:])
    settle_matplotlib()
    say(request.client, ready=True)
    request.client.close()
    app.start()
    # ipykernel closes its sockets while its control thread may still say that it is idle: an abort, or an endless wait.
    app.control_thread.stop()
    app.control_thread.join()


@contextmanager
def few_modules() -> Iterator[None]:
    """Let the kernel take note of the modules of the kernel alone.

    It keeps the files of what is loaded at its start, for its debugger to pass over. A look at each of the template's
    modules would copy fifteen megabytes of memory that is shared, and have the debugger pass over the kit.
    """
    from ipykernel import ipkernel

    whole = ipkernel.sys
    ipkernel.sys = SimpleNamespace(**{**vars(sys), "modules": KERNEL_FILES})
    try:
        yield
    finally:
        ipkernel.sys = whole


def refresh() -> None:
    """Draw fresh random states, as every new interpreter does."""
    import numpy as np

    random.seed()
    np.random.seed()


def settle_matplotlib() -> None:
    """Give matplotlib the settings that it would have read, had it been imported in the kernel."""
    import matplotlib

    if os.environ.get("MPLBACKEND"):
        matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"]


def main() -> None:
    """Preload, serve, and become a kernel in every fork."""
    del sys.path[0]  # the folder of this script: its neighbours are no modules for others
    before = dict(os.environ)
    options = argparse.ArgumentParser()
    options.add_argument("--listener", type=int)
    options.add_argument("--path")
    options.add_argument("--package")
    options.add_argument("--owned", action="store_true")
    options.add_argument("--idle", type=float)
    wanted = options.parse_args()
    if not wanted.owned and os.fork():
        os._exit(0)  # the client takes note of our end at once, and we belong to nobody
    template = Template(socket.socket(fileno=wanted.listener), wanted.path, wanted.owned, wanted.idle)

    def end(*_: Any) -> None:
        raise _End

    signal.signal(signal.SIGTERM, end)
    try:
        site = next((i for i, path in enumerate(sys.path) if Path(path).name in ("site-packages", "dist-packages")), 0)
        sys.path.insert(site, "")  # where IPython puts the working folder
        preload(wanted.package)
        sys.path.remove("")
        template.learned = {name: value for name, value in os.environ.items() if before.get(name) != value}
        gc.collect()
        gc.freeze()
        gc.set_threshold(YOUNG)
        request = template.serve()
    except _End:
        request = None
    if request is None:
        template.end()
    else:
        become(request, template)
        (call_apart if request.argv[0] == APART else run_kernel)(request)


if __name__ == "__main__":
    main()
