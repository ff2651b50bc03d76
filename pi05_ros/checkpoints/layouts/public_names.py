"""Parameter names of LeRobot's state dict for ours (PI05Pytorch, commit 7427f318).

The modules correspond one to one, so that a name is all that differs. PI05Policy files put
`model.` before each name. Two tensors of theirs have no counterpart: the expert's `lm_head`, which
nothing uses, and the language model's, which Gemma ties to the embedding.
"""

from __future__ import annotations

_VLM = "paligemma_with_expert.paligemma.model."
_TOWER = _VLM + "vision_tower.vision_model."
_LANGUAGE = _VLM + "language_model."
_EXPERT = "paligemma_with_expert.gemma_expert.model."

# Beginning of a name, longest first: ours → theirs.
_BEGINNINGS = {
    "vision.patch_embedding.": _TOWER + "embeddings.patch_embedding.",
    "vision.position_embedding": _TOWER + "embeddings.position_embedding.weight",
    "vision.layers.": _TOWER + "encoder.layers.",
    "vision.norm.": _TOWER + "post_layernorm.",
    "vision.projector.": _VLM + "multi_modal_projector.linear.",
    "language.embedding.": _LANGUAGE + "embed_tokens.",
    "language.": _LANGUAGE,
    "expert.layers.": _EXPERT + "layers.",
    "expert.norm.": _EXPERT + "norm.",
    "expert.action_in.": "action_in_proj.",
    "expert.action_out.": "action_out_proj.",
    "expert.time_in.": "time_mlp_in.",
    "expert.time_out.": "time_mlp_out.",
    # π0 only (PI0Pytorch).
    "expert.state_in.": "state_proj.",
    "expert.action_time_in.": "action_time_mlp_in.",
    "expert.action_time_out.": "action_time_mlp_out.",
}
# Parts of a name within a layer: ours → theirs.
_VISION_PARTS = {
    "attention_norm": "layer_norm1",
    "mlp_norm": "layer_norm2",
    "mlp_in": "mlp.fc1",
    "mlp_out": "mlp.fc2",
    "attention": "self_attn",
    "query": "q_proj",
    "key": "k_proj",
    "value": "v_proj",
    "output": "out_proj",
}
_DECODER_PARTS = {
    "attention_norm": "input_layernorm",
    "mlp_norm": "post_attention_layernorm",
    "attention": "self_attn",
    "query": "q_proj",
    "key": "k_proj",
    "value": "v_proj",
    "output": "o_proj",
    "gate": "gate_proj",
    "up": "up_proj",
    "down": "down_proj",
    "modulation": "dense",
}


def public_name(name: str) -> str:
    """LeRobot's name for our parameter `name`.

    Raises:
        KeyError: There is no such parameter.
    """
    for beginning, theirs in _BEGINNINGS.items():
        if name.startswith(beginning):
            parts = _VISION_PARTS if name.startswith("vision.") else _DECODER_PARTS
            rest = name[len(beginning) :].split(".")
            return theirs + ".".join(parts.get(part, part) for part in rest)
    raise KeyError(name)
