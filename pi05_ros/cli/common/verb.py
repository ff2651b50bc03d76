"""A verb of the command, and the exit status of its errors."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pi05_ros.errors import Pi05Error


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
