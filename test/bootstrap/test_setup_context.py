"""Programs that the set-up runs: their logs, failures and end."""

import io
import os
import signal
import time
from pathlib import Path

import pytest

from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.ros_source import ros_source
from pi05_ros.bootstrap.setup_context import SetupContext
from pi05_ros.bootstrap.terminal import Terminal


@pytest.fixture
def context(tmp_path):
    source = ros_source({}, tmp_path)
    return SetupContext(Checkout(tmp_path), source, dict(os.environ), Terminal(io.StringIO()))


def test_output_goes_to_the_log_alone(context, capfd):
    context.run(["sh", "-c", "echo out; echo err >&2"], "step")
    assert (context.checkout.logs / "step.log").read_text().splitlines()[1:] == ["out", "err"]
    assert capfd.readouterr() == ("", "")


def test_a_known_reason_is_one_sentence_and_the_log_is_named(context):
    script = "echo chatter; echo 'No space left on device'; exit 1"
    with pytest.raises(SetupError) as caught:
        context.run(["sh", "-c", script], "step")
    log = context.checkout.logs / "step.log"
    assert caught.value.problem == f"The disk is full (log: {log})"
    assert "chatter" not in str(caught.value)


def test_an_unknown_failure_shows_the_end_of_its_log(context):
    with pytest.raises(SetupError, match="sh failed with status 3") as caught:
        context.run(["sh", "-c", "for i in $(seq 40); do echo line $i; done; exit 3"], "step")
    assert "line 40" in str(caught.value)
    assert "line 20\n" not in str(caught.value)
    assert str(context.checkout.logs / "step.log") in caught.value.fix


def test_what_a_program_leaves_behind_is_stopped_with_it(context, tmp_path):
    """The leader ends at once on SIGINT; a child of its that ignores signals does not."""
    pid_file = tmp_path / "pid"

    class Interrupting(Terminal):
        def refresh(self, log):
            if pid_file.exists() and pid_file.read_text().strip():
                raise KeyboardInterrupt

    context.terminal = Interrupting(io.StringIO())
    deaf = f"trap '' INT TERM; echo $$ > {pid_file}; while true; do sleep 0.1; done"
    script = f'sh -c "{deaf.replace("$", chr(92) + "$")}" & wait'
    with pytest.raises(KeyboardInterrupt):
        context.run(["bash", "-c", script], "step")
    assert ends(int(pid_file.read_text()))


def test_the_lock_is_handed_to_the_program(context, tmp_path):
    with (tmp_path / "lock").open("w") as lock:
        context.keep_open = (lock.fileno(),)
        context.run(["sh", "-c", f"echo held > /proc/self/fd/{lock.fileno()}"], "step")
    assert (tmp_path / "lock").read_text() == "held\n"


def test_a_program_that_is_not_there_is_named(context):
    with pytest.raises(SetupError, match="no-such-program cannot be run"):
        context.run(["no-such-program"], "step")


def test_an_interruption_stops_the_program_and_its_children(context, tmp_path):
    """Ctrl-C must leave no compiler behind that goes on writing, even one that ignores it."""
    pid_file = tmp_path / "pid"
    interruptions = []

    class Interrupting(Terminal):
        def refresh(self, log):
            if pid_file.exists() and pid_file.read_text().strip():
                interruptions.append(log.name)
                raise KeyboardInterrupt

    context.terminal = Interrupting(io.StringIO())
    script = f"trap '' INT; sleep 60 & echo $! > {pid_file}; wait"
    with pytest.raises(KeyboardInterrupt):
        context.run(["sh", "-c", script], "step")
    assert interruptions == ["step.log"]
    assert ends(int(pid_file.read_text()))


def ends(pid):
    """Check whether a process ends within 5 s; kill it if not."""
    until = time.monotonic() + 5
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.05)
    if runs(pid):
        os.kill(pid, signal.SIGKILL)
        return False
    return True


def runs(pid):
    """Check whether a process runs; a zombie does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_steps_say_how_they_ended():
    stream = io.StringIO()
    terminal = Terminal(stream)
    with terminal.step(1, 2, "one"):
        pass
    with pytest.raises(KeyboardInterrupt), terminal.step(2, 2, "two"):
        raise KeyboardInterrupt
    lines = stream.getvalue().splitlines()
    assert lines[0] == "  [1/2] one ..."
    assert lines[1].startswith("  [1/2] one: done in 0.0 s")
    assert lines[3].startswith("  [2/2] two: interrupted after")
