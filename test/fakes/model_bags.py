"""Episodes in bags, as the recorder writes them: rows, subtasks, and pictures of drivers."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from fakes.bags import LATCHED, SECOND, make_bag
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic, WriterSettings
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
STATE, SUBTASK = "/pi05/robot_state", "/pi05/subtask"
IMAGE, COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
BEGAN = 100 * SECOND
PERIOD = 20_000_000  # Of the rows [ns].
_MESSAGES = Path(__file__).parents[2] / "pi05_msgs/msg"


@functools.cache
def store() -> Any:
    """rosbags' types with ours."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    made = get_typestore(Stores.ROS2_JAZZY)
    types = {}
    for path in _MESSAGES.glob("*.msg"):
        types |= get_types_from_msg(path.read_text(), f"pi05_msgs/msg/{path.stem}")
    made.register(types)
    return made


def encode(kind: str, **fields: Any) -> bytes:
    """A message in CDR. Fields that are not given have the least value of their type."""
    return bytes(store().serialize_cdr(message(kind, fields), kind))


def message(kind: str, fields: Mapping[str, Any]) -> Any:
    """A message as rosbags has it; see `encode`."""
    types = store().types
    values = {}
    for name, (node, details) in store().fielddefs[kind][1]:
        values[name] = fields[name] if name in fields else _least(node, details)
    return types[kind](**values)


def _least(node: int, details: Any) -> Any:
    from rosbags.interfaces import Nodetype

    if node == Nodetype.NAME:
        return message(details, {})
    if node == Nodetype.BASE:
        return {"string": "", "bool": False}.get(details[0], 0)
    element, length = details
    kind = element[1][0] if element[0] == Nodetype.BASE else None
    if kind in (None, "string"):
        return []
    return np.zeros(length or 0, kind if kind != "octet" else "uint8")


