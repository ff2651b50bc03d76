"""Commands to the controllers of a platform."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from rclpy.node import Node

from pi05_ros.nodes.common.controller_actions import ActionOutput, action_output
from pi05_ros.nodes.common.controller_checks import Offer, problem_of
from pi05_ros.nodes.common.controller_topics import TopicOutput, topic_output
from pi05_ros.platforms.platform import Platform

# A gripper goal is sent when the target moved by this share of the stroke, at most 10 times a
# second: each new goal cancels the previous one (parallel_gripper_action_controller).
_GRIPPER_DEADBAND = 0.02
GRIPPER_PERIOD = 0.1  # [s]
# Joints whose controllers take goals get one every so many ticks: an action server keeps ended
# goals for a while (rclcpp: 10 s) and publishes the status of all of them at each change.
_GOAL_TICKS = 3
# A command that moved by less than this gets no new goal [rad or m].
_GOAL_DEADBAND = 1e-5


class CommandSender:
    """Outputs to every controller of a platform, by the kind that its file gives.

    Joints and base: a command every tick; where the controller takes an action, as goals, see
    `send_goals`. Grippers: see `send_grippers`.

    Args:
        node: Owns publishers and clients.
        platform: The robot.

    Raises:
        ConfigError: The type of a controller's action was not built.
    """

    def __init__(self, node: Node, platform: Platform) -> None:
        self._node = node
        self.goal_period = _GOAL_TICKS * platform.period  # Of `send_goals` [s].
        self._streams: list[tuple[TopicOutput, slice]] = []
        self._goals: list[tuple[ActionOutput, slice]] = []
        self._grippers: list[tuple[TopicOutput | ActionOutput, int]] = []
        for group in platform.groups:
            part = platform.slices[group.name]
            period = GRIPPER_PERIOD if group.kind == "parallel_gripper" else platform.period
            if group.controller.is_action:
                action = action_output(node, group, max(period, self.goal_period))
                if group.kind == "parallel_gripper":
                    self._grippers.append((action, part.start))
                else:
                    self._goals.append((action, part))
                continue
            topic = topic_output(node, group, platform, period)
            if group.kind == "parallel_gripper":
                self._grippers.append((topic, part.start))
            else:
                self._streams.append((topic, part))
        self._command: np.ndarray | None = None  # The last one, for the goals.
        self._sent_goals: dict[str, np.ndarray] = {}  # By group.
        self._seen: set[str] = set()  # Grippers whose controller was there since arming.
        self._sent_gripper_targets: dict[str, float] = {}
        self._gripper_targets: dict[str, float] = {}

    def send(self, command: np.ndarray, starts_grippers: bool = False) -> None:
        """Send a command to joints and base, and store the targets of goals and grippers.

        Args:
            command: (D,) float64, platform units.
            starts_grippers: True if it comes from a chunk. Before the first such command grippers
                get no goal: one at the measured width would drop a held object.
        """
        for output, part in self._streams:
            output.send(command[part])
        self._command = command
        for gripper, index in self._grippers:
            name = gripper.group.name
            if starts_grippers or name in self._gripper_targets:
                self._gripper_targets[name] = float(command[index])

    @property
    def has_goals(self) -> bool:
        """True if joints are commanded by goals of an action."""
        return bool(self._goals)

    def send_goals(self, await_answers: bool = True) -> None:
        """Send the last command as goals where it moved; called every `goal_period`.

        In the executor's thread.

        Args:
            await_answers: Send nothing to a controller that has not answered the last goal. False
                where the executor waits for the caller, and no answer can arrive.
        """
        command = self._command
        if command is None:
            return
        for output, part in self._goals:
            name, values = output.group.name, command[part]
            sent = self._sent_goals.get(name)
            moved = sent is None or bool((np.abs(values - sent) > _GOAL_DEADBAND).any())
            if not output.connected or not (moved or output.problem):
                continue
            if not (await_answers and output.waits):
                output.send(values)
                self._sent_goals[name] = values

    def send_grippers(self) -> None:
        """Send a goal to each gripper whose target moved; called every GRIPPER_PERIOD.

        A controller that takes a topic gets its target every time.
        """
        for output, _ in self._grippers:
            name = output.group.name
            wanted = self._gripper_targets.get(name)
            if wanted is None:
                continue
            position = np.array([output.group.gripper_command(wanted)])
            if isinstance(output, TopicOutput):
                output.send(position)
                continue
            if output.rejected and not output.waits:
                self._sent_gripper_targets.pop(name, None)  # It is sent again.
            (dimension,) = output.group.dimensions
            deadband = _GRIPPER_DEADBAND * (dimension.upper - dimension.lower)
            sent = self._sent_gripper_targets.get(name, math.inf)
            if abs(wanted - sent) < deadband or not output.connected:
                continue
            output.send(position)
            self._sent_gripper_targets[name] = wanted

    def gripper_problems(self) -> list[str]:
        """Return grippers that do not move as they are told, one clause each."""
        absent = [output.name for output, _ in self._grippers if not output.connected]
        problems = []
        if absent:
            problems.append(
                f"no controller takes {', '.join(absent)}: the gripper does not move, start its "
                "controller"
            )
        return problems + [output.problem for output, _ in self._grippers if output.problem]

    def matches(self) -> tuple[int, ...]:
        """Return a number for each controller that changes when one appears or goes; cheap."""
        return tuple(
            output.matched if isinstance(output, TopicOutput) else int(output.connected)
            for output, _ in self._outputs()
        )

    def problem(self) -> str:
        """Return why commands do not reach every controller, as one clause; empty if they do.

        A gripper without a controller since arming is left to `gripper_problems`: a robot may work
        without it. One whose controller went, or takes another type, counts.
        """
        topics: list[Offer] = []
        actions: list[Offer] = []
        for output, _ in self._outputs():
            offer = output.offer()
            name = output.group.name
            if offer.taken:
                self._seen.add(name)
            elif output.group.kind == "parallel_gripper" and name not in self._seen:
                offer = replace(offer, taken=True)
            (topics if isinstance(output, TopicOutput) else actions).append(offer)
        problem = problem_of(topics, actions)
        return problem or next((o.problem for o, _ in self._goals if o.problem), "")

    def other_publishers(self) -> list[str]:
        """Return other publishers of the command topics, as "NODE publishes TOPIC"."""
        topics = [output for output, _ in self._outputs() if isinstance(output, TopicOutput)]
        return [text for output in topics for text in output.other_publishers()]

    def clear_gripper_targets(self) -> None:
        """Drop the targets of grippers, which keep holding, and what the last goals met."""
        self._seen.clear()
        for output, _ in self._goals:
            output.forget()
        self._gripper_targets.clear()
        self._sent_gripper_targets.clear()

    def destroy(self) -> None:
        """Destroy publishers and clients."""
        for output, _ in self._outputs():
            output.destroy()

    def _outputs(self) -> list[tuple[TopicOutput | ActionOutput, object]]:
        return [*self._streams, *self._goals, *self._grippers]
