"""Requests and continuations of the scheduler, one state and one observation at a time."""

import numpy as np
import pytest
from fakes.scheduled_policy import ACTIONS, HORIZON, START, SUBTASK, Policy, rows

from pi05_ros.chunking.scheduler import ChunkScheduler, SubtaskRef
from pi05_ros.chunking.settings import CHUNK_MODES, ChunkSettings, settle_mode
from pi05_ros.errors import ConfigError


@pytest.fixture(params=[name for name, mode in CHUNK_MODES.items() if not mode.waits])
def running(request):
    return Policy(mode=request.param)


def test_the_first_chunk_starts_afresh_and_at_once(running):
    request = running.ask(5)
    assert request.is_first and request.continuation is None
    assert (request.session, request.epoch, request.asked_rows) == (5, 2, 1.0)
    _, release = running.publish(request, 9)
    assert (release.sequence, release.start_ns, release.committed) == (1, rows(5), 0)
    assert release.actions is ACTIONS


def test_the_next_one_is_asked_for_after_the_execution_horizon(running):
    running.run_one(0)
    assert running.ask(15) is None and running.ask(19.9) is None
    assert running.ask(20) is not None


def test_an_observation_is_used_once(running):
    running.run_one(0)
    assert running.ask(0) is None and running.ask(-1) is None


def test_what_is_left_of_the_horizon_is_measured_against_the_delay():
    policy = Policy(mode="async", execution_horizon=46, initial_delay=12, chunk_margin=3)
    policy.run_one(0)
    for k in range(2, 30, 2):
        assert policy.ask(k) is None, k
    # At 30 the next look, at 32, would leave 49 - 32 = 17 rows: 1 are past, 12 + 3 are needed.
    assert policy.ask(30) is None
    assert policy.ask(32) is not None


def test_observations_that_come_seldom_are_not_waited_for():
    policy = Policy(mode="async", execution_horizon=46, initial_delay=12, chunk_margin=3)
    policy.run_one(0)
    assert policy.ask(8) is None and policy.ask(16) is None and policy.ask(24) is None
    # 49 - 26 = 23 rows are left, but the next look is 8 rows away.
    assert policy.ask(26) is not None


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_a_chunk_goes_on_from_the_running_one(mode):
    policy = Policy(mode=mode, initial_delay=6)
    policy.run_one(0, delay=4)
    request = policy.ask(20)
    found = request.continuation
    assert (found.mode, found.overlap) == (mode, 30) and not request.is_first
    assert found.committed == 7  # One row past when it is asked for, and six to come.
    np.testing.assert_array_equal(found.actions[:30], ACTIONS[20:])
    np.testing.assert_array_equal(found.actions[30:], np.tile(ACTIONS[-1], (20, 1)))
    assert policy.publish(request, 24)[1].committed == 7


def test_committed_rows_are_rounded_up_and_are_part_of_the_plan():
    policy = Policy(mode="rtc", initial_delay=6)
    policy.run_one(0)
    assert policy.ask(20, now=20.2).continuation.committed == 7
    policy = Policy(mode="rtc", initial_delay=40)
    policy.run_one(0)
    found = policy.ask(20).continuation
    assert found.committed == found.overlap == 30


def test_async_goes_on_from_nothing():
    policy = Policy(mode="async")
    policy.run_one(0)
    request = policy.ask(20)
    assert request.continuation is None and not request.is_first


def test_delay_is_the_row_of_first_execution_less_what_was_past_when_asked(running):
    running.run_one(0, delay=19)  # The first one counts as long as there is no other.
    assert running.scheduler.estimate_rows == 18
    running.run_one(20, delay=7.5)
    assert running.scheduler.delay_rows == 7.5 and running.scheduler.estimate_rows == 6.5
    running.say(rows(30), None)
    running.run_one(40, delay=30)  # The first one after a hold.
    assert running.scheduler.delay_rows == 30 and running.scheduler.estimate_rows == 6.5


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_nothing_goes_on_across_a_hold(mode):
    policy = Policy(mode=mode)
    policy.run_one(0)
    policy.say(rows(10), None)
    request = policy.ask(10)  # At once: the robot waits.
    assert request.is_first and request.continuation is None


