"""Runs `./pi05 demo` in several homes on each platform, and prints a table of what came out.

    ./pi05 run python benchmarks/demo_homes.py --homes 0-9 --out homes_out
    ./pi05 run python benchmarks/demo_homes.py --homes 0-2 --busy 3 --out busy_out

`--busy` runs loops beside it that never sleep: scores and holds must not change, only real time.
Runs that already have a summary.json below --out are not run again, so that it can be interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from pi05_ros.platforms.platform import platform_names

ROOT = Path(__file__).resolve().parents[1]
COLUMNS = (
    *("platform", "home", "points", "seconds", "ticks", "missed"),
    *("real time", "faults", "holds"),
)


def main() -> int:
    """Runs, prints the table; 1 when a demo failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--homes", default="0-9", help="first and last seed (default 0-9)")
    parser.add_argument("--brain", default="expert", help="expert or model (default expert)")
    parser.add_argument("--seconds", default="300", help="simulated time of each, at most [s]")
    parser.add_argument("--out", type=Path, default=Path("homes_out"), help="folder for results")
    parser.add_argument("--busy", type=int, default=0, help="busy loops beside it (default 0)")
    arguments = parser.parse_args()
    first, _, last = arguments.homes.partition("-")
    homes = range(int(first), int(last or first) + 1)
    failed = 0
    runs = [(platform, home) for platform in platform_names() for home in homes]
    for number, (platform, home) in enumerate(runs, 1):
        folder = arguments.out / f"{platform}-{home}"
        if (folder / "summary.json").exists():
            continue
        print(f"[{number}/{len(runs)}] {platform} in home {home}", file=sys.stderr)
        command = [ROOT / "pi05", "demo", "--no-record", "--platform", platform]
        command += ["--brain", arguments.brain, "--home", str(home)]
        command += ["--seconds", arguments.seconds, "--out", folder]
        with busy_loops(arguments.busy):
            failed += subprocess.run(command, stdout=subprocess.DEVNULL).returncode != 0
    print(table(arguments.out, runs))
    return 1 if failed else 0


@contextlib.contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Processes that never sleep, while the context lasts and no longer than this process."""
    loop = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    loops = [subprocess.Popen([sys.executable, "-c", loop]) for _ in range(count)]
    try:
        yield
    finally:
        for process in loops:
            process.kill()
            process.wait()


def table(out: Path, runs: list[tuple[str, int]]) -> str:
    """A Markdown table of the runs in folder `out`, and the means of each platform."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    for name in platform_names():
        found = []
        for home in (home for platform, home in runs if platform == name):
            path = out / f"{name}-{home}" / "summary.json"
            if not path.exists():
                continue
            run = json.loads(path.read_text())
            found.append(run)
            holds = run.get("holds_after_start", "")  # Runs before it was counted have none.
            lines.append(line(name, home, run, str(len(run["faults"])), str(holds)))
        if found:
            mean = {key: sum(run[key] or 0 for run in found) / len(found) for key in NUMBERS}
            lines.append(line(f"**{name}**", "mean", {**mean, "max_points": 8}, "", ""))
    return "\n".join(lines)


NUMBERS = ("points", "simulated_seconds", "ticks_sent", "ticks_missed", "real_time_factor")


def line(platform: str, home: int | str, run: dict, faults: str, holds: str) -> str:
    """One line of the table."""
    cells = (
        platform,
        str(home),
        f"{run['points']:g} / {run['max_points']:g}",
        f"{run['simulated_seconds']:.0f}",
        f"{run['ticks_sent']:.0f}",
        f"{run['ticks_missed']:g}",
        f"{run['real_time_factor'] or 0:.2f}",
        faults,
        holds,
    )
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())
