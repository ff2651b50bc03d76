"""Real-time scheduling of the bridge, and what tests leave of it."""

import os
import subprocess
import sys

import pytest

from pi05_ros.nodes.control_bridge.ticker import request_realtime

CHILD = "import os; print(os.sched_getscheduler(0))"


def test_children_inherit_what_a_thread_was_given():
    if not request_realtime(40):
        pytest.skip("this user may not take real-time scheduling")
    assert os.sched_getscheduler(0) == os.SCHED_FIFO
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True)
    assert int(done.stdout) == os.SCHED_FIFO


def test_the_next_test_has_ordinary_scheduling():
    assert os.sched_getscheduler(0) == os.SCHED_OTHER
