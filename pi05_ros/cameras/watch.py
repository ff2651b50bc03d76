"""Whether each camera still shows the present: ages, stamps, repeated and blind pictures.

Two clocks. Stamps are compared with the node's time. What has passed since a picture came is
measured on a clock that never steps: the steady one on a robot, simulated time in a simulation.
The age of a picture is how old it was when it came plus what has passed since, so that a system
clock that steps, or a driver that sends old stamps, cannot make an old picture young.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import median_high

from pi05_ros.cameras.checks import Look
from pi05_ros.foundation.settings import setting

_NS = 1_000_000_000
_JUMP_NS = _NS  # A clock or stamp that falls back by more than this begins anew.
_RATE_WINDOW_NS = 2 * _NS
_FUTURE = "its stamps are in the future"


@dataclass(frozen=True)
class WatchSettings:
    """Limits at which a camera is warned about or unfit."""

    stale_after_s: float = setting(
        0.3,
        "A camera without a new picture for this long is unfit: the robot holds if the policy "
        "needs it [s].",
        minimum=0.05,
        maximum=5.0,
        formerly="stale_after",
    )
    max_future_s: float = setting(
        0.05,
        "Pictures stamped farther than this ahead of the node's time are refused [s].",
        minimum=0.0,
        maximum=1.0,
        formerly="max_future",
    )
    max_offset_s: float = setting(
        0.1,
        "Pictures that are older on arrival, by more than this, than those of the other cameras "
        "are refused: late, or stamped by another clock [s].",
        minimum=0.01,
        maximum=5.0,
        formerly="max_offset",
    )
    unused_after_s: float = 0.55  # A camera without a picture in a set for this long is unfit [s].
    repeats_warn: int = setting(
        15,
        "Number of consecutive pictures with equal bytes that raises a warning; 0: never.",
        minimum=0,
        maximum=10000,
    )
    repeats_unfit: int = setting(
        30,
        "Number of consecutive pictures with equal bytes that makes a camera unfit; 0: never. "
        "Rendered pictures have no noise and repeat when nothing moves: a mock home sets 0.",
        minimum=0,
        maximum=10000,
    )
    blind_unfit: bool = setting(
        True, "Hold while all cameras of the policy are black, saturated or covered."
    )
    start_grace_s: float = setting(
        3.0,
        "For this long after activation a missing camera is a warning, later an error [s].",
        minimum=0.0,
        maximum=120.0,
        formerly="start_grace",
    )

    def __post_init__(self) -> None:
        if self.repeats_unfit and self.repeats_unfit < self.repeats_warn:
            raise ValueError(
                f"repeats_unfit {self.repeats_unfit} is below repeats_warn {self.repeats_warn}"
            )


class Level(IntEnum):
    """How far a camera is to be believed."""

    FINE = 0
    WARN = 1
    UNFIT = 2


@dataclass(frozen=True)
class Verdict:
    """What holds for one camera at one moment."""

    level: Level = Level.FINE
    reason: str = ""  # One clause without figures that run ("silent for over 0.3 s").


@dataclass
class _Camera:
    """What is remembered of one camera. Times ending in `_at` are on the steady clock [ns]."""

    used_at: int  # When one of its pictures last went into a set.
    stamp: int = 0  # Newest accepted stamp [ns]; 0: none.
    latency: int = 0  # Age at arrival of that picture [ns].
    accepted_at: int = 0
    heard_at: int | None = None  # When anything came.
    heard_latency: int = 0  # Age at arrival of the newest picture, accepted or not [ns].
    refusal: str = ""  # Why the newest picture was refused.
    print_: int | None = None
    repeats: int = 0  # Pictures in a row with the same bytes, the first one included.
    look: Look = ""
    blind_at: int = 0  # Since when it sees nothing.
    broken: str = ""  # Why the newest picture could not be decoded.
    broken_at: int = 0  # Since when.
    counts: Counter[str] = field(default_factory=Counter)
    arrivals: deque[int] = field(default_factory=lambda: deque(maxlen=512))


class CameraWatch:
    """Judges cameras from what their drivers send. Not thread-safe."""

    def __init__(
        self,
        cameras: Sequence[str],
        needed: Sequence[str],
        settings: WatchSettings,
        steady_ns: int,
    ) -> None:
        """Begins to watch.

        Args:
            cameras: Names of all cameras.
            needed: Those without which the robot must not move.
            settings: The rules.
            steady_ns: Present time of the clock that never steps [ns].
        """
        self._names = tuple(cameras)
        self._needed = tuple(needed)
        self._settings = settings
        self._newest = steady_ns
        self._begin(steady_ns)

    def arrived(
        self, camera: str, stamp_ns: int, now_ns: int, steady_ns: int, print_: int
    ) -> bool:
        """Takes note of a picture; returns whether it may be used.

        Args:
            camera: Its name.
            stamp_ns: Acquisition time [ns].
            now_ns: The node's time, in which stamps are [ns].
            steady_ns: The clock that never steps [ns].
            print_: `fingerprint` of its bytes.
        """
        self._advance(steady_ns)
        seen = self._cameras[camera]
        seen.counts["pictures"] += 1
        seen.heard_at = steady_ns
        seen.arrivals.append(steady_ns)
        seen.repeats = seen.repeats + 1 if print_ == seen.print_ else 1
        seen.counts["same bytes"] += seen.repeats > 1
        seen.print_ = print_
        seen.heard_latency = now_ns - stamp_ns
        seen.refusal = self._refusal(camera, stamp_ns)
        if seen.refusal:
            seen.counts[f"refused, {seen.refusal}"] += 1
            return False
        if steady_ns - seen.accepted_at >= round(self._settings.stale_after_s * _NS):
            seen.used_at = max(seen.used_at, steady_ns)  # It was silent: no set could use it.
        seen.stamp, seen.latency, seen.accepted_at = stamp_ns, seen.heard_latency, steady_ns
        return True

    def malformed(self, camera: str, reason: str, steady_ns: int) -> None:
        """Takes note of a message that is no picture, or has no stamp."""
        self._advance(steady_ns)
        seen = self._cameras[camera]
        seen.heard_at = steady_ns
        seen.counts["malformed"] += 1
        if not seen.broken:
            seen.broken_at = steady_ns
        seen.broken = reason

    def drawn(self, camera: str, look: Look, steady_ns: int) -> None:
        """Takes note of a picture that was decoded and went into a set."""
        self._advance(steady_ns)
        seen = self._cameras[camera]
        if look and not seen.look:
            seen.blind_at = steady_ns
        seen.look, seen.broken, seen.used_at = look, "", steady_ns

    def verdict(self, camera: str, steady_ns: int) -> Verdict:
        """What holds for a camera now."""
        self._advance(steady_ns)
        seen, rules = self._cameras[camera], self._settings
        stale = round(rules.stale_after_s * _NS)
        if seen.heard_at is None:
            return Verdict(Level.UNFIT, "no picture yet")
        if seen.broken and steady_ns - seen.broken_at >= stale:
            return Verdict(Level.UNFIT, f"its pictures are broken ({seen.broken})")
        if not seen.stamp or self._age(seen, steady_ns) >= stale:
            return Verdict(Level.UNFIT, self._why_stale(seen, steady_ns))
        if rules.repeats_unfit and seen.repeats >= rules.repeats_unfit:
            return Verdict(
                Level.UNFIT, f"the same picture {rules.repeats_unfit} times or more in a row"
            )
        if steady_ns - seen.used_at >= round(rules.unused_after_s * _NS):
            return Verdict(Level.UNFIT, "its pictures come but fit into no set")
        if rules.repeats_warn and seen.repeats >= rules.repeats_warn:
            return Verdict(
                Level.WARN, f"the same picture {rules.repeats_warn} times or more in a row"
            )
        if seen.look:
            return Verdict(Level.WARN, f"{seen.look}: nothing can be seen")
        return Verdict()

    def fitness(self, steady_ns: int) -> str:
        """Why the robot must not move on these cameras; "" when it may.

        The text holds no figures that run, so it changes only when the reason does.
        """
        verdicts = {name: self.verdict(name, steady_ns) for name in self._needed}
        clauses = [
            f"camera {name}: {verdict.reason}"
            for name, verdict in verdicts.items()
            if verdict.level == Level.UNFIT
        ]
        if not clauses and self._settings.blind_unfit:
            blind = [self._cameras[name] for name in self._needed]
            since = round(self._settings.stale_after_s * _NS)
            if all(seen.look and steady_ns - seen.blind_at >= since for seen in blind):
                return "nothing can be seen in any needed camera (" + (
                    ", ".join(sorted({seen.look for seen in blind})) + ")"
                )
        return "; ".join(clauses)

    def starting(self, steady_ns: int) -> bool:
        """Whether drivers may still be on their way."""
        self._advance(steady_ns)
        return steady_ns - self._began < round(self._settings.start_grace_s * _NS)

    def age(self, camera: str, steady_ns: int) -> float:
        """Age of the newest accepted picture [s]; NaN before the first."""
        seen = self._cameras[camera]
        return self._age(seen, steady_ns) / _NS if seen.stamp else float("nan")

    def arrival_age(self, camera: str, steady_ns: int) -> float:
        """Time since anything came [s]; NaN before the first."""
        heard = self._cameras[camera].heard_at
        return float("nan") if heard is None else (steady_ns - heard) / _NS

    def rate(self, camera: str, steady_ns: int) -> float:
        """Pictures a second over the last two seconds [Hz]; 0 when they stopped."""
        arrivals = self._cameras[camera].arrivals
        recent = [at for at in arrivals if steady_ns - at <= _RATE_WINDOW_NS]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) * _NS / (recent[-1] - recent[0])

    def counts(self, camera: str) -> dict[str, int]:
        """What was counted since the watch began."""
        return dict(sorted(self._cameras[camera].counts.items()))

    def _refusal(self, camera: str, stamp_ns: int) -> str:
        """Why a picture may not be used: one of a few fixed texts; "" when it may."""
        seen, rules = self._cameras[camera], self._settings
        if seen.heard_latency < -round(rules.max_future_s * _NS):
            return _FUTURE
        if seen.stamp and stamp_ns == seen.stamp:
            return "its stamp repeats"
        if seen.stamp and seen.stamp - _JUMP_NS < stamp_ns < seen.stamp:
            return "its stamps fall back"
        # Refused pictures count too, or cameras that all became slower would never agree again.
        others = [
            other.heard_latency
            for name, other in self._cameras.items()
            if name != camera and other.heard_at is not None and other.refusal != _FUTURE
        ]
        lag = seen.heard_latency - median_high(others) if others else 0
        if lag > round(rules.max_offset_s * _NS):
            return "its stamps lag those of the other cameras"
        return ""

    def _why_stale(self, seen: _Camera, steady_ns: int) -> str:
        limit = f"{self._settings.stale_after_s:g} s"
        assert seen.heard_at is not None
        if steady_ns - seen.heard_at >= round(self._settings.stale_after_s * _NS):
            return f"silent for over {limit}"
        if seen.refusal:
            return f"no usable picture for over {limit}, {seen.refusal}"
        return f"its pictures are over {limit} old"

    def _age(self, seen: _Camera, steady_ns: int) -> int:
        return max(0, seen.latency) + max(0, steady_ns - seen.accepted_at)

    def _advance(self, steady_ns: int) -> None:
        """A simulation may begin anew: then so do we."""
        if steady_ns < self._newest - _JUMP_NS:
            self._begin(steady_ns)
        self._newest = max(self._newest, steady_ns)

    def _begin(self, steady_ns: int) -> None:
        self._began = self._newest = steady_ns
        due = steady_ns + round(self._settings.start_grace_s * _NS)
        self._cameras = {name: _Camera(used_at=due) for name in self._names}
