"""A file that one process holds at a time."""

import subprocess
import sys

import pytest

from pi05_ros.foundation.locks import exclusive_lock

TRY = """
import sys
from pathlib import Path
from pi05_ros.foundation.locks import exclusive_lock
try:
    with exclusive_lock(Path(sys.argv[1])):
        print("held")
except BlockingIOError:
    print("busy")
"""


def elsewhere(file):
    """What another process says that tries to hold the file."""
    command = [sys.executable, "-c", TRY, str(file)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_a_file_is_held_by_one_process_until_it_lets_go(tmp_path):
    file = tmp_path / "lock"
    with exclusive_lock(file):
        assert elsewhere(file) == "busy"
        with pytest.raises(BlockingIOError), exclusive_lock(file):
            pass
    assert elsewhere(file) == "held"
