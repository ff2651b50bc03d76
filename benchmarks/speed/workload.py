"""What everybody is given: sizes, weights, a prompt, noise, and fresh pictures."""

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
    """What `config_of` knows: every preset, and `reference`."""
    return *preset_names(), REFERENCE.name


def config_of(name: str) -> ModelConfig:
    """Sizes by name.

    Raises:
        ConfigError: There is no such preset.
    """
    return REFERENCE if name == REFERENCE.name else load_preset(name)


@dataclass(frozen=True)
class FixedTokenizer:
    """Reads any text as the same ids, so that a prompt has the length that is asked for."""

    size: int
    ids: tuple[int, ...]  # Without the beginning.
    actions: int = 0  # FAST tokens.

    def encode(self, text: str) -> list[int]:
        """The ids, whatever the text."""
        return list(self.ids)

    def decode(self, tokens: Iterable[int]) -> str:
        """The ids in digits: random weights write no words."""
        return " ".join(str(int(token)) for token in tokens)

    def action_token(self, index: int) -> int:
        """There are none."""
        raise ValueError(f"FAST token {index} is not below 0")

    def action_index(self, token: int) -> int | None:
        """No text here holds an action."""
        return None


@dataclass(frozen=True)
class Workload:
    """One request, as the robot would make it, in the same words for everybody."""

    config: ModelConfig
    ids: tuple[int, ...]  # The prompt, its beginning included.
    cameras: int  # That gave a picture.
    slots: int  # Cameras that the padded implementations make room for.
    tokens: int  # Of text to write.
    noise: torch.Tensor  # (1, horizon, action_dim) float32, on the CPU.

    def pictures(self, round_: int) -> dict[str, np.ndarray]:
        """Fresh pictures of a round, the same for everybody: no cache may know them.

        Returns:
            Camera name → (image_size, image_size, 3) uint8 rgb.
        """
        draw = np.random.default_rng([1, 100 + round_])  # Warm-up counts from below 0.
        shape = (self.config.vision.image_size, self.config.vision.image_size, 3)
        return {
            f"camera {index}": draw.integers(0, 256, shape, np.uint8)
            for index in range(self.cameras)
        }


def make_workload(
    config: ModelConfig,
    *,
    cameras: int = 3,
    slots: int | None = None,
    prompt_tokens_wanted: int | None = None,
    tokens: int = 12,
) -> Workload:
    """Draws a workload; the same one for the same arguments.

    Args:
        config: Sizes. `max_text_tokens` becomes `tokens`.
        cameras: That give a picture.
        slots: Cameras that padded implementations make room for; None: as many as `cameras`.
        prompt_tokens_wanted: Length of the prompt; None: that of a real one where the tokenizer
            ships with the suite, else the longest that fits.
        tokens: Of text to write.

    Raises:
        ValueError: The prompt does not fit, or there are more cameras than slots.
    """
    slots = cameras if slots is None else slots
    if not 1 <= cameras <= slots:
        raise ValueError(f"wanted 1 to {slots} cameras, found {cameras}; raise --slots")
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
    """A model with random weights, drawn where they stay: 3.3 B never pass through the CPU.

    Every tensor takes part, so that an implementation that forgets one gives other numbers. Two
    things are arranged. The row of end-of-sequence is 0: its logit is 0, the best of thousands
    is another, and everybody writes every token that was asked for. The last norm's factors have
    mean 0: with tied embeddings a token would else mostly predict itself, whatever was read.
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
                layer_norm = name.startswith("vision") and name.endswith("norm.weight")
                parameter.mul_(0.1).add_(1.0 if layer_norm else 0.0)
        model.language.embedding.weight[END] = 0.0
    return model.eval().requires_grad_(False)
