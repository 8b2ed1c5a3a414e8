"""Work apart: the same value as here, in another process, and whatever goes wrong there is told here."""

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from vlr_analysis.errors import InputError
from vlr_analysis.params import read_parameters
from vlr_analysis.review import apart, kernel_start, kernels, plan, staged, work
from vlr_analysis.review.session import Ended, Wanted

ROOT = Path(__file__).resolve().parents[1]
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks need Linux")


@pytest.fixture
def no_template(monkeypatch):
    """No template, as on Windows."""
    monkeypatch.setattr(kernels, "_owner", None)


@linux
def test_a_function_runs_in_another_process_in_the_folder_of_the_project(warm):
    assert apart.call("os:getpid", ROOT) not in (os.getpid(), apart.call("os:getpid", ROOT))
    assert apart.call("os:getcwd", ROOT) == str(ROOT)


def test_without_a_template_it_runs_here(no_template):
    assert apart.call("os:getpid", ROOT) == os.getpid()


@pytest.mark.parametrize("template", [pytest.param("warm", marks=linux), "no_template"])
def test_values_and_errors_are_the_same_as_here(template, request):
    request.getfixturevalue(template)
    told = apart.call("vlr_analysis.params:read_parameters", ROOT, "bristol", root=ROOT)
    assert told == read_parameters("bristol", ROOT)
    with pytest.raises(InputError) as here:
        read_parameters("nowhere", ROOT)
    with pytest.raises(InputError) as there:
        apart.call("vlr_analysis.params:read_parameters", ROOT, "nowhere", ROOT)
    assert there.value.problems == here.value.problems
    assert str(there.value) == str(here.value)
    with pytest.raises(FileNotFoundError):
        apart.call("os:listdir", ROOT, "/no/such/folder")


@linux
def test_what_nobody_expects_arrives_with_its_traceback(warm):
    with pytest.raises(apart.Broken, match=r"(?s)Traceback.*JSONDecodeError"):
        apart.call("json:loads", ROOT, "{")


@linux
@pytest.mark.parametrize(
    ("function", "given", "said"), [("os:_exit", 7, "exit status 7"), ("signal:raise_signal", 9, "signal 9")]
)
def test_a_process_that_dies_is_told(function, given, said, warm):
    with pytest.raises(apart.Died, match=f"its process ended with {said}"):
        apart.call(function, ROOT, given)


@linux
def test_a_template_that_refuses_means_here(warm, monkeypatch):
    def refuse(*_):
        raise kernel_start.NoWarmKernel("it has two threads")

    monkeypatch.setattr(kernels, "fork", refuse)
    assert apart.call("os:getpid", ROOT) == os.getpid()


@linux
def test_nothing_stays_behind(warm, tmp_path, monkeypatch):
    made = []
    folder = kernel_start.private_folder
    monkeypatch.setattr(kernel_start, "private_folder", lambda: made.append(folder()) or made[-1])
    apart.call("os:getpid", ROOT)
    with pytest.raises(apart.Died):
        apart.call("os:_exit", ROOT, 1)
    assert len(made) == 2
    assert not any(path.exists() for path in made)


# --- reports written apart --------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Make a desk whose processes are stood in for by `calls`: what was asked for; `wrong` is what they raise."""
    calls, wrong = [], {}

    def call(function, root, *given, **named):
        calls.append((function, named))
        folder = given[1]
        (folder / staged.HANDOVER).mkdir(parents=True, exist_ok=True)
        if (function, folder.name) in wrong:
            raise wrong[function, folder.name]
        return ""

    monkeypatch.setattr(apart, "call", call)
    (tmp_path / "out").mkdir()
    made = work._Desk(tmp_path / "staging", Wanted([], [], tmp_path / "out"), tmp_path, None, Ended())
    made.calls, made.wrong = calls, wrong
    return made


def report(desk, name, *, internal=False, stems=("01", plan.SUMMING_UP), ran=2):
    """Stand in for a report of which some notebooks have run."""
    tasks = [plan.Task(name, name, Path(f"{stem}.ipynb"), desk.root, {"internal": internal}) for stem in stems]
    return SimpleNamespace(
        folder=name, name=name, tasks=tasks, outcomes=[plan.Outcome(task, task.notebook) for task in tasks[:ran]],
        inputs={}, pdf=False, target=desk.root / "out" / name, record=desk.root / f"{name}.json", settled=False,
        remember=lambda: None,
    )  # fmt: skip


def test_a_report_whose_process_died_is_named_and_the_next_is_delivered(desk, no_template):
    desk.wrong[work.WRITE, "one"] = apart.Died("its process ended with signal 9")
    for name in ("one", "two"):
        desk.deliver_if_whole(report(desk, name))
    desk.close()
    assert desk.ended.failed == [("report one", "its process ended with signal 9")]
    assert [path.name for path in (desk.root / "out").iterdir()] == ["two"]


@pytest.mark.parametrize("fails", [False, True])
def test_the_hand_over_is_written_ahead_once_and_again_with_the_pages_if_that_failed(desk, fails, monkeypatch):
    monkeypatch.setattr(kernels, "are_warm", lambda: True)
    if fails:
        desk.wrong[work.PREPARE, "one"] = OSError(28, "no space")
    one = report(desk, "one", ran=1)
    for _ in range(2):
        desk.prepare(one)
    desk._prepared["one"].exception()
    one.outcomes.append(plan.Outcome(one.tasks[1], one.tasks[1].notebook))
    desk.prepare(one)
    desk.deliver_if_whole(one)
    desk.close()
    asked = {"printed": False, "program": "", "prepared": not fails}
    assert desk.calls == [(work.PREPARE, {}), (work.WRITE, asked)]
    assert one.settled and not desk.ended.failed


@pytest.mark.parametrize("other", [{"internal": True}, {"stems": ("01", "02")}, {"ran": 2}, {"warm": False}])
def test_what_has_no_hand_over_or_no_time_for_it_is_not_prepared(desk, other, monkeypatch):
    warm = other.pop("warm", True)
    monkeypatch.setattr(kernels, "are_warm", lambda: warm)
    desk.prepare(report(desk, "one", **{"ran": 1} | other))
    desk.close()
    assert not desk.calls
