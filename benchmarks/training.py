"""Speed of a training step against a plain loop, LeRobot and the floor; the loader's share.

    ./pi05 run python benchmarks/training.py
    ./pi05 run python benchmarks/training.py --loader --data FOLDER

All implementations have the same weights, samples and noise. First their losses are compared,
then they run alternately. Figures are samples a second of wall time, and of processor time, which
a busy machine disturbs less. LeRobot takes part if it can be imported (Python 3.12, its `src` on
PYTHONPATH). See docs/benchmarks/training.md.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import torch
from speed import lerobot_model
from training_speed.batches import Workload, eight_heads, mixture, robots
from training_speed.chart import draw_chart
from training_speed.steps import Step, make_steps, matrix_operations, product_rate

from pi05_ros.model.config import load_preset, preset_names
from pi05_ros.model.pi05 import Pi05, draw_weights

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
_TOLERANCE = {"float32": 1e-3, "bfloat16": 3e-2}  # Relative, of the losses.


def parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    root = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = root.add_argument
    add("--preset", default="smoke", choices=preset_names(), help="sizes (default smoke)")
    add("--size", type=int, default=8, help="samples of a step (default 8)")
    add("--draws", type=int, default=2, help="of the flow, in the mixture (default 2)")
    add("--rounds", type=int, default=7, help="that count, after one that does not (default 7)")
    add("--dtypes", nargs="+", default=list(DTYPES), choices=DTYPES, help="default: both")
    add("--threads", nargs="+", type=int, default=[1, 2], help="of torch (default 1 2)")
    add("--loader", action="store_true", help="measure a whole run with its loader instead")
    add("--data", type=Path, help="for --loader: folder in which data are, or are made")
    add("--json", type=Path, help="write all times to this file")
    add("--plot", type=Path, help="draw the samples a second into this picture")
    return root


def main() -> int:
    """Measure and print; return 1 if losses differ."""
    options = parser().parse_args()
    if options.loader:
        from training_speed.loader import loader_table

        if options.data is None:
            print("training: wanted --data FOLDER with --loader", file=sys.stderr)
            return 2
        print(loader_table(options.data, options.preset))
        return 0
    config = load_preset(options.preset)
    if config.compact_vision is not None:
        print(
            "training: wanted sizes with SigLIP, which all implementations have; "
            f"{options.preset} has a compact tower",
            file=sys.stderr,
        )
        return 2
    config = eight_heads(config)
    model = Pi05(config)
    draw_weights(model, 0, adaptive_scale=0.1)
    size = sum(parameter.numel() for parameter in model.parameters())
    print(f"{options.preset}, {size / 1e6:.1f} M parameters, torch {torch.__version__}.")
    print(f"Load of the machine before: {os.getloadavg()[0]:.1f}.")
    if absent := lerobot_model.why_not():
        print(f"LeRobot does not take part: {absent}")
    workloads = [mixture(config, options.size, options.draws), robots(config, options.size)]
    rows = []
    for threads in options.threads:
        torch.set_num_threads(threads)
        for dtype in options.dtypes:
            rate = product_rate(DTYPES[dtype])
            for workload in workloads:
                steps = make_steps(model, workload, DTYPES[dtype])
                check(steps, dtype)
                times = measure(steps, options.rounds)
                rate = max(rate, product_rate(DTYPES[dtype]))
                floor = matrix_operations(steps[0].loss) / rate
                rows.append(row(workload, dtype, threads, times, floor))
                print(table(rows[-1]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    if options.plot:
        draw_chart(rows, options.plot)
    return 0


def check(steps: list[Step], dtype: str) -> None:
    """Compare the losses of all implementations with the first.

    Raises:
        ValueError: One differs.
    """
    with torch.no_grad():
        found = {step.name: float(step.loss()) for step in steps}
    first = next(iter(found.values()))
    for name, loss in found.items():
        if abs(loss - first) > _TOLERANCE[dtype] * abs(first):
            raise ValueError(f"the loss of {name} is {loss:.6f}, wanted {first:.6f}")


def measure(steps: list[Step], rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Run every implementation once a round, in turns: wall and processor time of each [s]."""
    taken: dict[str, list[tuple[float, float]]] = {step.name: [] for step in steps}
    order = list(steps)
    for number in range(rounds + 1):
        for step in order:
            gc.collect()
            wall, processor = time.perf_counter(), time.process_time()
            step()
            if number:
                taken[step.name].append(
                    (time.perf_counter() - wall, time.process_time() - processor)
                )
        order = order[1:] + order[:1]
    return taken


def row(
    workload: Workload,
    dtype: str,
    threads: int,
    times: dict[str, list[tuple[float, float]]],
    floor: float,
) -> dict[str, Any]:
    """Summarise the times of one workload: medians of samples a second, and of the ratios."""
    size = len(workload.samples)
    first = next(iter(times.values()))
    ratios = {
        name: statistics.median(
            other[1] / own[1] for own, other in zip(first, of_one, strict=True)
        )
        for name, of_one in times.items()
    }
    return {
        "workload": workload.title,
        "dtype": dtype,
        "threads": threads,
        "size": size,
        "floor_s": floor,
        "wall": {n: size / statistics.median(t[0] for t in of) for n, of in times.items()},
        "best": {n: size / min(t[0] for t in of) for n, of in times.items()},
        "processor": {n: size / statistics.median(t[1] for t in of) for n, of in times.items()},
        "ratio": ratios,
        "times_s": times,
    }


def table(found: dict[str, Any]) -> str:
    """Format a row as Markdown."""
    lines = [
        f"\n{found['workload']}, {found['dtype']}, threads: {found['threads']}; the matrix "
        f"products of ours alone: {found['size'] / found['floor_s']:.1f} samples a core-second\n",
        "| | samples/s (best) | samples a core-second | times the processor time of ours |",
        "|---|---:|---:|---:|",
    ]
    for name, wall in found["wall"].items():
        lines.append(
            f"| {name} | {wall:.2f} ({found['best'][name]:.2f}) | "
            f"{found['processor'][name]:.2f} | {found['ratio'][name]:.2f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
