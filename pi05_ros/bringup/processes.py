"""The graph as plain processes, for `pi05 up` and `pi05 demo`, without the launch system."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from pi05_ros.bringup.graph import NodeSpec, Parameter
from pi05_ros.bringup.supervisor import ProcessSpec
from pi05_ros.errors import ConfigError


def process_specs(
    specs: Iterable[NodeSpec], environ: Mapping[str, str] = os.environ
) -> tuple[ProcessSpec, ...]:
    """Convert the graph into processes to supervise.

    The nodes of the suite run as modules of the present interpreter, so that the package need not
    be installed; those of other packages are found on AMENT_PREFIX_PATH.

    Raises:
        ConfigError: A program of another package is not installed.
    """
    # Nodes write to a pipe here: without these, their lines would be buffered.
    environment = {"PYTHONUNBUFFERED": "1", "RCUTILS_LOGGING_BUFFERED_STREAM": "0"}
    return tuple(
        ProcessSpec(
            name=spec.name,
            command=(*_program(spec, environ), *spec.arguments, *ros_arguments(spec)),
            environment={**environment, **spec.environment},
            on_exit=spec.on_exit,
            end_s=spec.end_s,
        )
        for spec in specs
    )


def ros_arguments(spec: NodeSpec) -> tuple[str, ...]:
    """The `--ros-args` of a process."""
    arguments: list[str] = []
    if spec.namespace:
        arguments += ["-r", f"__ns:={spec.namespace}"]
    for source, target in spec.remappings:
        arguments += ["-r", f"{source}:={target}"]
    for path in spec.parameter_files:
        arguments += ["--params-file", path]
    for name, value in spec.parameters.items():
        arguments += ["-p", f"{name}:={parameter_text(value)}"]
    if spec.log_level:
        arguments += ["--log-level", spec.log_level]
    return ("--ros-args", *arguments) if arguments else ()


def parameter_text(value: Parameter) -> str:
    """Format a parameter value for `-p`.

    ROS parses it as YAML, a superset of JSON: strings are quoted, so that a task called "yes" or
    "12" stays a string.
    """
    return json.dumps(value if isinstance(value, (bool, int, float, str)) else list(value))


def _program(spec: NodeSpec, environ: Mapping[str, str]) -> tuple[str, ...]:
    """The first words of the command: the program of the process."""
    if spec.package == "pi05_ros":
        return (sys.executable, "-m", "pi05_ros.nodes", spec.executable)
    if not spec.package:
        path = shutil.which(spec.executable, path=environ.get("PATH"))
        if path is None:
            raise ConfigError(
                f"option '{spec.name}'",
                f"needs the program {spec.executable} of a ROS 2 distribution, "
                "which is not on PATH; install one and source its setup, or leave the option out",
            )
        return (path,)
    for prefix in environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        program = Path(prefix) / "lib" / spec.package / spec.executable
        if prefix and os.access(program, os.X_OK):
            return (str(program),)
    raise ConfigError(
        f"process '{spec.name}'",
        f"needs the ROS 2 package {spec.package}, which is not installed here "
        f"(rosdep installs it, or: apt install ros-$ROS_DISTRO-{spec.package.replace('_', '-')})",
    )
