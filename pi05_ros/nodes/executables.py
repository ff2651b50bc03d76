"""Entry points of `ros2 run pi05_ros NAME`.

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
    """Return the module whose `main` is the executable of this name."""
    return f"pi05_ros.nodes.{name}.{name}"


def run(name: str) -> NoReturn:
    """Run the node and end the process with its exit status."""
    # Until the node runs, a signal ends the process: Ctrl-C during imports gives no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.environ.update(fresh_participant())
    status = importlib.import_module(module_name(name)).main()
    _leave(int(status or 0))


def _leave(status: int) -> NoReturn:
    """End the process as soon as it has left the graph.

    The interpreter would also destroy torch and MuJoCo, object by object. That takes seconds on a
    busy machine where all nodes end at once, and launch kills nodes that take too long.
    """
    from rclpy.utilities import get_default_context

    # The DDS participant lives as long as its context; its shared memory is freed with it.
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
teleop = functools.partial(run, "teleop")
