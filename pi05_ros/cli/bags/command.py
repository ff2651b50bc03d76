"""The verb `bags`: a table of its verbs.

Each of them is a module with `add_arguments(parser)` and `run(arguments) -> int`, which returns 0
for success and 1 when something is wrong. It is imported when it is run.
"""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.cli.common.verb import Verb, group_usage, run_group

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
    """Run one of its verbs; see `run_group`.

    Args:
        arguments: Command line after `bags`.

    Returns:
        The exit status.
    """
    return run_group("bags", VERBS, arguments)


def usage() -> str:
    """The help page."""
    return group_usage("bags", VERBS)
