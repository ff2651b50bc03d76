"""Speed of π0.5, compared with a plain eager version, LeRobot, and the floor of the device.

    ./pi05 run python benchmarks/model_speed.py --preset nano --threads 1
    ./pi05 run python benchmarks/model_speed.py --preset base --device cuda --dtype bfloat16

All implementations get the same random weights, prompt, noise and, every round, the same new
pictures. First their results are compared; then they run alternately, so that disturbances of the
machine affect all. LeRobot is included if it can be imported (Python 3.12, its `src` on
PYTHONPATH). See docs/benchmarks/model_speed.md for the meaning of the rows.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, get_args

import torch
from speed import lerobot_model, report
from speed.agreement import TOLERANCES, compare
from speed.chart import draw_chart
from speed.eager_baseline import EagerBaseline
from speed.floor import Ceilings, floors
from speed.implementations import Implementation, Ours
from speed.profile import HEADER, profile
from speed.timing import Laps, take_turns
from speed.workload import Workload, config_of, make_model, make_workload, size_names

from pi05_ros.brain.model_options import Execution
from pi05_ros.checkpoints.checkpoint import open_checkpoint
from pi05_ros.errors import Pi05Error
from pi05_ros.model.pi05 import Pi05

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--preset", default="nano", choices=size_names(), help="sizes (default nano)")
    add("--device", default="cpu", help="cpu, cuda, cuda:1 (default cpu)")
    add("--dtype", default="float32", choices=DTYPES, help="of ours and LeRobot's weights")
    add(
        "--baseline-dtype",
        default="same",
        choices=["same", *DTYPES],
        help="of the eager baseline (default: the same as --dtype)",
    )
    add(
        "--execution",
        nargs="+",
        choices=get_args(Execution),
        help="how our engine runs (default: compiled and eager; on a GPU also graphs; with a "
        "compact tower eager alone). Compiling "
        "takes minutes, and on the CPU a C++ compiler",
    )
    add("--threads", type=int, default=1, help="of torch on the CPU (default 1)")
    add("--cameras", type=int, default=3, help="that give a picture (default 3)")
    add("--slots", type=int, help="cameras that the padded versions fill up to (default: none)")
    add("--prompt", type=int, help="tokens of the prompt (default: a real one's, or the longest)")
    add("--tokens", type=int, default=12, help="of text to write (default 12)")
    add("--rounds", type=int, default=20, help="that count, after two that do not (default 20)")
    add("--no-lerobot", action="store_true", help="leave LeRobot out though it is there")
    add("--profile", action="store_true", help="also show where the time of ours, eager goes")
    add("--load", help="also time opening this checkpoint folder on the device")
    add("--json", type=Path, help="write every round's times and the set-up to this file")
    add("--plot", type=Path, help="draw the medians into this picture")
    return parser


def main() -> int:
    """Compare, measure, print; return 1 if results differ or arguments are invalid."""
    options = parser().parse_args()
    try:
        return run(options)
    except (Pi05Error, ValueError) as error:
        print(f"model_speed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nmodel_speed: stopped before the first round was complete", file=sys.stderr)
        return 130


def run(options: argparse.Namespace) -> int:
    """Run the measurement."""
    torch.set_num_threads(options.threads)
    device, dtype = torch.device(options.device), DTYPES[options.dtype]
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError("wanted a CUDA device, found none; use --device cpu")
    workload = make_workload(
        config_of(options.preset),
        cameras=options.cameras,
        slots=options.slots,
        prompt_tokens_wanted=options.prompt,
        tokens=options.tokens,
    )
    loading = None if options.load is None else load_seconds(options.load, dtype, device)
    log("building the implementations")
    implementations, absent = build(workload, options, device, dtype)
    log("comparing their results")
    agreement = check(implementations, workload, options)
    log("measuring what the device can do")
    ceilings = Ceilings(device, dtype)
    floors(workload, ceilings)  # Measures the bandwidths that it asks for.
    load_before = os.getloadavg()[0]
    measured = measure(implementations, workload, options.rounds)
    ceilings.refresh()
    least = floors(workload, ceilings)
    rounds = len(next(iter(measured.values())).chunks)

    times = {name: of_one.rows(workload) for name, of_one in measured.items()}
    titles = report.row_titles(workload)
    setup = describe(workload, options, device, ceilings, load_before)
    print(setup)
    print(f"{rounds} rounds, {options.dtype}, load of the machine {load_before:.1f} before.\n")
    print("\n".join(f"* {name}: {found}" for name, found in agreement.items()))
    if absent:
        print(f"* LeRobot does not take part: {absent}")
    print("\n" + report.times_table(times, least, titles))
    print("\n" + report.ratios_table(times, titles))
    if options.profile:
        eager = [one for one in implementations if one.name == "ours, eager"]
        print("\n" + "\n".join(profiled(one, workload, device) for one in eager))
    found: dict[str, float | None] = {
        row: statistics.median(values) for row, values in times[next(iter(times))].items()
    }
    found["load"] = loading
    if loading is not None:
        print(f"\nOpened {options.load} in {loading:.1f} s.")
    if options.preset == "base" and device.type == "cuda":
        print("\n" + "\n".join(f"* {aim.line(found[aim.row])}" for aim in report.AIMS))
    if options.json:
        content = {
            "setup": setup,
            "options": {key: str(value) for key, value in vars(options).items()},
            "load_average_before": load_before,
            "agreement": agreement,
            "lerobot_absent": absent,
            "ceilings": {"operations_per_s": ceilings.operations},
            "floors_s": least,
            "load_s": loading,
            "times_s": times,
        }
        options.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        draw_chart(times, least, titles, options.plot)
    return 0


def build(
    workload: Workload, options: argparse.Namespace, device: torch.device, dtype: torch.dtype
) -> tuple[list[Implementation], str]:
    """Make all implementations, ours first, the reference of all comparisons last.

    Returns:
        The implementations, and the reason why LeRobot is not among them; empty: it is.
    """
    model = make_model(workload, device, dtype)
    implementations: list[Implementation] = []
    compact = model.config.compact_vision is not None
    default: list[Execution] = ["eager"] if compact else default_executions(device)
    for execution in options.execution or default:
        log(f"warming up ours, {execution}")
        implementations.append(Ours(model, workload, execution))
    if compact:
        absent = "it has no compact tower"
    else:
        absent = "--no-lerobot" if options.no_lerobot else lerobot_model.why_not()
    if not absent:
        theirs = lerobot_model.build(model, dtype)
        implementations += [
            lerobot_model.LeRobot(model, theirs, workload, padded=padded)
            for padded in (True, False)
        ]
    same = options.baseline_dtype == "same"
    base_dtype = dtype if same else DTYPES[options.baseline_dtype]
    implementations += [
        EagerBaseline(model, workload, padded=padded, dtype=base_dtype) for padded in (True, False)
    ]
    return implementations, absent


def default_executions(device: torch.device) -> list[Execution]:
    """Execution modes that the device supports, the fastest first."""
    if device.type == "cuda":
        return ["graphs", "compiled", "eager"]
    if shutil.which(os.environ.get("CXX", "g++")) is None:
        log("no C++ compiler, so that nothing can be compiled")
        return ["eager"]
    return ["compiled", "eager"]


def check(
    implementations: list[Implementation], workload: Workload, options: argparse.Namespace
) -> dict[str, str]:
    """Compare all implementations with the last one; return the agreement as text.

    Raises:
        Disagreement: A difference exceeds the tolerances.
    """
    pictures = workload.pictures(0)
    *others, last = implementations
    reference = last.chunk(pictures), last.text(pictures, keep_logits=True)
    dtypes = {options.dtype, options.baseline_dtype}
    tolerances = TOLERANCES[DTYPES["bfloat16" if "bfloat16" in dtypes else "float32"]]
    agreement = {}
    for one in others:
        results = one.chunk(pictures), one.text(pictures, keep_logits=True)
        found = compare(one.name, *results, reference, tolerances)
        agreement[f"{one.name} and {last.name}"] = str(found)
    return agreement


def measure(
    implementations: list[Implementation], workload: Workload, rounds: int
) -> dict[str, report.Measured]:
    """Measure chunks and texts of all implementations alternately."""

    def chunk(one: Implementation, round_: int) -> Laps:
        return one.chunk(workload.pictures(2 * round_)).laps

    def text(one: Implementation, round_: int) -> Laps:
        return one.text(workload.pictures(2 * round_ + 1)).laps

    runs = {}
    for one in implementations:
        runs[f"chunk {one.name}"] = partial(chunk, one)
        runs[f"text {one.name}"] = partial(text, one)
    taken = take_turns(
        runs, rounds, progress=lambda round_: log(f"round {round_ + 1} of {rounds}", round_ > 0)
    )
    return {
        one.name: report.Measured(taken[f"chunk {one.name}"], taken[f"text {one.name}"])
        for one in implementations
    }


def profiled(ours: Implementation, workload: Workload, device: torch.device) -> str:
    """Profile the engine and format the result as a Markdown table."""
    titles = report.row_titles(workload)
    chunk = profile(lambda round_: ours.chunk(workload.pictures(round_)), device)
    text = profile(lambda round_: ours.text(workload.pictures(round_)), device)
    lines = [HEADER, chunk.line(titles["chunk"]), text.line(titles["subtask"])]
    return "\n".join(lines)


def load_seconds(folder: str, dtype: torch.dtype, device: torch.device) -> float:
    """Measure the loading of a checkpoint folder onto the device [s]."""
    log(f"opening {folder}")
    start = time.perf_counter()
    checkpoint: Any = open_checkpoint(folder, dtype, device)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    taken = time.perf_counter() - start
    del checkpoint
    return taken


def describe(
    workload: Workload,
    options: argparse.Namespace,
    device: torch.device,
    ceilings: Ceilings,
    load: float,
) -> str:
    """Describe the set-up in a paragraph."""
    config = workload.config
    with torch.device("meta"):
        size = sum(parameter.numel() for parameter in Pi05(config).parameters())
    if device.type == "cuda":
        where = torch.cuda.get_device_name(device)
    else:
        where = f"{processor_name()}, {torch.get_num_threads()} threads"
    return (
        f"{config.name}, {size / 1e6:.1f} M parameters on {where}, torch {torch.__version__}. "
        f"{workload.cameras} pictures of {workload.picture_tokens(False)} tokens, a prompt of "
        f"{len(workload.ids)} tokens (padded: {config.max_prompt_tokens}, {workload.slots} "
        f"pictures), chunks of {config.horizon}. Ceilings, measured: "
        f"{ceilings.operations / 1e9:.0f} billion operations a second in large products, "
        f"{ceilings.bandwidth(2**20) / 1e9:.0f} GB/s in 1 MB, "
        f"{ceilings.bandwidth(2**29) / 1e9:.0f} GB/s in 500 MB."
    )


def processor_name() -> str:
    """Name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def log(text: str, over_last: bool = False) -> None:
    """Print a line of progress to stderr; on a terminal it may replace the last one."""
    start = "\x1b[1A\x1b[2K" if over_last and sys.stderr.isatty() else ""
    print(f"{start}{text} ...", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
