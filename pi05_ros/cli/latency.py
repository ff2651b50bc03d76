"""The verb `pi05 latency`: latency of action chunks by stage, from a bag or live."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.bringup.options import is_namespace
from pi05_ros.cli.common.ros import ros_packages
from pi05_ros.cli.common.status_line import StatusLine
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.evaluation.latency.bag import read_latency
from pi05_ros.evaluation.latency.plot import save_plot
from pi05_ros.evaluation.latency.statistics import summarize
from pi05_ros.evaluation.latency.table import as_json, as_text

_NAMESPACE = "/pi05"


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 latency`.

    Returns:
        0 when latencies were printed, 1 when there were none, 2 for a wrong command line.
    """
    parsed = parser().parse_args(arguments)
    try:
        namespace = _namespace(parsed.namespace)
        seconds = _seconds(parsed.seconds)
        plot = Path(parsed.plot) if parsed.plot else None
        if plot is not None and not plot.absolute().parent.is_dir():
            raise ConfigError("option 'plot'", f"there is no folder {plot.absolute().parent}")
    except ConfigError as error:
        print(f"pi05 latency: {error}", file=sys.stderr)
        return 2
    line = StatusLine(sys.stderr)
    try:
        if parsed.source == "live":
            namespace = namespace or _NAMESPACE
            with ros_packages():
                from pi05_ros.nodes.latency_listener.latency_listener import listen
            source, log = f"live, {namespace}", listen(namespace, seconds, line.show)
        else:
            path = Path(parsed.source)
            source = path.name or str(path)
            with BagReader(path) as reader:
                log = read_latency(reader, namespace, line.show)
        line.clear()
        summary = summarize(source, log)
        text = json.dumps(as_json(summary), indent=2) if parsed.json else as_text(summary)
        print(text)
        if plot is not None:
            save_plot(summary, plot)
            line.log(f"plot: {plot}")
    except Pi05Error as error:
        print(f"pi05 latency: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 latency",
        description="Print the latency of action chunks by stage, from the picture over "
        "ingestion, queue and model to the first command. See docs/latency.md.",
        epilog="Examples: pi05 latency live --for 20 --plot latency.png; pi05 latency my_bag",
    )
    result.add_argument(
        "source",
        metavar="BAG|live",
        help="a rosbag2 bag (its folder, or a file .mcap or .db3) with action_chunk and "
        "robot_state; or the word live: listen to a running suite",
    )
    result.add_argument(
        "--for",
        dest="seconds",
        default="20",
        metavar="SECONDS",
        help="duration of live listening [s] (default: %(default)s)",
    )
    result.add_argument(
        "--namespace",
        help=f"namespace of the topics (default: live {_NAMESPACE}, in a bag the only one)",
    )
    result.add_argument("--plot", metavar="FILE", help="also write a plot (PNG)")
    result.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return result


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise ConfigError("option 'for'", f"wanted seconds above 0, found '{text}'")
    return seconds


def _namespace(text: str | None) -> str | None:
    """Return the namespace with its leading slash; None: not given."""
    if text is None:
        return None
    if not is_namespace(text):
        raise ConfigError("option 'namespace'", f"'{text}' is no ROS namespace")
    return "/" + text.strip("/")
