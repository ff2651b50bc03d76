"""A node that was killed is back the sooner the less it imports."""

import json
import subprocess
import sys

import pytest

from pi05_ros.nodes.__main__ import NAMES

pytest.importorskip("rclpy")

# Libraries that take long to import, and the nodes that need them from the first moment. Others
# that need one (the brain: torch or MuJoCo) import it when they are configured.
HEAVY = {
    "aiohttp": {"console"},
    "cv2": {"camera_ingestion", "console", "inspector", "mock_home"},
    "launch": set(),
    "matplotlib": set(),
    "mujoco": {"mock_home"},
    "pinocchio": set(),
    "PIL": {"inspector"},
    "rosbag2_py": set(),
    "scipy": set(),
    "torch": set(),
    "transformers": set(),
}
LOOK = """
import importlib, json, sys
importlib.import_module(f"pi05_ros.nodes.{sys.argv[1]}.{sys.argv[1]}")
print(json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_node_imports_only_what_it_needs(name):
    command = [sys.executable, "-c", LOOK, name, json.dumps(sorted(HEAVY))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert loaded - {library for library, nodes in HEAVY.items() if name in nodes} == set()
