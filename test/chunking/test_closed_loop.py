"""The scheduler against the control bridge, with a policy whose run time is configured."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pi05_ros.chunking.scheduler import ChunkScheduler
from pi05_ros.chunking.settings import ChunkSettings
from pi05_ros.control.settings import BridgeSettings
from pi05_ros.evaluation.bridged_robot import BridgedRobot
from pi05_ros.evaluation.closed_loop import START_NS, ClosedLoop, LoopHooks, LoopTiming
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
HORIZON = 50
PERIOD, PERIOD_NS = 0.02, 20_000_000
TIMING = LoopTiming()
# A chunk comes this much later than its computation took: message and wait for the tick.
EXTRA_ROWS = (TIMING.transport + PERIOD) / PERIOD
# Two joints encode a row's chunk and its time, both within the limits of a run.
CHUNK, TIME = PLATFORM.index("left_arm_joint_1"), PLATFORM.index("left_arm_joint_2")
STEP, SPEED = 0.005, 0.02  # [rad] per chunk, [rad/s].


class Run:
    """A loop whose policy encodes chunk and time in each row behind the committed ones."""

    def __init__(self, mode, delay, timing=TIMING, bridge_settings=None, **options):
        lost = options.pop("loses", ())
        self.robot = BridgedRobot(PLATFORM, settings=bridge_settings)
        self.scheduler = ChunkScheduler(ChunkSettings(mode=mode, **options), PERIOD, HORIZON)
        self.executed = []  # (time [ns], sequence, row, (chunk, time [s])) of each tick.
        self.holds = []  # Times of ticks without a row, after the first chunk.
        hooks = LoopHooks(self.on_tick, lost=lambda release: release.sequence in lost)
        self.loop = ClosedLoop(
            self.robot,
            self.scheduler,
            self.policy,
            delay if callable(delay) else lambda: delay,
            timing=timing,
            hooks=hooks,
        )
        self.loop.follow("a task", "a subtask")

    def policy(self, observation, request):
        """Return rows of which no two are alike."""
        actions = np.tile(PLATFORM.home, (HORIZON, 1))
        times = request.stamp_ns - START_NS + np.arange(HORIZON) * PERIOD_NS
        actions[:, CHUNK] = PLATFORM.home[CHUNK] + STEP * len(self.loop.requests)
        actions[:, TIME] = PLATFORM.home[TIME] + SPEED * times * 1e-9
        if request.continuation is not None:
            committed = request.continuation.committed
            actions[:committed] = request.continuation.actions[:committed]
        return actions

    def on_tick(self, tick, now_ns):
        if tick.target is None:
            if self.executed:
                self.holds.append(now_ns)
            return
        chunk, row = tick.target.chunk, tick.target.row
        self.executed.append((now_ns, chunk.sequence, row, decode(sample(chunk.actions, row))))

    def first_rows(self):
        """Return the row at which each executed chunk began, by sequence."""
        found = {}
        for _, sequence, row, _ in self.executed:
            found.setdefault(sequence, row)
        return found

    def compute(self):
        """Run until the policy computes a chunk."""
        while not self.loop.is_computing:
            self.loop.run(0.01)


def sample(actions, row):
    """Interpolate between two rows, before blending and limits."""
    below = min(math.floor(row), HORIZON - 1)
    above = min(below + 1, len(actions) - 1)
    return actions[below] + (row - below) * (actions[above] - actions[below])


def decode(values):
    """Return (chunk, time [s]) of a row."""
    away = values - PLATFORM.home
    return np.array([away[CHUNK] / STEP, away[TIME] / SPEED + START_NS * 1e-9])


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4])
@pytest.mark.parametrize("mode", ["async", "rtc", "trained_rtc"])
def test_the_robot_never_runs_out_of_rows_where_delay_and_margin_fit(mode, delay):
    run = Run(mode, delay)
    run.loop.run(20)
    assert not run.holds
    assert run.scheduler.counts["ran out"] == run.scheduler.counts["never executed"] == 0
    assert run.scheduler.counts["executed"] == run.scheduler.counts["published"] > 30


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4])
def test_the_estimate_is_what_a_chunk_takes(delay):
    run = Run("rtc", delay)
    run.loop.run(20)
    computing = delay / 0.02
    assert computing <= run.scheduler.estimate_rows <= computing + EXTRA_ROWS
    # What was said and what the robot did are the same.
    assert run.scheduler.delay_rows == run.first_rows()[run.scheduler.counts["executed"]]


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4])
@pytest.mark.parametrize("mode", ["rtc", "trained_rtc"])
def test_committed_rows_are_those_that_were_executed_meanwhile(mode, delay):
    run = Run(mode, delay)
    run.loop.run(20)
    first = run.first_rows()
    checked = covered = 0
    for request, release in run.loop.releases[2:-1]:
        assert release.committed > 0
        for now_ns, sequence, _, values in run.executed:
            row = (now_ns - request.stamp_ns) / PERIOD_NS
            if sequence < release.sequence and 0 <= row <= release.committed - 1:
                # Where two chunks met, a row lies between two ticks of different chunks.
                wanted = decode(sample(release.actions, row))
                np.testing.assert_allclose(values[1], wanted[1], atol=1e-5)
                checked += 1
        # No more is frozen than needed, and never a tick too little: the bridge ticks when it
        # does, which the delays of a whole window cover.
        spare = release.committed - first[release.sequence]
        assert -1 <= spare <= 1 + EXTRA_ROWS
        covered += spare >= 0
    assert checked > 30 and covered >= 0.9 * len(run.loop.releases[2:-1])


def test_async_and_rtc_ask_at_the_same_times():
    runs = [Run(mode, 0.15) for mode in ("async", "rtc")]
    for run in runs:
        run.loop.run(10)
    stamps = [[request.stamp_ns for request in run.loop.requests] for run in runs]
    assert stamps[0] == stamps[1]


def test_chunks_follow_each_other_by_the_execution_horizon():
    run = Run("async", 0.05, execution_horizon=30)
    run.loop.run(20)
    stamps = np.array([request.stamp_ns for request in run.loop.requests]) / PERIOD_NS
    gaps = np.diff(stamps)
    frame_rows = TIMING.frame / 0.02
    assert gaps.min() >= 30 - 1e-6 and gaps.max() <= 30 + frame_rows


def test_a_long_execution_horizon_gives_way_to_the_delay():
    run = Run("async", 0.4, execution_horizon=45)
    run.loop.run(20)
    assert not run.holds


def test_sync_executes_its_horizon_stands_and_looks_again():
    run = Run("sync", 0.15)
    run.loop.run(10)
    first = run.first_rows()
    assert all(0 <= row <= EXTRA_ROWS for row in first.values()) and len(first) > 8
    executed = run.executed
    for (request, release), (following, _) in zip(
        run.loop.releases, run.loop.releases[1:], strict=False
    ):
        mine = [now_ns for now_ns, sequence, _, _ in executed if sequence == release.sequence]
        assert len(mine) == 20 or len(mine) == 19  # The execution horizon, less a tick on its way.
        assert following.stamp_ns > max(mine)  # Seen standing.
        assert release.start_ns >= request.stamp_ns + 150_000_000
    assert run.scheduler.counts["never executed"] == 0


def test_a_stall_is_forgotten():
    delays = [0.05] * 12 + [0.6] + [0.05] * 40
    run = Run("rtc", lambda: delays.pop(0) if delays else 0.05)
    run.loop.run(15)
    assert run.scheduler.counts["executed"] > 25
    assert all(
        release.committed <= 2.5 + EXTRA_ROWS + TIMING.frame_latency / 0.02 + 2
        for _, release in run.loop.releases[15:]
    )


def test_lost_chunks_are_noticed_and_the_running_one_goes_on():
    run = Run("rtc", 0.05, loses={5, 9})
    run.loop.run(6)
    counts = run.scheduler.counts
    assert counts["never executed"] == 2
    assert counts["executed"] == counts["published"] - 2
    # The chunk after a lost one goes on from what really runs.
    for request, release in run.loop.releases:
        if release.sequence in (6, 10):
            chunk, _ = decode(request.continuation.actions[0])
            assert chunk == pytest.approx(release.sequence - 2)


def test_a_stop_voids_what_is_being_computed_and_nothing_goes_on_across_it():
    run = Run("rtc", 0.15)
    run.loop.run(3.0)
    run.compute()
    run.robot.bridge.stop(run.loop.now_ns, "stopped by an operator")
    run.loop.run(0.05)
    run.robot.bridge.resume(run.loop.now_ns, run.loop.now_ns)
    before = len(run.loop.releases)
    run.loop.run(1.0)
    assert run.loop.refused == ["of another epoch"]
    request, release = run.loop.releases[before]
    assert request.epoch == run.robot.bridge.epoch
    assert request.continuation is None and release.committed == 0
    assert not run.loop.rejected


def test_a_chunk_of_the_older_subtask_is_not_published_and_the_next_one_is_asked_for_at_once():
    run = Run("rtc", 0.15)
    run.loop.run(3.0)
    run.compute()
    run.loop.follow("a task", "another subtask")
    asked = len(run.loop.requests)
    run.loop.run(0.2)
    assert run.loop.refused == ["of an older subtask"]
    assert run.loop.requests[asked].continuation is not None
    assert not run.holds


@pytest.mark.parametrize("spoken", [False, True])
@pytest.mark.parametrize("mode", ["sync", "async", "rtc"])
def test_no_row_of_an_old_text_is_executed_for_longer_than_a_chunk_takes(mode, spoken):
    run = Run(mode, 0.15)
    for subtask in range(10):
        run.loop.run(1.0 + 0.11 * subtask)  # In every phase of an inference.
        changed_ns, before = run.loop.now_ns, len(run.executed)
        first_new = run.scheduler._sequence + 1
        run.loop.follow("a task", f"subtask {subtask}", spoken)
        run.loop.run(1.0)
        old = [now for now, sequence, _, _ in run.executed[before:] if sequence < first_new]
        taken = run.robot.bridge._gate.texts.limit_s
        assert not old or (max(old) - changed_ns) * 1e-9 <= taken + PERIOD
        assert taken < 0.3
        assert run.executed[-1][1] >= first_new  # And the new one is executed.


@settings(max_examples=25, deadline=None)
@given(
    base=st.floats(0.0, 0.3),
    jitter=st.floats(0.0, 0.1),
    frame=st.sampled_from([0.02, 1 / 30, 0.1]),
    seed=st.integers(0, 1000),
)
def test_with_jitter_the_robot_never_runs_out_and_frozen_rows_were_executed(
    base, jitter, frame, seed
):
    random = np.random.default_rng(seed)
    # A chunk may be older than 0.5 s here, which the bridge rejects unless it is told otherwise.
    patient = BridgeSettings(chunk_max_age_s=1.0)
    run = Run("rtc", lambda: base + jitter * random.random(), LoopTiming(frame=frame), patient)
    run.loop.run(12)
    assert not run.holds
    assert 0 <= run.scheduler.estimate_rows <= (base + jitter) / 0.02 + EXTRA_ROWS
    # What was executed at a time was meant for that time.
    times = np.array([[now_ns * 1e-9, values[1]] for now_ns, _, _, values in run.executed])
    np.testing.assert_allclose(times[:, 0], times[:, 1], atol=1e-4)
