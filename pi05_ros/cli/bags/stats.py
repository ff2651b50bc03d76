"""Compute statistics for normalisation from episodes, and check that they can be trained on.

The rows that train are counted: of successful episodes, driven by the policy or an operator under
a subtask, without idle stretches and the like (--filter). Paths are bags, folders of bags, LeRobot
datasets, and files of --save, which are merged: several machines can count a part each, and
lengths of episodes are judged within each part. Findings that are errors block: norm_stats.json is
not written until they are repaired, or accepted by their kind. A dataset whose robot is not known,
or whose states and actions are of different entries, gets a table of each vector and no
norm_stats.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from pi05_ros.cli.bags.filter_options import add_filter_arguments, filter_of, nothing_trains
from pi05_ros.cli.bags.stats_table import findings_text, stats_table, vectors_table
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.open import open_episodes
from pi05_ros.data.statistics.clipping import clipped_counts
from pi05_ros.data.statistics.counting import count_episodes, entries_of, merge_by_robot
from pi05_ros.data.statistics.files import (
    load_statistics,
    read_norm_stats,
    save_statistics,
    write_json,
    write_norm_stats,
)
from pi05_ros.data.statistics.fitness import (
    KINDS,
    UnfitStatisticsError,
    check_fitness,
    require_fit,
)
from pi05_ros.data.statistics.floors import Ranges, SpanFloors
from pi05_ros.data.statistics.quantiles import RANK_ERROR
from pi05_ros.data.statistics.robot import HORIZON, RobotStatistics, StatisticsError
from pi05_ros.errors import ConfigError
from pi05_ros.model.normalization import CLIP, NormStats
from pi05_ros.platforms.platform import Platform, load_platform


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="bags, folders of bags, LeRobot datasets, files of --save",
    )
    parser.add_argument("--out", type=Path, metavar="FILE", help="write a norm_stats.json")
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="write the counts (.npz), to be merged later"
    )
    parser.add_argument(
        "--platform", default="", help="name or YAML file of the robot (default: the episodes')"
    )
    parser.add_argument(
        "--relative",
        nargs="+",
        default=[],
        metavar="ENTRY",
        help="entries or groups (left_arm) whose action is the difference to the state",
    )
    parser.add_argument("--horizon", type=int, default=HORIZON, help="rows of a chunk")
    parser.add_argument(
        "--least-span",
        type=float,
        default=SpanFloors.position_share,
        metavar="SHARE",
        help="least distance of the percentiles of a position, as a share of the platform's range "
        f"(default: {SpanFloors.position_share:g})",
    )
    parser.add_argument(
        "--against", type=Path, metavar="FILE", help="check the data against this norm_stats.json"
    )
    kinds = "; ".join(f"{kind}: {what}" for kind, what in KINDS.items())
    parser.add_argument(
        "--accept", action="append", default=[], choices=list(KINDS), metavar="KIND", help=kinds
    )
    add_filter_arguments(parser)
    parser.add_argument(
        "--include-recovered",
        action="store_true",
        help="include episodes whose recorder was killed",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Count and check; 1 when the data are unfit for training, or an episode cannot be read."""
    if arguments.horizon < 1 or not 0 <= arguments.least_span < 1:
        raise ConfigError("bags stats", "wanted --horizon above 0 and --least-span from 0 to 1")
    wanted = load_platform(arguments.platform) if arguments.platform else None
    refusals: list[str] = []
    parts = list(_counted(arguments, wanted, refusals))
    for sentence in refusals:
        print(f"left out: {sentence}", file=sys.stderr)
    if not parts:
        raise StatisticsError("there is nothing to count")
    by_platform = merge_by_robot(parts)
    if arguments.save:
        if len(by_platform) > 1:
            raise StatisticsError(f"--save is for one robot, found {', '.join(by_platform)}")
        save_statistics(arguments.save, next(iter(by_platform.values())))
    written: dict[str, NormStats] = {}
    report: dict[str, object] = {}
    blocked = False
    for name, statistics in sorted(by_platform.items()):
        platform, norm_stats, report[name] = _of_robot(arguments, name, statistics, wanted)
        if platform is None or norm_stats is None:
            blocked = True
        else:
            written[platform.name] = norm_stats
    if arguments.out and not blocked:
        # The report first: statistics never exist without the findings that were accepted.
        write_json(arguments.out.with_suffix(".report.json"), report)
        write_norm_stats(arguments.out, written)
        if not arguments.json:
            print(f"wrote {arguments.out} and {arguments.out.with_suffix('.report.json').name}")
    elif arguments.out:
        print(f"{arguments.out} was not written", file=sys.stderr)
    if arguments.json:
        print(json.dumps(report, indent=2, ensure_ascii=False))
    return 1 if blocked or refusals else 0


