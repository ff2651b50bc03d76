"""The recorder over real topics: what was published is in the bag."""

import threading
import types

import pytest

pytest.importorskip("rclpy")

import rosbags.rosbag2
from diagnostic_msgs.msg import DiagnosticArray
from fakes.graph import Graph, wait_for
from mcap.reader import make_reader
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, JointState
from std_msgs.msg import String

from pi05_msgs.msg import Episode, Heartbeat, Recording, Subtask
from pi05_msgs.srv import StartEpisode, StopEpisode
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.foundation.resources import resource_path
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.nodes.recorder import inputs as recorder_inputs
from pi05_ros.nodes.recorder import recorder as recorder_module
from pi05_ros.nodes.recorder.messages import episode_message
from pi05_ros.nodes.recorder.recorder import Recorder
from pi05_ros.platforms.platform import load_platform
from pi05_ros.recording.disk import DiskSpace
from pi05_ros.recording.episodes import RecorderState, StartCode, StopCode
from pi05_ros.recording.tallies import UNKNOWN

PLATFORM = load_platform("mobile_18dof")
BEST_EFFORT = QoSProfile(depth=10, reliability=ReliabilityPolicy.BEST_EFFORT)


class Scene:
    """A recorder, and a node of the test's own that publishes and listens."""

    def __init__(self, folder, **parameters):
        self.folder = folder / "bags"
        self.graph = Graph()
        self.other = self.graph.plain("other")
        self.heard = {Episode: [], Recording: [], DiagnosticArray: [], Heartbeat: []}
        for kind, topic, profile in (
            (Episode, "episode", qos.LATCHED),
            (Recording, "recording", qos.LATCHED),
            (DiagnosticArray, "/diagnostics", qos.STATUS),
            (Heartbeat, "heartbeat", qos.HEARTBEAT),
        ):
            self.other.create_subscription(kind, topic, self.heard[kind].append, profile)
        self.node = self.graph.add(Recorder, bags=str(self.folder), **parameters)
        self.clients = {}

    def up(self):
        assert self.graph.call(self.node.trigger_configure)
        assert self.graph.call(self.node.trigger_activate)
        assert self.node.is_active
        return self

    def call(self, kind, **request):
        name = "start_episode" if kind is StartEpisode else "stop_episode"
        if name not in self.clients:
            self.clients[name] = self.other.create_client(kind, name)
        client = self.clients[name]
        assert client.wait_for_service(30.0)
        future = client.call_async(kind.Request(**request))
        wait_for(future.done, name)
        return future.result()

    def start(self, **request):
        reply = self.call(StartEpisode, **request)
        assert reply.code == 0, reply.message
        return reply

    def stop(self, outcome="success", **request):
        return self.call(StopEpisode, outcome=outcome, **request)

    def publisher(self, kind, topic, profile=10):
        return self.other.create_publisher(kind, topic, profile)

    def joined(self, *topics):
        """Waits until the recorder listens to them."""
        wait_for(
            lambda: all(self.other.count_subscribers(t) > self.ours(t) for t in topics), topics
        )

    def ours(self, topic):
        """Subscriptions that are the test's own."""
        return 1 if topic in ("/diagnostics", "/pi05/episode", "/pi05/recording") else 0

    def bag(self):
        (folder,) = self.folder.iterdir()
        return BagReader(folder)

    def messages(self, topic, kind):
        with self.bag() as bag:
            return [deserialize_message(m.data, kind) for m in bag.messages([topic])]

    def topic(self, name):
        """The newest report on a topic."""
        for message in reversed(self.heard[Recording]):
            for topic in message.topics:
                if topic.name == name:
                    return topic
        return None

    @property
    def episode(self):
        """Newest report on a topic; None before the first."""
        return self.heard[Episode][-1] if self.heard[Episode] else Episode(state=255)

    def close(self):
        self.graph.close()


@pytest.fixture
def scene(tmp_path):
    found = Scene(tmp_path).up()
    yield found
    found.close()


def test_codes_are_those_of_the_services_and_of_the_message():
    for codes, kind in ((StartCode, StartEpisode), (StopCode, StopEpisode)):
        for code in codes:
            assert getattr(kind.Response, code.name) == code
    for state in RecorderState:
        assert getattr(Episode, f"STATE_{state.name}") == state


