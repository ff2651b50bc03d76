"""What identifies the episodes of a source, wherever their files lie."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.data.episodes.episode import Episode


def episode_contents(platform: str, episodes: Sequence[Episode]) -> list[str]:
    """Return a line for each episode: robot, id, rows, labels and plans.

    Fingerprints of episodes hold times of files, which change when a data set is copied.
    """
    return [
        f"{platform} {e.facts.id} {e.facts.home!r} {len(e)} {e.labels!r} {e.plans!r}"
        for e in episodes
    ]
