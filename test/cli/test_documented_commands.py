"""Every `./pi05` command in a code block of the documentation has a command line that parses."""

import argparse
import importlib
import re
import shlex
from pathlib import Path

import pytest

from pi05_ros.cli.bags.command import VERBS as BAG_VERBS
from pi05_ros.cli.main import SHELL_VERBS, VERBS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```[a-z]*\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(text):
    """Command lines of the code blocks, without comments, continued lines joined."""
    for block in BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("./pi05 "):
                words = shlex.split(line, comments=True)[1:]
                yield words[: words.index(">")] if ">" in words else words


def parse(words):
    """Parse a command line, without running it."""
    verb, *rest = words
    if verb in SHELL_VERBS:
        return
    assert verb in VERBS, f"no verb {verb}"
    if verb == "bags":
        parser = argparse.ArgumentParser(allow_abbrev=False)
        importlib.import_module(BAG_VERBS[rest[0]].module).add_arguments(parser)
        parser.parse_args(rest[1:])
        return
    module = importlib.import_module(VERBS[verb].module)
    if verb == "eval" and rest[0] == "merge":
        module.merge_parser().parse_args(rest[1:])
        return
    if verb == "eval" and rest[0] == "gates":
        module.gates_parser().parse_args(rest[1:])
        return
    if hasattr(module, "parser") and "--help" not in rest:
        module.parser().parse_args(rest)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_parse(page):
    for words in commands(page.read_text()):
        try:
            parse(words)
        except SystemExit:
            pytest.fail(f"./pi05 {shlex.join(words)}: its options are wrong")


def test_commands_are_found_and_wrong_ones_fail():
    lines = [
        "./pi05 bags stats bags \\",
        "  --out n.json   # all",
        "./pi05 bags adopt a --guess > m",
    ]
    text = "\n".join(["```sh", *lines, "```", ""])
    assert list(commands(text)) == [
        ["bags", "stats", "bags", "--out", "n.json"],
        ["bags", "adopt", "a", "--guess"],
    ]
    with pytest.raises(SystemExit):
        parse(["bags", "stats", "bags", "--output", "n.json"])
