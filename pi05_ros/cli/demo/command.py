"""The verb `pi05 demo`: its command line, and its run from the first process to the last file."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.brain.model_options import DTYPES, EXECUTIONS, ModelOptions
from pi05_ros.bringup.options import BRAINS, BringupOptions
from pi05_ros.chunking.settings import AUTO, CHUNK_MODES
from pi05_ros.cli.common.domain import own_domain
from pi05_ros.cli.demo.summary import Asked
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.evaluation.run_record import RunRecord
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.recording.disk import disk_space

TASK = "put the dishes in the sink"
SECONDS = 300.0  # Simulated; the expert needs about half of it.


def main(arguments: Sequence[str]) -> int:
    """Runs the verb.

    Args:
        arguments: What stands behind `pi05 demo`.

    Returns:
        0 when the run took place, whatever its score; 1 when the graph did not come up, a node
        died, no chunk reached the controllers, simulated time stood still, or the robot
        did not stay armed, or stood for a trouble when the time was over; 2 for a wrong
        command line; 130 after Ctrl-C.
    """
    parsed = parser().parse_args(arguments)
    try:
        platform = load_platform(parsed.platform)
        options = BringupOptions.parse(
            {
                "sim": "true",
                "home": parsed.home,
                "brain": parsed.brain,
                "checkpoint": parsed.checkpoint,
                "device": parsed.device,
                "dtype": parsed.dtype,
                "execution": parsed.execution,
                "seed": parsed.seed,
                "chunk_mode": parsed.chunk_mode,
                "task": parsed.task,
                "record": str(parsed.record).lower(),
                "bags": str(Path(parsed.out) / "bags"),
                "console": str(parsed.console).lower(),
                "console_port": "0",  # Two demos may run on one machine.
            }
        )
        if not options.task:
            raise ConfigError("option 'task'", f"say what to do, such as '{TASK}'")
        seconds = _seconds(parsed.seconds)
        bags = Path(options.bags)
        if options.record and (problem := disk_space(bags).problem_at_start):
            raise ConfigError(f"folder '{bags}'", f"{problem}; make room, or take --no-record")
        out = prepare_folder(Path(parsed.out))
        # Imported only now: it needs ROS, and a wrong word should be told at once.
        from pi05_ros.cli.demo.run import Run

        asked = Asked(
            platform=platform.name,
            home=options.home,
            task=options.task,
            brain=options.brain,
            checkpoint=options.checkpoint,
            seed=options.seed,
            seconds=seconds,
        )
    except ConfigError as error:
        print(f"pi05 demo: {error}", file=sys.stderr)
        return 2
    run = Run(platform, options, asked, out, RunRecord())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: run.interrupt())
    try:
        with own_domain():
            return run.main()
    except Pi05Error as error:
        print(f"pi05 demo: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 demo",
        description="A robot in a mock home does one task, over real ROS 2 topics. Writes "
        "summary.json, video.mp4, strip.png, the nodes' logs, a bag and report.html. Ctrl-C ends "
        "it at any time.",
    )

    def add(name: str, default: str, text: str, metavar: str | None = None) -> None:
        result.add_argument(
            f"--{name.replace('_', '-')}",
            default=default,
            metavar=metavar or name.upper(),
            help=f"{text} [default: {default or 'empty'}]",
        )

    add("platform", "mobile_18dof", f"{', '.join(platform_names())}, or the path of a YAML file.")
    add("task", TASK, "What to do.")
    add("home", "0", "Seed of the mock home.")
    add("brain", "expert", "Who plans and acts.", "|".join(BRAINS))
    add("checkpoint", "", "Folder of the model's weights. Empty: nano size, drawn at random.")
    add("seconds", f"{SECONDS:g}", "Simulated time at most [s].")
    add("out", "demo_out", "Folder for the results.")
    add("device", ModelOptions.device, "Where the model runs: cpu, cuda, cuda:1, auto.")
    add("dtype", ModelOptions.dtype, "Numbers of the model.", "|".join(DTYPES))
    add("execution", ModelOptions.execution, "How the model runs.", "|".join(EXECUTIONS))
    add("seed", "0", "Seed of what the model draws at random: noise and tokens.")
    modes = "|".join((AUTO, *CHUNK_MODES))
    add("chunk_mode", AUTO, "How action chunks follow each other.", modes)
    result.add_argument(
        "--record",
        action="store_true",
        default=True,
        help="Record the run as one episode in OUT/bags: a success when all points are reached "
        "[default]",
    )
    result.add_argument(
        "--no-record",
        action="store_false",
        dest="record",
        help="No bag, hence no report.html: sooner and smaller.",
    )
    result.add_argument(
        "--console",
        action="store_true",
        help="Serve the operator's page, to browsers on this machine, on a free port; its address "
        "is told.",
    )
    return result


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not 1.0 <= value <= 86400.0:
        raise ConfigError("option 'seconds'", f"wanted a number from 1 to 86400, found '{text}'")
    return value


def prepare_folder(path: Path) -> Path:
    """Makes the folder for the results, and removes those of an earlier run.

    Raises:
        ConfigError: It cannot be written to.
    """
    try:
        (path / "logs").mkdir(parents=True, exist_ok=True)
        for name in ("summary.json", "video.mp4", "strip.png", "report.html"):
            (path / name).unlink(missing_ok=True)
        for log in (path / "logs").glob("*.log"):
            log.unlink()
    except OSError as error:
        raise ConfigError(
            f"option 'out': {path}", f"cannot be written to ({error.strerror})"
        ) from error
    return path
