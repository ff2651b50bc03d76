"""A load, or drivers, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from pi05_ros.foundation import supervised_child

BENCHMARKS = Path(__file__).resolve().parents[1]
_CHILD = Path(supervised_child.__file__)


def environment_with(**variables: str) -> dict[str, str]:
    """What a node's process needs besides, to find this package."""
    path = os.pathsep.join(filter(None, (str(BENCHMARKS), os.environ.get("PYTHONPATH"))))
    return {"PYTHONPATH": path, **variables}


class Process:
    """A module that prints the steady clock [s] after each piece of work.

    Ended on exit, and by the kernel should this process die.

    Args:
        words: The module and its arguments.
        environment: All of it.
        folder: For what it prints.
    """

    def __init__(self, words: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self._words = words
        # One thread each: how many there are is the benchmark's business.
        self._environment = {**environment, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
        self._folder = folder

    def __enter__(self) -> Process:
        number = len(list(self._folder.glob("process*.out")))
        self._out = self._folder / f"process{number}.out"
        self._errors = self._folder / f"process{number}.err"
        with self._out.open("wb") as out, self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_CHILD), str(os.getpid())]
                + [sys.executable, "-m", *self._words],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                env=self._environment,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def times(self, since: float = 0.0) -> list[float]:
        """When it finished each piece of work since then [s, steady]."""
        lines = self._out.read_text().splitlines()
        return [at for at in map(float, lines[:-1]) if at > since]  # The last may be half written.

    def wait(self, limit: float = 60.0) -> None:
        """Waits until it works, at most `limit` [s]."""
        end = time.monotonic() + limit
        while not self.times():
            if self._process.poll() is not None or time.monotonic() > end:
                raise SystemExit(
                    f"{' '.join(self._words)} did not begin: {self._errors.read_text()[-2000:]}"
                )
            time.sleep(0.05)
