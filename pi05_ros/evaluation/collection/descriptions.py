"""Captions, questions and boxes of a picture, from the truth about what it shows.

The words are about items that are clearly seen. Of an item that is mostly hidden nothing is said,
and nothing that it could contradict: no count and no box of its kind, no answer that it is absent.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pi05_ros.sim.projection import FractionBox

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_PLURALS = ("trousers", "shoes", "scissors", "socks")  # Names of one thing.
_BESIDE = 0.1  # Least distance of two middles for left and right, in picture widths.
_MOST_QUESTIONS = 4  # Of one picture.


@dataclass(frozen=True)
class SeenItem:
    """An item in a picture."""

    label: str  # "cup"
    color: str  # "red"; empty: its kind has one colour, which is not named.
    place: str  # "on the counter", "in the sink", "on the side counter".
    box: FractionBox  # Of the visible part.
    is_clear: bool = True  # False: so little is seen of it that it cannot be named.
    noun: str = ""  # Its name in this room ("red cup" where there are two cups); "": the label.

    @property
    def words(self) -> str:
        """Its name without an article ("red cup")."""
        return f"{self.color} {self.label}".strip()


@dataclass(frozen=True)
class SeenFurniture:
    """A piece of furniture that is clearly seen in a picture."""

    label: str  # "sink"
    box: FractionBox  # Of the visible part.
    state: str = ""  # Of a drawer: "open" or "shut"; "": it has none, or is between the two.


def entries(
    image: str,
    items: Sequence[SeenItem],
    kinds: Collection[str],
    random: np.random.Generator,
    room: str = "",
    furniture: Sequence[SeenFurniture] = (),
) -> list[dict[str, Any]]:
    """Return the entries of one picture, as `training/sources/web` reads them.

    Args:
        image: Name of the picture's file.
        items: Items of which anything is seen.
        kinds: Labels to ask for, among which absent ones are chosen.
        random: Chooses the questions.
        room: What the room is called ("kitchen"); it is named where furniture is seen.
        furniture: Furniture that is clearly seen.

    Returns:
        A caption, boxes where a kind is wholly known, and some questions; [] when nothing is
        clearly seen.
    """
    clear = [item for item in items if item.is_clear]
    if not clear and not furniture:
        return []
    answer = caption(clear) if clear else _listed([_article(f.label) for f in furniture])
    if room and furniture:
        answer = f"{_article(room)} with {answer}"
    found: list[dict[str, Any]] = [{"kind": "caption", "answer": answer}]
    known = known_kinds(items)
    boxed = [(item.noun or item.label, item.box) for item in clear if item.label in known]
    boxed += [(piece.label, piece.box) for piece in furniture]
    boxes = [{"label": label, "box": [round(value, 4) for value in box]} for label, box in boxed]
    if boxes:
        found.append({"kind": "boxes", "boxes": boxes})
    asked = [*questions(items, kinds), *furniture_questions(furniture, room)]
    # Most kinds are absent from a picture: "no" is the answer to one question at most.
    absent = [pair for pair in asked if pair[1] == "no"]
    present = [pair for pair in asked if pair[1] != "no"]
    chosen = _drawn(absent, 1, random) + _drawn(present, _MOST_QUESTIONS - 1, random)
    found += [
        {"kind": "question", "question": question, "answer": answer} for question, answer in chosen
    ]
    return [{"image": image, **entry} for entry in found]


def _drawn(
    pairs: Sequence[tuple[str, str]], most: int, random: np.random.Generator
) -> list[tuple[str, str]]:
    """Draw at most so many of the pairs, and return them in their order."""
    return [pairs[index] for index in sorted(random.permutation(len(pairs))[:most].tolist())]


def known_kinds(items: Sequence[SeenItem]) -> set[str]:
    """Return the labels of which every item that is seen is clearly seen."""
    return {item.label for item in items} - {item.label for item in items if not item.is_clear}


def caption(clear: Sequence[SeenItem]) -> str:
    """Describe items by place, from left to right."""
    places = list(dict.fromkeys(item.place for item in _from_left(clear)))
    parts = []
    for place in places:
        there = [item for item in _from_left(clear) if item.place == place]
        words = list(dict.fromkeys(item.words for item in there))
        counts = {word: sum(item.words == word for item in there) for word in words}
        parts.append(f"{_listed([_counted(word, counts[word]) for word in words])} {place}")
    return ", ".join(parts)


def questions(items: Sequence[SeenItem], kinds: Collection[str]) -> list[tuple[str, str]]:
    """Return all questions that have one right answer, each with it."""
    clear = [item for item in _from_left(items) if item.is_clear]
    known = known_kinds(items)
    found = []
    labels = list(dict.fromkeys(item.label for item in clear if item.label in known))
    for label in labels:
        those = [item for item in clear if item.label == label]
        if not _is_plural(label):
            found.append((f"how many {_plural(label)} are there?", _number(len(those))))
        if len(those) == 1:
            found.append((_is_there(label), "yes"))
            if those[0].color:
                found.append((f"what colour {_be(label)} the {label}?", those[0].color))
    found += [
        (_is_there(kind), "no")
        for kind in sorted(kinds)
        if all(item.label != kind for item in items)
    ]
    named = [item for item in clear if item.label in known and _is_single(item, clear)]
    found += [(f"where {_be(item.words)} the {item.words}?", item.place) for item in named]
    for item in named:
        for other in named:
            offset = _middle(item) - _middle(other)
            if item is other or abs(offset) < _BESIDE:
                continue
            which = f"the {item.words} left or right of the {other.words}"
            found.append((f"{_be(item.words)} {which}?", "left" if offset < 0 else "right"))
    return found


def furniture_questions(furniture: Sequence[SeenFurniture], room: str) -> list[tuple[str, str]]:
    """Return the questions about furniture, each with its answer."""
    if not furniture:
        return []
    found = [("which room is this?", _article(room))] if room else []
    found += [(_is_there(piece.label), "yes") for piece in furniture]
    found += [
        (f"is the {piece.label} open or shut?", piece.state) for piece in furniture if piece.state
    ]
    return found


def _from_left(items: Sequence[SeenItem]) -> list[SeenItem]:
    return sorted(items, key=_middle)


def _middle(item: SeenItem) -> float:
    return (item.box[0] + item.box[2]) / 2


def _is_single(item: SeenItem, clear: Sequence[SeenItem]) -> bool:
    """Check whether the item's words name it alone."""
    return sum(other.words == item.words for other in clear) == 1


def _counted(words: str, count: int) -> str:
    return _article(words) if count == 1 else f"{_number(count)} {_plural(words)}"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)


def _is_plural(words: str) -> bool:
    """Check whether a name is a plural that stands for one thing ("red trousers")."""
    return words.rpartition(" ")[2] in _PLURALS and " of " not in words


def _be(words: str) -> str:
    return "are" if _is_plural(words) else "is"


def _is_there(words: str) -> str:
    return f"{_be(words)} there {_article(words)}?"


def _article(words: str) -> str:
    if _is_plural(words):
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _plural(words: str) -> str:
    first, of, rest = words.partition(" of ")
    if of:
        return f"{_plural(first)} of {rest}"
    if _is_plural(words):
        return words
    if words.endswith(("s", "sh", "ch", "x")):
        return f"{words}es"
    return f"{words[:-2]}ves" if words.endswith("knife") else f"{words}s"


def _listed(words: Sequence[str]) -> str:
    if len(words) == 1:
        return words[0]
    return f"{', '.join(words[:-1])} and {words[-1]}"
