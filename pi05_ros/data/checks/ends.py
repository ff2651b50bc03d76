"""Detection of topics that begin later than the others, or end before them.

A gap lies between two messages. Silence up to the end of a bag has no second message, so a single
topic's series cannot reveal it.
"""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.data.checks.findings import CheckSettings, EpisodeFinding, Severity
from pi05_ros.data.checks.series import Series


def ends_findings(
    series: Sequence[Series], cut_off: bool, settings: CheckSettings
) -> list[EpisodeFinding]:
    """Compare topics that should all have messages from the beginning to the end.

    Args:
        series: The topics; each has at least one message.
        cut_off: Whether recording was cut off, so that some topics lost more of their end.
        settings: The limits.
    """
    if not series:
        return []
    first = {one.topic: min(one.log_ns) for one in series}
    last = {one.topic: max(one.log_ns) for one in series}
    begin, end = min(first.values()), max(last.values())
    found = []
    for topic in first:
        late, early = (first[topic] - begin) * 1e-9, (end - last[topic]) * 1e-9
        if late > settings.max_gap:
            what = f"it came {late:.2f} s later than the others"
            found.append(EpisodeFinding(Severity.WARNING, topic, what))
        if early > settings.max_gap:
            level = Severity.WARNING if cut_off else Severity.ERROR
            what = f"it fell silent {early:.2f} s before the others"
            found.append(EpisodeFinding(level, topic, what))
    return found
