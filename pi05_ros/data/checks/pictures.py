"""The check of a camera's pictures: frozen, changed encoding, undecodable, dark or blank."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pi05_ros.cameras.picture_checks import blindness_of, fingerprint
from pi05_ros.data.checks.findings import CheckSettings, EpisodeFinding, Severity
from pi05_ros.errors import Pi05Error


@dataclass
class PictureSeries:
    """Statistics of one camera's pictures, collected while a bag is read.

    Args:
        camera: The camera's name.
        topic: Topic of its pictures.
        decode: Decodes a message into a picture, (h, w, 3) uint8 rgb; raises Pi05Error.
        settings: The limits, and how often a picture is decoded.
    """

    camera: str
    topic: str
    decode: Callable[[Any], np.ndarray]
    settings: CheckSettings
    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter)  # "rgb8 640x480" → messages.
    broken: Counter[str] = field(default_factory=Counter)  # Error → pictures.
    looks: Counter[str] = field(default_factory=Counter)  # Result of look_of → pictures.
    longest_frozen: int = 1
    _run: int = 0
    _last: int = -1
    _looked_ns: int | None = None

    def add(self, log_ns: int, message: Any) -> None:
        """Add one Image or CompressedImage."""
        self.count += 1
        data_hash = fingerprint(message.data)
        self._run = self._run + 1 if data_hash == self._last else 1
        self._last = data_hash
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

    def findings(self, simulated: bool) -> list[EpisodeFinding]:
        """List the findings; equal pictures are none in simulation, where a scene may rest."""
        found = []
        if len(self.kinds) > 1:
            kinds = ", ".join(f"{count} {kind}" for kind, count in self.kinds.most_common())
            found.append((Severity.ERROR, f"its pictures change their kind: {kinds}"))
        for why, count in self.broken.items():
            found.append((Severity.ERROR, f"{count} of the decoded pictures are broken: {why}"))
        total = sum(self.looks.values())
        for look, count in self.looks.items():
            if look and count > 0.5 * total:
                found.append((Severity.WARNING, f"{count} of {total} decoded pictures are {look}"))
        if not simulated and self.longest_frozen >= self.settings.frozen_warn:
            bad = self.longest_frozen >= self.settings.frozen_error
            what = f"the same picture came {self.longest_frozen} times in a row"
            found.append((Severity.ERROR if bad else Severity.WARNING, what))
        return [
            EpisodeFinding(level, f"{self.topic} ({self.camera})", what) for level, what in found
        ]
