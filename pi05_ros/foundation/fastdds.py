"""Check that the Fast DDS profile provides enough shared memory for pictures.

The shared-memory segment of Fast DDS holds 512 KiB by default. Pictures do not fit: between a
tenth and nearly all of them are lost without an error. `config/fastdds.xml` raises it to 16 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PROFILE_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
MINIMUM_SEGMENT = 16 * 1024 * 1024  # [byte]


def profile_problem(environment: Mapping[str, str] = os.environ) -> str:
    """Problem of the Fast DDS profile, as one sentence; empty if there is none.

    RMW implementations other than Fast DDS have no such limit.
    """
    rmw = environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if not rmw.startswith("rmw_fastrtps"):
        return ""
    consequence = (
        f"pictures will be lost. Set {PROFILE_VARIABLE} to the suite's config/fastdds.xml "
        "before any node starts (ros2 launch and pi05 up do)"
    )
    path = environment.get(PROFILE_VARIABLE, "")
    if not path:
        return f"no Fast DDS profile is set, so {consequence}"
    if not Path(path).is_file():
        return f"the Fast DDS profile {path} does not exist, so {consequence}"
    # Imported late: every node imports this module, and few check the profile.
    from xml.etree import ElementTree

    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        return f"the Fast DDS profile {path} is not XML ({error}), so {consequence}"
    sizes = [
        int(element.text or 0)
        for element in root.iter()
        if element.tag.rsplit("}", 1)[-1] == "segment_size" and (element.text or "").isdigit()
    ]
    if not sizes or max(sizes) < MINIMUM_SEGMENT:
        return (
            f"the Fast DDS profile {path} gives no shared-memory segment of at least "
            f"{MINIMUM_SEGMENT} bytes, so {consequence}"
        )
    return ""
