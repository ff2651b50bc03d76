"""The provenance of an episode: checkpoint, software version and name."""

from __future__ import annotations

import hashlib
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pi05_ros
from pi05_ros.checkpoints.shipped import named_checkpoint, shipped_checkpoints

_MANIFEST = "manifest.json"  # Of checkpoints.storage.manifest: the hash of every other file.
RANDOM_WEIGHTS = "random weights"
_GIT_S = 5.0  # Timeout for git [s].


def checkpoint_facts(brain: str, checkpoint: str) -> tuple[str, str]:
    """Return checkpoint and hash for EpisodeFacts.

    Args:
        brain: "model", "expert" or "none".
        checkpoint: The option of the bring-up; see `checkpoints.shipped.named_checkpoint`.

    Returns:
        The checkpoint (the absolute path of a folder, or the name of a shipped one), and the
        SHA-256 of its manifest (64 hexadecimal digits). Random weights have "random weights" as
        their hash; a brain without weights has neither.
    """
    if brain != "model":
        return "", ""
    named = named_checkpoint(checkpoint)
    if named.folder is None:
        return named.name, RANDOM_WEIGHTS
    folder = named.folder.resolve()
    name = named.name if named.name in shipped_checkpoints() else str(folder)
    try:
        digest = hashlib.sha256((folder / _MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return name, ""  # No checkpoint: the brain reports the error.
    return name, digest


def software_version() -> str:
    """Version of this package, with the git revision when it runs from a checkout."""
    root = Path(pi05_ros.__file__).resolve().parents[1]
    version = f"pi05_ros {pi05_ros.__version__}"
    if not (root / ".git").exists():
        return version
    try:
        done = subprocess.run(
            ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"],
            capture_output=True,
            text=True,
            timeout=_GIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return f"{version} (git revision unknown)"
    revision = done.stdout.strip()
    return f"{version} (git {revision or 'revision unknown'})"


def episode_id(task: str, utc_s: float, folder: Path) -> str:
    """Make a name for an episode and its folder: `20261123T021530Z_put-the-dishes-in-the-sink`.

    Args:
        task: The task, which may be empty; only letters and digits of ASCII are kept.
        utc_s: Time of the start, seconds since 1970.
        folder: Folder of the bags, in which the name is unique.
    """
    words = re.findall(r"[a-z0-9]+", task.lower())
    slug = "-".join(words)[:60].rstrip("-")
    stamp = datetime.fromtimestamp(utc_s, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    name = f"{stamp}_{slug}" if slug else stamp
    unique, number = name, 2
    while (folder / unique).exists():
        unique, number = f"{name}_{number}", number + 1
    return unique
