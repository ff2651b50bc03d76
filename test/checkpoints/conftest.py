"""Torch settings and the miniatures of the checkpoint tests."""

from fakes.tiny_models import tiny, tiny_fast, tiny_pi0  # noqa: F401
from fakes.torch_threads import one_torch_thread  # noqa: F401
