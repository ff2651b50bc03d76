"""Steps of system time for the processes that are started with this shim."""

from __future__ import annotations

import struct
from pathlib import Path

from system.shims import compile_shim

_SOURCE = Path(__file__).with_name("clock_shim.c")


class SteppedClock:
    """The compiled shim: `environment` is for the processes, `step` moves their system time.

    Args:
        folder: For the library and the offset.

    Raises:
        RowSkipped: There is no C compiler, or it fails.
    """

    def __init__(self, folder: Path) -> None:
        library = compile_shim(_SOURCE, folder)
        self._file = folder / "clock_offset"
        self._file.write_bytes(struct.pack("q", 0))
        self.offset_ns = 0
        self.environment = {"LD_PRELOAD": str(library), "PI05_CLOCK_OFFSET": str(self._file)}

    def step(self, by_ns: int) -> None:
        """Move the system time of the processes by `by_ns` [ns]."""
        self.offset_ns += by_ns
        # In place: the processes have mapped the file.
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", self.offset_ns))