def test_what_is_published_is_recorded_as_it_is(scene):
    joints = scene.publisher(JointState, "/joint_states", BEST_EFFORT)
    words = scene.publisher(String, "/pi05/any/thing")
    other = scene.publisher(String, "/elsewhere")
    scene.start(task="wash up", operator_name="Ana", home="villa", notes="rainy")
    scene.joined("/joint_states", "/pi05/any/thing")
    sent = [JointState(name=["a"], position=[0.1 * n]) for n in range(50)]
    for number, message in enumerate(sent):
        joints.publish(message)
        words.publish(String(data=f"word {number}"))
        other.publish(String(data="no"))
    wait_for(lambda: scene.episode.message_count >= 100, "the messages")
    reply = scene.stop(notes="went well")
    assert (reply.code, reply.path) == (0, str(next(scene.folder.iterdir())))
    assert scene.messages("/joint_states", JointState) == sent
    assert [m.data for m in scene.messages("/pi05/any/thing", String)] == [
        f"word {n}" for n in range(50)
    ]
    with scene.bag() as bag:
        assert "/elsewhere" not in bag.topics
        raw = list(bag.messages(["/joint_states"]))
        numbers = [m.sequence for m in raw]
        assert numbers == list(range(numbers[0], numbers[0] + 50))
        assert all(-1e6 < m.log_ns - m.publish_ns < 5e9 for m in raw)
        assert bag.topics["/joint_states"].qos[0].reliability == "best_effort"
        facts = bag.facts
    assert (facts.task, facts.operator_name, facts.home) == ("wash up", "Ana", "villa")
    assert (facts.notes, facts.outcome, facts.ended) == ("rainy\nwent well", "success", "")
    assert (facts.platform, facts.names) == (PLATFORM.name, PLATFORM.names)
    assert facts.units[6] == "fraction"
    assert facts.rate_hz == 50.0
    assert facts.namespace == "/pi05"
    assert facts.software_version.startswith("pi05_ros ")
    assert not facts.simulated


def test_rosbags_and_mcap_read_it_with_nothing_of_ours(scene):
    words = scene.publisher(String, "/pi05/x")
    subtask = scene.publisher(Subtask, "/pi05/subtask", qos.LATCHED)
    subtask.publish(Subtask(id=7, text="pick up the plate"))
    scene.start()
    scene.joined("/pi05/x")
    words.publish(String(data="hello"))
    wait_for(lambda: scene.topic("/pi05/x") and scene.topic("/pi05/x").message_count, "a message")
    scene.stop()
    (folder,) = scene.folder.iterdir()
    (file,) = folder.glob("*.mcap")
    with rosbags.rosbag2.Reader(folder) as reader:
        topics = {c.topic: c for c in reader.connections}
        assert topics["/pi05/x"].msgcount == 1
        assert topics["/pi05/subtask"].msgtype == "pi05_msgs/msg/Subtask"
        assert "BoundingBox" in topics["/pi05/subtask"].msgdef.data
    with file.open("rb") as stream:
        found = {c.topic for _, c, _ in make_reader(stream).iter_messages()}
    assert {"/pi05/x", "/pi05/subtask", "/pi05/episode"} <= found


def test_a_latched_message_from_before_the_episode_is_part_of_it(scene):
    subtask = scene.publisher(Subtask, "/pi05/subtask", qos.LATCHED)
    subtask.publish(Subtask(id=7, task="wash up", text="pick up the plate"))
    wait_for(lambda: scene.node._task == "wash up", "the planner's task")
    reply = scene.start()
    assert reply.id.endswith("_wash-up")
    wait_for(lambda: scene.topic("/pi05/subtask"), "a report")
    scene.stop()
    (message,) = scene.messages("/pi05/subtask", Subtask)
    assert (message.id, message.text) == (7, "pick up the plate")
    with scene.bag() as bag:
        assert bag.facts.task == "wash up"


