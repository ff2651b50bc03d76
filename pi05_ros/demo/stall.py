"""Detection of simulated time that stands still: reported soon, and a failure when it lasts."""

from __future__ import annotations

from pi05_ros.demo.rearming import Step

LIMIT_S = 30.0  # Simulated time must advance within so long [wall s].
_REPORT_S = 3.0  # A standstill is reported after so long [wall s].


class StallWatch:
    """Compares simulated time with a wall clock.

    Args:
        wall_s: Present time of a steady wall clock [s].
        limit_s: Longest standstill [wall s].
    """

    def __init__(self, wall_s: float, limit_s: float = LIMIT_S) -> None:
        self._limit_s = limit_s
        self._sim_s = -1.0  # Simulated time of the last advance [s],
        self._wall_s = wall_s  # and its wall time [s].
        self._reported = ""  # Cause of the standstill that was reported last; empty: none.

    def step(self, sim_s: float, wall_s: float, waits_for: str, is_alive: bool = False) -> Step:
        """Decide what to do now.

        Args:
            sim_s: Simulated time [s].
            wall_s: A steady wall clock [s].
            waits_for: What the simulation waits for, as it reports; empty: nothing.
            is_alive: Whether that report is recent. Then the simulation has not failed: it waits,
                for example for the inference of a large model.
        """
        if sim_s > self._sim_s:
            stood = wall_s - self._wall_s
            line = f"simulated time resumed after {stood:.1f} s"
            reported, self._reported = self._reported, ""
            self._sim_s, self._wall_s = sim_s, wall_s
            return Step(lines=(line,) if reported else ())
        stood = wall_s - self._wall_s
        why = f": the simulation waits for {waits_for}" if waits_for else ""
        sentence = f"simulated time has stood still for {stood:.0f} s{why}"
        waits = is_alive and bool(waits_for)
        if stood > self._limit_s and not waits:
            return Step(failure=sentence)
        if stood < _REPORT_S:
            return Step()
        then = "waits, too" if waits else f"ends after {self._limit_s:.0f} s of it"
        notice = f"{sentence}; the demo {then}"
        is_new = self._reported != (why or "?")
        self._reported = why or "?"
        return Step(notice, (notice,) if is_new else ())
