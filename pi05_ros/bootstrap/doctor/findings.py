"""What the doctor finds, and whom it examines."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from pi05_ros.bootstrap.checkout import Checkout
from pi05_ros.bootstrap.ros_source import RosSource

TIME_LIMIT = 90.0  # For one look by a child process [s].
REASON_LENGTH = 120  # Characters of a child's complaint that fit on the page.


class Status(Enum):
    """How bad it is."""

    GOOD = "good"
    NOTE = "note"  # Works without; the finding says what is lost.
    MISSING = "missing"


@dataclass(frozen=True)
class Finding:
    """One line of the page.

    Args:
        topic: The section that it belongs to.
        name: What was looked at.
        value: What was found.
        status: How bad it is.
        remedy: The command that mends it, or what to do; empty for good findings.
    """

    topic: str
    name: str
    value: str
    status: Status = Status.GOOD
    remedy: str = ""


@dataclass(frozen=True)
class Patient:
    """What is examined.

    Args:
        checkout: The clone of the repository; None where the suite is installed instead.
        source: Where ROS 2 comes from.
        environ: The environment of the suite's processes.
        python: The interpreter that runs them.
    """

    checkout: Checkout | None
    source: RosSource
    environ: Mapping[str, str]
    python: str

    def ask(self, code: str) -> tuple[Any, str]:
        """Runs Python code in the suite's environment.

        Args:
            code: Prints one JSON value.

        Returns:
            The value and "", or None and the last line that the code complained with.
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
        """Runs a program.

        Args:
            command: Program and arguments.
            extra: Variables on top of the environment.

        Returns:
            Its output and "", or None and the reason why there is none.
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
