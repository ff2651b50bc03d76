"""Runs of the tiny model: they learn, resume exactly, and divide over processes."""

import errno
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from fakes.training_sources import Quiet, TinySource, kinds_apart, tiny_recipe, train

from pi05_ros.checkpoints.checkpoint import load_checkpoint
from pi05_ros.errors import ConfigError
from pi05_ros.training.loading.loader import Loader, Share, _Numbers
from pi05_ros.training.runs import state
from pi05_ros.training.runs.folder import RunFolder
from pi05_ros.training.runs.state import StateError
from pi05_ros.training.runs.trainer import BadDataError, DivergedError

PROCESS = str(Path(__file__).parents[2] / "fakes" / "training_sources.py")


def losses_of(folder):
    return [line["loss"] for line in RunFolder(folder).read_metrics()]


def train_on_two(folder, sources, settings):
    """Train the tiny model in two gloo processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    subprocess.run(
        [*command, PROCESS, str(folder), sources, *settings],
        env={**environment(), "OMP_NUM_THREADS": "1"},
        check=True,
        timeout=100,
    )


def environment():
    return {**os.environ, "PYTHONPATH": f"{Path(PROCESS).parents[1]}:{os.environ['PYTHONPATH']}"}


def test_losses_fall_and_checkpoints_load(tmp_path):
    train(tmp_path / "run", tiny_recipe("steps=60", "saving.every_steps=30"))
    losses = losses_of(tmp_path / "run")
    assert len(losses) == 60 and sum(losses[-5:]) < 0.6 * sum(losses[:5])
    for name in ("best", "last"):
        loaded = load_checkpoint(tmp_path / "run" / name)
        assert loaded.training.step == 60 and loaded.model.config.has_expert


def test_a_killed_run_goes_on_with_the_same_losses(tmp_path):
    train(tmp_path / "whole", tiny_recipe())

    def kill(record):
        if record.step == 4:
            raise KeyboardInterrupt  # Nothing is saved: the state of step 3 is the newest.

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", tiny_recipe(), reporter=Quiet(kill))
    reporter = train(tmp_path / "cut", tiny_recipe())
    assert reporter.begun == 3
    assert losses_of(tmp_path / "cut") == losses_of(tmp_path / "whole")
    whole, cut = (load_checkpoint(tmp_path / name / "last") for name in ("whole", "cut"))
    for ours, theirs in zip(whole.model.parameters(), cut.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("insulated", (True, False))
def test_a_run_of_the_flow_alone_goes_on(tmp_path, insulated):
    """Weights that get no gradient, those behind the last KV cache, have no optimiser's state."""
    settings = [f"loss.insulated={str(insulated).lower()}", "saving.every_steps=2", "steps=4"]
    sources = [TinySource(has_text=False)]
    train(tmp_path / "whole", tiny_recipe(*settings), sources)

    def kill(record):
        if record.step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "cut", tiny_recipe(*settings), sources, Quiet(kill))
    assert train(tmp_path / "cut", tiny_recipe(*settings), sources).begun == 2
    assert losses_of(tmp_path / "cut") == losses_of(tmp_path / "whole")


def test_sigkill_leaves_a_folder_that_goes_on(tmp_path):
    settings = ["steps=400", "saving.every_steps=2"]
    process = subprocess.Popen(
        [sys.executable, PROCESS, str(tmp_path / "run"), "alike", *settings], env=environment()
    )
    run = RunFolder(tmp_path / "run")
    try:
        for _ in range(1200):
            if len(run.state_steps()) >= 1 and len(run.read_metrics()) >= 5:
                break
            try:
                process.wait(0.05)
            except subprocess.TimeoutExpired:
                continue
            raise AssertionError("it ended by itself")
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    first = run.state_steps()[-1]
    recipe = tiny_recipe(*settings)

    def enough(record):
        if record.step == first + 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", recipe, reporter=Quiet(enough))
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "whole", recipe, reporter=Quiet(enough))
    assert losses_of(tmp_path / "run") == losses_of(tmp_path / "whole")