def test_a_task_that_the_planner_takes_later_is_the_episodes(scene):
    scene.start()
    subtask = scene.publisher(Subtask, "/pi05/subtask", qos.LATCHED)
    subtask.publish(Subtask(id=1, task="make the bed", text="go"))
    wait_for(lambda: scene.episode.task == "make the bed", "the task")
    scene.stop()
    with scene.bag() as bag:
        assert bag.facts.task == "make the bed"


def test_a_topic_that_comes_late_is_joined(scene):
    scene.start()
    wait_for(lambda: scene.episode.state == Episode.STATE_RECORDING, "recording")
    late = scene.publisher(String, "/pi05/late")
    scene.joined("/pi05/late")
    late.publish(String(data="here"))
    wait_for(lambda: (t := scene.topic("/pi05/late")) and t.message_count == 1, "it")
    scene.stop()
    assert [m.data for m in scene.messages("/pi05/late", String)] == ["here"]


def test_a_best_effort_publisher_that_joins_a_reliable_one_is_heard_too(scene):
    first = scene.publisher(String, "/pi05/x", 10)
    scene.start()
    scene.joined("/pi05/x")
    first.publish(String(data="reliable"))
    wait_for(lambda: (t := scene.topic("/pi05/x")) and t.message_count == 1, "the first")
    assert scene.topic("/pi05/x").lost == 0
    second = scene.publisher(String, "/pi05/x", BEST_EFFORT)
    wait_for(
        lambda: (
            (second.publish(String(data="best effort")), scene.topic("/pi05/x"))[1].message_count
            > 2
        ),
        "the second",
    )
    assert scene.topic("/pi05/x").lost == UNKNOWN
    scene.stop()
    assert {m.data for m in scene.messages("/pi05/x", String)} == {"reliable", "best effort"}


def test_a_type_that_is_not_installed_is_named_and_the_rest_is_recorded(scene, monkeypatch):
    known = recorder_inputs.message_type

    def missing(name):
        if name == "std_msgs/msg/String":
            raise ImportError("No module named 'std_msgs'")
        return known(name)

    monkeypatch.setattr(recorder_inputs, "message_type", missing)
    monkeypatch.setattr(recorder_inputs, "_DISCOVERY_S", 0.5)
    scene.publisher(String, "/pi05/foreign")
    joints = scene.publisher(JointState, "/joint_states")
    scene.start()
    scene.joined("/joint_states")
    joints.publish(JointState())
    clause = "/pi05/foreign: its type std_msgs/msg/String is not installed here"
    wait_for(lambda: clause in scene.episode.message, "the problem")
    wait_for(
        lambda: any(clause in s.message and s.level == b"\x01" for s in statuses(scene)),
        "the problem in diagnostics",
    )
    topic = wait_for(lambda: scene.topic("/pi05/foreign"), "a report")
    assert topic.problem == "its type std_msgs/msg/String is not installed here"
    scene.stop()
    assert len(scene.messages("/joint_states", JointState)) == 1


def statuses(scene):
    """Diagnostic statuses of the recorder."""
    return [
        s for m in scene.heard[DiagnosticArray] for s in m.status if s.name.endswith("recorder")
    ]


def test_required_topics_without_a_publisher_are_reported(scene, monkeypatch):
    monkeypatch.setattr(recorder_inputs, "_DISCOVERY_S", 0.2)
    scene.start()
    wait_for(lambda: "/joint_states: nobody publishes it" in scene.episode.message, "it")
    topic = wait_for(lambda: scene.topic("/odom"), "a report")
    assert topic.problem == "nobody publishes it"


