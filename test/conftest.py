"""What holds for every test."""

import os

import pytest


@pytest.fixture(autouse=True)
def ordinary_scheduling():
    """Give real-time scheduling up that a test took, as a bridge in this process does.

    Threads and processes inherit it. Two processes that wait for each other's shared memory at
    that priority would keep all others from two processors.
    """
    yield
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