def test_two_processes_equal_one_and_one_goes_on(tmp_path):
    settings = ["steps=20", "saving.every_steps=10", "optimizer.warmup_steps=2"]
    train(tmp_path / "one", tiny_recipe(*settings))
    train_on_two(tmp_path / "two", "alike", settings)
    one, two = losses_of(tmp_path / "one"), losses_of(tmp_path / "two")
    assert two == pytest.approx(one, abs=1e-3)
    run = RunFolder(tmp_path / "two")
    for step in run.state_steps()[1:]:  # From the state of step 10 on, in one process.
        for file in run.state_path(step).iterdir():
            file.unlink()
        run.state_path(step).rmdir()
    assert train(tmp_path / "two", tiny_recipe(*settings)).begun == 10
    assert losses_of(tmp_path / "two") == pytest.approx(one, abs=1e-3)


def test_a_cut_state_is_not_read(tmp_path):
    train(tmp_path / "run", tiny_recipe())
    folder = RunFolder(tmp_path / "run")
    newest = folder.state_path(folder.state_steps()[-1])
    data = next(path for path in newest.iterdir() if path.suffix == ".distcp")
    data.write_bytes(data.read_bytes()[:-1])
    with pytest.raises(StateError, match="wanted .* bytes, found"):
        train(tmp_path / "run", tiny_recipe())


def test_another_recipe_is_refused(tmp_path):
    train(tmp_path / "run", tiny_recipe("steps=3"))
    with pytest.raises(ConfigError, match="is a run of another recipe"):
        train(tmp_path / "run", tiny_recipe("steps=4"))


def test_a_loss_that_is_not_finite_stops_and_names_the_sample(tmp_path):
    sources = [TinySource("MM", infinite=(3,))]
    with pytest.raises(DivergedError, match="number . of source 'MM'"):
        train(tmp_path / "run", tiny_recipe(), sources)
    assert RunFolder(tmp_path / "run").state_steps() == []


def test_bad_samples_are_skipped_up_to_a_share(tmp_path):
    sources = [TinySource("MM", broken=(3,))]
    reporter = train(tmp_path / "run", tiny_recipe("max_bad_share=0.2"), sources)
    bad = [text for record in reporter.records for text in record.bad]
    assert bad and set(bad) == {"MM, number 3: its picture is damaged"}
    with pytest.raises(BadDataError, match="max_bad_share"):
        train(tmp_path / "other", tiny_recipe("max_bad_share=0.001"), sources)


def test_old_states_are_pruned(tmp_path):
    settings = ["steps=12", "saving.every_steps=2", "saving.keep_every_steps=4"]
    train(tmp_path / "run", tiny_recipe(*settings))
    assert RunFolder(tmp_path / "run").state_steps() == [4, 8, 10, 12]
    assert len(list((tmp_path / "run" / "checkpoints").iterdir())) == 1


def test_the_samples_are_those_of_any_number_of_workers(tmp_path):
    train(tmp_path / "none", tiny_recipe("steps=3"))
    train(tmp_path / "two", tiny_recipe("steps=3", "batch.workers=2"))
    assert losses_of(tmp_path / "none") == losses_of(tmp_path / "two")


def test_recomputed_activations_give_the_same_losses(tmp_path):
    train(tmp_path / "kept", tiny_recipe("steps=4"))
    train(tmp_path / "again", tiny_recipe("steps=4", "batch.checkpoint_activations=true"))
    assert losses_of(tmp_path / "again") == pytest.approx(losses_of(tmp_path / "kept"), abs=1e-6)


def test_passes_of_any_size_give_the_same_losses(tmp_path):
    train(tmp_path / "two", tiny_recipe("steps=4", "batch.micro=4"))
    train(tmp_path / "one", tiny_recipe("steps=4", "batch.micro=8"))
    assert losses_of(tmp_path / "one") == pytest.approx(losses_of(tmp_path / "two"), abs=1e-5)


