"""Run a node without an installed package: `python -m pi05_ros.nodes brain --ros-args …`."""

import sys

from pi05_ros.errors import did_you_mean
from pi05_ros.nodes import executables

NAMES = tuple(name for name, value in vars(executables).items() if hasattr(value, "func"))

if __name__ == "__main__":
    name = sys.argv.pop(1) if len(sys.argv) > 1 else ""
    if name not in NAMES:
        sys.exit(
            f"there is no node '{name}'{did_you_mean(name, NAMES)} (valid: {', '.join(NAMES)})"
        )
    executables.run(name)
