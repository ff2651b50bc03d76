"""What computes and draws: packages, GPU, off-screen OpenGL."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable

from pi05_ros.bootstrap.doctor.findings import Finding, Patient, Status
from pi05_ros.bootstrap.graphics import BACKENDS
from pi05_ros.bootstrap.system_packages import install_line

# What product code imports; the tools of the tests are the tests' business.
PRODUCT_LISTS = ("rosdep", "robot")

_VERSIONS = """
import importlib.metadata, json
found = {d.metadata["Name"].lower().replace("_", "-"): d.version
         for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps(found))
"""
_IN_ROSDEP = {"numpy", "opencv-python-headless", "pillow", "pytest", "pyyaml", "xacro"}
_MODULES = {"opencv-python-headless": "cv2", "pillow": "PIL", "pyyaml": "yaml"}
_IMPORTABLE = """
import importlib.util, json
print(json.dumps([n for n in {names!r} if importlib.util.find_spec(n) is None]))
"""
_CUDA = """
import json, torch
usable = torch.cuda.is_available()
names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())] if usable else []
print(json.dumps([torch.version.cuda or "", names, torch.get_num_threads()]))
"""


def packages(patient: Patient) -> list[Finding]:
    """Versions of the Python packages, against the pins where there are any."""
    found, reason = patient.ask(_VERSIONS)
    if found is None:
        return [Finding("Packages", "versions", reason, Status.MISSING, "./pi05 setup")]
    pins = _pins(patient)
    modules = {name: _MODULES.get(name, name.replace("-", "_")) for name in pins}
    absent, _ = patient.ask(_IMPORTABLE.format(names=sorted(modules.values())))
    missing = [name for name in pins if name not in found and modules[name] in (absent or ())]
    there = {name: found.get(name, "the system's") for name in pins if name not in missing}
    lines = [
        Finding("Packages", "versions", line)
        for line in _wrapped(f"{name} {version}" for name, version in there.items())
    ]
    # A distribution has its own versions of what rosdep installs.
    other = [
        f"{name} {there[name]} instead of {pin}"
        for name, pin in pins.items()
        if patient.source.from_wheels and pin and there.get(name, pin).partition("+")[0] != pin
    ]
    if other:
        lines.append(
            Finding("Packages", "not as pinned", ", ".join(other), Status.NOTE, "./pi05 setup")
        )
    if missing:
        remedy = "./pi05 setup" if patient.checkout else f"pip install {' '.join(missing)}"
        if not patient.source.from_wheels and _IN_ROSDEP.intersection(missing):
            remedy = "rosdep install --from-paths . pi05_msgs --ignore-src -y"
        lines.append(
            Finding("Packages", "not installed", ", ".join(missing), Status.MISSING, remedy)
        )
    return lines


def gpu(patient: Patient) -> list[Finding]:
    """NVIDIA's driver, and whether torch can use it."""
    program = shutil.which("nvidia-smi")
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    listed, reason = patient.run([program, *query]) if program else (None, "no nvidia-smi")
    cuda, torch_reason = patient.ask(_CUDA)
    if listed is None:
        found = [Finding("Computing", "GPU", f"none ({reason}): the model runs on the processor")]
    else:
        found = [Finding("Computing", "GPU", line) for line in listed.strip().splitlines()]
    if cuda is None:
        return [
            *found,
            Finding("Computing", "torch", torch_reason, Status.MISSING, "./pi05 setup"),
        ]
    version, names, threads = cuda
    if names:
        return [*found, Finding("Computing", "torch", f"CUDA {version} on {', '.join(names)}")]
    if listed is not None:
        text = f"built for {'CUDA ' + version if version else 'the processor'}: the GPU lies idle"
        remedy = "nvidia-smi (is the driver new enough?)" if version else "pip install torch"
        return [*found, Finding("Computing", "torch", text, Status.NOTE, remedy)]
    return [*found, Finding("Computing", "torch", f"on the processor, {threads} threads")]


def drawing(patient: Patient) -> list[Finding]:
    """Draws a picture in each kind of off-screen OpenGL. One is enough."""
    found, works = [], False
    for name in BACKENDS:
        output, reason = patient.run(
            [patient.python, "-m", "pi05_ros.bootstrap.render_probe"],
            {"MUJOCO_GL": name, "PYOPENGL_PLATFORM": name},
        )
        if output is not None:
            software = re.search("llvmpipe|softpipe|swrast", output)
            kind = "in software" if software else "on the GPU"
            found.append(Finding("Computing", f"OpenGL ({name})", f"{output.strip()}, {kind}"))
            works = True
        else:
            found.append(Finding("Computing", f"OpenGL ({name})", reason, Status.NOTE))
        if works:
            break
    chosen = patient.environ.get("MUJOCO_GL", "")
    if works:
        return [*found, Finding("Computing", "MUJOCO_GL", chosen or "not set")]
    reasons = "; ".join(finding.value for finding in found)
    remedy = install_line(BACKENDS["egl"][1], os.geteuid() == 0, bool(shutil.which("apt-get")))
    if "No module named" in reasons:
        remedy = "./pi05 setup"
    return [
        Finding("Computing", "OpenGL", f"no picture off screen: {reasons}", Status.MISSING, remedy)
    ]


def _pins(patient: Patient) -> dict[str, str]:
    """Package names and versions of the product's lists; the names alone where it is installed."""
    if patient.checkout is None:
        return dict.fromkeys(("numpy", "torch", "mujoco", "mink", "pyyaml"), "")
    pins = {}
    for name in PRODUCT_LISTS:
        for line in (patient.checkout.requirements / f"{name}.txt").read_text().splitlines():
            package, _, version = line.partition("#")[0].strip().partition("==")
            if package:
                pins[package] = version
    return pins


def _wrapped(parts: Iterable[str], width: int = 66) -> list[str]:
    """Parts joined by commas into lines of about a width."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines
