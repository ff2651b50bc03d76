"""Inference times of a prediction by stage, as data that needs no torch."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Times:
    """Durations of the stages of one prediction [s], measured with the device synchronised."""

    waited: float  # Waiting while the other head used the model.
    vision: float  # Embedding the pictures that were not in the cache.
    prefix: float  # Forward pass over pictures, prompt and state.
    generation: float  # Euler steps, or token generation.
    total: float
