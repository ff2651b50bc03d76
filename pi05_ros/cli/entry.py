"""Entry of `./pi05 VERB`: sets the checkout up, then replaces itself by the verb."""

from __future__ import annotations

import os
import shlex
import signal
import sys
from collections.abc import Mapping, Sequence

from pi05_ros.bootstrap import graphics
from pi05_ros.bootstrap.checkout import Checkout, this_checkout
from pi05_ros.bootstrap.environment import environment
from pi05_ros.bootstrap.explain import SetupError
from pi05_ros.bootstrap.plan import make_ready
from pi05_ros.bootstrap.ros_source import RosSource, ros_source
from pi05_ros.cli import main as cli

# Programs that come with the test tools.
_TOOLS = {"mypy", "pytest", "ruff"}


def main(arguments: Sequence[str]) -> int:
    """Run `./pi05`.

    Returns:
        The exit status, where the verb does not replace this process.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        return cli.main(arguments)
    verb, *rest = arguments
    if verb not in cli.SHELL_VERBS and verb not in cli.VERBS:
        return cli.main(arguments)  # Prints the known verbs.
    checkout = this_checkout()
    assert checkout is not None, "pi05_ros.cli.entry is for checkouts"
    source = ros_source(os.environ, checkout.interfaces)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        missing = make_ready(checkout, source, os.environ, tools=needs_tools(arguments))
    except SetupError as error:
        print(f"\npi05: {error}", file=sys.stderr)
        if verb == "doctor":
            return cli.main(arguments)
        return 1
    except KeyboardInterrupt:
        print(f"\npi05: interrupted. To resume: ./pi05 {shlex.join(arguments)}", file=sys.stderr)
        return 130
    for sentence in missing:
        print(f"\npi05: {sentence}\n", file=sys.stderr)
    return _exec_verb(verb, rest, checkout, source)


def needs_tools(arguments: Sequence[str]) -> bool:
    """Check whether a command line needs the test tools: `./pi05 test`, `./pi05 run pytest`."""
    verb, *rest = arguments
    return verb == "test" or (verb == "run" and not _TOOLS.isdisjoint(rest))


def _exec_verb(verb: str, rest: list[str], checkout: Checkout, source: RosSource) -> int:
    """Replace this process by the verb, in the suite's environment."""
    settings = environment(checkout, source, os.environ, graphics.chosen(checkout))
    if verb == "setup":
        print("pi05: all is set up", file=sys.stderr)
        return 0
    if verb == "env":
        print(exports(settings))
        return 0
    if verb == "run":
        if not rest:
            print("pi05 run: expected a program, as in ./pi05 run python", file=sys.stderr)
            return 2
        command = rest
    else:
        command = [str(checkout.python), "-m", "pi05_ros.cli", verb, *rest]
    os.environ.update(settings)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"pi05 run: {command[0]}: {error.strerror}", file=sys.stderr)
        return 127


def exports(settings: Mapping[str, str]) -> str:
    """Return the settings as lines that a shell can evaluate."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in settings.items())


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
