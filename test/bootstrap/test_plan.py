"""Steps, stamps and the lock: what happens when a set-up is interrupted, fails, or runs twice."""

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pi05_ros.bootstrap import interfaces, virtual_env
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.plan import Step, carry_out, locked, make_plan
from pi05_ros.bootstrap.ros_source import ros_source
from pi05_ros.bootstrap.setup_context import SetupContext
from pi05_ros.bootstrap.terminal import Terminal


@pytest.fixture
def context(tmp_path):
    return SetupContext(
        Checkout(tmp_path), ros_source({}, tmp_path), {}, terminal=Terminal(io.StringIO())
    )


def counting(tmp_path, name, key="k", error=None, **options):
    """A step, and the list of its runs. The first run raises `error`, if there is one."""
    runs = []
    errors = [error] if error else []

    def work(_context):
        runs.append(name)
        if errors:
            raise errors.pop()

    step = Step(name, tmp_path / "made" / name, lambda: key, work, **options)
    return step, runs


def test_a_done_step_is_not_done_again(tmp_path, context):
    step, runs = counting(tmp_path, "a")
    assert not step.is_done()
    carry_out([step], context)
    carry_out([step], context)
    assert step.is_done()
    assert runs == ["a"]


def test_a_changed_input_asks_for_its_own_step_only(tmp_path, context):
    (first, first_runs), (second, second_runs) = counting(tmp_path, "a"), counting(tmp_path, "b")
    carry_out([first, second], context)
    changed = Step("b", second.stamp, lambda: "other", second.work)
    carry_out([first, changed], context)
    assert (first_runs, second_runs) == (["a"], ["b", "b"])


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SetupError("no", "yes")])
def test_a_run_goes_on_where_the_last_one_stopped(tmp_path, context, error):
    first, first_runs = counting(tmp_path, "a")
    second, second_runs = counting(tmp_path, "b", error=error)
    third, third_runs = counting(tmp_path, "c")
    with pytest.raises(type(error)):
        carry_out([first, second, third], context)
    assert not second.is_done()
    carry_out([first, second, third], context)
    assert (first_runs, second_runs, third_runs) == (["a"], ["b", "b"], ["c"])


def test_what_is_optional_is_said_and_tried_again(tmp_path, context):
    step, runs = counting(tmp_path, "gl", error=SetupError("No GL", "apt"), optional=True)
    last, _ = counting(tmp_path, "last")
    assert carry_out([step, last], context) == ["No GL\nFix: apt"]
    assert last.is_done()
    assert carry_out([step, last], context) == []
    assert runs == ["gl", "gl"]


def test_a_step_without_a_key_is_never_done(tmp_path):
    step, _ = counting(tmp_path, "a", key="")
    step.stamp.parent.mkdir()
    step.stamp.write_text("")
    assert not step.is_done()


def test_what_a_step_found_stands_behind_its_key(tmp_path, context):
    step = Step("gl", tmp_path / "made" / "gl", lambda: "key", lambda _context: "egl")
    carry_out([step], context)
    assert step.stamp.read_text() == "key\negl"
    assert step.is_done()


def test_two_runs_take_turns(tmp_path, context):
    """A second process waits for the lock, and for a child that outlived the first."""
    take = (
        "import fcntl, sys; f = open(sys.argv[1]); fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)"
    )
    command = [sys.executable, "-c", take, str(context.checkout.scratch / "lock")]
    with locked(context) as descriptor:
        assert subprocess.run(command, capture_output=True).returncode != 0
        orphan = subprocess.Popen(["sleep", "60"], pass_fds=(descriptor,))
    try:
        assert subprocess.run(command, capture_output=True).returncode != 0
    finally:
        orphan.kill()
        orphan.wait()
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_the_plan_ends_with_all_that_a_machine_with_nothing_needs():
    checkout = Checkout(Path(__file__).parents[2])
    titles = [step.title for step in make_plan(checkout, ros_source({}, checkout.root))]
    assert titles == [
        "virtual environment .venv",
        "wheels (ROS 2 Jazzy, MuJoCo, torch)",
        "interfaces (pi05_msgs, control_msgs, tf2_msgs)",
        "off-screen OpenGL",
    ]


def test_the_test_tools_are_a_step_of_their_own():
    checkout = Checkout(Path(__file__).parents[2])
    source = ros_source({}, checkout.root)
    base = [step.title for step in make_plan(checkout, source)]
    assert [step.title for step in make_plan(checkout, source, tools=True)] == [
        *base,
        "test tools",
    ]


def test_a_moved_checkout_makes_all_anew_that_holds_its_path(tmp_path):
    """The wheels' stamp is there, but it speaks of the environment of another folder."""
    checkout = Checkout(tmp_path / "repo")
    root = Path(__file__).parents[2]
    for name in ("requirements", "pi05_msgs", "underlay"):
        shutil.copytree(root / name, checkout.root / name)
    checkout.python.parent.mkdir(parents=True)
    checkout.python.symlink_to(sys.executable)
    checkout.stamps.mkdir()
    (checkout.stamps / "begun").write_text(
        virtual_env.wheels_key(checkout, True, virtual_env.BASE)
    )
    source = ros_source({}, tmp_path)
    for step in make_plan(checkout, source, tools=True):
        step.stamp.parent.mkdir(parents=True, exist_ok=True)
        step.stamp.write_text(step.key())

    def left(place):
        return [step.title for step in make_plan(place, source, tools=True) if not step.is_done()]

    assert left(checkout) == []
    moved = Checkout(tmp_path / "elsewhere")
    checkout.root.rename(moved.root)
    assert len(left(moved)) == 5
    moved.root.rename(checkout.root)
    assert left(checkout) == []
    message = checkout.root / "pi05_msgs" / "msg" / "Subtask.msg"
    message.write_text(f"{message.read_text()}bool another_field\n")
    assert left(checkout) == ["interfaces (pi05_msgs, control_msgs, tf2_msgs)"]
    interfaces.stamp(checkout).write_text(interfaces.key(checkout, source))
    for name in ("tools", "robot"):
        lock = checkout.requirements / f"{name}.txt"
        lock.write_text(f"{lock.read_text()}another==1.0\n")
        if name == "tools":
            assert left(checkout) == ["test tools"]
    assert left(checkout) == [
        "virtual environment .venv",
        "wheels (ROS 2 Jazzy, MuJoCo, torch)",
        "off-screen OpenGL",
        "test tools",
    ]
