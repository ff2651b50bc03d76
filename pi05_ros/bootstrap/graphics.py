"""Off-screen OpenGL for the cameras of the mock homes: tried, and installed where missing."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

from pi05_ros.bootstrap import system_packages
from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.environment import environment
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.setup_context import SetupContext

# Values of MUJOCO_GL, the library that each opens, and its Debian packages; the best first.
BACKENDS = {
    "egl": ("libEGL.so.1", ("libegl1", "libgl1", "libopengl0", "libgl1-mesa-dri")),
    "osmesa": ("libOSMesa.so.8", ("libosmesa6", "libgl1")),
}
TIME_LIMIT = 60.0  # For one image; a first start compiles shaders [s].


def key() -> str:
    """Return the inputs of the choice: the libraries present, and whether NVIDIA's driver is."""
    present = [name for name, (library, _) in BACKENDS.items() if _loads(library)]
    gpu = Path("/dev/nvidiactl").exists()
    return f"{' '.join(present)} nvidia={gpu}"


def stamp(checkout: Checkout) -> Path:
    """Return the file that holds the step's key and, on its last line, the backend."""
    return checkout.stamps / "graphics"


def chosen(checkout: Checkout) -> str:
    """Return the backend that works here; "" where none is known."""
    path = stamp(checkout)
    lines = path.read_text().splitlines() if path.is_file() else []
    return lines[-1] if lines and lines[-1] in BACKENDS else ""


def choose(context: SetupContext) -> str:
    """Find a backend that renders, after installing its libraries where that is allowed.

    Returns:
        The backend's name, "egl" or "osmesa".

    Raises:
        SetupError: No backend renders; its fix is the command that installs one.
    """
    reasons = []
    for name in BACKENDS:
        works, reason = probe(context, name)
        if works:
            return name
        reasons.append(f"{name}: {reason}")
    problem = f"MuJoCo cannot render off screen ({'; '.join(reasons)})"
    for name, (_, packages) in BACKENDS.items():
        system_packages.install(context, packages, problem)
        works, reason = probe(context, name)
        if works:
            return name
        reasons.append(f"{name} after installing {' '.join(packages)}: {reason}")
    raise SetupError(
        f"MuJoCo cannot render off screen ({'; '.join(reasons)})",
        "check the OpenGL driver of this machine (a container with a GPU needs"
        " NVIDIA_DRIVER_CAPABILITIES=all)",
    )


def probe(context: SetupContext, backend: str) -> tuple[bool, str]:
    """Render an image in a child process.

    Returns:
        True and the renderer's name, or False and the reason.
    """
    env = {**context.environ, **environment(context.checkout, context.source, context.environ)}
    env["MUJOCO_GL"] = backend
    env.pop("PYOPENGL_PLATFORM", None)
    try:
        child = subprocess.run(
            [context.checkout.python, "-m", "pi05_ros.bootstrap.render_probe"],
            env=env,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT,
        )
    except subprocess.TimeoutExpired:
        return False, f"no image within {TIME_LIMIT:.0f} s"
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
