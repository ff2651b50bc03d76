"""The interactive prompt: history, completion, and the present subtask below it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from prompt_toolkit import PromptSession
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from pi05_ros.cli.say.errors import SayError
from pi05_ros.cli.say.phrases import Phrases
from pi05_ros.cli.say.speaker import Speaker

BACK, QUIT, HELP = "/back", "/quit", "/help"
_HELP = (
    "Type a subtask and press Enter: the robot does that next, until you hand back.\n"
    f"  {BACK}   hand back to the model    {QUIT}   leave (also Ctrl-D)    Tab   complete"
)


class PhraseCompleter(Completer):
    """Completes what was typed to phrases, or to the prompt's own commands."""

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
        """Whole phrases in place of what was typed."""
        typed = document.text_before_cursor
        if typed.startswith("/"):
            fitting = [word for word in (BACK, QUIT, HELP) if word.startswith(typed)]
        else:
            fitting = self._phrases.fitting(typed)
        for text in fitting:
            yield Completion(text, start_position=-len(typed))


def standing_line(message: Any) -> str:
    """The present subtask in one line, and what the model would have said."""
    if message is None:
        return "no subtask was heard yet"
    if not message.text:
        return "no subtask: the robot has nothing to do"
    line = f"{message.text}  ({message.source})"
    if message.source == "human" and (message.model_stamp.sec or message.model_stamp.nanosec):
        said = message.model_text or "the task is done"
        line += f"   the model would have said: {said}"
    return line


def run(speaker: Speaker, phrases: Phrases, **session_arguments: Any) -> int:
    """Asks for subtasks until the operator leaves.

    Args:
        speaker: Says them.
        phrases: For completion.
        **session_arguments: For the PromptSession; tests give their own input and output.

    Returns:
        0.
    """
    session: PromptSession[str] = PromptSession(
        history=_history(),
        completer=PhraseCompleter(phrases),
        complete_while_typing=True,
        auto_suggest=AutoSuggestFromHistory(),
        bottom_toolbar=lambda: standing_line(speaker.standing),
        refresh_interval=0.5,
        **session_arguments,
    )
    print(_HELP)
    while True:
        try:
            text = session.prompt("say> ").strip()
        except (EOFError, KeyboardInterrupt):
            break
        if text == QUIT:
            break
        if text.startswith("/") and text != BACK:
            print(_HELP if text == HELP else f"there is no {text}\n{_HELP}")
        elif text:
            try:
                print(f"  {speaker.say('' if text == BACK else text)}")
            except SayError as error:
                print(f"  {error}")
    standing = speaker.standing
    if standing is not None and standing.source == "human" and standing.text:
        print(f"'{standing.text}' still stands; `./pi05 say --back` hands back to the model")
    return 0


def _history() -> History:
    """What was said on this machine before; in memory only where no file can be kept."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    path = Path(base).expanduser() / "pi05_ros" / "say_history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
