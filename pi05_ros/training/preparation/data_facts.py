"""What a run trains on, in few words: whether it is the same when the run goes on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

from pi05_ros.training.sources.source import Source


def data_of(sources: Sequence[Source]) -> dict[str, dict[str, Any]]:
    """Return the number of samples of each source, and a hash of their origin.

    The hash is over episodes with their rows and labels, or over the entries of web samples, in
    their order. Where they lie does not count: data may move with a run.
    """
    return {
        source.name: {"samples": len(source), "fingerprint": _hash(source.contents())}
        for source in sources
    }


def _hash(contents: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(contents).encode()).hexdigest()[:12]
