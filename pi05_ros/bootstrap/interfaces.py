"""The interface packages: pi05_msgs, and those of underlay/ that the machine lacks."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.bootstrap import pythons, system_packages, virtual_env
from pi05_ros.bootstrap.build_cache import cache_of_user
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.environment import environment
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.pythons import find_python
from pi05_ros.bootstrap.ros_source import RosSource
from pi05_ros.bootstrap.setup_context import SetupContext

# CMake options of a build from wheels. Nothing here is compiled for speed: messages are packed and
# unpacked by libraries that are in the wheels.
_FROM_WHEELS = ("-DCMAKE_C_FLAGS=-O0", "-DCMAKE_CXX_FLAGS=-O0")


def packages(checkout: Checkout, source: RosSource) -> dict[str, Path]:
    """Return names and folders of the interface packages that this machine needs."""
    found = {"pi05_msgs": checkout.root / "pi05_msgs"}
    for name in source.interface_underlay():
        found[name] = checkout.root / "underlay" / name
    return found


def content_key(checkout: Checkout, source: RosSource) -> str:
    """Return a hash of the inputs of the build, except the folder of the checkout.

    The inputs are the definitions, ROS, the interpreter, the build and the system.
    """
    digest = hashlib.sha256()
    for name, folder in packages(checkout, source).items():
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(f"{name}/{file.relative_to(folder)}\0".encode())
            digest.update(file.read_bytes() + b"\0")
    facts = [os.path.realpath(checkout.python), platform.machine(), source.distro]
    facts += map(str, source.prefixes)
    if source.from_wheels:
        facts += virtual_env.pins(checkout, ("ros-jazzy", "build"))
        # numpy's headers are compiled into the Python messages.
        facts += [p for p in virtual_env.pins(checkout, ("rosdep",)) if p.startswith("numpy==")]
        facts += [_generators(checkout).read_text(), *_FROM_WHEELS]
        facts += [*platform.libc_ver(), _python_version(checkout)]
    digest.update("\0".join(facts).encode())
    return digest.hexdigest()


def key(checkout: Checkout, source: RosSource) -> str:
    """Return the step's key: the content and the folder, which the installed files name."""
    return f"{content_key(checkout, source)}\n{checkout.root}"


def stamp(checkout: Checkout) -> Path:
    """Return the file that holds the key of the installed packages, beside them."""
    return checkout.interfaces / ".pi05"


def install(context: SetupContext) -> None:
    """Install the interface packages: from the user's cache where they are in it, else built.

    Raises:
        SetupError: A tool is missing, or the build failed.
    """
    checkout = context.checkout
    shutil.rmtree(checkout.interfaces, ignore_errors=True)
    # A distribution's packages may be updated in place: no key would notice.
    cache = cache_of_user(context.environ) if context.source.from_wheels else None
    content = content_key(checkout, context.source)
    if cache and cache.restore(content, checkout.root, checkout.interfaces):
        return
    build(context)
    if cache:
        try:
            cache.store(content, checkout.root, checkout.interfaces)
        except OSError as error:
            context.terminal.print_line(f"\npi05: the interfaces are not cached: {error}")


def build(context: SetupContext) -> None:
    """Build the interface packages from nothing, with one call of colcon.

    Raises:
        SetupError: A tool is missing, or the build failed.
    """
    checkout, source = context.checkout, context.source
    python = checkout.python if source.from_wheels else find_python(source)
    check_tools(context, python)
    shutil.rmtree(checkout.interface_build, ignore_errors=True)
    env = {**context.environ, **environment(checkout, source, context.environ)}
    cmake = ["-DBUILD_TESTING=OFF", f"-DPython3_EXECUTABLE={python}"]
    if source.from_wheels:
        colcon = str(checkout.venv / "bin" / "colcon")
        cmake += [*_FROM_WHEELS, f"-DCMAKE_PROJECT_INCLUDE={_generators(checkout)}"]
    else:
        # colcon and rosidl are the system's; they run with the system's Python.
        colcon = "colcon"
        env["PATH"] = context.environ.get("PATH", os.defpath)
        env.pop("VIRTUAL_ENV", None)
        cmake += ["-DCMAKE_BUILD_TYPE=Release"]
    folders = packages(checkout, source)
    command: list[str | Path] = [
        *(colcon, "--log-base", checkout.root / "log" / "colcon", "build"),
        "--base-paths",
        *folders.values(),
        "--packages-select",
        *folders,
        *("--build-base", checkout.interface_build, "--install-base", checkout.interfaces),
        *("--event-handlers", "console_direct+"),
    ]
    # colcon would add a limit on the machine's load, which the wheels have just raised: one job.
    env.setdefault("MAKEFLAGS", f"-j{_cores()}")
    if "-j1" in env["MAKEFLAGS"].split():
        command += ["--executor", "sequential"]
    context.run([*command, "--cmake-args", *cmake], "interfaces", env)
    for package, folder in folders.items():
        if not (checkout.interfaces / package / "share" / package / "package.xml").is_file():
            raise SetupError(
                f"colcon found no package {package} in {folder}",
                "git checkout -- pi05_msgs underlay",
            )
    shutil.rmtree(checkout.interface_build, ignore_errors=True)


def check_tools(context: SetupContext, python: Path) -> None:
    """Check for the compiler, make, CMake, colcon and Python's headers; install what is missing.

    Raises:
        SetupError: One is missing and may not be installed; with the command that installs it.
    """
    path = context.environ.get("PATH", os.defpath)
    missing = [tool for tool in _tools(context) if not tool.is_installed(path)]
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

    name: str  # As messages name it.
    programs: tuple[str, ...]  # One of these is enough.
    debian: str  # The Debian package that has it.

    def is_installed(self, path: str) -> bool:
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


def _cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _generators(checkout: Checkout) -> Path:
    """Return the CMake file that chooses the code generators of a build from wheels."""
    return checkout.root / "underlay" / "rclpy_only.cmake"


def _python_version(checkout: Checkout) -> str:
    """Return the version line of the virtual environment; "" where there is none yet."""
    config = checkout.venv / "pyvenv.cfg"
    lines = config.read_text().splitlines() if config.is_file() else []
    return next((line for line in lines if line.startswith("version")), "")
