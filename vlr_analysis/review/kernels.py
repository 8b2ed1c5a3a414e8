"""Warm kernels: a provisioner for Jupyter that forks kernels from a process which has already imported the packages.

Anything that starts kernels through `jupyter_client` gets them by `JUPYTER_DEFAULT_PROVISIONER_NAME=vlr-warm`:
papermill, nbclient, nbval. Where forking is not possible an ordinary kernel starts, and the log says why.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

from vlr_analysis.review import kernel_start
from vlr_analysis.review.kernel_client import PROMPT
from vlr_analysis.review.kernel_start import Forked, NoWarmKernel

NAME, ORDINARY = "vlr-warm", "local-provisioner"
KERNEL = "python3"
CHOICE = "VLR_KERNELS"  # set to "ordinary" it switches warm kernels off
CHOSEN = KernelProvisionerFactory.default_provisioner_name_env
STEP = 0.005  # seconds between two looks at a kernel that is about to end
LOOKS = 100
STARTS = 2  # of one template in one run: a template that cannot start would cost every kernel its time
LOG = logging.getLogger("vlr_analysis.kernels")


def possible() -> str:
    """Say why warm kernels are not possible here; empty where they are."""
    return _impossible_here() or _impossible_spec()


def _impossible_here() -> str:
    if os.environ.get(CHOICE) == "ordinary":
        return f"{CHOICE}=ordinary asks for them"
    if not sys.platform.startswith("linux"):
        return "only Linux can fork a process that has loaded these libraries"
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return "this Linux cannot watch a process by a descriptor (pidfd)"
    return ""


def _impossible_spec() -> str:
    if not entry_points(group=KernelProvisionerFactory.GROUP_NAME, name=NAME):
        return "the kit is not installed in this environment, so Jupyter does not find its provisioner"
    try:
        spec = KernelSpecManager().get_kernel_spec(KERNEL)
    except NoSuchKernel:
        return f"Jupyter finds no kernel named {KERNEL}"
    return _other_command(spec.argv)


def _other_command(command: list[str]) -> str:
    """Say how the command of a kernel differs from that of an ordinary kernel of this interpreter."""
    interpreter, *rest = command
    if interpreter in ("python", "python3", f"python3.{sys.version_info[1]}"):
        interpreter = sys.executable
    path = Path(interpreter)
    if path.parent.resolve() != Path(sys.executable).parent.resolve() or not path.name.startswith("python"):
        return "the kernel belongs to another interpreter"
    if rest[:3] != ["-m", "ipykernel_launcher", "-f"]:
        return "the kernel has a command of its own"
    return ""


class _Owner:
    """The templates of one run, by their keys; they end with it."""

    def __init__(self) -> None:
        self.pid, self.lock, self.ended = os.getpid(), threading.Lock(), False
        self.templates: dict[str, list[tuple[Path, subprocess.Popen]]] = {}
        self.asked = False  # for a kernel

    def connect(self, env: dict[str, str], cwd: str) -> Any:
        """Connect to the template for such kernels, starting it first where needed."""
        started = kernel_start.start_environment(env)
        package = kernel_start.find_package(env, cwd)
        key = kernel_start.key(started, cwd, package)
        with self.lock:
            if self.ended:
                raise NoWarmKernel("the run has ended")
            known = self.templates.setdefault(key, [])
            if not known or (known[-1][1].poll() is not None and len(known) < STARTS):
                path = kernel_start.private_folder() / "s"
                known.append((path, kernel_start.start_template(path, started, cwd, package, owned=True)))
            path = known[-1][0]
        try:
            return kernel_start.connect(path)
        except OSError as error:
            raise NoWarmKernel(f"the template has ended: {kernel_start.last_words(path)}") from error

    def end(self) -> None:
        """End the templates, their kernels and their folders."""
        with self.lock:
            self.ended = True  # one that is being started ahead may come too late
        for path, process in itertools.chain(*self.templates.values()):
            process.stdin.close()
            if not self.asked:
                process.kill()  # it may still be at its imports, and has forked nothing
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            shutil.rmtree(path.parent, ignore_errors=True)


_owner: _Owner | None = None
_ended = threading.local()


def last_status() -> int | None:
    """Return how the last kernel of this thread ended: its exit status, or minus the number of a signal.

    None where it was told to end, or was not started through the provisioner.
    """
    return getattr(_ended, "status", None)


def are_warm() -> bool:
    """Whether kernels of this process come from a template of its own: inside `warm`, where that is possible."""
    return _owner is not None and _owner.pid == os.getpid()


def fork(argv: Sequence[str], env: Mapping[str, str], cwd: str, folder: Path, streams: Sequence[int]) -> Forked:
    """Fork a process from the template for such surroundings.

    Parameters
    ----------
    argv : sequence of str
        Arguments of a kernel, or `kernel_start.APART` and ``module:name`` of a function.
    env : mapping
        Its environment.
    cwd : str
        Its working folder.
    folder : Path
        A private folder, for its sockets or for what it is to do.
    streams : sequence of int
        Descriptors of its standard input, output and error.

    Raises
    ------
    NoWarmKernel
        There is no template, or it refuses.
    """
    request = {"argv": list(argv), "env": dict(env), "cwd": cwd, "folder": str(folder)}
    if not are_warm():
        return Forked(kernel_start.shared_template(dict(env), cwd), request, streams)
    _owner.asked = True
    return Forked(_owner.connect(dict(env), cwd), request, streams)


def _start(owner: _Owner, cwd: str) -> None:
    """Start the template; if that fails, the first kernel finds out and says so."""
    with suppress(NoWarmKernel, OSError):
        owner.connect(dict(os.environ), cwd).close()


@contextmanager
def warm(log: logging.Logger | None = None, ahead: Path | None = None) -> Iterator[bool]:
    """Start every kernel of this process from a template, for the duration of a run.

    Yields whether kernels are warm; where they are not, the log says why in one line, and ordinary kernels run.

    Parameters
    ----------
    log : logging.Logger, optional
        Where the line goes; `vlr_analysis.kernels` by default.
    ahead : Path, optional
        Working folder of the kernels to come: their template starts at once, beside what else is to be done first.
    """
    global _owner
    reason = possible()
    if reason:
        (log or LOG).info("Ordinary kernels: %s.", reason)
        with _provisioner(ORDINARY if os.environ.get(CHOSEN) == NAME else None):
            yield False
        return
    before, own = _owner, _Owner()
    with _provisioner(NAME):
        _owner = own
        if ahead:
            threading.Thread(target=_start, args=(own, str(ahead.resolve())), daemon=True).start()
        try:
            yield True
        finally:
            _owner = before
            own.end()


@contextmanager
def _provisioner(name: str | None) -> Iterator[None]:
    """Choose the provisioner of kernels whose specification names none; no change without a name."""
    if name is None:
        yield
        return
    # Jupyter reads the environment once, and then keeps the answer.
    factory = KernelProvisionerFactory.instance()
    before, kept = os.environ.get(CHOSEN), factory.default_provisioner_name
    os.environ[CHOSEN] = factory.default_provisioner_name = name
    try:
        yield
    finally:
        factory.default_provisioner_name = kept
        os.environ.pop(CHOSEN, None)
        if before is not None:
            os.environ[CHOSEN] = before


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel by forking the template, or as an ordinary process where that is not possible."""

    _folder: Path | None = None
    _forked: Forked | None = None  # outlives `process`, which is forgotten when its end has been waited for
    _ending = False  # it was told to end
    _interrupt = False  # it is to be interrupted if it does not end soon

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose sockets in a private folder: over TCP, kernels that start together race for free ports."""
        manager = self.parent
        if manager is not None and os.name == "posix" and manager.transport == "tcp" and not manager.shell_port:
            try:
                self._folder = kernel_start.private_folder()
            except NoWarmKernel as reason:
                LOG.debug("Kernel over TCP: %s.", reason)
            else:
                manager.transport, manager.ip = "ipc", str(self._folder / "s")
                manager.connection_file = manager.connection_file or str(self._folder / "kernel.json")
                manager.client_class = PROMPT.get(manager.client_class, manager.client_class)
        return await super().pre_launch(**kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork a kernel; fall back to an ordinary one, with one line in the log."""
        self._ending, _ended.status = False, None
        reason = _impossible_here() or _other_command(cmd)
        if not reason:
            try:
                self.process = self._forked = await asyncio.to_thread(self._fork, cmd, kwargs)
            except NoWarmKernel as refusal:
                reason = str(refusal)
        if reason:
            LOG.warning("Ordinary kernel: %s.", reason)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info

    def _fork(self, cmd: list[str], options: dict[str, Any]) -> Forked:
        """Ask the template for a kernel."""
        streams = [options.get(name) for name in ("stdin", "stdout", "stderr")]
        unknown = set(options) - {"stdin", "stdout", "stderr", "env", "cwd", "independent", *self._scrubbed}
        if unknown or options.get("independent") or any(stream in (-1, -2) for stream in streams):
            raise NoWarmKernel("it is asked for in a way that a fork cannot give")
        cwd = str(Path(options.get("cwd") or ".").resolve())
        if not Path(cwd).is_dir() or self._folder is None:
            raise NoWarmKernel("it has no folder for its sockets, or no working folder")
        env = {**options["env"], "JPY_PARENT_PID": str(os.getpid())}
        with Path(os.devnull).open("r+b", buffering=0) as nothing:
            numbers = [
                nothing.fileno() if stream == -3 or (stream is None and number == 0) else _number(stream, number)
                for number, stream in enumerate(streams)
            ]
            return fork(cmd[2:], env, cwd, self._folder, numbers)

    _scrubbed = ("extra_arguments", "kernel_id")

    async def poll(self) -> int | None:
        """Return the exit status, None while the kernel runs; waits a little for a kernel that was told to end."""
        status = await super().poll()
        for _ in range(LOOKS if self._ending else 0):
            if status is not None:
                break
            await asyncio.sleep(STEP)
            status = await super().poll()
        return status

    async def wait(self) -> int | None:
        """Wait for the end of the kernel."""
        self._ending = True
        return await super().wait()

    async def shutdown_requested(self, restart: bool = False) -> None:
        """Expect the end from now on; interrupt a kernel that is too busy to hear of it."""
        self._ending = True
        if self._interrupt and await self.poll() is None:
            await super().send_signal(signal.SIGINT)

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel with all it has started."""
        self._ending = True
        await super().kill(restart)

    async def terminate(self, restart: bool = False) -> None:
        """Ask the kernel to end."""
        self._ending = True
        await super().terminate(restart)

    async def send_signal(self, signum: int) -> None:
        """Send a signal to the kernel's process group; a kernel that has ended gets none.

        The manager interrupts a kernel before it asks it to end. An idle kernel may take the interrupt for its
        request, and then the end takes seconds: only one that does not end by itself is interrupted.
        """
        self._interrupt = signum == signal.SIGINT and getattr(self.parent, "shutting_down", False)
        if self._interrupt:
            return
        if self.process is not None and self.process.poll() is None:
            await super().send_signal(signum)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of the kernel, and of its folder unless it is about to start again."""
        if self.process is not None and not self._ending:
            _ended.status = self.process.poll()
        if self._forked is not None:
            self._forked.close()
            self._forked = None
        if self._folder and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
        await super().cleanup(restart)


def _number(stream: Any, inherited: int) -> int:
    """Return the descriptor of a stream as `subprocess` understands it."""
    if stream is None:
        return inherited
    return stream if isinstance(stream, int) else stream.fileno()