def header(stamp_ns: int, frame: str = "") -> Any:
    """A std_msgs/Header."""
    time = message(
        "builtin_interfaces/msg/Time", {"sec": stamp_ns // SECOND, "nanosec": stamp_ns % SECOND}
    )
    return message("std_msgs/msg/Header", {"stamp": time, "frame_id": frame})


def state(stamp_ns: int, measured, commanded, mode: int = 1, **fields: Any) -> bytes:
    """A RobotState."""
    return encode(
        "pi05_msgs/msg/RobotState",
        **{
            "header": header(stamp_ns, "base_link"),
            "platform": PLATFORM.name,
            "names": list(PLATFORM.names),
            "measured": np.asarray(measured, float),
            "commanded": np.asarray(commanded, float),
            "mode": mode,
            **fields,
        },
    )


def subtask(text: str, source: str = "model", boxes: Sequence[Mapping] = (), **fields) -> bytes:
    """A Subtask."""
    made = [message("pi05_msgs/msg/BoundingBox", {"score": math.nan, **box}) for box in boxes]
    defaults = {"task": "tidy up", "score": math.nan, "latency": math.nan, "id": 1}
    return encode(
        "pi05_msgs/msg/Subtask", text=text, source=source, boxes=made, **{**defaults, **fields}
    )


def image(stamp_ns: int, pixels: np.ndarray, encoding: str = "rgb8", padding: int = 0) -> bytes:
    """An Image of an array, with so many bytes behind each row."""
    rows = [row.tobytes() + b"\xee" * padding for row in pixels]
    return encode(
        IMAGE,
        header=header(stamp_ns),
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(pixels.dtype.byteorder == ">"),
        step=len(rows[0]),
        data=np.frombuffer(b"".join(rows), np.uint8),
    )


def jpeg(stamp_ns: int, rgb: np.ndarray) -> bytes:
    """A CompressedImage."""
    data = cv2.imencode(".jpg", rgb[..., ::-1])[1].ravel()
    return encode(COMPRESSED, header=header(stamp_ns), format="jpeg", data=data)


def scenery(
    index: int, size: tuple[int, int] = (24, 32), seed: int = 0, smooth: bool = False
) -> np.ndarray:
    """A driver's picture that is like no other, (h, w, 3) uint8 rgb: noise, or smooth blots."""
    rng = np.random.default_rng([seed, index])
    if smooth:
        blots = rng.integers(0, 256, (3, 4, 3), dtype=np.uint8)
        return cv2.resize(blots, size[::-1], interpolation=cv2.INTER_LINEAR)
    return rng.integers(0, 256, (*size, 3), dtype=np.uint8)


def _widened(vectors: np.ndarray, width: int) -> np.ndarray:
    """Cut vectors (rows, D), or append zeros."""
    return np.pad(vectors, ((0, 0), (0, max(0, width - vectors.shape[1]))))[:, :width]


def episode_bag(
    folder: Path,
    rows: int = 100,
    *,
    frames_every: int = 5,
    cameras: Sequence[str] = ("front", "left_wrist", "right_wrist"),
    labels: Sequence[tuple[int, bytes]] | None = None,
    modes: Mapping[int, int] | None = None,
    extra: Sequence[tuple[str, bytes, int]] = (),
    extra_topics: Sequence[BagTopic] = (),
    draw: Any = image,
    size: tuple[int, int] = (24, 32),
    smooth: bool = False,
    settings: WriterSettings | None = None,
    latency_ns: int = 2_000_000,
    spoil: Callable[[np.ndarray], None] | None = None,
    own_layout: bool = False,
    **facts: Any,
) -> SimpleNamespace:
    """Writes an episode's bag.

    Row k is measured at BEGAN + k * PERIOD and comes `latency_ns` later; a camera's picture j is
    taken with row j * frames_every.

    Args:
        folder: Where to.
        rows: RobotState messages.
        frames_every: Rows from one picture to the next.
        cameras: That have pictures.
        labels: (row, Subtask) heard just before the row; None: one from the first row on.
        modes: By row, where not RUNNING.
        extra: More messages (topic, data, log time).
        extra_topics: Their topics.
        draw: `image`, `jpeg`, or another with an attribute `compressed`.
        size: Height and width of the pictures.
        smooth: Whether they are such as a video codec can keep.
        settings: Of the writer.
        latency_ns: From a stamp to the log time.
        spoil: Changes the actions (rows, D) in place; None: they stay.
        own_layout: Whether the rows are of the platform and the names in `facts`.
        facts: Other than the usual.

    Returns:
        path, and what was written: states, actions (rows, D), pictures (camera -> list of rgb).
    """
    rng = np.random.default_rng(rows)
    share = 0.5 + 0.4 * np.sin(np.arange(rows)[:, None] / 60 + np.arange(PLATFORM.size))
    states = PLATFORM.lower + share * (PLATFORM.upper - PLATFORM.lower)
    actions = states + 0.01 * rng.normal(size=states.shape)
    if spoil is not None:
        spoil(actions)
    names = list(facts["names"] if own_layout else PLATFORM.names)
    platform = facts.get("platform", PLATFORM.name) if own_layout else PLATFORM.name
    width = len(names)  # Entries beyond the platform's rest.
    states, actions = _widened(states, width), _widened(actions, width)
    is_jpeg = draw is jpeg or getattr(draw, "compressed", False)
    kind = COMPRESSED if is_jpeg else IMAGE
    topics = {name: PLATFORM.camera(name).topic for name in cameras}
    messages: list[tuple[str, bytes, int]] = list(extra)
    for k in range(rows):
        at = BEGAN + k * PERIOD
        mode = (modes or {}).get(k, 1)
        row = state(at, states[k], actions[k], mode, names=names, platform=platform)
        messages.append((STATE, row, at + latency_ns))
    for k, said in [(0, subtask("pick up the cup"))] if labels is None else labels:
        messages.append((SUBTASK, said, BEGAN + k * PERIOD + latency_ns - 1))
    pictures: dict[str, list[np.ndarray]] = {name: [] for name in cameras}
    for (seed, name), k in itertools.product(enumerate(cameras), range(0, rows, frames_every)):
        at = BEGAN + k * PERIOD
        rgb = scenery(k, size, seed, smooth)
        pictures[name].append(rgb)
        messages.append((topics[name], draw(at, rgb), at + latency_ns))
    given = {
        "id": folder.name,
        "task": "tidy up",
        "platform": PLATFORM.name,
        "names": PLATFORM.names,
        "units": tuple(str(d.unit) for d in PLATFORM.dimensions),
        "rate_hz": 50.0,
        "cameras": {camera.name: camera.topic for camera in PLATFORM.cameras},
        **facts,
    }
    path = make_bag(
        folder,
        [
            BagTopic(STATE, "pi05_msgs/msg/RobotState", (OfferedQos(),)),
            BagTopic(SUBTASK, "pi05_msgs/msg/Subtask", (LATCHED,)),
            *(BagTopic(topic, kind, (OfferedQos(),)) for topic in topics.values()),
            *extra_topics,
        ],
        sorted(messages, key=lambda entry: entry[2]),
        EpisodeFacts(**given),
        settings,
    )
    return SimpleNamespace(path=path, states=states, actions=actions, pictures=pictures)
