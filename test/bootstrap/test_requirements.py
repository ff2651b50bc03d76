"""The lists of pinned wheels."""

import importlib.metadata
import os
import re
from pathlib import Path

import pytest

from pi05_ros.bootstrap.virtual_env import EXACT

FOLDER = Path(__file__).parents[2] / "requirements"
PIN = re.compile(r"^([a-z0-9-]+)==(\S+?)(?:\s+#\s+(\S.*))?$")

# What packages say they need and do not, as we use them: linters of the ROS build farm, and
# plugins with which colcon would run pytest.
UNUSED = {
    "ros-ament-cmake-cppcheck",
    "ros-ament-cmake-cpplint",
    "ros-ament-cmake-flake8",
    "ros-ament-cmake-pep257",
    "ros-ament-cmake-uncrustify",
    "ros-domain-coordinator",
    "pytest-cov",
    "pytest-repeat",
    "pytest-rerunfailures",
}


def pins(name):
    """(package, version, reason) of each line of a list."""
    found = []
    for line in (FOLDER / f"{name}.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            match = PIN.match(line)
            assert match, f"{name}.txt: {line!r} is no exact pin"
            found.append(match.groups())
    return found


@pytest.mark.parametrize("name", EXACT)
def test_every_package_is_pinned_with_a_reason(name):
    for package, _, reason in pins(name):
        # The ROS list gives its reasons group by group.
        assert reason or name == "ros-jazzy", f"{name}.txt: {package} has no reason beside it"


def test_no_package_stands_in_two_lists():
    names = [package for name in EXACT for package, _, _ in pins(name)]
    assert sorted(names) == sorted(set(names))


def test_every_list_is_used():
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(EXACT)


def test_what_the_pinned_packages_need_is_pinned():
    """Installed with --no-deps, so a package that the lists forget would be missing."""
    if os.environ.get("ROS_DISTRO"):
        pytest.skip("the lists are for machines without a distribution")
    pinned = {package: version for name in EXACT for package, version, _ in pins(name)}
    missing = {}
    for package, version in pinned.items():
        try:
            found = importlib.metadata.distribution(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # For another version of Python.
        if found.version.partition("+")[0] != version:
            pytest.skip(f"this is not an environment of ./pi05: {package} {found.version}")
        for line in found.requires or []:
            requirement, _, marker = line.partition(";")
            if "extra" in marker or "python_version" in marker or "platform" in marker:
                continue
            need = re.split(r"[\s\[(<>=!~]", requirement.strip())[0].lower()
            need = re.sub(r"[._]", "-", need)
            if need not in pinned and need not in UNUSED:
                missing.setdefault(package, []).append(need)
    # Which CUDA packages torch needs depends on its build; pip installs them.
    missing.pop("torch", None)
    assert missing == {}