def _counted(
    arguments: argparse.Namespace, platform: Platform | None, refusals: list[str]
) -> Iterator[RobotStatistics]:
    """Statistics of each path's episodes, in parts."""
    cache = CacheFolder()
    episodes: list[Episode] = []
    for path in arguments.paths:
        if path.suffix == ".npz":
            yield load_statistics(path)
            continue
        episodes += open_episodes(
            path,
            include_recovered=arguments.include_recovered,
            platform=platform,
            cache=cache,
            refused=lambda _, error: refusals.append(str(error)),
        )
    with Progress("counting episodes", 2 * len(episodes)) as bar:
        yield from count_episodes(
            episodes, arguments.horizon, filter_of(arguments), bar.advance, refusals.append
        )


def _of_robot(
    arguments: argparse.Namespace, name: str, statistics: RobotStatistics, wanted: Platform | None
) -> tuple[Platform | None, NormStats | None, dict[str, object]]:
    """Print what was found of a robot; return statistics, if trainable, and the report."""
    counts, named = statistics.counts, name or "the robot"
    facts: dict[str, object] = {
        "episodes": counts.episodes,
        "rows": counts.rows,
        "filter": asdict(statistics.episode_filter),
        "counts": counts.to_json(),
    }
    if not arguments.json:
        for line in counts.lines():
            terminal().print(f"{named}: {line}", markup=False)
    if not counts.rows:
        print(f"{named}: {nothing_trains(counts)}", file=sys.stderr)
        return None, None, facts
    try:
        if statistics.layout.action_names:
            statistics.norm_stats()  # Raises: it has one action for each state.
        platform = wanted or load_platform(name)
    except (StatisticsError, ConfigError) as error:
        if not arguments.json:
            terminal().print(vectors_table(statistics))
        hint = "; --platform FILE names its file" if isinstance(error, ConfigError) else ""
        print(f"{named}: {error}{hint}", file=sys.stderr)
        return None, None, facts
    norm_stats, judged = _judge(arguments, platform, statistics)
    return platform, norm_stats, facts | judged


def _judge(
    arguments: argparse.Namespace, platform: Platform, statistics: RobotStatistics
) -> tuple[NormStats | None, dict[str, object]]:
    """Print the findings; return the statistics, if trainable, and the facts for the report."""
    relative = entries_of(arguments.relative, platform)
    floors = SpanFloors(position_share=arguments.least_span)
    if arguments.against:
        known = read_norm_stats(arguments.against)
        if platform.name not in known:
            raise StatisticsError(
                f"{arguments.against}: wanted statistics of {platform.name}, found those of "
                f"{', '.join(known) or 'none'}"
            )
        norm_stats = known[platform.name]
    else:
        norm_stats = statistics.norm_stats(relative, Ranges.of_platform(platform), floors)
    findings = check_fitness(statistics, platform, norm_stats)
    # Of other entries, the counts would be of the wrong columns.
    is_other = any(finding.kind == "layout" for finding in findings)
    clipped = None if is_other else clipped_counts(statistics, norm_stats).tolist()
    if not arguments.json:
        out = terminal()
        out.print(stats_table(statistics, norm_stats, findings, clipped))
        out.print(findings_text(findings, arguments.accept))
    facts: dict[str, object] = {
        "horizon": statistics.layout.horizon,
        "rank_error": RANK_ERROR,
        "floors": None if arguments.against else asdict(floors),
        "clip": CLIP,
        "relative": relative,
        "accepted": [],
        "findings": [asdict(finding) for finding in findings],
        "entries": {
            name: {
                "state": state,
                "action": action,
                "relative action": relative_action,
                "clipped": count,
            }
            for name, state, action, relative_action, count in zip(
                statistics.layout.names,
                statistics.states.summary(),
                statistics.actions.summary(),
                statistics.relative.summary(),
                clipped or [None] * len(statistics.layout.names),
                strict=True,
            )
        },
    }
    try:
        accepted = require_fit(findings, arguments.accept)
    except UnfitStatisticsError as error:
        print(f"{platform.name}: {error}", file=sys.stderr)
        return None, facts
    facts["accepted"] = sorted({finding.kind for finding in accepted})
    return norm_stats, facts
