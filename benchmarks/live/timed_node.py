"""A node that notes when its start got how far: `python -m live.timed_node NAME …`.

Everything but the notes is the node as it ships. Each is a line of a file named after the process
id in the folder RESTART_NOTES: the steady clock [s], what was reached, and the node's name (the
brain is two nodes in one process).
"""

from __future__ import annotations

import time

BEGUN = time.monotonic()

import functools  # noqa: E402
import importlib  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

FOLDER_VARIABLE = "RESTART_NOTES"


def main() -> None:
    """Runs the node that the first argument names."""
    from pi05_ros.nodes import executables

    path = Path(os.environ[FOLDER_VARIABLE]) / str(os.getpid())
    file = path.open("w", buffering=1)
    noted: set[tuple[str, str]] = set()

    def note(what: str, node: str = "", at: float | None = None) -> None:
        if (what, node) not in noted:  # The first time counts.
            noted.add((what, node))
            file.write(f"{at or time.monotonic():.4f} {what} {node}\n")

    note("interpreter", at=BEGUN)
    name = sys.argv.pop(1)
    importlib.import_module(executables.module_name(name))
    note("imported")
    _watch(note)
    executables.run(name)


def _watch(note: Callable[..., None]) -> None:
    """Wraps what a start passes through."""
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.lifecycle.node import LifecycleNodeMixin

    from pi05_ros.nodes.common.base import ManagedNode

    _wrap(rclpy, "init", after=lambda *_: note("initialised"))
    _wrap(SingleThreadedExecutor, "spin", before=lambda *_: note("made"))
    question = "_LifecycleNodeMixin__on_get_state"
    _wrap(LifecycleNodeMixin, question, before=lambda node, *_: note("asked", node.get_name()))
    for step in ("configure", "activate"):

        def begun(node: Any, *_: object, step: str = step) -> None:
            note(f"{step}_begun", node.get_name())

        def done(node: Any, *_: object, step: str = step) -> None:
            note(f"{step}_done", node.get_name())

        _wrap(ManagedNode, f"on_{step}", before=begun, after=done)


def _wrap(
    owner: Any,
    name: str,
    before: Callable[..., None] = lambda *_: None,
    after: Callable[..., None] = lambda *_: None,
) -> None:
    """Puts calls before and after a function of a class or a module."""
    function = getattr(owner, name)

    @functools.wraps(function)
    def call(*arguments: Any, **keywords: Any) -> Any:
        before(*arguments)
        result = function(*arguments, **keywords)
        after(*arguments)
        return result

    setattr(owner, name, call)


if __name__ == "__main__":
    main()
