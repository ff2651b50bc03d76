"""The choice of topics to record."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from pi05_ros.platforms.platform import Camera, Platform

Images = Literal["auto", "raw", "compressed"]
IMAGES: tuple[Images, ...] = ("auto", "raw", "compressed")
COMPRESSED = "/compressed"  # Suffix of image_transport's compressed topics.
# Below the suite's namespace: drawn from recorded topics, and only while there is a subscriber.
_DRAWN = "inspector/"
_EVERYWHERE = ("/tf", "/tf_static", "/diagnostics")
NO_PUBLISHER = "nobody publishes it"


@dataclass(frozen=True)
class TopicRules:
    """Rules for the topics to record of one robot.

    A topic is recorded when the platform names it, when it is in the suite's namespace (except for
    the inspector's drawings), or when `include` matches its whole name; `exclude` takes precedence
    over all of these. Hidden topics (a part of the name begins with "_", like those of actions)
    are left out, as in rosbag2.
    """

    namespace: str  # Of the suite, absolute ("/pi05"); "/": none, only named topics are recorded.
    expected: tuple[str, ...] = ()  # Topics of a working robot; a missing one is reported.
    optional: tuple[str, ...] = ()  # Topics that are recorded when they are published.
    # Camera -> topics of its pictures, the preferred one first: one of them is recorded.
    cameras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    include: str = ""  # Regular expression; empty: no further topics.
    exclude: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "cameras", MappingProxyType(dict(self.cameras)))
        for name in ("include", "exclude"):
            try:
                re.compile(getattr(self, name))
            except re.error as error:
                raise ValueError(f"{name}: not a regular expression: {error}") from error


def rules_for(
    platform: Platform,
    namespace: str,
    *,
    simulated: bool = False,
    images: Images = "auto",
    include: str = "",
    exclude: str = "",
) -> TopicRules:
    """Make the rules of a robot.

    Commands that are goals of actions have no topic; RobotState.commanded holds them.

    Args:
        platform: The robot.
        namespace: Absolute namespace of the suite's nodes.
        simulated: Whether time is simulated; /clock is then part of the episode.
        images: Transport of the pictures: compressed where the driver offers it (auto), or one
            transport only.
        include: Regular expression of further topics.
        exclude: Regular expression of topics to leave out.

    Raises:
        ValueError: A regular expression is not valid, or a camera has no such transport.
    """
    commands = [g.controller.command_name for g in platform.groups if not g.controller.is_action]
    infos = [camera.camera_info_topic for camera in platform.cameras]
    devices = platform.teleop.topics if platform.teleop is not None else ()
    odometry = (platform.odom_topic,) if platform.base_axes else ()
    return TopicRules(
        namespace=namespace,
        expected=(
            *(*platform.joint_states_topics, *odometry, *commands),
            *(("/clock",) if simulated else ()),
        ),
        optional=(*_EVERYWHERE, *infos, *devices),
        cameras={camera.name: _forms(camera, images) for camera in platform.cameras},
        include=include,
        exclude=exclude,
    )


class TopicChoice:
    """The topics of one episode; a camera's topic does not change until the episode ends.

    Args:
        rules: The rules.

    Attributes:
        rules: The rules.
        cameras: Camera -> its recorded topic; a camera without a publisher is absent.
    """

    def __init__(self, rules: TopicRules) -> None:
        self.rules = rules
        self.cameras: dict[str, str] = {}
        self._inside = rules.namespace.rstrip("/") + "/"

    def choose(self, offered: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Choose the topics to record from those that exist now.

        Args:
            offered: Topic -> its types; more than one where publishers disagree.

        Returns:
            Topic -> why it cannot be recorded as it should be, one clause; empty: it can. Expected
            topics without a publisher are included.
        """
        result: dict[str, str] = {}
        for name in offered:
            if self.may_record(name):
                types = offered[name]
                disagree = f"its publishers disagree on its type: {', '.join(types)}"
                result[name] = "" if len(types) == 1 else disagree
        for camera in self.rules.cameras:
            self._choose_camera(camera, offered, result)
        for name in self.rules.expected:
            if name not in result and not self._excluded(name):
                result[name] = NO_PUBLISHER
        return result

    def _choose_camera(
        self, camera: str, offered: Mapping[str, Sequence[str]], result: dict[str, str]
    ) -> None:
        """Leave one of a camera's topics in the result."""
        forms = [form for form in self.rules.cameras[camera] if not self._excluded(form)]
        if not forms:
            return
        if camera not in self.cameras:
            found = next((form for form in forms if form in offered), "")
            if found:
                self.cameras[camera] = found
        taken = self.cameras.get(camera, forms[0])
        for form in forms:
            if form != taken and not _matches(self.rules.include, form):
                result.pop(form, None)
        result.setdefault(taken, NO_PUBLISHER)

    def may_record(self, name: str) -> bool:
        """Check whether a topic of that name may be recorded."""
        if self._excluded(name) or is_hidden(name):
            return False
        rules = self.rules
        return (
            self._is_inside(name)
            or name in rules.expected
            or name in rules.optional
            or any(name in forms for forms in rules.cameras.values())
            or _matches(rules.include, name)
        )

    def _is_inside(self, name: str) -> bool:
        """Check whether a topic is one of the suite that cannot be computed from others."""
        inside = self._inside != "/" and name.startswith(self._inside)
        return inside and not name.startswith(self._inside + _DRAWN)

    def _excluded(self, name: str) -> bool:
        return _matches(self.rules.exclude, name)


def is_hidden(name: str) -> bool:
    """Check whether a topic is hidden: a part of its name begins with "_" (ROS convention)."""
    return any(part.startswith("_") for part in name.split("/"))


def _forms(camera: Camera, images: Images) -> tuple[str, ...]:
    """Topics of a camera's pictures, the preferred one first."""
    plain = camera.topic.removesuffix(COMPRESSED)
    if camera.transport == "compressed" and plain == camera.topic:
        if images == "raw":  # A compressed topic whose name does not reveal the raw one.
            raise ValueError(
                f"images: raw, but the platform knows only compressed pictures of '{camera.name}' "
                f"({camera.topic}); take auto or compressed"
            )
        return (camera.topic,)
    forms = {
        "raw": (plain,),
        "compressed": (plain + COMPRESSED,),
        "auto": (plain + COMPRESSED, plain),
    }
    return forms[images]


def _matches(pattern: str, name: str) -> bool:
    return bool(pattern) and re.fullmatch(pattern, name) is not None
