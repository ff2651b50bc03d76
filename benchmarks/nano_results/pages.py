"""Pages of the tables: Markdown with figures, intervals, budgets and the paper's figure beside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

from pi05_ros.data.bags.sink import write_atomically
from pi05_ros.evaluation.eval_report.charts import share_chart
from pi05_ros.evaluation.reproduction.page import curve_chart
from pi05_ros.evaluation.reproduction.scaling import homes_text
from pi05_ros.evaluation.trials.statistics import LEVEL, RESAMPLES
from pi05_ros.sim.tasks.registry import TESTS

from .cells import Cell, Results, cells_of, evaluations_of, first_share, points_share
from .paper import TABLES, Row, Table
from .stored import ResultsError
from .text import (
    HASHES,
    NONE,
    difference_text,
    header,
    interval_text,
    line_of,
    share_text,
    write_picture,
)

_LANGUAGE, _HOMES = "language", "homes"
_OBJECTS = {"language": "seen", "language_unseen": "held out"}
_HEAD = """# {title}

Made by `benchmarks/nano_tables.py {name}` from [stored results](nano/). `{platform}`, mock homes
that no data come from. Points are the share of the rubric's; intervals are {level:.0%} percentiles
of {resamples:,} resamples of the homes, those of differences of homes that both have. The paper:
π0.5, section {section}, on real robots and other homes: orders can be compared, shares cannot.
{note}
![{title}]({picture})

{table}

## Budgets

{equal}

