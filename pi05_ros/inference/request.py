"""Inputs of a request, checked and converted without the engine's lock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pi05_ros.cameras.model_input import reduced
from pi05_ros.errors import Pi05Error
from pi05_ros.inference.image_cache import PictureKey, digest_of
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.text.prompts import fitting_tokens
from pi05_ros.model.text.tokenizer import Tokenizer


class EngineError(Pi05Error):
    """An input that the engine does not accept, or an output that must not be used."""


@dataclass(frozen=True)
class Request:
    """Pictures and texts of one request, as the passes take them."""

    pictures: Sequence[np.ndarray]  # (height, width, 3) uint8 rgb; reduced ones upper left.
    keys: Sequence[PictureKey]  # Of each picture.
    prompt: Sequence[int]  # Ids, beginning-of-sequence included.
    query: Sequence[int] = ()  # Ids of the text whose points are in the prefix; (): none are.


class RequestReader:
    """Checks requests to a model.

    Args:
        config: Of the model.
        tokenizer: Of the model.
    """

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer) -> None:
        self._config = config
        self._tokenizer = tokenizer

    def text(self, images: Mapping[str, np.ndarray], prompt: str) -> Request:
        """Read a request for text.

        Args:
            images: See `Pi05Engine.generate_text`.
            prompt: The whole prompt.

        Raises:
            EngineError: A picture has the wrong shape or dtype, or there is none.
            PromptError: The prompt is too long.
        """
        pictures, keys = self.pictures(images)
        tokens = fitting_tokens(self._tokenizer, prompt, self._config.max_prompt_tokens)
        return Request(pictures, keys, tokens)

    def actions(self, images: Mapping[str, np.ndarray], prompt: str, query: str) -> Request:
        """Read a request for actions.

        Args:
            images: See `Pi05Engine.generate_text`.
            prompt: The whole prompt.
            query: The subtask; not read without grounding.

        Raises:
            EngineError: As for `text`, or a model with grounding has no query.
            PromptError: The prompt is too long.
        """
        request = self.text(images, prompt)
        if self._config.grounding is None:
            return request
        tokens = self._tokenizer.encode(query)
        if not tokens:
            raise EngineError(
                f"the model '{self._config.name}' looks for what the subtask names; wanted its "
                "text as the query, found none"
            )
        return Request(request.pictures, request.keys, request.prompt, tokens)

    def pictures(
        self, images: Mapping[str, np.ndarray]
    ) -> tuple[list[np.ndarray], list[PictureKey]]:
        """Check pictures and reduce those of cameras with a reduction.

        Raises:
            EngineError: A picture has the wrong shape or dtype, or there is none.
        """
        if not images:
            raise EngineError("no picture was given; wanted at least one camera's")
        wanted = (*self._config.picture_size, 3)
        for camera, image in images.items():
            if image.shape != wanted or image.dtype != np.uint8:
                raise EngineError(
                    f"camera '{camera}': wanted a picture of shape {wanted} uint8, found "
                    f"{image.shape} {image.dtype}; start camera_ingestion with the model's size"
                )
        keys = [(digest_of(image), self._config.view_of(name)) for name, image in images.items()]
        return [self._of_its_size(name, image) for name, image in images.items()], keys

    def _of_its_size(self, camera: str, image: np.ndarray) -> np.ndarray:
        """Return a picture as the tower takes it: reduced, in the upper left of a black one."""
        reduction = self._config.reduction_of(camera)
        if reduction == 1:
            return image
        small = reduced(image, reduction)
        canvas = np.zeros_like(image)
        canvas[: small.shape[0], : small.shape[1]] = small
        return canvas
