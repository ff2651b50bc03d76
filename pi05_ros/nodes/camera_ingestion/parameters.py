"""Parameters of camera_ingestion."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pi05_ros.cameras.health import WatchSettings
from pi05_ros.cameras.sets import MAX_SKEW, PARTIAL_AFTER
from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class CameraIngestionParameters:
    """Parameters of camera_ingestion."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    image_height_px: int = setting(
        224,
        "Height of the model's pictures [pixel].",
        minimum=14,
        maximum=1024,
        formerly="image_height",
    )
    image_width_px: int = setting(
        224,
        "Width of the model's pictures [pixel].",
        minimum=14,
        maximum=1024,
        formerly="image_width",
    )
    max_skew_s: float = setting(
        MAX_SKEW,
        "Greatest difference of stamps within a set [s].",
        minimum=0.0,
        maximum=1.0,
        formerly="max_skew",
    )
    partial_after_s: float = setting(
        PARTIAL_AFTER,
        "A camera whose newest picture lags this far behind the others' no longer delays a set "
        "[s].",
        minimum=0.05,
        maximum=5.0,
        formerly="partial_after",
    )
    watch: WatchSettings = WatchSettings()

    def watch_settings(self) -> WatchSettings:
        """Return the limits of the camera watch."""
        # A silent camera delays the sets of the others by partial_after_s: not a fault of theirs.
        unused_after_s = self.watch.stale_after_s + self.partial_after_s
        return dataclasses.replace(self.watch, unused_after_s=unused_after_s)
