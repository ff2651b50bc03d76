"""The loop around the bridge: arming, measurements, planner, hooks. No physics, no ROS."""

import numpy as np
import pytest

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.chunking.scheduler import ChunkScheduler, SubtaskRef
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.control.modes import Mode
from pi05_ros.evaluation.bridged_robot import BridgedRobot, IdealRobot, joint_states
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
JOINT = PLATFORM.index("left_arm_joint_1")
GRIPPER = PLATFORM.index("left_gripper")
HORIZON = 50
MS = 1_000_000


def raise_arm(observation, request):
    """Return targets that move one joint by 0.2 rad."""
    actions = np.tile(PLATFORM.home, (HORIZON, 1))
    actions[:, JOINT] += 0.2
    return actions


def loop(policy=raise_arm, robot=None, delay=0.1, **more):
    scheduler = ChunkScheduler(ChunkSettings(), PLATFORM.period, HORIZON)
    bridged = BridgedRobot(PLATFORM, robot)
    return ClosedLoop(bridged, scheduler, policy, lambda: delay, **more)


def test_joint_states_are_in_units_of_the_joints_and_without_the_base():
    state = PLATFORM.home.copy()
    state[GRIPPER] = 0.5
    found = dict(zip(*joint_states(PLATFORM, state), strict=True))
    (group,) = (g for g in PLATFORM.groups if g.name == "left_gripper")
    middle = 0.5 * (group.joint_open + group.joint_closed)
    assert found[group.dimensions[0].joint_name] == pytest.approx(middle)
    assert len(found) == PLATFORM.size - int(PLATFORM.is_velocity.sum())


def test_a_robot_that_is_not_measured_has_no_state():
    robot = BridgedRobot(PLATFORM)
    assert robot.state(robot.tick(START_NS), START_NS) is None
    robot.measure(START_NS)
    state = robot.state(robot.tick(START_NS), START_NS)
    np.testing.assert_allclose(state.measured, PLATFORM.home, atol=1e-12)
    assert (state.commanded_ns, state.chunk_sequence) == (0, 0)  # Disarmed: nothing is sent.
    assert np.isnan(state.commanded).all() and np.isnan(state.chunk_row)


def test_the_bridge_is_armed_at_the_first_tick_and_executes_the_policy_within_its_limits():
    ticks = []
    running = loop(hooks=LoopHooks(on_tick=lambda tick, now_ns: ticks.append((now_ns, tick))))
    running.follow("a task", "raise the arm")
    running.run(2.0)
    assert [now_ns - START_NS for now_ns, _ in ticks[:2]] == [7 * MS, 27 * MS]
    assert ticks[0][1].mode is Mode.HOLDING
    course = np.array([tick.command[JOINT] for _, tick in ticks])
    assert course[-1] == pytest.approx(PLATFORM.home[JOINT] + 0.2)
    steps = np.abs(np.diff(course)).max() / PLATFORM.period
    assert 0.1 < steps <= PLATFORM.max_velocity[JOINT] * (1 + 1e-9)


def test_a_chunk_is_executed_as_late_as_its_stages_take():
    timing = LoopTiming(frame=0.04, frame_latency=0.02, transport=0.005, tick_phase=0.0)
    rows = []

    def keep(tick, now_ns):
        if tick.target is not None:
            rows.append((now_ns, tick.target.row))

    running = loop(timing=timing, hooks=LoopHooks(on_tick=keep), delay=0.07)
    running.follow("a task", "raise the arm")
    running.run(0.5)
    # Observed at 100 ms, arrived 95 ms later, executed at the next tick: row 5.
    assert rows[0] == (START_NS + 200 * MS, pytest.approx(5.0))


