"""The Foxglove layout names topics, fields and frames that both two-armed platforms have."""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from pi05_ros.foundation.resources import resource_path
from pi05_ros.inspection.demand import output_types
from pi05_ros.platforms.description import description_xml
from pi05_ros.platforms.platform import load_platform

ROOT = Path(__file__).parents[1]
LAYOUT = json.loads(resource_path("config/foxglove/pi05.json").read_text())
PANELS = LAYOUT["configById"]
TWO_ARMED = ("mobile_18dof", "mobile_19dof")


def strings(value):
    """Every key and text of a JSON value."""
    if isinstance(value, dict):
        return [text for k, v in value.items() for text in [k, *strings(v)]]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []


def fields_of(message):
    """Names of the fields of a message of pi05_msgs."""
    text = (ROOT / "pi05_msgs" / "msg" / f"{message}.msg").read_text()
    return set(re.findall(r"^[\w/\[\]]+ (\w+) *(?:#.*)?$", text, re.MULTILINE))


def suites_topics():
    """Topic -> message of pi05_msgs, as docs/topics.md lists them."""
    text = (ROOT / "docs" / "topics.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| pi05_msgs/(\w+)[ ,|]", text, re.MULTILINE)
    return {f"/pi05/{name}": message for name, message in rows}


@pytest.mark.parametrize("name", TWO_ARMED)
def test_every_topic_and_field_exists(name):
    own = {f"/pi05/inspector/{output}" for output in output_types(load_platform(name))}
    suite, paths = suites_topics(), [text for text in strings(PANELS) if text.startswith("/")]
    assert len(paths) >= 10
    for path in paths:
        topic, _, field = path.partition(".")
        if topic in suite:
            assert field in fields_of(suite[topic]), path
        else:
            assert topic in own | {"/robot_description"}, path
            assert field == ("data" if topic.endswith("status") else ""), path


@pytest.mark.parametrize("name", TWO_ARMED)
def test_every_frame_exists_and_every_camera_is_shown(name):
    platform = load_platform(name)
    root = ET.fromstring(description_xml(platform, False))
    links = {link.get("name") for link in root.iter("link")} | {platform.odom_frame}
    scene = PANELS["3D!robot"]
    assert scene["followTf"] in links
    assert {layer["frameId"] for layer in scene["layers"].values() if "frameId" in layer} <= links
    shown = {p["imageMode"]["imageTopic"] for k, p in PANELS.items() if k.startswith("Image!")}
    assert shown == {
        f"/pi05/inspector/{camera}/annotated/compressed" for camera in platform.camera_names
    }


def test_every_panel_has_its_place():
    placed = [text for text in strings(LAYOUT["layout"]) if "!" in text]
    assert sorted(placed) == sorted(PANELS)
