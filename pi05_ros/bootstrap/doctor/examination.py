"""All that the doctor looks at: what this machine has, and what it lacks.

Standard library only, and whatever may crash or take long is looked at in a child process: the
page must come up on a machine where nothing works.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from pi05_ros.bootstrap import graphics
from pi05_ros.bootstrap.checkout import this_checkout
from pi05_ros.bootstrap.doctor import computing, machine, ros
from pi05_ros.bootstrap.doctor.findings import Finding, Patient
from pi05_ros.bootstrap.environment import environment
from pi05_ros.bootstrap.ros_source import ros_source

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


def patient() -> Patient:
    """What is examined: the checkout's environment, or this process's where there is none."""
    checkout = this_checkout()
    if checkout is None:
        return Patient(None, ros_source(os.environ, Path("/")), dict(os.environ), sys.executable)
    source = ros_source(os.environ, checkout.root / "install" / "interfaces")
    settings = environment(checkout, source, os.environ, graphics.chosen(checkout))
    python = str(checkout.python) if checkout.python.exists() else sys.executable
    return Patient(checkout, source, {**os.environ, **settings}, python)


def examine(patient: Patient) -> list[Finding]:
    """All findings, in the order of CHECKS. Checks run side by side, for they mostly wait."""
    with ThreadPoolExecutor() as pool:
        return list(chain.from_iterable(pool.map(lambda check: check(patient), CHECKS)))
