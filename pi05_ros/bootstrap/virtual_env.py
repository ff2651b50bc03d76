"""The virtual environment: made, filled with pinned wheels, and its CMake files set right."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from pi05_ros.bootstrap import distribution, pythons
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.setup_context import SetupContext

MINIMUM_FREE = 6 * 1024**3  # Room for the wheels, their download and the build [byte].

# Files of requirements/. An exact list is installed as it stands; a fitted one with what it needs
# in turn: torch's CUDA packages, or with a distribution what the system lacks.
EXACT = ("ros-jazzy", "build", "rosdep", "robot", "tools", "closure")
FITTED = ("robot", "tools")

# Folders of the container in which the ROS wheels were built, as their CMake files name them.
_BUILD_NUMPY = re.compile(
    r"/opt/python/cp\d+-cp\d+/lib/python3\.\d+/site-packages/numpy/_core/include"
)
_BUILD_PYTHON = re.compile(r"/opt/python/cp\d+-cp\d+/include/python3\.\d+")


def identity(checkout: Checkout, from_wheels: bool) -> str:
    """What makes `.venv` the right one for this checkout; "" where there is none, or another's.

    Its scripts and CMake files hold its path, so a moved folder needs a new one, and so does one
    whose interpreter was taken away or replaced. Other lists than those that it was begun with
    would leave packages of the old ones in it.
    """
    begun = checkout.stamps / "begun"
    if not checkout.python.exists() or not begun.is_file():
        return ""
    if begun.read_text() != wheels_key(checkout, from_wheels):
        return ""
    return f"{checkout.venv}\n{os.path.realpath(checkout.python)}\nwheels: {from_wheels}"


def wheels_key(checkout: Checkout, from_wheels: bool) -> str:
    """The requirement lists in use, without their comments."""
    lines = []
    for name in EXACT if from_wheels else FITTED:
        for line in (checkout.requirements / f"{name}.txt").read_text().splitlines():
            text = line.partition("#")[0].strip()
            if text:
                lines.append(text)
    return "\n".join(lines)


def create(context: SetupContext) -> None:
    """Makes `.venv` anew, empty. What stood there is removed, if it was ours.

    Raises:
        SetupError: No fitting Python, no ensurepip, a full disk, or somebody else's `.venv`.
    """
    checkout = context.checkout
    pythons.check_machine(context.source)
    python = pythons.find_python(context.source)
    free = shutil.disk_usage(checkout.root).free
    if free < MINIMUM_FREE:
        raise SetupError(
            f"The set-up wants {MINIMUM_FREE >> 30} GB of this disk, and {free / 2**30:.1f} GB "
            "are free",
            f"free some space (df -h {checkout.root})",
        )
    remove(checkout)
    pythons.need_module(
        context,
        python,
        "ensurepip",
        "venv",
        f"{python} can make no environment: it lacks ensurepip",
    )
    checkout.stamps.mkdir(parents=True)  # Marks the folder as ours from the first moment.
    options = [] if context.source.from_wheels else ["--system-site-packages"]
    context.run([python, "-m", "venv", *options, checkout.venv], "venv", _pip_environment(context))
    begun = wheels_key(checkout, context.source.from_wheels)
    (checkout.stamps / "begun").write_text(begun)


def remove(checkout: Checkout) -> None:
    """Removes `.venv`: out of the way in one step, then file by file.

    Raises:
        SetupError: It was not made by `./pi05`.
    """
    if not checkout.venv.exists() and not checkout.venv.is_symlink():
        return
    if not checkout.stamps.is_dir():
        raise SetupError(
            f"{checkout.venv} is there already, and ./pi05 did not make it",
            "mv .venv my-venv, then run the same command again",
        )
    checkout.scratch.mkdir(parents=True, exist_ok=True)
    trash = tempfile.mkdtemp(prefix="old-venv-", dir=checkout.scratch)
    os.rename(checkout.venv, Path(trash) / "venv")
    shutil.rmtree(trash, ignore_errors=True)


def fill(context: SetupContext) -> None:
    """Installs the wheels. A run that was interrupted is gone on with.

    Raises:
        SetupError: pip failed; the sentence says why where its output tells.
    """
    checkout = context.checkout
    if not context.source.from_wheels:
        distribution.need_modules(context)
    drop_torn_wheels(checkout.venv)
    pip: list[str | Path] = [
        *(checkout.python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"),
        *("--progress-bar", "off", "--no-warn-conflicts"),
        # No package's own program runs on install; empy is the one that has no wheel.
        *("--only-binary", ":all:", "--no-binary", "empy"),
    ]
    env = _pip_environment(context)
    if context.source.from_wheels:
        context.run([*pip, "--no-deps", *_lists(checkout, EXACT)], "wheels", env)
        pip += ["-c", checkout.requirements / "closure.txt"]
    context.run([*pip, *_lists(checkout, FITTED)], "wheels-fitted", env)
    if context.source.from_wheels:
        include = subprocess.run(
            [checkout.python, "-c", "import sysconfig; print(sysconfig.get_path('include'))"],
            capture_output=True,
            text=True,
            env=env,
            check=True,
        ).stdout.strip()
        repair_cmake_files(checkout.venv, include)
    shutil.rmtree(env["TMPDIR"], ignore_errors=True)


def drop_torn_wheels(venv: Path) -> None:
    """Forgets packages that pip had begun to write when it was interrupted.

    pip writes INSTALLER when all files of a package lie there. Without this, it would take a
    package whose metadata is there for whole.
    """
    for folder in venv.glob("lib/python3*/site-packages/*.dist-info"):
        if not (folder / "INSTALLER").is_file():
            shutil.rmtree(folder)


def repair_cmake_files(venv: Path, include: str) -> list[Path]:
    """Points the ROS wheels' CMake files to this environment instead of their build container.

    Args:
        venv: The virtual environment.
        include: The folder of its Python's C headers.

    Returns:
        The files that were changed.
    """
    site = next(venv.glob("lib/python3*/site-packages"))
    changed = []
    for file in sorted((venv / "share").rglob("*.cmake")):
        text = file.read_text()
        mended = _BUILD_NUMPY.sub(str(site / "numpy" / "_core" / "include"), text)
        mended = _BUILD_PYTHON.sub(include, mended)
        if mended != text:
            file.write_text(mended)
            changed.append(file)
    return changed


def _lists(checkout: Checkout, names: tuple[str, ...]) -> list[str | Path]:
    return [part for n in names for part in ("-r", checkout.requirements / f"{n}.txt")]


def _pip_environment(context: SetupContext) -> dict[str, str]:
    """The caller's environment without what would lead pip elsewhere."""
    unwanted = {"PYTHONHOME", "PIP_USER", "PIP_TARGET", "PIP_PREFIX", "VIRTUAL_ENV"}
    if context.source.from_wheels:
        unwanted |= {"PYTHONPATH", "LD_LIBRARY_PATH"}
    # /tmp may be a small RAM disk, and torch is large.
    scratch = context.checkout.scratch / "tmp"
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    kept = {name: value for name, value in context.environ.items() if name not in unwanted}
    return kept | {"TMPDIR": str(scratch), "_ROS_WHEELS_BOOTSTRAP_COMPLETE": "1"}
