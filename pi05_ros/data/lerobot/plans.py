"""Plans of an episode as text, for a dataset's column `pi05/plans` of meta/episodes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict

from pi05_ros.data.episodes.episode import PictureBox, Plan


def plans_to_json(plans: Sequence[Plan]) -> str:
    """Serialize plans: a list of objects with the fields of Plan and PictureBox."""
    return json.dumps([asdict(plan) for plan in plans], ensure_ascii=False)


def plans_from_json(text: str) -> tuple[Plan, ...]:
    """The inverse of `plans_to_json`.

    Raises:
        ValueError: The text is not of plans.
    """
    try:
        return tuple(
            Plan(**{**item, "boxes": tuple(PictureBox(**box) for box in item["boxes"])})
            for item in json.loads(text)
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"no plans: {error}") from error
