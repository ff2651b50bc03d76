"""The supervisor, against real processes that misbehave."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace

import pytest

from pi05_ros.bringup.respawn import RespawnPolicy, RespawnRecord
from pi05_ros.bringup.supervisor import (
    GraphError,
    ProcessSpec,
    StopPolicy,
    Supervisor,
    describe_exit,
)

QUICK = StopPolicy(sigterm_after_s=0.4, sigkill_after_s=0.8)


def python(name, code, **kwargs):
    return ProcessSpec(name, (sys.executable, "-u", "-c", textwrap.dedent(code)), **kwargs)


def shell(name, code, **kwargs):
    return ProcessSpec(name, ("sh", "-c", code), **kwargs)


class Log:
    """Collects what a supervisor tells."""

    def __init__(self):
        self.lines, self.events = [], []

    def supervisor(self, *specs, **kwargs):
        return Supervisor(
            specs,
            on_line=lambda *line: self.lines.append(line),
            on_event=lambda *event: self.events.append(event),
            **kwargs,
        )

    def wait_for(self, supervisor, line, timeout_s=60):
        deadline = time.monotonic() + timeout_s
        while line not in self.lines:
            assert time.monotonic() < deadline, f"no {line} in {self.lines[-20:]}"
            supervisor.poll(0.02)


def gone(pid, timeout_s=30):
    """Check that a process ends within the time: a signal takes effect after a moment."""
    deadline = time.monotonic() + timeout_s
    while alive(pid) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not alive(pid)


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(") ", 1)[1][0] != "Z"


def test_lines_of_all_processes_come_with_their_names():
    log = Log()
    supervisor = log.supervisor(
        shell("a", "echo one; echo two >&2; printf half", on_exit="ignore"),
        shell("b", "echo $WORD", on_exit="ignore", environment={"WORD": "hello"}),
    )
    supervisor.start()
    supervisor.run()
    assert [line for name, line in log.lines if name == "a"] == ["one", "two", "half"]
    assert ("b", "hello") in log.lines
    assert supervisor.tail("a") == ("one", "two", "half")
    assert supervisor.failure is None
    assert ("b", "ended (exit code 0); the graph goes on") in log.events


def test_ctrl_c_ends_all_and_reports_no_failure():
    log = Log()
    with log.supervisor(
        shell("a", "echo up; exec sleep 60"), shell("b", "echo up; exec sleep 60")
    ) as s:
        log.wait_for(s, ("a", "up"))
        log.wait_for(s, ("b", "up"))
        pids = list(s.pids().values())
        s.request_stop()
        s.run()
        assert not any(alive(pid) for pid in pids)
    assert sorted(log.events) == [
        ("a", "ended (killed by SIGINT)"),
        ("b", "ended (killed by SIGINT)"),
    ]


def test_whoever_ignores_signals_is_killed_in_the_end():
    log = Log()
    deaf = "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nprint('up')\n"
    with log.supervisor(python("deaf", deaf + "time.sleep(60)"), stop=QUICK) as s:
        log.wait_for(s, ("deaf", "up"))
        began = time.monotonic()
        s.request_stop()
        s.run()
        assert time.monotonic() - began > 0.7
    assert log.events == [
        ("deaf", "has not ended; sending SIGTERM"),
        ("deaf", "has not ended; sending SIGKILL"),
        ("deaf", "ended (killed by SIGKILL)"),
    ]


def test_the_default_ladder_ends_within_five_seconds():
    assert StopPolicy().sigterm_after_s == 2.0
    assert StopPolicy().sigkill_after_s == 4.0


def test_asked_twice_it_kills_at_once():
    log = Log()
    deaf = "import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\nprint('up')\n"
    with log.supervisor(python("deaf", deaf + "time.sleep(60)")) as s:
        log.wait_for(s, ("deaf", "up"))
        s.request_stop()
        s.poll(0.05)
        s.request_stop()
        s.run()
    assert ("deaf", "has not ended; sending SIGTERM") not in log.events


def test_what_a_process_started_goes_with_it():
    log = Log()
    with log.supervisor(shell("a", "sleep 60 & echo $!; wait")) as s:
        while not log.lines:
            s.poll(0.02)
        grandchild = int(log.lines[0][1])
        assert alive(grandchild)
    assert gone(grandchild)


def test_a_dead_process_starts_again_and_is_given_up_in_the_end():
    log = Log()
    policy = RespawnPolicy(first_delay_s=0.01, max_delay_s=0.02, limit=3)
    other = shell("other", "exec sleep 60")
    with log.supervisor(shell("bad", "echo no; exit 3"), other, respawn=policy) as s:
        with pytest.raises(
            GraphError,
            match=r"^bad died 3 times in a row within 30 s of its start "
            r"\(last: exit code 3\); the graph stops$",
        ):
            s.run()
        assert not s.running
    assert log.lines == [("bad", "no")] * 3
    assert log.events[0] == ("bad", "died (exit code 3) after 0 s; starts again in 0.01 s")
    assert ("other", "ended (killed by SIGINT)") in log.events


def test_a_process_that_persists_is_never_given_up():
    log = Log()
    policy = RespawnPolicy(first_delay_s=0.01, max_delay_s=0.02, limit=3)
    bad = shell("bad", "echo no; exit 3", on_exit="persist")
    with log.supervisor(bad, shell("other", "exec sleep 60"), respawn=policy) as s:
        while len(log.lines) < 6:
            s.poll(0.02)
        assert s.failure is None
        assert "other" in s.pids()


def test_a_process_that_may_take_long_to_end_is_not_killed_meanwhile():
    log = Log()
    slow = shell(
        "slow",
        "trap '' TERM; trap 'sleep 0.8; echo closed; exit 0' INT; echo up; "
        "while :; do sleep 0.01; done",
    )
    s = log.supervisor(
        replace(slow, end_s=20.0), stop=StopPolicy(sigterm_after_s=0.4, sigkill_after_s=0.5)
    )
    s.start()
    while not log.lines:
        s.poll(0.02)
    s.request_stop()
    s.run()
    assert log.lines == [("slow", "up"), ("slow", "closed")]


def test_asked_twice_even_that_one_is_killed():
    log = Log()
    slow = shell("slow", "trap '' INT TERM; echo up; while :; do sleep 0.01; done")
    s = log.supervisor(replace(slow, end_s=1e6))
    s.start()
    while not log.lines:
        s.poll(0.02)
    s.request_stop()
    s.request_stop()
    s.run()
    assert ("slow", "has not ended; sending SIGKILL") in log.events


def test_the_end_of_a_required_process_takes_all_down():
    log = Log()
    world = shell("world", "kill -SEGV $$", on_exit="shutdown")
    with (
        log.supervisor(shell("other", "exec sleep 60"), world) as s,
        pytest.raises(GraphError, match=r"^world ended \(killed by SIGSEGV\) after 0 s"),
    ):
        s.run()


def test_a_command_that_does_not_exist_is_said():
    log = Log()
    s = log.supervisor(ProcessSpec("a", ("/no/such/program",), on_exit="shutdown"))
    s.start()
    with pytest.raises(GraphError, match="exit code 1"):
        s.run()
    assert log.lines == [("a", "/no/such/program cannot be started: No such file or directory")]


def test_a_flood_starves_nobody_and_can_be_stopped():
    log = Log()
    flood = shell(
        "flood", "while true; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done"
    )
    slow = shell("slow", "sleep 0.3; echo here; sleep 60")
    with log.supervisor(flood, slow) as s:
        log.wait_for(s, ("slow", "here"), timeout_s=60)
        began = time.monotonic()
        s.request_stop()
        s.run()
        assert time.monotonic() - began < 30.0  # Not the minute that they would last.
    assert len(log.lines) > 1000


def test_children_die_with_a_killed_supervisor():
    code = """
        from pi05_ros.bringup.supervisor import ProcessSpec, Supervisor
        spec = ProcessSpec("a", ("sh", "-c", "trap '' INT; echo $$; sleep 60"))
        with Supervisor([spec], on_line=lambda name, line: print(line, flush=True)) as s:
            s.run()
    """
    parent = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert gone(child)


def test_a_child_hears_sigint_even_if_its_supervisor_ignores_it():
    # What a shell does to background jobs; without care the child would never hear Ctrl-C.
    log = Log()
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with log.supervisor(shell("a", "echo up; exec sleep 60")) as s:
            log.wait_for(s, ("a", "up"))
    finally:
        signal.signal(signal.SIGINT, before)
    assert log.events == [("a", "ended (killed by SIGINT)")]


def test_back_off_doubles_up_to_its_limit_and_starts_over_after_a_long_life():
    record = RespawnRecord(RespawnPolicy(first_delay_s=1, max_delay_s=4, limit=6, settled_s=30))

    def delay(lived_s):
        return record.react("a", "respawn", "exit code 1", lived_s).delay_s

    assert [delay(1.0) for _ in range(4)] == [1, 2, 4, 4]
    assert delay(31.0) == 1
    assert [delay(1.0) for _ in range(5)] == [2, 4, 4, 4, None]
    assert record.react("a", "persist", "exit code 1", 1.0).delay_s == 4


@pytest.mark.parametrize(
    "arguments", [{"limit": 0}, {"first_delay_s": 9.0}, {"settled_s": 0.0}, {"first_delay_s": -1}]
)
def test_a_policy_that_makes_no_sense_is_refused(arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        RespawnPolicy(**arguments)


def test_exits_in_words():
    assert describe_exit(0) == "exit code 0"
    assert describe_exit(-11) == "killed by SIGSEGV"
    assert describe_exit(-99) == "killed by signal 99"
