"""The verb `homes`: a table of its verbs.

Each of them is a module with `add_arguments(parser)` and `run(arguments) -> int`, which is
imported when it is run.
"""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.cli.common.verb import Verb, run_group

VERBS = {
    "collect": Verb(
        "pi05_ros.cli.homes.collect", "record episodes of the scripted expert in mock homes"
    ),
    "scenes": Verb(
        "pi05_ros.cli.homes.scenes", "render static scenes with captions, questions and boxes"
    ),
}


def main(arguments: Sequence[str]) -> int:
    """Run one of its verbs; see `run_group`.

    Args:
        arguments: Command line after `homes`.

    Returns:
        The exit status.
    """
    kept = "interrupted; what is whole is kept, and the same command goes on from there"
    return run_group("homes", VERBS, arguments, kept)
