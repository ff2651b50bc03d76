"""The options that choose the episodes and rows that train, for `bags stats` and `bags export`."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from pathlib import Path

from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.data.filters.episode_filter import FEW_LABELS, UNGRADED, EpisodeFilter
from pi05_ros.errors import did_you_mean
from pi05_ros.foundation.strict_yaml import load_yaml

OUTCOMES = ("success", "failure", UNGRADED)
# Reason why all episodes were left out -> what to do.
_REMEDIES = {
    f"outcome {UNGRADED}": "grade the episodes (./pi05 bags grade), or take them as they are "
    f"(--outcome success,{UNGRADED})",
    "outcome failure": "failures are counted on request (--outcome success,failure)",
    FEW_LABELS: "label the episodes (./pi05 bags label)",
}


def add_filter_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare `--filter` and `--outcome`."""
    parser.add_argument(
        "--filter",
        type=Path,
        metavar="FILE",
        help="YAML file of a filter: which episodes and rows train (docs/episodes.md has the "
        "keys and defaults)",
    )
    parser.add_argument(
        "--outcome",
        type=_outcomes,
        default=(),
        metavar="OUTCOME,...",
        help=f"which episodes: {', '.join(OUTCOMES)} (not graded), or all; default: the filter's, "
        "success without one",
    )


def filter_of(arguments: argparse.Namespace) -> EpisodeFilter:
    """The filter that the options describe.

    Raises:
        ConfigError: The file is missing, or is no filter.
    """
    found = load_yaml(arguments.filter, EpisodeFilter) if arguments.filter else EpisodeFilter()
    return replace(found, outcomes=arguments.outcome) if arguments.outcome else found


def nothing_trains(counts: FilterCounts) -> str:
    """Say why a filter left nothing, and what to do."""
    reasons = counts.episodes_left_out
    what = ", ".join(f"{reason}: {count}" for reason, count in reasons.most_common())
    return f"no row trains ({what}); {_remedy(reasons)}"


def _remedy(reasons: Counter[str]) -> str:
    most = reasons.most_common(1)
    return _REMEDIES.get(most[0][0] if most else "", "see --filter")


def _outcomes(text: str) -> tuple[str, ...]:
    if text == "all":
        return OUTCOMES
    found = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in found:
        if name not in OUTCOMES:
            raise argparse.ArgumentTypeError(
                f"no outcome {name!r}{did_you_mean(name, OUTCOMES)} "
                f"(valid: {', '.join(OUTCOMES)}, all)"
            )
    if not found:
        raise argparse.ArgumentTypeError(f"wanted one of {', '.join(OUTCOMES)}, or all")
    return found
