"""The findings as a page of text."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.bootstrap.doctor.findings import Finding, Status

_SIGNS = {Status.GOOD: "ok", Status.NOTE: "note", Status.MISSING: "MISSING"}
_COLOURS = {Status.GOOD: "32", Status.NOTE: "33", Status.MISSING: "31;1"}


def page(findings: Sequence[Finding], colour: bool) -> str:
    """Lays the findings out in sections with aligned columns, and sums up what to do.

    Args:
        findings: In the order of their topics.
        colour: Whether the reader's terminal shows colours.
    """
    names = max((len(finding.name) for finding in findings), default=0)
    signs = max(map(len, _SIGNS.values()))
    lines, topic = [], ""
    for finding in findings:
        if finding.topic != topic:
            topic = finding.topic
            lines += ["", _painted(topic, "1", colour)]
        sign = _painted(_SIGNS[finding.status].ljust(signs), _COLOURS[finding.status], colour)
        lines.append(f"  {sign}  {finding.name:{names}}  {finding.value}")
        if finding.remedy:
            lines.append(f"  {'':{signs}}  {'':{names}}  > {finding.remedy}")
    missing = [finding for finding in findings if finding.status is Status.MISSING]
    lines.append("")
    if missing:
        names_of = ", ".join(finding.name for finding in missing)
        lines.append(_painted(f"Missing: {names_of}.", "31;1", colour))
    else:
        lines.append(_painted("Nothing that the suite needs is missing.", "32", colour))
    return "\n".join(lines[1:])


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\033[{code}m{text}\033[0m" if colour else text
