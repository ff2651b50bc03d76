"""The virtual environment: created, filled with pinned wheels, its CMake files relocated."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.bootstrap import distribution, pythons
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.setup_context import SetupContext

MINIMUM_FREE = 4 * 1024**3  # Space for the wheels, their download and the build [byte].


@dataclass(frozen=True)
class Wheels:
    """Lists of requirements/ that are installed together.

    Args:
        exact: Lists of the machine without a distribution, complete: installed without
            dependencies.
        fitted: Lists of the machine with a distribution: installed with the dependencies that its
            system lacks.
        modules: Python modules that the distribution's system must have, and the Debian packages
            that rosdep picks for them.
    """

    exact: tuple[str, ...]
    fitted: tuple[str, ...]
    modules: Mapping[str, str]

    def lists(self, from_wheels: bool) -> tuple[str, ...]:
        """Return the lists in use."""
        return self.exact if from_wheels else self.fitted


BASE = Wheels(
    exact=("ros-jazzy", "build", "rosdep", "robot", "closure"),
    fitted=("robot",),
    modules=distribution.MODULES,
)
TOOLS = Wheels(
    exact=("tools-rosdep", "tools", "tools-closure"),
    fitted=("tools",),
    modules=distribution.TOOL_MODULES,
)

# Files of the wheels that the suite does not use: the C++ headers of Pinocchio and Boost, and the
# test programs of torch. Together 0.3 GB.
UNUSED = ("cmeel.prefix/include", "torch/test", "torch/bin/test_*")

# Folders of the container that the ROS wheels were built in, as their CMake files name them.
_BUILD_NUMPY = re.compile(
    r"/opt/python/cp\d+-cp\d+/lib/python3\.\d+/site-packages/numpy/_core/include"
)
_BUILD_PYTHON = re.compile(r"/opt/python/cp\d+-cp\d+/include/python3\.\d+")


def identity(checkout: Checkout, from_wheels: bool) -> str:
    """Return the identity of this checkout's `.venv`; "" where there is none that fits.

    Its scripts and CMake files hold its path, so a moved checkout needs a new one, and so does one
    whose interpreter was removed or replaced. When the lists change, packages of the old lists
    would remain in it.
    """
    begun = checkout.stamps / "begun"
    if not checkout.python.exists() or not begun.is_file():
        return ""
    if begun.read_text() != wheels_key(checkout, from_wheels, BASE):
        return ""
    return f"{checkout.venv}\n{os.path.realpath(checkout.python)}\nwheels: {from_wheels}"


def wheels_key(checkout: Checkout, from_wheels: bool, wheels: Wheels) -> str:
    """Return the requirement lists in use, without their comments."""
    return "\n".join(pins(checkout, wheels.lists(from_wheels)))


def pins(checkout: Checkout, names: Iterable[str]) -> list[str]:
    """Return the lines of requirement lists, without their comments."""
    lines = []
    for name in names:
        for line in (checkout.requirements / f"{name}.txt").read_text().splitlines():
            text = line.partition("#")[0].strip()
            if text:
                lines.append(text)
    return lines


def create(context: SetupContext) -> None:
    """Create an empty `.venv`. One that `./pi05` made before is removed.

    Raises:
        SetupError: No fitting Python, no ensurepip, a full disk, or a `.venv` made by the user.
    """
    checkout = context.checkout
    pythons.check_machine(context.source)
    python = pythons.find_python(context.source)
    free = shutil.disk_usage(checkout.root).free
    if free < MINIMUM_FREE:
        raise SetupError(
            f"The set-up needs {MINIMUM_FREE >> 30} GB of this disk, and {free / 2**30:.1f} GB "
            "are free",
            f"free some space (df -h {checkout.root})",
        )
    remove(checkout)
    pythons.need_module(
        context,
        python,
        "ensurepip",
        "venv",
        f"{python} cannot create an environment: it lacks ensurepip",
    )
    checkout.stamps.mkdir(parents=True)  # Marks the folder as made by ./pi05, before all else.
    options = [] if context.source.from_wheels else ["--system-site-packages"]
    context.run([python, "-m", "venv", *options, checkout.venv], "venv", _pip_environment(context))
    begun = wheels_key(checkout, context.source.from_wheels, BASE)
    (checkout.stamps / "begun").write_text(begun)


def remove(checkout: Checkout) -> None:
    """Remove `.venv`: renamed in one step, then deleted file by file.

    Raises:
        SetupError: It was not made by `./pi05`.
    """
    if not checkout.venv.exists() and not checkout.venv.is_symlink():
        return
    if not checkout.stamps.is_dir():
        raise SetupError(
            f"{checkout.venv} exists already, and ./pi05 did not make it",
            "mv .venv my-venv, then run the same command again",
        )
    checkout.scratch.mkdir(parents=True, exist_ok=True)
    trash = tempfile.mkdtemp(prefix="old-venv-", dir=checkout.scratch)
    os.rename(checkout.venv, Path(trash) / "venv")
    shutil.rmtree(trash, ignore_errors=True)


def fill(context: SetupContext) -> None:
    """Install the wheels that the suite runs with. An interrupted run is resumed.

    Raises:
        SetupError: pip failed; with the reason where its output shows it.
    """
    checkout = context.checkout
    _install(context, BASE, "wheels")
    if context.source.from_wheels:
        # Which CUDA packages torch needs depends on its build.
        closure = checkout.requirements / "closure.txt"
        _pip(context, "wheels-fitted", "-c", closure, *_lists(checkout, BASE.fitted))
        remove_unused(checkout.venv)
        repair_cmake_files(checkout.venv, _include_folder(context))


def add_tools(context: SetupContext) -> None:
    """Install the wheels that only the tests and the linters need.

    Raises:
        SetupError: pip failed; with the reason where its output shows it.
    """
    _install(context, TOOLS, "tools")


def _install(context: SetupContext, wheels: Wheels, log_name: str) -> None:
    """Install lists of wheels, after what a distribution's system lacks."""
    checkout, from_wheels = context.checkout, context.source.from_wheels
    if not from_wheels:
        distribution.need_modules(context, wheels.modules)
    drop_torn_wheels(checkout.venv)
    options = ["--no-deps"] if from_wheels else []
    _pip(context, log_name, *options, *_lists(checkout, wheels.lists(from_wheels)))


