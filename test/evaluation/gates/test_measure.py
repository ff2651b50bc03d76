"""Gates of brains whose faults are known."""

import numpy as np
import pytest
from fakes.gate_episodes import PICK, PLATFORM, PUT, RecordedBrain, cup_said, gate_episode

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.evaluation.gates.episodes import GateError
from pi05_ros.evaluation.gates.limits import GATES
from pi05_ros.evaluation.gates.measure import measure
from pi05_ros.evaluation.gates.moments import evenly
from pi05_ros.model.text.fast_coefficients import FastError


@pytest.fixture
def gates(tmp_path):
    """Measures a brain in two homes; returns value by gate, and the measurement."""

    def run(brain, grounder=None, samples=400):
        episodes = [gate_episode("10000"), gate_episode("10001")]
        cache = CacheFolder(tmp_path)
        opened = None if brain is None else lambda platform: brain
        made = measure(episodes, opened, grounder, samples, cache)
        results = {gate.name: made.values.result(gate) for gate in GATES}
        return {name: result.value for name, result in results.items()}, results, made

    return run


def columns(**values):
    change = np.zeros(PLATFORM.size)
    for name, value in values.items():
        change[PLATFORM.index(name)] = value
    return change


def test_the_recorded_answers_reach_every_gate(gates):
    boxes = (cup_said(), cup_said("left_wrist"))
    values, results, made = gates(RecordedBrain(boxes=boxes))
    assert values["dish_near"] == values["dish_near_pick"] == values["dish_wrist"] == 1.0
    assert values["dish_px"] == pytest.approx(0.0, abs=1e-9)
    assert values["hand_cm"] == values["hand_base_cm"] == 0.0
    assert values["gripper"] == values["subtask"] == 1.0
    assert values["done_said"] == values["done_not_early"] == 1.0
    assert results["dish_far"].reason == "no moment of the episodes shows it"
    assert {result.reached for result in results.values()} == {True, None}
    assert results["hand_cm"].homes == 2 and made.failed_chunks == 0
    # 14 observations of each home, since the first needs a picture before; plans at 7 of them.
    assert made.chunks == 28 and made.plans == 14
    assert results["subtask"].cases == 12 and results["done_said"].cases == 2


def test_a_base_that_is_too_fast_moves_the_hand(gates):
    values, results, _ = gates(RecordedBrain(columns(base_vx=0.1)))
    assert values["hand_cm"] == pytest.approx(5.0)  # 0.1 m/s for 25 rows of 20 ms.
    assert values["hand_base_cm"] == pytest.approx(0.0, abs=1e-9)
    assert results["hand_cm"].reached is False


def test_the_hand_is_compared_at_row_25(gates):
    change = np.zeros((50, PLATFORM.size))
    change[25, PLATFORM.index("torso_lift")] = 0.03
    values, _, _ = gates(RecordedBrain(change))
    assert values["hand_cm"] == values["hand_cm_p90"] == pytest.approx(3.0)


def test_grippers_count_by_the_half(gates):
    # The right one is recorded open: at 0.4 it counts as closed, which is half of all.
    values, results, _ = gates(RecordedBrain(columns(right_gripper=-0.6)))
    assert values["gripper"] == 0.5 and results["gripper"].reached is False


def test_subtasks_are_compared_without_their_spaces(gates):
    assert gates(RecordedBrain(text=f" {PICK.replace(' ', '  ')} "))[0]["subtask"] == 2 / 6
    assert gates(RecordedBrain(text=PUT + "s"))[0]["subtask"] == 0.0


def test_done_at_the_wrong_moments(gates):
    values, results, _ = gates(RecordedBrain(done_early=True))
    assert values["done_said"] == values["done_not_early"] == values["subtask"] == 0.0
    assert results["done_said"].reached is False and results["done_not_early"].reached is False


def test_a_box_beside_the_dish(gates):
    """3 of 112 pixels count, 4 do not; the wrist has no box, which is a miss."""
    values, _, _ = gates(RecordedBrain(boxes=(cup_said(right=2.9 / 112),)))
    assert values["dish_near"] == 1.0 and values["dish_px"] == pytest.approx(2.9)
    assert values["dish_wrist"] == 0.0
    assert gates(RecordedBrain(boxes=(cup_said(right=4 / 112),)))[0]["dish_near"] == 0.0


def test_boxes_of_other_things_are_no_measurement(gates):
    _, results, _ = gates(RecordedBrain(boxes=(cup_said(label="blue cup"),)))
    assert "has no heat maps" in results["dish_near"].reason
    assert results["dish_near"].value is None and results["dish_near"].reached is None


class Points:
    """Heat maps whose peak is 3.5 pixels below the cup, in every picture."""

    picture_size = (24, 32)

    def points(self, images, text):
        assert text in (PICK, PUT) and {p.shape for p in images.values()} == {(24, 32, 3)}
        return dict.fromkeys(images, (0.5, 0.5 + 3.5 / 112 * 32 / 24))


def test_weights_that_only_see_are_measured_by_their_heat_maps(gates):
    values, results, made = gates(None, Points())
    assert values["dish_px"] == pytest.approx(3.5) and values["dish_near"] == 0.0
    assert made.chunks == 0 and made.plans == results["dish_px"].cases == 12
    assert results["gripper"].reason == results["hand_cm"].reason == "the checkpoint does not act"
    assert results["subtask"].reason == "the checkpoint says no subtasks"
    with pytest.raises(GateError, match="neither acts nor sees"):
        gates(None)


def test_heat_maps_go_before_boxes(gates):
    values, _, _ = gates(RecordedBrain(boxes=(cup_said(),)), Points())
    assert values["dish_px"] == pytest.approx(3.5) and values["dish_near"] == 0.0


def test_without_a_high_level_only_points_and_chunks_are_measured(gates):
    values, results, made = gates(RecordedBrain(speaks=False))
    assert made.plans == 0 and values["gripper"] == 1.0
    assert results["subtask"].reason == "the checkpoint says no subtasks"
    assert "has no heat maps" in results["dish_near"].reason


def test_fast_tokens_that_are_no_chunk_are_wrong(gates):
    error = FastError("text", "wanted a chunk", "found a word")
    values, results, made = gates(RecordedBrain(error=error))
    assert values["gripper"] == 0.0 and values["hand_cm"] == np.inf
    assert results["hand_cm"].reached is False and made.failed_chunks == made.chunks


def test_fewer_samples_are_spread_over_the_homes(gates):
    _, results, made = gates(RecordedBrain(), samples=8)
    assert made.chunks == 8 and made.plans == 8
    assert results["gripper"].homes == 2 and results["done_said"].cases == 2


def test_a_brain_without_pictures_is_refused(gates):
    brain = RecordedBrain()
    object.__setattr__(brain.info, "image_size", None)
    with pytest.raises(GateError, match="uses no pictures"):
        gates(brain)


def test_evenly():
    assert evenly(range(10), 3) == [1, 5, 8]
    assert evenly([4, 7], 5) == [4, 7]
    assert evenly([4, 7], 0) == []
