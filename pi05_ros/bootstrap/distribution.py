"""Python modules that a distribution's system must have beside ROS: what rosdep installs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path

from pi05_ros.bootstrap import system_packages
from pi05_ros.bootstrap.setup_context import SetupContext

# Python modules of requirements/rosdep.txt, and the Debian packages that rosdep picks for them.
MODULES = {
    "numpy": "python3-numpy",
    "cv2": "python3-opencv",
    "PIL": "python3-pil",
    "yaml": "python3-yaml",
    "xacro": "ros-{distro}-xacro",
}
TOOL_MODULES = {"pytest": "python3-pytest"}  # Those of requirements/tools-rosdep.txt.

_FIND_ABSENT = """
import importlib.util, json, sys
print(json.dumps([n for n in sys.argv[1:] if importlib.util.find_spec(n) is None]))
"""


def absent_modules(python: str | Path, names: Iterable[str], env: dict[str, str]) -> list[str]:
    """Return the modules that an interpreter cannot find. None of them is imported."""
    command = [str(python), "-c", _FIND_ABSENT, *names]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


def need_modules(context: SetupContext, modules: Mapping[str, str]) -> None:
    """Check for Python modules; install what is missing where that is allowed.

    This comes before pip, which would otherwise put its own numpy in front of the one that the
    distribution's compiled packages were built for.

    Args:
        context: The context of the set-up.
        modules: Names of modules, and the Debian packages that have them.

    Raises:
        SetupError: One is missing and may not be installed; with the command that installs it.
    """
    absent = absent_modules(context.checkout.python, modules, dict(context.environ))
    if absent:
        system_packages.install(
            context,
            [modules[name].format(distro=context.source.distro) for name in absent],
            f"The system's Python lacks {', '.join(absent)}, which rosdep would install",
        )
