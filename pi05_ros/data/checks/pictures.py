"""A camera's pictures: frozen ones, changed encodings, ones that cannot be decoded or seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pi05_ros.cameras.checks import blindness_of, fingerprint
from pi05_ros.data.checks.findings import CheckSettings, Finding, Level
from pi05_ros.errors import Pi05Error


@dataclass
class PictureSeries:
    """What is collected of one camera.

    Args:
        camera: Its name.
        topic: Where its pictures are.
        decode: A message's picture, (h, w, 3) uint8 rgb; raises Pi05Error.
        settings: When to look, and what is too much.
    """

    camera: str
    topic: str
    decode: Callable[[Any], np.ndarray]
    settings: CheckSettings
    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # "rgb8 640x480" → messages.
    broken: Counter[str] = field(default_factory=Counter)  # Why → pictures.
    looks: Counter[str] = field(default_factory=Counter)  # As in picture_checks; "" is fine.
    longest_frozen: int = 1
    _run: int = 0
    _last: int = -1
    _looked_ns: int | None = None

    def add(self, log_ns: int, message: Any) -> None:
        """Takes one Image or CompressedImage."""
        self.count += 1
        print_ = fingerprint(message.data)
        self._run = self._run + 1 if print_ == self._last else 1
        self._last = print_
        self.longest_frozen = max(self.longest_frozen, self._run)
        if hasattr(message, "format"):
            self.kinds[message.format] += 1
        else:
            self.kinds[f"{message.encoding} {message.width}x{message.height}"] += 1
        due = self._looked_ns is None or log_ns - self._looked_ns >= self.settings.look_every * 1e9
        if due:
            self._looked_ns = log_ns
            self._look(message)

    def _look(self, message: Any) -> None:
        try:
            self.looks[blindness_of(self.decode(message))] += 1
        except Pi05Error as error:
            self.broken[str(error)] += 1

    def findings(self, simulated: bool) -> list[Finding]:
        """What is wrong. Of a scene at rest, rendered pictures are equal: no finding."""
        found = []
        if len(self.kinds) > 1:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
            found.append((Level.ERROR, f"its pictures change their kind: {kinds}"))
        for why, count in self.broken.items():
            found.append((Level.ERROR, f"{count} of the pictures looked at are broken: {why}"))
        total = sum(self.looks.values())
        for look, count in self.looks.items():
            if look and count > 0.5 * total:
                found.append((Level.WARNING, f"{count} of {total} pictures looked at are {look}"))
        if not simulated and self.longest_frozen >= self.settings.frozen_warn:
            bad = self.longest_frozen >= self.settings.frozen_error
            said = f"the same picture came {self.longest_frozen} times in a row"
            found.append((Level.ERROR if bad else Level.WARNING, said))
        return [Finding(level, f"{self.topic} ({self.camera})", what) for level, what in found]
