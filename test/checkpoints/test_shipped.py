"""What a `checkpoint` argument names."""

from pathlib import Path

import pytest
from fakes.compact_model import compact_checkpoint

from pi05_ros.checkpoints.checkpoint import CheckpointError, open_checkpoint, save_checkpoint
from pi05_ros.checkpoints.shipped import (
    NamedCheckpoint,
    existing_folder,
    named_checkpoint,
    platforms_of,
    shipped_checkpoints,
    valid_names,
)
from pi05_ros.errors import ConfigError


def test_nothing_is_shipped(shipped_folder):
    assert shipped_checkpoints() == {}
    assert named_checkpoint("") == NamedCheckpoint("random:nano", None)
    assert named_checkpoint("nano") == NamedCheckpoint("nano", Path("nano"))
    assert valid_names().endswith("a shipped checkpoint (none)")
    with pytest.raises(CheckpointError, match=r"^nano: is no folder; wanted .*\(none\)"):
        open_checkpoint("nano")


def test_a_name_and_an_empty_argument_are_the_shipped_one(shipped_folder):
    save_checkpoint(shipped_folder / "nano", compact_checkpoint(description="stand-in"))
    (shipped_folder / "unfinished").mkdir()  # It has no manifest.
    assert shipped_checkpoints() == {"nano": shipped_folder / "nano"}
    wanted = NamedCheckpoint("nano", shipped_folder / "nano")
    assert named_checkpoint("") == named_checkpoint("nano") == wanted
    assert named_checkpoint("random:nano").folder is None
    assert named_checkpoint("./nano").folder == Path("nano")
    assert open_checkpoint("").description == "stand-in"
    assert open_checkpoint("random:nano").is_random
    assert existing_folder(wanted) == shipped_folder / "nano"
    assert platforms_of(shipped_folder / "nano") == ()
    with pytest.raises(CheckpointError, match=r"^nowhere: is no folder; .*\(nano\)"):
        open_checkpoint("nowhere")
    with pytest.raises(ConfigError, match=r"wanted a folder, .*checkpoint \(nano\)"):
        open_checkpoint("random:tiny?sed=1")
    with pytest.raises(CheckpointError, match="drawn at random"):
        existing_folder(named_checkpoint("random:nano"))
