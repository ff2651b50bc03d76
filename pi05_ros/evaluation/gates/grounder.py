"""Points of a text in the pictures of several cameras, by a checkpoint's heat maps."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from pi05_ros.cameras.model_input import reduced
from pi05_ros.checkpoints.checkpoint import Checkpoint, open_checkpoint, read_contents
from pi05_ros.checkpoints.shipped import named_checkpoint
from pi05_ros.inference.devices import device_of, dtype_of
from pi05_ros.model.grounding import points_of


class Grounder:
    """Runs the heat maps of a model.

    Args:
        checkpoint: With grounding.

    Attributes:
        only_sees: Whether the weights were trained neither to act nor to say subtasks, such as
            those of a first stage on pictures.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._model = checkpoint.model.eval().requires_grad_(False)
        self._model.config.required_grounding()
        self._tokenizer = checkpoint.tokenizer
        training = checkpoint.training
        learned = training.text or training.fast or training.flow
        self.only_sees = not (checkpoint.is_random or learned)

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) of the pictures [pixel]."""
        return self._model.config.picture_size

    @torch.inference_mode()
    def points(
        self, images: Mapping[str, np.ndarray], text: str
    ) -> dict[str, tuple[float, float]]:
        """Return the place of the thing that a text names first, in each picture.

        Args:
            images: Camera -> (height, width, 3) uint8 rgb of the model's `picture_size`.
            text: A subtask, as it stands in the low level's prompt.

        Returns:
            Camera -> x, y as fractions of the picture, whether or not the model takes the thing
            as seen.
        """
        if not images:
            return {}
        config, cameras = self._model.config, tuple(images)
        stacked = np.zeros((len(cameras), *config.picture_size, 3), dtype=np.uint8)
        for index, camera in enumerate(cameras):
            picture = reduced(images[camera], config.reduction_of(camera))
            stacked[index, : picture.shape[0], : picture.shape[1]] = picture
        views = torch.tensor([config.view_of(camera) for camera in cameras])
        pictures = self._model.embed_pictures(
            torch.from_numpy(stacked).permute(0, 3, 1, 2).contiguous(), views
        )
        ids = torch.tensor([self._tokenizer.encode(text)], device=self._model.device)
        queries = ids[None].expand(len(cameras), -1, -1)  # (N, 1, L)
        logits = self._model.ground(pictures, queries, torch.ones_like(queries, dtype=torch.bool))
        found: dict[str, tuple[float, float]] = {}
        for maps, heat in zip(pictures.maps, logits, strict=True):
            places = points_of(heat[:, 0, 0], *maps.fine.shape[-2:]).places.tolist()
            for row, (x, y) in zip(maps.rows.tolist(), places, strict=True):
                found[cameras[row]] = (x, y)
        return found


def open_grounder(checkpoint: str, device: str = "auto", dtype: str = "auto") -> Grounder | None:
    """Open the heat maps of a checkpoint; None: it has none.

    The weights of a model without grounding are not loaded.

    Args:
        checkpoint: See `checkpoints.shipped.named_checkpoint`.
        device: See ModelOptions.
        dtype: See ModelOptions.

    Raises:
        Pi05Error: It cannot be opened.
    """
    folder = named_checkpoint(checkpoint).folder
    if folder is not None and read_contents(folder).config.grounding is None:
        return None
    where = device_of(device)
    opened = open_checkpoint(checkpoint, dtype_of(dtype, where), where)
    return Grounder(opened) if opened.model.config.grounding is not None else None