def test_low_rank_updates_train_and_merge(tmp_path):
    settings = ["steps=6", "model.lora_rank=4", "optimizer.learning_rate=0.01"]
    train(tmp_path / "run", tiny_recipe(*settings))
    loaded = load_checkpoint(tmp_path / "run" / "last")
    assert not [name for name in loaded.model.state_dict() if "lora" in name]


def test_low_rank_updates_over_two_processes_equal_one(tmp_path):
    settings = ["steps=3", "model.lora_rank=4", "optimizer.learning_rate=0.01"]
    train(tmp_path / "one", tiny_recipe(*settings))
    train_on_two(tmp_path / "two", "alike", settings)
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), abs=1e-4)
    one, two = (load_checkpoint(tmp_path / name / "last").model for name in ("one", "two"))
    for ours, theirs in zip(one.parameters(), two.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize(
    "setting",
    ["batch.precision=bfloat16", "loss.max_prefix=4", "optimizer.ema=0", "seed=20261130"],
)
def test_a_run_of_two_steps(tmp_path, setting):
    train(tmp_path / "run", tiny_recipe("steps=2", "batch.flow_samples=3", setting))
    assert all(math.isfinite(loss) for loss in losses_of(tmp_path / "run"))
    assert load_checkpoint(tmp_path / "run" / "best").training.step == 2


def test_a_run_goes_on_with_other_passes_and_workers(tmp_path):
    def stop(record):
        if record.step == 3:
            raise KeyboardInterrupt

    train(tmp_path / "whole", tiny_recipe())
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "run", tiny_recipe(), reporter=Quiet(stop))
    other = tiny_recipe("batch.micro=2", "batch.workers=1", "saving.keep_last=1")
    assert train(tmp_path / "run", other).begun == 3
    whole = losses_of(tmp_path / "whole")
    assert losses_of(tmp_path / "run") == pytest.approx(whole, abs=1e-5)


def test_a_gradient_that_is_not_finite_stops_before_the_weights_change(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", lambda *_: torch.tensor(float("inf")))
    with pytest.raises(DivergedError, match="step 0: the loss is finite and its gradient is not"):
        train(tmp_path / "run", tiny_recipe("saving.every_steps=1"))
    assert RunFolder(tmp_path / "run").state_steps() == []


def test_a_full_disk_ends_with_a_sentence_and_the_run_goes_on(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(state.dcp, "save", full)
        with pytest.raises(StateError, match="step_000000003: cannot be written.*No space left"):
            train(tmp_path / "run", tiny_recipe())
    assert not list((tmp_path / "run" / "states").iterdir())
    train(tmp_path / "whole", tiny_recipe())
    train(tmp_path / "run", tiny_recipe())
    assert losses_of(tmp_path / "run") == losses_of(tmp_path / "whole")


def test_a_step_that_cannot_be_divided_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="wanted a multiple of 1 processes times batch.micro"):
        train(tmp_path / "run", tiny_recipe("batch.size=8", "batch.micro=3"))


def test_the_numbers_of_a_long_run_are_not_listed():
    recipe = tiny_recipe("steps=1000000000", "batch.size=256")
    loader = Loader(None, recipe, Share(1, 2))
    numbers = iter(_Numbers(loader, 10))
    assert next(numbers) == [256 * 10 + 4 + i for i in range(4)]
    assert next(numbers) == [256 * 10 + 12 + i for i in range(4)]


def test_processes_whose_samples_need_other_weights_equal_one(tmp_path):
    settings = ["steps=8", "batch.size=2", "batch.micro=1", "saving.every_steps=8"]
    train(tmp_path / "one", tiny_recipe(*settings), kinds_apart())
    train_on_two(tmp_path / "two", "apart", settings)
    assert losses_of(tmp_path / "two") == pytest.approx(losses_of(tmp_path / "one"), abs=1e-3)
