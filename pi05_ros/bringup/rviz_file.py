"""The RViz file of a robot: its own, that of a shipped platform, or one made for it."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any

import yaml

from pi05_ros.errors import ConfigError
from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.description import load_urdf, platform_file, tool_links
from pi05_ros.platforms.platform import Platform

_TEMPLATE = "config/rviz/mobile_18dof.rviz"


def rviz_file(platform: Platform) -> Path:
    """Path of the file with which RViz is started.

    It is the one that the platform's YAML names, or the suite's of that platform. For another
    robot it is made from the suite's and written below the user's cache folder.

    Raises:
        ConfigError: The named file is missing, or the folder cannot be written.
    """
    if platform.rviz:
        return platform_file(platform, "rviz", platform.rviz)
    try:
        return resource_path(f"config/rviz/{platform.name}.rviz")
    except ConfigError:
        pass  # Not a shipped platform.
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = cache / "pi05_ros" / "rviz" / f"{platform.name.replace('/', '_')}.rviz"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(rviz_content(platform), sort_keys=False))
    except OSError as error:
        raise ConfigError(
            str(path),
            f"cannot be written ({error.strerror}); write rviz: FILE in the platform's file",
        ) from error
    return path


def rviz_content(platform: Platform) -> dict[str, Any]:
    """Content of an RViz file with a robot's frames, odometry and cameras.

    Raises:
        ConfigError: The platform's URDF cannot be read.
    """
    content: dict[str, Any] = yaml.safe_load(resource_path(_TEMPLATE).read_text())
    manager = content["Visualization Manager"]
    manager["Global Options"]["Fixed Frame"] = platform.world_frame
    manager["Views"]["Current"]["Target Frame"] = platform.base_frame
    tools = tool_links(platform, load_urdf(platform)).values()
    displays = []
    images = [d for d in manager["Displays"] if d["Class"].endswith("/Image")]
    for display in manager["Displays"]:
        kind = display["Class"].rpartition("/")[2]
        if kind == "Image":
            continue
        if kind == "Grid":
            display["Reference Frame"] = platform.world_frame
        elif kind == "Odometry":
            display["Topic"]["Value"] = platform.odom_topic
        elif kind == "TF":
            shown = {frame: {"Value": True} for frame in (platform.base_frame, *tools)}
            display["Frames"] = {"All Enabled": False, **shown}
        displays.append(display)
    for camera in platform.camera_names:
        image = copy.deepcopy(images[0])
        image["Name"] = f"{camera.replace('_', ' ').capitalize()} camera"
        image["Topic"]["Value"] = f"/pi05/inspector/{camera}/annotated"
        displays.append(image)
    for panel in content["Panels"]:
        if panel["Class"] == "rviz_common/Time":
            panel["SyncSource"] = displays[-len(platform.cameras)]["Name"]
    manager["Displays"] = displays
    return content
