"""Reasons of failures, from the words of pip, apt, cmake and the compiler."""

import pytest

from pi05_ros.bootstrap.explain import explain

NETWORK = """WARNING: Retrying (Retry(total=0, connect=None, read=None)) after connection broken by
'NewConnectionError('<pip._vendor.urllib3.connection.HTTPSConnection object at 0x7f>: Failed to
establish a new connection: [Errno -3] Temporary failure in name resolution')': /simple/mink/
ERROR: Could not find a version that satisfies the requirement mink==1.3.0 (from versions: none)
ERROR: No matching distribution found for mink==1.3.0"""


@pytest.mark.parametrize(
    ("output", "status", "problem", "fix"),
    [
        (NETWORK, 1, "registry cannot be reached", "network"),
        ("ERROR: [Errno 28] No space left on device", 1, "disk is full", "df -h"),
        ("No matching distribution found for ros-rclpy==7.1.6", 1, "ros-rclpy==7.1.6", "CPython"),
        ("fatal error: Python.h: No such file or directory", 2, "headers", "python3-dev"),
        ("c++: fatal error: Killed signal terminated program cc1plus", 1, "memory", "-j1"),
        ("", -9, "memory", "-j1"),
        ("E: Could not get lock /var/lib/dpkg/lock-frontend.", 100, "Another program", "wait"),
        ("error: could not write: [Errno 13] Permission denied: 'x'", 1, "may not be", "owner"),
    ],
)
def test_the_reason_and_the_fix_are_named(output, status, problem, fix):
    found = explain(output, status)
    assert problem in found[0]
    assert fix in found[1]


def test_what_is_not_known_is_not_guessed():
    assert explain("something never seen", 3) is None
