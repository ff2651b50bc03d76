"""Section `teleop` of a platform: leader arms, gamepad and hand poses, and what they drive."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from pi05_ros.errors import did_you_mean
from pi05_ros.platforms.parts import Dimension, Group, check_topic

Alignment = Literal["absolute", "relative"]
# What an axis of a gamepad drives; `close` and `open` are the gripper of the chosen hand.
Drive = Literal[
    "base_vx",
    "base_vy",
    "base_wz",
    "torso",
    "torso_2",
    "hand_x",
    "hand_y",
    "hand_z",
    "hand_roll",
    "hand_pitch",
    "hand_yaw",
    "close",
    "open",
]
MAX_TORSO = 2  # Entries that a gamepad's torso axes can drive.
_NOT_A_LEADER = ("gamepad", "hand_pose", "page")  # Names of other devices in diagnostics.


def no_doubles(what: str, names: Iterable[str]) -> None:
    """Raise ValueError if a name is empty or occurs twice."""
    counts = Counter(names)
    if "" in counts:
        raise ValueError(f"a {what} has no name")
    doubles = [name for name, count in counts.items() if count > 1]
    if doubles:
        raise ValueError(f"{what} '{doubles[0]}' stands twice")


@dataclass(frozen=True)
class Clutch:
    """Dead-man switch of a device: one of a Joy button, a Bool topic, and a leader's joint."""

    joy_topic: str = ""  # sensor_msgs/Joy; with `button`.
    button: int | None = None  # Index in Joy.buttons; held at 1.
    bool_topic: str = ""  # std_msgs/Bool; held at true. It must be repeated.
    joint: str = ""  # Joint of the leader's own states (a trigger); with `above`.
    above: float | None = None  # It is held while the joint is above this [leader's unit].

    def __post_init__(self) -> None:
        given = [bool(self.joy_topic), bool(self.bool_topic), bool(self.joint)]
        if sum(given) != 1:
            raise ValueError("a clutch is one of joy_topic with button, bool_topic, joint")
        if bool(self.joy_topic) != (self.button is not None):
            raise ValueError("clutch: joy_topic and button are given together")
        _check_index("button", self.button)
        if bool(self.joint) != (self.above is not None):
            raise ValueError("clutch: joint and above are given together")
        for topic in filter(None, (self.joy_topic, self.bool_topic)):
            check_topic("clutch", topic)


@dataclass(frozen=True)
class LeaderJoint:
    """Mapping of one joint of a leader: entry = offset + sign * scale * value."""

    entry: str  # Entry of the platform's vector.
    joint: str  # Name in the leader's joint states.
    field: Literal["position", "velocity"] = "position"  # Which of its numbers is taken.
    sign: Literal[1, -1] = 1
    scale: float = 1.0  # Platform's unit per leader's unit; 0.0174532925 for degrees.
    offset: float = 0.0  # [platform's unit]
    # Grippers, instead of the three above: the leader's value of a closed and of an open gripper.
    closed: float | None = None
    open: float | None = None
    dead_zone: float = 0.0  # Base velocities below this are 0 [platform's unit].

    def __post_init__(self) -> None:
        if not self.joint:
            raise ValueError(f"{self.entry}: joint is empty")
        if self.scale <= 0:
            raise ValueError(f"{self.joint}: scale {self.scale:g} is not above 0; see sign")
        if self.dead_zone < 0:
            raise ValueError(f"{self.joint}: dead_zone {self.dead_zone:g} is below 0")
        if (self.closed is None) != (self.open is None):
            raise ValueError(f"{self.joint}: closed and open are given together")
        if self.closed is not None:
            if self.closed == self.open:
                raise ValueError(f"{self.joint}: closed equals open")
            if (self.sign, self.scale, self.offset) != (1, 1.0, 0.0):
                raise ValueError(
                    f"{self.joint}: closed and open take the place of sign, scale and offset"
                )


@dataclass(frozen=True)
class LeaderTopic:
    """One topic of a leader."""

    topic: str
    joints: tuple[LeaderJoint, ...]
    # sensor_msgs/JointState, or sensor_msgs/Joy with the joints axis_0, … and button_0, …
    kind: Literal["joint_states", "joy"] = "joint_states"

    def __post_init__(self) -> None:
        check_topic("leader", self.topic)
        if not self.joints:
            raise ValueError(f"{self.topic}: joints is empty")


