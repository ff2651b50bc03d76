"""Commands in processes of their own: processor time, the log, and an end with their parent."""

import os
import signal
import subprocess
import sys
import time

from pi05_ros.evaluation.reproduction.child import last_line, run_child, session_seconds

BURN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"


def python(text):
    return [sys.executable, "-I", "-S", "-c", text]


def test_processor_time_includes_that_of_children(tmp_path):
    text = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\nprint('x')"
    ended = run_child(python(text), tmp_path, tmp_path / "log", os.environ)
    assert ended.status == 0 and not ended.interrupted
    assert 0.3 <= ended.core_seconds < 2.0
    assert ended.wall_seconds >= 0.3
    assert (tmp_path / "log").read_text() == "x\n"


def test_ticks_show_the_last_line_and_the_time_so_far(tmp_path):
    seen = []
    text = f"print('one', flush=True)\n{BURN}\nprint('two', end='', flush=True)\n{BURN}"
    run_child(
        python(text),
        tmp_path,
        tmp_path / "log",
        os.environ,
        on_tick=lambda line, seconds: seen.append((line, seconds)),
        tick_s=0.1,
    )
    lines = [line for line, _ in seen]
    assert "one" in lines and "two" in lines
    assert seen[-1][1] >= 0.2  # [s]
    assert all(b >= a for (_, a), (_, b) in zip(seen, seen[1:], strict=False))


def test_the_last_line_of_a_log(tmp_path):
    log = tmp_path / "log"
    log.write_text("a\nb 1\rb 2\n\n  \n")
    assert last_line(log) == "b 2"
    log.write_text("")
    assert last_line(log) == ""


def test_seconds_of_a_session():
    assert session_seconds(os.getsid(0)) > 0.0
    assert session_seconds(2**30) == 0.0


def test_a_command_ends_with_its_parent(tmp_path):
    """The parent is killed, which it cannot notice; the command must not go on without it."""
    text = (
        "import os, pathlib, sys\n"
        "from pi05_ros.evaluation.reproduction.child import run_child\n"
        "code = 'import os, time; print(os.getpid(), flush=True); time.sleep(30)'\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "run_child([sys.executable, '-c', code], folder, folder / 'log', os.environ)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", text, str(tmp_path)])
    limit = time.monotonic() + 20
    while not (tmp_path / "log").exists() or not last_line(tmp_path / "log"):
        assert time.monotonic() < limit and parent.poll() is None
        time.sleep(0.02)
    child = int(last_line(tmp_path / "log"))
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    while os.path.exists(f"/proc/{child}") and _state(child) != "Z":
        assert time.monotonic() < limit, "the command goes on without its parent"
        time.sleep(0.02)


def _state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
