"""Policy over real topics: modes, fields of a chunk, and rejection of old ones."""

import threading

import numpy as np
import pytest

pytest.importorskip("rclpy")

from fakes.brain import FakeBrain, FakeSource
from fakes.eyes import Eyes
from fakes.graph import wait_for
from rclpy.lifecycle import TransitionCallbackReturn

from pi05_msgs.msg import ActionChunk, Heartbeat, RobotState, Subtask
from pi05_ros.brain.interface import ChunkPrediction
from pi05_ros.brain.timings import Times
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.conversions import time_to_ns
from pi05_ros.nodes.common.health import ERROR
from pi05_ros.nodes.policy.policy import Policy
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")


class Scene:
    """A policy with a fake brain; the test publishes subtasks and robot states."""

    def __init__(self, graph, brain=None, **parameters):
        self.node = graph.plain("test")
        self.brain = brain or FakeBrain(PLATFORM)
        self.chunks: list[ActionChunk] = []
        self.node.create_subscription(
            ActionChunk, "action_chunk", self.chunks.append, qos.ACTION_CHUNK
        )
        self.subtask = self.node.create_publisher(Subtask, "subtask", qos.LATCHED)
        self.policy = graph.add(
            lambda **a: Policy(brain_source=FakeSource(self.brain), **a),
            execution_horizon=10,
            **parameters,
        )
        self.eyes = Eyes(graph.plain("eyes"), PLATFORM)

    def start(self):
        assert self.policy.trigger_configure() == TransitionCallbackReturn.SUCCESS
        assert self.policy.trigger_activate() == TransitionCallbackReturn.SUCCESS
        self.say("pick up the cup")
        return self

    def say(self, text, number=1, task="tidy up"):
        self.subtask.publish(Subtask(id=number, task=task, text=text))

    def wait_for_chunks(self, count):
        wait_for(lambda: len(self.chunks) >= count, f"{count} chunks")


def test_a_chunk_says_where_its_time_went(graph):
    scene = Scene(graph)
    times = Times(waited=0.125, vision=0.25, prefix=0.5, generation=1.0, total=1.875)
    scene.brain.predict_chunk = lambda *_: ChunkPrediction(scene.brain.chunk, times)
    scene.start()
    scene.wait_for_chunks(1)
    chunk = scene.chunks[0]
    ledger = chunk.ledger
    course = [ledger.capture, ledger.ingestion, ledger.arrival, ledger.start, ledger.publication]
    stamps = [time_to_ns(stamp) for stamp in course]
    assert stamps == sorted(stamps) and stamps[0] == time_to_ns(chunk.header.stamp)
    assert (ledger.waited, ledger.vision, ledger.prefix, ledger.flow) == (0.125, 0.25, 0.5, 1.0)
    assert chunk.latency == pytest.approx((stamps[-1] - stamps[0]) * 1e-9)
    assert time_to_ns(chunk.start) == time_to_ns(chunk.header.stamp)


def test_a_chunk_is_of_the_time_of_the_policys_own_pictures(graph):
    """The back camera, which the policy does not read, is 40 ms older than its cameras."""
    scene = Scene(graph)
    scene.eyes.behind = {"back": 40_000_000, "left_wrist": 10_000_000}
    states = []
    scene.node.create_subscription(RobotState, "robot_state", states.append, qos.ROBOT_STATE)
    scene.start()
    scene.wait_for_chunks(2)
    taken = {time_to_ns(state.header.stamp) - 10_000_000 for state in states}
    assert {time_to_ns(chunk.header.stamp) for chunk in scene.chunks[:2]} <= taken


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_chunks_go_on_from_the_one_that_runs(graph, mode):
    scene = Scene(graph, chunk_mode=mode).start()
    scene.wait_for_chunks(4)
    assert scene.brain.warmed == [mode]
    assert scene.chunks[0].committed == 0 and scene.brain.continued[0] is None
    later = scene.brain.continued[3]
    assert later.mode == mode and 0 < later.committed == scene.chunks[3].committed
    np.testing.assert_allclose(later.actions[0], PLATFORM.home, atol=1e-9)


@pytest.mark.parametrize(("source", "is_cut"), [("human", True), ("model", False)])
def test_an_operators_subtask_is_not_pulled_back_to_the_earlier_plan(graph, source, is_cut):
    scene = Scene(graph, chunk_mode="rtc").start()
    scene.wait_for_chunks(4)
    text = "pick up the fork"
    scene.subtask.publish(Subtask(id=2, task="tidy up", text=text, source=source))
    wait_for(lambda: scene.chunks[-1].subtask_id == 2, "a chunk of the new subtask")
    first = [said for _, said in scene.brain.acted].index(text)
    going_on = scene.brain.continued[first]
    assert going_on.committed > 0
    assert (going_on.overlap == going_on.committed) is is_cut


@pytest.mark.parametrize(
    ("continuations", "mode"), [(("trained_rtc", "rtc"), "trained_rtc"), (("rtc",), "async")]
)
def test_by_itself_it_takes_what_costs_nothing(graph, continuations, mode):
    brain = FakeBrain(PLATFORM)
    object.__setattr__(brain.info, "continuations", continuations)
    scene = Scene(graph, brain).start()
    scene.wait_for_chunks(3)
    assert scene.policy.health().values["mode"] == mode
    assert any(brain.continued) is (mode == "trained_rtc")
    assert brain.warmed == ([] if mode == "async" else [mode])


def test_a_mode_that_the_brain_lacks_is_refused_when_it_is_configured(graph, capfd):
    brain = FakeBrain(PLATFORM)
    object.__setattr__(brain.info, "continuations", ("rtc",))
    scene = Scene(graph, brain, chunk_mode="trained_rtc")
    assert scene.policy.trigger_configure() == TransitionCallbackReturn.FAILURE
    wait_for(
        lambda: "'trained_rtc': this brain does not support the mode" in capfd.readouterr().err,
        "the reason",
    )
    assert brain.closed


