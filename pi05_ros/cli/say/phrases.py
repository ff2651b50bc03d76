"""Phrases for completion: recent subtasks, then the vocabulary of the platform."""

from __future__ import annotations

from collections.abc import Iterable

from pi05_ros.brain.instructions import clean, comparison_key


class Phrases:
    """Phrases for completion, the newest first, each once.

    Args:
        vocabulary: Subtasks of the platform, in its order; they follow the recent subtasks.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._vocabulary = tuple(vocabulary)
        self._recent: dict[str, str] = {}  # Normalized text → text as written; newest last.

    def add(self, text: str) -> None:
        """Add a subtask of an operator or of the model."""
        text = clean(text)
        if text:
            self._recent.pop(comparison_key(text), None)
            self._recent[comparison_key(text)] = text

    def all(self) -> list[str]:
        """All phrases."""
        found = dict(reversed(self._recent.items()))
        for text in self._vocabulary:
            found.setdefault(comparison_key(text), text)
        return list(found.values())

    def fitting(self, typed: str) -> list[str]:
        """Phrases with a word for each word of `typed` that begins with it, in order of `all`."""
        wanted = comparison_key(typed).split()
        return [
            text
            for text in self.all()
            if all(
                any(w.startswith(part) for w in comparison_key(text).split()) for part in wanted
            )
        ]
