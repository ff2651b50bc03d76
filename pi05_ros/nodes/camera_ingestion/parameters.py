"""Parameters of camera_ingestion."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.cameras.watch import WatchSettings
from pi05_ros.nodes.common.parameters import parameter

_WATCH = WatchSettings()


@dataclass(frozen=True)
class CameraIngestionParameters:
    """Parameters of camera_ingestion."""

    platform: str = parameter("mobile_18dof", "Platform name, or the path of its YAML file.")
    image_height: int = parameter(
        224, "Height of the model's pictures [pixel].", minimum=14, maximum=1024
    )
    image_width: int = parameter(
        224, "Width of the model's pictures [pixel].", minimum=14, maximum=1024
    )
    max_skew: float = parameter(
        0.05, "Greatest difference of stamps within a set [s].", minimum=0.0, maximum=1.0
    )
    partial_after: float = parameter(
        0.25,
        "A camera whose newest picture lags this far behind the others' no longer holds a set "
        "back [s].",
        minimum=0.05,
        maximum=5.0,
    )
    stale_after: float = parameter(
        _WATCH.stale_after,
        "A camera without a new picture for this long is unfit: the robot holds if the policy "
        "needs it [s].",
        minimum=0.05,
        maximum=5.0,
    )
    max_future: float = parameter(
        _WATCH.max_future,
        "Pictures stamped farther than this ahead of the node's time are refused [s].",
        minimum=0.0,
        maximum=1.0,
    )
    max_offset: float = parameter(
        _WATCH.max_offset,
        "Pictures that are older on arrival, by more than this, than those of the other cameras "
        "are refused: late, or stamped by another clock [s].",
        minimum=0.01,
        maximum=5.0,
    )
    repeats_warn: int = parameter(
        _WATCH.repeats_warn,
        "So many pictures in a row with equal bytes are a warning; 0: never.",
        minimum=0,
        maximum=10000,
    )
    repeats_unfit: int = parameter(
        _WATCH.repeats_unfit,
        "So many pictures in a row with equal bytes make a camera unfit; 0: never. Rendered "
        "pictures have no noise and repeat when nothing moves: a mock home sets 0.",
        minimum=0,
        maximum=10000,
    )
    blind_unfit: bool = parameter(
        _WATCH.blind_unfit,
        "Whether the robot holds while all of the policy's cameras are black, saturated or "
        "covered.",
    )
    start_grace: float = parameter(
        _WATCH.start_grace,
        "So long after activation a missing camera is a warning rather than an error [s].",
        minimum=0.0,
        maximum=120.0,
    )

    def watch(self) -> WatchSettings:
        """The rules by which cameras are judged."""
        return WatchSettings(
            stale_after=self.stale_after,
            max_future=self.max_future,
            max_offset=self.max_offset,
            # A silent camera holds the sets of the others back for partial_after: not their fault.
            unused_after=self.stale_after + self.partial_after,
            repeats_warn=self.repeats_warn,
            repeats_unfit=self.repeats_unfit,
            blind_unfit=self.blind_unfit,
            start_grace=self.start_grace,
        )

    def __post_init__(self) -> None:
        self.watch()
