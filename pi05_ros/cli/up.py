"""The verb `pi05 up`: the node graph as supervised processes, with one log.

Its options are those of `bringup.options`, as for launch and the demo.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from pi05_ros.bringup.default_brain import DEFAULT_TEXT, default_brain
from pi05_ros.bringup.graph import graph
from pi05_ros.bringup.options import BringupOptions, option_table
from pi05_ros.bringup.processes import process_specs
from pi05_ros.bringup.supervisor import GraphError, ProcessSpec, Supervisor
from pi05_ros.bringup.terminal_log import TerminalLog
from pi05_ros.checkpoints.shipped import named_checkpoint
from pi05_ros.checkpoints.storage.files import CheckpointError
from pi05_ros.cli.common.options import add_bringup_options, flag
from pi05_ros.errors import ConfigError
from pi05_ros.platforms.platform import load_platform, platform_names

DESCRIPTION = (
    "Bring up the node graph of a robot, or of a simulated one in a mock home (--sim). "
    "Ctrl-C stops all processes."
)


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 up`.

    Returns:
        0 after Ctrl-C, 1 when the graph went down by itself, 2 for a wrong command line.
    """
    parsed = parser().parse_args(expand_switches(arguments))
    texts = {o.name: getattr(parsed, o.name) for o in option_table()}
    try:
        platform = load_platform(parsed.platform)
        note = ""
        if (texts["sim"] or "").lower() == "true":
            choice = default_brain(platform.name, texts)
            texts |= {"brain": choice.brain, "checkpoint": choice.checkpoint}
            note = choice.note
        options = BringupOptions.parse({n: text for n, text in texts.items() if text is not None})
        if not options.sim and options.brain == "model" and not options.checkpoint:
            note = (
                f"no checkpoint is named, so {named_checkpoint('').name} drives, which has never "
                "seen a real robot; name one with --checkpoint"
            )
        specs = process_specs(graph(platform, options))
    except (CheckpointError, ConfigError) as error:
        print(f"pi05 up: {error}", file=sys.stderr)
        return 2
    if note:
        print(f"pi05 up: {note}")
    return supervise(specs)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 up",
        description=DESCRIPTION,
        epilog="Example: pi05 up mobile_18dof --sim --brain expert --home 3 "
        '--task "put the dishes in the sink"',
    )
    result.add_argument(
        "platform", help=f"{', '.join(platform_names())}, or the path of a platform's YAML file"
    )
    add_bringup_options(result, default_texts={"brain": f"model; with --sim: {DEFAULT_TEXT}"})
    return result


def expand_switches(arguments: Sequence[str]) -> list[str]:
    """Append `=true` to each switch without a value.

    Otherwise argparse would read `up --sim mobile_18dof` as a sim called mobile_18dof.
    """
    switches = {flag(o) for o in option_table() if o.is_switch}
    following = [*arguments[1:], ""]
    return [
        f"{word}=true" if word in switches and after.lower() not in ("true", "false") else word
        for word, after in zip(arguments, following, strict=True)
    ]


def supervise(specs: Sequence[ProcessSpec]) -> int:
    """Run processes with their log on stdout until Ctrl-C, or until the graph goes down.

    Returns:
        0 after Ctrl-C (or SIGTERM, SIGHUP), 1 when the graph went down by itself.
    """
    log = TerminalLog([spec.name for spec in specs], sys.stdout, os.environ)
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
