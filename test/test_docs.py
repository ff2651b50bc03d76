"""The documentation agrees with the tree: links, paths, the layout table, the index."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pi05_ros"
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)[^)]*\)")
CODE_PATH = re.compile(r"`((?:pi05_ros|test|benchmarks|config|launch|docs)/[\w./-]+)`")
PLACEHOLDER = "PLATFORM"  # In the name of a file that there is once a platform.


def name(page):
    return str(page.relative_to(ROOT))


def exists(path):
    return (ROOT / path).exists()


def subject(folder):
    """First line of a folder's docstring, without its full stop."""
    text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    return text.splitlines()[0].rstrip(".") if text else ""


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_and_paths_of_a_page_lead_somewhere(page):
    text = page.read_text()
    dead = [target for target in LINK.findall(text) if not (page.parent / target).exists()]
    dead += [path for path in CODE_PATH.findall(text) if not (exists(path) or PLACEHOLDER in path)]
    assert dead == []


def test_the_index_lists_every_page():
    index = ROOT / "docs" / "README.md"
    listed = {(index.parent / target).resolve() for target in LINK.findall(index.read_text())}
    assert {name(page) for page in PAGES if page not in listed} <= {"docs/README.md"}


def test_every_folder_says_in_its_first_line_what_its_subject_is():
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [name(folder) for folder in sorted(folders) if not subject(folder)] == []


def test_the_layout_table_is_the_tree():
    """README's rows for pi05_ros/ are its folders, each with the first line of its docstring."""
    readme = (ROOT / "README.md").read_text().partition("## Layout")[2]
    rows = dict(re.findall(r"^\| `([\w/]+)` \| (.+?) \|$", readme, re.MULTILINE))
    tree = {
        name(folder): subject(folder)
        for folder in PACKAGE.iterdir()
        if folder.is_dir() and (folder / "__init__.py").exists()
    }
    assert {key: text for key, text in rows.items() if key.startswith("pi05_ros/")} == tree
    rest = {key for key in rows if not key.startswith("pi05_ros/")}
    shown = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
    made = {"build", "install", "log", "resource", "pi05_ros", "demo_out", "bags"}
    assert rest == {folder for folder in shown - made if any((ROOT / folder).iterdir())}
