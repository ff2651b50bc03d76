"""Sizes of the model as one frozen config. The defaults are the published 3.3 B model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.foundation.resources import resource_path
from pi05_ros.foundation.strict_yaml import load_yaml

Variant = Literal["pi05", "pi0", "pi0_fast"]


@dataclass(frozen=True)
class VisionConfig:
    """The SigLIP tower. Defaults: So400m/14 (arXiv 2303.15343), as in PaliGemma (2407.07726)."""

    image_size: int = 224  # Height and width of a picture [pixel].
    patch_size: int = 14  # Height and width of a patch [pixel]; divides image_size.
    width: int = 1152
    depth: int = 27
    heads: int = 16
    mlp_width: int = 4304

    def __post_init__(self) -> None:
        _positive(self, "image_size", "patch_size", "width", "depth", "heads", "mlp_width")
        if self.image_size % self.patch_size:
            raise ValueError(
                f"image_size {self.image_size} is no multiple of patch_size {self.patch_size}"
            )
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is no multiple of heads {self.heads}")

    @property
    def tokens(self) -> int:
        """Number of tokens of one picture: one per patch."""
        return (self.image_size // self.patch_size) ** 2


@dataclass(frozen=True)
class CompactVisionConfig:
    """A convolutional tower in place of SigLIP, for small models; see `compact_vision`."""

    height: int = 144  # Of a picture as it is given [pixel].
    width: int = 192
    # Camera -> factor by which its pictures are reduced. The tower tells these cameras apart; the
    # picture of any other camera is taken as one of the first.
    cameras: Mapping[str, int] = field(
        default_factory=lambda: {"front": 1, "back": 2, "left_wrist": 2, "right_wrist": 2},
        hash=False,  # A mapping has none; the other fields suffice.
    )
    channels: tuple[int, int, int] = (16, 32, 64)  # At a half, a quarter and an eighth.
    patch: int = 3  # Cells of the map at an eighth that make a token, in each direction.

    def __post_init__(self) -> None:
        _positive(self, "height", "width", "patch")
        if not self.cameras or min(self.cameras.values()) < 1 or min(self.channels) < 1:
            raise ValueError("wanted cameras with reductions from 1, and channels from 1")
        for reduction in set(self.cameras.values()):
            step = 8 * self.patch * reduction
            if self.height % step or self.width % step:
                raise ValueError(
                    f"{self.height} x {self.width} pixels reduced by {reduction} are no multiples "
                    f"of the {8 * self.patch} pixels of a token"
                )

    @property
    def views(self) -> tuple[str, ...]:
        """Names of the cameras that the tower tells apart."""
        return tuple(self.cameras)

    @property
    def reductions(self) -> tuple[int, ...]:
        """Factor of each of `views`."""
        return tuple(self.cameras.values())

    def tokens_of(self, view: int) -> int:
        """Return the number of tokens of a picture of `views[view]`."""
        step = 8 * self.patch * self.reductions[view]
        return (self.height // step) * (self.width // step)


@dataclass(frozen=True)
class GroundingConfig:
    """Heat maps of what a text names; see `grounding`."""

    width: int = 32  # Of the head.
    max_query_tokens: int = 32  # Of a text; later ones are not read.

    def __post_init__(self) -> None:
        _positive(self, "width", "max_query_tokens")


@dataclass(frozen=True)
class LanguageConfig:
    """The language model. Defaults: Gemma 2B (arXiv 2403.08295), PaliGemma's vocabulary."""

    width: int = 2048
    depth: int = 18
    mlp_width: int = 16384
    heads: int = 8
    kv_heads: int = 1  # Heads that share their keys and values; 1: multi-query attention.
    head_dim: int = 256
    vocabulary: int = 257152  # 256000 of Gemma, 1024 <loc>, 128 <seg>.

    def __post_init__(self) -> None:
        _positive(
            self, "width", "depth", "mlp_width", "heads", "kv_heads", "head_dim", "vocabulary"
        )
        if self.heads % self.kv_heads:
            raise ValueError(f"heads {self.heads} is no multiple of kv_heads {self.kv_heads}")
        if self.head_dim % 2:
            raise ValueError(f"head_dim {self.head_dim} is odd; rotary positions need pairs")


@dataclass(frozen=True)
class ExpertConfig:
    """The action expert, 300 M parameters by default (paper, section IV-D and appendix E).

    Depth, heads and head_dim are the language model's: layer by layer, the expert attends to the
    keys and values of that model and its own at once. The variant `pi0_fast` has no expert.
    """

    width: int = 1024
    mlp_width: int = 4096

    def __post_init__(self) -> None:
        _positive(self, "width", "mlp_width")
        if self.width % 2:
            raise ValueError(f"width {self.width} is odd; the time embedding needs sin-cos pairs")


