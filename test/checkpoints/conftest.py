"""Torch settings of the checkpoint tests."""

from fakes.torch_threads import one_torch_thread  # noqa: F401
