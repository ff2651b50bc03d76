"""The workload is the same for all runs, new every round, and uses every tensor."""

import numpy as np
import pytest
import torch
from speed.workload import config_of, make_workload, size_names

from pi05_ros.model.text.tokenizer import BEGIN, END


def test_pictures_are_new_every_round_and_the_same_for_everybody(workload):
    first, again, second = workload.pictures(0), workload.pictures(0), workload.pictures(1)
    assert list(first) == ["camera 0", "camera 1"]
    assert first["camera 0"].shape == (28, 28, 3) and first["camera 0"].dtype == np.uint8
    for camera in first:
        np.testing.assert_array_equal(first[camera], again[camera])
        assert (first[camera] != second[camera]).any()
    workload.pictures(-4)  # Warm-up rounds have negative numbers.


def test_every_tensor_of_the_model_takes_part(model):
    for name, parameter in model.named_parameters():
        assert torch.isfinite(parameter).all(), name
        assert parameter.float().std() > 0, name
    assert (model.language.embedding.weight[END] == 0).all()
    assert abs(float(model.language.norm.weight.mean()) + 1.0) < 0.6


def test_the_prompt_has_the_length_that_was_asked_for():
    assert "reference" in size_names() and "base" in size_names()
    reference = make_workload(config_of("reference"))
    assert len(reference.ids) == 48 and reference.ids[0] == BEGIN
    assert len(make_workload(config_of("base"), prompt_tokens_wanted=200).ids) == 200
    real = make_workload(config_of("nano"))
    assert 10 < len(real.ids) < 100 and real.config.max_text_tokens == real.tokens == 12
    with pytest.raises(ValueError, match="wanted 2 to 48 prompt tokens, found 49"):
        make_workload(config_of("reference"), prompt_tokens_wanted=49)
    with pytest.raises(ValueError, match="wanted 1 to 2 cameras, found 3"):
        make_workload(config_of("tiny"), cameras=3, slots=2)
