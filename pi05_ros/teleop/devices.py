"""The devices of a robot, made from the section `teleop` of its platform."""

from __future__ import annotations

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.teleop import TeleopSection
from pi05_ros.teleop.device import TeleopDevice
from pi05_ros.teleop.hand_pose import HandPoseDevice
from pi05_ros.teleop.hands import Hands
from pi05_ros.teleop.jog import JogDevice
from pi05_ros.teleop.joy import JoyReader, PageReader
from pi05_ros.teleop.leader import LeaderDevice

PAGE_TOPIC = "console/joy"  # sensor_msgs/Joy of the operator's page, in the suite's namespace.
PAGE_SILENCE_S = 0.3


def section_of(platform: Platform) -> TeleopSection:
    """Return the section `teleop` of a platform.

    Raises:
        ConfigError: It has none.
    """
    if platform.teleop is None:
        raise ConfigError(
            platform.source or platform.name,
            "the key 'teleop' is missing: it names the leader arms, the gamepad or the hand poses "
            "that drive this robot; docs/teleop.md has examples",
        )
    return platform.teleop


def _check_switches(platform: Platform, section: TeleopSection) -> None:
    """Raise ConfigError if one switch belongs to two devices: either could take the robot."""
    clutches = {leader.name: leader.clutch for leader in section.leaders}
    if section.hand_pose is not None:
        clutches["hand_pose"] = section.hand_pose.clutch
    switches = {
        name: (clutch.joy_topic or clutch.bool_topic, clutch.button)
        for name, clutch in clutches.items()
        if not clutch.joint
    }
    if section.gamepad is not None:
        reader = JoyReader(section.gamepad)
        switches["gamepad"] = (section.gamepad.topic, reader.dead_man)
    owners: dict[tuple[str, int | None], str] = {}
    for name, switch in switches.items():
        if (other := owners.setdefault(switch, name)) != name:
            topic, button = switch
            what = topic if button is None else f"button {button} of {topic}"
            raise ConfigError(
                platform.source or platform.name,
                f"teleop: {other} and {name} have one dead-man switch, {what}: give each its own",
            )


def make_devices(platform: Platform, hands: Hands) -> list[TeleopDevice]:
    """Make the devices of a robot, without any history.

    Args:
        platform: The robot.
        hands: Motions of its hands.

    Raises:
        ConfigError: The platform has no section `teleop`, a hand that follows a pose cannot be
            moved, or two devices have one dead-man switch.
    """
    section = section_of(platform)
    _check_switches(platform, section)
    devices: list[TeleopDevice] = [LeaderDevice(platform, leader) for leader in section.leaders]
    if section.hand_pose is not None:
        devices.append(HandPoseDevice(platform, section.hand_pose, hands))
    if (pad := section.gamepad) is not None:
        reader = JoyReader(pad)
        devices.append(
            JogDevice(platform, "gamepad", pad.topic, reader, section.jog, pad.silence_s, hands)
        )
    devices.append(
        JogDevice(platform, "page", PAGE_TOPIC, PageReader(), section.jog, PAGE_SILENCE_S, hands)
    )
    return devices
