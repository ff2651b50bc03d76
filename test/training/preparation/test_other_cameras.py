"""Episodes of robots with other cameras, in one mixture."""

from types import SimpleNamespace

from pi05_ros.platforms.platform import load_platform
from pi05_ros.training.preparation import preparation

LOW = ("front", "left_wrist", "right_wrist")


def episode(platform, cameras=None):
    """An episode of a shipped platform; of its cameras, or of others."""
    known = load_platform(platform)
    return SimpleNamespace(
        facts=SimpleNamespace(platform=platform, names=known.names),
        names=known.names,
        cameras=dict.fromkeys(known.camera_names if cameras is None else cameras),
    )


def grouped(episodes, given=(), monkeypatch=None):
    monkeypatch.setattr(preparation, "layout_of", lambda each: each.names)
    return preparation._grouped(episodes, given or LOW, given, level=0)


def test_each_robot_is_a_group_whose_cameras_have_places(monkeypatch):
    names = ("mobile_18dof", "bimanual_14dof", "single_8dof", "mobile_18dof")
    groups = grouped([episode(name) for name in names], monkeypatch=monkeypatch)
    assert [(platform, len(members)) for platform, _, members in groups] == [
        ("mobile_18dof", 2),
        ("bimanual_14dof", 1),
        ("single_8dof", 1),
    ]
    same = {name: name for name in LOW}
    assert [places for _, places, _ in groups] == [
        same,
        same,
        {"scene": "front", "wrist": "left_wrist"},
    ]


def test_a_camera_that_is_missing_leaves_its_place_free(monkeypatch):
    broken = episode("mobile_18dof", ("front", "back", "right_wrist"))
    ((_, places, _),) = grouped([broken], monkeypatch=monkeypatch)
    assert places == {"front": "front", "right_wrist": "right_wrist"}  # "back" does not move up.


def test_cameras_that_the_recipe_gives_are_the_pictures(monkeypatch):
    ((_, places, _),) = grouped(
        [episode("single_8dof")], ("wrist", "scene"), monkeypatch=monkeypatch
    )
    assert places == {"wrist": "wrist", "scene": "scene"}
