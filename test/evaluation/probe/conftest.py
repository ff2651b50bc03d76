"""Torch settings of the tests of the probe."""

from fakes.torch_threads import one_torch_thread  # noqa: F401
