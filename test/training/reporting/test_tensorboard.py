"""Event files of a run that goes on."""

from pi05_ros.training.reporting import tensorboard
from pi05_ros.training.reporting.tensorboard import TensorBoardReporter


def test_a_run_that_goes_on_replaces_the_steps_that_it_computes_again(monkeypatch, tmp_path):
    opened = []

    class Writer:
        def __init__(self, folder, purge_step):
            opened.append((folder, purge_step))

        def close(self):
            opened.append("closed")

    monkeypatch.setattr(tensorboard, "SummaryWriter", Writer)
    for first in (0, 30):
        reporter = TensorBoardReporter(tmp_path, 8)
        reporter.on_begin(first, 100)
        reporter.on_end()
    assert opened == [(str(tmp_path), None), "closed", (str(tmp_path), 30), "closed"]
