"""Newest samples of a device's topics, their silence, and its dead-man switch."""

from __future__ import annotations

import math

from pi05_ros.platforms.teleop import Clutch
from pi05_ros.teleop.device import DeviceInput, JointSample, JoySample, Sample

# Stamps may have been rounded, and samples come in bursts: speeds are over at least this long [s].
_LEAST_INTERVAL_S = 0.02


class SampleInterval:
    """Time between the samples of one topic, for their speeds.

    By the stamps of the sender, which a burst of delayed messages does not shorten; by the times
    of arrival where there are none.
    """

    def __init__(self) -> None:
        self._at_ns = self._stamp_ns = 0

    def next(self, at_ns: int, stamp_ns: int) -> float | None:
        """Take a sample's time of arrival and stamp [ns; 0: none]; return the interval [s].

        Returns:
            At least 0.02 s; None: it is the first sample.
        """
        arrived_s = (at_ns - self._at_ns) * 1e-9
        stamped_s = (stamp_ns - self._stamp_ns) * 1e-9 if stamp_ns and self._stamp_ns else 0.0
        is_first = self._at_ns == 0
        self._at_ns, self._stamp_ns = at_ns, stamp_ns
        if is_first:
            return None
        return max(stamped_s if stamped_s > 0 else arrived_s, _LEAST_INTERVAL_S)


class Silence:
    """Watches that each of several sources (topics, a joint) goes on.

    Args:
        limits_s: Source -> longest time between two samples [s].
    """

    def __init__(self, limits_s: dict[str, float]) -> None:
        self._limits_s = limits_s
        self._heard_ns: dict[str, int] = {}

    def heard(self, source: str, at_ns: int) -> None:
        """Take the time of a usable sample [ns]."""
        self._heard_ns[source] = at_ns

    def oldest_ns(self) -> int:
        """Return the oldest of the newest samples' times [ns]; 0: a source has none."""
        return min((self._heard_ns.get(source, 0) for source in self._limits_s), default=0)

    def reason(self, now_ns: int) -> str:
        """Return which source is silent, as one clause; empty: none is."""
        for source, limit_s in self._limits_s.items():
            if source not in self._heard_ns:
                return f"nothing usable from {source} yet"
            silence_s = (now_ns - self._heard_ns[source]) * 1e-9
            if silence_s > limit_s:
                return f"nothing usable from {source} for {silence_s:.1f} s"
            if silence_s < -limit_s:
                return f"nothing usable from {source} since the clock went back"
        return ""


class DeadMan:
    """The dead-man switch of a device.

    Args:
        clutch: What it is.
    """

    def __init__(self, clutch: Clutch) -> None:
        self._clutch = clutch
        self.held = False
        self.problem = ""  # Why the newest sample has no state of the switch, one clause.

    @property
    def source(self) -> str:
        """Topic or joint that it is."""
        return self._clutch.joy_topic or self._clutch.bool_topic or self._clutch.joint

    @property
    def input(self) -> DeviceInput | None:
        """Its own topic; None: it is a joint of the device."""
        if self._clutch.joy_topic:
            return DeviceInput(self._clutch.joy_topic, JoySample)
        if self._clutch.bool_topic:
            return DeviceInput(self._clutch.bool_topic, bool)
        return None

    def add(self, topic: str, sample: Sample) -> bool:
        """Take a sample; return whether it holds the state of the switch."""
        clutch = self._clutch
        if isinstance(sample, JoySample) and topic == clutch.joy_topic:
            assert clutch.button is not None
            return self._button(topic, sample, clutch.button)
        if isinstance(sample, bool) and topic == clutch.bool_topic:
            self.held = sample
            return True
        if isinstance(sample, JointSample) and clutch.joint in sample.names:
            assert clutch.above is not None
            index = sample.names.index(clutch.joint)
            value = sample.positions[index] if index < len(sample.positions) else math.nan
            if math.isfinite(value):
                self.held, self.problem = value > clutch.above, ""
                return True
            self.problem = f"{clutch.joint} on {topic} is {value}, wanted a number"
        return False

    def _button(self, topic: str, sample: JoySample, button: int) -> bool:
        if button >= len(sample.buttons):
            self.problem = f"{topic} has {len(sample.buttons)} buttons, the clutch is {button}"
            return False
        self.held, self.problem = bool(sample.buttons[button]), ""
        return True
