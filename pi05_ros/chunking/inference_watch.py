"""Fitness of the policy: whether its worker returns, and whether its inferences succeed."""

from __future__ import annotations

# Failed inferences in a row that make the policy unfit.
_MAX_FAILURES = 3


class InferenceWatch:
    """Detects an inference that does not return, and inferences that fail one after another.

    A worker reports since when its work is pending. That number is only compared with itself: the
    time is measured by the caller's clock from the first call that saw it, so that a step of the
    system's clock is no stall. A thread that died leaves its work pending, too.

    Args:
        limit_s: Time for which one piece of work may be pending [s].
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._seen: tuple[int, int] = (0, 0)  # (pending, time of the first call that saw it).
        self._failures = 0  # In a row.
        self._reason = ""

    def succeeded(self) -> None:
        """Note an inference that returned a valid chunk."""
        self._failures, self._reason = 0, ""

    def failed(self, reason: str) -> None:
        """Note an inference that raised; `reason` is one clause."""
        self._failures, self._reason = self._failures + 1, reason

    def problem(self, pending_ns: int, now_ns: int) -> str:
        """Return why the policy is not fit, as one clause; empty if it is.

        Args:
            pending_ns: `Worker.pending_ns`; 0: nothing is pending.
            now_ns: Time by a clock that does not step [ns].
        """
        if pending_ns != self._seen[0]:
            self._seen = pending_ns, now_ns
        waited_s = (now_ns - self._seen[1]) * 1e-9
        if pending_ns and waited_s > self._limit_s:
            return (
                f"an inference has not returned for {waited_s:.1f} s: if it lasts, restart this "
                "node"
            )
        if self._failures >= _MAX_FAILURES:
            return f"{self._failures} inferences in a row failed ({self._reason}): see its log"
        return ""
