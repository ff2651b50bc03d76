"""Choice of a DDS participant id whose ports were not used by a killed process.

Fast DDS gives a participant the lowest free id, and its ports follow from the id. Other processes
keep a killed process in their discovery data for up to 20 s. A process that reuses its ports in
that time loses part of its messages, and is discovered after 1 to 3 s instead of 0.1 s
(docs/faults.md, row 33).
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from pi05_ros.foundation.fastdds import PROFILE_VARIABLE

ID_VARIABLE = "PI05_PARTICIPANT_ID"  # config/fastdds_anew.xml reads it.
_ANEW = "fastdds_anew.xml"
# Fast DDS does not discover ids above 31 on one machine. The last few stay unused, because it
# tries the next id when two processes choose the same one at the same time.
_IDS = range(28)
_LAST_DOMAIN = 232  # The ports of the next would lie above 65535.


def fresh_participant(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment variables that select an unused participant id; {}: none.

    A profile of the user's own is left unchanged.
    """
    profile = Path(environment.get(PROFILE_VARIABLE, ""))
    anew = profile.with_name(_ANEW) if profile.name == "fastdds.xml" else None
    domain = environment.get("ROS_DOMAIN_ID") or "0"
    if anew is None or not anew.is_file():
        return {}
    if not domain.isdecimal() or int(domain) > _LAST_DOMAIN:
        return {}  # rcl reports the error.
    chosen = choose_id(int(domain))
    return {} if chosen is None else {PROFILE_VARIABLE: str(anew), ID_VARIABLE: str(chosen)}


def choose_id(domain: int, shared_memory: Path = Path("/dev/shm")) -> int | None:
    """Return an id that is free and probably was not in use recently; None: there is none.

    It is not the lowest one, as Fast DDS would choose: after a kill, that is the id of the killed
    process.

    Args:
        domain: ROS_DOMAIN_ID.
        shared_memory: Folder in which Fast DDS keeps a file for each port; the file of a killed
            process stays until another process removes it.
    """
    free = [number for number in _IDS if _is_free(_port(domain, number))]
    clean = [n for n in free if not (shared_memory / f"fastrtps_port{_port(domain, n)}").exists()]
    among = clean or free
    if not among:
        return None
    return among[os.getpid() % len(among)]  # Processes that start together choose different ids.


def _port(domain: int, number: int) -> int:
    """User-traffic unicast port of a participant (RTPS 2.2, 9.6.1.1)."""
    return 7400 + 250 * domain + 11 + 2 * number


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("", port))
        except OSError:
            return False
    return True
