"""ROS domains of tests: each is used by one test at a time, on the whole machine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from pi05_ros.bringup.domain import own_domain

# Discovery needs a while to forget a test's endpoints: one that took the same domain next would
# see controllers, types and heartbeats of the one before.
_recent: deque[int] = deque(maxlen=50)


@contextmanager
def ros_domain() -> Iterator[int]:
    """Take a domain that no process uses and none of the last 50 tests used; yield its id."""
    with own_domain({}, [d for d in range(1, 101) if d not in _recent]) as domain:
        _recent.append(int(domain))
        yield int(domain)
