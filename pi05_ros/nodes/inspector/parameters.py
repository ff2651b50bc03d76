"""Parameters of inspector."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.inspection.view import ViewSettings
from pi05_ros.nodes.common.parameters import parameter


@dataclass(frozen=True)
class InspectorParameters:
    """Parameters of inspector."""

    platform: str = parameter("mobile_18dof", "Name of a platform, or the path of its YAML file.")
    marker_rate: float = parameter(
        10.0, "Markers are published so often [Hz].", minimum=0.5, maximum=50.0
    )
    status_rate: float = parameter(
        2.0, "The status is published so often [Hz].", minimum=0.1, maximum=20.0
    )
    picture_rate: float = parameter(
        10.0, "Pictures of a camera are annotated at most so often [Hz].", minimum=0.5, maximum=60
    )
    jpeg_quality: int = parameter(
        80, "Of compressed annotated pictures, 1 to 100.", minimum=1, maximum=100
    )
    trail: float = parameter(
        ViewSettings.trail, "How long the grippers' trails are [s].", minimum=0.5, maximum=60.0
    )
    base_trail: float = parameter(
        ViewSettings.base_trail, "How long the base's path is [s].", minimum=1.0, maximum=600.0
    )
    chunk_trail: float = parameter(
        ViewSettings.chunk_trail,
        "How long a chunk is shown that was replaced or is over [s].",
        minimum=0.1,
        maximum=10.0,
    )
    text_height: float = parameter(
        ViewSettings.text_height, "Height of the subtask's text above the floor [m].", minimum=0.0
    )
    box_depth: float = parameter(
        ViewSettings.box_depth,
        "How far boxes reach from a camera that is not on a hand [m].",
        minimum=0.1,
    )

    def view(self) -> ViewSettings:
        """What is drawn."""
        return ViewSettings(
            trail=self.trail,
            base_trail=self.base_trail,
            chunk_trail=self.chunk_trail,
            text_height=self.text_height,
            box_depth=self.box_depth,
        )
