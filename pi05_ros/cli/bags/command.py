"""The verb `bags`: a table of its verbs.

Each of them is a module with `add_arguments(parser)` and `run(arguments) -> int`, which returns 0
for success and 1 when something is wrong. It is imported when it is run.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from pi05_ros.cli.common.verb import Verb
from pi05_ros.errors import did_you_mean

VERBS = {
    "list": Verb("pi05_ros.cli.bags.list", "list the episodes in a folder"),
    "check": Verb(
        "pi05_ros.cli.bags.check", "check for gaps, losses, frozen pictures and the like"
    ),
    "show": Verb("pi05_ros.cli.bags.show", "draw an episode: pictures and timeline"),
    "recover": Verb("pi05_ros.cli.bags.recover", "repair bags whose recorder was killed"),
    "grade": Verb("pi05_ros.cli.bags.grade", "grade an episode as success or failure"),
    "label": Verb("pi05_ros.cli.bags.label", "label an episode's subtasks afterwards"),
    "stats": Verb("pi05_ros.cli.bags.stats", "compute and check statistics for normalisation"),
    "export": Verb("pi05_ros.cli.bags.export", "export episodes to a LeRobot dataset"),
    "import": Verb("pi05_ros.cli.bags.import_", "convert a LeRobot dataset into bags"),
    "adopt": Verb("pi05_ros.cli.bags.adopt", "read recordings of other stacks as episodes"),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of its verbs.

    Args:
        arguments: Command line after `bags`.

    Returns:
        The exit status: 0 for success, 1 when something is wrong, 2 for a wrong command line.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    name, *rest = arguments
    if name not in VERBS:
        known = did_you_mean(name, VERBS)
        print(f"pi05 bags: there is no verb {name!r}{known}\n\n{usage()}", file=sys.stderr)
        return 2
    module = importlib.import_module(VERBS[name].module)
    parser = argparse.ArgumentParser(
        prog=f"pi05 bags {name}", description=module.__doc__, allow_abbrev=False
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    module.add_arguments(parser)
    try:
        status: int = module.run(parser.parse_args(rest))
    except KeyboardInterrupt:
        print(f"\npi05 bags {name}: interrupted", file=sys.stderr)
        return 130
    return status


def usage() -> str:
    """The help page."""
    width = max(map(len, VERBS))
    table = "\n".join(f"  {name:{width}}  {verb.summary}" for name, verb in VERBS.items())
    more = "`pi05 bags VERB --help` shows the options of a verb."
    return f"usage: pi05 bags VERB ...\n\n{table}\n\n{more}"
