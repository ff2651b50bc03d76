"""Settings, names and folders of collections."""

import json

import pytest

from pi05_ros.evaluation.collection.settings import (
    ONE_DISH,
    CollectError,
    CollectSettings,
    as_json,
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
    claim_folder(folder, "episodes", as_json(settings))
    claim_folder(folder, "episodes", as_json(settings))
    other = as_json(CollectSettings("mobile_18dof", noise=0.01))
    with pytest.raises(CollectError, match=r"collected with noise 0.0, and 0.01 is wanted"):
        claim_folder(folder, "episodes", other)
    with pytest.raises(CollectError, match="collected with collected 'episodes', and 'scenes'"):
        claim_folder(folder, "scenes", {"sets": 8})
    assert json.loads((folder / "collection.json").read_text())["task"] == settings.task
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "holiday.jpg").touch()
    with pytest.raises(CollectError, match="holds other files"):
        claim_folder(tmp_path / "b", "episodes", as_json(settings))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"max_seconds": 0.0}, "max_seconds"),
        ({"noise": 1.0}, "noise"),
        ({"quality": 0}, "quality"),
    ],
)
def test_wrong_settings(values, message):
    with pytest.raises(ValueError, match=message):
        CollectSettings("mobile_18dof", **values)
