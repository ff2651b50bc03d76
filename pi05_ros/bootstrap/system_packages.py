"""System packages, installed with apt where that needs no question."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.setup_context import SetupContext


def may_install() -> bool:
    """Check whether apt works without a question: as root, or with a sudo that asks for nothing.

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
    """Return the command that installs packages, for the user to type."""
    names = " ".join(packages)
    if not has_apt:
        return f"install with your package manager what Debian calls {names}"
    return f"{'' if is_root else 'sudo '}apt-get install {names}"


def install(context: SetupContext, packages: Sequence[str], purpose: str) -> None:
    """Install system packages with apt where that is allowed.

    Args:
        context: The context of the set-up.
        packages: Names of the Debian packages.
        purpose: The problem, one sentence without its full stop.

    Raises:
        SetupError: apt is not allowed, or failed.
    """
    line = install_line(packages, os.geteuid() == 0, bool(shutil.which("apt-get")))
    if not may_install():
        raise SetupError(purpose, line)
    context.terminal.print_line(f"\n        {purpose}: {line}")
    command = [*([] if os.geteuid() == 0 else ["sudo", "-n", "-E"]), "apt-get"]
    env = {**context.environ, "DEBIAN_FRONTEND": "noninteractive"}
    add = [*command, "install", "-y", "--no-install-recommends", *packages]
    try:
        context.run(add, "apt", env)
    except SetupError:
        # A fresh machine has no package lists, an old one has stale ones.
        context.run([*command, "update"], "apt-update", env)
        context.run(add, "apt", env)
