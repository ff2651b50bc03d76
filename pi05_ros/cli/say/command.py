"""The verb `pi05 say`: speak the robot's next subtask yourself, or hand back to the model."""

from __future__ import annotations

import argparse
import io
import math
import sys
from collections.abc import Sequence

from pi05_ros.brain.instructions import text_problem
from pi05_ros.cli.say.errors import SayError
from pi05_ros.cli.say.phrases import Phrases
from pi05_ros.cli.say.speaker import Speaker
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform, platform_names


def main(arguments: Sequence[str]) -> int:
    """Runs the verb.

    Args:
        arguments: What stands behind `pi05 say`.

    Returns:
        0 when all was said, 1 when something was not taken, 2 for a wrong command line.
    """
    parsed = parser().parse_args(arguments)
    text = " ".join(parsed.text)
    if text and parsed.back:
        print("pi05 say: give a subtask or --back, not both", file=sys.stderr)
        return 2
    if not 0.0 < parsed.wait < math.inf:
        print(f"pi05 say: --wait: wanted a time above 0, found {parsed.wait:g}", file=sys.stderr)
        return 2
    trouble = text_problem(text)
    if trouble:
        print(f"pi05 say: not said: {trouble}", file=sys.stderr)
        return 2
    try:
        names = [parsed.platform] if parsed.platform else platform_names()
        phrases = Phrases(word for name in names for word in load_platform(name).vocabulary)
    except ConfigError as error:
        print(f"pi05 say: {error}", file=sys.stderr)
        return 2
    namespace = "/" + parsed.namespace.strip("/")
    try:
        with Speaker(namespace, phrases.add) as speaker:
            if parsed.text or parsed.back:
                print(speaker.say(text, parsed.wait))
                return 0
            if sys.stdin.isatty():
                from pi05_ros.cli.say import prompt

                speaker.wait_for_subtask(1.0)
                return prompt.run(speaker, phrases)
            return _say_lines(speaker, parsed.wait)
    except SayError as error:
        print(f"pi05 say: {error}", file=sys.stderr)
        return 1


def _say_lines(speaker: Speaker, wait: float) -> int:
    """Says each line of standard input; an empty line hands back."""
    status = 0
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # A line that is no UTF-8 is told so.
    for line in sys.stdin:
        try:
            print(speaker.say(line.strip(), wait), flush=True)
        except SayError as error:
            print(f"pi05 say: {error}", file=sys.stderr)
            status = 1
    return status


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 say",
        description="Speak the robot's next subtask yourself (a verbal instruction). It stands "
        "until you say another one or hand back to the model; the robot follows with its next "
        "action chunk. Without a text: a prompt with history and completion, or, from a pipe, "
        "one subtask a line (an empty line hands back).",
        epilog='example: ./pi05 say "pick up the cup"',
    )
    result.add_argument("text", nargs="*", help="the subtask, one line of at most 256 characters")
    result.add_argument(
        "--back", action="store_true", help='hand back: the model decides again (as does "")'
    )
    result.add_argument(
        "--platform", help="whose vocabulary completes: a name or a YAML file; default: all"
    )
    result.add_argument("--namespace", default="pi05", help="of the suite's nodes; default: pi05")
    result.add_argument(
        "--wait", type=float, default=5.0, help="for the planner, at most [s]; default: 5"
    )
    return result
