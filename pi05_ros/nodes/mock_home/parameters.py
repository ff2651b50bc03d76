"""Parameters of mock_home."""

from __future__ import annotations

from dataclasses import dataclass

from pi05_ros.foundation.settings import setting
from pi05_ros.sim.controllers.manager import ManagerConfig


@dataclass(frozen=True)
class MockHomeParameters:
    """Parameters of mock_home."""

    platform: str = setting("mobile_18dof", "Platform: a name, or the path of its YAML file.")
    home: int = setting(
        0,
        "Seed of the home. A change takes effect with the service mock_home/reset.",
        minimum=0,
        maximum=2**31 - 1,
        read_only=False,
    )
    task: str = setting("put the dishes in the sink", "Task that is scored.")
    room: str = setting(
        "", "Kind of the home's room, as kitchen; empty: the one that the task is done in."
    )
    difficulty: str = setting(
        "ideal",
        "Deviations of light, cameras and sensors, and distractors: ideal, normal or hard, then "
        "changes as in 'normal,image_noise=0.02'.",
    )
    real_time_factor: float = setting(
        1.0,
        "Greatest ratio of simulated time to wall time; 0: as fast as possible.",
        minimum=0.0,
        maximum=100.0,
    )
    command_wait_s: float = setting(
        1.0,
        "Longest time that a tick waits for the command of a steady stream [s, wall]; 0: no wait.",
        minimum=0.0,
        maximum=60.0,
        formerly="command_wait",
    )
    max_lag_s: float = setting(
        0.08,
        "Simulated time waits for a node whose newest heartbeat is older than this [s, "
        "simulated].",
        minimum=0.04,
        maximum=10.0,
        formerly="max_lag",
    )
    max_work_s: float = setting(
        0.2,
        "Simulated time waits for a node whose work, such as an inference, has been pending for "
        "longer than this [s, simulated].",
        minimum=0.02,
        maximum=10.0,
        formerly="max_work",
    )
    patience_s: float = setting(
        5.0,
        "A node that simulated time has waited for this long, without a heartbeat, counts as "
        "dead: time goes on without it [s, wall]; 0: time waits for no node.",
        minimum=0.0,
        maximum=60.0,
        formerly="patience",
    )
    jpeg_quality: int = setting(
        90, "JPEG quality of compressed pictures, 1 to 100.", minimum=1, maximum=100
    )
    controllers: ManagerConfig = ManagerConfig()

    def __post_init__(self) -> None:
        rate = self.controllers.controller_rate_hz
        if rate not in (50, 100, 200, 400):
            raise ValueError(f"controller_rate_hz is 50, 100, 200 or 400 Hz, found {rate:g}")
