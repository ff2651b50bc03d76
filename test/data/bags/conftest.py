"""Fixtures of the bags' tests, whose definitions come from the installed messages."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def installed_definitions():
    """Skip where no message packages are installed."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    if not any(Path(p, "share/std_msgs/msg/String.msg").exists() for p in prefixes if p):
        pytest.skip("no message definitions below AMENT_PREFIX_PATH")
