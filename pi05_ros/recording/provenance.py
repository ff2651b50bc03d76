"""What made an episode: which weights, which software, and its name."""

from __future__ import annotations

import hashlib
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path

import pi05_ros

_MANIFEST = "manifest.json"  # Of checkpoints.storage.manifest: the hash of every other file.
RANDOM_WEIGHTS = "random weights"
_GIT_S = 5.0  # Patience with git [s].


def checkpoint_facts(brain: str, checkpoint: str) -> tuple[str, str]:
    """Checkpoint and hash, for EpisodeFacts.

    Args:
        brain: "model" or "expert".
        checkpoint: As the bring-up takes it: a folder, `random:<preset>`, or empty.

    Returns:
        What was loaded, and the SHA-256 of its manifest (64 hexadecimal digits). Weights that were
        drawn at random have "random weights" in its place; what has no weights has neither.
    """
    if brain != "model":
        return "", ""
    if not checkpoint or checkpoint.startswith("random:"):
        return checkpoint or "random:nano", RANDOM_WEIGHTS
    folder = Path(checkpoint).expanduser().resolve()
    try:
        digest = hashlib.sha256((folder / _MANIFEST).read_bytes()).hexdigest()
    except OSError:
        return str(folder), ""  # No checkpoint: the brain refuses it, in its own words.
    return str(folder), digest


def software_version() -> str:
    """Version of this package; with the git revision when it runs from a checkout."""
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
    """A name for an episode and its folder: `20261123T021530Z_put-the-dishes-in-the-sink`.

    Args:
        task: May be empty, and of any language; letters and digits of ASCII are kept.
        utc_s: When it begins, seconds since 1970.
        folder: Where the bags lie: the name is new there.
    """
    words = re.findall(r"[a-z0-9]+", task.lower())
    slug = "-".join(words)[:60].rstrip("-")
    stamp = datetime.fromtimestamp(utc_s, timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    name = f"{stamp}_{slug}" if slug else stamp
    unique, number = name, 2
    while (folder / unique).exists():
        unique, number = f"{name}_{number}", number + 1
    return unique
