"""Facts of a collected episode, as its bag states them."""

from __future__ import annotations

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.evaluation.closed_loop import START_NS
from pi05_ros.evaluation.collection.settings import CollectSettings
from pi05_ros.platforms.platform import Platform

NAMESPACE = "/pi05"


def facts_of(
    platform: Platform,
    settings: CollectSettings,
    name: str,
    home: int,
    seed: int,
    task: str,
    software: str,
) -> EpisodeFacts:
    """Return the facts of an episode that begins.

    Args:
        platform: The robot.
        settings: Of the episode.
        name: Its id.
        home: Seed of the home.
        seed: Of the random numbers.
        task: What the robot is told.
        software: EpisodeFacts.software_version.
    """
    notes = []
    if settings.noise:
        notes.append(f"drives disturbed with noise {settings.noise:g}, seed {seed}")
    if settings.wrong_chunks:
        notes.append(f"wrong chunks at a chance of {settings.wrong_chunks:g}, seed {seed}")
    if settings.restarts:
        notes.append("begun in the middle of the work")
    if settings.other_tasks:
        notes.append(f"other tasks at a chance of {settings.other_tasks:g}, seed {seed}")
    if settings.visited:
        notes.append(f"states visited by {settings.visited}")
    if settings.difficulty != "ideal":
        notes.append(f"difficulty {settings.difficulty}")
    return EpisodeFacts(
        id=name,
        task=task,
        home=str(home),
        notes="; ".join(notes),
        platform=platform.name,
        names=platform.names,
        units=tuple(dimension.unit for dimension in platform.dimensions),
        rate_hz=1.0 / platform.period,
        cameras={
            camera.name: f"{camera.topic.removesuffix('/compressed')}/compressed"
            for camera in platform.cameras
        },
        rotations={camera.name: camera.rotate for camera in platform.cameras if camera.rotate},
        namespace=NAMESPACE,
        brain="model" if settings.verbal else "expert",
        checkpoint=settings.verbal,
        software_version=software,
        simulated=True,
        started_ns=START_NS,
    )
