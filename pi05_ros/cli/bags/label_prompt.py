"""The prompt of `bags label`: commands in the terminal, each saved at once."""

from __future__ import annotations

from collections.abc import Callable

from pi05_ros.cli.bags.label import end_of, interval_of, show, summary
from pi05_ros.data.episodes.label_file import LabelConflictError, LabelFileError
from pi05_ros.errors import ConfigError
from pi05_ros.labelling.episode_labels import EpisodeLabels

HELP = """\
  0-3.2 pick up the plate   label an interval [s]; `#4` instead of a text: number 4 of `words`
  erase 3.2-end             leave an interval without a label
  done 12.5, done no        a time at which the task was finished; remove these marks
  show, words, undo, quit   (also Ctrl-D)"""


def ask(labels: EpisodeLabels, read: Callable[[str], str] = input) -> int:
    """Ask for commands until the operator leaves; every change is saved.

    Args:
        labels: The labels.
        read: Shows a prompt and returns a line; EOFError ends.

    Returns:
        0.
    """
    show(labels)
    print(HELP)
    while True:
        try:
            line = read("label> ").strip()
        except (EOFError, KeyboardInterrupt):
            print()
            break
        if line in ("quit", "q", "exit"):
            break
        if line:
            _try(labels, line)
    print(f"{labels.folder}: {summary(labels)}")
    return 0


def _try(labels: EpisodeLabels, line: str) -> None:
    try:
        _do(labels, line)
    except LabelConflictError as error:
        labels.reload()
        print(f"  {error}; it has been read again")
    except (LabelFileError, ConfigError) as error:
        print(f"  {error}")


def _do(labels: EpisodeLabels, line: str) -> None:
    word, _, rest = line.partition(" ")
    rest = rest.strip()
    if word == "show":
        show(labels)
    elif word == "words":
        for number, text in enumerate(labels.vocabulary(), start=1):
            print(f"  #{number} {text}")
    elif word == "undo":
        if not labels.undo():
            print("  there is nothing to undo")
            return
        _save(labels)
    elif word == "erase":
        start, stop = interval_of(rest)
        labels.erase(start, end_of(labels, stop))
        _save(labels)
    elif word == "done":
        if rest == "no":
            labels.unmark_done()
        else:
            labels.mark_done(_seconds(rest))
        _save(labels)
    elif word[0].isdigit() and rest:
        start, stop = interval_of(word)
        labels.set(start, end_of(labels, stop), _text(labels, rest))
        _save(labels)
    else:
        print(HELP)


def _save(labels: EpisodeLabels) -> None:
    labels.save()
    print(f"  saved: {summary(labels)}")


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ConfigError(f"done '{text}'", "wanted seconds, or no") from error


def _text(labels: EpisodeLabels, text: str) -> str:
    """A text, or one of the vocabulary by its number."""
    if not text.startswith("#"):
        return text
    words = labels.vocabulary()
    number = int(text[1:]) if text[1:].isdecimal() else 0
    if not 1 <= number <= len(words):
        raise ConfigError(f"'{text}'", f"wanted #1 to #{len(words)} of `words`")
    return words[number - 1]