def test_settings_that_leave_no_rows_are_refused_when_it_is_configured(graph, capfd):
    scene = Scene(graph, chunk_margin=45)
    assert scene.policy.trigger_configure() == TransitionCallbackReturn.FAILURE
    wait_for(
        lambda: "must be below the horizon of 50 rows together" in capfd.readouterr().err,
        "the reason",
    )


def test_sync_publishes_what_is_executed_and_starts_it_at_publication(graph):
    scene = Scene(graph, chunk_mode="sync").start()
    scene.wait_for_chunks(3)
    for chunk in scene.chunks:
        assert chunk.horizon == 10 and chunk.committed == 0
        assert chunk.start == chunk.ledger.publication
    for chunk, following in zip(scene.chunks, scene.chunks[1:], strict=False):
        over = time_to_ns(chunk.start) + 9 * 20_000_000
        assert time_to_ns(following.header.stamp) > over


def test_health_says_mode_rate_delay_and_what_became_of_chunks(graph):
    scene = Scene(graph, chunk_mode="rtc").start()
    scene.wait_for_chunks(4)
    wait_for(lambda: "chunks executed" in scene.policy.health().values, "an execution")
    health = scene.policy.health()
    assert health.message == "publishing chunks" and health.values["mode"] == "rtc"
    assert float(health.values["chunks per second"]) > 0
    assert float(health.values["delay of the last chunk [rows]"]) >= 0
    scene.eyes.executes = False
    wait_for(lambda: "executed none of the last" in scene.policy.health().message, "the trouble")
    assert scene.policy.health().values["chunks never executed"] >= 2


class SlowBrain(FakeBrain):
    """Thinks until the test lets it go on."""

    def __init__(self):
        super().__init__(PLATFORM)
        self.thinking, self.go = threading.Event(), threading.Event()

    def predict_chunk(self, observation, subtask, continuation=None):
        self.thinking.set()
        assert self.go.wait(10.0)
        return super().predict_chunk(observation, subtask, continuation)


def heartbeats(scene):
    beats = []
    scene.node.create_subscription(Heartbeat, "heartbeat", beats.append, qos.HEARTBEAT)
    return beats


def test_an_inference_that_hangs_makes_the_heartbeat_unfit_until_it_returns(graph):
    scene = Scene(graph, SlowBrain(), inference_limit_s=0.5)
    beats = heartbeats(scene)
    scene.start()
    assert scene.brain.thinking.wait(10.0)
    wait_for(lambda: beats and not beats[-1].fit, "an unfit heartbeat")
    assert "an inference has not returned for 0." in beats[-1].reason
    assert scene.policy.health().message.startswith("no chunks: an inference has not returned")
    assert scene.policy.health().level == ERROR
    scene.brain.go.set()
    wait_for(lambda: beats[-1].fit, "a fit heartbeat")
    scene.wait_for_chunks(1)


def test_inferences_that_fail_make_the_heartbeat_unfit_until_one_succeeds(graph):
    scene = Scene(graph)
    beats = heartbeats(scene)
    scene.brain.fail = True
    scene.start()
    wait_for(lambda: beats and not beats[-1].fit, "an unfit heartbeat")
    assert "inferences in a row failed (RuntimeError: the fake brain" in beats[-1].reason
    scene.brain.fail = False
    wait_for(lambda: beats[-1].fit, "a fit heartbeat")
    scene.wait_for_chunks(1)


def test_a_chunk_of_a_subtask_that_is_over_is_not_published(graph):
    scene = Scene(graph, SlowBrain()).start()
    assert scene.brain.thinking.wait(10.0)
    scene.say("pick up the fork", 2)
    wait_for(lambda: scene.policy._subtask.id == 2, "the new subtask")
    scene.brain.go.set()
    scene.wait_for_chunks(1)
    assert scene.chunks[0].subtask_id == 2 and scene.chunks[0].sequence == 1
    assert scene.policy.health().values["chunks of an older subtask"] == 1


def test_a_chunk_of_an_epoch_that_is_over_is_not_published(graph):
    scene = Scene(graph, SlowBrain()).start()
    assert scene.brain.thinking.wait(10.0)
    scene.eyes.epoch = 3
    wait_for(lambda: scene.policy._scheduler._robot.matches(5, 3), "the new epoch")
    scene.brain.go.set()
    scene.wait_for_chunks(1)
    assert scene.chunks[0].epoch == 3
    assert scene.policy.health().values["chunks of another epoch"] == 1


def test_a_brain_that_changes_committed_rows_moves_nothing(graph, capfd):
    scene = Scene(graph, chunk_mode="rtc").start()
    scene.wait_for_chunks(1)
    moved = scene.brain.chunk + 0.01
    scene.brain.predict_chunk = lambda *_: ChunkPrediction(moved)
    wait_for(lambda: "committed rows" in capfd.readouterr().err, "a refusal")


def test_activation_begins_anew(graph):
    scene = Scene(graph).start()
    scene.wait_for_chunks(3)
    assert graph.call(scene.policy.trigger_deactivate) == TransitionCallbackReturn.SUCCESS
    asked = len(scene.brain.continued)
    assert graph.call(scene.policy.trigger_activate) == TransitionCallbackReturn.SUCCESS
    wait_for(lambda: len(scene.brain.continued) > asked, "a chunk")
    assert scene.brain.continued[asked] is None
    wait_for(lambda: scene.chunks[-1].sequence < 3, "a new count")
