"""Runs a node without an installed package: `python -m pi05_ros.nodes brain --ros-args …`."""

import sys

from pi05_ros.nodes.executables import run

if __name__ == "__main__":
    run(sys.argv.pop(1))
