"""Vision and language model against transformers' PaliGemma: small random weights, float32.

Same weights, same inputs; compared: the vision tower's layers, the projected pictures, keys and
values of every layer of the language model, its last hidden states, the logits and the loss.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

os.environ["HF_HUB_OFFLINE"] = "1"  # Before the import: no test may use the network.

import pytest
import torch
import torch.nn.functional as F
import transformers
from torch import Tensor

from pi05_ros.checkpoints.layouts.public_names import public_name
from pi05_ros.model.config import ExpertConfig, LanguageConfig, ModelConfig, VisionConfig
from pi05_ros.model.decoding import decode_text
from pi05_ros.model.pi05 import Pi05
from pi05_ros.training.objective import losses
from pi05_ros.training.objective.batch import Batch, Targets

TOLERANCE = 1e-4
VOCABULARY = 400
PICTURE = VOCABULARY - 1  # Their placeholder for a picture's token; no text holds it.


@dataclass(frozen=True)
class Case:
    """Layout of a batch; B rows, C cameras."""

    cameras: tuple[str, ...]  # A row each: "110" lacks the last of three cameras.
    prompts: tuple[str, ...]  # A row each: x a token, . padding.
    targets: tuple[str, ...] = ()  # Likewise; none: no targets.
    heads: int = 4
    kv_heads: int = 1


CASES = {
    "one picture": Case(("1",), ("xxxxxxxx",)),
    "one picture and causal text": Case(("1",), ("xxxxx",), ("xxxxxx",)),
    "three pictures": Case(("111",), ("xxxxx",), ("xxx",)),
    "a missing camera": Case(("101",), ("xxxxx",), ("xxxx",)),
    "no camera but the last": Case(("001",), ("xxxxx",), ("xxxx",)),
    "prompt padded right": Case(("1",), ("xxxxx...",), ("xxxx..",)),
    "prompt padded left": Case(("1",), ("...xxxxx",), ("..xxxx",)),
    "prompt padded in the middle": Case(("1",), ("xx..xx.x",), ("x.xx.x",)),
    "a batch of all that": Case(
        ("111", "011", "110"), ("xxxxxxx", "xxx....", "..xxx.x"), ("xxxxx", "xx...", ".x.x.")
    ),
    "two key heads": Case(("11",), ("xxxx.",), ("xxx",), kv_heads=2),
    "a key head each": Case(("11", "01"), ("xxxx.", "xxxxx"), ("xxx", "x.x"), kv_heads=4),
}


def make(heads: int = 4, kv_heads: int = 1) -> Pi05:
    """Our model with random weights."""
    config = ModelConfig(
        name="small",
        variant="pi0_fast",  # Vision and language alone.
        vision=VisionConfig(
            image_size=42, patch_size=14, width=48, depth=3, heads=4, mlp_width=80
        ),
        language=LanguageConfig(
            width=64,
            depth=4,
            mlp_width=160,
            heads=heads,
            kv_heads=kv_heads,
            head_dim=24,
            vocabulary=VOCABULARY,
        ),
        expert=ExpertConfig(16, 16),
        tokenizer="bytes",
    )
    model = Pi05(config).eval()
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                parameter.normal_(0.0, 0.2, generator=generator)
                if name.startswith("vision") and "norm" in name and name.endswith("weight"):
                    parameter.add_(1.0)
            else:
                scale = parameter.shape[1:].numel() ** -0.5
                parameter.normal_(0.0, scale, generator=generator)
    return model


def theirs_of(model: Pi05):
    """The model of transformers, of the same sizes, with the same weights."""
    vision, language = model.config.vision, model.config.language
    config = transformers.PaliGemmaConfig(
        vision_config=transformers.SiglipVisionConfig(
            hidden_size=vision.width,
            intermediate_size=vision.mlp_width,
            num_hidden_layers=vision.depth,
            num_attention_heads=vision.heads,
            image_size=vision.image_size,
            patch_size=vision.patch_size,
            hidden_act="gelu_pytorch_tanh",
            vision_use_head=False,
        ).to_dict(),
        text_config=transformers.GemmaConfig(
            vocab_size=language.vocabulary,
            hidden_size=language.width,
            intermediate_size=language.mlp_width,
            num_hidden_layers=language.depth,
            num_attention_heads=language.heads,
            num_key_value_heads=language.kv_heads,
            head_dim=language.head_dim,
        ).to_dict(),
        image_token_index=PICTURE,
        vocab_size=language.vocabulary,
        projection_dim=language.width,
        hidden_size=language.width,
    )
    theirs = transformers.PaliGemmaForConditionalGeneration(config).eval()
    weights = {their_name(name): p.detach() for name, p in model.named_parameters()}
    names = set(dict(theirs.named_parameters()))  # The head is tied, and not named again.
    if not any(".vision_model." in name for name in names):  # Since transformers 5.6.
        weights = {name.replace(".vision_model.", "."): p for name, p in weights.items()}
    assert set(weights) == names
    with torch.no_grad():
        for name, parameter in theirs.named_parameters():
            parameter.copy_(weights[name])
    return theirs


def their_name(name: str) -> str:
    """LeRobot holds transformers' model under a name of its own."""
    return public_name(name).removeprefix("paligemma_with_expert.paligemma.")


def there(rows: tuple[str, ...], mark: str) -> Tensor:
    """Positions of a mark, (B, longest) bool."""
    return torch.tensor([[letter == mark for letter in row] for row in rows])


