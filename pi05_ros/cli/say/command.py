"""The verb `pi05 say`: give the robot its next subtask, or return control to the model."""

from __future__ import annotations

import argparse
import io
import math
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pi05_ros.brain.instructions import clean, text_problem
from pi05_ros.brain.label_text import label_problem
from pi05_ros.cli.common.ros import ros_packages
from pi05_ros.cli.say.phrases import Phrases
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.platforms.platform import load_platform, platform_names

if TYPE_CHECKING:
    from pi05_ros.nodes.instruct_client.instruct_client import InstructClient


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 say`.

    Returns:
        0 when every subtask was accepted, 1 when one was not, 2 for a wrong command line.
    """
    parsed = parser().parse_args(arguments)
    text = " ".join(parsed.text)
    if text and parsed.back:
        print("pi05 say: give a subtask or --back, not both", file=sys.stderr)
        return 2
    if not 0.0 < parsed.wait < math.inf:
        print(f"pi05 say: --wait: wanted a time above 0, found {parsed.wait:g}", file=sys.stderr)
        return 2
    invalid = text_problem(text) or (label_problem(clean(text)) if clean(text) else "")
    if invalid:
        print(f"pi05 say: not sent: {invalid}", file=sys.stderr)
        return 2
    try:
        names = [parsed.platform] if parsed.platform else platform_names()
        phrases = Phrases(word for name in names for word in load_platform(name).vocabulary)
    except ConfigError as error:
        print(f"pi05 say: {error}", file=sys.stderr)
        return 2
    namespace = "/" + parsed.namespace.strip("/")
    try:
        with ros_packages():
            from pi05_ros.nodes.instruct_client.instruct_client import InstructClient
        with InstructClient(namespace, phrases.add) as client:
            if parsed.text or parsed.back:
                print(client.send(text, parsed.wait))
                return 0
            if sys.stdin.isatty():
                from pi05_ros.cli.say import prompt

                client.wait_for_subtask(1.0)
                return prompt.run(client, phrases)
            return _send_lines(client, parsed.wait)
    except Pi05Error as error:
        print(f"pi05 say: {error}", file=sys.stderr)
        return 1


def _send_lines(client: InstructClient, wait: float) -> int:
    """Send each line of standard input; an empty line returns control to the model."""
    status = 0
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="surrogateescape")  # A line that is no UTF-8 is refused.
    for line in sys.stdin:
        try:
            print(client.send(line.strip(), wait), flush=True)
        except Pi05Error as error:
            print(f"pi05 say: {error}", file=sys.stderr)
            status = 1
    return status


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 say",
        description="Give the robot its next subtask (verbal instruction) in place of the model. "
        "It stays in force until you give another one or return control to the model; the robot "
        "follows with its next action chunk. Without a text: a prompt with history and "
        "completion or, from a pipe, one subtask a line (an empty line returns control).",
        epilog='example: ./pi05 say "pick up the cup"',
    )
    result.add_argument("text", nargs="*", help="the subtask, one line of at most 256 characters")
    result.add_argument(
        "--back", action="store_true", help='return control to the model (so does the text "")'
    )
    result.add_argument(
        "--platform",
        help="robot whose vocabulary the prompt completes: a name or a YAML file; default: all",
    )
    result.add_argument(
        "--namespace", default="pi05", help="namespace of the suite's nodes; default: pi05"
    )
    result.add_argument(
        "--wait", type=float, default=5.0, help="longest wait for the planner [s]; default: 5"
    )
    return result