def _pip(context: SetupContext, log_name: str, *arguments: str | Path) -> None:
    """Run `pip install`."""
    env = _pip_environment(context)
    command: list[str | Path] = [
        *(context.checkout.python, "-m", "pip", "install", "--disable-pip-version-check"),
        *("--no-input", "--progress-bar", "off", "--no-warn-conflicts"),
        # Python compiles a module when it is first imported; most never are.
        "--no-compile",
        # No package's own program runs on install; empy is the one that has no wheel.
        *("--only-binary", ":all:", "--no-binary", "empy"),
    ]
    context.run([*command, *arguments], log_name, env)
    shutil.rmtree(env["TMPDIR"], ignore_errors=True)


def _include_folder(context: SetupContext) -> str:
    """Return the folder of the C headers of the virtual environment's Python."""
    code = "import sysconfig; print(sysconfig.get_path('include'))"
    command: list[str | Path] = [context.checkout.python, "-I", "-c", code]
    env = {**context.environ, "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1"}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def remove_unused(venv: Path) -> None:
    """Remove files of the wheels that the suite does not use."""
    for site in venv.glob("lib/python3*/site-packages"):
        for pattern in UNUSED:
            for path in site.glob(pattern):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def drop_torn_wheels(venv: Path) -> None:
    """Drop the metadata of packages that pip was writing when it was interrupted.

    pip writes INSTALLER when all files of a package are in place. A package with metadata but
    without it would count as installed.
    """
    for folder in venv.glob("lib/python3*/site-packages/*.dist-info"):
        if not (folder / "INSTALLER").is_file():
            shutil.rmtree(folder)


def repair_cmake_files(venv: Path, include: str) -> list[Path]:
    """Point the ROS wheels' CMake files to this environment instead of their build container.

    Args:
        venv: The virtual environment.
        include: The folder of its Python's C headers.

    Returns:
        The changed files.
    """
    site = next(venv.glob("lib/python3*/site-packages"))
    changed = []
    for file in sorted((venv / "share").rglob("*.cmake")):
        text = file.read_text()
        repaired = _BUILD_NUMPY.sub(str(site / "numpy" / "_core" / "include"), text)
        repaired = _BUILD_PYTHON.sub(include, repaired)
        if repaired != text:
            file.write_text(repaired)
            changed.append(file)
    return changed


def _lists(checkout: Checkout, names: tuple[str, ...]) -> list[str | Path]:
    """Return pip's options for requirement lists."""
    return [part for n in names for part in ("-r", checkout.requirements / f"{n}.txt")]


def _pip_environment(context: SetupContext) -> dict[str, str]:
    """Return the caller's environment without what would lead pip elsewhere."""
    unwanted = {"PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "VIRTUAL_ENV"}
    if context.source.from_wheels:
        unwanted |= {"PYTHONPATH", "LD_LIBRARY_PATH"}
    # /tmp may be a small RAM disk, and torch is large.
    scratch = context.checkout.scratch / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    kept = {name: value for name, value in context.environ.items() if name not in unwanted}
    return kept | {"TMPDIR": str(scratch), "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1"}
