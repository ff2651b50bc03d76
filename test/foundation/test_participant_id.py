"""A process that was started anew keeps away from the ports of the one that was killed."""

import re
import socket

import pytest

from pi05_ros.foundation.fastdds import PROFILE_VARIABLE, profile_problem
from pi05_ros.foundation.participant_id import ID_VARIABLE, choose_id, fresh_participant
from pi05_ros.foundation.resources import resource_path

DOMAIN = 101  # Above those that Linux's own choice of ports leaves alone: nobody is there.
PROFILE = resource_path("config/fastdds.xml")
ANEW = resource_path("config/fastdds_anew.xml")


def port(number):
    return 7400 + 250 * DOMAIN + 11 + 2 * number


@pytest.fixture
def taken():
    """Takes ids, as live processes do."""
    sockets = []

    def take(*numbers):
        for number in numbers:
            taker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            taker.bind(("", port(number)))
            sockets.append(taker)

    yield take
    for taker in sockets:
        taker.close()


def leave(folder, *numbers):
    """What the killed processes with these ids left."""
    for number in numbers:
        (folder / f"fastrtps_port{port(number)}").touch()


def test_only_free_ids_are_chosen_and_not_always_the_same(taken, tmp_path, monkeypatch):
    taken(0, 1, 5)
    chosen = set()
    for pid in range(100):
        monkeypatch.setattr("os.getpid", lambda pid=pid: pid)
        chosen.add(choose_id(DOMAIN, tmp_path))
    assert chosen == set(range(28)) - {0, 1, 5}


def test_the_id_of_a_killed_process_is_not_taken(taken, tmp_path, monkeypatch):
    taken(0, 2, 3)
    leave(tmp_path, 0, 1, 2, 3)  # 1 was killed, the others live.
    for pid in range(100):
        monkeypatch.setattr("os.getpid", lambda pid=pid: pid)
        assert choose_id(DOMAIN, tmp_path) in range(4, 28)


def test_when_every_id_had_a_killed_process_one_that_is_free_is_taken(taken, tmp_path):
    taken(0, 1)
    leave(tmp_path, *range(28))
    assert choose_id(DOMAIN, tmp_path) in range(2, 28)


def test_when_none_is_free_fast_dds_decides(taken, tmp_path):
    taken(*range(28))
    assert choose_id(DOMAIN, tmp_path) is None


def test_a_profile_of_the_users_own_is_left_alone(tmp_path):
    for path in ("", str(tmp_path / "fastdds.xml"), str(tmp_path / "other.xml")):
        assert fresh_participant({PROFILE_VARIABLE: path}) == {}
    assert fresh_participant({}) == {}
    assert fresh_participant({PROFILE_VARIABLE: str(PROFILE), "ROS_DOMAIN_ID": "x"}) == {}


def test_the_two_profiles_differ_in_the_id_alone():
    def without(path, *patterns):
        text = path.read_text()
        for pattern in (r"<!--.*?-->", *patterns):
            text = re.sub(pattern, "", text, flags=re.DOTALL)
        return text.split()

    line = r"<participantID>\$\{" + ID_VARIABLE + r"\}</participantID>"
    assert re.search(line, ANEW.read_text())
    assert without(ANEW, line) == without(PROFILE)
    assert profile_problem({PROFILE_VARIABLE: str(ANEW)}) == ""


@pytest.mark.parametrize("domain", ["233", "300", "²", "-1", "x"])
def test_a_domain_that_is_none_is_left_to_rcl(domain):
    environment = {PROFILE_VARIABLE: str(PROFILE), "ROS_DOMAIN_ID": domain}
    assert fresh_participant(environment) == {}
