"""Node `inspector`: visualization of what the robot does and is about to do.

Publishes, below its own name, only topics that have a subscriber:
    inspector/markers (visualization_msgs/MarkerArray): subtask, predicted chunk, commands and
        measurements, base path, boxes.
    inspector/CAMERA/annotated (sensor_msgs/Image), and .../compressed as JPEG
    inspector/status (std_msgs/String): a JSON object, see docs/design/inspector.md

Without a subscriber it subscribes to nothing and computes nothing. It sends no heartbeat: the
robot continues without it.
"""

from __future__ import annotations

import sys
from collections import Counter
from typing import Any

from nav_msgs.msg import Odometry
from rclpy.clock import JumpThreshold, TimeJump
from rclpy.duration import Duration
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

from pi05_msgs.msg import ActionChunk, PlanDecision, RobotState, Subtask, TeleopCommand
from pi05_ros.cameras.rotation import upright
from pi05_ros.errors import ConfigError, MessageError
from pi05_ros.inspection import demand
from pi05_ros.inspection.driver import DriverWatch
from pi05_ros.inspection.facts import SubtaskFacts
from pi05_ros.inspection.kinematics import LinkKinematics
from pi05_ros.inspection.picture import annotate
from pi05_ros.inspection.shapes import DisplayedShapes
from pi05_ros.inspection.status import StatusBoard
from pi05_ros.inspection.view import View
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.conversions import time_to_ns
from pi05_ros.nodes.common.driver_pictures import image_to_rgb
from pi05_ros.nodes.common.health import OK, WARN, Health
from pi05_ros.nodes.common.polled_clock import PolledClock
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.inspector import messages
from pi05_ros.nodes.inspector.inputs import Callbacks, InspectorInputs
from pi05_ros.nodes.inspector.parameters import InspectorParameters
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import load_platform

_CHECK_S = 0.2  # Period of the check for subscribers [s].
_FUTURE_NS = 1_000_000_000  # Stamps further ahead are from before a jump of the clock.
_PERIODS = 5  # Markers disappear after this many periods without an update,
_LEAST_S = 1.0  # but not before this time [s].
_KINDS = {
    "visualization_msgs/msg/MarkerArray": MarkerArray,
    "std_msgs/msg/String": String,
    "sensor_msgs/msg/Image": Image,
    "sensor_msgs/msg/CompressedImage": CompressedImage,
}
_PROFILES = {
    "visualization_msgs/msg/MarkerArray": qos.MARKERS,
    "std_msgs/msg/String": qos.STATUS,
    "sensor_msgs/msg/Image": qos.ANNOTATED,
    "sensor_msgs/msg/CompressedImage": qos.ANNOTATED,
}


