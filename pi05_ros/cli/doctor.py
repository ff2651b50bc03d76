"""Check this machine: what is present, what is missing, and the command that fixes it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from pi05_ros.bootstrap.doctor.checks import run_checks
from pi05_ros.bootstrap.doctor.installation import this_installation
from pi05_ros.bootstrap.doctor.page import page
from pi05_ros.bootstrap.doctor.results import CheckStatus


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Returns:
        0 when nothing that the suite requires is missing, else 1.
    """
    parser = argparse.ArgumentParser(prog="pi05 doctor", description=__doc__.splitlines()[0])
    parser.parse_args(arguments)
    results = run_checks(this_installation())
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(page(results, colour=colour))
    return int(any(result.status is CheckStatus.MISSING for result in results))
