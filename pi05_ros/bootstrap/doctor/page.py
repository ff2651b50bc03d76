"""The results of the checks as a page of text."""

from __future__ import annotations

from collections.abc import Sequence

from pi05_ros.bootstrap.doctor.results import CheckResult, CheckStatus

_SIGNS = {CheckStatus.GOOD: "ok", CheckStatus.NOTE: "note", CheckStatus.MISSING: "MISSING"}
_COLOURS = {CheckStatus.GOOD: "32", CheckStatus.NOTE: "33", CheckStatus.MISSING: "31;1"}


def page(results: Sequence[CheckResult], colour: bool) -> str:
    """Lay the results out in sections with aligned columns, and sum up what is missing.

    Args:
        results: In the order of their topics.
        colour: True where the terminal shows colours.
    """
    names = max((len(result.name) for result in results), default=0)
    signs = max(map(len, _SIGNS.values()))
    lines, topic = [], ""
    for result in results:
        if result.topic != topic:
            topic = result.topic
            lines += ["", _painted(topic, "1", colour)]
        sign = _painted(_SIGNS[result.status].ljust(signs), _COLOURS[result.status], colour)
        lines.append(f"  {sign}  {result.name:{names}}  {result.value}")
        if result.fix:
            lines.append(f"  {'':{signs}}  {'':{names}}  > {result.fix}")
    missing = [result for result in results if result.status is CheckStatus.MISSING]
    lines.append("")
    if missing:
        names_of = ", ".join(result.name for result in missing)
        lines.append(_painted(f"Missing: {names_of}.", "31;1", colour))
    else:
        lines.append(_painted("Nothing that the suite needs is missing.", "32", colour))
    return "\n".join(lines[1:])


def _painted(text: str, code: str, colour: bool) -> str:
    return f"\033[{code}m{text}\033[0m" if colour else text
