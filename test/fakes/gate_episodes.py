"""Recorded moments with known answers, and a brain that gives the recorded ones."""

from __future__ import annotations

import numpy as np

from fakes.episodes import MemoryEpisode
from pi05_ros.brain.interface import Box, BrainInfo, ChunkPrediction, SubtaskPrediction
from pi05_ros.data.bags.facts import EpisodeFacts
from pi05_ros.data.episodes.episode import PictureBox, Plan, SubtaskLabel
from pi05_ros.platforms.platform import load_platform

PLATFORM = load_platform("mobile_18dof")
SIZE = (24, 32)  # Of the brain's pictures, of the ratio of the cameras'.
ROWS, HORIZON = 150, 50
PICK, PUT = "pick up the red cup", "put the red cup in the sink"
CUP = ("red cup", 0.40, 0.40, 0.60, 0.60)  # Near: 0.25 of the width.
SINK = ("sink", 0.0, 0.0, 0.2, 0.4)
SECOND = 10**9


def gate_episode(home="10000", **facts):
    """Three seconds: the cup is to be picked up, then put into the sink, then all is done.

    The left gripper closes at row 60, the torso rises, the left arm turns and the base drives.
    """
    actions = np.repeat(PLATFORM.home[None], ROWS, axis=0)
    rows = np.arange(ROWS)
    actions[:, PLATFORM.index("left_arm_joint_1")] += 0.002 * rows
    actions[:, PLATFORM.index("left_gripper")] = rows < 60
    actions[:, PLATFORM.index("base_vx")] = 0.1
    stamps = SECOND + np.arange(15) * 200_000_000
    pixels = np.random.default_rng(0).integers(0, 256, (15, 48, 64, 3), np.uint8)
    boxes = tuple(PictureBox(camera, *CUP) for camera in ("front", "left_wrist"))
    boxes += (PictureBox("front", *SINK),)
    plans = tuple(
        Plan(int(stamp), "dishes", text, "external", boxes=boxes)
        for stamp, text in zip(stamps[:14:2], (PICK, PICK, PICK, PUT, PUT, PUT, PUT), strict=True)
    )
    given = {"simulated": True, "platform": PLATFORM.name, "task": "dishes"}
    return MemoryEpisode(
        actions.copy(),
        actions,
        EpisodeFacts(
            id=f"home{home}",
            home=home,
            names=PLATFORM.names,
            units=tuple(str(d.unit) for d in PLATFORM.dimensions),
            rate_hz=50.0,
            **{**given, **facts},
        ),
        plans=(*plans, Plan(int(stamps[14]), "dishes", "", "external", done=True)),
        labels=(
            SubtaskLabel(0, 60, PICK, "external", "dishes"),
            SubtaskLabel(60, ROWS, PUT, "external", "dishes"),
        ),
        frames=dict.fromkeys(PLATFORM.camera_names, (stamps, pixels)),
        fingerprint=f"gates{home}",
    )


class RecordedBrain:
    """Answers what `gate_episode` has recorded, with changes.

    Args:
        change: Added to each chunk.
        text: In place of the subtasks.
        boxes: What is said beside a subtask.
        done_early: Says that the task is done at every moment, and does not say it at its end.
        speaks: Whether it has a high level.
        error: Raised in place of a chunk.
    """

    def __init__(
        self, change=0.0, text="", boxes=(), done_early=False, speaks=True, error=None
    ) -> None:
        self.actions = gate_episode().actions
        self.change, self.text, self.boxes, self.error = change, text, boxes, error
        self.done_early = done_early
        self.info = BrainInfo(
            *("recorded", "here", "recorded", "model", SIZE, False, HORIZON, PLATFORM.period),
            planner_cameras=None if speaks else (),
        )

    def predict_subtask(self, observation, task, history=()):
        at = (observation.stamp_ns - SECOND) / SECOND
        if (at > 2.7) != self.done_early:
            return SubtaskPrediction("done", done=True)
        return SubtaskPrediction(self.text or (PICK if at < 1.0 else PUT), self.boxes)

    def predict_chunk(self, observation, subtask, continuation=None):
        assert {image.shape for image in observation.images.values()} == {(*SIZE, 3)}
        if self.error is not None:
            raise self.error
        row = round((observation.stamp_ns - SECOND) / 20_000_000)
        rows = np.minimum(np.arange(row, row + HORIZON), ROWS - 1)
        return ChunkPrediction(self.actions[rows] + self.change)


def cup_said(camera="front", label="red cup", right=0.0):
    """The box of the cup as a brain says it, displaced by a share of the width."""
    _, x_min, y_min, x_max, y_max = CUP
    return Box(camera, label, x_min + right, y_min, x_max + right, y_max)
