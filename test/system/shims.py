"""Small C libraries that are preloaded into a process to inject faults of its system."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from pi05_ros.errors import Pi05Error


class RowSkipped(Pi05Error):
    """A row cannot be run on this machine; the message gives the reason."""


def compile_shim(source: Path, folder: Path) -> Path:
    """Compile a shim into `folder` and return the library, for LD_PRELOAD.

    Raises:
        RowSkipped: There is no C compiler, or it fails.
    """
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise RowSkipped(f"no C compiler (cc, gcc or clang) for {source.name}")
    library = folder / f"{source.stem}.so"
    command = [compiler, "-shared", "-fPIC", "-O2", "-o", str(library), str(source)]
    done = subprocess.run(
        [*command, "-ldl", "-lpthread"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RowSkipped(f"{source.name} does not compile: {done.stderr}")
    return library


def slow_disk(folder: Path, suffix: str, rate: float) -> dict[str, str]:
    """Return an environment in which files ending in `suffix` are written at `rate` [byte/s].

    Raises:
        RowSkipped: See `compile_shim`.
    """
    library = compile_shim(Path(__file__).with_name("slow_disk.c"), folder)
    return {
        "LD_PRELOAD": str(library),
        "PI05_SLOW_SUFFIX": suffix,
        "PI05_SLOW_RATE": str(rate),
    }
