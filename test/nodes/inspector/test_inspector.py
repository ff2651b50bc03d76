"""The inspector over real topics: idle without subscribers, correct outputs with them."""

import json

import numpy as np
import pytest

pytest.importorskip("rclpy")
pytest.importorskip("pinocchio", reason="./pi05 and rosdep bring it")

from diagnostic_msgs.msg import DiagnosticArray
from fakes.graph import Graph, wait_for
from nav_msgs.msg import Odometry
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String
from visualization_msgs.msg import Marker, MarkerArray

from pi05_msgs.msg import (
    ActionChunk,
    BoundingBox,
    Heartbeat,
    PlanDecision,
    RobotState,
    Subtask,
    TeleopCommand,
)
from pi05_ros.foundation.resources import resource_path
from pi05_ros.inspection.demand import output_types
from pi05_ros.inspection.shapes import NAMESPACES
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import float_array, ns_to_time
from pi05_ros.nodes.inspector.inspector import Inspector
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
FRONT = PLATFORM.camera("front")
SECOND = 1_000_000_000
INPUTS = (
    "/pi05/subtask", "/pi05/plan_decision", "/pi05/robot_state", "/pi05/action_chunk",
    "/pi05/teleop_command",
    PLATFORM.odom_topic, *(c.topic for c in PLATFORM.cameras),
    *(c.camera_info_topic for c in PLATFORM.cameras),
)  # fmt: skip


class Scene:
    """An inspector, and a node that is the rest of the graph, on a clock that the test turns."""

    def __init__(self, **parameters):
        self.graph = Graph()
        self.other = self.graph.plain("other")
        self.heard = {}
        self._watches = {}
        self._publishers = {
            kind: self.other.create_publisher(kind, topic, profile)
            for kind, topic, profile in (
                (Clock, "/clock", 10),
                (Subtask, "subtask", qos.LATCHED),
                (PlanDecision, "plan_decision", qos.PLAN_DECISION),
                (RobotState, "robot_state", qos.ROBOT_STATE),
                (ActionChunk, "action_chunk", qos.ACTION_CHUNK),
                (TeleopCommand, "teleop_command", qos.ACTION_CHUNK),
                (Odometry, PLATFORM.odom_topic, qos.SENSOR),
                (Image, FRONT.topic, qos.DRIVER_OUTPUT),
                (CameraInfo, FRONT.camera_info_topic, qos.DRIVER_OUTPUT),
            )
        }
        self.health = []
        self.other.create_subscription(
            DiagnosticArray, "/diagnostics", self.health.append, qos.STATUS
        )
        self.heartbeats = []
        self.other.create_subscription(
            Heartbeat, "heartbeat", self.heartbeats.append, qos.HEARTBEAT
        )
        self.node = self.graph.add(Inspector, use_sim_time=True, **parameters)
        assert self.graph.call(self.node.trigger_configure)
        assert self.graph.call(self.node.trigger_activate)
        assert self.node.is_active
        self.at(10.0)

    def at(self, seconds):
        """Turns the clock."""
        stamp = ns_to_time(round(seconds * SECOND))

        def arrived():
            self._publishers[Clock].publish(Clock(clock=stamp))
            return self.node.now_ns() == round(seconds * SECOND)

        wait_for(arrived, "the clock")

    def tell(self, message, stamp_s=10.0):
        """Publishes a message with a stamp."""
        message.header.stamp = ns_to_time(round(stamp_s * SECOND))
        self._publishers[type(message)].publish(message)

    def watch(self, output, kind):
        """Subscribes; gives the list that fills."""
        heard = self.heard[output] = []
        self._watches[output] = self.graph.call(
            lambda: self.other.create_subscription(
                kind, f"inspector/{output}", heard.append, qos.MARKERS
            )
        )
        return heard

    def look_away(self, output):
        watch = self._watches.pop(output)
        self.graph.call(lambda: self.other.destroy_subscription(watch))

    def listens_to(self):
        """Topics that the inspector subscribes to."""
        return {t for t in INPUTS if self.other.count_subscribers(t)}

    def rests(self):
        return not self.listens_to()


@pytest.fixture
def scene():
    found = Scene()
    yield found
    found.graph.close()


def state(row=2.0, sequence=1):
    home = PLATFORM.home
    return RobotState(
        platform=PLATFORM.name, session=1, epoch=1, names=list(PLATFORM.names),
        measured=float_array(home, "d"), commanded=float_array(home, "d"),
        commanded_stamp=ns_to_time(SECOND), chunk_sequence=sequence,
        chunk_stamp=ns_to_time(SECOND), chunk_row=row, mode=RobotState.MODE_RUNNING,
        reason="executing", control_source=RobotState.CONTROL_TELEOP,
    )  # fmt: skip


