"""Devices and dtypes by their names in the options. There is no silent fallback."""

from __future__ import annotations

import re

import torch

from pi05_ros.errors import ConfigError


def device_of(name: str) -> torch.device:
    """Device called `name`: cpu, cuda, cuda:<number>, or auto for a GPU if there is one.

    Raises:
        ConfigError: The name is not valid, or there is no such device.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if re.fullmatch(r"cpu|cuda(:\d{1,3})?", name, re.ASCII) is None:
        raise ConfigError("device", f"wanted auto, cpu, cuda or cuda:<number>, found '{name}'")
    device = torch.device(name)
    found = torch.cuda.device_count()
    if device.type == "cuda" and (device.index or 0) >= found:
        raise ConfigError(
            "device",
            f"wanted '{name}', but torch {torch.__version__} finds {found} CUDA devices; "
            "take cpu, or install torch's CUDA build and the GPU's driver",
        )
    return device


def dtype_of(name: str, device: torch.device) -> torch.dtype:
    """Dtype called `name` (float32, bfloat16, auto) for weights on `device`."""
    if name == "auto":
        return torch.bfloat16 if device.type == "cuda" else torch.float32
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)
    return dtype
