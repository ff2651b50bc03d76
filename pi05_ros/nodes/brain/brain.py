"""Executable `brain`: planner and policy in one process, with one copy of the weights."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.planner.planner import Planner
from pi05_ros.nodes.policy.policy import Policy


def create() -> list[Planner | Policy]:
    """Create both nodes with a shared brain."""
    source = BrainSource()
    return [Planner(brain_source=source), Policy(brain_source=source)]


def main(args: Sequence[str] | None = None) -> int:
    """Run both nodes."""
    return run_node(create, args)


if __name__ == "__main__":
    sys.exit(main())
