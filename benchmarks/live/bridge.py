"""control_bridge, with what a benchmark adds: `python -m live.bridge control_bridge …`.

Environment: LIVE_BRIDGE holds words: `thinking` draws chunks in a thread of the same process,
`plain` keeps the process from SCHED_FIFO.
"""

from __future__ import annotations

import os
import sys
import threading


def main() -> int:
    """Runs the node as its executable does."""
    words = os.environ.get("LIVE_BRIDGE", "").split()
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))  # Not the harness's.
    if "plain" in words:

        def refuse(*_: object) -> None:
            raise PermissionError("the benchmark allows no real-time priority")

        os.sched_setscheduler = refuse
    if "thinking" in words:
        from live.loads import NanoMind, forever
        from pi05_ros.platforms.platform import load_platform

        mind = NanoMind(load_platform("mobile_18dof"))
        threading.Thread(target=forever, args=(mind.chunk,), daemon=True).start()
    from pi05_ros.nodes.control_bridge import control_bridge

    del sys.argv[1]  # The executable's name, as `python -m pi05_ros.nodes` takes it.
    return control_bridge.main()


if __name__ == "__main__":
    sys.exit(main())