@dataclass(frozen=True)
class ModelConfig:
    """Sizes of the whole model: three towers, and the lengths of its inputs and outputs.

    The variant sets how actions are produced. Vision and language model are the same in all three:

        pi05      An expert samples them; the flow time modulates its norms, the state is text in
                  the prompt (arXiv 2504.16054).
        pi0       An expert samples them; the flow time is mixed into each action token, the state
                  is a token of the expert (arXiv 2410.24164).
        pi0_fast  No expert: the language model decodes them as FAST tokens (arXiv 2501.09747).
    """

    name: str = "base"
    variant: Variant = "pi05"
    vision: VisionConfig = field(default_factory=VisionConfig)
    compact_vision: CompactVisionConfig | None = None  # In place of `vision`; None: SigLIP.
    grounding: GroundingConfig | None = None  # Needs a compact tower; None: no heat maps.
    language: LanguageConfig = field(default_factory=LanguageConfig)
    # None: pre-trained weights of π0.5, which have no expert yet and write FAST tokens.
    expert: ExpertConfig | None = field(default_factory=ExpertConfig)
    tokenizer: Literal["paligemma", "bytes"] = "paligemma"  # Kind of the vocabulary.
    action_dim: int = 32  # States and actions are padded to it (public weights).
    horizon: int = 50  # Actions in a chunk: 1 s at 50 Hz (paper, section IV-E).
    flow_steps: int = 10  # Euler steps from noise to actions (paper, section IV-C).
    # Factor on the noise that actions are sampled from: 0 takes its mean, which a small model's
    # chunks are closest to what it was shown from; 1 as in the paper.
    noise_scale: float = 1.0
    max_prompt_tokens: int = 200  # Public weights.
    max_text_tokens: int = 128  # Boxes and subtask, end-of-sequence included. Not published.
    max_action_tokens: int = 256  # A chunk in FAST tokens (openpi, `Pi0FAST.sample_actions`).

    def __post_init__(self) -> None:
        _positive(self, "action_dim", "horizon", "flow_steps")
        _positive(self, "max_prompt_tokens", "max_text_tokens", "max_action_tokens")
        if self.variant not in get_args(Variant):
            valid = ", ".join(get_args(Variant))
            raise ValueError(f"variant '{self.variant}' is none of {valid}")
        if self.grounding is not None and self.compact_vision is None:
            raise ValueError("grounding needs a compact tower (compact_vision)")
        if not 0.0 <= self.noise_scale <= 1.0:
            raise ValueError(f"noise_scale {self.noise_scale} is not from 0 to 1")

    @property
    def picture_size(self) -> tuple[int, int]:
        """(height, width) of the pictures that the model is given [pixel]."""
        if self.compact_vision is not None:
            return self.compact_vision.height, self.compact_vision.width
        return self.vision.image_size, self.vision.image_size

    def view_of(self, camera: str) -> int:
        """Return the index of a camera in the compact tower's views; 0 if it has none."""
        views = self.compact_vision.views if self.compact_vision is not None else ()
        return views.index(camera) if camera in views else 0

    def reduction_of(self, camera: str) -> int:
        """Return the factor by which pictures of a camera are reduced before the tower."""
        if self.compact_vision is None:
            return 1
        return self.compact_vision.reductions[self.view_of(camera)]

    @property
    def has_expert(self) -> bool:
        """True if actions are sampled by flow matching, False if decoded as FAST tokens."""
        return self.variant != "pi0_fast" and self.expert is not None

    def required_expert(self) -> ExpertConfig:
        """Return the expert's sizes.

        Raises:
            ValueError: The model has no expert.
        """
        if self.expert is None:
            raise ValueError(f"the model '{self.name}' has no expert")
        return self.expert

    def required_compact_vision(self) -> CompactVisionConfig:
        """Return the compact tower's sizes.

        Raises:
            ValueError: The model has the SigLIP tower.
        """
        if self.compact_vision is None:
            raise ValueError(f"the model '{self.name}' has no compact tower")
        return self.compact_vision

    def required_grounding(self) -> GroundingConfig:
        """Return the grounding's sizes.

        Raises:
            ValueError: The model has none.
        """
        if self.grounding is None:
            raise ValueError(f"the model '{self.name}' has no grounding")
        return self.grounding


def preset_names() -> tuple[str, ...]:
    """Names of the presets in config/models."""
    return tuple(sorted(path.stem for path in resource_path("config/models").glob("*.yaml")))


def load_preset(name: str) -> ModelConfig:
    """Load `config/models/<name>.yaml`.

    Raises:
        ConfigError: There is no preset of that name, or its file is not valid.
    """
    names = preset_names()
    if name not in names:
        raise ConfigError(
            f"model preset '{name}'",
            f"there is none of that name{did_you_mean(name, names)} (valid: {', '.join(names)})",
        )
    return load_yaml(resource_path(f"config/models/{name}.yaml"), ModelConfig)


def _positive(config: object, *names: str) -> None:
    """Raise ValueError for the first of the named fields that is below 1."""
    for name in names:
        if (value := getattr(config, name)) < 1:
            raise ValueError(f"{name} {value} is below 1")