@pytest.mark.parametrize("changes", [{"epoch": 3}, {"session": 6}])
def test_nothing_goes_on_across_epochs_and_sessions(changes):
    policy = Policy(mode="rtc")
    chunk = policy.run_one(0)
    thinking = policy.ask(20)
    policy.say(rows(21), chunk, 21.0, **changes)
    assert policy.scheduler.refusal(thinking, SUBTASK, rows(22)) == "of another epoch"
    request = policy.ask(22)
    assert request.is_first and request.continuation is None
    # An observation from before it is of no use.
    assert policy.scheduler.request(rows(45), 5, 2, SUBTASK, rows(46)) is None


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_a_new_subtask_is_answered_at_once_and_goes_on(mode):
    policy = Policy(mode=mode)
    policy.run_one(0)
    other = SubtaskRef("tidy up", 2, "pick up the fork")
    request = policy.ask(5, subtask=other)
    assert request.continuation.overlap == 45
    assert policy.scheduler.refusal(request, SUBTASK, rows(6)) == "of an older subtask"
    assert policy.scheduler.refusal(request, None, rows(6)) == "of an older subtask"
    assert policy.scheduler.counts["of an older subtask"] == 2


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_a_subtask_of_another_task_starts_afresh(mode):
    policy = Policy(mode=mode)
    policy.run_one(0)
    request = policy.ask(5, subtask=SubtaskRef("make the bed", 2, "pick up the cup"))
    assert request.is_first and request.continuation is None


def test_a_new_subtask_is_not_answered_from_pictures_older_than_the_last_ones(running):
    running.run_one(4)
    other = SubtaskRef("tidy up", 2, "pick up the fork")
    assert running.ask(2, now=9, subtask=other) is None  # The bridge would refuse it.
    assert running.ask(4, now=9, subtask=other) is not None


def test_a_planner_that_counts_anew_has_a_new_subtask(running):
    running.run_one(0)
    assert running.ask(5, subtask=SubtaskRef("tidy up", 1, "pick up the fork")) is not None


def test_a_chunk_that_never_came_is_counted_and_what_runs_goes_on():
    policy = Policy(mode="rtc")
    first = policy.run_one(0)
    policy.publish(policy.ask(20), 24)
    policy.say(rows(34), first, 34.0)
    assert policy.scheduler.counts["never executed"] == 0
    policy.say(rows(35), first, 35.0)
    assert policy.scheduler.counts["never executed"] == 1
    assert policy.scheduler.counts["executed"] == 1
    request = policy.ask(40)
    np.testing.assert_array_equal(request.continuation.actions[0], ACTIONS[40])
    assert policy.scheduler.estimate_rows == 10  # A chunk that was not executed has no delay.


def test_chunks_that_an_unarmed_robot_leaves_are_no_loss_and_come_at_leisure(running):
    running.say(rows(0), None, mode=3)
    running.publish(running.ask(0), 4)
    running.say(rows(15), None, mode=3)
    assert running.scheduler.counts["never executed"] == 0
    assert running.ask(15) is None and running.ask(20) is not None


def test_a_chunk_whose_rows_are_past_is_not_published(running):
    request = running.ask(0)
    assert running.scheduler.refusal(request, SUBTASK, rows(49)) == ""
    assert running.scheduler.refusal(request, SUBTASK, rows(49.1)) == "past when done"


def test_running_out_is_counted(running):
    chunk = running.run_one(0)
    running.say(rows(30), None)
    assert running.scheduler.counts["ran out"] == 0  # A hold is not the chunk's end.
    chunk = running.run_one(40)
    running.say(rows(88), chunk, 48.0)
    running.say(rows(90), None)
    assert running.scheduler.counts["ran out"] == 1


def test_time_that_jumps_back_begins_anew(running):
    running.run_one(100)
    request = running.ask(5)
    assert request is not None and request.is_first


