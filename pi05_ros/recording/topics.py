"""Which of the topics that exist belong into an episode's bag."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from pi05_ros.platforms.platform import Camera, Platform

Images = Literal["auto", "raw", "compressed"]
IMAGES: tuple[Images, ...] = ("auto", "raw", "compressed")
COMPRESSED = "/compressed"  # Where image_transport offers a picture's compressed form.
# Below the suite's namespace: drawn from what is recorded anyway, and only while somebody watches.
_DRAWN = "inspector/"
_EVERYWHERE = ("/tf", "/tf_static", "/diagnostics")
NOBODY = "nobody publishes it"


@dataclass(frozen=True)
class TopicRules:
    """What is wanted, for one robot.

    A topic is recorded when the platform names it, when it lies in the suite's namespace (what the
    inspector draws apart), or when `include` matches its whole name; `exclude` stands above all of
    these. Hidden topics (a part of
    the name begins with "_", as actions' do) are left out, as rosbag2 leaves them out.
    """

    namespace: str  # Of the suite, absolute ("/pi05"); "/": none, only what is named is recorded.
    expected: tuple[str, ...] = ()  # Topics that a working robot has; one that lacks is told.
    welcome: tuple[str, ...] = ()  # Recorded when somebody offers them.
    # Camera -> topics that its pictures may be taken from, the best first: one is recorded.
    cameras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    include: str = ""  # Regular expression; empty: nothing more.
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
    """What is recorded of a robot.

    Commands to grippers are actions: no topic carries them, RobotState.commanded does.

    Args:
        platform: The robot.
        namespace: Of the suite's nodes, absolute.
        simulated: Whether time is simulated: then /clock is part of the episode.
        images: Which form of the pictures: compressed where the driver offers it (auto), or one
            form only.
        include: Regular expression of further topics.
        exclude: Regular expression of topics to leave out.

    Raises:
        ValueError: A regular expression is none, or a camera has no such form.
    """
    commands = [g.controller.command_name for g in platform.groups if g.kind != "parallel_gripper"]
    infos = [camera.camera_info_topic for camera in platform.cameras]
    return TopicRules(
        namespace=namespace,
        expected=(
            *(platform.joint_states_topic, platform.odom_topic, *commands),
            *(("/clock",) if simulated else ()),
        ),
        welcome=(*_EVERYWHERE, *infos),
        cameras={camera.name: _forms(camera, images) for camera in platform.cameras},
        include=include,
        exclude=exclude,
    )


class TopicChoice:
    """Chooses for one episode. What a camera was chosen from stands until the episode ends.

    Attributes:
        cameras: Camera -> topic that is recorded of it; a camera that nobody offers is absent.
    """

    def __init__(self, rules: TopicRules) -> None:
        self.rules = rules
        self.cameras: dict[str, str] = {}
        self._inside = rules.namespace.rstrip("/") + "/"

    def choose(self, offered: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """The topics to record of those that exist now.

        Args:
            offered: Topic -> its types; more than one where publishers disagree.

        Returns:
            Topic -> problem: why it cannot be recorded as it should, one clause; empty: it can.
            Wanted topics that nobody offers are among them.
        """
        result: dict[str, str] = {}
        for name in offered:
            if self.wants(name):
                types = offered[name]
                disagree = f"its publishers disagree on its type: {', '.join(types)}"
                result[name] = "" if len(types) == 1 else disagree
        for camera in self.rules.cameras:
            self._choose_camera(camera, offered, result)
        for name in self.rules.expected:
            if name not in result and not self._excluded(name):
                result[name] = NOBODY
        return result

    def _choose_camera(
        self, camera: str, offered: Mapping[str, Sequence[str]], result: dict[str, str]
    ) -> None:
        """Leaves one of a camera's forms in the result."""
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
        result.setdefault(taken, NOBODY)

    def wants(self, name: str) -> bool:
        """Whether a topic of that name may be recorded."""
        if self._excluded(name) or is_hidden(name):
            return False
        rules = self.rules
        return (
            self._is_inside(name)
            or name in rules.expected
            or name in rules.welcome
            or any(name in forms for forms in rules.cameras.values())
            or _matches(rules.include, name)
        )

    def _is_inside(self, name: str) -> bool:
        """Whether it is one of the suite's own that nobody can compute from the others."""
        inside = self._inside != "/" and name.startswith(self._inside)
        return inside and not name.startswith(self._inside + _DRAWN)

    def _excluded(self, name: str) -> bool:
        return _matches(self.rules.exclude, name)


def is_hidden(name: str) -> bool:
    """Whether a topic is hidden by ROS's convention: a part of its name begins with "_"."""
    return any(part.startswith("_") for part in name.split("/"))


def _forms(camera: Camera, images: Images) -> tuple[str, ...]:
    """Topics that a camera's pictures may be taken from, the best first."""
    plain = camera.topic.removesuffix(COMPRESSED)
    if camera.transport == "compressed" and plain == camera.topic:
        if images == "raw":  # Compressed, by a name that says nothing of the raw one.
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
