"""Operations and bytes, by hand, by torch's own count, and by the number of weights."""

from dataclasses import replace

import pytest
import torch
from speed import floor
from speed.compact_work import points_work, tower_work
from speed.eager_baseline import EagerBaseline
from speed.workload import config_of, make_model, make_workload
from torch.utils.flop_counter import FlopCounterMode

from pi05_ros.model.config import ExpertConfig, LanguageConfig, ModelConfig, VisionConfig
from pi05_ros.model.pi05 import Pi05

# Every size a prime or so, that no two factors can be mistaken for each other.
SMALL = ModelConfig(
    vision=VisionConfig(image_size=6, patch_size=3, width=10, depth=2, heads=2, mlp_width=7),
    language=LanguageConfig(
        width=11, depth=3, mlp_width=13, heads=4, kv_heads=2, head_dim=2, vocabulary=29
    ),
    expert=ExpertConfig(width=6, mlp_width=5),
    action_dim=3,
    horizon=4,
)


def test_one_token_by_hand():
    # Keys and values 2·11·(2·2) = 88, queries and output 2·11·(4·2) = 176, MLP 3·11·13 = 429.
    layer = 88 + 176 + 429
    # 2 operations a weight; scores and mix over 5 + 1 tokens, 2 each: 4·6·8 = 192.
    work = floor.token_work(SMALL, length=5)
    assert work.operations == 3 * (2 * layer + 192)
    # Weights, 2 norms a layer and the last of 11, keys and values of 6 tokens, 1 embedding.
    assert work.read == 3 * layer + 7 * 11 + 3 * 6 * 8 + 11
    assert floor.logits_work(SMALL) == (2 * 11 * 29, 11 * 29)


def test_pictures_by_hand():
    # Per token: patch 27·10, two layers of 4·10·10 + 2·10·7, projector 10·11; 4 tokens a picture.
    matrices = 270 + 2 * (400 + 140) + 110
    attention = 2 * 4 * 4 * 4 * 10
    assert floor.pictures_work(SMALL, 3).operations == 3 * (2 * 4 * matrices + attention)
    assert floor.pictures_work(SMALL, 3).read == floor.pictures_work(SMALL, 1).read


def test_the_last_layer_of_a_prefix_stops_at_its_keys():
    for_actions = floor.prefix_work(SMALL, length=20, prompt=8, tail=0)
    for_text = floor.prefix_work(SMALL, length=20, prompt=8, tail=1)
    one_token = 2 * (176 + 429) + 4 * 20 * 8  # Queries, output, MLP and attention of one token.
    assert for_text.operations - for_actions.operations == one_token
    whole = floor.prefix_work(SMALL, length=20, prompt=8, tail=20)
    assert whole.operations - for_actions.operations == 20 * one_token


def test_operations_are_those_that_torch_counts(workload, model):
    baseline = EagerBaseline(model, workload, padded=False)
    config = workload.config
    length = 2 * config.vision.tokens + 7
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            embedded = baseline.embed_pictures(workload.pictures(0))
        assert counter.get_total_flops() == floor.pictures_work(config, 2).operations
        with FlopCounterMode(display=False) as counter:
            prefix = baseline.prefill(embedded)
        whole = floor.prefix_work(config, length, prompt=7, tail=length)
        assert counter.get_total_flops() == whole.operations
        with FlopCounterMode(display=False) as counter:
            baseline.velocity(workload.noise, torch.ones(1), prefix)
        width = config.expert.width
        # The floor has the modulation worked out beforehand: two layers, and 3 norms of 3 W.
        time = 2 * (2 * width**2 + 3 * width * 3 * width)
        assert counter.get_total_flops() - time == floor.step_work(config, length).operations
        with FlopCounterMode(display=False) as counter:
            baseline.decode_step(5, prefix.cache, prefix.valid)
        assert counter.get_total_flops() == floor.token_work(config, length).operations


