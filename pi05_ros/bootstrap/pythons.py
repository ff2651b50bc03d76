"""Choice of the Python that the virtual environment is made with."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pi05_ros.bootstrap import system_packages
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext

# The wheels of requirements/ros-jazzy.txt exist for these, newest last.
WHEEL_PYTHONS = ((3, 10), (3, 11), (3, 12), (3, 13))


def find_python(
    source: RosSource,
    running: tuple[int, int] = sys.version_info[:2],
    which: Callable[[str], str | None] = shutil.which,
) -> Path:
    """Return the interpreter for the virtual environment: the running one if it fits.

    Args:
        source: Where ROS 2 comes from. A distribution's rclpy fits one version of Python.
        running: (major, minor) of the running interpreter.
        which: Finds a program on PATH.

    Raises:
        SetupError: No interpreter fits.
    """
    fitting = list(WHEEL_PYTHONS) if source.from_wheels else [source.python_version()]
    if running in fitting:
        return Path(sys.executable)
    for major, minor in reversed(fitting):
        # A distribution's Python is the system's, whatever else is on PATH.
        found = None if source.from_wheels else which(f"/usr/bin/python{major}.{minor}")
        found = found or which(f"python{major}.{minor}")
        if found:
            return Path(found)
    names = ", ".join(f"{major}.{minor}" for major, minor in fitting)
    version = f"{fitting[-1][0]}.{fitting[-1][1]}"
    raise SetupError(
        f"Expected Python {names} for ROS 2 {source.distro}, found only "
        f"{running[0]}.{running[1]} at {sys.executable}",
        f"sudo apt-get install python{version} python{version}-venv python{version}-dev",
    )


def check_machine(source: RosSource, system: str = sys.platform, machine: str = "") -> None:
    """Check that there are ROS wheels for this kind of machine.

    Raises:
        SetupError: There are none, and no distribution is set up in the shell.
    """
    machine = machine or platform.machine()
    if source.from_wheels and (system != "linux" or machine not in ("x86_64", "AMD64")):
        raise SetupError(
            f"ROS 2 wheels exist for Linux on x86_64, and this is {system} on {machine}",
            "install a ROS 2 distribution and source its setup.bash before ./pi05",
        )


def need_module(
    context: SetupContext, python: Path, module: str, debian: str, purpose: str
) -> None:
    """Check for a module that Debian packages separately; install it where that is allowed.

    Args:
        context: The context of the set-up.
        python: The interpreter.
        module: The module that it must be able to import.
        debian: Name of the Debian package, after `python3.11-`.
        purpose: The problem, one sentence without its full stop.
    """
    code = f"import sys, {module}; print('python%d.%d' % sys.version_info[:2])"
    if subprocess.run([python, "-c", code], capture_output=True).returncode != 0:
        version = _version_name(python)
        system_packages.install(context, [f"{version}-{debian}"], purpose)


def need_headers(context: SetupContext, python: Path) -> None:
    """Check for an interpreter's C headers; install them where that is allowed."""
    code = "import sysconfig; print(sysconfig.get_config_var('INCLUDEPY'))"
    folder = subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()
    if not (Path(folder) / "Python.h").is_file():
        system_packages.install(
            context,
            [f"{_version_name(python)}-dev"],
            f"Python's C headers are missing in {folder}",
        )


def _version_name(python: Path) -> str:
    code = "import sys; print('python%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip()
