"""Keeps a process that was started anew away from the ports of the one that was killed.

Fast DDS gives a participant the lowest id that is free, and its ports follow from the id. A killed
process stays known to all others for up to 20 s; whoever takes its ports meanwhile loses a part
of what they send, and is found after 1 to 3 s in place of 0.1 s (docs/faults.md, row 33).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from pi05_ros.foundation.fastdds import PROFILE_VARIABLE

ID_VARIABLE = "PI05_PARTICIPANT_ID"  # config/fastdds_anew.xml reads it.
_ANEW = "fastdds_anew.xml"
# On one machine, ids above 31 are not looked for. A few are left: Fast DDS goes on to the next
# one when another process takes the same at the same time.
_IDS = range(28)
_LAST_DOMAIN = 232  # The ports of the next would lie above 65535.


def fresh_participant(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the environment lacks for an id that no killed process had; {}: nothing.

    A profile of the user's own is left alone.
    """
    profile = Path(environment.get(PROFILE_VARIABLE, ""))
    anew = profile.with_name(_ANEW) if profile.name == "fastdds.xml" else None
    domain = environment.get("ROS_DOMAIN_ID") or "0"
    if anew is None or not anew.is_file():
        return {}
    if not domain.isdecimal() or int(domain) > _LAST_DOMAIN:
        return {}  # rcl says what is wrong with it.
    chosen = choose_id(int(domain))
    return {} if chosen is None else {PROFILE_VARIABLE: str(anew), ID_VARIABLE: str(chosen)}


def choose_id(domain: int, shared_memory: Path = Path("/dev/shm")) -> int | None:
    """An id that is free and that no process had lately, most likely; None: there is none.

    Not the lowest one, as Fast DDS would: after a kill that is the killed process's.

    Args:
        domain: ROS_DOMAIN_ID.
        shared_memory: Where Fast DDS keeps a file for each port; a killed process's
            stays until another one finds it.
    """
    free = [number for number in _IDS if _is_free(_port(domain, number))]
    clean = [n for n in free if not (shared_memory / f"fastrtps_port{_port(domain, n)}").exists()]
    among = clean or free
    if not among:
        return None
    return among[os.getpid() % len(among)]  # Those that start at once take different ones.


def _port(domain: int, number: int) -> int:
    """The port of a participant's messages (RTPS 2.2, 9.6.1.1)."""
    return 7400 + 250 * domain + 11 + 2 * number


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
