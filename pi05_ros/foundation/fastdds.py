"""Whether Fast DDS has room for pictures.

Its shared-memory segment holds 512 KiB by default, and pictures do not fit: a tenth to nearly all
of them are lost in silence. `config/fastdds.xml` raises it to 16 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

PROFILE_VARIABLE = "FASTRTPS_DEFAULT_PROFILES_FILE"
MINIMUM_SEGMENT = 16 * 1024 * 1024  # [byte]


def profile_problem(environment: Mapping[str, str] = os.environ) -> str:
    """What is wrong with the Fast DDS profile, as one sentence; empty when nothing is.

    Another RMW implementation than Fast DDS has no such limit.
    """
    rmw = environment.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    if not rmw.startswith("rmw_fastrtps"):
        return ""
    mend = (
        f"pictures will be lost. Set {PROFILE_VARIABLE} to the suite's config/fastdds.xml "
        "before any node starts (ros2 launch and pi05 up do)"
    )
    path = environment.get(PROFILE_VARIABLE, "")
    if not path:
        return f"no Fast DDS profile is set, so {mend}"
    if not Path(path).is_file():
        return f"the Fast DDS profile {path} does not exist, so {mend}"
    # Late: each node imports this module, and few look.
    from xml.etree import ElementTree

    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        return f"the Fast DDS profile {path} is not XML ({error}), so {mend}"
    sizes = [
        int(element.text or 0)
        for element in root.iter()
        if element.tag.rsplit("}", 1)[-1] == "segment_size" and (element.text or "").isdigit()
    ]
    if not sizes or max(sizes) < MINIMUM_SEGMENT:
        return (
            f"the Fast DDS profile {path} gives no shared-memory segment of at least "
            f"{MINIMUM_SEGMENT} bytes, so {mend}"
        )
    return ""