@pytest.mark.parametrize(
    ("images", "recorded"), [("auto", "compressed"), ("raw", "raw"), ("compressed", "compressed")]
)
def test_pictures_are_taken_as_the_driver_offers_them(tmp_path, images, recorded):
    scene = Scene(tmp_path, images=images).up()
    try:
        topic = PLATFORM.cameras[0].topic
        raw = scene.publisher(Image, topic, BEST_EFFORT)
        jpeg = scene.publisher(CompressedImage, topic + "/compressed", BEST_EFFORT)
        wait_for(lambda: scene.node.count_publishers(topic + "/compressed"), "discovery")
        wait_for(lambda: scene.node.count_publishers(topic), "discovery")
        scene.start()
        cameras = {PLATFORM.cameras[0].name: topic if recorded == "raw" else topic + "/compressed"}
        # Also in the head of the file, which is all that a crash would leave.
        assert scene.node._episodes.session._bag._facts.cameras == cameras
        wanted = topic if recorded == "raw" else topic + "/compressed"
        scene.joined(wanted)
        raw.publish(Image(height=2, width=2, step=6, encoding="rgb8", data=bytes(12)))
        jpeg.publish(CompressedImage(format="jpeg", data=b"\xff\xd8\xff\xd9"))
        wait_for(lambda: (t := scene.topic(wanted)) and t.message_count == 1, "a picture")
        scene.stop()
        with scene.bag() as bag:
            found = [t for t in bag.topics if t.startswith(topic)]
            assert found == [wanted]
            assert bag.facts.cameras == cameras
    finally:
        scene.close()


def test_calibration_and_turn_of_a_compressed_camera_are_kept(tmp_path):
    front, topic = PLATFORM.cameras[0], "/front_camera/image_raw/compressed"
    changes = f"topic: {topic}\n    transport: compressed\n    rotate: 180"
    text = resource_path("config/platforms/mobile_18dof.yaml").read_text()
    (tmp_path / "robot.yaml").write_text(text.replace(f"topic: {front.topic}", changes))
    scene = Scene(tmp_path, platform=str(tmp_path / "robot.yaml")).up()
    try:
        info = scene.publisher(CameraInfo, "/front_camera/camera_info")
        jpeg = scene.publisher(CompressedImage, topic, BEST_EFFORT)
        wait_for(lambda: scene.node.count_publishers(topic), "discovery")
        wait_for(lambda: scene.node.count_publishers("/front_camera/camera_info"), "discovery")
        scene.start()
        scene.joined(topic, "/front_camera/camera_info")
        jpeg.publish(CompressedImage(format="jpeg", data=b"\xff\xd8\xff\xd9"))
        info.publish(CameraInfo(width=320, height=240))
        recorded = "/front_camera/camera_info"
        wait_for(lambda: (t := scene.topic(recorded)) and t.message_count == 1, "CameraInfo")
        scene.stop()
        with scene.bag() as bag:
            assert bag.topics[recorded].count == 1
            assert bag.facts.cameras == {"front": topic}
            assert bag.facts.rotations == {"front": 180}
    finally:
        scene.close()


def test_start_is_refused_while_recording_and_stop_without(scene):
    reply = scene.stop()
    assert reply.code == StopEpisode.Response.NOT_RECORDING
    first = scene.start()
    reply = scene.call(StartEpisode)
    assert reply.code == StartEpisode.Response.ALREADY_RECORDING
    assert first.id in reply.message
    reply = scene.stop("splendid")
    assert reply.code == StopEpisode.Response.INVALID_OUTCOME
    wait_for(lambda: scene.episode.state == Episode.STATE_RECORDING, "that it goes on")
    assert scene.stop("failure").code == 0
    wait_for(lambda: scene.episode.outcome == "failure", "the outcome")


def test_a_discarded_episode_is_deleted(scene):
    scene.start(task="wash up")
    reply = scene.stop("discard")
    assert reply.code == StopEpisode.Response.NONE
    assert list(scene.folder.iterdir()) == []
    wait_for(lambda: scene.episode.state == Episode.STATE_IDLE and not scene.episode.path, "idle")


def test_a_full_disk_refuses_and_says_so(scene):
    scene.node._episodes._disk = lambda _: DiskSpace(10, 10**9)
    reply = scene.call(StartEpisode)
    assert reply.code == StartEpisode.Response.NO_SPACE
    wait_for(
        lambda: any(
            "no episode can be started: the disk is full" in s.message for s in statuses(scene)
        ),
        "diagnostics",
    )


def test_a_folder_that_vanished_and_cannot_be_made_is_a_storage_error(scene):
    assert not scene.folder.exists()  # Nothing is made before it is needed.
    scene.folder.write_text("in the way")
    assert scene.call(StartEpisode).code == StartEpisode.Response.STORAGE_ERROR


