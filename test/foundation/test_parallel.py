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
