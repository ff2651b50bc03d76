"""`pi05 eval gates`: what a checkpoint sees and does at recorded moments of validation homes."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from pi05_ros.brain.model_options import DTYPES
from pi05_ros.brain.options import DESCRIPTIONS
from pi05_ros.cli.common.progress import Progress
from pi05_ros.cli.common.terminal import terminal
from pi05_ros.errors import Pi05Error
from pi05_ros.platforms.platform import Platform

SAMPLES = 400


def gates_parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 eval gates",
        description="Run a checkpoint at moments of recorded episodes of validation homes, and "
        "compare with what was recorded: the place of the named dish, the hand half a second "
        "ahead, the grippers, the subtask, and whether the task is done. Prints a table, and "
        "writes DIR/gates.json.",
        epilog="Example: pi05 homes collect --task dishes --homes 10000-10099 --out validation; "
        "pi05 eval gates runs/a/best --episodes validation --out gates_a",
        allow_abbrev=False,
    )
    result.add_argument(
        "checkpoint",
        metavar="CHECKPOINT",
        help="folder of weights, shipped ones by name (nano), or random:PRESET?seed=N",
    )
    result.add_argument(
        "--episodes",
        type=Path,
        required=True,
        metavar="DIR",
        help="bags that `pi05 homes collect` has recorded in homes 10000 to 19999",
    )
    result.add_argument(
        "--out", type=Path, metavar="DIR", help="folder of gates.json [default: only the table]"
    )
    result.add_argument(
        "--samples",
        type=_count,
        default=SAMPLES,
        metavar="N",
        help="chunks, and as many plans [default: %(default)s]",
    )
    result.add_argument(
        "--any-home",
        action="store_true",
        help="take homes for training and real ones too; such figures say nothing about new homes",
    )
    result.add_argument(
        "--device", default="auto", help=DESCRIPTIONS["device"] + " [default: auto]"
    )
    result.add_argument(
        "--dtype", default="auto", choices=DTYPES, help=DESCRIPTIONS["dtype"] + " [default: auto]"
    )
    return result


def run_gates(parsed: argparse.Namespace) -> int:
    """Measure the gates.

    Returns:
        0 when they were measured, whatever was reached; 1 when something failed; 130 after
        Ctrl-C.
    """
    try:
        lines = _measured(parsed)
    except Pi05Error as error:
        print(f"pi05 eval gates: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\npi05 eval gates: stopped, nothing is written", file=sys.stderr)
        return 130
    for line in lines:
        terminal().print(line, markup=False, soft_wrap=True)
    return 0


def _measured(parsed: argparse.Namespace) -> list[str]:
    """Measure, write, and return the lines to print."""
    # Imported here: torch takes seconds, and other commands of this verb run without.
    from pi05_ros.brain.interface import Brain
    from pi05_ros.brain.model_options import ModelOptions
    from pi05_ros.data.episodes.cache_folder import CacheFolder
    from pi05_ros.evaluation.gates.episodes import gate_episodes
    from pi05_ros.evaluation.gates.grounder import open_grounder
    from pi05_ros.evaluation.gates.measure import measure
    from pi05_ros.evaluation.gates.report import facts_of, table, write
    from pi05_ros.inference.model_brain import ModelBrain

    options = ModelOptions(device=parsed.device, dtype=parsed.dtype, execution="eager")

    def open_brain(platform: Platform) -> Brain:
        return ModelBrain(platform, parsed.checkpoint, options)

    began, cache = time.monotonic(), CacheFolder()
    with Progress("reading episodes") as bar:
        episodes = gate_episodes(parsed.episodes, parsed.any_home, cache)
        grounder = open_grounder(parsed.checkpoint, parsed.device, parsed.dtype)

        def advance(done: int, total: int) -> None:
            bar.describe("moments")
            bar.update(done, total)

        acts = grounder is None or not grounder.only_sees
        measured = measure(
            episodes, open_brain if acts else None, grounder, parsed.samples, cache, advance
        )
    seconds = time.monotonic() - began
    facts = facts_of(parsed.checkpoint, parsed.episodes, episodes, measured, seconds)
    lines = table(facts)
    if parsed.out is not None:
        lines.append(str(write(parsed.out, facts)))
    return lines


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"wanted a whole number from 1, found '{text}'")
    return int(text)
