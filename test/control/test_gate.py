"""Chunks of an earlier task are kept out, whatever the order in which things arrive."""

import contextlib

import pytest
from fakes.bridge_robot import JOINT, Robot, at_home
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.control.chunk import ChunkRejected
from pi05_ros.control.gate import TaskGate
from pi05_ros.control.modes import Mode


def test_without_a_planner_every_chunk_is_allowed():
    gate = TaskGate()
    assert gate.allows(0) and gate.allows(7) and not gate.idle


def test_within_a_task_what_was_begun_goes_on():
    gate = TaskGate()
    gate.follow(3, "dishes", "pick up the cup")
    gate.follow(4, "dishes", "put it in the sink")
    assert gate.allows(3) and gate.allows(4) and gate.allows(5)
    assert not gate.allows(2) and not gate.allows(0)


def test_another_task_voids_what_was_before():
    gate = TaskGate()
    gate.follow(3, "dishes", "pick up the cup")
    gate.follow(4, "laundry", "pick up the shirt")
    assert not gate.allows(3) and gate.allows(4)


def test_nothing_to_do_voids_all_until_there_is():
    gate = TaskGate()
    gate.follow(3, "dishes", "pick up the cup")
    gate.follow(4, "dishes", "")
    assert gate.idle and not gate.allows(3) and not gate.allows(4) and gate.allows(5)
    gate.follow(5, "dishes", "go on")
    assert not gate.idle and gate.allows(5) and not gate.allows(4)


def test_a_planner_that_was_started_anew_counts_from_one_again():
    gate = TaskGate()
    gate.follow(30, "dishes", "pick up the cup")
    gate.follow(1, "dishes", "pick up the cup")
    assert gate.allows(1) and gate.allows(30)
    gate.follow(1, "dishes", "pick up the cup")
    assert gate.allows(1)


def test_the_bridge_drops_what_runs_when_the_task_changes():
    robot = Robot().armed()
    robot.bridge.follow_subtask(1, "dishes", "pick up the cup")
    robot.give(subtask_id=1)
    assert robot.tick().mode is Mode.RUNNING
    robot.bridge.follow_subtask(2, "dishes", "put it in the sink")
    assert robot.tick().mode is Mode.RUNNING
    robot.give(subtask_id=2)
    robot.tick()
    robot.bridge.follow_subtask(3, "laundry", "pick up the shirt")
    assert robot.tick().mode is Mode.HOLDING
    with pytest.raises(ChunkRejected, match="subtask 2 belongs to an earlier task"):
        robot.give(subtask_id=2)
    assert robot.bridge.counts["chunks_rejected_task"] == 1
    robot.give(subtask_id=3)
    assert robot.tick().mode is Mode.RUNNING


def test_a_chunk_may_overtake_the_subtask_that_it_serves():
    robot = Robot().armed()
    robot.bridge.follow_subtask(1, "dishes", "pick up the cup")
    robot.give(subtask_id=2)
    robot.tick()
    robot.bridge.follow_subtask(2, "laundry", "pick up the shirt")
    assert robot.tick().mode is Mode.RUNNING


def test_an_empty_subtask_stands_the_robot_and_is_no_trouble():
    robot = Robot().armed()
    robot.bridge.follow_subtask(1, "dishes", "pick up the cup")
    robot.give(subtask_id=1)
    robot.tick()
    assert not robot.bridge.is_idle
    robot.bridge.follow_subtask(2, "dishes", "")
    tick = robot.tick()
    assert (tick.mode, tick.reason) == (Mode.HOLDING, "nothing to do")
    assert robot.bridge.is_idle


EVENTS = st.lists(
    st.sampled_from(["chunk", "old chunk", "task", "idle", "stop", "disarm", "tick", "late task"]),
    min_size=4,
    max_size=40,
)


