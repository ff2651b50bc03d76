"""Text decoding: cached equals uncached, stop conditions, score and sampling."""

import math

import pytest
import torch

from pi05_ros.model.decoding import Decoded, DecodingError, decode, decode_text
from pi05_ros.model.pi05 import Pi05

LIMIT = 12
NEVER = -1  # An end-of-sequence that no vocabulary has.


@pytest.fixture
def prompt(tiny: Pi05) -> torch.Tensor:
    tokens = torch.randint(4, 3000, (1, 10), generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    pictures = torch.randn(1, 8, tiny.config.language.width, generator=generator)
    return torch.cat([pictures, tiny.language.embed(tokens).detach()], dim=1)


def uncached(model: Pi05, prompt: torch.Tensor, limit: int) -> tuple[list[int], float]:
    """Decode greedily without a cache: the whole sequence again for every token."""
    tokens: list[int] = []
    total = 0.0
    for count in range(limit):
        text = model.language.embed(torch.tensor([tokens], dtype=torch.long))
        hidden, _ = model.prefill(torch.cat([prompt, text], dim=1), targets=count)
        probabilities = model.language.logits(hidden[:, -1])[0].softmax(-1)
        tokens.append(int(probabilities.argmax()))
        total += probabilities.max().item()
    return tokens, total / limit


@torch.inference_mode()
def test_cached_equals_uncached(tiny, prompt):
    want, score = uncached(tiny, prompt, LIMIT)
    decoded = decode_text(tiny, *tiny.prefill(prompt, tail=1), end=NEVER, limit=LIMIT)
    assert decoded.tokens == tuple(want)
    assert decoded.score == pytest.approx(score, abs=1e-6)
    assert not decoded.finished


@torch.inference_mode()
def test_decoding_with_the_cache_equals_one_pass(tiny, prompt):
    tokens = torch.randint(4, 3000, (1, LIMIT), generator=torch.Generator().manual_seed(2))
    text = tiny.language.embed(tokens)
    hidden, _ = tiny.prefill(torch.cat([prompt, text], dim=1), targets=LIMIT)
    want = tiny.language.logits(hidden[0, -LIMIT:])
    _, context = tiny.prefill(prompt, tail=0)
    for step in range(LIMIT):
        logits, context = tiny.decode_step(tokens[:, step : step + 1], context)
        torch.testing.assert_close(logits[0], want[step], atol=1e-4, rtol=0)
    assert want.std() > 0.5


@torch.inference_mode()
def test_decoding_stops_at_the_end(tiny, prompt):
    prefilled = tiny.prefill(prompt, tail=1)

    def sample(end: int, limit: int) -> Decoded:
        generator = torch.Generator().manual_seed(1)
        return decode_text(
            tiny, *prefilled, end=end, limit=limit, temperature=1.0, generator=generator
        )

    free = sample(NEVER, LIMIT)
    end = free.tokens[2]
    assert end not in free.tokens[:2]
    stopped = sample(end, LIMIT)
    assert stopped.tokens == free.tokens[:2]
    assert stopped.finished
    assert not sample(end, limit=2).finished


@torch.inference_mode()
def test_sampling_follows_its_seed_and_its_distribution(tiny, prompt):
    prefilled = tiny.prefill(prompt, tail=1)

    def sample(seed: int, temperature: float, limit: int = LIMIT) -> tuple[int, ...]:
        generator = torch.Generator().manual_seed(seed)
        sampled = decode_text(
            tiny, *prefilled, end=NEVER, limit=limit, temperature=temperature, generator=generator
        )
        return sampled.tokens

    assert sample(1, 1.0) == sample(1, 1.0) != sample(2, 1.0)
    greedy = decode_text(tiny, *prefilled, end=NEVER, limit=LIMIT).tokens
    assert sample(1, 1e-4) == greedy
    # A token of probability p is sampled with frequency p.
    likeliest = tiny.language.logits(prefilled[0][:, -1])[0].div(0.5).softmax(-1)[greedy[0]].item()
    rate = sum(sample(seed, 0.5, limit=1)[0] == greedy[0] for seed in range(400)) / 400
    assert rate == pytest.approx(likeliest, abs=4 * math.sqrt(likeliest / 400) + 0.01)


@torch.inference_mode()
def test_between_tokens_is_called_before_all_but_the_first(tiny, prompt):
    calls = []
    prefilled = tiny.prefill(prompt, tail=1)
    decode_text(
        tiny, *prefilled, end=NEVER, limit=5, between_tokens=lambda: calls.append(len(calls))
    )
    assert calls == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"limit": 0}, "limit 0 is below 1"), ({"limit": 1, "temperature": -1.0}, "temperature -1")],
)
def test_impossible_arguments(tiny, prompt, arguments, message):
    with torch.inference_mode(), pytest.raises(ValueError, match=message):
        decode_text(tiny, *tiny.prefill(prompt, tail=1), end=NEVER, **arguments)


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_logits_that_are_not_finite(temperature):
    broken = torch.full((1, 8), math.nan)
    with pytest.raises(DecodingError, match="wanted finite logits"):
        decode(torch.zeros(1, 8), lambda _: broken, end=NEVER, limit=3, temperature=temperature)


def test_the_lowest_temperature_is_greedy():
    logits = torch.tensor([[1.0, 3.0, 2.0]])
    drawn = decode(logits, lambda _: logits, end=NEVER, limit=5, temperature=1e-40)
    assert drawn.tokens == (1, 1, 1, 1, 1)
    with pytest.raises(ValueError, match="temperature nan"):
        decode(logits, lambda _: logits, end=NEVER, limit=5, temperature=math.nan)


def test_stop_after_finishes_a_text_that_never_ends():
    logits = torch.tensor([[0.0, 3.0, 1.0]])

    def run(**options) -> Decoded:
        return decode(logits, lambda _: logits, **{"end": NEVER, **options})

    assert not run(limit=5).finished
    decoded = run(limit=5, stop_after=3)
    assert decoded.tokens == (1, 1, 1) and decoded.finished
    assert not run(limit=2, stop_after=3).finished
    decoded = run(limit=5, stop_after=3, end=1)
    assert decoded.tokens == () and decoded.finished
