import shutil

import pytest


@pytest.fixture(scope="session")
def recorded(tmp_path_factory):
    """A bag of 2 s: "pick up the cup" of the model, "pick up the fork" of a human."""
    pytest.importorskip("rclpy")
    from fakes.episode_bags import make_episode_bag

    return make_episode_bag(tmp_path_factory.mktemp("recorded"), 2.0)


@pytest.fixture
def bag(recorded, tmp_path):
    """A copy of it, without labels."""
    return shutil.copytree(recorded, tmp_path / recorded.name)
