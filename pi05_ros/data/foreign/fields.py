"""Numbers of messages, found by the keys of a mapping: joints, indices, axes, paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from pi05_ros.data.foreign.mapping import Source
from pi05_ros.errors import did_you_mean

JOINT_STATE = "sensor_msgs/msg/JointState"
JOINT_TRAJECTORY = "trajectory_msgs/msg/JointTrajectory"
JOY = "sensor_msgs/msg/Joy"
MULTI_ARRAYS = tuple(
    f"std_msgs/msg/{kind}MultiArray"
    for kind in ("Float32", "Float64", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16")
)
# Where `linear` and `angular` of a velocity stand.
_TWISTS = {
    "geometry_msgs/msg/Twist": "",
    "geometry_msgs/msg/TwistStamped": "twist.",
    "geometry_msgs/msg/TwistWithCovarianceStamped": "twist.twist.",
    "nav_msgs/msg/Odometry": "twist.twist.",
}
_STATE_FIELDS = ("position", "velocity", "effort")
_POINT_FIELDS = {
    "position": "positions",
    "velocity": "velocities",
    "acceleration": "accelerations",
    "effort": "effort",
}
_STEP = re.compile(r"([A-Za-z]\w*)((?:\[\d+\])*)")

# Values of one message, in the order of the picks; None: the message has no such number.
Reader = Callable[[Any], list[float | None]]


class FieldError(ValueError):
    """A message does not have the field that a mapping names; one clause."""


def source_problem(type_name: str, source: Source) -> str:
    """Clause on why a field cannot be found in messages of a type; "" if it can."""
    if type_name in (JOINT_STATE, JOINT_TRAJECTORY):
        fields = _STATE_FIELDS if type_name == JOINT_STATE else tuple(_POINT_FIELDS)
        if not source.joint:
            return f"wanted `joint` for {type_name}, found {_given(source)}"
        if source.field and source.field not in fields:
            near = did_you_mean(source.field, fields)
            return f"field: wanted one of {', '.join(fields)}, found '{source.field}'{near}"
        return ""
    if type_name == JOY:
        if source.axis is None and source.button is None:
            return f"wanted `axis` or `button` for {type_name}, found {_given(source)}"
        return ""
    if type_name in MULTI_ARRAYS:
        return (
            ""
            if source.index is not None
            else (f"wanted `index` for {type_name}, found {_given(source)}")
        )
    if not source.field:
        wanted = "such as linear.x" if type_name in _TWISTS else "the path of a number"
        return f"wanted `field` ({wanted}) for {type_name}, found {_given(source)}"
    try:
        _steps(source.field)
    except FieldError as error:
        return str(error)
    return ""


def reader_of(type_name: str, picks: Sequence[Source]) -> Reader:
    """Make the function that reads fields from a message of a type.

    Args:
        type_name: "sensor_msgs/msg/JointState"; `source_problem` must be empty for each pick.
        picks: The fields.

    Returns:
        A function that raises FieldError when a message lacks a field that all of its type have.
    """
    if type_name == JOINT_STATE:
        return _Joints(picks)
    if type_name == JOINT_TRAJECTORY:
        return _TrajectoryJoints(picks)
    if type_name == JOY:
        return _reader(
            [
                _element("axes", p.axis) if p.axis is not None else _element("buttons", p.button)
                for p in picks
            ]
        )
    if type_name in MULTI_ARRAYS:
        return _reader([_element("data", p.index) for p in picks])
    return _reader([_path(_resolved(type_name, p.field)) for p in picks])


def _given(source: Source) -> str:
    keys = ("joint", "field", "index", "axis", "button")
    found = [f"`{key}`" for key in keys if getattr(source, key) not in ("", None)]
    return " and ".join(found) or "none"


def _reader(picks: Sequence[Callable[[Any], float]]) -> Reader:
    return lambda message: [pick(message) for pick in picks]


def _element(name: str, index: int | None) -> Callable[[Any], float]:
    assert index is not None  # source_problem checked.

    def pick(message: Any) -> float:
        values = getattr(message, name)
        if index >= len(values):
            raise FieldError(f"wanted {name}[{index}], found {len(values)} of them")
        return float(values[index])

    return pick


def _resolved(type_name: str, path: str) -> str:
    return _TWISTS.get(type_name, "") + path if path.startswith(("linear", "angular")) else path


def _steps(path: str) -> list[tuple[str, list[int]]]:
    """Split "a.b[2]" into names and indices."""
    steps = []
    for part in path.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise FieldError(f"field: '{path}' is no path such as pose.position.x or data[3]")
        steps.append((match[1], [int(number) for number in re.findall(r"\d+", match[2])]))
    return steps


def _path(path: str) -> Callable[[Any], float]:
    steps = _steps(path)

    def pick(message: Any) -> float:
        value = message
        for name, indices in steps:
            if not hasattr(value, name):
                fields = [f for f in getattr(value, "__dataclass_fields__", {}) if f[:2] != "__"]
                near = did_you_mean(name, fields)
                raise FieldError(
                    f"there is no '{name}' of '{path}'{near} (valid: {', '.join(fields)})"
                )
            value = getattr(value, name)
            for index in indices:
                if not hasattr(value, "__len__") or index >= len(value):
                    raise FieldError(f"'{path}': there is no element {index} of '{name}'")
                value = value[index]
        try:
            return float(value)
        except (TypeError, ValueError) as error:
            raise FieldError(f"'{path}' is no number") from error

    return pick


class _Joints:
    """Reads joints of JointState messages. Those that a message does not name are None."""

    _names, _fields = "name", {name: name for name in _STATE_FIELDS}

    def __init__(self, picks: Sequence[Source]) -> None:
        self._picks = [(pick.joint, self._fields[pick.field or "position"]) for pick in picks]
        self._places: dict[tuple[str, ...], list[int | None]] = {}
        self.joints: set[str] = set()  # All that messages named.

    def __call__(self, message: Any) -> list[float | None]:
        return self._read(message, tuple(getattr(message, self._names)))

    def _read(self, holder: Any, names: tuple[str, ...]) -> list[float | None]:
        places = self._places.get(names)
        if places is None:
            self.joints.update(names)
            places = [names.index(j) if j in names else None for j, _ in self._picks]
            self._places[names] = places
        values: list[float | None] = []
        for (joint, field), place in zip(self._picks, places, strict=True):
            if place is None:
                values.append(None)
                continue
            numbers = getattr(holder, field)
            if place >= len(numbers):
                raise FieldError(
                    f"wanted {field} of joint '{joint}', found {len(numbers)} values for "
                    f"{len(names)} names"
                )
            values.append(float(numbers[place]))
        return values


class _TrajectoryJoints(_Joints):
    """Reads joints of JointTrajectory messages, in their first or last point."""

    _names, _fields = "joint_names", _POINT_FIELDS

    def __init__(self, picks: Sequence[Source]) -> None:
        super().__init__(picks)
        self._points = [0 if pick.point == "first" else -1 for pick in picks]

    def __call__(self, message: Any) -> list[float | None]:
        if not message.points:  # Stops a controller; commands nothing.
            return [None] * len(self._picks)
        names = tuple(message.joint_names)
        found = {p: self._read(message.points[p], names) for p in set(self._points)}
        return [found[point][k] for k, point in enumerate(self._points)]
