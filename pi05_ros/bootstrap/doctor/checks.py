"""All checks of the doctor: what this machine has, and what it lacks.

Standard library only. Anything that may crash or take long runs in a child process: the page must
come up on a machine where nothing works.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from pi05_ros.bootstrap.doctor import computing, machine, ros
from pi05_ros.bootstrap.doctor.installation import Installation
from pi05_ros.bootstrap.doctor.results import CheckResult

CHECKS = (
    machine.system,
    machine.python,
    machine.set_up,
    ros.source,
    ros.interfaces,
    ros.middleware,
    computing.packages,
    computing.gpu,
    computing.drawing,
    machine.room,
    machine.timing,
)


def run_checks(installation: Installation) -> list[CheckResult]:
    """Run all checks at once (most of them wait for a child process).

    Returns:
        All results, in the order of CHECKS.
    """
    with ThreadPoolExecutor() as pool:
        return list(chain.from_iterable(pool.map(lambda check: check(installation), CHECKS)))
