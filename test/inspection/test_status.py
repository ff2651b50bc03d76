"""The status as JSON."""

import json
import math

import numpy as np

from pi05_ros.inspection.facts import (
    ChunkFacts,
    DecisionFacts,
    StateFacts,
    SubtaskFacts,
    TeleopFacts,
)
from pi05_ros.inspection.status import StampRate, StatusBoard

SECOND = 1_000_000_000


def state(stamp_ns, row=math.nan, sequence=0):
    return StateFacts(stamp_ns, np.zeros(2), np.zeros(2), 2, "no chunk yet", sequence, row)


def test_before_anything_was_heard_there_are_nulls():
    status = json.loads(StatusBoard().as_json(5 * SECOND))
    assert status["stamp_s"] == 5.0
    for key in ("task", "subtask", "decision", "robot", "teleop", "chunk", "executed"):
        assert status[key] is None
    assert status["rates_hz"] == {"robot_state": 0, "action_chunk": 0, "plan_decision": 0}


def test_everything_that_was_heard_is_there_with_its_age():
    board, nan = StatusBoard(), math.nan
    board.add_subtask(
        SubtaskFacts(SECOND, 7, "wash up", "grüne Tasse", "human", nan, nan, (), "pick the plate")
    )
    board.add_decision(DecisionFacts(2 * SECOND, "period", "overruled", "pick the plate", "why"))
    board.add_chunk(ChunkFacts(3 * SECOND, 3 * SECOND, 12, 7, np.zeros((50, 2)), 4, 0.25))
    board.add_state(state(4 * SECOND, 3.5, 12))
    board.add_teleop(TeleopFacts("aligning", "leader", "far", nan), round(4.5 * SECOND))
    text = board.as_json(5 * SECOND)
    assert "grüne Tasse" in text and "NaN" not in text
    status = json.loads(text)
    assert status["task"] == "wash up"
    assert status["subtask"] == {
        "id": 7, "text": "grüne Tasse", "source": "human", "score": None, "boxes": 0,
        "model_text": "pick the plate", "age_s": 4.0, "latency_s": None,
    }  # fmt: skip
    assert status["decision"]["reason"] == "why" and status["decision"]["age_s"] == 3.0
    assert status["robot"] == {
        "mode": "holding", "reason": "no chunk yet", "control": "none", "age_s": 1.0,
    }  # fmt: skip
    assert status["teleop"] == {
        "state": "aligning", "device": "leader", "reason": "far", "alignment_error": None,
        "age_s": 0.5,
    }  # fmt: skip
    assert status["chunk"] == {
        "sequence": 12, "subtask_id": 7, "rows": 50, "committed": 4, "age_s": 2.0,
        "latency_s": 0.25,
    }  # fmt: skip
    assert status["executed"] == {"sequence": 12, "row": 3.5}
    board.clear()
    assert json.loads(board.as_json(0))["subtask"] is None


def test_rates_are_of_the_last_seconds():
    rate = StampRate()
    for k in range(1000):
        rate.add(k * 20_000_000)
    rate.add(5)  # An old stamp counts for nothing.
    assert abs(rate.at(20 * SECOND) - 50.0) < 1e-6
    assert rate.at(30 * SECOND) == 0.0
