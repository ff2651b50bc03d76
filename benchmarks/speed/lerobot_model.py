"""LeRobot's π0.5, π0 or π0-FAST with our weights (https://github.com/huggingface/lerobot).

It requires Python 3.12, transformers, and LeRobot installed or its `src` on PYTHONPATH; it is not
part of the suite. Its sizes are fixed by two variant names and a few constants, so three names of
its module are replaced while the model is created. The code that runs is LeRobot's.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.model.config import ModelConfig
from pi05_ros.model.pi05 import Pi05
from pi05_ros.model.text.tokenizer import PAD

from .implementations import ChunkRun, Pictures, TextRun
from .timing import Laps, now
from .workload import Workload

# Tied to the embedding (text), or unused (the expert's).
_HEADS = (
    "paligemma_with_expert.paligemma.lm_head.weight",
    "paligemma_with_expert.gemma_expert.lm_head.weight",
)


def why_not() -> str:
    """Reason why LeRobot cannot be run here, as a clause; empty: it can."""
    try:
        import lerobot.policies.pi05.modeling_pi05  # noqa: F401
    except ImportError as error:
        return f"{type(error).__name__}: {error}"
    except SyntaxError as error:
        return f"its source needs a newer Python ({error.filename}, line {error.lineno})"
    return ""


def build(model: Pi05, dtype: torch.dtype) -> Any:
    """Make LeRobot's model of the same variant with the weights and device of `model`.

    Args:
        model: Our model.
        dtype: float32, or bfloat16: LeRobot then keeps vision, norms and projections in float32.

    Raises:
        ImportError: See `why_not`.
        RuntimeError: A tensor of either model has no counterpart.
    """
    device = next(model.parameters()).device
    config = model.config
    folder = f"lerobot.policies.{config.variant}"
    module = importlib.import_module(f"{folder}.modeling_{config.variant}")
    settings = importlib.import_module(f"{folder}.configuration_{config.variant}")
    name = {"pi05": "PI05", "pi0": "PI0", "pi0_fast": "PI0Fast"}[config.variant]
    sizes: dict[str, Any] = {
        "dtype": str(dtype).removeprefix("torch."),
        "device": device.type,
        "chunk_size": config.horizon,
        "n_action_steps": config.horizon,
        "max_state_dim": config.action_dim,
        "max_action_dim": config.action_dim,
        "image_resolution": (config.vision.image_size,) * 2,
        "tokenizer_max_length": config.max_prompt_tokens,
    }
    if config.has_expert:
        sizes["num_inference_steps"] = config.flow_steps
    with _sizes_of(module, config), torch.device(device):
        theirs = getattr(module, f"{name}Pytorch")(getattr(settings, f"{name}Config")(**sizes))
    weights = {public_name(name): tensor for name, tensor in model.named_parameters()}
    outcome = theirs.load_state_dict(weights, strict=False)  # Copied, into each tensor's dtype.
    missing = [name for name in outcome.missing_keys if name not in _HEADS]
    if missing or outcome.unexpected_keys:
        raise RuntimeError(
            f"LeRobot's tensors are not ours: missing {missing[:3]}, "
            f"unexpected {outcome.unexpected_keys[:3]}"
        )
    vlm = theirs.paligemma_with_expert.paligemma
    vlm.lm_head.weight = vlm.model.language_model.embed_tokens.weight
    return theirs.eval().requires_grad_(False)


@contextmanager
def _sizes_of(module: Any, config: ModelConfig) -> Iterator[None]:
    """Replace the sizes of LeRobot's module by those of `config` within the block."""
    vision, language = config.vision, config.language
    names = ["get_gemma_config", "PaliGemmaForConditionalGenerationWithPiGemma"]
    if config.has_expert:
        names.append("PiGemmaForCausalLM")
    before = {name: getattr(module, name) for name in names}

    def gemma(variant: str) -> Any:
        part = language if variant == "gemma_2b" else config.required_expert()
        return module.GemmaConfig(
            part.width,
            language.depth,
            part.mlp_width,
            language.heads,
            language.kv_heads,
            language.head_dim,
        )

    def vlm(config: Any) -> Any:
        theirs = config.vision_config
        theirs.image_size, theirs.patch_size = vision.image_size, vision.patch_size
        theirs.hidden_size, theirs.intermediate_size = vision.width, vision.mlp_width
        theirs.num_hidden_layers, theirs.num_attention_heads = vision.depth, vision.heads
        theirs.projection_dim = language.width
        config.text_config.vocab_size = language.vocabulary
        return before[names[1]](config)

    def causal(config: Any) -> Any:
        config.vocab_size = 1  # Of an unused head.
        return before[names[2]](config)

    try:
        for name, smaller in zip(names, (gemma, vlm, causal), strict=False):
            setattr(module, name, smaller)
        yield
    finally:
        for name, original in before.items():
            setattr(module, name, original)


