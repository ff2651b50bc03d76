"""The command line of a benchmark that is measured at several rates of the cameras."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from live import machine


@dataclass(frozen=True)
class RateBenchmark:
    """What differs between such benchmarks."""

    description: str  # For --help.
    picture: str  # File name of the plot, below docs/images.
    page: str  # Of the documentation, with {width} {height} {seconds} {machine} {table} {picture}.
    rates: str  # Default, [Hz], separated by commas.
    size: str  # Default, WIDTHxHEIGHT [pixel].
    seconds: float  # Default, of each rate.
    measure: Callable[[float, tuple[int, int], float], Any]  # (rate, size, seconds) -> result
    table: Callable[[list[Any]], str]
    plot: Callable[[list[Any], Path], None]


def run(benchmark: RateBenchmark) -> int:
    """Measures at each rate, prints the table, and writes page and plot where asked to."""
    parser = argparse.ArgumentParser(
        description=benchmark.description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--rates", default=benchmark.rates, help="of the cameras [Hz] (%(default)s)"
    )
    parser.add_argument("--size", default=benchmark.size, help="[pixel] (default %(default)s)")
    parser.add_argument(
        "--seconds", type=float, default=benchmark.seconds, help="of each (default %(default)g)"
    )
    parser.add_argument("--out", type=Path, help="page to write; the plot goes to ../images")
    arguments = parser.parse_args()
    width, _, height = arguments.size.partition("x")
    size = int(width), int(height)
    rates = [float(rate) for rate in arguments.rates.split(",")]
    results: list[Any] = []
    for number, rate in enumerate(rates, 1):
        print(f"[{number}/{len(rates)}] {rate:g} Hz", file=sys.stderr, flush=True)
        machine.wait_for_quiet()
        results.append(benchmark.measure(rate, size, arguments.seconds))
        print(benchmark.table(results[-1:]).splitlines()[-1], file=sys.stderr, flush=True)
    table = benchmark.table(results)
    print(table)
    if arguments.out:
        benchmark.plot(results, arguments.out.parent.parent / "images" / benchmark.picture)
        text = benchmark.page.format(
            width=size[0],
            height=size[1],
            seconds=arguments.seconds,
            machine=machine.describe(),
            table=table,
            picture=f"../images/{benchmark.picture}",
        )
        arguments.out.write_text(text)
    return 0
