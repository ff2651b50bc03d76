"""Mesh files of a URDF for MuJoCo, which reads neither `package://` nor every format."""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.description import mesh_path
from pi05_ros.platforms.urdf import MESH_FORMATS, is_mesh_format

_LOG = logging.getLogger(__name__)


def with_mesh_files(xml: str, urdf_path: Path) -> tuple[str, dict[str, bytes]]:
    """Return a URDF whose meshes have names of their own, and the files of these names.

    MuJoCo takes `visual/link.stl` and `collision/link.stl` for one mesh, so every file gets
    another name.

    A shape that is only seen and has another format (.dae) is left out, with a warning: nothing
    touches it, and the simulated cameras do not see it. A URDF without meshes stays as it is.

    Args:
        xml: The URDF, without xacro.
        urdf_path: Its file.

    Returns:
        The URDF, and the content of each mesh by its name in it, for MuJoCo's `assets`.

    Raises:
        ConfigError: A mesh is not found, or a collision mesh has another format.
    """
    if "<mesh" not in xml:
        return xml, {}
    files: dict[Path, str] = {}
    robot = ElementTree.fromstring(xml)
    unseen: list[str] = []
    for link in robot.iterfind("link"):
        for shape in (*link.findall("visual"), *link.findall("collision")):
            mesh = shape.find("geometry/mesh")
            if mesh is None:
                continue
            uri = mesh.get("filename", "")
            if shape.tag == "visual" and not is_mesh_format(uri):
                link.remove(shape)
                unseen.append(uri)
                continue
            path = mesh_path(uri, urdf_path).resolve()
            if not is_mesh_format(uri):
                raise ConfigError(
                    str(urdf_path),
                    f"the collision mesh '{uri}' of link '{link.get('name')}' is none of "
                    f"{', '.join(MESH_FORMATS)}: convert it, or use a box, cylinder or sphere",
                )
            mesh.set("filename", files.setdefault(path, f"mesh{len(files)}_{path.name}"))
    if unseen:
        _LOG.warning(
            "%s: %d visual meshes are none of %s and are not seen in the mock home: %s",
            urdf_path,
            len(unseen),
            ", ".join(MESH_FORMATS),
            ", ".join(sorted(set(unseen))),
        )
    try:
        assets = {name: path.read_bytes() for path, name in files.items()}
    except OSError as error:
        raise ConfigError(str(error.filename), f"cannot be read ({error.strerror})") from error
    return ElementTree.tostring(robot, encoding="unicode"), assets