class LeRobot:
    """LeRobot as an Implementation.

    A chunk is its `sample_actions`, with `embed_image` and `denoise_step` timed separately. Its
    π0.5 decodes no text; the loop here follows its π0-FAST (`modeling_pi0_fast`,
    `sample_actions_fast_kv_cache`), with the modules and the cache of its π0.5.

    Args:
        model: Our model, for sizes and device.
        theirs: From `build`.
        workload: The request.
        padded: Whether prompt and cameras are padded, as by its preprocessor; LeRobot itself
            never runs without padding.
    """

    def __init__(self, model: Pi05, theirs: Any, workload: Workload, *, padded: bool) -> None:
        self.name = "LeRobot, padded" if padded else "LeRobot, not padded"
        self._theirs, self._workload, self._padded = theirs, workload, padded
        self._device = next(model.parameters()).device
        ids = list(workload.ids)
        if padded:
            ids += [PAD] * (model.config.max_prompt_tokens - len(ids))
        self._tokens = torch.tensor([ids], device=self._device)
        length = torch.arange(len(ids), device=self._device)
        self._token_mask = (length < len(workload.ids))[None]

    @torch.inference_mode()
    def chunk(self, pictures: Pictures) -> ChunkRun:
        """See Implementation."""
        start = now(self._device)
        images, masks = self._inputs(pictures)
        noise = self._workload.noise.to(self._device)
        with (
            self._timed(self._theirs.paligemma_with_expert, "embed_image") as pictures_taken,
            self._timed(self._theirs, "denoise_step") as steps_taken,
        ):
            sampled = self._theirs.sample_actions(
                images, masks, self._tokens, self._token_mask, noise=noise
            )
        actions = sampled[0].float().cpu()
        total = now(self._device) - start
        embedding, generation = sum(pictures_taken), sum(steps_taken)
        return ChunkRun(
            actions, Laps(embedding, total - embedding - generation, generation, total)
        )

    @torch.inference_mode()
    def text(self, pictures: Pictures, keep_logits: bool = False) -> TextRun:
        """See Implementation."""
        from lerobot.policies.common.vla_utils import prepare_attention_masks_4d

        start = now(self._device)
        both = self._theirs.paligemma_with_expert
        with self._timed(both, "embed_image") as pictures_taken:
            images, masks = self._inputs(pictures)
            embedded, valid, _ = self._theirs.embed_prefix(
                images, masks, self._tokens, self._token_mask
            )
        (hidden, _), cache = both.forward(
            attention_mask=prepare_attention_masks_4d(
                valid[:, None].expand(-1, valid.shape[1], -1)
            ),
            position_ids=valid.cumsum(dim=1) - 1,
            past_key_values=None,
            inputs_embeds=[embedded, None],
            use_cache=True,
        )
        padding = self._tokens.shape[1] - len(self._workload.ids)
        hidden = hidden[:, -1 - padding]
        prefix_end = now(self._device)
        tokens: list[int] = []
        kept: list[Tensor] = []
        while True:
            logits = both.paligemma.lm_head(hidden).float()
            tokens.append(int(logits.argmax()))
            if keep_logits:
                kept.append(logits[0].cpu())
            if len(tokens) == self._workload.tokens:
                break
            valid = torch.cat([valid, valid.new_ones(1, 1)], dim=1)
            token = torch.tensor([[tokens[-1]]], device=self._device)
            (hidden, _), cache = both.forward(
                attention_mask=prepare_attention_masks_4d(valid[:, None]),
                position_ids=valid.sum(dim=1, keepdim=True) - 1,
                past_key_values=cache,
                inputs_embeds=[both.embed_language_tokens(token), None],
                use_cache=True,
            )
            hidden = hidden[:, -1]
        end = now(self._device)
        embedding = sum(pictures_taken)
        laps = Laps(embedding, prefix_end - start - embedding, end - prefix_end, end - start)
        return TextRun.of_logits(tokens, laps, kept)

    def _inputs(self, pictures: Pictures) -> tuple[list[Tensor], list[Tensor]]:
        """Return each camera's picture (1, 3, H, W) in [-1, 1], and its mask (1,)."""
        images = [
            torch.from_numpy(picture).to(self._device).permute(2, 0, 1)[None].float() / 255.0 * 2.0
            - 1.0
            for picture in pictures.values()
        ]
        free = self._workload.slots - len(images) if self._padded else 0
        present = [True] * len(images) + [False] * free
        images += [torch.full_like(images[0], -1.0)] * free
        return images, [torch.tensor([flag], device=self._device) for flag in present]

    @contextmanager
    def _timed(self, owner: Any, name: str) -> Iterator[list[float]]:
        """Yield a list to which the time of every call of a method is appended [s]."""
        method: Callable[..., Any] = getattr(owner, name)
        taken: list[float] = []

        def timed(*args: Any, **kwargs: Any) -> Any:
            start = now(self._device)
            result = method(*args, **kwargs)
            taken.append(now(self._device) - start)
            return result

        owner.__dict__[name] = timed
        try:
            yield taken
        finally:
            del owner.__dict__[name]
