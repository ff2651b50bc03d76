"""The preview image."""

import cv2
import numpy as np
import pytest

from pi05_ros.sim.homes.kitchen import draw_kitchen
from pi05_ros.sim.preview import drawer_from, main, overview_from


def test_it_writes_a_row_of_five_pictures_for_each_home(tmp_path, capsys):
    out = tmp_path / "new" / "homes.png"
    assert main(["--platform", "mobile_19dof", "--home", "5", "6", "--out", str(out)]) == 0
    picture = cv2.imread(str(out))
    assert picture.shape == (480, 480 + 4 * 320, 3)
    assert str(out) in capsys.readouterr().out
    assert np.abs(picture[:240].astype(int) - picture[240:]).mean() > 5, "two different homes"
    assert all(picture[:240, x : x + 300].std() > 5 for x in (0, 490, 810, 1130, 1450))


def test_open_shows_the_drawer_too_and_needs_one(tmp_path, capsys):
    out = tmp_path / "open.png"
    assert main(["--home", "5", "--open", "--out", str(out)]) == 0
    assert cv2.imread(str(out)).shape == (240, 480 + 5 * 320, 3)
    assert main(["--home", "5", "--room", "bedroom", "--open", "--out", str(out)]) == 1
    assert "the bedroom of home 5 has no drawer to open" in capsys.readouterr().err


def test_the_drawer_is_looked_at_from_inside_the_room():
    for seed in range(20):
        kitchen = draw_kitchen(seed)
        eye, target = drawer_from(kitchen)
        x, y = kitchen.walls.pose.local(eye[:2])
        assert kitchen.walls.x[0] < x < 0 and kitchen.walls.y[0] < y < kitchen.walls.y[1]
        middle = kitchen.container("drawer_1").pose
        assert np.hypot(target[0] - middle.x, target[1] - middle.y) < 0.25


def test_the_overview_is_taken_inside_the_room_towards_the_counter():
    for seed in range(20):
        kitchen = draw_kitchen(seed)
        eye, target = overview_from(kitchen)
        x, y = kitchen.walls.pose.local(eye[:2])
        assert kitchen.walls.x[0] < x < kitchen.walls.x[1]
        assert kitchen.walls.y[0] < y < kitchen.walls.y[1]
        assert 0 < kitchen.counters[0].pose.local(target)[0] < kitchen.counters[0].depth


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--home", "-3"], "home -3: a home is a whole number from 0 up"),
        (["--platform", "mobile_18"], "did you mean 'mobile_18dof'"),
    ],
)
def test_a_mistake_is_one_sentence(arguments, sentence, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err
    assert sentence in error and error.count("\n") == 1
