"""The verb `homes`: a table of its verbs.

Each of them is a module with `add_arguments(parser)` and `run(arguments) -> int`, which is
imported when it is run.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence

from pi05_ros.cli.common.verb import Verb
from pi05_ros.errors import did_you_mean

VERBS = {
    "collect": Verb(
        "pi05_ros.cli.homes.collect", "record episodes of the scripted expert in mock homes"
    ),
    "scenes": Verb(
        "pi05_ros.cli.homes.scenes", "render static scenes with captions, questions and boxes"
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of its verbs.

    Args:
        arguments: Command line after `homes`.

    Returns:
        The exit status: 0 for success, 1 when something is wrong, 2 for a wrong command line.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(usage())
        return 0
    name, *rest = arguments
    if name not in VERBS:
        known = did_you_mean(name, VERBS)
        print(f"pi05 homes: there is no verb {name!r}{known}\n\n{usage()}", file=sys.stderr)
        return 2
    module = importlib.import_module(VERBS[name].module)
    parser = argparse.ArgumentParser(
        prog=f"pi05 homes {name}", description=module.__doc__, allow_abbrev=False
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    module.add_arguments(parser)
    try:
        status: int = module.run(parser.parse_args(rest))
    except KeyboardInterrupt:
        print(
            f"\npi05 homes {name}: interrupted; what is whole is kept, and the same command goes "
            "on from there",
            file=sys.stderr,
        )
        return 130
    return status


def usage() -> str:
    """The help page."""
    width = max(map(len, VERBS))
    table = "\n".join(f"  {name:{width}}  {verb.summary}" for name, verb in VERBS.items())
    more = "`pi05 homes VERB --help` shows the options of a verb."
    return f"usage: pi05 homes VERB ...\n\n{table}\n\n{more}"
