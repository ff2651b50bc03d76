"""Trials as tasks of a Ray cluster. Ray is optional: requirements/ray.txt."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pi05_ros.errors import Pi05Error

LOCAL = "local"
# Variables that a trial needs on a worker of this machine's kind.
_VARIABLES = ("MUJOCO_GL", "PYOPENGL_PLATFORM", "PYTHONPATH", "LD_LIBRARY_PATH")

T = TypeVar("T")
R = TypeVar("R")


def ray_engine(
    function: Callable[[T], R], address: str, jobs: int, items: Sequence[T]
) -> Iterator[R]:
    """Apply a function to items as Ray tasks, each on one core, and yield results as they finish.

    The suite must be installed on each machine of the cluster, with the weights at the same path.

    Args:
        function: Function of a module of the suite.
        address: LOCAL for a cluster on this machine, or the address of one.
        jobs: Workers of a local cluster.
        items: Its arguments.

    Raises:
        Pi05Error: Ray is not installed, the cluster cannot be reached, or a worker was killed.
    """
    try:
        import ray
    except ModuleNotFoundError as error:
        raise Pi05Error(
            "--ray needs the Python package ray: pip install -r requirements/ray.txt"
        ) from error
    options: dict[str, Any] = {"include_dashboard": False, "logging_level": "error"}
    if address == LOCAL:
        options |= {"address": LOCAL, "num_cpus": jobs}
    else:
        options = {"address": address, "logging_level": "error"}
    variables = {name: os.environ[name] for name in _VARIABLES if name in os.environ}
    try:
        ray.init(log_to_driver=False, runtime_env={"env_vars": variables}, **options)
    except Exception as error:  # Ray raises several types of its own.
        raise Pi05Error(f"the Ray cluster '{address}' cannot be used: {error}") from error
    try:
        # A worker that dies, of a machine that is switched off, is replaced.
        remote = ray.remote(num_cpus=1, max_retries=3)(function)
        pending = [remote.remote(item) for item in items]
        while pending:
            done, pending = ray.wait(pending, num_returns=1)
            try:
                yield from ray.get(done)
            except ray.exceptions.RayTaskError as error:
                cause = error.cause
                raise cause if isinstance(cause, Pi05Error) else error from None
            except ray.exceptions.RayError as error:
                raise Pi05Error(f"a worker of the Ray cluster failed: {error}") from error
    finally:
        ray.shutdown()
