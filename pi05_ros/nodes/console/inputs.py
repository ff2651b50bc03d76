"""Subscriptions of the console: few without an open page, else all."""

from __future__ import annotations

import math
import time
from collections import deque
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String

from pi05_msgs.msg import (
    ActionChunk,
    Episode,
    PlanDecision,
    Recording,
    RobotState,
    Subtask,
    TaskScore,
    TeleopCommand,
)
from pi05_ros.cameras.rotation import upright
from pi05_ros.console.page_state import PageState, RateMeter, Timeline
from pi05_ros.console.pictures import Pictures, encode_jpeg, passes_as_it_is
from pi05_ros.nodes.camera_ingestion.drivers import CameraDrivers
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.driver_pictures import check_picture, image_to_rgb
from pi05_ros.nodes.console import messages as sections
from pi05_ros.platforms.platform import Camera, Platform

_ROBOT_S = 0.1  # Between two robot sections [s].
_HEALTH_S = 0.5  # Between two sections of rates [s].
_CHUNK_S = 0.2  # Between two chunks that are shown [s].
_DECISIONS = 12
_SILENT_S = 1.0  # A robot without robot_state for this long is shown as silent [s].


class ConsoleInputs:
    """Fills page state and pictures from the graph, in the node's executor thread.

    Args:
        node: The node console.
        platform: The robot.
        page_state: Receives the sections.
        pictures: Receives the camera pictures.
    """

    def __init__(
        self, node: ManagedNode[Any], platform: Platform, page_state: PageState, pictures: Pictures
    ) -> None:
        self._node, self._platform = node, platform
        self._page_state, self._pictures = page_state, pictures
        self._timeline = Timeline()
        self._decisions: deque[dict[str, Any]] = deque(maxlen=_DECISIONS)
        self._rates = RateMeter(time.monotonic)
        self._forget()
        page_state.put("static", sections.static_section(platform, node.get_namespace()))
        # Rare messages, which a page shows also from before it was opened.
        self._always = self._subscribe(
            (Subtask, "subtask", self._on_subtask, qos.LATCHED),
            (PlanDecision, "plan_decision", self._on_decision, qos.PLAN_DECISION),
            (Episode, "episode", self._on_episode, qos.LATCHED),
            (String, "lifecycle_manager/state", self._on_graph, qos.LATCHED),
            (TaskScore, "task_score", self._on_score, qos.LATCHED),
        )
        self._watched: list[Any] = []
        self._timers: list[Any] = []
        self._drivers: CameraDrivers | None = None

    @property
    def is_watching(self) -> bool:
        """True while subscribed to everything."""
        return self._drivers is not None

    def watch(self, on: bool) -> None:
        """Open or close the subscriptions that only open pages need."""
        if on == self.is_watching:
            return
        if on:
            self._forget()
            self._watched = self._subscribe(
                (RobotState, "robot_state", self._on_robot, qos.ROBOT_STATE),
                (ActionChunk, "action_chunk", self._on_chunk, qos.ACTION_CHUNK_GLANCE),
                (TeleopCommand, "teleop_command", self._on_teleop, qos.ACTION_CHUNK_GLANCE),
                (Recording, "recording", self._on_recording, qos.LATCHED),
                (DiagnosticArray, "/diagnostics", self._on_diagnostics, qos.STATUS),
            )
            self._drivers = CameraDrivers(self._node, self._platform, self._on_picture)
            self._timers = [
                self._node.steady_timer(_ROBOT_S, self._show_robot),
                self._node.steady_timer(_HEALTH_S, self._show_health),
            ]
            return
        for timer in self._timers:
            self._node.destroy_timer(timer)
        for subscription in self._watched:
            self._node.destroy_subscription(subscription)
        if self._drivers is not None:
            self._drivers.close()
        self._watched, self._timers, self._drivers = [], [], None
        self._pictures.clear()

    def close(self) -> None:
        """Destroy all subscriptions."""
        self.watch(False)
        for subscription in self._always:
            self._node.destroy_subscription(subscription)
        self._always = []

    def _forget(self) -> None:
        """Clear what was received before."""
        self._rates.clear()
        self._robot: RobotState | None = None
        self._robot_at = -math.inf
        self._teleop: TeleopCommand | None = None
        self._teleop_at = -math.inf
        self._chunk_at = -math.inf
        self._chunk_latency = math.nan
        self._subtask_latency = math.nan
        self._ages: dict[str, float] = {}
        self._diagnostics: dict[str, dict[str, Any]] = {}
        for section in ("robot", "teleop", "chunk", "diagnostics", "health"):
            self._page_state.put(section, None)

    def _subscribe(self, *wanted: tuple[Any, str, Any, Any]) -> list[Any]:
        return [
            self._node.create_subscription(kind, topic, self._node.guarded(callback), profile)
            for kind, topic, callback, profile in wanted
        ]

    def _now(self) -> float:
        return self._node.now_ns() * 1e-9

    def _on_robot(self, message: RobotState) -> None:
        self._rates.count("robot_state")
        self._robot, self._robot_at = message, time.monotonic()

    def _on_teleop(self, message: TeleopCommand) -> None:
        self._teleop, self._teleop_at = message, time.monotonic()

    def _on_chunk(self, message: ActionChunk) -> None:
        self._rates.count("action_chunk")
        self._chunk_latency = message.latency
        if time.monotonic() - self._chunk_at >= _CHUNK_S:
            self._chunk_at = time.monotonic()
            self._page_state.put("chunk", sections.chunk_section(message))

    def _on_subtask(self, message: Subtask) -> None:
        self._subtask_latency = message.latency
        section = sections.subtask_section(message)
        self._page_state.put("subtask", section)
        self._timeline.add(section, self._now())
        self._page_state.put("timeline", self._timeline.entries())

    def _on_decision(self, message: PlanDecision) -> None:
        self._rates.count("plan_decision")
        self._decisions.appendleft(sections.decision_section(message, self._now()))
        self._page_state.put("decisions", list(self._decisions))

    def _on_episode(self, message: Episode) -> None:
        self._page_state.put("episode", sections.episode_section(message))

    def _on_recording(self, message: Recording) -> None:
        self._page_state.put("recording", sections.recording_section(message))

    def _on_graph(self, message: String) -> None:
        self._page_state.put("graph", message.data)

    def _on_score(self, message: TaskScore) -> None:
        self._page_state.put("score", sections.score_section(message))

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        self._diagnostics |= sections.diagnostics_of(message)

    def _on_picture(self, camera: Camera, message: Image | CompressedImage) -> None:
        self._rates.count(camera.name)
        if not self._pictures.wants(camera.name):
            return
        stamp = sections.seconds(message.header.stamp)
        self._ages[camera.name] = self._now() - stamp
        check_picture(message)
        is_jpeg = isinstance(message, CompressedImage) and not camera.rotate
        if is_jpeg and passes_as_it_is(bytes(message.data)):
            jpeg = bytes(message.data)
        else:
            jpeg = encode_jpeg(upright(image_to_rgb(message, checked=True), camera.rotate))
        self._pictures.put(camera.name, stamp, jpeg)

    def _show_robot(self) -> None:
        teleop = self._teleop
        if teleop is None or time.monotonic() - self._teleop_at > _SILENT_S:
            absent = {"state": "absent", "device": "", "reason": "", "error": None}
            self._page_state.put("teleop", absent)
        else:
            self._page_state.put("teleop", sections.teleop_section(teleop))
        message = self._robot
        if message is None or time.monotonic() - self._robot_at > _SILENT_S:
            self._page_state.put(
                "robot", {"mode": "silent", "reason": "no robot_state from control_bridge"}
            )
            return
        self._page_state.put("robot", sections.robot_section(message, self._now()))

    def _show_health(self) -> None:
        latencies = {
            "subtask": self._subtask_latency,
            "chunk": self._chunk_latency,
            **{f"age {name}": age for name, age in self._ages.items()},
        }
        self._page_state.put(
            "health",
            {
                "rates": self._rates.rates(),
                "latencies": {name: round(value, 3) for name, value in latencies.items()},
            },
        )
        self._page_state.put("diagnostics", dict(self._diagnostics))
