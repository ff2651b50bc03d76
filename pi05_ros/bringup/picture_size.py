"""Size of the pictures that a checkpoint's model is given, read without torch."""

from __future__ import annotations

import json
import re

from pi05_ros.checkpoints.shipped import named_checkpoint, valid_names
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.model.config import ModelConfig, load_preset

_RANDOM = re.compile(r"random:([^?]+)")


def picture_size(checkpoint: str) -> tuple[int, int]:
    """Return (height, width) of the model's pictures [pixel].

    Args:
        checkpoint: See `shipped.named_checkpoint`. Folders without a config of ours are public
            weights, whose pictures have the published size.

    Raises:
        ConfigError: There is no such preset, or config.json is not valid.
    """
    named = named_checkpoint(checkpoint)
    if named.folder is None:
        match = _RANDOM.match(named.name)
        if match is None:
            raise ConfigError(f"checkpoint '{checkpoint}'", f"wanted {valid_names()}")
        return load_preset(match[1]).picture_size
    path = named.folder / "config.json"
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), f"cannot be read ({error})") from error
    if not isinstance(content, dict) or "format" not in content:
        return ModelConfig().picture_size
    model = content.get("model")
    if not isinstance(model, dict):
        raise ConfigError(str(path), f"model: wanted the model's sizes, found {model!r}")
    return from_mapping(ModelConfig, model, f"{path}: model").picture_size
