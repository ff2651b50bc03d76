"""The verb `pi05 demo`: a simulated robot does one task, recorded as bag, video and report."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pi05_ros.bringup.default_brain import DEFAULT_TEXT, default_brain
from pi05_ros.bringup.domain import own_domain
from pi05_ros.bringup.options import BringupOptions
from pi05_ros.checkpoints.shipped import named_checkpoint
from pi05_ros.checkpoints.storage.files import CheckpointError
from pi05_ros.cli.common.options import add_bringup_options
from pi05_ros.cli.common.status_line import StatusLine
from pi05_ros.demo.out_folder import prepare_folder
from pi05_ros.demo.summary import DemoRequest
from pi05_ros.errors import ConfigError, Pi05Error
from pi05_ros.evaluation.run_record import RunRecord
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.recording.disk import disk_space
from pi05_ros.sim.tasks.registry import DISHES, TASKS

TASK = DISHES.text
SECONDS = 300.0  # Simulated; the expert needs about half of it.
# Options of the graph that the demo takes.
_OPTIONS = (
    "home",
    "difficulty",
    "brain",
    "checkpoint",
    "device",
    "dtype",
    "execution",
    "seed",
    "chunk_mode",
    "task",
)
_DEFAULTS = {"task": TASK}
_DESCRIPTIONS = {
    "task": "Task for the robot, by text or name; the home is the room that it needs: "
    + ", ".join(f'{name} ("{task.text}")' for name, task in TASKS.items())
    + "."
}


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 demo`.

    Returns:
        0 when the run took place, whatever its score; 1 when the graph did not come up, a node
        died, no chunk reached the controllers, simulated time stood still, or the robot
        did not stay armed, or was not moving for a trouble when the time was over; 2 for a wrong
        command line; 130 after Ctrl-C.
    """
    parsed = parser().parse_args(arguments)
    texts = {name: getattr(parsed, name) for name in _OPTIONS}
    try:
        platform = load_platform(parsed.platform)
        choice = default_brain(platform.name, texts)
        texts |= {"brain": choice.brain, "checkpoint": choice.checkpoint}
        options = BringupOptions.parse(
            {
                **{name: text for name, text in texts.items() if text is not None},
                "sim": "true",
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
        # Imported only now: it needs ROS, and a wrong option should be reported at once.
        from pi05_ros.demo.run import DemoRun

        request = DemoRequest(
            platform=platform.name,
            home=options.home,
            task=options.told_task,
            brain=options.brain,
            checkpoint=(
                named_checkpoint(options.checkpoint).name if options.brain == "model" else ""
            ),
            seed=options.seed,
            seconds=seconds,
        )
    except (CheckpointError, ConfigError) as error:
        print(f"pi05 demo: {error}", file=sys.stderr)
        return 2
    line = StatusLine(sys.stdout)
    if choice.note or request.checkpoint:
        line.log(choice.note or f"the model drives, with the checkpoint {request.checkpoint}")
    run = DemoRun(platform, options, request, out, RunRecord(), line.show, line.log)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: run.interrupt())
    try:
        with own_domain():
            result = run.run()
    except Pi05Error as error:
        print(f"pi05 demo: {error}", file=sys.stderr)
        return 1
    if result.failure:
        sys.stderr.write(result.log_tail)
        print(f"pi05 demo: {result.failure}", file=sys.stderr)
        return 1
    line.log(result.closing)
    return 130 if result.ended == "interrupted" else 0


def parser() -> argparse.ArgumentParser:
    """The command line."""
    result = argparse.ArgumentParser(
        prog="pi05 demo",
        description="Run a simulated robot in a mock home on one task, over real ROS 2 topics. "
        "Writes summary.json, video.mp4, strip.png, the nodes' logs, a bag and report.html into "
        "one folder. Ctrl-C ends the run early; the results are still written.",
        epilog='Example: pi05 demo --home 3 --task "put the dishes in the sink" --out demo_3',
    )
    result.add_argument(
        "--platform",
        default="mobile_18dof",
        help=f"{', '.join(platform_names())}, or the path of a platform's YAML file "
        "[default: mobile_18dof]",
    )
    add_bringup_options(
        result, _OPTIONS, _DEFAULTS, _DESCRIPTIONS, default_texts={"brain": DEFAULT_TEXT}
    )
    result.add_argument(
        "--seconds",
        default=f"{SECONDS:g}",
        help=f"Longest run, in simulated time [s]. [default: {SECONDS:g}]",
    )
    result.add_argument(
        "--out", default="demo_out", help="Folder for the results. [default: demo_out]"
    )
    result.add_argument(
        "--record",
        action="store_true",
        default=True,
        help="Record the run as one episode in OUT/bags, graded as a success when all points are "
        "reached. [default]",
    )
    result.add_argument(
        "--no-record",
        action="store_false",
        dest="record",
        help="Record no bag and write no report.html: faster, and needs less disk.",
    )
    result.add_argument(
        "--console",
        action="store_true",
        help="Serve the operator's page to browsers on this machine, on a free port; its address "
        "is printed.",
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
