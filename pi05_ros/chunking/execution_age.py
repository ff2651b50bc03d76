"""Rows of a chunk that its observation is recent enough for."""

from __future__ import annotations

import math


def executable_rows(lead_s: float, period: float, max_age_s: float) -> int:
    """Return the number of leading rows that may be executed, 0 or more.

    A row is executed from half a period before its time to half a period after it. No part of
    that is later than `max_age_s` after the observation.

    Args:
        lead_s: Time from the observation to row 0 [s].
        period: Time between two rows [s].
        max_age_s: Greatest age of the observation [s].
    """
    return max(0, math.floor((max_age_s - lead_s) / period + 0.5 + 1e-9))
