"""Errors of the set-up: what is wrong and how to fix it, and the reason of a failed program."""

from __future__ import annotations

import re
import signal

from pi05_ros.errors import Pi05Error

AGAIN = "then run the same command again: it resumes where it stopped"

# (pattern, problem, fix); the first that matches counts.
_KNOWN = (
    (
        r"No space left on device|Disk quota exceeded",
        "The disk is full",
        f"free some space (df -h . /tmp shows where), {AGAIN}",
    ),
    (
        r"Temporary failure in name resolution|Name or service not known|nodename nor servname"
        r"|NewConnectionError|ConnectTimeoutError|ReadTimeoutError|Network is unreachable"
        r"|Connection (refused|reset)|ProxyError|Max retries exceeded",
        "The package registry cannot be reached",
        f"check the network (and https_proxy, PIP_INDEX_URL where you need them), {AGAIN}",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError",
        "The package registry's certificate is not trusted here",
        f"name your proxy's certificate in PIP_CERT, {AGAIN}",
    ),
    (
        r"No matching distribution found for (?P<what>\S+)",
        "The registry has no {what} for this Python and machine",
        "use CPython 3.10 to 3.13 on x86_64 Linux, or source a ROS 2 distribution first",
    ),
    (
        r"Killed signal terminated program|out of memory|Cannot allocate memory|MemoryError",
        "The machine ran out of memory",
        "MAKEFLAGS=-j1 ./pi05 setup (one compiler at a time)",
    ),
    (
        r"Python\.h: No such file|Could NOT find Python3 \(missing:[^)]*Development",
        "Python's C headers are missing",
        "sudo apt-get install python3-dev",
    ),
    (
        r"Could not get lock|Unable to acquire the dpkg frontend lock",
        "Another program is installing system packages",
        f"wait for it, {AGAIN}",
    ),
    (
        r"Permission denied",
        "A file or folder may not be written",
        f"check its owner (a run as root leaves files that belong to root), {AGAIN}",
    ),
)


class SetupError(Pi05Error):
    """The machine lacks something that the suite needs.

    Args:
        problem: What was expected and what was found, one sentence.
        fix: The command to type, or the action to take.
    """

    def __init__(self, problem: str, fix: str) -> None:
        self.problem = problem
        self.fix = fix
        super().__init__(f"{problem}\nFix: {fix}")


def explain(output: str, returncode: int) -> tuple[str, str] | None:
    """Find the reason of a failure in the output of a program.

    Args:
        output: The last lines that the program printed.
        returncode: Its exit status, negative for a signal.

    Returns:
        The problem, one sentence without its full stop, and its fix; None when no known pattern
        matches.
    """
    if returncode == -signal.SIGKILL:
        output += "\nout of memory"  # The kernel's usual reason to kill.
    for pattern, problem, fix in _KNOWN:
        found = re.search(pattern, output, re.IGNORECASE)
        if found:
            return problem.format(**found.groupdict()), fix
    return None
