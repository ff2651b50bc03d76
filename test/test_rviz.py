"""The RViz files name topics and frames that the platform really has."""

import xml.etree.ElementTree as ET

import pytest
import yaml

from pi05_ros.foundation.resources import resource_path
from pi05_ros.inspection.demand import output_types
from pi05_ros.inspection.shapes import NAMESPACES
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import load_platform, robot_names


def load(platform):
    return yaml.safe_load(resource_path(f"config/rviz/{platform}.rviz").read_text())


def displays(platform, kind):
    shown = load(platform)["Visualization Manager"]["Displays"]
    return [d for d in shown if d["Class"] == f"rviz_default_plugins/{kind}"]


def inspectors(name):
    """What the inspector publishes; test_inspector.py holds the node to it."""
    return {f"/pi05/inspector/{output}": kind for output, kind in output_types(name).items()}


@pytest.mark.parametrize("name", robot_names())
def test_every_camera_is_shown_annotated(name):
    images, platform = displays(name, "Image"), load_platform(name)
    wanted = [f"/pi05/inspector/{camera}/annotated" for camera in platform.camera_names]
    assert [d["Topic"]["Value"] for d in images] == wanted
    for display in images:
        assert inspectors(platform)[display["Topic"]["Value"]] == "sensor_msgs/msg/Image"
        # A best-effort subscription takes reliable and best-effort publishers alike.
        assert display["Topic"]["Reliability Policy"] == "Best Effort"
        assert display["Enabled"]


@pytest.mark.parametrize("name", robot_names())
def test_the_inspectors_markers_are_shown_and_each_kind_can_be_switched(name):
    (markers,) = displays(name, "MarkerArray")
    topic = markers["Topic"]["Value"]
    assert inspectors(load_platform(name))[topic] == "visualization_msgs/msg/MarkerArray"
    assert markers["Enabled"]
    assert markers["Namespaces"] == dict.fromkeys(NAMESPACES, True)


@pytest.mark.parametrize("name", robot_names())
def test_every_topic_is_one_of_the_graph(name):
    platform = load_platform(name)
    valid = {topic for topic in inspectors(platform) if "compressed" not in topic}
    valid -= {"/pi05/inspector/status"}
    valid |= {"/robot_description", platform.odom_topic}
    found = set()
    for display in load(name)["Visualization Manager"]["Displays"]:
        found |= {v["Value"] for k, v in display.items() if k in ("Topic", "Description Topic")}
    assert found == valid


@pytest.mark.parametrize("name", robot_names())
def test_every_frame_is_one_of_the_robot(name):
    platform = load_platform(name)
    links = {
        link.get("name") for link in ET.fromstring(description_xml(platform, False)).iter("link")
    }
    manager = load(name)["Visualization Manager"]
    assert manager["Global Options"]["Fixed Frame"] == platform.odom_frame
    assert manager["Views"]["Current"]["Target Frame"] == platform.base_frame
    (tf,) = displays(name, "TF")
    assert set(tf["Frames"]) - {"All Enabled"} <= links
    (robot,) = displays(name, "RobotModel")
    # robot_state_publisher latches the description: a volatile subscription could miss it.
    assert robot["Description Topic"]["Durability Policy"] == "Transient Local"
    assert {camera.frame for camera in platform.cameras} <= links


@pytest.mark.parametrize("name", robot_names())
def test_the_clock_follows_a_display_that_exists(name):
    content = load(name)
    (time,) = [p for p in content["Panels"] if p["Class"] == "rviz_common/Time"]
    shown = {d["Name"] for d in content["Visualization Manager"]["Displays"]}
    assert time["SyncSource"] in shown
