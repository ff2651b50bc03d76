"""Settings, names and folders of collections."""

import json

import pytest

from pi05_ros.evaluation.collection.settings import (
    ONE_DISH,
    CollectError,
    CollectSettings,
    check_homes,
    claim_folder,
)
from pi05_ros.sim.homes.kitchen import draw_kitchen


def test_homes_for_evaluation_are_refused():
    check_homes([0, 19_999])
    for homes in ([20_000], [3, 20_004], [-1]):
        with pytest.raises(CollectError, match="wanted homes from 0 to 19999"):
            check_homes(homes)


def test_the_drawn_dish_depends_on_the_seed_alone():
    settings, kitchen = CollectSettings("mobile_18dof", task=ONE_DISH), draw_kitchen(3)
    tasks = [settings.task_in(kitchen, seed) for seed in range(12)]
    assert tasks == [settings.task_in(kitchen, seed) for seed in range(12)]
    assert len(set(tasks)) == 4  # All four dishes are drawn.
    assert set(tasks) == {f"put {dish.phrase} in the sink" for dish in kitchen.dishes}


def test_a_folder_has_one_set_of_settings(tmp_path):
    settings = CollectSettings("mobile_18dof")
    folder = tmp_path / "a"
    claim_folder(folder, "episodes", settings)
    claim_folder(folder, "episodes", settings)
    other = CollectSettings("mobile_18dof", noise=0.01)
    with pytest.raises(CollectError, match=r"collected with noise 0.0, and 0.01 is wanted"):
        claim_folder(folder, "episodes", other)
    with pytest.raises(CollectError, match="collected with collected 'episodes', and 'scenes'"):
        claim_folder(folder, "scenes", settings)
    assert json.loads((folder / "collection.json").read_text())["task"] == settings.task
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "holiday.jpg").touch()
    with pytest.raises(CollectError, match="holds other files"):
        claim_folder(tmp_path / "b", "episodes", settings)


def test_a_folder_of_before_a_setting_existed_had_its_default(tmp_path):
    settings = CollectSettings("mobile_18dof")
    claim_folder(tmp_path / "a", "episodes", settings)
    file = tmp_path / "a" / "collection.json"
    old = json.loads(file.read_text())
    del old["wrong_chunks"], old["picture_rate"]
    file.write_text(json.dumps(old))
    claim_folder(tmp_path / "a", "episodes", settings)
    with pytest.raises(CollectError, match=r"with wrong_chunks 0.0, and 0.05 is wanted"):
        claim_folder(
            tmp_path / "a", "episodes", CollectSettings("mobile_18dof", wrong_chunks=0.05)
        )
    file.write_text(json.dumps({**old, "newer": 1}))
    with pytest.raises(CollectError, match="with newer 1, and None is wanted"):
        claim_folder(tmp_path / "a", "episodes", settings)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_seconds": 0.0}, "max_seconds"),
        ({"noise": 1.0}, "noise"),
        ({"quality": 0}, "quality"),
        ({"picture_rate": -1.0}, "picture_rate"),
    ],
)
def test_wrong_settings(values, message):
    with pytest.raises(ValueError, match=message):
        CollectSettings("mobile_18dof", **values)
