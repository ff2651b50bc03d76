"""The verb `pi05 fast`: the tokenizer that writes actions as tokens.

pi05 fast fit bags/ --out fast_tokenizer.json
pi05 fast fit pretrain --set sources.MM.paths=[bags] --out fast_tokenizer.json
pi05 fast inspect fast_tokenizer.json
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pi05_ros.errors import ConfigError, Pi05Error

if TYPE_CHECKING:
    from pi05_ros.training.recipes.recipe import Recipe

_HORIZON = 50  # Rows of a chunk, for the bounds that `inspect` prints.


def main(arguments: Sequence[str]) -> int:
    """Run the verb.

    Args:
        arguments: Command line after `pi05 fast`.

    Returns:
        0 for success, 1 when it failed, 2 for a wrong command line, 130 after Ctrl-C.
    """
    parsed = parser().parse_args(arguments)
    try:
        if parsed.verb == "inspect":
            return _inspect(parsed)
        return _fit(parsed)
    except Pi05Error as error:
        print(f"pi05 fast {parsed.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\npi05 fast {parsed.verb}: stopped, nothing is written", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The command line."""
    root = argparse.ArgumentParser(
        prog="pi05 fast",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = root.add_subparsers(dest="verb", required=True)
    fit = verbs.add_parser(
        "fit",
        help="fit a tokenizer to episodes",
        description="Fit a tokenizer to the chunks of a recipe's robot episodes, by the weights "
        "of their sources, or to those of bags and datasets. Every robot has its own width and "
        "statistics: those of the checkpoint that the recipe begins from, else measured. "
        "A recipe names the result as model.fast.",
    )
    fit.add_argument(
        "data",
        nargs="+",
        metavar="RECIPE|PATH",
        help="name or YAML file of a recipe; or bags, folders of bags, LeRobot datasets",
    )
    fit.add_argument("--out", type=Path, required=True, metavar="FILE", help="file to write")
    fit.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        dest="settings",
        help="replace a key of the recipe; may be repeated",
    )
    fit.add_argument(
        "--init", metavar="CHECKPOINT", help="its statistics and chunk length: sets model.init"
    )
    fit.add_argument("--preset", help="model whose chunk length counts, for paths (default: base)")
    inspect = verbs.add_parser("inspect", help="print size and bounds of a tokenizer")
    inspect.add_argument("file", type=Path, help="file of `fast fit`, or a public folder")
    inspect.add_argument(
        "--horizon", type=int, default=_HORIZON, help="rows of a chunk (default: %(default)s)"
    )
    return root


def _inspect(parsed: argparse.Namespace) -> int:
    from pi05_ros.model.text.fast import FastTokenizer
    from pi05_ros.training.preparation.fast_fitting import fast_line

    if parsed.horizon < 1:
        print("pi05 fast inspect: wanted a horizon of at least 1", file=sys.stderr)
        return 2
    print(fast_line(FastTokenizer.load(parsed.file), parsed.horizon))
    return 0


def _fit(parsed: argparse.Namespace) -> int:
    from pi05_ros.data.episodes.cache_folder import CacheFolder
    from pi05_ros.training.preparation.fast_fitting import fast_line, fast_uses, fit_for_recipe

    if parsed.out.is_dir() or not parsed.out.absolute().parent.is_dir():
        raise ConfigError(str(parsed.out), "wanted a file in a folder that exists")
    recipe = _recipe(parsed)
    fast, chunks, horizon = fit_for_recipe(recipe, CacheFolder(), _note)
    print(fast_line(fast, horizon))
    for use in fast_uses(fast, chunks):
        print(use.line())
    fast.save(parsed.out)
    print(f"written: {parsed.out}")
    return 0


def _recipe(parsed: argparse.Namespace) -> Recipe:
    """Return the recipe that is named, or one of a single source with the paths."""
    from pi05_ros.training.recipes.files import load_recipe, recipe_names
    from pi05_ros.training.recipes.recipe import ModelRecipe, Recipe, SourceRecipe

    first = parsed.data[0]
    is_recipe = first in recipe_names() or first.endswith((".yaml", ".yml"))
    settings = list(parsed.settings)
    if is_recipe:
        if len(parsed.data) > 1 or parsed.preset:
            raise ConfigError(
                f"recipe '{first}'", "wanted one recipe and nothing beside it, or paths alone"
            )
        recipe = load_recipe(first, settings)
    else:
        if settings:
            raise ConfigError("--set", "has no effect on paths: name a recipe")
        source = SourceRecipe(kind="MM", paths=tuple(parsed.data))
        model = ModelRecipe(preset=parsed.preset or "base")
        recipe = Recipe("fast", "finetune", 1, model=model, sources={"MM": source})
    if not parsed.init:
        return recipe
    return dataclasses.replace(recipe, model=dataclasses.replace(recipe.model, init=parsed.init))


def _note(line: str) -> None:
    print(line, file=sys.stderr)
