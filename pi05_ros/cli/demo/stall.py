"""Simulated time that stands still: told soon, and a failure when it lasts."""

from __future__ import annotations

from pi05_ros.cli.demo.rearming import Step

LIMIT_S = 30.0  # Simulated time must advance within so long [wall s].
_TOLD_S = 3.0  # It is told after so long [wall s].


class Stall:
    """Watches simulated time against a wall clock.

    Args:
        wall_s: A steady wall clock, now [s].
        limit_s: [s]
    """

    def __init__(self, wall_s: float, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._sim_s = -1.0  # When it advanced last: simulated time [s],
        self._wall_s = wall_s  # and the wall's [s].
        self._told = ""  # What the simulation waited for when it was told; see step.

    def step(self, sim_s: float, wall_s: float, waits_for: str, lives: bool = False) -> Step:
        """Decides what to do now.

        Args:
            sim_s: Simulated time [s].
            wall_s: A steady wall clock [s].
            waits_for: What the simulation says that it waits for; empty: it does not.
            lives: Whether it has said so just now: then it has not failed, it waits, as for the
                inference of a large model.
        """
        if sim_s > self._sim_s:
            stood = wall_s - self._wall_s
            line = f"simulated time goes on after {stood:.1f} s"
            told, self._told = self._told, ""
            self._sim_s, self._wall_s = sim_s, wall_s
            return Step(lines=(line,) if told else ())
        stood = wall_s - self._wall_s
        why = f": the simulation waits for {waits_for}" if waits_for else ""
        sentence = f"simulated time has stood still for {stood:.0f} s{why}"
        waits = lives and bool(waits_for)
        if stood > self._limit_s and not waits:
            return Step(failure=sentence)
        if stood < _TOLD_S:
            return Step()
        then = "waits, too" if waits else f"ends after {self._limit_s:.0f} s of it"
        notice = f"{sentence}; the demo {then}"
        is_new = self._told != (why or "?")
        self._told = why or "?"
        return Step(notice, (notice,) if is_new else ())
