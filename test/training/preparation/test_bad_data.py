"""Bad data are refused, or skipped by name, before the first step."""

import dataclasses
import io
import json
import tarfile

import cv2
import numpy as np
import pytest
from fakes.model_bags import PLATFORM, episode_bag
from fakes.planned_bags import planned_bag

from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.errors import ConfigError
from pi05_ros.model.normalization import NormStats
from pi05_ros.training.preparation.preparation import prepare
from pi05_ros.training.recipes.files import load_recipe
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.runs.beginning import begin_checkpoint

UNITS = tuple(str(d.unit) for d in PLATFORM.dimensions)


@pytest.fixture
def bags(tmp_path):
    """Two good episodes, in two homes."""
    for home in ("1", "2"):
        episode_bag(tmp_path / "bags" / f"home_{home}", 120, home=home, outcome="success")
    return tmp_path / "bags"


def recipe(bags, *settings, **kinds) -> Recipe:
    """The second stage of the tiny model on MM alone, and on the sources named beside it."""
    off = [f"sources.{name}.weight=0" for name in ("HL", "WD") if name not in kinds]
    paths = [f"sources.{name}.paths=['{path}']" for name, path in {"MM": bags, **kinds}.items()]
    weights = [f"sources.{name}.weight=1" for name in kinds]
    return load_recipe(
        "smoke_posttrain",
        ["model.preset=tiny", "validation.share=0", *off, *paths, *weights, *settings],
    )


def prepared(made: Recipe, tmp_path, begun=None):
    lines: list[str] = []
    begun = begun or begin_checkpoint(made)
    return prepare(made, begun, CacheFolder(tmp_path / "cache"), lines.append), lines


def test_good_data(bags, tmp_path):
    found, lines = prepared(recipe(bags), tmp_path)
    assert [len(source) > 0 for source in found.sources] == [True]
    assert found.fast[0].chunks == 2 * 71 and not found.fast[0].clipped
    assert any("FAST: fitted to 142 chunks" in line for line in lines)


def test_rows_with_actions_that_are_not_finite_are_not_samples(bags, tmp_path):
    def spoil(actions):
        actions[40:60] = np.nan

    episode_bag(bags / "spoiled", 120, home="3", outcome="success", spoil=spoil)
    good, _ = prepared(recipe(bags), tmp_path)
    (source,) = good.sources
    draw = np.random.default_rng(0)
    seen = 0
    for index in range(len(source)):
        sample = source.sample(index, draw, False)
        assert np.isfinite(sample.actions.numpy()).all()
        seen += "spoiled" in source.where(index)
    assert seen  # Its other rows train.


def test_two_robots_of_one_name_are_refused(bags, tmp_path):
    names = ("elbow", *PLATFORM.names[1:])
    episode_bag(bags / "other", 120, home="3", outcome="success", names=names, own_layout=True)
    with pytest.raises(ConfigError, match="'elbow' for 'left_arm_joint_1'.*another platform name"):
        prepared(recipe(bags), tmp_path)


def test_an_episode_without_rows_is_left_out_by_name(bags, tmp_path):
    episode_bag(bags / "empty", 0, home="3", outcome="success")
    found, lines = prepared(recipe(bags), tmp_path)
    assert any("empty is left out" in line for line in lines), lines
    assert len(found.sources[0])


def test_no_success_is_refused_with_the_reasons(tmp_path):
    for number, outcome in enumerate(("failure", "")):
        episode_bag(tmp_path / "bags" / f"e{number}", 60, outcome=outcome)
    with pytest.raises(ConfigError, match="has weight 0.6 and no episode that trains.*failure"):
        prepared(recipe(tmp_path / "bags"), tmp_path)


def test_unknown_keys_name_the_nearest():
    with pytest.raises(ConfigError, match="flow_sample.*flow_samples"):
        load_recipe("smoke_posttrain", ["batch.flow_sample=2"])
    with pytest.raises(ConfigError, match="weigth.*weight"):
        load_recipe("smoke_posttrain", ["sources.MM.weigth=2"])


def test_an_episode_wider_than_the_model_is_refused(tmp_path):
    names = tuple(f"joint_{i}" for i in range(33))
    facts = {"names": names, "units": ("rad",) * 33, "platform": "wide"}
    episode_bag(tmp_path / "bags" / "wide", 120, outcome="success", own_layout=True, **facts)
    with pytest.raises(ConfigError, match="wide.*has 33 entries, wanted at most the 32"):
        prepared(recipe(tmp_path / "bags"), tmp_path)


def test_statistics_of_another_robot_of_the_name_are_refused(bags, tmp_path):
    made = recipe(bags)
    names = (*PLATFORM.names[:-1], "tail")
    other = NormStats.from_limits(names, UNITS, PLATFORM.lower, PLATFORM.upper)
    begun = dataclasses.replace(begin_checkpoint(made), norm_stats={PLATFORM.name: other})
    with pytest.raises(ConfigError, match="entry 17, found tail.*two robots of one name"):
        prepared(made, tmp_path, begun)


def test_a_source_with_a_weight_and_no_samples_is_refused(bags, tmp_path):
    with pytest.raises(ConfigError, match="sources.VI.*has weight 1 and no samples"):
        prepared(recipe(bags, VI=bags), tmp_path)
    with pytest.raises(ConfigError, match="sources.HL.paths.*there is no file or folder"):
        prepared(recipe(bags, HL=tmp_path / "none"), tmp_path)
    planned_bag(tmp_path / "plans" / "one", outcome="success")
    found, _ = prepared(recipe(bags, HL=tmp_path / "plans"), tmp_path)
    assert [source.name for source in found.sources] == ["MM", "HL"]


def shard(path, broken, count=20):
    """Captioned pictures in a shard, some of them cut off."""
    picture = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    data = cv2.imencode(".jpg", picture)[1].tobytes()
    path.parent.mkdir(exist_ok=True)
    with tarfile.open(path, "w:") as file:
        for index in range(count):
            own = data[:100] if index in broken else data
            caption = json.dumps({"kind": "caption", "answer": "a plate"}).encode()
            for name, content in ((f"{index}.jpg", own), (f"{index}.json", caption)):
                member = tarfile.TarInfo(name)
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))


def test_broken_pictures_of_a_shard_are_found_before_the_first_step(bags, tmp_path):
    shard(tmp_path / "web" / "0.tar", broken=(3, 7))
    web = tmp_path / "web"
    with pytest.raises(ConfigError, match="2 of 20 pictures.*0.tar, key 3"):
        prepared(recipe(bags, WD=web), tmp_path)
    found, lines = prepared(recipe(bags, "max_bad_share=0.1", WD=web), tmp_path)
    named = [line for line in lines if "it will be skipped" in line]
    assert len(named) == 2 and "key 3" in named[0] and "key 7" in named[1]
    assert len(found.sources[1]) == 20