def test_the_planners_answer_arrives_late_and_empty_text_ends_the_motion():
    answers = [("raise the arm", False)] * 2 + [("", True)] * 5
    stamps = []

    def planner(observation):
        stamps.append(observation.stamp_ns)
        text, done = answers.pop(0)
        return SubtaskPrediction(text, done=done)

    running = loop(planner=planner, task="a task", timing=LoopTiming(plan=0.5, plan_delay=0.2))
    running.run(0.29)
    assert running.subtask.text == "" and not running.requests
    running.run(0.02)
    assert (running.subtask.id, running.subtask.text) == (1, "raise the arm")
    assert running.requests[0].subtask == running.subtask
    running.run(0.5)
    assert running.subtask.id == 1  # The same text is the same subtask.
    running.run(0.7)
    assert (running.subtask.id, running.subtask.text) == (2, "")
    assert running.robot.bridge.mode is Mode.HOLDING
    assert running.robot.bridge.reason == "nothing to do"
    assert stamps[:3] == [START_NS + ms * MS for ms in (100, 600, 1100)]
    assert [stamp for stamp, _ in running.predictions] == stamps[: len(running.predictions)]


def test_pictures_are_those_of_the_observations_time():
    taken, seen = [], []

    def images():
        taken.append(running.now_ns)
        return {"front": np.full((2, 2, 3), len(taken), np.uint8)}

    def policy(observation, request):
        seen.append((observation.stamp_ns, int(observation.images["front"][0, 0, 0])))
        return raise_arm(observation, request)

    running = loop(policy, hooks=LoopHooks(images=images))
    running.follow("a task", "raise the arm")
    running.run(1.0)
    assert len(seen) >= 2
    assert all(taken[number - 1] == stamp_ns for stamp_ns, number in seen)


def test_a_lost_chunk_is_never_executed():
    running = loop(hooks=LoopHooks(lost=lambda release: True))
    running.follow("a task", "raise the arm")
    running.run(1.0)
    assert running.releases and running.robot.bridge.counts["chunks_accepted"] == 0
    assert running.robot.robot.values[JOINT] == PLATFORM.home[JOINT]


def test_a_chunk_that_breaks_a_rule_is_counted_and_not_executed():
    running = loop(lambda observation, request: raise_arm(observation, request) + 100.0)
    running.follow("a task", "raise the arm")
    running.run(0.3)
    assert set(running.rejected) == {"limits"}
    assert running.robot.robot.values[JOINT] == PLATFORM.home[JOINT]


def test_a_robot_that_does_not_follow_latches_a_fault_and_is_not_armed_again():
    robot = IdealRobot(PLATFORM, follows=False)
    running = loop(lambda o, r: raise_arm(o, r) + 0.2 * (np.arange(18) == JOINT), robot)
    running.follow("a task", "raise the arm")
    running.run(3.0)
    assert running.robot.bridge.mode is Mode.FAULTED
    assert "left_arm_joint_1" in running.robot.bridge.reason


def test_an_observation_needs_a_measured_robot():
    with pytest.raises(RuntimeError, match="not measured yet"):
        loop().observe()


def test_a_planner_outside_receives_states_observations_and_chunks():
    states, stamps, chunks = [], [], []
    hooks = LoopHooks(
        images=lambda: {"front": np.zeros((1, 1, 3), np.uint8)},
        on_state=states.append,
        on_observation=lambda stamp_ns, images: stamps.append((stamp_ns, *images)),
        on_release=lambda request, release: chunks.append((request.subtask.id, release.sequence)),
    )
    running = loop(hooks=hooks, timing=LoopTiming(frame=0.1, tick_phase=0.0))
    running.pursue(SubtaskRef("a task", 7, "raise the arm"))
    running.run(0.35)
    assert [state.stamp_ns - START_NS for state in states[:2]] == [0, 20 * MS]
    assert stamps == [(START_NS + ms * MS, "front") for ms in (100, 200, 300)]
    # The observation arrives after 15 ms, and the chunk of it 100 ms later.
    assert chunks == [(7, 1)]


def test_an_inference_that_fails_is_tried_again_at_the_next_observation():
    tried = []

    def policy(observation, request):
        tried.append(observation.stamp_ns)
        return None if len(tried) < 3 else raise_arm(observation, request)

    running = loop(policy, timing=LoopTiming(frame=0.2, tick_phase=0.0))
    running.follow("a task", "raise the arm")
    running.run(0.65)
    assert tried == [START_NS + ms * MS for ms in (100, 300, 500)]
    assert [request.stamp_ns for request, _ in running.releases] == tried[2:]
