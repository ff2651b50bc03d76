"""The same work in several processes, and Ctrl-C in the middle of it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from pi05_ros.errors import Pi05Error
from pi05_ros.foundation.parallel import finished_in_processes

SLOW = """
import pathlib, time
from pi05_ros.foundation.parallel import map_in_processes

def slow(path):
    pathlib.Path(path).touch()
    time.sleep(60)

if __name__ == "__main__":
    try:
        pathlib.Path("started").touch()
        list(map_in_processes(slow, ["begun", "second"], few=1))
    except KeyboardInterrupt:
        print("interrupted")
"""


@pytest.mark.parametrize("begun", [True, False], ids=["at work", "starting"])
def test_an_interrupt_ends_all_processes_without_a_word_of_theirs(tmp_path, begun):
    (tmp_path / "slow.py").write_text(SLOW)
    process = subprocess.Popen(
        [sys.executable, "slow.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
    )
    try:
        while not (tmp_path / ("begun" if begun else "started")).exists():
            assert process.poll() is None
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)  # As a terminal does.
        out, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    assert (out, errors, process.returncode) == ("interrupted\n", "", 0)


def test_results_come_from_all_processes_and_a_killed_one_is_an_error():
    assert sorted(finished_in_processes(abs, [-3, 1, -2], jobs=2)) == [1, 2, 3]
    assert list(finished_in_processes(abs, [-3, 1, -2], jobs=1)) == [3, 1, 2]
    with pytest.raises(Pi05Error, match="one of the processes was killed"):
        list(finished_in_processes(os._exit, [7, 7], jobs=2))
    with pytest.raises(ValueError, match="invalid literal"):
        list(finished_in_processes(int, ["1", "x"], jobs=2))


@pytest.mark.parametrize("function", ["map_in_processes", "finished_in_processes"])
def test_processes_end_with_a_parent_that_is_killed(tmp_path, function):
    code = SLOW
    if function == "finished_in_processes":
        code = code.replace("map_in_processes", function).replace("few=1", "jobs=2")
    (tmp_path / "slow.py").write_text(code)
    process = subprocess.Popen(
        [sys.executable, "slow.py"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([os.getcwd(), *sys.path])},
    )
    try:
        _wait_for(lambda: (tmp_path / "begun").exists())
        children = _children(process.pid)
        assert children
    finally:
        process.kill()
        process.wait()
    _wait_for(lambda: not any(_is_alive(child) for child in children))


def _wait_for(condition, limit=30.0):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


def _children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def _is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