@settings(max_examples=300, deadline=None)
@given(EVENTS)
def test_no_action_of_an_old_task_or_of_before_a_stop_is_ever_executed(events):
    """Each generation of (task, epoch) asks for a place of its own; the robot never heads back.

    A generation ends with a change of task, a stop or a disarm. Chunks of it that are still on
    their way arrive at any later time.
    """
    robot = Robot().armed()
    robot.body.follows = True
    subtask, generation = 1, 0
    places = {}  # generation -> place that its chunks ask for
    robot.bridge.follow_subtask(1, "task 0", "work")
    sent = []

    def chunk():
        places[generation] = 0.02 * (generation + 1)
        rows = at_home(left_arm_joint_1=places[generation])
        made = robot.chunk(subtask_id=subtask, data=rows.astype("float32").ravel())
        sent.append((generation, made))
        return made

    for event in events:
        if event == "chunk":
            try_chunk(robot, chunk())
        elif event == "old chunk" and sent:
            try_chunk(robot, sent[0][1])
            try_chunk(robot, sent[-1][1])
        elif event in ("task", "idle", "late task"):
            generation, subtask = generation + 1, subtask + 1
            text = "" if event == "idle" else "work"
            if event == "late task":  # Chunks of the old task arrive just after the change.
                late = chunk_of_before = sent[-1][1] if sent else None
                robot.bridge.follow_subtask(subtask, f"task {generation}", text)
                if chunk_of_before is not None:
                    try_chunk(robot, late)
            else:
                robot.bridge.follow_subtask(subtask, f"task {generation}", text)
        elif event == "stop":
            robot.bridge.stop(robot.now, "told to")
            robot.tick(6)
            robot.bridge.reset()
            robot.arm()
            generation += 1
        elif event == "disarm":
            robot.bridge.disarm(robot.now)
            robot.tick(6)
            robot.arm()
            generation += 1
        tick = robot.tick()
        if tick.target is not None:
            wanted = tick.target.chunk.actions[0, JOINT]
            assert wanted == pytest.approx(places[generation], abs=1e-6), (events, generation)


def try_chunk(robot, chunk):
    """Delivers a chunk, which the bridge may refuse."""
    with contextlib.suppress(ChunkRejected):
        robot.bridge.add_chunk(chunk, robot.now)


@pytest.mark.parametrize(
    ("changes", "rule", "said"),
    [
        ({"session": 7}, "session", "its session is 7, the bridge is in session 99"),
        ({"epoch": 8}, "epoch", "its epoch is 8, the current epoch is 2"),
        ({"age": 0.52}, "age", "its observation is 0.52 s old, the limit is 0.5 s"),
        ({"age": -0.06}, "future", "its observation is stamped 0.06 s in the future"),
        ({"start": -0.02}, "start", "row 0 is due -0.02 s after its observation, wanted 0 s"),
        ({"start": 0.16, "age": 0.1}, "start", "row 0 is due 0.16 s after its observation"),
        ({"sequence": 0}, "sequence", "chunk 0 is not newer than chunk 0"),
    ],
)
def test_each_refusal_says_what_was_wanted_and_what_came(changes, rule, said):
    robot = Robot().armed()
    changes = dict(changes)
    age = round(changes.pop("age", 0.0) * 1e9)
    start = round(changes.pop("start", 0.0) * 1e9)
    if rule == "sequence":
        robot.give(sequence=0, stamp_ns=robot.now)
    stamp = robot.now - age
    with pytest.raises(ChunkRejected) as caught:
        robot.give(stamp_ns=stamp, start_ns=stamp + start, **changes)
    assert caught.value.rule == rule and str(caught.value).startswith(said)
    assert robot.bridge.counts[f"chunks_rejected_{rule}"] == 1


def test_the_edges_of_age_and_start_are_allowed():
    robot = Robot().armed()
    robot.give(stamp_ns=robot.now - 500_000_000)
    robot.give(stamp_ns=robot.now)
    robot.give(stamp_ns=robot.now + 50_000_000)
    robot = Robot().armed()
    robot.give(start_ns=robot.now + 50_000_000)
    assert robot.bridge.counts["chunks_accepted"] == 1
