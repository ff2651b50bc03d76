"""A scheduler of chunks and the robot that a test plays, one state or observation at a time."""

import math
from dataclasses import replace

import numpy as np

from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkScheduler, SubtaskRef
from pi05_ros.chunking.settings import ChunkSettings

PERIOD = 20_000_000
START = 1_000_000_000
HORIZON = 50
SUBTASK = SubtaskRef("tidy up", 1, "pick up the cup")
ACTIONS = np.arange(2.0 * HORIZON).reshape(HORIZON, 2)


def rows(k):
    return START + round(k * PERIOD)


class Policy:
    """A scheduler and the robot that the test plays."""

    def __init__(self, **settings):
        self.scheduler = ChunkScheduler(ChunkSettings(**settings), 0.02, HORIZON)
        self.state = StateSample(
            stamp_ns=START,
            names=("a", "b"),
            measured=np.zeros(2),
            commanded=np.zeros(2),
            session=5,
            epoch=2,
            mode=2,
            commanded_ns=START,
        )
        self.say(rows(0))

    def say(self, now_ns, chunk=None, row=math.nan, **changes):
        """The robot's state; chunk: the request and release that it follows."""
        changes.setdefault("mode", 2 if chunk is None else 1)
        self.state = replace(
            self.state,
            stamp_ns=now_ns,
            commanded_ns=now_ns,
            chunk_sequence=0 if chunk is None else chunk[1].sequence,
            chunk_stamp_ns=0 if chunk is None else chunk[0].stamp_ns,
            chunk_row=row,
            **changes,
        )
        self.scheduler.add_state(self.state)

    def ask(self, k, now=None, subtask=SUBTASK):
        """An observation of row k, looked at a row later."""
        self.scheduler.add_observation(rows(k))
        state = self.state
        now_ns = rows(k + 1 if now is None else now)
        return self.scheduler.request(rows(k), state.session, state.epoch, subtask, now_ns)

    def publish(self, request, k, subtask=SUBTASK):
        assert self.scheduler.refusal(request, subtask, rows(k)) == ""
        return request, self.scheduler.release(request, ACTIONS, rows(k))

    def run_one(self, k, delay=4.0):
        """A chunk from the observation of row k, executed `delay` rows later."""
        chunk = self.publish(self.ask(k), k + delay - 0.5)
        self.say(rows(k + delay), chunk, delay)
        return chunk
