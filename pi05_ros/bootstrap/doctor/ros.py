"""ROS 2: where it comes from, the interfaces, and the middleware."""

from __future__ import annotations

from pi05_ros.bootstrap.doctor.findings import Finding, Patient, Status
from pi05_ros.foundation.fastdds import PROFILE_VARIABLE, profile_problem

_RCLPY = """
import json, os
import rclpy
from rclpy.utilities import get_rmw_implementation_identifier
print(json.dumps([os.path.dirname(rclpy.__file__), get_rmw_implementation_identifier()]))
"""

# Each package, a type of it that the suite needs and older releases lack, and what brings it.
_INTERFACES = {
    "pi05_msgs": ("msg", "Subtask"),
    "control_msgs": ("action", "ParallelGripperCommand"),
    "tf2_msgs": ("msg", "TFMessage"),
}
_MODULES = ("cv_bridge", "tf2_ros")

_LOOK = """
import importlib, json, sys
package, part, name = sys.argv[1:] if len(sys.argv) > 1 else {arguments!r}
module = importlib.import_module(package + "." + part if part else package)
if name:
    getattr(module, name).__class__.__import_type_support__()
print(json.dumps(importlib.import_module(package).__file__ or list(module.__path__)[0]))
"""


def source(patient: Patient) -> list[Finding]:
    """The distribution or the wheels, and whether rclpy loads."""
    kind = "wheels" if patient.source.from_wheels else "distribution"
    found, reason = patient.ask(_RCLPY)
    if found is None:
        remedy = (
            "./pi05 setup"
            if patient.source.from_wheels
            else f"source /opt/ros/{patient.source.distro}/setup.bash"
        )
        value = f"{patient.source.distro} ({kind}): rclpy does not load: {reason}"
        return [Finding("ROS 2", "source", value, Status.MISSING, remedy)]
    folder, rmw = found
    return [
        Finding("ROS 2", "source", f"{patient.source.distro} ({kind}) at {folder}"),
        Finding("ROS 2", "middleware", rmw),
    ]


def interfaces(patient: Patient) -> list[Finding]:
    """The messages and modules that no registry has."""
    findings = []
    for package, (part, name) in _INTERFACES.items():
        findings.append(_look(patient, package, part, name))
    for package in _MODULES:
        findings.append(_look(patient, package, "", ""))
    return findings


def _look(patient: Patient, package: str, part: str, name: str) -> Finding:
    path, reason = patient.ask(_LOOK.format(arguments=(package, part, name)))
    if path is None:
        remedy = (
            "./pi05 setup"
            if patient.source.from_wheels or package == "pi05_msgs"
            else f"sudo apt-get install ros-{patient.source.distro}-{package.replace('_', '-')}"
        )
        return Finding("ROS 2", package, reason, Status.MISSING, remedy)
    return Finding("ROS 2", package, path.removesuffix("/__init__.py"))


def middleware(patient: Patient) -> list[Finding]:
    """The Fast DDS profile, and who is in earshot."""
    problem = profile_problem(patient.environ)
    profile = patient.environ.get(PROFILE_VARIABLE, "")
    domain = patient.environ.get("ROS_DOMAIN_ID", "0")
    reach = patient.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    return [
        Finding("ROS 2", "Fast DDS profile", problem, Status.NOTE, "see the README")
        if problem
        else Finding("ROS 2", "Fast DDS profile", profile or "not needed by this middleware"),
        Finding("ROS 2", "domain", f"{domain}, discovery range {reach}"),
    ]
