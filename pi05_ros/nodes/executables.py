"""The programs of the package: what `ros2 run pi05_ros NAME` starts, from first to last.

`python -m pi05_ros.nodes NAME` is the same without an installed package.
"""

from __future__ import annotations

import functools
import gc
import importlib
import os
import signal
import sys
from typing import NoReturn

from pi05_ros.foundation.participant_id import fresh_participant


def module_name(name: str) -> str:
    """Module whose `main` is the executable of this name: a folder a node, and its file in it."""
    return f"pi05_ros.nodes.{name}.{name}"


def run(name: str) -> NoReturn:
    """Runs the node and ends the process with its status."""
    # Until the node is up, a signal just ends it: Ctrl-C during imports is no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.update(fresh_participant())
    status = importlib.import_module(module_name(name)).main()
    _leave(int(status or 0))


def _leave(status: int) -> NoReturn:
    """Ends the process as soon as it has left the graph.

    The interpreter would also take torch and MuJoCo apart, object by object: seconds on a busy
    machine where all nodes end at once, and a launch that waits only so long kills them meanwhile.
    """
    from rclpy.utilities import get_default_context

    # The DDS participant lives as long as its context; its shared memory goes with it.
    get_default_context().destroy()
    gc.collect()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


brain = functools.partial(run, "brain")
camera_ingestion = functools.partial(run, "camera_ingestion")
console = functools.partial(run, "console")
control_bridge = functools.partial(run, "control_bridge")
inspector = functools.partial(run, "inspector")
lifecycle_manager = functools.partial(run, "lifecycle_manager")
mock_home = functools.partial(run, "mock_home")
planner = functools.partial(run, "planner")
policy = functools.partial(run, "policy")
recorder = functools.partial(run, "recorder")
