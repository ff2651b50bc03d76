"""Model cards from facts: of the weights, their training and their measured figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import torch

from pi05_ros.checkpoints.layouts.contents import Contents
from pi05_ros.checkpoints.storage.files import CheckpointError, read_mapping
from pi05_ros.evaluation.gates.report import table
from pi05_ros.evaluation.shipping.lineage import Stage
from pi05_ros.foundation.resources import resource_path

LIMITS = "config/checkpoints/limits.md"
_HEADS = {"flow": "actions (flow)", "text": "boxes and subtasks", "fast": "FAST tokens"}


def model_card(
    name: str,
    contents: Contents,
    dtype: torch.dtype,
    size: int,
    stages: Sequence[Stage],
    source_hash: str,
    figures: Sequence[Path] = (),
) -> str:
    """Return a model card as Markdown.

    Args:
        name: Of the shipped checkpoint.
        contents: Of the source, with the description that is shipped.
        dtype: Of the shipped weights.
        size: Of the shipped weights [byte].
        stages: Runs of training, oldest first.
        source_hash: SHA-256 of the source's manifest; empty: unknown.
        figures: Files gates.json of `eval gates` and summary.json of `eval`.

    Raises:
        CheckpointError: A file has no such figures.
        ConfigError: The text on limits is not installed.
    """
    config, training = contents.config, contents.training
    gates, points = _figures(figures)
    height, width = config.picture_size
    page = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("card.md.j2")
    return (
        page.render(
            name=name,
            description=contents.description,
            variant=config.variant,
            sizes=config.name,
            parameters=f"{sum(t.elements for t in contents.tensors.values()):,}",
            dtype=str(dtype).removeprefix("torch."),
            megabytes=f"{size / 1e6:.1f}",
            horizon=config.horizon,
            platforms=sorted(contents.norm_stats),
            policy_cameras=contents.policy_cameras,
            planner_cameras=contents.planner_cameras,
            height=height,
            width=width,
            trained_for=[text for head, text in _HEADS.items() if getattr(training, head)],
            origin=training.origin,
            stages=stages,
            source_hash=source_hash,
            gates=gates,
            points=points,
            limits=resource_path(LIMITS).read_text(encoding="utf-8").strip(),
        ).rstrip()
        + "\n"
    )


def _figures(paths: Sequence[Path]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return tables of gates and tables of points."""
    gates, points = [], []
    for path in paths:
        facts = read_mapping(path)
        try:
            if "gates" in facts:
                gates.append(
                    {
                        "lines": table(facts),
                        "homes": len(facts["homes"]),
                        "platforms": facts["platforms"],
                    }
                )
            elif "results" in facts:
                points.append(_points(facts))
            else:
                raise KeyError("gates or results")
        except (KeyError, TypeError, StopIteration, ValueError) as error:
            raise CheckpointError(
                path,
                "wanted gates.json of `./pi05 eval gates`, or summary.json of `./pi05 eval`; "
                f"found something else ({error!r})",
            ) from error
    return gates, points


def _points(facts: Mapping[str, Any]) -> dict[str, Any]:
    settings = facts["settings"]
    rows = [
        {
            **{key: row[key] for key in ("task", "mode", "homes", "episodes", "faults")},
            "share": f"{row['points_share']:.1%}",
            "interval": " to ".join(f"{value:.1%}" for value in row["interval"]),
        }
        for row in facts["results"]
    ]
    return {
        "platform": Path(settings["platform"]).stem,
        "difficulty": settings["difficulty"],
        "ros": settings["ros"],
        "method": facts["method"],
        "rows": rows,
    }
