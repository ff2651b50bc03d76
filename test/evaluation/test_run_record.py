"""The record of a run, from its events."""

import json

import pytest

from pi05_ros.control.modes import Mode
from pi05_ros.demo.summary import DemoRequest, summarize, write_summary
from pi05_ros.evaluation.run_record import Commands, RunRecord, Score

ASKED = DemoRequest("mobile_18dof", 3, "put the dishes in the sink", "expert", "", 0, 60.0)


def begun(sim_s=100.0, wall_s=5.0):
    record = RunRecord()
    record.clock(sim_s, wall_s)
    record.begin()
    return record


def test_subtasks_have_their_times_from_the_beginning_of_the_task():
    record = begun(sim_s=100.0)
    record.clock(100.5, 6.0)
    record.subtask("pick up the plate", "external")
    record.clock(104.0, 9.0)
    record.subtask("pick up the plate", "external")  # Boxes changed, the words did not.
    record.subtask("put it down", "human")
    assert record.current_subtask == "put it down"
    record.clock(110.0, 12.0)
    record.end()
    assert [(s.text, s.source, s.start_s, s.end_s) for s in record.subtasks()] == [
        ("pick up the plate", "external", 0.5, 4.0),
        ("put it down", "human", 4.0, 10.0),
    ]
    assert record.current_subtask == ""


def test_an_empty_subtask_ends_the_last_and_is_none_itself():
    record = begun()
    record.subtask("pick up the plate", "external")
    record.clock(102.0, 7.0)
    record.subtask("", "external")
    record.clock(103.0, 8.0)
    record.subtask("pick up the plate", "external")
    assert [(s.start_s, s.end_s) for s in record.subtasks()] == [(0.0, 2.0), (3.0, None)]


def test_what_came_before_the_task_does_not_count():
    record = RunRecord()
    record.clock(50.0, 1.0)
    record.subtask("old", "external")
    record.chunk(49.9)
    record.health("policy", 2, "no camera set yet")
    record.begin()
    assert (record.subtasks(), record.faults(), record.chunks, record.sim_s) == ([], [], 0, 0.0)
    assert record.chunk_age_s == pytest.approx(0.1)


def test_what_comes_while_the_graph_stops_does_not_count():
    record = begun(sim_s=100.0)
    record.clock(101.0, 6.0)
    record.end()
    record.clock(105.0, 9.0)
    record.subtask("late", "external")
    record.chunk(104.0)
    record.health("policy", 2, "the planner is gone")
    record.robot_state(Mode.FAULTED, "late")
    assert record.holds() == []
    assert (record.sim_s, record.subtasks(), record.chunks, record.faults()) == (1.0, [], 0, [])


def test_the_real_time_factor_is_of_the_task_alone():
    record = begun(sim_s=100.0, wall_s=5.0)
    record.clock(130.0, 45.0)
    assert record.real_time_factor == pytest.approx(0.75)
    assert RunRecord().real_time_factor is None


def test_a_fault_is_told_once_however_its_numbers_change():
    record = begun()
    record.clock(101.0, 6.0)
    record.health("policy", 2, "no camera set for 2.1 s")
    record.health("policy", 2, "no camera set for 3.1 s")
    record.health("policy", 1, "only a warning")
    record.health("planner", 2, "no camera set for 4.0 s")
    assert [(f.source, f.text, f.first_s, f.count) for f in record.faults()] == [
        ("policy", "no camera set for 2.1 s", 1.0, 2),
        ("planner", "no camera set for 4.0 s", 1.0, 1),
    ]


def test_rates_are_of_the_last_five_seconds():
    record = begun()
    for i in range(200):
        now = 100.0 + 0.1 * i
        record.clock(now, 5.0 + i)
        record.picture()
        if i % 5 == 0 and now > 116:
            record.chunk(now)
        if i % 10 == 0:
            record.commanded(Commands(sent=round((now - 100.0) * 50)))
    commands, chunks, pictures = record.rates_hz()
    assert commands == pytest.approx(50.0)
    assert pictures == pytest.approx(10.0, abs=0.2)
    assert chunks == pytest.approx(8 / 5, abs=0.21)


def test_a_score_is_full_only_when_there_is_something_to_reach():
    assert not Score().is_full
    assert not Score(7.0, 8.0).is_full
    assert Score(8.0, 8.0).is_full


def test_the_summary_says_what_was_asked_and_what_came(tmp_path):
    record = begun()
    record.brain = "scripted"
    record.score = Score(2.0, 8.0, {"pick up the plate": (1.0, 1.0)})
    record.subtask("pick up the plate", "external")
    record.robot_state(Mode.RUNNING, "")
    record.clock(104.0, 10.0)
    record.robot_state(Mode.HOLDING, "planner is silent for 0.2 s")
    record.clock(105.5, 12.0)
    record.robot_state(Mode.RUNNING, "")
    record.clock(109.0, 20.0)
    record.robot_state(Mode.DISARMED, "planner is gone")
    record.chunk(100.0)
    record.health("policy", 2, "late")
    record.commanded(Commands(490, 10, {"rejected": 2, "not_finite": 0}))
    record.clock(110.0, 25.0)
    record.end()
    write_summary(tmp_path / "summary.json", summarize(ASKED, record, "time", ""))
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert list(tmp_path.iterdir()) == [tmp_path / "summary.json"]
    assert summary == {
        "platform": "mobile_18dof",
        "home": 3,
        "task": "put the dishes in the sink",
        "brain": "expert",
        "brain_description": "scripted",
        "checkpoint": "",
        "seed": 0,
        "seconds": 60.0,
        "ended": "time",
        "failure": "",
        "points": 2.0,
        "max_points": 8.0,
        "criteria": [{"text": "pick up the plate", "points": 1.0, "max_points": 1.0}],
        "simulated_seconds": 10.0,
        "real_time_factor": 0.5,
        "ticks_sent": 490,
        "ticks_missed": 10,
        "chunks": 1,
        "bag": None,
        "subtasks": [
            {"text": "pick up the plate", "source": "external", "start_s": 0.0, "end_s": 10.0}
        ],
        "holds": [
            {
                "start_s": 4.0,
                "seconds": 1.5,
                "mode": "HOLDING",
                "reason": "planner is silent for 0.2 s",
            },
            {"start_s": 9.0, "seconds": 1.0, "mode": "DISARMED", "reason": "planner is gone"},
        ],
        "holds_after_start": 2,
        "faults": [
            {"source": "policy", "text": "late", "first_s": 9.0, "count": 1},
            {"source": "mock_home", "text": "commands: rejected", "count": 2},
        ],
    }


def test_a_run_that_never_began_has_a_summary_too():
    summary = summarize(ASKED, RunRecord(), "failed", "the graph did not come up")
    assert summary["real_time_factor"] is None
    assert summary["failure"] == "the graph did not come up"
    assert (summary["points"], summary["chunks"], summary["subtasks"]) == (0.0, 0, [])


def test_no_run_can_be_timed_before_the_clock_is_heard():
    record = RunRecord()
    assert not record.has_clock
    record.clock(5.0, 100.0)
    assert record.has_clock


def test_a_step_of_the_clock_that_was_not_heard_is_no_silence_of_the_bridge():
    record = begun(sim_s=100.0)
    record.robot_state(Mode.RUNNING, "")
    record.clock(105.0, 9.0)
    assert record.robot.mode is Mode.RUNNING
    for i in range(1, 60):
        record.clock(105.0 + i * 0.05, 9.0 + i)
    assert record.robot.reason == "control_bridge is silent for 3.0 s"
