"""How the expert moves: distances, margins and times."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ScriptedExpertConfig:
    """Numbers that shape the expert's motion. Limits are the platform's, never written here."""

    limit_share: float = 0.88  # Share of the platform's velocity and acceleration limits to use.
    latency: float = 0.2  # From the last command that is known to the first of a new chunk [s].
    standoff: float = 0.34  # base_link to a counter's front edge while working [m].
    waiting: float = 0.78  # The same while the hands are still too low to come closer [m].
    side_reach: float = 0.12  # How far a hand may work beside its shoulder [m].
    shoulder_rise: float = 0.25  # Shoulders above the worktop while working [m].
    ready_reach: float = 0.375  # Hands ahead of base_link while driving [m].
    clearance: float = 0.05  # Between what hangs lowest and the tallest dish while passing [m].
    fingertip: float = 0.01  # How far fingertips stand out beyond the tool centre point [m].
    drop: float = 0.04  # Underside of a dish above what it is put down on in the sink [m].
    lookahead: float = 0.10  # How far ahead a hand's goal runs on a vertical path [m].
    stance_tolerance: float = 0.015  # Base to its stance when the hand starts down [m].
    stance_slack: float = 0.05  # The same while the hand is down [m].
    on_path: float = 0.02  # Hand beside its vertical path and still on it [m].
    arrived: float = 0.008  # Hand at its goal [m].
    grasp_reach: float = 0.045  # Closed hand to a graspable point for a dish to count as held [m].
    dwell: float = 0.3  # Fingers closing or opening before the hand moves on [s].
    give_up: float = 25.0  # Spent on one subtask before others come first [s].
    rounds: int = 3  # Times that each dish may be given up.
