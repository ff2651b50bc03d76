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