def test_sync_asks_when_the_robot_stands_and_its_rows_begin_at_publication():
    policy = Policy(mode="sync")
    assert policy.ask(-1) is None  # Seen before the robot was known to stand.
    chunk = policy.publish(policy.ask(0), 9)
    assert chunk[1].start_ns == rows(9) and chunk[1].committed == 0
    np.testing.assert_array_equal(chunk[1].actions, ACTIONS[:20])
    policy.say(rows(10), chunk, 1.0)
    assert policy.ask(12) is None and policy.ask(28) is None
    policy.say(rows(29), None, commanded=np.ones(2))  # Braking.
    assert policy.ask(29) is None
    policy.say(rows(30), None, commanded=np.full(2, 1.5))
    policy.say(rows(31), None, commanded=np.full(2, 1.5))
    assert policy.ask(30.5) is None  # The pictures are of a robot that moved.
    request = policy.ask(31)
    assert request.continuation is None
    assert policy.scheduler.counts["ran out"] == 0
    # However late, it is of use: its rows begin when it is there.
    assert policy.scheduler.refusal(request, SUBTASK, rows(99)) == ""


def test_sync_looks_again_after_a_chunk_that_stood_still():
    policy = Policy(mode="sync")
    chunk = policy.publish(policy.ask(0), 9)
    for k in (10, 20, 28):  # Nothing moves, and yet a chunk is followed.
        policy.say(rows(k), chunk, k - 9.0)
    policy.say(rows(29), None)
    assert policy.ask(28) is None and policy.ask(29) is not None


def test_sync_asks_again_when_its_chunk_got_lost():
    policy = Policy(mode="sync")
    policy.publish(policy.ask(0), 9)
    policy.say(rows(19), None)
    assert policy.ask(19) is None
    policy.say(rows(20), None)
    assert policy.ask(20) is not None and policy.scheduler.counts["never executed"] == 1


def test_settings_that_leave_no_rows_are_refused():
    with pytest.raises(ValueError, match="must be below the horizon of 50 rows together"):
        ChunkScheduler(ChunkSettings(execution_horizon=47), 0.02, 50)
    for wrong in (
        {"mode": "fast"},
        {"execution_horizon": 0},
        {"chunk_margin": -1},
        {"initial_delay": -1},
        {"delay_window": 0},
        {"fade_rows": -1},
    ):
        with pytest.raises(ValueError):
            ChunkSettings(**wrong)


def test_modes_are_settled_by_what_the_brain_can_do():
    assert settle_mode("auto", ("trained_rtc", "rtc")) == "trained_rtc"
    assert settle_mode("auto", ("rtc", "trained_rtc")) == "async"  # Untrained weights.
    assert settle_mode("auto", ("rtc",)) == settle_mode("auto", ()) == "async"
    for name in ("sync", "async"):
        assert settle_mode(name, ()) == name
    assert settle_mode("rtc", ("rtc",)) == "rtc"
    with pytest.raises(ConfigError, match="'trained_rtc'.*valid: sync, async, rtc$"):
        settle_mode("trained_rtc", ("rtc",))


def test_problems_are_described_in_one_clause():
    policy = Policy(mode="async")
    policy.run_one(0, delay=4)
    assert policy.scheduler.problem() == ""
    policy.run_one(20, delay=25)
    assert "a chunk delay of 25 rows is too long for a horizon of 50" in policy.scheduler.problem()
    policy.run_one(50, delay=4)
    assert policy.scheduler.problem() == ""
    for k in (70, 90):
        policy.publish(policy.ask(k), k + 4)
        policy.say(rows(k + 15), None)
    assert "none of the last 2 chunks" in policy.scheduler.problem()
    policy.run_one(110)
    assert policy.scheduler.problem() == ""


