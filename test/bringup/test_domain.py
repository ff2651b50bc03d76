"""Each demo has a ROS domain of its own."""

import socket
import subprocess
import sys
import tempfile

import pytest

from pi05_ros.bringup import domain
from pi05_ros.bringup.domain import own_domain
from pi05_ros.errors import Pi05Error

UDP_PORTS = domain._udp_ports


@pytest.fixture(autouse=True)
def locks(tmp_path, monkeypatch):
    monkeypatch.setattr(domain, "_udp_ports", lambda: set())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_a_chosen_domain_is_kept():
    environ = {"ROS_DOMAIN_ID": "42", "PI05_CHECKOUT_DOMAIN_ID": "7"}
    with own_domain(environ) as found:
        assert found == environ["ROS_DOMAIN_ID"] == "42"


@pytest.mark.parametrize(
    "environ", [{}, {"ROS_DOMAIN_ID": "7", "PI05_CHECKOUT_DOMAIN_ID": "7"}, {"ROS_DOMAIN_ID": ""}]
)
def test_one_that_nobody_has_chosen_is_drawn(environ, monkeypatch):
    monkeypatch.setattr(domain, "_DOMAINS", range(11, 14))
    with own_domain(environ) as found:
        assert environ["ROS_DOMAIN_ID"] == found
        assert int(found) in range(11, 14)


def test_demos_at_one_time_have_different_ones_and_give_them_back(monkeypatch):
    monkeypatch.setattr(domain, "_DOMAINS", range(1, 3))
    for _ in range(5):
        with own_domain({}) as one, own_domain({}) as two:
            assert {one, two} == {"1", "2"}
            with pytest.raises(Pi05Error, match="each of the ROS domains"), own_domain({}):
                pass


def test_a_domain_in_which_somebody_talks_is_not_drawn(monkeypatch):
    monkeypatch.setattr(domain, "_DOMAINS", range(11, 14))
    monkeypatch.setattr(domain, "_udp_ports", lambda: {10172, 7400 + 250 * 13, 53})
    with own_domain({}) as found:
        assert found == "12"


def test_bound_ports_are_seen():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as used:
        used.bind(("127.0.0.1", 0))
        assert used.getsockname()[1] in UDP_PORTS()


def test_a_killed_demo_gives_its_domain_back(tmp_path, monkeypatch):
    monkeypatch.setattr(domain, "_DOMAINS", range(5, 6))
    code = f"""
import os, tempfile
tempfile.tempdir = {str(tmp_path)!r}
from pi05_ros.bringup import domain
domain._DOMAINS = range(5, 6)
domain._udp_ports = lambda: set()
with domain.own_domain({{}}) as found:
    print(found, flush=True)
    os.kill(os.getpid(), 9)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (-9, "5\n")
    with own_domain({}) as found:
        assert found == "5"
