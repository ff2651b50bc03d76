"""Off-screen OpenGL, which the mock homes' cameras need: found by trying, installed if missing."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

from pi05_ros.bootstrap import system_packages
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.environment import environment
from pi05_ros.bootstrap.errors import SetupError
from pi05_ros.bootstrap.workshop import Workshop

# MUJOCO_GL, the library that it opens, and Debian's packages for it; the best first.
BACKENDS = {
    "egl": ("libEGL.so.1", ("libegl1", "libgl1", "libopengl0", "libgl1-mesa-dri")),
    "osmesa": ("libOSMesa.so.8", ("libosmesa6", "libgl1")),
}
TIME_LIMIT = 60.0  # For one picture; a first start compiles shaders [s].


def key() -> str:
    """What the choice depends on: which libraries there are, and whether NVIDIA's driver is."""
    there = [name for name, (library, _) in BACKENDS.items() if _loads(library)]
    gpu = Path("/dev/nvidiactl").exists()
    return f"{' '.join(there)} nvidia={gpu}"


def stamp(checkout: Checkout) -> Path:
    """Where the choice is kept: the step's key, and on the last line the backend."""
    return checkout.stamps / "graphics"


def chosen(checkout: Checkout) -> str:
    """The backend that was found to work; "" where none was."""
    path = stamp(checkout)
    lines = path.read_text().splitlines() if path.is_file() else []
    return lines[-1] if lines and lines[-1] in BACKENDS else ""


def choose(shop: Workshop) -> str:
    """Finds a backend that draws, after installing what it lacks where that is allowed.

    Returns:
        The backend's name, "egl" or "osmesa".

    Raises:
        SetupError: None draws; its remedy is the line that installs what is missing.
    """
    reasons = []
    for name in BACKENDS:
        works, reason = probe(shop, name)
        if works:
            return name
        reasons.append(f"{name}: {reason}")
    problem = f"MuJoCo can draw no picture off screen ({'; '.join(reasons)})"
    for name, (_, packages) in BACKENDS.items():
        system_packages.install(shop, packages, problem)
        works, reason = probe(shop, name)
        if works:
            return name
        reasons.append(f"{name} after installing {' '.join(packages)}: {reason}")
    raise SetupError(
        f"MuJoCo can draw no picture off screen ({'; '.join(reasons)})",
        "look at the OpenGL driver of this machine (a container with a GPU needs"
        " NVIDIA_DRIVER_CAPABILITIES=all)",
    )


def probe(shop: Workshop, backend: str) -> tuple[bool, str]:
    """Draws a picture in a child process.

    Returns:
        Whether it worked, and the renderer's name or the reason.
    """
    env = {**shop.environ, **environment(shop.checkout, shop.source, shop.environ)}
    env["MUJOCO_GL"] = backend
    env.pop("PYOPENGL_PLATFORM", None)
    try:
        child = subprocess.run(
            [shop.checkout.python, "-m", "pi05_ros.bootstrap.render_probe"],
            env=env,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
        )
    except subprocess.TimeoutExpired:
        return False, f"no picture within {TIME_LIMIT:.0f} s"
    if child.returncode == 0:
        return True, child.stdout.strip()
    lines = [line for line in child.stderr.splitlines() if line.strip()]
    return False, lines[-1].strip() if lines else f"ended with status {child.returncode}"


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
