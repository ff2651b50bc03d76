"""Tensors under the names of the public code, in all its versions, mapped to our names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.checkpoints.storage.files import CheckpointError
from pi05_ros.checkpoints.storage.safetensors_file import StoredTensor, same_values
from pi05_ros.checkpoints.storage.weights import compare, stored_tensors, wanted_shapes
from pi05_ros.model.config import ModelConfig, Variant

_PALIGEMMA = "paligemma_with_expert.paligemma."
_EXPERT = "paligemma_with_expert.gemma_expert."
EMBEDDING = _PALIGEMMA + "model.language_model.embed_tokens.weight"
HEAD = _PALIGEMMA + "lm_head.weight"  # Tied to the embedding in Gemma.
# The expert has no text; the public code creates these and never uses them.
EXPERT_HEAD = _EXPERT + "lm_head.weight"
UNUSED = (EXPERT_HEAD, _EXPERT + "model.embed_tokens.weight")

# First part of a name of the public code; what stands before it is a wrapper's.
_ROOTS = (
    "paligemma_with_expert",
    "action_in_proj",
    "action_out_proj",
    "time_mlp_in",
    "time_mlp_out",
    "state_proj",
    "action_time_mlp_in",
    "action_time_mlp_out",
)
# Parts that torch's wrappers put anywhere into a name: compile, DDP, FSDP, activation checkpoints.
_WRAPPERS = ("_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module")

# Older and newer forms of a name → the one of `public_names`, applied in this order.
_FORMS = (
    # transformers up to 4.51 kept a whole causal model inside PaliGemma.
    (rf"^{re.escape(_PALIGEMMA)}language_model\.lm_head\.", HEAD.removesuffix("weight")),
    (rf"^{re.escape(_PALIGEMMA)}language_model\.model\.", _PALIGEMMA + "model.language_model."),
    (
        rf"^{re.escape(_PALIGEMMA)}(?=(vision_tower|multi_modal_projector|language_model)\.)",
        _PALIGEMMA + "model.",
    ),
    # transformers 5 has no `vision_model` between tower and layers.
    (r"(?<=\.vision_tower\.)(?!vision_model\.)", "vision_model."),
)


@dataclass(frozen=True)
class PublicWeights:
    """Tensors of a folder, after comparison with the model's names and shapes."""

    tensors: dict[str, StoredTensor]  # By our names.
    tied: tuple[StoredTensor, StoredTensor] | None  # Embedding and head, if both exist.


def canonical_name(name: str) -> str:
    """Convert a name of any version of the public code to the one of `public_names`.

    Parts of wrappers and everything before the first part of the public code are taken off:
    `model.` (PI05Policy), `module.`, `_orig_mod.`, `base_model.model.`, a trainer's own.
    """
    name = split_prefix(name)[1]
    for pattern, replacement in _FORMS:
        name = re.sub(pattern, replacement, name)
    return name


def split_prefix(name: str) -> tuple[str, str]:
    """Split a name into what stands before the public code's, and that; no part of a wrapper.

    A name without a part of the public code is returned whole, with an empty prefix.
    """
    parts = name.split(".")
    roots = [index for index, part in enumerate(parts) if part in _ROOTS]
    if not roots:
        return "", name
    begin = roots[0]
    kept = [part for part in parts[begin:] if part not in _WRAPPERS]
    return "".join(f"{part}." for part in parts[:begin]), ".".join(kept)


def has_public_names(folder: Path) -> bool:
    """Check whether the folder's weights have names of the public code."""
    return any(canonical_name(n).startswith(_PALIGEMMA) for n in stored_tensors(folder))


def variant_of(folder: Path) -> Variant | None:
    """Variant π0.5 or π0, by the tensors that only one of them has; None: neither, or both."""
    names = {canonical_name(name) for name in stored_tensors(folder)}
    is_pi05, is_pi0 = "time_mlp_in.weight" in names, "action_time_mlp_in.weight" in names
    if is_pi05 == is_pi0:
        return None
    return "pi05" if is_pi05 else "pi0"


def public_weights(folder: Path, config: ModelConfig) -> PublicWeights:
    """Find each tensor of the model in a folder.

    Raises:
        CheckpointError: The model has a compact tower; or see `weights.stored_tensors` and
            `weights.compare`.
    """
    if config.compact_vision is not None:
        raise CheckpointError(
            folder,
            f"is of a public layout, which has the SigLIP tower; the model '{config.name}' has a "
            "compact one: name the sizes that the weights have",
        )
    found: dict[str, StoredTensor] = {}
    stored = stored_tensors(folder)
    for name in stored:
        if re.search(r"\.(lora_\w+|base_layer)\.", name):
            raise CheckpointError(
                stored[name].path,
                f"'{name}' is of a LoRA that is not merged: save the model merged "
                "(merge_and_unload of peft), or the adapter alone and merge it with "
                "`./pi05 checkpoint convert ADAPTER NEW --base CHECKPOINT`",
            )
    for name, tensor in stored.items():
        canonical = canonical_name(name)
        if canonical in found:
            other = found[canonical].name
            raise CheckpointError(
                tensor.path,
                f"'{name}' and '{other}' are the same tensor; wanted one of them, so save the "
                "weights that are to act alone",
            )
        found[canonical] = tensor
    for name in UNUSED:
        found.pop(name, None)
    tied = (found[EMBEDDING], found[HEAD]) if EMBEDDING in found and HEAD in found else None
    if HEAD in found:
        head = found.pop(HEAD)
        found.setdefault(EMBEDDING, head)
    if tied and tied[0].shape != tied[1].shape:
        raise CheckpointError(
            tied[1].path,
            f"'{tied[1].name}': wanted shape {tied[0].shape} as the embedding's, "
            f"found {tied[1].shape}",
        )
    wanted = wanted_shapes(config)
    ours = {public_name(name): name for name in wanted}
    tensors = {ours.get(name, name): tensor for name, tensor in found.items()}
    compare(folder, wanted, tensors, {name: theirs for theirs, name in ours.items()})
    return PublicWeights({name: tensors[name] for name in wanted}, tied)


def check_tied(weights: tuple[StoredTensor, StoredTensor] | None, config: ModelConfig) -> str:
    """Compare the language model's head with the embedding that it is tied to.

    Returns:
        A note for the user; empty: they are equal, or there is only one.

    Raises:
        CheckpointError: They differ, and the model decodes actions with the head.
    """
    if weights is None or same_values(*weights):
        return ""
    embedding, head = weights
    if config.variant == "pi0_fast":
        raise CheckpointError(
            head.path,
            f"'{head.name}' differs from '{embedding.name}': wanted the same values, since Gemma "
            "ties them and these weights write their actions with the head",
        )
    return (
        f"'{head.name}' differs from '{embedding.name}', to which Gemma ties it. Actions need the "
        "embedding only, which is kept; the head is left out, and what it could write with it"
    )