def batch_of(case: Case) -> Batch:
    """A training batch of a case."""
    generator = torch.Generator().manual_seed(1)
    cameras, prompt_valid = there(case.cameras, "1"), there(case.prompts, "x")

    def tokens(shape: torch.Size) -> Tensor:
        return torch.randint(4, PICTURE, shape, generator=generator)

    images = torch.randint(
        0, 256, (*cameras.shape, 3, 42, 42), generator=generator, dtype=torch.uint8
    )
    targets = None
    if case.targets:
        valid = there(case.targets, "x")
        text = tokens(valid.shape)
        targets = Targets(text, valid, valid.float(), torch.zeros_like(valid))
    return Batch(images, cameras, tokens(prompt_valid.shape), prompt_valid, targets)


def inputs_of(batch: Batch, per_picture: int) -> dict[str, Tensor]:
    """The same inputs under transformers' names."""
    rows, cameras = batch.cameras.shape
    pictures = torch.full((rows, cameras * per_picture), PICTURE)
    ids = [pictures, batch.prompt]
    valid = [batch.cameras.repeat_interleave(per_picture, dim=1), batch.prompt_valid]
    prefix = pictures.shape[1] + batch.prompt.shape[1]
    if batch.targets is not None:
        ids.append(batch.targets.tokens)
        valid.append(batch.targets.valid)
    ids, valid = torch.cat(ids, dim=1), torch.cat(valid, dim=1)
    return {
        "input_ids": ids,
        "pixel_values": batch.images.flatten(0, 1).float() / 255.0 * 2.0 - 1.0,
        "attention_mask": valid.long(),
        "token_type_ids": (torch.arange(ids.shape[1]) >= prefix).long().expand_as(ids),
        "position_ids": (valid.long().cumsum(dim=1) - 1).clamp(min=0),
    }


def close(found: Tensor, want: Tensor) -> None:
    torch.testing.assert_close(found, want, atol=TOLERANCE, rtol=0)
    assert want.std() > 0.1  # Not equal by being constant.


@torch.inference_mode()
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_vision_language_and_logits_equal_paligemmas(case):
    ours = make(case.heads, case.kv_heads)
    theirs, batch = theirs_of(ours), batch_of(case)
    per_picture = ours.config.vision.tokens
    inputs = inputs_of(batch, per_picture)
    layers: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _, __, output: layers.append(output))
        for layer in ours.vision.layers
    ]
    pictures = ours.embed_images(batch.images.flatten(0, 1))
    for hook in hooks:
        hook.remove()
    features = theirs.get_image_features(
        inputs["pixel_values"], output_hidden_states=True, return_dict=True
    )
    for layer, want in zip(layers, features.hidden_states[1:], strict=True):
        close(layer, want)
    close(pictures, features.pooler_output)

    hidden, context = losses.run_language_model(ours, batch)
    want = theirs(**inputs, use_cache=True, output_hidden_states=True)
    valid = context.valid
    caches = want.past_key_values.layers
    for layer, cache in zip(context.caches, caches, strict=True):
        for part, other in ((layer.keys, cache.keys), (layer.values, cache.values)):
            close(part.transpose(1, 2)[valid], other.transpose(1, 2)[valid])
    close(hidden[valid], want.hidden_states[-1][valid])
    close(ours.language.logits(hidden)[valid], want.logits[valid])


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.targets])
def test_loss_and_gradients_equal_paligemmas(name):
    """Cross-entropy of the text, and its gradient on every parameter."""
    case = CASES[name]
    ours = make(case.heads, case.kv_heads)
    theirs, batch = theirs_of(ours), batch_of(case)
    inputs = inputs_of(batch, ours.config.vision.tokens)
    logits = theirs(**inputs).logits
    entropies = []
    for row, valid in enumerate(inputs["attention_mask"].bool()):
        # Without its padding, a row's token k + 1 is predicted at its position k.
        count = int(batch.targets.valid[row].sum())
        predicted = logits[row, valid][-count - 1 : -1]
        written = batch.targets.tokens[row, batch.targets.valid[row]]
        entropies.append(F.cross_entropy(predicted, written))
    want = torch.stack(entropies).mean()
    want.backward()
    found = losses.losses(ours, batch, losses.LossConfig(alpha=0.0)).total
    found.backward()
    assert found.item() == pytest.approx(want.item(), abs=1e-5)
    their_parameters = dict(theirs.named_parameters())
    for name, parameter in ours.named_parameters():
        theirs_name = their_name(name)
        other = their_parameters.get(theirs_name)
        if other is None:
            other = their_parameters[theirs_name.replace(".vision_model.", ".")]
        torch.testing.assert_close(parameter.grad, other.grad, atol=1e-5, rtol=1e-3, msg=name)


@torch.inference_mode()
def test_decoded_text_equals_paligemmas():
    """Twelve tokens, greedy, each on the cache of those before it."""
    ours = make(kv_heads=2)
    with torch.no_grad():
        for layer in ours.language.layers:  # Scaled up, or each token would only repeat the last.
            layer.mlp.down.weight.mul_(8.0)
    theirs, batch = theirs_of(ours), batch_of(Case(("11",), ("xxxxxx",)))
    inputs = inputs_of(batch, ours.config.vision.tokens)
    written = theirs.generate(
        **{name: inputs[name] for name in ("input_ids", "pixel_values", "token_type_ids")},
        attention_mask=inputs["attention_mask"],
        max_new_tokens=12,
        do_sample=False,
        eos_token_id=None,
    )
    pictures = ours.embed_images(batch.images.flatten(0, 1)).flatten(0, 1)[None]
    prefix = torch.cat([pictures, ours.language.embed(batch.prompt)], dim=1)
    decoded = decode_text(ours, *ours.prefill(prefix, tail=1), end=-1, limit=12)
    assert list(decoded.tokens) == written[0, -12:].tolist()
    assert len(set(decoded.tokens)) > 3
