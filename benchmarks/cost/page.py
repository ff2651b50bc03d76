"""A run as Markdown and as a picture."""

from __future__ import annotations

from pathlib import Path

from live.plots import pyplot

from cost.results import BRIDGE, HOME, SUMS, WAITING, WORKING, Phase, Result

TITLES = {WORKING: "Working", WAITING: "Waiting"}
WORDS = {WORKING: "the brain carries out the task", WAITING: "all nodes active, no task"}

PAGE = """# What the running graph costs

`benchmarks/graph_cost.py`, {platform} in mock home {home}, brain {brain}, {seconds:g} s a phase,
on {machine}. Code: {code}.{before}

{sums}
{tables}
![cores of each node]({picture})

## What the columns are

One process a line. **cores** is user and system time of all its threads per second of wall time,
from `/proc/PID/stat`; **at 1.0x** is that divided by the real-time factor: what the node costs
when a simulated second takes a second. **threads** are those at the end, **wake-ups** are context
switches of all threads per second, voluntary and not. **messages in** and **out** are what its
subscriptions are sent and what its publishers send per simulated second (the publishers of one
topic are taken as equally busy); actions, services, `/rosout` and `/parameter_events` are left
out.

**bare** is a process with plain `rclpy` nodes, one for each node of the process, spun by
`SingleThreadedExecutor`, rclpy's default: subscriptions to the same topics with an empty
callback, and timers that publish a message which the graph has sent, of the same type and size,
as often as at 1.0x; `use_sim_time` as the node has it. The bare processes run together, so that
each hears what it would hear from the graph; but they compute, decode and decide nothing, and
offer no services. **ratio** is at 1.0x / bare, which depends less on the machine than cores do.
It is below 1 where a node does less than follow its topics, as the inspector that rests.

Nobody listens while it is measured: the benchmark leaves the graph (its DDS participant is
destroyed), waits {settle:g} s, and reads `/proc`. The real-time factor comes from one message of
`/clock` before and one after; the messages are counted for {count:g} s afterwards. Topics that
are published only for subscribers, and that nobody in the graph subscribes to, count as silent.
`others` is what the rest of the machine did.

To repeat it:

```bash
./pi05 run python benchmarks/graph_cost.py --json before.json  # the old code
./pi05 run python benchmarks/graph_cost.py --before before.json --out docs/benchmarks/graph_cost.md
```
"""


def sums_table(result: Result, before: Result | None) -> str:
    """What is wanted, and what is."""
    head = ["cores at 1.0x real time", "phase", *(["before"] if before else []), "now"]
    head += ["bare rclpy", "wanted", ""]
    lines = [_row(head), "|---" * len(head) + "|"]
    for line in SUMS:
        phase = result.phases.get(line.phase)
        if phase is None:
            continue
        now = phase.together(line.names)
        cells = [line.title, line.phase]
        if before:
            old = before.phases.get(line.phase)
            cells.append(f"{old.together(line.names):.3f}" if old else "–")
        cells += [f"**{now:.3f}**", _number(phase.bare_together(line.names))]
        if line.target is None:
            cells += ["–", ""]
        else:
            cells += [f"≤ {line.target:g}", "reached" if now <= line.target else "not reached"]
        lines.append(_row(cells))
    return "\n".join(lines)


def phase_table(phase: Phase, before: Phase | None) -> str:
    """All processes of one phase, the dearest first."""
    head = ["node", "cores", *(["before, at 1.0x"] if before else []), "at 1.0x", "bare", "ratio"]
    head += ["threads", "wake-ups/s", "bare wake-ups/s", "messages in/s", "out/s"]
    lines = [_row(head), "|---" * len(head) + "|"]
    for name in dearest(phase):
        cost, bare = phase.nodes[name], phase.bare.get(name)
        cells = [name, f"{cost.cores:.3f}"]
        if before:
            cells.append(f"{before.at_real_time(name):.3f}" if name in before.nodes else "–")
        cells += [
            f"**{phase.at_real_time(name):.3f}**",
            _number(bare.cores if bare else None),
            f"{phase.at_real_time(name) / bare.cores:.1f}" if bare and bare.cores else "–",
            str(cost.threads),
            f"{cost.wakeups_hz:.0f}",
            f"{bare.wakeups_hz:.0f}" if bare else "–",
            f"{cost.received_hz:.0f}",
            f"{cost.sent_hz:.0f}",
        ]
        lines.append(_row(cells))
    return "\n".join(lines)


