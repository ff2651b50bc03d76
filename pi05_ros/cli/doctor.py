"""Check this machine: what is present, what is missing, and the command that fixes it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from pi05_ros.bootstrap.doctor.examination import examine, patient
from pi05_ros.bootstrap.doctor.findings import Status
from pi05_ros.bootstrap.doctor.page import page


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Returns:
        0 when nothing that the suite requires is missing, else 1.
    """
    parser = argparse.ArgumentParser(prog="pi05 doctor", description=__doc__.splitlines()[0])
    parser.parse_args(arguments)
    findings = examine(patient())
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    print(page(findings, colour=colour))
    return int(any(finding.status is Status.MISSING for finding in findings))
