"""Check this machine, or a robot's file: what is present, what is missing, and the fix.

Without a file the standard library is enough, so the page comes up where nothing is installed.
"""

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
    parser.add_argument(
        "platform",
        nargs="?",
        help="a platform's YAML file or name: say what is understood of it instead",
    )
    parsed = parser.parse_args(arguments)
    if parsed.platform:
        from pi05_ros.cli.doctor_platform import platform_results

        results = platform_results(parsed.platform)
    else:
        results = run_checks(this_installation())
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(page(results, colour=colour))
    return int(any(result.status is CheckStatus.MISSING for result in results))
