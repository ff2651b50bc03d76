"""The verb `pi05 latency`: where the time of action chunks goes, from a bag or live."""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.cli.common.live_line import LiveLine
from pi05_ros.cli.latency_live import listen
from pi05_ros.data.bags.facts import BagError
from pi05_ros.errors import ConfigError
from pi05_ros.evaluation.latency.bag import read_bag
from pi05_ros.evaluation.latency.errors import LatencyError
from pi05_ros.evaluation.latency.plot import save_plot
from pi05_ros.evaluation.latency.statistics import summarize
from pi05_ros.evaluation.latency.table import as_json, as_text

_NAMESPACE = "/pi05"


def main(arguments: Sequence[str]) -> int:
    """Runs the verb.

    Args:
        arguments: What stands behind `pi05 latency`.

    Returns:
        0 when there was something to tell, 1 when there was not, 2 for a wrong command line.
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
    line = LiveLine(sys.stderr)
    try:
        if parsed.source == "live":
            source = f"live, {namespace or _NAMESPACE}"
            lives = listen(namespace or _NAMESPACE, seconds, line.show)
        else:
            path = Path(parsed.source)
            source = path.name or str(path)
            lives = read_bag(path, namespace, line.show)
        summary = summarize(source, lives)
        text = json.dumps(as_json(summary), indent=2) if parsed.json else as_text(summary)
        print(text)
        if plot is not None:
            save_plot(summary, plot)
            line.say(f"plot: {plot}")
    except (BagError, LatencyError) as error:
        print(f"pi05 latency: {error}", file=sys.stderr)
        return 1
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 latency",
        description="Where the time of action chunks goes: from the picture over ingestion, queue "
        "and model to the first command. See docs/latency.md.",
    )
    result.add_argument(
        "source",
        metavar="BAG|live",
        help="a rosbag2 bag (its folder, or a file .mcap or .db3) with action_chunk and "
        "robot_state; or the word live, to listen to a running suite",
    )
    result.add_argument(
        "--for",
        dest="seconds",
        default="20",
        metavar="SECONDS",
        help="listen live for so long (default: %(default)s)",
    )
    result.add_argument(
        "--namespace",
        help=f"of the suite's topics (default: live {_NAMESPACE}, in a bag the only one)",
    )
    result.add_argument("--plot", metavar="FILE", help="save a picture of it (PNG)")
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
    """With its leading slash; None: not given."""
    if text is None:
        return None
    if not re.fullmatch(r"/?|/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", text, re.ASCII):
        raise ConfigError("option 'namespace'", f"'{text}' is no ROS namespace")
    return "/" + text.strip("/")
