"""The Fast DDS profile: shipped, big enough, and its absence reported."""

import pytest

from pi05_ros.foundation.fastdds import PROFILE_VARIABLE, profile_problem
from pi05_ros.foundation.resources import resource_path


def test_the_shipped_profile_is_big_enough():
    assert profile_problem({PROFILE_VARIABLE: str(resource_path("config/fastdds.xml"))}) == ""


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "does not exist"),
        ("<dds", "is not XML"),
        ("<dds/>", "no shared-memory segment"),
        ("<dds><segment_size>524288</segment_size></dds>", "no shared-memory segment"),
    ],
)
def test_a_profile_that_does_not_help_is_named(content, reason, tmp_path):
    path = tmp_path / "profile.xml"
    if content is not None:
        path.write_text(content)
    problem = profile_problem({PROFILE_VARIABLE: str(path)})
    assert reason in problem and str(path) in problem and "pictures will be lost" in problem


def test_a_missing_profile_is_reported_and_another_rmw_needs_none():
    assert "no Fast DDS profile is set" in profile_problem({})
    assert profile_problem({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}) == ""
