"""Health of each camera: ages, stamps, repeated and blind pictures.

There are two clocks. Stamps are compared with the node's time. Durations since arrival are
measured on a clock that never steps: the steady one on a robot, simulated time in a simulation.
The age of a picture is its age at arrival plus the time since, so that neither a step of the
system clock nor a driver that sends old stamps can make an old picture appear new.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from statistics import median_high

from pi05_ros.cameras.picture_checks import Blindness
from pi05_ros.foundation.settings import setting

_NS = 1_000_000_000
_JUMP_NS = _NS  # A clock or stamp that jumps back by more than this is a restart.
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
    """Severity of a camera's status."""

    FINE = 0
    WARN = 1
    UNFIT = 2


@dataclass(frozen=True)
class CameraStatus:
    """Status of one camera at one time."""

    level: Level = Level.FINE
    reason: str = ""  # One clause without changing figures ("silent for over 0.3 s").


@dataclass
class _Camera:
    """History of one camera. Times ending in `_at` are on the steady clock [ns]."""

    used_at: int  # Time of its last picture in a set.
    stamp: int = 0  # Newest accepted stamp [ns]; 0: none.
    latency: int = 0  # Age of that picture at arrival [ns].
    accepted_at: int = 0
    heard_at: int | None = None  # Time of the last message; None: none yet.
    heard_latency: int = 0  # Age of the newest picture at arrival, accepted or not [ns].
    refusal: str = ""  # Reason why the newest picture was refused.
    fingerprint: int | None = None  # Of the newest picture.
    repeats: int = 0  # Pictures in a row with the same bytes, the first one included.
    blindness: Blindness = ""
    blind_at: int = 0  # Beginning of `blindness`.
    broken: str = ""  # Reason why the newest picture could not be decoded.
    broken_at: int = 0  # Beginning of `broken`.
    malformed_at: int | None = None  # Time of the last picture that was broken; None: none yet.
    malformed: str = ""  # Why it was.
    counts: Counter[str] = field(default_factory=Counter)
    arrivals: deque[int] = field(default_factory=lambda: deque(maxlen=512))