def tables(result: Result, before: Result | None) -> str:
    """The tables of all phases, each below its heading."""
    parts = []
    for name, title in TITLES.items():
        phase = result.phases.get(name)
        if phase is None:
            continue
        old = before.phases.get(name) if before else None
        was = f"; before {old.factor:.2f}" if old else ""
        parts.append(
            f"## {title}: {WORDS[name]}\n\n"
            f"Real-time factor {phase.factor:.2f}{was}; others {phase.others_cores:.2f} cores; "
            f"the robot was {phase.robot}.\n\n"
            f"{phase_table(phase, old)}\n"
        )
    return "\n" + "\n".join(parts)


def page(result: Result, before: Result | None, picture: str, settle: float, count: float) -> str:
    """The page of the documentation."""
    was = ""
    if before:
        was = f" *Before*: {before.code}, on {before.machine}."
        if before.machine == result.machine:
            was = f" *Before*: {before.code}, on the same kind of machine."
    return PAGE.format(
        platform=result.platform,
        home=result.home,
        brain=result.brain,
        seconds=result.seconds,
        machine=result.machine,
        code=result.code,
        before=was,
        sums=sums_table(result, before),
        tables=tables(result, before),
        picture=picture,
        settle=settle,
        count=count,
    )


def plot(result: Result, before: Result | None, path: Path) -> None:
    """Bars: each node as it is, as it was, and bare."""
    plt = pyplot()
    names = [name for name in TITLES if name in result.phases]
    order = dearest(result.phases[names[0]])[::-1]
    figure, axes = plt.subplots(
        1, len(names), figsize=(5.2 * len(names), 4.8), sharey=True, sharex=True, squeeze=False
    )
    for axis, name in zip(axes[0], names, strict=True):
        phase, old = result.phases[name], before.phases.get(name) if before else None
        kinds: list[tuple[str, str, dict[str, float]]] = []
        if old:
            kinds.append(("before", "C7", {n: old.at_real_time(n) for n in old.nodes}))
        kinds.append(
            ("now" if old else "the node", "C0", {n: phase.at_real_time(n) for n in phase.nodes})
        )
        if phase.bare:
            bare = {n: cost.cores for n, cost in phase.bare.items()}
            kinds.append(("bare rclpy node, same messages", "C1", bare))
        height = 0.8 / len(kinds)
        for index, (label, colour, cores) in enumerate(kinds):
            places = [place + 0.4 - (index + 0.5) * height for place in range(len(order))]
            values = [cores.get(n, 0.0) for n in order]
            bars = axis.barh(places, values, height, color=colour, label=label)
            # On white, and above the line of what is wanted.
            box = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
            texts = [f"{v:.2f}" for v in values]
            axis.bar_label(bars, texts, padding=3, fontsize=7, bbox=box, zorder=5)
        for line in SUMS:
            if line.phase == name and line.names in ((BRIDGE,), (HOME,)):
                assert line.target is not None
                place = order.index(line.names[0])
                axis.plot([line.target] * 2, [place - 0.45, place + 0.45], "k--", linewidth=1.2)
        axis.plot([], [], "k--", linewidth=1.2, label="wanted at most")
        axis.set(
            title=f"{TITLES[name].lower()}: {WORDS[name]}",
            xlabel="processor cores at 1.0x real time",
            yticks=range(len(order)),
            yticklabels=order,
        )
        axis.grid(visible=False, axis="y")
        axis.margins(x=0.1)
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncol=4, fontsize=8)
    figure.tight_layout(rect=(0, 0.06, 1, 1))
    figure.savefig(path, dpi=110)


def dearest(phase: Phase) -> list[str]:
    """Names of the processes, the one that takes most first."""
    return sorted(phase.nodes, key=lambda name: -phase.nodes[name].cores)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
