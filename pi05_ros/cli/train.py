"""The verb `pi05 train`: a training run from a recipe."""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pi05_ros.errors import ConfigError, Pi05Error

if TYPE_CHECKING:
    from pi05_ros.training.recipes.recipe import Recipe

_SMOKE = "smoke:"  # Beginning of the paths of data that a smoke recipe makes itself.


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 train`.

    Returns:
        0 when the run is complete, 1 when it cannot begin or diverged, 2 for a wrong command line,
        130 after Ctrl-C.
    """
    parsed = parser().parse_args(arguments)
    try:
        return _run(parsed)
    except Pi05Error as error:
        print(f"pi05 train: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\npi05 train: stopped", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        prog="pi05 train",
        description="Train a checkpoint from a recipe. The same call goes on with a run that was "
        "stopped or killed. On several GPUs: ./pi05 run torchrun --nproc-per-node=8 -m "
        "pi05_ros.cli train RECIPE --out RUN.",
        epilog="example: pi05 train finetune --init base "
        "--set sources.robot.paths=[bags] --out runs/first",
    )
    root.add_argument("recipe", help="name in config/recipes, or the path of a YAML file")
    root.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="replace a key of the recipe, such as batch.size=32; may be repeated",
    )
    root.add_argument("--out", type=Path, metavar="RUN", help="folder of the run")
    root.add_argument(
        "--init", metavar="CHECKPOINT", help="weights to begin from: sets model.init"
    )
    root.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s"
    )
    root.add_argument("--print", action="store_true", help="print the resolved recipe and end")
    root.add_argument(
        "--plan", action="store_true", help="print the memory that the run needs and end"
    )
    root.add_argument(
        "--gpus",
        type=int,
        metavar="N",
        help="with --plan: number of GPUs that share the run; default: torchrun's, else 1",
    )
    return root


def _run(parsed: argparse.Namespace) -> int:
    from pi05_ros.training.recipes.files import load_recipe, resolved

    settings = list(parsed.settings)
    if parsed.init:
        settings.append(f"model.init={_quoted(str(Path(parsed.init).expanduser()))}")
    recipe = load_recipe(parsed.recipe, settings)
    if parsed.print:
        print(resolved(recipe), end="")
        return 0
    if parsed.gpus is not None and (not parsed.plan or parsed.gpus < 1):
        print("pi05 train: wanted --gpus N, at least 1, with --plan", file=sys.stderr)
        return 2
    if parsed.plan:
        from pi05_ros.training.memory.plan import plan_text

        print(plan_text(recipe, parsed.gpus or int(os.environ.get("WORLD_SIZE", "1"))))
        return 0
    if parsed.out is None:
        print("pi05 train: wanted --out RUN, the folder of the run", file=sys.stderr)
        return 2
    from pi05_ros.training.train import train

    return 0 if train(_with_smoke_data(recipe), parsed.out, parsed.device) else 130


def _with_smoke_data(recipe: Recipe) -> Recipe:
    """Return the recipe with paths in the place of "smoke:…", whose data are made if need be."""
    named = {p for source in recipe.sources.values() for p in source.paths if p.startswith(_SMOKE)}
    if not named:
        return recipe
    from pi05_ros.data.episodes.cache_folder import default_folder
    from pi05_ros.evaluation.collection.smoke import smoke_episodes

    folders = dataclasses.asdict(smoke_episodes(default_folder() / "smoke"))
    made = {f"{_SMOKE}{key}": str(folder) for key, folder in folders.items()}
    unknown = sorted(named - made.keys())
    if unknown:
        raise ConfigError(
            f"recipe '{recipe.name}'",
            f"there are no smoke data '{unknown[0]}' (valid: {', '.join(made)})",
        )
    sources = {
        name: dataclasses.replace(source, paths=tuple(made.get(p, p) for p in source.paths))
        for name, source in recipe.sources.items()
    }
    return dataclasses.replace(recipe, sources=sources)


def _quoted(text: str) -> str:
    """Return text as a YAML scalar."""
    return "'" + text.replace("'", "''") + "'"
