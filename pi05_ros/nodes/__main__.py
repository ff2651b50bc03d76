"""Runs a node without an installed package: `python -m pi05_ros.nodes brain --ros-args …`."""

import importlib
import signal
import sys


def main() -> int:
    """Runs the node that the first argument names; returns its exit status."""
    # Until the node is up, a signal just ends it: Ctrl-C during imports is no traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    name = sys.argv.pop(1)
    return int(importlib.import_module(f"pi05_ros.nodes.{name}").main() or 0)


if __name__ == "__main__":
    sys.exit(main())
