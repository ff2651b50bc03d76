"""Edits of spans that do not overlap: what is set last replaces what was there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pi05_ros.data.episodes.label_spans import LabelSpan


def set_span(spans: Sequence[LabelSpan], span: LabelSpan) -> tuple[LabelSpan, ...]:
    """Insert a span; what it overlaps is cut, split or removed."""
    kept = erase(spans, span.start_ns, span.stop_ns)
    return tuple(sorted((*kept, span), key=lambda item: item.start_ns))


def erase(spans: Sequence[LabelSpan], start_ns: int, stop_ns: int) -> tuple[LabelSpan, ...]:
    """Remove the labels from `start_ns` to `stop_ns` (exclusive)."""
    kept: list[LabelSpan] = []
    for span in spans:
        if span.start_ns < min(start_ns, span.stop_ns):
            kept.append(replace(span, stop_ns=min(start_ns, span.stop_ns)))
        if span.stop_ns > max(stop_ns, span.start_ns):
            kept.append(replace(span, start_ns=max(stop_ns, span.start_ns)))
    # A span that the interval does not touch is on one side of it.
    return tuple(kept)
