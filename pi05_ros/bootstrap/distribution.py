"""Python modules that a distribution's system must have beside ROS: what rosdep installs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from pi05_ros.bootstrap import system_packages
from pi05_ros.bootstrap.setup_context import SetupContext

# Python modules of requirements/rosdep.txt, and the Debian packages that rosdep picks for them.
MODULES = {
    "numpy": "python3-numpy",
    "cv2": "python3-opencv",
    "PIL": "python3-pil",
    "pytest": "python3-pytest",
    "yaml": "python3-yaml",
    "xacro": "ros-{distro}-xacro",
}

_FIND_ABSENT = """
import importlib.util, json, sys
print(json.dumps([n for n in sys.argv[1:] if importlib.util.find_spec(n) is None]))
"""


def absent_modules(python: str | Path, names: Iterable[str], env: dict[str, str]) -> list[str]:
    """Return the modules that an interpreter cannot find. None of them is imported."""
    command = [str(python), "-c", _FIND_ABSENT, *names]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def need_modules(context: SetupContext) -> None:
    """Checks for the modules, and installs what is missing if it may.

    This comes before pip, which would otherwise put its own numpy before the one that the
    distribution's compiled packages were built for.

    Raises:
        SetupError: One is missing, with the line that installs it.
    """
    absent = absent_modules(context.checkout.python, MODULES, dict(context.environ))
    if absent:
        system_packages.install(
            context,
            [MODULES[name].format(distro=context.source.distro) for name in absent],
            f"The system's Python lacks {', '.join(absent)}, which rosdep would install",
        )
