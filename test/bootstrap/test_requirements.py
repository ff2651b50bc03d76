"""The lists of pinned wheels."""

import ast
import importlib.metadata
import os
import re
import sys
from pathlib import Path

import pytest

from pi05_ros.bootstrap.ros_source import INTERFACE_UNDERLAY, PYTHON_UNDERLAY
from pi05_ros.bootstrap.virtual_env import BASE, TOOLS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "requirements"
EXACT = BASE.exact + TOOLS.exact
OPTIONAL = {"ray"}  # Lists that a user installs by hand.
PIN = re.compile(r"^([a-z0-9-]+)==(\S+?)(?:\s+#\s+(\S.*))?$")

# Requirements of packages that the suite does not use: linters of the ROS build farm, and pytest
# with the plugins that colcon and ament_cmake_pytest would run it with.
UNUSED = {
    "ros-ament-cmake-cppcheck",
    "ros-ament-cmake-cpplint",
    "ros-ament-cmake-flake8",
    "ros-ament-cmake-pep257",
    "ros-ament-cmake-uncrustify",
    "ros-domain-coordinator",
    "pytest",
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
    assert {path.stem for path in FOLDER.glob("*.txt")} == {*EXACT, *OPTIONAL}
    for name in OPTIONAL:
        assert all(version for _, version, _ in pins(name))


@pytest.mark.parametrize("lists", [BASE.exact, EXACT], ids=["base", "all"])
def test_what_the_pinned_packages_need_is_pinned(lists):
    """Installed with --no-deps, so a package that the lists forget would be missing."""
    if os.environ.get("ROS_DISTRO"):
        pytest.skip("the lists are for machines without a distribution")
    pinned = {package: version for name in lists for package, version, _ in pins(name)}
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


# Modules that come from no list: launch and launch_ros are on no registry, the others are in the
# checkout.
NOT_LISTED = {
    "launch",
    "launch_ros",
    "pi05_msgs",
    "ray",  # requirements/ray.txt: `./pi05 eval --ray`, and no robot needs it.
    "bitsandbytes",  # Recipes may ask for it; it is used where it is installed, on GPUs.
    *PYTHON_UNDERLAY,
    *INTERFACE_UNDERLAY,
}
OTHER_NAMES = {"pinocchio": "pin"}  # Its module lies in a folder of cmeel's, without metadata.


def imported_modules(folder):
    """Top-level names of the modules that a folder imports, and the first file of each."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            for name in names:
                found.setdefault(name.partition(".")[0], file)
    return {n: f for n, f in found.items() if n not in sys.stdlib_module_names | {folder.name}}


def test_all_that_the_suite_imports_is_in_the_base_lists():
    """Only `./pi05 test` installs the other lists."""
    if os.environ.get("ROS_DISTRO"):
        pytest.skip("the lists are for machines without a distribution")
    base = {package for name in BASE.exact for package, _, _ in pins(name)}
    distributions = importlib.metadata.packages_distributions()
    missing = {}
    modules = imported_modules(ROOT / "pi05_ros")
    assert {"rclpy", "torch", "mujoco", "cv2", "aiohttp"} <= modules.keys()
    for module, file in modules.items():
        names = {
            re.sub(r"[._]", "-", n.lower())
            for n in distributions.get(module, [OTHER_NAMES.get(module, module)])
        }
        if module not in NOT_LISTED and not names & base:
            missing[module] = str(file.relative_to(ROOT))
    assert missing == {}


def test_the_test_tools_are_not_in_the_base_lists():
    base = {package for name in BASE.exact for package, _, _ in pins(name)}
    assert base.isdisjoint({"pytest", "hypothesis", "mypy", "playwright", "ruff", "transformers"})
