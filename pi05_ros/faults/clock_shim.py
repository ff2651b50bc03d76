"""System time that can be stepped, for the processes that are started with it."""

from __future__ import annotations

import shutil
import struct
import subprocess
from pathlib import Path

from pi05_ros.errors import Pi05Error

_SOURCE = Path(__file__).with_name("clock_shim.c")


class RowSkipped(Pi05Error):
    """A row cannot be tried on this machine; the sentence says why."""


class SteppedClock:
    """Compiles the shim; `environment` is for the processes, `step` moves their system time.

    Args:
        folder: For the library and the offset.

    Raises:
        RowSkipped: There is no C compiler, or it fails.
    """

    def __init__(self, folder: Path) -> None:
        compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
        if compiler is None:
            raise RowSkipped("no C compiler (cc, gcc or clang) for the shim of the system clock")
        library = folder / "clock_shim.so"
        command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE)]
        done = subprocess.run(
            [*command, "-ldl", "-lpthread"], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RowSkipped(f"the shim of the system clock does not compile: {done.stderr}")
        self._file = folder / "clock_offset"
        self._file.write_bytes(struct.pack("q", 0))
        self.offset_ns = 0
        self.environment = {"LD_PRELOAD": str(library), "PI05_CLOCK_OFFSET": str(self._file)}

    def step(self, by_ns: int) -> None:
        """Moves the system time of the processes by so much [ns]."""
        self.offset_ns += by_ns
        # In place: the processes have mapped the file.
        with self._file.open("r+b") as file:
            file.write(struct.pack("q", self.offset_ns))