{budgets}
"""


def _is_task(name: str) -> bool:
    return name not in TESTS


def _is_test(name: str) -> bool:
    return name in TESTS


def _is_any(name: str) -> bool:
    return True


# Tables with other tasks than those that a robot is judged by.
_WANTED = {_LANGUAGE: _is_test, _HOMES: _is_any}
Facts = Sequence[tuple[Row, Sequence[Mapping[str, Any]]]]  # Rows with their evaluations.


def write_table(name: str, results: Results, out: Path, platform: str) -> None:
    """Write the page of a table, and its plot beside it with the suffix .svg.

    Args:
        name: Of TABLES.
        results: Stored results by plan.
        out: The Markdown file.
        platform: The robot.

    Raises:
        ResultsError: Nothing is stored of any row, or results do not fit together.
        OSError: The disk is full.
    """
    table, wanted = TABLES[name], _WANTED.get(name, _is_task)
    cells = cells_of(results, table.rows, platform, wanted, points_share, name not in _WANTED)
    if not cells:
        plans = ", ".join(dict.fromkeys(row.plan for row in table.rows))
        raise ResultsError(
            f"there is no result for the table {name} on {platform}: wanted those of any of "
            f"{plans}, by nano_tables.py store"
        )
    if name == _LANGUAGE:
        first = cells_of(results, table.rows, platform, wanted, first_share, with_mean=False)
        text = _language_rows(table, cells, first)
    else:
        text = _point_rows(table, cells)
    with matplotlib.rc_context(HASHES):
        picture = write_picture(out, _homes_chart(cells, platform) if name == _HOMES
                                else _bars(cells))  # fmt: skip
    used = [(row, evaluations_of(results, row, platform, wanted)) for row in table.rows]
    facts = [(row, found) for row, found in used if found]
    page = _HEAD.format(
        title=table.title,
        name=name,
        platform=platform,
        level=LEVEL,
        resamples=RESAMPLES,
        section=table.section,
        note=f"\n{table.note}\n" if table.note else "",
        picture=picture,
        table=text,
        equal=_equality(facts),
        budgets=_budgets(facts, results),
    )
    write_atomically(out, page)


def _point_rows(table: Table, cells: Sequence[Cell]) -> str:
    """Return the table of points, a line for each task of each row."""
    first = table.rows[0]
    lines = header(
        "variant", "task", "points", "interval", f"minus {first.label}", "interval",
        "homes, trials", "the paper",
    )  # fmt: skip
    reference = {cell.task: cell for cell in cells if cell.row is first}
    for row in table.rows:
        own = [cell for cell in cells if cell.row is row]
        for cell in own:
            other = None if cell.row is first else reference.get(cell.task)
            found = cell.points
            lines.append(
                line_of(
                    row.label, cell.task, share_text(found), interval_text(found),
                    *difference_text(None if other is None else cell.minus(other)),
                    f"{found.homes}, {cell.trials}", row.paper,
                )
            )  # fmt: skip
        if not own:
            lines.append(line_of(row.label, NONE, "not measured", *[NONE] * 4, row.paper))
    return "\n".join(lines)


def _language_rows(table: Table, points: Sequence[Cell], first: Sequence[Cell]) -> str:
    """Return the table of language following: seen and held-out things of each row."""
    lines = header(
        "variant", "things", "first", "interval", "points", "interval",
        f"points minus {table.rows[0].label}", "interval", "homes, trials", "the paper",
    )  # fmt: skip
    reference = {cell.task: cell for cell in points if cell.row is table.rows[0]}
    chosen = {(cell.row.label, cell.task): cell.points for cell in first}
    for row in table.rows:
        own = [cell for cell in points if cell.row is row]
        for cell in own:
            other = None if row is table.rows[0] else reference.get(cell.task)
            right, found = chosen[row.label, cell.task], cell.points
            lines.append(
                line_of(
                    row.label, _OBJECTS[cell.task], share_text(right), interval_text(right),
                    share_text(found), interval_text(found),
                    *difference_text(None if other is None else cell.minus(other)),
                    f"{found.homes}, {cell.trials}", row.paper,
                )
            )  # fmt: skip
        if not own:
            lines.append(line_of(row.label, NONE, "not measured", *[NONE] * 6, row.paper))
    return "\n".join(lines)


def _bars(cells: Sequence[Cell]) -> str:
    """Plot bars, without those of homes, which have a curve of their own, if there are others."""
    shown = [cell for cell in cells if not cell.row.homes] or cells
    found = [(cell, cell.points) for cell in shown]
    rows = [
        {"task": cell.task, "points_share": points.mean, "interval": (points.low, points.high)}
        for cell, points in found
    ]
    return share_chart([cell.row.label for cell in shown], rows)


def _homes_chart(cells: Sequence[Cell], platform: str) -> str:
    points = [
        {
            "homes": cell.row.homes,
            "task": cell.task,
            "mode": cell.row.mode,
            "platform": platform,
            "points_share": (found := cell.points).mean,
            "interval": (found.low, found.high),
        }
        for cell in sorted(cells, key=lambda cell: cell.row.homes)
    ]
    return curve_chart(points, "homes", "homes of the training data")


def _equality(facts: Facts) -> str:
    """Return a sentence on the budgets: equal samples, or from how many to how many."""
    trained = [one for row, found in facts if row.brain == "model" for one in found]
    samples = sorted({one["samples"] for one in trained})
    text = "No variant is trained."
    if len(samples) == 1:
        text = f"All variants are trained on {samples[0]:,} samples."
    elif samples:
        text = (
            f"**The budgets differ:** from {samples[0]:,} to {samples[-1]:,} samples of training."
        )
    for name in ("difficulty", "homes"):
        values = {_value(one, name) for _, found in facts for one in found}
        if len(values) > 1:
            text += f" **The {name} of the trials differ:** {', '.join(sorted(values))}."
    return text


def _value(one: Mapping[str, Any], name: str) -> str:
    if name == "difficulty":
        return str(one[name])
    return homes_text(sorted({trial["home"] for trial in one["trials"]}))


def _budgets(facts: Facts, results: Results) -> str:
    lines = header(
        "variant", "run, scale", "evaluations", "samples", "core-hours", "checkpoint", "recipe",
        "difficulty", "homes of the trials",
    )  # fmt: skip
    for row, found in facts:
        stored, one = results[row.plan], found[0]
        made = one["checkpoint"] or {"hash": "", "recipe": ""}
        homes = {trial["home"] for each in found for trial in each["trials"]}
        lines.append(
            line_of(
                row.label, f"{row.plan}, {stored['scale']:g}",
                ", ".join(each["step"] for each in found), f"{one['samples']:,}",
                f"{one['core_hours']:.2f}", f"`{made['hash'][:12]}`" if made["hash"] else NONE,
                made["recipe"] or NONE, one["difficulty"], homes_text(sorted(homes)),
            )
        )  # fmt: skip
    return "\n".join(lines)
