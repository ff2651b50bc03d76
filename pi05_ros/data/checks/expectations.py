"""Which topics an episode's bag should have, and how often their messages should come."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.platforms.platform import Platform


@dataclass(frozen=True)
class Expected:
    """One topic that should be there."""

    rate_hz: float | None  # None: periodic or not, the platform does not say how often.
    needed: bool  # Without it nothing can be learned from the episode.


def expected_topics(facts: EpisodeFacts, platform: Platform | None) -> dict[str, Expected]:
    """The topics of an episode.

    Args:
        facts: What the bag says of itself.
        platform: The robot; None: not known on this machine.

    Returns:
        Topic → what is expected of it.
    """
    space = facts.namespace.rstrip("/")
    wanted = {
        f"{space}/robot_state": Expected(facts.rate_hz or None, True),
        f"{space}/subtask": Expected(None, True),
        f"{space}/action_chunk": Expected(None, False),
    }
    for name, topic in facts.cameras.items():
        known = platform is not None and name in platform.camera_names
        rate = platform.camera(name).rate_hz if platform is not None and known else None
        wanted[topic] = Expected(rate, True)
    if platform is None:
        return wanted
    for camera in platform.cameras:
        if camera.name not in facts.cameras:
            wanted[camera.topic] = Expected(camera.rate_hz, True)
    wanted[platform.joint_states_topic] = Expected(None, False)
    wanted[platform.odom_topic] = Expected(None, False)
    for group in platform.groups:
        if group.kind != "parallel_gripper":  # An action: robot_state holds what it was told.
            wanted[group.controller.command_name] = Expected(None, False)
    return wanted
