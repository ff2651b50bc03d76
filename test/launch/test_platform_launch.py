"""launch/platform.launch.py with a robot of a user's own: it comes up, acts, and ends clean."""

import pytest

launch_pytest = pytest.importorskip("launch_pytest")
pytest.importorskip("launch_ros")

from fakes.graph_launch import check_after_the_end, check_while_it_runs, describe  # noqa: E402
from fakes.robots import RobotKind, make_robot  # noqa: E402

# One arm, a head, a differential base, another base frame, no ros2_control tag.
KIND = RobotKind(head=True, tag=False, base_frame="base_footprint")
exits, robot = {}, {}


@launch_pytest.fixture
def graph(package, tmp_path):
    exits.clear()
    robot["file"] = make_robot(tmp_path, KIND).source
    return describe("platform", home=7, exits=exits, platform=robot["file"])


@pytest.mark.launch(fixture=graph)
def test_an_own_robot_comes_up_acts_and_ends_clean():
    check_while_it_runs(robot["file"], exits)
    yield
    check_after_the_end(exits)
