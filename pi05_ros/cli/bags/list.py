"""List the episodes in a folder: task, length, outcome, subtasks and their sources.

Bags that are broken, or were not closed, have a row too; the reason is printed below the table.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from pi05_ros.brain.instructions import clean
from pi05_ros.cli.common.choose import DEFAULT_FOLDER, bags_below
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.bags.overview import BagState, Overview
from pi05_ros.foundation.parallel import map_in_processes
from pi05_ros.labelling.labelled_overview import LabelledOverview, labelled_overview

_COLOURS = {
    BagState.WHOLE: "green",
    BagState.RECOVERED: "yellow",
    BagState.INCOMPLETE: "yellow",
    BagState.RECORDING: "cyan",
    BagState.FOREIGN: "dim",
    BagState.ADOPTED: "green",
    BagState.BROKEN: "red",
}
_FEW = 8  # Bags that are read faster than other processes are started.
_TEXTS = 2  # Subtasks that are shown in full.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument(
        "folders",
        nargs="*",
        type=Path,
        metavar="FOLDER",
        default=[DEFAULT_FOLDER],
        help=f"folder of bags, or a bag (default: {DEFAULT_FOLDER})",
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """List bags; 1 when a folder does not exist."""
    missing = [folder for folder in arguments.folders if not folder.exists()]
    for folder in missing:
        print(f"there is no folder {folder}", file=sys.stderr)
    folders = [folder for folder in arguments.folders if folder.exists()]
    bags = [(folder, bags_below(folder)) for folder in folders]
    everything = [path for _, paths in bags for path in paths]
    found = []
    with Progress("reading bags", len(everything)) as bar:
        for item in map_in_processes(labelled_overview, everything, _FEW, at_once=4):
            found.append(item)
            bar.advance()
    if arguments.json:
        print(json.dumps([_plain(item) for item in found], indent=2, ensure_ascii=False))
        return 1 if missing else 0
    out = terminal()
    for folder, paths in bags:
        if paths:
            items = [item for item in found if item.bag.path in set(paths)]
            out.print(_table(folder, items))
            for number, item in enumerate(items, start=1):
                for problem in filter(None, (item.bag.problem, item.problem)):
                    out.print(f"{number}: {problem}", markup=False)
        else:
            out.print(f"{folder}: no bags", markup=False)
    return 1 if missing else 0


def _table(folder: Path, items: Sequence[LabelledOverview]) -> Table:
    table = Table(title=escape(str(folder)), title_justify="left", pad_edge=False, box=None)
    table.add_column("#", justify="right")
    for name in ("bag", "task"):
        table.add_column(name, overflow="fold")
    table.add_column("length", justify="right", no_wrap=True)
    table.add_column("outcome")
    table.add_column("subtasks", overflow="fold")
    table.add_column("sources")
    table.add_column("size", justify="right", no_wrap=True)
    table.add_column("state", no_wrap=True)
    table.add_column("platform", no_wrap=True)
    for number, labelled in enumerate(items, start=1):
        item = labelled.bag
        facts = item.facts
        table.add_row(
            str(number),
            escape(item.path.name),
            escape(clean(facts.task)) if facts else "",
            f"{int(item.seconds // 60)}:{item.seconds % 60:04.1f}" if item.messages else "–",
            _outcome(item),
            escape(_subtasks(labelled.subtasks)),
            escape(_mix(labelled)),
            _bytes(item.size),
            f"[{_COLOURS[item.state]}]{item.state.value}[/]",
            escape(facts.platform) if facts else "",
        )
    return table


def _outcome(item: Overview) -> str:
    outcome = item.facts.outcome if item.facts else ""
    return {"success": "[green]success[/]", "failure": "[red]failure[/]"}.get(outcome, "–")


def _subtasks(texts: tuple[str, ...]) -> str:
    if not texts:
        return "–"
    more = f", … ({len(texts)})" if len(texts) > _TEXTS else ""
    return ", ".join(clean(text) for text in texts[:_TEXTS]) + more


def _mix(item: LabelledOverview) -> str:
    shares = sorted(item.sources.items(), key=lambda pair: -pair[1])
    text = ", ".join(f"{source} {share:.0%}" for source, share in shares) or "–"
    if item.problem:
        return "broken labels"
    return f"labelled: {text}" if item.labels is not None else text


def _bytes(size: int) -> str:
    if size >= 1e9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{size / 1e3:.0f} kB"


def _plain(labelled: LabelledOverview) -> dict[str, object]:
    """An overview as JSON types."""
    item = labelled.bag
    return {
        "path": str(item.path),
        "state": item.state.value,
        "problem": item.problem,
        "size": item.size,
        "seconds": item.seconds,
        "messages": item.messages,
        "subtasks": list(labelled.subtasks),
        "sources": labelled.sources,
        "labelled": labelled.labels is not None,
        "labels_problem": labelled.problem,
        "facts": None if item.facts is None else item.facts.to_custom_data(),
    }
