"""Recipe files: one may be based on another, and single keys are set on the command line."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from pi05_ros.errors import ConfigError, did_you_mean
from pi05_ros.foundation.based_yaml import read_based
from pi05_ros.foundation.resources import resource_path
from pi05_ros.foundation.strict_yaml import from_mapping
from pi05_ros.training.recipes.recipe import Recipe

# Keys on which the losses do not depend, but for rounding.
_HOW = {
    "batch": ("micro", "workers", "checkpoint_activations", "compile", "pad_to"),
    "saving": ("keep_last", "keep_every_steps"),
}


def recipe_names() -> tuple[str, ...]:
    """Names of the recipes in config/recipes."""
    return tuple(sorted(path.stem for path in resource_path("config/recipes").glob("*.yaml")))


def load_recipe(reference: str, settings: Sequence[str] = ()) -> Recipe:
    """Load a recipe by its name in config/recipes, or from a file.

    Args:
        reference: Name, or path of a YAML file (with a "/" or ".yaml").
        settings: Keys that replace those of the file, each "a.b=value" with a value in YAML.

    Raises:
        ConfigError: There is no such recipe, or a key or value is not valid.
    """
    content = read_based(_path_of(reference), "Recipe", _path_of)
    for setting in settings:
        _set(content, setting)
    return from_mapping(Recipe, content, f"recipe '{reference}'")


def resolved(recipe: Recipe) -> str:
    """Return the recipe with every key, as YAML that `load_recipe` reads."""
    content = json.loads(json.dumps(dataclasses.asdict(recipe)))
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=99)


def recipe_hash(recipe: Recipe) -> str:
    """Return a hash of the resolved recipe, 12 hexadecimal digits.

    Keys that say how a step is computed and kept, and not what (`_HOW`), do not count: a run may
    go on with others, as on another machine.
    """
    content = json.loads(json.dumps(dataclasses.asdict(recipe)))
    for part, keys in _HOW.items():
        for key in keys:
            del content[part][key]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _path_of(reference: str) -> Path:
    if "/" in reference or reference.endswith((".yaml", ".yml")):
        return Path(reference).expanduser()
    names = recipe_names()
    if reference not in names:
        raise ConfigError(
            f"recipe '{reference}'",
            f"there is none of that name{did_you_mean(reference, names)} (valid: "
            f"{', '.join(names)}; or the path of a YAML file)",
        )
    return resource_path(f"config/recipes/{reference}.yaml")


def _set(content: dict[str, Any], setting: str) -> None:
    """Set one key, "a.b=value"."""
    key, equals, text = setting.partition("=")
    if not equals or not key.strip():
        raise ConfigError(f"--set {setting}", "wanted KEY=VALUE, such as batch.size=32")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {setting}", f"the value is not YAML: {error}") from error
    place = content
    *parents, last = key.strip().split(".")
    for parent in parents:
        following = place.setdefault(parent, {})
        if not isinstance(following, dict):
            raise ConfigError(f"--set {setting}", f"'{parent}' has no keys below it")
        place = following
    place[last] = value
