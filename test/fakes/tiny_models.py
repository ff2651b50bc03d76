"""Miniatures of the network as fixtures, for the conftest.py of folders that need them."""

import dataclasses

import pytest
import torch

from pi05_ros.model.config import load_preset
from pi05_ros.model.pi05 import Pi05, draw_weights


@pytest.fixture(scope="session")
def tiny() -> Pi05:
    """One layer of everything, π0.5."""
    return drawn("pi05")


@pytest.fixture(scope="session")
def tiny_pi0() -> Pi05:
    """One layer of everything, π0."""
    return drawn("pi0")


@pytest.fixture(scope="session")
def tiny_fast() -> Pi05:
    """One layer of vision and language, π0-FAST."""
    return drawn("pi0_fast")


def drawn(variant: str) -> Pi05:
    """A miniature with every weight drawn (fresh adaptive norms would hide mistakes)."""
    model = Pi05(dataclasses.replace(load_preset("tiny"), variant=variant))
    draw_weights(model, seed=0, adaptive_scale=1.0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim == 1:
                generator = torch.Generator().manual_seed(len(name))
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()
