"""Which homes gates are measured in."""

from pathlib import Path

import pytest
from fakes.gate_episodes import gate_episode

from pi05_ros.data.bags.facts import BagError
from pi05_ros.evaluation.gates import episodes as module
from pi05_ros.evaluation.gates.episodes import GateError, gate_episodes, home_of


@pytest.fixture
def folder(monkeypatch):
    """Lets a folder hold given episodes, and one that is still being recorded."""

    def hold(*found, broken=False):
        def opened(path, *, cache, refused):
            if broken:
                refused(Path("new"), BagError("new is still being recorded"))
            return list(found)

        monkeypatch.setattr(module, "open_episodes", opened)
        return Path("there")

    return hold


def test_validation_homes_are_taken_and_open_bags_left_out(folder, caplog):
    first, last = gate_episode("10000"), gate_episode("19999")
    assert gate_episodes(folder(first, last, broken=True)) == [first, last]
    assert "left out new: new is still being recorded" in caplog.text


@pytest.mark.parametrize(
    ("home", "facts", "sentence"),
    [
        ("9999", {}, "home 9999 is for training, wanted homes 10000 to 19999; --any-home"),
        ("10000", {"simulated": False}, "'10000' is no mock home, wanted homes"),
        ("", {}, "'' is no mock home"),
    ],
)
def test_other_homes_are_refused_unless_asked_for(folder, home, facts, sentence):
    episode = gate_episode(home, **facts)
    with pytest.raises(GateError, match=sentence):
        gate_episodes(folder(gate_episode(), episode))
    assert gate_episodes(folder(episode), any_home=True) == [episode]


@pytest.mark.parametrize("any_home", [False, True])
def test_homes_for_judging_are_never_taken(folder, any_home):
    with pytest.raises(GateError, match="home 20000 is for judging only"):
        gate_episodes(folder(gate_episode("20000")), any_home)


def test_nothing_that_can_be_opened(folder):
    with pytest.raises(GateError, match="no episode of there can be opened, the last: new"):
        gate_episodes(folder(broken=True))


def test_episodes_without_a_home_are_homes_of_their_own():
    assert home_of(gate_episode("10004")) == "10004"
    assert home_of(gate_episode("")) == "home"
