"""What the operator's page costs beside the graph, open and closed.

    ./pi05 run python benchmarks/console.py --out docs/benchmarks/console.md

Four camera drivers in a process of their own, a real control bridge that moves a fake robot, the
console in a third process, and plain clients for browsers in this one.
"""

from __future__ import annotations

import argparse
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from live import machine
from live.process import Process, environment_with
from system.browser import Browser, free_port
from system.scene import Scene

SETTLE = 3.0  # Before anything is counted [s].
CASES = (  # Pages open, rate [Hz] and size of the cameras.
    (0, 30.0, (640, 480)),
    (1, 10.0, (320, 240)),
    (1, 10.0, (640, 480)),
    (1, 30.0, (640, 480)),
    (3, 10.0, (640, 480)),
)

PAGE = """# The operator's page

`benchmarks/console.py`, {seconds:.0f} s a line, on {machine}.
Four cameras of rgb8 (a lit scene with sensor noise), the control bridge at 50 Hz; `console` is the
processor time of its whole process: DDS, JPEG, JSON and sockets. `others` is what everything else
on the machine used. A browser's own work is not in it.

{table}

Wanted: ten pictures a second of each camera for less than 0.30 cores, and next to nothing while no
page is open (what is left is the executor's own: diagnostics and a timer).
"""


@dataclass(frozen=True)
class Result:
    """One line."""

    pages: int
    rate: float  # [Hz]
    size: tuple[int, int]
    pictures: float  # Of each camera at each page [Hz].
    console_cores: float
    others_cores: float


def measure(pages: int, rate: float, size: tuple[int, int], seconds: float) -> Result:
    """Runs one case."""
    port = free_port()
    with ExitStack() as stack:
        scene = stack.enter_context(
            Scene(
                ("control_bridge", "console"),
                parameters={"console": {"port": port}},
                environment=environment_with(),
            )
        )
        words = ["live.cameras", "--rate", f"{rate:g}", "--scene"]
        words += ["--width", str(size[0]), "--height", str(size[1])]
        drivers = stack.enter_context(Process(words, scene.environment, scene.folder))
        drivers.wait()
        scene.move()
        url = f"http://127.0.0.1:{port}"
        browsers = [stack.enter_context(Browser(url)) for _ in range(pages)]
        time.sleep(SETTLE)
        meter = machine.CpuMeter({"console": scene.processes["console"].pid})
        before, begun = _pictures(browsers), time.monotonic()
        time.sleep(seconds)
        own, others = meter.read()
        came = _pictures(browsers) - before
        took = time.monotonic() - begun
    each = came / took / 4 / pages if pages else 0.0
    return Result(pages, rate, size, each, own["console"], others)


def _pictures(browsers: list[Browser]) -> int:
    return sum(sum(browser.pictures.values()) for browser in browsers)


def table(results: list[Result]) -> str:
    """The results as Markdown."""
    head = ("pages open", "cameras", "pictures of each camera [Hz]", "console [cores]", "others")
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for r in results:
        cells = (
            str(r.pages),
            f"{r.size[0]}x{r.size[1]} at {r.rate:g} Hz",
            f"{r.pictures:.1f}" if r.pages else "–",
            f"{r.console_cores:.2f}",
            f"{r.others_cores:.2f}",
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measures and writes the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=12.0, help="for each line")
    parser.add_argument("--out", type=Path, help="page to write; default: print it")
    arguments = parser.parse_args()
    results = []
    for pages, rate, size in CASES:
        machine.wait_for_quiet()
        results.append(measure(pages, rate, size, arguments.seconds))
        print(results[-1], flush=True)
    page = PAGE.format(seconds=arguments.seconds, machine=machine.describe(), table=table(results))
    if arguments.out is None:
        print(page)
    else:
        arguments.out.write_text(page)


if __name__ == "__main__":
    main()
