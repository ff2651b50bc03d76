"""Parameters of inspector."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.foundation.settings import setting
from pi05_ros.inspection.view import ViewSettings


@dataclass(frozen=True)
class InspectorParameters:
    """Parameters of inspector."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    marker_rate_hz: float = setting(
        10.0,
        "Rate at which markers are published [Hz].",
        minimum=0.5,
        maximum=50.0,
        formerly="marker_rate",
    )
    status_rate_hz: float = setting(
        2.0,
        "Rate at which the status is published [Hz].",
        minimum=0.1,
        maximum=20.0,
        formerly="status_rate",
    )
    picture_rate_hz: float = setting(
        10.0,
        "Greatest rate at which the pictures of one camera are annotated [Hz].",
        minimum=0.5,
        maximum=60.0,
        formerly="picture_rate",
    )
    jpeg_quality: int = setting(
        80, "JPEG quality of compressed annotated pictures, 1 to 100.", minimum=1, maximum=100
    )
    view: ViewSettings = ViewSettings()