@dataclass(frozen=True)
class Leader:
    """A leader device: arms that the operator moves by hand."""

    topics: tuple[LeaderTopic, ...]
    clutch: Clutch
    name: str = "leader"  # In reasons and diagnostics.
    # absolute: the robot goes where the leader is, and the leader must match before it follows.
    # relative: the robot follows changes from the moment at which the clutch was pressed.
    alignment: Alignment = "absolute"
    tolerance_rad: float = 0.15  # Largest distance of a joint at which it engages.
    tolerance_m: float = 0.03
    tolerance_gripper: float = 0.3  # Share of the gripper's range.
    max_speed: float = 6.0  # A sample that moved an arm or a torso faster is a jump [rad/s, m/s].
    # It engages below this speed only, or if it moves along with the robot [rad/s, m/s].
    engage_speed: float = 0.3
    silence_s: float = 0.2  # Without a sample of each topic for longer, the leader is silent.

    def __post_init__(self) -> None:
        tolerances = (self.tolerance_rad, self.tolerance_m, self.tolerance_gripper)
        if min(*tolerances, self.max_speed, self.engage_speed, self.silence_s) <= 0:
            raise ValueError(f"{self.name}: tolerances, speeds and silence_s must be above 0")
        if not self.topics:
            raise ValueError(f"{self.name}: topics is empty")
        no_doubles(f"{self.name}: topic", [each.topic for each in self.topics])
        no_doubles(f"{self.name}: entry", [joint.entry for joint in self.joints])

    @property
    def joints(self) -> tuple[LeaderJoint, ...]:
        """Mappings of all topics, in order."""
        return tuple(joint for topic in self.topics for joint in topic.joints)


@dataclass(frozen=True)
class AxisBinding:
    """One axis of a gamepad and what it drives."""

    axis: int  # Index in Joy.axes.
    drives: Drive
    sign: Literal[1, -1] = 1
    with_button: int | None = None  # Only while this button is held; None: while no such one is.
    trigger: bool = False  # It rests at 1.0 and reads -1.0 when pulled.

    def __post_init__(self) -> None:
        _check_index("axis", self.axis)
        _check_index("with_button", self.with_button)


@dataclass(frozen=True)
class Gamepad:
    """A gamepad, as the node `joy` of ROS publishes it."""

    topic: str = "/joy"  # sensor_msgs/Joy
    layout: Literal["xbox", "ps4", "custom"] = "xbox"
    # In place of those of the layout; a custom layout has none.
    axes: tuple[AxisBinding, ...] = ()
    dead_man: int | None = None  # Button that must be held.
    hand_buttons: tuple[int, ...] = ()  # Button k chooses the k-th gripper and its arm.
    dead_zone: float = 0.1  # Share of an axis around its middle that counts as 0.
    silence_s: float = 0.2  # Without a message for longer, the gamepad is silent.

    def __post_init__(self) -> None:
        check_topic("gamepad", self.topic)
        if self.layout == "custom" and (not self.axes or self.dead_man is None):
            raise ValueError("gamepad: a custom layout needs axes and dead_man")
        if not 0 <= self.dead_zone < 1 or self.silence_s <= 0:
            raise ValueError("gamepad: dead_zone is from 0 to below 1, silence_s above 0")
        _check_index("dead_man", self.dead_man)
        for button in self.hand_buttons:
            _check_index("hand_buttons", button)


@dataclass(frozen=True)
class JogSpeeds:
    """Speeds at full deflection, of the gamepad and of the operator's page."""

    base_linear: float = 0.3  # [m/s]
    base_angular: float = 0.6  # [rad/s]
    torso: float = 0.1  # [m/s or rad/s]
    hand_linear: float = 0.15  # [m/s]
    hand_angular: float = 0.8  # [rad/s]
    gripper: float = 1.5  # [range/s]
    torso_entries: tuple[str, ...] = ()  # Entries that `torso` and `torso_2` drive.

    def __post_init__(self) -> None:
        speeds = (self.base_linear, self.base_angular, self.torso, self.hand_linear)
        if min(*speeds, self.hand_angular, self.gripper) <= 0:
            raise ValueError("jog: every speed must be above 0")
        if len(self.torso_entries) > MAX_TORSO:
            raise ValueError(f"jog: torso_entries has at most {MAX_TORSO} entries")
        no_doubles("jog: torso_entries: entry", self.torso_entries)


@dataclass(frozen=True)
class GripperAxis:
    """An axis of a Joy that is the opening of a gripper."""

    joy_topic: str
    axis: int  # Index in Joy.axes.
    closed: float  # Its value for a closed gripper.
    open: float

    def __post_init__(self) -> None:
        check_topic("gripper", self.joy_topic)
        _check_index("axis", self.axis)
        if self.closed == self.open:
            raise ValueError("gripper: closed equals open")


@dataclass(frozen=True)
class PoseHand:
    """A hand of the robot that follows a pose."""

    topic: str  # geometry_msgs/PoseStamped
    hand: str  # Gripper group of the hand ("left_gripper").
    gripper: GripperAxis | None = None

    def __post_init__(self) -> None:
        check_topic("hand_pose", self.topic)


@dataclass(frozen=True)
class HandPose:
    """Tracked hands or controllers, as VR bridges publish them. Motion counts from the clutch."""

    hands: tuple[PoseHand, ...]
    clutch: Clutch
    frame: str = ""  # frame_id that the poses must have; "": any.
    # From the pose's frame to the robot's base frame: roll, pitch, yaw about fixed axes [deg].
    rotation_deg: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: float = 1.0  # Motion of the robot's hand per motion of the operator's; not of angles.
    max_linear: float = 0.5  # Speed of the robot's hand [m/s],
    max_angular: float = 1.5  # [rad/s].
    max_speed: float = 3.0  # A sample that moved faster is a jump [m/s; rad/s: thrice this].
    silence_s: float = 0.2

    def __post_init__(self) -> None:
        numbers = (self.scale, self.max_linear, self.max_angular, self.max_speed)
        if min(*numbers, self.silence_s) <= 0:
            raise ValueError("hand_pose: scale, speeds and silence_s must be above 0")
        if not self.hands:
            raise ValueError("hand_pose: hands is empty")
        if self.clutch.joint:
            raise ValueError("hand_pose: the clutch is a Joy button or a Bool, not a joint")
        no_doubles("hand_pose: hand", [hand.hand for hand in self.hands])
        no_doubles("hand_pose: topic", [hand.topic for hand in self.hands])


