"""The interface packages, built with colcon: pi05_msgs, and those of underlay/ that are needed."""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.bootstrap import pythons, system_packages
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.environment import environment
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.pythons import find_python
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext


def packages(checkout: Checkout, source: RosSource) -> dict[str, Path]:
    """Names and folders of the interface packages that this machine needs built."""
    found = {"pi05_msgs": checkout.root / "pi05_msgs"}
    for name in source.interface_underlay():
        found[name] = checkout.root / "underlay" / name
    return found


def key(checkout: Checkout, source: RosSource, folder: Path) -> str:
    """What a built package depends on: its files, ROS, the interpreter, and where it lies."""
    digest = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(folder)}\0".encode())
        digest.update(file.read_bytes() + b"\0")
    facts = [str(checkout.root), os.path.realpath(checkout.python), source.distro]
    facts += map(str, source.prefixes)
    if source.from_wheels:
        for name in ("ros-jazzy", "build"):
            facts.append((checkout.requirements / f"{name}.txt").read_text())
    digest.update("\0".join(facts).encode())
    return digest.hexdigest()


def stamp(checkout: Checkout, package: str) -> Path:
    """Where the key of a built package is kept: inside what was built."""
    return checkout.install_of(package) / ".pi05"


def build(context: SetupContext, package: str, folder: Path) -> None:
    """Builds one interface package from nothing.

    Raises:
        SetupError: A tool is missing, or the build failed.
    """
    checkout = context.checkout
    python = checkout.python if context.source.from_wheels else find_python(context.source)
    check_tools(context, python)
    shutil.rmtree(checkout.install_of(package), ignore_errors=True)
    shutil.rmtree(checkout.build_of(package), ignore_errors=True)
    env = {**context.environ, **environment(checkout, context.source, context.environ)}
    if not context.source.from_wheels:
        # colcon and rosidl are the system's; they run with the system's Python.
        env["PATH"] = context.environ.get("PATH", os.defpath)
        env.pop("VIRTUAL_ENV", None)
    colcon = checkout.venv / "bin" / "colcon" if context.source.from_wheels else "colcon"
    command = [
        *(colcon, "--log-base", checkout.root / "log" / "colcon", "build"),
        *("--base-paths", folder, "--packages-select", package),
        *("--build-base", checkout.build_of(package).parent),
        *("--install-base", checkout.install_of(package).parent),
        *("--event-handlers", "console_direct+", "--cmake-args"),
        *("-DCMAKE_BUILD_TYPE=Release", "-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={python}"),
    ]
    context.run(command, package, env)
    if not (checkout.install_of(package) / "share" / package / "package.xml").is_file():
        raise SetupError(
            f"colcon found no package {package} in {folder}", "git checkout -- pi05_msgs underlay"
        )


def check_tools(context: SetupContext, python: Path) -> None:
    """Checks for the compiler, make, CMake, colcon and Python's headers; installs what it may.

    Raises:
        SetupError: One is missing, with the line that installs it.
    """
    path = context.environ.get("PATH", os.defpath)
    missing = [tool for tool in _tools(context) if not tool.is_there(path)]
    if missing:
        system_packages.install(
            context,
            [tool.debian for tool in missing],
            f"Building the interfaces needs {', '.join(tool.name for tool in missing)}, "
            "not found on PATH",
        )
    pythons.need_headers(context, python)


@dataclass(frozen=True)
class _Tool:
    """A program that the build needs."""

    name: str  # For people.
    programs: tuple[str, ...]  # One of these is enough.
    debian: str  # The package that has it.

    def is_there(self, path: str) -> bool:
        return any(shutil.which(program, path=path) for program in self.programs)


def _tools(context: SetupContext) -> list[_Tool]:
    chosen = context.environ.get("CXX", "").split()[:1]
    tools = [
        _Tool("a C++ compiler", tuple(chosen) or ("c++", "g++", "clang++"), "g++"),
        _Tool("CMake", ("cmake",), "cmake"),
    ]
    if "CMAKE_GENERATOR" not in context.environ:
        tools.append(_Tool("make", ("make", "gmake"), "make"))
    if not context.source.from_wheels:
        tools.append(_Tool("colcon", ("colcon",), "python3-colcon-common-extensions"))
    return tools