def test_a_disk_that_fills_up_is_an_error_at_once(scene):
    words = scene.publisher(String, "/pi05/x")
    scene.start()
    scene.joined("/pi05/x")
    words.publish(String(data="before"))
    wait_for(lambda: scene.episode.message_count, "a message")
    scene.node._episodes.session._disk = lambda _: DiskSpace(10, 10**9)
    wait_for(lambda: scene.episode.state == Episode.STATE_ERROR, "the state")
    assert "the disk is full" in scene.episode.message
    wait_for(lambda: any(s.level == b"\x02" for s in statuses(scene)), "an ERROR")
    assert scene.stop().code == StopEpisode.Response.NOT_RECORDING
    wait_for(lambda: scene.node._episodes.session is None, "the bag to be closed")
    with scene.bag() as bag:
        assert bag.facts.ended.startswith("the disk is full")
        assert bag.facts.outcome == ""
    wait_for(lambda: scene.other.count_subscribers("/pi05/x") == 0, "it to stop listening")


def test_the_counts_of_the_episode_and_of_its_topics_are_told(scene):
    words = scene.publisher(String, "/pi05/x")
    scene.start()
    scene.joined("/pi05/x")
    timer = scene.other.create_timer(0.02, lambda: words.publish(String(data="tick")))
    topic = wait_for(
        lambda: (t := scene.topic("/pi05/x")) and t.rate > 20 and t.message_count > 60 and t,
        "a rate",
    )
    timer.cancel()
    assert topic.type == "std_msgs/msg/String"
    assert (topic.lost, topic.dropped, topic.problem) == (0, 0, "")
    assert topic.byte_count == topic.message_count * 13
    message = scene.heard[Recording][-1]
    assert message.id == scene.episode.id
    assert message.free_bytes > 0
    said = wait_for(
        lambda: [v.value for s in statuses(scene) for v in s.values if v.key == "/pi05/x"],
        "diagnostics",
    )
    assert said[-1].endswith("0 lost, 0 dropped")
    scene.stop()
    before = len(scene.heard[Recording])
    wait_for(lambda: scene.episode.state == Episode.STATE_IDLE, "idle")
    assert scene.episode.duration.sec + scene.episode.duration.nanosec * 1e-9 > 1.0
    assert len(scene.heard[Recording]) <= before + 1


def test_messages_that_never_came_are_counted_by_their_numbers(scene):
    words = scene.publisher(String, "/pi05/x")
    scene.start()
    scene.joined("/pi05/x")
    words.publish(String(data="1"))
    wait_for(lambda: (t := scene.topic("/pi05/x")) and t.message_count == 1, "the first")
    session = scene.node._episodes.session
    put, lose = session.put, {2, 3}
    session.put = lambda m: None if m.topic == "/pi05/x" and m.sequence in lose else put(m)
    for text in ("2", "3", "4"):
        words.publish(String(data=text))
    topic = wait_for(
        lambda: (t := scene.topic("/pi05/x")) and t.message_count == 2 and t, "the last"
    )
    assert topic.lost == 2


def test_the_end_of_the_node_closes_the_bag(scene):
    words = scene.publisher(String, "/pi05/x")
    scene.start()
    scene.joined("/pi05/x")
    words.publish(String(data="before"))
    wait_for(lambda: scene.episode.message_count, "a message")
    scene.graph.call(scene.node.trigger_deactivate)
    with scene.bag() as bag:
        assert (bag.facts.outcome, bag.facts.ended) == ("", "recorder stopped")
        assert bag.topics["/pi05/x"].count == 1
    scene.graph.call(scene.node.trigger_activate)
    scene.start()


def test_it_sends_no_heartbeat(scene):
    scene.start()
    wait_for(lambda: len(statuses(scene)) > 1, "two seconds")
    assert scene.heard[Heartbeat] == []
    assert scene.other.count_publishers("heartbeat") == 0


