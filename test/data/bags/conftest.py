"""What the bags' tests share. Their definitions come from the installed messages."""

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def installed_definitions():
    """Skips where no message packages are installed."""
    prefixes = os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep)
    if not any(Path(p, "share/std_msgs/msg/String.msg").exists() for p in prefixes if p):
        pytest.skip("no message definitions below AMENT_PREFIX_PATH")
