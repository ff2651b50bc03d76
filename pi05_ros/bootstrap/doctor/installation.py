"""The installation under examination: its checkout, its environment and its interpreter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pi05_ros.bootstrap import graphics
from pi05_ros.bootstrap.checkout import Checkout, this_checkout
from pi05_ros.bootstrap.environment import environment
from pi05_ros.bootstrap.ros_source import RosSource, ros_source

TIME_LIMIT = 90.0  # For one child process [s].
REASON_LENGTH = 120  # Characters of an error message that fit on the page.


@dataclass(frozen=True)
class Installation:
    """An installation of the suite, and the means to run programs in its environment.

    Args:
        checkout: The clone of the repository; None where the suite is installed as a package.
        source: Where ROS 2 comes from.
        environ: The environment of the suite's processes.
        python: The interpreter that runs them.
    """

    checkout: Checkout | None
    source: RosSource
    environ: Mapping[str, str]
    python: str

    def evaluate(self, code: str) -> tuple[Any, str]:
        """Run Python code in the suite's environment.

        Args:
            code: Prints one JSON value.

        Returns:
            The value and "", or None and the last line of the error output.
        """
        done, reason = self.run([self.python, "-c", code])
        if done is None:
            return None, reason
        try:
            return json.loads(done.splitlines()[-1]), ""
        except (IndexError, json.JSONDecodeError):
            return None, f"printed {done[-200:]!r}"

    def run(
        self, command: Sequence[str], extra: Mapping[str, str] | None = None
    ) -> tuple[str | None, str]:
        """Run a program in the suite's environment.

        Args:
            command: Program and arguments.
            extra: Variables on top of the environment.

        Returns:
            Its standard output and "", or None and the reason of the failure.
        """
        try:
            done = subprocess.run(
                command,
                env={**self.environ, **(extra or {})},
                capture_output=True,
                text=True,
                timeout=TIME_LIMIT,
                stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            return None, error.strerror or str(error)
        except subprocess.TimeoutExpired:
            return None, f"no answer within {TIME_LIMIT:.0f} s"
        if done.returncode == 0:
            return done.stdout, ""
        lines = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = lines[-1] if lines else f"ended with status {done.returncode}"
        return None, reason if len(reason) <= REASON_LENGTH else f"{reason[:REASON_LENGTH]}..."


def this_installation() -> Installation:
    """Return the checkout that this module lies in, or the running process where there is none."""
    checkout = this_checkout()
    if checkout is None:
        source = ros_source(os.environ, Path("/"))
        return Installation(None, source, dict(os.environ), sys.executable)
    source = ros_source(os.environ, checkout.interfaces)
    settings = environment(checkout, source, os.environ, graphics.chosen(checkout))
    python = str(checkout.python) if checkout.python.exists() else sys.executable
    return Installation(checkout, source, {**os.environ, **settings}, python)
