"""`pi05 faults`: the system tests of a checkout as a command (test/system)."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from pi05_ros.bootstrap.checkout import this_checkout
from pi05_ros.bootstrap.explain import SetupError


def main(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by `python -m system`, in the tests of the checkout.

    Raises:
        SetupError: The suite is installed without its tests.
    """
    checkout = this_checkout()
    if checkout is None:
        raise SetupError("The faults are tests, not installed with the suite", "use a checkout")
    path = [str(checkout.root / "test"), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}
    sys.stdout.flush()
    os.execve(sys.executable, [sys.executable, "-m", "system", *arguments], environment)
