"""The commands of docs/training.md are typed as the verbs take them."""

import importlib
import re
import shlex
from pathlib import Path

import pytest

from pi05_ros.cli.bags import command as bags
from pi05_ros.cli.homes import command as homes
from pi05_ros.cli.main import VERBS
from pi05_ros.training.recipes.files import load_recipe, recipe_names

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
BLOCK = re.compile(r"^```bash\n(.*?)^```", re.MULTILINE | re.DOTALL)
TABLES = {"bags": bags.VERBS, "homes": homes.VERBS}


def commands():
    """Words after `./pi05`, or after what torchrun starts, of every line of the page's blocks."""
    found = []
    for block in BLOCK.findall(PAGE.read_text()):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words[:3] == ["./pi05", "run", "torchrun"]:
                found.append(words[words.index("pi05_ros.cli") + 1 :])
            elif words:
                assert words[0] == "./pi05", line
                found.append(words[1:])
    return found


def parsed(words):
    """Parse a command line as its verb does; argparse exits where it is wrong."""
    import argparse

    verb, *rest = words
    if verb in TABLES:
        parser = argparse.ArgumentParser(allow_abbrev=False)
        importlib.import_module(TABLES[verb][rest[0]].module).add_arguments(parser)
        return parser.parse_args(rest[1:])
    module = importlib.import_module(VERBS[verb].module)
    if hasattr(module, "expand_switches"):
        rest = module.expand_switches(rest)
    return module.parser().parse_args(rest)


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_a_command_of_the_page_parses(words):
    if words[:2] in (["train", "RECIPE"], ["train", "mine.yaml"]):
        words = ["train", "finetune", "--init", "base", "--out", "RUN"]
    found = parsed(words)
    if words[0] == "train":
        assert load_recipe(found.recipe, found.settings).steps >= 1


def test_there_are_commands_of_every_step():
    verbs = {" ".join(words[:2]) for words in commands()}
    assert {"bags label", "bags check", "fast fit", "homes collect", "train finetune"} <= verbs
    assert {"train pretrain", "train posttrain", "train smoke_pretrain"} <= verbs


def test_every_recipe_is_listed():
    text = PAGE.read_text()
    assert [name for name in recipe_names() if f"`{name}`" not in text] == []


def test_keys_in_the_tables_exist():
    """Keys of the table of the paper's figures, such as `loss.alpha`."""
    recipe = load_recipe("posttrain")
    table = PAGE.read_text().partition("## The paper's figures")[2].partition("| recipe |")[0]
    column = re.findall(r"^\|[^|]*\|([^|]*)\|", table, re.MULTILINE)
    keys = [key for cell in column for key in re.findall(r"`([\w.]+)[`:]", cell)]
    assert len(keys) > 10
    for key in keys:
        value = recipe
        for part in key.replace("NAME", "MM").split("."):
            value = value[part] if isinstance(value, dict) else getattr(value, part)
