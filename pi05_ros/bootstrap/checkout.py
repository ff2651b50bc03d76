"""Where things lie in a checkout. Nothing outside these folders is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checkout:
    """The folders of a clone of the repository.

    Args:
        root: The folder that holds `./pi05`; absolute.
    """

    root: Path

    @property
    def venv(self) -> Path:
        """The virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The virtual environment's interpreter."""
        return self.venv / "bin" / "python"

    @property
    def stamps(self) -> Path:
        """What was done to the virtual environment; inside it, so that they vanish together."""
        return self.venv / ".pi05"

    @property
    def logs(self) -> Path:
        """One log a step of the set-up."""
        return self.root / "log" / "setup"

    @property
    def scratch(self) -> Path:
        """Temporary files of the set-up, and its lock."""
        return self.root / "build" / "setup"

    @property
    def requirements(self) -> Path:
        """The pinned wheels."""
        return self.root / "requirements"

    def build_of(self, package: str) -> Path:
        """The build folder of an interface package."""
        return self.root / "build" / "interfaces" / package

    def install_of(self, package: str) -> Path:
        """The prefix of an interface package: one each, so that each can be rebuilt alone."""
        return self.root / "install" / "interfaces" / package

    def installed_interfaces(self) -> list[Path]:
        """Prefixes of the interface packages that are built, sorted by name."""
        folder = self.root / "install" / "interfaces"
        return sorted(p for p in folder.glob("*") if (p / "share" / p.name).is_dir())


def this_checkout() -> Checkout | None:
    """The checkout that this module lies in, or None where the suite is installed instead."""
    root = Path(__file__).resolve().parents[2]
    return Checkout(root) if (root / "pi05").is_file() else None
