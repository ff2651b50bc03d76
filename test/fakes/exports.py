"""Episodes to export, and views of the result."""

import hashlib

from fakes.drawn_episodes import drawn


def three():
    """Three episodes of different lengths."""
    return [
        drawn("a", rows=60, silent_rows=10),
        drawn("b", rows=90, seed=1),
        drawn("c", rows=50, seed=2, task="clear the table"),
    ]


def contents(folder):
    """Path -> digest of each file of a dataset."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def why(result):
    """Name -> reason of each episode left out."""
    return {one.name: one.why for one in result.left_out}