def chunk(rows=50):
    actions = np.tile(PLATFORM.home, (rows, 1))
    actions[:, PLATFORM.index("left_arm_joint_1")] = np.linspace(0, 0.5, rows)
    return ActionChunk(
        session=1, epoch=1, sequence=1, subtask_id=1, names=list(PLATFORM.names),
        period=PLATFORM.period, horizon=rows, data=float_array(actions, "f"), committed=3,
        latency=0.2,
    )  # fmt: skip


def subtask(text="pick up the cup"):
    box = BoundingBox(camera="front", label="cup", x_min=0.25, y_min=0.5, x_max=0.5, y_max=0.75)
    return Subtask(id=1, task="tidy up", text=text, source="model", score=0.9, boxes=[box])


def odometry(x=1.0):
    message = Odometry()
    message.header.frame_id = PLATFORM.odom_frame
    message.pose.pose.position.x = x
    message.pose.pose.orientation.w = 1.0
    return message


def picture():
    data = np.full((FRONT.height, FRONT.width, 3), 90, np.uint8).tobytes()
    message = Image(height=FRONT.height, width=FRONT.width, encoding="rgb8",
                    step=3 * FRONT.width, data=data)  # fmt: skip
    message.header.frame_id = FRONT.frame
    return message


def tell_all(scene):
    for message in (odometry(), subtask(), state(), chunk()):
        scene.tell(message)


def show_markers(scene):
    """Collect markers until all published data is in them."""
    markers = scene.watch("markers", MarkerArray)
    wait_for(lambda: len(scene.listens_to()) >= 8, "its subscriptions")
    wanted = {"subtask", "boxes", "chunk", "executed"}

    def drawn():
        tell_all(scene)
        return markers and wanted <= {m.ns for m in markers[-1].markers}

    wait_for(drawn, "markers of everything")
    return markers


def test_it_publishes_what_its_table_says_and_is_no_vital_node(scene):
    name, namespace = "inspector", "/pi05"
    found = dict(scene.other.get_publisher_names_and_types_by_node(name, namespace))
    for output, kind in output_types(PLATFORM).items():
        assert found[f"/pi05/inspector/{output}"] == [kind]
    assert not any(topic.endswith("heartbeat") for topic in found)


def test_without_subscribers_it_subscribes_to_nothing_and_computes_nothing(scene):
    assert scene.rests()
    tell_all(scene)
    scene.tell(picture())
    wait_for(lambda: len(scene.health) >= 2, "its health")
    assert scene.rests()
    assert not scene.node.work and scene.node._kinematics is None
    said = [s for m in scene.health for s in m.status if s.name == "/pi05/inspector"]
    assert said[-1].message == "no subscribers"


def test_the_clock_wakes_it_only_with_a_subscriber(scene):
    def wakes_it():
        return any(tap.topic_name == "/clock" for tap in scene.node.subscriptions)

    assert not wakes_it()
    scene.at(10.4)  # It still knows what time it is.
    show_markers(scene)
    assert wakes_it()
    scene.look_away("markers")
    wait_for(lambda: not wakes_it(), "it to rest")


def test_markers_are_in_the_robots_frames_with_the_observations_stamps(scene):
    markers = show_markers(scene)
    shown = {(m.ns, m.id): m for m in markers[-1].markers}
    assert {m.ns for m in markers[-1].markers} <= set(NAMESPACES)
    fan = shown["chunk", 0]
    assert (fan.type, fan.header.frame_id) == (Marker.LINE_STRIP, "odom")
    assert fan.header.stamp == ns_to_time(10 * SECOND)
    assert len(fan.points) == len(fan.colors) == 50
    assert fan.points[0].x > 1.1 and fan.points[0].y > 0.1  # Left, ahead of a base at x = 1.
    text = shown["subtask", 0]
    assert text.text.startswith("pick up the cup\nmodel 0.90")
    assert (text.header.frame_id, text.frame_locked) == ("base_link", True)
    assert shown["boxes", 0].header.frame_id == FRONT.frame
    for marker in markers[-1].markers:
        assert marker.lifetime.sec * SECOND + marker.lifetime.nanosec >= SECOND
        assert marker.pose.orientation.w == 1.0


def test_a_marker_that_is_over_is_taken_away(scene):
    markers = show_markers(scene)
    scene.at(11.5)  # The chunk's horizon is a second.
    gone = wait_for(
        lambda: [m for array in list(markers) for m in array.markers if m.action == Marker.DELETE],
        "a marker to be deleted",
    )
    assert ("chunk", 0) in {(m.ns, m.id) for m in gone}
    assert not any(m.ns == "chunk" and m.action == Marker.ADD for m in markers[-1].markers)


