"""Torch settings of the training tests."""

from fakes.torch_threads import one_torch_thread  # noqa: F401
