"""Command lines of `pi05 eval` and `pi05 eval merge`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pi05_ros.brain.model_options import DTYPES, EXECUTIONS
from pi05_ros.brain.options import DESCRIPTIONS
from pi05_ros.chunking.settings import AUTO, CHUNK_MODES
from pi05_ros.cli.homes.options import homes_of, jobs_of
from pi05_ros.evaluation.trials.modes import MODES
from pi05_ros.evaluation.trials.settings import (
    BRAINS,
    WHOLE,
    EvaluationError,
    EvaluationSettings,
    Machine,
    Shard,
    default_jobs,
    weights_of,
)
from pi05_ros.evaluation.trials.tasks import ALL, find_tasks
from pi05_ros.platforms.platform import load_platform, platform_names
from pi05_ros.sim.homes.difficulty import PRESETS
from pi05_ros.sim.tasks.registry import TASKS, TESTS

_MODES = "; ".join(f"{mode.name}: {mode.description}" for mode in MODES.values())


def parser() -> argparse.ArgumentParser:
    """The command line of an evaluation."""
    result = argparse.ArgumentParser(
        prog="pi05 eval",
        description="Run a brain on tasks in mock homes and write DIR/summary.json, "
        "DIR/report.html and videos of the best and the worst trials. An interrupted run goes on "
        "when it is repeated. `pi05 eval merge DIR... --out DIR` joins shards; `pi05 eval gates "
        "CHECKPOINT --episodes DIR` compares a checkpoint with recorded episodes.",
        epilog="Example: pi05 eval --task all --homes 20200-20204 --mode full,implicit "
        "--checkpoint runs/a/best --out eval_a",
        allow_abbrev=False,
    )
    _add_trials(result)
    _add_conditions(result)
    _add_machine(result)
    return result


def _add_trials(result: argparse.ArgumentParser) -> None:
    """Declare what is evaluated."""
    result.add_argument(
        "--task",
        action="append",
        required=True,
        metavar=f"NAME|{ALL}|TEXT",
        help=f"{', '.join((*TASKS, *TESTS))}, names joined by commas, {ALL} (the first "
        f"{len(TASKS)}), or the text of a task; several times for several",
    )
    result.add_argument(
        "--homes", type=homes_of, required=True, metavar="A-B", help="20200-20204 or 1,5,8"
    )
    result.add_argument(
        "--mode",
        default="full",
        help=f"what names the subtasks, joined by commas: {_MODES} [default: full]",
    )
    result.add_argument("--brain", default="model", help=f"{', '.join(BRAINS)} [default: model]")
    result.add_argument(
        "--checkpoint",
        default="",
        metavar="C[,C2]",
        help="weights, joined by commas: folders, "
        "shipped ones by name (nano), or random:PRESET?seed=N",
    )
    result.add_argument(
        "--platform",
        default="mobile_18dof",
        help=f"{', '.join(platform_names())}, or a platform's YAML file [default: mobile_18dof]",
    )
    result.add_argument(
        "--room", default="", help="kind of the rooms [default: that of each task]"
    )
    result.add_argument(
        "--difficulty",
        default="ideal",
        help=f"of the homes: {', '.join(PRESETS)}, then changes as in normal,image_noise=0.02 "
        "[default: ideal]",
    )
    result.add_argument(
        "--planner",
        default="",
        metavar="FILE:NAME",
        help="of the mode external: a callable in a Python file, oracle, or fixed_list",
    )
    result.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the results"
    )


def _add_conditions(result: argparse.ArgumentParser) -> None:
    """Declare under which conditions."""
    defaults = EvaluationSettings
    result.add_argument(
        "--seconds",
        type=float,
        metavar="S",
        help="longest trial, simulated [s] [default: that of each task]",
    )
    result.add_argument(
        "--episodes",
        type=int,
        default=defaults.repeats,
        metavar="N",
        help="trials of each combination, with seeds from --seed on [default: 1]",
    )
    result.add_argument(
        "--seed", type=int, default=defaults.seed, help="of noise and random weights [default: 0]"
    )
    result.add_argument(
        "--delay",
        type=float,
        default=defaults.delay,
        metavar="S",
        help="from an observation to what follows from it [s]; not with --ros "
        "[default: %(default)g]",
    )
    result.add_argument(
        "--chunk-mode",
        default=AUTO,
        choices=(AUTO, *CHUNK_MODES),
        help=DESCRIPTIONS["chunk_mode"] + " [default: auto]",
    )
    result.add_argument(
        "--ros", action="store_true", help="through the graph of nodes, one trial at a time"
    )


def _add_machine(result: argparse.ArgumentParser) -> None:
    """Declare where trials run."""
    result.add_argument(
        "--jobs",
        type=jobs_of,
        metavar="N",
        help="processes of one thread each [default: one for each core, 1 with a GPU]",
    )
    result.add_argument(
        "--shard",
        type=_shard,
        default=WHOLE,
        metavar="I/N",
        help="run every N-th trial only, from the I-th on",
    )
    result.add_argument(
        "--ray", default="", metavar="local|ADDRESS", help="run trials as tasks of a Ray cluster"
    )
    _add_videos(result)
    choices = {"device": None, "dtype": DTYPES, "execution": EXECUTIONS}
    for name, valid in choices.items():
        text = DESCRIPTIONS[name] + " [default: auto]"
        result.add_argument(f"--{name}", default="auto", choices=valid, help=text)


def _add_videos(result: argparse.ArgumentParser) -> None:
    result.add_argument(
        "--video",
        choices=("best-worst", "none"),
        default="best-worst",
        help="of each task and mode [default: best-worst; with --ros none]",
    )


def merge_parser() -> argparse.ArgumentParser:
    """The command line of a merge."""
    result = argparse.ArgumentParser(
        prog="pi05 eval merge",
        description="Join the folders of shards to one, with summary, videos and report.",
        allow_abbrev=False,
    )
    result.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folders of shards")
    result.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    result.add_argument("--jobs", type=jobs_of, metavar="N", help="processes for the videos")
    _add_videos(result)
    result.add_argument("--device", default="auto", help=DESCRIPTIONS["device"])
    return result


def settings_of(parsed: argparse.Namespace) -> EvaluationSettings:
    """Return the settings of a command line.

    Raises:
        Pi05Error: A name is unknown, or options do not go together.
    """
    words = [word for text in parsed.task for word in _words(text)]
    platform = load_platform(parsed.platform)
    checkpoints = tuple(part.strip() for part in parsed.checkpoint.split(",") if part.strip())
    known = platform.name in platform_names()
    return EvaluationSettings(
        tasks=find_tasks(words, parsed.seconds, parsed.room),
        homes=tuple(parsed.homes),
        modes=tuple(mode.strip() for mode in parsed.mode.split(",")),
        brain=parsed.brain,
        weights=weights_of(parsed.brain, checkpoints, parsed.seed),
        platform=platform.name if known else str(Path(parsed.platform).resolve()),
        seed=parsed.seed,
        repeats=parsed.episodes,
        planner=parsed.planner,
        ros=parsed.ros,
        difficulty=parsed.difficulty,
        chunk_mode=parsed.chunk_mode,
        delay=parsed.delay,
    )


def machine_of(parsed: argparse.Namespace) -> Machine:
    """Return where trials run.

    Raises:
        EvaluationError: Options do not go together.
    """
    if parsed.ros and parsed.ray:
        raise EvaluationError("--ros runs one graph on this machine: leave --ray out")
    return Machine(jobs_for(parsed), parsed.ray, parsed.device, parsed.dtype, parsed.execution)


def jobs_for(parsed: argparse.Namespace) -> int:
    """Return the number of processes of a command line."""
    return default_jobs(parsed.device) if parsed.jobs is None else int(parsed.jobs)


def _words(text: str) -> list[str]:
    """Split names that are joined by commas; another text is one task."""
    parts = [part.strip() for part in text.split(",")]
    if all(" " not in part for part in parts):
        return parts
    return [text.strip()]


def _shard(text: str) -> Shard:
    try:
        return Shard.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"wanted I/N with I from 1 to N, as 2/8, found '{text}'"
        ) from error