@dataclass(frozen=True)
class TeleopSection:
    """Devices of a robot's teleoperation."""

    leaders: tuple[Leader, ...] = ()
    gamepad: Gamepad | None = None
    hand_pose: HandPose | None = None
    jog: JogSpeeds = JogSpeeds()

    def __post_init__(self) -> None:
        no_doubles("leader", [leader.name for leader in self.leaders])
        for leader in self.leaders:
            if leader.name in _NOT_A_LEADER:
                raise ValueError(f"a leader is named '{leader.name}', as another device is")
        types: dict[str, str] = {}
        for topic, kind in self._topics():
            if types.setdefault(topic, kind) != kind:
                raise ValueError(f"'{topic}' stands as a topic of {types[topic]} and of {kind}")

    @property
    def topics(self) -> tuple[str, ...]:
        """Absolute topics of all devices, without the page's, in order and each once."""
        return tuple(dict.fromkeys(topic for topic, _ in self._topics() if topic.startswith("/")))

    def _topics(self) -> Iterator[tuple[str, str]]:
        """Yield every topic of a device and the type of its messages, in order."""
        clutches = [leader.clutch for leader in self.leaders]
        for leader in self.leaders:
            for each in leader.topics:
                yield each.topic, "Joy" if each.kind == "joy" else "JointState"
        if self.gamepad is not None:
            yield self.gamepad.topic, "Joy"
        if self.hand_pose is not None:
            clutches.append(self.hand_pose.clutch)
            for hand in self.hand_pose.hands:
                yield hand.topic, "PoseStamped"
                if hand.gripper is not None:
                    yield hand.gripper.joy_topic, "Joy"
        for clutch in clutches:
            if clutch.joy_topic:
                yield clutch.joy_topic, "Joy"
            if clutch.bool_topic:
                yield clutch.bool_topic, "Bool"

    def check(self, groups: Sequence[Group]) -> None:
        """Raise ValueError if the section names what the robot with these groups lacks."""
        dimensions = {d.name: d for group in groups for d in group.dimensions}
        hands = [group.name for group in groups if group.kind == "parallel_gripper"]
        grippers = {
            group.dimensions[0].name for group in groups if group.kind == "parallel_gripper"
        }
        for leader in self.leaders:
            for joint in leader.joints:
                where = f"teleop: {leader.name}"
                dimension = dimensions.get(joint.entry)
                if dimension is None:
                    raise ValueError(_no_entry(where, joint.entry, dimensions))
                _check_joint(where, joint, dimension, joint.entry in grippers)
        if self.gamepad is not None and len(self.gamepad.hand_buttons) > len(hands):
            raise ValueError(
                f"teleop: gamepad: hand_buttons has {len(self.gamepad.hand_buttons)} buttons, the "
                f"robot has {len(hands)} grippers"
            )
        for entry in self.jog.torso_entries:
            if entry not in dimensions:
                raise ValueError(_no_entry("teleop: jog", entry, dimensions))
            if dimensions[entry].is_velocity or entry in grippers:
                raise ValueError(f"teleop: jog: '{entry}' is no joint of a torso")
        for hand in self.hand_pose.hands if self.hand_pose is not None else ():
            if hand.hand not in hands:
                raise ValueError(
                    f"teleop: hand_pose: no gripper group '{hand.hand}'"
                    f"{did_you_mean(hand.hand, hands)} (valid: {', '.join(hands) or 'none'})"
                )


def _check_joint(where: str, joint: LeaderJoint, dimension: Dimension, is_gripper: bool) -> None:
    """Raise ValueError if a leader's joint is mapped in a way that its entry cannot take."""
    if joint.closed is not None and not is_gripper:
        raise ValueError(f"{where}: '{joint.entry}' is no gripper: leave closed and open out")
    if joint.dead_zone and not dimension.is_velocity:
        raise ValueError(f"{where}: '{joint.entry}' is a position: leave dead_zone out")
    if joint.field == "velocity" and not dimension.is_velocity:
        raise ValueError(
            f"{where}: '{joint.entry}' is a position, {joint.joint} is to drive it by a velocity"
        )


def _check_index(key: str, index: int | None) -> None:
    """Raise ValueError if an index of Joy.axes or Joy.buttons counts from the end."""
    if index is not None and index < 0:
        raise ValueError(f"{key}: {index} is below 0")


def _no_entry(where: str, name: str, valid: Iterable[str]) -> str:
    return (
        f"{where}: no entry '{name}'{did_you_mean(name, tuple(valid))} (valid: {', '.join(valid)})"
    )
