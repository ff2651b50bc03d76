"""A verb of the command, and the exit status of its errors."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pi05_ros.errors import Pi05Error, did_you_mean


@dataclass(frozen=True)
class Verb:
    """A verb of the command.

    Args:
        module: Module with its `main`.
        summary: One line for the help page.
    """

    module: str
    summary: str


def run_verb(name: str, main: Callable[[Sequence[str]], int], arguments: Sequence[str]) -> int:
    """Run the `main` of a verb; an error becomes a sentence on stderr.

    Args:
        name: The verb, for messages.
        main: Parses the arguments, does the work and returns the exit status.
        arguments: Command line after the verb.

    Returns:
        The exit status: that of `main`, 1 when something failed, 130 when it was interrupted.
    """
    try:
        status = main(arguments)
        sys.stdout.flush()
        return status
    except Pi05Error as error:
        print(f"pi05 {name}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of the output is gone (`| head`).
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print(f"\npi05 {name}: interrupted", file=sys.stderr)
        return 130
    except OSError as error:
        # A read-only folder, a full disk: the reason of the system, with the file.
        file = error.filename2 or error.filename
        where = f"{file}: " if file else ""
        print(f"pi05 {name}: {where}{error.strerror or error}", file=sys.stderr)
        return 1


def run_group(
    group: str,
    verbs: Mapping[str, Verb],
    arguments: Sequence[str],
    interrupted: str = "interrupted",
) -> int:
    """Run a verb of a group such as `bags`: a module with `add_arguments(parser)` and `run`.

    `run(arguments)` returns 0 for success and 1 when something is wrong. The module is imported
    when it is run.

    Args:
        group: The verb that has these verbs.
        verbs: By name.
        arguments: Command line after the group.
        interrupted: What is said on Ctrl-C.

    Returns:
        The exit status; 2 for a wrong command line, 130 when it was interrupted.
    """
    if not arguments or arguments[0] in ("-h", "--help"):
        print(group_usage(group, verbs))
        return 0
    name, *rest = arguments
    if name not in verbs:
        known = did_you_mean(name, verbs)
        usage = group_usage(group, verbs)
        print(f"pi05 {group}: there is no verb {name!r}{known}\n\n{usage}", file=sys.stderr)
        return 2
    module = importlib.import_module(verbs[name].module)
    parser = argparse.ArgumentParser(
        prog=f"pi05 {group} {name}", description=module.__doc__, allow_abbrev=False
    )
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    module.add_arguments(parser)
    try:
        status: int = module.run(parser.parse_args(rest))
    except KeyboardInterrupt:
        print(f"\npi05 {group} {name}: {interrupted}", file=sys.stderr)
        return 130
    return status


def group_usage(group: str, verbs: Mapping[str, Verb]) -> str:
    """Return the help page of a group."""
    width = max(map(len, verbs))
    table = "\n".join(f"  {name:{width}}  {verb.summary}" for name, verb in verbs.items())
    more = f"`pi05 {group} VERB --help` shows the options of a verb."
    return f"usage: pi05 {group} VERB ...\n\n{table}\n\n{more}"
