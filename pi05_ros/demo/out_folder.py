"""Folder of the results of a run."""

from __future__ import annotations

from pathlib import Path

from pi05_ros.errors import ConfigError


def prepare_folder(path: Path) -> Path:
    """Create the folder, and remove the results of an earlier run from it.

    Bags of earlier runs stay.

    Raises:
        ConfigError: It cannot be written to.
    """
    try:
        (path / "logs").mkdir(parents=True, exist_ok=True)
        for name in ("summary.json", "video.mp4", "strip.png", "report.html"):
            (path / name).unlink(missing_ok=True)
        for log in (path / "logs").glob("*.log"):
            log.unlink()
    except OSError as error:
        raise ConfigError(
            f"option 'out': {path}", f"cannot be written to ({error.strerror})"
        ) from error
    return path
