"""Fixtures of the tests of nodes."""

import pytest


@pytest.fixture
def graph():
    """Nodes that are spun in the background, in a ROS domain of their own."""
    from fakes.graph import Graph  # Only now: without ROS the tests are skipped, not broken.

    made = Graph()
    yield made
    made.close()
