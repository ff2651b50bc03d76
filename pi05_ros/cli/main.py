"""The `pi05` command: a table of verbs, each in a module that is imported when asked for.

A verb's module has `main(arguments: Sequence[str]) -> int`: it parses what stands behind the verb
and returns the exit status. This file must import nothing heavy, and on a machine with nothing it
runs without any package but this one.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

from pi05_ros.bootstrap.checkout import this_checkout
from pi05_ros.cli.common.verb import Verb, run_verb
from pi05_ros.errors import did_you_mean

VERBS = {
    "demo": Verb(
        "pi05_ros.cli.demo.command", "a robot in a mock home does one task, and is filmed"
    ),
    "up": Verb("pi05_ros.cli.up", "bring up a robot's node graph, or a mock home's"),
    "report": Verb("pi05_ros.cli.report", "a recorded run on one page, to send around"),
    "say": Verb("pi05_ros.cli.say.command", "speak the robot's next subtask, or hand back"),
    "bags": Verb(
        "pi05_ros.cli.bags.command", "list, check, mend, show and export recorded episodes"
    ),
    "checkpoint": Verb("pi05_ros.cli.checkpoint", "inspect, convert or probe a model's weights"),
    "faults": Verb("pi05_ros.cli.faults", "put faults upon the suite and measure the robot"),
    "latency": Verb("pi05_ros.cli.latency", "where the time goes, from a bag or live"),
    "test": Verb("pi05_ros.cli.test", "check style and types, and run the tests"),
    "doctor": Verb(
        "pi05_ros.cli.doctor",
        "show what this machine has, lacks, and how to mend it",
    ),
}

# What only the script ./pi05 of a checkout knows (pi05_ros.cli.entry).
SHELL_VERBS = {
    "setup": "set up this folder, and do nothing else",
    "env": 'print the environment for a shell: eval "$(./pi05 env)"',
    "run": "run a program in the environment: ./pi05 run python",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a verb.

    Args:
        arguments: The command line behind the program's name; sys.argv's when None.

    Returns:
        The exit status: 0 when all went well, 1 when something failed, 2 for a wrong command line,
        130 when it was interrupted.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    name, *rest = arguments
    if name not in VERBS:
        known = did_you_mean(name, [*VERBS, *SHELL_VERBS])
        print(f"pi05: there is no verb {name!r}{known}\n\n{usage()}", file=sys.stderr)
        return 2
    module = importlib.import_module(VERBS[name].module)
    return run_verb(name, module.main, rest)


def usage() -> str:
    """The help page."""
    lines = {name: verb.summary for name, verb in VERBS.items()}
    if this_checkout() is not None:
        lines |= SHELL_VERBS
    width = max(map(len, lines))
    table = "\n".join(f"  {name:{width}}  {summary}" for name, summary in lines.items())
    return f"usage: pi05 VERB ...\n\n{table}\n\n`pi05 VERB --help` says more about a verb."
