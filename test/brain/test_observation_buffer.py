"""Assembly of pictures and states of one time into an observation."""

import numpy as np

from pi05_ros.brain.observation import Pose, SceneState
from pi05_ros.brain.observation_buffer import ObservationBuffer, Pictures, StateSample

MS = 1_000_000
NOW = 1600 * MS


def state(stamp_ms: int) -> StateSample:
    return StateSample(
        stamp_ms * MS, ("j",), np.array([float(stamp_ms)]), np.array([np.nan]), 1, 1
    )


def pictures(stamp_ms: int, *names: str) -> Pictures:
    return Pictures(stamp_ms * MS, {n: np.zeros((2, 2, 3), np.uint8) for n in names}, {})


def test_the_state_nearest_to_the_pictures_is_taken():
    buffer = ObservationBuffer(["front"], needs_scene=False)
    for stamp in (980, 1000, 1020, 1040):
        buffer.add_state(state(stamp))
    buffer.add_pictures(pictures(1012, "front", "back"))
    moment = buffer.latest(NOW)
    assert moment.observation.state[0] == 1020.0 and moment.observation.stamp_ns == 1012 * MS
    assert list(moment.observation.images) == ["front"]


def test_the_missing_input_is_named():
    buffer = ObservationBuffer(["front", "back"], needs_scene=True)
    assert "no robot_state" in buffer.problem(NOW) and buffer.latest(NOW) is None
    buffer.add_state(state(1000))
    assert "no camera_set" in buffer.problem(NOW)
    buffer.add_pictures(pictures(1000, "front"))
    assert buffer.problem(NOW) == "no picture of back"
    buffer.add_pictures(pictures(1500, "front", "back"))
    assert "no robot_state of the time" in buffer.problem(NOW)
    buffer.add_pictures(pictures(1000, "front", "back"))
    assert "no ground truth" in buffer.problem(NOW)
    pose = Pose(np.zeros(3), np.array([1.0, 0, 0, 0]))
    buffer.add_scene(1005 * MS, SceneState(3, pose, {}))
    assert buffer.problem(NOW) == "" and buffer.latest(NOW).observation.scene.home == 3


def test_states_of_an_earlier_time_are_forgotten_when_time_jumps_back():
    buffer = ObservationBuffer(["front"], needs_scene=False)
    buffer.add_state(state(100_000))
    buffer.add_state(state(1000))
    buffer.add_pictures(pictures(100_000, "front"))
    assert "no robot_state of the time" in buffer.problem(NOW)


def test_old_pictures_are_not_used():
    buffer = ObservationBuffer(["front"], needs_scene=False)
    buffer.add_state(state(1000))
    buffer.add_pictures(pictures(1000, "front"))
    assert buffer.latest(1900 * MS) is not None
    assert buffer.latest(2100 * MS) is None
    assert buffer.problem(2100 * MS) == "the newest pictures are 1.1 s old"


def test_an_optional_camera_is_left_out_after_a_second_and_comes_back_at_once():
    buffer = ObservationBuffer(["front", "back"], needs_scene=False, optional={"back"})

    def at(stamp_ms, *names):
        buffer.add_state(state(stamp_ms))
        buffer.add_pictures(pictures(stamp_ms, *names))
        return buffer.problem(stamp_ms * MS), buffer.latest(stamp_ms * MS)

    _, moment = at(1000, "front", "back")
    assert list(moment.observation.images) == ["front", "back"] and moment.left_out == ()
    assert at(1100, "front")[0] == "no picture of back"  # One lost picture: wait for the next.
    assert at(2000, "front")[0] == "no picture of back"
    problem, moment = at(2100, "front")
    assert problem == "" and moment.left_out == ("back",)
    assert list(moment.observation.images) == ["front"]
    assert at(2200, "back")[0] == "no picture of front"  # That one is needed.
    _, moment = at(2300, "front", "back")
    assert moment.left_out == () and len(moment.observation.images) == 2
    assert at(2400, "front")[0] == "no picture of back"


def test_an_optional_camera_that_never_was_there_is_left_out_too():
    buffer = ObservationBuffer(["back"], needs_scene=False, optional={"back"})
    for stamp in (1000, 3000):
        buffer.add_state(state(stamp))
        buffer.add_pictures(pictures(stamp, "front"))
        assert buffer.problem(stamp * MS) == "no picture of back"  # One picture at least.
    both = ObservationBuffer(["front", "back"], needs_scene=False, optional={"back"})
    for stamp in (1000, 2001):
        both.add_state(state(stamp))
        both.add_pictures(pictures(stamp, "front"))
    assert both.latest(2001 * MS).left_out == ("back",)


def test_without_cameras_the_newest_state_is_the_observation():
    buffer = ObservationBuffer([], needs_scene=False)
    assert "no robot_state" in buffer.problem(NOW)
    buffer.add_state(state(1000))
    buffer.add_state(state(1020))
    moment = buffer.latest(NOW)
    assert moment.observation.stamp_ns == moment.pictures.stamp_ns == 1020 * MS
    assert moment.observation.images == {} and moment.observation.state[0] == 1020.0
    assert buffer.problem(2100 * MS) == "the newest robot_state is 1.1 s old"
    buffer.add_pictures(pictures(500, "front"))  # A camera that stands still changes nothing.
    assert buffer.problem(NOW) == ""
    scene = ObservationBuffer([], needs_scene=True)
    scene.add_state(state(1000))
    assert "no ground truth" in scene.problem(NOW)
