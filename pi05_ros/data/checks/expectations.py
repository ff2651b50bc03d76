"""The topics that an episode's bag should have, with their rates."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.platforms.platform import Platform


@dataclass(frozen=True)
class Expected:
    """One topic that a bag should have."""

    rate_hz: float | None  # None: the platform states no rate.
    needed: bool  # Training on the episode requires it.


def expected_topics(facts: EpisodeFacts, platform: Platform | None) -> dict[str, Expected]:
    """List the topics that an episode should have.

    Args:
        facts: The episode's facts.
        platform: The robot; None: not known on this machine.

    Returns:
        Topic -> its expected rate, and whether it is needed.
    """
    space = facts.namespace.rstrip("/")
    wanted = {f"{space}/robot_state": Expected(facts.rate_hz or None, True)}
    if facts.brain != "none":  # Without one no policy runs, and subtasks may be labelled later.
        wanted[f"{space}/subtask"] = Expected(None, True)
        wanted[f"{space}/action_chunk"] = Expected(None, False)
    for name, topic in facts.cameras.items():
        known = platform is not None and name in platform.camera_names
        rate = platform.camera(name).rate_hz if platform is not None and known else None
        wanted[topic] = Expected(rate, True)
    if platform is None:
        return wanted
    for camera in platform.cameras:
        if camera.name not in facts.cameras:
            wanted[camera.topic] = Expected(camera.rate_hz, True)
    for topic in platform.joint_states_topics:
        wanted[topic] = Expected(None, False)
    if platform.base_axes:
        wanted[platform.odom_topic] = Expected(None, False)
    for group in platform.groups:
        if not group.controller.is_action:  # Of goals, robot_state holds the command.
            wanted[group.controller.command_name] = Expected(None, False)
    return wanted