class Inspector(ManagedNode[InspectorParameters]):
    """Publishes markers, annotated pictures and status; see `pi05_ros.inspection`."""

    VITAL = False

    def __init__(self, **arguments: Any) -> None:
        super().__init__("inspector", InspectorParameters, **arguments)
        self._outputs: dict[str, Any] = {}
        self._periodic: dict[str, Any] = {}
        self._inputs: InspectorInputs | None = None
        self._view: View | None = None
        self._kinematics_problem = ""  # Why the kinematics are missing; empty: they are not.
        self._jumps: Any = None
        self._clock_poll = PolledClock(self)
        self.work: Counter[str] = Counter()  # Messages published, by output.

    def configure(self) -> None:
        """Create the outputs. The kinematics are loaded with the first subscriber."""
        self._platform = load_platform(self.parameters.platform)
        self._settings = self.parameters.view
        self._kinematics: LinkKinematics | None = None
        self._outputs = {
            name: self.create_publisher(_KINDS[kind], f"~/{name}", _PROFILES[kind])
            for name, kind in demand.output_types(self._platform).items()
        }

    def activate(self) -> None:
        """Check for subscribers from now on."""
        self._board = StatusBoard()
        self._displayed = DisplayedShapes()
        self._subtask: SubtaskFacts | None = None
        self._driver = DriverWatch()
        self._drawn_ns: dict[str, int] = {}  # Camera -> stamp of its last annotated picture.
        self._watched: frozenset[str] = frozenset()
        self._inputs = InspectorInputs(
            self,
            self._platform,
            Callbacks(
                subtask=self._on_subtask,
                decision=self._on_decision,
                state=self._on_state,
                chunk=self._on_chunk,
                teleop=self._on_teleop,
                odometry=self._on_odometry,
                lens=self._on_lens,
                picture=self._on_picture,
            ),
        )
        self._cameras_with_lens: set[str] = set()
        threshold = JumpThreshold(
            min_forward=None, min_backward=Duration(nanoseconds=-1), on_clock_change=True
        )
        self._jumps = self.get_clock().create_jump_callback(
            threshold, post_callback=self.guarded(self._on_jump)
        )
        self._clock_poll.poll()
        self._periodic["look"] = self.steady_timer(_CHECK_S, self._check_subscribers)

    def deactivate(self) -> None:
        """Delete the markers and destroy all subscriptions."""
        if self._jumps is not None:
            self._jumps.unregister()
            self._jumps = None
        self._clock_poll.resume()
        for timer in self._periodic.values():
            self.destroy_timer(timer)
        self._periodic = {}
        if self._inputs is not None:
            self._inputs.set_open(())
            self._inputs = None
            if self._view is not None:
                self._outputs[demand.MARKERS].publish(messages.all_deleted())
        self._view = None

    def cleanup(self) -> None:
        """Destroy the outputs."""
        for publisher in self._outputs.values():
            self.destroy_publisher(publisher)
        self._outputs = {}

    def health(self) -> Health:
        """Subscribed outputs and counts of messages."""
        values: dict[str, Any] = {f"{name} published": n for name, n in sorted(self.work.items())}
        if not self._watched:
            return Health(OK, "no subscribers", values)
        problem = self._kinematics_problem or (self._view.problem() if self._view else "")
        if problem:
            return Health(WARN, problem, values)
        return Health(OK, f"publishing {', '.join(sorted(self._watched))}", values)

    # Subscribers.

    def _check_subscribers(self) -> None:
        """Open the inputs and timers of the subscribed outputs, and close the others."""
        watched = frozenset(
            name for name, out in self._outputs.items() if out.get_subscription_count()
        )
        if not self._watched or not watched:
            self._clock_poll.poll()
        if watched:
            self._clock_poll.resume()
        if watched == self._watched:
            return
        assert self._inputs is not None
        before, self._watched = self._watched, watched
        if demand.MARKERS in watched and demand.MARKERS not in before:
            self._start_view()
        if demand.MARKERS not in watched:
            self._view = None
        if demand.STATUS not in watched:
            self._board.clear()
        self._update_inputs()
        if demand.SUBTASK not in self._inputs.open:
            self._subtask = None
        self._update_timer(demand.MARKERS, self.parameters.marker_rate_hz, self._publish_markers)
        self._update_timer(demand.STATUS, self.parameters.status_rate_hz, self._publish_status)

    def _start_view(self) -> None:
        self._cameras_with_lens.clear()
        if self._kinematics is None:
            try:
                urdf = description_xml(self._platform, use_mock_hardware=False)
                self._kinematics = LinkKinematics(self._platform, urdf)
                self._kinematics_problem = ""
            except ConfigError as error:
                self._kinematics_problem = str(error)
                self.get_logger().error(f"robot geometry is not drawn: {error}")
        self._displayed = DisplayedShapes()
        self._view = View(self._platform, self._settings, self._kinematics)
        if self._subtask is not None:  # It is published only once.
            self._view.add_subtask(self._subtask, self.now_ns())

    def _update_inputs(self) -> None:
        assert self._inputs is not None
        needed = demand.inputs_for(self._watched, self._platform)
        # CameraInfo comes with every picture and does not change.
        self._inputs.set_open(
            needed - {demand.lens_of_camera(name) for name in self._cameras_with_lens}
        )

    def _update_timer(self, output: str, rate: float, callback: Any) -> None:
        """Create or destroy the timer of an output."""
        if output in self._watched and output not in self._periodic:
            self._periodic[output] = self.steady_timer(1.0 / rate, callback)
        elif output not in self._watched and output in self._periodic:
            self.destroy_timer(self._periodic.pop(output))

    # Inputs.

    def _on_subtask(self, message: Subtask) -> None:
        subtask = messages.subtask_facts(message)
        self._check_stamp(subtask.stamp_ns, "subtask")
        self._subtask = subtask
        self._board.add_subtask(subtask)
        if self._view is not None:
            self._view.add_subtask(subtask, self.now_ns())

    def _on_decision(self, message: PlanDecision) -> None:
        decision = messages.decision_facts(message)
        self._check_stamp(decision.stamp_ns, "plan_decision")
        self._board.add_decision(decision)

    def _on_state(self, message: RobotState) -> None:
        state = messages.state_facts(message, self._platform)
        self._check_stamp(state.stamp_ns, "robot_state")
        self._driver.add_state(state)
        self._board.add_state(state)
        if self._view is not None:
            self._view.add_state(state)

    def _on_chunk(self, message: ActionChunk) -> None:
        chunk = messages.chunk_facts(message, self._platform)
        self._check_stamp(chunk.stamp_ns, "action_chunk")
        self._board.add_chunk(chunk)
        if self._view is not None:
            self._view.add_chunk(chunk, self.now_ns())

    def _on_teleop(self, message: TeleopCommand) -> None:
        teleop, now_ns = messages.teleop_facts(message), self.now_ns()
        self._driver.add_teleop(teleop, now_ns)
        self._board.add_teleop(teleop, now_ns)
        if self._view is not None:
            self._view.add_teleop(teleop, now_ns)

    def _on_odometry(self, message: Odometry) -> None:
        if self._view is not None:
            stamp_ns = time_to_ns(message.header.stamp, "odometry")
            self._check_stamp(stamp_ns, "odometry")
            self._view.add_pose(stamp_ns, messages.planar_pose(message))

    def _on_lens(self, camera: str, message: CameraInfo) -> None:
        lens = messages.lens_facts(message)
        if self._view is not None and lens is not None:
            self._view.add_lens(camera, lens)
        self._cameras_with_lens.add(camera)
        self._update_inputs()

    def _on_picture(self, camera: str, message: Image | CompressedImage) -> None:
        """Annotate a subscribed picture, at most at `picture_rate_hz`."""
        stamp_ns = time_to_ns(message.header.stamp, f"picture of {camera}")
        # With similar rates, the exact period would drop every second picture.
        least_ns = round(0.9e9 / self.parameters.picture_rate_hz)
        last_ns = self._drawn_ns.get(camera, 0)
        if last_ns <= stamp_ns < last_ns + least_ns:
            return
        self._drawn_ns[camera] = stamp_ns
        picture = upright(image_to_rgb(message), self._platform.camera(camera).rotate)
        now_ns = self.now_ns()
        driver = self._driver.text(now_ns)
        picture = annotate(picture, camera, stamp_ns, self._subtask, now_ns, driver)
        header = Header(stamp=message.header.stamp, frame_id=message.header.frame_id)
        raw, jpeg = demand.annotated(camera), demand.compressed(camera)
        if raw in self._watched:
            self._publish(raw, messages.picture_message(picture, header))
        if jpeg in self._watched:
            quality = self.parameters.jpeg_quality
            self._publish(jpeg, messages.jpeg_message(picture, header, quality))

    def _check_stamp(self, stamp_ns: int, what: str) -> None:
        """Raise MessageError for a stamp in the future."""
        ahead_ns = stamp_ns - self.now_ns()
        if ahead_ns > _FUTURE_NS:
            raise MessageError(f"{what}: stamped {ahead_ns * 1e-9:.1f} s in the future; dropped")

    def _on_jump(self, _: TimeJump) -> None:
        """Discard everything after a backward jump of time."""
        self.get_logger().warning("time jumped back: all markers and states cleared")
        self._board.clear()
        self._subtask = None
        self._driver.clear()
        self._drawn_ns.clear()
        if self._view is not None:
            self._view.clear()
            self._displayed = DisplayedShapes()
            self._publish(demand.MARKERS, messages.all_deleted())

    # Outputs.

    def _publish_markers(self) -> None:
        if self._view is None:
            return
        shapes = self._view.shapes(self.now_ns())
        lifetime = max(_LEAST_S, _PERIODS / self.parameters.marker_rate_hz)
        gone = self._displayed.replace(shapes)
        self._publish(demand.MARKERS, messages.marker_array(shapes, gone, lifetime))

    def _publish_status(self) -> None:
        self._publish(demand.STATUS, String(data=self._board.as_json(self.now_ns())))

    def _publish(self, output: str, message: Any) -> None:
        self.work[output] += 1
        self._outputs[output].publish(message)


def main() -> int:
    """Run the node until SIGINT or SIGTERM."""
    return run_node(Inspector)


if __name__ == "__main__":
    sys.exit(main())
