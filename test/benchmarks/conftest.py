"""The miniature of the benchmark's tests: one layer of everything, a camera missing."""

import pytest
import torch
from fakes.torch_threads import one_torch_thread  # noqa: F401
from speed.workload import Workload, config_of, make_model, make_workload

from pi05_ros.model.pi05 import Pi05


@pytest.fixture(scope="session")
def workload() -> Workload:
    """Two cameras of three, a prompt of 7 tokens (padded: 200), 5 tokens of text."""
    return make_workload(config_of("tiny"), cameras=2, slots=3, prompt_tokens_wanted=7, tokens=5)


@pytest.fixture(scope="session")
def model(workload: Workload) -> Pi05:
    """The model of the workload, in float32 on the CPU."""
    return make_model(workload, torch.device("cpu"), torch.float32)
