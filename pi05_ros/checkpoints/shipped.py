"""What a `checkpoint` argument names: shipped weights, a folder, or random weights.

Shipped checkpoints are the folders of `config/checkpoints`, by name. Nothing here needs torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pi05_ros.checkpoints.storage.files import CheckpointError, read_mapping
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.resources import resource_path

DEFAULT = "nano"  # What an empty argument names: shipped, or else drawn at random.
FOLDER = "config/checkpoints"
RANDOM = "random:"
_MANIFEST = "manifest.json"  # Written last: a folder that has one is complete.
_STATS = "norm_stats.json"


@dataclass(frozen=True)
class NamedCheckpoint:
    """A resolved `checkpoint` argument."""

    name: str  # `nano` for the shipped one, `random:<preset>…`, or the folder as it was named.
    folder: Path | None  # None: random weights. It may not exist.


def shipped_checkpoints() -> dict[str, Path]:
    """Return the folders of the shipped checkpoints, by name."""
    try:
        root = resource_path(FOLDER)
    except ConfigError:
        return {}
    return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{_MANIFEST}"))}


def named_checkpoint(spec: str) -> NamedCheckpoint:
    """Resolve a `checkpoint` argument.

    Args:
        spec: The name of a shipped checkpoint, `random:<preset>` with `?seed=<number>`, or a
            folder; one that is named as a shipped checkpoint is is written `./nano`. Empty: the
            shipped `nano`, or `random:nano` where none is shipped.

    Raises:
        ConfigError: The home directory is unknown.
    """
    shipped = shipped_checkpoints()
    name = spec or (DEFAULT if DEFAULT in shipped else f"{RANDOM}{DEFAULT}")
    if name.startswith(RANDOM):
        return NamedCheckpoint(name, None)
    if name in shipped:
        return NamedCheckpoint(name, shipped[name])
    try:
        return NamedCheckpoint(name, Path(name).expanduser())
    except RuntimeError as error:
        raise ConfigError(f"checkpoint '{spec}'", f"there is no such home ({error})") from error


def valid_names() -> str:
    """Return the valid values of a `checkpoint` argument, for messages."""
    shipped = ", ".join(shipped_checkpoints()) or "none"
    return f"a folder, random:<preset>?seed=<whole number>, or a shipped checkpoint ({shipped})"


def platforms_of(folder: Path) -> tuple[str, ...]:
    """Return the platforms whose statistics a checkpoint of our layout has.

    Raises:
        CheckpointError: norm_stats.json is missing or cannot be read.
    """
    return tuple(read_mapping(folder / _STATS))


def existing_folder(checkpoint: NamedCheckpoint) -> Path:
    """Return the folder of a checkpoint that is not random, after checking that it exists.

    Raises:
        CheckpointError: There is no such folder, or the weights are random.
    """
    if checkpoint.folder is None:
        raise CheckpointError(checkpoint.name, "has no folder: its weights are drawn at random")
    if not checkpoint.folder.is_dir():
        raise CheckpointError(checkpoint.folder, f"is no folder; wanted {valid_names()}")
    return checkpoint.folder
