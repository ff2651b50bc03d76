"""Figures of the heat maps: how far the points are from the middles of the boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch

from pi05_ros.model.grounding import points_of
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.objective.batch import Batch
from pi05_ros.training.objective.losses import embed_batch

# Errors are told in pixels of a picture of this width, whatever the model's own is.
WIDTH = 112.0
NEAR = 3.0  # [pixel of WIDTH]


def point_errors(model: Pi05, batch: Batch) -> list[float]:
    """Return the errors of the points of what is seen, of all queries and cameras.

    Args:
        model: With grounding.
        batch: On its device.

    Returns:
        Distances [pixel of WIDTH] of the things (heat map 0); [] if none is seen.
    """
    if batch.queries is None or batch.points is None or batch.queries_valid is None:
        return []
    pictures = embed_batch(model, batch)
    rows, places = batch.cameras.nonzero(as_tuple=True)
    wanted = batch.points[rows, :, places][:, :, 0]  # (N, Q, 3)
    height, width = model.config.picture_size
    size = torch.tensor([WIDTH, WIDTH * height / width], device=wanted.device)
    found: list[float] = []
    logits = model.ground(pictures, batch.queries[rows], batch.queries_valid[rows])
    for maps, heat in zip(pictures.maps, logits, strict=True):
        points = points_of(heat[:, :, 0], *maps.fine.shape[-2:])
        truth = wanted[maps.rows]
        errors = ((points.places - truth[..., :2]) * size).norm(dim=-1)
        found += errors[truth[..., 2] > 0.0].tolist()
    return found


def point_figures(errors: Sequence[float]) -> dict[str, float]:
    """Return the median error and the share within NEAR; nothing without errors."""
    if not errors:
        return {}
    values = np.asarray(errors)
    median, within = float(np.median(values)), float((values <= NEAR).mean())
    return {"point_px": median, "point_within": within} if math.isfinite(median) else {}
