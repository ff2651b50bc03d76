"""Mesh files of a URDF: package://, formats that MuJoCo does not read, files that are missing."""

import struct

import numpy as np
import pytest
from fakes.robots import RobotKind, make_robot

from pi05_ros.errors import ConfigError
from pi05_ros.platforms.description import description_path, description_xml
from pi05_ros.platforms.platform import load_platform
from pi05_ros.sim.meshes import with_mesh_files
from pi05_ros.sim.robot import robot_spec

USES = '<mesh filename="package://my_description/meshes/{}" scale="0.1 0.1 0.1"/>'


def write_stl(path, size=1.0):
    """Write a tetrahedron as a binary STL file."""
    corners = size * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = ((0, 2, 1), (0, 1, 3), (0, 3, 2), (1, 2, 3))
    rows = [struct.pack("<12fH", 0, 0, 0, *corners[list(face)].ravel(), 0) for face in faces]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(80) + struct.pack("<I", len(faces)) + b"".join(rows))


def test_meshes_of_a_package_beside_the_robot_are_loaded(tmp_path):
    write_stl(tmp_path / "my_description" / "meshes" / "link.stl")
    platform = make_robot(tmp_path, RobotKind(visual=USES.format("link.stl")))
    model = robot_spec(platform).compile()
    assert model.nmesh == 1
    assert np.ptp(model.mesh_vert, axis=0).max() == pytest.approx(0.12, abs=0.03), "to scale"


def test_meshes_of_one_name_in_two_folders_are_two(tmp_path):
    write_stl(tmp_path / "my_description" / "meshes" / "a" / "link.stl")
    write_stl(tmp_path / "my_description" / "meshes" / "b" / "link.stl", size=3.0)
    platform = make_robot(tmp_path, RobotKind(visual=USES.format("a/link.stl")))
    urdf = tmp_path / "robot.urdf"
    urdf.write_text(urdf.read_text().replace("a/link.stl", "b/link.stl", 1))
    assert robot_spec(platform).compile().nmesh == 2


def test_a_mesh_that_is_missing_is_one_sentence_with_the_remedy(tmp_path):
    platform = make_robot(tmp_path, RobotKind(visual=USES.format("link.stl")))
    said = "package://my_description/meshes/link.stl: the package 'my_description' is not found: "
    with pytest.raises(ConfigError, match=f"^{said}source the workspace .* or put a folder"):
        robot_spec(platform)


def test_what_is_only_seen_may_have_another_format(tmp_path, caplog):
    platform = make_robot(tmp_path, RobotKind(visual=USES.format("link.dae")))
    assert robot_spec(platform).compile().nmesh == 0
    (record,) = [r for r in caplog.records if "not seen in the mock home" in r.getMessage()]
    assert record.levelname == "WARNING" and "link.dae" in record.getMessage()


def test_what_collides_must_be_readable(tmp_path):
    (tmp_path / "my_description" / "meshes").mkdir(parents=True)
    (tmp_path / "my_description" / "meshes" / "link.dae").touch()
    platform = make_robot(tmp_path, RobotKind(visual=USES.format("link.dae")))
    urdf = tmp_path / "robot.urdf"
    urdf.write_text(urdf.read_text().replace("visual>", "collision>"))
    with pytest.raises(ConfigError, match="collision mesh .*link.dae' of link 'arm_link_1' is no"):
        robot_spec(platform)


def test_a_urdf_without_meshes_stays_as_it_is():
    platform = load_platform("mobile_18dof")
    xml = description_xml(platform)
    same, assets = with_mesh_files(xml, description_path(platform))
    assert same is xml and assets == {}
