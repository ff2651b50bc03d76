"""What holds for every test."""

import os

import pytest

from pi05_ros.checkpoints import shipped


@pytest.fixture(autouse=True)
def ordinary_scheduling():
    """Give real-time scheduling up that a test took, as a bridge in this process does.

    Threads and processes inherit it. Two processes that wait for each other's shared memory at
    that priority would keep all others from two processors.
    """
    yield
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture
def shipped_folder(tmp_path_factory, monkeypatch):
    """An empty folder in the place of that of the shipped checkpoints, in this process."""
    folder = tmp_path_factory.mktemp("shipped")
    monkeypatch.setattr(shipped, "FOLDER", str(folder))
    return folder
