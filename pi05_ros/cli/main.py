"""The `pi05` command: a table of verbs, each in a module that is imported when it is run.

The module of a verb has `main(arguments: Sequence[str]) -> int`: it parses the command line after
the verb and returns the exit status. This file runs without any package but this one, and imports
nothing that is slow.
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
        "pi05_ros.cli.demo", "run a simulated robot on one task, with a video and a report"
    ),
    "up": Verb("pi05_ros.cli.up", "bring up the node graph of a robot, or of a simulated one"),
    "report": Verb("pi05_ros.cli.report", "write a recorded episode as one HTML page and a video"),
    "say": Verb(
        "pi05_ros.cli.say.command",
        "give the robot its next subtask, or return control to the model",
    ),
    "bags": Verb(
        "pi05_ros.cli.bags.command", "list, check, repair, show and export recorded episodes"
    ),
    "homes": Verb(
        "pi05_ros.cli.homes.command",
        "make training data in mock homes: episodes of the expert, captioned scenes",
    ),
    "checkpoint": Verb(
        "pi05_ros.cli.checkpoint", "inspect, convert, probe or ship a model's weights"
    ),
    "fast": Verb(
        "pi05_ros.cli.fast", "fit a FAST tokenizer, which writes actions as text, to episodes"
    ),
    "train": Verb("pi05_ros.cli.train", "train a checkpoint on recorded episodes"),
    "eval": Verb(
        "pi05_ros.cli.evaluate.command",
        "run a brain in mock homes, and write points, report and videos",
    ),
    "reproduce": Verb(
        "pi05_ros.cli.reproduce",
        "make a checkpoint again: data, training and evaluation, by one plan",
    ),
    "faults": Verb(
        "pi05_ros.cli.faults", "inject faults into the running suite and measure its reaction"
    ),
    "latency": Verb(
        "pi05_ros.cli.latency", "print the latency of action chunks, from a bag or live"
    ),
    "test": Verb("pi05_ros.cli.test", "check style and types, and run the tests"),
    "doctor": Verb(
        "pi05_ros.cli.doctor",
        "check this machine: what is present, what is missing, and how to fix it",
    ),
}

# Verbs of the script ./pi05 of a checkout (pi05_ros.cli.entry).
SHELL_VERBS = {
    "setup": "set up this folder, and do nothing else",
    "env": 'print the environment for a shell: eval "$(./pi05 env)"',
    "run": "run a program in the environment: ./pi05 run python",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb.

    Args:
        arguments: Command line after the name of the program; that of sys.argv when None.

    Returns:
        The exit status: 0 for success, 1 when something failed, 2 for a wrong command line,
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
    return f"usage: pi05 VERB ...\n\n{table}\n\n`pi05 VERB --help` shows the options of a verb."
