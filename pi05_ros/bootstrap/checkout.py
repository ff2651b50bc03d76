"""Folders of a checkout. The set-up writes nothing outside them but the interface cache."""

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
        """Folder of the virtual environment."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Interpreter of the virtual environment."""
        return self.venv / "bin" / "python"

    @property
    def stamps(self) -> Path:
        """Stamps of finished steps; inside the virtual environment, so they vanish with it."""
        return self.venv / ".pi05"

    @property
    def logs(self) -> Path:
        """Folder of the set-up's logs, one a step."""
        return self.root / "log" / "setup"

    @property
    def scratch(self) -> Path:
        """Folder of the set-up's temporary files and its lock."""
        return self.root / "build" / "setup"

    @property
    def requirements(self) -> Path:
        """Folder of the lists of pinned wheels."""
        return self.root / "requirements"

    @property
    def interface_build(self) -> Path:
        """Build folder of the interface packages."""
        return self.root / "build" / "interfaces"

    @property
    def interfaces(self) -> Path:
        """Folder of the installed interface packages, a prefix each."""
        return self.root / "install" / "interfaces"

    def installed_interfaces(self) -> list[Path]:
        """Return the prefixes of the interface packages that are installed, sorted by name."""
        return sorted(p for p in self.interfaces.glob("*") if (p / "share" / p.name).is_dir())


def this_checkout() -> Checkout | None:
    """Return the checkout that this module lies in; None in an installed package."""
    root = Path(__file__).resolve().parents[2]
    return Checkout(root) if (root / "pi05").is_file() else None