def test_operations_of_a_compact_tower_are_those_that_torch_counts():
    workload = make_workload(config_of("nano"), cameras=3)
    model = make_model(workload, torch.device("cpu"), torch.float32)
    config, views = workload.config, torch.tensor(workload.views)
    images = torch.zeros(3, 3, *config.picture_size, dtype=torch.uint8)
    query = torch.full((1, 20), 5)
    with torch.inference_mode():
        with FlopCounterMode(display=False) as counter:
            pictures = model.embed_pictures(images, views)
        assert counter.get_total_flops() == tower_work(config, workload.views).operations
        with FlopCounterMode(display=False) as counter:
            valid = torch.ones(3, 20, dtype=torch.bool)
            model.with_points(pictures, query.expand(3, -1), valid)
        # The model reads the text once for each picture.
        hidden = config.grounding.width
        read = 2 * 20 * (128 * hidden + 2 * hidden + 2 * hidden) + 2 * 2 * hidden**2
        work = points_work(config, workload.views, 20)
        assert counter.get_total_flops() - 2 * read == work.operations
    assert tower_work(config, (0,)).read == sum(p.numel() for p in model.vision.parameters())
    own = sum(p.numel() for p in model.grounding.parameters())
    assert work.read == own + 20 * 128  # And the embeddings of the text.


@pytest.mark.parametrize("size", ["tiny", "base"])
def test_every_weight_is_read_once(size):
    config = config_of(size)
    with torch.device("meta"):
        model = Pi05(config)

    def numbers(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    language, expert = config.language, model.expert
    cached = 2 * language.kv_heads * language.head_dim * language.depth  # Of one token.
    assert floor.pictures_work(config, 1).read == numbers(model.vision)
    token = floor.token_work(config, 0).plus(floor.logits_work(config))
    assert token.read - cached - language.width == numbers(model.language)
    norms = [expert.norm, *(n for x in expert.layers for n in (x.attention_norm, x.mlp_norm))]
    time = numbers(expert.time_in) + numbers(expert.time_out) + sum(map(numbers, norms))
    kept = len(norms) * 3 * config.expert.width
    step = floor.step_work(config, 10)
    assert step.read - 10 * cached - kept == numbers(expert) - time
    whole = floor.prefix_work(config, 10, prompt=0, tail=10)
    assert whole.read - 10 * cached == numbers(model.language) - numbers(model.language.embedding)


def test_floor_is_the_larger_of_both_times(workload):
    class Fixed(floor.Ceilings):
        def refresh(self) -> None:
            self.operations = 100.0

        def bandwidth(self, size: float) -> float:
            return 40.0

    ceilings = Fixed(torch.device("cpu"), torch.float32)
    assert ceilings.floor(floor.Work(1000, 1)) == 10.0
    assert ceilings.floor(floor.Work(1000, 200)) == 20.0  # 4 bytes a number.
    least = floor.floors(workload, ceilings)
    steps = workload.config.flow_steps
    assert least["chunk"] == pytest.approx(
        least["pictures"] + least["prefix"] + steps * least["step"]
    )
    assert least["tokens"] == pytest.approx(5 * least["token"])
    longer = floor.floors(replace(workload, cameras=3), ceilings)
    assert all(longer[row] >= least[row] for row in least) and longer["step"] > least["step"]


def test_ceilings_are_the_best_measurement(monkeypatch):
    seen = iter([5.0, 7.0, 6.0])
    monkeypatch.setattr(floor.Ceilings, "_measure_operations", lambda self: next(seen))
    monkeypatch.setattr(floor.Ceilings, "_measure_bandwidth", lambda self, size: size)
    ceilings = floor.Ceilings(torch.device("cpu"), torch.float32)
    assert ceilings.operations == 5.0
    ceilings.refresh()
    ceilings.refresh()
    assert ceilings.operations == 7.0
    assert ceilings.bandwidth(3 * 2**20) == 4 * 2**20  # The next power of two.
    assert ceilings.bandwidth(1) == 2**20 and ceilings.bandwidth(2**40) == 2**30
