"""`pi05 up PLATFORM`: the node graph as supervised processes, with one log."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from pi05_ros.bringup.graph import graph
from pi05_ros.bringup.options import BringupOptions, option_table
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.supervisor import GraphError, ProcessSpec, Supervisor
from pi05_ros.bringup.terminal_log import ConsoleLog
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform, platform_names

DESCRIPTION = "Bring up a robot's node graph, or a mock home's. Ctrl-C stops all of it."


def main(arguments: Sequence[str]) -> int:
    """Runs the verb.

    Args:
        arguments: What stands behind `pi05 up`.

    Returns:
        0 after Ctrl-C, 1 when the graph went down by itself, 2 when it was asked for wrongly.
    """
    parsed = parser().parse_args(spell_out(arguments))
    texts = {o.name: getattr(parsed, o.name) for o in option_table()}
    try:
        platform = load_platform(parsed.platform)
        options = BringupOptions.parse({n: text for n, text in texts.items() if text is not None})
        specs = process_specs(graph(platform, options))
    except ConfigError as error:
        print(f"pi05 up: {error}", file=sys.stderr)
        return 2
    return supervise(specs)


def parser() -> argparse.ArgumentParser:
    """The command line, made from the table of options."""
    result = argparse.ArgumentParser(
        prog="pi05 up",
        description=DESCRIPTION,
        epilog="Example: pi05 up mobile_18dof --sim --brain expert --home 3 "
        '--task "put the dishes in the sink"',
    )
    result.add_argument(
        "platform", help=f"{', '.join(platform_names())}, or the path of a platform's YAML file"
    )
    for option in option_table():
        values = "|".join(option.choices) if option.choices else option.name.upper()
        result.add_argument(
            f"--{option.name.replace('_', '-')}",
            dest=option.name,
            metavar=values,
            nargs="?" if option.is_switch else None,
            const="true" if option.is_switch else None,
            help=f"{option.description} [default: {option.default or 'empty'}]".replace("%", "%%"),
        )
    return result


def spell_out(arguments: Sequence[str]) -> list[str]:
    """Gives each switch that stands alone its value, so that it does not take the next word's.

    Otherwise argparse would read `up --sim mobile_18dof` as a sim called mobile_18dof.
    """
    switches = {f"--{o.name.replace('_', '-')}" for o in option_table() if o.is_switch}
    following = [*arguments[1:], ""]
    return [
        f"{word}=true" if word in switches and after.lower() not in ("true", "false") else word
        for word, after in zip(arguments, following, strict=True)
    ]


def supervise(specs: Sequence[ProcessSpec]) -> int:
    """Runs processes with their log on stdout until Ctrl-C, or until the graph goes down.

    Returns:
        0 after Ctrl-C (or SIGTERM, SIGHUP), 1 when the graph went down by itself.
    """
    log = ConsoleLog([spec.name for spec in specs], sys.stdout, os.environ)
    if log.colour:
        os.environ.setdefault("RCUTILS_COLORIZED_OUTPUT", "1")
    supervisor = Supervisor(specs, on_line=log.line, on_event=log.event)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: supervisor.request_stop())
    supervisor.start()
    try:
        supervisor.run()
    except GraphError as error:
        print(f"pi05 up: {error}", file=sys.stderr)
        return 1
    finally:
        supervisor.stop()
    return 0
