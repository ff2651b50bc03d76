"""Presets and the checks of the config."""

import dataclasses

import pytest
import torch

from pi05_ros.errors import ConfigError
from pi05_ros.model.config import (
    CompactVisionConfig,
    ExpertConfig,
    GroundingConfig,
    LanguageConfig,
    ModelConfig,
    VisionConfig,
    load_preset,
    preset_names,
)
from pi05_ros.model.pi05 import Pi05


def count(config: ModelConfig) -> int:
    with torch.device("meta"):
        return sum(p.numel() for p in Pi05(config).parameters())


def test_presets():
    assert preset_names() == ("base", "nano", "nano_plain", "smoke", "tiny")
    base = load_preset("base")
    assert base == ModelConfig()
    assert base.vision.tokens == 256
    # LeRobot's count without its two untied heads: 4143404816 - 526647296 - 263323648.
    assert count(base) == 3_353_433_872
    nano = load_preset("nano")
    assert 2_000_000 <= count(nano) <= 2_300_000
    assert [nano.compact_vision.tokens_of(view) for view in range(4)] == [48, 12, 12, 12]
    assert count(load_preset("tiny")) < 150_000


def test_cameras_and_the_sizes_of_their_pictures():
    nano = load_preset("nano")
    assert nano.picture_size == (144, 192)
    assert [nano.view_of(name) for name in ("front", "right_wrist")] == [0, 3]
    assert [nano.reduction_of(name) for name in ("front", "right_wrist")] == [1, 2]
    assert (nano.view_of("another"), nano.reduction_of("another")) == (0, 1)  # As the first.
    base = load_preset("base")
    assert (base.picture_size, base.view_of("back"), base.reduction_of("back")) == (
        (224, 224),
        0,
        1,
    )
    with pytest.raises(ValueError, match="'base' has no compact tower"):
        base.required_compact_vision()
    with pytest.raises(ValueError, match="'base' has no grounding"):
        base.required_grounding()


def test_a_config_is_a_key():
    """Functions of a config are cached by it; equal ones have one hash, whatever their cameras."""
    nano = load_preset("nano")
    assert {nano: 1}[load_preset("nano")] == 1
    tower = dataclasses.replace(nano.compact_vision, cameras={"front": 1})
    assert dataclasses.replace(nano, compact_vision=tower) != nano


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match="did you mean 'nano'"):
        load_preset("nani")


@pytest.mark.parametrize(
    ("config", "change", "message"),
    [
        (VisionConfig, {"patch_size": 15}, "image_size 224 is no multiple of patch_size 15"),
        (VisionConfig, {"heads": 5}, "width 1152 is no multiple of heads 5"),
        (VisionConfig, {"depth": 0}, "depth 0 is below 1"),
        (LanguageConfig, {"kv_heads": 3}, "heads 8 is no multiple of kv_heads 3"),
        (LanguageConfig, {"head_dim": 7}, "head_dim 7 is odd"),
        (ExpertConfig, {"width": 7}, "width 7 is odd"),
        (CompactVisionConfig, {"height": 100}, "100 x 192 pixels reduced by 1 .* 24 pixels"),
        (CompactVisionConfig, {"cameras": {"a": 1, "b": 3}}, "reduced by 3 are no multiples"),
        (CompactVisionConfig, {"cameras": {}}, "wanted cameras with reductions from 1"),
        (CompactVisionConfig, {"cameras": {"a": 0}}, "wanted cameras with reductions from 1"),
        (GroundingConfig, {"max_query_tokens": 0}, "max_query_tokens 0 is below 1"),
        (ModelConfig, {"grounding": GroundingConfig()}, "grounding needs a compact tower"),
        (ModelConfig, {"noise_scale": 1.5}, "noise_scale 1.5 is not from 0 to 1"),
        (ModelConfig, {"horizon": 0}, "horizon 0 is below 1"),
        (ModelConfig, {"variant": "pi06"}, "variant 'pi06' is none of pi05, pi0, pi0_fast"),
    ],
)
def test_impossible_sizes(config, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(config(), **change)
