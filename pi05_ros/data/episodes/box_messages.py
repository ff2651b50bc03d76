"""Boxes of an episode as messages."""

from __future__ import annotations

import math
from typing import Any

from pi05_ros.data.bags.serializer import Serializer
from pi05_ros.data.episodes.episode import PictureBox


def box_message(serializer: Serializer, box: PictureBox) -> Any:
    """Return a pi05_msgs/BoundingBox; a score that is not known is NaN.

    Args:
        serializer: Of a message that has boxes.
        box: The box.
    """
    return serializer.message(
        "pi05_msgs/msg/BoundingBox",
        camera=box.camera,
        label=box.label,
        x_min=box.x_min,
        y_min=box.y_min,
        x_max=box.x_max,
        y_max=box.y_max,
        score=math.nan if box.score is None else box.score,
    )
