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

from pi05_ros.cli.say.phrases import Phrases
from pi05_ros.nodes.instruct_client.instruct_client import InstructClient, InstructError

BACK, QUIT, HELP = "/back", "/quit", "/help"
_HELP = (
    "Type a subtask and press Enter: the robot does that next, until you return control.\n"
    f"  {BACK}   return control to the model    {QUIT}   leave (also Ctrl-D)    Tab   complete"
)


class PhraseCompleter(Completer):
    """Completes the typed text to phrases, or to the commands of the prompt."""

    def __init__(self, phrases: Phrases) -> None:
        self._phrases = phrases

    def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
        """Whole phrases that replace the typed text."""
        typed = document.text_before_cursor
        if typed.startswith("/"):
            fitting = [word for word in (BACK, QUIT, HELP) if word.startswith(typed)]
        else:
            fitting = self._phrases.fitting(typed)
        for text in fitting:
            yield Completion(text, start_position=-len(typed))


def subtask_line(message: Any) -> str:
    """The present subtask in one line, and the one that the model would have chosen."""
    if message is None:
        return "no subtask has been received yet"
    if not message.text:
        return "no subtask: the robot has nothing to do"
    line = f"{message.text}  ({message.source})"
    if message.source == "human" and (message.model_stamp.sec or message.model_stamp.nanosec):
        choice = message.model_text or "the task is done"
        line += f"   the model would have chosen: {choice}"
    return line


def run(client: InstructClient, phrases: Phrases, **session_arguments: Any) -> int:
    """Ask for subtasks until the operator leaves.

    Args:
        client: Sends them.
        phrases: Phrases for completion.
        **session_arguments: For the PromptSession; tests pass their own input and output.

    Returns:
        0.
    """
    session: PromptSession[str] = PromptSession(
        history=_history(),
        completer=PhraseCompleter(phrases),
        complete_while_typing=True,
        auto_suggest=AutoSuggestFromHistory(),
        bottom_toolbar=lambda: subtask_line(client.subtask),
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
                print(f"  {client.send('' if text == BACK else text)}")
            except InstructError as error:
                print(f"  {error}")
    subtask = client.subtask
    if subtask is not None and subtask.source == "human" and subtask.text:
        print(f"'{subtask.text}' stays in force; `./pi05 say --back` returns control to the model")
    return 0


def _history() -> History:
    """Earlier subtasks of this machine; in memory only where no file can be written."""
    base = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    path = Path(base).expanduser() / "pi05_ros" / "say_history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(path))
