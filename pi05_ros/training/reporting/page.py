"""The page of a run: curves, figures and examples in one self-contained HTML file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup

from pi05_ros.training.recipes.files import recipe_hash, resolved
from pi05_ros.training.recipes.recipe import Recipe
from pi05_ros.training.reporting import charts
from pi05_ros.training.reporting.history import History
from pi05_ros.training.reporting.pictures import PREDICTED, RECORDED, jpegs
from pi05_ros.training.reporting.tables import LABELS, share_rows, source_tables
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.records import StepRecord
from pi05_ros.training.validation.figures import Example, Figures

FILE = "report.html"
# Charts of figures over the validations: axis, and the figures of each source in it.
_CHARTS = {
    "hand [cm]": ("hand_cm/0.1s", "hand_cm/0.5s", "hand_cm/1.0s"),
    "answers [0 to 1]": ("subtask_exact", "token_accuracy", "box_iou", "done_recall"),
    "actions [0 to 1]": ("gripper_accuracy", "prompt_swap", "fast_decoded"),
}

_log = logging.getLogger(__name__)


class PageReporter:
    """Writes RUN/report.html at each validation and at the end.

    The page never ends a run: a failure of its own is logged.

    Args:
        run: Folder of the run.
        recipe: The run.
        shares: Share of the samples that each source is asked for, by name.
    """

    def __init__(self, run: RunFolder, recipe: Recipe, shares: Mapping[str, float]) -> None:
        self._run, self._recipe, self._shares = run, recipe, dict(shares)
        self._history = History(run, recipe.batch.size)
        self._examples: tuple[Example, ...] = ()
        self._step = 0
        self._best: int | None = None  # Step of the best checkpoint.

    def on_begin(self, first_step: int, steps: int) -> None:
        """Read what the run did before."""
        self._step = first_step
        self._guarded(lambda: self._history.begin(first_step))

    def on_step(self, record: StepRecord) -> None:
        """Keep the step's figures."""
        self._step = record.step + 1
        self._guarded(lambda: self._history.add_step(record.as_json()))

    def on_validation(self, step: int, figures: Mapping[str, float]) -> None:
        """Keep the figures and write the page."""
        if isinstance(figures, Figures):
            self._examples = figures.examples
        self._guarded(lambda: self._history.add_validation(step, figures))
        self._guarded(self._write)

    def on_saved(self, step: int, checkpoint: Path, is_best: bool) -> None:
        """Keep which checkpoint is the best."""
        if is_best:
            self._best = step

    def on_end(self) -> None:
        """Write the page."""
        self._guarded(self._write)

    def _guarded(self, action: Callable[[], None]) -> None:
        try:
            action()
        except Exception:  # A run of days must not end for its page, whatever is wrong there.
            _log.warning("the page of the run could not be written", exc_info=True)

    def _write(self) -> None:
        target = self._run.path / FILE
        temporary = target.with_name(f".{FILE}.unfinished")
        temporary.write_text(self._render(), encoding="utf-8")
        temporary.replace(target)

    def _render(self) -> str:
        loader = jinja2.FileSystemLoader(Path(__file__).parent)
        environment = jinja2.Environment(
            loader=loader, autoescape=True, undefined=jinja2.StrictUndefined
        )
        history = self._history
        return environment.get_template("page.html.j2").render(
            recipe=self._recipe,
            hash=recipe_hash(self._recipe),
            yaml=resolved(self._recipe),
            step=self._step,
            best=self._best,
            history=history,
            shares=share_rows(history, self._shares),
            tables=source_tables(history),
            losses=self._losses(),
            validations=self._validations(),
            progress=self._progress(),
            examples=[_shown(example) for example in self._examples],
            colours={"recorded": _css(RECORDED), "predicted": _css(PREDICTED)},
        )

    def _losses(self) -> list[tuple[str, Markup]]:
        """Return titles and charts of the losses: all sources, then each."""
        if "loss" not in self._history.names:
            return []
        found = [("all sources", Markup(charts.loss_chart(self._history)))]
        return found + [
            (name, Markup(charts.source_chart(self._history, name)))
            for name in self._shares
            if f"{name}/total" in self._history.names
        ]

    def _validations(self) -> list[tuple[str, Markup]]:
        """Return titles and charts of figures over the validations."""
        latest = self._history.validations[-1][1] if self._history.validations else {}
        found = []
        for source in dict.fromkeys(name.partition("/")[0] for name in latest if "/" in name):
            for label, keys in _CHARTS.items():
                names = {
                    f"{source}/{key}": _legend(key) for key in keys if f"{source}/{key}" in latest
                }
                if names:
                    chart = charts.figure_chart(self._history, names, label)
                    found.append((f"{source}: {label.partition(' [')[0]}", Markup(chart)))
        return found

    def _progress(self) -> list[tuple[str, Markup]]:
        """Return titles and charts of how the run went."""
        titles = {
            "samples_per_s": "speed",
            "waiting_share": "waiting for the loader",
            "learning_rate": "learning rate",
            "gradient_norm": "norm of the gradient, before clipping",
        }
        return [
            (title, Markup(charts.curve_chart(self._history, name)))
            for name, title in titles.items()
            if name in self._history.names
        ]


def _shown(example: Example) -> dict[str, Any]:
    """Return an example with its pictures and its chart as the template takes them."""
    return {
        "example": example,
        "pictures": jpegs(example),
        "chart": None if example.chunk is None else Markup(charts.chunk_chart(example.chunk)),
    }


def _legend(key: str) -> str:
    """Return the name of a figure in a legend, without its unit."""
    if key in LABELS:
        return LABELS[key][0].partition(" [")[0]
    return key.rpartition("/")[2].removesuffix("s") + " s"


def _css(colour: tuple[int, int, int]) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)