def test_it_begins_by_itself_once_when_the_graph_is_active(tmp_path):
    scene = Scene(tmp_path, record=True, task="wash up", home="3", brain="model").up()
    try:
        state = scene.publisher(String, "lifecycle_manager/state", qos.LATCHED)
        state.publish(String(data="starting"))
        wait_for(lambda: scene.episode.state == Episode.STATE_IDLE, "the topic")
        state.publish(String(data="active"))
        wait_for(lambda: scene.episode.state == Episode.STATE_RECORDING, "recording")
        assert (scene.episode.task, scene.episode.home) == ("wash up", "3")
        scene.stop()
        with scene.bag() as bag:
            assert (bag.facts.brain, bag.facts.checkpoint_hash) == ("model", "random weights")
        state.publish(String(data="recovering"))
        state.publish(String(data="active"))
        wait_for(lambda: len(statuses(scene)) > 3, "some time")
        assert scene.episode.state == Episode.STATE_IDLE
    finally:
        scene.close()


def test_it_waits_for_simulated_time_before_it_begins_by_itself(tmp_path):
    scene = Scene(tmp_path, record=True, use_sim_time=True).up()
    try:
        state = scene.publisher(String, "lifecycle_manager/state", qos.LATCHED)
        state.publish(String(data="active"))
        wait_for(lambda: scene.node._graph_active, "the state")
        said = len(scene.heard[Episode])
        wait_for(lambda: len(scene.heard[Episode]) > said + 1, "a second")
        assert (scene.episode.state, scene.episode.message) == (Episode.STATE_IDLE, "")
        clock = scene.publisher(Clock, "/clock")
        wait_for(lambda: scene.other.count_subscribers("/clock"), "the recorder")
        clock.publish(Clock(clock=ns_to_time(5_000_000_000)))
        wait_for(lambda: scene.episode.state == Episode.STATE_RECORDING, "recording")
    finally:
        scene.close()


def test_the_last_report_counts_every_message(scene):
    words = scene.publisher(String, "/pi05/x")
    scene.start()
    scene.joined("/pi05/x")
    # No message waits for the next report, which would come within a second.
    scene.node._report.publish = lambda: None
    for number in range(100):
        words.publish(String(data=str(number)))
    scene.stop()
    count = wait_for(lambda: (t := scene.topic("/pi05/x")) and t.message_count, "a report")
    assert count == len(scene.messages("/pi05/x", String)) > 0


def test_a_service_that_fails_inside_answers(scene, monkeypatch):
    monkeypatch.setattr(scene.node._episodes, "start", lambda facts: 1 / 0)
    reply = scene.call(StartEpisode)
    assert reply.code == StartEpisode.Response.STORAGE_ERROR
    assert "see the log of recorder" in reply.message
    assert scene.call(StopEpisode, outcome="success").code == 220


def test_simulated_time_that_stands_at_zero_stamps_nothing(tmp_path):
    scene = Scene(tmp_path, use_sim_time=True).up()
    try:
        reply = scene.call(StartEpisode)
        assert reply.code == StartEpisode.Response.STORAGE_ERROR
        assert "/clock" in reply.message
    finally:
        scene.close()


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"include": "("}, "include: not a regular"),
        ({"bags": __file__ + "/bags"}, f"cannot hold bags: '{__file__}' is no folder"),
    ],
)
def test_wrong_parameters_refuse_to_configure(tmp_path, capfd, parameters, said):
    graph = Graph()
    try:
        node = graph.add(Recorder, **{"bags": str(tmp_path), **parameters})
        graph.call(node.trigger_configure)
        assert not node._configured
        assert said in capfd.readouterr().err
    finally:
        graph.close()


def test_an_episode_that_never_was_has_no_message_of_it():
    status = types.SimpleNamespace(
        facts=None, state=RecorderState.IDLE, outcome="", path="", start_ns=0, duration_ns=0,
        message_count=0, byte_count=0, message="",
    )  # fmt: skip
    message = episode_message(status, Episode().header.stamp, "recovered one")
    assert (message.id, message.message) == ("", "recovered one")


def test_bags_left_by_a_crash_are_repaired_and_reported_in_the_background(tmp_path, monkeypatch):
    go_on = threading.Event()

    def slowly(folder, stop):
        assert go_on.wait(10)
        yield True, "episode x was cut off; 7 messages are recovered"

    monkeypatch.setattr(recorder_module, "recover_leftovers", slowly)
    scene = Scene(tmp_path).up()
    try:
        scene.start()
        go_on.set()
        wait_for(lambda: "x was cut off; 7 messages" in scene.episode.message, "the notice")
    finally:
        scene.close()
