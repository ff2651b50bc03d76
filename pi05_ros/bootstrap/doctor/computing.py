"""Checks of computing and rendering: packages, GPU, off-screen OpenGL."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable

from pi05_ros.bootstrap.doctor.installation import Installation
from pi05_ros.bootstrap.doctor.results import CheckResult, CheckStatus
from pi05_ros.bootstrap.graphics import BACKENDS
from pi05_ros.bootstrap.system_packages import install_line

# Lists of the packages that product code imports.
PRODUCT_LISTS = ("rosdep", "robot")

_VERSIONS = """
import importlib.metadata, json
found = {d.metadata["Name"].lower().replace("_", "-"): d.version
         for d in importlib.metadata.distributions() if d.metadata["Name"]}
print(json.dumps(found))
"""
_IN_ROSDEP = {"numpy", "opencv-python-headless", "pillow", "pyyaml", "xacro"}
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


def packages(installation: Installation) -> list[CheckResult]:
    """Compare the versions of the Python packages with the pins, where there are any."""
    found, reason = installation.evaluate(_VERSIONS)
    if found is None:
        return [CheckResult("Packages", "versions", reason, CheckStatus.MISSING, "./pi05 setup")]
    pins = _pins(installation)
    modules = {name: _MODULES.get(name, name.replace("-", "_")) for name in pins}
    absent, _ = installation.evaluate(_IMPORTABLE.format(names=sorted(modules.values())))
    missing = [name for name in pins if name not in found and modules[name] in (absent or ())]
    present = {name: found.get(name, "the system's") for name in pins if name not in missing}
    lines = [
        CheckResult("Packages", "versions", line)
        for line in _wrapped(f"{name} {version}" for name, version in present.items())
    ]
    # A distribution has its own versions of what rosdep installs.
    other = [
        f"{name} {present[name]} instead of {pin}"
        for name, pin in pins.items()
        if installation.source.from_wheels
        and pin
        and present.get(name, pin).partition("+")[0] != pin
    ]
    if other:
        lines.append(
            CheckResult(
                "Packages", "not as pinned", ", ".join(other), CheckStatus.NOTE, "./pi05 setup"
            )
        )
    if missing:
        fix = "./pi05 setup" if installation.checkout else f"pip install {' '.join(missing)}"
        if not installation.source.from_wheels and _IN_ROSDEP.intersection(missing):
            fix = "rosdep install --from-paths . pi05_msgs --ignore-src -y"
        lines.append(
            CheckResult("Packages", "not installed", ", ".join(missing), CheckStatus.MISSING, fix)
        )
    return lines


def gpu(installation: Installation) -> list[CheckResult]:
    """Check NVIDIA's driver, and that torch can use it."""
    program = shutil.which("nvidia-smi")
    query = ["--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    listed, reason = installation.run([program, *query]) if program else (None, "no nvidia-smi")
    cuda, torch_reason = installation.evaluate(_CUDA)
    if listed is None:
        found = [
            CheckResult("Computing", "GPU", f"none ({reason}): the model runs on the processor")
        ]
    else:
        found = [CheckResult("Computing", "GPU", line) for line in listed.strip().splitlines()]
    if cuda is None:
        return [
            *found,
            CheckResult("Computing", "torch", torch_reason, CheckStatus.MISSING, "./pi05 setup"),
        ]
    version, names, threads = cuda
    if names:
        return [*found, CheckResult("Computing", "torch", f"CUDA {version} on {', '.join(names)}")]
    if listed is not None:
        text = (
            f"built for {'CUDA ' + version if version else 'the processor'}: the GPU is not used"
        )
        fix = "nvidia-smi (is the driver new enough?)" if version else "pip install torch"
        return [*found, CheckResult("Computing", "torch", text, CheckStatus.NOTE, fix)]
    return [*found, CheckResult("Computing", "torch", f"on the processor, {threads} threads")]


def drawing(installation: Installation) -> list[CheckResult]:
    """Render an image with each kind of off-screen OpenGL until one works."""
    found, works = [], False
    for name in BACKENDS:
        output, reason = installation.run(
            [installation.python, "-m", "pi05_ros.bootstrap.render_probe"],
            {"MUJOCO_GL": name, "PYOPENGL_PLATFORM": name},
        )
        if output is not None:
            software = re.search("llvmpipe|softpipe|swrast", output)
            kind = "in software" if software else "on the GPU"
            found.append(CheckResult("Computing", f"OpenGL ({name})", f"{output.strip()}, {kind}"))
            works = True
        else:
            found.append(CheckResult("Computing", f"OpenGL ({name})", reason, CheckStatus.NOTE))
        if works:
            break
    chosen = installation.environ.get("MUJOCO_GL", "")
    if works:
        return [*found, CheckResult("Computing", "MUJOCO_GL", chosen or "not set")]
    reasons = "; ".join(result.value for result in found)
    fix = install_line(BACKENDS["egl"][1], os.geteuid() == 0, bool(shutil.which("apt-get")))
    if "No module named" in reasons:
        fix = "./pi05 setup"
    return [
        CheckResult(
            "Computing", "OpenGL", f"no image off screen: {reasons}", CheckStatus.MISSING, fix
        )
    ]


def _pins(installation: Installation) -> dict[str, str]:
    """Return package names and versions of the lists; names only where there is no checkout."""
    if installation.checkout is None:
        return dict.fromkeys(("numpy", "torch", "mujoco", "mink", "pyyaml"), "")
    pins = {}
    for name in PRODUCT_LISTS:
        for line in (installation.checkout.requirements / f"{name}.txt").read_text().splitlines():
            package, _, version = line.partition("#")[0].strip().partition("==")
            if package:
                pins[package] = version
    return pins


def _wrapped(parts: Iterable[str], width: int = 66) -> list[str]:
    """Join parts by commas into lines of about a width."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + len(part) <= width:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines
