"""What an operator may want to say: the platform's vocabulary, and what was said before."""

from __future__ import annotations

from collections.abc import Iterable

from pi05_ros.brain.instructions import clean, comparison_key


class Phrases:
    """Phrases for completion, the newest first, each once.

    Args:
        vocabulary: The platform's, in its own order; they stand behind what was said or heard.
    """

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._vocabulary = tuple(vocabulary)
        self._heard: dict[str, str] = {}  # Compared words → as it was written; newest last.

    def add(self, text: str) -> None:
        """Somebody, a person or the model, said `text` as a subtask."""
        text = clean(text)
        if text:
            self._heard.pop(comparison_key(text), None)
            self._heard[comparison_key(text)] = text

    def all(self) -> list[str]:
        """All of them."""
        found = dict(reversed(self._heard.items()))
        for text in self._vocabulary:
            found.setdefault(comparison_key(text), text)
        return list(found.values())

    def fitting(self, typed: str) -> list[str]:
        """Those in which every word of `typed` begins some word, in order of `all`."""
        wanted = comparison_key(typed).split()
        return [
            text
            for text in self.all()
            if all(
                any(w.startswith(part) for w in comparison_key(text).split()) for part in wanted
            )
        ]
