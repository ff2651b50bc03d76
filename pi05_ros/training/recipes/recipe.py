"""The keys of a recipe.

Defaults are those of openpi's public configurations where they have the key. The paper's values
(arXiv 2504.16054, sections IV-C and IV-D) are in the recipes `pretrain` and `posttrain`;
docs/training.md maps them to the keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pi05_ros.data.filters.episode_filter import EpisodeFilter
from pi05_ros.training.objective.losses import LossConfig

Kind = Literal["MM", "ME", "CE", "HL", "WD", "VI"]
Stage = Literal["pretrain", "posttrain", "finetune"]
Precision = Literal["float32", "bfloat16"]
_SEEDS = 2**63


@dataclass(frozen=True)
class ModelRecipe:
    """The model that is trained."""

    preset: str = "base"  # One of config/models; ignored where weights are given to begin from.
    init: str = ""  # Checkpoint to begin from; "": weights drawn at random.
    # Draw the expert anew although the checkpoint has one. One without gets one in any case.
    fresh_expert: bool = False
    seed: int = 0  # Of weights that are drawn.
    # Gates of a new expert's adaptive norms: 0 as in the public code; at 1 a small model learns
    # sooner, since the expert's layers act from the first step on.
    gates: float = 0.0
    lora_rank: int = 0  # Rank of low-rank updates; 0: all weights are trained.
    lora_alpha: float = 16.0  # Scale of the updates is lora_alpha / lora_rank.
    # Entries, or groups by the beginning of their entries' names ("left_arm"), whose action is the
    # difference to the state, in statistics that the run measures itself.
    relative: tuple[str, ...] = ()
    # FAST tokenizer: a file of `./pi05 fast fit`, or a public folder. "": the checkpoint's; where
    # it has none, one is fitted to the robot episodes.
    fast: str = ""

    def __post_init__(self) -> None:
        if self.lora_rank < 0:
            raise ValueError(f"lora_rank {self.lora_rank} is below 0")
        if not self.lora_alpha > 0.0:
            raise ValueError(f"lora_alpha {self.lora_alpha} is not above 0")
        if not 0 <= self.seed < _SEEDS:
            raise ValueError(f"seed {self.seed} is not from 0 to 2^63 - 1")


@dataclass(frozen=True)
class SourceRecipe:
    """One source of samples.

    Which keys count depends on the kind: robot episodes (MM mobile manipulator, ME other robots in
    many homes, CE other robots in a lab), HL (plans of such episodes), VI (spoken instructions),
    WD (pictures with captions, questions and boxes).
    """

    kind: Kind
    weight: float = 1.0  # Share of the samples, relative to the other sources; 0 leaves it out.
    # Bags, folders of bags, LeRobot datasets; for WD folders with .jsonl or shards (.tar).
    # "smoke:episodes" and "smoke:scenes" are made if need be.
    paths: tuple[str, ...] = ()
    # Cameras in the model's order, a name per picture; (): the platform's, in its order. A camera
    # that an episode lacks is masked.
    cameras: tuple[str, ...] = ()
    subtasks: bool = True  # Robot episodes: prompt with the subtask; False: with the task (no HL).
    fast: bool = True  # Robot episodes: actions as FAST tokens too.
    flow: bool = True  # Robot episodes: actions for the expert, where the loss has a flow.

    def __post_init__(self) -> None:
        if self.weight < 0.0:
            raise ValueError(f"weight {self.weight} is below 0")


@dataclass(frozen=True)
class OptimizerRecipe:
    """AdamW, its learning rate over time, and the moving average of the weights."""

    learning_rate: float = 5e-5  # Largest [1/step].
    # Share of it for the patch embedding of the picture tower. A step of AdamW changes each of its
    # 3 · patch_size² inputs' weights alike: large patches need a small share at large rates.
    patch_rate: float = 1.0
    warmup_steps: int = 1000  # The rate rises linearly from 0.
    final_share: float = 0.1  # The rate falls on a cosine to this share of the largest.
    beta1: float = 0.9
    beta2: float = 0.95
    epsilon: float = 1e-8
    weight_decay: float = 1e-10  # Of matrices; norms, biases and embeddings have none.
    clip_norm: float = 1.0  # Largest norm of the gradient.
    eight_bit: bool = False  # States of 8 bits, by the library bitsandbytes.
    ema: float = 0.999  # Decay of the moving average per step; 0: none.

    def __post_init__(self) -> None:
        for name in ("learning_rate", "patch_rate", "clip_norm", "epsilon"):
            if not getattr(self, name) > 0.0:
                raise ValueError(f"{name} {getattr(self, name)} is not above 0")
        for name in ("beta1", "beta2", "ema"):
            if not 0.0 <= getattr(self, name) < 1.0:
                raise ValueError(f"{name} {getattr(self, name)} is not from 0 to below 1")
        if not 0.0 <= self.final_share <= 1.0:
            raise ValueError(f"final_share {self.final_share} is not from 0 to 1")
        if self.warmup_steps < 0 or self.weight_decay < 0.0:
            raise ValueError("warmup_steps and weight_decay are at least 0")


@dataclass(frozen=True)
class BatchRecipe:
    """Samples of one optimiser step, over all processes, and how they are computed."""

    size: int = 256  # Samples a step over all processes.
    micro: int = 8  # Samples of one pass of one process; gradients are accumulated to `size`.
    flow_samples: int = 1  # Draws of time and noise for one reading of the prefix.
    precision: Precision = "bfloat16"
    checkpoint_activations: bool = False
    compile: bool = False  # torch.compile; lengths are then padded to multiples of `pad_to`.
    pad_to: int = 32  # [token]
    workers: int = 2  # Processes of the loader per rank; 0: the training process loads.

    def __post_init__(self) -> None:
        for name in ("size", "micro", "flow_samples", "pad_to"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} {getattr(self, name)} is below 1")
        if self.workers < 0:
            raise ValueError(f"workers {self.workers} is below 0")


@dataclass(frozen=True)
class AugmentationRecipe:
    """Changes of pictures (openpi's public recipe). Boxes follow them."""

    crop_share: float = 0.95  # Height and width of the random crop; 1: none. Not on wrists.
    rotate_deg: float = 5.0  # Largest rotation either way; not on wrists.
    brightness: float = 0.3
    contrast: float = 0.4
    saturation: float = 0.5
    wrist_cameras: tuple[str, ...] = ("left_wrist", "right_wrist", "wrist")  # Colour only.
    # Standard deviation of noise on the normalised state of low-level samples. Entries that hardly
    # move in the episodes are otherwise always the same text in the prompt, and on the robot a
    # deviation of 1 mrad is text that the model never saw; 0: none, as in public recipes.
    state_noise: float = 0.0

    def __post_init__(self) -> None:
        if not 0.0 < self.crop_share <= 1.0:
            raise ValueError(f"crop_share {self.crop_share} is not above 0 and at most 1")
        if not self.state_noise >= 0.0:
            raise ValueError(f"state_noise {self.state_noise} is below 0")


@dataclass(frozen=True)
class SavingRecipe:
    """When checkpoints are written, and which are kept."""

    every_steps: int = 1000
    keep_last: int = 2  # Resumable states; `best` and `last` are kept beside them.
    keep_every_steps: int = 0  # States at multiples of it are never pruned; 0: none.

    def __post_init__(self) -> None:
        if self.every_steps < 1 or self.keep_last < 1 or self.keep_every_steps < 0:
            raise ValueError("every_steps and keep_last are at least 1, keep_every_steps 0")


@dataclass(frozen=True)
class ValidationRecipe:
    """Held-out episodes and homes; they are evaluated whenever the run is saved."""

    share: float = 0.05  # Of each source's episodes, whole homes at once.
    samples: int = 256  # At most, of each source; the same ones each time.
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0.0 <= self.share < 1.0:
            raise ValueError(f"share {self.share} is not from 0 to below 1")
        if self.samples < 1:
            raise ValueError(f"samples {self.samples} is below 1: share 0 is no validation")


@dataclass(frozen=True)
class Recipe:
    """A training run."""

    name: str
    stage: Stage
    steps: int
    description: str = ""
    seed: int = 0  # Of sampling, augmentation and noise.
    model: ModelRecipe = field(default_factory=ModelRecipe)
    sources: Mapping[str, SourceRecipe] = field(default_factory=dict)  # By name.
    filter: EpisodeFilter = field(default_factory=EpisodeFilter)
    loss: LossConfig = field(default_factory=LossConfig)
    optimizer: OptimizerRecipe = field(default_factory=OptimizerRecipe)
    batch: BatchRecipe = field(default_factory=BatchRecipe)
    augmentation: AugmentationRecipe = field(default_factory=AugmentationRecipe)
    saving: SavingRecipe = field(default_factory=SavingRecipe)
    validation: ValidationRecipe = field(default_factory=ValidationRecipe)
    max_bad_share: float = 0.01  # Samples that cannot be read are skipped up to this share.

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps {self.steps} is below 1")
        if not 0 <= self.seed < _SEEDS:
            raise ValueError(f"seed {self.seed} is not from 0 to 2^63 - 1")
        if not 0.0 <= self.max_bad_share <= 1.0:
            raise ValueError(f"max_bad_share {self.max_bad_share} is not from 0 to 1")
        if self.stage == "pretrain" and self.loss.alpha:
            raise ValueError(
                f"stage pretrain has no expert: wanted loss.alpha 0, found {self.loss.alpha:g}"
            )

    @property
    def has_expert(self) -> bool:
        """True if an expert is trained."""
        return self.loss.alpha > 0.0

    def active_sources(self) -> dict[str, SourceRecipe]:
        """Return the sources with a weight."""
        return {name: source for name, source in self.sources.items() if source.weight > 0.0}
