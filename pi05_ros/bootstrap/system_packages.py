"""System packages: what is missing, and apt where it may."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from pi05_ros.bootstrap.errors import SetupError
from pi05_ros.bootstrap.workshop import Workshop


def may_install() -> bool:
    """Whether apt may be used without asking anybody: as root, or with sudo that asks nothing.

    `PI05_APT=0` in the environment forbids it.
    """
    if os.environ.get("PI05_APT") == "0" or not shutil.which("apt-get"):
        return False
    if os.geteuid() == 0:
        return True
    if not shutil.which("sudo"):
        return False
    return subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0


def install_line(packages: Sequence[str], is_root: bool, has_apt: bool) -> str:
    """The line that a person types to install packages."""
    names = " ".join(packages)
    if not has_apt:
        return f"install with your package manager what Debian calls {names}"
    return f"{'' if is_root else 'sudo '}apt-get install {names}"


def install(shop: Workshop, packages: Sequence[str], purpose: str) -> None:
    """Installs system packages with apt where it may.

    Args:
        shop: What the set-up works with.
        packages: Debian's names.
        purpose: What is missing, one sentence without its full stop.

    Raises:
        SetupError: apt may not be used, or failed.
    """
    line = install_line(packages, os.geteuid() == 0, bool(shutil.which("apt-get")))
    if not may_install():
        raise SetupError(purpose, line)
    shop.console.say(f"\n        {purpose}: {line}")
    command = [*([] if os.geteuid() == 0 else ["sudo", "-n", "-E"]), "apt-get"]
    env = {**shop.environ, "DEBIAN_FRONTEND": "noninteractive"}
    add = [*command, "install", "-y", "--no-install-recommends", *packages]
    try:
        shop.run(add, "apt", env)
    except SetupError:
        # A fresh machine has no package lists, an old one has stale ones.
        shop.run([*command, "update"], "apt-update", env)
        shop.run(add, "apt", env)
