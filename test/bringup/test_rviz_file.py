"""The RViz file of a robot that does not ship, and of those that do."""

import pytest
import yaml
from fakes.robots import RobotKind, make_robot

from pi05_ros.bringup.graph import graph
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.bringup.rviz_file import rviz_content, rviz_file
from pi05_ros.errors import ConfigError
from pi05_ros.foundation.resources import resource_path
from pi05_ros.platforms.platform import load_platform, robot_names


@pytest.mark.parametrize("name", robot_names())
def test_what_is_made_for_a_shipped_platform_is_what_ships(name):
    platform = load_platform(name)
    shipped = resource_path(f"config/rviz/{name}.rviz")
    assert rviz_content(platform) == yaml.safe_load(shipped.read_text())
    assert rviz_file(platform) == shipped


def test_an_own_robot_gets_a_file_with_its_frames_and_cameras(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    platform = make_robot(tmp_path, RobotKind(base_frame="base_footprint"))
    (spec,) = [s for s in graph(platform, BringupOptions(rviz=True), {}) if s.name == "rviz"]
    path = spec.arguments[1]
    assert path == str(tmp_path / "cache" / "pi05_ros" / "rviz" / "my_robot.rviz")
    with open(path) as file:
        manager = yaml.safe_load(file)["Visualization Manager"]
    assert manager["Views"]["Current"]["Target Frame"] == "base_footprint"
    (tf,) = [d for d in manager["Displays"] if d["Class"].endswith("/TF")]
    assert set(tf["Frames"]) == {"All Enabled", "base_footprint", "gripper_tcp"}
    images = [d["Topic"]["Value"] for d in manager["Displays"] if d["Class"].endswith("/Image")]
    assert images == ["/pi05/inspector/front/annotated", "/pi05/inspector/wrist/annotated"]


def own(tmp_path, **keys):
    """A robot whose YAML has more keys."""
    platform = make_robot(tmp_path)
    with open(platform.source, "a") as file:
        yaml.safe_dump(keys, file)
    return load_platform(platform.source)


def test_files_that_the_yaml_names_lie_beside_it(tmp_path):
    (tmp_path / "mine.rviz").touch()
    (tmp_path / "mine.controllers.yaml").touch()
    platform = own(tmp_path, rviz="mine.rviz", controllers="mine.controllers.yaml")
    specs = {s.name: s for s in graph(platform, BringupOptions(rviz=True, mock_hardware=True), {})}
    assert specs["rviz"].arguments[1] == str(tmp_path / "mine.rviz")
    files = (str(tmp_path / "mine.controllers.yaml"),)
    assert specs["controller_manager"].parameter_files == files
    assert "my_robot" in specs["robot_state_publisher"].parameters["robot_description"]


def test_mock_hardware_without_a_controllers_file_says_what_to_write(tmp_path):
    with pytest.raises(ConfigError, match="my_robot.yaml: mock_hardware needs .*write `controlle"):
        graph(make_robot(tmp_path), BringupOptions(mock_hardware=True), {})
    with pytest.raises(ConfigError, match="controllers: 'gone.yaml' is neither a file beside it"):
        graph(own(tmp_path, controllers="gone.yaml"), BringupOptions(mock_hardware=True), {})
