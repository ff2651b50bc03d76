"""Who drove which rows, and which spans are interventions."""

import numpy as np
import pytest
from fakes.bags import SECOND
from fakes.episodes import wandering
from fakes.model_bags import BEGAN, PERIOD, PLATFORM, STATE, encode, episode_bag, state

from pi05_ros.data.bags.qos import OfferedQos
from pi05_ros.data.bags.writer import BagTopic
from pi05_ros.data.episodes.bag_episode import BagEpisode
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.data.episodes.episode import (
    CONTROL_NONE,
    CONTROL_POLICY,
    CONTROL_TELEOP,
    MODE_HOLDING,
    DeviceSpan,
)
from pi05_ros.data.episodes.interventions import (
    DrivenSpan,
    Intervention,
    control_source_of,
    device_spans,
    driven_spans,
    interventions,
)

N, P, T = CONTROL_NONE, CONTROL_POLICY, CONTROL_TELEOP
TELEOP = "/pi05/teleop_command"


def driven(*sources, devices=()):
    episode = wandering(len(sources), labels=(), devices=devices)
    episode.control_sources = np.array(sources, np.uint8)
    return episode


def test_spans_cover_all_rows():
    assert driven_spans(driven(N, P, P, T, N)) == (
        DrivenSpan(0, 1, N),
        DrivenSpan(1, 3, P),
        DrivenSpan(3, 4, T),
        DrivenSpan(4, 5, N),
    )
    assert driven_spans(driven()) == ()


def test_an_operator_intervenes_where_the_policy_drove_before_or_after():
    devices = (DeviceSpan(4, 6, "gamepad"),)
    found = interventions(driven(P, N, T, T, N, T, P, T, devices=devices))
    # A hold parts two spans of the operator; the last one is never given back.
    assert found == (
        Intervention(2, 4, ""),
        Intervention(5, 6, "gamepad"),
        Intervention(7, 8, ""),
    )
    assert interventions(driven(T, P)) == (Intervention(0, 1, ""),)


def test_a_demonstration_has_no_interventions():
    assert interventions(driven(N, T, T, N, T)) == ()


def test_devices_are_those_of_the_rows_that_an_operator_drove():
    sources = np.array([T, T, P, T, T, T], np.uint8)
    logs = np.array([10, 20, 30, 40, 50, 60])
    heard = [(15, "leader"), (25, ""), (40, "page"), (55, "gamepad")]
    assert device_spans(sources, logs, heard) == (
        DeviceSpan(1, 2, "leader"),
        DeviceSpan(3, 5, "page"),
        DeviceSpan(5, 6, "gamepad"),
    )
    assert device_spans(sources, logs, []) == ()


@pytest.mark.parametrize(("mode", "wanted"), [(1, P), (2, N), (4, N)])
def test_rows_of_bags_without_the_field_follow_the_policy(mode, wanted):
    from types import SimpleNamespace

    assert control_source_of(SimpleNamespace(mode=mode)) == wanted


def test_a_bag_tells_who_drove(tmp_path):
    def teleop_row(k):
        row = np.zeros(PLATFORM.size)
        return STATE, state(BEGAN + k * PERIOD, row, row, 1, control_source=T), log(k)

    def log(k):
        return BEGAN + k * PERIOD + 2_000_000

    def command(k, device):
        return TELEOP, encode("pi05_msgs/msg/TeleopCommand", device=device), log(k) - 1

    made = episode_bag(
        tmp_path / "e",
        10,
        modes={9: MODE_HOLDING},
        extra=[*(teleop_row(k) for k in (10, 11, 12)), command(11, "leader"), command(12, "")],
        extra_topics=[BagTopic(TELEOP, "pi05_msgs/msg/TeleopCommand", (OfferedQos(),))],
    )
    cache = CacheFolder(tmp_path / "cache", SECOND)
    for episode in (BagEpisode(made.path, cache), BagEpisode(made.path, cache)):
        assert episode.control_sources.tolist() == [P] * 9 + [N, T, T, T]
        assert episode.control_sources.dtype == np.uint8
        assert episode.devices == (DeviceSpan(11, 12, "leader"),)
        assert interventions(episode) == (Intervention(10, 13, "leader"),)
