"""Statistics of many episodes: counted in parallel, merged by robot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from pi05_ros.data.episodes.episode import Episode
from pi05_ros.data.filters.counts import FilterCounts
from pi05_ros.data.filters.episode_filter import EpisodeFilter, JudgedEpisode
from pi05_ros.data.statistics.files import from_bytes, to_bytes
from pi05_ros.data.statistics.robot import Layout, RobotStatistics, StatisticsError
from pi05_ros.errors import ConfigError, Pi05Error, did_you_mean
from pi05_ros.foundation.parallel import map_in_processes
from pi05_ros.platforms.platform import Platform

_FEW = 3  # Episodes that are counted faster than other processes are started.


def count_episodes(
    episodes: Sequence[Episode],
    horizon: int,
    episode_filter: EpisodeFilter,
    on_episode: Callable[[], None],
    on_refused: Callable[[str], None],
) -> Iterator[RobotStatistics]:
    """Judge all episodes, then count the rows of those that train.

    Args:
        episodes: The episodes, of any robots. Lengths are judged among these alone.
        horizon: Rows of a chunk.
        episode_filter: Which episodes and rows train.
        on_episode: Called twice for each episode: when it was judged, and when it was counted.
        on_refused: Called with the reason when an episode cannot be counted; it is left out.

    Yields:
        Statistics of each episode. Those of an episode that does not train hold its counts only.

    Raises:
        StatisticsError: The statistics of an episode are damaged.
    """
    readable: list[Episode] = []
    found: list[JudgedEpisode] = []
    judged = map_in_processes(partial(_judge, episode_filter=episode_filter), episodes, _FEW)
    for episode, (one, problem) in zip(episodes, judged, strict=True):
        on_episode()
        if one is None:
            on_refused(problem)
            on_episode()
        else:
            readable.append(episode)
            found.append(one)
    training: list[Episode] = []
    for episode, one in zip(readable, episode_filter.judge_lengths(found), strict=True):
        if one.is_kept:
            training.append(episode)
            continue
        on_episode()
        layout = Layout.of(episode, horizon)
        yield RobotStatistics(layout, episode_filter, FilterCounts.of([one]))
    count = partial(_count, horizon=horizon, episode_filter=episode_filter)
    for episode, (data, problem) in zip(
        training, map_in_processes(count, training, _FEW), strict=True
    ):
        on_episode()
        if problem:
            on_refused(problem)
            continue
        try:
            yield from_bytes(data)
        except ValueError as error:
            raise StatisticsError(f"{episode.source}: {error}") from error


def merge_by_robot(parts: Iterable[RobotStatistics]) -> dict[str, RobotStatistics]:
    """Merge statistics into one for each platform, by its name. The parts may be changed."""
    merged: dict[str, RobotStatistics] = {}
    for part in parts:
        name = part.layout.platform
        if name in merged:
            merged[name].merge(part)
        else:
            merged[name] = part
    return merged


def entries_of(words: Sequence[str], platform: Platform) -> list[str]:
    """Resolve names of entries and groups to names of entries.

    Raises:
        ConfigError: The platform has no entry or group of a name.
    """
    groups = {group.name: [d.name for d in group.dimensions] for group in platform.groups}
    found: list[str] = []
    for word in words:
        if word not in groups and word not in platform.names:
            valid = [*groups, *platform.names]
            raise ConfigError(
                "--relative",
                f"{platform.name} has no entry or group '{word}'{did_you_mean(word, valid)} "
                f"(groups: {', '.join(groups)})",
            )
        found += groups.get(word, [word]) if word not in platform.names else [word]
    return found


def _judge(episode: Episode, episode_filter: EpisodeFilter) -> tuple[JudgedEpisode | None, str]:
    """What the filter decides of an episode, or why it cannot be read."""
    try:
        return episode_filter.judge(episode), ""
    except Pi05Error as error:
        return None, str(error)


def _count(episode: Episode, horizon: int, episode_filter: EpisodeFilter) -> tuple[bytes, str]:
    """Statistics of an episode as bytes, or why there are none."""
    try:
        statistics = RobotStatistics(Layout.of(episode, horizon), episode_filter)
        statistics.add(episode)
    except Pi05Error as error:
        return b"", str(error)
    return to_bytes(statistics), ""
