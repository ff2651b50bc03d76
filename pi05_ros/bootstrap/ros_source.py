"""Source of ROS 2: a distribution that is set up in the shell, or wheels.

Decisions about an environment and the folders that it names; nothing is run or written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pi05_ros.bootstrap.explain import SetupError

WHEELS_DISTRO = "jazzy"  # The long-term release that requirements/ros-jazzy.txt pins.

# Python packages that underlay/ replaces, and the ROS package of a distribution that has each.
PYTHON_UNDERLAY = {"cv_bridge": "cv_bridge", "tf2_ros": "tf2_ros_py"}
INTERFACE_UNDERLAY = ("control_msgs", "tf2_msgs")


@dataclass(frozen=True)
class RosSource:
    """Source of ROS 2 and of the packages beside it.

    Args:
        distro: Name of the distribution, "jazzy".
        prefixes: Its prefixes and those of the workspaces on top of it (AMENT_PREFIX_PATH),
            without the packages that this checkout builds. Empty with wheels.
        from_wheels: True where ROS 2 is installed as wheels.
    """

    distro: str
    prefixes: tuple[Path, ...]
    from_wheels: bool

    def provides(self, package: str) -> bool:
        """Check whether one of the prefixes holds the ROS package."""
        marker = Path("share/ament_index/resource_index/packages") / package
        return any((prefix / marker).is_file() for prefix in self.prefixes)

    def interface_underlay(self) -> list[str]:
        """Return the interface packages that must be built from underlay/."""
        return [name for name in INTERFACE_UNDERLAY if not self.provides(name)]

    def python_underlay(self) -> list[str]:
        """Return the folders of underlay/ that must be on PYTHONPATH."""
        return [name for name, ros in PYTHON_UNDERLAY.items() if not self.provides(ros)]

    def python_version(self) -> tuple[int, int]:
        """Return (major, minor) of the Python that the distribution's rclpy is built for.

        Raises:
            SetupError: No prefix holds rclpy.
        """
        for prefix in self.prefixes:
            for folder in python_folders(prefix):
                if (folder / "rclpy").is_dir():
                    found = re.search(r"python(\d+)\.(\d+)", str(folder.relative_to(prefix)))
                    if found:
                        return int(found[1]), int(found[2])
        raise SetupError(
            f"ROS_DISTRO={self.distro} is set, but no folder of AMENT_PREFIX_PATH holds rclpy",
            f"source /opt/ros/{self.distro}/setup.bash; or `unset ROS_DISTRO` to use wheels",
        )


def ros_source(environ: Mapping[str, str], own: Path) -> RosSource:
    """Return the source of ROS 2 in an environment.

    Args:
        environ: The caller's environment.
        own: Prefixes below this folder belong to this checkout and are ignored.
    """
    distro = environ.get("ROS_DISTRO", "")
    if not distro:
        return RosSource(WHEELS_DISTRO, (), from_wheels=True)
    named = [Path(p) for p in environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    return RosSource(distro, tuple(p for p in named if own not in p.parents), from_wheels=False)


def python_folders(prefix: Path) -> Iterable[Path]:
    """Yield the folders of Python packages below a prefix, Debian's names included."""
    for pattern in ("lib/python3*/*-packages", "local/lib/python3*/*-packages"):
        yield from sorted(prefix.glob(pattern))