def test_a_chunk_that_was_replaced_is_shown_a_while_and_then_taken_away(scene):
    markers = show_markers(scene)
    scene.at(10.4)
    following = chunk()
    following.sequence = 2

    def replaced():
        scene.tell(following, 10.4)
        shown = {(m.ns, m.id): m for m in markers[-1].markers if m.action == Marker.ADD}
        fan = shown.get(("chunk", 0))
        return fan and fan.header.stamp.nanosec == 400_000_000 and shown

    shown = wait_for(replaced, "the following chunk")
    ghost = shown["chunk_earlier", 0]
    assert (ghost.type, ghost.header.frame_id) == (Marker.LINE_STRIP, "odom")
    assert ghost.header.stamp == ns_to_time(10 * SECOND)
    assert 0 < ghost.color.a < 1 and ("chunk_earlier", 1) in shown
    scene.at(14.0)

    def deleted():
        last = [m for a in list(markers) for m in a.markers if m.action == Marker.DELETE]
        return {("chunk_earlier", 0), ("chunk_earlier", 1)} <= {(m.ns, m.id) for m in last}

    wait_for(deleted, "both lines to be deleted")
    assert not any(m.ns == "chunk_earlier" and m.action == Marker.ADD for m in markers[-1].markers)


def test_it_is_idle_again_without_subscribers(scene):
    show_markers(scene)
    scene.look_away("markers")
    wait_for(scene.rests, "its subscriptions to be gone")
    made = dict(scene.node.work)
    tell_all(scene)
    wait_for(lambda: len(scene.health) >= 2, "a while")
    assert dict(scene.node.work) == made


def test_a_camera_is_listened_to_only_while_its_annotated_picture_is_watched(scene):
    raw = scene.watch("front/annotated", Image)
    wanted = {"/pi05/subtask", "/pi05/robot_state", "/pi05/teleop_command", FRONT.topic}
    wait_for(lambda: scene.listens_to() == wanted, "the front camera")
    scene.tell(subtask())
    wait_for(lambda: scene.node._subtask, "the subtask")

    def drawn(heard):
        scene.tell(picture(), 9.0 if heard is raw else 9.5)
        return heard

    (first, *_) = wait_for(lambda: drawn(raw), "an annotated picture")
    assert (first.encoding, first.width, first.height) == ("rgb8", 640, 480 + 54)
    assert first.header.stamp == ns_to_time(9 * SECOND)
    assert first.header.frame_id == FRONT.frame
    pixels = np.frombuffer(first.data, np.uint8).reshape(first.height, first.width, 3)
    assert (pixels[54 + 240 : 54 + 360, 160:320] != 90).any()  # The box.
    jpeg = scene.watch("front/annotated/compressed", CompressedImage)
    wait_for(lambda: scene.other.count_subscribers("/pi05/inspector/front/annotated/compressed"),
             "the viewer")  # fmt: skip
    wait_for(lambda: "front/annotated/compressed" in scene.node._watched, "it to notice")
    (small, *_) = wait_for(lambda: drawn(jpeg), "a compressed picture")
    assert bytes(small.data[:2]) == b"\xff\xd8" and len(small.data) < first.width * first.height
    scene.look_away("front/annotated")
    scene.look_away("front/annotated/compressed")
    wait_for(scene.rests, "the camera to be let go")


