"""Inputs of all implementations: sizes, weights, a prompt, noise, and fresh pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import torch

from pi05_ros.checkpoints.checkpoint import make_tokenizer
from pi05_ros.model.config import (
    ExpertConfig,
    LanguageConfig,
    ModelConfig,
    VisionConfig,
    load_preset,
    preset_names,
)
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text import prompts
from pi05_ros.model.text.tokenizer import BEGIN, END, prompt_tokens

STATE = 19  # Entries of the state in nano's prompt: a mobile manipulator with two arms.

# The sizes of the public implementation's small parity case (test/model/test_parity.py).
REFERENCE = ModelConfig(
    name="reference",
    vision=VisionConfig(width=112, depth=4, heads=4, mlp_width=400),
    language=LanguageConfig(
        width=128, depth=4, mlp_width=512, heads=8, kv_heads=1, head_dim=32, vocabulary=8192
    ),
    expert=ExpertConfig(width=96, mlp_width=384),
    max_prompt_tokens=48,
)


def size_names() -> tuple[str, ...]:
    """Names of sizes for `config_of`: every preset, and `reference`."""
    return *preset_names(), REFERENCE.name


def config_of(name: str) -> ModelConfig:
    """Return the sizes of a name.

    Raises:
        ConfigError: There is no such preset.
    """
    return REFERENCE if name == REFERENCE.name else load_preset(name)


@dataclass(frozen=True)
class FixedTokenizer:
    """Encodes any text as the same ids, so that a prompt has the requested length."""

    size: int
    ids: tuple[int, ...]  # Without beginning-of-sequence.
    actions: int = 0  # FAST tokens.

    def encode(self, text: str) -> list[int]:
        """Return the ids for any text."""
        return list(self.ids)

    def decode(self, tokens: Iterable[int]) -> str:
        """Return the ids as digits."""
        return " ".join(str(int(token)) for token in tokens)

    def action_token(self, index: int) -> int:
        """Raise ValueError: there are none."""
        raise ValueError(f"FAST token {index} is not below 0")

    def action_index(self, token: int) -> int | None:
        """Return None: there are no FAST tokens."""
        return None


@dataclass(frozen=True)
class Workload:
    """One request as on a robot, the same for every implementation."""

    config: ModelConfig
    ids: tuple[int, ...]  # The prompt, beginning-of-sequence included.
    cameras: int  # Number of cameras with a picture.
    slots: int  # Number of cameras of the padded implementations.
    tokens: int  # Number of text tokens to decode.
    noise: torch.Tensor  # (1, horizon, action_dim) float32, on the CPU.

    @property
    def camera_names(self) -> tuple[str, ...]:
        """Cameras with a picture; of a compact tower those that it tells apart, wrists first."""
        tower = self.config.compact_vision
        if tower is None:
            return tuple(f"camera {index}" for index in range(self.cameras))
        first = [name for name in tower.views if name != "back"]
        return (*first, *(name for name in tower.views if name == "back"))[: self.cameras]

    @property
    def views(self) -> tuple[int, ...]:
        """`ModelConfig.view_of` each camera."""
        return tuple(map(self.config.view_of, self.camera_names))

    def picture_tokens(self, points: bool) -> int:
        """Number of tokens of all pictures; `points`: with those that actions have."""
        tower = self.config.compact_vision
        if tower is None:
            return self.cameras * self.config.vision.tokens
        added = self.cameras if points and self.config.grounding is not None else 0
        return sum(map(tower.tokens_of, self.views)) + added

    def pictures(self, round_: int) -> dict[str, np.ndarray]:
        """Pictures of a round, the same for every implementation and new in every round.

        Returns:
            Camera name → (height, width, 3) uint8 rgb.
        """
        draw = np.random.default_rng([1, 100 + round_])  # Rounds of the warm-up are negative.
        shape = (*self.config.picture_size, 3)
        return {name: draw.integers(0, 256, shape, np.uint8) for name in self.camera_names}


def make_workload(
    config: ModelConfig,
    *,
    cameras: int = 3,
    slots: int | None = None,
    prompt_tokens_wanted: int | None = None,
    tokens: int = 12,
) -> Workload:
    """Make a workload; deterministic in its arguments.

    Args:
        config: Sizes. `max_text_tokens` becomes `tokens`.
        cameras: Number of cameras with a picture.
        slots: Number of cameras of padded implementations; None: `cameras`.
        prompt_tokens_wanted: Length of the prompt; None: that of a real one if the tokenizer ships
            with the suite, else the longest that fits.
        tokens: Number of text tokens to decode.

    Raises:
        ValueError: The prompt does not fit, or there are more cameras than slots.
    """
    slots = cameras if slots is None else slots
    if not 1 <= cameras <= slots:
        raise ValueError(f"wanted 1 to {slots} cameras, found {cameras}; raise --slots")
    tower = config.compact_vision
    if tower is not None and not cameras == slots <= len(tower.views):
        raise ValueError(
            f"wanted 1 to {len(tower.views)} cameras and no free slots with the compact tower of "
            f"'{config.name}', found {cameras} in {slots}"
        )
    draw = np.random.default_rng(0)
    length = prompt_tokens_wanted
    if length is None and config.tokenizer == "bytes":
        prompt = prompts.low_level("pick up the plate", draw.uniform(-1, 1, STATE))
        ids = tuple(prompt_tokens(make_tokenizer(config), prompt))
    else:
        length = config.max_prompt_tokens if length is None else length
        ids = (BEGIN, *draw.integers(4, config.language.vocabulary, length - 1).tolist())
    if not 2 <= len(ids) <= config.max_prompt_tokens:
        raise ValueError(f"wanted 2 to {config.max_prompt_tokens} prompt tokens, found {len(ids)}")
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn((1, config.horizon, config.action_dim), generator=generator)
    return Workload(replace(config, max_text_tokens=tokens), ids, cameras, slots, tokens, noise)


def make_model(workload: Workload, device: torch.device, dtype: torch.dtype) -> Pi05:
    """Make a model with random weights, initialised on the device.

    Every tensor affects the results, so an implementation that omits one gives other numbers. Two
    tensors are special. The embedding of end-of-sequence is 0: its logit is 0 and never the
    largest, so every implementation decodes all tokens. The factors of the last norm have mean 0:
    otherwise, with tied embeddings, a token would mostly predict itself.
    """
    with torch.device("meta"):
        model = Pi05(workload.config)
    model = model.to(dtype).to_empty(device=device)
    generator = torch.Generator(device).manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.normal_(generator=generator)
            if parameter.ndim >= 2:
                scale = 0.5 if ".modulation." in name else 1.0
                parameter.mul_(scale / math.sqrt(parameter.shape[1:].numel()))
            elif name == "language.norm.weight":
                parameter.sub_(1.0)
            else:
                pictures = name.startswith(("vision", "grounding"))
                layer_norm = pictures and name.endswith("norm.weight")
                parameter.mul_(0.1).add_(1.0 if layer_norm else 0.0)
        model.language.embedding.weight[END] = 0.0
    return model.eval().requires_grad_(False)
