"""Presets and the checks of the config."""

import dataclasses

import pytest
import torch

from pi05_ros.errors import ConfigError
from pi05_ros.model.config import (
    ExpertConfig,
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
    assert count(load_preset("nano")) <= 10_000_000
    assert load_preset("nano").vision.tokens == 64
    assert count(load_preset("tiny")) < 150_000


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
        (ModelConfig, {"horizon": 0}, "horizon 0 is below 1"),
        (ModelConfig, {"variant": "pi06"}, "variant 'pi06' is none of pi05, pi0, pi0_fast"),
    ],
)
def test_impossible_sizes(config, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(config(), **change)