class CameraWatch:
    """Tracks the health of cameras from their drivers' messages. Not thread-safe.

    Args:
        cameras: Names of all cameras.
        needed: Names of the cameras that the robot needs to move.
        settings: The limits.
        steady_ns: Present time of the clock that never steps [ns].
    """

    def __init__(
        self,
        cameras: Sequence[str],
        needed: Sequence[str],
        settings: WatchSettings,
        steady_ns: int,
    ) -> None:
        self._names = tuple(cameras)
        self._needed = tuple(needed)
        self._settings = settings
        self._newest = steady_ns
        self._restart(steady_ns)

    def need(self, cameras: Sequence[str]) -> None:
        """Change which cameras the robot needs to move.

        Raises:
            ValueError: One of them is not watched.
        """
        if unknown := [name for name in cameras if name not in self._names]:
            raise ValueError(
                f"wanted cameras of {', '.join(self._names)}, found {', '.join(unknown)}"
            )
        self._needed = tuple(cameras)

    def arrived(
        self, camera: str, stamp_ns: int, now_ns: int, steady_ns: int, fingerprint: int
    ) -> bool:
        """Record the arrival of a picture; return whether it may be used.

        Args:
            camera: Name.
            stamp_ns: Acquisition time [ns].
            now_ns: The node's time, the clock of the stamps [ns].
            steady_ns: Time of the clock that never steps [ns].
            fingerprint: `fingerprint` of its bytes.
        """
        self._advance(steady_ns)
        state = self._cameras[camera]
        state.counts["pictures"] += 1
        state.heard_at = steady_ns
        state.arrivals.append(steady_ns)
        state.repeats = state.repeats + 1 if fingerprint == state.fingerprint else 1
        state.counts["same bytes"] += state.repeats > 1
        state.fingerprint = fingerprint
        state.heard_latency = now_ns - stamp_ns
        state.refusal = self._refusal(camera, stamp_ns)
        if state.refusal:
            state.counts[f"refused, {state.refusal}"] += 1
            return False
        if steady_ns - state.accepted_at >= round(self._settings.stale_after_s * _NS):
            # While it was silent, no set could use it.
            state.used_at = max(state.used_at, steady_ns)
        state.stamp, state.latency, state.accepted_at = stamp_ns, state.heard_latency, steady_ns
        return True

    def malformed(self, camera: str, reason: str, steady_ns: int) -> None:
        """Record a message that is not a picture, or has no stamp."""
        self._advance(steady_ns)
        state = self._cameras[camera]
        state.heard_at = steady_ns
        state.counts["malformed"] += 1
        if not state.broken:
            state.broken_at = steady_ns
        state.broken = state.malformed = reason
        state.malformed_at = steady_ns

    def used(self, camera: str, blindness: Blindness, steady_ns: int) -> None:
        """Record a picture that was decoded and used in a set."""
        self._advance(steady_ns)
        state = self._cameras[camera]
        if blindness and not state.blindness:
            state.blind_at = steady_ns
        state.blindness, state.broken, state.used_at = blindness, "", steady_ns

    def status(self, camera: str, steady_ns: int) -> CameraStatus:
        """Return the present status of a camera."""
        self._advance(steady_ns)
        state, limits = self._cameras[camera], self._settings
        stale = round(limits.stale_after_s * _NS)
        if state.heard_at is None:
            return CameraStatus(Level.UNFIT, "no picture yet")
        if state.broken and steady_ns - state.broken_at >= stale:
            return CameraStatus(Level.UNFIT, f"its pictures are broken ({state.broken})")
        if not state.stamp or self._age(state, steady_ns) >= stale:
            return CameraStatus(Level.UNFIT, self._why_stale(state, steady_ns))
        if limits.repeats_unfit and state.repeats >= limits.repeats_unfit:
            return CameraStatus(
                Level.UNFIT, f"the same picture {limits.repeats_unfit} times or more in a row"
            )
        if steady_ns - state.used_at >= round(limits.unused_after_s * _NS):
            return CameraStatus(Level.UNFIT, "its pictures come but fit into no set")
        if limits.repeats_warn and state.repeats >= limits.repeats_warn:
            return CameraStatus(
                Level.WARN, f"the same picture {limits.repeats_warn} times or more in a row"
            )
        if state.malformed_at is not None and steady_ns - state.malformed_at <= _RATE_WINDOW_NS:
            return CameraStatus(
                Level.WARN, f"some of its pictures are broken ({state.malformed}), and not used"
            )
        if state.blindness:
            return CameraStatus(Level.WARN, f"{state.blindness}: nothing can be seen")
        return CameraStatus()

    def fitness(self, steady_ns: int) -> str:
        """Reason why the robot must not move with these cameras; "" if it may.

        The text contains no changing figures, so it changes only when the reason does.
        """
        statuses = {name: self.status(name, steady_ns) for name in self._needed}
        clauses = [
            f"camera {name}: {status.reason}"
            for name, status in statuses.items()
            if status.level == Level.UNFIT
        ]
        if not clauses and self._settings.blind_unfit:
            blind = [self._cameras[name] for name in self._needed]
            since = round(self._settings.stale_after_s * _NS)
            if all(state.blindness and steady_ns - state.blind_at >= since for state in blind):
                return "nothing can be seen in any needed camera (" + (
                    ", ".join(sorted({state.blindness for state in blind})) + ")"
                )
        return "; ".join(clauses)

    def starting(self, steady_ns: int) -> bool:
        """Check whether drivers may still be starting."""
        self._advance(steady_ns)
        return steady_ns - self._started < round(self._settings.start_grace_s * _NS)

    def age(self, camera: str, steady_ns: int) -> float:
        """Age of the newest accepted picture [s]; NaN before the first."""
        state = self._cameras[camera]
        return self._age(state, steady_ns) / _NS if state.stamp else float("nan")

    def arrival_age(self, camera: str, steady_ns: int) -> float:
        """Time since the last message [s]; NaN before the first."""
        heard = self._cameras[camera].heard_at
        return float("nan") if heard is None else (steady_ns - heard) / _NS

    def rate(self, camera: str, steady_ns: int) -> float:
        """Rate of pictures over the last two seconds [Hz]; 0 if they stopped."""
        arrivals = self._cameras[camera].arrivals
        recent = [at for at in arrivals if steady_ns - at <= _RATE_WINDOW_NS]
        if len(recent) < 2 or recent[-1] == recent[0]:
            return 0.0
        return (len(recent) - 1) * _NS / (recent[-1] - recent[0])

    def counts(self, camera: str) -> dict[str, int]:
        """Counts of pictures and problems since the start."""
        return dict(sorted(self._cameras[camera].counts.items()))

    def _refusal(self, camera: str, stamp_ns: int) -> str:
        """Reason why a picture may not be used, one of a few fixed texts; "" if it may."""
        state, limits = self._cameras[camera], self._settings
        if state.heard_latency < -round(limits.max_future_s * _NS):
            return _FUTURE
        if state.stamp and stamp_ns == state.stamp:
            return "its stamp repeats"
        if state.stamp and state.stamp - _JUMP_NS < stamp_ns < state.stamp:
            return "its stamps fall back"
        # Including refused pictures: otherwise, if all cameras became slower, all stayed refused.
        others = [
            other.heard_latency
            for name, other in self._cameras.items()
            if name != camera and other.heard_at is not None and other.refusal != _FUTURE
        ]
        lag = state.heard_latency - median_high(others) if others else 0
        if lag > round(limits.max_offset_s * _NS):
            return "its stamps lag those of the other cameras"
        return ""

    def _why_stale(self, state: _Camera, steady_ns: int) -> str:
        limit = f"{self._settings.stale_after_s:g} s"
        assert state.heard_at is not None
        if steady_ns - state.heard_at >= round(self._settings.stale_after_s * _NS):
            return f"silent for over {limit}"
        if state.refusal:
            return f"no usable picture for over {limit}, {state.refusal}"
        return f"its pictures are over {limit} old"

    def _age(self, state: _Camera, steady_ns: int) -> int:
        return max(0, state.latency) + max(0, steady_ns - state.accepted_at)

    def _advance(self, steady_ns: int) -> None:
        """Advance the steady clock; start again if a simulation was restarted."""
        if steady_ns < self._newest - _JUMP_NS:
            self._restart(steady_ns)
        self._newest = max(self._newest, steady_ns)

    def _restart(self, steady_ns: int) -> None:
        self._started = self._newest = steady_ns
        due = steady_ns + round(self._settings.start_grace_s * _NS)
        self._cameras = {name: _Camera(used_at=due) for name in self._names}
