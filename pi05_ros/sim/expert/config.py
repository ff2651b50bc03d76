"""Parameters of the scripted expert: distances, margins and times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScriptedExpertConfig:
    """Parameters of the expert's motion. Velocity and other limits come from the platform."""

    limit_share: float = 0.88  # Share of the platform's velocity and acceleration limits to use.
    latency: float = 0.3  # From the last known command to the first of a new chunk [s].
    standoff: float = 0.34  # base_link to a counter's front edge while working [m].
    waiting: float = 0.78  # The same while the hands are too low to come closer [m].
    side_reach: float = 0.12  # Largest lateral distance of a working hand from its shoulder [m].
    shoulder_rise: float = 0.25  # Height of the shoulders above the worktop while working [m].
    ready_reach: float = 0.375  # Distance of the hands ahead of base_link while driving [m].
    floor_reach: float = 0.42  # The same for a hand that works on the floor [m].
    floor_pass: float = 0.55  # Least height that hands clear over the floor [m].
    footprint: tuple[float, float] = (0.23, 0.22)  # Half length and half width of the base [m].
    gap: float = 0.04  # Between the base and furniture or things on the floor [m].
    clearance: float = 0.05  # Between the lowest part of hand or load and the tallest dish [m].
    fingertip: float = 0.01  # Length of the fingertips beyond the tool centre point [m].
    drop: float = 0.04  # Height of a dish above its support in the sink at release [m].
    lookahead: float = 0.10  # Lead of a hand's goal on a vertical path [m].
    stance_tolerance: float = 0.015  # Distance of the base to its stance to start lowering [m].
    stance_slack: float = 0.05  # The same while the hand is low [m].
    on_path: float = 0.02  # Largest lateral distance of a hand on its vertical path [m].
    arrived: float = 0.008  # Largest vertical distance of a hand at its goal [m].
    grasp_reach: float = 0.045  # Largest distance of a closed hand to a held dish's grasp [m].
    dwell: float = 0.3  # Time to close or open the fingers before the hand moves [s].
    give_up: float = 25.0  # Time on one subtask after which other dishes come first [s].
    rounds: int = 3  # Number of times that each dish may be given up.
