"""Where the time of a prediction goes, as data that needs no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Where the time of one prediction went [s], measured with the device synchronised."""

    waited: float  # For the other head.
    vision: float  # Embedding those pictures that were not known yet.
    prefix: float  # Reading pictures, prompt and state.
    generation: float  # Euler steps, or tokens.
    total: float
