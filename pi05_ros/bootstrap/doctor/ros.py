"""Checks of ROS 2: its source, the interfaces, and the middleware."""

from __future__ import annotations

from pi05_ros.bootstrap.doctor.installation import Installation
from pi05_ros.bootstrap.doctor.results import CheckResult, CheckStatus
from pi05_ros.foundation.fastdds import PROFILE_VARIABLE, profile_problem

_RCLPY = """
import json, os
import rclpy
from rclpy.utilities import get_rmw_implementation_identifier
print(json.dumps([os.path.dirname(rclpy.__file__), get_rmw_implementation_identifier()]))
"""

# Each package, and a type of it that the suite needs and older releases lack.
_INTERFACES = {
    "pi05_msgs": ("msg", "Subtask"),
    "control_msgs": ("action", "ParallelGripperCommand"),
    "tf2_msgs": ("msg", "TFMessage"),
}
_MODULES = ("cv_bridge", "tf2_ros")

_IMPORT_TYPE = """
import importlib, json, sys
package, part, name = sys.argv[1:] if len(sys.argv) > 1 else {arguments!r}
module = importlib.import_module(package + "." + part if part else package)
if name:
    getattr(module, name).__class__.__import_type_support__()
print(json.dumps(importlib.import_module(package).__file__ or list(module.__path__)[0]))
"""


def source(installation: Installation) -> list[CheckResult]:
    """Check the distribution or the wheels, and that rclpy loads."""
    kind = "wheels" if installation.source.from_wheels else "distribution"
    found, reason = installation.evaluate(_RCLPY)
    if found is None:
        fix = (
            "./pi05 setup"
            if installation.source.from_wheels
            else f"source /opt/ros/{installation.source.distro}/setup.bash"
        )
        value = f"{installation.source.distro} ({kind}): rclpy does not load: {reason}"
        return [CheckResult("ROS 2", "source", value, CheckStatus.MISSING, fix)]
    folder, rmw = found
    return [
        CheckResult("ROS 2", "source", f"{installation.source.distro} ({kind}) at {folder}"),
        CheckResult("ROS 2", "middleware", rmw),
    ]


def interfaces(installation: Installation) -> list[CheckResult]:
    """Check the messages and modules that no registry has."""
    results = []
    for package, (part, name) in _INTERFACES.items():
        results.append(_check_package(installation, package, part, name))
    for package in _MODULES:
        results.append(_check_package(installation, package, "", ""))
    return results


def _check_package(installation: Installation, package: str, part: str, name: str) -> CheckResult:
    path, reason = installation.evaluate(_IMPORT_TYPE.format(arguments=(package, part, name)))
    if path is None:
        fix = (
            "./pi05 setup"
            if installation.source.from_wheels or package == "pi05_msgs"
            else f"sudo apt-get install {_debian_name(package, installation.source.distro)}"
        )
        return CheckResult("ROS 2", package, reason, CheckStatus.MISSING, fix)
    return CheckResult("ROS 2", package, path.removesuffix("/__init__.py"))


def _debian_name(package: str, distro: str) -> str:
    return f"ros-{distro}-{package.replace('_', '-')}"


def middleware(installation: Installation) -> list[CheckResult]:
    """Check the Fast DDS profile; show the domain and the discovery range."""
    problem = profile_problem(installation.environ)
    profile = installation.environ.get(PROFILE_VARIABLE, "")
    domain = installation.environ.get("ROS_DOMAIN_ID", "0")
    reach = installation.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    return [
        CheckResult("ROS 2", "Fast DDS profile", problem, CheckStatus.NOTE, "see the README")
        if problem
        else CheckResult("ROS 2", "Fast DDS profile", profile or "not needed by this middleware"),
        CheckResult("ROS 2", "domain", f"{domain}, discovery range {reach}"),
    ]
