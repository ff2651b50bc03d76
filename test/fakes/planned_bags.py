"""A hand-made episode with a planner's messages at known times."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fakes.model_bags import BEGAN, SUBTASK, encode, episode_bag, header, message, subtask
from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic
from pi05_ros.data.episodes.episode import MODE_HOLDING

MS = 1_000_000
Message = tuple[str, bytes, int]
DECISION = "/pi05/plan_decision"
CUP = {
    "camera": "front",
    "label": "cup",
    "x_min": 0.25,
    "y_min": 0.25,
    "x_max": 0.5,
    "y_max": 0.75,
}


def said(
    stamp: int, heard: int, text: str, source: str = "model", number: int = 1, **fields: Any
) -> Message:
    """A Subtask with the stamp of its observation, heard later; times in ms after BEGAN."""
    if "model_stamp" in fields:
        fields["model_stamp"] = header(BEGAN + fields["model_stamp"] * MS).stamp
    stamped = header(BEGAN + stamp * MS)
    data = subtask(text, source, header=stamped, id=number, **fields)
    return SUBTASK, data, BEGAN + heard * MS + 1


def decided(
    stamp: int,
    heard: int,
    outcome: str,
    answer: str = "",
    standing: str = "",
    number: int = 1,
    boxes: Sequence[Mapping] = (),
    trigger: str = "period",
) -> Message:
    """A PlanDecision, likewise."""
    made = [message("pi05_msgs/msg/BoundingBox", {"score": math.nan, **box}) for box in boxes]
    data = encode(
        "pi05_msgs/msg/PlanDecision",
        header=header(BEGAN + stamp * MS),
        task="tidy up",
        trigger=trigger,
        outcome=outcome,
        answer=answer,
        boxes=made,
        score=math.nan,
        subtask_id=number,
        subtask=standing,
    )
    return DECISION, data, BEGAN + heard * MS + 2


CUP_TEXT, SINK_TEXT = "pick up the cup", "put the cup in the sink"
# Pictures every 100 ms, rows every 20 ms, 2.4 s. The robot holds until the first subtask is heard.
MESSAGES = (
    said(200, 500, CUP_TEXT, boxes=[CUP]),
    decided(200, 500, "changed", CUP_TEXT, CUP_TEXT, boxes=[CUP], trigger="task"),
    said(1000, 1090, CUP_TEXT),  # The same again.
    decided(1000, 1090, "kept", CUP_TEXT, CUP_TEXT),
    decided(1100, 1190, "kept", "Pick up  the cup", CUP_TEXT, boxes=[CUP]),  # Its Subtask is lost.
    decided(1200, 1290, "held_back", SINK_TEXT, CUP_TEXT),
    said(1310, 1312, "wave", "human", 2),
    decided(1310, 1312, "changed", "wave", "wave", 2, trigger="operator"),
    said(1310, 1490, "wave", "human", 2, model_text=SINK_TEXT, model_stamp=1400),
    decided(1400, 1490, "overruled", SINK_TEXT, "wave", 2, boxes=[CUP]),
    decided(1500, 1590, "overruled", "wa wa wa", "wave", 2),  # Unusable, so never published.
    decided(1610, 1612, "kept", "", "wave", 2, trigger="operator"),  # Control is returned.
    said(1700, 1900, SINK_TEXT, number=3),
    decided(1700, 1900, "changed", SINK_TEXT, SINK_TEXT, 3, trigger="operator"),
    decided(2000, 2090, "held_back", "", SINK_TEXT, 3),  # Done, said once.
    said(2190, 2190, "", "external", 4),  # The empty subtask that ends the task.
    decided(2100, 2191, "done", "", "", 4),
)


def planned_bag(folder: Path, messages: Sequence[Message] = MESSAGES, **given: Any) -> Any:
    """The episode's bag; `given` as for `episode_bag`."""
    topic = BagTopic(DECISION, "pi05_msgs/msg/PlanDecision", (OfferedQos(),))
    modes = dict.fromkeys(range(26), MODE_HOLDING)
    return episode_bag(
        folder, 120, labels=(), extra=messages, extra_topics=[topic], modes=modes, **given
    )
