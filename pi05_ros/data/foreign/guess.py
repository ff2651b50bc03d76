"""A first mapping for a foreign recording, guessed from its topics and first messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from pi05_ros.cameras.decoding import COMPRESSED_IMAGE, PICTURE_TYPES
from pi05_ros.data.bags.metadata import dump
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.foreign.fields import JOINT_STATE, JOINT_TRAJECTORY, MULTI_ARRAYS

_TWISTS = ("geometry_msgs/msg/Twist", "geometry_msgs/msg/TwistStamped")
_ODOMETRY = "nav_msgs/msg/Odometry"
# Words in names of topics.
_COMMANDS = re.compile(r"leader|master|command|cmd|action|target|gello|teleop|goal|desired")
_NO_NAME = re.compile(r"image|raw|color|colour|rgb|compressed|camera|cam|rect")
_DEPTH = re.compile(r"depth|infra|disparity|/ir/|confidence")
_AGE_PERIODS = 2.5  # Of the slowest topic of the state: a single lost message is accepted.
_MESSAGES = 400  # Looked at for the names of joints.
_AXES = (("vx", "linear.x", "m/s"), ("vy", "linear.y", "m/s"), ("wz", "angular.z", "rad/s"))
_HEAD = (
    "# A guess from the topics of {path}: check every line, above all units and which topic\n"
    "# is the command. `./pi05 bags adopt BAG THIS_FILE --dry-run` says what fits.\n"
)


@dataclass
class _Seen:
    """What the first messages of the topics have."""

    joints: dict[str, list[str]] = field(default_factory=dict)  # Topic -> joints, in their order.
    types: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)  # Topic -> length of `data`.


def guess_mapping(reader: BagReader) -> str:
    """Guess a mapping; the text is YAML with comments.

    Joints of a topic that sounds like a command (leader, cmd, …) are actions of the joints with
    the same names elsewhere, else with the same place. Without a command the action is the next
    state.
    """
    seen = _look(reader)
    commands = [t for t in seen.types if _COMMANDS.search(t.lower()) or _is_command(seen, t)]
    states = [t for t in seen.types if t not in commands]
    entries = _joint_entries(seen, states, commands) + _array_entries(seen, states, commands)
    entries += _base_entries(seen)
    stated = [entry for entry in entries if "state" in entry]
    if stated and not any("action" in entry for entry in entries):
        for entry in stated:
            entry["next_state"] = True
    slowest = _slowest(reader, [entry["state"]["topic"] for entry in stated])
    head: dict[str, Any] = {
        "robot": "NAME",
        "rate_hz": float(min(50, max(1, round(slowest)))),
        "task": "WHAT THE ROBOT DOES",
        "max_age_s": max(0.1, round(_AGE_PERIODS / slowest, 2)),
    }
    return (
        _HEAD.format(path=reader.path.name)
        + dump(head)
        + "entries:\n"
        + "".join(map(_line, entries))
        + ("cameras:\n" + "".join(map(_line, _cameras(reader))) if _cameras(reader) else "")
    )


def _line(item: dict[str, Any]) -> str:
    """An item of a list in one line."""
    text = yaml.safe_dump(
        item, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    )
    return f"- {text}"


def _look(reader: BagReader) -> _Seen:
    seen = _Seen()
    for name, topic in sorted(reader.topics.items()):
        known = (JOINT_STATE, JOINT_TRAJECTORY, *MULTI_ARRAYS, *_TWISTS, _ODOMETRY)
        if topic.type in known and topic.count:
            seen.types[name] = topic.type
    named = [t for t, kind in seen.types.items() if kind not in (*_TWISTS, _ODOMETRY)]
    for topic_name in named:
        for number, raw in enumerate(reader.messages([topic_name])):
            message = reader.decode(topic_name, raw.data)
            kind = seen.types[topic_name]
            if kind in MULTI_ARRAYS:
                seen.sizes[topic_name] = len(message.data)
                break
            names = message.name if kind == JOINT_STATE else message.joint_names
            joints = seen.joints.setdefault(topic_name, [])
            joints += [joint for joint in names if joint not in joints]
            if number == _MESSAGES:
                break
    return seen


def _is_command(seen: _Seen, topic: str) -> bool:
    return seen.types[topic] in (JOINT_TRAJECTORY, *_TWISTS)


def _joint_entries(
    seen: _Seen, states: Sequence[str], commands: Sequence[str]
) -> list[dict[str, Any]]:
    free = {topic: list(seen.joints.get(topic, [])) for topic in commands}
    stated = [topic for topic in states if topic in seen.joints]
    names = [joint for topic in stated for joint in seen.joints[topic]]
    entries = []
    for topic in stated:
        partner = _partner(topic, [c for c in commands if c in seen.joints])
        for place, joint in enumerate(seen.joints[topic]):
            prefix = _short(topic) if names.count(joint) > 1 else ""
            entry: dict[str, Any] = {
                "name": f"{prefix}_{joint}".lstrip("_"),
                "unit": "rad",
                "state": {"topic": topic, "joint": joint},
            }
            by_name = [c for c, joints in free.items() if joint in joints]
            if partner in by_name or (by_name and names.count(joint) == 1):
                command = partner if partner in by_name else by_name[0]
                entry["action"] = {"topic": command, "joint": joint}
                free[command].remove(joint)
            elif partner and len(seen.joints[partner]) == len(seen.joints[topic]):
                other = seen.joints[partner][place]
                if other in free[partner]:
                    entry["action"] = {"topic": partner, "joint": other}
                    free[partner].remove(other)
            entries.append(entry)
    return entries


def _partner(topic: str, commands: Sequence[str]) -> str:
    """The command whose topic has the most words in common with that of a state."""
    words = set(re.split(r"[/_]", topic))
    best = max(commands, key=lambda c: len(words & set(re.split(r"[/_]", c))), default="")
    return best


def _array_entries(
    seen: _Seen, states: Sequence[str], commands: Sequence[str]
) -> list[dict[str, Any]]:
    return [
        {
            "name": f"{_short(topic)}_{index}",
            kind: {"topic": topic, "index": index},
        }
        for kind, topics in (("state", states), ("action", commands))
        for topic in topics
        for index in range(seen.sizes.get(topic, 0))
    ]


def _base_entries(seen: _Seen) -> list[dict[str, Any]]:
    odometry = [t for t, kind in seen.types.items() if kind == _ODOMETRY]
    twists = [t for t, kind in seen.types.items() if kind in _TWISTS]
    entries = []
    for name, path, unit in _AXES if odometry or twists else ():
        entry: dict[str, Any] = {"name": f"base_{name}", "unit": unit}
        if odometry:
            entry["state"] = {"topic": odometry[0], "field": path}
        if twists:
            entry["action"] = {"topic": twists[0], "field": path, "when_old": 0.0}
        entries.append(entry)
    return entries


def _cameras(reader: BagReader) -> list[dict[str, Any]]:
    """One topic a camera: compressed where there are both, no depth."""
    best: dict[str, str] = {}
    for name, topic in sorted(reader.topics.items()):
        if topic.type not in PICTURE_TYPES or not topic.count or _DEPTH.search(name.lower()):
            continue
        camera = _camera_name(name)
        if camera not in best or topic.type == COMPRESSED_IMAGE:
            best[camera] = name
    return [{"name": camera, "topic": topic} for camera, topic in sorted(best.items())]


def _camera_name(topic: str) -> str:
    words = [word for word in re.split(r"[/_]", topic.strip("/")) if word]
    kept = [word for word in words if not _NO_NAME.fullmatch(word.lower())]
    return "_".join(dict.fromkeys(kept)) or "front"


def _short(topic: str) -> str:
    words = [word for word in topic.strip("/").split("/") if word]
    kept = [word for word in words if word not in ("joint_states", "joint_state", "state")]
    return "_".join(kept or words)


def _slowest(reader: BagReader, topics: Sequence[str]) -> float:
    """Rate of the slowest of some topics [Hz]."""
    seconds = max(1e-9, (reader.end_ns - reader.start_ns) * 1e-9)
    return min((max(1, reader.topics[t].count - 1) / seconds for t in topics), default=50.0)