def test_no_more_is_committed_than_the_brain_can_go_on_from():
    policy = Policy(mode="trained_rtc", initial_delay=12)
    policy.scheduler = ChunkScheduler(policy.scheduler.settings, 0.02, HORIZON, max_committed=5)
    policy.say(rows(0))
    policy.run_one(0)
    assert policy.ask(20).continuation.committed == 5
    policy.run_one(40, delay=9)
    assert "exceeds the 5 rows that the brain can continue" in policy.scheduler.problem()


def test_what_is_published_leaves_the_running_chunk_smoothly():
    policy = Policy(mode="rtc", initial_delay=6, fade_rows=3)
    policy.run_one(0)
    request = policy.ask(20)
    running, committed = request.continuation.actions, request.continuation.committed
    actions = running + 1.0
    actions[:committed] = running[:committed]
    found = policy.scheduler.release(request, actions, rows(24)).actions - running
    assert np.all(found[:committed] == 0) and np.all(found[committed + 3 :] == 1)
    assert 0 < found[committed, 0] < found[committed + 1, 0] < found[committed + 2, 0] < 1
    # The next one goes on from what was published.
    policy.say(rows(28), (request, policy.scheduler._timeline.last), 8.0)
    np.testing.assert_allclose(policy.ask(40).continuation.actions[0], running[20] + 1.0)


def test_rows_that_the_bridge_does_not_execute_are_not_counted_on():
    scheduler = ChunkScheduler(ChunkSettings(execution_horizon=40), 0.02, 200)
    request = scheduler.request(START, 5, 2, SUBTASK, rows(1))
    release = scheduler.release(request, np.zeros((200, 2)), rows(2))
    assert len(release.actions) == 200  # The message has the whole chunk.
    assert scheduler._timeline.last.end_ns == rows(59)  # 1.2 s are 60 rows of 20 ms.


def test_settings_that_leave_no_rows_within_the_age_are_refused():
    with pytest.raises(ValueError, match=r"below the horizon of 60 rows within 1\.2 s"):
        ChunkScheduler(ChunkSettings(execution_horizon=80), 0.02, 200)


@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_after_a_spoken_change_only_committed_rows_overlap(mode):
    policy = Policy(mode=mode)
    policy.run_one(0)
    spoken = SubtaskRef("tidy up", 2, "pick up the fork", spoken=True)
    request = policy.ask(5, subtask=spoken)
    going_on = request.continuation
    assert going_on.overlap == going_on.committed > 0
    actions = ACTIONS + 7.0
    actions[: going_on.committed] = going_on.actions[: going_on.committed]
    released = policy.scheduler.release(request, actions, rows(9)).actions
    np.testing.assert_array_equal(released, actions)  # It was faded into the earlier plan.


@pytest.mark.parametrize("spoken", [False, True])
def test_what_is_no_change_by_an_operator_goes_on_as_before(spoken):
    policy = Policy(mode="rtc")
    policy.run_one(0)
    # The planner's change, or an operator who says the same again.
    text = SUBTASK.text if spoken else "pick up the fork"
    request = policy.ask(5, subtask=SubtaskRef("tidy up", 2, text, spoken))
    assert request.continuation.overlap == 45 > request.continuation.committed


def test_a_spoken_subtask_is_cut_from_the_earlier_text_only():
    policy = Policy(mode="rtc")
    policy.run_one(0)
    spoken = SubtaskRef("tidy up", 2, "pick up the fork", spoken=True)
    chunk = policy.publish(policy.ask(5, subtask=spoken), 8.5, spoken)
    policy.say(rows(9), chunk, 4.0)
    request = policy.ask(26, subtask=spoken)
    assert request.continuation.overlap > request.continuation.committed


def test_a_spoken_subtask_whose_first_chunk_was_lost_is_cut_again():
    policy = Policy(mode="rtc")
    first = policy.run_one(0)
    spoken = SubtaskRef("tidy up", 2, "pick up the fork", spoken=True)
    policy.publish(policy.ask(5, subtask=spoken), 8.5, spoken)
    policy.say(rows(20), first, 20.0)  # 0.2 s later the robot still executes the earlier one.
    request = policy.ask(26, subtask=spoken)
    assert request.continuation.overlap == request.continuation.committed