def test_the_annotated_picture_of_a_turned_camera_is_upright(tmp_path):
    text = resource_path("config/platforms/mobile_18dof.yaml").read_text()
    turned = text.replace(f"topic: {FRONT.topic}", f"topic: {FRONT.topic}\n    rotate: 90")
    (tmp_path / "robot.yaml").write_text(turned)
    scene = Scene(platform=str(tmp_path / "robot.yaml"))
    try:
        heard = scene.watch("front/annotated", Image)
        wait_for(lambda: FRONT.topic in scene.listens_to(), "the front camera")
        pixels = np.zeros((240, 320, 3), np.uint8)
        pixels[:120] = 200  # Above in the driver's picture: at the right in the upright one.
        image = Image(height=240, width=320, encoding="rgb8", step=960, data=pixels.tobytes())
        (first, *_) = wait_for(lambda: scene.tell(image) or heard, "an annotated picture")
        drawn = np.frombuffer(first.data, np.uint8).reshape(first.height, first.width, 3)
        height, width = first.height - 54, first.width
        assert height * 240 == width * 320
        middle = drawn[54 + height // 2]
        assert (middle[: width // 2 - 4] == 0).all() and (middle[width // 2 + 4 :] == 200).all()
    finally:
        scene.graph.close()


def test_pictures_come_no_faster_than_they_are_wanted(scene):
    pictures = scene.watch("front/annotated", Image)
    wait_for(lambda: FRONT.topic in scene.listens_to(), "the front camera")

    def until(stamp_s, count):
        scene.tell(picture(), stamp_s)
        return len(pictures) >= count

    wait_for(lambda: until(9.0, 1), "the first")
    for k in range(1, 5):
        scene.tell(picture(), 9.0 + 0.02 * k)  # 50 Hz; 10 Hz are wanted.
    wait_for(lambda: until(9.1, 2), "the second")
    assert [m.header.stamp.nanosec for m in pictures] == [0, 100_000_000]


def test_a_lens_is_heard_once(scene):
    show_markers(scene)
    info = CameraInfo(width=320, height=240, k=[100.0, 0, 160, 0, 100, 120, 0, 0, 1])

    def heard():
        scene.tell(info)
        return FRONT.camera_info_topic not in scene.listens_to()

    wait_for(heard, "the lens")
    assert scene.node._view._lenses["front"].fx == 100.0


def test_the_status_is_json(scene):
    status = scene.watch("status", String)
    wait_for(lambda: len(scene.listens_to()) == 5, "its subscriptions")
    decision = PlanDecision(trigger="period", outcome="kept", answer="x", reason="because")

    def told():
        tell_all(scene)
        scene.tell(decision)
        scene.tell(TeleopCommand(state=TeleopCommand.ENGAGED, device="leader"))
        said = json.loads(status[-1].data) if status else {}
        heard = ("decision", "chunk", "robot", "teleop")
        return said if all(said.get(name) for name in heard) else None

    said = wait_for(told, "a full status")
    assert said["task"] == "tidy up" and said["subtask"]["text"] == "pick up the cup"
    assert said["decision"]["reason"] == "because"
    assert said["robot"] == {
        "mode": "running", "reason": "executing", "control": "teleop", "age_s": 0.0,
    }  # fmt: skip
    assert said["teleop"]["device"] == "leader" and said["teleop"]["state"] == "engaged"
    assert said["chunk"]["committed"] == 3 and said["executed"] == {"sequence": 1, "row": 2.0}
    assert PLATFORM.odom_topic not in scene.listens_to()


def test_time_that_jumps_back_clears_everything(scene):
    markers = show_markers(scene)
    scene.at(2.0)
    wait_for(
        lambda: any(m.action == Marker.DELETEALL for a in list(markers) for m in a.markers),
        "all markers to be deleted",
    )

    def refused():
        tell_all(scene)  # With stamps of before.
        each = {"_on_subtask", "_on_state", "_on_chunk", "_on_odometry"}
        return each <= set(scene.node.callback_errors)

    wait_for(refused, "all to be refused")
    wait_for(lambda: not markers[-1].markers, "nothing to be left")


def test_a_message_of_another_robot_is_told_and_not_drawn(scene):
    markers = show_markers(scene)
    wrong = chunk()
    wrong.names[0] = "elbow"
    before = scene.node.callback_errors["_on_chunk"]

    def told():
        scene.tell(wrong, 10.5)
        return scene.node.callback_errors["_on_chunk"] > before

    wait_for(told, "a complaint")
    fans = [m for m in markers[-1].markers if m.ns == "chunk" and m.action == Marker.ADD]
    assert all(m.header.stamp == ns_to_time(10 * SECOND) for m in fans)


def test_a_robot_without_a_tool_centre_point_is_told_and_the_subtask_is_still_drawn(
    scene, monkeypatch
):
    from pi05_ros.nodes.inspector import inspector

    real = inspector.description_xml
    monkeypatch.setattr(
        inspector, "description_xml", lambda *a, **k: real(*a, **k).replace("_tcp", "_tip")
    )
    markers = scene.watch("markers", MarkerArray)

    def drawn():
        tell_all(scene)
        return markers and any(m.ns == "subtask" for m in markers[-1].markers)

    wait_for(drawn, "the subtask")
    assert not any(m.ns == "chunk" for m in markers[-1].markers)
    assert scene.node.health().level == 1
    assert "no tool centre point for left_gripper" in scene.node.health().message


def test_deactivating_takes_the_markers_away_and_activating_begins_anew(scene):
    markers = show_markers(scene)
    assert scene.graph.call(scene.node.trigger_deactivate)
    wait_for(scene.rests, "it to listen to nothing")
    wait_for(
        lambda: markers[-1].markers and markers[-1].markers[-1].action == Marker.DELETEALL,
        "all markers to be deleted",
    )
    assert scene.graph.call(scene.node.trigger_activate)
    scene.at(10.5)
    wait_for(lambda: "/pi05/robot_state" in scene.listens_to(), "it to look again")
    assert scene.graph.call(scene.node.trigger_deactivate)
    assert scene.graph.call(scene.node.trigger_cleanup)
    assert not scene.other.count_publishers("/pi05/inspector/markers")
