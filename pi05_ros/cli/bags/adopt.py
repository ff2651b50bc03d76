"""Read recordings of other stacks as episodes, by a mapping of their topics.

    pi05 bags adopt BAG --guess > mapping.yaml     # a first mapping; correct it
    pi05 bags adopt BAG mapping.yaml --dry-run     # what fits, and what is missing
    pi05 bags adopt BAGS mapping.yaml              # a bag, or a folder of bags

The bags are not changed: a file adopted.yaml is written beside their files (or, with --out, in a
folder of links to them), and every verb then reads them as episodes. See docs/foreign_bags.md.

Exit status: 0: every bag was adopted; 1: some were not, and are named.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pi05_ros.cli.common.choose import bags_below
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.foreign.adoption import Adoption, adopt, save_adoption
from pi05_ros.data.foreign.guess import guess_mapping
from pi05_ros.data.foreign.mapping import ForeignMapping, mapping_of
from pi05_ros.data.foreign.survey import Survey, survey
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.foundation.strict_yaml import read_yaml

_USES = 2  # Uses of a topic that are named.


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command line."""
    parser.add_argument("bags", type=Path, metavar="BAG", help="a bag, or a folder of bags")
    parser.add_argument(
        "mapping", type=Path, nargs="?", metavar="MAPPING", help="YAML file of the mapping"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FOLDER",
        help="keep the adopted bags there, as links: for bags that must not get another file",
    )
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    parser.add_argument("--guess", action="store_true", help="print a first mapping of BAG")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Adopt bags; 1 when one does not fit."""
    if arguments.guess == (arguments.mapping is not None):
        print("pi05 bags adopt: wanted MAPPING or --guess", file=sys.stderr)
        return 2
    paths = bags_below(arguments.bags)
    if not paths:
        raise ConfigError(str(arguments.bags), "there is no bag in it")
    if arguments.guess:
        with BagReader(paths[0], as_recorded=True) as reader:
            sys.stdout.write(guess_mapping(reader))
        return 0
    content = read_yaml(arguments.mapping)
    mapping = mapping_of(content, str(arguments.mapping))  # Raises before any bag is read.
    out, failed, documents = terminal(), 0, []
    for path in paths:
        document: dict[str, Any] = {"path": str(path), "problem": ""}
        documents.append(document)
        try:
            adoption = adopt(path, content, str(arguments.mapping))
            where = None
            if not arguments.dry_run:
                where = save_adoption(adoption, path, arguments.out)
            document |= _plain(adoption, where)
            if not arguments.json:
                _show(out, path, adoption, where)
        except Pi05Error as error:
            failed += 1
            document["problem"] = str(error)
            if not arguments.json:
                _show_topics(out, path, mapping)
                print(str(error), file=sys.stderr)
    if arguments.json:
        print(json.dumps(documents, indent=2, ensure_ascii=False))
    return 1 if failed else 0


def _show(out: Console, path: Path, adoption: Adoption, where: Path | None) -> None:
    out.print(_topics(path, adoption.survey))
    table = Table(box=None, pad_edge=False)
    table.add_column("episode", overflow="fold")
    for name in ("seconds", "rows", "with commands", "with a subtask", "pictures"):
        table.add_column(name, justify="right")
    table.add_column("outcome")
    table.add_column("task", overflow="fold")
    for one in adoption.episodes:
        pictures = ", ".join(f"{name} {count}" for name, count in one.pictures.items())
        table.add_row(
            escape(one.span.id),
            f"{one.seconds:.1f}",
            str(one.rows),
            str(one.running),
            str(one.labelled),
            escape(pictures) or "–",
            one.span.outcome or "–",
            escape(one.span.task) or "–",
        )
    out.print(table)
    for note in adoption.notes:
        out.print(f"note: {note}", markup=False)
    out.print(f"adopted: {where}" if where else "fits (nothing was written)", markup=False)


def _show_topics(out: Console, path: Path, mapping: ForeignMapping) -> None:
    """Print the topics of a bag that does not fit, where it can be opened."""
    try:
        with BagReader(path, as_recorded=True) as reader:
            out.print(_topics(path, survey(reader, mapping)))
    except Pi05Error:
        return  # Its error is the one that is printed anyway.


def _topics(path: Path, found: Survey) -> Table:
    table = Table(title=escape(str(path)), title_justify="left", box=None, pad_edge=False)
    table.add_column("topic", overflow="fold")
    table.add_column("type", overflow="fold")
    table.add_column("messages", justify="right")
    table.add_column("rate [Hz]", justify="right")
    table.add_column("used for", overflow="fold")
    for topic in found.topics:
        more = f", … ({len(topic.uses)})" if len(topic.uses) > _USES else ""
        uses = ", ".join(topic.uses[:_USES]) + more
        table.add_row(
            escape(topic.name),
            topic.type,
            str(topic.count),
            f"{topic.rate_hz:.1f}",
            escape(uses) or "[dim]–[/]",
        )
    return table


def _plain(adoption: Adoption, where: Path | None) -> dict[str, Any]:
    return {
        "adopted": str(where) if where else None,
        "topics": [dataclasses.asdict(topic) for topic in adoption.survey.topics],
        "episodes": [dataclasses.asdict(one) for one in adoption.episodes],
        "notes": list(adoption.notes),
    }
