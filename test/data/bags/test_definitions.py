"""Definitions as a bag carries them."""

from pathlib import Path

import pytest
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from pi05_ros.data.bags.definitions import definition, type_hash
from pi05_ros.data.bags.facts import BagError


def installed(root: Path, files):
    """A prefix with .msg files."""
    for name, words in files.items():
        path = root / "share" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(words)
    return [str(root)]


def test_what_a_type_needs_follows_it_once_depth_first_by_name(tmp_path):
    prefixes = installed(
        tmp_path,
        {
            "a_msgs/msg/Top.msg": "b_msgs/Far far\nNear[<=3] near  # other_msgs/No field\n"
            "Near again\nstring<=5 name\nfloat64[9] matrix\nuint8 X=1\nstring S=Near near\n"
            "# Near looks like one\n",
            "a_msgs/msg/Near.msg": "b_msgs/msg/Far[] far\nbool ok",
            "b_msgs/msg/Far.msg": "int32 x",
        },
    )
    rule = "=" * 80
    far = f"\n{rule}\nMSG: b_msgs/msg/Far\nint32 x"
    near = f"\n{rule}\nMSG: a_msgs/Near\nb_msgs/msg/Far[] far\nbool ok{far}"
    top = (tmp_path / "share/a_msgs/msg/Top.msg").read_text()
    # Named in two ways, Far stands there twice, as rosbag2 has it; parsers take either.
    assert definition("a_msgs/msg/Top", prefixes) == (
        f"{top}{near}\n{rule}\nMSG: b_msgs/Far\nint32 x"
    )


@pytest.mark.parametrize(
    "name",
    [
        "sensor_msgs/msg/Image",
        "sensor_msgs/msg/CameraInfo",
        "nav_msgs/msg/Odometry",
        "tf2_msgs/msg/TFMessage",
        "trajectory_msgs/msg/JointTrajectory",
        "diagnostic_msgs/msg/DiagnosticArray",
        "pi05_msgs/msg/Episode",
        "pi05_msgs/msg/ActionChunk",
        "pi05_msgs/msg/Subtask",
        "pi05_msgs/msg/Recording",
    ],
)
def test_the_types_of_an_episode_are_parsed_and_have_the_installed_hash(name):
    store = get_typestore(Stores.EMPTY)
    try:
        store.register(get_types_from_msg(definition(name), name))
    except BagError as error:
        pytest.skip(str(error))
    assert store.hash_rihs01(name) == type_hash(name)


def test_a_type_that_is_not_installed_is_named():
    with pytest.raises(BagError, match=r"the definition of no_msgs/msg/No is not installed"):
        definition("no_msgs/msg/No")
    for wrong in ("../../etc/passwd", "Image", "a/b/c/d", ""):
        with pytest.raises(BagError, match="is not installed"):
            definition(wrong)
    assert type_hash("no_msgs/msg/No") == ""


def test_the_first_prefix_wins(tmp_path):
    first = installed(tmp_path / "first", {"a_msgs/msg/A.msg": "int8 x"})
    second = installed(tmp_path / "second", {"a_msgs/msg/A.msg": "int16 x"})
    assert definition("a_msgs/msg/A", first + second) == "int8 x"
    assert definition("a_msgs/msg/A", second + first) == "int16 x"
