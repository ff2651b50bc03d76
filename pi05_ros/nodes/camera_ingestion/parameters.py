"""Parameters of camera_ingestion."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from pi05_ros.cameras.watch import WatchSettings
from pi05_ros.foundation.settings import setting


@dataclass(frozen=True)
class CameraIngestionParameters:
    """Parameters of camera_ingestion."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    image_height: int = setting(
        224, "Height of the model's pictures [pixel].", minimum=14, maximum=1024
    )
    image_width: int = setting(
        224, "Width of the model's pictures [pixel].", minimum=14, maximum=1024
    )
    max_skew: float = setting(
        0.05, "Greatest difference of stamps within a set [s].", minimum=0.0, maximum=1.0
    )
    partial_after: float = setting(
        0.25,
        "A camera whose newest picture lags this far behind the others' no longer delays a set "
        "[s].",
        minimum=0.05,
        maximum=5.0,
    )
    watch: WatchSettings = WatchSettings()

    def watch_settings(self) -> WatchSettings:
        """Return the limits of the camera watch."""
        # A silent camera delays the sets of the others by partial_after: not a fault of theirs.
        unused_after = self.watch.stale_after + self.partial_after
        return dataclasses.replace(self.watch, unused_after=unused_after)
