"""`python -m system`: the rows as a command; `pi05 faults` starts it."""

import sys

from pi05_ros.cli.common.verb import run_verb
from system.command import main

if __name__ == "__main__":
    sys.exit(run_verb("faults", main, sys.argv[1:]))
