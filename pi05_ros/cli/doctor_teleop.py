"""What the suite understands of a platform's section `teleop`."""

from __future__ import annotations

from collections.abc import Iterator

from pi05_ros.bootstrap.doctor.results import CheckResult, CheckStatus
from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import Platform
from pi05_ros.platforms.teleop import Clutch, Leader, TeleopSection

_TELEOP = "Teleoperation"


def teleop_results(platform: Platform) -> Iterator[CheckResult]:
    """Devices of a robot, what each drives, and whether its hands can be jogged."""
    section = platform.teleop
    if section is None and platform.simulation_only:
        yield CheckResult(_TELEOP, "devices", "none: there is no such robot to drive")
        return
    if section is None:
        value = "no section `teleop`: --teleop does not run"
        yield CheckResult(_TELEOP, "devices", value, CheckStatus.NOTE, "see docs/teleop.md")
        return
    for leader in section.leaders:
        yield CheckResult(_TELEOP, leader.name, _leader(platform, leader))
    if section.gamepad is not None:
        pad = section.gamepad
        yield CheckResult(_TELEOP, "gamepad", f"{pad.topic}, layout {pad.layout}")
    if section.hand_pose is not None:
        hands = ", ".join(f"{each.hand} by {each.topic}" for each in section.hand_pose.hands)
        value = f"{hands}; {_clutch(section.hand_pose.clutch)}"
        yield CheckResult(_TELEOP, "hand_pose", value)
    yield from _jog(platform, section)


def _leader(platform: Platform, leader: Leader) -> str:
    """Topics, entries and switch of a leader."""
    topics = ", ".join(each.topic for each in leader.topics)
    driven = {joint.entry for joint in leader.joints}
    held = [name for name in platform.names if name not in driven]
    rest = f"{', '.join(held)} hold" if held else "all of the robot's"
    return (
        f"{topics}: {len(driven)} entries ({rest}), {leader.alignment}; {_clutch(leader.clutch)}"
    )


def _clutch(clutch: Clutch) -> str:
    if clutch.joy_topic:
        return f"dead-man switch: button {clutch.button} of {clutch.joy_topic}"
    if clutch.bool_topic:
        return f"dead-man switch: {clutch.bool_topic}"
    return f"dead-man switch: {clutch.joint} above {clutch.above:g}"


def _jog(platform: Platform, section: TeleopSection) -> Iterator[CheckResult]:
    """Whether the inverse kinematics of each hand can be made."""
    try:
        from pi05_ros.teleop.devices import make_devices
        from pi05_ros.teleop.hands import Hands

        hands = Hands(platform)
        hands.prepare()
    except ImportError as error:
        yield CheckResult(_TELEOP, "jog", str(error), CheckStatus.NOTE, "./pi05 setup")
        return
    for hand in hands.names:
        if hand in hands.problems:
            value = "it cannot be jogged, nor follow a pose"
            named = [h.hand for h in section.hand_pose.hands] if section.hand_pose else []
            status = CheckStatus.MISSING if hand in named else CheckStatus.NOTE
            yield CheckResult(_TELEOP, f"jog of {hand}", value, status, hands.problems[hand])
    try:
        make_devices(platform, hands)
    except Pi05Error as error:
        value = "--teleop does not run"
        yield CheckResult(_TELEOP, "devices", value, CheckStatus.MISSING, str(error))
    movable = [hand for hand in hands.names if hand not in hands.problems]
    parts = [*(["base"] if platform.base_axes else []), *section.jog.torso_entries, *movable]
    yield CheckResult(_TELEOP, "jog", ", ".join(parts) or "nothing")
