"""Label the subtasks of a recorded episode: on a page, or in the terminal.

Labels are kept in labels.json beside the bag, which itself is not changed; every reader uses them
in place of the recorded subtasks. Times are seconds since the episode's first row. Without an
action the page is served where there is a display, else the terminal asks.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
import threading
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from pi05_ros.cli.common.choose import DEFAULT_FOLDER, bag_of
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.episodes import label_file
from pi05_ros.data.episodes.cache_folder import CacheFolder
from pi05_ros.errors import ConfigError
from pi05_ros.labelling.bags import bag_folder
from pi05_ros.labelling.episode_labels import EpisodeLabels
from pi05_ros.labelling.importing import import_spans


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("bag", metavar="N|PATH", help="number in the list, or path, of an episode")
    parser.add_argument(
        "--folder",
        type=Path,
        default=DEFAULT_FOLDER,
        help="folder of the list that N counts; default: bags",
    )
    parser.add_argument("--show", action="store_true", help="print the labels")
    parser.add_argument(
        "--set",
        nargs=2,
        action="append",
        default=[],
        metavar=("START-END", "SUBTASK"),
        help='label an interval [s]: --set 0-3.2 "pick up the plate"; may be repeated',
    )
    parser.add_argument(
        "--erase",
        action="append",
        default=[],
        metavar="START-END",
        help="leave an interval [s] without a label, also where --set has just labelled it",
    )
    parser.add_argument(
        "--done",
        metavar="SECONDS|no",
        help="a time at which the task was finished [s]; no: remove these marks",
    )
    parser.add_argument(
        "--import",
        dest="source",
        type=Path,
        metavar="FILE",
        help="replace all labels by those of a .csv or .json file: start, end, text, task",
    )
    parser.add_argument(
        "--clear", action="store_true", help="remove the labels: the recorded subtasks are back"
    )
    parser.add_argument("--page", action="store_true", help="serve the page and print its address")
    parser.add_argument(
        "--prompt", action="store_true", help="ask in the terminal; it prints its commands"
    )
    parser.add_argument(
        "--port", type=int, default=0, help="port of the page; default: a free one"
    )
    parser.add_argument(
        "--episode",
        type=int,
        default=1,
        metavar="NUMBER",
        help="number of the episode in an adopted bag with several; default: 1",
    )
    parser.add_argument(
        "--task", default="", help="task of the labels of --set; default: the episode's"
    )
    parser.add_argument(
        "--author",
        default=os.environ.get("USER", ""),
        help="name that is written into the file; default: yours on this machine",
    )


def run(arguments: argparse.Namespace) -> int:
    """Label one episode."""
    try:
        path = bag_of(arguments.bag, arguments.folder)
        edits = [interval_of(text) for text, _ in arguments.set]
        erased = [interval_of(text) for text in arguments.erase]
        done = _done_of(arguments.done)
    except ConfigError as error:
        print(f"pi05 bags label: {error}", file=sys.stderr)
        return 2
    if arguments.clear:
        # Without opening the episode: the file may be broken.
        folder = bag_folder(path)
        gone = label_file.clear(folder)
        what = "labels removed" if gone else "there were no labels"
        terminal().print(f"{folder}: {what}", markup=False)
        return 0
    with Progress(f"reading {path.name}"):
        number = arguments.episode - 1
        labels = EpisodeLabels(path, arguments.author, CacheFolder(), number)
    for reason in labels.unfit:
        print(f"pi05 bags label: a recorded subtask cannot be kept: {reason}", file=sys.stderr)
    changes = bool(edits or erased or arguments.done or arguments.source)
    if arguments.source:
        import_spans(labels, arguments.source)
    for (start, stop), (_, text) in zip(edits, arguments.set, strict=True):
        labels.set(start, end_of(labels, stop), text, arguments.task)
    for start, stop in erased:
        labels.erase(start, end_of(labels, stop))
    if arguments.done == "no":
        labels.unmark_done()
    elif done is not None:
        labels.mark_done(done)
    if changes:
        labels.save()
    if changes or arguments.show:
        show(labels)
    if arguments.prompt or arguments.page or not (changes or arguments.show):
        return _interact(labels, arguments)
    return 0


def interval_of(text: str) -> tuple[float, float]:
    """Parse "0-3.2", or "3.2-end".

    Raises:
        ConfigError: It is no interval.
    """
    start, dash, stop = text.partition("-")
    try:
        found = float(start), math.inf if stop.strip() == "end" else float(stop)
    except ValueError:
        found = math.nan, math.nan
    if not dash or not 0 <= found[0] < found[1]:
        raise ConfigError(f"interval '{text}'", "wanted seconds, START-END: 0-3.2, or 3.2-end")
    return found


def end_of(labels: EpisodeLabels, stop: float) -> float:
    """The end of an interval [s], that of the episode for "end"."""
    return labels.seconds if math.isinf(stop) else stop


def show(labels: EpisodeLabels) -> None:
    """Print the labels, and how much of the episode has one."""
    out = terminal()
    table = Table(title=escape(str(labels.folder)), title_justify="left", pad_edge=False, box=None)
    for name in ("start", "end"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("subtask", "source", "task"):
        table.add_column(name, overflow="fold")
    for span in labels.spans:
        times = (labels.since_begin(time) for time in (span.start_ns, span.stop_ns))
        table.add_row(
            *(f"{time:.2f}" for time in times),
            *(escape(text) for text in (span.text, span.source, span.task)),
        )
    if labels.spans:
        out.print(table)
    out.print(summary(labels), markup=False)


def summary(labels: EpisodeLabels) -> str:
    """One sentence on the labels."""
    count = len(labels.spans)
    state = f"in {label_file.FILE}" if labels.version else "as recorded, no labels beside the bag"
    text = f"{count} label{'' if count == 1 else 's'} {state}"
    if labels.done_ns:
        times = ", ".join(f"{labels.since_begin(time):.2f} s" for time in labels.done_ns)
        text += f"; task done at {times}"
    share = labels.labelled_share()
    return f"{text}; {share:.0%} of the driven rows have one; {labels.seconds:.2f} s in all"


def _done_of(text: str | None) -> float | None:
    if text in (None, "no"):
        return None
    try:
        return float(str(text))
    except ValueError as error:
        raise ConfigError(f"--done '{text}'", "wanted seconds, or no") from error


def _interact(labels: EpisodeLabels, arguments: argparse.Namespace) -> int:
    display = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if arguments.page or (display and not arguments.prompt):
        return _serve(labels, arguments.port)
    from pi05_ros.cli.bags.label_prompt import ask

    return ask(labels)


def _serve(labels: EpisodeLabels, port: int) -> int:
    """Serve the page until Ctrl-C."""
    from pi05_ros.labelling.server import LabelServer

    server = LabelServer(labels, port)
    try:
        print(f"Labels of {labels.episode.facts.id}: open {server.url}\nCtrl-C ends.", flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()
    print(f"\n{labels.folder}: {summary(labels)}", flush=True)
    return 0
