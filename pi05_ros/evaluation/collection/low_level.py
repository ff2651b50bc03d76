"""The low level of a recorded episode: the expert, with spans in which others drive the robot.

In a span of wrong chunks the robot does what nobody wants, in a span of a checkpoint what the
checkpoint wants. Then the expert goes on from wherever that led: its rows show how to recover.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pi05_ros.brain.interface import Brain
from pi05_ros.brain.observation import Observation
from pi05_ros.chunking.scheduler import ChunkRequest
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.brain import ExpertBrain

WRONG_SECONDS = (0.3, 1.0)  # Length of a span of wrong chunks [s].
VISITED_SECONDS = (0.8, 2.5)  # Length of a span of a checkpoint [s].
VISITED_RATE = 0.2  # Chance that a chunk of the expert is followed by a span of a checkpoint.
_STALE_S = 1.5  # Age from which an earlier chunk may be held again [s].
_KEPT = 12  # Chunks of the expert that are remembered.


class LowLevel:
    """Chunks of the expert, and of others in spans that do not train.

    Args:
        expert: The expert.
        platform: Of the robot.
        others: Subtasks of this room, for wrong chunks.
        wrong_rate: Chance that a span of wrong chunks follows a chunk of the expert, 0 to 1.
        visitor: The checkpoint whose states are visited; None: none.
        random: Source of the spans.
    """

    def __init__(
        self,
        expert: ExpertBrain,
        platform: Platform,
        others: Sequence[str],
        wrong_rate: float,
        visitor: Brain | None,
        random: np.random.Generator,
    ) -> None:
        self._expert, self._others, self._random = expert, tuple(others), random
        self._is_gripper, self._is_velocity = platform.is_gripper, platform.is_velocity
        self._wrong_rate, self._visitor = wrong_rate, visitor
        self._until_ns = 0  # End of the present span; 0: the expert drives.
        self._kind = ""
        self._text = ""  # Of a wrong subtask.
        self._recent: list[tuple[int, np.ndarray]] = []  # (stamp [ns], chunk) of the expert.
        self._others_chunks: set[int] = set()  # Stamps of chunks that are not the expert's [ns].

    def predict(self, observation: Observation, request: ChunkRequest) -> np.ndarray:
        """Return the chunk (horizon, D) for an observation."""
        stamp_ns, text = observation.stamp_ns, request.subtask.text
        if stamp_ns >= self._until_ns:
            self._begin(stamp_ns, text)
        right = self._expert.predict_chunk(observation, text).actions
        if not self._kind:
            self._recent = [*self._recent, (stamp_ns, right)][-_KEPT:]
            return right
        chunk = self._other(observation, request, right)
        if self._kind != "visitor":
            chunk = self._with_still_grippers(chunk, observation)
        # The expert continues what is executed, whoever wanted it.
        self._expert.replace_last_chunk(stamp_ns, chunk)
        self._others_chunks.add(stamp_ns)
        return chunk

    def is_expert(self, chunk_stamp_ns: int) -> bool:
        """Check whether the chunk for the observation at a stamp [ns] is the expert's."""
        return chunk_stamp_ns not in self._others_chunks

    def _begin(self, stamp_ns: int, text: str) -> None:
        """Begin a span at times; after each span the expert has at least one chunk."""
        after_span, self._kind = bool(self._kind), ""
        draws = self._random.uniform(size=4)  # The same number at each call.
        if after_span:
            return
        if draws[0] < self._wrong_rate:
            others = [other for other in self._others if other != text]
            stale = any(stamp_ns - at_ns >= _STALE_S * 1e9 for at_ns, _ in self._recent)
            self._kind = "stale" if stale and (draws[1] < 0.5 or not others) else "other"
            if self._kind == "other" and not others:
                self._kind = ""
                return
            self._text = others[int(draws[2] * len(others))] if others else ""
            low, high = WRONG_SECONDS
        elif self._visitor is not None and draws[1] < VISITED_RATE:
            self._kind = "visitor"
            low, high = VISITED_SECONDS
        else:
            return
        self._until_ns = stamp_ns + round((low + draws[3] * (high - low)) * 1e9)

    def _other(
        self, observation: Observation, request: ChunkRequest, right: np.ndarray
    ) -> np.ndarray:
        if self._kind == "visitor":
            assert self._visitor is not None
            text = request.subtask.text
            return self._visitor.predict_chunk(observation, text, request.continuation).actions
        if self._kind == "other":
            return self._expert.predict_chunk(observation, self._text).actions
        old = [c for at, c in self._recent if observation.stamp_ns - at >= _STALE_S * 1e9]
        chunk = (old[-1] if old else right).copy()
        # The way that was free then may lead into a counter now.
        chunk[:, self._is_velocity] = 0.0
        return chunk

    def _with_still_grippers(self, chunk: np.ndarray, observation: Observation) -> np.ndarray:
        """Return a copy of a chunk in which grippers keep what was commanded last.

        One that opens by chance drops what it holds.
        """
        last = np.where(
            np.isfinite(observation.commanded), observation.commanded, observation.state
        )
        found = chunk.copy()
        found[:, self._is_gripper] = last[self._is_gripper]
        return found
